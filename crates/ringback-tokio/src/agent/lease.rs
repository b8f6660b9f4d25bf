//! What is let go of when a handle is dropped.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use ringback_transaction::ServerId;
use ringback_ua::{InviteId, RefereeId, RegistrationId, SessionId, SubscriberId, SubscriptionId};

/// What a handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Invite(InviteId),
    Session(SessionId),
    Server(ServerId),
    Registration(RegistrationId),
    Referee(RefereeId),
    Subscriber(SubscriberId),
    Subscription(SubscriptionId),
}

/// What was let go of and not looked at yet. Dropping can't wait for a channel to have room; but no handle is dropped twice, so that
/// there are never more of these than there were handles.
#[derive(Debug, Default)]
pub(crate) struct Dropped(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    held: Vec<Held>,
    task: Option<Waker>,
}

impl Dropped {
    /// Takes all of it.
    pub(crate) fn take(&self) -> Vec<Held> {
        std::mem::take(&mut self.waiting().held)
    }

    /// True where there is something; wakes the task when there is.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> bool {
        let mut waiting = self.waiting();
        match &mut waiting.task {
            Some(task) => task.clone_from(cx.waker()),
            task => *task = Some(cx.waker().clone()),
        }
        !waiting.held.is_empty()
    }

    fn push(&self, held: Held) {
        let mut waiting = self.waiting();
        waiting.held.push(held);
        let task = waiting.task.take();
        drop(waiting);
        if let Some(task) = task {
            task.wake();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells when it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    held: Held,
    dropped: Arc<Dropped>,
}

impl Lease {
    pub(crate) fn new(held: Held, dropped: &Arc<Dropped>) -> Lease {
        Lease { held, dropped: Arc::clone(dropped) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.dropped.push(self.held);
    }
}
