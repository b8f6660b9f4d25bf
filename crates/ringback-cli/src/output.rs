//! What commands print on standard output: lines that fit a terminal, and colours where there is one.

use std::io;

use ringback_server::ExitStatus;

use crate::failure::Failure;
use crate::progress;

/// No line of text is wider, as far as words allow.
pub(crate) const WIDTH: usize = 100;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

pub(crate) fn bold(text: &str) -> String {
    format!("{BOLD}{text}{RESET}")
}

pub(crate) fn dim(text: &str) -> String {
    format!("{DIM}{text}{RESET}")
}

/// Writes it, with its colours where standard output is a terminal that shows them; that nobody reads it is no failure.
///
/// # Errors
/// Where it can't be written.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    write(&mut anstream::stdout().lock(), text.as_bytes())
}

/// The same for what goes on and on: false where nobody reads it any more.
///
/// # Errors
/// Where it can't be written.
pub(crate) fn print_on(text: &str) -> Result<bool, Failure> {
    try_write(&mut anstream::stdout().lock(), text.as_bytes())
}

/// The same for bytes in which nothing is a colour.
///
/// # Errors
/// Where they can't be written.
pub(crate) fn print_raw(bytes: &[u8]) -> Result<(), Failure> {
    write(&mut io::stdout().lock(), bytes)
}

fn write(out: &mut impl io::Write, bytes: &[u8]) -> Result<(), Failure> {
    try_write(out, bytes).map(drop)
}

fn try_write(out: &mut impl io::Write, bytes: &[u8]) -> Result<bool, Failure> {
    match progress::aside(|| out.write_all(bytes).and_then(|()| out.flush())) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::new(ExitStatus::Internal, format!("standard output: {error}"))),
    }
}

/// The text in lines that stand in columns from `indent` on; the first line goes without the indent.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    let room = WIDTH.saturating_sub(indent);
    let mut out = String::new();
    let mut column: usize = 0;
    for word in text.split_whitespace() {
        let width = columns(word);
        if column > 0 && column.saturating_add(1).saturating_add(width) > room {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column = column.saturating_add(1);
        }
        out.push_str(word);
        column = column.saturating_add(width);
    }
    out
}

/// The text and blanks behind it, so that it is so many columns wide.
pub(crate) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// How many columns of a terminal the text takes: two for a letter of Korean, Chinese or Japanese.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|c| if matches!(c, '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FF60}') { 2 } else { 1 }).sum()
}

/// The bytes as text in which nothing moves a cursor, changes a colour or turns the direction of writing.
pub(crate) fn harmless(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().map(harmless_char).collect()
}

/// A picture of a control character in its place.
pub(crate) fn harmless_char(c: char) -> char {
    match c {
        '\t' => ' ',
        '\0'..='\x1f' => char::from_u32(0x2400_u32.saturating_add(u32::from(c))).unwrap_or('\u{FFFD}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => '\u{FFFD}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit() {
        let text = "a word and 한국어 낱말 ".repeat(40);
        let lines = wrapped(&text, 20);
        assert!(lines.lines().count() > 5);
        for (i, line) in lines.lines().enumerate() {
            let width = columns(line).saturating_add(if i == 0 { 20 } else { 0 });
            assert!(width <= WIDTH && width > WIDTH / 2 || i + 1 == lines.lines().count(), "{width}: {line}");
        }
        assert_eq!(padded("응답", 6), "응답  ");
    }

    #[test]
    fn nothing_harmful_is_shown() {
        assert_eq!(harmless(b"a\x1b[2Jb\r\n\xff\x7f"), "a\u{241b}[2Jb\u{240d}\u{240a}\u{fffd}\u{2421}");
        assert_eq!(harmless("x\u{202e}y\u{9b}".as_bytes()), "x\u{fffd}y\u{fffd}");
    }
}
