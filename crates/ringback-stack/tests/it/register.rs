//! REGISTER. [RFC 3261, Section 10.3]

use ringback_base::Micros;
use ringback_message::HeaderId;
use ringback_stack::Event;

use crate::world::{ALICE, BOB, World};

const AOR: &str = "sip:alice@example.com";

fn register(world: &mut World, more: &str) -> ringback_message::Response {
    world.send_authenticated(ALICE, "REGISTER", "sip:example.com", "alice", AOR, more);
    world.response(ALICE)
}

fn contacts(response: &ringback_message::Response) -> Vec<String> {
    response.all(HeaderId::Contact).map(|c| String::from_utf8_lossy(c.value()).into_owned()).collect()
}

#[test]
fn a_challenge_and_a_binding() {
    let mut world = World::new();
    let first =
        world.text(ALICE, "REGISTER", "sip:example.com", "alice", AOR, "Contact: <sip:alice@127.0.0.1:5071>\r\n");
    world.send(ALICE, &first);
    let challenge = world.response(ALICE);
    assert_eq!(challenge.status().as_u16(), 401);
    assert!(challenge.as_bytes().len() < 2 * first.len(), "a stranger gets no more than about what it sent");
    assert!(world.bindings.is_empty());
    let second = world.with_credentials(
        &first.replace("bK1", "bK9").replace("CSeq: 1 ", "CSeq: 2 "),
        &challenge,
        "alice",
        "secret",
    );
    world.send(ALICE, &second);
    let ok = world.response(ALICE);
    assert_eq!(ok.status().as_u16(), 200);
    assert_eq!(contacts(&ok), ["<sip:alice@127.0.0.1:5071>;expires=3600"]);
    assert!(matches!(world.events.last(), Some(Event::Registered { bindings: 1, .. })));
    // The same datagram again is answered by the transaction, not judged anew.
    world.send(ALICE, &second);
    assert_eq!(world.response(ALICE), ok);
    world.ends_empty();
}

#[test]
fn several_contacts_fetch_and_removal() {
    let mut world = World::new();
    let ok =
        register(&mut world, "Contact: <sip:a@127.0.0.1:1>;q=0.5, <sip:a@127.0.0.1:2>;expires=120\r\nExpires: 600\r\n");
    assert_eq!(contacts(&ok).len(), 2);
    let fetched = register(&mut world, "");
    assert_eq!(contacts(&fetched), ["<sip:a@127.0.0.1:1>;q=0.5;expires=600", "<sip:a@127.0.0.1:2>;expires=120"]);
    let one = register(&mut world, "Contact: <sip:a@127.0.0.1:1>;expires=0\r\n");
    assert_eq!(contacts(&one).len(), 1);
    world.wait(Micros::from_secs(121));
    assert!(contacts(&register(&mut world, "")).is_empty(), "what has expired is not listed");
    register(&mut world, "Contact: <sip:a@127.0.0.1:3>\r\n");
    assert!(contacts(&register(&mut world, "Contact: *\r\nExpires: 0\r\n")).is_empty());
}

#[test]
fn too_brief() {
    let mut world = World::new();
    let refused = register(&mut world, "Contact: <sip:a@127.0.0.1:1>;expires=5, <sip:a@127.0.0.1:2>\r\n");
    assert_eq!(refused.status().as_u16(), 423);
    assert!(refused.first(HeaderId::MinExpires).is_some());
    assert!(contacts(&register(&mut world, "")).is_empty(), "all or nothing");
}

#[test]
fn a_wildcard_that_is_not_alone_or_not_zero() {
    let mut world = World::new();
    for more in ["Contact: *\r\n", "Contact: *\r\nExpires: 60\r\n", "Contact: *, <sip:a@b>\r\nExpires: 0\r\n"] {
        assert_eq!(register(&mut world, more).status().as_u16(), 400, "{more}");
    }
}

#[test]
fn others_are_not_ours_to_register() {
    let mut world = World::new();
    world.send_authenticated(
        ALICE,
        "REGISTER",
        "sip:example.com",
        "alice",
        "sip:bob@example.com",
        "Contact: <sip:a@b>\r\n",
    );
    assert_eq!(world.codes(ALICE), [403]);
    world.send_authenticated(
        ALICE,
        "REGISTER",
        "sip:example.com",
        "alice",
        "sip:nobody@example.com",
        "Contact: <sip:a@b>\r\n",
    );
    assert_eq!(world.codes(ALICE), [404]);
    let foreign = world.text(ALICE, "REGISTER", "sip:other.example", "alice", "sip:alice@other.example", "");
    world.send(ALICE, foreign);
    assert_eq!(world.codes(ALICE), [403]);
    let foreign = world.text(ALICE, "REGISTER", "sip:example.com", "alice", "sip:alice@other.example", "");
    world.send(ALICE, foreign);
    assert_eq!(world.codes(ALICE), [404]);
    assert!(world.bindings.is_empty());
}

#[test]
fn a_wrong_password_and_an_unknown_user_look_alike() {
    let mut world = World::new();
    for (user, password) in [("alice", "wrong"), ("nobody", "secret")] {
        let first = world.text(ALICE, "REGISTER", "sip:example.com", user, AOR, "");
        world.send(ALICE, &first);
        let challenge = world.response(ALICE);
        let again = world.text(ALICE, "REGISTER", "sip:example.com", user, AOR, "");
        let again = world.with_credentials(&again, &challenge, user, password);
        world.send(ALICE, again);
        let refused = world.response(ALICE);
        assert_eq!(refused.status().as_u16(), 401);
        let value = refused.first(HeaderId::WwwAuthenticate).unwrap().value();
        assert!(!value.windows(5).any(|w| w == b"stale"), "{}", value.escape_ascii());
        assert!(matches!(world.events.last(), Some(Event::AuthenticationFailed { .. })));
    }
}

#[test]
fn a_nonce_that_is_too_old_is_called_stale() {
    let mut world = World::new();
    let first = world.text(ALICE, "REGISTER", "sip:example.com", "alice", AOR, "");
    world.send(ALICE, &first);
    let challenge = world.response(ALICE);
    world.wait(Micros::from_secs(3600));
    let again = world.text(ALICE, "REGISTER", "sip:example.com", "alice", AOR, "");
    let again = world.with_credentials(&again, &challenge, "alice", "secret");
    world.send(ALICE, again);
    let stale = world.response(ALICE);
    assert!(stale.first(HeaderId::WwwAuthenticate).unwrap().value().windows(10).any(|w| w == b"stale=true"));
}

#[test]
fn a_lost_race_is_run_again_and_a_lost_data_base_is_told() {
    let mut world = World::new();
    world.conflicts = 3;
    assert_eq!(register(&mut world, "Contact: <sip:a@127.0.0.1:1>\r\n").status().as_u16(), 200);
    world.conflicts = 1000;
    assert_eq!(register(&mut world, "Contact: <sip:a@127.0.0.1:2>\r\n").status().as_u16(), 500);
    world.conflicts = 0;
    let first = world.text(ALICE, "REGISTER", "sip:example.com", "alice", AOR, "");
    world.send(ALICE, &first);
    let challenge = world.response(ALICE);
    world.mute = true;
    let again = world.text(ALICE, "REGISTER", "sip:example.com", "alice", AOR, "");
    let again = world.with_credentials(&again, &challenge, "alice", "secret");
    world.send(ALICE, again);
    assert!(world.codes(ALICE).is_empty());
    world.wait(Micros::from_secs(4));
    assert_eq!(world.codes(ALICE), [503]);
    world.ends_empty();
}

#[test]
fn require_of_what_we_lack() {
    let mut world = World::new();
    let text = world.text(ALICE, "REGISTER", "sip:example.com", "alice", AOR, "Require: path, gruu, pref\r\n");
    world.send(ALICE, text);
    let refused = world.response(ALICE);
    assert_eq!(refused.status().as_u16(), 420);
    assert_eq!(refused.first(HeaderId::Unsupported).unwrap().value(), b"gruu, pref");
}

#[test]
fn the_same_request_by_two_ways() {
    let mut world = World::new();
    world.mute = true;
    let text = world.text(ALICE, "OPTIONS", "sip:example.com", "alice", "sip:example.com", "");
    world.send(ALICE, &text);
    world.send(ALICE, text.replace("branch=z9hG4bK", "branch=z9hG4bKother"));
    assert_eq!(world.codes(ALICE), [200, 482]);
}

#[test]
fn all_names_of_the_server_are_one_domain() {
    let mut world = World::new();
    for name in ["example.com", "EXAMPLE.com", "127.0.0.1", "127.0.0.1:5060", "localhost", "[::1]"] {
        let uri = format!("sip:{name}");
        world.send_authenticated(
            BOB,
            "REGISTER",
            &uri,
            "bob",
            &format!("sip:bob@{name}"),
            "Contact: <sip:bob@127.0.0.1:5072>\r\n",
        );
        assert_eq!(world.codes(BOB), [200], "{name}");
    }
    assert_eq!(world.bindings.len(), 1);
}

#[test]
fn where_any_address_of_record_may_be_registered_a_password_is_still_asked_for() {
    let mut world = World::with(|config| config.any_aor = true);
    world.send_authenticated(
        ALICE,
        "REGISTER",
        "sip:example.com",
        "alice",
        "sip:4711@example.com",
        "Contact: <sip:a@b>\r\n",
    );
    assert_eq!(world.codes(ALICE), [200]);
    assert!(world.bindings.contains_key("4711@example.com"));
}
