//! Endpoints that register at the server and call each other through it: both ends of every message are ours.

use ringback_auth::{Account, Password};
use ringback_base::{Hop, Micros, Now, Random, Transport};
use ringback_message::{HeaderId, Message, Method};
use ringback_stack::Endpoint;
use ringback_transport::resolve::{Family, Preferences};
use ringback_ua::{
    Config, EndReason, Event, Failure, Local, Media, Outbound, RegistrationConfig, RegistrationEvent, RegistrationId,
    RegistrationState,
};

use crate::world::{ALICE, BOB, SERVER, World};
use crate::zone::Zone;

struct Phone {
    address: &'static str,
    endpoint: Endpoint,
    registration: RegistrationId,
    /// What passed, from both sides: `REGISTER`, `401`.
    ladder: Vec<String>,
    received: Vec<Message>,
}

impl Phone {
    fn new(address: &'static str, user: &str, password: &str) -> Phone {
        let mut config = Config::new(user, vec![Local::new(Transport::Udp, address.parse().unwrap())]);
        config.outbound = Some(Hop::udp(address.parse().unwrap(), SERVER.parse().unwrap()));
        let seed = [u8::try_from(address.len() + user.len()).unwrap(); 32];
        let mut endpoint = Endpoint::new(config, Random::from_seed(seed));
        let agent = endpoint.agent_mut();
        agent.add_account(Account::new("example.com", user, Password::new(password)).at("example.com"));
        let contact = agent.contact_uri(Transport::Udp).unwrap();
        let registration = RegistrationConfig::new(&format!("sip:{user}@example.com"), &contact);
        let registration = agent.add_registration(&registration, None).unwrap();
        Phone { address, endpoint, registration, ladder: Vec::new(), received: Vec::new() }
    }

    fn state(&self) -> RegistrationState {
        self.endpoint.agent().registration(self.registration).unwrap().state()
    }

    fn event<T>(&mut self, fits: impl Fn(Event) -> Option<T>) -> T {
        std::iter::from_fn(|| self.endpoint.agent_mut().poll_event()).find_map(fits).expect("no such event")
    }

    fn told(&mut self) -> RegistrationEvent {
        self.event(|event| match event {
            Event::Registration { event, .. } => Some(event),
            _ => None,
        })
    }

    fn ladder(&mut self) -> Vec<String> {
        std::mem::take(&mut self.ladder)
    }
}

/// Carries messages between the phones and the server until there are none.
fn carry(world: &mut World, phones: &mut [&mut Phone]) {
    loop {
        let mut moved = false;
        for phone in phones.iter_mut() {
            while let Some(transmit) = phone.endpoint.poll_transmit() {
                moved = true;
                assert_eq!(transmit.hop.remote, SERVER.parse().unwrap());
                phone.ladder.push(what(&Message::parse(transmit.bytes.clone()).unwrap()));
                world.send(phone.address, &transmit.bytes);
            }
            for message in world.received(phone.address) {
                moved = true;
                phone.ladder.push(what(&message));
                let hop = Hop::udp(phone.address.parse().unwrap(), SERVER.parse().unwrap());
                phone.endpoint.handle_datagram(message.as_bytes().clone(), hop, world.now).unwrap();
                phone.received.push(message);
            }
        }
        if !moved {
            return;
        }
    }
}

fn what(message: &Message) -> String {
    match message.status() {
        Some(status) => status.as_u16().to_string(),
        None => String::from_utf8_lossy(message.method_text().unwrap()).into_owned(),
    }
}

/// Time passes for all, each timer at its time.
fn wait(world: &mut World, phones: &mut [&mut Phone], span: Micros) {
    let end = world.now.after(span);
    loop {
        carry(world, phones);
        let of_phones = phones.iter().filter_map(|phone| phone.endpoint.poll_timeout());
        let of_server = world.stack.poll_timeout().map(|(at, _)| at);
        let Some(next) = of_phones.chain(of_server).min().filter(|next| *next <= end.mono) else { break };
        world.wait(next.since(world.now.mono));
        for phone in phones.iter_mut() {
            phone.endpoint.handle_timeout(world.now);
        }
    }
    world.wait(end.mono.since(world.now.mono));
}

fn register(world: &mut World, phone: &mut Phone) {
    let (registration, now) = (phone.registration, world.now);
    phone.endpoint.agent_mut().register(registration, now).unwrap();
    carry(world, &mut [phone]);
}

#[test]
fn registered_refreshed_for_a_day_and_unregistered() {
    let (mut world, mut alice) = (World::new(), Phone::new(ALICE, "alice", "secret"));
    register(&mut world, &mut alice);
    assert!(matches!(alice.told(), RegistrationEvent::Registered { missing: 0, .. }));
    assert_eq!(alice.ladder(), ["REGISTER", "401", "REGISTER", "200"]);
    wait(&mut world, &mut [&mut alice], Micros::from_secs(86_400));
    let ladder = alice.ladder();
    let refreshes = ladder.iter().filter(|what| *what == "200").count();
    // Of an hour each, a few minutes early; the nonce of the one before is stale by then.
    assert!((24..=26).contains(&refreshes), "{ladder:?}");
    assert!(ladder.chunks(4).all(|four| four == ["REGISTER", "401", "REGISTER", "200"]), "{ladder:?}");
    let is_stale = |message: &&Message| {
        message.first(HeaderId::WwwAuthenticate).is_some_and(|line| line.value().ends_with(b"stale=true"))
    };
    assert_eq!(alice.received.iter().filter(is_stale).count(), refreshes);
    assert_eq!(alice.state(), RegistrationState::Registered);
    assert_eq!(world.bindings.values().map(|(rows, _)| rows.len()).sum::<usize>(), 1);
    let now = world.now;
    alice.endpoint.agent_mut().unregister(alice.registration, now).unwrap();
    carry(&mut world, &mut [&mut alice]);
    assert_eq!(alice.state(), RegistrationState::Idle);
    wait(&mut world, &mut [&mut alice], Micros::from_secs(60));
    assert!(world.bindings.values().all(|(rows, _)| rows.is_empty()));
    while alice.endpoint.agent_mut().poll_event().is_some() {}
    assert!(alice.endpoint.agent().is_idle());
    world.ends_empty();
}

#[test]
fn a_wrong_password_is_refused_and_not_tried_again() {
    let (mut world, mut alice) = (World::new(), Phone::new(ALICE, "alice", "wrong"));
    register(&mut world, &mut alice);
    assert!(matches!(alice.told(), RegistrationEvent::Refused { .. }));
    wait(&mut world, &mut [&mut alice], Micros::from_secs(10_000));
    assert_eq!(alice.ladder(), ["REGISTER", "401", "REGISTER", "401"]);
}

#[test]
fn a_time_that_is_too_brief_is_made_longer() {
    let mut world = World::with(|config| config.registrar.min_expires_secs = 120);
    let mut alice = Phone::new(ALICE, "alice", "secret");
    let agent = alice.endpoint.agent_mut();
    let mut config = RegistrationConfig::new("sip:alice@example.com", &agent.contact_uri(Transport::Udp).unwrap());
    config.expires_secs = Some(90);
    alice.registration = agent.add_registration(&config, None).unwrap();
    register(&mut world, &mut alice);
    assert_eq!(alice.ladder(), ["REGISTER", "401", "REGISTER", "423", "REGISTER", "200"]);
    assert!(matches!(alice.told(), RegistrationEvent::Registered { expires_secs: 120, .. }));
}

/// A call through the server, which asks the caller who it is.
#[test]
fn a_call_between_two_that_are_registered() {
    let mut world = World::new();
    let (mut alice, mut bob) = (Phone::new(ALICE, "alice", "secret"), Phone::new(BOB, "bob", "secret"));
    register(&mut world, &mut alice);
    register(&mut world, &mut bob);
    alice.ladder();
    bob.ladder();
    let outbound = alice.endpoint.agent().outbound_from(alice.registration, "sip:bob@example.com").unwrap();
    assert!(outbound.routes.is_empty(), "the server gives no Service-Route");
    let now = world.now;
    alice.endpoint.agent_mut().invite(&outbound, Media::None, now).unwrap();
    carry(&mut world, &mut [&mut alice, &mut bob]);
    let called = bob.event(|event| match event {
        Event::Incoming { session, .. } => Some(session),
        _ => None,
    });
    assert_eq!(alice.ladder()[..5], ["INVITE", "407", "ACK", "INVITE", "100"]);
    let reason = ringback_message::StatusCode::BusyHere;
    bob.endpoint.agent_mut().reject(called, reason, |builder| builder, now).unwrap();
    carry(&mut world, &mut [&mut alice, &mut bob]);
    assert_eq!(alice.ladder(), ["486", "ACK"]);
    assert!(matches!(
        bob.event(|event| match event {
            Event::Ended { reason, .. } => Some(reason),
            _ => None,
        }),
        EndReason::Rejected(_)
    ));
    wait(&mut world, &mut [&mut alice, &mut bob], Micros::from_secs(60));
}

/// An endpoint that finds by itself where a URI leads, and a domain with two hosts.
fn at_a_farm() -> (Endpoint, Zone) {
    let local = "127.0.0.1:5071".parse().unwrap();
    let mut preferences = Preferences::new(vec![Transport::Udp], vec![Family::V4]);
    preferences.loopback = true;
    let config = Config::new("alice", vec![Local::new(Transport::Udp, local)]);
    let endpoint = Endpoint::looks_names_up(config, preferences, Random::from_seed([5; 32]));
    let mut zone = Zone::default();
    zone.srv("_sip._udp.farm.example", 10, "one.farm.example", 5061);
    zone.srv("_sip._udp.farm.example", 20, "two.farm.example", 5062);
    zone.host("one.farm.example", "127.0.1.1");
    zone.host("two.farm.example", "127.0.1.2");
    (endpoint, zone)
}

/// A host that says nothing costs its first caller half a minute, and nobody after that.
#[test]
fn what_nobody_answered_is_tried_last() {
    let (mut endpoint, mut zone) = at_a_farm();
    let mut now = Now::default();
    let mut call = |endpoint: &mut Endpoint, now: Now| {
        let outbound = Outbound::new("sip:alice@example.com", "sip:farm.example");
        endpoint.agent_mut().invite(&outbound, Media::None, now).unwrap();
        while let Some(asked) = endpoint.poll_question(now) {
            endpoint.handle_answer(asked.token, zone.answer(&asked.question), now);
        }
    };
    let sent_to = |endpoint: &mut Endpoint| -> Vec<_> {
        std::iter::from_fn(|| endpoint.poll_transmit()).map(|transmit| transmit.hop.remote.port()).collect()
    };
    call(&mut endpoint, now);
    assert_eq!(sent_to(&mut endpoint), [5061]);
    while sent_to(&mut endpoint) != [5062] {
        now = now.after(endpoint.poll_timeout().unwrap().since(now.mono));
        endpoint.handle_timeout(now);
    }
    assert_eq!(now.mono, Micros::from_secs(32));
    call(&mut endpoint, now);
    assert_eq!(sent_to(&mut endpoint), [5062]);
}

/// An endpoint that finds by itself where a URI leads: the first host can't be reached, and is put last for the next request.
#[test]
fn an_endpoint_looks_names_up() {
    let (mut endpoint, mut zone) = at_a_farm();
    let (one, two) = ("127.0.1.1:5061".parse().unwrap(), "127.0.1.2:5062".parse().unwrap());
    let mut now = Now::default();

    let message = |endpoint: &mut Endpoint, uri: &str, now: Now| {
        let outbound = Outbound::new("sip:alice@example.com", uri);
        endpoint.agent_mut().request_outside(&outbound, Method::Message, |builder| builder, now).unwrap();
    };
    let answer = |endpoint: &mut Endpoint, zone: &mut Zone, now: Now| {
        while let Some(asked) = endpoint.poll_question(now) {
            endpoint.handle_answer(asked.token, zone.answer(&asked.question), now);
        }
    };
    let sent_to = |endpoint: &mut Endpoint| -> Vec<_> {
        std::iter::from_fn(|| endpoint.poll_transmit()).map(|transmit| transmit.hop.remote).collect()
    };

    message(&mut endpoint, "sip:farm.example", now);
    answer(&mut endpoint, &mut zone, now);
    assert_eq!(sent_to(&mut endpoint), [one]);
    endpoint.handle_send_failed(&Hop::udp("127.0.0.1:5071".parse().unwrap(), one), now);
    assert_eq!(sent_to(&mut endpoint), [two]);
    message(&mut endpoint, "sip:farm.example", now);
    answer(&mut endpoint, &mut zone, now);
    assert_eq!(sent_to(&mut endpoint), [two], "the one that failed comes last");
    now = now.after(Micros::from_secs(61));
    endpoint.handle_timeout(now);
    while endpoint.agent_mut().poll_event().is_some() {}
    _ = sent_to(&mut endpoint);
    message(&mut endpoint, "sip:farm.example", now);
    answer(&mut endpoint, &mut zone, now);
    assert_eq!(sent_to(&mut endpoint), [one]);

    // Nobody answers: it is told in the time of three questions.
    message(&mut endpoint, "sip:silent.example", now);
    let end = now.mono.plus(Micros::from_secs(9));
    while endpoint.poll_question(now).is_some() || now.mono < end {
        let at = endpoint.poll_timeout().unwrap();
        now = now.after(at.since(now.mono));
        endpoint.handle_timeout(now);
    }
    let failed = std::iter::from_fn(|| endpoint.agent_mut().poll_event())
        .any(|event| matches!(event, Event::Failed { failure: Failure::NoRoute, .. }));
    assert!(failed && now.mono == end, "{now:?}");

    // What is no name, or not a SIP URI, takes no question.
    message(&mut endpoint, "tel:+1234", now);
    assert_eq!(endpoint.poll_question(now), None);
    assert!(matches!(endpoint.agent_mut().poll_event(), Some(Event::Failed { failure: Failure::NoRoute, .. })));
}
