//! Responses that can't go back the way that their requests came. `[RFC 3261, Section 18.2.2]` `[RFC 3263, Section 5]`

use alloc::collections::VecDeque;

use ringback_base::{Hop, Now, Random, Transport};
use ringback_proxy::Limit;
use ringback_transaction::ServerId;
use ringback_transport::resolve::{Aim, Located};

use crate::Stack;
use crate::branches::Wanted;

/// What is left to try for the responses of one request.
#[derive(Debug)]
pub(crate) enum Detour {
    /// Its top Via is being looked up.
    Sought,
    /// These hops, the next one first.
    Hops(VecDeque<Hop>),
}

impl Stack {
    /// The hop of a server transaction has failed. First the source of the request is tried by another connection, at the port of
    /// sent-by; then what sent-by leads to. Nobody opens a connection to a client of WebSocket.
    pub(crate) fn on_reply_failed(&mut self, server: ServerId, now: Now) {
        let Some(hop) = self.transactions.server_reply_hop(server) else { return };
        if matches!(hop.transport, Transport::Ws | Transport::Wss) {
            return;
        }
        if hop.flow.is_some() && self.transactions.loosen(server) {
            return;
        }
        match self.detours.get_mut(&server) {
            Some(Detour::Sought) => {}
            Some(Detour::Hops(hops)) => {
                if let Some(next) = hops.pop_front() {
                    self.transactions.redirect(server, next, now);
                }
            }
            None => self.seek_reply(server, now),
        }
    }

    fn seek_reply(&mut self, server: ServerId, now: Now) {
        let request = self.transactions.server_request(server);
        let Some(aim) = request.and_then(|request| Aim::of_via(&request.top_via()).ok()) else { return };
        if aim.name().is_some() && self.has_no_lookup_left() {
            return self.counters.reached(Limit::Lookups);
        }
        self.detours.insert(server, Detour::Sought);
        let random = Random::from_seed(self.random.seed());
        self.walk(aim, random, Wanted::Reply { server }, now);
    }

    /// What sent-by leads to: "the next entry in the list is tried if the one before it results in a failure". `[RFC 3263, Section 5]`
    pub(crate) fn reply_located(&mut self, server: ServerId, targets: &[Located], now: Now) {
        let Some(failed) = self.transactions.server_reply_hop(server) else { return };
        let names = &self.names;
        let hop = |target: &Located| {
            let local = names.outbound(target.transport, &target.address, failed.local)?;
            Some(Hop { transport: target.transport, local, remote: target.address, flow: None })
        };
        let is_new = |hop: &Hop| (hop.transport, hop.remote) != (failed.transport, failed.remote);
        let mut hops: VecDeque<Hop> = targets.iter().filter_map(hop).filter(is_new).collect();
        let next = hops.pop_front();
        self.detours.insert(server, Detour::Hops(hops));
        if let Some(next) = next {
            self.transactions.redirect(server, next, now);
        }
    }
}
