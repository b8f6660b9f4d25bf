//! All interleavings: two layers, a network that loses, doubles, delays and reorders, and users that act at any time.
//!
//! Breadth first over the states of the whole: each is told from others by what it can still do, not by how it came to be.
//! A step is a message that arrives, is lost or doubled, a timer, or an act of a user. Time passes when the network is
//! empty, and a bounded number of times while messages are under way, none of which lives longer than T4.

mod world;

use std::collections::{BTreeMap, VecDeque};

use world::{Act, Scenario, World};

/// What a search has seen.
struct Seen {
    states: usize,
    steps: usize,
    ends: usize,
}

/// Where a state came from.
type Origin = Option<(usize, Act)>;

/// Goes through all of them; the error is the first that is wrong, with the way there.
fn search(scenario: Scenario) -> Result<Seen, String> {
    let first = World::new(scenario);
    let mut numbers = BTreeMap::from([(first.digest(), 0)]);
    let mut origins: Vec<Origin> = vec![None];
    let mut onward: Vec<Vec<usize>> = vec![Vec::new()];
    let mut queue = VecDeque::from([(0, first)]);
    let (mut steps, mut ends) = (0, 0);
    while let Some((number, world)) = queue.pop_front() {
        let acts = world.acts();
        if acts.is_empty() {
            ends += 1;
            world.is_over().map_err(|wrong| way(&origins, number, None, &wrong))?;
        }
        let mut reached = Vec::with_capacity(acts.len());
        for act in acts {
            steps += 1;
            let mut next = world.clone();
            next.step(act).map_err(|wrong| way(&origins, number, Some(act), &wrong))?;
            let fresh = numbers.len();
            let place = *numbers.entry(next.digest()).or_insert(fresh);
            if place == fresh {
                origins.push(Some((number, act)));
                onward.push(Vec::new());
                queue.push_back((fresh, next));
            }
            reached.push(place);
        }
        onward[number] = reached;
    }
    if !all_ways_end(&onward) {
        return Err("there is a way that never ends".into());
    }
    Ok(Seen { states: onward.len(), steps, ends })
}

/// Without a circle, every way leads to an end: takes states away that nothing leads to, until none is left.
fn all_ways_end(onward: &[Vec<usize>]) -> bool {
    let mut ways_in = vec![0_usize; onward.len()];
    onward.iter().flatten().for_each(|place| ways_in[*place] += 1);
    let mut free: Vec<usize> = (0..onward.len()).filter(|place| ways_in[*place] == 0).collect();
    let mut taken = 0;
    while let Some(place) = free.pop() {
        taken += 1;
        for next in &onward[place] {
            ways_in[*next] -= 1;
            if ways_in[*next] == 0 {
                free.push(*next);
            }
        }
    }
    taken == onward.len()
}

fn way(origins: &[Origin], mut number: usize, last: Option<Act>, wrong: &str) -> String {
    let mut acts: Vec<String> = last.iter().map(|act| format!("{act:?}")).collect();
    while let Some((before, act)) = origins[number] {
        acts.push(format!("{act:?}"));
        number = before;
    }
    acts.reverse();
    format!("{wrong}, after\n{}", acts.join("\n"))
}

#[track_caller]
fn explore(name: &str, scenario: Scenario) {
    match search(scenario) {
        Ok(seen) => println!("{name}: {} states, {} steps, {} ends", seen.states, seen.steps, seen.ends),
        Err(wrong) => panic!("{name}: {wrong}"),
    }
}

const PLAIN: Scenario = Scenario { faults: 2, late: 0, cancel: false, fork: false, prack: false };
const ALL: Scenario = Scenario { faults: 2, late: 0, cancel: true, fork: true, prack: true };

#[test]
fn a_call() {
    explore("call, late messages", Scenario { late: 1, ..PLAIN });
}

#[test]
fn a_call_that_is_cancelled() {
    explore("cancel", Scenario { cancel: true, ..PLAIN });
}

#[test]
fn a_call_that_a_fork_answers_twice() {
    explore("fork", Scenario { fork: true, ..PLAIN });
}

#[test]
fn a_call_with_prack() {
    explore("prack", Scenario { prack: true, ..PLAIN });
}

#[test]
fn a_call_with_fork_cancel_and_prack() {
    explore("fork, cancel and prack, one fault", Scenario { faults: 1, ..ALL });
}

#[test]
#[ignore = "half a minute without optimisation: `cargo xtask nightly` runs it"]
fn a_call_with_fork_cancel_and_prack_and_two_faults() {
    explore("fork, cancel and prack", ALL);
}

#[test]
#[ignore = "half a minute: `cargo xtask nightly` runs it"]
fn a_cancelled_call_with_late_messages() {
    explore("cancel, late messages", Scenario { late: 1, cancel: true, ..PLAIN });
}
