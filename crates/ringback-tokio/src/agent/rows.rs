//! Who waits for what.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use ringback_ua::{EndReason, InviteId, Media, RegistrationId, RequestId, SessionId};
use tokio::sync::{mpsc, oneshot, watch};

use super::calling::{Called, CallingEvent};
use super::handle::{RegistrationTold, Responded};
use super::session::{Changed, SessionEvent};

/// How many events of one session may wait to be read; more are lost, and what wants an answer is refused.
pub const EVENTS_MAX: usize = 64;

/// How many provisional responses to one INVITE may wait to be read; more are lost.
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
    pub(crate) changing: Option<oneshot::Sender<Changed>>,
    /// What further offers of theirs are answered with; those come to the handle otherwise.
    pub(crate) media: Media,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) invites: HashMap<InviteId, InviteRow>,
    pub(crate) sessions: HashMap<SessionId, SessionRow>,
    pub(crate) requests: HashMap<RequestId, oneshot::Sender<Responded>>,
    pub(crate) registrations: HashMap<RegistrationId, RegistrationRow>,
}

/// A registration.
#[derive(Debug)]
pub(crate) struct RegistrationRow {
    pub(crate) told: watch::Sender<Option<RegistrationTold>>,
    /// Nobody has it any more: it ends with the answer to its last REGISTER.
    pub(crate) is_dropped: bool,
}
