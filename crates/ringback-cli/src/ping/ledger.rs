//! What an agent's sockets say of each request: when it was first sent, how often, and when its answer came.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ringback_base::Hop;
use ringback_message::{HeaderId, Message};
use ringback_tokio::Trouble;
use ringback_tokio::agent::Seen;

use super::Series;

/// How many requests are remembered that were given up, so that an answer that comes late is told from none.
const GIVEN_UP_MAX: usize = 4_096;

/// The requests under way, by Call-ID.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    open: BTreeMap<Box<[u8]>, Exchange>,
    given_up: VecDeque<(Box<[u8]>, Series)>,
    late: BTreeMap<Series, u64>,
}

/// What is known of one request.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    cseq: Vec<u8>,
    hop: Option<Hop>,
    first_sent: Option<Instant>,
    /// How often it was sent, as it is: with credentials it is another.
    pub(crate) sends: u32,
    /// Whether it has any.
    pub(crate) has_credentials: bool,
    opened: Option<Instant>,
    /// How long its connection took, where one was opened for it.
    pub(crate) connect: Option<Duration>,
    answered: Option<(Instant, SocketAddr)>,
    /// What stood in its way last.
    pub(crate) trouble: Option<(Trouble, String)>,
}

impl Exchange {
    /// From the first sending, or from when there was a connection to send it by, to the final response; and who sent that.
    pub(crate) fn answered(&self) -> Option<(Duration, SocketAddr)> {
        let (at, from) = self.answered?;
        let begun = self.first_sent.into_iter().chain(self.opened).max()?;
        Some((at.saturating_duration_since(begun), from))
    }

    fn is_by(&self, hop: &Hop) -> bool {
        let is_waiting = self.answered.is_none();
        is_waiting && self.hop.is_some_and(|own| (own.transport, own.remote) == (hop.transport, hop.remote))
    }
}

impl Ledger {
    /// A request will be sent.
    pub(crate) fn open(&self, call_id: &[u8]) {
        self.with(|entries| _ = entries.open.insert(call_id.into(), Exchange::default()));
    }

    /// Nobody waits for it any more.
    pub(crate) fn close(&self, call_id: &[u8]) -> Exchange {
        self.with(|entries| entries.open.remove(call_id).unwrap_or_default())
    }

    /// The same, where its answer may yet come.
    pub(crate) fn give_up(&self, call_id: &[u8], series: Series) -> Exchange {
        self.with(|entries| {
            entries.given_up.truncate(GIVEN_UP_MAX - 1);
            entries.given_up.push_front((call_id.into(), series));
            entries.open.remove(call_id).unwrap_or_default()
        })
    }

    /// How many answers came when nobody waited for them any more.
    pub(crate) fn late(&self, series: Series) -> u64 {
        self.with(|entries| entries.late.get(&series).copied().unwrap_or_default())
    }

    /// Takes down what an agent shows.
    pub(crate) fn see(&self, seen: Seen<'_>) {
        let now = Instant::now();
        match seen {
            Seen::Sent { bytes, hop } => self.with(|entries| entries.sent(bytes, hop, now)),
            Seen::Received { bytes, hop } => self.with(|entries| entries.received(bytes, hop, now)),
            Seen::Opened { hop } => self.with(|entries| {
                for exchange in entries.open.values_mut().filter(|exchange| exchange.is_by(&hop)) {
                    exchange.opened = Some(now);
                    exchange.connect = exchange.first_sent.map(|begun| now.saturating_duration_since(begun));
                }
            }),
            Seen::Failed { hop, trouble, why } => self.with(|entries| {
                for exchange in entries.open.values_mut().filter(|exchange| exchange.is_by(&hop)) {
                    exchange.trouble = Some((trouble, why.to_string()));
                }
            }),
            _ => {}
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Entries) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Entries {
    fn sent(&mut self, bytes: &Bytes, hop: Hop, now: Instant) {
        let Ok(message) = Message::parse_framed(bytes.clone()) else { return };
        let Some(exchange) = call_id(&message).and_then(|id| self.open.get_mut(id)) else { return };
        if !message.is_request() {
            return;
        }
        let cseq = value(&message, HeaderId::CSeq);
        if exchange.cseq != cseq {
            *exchange = Exchange { cseq: cseq.into(), connect: exchange.connect, ..Exchange::default() };
        }
        exchange.has_credentials =
            [HeaderId::Authorization, HeaderId::ProxyAuthorization].iter().any(|id| message.first(*id).is_some());
        exchange.hop = Some(hop);
        exchange.first_sent.get_or_insert(now);
        exchange.sends = exchange.sends.saturating_add(1);
    }

    fn received(&mut self, bytes: &Bytes, hop: Hop, now: Instant) {
        let Ok(message) = Message::parse_framed(bytes.clone()) else { return };
        let (Some(id), Some(status)) = (call_id(&message), message.status()) else { return };
        if status.is_provisional() {
            return;
        }
        if let Some(exchange) = self.open.get_mut(id) {
            if exchange.cseq == value(&message, HeaderId::CSeq) {
                exchange.answered.get_or_insert((now, hop.remote));
            }
        } else if let Some(place) = self.given_up.iter().position(|(given_up, _)| **given_up == *id)
            && let Some((_, series)) = self.given_up.remove(place)
        {
            let late = self.late.entry(series).or_default();
            *late = late.saturating_add(1);
        }
    }
}

fn call_id(message: &Message) -> Option<&[u8]> {
    Some(message.first(HeaderId::CallId)?.value())
}

fn value(message: &Message, id: HeaderId) -> &[u8] {
    message.first(id).map_or(&[], |header| header.value())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    const SERIES: Series = Series { uri: 0, target: None };

    fn hop() -> Hop {
        Hop::udp("192.0.2.2:7000".parse().unwrap(), "192.0.2.1:5060".parse().unwrap())
    }

    fn message(start: &str, cseq: u32) -> Bytes {
        format!("{start}\r\nCall-ID: 7\r\nCSeq: {cseq} OPTIONS\r\n\r\n").into()
    }

    const REQUEST: &str = "OPTIONS sip:a.example SIP/2.0";

    #[test]
    fn what_is_sent_again_is_counted_and_timed_from_its_first_sending() {
        let (ledger, hop) = (Ledger::default(), hop());
        ledger.open(b"7");
        let sent = message(REQUEST, 1);
        ledger.see(Seen::Sent { bytes: &sent, hop });
        std::thread::sleep(Duration::from_millis(20));
        ledger.see(Seen::Sent { bytes: &sent, hop });
        ledger.see(Seen::Received { bytes: &message("SIP/2.0 100 Trying", 1), hop });
        ledger.see(Seen::Received { bytes: &message("SIP/2.0 200 OK", 1), hop });
        let exchange = ledger.close(b"7");
        let (rtt, from) = exchange.answered().unwrap();
        assert!(rtt >= Duration::from_millis(20) && exchange.sends == 2, "{exchange:?}");
        assert_eq!(from, hop.remote);
    }

    #[test]
    fn with_credentials_it_is_another_request() {
        let (ledger, hop) = (Ledger::default(), hop());
        ledger.open(b"7");
        ledger.see(Seen::Sent { bytes: &message(REQUEST, 1), hop });
        ledger.see(Seen::Sent { bytes: &message(REQUEST, 1), hop });
        ledger.see(Seen::Received { bytes: &message("SIP/2.0 401 Unauthorized", 1), hop });
        ledger.see(Seen::Sent { bytes: &message(REQUEST, 2), hop });
        // One that was on its way when the other was answered.
        ledger.see(Seen::Received { bytes: &message("SIP/2.0 401 Unauthorized", 1), hop });
        let exchange = ledger.close(b"7");
        assert!(exchange.answered().is_none() && exchange.sends == 1, "{exchange:?}");
    }

    #[test]
    fn late_answers_count_for_themselves() {
        let (ledger, hop) = (Ledger::default(), hop());
        ledger.open(b"7");
        ledger.see(Seen::Sent { bytes: &message(REQUEST, 1), hop });
        assert_eq!(ledger.give_up(b"7", SERIES).sends, 1);
        for _ in 0..2 {
            ledger.see(Seen::Received { bytes: &message("SIP/2.0 200 OK", 1), hop });
        }
        assert_eq!(ledger.late(SERIES), 1);
    }

    #[test]
    fn trouble_is_that_of_the_way() {
        let (ledger, hop) = (Ledger::default(), hop());
        ledger.open(b"7");
        ledger.see(Seen::Sent { bytes: &message(REQUEST, 1), hop });
        let other = Hop { remote: "192.0.2.9:5060".parse().unwrap(), ..hop };
        ledger.see(Seen::Failed { hop: other, trouble: Trouble::Lost, why: &"other" });
        ledger.see(Seen::Failed { hop, trouble: Trouble::Refused, why: &"nobody" });
        assert_eq!(ledger.close(b"7").trouble, Some((Trouble::Refused, "nobody".to_owned())));
    }
}
