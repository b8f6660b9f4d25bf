//! Transport errors: which transactions a hop takes with it.

use ringback_base::{FlowId, Hop, Now, Transport};
use ringback_transaction::{ClientId, Config, Event, Transactions};

use crate::script::{hop, layer, request};

fn flow(slot: u32) -> Option<FlowId> {
    Some(FlowId { shard: 0, slot, generation: 1 })
}

fn tcp(flow: Option<FlowId>) -> Hop {
    Hop { flow, ..hop(Transport::Tcp) }
}

fn start(layer: &mut Transactions, number: usize, to: Hop) -> ClientId {
    let text = format!(
        "OPTIONS sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}\r\n\
         From: <sip:alice@192.0.2.1>;tag=a\r\nTo: <sip:bob@192.0.2.2>\r\nCall-ID: 1@192.0.2.1\r\nCSeq: 1 OPTIONS\r\n\r\n"
    );
    layer.request(request(text.as_bytes()), to, Now::default()).unwrap()
}

/// Which of the transactions over these hops fail with that one, by their numbers.
fn failed(hops: &[Hop], with: Hop) -> Vec<usize> {
    let mut layer = layer(Config::default());
    let ids: Vec<ClientId> = hops.iter().enumerate().map(|(number, hop)| start(&mut layer, number, *hop)).collect();
    layer.handle_transport_error(&with, Now::default());
    let (mut failed, mut ended) = (Vec::new(), Vec::new());
    while let Some(event) = layer.poll_event() {
        let number = |id| ids.iter().position(|other| *other == id).unwrap();
        match event {
            Event::ClientFailed { id } => failed.push(number(id)),
            Event::ClientEnded { id } => ended.push(number(id)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(failed, ended);
    assert_eq!(layer.client_len(), hops.len() - failed.len());
    assert_eq!(layer.counters().transport_errors, failed.len() as u64);
    failed.sort_unstable();
    failed
}

/// `[RFC 3261, Section 18.4]`
#[test]
fn the_request_that_did_not_arrive_is_known_by_its_branch_alone() {
    let mut layer = layer(Config::default());
    let by = hop(Transport::Udp);
    let ids = [1, 2].map(|number| start(&mut layer, number, by));
    let mut told = |method: &str, branch: &str, hop: &Hop| {
        layer.handle_unreachable(method.as_bytes(), branch.as_bytes(), hop, Now::default())
    };
    let elsewhere = Hop { remote: "192.0.2.3:5060".parse().unwrap(), ..by };
    assert!(!told("OPTIONS", "z9hG4bK3", &by), "a branch of nobody");
    assert!(!told("ACK", "z9hG4bK2", &by), "another method");
    assert!(!told("OPTIONS", "z9hG4bK2", &elsewhere), "another way");
    assert!(!told("OPTIONS", "z9hG4bK", &by) && !told("OPTIONS", "", &by));
    assert!(told("OPTIONS", "z9hG4bK2", &by));
    assert!(!told("OPTIONS", "z9hG4bK2", &by), "it has ended");
    assert!(matches!(layer.poll_event(), Some(Event::ClientFailed { id }) if id == ids[1]));
    assert_eq!((layer.client_len(), layer.counters().transport_errors), (1, 1));
}

#[test]
fn a_lost_connection_fails_what_is_on_it_and_what_named_none() {
    let hops = [tcp(flow(1)), tcp(flow(2)), tcp(None), tcp(flow(1)), hop(Transport::Udp), hop(Transport::Tls)];
    assert_eq!(failed(&hops, tcp(flow(1))), [0, 2, 3]);
}

#[test]
fn a_connection_that_could_not_be_made_spares_those_that_are_there() {
    let hops = [tcp(flow(1)), tcp(None), Hop { local: "192.0.2.1:40000".parse().unwrap(), ..tcp(None) }];
    assert_eq!(failed(&hops, tcp(None)), [1, 2]);
    let elsewhere = Hop { remote: "192.0.2.3:5060".parse().unwrap(), ..tcp(None) };
    assert_eq!(failed(&hops, elsewhere), []);
}

#[test]
fn an_earlier_user_of_the_place_takes_nobody_with_it() {
    let earlier = Some(FlowId { shard: 0, slot: 1, generation: 0 });
    let elsewhere = Hop { remote: "192.0.2.3:5060".parse().unwrap(), ..tcp(earlier) };
    assert_eq!(failed(&[tcp(flow(1)), tcp(None)], elsewhere), []);
}

#[test]
fn datagrams_fail_by_both_addresses() {
    let udp = hop(Transport::Udp);
    let other_local = Hop { local: "192.0.2.1:5080".parse().unwrap(), ..udp };
    let other_remote = Hop { remote: "192.0.2.2:5080".parse().unwrap(), ..udp };
    assert_eq!(failed(&[udp, other_local, other_remote, tcp(None)], udp), [0]);
}
