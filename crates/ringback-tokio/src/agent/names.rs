//! Where a URI leads.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use ringback_base::{Hop, Transport};
use ringback_message::{HeaderId, Uri};
use ringback_ua::{Local, Lookup};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::lookups::RESOLVES_MAX;

/// How long a host name may take; beyond it the URI leads nowhere.
pub const NAME_TIMEOUT: Duration = Duration::from_secs(5);

/// The hops of a look-up.
pub(crate) type Found = (u64, Vec<Hop>);

/// Looks up host names by the resolver of the system, which blocks: each on a thread of its own, [`RESOLVES_MAX`] at a time.
#[derive(Debug)]
pub(crate) struct Names {
    locals: Vec<Local>,
    found: mpsc::Sender<Found>,
    resolves: Arc<Semaphore>,
}

impl Names {
    pub(crate) fn new(locals: Vec<Local>, found: mpsc::Sender<Found>) -> Names {
        Names { locals, found, resolves: Arc::new(Semaphore::new(RESOLVES_MAX)) }
    }

    /// The hops, where they are known at once; otherwise they come by the channel.
    pub(crate) fn ask(&self, lookup: &Lookup) -> Option<Vec<Hop>> {
        let id = lookup.id;
        let Some(wanted) = Wanted::of(&lookup.uri) else { return Some(Vec::new()) };
        // An address needs no look-up; who asks for one nevertheless has no socket for it.
        let Ok(permit) = Arc::clone(&self.resolves).try_acquire_owned() else {
            tracing::warn!(host = %wanted.host, "too many host names are being looked up");
            return Some(Vec::new());
        };
        let (found, locals) = (self.found.clone(), self.locals.clone());
        tokio::spawn(async move {
            let host = wanted.host.clone();
            let asked = spawn_blocking(move || {
                let addresses = addresses_of(&host);
                // The permit stays with the thread, which may be busy long after the time is up.
                drop(permit);
                addresses
            });
            let addresses = match timeout(NAME_TIMEOUT, asked).await {
                Ok(Ok(Ok(addresses))) => addresses,
                _ => {
                    tracing::debug!(host = %wanted.host, "a host name leads nowhere");
                    Vec::new()
                }
            };
            // Where nobody takes it, the agent is gone.
            _ = found.send((id, wanted.hops(&addresses, &locals))).await;
        });
        None
    }
}

/// What is wanted of a host.
struct Wanted {
    host: String,
    port: u16,
    transport: Transport,
}

impl Wanted {
    /// `[RFC 3263, Section 4.1]` without NAPTR and SRV: the transport that the URI names, or UDP, TLS for `sips`.
    fn of(uri: &[u8]) -> Option<Wanted> {
        let Ok(Uri::Sip(uri)) = Uri::parse(uri, HeaderId::Other, 0) else { return None };
        let transport = match uri.params.value(b"transport") {
            Some(name) => Transport::from_name(name)?,
            None if uri.secure => Transport::Tls,
            None => Transport::Udp,
        };
        let host = std::str::from_utf8(uri.params.value(b"maddr").unwrap_or(uri.host)).ok()?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Some(Wanted { host, port: uri.port.unwrap_or(transport.default_port()), transport })
    }

    /// From our address of that transport and family to each of theirs.
    fn hops(&self, addresses: &[IpAddr], locals: &[Local]) -> Vec<Hop> {
        let hop = |address: &IpAddr| {
            let fits =
                |local: &&Local| local.transport == self.transport && local.address.is_ipv4() == address.is_ipv4();
            let local = locals.iter().find(fits)?.address;
            let remote = SocketAddr::new(*address, self.port);
            Some(Hop { transport: self.transport, local, remote, flow: None })
        };
        addresses.iter().filter_map(hop).collect()
    }
}

/// In the order that the system prefers, each once.
fn addresses_of(host: &str) -> io::Result<Vec<IpAddr>> {
    let mut addresses = Vec::new();
    for address in (host, 0).to_socket_addrs()? {
        if !addresses.contains(&address.ip()) {
            addresses.push(address.ip());
        }
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn hops(uri: &str, transports: &[Transport]) -> Vec<String> {
        let local = |transport: &Transport| Local::new(*transport, "192.0.2.1:5060".parse().unwrap());
        let locals: Vec<Local> = transports.iter().map(local).collect();
        let addresses = ["192.0.2.7", "2001:db8::7"].map(|address| address.parse().unwrap());
        let wanted = Wanted::of(uri.as_bytes());
        let hops = wanted.map(|wanted| wanted.hops(&addresses, &locals)).unwrap_or_default();
        hops.iter().map(|hop| format!("{} {}", hop.transport, hop.remote)).collect()
    }

    #[test]
    fn the_uri_says_how_and_where() {
        let both = [Transport::Udp, Transport::Tcp];
        assert_eq!(hops("sip:b.example", &both), ["UDP 192.0.2.7:5060"]);
        assert_eq!(hops("sip:bob@b.example:5070;transport=tcp", &both), ["TCP 192.0.2.7:5070"]);
        assert_eq!(hops("sip:b.example;transport=tcp", &both[..1]), [""; 0]);
        assert_eq!(hops("sips:b.example", &both), [""; 0]);
        assert_eq!(hops("tel:+4930", &both), [""; 0]);
        assert_eq!(Wanted::of(b"sip:b.example;maddr=c.example").unwrap().host, "c.example");
    }
}
