//! Header fields without a message around them: of a part, and of a fragment.

use bytes::Bytes;

use crate::chars;
use crate::error::{ParseError, ParseErrorKind};
use crate::header::HeaderId;
use crate::message::{Line, Lines, Message, StartLine};
use crate::parse::{HEADER_LINES_MAX, HEADER_NAME_BYTES_MAX};

/// The header fields of `text`, which starts at `offset`, and where what follows their empty line starts: at the end where there is none.
///
/// Lines end in CRLF, but for the last one if nothing follows it. A fold goes on with the line before it.
pub(super) fn header_fields(text: &[u8], offset: usize, section: &'static str) -> Result<(Lines, usize), ParseError> {
    let mut lines = Lines::new();
    let mut start = 0_usize;
    for end in memchr::memmem::find_iter(text, b"\r\n").chain([text.len()]) {
        if end < start || start == text.len() {
            break;
        }
        let line = text.get(start..end).unwrap_or_default();
        let at = offset.saturating_add(start);
        start = end.saturating_add(2).min(text.len());
        if line.is_empty() {
            break;
        }
        add(&mut lines, line, at, section)?;
    }
    Ok((lines, offset.saturating_add(start)))
}

/// Header fields that were read, as the message that they would be in.
pub(super) fn entity(buf: Bytes, start: StartLine, lines: Lines, body_start: usize) -> Message {
    Message { start, lines, body_start: u32_of(body_start), ..Message::unread(buf) }
}

/// A line that a header field can be: a token, and a colon behind it.
pub(super) fn is_header_line(line: &[u8]) -> bool {
    memchr::memchr(b':', line).is_some_and(|colon| chars::is_token(chars::trim(line.get(..colon).unwrap_or_default())))
}

fn add(lines: &mut Lines, line: &[u8], at: usize, section: &'static str) -> Result<(), ParseError> {
    if let Some(byte) = memchr::memchr3(b'\r', b'\n', 0, line) {
        return Err(defect(
            ParseErrorKind::HeaderLine,
            at.saturating_add(byte),
            "no CR, LF or NUL in a header field",
            section,
        ));
    }
    let is_fold = matches!(line, [b' ' | b'\t', ..]);
    let colon = if is_fold { None } else { memchr::memchr(b':', line) };
    let value_from = colon.map_or(0, |colon| colon.saturating_add(1));
    let value = line.get(value_from..).unwrap_or_default();
    let before = value.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let start = at.saturating_add(value_from).saturating_add(before);
    let value_len = chars::trim(value).len();
    let (value_start, value_end) = (place(start, section)?, place(start.saturating_add(value_len), section)?);
    if is_fold {
        let Some(last) = lines.last_mut() else {
            return Err(defect(ParseErrorKind::HeaderLine, at, "a header name", section));
        };
        if value_len > 0 {
            last.value_start = if last.value_start == last.value_end { value_start } else { last.value_start };
            last.value_end = value_end;
        }
        return Ok(());
    }
    let name = chars::trim(line.get(..colon.unwrap_or(0)).unwrap_or_default());
    let name_len = match u16::try_from(name.len()) {
        Ok(len) if name.len() <= HEADER_NAME_BYTES_MAX && chars::is_token(name) => len,
        _ => return Err(defect(ParseErrorKind::HeaderLine, at, "a header name and a colon", section)),
    };
    if lines.len() >= HEADER_LINES_MAX {
        return Err(defect(ParseErrorKind::TooLarge, at, "at most 512 header fields", section));
    }
    let name_start = place(at, section)?;
    lines.push(Line { name_start, value_start, value_end, name_len, id: HeaderId::from_name(name) });
    Ok(())
}

/// A place in a message as its lines hold it.
fn place<N: TryFrom<usize>>(at: usize, section: &'static str) -> Result<N, ParseError> {
    N::try_from(at).map_err(|_| defect(ParseErrorKind::TooLarge, at, "a place in the longest message", section))
}

pub(super) fn defect(kind: ParseErrorKind, at: usize, expected: &'static str, section: &'static str) -> ParseError {
    ParseError { kind, header: None, offset: u32_of(at), expected, section }
}

pub(super) fn u32_of(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
