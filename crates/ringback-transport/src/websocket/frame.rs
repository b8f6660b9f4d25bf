//! One frame: its head, its mask. (RFC 6455)
//!
//! ```text
//!   FIN RSV1-3 opcode(4) │ MASK length(7) │ length(16 or 64), where 7 bits are not enough │ masking key(32), where MASK is set │ payload
//! ```

use alloc::vec::Vec;

use super::close::CloseCode;

/// The longest payload of a control frame.
pub(super) const CONTROL_BYTES: usize = 125;

/// The length of a head at its longest.
const HEAD_BYTES: usize = 14;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0f;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;
/// In the place of a length: it follows in two bytes, or in eight.
const LENGTH_IN_2: u8 = 126;
const LENGTH_IN_8: u8 = 127;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// The head of a frame that may be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) is_final: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: Option<[u8; 4]>,
    /// How long the head is.
    pub(super) bytes: usize,
    /// How long its payload is; what no memory could hold is `usize::MAX`.
    pub(super) payload_bytes: usize,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Opcode> {
        Some(match bits {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return None,
        })
    }

    fn bits(self) -> u8 {
        match self {
            Opcode::Continuation => 0,
            Opcode::Text => 1,
            Opcode::Binary => 2,
            Opcode::Close => 8,
            Opcode::Ping => 9,
            Opcode::Pong => 10,
        }
    }

    pub(super) fn is_control(self) -> bool {
        matches!(self, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }
}

impl Head {
    /// The head that these bytes begin with; `None` where it isn't whole yet. What can't be allowed is refused as soon as it is seen.
    ///
    /// `from_client`: whether a client sent it. All that a client sends is masked, and nothing that a server does.
    pub(super) fn read(bytes: &[u8], from_client: bool) -> Result<Option<Head>, CloseCode> {
        let Some((&[first, second], rest)) = bytes.split_first_chunk::<2>() else { return Ok(None) };
        let opcode = Opcode::from_bits(first & OPCODE).ok_or(CloseCode::PROTOCOL_ERROR)?;
        let (is_final, is_masked) = (first & FIN != 0, second & MASKED != 0);
        let short = second & LENGTH;
        // Reserved bits belong to extensions, and none was agreed on.
        let is_wrong = first & RESERVED != 0 || is_masked != from_client;
        if is_wrong || (opcode.is_control() && (!is_final || usize::from(short) > CONTROL_BYTES)) {
            return Err(CloseCode::PROTOCOL_ERROR);
        }
        let (length, rest) = match short {
            LENGTH_IN_2 => {
                let Some((length, rest)) = rest.split_first_chunk::<2>() else { return Ok(None) };
                (u64::from(u16::from_be_bytes(*length)), rest)
            }
            LENGTH_IN_8 => {
                let Some((length, rest)) = rest.split_first_chunk::<8>() else { return Ok(None) };
                (u64::from_be_bytes(*length), rest)
            }
            short => (u64::from(short), rest),
        };
        // A length is written in as few bytes as it needs, and its highest bit is 0.
        let fits = match short {
            LENGTH_IN_2 => length > u64::from(LENGTH_IN_2 - 1),
            LENGTH_IN_8 => length > u64::from(u16::MAX) && length >> 63 == 0,
            _ => true,
        };
        if !fits {
            return Err(CloseCode::PROTOCOL_ERROR);
        }
        let (mask, rest) = match (is_masked, rest.split_first_chunk::<4>()) {
            (false, _) => (None, rest),
            (true, None) => return Ok(None),
            (true, Some((mask, rest))) => (Some(*mask), rest),
        };
        let head_bytes = bytes.len().saturating_sub(rest.len());
        let payload_bytes = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(Some(Head { is_final, opcode, mask, bytes: head_bytes, payload_bytes }))
    }
}

/// The head of a frame that is a message of its own.
pub(super) fn head(opcode: Opcode, payload_bytes: usize, mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    head.push(FIN | opcode.bits());
    let masked = if mask.is_some() { MASKED } else { 0 };
    match (u8::try_from(payload_bytes), u16::try_from(payload_bytes)) {
        (Ok(length), _) if length < LENGTH_IN_2 => head.push(masked | length),
        (_, Ok(length)) => {
            head.push(masked | LENGTH_IN_2);
            head.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            head.push(masked | LENGTH_IN_8);
            head.extend_from_slice(&u64::try_from(payload_bytes).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    head.extend_from_slice(mask.as_ref().map_or(&[], |mask| &mask[..]));
    head
}

/// A whole frame.
pub(super) fn frame(opcode: Opcode, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut frame = head(opcode, payload.len(), mask);
    let at = frame.len();
    frame.extend_from_slice(payload);
    apply_mask(frame.get_mut(at..).unwrap_or_default(), mask);
    frame
}

/// Puts a mask on, or takes it off: that is the same.
pub(super) fn apply_mask(payload: &mut [u8], mask: Option<[u8; 4]>) {
    let Some(mask) = mask else { return };
    for chunk in payload.chunks_mut(mask.len()) {
        chunk.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    const MASK: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);

    /// The examples that RFC 6455 gives of frames.
    #[test]
    fn frames_that_are_published() {
        assert_eq!(frame(Opcode::Text, b"Hello", None), b"\x81\x05Hello");
        assert_eq!(frame(Opcode::Text, b"Hello", MASK), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
        assert_eq!(frame(Opcode::Ping, b"Hello", None), b"\x89\x05Hello");
        assert_eq!(frame(Opcode::Pong, b"Hello", MASK), b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
        assert_eq!(head(Opcode::Binary, 256, None), b"\x82\x7e\x01\x00");
        assert_eq!(head(Opcode::Binary, 65_536, None), b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00");
    }

    #[test]
    fn each_head_is_read_as_it_was_written_and_never_before_it_is_whole() {
        for opcode in [Opcode::Text, Opcode::Binary, Opcode::Continuation, Opcode::Ping, Opcode::Pong, Opcode::Close] {
            for payload_bytes in [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20] {
                if opcode.is_control() && payload_bytes > CONTROL_BYTES {
                    continue;
                }
                for mask in [None, MASK] {
                    let written = head(opcode, payload_bytes, mask);
                    for cut in 0..written.len() {
                        assert_eq!(Head::read(&written[..cut], mask.is_some()), Ok(None));
                    }
                    let read = Head { is_final: true, opcode, mask, bytes: written.len(), payload_bytes };
                    assert_eq!(Head::read(&written, mask.is_some()), Ok(Some(read)));
                    assert_eq!(Head::read(&written, mask.is_none()), Err(CloseCode::PROTOCOL_ERROR));
                }
            }
        }
    }

    #[test]
    fn heads_that_nobody_may_send() {
        for head in [
            &b"\xc1\x00"[..],
            b"\xa1\x00",
            b"\x91\x00",
            b"\x83\x00",
            b"\x87\x00",
            b"\x8b\x00",
            b"\x8f\x00",
            // Control frames in pieces, or too long.
            b"\x09\x00",
            b"\x08\x00",
            b"\x89\x7e",
            b"\x8a\x7f",
            // Lengths in more bytes than they need, and one that is negative.
            b"\x81\x7e\x00\x7d",
            b"\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff",
            b"\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00",
        ] {
            assert_eq!(Head::read(head, false), Err(CloseCode::PROTOCOL_ERROR), "{head:x?}");
        }
    }
}
