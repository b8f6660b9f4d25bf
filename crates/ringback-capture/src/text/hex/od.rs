//! Dumps as `od -t x1` prints them: one blank behind an offset that may be octal, decimal or hexadecimal.

use alloc::format;
use alloc::vec::Vec;

/// How many bytes a full line has.
const LINE_BYTES: usize = 16;
/// The digits of an offset: six hexadecimal ones, seven of the others, more in a long file.
const OFFSET_DIGITS_MIN: usize = 6;

/// The same dump, line by line, with offsets that none takes for data; `None` for another text.
pub(super) fn rewritten(text: &[u8]) -> Option<Vec<u8>> {
    let mut lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
    let (first, _) = divided(lines.next()?).filter(|(_, rest)| is_pairs(rest))?;
    if !first.iter().all(|&byte| byte == b'0') {
        return None;
    }
    let (second, _) = divided(lines.next()?)?;
    let radix = [16, 8, 10].into_iter().find(|radix| value(second, *radix) == Some(LINE_BYTES))?;
    let mut whole = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let content = line.trim_ascii_end();
        match divided(content).and_then(|(offset, rest)| Some((value(offset, radix)?, rest))) {
            // The last line is the length.
            Some((offset, rest)) if rest.is_empty() || is_pairs(rest) => {
                let mark = if rest.is_empty() { "" } else { ":  " };
                whole.extend_from_slice(format!("{offset:08x}{mark}").as_bytes());
                whole.extend_from_slice(pairs(rest));
            }
            _ => whole.extend_from_slice(content),
        }
        whole.extend(line.strip_suffix(b"\n").map(|_| b'\n'));
    }
    Some(whole)
}

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
fn pairs(rest: &[u8]) -> &[u8] {
    let text = rest.iter().position(|&byte| byte == b'>').unwrap_or(rest.len());
    rest.get(..text).unwrap_or_default().trim_ascii_end()
}

fn is_pairs(rest: &[u8]) -> bool {
    let mut words = pairs(rest).split(|&byte| byte == b' ');
    words.all(|word| word.len() == 2 && word.iter().all(u8::is_ascii_hexdigit))
}
