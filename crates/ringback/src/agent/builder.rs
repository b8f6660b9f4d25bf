//! An agent, from its settings on.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ringback_auth::{Account, Password};
use ringback_base::Transport;
use ringback_message::{HeaderId, Method, RequestBuilder, Response, Uri};
use ringback_sdp::negotiate::{Endpoint, LocalMedia};
use ringback_tokio::ListenOn;
use ringback_tokio::agent::{self as tasks, AgentBound, AgentOptions};
use ringback_tokio::tls::Tls;
use ringback_transport::websocket::{Resource, ResourceError};
use ringback_ua::{CommandError, Config, Local, Media, Outbound, Package, ReferSubscription};
use tokio::net::{ToSocketAddrs, lookup_host};
use tokio::sync::mpsc;

use super::error::{AgentError, RequestFailed};
use super::incoming::Incoming;
use super::invite::Invite;
use super::registered::Register;
use super::router::Router;
use super::subscription::Subscribe;
use super::transfer::{Transfer, refer_to};
use crate::session;

/// What an agent is to be.
#[derive(Debug)]
#[must_use]
pub struct AgentBuilder {
    identity: Option<String>,
    name: String,
    media: Vec<LocalMedia>,
    accounts: Vec<Account>,
    packages: Vec<Package>,
    config: Config,
    options: AgentOptions,
    tls: Tls,
    websocket: Result<Resource, ResourceError>,
}

impl AgentBuilder {
    fn new() -> AgentBuilder {
        AgentBuilder {
            identity: None,
            name: String::new(),
            media: Vec::new(),
            accounts: Vec::new(),
            packages: Vec::new(),
            config: Config::new("", Vec::new()),
            options: AgentOptions::default(),
            tls: Tls::default(),
            websocket: Ok(Resource::default()),
        }
    }

    /// Our address of record: From of what we send, and its user part is that of our Contact. Where nothing is said it is the address
    /// that is bound.
    pub fn identity(mut self, aor: &str) -> AgentBuilder {
        if let Ok(Uri::Sip(uri)) = Uri::parse(aor.as_bytes(), HeaderId::From, 0) {
            self.config.user = uri.user.map(String::from_utf8_lossy).unwrap_or_default().into();
        }
        self.identity = Some(aor.into());
        self
    }

    /// Our name for people.
    pub fn name(mut self, name: &str) -> AgentBuilder {
        self.name = name.into();
        self
    }

    /// A stream that we have, received at the address that is bound: calls are offered it, and answered with it.
    pub fn media(mut self, media: LocalMedia) -> AgentBuilder {
        self.media.push(media);
        self
    }

    /// What challenges are answered with. [`Account`] says who may ask for it.
    pub fn account(mut self, account: Account) -> AgentBuilder {
        self.accounts.push(account);
        self
    }

    /// An event package that others can subscribe to here: those who ask come to [`Router::on_subscribe`].
    pub fn package(mut self, package: Package) -> AgentBuilder {
        self.packages.push(package);
        self
    }

    /// How many calls and requests may wait to be fetched; more are answered with 503.
    pub fn incoming_max(mut self, incoming_max: usize) -> AgentBuilder {
        self.options.incoming_max = incoming_max;
        self
    }

    /// What TLS is spoken with. With a certificate the agent is reached by TLS at the port behind that of UDP and TCP, or one that the
    /// kernel chooses like theirs; with roots it calls others by TLS, where their URI (`sips:`, `transport=tls`) or the records of
    /// their name say so, and where they prove to be who the URI names. `[RFC 5922, Section 7.3]`
    ///
    /// Without a certificate nobody can connect to it: who is to call it must send by the connection that it opened, as a registrar
    /// does.
    ///
    /// ```
    /// use ringback::agent::{Agent, Router};
    /// use ringback::base::Transport;
    /// use ringback::prelude::*;
    /// use ringback::tls::{Certificate, Roots, Tls, TlsClient, TlsClientOptions, TlsServer, TlsServerOptions};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    /// # let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    /// let certificate = Certificate::from_pem(chain.as_bytes(), key.as_bytes())?;
    /// let server = TlsServer::new(TlsServerOptions::new(vec![certificate]))?;
    /// let bob = Agent::builder().tls(Tls { server: Some(server), client: None }).bind("127.0.0.1:0").await?;
    /// let port = bob.address_by(Transport::Tls).ok_or("no TLS")?.port();
    /// tokio::spawn(bob.serve(Router::new().on_message(async |message| message.respond(StatusCode::Ok).await)));
    ///
    /// let client = TlsClient::new(TlsClientOptions::new(Roots::from_pem(chain.as_bytes())?))?;
    /// let alice = Agent::builder().tls(Tls { server: None, client: Some(client) }).bind("127.0.0.1:0").await?;
    /// let to = |host: &str| format!("sip:bob@{host}:{port};transport=tls");
    /// // The certificate says nothing of this address.
    /// assert!(alice.message(&to("127.0.0.1"), "hello").await.is_err());
    /// assert_eq!(alice.message(&to("localhost"), "hello").await?.status(), StatusCode::Ok);
    /// # Ok(())
    /// # }
    /// ```
    pub fn tls(mut self, tls: Tls) -> AgentBuilder {
        self.tls = tls;
        self
    }

    /// The path that servers of WebSocket are asked for, such as `/ws`; `/` where nothing is said.
    ///
    /// An agent opens a WebSocket where a URI or the records of a name say so: `sip:host;transport=ws`, and with TLS, for which it needs
    /// [roots](AgentBuilder::tls), `sips:host;transport=ws` or, as many write it, `sip:host;transport=wss`. It is reached by those that
    /// it has opened and by nothing else, so its Via and Contact end in `.invalid`, and its
    /// [registrar](super::Register::at) is asked through one. The far end must be whom the URI names, as with all of TLS here: a
    /// certificate with a wildcard is for nobody. `[RFC 7118, Section 5]`
    ///
    /// ```
    /// use ringback::agent::{Agent, Router};
    /// use ringback::prelude::*;
    /// use ringback::server::Server;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("b.example").open().websocket("127.0.0.1:0").bind("127.0.0.1:0").await?;
    /// let edge = format!("sip:{};transport=ws", server.websocket_address().ok_or("no WebSocket")?);
    ///
    /// let bob = Agent::builder().identity("sip:bob@b.example").websocket_path("/ws").bind("127.0.0.1:0").await?;
    /// let _registered = bob.register().at(&edge).await?;
    /// tokio::spawn(bob.serve(Router::new().on_message(async |message| message.respond(StatusCode::Ok).await)));
    ///
    /// let alice = Agent::builder().identity("sip:alice@b.example").bind("127.0.0.1:0").await?;
    /// let to = format!("sip:bob@{};transport=ws", server.websocket_address().ok_or("no WebSocket")?);
    /// assert_eq!(alice.message(&to, "hello").await?.status(), StatusCode::Ok);
    /// # Ok(())
    /// # }
    /// ```
    pub fn websocket_path(mut self, path: &str) -> AgentBuilder {
        self.websocket = path.parse();
        self
    }

    /// The same, with header fields that the opening handshake is to have, such as Origin, Cookie or Authorization.
    pub fn websocket_resource(mut self, resource: Resource) -> AgentBuilder {
        self.websocket = Ok(resource);
        self
    }

    /// Changes anything else of the core's settings, such as session timers or the methods that are allowed.
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> AgentBuilder {
        change(&mut self.config);
        self
    }

    /// Binds an address by UDP and TCP, and the one behind it by TLS where [`AgentBuilder::tls`] says so, and starts the agent on the runtime that this is called in. Port 0 lets the kernel choose; an
    /// unspecified address is refused, because Via and Contact could not name it.
    ///
    /// # Errors
    /// Where the address can't be had, or what WebSockets are asked for can't be.
    pub async fn bind(self, address: impl ToSocketAddrs) -> Result<Agent, AgentError> {
        let address = lookup_host(address).await.map_err(AgentError::System)?.next();
        let address = address.ok_or_else(|| AgentError::System(std::io::ErrorKind::NotFound.into()))?;
        let bound = AgentBound::open(&listeners(address, &self.tls)).map_err(AgentError::Bind)?.tls(self.tls);
        let resource =
            self.websocket.map_err(|error| AgentError::System(io::Error::new(io::ErrorKind::InvalidInput, error)));
        let bound = bound.websocket_resource(resource?);
        let (core, incoming) = bound.start(self.config, self.options).map_err(AgentError::System)?;
        let ip = core.locals().first().map_or(address.ip(), |local| local.address.ip());
        let endpoint = match self.media.is_empty() {
            true => None,
            false => Some(self.media.into_iter().fold(session::endpoint(ip), Endpoint::media)),
        };
        let at = core.locals().first().map_or(address, |local| local.address);
        let identity = self.identity.unwrap_or_else(|| format!("sip:{at}"));
        for account in self.accounts {
            core.add_account(account).await?;
        }
        if !self.packages.is_empty() {
            let packages = self.packages;
            core.with(move |agent, _| agent.set_packages(packages)).await?;
        }
        let own = Own { identity, name: self.name, endpoint, ip };
        Ok(Agent { handle: AgentHandle { core, own: Arc::new(own) }, incoming })
    }
}

/// An address by UDP and TCP; by TLS the port behind it, or one that the kernel chooses, where there is a certificate to show.
pub(crate) fn listeners(address: SocketAddr, tls: &Tls) -> Vec<ListenOn> {
    let port = if address.port() == 0 { Some(0) } else { address.port().checked_add(1) };
    let by_tls = tls.server.as_ref().and(port).map(|port| SocketAddr::new(address.ip(), port));
    let by_tls = by_tls.map(|address| ListenOn::by(Transport::Tls, address));
    std::iter::once(ListenOn::new(address)).chain(by_tls).collect()
}

/// What an agent says of itself.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) identity: String,
    pub(super) name: String,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) ip: IpAddr,
}

impl Own {
    /// What we have, where we have anything.
    pub(super) fn media(&self) -> Media {
        self.endpoint.clone().map_or(Media::None, Media::Endpoint)
    }
}

/// An agent, with what comes in. It ends when it is dropped, and with it all handles, calls and registrations.
#[derive(Debug)]
pub struct Agent {
    handle: AgentHandle,
    incoming: mpsc::Receiver<tasks::Incoming>,
}

impl Agent {
    /// One to be set up.
    pub fn builder() -> AgentBuilder {
        AgentBuilder::new()
    }

    /// The same agent, for those who call, register and send; it can be cloned.
    #[must_use]
    pub fn handle(&self) -> AgentHandle {
        self.handle.clone()
    }

    /// The next call or request that comes in. Dropping the future loses nothing.
    pub async fn incoming(&mut self) -> Option<Incoming> {
        let incoming = self.incoming.recv().await?;
        Some(Incoming::of(incoming, &self.handle))
    }

    /// Brings what comes in to the handlers of a [`Router`], for as long as this is awaited; calls that are being handled are let go of
    /// where it is dropped.
    pub async fn serve(self, router: Router) {
        router.serve(self).await;
    }
}

impl std::ops::Deref for Agent {
    type Target = AgentHandle;

    fn deref(&self) -> &AgentHandle {
        &self.handle
    }
}

/// An agent, for those who call, register and send. Clones are the same agent.
#[derive(Clone, Debug)]
pub struct AgentHandle {
    pub(super) core: tasks::Agent,
    pub(super) own: Arc<Own>,
}

impl AgentHandle {
    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.core.locals().first().map_or_else(|| SocketAddr::new(self.own.ip, 0), |local| local.address)
    }

    /// Where it is by this transport, if it is.
    #[must_use]
    pub fn address_by(&self, transport: Transport) -> Option<SocketAddr> {
        self.locals().iter().find(|local| local.transport == transport).map(|local| local.address)
    }

    /// Where it is, by each transport.
    #[must_use]
    pub fn locals(&self) -> &[Local] {
        self.core.locals()
    }

    /// Our address of record.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.own.identity
    }

    /// What is beneath: commands to the core, and its sessions.
    #[must_use]
    pub fn core(&self) -> &tasks::Agent {
        &self.core
    }

    /// Calls this URI: to be described further, and then awaited.
    pub fn invite(&self, uri: &str) -> Invite {
        Invite::new(self.clone(), uri)
    }

    /// Registers our address at its domain: to be described further, and then awaited. `[RFC 3261, Section 10.2]`
    pub fn register(&self) -> Register {
        Register::new(self.clone())
    }

    /// Answers challenges for it from now on.
    ///
    /// # Errors
    /// Where the agent has ended.
    pub async fn add_account(&self, account: Account) -> Result<(), AgentError> {
        Ok(self.core.add_account(account).await?)
    }

    /// Sends a request outside of a call, such as OPTIONS; `fill` adds to it. The final response, whatever it is.
    ///
    /// # Errors
    /// Where there is no final response, or the request can't be built.
    pub async fn request(
        &self,
        method: Method,
        uri: &str,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder + Send + 'static,
    ) -> Result<Response, RequestFailed> {
        let requesting = self.core.request(self.outbound(uri), method, fill).await.map_err(RequestFailed::Command)?;
        requesting.outcome().await.map_err(RequestFailed::Failed)
    }

    /// Sends a text. The final response, whatever it is. `[RFC 3428]`
    ///
    /// # Errors
    /// As [`AgentHandle::request`].
    pub async fn message(&self, uri: &str, text: &str) -> Result<Response, RequestFailed> {
        let text = text.to_owned();
        self.request(Method::Message, uri, move |request| request.content_type("text/plain").body(text)).await
    }

    /// Asks somebody to call a URI, outside of any call: whether it does is its own affair. `[RFC 3515]`
    ///
    /// # Errors
    /// Where it is no URI, or there is no room for more.
    pub async fn refer(&self, uri: &str, to_call: &str) -> Result<Transfer, CommandError> {
        let refer_to = refer_to(to_call)?;
        let referring = self.core.refer(self.outbound(uri), &refer_to, None, ReferSubscription::Implicit).await?;
        Ok(Transfer::new(referring))
    }

    /// Subscribes to the state of a URI, by this event package: to be described further, and then awaited. `[RFC 6665, Section 4.1.2]`
    pub fn subscribe(&self, uri: &str, package: &str) -> Subscribe {
        Subscribe::new(self.clone(), uri, package)
    }

    pub(super) fn outbound(&self, uri: &str) -> Outbound {
        Outbound { from_name: self.own.name.clone(), ..Outbound::new(&self.own.identity, uri) }
    }
}

/// A user's name and password, for whoever asks at the host of this URI.
pub(super) fn account_for(uri: &str, user: &str, password: &str) -> Account {
    let account = Account::for_any_realm(user, Password::new(password));
    match Uri::parse(uri.as_bytes(), HeaderId::To, 0) {
        Ok(Uri::Sip(uri)) => account.at(String::from_utf8_lossy(uri.host).into_owned()),
        // It can't be sent anywhere, and so nobody asks.
        _ => account.at(""),
    }
}
