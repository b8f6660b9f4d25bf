//! That a cited section exists: each `RFC n, Section s` in a Rust file or in the manual is looked up among the headings of that
//! RFC's text.
//!
//! In brackets there are the forms `[RFC n]`, `[RFC n, Section s]`, `[RFC n, Appendix s]`, `[RFC n, Table t]` and
//! `[RFC n, Figure f]`, and no other; a citation may be broken across two lines of a comment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::project::Project;
use crate::stages::Verdict;

/// The stage.
pub(crate) fn check(project: &Project) -> Verdict {
    let Some(folder) = project.rfc_texts() else {
        return Verdict::Missing("no RFC texts: RINGBACK_REFERENCES names no folder with `rfc` in it".to_owned());
    };
    let files = match project.files() {
        Ok(files) => files,
        Err(fault) => return Verdict::Bad(vec![fault]),
    };
    let mut library = Library { folder: &folder, texts: BTreeMap::new() };
    let mut complaints = Vec::new();
    let mut count = 0_usize;
    let is_read = |file: &&String| file.ends_with(".rs") || file.starts_with("crates/ringback/manual/");
    for file in files.iter().filter(is_read) {
        match project.text(file) {
            Err(fault) => complaints.push(fault),
            Ok(text) => {
                for (line, citation) in citations(&text) {
                    count += 1;
                    let judged = citation.and_then(|citation| library.judge(&citation));
                    complaints.extend(judged.err().map(|fault| format!("{file}:{line}: {fault}")));
                }
            }
        }
    }
    println!("{count} citations of {} RFCs", library.texts.len());
    Verdict::of(complaints)
}

/// What is cited.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Citation {
    rfc: u32,
    /// Kind and number: `Section` and `17.1.1.2`. `None` for an RFC as a whole.
    place: Option<(Kind, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Section,
    Appendix,
    Table,
    Figure,
}

const KINDS: [(&str, Kind); 4] =
    [("Section ", Kind::Section), ("Appendix ", Kind::Appendix), ("Table ", Kind::Table), ("Figure ", Kind::Figure)];

/// The citations of a Rust file, each with the line that it begins in; an error where one in brackets has no known form.
fn citations(source: &str) -> Vec<(usize, Result<Citation, String>)> {
    let (text, lines) = unbroken(source);
    let mut found = Vec::new();
    for (at, _) in text.match_indices("RFC ") {
        let Some((before, rest)) = text.split_at_checked(at) else { continue };
        let line = lines.range(..=at).next_back().map_or(1, |(_, line)| *line);
        let bracketed = before.ends_with('[');
        match read(rest) {
            Some((citation, rest)) if bracketed && !rest.starts_with(']') => {
                let rfc = citation.rfc;
                found.push((line, Err(format!("the citation of RFC {rfc} has none of the forms"))));
            }
            Some((citation, _)) if bracketed || citation.place.is_some() => found.push((line, Ok(citation))),
            Some(_) | None => {}
        }
    }
    found
}

/// The text with each line break, and the comment sign behind it, made one space; and where each line begins in it.
fn unbroken(source: &str) -> (String, BTreeMap<usize, usize>) {
    let mut text = String::with_capacity(source.len());
    let mut lines = BTreeMap::new();
    for (index, line) in source.lines().enumerate() {
        let line = line.trim();
        let bare = line.trim_start_matches('/').trim_start_matches('!').trim_start();
        let is_comment = line.starts_with("//");
        lines.insert(text.len(), index + 1);
        text.push_str(if is_comment { bare } else { line });
        text.push(' ');
    }
    (text, lines)
}

/// Reads from `RFC ` on; gives back what follows.
fn read(text: &str) -> Option<(Citation, &str)> {
    let (rfc, rest) = split_while(text.strip_prefix("RFC ")?, |c| c.is_ascii_digit());
    let rfc = rfc.parse().ok()?;
    let place = rest.strip_prefix(", ").and_then(|rest| {
        KINDS.iter().find_map(|(word, kind)| {
            let (number, rest) = split_while(rest.strip_prefix(word)?, |c| c.is_ascii_alphanumeric() || c == '.');
            let bare = number.trim_end_matches('.');
            // A full stop that ends the sentence goes back to what follows.
            (!bare.is_empty()).then(|| ((*kind, bare.to_owned()), if bare == number { rest } else { "." }))
        })
    });
    Some(match place {
        Some((place, rest)) => (Citation { rfc, place: Some(place) }, rest),
        None => (Citation { rfc, place: None }, rest),
    })
}

fn split_while(text: &str, wanted: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !wanted(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The RFC texts that were asked for so far; `None` for one that isn't there.
struct Library<'a> {
    folder: &'a Path,
    texts: BTreeMap<u32, Option<Text>>,
}

struct Text {
    headings: BTreeSet<String>,
    whole: String,
}

impl Library<'_> {
    fn judge(&mut self, citation: &Citation) -> Result<(), String> {
        let rfc = citation.rfc;
        let folder = self.folder;
        let text = self.texts.entry(rfc).or_insert_with(|| {
            let bytes = fs::read(folder.join(format!("rfc{rfc}.txt"))).ok()?;
            let whole = String::from_utf8_lossy(&bytes).into_owned();
            Some(Text { headings: headings(&whole), whole })
        });
        let Some((kind, number)) = &citation.place else { return Ok(()) };
        let Some(text) = text else {
            return Err(format!("RFC {rfc} isn't among the reference texts, so its section can't be checked"));
        };
        let exists = match kind {
            Kind::Section | Kind::Appendix => text.headings.contains(number),
            Kind::Table => text.whole.contains(&format!("Table {number}:")),
            Kind::Figure => text.whole.contains(&format!("Figure {number}:")),
        };
        if exists { Ok(()) } else { Err(format!("RFC {rfc} has no {kind:?} {number}")) }
    }
}

/// The numbers of all headings of an RFC.
fn headings(text: &str) -> BTreeSet<String> {
    let lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    let is_blank = |index: Option<usize>| {
        index.and_then(|index| lines.get(index)).is_none_or(|line: &&str| line.trim().is_empty())
    };
    let mut found = BTreeSet::new();
    for (index, line) in lines.iter().enumerate() {
        if is_of_contents(line) {
            continue;
        }
        let Some(number) = heading(line.trim_start()) else { continue };
        // Nearly all RFCs have their headings at the margin. A few indent them; a numbered list looks the same there,
        // but for having no second number.
        let at_margin = !line.starts_with(' ');
        let stands_alone = is_blank(index.checked_sub(1)) && is_blank(index.checked_add(1));
        if at_margin || (number.contains('.') && stands_alone) {
            found.insert(number);
        }
    }
    found
}

/// The number that a heading line begins with.
fn heading(line: &str) -> Option<String> {
    let unnamed = line.strip_prefix("Appendix ").or_else(|| line.strip_prefix("APPENDIX "));
    let (number, rest) = split_while(unnamed.unwrap_or(line), |c| c.is_ascii_alphanumeric() || c == '.');
    let bare = number.trim_end_matches('.');
    let mut parts = bare.split('.');
    let first = parts.next()?;
    let is_number = |part: &str| !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    let is_letter = first.len() == 1 && first.bytes().all(|b| b.is_ascii_uppercase());
    // `A caller …` begins a sentence and `A.` an appendix.
    let is_first = is_number(first) || (is_letter && (unnamed.is_some() || number.contains('.')));
    let ends = rest.is_empty() || rest.starts_with([' ', '\t', ':']);
    (is_first && ends && parts.all(is_number)).then(|| bare.to_owned())
}

/// A line of a table of contents: dots, then a page.
fn is_of_contents(line: &str) -> bool {
    let line = line.trim_end();
    let stem = line.trim_end_matches(|c: char| c.is_ascii_digit());
    stem.len() < line.len() && (stem.trim_end().ends_with("..") || stem.trim_end().ends_with(". ."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    // Put together, so that the stage doesn't take these for citations.
    const R: &str = "RFC";

    fn only(source: &str) -> (usize, Result<Citation, String>) {
        let mut found = citations(source);
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    #[test]
    fn forms_are_read() {
        let section = |number: &str| Some((Kind::Section, number.to_owned()));
        let source = format!("//! x\n/// [{R} 3261, Section 17.1.1.2].");
        assert_eq!(only(&source), (2, Ok(Citation { rfc: 3261, place: section("17.1.1.2") })));
        let source = format!("let s = \"{R} 7616, Section 3.4.\";");
        assert_eq!(only(&source).1.unwrap().place, section("3.4"));
        let source = format!("[{R} 3261, Table 4]");
        assert_eq!(only(&source).1.unwrap().place, Some((Kind::Table, "4".to_owned())));
        let source = format!("[{R} 8760]");
        assert_eq!(only(&source).1.unwrap().place, None);
    }

    #[test]
    fn a_citation_broken_across_lines_counts_for_the_first() {
        let source = format!("fn f() {{}}\n    /// as [{R} 3261,\n    /// Section 8.2] says");
        assert_eq!(only(&source), (2, Ok(Citation { rfc: 3261, place: Some((Kind::Section, "8.2".to_owned())) })));
        let source = format!("//! as [{R}\n//! 3261, Section 8.2]");
        assert!(only(&source).1.is_ok());
    }

    #[test]
    fn other_forms_in_brackets_are_faults() {
        for tail in ["3261 Section 8]", "3261, section 8]", "3261, Section 8, item 2]", "3261, §8]"] {
            let source = format!("/// [{R} {tail}");
            assert!(only(&source).1.is_err(), "{tail}");
        }
        let source = format!("/// {R} 3261 has it, and [{R}3261] is how RFCs cite");
        assert_eq!(citations(&source), []);
    }

    #[test]
    fn headings_are_told_from_contents_lists_and_sentences() {
        let text = "   1  Introduction ........ 8\n\n1 Introduction\n\n   1. a list\n\n17.1.1.2 Formal Description\n\
                    3.4.6.  Various\nA caller\nA.1.  More\nAppendix B.  Else\n2 Late .... 9\n\n   2.5.1 Proxy Server\n\nSee\n   9.9 not\n";
        let found = headings(text);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, ["1", "17.1.1.2", "2.5.1", "3.4.6", "A.1", "B"]);
    }

    #[test]
    fn what_the_texts_lack_is_a_fault() {
        let folder = Path::new("");
        let text = Text { headings: headings("8 General\n"), whole: "Table 4: Timers".to_owned() };
        let mut library = Library { folder, texts: BTreeMap::from([(3261, Some(text)), (1, None)]) };
        let mut judge =
            |rfc, kind, number: &str| library.judge(&Citation { rfc, place: Some((kind, number.to_owned())) });
        assert!(judge(3261, Kind::Section, "8").is_ok());
        assert_eq!(judge(3261, Kind::Section, "99").unwrap_err(), format!("{R} 3261 has no Section 99"));
        assert!(judge(3261, Kind::Table, "4").is_ok());
        assert!(judge(3261, Kind::Table, "5").is_err());
        assert!(judge(1, Kind::Section, "8").is_err());
    }
}
