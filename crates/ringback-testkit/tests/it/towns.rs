//! Ten thousand calls through worlds of every kind: the commit tier; more of them where the environment says so.

use std::collections::{BTreeMap, BTreeSet};

use ringback_testkit::check::Invariant;
use ringback_testkit::net::Chance;
use ringback_testkit::scenario::Scenario;
use ringback_testkit::surroundings::Faults;
use ringback_testkit::world::Summary;

use crate::worlds::{CALLS_PER_WORLD, USUAL, play_all};

#[test]
fn ten_thousand_calls() {
    let mut total = Total::default();
    let run = |seed| Scenario { calls: CALLS_PER_WORLD, ..Scenario::of_seed(seed) }.run();
    if play_all(&mut total, USUAL, Total::add, run) {
        total.is_not_vacuous();
    }
}

/// Name servers that lie, besides those that are slow, fail or say nothing: what must hold does.
#[test]
fn name_servers_that_lie() {
    for seed in 2..22 {
        let scenario = Scenario::of_seed(seed);
        let faults = Faults { lie: Chance::percent(50), ..Faults::MANY };
        let summary = Scenario { calls: 60, odd_phones: true, faults, ..scenario }.run();
        summary.unwrap_or_else(|failure| panic!("{failure}"));
    }
}

#[derive(Debug, Default)]
struct Total {
    worlds: u64,
    steps: u64,
    virtual_hours: f64,
    calls: u64,
    /// By the status that the caller saw; 0 for none.
    by_status: BTreeMap<u16, u64>,
    forked_answers: u64,
    cancelled: u64,
    cancelled_and_answered: u64,
    hung_up_by_callee: u64,
    reinvites: u64,
    others: BTreeMap<u16, u64>,
    registrations: u64,
    answers_acknowledged: u64,
    answers_unacknowledged: u64,
    successes_too_late: u64,
    amplification_percent: u64,
    judged: BTreeMap<Invariant, u64>,
}

impl Total {
    fn add(&mut self, summary: &Summary) {
        self.worlds += 1;
        self.steps += summary.steps;
        self.virtual_hours += summary.took.0 as f64 / 3.6e9;
        self.successes_too_late += summary.successes_too_late;
        self.amplification_percent = self.amplification_percent.max(summary.amplification_percent);
        for call in summary.calls.values() {
            self.calls += 1;
            *self.by_status.entry(call.status.unwrap_or(0)).or_default() += 1;
            self.forked_answers += u64::from(call.dialogs > 1);
            self.cancelled += u64::from(call.cancelled);
            self.cancelled_and_answered += u64::from(call.cancelled && call.dialogs > 0);
            self.hung_up_by_callee += u64::from(call.was_ended);
            self.reinvites += u64::from(call.reinvite == Some(200));
        }
        for diary in summary.diaries.values() {
            self.registrations += u64::from(diary.registered);
            self.answers_acknowledged += u64::from(diary.acknowledged);
            self.answers_unacknowledged += u64::from(diary.unacknowledged);
            for status in diary.others.values() {
                *self.others.entry(*status).or_default() += 1;
            }
        }
        for (invariant, count) in &summary.tally {
            *self.judged.entry(*invariant).or_default() += count;
        }
    }

    /// Every kind of call took place, and every invariant had something to judge.
    fn is_not_vacuous(&self) {
        for status in [0, 200, 302, 401, 404, 407, 408, 415, 480, 486, 487, 488, 500, 503, 599, 600, 603] {
            assert!(self.by_status.contains_key(&status), "no call ended with {status}");
        }
        for status in [0, 200, 404, 480, 501] {
            assert!(self.others.contains_key(&status), "no request outside of calls ended with {status}");
        }
        let judged: BTreeSet<Invariant> = self.judged.keys().copied().collect();
        for invariant in Invariant::ALL.iter().filter(|invariant| **invariant != Invariant::NoPanic) {
            assert!(judged.contains(invariant), "{invariant} had nothing to judge");
        }
        for (what, count) in [
            ("forked answers", self.forked_answers),
            ("cancelled", self.cancelled),
            ("cancelled and answered", self.cancelled_and_answered),
            ("hung up by the callee", self.hung_up_by_callee),
            ("re-INVITEs", self.reinvites),
            ("answers that nobody acknowledged", self.answers_unacknowledged),
        ] {
            assert!(count > 0, "{what}: none");
        }
        assert!(self.by_status[&200] * 3 > self.calls, "few calls are answered: {:?}", self.by_status);
    }
}
