//! The loop of one shard: one thread, one stack, no locks.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use ringback_base::{Hop, KeyedHash, Micros, Now};
use ringback_stack::{Stack, owner};
use ringback_transaction::Transmit;
use tokio::sync::{mpsc, watch};
use tokio::task::yield_now;
use tokio::time::{Sleep, sleep_until};

use crate::clock::Clock;
use crate::counters::LiveCounters;
use crate::events::EventLog;
use crate::inbox::Inbox;
use crate::lookups::{Answered, Lookups};
use crate::outbox::Sent;
use crate::socket::Socket;

/// How many datagrams may wait for a shard that other shards read for it; those beyond it are lost.
pub const HANDED_MAX: usize = 4_096;

/// The work budget of one turn: no input starves another, nor the timers.
const READS_PER_SOCKET: usize = 64;
const HANDED_PER_TURN: usize = 64;
const ANSWERS_PER_TURN: usize = 256;
const LOOKUPS_PER_TURN: usize = 512;

/// The largest payload that a UDP datagram can have, and then some.
const DATAGRAM_BYTES_MAX: usize = 65_536;

/// A datagram that another shard read.
#[derive(Debug)]
pub(crate) struct Handed {
    bytes: Bytes,
    hop: Hop,
}

/// What a shard is told by those who started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Refuse what is new, bring to an end what is open.
    Drain,
    /// End now.
    Stop,
}

/// The way to every shard, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    pub(crate) hash: KeyedHash,
    pub(crate) index: u16,
    pub(crate) shards: Vec<mpsc::Sender<Handed>>,
}

/// What comes in to a shard besides datagrams.
#[derive(Debug)]
pub(crate) struct Inboxes {
    pub(crate) handed: Inbox<Handed>,
    pub(crate) answers: Inbox<Answered>,
    pub(crate) phases: Inbox<Phase>,
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
    pub(crate) fn new(stack: Stack, sockets: Vec<Socket>, lookups: Lookups, links: Links) -> Shard {
        let Links { inboxes, ring, counters, clock, idle } = links;
        let log = EventLog::new(ring.index, Arc::clone(&counters));
        let buffer = vec![0; DATAGRAM_BYTES_MAX].into_boxed_slice();
        Shard {
            stack,
            sockets,
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
            if self.turn() {
                yield_now().await;
            } else {
                self.wait().await;
            }
        }
        tracing::debug!(shard = self.ring.index, counters = ?self.stack.counters(), "shard stopped");
    }

    fn is_stopped(&mut self) -> bool {
        while let Some(phase) = self.inboxes.phases.next() {
            match phase {
                Phase::Stop => return true,
                Phase::Drain => {
                    self.stack.drain();
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
        let mut more = self.put_out(now);
        more |= self.take_answers(now);
        more |= self.take_handed(now);
        more |= self.take_datagrams(now);
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
            let Some(Handed { bytes, hop }) = self.inboxes.handed.next() else { return false };
            self.stack.handle_datagram(bytes, hop, now);
        }
        true
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
                match socket.receive(&mut self.buffer, now.mono) {
                    Ok(None) => break,
                    Ok(Some((length, remote))) => {
                        self.counters.received.count();
                        let datagram = self.buffer.get(..length).unwrap_or_default();
                        let hop = Hop::udp(socket.local(), remote);
                        if let Some(bytes) = self.ring.keep(datagram, hop, &self.counters) {
                            self.stack.handle_datagram(bytes, hop, now);
                        }
                    }
                    Err(error) => {
                        self.counters.receive_errors.count();
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
                self.log.write(event, now);
            }
            if lookups_left == 0 {
                return true;
            }
            let Some(lookup) = self.stack.poll_lookup() else { return false };
            lookups_left -= 1;
            let token = lookup.token;
            if let Some(answer) = self.lookups.ask(lookup) {
                self.stack.handle_answer(token, answer, now);
            }
        }
    }

    fn send(&mut self, transmit: Transmit, now: Now) {
        match self.sockets.iter_mut().find(|socket| socket.local() == transmit.hop.local) {
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
        while let Some(sent) = self.sockets.iter_mut().find_map(Socket::send_waiting) {
            self.account_for(sent, now);
        }
    }

    fn account_for(&mut self, sent: Sent, now: Now) {
        match sent {
            Sent::Later => {}
            Sent::Done => self.counters.sent.count(),
            Sent::Dropped => self.counters.send_dropped.count(),
            Sent::Failed(transmit, error) => {
                self.counters.send_errors.count();
                tracing::debug!(shard = self.ring.index, hop = %transmit.hop, bytes = transmit.bytes.len(), %error, "sending failed");
                self.stack.handle_send_failed(&transmit.hop, now);
            }
        }
    }

    fn tell_idle(&mut self) {
        let idle = self.stack.is_settled() && self.sockets.iter().all(Socket::is_flushed);
        self.idle.send_if_modified(|told| std::mem::replace(told, idle) != idle);
    }

    /// Waits until there is something to do.
    async fn wait(&mut self) {
        let paused = self.sockets.iter().filter_map(Socket::paused_until);
        let next = paused.chain(self.stack.poll_timeout().map(|(at, _)| at)).min();
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
        ready |= self.inboxes.handed.poll_ready(cx);
        ready |= self.inboxes.answers.poll_ready(cx);
        ready |= self.inboxes.phases.poll_ready(cx);
        if ready { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Ring {
    /// The datagram, copied out of the buffer, if it is for this shard; otherwise it goes to the one it is for.
    fn keep(&self, datagram: &[u8], hop: Hop, counters: &LiveCounters) -> Option<Bytes> {
        let bytes = Bytes::copy_from_slice(datagram);
        let shards = u16::try_from(self.shards.len()).unwrap_or(u16::MAX);
        let owner = if shards > 1 { owner(datagram, &self.hash, shards) } else { self.index };
        if owner == self.index {
            return Some(bytes);
        }
        match self.shards.get(usize::from(owner)) {
            Some(shard) if shard.try_send(Handed { bytes, hop }).is_ok() => counters.handed_over.count(),
            _ => counters.handed_over_dropped.count(),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::counters::IoCounters;

    #[test]
    fn what_waits_for_another_shard_is_bounded() {
        let (senders, mut receivers): (Vec<_>, Vec<_>) = (0..2).map(|_| mpsc::channel(HANDED_MAX)).unzip();
        let ring = Ring { hash: KeyedHash::with_key(1, 2), index: 0, shards: senders };
        let address = "127.0.0.1:5060".parse().unwrap();
        let hop = Hop::udp(address, address);
        let counters = LiveCounters::default();
        let named = |n: u32| format!("BYE sip:a SIP/2.0\r\nCall-ID: {n}\r\n\r\n");
        let others: Vec<_> =
            (0..).map(named).filter(|text| owner(text.as_bytes(), &ring.hash, 2) == 1).take(HANDED_MAX + 1).collect();
        for text in &others {
            assert_eq!(ring.keep(text.as_bytes(), hop, &counters), None);
        }
        let own = (0..).map(named).find(|text| owner(text.as_bytes(), &ring.hash, 2) == 0).unwrap();
        assert_eq!(ring.keep(own.as_bytes(), hop, &counters), Some(Bytes::from(own.clone())));
        let mut sum = IoCounters::default();
        counters.add_to(&mut sum);
        assert_eq!((sum.handed_over, sum.handed_over_dropped), (u64::try_from(HANDED_MAX).unwrap(), 1));
        assert_eq!(receivers[1].try_recv().unwrap().bytes, others[0]);
    }
}
