//! Subscriptions, ours and theirs. RFC 6665

use ringback_ua::{CommandError, EventState, SubscriberId, SubscriberTold, SubscriptionId, TerminationReason};
use tokio::sync::{mpsc, oneshot};

use super::handle::Agent;
use super::lease::Lease;

/// A subscription of ours, refreshed for as long as it is kept. Dropping it ends it.
#[derive(Debug)]
pub struct Subscribing {
    id: SubscriberId,
    told: mpsc::Receiver<SubscriberTold>,
    _agent: Agent,
    _lease: Lease,
}

impl Subscribing {
    pub(super) fn new(id: SubscriberId, told: mpsc::Receiver<SubscriberTold>, agent: Agent, lease: Lease) -> Self {
        Subscribing { id, told, _agent: agent, _lease: lease }
    }

    /// Its name in the core.
    #[must_use]
    pub fn id(&self) -> SubscriberId {
        self.id
    }

    /// What is told next; `None` where nothing follows. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<SubscriberTold> {
        self.told.recv().await
    }
}

/// A subscription of theirs that was granted. Dropping it ends it, because the state is there no longer.
#[derive(Debug)]
pub struct Notifying {
    id: SubscriptionId,
    over: oneshot::Receiver<()>,
    agent: Agent,
    _lease: Lease,
}

impl Notifying {
    pub(super) fn new(id: SubscriptionId, over: oneshot::Receiver<()>, agent: Agent, lease: Lease) -> Notifying {
        Notifying { id, over, agent, _lease: lease }
    }

    /// Its name in the core.
    #[must_use]
    pub fn id(&self) -> SubscriptionId {
        self.id
    }

    /// The state has changed: they are told.
    ///
    /// # Errors
    /// Where the agent has ended.
    pub async fn change(&self, state: EventState) -> Result<(), CommandError> {
        let id = self.id;
        self.agent
            .with(move |agent, now| {
                agent.change_state(id, state, now);
                Ok(())
            })
            .await
    }

    /// Policy allows it, which was undecided.
    ///
    /// # Errors
    /// Where the agent has ended.
    pub async fn permit(&self) -> Result<(), CommandError> {
        let id = self.id;
        self.agent
            .with(move |agent, now| {
                agent.permit_subscription(id, now);
                Ok(())
            })
            .await
    }

    /// Ends it, and says why; the state is told once more.
    ///
    /// # Errors
    /// Where the agent has ended.
    pub async fn end(self, reason: TerminationReason, retry_after_secs: Option<u32>) -> Result<(), CommandError> {
        let id = self.id;
        self.agent
            .with(move |agent, now| {
                agent.end_subscription(id, reason, retry_after_secs, true, now);
                Ok(())
            })
            .await
    }

    /// Waits until it is over: they have ended it, or not refreshed it, or are gone. Dropping the future loses nothing.
    pub async fn ended(&mut self) {
        // Nothing is ever sent: what waits is dropped.
        _ = (&mut self.over).await;
    }
}
