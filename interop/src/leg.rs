//! By which protocol and address family a peer talks to the server.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The protocol below SIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say all")]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

impl Transport {
    /// As it stands in a Via.
    #[must_use]
    pub fn in_via(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// The port of a server that listens by UDP and TCP at this address; TLS is beside them.
    #[must_use]
    pub fn port(self, server: SocketAddr) -> u16 {
        server.port() + u16::from(self == Self::Tls)
    }

    /// Such a server as a URI names it. Over TLS it goes by its name, which is what a certificate is for.
    #[must_use]
    pub fn host_port(self, server: SocketAddr) -> String {
        match self {
            Self::Tls => format!("localhost:{}", self.port(server)),
            _ => server.to_string(),
        }
    }

    /// As it stands in a URI, and on the command lines of most peers.
    #[must_use]
    pub fn in_uri(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.in_via())
    }
}

/// The way between one peer and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// The protocol.
    pub transport: Transport,
    /// Our loopback address in the leg's family.
    pub ip: IpAddr,
}

impl Leg {
    /// UDP on 127.0.0.1.
    pub const UDP: Self = Self { transport: Transport::Udp, ip: IpAddr::V4(Ipv4Addr::LOCALHOST) };
    /// TCP on 127.0.0.1.
    pub const TCP: Self = Self { transport: Transport::Tcp, ip: IpAddr::V4(Ipv4Addr::LOCALHOST) };
    /// UDP on ::1.
    pub const UDP6: Self = Self { transport: Transport::Udp, ip: IpAddr::V6(Ipv6Addr::LOCALHOST) };
    /// TCP on ::1.
    pub const TCP6: Self = Self { transport: Transport::Tcp, ip: IpAddr::V6(Ipv6Addr::LOCALHOST) };

    /// A regular expression for the leg's address, as it stands in a URI.
    #[must_use]
    pub fn host_pattern(self) -> &'static str {
        if self.ip.is_ipv4() { "127[.]0[.]0[.]1" } else { "[[]::1[]]" }
    }

    /// SIPp's name for the transport, with one socket for all calls.
    #[must_use]
    pub fn in_sipp(self) -> &'static str {
        match self.transport {
            Transport::Udp => "u1",
            Transport::Tcp => "t1",
            // Debian's SIPp has no TLS, and says so.
            Transport::Tls => "l1",
        }
    }
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.transport, if self.ip.is_ipv4() { "IPv4" } else { "IPv6" })
    }
}
