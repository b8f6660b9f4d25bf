//! What went wrong in others.

use ringback_auth::{Algorithm, AnswerError, AuthSession, CredentialsError, Password};
use ringback_base::Random;
use ringback_message::{HeaderId, Message, Request, StatusCode};

use crate::world::{Outcome, World, answer, at, authorization, config, register, verified, with};

/// Asterisk GHSA-64qc-9x89-rx5j: a malformed Authorization stopped the process before anybody had to authenticate.
#[test]
fn ghsa_64qc_9x89_rx5j_malformed_authorization() {
    let mut world = World::new(config(&[Algorithm::Md5]));
    let good = answer(&mut world.session(at(0)), "alice", "wonderland", &register());
    for value in [
        "",
        "=",
        "Digest",
        "Digest ",
        "Digest ,",
        "Digest =",
        "Digest username",
        "Digest username=",
        "Digest username=\"alice",
        "Digest username=\"alice\\",
        "Digest username=\"alice\\\"",
        "Digest username=\"alice\" realm=\"b.example\"",
        "Digest realm=\"b.example\", realm=\"b.example\"",
        "Digest realm=\"b.example\"",
        "Digest username=\"alice\"",
        "realm=\"b.example\"",
        "\"Digest\" realm=\"b.example\"",
        &good.replace("\"alice\"", "\"\""),
        &good.replace("username=\"alice\"", "username="),
        &good.replace("username=\"alice\", ", ""),
        &good.replace("\"alice\"", "\"\x7f\""),
        &good.replace("\"alice\"", "\"alice"),
        &good.replace("nc=00000001", "nc=1"),
        &good.replace("nc=00000001", "nc=-1"),
        &good.replace("nc=00000001", "nc=\"\""),
        &good.replace("qop=auth", "qop=\"\""),
        &good.replace("qop=auth", "qop=none"),
        &good.replace("uri=", "x="),
        &good.replace("cnonce=", "x="),
        &format!("{good}, response=\"\""),
        &format!("{good},"),
        &"Digest ".repeat(1_000),
        &format!("Digest {}", "\"".repeat(5_000)),
        &format!("Digest {}", "a=b,".repeat(5_000)),
        &good.replace("\"alice\"", &format!("\"{}\"", "a".repeat(60_000))),
    ] {
        let outcome = world.judge(&authorization(value), at(0));
        let Outcome::Malformed(error) = &outcome else { panic!("{value}: {outcome:?}") };
        assert_eq!(error.status(), StatusCode::BadRequest);
        assert!(!error.to_string().is_empty());
    }
    // Without quotes it can be read all the same.
    let unquoted = good.replace("username=\"alice\"", "username=alice").replace("\"b.example\"", "b.example");
    assert_eq!(world.judge(&authorization(&unquoted), at(0)), verified());
}

/// PJSIP CVE-2026-40892: the client's side, and credentials as long as a message can be.
#[test]
fn cve_2026_40892_long_challenges_and_credentials() {
    let long = "l".repeat(60_000);
    for algorithm in ["MD5", "SHA-256", "SHA-512-256", "AKAv1-MD5"] {
        for parameter in ["realm", "nonce", "opaque", "qop", "algorithm", "stale", "domain"] {
            let fields = [("realm", "r"), ("nonce", "n"), ("qop", "auth"), ("algorithm", algorithm)];
            let rest: String =
                fields.iter().filter(|f| f.0 != parameter).map(|(n, v)| format!("{n}=\"{v}\",")).collect();
            let text = format!("SIP/2.0 401 No\r\nWWW-Authenticate: Digest {rest}{parameter}=\"{long}\"\r\n\r\n");
            let response = Message::parse(text.into()).unwrap();
            let session =
                AuthSession::pick(&response, HeaderId::WwwAuthenticate, None, &mut Random::from_seed([0; 32]));
            // `domain` means nothing in SIP and is not looked at.
            let is_answered = parameter == "domain" && algorithm != "AKAv1-MD5";
            assert_eq!(session.is_ok(), is_answered, "{algorithm} {parameter}");
            assert!(is_answered || matches!(session, Err(AnswerError::Challenge(_))));
        }
    }
    let mut world = World::new(config(&[Algorithm::Sha256]));
    let good = answer(&mut world.session(at(0)), "alice", "wonderland", &register());
    for name in ["username", "realm", "nonce", "uri", "response", "cnonce", "qop", "nc", "algorithm"] {
        let value = good.replace(&format!(" {name}="), &format!(" {name}=\"{long}\", x="));
        let outcome = world.judge(&authorization(&value), at(0));
        assert_eq!(outcome, Outcome::Malformed(CredentialsError::TooLong { parameter: name }));
    }
}

/// JAIN SIP answers a SHA-256 challenge with an MD5 value: wrong, and nothing worse.
#[test]
fn a_response_of_another_length_is_wrong() {
    let mut world = World::new(config(&[Algorithm::Sha256]));
    let session = world.session(at(0));
    let mut challenge = session.challenge().clone();
    challenge.algorithm = Algorithm::Md5;
    let mut md5 = AuthSession::new(challenge, &mut world.random);
    let ha1 = md5.ha1("alice", &Password::new("wonderland"));
    let value = md5.answer("alice", &ha1, &register()).unwrap().replace("algorithm=MD5", "algorithm=SHA-256");
    assert_eq!(world.judge(&with(&register(), &value), at(0)), Outcome::Wrong);
}

/// Whatever byte is changed, nothing stops, and nobody becomes another.
#[test]
fn changed_credentials_never_prove_another_user() {
    let mut verified_as_they_were = 0;
    for byte in [0x20, b'"', b'\\', b',', b'=', b'0', b'A', b'b', b'\t', 0x7f, 0xc3, 0xff] {
        let mut world = World::new(config(&[Algorithm::Md5]));
        let mut session = world.session(at(0));
        let length = answer(&mut session, "alice", "wonderland", &register()).len();
        for i in 0..length {
            let mut value = answer(&mut session, "alice", "wonderland", &register()).into_bytes();
            value[i] = byte;
            // As a peer sends it: an edit takes nothing that can't be read.
            let request = register();
            let start_line_end = request.as_bytes().windows(2).position(|two| two == b"\r\n").unwrap() + 2;
            let (start_line, rest) = request.as_bytes().split_at(start_line_end);
            let text = [start_line, b"Authorization: ", &value, b"\r\n", rest].concat();
            let request = Request::check(Message::parse(text.into()).unwrap()).unwrap();
            match world.judge(&request, at(0)) {
                Outcome::Verified(user) => {
                    assert_eq!(user, "alice");
                    verified_as_they_were += 1;
                }
                Outcome::Stale(reason) => panic!("byte {i} as {byte}: {reason:?}"),
                _ => {}
            }
        }
    }
    // Blanks for blanks and the like; more would mean that something is not looked at.
    assert!((1..200).contains(&verified_as_they_were), "{verified_as_they_were}");
}
