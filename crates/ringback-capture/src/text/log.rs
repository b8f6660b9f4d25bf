//! Messages in logs: found by their start line, freed of what the log put around them.

mod escapes;
mod printed;

use alloc::vec::Vec;

use super::ends::{self, PastedEnds};
use crate::sip;
use escapes::{LINE_END, plain};
pub(super) use printed::is_dissection;
use printed::{is_packet_line, start_in_packet};

/// How many lines above a message may say where it came from.
const LINES_ABOVE: usize = 3;

/// A log, read message by message.
#[derive(Debug)]
pub(super) struct Log {
    text: Vec<u8>,
    at: usize,
    line: u64,
    above: [PastedEnds; LINES_ABOVE],
    /// Whether the line above tells of a packet whose bytes come next.
    is_packet_next: bool,
    /// The message above, which `tcpdump -v` prints before the bytes of its packet.
    told: Option<Vec<u8>>,
}

/// A message that was found in a log.
#[derive(Debug)]
pub(super) struct Pasted {
    pub(super) bytes: Vec<u8>,
    /// The line that it begins on.
    pub(super) line: u64,
    pub(super) ends: PastedEnds,
    pub(super) is_cut: bool,
    /// Whether it isn't what stands in the text, to the letter.
    pub(super) is_mended: bool,
}

/// What stands in front of each line of a message.
#[derive(Clone, Copy, Debug)]
enum Before<'a> {
    /// As many bytes as here, with other digits perhaps.
    Same(&'a [u8]),
    /// Whatever ends with the last of so many of these.
    Up(&'a [u8], usize),
    /// At most so many blanks or marks of a quotation.
    Blanks(usize),
}

impl Log {
    pub(super) fn new(text: &[u8]) -> Log {
        let above = [PastedEnds::default(); LINES_ABOVE];
        Log { text: plain(text), at: 0, line: 1, above, is_packet_next: false, told: None }
    }

    pub(super) fn next_message(&mut self) -> Option<Pasted> {
        loop {
            let (line, next) = line_at(&self.text, self.at)?;
            if let Some(end) = self.told.take().and_then(|told| self.end_of_again(&told)) {
                self.pass(end);
                continue;
            }
            let in_packet = self.in_packet();
            let is_told = in_packet.is_none() && self.is_packet_next;
            let found = in_packet.or_else(|| {
                let column = sip::start_in(line)?;
                Finder::begin(&self.text, line, column, next)
            });
            let Some(finder) = found else {
                self.above.rotate_left(1);
                if let Some(last) = self.above.last_mut() {
                    *last = ends::of_line(line);
                }
                self.is_packet_next = is_packet_line(line);
                self.pass(next);
                continue;
            };
            let begin = self.at;
            let (bytes, end, is_cut) = finder.read();
            // The same line may say it, in front of the message.
            let own = ends::of_line(line.get(..sip::start_in(line).unwrap_or(0)).unwrap_or_default());
            let known = self.above.iter().rev().chain([&own]).find(|ends| **ends != PastedEnds::default());
            let ends = known.copied().unwrap_or_default();
            let is_mended = self.text.get(begin..end) != Some(&bytes);
            self.told = is_told.then(|| bytes.clone());
            let pasted = Pasted { bytes, line: self.line, ends, is_cut, is_mended };
            self.above = [PastedEnds::default(); LINES_ABOVE];
            self.is_packet_next = false;
            self.pass(end);
            return Some(pasted);
        }
    }

    /// The message of a packet that was printed as text: no line of its own has its start line.
    fn in_packet(&self) -> Option<Finder<'_>> {
        if self.is_packet_next { self.of_packet() } else { None }
    }

    /// Where a packet ends that holds the message that was told of it.
    fn end_of_again(&self, told: &[u8]) -> Option<usize> {
        let (bytes, end, _) = self.of_packet()?.read();
        (bytes == told).then_some(end)
    }

    fn of_packet(&self) -> Option<Finder<'_>> {
        let start = self.at.saturating_add(start_in_packet(self.text.get(self.at..)?)?);
        let (line, next) = line_at(&self.text, start)?;
        Some(Finder { is_packet: true, ..Finder::begin(&self.text, line, 0, next)? })
    }

    fn pass(&mut self, to: usize) {
        let passed = self.text.get(self.at..to).unwrap_or_default();
        let lines = passed.iter().filter(|&&byte| byte == b'\n').count();
        self.line = self.line.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
        self.at = to;
    }
}

/// The line at a place, without its end, and where the next one begins.
fn line_at(text: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
    let length = rest.iter().position(|&byte| matches!(byte, b'\n' | LINE_END)).unwrap_or(rest.len());
    let next = at.saturating_add(length).saturating_add(1).min(text.len());
    Some((rest.get(..length)?, next))
}

fn is_header(line: &[u8]) -> bool {
    let name = line.iter().take_while(|&&byte| sip::is_token(byte)).count();
    let rest = line.get(name..).unwrap_or_default().trim_ascii_start();
    line.first().is_some_and(u8::is_ascii_alphabetic) && rest.starts_with(b":")
}

/// Frames of logs: rows of dashes and the like.
fn is_mark(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let is_row = |mark| line.len() >= 3 && line.iter().all(|&byte| byte == mark);
    [&b"<---"[..], b"--->", b"---"].iter().any(|mark| line.starts_with(mark)) || is_row(b'=') || is_row(b'*')
}

fn is_sdp(line: &[u8]) -> bool {
    matches!(line, [kind, b'=', ..] if kind.is_ascii_lowercase())
}

impl<'a> Before<'a> {
    /// By the line behind the start line, which must be a header field.
    fn of(prefix: &'a [u8], second: &[u8]) -> Option<Before<'a>> {
        let same = Before::Same(prefix);
        let mut ways = [Some(same), Before::up(prefix), Some(Before::Blanks(blanks(second)))].into_iter().flatten();
        ways.find(|way| way.strip(second).is_some_and(is_header))
    }

    fn up(prefix: &'a [u8]) -> Option<Before<'a>> {
        let delimiter = prefix.get(prefix.len().checked_sub(2)?..)?;
        let count = prefix.windows(2).filter(|pair| *pair == delimiter).count();
        Some(Before::Up(delimiter, count))
    }

    /// A line without what stands in front of it, or `None` where it doesn't belong here.
    fn strip<'b>(&self, line: &'b [u8]) -> Option<&'b [u8]> {
        if line.is_empty() {
            return Some(line);
        }
        match *self {
            Before::Same(prefix) => {
                let common = line.len().min(prefix.len());
                let (before, rest) = line.split_at_checked(common)?;
                let is_same = before.iter().zip(prefix).all(|(one, other)| {
                    one == other || (one.is_ascii_digit() || *one == b' ') && (other.is_ascii_digit() || *other == b' ')
                });
                // Blanks at the end of a line get lost.
                let is_all = prefix.get(common..).is_some_and(|lost| lost.trim_ascii().is_empty());
                if is_same && is_all { Some(rest) } else { numbered(prefix, line) }
            }
            Before::Up(delimiter, count) => {
                let places = line.windows(2).enumerate().filter(|(_, pair)| *pair == delimiter);
                match places.map(|(at, _)| at).nth(count.saturating_sub(1)) {
                    Some(at) => line.get(at.saturating_add(2)..),
                    // The empty line, without its blank.
                    None => line.ends_with(delimiter.trim_ascii_end()).then_some(&[][..]),
                }
            }
            Before::Blanks(count) => line.get(blanks(line).min(count)..),
        }
    }
}

/// A line without a prefix whose numbers have more or fewer digits here: `9:` and `10:`, or `10-` as grep marks what stands around a
/// line that it found.
fn numbered<'b>(prefix: &[u8], line: &'b [u8]) -> Option<&'b [u8]> {
    let (mut prefix, mut line) = (prefix, line);
    while let Some((&wanted, behind)) = prefix.split_first() {
        if wanted.is_ascii_digit() {
            let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (wanted, found) = (digits(prefix), digits(line));
            if found == 0 {
                return None;
            }
            (prefix, line) = (prefix.get(wanted..)?, line.get(found..)?);
            if let (Some(b':'), Some(b'-')) = (prefix.first(), line.first()) {
                (prefix, line) = (prefix.get(1..)?, line.get(1..)?);
            }
        } else {
            line = line.strip_prefix(&[wanted])?;
            prefix = behind;
        }
    }
    Some(line)
}

fn blanks(line: &[u8]) -> usize {
    line.iter().take_while(|&&byte| matches!(byte, b' ' | b'\t' | b'>' | b'|')).count()
}

/// A message on its way out of the log.
struct Finder<'a> {
    text: &'a [u8],
    before: Before<'a>,
    at: usize,
    message: Vec<u8>,
    /// Whether a line that tells of another packet ends it.
    is_packet: bool,
}

impl<'a> Finder<'a> {
    /// `None` where no header field follows: somebody wrote about a message.
    fn begin(text: &'a [u8], line: &'a [u8], column: usize, next: usize) -> Option<Finder<'a>> {
        let (prefix, start_line) = line.split_at_checked(column)?;
        let (second, _) = line_at(text, next)?;
        let before = Before::of(prefix, second)?;
        let mut finder = Finder { text, before, at: next, message: Vec::new(), is_packet: false };
        finder.push(start_line);
        Some(finder)
    }

    /// The message, where it ends in the text, and whether its body is shorter than it should be.
    fn read(mut self) -> (Vec<u8>, usize, bool) {
        let has_body = self.read_head();
        self.message.extend_from_slice(b"\r\n");
        let is_cut = has_body && self.read_body();
        (self.message, self.at, is_cut)
    }

    fn push(&mut self, line: &[u8]) {
        self.message.extend_from_slice(line);
        self.message.extend_from_slice(b"\r\n");
    }

    /// The next line that belongs to the message, and where the one behind it begins.
    fn peek(&self) -> Option<(&'a [u8], usize)> {
        let (line, next) = line_at(self.text, self.at)?;
        Some((self.before.strip(line)?, next))
    }

    /// Reads header fields; true where a body may follow.
    fn read_head(&mut self) -> bool {
        while let Some((line, next)) = self.peek() {
            if line.trim_ascii().is_empty() {
                self.at = next;
                return true;
            }
            // The empty line got lost.
            if is_sdp(line) {
                return true;
            }
            let is_folded = line.first().is_some_and(u8::is_ascii_whitespace);
            if is_mark(line) || sip::start_in(line) == Some(0) || !is_header(line) && !is_folded {
                return false;
            }
            self.push(line);
            self.at = next;
        }
        false
    }

    /// Reads the body; true where it is shorter than its length.
    fn read_body(&mut self) -> bool {
        let head = self.message.len();
        let length = sip::body_length(&self.message);
        let holds = |word: &[u8]| self.message.windows(word.len()).any(|text| text.eq_ignore_ascii_case(word));
        // A body that may itself hold messages, or rows of dashes.
        let is_open = holds(b"message/sip") || holds(b"multipart/");
        while length.is_none_or(|length| self.message.len().saturating_sub(head) < length) {
            let Some((line, next)) = self.peek() else { break };
            let is_end = match length {
                Some(_) => !is_open && (is_mark(line) || sip::start_in(line) == Some(0)),
                None => !is_sdp(line),
            };
            if is_end || self.is_packet && is_packet_line(line) {
                break;
            }
            self.push(line);
            self.at = next;
        }
        let Some(length) = length else { return false };
        let end = head.saturating_add(length);
        let is_cut = self.message.len() < end;
        self.message.truncate(end);
        is_cut
    }
}
