//! The surroundings of a stack: a clock, accounts, bindings, and the messages on the wire.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use ringback_auth::{Algorithm, AuthSession, Ha1Set, Password};
use ringback_base::{Hop, Micros, Now, Random};
use ringback_location::{Binding, Version};
use ringback_message::{HeaderId, Message, NameAddr, Request, Response};
use ringback_stack::{Account, Answer, Config, Event, Listener, Lookup, Query, Stack};

use crate::zone::Zone;

pub(crate) const SERVER: &str = "127.0.0.1:5060";
pub(crate) const ALICE: &str = "127.0.0.1:5071";
pub(crate) const BOB: &str = "127.0.0.1:5072";

pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) now: Now,
    /// What was sent, to whom.
    pub(crate) wire: Vec<(SocketAddr, Bytes)>,
    /// The hop of what was sent last.
    pub(crate) last_hop: Option<Hop>,
    pub(crate) events: Vec<Event>,
    pub(crate) bindings: BTreeMap<String, (Vec<Binding>, u64)>,
    /// The user who is answered for with 302.
    pub(crate) redirected: Option<String>,
    /// How many of the next stores are answered with a conflict.
    pub(crate) conflicts: u32,
    /// Stores are answered with the word that there is no room for another user.
    pub(crate) full: bool,
    /// Questions are not answered but by their deadline.
    pub(crate) mute: bool,
    /// Names are answered only when told.
    pub(crate) slow_names: bool,
    asked_names: Vec<Lookup>,
    pub(crate) zone: Zone,
    random: Random,
    branches: u32,
}

impl World {
    pub(crate) fn new() -> World {
        World::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> World {
        let listeners = vec![Listener::udp(SERVER.parse().unwrap()), Listener::udp("[::1]:5060".parse().unwrap())];
        let mut config = Config::new("example.com", listeners);
        config.algorithms = vec![Algorithm::Md5];
        config.route_secret = [9; 32];
        change(&mut config);
        World {
            stack: Stack::new(config, Random::from_seed([1; 32])).unwrap(),
            now: Now::default().after(Micros::from_secs(1_700_000_000)),
            wire: Vec::new(),
            last_hop: None,
            events: Vec::new(),
            bindings: BTreeMap::new(),
            redirected: None,
            conflicts: 0,
            full: false,
            mute: false,
            slow_names: false,
            asked_names: Vec::new(),
            zone: Zone::default(),
            random: Random::from_seed([2; 32]),
            branches: 0,
        }
    }

    /// The process dies and starts again: bindings stay, nothing else does.
    pub(crate) fn restart(&mut self) {
        let fresh = World::new();
        self.stack = fresh.stack;
    }

    pub(crate) fn send(&mut self, from: &str, text: impl AsRef<[u8]>) {
        let hop = Hop::udp(SERVER.parse().unwrap(), from.parse().unwrap());
        self.stack.handle_datagram(Bytes::copy_from_slice(text.as_ref()), hop, self.now);
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        loop {
            while let Some(transmit) = self.stack.poll_transmit() {
                assert!(transmit.bytes.len() < 65_536);
                self.last_hop = Some(transmit.hop);
                self.wire.push((transmit.hop.remote, transmit.bytes));
            }
            while let Some(event) = self.stack.poll_event() {
                self.events.push(event);
            }
            let Some(lookup) = self.stack.poll_lookup() else { return };
            if self.slow_names && matches!(lookup.query, Query::Dns { .. }) {
                self.asked_names.push(lookup);
            } else if !self.mute {
                let answer = self.answer(lookup.query);
                self.stack.handle_answer(lookup.token, answer, self.now);
            }
        }
    }

    pub(crate) fn names_come(&mut self) {
        while !self.asked_names.is_empty() {
            for lookup in std::mem::take(&mut self.asked_names) {
                let answer = self.answer(lookup.query);
                self.stack.handle_answer(lookup.token, answer, self.now);
            }
            self.settle();
        }
    }

    fn answer(&mut self, query: Query) -> Answer {
        match query {
            Query::LoadBindings { aor } => {
                let (rows, version) = self.bindings.get(aor.as_str()).cloned().unwrap_or_default();
                Answer::Bindings { rows, version: Version(version) }
            }
            Query::StoreBindings { aor, version, rows } => {
                let entry = self.bindings.entry(aor.as_str().to_owned()).or_default();
                if self.conflicts > 0 {
                    self.conflicts -= 1;
                    entry.1 += 1;
                    return Answer::Conflict;
                }
                if self.full {
                    return Answer::Full;
                }
                assert_eq!(entry.1, version.0);
                *entry = (rows, version.0 + 1);
                Answer::Stored
            }
            Query::ConfirmBindings { .. } => Answer::Stored,
            Query::Account { user } => {
                let known = ["alice", "bob", "carol"].contains(&&*user);
                let ha1s = Ha1Set::of(&user, "example.com", &Password::new("secret"));
                Answer::Account(known.then(|| Account { ha1s, redirect: self.redirected.as_deref() == Some(&*user) }))
            }
            Query::Dns { question } => Answer::Dns(self.zone.answer(&question)),
            other => panic!("{other:?}"),
        }
    }

    /// Lets time pass, firing what is due at its time.
    pub(crate) fn wait(&mut self, span: Micros) {
        let end = self.now.after(span);
        while let Some((at, _)) = self.stack.poll_timeout().filter(|(at, _)| *at <= end.mono) {
            self.now = self.now.after(at.since(self.now.mono));
            self.stack.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
        self.stack.handle_timeout(self.now);
        self.settle();
    }

    /// All that was sent to this address since the last look.
    pub(crate) fn received(&mut self, at: &str) -> Vec<Message> {
        let at: SocketAddr = at.parse().unwrap();
        let (mine, rest) = std::mem::take(&mut self.wire).into_iter().partition(|(to, _)| *to == at);
        self.wire = rest;
        let mine: Vec<(SocketAddr, Bytes)> = mine;
        mine.into_iter().map(|(_, bytes)| Message::parse(bytes).unwrap()).collect()
    }

    /// The one message that was sent to this address, which must be a request.
    pub(crate) fn request(&mut self, at: &str) -> Request {
        let mut all = self.received(at);
        assert_eq!(all.len(), 1, "{all:?}");
        Request::check(all.remove(0)).unwrap()
    }

    /// The codes of the responses that were sent to this address.
    pub(crate) fn codes(&mut self, at: &str) -> Vec<u16> {
        self.received(at).iter().map(|m| m.status().map_or(0, |s| s.as_u16())).collect()
    }

    /// The last response that was sent to this address.
    pub(crate) fn response(&mut self, at: &str) -> Response {
        Response::check(self.received(at).pop().expect("nothing was sent")).unwrap()
    }

    /// A request of a phone: its own Via, tags and Call-ID by its port.
    pub(crate) fn text(&mut self, from: &str, method: &str, uri: &str, user: &str, to: &str, more: &str) -> String {
        self.branches += 1;
        let port = from.rsplit(':').next().unwrap();
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{}\r\nMax-Forwards: 70\r\nFrom: <sip:{user}@example.com>;tag={port}\r\n\
             To: <{to}>\r\nCall-ID: call-{port}\r\nCSeq: {} {method}\r\n{more}\r\n",
            self.branches, self.branches
        )
    }

    /// Sends a request, answers its challenge, and returns the one with credentials.
    pub(crate) fn send_authenticated(
        &mut self,
        from: &str,
        method: &str,
        uri: &str,
        user: &str,
        to: &str,
        more: &str,
    ) -> String {
        let first = self.text(from, method, uri, user, to, more);
        self.send(from, &first);
        let challenge = self.response(from);
        if method == "INVITE" {
            let invite = parsed(&first);
            self.send(from, invite.ack(&challenge).unwrap().as_bytes());
        }
        let second = self.text(from, method, uri, user, to, more);
        let second = self.with_credentials(&second, &challenge, user, "secret");
        self.send(from, &second);
        second
    }

    pub(crate) fn with_credentials(
        &mut self,
        request: &str,
        challenge: &Response,
        user: &str,
        password: &str,
    ) -> String {
        let (asks, answers) = match challenge.status().as_u16() {
            401 => (HeaderId::WwwAuthenticate, HeaderId::Authorization),
            407 => (HeaderId::ProxyAuthenticate, HeaderId::ProxyAuthorization),
            other => panic!("{other} is no challenge"),
        };
        let mut session = AuthSession::pick(challenge, asks, None, &mut self.random).unwrap();
        let ha1 = session.ha1(user, &Password::new(password));
        let value = session.answer(user, &ha1, &parsed(request)).unwrap();
        request.replacen("\r\nCall-ID", &format!("\r\n{answers}: {value}\r\nCall-ID"), 1)
    }

    pub(crate) fn register(&mut self, from: &str, user: &str) {
        let contact = format!("Contact: <sip:{user}@{from}>\r\n");
        self.send_authenticated(
            from,
            "REGISTER",
            "sip:example.com",
            user,
            &format!("sip:{user}@example.com"),
            &contact,
        );
        assert_eq!(self.codes(from), [200]);
    }

    /// After the longest timer nothing is left.
    pub(crate) fn ends_empty(&mut self) {
        self.wait(Micros::from_secs(400));
        assert!(self.stack.is_idle(), "{:?}", self.stack);
        assert_eq!(self.stack.poll_timeout(), None);
    }
}

pub(crate) fn parsed(text: &str) -> Request {
    Request::check(Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()).unwrap()
}

/// A response of a phone to what it received.
pub(crate) fn answer(request: &Request, code: u16, tag: &str, more: &str) -> String {
    let response =
        Response::to(request, ringback_message::StatusCode::new(code).unwrap()).to_tag(tag).build_unchecked().unwrap();
    let text = String::from_utf8(response.as_bytes().to_vec()).unwrap();
    text.replacen("\r\n\r\n", &format!("\r\n{more}\r\n"), 1)
}

/// The route set that a caller learns from a response: its Record-Routes from the last to the first. [RFC 3261, Section 12.1.2]
pub(crate) fn routes(response: &Message) -> String {
    let mut all = recorded(response);
    all.reverse();
    all.concat()
}

/// The Record-Routes of a message in their order, each as a Route: the route set of a callee. [RFC 3261, Section 12.1.1]
pub(crate) fn recorded(message: &Message) -> Vec<String> {
    let route = |route: NameAddr<&[u8]>| {
        let mut text = Vec::new();
        route.write(&mut text);
        format!("Route: {}\r\n", String::from_utf8(text).unwrap())
    };
    message.addresses(HeaderId::RecordRoute).map(|recorded| route(recorded.unwrap())).collect()
}
