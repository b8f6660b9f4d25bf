//! The way from each shard to the others.

use bytes::Bytes;
use ringback_base::{FlowId, Hop, KeyedHash, Micros};
use ringback_stack::owner;
use ringback_transaction::Transmit;
use ringback_transport::{Datagram, peek_call_id};
use tokio::sync::mpsc;

use crate::counters::LiveCounters;
use crate::icmp::Unreachable;

/// How much may wait for a shard that other shards read for it. Of what is beyond it, datagrams are lost; connections are not read
/// until there is room.
pub const HANDED_MAX: usize = 4_096;

/// How many messages may wait for a shard that other shards send by its connections; those beyond it fail.
pub const CARRIED_MAX: usize = 4_096;

/// What comes in for the stack of another shard.
#[derive(Debug)]
pub(crate) enum Handed {
    /// A datagram.
    Datagram { bytes: Bytes, hop: Hop },
    /// A message of a connection, which stays with the shard that accepted or opened it.
    Message { bytes: Bytes, hop: Hop },
    /// Nothing can be sent by this hop.
    Failed { hop: Hop },
    /// A request that did not arrive, perhaps one of that shard.
    Unreachable(Unreachable),
    /// The far end of a connection was told to send keep-alives.
    KeptAlive { flow: FlowId, silence_max: Micros },
}

/// What goes out by a connection of another shard.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) transmit: Transmit,
    /// Whose stack said it.
    pub(crate) by: u16,
}

/// The two ways into a shard: one for what comes in, one for what goes out, so that a flood of requests can't hold up the answers.
#[derive(Clone, Debug)]
pub(crate) struct Entrance {
    pub(crate) handed: mpsc::Sender<Handed>,
    pub(crate) carried: mpsc::Sender<Carried>,
}

/// The way to every shard, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    pub(crate) hash: KeyedHash,
    pub(crate) index: u16,
    pub(crate) shards: Vec<Entrance>,
}

impl Ring {
    /// The datagram, copied out of the buffer, if it is for this shard; otherwise it goes to the one it is for.
    pub(crate) fn keep(&self, datagram: &[u8], hop: Hop, counters: &LiveCounters) -> Option<Bytes> {
        let bytes = Bytes::copy_from_slice(datagram);
        // Any shard can answer STUN.
        let is_message = Datagram::classify(datagram) == Datagram::Message;
        let Some(owner) = self.other_owner(datagram).filter(|_| is_message) else { return Some(bytes) };
        match self.shards.get(usize::from(owner)) {
            Some(shard) if shard.handed.try_send(Handed::Datagram { bytes, hop }).is_ok() => {
                counters.handed_over.count()
            }
            _ => counters.handed_over_dropped.count(),
        }
        None
    }

    /// The message of a connection, if it is for this shard; otherwise it goes to the one it is for.
    ///
    /// # Errors
    /// Where that one has no room: it is given back, to be offered again.
    pub(crate) fn keep_message(&self, bytes: Bytes, hop: Hop, counters: &LiveCounters) -> Result<Option<Bytes>, Bytes> {
        let Some(owner) = self.other_owner(&bytes) else { return Ok(Some(bytes)) };
        let Some(shard) = self.shards.get(usize::from(owner)) else { return Ok(Some(bytes)) };
        match shard.handed.try_send(Handed::Message { bytes, hop }) {
            Ok(()) => {
                counters.handed_over.count();
                Ok(None)
            }
            Err(mpsc::error::TrySendError::Full(Handed::Message { bytes, .. })) => Err(bytes),
            // That shard is gone, and with it the server.
            Err(_) => Ok(None),
        }
    }

    /// Gives a message to the shard of its connection, or back where that has no room.
    pub(crate) fn carry(&self, home: u16, transmit: Transmit, counters: &LiveCounters) -> Result<(), Transmit> {
        let carried = Carried { transmit, by: self.index };
        let Some(shard) = self.shards.get(usize::from(home)) else { return Err(carried.transmit) };
        match shard.carried.try_send(carried) {
            Ok(()) => {
                counters.messages_carried.count();
                Ok(())
            }
            Err(mpsc::error::TrySendError::Full(carried) | mpsc::error::TrySendError::Closed(carried)) => {
                counters.messages_carried_dropped.count();
                Err(carried.transmit)
            }
        }
    }

    /// Tells another shard that nothing can be sent by this hop. Where it has no room for that, its timers find out.
    pub(crate) fn tell_failed(&self, shard: u16, hop: Hop, counters: &LiveCounters) {
        if let Some(shard) = self.shards.get(usize::from(shard))
            && shard.handed.try_send(Handed::Failed { hop }).is_err()
        {
            counters.handed_over_dropped.count();
        }
    }

    /// Tells another shard that the far end of its connection will send keep-alives. Where it has no room for that, the connection is open as
    /// long as one without them.
    pub(crate) fn tell_kept_alive(&self, flow: FlowId, silence_max: Micros, counters: &LiveCounters) {
        if let Some(shard) = self.shards.get(usize::from(flow.shard))
            && shard.handed.try_send(Handed::KeptAlive { flow, silence_max }).is_err()
        {
            counters.handed_over_dropped.count();
        }
    }

    /// Tells of a request that did not arrive, and that is none of ours: the shard that owns it, or where that can't be told all of them.
    /// The kernel gives an error to any of the sockets that share a port.
    pub(crate) fn pass_on(&self, Unreachable { start, hop }: Unreachable, counters: &LiveCounters) {
        let owner = peek_call_id(&start).and_then(|_| self.other_owner(&start));
        for (index, shard) in (0..).zip(&self.shards) {
            if index == self.index || owner.is_some_and(|owner| owner != index) {
                continue;
            }
            let handed = Handed::Unreachable(Unreachable { start: start.clone(), hop });
            if shard.handed.try_send(handed).is_err() {
                counters.handed_over_dropped.count();
            }
        }
    }

    fn other_owner(&self, message: &[u8]) -> Option<u16> {
        let shards = u16::try_from(self.shards.len()).unwrap_or(u16::MAX);
        Some(owner(message, &self.hash, shards)).filter(|owner| shards > 1 && *owner != self.index)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::counters::IoCounters;

    type Exits = Vec<(mpsc::Receiver<Handed>, mpsc::Receiver<Carried>)>;

    /// The first of two shards.
    fn ring() -> (Ring, Exits) {
        let (shards, exits) = (0..2)
            .map(|_| {
                let ((handed, taken), (carried, sent)) = (mpsc::channel(HANDED_MAX), mpsc::channel(CARRIED_MAX));
                (Entrance { handed, carried }, (taken, sent))
            })
            .unzip();
        (Ring { hash: KeyedHash::with_key(1, 2), index: 0, shards }, exits)
    }

    fn hop() -> Hop {
        let address = "127.0.0.1:5060".parse().unwrap();
        Hop::udp(address, address)
    }

    fn messages_of(shard: u16, ring: &Ring) -> impl Iterator<Item = String> {
        let (hash, named) = (ring.hash, |n: u32| format!("BYE sip:a SIP/2.0\r\nCall-ID: {n}\r\n\r\n"));
        (0..).map(named).filter(move |text| owner(text.as_bytes(), &hash, 2) == shard)
    }

    fn counted(counters: &LiveCounters) -> IoCounters {
        let mut sum = IoCounters::default();
        counters.add_to(&mut sum);
        sum
    }

    #[test]
    fn datagrams_that_wait_for_another_shard_are_bounded() {
        let (ring, mut exits) = ring();
        let counters = LiveCounters::default();
        let others: Vec<_> = messages_of(1, &ring).take(HANDED_MAX + 1).collect();
        for text in &others {
            assert_eq!(ring.keep(text.as_bytes(), hop(), &counters), None);
        }
        let own = messages_of(0, &ring).next().unwrap();
        assert_eq!(ring.keep(own.as_bytes(), hop(), &counters), Some(Bytes::from(own.clone())));
        let sum = counted(&counters);
        assert_eq!((sum.handed_over, sum.handed_over_dropped), (u64::try_from(HANDED_MAX).unwrap(), 1));
        let first = exits[1].0.try_recv().unwrap();
        assert!(matches!(first, Handed::Datagram { bytes, .. } if bytes == others[0]));
    }

    #[test]
    fn messages_of_connections_come_back_instead() {
        let (ring, mut exits) = ring();
        let counters = LiveCounters::default();
        let mut others = messages_of(1, &ring).map(Bytes::from);
        for text in others.by_ref().take(HANDED_MAX) {
            assert_eq!(ring.keep_message(text, hop(), &counters), Ok(None));
        }
        let one_more = others.next().unwrap();
        assert_eq!(ring.keep_message(one_more.clone(), hop(), &counters), Err(one_more.clone()));
        assert!(exits[1].0.try_recv().is_ok());
        assert_eq!(ring.keep_message(one_more, hop(), &counters), Ok(None));
        let own = Bytes::from(messages_of(0, &ring).next().unwrap());
        assert_eq!(ring.keep_message(own.clone(), hop(), &counters), Ok(Some(own)));
    }

    #[test]
    fn what_goes_out_by_another_shard_is_bounded() {
        let (ring, mut exits) = ring();
        let counters = LiveCounters::default();
        let transmit = Transmit::new(hop(), Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n"));
        for _ in 0..CARRIED_MAX {
            assert_eq!(ring.carry(1, transmit.clone(), &counters), Ok(()));
        }
        assert_eq!(ring.carry(1, transmit.clone(), &counters), Err(transmit.clone()));
        let sum = counted(&counters);
        assert_eq!((sum.messages_carried, sum.messages_carried_dropped), (u64::try_from(CARRIED_MAX).unwrap(), 1));
        assert_eq!(exits[1].1.try_recv().unwrap().by, 0);
        assert_eq!(ring.carry(7, transmit.clone(), &counters), Err(transmit));
    }
}
