//! Phones that are gone: what the network says of it, and who hears it. `[RFC 3261, Section 18.4]`
#![cfg(target_os = "linux")]

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::world::{Phone, Server, answer};

/// Far below the 32 s of Timer B, and above what a busy machine needs.
const AT_ONCE: Duration = Duration::from_secs(5);

/// An address where a phone was.
fn nobody() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn register(phone: &Phone, call_id: &str, contacts: &[SocketAddr]) {
    let contacts: String = contacts.iter().map(|at| format!("Contact: <sip:alice@{at}>\r\n")).collect();
    phone.send(phone.request("REGISTER", call_id, 1, &contacts));
    assert_eq!(phone.receive().status().as_u16(), 200);
}

#[test]
fn the_caller_of_a_phone_that_crashed_is_answered_at_once() {
    // With several shards the error may come to another one than the call belongs to.
    for shards in [1, 4] {
        let server = Server::open(shards);
        let caller = Phone::new(server.address);
        register(&caller, "r", &[nobody()]);
        for call in 0..12 {
            let began = Instant::now();
            caller.send(caller.invite(&format!("c{call}-{shards}"), ""));
            assert_eq!(caller.final_code(), 500, "{shards} shards, call {call}");
            assert!(began.elapsed() < AT_ONCE);
            caller.send(caller.request("ACK", &format!("c{call}-{shards}"), 1, ""));
        }
        server.becomes("told", |counters, _| counters.requests_unreachable == 12);
        let counters = server.counters();
        assert_eq!((counters.send_errors, counters.receive_errors), (0, 0));
    }
}

#[test]
fn the_phone_that_is_there_rings_all_the_same() {
    let server = Server::open(1);
    let (caller, callee) = (Phone::new(server.address), Phone::new(server.address));
    let there = callee.0.local_addr().unwrap();
    // The error of each request to nobody is met by the next use of the socket, which is for somebody else.
    register(&caller, "r", &[nobody(), there, nobody(), nobody()]);
    for call in 0..20 {
        caller.send(caller.invite(&format!("c{call}"), ""));
        let invite = callee.hear().request();
        callee.send(answer(&invite, 200, &callee.contact()));
        assert_eq!(caller.final_code(), 200, "call {call}");
    }
    server.becomes("told", |counters, _| counters.requests_unreachable >= 20);
    assert_eq!((server.counters().send_errors, server.counters().receive_errors), (0, 0));
}
