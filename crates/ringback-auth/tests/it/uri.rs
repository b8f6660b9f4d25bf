//! The digest URI and the Request-URI.

use ringback_auth::{Algorithm, CredentialsError, UriPolicy};

use crate::world::{Outcome, World, answer, at, config, request, verified};

/// The client hashes one URI, the request arrives with another.
fn judge(policy: UriPolicy, hashed: &str, arrived: &str) -> Outcome {
    let mut settings = config(&[Algorithm::Md5]);
    settings.uri_policy = policy;
    let mut world = World::new(settings);
    let value = answer(&mut world.session(at(0)), "alice", "wonderland", &request("INVITE", hashed, &[], ""));
    world.judge(&request("INVITE", arrived, &[&format!("Authorization: {value}")], ""), at(0))
}

const MISMATCH: Outcome = Outcome::Malformed(CredentialsError::UriMismatch);

#[test]
fn equivalent_uris_pass_everywhere() {
    for policy in [UriPolicy::Ignore, UriPolicy::SameUser, UriPolicy::Require] {
        for (hashed, arrived) in [
            ("sip:bob@b.example", "sip:bob@b.example"),
            ("sip:bob@b.example", "sip:%62ob@B.example"),
            ("sip:bob@b.example", "sip:bob@b.example;x=y"),
            ("tel:+358551234567", "tel:+358551234567"),
        ] {
            assert_eq!(judge(policy, hashed, arrived), verified(), "{hashed} {arrived}");
        }
    }
}

/// sipsak drops the last digit of the port, SIPp and phones behind an outbound proxy hash the server's URI,
/// proxies resolve the domain to an address.
#[test]
fn known_quirks_pass_by_default() {
    assert_eq!(UriPolicy::default(), UriPolicy::SameUser);
    for (hashed, arrived) in [
        ("sip:127.0.0.1:2506", "sip:127.0.0.1:25060"),
        ("sip:127.0.0.1:5060", "sip:bob@127.0.0.1:5060"),
        ("sip:b.example", "sip:bob@192.0.2.1:5070;transport=tcp"),
        ("sip:bob@b.example", "sip:bob@192.0.2.1"),
        ("sip:b.example", "tel:+358551234567"),
        ("sip:alice@b.example", "sip:b.example"),
    ] {
        assert_eq!(judge(UriPolicy::SameUser, hashed, arrived), verified(), "{hashed} {arrived}");
        assert_eq!(judge(UriPolicy::Ignore, hashed, arrived), verified());
        assert_eq!(judge(UriPolicy::Require, hashed, arrived), MISMATCH);
    }
}

#[test]
fn a_captured_call_can_not_be_led_to_someone_else() {
    for (hashed, arrived) in [
        ("sip:bob@b.example", "sip:+900123@b.example"),
        ("sip:bob@b.example", "tel:+900123"),
        ("tel:+358551234567", "tel:+900123"),
        ("tel:+358551234567", "sip:+900123@b.example"),
        ("*", "sip:bob@b.example"),
    ] {
        assert_eq!(judge(UriPolicy::SameUser, hashed, arrived), MISMATCH, "{hashed} {arrived}");
        assert_eq!(judge(UriPolicy::Require, hashed, arrived), MISMATCH);
        assert_eq!(judge(UriPolicy::Ignore, hashed, arrived), verified());
    }
}
