//! The bytes of a file, as far as they came, and the formats that captures have.

pub(crate) mod pcap;
pub(crate) mod pcapng;

use alloc::vec::Vec;

use crate::error::{ReadError, ReadErrorKind};
use crate::frame::Layers;
use crate::packet::Sink;

/// The longest frame of a capture, in bytes: what other tools write at most.
pub const RECORD_BYTES_MAX: usize = 262_144;

/// What came and hasn't been read.
#[derive(Debug, Default)]
pub(crate) struct Input {
    buf: Vec<u8>,
    begin: usize,
    /// The place of `begin` in the file.
    pub(crate) offset: u64,
    pub(crate) is_finished: bool,
}

impl Input {
    /// Nothing, and nothing to come.
    pub(crate) fn ended() -> Input {
        Input { is_finished: true, ..Input::default() }
    }

    pub(crate) fn rest(&self) -> &[u8] {
        self.buf.get(self.begin..).unwrap_or_default()
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        // What is moved to the front is less than what was read in front of it.
        if self.begin > self.buf.len() / 2 {
            self.buf.drain(..self.begin);
            self.begin = 0;
        }
        self.buf.extend_from_slice(bytes);
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.rest().len());
        self.begin = self.begin.saturating_add(bytes);
        self.offset = self.offset.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// All that is left, where nothing else reads on.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let mut buf = core::mem::take(&mut self.buf);
        buf.drain(..core::mem::take(&mut self.begin).min(buf.len()));
        buf
    }

    /// An error at so many bytes behind what has been read.
    pub(crate) fn error(&self, behind: u64, kind: ReadErrorKind) -> ReadError {
        ReadError { offset: self.offset.saturating_add(behind), kind }
    }
}

/// What a step has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Something was read.
    Read,
    /// More bytes must come.
    Wanting,
}

/// Where a step puts what it finds.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    pub(crate) layers: Layers,
    pub(crate) sink: Sink,
    /// How many frames there were.
    pub(crate) frames: u64,
}

impl Tap {
    /// Counts a frame, and tells its number.
    pub(crate) fn count(&mut self) -> u64 {
        self.frames = self.frames.saturating_add(1);
        self.frames
    }
}
