//! A call of ours that was begun.

use ringback_message::Response;
use ringback_tokio::agent::{Calling, CallingEvent};
use ringback_ua::{CommandError, Failure, InviteId, PursuitStep};
use tracing::Instrument as _;

use super::builder::AgentHandle;
use super::call::Call;
use super::error::CallFailed;

/// A call of ours that was begun and is not answered yet: to be followed step by step, or given up.
///
/// Dropping it gives the call up: CANCEL goes once there is a provisional response, and a 200 that wins is acknowledged and its session
/// ended. `[RFC 3261, Section 9.1]`
///
/// ```
/// use ringback::agent::{Agent, CallFailed, OutgoingEvent, Router};
/// use ringback::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sound = || LocalMedia::audio(4000).codec(Codec::pcmu());
/// # let bob = Agent::builder().media(sound()).bind("127.0.0.1:0").await?;
/// # let to = format!("sip:bob@{}", bob.address());
/// # tokio::spawn(bob.serve(Router::new().on_invite(async |mut call| {
/// #     call.ring().await?;
/// #     call.cancelled().await;
/// #     Ok::<_, ringback::agent::CommandError>(())
/// # })));
/// # let alice = Agent::builder().media(sound()).bind("127.0.0.1:0").await?;
/// let mut calling = alice.invite(&to).begin().await?;
/// println!("Call-ID {}", calling.call_id());
/// loop {
///     match calling.event().await {
///         OutgoingEvent::Progress(response) if response.status() == StatusCode::Ringing => calling.cancel().await?,
///         OutgoingEvent::Failed(failed) => {
///             assert_eq!(failed.status(), Some(StatusCode::RequestTerminated));
///             break;
///         }
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "dropping it gives the call up"]
pub struct OutgoingCall {
    calling: Calling,
    agent: AgentHandle,
    span: tracing::Span,
}

/// What comes of a call of ours.
#[derive(Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub enum OutgoingEvent {
    /// A provisional response.
    Progress(Response),
    /// An attempt has failed so, and the call goes on by itself.
    Pursuing(Failure, PursuitStep),
    /// It is answered: nothing follows.
    Answered(Call),
    /// It is not answered, and won't be: nothing follows.
    Failed(CallFailed),
}

impl OutgoingCall {
    pub(super) fn new(calling: Calling, agent: AgentHandle, to: &str) -> OutgoingCall {
        let span = tracing::info_span!("invite", to, call_id = calling.call_id());
        OutgoingCall { calling, agent, span }
    }

    /// Its Call-ID.
    #[must_use]
    pub fn call_id(&self) -> &str {
        self.calling.call_id()
    }

    /// Its name in the core.
    #[must_use]
    pub fn id(&self) -> InviteId {
        self.calling.id()
    }

    /// What comes next; after the last it is a failure again. Dropping the future loses nothing.
    pub async fn event(&mut self) -> OutgoingEvent {
        let span = self.span.clone();
        self.next().instrument(span).await
    }

    async fn next(&mut self) -> OutgoingEvent {
        match self.calling.next().await {
            CallingEvent::Progress(response) => {
                tracing::debug!(status = response.status().as_u16(), "response");
                OutgoingEvent::Progress(response)
            }
            CallingEvent::Pursuing(failure, step) => {
                tracing::debug!(%failure, ?step, "the call goes on");
                OutgoingEvent::Pursuing(failure, step)
            }
            CallingEvent::Answered(answered) => {
                tracing::debug!(status = answered.response.status().as_u16(), "response");
                let call_id = answered.response.call_id().to_vec();
                OutgoingEvent::Answered(Call::new(answered.session, self.agent.clone(), &call_id))
            }
            CallingEvent::Failed(failure, outcome) => {
                tracing::debug!(%failure, "the call has failed");
                OutgoingEvent::Failed(CallFailed::of(failure, outcome))
            }
        }
    }

    /// Gives it up, and goes on to say what becomes of it: a failure of ours at once where it was not sent yet, and else when the CANCEL
    /// goes. `[RFC 3261, Section 9.1]`
    ///
    /// # Errors
    /// Where it is answered.
    pub async fn cancel(&self) -> Result<(), CommandError> {
        self.calling.cancel().await
    }

    /// Waits until it is answered.
    ///
    /// # Errors
    /// Why it is not.
    pub async fn answered(self) -> Result<Call, CallFailed> {
        self.answered_after(|_| {}).await
    }

    pub(super) async fn answered_after(mut self, mut progress: impl FnMut(&Response)) -> Result<Call, CallFailed> {
        loop {
            match self.event().await {
                OutgoingEvent::Progress(response) => progress(&response),
                OutgoingEvent::Pursuing(..) => {}
                OutgoingEvent::Answered(call) => return Ok(call),
                OutgoingEvent::Failed(failed) => return Err(failed),
            }
        }
    }
}
