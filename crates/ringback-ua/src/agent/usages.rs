//! What is neither a call nor a single request: subscriptions, REFERs, publications. Their machines are kept here, and reach the
//! world as the calls do.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use ringback_base::{Id, KeyedHash, Micros, Now, Random, Table, TimerId, TimerQueue};
use ringback_message::header::{TypedHeader, text};
use ringback_message::{Request, RequestBuilder, Response, StatusCode};
use ringback_transaction::ServerId;

use super::sending::Purpose;
use super::{Outbound, UserAgent};
use crate::dialog::{Dialog, DialogId};
use crate::event::{Event, InviteId, PublicationId, ReferId, RefereeId, SessionId, SubscriberId};
use crate::notifier::{Notifier, NotifierConfig, Package, SubscriptionId};
use crate::origin::Origin;
use crate::publication::Publication;
use crate::refer::{Referee, Referrer};
use crate::refusal::Refusal;
use crate::subscriber::{Fork, Subscriber};

/// How many subscriptions of ours there may be; as many REFERs from each side, and as many publications.
pub const USAGES_MAX: usize = 4_096;

/// A machine with a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Usage {
    Subscriber(SubscriberId),
    Referrer(ReferId),
    Referee(RefereeId),
    Publication(PublicationId),
}

/// What a request of theirs is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Subscribe(SubscriberId, Option<Fork>),
    Notify(SubscriptionId),
    Refer(ReferId),
    /// A SUBSCRIBE for the subscription that a REFER has made.
    ReferSubscribe(ReferId, Fork),
    ReferNotify(RefereeId),
    Publish(PublicationId),
}

/// A machine, and what goes with its requests.
#[derive(Debug)]
pub(crate) struct Held<T> {
    pub(crate) machine: T,
    /// Header fields that the application wants in each request.
    pub(crate) headers: Vec<TypedHeader>,
    /// The call in whose dialog it lives.
    pub(crate) session: Option<SessionId>,
    /// The INVITE that does what a REFER asks for.
    pub(crate) invite: Option<InviteId>,
    /// Who has subscribed to the outcome of a REFER by the URI that was given out for it.
    pub(crate) watchers: Vec<SubscriptionId>,
    timer: Option<TimerId>,
    /// Under which its NOTIFYs find it.
    key: Option<u64>,
}

impl<T> Held<T> {
    pub(crate) fn new(machine: T, headers: Vec<TypedHeader>, session: Option<SessionId>) -> Held<T> {
        Held { machine, headers, session, invite: None, watchers: Vec::new(), timer: None, key: None }
    }

    pub(crate) fn dress(&self, request: RequestBuilder) -> RequestBuilder {
        self.headers.iter().cloned().fold(request, RequestBuilder::header)
    }
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Usages {
    pub(crate) notifier: Notifier,
    pub(crate) subscribers: Table<Held<Subscriber>>,
    pub(crate) referrers: Table<Held<Referrer>>,
    pub(crate) referees: Table<Held<Referee>>,
    pub(crate) publications: Table<Held<Publication>>,
    timers: TimerQueue<Usage>,
    hash: KeyedHash,
    /// By Call-ID and tag of ours.
    keys: BTreeMap<u64, Usage>,
    /// What became of the INVITEs that REFERs asked for.
    heard: Vec<(InviteId, StatusCode)>,
    /// Calls in which a REFER was accepted: a second one gives its NOTIFYs an id.
    referred: BTreeSet<SessionId>,
}

impl Usages {
    pub(crate) fn new(random: &mut Random) -> Usages {
        Usages {
            notifier: Notifier::new(NotifierConfig::new(with_refer(Vec::new())), random.hasher()),
            subscribers: Table::new(USAGES_MAX),
            referrers: Table::new(USAGES_MAX),
            referees: Table::new(USAGES_MAX),
            publications: Table::new(USAGES_MAX),
            timers: TimerQueue::new(),
            hash: random.hasher(),
            keys: BTreeMap::new(),
            heard: Vec::new(),
            referred: BTreeSet::new(),
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.notifier.is_empty()
            && self.subscribers.is_empty()
            && self.referrers.is_empty()
            && self.referees.is_empty()
            && self.publications.is_empty()
            && self.timers.is_empty()
            && self.keys.is_empty()
            && self.heard.is_empty()
            && self.referred.is_empty()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Micros> {
        let own = self.timers.next().map(|(at, _)| at);
        own.into_iter().chain(self.notifier.poll_timeout()).min()
    }

    pub(crate) fn due(&mut self, now: Now) -> Option<Usage> {
        let (timer, usage) = self.timers.pop_due(now.mono)?;
        if let Some(slot) = self.timer_of(usage)
            && *slot == Some(timer)
        {
            *slot = None;
        }
        Some(usage)
    }

    fn timer_of(&mut self, usage: Usage) -> Option<&mut Option<TimerId>> {
        match usage {
            Usage::Subscriber(id) => self.subscribers.get_mut(id.0).map(|held| &mut held.timer),
            Usage::Referrer(id) => self.referrers.get_mut(id.0).map(|held| &mut held.timer),
            Usage::Referee(id) => self.referees.get_mut(id.0).map(|held| &mut held.timer),
            Usage::Publication(id) => self.publications.get_mut(id.0).map(|held| &mut held.timer),
        }
    }

    /// After each input: the timer is set anew, and what is over is let go of.
    pub(crate) fn tend(&mut self, usage: Usage) {
        let (due, is_over) = match usage {
            Usage::Subscriber(id) => match self.subscribers.get(id.0) {
                Some(held) => (held.machine.poll_timeout(), held.machine.is_over()),
                None => return,
            },
            Usage::Referrer(id) => match self.referrers.get(id.0) {
                Some(held) => (held.machine.poll_timeout(), held.machine.is_over()),
                None => return,
            },
            Usage::Referee(id) => match self.referees.get(id.0) {
                Some(held) => (held.machine.poll_timeout(), held.machine.is_over()),
                None => return,
            },
            Usage::Publication(id) => match self.publications.get(id.0) {
                Some(held) => (held.machine.poll_timeout(), held.machine.is_idle()),
                None => return,
            },
        };
        let due = due.filter(|_| !is_over);
        let running = self.timer_of(usage).and_then(Option::take);
        if let Some(running) = running {
            self.timers.stop(running);
        }
        let timer = due.map(|at| self.timers.set(at, usage));
        if let Some(slot) = self.timer_of(usage) {
            *slot = timer;
        }
        if is_over {
            self.remove(usage);
        }
    }

    fn remove(&mut self, usage: Usage) {
        let key = match usage {
            Usage::Subscriber(id) => self.subscribers.remove(id.0).and_then(|held| held.key),
            Usage::Referrer(id) => self.referrers.remove(id.0).and_then(|held| held.key),
            Usage::Referee(id) => self.referees.remove(id.0).and_then(|held| held.key),
            Usage::Publication(id) => self.publications.remove(id.0).and_then(|held| held.key),
        };
        if let Some(key) = key {
            self.keys.remove(&key);
        }
    }

    /// From now on NOTIFYs for this Call-ID and this tag of ours are for it.
    pub(crate) fn expect(&mut self, usage: Usage, call_id: &[u8], tag: &[u8]) {
        let key = self.hash.of(&[call_id, tag]);
        let slot = match usage {
            Usage::Subscriber(id) => self.subscribers.get_mut(id.0).map(|held| &mut held.key),
            Usage::Referrer(id) => self.referrers.get_mut(id.0).map(|held| &mut held.key),
            Usage::Referee(id) => self.referees.get_mut(id.0).map(|held| &mut held.key),
            Usage::Publication(_) => None,
        };
        let Some(slot) = slot else { return };
        if let Some(old) = slot.replace(key) {
            self.keys.remove(&old);
        }
        self.keys.insert(key, usage);
    }

    pub(crate) fn expecting(&self, request: &Request) -> Option<Usage> {
        let key = self.hash.of(&[request.call_id(), request.to_tag()?]);
        self.keys.get(&key).copied()
    }

    /// Whether no REFER was accepted in this call before.
    pub(crate) fn is_first_refer(&mut self, session: SessionId) -> bool {
        self.referred.insert(session)
    }

    /// The call is over. A dialog that it was not the only use of lives on for the others: "a dialog created with an INVITE does not
    /// necessarily terminate upon receipt of a BYE". `[RFC 6665, Section 4.5.2]`
    pub(crate) fn session_ended(&mut self, session: SessionId, dialog: &Dialog) {
        if !self.referred.remove(&session) {
            return;
        }
        let all: Vec<Id> =
            self.referees.iter().filter(|(_, held)| held.session == Some(session)).map(|(id, _)| id).collect();
        for id in all {
            if let Some(held) = self.referees.get_mut(id) {
                held.session = None;
                held.machine.adopt(dialog);
            }
        }
    }

    /// The last CSeq of ours in a dialog that outlived its call: every further user of it goes on from there.
    pub(crate) fn cseq_used(&self, id: DialogId<'_>) -> u32 {
        let owned = self.referees.iter().filter_map(|(_, held)| held.machine.dialog());
        owned.filter(|dialog| dialog.id() == id).map(Dialog::local_cseq).max().unwrap_or(0)
    }

    /// Another user of such a dialog has sent a request with this CSeq.
    pub(crate) fn taken(&mut self, id: DialogId<'_>, cseq: u32) {
        let is_it = |held: &Held<Referee>| held.machine.dialog().is_some_and(|dialog| dialog.id() == id);
        let all: Vec<Id> = self.referees.iter().filter(|(_, held)| is_it(held)).map(|(place, _)| place).collect();
        for place in all {
            if let Some(held) = self.referees.get_mut(place) {
                held.machine.sent(cseq);
            }
        }
    }

    /// The others in the dialog of this one go on behind its last number, even when it is over.
    pub(crate) fn share_cseq(&mut self, id: RefereeId) {
        let own = self.referees.get(id.0).and_then(|held| held.machine.dialog()).cloned();
        if let Some(own) = own {
            self.taken(own.id(), own.local_cseq());
        }
    }

    /// What an event says of an INVITE that a REFER asked for.
    pub(crate) fn overhear(&mut self, event: &Event) {
        let (invite, status) = match event {
            Event::Progress { invite, response, .. } | Event::Answered { invite, response, .. } => {
                (*invite, response.status())
            }
            Event::InviteFailed { invite, failure, .. } => (*invite, failure.status()),
            _ => return,
        };
        if self.referees.iter().any(|(_, held)| held.invite == Some(invite)) {
            self.heard.push((invite, status));
        }
    }
}

impl UserAgent {
    /// Tells the application, and who waits for it among ourselves.
    pub(crate) fn tell(&mut self, event: Event) {
        self.usages.overhear(&event);
        self.events.push_back(event);
    }

    /// Passes on what was overheard; true where there was anything.
    pub(crate) fn settle_usages(&mut self, now: Now) -> bool {
        let heard = core::mem::take(&mut self.usages.heard);
        for (invite, status) in &heard {
            let place = self.usages.referees.iter().find(|(_, held)| held.invite == Some(*invite));
            if let Some(id) = place.map(|(id, _)| RefereeId(id)) {
                self.refer_went(id, *status, now);
            }
        }
        !heard.is_empty()
    }

    /// A request of theirs that is none of a call: true where it is taken.
    pub(crate) fn usage_request(&mut self, id: ServerId, request: &Request, now: Now) -> bool {
        use ringback_message::Method;
        match request.method() {
            Method::Notify => self.notify_came(id, request, now),
            Method::Subscribe => self.subscribe_came(id, request, now),
            Method::Refer => self.refer_came(id, None, request, now),
            _ => return false,
        }
        true
    }

    /// A request of theirs in a call: true where it is taken.
    pub(crate) fn usage_request_within(
        &mut self,
        session: SessionId,
        id: ServerId,
        request: &Request,
        now: Now,
    ) -> bool {
        use ringback_message::Method;
        match request.method() {
            Method::Notify => self.notify_came(id, request, now),
            Method::Subscribe => self.subscribe_came_within(session, id, request, now),
            Method::Refer => self.refer_came(id, Some(session), request, now),
            _ => return false,
        }
        true
    }

    /// A request of a usage goes out, for the first time or with credentials.
    pub(crate) fn usage_sent(&mut self, task: Task, request: &Request, now: Now) {
        match task {
            Task::Subscribe(id, fork) => self.subscribe_sent(id, fork, request, now),
            Task::Notify(id) => self.usages.notifier.sent(id, request.cseq()),
            Task::Refer(id) => self.refer_sent(id, request, now),
            Task::ReferSubscribe(id, fork) => {
                if let Some(held) = self.usages.referrers.get_mut(id.0) {
                    held.machine.sent_in_dialog(fork, request.cseq());
                }
            }
            Task::ReferNotify(id) => {
                if let Some(held) = self.usages.referees.get_mut(id.0) {
                    held.machine.sent(request.cseq());
                }
                self.usages.share_cseq(id);
            }
            Task::Publish(id) => {
                if let Some(held) = self.usages.publications.get_mut(id.0) {
                    held.machine.sent(request);
                }
            }
        }
    }

    /// The final response to a request of a usage, or none.
    pub(crate) fn usage_done(&mut self, task: Task, response: Option<&Response>, now: Now) {
        match task {
            Task::Subscribe(id, fork) => self.subscribe_done(id, fork, response, now),
            Task::Notify(id) => self.notify_done(id, response, now),
            Task::Refer(id) => self.refer_done(id, response, now),
            Task::ReferSubscribe(id, fork) => self.refer_subscribe_done(id, fork, response, now),
            Task::ReferNotify(id) => self.refer_notify_done(id, response, now),
            Task::Publish(id) => self.publish_done(id, response, now),
        }
    }

    /// The call in whose dialog a request of a usage is sent.
    pub(crate) fn usage_session(&self, task: Task) -> Option<SessionId> {
        match task {
            Task::Refer(id) => self.usages.referrers.get(id.0).and_then(|held| held.session),
            Task::ReferNotify(id) => self.usages.referees.get(id.0).and_then(|held| held.session),
            _ => None,
        }
    }

    /// A timer of a usage has fired.
    pub(crate) fn usage_timeout(&mut self, usage: Usage, now: Now) {
        match usage {
            Usage::Subscriber(id) => self.subscriber_due(id, now),
            Usage::Referrer(id) => self.referrer_due(id, now),
            Usage::Referee(id) => {
                if let Some(held) = self.usages.referees.get_mut(id.0) {
                    held.machine.handle_timeout(now);
                }
                self.tell_referrer(id, now);
            }
            Usage::Publication(id) => self.publication_due(id, now),
        }
        self.usages.tend(usage);
    }

    pub(crate) fn send_for(&mut self, task: Task, request: RequestBuilder, uri: &[u8], now: Now) {
        self.send(Purpose::Usage(task), request, uri, now);
    }

    pub(crate) fn refuse_request(&mut self, id: ServerId, request: &Request, refusal: Refusal, now: Now) {
        let packages: Vec<String> = self.usages.notifier.allow_events().into_iter().map(String::from).collect();
        let tag = self.random.token();
        let response = refusal.response(request, &packages);
        let response = if request.to_tag().is_none() { response.to_tag(tag) } else { response };
        // What was read can be answered; if not, the client gives up by itself.
        if let Ok(response) = response.build() {
            _ = self.transactions.respond(id, response, now);
        }
    }

    /// What every request of a usage has in common.
    pub(crate) fn origin(&mut self, outbound: &Outbound) -> Origin {
        let address = |name: &str, uri: &str| -> alloc::boxed::Box<str> {
            let quoted = String::from_utf8(text::quoted(name.as_bytes())).unwrap_or_default();
            if name.is_empty() { alloc::format!("<{uri}>").into() } else { alloc::format!("{quoted} <{uri}>").into() }
        };
        Origin {
            uri: outbound.uri().into(),
            from: address(&outbound.from_name, &outbound.from),
            tag: self.random.token().into(),
            to: address(&outbound.to_name, &outbound.to),
            call_id: self.random.token().into(),
            routes: outbound.routes.iter().map(|route| alloc::format!("<{route}>").into()).collect(),
        }
    }

    /// Where a request of a usage outside of a dialog is sent: to the first route, or to its URI.
    pub(crate) fn origin_uri(origin: &Origin) -> alloc::boxed::Box<[u8]> {
        let first = origin.routes.first().map(|route| route.trim_start_matches('<').trim_end_matches('>'));
        first.unwrap_or(&origin.uri).as_bytes().into()
    }
}

/// Subscriptions to what becomes of a REFER are granted without being asked for.
pub(crate) fn with_refer(mut packages: Vec<Package>) -> Vec<Package> {
    packages.push(Package::new(crate::refer::PACKAGE, crate::refer::SIPFRAG));
    packages
}

/// An id that a table gave.
pub(crate) fn full(id: Option<Id>) -> Result<Id, crate::event::CommandError> {
    id.ok_or(crate::event::CommandError::Full)
}
