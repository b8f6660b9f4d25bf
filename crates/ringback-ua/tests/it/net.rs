//! Some user agents, the wire between them, and a clock.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;
use ringback_base::{Hop, Micros, Now, Random, Transport};
use ringback_message::{Message, Request, Response, StatusCode};
use ringback_sdp::Origin;
use ringback_sdp::negotiate::{Codec, Endpoint, LocalMedia};
use ringback_ua::{Config, Event, InviteId, Local, Media, Outbound, SessionId, UserAgent};

/// One way through the wire.
const LATENCY: Micros = Micros::from_ms(10);

/// What is sent here reaches all agents but the first, as if a stateless proxy had forked it.
pub(crate) const FORK: &str = "192.0.2.200:5060";

/// A message on its way.
#[derive(Clone)]
pub(crate) struct Flight {
    at: Micros,
    from: usize,
    to: usize,
    bytes: Bytes,
}

/// What becomes of a message: `Some` copies of it arrive.
pub(crate) type Fate = Box<dyn FnMut(&Message) -> usize>;

pub(crate) struct Net {
    pub(crate) now: Now,
    pub(crate) agents: Vec<UserAgent>,
    pub(crate) wire: VecDeque<Flight>,
    /// `a INVITE b`, `b 180 a`, one for each message that was sent.
    pub(crate) ladder: Vec<String>,
    pub(crate) sent: Vec<Message>,
    pub(crate) events: Vec<VecDeque<Event>>,
    pub(crate) fate: Fate,
    /// What stands in the Contacts of responses, and what arrives instead.
    pub(crate) rewrite: Option<(Vec<u8>, Vec<u8>)>,
    /// The same for the bodies of responses.
    pub(crate) rewrite_body: Option<(Vec<u8>, Vec<u8>)>,
    /// Names are looked up, and lead nowhere.
    pub(crate) has_names: bool,
    /// How everything arrives.
    pub(crate) transport: Transport,
}

pub(crate) fn address(agent: usize) -> SocketAddr {
    format!("192.0.2.{}:5060", agent + 1).parse().unwrap()
}

pub(crate) fn name(agent: usize) -> char {
    char::from(b'a' + u8::try_from(agent).unwrap())
}

pub(crate) fn uri(agent: usize) -> String {
    format!("sip:{}@{}", name(agent), address(agent))
}

impl Net {
    pub(crate) fn new(count: usize) -> Net {
        Net::with(count, |_, _| {})
    }

    pub(crate) fn with(count: usize, mut change: impl FnMut(usize, &mut Config)) -> Net {
        let agent = |index: usize| {
            let mut config = Config::new(&name(index).to_string(), vec![Local::new(Transport::Udp, address(index))]);
            change(index, &mut config);
            UserAgent::new(config, Random::from_seed([u8::try_from(index).unwrap() + 1; 32]))
        };
        Net {
            now: Now::default(),
            agents: (0..count).map(agent).collect(),
            wire: VecDeque::new(),
            ladder: Vec::new(),
            sent: Vec::new(),
            events: (0..count).map(|_| VecDeque::new()).collect(),
            fate: Box::new(|_| 1),
            rewrite: None,
            rewrite_body: None,
            has_names: false,
            transport: Transport::Udp,
        }
    }

    /// Takes in what the agents have to send and to tell.
    fn collect(&mut self) {
        for from in 0..self.agents.len() {
            while let Some(lookup) = self.agents[from].poll_lookup() {
                assert!(self.has_names, "every URI is an address");
                self.agents[from].handle_hops(lookup.id, &[], self.now);
            }
            while let Some(transmit) = self.agents[from].poll_transmit() {
                let to = (0..self.agents.len()).find(|&to| address(to) == transmit.hop.remote);
                let to = to.or_else(|| (transmit.hop.remote == FORK.parse().unwrap()).then_some(usize::MAX));
                let message = Message::parse(transmit.bytes.clone()).expect("what is sent can be read");
                let message = self.rewritten(message);
                let bytes = message.as_bytes().clone();
                let what = message.method_text().map(|m| String::from_utf8_lossy(m).into_owned());
                let what = what.unwrap_or_else(|| message.status().unwrap().as_u16().to_string());
                let Some(to) = to else { continue };
                // Everybody else is behind the fork.
                let all = if to == usize::MAX { 1..self.agents.len() } else { to..to + 1 };
                for to in all {
                    self.ladder.push(format!("{} {what} {}", name(from), name(to)));
                    for _ in 0..(self.fate)(&message) {
                        let at = self.now.mono.plus(LATENCY);
                        self.wire.push_back(Flight { at, from, to, bytes: bytes.clone() });
                    }
                }
                self.sent.push(message);
            }
            while let Some(event) = self.agents[from].poll_event() {
                self.events[from].push_back(event);
            }
        }
    }

    fn rewritten(&self, message: Message) -> Message {
        if let (Some((from, to)), false) = (&self.rewrite_body, message.is_request() || message.body().is_empty()) {
            let body = String::from_utf8_lossy(message.body()).into_owned();
            let body = body.replace(&*String::from_utf8_lossy(from), &String::from_utf8_lossy(to));
            return ringback_message::Edit::new(&message).body(body.as_bytes()).finish().unwrap();
        }
        let Some((from, to)) = &self.rewrite else { return message };
        let text = message.as_bytes();
        let at = text.windows(from.len()).rposition(|window| window == from);
        match (at, message.first(ringback_message::HeaderId::Contact)) {
            (Some(at), Some(_)) if !message.is_request() => {
                let rewritten = [&text[..at], to, &text[at + from.len()..]].concat();
                Message::parse(Bytes::from(rewritten)).unwrap()
            }
            _ => message,
        }
    }

    /// Lets everything happen that happens within this time.
    pub(crate) fn run(&mut self, span: Micros) {
        let end = self.now.mono.plus(span);
        loop {
            self.collect();
            let arrival = self.wire.iter().map(|flight| flight.at).min();
            let timer = self.agents.iter().filter_map(UserAgent::poll_timeout).min();
            let Some(next) = arrival.into_iter().chain(timer).min().filter(|next| *next <= end) else { break };
            self.now = self.now.after(next.since(self.now.mono));
            for agent in &mut self.agents {
                if agent.poll_timeout().is_some_and(|at| at <= self.now.mono) {
                    agent.handle_timeout(self.now);
                }
            }
            while let Some(at) = self.wire.iter().position(|flight| flight.at <= self.now.mono) {
                let flight = self.wire.remove(at).unwrap();
                self.deliver(flight);
            }
        }
        self.now = self.now.after(end.since(self.now.mono));
    }

    /// A second, in which whatever needs no timer is over.
    pub(crate) fn settle(&mut self) {
        self.run(Micros::from_ms(400));
    }

    fn deliver(&mut self, flight: Flight) {
        let hop = Hop { transport: self.transport, ..Hop::udp(address(flight.to), address(flight.from)) };
        let message = Message::parse(flight.bytes).unwrap();
        let agent = &mut self.agents[flight.to];
        if message.is_request() {
            let request = ringback_transport::stamp(Request::check(message).unwrap(), &hop).unwrap();
            agent.handle_request(request, hop, self.now);
        } else {
            agent.handle_response(Response::check(message).unwrap(), hop, self.now);
        }
    }

    /// A request that an agent did not send itself, as a fork on the way does.
    pub(crate) fn send_by_hand(&mut self, from: usize, to: usize, text: &str) {
        let (at, bytes) = (self.now.mono.plus(LATENCY), Bytes::copy_from_slice(text.as_bytes()));
        self.wire.push_back(Flight { at, from, to, bytes });
    }

    /// The first event that fits is taken out; those before it are dropped.
    pub(crate) fn event<T>(&mut self, agent: usize, fits: impl Fn(&Event) -> Option<T>) -> T {
        self.collect();
        let mut passed = Vec::new();
        while let Some(event) = self.events[agent].pop_front() {
            if let Some(found) = fits(&event) {
                return found;
            }
            passed.push(event);
        }
        panic!("no such event at {}: {passed:#?}\n{}", name(agent), self.ladder.join("\n"));
    }

    /// The next event of an agent.
    pub(crate) fn take(&mut self, agent: usize) -> Option<Event> {
        self.collect();
        self.events[agent].pop_front()
    }

    /// A session of this agent.
    pub(crate) fn any_session(&self, agent: usize) -> Option<SessionId> {
        self.agents[agent].sessions().next()
    }

    pub(crate) fn incoming(&mut self, agent: usize) -> SessionId {
        self.event(agent, |event| match event {
            Event::Incoming { session, .. } => Some(*session),
            _ => None,
        })
    }

    pub(crate) fn answered(&mut self, agent: usize) -> SessionId {
        self.event(agent, |event| match event {
            Event::Answered { session, .. } => Some(*session),
            _ => None,
        })
    }

    pub(crate) fn confirmed(&mut self, agent: usize) -> SessionId {
        self.event(agent, |event| match event {
            Event::Confirmed { session } => Some(*session),
            _ => None,
        })
    }

    pub(crate) fn ended(&mut self, agent: usize) -> ringback_ua::EndReason {
        self.event(agent, |event| match event {
            Event::Ended { reason, .. } => Some(reason.clone()),
            _ => None,
        })
    }

    pub(crate) fn invite(&mut self, from: usize, to: usize, media: Media) -> InviteId {
        self.agents[from].invite(&Outbound::new(&uri(from), &uri(to)), media, self.now).unwrap()
    }

    /// A call that has media before its answer: the sessions of both sides.
    pub(crate) fn early(&mut self, from: usize, to: usize) -> (SessionId, SessionId) {
        self.invite(from, to, sound(from));
        self.settle();
        let callee = self.incoming(to);
        self.agents[to].ring(callee, StatusCode::SessionProgress, sound(to), self.now).unwrap();
        self.settle();
        (self.any_session(from).unwrap(), callee)
    }

    /// A call that stands: the sessions of both sides.
    pub(crate) fn call(&mut self, from: usize, to: usize) -> (SessionId, SessionId) {
        self.invite(from, to, sound(from));
        self.settle();
        let callee = self.incoming(to);
        self.agents[to].answer(callee, sound(to), self.now).unwrap();
        self.settle();
        let caller = self.answered(from);
        self.confirmed(to);
        self.ladder.clear();
        self.sent.clear();
        (caller, callee)
    }

    /// After all timers nothing is left of anything.
    pub(crate) fn assert_idle(&mut self) {
        self.run(Micros::from_secs(600));
        self.collect();
        self.events.iter_mut().for_each(VecDeque::clear);
        for (index, agent) in self.agents.iter().enumerate() {
            assert!(agent.is_idle(), "{} is not idle: {agent:#?}", name(index));
        }
    }
}

/// What an agent has: one codec.
pub(crate) fn endpoint(agent: usize) -> Endpoint {
    let ip = address(agent).ip();
    let origin = Origin::parse(&format!("- {} 1 IN IP4 {ip}", agent + 100)).unwrap();
    Endpoint::new(origin, &ip.to_string()).media(LocalMedia::audio(40_000).codec(Codec::pcmu()))
}

pub(crate) fn sound(agent: usize) -> Media {
    Media::Endpoint(endpoint(agent))
}
