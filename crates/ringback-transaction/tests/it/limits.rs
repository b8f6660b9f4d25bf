//! Full tables, stale ids, and that nothing is left behind.

use bytes::Bytes;
use ringback_base::{Micros, Now, Transport};
use ringback_message::{HeaderId, Message, Method, Request, Response, StatusCode};
use ringback_transaction::{ClientId, Config, Event, RequestError, RespondError, ServerId, Transactions};

use crate::script::{hop, layer, request, response};

fn numbered(method: &str, number: usize) -> Request {
    request(
        format!(
            "{method} sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}\r\n\
             From: <sip:alice@192.0.2.1>;tag=a\r\nTo: <sip:bob@192.0.2.2>\r\nCall-ID: {number}@192.0.2.1\r\n\
             CSeq: 1 {method}\r\n\r\n"
        )
        .as_bytes(),
    )
}

fn answer(to: &Request, code: u16) -> Response {
    let bare = Response::to(to, StatusCode::new(code).unwrap()).to_tag("b").build_unchecked().unwrap();
    response(bare.as_bytes())
}

fn at(ms: u64) -> Now {
    Now::default().after(Micros::from_ms(ms))
}

/// A layer with one transaction of each side, whose table it fills.
fn full() -> (Transactions, ServerId, ClientId) {
    let config = Config { server_transactions_max: 1, client_transactions_max: 1, ..Config::default() };
    let mut layer = layer(config);
    layer.handle_request(numbered("INVITE", 1), hop(Transport::Udp), at(0));
    let Some(Event::Request { id }) = layer.poll_event() else { panic!() };
    let client = layer.request(numbered("OPTIONS", 2), hop(Transport::Udp), at(0)).unwrap();
    assert!(layer.poll_transmit().is_some());
    (layer, id, client)
}

#[test]
fn a_full_server_table_refuses_with_a_plain_503_and_keeps_what_is_live() {
    let (mut layer, id, _) = full();
    for method in ["INVITE", "OPTIONS", "CANCEL"] {
        let refused = numbered(method, 3);
        layer.handle_request(refused.clone(), hop(Transport::Udp), at(1));
        let sent = layer.poll_transmit().unwrap();
        assert_eq!(sent.hop, hop(Transport::Udp));
        let sent = Response::check(Message::parse(sent.bytes).unwrap()).unwrap();
        assert_eq!((sent.status(), sent.branch()), (StatusCode::ServiceUnavailable, refused.branch()));
        assert!(sent.first(HeaderId::RetryAfter).is_none());
        assert_eq!(sent.to_tag(), Some(layer.stateless_tag(&refused).as_bytes()));
        assert_eq!((layer.poll_event(), layer.poll_transmit()), (None, None));
    }
    assert_eq!((layer.server_len(), layer.counters().server_limit_reached), (1, 3));
    // What is live goes on: its repetitions, its responses, its ACK.
    let live = layer.server_request(id).unwrap().clone();
    layer.handle_request(live.clone(), hop(Transport::Udp), at(2));
    assert_eq!(layer.counters().server_limit_reached, 3);
    let busy = answer(&live, 486);
    layer.respond(id, busy.clone(), at(3)).unwrap();
    layer.handle_request(live.ack(&busy).unwrap(), hop(Transport::Udp), at(4));
    assert_eq!(layer.counters().acks_absorbed, 1);
}

#[test]
fn room_that_was_made_is_used() {
    let (mut layer, id, _) = full();
    let live = layer.server_request(id).unwrap().clone();
    layer.respond(id, answer(&live, 200), at(0)).unwrap();
    layer.handle_timeout(at(32_000));
    layer.handle_request(numbered("OPTIONS", 3), hop(Transport::Udp), at(32_000));
    let mut events = core::iter::from_fn(|| layer.poll_event());
    assert!(events.any(|event| matches!(event, Event::Request { .. })));
    assert_eq!(layer.counters().server_limit_reached, 0);
}

#[test]
fn the_ack_for_a_stateless_refusal_is_absorbed() {
    let (mut layer, ..) = full();
    let refused = numbered("INVITE", 3);
    layer.handle_request(refused.clone(), hop(Transport::Udp), at(0));
    let sent = Response::check(Message::parse(layer.poll_transmit().unwrap().bytes).unwrap()).unwrap();
    layer.handle_request(refused.ack(&sent).unwrap(), hop(Transport::Udp), at(1));
    assert_eq!((layer.poll_event(), layer.counters().acks_absorbed), (None, 1));
    // An ACK with any other tag is somebody's.
    let elsewhere = answer(&refused, 486);
    layer.handle_request(refused.ack(&elsewhere).unwrap(), hop(Transport::Udp), at(2));
    assert!(matches!(layer.poll_event(), Some(Event::Ack { .. })));
}

#[test]
fn a_full_client_table_is_an_error_and_sends_nothing() {
    let (mut layer, _, client) = full();
    let result = layer.request(numbered("OPTIONS", 3), hop(Transport::Udp), at(0));
    assert_eq!(result, Err(RequestError::Full));
    assert_eq!((layer.poll_transmit(), layer.client_len(), layer.counters().client_limit_reached), (None, 1, 1));
    assert!(layer.client_request(client).is_some());
}

#[test]
fn a_stale_server_id_is_never_anothers() {
    let mut layer = layer(Config::default());
    let first = accept(&mut layer, &numbered("OPTIONS", 1), Transport::Tcp);
    let ok = answer(layer.server_request(first).unwrap(), 200);
    layer.respond(first, ok.clone(), at(0)).unwrap();
    assert_eq!(layer.poll_event(), Some(Event::ServerEnded { id: first }));
    let second = accept(&mut layer, &numbered("OPTIONS", 1), Transport::Tcp);
    assert_ne!(first, second);
    assert!(layer.server_request(first).is_none() && layer.server_reply_hop(first).is_none());
    assert_eq!(layer.respond(first, ok.clone(), at(0)), Err(RespondError::Unknown));
    assert!(layer.server_request(second).is_some());
    assert_eq!(layer.server_reply_hop(second), Some(hop(Transport::Tcp)));
    layer.respond(second, ok, at(0)).unwrap();
}

#[test]
fn a_stale_client_id_is_never_anothers() {
    let mut layer = layer(Config::default());
    let options = numbered("OPTIONS", 1);
    let first = layer.request(options.clone(), hop(Transport::Tcp), at(0)).unwrap();
    layer.handle_response(answer(&options, 200), hop(Transport::Tcp), at(0));
    assert!(matches!(layer.poll_event(), Some(Event::Response { .. })));
    assert_eq!(layer.poll_event(), Some(Event::ClientEnded { id: first }));
    let second = layer.request(options.clone(), hop(Transport::Tcp), at(0)).unwrap();
    assert_ne!(first, second);
    assert!(layer.client_request(first).is_none() && layer.client_hop(first).is_none());
    assert_eq!(layer.client_hop(second), Some(hop(Transport::Tcp)));
    layer.abandon(first, at(0));
    layer.handle_response(answer(&options, 200), hop(Transport::Tcp), at(0));
    assert!(matches!(layer.poll_event(), Some(Event::Response { id, .. }) if id == second), "it was not abandoned");
}

#[test]
fn a_late_caller_makes_no_burst() {
    let mut layer = layer(Config::default());
    layer.request(numbered("OPTIONS", 1), hop(Transport::Udp), at(0)).unwrap();
    layer.handle_timeout(at(20_000));
    let sent: Vec<_> = core::iter::from_fn(|| layer.poll_transmit()).collect();
    assert_eq!(sent.len(), 2, "the request, and Timer E once");
    assert_eq!(layer.poll_timeout().unwrap().0, Micros::from_ms(21_000));
}

#[test]
fn what_is_sent_outside_of_transactions_leaves_no_state() {
    let mut layer = layer(Config::default());
    layer.send(Bytes::from_static(b"ACK"), hop(Transport::Udp));
    let sent = layer.poll_transmit().unwrap();
    assert_eq!((sent.hop, &sent.bytes[..]), (hop(Transport::Udp), &b"ACK"[..]));
    assert!(layer.is_idle());
}

/// How a transaction goes. `None` as a response: there is none.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Response(Option<u16>),
    TransportError,
    Abandoned,
}

const OUTCOMES: [Outcome; 7] = [
    Outcome::Response(None),
    Outcome::Response(Some(180)),
    Outcome::Response(Some(200)),
    Outcome::Response(Some(302)),
    Outcome::Response(Some(486)),
    Outcome::TransportError,
    Outcome::Abandoned,
];

const EACH: usize = 50;

fn run_out(layer: &mut Transactions) -> (usize, usize) {
    let (mut ended, mut fired) = (std::collections::BTreeSet::new(), 0);
    let mut others = 0;
    loop {
        while layer.poll_transmit().is_some() {}
        while let Some(event) = layer.poll_event() {
            match event {
                Event::ClientEnded { id } => assert!(ended.insert(format!("{id:?}")), "twice: {id:?}"),
                Event::ServerEnded { id } => assert!(ended.insert(format!("{id:?}")), "twice: {id:?}"),
                _ => others += 1,
            }
        }
        let Some((at, reason)) = layer.poll_timeout() else { return (ended.len(), others) };
        fired += 1;
        assert!(fired < 100_000, "{reason} never stops");
        layer.handle_timeout(Now::default().after(at));
    }
}

#[test]
fn no_outcome_of_a_client_transaction_leaves_anything() {
    for transport in [Transport::Udp, Transport::Tcp] {
        for method in ["INVITE", "OPTIONS"] {
            for outcome in OUTCOMES {
                // A proxy's Timer C or a UA's CANCEL ends an INVITE that only rings.
                let rings = matches!(outcome, Outcome::Response(Some(180))) && method == "INVITE";
                let mut layer = layer(Config::default());
                let requests: Vec<Request> = (0..EACH).map(|number| numbered(method, number)).collect();
                let start = |request: &Request| layer.request(request.clone(), hop(transport), at(0)).unwrap();
                let ids: Vec<ClientId> = requests.iter().map(start).collect();
                for (request, id) in requests.iter().zip(&ids) {
                    match outcome {
                        Outcome::Response(Some(code)) => {
                            layer.handle_response(answer(request, code), hop(transport), at(10))
                        }
                        Outcome::Response(None) => {}
                        Outcome::TransportError => layer.handle_transport_error(&hop(transport), at(10)),
                        Outcome::Abandoned => layer.abandon(*id, at(10)),
                    }
                    if rings {
                        layer.abandon(*id, at(20));
                    }
                }
                let (ended, others) = run_out(&mut layer);
                assert_eq!(ended, EACH, "{method} {outcome:?} {transport}");
                assert_eq!(others == 0, matches!(outcome, Outcome::Abandoned), "{method} {outcome:?} {transport}");
                assert!(layer.is_idle(), "{method} {outcome:?} {transport}");
            }
        }
    }
}

#[test]
fn no_outcome_of_a_server_transaction_leaves_anything() {
    for transport in [Transport::Udp, Transport::Tcp] {
        for method in [Method::Invite, Method::Options, Method::Cancel] {
            for outcome in OUTCOMES {
                for acknowledged in [false, true] {
                    let mut layer = layer(Config::default());
                    let requests: Vec<Request> = (0..EACH).map(|number| numbered(method.as_str(), number)).collect();
                    let ids: Vec<ServerId> =
                        requests.iter().map(|request| accept(&mut layer, request, transport)).collect();
                    for (request, id) in requests.iter().zip(ids) {
                        serve(&mut layer, request, id, transport, outcome, acknowledged);
                    }
                    let (ended, _) = run_out(&mut layer);
                    let context = format!("{method} {outcome:?} {transport}");
                    assert_eq!(ended, EACH, "{context}");
                    assert!(layer.is_idle(), "{context}");
                }
            }
        }
    }
}

fn accept(layer: &mut Transactions, request: &Request, transport: Transport) -> ServerId {
    layer.handle_request(request.clone(), hop(transport), at(0));
    match layer.poll_event() {
        Some(Event::Request { id } | Event::Cancel { id, .. }) => id,
        other => panic!("{other:?}"),
    }
}

fn serve(
    layer: &mut Transactions,
    request: &Request,
    id: ServerId,
    transport: Transport,
    outcome: Outcome,
    acknowledged: bool,
) {
    let hop = hop(transport);
    let invite = request.is(&Method::Invite);
    let code = match outcome {
        Outcome::Response(code) => code,
        Outcome::TransportError => {
            layer.handle_transport_error(&hop, at(5));
            None
        }
        Outcome::Abandoned => None,
    };
    // Only the TU can end an INVITE that it has not answered.
    let codes = [code, (invite && code.is_none_or(|code| code < 200)).then_some(487)];
    for code in codes.into_iter().flatten() {
        let response = answer(request, code);
        let result = layer.respond(id, response.clone(), at(10));
        assert_eq!(result.is_ok(), invite || code >= 200, "{code}: no 180 to a non-INVITE");
        if acknowledged && invite && code >= 300 {
            layer.handle_request(request.ack(&response).unwrap(), hop, at(20));
        }
    }
}
