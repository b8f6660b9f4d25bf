//! Handles: what the rest of a program has of an agent.

use std::future::Future;
use std::sync::Arc;

use ringback_auth::Account;
use ringback_base::Now;
use ringback_message::{Method, Request, RequestBuilder, Response, ResponseBuilder, StatusCode, header};
use ringback_transaction::ServerId;
use ringback_ua::{
    Admission, CommandError, Event, Failure, Local, Media, NewSubscription, Outbound, ReferId, ReferSubscription,
    Referral, RegistrationConfig, RegistrationEvent, RegistrationId, RequestId, SessionId, SubscriberConfig, UserAgent,
};
use tokio::sync::{mpsc, oneshot, watch};

use super::calling::Calling;
use super::desk::{Command, Desk};
use super::lease::{Dropped, Held, Lease};
use super::referring::{Following, Referring};
use super::rows::RegistrationRow;
use super::session::Session;
use super::subscribing::{Notifying, Subscribing};
use crate::counters::{IoCounters, LiveCounters};

/// An agent's task is told by this what to do. Clones are the same agent, which ends when the last of them, and of all handles that
/// came of them, is dropped.
#[derive(Clone, Debug)]
pub struct Agent {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    dropped: Arc<Dropped>,
    locals: Arc<[Local]>,
    counters: Arc<LiveCounters>,
}

/// An agent that may have ended.
#[derive(Clone, Debug)]
pub(crate) struct WeakAgent {
    commands: mpsc::WeakSender<Command>,
    shared: Arc<Shared>,
}

impl WeakAgent {
    pub(crate) fn upgrade(&self) -> Option<Agent> {
        Some(Agent { commands: self.commands.upgrade()?, shared: Arc::clone(&self.shared) })
    }
}

impl Agent {
    pub(crate) fn new(
        commands: mpsc::Sender<Command>,
        dropped: Arc<Dropped>,
        locals: Arc<[Local]>,
        counters: Arc<LiveCounters>,
    ) -> Agent {
        Agent { commands, shared: Arc::new(Shared { dropped, locals, counters }) }
    }

    pub(crate) fn downgrade(&self) -> WeakAgent {
        WeakAgent { commands: self.commands.downgrade(), shared: Arc::clone(&self.shared) }
    }

    /// Where it is, the preferred address first.
    #[must_use]
    pub fn locals(&self) -> &[Local] {
        &self.shared.locals
    }

    /// What its sockets counted.
    #[must_use]
    pub fn counters(&self) -> IoCounters {
        let mut sum = IoCounters::default();
        self.shared.counters.add_to(&mut sum);
        sum
    }

    /// Does something with the core, within the task: whatever it is, it must not block.
    ///
    /// # Errors
    /// What the core says, or that the task has ended, which it does where its runtime does.
    pub async fn with<R: Send + 'static>(
        &self,
        act: impl FnOnce(&mut UserAgent, Now) -> Result<R, CommandError> + Send + 'static,
    ) -> Result<R, CommandError> {
        self.at_desk(|desk, now| act(desk.agent_mut(), now)).await
    }

    /// Whether nothing is left to do: no session, no registration, no subscription, no transaction that remembers what was said, and nobody
    /// who waits for anything.
    ///
    /// # Errors
    /// As [`Agent::with`].
    pub async fn is_idle(&self) -> Result<bool, CommandError> {
        self.at_desk(|desk, _| Ok(desk.is_idle())).await
    }

    /// Answers challenges for it from now on.
    ///
    /// # Errors
    /// As [`Agent::with`].
    pub async fn add_account(&self, account: Account) -> Result<(), CommandError> {
        self.with(|agent, _| {
            agent.add_account(account);
            Ok(())
        })
        .await
    }

    /// Calls somebody. Offers that come within the call are answered with `further`, or told where that is [`Media::None`].
    ///
    /// # Errors
    /// As [`UserAgent::invite`] and [`Agent::with`].
    pub async fn invite(&self, outbound: Outbound, media: Media, further: Media) -> Result<Calling, CommandError> {
        let agent = self.clone();
        self.at_desk(move |desk, now| {
            let invite = desk.agent_mut().invite(&outbound, media, now)?;
            Ok(desk.calling(invite, further, agent))
        })
        .await
    }

    /// Sends a request outside of a session, such as OPTIONS or MESSAGE; `fill` adds to it.
    ///
    /// # Errors
    /// As [`UserAgent::request_outside`] and [`Agent::with`].
    pub async fn request(
        &self,
        outbound: Outbound,
        method: Method,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder + Send + 'static,
    ) -> Result<Requesting, CommandError> {
        self.at_desk(move |desk, now| {
            let id = desk.agent_mut().request_outside(&outbound, method, fill, now)?;
            Ok(Requesting::new(id, desk.await_response(id)))
        })
        .await
    }

    /// Registers, and refreshes from then on.
    ///
    /// # Errors
    /// As [`UserAgent::add_registration`] and [`Agent::with`].
    pub async fn register(
        &self,
        config: RegistrationConfig,
        account: Option<Account>,
    ) -> Result<Registering, CommandError> {
        let agent = self.clone();
        self.at_desk(move |desk, now| {
            let id = desk.agent_mut().add_registration(&config, account)?;
            let (sender, told) = watch::channel(None);
            desk.rows.registrations.insert(id, RegistrationRow { told: sender, is_dropped: false });
            let lease = agent.lease(Held::Registration(id));
            desk.agent_mut().register(id, now)?;
            Ok(Registering { id, told, agent, _lease: lease })
        })
        .await
    }

    /// Asks somebody to contact somebody else, outside of any dialog; `about` is the session with them that it is about, if there is one.
    /// `refer_to` is a URI in angle brackets.
    ///
    /// # Errors
    /// As [`UserAgent::refer_outside`] and [`Agent::with`].
    pub async fn refer(
        &self,
        outbound: Outbound,
        refer_to: &str,
        about: Option<SessionId>,
        subscription: ReferSubscription,
    ) -> Result<Referring, CommandError> {
        let refer_to = refer_to.to_owned();
        self.begin_refer(move |agent, now| agent.refer_outside(&outbound, &refer_to, about, subscription, now)).await
    }

    pub(super) async fn begin_refer(
        &self,
        act: impl FnOnce(&mut UserAgent, Now) -> Result<ReferId, CommandError> + Send + 'static,
    ) -> Result<Referring, CommandError> {
        let agent = self.clone();
        self.at_desk(move |desk, now| {
            let id = act(desk.agent_mut(), now)?;
            Ok(Referring::new(id, desk.await_referral(id), agent))
        })
        .await
    }

    /// Subscribes to a state; `change` has the last word on how. `[RFC 6665, Section 4.1.2]`
    ///
    /// # Errors
    /// As [`UserAgent::subscribe`] and [`Agent::with`].
    pub async fn subscribe(
        &self,
        outbound: Outbound,
        event: header::Event,
        change: impl FnOnce(&mut SubscriberConfig) + Send + 'static,
    ) -> Result<Subscribing, CommandError> {
        let agent = self.clone();
        self.at_desk(move |desk, now| {
            let id = desk.agent_mut().subscribe(&outbound, event, change, now)?;
            let lease = agent.lease(Held::Subscriber(id));
            Ok(Subscribing::new(id, desk.await_notifications(id), agent, lease))
        })
        .await
    }

    /// Waits for room, and for the result; whoever stops waiting does not stop what he asked for.
    pub(super) fn at_desk<R: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Desk, Now) -> Result<R, CommandError> + Send + 'static,
    ) -> impl Future<Output = Result<R, CommandError>> + Send {
        let (done, result) = oneshot::channel();
        let command: Command = Box::new(move |desk, now| {
            // What nobody waits for is dropped, and so let go of.
            _ = done.send(act(desk, now));
        });
        let commands = self.commands.clone();
        async move {
            let ended = CommandError::State("the agent has ended");
            commands.send(command).await.map_err(|_| ended.clone())?;
            result.await.unwrap_or(Err(ended))
        }
    }

    pub(super) fn lease(&self, held: Held) -> Lease {
        Lease::new(held, &self.shared.dropped)
    }
}

/// The final response to a request of ours, or why there is none.
pub(crate) type Responded = Result<Response, Failure>;

/// A request of ours that has no final response. It can't be taken back: dropping it only stops waiting.
#[derive(Debug)]
pub struct Requesting {
    id: RequestId,
    outcome: oneshot::Receiver<Responded>,
}

impl Requesting {
    pub(super) fn new(id: RequestId, outcome: oneshot::Receiver<Responded>) -> Requesting {
        Requesting { id, outcome }
    }

    /// Its name in the core.
    #[must_use]
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// Its final response, whatever it is.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn outcome(self) -> Result<Response, Failure> {
        self.outcome.await.unwrap_or(Err(Failure::Cancelled))
    }
}

/// A registration that is kept up. Dropping it takes the contacts back.
#[derive(Debug)]
pub struct Registering {
    id: RegistrationId,
    told: watch::Receiver<Option<RegistrationTold>>,
    agent: Agent,
    _lease: Lease,
}

/// What a registration tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationTold {
    /// What.
    pub event: RegistrationEvent,
    /// The response that it comes from, if it comes from one.
    pub response: Option<Response>,
    /// Why there is none, where a REGISTER has failed without.
    pub failure: Option<Failure>,
}

impl Registering {
    /// Its name in the core.
    #[must_use]
    pub fn id(&self) -> RegistrationId {
        self.id
    }

    /// Registers again now, and not when it is due: what comes of it is told.
    ///
    /// # Errors
    /// As [`Agent::with`].
    pub async fn refresh(&self) -> Result<(), CommandError> {
        let id = self.id;
        self.agent.with(move |agent, now| agent.register(id, now)).await
    }

    /// The latest that was not looked at; `None` where the agent has ended. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<RegistrationTold> {
        self.told.changed().await.ok()?;
        self.told.borrow_and_update().clone()
    }
}

/// A request of theirs that wants an answer. Dropping it unanswered answers it with 500.
#[derive(Debug)]
pub struct ServerRequest {
    id: ServerId,
    request: Request,
    agent: Agent,
    _lease: Lease,
}

impl ServerRequest {
    pub(crate) fn new(agent: Agent, id: ServerId, request: Request) -> ServerRequest {
        let lease = agent.lease(Held::Server(id));
        ServerRequest { id, request, agent, _lease: lease }
    }

    /// Its transaction.
    #[must_use]
    pub fn id(&self) -> ServerId {
        self.id
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Answers it; `fill` adds to the response.
    ///
    /// # Errors
    /// As [`UserAgent::respond`] and [`Agent::with`].
    pub async fn respond(
        self,
        status: StatusCode,
        fill: impl FnOnce(ResponseBuilder<'_>) -> ResponseBuilder<'_> + Send + 'static,
    ) -> Result<(), CommandError> {
        let id = self.id;
        self.agent.with(move |agent, now| agent.respond(id, status, fill, now)).await
    }

    /// Does what a REFER asks for: accepts it, and calls whom it names, from this URI of ours; how that goes is told to whoever asked.
    /// Offers that come within the call are answered with `further`.
    ///
    /// # Errors
    /// As [`UserAgent::follow`] and [`Agent::with`].
    pub async fn follow(self, from: &str, media: Media, further: Media) -> Result<Calling, CommandError> {
        let (id, agent, from) = (self.id, self.agent.clone(), from.to_owned());
        let follow = move |desk: &mut Desk, now| {
            let (_, invite) = desk.agent_mut().follow(id, &from, media, now)?;
            Ok(desk.calling(invite, further, agent))
        };
        self.agent.at_desk(follow).await
    }

    /// Accepts a REFER whose request is made otherwise: [`Following`] tells whoever asked how that goes.
    ///
    /// # Errors
    /// As [`UserAgent::accept_refer`] and [`Agent::with`].
    pub async fn accept_refer(self) -> Result<Following, CommandError> {
        let (id, agent) = (self.id, self.agent.clone());
        let accept = move |desk: &mut Desk, now| {
            let referee = desk.agent_mut().accept_refer(id, now)?;
            let lease = agent.lease(Held::Referee(referee));
            Ok(Following::new(referee, agent, lease))
        };
        self.agent.at_desk(accept).await
    }

    /// Grants the subscription that a SUBSCRIBE asks for. `[RFC 6665, Section 4.2.1.3]`
    ///
    /// # Errors
    /// As [`UserAgent::grant_subscription`] and [`Agent::with`].
    pub async fn grant(self, admission: Admission) -> Result<Notifying, CommandError> {
        let (id, agent) = (self.id, self.agent.clone());
        let grant = move |desk: &mut Desk, now| {
            let subscription = desk.agent_mut().grant_subscription(id, admission, now)?;
            let lease = agent.lease(Held::Subscription(subscription));
            Ok(Notifying::new(subscription, desk.await_end(subscription), agent, lease))
        };
        self.agent.at_desk(grant).await
    }
}

/// What comes in. Whoever takes it has to think of all of it: nothing may stay unanswered.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub enum Incoming {
    /// A call.
    Call {
        /// Its early dialog.
        session: Session,
        /// The INVITE.
        request: Request,
        /// The session whose place it shall take. `[RFC 3891, Section 3]`
        replaces: Option<SessionId>,
    },
    /// A request outside of a session.
    Request(ServerRequest),
    /// A REFER outside of a session. `[RFC 3515]`
    Refer(ServerRequest, Box<Referral>),
    /// Somebody wants to be told of a state. `[RFC 6665, Section 4.2.1.1]`
    Subscription(ServerRequest, Box<NewSubscription>),
    /// Something of what has no handle: publications, and what was begun by [`Agent::with`].
    Other(Box<Event>),
}
