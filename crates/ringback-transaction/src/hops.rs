//! Which transactions fail with a hop.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::hash::BuildHasher as _;
use core::net::SocketAddr;

use ringback_base::{FlowId, Hop, Id, KeyedHash, Transport};

use crate::event::{ClientId, ServerId};

/// A transaction of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    Server(ServerId),
    Client(ClientId),
}

/// What can break: a connection, or the way to an address where no connection is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Wire {
    Flow(FlowId),
    /// With our own address for datagrams only: a connection has a port that is not known beforehand.
    Way(Transport, Option<SocketAddr>, SocketAddr),
}

impl Wire {
    fn of(hop: &Hop) -> Wire {
        hop.flow.map_or_else(|| Wire::way(hop), Wire::Flow)
    }

    fn way(hop: &Hop) -> Wire {
        Wire::Way(hop.transport, (!hop.transport.is_reliable()).then_some(hop.local), hop.remote)
    }
}

/// An index, so that the loss of one connection costs no walk over all transactions.
///
/// It keeps hashes, which are a third of what they stand for. Two wires could share one: whoever asks holds what it finds against
/// [`concerns`].
#[derive(Clone, Debug)]
pub(crate) struct Hops {
    hash: KeyedHash,
    keys: BTreeSet<(u64, Key)>,
}

/// Whether the failure of one hop concerns a transaction that takes another.
///
/// Where it names a connection: those on it, and those that asked for any connection to its far end. Where it names
/// none, a transaction that is bound to a connection is spared.
pub(crate) fn concerns(failed: &Hop, taken: &Hop) -> bool {
    let taken = Wire::of(taken);
    taken == Wire::way(failed) || taken == Wire::of(failed)
}

impl Hops {
    pub(crate) fn new(hash: KeyedHash) -> Hops {
        Hops { hash, keys: BTreeSet::new() }
    }

    pub(crate) fn insert(&mut self, hop: &Hop, key: Key) {
        self.keys.insert((self.hash.hash_one(Wire::of(hop)), key));
    }

    pub(crate) fn remove(&mut self, hop: &Hop, key: Key) {
        self.keys.remove(&(self.hash.hash_one(Wire::of(hop)), key));
    }

    /// The transactions that a failure of this hop [`concerns`], and perhaps others.
    pub(crate) fn failed_by(&self, hop: &Hop) -> Vec<Key> {
        let way = Wire::way(hop);
        let mut keys = self.on(way);
        if let wire @ Wire::Flow(_) = Wire::of(hop) {
            keys.append(&mut self.on(wire));
        }
        keys
    }

    fn on(&self, wire: Wire) -> Vec<Key> {
        let hash = self.hash.hash_one(wire);
        let from = (hash, Key::Server(ServerId(Id::MIN)));
        let to = (hash, Key::Client(ClientId(Id::MAX)));
        self.keys.range(from..=to).map(|(_, key)| *key).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}
