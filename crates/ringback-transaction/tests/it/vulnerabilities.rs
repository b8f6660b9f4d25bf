//! What broke others, as far as transactions have to do with it: one test an advisory.

use ringback_base::{FlowId, Hop, Micros, Now, Transport};
use ringback_message::{Request, Response, StatusCode};
use ringback_transaction::{ClientId, Config, Event, ServerId, State, Transactions};

use crate::script::{hop, layer, request, response};

/// A request that names what is asked of it: its method, branch, Call-ID and CSeq.
fn text(method: &str, branch: &str, number: usize) -> String {
    format!(
        "{method} sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1{branch}\r\n\
         From: <sip:alice@192.0.2.1>;tag=a\r\nTo: <sip:bob@192.0.2.2>\r\nCall-ID: {number}@192.0.2.1\r\n\
         CSeq: {number} {method}\r\n\r\n"
    )
}

fn numbered(method: &str, number: usize) -> Request {
    request(text(method, &format!(";branch=z9hG4bK{number}"), number).as_bytes())
}

fn answer(to: &Request, code: u16) -> Response {
    let bare = Response::to(to, StatusCode::new(code).unwrap()).to_tag("b").build_unchecked().unwrap();
    response(bare.as_bytes())
}

fn at(ms: u64) -> Now {
    Now::default().after(Micros::from_ms(ms))
}

fn comes(layer: &mut Transactions, request: Request, hop: Hop, now: Now) -> Option<ServerId> {
    layer.handle_request(request, hop, now);
    match layer.poll_event() {
        Some(Event::Request { id } | Event::Cancel { id, .. }) => Some(id),
        _ => None,
    }
}

/// Everything out of the queues; how many of each kind of end.
fn drain(layer: &mut Transactions) -> usize {
    let mut ended = 0;
    while let Some(event) = layer.poll_event() {
        ended += usize::from(matches!(event, Event::ClientEnded { .. } | Event::ServerEnded { .. }));
    }
    while layer.poll_transmit().is_some() {}
    ended
}

/// Fires every timer until none is left.
fn run_out(layer: &mut Transactions) -> usize {
    let mut ended = drain(layer);
    while let Some((when, _)) = layer.poll_timeout() {
        layer.handle_timeout(Now::default().after(when));
        ended += drain(layer);
    }
    ended
}

/// PJSIP CVE-2017-9372, AST-2017-002: the key of a transaction without a unique branch was built into a buffer from
/// CSeq, method and Via, however long.
#[test]
fn cve_2017_9372_keys_of_any_length() {
    let mut layer = layer(Config::default());
    let long = "M".repeat(4_096);
    let branches = [String::new(), ";branch=1".into(), format!(";branch={long}"), format!(";branch=z9hG4bK{long}")];
    for method in ["INVITE", &long] {
        for branch in &branches {
            let cseq = |line: &str| request(text(method, branch, 7).replace("CSeq: 7", line).as_bytes());
            let first = comes(&mut layer, cseq("CSeq: 2147483647"), hop(Transport::Udp), at(0));
            assert!(first.is_some());
            let repeated = comes(&mut layer, cseq("CSeq: 2147483647"), hop(Transport::Udp), at(1));
            assert_eq!(repeated, None, "{} {}", method.len(), branch.len());
            // All of it counts: the next CSeq is another request, where the branch does not say it all.
            let next = comes(&mut layer, cseq("CSeq: 2147483646"), hop(Transport::Udp), at(2));
            assert_eq!(next.is_some(), !branch.contains("z9hG4bK"));
        }
    }
}

/// pjproject 2da6cf3e3: the transport failed at once, while the sender was still at work with its transaction.
#[test]
fn pjproject_2da6cf3e3_sending_fails_at_once() {
    let mut layer = layer(Config::default());
    for method in ["INVITE", "OPTIONS"] {
        for number in 0..100 {
            let id = layer.request(numbered(method, number), hop(Transport::Udp), at(0)).unwrap();
            // Before anything was fetched.
            layer.handle_transport_error(&hop(Transport::Udp), at(0));
            assert_eq!((layer.client_state(id), layer.client_request(id).is_some()), (None, false));
            layer.abandon(id, at(0));
            layer.handle_response(answer(&numbered(method, number), 200), hop(Transport::Udp), at(1));
            assert!(matches!(layer.poll_event(), Some(Event::ClientFailed { id: failed }) if failed == id));
            assert!(matches!(layer.poll_event(), Some(Event::ClientEnded { id: ended }) if ended == id));
            assert!(matches!(layer.poll_event(), Some(Event::StrayResponse { .. })));
            drain(&mut layer);
            assert!(layer.is_idle());
        }
    }
}

/// Asterisk CVE-2018-7286 (AST-2018-005), CVE-2020-28327 (AST-2020-001): connections closed in the middle of INVITEs.
///
/// Two hundred connections, each closed after so many steps of its call: none takes another's transaction along, and
/// all come to their end.
#[test]
fn cve_2018_7286_cve_2020_28327_connections_close_between_any_two_steps() {
    const CONNECTIONS: usize = 200;
    let mut layer = layer(Config::default());
    let on = |slot: usize| Hop {
        flow: Some(FlowId { shard: 0, slot: u32::try_from(slot).unwrap(), generation: 1 }),
        ..hop(Transport::Tcp)
    };
    let mut ended = 0;
    for slot in 0..CONNECTIONS {
        let (closes_after, code) = (slot % 5, if slot % 2 == 0 { 200 } else { 486 });
        let invite = numbered("INVITE", slot);
        let close = |layer: &mut Transactions, step: usize| {
            if step == closes_after {
                layer.handle_transport_error(&on(slot), at(step as u64));
            }
        };
        let id = comes(&mut layer, invite.clone(), on(slot), at(0)).unwrap();
        close(&mut layer, 0);
        layer.respond(id, answer(&invite, 180), at(1)).unwrap();
        close(&mut layer, 1);
        layer.respond(id, answer(&invite, code), at(2)).unwrap();
        close(&mut layer, 2);
        // Again, over another connection: it is no new call.
        assert_eq!(comes(&mut layer, invite.clone(), on(slot + CONNECTIONS), at(3)), None);
        close(&mut layer, 3);
        let ack = match code {
            200 => request(text("ACK", &format!(";branch=z9hG4bKack{slot}"), slot).as_bytes()),
            _ => invite.ack(&answer(&invite, code)).unwrap(),
        };
        layer.handle_request(ack, on(slot + CONNECTIONS), at(4));
        close(&mut layer, 4);
        ended += drain(&mut layer);
    }
    assert_eq!(ended + layer.server_len(), CONNECTIONS);
    assert_eq!(ended + run_out(&mut layer), CONNECTIONS);
    assert!(layer.is_idle());
}

/// siphon-rs #103, #104: transactions that had succeeded stayed for ever, and the full table then dropped live ones.
#[test]
fn siphon_rs_103_104_registrations_leave_nothing_and_evict_nothing() {
    let config = Config { client_transactions_max: 64, server_transactions_max: 64, ..Config::default() };
    let (mut phone, mut registrar) = (layer(config), layer(config));
    let udp = hop(Transport::Udp);
    let live = phone.request(numbered("INVITE", 1_000_000), udp, at(0)).unwrap();
    let waiting = comes(&mut registrar, numbered("INVITE", 1_000_000), udp, at(0)).unwrap();
    phone.handle_response(answer(&numbered("INVITE", 1_000_000), 180), udp, at(0));
    let mut now = at(0);
    for number in 0..2_000 {
        // With a 401 first; a minute apart, beyond Timers J and K.
        for (number, code) in [(2 * number, 401), (2 * number + 1, 200)] {
            let register = numbered("REGISTER", number);
            phone.request(register.clone(), udp, now).unwrap();
            let id = comes(&mut registrar, register.clone(), udp, now).unwrap();
            registrar.respond(id, answer(&register, code), now).unwrap();
            phone.handle_response(answer(&register, code), udp, now);
        }
        now = now.after(Micros::from_secs(60));
        phone.handle_timeout(now);
        registrar.handle_timeout(now);
        drain(&mut phone);
        drain(&mut registrar);
        assert_eq!((phone.client_len(), registrar.server_len()), (1, 1), "{number}");
        assert_eq!((phone.timer_len(), registrar.timer_len()), (0, 0));
    }
    assert_eq!(phone.client_state(live), Some(State::Proceeding));
    assert_eq!(registrar.server_state(waiting), Some(State::Proceeding));
}

/// FreeSWITCH GHSA-jvpq-23v4-gp3m: a flood. The table is bounded, what is live stays, and what is refused costs nothing
/// that lasts.
#[test]
fn ghsa_jvpq_23v4_gp3m_a_flood_meets_a_bounded_table() {
    const LIMIT: usize = 1_000;
    let mut layer = layer(Config { server_transactions_max: LIMIT, ..Config::default() });
    let known = comes(&mut layer, numbered("INVITE", 1_000_000), hop(Transport::Udp), at(0)).unwrap();
    for number in 0..20_000 {
        let method = ["REGISTER", "INVITE", "OPTIONS"][number % 3];
        layer.handle_request(numbered(method, number), hop(Transport::Udp), at(1));
        drain(&mut layer);
    }
    assert_eq!((layer.server_len(), layer.counters().server_limit_reached), (LIMIT, 20_001 - LIMIT as u64));
    assert!(layer.timer_len() <= 2 * LIMIT);
    let invite = numbered("INVITE", 1_000_000);
    assert_eq!(layer.respond(known, answer(&invite, 200), at(2)), Ok(()));
}

/// UDP response amplification: what is refused without state is hardly longer than what came, and goes out once; a failure
/// to an INVITE is repeated as Timer G says, and no more.
#[test]
fn udp_amplification_refusals_are_small_and_few() {
    let mut full = layer(Config { server_transactions_max: 0, ..Config::default() });
    for method in ["INVITE", "REGISTER", "OPTIONS", "CANCEL"] {
        let came = numbered(method, 1);
        full.handle_request(came.clone(), hop(Transport::Udp), at(0));
        let sent = full.poll_transmit().unwrap().bytes;
        assert!(sent.len() <= came.as_bytes().len() + 64, "{method}: {} and {}", sent.len(), came.as_bytes().len());
        assert!(full.is_idle(), "and nothing else");
    }
    let mut layer = layer(Config::default());
    let invite = numbered("INVITE", 1);
    let id = comes(&mut layer, invite.clone(), hop(Transport::Udp), at(0)).unwrap();
    layer.respond(id, answer(&invite, 403), at(0)).unwrap();
    let mut sent = 0;
    loop {
        sent += std::iter::from_fn(|| layer.poll_transmit()).count();
        let Some((when, _)) = layer.poll_timeout() else { break };
        layer.handle_timeout(Now::default().after(when));
    }
    assert_eq!(sent, 11, "the first and ten by Timer G until Timer H");
}

/// OpenSIPS #3343, #3370, #2788: CANCEL and timeouts left something behind.
#[test]
fn opensips_3343_3370_2788_cancels_and_timeouts_leave_nothing() {
    for (rings, answered) in [(false, None), (true, None), (true, Some(200)), (true, Some(486))] {
        for cancel_again in [false, true] {
            let mut layer = layer(Config::default());
            let (udp, invite) = (hop(Transport::Udp), numbered("INVITE", 1));
            let id = comes(&mut layer, invite.clone(), udp, at(0)).unwrap();
            for code in rings.then_some(180).into_iter().chain(answered) {
                layer.respond(id, answer(&invite, code), at(10)).unwrap();
            }
            let cancel = invite.cancel().unwrap();
            let cancel_id = comes(&mut layer, cancel.clone(), udp, at(20)).unwrap();
            layer.respond(cancel_id, answer(&cancel, 200), at(20)).unwrap();
            let terminated = layer.respond(id, answer(&invite, 487), at(20));
            assert_eq!(terminated.is_ok(), answered.is_none());
            if cancel_again {
                assert_eq!(comes(&mut layer, cancel, udp, at(30)), None, "a repetition");
            }
            // No ACK ever comes.
            assert_eq!(run_out(&mut layer), 2);
            assert!(layer.is_idle());
        }
    }
}

/// PJSIP CVE-2022-23608: dialogs of a fork that ended in any order. Here: what eight branches answer one INVITE, in any
/// order; each 2xx goes up, nothing else does after the first, and the transaction ends once.
#[test]
fn cve_2022_23608_the_answers_of_a_fork_in_any_order() {
    for first in 0..8 {
        let mut layer = layer(Config::default());
        let (udp, invite) = (hop(Transport::Udp), numbered("INVITE", 1));
        let id: ClientId = layer.request(invite.clone(), udp, at(0)).unwrap();
        let branch = |tag: usize, code: u16| {
            let bare = Response::to(&invite, StatusCode::new(code).unwrap()).to_tag(format!("b{tag}"));
            response(bare.build_unchecked().unwrap().as_bytes())
        };
        let mut passed_up = 0;
        let order = || (0..8).map(|tag| (tag + first) % 8);
        let answers = order().map(|tag| (tag, 180)).chain(order().flat_map(|tag| [(tag, 200), (tag, 487), (tag, 180)]));
        for (tag, code) in answers {
            layer.handle_response(branch(tag, code), udp, at(10));
            while let Some(event) = layer.poll_event() {
                let Event::Response { id: of, response } = event else { panic!("{event:?}") };
                assert_eq!((of, response.status().as_u16()), (id, code));
                passed_up += usize::from(code == 200);
            }
        }
        assert_eq!((passed_up, layer.client_state(id)), (8, Some(State::Accepted)));
        assert_eq!(run_out(&mut layer), 1);
        assert!(layer.is_idle());
    }
}

/// OpenSER r4294: what guards against replays was hit by retransmissions. A repeated request never reaches who checks it.
#[test]
fn openser_r4294_a_repeated_request_is_answered_before_any_nonce_is_looked_at() {
    let mut layer = layer(Config::default());
    let register = numbered("REGISTER", 1);
    let id = comes(&mut layer, register.clone(), hop(Transport::Udp), at(0)).unwrap();
    layer.respond(id, answer(&register, 200), at(5)).unwrap();
    let first = layer.poll_transmit();
    for ms in [500, 1_500, 3_500, 31_500] {
        assert_eq!(comes(&mut layer, register.clone(), hop(Transport::Udp), at(ms)), None);
        assert_eq!(layer.poll_transmit(), first);
    }
}

/// RFC 3261, Section 26.1: a CANCEL that somebody forges must name branch and sent-by of the INVITE.
#[test]
fn rfc_3261_26_1_who_does_not_know_the_branch_cancels_nothing() {
    let mut layer = layer(Config::default());
    let invite = numbered("INVITE", 1);
    comes(&mut layer, invite.clone(), hop(Transport::Udp), at(0)).unwrap();
    for forged in [
        text("CANCEL", ";branch=z9hG4bK2", 1),
        text("CANCEL", "", 1),
        text("CANCEL", ";branch=z9hG4bK", 1),
        text("CANCEL", ";branch=z9hG4bK1", 1).replace("TCP 192.0.2.1", "TCP 192.0.2.3"),
    ] {
        layer.handle_request(request(forged.as_bytes()), hop(Transport::Udp), at(1));
        let event = layer.poll_event();
        assert!(matches!(event, Some(Event::Cancel { invite: None, .. })), "{forged}: {event:?}");
    }
}
