//! The loop of one shard: one thread, one stack, no locks.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use ringback_base::{Hop, Micros, Now, Transport};
use ringback_message::Rejected;
use ringback_stack::{Event, Stack};
use ringback_transaction::Transmit;
use tokio::sync::watch;
use tokio::task::{unconstrained, yield_now};
use tokio::time::{Sleep, sleep_until};

use crate::clock::Clock;
use crate::counters::LiveCounters;
use crate::events::EventLog;
use crate::icmp::Unreachable;
use crate::inbox::Inbox;
use crate::lookups::{Answered, Lookups};
use crate::outbox::Sent;
use crate::ring::{Carried, Handed, Ring};
use crate::socket::Socket;
use crate::tally::{Tally, TallyWanted};
use crate::tcp::connection::Upper;
use crate::tcp::table::Connections;

/// The work budget of one turn: no input starves another, nor the timers.
const READS_PER_SOCKET: usize = 64;
const HANDED_PER_TURN: usize = 64;
const CARRIED_PER_TURN: usize = 256;
const ANSWERS_PER_TURN: usize = 256;
const LOOKUPS_PER_TURN: usize = 512;
const UNREACHABLES_PER_TURN: usize = 64;

/// The largest payload that a UDP datagram can have, and then some.
const DATAGRAM_BYTES_MAX: usize = 65_536;

/// What a shard is told by those who started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Refuse what is new, bring to an end what is open.
    Drain,
    /// End now.
    Stop,
}

/// The sockets of one shard.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) sockets: Vec<Socket>,
    pub(crate) connections: Connections,
}

/// What comes in to a shard besides what its sockets read.
#[derive(Debug)]
pub(crate) struct Inboxes {
    pub(crate) handed: Inbox<Handed>,
    pub(crate) carried: Inbox<Carried>,
    pub(crate) answers: Inbox<Answered>,
    pub(crate) unreachables: Inbox<Unreachable>,
    pub(crate) phases: Inbox<Phase>,
    pub(crate) tallies: Inbox<TallyWanted>,
}

/// What ties a shard to the others and to those who started it.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) inboxes: Inboxes,
    pub(crate) ring: Ring,
    pub(crate) counters: Arc<LiveCounters>,
    pub(crate) clock: Clock,
    pub(crate) idle: watch::Sender<bool>,
}

/// One shard, before and while it runs.
#[derive(Debug)]
pub(crate) struct Shard {
    stack: Stack,
    sockets: Vec<Socket>,
    connections: Connections,
    inboxes: Inboxes,
    ring: Ring,
    lookups: Lookups,
    log: EventLog,
    counters: Arc<LiveCounters>,
    clock: Clock,
    buffer: Box<[u8]>,
    alarm: Option<(Instant, Pin<Box<Sleep>>)>,
    draining: bool,
    idle: watch::Sender<bool>,
}

impl Shard {
    pub(crate) fn new(stack: Stack, ports: Ports, lookups: Lookups, links: Links) -> Shard {
        let Ports { sockets, connections } = ports;
        let Links { inboxes, ring, counters, clock, idle } = links;
        let log = EventLog::new(ring.index, Arc::clone(&counters));
        let buffer = vec![0; DATAGRAM_BYTES_MAX].into_boxed_slice();
        Shard {
            stack,
            sockets,
            connections,
            inboxes,
            ring,
            lookups,
            log,
            counters,
            clock,
            buffer,
            alarm: None,
            draining: false,
            idle,
        }
    }

    /// Runs until it is told to stop.
    pub(crate) async fn run(mut self) {
        while !self.is_stopped() {
            // The runtime would cut a turn short, by sockets that seem not to be ready. A turn has a budget of its own.
            if unconstrained(async { self.turn() }).await {
                yield_now().await;
            } else {
                self.wait().await;
            }
        }
        unconstrained(async { self.send_the_last() }).await;
        self.connections.part(&self.clock, &mut self.buffer).await;
        tracing::debug!(shard = self.ring.index, counters = ?self.stack.counters(), "shard stopped");
    }

    /// What other shards gave us to send before all were told to stop.
    fn send_the_last(&mut self) {
        let now = self.clock.now();
        while self.take_carried(now) {}
        self.connections.flush(now);
    }

    fn is_stopped(&mut self) -> bool {
        while let Some(wanted) = self.inboxes.tallies.next() {
            let (stack, transactions) = (self.stack.counters(), self.stack.transactions().counters().clone());
            // Who asked may have stopped waiting.
            _ = wanted.send(Tally { stack, transactions });
        }
        while let Some(phase) = self.inboxes.phases.next() {
            match phase {
                Phase::Stop => return true,
                Phase::Drain => {
                    self.stack.drain();
                    self.connections.close_listeners();
                    self.draining = true;
                }
            }
        }
        false
    }

    /// One round; true where the budget ran out before the work did.
    fn turn(&mut self) -> bool {
        let now = self.clock.now();
        if self.stack.poll_timeout().is_some_and(|(at, _)| at <= now.mono) {
            self.stack.handle_timeout(now);
        }
        self.connections.handle_timeout(now);
        let mut more = self.put_out(now);
        more |= self.take_answers(now);
        more |= self.take_handed(now);
        more |= self.take_carried(now);
        more |= self.take_datagrams(now);
        more |= self.take_messages(now);
        more |= self.take_unreachables(now);
        more |= self.put_out(now);
        if self.draining {
            self.tell_idle();
        }
        more
    }

    fn take_answers(&mut self, now: Now) -> bool {
        for _ in 0..ANSWERS_PER_TURN {
            let Some((token, answer)) = self.inboxes.answers.next() else { return false };
            self.stack.handle_answer(token, answer, now);
        }
        true
    }

    fn take_handed(&mut self, now: Now) -> bool {
        for _ in 0..HANDED_PER_TURN {
            match self.inboxes.handed.next() {
                None => return false,
                Some(Handed::Datagram { bytes, hop }) => self.stack.handle_datagram(bytes, hop, now),
                Some(Handed::Message { bytes, hop }) => self.stack.handle_message(bytes, hop, now),
                Some(Handed::Failed { hop }) => self.stack.handle_send_failed(&hop, now),
                Some(Handed::KeptAlive { flow, silence_max }) => {
                    self.connections.expect_keep_alives(flow, silence_max, now)
                }
                Some(Handed::Unreachable(unreachable)) => _ = self.is_told(&unreachable, now),
            }
        }
        true
    }

    fn take_carried(&mut self, now: Now) -> bool {
        for _ in 0..CARRIED_PER_TURN {
            let Some(Carried { transmit, by }) = self.inboxes.carried.next() else { return false };
            if let Err(transmit) = self.connections.send(transmit, by, now) {
                self.counters.send_errors.count();
                self.ring.tell_failed(by, transmit.hop, &self.counters);
            }
        }
        true
    }

    fn take_unreachables(&mut self, now: Now) -> bool {
        for _ in 0..UNREACHABLES_PER_TURN {
            let Some(unreachable) = self.inboxes.unreachables.next() else { return false };
            if !self.is_told(&unreachable, now) {
                self.ring.pass_on(unreachable, &self.counters);
            }
        }
        true
    }

    /// Tells our stack of a request that did not arrive; true where it is one of its.
    fn is_told(&mut self, Unreachable { start, hop }: &Unreachable, now: Now) -> bool {
        let is_ours = self.stack.handle_unreachable(start, hop, now);
        if is_ours {
            self.counters.requests_unreachable.count();
            tracing::debug!(shard = self.ring.index, %hop, "unreachable");
        }
        is_ours
    }

    fn take_messages(&mut self, now: Now) -> bool {
        let Shard { stack, ring, counters, connections, buffer, .. } = self;
        connections.turn(buffer, &mut ToOwners { stack, ring, counters, now }, now)
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
                        let datagram = self.buffer.get(..length).unwrap_or_default();
                        let hop = Hop::udp(socket.local(), remote);
                        if let Some(bytes) = self.ring.keep(datagram, hop, &self.counters) {
                            self.stack.handle_datagram(bytes, hop, now);
                        }
                    }
                    Err(error) => {
                        tracing::debug!(shard = self.ring.index, local = %socket.local(), %error, "reading failed");
                    }
                }
            }
        }
        more
    }

    /// Everything that the stack has to say, until it has nothing more; true where the budget ran out first.
    fn put_out(&mut self, now: Now) -> bool {
        self.send_waiting(now);
        let mut lookups_left = LOOKUPS_PER_TURN;
        loop {
            while let Some(transmit) = self.stack.poll_transmit() {
                self.send(transmit, now);
            }
            while let Some(event) = self.stack.poll_event() {
                match event {
                    Event::KeptAlive { hop, silence_max } => self.expect_keep_alives(&hop, silence_max, now),
                    event => self.log.write(event, now),
                }
            }
            if lookups_left > 0
                && let Some(lookup) = self.stack.poll_lookup()
            {
                lookups_left -= 1;
                let token = lookup.token;
                if let Some(answer) = self.lookups.ask(lookup) {
                    self.stack.handle_answer(token, answer, now);
                }
                continue;
            }
            // Last, so that what goes by one connection goes together.
            self.connections.flush(now);
            if !self.tell_gone(now) {
                return lookups_left == 0;
            }
        }
    }

    /// The connection of this hop, whichever shard has it, is closed where nothing comes by it for so long.
    fn expect_keep_alives(&mut self, hop: &Hop, silence_max: Micros, now: Now) {
        let Some(flow) = hop.flow else { return };
        if flow.shard == self.ring.index {
            self.connections.expect_keep_alives(flow, silence_max, now);
        } else {
            self.ring.tell_kept_alive(flow, silence_max, &self.counters);
        }
    }

    /// Tells of the connections that ended, so that their requests are tried elsewhere; true where there were any.
    fn tell_gone(&mut self, now: Now) -> bool {
        let mut any = false;
        while let Some(gone) = self.connections.poll_gone() {
            for shard in &gone.users {
                self.ring.tell_failed(*shard, gone.hop, &self.counters);
            }
            self.stack.handle_send_failed(&gone.hop, now);
            any = true;
        }
        any
    }

    fn send(&mut self, transmit: Transmit, now: Now) {
        match transmit.hop.transport {
            Transport::Udp => self.send_by_socket(transmit, now),
            _ => self.send_by_connection(transmit, now),
        }
    }

    fn send_by_connection(&mut self, transmit: Transmit, now: Now) {
        let sent = match self.connections.other_home(&transmit) {
            Some(home) => self.ring.carry(home, transmit, &self.counters),
            None => self.connections.send(transmit, self.ring.index, now),
        };
        if let Err(transmit) = sent {
            self.counters.send_errors.count();
            self.stack.handle_send_failed(&transmit.hop, now);
        }
    }

    fn send_by_socket(&mut self, transmit: Transmit, now: Now) {
        let is_ours = |socket: &&mut Socket| socket.local() == transmit.hop.local;
        match self.sockets.iter_mut().find(is_ours) {
            Some(socket) => {
                let sent = socket.send(transmit);
                self.account_for(sent, now);
            }
            None => {
                self.counters.send_errors.count();
                tracing::error!(shard = self.ring.index, hop = %transmit.hop, "no socket for this hop");
                self.stack.handle_send_failed(&transmit.hop, now);
            }
        }
    }

    fn send_waiting(&mut self, now: Now) {
        while let Some(sent) = self.sockets.iter_mut().find_map(|socket| socket.send_waiting(now.mono)) {
            self.account_for(sent, now);
        }
    }

    fn account_for(&mut self, sent: Sent, now: Now) {
        sent.count(&self.counters);
        if let Sent::Failed(transmit, error) = sent {
            tracing::debug!(shard = self.ring.index, hop = %transmit.hop, bytes = transmit.bytes.len(), %error, "sending failed");
            self.stack.handle_send_failed(&transmit.hop, now);
        }
    }

    fn tell_idle(&mut self) {
        let is_flushed = self.sockets.iter().all(Socket::is_flushed) && self.connections.is_flushed();
        let idle = self.stack.is_settled() && is_flushed;
        self.idle.send_if_modified(|told| std::mem::replace(told, idle) != idle);
    }

    /// Waits until there is something to do.
    async fn wait(&mut self) {
        let paused = self.sockets.iter().filter_map(Socket::paused_until);
        let stack = self.stack.poll_timeout().map(|(at, _)| at);
        let next = paused.chain(stack).chain(self.connections.poll_timeout()).min();
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
        ready |= self.inboxes.handed.poll_ready(cx);
        ready |= self.inboxes.carried.poll_ready(cx);
        ready |= self.inboxes.answers.poll_ready(cx);
        ready |= self.inboxes.unreachables.poll_ready(cx);
        ready |= self.inboxes.phases.poll_ready(cx);
        ready |= self.inboxes.tallies.poll_ready(cx);
        if ready { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Takes what connections read to the stack that it is for.
struct ToOwners<'a> {
    stack: &'a mut Stack,
    ring: &'a Ring,
    counters: &'a LiveCounters,
    now: Now,
}

impl Upper for ToOwners<'_> {
    fn message(&mut self, bytes: Bytes, hop: Hop) -> Result<(), Bytes> {
        if let Some(bytes) = self.ring.keep_message(bytes, hop, self.counters)? {
            self.stack.handle_message(bytes, hop, self.now);
        }
        Ok(())
    }

    /// It is answered without a transaction, so it does not matter whose it would be.
    fn rejected(&mut self, rejected: Box<Rejected>, hop: Hop) {
        self.stack.handle_rejected(rejected, hop, self.now);
    }
}
