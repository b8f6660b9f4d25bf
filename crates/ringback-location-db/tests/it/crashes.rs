//! Crashes between any two calls to the storage.
//!
//! A script of registrations runs on storage that records every call, and whoever stores writes down, in the same record, what
//! was handed over and what was told. Then the script's every crash point is visited: what a disk may hold at that moment is
//! opened, and must hold what was acknowledged by then.

mod actor;
mod ledger;
mod tape;
mod visit;

use std::thread;
use std::time::{Duration, Instant};

use ringback_base::Random;

use crate::crashes::actor::{Actor, set, set_large, unset};
use crate::crashes::ledger::Ledger;
use crate::crashes::tape::Tape;
use crate::crashes::visit::{Tally, Tier, calls, visit};
use crate::*;

const HOUR: u64 = 3_600;

/// Visits the crash points of what a script does, and prints what was seen.
fn proof(name: &str, tape: &Tape) -> Tally {
    let recording = tape.recording();
    let tier = Tier::of_environment();
    let began = Instant::now();
    let tally = visit(&recording, &tier);
    let (calls, syncs) = calls(&recording);
    let (told, refused) = Ledger::of(&recording).told();
    println!("{name}: {told} stores acknowledged, {refused} refused, in {calls} writes and {syncs} syncs");
    println!("{name}: {tally}: {:.1} s, {tier:?}", began.elapsed().as_secs_f64());
    tally
}

fn assert_good(tally: &Tally) {
    let first = tally.faults.iter().take(10).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(tally.faults.is_empty(), "{} faults: {tally}\n{first}", tally.faults.len());
}

/// So many stores are together in one commit, at most.
fn in_batches_of(batch_max: usize) -> Options {
    Options { batch_max, commit_window: Duration::from_millis(1), ..options() }
}

#[test]
fn registrations_survive_a_crash_at_any_point() {
    let tape = Tape::default();
    let actor = Actor::open(&tape, 0, in_batches_of(8)).unwrap();
    actor.put_meta(1);
    one_by_one(&actor);
    together(&actor);
    at_once(&actor);
    actor.put_meta(2);
    run_out(&actor);
    actor.db.close().unwrap();
    // The next process.
    let actor = Actor::open(&tape, 1, in_batches_of(8)).unwrap();
    actor.change("alice", set("sip:alice@desk", HOUR));
    actor.change("carol", |rows| rows.clear());
    actor.confirm("grace");
    drop(actor);
    assert_good(&proof("registrations", &tape));
}

/// New contacts, refreshed ones, one removed, all removed, and back again; a user who goes for good.
fn one_by_one(actor: &Actor) {
    for user in ["alice", "bob", "carol", "dave"] {
        actor.change(user, set(&format!("sip:{user}@desk"), HOUR));
    }
    for contact in ["sip:alice@mobile", "sip:alice@tablet", "sip:alice@desk"] {
        actor.change("alice", set(contact, HOUR));
    }
    actor.change("alice", unset("sip:alice@mobile"));
    actor.change("bob", set("sip:bob@desk", HOUR + 60));
    actor.change("dave", |rows| rows.clear());
    actor.change("alice", |rows| rows.clear());
    actor.change("alice", set("sip:alice@mobile", HOUR));
    actor.change("bob", unset("sip:bob@desk"));
    actor.change("ivan", set("sip:ivan@desk", HOUR));
    actor.change("ivan", set("sip:ivan@mobile", HOUR));
    actor.remove("ivan");
    // Who comes too late is refused, and leaves nothing.
    let (rows, version) = actor.db.load(&aor("alice"));
    actor.change("alice", set("sip:alice@desk", HOUR));
    assert!(answer(&actor.store("alice", version, rows.to_vec())).is_err());
    assert!(answer(&actor.store("heidi", version, vec![row("sip:heidi@x")])).is_err());
}

/// More stores than one commit takes, some of which build upon others of the same commit.
fn together(actor: &Actor) {
    let mut outcomes: Vec<Outcome> =
        (0..12).map(|n| actor.begin(&format!("u{n}"), set(&format!("sip:u{n}@x"), HOUR))).collect();
    for contact in ["sip:carol@mobile", "sip:carol@tablet", "sip:carol@desk"] {
        outcomes.push(actor.begin("carol", set(contact, HOUR)));
    }
    outcomes.push(actor.begin("u0", |rows| rows.clear()));
    outcomes.push(actor.begin("u1", set("sip:u1@y", HOUR)));
    outcomes.push(actor.begin("u0", set("sip:u0@y", HOUR)));
    outcomes.iter().for_each(|outcome| _ = answer(outcome).unwrap());
    let outcomes: Vec<Outcome> = (3..11).map(|n| actor.begin(&format!("u{n}"), |rows| rows.clear())).collect();
    outcomes.iter().for_each(|outcome| _ = answer(outcome).unwrap());
}

/// Several who change the same entries, and one who asks what is durable.
fn at_once(actor: &Actor) {
    thread::scope(|scope| {
        for n in 0..4 {
            scope.spawn(move || {
                for round in 0..4 {
                    let user = ["alice", "carol", "erin"][(n + round) % 3];
                    let contact = format!("sip:{user}@{n}");
                    if round == 2 {
                        actor.change(user, unset(&contact));
                    } else {
                        actor.change(user, set(&contact, HOUR));
                    }
                }
            });
        }
        scope.spawn(|| {
            for user in ["alice", "carol", "erin"].iter().cycle().take(12) {
                actor.confirm(user);
            }
        });
    });
}

/// Rows that run out, of entries that keep some and of others that keep none.
fn run_out(actor: &Actor) {
    actor.change("alice", set("sip:alice@brief", 60));
    actor.change("frank", set("sip:frank@brief", 60));
    actor.change("grace", set("sip:grace@brief", 60));
    actor.purge(&["alice", "frank", "grace"], at(60));
    actor.change("grace", set("sip:grace@desk", HOUR));
}

/// The seed makes the script, so that each nightly run has its own.
#[test]
fn registrations_at_random_survive_a_crash_at_any_point() {
    let mut random = Tier::of_environment().random(None);
    let tape = Tape::default();
    for session in 0..3 {
        let actor = Actor::open(&tape, session, in_batches_of(4)).unwrap();
        for _ in 0..12 {
            let outcomes: Vec<Outcome> = (0..1 + random.below(6)).map(|_| at_random(&actor, &mut random)).collect();
            outcomes.iter().for_each(|outcome| _ = answer(outcome).unwrap());
        }
    }
    assert_good(&proof("at random", &tape));
}

/// Something that one of eight users may do.
fn at_random(actor: &Actor, random: &mut Random) -> Outcome {
    let user = format!("u{}", random.below(8));
    let contact = format!("sip:{user}@{}", random.below(3));
    match random.below(10) {
        0 => actor.begin(&user, |rows| rows.clear()),
        1..3 => actor.begin(&user, unset(&contact)),
        3 => actor.begin(&user, set_large(&contact, random.below(5_000) as usize)),
        _ => actor.begin(&user, set(&contact, HOUR)),
    }
}

#[test]
fn a_database_that_grows_and_shrinks_survives_a_crash_at_any_point() {
    const BYTES: usize = 150_000;
    let tape = Tape::default();
    let actor = Actor::open(&tape, 0, options()).unwrap();
    let users: Vec<String> = (0..8).map(|n| format!("u{n}")).collect();
    for user in &users {
        actor.change(user, set_large("sip:large@x", BYTES));
    }
    actor.change("u0", set_large("sip:large@x", BYTES / 2));
    for user in &users[1..] {
        actor.change(user, |rows| rows.clear());
    }
    for n in 0..4 {
        actor.change("alice", set(&format!("sip:{n}@x"), HOUR));
    }
    drop(actor);
    let lengths: Vec<usize> = tape.recording().epochs().map(|epoch| epoch.base.len()).collect();
    assert!(lengths.windows(2).filter(|pair| pair[1] > pair[0]).count() > 1, "it never grew: {lengths:?}");
    assert!(lengths.windows(2).any(|pair| pair[1] < pair[0]), "it never shrank: {lengths:?}");
    assert_good(&proof("growing and shrinking", &tape));
}

#[test]
fn a_database_that_writes_early_for_want_of_memory_survives_a_crash_at_any_point() {
    let tape = Tape::default();
    let small = Options { cache_bytes: 16 * 1_024, ..options() };
    let actor = Actor::open(&tape, 0, small).unwrap();
    for n in 0..6 {
        let outcomes: Vec<Outcome> =
            (0..6).map(|m| actor.begin(&format!("u{m}"), set_large(&format!("sip:{}@x", n % 2), 3_000))).collect();
        outcomes.iter().for_each(|outcome| _ = answer(outcome).unwrap());
    }
    drop(actor);
    assert_good(&proof("early writes", &tape));
}

/// What is proved above would be worth nothing if the same eyes did not see this.
#[test]
fn a_disk_that_lies_about_syncs_is_found_out() {
    let tape = Tape::that_syncs_one_of(2);
    let actor = Actor::open(&tape, 0, options()).unwrap();
    actor.change("alice", set("sip:alice@desk", HOUR));
    actor.change("bob", set("sip:bob@desk", HOUR));
    actor.change("alice", set("sip:alice@desk", HOUR));
    actor.change("bob", |rows| rows.clear());
    actor.change("carol", set("sip:carol@desk", HOUR));
    actor.change("alice", |rows| rows.clear());
    actor.change("carol", |rows| rows.clear());
    drop(actor);
    let tally = proof("a lying disk", &tape);
    for what in ["alice: LOST", "carol: REVIVED", "it can't be opened"] {
        assert!(tally.faults.iter().any(|fault| fault.contains(what)), "{what} not in {} faults", tally.faults.len());
    }
    assert!(!tally.faults.iter().any(|fault| fault.contains("MIXED")), "the checksums of redb see to that");
}
