//! How messages lie in a connection: one behind the other, or each in a WebSocket message of its own.

use std::sync::Arc;

use bytes::Bytes;
use ringback_base::{Micros, Now, Random, Transport};
use ringback_message::Rejected;
use ringback_transport::websocket::{CloseCode, Ended, Resource, WebSocket, WebSocketEvent, WebSocketLimits};
use ringback_transport::{Frame, Stream};

use crate::tcp::connection::Rules;
use crate::tcp::limits::TcpLimits;
use crate::tcp::queue::WriteQueue;

/// A keep-alive that wants an answer. `[RFC 5626, Section 3.5.1]`
const PING: &[u8] = b"\r\n\r\n";

/// What is made of the bytes of a connection.
#[derive(Debug)]
pub(crate) enum Framing {
    /// Content-Length says where a message ends.
    Stream(Stream),
    /// Boxed: a connection of TCP has no need of its room.
    WebSocket(Box<WebSocket>),
}

/// What a client of WebSocket asks for.
#[derive(Debug)]
pub(crate) struct Asked {
    /// As Host has it.
    pub(crate) host: Box<str>,
    pub(crate) resource: Arc<Resource>,
    pub(crate) random: Random,
}

/// What has come in.
#[derive(Debug)]
pub(crate) enum Incoming {
    Message(Bytes),
    /// The opening handshake of a WebSocket is done.
    Opened,
    /// A keep-alive that wants [`ringback_transport::PONG`].
    Ping,
    /// The peer says that it is there, and has its answer if it wants one.
    KeepAlive,
    /// Nothing will come any more, though both sides are still connected.
    Ended(Ended),
}

impl Framing {
    /// That of a connection by this transport which a peer opens.
    pub(crate) fn accepted(transport: Transport, rules: Rules<'_>) -> Framing {
        match transport {
            Transport::Udp | Transport::Tcp | Transport::Tls => {
                Framing::Stream(Stream::new(rules.limits.stream, rules.now))
            }
            Transport::Ws | Transport::Wss => {
                let limits = socket_limits(rules.limits);
                Framing::WebSocket(Box::new(WebSocket::server(limits, Arc::clone(rules.admission), rules.now)))
            }
        }
    }

    /// That of one which we open: where it is a WebSocket, this is asked for.
    pub(crate) fn opened(transport: Transport, asked: Option<Asked>, rules: Rules<'_>) -> Framing {
        match asked {
            None => Framing::accepted(transport, rules),
            Some(Asked { host, resource, random }) => {
                let limits = socket_limits(rules.limits);
                Framing::WebSocket(Box::new(WebSocket::client(limits, &host, &resource, random, rules.now)))
            }
        }
    }

    /// Both sides are connected: the time that the peer may be silent begins.
    pub(crate) fn begin(&mut self, rules: Rules<'_>) {
        // What waits for the opening of a WebSocket is in it.
        if let Framing::Stream(stream) = self {
            *stream = Stream::new(rules.limits.stream, rules.now);
        }
    }

    pub(crate) fn handle_data(&mut self, bytes: &[u8], now: Now) {
        match self {
            Framing::Stream(stream) => stream.handle_data(bytes, now),
            Framing::WebSocket(socket) => socket.handle_data(bytes, now),
        }
    }

    /// The next that has come; the answers of a WebSocket wait in the queue when there is no more.
    pub(crate) fn poll(&mut self, queue: &mut WriteQueue) -> Result<Option<Incoming>, Box<Rejected>> {
        match self {
            Framing::Stream(stream) => loop {
                match stream.poll_frame()? {
                    None => return Ok(None),
                    Some(Frame::Message(message)) => return Ok(Some(Incoming::Message(message))),
                    Some(Frame::Ping) => return Ok(Some(Incoming::Ping)),
                    Some(_) => {}
                }
            },
            Framing::WebSocket(socket) => {
                let event = loop {
                    break Some(match socket.poll_event() {
                        None => break None,
                        Some(WebSocketEvent::Opened) => Incoming::Opened,
                        Some(WebSocketEvent::Message(message)) => Incoming::Message(message),
                        Some(WebSocketEvent::KeepAlive) => Incoming::KeepAlive,
                        Some(WebSocketEvent::Ended(ended)) => Incoming::Ended(ended),
                        Some(_) => continue,
                    });
                };
                // Its answers come last: of several Pings one is answered.
                if matches!(event, None | Some(Incoming::Ended(_))) {
                    put(socket, queue);
                }
                Ok(event)
            }
        }
    }

    /// Puts a message into the queue, as the peer expects it.
    ///
    /// A WebSocket has a Ping of its own, which every peer answers: it goes for the keep-alive of line ends. `[RFC 7118, Section 6]`
    pub(crate) fn send(&mut self, message: Bytes, queue: &mut WriteQueue, now: Now) {
        match self {
            Framing::Stream(_) => queue.push(message),
            Framing::WebSocket(socket) => {
                match &*message {
                    PING => socket.ping(now),
                    _ => socket.send(message),
                }
                put(socket, queue);
            }
        }
    }

    /// How many bytes wait for more than the peer's reading.
    pub(crate) fn waiting_bytes(&self) -> usize {
        match self {
            Framing::Stream(_) => 0,
            Framing::WebSocket(socket) => socket.waiting_bytes(),
        }
    }

    /// Whether messages can still be sent: not where the peer has ended a WebSocket.
    pub(crate) fn takes(&self) -> bool {
        match self {
            Framing::Stream(_) => true,
            Framing::WebSocket(socket) => !socket.is_ended(),
        }
    }

    /// True, once for each, where a keep-alive of ours is answered.
    pub(crate) fn take_pong(&mut self) -> bool {
        match self {
            Framing::Stream(stream) => stream.take_pong(),
            Framing::WebSocket(socket) => socket.take_pong(),
        }
    }

    /// Whether it is a WebSocket that we open, and that isn't open yet.
    pub(crate) fn is_asking(&self) -> bool {
        matches!(self, Framing::WebSocket(socket) if socket.is_client() && socket.is_opening())
    }

    /// Whether we opened it, and it is a WebSocket.
    pub(crate) fn is_client(&self) -> bool {
        matches!(self, Framing::WebSocket(socket) if socket.is_client())
    }

    /// Ends a WebSocket from our side; false where it is none.
    pub(crate) fn close(&mut self, code: CloseCode, queue: &mut WriteQueue) -> bool {
        let Framing::WebSocket(socket) = self else { return false };
        socket.close(code);
        put(socket, queue);
        true
    }

    /// The peer was told to send keep-alives. A WebSocket asks for its own.
    pub(crate) fn expect_keep_alives(&mut self, silence_max: Micros) {
        if let Framing::Stream(stream) = self {
            stream.expect_keep_alives(silence_max);
        }
    }

    pub(crate) fn is_mid_message(&self) -> bool {
        match self {
            Framing::Stream(stream) => stream.is_mid_message(),
            Framing::WebSocket(socket) => socket.is_mid_message(),
        }
    }

    /// Until when the peer may be silent. What is sent to a peer that only listens keeps the connection too, but neither one that
    /// stopped in the middle of a message nor one that was asked whether it is there.
    pub(crate) fn silence_ends(&self, last_sent: Micros, limits: &TcpLimits) -> Micros {
        let (received, is_asked) = match self {
            Framing::Stream(stream) => (stream.poll_timeout(), stream.is_kept_alive()),
            Framing::WebSocket(socket) => (socket.poll_timeout(), socket.poll_ping().is_none()),
        };
        if self.is_mid_message() || is_asked {
            return received;
        }
        received.max(last_sent.plus(limits.stream.idle_timeout))
    }

    /// When the peer is to be asked whether it is there.
    pub(crate) fn poll_ping(&self) -> Option<Micros> {
        match self {
            Framing::Stream(_) => None,
            Framing::WebSocket(socket) => socket.poll_ping(),
        }
    }

    /// Asks it where that is due.
    pub(crate) fn handle_timeout(&mut self, queue: &mut WriteQueue, now: Now) {
        if let Framing::WebSocket(socket) = self {
            socket.handle_timeout(now);
            put(socket, queue);
        }
    }
}

fn socket_limits(limits: &TcpLimits) -> WebSocketLimits {
    let TcpLimits { stream, ping_after, pong_timeout, .. } = *limits;
    WebSocketLimits { stream, ping_after, pong_timeout }
}

fn put(socket: &mut WebSocket, queue: &mut WriteQueue) {
    while let Some(bytes) = socket.poll_transmit() {
        queue.push(bytes);
    }
}
