//! The application of an agent: what people do with it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use ringback_base::{Micros, Now, Random, TimerQueue, Transport};
use ringback_message::{HeaderId, Method, StatusCode};
use ringback_sdp::Origin;
use ringback_sdp::negotiate::{Codec, Endpoint, HoldForm, LocalMedia, Refusal};
use ringback_transaction::ServerId;
use ringback_ua::{
    Carrier, CommandError, EndReason, Event, InviteId, Media, MediaError, Outbound, SessionId, UserAgent,
};

use super::{AgentLine, Ways};
use crate::net::{Chance, Packet};
use crate::world::DOMAIN;

/// A call to be placed.
#[derive(Clone, Debug)]
pub struct AgentCall {
    /// The URI that is called.
    pub to: String,
    /// The INVITE has no offer.
    pub is_late: bool,
    /// After how long it is given up.
    pub cancel_after: Option<Micros>,
}

/// How a session ended, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum End {
    /// The other side hung up.
    RemoteBye,
    /// This side did.
    LocalBye,
    /// The caller gave up before the answer.
    Cancelled,
    /// This side refused.
    Rejected(u16),
    /// Another dialog of the same INVITE has the call, or none.
    Elsewhere,
    /// Something else, which only faults bring about.
    Fault(&'static str),
}

impl End {
    fn of(reason: &EndReason) -> End {
        match reason {
            EndReason::RemoteBye(_) => End::RemoteBye,
            EndReason::LocalBye => End::LocalBye,
            EndReason::Cancelled => End::Cancelled,
            EndReason::Rejected(status) => End::Rejected(status.as_u16()),
            // A 199 says at once what the end of the INVITE would say later.
            EndReason::Elsewhere | EndReason::EarlyTerminated(_) => End::Elsewhere,
            EndReason::AckMissing => End::Fault("no ACK"),
            EndReason::PrackMissing => End::Fault("no PRACK"),
            EndReason::Expired => End::Fault("expired"),
            EndReason::Gone(_) => End::Fault("gone"),
            EndReason::AnswerMissing => End::Fault("no answer"),
            EndReason::BadAnswer(_) => End::Fault("bad answer"),
            _ => End::Fault("other"),
        }
    }
}

/// What one side saw of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tale {
    /// It called.
    Placed,
    /// It gave its call up.
    GaveUp,
    /// Its call was refused, or failed with what stands for this status.
    Failed(u16),
    /// Its call was answered by the one of this tag.
    Answered(Vec<u8>),
    /// It was called; the dialog has this tag of its own.
    Called(Vec<u8>),
    /// It answered, and was acknowledged.
    Confirmed(Vec<u8>),
    /// It never answered the offer of the 200 by the one of this tag, so that no ACK could go.
    Forgot(Vec<u8>),
    /// The dialog of these tags, its own first, ended.
    Ended(Vec<u8>, Vec<u8>, End),
    /// It forgot everything.
    Restarted,
}

/// What an application saw.
#[derive(Clone, Debug, Default)]
pub struct AgentDiary {
    /// Of each call, by Call-ID.
    pub tales: BTreeMap<Vec<u8>, Vec<Tale>>,
    /// How often each of these happened.
    pub counts: BTreeMap<&'static str, u64>,
}

impl AgentDiary {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn tell(&mut self, call_id: &[u8], tale: Tale) {
        self.tales.entry(call_id.to_vec()).or_default().push(tale);
    }
}

/// What an application is about to do.
#[derive(Clone, Debug)]
pub(crate) enum Todo {
    Ring(SessionId),
    EarlyMedia(SessionId),
    Answer(SessionId),
    Refuse(SessionId, StatusCode),
    Release(SessionId),
    Reply(SessionId),
    RefuseOffer(SessionId),
    Change(SessionId),
    HangUp(SessionId),
    Cancel(InviteId),
    Respond(ServerId),
}

#[derive(Clone, Debug, Default)]
struct Names {
    call_id: Vec<u8>,
    local: Vec<u8>,
    remote: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct App {
    pub(crate) diary: AgentDiary,
    /// Where others reach it.
    contact: String,
    uri: String,
    /// Whom it transfers calls to.
    knows: Option<String>,
    ways: Ways,
    endpoint: Endpoint,
    invites: BTreeMap<InviteId, Vec<u8>>,
    placing: Option<InviteId>,
    names: BTreeMap<SessionId, Names>,
    /// Requests of others that it has not answered yet.
    held: BTreeSet<ServerId>,
    is_silent: bool,
}

impl App {
    pub(crate) fn new(line: &AgentLine) -> App {
        let uri = match &line.account {
            Some((user, ..)) => format!("sip:{user}@{DOMAIN}"),
            None => format!("sip:{}@{}", line.name, line.address),
        };
        App {
            diary: AgentDiary::default(),
            contact: contact_uri(&line.name, line.address, line.transport),
            uri,
            knows: line.knows.clone(),
            ways: line.ways.clone(),
            endpoint: endpoint(line),
            invites: BTreeMap::new(),
            placing: None,
            names: BTreeMap::new(),
            held: BTreeSet::new(),
            is_silent: false,
        }
    }

    fn chance(random: &mut Random, percent: u32) -> bool {
        Chance::percent(percent).strikes(random)
    }

    pub(crate) fn registers(&mut self, ua: &mut UserAgent, now: Now) {
        let mut outbound = Outbound::new(&self.uri, &self.uri);
        outbound.request_uri = Some(format!("sip:{DOMAIN}"));
        let contact = format!("<{}>;expires=7200", self.contact);
        let fill = |request: ringback_message::RequestBuilder| request.raw(HeaderId::Contact, &contact);
        let sent = ua.request_outside(&outbound, Method::Register, fill, now);
        self.diary.count(if sent.is_ok() { "registers" } else { "can't register" });
    }

    pub(crate) fn calls(&mut self, call: &AgentCall, ua: &mut UserAgent, todo: &mut TimerQueue<Todo>, now: Now) {
        if self.is_silent {
            return;
        }
        let media = if call.is_late { Media::None } else { self.media() };
        match ua.invite(&Outbound::new(&self.uri, &call.to), media, now) {
            Ok(invite) => {
                self.diary.count(if call.is_late { "places a call without an offer" } else { "places a call" });
                self.placing = Some(invite);
                if let Some(after) = call.cancel_after {
                    todo.set(now.mono.plus(after), Todo::Cancel(invite));
                }
            }
            Err(_) => self.diary.count("can't call"),
        }
    }

    /// A packet left: that of a call which is being placed says its Call-ID.
    pub(crate) fn sent(&mut self, packet: &Packet) {
        let Some(call_id) = ringback_transport::peek_call_id(&packet.bytes) else { return };
        if !packet.bytes.starts_with(b"INVITE ") {
            return;
        }
        if let Some(invite) = self.placing.take() {
            self.diary.tell(call_id, Tale::Placed);
            self.invites.insert(invite, call_id.to_vec());
        }
    }

    pub(crate) fn restarts(&mut self) {
        self.diary.count("restarts");
        self.diary.tales.values_mut().for_each(|tales| tales.push(Tale::Restarted));
        self.names.clear();
        self.invites.clear();
        self.held.clear();
    }

    /// Lets go of all that it has, as who drops every handle.
    pub(crate) fn falls_silent(&mut self, ua: &mut UserAgent, todo: &mut TimerQueue<Todo>, now: Now) {
        self.is_silent = true;
        while todo.pop_due(Micros::MAX).is_some() {}
        let (sessions, invites): (Vec<_>, Vec<_>) =
            (self.names.keys().copied().collect(), self.invites.keys().copied().collect());
        for invite in invites {
            self.gives_up(invite, ua, now);
        }
        for session in sessions {
            ua.release(session, now);
        }
        for request in std::mem::take(&mut self.held) {
            _ = ua.respond(request, StatusCode::ServerInternalError, |response| response, now);
        }
    }

    fn gives_up(&mut self, invite: InviteId, ua: &mut UserAgent, now: Now) {
        if ua.cancel(invite, None, now).is_ok() {
            self.diary.count("gives a call up");
            if let Some(call_id) = self.invites.get(&invite) {
                self.diary.tell(call_id, Tale::GaveUp);
            }
        }
    }

    fn media(&self) -> Media {
        Media::Endpoint(self.endpoint.clone())
    }

    /// Something happened; it may have to be acted on, now or later.
    pub(crate) fn hears(
        &mut self,
        event: Event,
        ua: &mut UserAgent,
        todo: &mut TimerQueue<Todo>,
        random: &mut Random,
        now: Now,
    ) {
        match event {
            Event::Incoming { session, .. } => self.is_called(session, ua, todo, random, now),
            Event::Answered { invite, session, .. } => {
                let names = self.learn(session, ua);
                self.diary.count("answered");
                if let Some(call_id) = self.invites.get(&invite) {
                    self.diary.tell(call_id, Tale::Answered(names.remote));
                }
                self.talks(session, ua, todo, random, now);
            }
            Event::Progress { session: Some(session), .. } => {
                self.learn(session, ua);
                if self.ways.changes_max > 0 && App::chance(random, 10) {
                    todo.set(now.mono.plus(self.ways.thinks.draw(random)), Todo::Change(session));
                }
            }
            Event::Confirmed { session } => {
                let names = self.learn(session, ua);
                self.diary.count("confirmed");
                self.diary.tell(&names.call_id, Tale::Confirmed(names.local));
                self.talks(session, ua, todo, random, now);
            }
            Event::InviteFailed { invite, failure, .. } => {
                self.diary.count("call failed");
                if let Some(call_id) = self.invites.get(&invite) {
                    self.diary.tell(call_id, Tale::Failed(failure.status().as_u16()));
                }
            }
            Event::InviteEnded { invite } => _ = self.invites.remove(&invite),
            Event::Offered { session, carrier } => self.is_offered(session, carrier, ua, todo, random, now),
            Event::OfferWanted { session } => {
                _ = todo.set(now.mono.plus(self.ways.thinks.draw(random)), Todo::Reply(session))
            }
            Event::Request { id, .. } if self.ways.holds_requests && !self.is_silent => {
                self.diary.count("holds a request");
                self.held.insert(id);
                todo.set(now.mono.plus(self.ways.thinks.draw(random)), Todo::Respond(id));
            }
            Event::Request { id, request, .. } => {
                let known = matches!(request.method(), Method::Options | Method::Info | Method::Message);
                let status = match () {
                    () if self.is_silent => StatusCode::ServerInternalError,
                    () if known => StatusCode::Ok,
                    () => StatusCode::MethodNotAllowed,
                };
                _ = ua.respond(id, status, |response| response, now);
            }
            Event::ReferWanted { id, .. } => self.is_referred(id, ua, random, now),
            Event::Refer { told, .. } => self.diary.count(match told {
                ringback_ua::ReferTold::Answered(_) => "transfer answered",
                ringback_ua::ReferTold::Progress(_) => "transfer goes on",
                _ => "transfer told of",
            }),
            Event::Ended { session, reason } => self.is_over(session, &reason),
            Event::Agreed { .. } => self.diary.count("agreed"),
            Event::OfferFailed { failure, .. } => self.diary.count(match failure.status().as_u16() {
                488 => "offer refused",
                491 => "offer in glare given up",
                500 => "offer overlaps",
                408 | 481 => "offer gone",
                _ => "offer failed",
            }),
            Event::Refreshed { .. } => self.diary.count("refreshed"),
            _ => {}
        }
    }

    fn is_called(
        &mut self,
        session: SessionId,
        ua: &mut UserAgent,
        todo: &mut TimerQueue<Todo>,
        random: &mut Random,
        now: Now,
    ) {
        let names = self.learn(session, ua);
        self.diary.count("called");
        self.diary.tell(&names.call_id, Tale::Called(names.local));
        if self.is_silent {
            return ua.release(session, now);
        }
        let ways = self.ways.clone();
        let rings = now.mono.plus(ways.pause.draw(random));
        let then = rings.plus(ways.pause.draw(random));
        if !App::chance(random, 10) {
            todo.set(rings, Todo::Ring(session));
        }
        if App::chance(random, ways.refuses_percent) {
            let statuses =
                [StatusCode::BusyHere, StatusCode::Decline, StatusCode::NotFound, StatusCode::ServiceUnavailable];
            let drawn = usize::try_from(random.below(4)).unwrap_or(0);
            let status = statuses.get(drawn).copied().unwrap_or(StatusCode::BusyHere);
            todo.set(then, Todo::Refuse(session, status));
        } else if App::chance(random, ways.ignores_percent) {
            todo.set(now.mono.plus(Ways::RINGS), Todo::Refuse(session, StatusCode::TemporarilyUnavailable));
        } else if App::chance(random, ways.releases_percent) {
            todo.set(then, Todo::Release(session));
        } else {
            if App::chance(random, ways.early_media_percent) {
                todo.set(rings, Todo::EarlyMedia(session));
                if App::chance(random, 30) {
                    todo.set(rings.plus(ways.thinks.draw(random)), Todo::Change(session));
                }
            }
            todo.set(then, Todo::Answer(session));
        }
    }

    fn is_offered(
        &mut self,
        session: SessionId,
        carrier: Carrier,
        ua: &UserAgent,
        todo: &mut TimerQueue<Todo>,
        random: &mut Random,
        now: Now,
    ) {
        self.diary.count(match carrier {
            Carrier::Invite => "offered in INVITE",
            Carrier::Success => "offered in 2xx",
            Carrier::Provisional => "offered in 1xx",
            Carrier::Prack => "offered in PRACK",
            Carrier::Update => "offered in UPDATE",
            _ => "offered",
        });
        let at = now.mono.plus(self.ways.thinks.draw(random));
        if App::chance(random, self.ways.forgets_offers_percent) && carrier != Carrier::Invite {
            self.diary.count("forgets an offer");
            let names = self.learn(session, ua);
            if carrier == Carrier::Success {
                self.diary.tell(&names.call_id, Tale::Forgot(names.remote));
            }
            self.may_end(session);
        } else if App::chance(random, self.ways.refuses_offers_percent) {
            self.learn(session, ua);
            todo.set(at, Todo::RefuseOffer(session));
        } else {
            self.learn(session, ua);
            todo.set(at, Todo::Reply(session));
        }
    }

    /// Somebody would have it call somebody else.
    fn is_referred(&mut self, id: ServerId, ua: &mut UserAgent, random: &mut Random, now: Now) {
        self.diary.count("is transferred");
        let refuses = self.is_silent || App::chance(random, self.ways.refuses_offers_percent);
        let uri = self.uri.clone();
        match if refuses { Err(CommandError::Full) } else { ua.follow(id, &uri, self.media(), now) } {
            Ok((_, invite)) => {
                self.diary.count("follows a transfer");
                self.placing = Some(invite);
            }
            Err(_) => _ = ua.respond(id, StatusCode::Decline, |response| response, now),
        }
    }

    /// The call stands: what will come of it.
    fn talks(
        &mut self,
        session: SessionId,
        ua: &mut UserAgent,
        todo: &mut TimerQueue<Todo>,
        random: &mut Random,
        now: Now,
    ) {
        if self.is_silent {
            return ua.release(session, now);
        }
        let talk = self.ways.talk.draw(random);
        let changes = random.below(u64::from(self.ways.changes_max).saturating_add(1));
        for _ in 0..changes {
            todo.set(now.mono.plus(Micros(random.below(talk.0.max(1)))), Todo::Change(session));
        }
        // One of both hangs up first, or both do at once.
        if !App::chance(random, 40) {
            todo.set(now.mono.plus(talk), Todo::HangUp(session));
        }
    }

    fn is_over(&mut self, session: SessionId, reason: &EndReason) {
        let end = End::of(reason);
        self.diary.count(match end {
            End::RemoteBye => "ended by them",
            End::LocalBye => "ended by us",
            End::Cancelled => "cancelled by them",
            End::Rejected(_) => "refused by us",
            End::Elsewhere => "ended elsewhere",
            End::Fault(what) => what,
        });
        if let Some(names) = self.names.remove(&session) {
            self.diary.tell(&names.call_id, Tale::Ended(names.local, names.remote, end));
        }
    }

    /// An offer in a response that is not answered well ends the call.
    fn may_end(&mut self, session: SessionId) {
        if let Some(names) = self.names.get(&session).cloned() {
            self.diary.tell(&names.call_id, Tale::GaveUp);
        }
    }

    fn learn(&mut self, session: SessionId, ua: &UserAgent) -> Names {
        if let (None, Some(dialog)) = (self.names.get(&session), ua.dialog(session)) {
            let id = dialog.id();
            let names =
                Names { call_id: id.call_id.to_vec(), local: id.local_tag.to_vec(), remote: id.remote_tag.to_vec() };
            self.names.insert(session, names);
        }
        self.names.get(&session).cloned().unwrap_or_default()
    }

    /// The time has come.
    pub(crate) fn does(&mut self, what: Todo, ua: &mut UserAgent, random: &mut Random, now: Now) {
        let done = match what {
            Todo::Ring(session) => ua.ring(session, StatusCode::Ringing, Media::None, now),
            Todo::EarlyMedia(session) => {
                let done = ua.ring(session, StatusCode::SessionProgress, self.media(), now);
                self.diary.count(if done.is_ok() { "early media" } else { "no early media" });
                done
            }
            Todo::Answer(session) | Todo::Reply(session) => return self.replies(session, &what, ua, now),
            Todo::Refuse(session, status) => ua.reject(session, status, |response| response, now),
            Todo::Release(session) => {
                ua.release(session, now);
                Ok(())
            }
            Todo::RefuseOffer(session) => {
                self.may_end(session);
                ua.refuse(session, &refusal(), now)
            }
            Todo::Change(session) => self.changes(session, ua, random, now),
            Todo::HangUp(session) => ua.hang_up(session, now),
            Todo::Cancel(invite) => {
                self.gives_up(invite, ua, now);
                Ok(())
            }
            Todo::Respond(id) => {
                self.held.remove(&id);
                ua.respond(id, StatusCode::Ok, |response| response, now)
            }
        };
        if done.is_err() {
            self.diary.count("comes too late, or too early");
        }
    }

    /// Answers a call or an offer; what can't be answered is refused.
    fn replies(&mut self, session: SessionId, what: &Todo, ua: &mut UserAgent, now: Now) {
        let media = self.media();
        let done = match what {
            Todo::Answer(_) => ua.answer(session, media, now),
            _ => ua.accept(session, media, now),
        };
        let Err(error) = done else { return };
        self.diary.count(match &error {
            CommandError::Unknown => "answers what is gone",
            CommandError::State(_) => "answers at the wrong time",
            CommandError::Media(MediaError::Refused(_)) => "can't take an offer",
            CommandError::Media(_) => "has nothing to answer",
            _ => "can't answer",
        });
        match (error, what) {
            (CommandError::Media(MediaError::Refused(refusal)), Todo::Reply(_)) => {
                _ = ua.refuse(session, &refusal, now)
            }
            (CommandError::Unknown, _) => {}
            (_, Todo::Answer(_)) => _ = ua.reject(session, StatusCode::NotAcceptableHere, |response| response, now),
            (_, _) => _ = ua.refuse(session, &refusal(), now),
        }
        self.may_end(session);
    }

    /// Blindly, to whoever it knows.
    fn transfers(&self, session: SessionId, ua: &mut UserAgent, now: Now) -> Result<(), CommandError> {
        let to = self.knows.as_ref().ok_or(CommandError::Unknown)?;
        ua.refer(session, &format!("<{to}>"), ringback_ua::ReferSubscription::Implicit, now).map(|_| ())
    }

    fn changes(
        &mut self,
        session: SessionId,
        ua: &mut UserAgent,
        random: &mut Random,
        now: Now,
    ) -> Result<(), CommandError> {
        let Some(agreed) = ua.media(session).filter(|media| media.local().is_some()) else {
            return Err(CommandError::State("nothing is agreed on yet"));
        };
        let is_confirmed = ua.dialog(session).is_some_and(ringback_ua::Dialog::is_confirmed);
        let held_or_not = if agreed.is_held() { agreed.resume() } else { agreed.hold(HoldForm::Direction) };
        let more = agreed.add(&LocalMedia::audio(40_002).codec(Codec::pcma()));
        let offer = |offer: Result<_, _>| offer.map(Media::Offer).unwrap_or_default();
        let (held_or_not, more) = (offer(held_or_not), offer(more));
        let (what, done) = match random.below(if is_confirmed { 9 } else { 2 }) {
            0 => ("holds or resumes by UPDATE", ua.update(session, held_or_not, now)),
            1 => ("refreshes by UPDATE", ua.update(session, Media::None, now)),
            2..=4 => ("holds or resumes by re-INVITE", ua.reinvite(session, held_or_not, now)),
            5 => ("asks for an offer by re-INVITE", ua.reinvite(session, Media::None, now)),
            6 => ("adds a stream", ua.reinvite(session, more, now)),
            7 => ("transfers", self.transfers(session, ua, now)),
            _ => ("sends INFO", ua.request(session, Method::Info, |request| request, now).map(|_| ())),
        };
        if done.is_ok() {
            self.diary.count(what);
            if !is_confirmed {
                self.diary.count("changes before the answer");
            }
        }
        done
    }
}

/// Where an agent is reached directly.
pub(super) fn contact_uri(name: &str, address: SocketAddr, transport: Transport) -> String {
    let parameter = if transport == Transport::Udp { "" } else { ";transport=tcp" };
    format!("sip:{name}@{address}{parameter}")
}

fn refusal() -> Refusal {
    Refusal::bare(488, None)
}

/// What an agent has to say of media.
fn endpoint(line: &AgentLine) -> Endpoint {
    let ip = line.address.ip();
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    let session_id = line.address.port();
    let origin = Origin {
        username: "-".into(),
        session_id: format!("{session_id}").into(),
        session_version: "1".into(),
        network: "IN".into(),
        address_type: family.into(),
        address: format!("{ip}").into(),
    };
    let media = LocalMedia::audio(40_000);
    let media =
        if line.ways.is_odd { media.codec(Codec::g722()) } else { media.codec(Codec::pcmu()).codec(Codec::pcma()) };
    Endpoint::new(origin, &format!("{ip}")).media(media)
}
