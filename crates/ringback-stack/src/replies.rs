//! Responses that can't go back the way that their requests came. `[RFC 3261, Section 18.2.2]` `[RFC 3263, Section 5]`

use ringback_base::{Hop, Now, Random};
use ringback_proxy::Limit;
use ringback_transaction::ServerId;
use ringback_transport::resolve::{Aim, Located};

use crate::Stack;
use crate::branches::Wanted;

impl Stack {
    /// The hop of a server transaction has failed.
    pub(crate) fn on_reply_failed(&mut self, server: ServerId, now: Now) {
        if !self.detours.failed(&mut self.transactions, server, now) {
            return;
        }
        let request = self.transactions.server_request(server);
        let Some(aim) = request.and_then(|request| Aim::of_via(&request.top_via()).ok()) else { return };
        if aim.name().is_some() && self.has_no_lookup_left() {
            return self.counters.reached(Limit::Lookups);
        }
        self.detours.seek(server);
        let random = Random::from_seed(self.random.seed());
        self.walk(aim, random, Wanted::Reply { server }, now);
    }

    /// What sent-by leads to.
    pub(crate) fn reply_located(&mut self, server: ServerId, targets: &[Located], now: Now) {
        let Some(failed) = self.transactions.server_reply_hop(server) else { return };
        let names = &self.names;
        let hop = |target: &Located| {
            let local = names.outbound(target.transport, &target.address, failed.local)?;
            Some(Hop { transport: target.transport, local, remote: target.address, flow: None })
        };
        self.detours.found(&mut self.transactions, server, targets.iter().filter_map(hop), now);
    }
}
