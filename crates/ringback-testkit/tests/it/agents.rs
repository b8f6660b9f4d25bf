//! Ten thousand calls of user agents: the commit tier; more of them where the environment says so.

use ringback_testkit::agents::{AgentScenario, AgentSummary};
use ringback_testkit::check::Invariant;

use crate::worlds::{CALLS_PER_WORLD, USUAL, play_all};

#[test]
fn ten_thousand_calls_of_agents() {
    let mut total = AgentSummary::default();
    let run = |seed| AgentScenario { calls: CALLS_PER_WORLD, ..AgentScenario::of_seed(seed) }.run();
    if play_all(&mut total, USUAL, AgentSummary::add, run) {
        is_not_vacuous(&total);
    }
}

/// Every kind of thing took place, and every invariant had something to judge.
fn is_not_vacuous(total: &AgentSummary) {
    for invariant in Invariant::AGENTS {
        assert!(total.tally.contains_key(invariant), "{invariant} had nothing to judge");
    }
    for what in [
        "answered",
        "confirmed",
        "ended by them",
        "ended by us",
        "ended elsewhere",
        "cancelled by them",
        "refused by us",
        "expired",
        "gone",
        "no ACK",
        "no PRACK",
        "no answer",
        "bad answer",
        "early media",
        "changes before the answer",
        "adds a stream",
        "asks for an offer by re-INVITE",
        "holds or resumes by re-INVITE",
        "holds or resumes by UPDATE",
        "refreshes by UPDATE",
        "refreshed",
        "is transferred",
        "follows a transfer",
        "offered in 1xx",
        "offered in 2xx",
        "offered in INVITE",
        "offered in UPDATE",
        "offer refused",
        "offer overlaps",
        "forgets an offer",
        "restarts",
        "can't call",
        "can't take an offer",
    ] {
        assert!(total.counts.get(what).is_some_and(|count| *count > 0), "{what}: never");
    }
    assert!(total.counts["answered"] * 2 > total.calls, "few calls are answered: {:?}", total.counts);
}

/// The same number is the same run to the byte.
#[test]
fn a_run_of_agents_is_a_function_of_its_seed() {
    let hash = |seed| {
        let scenario = AgentScenario { calls: 12, ..AgentScenario::of_seed(seed) };
        scenario.run().unwrap_or_else(|failure| panic!("{failure}")).hash
    };
    assert_eq!(hash(13), hash(13));
    assert_ne!(hash(13), hash(33));
}
