//! Which URIs are ours.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;

use ringback_base::Transport;
use ringback_location::{Aor, AorError};
use ringback_message::{Host, SipUri};

/// One address that we listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The protocol.
    pub transport: Transport,
    /// The address, never an unspecified one: without [`Listener::advertised`] it is what Via and Record-Route name.
    pub address: SocketAddr,
    /// What others reach it by, where that is another address: behind a 1:1 NAT, in a container.
    pub advertised: Option<Advertised>,
}

/// A host and port that others reach a listener by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertised {
    host: Box<str>,
    port: u16,
    behind_tls: bool,
}

impl Advertised {
    /// A host name or address (an IPv6 one in brackets) and a port; `None` where the host is none or the port is 0.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Option<Advertised> {
        (Host::of(host.as_bytes()).is_some() && port > 0).then(|| Advertised {
            host: host.into(),
            port,
            behind_tls: false,
        })
    }

    /// Others come to it by TLS, which ends at a load balancer: it is a listener by TCP, but Record-Route and Path say TLS.
    #[must_use]
    pub fn behind_tls(self) -> Advertised {
        Advertised { behind_tls: true, ..self }
    }

    /// The host, an IPv6 one in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for Advertised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Listener {
    /// A listener that is reached by its own address.
    #[must_use]
    pub const fn new(transport: Transport, address: SocketAddr) -> Listener {
        Listener { transport, address, advertised: None }
    }

    /// A UDP listener.
    #[must_use]
    pub fn udp(address: SocketAddr) -> Listener {
        Listener::new(Transport::Udp, address)
    }

    /// A TCP listener.
    #[must_use]
    pub fn tcp(address: SocketAddr) -> Listener {
        Listener::new(Transport::Tcp, address)
    }

    fn is_host(&self, host: Host<'_>) -> bool {
        let advertised = self.advertised.as_ref().is_some_and(|a| match (Host::of(a.host.as_bytes()), host) {
            (Some(Host::Address(a)), Host::Address(b)) => a == b,
            (Some(Host::Name(a)), Host::Name(b)) => a.eq_ignore_ascii_case(b),
            _ => false,
        });
        advertised || host == Host::Address(self.address.ip())
    }

    fn is_port(&self, port: u16) -> bool {
        self.address.port() == port || self.advertised.as_ref().is_some_and(|a| a.port == port)
    }
}

/// The names of one domain and the addresses that we listen on.
#[derive(Clone, Debug)]
pub struct Names {
    domain: Box<str>,
    hosts: Vec<Box<[u8]>>,
    listeners: Vec<Listener>,
}

impl Names {
    /// A domain, its other names, and our listeners. A listener on a loopback address makes `localhost` a name too.
    #[must_use]
    pub fn new(domain: &str, aliases: &[Box<str>], listeners: &[Listener]) -> Names {
        let mut hosts: Vec<Box<[u8]>> = aliases.iter().map(|name| name.as_bytes().into()).collect();
        hosts.push(domain.as_bytes().into());
        if listeners.iter().any(|listener| listener.address.ip().is_loopback()) {
            hosts.push((*b"localhost").into());
        }
        Names { domain: domain.into(), hosts, listeners: listeners.into() }
    }

    /// The domain, by its first name.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether the host names our domain: where a port is given it must be one of ours.
    pub fn is_domain<T: AsRef<[u8]>>(&self, uri: &SipUri<T>) -> bool {
        let host = uri.host();
        (self.is_name(uri.host.as_ref()) || self.listeners.iter().any(|listener| listener.is_host(host)))
            && uri.port.is_none_or(|port| self.listeners.iter().any(|listener| listener.is_port(port)))
    }

    /// Whether a request sent to this URI would come to one of our listeners.
    pub fn is_listener<T: AsRef<[u8]>>(&self, uri: &SipUri<T>) -> bool {
        let transport = uri.params.value(b"transport").map_or(Some(Transport::Udp), Transport::from_name);
        let port = uri.port.unwrap_or_else(|| transport.map_or(5060, Transport::default_port));
        let (host, is_name) = (uri.host(), self.is_name(uri.host.as_ref()));
        self.listeners.iter().any(|listener| (is_name || listener.is_host(host)) && listener.is_port(port))
    }

    /// Whether a Via with this sent-by was written by us.
    #[must_use]
    pub fn is_sent_by(&self, host: Host<'_>, port: Option<u16>) -> bool {
        let is_ours = |listener: &Listener| {
            listener.is_host(host) && listener.is_port(port.unwrap_or_else(|| listener.transport.default_port()))
        };
        self.listeners.iter().any(is_ours)
    }

    /// Host and port of a listener as others write it.
    #[must_use]
    pub fn written(&self, transport: Transport, local: SocketAddr) -> String {
        self.advertised(transport, local).map_or_else(|| local.to_string(), Advertised::to_string)
    }

    /// The transport by which others come to a listener.
    #[must_use]
    pub fn reached_by(&self, transport: Transport, local: SocketAddr) -> Transport {
        let is_behind_tls = self.advertised(transport, local).is_some_and(|name| name.behind_tls);
        if is_behind_tls && transport == Transport::Tcp { Transport::Tls } else { transport }
    }

    /// Whether others come to a listener by a host name, which a certificate can prove.
    #[must_use]
    pub fn has_name(&self, transport: Transport, local: SocketAddr) -> bool {
        let name = self.advertised(transport, local).and_then(|name| Host::of(name.host.as_bytes()));
        matches!(name, Some(Host::Name(_)))
    }

    fn advertised(&self, transport: Transport, local: SocketAddr) -> Option<&Advertised> {
        let listener = self.listeners.iter().find(|l| l.transport == transport && l.address == local);
        listener.and_then(|listener| listener.advertised.as_ref())
    }

    fn is_name(&self, name: &[u8]) -> bool {
        self.hosts.iter().any(|host| host.eq_ignore_ascii_case(name))
    }

    /// The address of record that a URI of our domain names.
    ///
    /// # Errors
    /// Where it has no user part, or one that is too long.
    pub fn aor<T: AsRef<[u8]>>(&self, uri: &SipUri<T>) -> Result<Aor, AorError> {
        Aor::of(uri, &self.domain)
    }

    /// The listener that a name of our domain leads to, at this port: no resolver need know it.
    #[must_use]
    pub fn listener_of(&self, transport: Transport, host: &str, port: u16) -> Option<SocketAddr> {
        let mut fitting = self.listeners.iter().filter(|l| l.transport == transport && l.is_port(port));
        fitting.next().filter(|_| self.is_name(host.as_bytes())).map(|listener| listener.address)
    }

    /// Whether we listen by this transport, and so can send by it.
    #[must_use]
    pub fn has(&self, transport: Transport) -> bool {
        self.listeners.iter().any(|listener| listener.transport == transport)
    }

    /// A listener that a message to this address can leave by: of the same address family, the preferred one first.
    #[must_use]
    pub fn outbound(&self, transport: Transport, remote: &SocketAddr, preferred: SocketAddr) -> Option<SocketAddr> {
        let same_family = |address: &SocketAddr| address.is_ipv4() == remote.is_ipv4();
        let fits =
            |address: &SocketAddr| same_family(address) && address.ip().is_loopback() == remote.ip().is_loopback();
        let of_transport = || self.listeners.iter().filter(|l| l.transport == transport).map(|l| l.address);
        of_transport()
            .find(|address| *address == preferred && fits(address))
            .or_else(|| of_transport().find(fits))
            .or_else(|| of_transport().find(same_family))
    }
}
