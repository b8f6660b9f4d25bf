//! What waits for a socket whose kernel buffer is full.

use std::collections::VecDeque;
use std::io;

use ringback_transaction::Transmit;

use crate::counters::LiveCounters;

/// How many datagrams wait for a socket whose kernel buffer is full; those beyond it are lost, as the network would lose them.
pub const BACKLOG_MAX: usize = 1_024;

/// What became of a datagram that was to be sent.
#[derive(Debug)]
pub(crate) enum Sent {
    /// The kernel has it.
    Done,
    /// It waits for room.
    Later,
    /// The queues of the kernel are full.
    Dropped,
    /// There was no room for it here: [`BACKLOG_MAX`] others wait.
    Overfull,
    /// It can't be sent, and why: the transaction should know.
    Failed(Transmit, io::Error),
}

impl Sent {
    /// Counts what is known of it by now.
    pub(crate) fn count(&self, counters: &LiveCounters) {
        match self {
            Sent::Later => {}
            Sent::Done => counters.sent.count(),
            Sent::Dropped => counters.send_dropped.count(),
            Sent::Overfull => counters.backlog_max_reached.count(),
            Sent::Failed(..) => counters.send_errors.count(),
        }
    }
}

/// Keeps the order in which datagrams are to be sent.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: VecDeque<Transmit>,
}

impl Outbox {
    /// Sends a datagram, behind those that wait.
    pub(crate) fn send(&mut self, transmit: Transmit, try_send: impl FnOnce(&Transmit) -> io::Result<()>) -> Sent {
        if self.waiting.is_empty() {
            let result = try_send(&transmit);
            if !is_later(&result) {
                return outcome(transmit, result);
            }
        }
        if self.waiting.len() >= BACKLOG_MAX {
            return Sent::Overfull;
        }
        self.waiting.push_back(transmit);
        Sent::Later
    }

    /// Sends the first of those that wait; `None` where there is none or still no room.
    pub(crate) fn send_waiting(&mut self, try_send: impl FnOnce(&Transmit) -> io::Result<()>) -> Option<Sent> {
        let result = try_send(self.waiting.front()?);
        if is_later(&result) {
            return None;
        }
        self.waiting.pop_front().map(|transmit| outcome(transmit, result))
    }

    /// True where nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

fn is_later(result: &io::Result<()>) -> bool {
    matches!(result, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

fn outcome(transmit: Transmit, result: io::Result<()>) -> Sent {
    match result {
        Ok(()) => Sent::Done,
        Err(error) if is_full(&error) => Sent::Dropped,
        Err(error) => Sent::Failed(transmit, error),
    }
}

/// The queues of the system are full (ENOBUFS): a loss like any other on the way, which says nothing of the peer.
fn is_full(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ENOBUFS)
}

const ENOBUFS: i32 = match () {
    () if cfg!(target_os = "linux") || cfg!(target_os = "android") => 105,
    () if cfg!(windows) => 10055,
    () => 55,
};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::counters::IoCounters;
    use bytes::Bytes;
    use ringback_base::Hop;

    fn datagram(n: usize) -> Transmit {
        let address = "127.0.0.1:5060".parse().unwrap();
        Transmit::new(Hop::udp(address, address), Bytes::from(n.to_string()))
    }

    fn no_room(_: &Transmit) -> io::Result<()> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    #[test]
    fn what_waits_goes_first_and_in_order() {
        let mut outbox = Outbox::default();
        assert!(matches!(outbox.send(datagram(0), |_| Ok(())), Sent::Done));
        assert!(matches!(outbox.send(datagram(1), no_room), Sent::Later));
        // There would be room again, but not for overtaking.
        assert!(matches!(outbox.send(datagram(2), |_| panic!("overtaken")), Sent::Later));
        assert!(outbox.send_waiting(no_room).is_none());
        let mut sent = Vec::new();
        while let Some(Sent::Done) = outbox.send_waiting(|transmit| {
            sent.push(transmit.bytes.clone());
            Ok(())
        }) {}
        assert_eq!(sent, ["1", "2"]);
        assert!(outbox.is_empty());
    }

    #[test]
    fn the_backlog_is_bounded() {
        let mut outbox = Outbox::default();
        for n in 0..BACKLOG_MAX {
            assert!(matches!(outbox.send(datagram(n), no_room), Sent::Later));
        }
        let counters = LiveCounters::default();
        for n in 0..3 {
            outbox.send(datagram(BACKLOG_MAX + n), no_room).count(&counters);
        }
        let mut sum = IoCounters::default();
        counters.add_to(&mut sum);
        assert_eq!((sum.backlog_max_reached, sum.send_dropped, sum.sent), (3, 0, 0));
    }

    #[test]
    fn failures_are_told_and_full_queues_are_losses() {
        let mut outbox = Outbox::default();
        let full = |_: &Transmit| Err(io::Error::from_raw_os_error(ENOBUFS));
        assert!(matches!(outbox.send(datagram(0), full), Sent::Dropped));
        let unreachable = |_: &Transmit| Err(io::ErrorKind::HostUnreachable.into());
        assert!(matches!(outbox.send(datagram(1), unreachable), Sent::Failed(transmit, _) if transmit.bytes == "1"));
        outbox.send(datagram(2), no_room);
        assert!(matches!(outbox.send_waiting(unreachable), Some(Sent::Failed(transmit, _)) if transmit.bytes == "2"));
        assert!(outbox.is_empty());
    }
}
