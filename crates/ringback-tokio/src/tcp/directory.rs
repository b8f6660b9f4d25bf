//! Connections by their far end, whichever shard has them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringback_base::{FlowId, Hop, Transport};

use crate::tls::PeerName;

/// For each far end the latest connection that a request can take.
///
/// > These connections are indexed by the tuple formed from the address, port, and transport protocol at the far end of the connection.
/// > `[RFC 3261, Section 18]`
///
/// Over TLS there may be several: each has proven to be somebody, and a request for another takes none of them.
///
/// One for all shards, because a phone has one connection, and those who call it are anywhere. It is locked when a connection begins
/// and ends, and for each request that names none.
#[derive(Debug, Default)]
pub(crate) struct Directory(Mutex<HashMap<Far, Vec<Entry>>>);

/// A far end of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Far {
    pub(crate) transport: Transport,
    pub(crate) remote: SocketAddr,
}

#[derive(Debug)]
struct Entry {
    flow: FlowId,
    proven: Proven,
    /// The far end is elsewhere, and is meant by its domain alone.
    is_alias: bool,
}

/// The domains that a far end has proven to be. `[RFC 5922, Section 7]`
pub(crate) type Proven = Arc<[Box<str>]>;

impl Far {
    /// That of a hop.
    pub(crate) fn of(hop: &Hop) -> Far {
        Far { transport: hop.transport, remote: hop.remote }
    }
}

impl Directory {
    /// A connection begins, with a far end that has proven to be these domains, or will have when it can be used.
    pub(crate) fn insert(&self, far: Far, flow: FlowId, proven: Proven) {
        let mut rows = self.rows();
        let entries = rows.entry(far).or_default();
        // Of those that can do no more than this one, the latest counts.
        entries.retain(|entry| !entry.proven.iter().all(|domain| proven.contains(domain)));
        entries.push(Entry { flow, proven, is_alias: false });
    }

    /// A connection whose far end says that it is reached here too, by who looks for its domains. `[RFC 5923, Section 8.2]`
    pub(crate) fn insert_alias(&self, far: Far, flow: FlowId, proven: Proven) {
        let mut rows = self.rows();
        let entries = rows.entry(far).or_default();
        entries.retain(|entry| !(entry.is_alias && entry.proven.iter().all(|domain| proven.contains(domain))));
        entries.push(Entry { flow, proven, is_alias: true });
    }

    /// The latest connection to a far end, which, where it matters, has proven to be this peer.
    pub(crate) fn find(&self, far: Far, name: Option<&PeerName>) -> Option<FlowId> {
        let rows = self.rows();
        let fits = |entry: &&Entry| match name {
            Some(PeerName::Address(_)) => !entry.is_alias,
            name => name.is_none_or(|name| name.is_among(&entry.proven)),
        };
        rows.get(&far)?.iter().rev().find(fits).map(|entry| entry.flow)
    }

    /// Takes a connection out; false where it is not there, because a later one is in its place.
    pub(crate) fn remove(&self, far: Far, flow: FlowId) -> bool {
        let mut rows = self.rows();
        let Some(entries) = rows.get_mut(&far) else { return false };
        let before = entries.len();
        entries.retain(|entry| entry.flow != flow);
        let was_there = entries.len() < before;
        if entries.is_empty() {
            rows.remove(&far);
        }
        was_there
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<Far, Vec<Entry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use ringback_message::Host;

    fn far(transport: Transport) -> Far {
        Far { transport, remote: "192.0.2.1:5060".parse().unwrap() }
    }

    fn flow(slot: u32) -> FlowId {
        FlowId { shard: 0, slot, generation: 7 }
    }

    #[test]
    fn the_latest_counts() {
        let (directory, far, nobody) = (Directory::default(), far(Transport::Tcp), || Proven::from([]));
        directory.insert(far, flow(1), nobody());
        directory.insert(far, flow(2), nobody());
        assert!(!directory.remove(far, flow(1)));
        assert_eq!(directory.find(far, None), Some(flow(2)));
        // The same address by another transport is another far end.
        assert_eq!(directory.find(Far { transport: Transport::Tls, ..far }, None), None);
        assert!(directory.remove(far, flow(2)));
        assert_eq!(directory.find(far, None), None);
        assert!(directory.rows().is_empty());
    }

    #[test]
    fn a_request_for_a_domain_takes_a_connection_that_is_proven_to_be_its() {
        let (directory, far) = (Directory::default(), far(Transport::Tls));
        let proven = |names: &[&str]| names.iter().map(|name| Box::from(*name)).collect::<Proven>();
        let name = |name: &str| PeerName::of_host(Host::of(name.as_bytes()).unwrap()).unwrap();
        directory.insert(far, flow(1), proven(&["a.example"]));
        directory.insert(far, flow(2), proven(&["b.example", "c.example"]));
        // Of the phone at the far end nothing is known.
        directory.insert(far, flow(3), proven(&[]));
        for (wanted, found) in [("a.example", Some(flow(1))), ("C.example", Some(flow(2))), ("d.example", None)] {
            assert_eq!(directory.find(far, Some(&name(wanted))), found, "{wanted}");
        }
        // An address is that of the far end itself.
        assert_eq!(directory.find(far, Some(&name("192.0.2.1"))), Some(flow(3)));
        directory.insert_alias(far, flow(5), proven(&["e.example"]));
        assert_eq!(directory.find(far, Some(&name("e.example"))), Some(flow(5)));
        assert_eq!(directory.find(far, Some(&name("192.0.2.1"))), Some(flow(3)));
        directory.insert(far, flow(4), proven(&["a.example", "b.example", "c.example"]));
        assert!(![1, 2, 3].iter().any(|slot| directory.remove(far, flow(*slot))));
    }
}
