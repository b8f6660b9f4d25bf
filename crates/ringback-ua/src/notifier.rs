//! The notifier: grants subscriptions, and tells what they are to. `[RFC 6665, Section 4.2]`
//!
//! ```text
//!   SUBSCRIBE ─handle_subscribe()─▶ New ─accept()─▶ resp_wait ─┬─ allowed ───────▶ active ──┐ NOTIFY failed, time over,
//!                  │                                           └─ to be asked ─▶ pending ───┤ or ended by policy
//!                  ├▶ Renewed   a refresh, or the end                                       ▼
//!                  └▶ Refused   400, 403, 406, 423, 481, 489, 500, 503                 terminated
//! ```
//!
//! It decides nothing of who may see what: that is asked of the application, which also gives the state. How often a state may change
//! is its own business too. `[RFC 6665, Section 5.4.10]`

mod subscription;
#[cfg(test)]
mod tests;

pub use subscription::{EventState, Notification, NotifierState, NotifierSubscription, TerminationReason};

use alloc::boxed::Box;
use alloc::vec::Vec;

use ringback_base::timers::TimerId;
use ringback_base::{Id, KeyedHash, Micros, Now, Table, TimerQueue};
use ringback_message::header::{Accept, ContentType, Event, SuppressIfMatch, ToOwnedText};
use ringback_message::{HeaderId, Method, Request, RequestBuilder, Response, ResponseBuilder, StatusCode};

use crate::dialog::{Dialog, DialogId};
use crate::event_type::{event_of, same_event};
use crate::refusal::Refusal;

/// How many subscriptions a notifier grants at once, where nobody says otherwise.
pub const SUBSCRIPTIONS_MAX: usize = 4_096;

/// From here on no interval is too brief, whatever the minimum. `[RFC 6665, Section 4.2.1.1]`
const ONE_HOUR_SECS: u32 = 3_600;

/// An event package that can be subscribed to. `[RFC 6665, Section 5.4]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name, with its templates.
    pub name: Box<str>,
    /// The type of its notifications.
    pub content_type: Box<str>,
    /// For how long a subscription lasts that doesn't say.
    pub default_expires_secs: u32,
    /// The shortest interval that is granted.
    pub min_expires_secs: u32,
    /// The longest interval that is granted.
    pub longest_expires_secs: u32,
}

impl Package {
    /// A package: an hour by default, a minute at least, a day at most.
    #[must_use]
    pub fn new(name: &str, content_type: &str) -> Package {
        Package {
            name: name.into(),
            content_type: content_type.into(),
            default_expires_secs: 3_600,
            min_expires_secs: 60,
            longest_expires_secs: 86_400,
        }
    }

    /// The interval that is granted: "the server MAY shorten the interval but MUST NOT lengthen it".
    /// `[RFC 6665, Section 4.2.1.1]`
    ///
    /// # Errors
    /// The shortest, where the one that is asked for is below it.
    pub fn grant_secs(&self, asked_secs: Option<u32>) -> Result<u32, u32> {
        match asked_secs {
            None => Ok(self.default_expires_secs),
            // "If and only if the expiration interval is greater than zero AND smaller than one hour AND less than a
            // notifier-configured minimum"
            Some(secs) if secs > 0 && secs < ONE_HOUR_SECS && secs < self.min_expires_secs => {
                Err(self.min_expires_secs)
            }
            Some(secs) => Ok(secs.min(self.longest_expires_secs)),
        }
    }
}

/// Names a subscription of a notifier. That of one that is over names nothing, ever again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(Id);

/// What a SUBSCRIBE comes to.
#[derive(Debug)]
pub enum SubscribeVerdict {
    /// It is refused.
    Refused(Refusal),
    /// It asks for a subscription: the application says whether it may have it, and [`Notifier::accept`] grants it.
    New(NewSubscription),
    /// It was for a subscription that there is.
    Renewed {
        /// Which one.
        id: SubscriptionId,
        /// What it is answered with.
        answer: SubscribeAnswer,
        /// The NOTIFY that follows.
        notify: Option<RequestBuilder>,
        /// Whether the subscription is over, and nothing follows.
        is_over: bool,
    },
}

/// A subscription that may be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSubscription {
    /// The state that it is to.
    pub event: Event,
    /// For how many seconds; 0 for the state of the moment.
    pub granted_secs: u32,
    /// The tag of the state that the subscriber has, or a star.
    pub condition: Option<Box<[u8]>>,
}

/// The 2xx to a SUBSCRIBE. `[RFC 6665, Section 4.2.1.1]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscribeAnswer {
    /// 200, or 204 where no NOTIFY follows.
    pub status: StatusCode,
    /// For how many seconds the subscription lasts.
    pub expires_secs: u32,
}

impl SubscribeAnswer {
    /// The response, without tag and Contact.
    #[must_use]
    pub fn response(self, request: &Request) -> ResponseBuilder<'_> {
        Response::to(request, self.status).expires_seconds(self.expires_secs)
    }
}

/// What the application says of a new subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may have the state.
    Granted(EventState),
    /// It is told this state, and that there won't be another.
    Last(EventState),
    /// Somebody has to be asked: until then it is told the second.
    Undecided {
        /// The state.
        state: EventState,
        /// What may be told already, if anything.
        neutral: EventState,
    },
}

/// What a notifier is set up with.
#[derive(Clone, Debug)]
pub struct NotifierConfig {
    /// What can be subscribed to.
    pub packages: Vec<Package>,
    /// How many subscriptions there may be at once.
    pub subscriptions: usize,
}

impl NotifierConfig {
    /// With these packages, and [`SUBSCRIPTIONS_MAX`].
    #[must_use]
    pub fn new(packages: Vec<Package>) -> NotifierConfig {
        NotifierConfig { packages, subscriptions: SUBSCRIPTIONS_MAX }
    }
}

/// The subscriptions to what is here.
#[derive(Debug)]
pub struct Notifier {
    config: NotifierConfig,
    hash: KeyedHash,
    table: Table<Entry>,
    timers: TimerQueue<Id>,
}

#[derive(Debug)]
struct Entry {
    dialog: Dialog,
    subscription: NotifierSubscription,
    timer: Option<TimerId>,
}

/// What follows from the outcome of a NOTIFY.
#[derive(Debug)]
pub struct NotifyOutcome {
    /// Whether the subscription is over.
    pub is_over: bool,
    /// The next NOTIFY.
    pub notify: Option<RequestBuilder>,
}

impl Notifier {
    /// One without subscriptions.
    #[must_use]
    pub fn new(config: NotifierConfig, hash: KeyedHash) -> Notifier {
        let table = Table::new(config.subscriptions);
        Notifier { config, hash, table, timers: TimerQueue::new() }
    }

    /// The packages, for Allow-Events: "The "Allow-Events" header field does not include a list of the event template-packages".
    /// `[RFC 6665, Section 4.4.4]`
    #[must_use]
    pub fn allow_events(&self) -> Vec<&str> {
        let names = self.config.packages.iter().map(|package| &*package.name);
        names.filter(|name| !name.contains('.')).collect()
    }

    /// How many subscriptions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// True where there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The subscription of that name.
    #[must_use]
    pub fn subscription(&self, id: SubscriptionId) -> Option<&NotifierSubscription> {
        self.table.get(id.0).map(|entry| &entry.subscription)
    }

    /// The dialog of a subscription.
    #[must_use]
    pub fn dialog(&self, id: SubscriptionId) -> Option<&Dialog> {
        self.table.get(id.0).map(|entry| &entry.dialog)
    }

    /// A SUBSCRIBE has come. `[RFC 6665, Section 4.2.1]`
    pub fn handle_subscribe(&mut self, request: &Request, now: Now) -> SubscribeVerdict {
        self.subscribe(request, now).unwrap_or_else(SubscribeVerdict::Refused)
    }

    fn subscribe(&mut self, request: &Request, now: Now) -> Result<SubscribeVerdict, Refusal> {
        let event = event_of(request)?;
        if request.to_tag().is_some() {
            return self.renew(request, &event, now);
        }
        let granted_secs = self.granted_secs(request, &event)?;
        if self.table.is_full() {
            return Err(Refusal::new(StatusCode::ServiceUnavailable));
        }
        let condition = condition_of(request)?.map(Into::into);
        Ok(SubscribeVerdict::New(NewSubscription { event: event.to_owned_text(), granted_secs, condition }))
    }

    /// Grants a subscription: what its SUBSCRIBE is answered with, under this tag of ours, and the NOTIFY that follows at once.
    ///
    /// # Errors
    /// Where the request makes no dialog, or there are as many subscriptions as there may be.
    pub fn accept(
        &mut self,
        request: &Request,
        new: NewSubscription,
        local_tag: &str,
        admission: Admission,
        now: Now,
    ) -> Result<(SubscriptionId, SubscribeAnswer, Option<RequestBuilder>), Refusal> {
        let NewSubscription { event, granted_secs, condition } = new;
        let malformed = |_| Refusal::new(StatusCode::BadRequest).because("No Dialog From This Request");
        let mut dialog = Dialog::of_server(request, local_tag).map_err(malformed)?;
        dialog.confirm();
        let mut is_last = false;
        let (state, neutral) = match admission {
            Admission::Granted(state) => (state, None),
            Admission::Last(state) => {
                is_last = true;
                (state, None)
            }
            Admission::Undecided { state, neutral } => (state, Some(neutral)),
        };
        let mut subscription = NotifierSubscription::new(event, granted_secs, condition.as_deref(), state, now);
        match neutral {
            Some(neutral) => subscription.wait_for_policy(neutral),
            None => subscription.grant(),
        }
        if is_last {
            subscription.terminate(TerminationReason::NoResource, None, true);
        }
        if granted_secs == 0 {
            subscription.terminate(TerminationReason::Timeout, None, true);
        }
        let hash = hash_of(&self.hash, dialog.id());
        let id = self.table.insert(hash, |_| Entry { dialog, subscription, timer: None });
        let id = SubscriptionId(id.ok_or(Refusal::new(StatusCode::ServiceUnavailable))?);
        let answer = SubscribeAnswer { status: StatusCode::Ok, expires_secs: granted_secs };
        Ok((id, answer, self.go_on(id, now)))
    }

    /// The state of a subscription has changed: the NOTIFY, where one is due and none is under way.
    #[must_use]
    pub fn change(&mut self, id: SubscriptionId, state: EventState, now: Now) -> Option<RequestBuilder> {
        self.table.get_mut(id.0)?.subscription.change(state);
        self.go_on(id, now)
    }

    /// Policy allows what was undecided.
    #[must_use]
    pub fn grant(&mut self, id: SubscriptionId, now: Now) -> Option<RequestBuilder> {
        self.table.get_mut(id.0)?.subscription.grant();
        self.go_on(id, now)
    }

    /// Ends a subscription: the last NOTIFY, which tells the state once more where that is wanted.
    #[must_use]
    pub fn terminate(
        &mut self,
        id: SubscriptionId,
        reason: TerminationReason,
        retry_after_secs: Option<u32>,
        with_state: bool,
        now: Now,
    ) -> Option<RequestBuilder> {
        self.table.get_mut(id.0)?.subscription.terminate(reason, retry_after_secs, with_state);
        self.go_on(id, now)
    }

    /// The state has changed for the last time: one NOTIFY tells it, and that nothing more will come.
    #[must_use]
    pub fn conclude(&mut self, id: SubscriptionId, state: EventState, now: Now) -> Option<RequestBuilder> {
        let entry = self.table.get_mut(id.0)?;
        entry.subscription.change(state);
        entry.subscription.terminate(TerminationReason::NoResource, None, true);
        self.go_on(id, now)
    }

    /// A NOTIFY took this CSeq, with other credentials than at first.
    pub fn sent(&mut self, id: SubscriptionId, cseq: u32) {
        if let Some(entry) = self.table.get_mut(id.0) {
            entry.dialog.sent(cseq);
        }
    }

    /// The final response to a NOTIFY; `None` where none came. `[RFC 6665, Section 4.2.2]`
    pub fn handle_outcome(&mut self, id: SubscriptionId, response: Option<&Response>, now: Now) -> NotifyOutcome {
        let Some(entry) = self.table.get_mut(id.0) else { return NotifyOutcome { is_over: true, notify: None } };
        if let Some(response) = response.filter(|response| response.status().is_success()) {
            entry.dialog.refresh_target(response);
        }
        if entry.subscription.answered(response.map(Response::status)) {
            self.remove(id);
            return NotifyOutcome { is_over: true, notify: None };
        }
        NotifyOutcome { is_over: false, notify: self.go_on(id, now) }
    }

    /// When [`Notifier::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        self.timers.next().map(|(at, _)| at)
    }

    /// The next subscription whose time is over, and its last NOTIFY, where none is under way; to be called again until there is none.
    #[must_use]
    pub fn handle_timeout(&mut self, now: Now) -> Option<(SubscriptionId, Option<RequestBuilder>)> {
        let (_, id) = self.timers.pop_due(now.mono)?;
        let entry = self.table.get_mut(id)?;
        entry.timer = None;
        entry.subscription.handle_timeout(now);
        Some((SubscriptionId(id), self.go_on(SubscriptionId(id), now)))
    }

    /// A SUBSCRIBE in a dialog. `[RFC 6665, Section 4.2.1.4]`
    fn renew(&mut self, request: &Request, event: &Event<&[u8]>, now: Now) -> Result<SubscribeVerdict, Refusal> {
        let unknown = Refusal::new(StatusCode::CallOrTransactionDoesNotExist).because("Subscription Does Not Exist");
        let dialog_id = DialogId::of_request(request).ok_or(unknown)?;
        let id =
            self.table.find(hash_of(&self.hash, dialog_id), |entry| entry.dialog.id() == dialog_id).ok_or(unknown)?;
        let granted_secs = self.granted_secs(request, event);
        let entry = self.table.get_mut(id).ok_or(unknown)?;
        if !same_event(event, entry.subscription.event()) {
            return Err(Refusal::new(StatusCode::Forbidden).because("Dialog Sharing Not Supported"));
        }
        if entry.subscription.state() == NotifierState::Terminated {
            return Err(unknown);
        }
        let out_of_order = |_| Refusal::new(StatusCode::ServerInternalError).because("CSeq Out Of Order");
        entry.dialog.receive(request).map_err(out_of_order)?;
        let (granted_secs, condition) = (granted_secs?, condition_of(request)?);
        entry.dialog.refresh_target(request);
        let is_known = entry.subscription.renew(granted_secs, condition, now);
        let status = if is_known { StatusCode::NoNotification } else { StatusCode::Ok };
        let is_over = entry.subscription.is_over();
        let id = SubscriptionId(id);
        let notify = self.go_on(id, now);
        if is_over {
            self.remove(id);
        }
        let answer = SubscribeAnswer { status, expires_secs: granted_secs };
        Ok(SubscribeVerdict::Renewed { id, answer, notify, is_over })
    }

    /// What is granted to a SUBSCRIBE: its package is known, it takes what would be sent, and its interval is not too brief.
    fn granted_secs(&self, request: &Request, event: &Event<&[u8]>) -> Result<u32, Refusal> {
        let package = self.config.packages.iter().find(|package| package.name.as_bytes() == event.package);
        let package = package.ok_or(Refusal::new(StatusCode::BadEvent))?;
        takes(request, package)?;
        let malformed = |_| Refusal::new(StatusCode::BadRequest).because("Malformed Expires");
        let asked_secs = request.number(HeaderId::Expires).map_err(malformed)?;
        package.grant_secs(asked_secs).map_err(Refusal::too_brief)
    }

    /// After every input: sends what is owed, and sets the timer.
    fn go_on(&mut self, id: SubscriptionId, now: Now) -> Option<RequestBuilder> {
        let entry = self.table.get_mut(id.0)?;
        let due = entry.subscription.poll_timeout();
        if entry.timer.map(TimerId::at) != due {
            if let Some(timer) = entry.timer.take() {
                self.timers.stop(timer);
            }
            entry.timer = due.map(|at| self.timers.set(at, id.0));
        }
        let notification = entry.subscription.next(now)?;
        Some(notification.onto(entry.dialog.request(Method::Notify)))
    }

    fn remove(&mut self, id: SubscriptionId) {
        if let Some(timer) = self.table.remove(id.0).and_then(|entry| entry.timer) {
            self.timers.stop(timer);
        }
    }
}

fn hash_of(hash: &KeyedHash, id: DialogId<'_>) -> u64 {
    hash.of(&[id.call_id, id.local_tag, id.remote_tag])
}

/// What the subscriber has already. `[RFC 5839, Section 5.2]`
fn condition_of(request: &Request) -> Result<Option<&[u8]>, Refusal> {
    let malformed = |_| Refusal::new(StatusCode::BadRequest).because("Malformed Suppress-If-Match");
    Ok(request.get::<SuppressIfMatch<&[u8]>>().map_err(malformed)?.map(|condition| condition.token))
}

/// "If a SUBSCRIBE request contains an "Accept" header field, but that field does not indicate a media type that the notifier is
/// capable of generating in its NOTIFY requests, then the proper error response is 406". `[RFC 6665, Section 4.1.2.1]`
fn takes(request: &Request, package: &Package) -> Result<(), Refusal> {
    let Ok(content_type) = ContentType::parse(&*package.content_type) else { return Ok(()) };
    let mut ranges = request.values::<Accept<&[u8]>>().peekable();
    if ranges.peek().is_none() {
        return Ok(());
    }
    let malformed = || Refusal::new(StatusCode::BadRequest).because("Malformed Accept");
    let mut is_taken = false;
    for range in ranges {
        is_taken |= range.map_err(|_| malformed())?.matches(&content_type);
    }
    if is_taken { Ok(()) } else { Err(Refusal::new(StatusCode::NotAcceptable)) }
}
