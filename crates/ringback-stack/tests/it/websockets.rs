//! Clients of WebSocket: their Via and Contact lead nowhere, and their connection is the only way to them. [RFC 7118, Section 5]

use bytes::Bytes;
use ringback_base::{FlowId, Hop, Transport};
use ringback_message::{HeaderId, Message, Request, Response};
use ringback_stack::Listener;

use crate::world::{ALICE, World, answer, recorded, routes};

const LISTENER: &str = "127.0.0.1:8080";
/// Where the browsers of bob and carol connect from.
const BOB: &str = "127.0.0.1:40001";
const CAROL: &str = "127.0.0.1:40002";

fn world() -> World {
    World::with(|config| {
        let address = LISTENER.parse().unwrap();
        config.listeners.push(Listener { transport: Transport::Ws, address, advertised: None });
    })
}

fn connection(remote: &str) -> Hop {
    let remote: std::net::SocketAddr = remote.parse().unwrap();
    let flow = Some(FlowId { shard: 0, slot: remote.port().into(), generation: 1 });
    Hop { transport: Transport::Ws, local: LISTENER.parse().unwrap(), remote, flow }
}

/// A message of a browser, without the Content-Length that it need not have.
fn send(world: &mut World, from: &str, text: &str) {
    let text = text.replace(&format!("SIP/2.0/UDP {from}"), "SIP/2.0/WS df7jal23ls0d.invalid");
    world.stack.handle_message(Bytes::from(text), connection(from), world.now);
    world.settle();
}

fn register(world: &mut World, from: &str, user: &str) {
    let contact = format!("Contact: <sip:x1@{user}.invalid;transport=ws>\r\n");
    let aor = format!("sip:{user}@example.com");
    let first = world.text(from, "REGISTER", "sip:example.com", user, &aor, &contact);
    send(world, from, &first);
    let challenge = world.response(from);
    let again = world.text(from, "REGISTER", "sip:example.com", user, &aor, &contact);
    let again = world.with_credentials(&again, &challenge, user, "secret");
    send(world, from, &again);
    assert_eq!(world.codes(from), [200]);
}

/// The answer that was sent last, and the routes that the caller learns from it.
fn answered(world: &mut World, at: &str) -> (Response, String) {
    let response = world.response(at);
    let routes = routes(&response);
    (response, routes)
}

/// A request within the dialog that this response has set up, from its caller.
fn within(world: &mut World, from: &str, method: &str, response: &Response, target: &str, more: &str) -> String {
    let text = world.text(from, method, target, "alice", "sip:bob@example.com", more);
    text.replacen("sip:bob@example.com>", &format!("sip:bob@example.com>;tag={}", tag(response)), 1)
}

fn tag(response: &Response) -> String {
    String::from_utf8(response.to_tag().unwrap().to_vec()).unwrap()
}

/// A request within the dialog from its callee, whose route set is that of the INVITE.
fn back(at_bob: &Request, method: &str) -> String {
    let value = |id| String::from_utf8(at_bob.first(id).unwrap().value().to_vec()).unwrap();
    let routes = recorded(at_bob);
    format!(
        "{method} sip:alice@{ALICE} SIP/2.0\r\nVia: SIP/2.0/UDP {BOB};branch=z9hG4bKback\r\nMax-Forwards: 70\r\n{}From: {};tag=b1\r\n\
         To: {}\r\nCall-ID: {}\r\nCSeq: 1 {method}\r\n\r\n",
        routes.concat(),
        value(HeaderId::To),
        value(HeaderId::From),
        value(HeaderId::CallId),
    )
}

/// What the caller learns of bob, and bob's INVITE.
fn call(world: &mut World) -> (Request, Response, String) {
    register(world, BOB, "bob");
    let contact = format!("Contact: <sip:alice@{ALICE}>\r\n");
    world.send_authenticated(ALICE, "INVITE", "sip:bob@example.com", "alice", "sip:bob@example.com", &contact);
    let at_bob = world.request(BOB);
    let ok = answer(&at_bob, 200, "b1", "Contact: <sip:x1@bob.invalid;transport=ws>\r\n");
    send(world, BOB, &ok);
    let (response, routes) = answered(world, ALICE);
    assert_eq!(response.status().as_u16(), 200);
    (at_bob, response, routes)
}

#[test]
fn a_call_from_udp_to_a_browser_finds_both_of_them_again() {
    let mut world = world();
    let (at_bob, response, routes) = call(&mut world);
    assert_eq!(at_bob.top_via().transport, b"WS");
    assert_eq!(at_bob.request_uri_text(), b"sip:x1@bob.invalid;transport=ws");
    assert_eq!(at_bob.all(HeaderId::RecordRoute).count(), 2);
    let target = "sip:x1@bob.invalid;transport=ws";
    let ack = within(&mut world, ALICE, "ACK", &response, target, &routes);
    world.send(ALICE, &ack);
    let at_bob_ack = world.request(BOB);
    assert_eq!(world.last_hop, Some(connection(BOB)));
    assert_eq!((at_bob_ack.method_text(), at_bob_ack.all(HeaderId::Route).count()), (Some(&b"ACK"[..]), 0));
    send(&mut world, BOB, &back(&at_bob, "INFO"));
    let info = world.request(ALICE);
    assert_eq!((info.top_via().transport, world.last_hop.unwrap().transport), (&b"UDP"[..], Transport::Udp));
    assert!(info.first(HeaderId::ContentLength).is_some(), "the way on may be a stream");
    world.send(ALICE, answer(&info, 200, "", ""));
    assert_eq!(world.codes(BOB), [200]);
    let bye = within(&mut world, ALICE, "BYE", &response, target, &routes);
    world.send(ALICE, &bye);
    let at_bob = world.request(BOB);
    assert_eq!(world.last_hop, Some(connection(BOB)));
    send(&mut world, BOB, &answer(&at_bob, 200, "", ""));
    assert_eq!(world.codes(ALICE), [200]);
    world.ends_empty();
}

#[test]
fn between_two_browsers_each_side_has_a_route_of_its_own() {
    let mut world = world();
    register(&mut world, BOB, "bob");
    register(&mut world, CAROL, "carol");
    let contact = "Contact: <sip:x2@carol.invalid;transport=ws>\r\n";
    let first = world.text(CAROL, "INVITE", "sip:bob@example.com", "carol", "sip:bob@example.com", contact);
    send(&mut world, CAROL, &first);
    let challenge = world.response(CAROL);
    let again = world.text(CAROL, "INVITE", "sip:bob@example.com", "carol", "sip:bob@example.com", contact);
    let again = world.with_credentials(&again, &challenge, "carol", "secret");
    send(&mut world, CAROL, &again);
    let at_bob = world.request(BOB);
    assert_eq!(at_bob.all(HeaderId::RecordRoute).count(), 2);
    send(&mut world, BOB, &answer(&at_bob, 200, "b1", "Contact: <sip:x1@bob.invalid;transport=ws>\r\n"));
    let (response, routes) = answered(&mut world, CAROL);
    let bye = within(&mut world, CAROL, "BYE", &response, "sip:x1@bob.invalid;transport=ws", &routes);
    let bye = bye.replace("sip:alice@example.com", "sip:carol@example.com");
    send(&mut world, CAROL, &bye);
    assert_eq!(world.last_hop, Some(connection(BOB)));
    assert_eq!(world.request(BOB).method_text(), Some(&b"BYE"[..]));
    send(&mut world, BOB, &back(&at_bob, "INFO"));
    assert_eq!(world.last_hop, Some(connection(CAROL)));
    assert_eq!(world.request(CAROL).request_uri_text(), format!("sip:alice@{ALICE}").as_bytes());
}

/// [RFC 5626, Section 5.3.1]
#[test]
fn whose_connection_is_gone_is_not_there_and_its_dialogs_have_lost_their_way() {
    let mut world = world();
    let (_, response, routes) = call(&mut world);
    let bye = within(&mut world, ALICE, "BYE", &response, "sip:x1@bob.invalid;transport=ws", &routes);
    world.send(ALICE, &bye);
    assert_eq!(world.received(BOB).len(), 1);
    world.stack.handle_send_failed(&connection(BOB), world.now);
    world.settle();
    assert_eq!(world.codes(ALICE), [430]);
    world.send_authenticated(ALICE, "INVITE", "sip:bob@example.com", "alice", "sip:bob@example.com", "");
    assert_eq!(world.received(BOB).len(), 1);
    world.stack.handle_send_failed(&connection(BOB), world.now);
    world.settle();
    assert_eq!(world.codes(ALICE), [100, 480]);
}

/// Nobody aims a request at somebody's connection by a Route of his own.
#[test]
fn a_flow_that_we_did_not_write_for_this_dialog_opens_nothing() {
    let mut world = world();
    let (_, response, routes) = call(&mut world);
    register(&mut world, CAROL, "carol");
    let (before, token) = routes.split_once("flow-").unwrap();
    // One digit of the port of a connection.
    let forged = format!("{before}flow-{}", token.replace("9c41", "9c42"));
    assert_ne!(forged, routes);
    let info = within(&mut world, ALICE, "INFO", &response, "sip:x1@bob.invalid;transport=ws", &forged);
    world.send(ALICE, &info);
    assert!(world.received(CAROL).is_empty() && world.received(BOB).is_empty());
    let refused: Vec<Message> = world.received(ALICE);
    assert!(refused.iter().all(|message| message.status().is_some_and(|status| status.as_u16() >= 400)), "{refused:?}");
    let honest = within(&mut world, ALICE, "INFO", &response, "sip:x1@bob.invalid;transport=ws", &routes);
    world.send(ALICE, &honest);
    assert_eq!(world.received(BOB).len(), 1);
}
