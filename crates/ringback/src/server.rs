//! A server in this process: registrar, redirect server or forking proxy, in front of users that are bound to addresses.
//!
//! ```
//! use ringback::server::Server;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::builder("biloxi.example.com").account("bob", "wonderland").bind("127.0.0.1:0").await?;
//! println!("{} by UDP and TCP", server.address());
//! server.drain(std::time::Duration::from_secs(1)).await?;
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ringback_auth::{Algorithm, Ha1Set, Password};
use ringback_base::Transport;
use ringback_location_db::{LocationDb, Options};
use ringback_stack::{Account, Config};
use ringback_tokio::tls::Tls;
use ringback_tokio::{Accounts, Backends, Bound, Clock, Drained, ListenOn, Running};
use tokio::net::{ToSocketAddrs, lookup_host};

use crate::agent::builder::listeners;

/// What a server is to be. Where nothing else is said it keeps registrations in memory, asks users for their passwords, and relays
/// requests to all contacts of a user, in the order of their q. `[RFC 3261, Section 16]`
#[must_use]
pub struct ServerBuilder {
    config: Config,
    passwords: BTreeMap<String, Password>,
    store: Option<PathBuf>,
    shards: u16,
    tls: Tls,
    websocket: Option<String>,
}

impl ServerBuilder {
    /// A user of the domain. Its From, To and Request-URI are `sip:user@domain`.
    pub fn account(mut self, user: &str, password: &str) -> ServerBuilder {
        self.passwords.insert(user.into(), Password::new(password));
        self
    }

    /// The digest algorithms that are offered, the preferred one first; MD5 alone where nothing is said, because there are phones that
    /// give up where they are offered another as well. `[RFC 8760, Section 2.3]`
    pub fn algorithms(mut self, algorithms: &[Algorithm]) -> ServerBuilder {
        self.config.algorithms = algorithms.to_vec();
        self
    }

    /// Everybody exists, and nobody is asked for a password: for closed test networks.
    pub fn open(mut self) -> ServerBuilder {
        self.config.open = true;
        self
    }

    /// Answers requests for users with 302 and their contacts, in the place of relaying. `[RFC 3261, Section 8.3]`
    pub fn redirect(mut self) -> ServerBuilder {
        self.config.redirect = true;
        self
    }

    /// Keeps registrations in this file, which outlives the process.
    pub fn store(mut self, path: impl Into<PathBuf>) -> ServerBuilder {
        self.store = Some(path.into());
        self
    }

    /// How many threads serve; one where nothing is said.
    pub fn shards(mut self, shards: u16) -> ServerBuilder {
        self.shards = shards;
        self
    }

    /// What TLS is spoken with; its server is what makes the server listen by TLS too, at the port behind that of UDP and TCP, or one
    /// that the kernel chooses like theirs.
    pub fn tls(mut self, tls: Tls) -> ServerBuilder {
        self.tls = tls;
        self
    }

    /// An address where WebSockets are opened too, of browsers and agents: with TLS where [`ServerBuilder::tls`] has a certificate.
    /// Of pages those of the same host are let in. `[RFC 7118, Section 4.1]`
    pub fn websocket(mut self, address: &str) -> ServerBuilder {
        self.websocket = Some(address.into());
        self
    }

    /// Changes anything else, such as timers and limits.
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> ServerBuilder {
        change(&mut self.config);
        self
    }

    /// Binds an address by UDP and TCP, and begins to serve. Port 0 lets the kernel choose.
    ///
    /// # Errors
    /// Where the address, the file, threads or randomness can't be had.
    pub async fn bind(mut self, address: impl ToSocketAddrs) -> Result<Server, ServerError> {
        let address = lookup_host(address).await?.next().ok_or(io::ErrorKind::NotFound)?;
        let mut listen = listeners(address, &self.tls);
        if let Some(address) = &self.websocket {
            let address = lookup_host(address).await?.next().ok_or(io::ErrorKind::NotFound)?;
            let transport = if self.tls.server.is_some() { Transport::Wss } else { Transport::Ws };
            listen.push(ListenOn::by(transport, address));
        }
        let bound = Bound::open(&listen, self.shards)?.tls(self.tls);
        let now = Clock::start().now();
        let location = match &self.store {
            Some(path) => LocationDb::open(path, Options::default(), now),
            None => LocationDb::in_memory(Options::default(), now),
        };
        let location = location.map_err(ServerError::of)?;
        getrandom::fill(&mut self.config.route_secret).map_err(|error| io::Error::other(error.to_string()))?;
        let realm = self.config.realm.clone();
        let hashed = self.passwords.iter().map(|(user, password)| (user.clone(), Ha1Set::of(user, &realm, password)));
        let users = Users(hashed.collect());
        let running = bound.start(&self.config, &Backends { location: location.clone(), accounts: Arc::new(users) });
        Ok(Server { running: running.map_err(ServerError::of)?, location })
    }
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let users: Vec<&String> = self.passwords.keys().collect();
        f.debug_struct("ServerBuilder")
            .field("domain", &self.config.domain)
            .field("users", &users)
            .finish_non_exhaustive()
    }
}

/// Who has an account.
struct Users(BTreeMap<String, Ha1Set>);

impl Accounts for Users {
    fn find(&self, user: &str) -> Option<Account> {
        self.0.get(user).map(|ha1s| Account { ha1s: *ha1s, redirect: false })
    }
}

/// A server at work. It ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    running: Running,
    location: LocationDb,
}

impl Server {
    /// One to be set up for a domain, which is also the realm of its challenges. The addresses that it listens on, and `localhost` on a
    /// loopback one, name the same users.
    pub fn builder(domain: &str) -> ServerBuilder {
        let mut config = Config::new(domain, Vec::new());
        config.algorithms = Vec::from([Algorithm::Md5]);
        ServerBuilder {
            config,
            passwords: BTreeMap::new(),
            store: None,
            shards: 1,
            tls: Tls::default(),
            websocket: None,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.running.listeners().first().map_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)), |first| first.address)
    }

    /// Where WebSockets are opened, if anywhere.
    #[must_use]
    pub fn websocket_address(&self) -> Option<SocketAddr> {
        let mut listeners = self.running.listeners().iter();
        let by_socket = listeners.find(|listener| matches!(listener.transport, Transport::Ws | Transport::Wss));
        by_socket.map(|listener| listener.address)
    }

    /// What is behind: counters, and the end.
    #[must_use]
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Where users are bound to.
    #[must_use]
    pub fn location(&self) -> &LocationDb {
        &self.location
    }

    /// Serves until `end` is there; then what is new is refused, and what is open has so long to end.
    ///
    /// # Errors
    /// Where a part of it ends by itself, which is a defect.
    pub async fn run_until(mut self, end: impl Future<Output = ()>, bound: Duration) -> Result<Drained, ServerError> {
        tokio::select! {
            () = end => self.drain(bound).await,
            ended = self.running.failed() => Err(ServerError::of(ended)),
        }
    }

    /// Refuses what is new, waits until nothing is open or `bound` has passed, and ends.
    ///
    /// # Errors
    /// Where a part of it has ended by itself, which is a defect.
    pub async fn drain(self, bound: Duration) -> Result<Drained, ServerError> {
        let drained = self.running.drain(bound).await.map_err(ServerError::of)?;
        self.location.close().map_err(ServerError::of)?;
        Ok(drained)
    }
}

/// A server can't be had, or ended by itself.
#[derive(Debug)]
pub struct ServerError(Box<dyn Error + Send + Sync>);

impl ServerError {
    fn of(error: impl Error + Send + Sync + 'static) -> ServerError {
        ServerError(Box::new(error))
    }
}

impl From<io::Error> for ServerError {
    fn from(error: io::Error) -> ServerError {
        ServerError::of(error)
    }
}

impl From<io::ErrorKind> for ServerError {
    fn from(kind: io::ErrorKind) -> ServerError {
        ServerError::of(io::Error::from(kind))
    }
}

impl From<ringback_tokio::BindError> for ServerError {
    fn from(error: ringback_tokio::BindError) -> ServerError {
        ServerError::of(error)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for ServerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
