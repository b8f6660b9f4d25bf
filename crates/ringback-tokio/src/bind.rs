//! Opening the sockets, before anything else is started.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use ringback_base::Transport;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// How many bytes the kernel is asked to hold for a socket in each direction; it may grant less.
pub const SOCKET_BUFFER_BYTES: usize = 4 << 20;

/// Where the asking for a smaller buffer ends.
const SOCKET_BUFFER_BYTES_MIN: usize = 64 << 10;

/// How many connections may wait in the kernel to be accepted by one socket; it may grant less.
const ACCEPT_BACKLOG: i32 = 1_024;

/// How often the kernel is asked for a port, until it gives one that is free for UDP and for TCP.
const PORT_TRIES: usize = 16;

/// One address to listen on.
///
/// > For any port and interface that a server listens on for UDP, it MUST listen on that same port and interface for TCP.
/// > `[RFC 3261, Section 18.2.1]`
///
/// because a message may be too large for a datagram. Whoever leaves out TCP nevertheless should know why. TLS has a port of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenOn {
    /// The address; port 0 lets the kernel choose, the same for UDP and the stream. An unspecified address is refused, because Via could not name it.
    pub address: SocketAddr,
    /// Passes over an address that this machine does not have, such as `::1` where there is no IPv6.
    pub if_available: bool,
    /// Listens by UDP.
    pub udp: bool,
    /// What is spoken by those who connect: TCP itself, or a transport over it. One port can't have two of them.
    pub stream: Option<Transport>,
}

impl ListenOn {
    /// This address by UDP and TCP; it must be there.
    #[must_use]
    pub const fn new(address: SocketAddr) -> ListenOn {
        ListenOn { address, if_available: false, udp: true, stream: Some(Transport::Tcp) }
    }

    /// This address by one transport alone; it must be there.
    #[must_use]
    pub const fn by(transport: Transport, address: SocketAddr) -> ListenOn {
        match transport {
            Transport::Udp => ListenOn { stream: None, ..ListenOn::new(address) },
            stream => ListenOn { udp: false, stream: Some(stream), ..ListenOn::new(address) },
        }
    }
}

/// An address that can't be listened on.
#[derive(Debug)]
pub struct BindError {
    /// Which.
    pub address: SocketAddr,
    /// By which transport.
    pub transport: Transport,
    /// Why.
    pub kind: BindErrorKind,
    source: io::Error,
}

/// Why an address can't be listened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindErrorKind {
    /// Another process has the port.
    Taken,
    /// The port needs a permission that the process lacks.
    Forbidden,
    /// The address is not this machine's, or of a family that it does not have.
    NotOurs,
    /// The address is unspecified.
    Unspecified,
    /// Anything else.
    Other,
}

impl BindError {
    fn new(address: SocketAddr, transport: Transport, source: io::Error) -> BindError {
        let kind = match source.kind() {
            io::ErrorKind::AddrInUse => BindErrorKind::Taken,
            io::ErrorKind::PermissionDenied => BindErrorKind::Forbidden,
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported => BindErrorKind::NotOurs,
            _ if source.raw_os_error().is_some_and(is_no_such_family) => BindErrorKind::NotOurs,
            _ => BindErrorKind::Other,
        };
        BindError { address, transport, kind, source }
    }
}

/// The family's number is the system's: 97 on Linux, 47 on the BSDs and macOS, 10047 on Windows.
fn is_no_such_family(code: i32) -> bool {
    match () {
        () if cfg!(target_os = "linux") || cfg!(target_os = "android") => code == 97,
        () if cfg!(windows) => code == 10047,
        () => code == 47,
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BindError { address, transport, source, .. } = self;
        match self.kind {
            BindErrorKind::Taken => write!(f, "{transport} {address} is taken by another process"),
            BindErrorKind::Forbidden => write!(f, "no permission to listen on {transport} {address}"),
            BindErrorKind::NotOurs => write!(f, "{} is no address of this machine", address.ip()),
            BindErrorKind::Unspecified => write!(f, "{} names no interface", address.ip()),
            BindErrorKind::Other => write!(f, "can't listen on {transport} {address}: {source}"),
        }
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// The sockets of one address, one for each shard, or none where a transport is not wanted.
#[derive(Debug)]
pub(crate) struct Opened {
    /// With the port that the kernel chose.
    pub(crate) address: SocketAddr,
    pub(crate) sockets: Vec<UdpSocket>,
    pub(crate) acceptors: Vec<TcpListener>,
    stream: Transport,
}

impl Opened {
    /// By which transports: UDP, then the stream.
    pub(crate) fn transports(&self) -> impl Iterator<Item = Transport> {
        let udp = self.sockets.first().map(|_| Transport::Udp);
        let stream = self.acceptors.first().map(|_| self.stream);
        udp.into_iter().chain(stream)
    }

    /// What is spoken by those who connect.
    pub(crate) fn stream(&self) -> Transport {
        self.stream
    }
}

/// Opens all sockets, or none.
///
/// # Errors
/// For the first address that can't be had.
pub(crate) fn open_all(addresses: &[ListenOn], shards: u16) -> Result<Vec<Opened>, BindError> {
    let mut all = Vec::new();
    for on in addresses {
        match open(*on, shards) {
            Ok(opened) => all.push(opened),
            Err(error) if on.if_available && error.kind == BindErrorKind::NotOurs => {
                tracing::info!(address = %on.address, "not listening there: this machine has no such address");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

fn open(on: ListenOn, shards: u16) -> Result<Opened, BindError> {
    let address = on.address;
    if address.ip().is_unspecified() {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "unspecified address");
        return Err(BindError { address, transport: Transport::Udp, kind: BindErrorKind::Unspecified, source });
    }
    let mut tries = if address.port() == 0 { PORT_TRIES } else { 1 };
    loop {
        tries = tries.saturating_sub(1);
        match open_both(on, shards) {
            // The port that is free for one transport is not free for the other.
            Err(error) if error.transport != Transport::Udp && error.kind == BindErrorKind::Taken && tries > 0 => {}
            result => return result,
        }
    }
}

fn open_both(on: ListenOn, shards: u16) -> Result<Opened, BindError> {
    let count = |wanted| if wanted { shards } else { 0 };
    let failed = |error| BindError::new(on.address, Transport::Udp, error);
    let (address, sockets) = bind_all(on.address, count(on.udp), datagram_socket).map_err(failed)?;
    let stream = on.stream.unwrap_or(Transport::Tcp);
    let failed = |error| BindError::new(address, stream, error);
    let (address, acceptors) = bind_all(address, count(on.stream.is_some()), stream_socket).map_err(failed)?;
    acceptors.iter().try_for_each(|acceptor| acceptor.listen(ACCEPT_BACKLOG)).map_err(failed)?;
    let sockets = sockets.into_iter().map(UdpSocket::from).collect();
    let acceptors = acceptors.into_iter().map(TcpListener::from).collect();
    Ok(Opened { address, sockets, acceptors, stream })
}

/// A socket for each shard, all bound to one port, and which that is.
fn bind_all(
    address: SocketAddr,
    shards: u16,
    new: fn(SocketAddr) -> io::Result<Socket>,
) -> io::Result<(SocketAddr, Vec<Socket>)> {
    if shards == 0 {
        return Ok((address, Vec::new()));
    }
    // The first socket is bound alone: a port that anybody else has is an error, even where he would share it. Only then may ours join it.
    let first = new(address)?;
    first.bind(&address.into())?;
    let address = first.local_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
    let mut sockets = Vec::from([first]);
    if shards > 1 {
        sockets.iter().try_for_each(|first| share_port(SockRef::from(first)))?;
        for _ in 1..shards {
            let next = new(address)?;
            share_port(SockRef::from(&next))?;
            next.bind(&address.into())?;
            sockets.push(next);
        }
    }
    Ok((address, sockets))
}

fn datagram_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = unbound(address, Type::DGRAM, Protocol::UDP)?;
    ask_for_buffers(&socket, Socket::set_recv_buffer_size);
    ask_for_buffers(&socket, Socket::set_send_buffer_size);
    Ok(socket)
}

fn stream_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = unbound(address, Type::STREAM, Protocol::TCP)?;
    // Connections of a former process that the kernel still remembers must not keep us from the port. Elsewhere than on Unix the
    // option means another thing: to share the port with anybody.
    if cfg!(unix) {
        socket.set_reuse_address(true)?;
    }
    Ok(socket)
}

fn unbound(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Some systems cut what is asked for down to what they allow, others refuse it: there, less is asked for.
fn ask_for_buffers(socket: &Socket, set: fn(&Socket, usize) -> io::Result<()>) {
    let mut bytes = SOCKET_BUFFER_BYTES;
    while bytes >= SOCKET_BUFFER_BYTES_MIN && set(socket, bytes).is_err() {
        bytes /= 2;
    }
}

#[cfg(unix)]
fn share_port(socket: SockRef<'_>) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(unix))]
fn share_port(_: SockRef<'_>) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "only one shard can listen on this system"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn on(address: &str) -> ListenOn {
        ListenOn::new(address.parse().unwrap())
    }

    #[test]
    fn shards_share_one_port() {
        let opened = open_all(&[on("127.0.0.1:0")], 3).unwrap();
        assert_eq!((opened[0].sockets.len(), opened[0].acceptors.len()), (3, 3));
        assert_ne!(opened[0].address.port(), 0);
        for acceptor in &opened[0].acceptors {
            assert_eq!(acceptor.local_addr().unwrap(), opened[0].address);
        }
        for socket in &opened[0].sockets {
            assert_eq!(socket.local_addr().unwrap(), opened[0].address);
        }
    }

    #[test]
    fn a_taken_port_is_told_even_where_both_would_share_it() {
        for (theirs, ours) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            let opened = open_all(&[on("127.0.0.1:0")], theirs).unwrap();
            let address = opened[0].address;
            let error = open_all(&[ListenOn { if_available: true, ..ListenOn::new(address) }], ours).unwrap_err();
            assert_eq!((error.kind, error.address), (BindErrorKind::Taken, address));
        }
    }

    #[test]
    fn a_port_that_is_free_for_one_transport_alone_is_taken() {
        for shards in [1, 2] {
            let theirs = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = theirs.local_addr().unwrap();
            let error = open_all(&[ListenOn::new(address)], shards).unwrap_err();
            assert_eq!((error.kind, error.transport), (BindErrorKind::Taken, Transport::Tcp));
            assert_eq!(error.to_string(), format!("TCP {address} is taken by another process"));
            let udp_alone = ListenOn::by(Transport::Udp, address);
            assert!(open_all(&[udp_alone], shards).unwrap()[0].acceptors.is_empty());
            drop(theirs);
            let tcp_alone = ListenOn::by(Transport::Tcp, address);
            assert!(open_all(&[tcp_alone], shards).unwrap()[0].sockets.is_empty());
            assert_eq!(open_all(&[ListenOn::new(address)], shards).unwrap().len(), 1);
        }
    }

    #[test]
    fn foreign_and_unspecified_addresses() {
        // TEST-NET-1, which no machine has. RFC 5737
        let error = open_all(&[on("192.0.2.1:0")], 1).unwrap_err();
        assert_eq!(error.kind, BindErrorKind::NotOurs);
        assert_eq!(error.to_string(), "192.0.2.1 is no address of this machine");
        let optional = ListenOn { if_available: true, ..on("192.0.2.1:0") };
        assert!(open_all(&[optional], 1).unwrap().is_empty());
        for address in ["0.0.0.0:0", "[::]:0"] {
            assert_eq!(open_all(&[on(address)], 1).unwrap_err().kind, BindErrorKind::Unspecified);
        }
    }
}
