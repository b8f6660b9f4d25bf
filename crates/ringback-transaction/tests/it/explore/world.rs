//! A caller, a callee and what is under way between them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bytes::Bytes;
use ringback_base::{KeyedHash, Micros, Now, Transport};
use ringback_message::{Message, Method, Request, Response, StatusCode};
use ringback_transaction::{ClientId, Config, Event, ServerId, State, Timers, Transactions};

use crate::script::{hop, layer, request};

/// What may happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    /// How many messages may be lost or doubled.
    pub(crate) faults: u8,
    /// How often time may pass while messages are under way.
    pub(crate) late: u8,
    /// The caller may cancel, as soon as it may.
    pub(crate) cancel: bool,
    /// After its 200 the callee may send another from somebody else.
    pub(crate) fork: bool,
    /// The caller acknowledges the 180 with a PRACK.
    pub(crate) prack: bool,
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Deliver(usize),
    Lose(usize),
    Double(usize),
    /// Time passes until the next timer.
    Tick,
    Ring,
    Accept,
    AcceptElse,
    Refuse,
    Cancel,
}

/// A message under way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Flight {
    to_callee: bool,
    bytes: Bytes,
    sent_at: Micros,
}

/// No message lives longer.
const T4: Micros = Micros::from_secs(5);

/// The callee is as patient, and then does something; so is the other one of a fork.
const PATIENCE: Micros = Micros::from_secs(4);

/// What a final response says: its code, and whose it is.
type Final = (u16, String);

/// A transaction of the caller.
#[derive(Clone, Debug, Default)]
struct Asked {
    id: Option<ClientId>,
    finals: BTreeSet<Final>,
    has_ended: bool,
}

/// A transaction of the callee.
#[derive(Clone, Debug, Default)]
struct Served {
    id: Option<ServerId>,
    has_ended: bool,
}

/// A 200 that waits for its ACK.
#[derive(Clone, Debug)]
struct Repeat {
    tag: &'static str,
    due: Micros,
    interval: Micros,
    give_up: Micros,
}

const INVITE: usize = 0;
const CANCEL: usize = 1;
const PRACK: usize = 2;
const METHODS: [&str; 3] = ["INVITE", "CANCEL", "PRACK"];

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct World {
    scenario: Scenario,
    now: Now,
    caller: Transactions,
    callee: Transactions,
    net: Vec<Flight>,
    asked: [Asked; 3],
    rings: bool,
    served: [Served; 3],
    /// What the callee has sent to end the INVITE, and which of its 200 were acknowledged.
    answers: BTreeSet<Final>,
    acknowledged: BTreeSet<&'static str>,
    has_rung: bool,
    repeats: Vec<Repeat>,
    /// Since when it owes a response to the INVITE.
    owes_since: Option<Micros>,
    /// Until when another may answer it too.
    other_until: Option<Micros>,
}

impl World {
    /// The INVITE is on its way.
    pub(crate) fn new(scenario: Scenario) -> World {
        let mut world = World {
            scenario,
            now: Now::default(),
            caller: layer(Config::default()),
            callee: layer(Config::default()),
            net: Vec::new(),
            asked: Default::default(),
            rings: false,
            served: Default::default(),
            answers: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            has_rung: false,
            repeats: Vec::new(),
            owes_since: None,
            other_until: None,
        };
        world.ask(INVITE, request(text("INVITE", "1", "", 1).as_bytes()));
        world.settle().unwrap();
        world
    }

    /// What may happen next.
    pub(crate) fn acts(&self) -> Vec<Act> {
        let mut acts = Vec::new();
        for (place, flight) in self.net.iter().enumerate() {
            // Of two that are the same, one is enough.
            if place > 0 && self.net.get(place - 1) == Some(flight) {
                continue;
            }
            acts.push(Act::Deliver(place));
            if self.scenario.faults > 0 {
                acts.extend([Act::Lose(place), Act::Double(place)]);
            }
        }
        if self.owes_since.is_some() {
            acts.extend([Act::Accept, Act::Refuse]);
            acts.extend((!self.has_rung).then_some(Act::Ring));
        }
        let invite = &self.asked[INVITE];
        if self.scenario.cancel && self.rings && invite.finals.is_empty() && self.asked[CANCEL].id.is_none() {
            acts.push(Act::Cancel);
        }
        acts.extend(self.other_until.map(|_| Act::AcceptElse));
        acts.extend(self.next_tick().map(|_| Act::Tick));
        acts
    }

    /// When time passes next, if it may.
    fn next_tick(&self) -> Option<Micros> {
        let layers = [self.caller.poll_timeout(), self.callee.poll_timeout()].into_iter().flatten().map(|(at, _)| at);
        let next = layers.chain(self.repeats.iter().map(|repeat| repeat.due)).min()?;
        let is_in_time = |flight: &Flight| next.since(flight.sent_at) < T4;
        let may_pass = self.net.is_empty() || (self.scenario.late > 0 && self.net.iter().all(is_in_time));
        let is_patient = self.owes_since.is_none_or(|since| next <= since.plus(PATIENCE));
        (may_pass && is_patient).then_some(next)
    }

    /// Does it; the error says what must not be.
    pub(crate) fn step(&mut self, act: Act) -> Result<(), String> {
        match act {
            Act::Deliver(place) => {
                let flight = self.net.remove(place);
                return self.deliver(flight);
            }
            Act::Lose(place) => {
                self.net.remove(place);
                self.scenario.faults -= 1;
            }
            Act::Double(place) => {
                self.net.insert(place, self.net[place].clone());
                self.scenario.faults -= 1;
            }
            Act::Tick => self.tick()?,
            Act::Ring => {
                self.has_rung = true;
                self.owes_since = Some(self.now.mono);
                self.respond(INVITE, StatusCode::Ringing, "b")?;
            }
            Act::Accept => {
                self.other_until = self.scenario.fork.then_some(self.now.mono.plus(PATIENCE));
                self.answer(StatusCode::Ok, "b")?;
            }
            Act::AcceptElse => {
                self.other_until = None;
                self.answer(StatusCode::Ok, "c")?;
            }
            Act::Refuse => self.answer(StatusCode::BusyHere, "b")?,
            Act::Cancel => {
                let invite = self.asked[INVITE].id.and_then(|id| self.caller.client_request(id));
                let cancel = invite.ok_or("no INVITE to cancel")?.cancel().map_err(|error| error.to_string())?;
                self.ask(CANCEL, cancel);
            }
        }
        self.settle()
    }

    fn tick(&mut self) -> Result<(), String> {
        let at = self.next_tick().ok_or("time stands still")?;
        self.scenario.late -= u8::from(!self.net.is_empty());
        self.now = self.now.after(at.since(self.now.mono));
        self.other_until = self.other_until.filter(|until| *until > at);
        self.caller.handle_timeout(self.now);
        self.callee.handle_timeout(self.now);
        let timers = Timers::default();
        let mut due = Vec::new();
        for repeat in self.repeats.iter_mut().filter(|repeat| repeat.due <= at) {
            if at >= repeat.give_up {
                return Err(format!("nobody acknowledges the 200 of {}", repeat.tag));
            }
            repeat.interval = timers.doubled_to_t2(repeat.interval);
            repeat.due = at.plus(repeat.interval).min(repeat.give_up);
            due.push(repeat.tag);
        }
        due.into_iter().try_for_each(|tag| self.respond(INVITE, StatusCode::Ok, tag))
    }

    fn deliver(&mut self, flight: Flight) -> Result<(), String> {
        let message = Message::parse(flight.bytes).map_err(|error| error.to_string())?;
        let hop = hop(Transport::Udp);
        if flight.to_callee {
            let request = Request::check(message).map_err(|error| error.to_string())?;
            self.callee.handle_request(request, hop, self.now);
            return self.settle();
        }
        let response = Response::check(message).map_err(|error| error.to_string())?;
        let state = self.asked[INVITE].id.and_then(|id| self.caller.client_state(id));
        let owes_ack = response.cseq_method() == b"INVITE"
            && response.status().as_u16() >= 300
            && matches!(state, Some(State::Calling | State::Proceeding | State::Completed));
        self.caller.handle_response(response, hop, self.now);
        let before = self.net.len();
        self.settle()?;
        let sent = self.net.len() - before;
        if owes_ack && !(sent == 1 && self.net.iter().any(|flight| flight.bytes.starts_with(b"ACK "))) {
            return Err("a failure is not acknowledged".into());
        }
        Ok(())
    }

    fn ask(&mut self, what: usize, request: Request) {
        self.asked[what].id = self.caller.request(request, hop(Transport::Udp), self.now).ok();
    }

    fn answer(&mut self, status: StatusCode, tag: &'static str) -> Result<(), String> {
        self.owes_since = None;
        if status == StatusCode::Ok {
            let timers = Timers::default();
            let interval = timers.t1();
            let (due, give_up) = (self.now.mono.plus(interval), self.now.mono.plus(timers.t1_64()));
            self.repeats.push(Repeat { tag, due, interval, give_up });
        }
        self.respond(INVITE, status, tag)
    }

    fn respond(&mut self, what: usize, status: StatusCode, tag: &str) -> Result<(), String> {
        let id = self.served[what].id.ok_or("nothing to answer")?;
        let to = self.callee.server_request(id).ok_or("the callee's transaction is gone too soon")?;
        let mut response = Response::to(to, status).to_tag(tag);
        if what == INVITE {
            response = response.contact("sip:bob@192.0.2.2", None);
        }
        let response = response.build().map_err(|error| error.to_string())?;
        self.callee.respond(id, response, self.now).map_err(|error| format!("{status}: {error}"))
    }

    /// Takes all out of the layers, and lets the users react.
    fn settle(&mut self) -> Result<(), String> {
        loop {
            while let Some(transmit) = self.caller.poll_transmit() {
                self.net.push(Flight { to_callee: true, bytes: transmit.bytes, sent_at: self.now.mono });
            }
            while let Some(transmit) = self.callee.poll_transmit() {
                self.sent(&transmit.bytes)?;
                self.net.push(Flight { to_callee: false, bytes: transmit.bytes, sent_at: self.now.mono });
            }
            if let Some(event) = self.caller.poll_event() {
                self.on_caller(event)?;
            } else if let Some(event) = self.callee.poll_event() {
                self.on_callee(event)?;
            } else {
                self.net.sort_unstable();
                return Ok(());
            }
        }
    }

    /// One final response other than 2xx, or 2xx and nothing else.
    fn sent(&mut self, bytes: &Bytes) -> Result<(), String> {
        let message = Message::parse(bytes.clone()).map_err(|error| error.to_string())?;
        let response = Response::check(message).map_err(|error| error.to_string())?;
        if response.cseq_method() == b"INVITE" && response.status().is_final() {
            self.answers.insert(final_of(&response));
            one_kind(&self.answers)?;
        }
        Ok(())
    }

    fn on_caller(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Response { id, response } => {
                let what = self.asked_as(id)?;
                if response.status().is_final() {
                    if !self.asked[what].finals.insert(final_of(&response)) && !response.status().is_success() {
                        return Err("the caller hears of a failure twice".into());
                    }
                    one_kind(&self.asked[what].finals)?;
                }
                if what == INVITE {
                    self.on_invite_response(&response);
                }
                Ok(())
            }
            Event::ClientEnded { id } => {
                let what = self.asked_as(id)?;
                self.asked[what].has_ended = true;
                Ok(())
            }
            // Late repetitions.
            Event::StrayResponse { .. } => Ok(()),
            other => Err(format!("the caller hears {other:?}")),
        }
    }

    fn asked_as(&self, id: ClientId) -> Result<usize, String> {
        let what = self.asked.iter().position(|asked| asked.id == Some(id)).ok_or("nobody asked that")?;
        if self.asked[what].has_ended { Err(format!("{} after its end", METHODS[what])) } else { Ok(what) }
    }

    fn on_invite_response(&mut self, response: &Response) {
        let tag = String::from_utf8_lossy(response.to_tag().unwrap_or_default()).into_owned();
        if response.status().is_success() {
            let ack = text("ACK", &format!("ack{tag}"), &format!(";tag={tag}"), 1);
            self.caller.send(Bytes::from(ack), hop(Transport::Udp));
        } else if response.status().is_provisional() {
            self.rings = true;
            if self.scenario.prack && self.asked[PRACK].id.is_none() {
                self.ask(PRACK, request(text("PRACK", "2", ";tag=b", 2).as_bytes()));
            }
        }
    }

    fn on_callee(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Request { id } => {
                let is_invite = self.callee.server_request(id).is_some_and(|request| request.is(&Method::Invite));
                let what = if is_invite { INVITE } else { PRACK };
                self.serve(what, id)?;
                if is_invite {
                    self.owes_since = Some(self.now.mono);
                    return Ok(());
                }
                self.respond(PRACK, StatusCode::Ok, "b")
            }
            Event::Cancel { id, invite } => {
                self.serve(CANCEL, id)?;
                match invite {
                    Some(invite) if !self.callee.is_answered(invite) => {
                        self.respond(CANCEL, StatusCode::Ok, "b")?;
                        self.answer(StatusCode::RequestTerminated, "b")
                    }
                    Some(_) => self.respond(CANCEL, StatusCode::Ok, "b"),
                    None => self.respond(CANCEL, StatusCode::CallOrTransactionDoesNotExist, "b"),
                }
            }
            Event::Ack { request, .. } => {
                for tag in ["b", "c"].into_iter().filter(|tag| request.to_tag() == Some(tag.as_bytes())) {
                    self.acknowledged.insert(tag);
                    self.repeats.retain(|repeat| repeat.tag != tag);
                }
                Ok(())
            }
            Event::ServerEnded { id } => {
                let what = self.served_as(id)?;
                self.served[what].has_ended = true;
                Ok(())
            }
            other => Err(format!("the callee hears {other:?}")),
        }
    }

    fn serve(&mut self, what: usize, id: ServerId) -> Result<(), String> {
        if self.served[what].id.is_some() {
            return Err(format!("the callee hears of one {} twice", METHODS[what]));
        }
        self.served[what].id = Some(id);
        Ok(())
    }

    fn served_as(&self, id: ServerId) -> Result<usize, String> {
        let what = self.served.iter().position(|served| served.id == Some(id)).ok_or("nobody served that")?;
        if self.served[what].has_ended { Err(format!("{} after its end", METHODS[what])) } else { Ok(what) }
    }

    /// Nothing can happen any more: both must agree, and nothing may be left.
    pub(crate) fn is_over(&self) -> Result<(), String> {
        let agree = self.answers == self.asked[INVITE].finals && !self.answers.is_empty();
        let is_accepted = self.answers.iter().all(|(code, _)| *code < 300);
        let all_acknowledged = !is_accepted || self.acknowledged.len() == self.answers.len();
        let answered =
            self.asked.iter().all(|asked| asked.id.is_none() || (asked.has_ended && !asked.finals.is_empty()));
        let served = self.served.iter().all(|served| served.id.is_none() || served.has_ended);
        let is_empty = self.caller.is_idle() && self.callee.is_idle() && self.net.is_empty();
        let wrong = [
            (agree, "caller and callee disagree"),
            (all_acknowledged, "a 200 has no ACK"),
            (answered && served, "a transaction has not ended"),
            (is_empty, "something is left"),
        ];
        wrong.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, what)| Err(format!("{what}: {self:?}")))
    }

    /// What tells this state from others: all that the future depends on, and no more. The intervals of Timers A, E and G
    /// follow from what is left of them and of the timer that ends the state.
    pub(crate) fn digest(&self) -> u128 {
        let mut text = format!("{:?} {} {}", self.scenario, self.rings, self.has_rung);
        let now = self.now.mono;
        let mut add = |part: &dyn std::fmt::Debug| write!(text, "{part:?};").unwrap();
        for asked in &self.asked {
            let state = asked.id.and_then(|id| self.caller.client_state(id));
            add(&(asked.id.is_some(), &asked.finals, asked.has_ended, state));
            for (at, reason) in asked.id.into_iter().flat_map(|id| self.caller.client_timers(id)) {
                add(&(at.since(now), reason));
            }
        }
        for served in &self.served {
            let state = served.id.and_then(|id| self.callee.server_state(id));
            add(&(served.id.is_some(), served.has_ended, state));
            for (at, reason) in served.id.into_iter().flat_map(|id| self.callee.server_timers(id)) {
                add(&(at.since(now), reason));
            }
        }
        let other = self.other_until.map(|until| until.since(now));
        add(&(&self.answers, &self.acknowledged, self.owes_since.map(|since| now.since(since)), other));
        for repeat in &self.repeats {
            add(&(repeat.tag, repeat.due.since(now), repeat.interval, repeat.give_up.since(now)));
        }
        let mut parts = vec![text.as_bytes()];
        let ages: Vec<[u8; 8]> = self.net.iter().map(|flight| now.since(flight.sent_at).0.to_be_bytes()).collect();
        for (flight, age) in self.net.iter().zip(&ages) {
            parts.extend([&flight.bytes[..], age]);
        }
        let [high, low] = [KeyedHash::with_key(1, 2), KeyedHash::with_key(3, 4)].map(|hash| hash.of(&parts));
        u128::from(high) << 64 | u128::from(low)
    }
}

fn final_of(response: &Response) -> Final {
    (response.status().as_u16(), String::from_utf8_lossy(response.to_tag().unwrap_or_default()).into_owned())
}

fn one_kind(finals: &BTreeSet<Final>) -> Result<(), String> {
    let failures = finals.iter().filter(|(code, _)| *code >= 300).count();
    if failures > 0 && finals.len() > 1 { Err(format!("several final responses: {finals:?}")) } else { Ok(()) }
}

fn text(method: &str, branch: &str, to_tag: &str, cseq: u32) -> String {
    format!(
        "{method} sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
         From: <sip:alice@192.0.2.1>;tag=a\r\nTo: <sip:bob@192.0.2.2>{to_tag}\r\nCall-ID: 1@192.0.2.1\r\n\
         CSeq: {cseq} {method}\r\nContact: <sip:alice@192.0.2.1>\r\nContent-Length: 0\r\n\r\n"
    )
}
