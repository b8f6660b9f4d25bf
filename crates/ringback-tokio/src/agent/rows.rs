//! Who waits for what.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use ringback_ua::{
    EndReason, InviteId, Media, ReferId, ReferTold, RegistrationId, RequestId, SessionId, SubscriberId, SubscriberTold,
    SubscriptionId,
};
use tokio::sync::{mpsc, oneshot, watch};

use super::calling::{Called, CallingEvent};
use super::handle::{RegistrationTold, Responded};
use super::session::{Changed, SessionEvent};

/// How many events of one session may wait to be read; more are lost, and what wants an answer is refused.
pub const EVENTS_MAX: usize = 64;

/// How many provisional responses to one INVITE may wait to be read, and how many notifications of one REFER or subscription of ours;
/// more are lost.
pub const PROGRESS_MAX: usize = 32;

/// An INVITE of ours.
#[derive(Debug)]
pub(crate) struct InviteRow {
    pub(crate) progress: mpsc::Sender<CallingEvent>,
    /// Taken once it is told.
    pub(crate) called: Option<oneshot::Sender<Called>>,
    /// A session came of it.
    pub(crate) is_answered: bool,
    /// What offers are answered with that come in its dialogs.
    pub(crate) media: Media,
}

/// A session.
#[derive(Debug, Default)]
pub(crate) struct SessionRow {
    /// `None` while it has no handle: an early dialog of an INVITE of ours.
    pub(crate) events: Option<mpsc::Sender<SessionEvent>>,
    pub(crate) end: Arc<OnceLock<EndReason>>,
    /// Who waits for what becomes of a change of ours.
    pub(crate) changing: Option<Changing>,
    /// What further offers of theirs are answered with; those come to the handle otherwise.
    pub(crate) media: Media,
}

/// A change of ours that somebody waits for.
#[derive(Debug)]
pub(crate) struct Changing {
    pub(crate) told: oneshot::Sender<Changed>,
    /// It changes nothing but the time that the session lasts.
    pub(crate) is_refresh: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) invites: HashMap<InviteId, InviteRow>,
    pub(crate) sessions: HashMap<SessionId, SessionRow>,
    pub(crate) requests: HashMap<RequestId, oneshot::Sender<Responded>>,
    pub(crate) registrations: HashMap<RegistrationId, RegistrationRow>,
    pub(crate) refers: HashMap<ReferId, mpsc::Sender<ReferTold>>,
    pub(crate) subscribers: HashMap<SubscriberId, mpsc::Sender<SubscriberTold>>,
    /// Those of theirs: dropped when they are over.
    pub(crate) subscriptions: HashMap<SubscriptionId, oneshot::Sender<()>>,
    /// Of which something was told just now, the last perhaps.
    pub(crate) told_of: Vec<Usage>,
}

impl Rows {
    pub(crate) fn are_empty(&self) -> bool {
        self.invites.is_empty()
            && self.sessions.is_empty()
            && self.requests.is_empty()
            && self.registrations.is_empty()
            && self.refers.is_empty()
            && self.subscribers.is_empty()
            && self.subscriptions.is_empty()
    }
}

/// What may have ended with what was told of it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Usage {
    Refer(ReferId),
    Subscriber(SubscriberId),
}

/// A registration.
#[derive(Debug)]
pub(crate) struct RegistrationRow {
    pub(crate) told: watch::Sender<Option<RegistrationTold>>,
    /// Nobody has it any more: it ends with the answer to its last REGISTER.
    pub(crate) is_dropped: bool,
}
