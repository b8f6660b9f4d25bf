//! Requests that are too large for a datagram. `[RFC 3261, Section 18.1.1]`

use ringback_base::{Hop, Now, Random, Transport};
use ringback_message::header::Subject;
use ringback_message::{HeaderId, Message, Request};
use ringback_ua::{Config, Event, Local, Media, Outbound, UserAgent};

use crate::net::{address, uri};
use crate::registration::response;

/// An agent that has these transports, and calls with this much to say; and its INVITE.
fn calls(transports: &[Transport], bytes: usize) -> (UserAgent, Request, Hop) {
    let locals = transports.iter().map(|transport| Local::new(*transport, address(0))).collect();
    let mut agent = UserAgent::new(Config::new("alice", locals), Random::from_seed([8; 32]));
    let outbound = Outbound::new("sip:alice@b.example", &uri(1)).with(Subject::new("x".repeat(bytes)));
    agent.invite(&outbound, Media::None, Now::default()).unwrap();
    let (invite, hop) = sent(&mut agent);
    (agent, invite, hop)
}

fn sent(agent: &mut UserAgent) -> (Request, Hop) {
    let transmit = agent.poll_transmit().expect("a request");
    (Request::check(Message::parse(transmit.bytes).unwrap()).unwrap(), transmit.hop)
}

fn contact(invite: &Request) -> String {
    String::from_utf8(invite.first(HeaderId::Contact).unwrap().value().to_vec()).unwrap()
}

const BOTH: [Transport; 2] = [Transport::Udp, Transport::Tcp];

#[test]
fn rfc3261_section_18_1_1_a_large_request_goes_by_tcp_and_where_nobody_listens_as_a_datagram() {
    let (mut agent, invite, hop) = calls(&BOTH, 1_200);
    assert!(invite.as_bytes().len() > 1_300);
    assert_eq!((hop.transport, hop.remote), (Transport::Tcp, address(1)));
    assert_eq!((invite.top_via().transport, contact(&invite).contains(";transport=tcp")), (&b"TCP"[..], true));
    agent.handle_transport_error(&hop, Now::default());
    let (again, hop) = sent(&mut agent);
    assert_eq!((hop.transport, again.top_via().transport), (Transport::Udp, &b"UDP"[..]));
    assert!(!contact(&again).contains("transport"));
    assert_ne!(again.branch(), invite.branch());
    assert_eq!(again.call_id(), invite.call_id());
    // That is the last of it.
    agent.handle_transport_error(&hop, Now::default());
    assert!(agent.poll_transmit().is_none());
    assert!(std::iter::from_fn(|| agent.poll_event()).any(|event| matches!(event, Event::InviteFailed { .. })));
}

#[test]
fn rfc3261_section_18_1_1_what_fits_and_what_has_no_other_way_goes_as_a_datagram() {
    assert_eq!(calls(&BOTH, 500).2.transport, Transport::Udp);
    assert_eq!(calls(&[Transport::Udp], 1_200).2.transport, Transport::Udp);
}

/// Whoever was reached by TCP has answered: it is not asked again by another transport.
#[test]
fn rfc3261_section_18_1_1_a_server_that_has_answered_by_tcp_is_not_sent_datagrams() {
    let (mut agent, invite, hop) = calls(&BOTH, 1_200);
    agent.handle_response(response(&invite, 503, &[]), hop, Now::default());
    let acks: Vec<_> = std::iter::from_fn(|| agent.poll_transmit()).collect();
    assert!(acks.len() == 1 && acks[0].bytes.starts_with(b"ACK ") && acks[0].hop.transport == Transport::Tcp);
}
