//! A call to be made.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use ringback_auth::Account;
use ringback_message::Response;
use ringback_message::header::TypedHeader;
use ringback_sdp::SessionDescription;
use ringback_sdp::negotiate::{Endpoint, LocalMedia};
use ringback_ua::{Media, Outbound};
use tokio::time::timeout;

use super::builder::{AgentHandle, account_for};
use super::call::Call;
use super::error::CallFailed;
use super::outgoing::OutgoingCall;
use crate::session;

type OnProgress = Box<dyn FnMut(&Response) + Send>;

/// A call to be made: awaited, it is a [`Call`] once it is answered, or a [`CallFailed`].
///
/// Dropping the future gives the call up: CANCEL goes once there is a provisional response, and a 200 that wins is acknowledged and its
/// session ended. `[RFC 3261, Section 9.1]`
#[must_use = "nobody is called before it is awaited"]
pub struct Invite {
    agent: AgentHandle,
    outbound: Outbound,
    media: Option<Media>,
    streams: Vec<LocalMedia>,
    patience: Option<Duration>,
    progress: Option<OnProgress>,
}

impl Invite {
    pub(super) fn new(agent: AgentHandle, uri: &str) -> Invite {
        let outbound = agent.outbound(uri);
        Invite { agent, outbound, media: None, streams: Vec::new(), patience: None, progress: None }
    }

    /// Offers this, in the place of the agent's media. Offers that come within the call are told then as events of it.
    pub fn offer(mut self, description: SessionDescription) -> Invite {
        self.media = Some(Media::Description(description));
        self
    }

    /// Offers a stream, received at the agent's address, in the place of the agent's media.
    pub fn media(mut self, media: LocalMedia) -> Invite {
        self.streams.push(media);
        self
    }

    /// Asks them for an offer, which comes as an event of the call. `[RFC 3261, Section 13.2.1]`
    pub fn without_offer(mut self) -> Invite {
        self.media = Some(Media::None);
        self
    }

    /// Answers challenges of whoever is asked at the host of the URI with these, in this call and before the accounts of the agent. No other
    /// call is signed with them: for that there is [`AgentHandle::add_account`].
    pub fn credentials(self, user: &str, password: &str) -> Invite {
        let account = account_for(&self.outbound.to, user, password);
        self.account(account)
    }

    /// The same, where [`Account`] says who may ask.
    pub fn account(mut self, account: Account) -> Invite {
        self.outbound = self.outbound.account(account);
        self
    }

    /// Goes where 3xx responses point, so often: to one contact after another, the preferred first, and to none twice. Where it is not
    /// said, none is followed. `[RFC 3261, Section 8.1.3.4]`
    pub fn follow_redirects(mut self, redirects_max: u8) -> Invite {
        self.outbound = self.outbound.follow_redirects(redirects_max);
        self
    }

    /// Calls again after what Retry-After says, where that is so many seconds in all at most. Where it is not said, nothing is waited for.
    /// `[RFC 3261, Section 20.33]`
    pub fn wait_at_most(mut self, seconds: u32) -> Invite {
        self.outbound = self.outbound.wait_at_most(seconds);
        self
    }

    /// Sends so many INVITEs at most, with credentials and to all targets.
    pub fn at_most_requests(mut self, requests_max: u8) -> Invite {
        self.outbound = self.outbound.at_most_requests(requests_max);
        self
    }

    /// Gives up where nobody has answered by then.
    pub fn patience(mut self, patience: Duration) -> Invite {
        self.patience = Some(patience);
        self
    }

    /// Adds a header field, such as Privacy.
    pub fn header(mut self, header: impl Into<TypedHeader>) -> Invite {
        self.outbound.headers.push(header.into());
        self
    }

    /// Our URI for this call, in the place of the agent's identity.
    pub fn from(mut self, uri: &str) -> Invite {
        self.outbound.from = uri.into();
        self
    }

    /// Is called with each provisional response.
    pub fn progress(mut self, progress: impl FnMut(&Response) + Send + 'static) -> Invite {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Begins the call, and leaves it to be followed step by step.
    ///
    /// # Errors
    /// Where it can't be built, or the agent has ended.
    pub async fn begin(self) -> Result<OutgoingCall, CallFailed> {
        let media = self.wanted();
        let further = match &media {
            Media::Endpoint(endpoint) => Media::Endpoint(endpoint.clone()),
            _ => Media::None,
        };
        let to = self.outbound.to.clone();
        let calling = self.agent.core.invite(self.outbound, media, further).await.map_err(CallFailed::Command)?;
        Ok(OutgoingCall::new(calling, self.agent, &to))
    }

    async fn call(mut self) -> Result<Call, CallFailed> {
        let progress = self.progress.take();
        let calling = self.begin().await?;
        match progress {
            Some(progress) => calling.answered_after(progress).await,
            None => calling.answered().await,
        }
    }

    fn wanted(&self) -> Media {
        match &self.media {
            Some(media) => media.clone(),
            None if self.streams.is_empty() => self.agent.own.media(),
            None => {
                let endpoint = session::endpoint(self.agent.own.ip);
                Media::Endpoint(self.streams.iter().cloned().fold(endpoint, Endpoint::media))
            }
        }
    }
}

impl IntoFuture for Invite {
    type Output = Result<Call, CallFailed>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Call, CallFailed>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let patience = self.patience;
        Box::pin(async move {
            match patience {
                None => self.call().await,
                Some(patience) => timeout(patience, self.call()).await.unwrap_or(Err(CallFailed::NoAnswer)),
            }
        })
    }
}

impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invite")
            .field("to", &self.outbound.to)
            .field("accounts", &self.outbound.accounts)
            .field("pursuit", &self.outbound.pursuit)
            .finish_non_exhaustive()
    }
}
