//! Worlds by their numbers: how many, from which on, and what is said where some fail.

use std::collections::BTreeMap;
use std::fmt::Debug;

use ringback_testkit::check::Invariant;
use ringback_testkit::failure::Failure;

/// How many calls are placed in all.
const CALLS_VARIABLE: &str = "RINGBACK_SIM_CALLS";
/// The number of the first world.
const SEED_VARIABLE: &str = "RINGBACK_SIM_SEED";
/// As many as the commit tier has.
const CALLS: u64 = 10_000;
pub(crate) const CALLS_PER_WORLD: u32 = 100;
pub(crate) const USUAL: [u64; 2] = [CALLS_PER_WORLD as u64, CALLS];

type Played<S> = (u64, Result<S, Box<Failure>>);

/// Plays the worlds of this run, so many calls in each and, where nobody says otherwise, in all, and gives them to `add` in the order of their numbers. True where there are
/// enough of them for everything to have been seen.
pub(crate) fn play_all<S: Send, T: Debug>(
    total: &mut T,
    [calls_per_world, usual]: [u64; 2],
    add: impl Fn(&mut T, &S),
    world: impl Fn(u64) -> Result<S, Box<Failure>> + Sync,
) -> bool {
    let calls = number(CALLS_VARIABLE, usual);
    let first = number(SEED_VARIABLE, 1);
    let worlds = calls.div_ceil(calls_per_world);
    let mut failures = Vec::new();
    for (seed, played) in play(first..first + worlds, world) {
        match played {
            Ok(summary) => add(total, &summary),
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
            "{} of {worlds} worlds failed: {seeds:?}\nthe first alone: {SEED_VARIABLE}={seed} {CALLS_VARIABLE}={calls_per_world}\n\n{failure}",
            failures.len()
        );
    }
    calls >= usual
}

/// Plays the worlds on all cores; the results are in the order of the worlds.
fn play<S: Send>(seeds: std::ops::Range<u64>, world: impl Fn(u64) -> Result<S, Box<Failure>> + Sync) -> Vec<Played<S>> {
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let mut all: Vec<Played<S>> = std::thread::scope(|scope| {
        let run = |thread: u64| {
            let mine = seeds.clone().filter(move |seed| seed % threads == thread);
            mine.map(|seed| (seed, world(seed))).collect()
        };
        let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        handles.into_iter().flat_map(|handle| -> Vec<Played<S>> { handle.join().unwrap() }).collect()
    });
    all.sort_by_key(|(seed, _)| *seed);
    all
}

fn number(variable: &str, default: u64) -> u64 {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty());
    text.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}
