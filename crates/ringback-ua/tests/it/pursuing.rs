//! What a call does by itself after a response that lets it, and where that ends.

use std::collections::BTreeSet;

use ringback_auth::{Account, Password};
use ringback_base::{Hop, Micros, Now, Random, Transport};
use ringback_message::header::{Require, RetryAfter, Unsupported};
use ringback_message::status::registry;
use ringback_message::{HeaderId, Message, Method, Request, Response, ResponseBuilder, StatusCode};
use ringback_ua::{
    Config, Event, Failure, InviteId, Local, Outbound, Outcome, PursuitStep, Redirect, Redirection, UserAgent, Wait,
};

use crate::net::{Net, sound, uri};

fn start(net: &mut Net, outbound: &Outbound) -> InviteId {
    let invite = net.agents[0].invite(outbound, sound(0), net.now).unwrap();
    net.settle();
    invite
}

fn to_b() -> Outbound {
    Outbound::new(&uri(0), &uri(1))
}

fn reject(
    net: &mut Net,
    agent: usize,
    status: StatusCode,
    fill: impl FnOnce(ResponseBuilder<'_>) -> ResponseBuilder<'_>,
) {
    let callee = net.incoming(agent);
    net.agents[agent].reject(callee, status, fill, net.now).unwrap();
    net.settle();
}

fn step(net: &mut Net) -> (u16, PursuitStep) {
    net.event(0, |event| match event {
        Event::Pursuing { failure, step, .. } => Some((failure.status().as_u16(), step.clone())),
        _ => None,
    })
}

fn failed(net: &mut Net) -> (Failure, Outcome) {
    net.event(0, |event| match event {
        Event::InviteFailed { failure, outcome, .. } => Some((failure.clone(), outcome.clone())),
        _ => None,
    })
}

fn invites(net: &Net) -> Vec<&Message> {
    net.sent.iter().filter(|message| message.method() == Some(Method::Invite)).collect()
}

fn contact(agent: usize) -> PursuitStep {
    PursuitStep::Contact { uri: uri(agent).into() }
}

/// `[RFC 3261, Section 8.1.3.4]`
#[test]
fn two_contacts_by_their_preference_where_the_first_is_busy() {
    let mut net = Net::new(4);
    start(&mut net, &to_b().follow_redirects(1));
    let contacts = format!("<{}>;q=0.3, <{}>;q=0.8, <tel:+15551234>", uri(3), uri(2));
    reject(&mut net, 1, StatusCode::MovedTemporarily, |r| r.raw(HeaderId::Contact, contacts));
    assert_eq!(step(&mut net), (302, contact(2)));
    reject(&mut net, 2, StatusCode::BusyHere, |r| r.header(RetryAfter::new(60)));
    assert_eq!(step(&mut net), (486, contact(3)));
    let callee = net.incoming(3);
    net.agents[3].answer(callee, sound(3), net.now).unwrap();
    net.settle();
    let caller = net.answered(0);
    assert!(net.agents[0].media(caller).is_some());
    let sent = invites(&net);
    let [one, two, three] = sent[..] else { panic!("{:#?}", net.ladder) };
    for id in [HeaderId::CallId, HeaderId::From, HeaderId::To] {
        assert_eq!(one.first(id).unwrap().value(), three.first(id).unwrap().value());
    }
    assert_eq!(two.request_uri_text(), uri(2).as_bytes());
    assert_eq!(three.request_uri_text(), uri(3).as_bytes());
    assert_eq!(three.first(HeaderId::CSeq).unwrap().value(), b"3 INVITE");
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.assert_idle();
}

fn moves(net: &mut Net, from: usize, to: usize) {
    let contact = format!("<{}>", uri(to));
    reject(net, from, StatusCode::MovedTemporarily, |r| r.raw(HeaderId::Contact, contact));
}

#[test]
fn two_servers_that_point_at_one_another_are_left() {
    let mut net = Net::new(3);
    start(&mut net, &to_b().follow_redirects(10));
    moves(&mut net, 1, 2);
    moves(&mut net, 2, 1);
    let (failure, outcome) = failed(&mut net);
    assert_eq!(failure.status(), StatusCode::MovedTemporarily);
    assert!(matches!(outcome, Outcome::Redirect(Redirect { redirection: Redirection::Temporary, .. })));
    assert_eq!(invites(&net).len(), 2);
    net.assert_idle();
}

#[test]
fn no_more_redirects_than_allowed() {
    for (max, followed) in [(0, 0), (1, 1), (2, 2)] {
        let mut net = Net::new(4);
        start(&mut net, &to_b().follow_redirects(max));
        for (from, to) in [(1, 2), (2, 3)].into_iter().take(followed + 1) {
            moves(&mut net, from, to);
        }
        if followed == 2 {
            reject(&mut net, 3, StatusCode::BusyHere, |r| r);
        }
        failed(&mut net);
        assert_eq!(invites(&net).len(), followed + 1);
        net.assert_idle();
    }
}

/// `[RFC 3261, Section 21.6]`
#[test]
fn who_declines_is_not_gone_round() {
    let mut net = Net::new(4);
    start(&mut net, &to_b().follow_redirects(1));
    let contacts = format!("<{}>, <{}>", uri(2), uri(3));
    reject(&mut net, 1, StatusCode::MultipleChoices, |r| r.raw(HeaderId::Contact, contacts));
    reject(&mut net, 2, StatusCode::Decline, |r| r);
    assert_eq!(failed(&mut net).0.status(), StatusCode::Decline);
    assert_eq!(invites(&net).len(), 2);
    net.assert_idle();
}

/// What the path of messages is, nobody else decides. `[RFC 3261, Section 21.3.4]`
#[test]
fn through_a_proxy_only_if_the_application_says_so() {
    let mut net = Net::new(3);
    let outbound = to_b().follow_redirects(5);
    start(&mut net, &outbound);
    let proxy = format!("<sip:{};transport=udp>", crate::net::address(2));
    reject(&mut net, 1, StatusCode::UseProxy, |r| r.raw(HeaderId::Contact, proxy));
    let (Failure::Refused(response), _) = failed(&mut net) else { panic!() };
    let through = outbound.redirected(&response).unwrap();
    start(&mut net, &through);
    let last = *invites(&net).last().unwrap();
    assert_eq!(last.request_uri_text(), uri(1).as_bytes());
    assert_eq!(last.first(HeaderId::Route).unwrap().value(), b"<sip:192.0.2.3:5060;transport=udp;lr>");
    assert_eq!(net.ladder.last().unwrap(), "c 100 a");
    reject(&mut net, 2, StatusCode::BusyHere, |r| r);
    net.assert_idle();
}

/// `[RFC 3261, Section 8.1.3.5]`
#[test]
fn without_the_extensions_that_it_can_do_without() {
    let wishes = || to_b().with(Require::new(["foo", "timer", "bar"]));
    for (outbound, is_tried) in [
        (wishes().optional_extension("Foo").optional_extension("bar"), true),
        (wishes().optional_extension("foo"), false),
        (wishes(), false),
    ] {
        let mut net = Net::new(2);
        start(&mut net, &outbound);
        // What an agent doesn't know it refuses by itself.
        assert_eq!(net.ladder[1], "b 420 a");
        if is_tried {
            assert_eq!(step(&mut net), (420, PursuitStep::Without { tags: ["foo".into(), "bar".into()].into() }));
            assert_eq!(invites(&net)[1].first(HeaderId::Require).unwrap().value(), b"timer");
            // Once: whoever says it again is not listened to.
            reject(&mut net, 1, StatusCode::BadExtension, |r| r.header(Unsupported::new(["timer"])));
        }
        let (failure, outcome) = failed(&mut net);
        assert_eq!(failure.status(), StatusCode::BadExtension);
        assert!(matches!(outcome, Outcome::DropExtensions(_)));
        assert_eq!(invites(&net).len(), 1 + usize::from(is_tried));
        net.assert_idle();
    }
}

/// `[RFC 3261, Section 21.5.4]`
#[test]
fn after_a_503_as_long_as_it_says_and_no_longer_than_we_want() {
    let mut net = Net::new(2);
    start(&mut net, &to_b().wait_at_most(100));
    reject(&mut net, 1, StatusCode::ServiceUnavailable, |r| r.header(RetryAfter::new(60)));
    let (status, PursuitStep::Wait { until }) = step(&mut net) else { panic!() };
    assert_eq!(status, 503);
    net.run(Micros(until.since(net.now.mono).0 - 1));
    assert_eq!(invites(&net).len(), 1);
    net.run(Micros::from_ms(400));
    assert_eq!(invites(&net).len(), 2);
    assert_eq!(invites(&net)[1].first(HeaderId::CSeq).unwrap().value(), b"2 INVITE");
    // 60 s are waited: 41 more are too many.
    reject(&mut net, 1, StatusCode::ServiceUnavailable, |r| r.header(RetryAfter::new(41)));
    assert_eq!(failed(&mut net).1, Outcome::NextTarget(Wait::secs(41)));
    net.assert_idle();
    assert_eq!(invites(&net).len(), 2);
}

#[test]
fn given_up_while_it_waits() {
    let mut net = Net::new(2);
    let invite = start(&mut net, &to_b().wait_at_most(100));
    reject(&mut net, 1, StatusCode::ServiceUnavailable, |r| r.header(RetryAfter::new(60)));
    step(&mut net);
    net.agents[0].cancel(invite, None, net.now).unwrap();
    assert_eq!(failed(&mut net).0, Failure::Cancelled);
    net.assert_idle();
    assert_eq!(invites(&net).len(), 1);
}

/// `[RFC 3261, Section 22.3]`
#[test]
fn a_server_and_a_proxy_challenge_one_call() {
    let mut net = Net::new(2);
    for realm in ["server.example", "proxy.example"] {
        net.agents[0].add_account(Account::new(realm, "alice", Password::new("wonderland")).at("192.0.2.2"));
    }
    start(&mut net, &to_b());
    let challenge = |realm: &str| format!("Digest realm=\"{realm}\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256");
    reject(&mut net, 1, StatusCode::ProxyAuthenticationRequired, |r| {
        r.raw(HeaderId::ProxyAuthenticate, challenge("proxy.example"))
    });
    reject(&mut net, 1, StatusCode::Unauthorized, |r| r.raw(HeaderId::WwwAuthenticate, challenge("server.example")));
    let last = *invites(&net).last().unwrap();
    assert_eq!(last.all(HeaderId::Authorization).count(), 1);
    assert_eq!(last.all(HeaderId::ProxyAuthorization).count(), 1);
    // Each is answered once.
    reject(&mut net, 1, StatusCode::Unauthorized, |r| r.raw(HeaderId::WwwAuthenticate, challenge("server.example")));
    assert!(matches!(failed(&mut net).1, Outcome::Authenticate(challenges) if challenges[0].realm == "server.example"));
    assert_eq!(invites(&net).len(), 3);
    net.assert_idle();
}

/// Whose name is in the credentials of a request; `None` where it has none.
fn signed_by(message: &Message) -> Option<String> {
    let value = String::from_utf8_lossy(message.first(HeaderId::Authorization)?.value()).into_owned();
    Some(value.split("username=\"").nth(1)?.split('"').next()?.to_owned())
}

/// Two users call the same host at once, beside an account of the agent for it: each call is signed with its own, in its dialog too, and
/// none with that of another. `[RFC 3261, Section 22.1]`
#[test]
fn accounts_of_a_call_are_no_other_calls() {
    let mut net = Net::new(2);
    let of_agent = Account::new("b.example", "alice", Password::new("wonderland"));
    net.agents[0].add_account(of_agent);
    let own = |user: &str| Account::for_any_realm(user, Password::new("oyster")).at("192.0.2.2");
    let challenge = "Digest realm=\"b.example\", nonce=\"n\", qop=\"auth\"";
    let calls = [to_b().account(own("carol")), to_b().account(own("dan")), to_b()];
    for outbound in &calls {
        start(&mut net, outbound);
    }
    for _ in &calls {
        reject(&mut net, 1, StatusCode::Unauthorized, |r| r.raw(HeaderId::WwwAuthenticate, challenge));
    }
    let users: Vec<_> = invites(&net).into_iter().skip(3).map(signed_by).collect();
    assert_eq!(users, ["carol", "dan", "alice"].map(|user| Some(user.to_owned())));
    for _ in &calls {
        let callee = net.incoming(1);
        net.agents[1].answer(callee, sound(1), net.now).unwrap();
        net.settle();
    }
    for user in ["carol", "dan", "alice"] {
        let session = net.answered(0);
        net.sent.clear();
        net.agents[0].request(session, Method::Options, |r| r, net.now).unwrap();
        net.agents[0].hang_up(session, net.now).unwrap();
        net.settle();
        let mine = net.sent.iter().filter(|message| message.is_request());
        let of_it: Vec<_> = mine.map(|message| signed_by(message).unwrap_or_default()).collect();
        assert_eq!(of_it, [user, user], "{:#?}", net.ladder);
    }
    net.assert_idle();
}

/// What a call has no account for is the agent's to answer, and the agent knows nothing of the call's.
#[test]
fn what_a_call_has_no_account_for_is_answered_with_the_agents() {
    let mut net = Net::new(2);
    net.agents[0].add_account(Account::new("proxy.example", "alice", Password::new("wonderland")).at("192.0.2.2"));
    let own = Account::new("server.example", "carol", Password::new("oyster")).at("192.0.2.2");
    let challenge = |realm: &str| format!("Digest realm=\"{realm}\", nonce=\"n\", qop=\"auth\"");
    start(&mut net, &to_b().account(own));
    reject(&mut net, 1, StatusCode::ProxyAuthenticationRequired, |r| {
        r.raw(HeaderId::ProxyAuthenticate, challenge("proxy.example"))
    });
    reject(&mut net, 1, StatusCode::Unauthorized, |r| r.raw(HeaderId::WwwAuthenticate, challenge("server.example")));
    let last = *invites(&net).last().unwrap();
    let of_proxy = String::from_utf8_lossy(last.first(HeaderId::ProxyAuthorization).unwrap().value()).into_owned();
    assert!(signed_by(last).as_deref() == Some("carol") && of_proxy.contains("\"alice\""), "{of_proxy}");
    reject(&mut net, 1, StatusCode::BusyHere, |r| r);
    failed(&mut net);
    // The next call has none of that.
    start(&mut net, &to_b());
    reject(&mut net, 1, StatusCode::Unauthorized, |r| r.raw(HeaderId::WwwAuthenticate, challenge("server.example")));
    assert!(matches!(failed(&mut net).1, Outcome::Authenticate(_)));
    net.assert_idle();
}

#[test]
fn the_call_id_is_known_before_anything_is_sent() {
    let mut agent = UserAgent::new(Config::new("a", Vec::new()), Random::from_seed([1; 32]));
    let invite = agent.invite(&Outbound::new(&uri(0), "sip:b@somewhere.example"), sound(0), Now::default()).unwrap();
    assert!(agent.poll_transmit().is_none());
    assert_eq!(agent.call_id(invite).map(str::len), Some(16));
}

/// A contact that leads nowhere is an attempt that failed, and one by another transport is told another Contact of ours.
#[test]
fn contacts_that_are_looked_up_lead_on_or_nowhere() {
    let (now, local) = (Now::default(), |transport| Local::new(transport, crate::net::address(0)));
    let config = Config::new("a", vec![local(Transport::Udp), local(Transport::Tcp)]);
    let mut agent = UserAgent::new(config, Random::from_seed([1; 32]));
    agent.invite(&to_b().follow_redirects(1), sound(0), now).unwrap();
    let sent = agent.poll_transmit().unwrap();
    let invite = Request::parse(&sent.bytes).unwrap();
    let contacts =
        "<sip:x@nowhere.example>;q=0.9, <sip:y@somewhere.example;transport=tcp>;q=0.8, <sip:z@192.0.2.9>;q=0.1";
    let moved = Response::to(&invite, StatusCode::MovedPermanently).to_tag("t").raw(HeaderId::Contact, contacts);
    agent.handle_response(moved.build().unwrap(), sent.hop, now);
    let nowhere = agent.poll_lookup().unwrap();
    assert_eq!(&*nowhere.uri, b"sip:x@nowhere.example");
    agent.handle_hops(nowhere.id, &[], now);
    let somewhere = agent.poll_lookup().unwrap();
    let hop = Hop { transport: Transport::Tcp, ..Hop::udp(crate::net::address(0), crate::net::address(3)) };
    agent.handle_hops(somewhere.id, &[hop], now);
    let transmits = std::iter::from_fn(|| agent.poll_transmit()).map(|sent| Message::parse(sent.bytes).unwrap());
    let last = transmits.last().unwrap();
    assert_eq!(last.request_uri_text(), b"sip:y@somewhere.example;transport=tcp");
    assert_eq!(last.first(HeaderId::Contact).unwrap().value(), b"<sip:a@192.0.2.1:5060;transport=tcp>");
    assert!(last.first(HeaderId::Via).unwrap().value().starts_with(b"SIP/2.0/TCP 192.0.2.1:5060;"));
    // The connection breaks: the last one is left, which needs no look-up.
    agent.handle_transport_error(&hop, now);
    let last = std::iter::from_fn(|| agent.poll_transmit()).last().unwrap();
    assert_eq!(last.hop.remote, "192.0.2.9:5060".parse().unwrap());
    let steps = std::iter::from_fn(|| agent.poll_event()).filter_map(|event| match event {
        Event::Pursuing { failure, step: PursuitStep::Contact { uri }, .. } => Some(format!("{failure}: {uri}")),
        _ => None,
    });
    assert_eq!(
        steps.collect::<Vec<_>>(),
        [
            "301 Moved Permanently: sip:x@nowhere.example",
            "no address is found for the URI, or none by a transport that we have: sip:y@somewhere.example;transport=tcp",
            "the request can't be sent to TCP 192.0.2.4:5060: sip:z@192.0.2.9",
        ]
    );
}

/// What proved us to one server is not shown to another.
#[test]
fn credentials_stay_where_they_belong() {
    let mut net = Net::new(3);
    net.agents[0].add_account(Account::new("b.example", "alice", Password::new("wonderland")).at("192.0.2.2"));
    start(&mut net, &to_b().follow_redirects(1));
    reject(&mut net, 1, StatusCode::Unauthorized, |r| {
        r.raw(HeaderId::WwwAuthenticate, "Digest realm=\"b.example\", nonce=\"n\"")
    });
    moves(&mut net, 1, 2);
    let credentials: Vec<_> = invites(&net).iter().map(|m| m.all(HeaderId::Authorization).count()).collect();
    assert_eq!(credentials, [0, 1, 0]);
    reject(&mut net, 2, StatusCode::BusyHere, |r| r);
    net.assert_idle();
}

/// Answers what the first agent has sent since, as no agent would; nothing reaches the others.
fn by_hand(net: &mut Net, seen: usize, mut answer: impl FnMut(&Request) -> Option<Response>) {
    let asked: Vec<Message> = net.sent[seen..].to_vec();
    for message in asked.into_iter().filter(|message| matches!(message.method(), Some(Method::Invite))) {
        let request = Request::check(message).unwrap();
        if let Some(response) = answer(&request) {
            net.send_by_hand(1, 0, core::str::from_utf8(response.as_bytes()).unwrap());
        }
    }
    net.settle();
}

/// `[RFC 3261, Section 14.2]`
#[test]
fn a_change_that_came_too_early_is_made_later() {
    for (secs, is_tried) in [(3, true), (60, false)] {
        let mut net = Net::new(2);
        let (caller, _) = net.call(0, 1);
        net.fate = Box::new(|message| usize::from(message.method() != Some(Method::Invite)));
        net.agents[0].reinvite(caller, sound(0), net.now).unwrap();
        net.run(Micros::from_ms(1));
        by_hand(&mut net, 0, |request| {
            Response::to(request, StatusCode::ServerInternalError).header(RetryAfter::new(secs)).build().ok()
        });
        net.fate = Box::new(|_| 1);
        net.run(Micros::from_secs(3));
        assert_eq!(invites(&net).len(), 1 + usize::from(is_tried));
        if !is_tried {
            let outcome = net.event(0, |event| match event {
                Event::OfferFailed { outcome, .. } => Some(outcome.clone()),
                _ => None,
            });
            assert_eq!(outcome, Outcome::RetryLater(Wait::secs(secs)));
        }
        net.agents[0].release(caller, net.now);
        net.assert_idle();
    }
}

/// `[RFC 3261, Section 14.1]`
#[test]
fn two_changes_at_once_are_made_one_after_the_other() {
    let mut net = Net::new(2);
    let (caller, callee) = net.call(0, 1);
    net.agents[0].reinvite(caller, sound(0), net.now).unwrap();
    net.agents[1].reinvite(callee, sound(1), net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder.iter().filter(|line| line.contains("491")).count(), 2);
    let begun = net.now.mono;
    let mut again = Vec::new();
    while net.now.mono.since(begun) < Micros::from_secs(5) {
        net.run(Micros::from_ms(10));
        for agent in 0..2 {
            while let Some(event) = net.take(agent) {
                let Event::Offered { session, .. } = event else { continue };
                net.agents[agent].accept(session, sound(agent), net.now).unwrap();
                again.push((1 - agent, net.now.mono.since(begun)));
            }
        }
    }
    let [(1, other), (0, owner)] = again[..] else { panic!("{again:?}") };
    assert!(other <= Micros::from_ms(2_020), "{other:?}");
    assert!(owner >= Micros::from_ms(1_700) && owner <= Micros::from_ms(4_020), "{owner:?}");
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.assert_idle();
}

/// Whatever is answered, no more INVITEs are sent than allowed, and nothing is waited for longer; then all is over.
#[test]
fn no_responses_make_it_go_on_for_ever() {
    let (mut at_the_limit, mut waited) = (0, 0);
    for seed in 0..300_u64 {
        let mut random = Random::from_seed([seed.to_le_bytes(); 4].concat().try_into().unwrap());
        let (requests, wait) = (random.below(12) as u8, random.below(200) as u32);
        let mut net = Net::new(3);
        net.fate = Box::new(|message| usize::from(!message.is_request()));
        net.agents[0].add_account(Account::new("b.example", "alice", Password::new("wonderland")));
        let outbound = to_b()
            .with(Require::new(["foo"]))
            .optional_extension("foo")
            .follow_redirects(random.below(20) as u8)
            .wait_at_most(wait)
            .at_most_requests(requests);
        net.agents[0].invite(&outbound, sound(0), net.now).unwrap();
        let (begun, mut seen) = (net.now.mono, 0);
        for _ in 0..600 {
            net.run(Micros::from_ms(100));
            let now_seen = net.sent.len();
            by_hand(&mut net, seen, |request| Some(any_failure(request, &mut random)));
            seen = now_seen;
        }
        // Those that are only repeated count once.
        let cseqs: BTreeSet<_> = invites(&net).iter().map(|m| m.first(HeaderId::CSeq).unwrap().value()).collect();
        let sent = cseqs.len();
        assert!(sent <= usize::from(requests.max(1)), "{seed}: {sent} of {requests}");
        at_the_limit += usize::from(sent > 1 && sent == usize::from(requests));
        let waits = std::iter::from_fn(|| net.take(0)).filter_map(|event| match event {
            Event::Pursuing { step: PursuitStep::Wait { until }, .. } => Some(until),
            Event::InviteFailed { .. } => Some(begun),
            _ => None,
        });
        let latest = waits.max().expect("an end");
        waited += usize::from(latest > begun);
        // A second of the wire for each request comes on top of what is waited.
        let most = u64::from(wait) + 2 * u64::from(requests.max(1));
        assert!(latest.since(begun) <= Micros::from_secs(most), "{seed}: {latest:?}");
        net.assert_idle();
    }
    assert!(at_the_limit > 20 && waited > 20, "{at_the_limit} {waited}");
}

/// A final failure by any registered code, with what may make the client try again.
fn any_failure(request: &Request, random: &mut Random) -> Response {
    let failures: Vec<_> = registry().iter().filter(|info| info.code.as_u16() >= 300).collect();
    let often = [302, 401, 407, 420, 422, 423, 486, 500, 503].map(|code| StatusCode::new(code).unwrap());
    let status = match random.below(2) {
        0 => failures[random.below(failures.len() as u64) as usize].code,
        _ => often[random.below(often.len() as u64) as usize],
    };
    let nonce = random.token();
    let contacts = format!("<sip:x{}@192.0.2.2:5060>;q=0.{}, <{}>", random.below(30), random.below(10), uri(2));
    let challenge = format!("Digest realm=\"b.example\", nonce=\"{nonce}\", stale=true");
    let response = Response::to(request, status)
        .to_tag("t")
        .raw(HeaderId::Contact, contacts)
        .raw(HeaderId::WwwAuthenticate, &challenge)
        .raw(HeaderId::RetryAfter, random.below(40).to_string())
        .raw(HeaderId::Unsupported, "foo")
        .raw(HeaderId::MinSe, (90 + random.below(10_000)).to_string());
    Response::check(response.build_unchecked().unwrap()).unwrap()
}
