//! Targets that have failed lately.

use alloc::collections::BTreeMap;
use core::net::SocketAddr;

use ringback_base::{Micros, Transport};

use super::Located;

/// How many failed targets are remembered.
pub const FAILED_TARGETS_MAX: usize = 1_024;

/// Targets that have failed, each until its time is over. Those are tried last, so that a call doesn't wait for what the one before
/// has found dead. `[RFC 3263, Section 4.3]`
#[derive(Clone, Debug, Default)]
pub struct FailedTargets {
    until: BTreeMap<(Transport, SocketAddr), Micros>,
}

impl FailedTargets {
    /// It has failed, and is put last until then.
    pub fn failed(&mut self, transport: Transport, address: SocketAddr, now: Micros, until: Micros) {
        let key = (transport, address);
        if self.until.len() >= FAILED_TARGETS_MAX && !self.until.contains_key(&key) {
            self.until.retain(|_, until| *until > now);
            self.forget_one();
        }
        self.until.insert(key, until);
    }

    /// The one whose time is over first makes room.
    fn forget_one(&mut self) {
        let first = self.until.iter().min_by_key(|(_, until)| **until).map(|(key, _)| *key);
        if let Some(first) = first.filter(|_| self.until.len() >= FAILED_TARGETS_MAX) {
            self.until.remove(&first);
        }
    }

    /// It has answered.
    pub fn answered(&mut self, transport: Transport, address: SocketAddr) {
        self.until.remove(&(transport, address));
    }

    /// Whether it failed, and its time isn't over.
    #[must_use]
    pub fn is_failed(&self, transport: Transport, address: SocketAddr, now: Micros) -> bool {
        self.until.get(&(transport, address)).is_some_and(|until| *until > now)
    }

    /// Puts those that have failed behind the others; the order is otherwise as it was.
    pub fn put_last(&self, targets: &mut [Located], now: Micros) {
        if !self.until.is_empty() {
            targets.sort_by_key(|target| self.is_failed(target.transport, target.address, now));
        }
    }

    /// How many are remembered, those whose time is over perhaps among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.until.len()
    }

    /// True where none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.until.is_empty()
    }
}
