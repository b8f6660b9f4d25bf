//! How many connections the process has, and with whom.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::tcp::limits::TcpLimits;

/// Counts the connections of all shards. It is locked once when a connection begins and once when it ends.
#[derive(Debug)]
pub(crate) struct Census {
    counts: Mutex<Counts>,
    connections_max: usize,
    per_source_max: usize,
    handshakes_max: usize,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    handshakes: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// Which bound is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Process,
    Source,
}

/// The place of a connection that agrees on TLS; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct HandshakeSeat(Arc<Census>);

/// One connection's place; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Seat {
    census: Arc<Census>,
    source: IpAddr,
}

impl Census {
    pub(crate) fn new(limits: &TcpLimits) -> Census {
        Census {
            counts: Mutex::default(),
            connections_max: limits.connections_max,
            per_source_max: limits.connections_per_source_max,
            handshakes_max: limits.handshakes_max,
        }
    }

    /// A place for a connection with this address.
    pub(crate) fn admit(self: &Arc<Self>, remote: IpAddr) -> Result<Seat, Full> {
        let source = source_of(remote);
        let mut counts = self.counts();
        if counts.all >= self.connections_max {
            return Err(Full::Process);
        }
        let of_source = counts.by_source.get(&source).copied().unwrap_or(0);
        if of_source >= self.per_source_max {
            return Err(Full::Source);
        }
        counts.all = counts.all.saturating_add(1);
        counts.by_source.insert(source, of_source.saturating_add(1));
        Ok(Seat { census: Arc::clone(self), source })
    }

    /// A place among those that agree on TLS, if there is one.
    pub(crate) fn admit_handshake(self: &Arc<Self>) -> Option<HandshakeSeat> {
        let mut counts = self.counts();
        if counts.handshakes >= self.handshakes_max {
            return None;
        }
        counts.handshakes = counts.handshakes.saturating_add(1);
        Some(HandshakeSeat(Arc::clone(self)))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.counts().all
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.census.counts();
        counts.all = counts.all.saturating_sub(1);
        match counts.by_source.get_mut(&self.source) {
            Some(left) if *left > 1 => *left -= 1,
            _ => _ = counts.by_source.remove(&self.source),
        }
    }
}

impl Drop for HandshakeSeat {
    fn drop(&mut self) {
        let mut counts = self.0.counts();
        counts.handshakes = counts.handshakes.saturating_sub(1);
    }
}

/// Whoever has one address of an IPv6 network of 64 bits has all of them.
fn source_of(remote: IpAddr) -> IpAddr {
    match remote.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn census(connections_max: usize, connections_per_source_max: usize) -> Arc<Census> {
        let limits =
            TcpLimits { connections_max, connections_per_source_max, handshakes_max: 2, ..TcpLimits::default() };
        Arc::new(Census::new(&limits))
    }

    #[test]
    fn handshakes_are_bounded_and_places_come_back() {
        let census = census(10, 10);
        let (first, _second) = (census.admit_handshake().unwrap(), census.admit_handshake().unwrap());
        assert!(census.admit_handshake().is_none());
        drop(first);
        assert!(census.admit_handshake().is_some());
    }

    #[test]
    fn both_bounds_hold_and_places_come_back() {
        let census = census(3, 2);
        let first = census.admit(ip("192.0.2.1")).unwrap();
        let second = census.admit(ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(census.admit(ip("192.0.2.1")).unwrap_err(), Full::Source);
        let other = census.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(census.admit(ip("192.0.2.3")).unwrap_err(), Full::Process);
        drop(first);
        assert_eq!(census.len(), 2);
        let third = census.admit(ip("192.0.2.1")).unwrap();
        drop((second, third, other));
        assert_eq!(census.len(), 0);
        assert!(census.counts().by_source.is_empty());
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        let census = census(10, 1);
        let _seat = census.admit(ip("2001:db8:0:1::1")).unwrap();
        assert_eq!(census.admit(ip("2001:db8:0:1:ffff::2")).unwrap_err(), Full::Source);
        assert!(census.admit(ip("2001:db8:0:2::1")).is_ok());
    }
}
