//! What comes out: messages with where and when they were seen, and what was wrong beside them.

use alloc::collections::VecDeque;
use core::fmt;
use core::net::SocketAddr;

use bytes::Bytes;

/// The most notes that are kept until somebody takes them; further ones are counted only.
pub const NOTES_MAX: usize = 10_000;

/// One SIP message, or what was seen of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packet {
    /// When its last byte was seen, in microseconds since 1970, where the source says so.
    pub time_us: Option<u64>,
    /// Who sent it, where that is known.
    pub source: Option<SocketAddr>,
    /// Who was to get it, where that is known.
    pub destination: Option<SocketAddr>,
    /// What carried it, where that is known.
    pub carrier: Option<Carrier>,
    /// The message as it was on the wire; of a datagram, all of it.
    pub bytes: Bytes,
    /// The frames that it was found in.
    pub frames: Frames,
    /// True where bytes are missing from it that the capture doesn't have.
    pub is_cut: bool,
}

/// What carried a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Carrier {
    /// A UDP datagram.
    Udp,
    /// A TCP connection.
    Tcp,
    /// A WebSocket over TCP. `[RFC 7118, Section 5]`
    WebSocket,
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Carrier::Udp => "UDP",
            Carrier::Tcp => "TCP",
            Carrier::WebSocket => "WS",
        })
    }
}

/// The frames of a capture that hold a message, counted from 1 as other tools do; in pasted text, lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frames {
    /// The first in the file.
    pub first: u64,
    /// The last in the file.
    pub last: u64,
    /// How many there are.
    pub count: u32,
}

impl fmt::Display for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{}-{}", self.first, self.last) }
    }
}

/// Something that is wrong with a capture, or that couldn't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// The frame, counted from 1; in pasted text the line; 0 where it belongs to none.
    pub frame: u64,
    /// What it is.
    pub what: What,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// The file ends in the middle of the record that begins at this byte.
    RecordCut {
        /// The byte of the file, counted from 0.
        offset: u64,
    },
    /// The frame names an interface that the file hasn't described.
    InterfaceUnknown(u32),
    /// No frame of this link type (the number of the tcpdump registry) is read. Told once for each link type.
    LinkUnsupported(u16),
    /// A header that contradicts itself or what holds it, by its name.
    Malformed(&'static str),
    /// The capture has not all bytes of a frame that holds a message.
    FrameCut,
    /// Fragments of a datagram are missing.
    FragmentsMissing,
    /// Bytes of a connection are missing: so many.
    SegmentsMissing(u64),
    /// Bytes of a connection belong to no message: so many. Most likely the Content-Length before them is wrong.
    Stray(usize),
    /// A message on a connection doesn't say how long its body is, or says it wrongly; none is assumed.
    LengthMissing,
    /// A connection between these two is TLS, and can't be read.
    Tls {
        /// Who sent this frame.
        source: SocketAddr,
        /// Who was to get it.
        destination: SocketAddr,
    },
    /// A WebSocket frame uses an extension, most likely compression, and can't be read.
    WebSocketExtension,
    /// Pasted text was mended: its line ends, indentation, quoting or escapes.
    Mended,
    /// A limit of this name was reached, and something was given up.
    Limit(&'static str),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.frame > 0 {
            write!(f, "frame {}: ", self.frame)?;
        }
        self.what.fmt(f)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::RecordCut { offset } => write!(f, "the file ends in the middle of the record at byte {offset}"),
            What::InterfaceUnknown(number) => write!(f, "interface {number} is not described"),
            What::LinkUnsupported(number) => write!(f, "link type {number} is not supported"),
            What::Malformed(header) => write!(f, "malformed {header}"),
            What::FrameCut => f.write_str("the capture has not all of its bytes"),
            What::FragmentsMissing => f.write_str("fragments are missing"),
            What::SegmentsMissing(bytes) => write!(f, "{bytes} bytes of the connection are missing"),
            What::Stray(bytes) => write!(f, "{bytes} bytes of the connection belong to no message"),
            What::LengthMissing => {
                f.write_str("no usable Content-Length on a connection; a body of 0 bytes is assumed")
            }
            What::Tls { source, destination } => write!(f, "TLS from {source} to {destination}: not readable"),
            What::WebSocketExtension => f.write_str("a WebSocket frame with an extension: not readable"),
            What::Mended => f.write_str("line ends, indentation, quoting or escapes were mended"),
            What::Limit(name) => write!(f, "{name} was reached: something was given up"),
        }
    }
}

/// Where bytes came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) frames: Frames,
    pub(crate) time_us: Option<u64>,
}

impl Origin {
    pub(crate) fn new(frame: u64, time_us: Option<u64>) -> Origin {
        Origin { frames: Frames { first: frame, last: frame, count: 1 }, time_us }
    }

    /// Of what two have brought together, the other of them later.
    pub(crate) fn join(self, other: Origin) -> Origin {
        let twice = u32::from(self.frames.last == other.frames.first);
        let frames = Frames {
            first: self.frames.first.min(other.frames.first),
            last: self.frames.last.max(other.frames.last),
            count: self.frames.count.saturating_add(other.frames.count).saturating_sub(twice),
        };
        Origin { frames, time_us: self.time_us.max(other.time_us) }
    }
}

/// The two ends of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ends {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
}

/// Where all layers put what they found.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    pub(crate) packets: VecDeque<Packet>,
    pub(crate) notes: VecDeque<Note>,
    pub(crate) notes_lost: u64,
}

impl Sink {
    pub(crate) fn packet(&mut self, ends: Ends, carrier: Carrier, origin: Origin, bytes: Bytes, is_cut: bool) {
        self.packets.push_back(Packet {
            time_us: origin.time_us,
            source: Some(ends.source),
            destination: Some(ends.destination),
            carrier: Some(carrier),
            bytes,
            frames: origin.frames,
            is_cut,
        });
    }

    pub(crate) fn note(&mut self, frame: u64, what: What) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push_back(Note { frame, what });
        } else {
            self.notes_lost = self.notes_lost.saturating_add(1);
        }
    }
}
