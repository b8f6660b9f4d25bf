//! Answering what a stack asks.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use ringback_location_db::{Done, LocationDb, StoreError};
use ringback_stack::{Account, Answer, Lookup, Query, Token};
use ringback_transport::resolve::Question;
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::counters::LiveCounters;
use crate::dns::DnsClient;

/// How many answers of the database and the resolver may wait for one shard. A lost one is as one that came too late.
pub const ANSWERS_MAX: usize = 65_536;

/// Who has an account: asked within a shard's turn, so it must answer from memory.
pub trait Accounts: Send + Sync {
    /// The account of the user part of an address of record.
    fn find(&self, user: &str) -> Option<Account>;
}

/// What all shards ask.
#[derive(Clone)]
pub struct Backends {
    /// The location table.
    pub location: LocationDb,
    /// The accounts.
    pub accounts: Arc<dyn Accounts>,
}

impl fmt::Debug for Backends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backends").field("location", &self.location).finish_non_exhaustive()
    }
}

/// An answer that took its time.
pub(crate) type Answered = (Token, Answer);

/// Asks the back ends for one shard.
#[derive(Debug)]
pub(crate) struct Lookups {
    backends: Backends,
    answers: mpsc::Sender<Answered>,
    dns: DnsClient,
    counters: Arc<LiveCounters>,
    clock: Clock,
}

impl Lookups {
    pub(crate) fn new(
        backends: Backends,
        dns: DnsClient,
        answers: mpsc::Sender<Answered>,
        counters: Arc<LiveCounters>,
        clock: Clock,
    ) -> Lookups {
        Lookups { backends, dns, answers, counters, clock }
    }

    /// The answer, where it is known at once; otherwise it comes by the channel.
    pub(crate) fn ask(&self, lookup: Lookup) -> Option<Answer> {
        let Lookup { token, deadline, query } = lookup;
        match query {
            Query::LoadBindings { aor } => {
                let (rows, version) = self.backends.location.load(&aor);
                Some(Answer::Bindings { rows: rows.to_vec(), version })
            }
            Query::StoreBindings { aor, version, rows } => {
                self.backends.location.compare_and_store(aor, version, rows, self.done(token));
                None
            }
            Query::ConfirmBindings { aor, version } => {
                self.backends.location.confirm(&aor, version, self.done(token));
                None
            }
            Query::Account { user } => Some(Answer::Account(self.backends.accounts.find(&user))),
            Query::Dns { question } => match self.clock.instant(deadline) {
                Some(deadline) => self.resolve(token, question, deadline),
                None => Some(Answer::Failed),
            },
            other => {
                tracing::error!(query = ?other, "no back end answers this question");
                Some(Answer::Failed)
            }
        }
    }

    /// Gives the outcome of a store to the shard that asked.
    fn done(&self, token: Token) -> Done {
        let (answers, counters) = (self.answers.clone(), Arc::clone(&self.counters));
        Box::new(move |stored| give(&answers, &counters, (token, answer_of_store(stored))))
    }

    fn resolve(&self, token: Token, question: Question, deadline: Instant) -> Option<Answer> {
        let (answers, counters) = (self.answers.clone(), Arc::clone(&self.counters));
        let then = move |answer| give(&answers, &counters, (token, Answer::Dns(answer)));
        if self.dns.ask(question, deadline, then) {
            return None;
        }
        self.counters.resolves_refused.count();
        Some(Answer::Failed)
    }
}

fn give(answers: &mpsc::Sender<Answered>, counters: &LiveCounters, answered: Answered) {
    if answers.try_send(answered).is_err() {
        counters.answers_dropped.count();
    }
}

fn answer_of_store<V>(stored: Result<V, StoreError>) -> Answer {
    match stored {
        Ok(_) => Answer::Stored,
        Err(StoreError::Conflict { .. }) => Answer::Conflict,
        Err(StoreError::TooManyAors) => Answer::Full,
        Err(_) => Answer::Failed,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use bytes::Bytes;
    use ringback_base::{Hop, Micros, Now, Random};
    use ringback_location::{Aor, Version};
    use ringback_location_db::Options;
    use ringback_stack::{Config, Listener, Stack};

    use crate::counters::IoCounters;
    use crate::dns::{DnsOptions, RESOLVES_MAX};
    use ringback_transport::resolve::RecordKind;

    struct Nobody;

    impl Accounts for Nobody {
        fn find(&self, _user: &str) -> Option<Account> {
            None
        }
    }

    /// The token of a question that some stack asked.
    fn token() -> Token {
        let address = "127.0.0.1:5060".parse().unwrap();
        let mut config = Config::new("localhost", vec![Listener::udp(address)]);
        config.open = true;
        let mut stack = Stack::new(config, Random::from_seed([1; 32])).unwrap();
        let register = b"REGISTER sip:localhost SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n\
            From: <sip:a@localhost>;tag=1\r\nTo: <sip:a@localhost>\r\nCall-ID: 7\r\nCSeq: 1 REGISTER\r\n\r\n";
        stack.handle_datagram(Bytes::from_static(register), Hop::udp(address, address), Now::default());
        stack.poll_lookup().unwrap().token
    }

    /// Asks one more than there may be at once, and tells what of it was answered at once and what was counted.
    fn one_too_many(max: usize, query: &Query) -> (Vec<Answer>, IoCounters) {
        let (answers, _inbox) = mpsc::channel(ANSWERS_MAX);
        let (folder, counters) = (tempfile::tempdir().unwrap(), Arc::new(LiveCounters::default()));
        let location = LocationDb::open(&folder.path().join("db"), Options::default(), Now::default()).unwrap();
        let backends = Backends { location, accounts: Arc::new(Nobody) };
        let (clock, token) = (Clock::start(), token());
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let servers = vec![silent.local_addr().unwrap()];
        let dns = DnsClient::start(&DnsOptions { servers, ..DnsOptions::default() }).unwrap();
        let lookups = Lookups::new(backends, dns, answers, Arc::clone(&counters), clock);
        let deadline = clock.now().mono.plus(Micros::from_secs(60));
        let ask = || lookups.ask(Lookup { token, deadline, query: query.clone() });
        let at_once = (0..=max).filter_map(|_| ask()).collect();
        let mut sum = IoCounters::default();
        counters.add_to(&mut sum);
        (at_once, sum)
    }

    #[test]
    fn answers_that_nobody_takes_are_lost_and_counted() {
        let aor = Aor::new(b"alice", "localhost").unwrap();
        let (at_once, counters) = one_too_many(ANSWERS_MAX, &Query::ConfirmBindings { aor, version: Version(0) });
        assert_eq!((at_once.len(), counters.answers_dropped, counters.resolves_refused), (0, 1, 0));
    }

    /// The name server says nothing, so all of them are under way.
    #[test]
    fn questions_beyond_the_limit_are_refused_and_counted() {
        let question = Question { name: "b.example".into(), kind: RecordKind::A };
        let (at_once, counters) = one_too_many(RESOLVES_MAX, &Query::Dns { question });
        assert!(matches!(at_once[..], [Answer::Failed]));
        assert_eq!((counters.answers_dropped, counters.resolves_refused), (0, 1));
    }
}
