//! Calls by TCP, and between TCP and UDP, with the shards in between.

use std::net::Shutdown;
use std::time::{Duration, Instant};

use ringback_message::{HeaderId, Message, Request, Response};

use crate::world::{Heard, Line, Phone, Server, answer};

const CALLS: u32 = 24;

/// Either kind of phone.
trait Ua {
    fn say(&mut self, bytes: String);
    fn hear_next(&mut self) -> Heard;
    fn invite_alice(&self, call_id: &str) -> String;
    fn uri(&self) -> String;
    fn via_of(&self) -> String;
}

impl Ua for Phone {
    fn say(&mut self, bytes: String) {
        self.send(bytes);
    }
    fn hear_next(&mut self) -> Heard {
        self.hear()
    }
    fn invite_alice(&self, call_id: &str) -> String {
        self.invite(call_id, &self.contact())
    }
    fn uri(&self) -> String {
        format!("sip:alice@{}", self.0.local_addr().unwrap())
    }
    fn via_of(&self) -> String {
        format!("UDP {}", self.0.local_addr().unwrap())
    }
}

impl Ua for Line {
    fn say(&mut self, bytes: String) {
        self.send(bytes);
    }
    fn hear_next(&mut self) -> Heard {
        self.hear()
    }
    fn invite_alice(&self, call_id: &str) -> String {
        self.invite(call_id, &self.contact())
    }
    fn uri(&self) -> String {
        format!("sip:alice@{};transport=tcp", self.local())
    }
    fn via_of(&self) -> String {
        format!("TCP {}", self.local())
    }
}

/// A request in the dialog, by the routes that it was set up with.
fn in_dialog(
    method: &str,
    via: &str,
    uri: &str,
    routes: &[String],
    message: (&[u8], &[u8], &[u8]),
    cseq: u32,
) -> String {
    let (from, to, call_id) = message;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let routes: String = routes.iter().map(|route| format!("Route: {route}\r\n")).collect();
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{via};branch=z9hG4bK{method}{cseq}{}\r\n{routes}Max-Forwards: 70\r\n\
         From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n",
        text(call_id),
        text(from),
        text(to),
        text(call_id)
    )
}

fn routes_of(message: &Message) -> Vec<String> {
    message
        .all(HeaderId::RecordRoute)
        .flat_map(|line| {
            String::from_utf8_lossy(line.value()).split(',').map(|one| one.trim().to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

fn is(request: &Request, method: &str) -> bool {
    request.method_text() == Some(method.as_bytes())
}

/// A whole call, hung up by the caller or by the callee.
fn call(caller: &mut dyn Ua, callee: &mut dyn Ua, call_id: &str, caller_hangs_up: bool) {
    caller.say(caller.invite_alice(call_id));
    let invite = callee.hear_next().request();
    assert!(is(&invite, "INVITE"));
    callee.say(answer(&invite, 180, ""));
    callee.say(answer(&invite, 200, &format!("Contact: <{}>\r\n", callee.uri())));
    let codes: Vec<u16> = (0..3).map(|_| caller.hear_next().response()).map(|r| last(&r)).collect();
    assert_eq!(codes, [100, 180, 200]);
    let ok = answer(&invite, 200, "");
    let header = |id| invite.first(id).unwrap().value().to_vec();
    let from = header(HeaderId::From);
    let to = ok.lines().find_map(|line| line.strip_prefix("To: ")).unwrap().as_bytes().to_vec();
    let mut routes = routes_of(&invite);
    routes.reverse();
    let names = (&from[..], &to[..], call_id.as_bytes());
    caller.say(in_dialog("ACK", &caller.via_of(), &callee.uri(), &routes, names, 1));
    let ack = callee.hear_next().request();
    assert!(is(&ack, "ACK") && ack.call_id() == call_id.as_bytes());
    if caller_hangs_up {
        caller.say(in_dialog("BYE", &caller.via_of(), &callee.uri(), &routes, names, 2));
        let bye = callee.hear_next().request();
        assert!(is(&bye, "BYE"));
        callee.say(answer(&bye, 200, ""));
        assert_eq!(last(&caller.hear_next().response()), 200);
    } else {
        let names = (&to[..], &from[..], call_id.as_bytes());
        callee.say(in_dialog("BYE", &callee.via_of(), &caller.uri(), &routes_of(&invite), names, 1));
        let bye = caller.hear_next().request();
        assert!(is(&bye, "BYE"));
        caller.say(answer(&bye, 200, ""));
        assert_eq!(last(&callee.hear_next().response()), 200);
    }
}

fn last(response: &Response) -> u16 {
    response.status().as_u16()
}

/// As many Call-IDs as make it certain that caller, callee and call belong to different shards at times.
fn calls(caller: &mut dyn Ua, callee: &mut dyn Ua) {
    for n in 0..CALLS {
        call(caller, callee, &format!("call-{n}"), n % 2 == 0);
    }
}

#[test]
fn by_tcp_between_shards() {
    let server = Server::open(4);
    let mut callee = Line::registered(server.address);
    let mut caller = Line::new(server.address);
    calls(&mut caller, &mut callee);
    let counters = server.counters();
    assert!(counters.handed_over > u64::from(CALLS) && counters.messages_carried > u64::from(CALLS), "{counters:?}");
    // In-dialog requests find the connections that the phones opened, whichever shard has them.
    assert_eq!((counters.connections_opened, server.running.connections()), (0, 2));
    assert_eq!((counters.messages_carried_dropped, counters.handed_over_dropped, counters.send_errors), (0, 0, 0));
}

#[test]
fn from_udp_to_tcp_and_back() {
    let server = Server::open(3);
    let mut callee = Line::registered(server.address);
    let mut caller = Phone::new(server.address);
    calls(&mut caller, &mut callee);

    caller.send(caller.request("REGISTER", "r-udp", 1, &caller.contact()));
    assert_eq!(caller.final_code(), 200);
    callee.send(callee.request("REGISTER", "unregister", 1, &format!("Expires: 0\r\n{}", callee.contact())));
    assert_eq!(callee.final_code(), 200);
    for n in 0..CALLS {
        call(&mut callee, &mut caller, &format!("back-{n}"), n % 2 == 0);
    }
    assert_eq!(server.counters().connections_opened, 0);
}

#[test]
fn refusals_cross_shards_and_are_acknowledged() {
    let server = Server::open(4);
    let mut callee = Line::registered(server.address);
    let mut caller = Line::new(server.address);
    for n in 0..CALLS {
        caller.send(caller.invite(&format!("refused-{n}"), ""));
        let invite = callee.hear().request();
        callee.send(answer(&invite, 486, ""));
        assert!(is(&callee.hear().request(), "ACK"));
        assert_eq!(caller.final_code(), 486);
    }
}

#[test]
fn a_flow_that_is_gone_is_told_to_the_caller() {
    let server = Server::open(4);
    let callee = Line::registered(server.address);
    drop(callee);
    server.becomes("the callee is gone", |_, connections| connections == 0);
    let begun = Instant::now();
    let caller = Phone::new(server.address);
    for n in 0..CALLS {
        caller.send(caller.invite(&format!("gone-{n}"), ""));
        let code = caller.final_code();
        assert!((400..700).contains(&code), "{code}");
    }
    let counters = server.counters();
    assert_eq!((counters.flows_gone, counters.connects_failed), (u64::from(CALLS), u64::from(CALLS)), "{counters:?}");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

/// Long before Timer B, which is 32 s.
#[test]
fn a_flow_that_ends_before_an_answer_is_told_to_the_caller() {
    let server = Server::open(4);
    for (n, how) in [None, Some(Shutdown::Write), Some(Shutdown::Both)].into_iter().cycle().take(9).enumerate() {
        let mut callee = Line::registered(server.address);
        let mut caller = Line::new(server.address);
        caller.send(caller.invite(&format!("lost-{n}"), ""));
        assert_eq!(caller.receive().status().as_u16(), 100);
        assert!(is(&callee.hear().request(), "INVITE"));
        match how {
            None => drop(callee),
            Some(how) => callee.socket.shutdown(how).unwrap(),
        }
        let code = caller.final_code();
        assert!((400..700).contains(&code), "{code}");
        drop(caller);
        server.becomes("both are gone", |_, connections| connections == 0);
    }
}
