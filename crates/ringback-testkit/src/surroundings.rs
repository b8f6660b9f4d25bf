//! What a server asks: accounts, bindings and addresses, with delays, failures, lost races and crashes.

use std::collections::{BTreeMap, VecDeque};

use ringback_auth::{Ha1Set, Password};
use ringback_base::{Micros, Random};
use ringback_location::{Aor, Binding, Version};
use ringback_stack::{Account, Answer, Query};

use crate::net::Chance;
use crate::zone::{self, Zone};

/// What goes wrong between a server and its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The least time that an answer takes, and the least time until what is stored is durable.
    pub delay: Micros,
    /// What may come on top of each.
    pub jitter: Micros,
    /// A question is answered with a failure. What was to be stored may be stored all the same.
    pub failure: Chance,
    /// A question is never answered.
    pub silence: Chance,
    /// Somebody else stores between a read and its write.
    pub conflict: Chance,
    /// A name server says what is not so.
    pub lie: Chance,
}

impl Faults {
    /// Everything is answered at once.
    pub const NONE: Faults = Faults {
        delay: Micros(0),
        jitter: Micros(0),
        failure: Chance::NEVER,
        silence: Chance::NEVER,
        conflict: Chance::NEVER,
        lie: Chance::NEVER,
    };

    /// A disk that takes its time.
    pub const SLOW: Faults = Faults { delay: Micros::from_ms(2), jitter: Micros::from_ms(20), ..Faults::NONE };

    /// Much goes wrong.
    pub const MANY: Faults = Faults {
        delay: Micros::from_ms(1),
        jitter: Micros::from_ms(400),
        failure: Chance::percent(4),
        silence: Chance::percent(2),
        conflict: Chance::percent(15),
        ..Faults::NONE
    };
}

/// The rows of one address of record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The bindings.
    pub bindings: Vec<Binding>,
    /// How often they were stored.
    pub version: u64,
}

/// A write that is accepted and not yet durable.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) number: u64,
    pub(crate) aor: Aor,
    pub(crate) rows: Rows,
}

/// The table of bindings: what is read, and what a crash leaves of it.
#[derive(Debug, Default)]
pub struct Locations {
    memory: BTreeMap<Aor, Rows>,
    durable: BTreeMap<Aor, Rows>,
    /// Writes become durable in their order.
    pending: VecDeque<Write>,
    next_write: u64,
}

impl Locations {
    /// What a read yields.
    #[must_use]
    pub fn read(&self, aor: &Aor) -> Rows {
        self.memory.get(aor).cloned().unwrap_or_default()
    }

    /// What a crash would leave.
    #[must_use]
    pub fn durable(&self, aor: &Aor) -> Rows {
        self.durable.get(aor).cloned().unwrap_or_default()
    }

    /// The number of the write, or `None` where the version is not the one that is there.
    pub(crate) fn compare_and_store(&mut self, aor: &Aor, version: Version, rows: Vec<Binding>) -> Option<u64> {
        let entry = self.memory.entry(aor.clone()).or_default();
        if entry.version != version.0 {
            return None;
        }
        *entry = Rows { bindings: rows, version: version.0.saturating_add(1) };
        let number = self.next_write;
        self.next_write = self.next_write.saturating_add(1);
        self.pending.push_back(Write { number, aor: aor.clone(), rows: entry.clone() });
        Some(number)
    }

    /// Somebody else stores the same rows once more.
    fn touch(&mut self, aor: &Aor) {
        let rows = self.read(aor);
        _ = self.compare_and_store(aor, Version(rows.version), rows.bindings);
    }

    /// All writes up to this one are durable now.
    pub(crate) fn sync(&mut self, number: u64) -> Vec<Write> {
        let mut synced = Vec::new();
        while let Some(write) = self.pending.front().filter(|write| write.number <= number).cloned() {
            self.pending.pop_front();
            self.durable.insert(write.aor.clone(), write.rows.clone());
            synced.push(write);
        }
        synced
    }

    /// The process dies: what is not durable is gone.
    pub(crate) fn crash(&mut self) {
        self.pending.clear();
        self.memory.clone_from(&self.durable);
    }
}

/// What becomes of a question.
#[derive(Clone, Debug)]
pub(crate) enum Reaction {
    Answer {
        after: Micros,
        answer: Answer,
    },
    /// The answer comes so long after the write is durable.
    Store {
        write: u64,
        durable_after: Micros,
        answer_after: Micros,
        answer: Answer,
    },
    Silence,
}

/// Accounts, bindings and names.
#[derive(Debug)]
pub struct Surroundings {
    /// The bindings.
    pub locations: Locations,
    accounts: BTreeMap<Box<str>, Account>,
    /// What the resolver knows.
    pub zone: Zone,
    /// What goes wrong from now on.
    pub faults: Faults,
    random: Random,
}

impl Surroundings {
    pub(crate) fn new(faults: Faults, random: Random) -> Surroundings {
        Surroundings {
            locations: Locations::default(),
            accounts: BTreeMap::new(),
            zone: Zone::default(),
            faults,
            random,
        }
    }

    /// A user with a password.
    pub fn add_account(&mut self, user: &str, realm: &str, password: &str) {
        let ha1s = Ha1Set::of(user, realm, &Password::new(password));
        self.accounts.insert(user.into(), Account { ha1s, redirect: false });
    }

    pub(crate) fn ask(&mut self, query: Query) -> Reaction {
        if self.faults.silence.strikes(&mut self.random) {
            return Reaction::Silence;
        }
        let fails = self.faults.failure.strikes(&mut self.random);
        let after = self.delay();
        match query {
            Query::StoreBindings { aor, version, rows } => {
                if self.faults.conflict.strikes(&mut self.random) {
                    self.locations.touch(&aor);
                }
                // A failed write either took place or it did not: nobody who asked can tell.
                let reaches = !fails || Chance::percent(50).strikes(&mut self.random);
                match reaches.then(|| self.locations.compare_and_store(&aor, version, rows)) {
                    Some(Some(write)) => {
                        let answer = if fails { Answer::Failed } else { Answer::Stored };
                        let durable_after = self.delay();
                        Reaction::Store { write, durable_after, answer_after: after, answer }
                    }
                    Some(None) if !fails => Reaction::Answer { after, answer: Answer::Conflict },
                    _ => Reaction::Answer { after, answer: Answer::Failed },
                }
            }
            _ if fails => Reaction::Answer { after, answer: Answer::Failed },
            Query::LoadBindings { aor } => {
                let rows = self.locations.read(&aor);
                let answer = Answer::Bindings { rows: rows.bindings, version: Version(rows.version) };
                Reaction::Answer { after, answer }
            }
            Query::Account { user } => {
                Reaction::Answer { after, answer: Answer::Account(self.accounts.get(&user).cloned()) }
            }
            Query::Dns { question } => {
                let lies = self.faults.lie.strikes(&mut self.random);
                let answer = if lies { zone::lie(&question, &mut self.random) } else { self.zone.answer(&question) };
                Reaction::Answer { after, answer: Answer::Dns(answer) }
            }
            _ => Reaction::Answer { after, answer: Answer::Failed },
        }
    }

    fn delay(&mut self) -> Micros {
        let jitter = if self.faults.jitter.0 == 0 { 0 } else { self.random.below(self.faults.jitter.0) };
        self.faults.delay.plus(Micros(jitter))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn aor() -> Aor {
        Aor::new(b"bob", "example.com").unwrap()
    }

    #[test]
    fn a_write_at_an_old_version_is_refused() {
        let mut locations = Locations::default();
        assert_eq!(locations.compare_and_store(&aor(), Version(0), Vec::new()), Some(0));
        assert_eq!(locations.compare_and_store(&aor(), Version(0), Vec::new()), None);
        assert_eq!(locations.compare_and_store(&aor(), Version(1), Vec::new()), Some(1));
    }

    #[test]
    fn a_crash_leaves_what_is_durable() {
        let mut locations = Locations::default();
        for version in 0..3 {
            _ = locations.compare_and_store(&aor(), Version(version), Vec::new());
        }
        assert_eq!(locations.sync(1).len(), 2);
        assert_eq!((locations.read(&aor()).version, locations.durable(&aor()).version), (3, 2));
        locations.crash();
        assert_eq!(locations.read(&aor()).version, 2);
        assert!(locations.sync(9).is_empty());
    }

    #[test]
    fn every_fault_strikes() {
        let mut around = Surroundings::new(Faults::MANY, Random::from_seed([5; 32]));
        let mut seen = [0_u32; 5];
        for _ in 0..2_000 {
            let Rows { bindings, version } = around.locations.read(&aor());
            match around.ask(Query::StoreBindings { aor: aor(), version: Version(version), rows: bindings }) {
                Reaction::Silence => seen[0] += 1,
                Reaction::Answer { answer: Answer::Conflict, .. } => seen[1] += 1,
                Reaction::Answer { answer: Answer::Failed, .. } => seen[2] += 1,
                Reaction::Store { answer: Answer::Failed, .. } => seen[3] += 1,
                Reaction::Store { answer: Answer::Stored, .. } => seen[4] += 1,
                other => panic!("{other:?}"),
            }
        }
        assert!(seen.iter().all(|count| *count > 10), "{seen:?}");
    }
}
