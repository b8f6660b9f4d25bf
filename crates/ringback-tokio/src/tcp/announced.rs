//! Connections of load balancers, until they have said whose they are.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use ringback_base::{Hop, TimerId};
use ringback_transport::proxied::{PROXY_PREFACE_BYTES, ProxyPreface};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// How many of them may be waited for by one shard.
pub(crate) const ANNOUNCED_MAX: usize = 256;

type Reading = Pin<Box<dyn Future<Output = io::Result<(TcpStream, Option<SocketAddr>)>> + Send>>;

/// One that was accepted, and whose header is being read.
pub(crate) struct Announced {
    hop: Hop,
    reading: Reading,
    waker: Waker,
    pub(crate) timer: TimerId,
}

impl std::fmt::Debug for Announced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Announced").field("hop", &self.hop).finish_non_exhaustive()
    }
}

impl Announced {
    pub(crate) fn new(socket: TcpStream, hop: Hop, waker: Waker, timer: TimerId) -> Announced {
        Announced { hop, reading: Box::pin(read(socket)), waker, timer }
    }

    /// The balancer's side of it.
    pub(crate) fn hop(&self) -> Hop {
        self.hop
    }

    /// The connection, and the hop to whom it is from.
    pub(crate) fn poll(&mut self) -> Poll<io::Result<(TcpStream, Hop)>> {
        let read = self.reading.as_mut().poll(&mut Context::from_waker(&self.waker));
        read.map_ok(|(socket, source)| (socket, Hop { remote: source.unwrap_or(self.hop.remote), ..self.hop }))
    }
}

/// Reads the header, and not a byte more.
async fn read(mut socket: TcpStream) -> io::Result<(TcpStream, Option<SocketAddr>)> {
    let mut preface = [0; PROXY_PREFACE_BYTES];
    socket.read_exact(&mut preface).await?;
    let preface = ProxyPreface::read(&preface).map_err(io::Error::other)?;
    let mut rest = vec![0; preface.rest_bytes];
    socket.read_exact(&mut rest).await?;
    let source = preface.source(&rest).map_err(io::Error::other)?;
    Ok((socket, source))
}
