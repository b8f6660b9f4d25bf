//! Calls over connections, and from datagrams to connections.

use bytes::Bytes;
use ringback_base::{FlowId, Hop, Micros, Transport};
use ringback_message::{HeaderId, Message};
use ringback_stack::{Advertised, Listener};

use crate::world::{ALICE, BOB, SERVER, World, answer, recorded};

fn world() -> World {
    World::with(|config| config.listeners.push(Listener::tcp(SERVER.parse().unwrap())))
}

pub(crate) fn connection(remote: &str) -> Hop {
    let flow = Some(FlowId { shard: 0, slot: 7, generation: 1 });
    Hop { transport: Transport::Tcp, local: SERVER.parse().unwrap(), remote: remote.parse().unwrap(), flow }
}

pub(crate) fn send(world: &mut World, hop: Hop, text: &str) {
    let text = text.replace("SIP/2.0/UDP", "SIP/2.0/TCP").replacen("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n", 1);
    world.stack.handle_message(Bytes::from(text), hop, world.now);
    world.settle();
}

/// Registers a phone of bob's by its connection.
fn register(world: &mut World, hop: Hop, contact: &str) {
    let contact = format!("Contact: <{contact}>\r\n");
    let first = world.text(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", &contact);
    send(world, hop, &first);
    let challenge = world.response(BOB);
    let again = world.text(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", &contact);
    let again = world.with_credentials(&again, &challenge, "bob", "secret");
    send(world, hop, &again);
    assert_eq!(world.codes(BOB), [200]);
}

fn invite(world: &mut World, more: &str) {
    world.send_authenticated(ALICE, "INVITE", "sip:bob@example.com", "alice", "sip:bob@example.com", more);
}

/// [RFC 5923, Section 8.1]
#[test]
fn whom_we_connect_to_by_tls_may_come_back_by_the_same_connection() {
    for (name, is_reused) in [("sip.public.example", true), ("192.0.2.7", false)] {
        let mut world = World::with(|config| {
            let advertised = Advertised::new(name, 5061);
            let address = "127.0.0.1:5061".parse().unwrap();
            config.listeners.push(Listener { advertised, ..Listener::new(Transport::Tls, address) });
        });
        let contact = "Contact: <sip:bob@127.0.0.1:5072;transport=tls>\r\n";
        world.send_authenticated(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", contact);
        world.received(BOB);
        invite(&mut world, "");
        let via = world.request(BOB).top_via().to_owned_text();
        assert_eq!((&*via.transport, via.params.has(b"alias")), (&b"TLS"[..], is_reused), "{name}");
    }
}

/// A load balancer has ended TLS: phones that come back are to come by TLS.
#[test]
fn a_listener_behind_tls_is_recorded_as_tls() {
    let mut world = World::with(|config| {
        let advertised = Advertised::new("sip.public.example", 5061).map(Advertised::behind_tls);
        config.listeners.push(Listener { advertised, ..Listener::tcp(SERVER.parse().unwrap()) });
    });
    register(&mut world, connection("127.0.0.1:40001"), "sip:bob@127.0.0.1:5072;transport=tcp");
    invite(&mut world, "");
    let at_bob = world.request("127.0.0.1:40001");
    assert_eq!((at_bob.top_via().transport, at_bob.top_via().port), (&b"TCP"[..], Some(5061)));
    let recorded = recorded(&at_bob);
    assert!(recorded[0].contains("@sip.public.example:5061;transport=tls;lr;rr="), "{recorded:?}");
}

#[test]
fn a_phone_is_reached_by_the_connection_that_it_registered_on() {
    let mut world = world();
    let hop = connection("127.0.0.1:40001");
    register(&mut world, hop, "sip:bob@127.0.0.1:5072;transport=tcp");
    invite(&mut world, "");
    let at_bob = world.request("127.0.0.1:40001");
    assert_eq!(world.last_hop.and_then(|hop| hop.flow), hop.flow);
    assert_eq!(at_bob.top_via().transport, b"TCP");
    assert_eq!(at_bob.all(HeaderId::RecordRoute).count(), 2, "one for each side");
    // Nothing is sent twice on a connection.
    world.wait(Micros::from_secs(10));
    assert!(world.received("127.0.0.1:40001").is_empty());
    send(&mut world, hop, &answer(&at_bob, 486, "b1", "").replace("Content-Length: 0\r\n", ""));
    assert_eq!(world.codes(ALICE), [100, 486]);
    world.ends_empty();
}

#[test]
fn when_that_connection_is_gone_the_contact_is_tried_and_then_the_caller_is_told() {
    let mut world = world();
    let hop = connection("127.0.0.1:40001");
    register(&mut world, hop, "sip:bob@127.0.0.1:5072;transport=tcp");
    invite(&mut world, "");
    assert_eq!(world.received("127.0.0.1:40001").len(), 1);
    world.stack.handle_send_failed(&world.last_hop.unwrap(), world.now);
    world.settle();
    let again = world.request(BOB);
    assert_eq!((world.last_hop.unwrap().flow, world.last_hop.unwrap().transport), (None, Transport::Tcp));
    assert_eq!(again.top_via().transport, b"TCP");
    world.stack.handle_send_failed(&world.last_hop.unwrap(), world.now);
    world.settle();
    assert_eq!(world.codes(ALICE), [100, 500]);
    world.ends_empty();
}

/// [RFC 3261, Section 18.1.1]
#[test]
fn what_is_too_large_for_a_datagram_goes_by_tcp_and_falls_back() {
    let mut world = world();
    world.register(BOB, "bob");
    invite(&mut world, &format!("Subject: {}\r\n", "x".repeat(1300)));
    let by_tcp = world.request(BOB);
    assert_eq!((by_tcp.top_via().transport, world.last_hop.unwrap().transport), (&b"TCP"[..], Transport::Tcp));
    world.stack.handle_send_failed(&world.last_hop.unwrap(), world.now);
    world.settle();
    let by_udp = world.request(BOB);
    assert_eq!((by_udp.top_via().transport, world.last_hop.unwrap().transport), (&b"UDP"[..], Transport::Udp));
    assert_ne!(by_tcp.branch(), by_udp.branch());
    world.send(BOB, answer(&by_udp, 486, "b1", ""));
    assert_eq!(world.codes(ALICE), [100, 486]);
    world.ends_empty();
}

#[test]
fn a_stream_that_cannot_be_followed_gets_its_400() {
    let mut world = world();
    let text = world.text(ALICE, "OPTIONS", "sip:example.com", "alice", "sip:example.com", "Content-Length: x\r\n");
    let rejected = Message::parse_head(Bytes::from(text)).unwrap_err();
    world.stack.handle_rejected(rejected, connection(ALICE), world.now);
    world.settle();
    assert_eq!(world.codes(ALICE), [400]);
    assert_eq!(world.last_hop.and_then(|hop| hop.flow), connection(ALICE).flow);
}

/// A proxy before us that is two hosts: the one that a call came from breaks down while it rings.
#[test]
fn rfc3263_section_5_a_response_goes_to_the_next_host_of_sent_by() {
    const TWIN: &str = "127.0.1.2:5062";
    let mut world = World::with(|config| {
        config.open = true;
        config.listeners.push(Listener::tcp(SERVER.parse().unwrap()));
    });
    world.zone.srv("_sip._tcp.farm.example", 10, "one.farm.example", 5061);
    world.zone.srv("_sip._tcp.farm.example", 20, "two.farm.example", 5062);
    world.zone.host("one.farm.example", "127.0.1.1");
    world.zone.host("two.farm.example", "127.0.1.2");
    let contact = "Contact: <sip:bob@127.0.0.1:5072>\r\n";
    let text = world.text(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", contact);
    world.send(BOB, text);
    let from = connection("127.0.1.1:40001");
    let text = world.text(ALICE, "INVITE", "sip:bob@example.com", "alice", "sip:bob@example.com", "");
    send(&mut world, from, &text.replace(&format!("UDP {ALICE}"), "UDP farm.example"));
    let at_bob = world.received(BOB).into_iter().find(Message::is_request).unwrap();
    let at_bob = ringback_message::Request::check(at_bob).unwrap();
    // The connection is lost; nothing is opened until there is something to say.
    world.stack.handle_send_failed(&from, world.now);
    world.settle();
    world.wire.clear();
    world.send(BOB, answer(&at_bob, 486, "b", ""));
    let source = world.last_hop.unwrap();
    assert_eq!(source.remote, "127.0.1.1:5060".parse().unwrap());
    // Nobody listens there, nor where the first record leads.
    let opened = Hop { flow: source.flow.map(|flow| FlowId { slot: 9, ..flow }), ..source };
    world.stack.handle_send_failed(&opened, world.now);
    world.settle();
    let first = world.last_hop.unwrap();
    assert_eq!(first.remote, "127.0.1.1:5061".parse().unwrap());
    world.stack.handle_send_failed(&first, world.now);
    world.settle();
    assert_eq!(world.codes(TWIN), [486]);
    // There is no other.
    world.stack.handle_send_failed(&world.last_hop.unwrap(), world.now);
    world.settle();
    assert!(world.received(TWIN).is_empty());
    world.ends_empty();
}
