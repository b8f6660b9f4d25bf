//! All runs of small calls; larger ones where the environment says so.

use ringback_testkit::agents::explore::{Explored, Small};

/// How many states each call may have; the usual ones where it is not set.
const STATES_VARIABLE: &str = "RINGBACK_EXPLORE_STATES";

const ONE: Small = Small { callees: 1, cancels: false, pracks: false, faults: 0, states_max: 100_000 };

fn explore(small: Small) -> Explored {
    let explored = small.explore().unwrap_or_else(|found| panic!("{small:?}\n{found}"));
    println!("{small:?}: {explored:?}");
    explored
}

#[test]
fn one_call_with_a_fault() {
    for small in [
        ONE,
        Small { cancels: true, ..ONE },
        Small { pracks: true, cancels: true, ..ONE },
        Small { faults: 1, ..ONE },
        Small { callees: 2, ..ONE },
    ] {
        let explored = explore(small);
        assert!(explored.is_complete && explored.ends > 0, "{small:?}: {explored:?}");
    }
}

/// As far as a night allows: a fork, a CANCEL, PRACKs and two faults together.
#[test]
fn more_of_everything() {
    let Some(states_max) = std::env::var(STATES_VARIABLE).ok().and_then(|text| text.parse().ok()) else { return };
    for (callees, cancels, pracks, faults) in [
        (1, true, false, 1),
        (1, true, true, 1),
        (1, false, false, 2),
        (1, true, false, 2),
        (2, true, false, 0),
        (2, false, true, 0),
        (2, true, true, 0),
        (2, false, false, 1),
        (2, false, true, 1),
        (2, true, true, 2),
    ] {
        let explored = explore(Small { callees, cancels, pracks, faults, states_max });
        assert!(explored.ends > 0, "{explored:?}");
    }
}
