//! What carries the bytes of a connection: TCP alone, or TLS over it.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

use crate::tcp::directory::Proven;
use crate::tls::sip_domains;

/// A connection's bytes, both ways.
pub(crate) enum Wire {
    /// As they are.
    Plain(TcpStream),
    /// Encrypted. Boxed, because its state is larger than all else of a connection.
    Tls(Box<TlsStream<TcpStream>>),
}

/// TLS while both sides agree on it.
pub(crate) type Handshake = Pin<Box<dyn Future<Output = io::Result<Wire>> + Send>>;

impl Wire {
    /// The domains that a client has proven to be by its certificate.
    pub(crate) fn proven(&self) -> Option<Proven> {
        let Wire::Tls(stream) = self else { return None };
        let TlsStream::Server(stream) = &**stream else { return None };
        let shown = stream.get_ref().1.peer_certificates()?.first()?;
        Some(sip_domains(shown)).filter(|domains| !domains.is_empty()).map(Proven::from)
    }

    /// Reads what has come; nothing at all where the peer has ended its side.
    ///
    /// A peer that ends the connection without ending TLS first has ended its side too: every message tells its own length, so that
    /// nobody can pass off the half of one as the whole.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, read: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Wire::Plain(socket) => Pin::new(socket).poll_read(cx, read),
            Wire::Tls(stream) => match Pin::new(&mut **stream).poll_read(cx, read) {
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
                other => other,
            },
        }
    }

    /// Takes as much of this as it can. What TLS has taken is on its way only after [`Wire::poll_flush`].
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self {
            Wire::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Wire::Tls(stream) => Pin::new(&mut **stream).poll_write_vectored(cx, slices),
        }
    }

    /// Hands all that was taken to the kernel.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            // It keeps nothing back.
            Wire::Plain(_) => Poll::Ready(Ok(())),
            Wire::Tls(stream) => Pin::new(&mut **stream).poll_flush(cx),
        }
    }

    /// Ends our side, that of TLS first.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Wire::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Wire::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(cx),
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wire::Plain(_) => "Plain",
            Wire::Tls(_) => "Tls",
        })
    }
}
