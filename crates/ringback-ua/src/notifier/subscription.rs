//! One subscription as its notifier sees it: what is still to be told, and until when.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::mem;

use bytes::Bytes;
use ringback_base::{Micros, Now};
use ringback_message::header::{Event, Param, SipEtag, SubscriptionState};
use ringback_message::{RequestBuilder, StatusCode};

use crate::subscriber::ends_subscription;

/// A state as a NOTIFY tells it. Copies share the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventState {
    /// The type of the body.
    pub content_type: Arc<str>,
    /// The body; empty where there is nothing to tell.
    pub body: Bytes,
    /// What tells this version from every other one of the resource; `None` where conditions are not supported.
    /// `[RFC 5839, Section 6.1]`
    pub etag: Option<Arc<[u8]>>,
}

impl EventState {
    /// A state of this type, without a tag.
    #[must_use]
    pub fn new(content_type: &str, body: impl Into<Bytes>) -> EventState {
        EventState { content_type: content_type.into(), body: body.into(), etag: None }
    }

    /// With this tag.
    #[must_use]
    pub fn with_etag(self, etag: impl AsRef<[u8]>) -> EventState {
        EventState { etag: Some(etag.as_ref().into()), ..self }
    }
}

/// Where a subscription stands. `[RFC 6665, Section 4.2.2]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotifierState {
    /// Nobody has said yet whether it is allowed.
    RespWait,
    /// Somebody has to be asked.
    Pending,
    /// It is allowed.
    Active,
    /// It is over, or will be once its last NOTIFY is answered.
    Terminated,
}

/// Why a notifier ends a subscription. `[RFC 6665, Section 4.1.3]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TerminationReason {
    /// Another notifier shall take it over.
    Deactivated,
    /// Not now, but later.
    Probation,
    /// It is not allowed, or no longer.
    Rejected,
    /// It was not refreshed in time.
    Timeout,
    /// Nobody could be asked whether it is allowed.
    GiveUp,
    /// The state is there no longer.
    NoResource,
    /// The state won't change.
    Invariant,
}

impl TerminationReason {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            TerminationReason::Deactivated => "deactivated",
            TerminationReason::Probation => "probation",
            TerminationReason::Rejected => "rejected",
            TerminationReason::Timeout => "timeout",
            TerminationReason::GiveUp => "giveup",
            TerminationReason::NoResource => "noresource",
            TerminationReason::Invariant => "invariant",
        }
    }
}

/// What a NOTIFY carries beyond what its dialog gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    event: Event,
    state: SubscriptionState,
    etag: Option<Arc<[u8]>>,
    content: Option<(Arc<str>, Bytes)>,
}

impl Notification {
    /// The NOTIFY with it.
    #[must_use]
    pub fn onto(self, notify: RequestBuilder) -> RequestBuilder {
        let notify = notify.header(self.event).header(self.state);
        let notify = self.etag.into_iter().fold(notify, |notify, etag| notify.header(SipEtag::new(etag)));
        match self.content {
            Some((content_type, body)) => notify.content_type(&content_type).body(body.to_vec()),
            None => notify,
        }
    }
}

/// A subscription, from the 200 to its SUBSCRIBE on. It has one NOTIFY under way at a time, so that none overtakes another: what
/// changes meanwhile is told by the next.
#[derive(Debug)]
pub struct NotifierSubscription {
    event: Event,
    state: NotifierState,
    expires_at: Micros,
    current: EventState,
    /// What is told while nobody has allowed it.
    neutral: EventState,
    /// What the subscriber says that it has, or `*`.
    condition: Option<Box<[u8]>>,
    owed: Owed,
    under_way: UnderWay,
    termination: Option<(TerminationReason, Option<u32>)>,
    /// Whether the last NOTIFY tells the state.
    ends_with_state: bool,
}

/// What the next NOTIFY is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owed {
    Nothing,
    /// The state has changed: it is left out where the subscriber has it.
    State,
    /// The subscription has changed, or was asked for outside of a dialog: it goes out, and only its body may be left out.
    Header,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UnderWay {
    Nothing,
    Notify,
    LastNotify,
}

impl NotifierSubscription {
    /// One that was asked for outside of a dialog.
    #[must_use]
    pub fn new(
        event: Event,
        granted_secs: u32,
        condition: Option<&[u8]>,
        current: EventState,
        now: Now,
    ) -> NotifierSubscription {
        NotifierSubscription {
            event,
            state: NotifierState::RespWait,
            expires_at: now.mono.plus(Micros::from_secs(granted_secs.into())),
            current,
            neutral: EventState::default(),
            condition: condition.map(Into::into),
            owed: Owed::Header,
            under_way: UnderWay::Nothing,
            termination: None,
            ends_with_state: true,
        }
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> NotifierState {
        self.state
    }

    /// Its package and id.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Policy allows it.
    pub fn grant(&mut self) {
        if self.state != NotifierState::Terminated {
            self.state = NotifierState::Active;
            self.owed = Owed::Header;
        }
    }

    /// Policy has to be asked; until then this is told.
    pub fn wait_for_policy(&mut self, neutral: EventState) {
        if self.state == NotifierState::RespWait {
            self.state = NotifierState::Pending;
            self.neutral = neutral;
        }
    }

    /// The state has changed.
    pub fn change(&mut self, state: EventState) {
        if self.state == NotifierState::Terminated || self.current == state {
            return;
        }
        self.current = state;
        if self.state == NotifierState::Active {
            self.owed = self.owed.max(Owed::State);
        }
    }

    /// Ends it, and tells the state once more where that makes sense.
    pub fn terminate(&mut self, reason: TerminationReason, retry_after_secs: Option<u32>, with_state: bool) {
        if self.state == NotifierState::Terminated {
            return;
        }
        // What was never allowed is not told at its end either.
        if self.state == NotifierState::Pending {
            self.current = mem::take(&mut self.neutral);
        }
        self.ends_with_state = with_state;
        self.state = NotifierState::Terminated;
        self.owed = Owed::Header;
        self.termination = Some((reason, retry_after_secs));
    }

    /// A SUBSCRIBE in its dialog: true where it is answered with 204, and no NOTIFY comes of it. One with an interval of 0 ends it
    /// then. `[RFC 5839, Section 6.3]`
    pub fn renew(&mut self, granted_secs: u32, condition: Option<&[u8]>, now: Now) -> bool {
        self.condition = condition.map(Into::into);
        self.expires_at = now.mono.plus(Micros::from_secs(granted_secs.into()));
        let is_known = self.is_known();
        match (granted_secs, is_known) {
            (0, true) => {
                self.state = NotifierState::Terminated;
                self.owed = Owed::Nothing;
            }
            (0, false) => self.terminate(TerminationReason::Timeout, None, true),
            (_, true) => {}
            (_, false) => self.owed = Owed::Header,
        }
        is_known
    }

    /// The NOTIFY that is to be sent now, if there is one and none is under way.
    #[must_use]
    pub fn next(&mut self, now: Now) -> Option<Notification> {
        if self.under_way != UnderWay::Nothing {
            return None;
        }
        let is_known = self.is_known();
        let owed = mem::replace(&mut self.owed, Owed::Nothing);
        if owed == Owed::Nothing || (owed == Owed::State && is_known) {
            return None;
        }
        if !is_known {
            self.condition = None;
        }
        let is_last = self.state == NotifierState::Terminated;
        self.under_way = if is_last { UnderWay::LastNotify } else { UnderWay::Notify };
        let told = self.told();
        let with_body = !is_known && !told.body.is_empty() && (!is_last || self.ends_with_state);
        Some(Notification {
            event: self.event.clone(),
            state: self.subscription_state(now),
            etag: told.etag.clone(),
            content: with_body.then(|| (told.content_type.clone(), told.body.clone())),
        })
    }

    /// The final response to a NOTIFY, or `None` where none came: true where the subscription is over. `[RFC 6665, Section 4.2.2]`
    pub fn answered(&mut self, status: Option<StatusCode>) -> bool {
        let was = mem::replace(&mut self.under_way, UnderWay::Nothing);
        let failed = status.is_none_or(ends_subscription);
        if failed {
            self.state = NotifierState::Terminated;
            self.owed = Owed::Nothing;
        }
        failed || was == UnderWay::LastNotify || self.is_over()
    }

    /// True where a NOTIFY waits to be sent, and for none that is under way.
    pub(crate) fn owes(&self) -> bool {
        self.owed != Owed::Nothing && self.under_way == UnderWay::Nothing
    }

    /// True where nothing will follow.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state == NotifierState::Terminated && self.owed == Owed::Nothing && self.under_way == UnderWay::Nothing
    }

    /// When it ends unless it is refreshed.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        (self.state != NotifierState::Terminated).then_some(self.expires_at)
    }

    /// Ends it where its time is over. `[RFC 6665, Section 4.2.1.4]`
    pub fn handle_timeout(&mut self, now: Now) {
        if self.expires_at <= now.mono {
            self.terminate(TerminationReason::Timeout, None, true);
        }
    }

    /// What a NOTIFY tells now: nothing that is not allowed yet.
    fn told(&self) -> &EventState {
        match self.state {
            NotifierState::Pending => &self.neutral,
            _ => &self.current,
        }
    }

    /// Whether the subscriber has what would be told, byte for byte of its tag. `[RFC 5839, Section 6.2]`
    fn is_known(&self) -> bool {
        match (&self.condition, &self.told().etag) {
            (Some(condition), _) if &**condition == b"*" => true,
            (Some(condition), Some(etag)) => **condition == **etag,
            _ => false,
        }
    }

    fn subscription_state(&self, now: Now) -> SubscriptionState {
        let left_secs = self.expires_at.since(now.mono).0 / 1_000_000;
        let expires = Param::number("expires", u32::try_from(left_secs).unwrap_or(u32::MAX));
        match (self.state, self.termination) {
            (NotifierState::Terminated, Some((reason, retry_after_secs))) => {
                let state = SubscriptionState::new("terminated").with_param(Param::raw("reason", reason.as_str()));
                let retry = retry_after_secs.map(|secs| Param::number("retry-after", secs));
                retry.into_iter().fold(state, SubscriptionState::with_param)
            }
            (NotifierState::Terminated, None) => SubscriptionState::new("terminated"),
            (NotifierState::Active, _) => SubscriptionState::new("active").with_param(expires),
            (NotifierState::RespWait | NotifierState::Pending, _) => {
                SubscriptionState::new("pending").with_param(expires)
            }
        }
    }
}
