//! What stands in a row, read when the tables are compiled: a row that can't be read is a build error.

use ringback_message::{HeaderId, StatusCode};

use super::{Mark, Row};

/// The most columns of a section: one for each method.
pub(super) const COLUMNS_MAX: usize = 15;
/// The most places that one row names.
pub(super) const PLACES_MAX: usize = 4;

/// Codes of responses from the first to the last; a request counts as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Codes {
    pub(super) first: u16,
    pub(super) last: u16,
}

const NONE: Codes = Codes { first: 1, last: 0 };
const ALL: Codes = Codes { first: 0, last: u16::MAX };
const REQUEST: Codes = Codes { first: 0, last: 0 };
const RESPONSES: Codes = Codes { first: 1, last: u16::MAX };

pub(super) fn code_of(status: Option<StatusCode>) -> u16 {
    status.map_or(0, StatusCode::as_u16)
}

impl Row {
    pub(super) const fn new(header: HeaderId, places: &str, marks: &str) -> Row {
        Row { header, codes: codes(places.as_bytes()), marks: read_marks(marks.as_bytes()) }
    }
}

#[allow(clippy::indexing_slicing, clippy::panic, reason = "evaluated by the compiler, where both are build errors")]
const fn codes(places: &[u8]) -> [Codes; PLACES_MAX] {
    let mut codes = [NONE; PLACES_MAX];
    let (mut at, mut count) = (0, 0);
    while at <= places.len() {
        let begin = at;
        while at < places.len() && places[at] != b',' {
            at += 1;
        }
        codes[count] = place(places.split_at(at).0.split_at(begin).1);
        count += 1;
        at += 1;
    }
    codes
}

#[allow(clippy::panic, reason = "evaluated by the compiler, where it is a build error")]
const fn place(place: &[u8]) -> Codes {
    match place {
        b"" | b"c" | b"Rr" => ALL,
        b"R" => REQUEST,
        b"r" | b"rc" => RESPONSES,
        [a, b'x', b'x'] => Codes { first: code(*a, b'0', b'0'), last: code(*a, b'9', b'9') },
        [a, b, b'x'] => Codes { first: code(*a, *b, b'0'), last: code(*a, *b, b'9') },
        [a, b, c] => Codes { first: code(*a, *b, *c), last: code(*a, *b, *c) },
        [a, b'-', d, b'x', b'x'] | [a, b'x', b'x', b'-', d, b'x', b'x'] => {
            Codes { first: code(*a, b'0', b'0'), last: code(*d, b'9', b'9') }
        }
        [a, b, c, b'-', d, e, f] => Codes { first: code(*a, *b, *c), last: code(*d, *e, *f) },
        _ => panic!("no place"),
    }
}

#[allow(clippy::panic, reason = "evaluated by the compiler, where it is a build error")]
const fn code(a: u8, b: u8, c: u8) -> u16 {
    match (a, b, c) {
        (b'1'..=b'6', b'0'..=b'9', b'0'..=b'9') => (a - b'0') as u16 * 100 + (b - b'0') as u16 * 10 + (c - b'0') as u16,
        _ => panic!("no code"),
    }
}

#[allow(clippy::indexing_slicing, clippy::panic, reason = "evaluated by the compiler, where both are build errors")]
const fn read_marks(text: &[u8]) -> [Option<Mark>; COLUMNS_MAX] {
    let mut marks = [None; COLUMNS_MAX];
    let (mut at, mut count) = (0, 0);
    while at <= text.len() {
        let begin = at;
        while at < text.len() && text[at] != b' ' {
            at += 1;
        }
        marks[count] = Some(match text.split_at(at).0.split_at(begin).1 {
            b"-" => Mark::NotApplicable,
            b"o" | b"c" | b"*" => Mark::Optional,
            b"m*" | b"t" => Mark::Recommended,
            b"m" => Mark::Mandatory,
            _ => panic!("no mark"),
        });
        count += 1;
        at += 1;
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes_of(places: &str) -> alloc::vec::Vec<(u16, u16)> {
        let named = codes(places.as_bytes()).into_iter().filter(|codes| *codes != NONE);
        named.map(|codes| (codes.first, codes.last)).collect()
    }

    #[test]
    fn places_are_codes() {
        assert_eq!(codes_of(""), [(0, u16::MAX)]);
        assert_eq!(codes_of("R,2xx"), [(0, 0), (200, 299)]);
        assert_eq!(codes_of("18x,404"), [(180, 189), (404, 404)]);
        assert_eq!(codes_of("3-6xx"), [(300, 699)]);
        assert_eq!(codes_of("3xx-6xx"), [(300, 699)]);
        assert_eq!(codes_of("101-199"), [(101, 199)]);
        assert_eq!(codes_of("rc"), [(1, u16::MAX)]);
    }

    #[test]
    fn each_section_has_a_mark_for_each_method() {
        for section in super::super::index::sections() {
            for row in section.rows {
                let marks = row.marks.iter().flatten().count();
                assert_eq!(marks, section.methods.len(), "{}: {}", section.source, row.header);
            }
        }
    }
}
