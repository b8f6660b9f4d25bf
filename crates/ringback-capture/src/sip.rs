//! What a SIP message looks like from outside: enough to tell it from other traffic, and where it ends.

use bytes::Bytes;
use ringback_message::{HeaderId, MESSAGE_BYTES_MAX, Message};

/// The longest word that a message may begin with: no method is half as long.
const FIRST_WORD_BYTES_MAX: usize = 64;

/// Whether bytes begin a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Yes,
    No,
    /// More bytes must be seen.
    More,
}

/// What is taken for a start line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Where a message is expected: whatever names a version. What is wrong with it, others tell.
    Loosely,
    /// Where anything may stand: two words before the version, or the version and a code.
    Strictly,
}

/// Looks at the first line of `bytes`, which don't begin with a line end.
///
/// `seen` of them hold no line feed, as was found before.
pub(crate) fn start(bytes: &[u8], seen: usize, taken: Taken) -> Start {
    let word = bytes.iter().take(FIRST_WORD_BYTES_MAX).take_while(|&&byte| is_token(byte) || byte == b'/').count();
    match bytes.get(word) {
        None if word < FIRST_WORD_BYTES_MAX => return Start::More,
        Some(b' ' | b'\t') if word > 0 => {}
        _ => return Start::No,
    }
    let unseen = bytes.get(seen..).unwrap_or_default();
    match unseen.iter().position(|&byte| byte == b'\n') {
        Some(at) => {
            let line = bytes.get(..seen.saturating_add(at)).unwrap_or_default();
            if is_start_line(line, taken) { Start::Yes } else { Start::No }
        }
        None if bytes.len() > MESSAGE_BYTES_MAX => Start::No,
        None => Start::More,
    }
}

/// Whether a whole datagram is a message; its start line may lack a line end.
pub(crate) fn is_message(datagram: &[u8]) -> bool {
    let datagram = without_line_ends(datagram);
    match start(datagram, 0, Taken::Loosely) {
        Start::Yes => true,
        Start::No => false,
        Start::More => is_start_line(datagram, Taken::Loosely),
    }
}

fn is_start_line(line: &[u8], taken: Taken) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    if taken == Taken::Loosely {
        return words.any(is_version);
    }
    match [words.next(), words.next(), words.next(), words.next()] {
        [Some(version), Some(code), ..] if is_version(version) => code.iter().all(u8::is_ascii_digit),
        [_, _, Some(version), None] => is_version(version),
        _ => false,
    }
}

fn is_version(word: &[u8]) -> bool {
    match word.split_at_checked(4) {
        Some((name, number)) => name.eq_ignore_ascii_case(b"SIP/") && number.first().is_some_and(u8::is_ascii_digit),
        None => false,
    }
}

/// Where a start line begins in a line of text, whatever stands in front of it; nothing may stand behind it.
pub(crate) fn start_in(line: &[u8]) -> Option<usize> {
    request_in(line.trim_ascii_end()).or_else(|| response_in(line))
}

fn request_in(line: &[u8]) -> Option<usize> {
    let before = line.strip_suffix(b"SIP/2.0")?;
    let words = before.trim_ascii_end();
    let blank = words.iter().rposition(u8::is_ascii_whitespace)?;
    let (method_end, uri) = words.split_at_checked(blank)?;
    let method_end = method_end.trim_ascii_end();
    let method = method_end.iter().rev().take_while(|&&byte| is_token(byte)).count();
    let column = method_end.len().checked_sub(method)?;
    let is_request = words.len() < before.len() && method > 0 && uri.contains(&b':');
    (is_request && begins_word(line, column)).then_some(column)
}

fn response_in(line: &[u8]) -> Option<usize> {
    let column = line
        .windows(11)
        .position(|window| window.strip_prefix(b"SIP/2.0 ").is_some_and(|code| code.iter().all(u8::is_ascii_digit)))?;
    let is_number = line.get(column.saturating_add(11)).is_none_or(u8::is_ascii_whitespace);
    (is_number && begins_word(line, column)).then_some(column)
}

fn begins_word(line: &[u8], column: usize) -> bool {
    column.checked_sub(1).and_then(|before| line.get(before)).is_none_or(|byte| b" \t>|:]\"'(=".contains(byte))
}

pub(crate) fn without_line_ends(bytes: &[u8]) -> &[u8] {
    let ends = bytes.iter().take_while(|&&byte| matches!(byte, b'\r' | b'\n')).count();
    bytes.get(ends..).unwrap_or_default()
}

/// Where the head that begins `bytes` ends, with its empty line; nothing before `seen` ends it.
pub(crate) fn head_end(bytes: &[u8], seen: usize) -> Option<usize> {
    // An empty line may have been cut anywhere: two bytes of it were perhaps seen before.
    let from = seen.saturating_sub(2);
    let unseen = bytes.get(from..)?;
    for (at, _) in unseen.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        let empty_line = match unseen.get(at.saturating_add(1)..)? {
            [b'\n', ..] => 2,
            [b'\r', b'\n', ..] => 3,
            _ => continue,
        };
        return Some(from.saturating_add(at).saturating_add(empty_line));
    }
    None
}

/// The length of the body by the head, or `None` where no usable one is given.
pub(crate) fn body_length(head: &[u8]) -> Option<usize> {
    let rejected = match Message::parse_head(Bytes::copy_from_slice(head)) {
        Ok((_, length)) => return Some(length),
        Err(rejected) => rejected,
    };
    let salvage = rejected.salvage?;
    let value = salvage.first(HeaderId::ContentLength)?.value();
    core::str::from_utf8(value).ok()?.trim().parse().ok()
}

/// `[RFC 3261, Section 25.1]`: token
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}
