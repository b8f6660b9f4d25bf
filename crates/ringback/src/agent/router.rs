//! Handlers by method.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use ringback_message::{Method, Request, StatusCode};
use ringback_tokio::agent::HANDLERS_MAX;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::builder::Agent;
use super::call::call_id_of;
use super::incoming::{Incoming, IncomingCall, IncomingRequest};
use super::subscription::IncomingSubscription;
use super::transfer::IncomingRefer;

/// What a handler comes to. An error is logged; whatever was not answered by then is answered with 500.
pub trait Handled {
    /// What went wrong, for the log.
    fn complaint(self) -> Option<String>;
}

impl Handled for () {
    fn complaint(self) -> Option<String> {
        None
    }
}

impl<T, E: fmt::Display> Handled for Result<T, E> {
    fn complaint(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

type Handling = Pin<Box<dyn Future<Output = Option<String>> + Send>>;
type OnCall = Arc<dyn Fn(IncomingCall) -> Handling + Send + Sync>;
type OnRequest = Arc<dyn Fn(IncomingRequest) -> Handling + Send + Sync>;
type OnRefer = Arc<dyn Fn(IncomingRefer) -> Handling + Send + Sync>;
type OnSubscription = Arc<dyn Fn(IncomingSubscription) -> Handling + Send + Sync>;

/// Handlers by method, as a web framework has them by path.
///
/// Each handler runs as a task of its own, in a span that bears the Call-ID. There are at most [`Router::handlers_max`] of them at
/// once; what comes in beyond waits in the agent's queue, and is refused with 503 where that is full. A method without a handler is
/// answered with 405, a call with 480.
///
/// ```
/// # use ringback::agent::Router;
/// # use ringback::prelude::*;
/// let router = Router::new()
///     .on_invite(async |call| {
///         call.ring().await?;
///         call.answer().await?.ended().await
///     })
///     .on_message(async |message| {
///         println!("{}", message.text());
///         message.respond(StatusCode::Ok).await
///     });
/// # _ = router;
/// ```
#[derive(Default)]
#[must_use]
pub struct Router {
    on_invite: Option<OnCall>,
    on_refer: Option<OnRefer>,
    on_subscribe: Option<OnSubscription>,
    on: Vec<(Method, OnRequest)>,
    fallback: Option<OnRequest>,
    handlers_max: Option<usize>,
}

impl Router {
    /// Without handlers.
    pub fn new() -> Router {
        Router::default()
    }

    /// For calls.
    pub fn on_invite<F, O>(mut self, handler: F) -> Router
    where
        F: Fn(IncomingCall) -> O + Send + Sync + 'static,
        O: Future<Output: Handled> + Send + 'static,
    {
        self.on_invite = Some(Arc::new(move |call| {
            let handled = handler(call);
            Box::pin(async move { handled.await.complaint() })
        }));
        self
    }

    /// For texts. `[RFC 3428]`
    pub fn on_message<F, O>(self, handler: F) -> Router
    where
        F: Fn(IncomingRequest) -> O + Send + Sync + 'static,
        O: Future<Output: Handled> + Send + 'static,
    {
        self.on(Method::Message, handler)
    }

    /// For OPTIONS, which the agent answers itself unless [`Config::answers_options`](ringback_ua::Config::answers_options) is off.
    pub fn on_options<F, O>(self, handler: F) -> Router
    where
        F: Fn(IncomingRequest) -> O + Send + Sync + 'static,
        O: Future<Output: Handled> + Send + 'static,
    {
        self.on(Method::Options, handler)
    }

    /// For REFERs outside of a call; those within come as events of it. `[RFC 3515]`
    pub fn on_refer<F, O>(mut self, handler: F) -> Router
    where
        F: Fn(IncomingRefer) -> O + Send + Sync + 'static,
        O: Future<Output: Handled> + Send + 'static,
    {
        self.on_refer = Some(Arc::new(move |refer| {
            let handled = handler(refer);
            Box::pin(async move { handled.await.complaint() })
        }));
        self
    }

    /// For those who want to be told of a state, by a package that [`AgentBuilder::package`](super::AgentBuilder::package) has named.
    pub fn on_subscribe<F, O>(mut self, handler: F) -> Router
    where
        F: Fn(IncomingSubscription) -> O + Send + Sync + 'static,
        O: Future<Output: Handled> + Send + 'static,
    {
        self.on_subscribe = Some(Arc::new(move |subscription| {
            let handled = handler(subscription);
            Box::pin(async move { handled.await.complaint() })
        }));
        self
    }

    /// For another method, outside of calls. The last handler of a method counts.
    pub fn on<F, O>(mut self, method: Method, handler: F) -> Router
    where
        F: Fn(IncomingRequest) -> O + Send + Sync + 'static,
        O: Future<Output: Handled> + Send + 'static,
    {
        self.on.retain(|(known, _)| *known != method);
        self.on.push((method, on_request(handler)));
        self
    }

    /// For every other method but INVITE.
    pub fn fallback<F, O>(mut self, handler: F) -> Router
    where
        F: Fn(IncomingRequest) -> O + Send + Sync + 'static,
        O: Future<Output: Handled> + Send + 'static,
    {
        self.fallback = Some(on_request(handler));
        self
    }

    /// How many handlers may run at once: at least one, and [`HANDLERS_MAX`] where nothing is said.
    pub fn handlers_max(mut self, handlers_max: usize) -> Router {
        self.handlers_max = Some(handlers_max.max(1));
        self
    }

    pub(super) async fn serve(self, mut agent: Agent) {
        let places = Arc::new(Semaphore::new(self.handlers_max.unwrap_or(HANDLERS_MAX)));
        let mut handlers = JoinSet::new();
        loop {
            // A place first: what waits for one waits in the agent's queue, which has a limit.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let Some(incoming) = agent.incoming().await else { return };
            while let Some(ended) = handlers.try_join_next() {
                if let Err(error) = ended {
                    tracing::error!(%error, "a handler did not end by itself");
                }
            }
            if let Some((span, handling)) = self.handling(incoming) {
                let handled = async move {
                    if let Some(error) = handling.await {
                        tracing::warn!(error, "a handler failed");
                    }
                    drop(place);
                };
                handlers.spawn(handled.instrument(span));
            }
        }
    }

    fn handling(&self, incoming: Incoming) -> Option<(tracing::Span, Handling)> {
        match incoming {
            Incoming::Call(call) => {
                let span = span_of(call.request());
                let handling = match &self.on_invite {
                    Some(handler) => handler(call),
                    None => Box::pin(async { call.reject(StatusCode::TemporarilyUnavailable).await.complaint() }),
                };
                Some((span, handling))
            }
            Incoming::Request(request) => Some((span_of(request.request()), self.handling_of(request))),
            Incoming::Refer(refer) => {
                let span = span_of(refer.request());
                let handling = match &self.on_refer {
                    Some(handler) => handler(refer),
                    None => self.handling_of(refer.into_request()),
                };
                Some((span, handling))
            }
            Incoming::Subscription(subscription) => {
                let span = span_of(subscription.request());
                let handling = match &self.on_subscribe {
                    Some(handler) => handler(subscription),
                    None => self.handling_of(subscription.into_request()),
                };
                Some((span, handling))
            }
            Incoming::Other(event) => {
                tracing::debug!(?event, "nobody asked for this");
                None
            }
        }
    }

    fn handling_of(&self, request: IncomingRequest) -> Handling {
        let method = request.method();
        let own = self.on.iter().find(|(known, _)| *known == method).map(|(_, handler)| handler);
        match own.or(self.fallback.as_ref()) {
            Some(handler) => handler(request),
            None => {
                let mut allowed: Vec<Method> = self.on.iter().map(|(method, _)| method.clone()).collect();
                allowed.extend(self.on_refer.iter().map(|_| Method::Refer));
                allowed.extend(self.on_subscribe.iter().map(|_| Method::Subscribe));
                allowed.extend([Method::Invite, Method::Ack, Method::Bye, Method::Cancel, Method::Options]);
                Box::pin(async {
                    let status = StatusCode::MethodNotAllowed;
                    request.respond_with(status, move |response| response.allow_methods(allowed)).await.complaint()
                })
            }
        }
    }
}

fn on_request<F, O>(handler: F) -> OnRequest
where
    F: Fn(IncomingRequest) -> O + Send + Sync + 'static,
    O: Future<Output: Handled> + Send + 'static,
{
    Arc::new(move |request| {
        let handled = handler(request);
        Box::pin(async move { handled.await.complaint() })
    })
}

fn span_of(request: &Request) -> tracing::Span {
    tracing::info_span!("request", method = %request.method(), call_id = call_id_of(request))
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<&Method> = self.on.iter().map(|(method, _)| method).collect();
        f.debug_struct("Router")
            .field("on_invite", &self.on_invite.is_some())
            .field("on", &methods)
            .finish_non_exhaustive()
    }
}
