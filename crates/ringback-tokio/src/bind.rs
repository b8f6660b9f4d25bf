//! Opening the sockets, before anything else is started.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// How many bytes the kernel is asked to hold for a socket in each direction; it may grant less.
pub const SOCKET_BUFFER_BYTES: usize = 4 << 20;

/// Where the asking for a smaller buffer ends.
const SOCKET_BUFFER_BYTES_MIN: usize = 64 << 10;

/// One address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenOn {
    /// The address; port 0 lets the kernel choose. An unspecified address is refused, because Via could not name it.
    pub address: SocketAddr,
    /// Passes over an address that this machine does not have, such as `::1` where there is no IPv6.
    pub if_available: bool,
}

/// An address that can't be listened on.
#[derive(Debug)]
pub struct BindError {
    /// Which.
    pub address: SocketAddr,
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
    fn new(address: SocketAddr, source: io::Error) -> BindError {
        let kind = match source.kind() {
            io::ErrorKind::AddrInUse => BindErrorKind::Taken,
            io::ErrorKind::PermissionDenied => BindErrorKind::Forbidden,
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported => BindErrorKind::NotOurs,
            _ if source.raw_os_error().is_some_and(is_no_such_family) => BindErrorKind::NotOurs,
            _ => BindErrorKind::Other,
        };
        BindError { address, kind, source }
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
        match self.kind {
            BindErrorKind::Taken => write!(f, "UDP {} is taken by another process", self.address),
            BindErrorKind::Forbidden => write!(f, "no permission to listen on UDP {}", self.address),
            BindErrorKind::NotOurs => write!(f, "{} is no address of this machine", self.address.ip()),
            BindErrorKind::Unspecified => write!(f, "{} names no interface", self.address.ip()),
            BindErrorKind::Other => write!(f, "can't listen on UDP {}: {}", self.address, self.source),
        }
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// The sockets of one address, one for each shard.
#[derive(Debug)]
pub(crate) struct Opened {
    /// With the port that the kernel chose.
    pub(crate) address: SocketAddr,
    pub(crate) sockets: Vec<UdpSocket>,
}

/// Opens all sockets, or none.
///
/// # Errors
/// For the first address that can't be had.
pub(crate) fn open_all(addresses: &[ListenOn], shards: u16) -> Result<Vec<Opened>, BindError> {
    let mut all = Vec::new();
    for &ListenOn { address, if_available } in addresses {
        match open(address, shards) {
            Ok(opened) => all.push(opened),
            Err(error) if if_available && error.kind == BindErrorKind::NotOurs => {
                tracing::info!(%address, "not listening there: this machine has no such address");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

fn open(address: SocketAddr, shards: u16) -> Result<Opened, BindError> {
    let failed = |error| BindError::new(address, error);
    if address.ip().is_unspecified() {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "unspecified address");
        return Err(BindError { address, kind: BindErrorKind::Unspecified, source });
    }
    // The first socket is bound alone: a port that anybody else has is an error, even where he would share it. Only then may ours join it.
    let first = unbound(address).map_err(failed)?;
    first.bind(&address.into()).map_err(failed)?;
    let bound = UdpSocket::from(first);
    let address = bound.local_addr().map_err(failed)?;
    let mut sockets = Vec::from([bound]);
    if shards > 1 {
        sockets.iter().try_for_each(|first| share_port(SockRef::from(first))).map_err(failed)?;
        for _ in 1..shards {
            let next = unbound(address).map_err(failed)?;
            share_port(SockRef::from(&next)).map_err(failed)?;
            next.bind(&address.into()).map_err(failed)?;
            sockets.push(next.into());
        }
    }
    Ok(Opened { address, sockets })
}

fn unbound(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    ask_for_buffers(&socket, Socket::set_recv_buffer_size);
    ask_for_buffers(&socket, Socket::set_send_buffer_size);
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
        ListenOn { address: address.parse().unwrap(), if_available: false }
    }

    #[test]
    fn shards_share_one_port() {
        let opened = open_all(&[on("127.0.0.1:0")], 3).unwrap();
        assert_eq!(opened[0].sockets.len(), 3);
        assert_ne!(opened[0].address.port(), 0);
        for socket in &opened[0].sockets {
            assert_eq!(socket.local_addr().unwrap(), opened[0].address);
        }
    }

    #[test]
    fn a_taken_port_is_told_even_where_both_would_share_it() {
        for (theirs, ours) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            let opened = open_all(&[on("127.0.0.1:0")], theirs).unwrap();
            let address = opened[0].address;
            let error = open_all(&[ListenOn { address, if_available: true }], ours).unwrap_err();
            assert_eq!((error.kind, error.address), (BindErrorKind::Taken, address));
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
