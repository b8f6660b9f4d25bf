//! User agents and their server by connections that break at any byte: a thousand small worlds.

use ringback_testkit::agents::{AgentScenario, AgentSummary};
use ringback_testkit::check::Invariant;

use crate::worlds::play_all;

const CALLS_PER_WORLD: u32 = 3;

#[test]
fn a_thousand_worlds_by_connections_that_break() {
    let mut total = AgentSummary::default();
    let run = |seed| AgentScenario { calls: CALLS_PER_WORLD, ..AgentScenario::by_streams(seed) }.run();
    if play_all(&mut total, [CALLS_PER_WORLD.into(), 3_000], AgentSummary::add, run) {
        is_not_vacuous(&total);
    }
}

fn is_not_vacuous(total: &AgentSummary) {
    assert!(total.worlds >= 1_000);
    for invariant in Invariant::AGENTS.iter().chain([&Invariant::StreamsFramed]) {
        assert!(total.tally.contains_key(invariant), "{invariant} had nothing to judge");
    }
    let streams = total.streams;
    assert!(streams.broken > 1_000 && streams.broken_inside * 2 > streams.broken, "{streams:?}");
    assert!(
        streams.refused > 0 && streams.by_flow * 4 > streams.written && streams.read < streams.written,
        "{streams:?}"
    );
    assert!(total.counts["answered"] * 2 > total.calls, "few calls are answered: {:?}", total.counts);
}

/// Where no connection breaks, all that is written is read, and nothing is written twice.
#[test]
fn connections_that_hold_carry_everything_once() {
    for seed in [10, 11] {
        let scenario = AgentScenario { calls: 40, ..AgentScenario::by_streams(seed) };
        let streams = scenario.run().unwrap_or_else(|failure| panic!("{failure}")).streams;
        assert!(streams.written > 200 && streams.read == streams.written && streams.broken == 0, "{streams:?}");
    }
}
