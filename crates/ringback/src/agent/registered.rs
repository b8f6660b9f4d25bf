//! A registration that is kept up.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use ringback_auth::Account;
use ringback_base::Transport;
use ringback_message::{HeaderId, Uri};
use ringback_tokio::agent::{Registering, RegistrationTold};
use ringback_transport::resolve::Aim;
use ringback_ua::{CommandError, Failure, RegistrationConfig, RegistrationEvent};
use tracing::Instrument as _;

use super::builder::{AgentHandle, account_for};
use super::error::RegisterFailed;

/// A registration to be made: awaited, it is a [`Registered`] once the registrar has our contact, or a [`RegisterFailed`].
#[must_use = "nothing is registered before it is awaited"]
pub struct Register {
    agent: AgentHandle,
    registrar: Option<String>,
    expires_secs: Option<u32>,
    transport: Option<Transport>,
    outbound: Option<(String, u32)>,
    account: Option<Account>,
}

impl Register {
    pub(super) fn new(agent: AgentHandle) -> Register {
        Register { agent, registrar: None, expires_secs: None, transport: None, outbound: None, account: None }
    }

    /// The URI of the registrar, where it isn't our domain. `[RFC 3261, Section 10.2]`
    pub fn at(mut self, registrar: &str) -> Register {
        self.registrar = Some(registrar.into());
        self
    }

    /// How long it shall last before it is refreshed, in seconds; an hour where nothing is said.
    pub fn expires_secs(mut self, expires_secs: u32) -> Register {
        self.expires_secs = Some(expires_secs);
        self
    }

    /// By which transport we want to be called; where nothing is said by UDP, and by the WebSocket that leads to the registrar where its
    /// URI asks for one.
    pub fn transport(mut self, transport: Transport) -> Register {
        self.transport = Some(transport);
        self
    }

    /// Asks the registrar to remember the connection, or mapping, that this device has registered by, and keeps that open: `instance` is
    /// the URN of the device, the same for as long as it lives, and `reg_id` tells its flows apart, from 1 up.
    /// `[RFC 5626, Section 4.2]`
    pub fn outbound(mut self, instance: &str, reg_id: u32) -> Register {
        self.outbound = Some((instance.into(), reg_id));
        self
    }

    /// Answers the challenges of the registrar with these, and nobody else's.
    pub fn credentials(mut self, user: &str, password: &str) -> Register {
        let registrar = self.registrar.clone().unwrap_or_else(|| self.agent.identity().to_owned());
        self.account = Some(account_for(&registrar, user, password));
        self
    }

    /// The same, where [`Account`] says who may ask.
    pub fn account(mut self, account: Account) -> Register {
        self.account = Some(account);
        self
    }

    async fn register(self) -> Result<Registered, RegisterFailed> {
        let registrar = self.registrar.as_deref().unwrap_or_else(|| self.agent.identity());
        let transport = self.transport.or_else(|| websocket_of(registrar)).unwrap_or(Transport::Udp);
        let contact = self.agent.core.with(move |agent, _| agent.contact_uri(transport).ok_or(NO_TRANSPORT)).await;
        let mut config = RegistrationConfig::new(self.agent.identity(), &contact.map_err(RegisterFailed::Command)?);
        config.registrar = self.registrar;
        if let Some((instance, reg_id)) = self.outbound {
            (config.instance, config.reg_id) = (Some(instance), Some(reg_id));
            Arc::make_mut(&mut config.policy).keeps_alive = true;
        }
        config.expires_secs = self.expires_secs.or(config.expires_secs);
        let registering = self.agent.core.register(config, self.account).await;
        let mut registered = Registered { registering: registering.map_err(RegisterFailed::Command)? };
        loop {
            let Some(RegistrationTold { event, response, failure }) = registered.registering.next().await else {
                return Err(RegisterFailed::Command(CommandError::Unknown));
            };
            let refused = |status| match (response, failure) {
                (Some(response), _) => RegisterFailed::Refused(Box::new(response)),
                (None, Some(failure @ Failure::Connection(_))) => RegisterFailed::Unreached(failure),
                (None, _) => RegisterFailed::Failed(status),
            };
            match event {
                RegistrationEvent::Registered { .. } => return Ok(registered),
                RegistrationEvent::NotBound { .. } => return Err(RegisterFailed::NotBound),
                RegistrationEvent::Failed { status, .. }
                | RegistrationEvent::Redirected { status }
                | RegistrationEvent::Refused { status } => return Err(refused(status)),
                _ => {}
            }
        }
    }
}

/// The transport of a URI that asks for a WebSocket: nobody is called by another who has come by one. `[RFC 7118, Section 5]`
fn websocket_of(uri: &str) -> Option<Transport> {
    let Ok(Uri::Sip(uri)) = Uri::parse(uri.as_bytes(), HeaderId::Other, 0) else { return None };
    let transport = Aim::of_uri(&uri, false).ok()?.transport();
    matches!(transport, Transport::Ws | Transport::Wss).then_some(transport)
}

const NO_TRANSPORT: CommandError = CommandError::State("the agent has no address of this transport");

impl IntoFuture for Register {
    type Output = Result<Registered, RegisterFailed>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Registered, RegisterFailed>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let span = tracing::info_span!("register", aor = self.agent.identity());
        Box::pin(self.register().instrument(span))
    }
}

impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Register")
            .field("registrar", &self.registrar)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// A registration that is kept up: refreshed before it runs out, and tried again where that fails. Dropping it takes our contact back.
#[derive(Debug)]
pub struct Registered {
    registering: Registering,
}

impl Registered {
    /// Registers again now, and not when it is due, as after a change of the network: what comes of it is told by
    /// [`Registered::event`].
    ///
    /// # Errors
    /// Where the agent has ended.
    pub async fn refresh(&self) -> Result<(), CommandError> {
        self.registering.refresh().await
    }

    /// The latest that it tells: that it was refreshed, that it failed and when it is tried again. `None` where the agent has ended.
    pub async fn event(&mut self) -> Option<RegistrationTold> {
        self.registering.next().await
    }
}
