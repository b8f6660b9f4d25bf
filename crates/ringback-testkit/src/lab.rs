//! A network and a clock for nodes of your own: what you build on the library is tried on lines that lose, double and delay, hours of
//! it in a second, and the same again from the same seed.
//!
//! The nodes stay yours: they are lent for each run, and can be asked anything between two. See `examples/b2bua_under_loss.rs`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;

use bytes::Bytes;
use ringback_base::{Hop, KeyedHash, Micros, Millis, Now, Random, TimerQueue};
use ringback_transaction::Transmit;

use crate::ladder;
use crate::net::{Fate, Network, Packet, Quality, derived};
use crate::pcap;
use crate::trace::Trace;

/// How many messages are kept for ladders and captures: the last ones.
const RECORDS_MAX: usize = 100_000;
/// What the calendar says at the start.
const START: Millis = Millis(1_700_000_000_000);
/// How often a node may ask to be woken at one and the same moment.
const WAKES_MAX: u32 = 1_000;

/// Something with an address: what an [`Endpoint`](ringback_stack::Endpoint) or a [`Stack`](ringback_stack::Stack) offers, and around
/// it whatever your application does with its events before it returns.
pub trait Node {
    /// A datagram came in at `hop.local` from `hop.remote`.
    fn handle_datagram(&mut self, bytes: Bytes, hop: Hop, now: Now);

    /// Time has passed.
    fn handle_timeout(&mut self, now: Now);

    /// The next message to send.
    fn poll_transmit(&mut self) -> Option<Transmit>;

    /// When [`Node::handle_timeout`] is next wanted.
    fn poll_timeout(&self) -> Option<Micros>;

    /// What was to be sent by this hop is too large for any datagram.
    fn handle_send_failed(&mut self, hop: &Hop, now: Now) {
        let _ = (hop, now);
    }
}

/// A node that wants to be woken again and again, and time stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restless {
    /// Which one.
    pub address: SocketAddr,
    /// When.
    pub at: Micros,
}

impl fmt::Display for Restless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the node at {} asks for one time-out after another at {} and never moves on", self.address, self.at)
    }
}

impl std::error::Error for Restless {}

/// The network, the clock and what is on its way.
#[derive(Debug)]
pub struct Lab {
    seed: KeyedHash,
    network: Network,
    now: Now,
    on_its_way: TimerQueue<Packet>,
    names: BTreeMap<SocketAddr, String>,
    trace: Trace,
    undeliverable: u64,
}

impl Lab {
    /// A network whose every link has this quality. The same seed is the same run to the byte, as long as the nodes draw their
    /// random numbers from [`Lab::random`] and look at no other clock.
    #[must_use]
    pub fn new(seed: u64, quality: Quality) -> Lab {
        let seed = KeyedHash::with_key(seed, 0x6c61_6221);
        Lab {
            seed,
            network: Network::new(&mut derived(seed, "network"), quality),
            now: Now { mono: Micros(0), unix: START },
            on_its_way: TimerQueue::new(),
            names: BTreeMap::new(),
            trace: Trace::new(RECORDS_MAX),
            undeliverable: 0,
        }
    }

    /// What a node with this name draws its random numbers from.
    #[must_use]
    pub fn random(&self, name: &str) -> Random {
        derived(self.seed, name)
    }

    /// What an address is called in ladders.
    pub fn name(&mut self, address: SocketAddr, name: &str) {
        self.names.insert(address, name.to_owned());
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// The network: to cut it, heal it, or change the quality of a link.
    pub fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    /// How many datagrams arrived at addresses where nobody is.
    #[must_use]
    pub fn undeliverable(&self) -> u64 {
        self.undeliverable
    }

    /// A number that depends on every byte and moment so far: two runs are the same where it is.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.trace.hash()
    }

    /// Lets everything happen that happens within this time between these nodes, each under its address.
    ///
    /// # Errors
    /// Where a node asks to be woken at once, again and again.
    pub fn run(&mut self, nodes: &mut [(SocketAddr, &mut dyn Node)], span: Micros) -> Result<(), Restless> {
        let end = self.now.mono.plus(span);
        let mut wakes = 0_u32;
        loop {
            self.collect(nodes);
            let arrival = self.on_its_way.next().map(|(at, _)| at);
            let wake = nodes.iter().filter_map(|(address, node)| Some((node.poll_timeout()?, *address))).min();
            let next = arrival.into_iter().chain(wake.map(|(at, _)| at)).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            if next > self.now.mono {
                self.now = self.now.after(next.since(self.now.mono));
                wakes = 0;
            }
            while let Some((_, packet)) = self.on_its_way.pop_due(self.now.mono) {
                self.deliver(nodes, packet);
            }
            if let Some((at, address)) = wake.filter(|(at, _)| *at <= self.now.mono) {
                wakes = wakes.saturating_add(1);
                if wakes > WAKES_MAX {
                    return Err(Restless { address, at });
                }
                let now = self.now;
                let due = nodes.iter_mut().filter(|(_, node)| node.poll_timeout().is_some_and(|at| at <= now.mono));
                due.for_each(|(_, node)| node.handle_timeout(now));
            }
        }
        self.now = self.now.after(end.since(self.now.mono));
        Ok(())
    }

    fn collect(&mut self, nodes: &mut [(SocketAddr, &mut dyn Node)]) {
        for (address, node) in nodes {
            while let Some(Transmit { hop, bytes, .. }) = node.poll_transmit() {
                let mut packet = Packet::udp(*address, hop.remote, bytes);
                packet.transport = hop.transport;
                let fates = self.network.send(packet.clone(), self.now.mono);
                self.trace.sent(&packet, &fates, self.now.mono);
                for fate in fates {
                    match fate {
                        Fate::Arrives { at, packet } => _ = self.on_its_way.set(at, packet),
                        Fate::TooLarge => node.handle_send_failed(&hop, self.now),
                        Fate::Lost | Fate::CutOff => {}
                    }
                }
            }
        }
    }

    fn deliver(&mut self, nodes: &mut [(SocketAddr, &mut dyn Node)], packet: Packet) {
        match nodes.iter_mut().find(|(address, _)| *address == packet.to) {
            Some((_, node)) => {
                self.trace.arrived(&packet, self.now.mono);
                let hop = Hop { transport: packet.transport, local: packet.to, remote: packet.from, flow: None };
                node.handle_datagram(packet.bytes, hop, self.now);
            }
            None => self.undeliverable = self.undeliverable.saturating_add(1),
        }
    }

    /// The messages of one call as a ladder, as they left: for the text of a test that fails.
    #[must_use]
    pub fn ladder(&self, call_id: &[u8]) -> String {
        ladder::ladder(self.trace.of_call(call_id), &self.names)
    }

    /// All that left and arrived, as a list.
    #[must_use]
    pub fn list(&self) -> String {
        ladder::list(self.trace.records(), &self.names)
    }

    /// A capture of what arrived at these addresses and left them, for Wireshark or `ringback decode`.
    ///
    /// # Errors
    /// As the writer's.
    pub fn write_capture(&self, out: &mut impl Write, tap: &[SocketAddr]) -> io::Result<()> {
        pcap::write(out, self.trace.records(), tap, START)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    /// Sends every datagram back.
    #[derive(Default)]
    struct Echo {
        seen: u32,
        back: Vec<Transmit>,
        wants: Option<Micros>,
    }

    impl Node for Echo {
        fn handle_datagram(&mut self, bytes: Bytes, hop: Hop, _: Now) {
            self.seen += 1;
            self.back.push(Transmit::new(hop, bytes));
        }
        fn handle_timeout(&mut self, _: Now) {}
        fn poll_transmit(&mut self) -> Option<Transmit> {
            self.back.pop()
        }
        fn poll_timeout(&self) -> Option<Micros> {
            self.wants
        }
    }

    fn address(host: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, host], 5060))
    }

    #[test]
    fn what_is_sent_arrives_and_comes_back() {
        let quality = Quality { latency: Micros::from_ms(10), ..Quality::PERFECT };
        let mut lab = Lab::new(1, quality);
        let (mut one, mut other) = (Echo::default(), Echo::default());
        one.back.push(Transmit::new(Hop::udp(address(1), address(2)), Bytes::from_static(b"x")));
        one.back.push(Transmit::new(Hop::udp(address(1), address(3)), Bytes::from_static(b"x")));
        lab.run(&mut [(address(1), &mut one), (address(2), &mut other)], Micros::from_ms(95)).unwrap();
        assert_eq!((one.seen, other.seen, lab.undeliverable()), (4, 5, 1));
        assert_eq!(lab.now().mono, Micros::from_ms(95));
    }

    #[test]
    fn a_node_that_never_rests_is_named() {
        let mut lab = Lab::new(1, Quality::PERFECT);
        let mut node = Echo { wants: Some(lab.now().mono.plus(Micros(5))), ..Echo::default() };
        let error = lab.run(&mut [(address(1), &mut node)], Micros::from_secs(1)).unwrap_err();
        assert_eq!(error.address, address(1));
    }
}
