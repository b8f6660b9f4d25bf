//! Which transaction a message finds: RFC 3261, Sections 17.1.3, 17.2.3 and 9.2; RFC 6026, Section 6.

use ringback_base::{Now, Transport};
use ringback_message::{Request, Response, StatusCode};
use ringback_transaction::{Config, Event, RequestError, RespondError, ServerId, Transactions};

use crate::script::{hop, layer, request, response};

const INVITE: &str = "INVITE sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP host.example;branch=z9hG4bKabc\r\n\
    From: <sip:alice@192.0.2.1>;tag=a\r\nTo: <sip:bob@192.0.2.2>\r\nCall-ID: 1@192.0.2.1\r\nCSeq: 1 INVITE\r\n\r\n";

/// As an element of RFC 2543 sends it.
const OLD: &str = "INVITE sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP host.example\r\n\
    From: <sip:alice@192.0.2.1>;tag=a\r\nTo: <sip:bob@192.0.2.2>\r\nCall-ID: 1@192.0.2.1\r\nCSeq: 1 INVITE\r\n\r\n";

const OK: &str = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP host.example;branch=z9hG4bKabc\r\n\
    From: <sip:alice@192.0.2.1>;tag=a\r\nTo: <sip:bob@192.0.2.2>;tag=b\r\nCall-ID: 1@192.0.2.1\r\nCSeq: 1 INVITE\r\n\r\n";

struct Server(Transactions);

impl Server {
    fn new() -> Server {
        Server(layer(Config::default()))
    }

    /// Takes a request in and returns its event, if it has one.
    fn takes(&mut self, request: Request) -> Option<Event> {
        self.0.handle_request(request, hop(Transport::Udp), Now::default());
        let event = self.0.poll_event();
        assert_eq!(self.0.poll_event(), None);
        event
    }

    fn makes(&mut self, text: &str) -> ServerId {
        match self.takes(request(text.as_bytes())) {
            Some(Event::Request { id }) => id,
            other => panic!("{other:?} for\n{text}"),
        }
    }

    fn is_repetition(&mut self, text: &str) -> bool {
        self.takes(request(text.as_bytes())).is_none()
    }

    fn responds(&mut self, id: ServerId, code: StatusCode, tag: &str) {
        let response = Response::to(self.0.server_request(id).unwrap(), code)
            .to_tag(tag)
            .contact("sip:b@b.example", None)
            .build()
            .unwrap();
        self.0.respond(id, response, Now::default()).unwrap();
        assert!(self.0.poll_transmit().is_some());
    }
}

/// The request with all methods changed, and a To tag if one is given.
fn other(text: &str, method: &str, to_tag: Option<&str>) -> String {
    let text = text.replace("INVITE", method);
    to_tag.map_or(text.clone(), |tag| {
        text.replace("To: <sip:bob@192.0.2.2>", &format!("To: <sip:bob@192.0.2.2>;tag={tag}"))
    })
}

#[test]
fn a_repetition_has_branch_sent_by_and_method_of_the_first() {
    let mut server = Server::new();
    server.makes(INVITE);
    assert!(server.is_repetition(INVITE));
    // What else it says does not matter.
    assert!(
        server.is_repetition(&INVITE.replace("1@192.0.2.1", "2@192.0.2.1").replace("sip:bob@192.0.2.2 ", "sip:x "))
    );
    for differs in [
        INVITE.replace("z9hG4bKabc", "z9hG4bKabd"),
        INVITE.replace("host.example", "host2.example"),
        INVITE.replace("host.example", "host.example:5061"),
        INVITE.replace("INVITE", "OPTIONS"),
        INVITE.replace("INVITE", "invite"),
    ] {
        server.makes(&differs);
        assert!(server.is_repetition(&differs));
    }
    assert_eq!((server.0.server_len(), server.0.counters().requests_repeated), (6, 7));
}

#[test]
fn host_names_and_branches_match_in_any_case() {
    let mut server = Server::new();
    server.makes(INVITE);
    assert!(server.is_repetition(&INVITE.replace("host.example", "HOST.Example")));
    assert!(server.is_repetition(&INVITE.replace("z9hG4bKabc", "Z9HG4BKABC")));
    let long = "x".repeat(200);
    server.makes(&INVITE.replace("abc", &long));
    assert!(server.is_repetition(&INVITE.replace("abc", &long.to_uppercase())));
}

#[test]
fn what_the_transport_adds_to_the_top_via_does_not_matter() {
    for text in [INVITE, OLD] {
        let mut server = Server::new();
        server.makes(text);
        assert!(server.is_repetition(&text.replace("host.example", "host.example;received=192.0.2.9;rport=5062")));
    }
}

#[test]
fn an_ack_matches_the_invite() {
    let mut server = Server::new();
    let id = server.makes(INVITE);
    server.responds(id, StatusCode::BusyHere, "b");
    assert!(server.is_repetition(&other(INVITE, "ACK", Some("b"))));
    assert_eq!(server.0.counters().acks_absorbed, 1);
    let of_2xx = other(INVITE, "ACK", Some("b")).replace("abc", "abd");
    assert!(matches!(server.takes(request(of_2xx.as_bytes())), Some(Event::Ack { .. })));
    assert_eq!(server.0.server_len(), 1);
}

#[test]
fn a_cancel_names_the_invite_of_its_branch_in_any_state() {
    let mut server = Server::new();
    let invite = server.makes(INVITE);
    assert!(!server.0.is_answered(invite));
    let cancel = other(INVITE, "CANCEL", None);
    let Some(Event::Cancel { id, invite: named }) = server.takes(request(cancel.as_bytes())) else { panic!() };
    assert_eq!(named, Some(invite));
    assert_ne!(id, invite);
    assert!(server.is_repetition(&cancel));
    server.responds(id, StatusCode::Ok, "b");
    server.responds(invite, StatusCode::RequestTerminated, "b");
    assert!(server.0.is_answered(invite) && server.0.is_answered(id));

    let elsewhere = cancel.replace("host.example", "host2.example");
    let event = server.takes(request(elsewhere.as_bytes()));
    assert!(matches!(event, Some(Event::Cancel { invite: None, .. })), "{event:?}");
}

#[test]
fn a_cancel_after_the_final_response_still_finds_the_invite() {
    let mut server = Server::new();
    let invite = server.makes(INVITE);
    server.responds(invite, StatusCode::Ok, "b");
    let event = server.takes(request(other(INVITE, "CANCEL", None).as_bytes()));
    assert!(matches!(event, Some(Event::Cancel { invite: Some(named), .. }) if named == invite), "{event:?}");
}

#[test]
fn without_a_cookie_everything_is_compared() {
    let mut server = Server::new();
    server.makes(OLD);
    assert!(server.is_repetition(OLD));
    assert!(server.is_repetition(&OLD.replace("host.example", "Host.Example").replace("tag=a", "tag=A")));
    for differs in [
        OLD.replace("sip:bob@192.0.2.2 ", "sip:carol@192.0.2.2 "),
        OLD.replace("bob@192.0.2.2>", "bob@192.0.2.2>;tag=b"),
        OLD.replace("tag=a", "tag=b"),
        OLD.replace(";tag=a", ""),
        OLD.replace("Call-ID: 1@192", "Call-ID: 2@192"),
        OLD.replace("CSeq: 1", "CSeq: 2"),
        OLD.replace("INVITE", "OPTIONS"),
        OLD.replace("host.example", "host2.example"),
        OLD.replace("host.example", "host.example:5060"),
        OLD.replace("2.0/UDP", "2.0/TCP"),
        OLD.replace("host.example", "host.example;branch=1"),
        OLD.replace("host.example", "host.example;branch=2"),
        // The cookie alone makes no branch unique.
        OLD.replace("host.example", "host.example;branch=z9hG4bK"),
        OLD.replace("host.example", "host.example;branch=z9hG4bK").replace("Call-ID: 1@192", "Call-ID: 2@192"),
    ] {
        server.makes(&differs);
        assert!(server.is_repetition(&differs), "{differs}");
    }
}

#[test]
fn without_a_cookie_the_call_id_is_compared_in_its_case() {
    let mut server = Server::new();
    server.makes(&OLD.replace("Call-ID: 1@192.0.2.1", "Call-ID: a@host"));
    server.makes(&OLD.replace("Call-ID: 1@192.0.2.1", "Call-ID: A@host"));
}

#[test]
fn without_a_cookie_an_ack_matches_by_the_to_tag_of_the_response() {
    let mut server = Server::new();
    let id = server.makes(OLD);
    server.responds(id, StatusCode::BusyHere, "b");
    let foreign = other(OLD, "ACK", Some("c"));
    assert!(matches!(server.takes(request(foreign.as_bytes())), Some(Event::Ack { .. })));
    assert_eq!(server.0.counters().acks_absorbed, 0);
    assert!(server.is_repetition(&other(OLD, "ACK", Some("b"))));
    assert!(server.is_repetition(&other(OLD, "ACK", Some("b"))), "again, in Confirmed");
    assert_eq!(server.0.counters().acks_absorbed, 2);
    assert!(matches!(server.takes(request(foreign.as_bytes())), Some(Event::Ack { .. })));
}

#[test]
fn without_a_cookie_an_ack_of_a_re_invite_matches() {
    let mut server = Server::new();
    let inside = OLD.replace("bob@192.0.2.2>", "bob@192.0.2.2>;tag=b");
    let id = server.makes(&inside);
    server.responds(id, StatusCode::NotAcceptableHere, "b");
    assert!(server.is_repetition(&other(&inside, "ACK", None)));
    assert_eq!(server.0.counters().acks_absorbed, 1);
}

#[test]
fn without_a_cookie_an_ack_in_accepted_goes_to_the_user() {
    let mut server = Server::new();
    let id = server.makes(OLD);
    server.responds(id, StatusCode::Ok, "b");
    assert!(matches!(server.takes(request(other(OLD, "ACK", Some("b")).as_bytes())), Some(Event::Ack { .. })));
    assert!(server.is_repetition(OLD));
}

#[test]
fn without_a_cookie_a_cancel_names_its_invite() {
    let mut server = Server::new();
    let invite = server.makes(OLD);
    let event = server.takes(request(other(OLD, "CANCEL", None).as_bytes()));
    assert!(matches!(event, Some(Event::Cancel { invite: Some(named), .. }) if named == invite), "{event:?}");
    let event = server.takes(request(other(&OLD.replace("CSeq: 1", "CSeq: 2"), "CANCEL", None).as_bytes()));
    assert!(matches!(event, Some(Event::Cancel { invite: None, .. })), "{event:?}");
}

#[test]
fn a_response_matches_by_branch_and_method_and_else_is_stray() {
    let mut client = layer(Config::default());
    let hop = hop(Transport::Udp);
    let id = client.request(request(INVITE.as_bytes()), hop, Now::default()).unwrap();
    assert!(client.poll_transmit().is_some());
    for (text, stray) in [
        (OK.replace("abc", "abd"), true),
        (OK.replace("CSeq: 1 INVITE", "CSeq: 1 CANCEL"), true),
        (OK.replace("CSeq: 1 INVITE", "CSeq: 1 invite"), true),
        (OK.replace("z9hG4bKabc", "abc"), true),
        (OK.replace(";branch=z9hG4bKabc", ""), true),
        (OK.into(), false),
        (OK.replace("z9hG4bKabc", "Z9hG4bKABC"), false),
        (OK.replace("z9hG4bKabc", "z9hG4bKabc;received=192.0.2.1;rport=5060"), false),
    ] {
        client.handle_response(response(text.as_bytes()), hop, Now::default());
        match client.poll_event().unwrap() {
            Event::StrayResponse { response, from } => {
                assert!(stray && from == hop, "{text}");
                assert_eq!(response.as_bytes(), text.as_bytes());
            }
            Event::Response { id: to, .. } => assert!(!stray && to == id, "{text}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(client.counters().responses_stray, 5);
    assert_eq!(client.poll_transmit(), None, "no 2xx and no stray response is acknowledged");
}

#[test]
fn an_invite_and_its_cancel_share_the_branch() {
    let mut client = layer(Config::default());
    let hop = hop(Transport::Udp);
    let invite = request(INVITE.as_bytes());
    let cancel = invite.cancel().unwrap();
    let invite_id = client.request(invite, hop, Now::default()).unwrap();
    let cancel_id = client.request(cancel, hop, Now::default()).unwrap();
    assert_eq!(client.client_request(cancel_id).unwrap().branch(), client.client_request(invite_id).unwrap().branch());
    client.handle_response(response(OK.replace("1 INVITE", "1 CANCEL").as_bytes()), hop, Now::default());
    let event = client.poll_event();
    assert!(matches!(event, Some(Event::Response { id, .. }) if id == cancel_id), "{event:?}");
}

#[test]
fn what_is_no_client_transaction_is_refused() {
    let mut client = layer(Config::default());
    let hop = hop(Transport::Udp);
    let mut start = |text: &str| client.request(request(text.as_bytes()), hop, Now::default());
    assert_eq!(start(&INVITE.replace("INVITE", "ACK")), Err(RequestError::Ack));
    assert_eq!(start(OLD), Err(RequestError::NoBranch));
    assert_eq!(start(&INVITE.replace("abc", "")), Err(RequestError::NoBranch));
    assert!(start(INVITE).is_ok());
    assert_eq!(start(INVITE), Err(RequestError::BranchInUse));
    assert_eq!(client.client_len(), 1);
    assert!(client.poll_transmit().is_some() && client.poll_transmit().is_none());
}

#[test]
fn a_response_to_another_request_is_refused() {
    let mut server = Server::new();
    let id = server.makes(INVITE);
    for foreign in [
        OK.replace("abc", "abd"),
        OK.replace(";branch=z9hG4bKabc", ""),
        OK.replace("CSeq: 1 INVITE", "CSeq: 2 INVITE"),
        OK.replace("CSeq: 1 INVITE", "CSeq: 1 CANCEL"),
        OK.replace("Call-ID: 1", "Call-ID: 2"),
    ] {
        let result = server.0.respond(id, response(foreign.as_bytes()), Now::default());
        assert_eq!(result, Err(RespondError::Foreign), "{foreign}");
    }
    assert_eq!(server.0.poll_transmit(), None);
    assert_eq!(server.0.respond(id, response(OK.as_bytes()), Now::default()), Ok(()));
}
