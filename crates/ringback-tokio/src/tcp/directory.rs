//! Connections by their far end, whichever shard has them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ringback_base::FlowId;

/// For each far end the latest connection that a request can take.
///
/// > These connections are indexed by the tuple formed from the address, port, and transport protocol at the far end of the connection.
/// > `[RFC 3261, Section 18]`
///
/// One for all shards, because a phone has one connection, and those who call it are anywhere. It is locked when a connection begins
/// and ends, and for each request that names none.
#[derive(Debug, Default)]
pub(crate) struct Directory(Mutex<HashMap<SocketAddr, FlowId>>);

impl Directory {
    pub(crate) fn insert(&self, remote: SocketAddr, flow: FlowId) {
        self.rows().insert(remote, flow);
    }

    pub(crate) fn find(&self, remote: SocketAddr) -> Option<FlowId> {
        self.rows().get(&remote).copied()
    }

    /// Takes a connection out; false where it is not the latest.
    pub(crate) fn remove(&self, remote: SocketAddr, flow: FlowId) -> bool {
        let mut rows = self.rows();
        let is_latest = rows.get(&remote) == Some(&flow);
        if is_latest {
            rows.remove(&remote);
        }
        is_latest
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<SocketAddr, FlowId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_latest_counts() {
        let directory = Directory::default();
        let remote = "192.0.2.1:5060".parse().unwrap();
        let flow = |slot| FlowId { shard: 0, slot, generation: 7 };
        directory.insert(remote, flow(1));
        directory.insert(remote, flow(2));
        assert!(!directory.remove(remote, flow(1)));
        assert_eq!(directory.find(remote), Some(flow(2)));
        assert!(directory.remove(remote, flow(2)));
        assert_eq!(directory.find(remote), None);
    }
}
