//! What the server does not do.

use ringback_base::Micros;
use ringback_message::HeaderId;
use ringback_stack::Event;

use crate::world::{ALICE, BOB, World};

fn refused(method: &str, uri: &str, more: &str) -> Vec<u16> {
    let mut world = World::new();
    world.register(BOB, "bob");
    let text = world.text(ALICE, method, uri, "alice", "sip:bob@example.com", more);
    world.send(ALICE, text);
    let codes = world.codes(ALICE);
    assert!(world.received(BOB).is_empty());
    world.ends_empty();
    codes
}

#[test]
fn callers_without_credentials() {
    assert_eq!(refused("INVITE", "sip:bob@example.com", ""), [407]);
    assert_eq!(refused("MESSAGE", "sip:bob@example.com", ""), [407]);
    assert_eq!(refused("SUBSCRIBE", "sip:bob@example.com", "Event: presence\r\n"), [407]);
    assert_eq!(refused("BYE", "sip:bob@example.com", ""), [407]);
}

#[test]
fn foreign_domains() {
    assert_eq!(refused("INVITE", "sip:bob@other.example", ""), [403]);
    assert_eq!(refused("OPTIONS", "sip:127.0.0.1:9", ""), [403]);
}

#[test]
fn unknown_users_and_users_that_are_not_here() {
    let mut world = World::new();
    for (user, code) in [("nobody", 404), ("carol", 480)] {
        world.send_authenticated(ALICE, "INVITE", &format!("sip:{user}@example.com"), "alice", "sip:x@example.com", "");
        assert_eq!(world.codes(ALICE), [code]);
    }
    assert!(matches!(world.events.last(), Some(Event::Refused { status, .. }) if status.as_u16() == 480));
}

#[test]
fn a_borrowed_name() {
    let mut world = World::new();
    let first = world.text(ALICE, "INVITE", "sip:bob@example.com", "bob", "sip:bob@example.com", "");
    world.send(ALICE, &first);
    let challenge = world.response(ALICE);
    let again = world.text(ALICE, "INVITE", "sip:bob@example.com", "bob", "sip:bob@example.com", "");
    let again = world.with_credentials(&again, &challenge, "alice", "secret");
    world.send(ALICE, again);
    assert_eq!(world.codes(ALICE), [403]);
}

/// A Route that names us is no ticket: only one that we wrote for this dialog is.
#[test]
fn no_open_relay_by_a_forged_route() {
    for route in
        ["<sip:127.0.0.1:5060;lr>", "<sip:127.0.0.1:5060;lr;rr=0000000000000000>", "<sip:127.0.0.1:5060;lr;rr>"]
    {
        for method in ["INVITE", "BYE", "MESSAGE"] {
            let mut world = World::new();
            let text = world.text(
                ALICE,
                method,
                "sip:victim@192.0.2.9",
                "alice",
                "sip:v@192.0.2.9>;tag=1;x=<",
                &format!("Route: {route}\r\n"),
            );
            world.send(ALICE, text.replace(";x=<>", ""));
            assert_eq!(world.codes(ALICE), [403], "{method} {route}");
            assert!(world.wire.is_empty());
        }
        let mut world = World::new();
        let ack = world.text(
            ALICE,
            "ACK",
            "sip:victim@192.0.2.9",
            "alice",
            "sip:v@192.0.2.9",
            &format!("Route: {route}\r\n"),
        );
        world.send(ALICE, ack);
        assert!(world.wire.is_empty(), "an ACK is never answered, and this one goes nowhere");
    }
}

#[test]
fn another_calls_route_is_no_ticket_either() {
    let mut world = World::new();
    world.register(BOB, "bob");
    world.send_authenticated(ALICE, "INVITE", "sip:bob@example.com", "alice", "sip:bob@example.com", "");
    let at_bob = world.request(BOB);
    let route = String::from_utf8_lossy(at_bob.first(HeaderId::RecordRoute).unwrap().value()).into_owned();
    let text = world.text(
        "127.0.0.1:5099",
        "MESSAGE",
        "sip:v@192.0.2.9",
        "alice",
        "sip:v@192.0.2.9",
        &format!("Route: {route}\r\n"),
    );
    world.send("127.0.0.1:5099", text);
    assert_eq!(world.codes("127.0.0.1:5099"), [403]);
}

#[test]
fn hops_and_loops_and_extensions() {
    let mut world = World::new();
    let text =
        world.text(ALICE, "INVITE", "sip:bob@example.com", "alice", "sip:bob@example.com", "Proxy-Require: magic\r\n");
    world.send(ALICE, &text);
    let refused = world.response(ALICE);
    assert_eq!(
        (refused.status().as_u16(), refused.first(HeaderId::Unsupported).unwrap().value()),
        (420, &b"magic"[..])
    );
    let text = world
        .text(BOB, "INVITE", "sip:bob@example.com", "alice", "sip:bob@example.com", "")
        .replace("Forwards: 70", "Forwards: 0");
    world.send(BOB, text);
    assert_eq!(world.codes(BOB), [483]);
}

/// A user whose phone is registered at our own address sends the request round and round.
#[test]
fn a_loop_is_found_when_it_comes_by_again() {
    let mut world = World::new();
    world.send_authenticated(
        BOB,
        "REGISTER",
        "sip:example.com",
        "bob",
        "sip:bob@example.com",
        "Contact: <sip:bob@127.0.0.1:5060>\r\n",
    );
    world.received(BOB);
    world.send_authenticated(ALICE, "MESSAGE", "sip:bob@127.0.0.1:5060", "alice", "sip:bob@example.com", "");
    let looped = world.request("127.0.0.1:5060");
    world.send("127.0.0.1:5060", looped.as_bytes());
    let back = world.response("127.0.0.1:5060");
    assert_eq!(back.status().as_u16(), 482);
    world.send("127.0.0.1:5060", back.as_bytes());
    assert_eq!(world.codes(ALICE), [482]);
    world.ends_empty();
}

#[test]
fn requests_for_the_server_itself() {
    for (method, code) in [("INVITE", 405), ("SUBSCRIBE", 405), ("NEWFANGLED", 501), ("PUBLISH", 405), ("MESSAGE", 405)]
    {
        let mut world = World::new();
        let text = world.text(ALICE, method, "sip:example.com", "alice", "sip:example.com", "");
        world.send(ALICE, text);
        let refused = world.response(ALICE);
        assert_eq!(refused.status().as_u16(), code, "{method}");
        assert_eq!(refused.first(HeaderId::Allow).unwrap().value(), b"ACK, CANCEL, OPTIONS, REGISTER");
    }
}

#[test]
fn options_tells_what_is_true() {
    let mut world = World::new();
    let text = world.text(ALICE, "OPTIONS", "sip:127.0.0.1", "alice", "sip:127.0.0.1", "");
    world.send(ALICE, text);
    let ok = world.response(ALICE);
    assert_eq!(ok.status().as_u16(), 200);
    let value = |id| ok.first(id).map(|header| header.value());
    assert_eq!(value(HeaderId::Allow), Some(&b"ACK, CANCEL, OPTIONS, REGISTER"[..]));
    assert_eq!((value(HeaderId::Supported), value(HeaderId::Accept)), (Some(&b"path, outbound"[..]), Some(&b""[..])));
    assert!(ok.to_tag().is_some());
    for (required, code) in [("path, outbound", 200), ("path, 100rel", 420)] {
        let more = format!("Require: {required}\r\n");
        let text = world.text(ALICE, "OPTIONS", "sip:127.0.0.1", "alice", "sip:127.0.0.1", &more);
        world.send(ALICE, text);
        let answer = world.response(ALICE);
        assert_eq!(answer.status().as_u16(), code);
        assert_eq!(answer.first(HeaderId::Unsupported).is_some(), code == 420);
    }
}

#[test]
fn malformed_requests_get_a_400_that_names_the_place() {
    let mut world = World::new();
    let good = world.text(ALICE, "OPTIONS", "sip:example.com", "alice", "sip:example.com", "");
    for (from, to, reason) in [
        ("CSeq: 1 OPTIONS", "CSeq: x OPTIONS", "CSeq, byte "),
        ("From: <sip:alice", "From: \"<sip:alice", "From, byte "),
        ("To: <sip:", "To: <sip", "To, byte "),
        ("Call-ID: call-5071\r\n", "", "Call-ID, byte "),
        ("CSeq: 1 OPTIONS", "CSeq: 1 INVITE", "CSeq, byte "),
        ("Max-Forwards: 70\r\n", "Max-Forwards 70\r\n", "byte "),
        ("\r\n\r\n", "\r\nContent-Length: 10\r\n\r\n", "Content-Length, byte "),
    ] {
        world.send(ALICE, good.replace(from, to));
        let answers = world.received(ALICE);
        assert_eq!(answers.len(), 1, "{to}");
        assert_eq!(answers[0].status().unwrap().as_u16(), 400, "{to}");
        let text = String::from_utf8_lossy(answers[0].reason()).into_owned();
        assert!(text.starts_with(reason), "{text}");
    }
    world.send(ALICE, good.replace("SIP/2.0\r\nVia", "SIP/3.0\r\nVia"));
    assert_eq!(world.codes(ALICE), [505]);
}

#[test]
fn what_gets_no_answer() {
    let mut world = World::new();
    let good = world.text(ALICE, "ACK", "sip:example.com", "alice", "sip:example.com", "");
    for noise in [
        &b""[..],
        b"\r\n\r\n",
        b"\0\0\0\0",
        b"hello\r\n\r\n",
        b"\x00\x01\x00\x00\x21\x12\xa4\x42",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n",
        good.as_bytes(),
        good.replace("CSeq: ", "CSeq: x").as_bytes(),
        b"INVITE sip:a@b SIP/2.0\r\nVia: nonsense\r\n\r\n",
    ] {
        world.send(ALICE, noise);
        assert!(world.wire.is_empty(), "{}", noise.escape_ascii());
    }
    world.ends_empty();
}

#[test]
fn a_server_that_drains_takes_no_new_requests() {
    let mut world = World::new();
    world.stack.drain();
    let text = world.text(ALICE, "OPTIONS", "sip:example.com", "alice", "sip:example.com", "");
    world.send(ALICE, text);
    assert_eq!(world.codes(ALICE), [503]);
    world.wait(Micros::from_secs(40));
    assert!(world.stack.is_idle());
}

/// The credentials are consumed when the request passes first; that it comes back is seen all the same.
#[test]
fn a_loop_by_another_name_is_found_too() {
    for contact in ["sip:bob@localhost", "sip:bob@127.0.0.1:5060", "sip:carol@example.com"] {
        let mut world = World::new();
        let contact = format!("Contact: <{contact}>\r\n");
        world.send_authenticated(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", &contact);
        world.send_authenticated(
            BOB,
            "REGISTER",
            "sip:example.com",
            "carol",
            "sip:carol@example.com",
            "Contact: <sip:bob@127.0.0.1:5060>\r\n",
        );
        world.received(BOB);
        world.send_authenticated(ALICE, "MESSAGE", "sip:bob@example.com", "alice", "sip:bob@example.com", "");
        let mut hops = 0;
        while let Some((to, bytes)) = world.wire.pop() {
            if to.to_string() == ALICE {
                assert!(bytes.starts_with(b"SIP/2.0 482 "), "{contact}: {}", bytes.escape_ascii());
                break;
            }
            hops += 1;
            assert!(hops < 20, "{contact}");
            world.send("127.0.0.1:5060", &bytes);
        }
        assert!(hops >= 2, "{contact}");
        world.ends_empty();
    }
}

#[test]
fn callers_go_by_their_own_name_or_by_none() {
    for (from, code) in [
        ("sip:alice@example.com", 480),
        ("sip:alice@127.0.0.1", 480),
        ("sip:anonymous@anonymous.invalid", 480),
        ("sip:bob@example.com", 403),
        ("sip:alice@other.example", 403),
        ("tel:+123", 403),
    ] {
        let mut world = World::new();
        let first = world.text(ALICE, "INVITE", "sip:bob@example.com", "alice", "sip:bob@example.com", "");
        world.send(ALICE, &first);
        let challenge = world.response(ALICE);
        let again = world.text(ALICE, "INVITE", "sip:bob@example.com", "alice", "sip:bob@example.com", "");
        let again = world.with_credentials(&again, &challenge, "alice", "secret");
        world.send(ALICE, again.replace("From: <sip:alice@example.com>", &format!("From: <{from}>")));
        assert_eq!(world.codes(ALICE), [code], "{from}");
    }
}

/// [RFC 3581, Section 4]
#[test]
fn answers_to_malformed_requests_are_stamped_too() {
    let mut world = World::new();
    let text = world
        .text("198.51.100.7:5060", "OPTIONS", "sip:example.com", "alice", "sip:example.com", "")
        .replace(";branch", ";rport;branch");
    world.send("198.51.100.7:40123", text.replace("CSeq: 1 ", "CSeq: x "));
    let answer = world.received("198.51.100.7:40123").remove(0);
    let via = answer.vias().next().unwrap().unwrap();
    assert_eq!((via.rport(), via.received()), (Some(Some(40123)), Some("198.51.100.7".parse().unwrap())));
}
