//! One UDP socket of one shard.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Context;

use ringback_base::Micros;
use ringback_transaction::Transmit;
use tokio::net::UdpSocket;

use crate::counters::LiveCounters;
use crate::icmp::{self, Unreachables};
use crate::outbox::{Outbox, Sent};
use crate::pause::Pause;

/// So many errors in a row may be about earlier datagrams; the next is about this one.
const STALE_ERRORS: u32 = 8;

/// How long a full kernel is left alone where it does not say when it has room.
const FULL_PAUSE: Micros = Micros::from_ms(2);

/// A socket, what waits to be sent by it, and whether it is being left alone.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: Arc<UdpSocket>,
    local: SocketAddr,
    outbox: Outbox,
    pause: Pause,
    /// Until then the kernel is not asked again whether it has room.
    full_until: Option<Micros>,
}

impl Socket {
    /// # Errors
    /// Where the runtime can't watch the socket.
    pub(crate) fn new(socket: std::net::UdpSocket, local: SocketAddr, told: Unreachables) -> io::Result<Socket> {
        let socket = Arc::new(UdpSocket::from_std(socket)?);
        icmp::watch(&socket, local, told)?;
        Ok(Socket { socket, local, outbox: Outbox::default(), pause: Pause::default(), full_until: None })
    }

    /// The listener's address.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// When a socket that is left alone is read or written again.
    pub(crate) fn paused_until(&self) -> Option<Micros> {
        [self.pause.until(), self.full_until].into_iter().flatten().min()
    }

    /// The next datagram; `Ok(None)` where there is none now.
    ///
    /// # Errors
    /// Those of the kernel, some of which tell of a datagram sent earlier. None of them ends the socket.
    pub(crate) fn receive(
        &mut self,
        buffer: &mut [u8],
        now: Micros,
        counters: &LiveCounters,
    ) -> io::Result<Option<(usize, SocketAddr)>> {
        if self.pause.is_on(now) {
            return Ok(None);
        }
        let result = past_stale_errors(|| self.socket.try_recv_from(buffer));
        match &result {
            Ok(_) => counters.received.count(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(_) => counters.receive_errors.count(),
        }
        self.pause.learn(result.is_ok(), now, counters);
        result.map(Some)
    }

    /// Sends a datagram, behind those that wait.
    pub(crate) fn send(&mut self, transmit: Transmit) -> Sent {
        self.outbox.send(transmit, |transmit| try_send(&self.socket, transmit))
    }

    /// Sends the first of those that wait; `None` where there is none or still no room.
    pub(crate) fn send_waiting(&mut self, now: Micros) -> Option<Sent> {
        if self.full_until.is_some_and(|until| now < until) {
            return None;
        }
        let sent = self.outbox.send_waiting(|transmit| try_send(&self.socket, transmit));
        // The runtime takes a socket that had an error for one that can always be written: to believe it would keep a core busy.
        self.full_until = (sent.is_none() && !self.outbox.is_empty()).then(|| now.plus(FULL_PAUSE));
        sent
    }

    /// True where nothing waits to be sent.
    pub(crate) fn is_flushed(&self) -> bool {
        self.outbox.is_empty()
    }

    /// True where there may be something to do; wakes the task when there is.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> bool {
        let readable = self.pause.until().is_none() && self.socket.poll_recv_ready(cx).is_ready();
        let writable =
            !self.outbox.is_empty() && self.full_until.is_none() && self.socket.poll_send_ready(cx).is_ready();
        readable || writable
    }
}

fn try_send(socket: &UdpSocket, transmit: &Transmit) -> io::Result<()> {
    past_stale_errors(|| socket.try_send_to(&transmit.bytes, transmit.hop.remote)).map(|_| ())
}

/// A socket that keeps errors also tells each of them once to whoever uses it next, though it is about an earlier datagram to
/// somebody else.
fn past_stale_errors<T>(mut use_it: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut stale_left = STALE_ERRORS;
    loop {
        match use_it() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() != io::ErrorKind::WouldBlock && stale_left > 0 => stale_left -= 1,
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::counters::IoCounters;

    #[test]
    fn errors_of_earlier_datagrams_are_passed_over() {
        let failing = |times: u32| {
            let mut left = times;
            move || match left {
                0 => Ok(()),
                _ => {
                    left -= 1;
                    Err(io::ErrorKind::ConnectionRefused.into())
                }
            }
        };
        assert!(past_stale_errors(failing(STALE_ERRORS)).is_ok());
        assert!(past_stale_errors(failing(STALE_ERRORS + 1)).is_err());
    }

    /// Reading datagrams from a socket that only accepts connections fails each time.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_socket_of_errors_is_left_alone_and_counted() {
        let acceptor = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        acceptor.set_nonblocking(true).unwrap();
        let local = acceptor.local_addr().unwrap();
        let _waiting = std::net::TcpStream::connect(local).unwrap();
        let broken = std::net::UdpSocket::from(std::os::fd::OwnedFd::from(acceptor));
        let (told, _unreachables) = tokio::sync::mpsc::channel(1);
        let mut socket = Socket::new(broken, local, told).unwrap();
        let (counters, mut buffer, now) = (LiveCounters::default(), [0; 16], Micros::from_ms(5));
        std::future::poll_fn(|cx| socket.socket.poll_recv_ready(cx)).await.unwrap();
        for _ in 0..16 {
            assert!(!socket.pause.is_on(now));
            assert!(socket.receive(&mut buffer, now, &counters).is_err());
        }
        assert!(socket.pause.is_on(now));
        let mut sum = IoCounters::default();
        counters.add_to(&mut sum);
        assert_eq!((sum.receive_errors, sum.errors_max_reached, sum.received), (16, 1, 0));
        assert!(socket.receive(&mut buffer, now, &counters).unwrap().is_none());
    }
}
