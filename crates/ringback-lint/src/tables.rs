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
            rows: &[$(super::Row::new(ringback_message::HeaderId::$header, $place, $marks)),+],
        }),+];
    };
}

mod core;
mod events;
mod extensions;
mod index;
mod methods;
mod notation;

use notation::{COLUMNS_MAX, Codes, PLACES_MAX, code_of};

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

/// A row, read by the compiler.
struct Row {
    header: HeaderId,
    codes: [Codes; PLACES_MAX],
    marks: [Option<Mark>; COLUMNS_MAX],
}

/// What the tables say of a header field in a request of this method, or in a response with this code to one.
#[must_use]
pub fn verdict(header: HeaderId, method: &Method, status: Option<StatusCode>) -> Verdict {
    let (mut applying, mut other, mut has_place) = (None, None, false);
    let code = code_of(status);
    for (section, row) in index::rows_of(header) {
        let Some(mark) = section.column(method).and_then(|column| row.mark(column)) else { continue };
        has_place |= mark != Mark::NotApplicable;
        if !row.applies(code) {
            other = Some(section.source);
        } else if applying.is_none_or(|(known, _)| known < mark) {
            applying = Some((mark, section.source));
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
    let code = code_of(status);
    index::wanting().filter_map(move |(section, row)| {
        let mark = row.mark(section.column(method)?).filter(|mark| *mark >= Mark::Recommended)?;
        row.applies(code).then_some((row.header, mark, section.source))
    })
}

impl Section {
    fn column(&self, method: &Method) -> Option<usize> {
        self.methods.iter().position(|other| other == method)
    }
}

impl Row {
    fn mark(&self, column: usize) -> Option<Mark> {
        self.marks.get(column).copied().flatten()
    }

    fn applies(&self, code: u16) -> bool {
        self.codes.iter().any(|codes| codes.first <= code && code <= codes.last)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn every_header_field_finds_its_rows() {
        type Seen = (HeaderId, &'static str, [Codes; PLACES_MAX], [Option<Mark>; COLUMNS_MAX]);
        let seen =
            |(section, row): (&'static Section, &'static Row)| (row.header, section.source, row.codes, row.marks);
        let all: Vec<Seen> =
            index::sections().flat_map(|section| section.rows.iter().map(move |row| seen((section, row)))).collect();
        assert!(all.len() > 500, "{} rows", all.len());
        for header in HeaderId::all().chain([HeaderId::Other]) {
            let mine: Vec<Seen> = all.iter().filter(|row| row.0 == header).copied().collect();
            assert_eq!(index::rows_of(header).map(seen).collect::<Vec<_>>(), mine, "{header}");
        }
        let is_wanting = |row: &&Seen| row.3.iter().flatten().any(|mark| *mark >= Mark::Recommended);
        let wanting: Vec<Seen> = all.iter().filter(is_wanting).copied().collect();
        assert_eq!(index::wanting().map(seen).collect::<Vec<_>>(), wanting);
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
