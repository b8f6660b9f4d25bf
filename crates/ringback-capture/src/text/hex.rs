//! Hexadecimal digits, with or without offsets and a column of text.

mod od;
mod tshark;

use alloc::vec::Vec;

use super::TEXT_BYTES_MAX;
pub(super) use tshark::dumps_of_dissection;

/// How many lines are looked at to say that a text is a dump.
const LINES_LOOKED_AT: usize = 256;
/// The fewest bytes of a dump: a word may look like one.
const BYTES_MIN: usize = 16;
/// The most bytes of one line behind an offset.
const COLUMNS_MAX: usize = 64;
/// The most bytes that stars stand for, which say that lines repeat.
const REPEATED_BYTES_MAX: usize = 1_048_576;

/// A dump, read block by block: what begins at offset 0, or behind something that is no digits.
#[derive(Debug)]
pub(super) struct Hex {
    text: Vec<u8>,
    at: usize,
    line: u64,
    repeated: usize,
}

/// The bytes of a block, and the line that it begins on.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    pub(super) line: u64,
    /// Whether a tool put it together of frames, which may have been printed as well.
    pub(super) is_derived: bool,
}

/// What a line of a dump is.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Empty,
    Bytes { offset: Option<usize>, bytes: Vec<u8> },
    Repeat,
    Other,
}

impl Hex {
    /// Whether a text is a dump.
    pub(super) fn is_it(text: &[u8]) -> bool {
        if od::rewritten(text).is_some() {
            return true;
        }
        let (mut dump_lines, mut others, mut bytes_seen) = (0_usize, 0_usize, 0_usize);
        let (mut expected, mut is_repeating) = (0_usize, false);
        for line in text.split(|&byte| byte == b'\n').take(LINES_LOOKED_AT) {
            match read(line, expected, is_repeating) {
                Line::Bytes { offset, bytes } => {
                    dump_lines = dump_lines.saturating_add(1);
                    bytes_seen = bytes_seen.saturating_add(bytes.len());
                    expected = offset.unwrap_or(expected).saturating_add(bytes.len());
                    is_repeating = false;
                }
                Line::Repeat => is_repeating = true,
                Line::Empty => {}
                Line::Other => others = others.saturating_add(1),
            }
        }
        bytes_seen >= BYTES_MIN && dump_lines >= others
    }

    pub(super) fn new(text: Vec<u8>) -> Hex {
        let text = od::rewritten(&text).unwrap_or(text);
        Hex { text, at: 0, line: 1, repeated: 0 }
    }

    pub(super) fn next_block(&mut self) -> Option<Block> {
        let mut block = Block { bytes: Vec::new(), line: self.line, is_derived: false };
        let mut is_repeating = false;
        while let Some(rest) = self.text.get(self.at..).filter(|rest| !rest.is_empty()) {
            let length = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |at| at.saturating_add(1));
            let line = rest.get(..length).unwrap_or_default();
            match read(line, block.bytes.len(), is_repeating) {
                Line::Bytes { offset: Some(0), .. } if !block.bytes.is_empty() => return Some(block),
                Line::Bytes { offset, bytes } => {
                    if block.bytes.is_empty() {
                        block.line = self.line;
                    }
                    if let Some(offset) = offset {
                        self.align(&mut block.bytes, offset, is_repeating);
                    }
                    is_repeating = false;
                    block.bytes.extend_from_slice(&bytes);
                }
                Line::Repeat => is_repeating = true,
                Line::Empty | Line::Other if !block.bytes.is_empty() => return Some(block),
                Line::Empty | Line::Other => block.is_derived = tshark::is_of_derived(line),
            }
            self.at = self.at.saturating_add(length);
            self.line = self.line.saturating_add(1);
        }
        if block.bytes.is_empty() { None } else { Some(block) }
    }

    /// Makes a block as long as the offset of its next line says: text that looked like digits goes, stars become lines.
    fn align(&mut self, bytes: &mut Vec<u8>, offset: usize, is_repeating: bool) {
        bytes.truncate(offset);
        let wanted = offset.saturating_sub(bytes.len());
        let left = REPEATED_BYTES_MAX.saturating_sub(self.repeated);
        if !is_repeating || wanted > left || offset > TEXT_BYTES_MAX {
            return;
        }
        self.repeated = self.repeated.saturating_add(wanted);
        let begin = bytes.len().saturating_sub(16);
        let pattern: Vec<u8> = bytes.get(begin..).unwrap_or_default().to_vec();
        bytes.extend(pattern.into_iter().cycle().take(wanted));
    }
}

/// Reads a line where `expected` bytes came before it, or more where some of them repeat.
fn read(line: &[u8], expected: usize, is_repeating: bool) -> Line {
    let line = line.trim_ascii();
    match line {
        [] => return Line::Empty,
        b"*" => return Line::Repeat,
        _ => {}
    }
    if let Some((offset, rest)) = offset(line, |value| value == expected || is_repeating && value > expected) {
        return Line::Bytes { offset: Some(offset), bytes: columns(rest) };
    }
    match plain(line) {
        Some(bytes) => Line::Bytes { offset: None, bytes },
        None => Line::Other,
    }
}

/// An offset in front of the digits, and what stands behind it.
fn offset(line: &[u8], is_expected: impl Fn(usize) -> bool) -> Option<(usize, &[u8])> {
    let digits = line.strip_prefix(b"0x").unwrap_or(line);
    let count = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (word, rest) = digits.split_at_checked(count).filter(|_| (3..=16).contains(&count))?;
    let value = usize::from_str_radix(core::str::from_utf8(word).ok()?, 16).ok()?;
    match rest {
        [b':', rest @ ..] if rest.first().is_none_or(u8::is_ascii_whitespace) => Some((value, rest)),
        // Without a colon it may be data, unless it is just what an offset would be.
        [b' ', b' ', ..] | [b'\t', ..] if is_expected(value) || value == 0 => Some((value, rest)),
        // The end of a dump: its length alone.
        [] if is_expected(value) && value > 0 && count >= 7 => Some((value, rest)),
        _ => None,
    }
}

/// Digits up to the column of text.
fn columns(rest: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = rest.trim_ascii_start();
    while bytes.len() < COLUMNS_MAX {
        let count = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let Some((word, behind)) = rest.split_at_checked(count) else { break };
        let gap = behind.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let is_word = count > 0 && count.is_multiple_of(2) && count <= 32 && (gap > 0 || behind.is_empty());
        if !is_word {
            break;
        }
        push_pairs(word, &mut bytes);
        // Two blanks stand before the text, but also between the halves of a line of single bytes.
        let is_middle = gap == 2 && count == 2 && bytes.len() == 8;
        if gap != 1 && !is_middle {
            break;
        }
        rest = behind.get(gap..).unwrap_or_default();
    }
    bytes
}

/// A line of nothing but digits, in pairs or longer words, between blanks or colons.
fn plain(line: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let line = line.strip_prefix(b"0x").unwrap_or(line);
    for word in line.split(|&byte| matches!(byte, b' ' | b'\t' | b':')).filter(|word| !word.is_empty()) {
        if !word.len().is_multiple_of(2) || !word.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        push_pairs(word, &mut bytes);
    }
    Some(bytes).filter(|bytes| !bytes.is_empty())
}

fn push_pairs(digits: &[u8], bytes: &mut Vec<u8>) {
    for pair in digits.chunks_exact(2) {
        let value = core::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.extend(value);
    }
}
