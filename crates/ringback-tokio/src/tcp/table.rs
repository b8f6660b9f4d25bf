//! The connections of one shard.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use ringback_base::{FlowId, Hop, Micros, Now, Random, TimerQueue, Transport};
use ringback_message::Rejected;
use ringback_transaction::Transmit;
use ringback_transport::websocket::{Admission, Resource};
use slab::Slab;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::clock::Clock;
use crate::counters::LiveCounters;
use crate::network::Network;
use crate::tcp::acceptor::Acceptor;
use crate::tcp::announced::{ANNOUNCED_MAX, Announced};
use crate::tcp::census::{Census, Full, HandshakeSeat, Seat};
use crate::tcp::connection::{Connect, Connection, End, Rules, Upper, is_response};
use crate::tcp::directory::{Directory, Far, Proven};
use crate::tcp::framing::Asked;
use crate::tcp::limits::TcpLimits;
use crate::tcp::signal::{Key, Ready};
use crate::tls::{PeerName, Tls, TlsStart};

/// The work budget of one turn.
const CONNECTIONS_PER_TURN: usize = 64;
const ACCEPTS_PER_TURN: usize = 32;

/// How long those whom we leave may take to hear it: less than a shard may take to end.
const PARTING_WAIT: Duration = Duration::from_millis(500);

/// How many connections are remembered that were closed because their peer did not read.
const DEAF_PEERS_MAX: usize = 256;

/// The end of a connection, for those who sent by it.
#[derive(Debug)]
pub(crate) struct Gone {
    /// Where there is another connection to its far end, the far end is not named: who asked for any connection to it has that one.
    pub(crate) hop: Hop,
    /// The other shards that sent by it.
    pub(crate) users: Vec<u16>,
    /// How it ended; `None` where its peer has only ended its side.
    pub(crate) end: Option<End>,
    /// Why it was never there, where it wasn't.
    pub(crate) unopened: Option<Box<str>>,
}

/// What the connections of all shards share.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    pub(crate) limits: TcpLimits,
    pub(crate) census: Arc<Census>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) tls: Tls,
    /// Load balancers, whose connections say first whose they are.
    pub(crate) proxies: Arc<[Network]>,
    pub(crate) admission: Arc<Admission>,
    /// What WebSockets are asked for that we open; `None` where none is opened: browsers come to a server.
    pub(crate) resource: Option<Arc<Resource>>,
}

impl Common {
    pub(crate) fn new(limits: TcpLimits, tls: Tls) -> Common {
        Common {
            limits,
            census: Arc::new(Census::new(&limits)),
            directory: Arc::default(),
            tls,
            proxies: Arc::default(),
            admission: Arc::default(),
            resource: None,
        }
    }
}

/// Connections and those who accept them.
#[derive(Debug)]
pub(crate) struct Connections {
    shard: u16,
    limits: TcpLimits,
    counters: Arc<LiveCounters>,
    census: Arc<Census>,
    acceptors: Vec<Acceptor>,
    /// Load balancers, whose connections say first whose they are.
    proxies: Arc<[Network]>,
    announced: Slab<Announced>,
    rows: Slab<Connection>,
    /// How often a place was taken. It starts anywhere, so that a flow of a former process names none of this one.
    generation: u32,
    directory: Arc<Directory>,
    tls: Tls,
    admission: Arc<Admission>,
    resource: Option<Arc<Resource>>,
    ready: Arc<Ready>,
    timers: TimerQueue<Key>,
    dirty: Vec<FlowId>,
    gone: VecDeque<Gone>,
    /// Those whose answers are dropped: to open another connection for them would give the peer another queue to fill.
    deaf_peers: VecDeque<FlowId>,
}

impl Connections {
    /// An empty table.
    pub(crate) fn new(shard: u16, generation: u32, common: Common, counters: Arc<LiveCounters>) -> Connections {
        let Common { limits, census, directory, tls, admission, resource, proxies } = common;
        Connections {
            shard,
            limits,
            counters,
            census,
            acceptors: Vec::new(),
            proxies,
            announced: Slab::new(),
            rows: Slab::new(),
            generation,
            directory,
            tls,
            admission,
            resource,
            ready: Arc::default(),
            timers: TimerQueue::new(),
            dirty: Vec::new(),
            gone: VecDeque::new(),
            deaf_peers: VecDeque::new(),
        }
    }

    /// Accepts by this socket too, from those who speak this transport.
    ///
    /// # Errors
    /// Where the runtime can't watch the socket.
    pub(crate) fn listen(
        &mut self,
        listener: std::net::TcpListener,
        transport: Transport,
        local: SocketAddr,
    ) -> io::Result<()> {
        let waker = self.ready.waker(Key::Acceptor(self.acceptors.len()));
        waker.wake_by_ref();
        self.acceptors.push(Acceptor::new(listener, transport, local, waker)?);
        Ok(())
    }

    /// Accepts no more.
    pub(crate) fn close_listeners(&mut self) {
        self.acceptors.clear();
    }

    /// True where nothing waits to be written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.rows.iter().all(|(_, connection)| connection.is_flushed())
    }

    /// Tells those that have a WebSocket with us that we go, and gives them the time to hear it that anybody has whom we hang up on. What
    /// comes meanwhile is passed over.
    pub(crate) async fn part(&mut self, clock: &Clock, buffer: &mut [u8]) {
        let sockets = |rows: &Slab<Connection>| {
            let sockets = rows.iter().filter(|(_, row)| row.is_websocket()).map(|(_, row)| row.hop());
            sockets.filter_map(|hop| hop.flow).collect::<Vec<_>>()
        };
        let begun = clock.now();
        self.close_listeners();
        for flow in sockets(&self.rows) {
            self.with(flow, begun, |connection, rules| {
                connection.go_away(rules);
                Ok(())
            });
            self.soil(flow);
        }
        self.flush(begun);
        let wait = PARTING_WAIT.min(Duration::from_micros(self.limits.linger_timeout.0));
        let parting = async {
            while !sockets(&self.rows).is_empty() {
                poll_fn(|cx| if self.ready.poll_ready(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
                self.turn(buffer, &mut Deaf, clock.now());
                self.flush(clock.now());
            }
        };
        _ = timeout(wait, parting).await;
    }

    /// True where there may be something to do; wakes the task when there is.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> bool {
        self.ready.poll_ready(cx)
    }

    /// When [`Connections::handle_timeout`] is next wanted.
    pub(crate) fn poll_timeout(&self) -> Option<Micros> {
        self.timers.next().map(|(at, _)| at)
    }

    /// The next connection that has ended and was sent by.
    pub(crate) fn poll_gone(&mut self) -> Option<Gone> {
        self.gone.pop_front()
    }

    /// Looks after those that were woken, each once: what it said is answered before it is read further. True where more are waiting.
    pub(crate) fn turn(&mut self, buffer: &mut [u8], up: &mut dyn Upper, now: Now) -> bool {
        for _ in 0..self.ready.len().min(CONNECTIONS_PER_TURN) {
            match self.ready.next() {
                None => break,
                Some(Key::Acceptor(place)) => self.accept(place, now),
                Some(Key::Announced(place)) => self.hear_announced(place, now),
                Some(Key::Flow(flow)) => {
                    self.with(flow, now, |connection, rules| connection.work(buffer, up, rules));
                    self.note_proven(flow);
                    // It may be through with what it owes.
                    if self.row(flow).is_some_and(|row| row.is_deaf()) {
                        self.soil(flow);
                    }
                }
            }
        }
        self.ready.len() > 0
    }

    /// Closes what is overdue.
    pub(crate) fn handle_timeout(&mut self, now: Now) {
        while let Some((_, key)) = self.timers.pop_due(now.mono) {
            match key {
                Key::Acceptor(place) => {
                    if let Some(acceptor) = self.acceptors.get(place) {
                        acceptor.wake();
                    }
                }
                Key::Announced(place) => {
                    // Dropping the socket closes it.
                    if self.announced.try_remove(place).is_some() {
                        self.counters.announcements_refused.count();
                    }
                }
                Key::Flow(flow) => {
                    if let Some(connection) = self.row(flow) {
                        connection.timer = None;
                    }
                    self.with(flow, now, Connection::handle_timeout);
                }
            }
        }
    }

    /// The other shard that has the connection which the hop of this message names, or if it names none, one to its far end.
    pub(crate) fn other_home(&self, transmit: &Transmit) -> Option<u16> {
        let flow = transmit.hop.flow.or_else(|| self.known_to(transmit, name_of(transmit).as_ref()))?;
        Some(flow.shard).filter(|home| *home != self.shard)
    }

    /// The far end of this connection was told to send keep-alives: where nothing comes for so long, the connection is closed.
    pub(crate) fn expect_keep_alives(&mut self, flow: FlowId, silence_max: Micros, now: Now) {
        self.with(flow, now, |connection, _| {
            connection.expect_keep_alives(silence_max);
            Ok(())
        });
    }

    /// Takes a message of the stack of shard `by`: for the connection that it names, else for one to its far end, which is opened if
    /// need be. Given back where there is no way.
    ///
    /// A response whose connection is gone goes to where its Via says that another can be opened. `[RFC 3261, Section 18.2.2]` A request
    /// whose connection is gone doesn't: only its stack knows where else its target is to be found.
    pub(crate) fn send(&mut self, transmit: Transmit, by: u16, now: Now) -> Result<(), Transmit> {
        let is_response = is_response(&transmit.bytes);
        let named = transmit.hop.flow.filter(|flow| self.row(*flow).is_some_and(|row| row.takes(is_response)));
        let flow = match named {
            Some(flow) => flow,
            None if transmit.hop.flow.is_some() && !is_response => {
                self.counters.flows_gone.count();
                return Err(transmit);
            }
            None if transmit.hop.flow.is_some_and(|flow| self.deaf_peers.contains(&flow)) => return Err(transmit),
            None => match self.way_to(&transmit, now) {
                Some(flow) => flow,
                None => return Err(transmit),
            },
        };
        let shard = self.shard;
        self.with(flow, now, |connection, rules| {
            if by != shard && !connection.users.contains(&by) {
                connection.users.push(by);
            }
            connection.send(transmit.bytes, rules)
        });
        self.soil(flow);
        Ok(())
    }

    /// Writes what was taken since the last time.
    pub(crate) fn flush(&mut self, now: Now) {
        for place in 0..self.dirty.len() {
            let Some(flow) = self.dirty.get(place).copied() else { break };
            if let Some(row) = self.row(flow) {
                row.is_dirty = false;
            }
            self.with(flow, now, Connection::flush);
        }
        self.dirty.clear();
    }

    /// The connection of ours to the far end of this message, opened if need be.
    fn way_to(&mut self, transmit: &Transmit, now: Now) -> Option<FlowId> {
        let name = name_of(transmit);
        let known = self.known_to(transmit, name.as_ref()).filter(|flow| flow.shard == self.shard);
        match known.filter(|flow| self.row(*flow).is_some_and(|row| row.takes(false))) {
            Some(flow) => Some(flow),
            None => self.connect(transmit.hop, name, now),
        }
    }

    /// The connection to the far end of this message, whichever shard has it. Over TLS one whose peer is who it is for: a name that
    /// can't be told has none.
    fn known_to(&self, transmit: &Transmit, name: Option<&PeerName>) -> Option<FlowId> {
        if is_secure(transmit.hop.transport) && name.is_none() {
            return None;
        }
        self.directory.find(Far::of(&transmit.hop), name.filter(|_| is_secure(transmit.hop.transport)))
    }

    fn accept(&mut self, place: usize, now: Now) {
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(acceptor) = self.acceptors.get_mut(place) else { return };
            let (transport, local) = (acceptor.transport(), acceptor.local());
            match acceptor.accept(now.mono, &self.counters) {
                Ok(Some((socket, remote))) => self.receive(socket, Hop { transport, local, remote, flow: None }, now),
                Ok(None) => return,
                Err(error) => {
                    self.counters.accept_errors.count();
                    tracing::debug!(shard = self.shard, %local, %error, "accepting failed");
                    if let Some(until) = acceptor.paused_until() {
                        self.timers.set(until, Key::Acceptor(place));
                        return;
                    }
                }
            }
        }
        if let Some(acceptor) = self.acceptors.get(place) {
            acceptor.wake();
        }
    }

    /// One that was accepted; those of load balancers say first whose they are.
    fn receive(&mut self, socket: TcpStream, hop: Hop, now: Now) {
        if !self.proxies.iter().any(|network| network.contains(hop.remote.ip())) {
            return self.admit(socket, hop, now);
        }
        if self.announced.len() >= ANNOUNCED_MAX {
            return self.counters.announced_max_reached.count();
        }
        let place = self.announced.vacant_entry();
        let key = Key::Announced(place.key());
        let waker = self.ready.waker(key);
        waker.wake_by_ref();
        let timer = self.timers.set(now.mono.plus(self.limits.handshake_timeout), key);
        place.insert(Announced::new(socket, hop, waker, timer));
    }

    fn hear_announced(&mut self, place: usize, now: Now) {
        let Some(announced) = self.announced.get_mut(place) else { return };
        let (hop, Poll::Ready(result)) = (announced.hop(), announced.poll()) else { return };
        let Announced { timer, .. } = self.announced.remove(place);
        self.timers.stop(timer);
        match result {
            Ok((socket, hop)) => self.admit(socket, hop, now),
            Err(error) => {
                self.counters.announcements_refused.count();
                tracing::debug!(shard = self.shard, remote = %hop.remote, %error, "a load balancer doesn't say whose a connection is");
            }
        }
    }

    /// Dropping the socket closes it.
    fn admit(&mut self, socket: TcpStream, hop: Hop, now: Now) {
        let remote = hop.remote;
        let Some(seat) = self.seat(remote) else { return };
        if let Err(error) = prepare(&socket, &self.limits) {
            self.counters.accept_errors.count();
            tracing::debug!(shard = self.shard, %remote, %error, "a connection can't be set up");
            return;
        }
        let nobody = Proven::from([]);
        let flow = if is_secure(hop.transport) {
            let Some(server) = self.tls.server.clone() else { return };
            let Some(handshake_seat) = self.handshake_seat() else { return };
            let handshake = (server.begin(socket), handshake_seat);
            self.insert(hop, nobody, now, |hop, waker, rules| {
                Connection::handshaking(hop, handshake, waker, seat, rules)
            })
        } else {
            self.insert(hop, nobody, now, |hop, waker, rules| Connection::accepted(hop, socket, waker, seat, rules))
        };
        self.counters.connections_accepted.count();
        if let Some(row) = self.row(flow) {
            row.wake();
        }
    }

    /// Begins to open a connection from an address of ours, at a port that the kernel chooses.
    fn connect(&mut self, hop: Hop, name: Option<PeerName>, now: Now) -> Option<FlowId> {
        let tls = self.tls_to(&hop, name.as_ref())?;
        let asked = self.asked_of(&hop, name.as_ref())?;
        let proven = name.filter(|_| is_secure(hop.transport)).map_or_else(Vec::new, |name| name.proven());
        let seat = self.seat(hop.remote)?;
        match connect(hop.local, hop.remote, &self.limits) {
            Ok(connect) => {
                let flow = self.insert(hop, proven.into(), now, |hop, waker, rules| {
                    Connection::connecting(hop, (connect, tls, asked), waker, seat, rules)
                });
                self.row(flow)?.wake();
                Some(flow)
            }
            Err(error) => {
                self.counters.connects_failed.count();
                tracing::debug!(shard = self.shard, remote = %hop.remote, %error, "no connection");
                None
            }
        }
    }

    /// What a connection that we open begins with; `None` where we can't open one.
    #[expect(clippy::option_option, reason = "no TLS is not the same as no way")]
    fn tls_to(&self, hop: &Hop, name: Option<&PeerName>) -> Option<Option<(TlsStart, HandshakeSeat)>> {
        match hop.transport {
            Transport::Tcp | Transport::Ws => Some(None),
            Transport::Tls | Transport::Wss => {
                let start = self.tls.client.as_ref()?.start(name?.server_name()?);
                Some(Some((start, self.handshake_seat()?)))
            }
            Transport::Udp => None,
        }
    }

    /// What the server of a WebSocket is asked for; `None` where we open none.
    #[expect(clippy::option_option, reason = "no WebSocket is not the same as no way")]
    fn asked_of(&self, hop: &Hop, name: Option<&PeerName>) -> Option<Option<Asked>> {
        if !matches!(hop.transport, Transport::Ws | Transport::Wss) {
            return Some(None);
        }
        let resource = Arc::clone(self.resource.as_ref()?);
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).ok()?;
        let named = name.map_or(PeerName::Address(hop.remote.ip()), PeerName::clone);
        let host = match (named, hop.remote.port()) {
            (named, port) if port == hop.transport.default_port() => named.to_string().into(),
            (named, port) => format!("{named}:{port}").into(),
        };
        Some(Some(Asked { host, resource, random: Random::from_seed(seed) }))
    }

    fn handshake_seat(&self) -> Option<HandshakeSeat> {
        let seat = self.census.admit_handshake();
        if seat.is_none() {
            self.counters.handshakes_max_reached.count();
        }
        seat
    }

    fn seat(&self, remote: SocketAddr) -> Option<Seat> {
        match self.census.admit(remote.ip()) {
            Ok(seat) => return Some(seat),
            Err(Full::Process) => self.counters.connections_max_reached.count(),
            Err(Full::Source) => self.counters.connections_per_source_max_reached.count(),
        }
        None
    }

    fn insert(
        &mut self,
        hop: Hop,
        proven: Proven,
        now: Now,
        make: impl FnOnce(Hop, std::task::Waker, Rules<'_>) -> Connection,
    ) -> FlowId {
        self.generation = self.generation.wrapping_add(1);
        let place = self.rows.vacant_entry();
        // The table is never that long: `connections_max` files are more than any system gives.
        let slot = u32::try_from(place.key()).unwrap_or(u32::MAX);
        let flow = FlowId { shard: self.shard, slot, generation: self.generation };
        let hop = Hop { flow: Some(flow), ..hop };
        let rules = Rules { limits: &self.limits, counters: &self.counters, admission: &self.admission, now };
        let connection = place.insert(make(hop, self.ready.waker(Key::Flow(flow)), rules));
        connection.timer = Some(self.timers.set(connection.deadline(&self.limits), Key::Flow(flow)));
        self.directory.insert(Far::of(&hop), flow, proven);
        flow
    }

    fn row(&mut self, flow: FlowId) -> Option<&mut Connection> {
        let slot = usize::try_from(flow.slot).ok()?;
        self.rows.get_mut(slot).filter(|row| row.hop().flow == Some(flow))
    }

    /// A peer that connected has shown a certificate: requests to its domains may come back by this connection. `[RFC 5923, Section 8.2]`
    fn note_proven(&mut self, flow: FlowId) {
        if let Some(row) = self.row(flow)
            && let Some(proven) = row.take_news()
        {
            let (far, alias) = (Far::of(&row.hop()), row.alias);
            self.directory.insert(far, flow, Arc::clone(&proven));
            if let Some(remote) = alias {
                self.directory.insert_alias(Far { remote, ..far }, flow, proven);
            }
        }
    }

    /// To be flushed.
    fn soil(&mut self, flow: FlowId) {
        if let Some(row) = self.row(flow).filter(|row| !row.is_dirty) {
            row.is_dirty = true;
            self.dirty.push(flow);
        }
    }

    /// Lets a connection do something, and draws the consequences.
    fn with(&mut self, flow: FlowId, now: Now, act: impl FnOnce(&mut Connection, Rules<'_>) -> Result<(), End>) {
        let Some(row) = usize::try_from(flow.slot).ok().and_then(|slot| self.rows.get_mut(slot)) else { return };
        if row.hop().flow != Some(flow) {
            return;
        }
        let result =
            act(row, Rules { limits: &self.limits, counters: &self.counters, admission: &self.admission, now });
        match result {
            Ok(()) => {
                let deadline = row.deadline(&self.limits);
                // A deadline that moves away is looked at when its timer fires: most of them move with each message.
                if row.timer.is_none_or(|timer| timer.at() > deadline) {
                    row.timer.take().and_then(|timer| self.timers.stop(timer));
                    row.timer = Some(self.timers.set(deadline, Key::Flow(flow)));
                }
                if row.is_deaf() {
                    self.tell(flow, None);
                }
            }
            Err(end) => self.end(flow, end),
        }
    }

    fn end(&mut self, flow: FlowId, end: End) {
        let counters = &self.counters;
        match &end {
            End::Done => {}
            End::Lost(_) => counters.connections_lost.count(),
            End::Unreachable(_) => counters.connects_failed.count(),
            End::ConnectTimeout => counters.connect_timeouts.count(),
            End::Handshake(_) => counters.handshakes_failed.count(),
            End::HandshakeTimeout => counters.handshake_timeouts.count(),
            End::UpgradeTimeout => counters.websockets_refused.count(),
            End::Idle => counters.connections_idle.count(),
            End::Slow => counters.connections_slow.count(),
            End::Stalled => counters.connections_stalled.count(),
            End::Overrun => counters.connections_overrun.count(),
            End::Unanswered => counters.connections_unanswered.count(),
        }
        if let Some(hop) = self.row(flow).map(|row| row.hop()) {
            tracing::debug!(shard = self.shard, transport = %hop.transport, remote = %hop.remote, why = %end, "connection ended");
        }
        if matches!(end, End::Stalled | End::Overrun) {
            self.deaf_peers.truncate(DEAF_PEERS_MAX - 1);
            self.deaf_peers.push_front(flow);
        }
        self.tell(flow, Some(end));
        let Some(row) = usize::try_from(flow.slot).ok().and_then(|slot| self.rows.try_remove(slot)) else { return };
        if let Some(timer) = row.timer {
            self.timers.stop(timer);
        }
    }

    /// From here on nothing comes from it: those who wait for that must know, once.
    fn tell(&mut self, flow: FlowId, end: Option<End>) {
        let Some(row) = self.row(flow).filter(|row| !row.is_told) else { return };
        row.is_told = true;
        let unopened = row.why_unopened(end.as_ref());
        let (hop, alias, users) = (row.hop(), row.alias, std::mem::take(&mut row.users));
        if let Some(remote) =
            alias.filter(|remote| self.directory.remove(Far { remote: *remote, ..Far::of(&hop) }, flow))
        {
            self.gone.push_back(Gone { hop: Hop { remote, ..hop }, users: users.clone(), end: None, unopened: None });
        }
        let is_the_way = self.directory.remove(Far::of(&hop), flow);
        let remote = if is_the_way { hop.remote } else { SocketAddr::from(([0, 0, 0, 0], 0)) };
        self.gone.push_back(Gone { hop: Hop { remote, ..hop }, users, end, unopened });
    }
}

/// Whom the far end must prove to be, over TLS, and whom a WebSocket is asked of.
fn name_of(transmit: &Transmit) -> Option<PeerName> {
    let is_named = matches!(transmit.hop.transport, Transport::Tls | Transport::Ws | Transport::Wss);
    is_named.then(|| PeerName::of(&transmit.bytes)).flatten()
}

/// Takes no message any more.
struct Deaf;

impl Upper for Deaf {
    fn message(&mut self, _bytes: Bytes, _hop: Hop) -> Result<(), Bytes> {
        Ok(())
    }

    fn rejected(&mut self, _rejected: Box<Rejected>, _hop: Hop) {}
}

/// Whether it runs over TLS.
fn is_secure(transport: Transport) -> bool {
    matches!(transport, Transport::Tls | Transport::Wss)
}

fn prepare(socket: &TcpStream, limits: &TcpLimits) -> io::Result<()> {
    // A response must not wait for the acknowledgement of the one before it.
    socket.set_nodelay(true)?;
    probe(&SockRef::from(socket), limits)
}

fn probe(socket: &SockRef<'_>, limits: &TcpLimits) -> io::Result<()> {
    // Whole seconds, at least one, is what all systems take.
    let after = Duration::from_secs((limits.probe_after.0 / 1_000_000).max(1));
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(after))
}

fn connect(local: SocketAddr, remote: SocketAddr, limits: &TcpLimits) -> io::Result<Connect> {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    probe(&SockRef::from(&socket), limits)?;
    socket.bind(SocketAddr::new(local.ip(), 0))?;
    Ok(Box::pin(socket.connect(remote)))
}

#[cfg(test)]
mod tests;
