//! Responses whose connection is gone. `[RFC 3261, Section 18.2.2]` `[RFC 3263, Section 5]`

use ringback_base::{FlowId, Hop, Micros, Now, Random, Transport};
use ringback_message::{Message, Request, StatusCode};
use ringback_ua::{Config, Event, Local, UserAgent};

use crate::net::address;

/// An agent that was called by a connection, from whoever wrote this Via.
fn called(via: &str) -> (UserAgent, Hop) {
    let locals = [Transport::Udp, Transport::Tcp].map(|transport| Local::new(transport, address(0)));
    let mut agent = UserAgent::new(Config::new("bob", locals.to_vec()), Random::from_seed([4; 32]));
    let text = format!(
        "INVITE sip:bob@192.0.2.1 SIP/2.0\r\nVia: {via};branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@a.example>;tag=1\r\n\
         To: <sip:bob@192.0.2.1>\r\nCall-ID: 7\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.2>\r\nContent-Length: 0\r\n\r\n"
    );
    let flow = Some(FlowId { shard: 0, slot: 1, generation: 1 });
    let hop = Hop { transport: Transport::Tcp, local: address(0), remote: address(1), flow };
    agent.handle_request(Request::parse(text.as_bytes()).unwrap(), hop, Now::default());
    assert_eq!(sent(&mut agent), [(100, hop)]);
    (agent, hop)
}

fn sent(agent: &mut UserAgent) -> Vec<(u16, Hop)> {
    let all = std::iter::from_fn(|| agent.poll_transmit());
    all.map(|sent| (Message::parse(sent.bytes).unwrap().status().unwrap().as_u16(), sent.hop)).collect()
}

/// Refuses the call, and loses its connection.
fn refuses_and_loses(agent: &mut UserAgent, hop: Hop) -> Hop {
    let session = std::iter::from_fn(|| agent.poll_event()).find_map(|event| match event {
        Event::Incoming { session, .. } => Some(session),
        _ => None,
    });
    agent.reject(session.unwrap(), StatusCode::BusyHere, |response| response, Now::default()).unwrap();
    assert_eq!(sent(agent), [(486, hop)]);
    agent.handle_transport_error(&hop, Now::default());
    assert!(sent(agent).is_empty(), "it is the transport that opens the next connection to the source");
    Hop { flow: None, ..hop }
}

#[test]
fn rfc3263_section_5_a_response_goes_where_sent_by_leads() {
    let (mut agent, hop) = called("SIP/2.0/TCP edge.example");
    let loose = refuses_and_loses(&mut agent, hop);
    assert!(agent.poll_lookup().is_none());
    agent.handle_transport_error(&loose, Now::default());
    let lookup = agent.poll_lookup().unwrap();
    assert_eq!(&*lookup.uri, b"sip:edge.example;transport=tcp");
    let [one, two] = [2, 3].map(|number| Hop { remote: address(number), ..loose });
    agent.handle_hops(lookup.id, &[loose, one, two], Now::default());
    assert_eq!(sent(&mut agent), [(486, one)], "the source was tried already");
    agent.handle_transport_error(&one, Now::default());
    assert_eq!(sent(&mut agent), [(486, two)]);
    agent.handle_transport_error(&two, Now::default());
    assert!(sent(&mut agent).is_empty() && agent.poll_lookup().is_none());
    // Nobody acknowledges it: Timer H.
    agent.handle_timeout(Now::default().after(Micros::from_secs(32)));
    while agent.poll_event().is_some() {}
    assert!(agent.is_idle());
}

#[test]
fn rfc3263_section_5_an_address_needs_no_look_up() {
    let (mut agent, hop) = called(&format!("SIP/2.0/TCP {}", address(3)));
    let loose = refuses_and_loses(&mut agent, hop);
    agent.handle_transport_error(&loose, Now::default());
    assert!(agent.poll_lookup().is_none());
    assert_eq!(sent(&mut agent), [(486, Hop { remote: address(3), ..loose })]);
}

/// Its name leads nowhere, and nobody else opens a connection to it. [RFC 7118, Section 5]
#[test]
fn the_response_to_a_page_goes_by_its_connection_or_not_at_all() {
    let (mut agent, hop) = called("SIP/2.0/WS x.invalid");
    let loose = refuses_and_loses(&mut agent, hop);
    agent.handle_transport_error(&loose, Now::default());
    assert!(agent.poll_lookup().is_none() && sent(&mut agent).is_empty());
}
