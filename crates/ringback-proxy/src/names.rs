//! Which URIs are ours.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

use ringback_base::Transport;
use ringback_location::Aor;
use ringback_message::{Host, SipUri};

/// The names of one domain and the addresses that we listen on.
#[derive(Clone, Debug)]
pub struct Names {
    domain: Box<str>,
    hosts: Vec<Box<[u8]>>,
    listeners: Vec<(Transport, SocketAddr)>,
}

impl Names {
    /// A domain, its other names, and our listeners. A listener on a loopback address makes `localhost` a name too.
    #[must_use]
    pub fn new(domain: &str, aliases: &[Box<str>], listeners: &[(Transport, SocketAddr)]) -> Names {
        let mut hosts: Vec<Box<[u8]>> = aliases.iter().map(|name| name.as_bytes().into()).collect();
        hosts.push(domain.as_bytes().into());
        if listeners.iter().any(|(_, address)| address.ip().is_loopback()) {
            hosts.push((*b"localhost").into());
        }
        Names { domain: domain.into(), hosts, listeners: listeners.into() }
    }

    /// Whether the host names our domain: where a port is given it must be one of ours.
    pub fn is_domain<T: AsRef<[u8]>>(&self, uri: &SipUri<T>) -> bool {
        let host = match uri.host() {
            Host::Address(ip) => {
                self.listeners.iter().any(|(_, address)| address.ip() == ip) || self.is_name(uri.host.as_ref())
            }
            Host::Name(name) => self.is_name(name),
        };
        host && uri.port.is_none_or(|port| self.listeners.iter().any(|(_, address)| address.port() == port))
    }

    /// Whether a request sent to this URI would come to one of our listeners.
    pub fn is_listener<T: AsRef<[u8]>>(&self, uri: &SipUri<T>) -> bool {
        let transport = uri.params.value(b"transport").map_or(Some(Transport::Udp), Transport::from_name);
        let port = uri.port.unwrap_or_else(|| transport.map_or(5060, Transport::default_port));
        match uri.host() {
            Host::Address(ip) => self.listeners.iter().any(|(_, address)| *address == SocketAddr::new(ip, port)),
            Host::Name(name) => self.is_name(name) && self.listeners.iter().any(|(_, address)| address.port() == port),
        }
    }

    /// Whether a Via with this sent-by was written by us.
    #[must_use]
    pub fn is_sent_by(&self, host: Host<'_>, port: Option<u16>) -> bool {
        let Host::Address(ip) = host else { return false };
        self.listeners.iter().any(|(transport, address)| {
            address.ip() == ip && address.port() == port.unwrap_or_else(|| transport.default_port())
        })
    }

    fn is_name(&self, name: &[u8]) -> bool {
        self.hosts.iter().any(|host| host.eq_ignore_ascii_case(name))
    }

    /// The address of record that a URI of our domain names; `None` where it has no user part or the user part is too long.
    pub fn aor<T: AsRef<[u8]>>(&self, uri: &SipUri<T>) -> Option<Aor> {
        Aor::new(uri.user.as_ref()?.as_ref(), &self.domain).ok()
    }

    /// Whether we listen by this transport, and so can send by it.
    #[must_use]
    pub fn has(&self, transport: Transport) -> bool {
        self.listeners.iter().any(|(t, _)| *t == transport)
    }

    /// A listener that a datagram to this address can leave by: of the same address family, the same address first.
    #[must_use]
    pub fn outbound(&self, transport: Transport, remote: &SocketAddr, preferred: SocketAddr) -> Option<SocketAddr> {
        let fits = |address: &SocketAddr| {
            address.is_ipv4() == remote.is_ipv4() && (address.ip().is_loopback() == remote.ip().is_loopback())
        };
        let of_transport = || self.listeners.iter().filter(|(t, _)| *t == transport).map(|(_, address)| *address);
        of_transport()
            .find(|address| *address == preferred && fits(address))
            .or_else(|| of_transport().find(fits))
            .or_else(|| of_transport().find(|address| address.is_ipv4() == remote.is_ipv4()))
    }
}
