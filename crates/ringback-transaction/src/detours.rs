//! Responses whose way is gone.

use alloc::collections::{BTreeMap, VecDeque};

use ringback_base::{Hop, Now, Transport};

use crate::event::ServerId;
use crate::transactions::Transactions;

/// Which ways are left for the responses of those requests whose own way is gone. `[RFC 3261, Section 18.2.2]`
/// `[RFC 3263, Section 5]`
///
/// Its owner looks up what must be looked up: [`Detours::failed`] says when, [`Detours::found`] takes the answer.
#[derive(Debug, Default)]
pub struct Detours(BTreeMap<ServerId, Detour>);

#[derive(Debug)]
enum Detour {
    /// Its top Via is being looked up.
    Sought,
    /// These hops, the next one first.
    Hops(VecDeque<Hop>),
}

impl Detours {
    /// True where no request has any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The hop of a server transaction has failed ([`Event::ServerFailed`](crate::Event::ServerFailed)). First the source of the request
    /// is tried by another connection, at the port of sent-by; then what sent-by leads to. True where that is to be looked up, and
    /// [`Detours::seek`] said. Nobody opens a connection to a client of WebSocket.
    pub fn failed(&mut self, transactions: &mut Transactions, server: ServerId, now: Now) -> bool {
        let Some(hop) = transactions.server_reply_hop(server) else { return false };
        if matches!(hop.transport, Transport::Ws | Transport::Wss)
            || (hop.flow.is_some() && transactions.loosen(server))
        {
            return false;
        }
        match self.0.get_mut(&server) {
            None => return true,
            Some(Detour::Sought) => {}
            Some(Detour::Hops(hops)) => {
                if let Some(next) = hops.pop_front() {
                    transactions.redirect(server, next, now);
                }
            }
        }
        false
    }

    /// What sent-by leads to is being looked up.
    pub fn seek(&mut self, server: ServerId) {
        self.0.insert(server, Detour::Sought);
    }

    /// What sent-by leads to: "the next entry in the list is tried if the one before it results in a failure". The hop that has failed
    /// is not tried again. `[RFC 3263, Section 5]`
    pub fn found(
        &mut self,
        transactions: &mut Transactions,
        server: ServerId,
        hops: impl IntoIterator<Item = Hop>,
        now: Now,
    ) {
        let Some(failed) = transactions.server_reply_hop(server) else { return };
        let is_new = |hop: &Hop| (hop.transport, hop.remote) != (failed.transport, failed.remote);
        let mut hops: VecDeque<Hop> = hops.into_iter().filter(is_new).collect();
        let next = hops.pop_front();
        self.0.insert(server, Detour::Hops(hops));
        if let Some(next) = next {
            transactions.redirect(server, next, now);
        }
    }

    /// The transaction is gone.
    pub fn forget(&mut self, server: ServerId) {
        self.0.remove(&server);
    }
}
