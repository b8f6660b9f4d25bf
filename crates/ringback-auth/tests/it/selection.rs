//! Which credentials of a request count.

use ringback_auth::{Algorithm, CREDENTIALS_MAX, StaleReason};

use crate::world::{Outcome, World, answer, at, authorization, config, register, request, signed, verified, with};

fn world() -> World {
    World::new(config(&[Algorithm::Sha256, Algorithm::Md5]))
}

#[test]
fn other_schemes_and_realms_are_another_s() {
    let mut world = world();
    for value in [
        "Basic YWxpY2U6d29uZGVybGFuZA==",
        "Bearer abc.def",
        "NTLM",
        "Digest username=\"alice\", realm=\"c.example\", nonce=\"n\", uri=\"sip:c.example\", response=\"0\"",
        // Malformed, and yet not ours to refuse.
        "Digest realm=\"c.example\", nc=1",
    ] {
        assert_eq!(world.judge(&authorization(value), at(0)), Outcome::NoCredentials, "{value}");
        let ours = answer(&mut world.session(at(0)), "alice", "wonderland", &register());
        assert_eq!(world.judge(&with(&authorization(value), &ours), at(0)), verified(), "{value}");
    }
    assert_eq!(world.judge(&register(), at(0)), Outcome::NoCredentials);
}

/// What phones of mobile networks send in their first REGISTER.
#[test]
fn blank_credentials_are_none() {
    let mut world = world();
    for (nonce, response) in [("", ""), ("n", ""), ("", "0123")] {
        let value = format!(
            "Digest username=\"alice\", realm=\"b.example\", nonce=\"{nonce}\", uri=\"sip:b.example\", response=\"{response}\""
        );
        assert_eq!(world.judge(&authorization(&value), at(0)), Outcome::NoCredentials);
    }
}

/// Some clients add new credentials and leave the old ones in their place.
#[test]
fn the_better_nonce_counts() {
    let mut world = world();
    let mut old = world.session(at(0));
    let stale = answer(&mut old, "alice", "wonderland", &register());
    let fresh = answer(&mut world.session(at(300)), "alice", "wonderland", &register());
    let foreign = answer(
        &mut World::with_owner(config(&[Algorithm::Md5]), 1, [8; 32], [8; 32]).session(at(300)),
        "alice",
        "wonderland",
        &register(),
    );
    assert_eq!(world.judge(&with(&authorization(&foreign), &stale), at(300)), Outcome::Stale(StaleReason::Expired));
    let all = with(&with(&authorization(&foreign), &stale), &fresh);
    assert_eq!(world.judge(&all, at(300)), verified());
}

#[test]
fn the_algorithm_that_we_prefer_counts() {
    let mut world = world();
    let mut sha = world.session(at(0));
    let mut challenge = sha.challenge().clone();
    challenge.algorithm = Algorithm::Md5;
    let mut md5 = ringback_auth::AuthSession::new(challenge, &mut world.random);
    let both = signed(&mut sha, &signed(&mut md5, &register()));
    assert_eq!(world.claim(&both, at(0)).unwrap().algorithm(), Algorithm::Sha256);
}

#[test]
fn malformed_ones_beside_good_ones_do_no_harm() {
    let mut world = world();
    let good = answer(&mut world.session(at(0)), "alice", "wonderland", &register());
    assert_eq!(world.judge(&with(&authorization("Digest realm="), &good), at(0)), verified());
}

#[test]
fn only_so_many_are_looked_at() {
    let mut world = world();
    let good = answer(&mut world.session(at(0)), "alice", "wonderland", &register());
    let good = format!("Authorization: {good}");
    let mut lines = vec!["Authorization: Digest realm=\"c.example\""; CREDENTIALS_MAX - 1];
    lines.push(&good);
    assert_eq!(world.judge(&request("REGISTER", "sip:b.example", &lines, ""), at(0)), verified());
    lines.insert(0, "Authorization: Digest realm=\"d.example\"");
    assert_eq!(world.judge(&request("REGISTER", "sip:b.example", &lines, ""), at(0)), Outcome::NoCredentials);
}
