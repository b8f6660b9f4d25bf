//! Calls through the server, message by message.

use ringback_base::Micros;
use ringback_message::HeaderId;
use ringback_stack::Event;

use crate::world::{ALICE, BOB, World, answer, routes};

const CAROL: &str = "127.0.0.1:5073";

fn ready() -> World {
    let mut world = World::new();
    world.register(BOB, "bob");
    world
}

fn invite(world: &mut World) -> String {
    world.send_authenticated(
        ALICE,
        "INVITE",
        "sip:bob@example.com",
        "alice",
        "sip:bob@example.com",
        "Contact: <sip:alice@127.0.0.1:5071>\r\n",
    )
}

#[test]
fn invite_180_200_ack_bye() {
    let mut world = ready();
    invite(&mut world);
    assert_eq!(world.codes(ALICE), [100]);
    let at_bob = world.request(BOB);
    assert_eq!(at_bob.request_uri_text(), b"sip:bob@127.0.0.1:5072");
    assert_eq!(at_bob.max_forwards(), Some(69));
    assert_eq!(at_bob.all(HeaderId::Via).count(), 2);
    assert!(at_bob.first(HeaderId::ProxyAuthorization).is_none(), "our credentials are nobody else's");
    assert_eq!(at_bob.all(HeaderId::RecordRoute).count(), 1);

    world.send(BOB, answer(&at_bob, 180, "b1", ""));
    assert_eq!(world.codes(ALICE), [180]);
    let ok = answer(&at_bob, 200, "b1", "Contact: <sip:bob@127.0.0.1:5072>\r\n");
    world.send(BOB, &ok);
    let established = world.response(ALICE);
    assert_eq!(established.all(HeaderId::Via).count(), 1);
    // The ACK gets lost: each repeated 200 goes back again.
    world.send(BOB, &ok);
    assert_eq!(world.codes(ALICE), [200]);

    let route = routes(&established);
    let ack = world
        .text(ALICE, "ACK", "sip:bob@127.0.0.1:5072", "alice", "sip:bob@example.com>;tag=b1;x=<", &route)
        .replace(";x=<>", "");
    world.send(ALICE, &ack);
    let acked = world.request(BOB);
    assert_eq!((acked.first(HeaderId::Route).is_none(), acked.max_forwards()), (true, Some(69)));

    // A restart in the middle of the call: the dialog's route still leads through.
    world.restart();
    let bye = world
        .text(ALICE, "BYE", "sip:bob@127.0.0.1:5072", "alice", "sip:bob@example.com>;tag=b1;x=<", &route)
        .replace(";x=<>", "");
    world.send(ALICE, &bye);
    let ended = world.request(BOB);
    assert_eq!(ended.method_text(), Some(&b"BYE"[..]));
    world.send(BOB, answer(&ended, 200, "b1", ""));
    assert_eq!(world.codes(ALICE), [200]);
    world.ends_empty();
}

#[test]
fn what_the_callee_says_of_its_refusal_comes_through_and_is_told() {
    let mut world = ready();
    let _ = invite(&mut world);
    let at_bob = world.request(BOB);
    let why =
        "Warning: 370 b.example \"Insufficient \\\"bandwidth\\\"\"\r\nReason: Q.850;cause=17;text=\"User busy\"\r\n";
    world.send(BOB, answer(&at_bob, 486, "b1", why).replace("486 Busy Here", "486 Gerade nicht, später"));
    let refused = world.response(ALICE);
    assert_eq!(refused.reason(), "Gerade nicht, später".as_bytes());
    assert_eq!(refused.first(HeaderId::Warning).unwrap().value(), b"370 b.example \"Insufficient \\\"bandwidth\\\"\"");
    let told = world.events.iter().find_map(|event| match event {
        Event::Relayed { status, reason, why, .. } => Some((status.as_u16(), &**reason, &**why)),
        _ => None,
    });
    let text = "Warning 370: Insufficient \"bandwidth\"; Reason Q.850 17: User busy";
    assert_eq!(told, Some((486, "Gerade nicht, später", text)));
}

#[test]
fn busy_is_acknowledged_hop_by_hop() {
    let mut world = ready();
    let invite = invite(&mut world);
    world.received(ALICE);
    let at_bob = world.request(BOB);
    let busy = answer(&at_bob, 486, "b1", "");
    world.send(BOB, &busy);
    assert_eq!(world.request(BOB).method_text(), Some(&b"ACK"[..]));
    let refused = world.response(ALICE);
    assert_eq!(refused.status().as_u16(), 486);
    // Unacknowledged it is sent again; acknowledged it is not, and the ACK goes no further.
    world.wait(Micros::from_ms(600));
    assert_eq!(world.codes(ALICE), [486]);
    world.send(ALICE, crate::world::parsed(&invite).ack(&refused).unwrap().as_bytes());
    world.wait(Micros::from_secs(10));
    assert!(world.codes(ALICE).is_empty() && world.received(BOB).is_empty());
    // A repeated 486 gets its ACK again.
    world.send(BOB, &busy);
    assert_eq!(world.request(BOB).method_text(), Some(&b"ACK"[..]));
    world.ends_empty();
}

#[test]
fn retransmissions_are_absorbed_and_repeated() {
    let mut world = ready();
    let invite = invite(&mut world);
    assert_eq!(world.codes(ALICE), [100]);
    world.send(ALICE, &invite);
    assert_eq!(world.codes(ALICE), [100], "the last provisional response, again");
    assert_eq!(world.received(BOB).len(), 1);
    // Timer A: 500 ms, 1 s, 2 s … [RFC 3261, Section 17.1.1.2]
    world.wait(Micros::from_ms(3600));
    assert_eq!(world.received(BOB).len(), 3);
}

#[test]
fn a_callee_that_is_not_there() {
    let mut world = ready();
    invite(&mut world);
    world.wait(Micros::from_secs(33));
    assert_eq!(world.codes(ALICE)[..2], [100, 408]);
    world.ends_empty();
}

#[test]
fn cancelled_while_ringing() {
    let mut world = ready();
    let invite = invite(&mut world);
    let at_bob = world.request(BOB);
    world.send(BOB, answer(&at_bob, 180, "b1", ""));
    world.received(ALICE);
    world.send(ALICE, crate::world::parsed(&invite).cancel().unwrap().as_bytes());
    assert_eq!(world.codes(ALICE), [200]);
    let cancel = world.request(BOB);
    assert_eq!((cancel.method_text(), cancel.branch()), (Some(&b"CANCEL"[..]), at_bob.branch()));
    world.send(BOB, answer(&cancel, 200, "b1", ""));
    world.send(BOB, answer(&at_bob, 487, "b1", ""));
    assert_eq!(world.codes(ALICE), [487]);
    world.ends_empty();
}

#[test]
fn cancelled_before_the_data_base_answered() {
    let mut world = ready();
    let first = world.text(ALICE, "INVITE", "sip:bob@example.com", "alice", "sip:bob@example.com", "");
    world.send(ALICE, &first);
    let challenge = world.response(ALICE);
    world.mute = true;
    let second = world.text(ALICE, "INVITE", "sip:bob@example.com", "alice", "sip:bob@example.com", "");
    let second = world.with_credentials(&second, &challenge, "alice", "secret");
    world.send(ALICE, &second);
    world.send(ALICE, crate::world::parsed(&second).cancel().unwrap().as_bytes());
    assert_eq!(world.codes(ALICE), [200, 487]);
    assert!(world.received(BOB).is_empty());
    world.ends_empty();
}

#[test]
fn cancelled_while_the_name_of_a_phone_is_looked_up() {
    let mut world = World::new();
    world.send_authenticated(
        BOB,
        "REGISTER",
        "sip:example.com",
        "bob",
        "sip:bob@example.com",
        "Contact: <sip:bob@phone.example:5072>\r\n",
    );
    assert_eq!(world.codes(BOB), [200]);
    world.slow_names = true;
    let invite = invite(&mut world);
    world.send(ALICE, crate::world::parsed(&invite).cancel().unwrap().as_bytes());
    assert_eq!(world.codes(ALICE), [100, 200]);
    world.names_come();
    assert_eq!(world.codes(ALICE), [487]);
    assert!(world.received(BOB).is_empty());
    world.ends_empty();
}

#[test]
fn two_phones_ring_and_one_answers() {
    let mut world = ready();
    world.send_authenticated(
        CAROL,
        "REGISTER",
        "sip:example.com",
        "bob",
        "sip:bob@example.com",
        "Contact: <sip:bob@127.0.0.1:5073>\r\n",
    );
    assert_eq!(world.codes(CAROL), [200]);
    invite(&mut world);
    let (one, two) = (world.request(BOB), world.request(CAROL));
    assert_ne!(one.branch(), two.branch());
    world.send(BOB, answer(&one, 180, "b1", ""));
    world.send(CAROL, answer(&two, 180, "c1", ""));
    world.send(BOB, answer(&one, 200, "b1", "Contact: <sip:bob@127.0.0.1:5072>\r\n"));
    let cancel = world.request(CAROL);
    assert_eq!(cancel.method_text(), Some(&b"CANCEL"[..]));
    // The second answers at the same moment: its 200 reaches the caller too. [RFC 3261, Section 16.7]
    world.send(CAROL, answer(&cancel, 200, "c1", ""));
    world.send(CAROL, answer(&two, 200, "c1", "Contact: <sip:bob@127.0.0.1:5073>\r\n"));
    assert_eq!(world.codes(ALICE), [100, 180, 180, 200, 200]);
    world.ends_empty();
}

#[test]
fn a_contact_by_name_is_looked_up() {
    let mut world = World::new();
    world.send_authenticated(
        BOB,
        "REGISTER",
        "sip:example.com",
        "bob",
        "sip:bob@example.com",
        "Contact: <sip:bob@phone.example:5072>\r\n",
    );
    assert_eq!(world.codes(BOB), [200]);
    invite(&mut world);
    assert_eq!(world.request(BOB).request_uri_text(), b"sip:bob@phone.example:5072");
}

#[test]
fn a_contact_whose_name_nobody_knows() {
    let mut world = World::new();
    world.send_authenticated(
        BOB,
        "REGISTER",
        "sip:example.com",
        "bob",
        "sip:bob@example.com",
        "Contact: <sip:bob@gone.example>\r\n",
    );
    world.received(BOB);
    invite(&mut world);
    assert_eq!(world.codes(ALICE), [100, 404]);
    world.ends_empty();
}

#[test]
fn a_phone_behind_a_nat_is_reached_where_it_registered_from() {
    let mut world = World::new();
    let contact = "Contact: <sip:bob@10.0.0.9:5060>\r\n";
    let first = world
        .text("10.0.0.9:5060", "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", contact)
        .replace(";branch", ";rport;branch");
    world.send("198.51.100.7:40123", &first);
    let challenge = world.response("198.51.100.7:40123");
    let again = first.replace("bK1", "bK2").replace("CSeq: 1", "CSeq: 2");
    let again = world.with_credentials(&again, &challenge, "bob", "secret");
    world.send("198.51.100.7:40123", again);
    assert_eq!(world.codes("198.51.100.7:40123"), [200]);
    invite(&mut world);
    let at_bob = world.request("198.51.100.7:40123");
    assert_eq!(at_bob.request_uri_text(), b"sip:bob@10.0.0.9:5060");
}

#[test]
fn unknown_methods_are_relayed_untouched() {
    let mut world = ready();
    let text = world.send_authenticated(
        ALICE,
        "NEWFANGLED",
        "sip:bob@example.com",
        "alice",
        "sip:bob@example.com",
        "Require: later\r\nX-Odd :  as it\r\n  came\r\n",
    );
    assert!(text.contains("NEWFANGLED"));
    let at_bob = world.request(BOB);
    assert_eq!(at_bob.all_named(b"x-odd").next().unwrap().value(), b"as it\r\n  came");
    assert_eq!(at_bob.first(HeaderId::Require).unwrap().value(), b"later");
    assert!(at_bob.first(HeaderId::RecordRoute).is_none());
    world.send(BOB, answer(&at_bob, 501, "b1", ""));
    assert_eq!(world.codes(ALICE), [501]);
    world.ends_empty();
}

/// It has a 100 when its client has slowed down, and no more. [RFC 4320, Section 4]
#[test]
fn a_message_that_nobody_answers_is_not_answered() {
    let mut world = ready();
    world.send_authenticated(ALICE, "MESSAGE", "sip:bob@example.com", "alice", "sip:bob@example.com", "");
    world.wait(Micros::from_secs(200));
    assert_eq!(world.codes(ALICE), [100]);
    world.ends_empty();
}

/// A strict router before us puts the next hop into the Request-URI. [RFC 3261, Section 16.4]
#[test]
fn strict_routers_are_understood() {
    let mut world = ready();
    invite(&mut world);
    let at_bob = world.request(BOB);
    world.send(BOB, answer(&at_bob, 200, "b1", "Contact: <sip:bob@127.0.0.1:5072>\r\n"));
    let established = world.response(ALICE);
    let ours = routes(&established).trim_start_matches("Route: <").trim_end_matches(">\r\n").to_owned();
    let bye = world
        .text(ALICE, "BYE", &ours, "alice", "sip:bob@example.com>;tag=b1;x=<", "Route: <sip:bob@127.0.0.1:5072>\r\n")
        .replace(";x=<>", "");
    world.send(ALICE, bye);
    let ended = world.request(BOB);
    assert_eq!(ended.request_uri_text(), b"sip:bob@127.0.0.1:5072");
    assert!(ended.first(HeaderId::Route).is_none());
}

#[test]
fn an_open_domain_asks_for_nothing() {
    let mut world = World::with(|config| config.open = true);
    let text = world.text(
        BOB,
        "REGISTER",
        "sip:example.com",
        "dave",
        "sip:dave@example.com",
        "Contact: <sip:dave@127.0.0.1:5072>\r\n",
    );
    world.send(BOB, text);
    assert_eq!(world.codes(BOB), [200]);
    let text = world.text(ALICE, "INVITE", "sip:dave@example.com", "erin", "sip:dave@example.com", "");
    world.send(ALICE, text);
    assert_eq!(world.request(BOB).request_uri_text(), b"sip:dave@127.0.0.1:5072");
}

#[test]
fn a_redirecting_domain_names_the_contacts_by_preference() {
    let mut world = World::with(|config| config.redirect = true);
    let contacts = "Contact: <sip:bob@127.0.0.1:1>;q=0.2, <sip:bob@127.0.0.1:2>;q=0.9\r\n";
    world.send_authenticated(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", contacts);
    world.received(BOB);
    invite(&mut world);
    let moved = world.response(ALICE);
    assert_eq!(moved.status().as_u16(), 302);
    let ports: Vec<_> =
        moved.addresses(HeaderId::Contact).map(|c| c.unwrap().uri.as_sip().unwrap().port.unwrap()).collect();
    assert_eq!(ports, [2, 1]);
    world.ends_empty();
}

/// [RFC 5630, Section 5.3]
#[test]
fn sips_goes_to_sips_contacts_only() {
    let mut world = ready();
    world.send_authenticated(ALICE, "INVITE", "sips:bob@example.com", "alice", "sips:bob@example.com", "");
    let refused = world.response(ALICE);
    assert_eq!(
        (refused.status().as_u16(), refused.first(HeaderId::Warning).unwrap().value()),
        (480, &b"380 example.com \"SIPS Not Allowed\""[..])
    );
    let mut world = World::new();
    world.send_authenticated(
        BOB,
        "REGISTER",
        "sip:example.com",
        "bob",
        "sip:bob@example.com",
        "Contact: <sips:bob@127.0.0.1:5072>\r\n",
    );
    world.received(BOB);
    invite(&mut world);
    let refused = world.response(ALICE);
    assert_eq!(
        (refused.status().as_u16(), refused.first(HeaderId::Warning).unwrap().value()),
        (480, &b"381 example.com \"SIPS Required\""[..])
    );
    let text = world.text(ALICE, "REGISTER", "sips:example.com", "alice", "sips:alice@example.com", "");
    world.send(ALICE, text);
    assert_eq!(world.codes(ALICE), [416]);
}

#[test]
fn an_advertised_address_stands_in_via_and_record_route_and_is_known_again() {
    use ringback_stack::{Advertised, Listener};
    let mut world = World::with(|config| {
        let advertised = Advertised::new("sip.public.example", 15060);
        config.listeners = vec![Listener { advertised, ..Listener::udp("127.0.0.1:5060".parse().unwrap()) }];
    });
    world.register(BOB, "bob");
    invite(&mut world);
    let at_bob = world.request(BOB);
    assert_eq!((at_bob.top_via().host, at_bob.top_via().port), (&b"sip.public.example"[..], Some(15060)));
    world.send(BOB, answer(&at_bob, 200, "b1", "Contact: <sip:bob@127.0.0.1:5072>\r\n"));
    let established = world.response(ALICE);
    let route = routes(&established);
    assert!(route.starts_with("Route: <sip:sip.public.example:15060;lr;rr="), "{route}");
    let bye = world
        .text(ALICE, "BYE", "sip:bob@127.0.0.1:5072", "alice", "sip:bob@example.com>;tag=b1;x=<", &route)
        .replace(";x=<>", "");
    world.send(ALICE, &bye);
    assert_eq!(world.request(BOB).method_text(), Some(&b"BYE"[..]));
}

/// [RFC 5658, Section 5]
#[test]
fn a_call_from_ipv4_to_ipv6_is_recorded_twice() {
    let mut world = World::new();
    world.send_authenticated(
        BOB,
        "REGISTER",
        "sip:example.com",
        "bob",
        "sip:bob@example.com",
        "Contact: <sip:bob@[::1]:5072>\r\n",
    );
    world.received(BOB);
    invite(&mut world);
    let at_bob = world.request("[::1]:5072");
    let hosts: Vec<_> =
        at_bob.addresses(HeaderId::RecordRoute).map(|r| r.unwrap().uri.as_sip().unwrap().host.to_vec()).collect();
    assert_eq!(hosts, [b"[::1]".to_vec(), b"127.0.0.1".to_vec()]);
    world.send("[::1]:5072", answer(&at_bob, 200, "b1", "Contact: <sip:bob@[::1]:5072>\r\n"));
    let route = routes(&world.response(ALICE));
    let bye = world
        .text(ALICE, "BYE", "sip:bob@[::1]:5072", "alice", "sip:bob@example.com>;tag=b1;x=<", &route)
        .replace(";x=<>", "");
    world.send(ALICE, &bye);
    let ended = world.request("[::1]:5072");
    assert!(ended.first(HeaderId::Route).is_none());
}

#[test]
fn the_next_preference_is_tried_when_the_first_declines() {
    let mut world = World::new();
    let contacts = "Contact: <sip:bob@127.0.0.1:5072>;q=0.9, <sip:bob@127.0.0.1:5073>;q=0.1\r\n";
    world.send_authenticated(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", contacts);
    world.received(BOB);
    invite(&mut world);
    let first = world.request(BOB);
    assert!(world.received(CAROL).is_empty());
    world.send(BOB, answer(&first, 486, "b1", ""));
    let second = world.request(CAROL);
    world.send(CAROL, answer(&second, 200, "c1", "Contact: <sip:bob@127.0.0.1:5073>\r\n"));
    assert_eq!(world.codes(ALICE), [100, 200]);
    world.ends_empty();
}

#[test]
fn a_global_refusal_ends_the_search() {
    let mut world = World::new();
    let contacts = "Contact: <sip:bob@127.0.0.1:5072>;q=0.9, <sip:bob@127.0.0.1:5073>;q=0.1\r\n";
    world.send_authenticated(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", contacts);
    world.received(BOB);
    invite(&mut world);
    let first = world.request(BOB);
    world.send(BOB, answer(&first, 603, "b1", ""));
    assert_eq!(world.codes(ALICE), [100, 603]);
    assert!(world.received(CAROL).is_empty());
    world.ends_empty();
}

#[test]
fn a_phone_that_rings_forever_is_cancelled_by_timer_c() {
    let mut world = ready();
    invite(&mut world);
    let at_bob = world.request(BOB);
    world.send(BOB, answer(&at_bob, 180, "b1", ""));
    world.wait(Micros::from_secs(180));
    assert_eq!(world.codes(ALICE), [100, 180]);
    world.wait(Micros::from_secs(6));
    let cancel = world.received(BOB).remove(0);
    assert_eq!(cancel.method_text(), Some(&b"CANCEL"[..]));
    world.send(BOB, answer(&at_bob, 487, "b1", ""));
    assert_eq!(world.codes(ALICE), [487]);
    world.ends_empty();
}

/// A CANCEL that crosses the 200 changes nothing: the call stands. [RFC 3261, Section 9.2]
#[test]
fn a_cancel_that_comes_too_late() {
    let mut world = ready();
    let invite = invite(&mut world);
    let at_bob = world.request(BOB);
    world.send(BOB, answer(&at_bob, 200, "b1", "Contact: <sip:bob@127.0.0.1:5072>\r\n"));
    assert_eq!(world.codes(ALICE), [100, 200]);
    world.send(ALICE, crate::world::parsed(&invite).cancel().unwrap().as_bytes());
    assert_eq!(world.codes(ALICE), [200]);
    assert!(world.received(BOB).is_empty(), "no CANCEL goes onward");
    world.ends_empty();
}

/// The callee's Route carries the same cookie, and its To has the caller's tag.
#[test]
fn the_callee_hangs_up() {
    let mut world = ready();
    invite(&mut world);
    let at_bob = world.request(BOB);
    world.send(BOB, answer(&at_bob, 200, "b1", "Contact: <sip:bob@127.0.0.1:5072>\r\n"));
    world.received(ALICE);
    let route = String::from_utf8_lossy(at_bob.first(HeaderId::RecordRoute).unwrap().value()).into_owned();
    let bye = world
        .text(
            BOB,
            "BYE",
            "sip:alice@127.0.0.1:5071",
            "bob",
            "sip:alice@example.com>;tag=5071;x=<",
            &format!("Route: {route}\r\n"),
        )
        .replace(";x=<>", "")
        .replace("call-5072", "call-5071");
    world.send(BOB, bye);
    let ended = world.request(ALICE);
    world.send(ALICE, answer(&ended, 200, "x", ""));
    assert_eq!(world.codes(BOB), [200]);
    world.ends_empty();
}

/// Found by simulation: the branch of a callee that answers the CANCEL and then nothing was never let go.
#[test]
fn a_callee_that_never_ends_what_was_cancelled() {
    let mut world = ready();
    let invite = invite(&mut world);
    let at_bob = world.request(BOB);
    world.send(BOB, answer(&at_bob, 180, "b1", ""));
    world.send(ALICE, crate::world::parsed(&invite).cancel().unwrap().as_bytes());
    let cancel = world.request(BOB);
    world.send(BOB, answer(&cancel, 200, "b1", ""));
    world.wait(Micros::from_secs(33));
    assert_eq!(world.codes(ALICE)[..4], [100, 180, 200, 487]);
    world.ends_empty();
}

/// Found by simulation: a final response that can't be passed back left the caller without any.
#[test]
fn a_damaged_final_response_ends_the_call_with_502() {
    for (from, to) in [
        ("branch=z9hG4bK3", "branch z9hG4bK3"),
        ("Call-ID: call-5071", "Call-ID: call-5O71"),
        ("Via: SIP/2.0/UDP 127.0.0.1:5071", "Vla: SIP/2.0/UDP 127.0.0.1:5071"),
    ] {
        let mut world = ready();
        invite(&mut world);
        let at_bob = world.request(BOB);
        let damaged = answer(&at_bob, 603, "b1", "");
        let damaged = damaged.replacen(from, to, 1);
        world.send(BOB, damaged);
        let codes = world.codes(ALICE);
        assert!(codes == [100, 502] || codes == [100, 603], "{from}: {codes:?}");
        world.ends_empty();
    }
}

#[test]
fn one_user_is_redirected_and_the_others_are_not() {
    let mut world = ready();
    world.register(CAROL, "carol");
    world.redirected = Some("carol".to_owned());
    world.send_authenticated(ALICE, "INVITE", "sip:carol@example.com", "alice", "sip:carol@example.com", "");
    assert_eq!(world.codes(ALICE), [302]);
    invite(&mut world);
    assert_eq!(world.codes(ALICE), [100]);
}
