//! Faults of a message, each with its line and a caret under the place.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use ringback_message::ParseErrorKind;
use ringback_message::verdict::Fault;

use crate::output::harmless_char;

/// Something to be told of a message, at some of its bytes.
#[derive(Debug)]
pub(crate) struct Remark<'a> {
    pub(crate) level: Level<'static>,
    /// What stands in brackets behind the level.
    pub(crate) id: Option<&'a str>,
    pub(crate) title: String,
    pub(crate) span: Range<usize>,
    /// What stands behind the caret.
    pub(crate) label: String,
    pub(crate) section: &'a str,
    pub(crate) help: Option<&'a str>,
}

/// Nothing where there are none; else with colours, which are taken out where standard output shows none.
pub(crate) fn faults(bytes: &[u8], faults: &[Fault], place: &str) -> String {
    remarks(bytes, &faults.iter().map(of_fault).collect::<Vec<_>>(), place)
}

/// The same for remarks of any kind.
pub(crate) fn remarks(bytes: &[u8], remarks: &[Remark<'_>], place: &str) -> String {
    if remarks.is_empty() {
        return String::new();
    }
    let source = Source::of(bytes);
    let renderer = Renderer::styled();
    remarks.iter().map(|remark| format!("\n{}\n", renderer.render(&[group(&source, remark, place)]))).collect()
}

/// The title of a fault says which header field it is in.
pub(crate) fn of_fault(fault: &Fault) -> Remark<'_> {
    let error = &fault.error;
    let title = match error.header {
        None => "the message is malformed".to_owned(),
        Some(id) if error.kind == ParseErrorKind::Missing => format!("{id} is missing"),
        Some(id) => format!("{id} is wrong"),
    };
    let at = usize::try_from(error.offset).unwrap_or(usize::MAX);
    Remark {
        level: Level::ERROR,
        id: None,
        title,
        span: at..at,
        label: format!("expected {}", error.expected),
        section: &error.section,
        help: None,
    }
}

fn group<'a>(source: &'a Source, remark: &'a Remark<'_>, place: &'a str) -> Group<'a> {
    let label: String = remark.label.chars().map(harmless_char).collect();
    let annotation = AnnotationKind::Primary.span(source.span(&remark.span)).label(label);
    let snippet = Snippet::source(&source.text).path(place).fold(true).annotation(annotation);
    let title = remark.level.clone().primary_title(&remark.title);
    let title = match remark.id {
        Some(id) => title.id(id),
        None => title,
    };
    let mut group = title.element(snippet);
    if !remark.section.is_empty() {
        group = group.element(Level::NOTE.message(remark.section));
    }
    match remark.help {
        Some(help) => group.element(Level::HELP.message(help)),
        None => group,
    }
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

    /// The characters of some bytes, at least that of the first; at the end of a line nothing, so that the caret stands behind the line.
    fn span(&self, bytes: &Range<usize>) -> Range<usize> {
        let start = self.place(bytes.start);
        let rest = self.text.get(start..).unwrap_or_default();
        let len = rest.chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        start..self.place(bytes.end).max(start.saturating_add(len))
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
