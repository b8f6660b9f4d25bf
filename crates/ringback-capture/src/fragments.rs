//! Datagrams out of their fragments, whichever comes first.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::ip::{Fragment, Packet};
use crate::packet::Origin;

/// The most datagrams of which fragments are kept.
const FRAGMENTED_MAX: usize = 256;
/// The most pieces that are kept of one datagram.
const FRAGMENTS_MAX: usize = 2_048;
/// The longest datagram.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// When an identification may have been used anew. (RFC 8200)
const REASSEMBLY_US: u64 = 60_000_000;

/// Which datagram a fragment is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    identification: u32,
    /// IPv4 counts for each protocol; the fragments of IPv6 needn't agree on it.
    protocol: u8,
}

/// A datagram: whole, or as much of its begin as there is.
#[derive(Debug)]
pub(crate) struct Datagram {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: u8,
    pub(crate) payload: Vec<u8>,
    pub(crate) origin: Origin,
    pub(crate) is_whole: bool,
}

/// The datagrams that lack something.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    table: BTreeMap<Key, Partial>,
    /// Who came first goes first.
    order: BTreeMap<u64, Key>,
    counter: u64,
}

#[derive(Debug)]
struct Partial {
    number: u64,
    /// Of the fragment that begins the datagram, because it has the right one.
    protocol: u8,
    pieces: BTreeMap<usize, Box<[u8]>>,
    bytes: usize,
    total: Option<usize>,
    origin: Origin,
}

impl Fragments {
    /// Takes a fragment. What comes back is a datagram that is whole now, and one that was given up.
    pub(crate) fn add(
        &mut self,
        packet: &Packet<'_>,
        fragment: Fragment,
        origin: Origin,
    ) -> (Option<Datagram>, Option<Datagram>) {
        let key = Key {
            source: packet.source,
            destination: packet.destination,
            identification: fragment.identification,
            protocol: if packet.source.is_ipv4() { packet.protocol } else { 0 },
        };
        let given_up = if self.table.get(&key).is_some_and(|partial| partial.is_older(origin)) {
            self.remove(key)
        } else if self.table.len() >= FRAGMENTED_MAX && !self.table.contains_key(&key) {
            self.order.first_key_value().map(|(_, oldest)| *oldest).and_then(|oldest| self.remove(oldest))
        } else {
            None
        };
        let (counter, order) = (&mut self.counter, &mut self.order);
        let mut is_new = false;
        let partial = self.table.entry(key).or_insert_with(|| {
            *counter = counter.wrapping_add(1);
            order.insert(*counter, key);
            is_new = true;
            Partial {
                number: *counter,
                protocol: packet.protocol,
                pieces: BTreeMap::new(),
                bytes: 0,
                total: None,
                origin,
            }
        });
        if !is_new {
            partial.origin = partial.origin.join(origin);
        }
        partial.add(packet, fragment);
        let whole = if partial.is_whole() { self.remove(key) } else { None };
        (whole, given_up)
    }

    /// How many bytes wait, with what keeps them in order.
    pub(crate) fn held(&self) -> usize {
        let places = |partial: &Partial| partial.pieces.len().saturating_mul(size_of::<(usize, Box<[u8]>)>());
        self.table.values().map(|partial| partial.bytes.saturating_add(places(partial))).sum()
    }

    /// Gives up the oldest of what is left.
    pub(crate) fn end(&mut self) -> Option<Datagram> {
        let oldest = self.order.first_key_value().map(|(_, key)| *key)?;
        self.remove(oldest)
    }

    fn remove(&mut self, key: Key) -> Option<Datagram> {
        let partial = self.table.remove(&key)?;
        self.order.remove(&partial.number);
        Some(partial.into_datagram(key))
    }
}

impl Partial {
    fn is_older(&self, than: Origin) -> bool {
        match (self.origin.time_us, than.time_us) {
            (Some(last), Some(now)) => now.saturating_sub(last) > REASSEMBLY_US,
            _ => false,
        }
    }

    fn is_whole(&self) -> bool {
        self.total == Some(self.bytes)
    }

    /// Keeps what isn't there yet: what came first stays.
    fn add(&mut self, packet: &Packet<'_>, fragment: Fragment) {
        if fragment.offset == 0 {
            self.protocol = packet.protocol;
        }
        let end = fragment.offset.saturating_add(packet.payload.len());
        if end > DATAGRAM_BYTES_MAX || self.total.is_some_and(|total| end > total) {
            return;
        }
        if fragment.is_last && packet.missing == 0 && self.total.is_none() {
            let reached = self.pieces.last_key_value().map_or(0, |(at, piece)| at.saturating_add(piece.len()));
            if reached > end {
                return;
            }
            self.total = Some(end);
        }
        let mut at = fragment.offset;
        let mut rest = packet.payload;
        while !rest.is_empty() && self.pieces.len() < FRAGMENTS_MAX {
            if let Some((before, piece)) = self.pieces.range(..=at).next_back() {
                let covered = before.saturating_add(piece.len()).saturating_sub(at);
                at = at.saturating_add(covered);
                rest = rest.get(covered..).unwrap_or_default();
            }
            let room = self.pieces.range(at..).next().map_or(rest.len(), |(next, _)| next.saturating_sub(at));
            let (piece, behind) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            if !piece.is_empty() {
                self.bytes = self.bytes.saturating_add(piece.len());
                self.pieces.insert(at, piece.into());
            }
            at = at.saturating_add(piece.len());
            rest = behind;
        }
    }

    fn into_datagram(self, key: Key) -> Datagram {
        let is_whole = self.is_whole();
        let mut payload = Vec::new();
        for (at, piece) in &self.pieces {
            if *at != payload.len() {
                break;
            }
            payload.extend_from_slice(piece);
        }
        Datagram {
            source: key.source,
            destination: key.destination,
            protocol: self.protocol,
            payload,
            origin: self.origin,
            is_whole,
        }
    }
}
