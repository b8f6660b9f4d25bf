//! The loop of an agent: one task, one endpoint, no locks.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use ringback_base::{Hop, Micros, Now, Transport};
use ringback_message::Rejected;
use ringback_transaction::Transmit;
use tokio::sync::mpsc;
use tokio::task::{unconstrained, yield_now};
use tokio::time::{Sleep, sleep_until};

use super::desk::{Command, Desk};
use super::lease::Dropped;
use super::names::{Found, Names};
use super::watch::{Seen, Watcher};
use crate::clock::Clock;
use crate::counters::LiveCounters;
use crate::icmp::Unreachable;
use crate::inbox::Inbox;
use crate::outbox::Sent;
use crate::socket::Socket;
use crate::tcp::connection::Upper;
use crate::tcp::table::{Connections, Gone};
use crate::trouble::Trouble;

/// The work budget of one turn: no input starves another, nor the timers.
const READS_PER_SOCKET: usize = 64;
const COMMANDS_PER_TURN: usize = 64;
const UNREACHABLES_PER_TURN: usize = 64;

/// The largest payload that a UDP datagram can have, and then some.
const DATAGRAM_BYTES_MAX: usize = 65_536;

/// How long the task goes on without handles: as long as a BYE is repeated, and somewhat more.
const LAST_WORDS: Micros = Micros::from_secs(35);

/// What comes in besides what sockets read.
#[derive(Debug)]
pub(crate) struct Inboxes {
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) dropped: Arc<Dropped>,
    pub(crate) names: Inbox<Found>,
    pub(crate) unreachables: Inbox<Unreachable>,
}

pub(crate) struct Task {
    desk: Desk,
    sockets: Vec<Socket>,
    connections: Connections,
    inboxes: Inboxes,
    names: Names,
    watcher: Watcher,
    counters: Arc<LiveCounters>,
    clock: Clock,
    buffer: Box<[u8]>,
    alarm: Option<(Instant, Pin<Box<Sleep>>)>,
    /// A command that came with the waiting.
    first: Option<Command>,
    /// All handles are gone: when the task ends at the latest.
    ends_at: Option<Micros>,
}

impl Task {
    pub(crate) fn new(
        desk: Desk,
        sockets: Vec<Socket>,
        connections: Connections,
        inboxes: Inboxes,
        (names, watcher): (Names, Watcher),
        counters: Arc<LiveCounters>,
        clock: Clock,
    ) -> Task {
        let buffer = vec![0; DATAGRAM_BYTES_MAX].into_boxed_slice();
        Task {
            desk,
            sockets,
            connections,
            inboxes,
            names,
            watcher,
            counters,
            clock,
            buffer,
            alarm: None,
            first: None,
            ends_at: None,
        }
    }

    /// Runs until nobody has a handle any more, and all is said.
    pub(crate) async fn run(mut self) {
        loop {
            // The runtime would cut a turn short, by sockets that seem not to be ready. A turn has a budget of its own.
            if unconstrained(async { self.turn() }).await {
                yield_now().await;
            } else if self.is_over() {
                self.connections.part(&self.clock, &mut self.buffer).await;
                tracing::debug!("agent ended");
                return;
            } else {
                self.wait().await;
            }
        }
    }

    fn is_over(&self) -> bool {
        let Some(ends_at) = self.ends_at else { return false };
        let is_said =
            self.desk.is_through() && self.sockets.iter().all(Socket::is_flushed) && self.connections.is_flushed();
        is_said || ends_at <= self.clock.now().mono
    }

    /// One round; true where the budget ran out before the work did.
    fn turn(&mut self) -> bool {
        let now = self.clock.now();
        if self.desk.endpoint.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.desk.endpoint.handle_timeout(now);
        }
        self.connections.handle_timeout(now);
        self.put_out(now);
        let mut more = self.take_commands(now);
        self.take_names(now);
        more |= self.take_datagrams(now);
        more |= self.take_messages(now);
        self.take_unreachables(now);
        for held in self.inboxes.dropped.take() {
            self.desk.let_go(held, now);
        }
        self.put_out(now);
        more
    }

    fn take_commands(&mut self, now: Now) -> bool {
        for _ in 0..COMMANDS_PER_TURN {
            match self.first.take().or_else(|| self.inboxes.commands.try_recv().ok()) {
                Some(command) => command(&mut self.desk, now),
                None => {
                    if self.ends_at.is_none() && self.inboxes.commands.is_closed() {
                        self.ends_at = Some(now.mono.plus(LAST_WORDS));
                        self.connections.close_listeners();
                        self.desk.hang_up_all(now);
                    }
                    return false;
                }
            }
            // What came of one is told before the next is taken.
            self.desk.settle(now);
        }
        true
    }

    fn take_names(&mut self, now: Now) {
        while let Some((token, answer)) = self.inboxes.names.next() {
            self.desk.endpoint.handle_answer(token, answer, now);
        }
    }

    fn take_unreachables(&mut self, now: Now) {
        for _ in 0..UNREACHABLES_PER_TURN {
            let Some(Unreachable { start, hop }) = self.inboxes.unreachables.next() else { return };
            let why = &"the network says that nobody is there (ICMP)";
            self.watcher.see(Seen::Failed { hop, trouble: Trouble::Refused, why });
            if self.desk.endpoint.handle_unreachable(&start, &hop, now) {
                self.counters.requests_unreachable.count();
            }
        }
    }

    fn take_messages(&mut self, now: Now) -> bool {
        let Task { desk, connections, buffer, watcher, .. } = self;
        connections.turn(buffer, &mut ToDesk { desk, watcher, now }, now)
    }

    fn take_datagrams(&mut self, now: Now) -> bool {
        let mut more = false;
        for socket in &mut self.sockets {
            let mut left = READS_PER_SOCKET;
            loop {
                if left == 0 {
                    more = true;
                    break;
                }
                left -= 1;
                match socket.receive(&mut self.buffer, now.mono, &self.counters) {
                    Ok(None) => break,
                    Ok(Some((length, remote))) => {
                        let bytes = Bytes::copy_from_slice(self.buffer.get(..length).unwrap_or_default());
                        let hop = Hop::udp(socket.local(), remote);
                        self.watcher.see(Seen::Received { bytes: &bytes, hop });
                        if let Err(error) = self.desk.endpoint.handle_datagram(bytes, hop, now) {
                            tracing::debug!(%remote, %error, "what came can't be read");
                        }
                        self.desk.settle(now);
                    }
                    Err(error) => tracing::debug!(local = %socket.local(), %error, "reading failed"),
                }
            }
        }
        more
    }

    /// Everything that there is to say, until there is nothing more.
    fn put_out(&mut self, now: Now) {
        while let Some(sent) = self.sockets.iter_mut().find_map(|socket| socket.send_waiting(now.mono)) {
            self.account_for(sent, now);
        }
        loop {
            self.desk.settle(now);
            let mut has_moved = false;
            while let Some(asked) = self.desk.endpoint.poll_question(now) {
                has_moved = true;
                if let Some((token, answer)) = self.names.ask(asked, &self.clock) {
                    self.desk.endpoint.handle_answer(token, answer, now);
                }
            }
            while let Some(transmit) = self.desk.endpoint.poll_transmit() {
                has_moved = true;
                self.send(transmit, now);
            }
            // A name that leads nowhere was no question to anybody, and is told all the same.
            has_moved |= self.desk.settle(now);
            if has_moved {
                continue;
            }
            // Last, so that what goes by one connection goes together.
            self.connections.flush(now);
            let Some(gone) = self.connections.poll_gone() else { return };
            let Gone { hop, end, unopened, .. } = &gone;
            match (end, unopened) {
                (Some(end), _) => self.watcher.see(Seen::Failed { hop: *hop, trouble: Trouble::of_end(end), why: end }),
                (None, Some(why)) => self.watcher.see(Seen::Failed { hop: *hop, trouble: Trouble::Handshake, why }),
                (None, None) => {}
            }
            match unopened {
                Some(why) => self.desk.endpoint.handle_connection_failed(hop, why, now),
                None => self.desk.endpoint.handle_send_failed(hop, now),
            }
        }
    }

    fn send(&mut self, transmit: Transmit, now: Now) {
        let hop = transmit.hop;
        self.watcher.see(Seen::Sent { bytes: &transmit.bytes, hop });
        if hop.transport != Transport::Udp {
            if self.connections.send(transmit, 0, now).is_err() {
                self.counters.send_errors.count();
                let why = &"no connection can be opened from here";
                self.watcher.see(Seen::Failed { hop, trouble: Trouble::Unreachable, why });
                self.desk.endpoint.handle_send_failed(&hop, now);
            }
            return;
        }
        let is_ours = |socket: &&mut Socket| socket.local() == hop.local;
        match self.sockets.iter_mut().find(is_ours) {
            Some(socket) => {
                let sent = socket.send(transmit);
                self.account_for(sent, now);
            }
            None => {
                self.counters.send_errors.count();
                self.desk.endpoint.handle_send_failed(&hop, now);
            }
        }
    }

    fn account_for(&mut self, sent: Sent, now: Now) {
        sent.count(&self.counters);
        if let Sent::Failed(transmit, error) = sent {
            tracing::debug!(hop = %transmit.hop, bytes = transmit.bytes.len(), %error, "sending failed");
            let trouble = Trouble::of_io(&error);
            self.watcher.see(Seen::Failed { hop: transmit.hop, trouble, why: &error });
            self.desk.endpoint.handle_send_failed(&transmit.hop, now);
        }
    }

    /// Waits until there is something to do.
    async fn wait(&mut self) {
        let paused = self.sockets.iter().filter_map(Socket::paused_until);
        let times = [self.desk.endpoint.poll_timeout(), self.connections.poll_timeout(), self.ends_at];
        let next = paused.chain(times.into_iter().flatten()).min();
        self.set_alarm(next);
        poll_fn(|cx| self.poll_ready(cx)).await;
    }

    fn set_alarm(&mut self, at: Option<Micros>) {
        let at = at.and_then(|at| self.clock.instant(at));
        match (&mut self.alarm, at) {
            (None, None) => {}
            (Some((set, _)), Some(at)) if *set == at => {}
            (Some((set, sleep)), Some(at)) => {
                *set = at;
                sleep.as_mut().reset(at.into());
            }
            (alarm, at) => *alarm = at.map(|at| (at, Box::pin(sleep_until(at.into())))),
        }
    }

    /// Looks at every source, so that each of them can wake us.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut ready = self.alarm.as_mut().is_some_and(|(_, sleep)| sleep.as_mut().poll(cx).is_ready());
        for socket in &self.sockets {
            ready |= socket.poll_ready(cx);
        }
        ready |= self.connections.poll_ready(cx);
        ready |= self.inboxes.names.poll_ready(cx);
        ready |= self.inboxes.unreachables.poll_ready(cx);
        ready |= self.inboxes.dropped.poll_ready(cx);
        if self.first.is_none() && self.ends_at.is_none() {
            // The end of the channel is something to do too, once.
            if let Poll::Ready(command) = self.inboxes.commands.poll_recv(cx) {
                self.first = command;
                ready = true;
            }
        }
        if ready { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Takes what connections read to the endpoint.
struct ToDesk<'a> {
    desk: &'a mut Desk,
    watcher: &'a mut Watcher,
    now: Now,
}

impl Upper for ToDesk<'_> {
    fn message(&mut self, bytes: Bytes, hop: Hop) -> Result<(), Bytes> {
        self.watcher.see(Seen::Received { bytes: &bytes, hop });
        if let Err(error) = self.desk.endpoint.handle_message(bytes, hop, self.now) {
            tracing::debug!(remote = %hop.remote, %error, "what came can't be read");
        }
        self.desk.settle(self.now);
        Ok(())
    }

    fn rejected(&mut self, rejected: Box<Rejected>, hop: Hop) {
        if let Err(error) = self.desk.endpoint.handle_rejected(rejected, hop, self.now) {
            tracing::debug!(remote = %hop.remote, %error, "a stream can't be followed");
        }
    }

    fn opened(&mut self, hop: Hop) {
        self.watcher.see(Seen::Opened { hop });
    }

    fn awaits_pong(&self, hop: &Hop) -> bool {
        self.desk.endpoint.agent().awaits_pong(hop)
    }

    fn pong(&mut self, hop: Hop) {
        self.desk.endpoint.handle_pong(&hop, self.now);
        self.desk.settle(self.now);
    }
}
