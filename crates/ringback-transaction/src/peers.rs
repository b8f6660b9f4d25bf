//! Timers of peers that have their own.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::net::IpAddr;

use ringback_base::Hop;

use crate::timers::Timers;

/// The timers of all, and of those for whom others were set. A transaction keeps the ones that it began with.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
    all: Timers,
    own: BTreeMap<IpAddr, Arc<Timers>>,
}

impl Peers {
    pub(crate) fn new(all: Timers) -> Peers {
        Peers { all, own: BTreeMap::new() }
    }

    pub(crate) fn set(&mut self, peer: IpAddr, timers: Option<Timers>) {
        match timers {
            Some(timers) => self.own.insert(peer.to_canonical(), Arc::new(timers)),
            None => self.own.remove(&peer.to_canonical()),
        };
    }

    /// What a new transaction over this hop has of its own.
    pub(crate) fn own(&self, hop: &Hop) -> Option<Arc<Timers>> {
        // Most have set none, and then a transaction costs no look-up.
        if self.own.is_empty() { None } else { self.own.get(&hop.remote.ip().to_canonical()).cloned() }
    }

    pub(crate) fn of<'a>(&'a self, own: Option<&'a Arc<Timers>>) -> &'a Timers {
        own.map_or(&self.all, |own| own)
    }
}
