//! A call to be made.

use std::collections::BTreeSet;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use ringback_auth::Account;
use ringback_message::header::TypedHeader;
use ringback_message::{Response, StatusCode};
use ringback_sdp::SessionDescription;
use ringback_sdp::negotiate::{Endpoint, LocalMedia};
use ringback_tokio::agent::CallingEvent;
use ringback_ua::{Failure, Media, Outbound};
use tokio::time::timeout;
use tracing::Instrument as _;

use super::builder::{AgentHandle, account_for};
use super::call::Call;
use super::error::CallFailed;
use crate::session;

/// How many redirections are followed at most, whatever [`Invite::follow_redirects`] says.
pub const REDIRECTS_MAX: usize = 70;

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
    accounts: Vec<Account>,
    redirects_max: usize,
    patience: Option<Duration>,
    progress: Option<OnProgress>,
    /// The span has the Call-ID, which is known to the core alone until somebody repeats it.
    is_known: bool,
}

impl Invite {
    pub(super) fn new(agent: AgentHandle, uri: &str) -> Invite {
        let outbound = agent.outbound(uri);
        Invite {
            agent,
            outbound,
            media: None,
            streams: Vec::new(),
            accounts: Vec::new(),
            redirects_max: 0,
            patience: None,
            progress: None,
            is_known: false,
        }
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

    /// Answers challenges of whoever is asked at the host of the URI with these. The agent goes on to answer with them.
    pub fn credentials(self, user: &str, password: &str) -> Invite {
        let account = account_for(&self.outbound.to, user, password);
        self.account(account)
    }

    /// The same, where [`Account`] says who may ask.
    pub fn account(mut self, account: Account) -> Invite {
        self.accounts.push(account);
        self
    }

    /// Goes where 3xx responses point, so often; no URI is asked twice. Where it is not said, none is followed.
    /// `[RFC 3261, Section 8.1.3.4]`
    pub fn follow_redirects(mut self, redirects_max: usize) -> Invite {
        self.redirects_max = redirects_max.min(REDIRECTS_MAX);
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

    async fn call(mut self) -> Result<Call, CallFailed> {
        for account in std::mem::take(&mut self.accounts) {
            self.agent.core.add_account(account).await.map_err(CallFailed::Command)?;
        }
        let mut tried = BTreeSet::from([self.outbound.to.clone()]);
        loop {
            let failure = match self.attempt().await? {
                Ok(call) => return Ok(call),
                Err(failure) => failure,
            };
            let next = match &failure {
                Failure::Refused(response) if tried.len() <= self.redirects_max => self.redirected(response),
                _ => None,
            };
            // Two servers may point at one another.
            match next.filter(|next| next.request_uri.clone().is_some_and(|uri| tried.insert(uri))) {
                Some(next) => self.outbound = next,
                None => return Err(CallFailed::of(failure)),
            }
        }
    }

    fn redirected(&self, response: &Response) -> Option<Outbound> {
        let is_it =
            (300..400).contains(&response.status().as_u16()) && response.status() != StatusCode::AlternativeService;
        if is_it { self.outbound.redirected(response) } else { None }
    }

    async fn attempt(&mut self) -> Result<Result<Call, Failure>, CallFailed> {
        let media = self.wanted();
        let further = match &media {
            Media::Endpoint(endpoint) => Media::Endpoint(endpoint.clone()),
            _ => Media::None,
        };
        let calling = self.agent.core.invite(self.outbound.clone(), media, further).await;
        let mut calling = calling.map_err(CallFailed::Command)?;
        loop {
            match calling.next().await {
                CallingEvent::Progress(response) => {
                    self.learn_call_id(&response);
                    if let Some(progress) = &mut self.progress {
                        progress(&response);
                    }
                }
                CallingEvent::Answered(answered) => {
                    self.learn_call_id(&answered.response);
                    let call_id = answered.response.call_id().to_vec();
                    return Ok(Ok(Call::new(answered.session, self.agent.clone(), &call_id)));
                }
                CallingEvent::Failed(failure) => return Ok(Err(failure)),
            }
        }
    }

    fn learn_call_id(&mut self, response: &Response) {
        if !std::mem::replace(&mut self.is_known, true) {
            tracing::Span::current().record("call_id", &*String::from_utf8_lossy(response.call_id()));
        }
        tracing::debug!(status = response.status().as_u16(), "response");
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
        let span = tracing::info_span!("invite", to = %self.outbound.to, call_id = tracing::field::Empty);
        let patience = self.patience;
        let called = async move {
            match patience {
                None => self.call().await,
                Some(patience) => timeout(patience, self.call()).await.unwrap_or(Err(CallFailed::NoAnswer)),
            }
        };
        Box::pin(called.instrument(span))
    }
}

impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invite")
            .field("to", &self.outbound.to)
            .field("accounts", &self.accounts)
            .field("redirects_max", &self.redirects_max)
            .finish_non_exhaustive()
    }
}
