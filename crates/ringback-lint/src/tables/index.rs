//! Which rows are of a header field, so that none is looked for among all: sorted when the tables are compiled.

use ringback_message::HeaderId;

use super::{Mark, Row, Section, core, events, extensions, methods};

static PARTS: [&[Section]; 4] = [core::CORE, methods::METHODS, events::EVENTS, extensions::EXTENSIONS];

/// The place of a row.
#[derive(Clone, Copy)]
struct At {
    part: u8,
    section: u8,
    row: u8,
}

const ROWS: usize = count(false);
const WANTING: usize = count(true);
const HEADERS: usize = HeaderId::Other as usize;

/// By header field, and those of one in the order of the tables.
static BY_HEADER: [At; ROWS] = sorted().0;
/// Where the rows of a header field begin; those of the next one stand behind them.
static BEGINS: [u16; HEADERS + 1] = sorted().1;
/// The rows that want their header field in some message.
static WANTED: [At; WANTING] = wanted_rows();

/// The rows of a header field, in the order of the tables.
pub(super) fn rows_of(header: HeaderId) -> impl Iterator<Item = (&'static Section, &'static Row)> {
    let begins = BEGINS.get(header as usize..).unwrap_or_default();
    let range = begins.first().zip(begins.get(1)).map(|(begin, end)| usize::from(*begin)..usize::from(*end));
    range.and_then(|range| BY_HEADER.get(range)).unwrap_or_default().iter().filter_map(|at| at.row())
}

/// The rows with a mark of [`Mark::Recommended`] or more.
pub(super) fn wanting() -> impl Iterator<Item = (&'static Section, &'static Row)> {
    WANTED.iter().filter_map(|at| at.row())
}

#[cfg(test)]
pub(super) fn sections() -> impl Iterator<Item = &'static Section> {
    PARTS.into_iter().flatten()
}

impl At {
    fn row(self) -> Option<(&'static Section, &'static Row)> {
        let section = PARTS.get(usize::from(self.part))?.get(usize::from(self.section))?;
        Some((section, section.rows.get(usize::from(self.row))?))
    }
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn is_wanting(row: &Row) -> bool {
    let mut column = 0;
    while column < row.marks.len() {
        if let Some(Mark::Recommended | Mark::Mandatory) = row.marks[column] {
            return true;
        }
        column += 1;
    }
    false
}

/// All rows, one after the other, each with its place.
macro_rules! for_each_row {
    (|$row:ident, $at:ident| $act:expr) => {
        let mut part = 0;
        while part < PARTS.len() {
            let mut section = 0;
            while section < PARTS[part].len() {
                let mut row = 0;
                while row < PARTS[part][section].rows.len() {
                    let $row = &PARTS[part][section].rows[row];
                    let $at = At { part: part as u8, section: section as u8, row: row as u8 };
                    $act
                    row += 1;
                }
                assert!(row <= u8::MAX as usize, "a section is too long");
                section += 1;
            }
            part += 1;
        }
    };
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn count(only_wanting: bool) -> usize {
    let mut count = 0;
    for_each_row!(|row, _at| {
        if !only_wanting || is_wanting(row) {
            count += 1;
        }
    });
    count
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn wanted_rows() -> [At; WANTING] {
    let mut wanted = [At { part: 0, section: 0, row: 0 }; WANTING];
    let mut count = 0;
    for_each_row!(|row, at| {
        if is_wanting(row) {
            wanted[count] = at;
            count += 1;
        }
    });
    wanted
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn sorted() -> ([At; ROWS], [u16; HEADERS + 1]) {
    let mut begins = [0_u16; HEADERS + 1];
    for_each_row!(|row, _at| {
        begins[row.header as usize + 1] += 1;
    });
    let mut header = 0;
    while header < HEADERS {
        begins[header + 1] += begins[header];
        header += 1;
    }
    let mut rows = [At { part: 0, section: 0, row: 0 }; ROWS];
    let mut next = begins;
    for_each_row!(|row, at| {
        let header = row.header as usize;
        rows[next[header] as usize] = at;
        next[header] += 1;
    });
    (rows, begins)
}
