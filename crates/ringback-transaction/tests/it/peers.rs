//! Timers of peers that have their own.

use core::net::IpAddr;

use ringback_base::{Hop, Micros, Now, Transport};
use ringback_message::{Response, StatusCode};
use ringback_transaction::{ClientId, Config, Event, Reason, State, Timers, Transactions};

use crate::script::{hop, layer, request};

const FAR: &str = "192.0.2.9";

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn to(remote: &str) -> Hop {
    Hop { remote: remote.parse().unwrap(), ..hop(Transport::Udp) }
}

fn text(method: &str, number: usize) -> String {
    format!(
        "{method} sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}\r\n\
         From: <sip:alice@192.0.2.1>;tag=a\r\nTo: <sip:bob@192.0.2.2>\r\nCall-ID: {number}@192.0.2.1\r\n\
         CSeq: 1 {method}\r\n\r\n"
    )
}

fn start(layer: &mut Transactions, number: usize, hop: Hop) -> ClientId {
    layer.request(request(text("INVITE", number).as_bytes()), hop, Now::default()).unwrap()
}

fn timers(layer: &Transactions, id: ClientId) -> Vec<(u64, Reason)> {
    layer.client_timers(id).map(|(at, reason)| (at.0 / 1_000, reason)).collect()
}

/// A satellite's T1 of two seconds, and no more patience than ten.
fn slow() -> Timers {
    Timers::new(Micros::from_secs(2), Micros::from_secs(8), Micros::from_secs(9))
        .with(Reason::TimerB, Micros::from_secs(10))
}

#[test]
fn a_peer_may_have_timers_of_its_own_for_what_we_ask_it() {
    let mut layer = layer(Config::default());
    layer.set_timers_of(address(FAR), Some(slow()));
    let far = start(&mut layer, 1, to("192.0.2.9:5060"));
    let near = start(&mut layer, 2, to("192.0.2.8:5060"));
    assert_eq!(timers(&layer, far), [(2_000, Reason::TimerA), (10_000, Reason::TimerB)]);
    assert_eq!(timers(&layer, near), [(500, Reason::TimerA), (32_000, Reason::TimerB)]);
    // Doubled from its own T1, and Timer B ends it.
    let mut ends = Vec::new();
    while let Some((at, _)) = layer.poll_timeout() {
        layer.handle_timeout(Now::default().after(at));
        while let Some(event) = layer.poll_event() {
            if let Event::ClientEnded { id } = event {
                ends.push((id, at.0 / 1_000_000));
            }
        }
    }
    assert_eq!(ends, [(far, 10), (near, 32)]);
    // 2, 6 s and 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s.
    assert_eq!(layer.counters().retransmissions, 2 + 6);
}

#[test]
fn a_peer_may_have_timers_of_its_own_for_what_it_asks_us() {
    let mut layer = layer(Config::default());
    layer.set_timers_of(address(FAR), Some(slow()));
    for (number, remote, seen) in [(1, "192.0.2.9:40000", [2_000, 128_000]), (2, "192.0.2.8:40000", [500, 32_000])] {
        layer.handle_request(request(text("INVITE", number).as_bytes()), to(remote), Now::default());
        let Some(Event::Request { id }) = layer.poll_event() else { panic!() };
        let busy = Response::to(layer.server_request(id).unwrap(), StatusCode::BusyHere).to_tag("b").build().unwrap();
        layer.respond(id, busy, Now::default()).unwrap();
        assert_eq!(layer.server_state(id), Some(State::Completed));
        let timers: Vec<(u64, Reason)> = layer.server_timers(id).map(|(at, reason)| (at.0 / 1_000, reason)).collect();
        assert_eq!(timers, [(seen[0], Reason::TimerG), (seen[1], Reason::TimerH)], "{remote}");
    }
}

#[test]
fn a_peer_is_an_address_in_whatever_form_and_with_any_port() {
    let mut layer = layer(Config::default());
    layer.set_timers_of(address("::ffff:192.0.2.9"), Some(slow()));
    for (number, remote) in ["192.0.2.9:5060", "192.0.2.9:40000", "[::ffff:192.0.2.9]:5060"].into_iter().enumerate() {
        let id = start(&mut layer, number, to(remote));
        assert_eq!(timers(&layer, id)[0], (2_000, Reason::TimerA), "{remote}");
    }
}

#[test]
fn what_is_under_way_keeps_the_timers_that_it_began_with() {
    let mut layer = layer(Config::default());
    let hop = to("192.0.2.9:5060");
    let before = start(&mut layer, 1, hop);
    layer.set_timers_of(address(FAR), Some(slow()));
    let during = start(&mut layer, 2, hop);
    layer.set_timers_of(address(FAR), None);
    let after = start(&mut layer, 3, hop);
    // The second Timer A of the first comes after 1 s more, the one of the second not before its 2 s.
    layer.handle_timeout(Now::default().after(Micros::from_ms(500)));
    assert_eq!([before, during, after].map(|id| timers(&layer, id)[0].0), [1_500, 2_000, 1_500]);
    layer.handle_timeout(Now::default().after(Micros::from_ms(2_000)));
    assert_eq!(timers(&layer, during)[0].0, 6_000);
}
