//! A network that exists only in the numbers of a seed.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use bytes::Bytes;
use ringback_base::{FlowId, Hop, KeyedHash, Micros, Random, Transport};
use ringback_message::{Message, Request, Response};

/// The largest payload of a UDP datagram over IPv4.
pub const DATAGRAM_BYTES_MAX: usize = 65_507;

/// A probability in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chance(pub u32);

impl Chance {
    /// It never happens.
    pub const NEVER: Chance = Chance(0);

    /// So many in a hundred.
    #[must_use]
    pub const fn percent(percent: u32) -> Chance {
        Chance(percent.saturating_mul(10_000))
    }

    /// Whether it happens this time. What never happens draws nothing.
    pub fn strikes(self, random: &mut Random) -> bool {
        self.0 > 0 && random.below(1_000_000) < u64::from(self.0)
    }
}

/// What a link does to datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    /// The least time from one end to the other.
    pub latency: Micros,
    /// What may come on top of it, evenly spread: already enough to reorder.
    pub jitter: Micros,
    /// A datagram is lost.
    pub loss: Chance,
    /// A datagram arrives twice, each copy with a delay of its own.
    pub duplication: Chance,
    /// A datagram is held up and overtaken.
    pub reordering: Chance,
    /// For at most how long it is held up.
    pub held_up: Micros,
    /// Some of its bytes are changed, lost or new.
    pub corruption: Chance,
}

impl Quality {
    /// Everything arrives at once.
    pub const PERFECT: Quality = Quality {
        latency: Micros(0),
        jitter: Micros(0),
        loss: Chance::NEVER,
        duplication: Chance::NEVER,
        reordering: Chance::NEVER,
        held_up: Micros(0),
        corruption: Chance::NEVER,
    };

    /// A quiet local network.
    pub const LAN: Quality = Quality { latency: Micros(300), jitter: Micros(200), ..Quality::PERFECT };

    /// The Internet on a good day.
    pub const INTERNET: Quality = Quality {
        latency: Micros::from_ms(25),
        jitter: Micros::from_ms(15),
        loss: Chance::percent(1),
        duplication: Chance(1_000),
        reordering: Chance::percent(1),
        held_up: Micros::from_ms(80),
        corruption: Chance::NEVER,
    };

    /// A crowded radio cell: every sixth datagram is lost, others come twice or late.
    pub const CROWDED: Quality = Quality {
        latency: Micros::from_ms(60),
        jitter: Micros::from_ms(240),
        loss: Chance::percent(16),
        duplication: Chance::percent(5),
        reordering: Chance::percent(10),
        held_up: Micros::from_ms(1_500),
        corruption: Chance::NEVER,
    };

    /// A line that changes what it carries.
    pub const BROKEN: Quality = Quality {
        latency: Micros::from_ms(10),
        jitter: Micros::from_ms(30),
        loss: Chance::percent(5),
        duplication: Chance::percent(2),
        reordering: Chance::percent(2),
        held_up: Micros::from_ms(400),
        corruption: Chance::percent(6),
    };
}

impl Quality {
    /// True where whatever leaves arrives, once, as it left and before what leaves much later.
    #[must_use]
    pub fn is_faithful(&self) -> bool {
        [self.loss, self.duplication, self.reordering, self.corruption].iter().all(|chance| *chance == Chance::NEVER)
    }
}

/// What a payload is, read once for all who look at it.
#[derive(Clone, Debug)]
pub enum Content {
    /// A request with all that is mandatory.
    Request(Request),
    /// A response with all that is mandatory.
    Response(Response),
    /// A message that lacks something, or none at all.
    Unreadable,
}

/// One payload between two addresses.
#[derive(Clone)]
pub struct Packet {
    /// How it is carried.
    pub transport: Transport,
    /// The source.
    pub from: SocketAddr,
    /// The destination.
    pub to: SocketAddr,
    /// The connection that it goes by or came by, where one is named: as the node knows it that sends it or gets it.
    pub flow: Option<FlowId>,
    /// The payload.
    pub bytes: Bytes,
    /// It is not what its sender should have sent: the network, or a sender that knows no better, has changed it.
    pub damaged: bool,
    content: OnceCell<Rc<Content>>,
}

impl Packet {
    /// A datagram.
    #[must_use]
    pub fn udp(from: SocketAddr, to: SocketAddr, bytes: Bytes) -> Packet {
        Packet { transport: Transport::Udp, from, to, flow: None, bytes, damaged: false, content: OnceCell::new() }
    }

    /// What leaves by this hop.
    #[must_use]
    pub fn leaving(hop: &Hop, bytes: Bytes) -> Packet {
        Packet { transport: hop.transport, flow: hop.flow, ..Packet::udp(hop.local, hop.remote, bytes) }
    }

    /// What has come by this hop.
    #[must_use]
    pub fn arriving(hop: &Hop, bytes: Bytes) -> Packet {
        Packet { transport: hop.transport, flow: hop.flow, ..Packet::udp(hop.remote, hop.local, bytes) }
    }

    /// The hop of who sends it.
    #[must_use]
    pub fn hop_out(&self) -> Hop {
        Hop { transport: self.transport, local: self.from, remote: self.to, flow: self.flow }
    }

    /// The hop of who gets it.
    #[must_use]
    pub fn hop_in(&self) -> Hop {
        Hop { transport: self.transport, local: self.to, remote: self.from, flow: self.flow }
    }

    /// The same, known to be wrong.
    #[must_use]
    pub fn damaged(self) -> Packet {
        Packet { damaged: true, ..self }
    }

    /// What it holds.
    #[must_use]
    pub fn content(&self) -> &Content {
        self.content.get_or_init(|| Rc::new(read(self.bytes.clone())))
    }

    fn damaged_by(&self, random: &mut Random) -> Packet {
        let bytes = damage(&self.bytes, random);
        let damaged = bytes != self.bytes;
        Packet { bytes, damaged: self.damaged || damaged, content: OnceCell::new(), ..self.clone() }
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} > {} {}", self.transport, self.from, self.to, self.bytes.escape_ascii())
    }
}

fn read(bytes: Bytes) -> Content {
    match Message::parse(bytes) {
        Ok(message) if message.is_request() => Request::check(message).map_or(Content::Unreadable, Content::Request),
        Ok(message) => Response::check(message).map_or(Content::Unreadable, Content::Response),
        Err(_) => Content::Unreadable,
    }
}

/// The same bytes with up to four faults: changed, lost or new bytes, or an early end.
#[must_use]
pub fn damage(bytes: &[u8], random: &mut Random) -> Bytes {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let at = usize::try_from(random.below(bytes.len() as u64)).unwrap_or(0);
        let value = random.next_u64().to_le_bytes().first().copied().unwrap_or(0);
        match random.below(8) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => _ = bytes.remove(at),
            2 => bytes.insert(at, value),
            3..=5 => bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << (value & 7)),
            _ => bytes.get_mut(at).into_iter().for_each(|byte| *byte = value),
        }
    }
    bytes.into()
}

/// What becomes of a packet.
#[derive(Clone, Debug)]
pub enum Fate {
    /// It, or a copy of it, arrives.
    Arrives {
        /// When.
        at: Micros,
        /// As it arrives.
        packet: Packet,
    },
    /// The link lost it.
    Lost,
    /// A partition lies between.
    CutOff,
    /// It is larger than any datagram: its sender is told.
    TooLarge,
}

#[derive(Debug)]
struct Link {
    random: Random,
    /// When the last segment of a reliable transport arrives, which none may overtake.
    last_arrival: Micros,
}

/// All links, each with a luck of its own, so that more traffic on one leaves the others as they were.
#[derive(Debug)]
pub struct Network {
    seed: KeyedHash,
    default: Quality,
    qualities: BTreeMap<IpAddr, Quality>,
    links: BTreeMap<(SocketAddr, SocketAddr), Link>,
    cuts: BTreeSet<(IpAddr, IpAddr)>,
}

impl Network {
    /// A network whose every link has this quality.
    #[must_use]
    pub fn new(random: &mut Random, default: Quality) -> Network {
        let seed = KeyedHash::with_key(random.next_u64(), random.next_u64());
        Network { seed, default, qualities: BTreeMap::new(), links: BTreeMap::new(), cuts: BTreeSet::new() }
    }

    /// Another quality for all that leaves or reaches this address.
    pub fn set_quality(&mut self, of: IpAddr, quality: Quality) {
        self.qualities.insert(of, quality);
    }

    /// From now on nothing passes between the two.
    pub fn cut(&mut self, one: IpAddr, other: IpAddr) {
        self.cuts.insert((one.min(other), one.max(other)));
    }

    /// It does again.
    pub fn heal(&mut self, one: IpAddr, other: IpAddr) {
        self.cuts.remove(&(one.min(other), one.max(other)));
    }

    /// Decides what becomes of a packet that is sent now; more than one fate where it is doubled.
    ///
    /// A reliable transport only delays, and keeps the order.
    #[must_use]
    pub fn send(&mut self, packet: Packet, now: Micros) -> Vec<Fate> {
        let (from, to) = (packet.from.ip(), packet.to.ip());
        if self.cuts.contains(&(from.min(to), from.max(to))) {
            return vec![Fate::CutOff];
        }
        let quality = [from, to].iter().find_map(|ip| self.qualities.get(ip)).copied().unwrap_or(self.default);
        let seed = self.seed;
        let link = self
            .links
            .entry((packet.from, packet.to))
            .or_insert_with(|| Link { random: link_random(seed, packet.from, packet.to), last_arrival: Micros(0) });
        if packet.transport.is_reliable() {
            let at = delayed(&quality, &mut link.random, now).max(link.last_arrival);
            link.last_arrival = at;
            return vec![Fate::Arrives { at, packet }];
        }
        if packet.bytes.len() > DATAGRAM_BYTES_MAX {
            return vec![Fate::TooLarge];
        }
        let copies = 1 + usize::from(quality.duplication.strikes(&mut link.random));
        (0..copies).map(|_| fate(&quality, &mut link.random, packet.clone(), now)).collect()
    }
}

fn fate(quality: &Quality, random: &mut Random, packet: Packet, now: Micros) -> Fate {
    if quality.loss.strikes(random) {
        return Fate::Lost;
    }
    let mut at = delayed(quality, random, now);
    if quality.reordering.strikes(random) {
        at = at.plus(Micros(random.below(quality.held_up.0)));
    }
    let packet = if quality.corruption.strikes(random) { packet.damaged_by(random) } else { packet };
    Fate::Arrives { at, packet }
}

fn delayed(quality: &Quality, random: &mut Random, now: Micros) -> Micros {
    let jitter = if quality.jitter.0 == 0 { 0 } else { random.below(quality.jitter.0) };
    now.plus(quality.latency).plus(Micros(jitter))
}

fn link_random(seed: KeyedHash, from: SocketAddr, to: SocketAddr) -> Random {
    derived(seed, &format!("{from} {to}"))
}

/// A source of chance for what has this name, whatever else draws.
pub(crate) fn derived(seed: KeyedHash, name: &str) -> Random {
    let mut bytes = [0; 32];
    for (part, number) in bytes.chunks_mut(8).zip(0_u8..) {
        part.copy_from_slice(&seed.of(&[&[number], name.as_bytes()]).to_le_bytes());
    }
    Random::from_seed(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn network(quality: Quality) -> Network {
        Network::new(&mut Random::from_seed([3; 32]), quality)
    }

    fn packet(number: u16) -> Packet {
        let address = |host: u8| SocketAddr::from(([192, 0, 2, host], 5060));
        Packet::udp(address(1), address(2), Bytes::from(format!("packet {number}")))
    }

    fn arrivals(network: &mut Network, count: u16) -> (Vec<(u64, Packet)>, usize) {
        let fates: Vec<Fate> = (0..count).flat_map(|n| network.send(packet(n), Micros(u64::from(n) * 1_000))).collect();
        let lost = fates.iter().filter(|fate| matches!(fate, Fate::Lost)).count();
        let arrive = fates.into_iter().filter_map(|fate| match fate {
            Fate::Arrives { at, packet } => Some((at.0, packet)),
            _ => None,
        });
        (arrive.collect(), lost)
    }

    #[test]
    fn perfect_is_perfect() {
        let (arrived, lost) = arrivals(&mut network(Quality::PERFECT), 100);
        assert_eq!((arrived.len(), lost), (100, 0));
        assert!(arrived.iter().enumerate().all(|(n, (at, packet))| *at == n as u64 * 1_000 && !packet.damaged));
    }

    #[test]
    fn each_fault_strikes_about_as_often_as_it_should() {
        let quality = Quality { loss: Chance::percent(20), ..Quality::PERFECT };
        let (_, lost) = arrivals(&mut network(quality), 10_000);
        assert!((1_800..2_200).contains(&lost), "{lost}");
        let quality = Quality { duplication: Chance::percent(20), ..Quality::PERFECT };
        let (arrived, _) = arrivals(&mut network(quality), 10_000);
        assert!((11_800..12_200).contains(&arrived.len()), "{}", arrived.len());
        let quality = Quality { corruption: Chance::percent(20), ..Quality::PERFECT };
        let (arrived, _) = arrivals(&mut network(quality), 10_000);
        let damaged = arrived.iter().filter(|(_, packet)| packet.damaged).count();
        assert!((1_700..2_200).contains(&damaged), "{damaged}");
        let quality = Quality { reordering: Chance::percent(20), held_up: Micros(50_000), ..Quality::PERFECT };
        let (arrived, _) = arrivals(&mut network(quality), 10_000);
        let overtaken = arrived.windows(2).filter(|pair| pair[0].0 > pair[1].0).count();
        assert!((1_000..2_000).contains(&overtaken), "{overtaken}");
    }

    #[test]
    fn a_partition_cuts_both_ways_until_it_heals() {
        let mut network = network(Quality::PERFECT);
        let (one, other) = (packet(0).from.ip(), packet(0).to.ip());
        network.cut(other, one);
        assert!(matches!(network.send(packet(0), Micros(0))[..], [Fate::CutOff]));
        network.heal(one, other);
        assert!(matches!(network.send(packet(0), Micros(0))[..], [Fate::Arrives { .. }]));
    }

    #[test]
    fn a_reliable_transport_keeps_all_and_the_order() {
        let mut network = network(Quality::CROWDED);
        let mut last = Micros(0);
        for number in 0..1_000 {
            let packet = Packet { transport: Transport::Tcp, ..packet(number) };
            let fates = network.send(packet, Micros(u64::from(number)));
            let [Fate::Arrives { at, packet }] = &fates[..] else { panic!("{fates:?}") };
            assert!(*at >= last && !packet.damaged);
            last = *at;
        }
    }

    #[test]
    fn links_do_not_share_their_luck() {
        let run = |noise: u16| {
            let mut network = network(Quality::CROWDED);
            let mut seen = Vec::new();
            for n in 0..200 {
                for _ in 0..noise {
                    let other = Packet { from: SocketAddr::from(([203, 0, 113, 9], 9)), ..packet(n) };
                    _ = network.send(other, Micros(0));
                }
                seen.push(format!("{:?}", network.send(packet(n), Micros(0))));
            }
            seen
        };
        assert_eq!(run(0), run(3));
    }

    #[test]
    fn what_is_too_large_goes_back_to_its_sender() {
        let bytes = Bytes::from(vec![b'x'; DATAGRAM_BYTES_MAX + 1]);
        let fates = network(Quality::PERFECT).send(Packet { bytes, ..packet(0) }, Micros(0));
        assert!(matches!(fates[..], [Fate::TooLarge]));
    }
}
