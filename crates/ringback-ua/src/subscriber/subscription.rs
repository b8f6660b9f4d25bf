//! One subscription: what the NOTIFYs of one dialog are about.

use alloc::boxed::Box;

use ringback_base::{Micros, Now};
use ringback_message::header::{Event, SipEtag, SubscriptionState, Substate, SuppressIfMatch, ToOwnedText};
use ringback_message::{HeaderId, Method, Request, RequestBuilder, Response, StatusCode};

use super::rules::ends_subscription;
use super::{SubscriberState, SubscriptionEndReason};
use crate::dialog::{Dialog, DialogId};
use crate::event_type::same_event;
use crate::origin::{refresh_after, retry_at};
use crate::refusal::Refusal;

/// Which of the subscriptions that one SUBSCRIBE made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fork(pub(crate) u32);

/// What a SUBSCRIBE says of the state that we have already. `[RFC 5839, Section 5.2]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing: a NOTIFY comes in any case.
    None,
    /// No NOTIFY is wanted while the state is the one that came last.
    Current,
    /// No NOTIFY is wanted at all, but where the subscription itself changes.
    Any,
}

/// A subscription, from its first NOTIFY on.
#[derive(Debug)]
pub struct Subscription {
    fork: Fork,
    /// `None` where it is that of a call.
    dialog: Option<Dialog>,
    /// As the first NOTIFY had it, which may have given it an id.
    event: Event,
    state: SubscriberState,
    made_at: Micros,
    expires_at: Micros,
    refresh_at: Option<Micros>,
    /// The SUBSCRIBE that is under way, or whose NOTIFY has not come.
    asked: Option<Asked>,
    etag: Option<Box<[u8]>>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    secs: u32,
    /// Stopped where no NOTIFY is to be expected.
    timer_n: Option<Micros>,
    is_answered: bool,
}

/// From this time on a subscription has lasted, and the next one is asked for without delay.
const LASTING: Micros = Micros::from_secs(60);

impl Subscription {
    pub(super) fn of_notify(
        fork: Fork,
        subscribe: &Request,
        notify: &Request,
        event: &Event<&[u8]>,
        is_shared: bool,
        now: Now,
    ) -> Result<Subscription, Refusal> {
        let malformed = |_| Refusal::new(StatusCode::BadRequest).because("No Dialog From This Request");
        let dialog = if is_shared { None } else { Some(Dialog::of_notify(subscribe, notify).map_err(malformed)?) };
        Ok(Subscription {
            fork,
            dialog,
            event: event.to_owned_text(),
            state: SubscriberState::NotifyWait,
            made_at: now.mono,
            expires_at: now.mono,
            refresh_at: None,
            asked: None,
            etag: None,
        })
    }

    /// Which one it is.
    #[must_use]
    pub fn fork(&self) -> Fork {
        self.fork
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> SubscriberState {
        self.state
    }

    /// Its dialog; `None` where it is that of a call.
    #[must_use]
    pub fn dialog(&self) -> Option<&Dialog> {
        self.dialog.as_ref()
    }

    /// When it ends unless it is refreshed.
    #[must_use]
    pub fn expires_at(&self) -> Micros {
        self.expires_at
    }

    /// The tag of the state that came last, where the notifier gives such. `[RFC 5839, Section 5.3]`
    #[must_use]
    pub fn etag(&self) -> Option<&[u8]> {
        self.etag.as_deref()
    }

    pub(super) fn into_etag(self) -> Option<Box<[u8]>> {
        self.etag
    }

    /// What the SUBSCRIBE under way has asked for.
    pub(super) fn asked_secs(&self) -> Option<u32> {
        self.asked.map(|asked| asked.secs)
    }

    /// True once its end was asked for.
    pub(super) fn is_leaving(&self) -> bool {
        self.asked_secs() == Some(0)
    }

    pub(super) fn has_lasted(&self, now: Now) -> bool {
        now.mono.since(self.made_at) >= LASTING
    }

    /// Whether the NOTIFY is one of it: its dialog, and its Event. `[RFC 6665, Section 4.4.1]`
    pub(super) fn is_of(&self, notify: &Request, event: &Event<&[u8]>) -> bool {
        let is_dialog = match &self.dialog {
            Some(dialog) => DialogId::of_request(notify) == Some(dialog.id()),
            None => true,
        };
        is_dialog && same_event(event, &self.event)
    }

    /// A NOTIFY of its dialog. `[RFC 3261, Section 12.2.2]`
    pub(super) fn receive(&mut self, notify: &Request) -> Result<(), Refusal> {
        let Some(dialog) = &mut self.dialog else { return Ok(()) };
        dialog
            .receive(notify)
            .map_err(|_| Refusal::new(StatusCode::ServerInternalError).because("CSeq Out Of Order"))?;
        dialog.refresh_target(notify);
        Ok(())
    }

    /// What a NOTIFY says that doesn't end it: its `expires` is "the authoritative subscription duration".
    /// `[RFC 6665, Section 4.1.3]`
    pub(super) fn notified(&mut self, notify: &Request, state: &SubscriptionState<&[u8]>, default_secs: u32, now: Now) {
        let is_first = self.state == SubscriberState::NotifyWait;
        self.state = match state.substate() {
            Substate::Pending => SubscriberState::Pending,
            _ => SubscriberState::Active,
        };
        if let Some(etag) = notify.get::<SipEtag<&[u8]>>().ok().flatten() {
            self.etag = Some(etag.token.into());
        }
        match state.expires_secs() {
            Some(secs) => self.lasts(secs, now),
            None if is_first => self.lasts(default_secs, now),
            None => {}
        }
        match &mut self.asked {
            // Its end is not confirmed by a NOTIFY that went out before.
            Some(asked) if asked.secs == 0 => {}
            Some(asked) => {
                asked.timer_n = None;
                if asked.is_answered {
                    self.asked = None;
                }
            }
            None => {}
        }
    }

    fn lasts(&mut self, secs: u32, now: Now) {
        self.expires_at = now.mono.plus(Micros::from_secs(secs.into()));
        self.refresh_at = self.dialog.is_some().then(|| now.mono.plus(refresh_after(secs)));
    }

    /// A SUBSCRIBE in its dialog, with Event and condition. `[RFC 6665, Section 4.1.2.2]` `[RFC 5839, Section 5.6]`
    pub(super) fn ask(&mut self, secs: u32, condition: Condition, timer_n: Micros, now: Now) -> Option<RequestBuilder> {
        let request = self.dialog.as_mut()?.request(Method::Subscribe).header(self.event.clone());
        self.asked = Some(Asked { secs, timer_n: Some(now.mono.plus(timer_n)), is_answered: false });
        self.refresh_at = None;
        Some(match (condition, &self.etag) {
            (Condition::Any, _) => request.header(SuppressIfMatch::new("*")),
            (Condition::Current, Some(etag)) => request.header(SuppressIfMatch::new(etag)),
            (Condition::Current | Condition::None, _) => request,
        })
    }

    pub(super) fn sent(&mut self, cseq: u32) {
        if let Some(dialog) = &mut self.dialog {
            dialog.sent(cseq);
        }
    }

    /// The answer to the SUBSCRIBE: the reason, where it ends the subscription.
    pub(super) fn answered(&mut self, response: Option<&Response>, now: Now) -> Option<SubscriptionEndReason> {
        let asked = self.asked.as_mut()?;
        let secs = asked.secs;
        let Some(response) = response else {
            // "If no response is received at all to a request within a dialog, the UAC SHOULD terminate" it
            // [RFC 3261, Section 12.2.1.2]
            return Some(if secs == 0 { SubscriptionEndReason::Unsubscribed } else { SubscriptionEndReason::NoAnswer });
        };
        let status = response.status();
        if status.is_success() {
            asked.is_answered = true;
            // "then it MUST cancel Timer N" [RFC 6665, Section 4.1.2.2]
            if status == StatusCode::NoNotification {
                asked.timer_n = None;
            }
            let is_told = asked.timer_n.is_none();
            if secs == 0 {
                return is_told.then_some(SubscriptionEndReason::Unsubscribed);
            }
            if is_told {
                self.asked = None;
            }
            if let Some(dialog) = &mut self.dialog {
                dialog.refresh_target(response);
            }
            let granted_secs =
                response.number(HeaderId::Expires).ok().flatten().map_or(secs, |granted| granted.min(secs));
            self.lasts(granted_secs, now);
            return None;
        }
        self.asked = None;
        match status {
            _ if secs == 0 => Some(SubscriptionEndReason::Unsubscribed),
            _ if ends_subscription(status) => Some(SubscriptionEndReason::Gone { status }),
            // "the original subscription is still considered valid for the duration of the most recently known "Expires"
            // value" [RFC 6665, Section 4.1.2.2]
            _ => {
                self.refresh_at = retry_at(now.mono, self.expires_at);
                None
            }
        }
    }

    /// When the next of its timers fires. A SUBSCRIBE that is under way decides what becomes of it, not its old end.
    pub(super) fn poll_timeout(&self) -> Option<Micros> {
        match &self.asked {
            Some(Asked { timer_n: Some(timer_n), .. }) => Some(*timer_n),
            Some(_) => Some(self.expires_at),
            None => [Some(self.expires_at), self.refresh_at].into_iter().flatten().min(),
        }
    }

    /// A timer has fired: the reason, where it ends the subscription; else it is to be refreshed.
    pub(super) fn timed_out(&self, now: Now) -> Option<SubscriptionEndReason> {
        match &self.asked {
            Some(asked) if asked.secs == 0 => Some(SubscriptionEndReason::Unsubscribed),
            Some(Asked { timer_n: Some(_), .. }) => Some(SubscriptionEndReason::NoNotify),
            _ if self.expires_at <= now.mono => Some(SubscriptionEndReason::Expired),
            _ => None,
        }
    }
}
