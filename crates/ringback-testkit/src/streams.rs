//! Connections of a simulated network: bytes keep their order, come in pieces cut anywhere, and stop coming after any byte.
//!
//! What reads them is the library's own [`Stream`], one for each end. Whoever still writes on a connection that has broken is told
//! later, or when it is closed at its end: until then its messages are gone and nobody knows.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use ringback_base::{FlowId, Hop, KeyedHash, Micros, Now, Random, Transport};
use ringback_transport::{Frame, Stream, StreamLimits};

use crate::net::{Chance, Fate, Network, Packet, derived};

/// The most pieces that a message is cut into.
const PIECES_MAX: u32 = 5;
/// A connection that breaks does so within so many bytes, of both directions together.
const BREAKS_WITHIN_BYTES: u64 = 12_000;
/// How long it takes to learn that nobody accepts a connection.
const REFUSED_AFTER: Micros = Micros::from_ms(1);
/// How long it takes to learn that a way is cut off, for the end that writes and for the one that waits.
const CUT_OFF_AFTER: [Micros; 2] = [Micros::from_secs(3), Micros::from_secs(20)];
/// By how much the ends of a broken connection may differ in when they learn of it.
const TOLD_WITHIN: Micros = Micros::from_secs(5);
/// The first port of those who open connections, and how many there are.
const PORTS_FROM: u16 = 32_768;
const PORTS: u32 = 28_000;

/// Which end of a connection: 0 opened it, 1 accepted it.
type Side = usize;

/// What happens to a connection when its time comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pulse {
    /// So many bytes reach an end.
    Bytes { connection: u32, side: Side, count: usize },
    /// An end learns that nothing comes any more.
    End { connection: u32, side: Side },
}

/// What came out of a connection: a message, or how it is not what the other end has put in.
pub(crate) type Heard = Result<Bytes, String>;

/// What becomes of a message that is written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) pulses: Vec<(Micros, Pulse)>,
    /// When its last byte arrives, if it does.
    pub(crate) arrives: Option<Micros>,
    /// There is no connection: its writer is told then.
    pub(crate) fails: Option<Micros>,
    /// The address at which the writer is seen at the other end of a connection that it has opened for this.
    pub(crate) opened: Option<SocketAddr>,
}

/// How often things happened to connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamCounters {
    /// Connections that were opened.
    pub opened: u64,
    /// Connections that nobody accepted.
    pub refused: u64,
    /// Connections that broke, at whatever byte.
    pub broken: u64,
    /// Those among them that stopped in the middle of a message.
    pub broken_inside: u64,
    /// Messages that went into a connection.
    pub written: u64,
    /// Messages that came out at the other end.
    pub read: u64,
    /// Messages that went by the connection that an earlier one came by.
    pub by_flow: u64,
}

impl StreamCounters {
    /// Adds those of another run.
    pub fn add(&mut self, other: &StreamCounters) {
        self.opened += other.opened;
        self.refused += other.refused;
        self.broken += other.broken;
        self.broken_inside += other.broken_inside;
        self.written += other.written;
        self.read += other.read;
        self.by_flow += other.by_flow;
    }
}

#[derive(Debug)]
struct End {
    /// The node, by the address where it listens.
    place: SocketAddr,
    /// As the other end sees it.
    seen_as: SocketAddr,
    is_open: bool,
    reader: Stream,
    /// What is on its way to this end.
    coming: BytesMut,
    /// The messages in it that come whole.
    whole: VecDeque<Bytes>,
    /// When the last piece of it arrives.
    arrival: Micros,
}

impl End {
    fn new(place: SocketAddr, seen_as: SocketAddr, now: Now) -> End {
        End {
            place,
            seen_as,
            is_open: true,
            reader: Stream::new(StreamLimits::default(), now),
            coming: BytesMut::new(),
            whole: VecDeque::new(),
            arrival: now.mono,
        }
    }
}

#[derive(Debug)]
struct Connection {
    random: Random,
    ends: [End; 2],
    /// After how many bytes more it breaks.
    bytes_left: Option<usize>,
    /// Nothing that is written passes any more.
    is_broken: bool,
}

/// All connections of a network.
#[derive(Debug)]
pub(crate) struct Streams {
    seed: KeyedHash,
    breaks: Chance,
    rows: BTreeMap<u32, Connection>,
    counters: StreamCounters,
}

fn is_response(bytes: &[u8]) -> bool {
    bytes.starts_with(b"SIP/2.0 ")
}

fn other(side: Side) -> Side {
    usize::from(side == 0)
}

impl Streams {
    /// Of all connections, so many break.
    pub(crate) fn new(seed: u64, breaks: Chance) -> Streams {
        let seed = KeyedHash::with_key(seed, 0x7374_7265_616d);
        Streams { seed, breaks, rows: BTreeMap::new(), counters: StreamCounters::default() }
    }

    pub(crate) fn counters(&self) -> StreamCounters {
        self.counters
    }

    /// A node writes a message: on the connection that the hop names, else on one to its far end, which is opened if need be. A response
    /// whose connection is gone may have another; a request may not. `[RFC 3261, Section 18.2.2]`
    pub(crate) fn write(&mut self, packet: &Packet, listens: bool, network: &mut Network, now: Now) -> Written {
        let place = packet.from;
        let named = packet.flow.and_then(|flow| self.named(place, flow));
        if named.is_some() {
            self.counters.by_flow += 1;
        }
        if named.is_none() && packet.flow.is_some() && !is_response(&packet.bytes) {
            return Written { fails: Some(now.mono), ..Written::default() };
        }
        let found = named.or_else(|| self.to(place, packet.to));
        let (id, side) = match found {
            Some(found) => found,
            None if !listens => {
                self.counters.refused += 1;
                return Written { fails: Some(now.mono.plus(REFUSED_AFTER)), ..Written::default() };
            }
            None => self.open(place, packet.to, now),
        };
        self.counters.written += 1;
        let opened =
            self.rows.get(&id).filter(|_| found.is_none()).and_then(|row| row.ends.first().map(|end| end.seen_as));
        Written { opened, ..self.put(id, side, &packet.bytes, network, now) }
    }

    fn named(&self, place: SocketAddr, flow: FlowId) -> Option<(u32, Side)> {
        let side = usize::try_from(flow.generation).ok()?;
        let end = self.rows.get(&flow.slot)?.ends.get(side)?;
        (end.is_open && end.place == place).then_some((flow.slot, side))
    }

    /// The last connection of a node to a far end.
    fn to(&self, place: SocketAddr, remote: SocketAddr) -> Option<(u32, Side)> {
        self.rows.iter().rev().find_map(|(id, row)| {
            let [one, two] = &row.ends;
            let leads = |here: &End, there: &End| here.is_open && here.place == place && there.seen_as == remote;
            let side = if leads(one, two) { 0 } else { 1 };
            (leads(one, two) || leads(two, one)).then_some((*id, side))
        })
    }

    fn open(&mut self, place: SocketAddr, remote: SocketAddr, now: Now) -> (u32, Side) {
        let id = u32::try_from(self.counters.opened).unwrap_or(u32::MAX);
        self.counters.opened += 1;
        let mut random = derived(self.seed, &format!("connection {id}"));
        let port = PORTS_FROM.saturating_add(u16::try_from(id % PORTS).unwrap_or(0));
        let bytes_left = self.breaks.strikes(&mut random).then(|| random.below(BREAKS_WITHIN_BYTES));
        let ends = [End::new(place, SocketAddr::new(place.ip(), port), now), End::new(remote, remote, now)];
        let bytes_left = bytes_left.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        self.rows.insert(id, Connection { random, ends, bytes_left, is_broken: false });
        (id, 0)
    }

    fn put(&mut self, id: u32, side: Side, bytes: &Bytes, network: &mut Network, now: Now) -> Written {
        let mut written = Written::default();
        let Some(row) = self.rows.get_mut(&id).filter(|row| !row.is_broken) else { return written };
        let passes = row.bytes_left.map_or(bytes.len(), |left| left.min(bytes.len()));
        row.bytes_left = row.bytes_left.map(|left| left.saturating_sub(passes));
        let ends_here = passes < bytes.len();
        let Connection { random, ends: [one, two], .. } = row;
        let (from, to) = if side == 0 { (one, two) } else { (two, one) };
        let mut left = passes;
        for piece in 1..=PIECES_MAX {
            if left == 0 {
                break;
            }
            let drawn = usize::try_from(random.below(left as u64)).unwrap_or(0).saturating_add(1);
            let count = if piece == PIECES_MAX { left } else { drawn };
            left = left.saturating_sub(count);
            let mut segment = Packet::udp(from.seen_as, to.seen_as, Bytes::new());
            segment.transport = Transport::Tcp;
            let Some(Fate::Arrives { at, .. }) = network.send(segment, now.mono).pop() else {
                // What is not on its way yet will never be.
                let ends = self.breaks_off(id, now.mono, CUT_OFF_AFTER, side);
                return Written { pulses: written.pulses.into_iter().chain(ends).collect(), ..Written::default() };
            };
            to.arrival = to.arrival.max(at);
            let start = passes.saturating_sub(left).saturating_sub(count);
            to.coming.extend_from_slice(bytes.get(start..start.saturating_add(count)).unwrap_or_default());
            written.pulses.push((to.arrival, Pulse::Bytes { connection: id, side: other(side), count }));
        }
        if ends_here {
            let first = to.arrival.since(now.mono);
            let told = [Micros(random.below(TOLD_WITHIN.0)), first.plus(Micros(random.below(TOLD_WITHIN.0)))];
            self.counters.broken_inside += u64::from(passes > 0);
            written.pulses.extend(self.breaks_off(id, now.mono, told, side));
        } else {
            to.whole.push_back(bytes.clone());
            written.arrives = Some(to.arrival);
        }
        written
    }

    /// From here on nothing passes; the end that wrote, and the other, are told after so long.
    fn breaks_off(&mut self, id: u32, now: Micros, told: [Micros; 2], writer: Side) -> Vec<(Micros, Pulse)> {
        let Some(row) = self.rows.get_mut(&id).filter(|row| !row.is_broken) else { return Vec::new() };
        row.is_broken = true;
        self.counters.broken += 1;
        let [writes, waits] = told;
        let end = |after: Micros, side| (now.plus(after), Pulse::End { connection: id, side });
        vec![end(writes, writer), end(waits, other(writer))]
    }

    /// Bytes have arrived: what they make whole, and the hop it came by. Some come sooner than their turn, together with others.
    pub(crate) fn arrive(&mut self, id: u32, side: Side, count: usize, now: Now) -> Option<(Hop, Vec<Heard>)> {
        let hop = self.hop(id, side)?;
        let row = self.rows.get_mut(&id)?;
        let all = row.random.below(4) == 0;
        let end = row.ends.get_mut(side).filter(|end| end.is_open)?;
        let count = if all { end.coming.len() } else { count.min(end.coming.len()) };
        let bytes = end.coming.split_to(count);
        end.reader.handle_data(&bytes, now);
        let mut heard = Vec::new();
        loop {
            match end.reader.poll_frame() {
                Ok(None) => break,
                Ok(Some(Frame::Message(message))) => {
                    self.counters.read += 1;
                    let is_right = end.whole.pop_front().is_some_and(|sent| sent == message);
                    heard.push(if is_right { Ok(message) } else { Err(message.escape_ascii().to_string()) });
                }
                // Nobody keeps a connection alive here.
                Ok(Some(frame)) => heard.push(Err(format!("{frame:?}"))),
                Err(rejected) => {
                    heard.push(Err(rejected.error.to_string()));
                    break;
                }
            }
        }
        Some((hop, heard))
    }

    /// An end learns that its connection is over: what its node is told, as the runtime tells it. Where it has another connection to the
    /// far end, that is not named.
    pub(crate) fn end(&mut self, id: u32, side: Side) -> Option<Hop> {
        let hop = self.hop(id, side)?;
        let row = self.rows.get_mut(&id)?;
        row.ends.get_mut(side).filter(|end| end.is_open)?.is_open = false;
        let is_over = row.ends.iter().all(|end| !end.is_open);
        if is_over {
            self.rows.remove(&id);
        }
        let has_another = self.to(hop.local, hop.remote).is_some();
        let remote = if has_another { SocketAddr::from(([0, 0, 0, 0], 0)) } else { hop.remote };
        Some(Hop { remote, ..hop })
    }

    /// A node has died: it knows nothing of its connections any more, and the other ends learn of it.
    pub(crate) fn place_dies(&mut self, place: SocketAddr, now: Micros) -> Vec<(Micros, Pulse)> {
        let mut pulses = Vec::new();
        for (id, row) in &mut self.rows {
            for side in 0..row.ends.len() {
                let Some(end) = row.ends.get_mut(side).filter(|end| end.is_open && end.place == place) else {
                    continue;
                };
                end.is_open = false;
                self.counters.broken += u64::from(!row.is_broken);
                row.is_broken = true;
                let after = Micros(row.random.below(TOLD_WITHIN.0));
                pulses.push((now.plus(after), Pulse::End { connection: *id, side: other(side) }));
            }
        }
        self.rows.retain(|_, row| row.ends.iter().any(|end| end.is_open));
        pulses
    }

    fn hop(&self, id: u32, side: Side) -> Option<Hop> {
        let row = self.rows.get(&id)?;
        let (here, there) = (row.ends.get(side)?, row.ends.get(other(side))?);
        let generation = u32::try_from(side).unwrap_or(u32::MAX);
        let flow = Some(FlowId { shard: 0, slot: id, generation });
        Some(Hop { transport: Transport::Tcp, local: here.place, remote: there.seen_as, flow })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::net::Quality;
    use ringback_base::TimerQueue;

    fn address(host: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, host], 5060))
    }

    fn message(number: u32) -> Bytes {
        let body = "x".repeat((number as usize * 37) % 400);
        Bytes::from(format!("OPTIONS sip:{number}@a SIP/2.0\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    }

    /// Writes so many messages from one place to another, and says how many came out, and how many ends were told of the end.
    fn carry(seed: u64, breaks: Chance, count: u32) -> (u32, u32, StreamCounters) {
        let mut streams = Streams::new(seed, breaks);
        let mut network = Network::new(&mut Random::from_seed([7; 32]), Quality::CROWDED);
        let mut due = TimerQueue::new();
        let at = |mono: Micros| Now { mono, ..Now::default() };
        for number in 0..count {
            let now = at(Micros(u64::from(number) * 10_000));
            let hop = Hop { transport: Transport::Tcp, ..Hop::udp(address(1), address(2)) };
            let written = streams.write(&Packet::leaving(&hop, message(number)), true, &mut network, now);
            written.pulses.into_iter().for_each(|(at, pulse)| _ = due.set(at, pulse));
        }
        let (mut next, mut ends) = (0, 0);
        while let Some((timer, pulse)) = due.pop_due(Micros::MAX) {
            match pulse {
                Pulse::Bytes { connection, side, count } => {
                    let Some((hop, heard)) = streams.arrive(connection, side, count, at(timer.at())) else { continue };
                    assert_eq!((hop.local, hop.remote.ip()), (address(2), address(1).ip()));
                    for read in heard {
                        assert_eq!(read.unwrap(), message(next));
                        next += 1;
                    }
                }
                Pulse::End { connection, side } => ends += u32::from(streams.end(connection, side).is_some()),
            }
        }
        (next, ends, streams.counters())
    }

    #[test]
    fn what_goes_in_comes_out_however_it_is_cut() {
        let (read, ends, counters) = carry(1, Chance::NEVER, 500);
        assert_eq!((read, ends), (500, 0));
        assert_eq!((counters.opened, counters.written, counters.read), (1, 500, 500));
    }

    /// What was written before the break comes out, nothing behind it does, and both ends are told.
    #[test]
    fn a_connection_breaks_at_any_byte() {
        let runs = (0..200).map(|seed| carry(seed, Chance::percent(100), 60));
        let mut read = Vec::new();
        for (count, ends, counters) in runs {
            assert_eq!((ends, counters.broken, counters.opened), (2, 1, 1));
            assert!(count < 60);
            read.push(count);
        }
        let inside = (0..200).filter(|seed| carry(*seed, Chance::percent(100), 60).2.broken_inside == 1).count();
        assert!(inside > 180, "{inside}");
        read.sort_unstable();
        read.dedup();
        assert!(read.len() > 20, "{read:?}");
    }

    #[test]
    fn an_answer_finds_its_way_where_its_connection_is_gone_and_a_request_does_not() {
        let mut streams = Streams::new(1, Chance::NEVER);
        let mut network = Network::new(&mut Random::from_seed([7; 32]), Quality::PERFECT);
        let now = Now::default();
        let gone = FlowId { shard: 0, slot: 9, generation: 1 };
        let hop = Hop { transport: Transport::Tcp, flow: Some(gone), ..Hop::udp(address(2), address(1)) };
        let request = streams.write(&Packet::leaving(&hop, message(1)), true, &mut network, now);
        assert!(request.fails.is_some() && request.pulses.is_empty());
        let response = Bytes::from_static(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n");
        let written = streams.write(&Packet::leaving(&hop, response.clone()), true, &mut network, now);
        assert!(written.arrives.is_some() && written.opened.is_some());
        let nobody = streams.write(&Packet::leaving(&hop, response), false, &mut network, now);
        assert!(nobody.fails.is_none(), "by the connection that there is now");
        let dies = streams.place_dies(address(1), now.mono);
        assert!(matches!(dies[..], [(_, Pulse::End { connection: 0, side: 0 })]), "{dies:?}");
    }
}
