//! Subscriptions to states, ours and theirs. RFC 6665

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use ringback_message::header::Event;
use ringback_message::{Request, StatusCode};
use ringback_tokio::agent::{Notifying, Subscribing};
use ringback_ua::{Admission, CommandError, EventState, NewSubscription, SubscriberTold};

use super::builder::AgentHandle;
use super::incoming::IncomingRequest;

/// A subscription to be made: awaited, it is a [`Subscribed`] once the SUBSCRIBE is on its way.
#[must_use = "nothing is subscribed to before it is awaited"]
pub struct Subscribe {
    agent: AgentHandle,
    uri: String,
    package: String,
    accept: String,
    expires_secs: Option<u32>,
}

impl Subscribe {
    pub(super) fn new(agent: AgentHandle, uri: &str, package: &str) -> Subscribe {
        let (uri, package) = (uri.to_owned(), package.to_owned());
        Subscribe { agent, uri, package, accept: String::new(), expires_secs: None }
    }

    /// The types of body that are understood, as Accept writes them; those that the package has by default where nothing is said.
    pub fn accept(mut self, types: &str) -> Subscribe {
        self.accept = types.into();
        self
    }

    /// How long it shall last before it is refreshed, in seconds; an hour where nothing is said. 0 asks once, for the state of the moment.
    /// `[RFC 6665, Section 4.4.3]`
    pub fn expires_secs(mut self, expires_secs: u32) -> Subscribe {
        self.expires_secs = Some(expires_secs);
        self
    }

    async fn subscribe(self) -> Result<Subscribed, CommandError> {
        let Subscribe { agent, uri, package, accept, expires_secs } = self;
        let change = move |config: &mut ringback_ua::SubscriberConfig| {
            config.accept = accept.into();
            config.expires_secs = expires_secs.unwrap_or(config.expires_secs);
        };
        let subscribing = agent.core.subscribe(agent.outbound(&uri), Event::new(package), change).await?;
        Ok(Subscribed { subscribing })
    }
}

impl IntoFuture for Subscribe {
    type Output = Result<Subscribed, CommandError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Subscribed, CommandError>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.subscribe())
    }
}

impl fmt::Debug for Subscribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribe").field("uri", &self.uri).field("package", &self.package).finish_non_exhaustive()
    }
}

/// A subscription of ours: refreshed before it runs out, and asked for again where that makes sense. Dropping it ends it.
///
/// ```
/// use ringback::agent::{Admission, Agent, EventState, Router, SubscriberTold};
/// use ringback::ua::Package;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// fn state(words: &'static str) -> EventState {
///     EventState::new("text/plain", words)
/// }
///
/// let lamp = Agent::builder().package(Package::new("lamp", "text/plain")).bind("127.0.0.1:0").await?;
/// let to = format!("sip:lamp@{}", lamp.address());
/// tokio::spawn(lamp.serve(Router::new().on_subscribe(async |subscription| {
///     let mut watcher = subscription.grant(Admission::Granted(state("off"))).await?;
///     watcher.change(state("on")).await?;
///     watcher.ended().await;
///     Ok::<_, ringback::agent::CommandError>(())
/// })));
///
/// let alice = Agent::builder().bind("127.0.0.1:0").await?;
/// let mut subscribed = alice.subscribe(&to, "lamp").await?;
/// while let Some(SubscriberTold::Notified { request, .. }) = subscribed.event().await {
///     if request.body() == b"on" {
///         break;
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Subscribed {
    subscribing: Subscribing,
}

impl Subscribed {
    /// What is told next: a notification, or that it is over and why. `None` where nothing follows. Dropping the future loses nothing.
    pub async fn event(&mut self) -> Option<SubscriberTold> {
        self.subscribing.next().await
    }
}

/// Somebody wants to be told of a state here. Dropping it unanswered answers with 500.
#[derive(Debug)]
pub struct IncomingSubscription {
    request: IncomingRequest,
    new: Box<NewSubscription>,
}

impl IncomingSubscription {
    pub(super) fn new(request: IncomingRequest, new: Box<NewSubscription>) -> IncomingSubscription {
        IncomingSubscription { request, new }
    }

    pub(super) fn into_request(self) -> IncomingRequest {
        self.request
    }

    /// The SUBSCRIBE.
    #[must_use]
    pub fn request(&self) -> &Request {
        self.request.request()
    }

    /// What would be granted: the package, and for how long.
    #[must_use]
    pub fn wanted(&self) -> &NewSubscription {
        &self.new
    }

    /// The agent that is asked.
    #[must_use]
    pub fn agent(&self) -> &AgentHandle {
        self.request.agent()
    }

    /// Grants it: they are told this state at once. `[RFC 6665, Section 4.2.1.3]`
    ///
    /// # Errors
    /// Where they are gone, or there is no room for more.
    pub async fn grant(self, admission: Admission) -> Result<Watcher, CommandError> {
        Ok(Watcher { notifying: self.request.into_inner().grant(admission).await? })
    }

    /// Refuses it, with 403 or 603 as a rule.
    ///
    /// # Errors
    /// Where the response lacks what it must carry, or they are gone.
    pub async fn refuse(self, status: StatusCode) -> Result<(), CommandError> {
        self.request.respond(status).await
    }
}

/// Somebody who is told of a state here. Dropping it ends the subscription, because the state is there no longer.
#[derive(Debug)]
pub struct Watcher {
    notifying: Notifying,
}

impl Watcher {
    /// The state has changed: they are told.
    ///
    /// # Errors
    /// Where the agent has ended.
    pub async fn change(&self, state: EventState) -> Result<(), CommandError> {
        self.notifying.change(state).await
    }

    /// What is beneath: how to permit what was undecided, or to end it for a reason.
    #[must_use]
    pub fn into_inner(self) -> Notifying {
        self.notifying
    }

    /// Waits until it is over: they have ended it, or not refreshed it, or are gone. Dropping the future loses nothing.
    pub async fn ended(&mut self) {
        self.notifying.ended().await;
    }
}
