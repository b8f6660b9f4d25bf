//! Reading a description: tolerant, with a list of what was passed over, so that strict reading is the same with an empty
//! list. `[RFC 8866, Section 5]`

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use crate::cursor::{Cursor, count};
use crate::description::{MediaDescription, SessionDescription};
use crate::error::{ParseError, ParseErrorKind};
use crate::line::{self, Bandwidth, Connection, Line, MediaLine, Origin, Repeat, Timing, Zone};
use crate::section::{Kind, Section, rank};
use crate::work;

/// Bytes of a description, at most.
pub const SDP_BYTES_MAX: usize = 65_535;
/// Lines of a description, at most.
pub const LINES_MAX: usize = 8_192;
/// Media descriptions, at most.
pub const MEDIA_MAX: usize = 128;
/// Departures from the grammar that are told, at most; what comes behind is passed over in silence.
pub const DEPARTURES_MAX: usize = 64;

/// What was read, and what was passed over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reading {
    /// What was read.
    pub description: SessionDescription,
    /// Where the text departs from the grammar and its meaning is still plain: line ends, blanks too many, order, `s=` or `t=`
    /// or `c=` that are missing, `k=`, `u=`, `e=` and `p=` that hold something else, unknown letters, names of attributes that are
    /// none. In the order of the text; what is missing stands where it should have stood.
    pub departures: Vec<ParseError>,
}

pub(crate) fn read(text: &[u8]) -> Result<Reading, ParseError> {
    if text.len() > SDP_BYTES_MAX {
        return Err(too_large("no more than 65535 bytes", 0));
    }
    let mut reader = Reader::default();
    let mut rest = text;
    let mut number = 0_u32;
    while !rest.is_empty() {
        number = number.saturating_add(1);
        rest = reader.raw_line(rest, number)?;
    }
    reader.finish(number)
}

/// The lines of a section, each with its place in the order.
#[derive(Default)]
struct Ranked {
    lines: Vec<(u8, Line)>,
    is_misordered: bool,
    /// A bit for each letter that is there.
    letters: u64,
}

#[derive(Default)]
struct Reader {
    has_version: bool,
    /// An `s=` line without a text is told where it stands, and isn't missing.
    has_bare_name: bool,
    origin: Option<Origin>,
    session: Ranked,
    media: Vec<(MediaLine, Ranked, u32)>,
    lines: usize,
    departures: Vec<ParseError>,
}

impl Reader {
    /// Takes one line off the front; gives back the rest.
    fn raw_line<'a>(&mut self, text: &'a [u8], number: u32) -> Result<&'a [u8], ParseError> {
        let end = text.iter().position(|&b| b == b'\n');
        work::step(end.unwrap_or(text.len()));
        let (line, rest) = match end.and_then(|end| text.split_at_checked(end)) {
            Some((line, tail)) => (line, tail.get(1..).unwrap_or_default()),
            None => (text, &[][..]),
        };
        let bare = trim_cr(line);
        if end.is_none() || line.len() != bare.len().saturating_add(1) {
            self.depart(line_end(number, bare));
        }
        if let Some(at) = bare.iter().position(|b| matches!(b, b'\r' | 0)) {
            let section = "RFC 8866, Section 5";
            return Err(error(ParseErrorKind::ForbiddenByte, number, at, "no NUL, nor CR but at the end", section));
        }
        match bare {
            [] => self.depart(line_end(number, bare)),
            [letter, b'=', value @ ..] if letter.is_ascii_alphabetic() => self.line(*letter, value, number)?,
            _ => {
                let section = "RFC 8866, Section 5";
                return Err(error(ParseErrorKind::Line, number, 0, "a letter, an equals sign and a value", section));
            }
        }
        Ok(rest)
    }

    fn line(&mut self, letter: u8, value: &[u8], number: u32) -> Result<(), ParseError> {
        self.lines = self.lines.saturating_add(1);
        if self.lines > LINES_MAX {
            return Err(too_large("no more than 8192 lines", number));
        }
        let line = Line::read(letter, value, number);
        match letter {
            b'm' => self.media_line(&line),
            _ if self.media.is_empty() => self.session_line(line),
            b'v' | b'o' | b's' | b'u' | b'e' | b'p' | b't' | b'r' | b'z' => {
                let section = "RFC 8866, Section 5";
                Err(error(ParseErrorKind::Order, number, 0, "a line of a media description", section))
            }
            _ => self.other_line(line),
        }
    }

    fn session_line(&mut self, line: Line) -> Result<(), ParseError> {
        if line.byte() != b'v' && !self.has_version {
            self.depart(error(
                ParseErrorKind::Order,
                line.number(),
                0,
                "v=0 as the first line",
                "RFC 8866, Section 5.1",
            ));
        }
        match line.byte() {
            b'v' => self.version(&line),
            b'o' => {
                let mut cursor = line.cursor(line::ORIGIN)?;
                let origin = Origin::read(&mut cursor)?;
                self.note(&cursor);
                if !self.session.lines.is_empty() {
                    self.depart(misplaced(line.number()));
                }
                if self.origin.replace(origin).is_some() { Err(repeated(line.number())) } else { Ok(()) }
            }
            _ => self.other_line(line),
        }
    }

    fn version(&mut self, line: &Line) -> Result<(), ParseError> {
        let mut cursor = line.cursor("RFC 8866, Section 5.1")?;
        let at = cursor.clone();
        let version = cursor.digits("version 0")?;
        cursor.end()?;
        self.note(&cursor);
        if version != "0" {
            return Err(ParseError { kind: ParseErrorKind::Version, ..at.error("version 0") });
        }
        if core::mem::replace(&mut self.has_version, true) { Err(repeated(line.number())) } else { Ok(()) }
    }

    fn media_line(&mut self, line: &Line) -> Result<(), ParseError> {
        if self.media.len() >= MEDIA_MAX {
            return Err(too_large("no more than 128 media descriptions", line.number()));
        }
        let mut cursor = line.cursor(line::MEDIA)?;
        let (media, departure) = MediaLine::read(&mut cursor)?;
        self.note(&cursor);
        departure.into_iter().for_each(|departure| self.depart(departure));
        self.media.push((media, Ranked::default(), line.number()));
        Ok(())
    }

    /// A line that stands at the session level or in a media description.
    fn other_line(&mut self, line: Line) -> Result<(), ParseError> {
        let Some(line) = self.kept(line)? else { return Ok(()) };
        let is_known = b"siuepcbtrza".contains(&line.byte());
        let is_media = !self.media.is_empty();
        let section = match self.media.last_mut() {
            Some((_, section, _)) => section,
            None => &mut self.session,
        };
        let last = section.lines.last().map_or(0, |(rank, _)| *rank);
        // A line that nobody knows stays behind the line that it came behind.
        let rank = if is_known { rank(line.byte()) } else { last };
        let is_single = b"siu".contains(&line.byte()) || (line.byte() == b'c' && !is_media);
        if is_single && section.has(line.byte()) {
            return Err(repeated(line.number()));
        }
        if matches!(line.byte(), b'r' | b'z') && !section.has(b't') {
            let section = "RFC 8866, Section 5.9";
            return Err(error(ParseErrorKind::Order, line.number(), 0, "t= before r= and z=", section));
        }
        // Only what repeats can be adjusted: where it doesn't, the line changes nothing, though an older grammar had it.
        if line.byte() == b'z' && section.lines.last().is_none_or(|(_, last)| last.byte() != b'r') {
            self.depart(misplaced(line.number()));
            return Ok(());
        }
        let departure = (rank < last).then(|| misplaced(line.number()));
        section.is_misordered |= rank < last;
        section.letters |= letter_bit(line.byte());
        section.lines.push((rank, line));
        departure.into_iter().for_each(|departure| self.depart(departure));
        Ok(())
    }

    /// Reads the value; `None` for a line that is thrown away.
    fn kept(&mut self, line: Line) -> Result<Option<Line>, ParseError> {
        match line.byte() {
            b'c' => {
                let mut cursor = line.cursor(line::CONNECTION)?;
                let value = Connection::read(&mut cursor)?;
                Ok(Some(self.settled(&line, &value, &cursor)))
            }
            b'b' => {
                let mut cursor = line.cursor(line::BANDWIDTH)?;
                let value = Bandwidth::read(&mut cursor)?;
                Ok(Some(self.settled(&line, &value, &cursor)))
            }
            b't' => {
                let mut cursor = line.cursor(line::TIMING)?;
                let value = Timing::read(&mut cursor)?;
                Ok(Some(self.settled(&line, &value, &cursor)))
            }
            b'r' => {
                let mut cursor = line.cursor(line::REPEAT)?;
                let value = Repeat::read(&mut cursor)?;
                Ok(Some(self.settled(&line, &value, &cursor)))
            }
            b'z' => {
                let mut cursor = line.cursor(line::ZONE)?;
                let value = Zone::read(&mut cursor)?;
                Ok(Some(self.settled(&line, &value, &cursor)))
            }
            b'a' => Ok(self.attribute(line)),
            b's' | b'i' | b'u' | b'e' | b'p' if !line.value().is_empty() => {
                line::contact_defect(&line).into_iter().for_each(|departure| self.depart(departure));
                Ok(Some(line))
            }
            letter => Ok(self.departing(letter, line)),
        }
    }

    /// The line as it is, or as its grammar has it where it had blanks too many.
    fn settled(&mut self, line: &Line, value: &dyn fmt::Display, cursor: &Cursor<'_>) -> Line {
        self.note(cursor);
        match cursor.lenient() {
            Some(_) => Line::read(line.byte(), value.to_string().as_bytes(), line.number()),
            None => line.clone(),
        }
    }

    /// Texts with nothing in them, `k=`, and letters that nobody knows.
    fn departing(&mut self, letter: u8, line: Line) -> Option<Line> {
        let number = line.number();
        let (departure, line) = match letter {
            b's' | b'i' | b'u' | b'e' | b'p' => {
                self.has_bare_name |= letter == b's';
                (error(ParseErrorKind::Value, number, 2, "a text", "RFC 8866, Section 9"), None)
            }
            b'k' => (error(ParseErrorKind::Obsolete, number, 0, "no k= line", "RFC 8866, Section 5.12"), None),
            _ => {
                let expected = "a letter that the grammar knows";
                (error(ParseErrorKind::UnknownLine, number, 0, expected, "RFC 8866, Section 5"), Some(line))
            }
        };
        self.depart(departure);
        line
    }

    /// Any attribute is kept but one without a name. Blanks behind a property are no part of its name.
    fn attribute(&mut self, line: Line) -> Option<Line> {
        let number = line.number();
        let section = "RFC 8866, Section 5.13";
        let (name, value) = line.as_attribute().unwrap_or_default();
        let bare = if value.is_none() { name.trim_ascii_end() } else { name };
        let is_token = core::str::from_utf8(bare).is_ok_and(crate::cursor::is_token);
        if bare.len() < name.len() {
            let column = bare.len().saturating_add(2);
            self.depart(error(ParseErrorKind::Value, number, column, "no blank at the end of the line", section));
        }
        if !is_token {
            self.depart(error(ParseErrorKind::Value, number, 2, "a name that is a token", section));
        } else if value.is_some_and(<[u8]>::is_empty) {
            let column = name.len().saturating_add(3);
            self.depart(error(ParseErrorKind::Value, number, column, "a value behind the colon", section));
        }
        match (bare.is_empty(), bare.len() < name.len()) {
            (true, _) => None,
            (false, true) => Some(Line::read(b'a', bare, number)),
            (false, false) => Some(line),
        }
    }

    fn finish(mut self, number: u32) -> Result<Reading, ParseError> {
        let after = number.saturating_add(1);
        let missing = |expected, section| error(ParseErrorKind::Missing, after, 0, expected, section);
        if !self.has_version {
            return Err(missing("v=0", "RFC 8866, Section 5.1"));
        }
        let Some(origin) = self.origin.take() else {
            return Err(missing("an o= line", "RFC 8866, Section 5.2"));
        };
        for (letter, value, expected, section) in
            [(b's', "-", "an s= line", "RFC 8866, Section 5.3"), (b't', "0 0", "a t= line", "RFC 8866, Section 5.9")]
        {
            if !self.session.has(letter) {
                if letter != b's' || !self.has_bare_name {
                    let number = self.place_of(letter).unwrap_or(after);
                    self.departures.push(error(ParseErrorKind::Missing, number, 0, expected, section));
                }
                self.session.lines.push((rank(letter), Line::own(letter, value)));
                self.session.is_misordered = true;
            }
        }
        let has_connection = self.session.has(b'c');
        let mut media = Vec::with_capacity(self.media.len());
        for (line, section, number) in core::mem::take(&mut self.media) {
            if !has_connection && !section.has(b'c') {
                let section = "RFC 8866, Section 5.7";
                let expected = "a c= line for this stream";
                self.departures.push(error(ParseErrorKind::Missing, number, 0, expected, section));
            }
            media.push(MediaDescription::from_parts(line, section.finish(Kind::Media)));
        }
        // What is missing is known at the end only, and stands among the rest by its place.
        self.departures.sort_by_key(|departure| (departure.line, departure.column));
        self.departures.truncate(DEPARTURES_MAX);
        let description = SessionDescription::from_parts(origin, self.session.finish(Kind::Session), media);
        Ok(Reading { description, departures: self.departures })
    }

    /// The line before which a line of this letter would stand; nothing where that is the end of the text.
    fn place_of(&self, letter: u8) -> Option<u32> {
        let behind = self.session.lines.iter().find(|(other, line)| *other > rank(letter) && line.number() != 0);
        let media = self.media.first().map(|(_, _, number)| *number);
        behind.map(|(_, line)| line.number()).or(media)
    }

    fn depart(&mut self, departure: ParseError) {
        if self.departures.len() < DEPARTURES_MAX {
            self.departures.push(departure);
        }
    }

    fn note(&mut self, cursor: &Cursor<'_>) {
        cursor.lenient().into_iter().for_each(|departure| self.depart(departure));
    }
}

impl Ranked {
    fn has(&self, letter: u8) -> bool {
        self.letters & letter_bit(letter) != 0
    }

    fn finish(mut self, kind: Kind) -> Section {
        if self.is_misordered {
            self.lines.sort_by_key(|(rank, _)| *rank);
        }
        Section::from_lines(kind, self.lines.into_iter().map(|(_, line)| line).collect())
    }
}

/// One bit for each letter of ASCII.
fn letter_bit(letter: u8) -> u64 {
    1_u64.checked_shl(u32::from(letter.wrapping_sub(b'A'))).unwrap_or(0)
}

fn trim_cr(line: &[u8]) -> &[u8] {
    let mut rest = line;
    while let [head @ .., b'\r'] = rest {
        rest = head;
    }
    rest
}

fn line_end(number: u32, bare: &[u8]) -> ParseError {
    error(ParseErrorKind::LineEnd, number, bare.len(), "one CR LF behind each line", "RFC 8866, Section 5")
}

fn misplaced(number: u32) -> ParseError {
    error(ParseErrorKind::Order, number, 0, "the lines in their order", "RFC 8866, Section 5")
}

fn repeated(number: u32) -> ParseError {
    error(ParseErrorKind::Repeated, number, 0, "no second line of this kind", "RFC 8866, Section 9")
}

fn too_large(expected: &'static str, number: u32) -> ParseError {
    error(ParseErrorKind::TooLarge, number, 0, expected, "")
}

/// An error at a byte of a line, counted from 0.
fn error(kind: ParseErrorKind, line: u32, column: usize, expected: &'static str, section: &'static str) -> ParseError {
    ParseError { kind, line, column: count(column).saturating_add(1), expected, section }
}
