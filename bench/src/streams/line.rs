//! A connection that carries SIP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use rustls::HandshakeKind;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::dialer::Transport;
use super::frame::{self, Frame};
use super::text;
use crate::Fault;

pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection: whole SIP messages in and out. Its futures can be dropped at any time; nothing is lost.
pub struct Line {
    stream: Stream,
    local: SocketAddr,
    transport: Transport,
    incoming: BytesMut,
    outgoing: BytesMut,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("local", &self.local).field("transport", &self.transport).finish_non_exhaustive()
    }
}

impl Line {
    pub(super) fn new(stream: Stream, local: SocketAddr, transport: Transport) -> Line {
        Line { stream, local, transport, incoming: BytesMut::new(), outgoing: BytesMut::new() }
    }

    /// Our end of it.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// What it is.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// How TLS was agreed on, where there is any.
    #[must_use]
    pub fn handshake_kind(&self) -> Option<HandshakeKind> {
        match &self.stream {
            Stream::Plain(_) => None,
            Stream::Tls(stream) => stream.get_ref().1.handshake_kind(),
        }
    }

    /// Opens the WebSocket on it.
    pub(super) async fn upgrade(&mut self, server: SocketAddr) -> Result<(), Fault> {
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {}\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n",
            frame::KEY
        );
        self.outgoing.extend_from_slice(request.as_bytes());
        self.flush().await?;
        let head = loop {
            if let Some(end) = text::head_end(&self.incoming) {
                break self.incoming.split_to(end);
            }
            self.fill().await?;
        };
        let head = String::from_utf8_lossy(&head);
        let accepted = text::value(&head, "Sec-WebSocket-Accept") == Some(frame::ACCEPT);
        let is_sip = text::value(&head, "Sec-WebSocket-Protocol") == Some("sip");
        if head.starts_with("HTTP/1.1 101 ") && accepted && is_sip {
            Ok(())
        } else {
            Err(format!("no WebSocket for SIP: {head:?}"))
        }
    }

    /// Sends one message.
    ///
    /// # Errors
    /// Where the connection is broken.
    pub async fn send(&mut self, message: &str) -> Result<(), Fault> {
        if self.transport.has_websocket() {
            frame::write_text(message.as_bytes(), &mut self.outgoing);
        } else {
            self.outgoing.extend_from_slice(message.as_bytes());
        }
        self.flush().await
    }

    /// The next message.
    ///
    /// # Errors
    /// Where the connection ends or is broken, or what comes is no SIP.
    pub async fn receive(&mut self) -> Result<Bytes, Fault> {
        loop {
            if let Some(message) = self.next()? {
                return Ok(message);
            }
            if !self.outgoing.is_empty() {
                self.flush().await?;
            }
            self.fill().await?;
        }
    }

    /// Ends it as it should be ended.
    ///
    /// # Errors
    /// Where it was broken before.
    pub async fn close(mut self) -> Result<(), Fault> {
        self.stream.shutdown().await.map_err(|error| format!("closing: {error}"))
    }

    fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        if !self.transport.has_websocket() {
            return text::split_message(&mut self.incoming);
        }
        loop {
            match frame::read(&mut self.incoming)? {
                None => return Ok(None),
                Some(Frame::Message(message)) => return Ok(Some(message)),
                Some(Frame::Ping(payload)) => frame::write_pong(&payload, &mut self.outgoing),
                Some(Frame::Pong) => {}
                Some(Frame::Close) => return Err("the server closes the WebSocket".to_owned()),
            }
        }
    }

    async fn flush(&mut self) -> Result<(), Fault> {
        let broken = |error: io::Error| format!("writing: {error}");
        self.stream.write_all_buf(&mut self.outgoing).await.map_err(broken)?;
        self.stream.flush().await.map_err(broken)
    }

    async fn fill(&mut self) -> Result<(), Fault> {
        match self.stream.read_buf(&mut self.incoming).await {
            Ok(0) => Err("the server closes the connection".to_owned()),
            Ok(_) => Ok(()),
            Err(error) => Err(format!("reading: {error}")),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
