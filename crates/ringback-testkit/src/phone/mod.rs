//! A scripted phone: a user agent on the transaction layer, without I/O.

mod callee;
mod caller;
mod dialog;
mod diary;
mod manners;
mod register;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use bytes::Bytes;
use ringback_auth::{AuthSession, Password};
use ringback_base::{Hop, Micros, Now, Random, TimerQueue};
use ringback_message::{Edit, HeaderId, Message, Method, Request, Response, StatusCode};
use ringback_transaction::{ClientId, Config, Event, ServerId, Timers, Transactions};
use ringback_transport::{reply_hop, stamp};

use crate::net::{Content, Packet, damage};

pub use caller::CallPlan;
pub use diary::{CallRecord, Diary};
pub use manners::{Manners, Reaction, Span};

use callee::Incoming;
use caller::Outgoing;
use dialog::{Dialog, DialogKey, Unacknowledged};
use register::Registration;

/// How often a request is tried with credentials.
const CREDENTIALS_TRIES_MAX: u8 = 2;

/// Who a phone is and where.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is called in ladders.
    pub name: String,
    /// The user part of its address of record.
    pub user: String,
    /// The domain, which is also the realm.
    pub domain: String,
    /// The password that it knows.
    pub password: String,
    /// Its address.
    pub address: SocketAddr,
    /// Its server, to which all requests go.
    pub server: SocketAddr,
    /// The preference of its contact, in thousandths, if it names one.
    pub q: Option<u16>,
    /// For how long it registers, in seconds.
    pub expires_secs: u32,
}

/// What a phone can be told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Act {
    /// Register, and stay registered.
    Register,
    /// Remove its binding, and stay away.
    Unregister,
    /// Ask for the bindings of its user.
    Fetch,
    /// Place a call.
    Call(CallPlan),
    /// Send a request outside of any dialog.
    Send {
        /// Its number in the diary.
        number: u32,
        /// MESSAGE, OPTIONS or any other.
        method: String,
        /// The user that it is for; nobody for the server itself.
        to: Option<String>,
    },
    /// Stop refreshing, without a word.
    FallSilent,
}

/// What a client transaction is for.
#[derive(Clone, Debug)]
enum Purpose {
    Register,
    Invite(u32),
    Reinvite(DialogKey),
    Cancel,
    Bye(DialogKey),
    Other(u32),
}

/// A client transaction and how often its request was tried with credentials.
#[derive(Clone, Debug)]
struct Asked {
    purpose: Purpose,
    tries: u8,
}

/// What a phone waits for.
#[derive(Clone, Debug)]
enum Task {
    Ring(ServerId),
    Answer(ServerId),
    Repeat(DialogKey),
    HangUp(DialogKey),
    Reinvite(DialogKey),
    Cancel(u32),
    Abandon(ClientId),
    Refresh,
}

/// A phone.
#[derive(Debug)]
pub struct Phone {
    line: Line,
    manners: Manners,
    password: Password,
    timers_config: Timers,
    layer: Transactions,
    tasks: TimerQueue<Task>,
    random: Random,
    sessions: BTreeMap<HeaderId, AuthSession>,
    asked: BTreeMap<ClientId, Asked>,
    outgoing: BTreeMap<u32, Outgoing>,
    incoming: BTreeMap<ServerId, Incoming>,
    dialogs: BTreeMap<DialogKey, Dialog>,
    unacknowledged: BTreeMap<DialogKey, Unacknowledged>,
    registration: Registration,
    packets: VecDeque<Packet>,
    diary: Diary,
}

impl Phone {
    /// A phone that does nothing until it is told to or called.
    #[must_use]
    pub fn new(line: Line, manners: Manners, timers: Timers, mut random: Random) -> Phone {
        let hash = random.hasher();
        let layer = Transactions::new(Config { timers, ..Config::default() }, hash);
        Phone {
            password: Password::new(&*line.password),
            registration: Registration::new(&line, &mut random),
            line,
            manners,
            timers_config: timers,
            layer,
            tasks: TimerQueue::new(),
            random,
            sessions: BTreeMap::new(),
            asked: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            incoming: BTreeMap::new(),
            dialogs: BTreeMap::new(),
            unacknowledged: BTreeMap::new(),
            packets: VecDeque::new(),
            diary: Diary::default(),
        }
    }

    /// Who it is.
    #[must_use]
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// What it saw.
    #[must_use]
    pub fn diary(&self) -> &Diary {
        &self.diary
    }

    /// Tells it to do something.
    pub fn handle_act(&mut self, act: &Act, now: Now) {
        match act {
            Act::Register => self.register(now),
            Act::Unregister => self.unregister(now),
            Act::Fetch => self.fetch(now),
            Act::Call(plan) => self.call(plan, now),
            Act::Send { number, method, to } => self.send_other(*number, method, to.as_deref(), now),
            Act::FallSilent => self.registration.stop(),
        }
        self.pump(now);
    }

    /// A packet came in.
    pub fn handle_packet(&mut self, packet: &Packet, now: Now) {
        let hop = Hop::udp(packet.to, packet.from);
        match packet.content() {
            Content::Request(request) => {
                if let Ok(request) = stamp(request.clone(), &hop) {
                    let reply = reply_hop(&request.top_via(), hop);
                    self.layer.handle_request(request, reply, now);
                }
            }
            Content::Response(response) => self.layer.handle_response(response.clone(), hop, now),
            Content::Unreadable => {}
        }
        self.pump(now);
    }

    /// Nothing can be sent to that address.
    pub fn handle_send_failed(&mut self, to: SocketAddr, now: Now) {
        self.layer.handle_transport_error(&Hop::udp(self.line.address, to), now);
        self.pump(now);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Now) {
        self.layer.handle_timeout(now);
        self.pump(now);
        while let Some((_, task)) = self.tasks.pop_due(now.mono) {
            self.perform(task, now);
            self.pump(now);
        }
    }

    /// The next packet to send.
    #[must_use]
    pub fn poll_packet(&mut self) -> Option<Packet> {
        self.packets.pop_front()
    }

    /// When [`Phone::handle_timeout`] is next wanted.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        let layer = self.layer.poll_timeout().map(|(at, _)| at);
        let task = self.tasks.next().map(|(at, _)| at);
        [layer, task].into_iter().flatten().min()
    }

    fn perform(&mut self, task: Task, now: Now) {
        match task {
            Task::Ring(id) => self.ring(id, now),
            Task::Answer(id) => self.answer_call(id, now),
            Task::Repeat(key) => self.repeat_answer(&key, now),
            Task::HangUp(key) => self.hang_up(&key, now),
            Task::Reinvite(key) => self.reinvite(&key, now),
            Task::Cancel(call) => self.cancel(call, now),
            Task::Abandon(id) => self.give_up(id, now),
            Task::Refresh => self.refresh(now),
        }
    }

    fn pump(&mut self, now: Now) {
        while let Some(event) = self.layer.poll_event() {
            match event {
                Event::Request { id } => self.on_request(id, now),
                Event::Cancel { id, invite } => self.on_cancel(id, invite, now),
                Event::Ack { request, .. } => self.on_ack(&request),
                Event::Response { id, response } => self.on_response(id, &response, now),
                Event::StrayResponse { response, .. } => self.on_stray(&response, now),
                Event::ClientTimeout { id } => self.on_failure(id, false, now),
                Event::ClientFailed { id } => self.on_failure(id, true, now),
                Event::ClientEnded { id } => {
                    self.asked.remove(&id);
                }
                Event::ServerEnded { id } => {
                    self.incoming.remove(&id);
                }
                _ => {}
            }
        }
        while let Some(transmit) = self.layer.poll_transmit() {
            self.packets.push_back(Packet::udp(transmit.hop.local, transmit.hop.remote, transmit.bytes));
        }
    }

    fn on_request(&mut self, id: ServerId, now: Now) {
        let Some(request) = self.layer.server_request(id).cloned() else { return };
        match request.method() {
            Method::Invite if request.to_tag().is_some() => self.on_reinvite(id, &request, now),
            Method::Invite => self.on_invite(id, &request, now),
            Method::Bye => self.on_bye(id, &request, now),
            Method::Register => self.respond(id, &request, 405, "", now),
            _ => {
                self.diary.messages += 1;
                if self.manners.answers_others != 0 {
                    self.respond(id, &request, self.manners.answers_others, "", now);
                }
            }
        }
    }

    fn on_response(&mut self, id: ClientId, response: &Response, now: Now) {
        let Some(asked) = self.asked.get(&id).cloned() else { return };
        let status = response.status();
        if matches!(status, StatusCode::Unauthorized | StatusCode::ProxyAuthenticationRequired)
            && asked.tries < CREDENTIALS_TRIES_MAX
            && let Some(request) = self.layer.client_request(id).cloned()
            && let Some(again) = self.with_credentials(&request, response)
        {
            return self.ask_again(asked, &again, now);
        }
        match asked.purpose {
            Purpose::Register => self.on_register_response(response, now),
            Purpose::Invite(call) => self.on_invite_response(call, id, response, now),
            Purpose::Reinvite(key) => self.on_reinvite_response(&key, response, now),
            Purpose::Bye(key) => self.on_bye_response(&key, status),
            Purpose::Other(number) if status.is_final() => {
                self.diary.others.insert(number, status.as_u16());
            }
            Purpose::Other(_) | Purpose::Cancel => {}
        }
    }

    fn ask_again(&mut self, asked: Asked, request: &Request, now: Now) {
        let again = Asked { tries: asked.tries.saturating_add(1), ..asked };
        let purpose = again.purpose.clone();
        let id = self.ask(request, again, now);
        match purpose {
            Purpose::Invite(call) => self.invite_again(call, id, request, now),
            Purpose::Register => self.registration.cseq = request.cseq(),
            Purpose::Reinvite(key) | Purpose::Bye(key) => {
                if let Some(dialog) = self.dialogs.get_mut(&key) {
                    dialog.cseq = request.cseq();
                }
            }
            Purpose::Cancel | Purpose::Other(_) => {}
        }
    }

    fn on_failure(&mut self, id: ClientId, unsent: bool, now: Now) {
        match self.asked.get(&id).map(|asked| asked.purpose.clone()) {
            Some(Purpose::Register) => self.on_register_failure(now),
            Some(Purpose::Invite(call)) => self.on_invite_failure(call, unsent),
            Some(Purpose::Other(number)) => {
                self.diary.others.insert(number, 0);
            }
            Some(Purpose::Bye(_) | Purpose::Reinvite(_) | Purpose::Cancel) | None => {}
        }
    }

    fn send_other(&mut self, number: u32, method: &str, to: Option<&str>, now: Now) {
        let domain = &self.line.domain;
        let uri = to.map_or_else(|| format!("sip:{domain}"), |user| format!("sip:{user}@{domain}"));
        let call_id = format!("o{number}-{}@{}", self.random.token(), self.line.name);
        let from = format!("{};tag={}", self.own_address(), self.random.token());
        let body = if method == "MESSAGE" { "Are you there?" } else { "" };
        let body_lines = if body.is_empty() { "" } else { "Content-Type: text/plain\r\n" };
        let request = self.request(method, &uri, (&from, &format!("<{uri}>")), &call_id, 1, body_lines, body);
        if let Some(request) = request {
            let request = self.with_remembered_credentials(request);
            self.ask(&request, Asked { purpose: Purpose::Other(number), tries: 0 }, now);
        }
    }

    /// Sends a request; `None` where the layer would not have it.
    fn ask(&mut self, request: &Request, asked: Asked, now: Now) -> Option<ClientId> {
        let hop = Hop::udp(self.line.address, self.line.server);
        let id = self.layer.request(request.clone(), hop, now).ok()?;
        self.asked.insert(id, asked);
        Some(id)
    }

    fn respond(&mut self, id: ServerId, request: &Request, code: u16, tag: &str, now: Now) {
        if let Some(response) = self.response(request, code, tag) {
            _ = self.layer.respond(id, response, now);
        }
    }

    fn response(&mut self, request: &Request, code: u16, tag: &str) -> Option<Response> {
        let tag = if tag.is_empty() { self.random.token() } else { tag.to_owned() };
        let mut builder = Response::to(request, StatusCode::new(code).ok()?).to_tag(tag);
        match code {
            180..=299 if request.is(&Method::Invite) => {
                builder = builder.raw(HeaderId::Contact, format!("<{}>", self.contact()));
            }
            300..=399 => builder = builder.raw(HeaderId::Contact, "<sip:elsewhere@192.0.2.200>"),
            401 => builder = builder.raw(HeaderId::WwwAuthenticate, self.challenge()),
            407 => builder = builder.raw(HeaderId::ProxyAuthenticate, self.challenge()),
            405 => builder = builder.raw(HeaderId::Allow, "INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE"),
            415 => builder = builder.raw(HeaderId::Accept, "application/sdp"),
            _ => {}
        }
        let message = builder.build_unchecked().ok()?;
        Response::check(message).ok()
    }

    /// A challenge that is not the server's: a callee that wants to know who calls.
    fn challenge(&mut self) -> String {
        format!("Digest realm=\"{}\", nonce=\"{}\", qop=\"auth\", algorithm=MD5", self.line.name, self.random.token())
    }

    fn send_damaged(&mut self, id: ServerId, bytes: &Bytes) {
        if let Some(hop) = self.layer.server_reply_hop(id) {
            let bytes = damage(bytes, &mut self.random);
            self.packets.push_back(Packet::udp(hop.local, hop.remote, bytes).damaged());
        }
    }

    fn own_address(&self) -> String {
        format!("<sip:{}@{}>", self.line.user, self.line.domain)
    }

    fn contact(&self) -> String {
        let Line { user, address, .. } = &self.line;
        self.manners.contact.clone().unwrap_or_else(|| format!("sip:{user}@{address}"))
    }

    fn via(&mut self) -> String {
        let sent_by = self.manners.via.unwrap_or(self.line.address);
        format!("SIP/2.0/UDP {sent_by};branch=z9hG4bK{};rport", self.random.token())
    }

    /// A request with a branch of its own; `None` where a value that came from outside can't be written.
    #[expect(clippy::too_many_arguments, reason = "the parts of a request, each used once")]
    fn request(
        &mut self,
        method: &str,
        uri: &str,
        (from, to): (&str, &str),
        call_id: &str,
        cseq: u32,
        more: &str,
        body: &str,
    ) -> Option<Request> {
        let via = self.via();
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n\
             CSeq: {cseq} {method}\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Request::check(Message::parse(Bytes::from(text)).ok()?).ok()
    }

    /// The request once more, with the answer to a challenge for our realm.
    fn with_credentials(&mut self, request: &Request, challenge: &Response) -> Option<Request> {
        let (asks, answers) = match challenge.status() {
            StatusCode::Unauthorized => (HeaderId::WwwAuthenticate, HeaderId::Authorization),
            _ => (HeaderId::ProxyAuthenticate, HeaderId::ProxyAuthorization),
        };
        let session = AuthSession::pick(challenge, asks, Some(&self.line.domain), &mut self.random).ok()?;
        self.sessions.insert(answers, session);
        let value = self.credentials(answers, request)?;
        let cseq = format!("{} {}", request.cseq().checked_add(1)?, request.method());
        let via = self.via();
        let edit = Edit::new(request).set(HeaderId::Via, via.as_bytes()).set(HeaderId::CSeq, cseq.as_bytes());
        Request::check(edit.set(answers, value.as_bytes()).finish().ok()?).ok()
    }

    fn with_remembered_credentials(&mut self, request: Request) -> Request {
        let chance = self.manners.remembers_credentials;
        if !self.sessions.contains_key(&HeaderId::ProxyAuthorization) || !chance.strikes(&mut self.random) {
            return request;
        }
        let Some(value) = self.credentials(HeaderId::ProxyAuthorization, &request) else { return request };
        let edited = Edit::new(&request).set(HeaderId::ProxyAuthorization, value.as_bytes()).finish();
        edited.ok().and_then(|message| Request::check(message).ok()).unwrap_or(request)
    }

    fn credentials(&mut self, answers: HeaderId, request: &Request) -> Option<String> {
        let session = self.sessions.get_mut(&answers)?;
        let ha1 = session.ha1(&self.line.user, &self.password);
        session.answer(&self.line.user, &ha1, request).ok()
    }
}
