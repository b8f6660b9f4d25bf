//! What people paste: messages as they are, hexadecimal digits, logs.

mod ends;
mod hex;
mod log;

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::file::Tap;
use crate::packet::{Frames, Origin, Packet, What};
use crate::reader::{Form, Reader};
use crate::{link, sip};
use hex::Hex;
use log::Log;

/// The longest text that is read, in bytes: it is looked at as a whole.
pub const TEXT_BYTES_MAX: usize = 67_108_864;

/// A text, read message by message.
#[derive(Debug)]
pub(crate) struct Text {
    source: Source,
    is_empty_so_far: bool,
    /// The messages of the frame that was read last.
    of_frame: Vec<Bytes>,
}

#[derive(Debug)]
enum Source {
    Raw(Raw),
    Hex(Hex, Option<Raw>),
    Log(Box<Log>, Vec<u8>),
}

/// Messages one after the other, as on the wire.
#[derive(Debug)]
struct Raw {
    bytes: Bytes,
    line: u64,
}

impl Text {
    /// `None` for what a tool tells of messages, from which they can't be had back.
    pub(crate) fn new(text: Vec<u8>) -> Option<Text> {
        // What some editors put in front of UTF-8.
        let text = text.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(text);
        let begin = sip::without_line_ends(&text);
        let first_line = begin.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let is_raw = first_line.ends_with(b"\r") && sip::is_message(begin);
        let source = if is_raw {
            Source::Raw(Raw::new(text))
        } else if Hex::is_it(&text) {
            Source::Hex(Hex::new(text), None)
        } else if log::is_dissection(&text) {
            Source::Hex(Hex::new(hex::dumps_of_dissection(&text)?), None)
        } else {
            Source::Log(Box::new(Log::new(&text)), text)
        };
        Some(Text { source, is_empty_so_far: true, of_frame: Vec::new() })
    }

    pub(crate) fn form(&self) -> Form {
        match self.source {
            Source::Raw(_) => Form::Messages,
            Source::Hex(..) => Form::Hex,
            Source::Log(..) => Form::Log,
        }
    }

    /// Reads on; false where there is no more.
    pub(crate) fn step(&mut self, tap: &mut Tap) -> bool {
        match &mut self.source {
            Source::Raw(raw) => raw.step(tap),
            Source::Hex(_, Some(raw)) => {
                if !raw.step(tap) {
                    self.clear_raw();
                }
                true
            }
            Source::Hex(hex, raw) => match hex.next_block() {
                // What it was put together of has been read, unless a filter left that out.
                Some(block) if block.is_derived && self.of_frame.iter().any(|message| *message == block.bytes) => true,
                Some(block) => {
                    *raw = block_of(block, tap);
                    self.of_frame = tap.sink.packets.iter().map(|packet| packet.bytes.clone()).collect();
                    true
                }
                None => false,
            },
            Source::Log(log, text) => match log.next_message() {
                Some(pasted) => {
                    self.is_empty_so_far = false;
                    if pasted.is_mended {
                        tap.sink.note(pasted.line, What::Mended);
                    }
                    tap.sink.packets.push_back(Packet {
                        source: pasted.ends.source,
                        destination: pasted.ends.destination,
                        carrier: pasted.ends.carrier,
                        is_cut: pasted.is_cut,
                        ..packet(Bytes::from(pasted.bytes), pasted.line)
                    });
                    true
                }
                // Nothing in it looks like a message: then it is one, and whoever reads it says what is wrong with it.
                None if self.is_empty_so_far && !sip::without_line_ends(text).is_empty() => {
                    self.source = Source::Raw(Raw { bytes: core::mem::take(text).into(), line: 1 });
                    true
                }
                None => false,
            },
        }
    }

    fn clear_raw(&mut self) {
        if let Source::Hex(_, raw) = &mut self.source {
            *raw = None;
        }
    }
}

/// What the digits of a block stand for: messages, which are yet to be read, or frames, which are read here.
fn block_of(block: hex::Block, tap: &mut Tap) -> Option<Raw> {
    let hex::Block { bytes, line, is_derived: _ } = block;
    if Reader::is_capture(&bytes) {
        let mut reader = Reader::new();
        reader.feed(&bytes);
        reader.finish();
        // A capture that breaks off has been told; where it is damaged, the place is one of the dump and not of the file.
        while let Ok(Some(packet)) = reader.next_packet() {
            tap.sink.packets.push_back(packet);
        }
        while let Some(note) = reader.next_note() {
            tap.sink.note(note.frame, note.what);
        }
        None
    } else if sip::is_message(&bytes) {
        Some(Raw { bytes: bytes.into(), line })
    } else {
        let number = tap.count();
        match link::guess(&bytes) {
            Some(link_type) => tap.layers.frame(link_type, &bytes, Origin::new(number, None), &mut tap.sink),
            None => tap.sink.note(line, What::Malformed("hex dump: neither a message nor a frame")),
        }
        None
    }
}

fn packet(bytes: Bytes, line: u64) -> Packet {
    let frames = Frames { first: line, last: line, count: 1 };
    Packet { time_us: None, source: None, destination: None, carrier: None, bytes, frames, is_cut: false }
}

impl Raw {
    fn new(text: Vec<u8>) -> Raw {
        Raw { bytes: text.into(), line: 1 }
    }

    fn step(&mut self, tap: &mut Tap) -> bool {
        let ends = self.bytes.len().saturating_sub(sip::without_line_ends(&self.bytes).len());
        self.pass(ends);
        if self.bytes.is_empty() {
            return false;
        }
        let line = self.line;
        let length = self.message_length();
        let message = self.pass(length);
        tap.sink.packets.push_back(packet(message, line));
        true
    }

    fn pass(&mut self, length: usize) -> Bytes {
        let passed = self.bytes.split_to(length.min(self.bytes.len()));
        let lines = passed.iter().filter(|&&byte| byte == b'\n').count();
        self.line = self.line.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
        passed
    }

    /// The length of the message that comes next. Unless another begins behind it, it is all that is left, as a datagram has it.
    fn message_length(&self) -> usize {
        let all = self.bytes.len();
        let Some(head) = sip::head_end(&self.bytes, 0) else { return all };
        let Some(body) = self.bytes.get(..head).and_then(sip::body_length) else {
            return self.next_start(head).unwrap_or(all);
        };
        let end = head.saturating_add(body);
        let Some(behind) = self.bytes.get(end..).map(sip::without_line_ends) else { return all };
        if behind.is_empty() || sip::is_message(behind) { end } else { all }
    }

    /// Where, behind an empty line, a message begins.
    fn next_start(&self, from: usize) -> Option<usize> {
        let mut at = from;
        let mut is_after_empty = true;
        for line in self.bytes.get(from..)?.split_inclusive(|&byte| byte == b'\n') {
            if is_after_empty && sip::start_in(line.trim_ascii_end()) == Some(0) {
                return Some(at);
            }
            is_after_empty = line.trim_ascii().is_empty();
            at = at.saturating_add(line.len());
        }
        None
    }
}
