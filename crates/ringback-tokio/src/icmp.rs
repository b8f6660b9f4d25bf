//! Requests that did not arrive, by the errors of the network that say so. `[RFC 3261, Section 18.4]`
//!
//! The kernel keeps them for a socket that asks for it, with the start of the datagram that each is about. Linux does; elsewhere a
//! request that does not arrive is known by its timers alone.

use bytes::Bytes;
use ringback_base::Hop;
use tokio::sync::mpsc;

/// How many such errors may wait for a shard. While there are so many no more are read, and the kernel loses those beyond its buffer.
pub(crate) const UNREACHABLES_MAX: usize = 1_024;

/// A request of ours that did not arrive: perhaps, for anybody can say so who knows its branch.
#[derive(Debug)]
pub(crate) struct Unreachable {
    /// As much of it as the error quotes.
    pub(crate) start: Bytes,
    /// The way that it took.
    pub(crate) hop: Hop,
}

/// Where a socket tells of them.
pub(crate) type Unreachables = mpsc::Sender<Unreachable>;

#[cfg(target_os = "linux")]
pub(crate) use linux::watch;

/// Nothing is known here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn watch(
    _: &std::sync::Arc<tokio::net::UdpSocket>,
    _: std::net::SocketAddr,
    _: Unreachables,
) -> std::io::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{self, IoSliceMut};
    use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
    use std::os::fd::AsRawFd as _;
    use std::sync::Arc;
    use std::time::Duration;

    use nix::cmsg_space;
    use nix::libc::{SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6, sock_extended_err, sockaddr_in6};
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
    use ringback_transport::peek_branch;
    use tokio::io::Interest;
    use tokio::net::UdpSocket;

    use super::*;

    /// What an error quotes at most: with its own head it fits into the smallest packet that IPv6 must carry.
    const START_BYTES: usize = 1_280;

    /// After a queue that can't be read.
    const PAUSE: Duration = Duration::from_millis(100);

    /// Has the socket keep its errors, and a task of this runtime tell of those that matter.
    ///
    /// # Errors
    /// Where the kernel knows no such thing.
    pub(crate) fn watch(socket: &Arc<UdpSocket>, local: SocketAddr, to: Unreachables) -> io::Result<()> {
        match local {
            SocketAddr::V4(_) => setsockopt(socket, sockopt::Ipv4RecvErr, &true)?,
            SocketAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvErr, &true)?,
        }
        tokio::spawn(tell(Arc::clone(socket), local, to));
        Ok(())
    }

    async fn tell(socket: Arc<UdpSocket>, local: SocketAddr, to: Unreachables) {
        let mut buffer = vec![0; START_BYTES];
        loop {
            let told = tokio::select! {
                told = socket.async_io(Interest::ERROR, || next(&socket, &mut buffer)) => told,
                // The socket is not ours alone, and would stay bound.
                () = to.closed() => return,
            };
            match told {
                Ok(Some((start, remote))) => {
                    if to.send(Unreachable { start, hop: Hop::udp(local, remote) }).await.is_err() {
                        return;
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%local, %error, "reading errors failed");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// The next error; `None` where it is about something else.
    fn next(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Option<(Bytes, SocketAddr)>> {
        // The error, and behind it the address of the router that tells it.
        let mut space = cmsg_space!(sock_extended_err, sockaddr_in6);
        let (remote, length) = {
            let mut slices = [IoSliceMut::new(buffer)];
            let flags = MsgFlags::MSG_ERRQUEUE;
            let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(&mut space), flags)?;
            let is_it = message.cmsgs()?.any(|control| match control {
                ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => {
                    is_unreachable(&error)
                }
                _ => false,
            });
            (message.address.as_ref().and_then(socket_addr).filter(|_| is_it), message.bytes)
        };
        let start = buffer.get(..length).unwrap_or_default();
        Ok(remote.filter(|_| peek_branch(start).is_some()).map(|remote| (Bytes::copy_from_slice(start), remote)))
    }

    /// The host or its port is not there. Other errors pass, or are of the way and not of its end. RFC 792, RFC 4443
    fn is_unreachable(error: &sock_extended_err) -> bool {
        match error.ee_origin {
            SO_EE_ORIGIN_ICMP => matches!((error.ee_type, error.ee_code), (3, 1 | 3)),
            SO_EE_ORIGIN_ICMP6 => matches!((error.ee_type, error.ee_code), (1, 3 | 4)),
            _ => false,
        }
    }

    fn socket_addr(address: &SockaddrStorage) -> Option<SocketAddr> {
        let v4 = address.as_sockaddr_in().map(|v4| SocketAddrV4::new(v4.ip(), v4.port()).into());
        v4.or_else(|| {
            let v6 = address.as_sockaddr_in6()?;
            Some(SocketAddrV6::new(v6.ip(), v6.port(), 0, v6.scope_id()).into())
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::net::UdpSocket;
    use tokio::time::timeout;

    use super::*;

    const REQUEST: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nCall-ID: 1\r\n\r\n";
    const RESPONSE: &[u8] = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nCall-ID: 1\r\n\r\n";

    async fn told_of(ours: &str) {
        let nobody: SocketAddr = match std::net::UdpSocket::bind(ours) {
            Ok(socket) => socket.local_addr().unwrap(),
            // Not every machine has IPv6.
            Err(_) if ours.starts_with('[') => return,
            Err(error) => panic!("{error}"),
        };
        let socket = Arc::new(UdpSocket::bind(ours).await.unwrap());
        let local = socket.local_addr().unwrap();
        let (to, mut told) = mpsc::channel(UNREACHABLES_MAX);
        watch(&socket, local, to).unwrap();
        let long = [REQUEST, &[b'x'; 4_000]].concat();
        for datagram in [RESPONSE, b"\r\n\r\n", REQUEST, &long] {
            // The error of the one before is told to whoever uses the socket next.
            while socket.send_to(datagram, nobody).await.is_err() {}
        }
        let first = timeout(Duration::from_secs(10), told.recv()).await.unwrap().unwrap();
        assert_eq!((&first.start[..], first.hop), (REQUEST, Hop::udp(local, nobody)));
        let second = timeout(Duration::from_secs(10), told.recv()).await.unwrap().unwrap();
        assert!(second.start.starts_with(REQUEST) && second.start.len() < long.len(), "{}", second.start.len());
        assert!(told.try_recv().is_err());
    }

    #[tokio::test]
    async fn requests_to_nobody_are_told_and_nothing_else_is() {
        told_of("127.0.0.1:0").await;
        told_of("[::1]:0").await;
    }
}
