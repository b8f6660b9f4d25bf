//! Targets by name: which hop is tried when, and what the other side sees of it. [RFC 3263, Section 4.3]

use ringback_base::Micros;
use ringback_message::{HeaderId, Method, Request, Response};
use ringback_stack::Event;

use crate::world::{ALICE, BOB, World, answer, parsed, routes};

const ONE: &str = "127.0.1.1:5061";
const TWO: &str = "127.0.1.2:5062";

/// Bob is at a farm of two servers: the first by priority, then the second.
fn ready() -> World {
    let mut world = World::with(|config| config.open = true);
    world.zone.srv("_sip._udp.farm.example", 10, "one.farm.example", 5061);
    world.zone.srv("_sip._udp.farm.example", 20, "two.farm.example", 5062);
    world.zone.host("one.farm.example", "127.0.1.1");
    world.zone.host("two.farm.example", "127.0.1.2");
    let contact = "Contact: <sip:bob@farm.example>\r\n";
    let text = world.text(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", contact);
    world.send(BOB, text);
    assert_eq!(world.codes(BOB), [200]);
    world
}

fn call(world: &mut World, method: &str) -> String {
    let contact = "Contact: <sip:alice@127.0.0.1:5071>\r\n";
    let text = world.text(ALICE, method, "sip:bob@example.com", "alice", "sip:bob@example.com", contact);
    world.send(ALICE, &text);
    text
}

fn invites(world: &mut World, at: &str) -> Vec<Request> {
    let all = world.received(at).into_iter().map(|message| Request::check(message).unwrap());
    all.filter(|request| request.is(&Method::Invite)).collect()
}

#[test]
fn a_name_leads_to_the_host_of_its_first_priority() {
    let mut world = ready();
    call(&mut world, "INVITE");
    assert_eq!(world.zone.asked[..2], ["NAPTR farm.example", "SRV _sip._udp.farm.example"]);
    let invite = world.request(ONE);
    assert_eq!(invite.request_uri_text(), b"sip:bob@farm.example");
    assert!(world.received(TWO).is_empty());
    world.send(ONE, answer(&invite, 486, "b", ""));
    assert_eq!(world.codes(ALICE), [100, 486]);
    assert!(invites(&mut world, TWO).is_empty(), "a busy phone is an answer");
    world.ends_empty();
}

#[test]
fn after_503_the_next_host_is_tried_with_a_branch_of_its_own() {
    let mut world = ready();
    call(&mut world, "INVITE");
    let first = world.request(ONE);
    world.send(ONE, answer(&first, 503, "b1", ""));
    let second = world.request(TWO);
    assert_ne!(first.branch(), second.branch());
    assert_eq!((first.call_id(), first.cseq()), (second.call_id(), second.cseq()));
    let ack = world.request(ONE);
    assert_eq!(ack.branch(), first.branch(), "the 503 is acknowledged where it came from");
    world.send(TWO, answer(&second, 180, "b2", "Contact: <sip:bob@127.0.1.2:5062>\r\n"));
    world.send(TWO, answer(&second, 200, "b2", "Contact: <sip:bob@127.0.1.2:5062>\r\n"));
    let came: Vec<_> = world.received(ALICE).into_iter().map(|message| Response::check(message).unwrap()).collect();
    let tags: Vec<_> = came.iter().filter_map(|response| response.to_tag()).collect();
    assert_eq!(tags, [b"b2", b"b2"], "the caller sees one dialog");
    // The next call doesn't try the first one first.
    call(&mut world, "INVITE");
    assert_eq!(invites(&mut world, TWO).len(), 1);
    assert!(world.received(ONE).is_empty());
    world.wait(Micros::from_secs(400));
    world.wire.clear();
    call(&mut world, "MESSAGE");
    world.request(ONE);
    world.ends_empty();
}

#[test]
fn retry_after_says_how_long_it_comes_last() {
    for (secs, first) in [(0, ONE), (2, TWO)] {
        let mut world = ready();
        call(&mut world, "MESSAGE");
        let message = world.request(ONE);
        world.send(ONE, answer(&message, 503, "b1", &format!("Retry-After: {secs}\r\n")));
        world.request(TWO);
        world.wait(Micros::from_secs(1));
        world.wire.clear();
        call(&mut world, "MESSAGE");
        assert_eq!(world.received(first).len(), 1, "{secs}");
    }
}

#[test]
fn when_all_hosts_refuse_the_last_word_goes_back() {
    let mut world = ready();
    call(&mut world, "MESSAGE");
    let first = world.request(ONE);
    world.send(ONE, answer(&first, 503, "b1", ""));
    let second = world.request(TWO);
    world.send(TWO, answer(&second, 503, "b2", ""));
    // [RFC 3261, Section 16.7]: a 503 of one branch says nothing of us, and goes back as 500.
    assert_eq!(world.codes(ALICE), [500]);
    world.ends_empty();
}

#[test]
fn a_host_that_says_nothing_is_left_when_timer_b_fires() {
    let mut world = ready();
    call(&mut world, "INVITE");
    assert_eq!(invites(&mut world, ONE).len(), 1);
    world.wait(Micros::from_secs(31));
    assert!(world.received(TWO).is_empty());
    world.wait(Micros::from_secs(2));
    let second = invites(&mut world, TWO);
    world.send(TWO, answer(&second[0], 200, "b2", "Contact: <sip:bob@127.0.1.2:5062>\r\n"));
    assert_eq!(world.codes(ALICE), [100, 200]);
    world.ends_empty();
}

#[test]
fn a_host_that_can_not_be_reached_is_left_at_once() {
    let mut world = ready();
    call(&mut world, "INVITE");
    let first = world.request(ONE);
    let hop = world.last_hop.unwrap();
    assert!(world.stack.handle_unreachable(first.as_bytes(), &hop, world.now));
    world.settle();
    assert_eq!(invites(&mut world, TWO).len(), 1);
    assert_eq!(world.codes(ALICE), [100]);
    world.ends_empty();
}

/// A dialog that has begun must stay the only one.
#[test]
fn once_a_phone_rings_no_other_host_is_tried() {
    let mut world = ready();
    call(&mut world, "INVITE");
    let first = world.request(ONE);
    world.send(ONE, answer(&first, 180, "b1", "Contact: <sip:bob@127.0.1.1:5061>\r\n"));
    world.send(ONE, answer(&first, 503, "b1", ""));
    assert_eq!(world.codes(ALICE), [100, 180, 500]);
    assert!(invites(&mut world, TWO).is_empty());
    world.ends_empty();
}

/// The second host has said nothing yet, whatever the first one said. [RFC 3261, Section 9.1]
#[test]
fn cancel_waits_for_a_sign_of_the_host_that_is_tried() {
    let mut world = ready();
    let text = call(&mut world, "INVITE");
    let first = world.request(ONE);
    let trying = answer(&first, 100, "b1", "").replacen(";tag=b1", "", 1);
    world.send(ONE, trying);
    world.send(ONE, answer(&first, 503, "b1", ""));
    let second = world.request(TWO);
    world.send(ALICE, parsed(&text).cancel().unwrap().as_bytes());
    assert!(world.received(TWO).is_empty(), "no CANCEL before a provisional response");
    world.send(TWO, answer(&second, 180, "b2", "Contact: <sip:bob@127.0.1.2:5062>\r\n"));
    let cancel = world.request(TWO);
    assert!(cancel.is(&Method::Cancel) && cancel.branch() == second.branch());
    world.ends_empty();
}

#[test]
fn who_is_cancelled_between_two_hosts_is_tried_no_more() {
    let mut world = ready();
    let text = call(&mut world, "INVITE");
    let first = world.request(ONE);
    world.send(ALICE, parsed(&text).cancel().unwrap().as_bytes());
    world.send(ONE, answer(&first, 503, "b1", ""));
    assert!(world.received(TWO).is_empty());
    assert_eq!(world.codes(ALICE), [100, 200, 487]);
    world.ends_empty();
}

#[test]
fn a_phone_behind_a_nat_that_refuses_is_not_tried_by_its_contact() {
    let mut world = World::with(|config| config.open = true);
    let contact = "Contact: <sip:bob@10.0.0.9:5060>\r\n";
    let register = world.text("10.0.0.9:5060", "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", contact);
    world.send("198.51.100.7:40123", register.replace(";branch", ";rport;branch"));
    assert_eq!(world.codes("198.51.100.7:40123"), [200]);
    call(&mut world, "INVITE");
    let invite = world.request("198.51.100.7:40123");
    world.send("198.51.100.7:40123", answer(&invite, 503, "b1", ""));
    assert!(world.received("10.0.0.9:5060").is_empty());
    assert_eq!(world.codes(ALICE), [100, 500]);
    world.ends_empty();
}

#[test]
fn a_dead_resolver_is_given_up_and_told() {
    let mut world = ready();
    world.zone.silent = vec!["farm.example", "_sip._udp.farm.example"];
    call(&mut world, "MESSAGE");
    assert_eq!(world.codes(ALICE), [504]);
    let told: Vec<_> = world.events.iter().filter(|event| matches!(event, Event::LookupFailed { .. })).collect();
    assert!(matches!(told[..], [Event::LookupFailed { subject, .. }] if &**subject == "farm.example"), "{told:?}");
    // One that never says anything is no worse: a call ends after three times the time that one look-up has.
    world.slow_names = true;
    call(&mut world, "INVITE");
    world.wait(Micros::from_ms(8_900));
    assert_eq!(world.codes(ALICE), [100]);
    world.wait(Micros::from_ms(200));
    assert_eq!(world.codes(ALICE), [504]);
    world.ends_empty();
}

/// An ACK for a 2xx has no transaction: its repetitions go to the same of several equal hosts. [RFC 3263, Section 4.4]
#[test]
fn repeated_acks_go_to_the_same_host() {
    let mut world = ready();
    for n in 1..=8 {
        world.zone.srv("_sip._udp.equal.example", 0, &format!("h{n}.equal.example"), 5060);
        world.zone.host(&format!("h{n}.equal.example"), &format!("127.0.2.{n}"));
    }
    call(&mut world, "INVITE");
    let invite = world.request(ONE);
    world.send(ONE, answer(&invite, 200, "b", "Contact: <sip:bob@equal.example>\r\n"));
    let route = routes(&world.response(ALICE));
    let to = "sip:bob@example.com>;tag=b;x=<";
    let ack = world.text(ALICE, "ACK", "sip:bob@equal.example", "alice", to, &route).replace(";x=<>", "");
    let acked: Vec<_> = (0..6)
        .map(|_| {
            world.send(ALICE, &ack);
            world.last_hop.unwrap().remote
        })
        .collect();
    assert!(acked[0].ip().to_string().starts_with("127.0.2."), "{acked:?}");
    assert!(acked.iter().all(|remote| *remote == acked[0]), "{acked:?}");
    world.wait(Micros::from_secs(400));
}

#[test]
fn names_of_the_configuration_are_not_looked_up() {
    let mut world = World::with(|config| {
        config.open = true;
        config.hosts.add("phone.example", "127.0.1.1".parse().unwrap());
        config.ipv6_first = false;
    });
    let contact = "Contact: <sip:bob@phone.example:5061;maddr=127.0.1.2>\r\n";
    let text = world.text(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", contact);
    world.send(BOB, text);
    call(&mut world, "MESSAGE");
    assert_eq!(world.request(ONE).all(HeaderId::Via).count(), 2);
    assert!(world.zone.asked.is_empty());
}
