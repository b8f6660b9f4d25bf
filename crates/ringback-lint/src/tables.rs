//! Which header field may, should or must stand in which request or response: Tables 2 and 3 of RFC 3261 with the rows and
//! columns that later RFCs added. `[RFC 3261, Section 20]`
//!
//! A row reads: header field, *where* it applies, and its mark for each method that the head of its section lists.
//!
//! | where | applies to | | mark | says |
//! |---|---|---|---|---|
//! | `R` | requests | | `m` | must be there |
//! | `r`, `rc` | responses | | `m*`, `t` | should be there |
//! | `2xx`, `18x`, `415` | those codes | | `o`, `c`, `*` | may be there, or depends |
//! | nothing, `c` | all | | `-` | must not be there |
//!
//! ```
//! use ringback_lint::tables::{Mark, Verdict, verdict};
//! use ringback_message::{HeaderId, Method, StatusCode};
//!
//! let of_405 = verdict(HeaderId::Allow, &Method::Invite, Some(StatusCode::MethodNotAllowed));
//! assert!(matches!(of_405, Verdict::Is { mark: Mark::Mandatory, .. }));
//! assert!(matches!(verdict(HeaderId::Contact, &Method::Bye, None), Verdict::Is { mark: Mark::NotApplicable, .. }));
//! assert_eq!(verdict(HeaderId::Subject, &Method::Invite, Some(StatusCode::Ok)), Verdict::Elsewhere("RFC 3261, Section 20"));
//! assert_eq!(verdict(HeaderId::Other, &Method::Invite, None), Verdict::Unknown);
//! ```

use ringback_message::{HeaderId, Method, StatusCode};

macro_rules! sections {
    ($name:ident $($source:literal [$($method:ident)+] { $($header:ident $place:literal $marks:literal;)+ })+) => {
        pub(super) static $name: &[Section] = &[$(Section {
            source: $source,
            methods: &[$(ringback_message::Method::$method),+],
            rows: &[$(super::Row { header: ringback_message::HeaderId::$header, place: $place, marks: $marks }),+],
        }),+];
    };
}

mod core;
mod events;
mod extensions;
mod methods;

/// What a table says of a header field in one kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// `-`: it must not be there.
    NotApplicable,
    /// `o`, `c` and `*`: it may be there, or that depends on more than the table knows.
    Optional,
    /// `m*` and `t`: it should be there.
    Recommended,
    /// `m`: it must be there.
    Mandatory,
}

/// What all tables together say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No table knows the header field in this method.
    Unknown,
    /// It is for other messages of this method; the section of its row.
    Elsewhere(&'static str),
    /// A row applies.
    Is {
        /// The strongest mark of those that apply.
        mark: Mark,
        /// The section of that row.
        source: &'static str,
    },
}

/// A part of the tables: rows that share their source and their columns.
struct Section {
    source: &'static str,
    methods: &'static [Method],
    rows: &'static [Row],
}

struct Row {
    header: HeaderId,
    place: &'static str,
    marks: &'static str,
}

/// What the tables say of a header field in a request of this method, or in a response with this code to one.
#[must_use]
pub fn verdict(header: HeaderId, method: &Method, status: Option<StatusCode>) -> Verdict {
    let (mut applying, mut other, mut has_place) = (None, None, false);
    for (row, mark, source) in rows_of(method, Some(header)) {
        has_place |= mark != Mark::NotApplicable;
        if !row.applies(status) {
            other = Some(source);
        } else if applying.is_none_or(|(known, _)| known < mark) {
            applying = Some((mark, source));
        }
    }
    match (applying, other) {
        (Some((mark, source)), _) => Verdict::Is { mark, source },
        (None, Some(source)) if has_place => Verdict::Elsewhere(source),
        (None, Some(source)) => Verdict::Is { mark: Mark::NotApplicable, source },
        (None, None) => Verdict::Unknown,
    }
}

/// The header fields that the tables want in such a message, each with its mark and section: those of [`Mark::Mandatory`] and
/// [`Mark::Recommended`].
pub fn wanted(method: &Method, status: Option<StatusCode>) -> impl Iterator<Item = (HeaderId, Mark, &'static str)> {
    rows_of(method, None)
        .filter(move |(row, mark, _)| *mark >= Mark::Recommended && row.applies(status))
        .map(|(row, mark, source)| (row.header, mark, source))
}

/// The rows that have a column for this method, of one header field or of all.
fn rows_of(method: &Method, header: Option<HeaderId>) -> impl Iterator<Item = (&'static Row, Mark, &'static str)> {
    let sections = all();
    sections
        .filter_map(move |section| Some((section, section.methods.iter().position(|other| other == method)?)))
        .flat_map(move |(section, column)| {
            let rows = section.rows.iter().filter(move |row| header.is_none_or(|header| row.header == header));
            rows.filter_map(move |row| Some((row, row.mark(column)?, section.source)))
        })
}

fn all() -> impl Iterator<Item = &'static Section> {
    [core::CORE, methods::METHODS, events::EVENTS, extensions::EXTENSIONS].into_iter().flatten()
}

impl Row {
    fn mark(&self, column: usize) -> Option<Mark> {
        Some(match self.marks.split(' ').nth(column)? {
            "-" => Mark::NotApplicable,
            "o" | "c" | "*" => Mark::Optional,
            "m*" | "t" => Mark::Recommended,
            "m" => Mark::Mandatory,
            _ => return None,
        })
    }

    fn applies(&self, status: Option<StatusCode>) -> bool {
        self.place.is_empty()
            || self.place.split(',').any(|place| is_place(place, status.map(StatusCode::as_u16)) == Some(true))
    }
}

/// `None` for what is no place.
fn is_place(place: &str, status: Option<u16>) -> Option<bool> {
    let code = status.unwrap_or(0);
    Some(match place {
        "c" | "Rr" => true,
        "R" => status.is_none(),
        "r" | "rc" => status.is_some(),
        _ => match place.split_once('-') {
            Some((from, to)) if from.len() == 3 && !to.ends_with('x') => {
                (from.parse::<u16>().ok()?..=to.parse::<u16>().ok()?).contains(&code)
            }
            Some((from, to)) => {
                let (from, to) = (from.get(..1)?.parse::<u16>().ok()?, to.get(..1)?.parse::<u16>().ok()?);
                (from..=to).contains(&(code / 100))
            }
            None => match (place.strip_suffix("xx"), place.strip_suffix('x')) {
                (Some(class), _) => class.parse::<u16>().ok()? == code / 100,
                (None, Some(tens)) => tens.parse::<u16>().ok()? == code / 10,
                (None, None) => place.parse::<u16>().ok()? == code,
            },
        },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_read() {
        let mut count = 0;
        for section in all() {
            for row in section.rows {
                let marks = row.marks.split(' ').count();
                assert_eq!(marks, section.methods.len(), "{}: {} {}", section.source, row.header, row.place);
                assert!((0..marks).all(|column| row.mark(column).is_some()), "{}: {}", section.source, row.header);
                let places: alloc::vec::Vec<_> = row.place.split(',').filter(|place| !place.is_empty()).collect();
                assert!(places.iter().all(|place| is_place(place, Some(200)).is_some()), "{}", row.place);
                count += 1;
            }
        }
        assert!(count > 500, "{count} rows");
    }

    #[test]
    fn the_strongest_mark_of_those_that_apply_counts() {
        let is = |header, method, code: u16| match verdict(header, &method, StatusCode::new(code).ok()) {
            Verdict::Is { mark, .. } => mark,
            other => panic!("{other:?}"),
        };
        assert_eq!(is(HeaderId::Allow, Method::Invite, 200), Mark::Recommended);
        assert_eq!(is(HeaderId::Allow, Method::Bye, 200), Mark::Optional);
        assert_eq!(is(HeaderId::Contact, Method::Invite, 200), Mark::Mandatory);
        assert_eq!(is(HeaderId::Expires, Method::Publish, 200), Mark::Mandatory);
        assert_eq!(is(HeaderId::MinSe, Method::Update, 422), Mark::Mandatory);
        assert_eq!(is(HeaderId::RecordRoute, Method::Invite, 183), Mark::Optional);
        assert_eq!(is(HeaderId::ErrorInfo, Method::Invite, 699), Mark::Optional);
        assert_eq!(is(HeaderId::RecordRoute, Method::Message, 200), Mark::NotApplicable);
        assert_eq!(is(HeaderId::PChargingVector, Method::Bye, 101), Mark::Optional);
        assert_eq!(is(HeaderId::PChargingVector, Method::Cancel, 200), Mark::NotApplicable);
        assert_eq!(is(HeaderId::PAssociatedUri, Method::Register, 200), Mark::Optional);
        let trying = verdict(HeaderId::PChargingVector, &Method::Invite, Some(StatusCode::Trying));
        assert_eq!(trying, Verdict::Elsewhere("RFC 7976, Section 3"));
        let retry = verdict(HeaderId::RetryAfter, &Method::Invite, Some(StatusCode::Ok));
        assert_eq!(retry, Verdict::Elsewhere("RFC 3261, Section 20"));
    }

    #[test]
    fn what_is_wanted_is_listed() {
        let wanted: alloc::vec::Vec<_> = wanted(&Method::Invite, Some(StatusCode::ExtensionRequired)).collect();
        assert!(wanted.iter().any(|(id, mark, _)| (*id, *mark) == (HeaderId::CSeq, Mark::Mandatory)));
        assert!(!wanted.iter().any(|(id, ..)| *id == HeaderId::MaxForwards));
    }
}
