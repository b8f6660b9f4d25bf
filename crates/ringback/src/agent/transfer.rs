//! Transfers: REFERs of ours, and theirs. RFC 3515, RFC 5589

use std::fmt;

use ringback_message::{BuildError, HeaderId, Request, StatusCode, Uri};
use ringback_tokio::agent::{Following, Referring};
use ringback_ua::{CommandError, Fork, Media, ReferOutcome, ReferTold, Referral};

use super::builder::AgentHandle;
use super::incoming::IncomingRequest;
use super::outgoing::OutgoingCall;

/// A transfer of ours that is under way: somebody was asked to call somebody else. It can't be taken back; dropping it only stops
/// listening.
///
/// ```
/// use ringback::agent::{Agent, CallEvent, Router};
/// use ringback::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sound = || LocalMedia::audio(4000).codec(Codec::pcmu());
/// # let carol = Agent::builder().media(sound()).bind("127.0.0.1:0").await?;
/// # let at_carol = format!("sip:carol@{}", carol.address());
/// # tokio::spawn(carol.serve(Router::new().on_invite(async |call| call.answer().await?.ended().await)));
/// # let bob = Agent::builder().media(sound()).bind("127.0.0.1:0").await?;
/// # let to = format!("sip:bob@{}", bob.address());
/// // Bob does what he is asked for.
/// tokio::spawn(bob.serve(Router::new().on_invite(async |call| {
///     let mut call = call.answer().await?;
///     while let Some(event) = call.event().await {
///         if let CallEvent::Refer(refer) = event {
///             let call = refer.follow().await?.answered().await?;
///             call.ended().await?;
///         }
///     }
///     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
/// })));
/// # let alice = Agent::builder().media(sound()).bind("127.0.0.1:0").await?;
/// // Alice asks him to call Carol, and hangs up once he has.
/// let call = alice.invite(&to).await?;
/// call.transfer(&at_carol).await?.outcome().await?;
/// call.hang_up().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Transfer {
    referring: Referring,
}

/// A transfer of ours came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransferFailed {
    /// The one who was asked won't do it: the code of its refusal.
    Refused(StatusCode),
    /// The one who was asked says nothing.
    NoAnswer,
    /// The one who was asked has tried, and got this code.
    Failed(StatusCode),
    /// The one who was asked does it, and doesn't tell what comes of it.
    Untold,
}

impl Transfer {
    pub(super) fn new(referring: Referring) -> Transfer {
        Transfer { referring }
    }

    /// What is told next: the final response to the REFER, then how it goes. `None` where nothing follows. Dropping the future loses
    /// nothing.
    pub async fn event(&mut self) -> Option<ReferTold> {
        self.referring.next().await
    }

    /// Waits until it is known what became of it: the code that the third party has answered with.
    ///
    /// # Errors
    /// Why nobody has called it, or was answered.
    pub async fn outcome(mut self) -> Result<StatusCode, TransferFailed> {
        let mut failed = TransferFailed::Untold;
        // Outside of a call a REFER may reach several: one of those who still tell may do better.
        let mut telling: Vec<Fork> = Vec::new();
        while let Some(told) = self.event().await {
            match told {
                ReferTold::Answered(ReferOutcome::Refused(status)) => failed = TransferFailed::Refused(status),
                ReferTold::Answered(ReferOutcome::NoAnswer) => failed = TransferFailed::NoAnswer,
                ReferTold::Progress(progress) => {
                    telling.retain(|fork| *fork != progress.fork);
                    if progress.end.is_none() {
                        telling.push(progress.fork);
                    }
                    match progress.status {
                        Some(status) if status.is_success() => return Ok(status),
                        Some(status) if status.is_final() => failed = TransferFailed::Failed(status),
                        _ => {}
                    }
                    if telling.is_empty() && matches!(failed, TransferFailed::Failed(_)) {
                        return Err(failed);
                    }
                }
                ReferTold::Answered(_) | ReferTold::Over(_) => {}
            }
        }
        Err(failed)
    }
}

impl fmt::Display for TransferFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransferFailed::Refused(status) => write!(f, "the transfer was refused: {status}"),
            TransferFailed::NoAnswer => f.write_str("the one who was asked to transfer says nothing"),
            TransferFailed::Failed(status) => write!(f, "the third party was not reached: {status}"),
            TransferFailed::Untold => f.write_str("nobody says what became of the transfer"),
        }
    }
}

impl std::error::Error for TransferFailed {}

/// A REFER of theirs: they ask us to call somebody, or to send another request. Dropping it unanswered answers with 500.
#[derive(Debug)]
pub struct IncomingRefer {
    request: IncomingRequest,
    referral: Box<Referral>,
}

impl IncomingRefer {
    pub(super) fn new(request: IncomingRequest, referral: Box<Referral>) -> IncomingRefer {
        IncomingRefer { request, referral }
    }

    pub(super) fn into_request(self) -> IncomingRequest {
        self.request
    }

    /// The REFER.
    #[must_use]
    pub fn request(&self) -> &Request {
        self.request.request()
    }

    /// What it asks for.
    #[must_use]
    pub fn referral(&self) -> &Referral {
        &self.referral
    }

    /// The agent that is asked.
    #[must_use]
    pub fn agent(&self) -> &AgentHandle {
        self.request.agent()
    }

    /// Does what it asks for: accepts it, and calls whom it names, with the media of the agent. How that goes is told to whoever asked; the
    /// call is ours, and dropping it gives it up. Whom to call is somebody else's word: ask your user first.
    ///
    /// # Errors
    /// Where it asks for no call, or the one who asked is gone.
    pub async fn follow(self) -> Result<OutgoingCall, CommandError> {
        let media = self.agent().own.media();
        self.follow_with(media).await
    }

    /// The same, with these media.
    ///
    /// # Errors
    /// As [`IncomingRefer::follow`].
    pub async fn follow_with(self, media: Media) -> Result<OutgoingCall, CommandError> {
        let agent = self.agent().clone();
        let further = match &media {
            Media::Endpoint(endpoint) => Media::Endpoint(endpoint.clone()),
            _ => Media::None,
        };
        let calling = self.request.into_inner().follow(agent.identity(), media, further).await?;
        Ok(OutgoingCall::new(calling, agent, &self.referral.uri))
    }

    /// Accepts it where it asks for something else than a call: [`Following`] tells them how that goes.
    ///
    /// # Errors
    /// Where the one who asked is gone.
    pub async fn accept(self) -> Result<Following, CommandError> {
        self.request.into_inner().accept_refer().await
    }

    /// Does not do it: 603.
    ///
    /// # Errors
    /// Where the one who asked is gone.
    pub async fn decline(self) -> Result<(), CommandError> {
        self.respond(StatusCode::Decline).await
    }

    /// Refuses it with this code, which must be 300 or above: a 2xx is for [`IncomingRefer::follow`].
    ///
    /// # Errors
    /// Where the response lacks what it must carry, or the one who asked is gone.
    pub async fn respond(self, status: StatusCode) -> Result<(), CommandError> {
        if status.is_success() {
            return Err(CommandError::State("a refusal; a REFER is accepted by following it"));
        }
        self.request.respond(status).await
    }
}

/// A URI as the value of Refer-To.
pub(super) fn refer_to(uri: &str) -> Result<String, CommandError> {
    let malformed = |error| CommandError::Build(BuildError::Malformed(error));
    Uri::parse(uri.as_bytes(), HeaderId::ReferTo, 0).map_err(malformed)?;
    Ok(format!("<{uri}>"))
}
