//! From settings to a running server, and to its end.

use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use ringback_auth::Algorithm;
use ringback_location_db::{LocationDb, Options, PURGE_MAX};
use ringback_stack::{Config, Listener};
use ringback_tokio::{Backends, Bound, Clock, Running};
use tokio::runtime::Builder;
use tokio::time::sleep;

use crate::accounts::{AccountStore, Accounts};
use crate::error::ServerError;
use crate::first_start::{announce, first_users};
use crate::folder::{LOCATION_FILE, make_data_folder};
use crate::listen;
use crate::secret;
use crate::settings::{DEFAULT_REALM, Domain, Settings};
use crate::signals::Signals;

/// What the version and Server say.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The secret of Record-Route, in the location database: calls that were set up before a restart go on after it.
const ROUTE_SECRET_KEY: &str = "route-secret";

/// How often bindings that ran out are looked for; while there are more than one look removes, the pause is short.
const PURGE_EVERY: Duration = Duration::from_secs(60);
const PURGE_PAUSE: Duration = Duration::from_millis(100);

/// How a server ended that was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// Nothing was open any more.
    Idle,
    /// What was open had its time.
    BoundRanOut,
    /// It was asked twice: open calls were left as they were, and stores that were not acknowledged may be lost.
    Interrupted,
}

/// Runs a server until a signal asks it to end, or it can't go on.
///
/// The first accounts are told to `announcements`, and nothing else is; what happens goes to the log.
///
/// # Errors
/// Where it does not start, or a part of it ends by itself.
pub fn serve(settings: &Settings, announcements: &mut dyn Write) -> Result<Ended, ServerError> {
    let main = Builder::new_current_thread().enable_all().build()?;
    main.block_on(async {
        let signals = Signals::watch()?;
        let server = Server::start(settings, announcements)?;
        server.run(signals, settings.drain).await
    })
}

/// A server at work.
#[derive(Debug)]
struct Server {
    running: Running,
    location: LocationDb,
    clock: Clock,
}

impl Server {
    /// Addresses first: where one of them can't be had, nothing is left behind.
    fn start(settings: &Settings, announcements: &mut dyn Write) -> Result<Server, ServerError> {
        let clock = Clock::start();
        let bound = Bound::open(&listen::addresses(&settings.listen)?, settings.shard_count())?;
        let listeners = bound.listeners();

        make_data_folder(&settings.data)?;
        let domain = settings.domain.as_ref().map_or(DEFAULT_REALM, Domain::as_str);
        let store = AccountStore::open(&settings.data, domain)?;
        let options = Options { durability: settings.durability, ..Options::default() };
        let path = settings.data.join(LOCATION_FILE);
        let location = LocationDb::open(&path, options, clock.now())?;

        let mut config = Config::new(domain, listeners.clone());
        config.realm = store.realm().to_owned();
        config.algorithms.clone_from(&settings.algorithms);
        config.route_secret =
            route_secret(&location).and_then(|found| found.ok_or(ServerError::LocationCorrupt(path)))?;
        config.server = Some(format!("Ringback/{VERSION}"));

        first_accounts(&store, announcements, &listeners, settings.domain.as_ref())?;
        let accounts = store.load()?;
        advise(settings, &store, &listeners);
        let (count, shards) = (accounts.len(), bound.shards());
        let accounts = Arc::new(Guarded { accounts, _store: store });
        let running = bound.start(&config, &Backends { location: location.clone(), accounts })?;
        let listeners =
            listeners.iter().map(|l| format!("{} {}", l.transport, l.address)).collect::<Vec<_>>().join(", ");
        tracing::info!(listeners, accounts = count, bindings = location.len(), shards, version = VERSION, "ready");
        Ok(Server { running, location, clock })
    }

    async fn run(mut self, mut signals: Signals, drain: Duration) -> Result<Ended, ServerError> {
        let signal = tokio::select! {
            signal = signals.next() => signal,
            failed = self.running.failed() => return Err(failed.into()),
            never = purge(&self.location, self.clock) => match never {},
        };
        tracing::info!(
            signal,
            bound_secs = drain.as_secs(),
            "ending: new requests are refused, open ones go on; the next signal ends at once"
        );
        let drained = tokio::select! {
            signal = signals.next() => {
                tracing::warn!(signal, "ending at once");
                return Ok(Ended::Interrupted);
            }
            drained = self.running.drain(drain) => drained?,
        };
        self.location.close()?;
        tracing::info!(was_idle = drained.was_idle, counters = ?drained.counters, "ended");
        Ok(if drained.was_idle { Ended::Idle } else { Ended::BoundRanOut })
    }
}

/// The accounts, and the lock on their database: nobody changes what would not be noticed.
struct Guarded {
    accounts: Accounts,
    _store: AccountStore,
}

impl ringback_tokio::Accounts for Guarded {
    fn find(&self, user: &str) -> Option<ringback_stack::Account> {
        self.accounts.find(user)
    }
}

/// Removes what ran out, for ever.
async fn purge(location: &LocationDb, clock: Clock) -> Infallible {
    loop {
        let purged = location.purge_expired(clock.now());
        sleep(if purged >= PURGE_MAX { PURGE_PAUSE } else { PURGE_EVERY }).await;
    }
}

/// The secret that was stored, or one that now is; `None` where something else is in its place.
fn route_secret(location: &LocationDb) -> Result<Option<[u8; 32]>, ServerError> {
    if let Some(stored) = location.meta_get(ROUTE_SECRET_KEY)? {
        return Ok(stored.try_into().ok());
    }
    let secret = secret::draw()?;
    location.meta_put(ROUTE_SECRET_KEY, &secret)?;
    Ok(Some(secret))
}

fn first_accounts(
    store: &AccountStore,
    out: &mut dyn Write,
    listeners: &[Listener],
    domain: Option<&Domain>,
) -> Result<(), ServerError> {
    let users = first_users()?;
    if store.start(&users)? {
        tracing::info!(
            accounts = users.len(),
            "first start: accounts were made, and their passwords told on standard output alone"
        );
        if let Err(error) = announce(out, &users, listeners, domain) {
            tracing::warn!(%error, "the passwords of the first accounts could not be told; set others with ringback user passwd");
        }
    }
    Ok(())
}

/// What an operator should know before somebody else does.
fn advise(settings: &Settings, store: &AccountStore, listeners: &[Listener]) {
    let realm = store.realm();
    if let Some(domain) = settings.domain.as_ref().filter(|domain| domain.as_str() != realm) {
        tracing::info!(realm, %domain, "the realm stays what it was at the first start, because the stored hashes hold it");
    }
    let only_md5 = settings.algorithms.iter().all(|algorithm| matches!(algorithm, Algorithm::Md5 | Algorithm::Md5Sess));
    if only_md5 && listeners.iter().any(|listener| !listener.address.ip().is_loopback()) {
        tracing::warn!("digest with MD5 alone over plain UDP: for trusted networks only");
    }
}
