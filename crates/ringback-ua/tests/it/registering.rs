//! User agents that register, and answer the challenges of registrars and proxies.

use ringback_auth::{Account, Algorithm, AuthConfig, Authenticator, Begin, Ha1Set, NonceSecret, Password, Verdict};
use ringback_base::{Hop, Micros, Now, Random, Transport};
use ringback_message::{HeaderId, Message, Method, Request, Response, StatusCode};
use ringback_transport::stun::{Stun, TransactionId};
use ringback_ua::{
    Config, EndReason, Event, Failure, Local, Media, Outbound, RegistrationConfig, RegistrationEvent, RegistrationId,
    RegistrationPolicy, RegistrationState, UserAgent,
};

use crate::net::{Net, address, uri};
use crate::registration::response;

const REALM: &str = "b.example";

/// What answers REGISTERs: the second user agent, with a mind of its own.
struct Registrar {
    authenticator: Authenticator,
    users: Vec<(&'static str, Ha1Set)>,
    min_expires: u32,
    grants: u32,
    extra: Vec<(HeaderId, String)>,
}

impl Registrar {
    fn new() -> Registrar {
        let mut config = AuthConfig::new(REALM);
        config.algorithms = vec![Algorithm::Sha256, Algorithm::Md5];
        let authenticator =
            Authenticator::new(config, &NonceSecret::new([3; 32]), 0, &mut Random::from_seed([4; 32])).unwrap();
        let users = [("alice", "wonderland"), ("carol", "christmas")];
        let users = users.map(|(user, word)| (user, Ha1Set::of(user, REALM, &Password::new(word)))).into();
        Registrar { authenticator, users, min_expires: 60, grants: 3_600, extra: Vec::new() }
    }

    /// Lets everything happen that needs no long timer, and answers what has come.
    fn serve(&mut self, net: &mut Net, span: Micros) {
        let step = Micros::from_ms(50);
        let end = net.now.mono.plus(span);
        while net.now.mono < end {
            net.run(step);
            while let Some(event) = net.events[1].pop_front() {
                if let Event::Request { id, request, .. } = event {
                    let (status, lines) = self.judge(&request, net.now);
                    let now = net.now;
                    let answered = net.agents[1].respond(
                        id,
                        status,
                        |builder| lines.iter().fold(builder, |builder, (header, value)| builder.raw(*header, value)),
                        now,
                    );
                    answered.unwrap();
                }
            }
        }
    }

    fn judge(&mut self, request: &Request, now: Now) -> (StatusCode, Vec<(HeaderId, String)>) {
        let verdict = match self.authenticator.begin(request, HeaderId::Authorization, now) {
            Begin::Claim(claim) => {
                let user = self.users.iter().find(|(name, _)| *name == claim.user());
                let ha1 = user.and_then(|(_, set)| set.find(claim.algorithm()));
                self.authenticator.finish(claim, ha1, now)
            }
            _ => Verdict::Wrong,
        };
        let stale = matches!(verdict, Verdict::Stale(_));
        if !matches!(verdict, Verdict::Verified(_)) {
            let challenges = self.authenticator.challenge(stale, now);
            let lines = challenges.into_iter().map(|value| (HeaderId::WwwAuthenticate, value)).collect();
            return (StatusCode::Unauthorized, lines);
        }
        let contact = request.addresses(HeaderId::Contact).next().map(Result::unwrap);
        let asked = contact.as_ref().and_then(|contact| contact.expires_secs());
        if asked.is_some_and(|secs| secs > 0 && secs < self.min_expires) {
            return (StatusCode::IntervalTooBrief, vec![(HeaderId::MinExpires, self.min_expires.to_string())]);
        }
        let mut lines = self.extra.clone();
        if let (Some(contact), Some(1..)) = (contact, asked) {
            let mut uri = Vec::new();
            contact.uri.write(&mut uri);
            let expires = asked.unwrap().min(self.grants);
            lines.push((HeaderId::Contact, format!("<{}>;expires={expires}", String::from_utf8(uri).unwrap())));
        }
        (StatusCode::Ok, lines)
    }
}

fn net() -> Net {
    Net::with(2, |index, config| {
        if index == 1 {
            config.allow.push(Method::Register);
        }
    })
}

fn config(user: &str) -> RegistrationConfig {
    let mut config = RegistrationConfig::new(&format!("sip:{user}@b.example"), &uri(0));
    config.registrar = Some(format!("sip:{}", address(1)));
    config
}

fn alice() -> Account {
    Account::new(REALM, "alice", Password::new("wonderland")).at("192.0.2.2")
}

fn told(net: &mut Net) -> RegistrationEvent {
    net.event(0, |event| match event {
        Event::Registration { event, .. } => Some(*event),
        _ => None,
    })
}

fn registered(net: &mut Net) -> u32 {
    match told(net) {
        RegistrationEvent::Registered { expires_secs, .. } => expires_secs,
        other => panic!("{other:?}"),
    }
}

/// The ladder since the last look.
fn ladder(net: &mut Net) -> Vec<String> {
    net.sent.clear();
    std::mem::take(&mut net.ladder)
}

const SHORT: Micros = Micros::from_ms(400);

#[test]
fn challenged_too_brief_refreshed_stale_and_unregistered() {
    let (mut net, mut registrar) = (net(), Registrar::new());
    net.agents[0].add_account(alice());
    let mut config = config("alice");
    config.expires_secs = Some(30);
    let id = net.agents[0].add_registration(&config, None).unwrap();
    net.agents[0].register(id, net.now).unwrap();
    registrar.serve(&mut net, SHORT);
    assert_eq!(registered(&mut net), 60);
    let cseqs: Vec<u32> = registers(&net).iter().map(Request::cseq).collect();
    assert_eq!(cseqs, [1, 2, 3]);
    assert_eq!(ladder(&mut net), ["a REGISTER b", "b 401 a", "a REGISTER b", "b 423 a", "a REGISTER b", "b 200 a"]);
    // The refresh carries credentials unasked.
    registrar.serve(&mut net, Micros::from_secs(31));
    assert_eq!(registered(&mut net), 60);
    assert_eq!(ladder(&mut net), ["a REGISTER b", "b 200 a"]);
    // The nonce has come of age meanwhile.
    registrar.min_expires = 1_000;
    registrar.serve(&mut net, Micros::from_secs(31));
    assert_eq!(registered(&mut net), 1_000);
    ladder(&mut net);
    registrar.serve(&mut net, Micros::from_secs(900));
    assert_eq!(registered(&mut net), 1_000);
    assert!(net.sent.iter().any(|message| {
        message.first(HeaderId::WwwAuthenticate).is_some_and(|value| value.value().ends_with(b"stale=true"))
    }));
    assert_eq!(ladder(&mut net), ["a REGISTER b", "b 401 a", "a REGISTER b", "b 200 a"]);
    assert_eq!(net.agents[0].registration(id).unwrap().state(), RegistrationState::Registered);
    net.agents[0].unregister(id, net.now).unwrap();
    registrar.serve(&mut net, SHORT);
    assert_eq!(told(&mut net), RegistrationEvent::Unregistered);
    assert_eq!(ladder(&mut net), ["a REGISTER b", "b 200 a"]);
    net.assert_idle();
    net.agents[0].remove_registration(id);
    assert!(net.agents[0].registration(id).is_none());
}

fn registers(net: &Net) -> Vec<Request> {
    let sent = net.sent.iter().filter(|message| message.method() == Some(Method::Register));
    sent.map(|message| Request::check(message.clone()).unwrap()).collect()
}

#[test]
fn a_wrong_password_is_sent_once() {
    let (mut net, mut registrar) = (net(), Registrar::new());
    net.agents[0].add_account(Account::new(REALM, "alice", Password::new("wrong")));
    let id = net.agents[0].add_registration(&config("alice"), None).unwrap();
    net.agents[0].register(id, net.now).unwrap();
    registrar.serve(&mut net, Micros::from_secs(100));
    assert_eq!(ladder(&mut net), ["a REGISTER b", "b 401 a", "a REGISTER b", "b 401 a"]);
    assert_eq!(told(&mut net), RegistrationEvent::Refused { status: StatusCode::Unauthorized });
    net.agents[0].add_account(alice());
    net.agents[0].register(id, net.now).unwrap();
    registrar.serve(&mut net, SHORT);
    assert_eq!(registered(&mut net), 3_600);
}

#[test]
fn several_users_of_one_realm() {
    let (mut net, mut registrar) = (net(), Registrar::new());
    let mut ids: Vec<RegistrationId> = Vec::new();
    for (user, word) in [("alice", "wonderland"), ("carol", "christmas")] {
        let account = Account::new(REALM, user, Password::new(word));
        ids.push(net.agents[0].add_registration(&config(user), Some(account)).unwrap());
    }
    for id in &ids {
        net.agents[0].register(*id, net.now).unwrap();
    }
    registrar.serve(&mut net, SHORT);
    for id in ids {
        assert!(net.agents[0].registration(id).unwrap().is_bound());
    }
    let named = |message: &Request| {
        let value =
            message.first(HeaderId::Authorization).map(|field| String::from_utf8_lossy(field.value()).into_owned());
        value.is_none_or(|value| {
            let user = if message.to_header().unwrap().uri.as_sip().unwrap().user == Some(b"alice") {
                "alice"
            } else {
                "carol"
            };
            value.contains(&format!("username=\"{user}\""))
        })
    };
    assert!(registers(&net).iter().all(named));
}

/// 32 s without an answer, and the wait behind it.
#[test]
fn nobody_answers() {
    let mut net = net();
    net.fate = Box::new(|_| 0);
    let id = net.agents[0].add_registration(&config("alice"), None).unwrap();
    net.agents[0].register(id, net.now).unwrap();
    net.run(Micros::from_secs(33));
    let RegistrationEvent::Failed { status, again_at } = told(&mut net) else { panic!() };
    let wait = again_at.since(Micros::from_secs(32)).to_duration().as_secs_f64();
    assert!(status == StatusCode::RequestTimeout && (30.0..=60.0).contains(&wait), "{status} {wait}");
    let before = registers(&net).len();
    net.run(Micros::from_secs(61));
    assert!(registers(&net).len() > before);
    assert_eq!(net.agents[0].registration(id).unwrap().state(), RegistrationState::Registering);
}

#[test]
fn rfc3608_section_6_1_calls_go_by_the_service_route() {
    let (mut net, mut registrar) = (net(), Registrar::new());
    net.agents[0].add_account(alice());
    registrar.extra.push((HeaderId::ServiceRoute, "<sip:192.0.2.2;lr>, <sip:home.example;lr>".into()));
    let id = net.agents[0].add_registration(&config("alice"), None).unwrap();
    net.agents[0].register(id, net.now).unwrap();
    registrar.serve(&mut net, SHORT);
    ladder(&mut net);
    let outbound = net.agents[0].outbound_from(id, "sip:bob@far.example").unwrap();
    assert_eq!(outbound.routes, ["sip:192.0.2.2;lr", "sip:home.example;lr"]);
    net.agents[0].invite(&outbound, Media::None, net.now).unwrap();
    net.settle();
    let invite = net.sent.iter().find(|message| message.method() == Some(Method::Invite)).unwrap();
    let routes: Vec<&[u8]> = invite.all(HeaderId::Route).map(|field| field.value()).collect();
    assert_eq!(routes, [&b"<sip:192.0.2.2;lr>"[..], b"<sip:home.example;lr>"]);
    assert_eq!(invite.request_uri_text(), b"sip:bob@far.example");
}

/// One user agent whose peer the test is.
struct Alone {
    agent: UserAgent,
    now: Now,
}

impl Alone {
    fn new(transport: Transport) -> Alone {
        let config = Config::new("alice", vec![Local::new(transport, address(0))]);
        Alone { agent: UserAgent::new(config, Random::from_seed([8; 32])), now: Now::default() }
    }

    /// The next request that goes out, and by which way.
    fn sent(&mut self) -> Option<(Request, Hop)> {
        let transmit = self.agent.poll_transmit()?;
        Some((Request::check(Message::parse(transmit.bytes).unwrap()).unwrap(), transmit.hop))
    }

    fn next(&mut self) -> Request {
        self.sent().expect("a request").0
    }

    fn answer(&mut self, request: &Request, code: u16, lines: &[&str]) {
        let hop = Hop::udp(address(0), address(1));
        let response: Response = response(request, code, lines);
        self.agent.handle_response(response, hop, self.now);
    }

    fn told(&mut self) -> Option<RegistrationEvent> {
        match self.agent.poll_event()? {
            Event::Registration { event, .. } => Some(event),
            other => panic!("{other:?}"),
        }
    }
}

fn credentials(request: &Request, header: HeaderId) -> Vec<String> {
    request.all(header).map(|field| String::from_utf8(field.value().to_vec()).unwrap()).collect()
}

/// A proxy asks, then the server behind it; the ACK repeats what the INVITE said, and the BYE says it unasked.
#[test]
fn rfc3261_section_22_3_a_call_through_a_proxy_to_a_server_that_both_ask() {
    let mut alone = Alone::new(Transport::Udp);
    for realm in ["proxy.example", "server.example"] {
        alone.agent.add_account(Account::new(realm, "alice", Password::new("wonderland")));
    }
    alone.agent.invite(&Outbound::new("sip:alice@b.example", &uri(1)), Media::None, alone.now).unwrap();
    let first = alone.next();
    alone.answer(&first, 407, &["Proxy-Authenticate: Digest realm=\"proxy.example\", nonce=\"p\", qop=\"auth\""]);
    assert_eq!(alone.next().method(), Method::Ack);
    let second = alone.next();
    assert_eq!((second.cseq(), second.call_id(), second.from_tag()), (2, first.call_id(), first.from_tag()));
    assert_ne!(first.branch(), second.branch());
    assert_eq!(credentials(&second, HeaderId::ProxyAuthorization).len(), 1);
    alone.answer(&second, 401, &["WWW-Authenticate: Digest realm=\"server.example\", nonce=\"s\", qop=\"auth\""]);
    assert_eq!(alone.next().method(), Method::Ack);
    let third = alone.next();
    let of_third = [HeaderId::ProxyAuthorization, HeaderId::Authorization].map(|id| credentials(&third, id));
    assert!(of_third[0][0].contains("nc=00000002") && of_third[1][0].contains("nc=00000001"));
    alone.answer(&third, 200, &[&format!("Contact: <{}>", uri(1))]);
    let ack = alone.next();
    assert_eq!(ack.method(), Method::Ack);
    // "will duplicate all of the Authorization and Proxy-Authorization header field values that appeared in the INVITE"
    assert_eq!([HeaderId::ProxyAuthorization, HeaderId::Authorization].map(|id| credentials(&ack, id)), of_third);
    let session = std::iter::from_fn(|| alone.agent.poll_event()).find_map(|event| match event {
        Event::Answered { session, .. } => Some(session),
        Event::Ended { reason, .. } => panic!("{reason:?}"),
        _ => None,
    });
    alone.agent.hang_up(session.unwrap(), alone.now).unwrap();
    let bye = alone.next();
    assert_eq!((bye.method(), bye.cseq()), (Method::Bye, 4));
    assert!(credentials(&bye, HeaderId::ProxyAuthorization)[0].contains("nc=00000003"));
    assert!(credentials(&bye, HeaderId::Authorization)[0].contains("nc=00000002"));
}

/// A proxy lets it ring and asks then, the next wants a longer interval: what rang is over, and doesn't ring on beside the call.
#[test]
fn rfc3261_section_13_2_2_3_early_dialogs_end_with_their_attempt() {
    let mut alone = Alone::new(Transport::Udp);
    alone.agent.add_account(alice().at("b.example"));
    alone.agent.invite(&Outbound::new("sip:alice@b.example", &uri(1)), Media::None, alone.now).unwrap();
    let contact = format!("Contact: <{}>", uri(1));
    let asks: [(u16, &[&str]); 2] = [
        (407, &["Proxy-Authenticate: Digest realm=\"b.example\", nonce=\"p\", qop=\"auth\""]),
        (422, &["Min-SE: 7200"]),
    ];
    for (code, lines) in asks {
        let invite = alone.next();
        alone.answer(&invite, 183, &[&contact]);
        assert_eq!(alone.agent.session_len(), 1);
        let Some(Event::Progress { session: Some(early), .. }) = alone.agent.poll_event() else { panic!() };
        alone.answer(&invite, code, lines);
        assert_eq!(alone.agent.session_len(), 0, "{code}");
        let ended = alone.agent.poll_event();
        assert_eq!(ended, Some(Event::Ended { session: early, reason: EndReason::Elsewhere }));
        assert_eq!(alone.next().method(), Method::Ack);
    }
    let invite = alone.next();
    assert_eq!(invite.cseq(), 3);
    alone.answer(&invite, 200, &[&contact]);
    assert!(matches!(alone.agent.poll_event(), Some(Event::Answered { .. })));
    assert_eq!(alone.agent.session_len(), 1);
}

/// FreeSWITCH CVE-2021-41158: whom we call asks in the name of our provider.
#[test]
fn cve_2021_41158_a_stranger_is_not_answered() {
    let mut alone = Alone::new(Transport::Udp);
    alone.agent.add_account(Account::new(REALM, "alice", Password::new("wonderland")).at("192.0.2.77"));
    alone.agent.invite(&Outbound::new("sip:alice@b.example", &uri(1)), Media::None, alone.now).unwrap();
    let first = alone.next();
    alone.answer(&first, 407, &["Proxy-Authenticate: Digest realm=\"b.example\", nonce=\"p\", qop=\"auth\""]);
    assert_eq!(alone.next().method(), Method::Ack);
    assert!(alone.sent().is_none());
    let failed = |event| matches!(event, Event::InviteFailed { failure: Failure::Refused(_), .. });
    assert!(std::iter::from_fn(|| alone.agent.poll_event()).any(failed));
}

/// The connection that the registrar knows us by is gone: calls to us would find nobody.
#[test]
fn rfc5626_section_4_5_a_lost_connection_is_replaced_at_once() {
    let mut alone = Alone::new(Transport::Tcp);
    let mut config = config("alice");
    config.registrar = Some(format!("sip:{};transport=tcp", address(1)));
    config.contacts[0].uri = alone.agent.contact_uri(Transport::Tcp).unwrap();
    let id = alone.agent.add_registration(&config, None).unwrap();
    alone.agent.register(id, alone.now).unwrap();
    let (first, hop) = alone.sent().unwrap();
    assert_eq!(hop.transport, Transport::Tcp);
    let contact = String::from_utf8(first.first(HeaderId::Contact).unwrap().value().to_vec()).unwrap();
    alone.answer(&first, 200, &[&format!("Contact: {contact}")]);
    assert!(matches!(alone.told(), Some(RegistrationEvent::Registered { .. })));
    let elsewhere = Hop { remote: address(5), ..hop };
    alone.agent.handle_transport_error(&elsewhere, alone.now);
    assert!(alone.sent().is_none());
    alone.agent.handle_transport_error(&hop, alone.now);
    let again = alone.next();
    assert_eq!((again.cseq(), again.call_id()), (2, first.call_id()));
    // The new connection fails, too.
    alone.agent.handle_transport_error(&hop, alone.now);
    assert!(matches!(alone.told(), Some(RegistrationEvent::Failed { .. })));
    assert!(alone.sent().is_none());
}

/// The edge says how long it waits; what is not answered within ten seconds is lost.
#[test]
fn rfc5626_section_4_4_1_a_connection_is_kept_alive_for_as_long_as_it_answers() {
    let mut alone = Alone::new(Transport::Tcp);
    let mut config = config("alice");
    config.registrar = Some(format!("sip:{};transport=tcp", address(1)));
    let mut policy = RegistrationPolicy::default();
    policy.keeps_alive = true;
    config.policy = std::sync::Arc::new(policy);
    let id = alone.agent.add_registration(&config, None).unwrap();
    alone.agent.register(id, alone.now).unwrap();
    let (first, hop) = alone.sent().unwrap();
    let contact = format!("Contact: <{}>;expires=3600", uri(0));
    alone.answer(&first, 200, &[&contact, "Flow-Timer: 100"]);
    for _ in 0..3 {
        let at = alone.agent.poll_timeout().unwrap();
        let after = at.since(alone.now.mono).to_duration().as_secs();
        assert!((80..=100).contains(&after), "{after}");
        alone.now = alone.now.after(at.since(alone.now.mono));
        alone.agent.handle_timeout(alone.now);
        let ping = alone.agent.poll_transmit().unwrap();
        assert_eq!((&ping.bytes[..], ping.hop), (&b"\r\n\r\n"[..], hop));
        // What comes from elsewhere is no answer.
        alone.agent.handle_pong(&Hop { remote: address(5), ..hop }, alone.now);
        assert_eq!(alone.agent.poll_timeout().unwrap().since(alone.now.mono), Micros::from_secs(10));
        alone.agent.handle_pong(&hop, alone.now);
    }
    assert!(alone.sent().is_none());
    for _ in 0..2 {
        let at = alone.agent.poll_timeout().unwrap();
        alone.now = alone.now.after(at.since(alone.now.mono));
        alone.agent.handle_timeout(alone.now);
        if let Some(ping) = alone.agent.poll_transmit().filter(|sent| sent.bytes.len() != 4) {
            assert!(ping.bytes.starts_with(b"REGISTER "), "the connection is replaced at once, as it had worked");
            return;
        }
    }
    panic!("nobody misses the answer");
}

/// A registration over datagrams whose flow is to be kept alive, answered with these lines, and `keep` in its Via with this value.
fn kept_by_datagrams(alone: &mut Alone, lines: &[&str], keep: &str) -> RegistrationId {
    let mut config = config("alice");
    let mut policy = RegistrationPolicy::default();
    policy.keeps_alive = true;
    config.policy = std::sync::Arc::new(policy);
    let id = alone.agent.add_registration(&config, None).unwrap();
    alone.agent.register(id, alone.now).unwrap();
    register_answered(alone, lines, keep);
    id
}

fn register_answered(alone: &mut Alone, lines: &[&str], keep: &str) {
    let register = alone.next();
    assert!(register.top_via().params.has(b"keep"), "it is ready to send keep-alives");
    let contact = format!("Contact: <{}>;expires=3600", uri(0));
    let mut all = vec![&*contact];
    all.extend(lines);
    let response: Response = response(&register, 200, &all);
    let text = String::from_utf8(response.as_bytes().to_vec()).unwrap().replacen(";keep;", keep, 1);
    let response = Response::check(Message::parse(text.into_bytes().into()).unwrap()).unwrap();
    alone.agent.handle_response(response, Hop::udp(address(0), address(1)), alone.now);
    assert!(matches!(alone.told(), Some(RegistrationEvent::Registered { .. })));
}

/// Time passes until something is sent: a STUN request, or a REGISTER, and after how many milliseconds.
fn next_sent(alone: &mut Alone) -> (u64, Result<TransactionId, Request>) {
    let before = alone.now.mono;
    loop {
        let at = alone.agent.poll_timeout().expect("something is waited for");
        alone.now = alone.now.after(at.since(alone.now.mono));
        alone.agent.handle_timeout(alone.now);
        let Some(sent) = alone.agent.poll_transmit() else { continue };
        let after = alone.now.mono.since(before).0 / 1_000;
        return match Stun::read(&sent.bytes) {
            Some(Stun::Request(request)) => (after, Ok(request.id)),
            _ => (after, Err(Request::check(Message::parse(sent.bytes).unwrap()).unwrap())),
        };
    }
}

/// Each answer tells where we are seen; once that is elsewhere, the registrar is told anew, at once.
#[test]
fn rfc5626_section_4_4_2_a_mapping_is_kept_open_until_it_changes() {
    for (lines, keep, secs) in [
        (&["Path: <sip:edge.example;lr;ob>"][..], ";", 24..=29),
        (&[][..], ";keep=0;", 24..=29),
        (&["Flow-Timer: 100"][..], ";keep=100;", 80..=100),
    ] {
        let mut alone = Alone::new(Transport::Udp);
        kept_by_datagrams(&mut alone, lines, keep);
        let hop = Hop::udp(address(0), address(1));
        let seen = |port: u16| format!("198.51.100.1:{port}").parse().unwrap();
        for _ in 0..3 {
            let (after, sent) = next_sent(&mut alone);
            assert!(secs.contains(&(after / 1_000)), "{after}");
            let id = sent.expect("STUN");
            let stranger = Stun::Mapped { id: TransactionId([0; 12]), address: seen(9) };
            alone.agent.handle_binding(&hop, &stranger, alone.now);
            alone.agent.handle_binding(&hop, &Stun::Mapped { id, address: seen(1) }, alone.now);
            assert!(alone.agent.poll_transmit().is_none());
        }
        let id = next_sent(&mut alone).1.expect("STUN");
        alone.agent.handle_binding(&hop, &Stun::Mapped { id, address: seen(2) }, alone.now);
        register_answered(&mut alone, lines, keep);
        // The address of the new flow is as good as that of the old one was.
        let id = next_sent(&mut alone).1.expect("STUN");
        alone.agent.handle_binding(&hop, &Stun::Mapped { id, address: seen(2) }, alone.now);
        assert!(alone.agent.poll_transmit().is_none());
    }
}

#[test]
fn rfc5626_section_4_4_2_a_flow_that_does_not_answer_has_failed() {
    let mut alone = Alone::new(Transport::Udp);
    kept_by_datagrams(&mut alone, &["Flow-Timer: 30"], ";");
    let hop = Hop::udp(address(0), address(1));
    let id = next_sent(&mut alone).1.expect("STUN");
    alone.agent.handle_binding(&hop, &Stun::Mapped { id, address: address(0) }, alone.now);
    let first = next_sent(&mut alone).1.expect("STUN");
    for wait in [500, 1_000, 2_000, 4_000, 8_000, 16_000] {
        assert_eq!(next_sent(&mut alone), (wait, Ok(first)));
    }
    let (wait, register) = next_sent(&mut alone);
    assert_eq!((wait, register.unwrap_err().cseq()), (8_000, 2), "at once, as it had worked");
    // An error is no better than silence, and a flow that had not worked since waits. [RFC 5626, Section 4.5]
    let mut alone = Alone::new(Transport::Udp);
    kept_by_datagrams(&mut alone, &["Flow-Timer: 30"], ";");
    let id = next_sent(&mut alone).1.expect("STUN");
    alone.agent.handle_binding(&hop, &Stun::Mapped { id, address: address(0) }, alone.now);
    let id = next_sent(&mut alone).1.expect("STUN");
    alone.agent.handle_binding(&hop, &Stun::Refused { id, code: 420 }, alone.now);
    assert_eq!(alone.next().cseq(), 2);
}

/// Nobody is sent STUN who has not said to know it.
#[test]
fn rfc5626_section_8_no_stun_without_a_word() {
    let mut alone = Alone::new(Transport::Udp);
    kept_by_datagrams(&mut alone, &["Path: <sip:edge.example;lr>"], ";keep;");
    let (after, sent) = next_sent(&mut alone);
    assert!(after > 3_000_000 && sent.is_err(), "{after}");
}

/// The registrar's name for this device goes into every Contact of its user, and into nobody else's.
#[test]
fn rfc5627_section_4_4_the_gruu_is_the_contact_of_calls_both_ways() {
    const GRUU: &str = "sip:alice@b.example;gr=urn:uuid:00000000-0000-1000-8000-000a95a0e128";
    for is_wanted in [true, false] {
        let mut settings = Config::new("alice", vec![Local::new(Transport::Udp, address(0))]);
        settings.gruus = is_wanted;
        let mut alone = Alone::new(Transport::Udp);
        alone.agent = UserAgent::new(settings, Random::from_seed([8; 32]));
        let own = format!("<{}>", alone.agent.contact_uri(Transport::Udp).unwrap());
        let mut config = config("alice");
        config.instance = Some("urn:uuid:00000000-0000-1000-8000-000a95a0e128".into());
        let id = alone.agent.add_registration(&config, None).unwrap();
        alone.agent.register(id, alone.now).unwrap();
        let register = alone.next();
        let contact = format!("Contact: <{}>;expires=3600;pub-gruu=\"{GRUU}\"", uri(0));
        alone.answer(&register, 200, &[&contact]);
        let expected = if is_wanted { format!("<{GRUU}>") } else { own.clone() };
        let mut contact_of_call_from = |us: &str| {
            alone.agent.invite(&Outbound::new(us, &uri(1)), Media::None, alone.now).unwrap();
            credentials(&alone.next(), HeaderId::Contact).remove(0)
        };
        assert_eq!(contact_of_call_from("sip:alice@b.example"), expected);
        assert_eq!(contact_of_call_from("sip:anonymous@anonymous.invalid"), own);
        let invite = format!(
            "INVITE {} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
             From: <sip:bob@b.example>;tag=1\r\nTo: <sip:alice@b.example>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:bob@192.0.2.2>\r\nContent-Length: 0\r\n\r\n",
            uri(0)
        );
        let invite = Request::check(Message::parse(invite.into_bytes().into()).unwrap()).unwrap();
        alone.agent.handle_request(invite, Hop::udp(address(0), address(1)), alone.now);
        let incoming = |event| match event {
            Event::Incoming { session, .. } => Some(session),
            _ => None,
        };
        let session = std::iter::from_fn(|| alone.agent.poll_event()).find_map(incoming).unwrap();
        alone.agent.ring(session, StatusCode::Ringing, Media::None, alone.now).unwrap();
        let sent = std::iter::from_fn(|| alone.agent.poll_transmit()).map(|sent| Message::parse(sent.bytes).unwrap());
        let ringing = sent.last().unwrap();
        assert_eq!(ringing.first(HeaderId::Contact).unwrap().value(), expected.as_bytes());
        // Taken back, it leads nowhere.
        alone.agent.unregister(id, alone.now).unwrap();
        let register = alone.next();
        alone.answer(&register, 200, &[]);
        alone.agent.invite(&Outbound::new("sip:alice@b.example", &uri(1)), Media::None, alone.now).unwrap();
        assert_eq!(credentials(&alone.next(), HeaderId::Contact), [own]);
    }
}

/// Of two flows of a device, the one that fails is waited for longer while the other works.
#[test]
fn rfc5626_section_4_5_two_flows_of_one_device() {
    let mut alone = Alone::new(Transport::Udp);
    let flow = |reg_id: u32| {
        let mut config = config("alice");
        (config.instance, config.reg_id) = (Some("urn:uuid:00000000-0000-1000-8000-000A95A0E128".into()), Some(reg_id));
        config
    };
    let ids = [1, 2].map(|reg_id| alone.agent.add_registration(&flow(reg_id), None).unwrap());
    for id in ids {
        alone.agent.register(id, alone.now).unwrap();
    }
    let (first, second) = (alone.next(), alone.next());
    let contact = |request: &Request| format!("Contact: {}", credentials(request, HeaderId::Contact)[0]);
    alone.answer(&first, 200, &[&contact(&first), "Require: outbound"]);
    assert!(matches!(alone.told(), Some(RegistrationEvent::Registered { is_outbound: true, .. })));
    alone.agent.keep_alive_answered(ids[0]).unwrap();
    alone.answer(&second, 503, &[]);
    let Some(RegistrationEvent::Failed { again_at, .. }) = alone.told() else { panic!() };
    assert!((90..=180).contains(&again_at.to_duration().as_secs()), "{again_at}");
    // Once both are gone it is the shorter time.
    alone.agent.flow_failed(ids[0], alone.now).unwrap();
    let again = alone.next();
    assert!(contact(&again).contains("reg-id=1"));
    alone.answer(&again, 403, &[]);
    assert!(matches!(alone.told(), Some(RegistrationEvent::Refused { .. })));
    alone.agent.register(ids[1], alone.now).unwrap();
    let again = alone.next();
    alone.answer(&again, 503, &[]);
    let Some(RegistrationEvent::Failed { again_at, .. }) = alone.told() else { panic!() };
    assert!((60..=120).contains(&again_at.to_duration().as_secs()), "{again_at}");
}

/// The next nonce is used, and a proof that is wrong is told.
#[test]
fn rfc3261_section_20_6_what_the_server_says_of_itself() {
    let mut alone = Alone::new(Transport::Udp);
    alone.agent.add_account(alice());
    let id = alone.agent.add_registration(&config("alice"), None).unwrap();
    let contact = format!("Contact: <{}>;expires=3600", uri(0));
    alone.agent.register(id, alone.now).unwrap();
    let first = alone.next();
    alone.answer(&first, 401, &["WWW-Authenticate: Digest realm=\"b.example\", nonce=\"n1\", qop=\"auth\""]);
    let second = alone.next();
    alone.answer(&second, 200, &[&contact, "Authentication-Info: nextnonce=\"n2\""]);
    assert!(matches!(alone.told(), Some(RegistrationEvent::Registered { .. })));
    alone.agent.register(id, alone.now).unwrap();
    let third = alone.next();
    assert!(credentials(&third, HeaderId::Authorization)[0].contains("nonce=\"n2\""));
    alone.answer(&third, 200, &[&contact, "Authentication-Info: rspauth=\"00\", nextnonce=\"n3\""]);
    assert!(matches!(alone.agent.poll_event(), Some(Event::ServerProofWrong { .. })));
    alone.agent.register(id, alone.now).unwrap();
    assert!(credentials(&alone.next(), HeaderId::Authorization)[0].contains("nonce=\"n2\""));
}
