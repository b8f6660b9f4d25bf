//! Dumps as `tshark -x` prints them, behind what `-V` tells of the fields.

use alloc::vec::Vec;

/// The text without what is told of fields, line by line; `None` where there is no dump in it.
pub(in crate::text) fn dumps_of_dissection(text: &[u8]) -> Option<Vec<u8>> {
    let mut dumps = Vec::with_capacity(text.len());
    let mut has_any = false;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let is_dump = is_dump(line);
        has_any |= is_dump;
        if is_dump || is_of_derived(line) {
            dumps.extend_from_slice(line);
        } else {
            dumps.push(b'\n');
        }
    }
    has_any.then_some(dumps)
}

/// Fields are indented, and offsets are not.
fn is_dump(line: &[u8]) -> bool {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let behind = line.get(digits..).unwrap_or_default();
    digits >= 4
        && matches!(behind, [b' ', b' ', one, two, b' ', ..] if one.is_ascii_hexdigit() && two.is_ascii_hexdigit())
}

/// Whether a line is the heading of bytes that come of several frames: `Reassembled TCP (303 bytes):`.
pub(super) fn is_of_derived(line: &[u8]) -> bool {
    line.starts_with(b"Reassembled ") && line.trim_ascii_end().ends_with(b" bytes):")
}
