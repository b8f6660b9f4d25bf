//! Requests that wait for the answer to a look-up.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};

use hashbrown::HashMap;
use ringback_auth::Claim;
use ringback_base::{Hop, KeyedHash, Micros, TimerId, TimerQueue};
use ringback_proxy::registrar::Registering;
use ringback_proxy::{Query, Routed};
use ringback_transaction::ServerId;
use ringback_transport::resolve::QuestionId;

use crate::lookup::{Lookup, Token};
use crate::walks::WalkId;

/// What goes on when the answer comes.
#[derive(Debug)]
pub(crate) enum Job {
    Register { server: ServerId, step: Box<Registering> },
    Relay { server: ServerId, relay: Box<Relay> },
    Dns { walk: WalkId, question: QuestionId },
}

/// A request for a user of ours on its way to the targets.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) from: Hop,
    pub(crate) routed: Routed,
    pub(crate) stage: RelayStage,
}

#[derive(Debug)]
pub(crate) enum RelayStage {
    Credentials(Claim),
    Callee(ringback_location::Aor),
    Bindings {
        /// The user is answered for with 302.
        redirect: bool,
    },
}

impl Job {
    pub(crate) fn server(&self) -> Option<ServerId> {
        match self {
            Job::Register { server, .. } | Job::Relay { server, .. } => Some(*server),
            Job::Dns { .. } => None,
        }
    }
}

#[derive(Debug)]
struct Open {
    job: Job,
    timer: TimerId,
    /// Of whom is asked, for the log.
    subject: Box<str>,
}

/// Jobs by token, each with its deadline.
#[derive(Debug)]
pub(crate) struct Jobs {
    open: BTreeMap<Token, Open>,
    /// A server transaction waits for one answer at a time.
    by_server: HashMap<ServerId, Token, KeyedHash>,
    deadlines: TimerQueue<Token>,
    next_token: u64,
    asked: VecDeque<Lookup>,
}

impl Jobs {
    pub(crate) fn new(hash: KeyedHash) -> Jobs {
        Jobs {
            open: BTreeMap::new(),
            by_server: HashMap::with_hasher(hash),
            deadlines: TimerQueue::new(),
            next_token: 0,
            asked: VecDeque::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    pub(crate) fn ask(&mut self, job: Job, query: Query, deadline: Micros) {
        let token = Token(self.next_token);
        self.next_token = self.next_token.wrapping_add(1);
        let timer = self.deadlines.set(deadline, token);
        if let Some(server) = job.server() {
            self.by_server.insert(server, token);
        }
        self.open.insert(token, Open { job, timer, subject: query.subject().into() });
        self.asked.push_back(Lookup { token, deadline, query });
    }

    /// The job, and of whom it asked.
    pub(crate) fn take(&mut self, token: Token) -> Option<(Job, Box<str>)> {
        let Open { job, timer, subject } = self.open.remove(&token)?;
        self.deadlines.stop(timer);
        if let Some(server) = job.server() {
            self.by_server.remove(&server);
        }
        Some((job, subject))
    }

    /// A job whose deadline has passed.
    pub(crate) fn take_due(&mut self, now: Micros) -> Option<(Job, Box<str>)> {
        let token = self.deadlines.next().filter(|(at, _)| *at <= now).map(|(_, token)| *token)?;
        self.take(token)
    }

    /// The job of a server transaction, of which there is at most one.
    pub(crate) fn take_of_server(&mut self, server: ServerId) -> Option<Job> {
        let token = self.by_server.get(&server).copied()?;
        self.take(token).map(|(job, _)| job)
    }

    pub(crate) fn poll_lookup(&mut self) -> Option<Lookup> {
        self.asked.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Micros> {
        self.deadlines.next().map(|(at, _)| at)
    }
}
