//! The model of one agent: it sees what reaches the agent, what leaves it and what it tells, and keeps its own account of
//! transactions, dialogs and offers. It never asks the agent what that thinks of them.

mod dialogs;
mod offers;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use bytes::Bytes;
use ringback_base::{FlowId, Hop, Micros, Now};
use ringback_message::header::RSeq;
use ringback_message::{HeaderId, Message, Method, Request, Response};
use ringback_transaction::Timers;
use ringback_ua::{DialogId, Event, InviteId, SessionId, UserAgent};

use crate::check::{Invariant, Key, Verdict, violated};
use crate::net::{Content, Packet};

use dialogs::Talk;
use offers::Open;

pub(crate) use dialogs::DialogKey;

/// How long an account is kept of what is over.
const KEPT: Micros = Micros::from_secs(70);
/// What stands for a failure of the transport. `[RFC 3261, Section 8.1.3.1]`
const SERVICE_UNAVAILABLE: u16 = 503;

/// A request that came in.
#[derive(Debug)]
struct Served {
    request: Request,
    dialog: DialogKey,
    at: Micros,
    /// Every response that left, once.
    said: Vec<Bytes>,
    last: Option<u16>,
    /// When the first final response left: the transaction outlives it by so long, and no longer.
    finished: Option<Micros>,
    /// It came with an offer while one was open: it may not be answered with 2xx.
    must_refuse: bool,
    /// An offer has been made in a response.
    has_offered: bool,
}

/// A request that left.
#[derive(Debug)]
struct Asked {
    request: Request,
    dialog: DialogKey,
    to: SocketAddr,
    flow: Option<FlowId>,
    at: Micros,
    /// When the first provisional response came.
    progressed: Option<Micros>,
    last: Option<u16>,
    /// When it was cancelled: it is waited for so long, and no longer.
    cancelled: Option<Micros>,
    /// When its final response came, of an INVITE the first 2xx: further ones are waited for so long, and no longer.
    finished: Option<Micros>,
    /// Its hop led nowhere, and the offer in it was closed with that.
    unsent: Option<Option<Open>>,
}

impl Served {
    fn is_open(&self) -> bool {
        self.last.is_none_or(|status| status < 200)
    }
}

#[derive(Debug, Default)]
struct Told {
    has_ended: bool,
}

/// The model.
#[derive(Debug)]
pub(crate) struct Watch {
    me: SocketAddr,
    sessions_max: usize,
    t1_64: Micros,
    served: BTreeMap<Key, Served>,
    asked: BTreeMap<Key, Asked>,
    talks: BTreeMap<DialogKey, Talk>,
    sessions: BTreeMap<SessionId, Told>,
    invites_ended: BTreeSet<InviteId>,
    /// The calls of which damaged messages came: what they said of offers and numbers is anybody's guess.
    unclear: BTreeSet<Vec<u8>>,
    /// The 2xx of this step that is to be acknowledged in it.
    owed: Option<(DialogKey, u32)>,
    swept: Micros,
    tally: BTreeMap<Invariant, u64>,
}

impl Watch {
    pub(crate) fn new(me: SocketAddr, sessions_max: usize) -> Watch {
        Watch {
            me,
            sessions_max,
            t1_64: Timers::default().t1_64(),
            served: BTreeMap::new(),
            asked: BTreeMap::new(),
            talks: BTreeMap::new(),
            sessions: BTreeMap::new(),
            invites_ended: BTreeSet::new(),
            unclear: BTreeSet::new(),
            owed: None,
            swept: Micros(0),
            tally: BTreeMap::new(),
        }
    }

    /// The agent has died, and knows nothing any more.
    pub(crate) fn restarts(&mut self) {
        let tally = std::mem::take(&mut self.tally);
        *self = Watch { tally, ..Watch::new(self.me, self.sessions_max) };
    }

    pub(crate) fn tally(&self) -> &BTreeMap<Invariant, u64> {
        &self.tally
    }

    fn judged(&mut self, invariant: Invariant) {
        *self.tally.entry(invariant).or_default() += 1;
    }

    /// A packet reached the agent, which has not seen it yet.
    pub(crate) fn received(&mut self, packet: &Packet, now: Now) -> Verdict {
        self.sweep(now.mono);
        match packet.content() {
            Content::Request(request) => self.request_received(request, packet.damaged, now.mono),
            Content::Response(response) => self.response_received(response, packet.damaged, now.mono),
            Content::Unreadable => {}
        }
        Ok(())
    }

    fn request_received(&mut self, request: &Request, is_damaged: bool, at: Micros) {
        // What it says of media, and in which dialog, is anybody's guess.
        if is_damaged {
            self.open_is_unclear(request);
        }
        if request.is(&Method::Ack) {
            let key = Key::of(&request.top_via(), b"INVITE");
            let of = key.and_then(|key| self.served.get(&key)).and_then(|served| served.last);
            if of.is_none_or(|status| status < 300) {
                self.ack_received(request);
            }
            return;
        }
        let Some(key) = Key::of(&request.top_via(), request.method().as_str().as_bytes()) else { return };
        // One that comes again when its transaction is gone is another.
        let is_gone = |served: &Served| served.finished.is_some_and(|since| at.since(since) >= self.t1_64);
        if self.served.get(&key).is_some_and(|served| !is_gone(served)) {
            return;
        }
        if request.is(&Method::Invite) && !is_damaged {
            self.invite_received(request);
        }
        let must_refuse = if is_damaged { false } else { self.offer_received(request) };
        let (request, dialog) = (request.clone(), DialogKey::of_received(request));
        // It has come before by another hop, which broke: what it was told of the answer then, its sender may never have heard.
        let is_it = |served: &Served| {
            served.dialog == dialog
                && served.request.cseq() == request.cseq()
                && served.request.method() == request.method()
        };
        if !dialog.local.is_empty() && self.served.values().any(is_it) {
            self.unclear.insert(request.call_id().to_vec());
        }
        let served = Served {
            request,
            dialog,
            at,
            said: Vec::new(),
            last: None,
            finished: None,
            must_refuse,
            has_offered: false,
        };
        self.served.insert(key, served);
    }

    fn response_received(&mut self, response: &Response, is_damaged: bool, at: Micros) {
        if is_damaged {
            self.call_is_unclear(response);
        }
        let Some(key) = self.key_of(response) else { return };
        let status = response.status().as_u16();
        let left = self.left(&key);
        let Some(asked) = self.asked.get_mut(&key) else { return };
        let is_first = asked.last.is_none_or(|last| last < 200);
        let is_invite = asked.request.is(&Method::Invite);
        let may_repeat = is_invite && (200..300).contains(&status);
        if !(is_first || may_repeat) {
            return;
        }
        if asked.last.is_some_and(|last| last >= 300)
            || asked.finished.is_some_and(|since| at.since(since) >= self.t1_64)
        {
            return;
        }
        // What comes when the transaction is gone belongs to nothing.
        let is_late = |since: Micros| at.since(since) >= self.t1_64;
        let left = asked.progressed.zip(left).map(|(progressed, left)| progressed.max(left));
        let given_up = left.into_iter().chain(asked.cancelled).min();
        if (asked.last.is_none() && is_late(asked.at)) || (is_first && given_up.is_some_and(is_late)) {
            return;
        }
        let since = if status < 200 { &mut asked.progressed } else { &mut asked.finished };
        since.get_or_insert(at);
        // The branch is its own, and the dialog that it would make is nobody's: the request was damaged on its way, or this was.
        let is_foreign =
            is_invite && status < 300 && asked.request.to_tag().is_none() && !is_to(response, &asked.request);
        if is_foreign && status >= 200 {
            return;
        }
        asked.last = Some(asked.last.unwrap_or(0).max(status));
        if is_foreign {
            return;
        }
        let request = asked.request.clone();
        // It answers what was damaged on its way.
        let is_elsewhere = request.to_tag().is_some() && response.to_tag() != request.to_tag();
        let is_damaged = is_damaged || is_elsewhere || !is_to(response, &request);
        if is_damaged {
            self.unclear.insert(request.call_id().to_vec());
        }
        if is_invite && (200..300).contains(&status) {
            if is_damaged {
                self.damaged_success_received(&request, response);
            } else {
                self.success_received(&request, response, at);
            }
        }
        if is_damaged {
            self.open_is_unclear(&request);
        } else {
            self.answer_received(&request, response);
        }
    }

    /// The request that a response is to, by branch and method: what else its Via says is of no matter.
    /// `[RFC 3261, Section 17.1.3]`
    fn key_of(&self, response: &Response) -> Option<Key> {
        let Key { branch, method, .. } = Key::of(&response.top_via(), response.cseq_method())?;
        let first = Key { branch: branch.clone(), sent_by: Vec::new(), method: Vec::new() };
        let of_branch = self.asked.range(first..).map(|(key, _)| key).take_while(|key| key.branch == branch);
        of_branch.into_iter().find(|key| key.method == method).cloned()
    }

    /// When the session ended in whose dialog a request was sent: by their BYE, or by what came of ours. Only then is an INVITE that
    /// is still open given up.
    fn left(&self, key: &Key) -> Option<Micros> {
        let dialog = &self.asked.get(key)?.dialog;
        let is_retried = |bye: &Asked| matches!(bye.last, Some(401 | 407));
        let ours = self.asked.values().filter(|asked| asked.dialog == *dialog && asked.request.is(&Method::Bye));
        let ours = ours.filter(|bye| !is_retried(bye)).map(|bye| bye.finished.unwrap_or(bye.at.plus(self.t1_64)));
        let theirs = self.served.values().filter(|served| served.dialog == *dialog && served.request.is(&Method::Bye));
        ours.chain(theirs.map(|bye| bye.at)).min()
    }

    /// The agent learns that a hop leads nowhere: what it has asked there, and nobody has heard of, has failed. `[RFC 3261, Section 18.4]`
    pub(crate) fn unreachable(&mut self, hop: &Hop, now: Now) {
        let went_there =
            |asked: &Asked| if asked.flow.is_some() { asked.flow == hop.flow } else { asked.to == hop.remote };
        let waits = |asked: &Asked| asked.last.is_none_or(|last| last < 200 && !asked.request.is(&Method::Invite));
        let mut failed = Vec::new();
        for asked in self.asked.values_mut().filter(|asked| went_there(asked) && waits(asked)) {
            asked.last = Some(SERVICE_UNAVAILABLE);
            asked.finished.get_or_insert(now.mono);
            let open = self.talks.get(&asked.dialog).and_then(|talk| talk.open.clone());
            asked.unsent = Some(open.filter(|open| open.is_in(&asked.request)));
            failed.push(asked.request.clone());
        }
        failed.iter().for_each(|request| self.offer_fails(request));
    }

    /// A packet leaves the agent.
    pub(crate) fn sent(&mut self, packet: &Packet, now: Now) -> Verdict {
        match packet.content() {
            Content::Request(request) => self.request_sent(request, packet, now.mono),
            Content::Response(response) => self.response_sent(response, now.mono),
            Content::Unreadable => violated(
                Invariant::Answered,
                ringback_transport::peek_call_id(&packet.bytes),
                "what leaves is no message",
            ),
        }
    }

    fn request_sent(&mut self, request: &Request, packet: &Packet, at: Micros) -> Verdict {
        let (to, flow) = (packet.to, packet.flow);
        let dialog = DialogKey::of_sent(request);
        let call_id = request.call_id();
        let Some(key) = Key::of(&request.top_via(), request.method().as_str().as_bytes()) else {
            return violated(Invariant::CSeqRises, Some(call_id), "a request without a branch of its own");
        };
        // The same request to another hop: a new transaction, and nothing else is new. [RFC 3263, Section 4.3]
        let is_it = |asked: &&mut Asked| {
            let is_same = asked.request.cseq() == request.cseq() && asked.request.method() == request.method();
            is_same && asked.dialog == dialog
        };
        let unsent = self.asked.values_mut().filter(is_it).find_map(|asked| asked.unsent.take());
        match request.method() {
            Method::Ack => {
                let is_of_failure = self
                    .asked
                    .get(&key.with_method(b"INVITE"))
                    .is_some_and(|invite| invite.last.is_some_and(|last| last >= 300));
                return if is_of_failure { Ok(()) } else { self.ack_sent(request) };
            }
            _ if self.asked.contains_key(&key) => return Ok(()),
            _ if unsent.is_some() => {}
            Method::Cancel => {
                self.cancel_sent(&key, request, to)?;
                if let Some(invite) = self.asked.get_mut(&key.with_method(b"INVITE")) {
                    invite.cancelled.get_or_insert(at);
                }
            }
            Method::Invite => {
                self.invite_sent(request)?;
                self.cseq_sent(request)?;
            }
            Method::Bye => {
                self.bye_sent(request, at)?;
                self.cseq_sent(request)?;
            }
            Method::Prack => {
                self.prack_sent(request)?;
                self.cseq_sent(request)?;
            }
            _ => self.cseq_sent(request)?,
        }
        match unsent {
            Some(open) => self.talk(dialog.clone()).open = open,
            None => self.offer_sent(request)?,
        }
        let request = request.clone();
        let (progressed, last, cancelled, finished, unsent) = (None, None, None, None, None);
        let asked = Asked { request, dialog, to, flow, at, progressed, last, cancelled, finished, unsent };
        self.asked.insert(key, asked);
        Ok(())
    }

    fn cancel_sent(&mut self, key: &Key, cancel: &Request, to: SocketAddr) -> Verdict {
        self.judged(Invariant::CancelInTurn);
        let wrong = |detail: &str| violated(Invariant::CancelInTurn, Some(cancel.call_id()), detail);
        let Some(invite) = self.asked.get(&key.with_method(b"INVITE")) else {
            return wrong("a CANCEL with the branch of no INVITE");
        };
        if invite.progressed.is_none() {
            return wrong("a CANCEL before any provisional response");
        }
        if invite.last.is_some_and(|last| last >= 200) {
            return wrong("a CANCEL after the final response");
        }
        let same = |a: &Message, b: &Message| {
            a.request_uri_text() == b.request_uri_text()
                && [HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::Route]
                    .iter()
                    .all(|id| a.first(*id).map(|h| h.value().to_vec()) == b.first(*id).map(|h| h.value().to_vec()))
        };
        if invite.to != to || invite.request.cseq() != cancel.cseq() || !same(&invite.request, cancel) {
            return wrong("a CANCEL that is not like its INVITE, or goes elsewhere");
        }
        Ok(())
    }

    fn response_sent(&mut self, response: &Response, at: Micros) -> Verdict {
        let call_id = Some(response.call_id());
        let status = response.status().as_u16();
        let key = Key::of(&response.top_via(), response.cseq_method());
        let Some((key, served)) = key.and_then(|key| Some((key.clone(), self.served.get_mut(&key)?))) else {
            // To what an element of RFC 2543 sent, or damage did to a branch: of that, only what it describes is looked at.
            return self.stray_description_sent(response);
        };
        let before = served.last;
        let is_new = !served.said.contains(response.as_bytes());
        let is_invite = served.request.is(&Method::Invite);
        if is_new {
            served.said.push(response.as_bytes().clone());
        }
        served.last = Some(before.unwrap_or(0).max(status));
        if status >= 200 {
            served.finished.get_or_insert(at);
        }
        let (must_refuse, request) = (served.must_refuse, served.request.clone());
        self.judged(Invariant::OneFinal);
        let was_final = before.is_some_and(|last| last >= 200);
        if was_final && is_new {
            if status < 200 {
                return violated(
                    Invariant::NoProvisionalAfterFinal,
                    call_id,
                    format!("{status} after the final response"),
                );
            }
            let are_successes = is_invite && before.is_some_and(|last| last < 300) && status < 300;
            if !are_successes {
                return violated(Invariant::OneFinal, call_id, format!("{status} after another final response"));
            }
        }
        if was_final && status < 200 {
            return violated(
                Invariant::NoProvisionalAfterFinal,
                call_id,
                format!("{status} again after the final response"),
            );
        }
        if !is_new {
            return Ok(());
        }
        self.judged(Invariant::NoProvisionalAfterFinal);
        if must_refuse && (200..300).contains(&status) {
            return violated(
                Invariant::OneOffer,
                call_id,
                format!("{status} to an offer that came while one was open"),
            );
        }
        if is_invite && status < 200 {
            self.provisional_sent(&request, response)?;
        }
        self.answer_sent(&key, &request, response)?;
        if is_invite && (200..300).contains(&status) {
            self.success_sent(&request, response, at);
        }
        Ok(())
    }

    /// The agent tells something.
    pub(crate) fn event(&mut self, event: &Event, ua: &UserAgent) -> Verdict {
        let session = match event {
            Event::Progress { session, .. } | Event::Request { session, .. } => *session,
            Event::Incoming { session, .. }
            | Event::Confirmed { session }
            | Event::Offered { session, .. }
            | Event::OfferWanted { session }
            | Event::Agreed { session }
            | Event::OfferFailed { session, .. }
            | Event::Refreshed { session, .. } => Some(*session),
            Event::Answered { session, response, .. } => {
                self.is_the_applications(response);
                Some(*session)
            }
            Event::Ended { session, .. } => {
                self.judged(Invariant::EndedOnce);
                if std::mem::replace(&mut self.sessions.entry(*session).or_default().has_ended, true) {
                    return violated(Invariant::EndedOnce, None, format!("{session:?} ends twice"));
                }
                None
            }
            Event::InviteEnded { invite } => {
                if !self.invites_ended.insert(*invite) {
                    return violated(Invariant::EndedOnce, None, format!("{invite:?} ends twice"));
                }
                None
            }
            _ => None,
        };
        let Some(session) = session else { return Ok(()) };
        if self.sessions.entry(session).or_default().has_ended {
            let call_id = ua.dialog(session).map(|dialog| dialog.id().call_id);
            return violated(Invariant::EndedOnce, call_id, format!("{session:?} has ended, and now {event:?}"));
        }
        Ok(())
    }

    /// All that came of one input has left.
    pub(crate) fn step_ends(&mut self, ua: &UserAgent) -> Verdict {
        if let Some((dialog, cseq)) = self.owed.take() {
            let detail = format!("a 2xx to INVITE {cseq} came again, and no ACK went");
            return violated(Invariant::SuccessAcknowledged, Some(&dialog.call_id), detail);
        }
        self.judged(Invariant::MemoryBounded);
        if ua.session_len() > self.sessions_max {
            return violated(Invariant::MemoryBounded, None, format!("{} sessions", ua.session_len()));
        }
        Ok(())
    }

    /// Nothing happens any more.
    pub(crate) fn run_ends(&mut self, ua: &UserAgent) -> Verdict {
        self.judged(Invariant::TablesEmpty);
        if let Some((session, _)) = self.sessions.iter().find(|(_, told)| !told.has_ended) {
            let call_id = ua.dialog(*session).map(|dialog| dialog.id().call_id);
            return violated(Invariant::EndedOnce, call_id, format!("{session:?} never ended"));
        }
        let unanswered = self
            .served
            .values()
            .find(|served| served.is_open() && (served.request.is(&Method::Invite) || served.last.is_some()));
        if let Some(served) = unanswered {
            let detail = format!("{} was never answered", served.request.method().as_str());
            return violated(Invariant::Answered, Some(served.request.call_id()), detail);
        }
        self.judged(Invariant::Answered);
        self.talks_end()?;
        if !ua.is_idle() {
            let transactions = ua.transactions();
            let detail = format!(
                "{} sessions, {} client and {} server transactions, {} timers, timeout {:?}",
                ua.session_len(),
                transactions.client_len(),
                transactions.server_len(),
                transactions.timer_len(),
                ua.poll_timeout()
            );
            return violated(Invariant::TablesEmpty, None, detail);
        }
        Ok(())
    }

    /// The sessions that stand, in whose dialogs nothing is under way.
    pub(crate) fn sessions_at_rest(&self, ua: &UserAgent) -> Vec<(DialogKey, SessionId)> {
        let live = self.sessions.iter().filter(|(_, told)| !told.has_ended);
        let named = live.filter_map(|(session, _)| {
            let dialog = ua.dialog(*session).filter(|dialog| dialog.is_confirmed())?;
            Some((DialogKey::of_id(dialog.id()), *session))
        });
        named.filter(|(key, _)| self.is_at_rest(key)).collect()
    }

    pub(crate) fn session_of(&self, key: &DialogKey, ua: &UserAgent) -> Option<SessionId> {
        let id = DialogId { call_id: &key.call_id, local_tag: &key.local, remote_tag: &key.remote };
        ua.session_of(id)
    }

    /// What is over for long is forgotten.
    fn sweep(&mut self, now: Micros) {
        if now.since(self.swept) < KEPT {
            return;
        }
        self.swept = now;
        self.served.retain(|_, served| served.is_open() || now.since(served.at) < KEPT);
        self.asked.retain(|_, asked| {
            let last = asked.finished.unwrap_or(asked.at);
            now.since(last) < KEPT || asked.last.is_some_and(|last| last < 200)
        });
    }
}

/// Whether a response copies what it has to copy from its request. `[RFC 3261, Section 8.2.6.2]`
fn is_to(response: &Response, request: &Request) -> bool {
    response.call_id() == request.call_id()
        && response.cseq() == request.cseq()
        && response.from_tag() == request.from_tag()
}

/// The number of a reliable provisional response.
fn rseq(response: &Response) -> Option<u32> {
    let is_reliable = response.tokens(HeaderId::Require).flatten().any(|tag| tag.eq_ignore_ascii_case(b"100rel"));
    response.get::<RSeq>().ok().flatten().filter(|_| is_reliable).map(|RSeq(number)| number)
}
