//! One listening socket of one shard.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};

use ringback_base::{Micros, Transport};
use tokio::net::{TcpListener, TcpStream};

use crate::counters::LiveCounters;
use crate::pause::Pause;

/// A listening socket, and whether it is being left alone.
#[derive(Debug)]
pub(crate) struct Acceptor {
    listener: TcpListener,
    transport: Transport,
    local: SocketAddr,
    waker: Waker,
    pause: Pause,
}

impl Acceptor {
    /// # Errors
    /// Where the runtime can't watch the socket.
    pub(crate) fn new(
        listener: std::net::TcpListener,
        transport: Transport,
        local: SocketAddr,
        waker: Waker,
    ) -> io::Result<Acceptor> {
        let listener = TcpListener::from_std(listener)?;
        Ok(Acceptor { listener, transport, local, waker, pause: Pause::default() })
    }

    /// What is spoken by those who connect.
    pub(crate) fn transport(&self) -> Transport {
        self.transport
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn wake(&self) {
        self.waker.wake_by_ref();
    }

    /// When a socket that is left alone is to be woken.
    pub(crate) fn paused_until(&self) -> Option<Micros> {
        self.pause.until()
    }

    /// The next connection; `Ok(None)` where there is none now.
    ///
    /// # Errors
    /// Those of the kernel, most of which tell of one connection. None of them ends the socket. Where the process can have no more
    /// files, whoever waits goes on waiting in the kernel, and we don't ask again at once.
    pub(crate) fn accept(
        &mut self,
        now: Micros,
        counters: &LiveCounters,
    ) -> io::Result<Option<(TcpStream, SocketAddr)>> {
        if self.pause.is_on(now) {
            return Ok(None);
        }
        match self.listener.poll_accept(&mut Context::from_waker(&self.waker)) {
            Poll::Pending => Ok(None),
            Poll::Ready(Ok(accepted)) => {
                self.pause.learn(true, now, counters);
                Ok(Some(accepted))
            }
            Poll::Ready(Err(error)) => {
                if is_exhausted(&error) {
                    self.pause.begin(now)
                } else {
                    self.pause.learn(false, now, counters)
                }
                Err(error)
            }
        }
    }
}

/// No more files, buffers or memory: ENFILE, EMFILE, ENOBUFS, ENOMEM, which have the same numbers on all systems of a kind.
fn is_exhausted(error: &io::Error) -> bool {
    let codes = if cfg!(windows) {
        [10024, 10055, 8, 14]
    } else {
        [23, 24, 12, if cfg!(target_os = "linux") { 105 } else { 55 }]
    };
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn exhaustion_is_told_from_what_befalls_one_connection() {
        if cfg!(target_os = "linux") {
            assert!([23, 24, 12, 105].iter().all(|code| is_exhausted(&io::Error::from_raw_os_error(*code))));
            // ECONNABORTED, EPROTO
            assert!(![103, 71].iter().any(|code| is_exhausted(&io::Error::from_raw_os_error(*code))));
        }
        assert!(!is_exhausted(&io::ErrorKind::ConnectionAborted.into()));
    }
}
