//! SIP messages out of a WebSocket, and into one. `[RFC 7118]` (RFC 6455)
//!
//! ```text
//!              handle_data                      poll_event
//!   bytes in ───────────────▶  Opening ──101──▶ Opened
//!                                 │  ╲
//!                          refused│   ╲──────▶  Open ──▶ Message, KeepAlive …
//!                                 ▼              │ Close, or a rule broken
//!                               Ended ◀──────────┘
//!              poll_transmit
//!   bytes out ◀─────────────  the handshake, frames of messages, Pong, Close
//! ```
//!
//! It is no general WebSocket: there are no extensions, and what comes out of it are SIP messages, each whole. Nothing is kept for a
//! length that a peer only announces.

mod close;
mod frame;
mod handshake;
mod http;
mod origins;
mod rejection;
mod resource;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;

use bytes::{Bytes, BytesMut};
use ringback_base::{Micros, Now, Random};

pub use self::close::CloseCode;
use self::frame::{Head, Opcode, apply_mask};
use self::handshake::Asked;
pub use self::handshake::{Admission, HANDSHAKE_BYTES_MAX, Refusal};
pub use self::origins::{Origin, OriginError, Origins};
pub use self::rejection::Rejection;
pub use self::resource::{Resource, ResourceError};
use crate::stream::{PONG, StreamLimits};

/// A keep-alive that wants [`PONG`]. `[RFC 5626, Section 3.5.1]`
const PING: &[u8] = b"\r\n\r\n";

/// The limits of one WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSocketLimits {
    /// Those of its messages; the time for one is the time for the opening handshake too.
    pub stream: StreamLimits,
    /// After how long a silence of the peer it is sent a Ping. Shorter than what proxies of HTTP wait, which is a minute with most.
    pub ping_after: Micros,
    /// How long it then has to say something.
    pub pong_timeout: Micros,
}

impl Default for WebSocketLimits {
    fn default() -> WebSocketLimits {
        WebSocketLimits {
            stream: StreamLimits::default(),
            ping_after: Micros::from_secs(30),
            pong_timeout: Micros::from_secs(30),
        }
    }
}

/// What a WebSocket yields.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebSocketEvent {
    /// The opening handshake is done: messages can go both ways.
    Opened,
    /// The bytes of one message, for [`ringback_message::Message::parse`]: its end is that of the WebSocket message, and it needs no
    /// Content-Length. `[RFC 7118, Section 5]`
    Message(Bytes),
    /// The peer says that it is there: Ping, Pong, or a keep-alive of line ends, which is answered. `[RFC 7118, Section 6]`
    KeepAlive,
    /// Nothing will come any more. What [`WebSocket::poll_transmit`] still has is to be sent, then the connection is to be closed.
    Ended(Ended),
}

/// Why nothing will come any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// The peer has said so, with this code or none.
    Closed(Option<CloseCode>),
    /// The peer broke a rule or a limit, and was told this code.
    Broken(CloseCode),
    /// We did not let the client in.
    Refused(Refusal),
    /// The server did not let us in.
    Rejected(Rejection),
}

/// One WebSocket, without its connection; the client's side or the server's.
///
/// ```
/// use ringback_base::{Now, Random};
/// use ringback_transport::websocket::{Admission, Resource, WebSocket, WebSocketEvent, WebSocketLimits};
///
/// let (limits, now) = (WebSocketLimits::default(), Now::default());
/// let mut server = WebSocket::server(limits, Admission::default().into(), now);
/// let mut client = WebSocket::client(limits, "sip.example.com", &Resource::default(), Random::from_seed([7; 32]), now);
/// client.send((&b"OPTIONS sip:sip.example.com SIP/2.0\r\n\r\n"[..]).into());
/// loop {
///     let (up, down) = (client.poll_transmit(), server.poll_transmit());
///     up.iter().for_each(|bytes| server.handle_data(bytes, now));
///     down.iter().for_each(|bytes| client.handle_data(bytes, now));
///     if client.poll_event() == Some(WebSocketEvent::Opened) {
///         continue;
///     }
///     if let Some(WebSocketEvent::Message(message)) = server.poll_event() {
///         assert!(message.starts_with(b"OPTIONS "));
///         break;
///     }
/// }
/// ```
#[derive(Debug)]
pub struct WebSocket {
    limits: WebSocketLimits,
    phase: Phase,
    /// Masks what a client sends; a server sends as it is.
    masks: Option<Box<Random>>,
    /// What came and was not read.
    buf: BytesMut,
    /// The head of the frame whose payload is awaited; it is no longer in the buffer.
    awaited: Option<Head>,
    /// The frames of a message that was begun, and whether it is text.
    begun: Option<(bool, BytesMut)>,
    out: VecDeque<Bytes>,
    /// What the latest Ping said. Of several that came together only the last is answered.
    pong: Option<Bytes>,
    /// A Pong came.
    has_pong: bool,
    last_data: Micros,
    /// When the first byte of what is being read came.
    since: Option<Micros>,
    pinged: Option<Micros>,
    now: Micros,
}

#[derive(Debug)]
enum Phase {
    Opening(Box<Opening>),
    Open,
    Ended,
}

#[derive(Debug)]
struct Opening {
    side: Side,
    /// How far the buffer was searched for the end of the head.
    searched: usize,
    /// Messages that wait for it to be done.
    waiting: VecDeque<Bytes>,
}

#[derive(Debug)]
enum Side {
    Server(Arc<Admission>),
    Client(Asked),
}

impl WebSocket {
    /// The server's side of a connection that has just been accepted.
    #[must_use]
    pub fn server(limits: WebSocketLimits, admission: Arc<Admission>, now: Now) -> WebSocket {
        WebSocket::new(limits, Side::Server(admission), None, now)
    }

    /// The client's side of a connection that has just been opened. `host` is the server as a URI writes it, with the port where that
    /// is not the default; both are written as they are. The masks are drawn from `random`, and must not be guessed.
    #[must_use]
    pub fn client(limits: WebSocketLimits, host: &str, resource: &Resource, mut random: Random, now: Now) -> WebSocket {
        let (request, asked) = Asked::new(host, resource, &mut random);
        let mut client = WebSocket::new(limits, Side::Client(asked), Some(Box::new(random)), now);
        client.out.push_back(request);
        client
    }

    fn new(limits: WebSocketLimits, side: Side, masks: Option<Box<Random>>, now: Now) -> WebSocket {
        WebSocket {
            limits,
            phase: Phase::Opening(Box::new(Opening { side, searched: 0, waiting: VecDeque::new() })),
            masks,
            buf: BytesMut::new(),
            awaited: None,
            begun: None,
            out: VecDeque::new(),
            pong: None,
            has_pong: false,
            last_data: now.mono,
            since: None,
            pinged: None,
            now: now.mono,
        }
    }

    /// Bytes came. [`WebSocket::poll_event`] is to be called until it yields nothing.
    pub fn handle_data(&mut self, bytes: &[u8], now: Now) {
        self.now = now.mono;
        self.last_data = now.mono;
        self.pinged = None;
        if !matches!(self.phase, Phase::Ended) {
            self.buf.extend_from_slice(bytes);
        }
    }

    /// The next thing that the bytes say.
    pub fn poll_event(&mut self) -> Option<WebSocketEvent> {
        let event = match &self.phase {
            Phase::Opening(_) => self.open(),
            Phase::Open => self.read(),
            Phase::Ended => None,
        };
        if self.is_mid_message() {
            self.since.get_or_insert(self.now);
        } else {
            // Empty, it would still have the size of the largest message, for as long as the connection is open.
            self.buf = BytesMut::new();
            self.since = None;
        }
        if event.is_some() && self.begun.is_none() {
            // What is left belongs to something else.
            self.since = None;
        }
        event
    }

    /// The next bytes for the peer, in order.
    #[must_use]
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        if let Some(said) = self.pong.take() {
            self.write(Opcode::Pong, said);
        }
        let next = self.out.pop_front();
        if next.is_none() {
            self.out = VecDeque::new();
        }
        next
    }

    /// Takes a message; it waits for the opening handshake where that isn't done, and is lost where the WebSocket has ended.
    ///
    /// It goes as text, as pages of browsers expect it, where it is UTF-8. `[RFC 7118, Section 4.2]`
    pub fn send(&mut self, message: Bytes) {
        match &mut self.phase {
            Phase::Opening(opening) => opening.waiting.push_back(message),
            Phase::Open => {
                let is_text = core::str::from_utf8(&message).is_ok();
                self.write(if is_text { Opcode::Text } else { Opcode::Binary }, message);
            }
            Phase::Ended => {}
        }
    }

    /// How many bytes wait for the opening handshake.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        match &self.phase {
            Phase::Opening(opening) => opening.waiting.iter().map(Bytes::len).fold(0, usize::saturating_add),
            Phase::Open | Phase::Ended => 0,
        }
    }

    /// Ends it from our side: nothing is read or sent any more but what [`WebSocket::poll_transmit`] has.
    pub fn close(&mut self, code: CloseCode) {
        if matches!(self.phase, Phase::Open) {
            self.write(Opcode::Close, Bytes::copy_from_slice(&code.as_u16().to_be_bytes()));
        }
        self.end();
    }

    /// True where nothing can be sent or will come any more.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// When [`WebSocket::is_overdue`] is next worth asking.
    #[must_use]
    pub fn poll_timeout(&self) -> Micros {
        let idle = self.last_data.plus(self.limits.stream.idle_timeout);
        let unanswered = self.pinged.map(|at| at.plus(self.limits.pong_timeout));
        let slow = self.since.map(|since| since.plus(self.limits.stream.message_timeout));
        unanswered.into_iter().chain(slow).fold(idle, Micros::min)
    }

    /// True where the peer has been silent, has not answered a Ping, or is in the middle of a message for too long: the connection is
    /// to be closed.
    #[must_use]
    pub fn is_overdue(&self, now: Now) -> bool {
        self.poll_timeout() <= now.mono
    }

    /// When [`WebSocket::handle_timeout`] is next wanted: the peer has been silent for long enough to be asked whether it is there.
    #[must_use]
    pub fn poll_ping(&self) -> Option<Micros> {
        let is_silent = matches!(self.phase, Phase::Open) && self.pinged.is_none();
        is_silent.then(|| self.last_data.plus(self.limits.ping_after))
    }

    /// Asks the peer now whether it is there; [`WebSocket::take_pong`] says when it has answered.
    pub fn ping(&mut self, now: Now) {
        if matches!(self.phase, Phase::Open) {
            self.has_pong = false;
            self.pinged = Some(now.mono);
            self.write(Opcode::Ping, Bytes::new());
        }
    }

    /// True, once, where a Ping was answered since the last time.
    pub fn take_pong(&mut self) -> bool {
        core::mem::take(&mut self.has_pong)
    }

    /// Whether this is the client's side.
    #[must_use]
    pub fn is_client(&self) -> bool {
        self.masks.is_some()
    }

    /// Whether the opening handshake is still under way.
    #[must_use]
    pub fn is_opening(&self) -> bool {
        matches!(self.phase, Phase::Opening(_))
    }

    /// Time has passed: a Ping is sent where it is due.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.poll_ping().is_some_and(|at| at <= now.mono) {
            self.ping(now);
        }
    }

    /// True where the peer stopped in the middle of a message, or of the opening handshake.
    #[must_use]
    pub fn is_mid_message(&self) -> bool {
        !self.buf.is_empty() || self.awaited.is_some() || self.begun.is_some()
    }

    /// Reads the head of the other side's handshake.
    fn open(&mut self) -> Option<WebSocketEvent> {
        let Phase::Opening(opening) = &mut self.phase else { return None };
        // What begins with no letter is no HTTP, but TLS perhaps: it may never send an empty line.
        let is_noise = self.buf.first().is_some_and(|byte| !byte.is_ascii_alphabetic());
        let end = http::head_end(&self.buf, opening.searched);
        opening.searched = self.buf.len();
        let is_too_long = end.unwrap_or(self.buf.len()) > HANDSHAKE_BYTES_MAX;
        let end = match end {
            _ if is_noise => return Some(self.refuse(Refusal::BadRequest("No HTTP"), Rejection::NoHttp)),
            _ if is_too_long => return Some(self.refuse(Refusal::TooLarge, Rejection::TooLarge)),
            Some(end) => end,
            None => return None,
        };
        let head = self.buf.split_to(end);
        let result = match &opening.side {
            Side::Server(admission) => admission.answer(&head).map_err(Ended::Refused),
            Side::Client(asked) => asked.check(&head).map(|()| Bytes::new()).map_err(Ended::Rejected),
        };
        match result {
            Err(ended) => {
                if let Ended::Refused(refusal) = ended {
                    self.out.push_back(refusal.response());
                }
                Some(self.ended(ended))
            }
            Ok(answer) => {
                let waiting = core::mem::take(&mut opening.waiting);
                self.phase = Phase::Open;
                self.out.extend(Some(answer).filter(|answer| !answer.is_empty()));
                waiting.into_iter().for_each(|message| self.send(message));
                Some(WebSocketEvent::Opened)
            }
        }
    }

    /// What comes is no head of a handshake: as a server we say so.
    fn refuse(&mut self, refusal: Refusal, rejection: Rejection) -> WebSocketEvent {
        let is_server = self.masks.is_none();
        if is_server {
            self.out.push_back(refusal.response());
            return self.ended(Ended::Refused(refusal));
        }
        self.ended(Ended::Rejected(rejection))
    }

    /// Reads frames until one says something.
    fn read(&mut self) -> Option<WebSocketEvent> {
        loop {
            match self.next_frame() {
                Ok(None) => return None,
                Ok(Some((head, payload))) => match self.frame(head, payload) {
                    Ok(None) => {}
                    Ok(Some(event)) => return Some(event),
                    Err(code) => return Some(self.broken(code)),
                },
                Err(code) => return Some(self.broken(code)),
            }
        }
    }

    /// The next frame that is whole, its mask taken off.
    fn next_frame(&mut self) -> Result<Option<(Head, BytesMut)>, CloseCode> {
        let head = match self.awaited {
            Some(head) => head,
            None => {
                let from_client = self.masks.is_none();
                let Some(head) = Head::read(&self.buf, from_client)? else { return Ok(None) };
                self.may_come(&head)?;
                let _head = self.buf.split_to(head.bytes);
                *self.awaited.insert(head)
            }
        };
        if self.buf.len() < head.payload_bytes {
            return Ok(None);
        }
        self.awaited = None;
        let mut payload = self.buf.split_to(head.payload_bytes);
        apply_mask(&mut payload, head.mask);
        Ok(Some((head, payload)))
    }

    /// Whether a frame with this head may come here and now: before a byte of it is kept.
    fn may_come(&self, head: &Head) -> Result<(), CloseCode> {
        let is_first = matches!(head.opcode, Opcode::Text | Opcode::Binary);
        let is_next = head.opcode == Opcode::Continuation;
        if (is_first && self.begun.is_some()) || (is_next && self.begun.is_none()) {
            return Err(CloseCode::PROTOCOL_ERROR);
        }
        let before = self.begun.as_ref().filter(|_| is_next).map_or(0, |(_, before)| before.len());
        let is_too_large = before.saturating_add(head.payload_bytes) > self.limits.stream.message_bytes_max;
        if is_too_large && !head.opcode.is_control() { Err(CloseCode::TOO_LARGE) } else { Ok(()) }
    }

    fn frame(&mut self, head: Head, payload: BytesMut) -> Result<Option<WebSocketEvent>, CloseCode> {
        match head.opcode {
            Opcode::Close => return self.closed(&payload).map(Some),
            Opcode::Ping => {
                self.pong = Some(payload.freeze());
                return Ok(Some(WebSocketEvent::KeepAlive));
            }
            Opcode::Pong => {
                self.has_pong = true;
                return Ok(Some(WebSocketEvent::KeepAlive));
            }
            Opcode::Text | Opcode::Binary | Opcode::Continuation => {}
        }
        let (is_text, message) = match self.begun.take() {
            None => (head.opcode == Opcode::Text, payload),
            Some((is_text, mut message)) => {
                message.extend_from_slice(&payload);
                (is_text, message)
            }
        };
        if !head.is_final {
            self.begun = Some((is_text, message));
            return Ok(None);
        }
        if is_text && core::str::from_utf8(&message).is_err() {
            return Err(CloseCode::INVALID_DATA);
        }
        Ok(self.message(message.freeze()))
    }

    fn message(&mut self, message: Bytes) -> Option<WebSocketEvent> {
        let is_keep_alive = message.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        if !is_keep_alive {
            return Some(WebSocketEvent::Message(message));
        }
        if message == PING {
            self.send(Bytes::from_static(PONG));
        }
        Some(WebSocketEvent::KeepAlive)
    }

    /// The peer ends it, and gets the same code back.
    fn closed(&mut self, payload: &[u8]) -> Result<WebSocketEvent, CloseCode> {
        let code = CloseCode::read(payload)?;
        let said = payload.get(..2).unwrap_or_default();
        self.write(Opcode::Close, Bytes::copy_from_slice(said));
        Ok(self.ended(Ended::Closed(code)))
    }

    fn broken(&mut self, code: CloseCode) -> WebSocketEvent {
        self.close(code);
        WebSocketEvent::Ended(Ended::Broken(code))
    }

    fn ended(&mut self, ended: Ended) -> WebSocketEvent {
        self.end();
        WebSocketEvent::Ended(ended)
    }

    fn end(&mut self) {
        self.phase = Phase::Ended;
        self.buf = BytesMut::new();
        (self.awaited, self.begun, self.pong) = (None, None, None);
    }

    fn write(&mut self, opcode: Opcode, payload: Bytes) {
        match &mut self.masks {
            None => {
                self.out.push_back(Bytes::from(frame::head(opcode, payload.len(), None)));
                self.out.extend(Some(payload).filter(|payload| !payload.is_empty()));
            }
            Some(random) => {
                let mut mask = [0; 4];
                random.fill(&mut mask);
                self.out.push_back(Bytes::from(frame::frame(opcode, &payload, Some(mask))));
            }
        }
    }
}

#[cfg(test)]
mod tests;
