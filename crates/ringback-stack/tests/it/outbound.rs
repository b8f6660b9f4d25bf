//! Flows of phones: at the registrar that they register with, and at an edge proxy before another. `[RFC 5626]`

use ringback_base::{Hop, Micros};
use ringback_message::{HeaderId, Message, Method, Request};
use ringback_stack::{Event, Listener};

use crate::streams::{connection, send};
use crate::world::{ALICE, BOB, SERVER, World, answer, routes};

/// A domain that asks nobody for credentials, and is the edge of another whose server is at [`HOME`].
fn world() -> World {
    let mut world = World::with(|config| {
        config.listeners.push(Listener::tcp(SERVER.parse().unwrap()));
        config.open = true;
        config.edge_of = vec!["home.example".into()];
    });
    world.zone.host("home.example", "127.0.2.1");
    world.zone.host("edge.example", "127.0.2.2");
    world
}

const HOME: &str = "127.0.2.1:5060";
const EDGE: &str = "127.0.2.2:5060";
const ONE: &str = "127.0.0.1:40001";
const TWO: &str = "127.0.0.1:40002";

/// A connection for each flow of Bob's phone.
fn flow(number: u32) -> Hop {
    let hop = connection(&format!("127.0.0.1:4000{number}"));
    Hop { flow: hop.flow.map(|flow| ringback_base::FlowId { slot: number, ..flow }), ..hop }
}

/// The lines of a REGISTER of Bob's phone, which has no address that anybody could reach.
fn contact(reg_id: u32) -> String {
    format!(
        "Supported: path, outbound\r\nContact: <sip:bob@phone.invalid;transport=tcp;ob>;reg-id={reg_id};\
         +sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>\"\r\n"
    )
}

fn registers(world: &mut World, number: u32) {
    let text = world.text(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", &contact(number));
    // Each flow has a Call-ID of its own. [RFC 5626, Section 4.2.1]
    send(world, flow(number), &text.replace("call-", &format!("flow{number}-")));
    let ok = world.response(BOB);
    assert!(ok.status().is_success() && ok.has_token(HeaderId::Require, "outbound"), "{ok:?}");
}

fn invite(world: &mut World) -> String {
    let contact = "Contact: <sip:alice@127.0.0.1:5071>\r\n";
    let text = world.text(ALICE, "INVITE", "sip:bob@example.com", "alice", "sip:bob@example.com", contact);
    world.send(ALICE, &text);
    text
}

fn invites(world: &mut World, at: &str) -> Vec<Request> {
    let all = world.received(at).into_iter().filter(Message::is_request);
    all.map(|message| Request::check(message).unwrap()).filter(|request| request.is(&Method::Invite)).collect()
}

fn gone(world: &mut World, number: u32) {
    world.stack.handle_send_failed(&flow(number), world.now);
    world.settle();
}

/// A response by a connection.
fn answers(world: &mut World, number: u32, request: &Request, code: u16, more: &str) {
    let text = answer(request, code, "b1", more).replace("Content-Length: 0\r\n", "");
    send(world, flow(number), &text);
}

/// One device, one ring: the flow that was heard of last is tried first, the other one when that is gone.
#[test]
fn rfc5626_section_7_of_two_flows_of_a_device_one_is_tried_after_the_other() {
    let mut world = world();
    registers(&mut world, 1);
    world.wait(Micros::from_secs(1));
    registers(&mut world, 2);
    invite(&mut world);
    assert_eq!((invites(&mut world, ONE).len(), invites(&mut world, TWO).len()), (0, 1));
    gone(&mut world, 2);
    let second = invites(&mut world, ONE).remove(0);
    answers(&mut world, 1, &second, 486, "");
    assert_eq!(world.codes(ALICE), [100, 486], "a flow that is gone is no answer");
    world.ends_empty();
}

/// "The targeted instance has already provided its response."
#[test]
fn rfc5626_section_7_a_device_that_has_answered_is_not_asked_again() {
    let mut world = world();
    registers(&mut world, 1);
    registers(&mut world, 2);
    invite(&mut world);
    let (one, two) = (invites(&mut world, ONE), invites(&mut world, TWO));
    let (number, asked) = if one.is_empty() { (2, &two[0]) } else { (1, &one[0]) };
    answers(&mut world, number, asked, 486, "");
    assert_eq!(world.codes(ALICE), [100, 486]);
    assert!(invites(&mut world, ONE).is_empty() && invites(&mut world, TWO).is_empty());
    world.ends_empty();
}

/// The lines of a response to a REGISTER that tell of keep-alives.
fn told(world: &mut World, hop: Hop, text: &str) -> (Option<String>, String) {
    send(world, hop, text);
    let at = hop.remote.to_string();
    let ok = world.response(&at);
    assert!(ok.status().is_success(), "{ok:?}");
    let timer = ok.first(HeaderId::FlowTimer).map(|header| String::from_utf8(header.value().to_vec()).unwrap());
    (timer, String::from_utf8(ok.top_via().params.text().to_vec()).unwrap())
}

fn kept_alive(world: &mut World) -> Vec<(Hop, Micros)> {
    world
        .events
        .drain(..)
        .filter_map(|event| match event {
            Event::KeptAlive { hop, silence_max } => Some((hop, silence_max)),
            _ => None,
        })
        .collect()
}

/// Phones that know flows, and those that offer keep-alives without: each is told how often, and a connection that stays silent is given up.
#[test]
fn rfc5626_section_5_4_phones_are_told_how_often_to_show_that_they_are_there() {
    let mut world = world();
    let at = |hop: Hop| Hop { remote: BOB.parse().unwrap(), ..hop };
    let text = world.text(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", &contact(1));
    let text = text.replacen(";branch=", ";keep;branch=", 1);
    let (timer, via) = told(&mut world, at(flow(1)), &text);
    assert_eq!(timer.as_deref(), Some("120"));
    assert!(via.contains(";keep=120;"), "{via}");
    assert_eq!(kept_alive(&mut world), [(at(flow(1)), Micros::from_secs(155))]);

    let plain = "Contact: <sip:bob@127.0.0.1:5072>\r\n";
    let text = world.text(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", plain);
    let (timer, via) = told(&mut world, at(flow(2)), &text);
    assert!(timer.is_none() && !via.contains("keep"), "who offers nothing is told nothing: {via}");
    assert!(kept_alive(&mut world).is_empty());
}

#[test]
fn by_datagrams_a_phone_is_told_what_nats_allow() {
    let mut world = world();
    let text = world.text(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", &contact(1));
    world.send(BOB, text);
    let ok = world.response(BOB);
    assert_eq!(ok.first(HeaderId::FlowTimer).unwrap().value(), b"30");
    assert!(kept_alive(&mut world).is_empty(), "there is nothing to close");
}

/// Whoever calls is not told of flows.
#[test]
fn rfc5626_section_11_5_when_all_flows_are_gone_the_user_is_away() {
    let mut world = world();
    registers(&mut world, 1);
    registers(&mut world, 2);
    invite(&mut world);
    for number in [1, 2, 1] {
        gone(&mut world, number);
    }
    assert_eq!(world.codes(ALICE), [100, 480]);
    assert!(world.received("127.0.0.1:5060").is_empty(), "nothing is sent to a Contact that leads nowhere");
    world.ends_empty();
}

/// The far ends of connections are the only way to both, for all of a call.
#[test]
fn rfc5626_section_5_3_what_belongs_to_a_dialog_goes_by_the_flows_of_both() {
    let mut world = world();
    registers(&mut world, 1);
    let contact = "Contact: <sip:alice@phone.invalid;transport=tcp;ob>\r\n";
    let text = world.text(ALICE, "INVITE", "sip:bob@example.com", "alice", "sip:bob@example.com", contact);
    send(&mut world, flow(2), &text);
    let at_bob = invites(&mut world, ONE).remove(0);
    assert_eq!(at_bob.all(HeaderId::RecordRoute).count(), 2, "a token for each");
    answers(&mut world, 1, &at_bob, 200, "Contact: <sip:bob@phone.invalid;transport=tcp;ob>\r\n");
    let ok = world.response(ALICE);
    assert_eq!(ok.status().as_u16(), 200);
    let to_bob = routes(&ok);
    let in_dialog = |world: &mut World, method: &str, sender: &str, from: &str, to: &str, more: &str| {
        let text = world.text(sender, method, "sip:x@phone.invalid;transport=tcp;ob", "x", "sip:y@example.com", more);
        let head = text.split("From:").next().unwrap().to_owned();
        let rest = text.split("Call-ID").nth(1).unwrap();
        let call_id = "call-5071";
        let rest = rest.replacen(rest.split("\r\n").next().unwrap(), &format!(": {call_id}"), 1);
        format!("{head}From: <sip:x@example.com>;tag={from}\r\nTo: <sip:y@example.com>;tag={to}\r\nCall-ID{rest}")
    };
    let ack = in_dialog(&mut world, "ACK", ALICE, "5071", "b1", &to_bob);
    send(&mut world, flow(2), &ack);
    assert_eq!(world.request(ONE).method(), Method::Ack);
    // The caller has another address by now; the callee's requests still go where theirs came from.
    let info = in_dialog(&mut world, "INFO", ALICE, "5071", "b1", &to_bob);
    send(&mut world, connection("127.0.0.1:40009"), &info);
    let info = world.request(ONE);
    assert_eq!(info.method(), Method::Info);
    answers(&mut world, 1, &info, 200, "");
    assert_eq!(world.codes(ALICE), [200]);
    let mut all: Vec<String> = to_bob.lines().map(|line| format!("{line}\r\n")).collect();
    all.reverse();
    let bye = in_dialog(&mut world, "BYE", BOB, "b1", "5071", &all.concat());
    send(&mut world, flow(1), &bye);
    let bye = world.request(TWO);
    assert_eq!(bye.method(), Method::Bye);
    answers(&mut world, 2, &bye, 200, "");
    assert_eq!(world.codes(BOB), [200]);
    // What comes when a phone is gone is told to whoever asks: there is no other way.
    let info = in_dialog(&mut world, "INFO", ALICE, "5071", "b1", &to_bob);
    send(&mut world, flow(2), &info);
    gone(&mut world, 1);
    assert_eq!(world.codes(ALICE), [430]);
    world.ends_empty();
}

/// The REGISTER of a phone as it leaves for home, with a token in Path.
fn forwarded(world: &mut World) -> Request {
    let text = world.text(BOB, "REGISTER", "sip:home.example", "bob", "sip:bob@home.example", &contact(1));
    send(world, flow(1), &text);
    world.request(HOME)
}

fn path_of(register: &Request) -> String {
    String::from_utf8(register.first(HeaderId::Path).unwrap().value().to_vec()).unwrap()
}

/// What the server of the home domain sends to Bob's phone.
fn from_home(world: &mut World, route: &str) {
    let text =
        world.text(HOME, "INVITE", "sip:bob@phone.invalid;transport=tcp;ob", "alice", "sip:bob@home.example", "");
    let more = format!("Route: {route}\r\nContact: <sip:alice@192.0.2.9>\r\nMax-Forwards");
    world.send(HOME, text.replacen("Max-Forwards", &more, 1));
}

#[test]
fn rfc5626_section_5_1_an_edge_puts_itself_into_path_with_the_flow() {
    let mut world = world();
    let register = forwarded(&mut world);
    assert_eq!(register.request_uri_text(), b"sip:home.example");
    let path = path_of(&register);
    assert!(path.starts_with("<sip:flow-") && path.ends_with("@127.0.0.1:5060;lr;ob>"), "{path}");
    assert_eq!(register.all(HeaderId::RecordRoute).count(), 0);
    let more = format!("Path: {path}\r\nRequire: outbound\r\n");
    world.send(HOME, answer(&register, 200, "h", &more));
    let ok = world.response(BOB);
    assert!(ok.has_token(HeaderId::Require, "outbound") && ok.first(HeaderId::Path).is_some());
    // Another proxy lies between: requests come back this way, and the flow is that proxy's.
    let text = world.text(BOB, "REGISTER", "sip:home.example", "bob", "sip:bob@home.example", &contact(1));
    let text = text.replacen("Max-Forwards", "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKi\r\nMax-Forwards", 1);
    world.send(BOB, text);
    let register = world.request(HOME);
    assert!(path_of(&register).starts_with("<sip:flow-") && path_of(&register).ends_with(";lr>"));
    world.send(HOME, answer(&register, 200, "h", ""));
    world.ends_empty();
}

#[test]
fn rfc5626_section_5_3_1_an_edge_forwards_by_the_flow_of_its_token_alone() {
    let mut world = world();
    let register = forwarded(&mut world);
    world.send(HOME, answer(&register, 200, "h", ""));
    world.wire.clear();
    let path = path_of(&register);
    from_home(&mut world, &path);
    let invite = world.request(ONE);
    assert_eq!(world.last_hop.and_then(|hop| hop.flow), flow(1).flow);
    assert_eq!(invite.request_uri_text(), b"sip:bob@phone.invalid;transport=tcp;ob");
    assert!(invite.first(HeaderId::Route).is_none());
    let recorded = invite.all(HeaderId::RecordRoute).next().unwrap();
    let recorded = String::from_utf8(recorded.value().to_vec()).unwrap();
    assert!(recorded.contains("flow-") && !recorded.contains(";ob"), "{recorded}");
    answers(&mut world, 1, &invite, 486, "");
    assert_eq!(world.codes(HOME), [100, 486]);
    from_home(&mut world, &path);
    gone(&mut world, 1);
    assert_eq!(world.codes(HOME), [100, 430]);
    // Somebody has written a token of their own.
    from_home(&mut world, &path.replacen("flow-", "flow-00", 1));
    assert_eq!(world.codes(HOME), [403]);
    world.ends_empty();
}

/// What a phone sends by its edge, and no more: the edge relays for the domains that it is told of.
#[test]
fn rfc5626_section_5_3_2_an_edge_relays_for_its_domains() {
    let mut world = world();
    let contact = "Contact: <sip:bob@phone.invalid;transport=tcp;ob>\r\n";
    let out = |world: &mut World, uri: &str| {
        let text = world.text(BOB, "INVITE", uri, "bob", "sip:carol@home.example", contact);
        send(world, flow(1), &text);
    };
    out(&mut world, "sip:carol@home.example");
    let invite = world.request(HOME);
    let recorded: Vec<_> = invite.all(HeaderId::RecordRoute).map(|header| header.value().to_vec()).collect();
    assert_eq!(recorded.len(), 2, "one for each transport");
    assert!(recorded[0].starts_with(b"<sip:127.0.0.1:5060;lr;rr=") && recorded[1].starts_with(b"<sip:flow-"));
    world.send(HOME, answer(&invite, 404, "h", ""));
    assert_eq!(world.codes(BOB), [100, 404]);
    out(&mut world, "sip:carol@other.example");
    assert_eq!(world.codes(BOB), [403]);
    world.ends_empty();
}

/// The REGISTER of a phone as an edge has passed it on to us.
fn through_edge(world: &mut World, number: u32, path: &str) -> String {
    let text = world.text(EDGE, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", &contact(number));
    let via = format!("Via: SIP/2.0/TCP phone.invalid;branch=z9hG4bKp\r\n{path}Max-Forwards");
    text.replacen("Max-Forwards", &via, 1).replace("call-", &format!("flow{number}-"))
}

#[test]
fn rfc3327_section_5_3_a_registrar_sends_by_the_path_that_a_phone_registered_through() {
    let mut world = world();
    for number in [1, 2] {
        let path = format!("Path: <sip:token{number}@edge.example;lr;ob>\r\n");
        let text = through_edge(&mut world, number, &path);
        world.send(EDGE, text);
        let ok = world.response(EDGE);
        assert!(ok.has_token(HeaderId::Require, "outbound"));
        let value = format!("<sip:token{number}@edge.example;lr;ob>");
        assert_eq!(ok.first(HeaderId::Path).unwrap().value(), value.as_bytes());
        world.wait(Micros::from_secs(1));
    }
    invite(&mut world);
    let first = world.request(EDGE);
    assert_eq!(first.request_uri_text(), b"sip:bob@phone.invalid;transport=tcp;ob");
    assert_eq!(first.first(HeaderId::Route).unwrap().value(), b"<sip:token2@edge.example;lr;ob>");
    world.send(EDGE, answer(&first, 430, "e", ""));
    let second = invites(&mut world, EDGE).remove(0);
    assert_eq!(second.first(HeaderId::Route).unwrap().value(), b"<sip:token1@edge.example;lr;ob>");
    world.send(EDGE, answer(&second, 430, "e", ""));
    assert_eq!(world.codes(ALICE), [100, 480]);
    world.ends_empty();
}

#[test]
fn rfc5626_section_6_a_first_hop_without_outbound_is_told_to_the_phone() {
    let mut world = world();
    for path in ["", "Path: <sip:edge.example;lr>\r\n"] {
        let text = through_edge(&mut world, 1, path);
        world.send(EDGE, text);
        assert_eq!(world.codes(EDGE), [439], "{path}");
    }
    world.ends_empty();
}
