//! One UDP socket of one shard.

use std::io;
use std::net::SocketAddr;
use std::task::Context;

use ringback_base::Micros;
use ringback_transaction::Transmit;
use tokio::net::UdpSocket;

use crate::outbox::{Outbox, Sent};

/// After so many failed reads in a row a socket is left alone for [`RECEIVE_PAUSE`].
const RECEIVE_ERRORS_MAX: u32 = 16;

const RECEIVE_PAUSE: Micros = Micros::from_ms(100);

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
        self.pause.until
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
        let readable = self.pause.until.is_none() && self.socket.poll_recv_ready(cx).is_ready();
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

/// Leaves a socket alone that gives nothing but errors, so that it can't keep a core busy.
#[derive(Debug, Default)]
struct Pause {
    errors_in_a_row: u32,
    until: Option<Micros>,
}

impl Pause {
    fn is_on(&mut self, now: Micros) -> bool {
        self.until = self.until.filter(|until| now < *until);
        self.until.is_some()
    }

    fn learn(&mut self, ok: bool, now: Micros) {
        self.errors_in_a_row = if ok { 0 } else { self.errors_in_a_row.saturating_add(1) };
        if self.errors_in_a_row >= RECEIVE_ERRORS_MAX {
            self.errors_in_a_row = 0;
            self.until = Some(now.plus(RECEIVE_PAUSE));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_socket_of_errors_is_left_alone_for_a_while() {
        let mut pause = Pause::default();
        let at = Micros::from_ms;
        for n in 0..15 {
            pause.learn(false, at(n));
        }
        pause.learn(true, at(15));
        for n in 16..31 {
            pause.learn(false, at(n));
            assert!(!pause.is_on(at(n)));
        }
        pause.learn(false, at(31));
        assert_eq!(pause.until, Some(at(131)));
        assert!(pause.is_on(at(130)) && !pause.is_on(at(131)));
        assert_eq!(pause.until, None);
    }
}
