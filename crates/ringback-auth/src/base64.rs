//! The text of a nonce: base64 with `-` and `_`, of whole groups, so without padding.

use alloc::string::String;

const ALPHABET: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Three bytes as four letters; what is left beyond a multiple of three is not written.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() / 3 * 4);
    for group in bytes.chunks_exact(3) {
        let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        for shift in [18, 12, 6, 0] {
            out.push(char::from(ALPHABET.get(bits >> shift & 63).copied().unwrap_or(b'A')));
        }
    }
    out
}

/// Exactly `N` bytes, `N` a multiple of three; `None` where the text is of another length or alphabet.
pub(crate) fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != N / 3 * 4 {
        return None;
    }
    let mut bytes = [0; N];
    for (group, letters) in bytes.chunks_exact_mut(3).zip(text.chunks_exact(4)) {
        let bits = letters.iter().try_fold(0_u32, |bits, letter| Some(bits << 6 | u32::from(value(*letter)?)))?;
        let [_, three @ ..] = bits.to_be_bytes();
        group.copy_from_slice(&three);
    }
    Some(bytes)
}

fn value(letter: u8) -> Option<u8> {
    Some(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn there_and_back() {
        assert_eq!(encode(b"Man"), "TWFu");
        assert_eq!(encode(&[0xfb, 0xff, 0xfe]), "-__-");
        for seed in 0..=255_u8 {
            let bytes: [u8; 36] =
                core::array::from_fn(|i| seed.wrapping_mul(31).wrapping_add(u8::try_from(i).unwrap()));
            assert_eq!(decode::<36>(encode(&bytes).as_bytes()), Some(bytes));
        }
    }

    #[test]
    fn nothing_else_is_read() {
        assert_eq!(decode::<3>(b"TWFu"), Some(*b"Man"));
        for bad in [&b""[..], b"TWF", b"TWFuT", b"TWF=", b"TWF ", b"TWF+", b"TWF/", b"TW\xffu"] {
            assert_eq!(decode::<3>(bad), None);
        }
    }
}
