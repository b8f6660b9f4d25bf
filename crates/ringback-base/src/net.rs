//! Where a message comes from and goes to.

use core::fmt;
use core::net::SocketAddr;

/// A transport protocol, by the names that Via and `transport=` use. `[RFC 3261, Section 18]` `[RFC 7118, Section 5.2]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams, no reliability.
    Udp,
    /// A byte stream.
    Tcp,
    /// TLS over a byte stream.
    Tls,
    /// WebSocket.
    Ws,
    /// WebSocket over TLS.
    Wss,
}

impl Transport {
    /// True where the transport itself repeats what was lost, so that transactions do not. `[RFC 3261, Section 17]`
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Transport::Udp)
    }

    /// The port where a URI or Via names none. `[RFC 3261, Section 19.1.2]`
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 5060,
            Transport::Tls => 5061,
            Transport::Ws => 80,
            Transport::Wss => 443,
        }
    }

    /// The name as Via writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
            Transport::Ws => "WS",
            Transport::Wss => "WSS",
        }
    }

    /// The transport of that name, in any case; `None` for one we do not have.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Transport> {
        [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss]
            .into_iter()
            .find(|t| t.as_str().as_bytes().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One accepted or opened connection: the shard that owns it, its place there, and how often that place was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId {
    /// The shard that accepted the connection.
    pub shard: u16,
    /// Its place in that shard's table.
    pub slot: u32,
    /// Distinguishes it from earlier users of the place.
    pub generation: u32,
}

/// One hop: from which of our addresses, over what, to or from which of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hop {
    /// The protocol.
    pub transport: Transport,
    /// Our side: the listener's address, also for a connection that we opened, though that has a port of its own.
    pub local: SocketAddr,
    /// Their side.
    pub remote: SocketAddr,
    /// The connection, where the transport has them and it is known.
    pub flow: Option<FlowId>,
}

impl Hop {
    /// A datagram's hop.
    #[must_use]
    pub const fn udp(local: SocketAddr, remote: SocketAddr) -> Hop {
        Hop { transport: Transport::Udp, local, remote, flow: None }
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (we are {})", self.transport, self.remote, self.local)
    }
}
