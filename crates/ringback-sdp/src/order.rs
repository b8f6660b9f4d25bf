//! Which lines a section may have, and in which order. `[RFC 8866, Section 9]`

use alloc::string::ToString;

use crate::cursor::Cursor;
use crate::error::{BuildError, ParseError};
use crate::line::{self, Bandwidth, Connection, Line, Repeat, Timing, Zone};
use crate::section::{Kind, Section, rank};

/// Where a line may be put.
pub(crate) fn place(section: &Section, line: &Line) -> Result<usize, BuildError> {
    let letter = line.byte();
    let has = |letter| section.lines().iter().any(|other| other.byte() == letter);
    if let Some(what) = misfit(section.kind(), letter) {
        return Err(wrong(what, line));
    }
    if is_single(section.kind(), letter) && has(letter) {
        return Err(wrong("a second line of a kind that may be there once", line));
    }
    if !matches!(letter, b'r' | b'z') {
        return Ok(section.end_of(letter));
    }
    let lines = section.lines();
    let Some(last) = lines.iter().rposition(|other| other.byte() == b't') else {
        return Err(wrong("r= and z= belong to a t= line before them", line));
    };
    let first = last.saturating_add(1);
    let schedules = lines.iter().skip(first).take_while(|other| other.byte() == b'r').count();
    let end = first.saturating_add(schedules);
    let is_followed = lines.get(end).is_some_and(|other| other.byte() == b'z');
    match letter {
        b'z' if schedules == 0 => Err(wrong("z= belongs to an r= line before it", line)),
        b'z' if is_followed => Err(wrong("a second line of a kind that may be there once", line)),
        _ => Ok(end),
    }
}

/// That a line has the value that its letter asks for.
pub(crate) fn value(line: &Line) -> Result<(), BuildError> {
    let read = |section, read: fn(&mut Cursor<'_>) -> Result<(), ParseError>| {
        let mut cursor = line.cursor(section)?;
        read(&mut cursor)?;
        cursor.lenient().map_or(Ok(()), Err)
    };
    match line.byte() {
        b'a' => crate::attribute::check(line)?,
        b'c' => read(line::CONNECTION, |cursor| Connection::read(cursor).map(drop))?,
        b'b' => read(line::BANDWIDTH, |cursor| Bandwidth::read(cursor).map(drop))?,
        b't' => read(line::TIMING, |cursor| Timing::read(cursor).map(drop))?,
        b'r' => read(line::REPEAT, |cursor| Repeat::read(cursor).map(drop))?,
        b'z' => read(line::ZONE, |cursor| Zone::read(cursor).map(drop))?,
        b's' | b'i' | b'u' | b'e' | b'p' => {
            if line.value().is_empty() {
                return Err(wrong("a line without a text", line));
            }
            line::contact_defect(line).map_or(Ok(()), Err)?;
        }
        _ => {}
    }
    Ok(())
}

/// That the lines of a section are those that it may have, each in its place and with its value.
pub(crate) fn check(section: &Section) -> Result<(), BuildError> {
    let kind = section.kind();
    let mut before: Option<&Line> = None;
    for line in section.lines() {
        let letter = line.byte();
        if let Some(what) = misfit(kind, letter) {
            return Err(wrong(what, line));
        }
        let last = before.replace(line).map(Line::byte);
        if last.is_some_and(|last| rank(last) > rank(letter)) {
            return Err(wrong("a line that stands behind one that must follow it", line));
        }
        if is_single(kind, letter) && last == Some(letter) {
            return Err(wrong("a second line of a kind that may be there once", line));
        }
        match letter {
            b'r' if !matches!(last, Some(b't' | b'r')) => {
                return Err(wrong("r= belongs to a t= line before it", line));
            }
            b'z' if last != Some(b'r') => return Err(wrong("z= belongs to an r= line before it", line)),
            _ => value(line)?,
        }
    }
    let missing = |letter| kind == Kind::Session && !section.lines().iter().any(|line| line.byte() == letter);
    match () {
        () if missing(b's') => Err(lacking("an s= line is missing", "RFC 8866, Section 5.3")),
        () if missing(b't') => Err(lacking("a t= line is missing", "RFC 8866, Section 5.9")),
        () => Ok(()),
    }
}

/// Why a line has no place in a section.
fn misfit(kind: Kind, letter: u8) -> Option<&'static str> {
    match (kind, letter) {
        (_, b'v' | b'o') => Some("v= and o= are no lines of a section: they begin the description"),
        (_, b'm') => Some("m= is no line of a section: it begins a media description"),
        (_, b'k') => Some("k= must not be used any more"),
        (Kind::Media, b's' | b'u' | b'e' | b'p' | b't' | b'r' | b'z') => {
            Some("a line of the session in a media description")
        }
        (_, letter) if !b"siuepcbtrza".contains(&letter) => Some("a letter that the grammar doesn't know"),
        _ => None,
    }
}

fn is_single(kind: Kind, letter: u8) -> bool {
    b"siu".contains(&letter) || (letter == b'c' && kind == Kind::Session)
}

fn wrong(what: &'static str, line: &Line) -> BuildError {
    let value = alloc::format!("{}={}", line.letter(), line.text());
    BuildError::Contradiction { media: None, what, value: value.into(), section: "RFC 8866, Section 9" }
}

fn lacking(what: &'static str, section: &'static str) -> BuildError {
    BuildError::Contradiction { media: None, what, value: "".to_string().into(), section }
}
