//! Nonces that are old, used, foreign or forgotten.

use ringback_auth::{Algorithm, AuthSession, StaleReason};
use ringback_message::HeaderId;

use crate::world::{Outcome, World, answer, at, config, register, signed, verified, with};

fn world() -> World {
    World::new(config(&[Algorithm::Md5]))
}

/// OpenSIPS r4294: a nonce that only time limits can be replayed.
#[test]
fn opensips_r4294_the_same_nonce_and_count_are_accepted_once() {
    let mut world = world();
    let mut session = world.session(at(0));
    let first = signed(&mut session, &register());
    assert_eq!(world.judge(&first, at(1)), verified());
    assert_eq!(world.judge(&first, at(1)), Outcome::Stale(StaleReason::Replayed));
    assert_eq!(world.judge(&first, at(100)), Outcome::Stale(StaleReason::Replayed));
    let second = signed(&mut session, &register());
    assert_eq!(world.judge(&second, at(100)), verified());
    assert_eq!(world.judge(&first, at(100)), Outcome::Stale(StaleReason::Replayed));
}

/// A count can't be raised without the secret.
#[test]
fn a_replay_with_another_count_is_wrong() {
    let mut world = world();
    let value = answer(&mut world.session(at(0)), "alice", "wonderland", &register());
    assert_eq!(world.judge(&with(&register(), &value), at(1)), verified());
    let raised = value.replace("nc=00000001", "nc=00000002");
    assert_eq!(world.judge(&with(&register(), &raised), at(1)), Outcome::Wrong);
}

#[test]
fn requests_may_overtake_each_other() {
    let mut world = world();
    let mut session = world.session(at(0));
    let mut requests: Vec<_> = (0..64).map(|_| signed(&mut session, &register())).collect();
    requests.reverse();
    assert!(requests.iter().all(|request| world.judge(request, at(1)) == verified()));
    let again = Outcome::Stale(StaleReason::Replayed);
    assert!(requests.iter().all(|request| world.judge(request, at(1)) == again));
}

#[test]
fn one_that_is_overtaken_by_too_many_is_stale() {
    let mut world = world();
    let mut session = world.session(at(0));
    let late = signed(&mut session, &register());
    let newest = (0..64).map(|_| signed(&mut session, &register())).last().unwrap();
    assert_eq!(world.judge(&newest, at(1)), verified());
    assert_eq!(world.judge(&late, at(1)), Outcome::Stale(StaleReason::Replayed));
}

#[test]
fn an_expired_nonce_is_stale_and_the_new_one_is_answered_without_asking() {
    let mut world = world();
    let mut session = world.session(at(0));
    assert_eq!(world.judge(&signed(&mut session, &register()), at(299)), verified());
    assert_eq!(world.judge(&signed(&mut session, &register()), at(300)), Outcome::Stale(StaleReason::Expired));
    let wrong = answer(&mut session, "alice", "nonsense", &register());
    assert_eq!(world.judge(&with(&register(), &wrong), at(300)), Outcome::Wrong);
    let again = world.challenge(true, at(300));
    let mut session = AuthSession::pick(&again, HeaderId::WwwAuthenticate, None, &mut world.random).unwrap();
    assert!(session.challenge().stale);
    assert_eq!(world.judge(&signed(&mut session, &register()), at(300)), verified());
}

#[test]
fn a_restart_makes_nonces_stale_for_those_who_know_the_password() {
    // With another secret, and with the same one kept.
    for secret in [[9; 32], [1; 32]] {
        let mut before = world();
        let mut session = before.session(at(0));
        let used = signed(&mut session, &register());
        assert_eq!(before.judge(&used, at(1)), verified());
        let mut after = World::with_owner(config(&[Algorithm::Md5]), 7, secret, [3; 32]);
        assert_eq!(after.judge(&used, at(2)), Outcome::Stale(StaleReason::Unknown));
        let right = signed(&mut session, &register());
        assert_eq!(after.judge(&right, at(2)), Outcome::Stale(StaleReason::Unknown));
        let wrong = answer(&mut session, "alice", "nonsense", &register());
        assert_eq!(after.judge(&with(&register(), &wrong), at(2)), Outcome::Wrong);
        assert_eq!(after.server.nonces_used(), 0);
    }
}

#[test]
fn another_shard_s_nonce_is_stale() {
    let mut ours = world();
    let mut theirs = World::with_owner(config(&[Algorithm::Md5]), 8, [1; 32], [5; 32]);
    let mut session = theirs.session(at(0));
    assert_eq!(ours.judge(&signed(&mut session, &register()), at(1)), Outcome::Stale(StaleReason::ForeignOwner(8)));
    assert_eq!(theirs.judge(&signed(&mut session, &register()), at(1)), verified());
}

#[test]
fn a_full_table_forgets_nothing_that_could_be_replayed() {
    let mut settings = config(&[Algorithm::Md5]);
    settings.nonces_max = 4;
    let mut world = World::new(settings);
    let mut requests = Vec::new();
    for _ in 0..20 {
        let mut session = world.session(at(0));
        let request = signed(&mut session, &register());
        assert_eq!(world.judge(&request, at(1)), verified());
        requests.push((request, session));
        assert!(world.server.nonces_used() <= 4);
    }
    for (i, (request, session)) in requests.iter_mut().enumerate() {
        let reason = if i < 16 { StaleReason::Expired } else { StaleReason::Replayed };
        assert_eq!(world.judge(request, at(1)), Outcome::Stale(reason), "{i}");
        let next = world.judge(&signed(session, &register()), at(1));
        assert_eq!(next, if i < 16 { Outcome::Stale(StaleReason::Expired) } else { verified() });
    }
    world.server.purge(at(300));
    assert_eq!(world.server.nonces_used(), 0);
}

/// Challenges are free: they leave nothing behind.
#[test]
fn strangers_fill_no_table() {
    let mut world = world();
    for i in 0..10_000 {
        let value = world.server.challenge(false, at(0)).remove(0);
        if i % 1_000 == 0 {
            let nonce = value.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
            let guess = format!(
                "Digest username=\"alice\", realm=\"b.example\", nonce=\"{nonce}\", uri=\"sip:b.example\", qop=auth, nc=00000001, \
                 cnonce=\"c\", response=\"00000000000000000000000000000000\""
            );
            assert_eq!(world.judge(&with(&register(), &guess), at(0)), Outcome::Wrong);
        }
    }
    assert_eq!(world.server.nonces_used(), 0);
}

/// A client of RFC 2069 has no count: each nonce serves it once.
#[test]
fn without_qop_a_nonce_serves_once() {
    let mut world = world();
    let mut challenge = world.session(at(0)).challenge().clone();
    challenge.qop.clear();
    let mut old = AuthSession::new(challenge, &mut world.random);
    let request = signed(&mut old, &register());
    assert!(!format!("{request:?}").contains("qop="));
    assert_eq!(world.judge(&request, at(1)), verified());
    assert_eq!(world.judge(&request, at(1)), Outcome::Stale(StaleReason::Replayed));
    assert_eq!(world.judge(&signed(&mut old, &register()), at(1)), Outcome::Stale(StaleReason::Replayed));
}
