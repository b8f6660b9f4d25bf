//! Every limit, reached.

use ringback_auth::{Algorithm, CREDENTIALS_MAX, CredentialsError, Limit, PARAMETER_BYTES_MAX};
use ringback_message::StatusCode;
use ringback_message::header::AUTH_PARAMS_MAX;

use crate::world::{Outcome, World, answer, at, authorization, config, register, verified, with};

fn world() -> World {
    World::new(config(&[Algorithm::Md5]))
}

/// Good credentials, and how many parameters they have.
fn good(world: &mut World) -> (String, usize) {
    let value = answer(&mut world.session(at(0)), "alice", "wonderland", &register());
    let count = value.split(", ").count();
    (value, count)
}

fn limit(outcome: Outcome) -> Option<Limit> {
    let Outcome::Malformed(error) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.status(), StatusCode::BadRequest);
    error.limit()
}

#[test]
fn parameters_of_credentials() {
    let mut world = world();
    let (good, count) = good(&mut world);
    let and_so_many_more = |more: usize| (0..more).fold(good.clone(), |value, n| format!("{value}, x{n}=y"));
    let most = and_so_many_more(AUTH_PARAMS_MAX - count);
    let one_more = and_so_many_more(AUTH_PARAMS_MAX - count + 1);
    assert_eq!(world.judge(&authorization(&most), at(0)), verified());
    for (value, reached) in [
        (one_more.clone(), true),
        (format!("{one_more}, x999"), true),
        (format!("{most},"), false),
        (format!("{most}, \"x\"=y"), false),
        (format!("{most} x=y"), false),
        (format!("{good}, nc=00000001"), false),
    ] {
        let found = limit(world.judge(&authorization(&value), at(0)));
        assert_eq!(found, reached.then_some(Limit::AuthParams), "{value}");
    }
}

#[test]
fn bytes_of_a_parameter() {
    let mut world = world();
    let (good, _) = good(&mut world);
    for (more, reached) in [(0, false), (1, true)] {
        // Quotes count.
        let name = "a".repeat(PARAMETER_BYTES_MAX - 2 + more);
        let outcome = world.judge(&authorization(&good.replace("\"alice\"", &format!("\"{name}\""))), at(0));
        match reached {
            false => assert_eq!(outcome, Outcome::Wrong),
            true => {
                assert_eq!(outcome, Outcome::Malformed(CredentialsError::TooLong { parameter: "username" }));
                assert_eq!(limit(outcome), Some(Limit::ParameterBytes));
            }
        }
    }
}

#[test]
fn header_fields_of_credentials() {
    let mut world = world();
    let foreign = (1..CREDENTIALS_MAX).fold(register(), |request, _| with(&request, "Digest realm=elsewhere"));
    let (good, _) = good(&mut world);
    assert_eq!(world.judge(&with(&foreign, &good), at(0)), verified());
    assert_eq!(world.server.counters().credentials_max_reached, 0);
    let foreign = with(&foreign, "Digest realm=elsewhere");
    assert_eq!(world.judge(&with(&foreign, &good), at(0)), Outcome::NoCredentials);
    assert_eq!(world.server.counters().credentials_max_reached, 1);
}

#[test]
fn nonces_that_are_remembered() {
    let mut config = config(&[Algorithm::Md5]);
    config.nonces_max = 2;
    let mut world = World::new(config);
    for (used, forgotten) in [(1, 0), (2, 0), (3, 1), (4, 2)] {
        let value = answer(&mut world.session(at(used)), "alice", "wonderland", &register());
        assert_eq!(world.judge(&authorization(&value), at(used)), verified());
        assert_eq!(world.server.counters().nonces_max_reached, forgotten);
    }
    // What expires is not forgotten early.
    let value = answer(&mut world.session(at(9_999)), "alice", "wonderland", &register());
    assert_eq!(world.judge(&authorization(&value), at(9_999)), verified());
    assert_eq!(world.server.counters().nonces_max_reached, 2);
}
