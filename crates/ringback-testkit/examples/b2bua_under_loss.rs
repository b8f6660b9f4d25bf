//! A back-to-back user agent, tried where every third datagram is lost: forty calls, and in the end both legs of each tell the same
//! story, and nothing is left of any.
//!
//! What is yours is [`B2bua`]; the phones and the lab are what a test of yours would have around it.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;

use bytes::Bytes;
use ringback_base::{Hop, Micros, Now, Transport};
use ringback_message::{Method, StatusCode};
use ringback_sdp::negotiate::{Codec, Endpoint as Sound, LocalMedia};
use ringback_sdp::{Origin, SessionDescription};
use ringback_stack::Endpoint;
use ringback_testkit::lab::{Lab, Node};
use ringback_testkit::net::{Chance, Quality};
use ringback_transaction::Transmit;
use ringback_ua::{Config, Event, Failure, InviteId, Local, Media, Outbound, SessionId};

/// A call comes in, and goes on as a call of our own: what one side says of media is passed to the other as it is.
struct B2bua {
    endpoint: Endpoint,
    uri: String,
    target: String,
    /// The INVITE that each incoming call has set off, until it is answered.
    ringing: BTreeMap<InviteId, SessionId>,
    /// Of each session that stands the other one.
    bridged: BTreeMap<SessionId, SessionId>,
    bridges_made: u32,
}

impl B2bua {
    fn work(&mut self, now: Now) {
        while let Some(event) = self.endpoint.agent_mut().poll_event() {
            self.on(event, now);
        }
        while let Some(lookup) = self.endpoint.agent_mut().poll_lookup() {
            self.endpoint.agent_mut().handle_hops(lookup.id, &[], now);
        }
    }

    fn on(&mut self, event: Event, now: Now) {
        let agent = self.endpoint.agent_mut();
        match event {
            Event::Incoming { session, request, .. } => {
                let media = SessionDescription::parse(request.body()).map_or(Media::None, Media::Description);
                match agent.invite(&Outbound::new(&self.uri, &self.target), media, now) {
                    Ok(invite) => _ = self.ringing.insert(invite, session),
                    Err(_) => _ = agent.reject(session, StatusCode::ServiceUnavailable, |r| r, now),
                }
            }
            Event::Progress { invite, response, .. } if response.status() != StatusCode::Trying => {
                if let Some(caller) = self.ringing.get(&invite) {
                    _ = agent.ring(*caller, response.status(), Media::None, now);
                }
            }
            Event::Answered { invite, session: callee, response } => {
                let media = SessionDescription::parse(response.body()).map_or(Media::None, Media::Description);
                let answered = self.ringing.remove(&invite).filter(|caller| agent.answer(*caller, media, now).is_ok());
                match answered {
                    Some(caller) => {
                        self.bridges_made += 1;
                        self.bridged.extend([(caller, callee), (callee, caller)]);
                    }
                    // The caller has gone meanwhile.
                    None => _ = agent.hang_up(callee, now),
                }
            }
            Event::InviteFailed { invite, failure, .. } => {
                if let Some(caller) = self.ringing.remove(&invite) {
                    _ = agent.reject(caller, failure.status(), |r| r, now);
                }
            }
            Event::Ended { session, .. } => {
                if let Some(other) = self.bridged.remove(&session) {
                    self.bridged.remove(&other);
                    _ = agent.hang_up(other, now);
                }
                let given_up = self.ringing.iter().find(|(_, caller)| **caller == session).map(|(invite, _)| *invite);
                if let Some(invite) = given_up {
                    self.ringing.remove(&invite);
                    _ = agent.cancel(invite, None, now);
                }
            }
            _ => {}
        }
    }
}

impl Node for B2bua {
    fn handle_datagram(&mut self, bytes: Bytes, hop: Hop, now: Now) {
        // What can't be read is answered by the endpoint itself.
        _ = self.endpoint.handle_datagram(bytes, hop, now);
        self.work(now);
    }

    fn handle_timeout(&mut self, now: Now) {
        self.endpoint.handle_timeout(now);
        self.work(now);
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.endpoint.poll_transmit()
    }

    fn poll_timeout(&self) -> Option<Micros> {
        self.endpoint.poll_timeout()
    }
}

/// A phone that takes every call, unless it is busy.
struct Phone {
    endpoint: Endpoint,
    uri: String,
    sound: Sound,
    is_busy: bool,
    sessions: Vec<SessionId>,
    /// Calls of its own that were answered, and calls of others that it answered.
    answered: u32,
    taken: u32,
    turned_away: u32,
    refused: Vec<StatusCode>,
    ended: u32,
}

impl Phone {
    fn calls(&mut self, target: &str, now: Now) -> Result<(), Box<dyn Error>> {
        let outbound = Outbound::new(&self.uri, target);
        self.endpoint.agent_mut().invite(&outbound, Media::Endpoint(self.sound.clone()), now)?;
        Ok(())
    }

    fn hangs_up(&mut self, now: Now) {
        for session in std::mem::take(&mut self.sessions) {
            _ = self.endpoint.agent_mut().hang_up(session, now);
        }
    }

    fn work(&mut self, now: Now) {
        let agent = self.endpoint.agent_mut();
        while let Some(event) = agent.poll_event() {
            match event {
                Event::Incoming { session, .. } if self.is_busy => {
                    _ = agent.reject(session, StatusCode::BusyHere, |r| r, now);
                    self.turned_away += 1;
                }
                Event::Incoming { session, .. } => {
                    _ = agent.ring(session, StatusCode::Ringing, Media::None, now);
                    if agent.answer(session, Media::Endpoint(self.sound.clone()), now).is_ok() {
                        self.taken += 1;
                        self.sessions.push(session);
                    }
                }
                Event::Answered { session, .. } => {
                    self.answered += 1;
                    self.sessions.push(session);
                }
                Event::InviteFailed { failure: Failure::Refused(response), .. } => self.refused.push(response.status()),
                Event::Ended { .. } => self.ended += 1,
                _ => {}
            }
        }
    }
}

impl Node for Phone {
    fn handle_datagram(&mut self, bytes: Bytes, hop: Hop, now: Now) {
        _ = self.endpoint.handle_datagram(bytes, hop, now);
        self.work(now);
    }

    fn handle_timeout(&mut self, now: Now) {
        self.endpoint.handle_timeout(now);
        self.work(now);
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.endpoint.poll_transmit()
    }

    fn poll_timeout(&self) -> Option<Micros> {
        self.endpoint.poll_timeout()
    }
}

fn endpoint(lab: &mut Lab, name: &str, address: SocketAddr) -> Endpoint {
    lab.name(address, name);
    let mut config = Config::new(name, vec![Local::new(Transport::Udp, address)]);
    config.allow = vec![Method::Invite, Method::Ack, Method::Cancel, Method::Bye, Method::Prack, Method::Update];
    config.supported = ["100rel", "timer"].map(String::from).into();
    Endpoint::new(config, lab.random(name))
}

fn phone(lab: &mut Lab, name: &str, address: SocketAddr) -> Result<Phone, Box<dyn Error>> {
    let origin = Origin::parse(&format!("- 1 1 IN IP4 {}", address.ip()))?;
    let sound = Sound::new(origin, &address.ip().to_string()).media(LocalMedia::audio(40_000).codec(Codec::pcmu()));
    Ok(Phone {
        endpoint: endpoint(lab, name, address),
        uri: format!("sip:{name}@{address}"),
        sound,
        is_busy: false,
        sessions: Vec::new(),
        answered: 0,
        taken: 0,
        turned_away: 0,
        refused: Vec::new(),
        ended: 0,
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let quality = Quality { loss: Chance::percent(30), ..Quality::INTERNET };
    let mut lab = Lab::new(7, quality);
    let [a, b, c]: [SocketAddr; 3] = ["192.0.2.1:5060".parse()?, "192.0.2.2:5060".parse()?, "192.0.2.3:5060".parse()?];
    let (mut alice, mut bob) = (phone(&mut lab, "alice", a)?, phone(&mut lab, "bob", c)?);
    let mut b2bua = B2bua {
        endpoint: endpoint(&mut lab, "b2bua", b),
        uri: format!("sip:b2bua@{b}"),
        target: bob.uri.clone(),
        ringing: BTreeMap::new(),
        bridged: BTreeMap::new(),
        bridges_made: 0,
    };
    let target = format!("sip:anybody@{b}");
    for call in 0..40 {
        bob.is_busy = call % 4 == 3;
        alice.calls(&target, lab.now())?;
        lab.run(&mut [(a, &mut alice), (b, &mut b2bua), (c, &mut bob)], Micros::from_secs(40))?;
        if call % 2 == 0 {
            alice.hangs_up(lab.now())
        } else {
            bob.hangs_up(lab.now())
        }
        lab.run(&mut [(a, &mut alice), (b, &mut b2bua), (c, &mut bob)], Micros::from_secs(40))?;
    }
    alice.hangs_up(lab.now());
    lab.run(&mut [(a, &mut alice), (b, &mut b2bua), (c, &mut bob)], Micros::from_secs(600))?;

    println!(
        "{} calls answered, {} bridged, {} refused in {:?}",
        alice.answered,
        b2bua.bridges_made,
        alice.refused.len(),
        lab.now().mono.to_duration()
    );
    let story = || format!("\n{}", lab.list());
    assert!(alice.answered > 20 && alice.refused.contains(&StatusCode::BusyHere), "{}", story());
    assert_eq!((alice.answered, b2bua.bridges_made), (bob.taken, bob.taken), "{}", story());
    assert_eq!((alice.ended, bob.ended - bob.turned_away), (alice.answered, bob.taken), "{}", story());
    assert!(b2bua.ringing.is_empty() && b2bua.bridged.is_empty(), "{}", story());
    for (name, endpoint) in [("alice", &alice.endpoint), ("b2bua", &b2bua.endpoint), ("bob", &bob.endpoint)] {
        assert!(endpoint.agent().is_idle(), "{name} is left with something{}", story());
    }
    Ok(())
}
