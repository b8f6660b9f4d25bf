//! What loggers and terminals do to line ends, undone.

use alloc::vec::Vec;

/// A line end that a log had written as an escape: it ends a line of a message and not one of the text.
pub(super) const LINE_END: u8 = 0x1e;

/// The text with plain line ends, without colours, and with escapes undone in lines that hold a whole message.
pub(super) fn plain(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let (line, end) = match line.strip_suffix(b"\n") {
            Some(line) => (line, &b"\n"[..]),
            None => (line, &b""[..]),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.strip_suffix(b"^M").unwrap_or(line);
        if !holds(line, b"SIP/2.0") {
            without_colours(line, &mut plain);
        } else if holds(line, b"\\n") {
            unescape(line, &mut plain);
        } else if holds(line, b"#012") {
            undo_syslog(line, &mut plain);
        } else {
            without_colours(line, &mut plain);
        }
        plain.extend_from_slice(end);
    }
    plain
}

fn holds(line: &[u8], word: &[u8]) -> bool {
    line.windows(word.len()).any(|window| window == word)
}

/// Escape sequences of terminals go: ESC, a bracket, and all up to a letter. A lone CR is the end of a line.
fn without_colours(line: &[u8], plain: &mut Vec<u8>) {
    let mut rest = line;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind) {
            (0x1b, [b'[', sequence @ ..]) => {
                let length = sequence.iter().position(|byte| (0x40..=0x7e).contains(byte));
                rest = sequence.get(length.map_or(sequence.len(), |length| length.saturating_add(1))..).unwrap_or(&[]);
            }
            (b'\r', _) => plain.push(LINE_END),
            _ => plain.push(byte),
        }
    }
}

/// As strings of JSON and of most languages have it. The string ends the message.
fn unescape(line: &[u8], plain: &mut Vec<u8>) {
    let mut rest = line;
    while let Some((&byte, behind)) = rest.split_first() {
        let (put, length) = match (byte, behind.first()) {
            (b'\\', Some(b'n')) => (Some(LINE_END), 1),
            (b'\\', Some(b'r')) => (None, 1),
            (b'\\', Some(b't')) => (Some(b'\t'), 1),
            (b'\\', Some(escaped @ (b'\\' | b'"' | b'\'' | b'/'))) => (Some(*escaped), 1),
            _ => (Some(byte), 0),
        };
        plain.extend(put);
        rest = behind.get(length..).unwrap_or_default();
    }
}

/// A syslog daemon writes control characters as their octal numbers.
fn undo_syslog(line: &[u8], plain: &mut Vec<u8>) {
    let mut rest = line;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = match rest.split_first_chunk() {
            Some((b"#012", behind)) => {
                plain.push(LINE_END);
                behind
            }
            Some((b"#015", behind)) => behind,
            _ => {
                plain.push(byte);
                behind
            }
        };
    }
}
