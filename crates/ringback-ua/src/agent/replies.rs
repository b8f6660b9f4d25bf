//! Responses whose way is gone. `[RFC 3261, Section 18.2.2]` `[RFC 3263, Section 5]`

use alloc::boxed::Box;
use alloc::format;

use ringback_base::{Hop, Now, Transport};
use ringback_message::{Host, Via};
use ringback_transaction::ServerId;

use super::UserAgent;
use crate::config::HOPS_MAX;
use crate::event::Lookup;

impl UserAgent {
    /// The hop of a server transaction has failed.
    pub(crate) fn reply_failed(&mut self, server: ServerId, now: Now) {
        if !self.detours.failed(&mut self.transactions, server, now) {
            return;
        }
        let request = self.transactions.server_request(server);
        let Some(uri) = request.and_then(|request| uri_of(&request.top_via())) else { return };
        self.detours.seek(server);
        if let Some(hop) = self.direct_to(&uri) {
            return self.detours.found(&mut self.transactions, server, [hop], now);
        }
        let id = self.next_sending();
        self.replies_sought.insert(id, server);
        self.lookups.push_back(Lookup { id, uri });
    }

    /// What sent-by leads to. False where it is no look-up of a response.
    pub(crate) fn reply_found(&mut self, id: u64, hops: &[Hop], now: Now) -> bool {
        let Some(server) = self.replies_sought.remove(&id) else { return false };
        self.detours.found(&mut self.transactions, server, hops.iter().take(HOPS_MAX).copied(), now);
        true
    }

    /// The transaction is gone.
    pub(crate) fn forget_reply(&mut self, server: ServerId) {
        self.detours.forget(server);
        self.replies_sought.retain(|_, sought| *sought != server);
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
