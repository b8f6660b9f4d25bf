//! One UDP socket of one shard.

use std::io;
use std::net::SocketAddr;
use std::task::Context;

use ringback_base::Micros;
use ringback_transaction::Transmit;
use tokio::net::UdpSocket;

use crate::outbox::{Outbox, Sent};
use crate::pause::Pause;

/// A socket, what waits to be sent by it, and whether it is being left alone.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: UdpSocket,
    local: SocketAddr,
    outbox: Outbox,
    pause: Pause,
}

impl Socket {
    /// # Errors
    /// Where the runtime can't watch the socket.
    pub(crate) fn new(socket: std::net::UdpSocket, local: SocketAddr) -> io::Result<Socket> {
        let socket = UdpSocket::from_std(socket)?;
        Ok(Socket { socket, local, outbox: Outbox::default(), pause: Pause::default() })
    }

    /// The listener's address.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// When a socket that is left alone is read again.
    pub(crate) fn paused_until(&self) -> Option<Micros> {
        self.pause.until()
    }

    /// The next datagram; `Ok(None)` where there is none now.
    ///
    /// # Errors
    /// Those of the kernel, some of which tell of a datagram sent earlier. None of them ends the socket.
    pub(crate) fn receive(&mut self, buffer: &mut [u8], now: Micros) -> io::Result<Option<(usize, SocketAddr)>> {
        if self.pause.is_on(now) {
            return Ok(None);
        }
        match self.socket.try_recv_from(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            result => {
                self.pause.learn(result.is_ok(), now);
                result.map(Some)
            }
        }
    }

    /// Sends a datagram, behind those that wait.
    pub(crate) fn send(&mut self, transmit: Transmit) -> Sent {
        self.outbox.send(transmit, |transmit| try_send(&self.socket, transmit))
    }

    /// Sends the first of those that wait; `None` where there is none or still no room.
    pub(crate) fn send_waiting(&mut self) -> Option<Sent> {
        self.outbox.send_waiting(|transmit| try_send(&self.socket, transmit))
    }

    /// True where nothing waits to be sent.
    pub(crate) fn is_flushed(&self) -> bool {
        self.outbox.is_empty()
    }

    /// True where there may be something to do; wakes the task when there is.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> bool {
        let readable = self.pause.until().is_none() && self.socket.poll_recv_ready(cx).is_ready();
        let writable = !self.outbox.is_empty() && self.socket.poll_send_ready(cx).is_ready();
        readable || writable
    }
}

fn try_send(socket: &UdpSocket, transmit: &Transmit) -> io::Result<()> {
    loop {
        match socket.try_send_to(&transmit.bytes, transmit.hop.remote) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map(|_| ()),
        }
    }
}
