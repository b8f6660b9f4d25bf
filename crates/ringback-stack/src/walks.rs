//! Searches for targets that are under way, each with what waits for it.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use ringback_base::{Micros, Now, Random};
use ringback_transport::resolve::{Aim, DnsAnswer, Located, Preferences, Question, QuestionId, Unresolved, Walk};

/// Names a search, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WalkId(u64);

/// All of them.
#[derive(Debug)]
pub(crate) struct Walks<T> {
    open: BTreeMap<WalkId, Open<T>>,
    begun: u64,
    preferences: Arc<Preferences>,
}

#[derive(Debug)]
struct Open<T> {
    walk: Walk,
    deadline: Micros,
    subject: Box<str>,
    wanted: T,
}

/// One that has ended.
#[derive(Debug)]
pub(crate) struct Walked<T> {
    pub(crate) wanted: T,
    /// The name that was looked up; empty where it was an address.
    pub(crate) subject: Box<str>,
    pub(crate) result: Result<Vec<Located>, Unresolved>,
    pub(crate) limits_reached: u32,
}

impl<T> Walks<T> {
    pub(crate) fn new(preferences: Preferences) -> Walks<T> {
        Walks { open: BTreeMap::new(), begun: 0, preferences: Arc::new(preferences) }
    }

    /// Begins one that ends at the deadline with what is known by then.
    pub(crate) fn begin(&mut self, aim: Aim, random: Random, wanted: T, deadline: Micros) -> WalkId {
        let id = WalkId(self.begun);
        self.begun = self.begun.wrapping_add(1);
        let subject = aim.name().unwrap_or_default().into();
        let walk = Walk::new(aim, Arc::clone(&self.preferences), random);
        self.open.insert(id, Open { walk, deadline, subject, wanted });
        id
    }

    /// The next question of a search, and until when its answer is waited for.
    pub(crate) fn poll_question(&mut self, id: WalkId, now: Now) -> Option<(QuestionId, Question, Micros)> {
        let Open { walk, deadline, .. } = self.open.get_mut(&id)?;
        if now.mono >= *deadline {
            walk.hurry();
        }
        let (id, question) = walk.poll_question().filter(|_| walk.result().is_none())?;
        Some((id, question, *deadline))
    }

    pub(crate) fn handle_answer(&mut self, id: WalkId, question: QuestionId, answer: DnsAnswer) {
        if let Some(open) = self.open.get_mut(&id) {
            open.walk.handle_answer(question, answer);
        }
    }

    /// The search, if it has ended.
    pub(crate) fn take_ended(&mut self, id: WalkId) -> Option<Walked<T>> {
        let result = self.open.get(&id)?.walk.result()?.map(<[Located]>::to_vec);
        let Open { walk, subject, wanted, .. } = self.open.remove(&id)?;
        Some(Walked { wanted, subject, result, limits_reached: walk.limits_reached() })
    }
}
