#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use alloc::format;
use bytes::Bytes;
use ringback_base::{Hop, Transport};
use ringback_message::{Message, Request};

fn request(via: &str) -> Request {
    let text = format!(
        "OPTIONS sip:b SIP/2.0\r\nVia: {via}\r\nFrom: <sip:a@a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: 7\r\nCSeq: 1 OPTIONS\r\n\r\n"
    );
    Request::check(Message::parse(Bytes::from(text)).unwrap()).unwrap()
}

fn hop(remote: &str) -> Hop {
    Hop::udp("192.0.2.1:5060".parse().unwrap(), remote.parse().unwrap())
}

fn stamped(via: &str, remote: &str) -> (alloc::string::String, Hop) {
    let hop = hop(remote);
    let request = stamp(request(via), &hop).unwrap();
    let line = request.first(ringback_message::HeaderId::Via).unwrap().value();
    (core::str::from_utf8(line).unwrap().into(), reply_hop(&request.top_via(), hop))
}

#[test]
fn what_is_right_stays_as_it_is() {
    let (via, reply) = stamped("SIP/2.0/UDP 198.51.100.7 : 5070 ;branch=z9hG4bK1", "198.51.100.7:9999");
    assert_eq!(via, "SIP/2.0/UDP 198.51.100.7 : 5070 ;branch=z9hG4bK1");
    assert_eq!(reply.remote, "198.51.100.7:5070".parse().unwrap());
}

/// [RFC 6223, Section 4.4]
#[test]
fn keep_alives_that_are_offered_are_granted() {
    let granted = |via: &str| {
        let response = request(via);
        granted_keep(&response, 120).map(|(_, value)| alloc::string::String::from_utf8(value).unwrap())
    };
    let offered = "SIP/2.0/TCP p.example ;branch=z9hG4bK1;Keep;rport=7, SIP/2.0/UDP 10.0.0.1;keep";
    let expected = "SIP/2.0/TCP p.example;branch=z9hG4bK1;keep=120;rport=7, SIP/2.0/UDP 10.0.0.1;keep";
    assert_eq!(granted(offered).as_deref(), Some(expected));
    for via in ["SIP/2.0/TCP p.example;branch=z9hG4bK1;keep=30", "SIP/2.0/TCP a;branch=z9hG4bK1, SIP/2.0/UDP b;keep"] {
        assert_eq!(granted(via), None, "{via}");
    }
}

#[test]
fn another_source_is_noted() {
    let (via, reply) = stamped("SIP/2.0/UDP phone.example;branch=z9hG4bK1, SIP/2.0/UDP 10.0.0.1", "198.51.100.7:9999");
    assert_eq!(via, "SIP/2.0/UDP phone.example;branch=z9hG4bK1;received=198.51.100.7, SIP/2.0/UDP 10.0.0.1");
    assert_eq!(reply.remote, "198.51.100.7:5060".parse().unwrap());
}

/// The torture messages have such lines, and a request with one is no less legal. `[RFC 3261, Section 7.3.1]`
#[test]
fn a_folded_line_is_noted_too() {
    for fold in ["\r\n ", "\r\n\t", "\n  "] {
        let via = format!("SIP/2.0/UDP phone.example;rport{fold};branch=z9hG4bK1,{fold}SIP/2.0/UDP 10.0.0.1");
        let (via, _) = stamped(&via, "198.51.100.7:9999");
        assert_eq!(
            via,
            "SIP/2.0/UDP phone.example;branch=z9hG4bK1;received=198.51.100.7;rport=9999, SIP/2.0/UDP 10.0.0.1"
        );
    }
}

#[test]
fn rport_is_answered_and_brings_received_with_it() {
    let (via, reply) = stamped("SIP/2.0/UDP 198.51.100.7:5070;rport;branch=z9hG4bK1", "198.51.100.7:9999");
    assert_eq!(via, "SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK1;received=198.51.100.7;rport=9999");
    assert_eq!(reply.remote, "198.51.100.7:9999".parse().unwrap());
}

#[test]
fn what_the_sender_says_of_received_is_not_believed() {
    let (via, reply) =
        stamped("SIP/2.0/UDP 198.51.100.7:5070;received=203.0.113.9;branch=z9hG4bK1", "198.51.100.7:9999");
    assert_eq!(via, "SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK1;received=198.51.100.7");
    assert_eq!(reply.remote.ip(), "198.51.100.7".parse::<core::net::IpAddr>().unwrap());
}

#[test]
fn maddr_leads_nowhere() {
    let (_, reply) = stamped("SIP/2.0/UDP 198.51.100.7:5070;maddr=203.0.113.9;branch=z9hG4bK1", "198.51.100.7:9999");
    assert_eq!(reply.remote, "198.51.100.7:5070".parse().unwrap());
}

#[test]
fn ipv6_is_stamped_without_brackets() {
    let (via, _) = stamped("SIP/2.0/UDP [2001:db8::9]:5070;rport;branch=z9hG4bK1", "[2001:db8::8]:7");
    assert_eq!(via, "SIP/2.0/UDP [2001:db8::9]:5070;branch=z9hG4bK1;received=2001:db8::8;rport=7");
}

#[test]
fn datagrams_by_their_first_bytes() {
    assert_eq!(Datagram::classify(b""), Datagram::KeepAlive);
    assert_eq!(Datagram::classify(b"\r\n\r\n"), Datagram::KeepAlive);
    assert_eq!(Datagram::classify(&[0, 0, 0, 0]), Datagram::KeepAlive);
    assert_eq!(Datagram::classify(&[0, 1, 0, 0, 0x21, 0x12]), Datagram::Stun);
    assert_eq!(Datagram::classify(b"\r\nOPTIONS"), Datagram::Message);
}

#[test]
fn call_ids_are_found_without_reading_all() {
    assert_eq!(peek_call_id(b"\r\nINVITE a SIP/2.0\r\nVia: x\r\nCall-ID : a@b \r\n\r\n"), Some(&b"a@b"[..]));
    assert_eq!(peek_call_id(b"INVITE a SIP/2.0\r\ni:9\r\n"), Some(&b"9"[..]));
    assert_eq!(peek_call_id(b"INVITE a SIP/2.0\r\nVia: x\r\n\r\nCall-ID: body\r\n"), None);
    for odd in [&b""[..], b"\n", b"\n\n\n", b"x", b"x\ny\nz"] {
        assert_eq!(peek_call_id(odd), None);
    }
}

#[test]
fn branches_are_found_in_what_is_left_of_a_request() {
    let start =
        b"INVITE sip:b SIP/2.0\r\nv : SIP/2.0/UDP h;rport; Branch = z9hG4bK1 ;x, SIP/2.0/UDP g;branch=z9hG4bK2\r\nFr";
    assert_eq!(peek_branch(start), Some((&b"INVITE"[..], &b"z9hG4bK1"[..])));
    for cut in 0..start.len() - 2 {
        assert_eq!(peek_branch(&start[..cut]), None, "{cut}");
    }
    for other in [
        &b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"[..],
        b"INVITE a SIP/2.0\r\nVia: x\r\n",
        b"\n\n",
        b"a\n:\n",
    ] {
        assert_eq!(peek_branch(other), None);
    }
}

#[test]
fn sent_by_is_written_as_via_wants_it() {
    assert_eq!(sent_by(Transport::Udp, "[::1]:5060"), "SIP/2.0/UDP [::1]:5060");
}

#[test]
fn a_connection_that_is_gone_is_opened_anew_at_the_port_of_sent_by() {
    let from = Hop {
        transport: Transport::Tcp,
        flow: Some(ringback_base::FlowId { shard: 0, slot: 1, generation: 2 }),
        ..hop("198.51.100.7:40123")
    };
    let reply = reply_hop(&request("SIP/2.0/TCP phone.example:5071;branch=z9hG4bK1;rport").top_via(), from);
    assert_eq!((reply.flow, reply.remote), (from.flow, "198.51.100.7:5071".parse().unwrap()));
}
