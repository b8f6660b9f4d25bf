//! Where the URIs of a user agent lead.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use ringback_base::{Hop, Micros, Now, Random, TimerId, TimerQueue};
use ringback_message::{HeaderId, Uri};
use ringback_transport::resolve::{
    Aim, DnsAnswer, FailedTargets, Located, Preferences, Question, QuestionId, Unresolved,
};
use ringback_ua::{Local, Lookup};

use crate::walks::{WalkId, Walks};

/// How long a record is waited for; a search waits three times as long at most.
const QUESTION_WAIT: Micros = Micros::from_secs(3);

/// For how long a target that could not be reached is tried after the others.
const FAILED_WAIT: Micros = Micros::from_secs(60);

/// Names a question of an endpoint, so that its answer finds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionToken(u64);

/// What an endpoint wants to know of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameQuestion {
    /// To be given back with the answer.
    pub token: QuestionToken,
    /// What is asked.
    pub question: Question,
    /// After this the answer is no longer waited for.
    pub deadline: Micros,
}

/// The searches of an endpoint.
#[derive(Debug)]
pub(super) struct Names {
    walks: Walks<Lookup>,
    open: BTreeMap<QuestionToken, (WalkId, QuestionId, TimerId)>,
    asked: VecDeque<NameQuestion>,
    deadlines: TimerQueue<QuestionToken>,
    tokens_made: u64,
    failed: FailedTargets,
    locals: Vec<Local>,
    random: Random,
}

/// The hops that a look-up is answered with.
pub(super) type Found = (u64, Vec<Hop>);

impl Names {
    pub(super) fn new(preferences: Preferences, locals: Vec<Local>, random: Random) -> Names {
        Names {
            walks: Walks::new(preferences),
            open: BTreeMap::new(),
            asked: VecDeque::new(),
            deadlines: TimerQueue::new(),
            tokens_made: 0,
            failed: FailedTargets::default(),
            locals,
            random,
        }
    }

    /// Begins a search; what needs no question is found at once.
    pub(super) fn look_up(&mut self, lookup: Lookup, now: Now) -> Option<Found> {
        let aim = match Uri::parse(&lookup.uri, HeaderId::Other, 0) {
            Ok(Uri::Sip(uri)) => Aim::of_uri(&uri, false).ok(),
            _ => None,
        };
        let Some(aim) = aim else { return Some((lookup.id, Vec::new())) };
        let deadline = now.mono.plus(QUESTION_WAIT).plus(QUESTION_WAIT).plus(QUESTION_WAIT);
        let random = Random::from_seed(self.random.seed());
        let walk = self.walks.begin(aim, random, lookup, deadline);
        self.go_on(walk, now)
    }

    pub(super) fn poll_question(&mut self) -> Option<NameQuestion> {
        self.asked.pop_front()
    }

    pub(super) fn handle_answer(&mut self, token: QuestionToken, answer: DnsAnswer, now: Now) -> Option<Found> {
        let (walk, question, timer) = self.open.remove(&token)?;
        self.deadlines.stop(timer);
        self.walks.handle_answer(walk, question, answer);
        self.go_on(walk, now)
    }

    /// A question whose deadline has passed.
    pub(super) fn take_due(&mut self, now: Now) -> Option<QuestionToken> {
        self.deadlines.next().filter(|(at, _)| *at <= now.mono).map(|(_, token)| *token)
    }

    pub(super) fn poll_timeout(&self) -> Option<Micros> {
        self.deadlines.next().map(|(at, _)| at)
    }

    /// Nothing can be sent by this hop.
    pub(super) fn note_failed(&mut self, hop: &Hop, now: Now) {
        self.failed.failed(hop.transport, hop.remote, now.mono, now.mono.plus(FAILED_WAIT));
    }

    /// Something came by this hop.
    pub(super) fn note_answered(&mut self, hop: &Hop) {
        self.failed.answered(hop.transport, hop.remote);
    }

    fn go_on(&mut self, walk: WalkId, now: Now) -> Option<Found> {
        while let Some((id, question, until)) = self.walks.poll_question(walk, now) {
            let token = QuestionToken(self.tokens_made);
            self.tokens_made = self.tokens_made.wrapping_add(1);
            let deadline = now.mono.plus(QUESTION_WAIT).min(until);
            let timer = self.deadlines.set(deadline, token);
            self.open.insert(token, (walk, id, timer));
            self.asked.push_back(NameQuestion { token, question, deadline });
        }
        let walked = self.walks.take_ended(walk)?;
        Some((walked.wanted.id, self.hops(walked.result, now)))
    }

    fn hops(&self, result: Result<Vec<Located>, Unresolved>, now: Now) -> Vec<Hop> {
        let mut targets = result.unwrap_or_default();
        self.failed.put_last(&mut targets, now.mono);
        targets.iter().filter_map(|target| self.hop(target)).collect()
    }

    fn hop(&self, target: &Located) -> Option<Hop> {
        let Located { transport, address, .. } = *target;
        let fits = |local: &&Local| local.transport == transport && local.address.is_ipv4() == address.is_ipv4();
        let local = self.locals.iter().find(fits)?;
        Some(Hop { transport, local: local.address, remote: address, flow: None })
    }
}

/// Boxed, because most endpoints that are made by the thousand have somebody else who looks names up.
pub(super) type MaybeNames = Option<Box<Names>>;
