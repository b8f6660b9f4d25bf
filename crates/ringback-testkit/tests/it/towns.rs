//! Ten thousand calls through worlds of every kind: the commit tier; more of them where the environment says so.

use std::collections::{BTreeMap, BTreeSet};

use ringback_testkit::check::Invariant;
use ringback_testkit::failure::Failure;
use ringback_testkit::scenario::Scenario;
use ringback_testkit::world::Summary;

/// How many calls are placed in all.
pub(crate) const CALLS_VARIABLE: &str = "RINGBACK_SIM_CALLS";
/// The number of the first world.
pub(crate) const SEED_VARIABLE: &str = "RINGBACK_SIM_SEED";
const CALLS: u64 = 10_000;
const CALLS_PER_WORLD: u32 = 100;

pub(crate) fn number(variable: &str, default: u64) -> u64 {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty());
    text.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

pub(crate) type Played = (u64, Result<Summary, Box<Failure>>);

/// Plays the worlds on all cores; the results are in the order of the worlds.
pub(crate) fn play(
    seeds: std::ops::Range<u64>,
    world: impl Fn(u64) -> Result<Summary, Box<Failure>> + Sync,
) -> Vec<Played> {
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let mut all: Vec<Played> = std::thread::scope(|scope| {
        let run = |thread: u64| {
            let mine = seeds.clone().filter(move |seed| seed % threads == thread);
            mine.map(|seed| (seed, world(seed))).collect()
        };
        let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        handles.into_iter().flat_map(|handle| -> Vec<Played> { handle.join().unwrap() }).collect()
    });
    all.sort_by_key(|(seed, _)| *seed);
    all
}

#[test]
fn ten_thousand_calls() {
    let calls = number(CALLS_VARIABLE, CALLS);
    let first = number(SEED_VARIABLE, 1);
    let worlds = calls.div_ceil(u64::from(CALLS_PER_WORLD));
    let mut total = Total::default();
    let mut failures = Vec::new();
    let run = |seed| Scenario { calls: CALLS_PER_WORLD, ..Scenario::of_seed(seed) }.run();
    for (seed, played) in play(first..first + worlds, run) {
        match played {
            Ok(summary) => total.add(&summary),
            Err(failure) => failures.push((seed, failure)),
        }
    }
    println!("{total:#?}");
    if let Some((seed, failure)) = failures.first() {
        let mut seeds: BTreeMap<Invariant, Vec<u64>> = BTreeMap::new();
        for (seed, failure) in &failures {
            seeds.entry(failure.violation.invariant).or_default().push(*seed);
        }
        panic!(
            "{} of {worlds} worlds failed: {seeds:?}\nthe first alone: {SEED_VARIABLE}={seed} {CALLS_VARIABLE}={CALLS_PER_WORLD}\n\n{failure}",
            failures.len()
        );
    }
    // A smaller run need not show everything.
    if calls >= CALLS {
        total.is_not_vacuous();
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
