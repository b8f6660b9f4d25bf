//! Phones and servers of the RFCs' examples at their addresses, the wire between them, and a clock.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use ringback_auth::{Algorithm, Ha1Set, Password};
use ringback_base::{Hop, Micros, Millis, Now, Random, Transport};
use ringback_location::{Binding, Version};
use ringback_message::{Message, StatusCode};
use ringback_proxy::Advertised;
use ringback_sdp::Origin;
use ringback_sdp::negotiate::{Codec, LocalMedia};
use ringback_stack::{Account, Answer, Config, Endpoint, Listener, Query, Stack};
use ringback_ua::{EndReason, Event, InviteId, Local, Media, Outbound, SessionId, UserAgent};

use ringback_testkit::zone::Zone;

use super::line::Scribe;

/// One way from an element to the next.
const LATENCY: Micros = Micros::from_ms(10);

/// How long the people wait before they do the next thing: longer than messages need, shorter than the first timer.
const REST: Micros = Micros::from_ms(300);

/// Elements: name, host, address.
pub(crate) const PLACES: &[(&str, &str, &str)] = &[
    ("alice", "client.atlanta.example.com", "192.0.2.101"),
    ("alice2", "client2.atlanta.example.com", "192.0.2.102"),
    ("bob", "client.biloxi.example.com", "192.0.2.201"),
    ("bob2", "client2.biloxi.example.com", "192.0.2.202"),
    ("bob3", "client3.biloxi.example.com", "192.0.2.203"),
    ("bob4", "client4.biloxi.example.com", "192.0.2.204"),
    ("bill", "bill.biloxi.example.com", "192.0.2.205"),
    ("pc", "pc.biloxi.example.com", "192.0.2.206"),
    ("gateway", "gw1.example.com", "192.0.2.133"),
    ("carol", "client.chicago.example.com", "192.0.2.121"),
    ("music", "music.example.com", "192.0.2.131"),
    ("park", "park.example.com", "192.0.2.132"),
    ("ss1", "ss1.atlanta.example.com", "192.0.2.111"),
    ("ss2", "ss2.biloxi.example.com", "192.0.2.222"),
    ("ss3", "ss3.chicago.example.com", "192.0.2.233"),
];

/// Domains and who serves them, the preferred one first.
const DOMAINS: &[(&str, &[&str])] = &[
    ("atlanta.example.com", &["ss1"]),
    ("biloxi.example.com", &["ss2"]),
    ("chicago.example.com", &["ss3"]),
    ("proxies.example.com", &["ss1", "ss2"]),
];

pub(crate) struct Town {
    pub(crate) now: Now,
    nodes: Vec<Node>,
    wire: VecDeque<Flight>,
    /// All that was sent, as lines.
    scribe: Scribe,
    /// Elements that have crashed: nothing reaches them, and nothing comes from them.
    pub(crate) dead: Vec<&'static str>,
    /// The next messages that get lost, by the beginnings of their lines: each once.
    pub(crate) lost: Vec<&'static str>,
    /// The next messages whose sender is told that nobody is there for them, by the beginnings of their lines: each once.
    pub(crate) unreachable: Vec<&'static str>,
    /// The next messages that get damaged on their way, by the beginnings of their lines, and how: each once.
    pub(crate) damaged: Vec<(&'static str, Damage)>,
    /// All that was ever sent: by whom, to whom, what.
    pub(crate) sent: Vec<(&'static str, &'static str, Message)>,
}

/// What the wire makes of a message.
pub(crate) type Damage = fn(&str) -> String;

struct Node {
    name: &'static str,
    element: Element,
    /// The place whose address is taken.
    sends_from: &'static str,
    events: VecDeque<Event>,
}

enum Element {
    Phone(Box<Endpoint>),
    Server(Box<Server>),
}

pub(crate) struct Server {
    pub(crate) stack: Stack,
    domain: String,
    bindings: BTreeMap<String, (Vec<Binding>, u64)>,
    /// Users that it has no account of.
    pub(crate) unknown: Vec<&'static str>,
    /// It has no room for another binding.
    pub(crate) is_full: bool,
    /// The names of hosts that nobody answers for.
    pub(crate) silent: Vec<&'static str>,
}

struct Flight {
    at: Micros,
    from: &'static str,
    to: &'static str,
    bytes: Bytes,
}

pub(crate) fn address(name: &str) -> SocketAddr {
    let (_, _, ip) = PLACES.iter().find(|(place, _, _)| *place == name).expect("a place");
    format!("{ip}:5060").parse().unwrap()
}

fn place(at: SocketAddr) -> &'static str {
    PLACES.iter().find(|(name, _, _)| address(name) == at).expect("a place").0
}

pub(crate) fn host(name: &str) -> &'static str {
    PLACES.iter().find(|(place, _, _)| *place == name).expect("a place").1
}

/// The addresses that a name leads to.
fn resolve(name: &str) -> Vec<IpAddr> {
    let place = PLACES.iter().find(|(_, host, _)| *host == name).map(|(place, _, _)| std::slice::from_ref(place));
    let places = place.or_else(|| DOMAINS.iter().find(|(domain, _)| *domain == name).map(|(_, places)| *places));
    places.unwrap_or_default().iter().map(|place| address(place).ip()).collect()
}

impl Town {
    pub(crate) fn new() -> Town {
        let now = Now::default().after(Micros::from_secs(1_700_000_000));
        Town {
            now,
            nodes: Vec::new(),
            wire: VecDeque::new(),
            scribe: Scribe::default(),
            dead: Vec::new(),
            lost: Vec::new(),
            unreachable: Vec::new(),
            damaged: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// A phone whose user has the name of its place.
    pub(crate) fn phone(&mut self, name: &'static str) {
        self.phone_with(name, |_| {});
    }

    pub(crate) fn phone_with(&mut self, name: &'static str, change: impl FnOnce(&mut ringback_ua::Config)) {
        let mut local = Local::new(Transport::Udp, address(name));
        local.sent_by = host(name).into();
        let mut config = ringback_ua::Config::new(name.trim_end_matches(char::is_numeric), vec![local]);
        config.session_timers.interval_secs = None;
        config.session_ids = false;
        change(&mut config);
        let element = Element::Phone(Box::new(Endpoint::new(config, self.random())));
        self.nodes.push(Node { name, element, sends_from: name, events: VecDeque::new() });
    }

    /// A server that asks nobody for credentials.
    pub(crate) fn server(&mut self, name: &'static str) {
        self.server_with(name, |config| config.open = true);
    }

    pub(crate) fn server_with(&mut self, name: &'static str, change: impl FnOnce(&mut Config)) {
        let (_, domain) = host(name).split_once('.').unwrap();
        let advertised = Advertised::new(host(name), 5060);
        let mut config = Config::new(domain, vec![Listener { advertised, ..Listener::udp(address(name)) }]);
        config.algorithms = vec![Algorithm::Md5];
        config.route_secret = [9; 32];
        change(&mut config);
        let stack = Stack::new(config, self.random()).unwrap();
        let element = Element::Server(Box::new(Server {
            stack,
            domain: domain.to_owned(),
            bindings: BTreeMap::new(),
            unknown: Vec::new(),
            is_full: false,
            silent: Vec::new(),
        }));
        self.nodes.push(Node { name, element, sends_from: name, events: VecDeque::new() });
    }

    fn random(&self) -> Random {
        Random::from_seed([u8::try_from(self.nodes.len()).unwrap() + 1; 32])
    }

    /// A user of a server is reached there, with this preference.
    pub(crate) fn binds(&mut self, server: &str, user: &str, contact: &str, q: Option<&str>) {
        let millis = self.now.unix;
        let server = self.served_by(server);
        let aor = format!("{user}@{}", server.domain);
        let binding = Binding {
            contact: contact.as_bytes().into(),
            params: Box::default(),
            q: q.map(|q| ringback_message::header::Qvalue::parse(q.as_bytes()).unwrap()),
            call_id: b"registered".to_vec().into(),
            cseq: 1,
            expires_at: Millis(millis.0 + 86_400_000),
            updated_at: millis,
            received: None,
            path: Vec::new(),
            user_agent: None,
        };
        server.bindings.entry(aor).or_default().0.push(binding);
    }

    fn node(&mut self, name: &str) -> &mut Node {
        self.nodes.iter_mut().find(|node| node.name == name).expect("an element")
    }

    pub(crate) fn served_by(&mut self, name: &str) -> &mut Server {
        match &mut self.node(name).element {
            Element::Server(server) => server,
            Element::Phone(_) => panic!("{name} is no server"),
        }
    }

    /// Whether it is a phone or a server.
    pub(crate) fn is_phone(&mut self, name: &str) -> bool {
        matches!(self.node(name).element, Element::Phone(_))
    }

    pub(crate) fn agent(&mut self, name: &str) -> &mut UserAgent {
        match &mut self.node(name).element {
            Element::Phone(endpoint) => endpoint.agent_mut(),
            Element::Server(_) => panic!("{name} is no phone"),
        }
    }

    /// Somebody does something at a phone, and waits until nothing more comes of it.
    pub(crate) fn at<T>(&mut self, name: &str, act: impl FnOnce(&mut UserAgent, Now) -> T) -> T {
        let now = self.now;
        let done = act(self.agent(name), now);
        self.rest();
        done
    }

    pub(crate) fn rest(&mut self) {
        self.run(REST);
    }

    /// Lets everything happen that happens within this time.
    pub(crate) fn run(&mut self, span: Micros) {
        let end = self.now.mono.plus(span);
        loop {
            self.collect();
            let arrival = self.wire.iter().map(|flight| flight.at).min();
            let timer = self.nodes.iter().filter_map(Node::poll_timeout).min();
            let Some(next) = arrival.into_iter().chain(timer).min().filter(|next| *next <= end) else { break };
            self.now = self.now.after(next.since(self.now.mono));
            while let Some(at) = self.wire.iter().position(|flight| flight.at <= self.now.mono) {
                let flight = self.wire.remove(at).unwrap();
                self.deliver(flight);
            }
            let now = self.now;
            for node in &mut self.nodes {
                if node.poll_timeout().is_some_and(|at| at <= now.mono) {
                    node.handle_timeout(now);
                }
            }
        }
        self.now = self.now.after(end.since(self.now.mono));
    }

    /// Takes in what the elements have to send, to ask and to tell.
    fn collect(&mut self) {
        let now = self.now;
        for node in &mut self.nodes {
            let is_dead = self.dead.contains(&node.name);
            let mut waiting = VecDeque::from(node.collect(now));
            while let Some((hop, bytes)) = waiting.pop_front() {
                if is_dead {
                    continue;
                }
                let from = place(hop.local);
                let to = place(hop.remote);
                let message = Message::parse(bytes.clone()).expect("what is sent can be read");
                let line = self.scribe.write(from, to, &message);
                if let Some(at) = self.lost.iter().position(|beginning| line.starts_with(beginning)) {
                    self.lost.remove(at);
                    continue;
                }
                if let Some(at) = self.unreachable.iter().position(|beginning| line.starts_with(beginning)) {
                    self.unreachable.remove(at);
                    node.handle_unreachable(&bytes, &hop, now);
                    waiting.extend(node.collect(now));
                    continue;
                }
                let mut bytes = bytes;
                if let Some(at) = self.damaged.iter().position(|(beginning, _)| line.starts_with(beginning)) {
                    let (_, damage) = self.damaged.remove(at);
                    bytes = damage(std::str::from_utf8(&bytes).unwrap()).into();
                }
                self.sent.push((from, to, message));
                self.wire.push_back(Flight { at: now.mono.plus(LATENCY), from, to, bytes });
            }
        }
    }

    fn deliver(&mut self, flight: Flight) {
        let hop = Hop::udp(address(flight.to), address(flight.from));
        let (now, is_dead) = (self.now, self.dead.contains(&flight.to));
        let is_it = |node: &&mut Node| (node.name == flight.to || node.sends_from == flight.to) && !is_dead;
        let Some(node) = self.nodes.iter_mut().find(is_it) else { return };
        match &mut node.element {
            Element::Phone(endpoint) => endpoint.handle_datagram(flight.bytes, hop, now).unwrap(),
            Element::Server(server) => server.stack.handle_datagram(flight.bytes, hop, now),
        }
    }

    /// A phone has this account at every server.
    pub(crate) fn account(&mut self, name: &str, user: &str) {
        for realm in ["atlanta.example.com", "biloxi.example.com"] {
            self.agent(name).add_account(ringback_auth::Account::new(realm, user, Password::new("secret")));
        }
    }

    /// From now on what this phone sends leaves from another of its addresses.
    pub(crate) fn moves(&mut self, name: &str, to: &'static str) {
        self.node(name).sends_from = to;
    }

    /// The messages that were sent since the last look.
    pub(crate) fn take_lines(&mut self) -> Vec<String> {
        self.collect();
        self.scribe.take()
    }

    /// Lets time pass until such a message is sent, two hours at most.
    pub(crate) fn wait_to_see(&mut self, beginning: &str) {
        let seen = (0..72_000).find(|_| {
            self.run(Micros::from_ms(100));
            self.scribe.has(beginning)
        });
        assert!(seen.is_some(), "no {beginning}");
    }

    /// What was sent until now is not part of the flow.
    pub(crate) fn forget(&mut self) {
        self.take_lines();
    }

    /// After all timers nothing is left of anything.
    pub(crate) fn ends_empty(&mut self) {
        self.run(Micros::from_secs(600));
        for node in &mut self.nodes {
            node.events.clear();
            match &node.element {
                Element::Phone(phone) => assert!(phone.agent().is_idle(), "{}: {:#?}", node.name, phone.agent()),
                Element::Server(server) => assert!(server.stack.is_idle(), "{}: {:#?}", node.name, server.stack),
            }
        }
    }

    /// The first event that fits is taken out; those before it are dropped.
    pub(crate) fn event<T>(&mut self, name: &str, fits: impl Fn(&Event) -> Option<T>) -> T {
        self.collect();
        let mut passed = Vec::new();
        while let Some(event) = self.node(name).events.pop_front() {
            if let Some(found) = fits(&event) {
                return found;
            }
            passed.push(event);
        }
        panic!("no such event at {name}: {passed:#?}\n{}", self.scribe.take().join("\n"));
    }

    /// Lets time pass until a phone is told such a thing, an hour at most.
    pub(crate) fn wait_for(&mut self, name: &str, fits: impl Fn(&Event) -> bool) {
        let is_it = |town: &mut Town| town.node(name).events.iter().any(&fits);
        let waited = (0..36_000).find(|_| {
            self.run(Micros::from_ms(100));
            is_it(self)
        });
        assert!(waited.is_some(), "{name} was told nothing");
    }

    pub(crate) fn incoming(&mut self, name: &str) -> SessionId {
        self.event(name, |event| match event {
            Event::Incoming { session, .. } => Some(*session),
            _ => None,
        })
    }

    pub(crate) fn answered(&mut self, name: &str) -> SessionId {
        self.event(name, |event| match event {
            Event::Answered { session, .. } => Some(*session),
            _ => None,
        })
    }

    pub(crate) fn ended(&mut self, name: &str) -> EndReason {
        self.event(name, |event| match event {
            Event::Ended { reason, .. } => Some(reason.clone()),
            _ => None,
        })
    }

    pub(crate) fn failed(&mut self, name: &str) -> u16 {
        self.event(name, |event| match event {
            Event::InviteFailed { failure, .. } => Some(failure.status().as_u16()),
            _ => None,
        })
    }

    pub(crate) fn calls(&mut self, name: &str, outbound: &Outbound) -> InviteId {
        let media = sound(name);
        self.at(name, |agent, now| agent.invite(outbound, media, now).unwrap())
    }

    /// The call that came in rings.
    pub(crate) fn rings(&mut self, name: &str) -> SessionId {
        let session = self.incoming(name);
        self.at(name, |agent, now| agent.ring(session, StatusCode::Ringing, Media::None, now).unwrap());
        session
    }

    pub(crate) fn answers(&mut self, name: &str, session: SessionId) {
        let media = sound(name);
        self.at(name, |agent, now| agent.answer(session, media, now).unwrap());
    }

    /// The call is answered, and nothing more is said of media.
    pub(crate) fn answers_bare(&mut self, name: &str, session: SessionId) {
        self.at(name, |agent, now| agent.answer(session, Media::None, now).unwrap());
    }

    pub(crate) fn hangs_up(&mut self, name: &str, session: SessionId) {
        self.at(name, |agent, now| agent.hang_up(session, now).unwrap());
    }

    /// A call that rings and is answered: the sessions of both sides.
    pub(crate) fn call(&mut self, from: &str, to: &str, outbound: &Outbound) -> (SessionId, SessionId) {
        self.calls(from, outbound);
        let callee = self.rings(to);
        self.answers(to, callee);
        (self.answered(from), callee)
    }
}

impl Node {
    fn poll_timeout(&self) -> Option<Micros> {
        match &self.element {
            Element::Phone(endpoint) => endpoint.poll_timeout(),
            Element::Server(server) => server.stack.poll_timeout().map(|(at, _)| at),
        }
    }

    fn handle_timeout(&mut self, now: Now) {
        match &mut self.element {
            Element::Phone(endpoint) => endpoint.handle_timeout(now),
            Element::Server(server) => server.stack.handle_timeout(now),
        }
    }

    /// ICMP says that it did not arrive.
    fn handle_unreachable(&mut self, bytes: &[u8], hop: &Hop, now: Now) {
        let is_ours = match &mut self.element {
            Element::Phone(endpoint) => endpoint.handle_unreachable(bytes, hop, now),
            Element::Server(server) => server.stack.handle_unreachable(bytes, hop, now),
        };
        assert!(is_ours);
    }

    fn collect(&mut self, now: Now) -> Vec<(Hop, Bytes)> {
        let mut sent = Vec::new();
        match &mut self.element {
            Element::Phone(endpoint) => {
                while let Some(lookup) = endpoint.agent_mut().poll_lookup() {
                    let hops = hops(self.sends_from, &lookup.uri);
                    endpoint.agent_mut().handle_hops(lookup.id, &hops, now);
                }
                while let Some(event) = endpoint.agent_mut().poll_event() {
                    self.events.push_back(event);
                }
                while let Some(transmit) = endpoint.poll_transmit() {
                    sent.push((transmit.hop, transmit.bytes));
                }
            }
            Element::Server(server) => {
                while let Some(lookup) = server.stack.poll_lookup() {
                    let Some(answer) = server.answer(lookup.query) else { continue };
                    server.stack.handle_answer(lookup.token, answer, now);
                }
                while server.stack.poll_event().is_some() {}
                while let Some(transmit) = server.stack.poll_transmit() {
                    sent.push((transmit.hop, transmit.bytes));
                }
            }
        }
        sent
    }
}

fn hosts(name: &str) -> Zone {
    let mut zone = Zone::default();
    for address in resolve(name) {
        zone.add_host(name, address);
    }
    zone
}

/// Where a URI leads. `[RFC 3263, Section 4]`
fn hops(from: &str, uri: &[u8]) -> Vec<Hop> {
    use ringback_message::{HeaderId, Uri};
    let Ok(Uri::Sip(uri)) = Uri::parse(uri, HeaderId::Other, 0) else { return Vec::new() };
    let host = std::str::from_utf8(uri.host).unwrap();
    let hop = |ip: &IpAddr| Hop::udp(address(from), SocketAddr::new(*ip, uri.port.unwrap_or(5060)));
    resolve(host).iter().map(hop).collect()
}

impl Server {
    /// `None` where no answer comes.
    fn answer(&mut self, query: Query) -> Option<Answer> {
        Some(match query {
            Query::LoadBindings { aor } => {
                let (rows, version) = self.bindings.get(aor.as_str()).cloned().unwrap_or_default();
                Answer::Bindings { rows, version: Version(version) }
            }
            Query::StoreBindings { .. } if self.is_full => Answer::Full,
            Query::StoreBindings { aor, version, rows } => {
                let entry = self.bindings.entry(aor.as_str().to_owned()).or_default();
                assert_eq!(entry.1, version.0);
                *entry = (rows, version.0 + 1);
                Answer::Stored
            }
            Query::ConfirmBindings { .. } => Answer::Stored,
            Query::Account { user } if self.unknown.contains(&&*user) => Answer::Account(None),
            Query::Account { user } => {
                let ha1s = Ha1Set::of(&user, &self.domain, &Password::new("secret"));
                Answer::Account(Some(Account { ha1s, redirect: false }))
            }
            Query::Dns { question } if self.silent.contains(&&*question.name) => return None,
            Query::Dns { question } => Answer::Dns(hosts(&question.name).answer(&question)),
            _ => Answer::Failed,
        })
    }
}

/// The address of record of a user.
pub(crate) fn aor(name: &str) -> String {
    let domain = match name {
        "alice" => "atlanta",
        "bob" | "bill" => "biloxi",
        _ => "chicago",
    };
    format!("sip:{name}@{domain}.example.com")
}

/// Where a phone is: its Contact.
pub(crate) fn contact(name: &str) -> String {
    format!("sip:{}@{}", name.trim_end_matches(char::is_numeric), host(name))
}

/// From one to another without a server.
pub(crate) fn direct(from: &str, to: &str) -> Outbound {
    Outbound { request_uri: Some(contact(to)), ..Outbound::new(&aor(from), &aor(to)) }
}

/// What a phone has: one codec, at its own address.
pub(crate) fn sound(name: &str) -> Media {
    Media::Endpoint(endpoint(name))
}

pub(crate) fn endpoint(name: &str) -> ringback_sdp::negotiate::Endpoint {
    let ip = address(name).ip();
    let origin = Origin::parse(&format!("{name} 2890844526 1 IN IP4 {}", host(name))).unwrap();
    let endpoint = ringback_sdp::negotiate::Endpoint::new(origin, &ip.to_string());
    endpoint.media(LocalMedia::audio(49_172).codec(Codec::pcmu()))
}
