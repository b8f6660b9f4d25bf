//! WebSocket frames with SIP in them. (RFC 6455), `[RFC 7118, Section 5]`

use alloc::vec::Vec;

use bytes::Bytes;
use ringback_message::MESSAGE_BYTES_MAX;

use crate::cursor::Cursor;
use crate::packet::{Carrier, Ends, Origin, Sink, What};
use crate::sip::{self, Start, Taken};

/// What one direction has of a message.
#[derive(Debug, Default)]
pub(crate) struct WebSocket {
    /// Bytes of a frame that is passed over.
    pub(crate) skip: u64,
    message: Vec<u8>,
    /// Where the message in `message` came from, if one has begun.
    origin: Option<Origin>,
}

/// The head of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    is_final: bool,
    /// Bits of extensions.
    is_extended: bool,
    opcode: u8,
    mask: [u8; 4],
    pub(crate) head_bytes: usize,
    pub(crate) payload_bytes: u64,
}

impl Head {
    /// `None` where the frame's head isn't whole.
    pub(crate) fn read(bytes: &[u8]) -> Option<Head> {
        let mut cursor = Cursor::new(bytes);
        let [first, second] = cursor.array()?;
        let payload_bytes = match second & 0x7f {
            126 => u64::from(cursor.u16()?),
            127 => cursor.array().map(u64::from_be_bytes)?,
            short => u64::from(short),
        };
        let mask = if second & 0x80 == 0 { [0; 4] } else { cursor.array()? };
        Some(Head {
            is_final: first & 0x80 != 0,
            is_extended: first & 0x70 != 0,
            opcode: first & 0x0f,
            mask,
            head_bytes: bytes.len().saturating_sub(cursor.rest.len()),
            payload_bytes,
        })
    }

    /// The length of the frame where its payload is to be read, or `None` where it is to be passed over.
    pub(crate) fn length(&self) -> Option<usize> {
        let payload = usize::try_from(self.payload_bytes).ok().filter(|bytes| *bytes <= MESSAGE_BYTES_MAX)?;
        let is_data = self.opcode <= 2 && !self.is_extended;
        is_data.then(|| self.head_bytes.saturating_add(payload))
    }

    fn unmasked(&self, payload: &[u8]) -> impl Iterator<Item = u8> {
        let mask = self.mask.into_iter().cycle();
        payload.iter().copied().zip(mask).map(|(byte, mask)| byte ^ mask)
    }
}

impl WebSocket {
    pub(crate) fn held(&self) -> usize {
        self.message.len()
    }

    /// A frame that isn't read.
    pub(crate) fn pass(&mut self, head: &Head, frame: u64, sink: &mut Sink) {
        self.skip = head.payload_bytes;
        let is_control = head.opcode >= 8;
        if head.is_extended {
            sink.note(frame, What::WebSocketExtension);
        } else if !is_control {
            sink.note(frame, What::Limit("MESSAGE_BYTES_MAX"));
        }
        if !is_control {
            self.origin = None;
            self.message = Vec::new();
        }
    }

    /// A frame of text or bytes, or one that goes on with them.
    pub(crate) fn frame(&mut self, head: &Head, payload: &[u8], origin: Origin, ends: Ends, sink: &mut Sink) {
        if head.opcode == 0 {
            let Some(begun) = self.origin else { return };
            self.origin = Some(begun.join(origin));
        } else {
            self.message.clear();
            self.origin = Some(origin);
        }
        if self.message.len().saturating_add(payload.len()) > MESSAGE_BYTES_MAX {
            sink.note(origin.frames.last, What::Limit("MESSAGE_BYTES_MAX"));
            self.origin = None;
            self.message = Vec::new();
            return;
        }
        self.message.extend(head.unmasked(payload));
        if head.is_final
            && let Some(origin) = self.origin.take()
        {
            let message = core::mem::take(&mut self.message);
            if sip::is_message(&message) {
                sink.packet(ends, Carrier::WebSocket, origin, Bytes::from(message), false);
            }
        }
    }
}

/// Whether a segment begins with a frame that begins with a message.
pub(crate) fn begins_with_sip(segment: &[u8]) -> bool {
    let Some(head) = Head::read(segment).filter(|head| matches!(head.opcode, 1 | 2)) else { return false };
    let Some(payload) = head.length().and_then(|length| segment.get(head.head_bytes..length)) else { return false };
    let payload: Vec<u8> = head.unmasked(payload).collect();
    sip::start(&payload, 0, Taken::Strictly) == Start::Yes
}

/// Whether the head of an HTTP message changes to WebSocket. (RFC 6455)
pub(crate) fn is_upgrade_head(head: &[u8]) -> bool {
    head.split(|&byte| byte == b'\n').any(|line| {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { return false };
        let (name, value) = line.split_at(colon);
        name.trim_ascii().eq_ignore_ascii_case(b"upgrade")
            && value.windows(9).any(|word| word.eq_ignore_ascii_case(b"websocket"))
    })
}
