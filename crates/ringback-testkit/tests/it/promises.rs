//! Promises of the design, one by one, in worlds that are made for them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use ringback_base::{Micros, Random};
use ringback_testkit::net::{Chance, Quality};
use ringback_testkit::phone::{Act, CallPlan, CallRecord, Diary, Line, Manners, Reaction};
use ringback_testkit::scenario::Scenario;
use ringback_testkit::strange::shortest_invite;
use ringback_testkit::surroundings::Faults;
use ringback_testkit::world::{
    AMPLIFICATION_MAX_PERCENT, DOMAIN, Deed, PhoneId, Setup, Summary, World, server_addresses,
};

const ALICE: u8 = 10;
const BOB: u8 = 20;

/// A phone on the first address of the server; it registers at once.
fn phone(world: &mut World, user: &str, host: u8, q: Option<u16>, manners: Manners) -> PhoneId {
    world.add_user(user, "secret");
    let line = Line {
        name: format!("{user}{host}"),
        user: user.to_owned(),
        domain: DOMAIN.to_owned(),
        password: "secret".to_owned(),
        address: SocketAddr::from(([198, 18, 0, host], 5060)),
        server: server_addresses()[0],
        q,
        expires_secs: 3_600,
    };
    let id = world.add_phone(line, manners);
    world.schedule(Micros(0), Deed::Phone(id, Act::Register));
    id
}

fn finish(mut world: World) -> Summary {
    world.finish().unwrap_or_else(|failure| panic!("{failure}"))
}

/// Alice calls Bob, whose phones do these things.
fn call(reactions: &[Reaction], change: impl FnOnce(&mut CallPlan)) -> (CallRecord, BTreeMap<String, Diary>) {
    let mut world = World::new(Setup::new(7)).unwrap();
    let alice = phone(&mut world, "alice", ALICE, None, Manners::default());
    for (host, reaction) in (BOB..).zip(reactions) {
        phone(&mut world, "bob", host, None, Manners::always(*reaction));
    }
    let mut plan = CallPlan::new(1, "bob");
    change(&mut plan);
    world.schedule(Micros::from_secs(1), Deed::Phone(alice, Act::Call(plan)));
    world.run_until(Micros::from_secs(1_000)).unwrap_or_else(|failure| panic!("{failure}"));
    let summary = finish(world);
    (summary.calls[&1].clone(), summary.diaries)
}

#[test]
fn one_seed_is_one_run() {
    for seed in [1, 5, 11, 15, 17] {
        let run = |seed| {
            Scenario { calls: 40, ..Scenario::of_seed(seed) }.run().unwrap_or_else(|failure| panic!("{failure}"))
        };
        let (first, second) = (run(seed), run(seed));
        assert_eq!((first.hash, first.steps), (second.hash, second.steps), "world {seed}");
        assert_ne!(first.hash, run(seed + 20).hash, "worlds of two numbers are two");
    }
}

/// One bad datagram never changes another call's outcome, nor do thousands.
#[test]
fn strangers_change_nothing() {
    let constant = Faults { delay: Micros::from_ms(3), ..Faults::NONE };
    for seed in 1..=6 {
        let run = |strangers| {
            let quality = Quality { corruption: Chance::NEVER, ..Quality::CROWDED };
            let scenario = Scenario { quality, faults: constant, odd_phones: true, strangers, ..Scenario::new(seed) };
            scenario.run().unwrap_or_else(|failure| panic!("{failure}"))
        };
        let (alone, beset) = (run(0), run(8));
        assert!(beset.steps > alone.steps + 300, "the strangers were there");
        assert_eq!(alone.diaries, beset.diaries, "world {seed}");
    }
}

#[test]
fn each_reaction_of_a_phone_ends_as_it_should() {
    let expected: &[(Reaction, u16)] = &[
        (Reaction::Answer, 200),
        (Reaction::AnswerTwice, 200),
        (Reaction::RingOften, 200),
        (Reaction::AnswerAnyway, 200),
        // Timer C ends it, and the phone says 487.
        (Reaction::Ring, 487),
        (Reaction::Deaf, 408),
        (Reaction::Silent, 408),
        (Reaction::Refuse(302), 302),
        (Reaction::Refuse(401), 401),
        (Reaction::Refuse(404), 404),
        (Reaction::Refuse(407), 407),
        (Reaction::Refuse(408), 408),
        (Reaction::Refuse(415), 415),
        (Reaction::Refuse(480), 480),
        (Reaction::Refuse(486), 486),
        (Reaction::Refuse(500), 500),
        // A 503 says that the server itself is overloaded, so it is not passed on.
        (Reaction::Refuse(503), 500),
        (Reaction::Refuse(599), 599),
        (Reaction::Refuse(600), 600),
        (Reaction::Refuse(603), 603),
    ];
    for reaction in Reaction::ALL.iter().filter(|reaction| **reaction != Reaction::Garbage) {
        let (_, status) =
            expected.iter().find(|(other, _)| other == reaction).expect("each is expected to end somehow");
        let (seen, diaries) = call(&[*reaction], |_| {});
        assert_eq!(seen.status, Some(*status), "{reaction:?}: {seen:?}");
        let dialogs = match (reaction, status) {
            (Reaction::AnswerTwice, _) => 2,
            (_, 200) => 1,
            _ => 0,
        };
        let bob = &diaries["bob20"];
        assert_eq!((seen.dialogs, bob.answered, bob.acknowledged, bob.ended), (dialogs, dialogs, dialogs, dialogs));
        assert_eq!(seen.bye, (dialogs > 0).then_some(200), "{reaction:?}");
    }
}

#[test]
fn a_caller_that_gives_up_gets_487_or_the_answer_that_was_faster() {
    let (seen, diaries) = call(&[Reaction::Ring], |plan| plan.cancel_after = Some(Micros::from_secs(2)));
    assert_eq!((seen.status, seen.cancelled, diaries["bob20"].cancelled), (Some(487), true, 1));
    let (seen, diaries) = call(&[Reaction::AnswerAnyway], |plan| plan.cancel_after = Some(Micros::from_ms(300)));
    assert_eq!((seen.status, seen.cancelled, seen.bye), (Some(200), true, Some(200)));
    assert_eq!(diaries["bob20"].ended, 1);
    // A phone that knows no CANCEL is given up, by the caller and the server after the same time.
    let (seen, _) = call(&[Reaction::Deaf], |plan| plan.cancel_after = Some(Micros::from_secs(2)));
    assert!(seen.cancelled && (seen.unanswered || seen.status == Some(487)), "{seen:?}");
}

#[test]
fn several_phones_are_one_call() {
    use Reaction::{Answer, Refuse, Ring};
    for (phones, status) in [
        (&[Ring, Answer][..], 200),
        (&[Refuse(486), Answer], 200),
        (&[Refuse(486), Refuse(404)], 404),
        (&[Refuse(486), Refuse(500), Refuse(302)], 302),
        (&[Ring, Refuse(603)], 603),
        (&[Refuse(503), Refuse(503)], 500),
        (&[Refuse(407), Refuse(404), Refuse(401)], 401),
    ] {
        let (seen, diaries) = call(phones, |_| {});
        let close = [status, if status == 401 { 407 } else { status }, if status == 404 { 486 } else { status }];
        assert!(close.contains(&seen.status.unwrap_or(0)), "{phones:?}: {seen:?}");
        let rang: u32 = diaries.values().map(|diary| diary.rung).sum();
        assert_eq!(rang as usize, phones.len(), "each rings, and once");
    }
}

/// The stated factor is kept by the worst that a stranger can do, and is not far from it.
#[test]
fn a_stranger_gets_no_more_than_the_stated_multiple() {
    let mut world = World::new(Setup::new(3)).unwrap();
    let stranger: SocketAddr = "203.0.113.9:5060".parse().unwrap();
    world.add_stranger("mallory", stranger);
    let mut random = Random::from_seed([3; 32]);
    for second in 0..50 {
        let bytes = shortest_invite(&mut random);
        let deed = Deed::Inject { from: stranger, to: server_addresses()[0], bytes };
        world.schedule(Micros::from_secs(second), deed);
    }
    world.run_until(Micros::from_secs(120)).unwrap_or_else(|failure| panic!("{failure}"));
    let measured = finish(world).amplification_percent;
    println!("{measured} bytes for each 100");
    assert!(measured <= AMPLIFICATION_MAX_PERCENT && measured * 2 > AMPLIFICATION_MAX_PERCENT, "{measured}");
}

#[test]
fn tables_have_limits_and_recover_from_them() {
    let run = |tables_max| {
        let scenario = Scenario { calls: 300, span: Micros::from_secs(40), tables_max, ..Scenario::new(5) };
        let summary = scenario.run().unwrap_or_else(|failure| panic!("{failure}"));
        let refused = summary.calls.values().filter(|call| call.status == Some(503)).count();
        let answered = summary.calls.values().filter(|call| call.status == Some(200)).count();
        (refused, answered)
    };
    let (refused, answered) = run(Some(80));
    assert!(refused > 50 && answered > 5, "{refused} refused, {answered} answered");
    let (refused, _) = run(None);
    assert_eq!(refused, 0);
}

#[test]
fn a_server_that_dies_and_comes_back_knows_its_users() {
    let mut world = World::new(Setup::new(11)).unwrap();
    let alice = phone(&mut world, "alice", ALICE, None, Manners::default());
    let bob = phone(&mut world, "bob", BOB, None, Manners::default());
    let call = |number| {
        Deed::Phone(alice, Act::Call(CallPlan { talk: Some(Micros::from_secs(20)), ..CallPlan::new(number, "bob") }))
    };
    world.schedule(Micros::from_secs(1), call(1));
    // In the middle of the call, whose BYE still finds its way.
    world.schedule(Micros::from_secs(10), Deed::Crash { down_for: Micros::from_ms(700) });
    world.schedule(Micros::from_secs(12), call(2));
    world.run_until(Micros::from_secs(60)).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(world.phone(bob).unwrap().diary().ended, 2);
    let summary = finish(world);
    for number in [1, 2] {
        assert_eq!(
            (summary.calls[&number].status, summary.calls[&number].bye),
            (Some(200), Some(200)),
            "call {number}"
        );
    }
}

/// A binding whose 200 never left may be lost; one whose 200 left is not.
#[test]
fn what_is_not_durable_is_not_acknowledged() {
    let mut lost = 0;
    for crash_at_ms in (0..400).step_by(20) {
        let faults = Faults { delay: Micros::from_ms(40), ..Faults::NONE };
        let mut world = World::new(Setup { faults, ..Setup::new(2) }).unwrap();
        let bob = phone(&mut world, "bob", BOB, None, Manners::default());
        world.schedule(Micros::from_ms(crash_at_ms), Deed::Crash { down_for: Micros::from_ms(1) });
        world.run_until(Micros::from_ms(crash_at_ms)).unwrap_or_else(|failure| panic!("{failure}"));
        let acknowledged = world.phone(bob).unwrap().diary().registered;
        let aor = ringback_location::Aor::new(b"bob", DOMAIN).unwrap();
        let kept = world.surroundings().locations.durable(&aor).bindings.len();
        assert!(kept >= acknowledged as usize, "at {crash_at_ms} ms");
        lost += u32::from(kept == 0);
        world.run_until(Micros::from_secs(60)).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(world.phone(bob).unwrap().diary().registered, 1, "it registers again when nobody answers");
        finish(world);
    }
    assert!((2..18).contains(&lost), "crashes before and after the store were among them: {lost}");
}

#[test]
fn a_datagram_too_large_for_any_network_goes_nowhere() {
    let mut world = World::new(Setup::new(4)).unwrap();
    let alice = phone(&mut world, "alice", ALICE, None, Manners::default());
    let body = "x".repeat(66_000);
    world.schedule(Micros::from_secs(1), Deed::Phone(alice, Act::Call(CallPlan { body, ..CallPlan::new(1, "alice") })));
    let stranger: SocketAddr = "203.0.113.9:5060".parse().unwrap();
    world.add_stranger("mallory", stranger);
    let bytes = Bytes::from(vec![b'A'; 65_000]);
    world.schedule(Micros::from_secs(1), Deed::Inject { from: stranger, to: server_addresses()[0], bytes });
    world.run_until(Micros::from_secs(100)).unwrap_or_else(|failure| panic!("{failure}"));
    let summary = finish(world);
    assert!(summary.calls[&1].failed, "{:?}", summary.calls[&1]);
}
