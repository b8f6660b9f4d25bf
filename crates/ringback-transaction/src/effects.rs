//! What a machine may do to the world: send, tell, set its timers, end.

use alloc::collections::VecDeque;

use bytes::Bytes;
use ringback_base::{Hop, Micros, Now, TimerId, TimerQueue};
use ringback_message::Response;

use crate::event::{Counters, Event, Transmit};
use crate::hops::Key;
use crate::timers::{Reason, Timers};

/// What all transactions share: the queues that the caller drains, the timers, the counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output {
    pub(crate) timers: TimerQueue<(Key, Reason)>,
    pub(crate) transmits: VecDeque<Transmit>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) counters: Counters,
}

/// The timers of one transaction: never more than one that sends a message and one that ends the state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running {
    send: Option<(Reason, TimerId)>,
    end: Option<(Reason, TimerId)>,
}

impl Running {
    fn slot(&mut self, reason: Reason) -> &mut Option<(Reason, TimerId)> {
        match reason {
            Reason::TimerA | Reason::TimerE | Reason::TimerG | Reason::Trying => &mut self.send,
            _ => &mut self.end,
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (Reason, TimerId)> + use<> {
        [self.send, self.end].into_iter().flatten()
    }
}

/// The hands of one machine while it handles one input.
#[derive(Debug)]
pub(crate) struct Effects<'a> {
    pub(crate) key: Key,
    pub(crate) hop: Hop,
    pub(crate) now: Now,
    pub(crate) timers: &'a Timers,
    pub(crate) running: &'a mut Running,
    pub(crate) out: &'a mut Output,
    /// The TU wants to hear no more of it.
    pub(crate) abandoned: bool,
    pub(crate) ended: bool,
}

impl Effects<'_> {
    pub(crate) fn is_reliable(&self) -> bool {
        self.hop.transport.is_reliable()
    }

    pub(crate) fn send(&mut self, bytes: &Bytes) {
        self.out.transmits.push_back(Transmit { hop: self.hop, bytes: bytes.clone() });
    }

    pub(crate) fn send_again(&mut self, bytes: &Bytes) {
        self.counters().retransmissions += 1;
        self.send(bytes);
    }

    pub(crate) fn counters(&mut self) -> &mut Counters {
        &mut self.out.counters
    }

    /// Sets a timer, in the place of the one of its kind that was running.
    pub(crate) fn start(&mut self, reason: Reason, span: Micros) {
        let id = self.out.timers.set(self.now.mono.plus(span), (self.key, reason));
        if let Some((_, before)) = self.running.slot(reason).replace((reason, id)) {
            self.out.timers.stop(before);
        }
    }

    pub(crate) fn stop(&mut self, reason: Reason) {
        if let Some((_, id)) = self.running.slot(reason).take() {
            self.out.timers.stop(id);
        }
    }

    /// A timer has fired, and runs no more.
    pub(crate) fn fired(&mut self, reason: Reason) {
        *self.running.slot(reason) = None;
    }

    /// Sets the timer that ends the transaction; where it is 0, that is now.
    pub(crate) fn end_after(&mut self, reason: Reason, span: Micros) {
        if span == Micros(0) { self.end() } else { self.start(reason, span) }
    }

    /// The machine is in Terminated: its table takes it out.
    pub(crate) fn end(&mut self) {
        for (_, id) in core::mem::take(self.running).all() {
            self.out.timers.stop(id);
        }
        self.ended = true;
    }

    /// Passes a response up. A 2xx to INVITE reaches the TU even where it has given up: somebody has to end the
    /// session.
    pub(crate) fn pass_up(&mut self, response: Response) {
        let Key::Client(id) = self.key else { return };
        if !self.abandoned || (response.status().is_success() && response.cseq_method() == b"INVITE") {
            self.out.events.push_back(Event::Response { id, response });
        }
    }

    pub(crate) fn tell_timeout(&mut self) {
        self.tell(match self.key {
            Key::Client(id) => Event::ClientTimeout { id },
            Key::Server(id) => Event::ServerTimeout { id },
        });
    }

    pub(crate) fn tell_failed(&mut self) {
        self.tell(match self.key {
            Key::Client(id) => Event::ClientFailed { id },
            Key::Server(id) => Event::ServerFailed { id },
        });
    }

    pub(crate) fn tell_hop_lost(&mut self) {
        if let Key::Client(id) = self.key {
            self.tell(Event::ClientHopLost { id });
        }
    }

    fn tell(&mut self, event: Event) {
        if !self.abandoned {
            self.out.events.push_back(event);
        }
    }
}
