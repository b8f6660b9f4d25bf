//! What happened in a run, and a digest of it.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;
use ringback_base::{KeyedHash, Micros};

use crate::net::{Fate, Packet};

/// How many records a trace keeps where nobody says otherwise; the oldest go first. The digest covers them all.
pub const RECORDS_MAX: usize = 400_000;

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Record {
    /// When.
    pub at: Micros,
    /// What.
    pub what: What,
}

/// What can happen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum What {
    /// A packet left.
    Sent {
        /// Its source.
        from: SocketAddr,
        /// Its destination.
        to: SocketAddr,
        /// As it left.
        bytes: Bytes,
        /// What the network does with it.
        fate: Sent,
    },
    /// A packet, or a copy of it, arrived.
    Arrived {
        /// Its source.
        from: SocketAddr,
        /// Its destination.
        to: SocketAddr,
        /// As it arrived.
        bytes: Bytes,
    },
    /// Something besides the packets: a question and its answer, a crash.
    Note(String),
}

/// The fates of a packet in short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many copies will arrive.
    pub copies: u8,
    /// At least one of them is not what was sent.
    pub damaged: bool,
    /// A partition stopped it.
    pub cut_off: bool,
    /// It is larger than any datagram.
    pub too_large: bool,
}

impl Sent {
    /// Counts fates.
    #[must_use]
    pub fn of(fates: &[Fate]) -> Sent {
        let mut sent = Sent::default();
        for fate in fates {
            match fate {
                Fate::Arrives { packet, .. } => {
                    sent.copies = sent.copies.saturating_add(1);
                    sent.damaged |= packet.damaged;
                }
                Fate::Lost => {}
                Fate::CutOff => sent.cut_off = true,
                Fate::TooLarge => sent.too_large = true,
            }
        }
        sent
    }
}

/// The records of a run in order.
#[derive(Debug)]
pub struct Trace {
    records: VecDeque<Record>,
    records_max: usize,
    digest: u64,
    hash: KeyedHash,
}

impl Trace {
    /// An empty one that keeps so many records.
    #[must_use]
    pub fn new(records_max: usize) -> Trace {
        Trace { records: VecDeque::new(), records_max, digest: 0, hash: KeyedHash::with_key(0x7261_6e64, 0x7472_6163) }
    }

    /// A packet left.
    pub fn sent(&mut self, packet: &Packet, fates: &[Fate], at: Micros) {
        let fate = Sent::of(fates);
        let flags = [fate.copies, u8::from(fate.damaged), u8::from(fate.cut_off), u8::from(fate.too_large)];
        self.digest(at, b"sent", &format!("{} {}", packet.from, packet.to), &[&packet.bytes, &flags]);
        self.keep(at, What::Sent { from: packet.from, to: packet.to, bytes: packet.bytes.clone(), fate });
    }

    /// A packet arrived.
    pub fn arrived(&mut self, packet: &Packet, at: Micros) {
        self.digest(at, b"arrived", &format!("{} {}", packet.from, packet.to), &[&packet.bytes]);
        self.keep(at, What::Arrived { from: packet.from, to: packet.to, bytes: packet.bytes.clone() });
    }

    /// Something else happened.
    pub fn note(&mut self, note: String, at: Micros) {
        self.digest(at, b"note", &note, &[]);
        self.keep(at, What::Note(note));
    }

    fn digest(&mut self, at: Micros, what: &[u8], who: &str, parts: &[&[u8]]) {
        let before = self.digest.to_le_bytes();
        let at = at.0.to_le_bytes();
        let all: Vec<&[u8]> =
            [&before[..], &at[..], what, who.as_bytes()].into_iter().chain(parts.iter().copied()).collect();
        self.digest = self.hash.of(&all);
    }

    fn keep(&mut self, at: Micros, what: What) {
        if self.records.len() >= self.records_max {
            self.records.pop_front();
        }
        self.records.push_back(Record { at, what });
    }

    /// A number that depends on every byte and moment of the run: two runs are the same where it is.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.digest
    }

    /// What is kept, in order.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    /// The messages of one call, as they left.
    pub fn of_call<'a>(&'a self, call_id: &'a [u8]) -> impl Iterator<Item = &'a Record> {
        self.records.iter().filter(move |record| match &record.what {
            What::Sent { bytes, .. } => ringback_transport::peek_call_id(bytes) == Some(call_id),
            _ => false,
        })
    }
}
