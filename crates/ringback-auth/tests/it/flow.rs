//! From the challenge to the verdict.

use ringback_auth::{Algorithm, AuthSession, Begin, CredentialsError, Ha1, Password, Qop, Verdict};
use ringback_message::HeaderId;

use crate::world::{Outcome, REALM, World, answer, at, config, register, request, signed, verified, with};

#[test]
fn every_algorithm_and_protection() {
    for algorithm in Algorithm::ALL {
        for qop in [Qop::Auth, Qop::AuthInt] {
            let mut settings = config(&[algorithm]);
            settings.qop = vec![qop];
            let mut world = World::new(settings);
            let mut session = world.session(at(0));
            for body in ["", "v=0\r\n"] {
                let request = signed(&mut session, &request("INVITE", "sip:bob@b.example", &[], body));
                assert_eq!(world.judge(&request, at(1)), verified(), "{algorithm} {qop} {body:?}");
            }
            let wrong = answer(&mut session, "alice", "Wonderland", &register());
            assert_eq!(world.judge(&with(&register(), &wrong), at(1)), Outcome::Wrong);
        }
    }
}

#[test]
fn challenges_stand_in_the_order_of_the_list_and_share_a_nonce() {
    let mut world = World::new(config(&[Algorithm::Sha512_256, Algorithm::Sha256, Algorithm::Md5]));
    let values = world.server.challenge(true, at(0));
    let nonce = values[0].split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    for (value, algorithm) in values.iter().zip(["SHA-512-256", "SHA-256", "MD5"]) {
        let expected =
            format!("Digest realm=\"b.example\", nonce=\"{nonce}\", qop=\"auth\", algorithm={algorithm}, stale=true");
        assert_eq!(*value, expected);
    }
    assert_eq!(values.len(), 3);
    let next = world.server.challenge(false, at(0));
    assert!(!next[0].contains(nonce) && !next[0].contains("stale"));
}

/// An MD5 hash in the store is of no use where SHA-256 is claimed, and the other way round.
#[test]
fn a_hash_by_another_algorithm_counts_as_none() {
    let mut world = World::new(config(&[Algorithm::Sha256]));
    let request = signed(&mut world.session(at(0)), &register());
    let claim = world.claim(&request, at(0)).unwrap();
    let md5 = Ha1::of(Algorithm::Md5, "alice", REALM, &Password::new("wonderland"));
    assert!(matches!(world.server.finish(claim, Some(&md5), at(0)), Verdict::Wrong));
}

#[test]
fn unknown_users_and_wrong_passwords_get_the_same_answer() {
    let mut world = World::new(config(&[Algorithm::Sha256]));
    let mut session = world.session(at(0));
    let unknown = answer(&mut session, "mallory", "wonderland", &register());
    assert_eq!(world.judge(&with(&register(), &unknown), at(0)), Outcome::Wrong);
    // A wrong response never spends the nonce: what follows is accepted.
    assert_eq!(world.server.nonces_used(), 0);
    assert_eq!(world.judge(&signed(&mut session, &register()), at(0)), verified());
}

#[test]
fn algorithms_that_are_not_offered_are_challenged_anew() {
    let mut world = World::new(config(&[Algorithm::Md5, Algorithm::Sha256]));
    let request = signed(&mut world.session(at(0)), &register());
    let mut strict = World::new(config(&[Algorithm::Sha256]));
    assert_eq!(strict.judge(&request, at(0)), Outcome::NoCredentials);
    let session = signed(&mut World::new(config(&[Algorithm::Md5Sess])).session(at(0)), &register());
    assert_eq!(world.judge(&session, at(0)), Outcome::NoCredentials);
}

#[test]
fn integrity_can_be_insisted_on() {
    let mut lax = World::new(config(&[Algorithm::Md5]));
    let request = signed(&mut lax.session(at(0)), &register());
    let mut settings = config(&[Algorithm::Md5]);
    settings.qop = vec![Qop::AuthInt];
    let mut strict = World::new(settings);
    assert_eq!(strict.judge(&request, at(0)), Outcome::Malformed(CredentialsError::QopNotOffered));
}

#[test]
fn auth_int_notices_a_changed_body() {
    let mut settings = config(&[Algorithm::Sha256]);
    settings.qop = vec![Qop::AuthInt];
    let mut world = World::new(settings);
    let mut session = world.session(at(0));
    let value = answer(&mut session, "alice", "wonderland", &request("MESSAGE", "sip:bob@b.example", &[], "pay 10"));
    let line = format!("Authorization: {value}");
    let changed = request("MESSAGE", "sip:bob@b.example", &[&line], "pay 99");
    assert_eq!(world.judge(&changed, at(0)), Outcome::Wrong);
    let unchanged = request("MESSAGE", "sip:bob@b.example", &[&line], "pay 10");
    assert_eq!(world.judge(&unchanged, at(0)), verified());
}

#[test]
fn proxies_look_at_their_own_header_field() {
    let mut world = World::new(config(&[Algorithm::Md5]));
    let mut session = world.session(at(0));
    let value = answer(&mut session, "alice", "wonderland", &register());
    let request = request("REGISTER", "sip:b.example", &[&format!("Proxy-Authorization: {value}")], "");
    assert_eq!(world.judge(&request, at(0)), Outcome::NoCredentials);
    assert!(matches!(world.server.begin(&request, HeaderId::ProxyAuthorization, at(0)), Begin::Claim(_)));
}

/// The realm and the user's name with all that needs escaping.
#[test]
fn quotes_and_slashes_in_realm_and_name() {
    let mut settings = config(&[Algorithm::Md5]);
    settings.realm = r#"the "inner" \ circle"#.into();
    let mut world = World::new(settings.clone());
    let response = world.challenge(false, at(0));
    let realm = Some(settings.realm.as_str());
    let mut session = AuthSession::pick(&response, HeaderId::WwwAuthenticate, realm, &mut world.random).unwrap();
    let user = r#"J\u{e4}s "x" \"#;
    let password = Password::new("p");
    let ha1 = Ha1::of(Algorithm::Md5, user, &settings.realm, &password);
    let value = session.answer(user, &session.ha1(user, &password), &register()).unwrap();
    let claim = world.claim(&with(&register(), &value), at(0)).unwrap();
    assert_eq!(claim.user(), user);
    assert!(matches!(world.server.finish(claim, Some(&ha1), at(0)), Verdict::Verified(_)));
}

#[test]
fn debug_forms_show_no_response() {
    let mut world = World::new(config(&[Algorithm::Md5]));
    let mut session = world.session(at(0));
    let value = answer(&mut session, "alice", "wonderland", &register());
    let response = value.split("response=\"").nth(1).unwrap().split('"').next().unwrap();
    let claim = world.claim(&with(&register(), &value), at(0)).unwrap();
    let shown = format!("{claim:?} {:?}", world.server);
    assert!(shown.contains("alice") && !shown.contains(response), "{shown}");
}
