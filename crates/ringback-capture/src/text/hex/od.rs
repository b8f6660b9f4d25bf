//! Dumps as `od` prints them: one blank behind an offset that may be octal, decimal or hexadecimal, and behind it bytes (`-t x1`) or
//! words of two bytes (`-x`), which have the order of the machine.

use alloc::format;
use alloc::vec::Vec;

use crate::reader::Reader;
use crate::{link, sip};

/// How many bytes a full line has.
const LINE_BYTES: usize = 16;
/// The digits of an offset: six hexadecimal ones, seven of the others, more in a long file.
const OFFSET_DIGITS_MIN: usize = 6;

/// The same dump, line by line, with offsets that none takes for data; `None` for another text.
pub(super) fn rewritten(text: &[u8]) -> Option<Vec<u8>> {
    let mut lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
    let (first, rest) = divided(lines.next()?)?;
    let digits = [2, 4].into_iter().find(|digits| is_words(rest, *digits))?;
    if !first.iter().all(|&byte| byte == b'0') {
        return None;
    }
    let (second, _) = divided(lines.next()?)?;
    let radix = [16, 8, 10].into_iter().find(|radix| value(second, *radix) == Some(LINE_BYTES))?;
    let dump = Dump { text, radix, digits };
    // Of words that are nothing known either way, most come of machines with the low byte first.
    let is_swapped = digits > 2 && (dump.is_known(true) || !dump.is_known(false));
    Some(dump.rewritten(is_swapped))
}

/// How many lines are looked at to tell the order of bytes: as many as a start line takes.
const LINES_LOOKED_AT: usize = 64;

struct Dump<'a> {
    text: &'a [u8],
    radix: u32,
    /// Of a word.
    digits: usize,
}

impl Dump<'_> {
    /// Whether its bytes are a message, a capture or a frame.
    fn is_known(&self, is_swapped: bool) -> bool {
        let mut digits = Vec::new();
        for line in self.text.split(|&byte| byte == b'\n').take(LINES_LOOKED_AT) {
            if let Some((_, rest)) = divided(line.trim_ascii_end()).filter(|(_, rest)| is_words(rest, self.digits)) {
                push_words(words(rest), is_swapped, &mut digits);
            }
        }
        let bytes = super::plain(&digits).unwrap_or_default();
        sip::is_message(&bytes) || Reader::is_capture(&bytes) || link::guess(&bytes).is_some()
    }

    fn rewritten(&self, is_swapped: bool) -> Vec<u8> {
        let mut whole = Vec::with_capacity(self.text.len().saturating_mul(2));
        let (mut end, mut written) = (0_usize, 0_usize);
        for line in self.text.split_inclusive(|&byte| byte == b'\n') {
            let content = line.trim_ascii_end();
            match divided(content).and_then(|(offset, rest)| Some((value(offset, self.radix)?, rest))) {
                // The last line is the length.
                Some((offset, [])) => {
                    // An odd byte is filled up to a word.
                    if offset.checked_add(1) == Some(end) {
                        whole.truncate(written.saturating_sub(PAIR_LEN));
                        whole.push(b'\n');
                    }
                    whole.extend_from_slice(format!("{offset:08x}").as_bytes());
                }
                Some((offset, rest)) if is_words(rest, self.digits) => {
                    whole.extend_from_slice(format!("{offset:08x}:  ").as_bytes());
                    let digits = push_words(words(rest), is_swapped, &mut whole);
                    (end, written) = (offset.saturating_add(digits.div_euclid(2)), whole.len());
                }
                _ => whole.extend_from_slice(content),
            }
            whole.extend(line.strip_suffix(b"\n").map(|_| b'\n'));
        }
        whole
    }
}

/// Two digits and a blank.
const PAIR_LEN: usize = 3;

/// An offset, and what stands behind the one blank.
fn divided(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (offset, rest) = line.split_at_checked(digits).filter(|_| digits >= OFFSET_DIGITS_MIN)?;
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(b" ")? };
    Some((offset, rest))
}

fn value(digits: &[u8], radix: u32) -> Option<usize> {
    usize::from_str_radix(core::str::from_utf8(digits).ok()?, radix).ok()
}

/// Without the column of text.
fn words(rest: &[u8]) -> &[u8] {
    let text = rest.iter().position(|&byte| byte == b'>').unwrap_or(rest.len());
    rest.get(..text).unwrap_or_default().trim_ascii()
}

fn is_words(rest: &[u8], digits: usize) -> bool {
    let mut words = words(rest).split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    words.all(|word| word.len() == digits && word.iter().all(u8::is_ascii_hexdigit))
}

/// Writes pairs of digits, each with a blank behind it, and tells how many digits those are.
fn push_words(words: &[u8], is_swapped: bool, whole: &mut Vec<u8>) -> usize {
    let mut count = 0_usize;
    for word in words.split(|&byte| byte == b' ').filter(|word| !word.is_empty()) {
        let (first, second) = word.split_at_checked(2).unwrap_or((word, &[]));
        let pairs = if is_swapped { [second, first] } else { [first, second] };
        for pair in pairs.into_iter().filter(|pair| !pair.is_empty()) {
            whole.extend_from_slice(pair);
            whole.push(b' ');
        }
        count = count.saturating_add(word.len());
    }
    count
}
