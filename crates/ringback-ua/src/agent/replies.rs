//! Responses whose way is gone. `[RFC 3261, Section 18.2.2]` `[RFC 3263, Section 5]`

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;

use ringback_base::{Hop, Now, Transport};
use ringback_message::{Host, Via};
use ringback_transaction::ServerId;

use super::UserAgent;
use crate::config::HOPS_MAX;
use crate::event::Lookup;

/// What is left to try for the responses of some requests.
#[derive(Debug, Default)]
pub(crate) struct Detours(BTreeMap<ServerId, Detour>);

#[derive(Debug)]
enum Detour {
    /// Its top Via is being looked up, under this number.
    Sought(u64),
    /// These hops, the next one first.
    Hops(VecDeque<Hop>),
}

impl Detours {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The transaction is gone.
    pub(crate) fn forget(&mut self, server: ServerId) {
        self.0.remove(&server);
    }

    fn sought(&self, lookup: u64) -> Option<ServerId> {
        let is_it = |detour: &Detour| matches!(detour, Detour::Sought(id) if *id == lookup);
        self.0.iter().find(|(_, detour)| is_it(detour)).map(|(server, _)| *server)
    }
}

impl UserAgent {
    /// The hop of a server transaction has failed. First the source of the request is tried by another connection, at the port of
    /// sent-by; then what sent-by leads to. Nobody opens a connection to a client of WebSocket.
    pub(crate) fn reply_failed(&mut self, server: ServerId, now: Now) {
        let Some(hop) = self.transactions.server_reply_hop(server) else { return };
        if matches!(hop.transport, Transport::Ws | Transport::Wss) {
            return;
        }
        if hop.flow.is_some() && self.transactions.loosen(server) {
            return;
        }
        match self.detours.0.get_mut(&server) {
            Some(Detour::Sought(_)) => {}
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
        let Some(uri) = request.and_then(|request| uri_of(&request.top_via())) else { return };
        let id = self.next_sending();
        self.detours.0.insert(server, Detour::Sought(id));
        match self.direct_to(&uri) {
            Some(hop) => _ = self.reply_found(id, &[hop], now),
            None => self.lookups.push_back(Lookup { id, uri }),
        }
    }

    /// What sent-by leads to: "the next entry in the list is tried if the one before it results in a failure". False where it is
    /// no look-up of a response. `[RFC 3263, Section 5]`
    pub(crate) fn reply_found(&mut self, id: u64, hops: &[Hop], now: Now) -> bool {
        let Some(server) = self.detours.sought(id) else { return false };
        let Some(failed) = self.transactions.server_reply_hop(server) else { return true };
        let is_new = |hop: &&Hop| (hop.transport, hop.remote) != (failed.transport, failed.remote);
        let mut hops: VecDeque<Hop> = hops.iter().filter(is_new).take(HOPS_MAX).copied().collect();
        let next = hops.pop_front();
        self.detours.0.insert(server, Detour::Hops(hops));
        if let Some(next) = next {
            self.transactions.redirect(server, next, now);
        }
        true
    }
}

/// A URI that leads where this Via does: by its transport, and over TLS to whom a certificate can prove to be.
fn uri_of(via: &Via<&[u8]>) -> Option<Box<[u8]>> {
    let transport = Transport::from_name(via.transport)?;
    let host = match via.sent_by_host() {
        Host::Address(ip) if ip.is_ipv6() => format!("[{ip}]"),
        Host::Address(ip) => format!("{ip}"),
        Host::Name(name) => core::str::from_utf8(name).ok()?.into(),
    };
    let port = via.port.map(|port| format!(":{port}")).unwrap_or_default();
    let uri = match transport {
        Transport::Udp => format!("sip:{host}{port};transport=udp"),
        Transport::Tcp => format!("sip:{host}{port};transport=tcp"),
        Transport::Tls => format!("sips:{host}{port}"),
        Transport::Ws | Transport::Wss => return None,
    };
    Some(uri.into_bytes().into())
}
