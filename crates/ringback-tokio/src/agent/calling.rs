//! A call of ours, until it is answered.

use ringback_message::Response;
use ringback_ua::{CommandError, Failure, InviteId, Outcome, PursuitStep};
use tokio::sync::{mpsc, oneshot};

use super::handle::Agent;
use super::lease::Lease;
use super::session::Session;

/// How a call of ours began, or why not.
pub(crate) type Called = Result<Answered, (Failure, Box<Outcome>)>;

/// An INVITE of ours that has no final response. Dropping it gives the call up: CANCEL goes as soon as it may, and a 2xx that wins is
/// acknowledged and its session ended. `[RFC 3261, Section 9.1]`
#[derive(Debug)]
pub struct Calling {
    id: InviteId,
    call_id: Box<str>,
    progress: mpsc::Receiver<CallingEvent>,
    called: Option<oneshot::Receiver<Called>>,
    agent: Agent,
    _lease: Lease,
}

/// What comes of an INVITE of ours.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub enum CallingEvent {
    /// A provisional response.
    Progress(Response),
    /// An attempt has failed so, and the call goes on by itself. [`Outbound::pursuit`](ringback_ua::Outbound::pursuit) says how far.
    Pursuing(Failure, PursuitStep),
    /// A 2xx.
    Answered(Answered),
    /// There is no session, nor will be; and what could be done about it.
    Failed(Failure, Box<Outcome>),
}

fn given_up() -> CallingEvent {
    let failure = Failure::Cancelled;
    let outcome = Outcome::of_failure(None, &failure);
    CallingEvent::Failed(failure, Box::new(outcome))
}

/// A call of ours that was answered.
#[derive(Debug)]
pub struct Answered {
    /// The session.
    pub session: Session,
    /// The 2xx.
    pub response: Response,
}

impl Calling {
    pub(super) fn new(
        id: InviteId,
        call_id: &str,
        progress: mpsc::Receiver<CallingEvent>,
        called: oneshot::Receiver<Called>,
        agent: Agent,
        lease: Lease,
    ) -> Calling {
        Calling { id, call_id: call_id.into(), progress, called: Some(called), agent, _lease: lease }
    }

    /// Its name in the core.
    #[must_use]
    pub fn id(&self) -> InviteId {
        self.id
    }

    /// Its Call-ID.
    #[must_use]
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// What comes next: any number of provisional responses and further attempts, and then what became of it. Dropping the future loses
    /// nothing.
    pub async fn next(&mut self) -> CallingEvent {
        let Some(called) = &mut self.called else { return given_up() };
        let called = tokio::select! {
            biased;
            Some(progress) = self.progress.recv() => return progress,
            called = called => called,
        };
        self.called = None;
        match called {
            Ok(Ok(answered)) => CallingEvent::Answered(answered),
            Ok(Err((failure, outcome))) => CallingEvent::Failed(failure, outcome),
            // The task is gone.
            Err(_) => given_up(),
        }
    }

    /// Gives the call up, and goes on to say what becomes of it.
    ///
    /// # Errors
    /// As [`UserAgent::cancel`](ringback_ua::UserAgent::cancel) and [`Agent::with`].
    pub async fn cancel(&self) -> Result<(), CommandError> {
        let id = self.id;
        self.agent.with(move |agent, now| agent.cancel(id, None, now)).await
    }
}
