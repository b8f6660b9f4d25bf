//! Connections out of their segments: out of order, repeated, overlapping, missing.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use core::net::SocketAddr;

use crate::packet::{Ends, Origin, Sink, What};
use crate::stream::Stream;

/// The most connections that are followed.
pub const CONNECTIONS_MAX: usize = 16_384;
/// The most segments of one direction that wait for one before them.
pub const SEGMENTS_MAX: usize = 1_024;
/// The most bytes of one direction that wait for some before them.
pub const WAITING_BYTES_MAX: usize = 1_048_576;
/// The most bytes that wait on all connections together.
pub const HELD_BYTES_MAX: usize = 67_108_864;
/// How often a peer must have acknowledged what the capture doesn't have before it is believed to be missing: captures of
/// several queues have frames out of order.
const UNSEEN_ACKS: u8 = 3;
/// By how much a repeated SYN may lie behind what was read since.
const REPEATED_SYN_WITHIN: u32 = 0x0100_0000;
/// Where the first byte of a direction lies: what comes late is before it, and no number becomes negative.
const BEGIN: u64 = 0x1_0000_0000;

/// A segment, and where it was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'a> {
    pub(crate) ends: Ends,
    pub(crate) sequence: u32,
    pub(crate) acknowledged: Option<u32>,
    pub(crate) is_fin: bool,
    pub(crate) is_syn: bool,
    pub(crate) is_rst: bool,
    pub(crate) bytes: &'a [u8],
    /// How many bytes the capture lacks at its end.
    pub(crate) missing: usize,
    pub(crate) origin: Origin,
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    table: BTreeMap<(SocketAddr, SocketAddr), Box<Connection>>,
    /// Who is asked in turn to make room; who was seen since is passed over once.
    order: VecDeque<(SocketAddr, SocketAddr)>,
    held: usize,
}

#[derive(Debug, Default)]
struct Connection {
    /// From the lower address to the higher, and back.
    halves: [Half; 2],
    was_seen: bool,
    is_tls_told: bool,
}

/// One direction.
#[derive(Debug)]
struct Half {
    /// The number of the byte at `position`, once one was seen.
    next: Option<u32>,
    /// How far the stream has been read.
    position: u64,
    waiting: BTreeMap<u64, Waiting>,
    waiting_bytes: usize,
    /// Where it ends.
    end: Option<u64>,
    unseen_acks: u8,
    stream: Stream,
}

#[derive(Debug)]
struct Waiting {
    bytes: Box<[u8]>,
    missing: usize,
    origin: Origin,
}

impl Connections {
    pub(crate) fn segment(&mut self, segment: &Segment<'_>, sink: &mut Sink) {
        let ends = segment.ends;
        let is_forth = ends.source <= ends.destination;
        let key = if is_forth { (ends.source, ends.destination) } else { (ends.destination, ends.source) };
        if !self.table.contains_key(&key) {
            while self.table.len() >= CONNECTIONS_MAX {
                self.give_up_one(segment.origin, "CONNECTIONS_MAX", sink);
            }
            self.order.push_back(key);
        }
        let connection = self.table.entry(key).or_default();
        let before = connection.held();
        connection.segment(segment, is_forth, sink);
        self.held = self.held.saturating_sub(before).saturating_add(connection.held());
        while self.held > HELD_BYTES_MAX && !self.table.is_empty() {
            self.give_up_one(segment.origin, "HELD_BYTES_MAX", sink);
        }
    }

    /// How many bytes wait, with what keeps them in order.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    pub(crate) fn end(&mut self, sink: &mut Sink) {
        while let Some(key) = self.order.pop_front() {
            if let Some(mut connection) = self.table.remove(&key) {
                connection.end(key, sink);
            }
        }
        self.held = 0;
    }

    /// Ends the connection that has been silent for longest, roughly.
    fn give_up_one(&mut self, origin: Origin, limit: &'static str, sink: &mut Sink) {
        while let Some(key) = self.order.pop_front() {
            let Some(connection) = self.table.get_mut(&key) else { continue };
            if core::mem::take(&mut connection.was_seen) {
                self.order.push_back(key);
                continue;
            }
            let held = connection.held();
            if held > 0 {
                sink.note(origin.frames.last, What::Limit(limit));
            }
            connection.end(key, sink);
            self.table.remove(&key);
            self.held = self.held.saturating_sub(held);
            return;
        }
    }
}

impl Connection {
    fn held(&self) -> usize {
        self.halves.iter().map(Half::held).sum()
    }

    fn segment(&mut self, segment: &Segment<'_>, is_forth: bool, sink: &mut Sink) {
        self.was_seen = true;
        let [forth, back] = &mut self.halves;
        let (half, other) = if is_forth { (forth, back) } else { (back, forth) };
        let ends = segment.ends;
        let reverse = Ends { source: ends.destination, destination: ends.source };
        if segment.is_syn {
            let is_new = half.begin(segment.sequence.wrapping_add(1), ends, sink);
            if is_new && segment.acknowledged.is_none() {
                other.finish(reverse, sink);
                *other = Half::default();
                self.is_tls_told = false;
            }
        }
        // A SYN takes a number of its own.
        let sequence = segment.sequence.wrapping_add(u32::from(segment.is_syn));
        half.segment(sequence, segment, sink);
        if let Some(acknowledged) = segment.acknowledged {
            other.acknowledged(acknowledged, reverse, sink);
        }
        if segment.is_rst {
            half.finish(ends, sink);
            other.finish(reverse, sink);
        }
        let is_tls = self.halves.iter().any(|half| half.stream.is_tls());
        if is_tls && !core::mem::replace(&mut self.is_tls_told, true) {
            let (source, destination) = (ends.source, ends.destination);
            sink.note(segment.origin.frames.last, What::Tls { source, destination });
        }
    }

    fn end(&mut self, (low, high): (SocketAddr, SocketAddr), sink: &mut Sink) {
        let [forth, back] = &mut self.halves;
        forth.finish(Ends { source: low, destination: high }, sink);
        back.finish(Ends { source: high, destination: low }, sink);
    }
}

impl Default for Half {
    fn default() -> Half {
        Half {
            next: None,
            position: BEGIN,
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            end: None,
            unseen_acks: 0,
            stream: Stream::default(),
        }
    }
}

impl Half {
    fn held(&self) -> usize {
        let places = self.waiting.len().saturating_mul(size_of::<(u64, Waiting)>());
        self.waiting_bytes.saturating_add(places).saturating_add(self.stream.held())
    }

    /// A SYN came. True where it begins a connection, and doesn't repeat what began this one.
    fn begin(&mut self, first: u32, ends: Ends, sink: &mut Sink) -> bool {
        let repeats = |next: u32| next.wrapping_sub(first) < REPEATED_SYN_WITHIN;
        if self.next.is_some_and(repeats) && !self.stream.has_ended() {
            return false;
        }
        self.finish(ends, sink);
        *self = Half { next: Some(first), stream: Stream::from_begin(), ..Half::default() };
        true
    }

    fn segment(&mut self, sequence: u32, segment: &Segment<'_>, sink: &mut Sink) {
        let length = segment.bytes.len().saturating_add(segment.missing);
        if length == 0 && !segment.is_fin {
            return;
        }
        let next = *self.next.get_or_insert(sequence);
        let distance = sequence.wrapping_sub(next).cast_signed();
        let at = self.position.saturating_add_signed(i64::from(distance));
        if segment.is_fin {
            self.end.get_or_insert(at.saturating_add(wide(length)));
        }
        let (ends, origin) = (segment.ends, segment.origin);
        if at <= self.position {
            self.read(at, segment.bytes, segment.missing, ends, origin, sink);
            self.drain(ends, sink);
        } else if length > 0 {
            self.wait(at, segment);
            while self.waiting.len() > SEGMENTS_MAX || self.waiting_bytes > WAITING_BYTES_MAX {
                self.pass_gap(ends, sink);
            }
        }
        if self.end.is_some_and(|end| self.position >= end) {
            self.stream.end(ends, sink);
        }
    }

    fn wait(&mut self, at: u64, segment: &Segment<'_>) {
        if self.waiting.get(&at).is_some_and(|there| there.bytes.len() >= segment.bytes.len()) {
            return;
        }
        let waiting = Waiting { bytes: segment.bytes.into(), missing: segment.missing, origin: segment.origin };
        self.waiting_bytes = self.waiting_bytes.saturating_add(waiting.bytes.len());
        if let Some(shorter) = self.waiting.insert(at, waiting) {
            self.waiting_bytes = self.waiting_bytes.saturating_sub(shorter.bytes.len());
        }
    }

    /// Reads what lies at `at`, which is not behind `position`, as far as it is new.
    fn read(&mut self, at: u64, bytes: &[u8], missing: usize, ends: Ends, origin: Origin, sink: &mut Sink) {
        let known = usize::try_from(self.position.saturating_sub(at)).unwrap_or(usize::MAX);
        let fresh = bytes.get(known..).unwrap_or_default();
        if !fresh.is_empty() {
            self.advance(wide(fresh.len()));
            self.unseen_acks = 0;
            self.stream.data(fresh, ends, origin, sink);
        }
        let end = at.saturating_add(wide(bytes.len())).saturating_add(wide(missing));
        if missing > 0 && end > self.position {
            let lost = end.saturating_sub(self.position);
            if self.stream.is_read() {
                sink.note(origin.frames.last, What::FrameCut);
            }
            self.advance(lost);
            self.stream.gap(lost, ends, origin, sink);
        }
    }

    fn advance(&mut self, bytes: u64) {
        self.position = self.position.saturating_add(bytes);
        // Numbers go round.
        let low = u32::try_from(bytes & 0xffff_ffff).unwrap_or(0);
        self.next = self.next.map(|next| next.wrapping_add(low));
    }

    fn drain(&mut self, ends: Ends, sink: &mut Sink) {
        while let Some(first) = self.waiting.first_entry().filter(|first| *first.key() <= self.position) {
            let (at, waiting) = first.remove_entry();
            self.waiting_bytes = self.waiting_bytes.saturating_sub(waiting.bytes.len());
            self.read(at, &waiting.bytes, waiting.missing, ends, waiting.origin, sink);
        }
    }

    /// Goes on behind what is missing.
    fn pass_gap(&mut self, ends: Ends, sink: &mut Sink) {
        let Some((&at, first)) = self.waiting.first_key_value() else { return };
        let (lost, origin) = (at.saturating_sub(self.position), first.origin);
        if lost > 0 {
            self.advance(lost);
            self.stream.gap(lost, ends, origin, sink);
        }
        self.drain(ends, sink);
    }

    /// The other side has all bytes before this one.
    fn acknowledged(&mut self, acknowledged: u32, ends: Ends, sink: &mut Sink) {
        let Some(next) = self.next else { return };
        let ahead = acknowledged.wrapping_sub(next).cast_signed();
        let first = self.waiting.first_key_value().map(|(at, _)| at.saturating_sub(self.position));
        if first.is_none_or(|first| i64::from(ahead) < i64::try_from(first).unwrap_or(i64::MAX)) {
            return;
        }
        self.unseen_acks = self.unseen_acks.saturating_add(1);
        if self.unseen_acks >= UNSEEN_ACKS {
            self.unseen_acks = 0;
            self.pass_gap(ends, sink);
        }
    }

    fn finish(&mut self, ends: Ends, sink: &mut Sink) {
        while !self.waiting.is_empty() {
            self.pass_gap(ends, sink);
        }
        self.stream.end(ends, sink);
    }
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
