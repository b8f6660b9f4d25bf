//! One connection: what is read from it, what is owed to it, when it ends.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use ringback_base::{Hop, Micros, Now, TimerId, Transport};
use ringback_message::{Message, Method, ParseErrorKind, Rejected};
use ringback_transport::PONG;
use ringback_transport::websocket::{Admission, CloseCode, Ended, Refusal};
use tokio::io::ReadBuf;
use tokio::net::TcpStream;

use crate::counters::LiveCounters;
use crate::tcp::census::{HandshakeSeat, Seat};
use crate::tcp::directory::Proven;
use crate::tcp::framing::{Asked, Framing, Incoming};
use crate::tcp::limits::TcpLimits;
use crate::tcp::queue::WriteQueue;
use crate::tcp::wire::{Handshake, Wire};
use crate::tls::{self, TlsStart};
use crate::trouble::tls_error;

/// How much one connection may give in one go, in bytes, before the next one has its turn.
pub(crate) const READ_BYTES: usize = 16_384;

/// When a message is offered again that its shard had no room for.
const OFFER_AGAIN: Micros = Micros::from_ms(5);

/// Takes what connections read.
pub(crate) trait Upper {
    /// A whole message. Given back where its shard has no room for it now: then the connection is not read until it has.
    fn message(&mut self, bytes: Bytes, hop: Hop) -> Result<(), Bytes>;

    /// What could be read of a stream that can't be followed.
    fn rejected(&mut self, rejected: Box<Rejected>, hop: Hop);

    /// Whether a keep-alive of ours has no answer yet there: a server sends none.
    fn awaits_pong(&self, _hop: &Hop) -> bool {
        false
    }

    /// It is answered.
    fn pong(&mut self, _hop: Hop) {}

    /// A connection that we have begun stands, with TLS and WebSocket where they belong to it; or one that somebody else has begun with TLS.
    fn opened(&mut self, _hop: Hop) {}
}

/// What everything that a connection does is done under.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) limits: &'a TcpLimits,
    pub(crate) counters: &'a LiveCounters,
    /// Whom a WebSocket is opened with.
    pub(crate) admission: &'a Arc<Admission>,
    pub(crate) now: Now,
}

/// Why a connection ends.
#[derive(Debug)]
pub(crate) enum End {
    /// Both sides are through with each other.
    Done,
    /// The peer or the way to it is gone.
    Lost(io::Error),
    /// It could not be opened.
    Unreachable(io::Error),
    /// It could not be opened in time.
    ConnectTimeout,
    /// TLS could not be agreed on.
    Handshake(io::Error),
    /// It could not be agreed on in time.
    HandshakeTimeout,
    /// The server did not open a WebSocket in time.
    UpgradeTimeout,
    /// Nobody said anything for too long.
    Idle,
    /// A message took too long to come.
    Slow,
    /// The peer took nothing for too long.
    Stalled,
    /// The peer reads more slowly than others write to it.
    Overrun,
    /// The answers that a half-closed peer waits for took too long.
    Unanswered,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Done => f.write_str("both sides are through"),
            End::Lost(error) => write!(f, "lost: {error}"),
            End::Unreachable(error) => write!(f, "could not be opened: {error}"),
            End::ConnectTimeout => f.write_str("could not be opened in time"),
            End::Handshake(error) => match tls_error(error) {
                Some(error) => f.write_str(&tls::reason(error)),
                None => write!(f, "TLS could not be agreed on: {error}"),
            },
            End::HandshakeTimeout => f.write_str("TLS could not be agreed on in time"),
            End::UpgradeTimeout => f.write_str("our opening of a WebSocket was not answered in time"),
            End::Idle => f.write_str("silent for too long"),
            End::Slow => f.write_str("a message took too long"),
            End::Stalled => f.write_str("the peer takes nothing"),
            End::Overrun => f.write_str("the peer reads too slowly"),
            End::Unanswered => f.write_str("half-closed, and unanswered for too long"),
        }
    }
}

pub(crate) type Connect = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

enum Phase {
    Connecting {
        connect: Connect,
        /// What follows, where TLS does.
        tls: Option<(TlsStart, HandshakeSeat)>,
        until: Micros,
    },
    /// TLS is being agreed on.
    Handshaking {
        handshake: Handshake,
        _seat: HandshakeSeat,
        until: Micros,
    },
    Open,
    /// Nothing is read any more, because the peer has ended its side, or because it can't be followed. What is owed is still sent.
    Answering {
        peer_ended: bool,
        until: Micros,
    },
    /// We have ended our side. To close at once would let the kernel throw away what the peer has not read yet.
    Lingering {
        until: Micros,
    },
}

/// A row of the table.
pub(crate) struct Connection {
    hop: Hop,
    phase: Phase,
    wire: Option<Wire>,
    framing: Framing,
    queue: WriteQueue,
    /// What was written is not all with the kernel yet.
    is_unflushed: bool,
    waker: Waker,
    /// A message that its shard had no room for, and when it is offered again.
    held: Option<(Bytes, Micros)>,
    /// Requests that were read and have no final response yet. It errs where one is never answered, or answered twice: it only says
    /// how long a peer that has ended its side is waited for.
    owed: u32,
    last_sent: Micros,
    stalled_since: Option<Micros>,
    /// Until when somebody who connected must have said something.
    newcomer_until: Option<Micros>,
    /// Other shards that sent by it, and must hear of its end.
    pub(crate) users: Vec<u16>,
    pub(crate) timer: Option<TimerId>,
    pub(crate) is_dirty: bool,
    pub(crate) is_told: bool,
    /// What a peer that connected has proven to be.
    proven: Option<Proven>,
    /// Where else it is reached by this connection, as it says. `[RFC 5923, Section 8.2]`
    pub(crate) alias: Option<SocketAddr>,
    /// Its first message has not come yet, which says so.
    may_have_alias: bool,
    /// The directory doesn't know of it yet.
    has_news: bool,
    /// Why a WebSocket that we asked for isn't there.
    refusal: Option<Box<str>>,
    _seat: Seat,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("hop", &self.hop)
            .field("queued", &self.queue.bytes())
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// One that a peer opened.
    pub(crate) fn accepted(hop: Hop, socket: TcpStream, waker: Waker, seat: Seat, rules: Rules<'_>) -> Connection {
        let newcomer_until = Some(rules.now.mono.plus(rules.limits.newcomer_timeout));
        let connection = Connection::new(hop, Phase::Open, waker, seat, rules);
        Connection { wire: Some(Wire::Plain(socket)), newcomer_until, ..connection }
    }

    /// One that a peer opened, and that begins with TLS.
    pub(crate) fn handshaking(
        hop: Hop,
        (handshake, _seat): (Handshake, HandshakeSeat),
        waker: Waker,
        seat: Seat,
        rules: Rules<'_>,
    ) -> Connection {
        let until = rules.now.mono.plus(rules.limits.handshake_timeout);
        let newcomer_until = Some(rules.now.mono.plus(rules.limits.newcomer_timeout));
        let connection = Connection::new(hop, Phase::Handshaking { handshake, _seat, until }, waker, seat, rules);
        Connection { newcomer_until, ..connection }
    }

    /// One that we are opening, and that begins with TLS where we say so, and becomes a WebSocket where this is asked for.
    pub(crate) fn connecting(
        hop: Hop,
        (connect, tls, asked): (Connect, Option<(TlsStart, HandshakeSeat)>, Option<Asked>),
        waker: Waker,
        seat: Seat,
        rules: Rules<'_>,
    ) -> Connection {
        let until = rules.now.mono.plus(rules.limits.connect_timeout);
        let connection = Connection::new(hop, Phase::Connecting { connect, tls, until }, waker, seat, rules);
        Connection { framing: Framing::opened(hop.transport, asked, rules), ..connection }
    }

    fn new(hop: Hop, phase: Phase, waker: Waker, seat: Seat, rules: Rules<'_>) -> Connection {
        Connection {
            hop,
            phase,
            wire: None,
            framing: Framing::accepted(hop.transport, rules),
            queue: WriteQueue::default(),
            is_unflushed: false,
            waker,
            held: None,
            owed: 0,
            last_sent: rules.now.mono,
            stalled_since: None,
            newcomer_until: None,
            users: Vec::new(),
            timer: None,
            is_dirty: false,
            is_told: false,
            proven: None,
            alias: None,
            may_have_alias: false,
            has_news: false,
            refusal: None,
            _seat: seat,
        }
    }

    /// How its messages come in. Our side is the listener's address, also where we opened it: that is the one which others may be told.
    pub(crate) fn hop(&self) -> Hop {
        self.hop
    }

    /// Wakes it, so that its shard looks after it.
    pub(crate) fn wake(&self) {
        self.waker.wake_by_ref();
    }

    /// Whether a message can go by it: to a peer that has ended its side, responses only.
    pub(crate) fn takes(&self, is_response: bool) -> bool {
        match self.phase {
            Phase::Connecting { .. } | Phase::Handshaking { .. } | Phase::Open => true,
            // A WebSocket that the peer has ended can't be written to.
            Phase::Answering { .. } => is_response && self.framing.takes(),
            Phase::Lingering { .. } => false,
        }
    }

    /// Whether nothing will come from it any more.
    pub(crate) fn is_deaf(&self) -> bool {
        matches!(self.phase, Phase::Answering { .. } | Phase::Lingering { .. })
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.queue.is_empty() && !self.is_unflushed
    }

    /// Takes a message to be written by [`Connection::flush`].
    pub(crate) fn send(&mut self, bytes: Bytes, rules: Rules<'_>) -> Result<(), End> {
        if !self.has_room(&bytes, rules) {
            // So much may have come together in one turn; it says nothing of the peer before it was offered.
            self.write(rules)?;
            if !self.has_room(&bytes, rules) {
                return Err(End::Overrun);
            }
        }
        if is_final(&bytes) {
            self.owed = self.owed.saturating_sub(1);
        }
        self.last_sent = rules.now.mono;
        self.framing.send(bytes, &mut self.queue, rules.now);
        rules.counters.messages_sent.count();
        Ok(())
    }

    /// One message always has room, whatever the limit is.
    fn has_room(&self, bytes: &Bytes, rules: Rules<'_>) -> bool {
        let before = self.queue.bytes().saturating_add(self.framing.waiting_bytes());
        before.saturating_add(bytes.len()) <= rules.limits.write_queue_bytes_max || before == 0
    }

    /// Writes what the peer takes now. Ends what is through; that is why it comes after the stack has said all that it has to say.
    pub(crate) fn flush(&mut self, rules: Rules<'_>) -> Result<(), End> {
        self.write(rules)?;
        let Phase::Answering { peer_ended, .. } = self.phase else { return Ok(()) };
        if self.owed > 0 || !self.is_flushed() {
            return Ok(());
        }
        let Some(wire) = self.wire.as_mut().filter(|_| !peer_ended) else { return Err(End::Done) };
        match wire.poll_shutdown(&mut Context::from_waker(&self.waker)) {
            Poll::Ready(Err(error)) => Err(End::Lost(error)),
            _ => {
                self.phase = Phase::Lingering { until: rules.now.mono.plus(rules.limits.linger_timeout) };
                self.wake();
                Ok(())
            }
        }
    }

    /// Does what it was woken for.
    pub(crate) fn work(&mut self, buffer: &mut [u8], up: &mut dyn Upper, rules: Rules<'_>) -> Result<(), End> {
        let was_agreed = self.is_agreed();
        if !self.has_begun(rules)? {
            return Ok(());
        }
        if !was_agreed && self.is_agreed() {
            up.opened(self.hop);
        }
        self.write(rules)?;
        let was_agreed = self.is_agreed();
        self.read(buffer, up, rules)?;
        if !was_agreed && self.is_agreed() {
            up.opened(self.hop);
        }
        Ok(())
    }

    /// Whether messages can pass: TLS and WebSocket are agreed on, where they belong to it.
    fn is_agreed(&self) -> bool {
        self.wire.is_some() && !self.framing.is_asking()
    }

    /// Connects, and agrees on TLS; false where the other side must be waited for.
    fn has_begun(&mut self, rules: Rules<'_>) -> Result<bool, End> {
        if let Phase::Connecting { connect, tls, .. } = &mut self.phase {
            let connected = connect.as_mut().poll(&mut Context::from_waker(&self.waker));
            let Poll::Ready(socket) = connected.map_err(End::Unreachable)? else { return Ok(false) };
            rules.counters.connections_opened.count();
            match tls.take() {
                None => self.open(Wire::Plain(socket), rules),
                Some((start, _seat)) => {
                    let until = rules.now.mono.plus(rules.limits.handshake_timeout);
                    self.phase = Phase::Handshaking { handshake: start.begin(socket), _seat, until };
                }
            }
        }
        if let Phase::Handshaking { handshake, .. } = &mut self.phase {
            let agreed = handshake.as_mut().poll(&mut Context::from_waker(&self.waker));
            let Poll::Ready(wire) = agreed.map_err(End::Handshake)? else { return Ok(false) };
            rules.counters.handshakes.count();
            self.proven = wire.proven();
            self.has_news = self.proven.is_some();
            self.may_have_alias = self.has_news && self.hop.transport == Transport::Tls;
            self.open(wire, rules);
        }
        Ok(true)
    }

    /// The domains that a peer who connected has proven to be, when there is something new to be known of them.
    pub(crate) fn take_news(&mut self) -> Option<Proven> {
        std::mem::take(&mut self.has_news).then(|| self.proven.clone()).flatten()
    }

    fn open(&mut self, wire: Wire, rules: Rules<'_>) {
        self.wire = Some(wire);
        self.phase = Phase::Open;
        self.framing.begin(rules);
        if self.framing.is_asking() {
            self.newcomer_until = Some(rules.now.mono.plus(rules.limits.handshake_timeout));
        }
    }

    /// Why it can't be had, where it ends before it was there.
    pub(crate) fn why_unopened(&mut self, end: Option<&End>) -> Option<Box<str>> {
        let is_unopened = match self.phase {
            Phase::Connecting { .. } | Phase::Handshaking { .. } => true,
            _ => self.framing.is_asking(),
        };
        let end = end.filter(|_| is_unopened).map(|end| end.to_string().into());
        let why = self.refusal.take().or(end)?;
        Some(format!("{} to {}: {why}", self.hop.transport, self.hop.remote).into())
    }

    /// Whether it is a WebSocket.
    pub(crate) fn is_websocket(&self) -> bool {
        matches!(self.framing, Framing::WebSocket(_))
    }

    /// Tells the peer of a WebSocket that we go. (RFC 6455)
    pub(crate) fn go_away(&mut self, rules: Rules<'_>) {
        if matches!(self.phase, Phase::Open) && self.framing.close(CloseCode::GOING_AWAY, &mut self.queue) {
            self.part(rules);
        }
    }

    /// What was said is still sent; whatever is owed can't be.
    fn part(&mut self, rules: Rules<'_>) {
        self.owed = 0;
        let until = rules.now.mono.plus(rules.limits.linger_timeout);
        self.phase = Phase::Answering { peer_ended: false, until };
    }

    fn write(&mut self, rules: Rules<'_>) -> Result<(), End> {
        let Some(wire) = &mut self.wire else { return Ok(()) };
        let mut cx = Context::from_waker(&self.waker);
        while !self.queue.is_empty() {
            let (slices, filled) = self.queue.slices();
            match wire.poll_write(&mut cx, slices.get(..filled).unwrap_or(&slices)) {
                Poll::Pending => {
                    self.stalled_since.get_or_insert(rules.now.mono);
                    return Ok(());
                }
                Poll::Ready(Ok(0)) => return Err(End::Lost(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    self.queue.advance(written);
                    self.stalled_since = None;
                    self.is_unflushed = true;
                }
                Poll::Ready(Err(error)) => return Err(End::Lost(error)),
            }
        }
        if self.is_unflushed {
            match wire.poll_flush(&mut cx) {
                Poll::Pending => _ = self.stalled_since.get_or_insert(rules.now.mono),
                Poll::Ready(Ok(())) => {
                    self.is_unflushed = false;
                    self.stalled_since = None;
                }
                Poll::Ready(Err(error)) => return Err(End::Lost(error)),
            }
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], up: &mut dyn Upper, rules: Rules<'_>) -> Result<(), End> {
        match self.phase {
            Phase::Open => {}
            Phase::Lingering { .. } => return self.discard(buffer),
            Phase::Connecting { .. } | Phase::Handshaking { .. } | Phase::Answering { .. } => return Ok(()),
        }
        self.pass_up(up, rules);
        let is_free = matches!(self.phase, Phase::Open) && self.held.is_none();
        // Who lets its answers lie gets no more of them. The writing wakes us when there is room again.
        if !is_free || self.queue.bytes() > rules.limits.pause_reading_bytes() {
            return Ok(());
        }
        match self.receive(buffer)? {
            None => {}
            Some([]) => {
                if self.framing.is_asking() {
                    self.refusal = Some("a WebSocket was asked for, and the far end hung up".into());
                }
                let until = rules.now.mono.plus(rules.limits.half_closed_timeout);
                self.phase = Phase::Answering { peer_ended: true, until };
            }
            Some(bytes) => {
                self.framing.handle_data(bytes, rules.now);
                self.pass_up(up, rules);
                // There may be more; the others come first. What is held has a timer.
                if self.held.is_none() {
                    self.wake();
                }
            }
        }
        Ok(())
    }

    /// What the kernel has for us; nothing at all where the peer has ended its side, `None` where it has to be waited for.
    fn receive<'b>(&mut self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, End> {
        let Some(wire) = &mut self.wire else { return Ok(None) };
        let length = buffer.len().min(READ_BYTES);
        let mut read = ReadBuf::new(buffer.get_mut(..length).unwrap_or_default());
        match wire.poll_read(&mut Context::from_waker(&self.waker), &mut read) {
            Poll::Pending => Ok(None),
            Poll::Ready(Err(error)) => Err(End::Lost(error)),
            Poll::Ready(Ok(())) => {
                let length = read.filled().len();
                Ok(Some(buffer.get(..length).unwrap_or_default()))
            }
        }
    }

    fn discard(&mut self, buffer: &mut [u8]) -> Result<(), End> {
        match self.receive(buffer)? {
            None => Ok(()),
            Some([]) => Err(End::Done),
            Some(_) => {
                self.wake();
                Ok(())
            }
        }
    }

    /// Passes up what has come in, as long as it is taken.
    fn pass_up(&mut self, up: &mut dyn Upper, rules: Rules<'_>) {
        let mut pings = 0;
        while matches!(self.phase, Phase::Open) {
            let message = match self.held.take() {
                Some((message, _)) => message,
                None => match self.framing.poll(&mut self.queue) {
                    Ok(None) => {
                        if up.awaits_pong(&self.hop) && self.framing.take_pong() {
                            up.pong(self.hop);
                        }
                        break;
                    }
                    Ok(Some(Incoming::Opened)) => {
                        if self.framing.is_client() {
                            self.newcomer_until = None;
                        }
                        rules.counters.websockets_opened.count();
                        continue;
                    }
                    Ok(Some(keep_alive @ (Incoming::Ping | Incoming::KeepAlive))) => {
                        self.newcomer_until = None;
                        pings += usize::from(matches!(keep_alive, Incoming::Ping));
                        continue;
                    }
                    Ok(Some(Incoming::Message(message))) => {
                        self.newcomer_until = None;
                        self.owed = self.owed.saturating_add(u32::from(wants_answer(&message)));
                        rules.counters.messages_received.count();
                        if std::mem::take(&mut self.may_have_alias) {
                            self.alias = alias_of(&message, self.hop.remote);
                            self.has_news = self.alias.is_some();
                        }
                        message
                    }
                    Ok(Some(Incoming::Ended(ended))) => {
                        self.hang_up(ended, rules);
                        break;
                    }
                    Err(rejected) => {
                        self.reject(rejected, up, rules);
                        break;
                    }
                },
            };
            if let Err(message) = up.message(message, self.hop) {
                rules.counters.messages_held.count();
                self.held = Some((message, rules.now.mono.plus(OFFER_AGAIN)));
                break;
            }
        }
        if pings > 0 {
            self.queue.push(Bytes::from(PONG.repeat(pings)));
        }
    }

    fn reject(&mut self, rejected: Box<Rejected>, up: &mut dyn Upper, rules: Rules<'_>) {
        rules.counters.connections_rejected.count();
        if is_too_long(&rejected) {
            rules.counters.message_bytes_max_reached.count();
        }
        self.owed = self.owed.saturating_add(u32::from(will_be_answered(&rejected)));
        let until = rules.now.mono.plus(rules.limits.half_closed_timeout);
        self.phase = Phase::Answering { peer_ended: false, until };
        up.rejected(rejected, self.hop);
    }

    /// A WebSocket has ended: what it still says is sent, and whatever is owed can't be.
    fn hang_up(&mut self, ended: Ended, rules: Rules<'_>) {
        let counters = rules.counters;
        match &ended {
            Ended::Broken(code) => {
                counters.websockets_broken.count();
                if *code == CloseCode::TOO_LARGE {
                    counters.message_bytes_max_reached.count();
                }
            }
            Ended::Refused(Refusal::TooLarge) => counters.handshake_bytes_max_reached.count(),
            Ended::Refused(_) | Ended::Rejected(_) => counters.websockets_refused.count(),
            // The peer has said so.
            _ => {}
        }
        tracing::debug!(remote = %self.hop.remote, why = ?ended, "WebSocket ended");
        if let Ended::Rejected(why) = ended {
            self.refusal = Some(format!("a WebSocket was asked for, and answered was {why}").into());
        }
        self.part(rules);
    }

    /// When [`Connection::handle_timeout`] is next wanted.
    pub(crate) fn deadline(&self, limits: &TcpLimits) -> Micros {
        let stalled = self.stalled_since.map(|since| since.plus(limits.stall_timeout));
        let others = match self.phase {
            Phase::Connecting { until, .. } | Phase::Handshaking { until, .. } | Phase::Lingering { until } => {
                return until;
            }
            Phase::Answering { until, .. } => [Some(until), None, None, None],
            Phase::Open => {
                let offer_again = self.held.as_ref().map(|(_, at)| *at);
                [Some(self.silence_ends(limits)), self.newcomer_until, offer_again, self.framing.poll_ping()]
            }
        };
        others.into_iter().flatten().chain(stalled).min().unwrap_or(Micros::MAX)
    }

    /// The peer was told to send keep-alives.
    pub(crate) fn expect_keep_alives(&mut self, silence_max: Micros) {
        self.framing.expect_keep_alives(silence_max);
    }

    fn silence_ends(&self, limits: &TcpLimits) -> Micros {
        self.framing.silence_ends(self.last_sent, limits)
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&mut self, rules: Rules<'_>) -> Result<(), End> {
        let Rules { limits, now: Now { mono: now, .. }, .. } = rules;
        if self.deadline(limits) > now {
            return Ok(());
        }
        let is_stalled = self.stalled_since.is_some_and(|since| since.plus(limits.stall_timeout) <= now);
        match self.phase {
            Phase::Connecting { .. } => Err(End::ConnectTimeout),
            Phase::Handshaking { .. } => Err(End::HandshakeTimeout),
            Phase::Lingering { .. } => Err(End::Done),
            _ if is_stalled => Err(End::Stalled),
            Phase::Answering { .. } => Err(End::Unanswered),
            Phase::Open if self.silence_ends(limits) <= now && self.framing.is_mid_message() => Err(End::Slow),
            Phase::Open if self.silence_ends(limits) <= now => Err(End::Idle),
            Phase::Open if self.newcomer_until.is_some_and(|until| until <= now) => {
                Err(if self.framing.is_asking() { End::UpgradeTimeout } else { End::Idle })
            }
            Phase::Open => {
                if let Some((_, again)) = &mut self.held {
                    *again = now.plus(OFFER_AGAIN);
                }
                self.framing.handle_timeout(&mut self.queue, rules.now);
                self.wake();
                Ok(())
            }
        }
    }
}

/// Where a peer that connected says that it listens, and is reached by this connection: its own address, at the port of sent-by.
/// `[RFC 5923, Section 8.2]`
fn alias_of(message: &Bytes, remote: SocketAddr) -> Option<SocketAddr> {
    let message = Message::parse_framed(message.clone()).ok().filter(Message::is_request)?;
    let via = message.vias().next()?.ok().filter(|via| via.params.has(b"alias"))?;
    Some(SocketAddr::new(remote.ip(), via.port.unwrap_or(Transport::Tls.default_port())))
}

/// A request that gets a final response; one that will not be read as a request does not matter here.
fn wants_answer(message: &[u8]) -> bool {
    !is_response(message) && !message.starts_with(b"ACK ")
}

/// Whether a message of ours is a response.
pub(crate) fn is_response(message: &[u8]) -> bool {
    message.starts_with(b"SIP/2.0 ")
}

fn is_final(message: &[u8]) -> bool {
    is_response(message) && message.get(8).is_some_and(|class| (b'2'..=b'6').contains(class))
}

/// A message beyond the limit of the connection is too large as a whole, which is told of its first byte; the limits within a message
/// are told of the line that reached them.
fn is_too_long(rejected: &Rejected) -> bool {
    rejected.error.kind == ParseErrorKind::TooLarge && rejected.error.offset == 0
}

/// What the stack answers of that which it can't read.
fn will_be_answered(rejected: &Rejected) -> bool {
    rejected.salvage.as_ref().is_some_and(|message| {
        message.is_request()
            && message.method_text() != Some(Method::Ack.as_str().as_bytes())
            && matches!(message.vias().next(), Some(Ok(_)))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn what_is_owed() {
        for (message, owes, settles) in [
            ("INVITE sip:a SIP/2.0\r\n", true, false),
            ("ACK sip:a SIP/2.0\r\n", false, false),
            ("ACKNOWLEDGE sip:a SIP/2.0\r\n", true, false),
            ("SIP/2.0 100 Trying\r\n", false, false),
            ("SIP/2.0 199 Early\r\n", false, false),
            ("SIP/2.0 200 OK\r\n", false, true),
            ("SIP/2.0 603 Decline\r\n", false, true),
            ("SIP/2.0 ", false, false),
        ] {
            assert_eq!((wants_answer(message.as_bytes()), is_final(message.as_bytes())), (owes, settles), "{message}");
        }
    }
}
