//! WebSocket from a client's side (RFC 6455): text frames out, masked; whole unmasked frames in.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use crate::Fault;

/// The key and its answer of the RFC's own example: nothing here is a secret.
pub(super) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(super) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Zeros would do for any server that unmasks; these show that it does.
const MASK: [u8; 4] = [0x5a, 0x0f, 0xc3, 0x96];

const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// What a server has sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Message(Bytes),
    Ping(Bytes),
    Pong,
    Close,
}

pub(super) fn write_text(payload: &[u8], out: &mut BytesMut) {
    write(TEXT, payload, out);
}

pub(super) fn write_pong(payload: &[u8], out: &mut BytesMut) {
    write(PONG, payload, out);
}

fn write(opcode: u8, payload: &[u8], out: &mut BytesMut) {
    const MASKED: u8 = 0x80;
    out.put_u8(0x80 | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ 0..=125), _) => out.put_u8(MASKED | short),
        (_, Ok(medium)) => {
            out.put_u8(MASKED | 126);
            out.put_u16(medium);
        }
        _ => {
            out.put_u8(MASKED | 127);
            out.put_u64(u64::try_from(payload.len()).unwrap_or(u64::MAX));
        }
    }
    out.put_slice(&MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// The next frame, where all of it is there.
pub(super) fn read(bytes: &mut BytesMut) -> Result<Option<Frame>, Fault> {
    let (Some(&first), Some(&second)) = (bytes.first(), bytes.get(1)) else { return Ok(None) };
    if first & 0xf0 != 0x80 || second & 0x80 != 0 {
        return Err(format!("a frame begins with {first:02x} {second:02x}: in parts, masked, or with an extension"));
    }
    let length_bytes = match second {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some(digits) = bytes.get(2..2 + length_bytes) else { return Ok(None) };
    let long = digits.iter().fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit));
    let length = if length_bytes == 0 { usize::from(second) } else { long };
    if bytes.len() - 2 - length_bytes < length {
        return Ok(None);
    }
    bytes.advance(2 + length_bytes);
    let payload = bytes.split_to(length).freeze();
    match first & 0x0f {
        TEXT | BINARY => Ok(Some(Frame::Message(payload))),
        CLOSE => Ok(Some(Frame::Close)),
        PING => Ok(Some(Frame::Ping(payload))),
        PONG => Ok(Some(Frame::Pong)),
        other => Err(format!("a frame of the unknown kind {other:x}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn frames_of_each_length_are_written_as_the_rfc_has_them() {
        for (length, head) in [(5, 6), (125, 6), (126, 8), (65_535, 8), (65_536, 14)] {
            let payload = vec![b'x'; length];
            let mut out = BytesMut::new();
            write_text(&payload, &mut out);
            assert_eq!(out.len(), head + length);
            let body: Vec<u8> =
                out.split_off(head).iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
            assert_eq!(body, payload);
        }
    }

    #[test]
    fn frames_are_read_when_they_are_whole() {
        let mut long = vec![0x82, 126, 1, 0];
        long.extend([7; 256]);
        for (bytes, frame) in [
            (vec![0x81, 2, b'h', b'i'], Frame::Message(Bytes::from_static(b"hi"))),
            (long, Frame::Message(Bytes::from(vec![7; 256]))),
            (vec![0x89, 1, b'?'], Frame::Ping(Bytes::from_static(b"?"))),
            (vec![0x88, 0], Frame::Close),
        ] {
            let mut buffer = BytesMut::new();
            for (n, byte) in bytes.iter().enumerate() {
                assert_eq!(read(&mut buffer).unwrap(), None, "{n}");
                buffer.put_u8(*byte);
            }
            assert_eq!(read(&mut buffer).unwrap(), Some(frame));
            assert!(buffer.is_empty());
        }
        for bad in [[0x01, 0], [0x81, 0x80], [0x83, 0]] {
            assert!(read(&mut BytesMut::from(&bad[..])).is_err(), "{bad:?}");
        }
    }
}
