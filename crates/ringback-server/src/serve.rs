//! From settings to a running server, and to its end.

use std::convert::Infallible;
use std::io::Write;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ringback_auth::Algorithm;
use ringback_base::Transport;
use ringback_location_db::{LocationDb, PURGE_MAX};
use ringback_stack::Listener;
use ringback_tokio::{Backends, Bound, Clock, Running, TcpLimits};
use tokio::runtime::Builder;
use tokio::time::sleep;

use crate::compose::{Plan, VERSION, stack_config};
use crate::counters::Counters;
use crate::error::ServerError;
use crate::files;
use crate::folder::{LOCATION_FILE, make_data_folder};
use crate::renewal::Renewal;
use crate::secret;
use crate::settings::Settings;
use crate::signals::{Asked, Signals};
use crate::tls::TlsFiles;
use crate::users::Users;

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
    tls: Option<TlsFiles>,
    renewal: Renewal,
    clock: Clock,
}

impl Server {
    /// Addresses first: where one of them can't be had, nothing is left behind.
    fn start(settings: &Settings, announcements: &mut dyn Write) -> Result<Server, ServerError> {
        let clock = Clock::start();
        let plan = Plan::of(settings)?;
        let shards = settings.shard_count();
        let connections_max = files::connections_max(settings.tcp.connections_max, shards, plan.addresses.len());
        let tcp_limits = TcpLimits { connections_max, ..settings.tcp };
        let bound = Bound::open(&plan.addresses, shards)?.tcp_limits(tcp_limits).dns(settings.dns.clone());
        let bound = bound.proxies(settings.proxies.clone());
        let bound = bound.admission(settings.admission.clone());
        let listeners = plan.advertise(bound.listeners());

        make_data_folder(&settings.data)?;
        let speaks_tls = listeners.iter().any(|listener| matches!(listener.transport, Transport::Tls | Transport::Wss));
        let tls = speaks_tls.then(|| TlsFiles::read(settings, &listeners)).transpose()?;
        let bound = bound.tls(tls.as_ref().map(TlsFiles::tls).unwrap_or_default());
        let users = Users::open(settings, announcements, &listeners)?;
        let path = settings.data.join(LOCATION_FILE);
        let location = LocationDb::open(&path, settings.location.clone(), clock.now())?;
        let secret = route_secret(&location).and_then(|found| found.ok_or(ServerError::LocationCorrupt(path)))?;
        let config = stack_config(settings, &listeners, &users.realm, secret);

        advise(settings, &users.realm, &listeners);
        let (count, shards) = (users.accounts.len(), bound.shards());
        let running = bound.start(&config, &Backends { location: location.clone(), accounts: Arc::new(users) })?;
        let listeners = listeners.iter().map(told).collect::<Vec<_>>().join(", ");
        tracing::info!(listeners, accounts = count, bindings = location.len(), shards, version = VERSION, "ready");
        let renewal = Renewal::of(tls.is_some().then_some(&settings.tls));
        Ok(Server { running, location, tls, renewal, clock })
    }

    async fn run(mut self, mut signals: Signals, drain: Duration) -> Result<Ended, ServerError> {
        let signal = self.asked_to_end(&mut signals).await?;
        tracing::info!(
            signal,
            bound_secs = drain.as_secs(),
            "ending: new requests are refused, open ones go on; the next signal ends at once"
        );
        let drained = tokio::select! {
            signal = signals.next_end() => {
                tracing::warn!(signal, "ending at once");
                return Ok(Ended::Interrupted);
            }
            drained = self.running.drain(drain) => drained?,
        };
        let counters = Counters::of(&drained.tallies, &drained.counters, &self.location.stats());
        self.location.close()?;
        let (limits_reached, was_idle) = (counters.limits_reached(), drained.was_idle);
        tracing::info!(was_idle, limits_reached, %counters, "ended");
        Ok(if drained.was_idle { Ended::Idle } else { Ended::BoundRanOut })
    }

    /// Works until a signal asks for the end, and tells its name.
    async fn asked_to_end(&mut self, signals: &mut Signals) -> Result<&'static str, ServerError> {
        let mut purging = pin!(purge(&self.location, self.clock));
        loop {
            tokio::select! {
                asked = signals.next() => match asked {
                    Asked::End(signal) => return Ok(signal),
                    Asked::Counters => self.tell_counters().await,
                    Asked::Reload => {
                        self.renewal.note_read();
                        reload(self.tls.as_ref());
                    }
                },
                () = self.renewal.renewed() => reload(self.tls.as_ref()),
                failed = self.running.failed() => return Err(failed.into()),
                never = &mut purging => match never {},
            }
        }
    }

    async fn tell_counters(&self) {
        let counters = Counters::of(&self.running.tallies().await, &self.running.counters(), &self.location.stats());
        tracing::info!(connections = self.running.connections(), limits_reached = counters.limits_reached(), %counters, "counters");
    }
}

/// Reads the files of TLS again. Everything else stays as it was at the start.
fn reload(tls: Option<&TlsFiles>) {
    match tls.map(TlsFiles::read_again) {
        None => tracing::info!("nothing to read again: no listener speaks TLS"),
        Some(Ok(())) => tracing::info!("the files of TLS were read again; connections that are open go on"),
        Some(Err(error)) => {
            tracing::error!(%error, "the files of TLS can't be used; the server goes on with what it had")
        }
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

/// A listener as the log names it.
fn told(listener: &Listener) -> String {
    let address = format!("{} {}", listener.transport, listener.address);
    match &listener.advertised {
        Some(name) => format!("{address} as {name}"),
        None => address,
    }
}

/// What an operator should know before somebody else does.
fn advise(settings: &Settings, realm: &str, listeners: &[Listener]) {
    if let Some(domain) = settings.domain.as_ref().filter(|domain| domain.as_str() != realm && settings.realm.is_none())
    {
        tracing::info!(realm, %domain, "the realm stays what it was at the first start, because the stored hashes hold it");
    }
    if listeners.iter().all(|listener| listener.address.ip().is_loopback()) {
        return;
    }
    let only_md5 = settings.algorithms.iter().all(|algorithm| matches!(algorithm, Algorithm::Md5 | Algorithm::Md5Sess));
    if settings.open {
        tracing::warn!(
            "an open domain: anybody who reaches this server registers as anybody; for closed test networks only"
        );
    } else if only_md5 {
        tracing::warn!("digest with MD5 alone over plain UDP: for trusted networks only");
    }
}
