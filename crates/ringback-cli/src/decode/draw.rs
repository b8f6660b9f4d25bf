//! Faults of a message, each with its line and a caret under the place.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use ringback_message::verdict::Fault;

use crate::output::harmless_char;

/// Nothing where there are none; else with colours, which are taken out where standard output shows none.
pub(crate) fn faults(bytes: &[u8], faults: &[Fault], place: &str) -> String {
    if faults.is_empty() {
        return String::new();
    }
    let source = Source::of(bytes);
    let renderer = Renderer::styled();
    let mut out = String::new();
    for fault in faults {
        let error = &fault.error;
        let title = error.header.map_or_else(|| "the message is malformed".to_owned(), |id| format!("{id} is wrong"));
        let title = if error.kind == ringback_message::ParseErrorKind::Missing {
            error.header.map_or(title, |id| format!("{id} is missing"))
        } else {
            title
        };
        let label = format!("expected {}", error.expected);
        let at = source.place(usize::try_from(error.offset).unwrap_or(usize::MAX));
        let snippet = Snippet::source(&source.text)
            .path(place)
            .fold(true)
            .annotation(AnnotationKind::Primary.span(source.span(at)).label(&label));
        let mut group: Group<'_> = Level::ERROR.primary_title(&title).element(snippet);
        if !error.section.is_empty() {
            group = group.element(Level::NOTE.message(&error.section));
        }
        out.push_str(&format!("\n{}\n", renderer.render(&[group])));
    }
    out
}

/// A message as text that a terminal can show, and where in it each byte is.
struct Source {
    text: String,
    /// For each byte of the message its place in the text, and one for its end.
    places: Vec<usize>,
}

impl Source {
    fn of(bytes: &[u8]) -> Source {
        let mut source = Source { text: String::new(), places: Vec::with_capacity(bytes.len().saturating_add(1)) };
        for chunk in bytes.utf8_chunks() {
            chunk.valid().chars().for_each(|c| source.push(c, c.len_utf8()));
            chunk.invalid().iter().for_each(|_| source.push(char::REPLACEMENT_CHARACTER, 1));
        }
        source.places.push(source.text.len());
        source
    }

    fn push(&mut self, c: char, len: usize) {
        let place = self.text.len();
        self.places.extend(std::iter::repeat_n(place, len));
        match c {
            '\r' => {}
            '\n' => self.text.push('\n'),
            c => self.text.push(harmless_char(c)),
        }
    }

    /// The character at a place; at the end of a line nothing, so that the caret stands behind the line.
    fn span(&self, at: usize) -> std::ops::Range<usize> {
        let rest = self.text.get(at..).unwrap_or_default();
        let len = rest.chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        at..at.saturating_add(len)
    }

    /// The place of a byte.
    fn place(&self, byte: usize) -> usize {
        self.places.get(byte).copied().unwrap_or(self.text.len())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_its_place() {
        let source = Source::of(b"a\r\n\xffb\x1b\xc3\xa9c");
        assert_eq!(source.text, "a\n\u{fffd}b\u{241b}\u{e9}c");
        let char_at = |byte| source.text.get(source.place(byte)..).unwrap().chars().next();
        let seen: Vec<_> = (0..=9).map(char_at).collect();
        let wanted = "a\n\n\u{fffd}b\u{241b}\u{e9}\u{e9}c".chars().map(Some).chain([None]);
        assert_eq!(seen, wanted.collect::<Vec<_>>());
    }
}
