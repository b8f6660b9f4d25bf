//! REFERs, from both sides. RFC 3515

use ringback_message::StatusCode;
use ringback_ua::{CommandError, ReferId, ReferTold, RefereeId};
use tokio::sync::mpsc;

use super::handle::Agent;
use super::lease::Lease;

/// A REFER of ours, for as long as there is something to be told of it. It can't be taken back: dropping it only stops listening.
#[derive(Debug)]
pub struct Referring {
    id: ReferId,
    told: mpsc::Receiver<ReferTold>,
    _agent: Agent,
}

impl Referring {
    pub(super) fn new(id: ReferId, told: mpsc::Receiver<ReferTold>, agent: Agent) -> Referring {
        Referring { id, told, _agent: agent }
    }

    /// Its name in the core.
    #[must_use]
    pub fn id(&self) -> ReferId {
        self.id
    }

    /// What is told next: its final response, then how it goes with what it asked for. `None` where nothing follows. Dropping the future
    /// loses nothing.
    pub async fn next(&mut self) -> Option<ReferTold> {
        self.told.recv().await
    }
}

/// A REFER of theirs that was accepted, and whose request the application makes by itself. Dropping it before a final code was said tells
/// them 603.
#[derive(Debug)]
pub struct Following {
    id: RefereeId,
    agent: Agent,
    _lease: Lease,
}

impl Following {
    pub(super) fn new(id: RefereeId, agent: Agent, lease: Lease) -> Following {
        Following { id, agent, _lease: lease }
    }

    /// Its name in the core.
    #[must_use]
    pub fn id(&self) -> RefereeId {
        self.id
    }

    /// Tells them how it goes; a final code is the outcome, and nothing is told after it.
    ///
    /// # Errors
    /// Where the agent has ended.
    pub async fn progress(&self, status: StatusCode) -> Result<(), CommandError> {
        let id = self.id;
        self.agent
            .with(move |agent, now| {
                agent.refer_progress(id, status, now);
                Ok(())
            })
            .await
    }
}
