//! Starting the shards, watching them, ending them.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ringback_base::{KeyedHash, Random, Transport};
use ringback_stack::{AuthConfigError, Config, Listener, Stack};
use ringback_transport::websocket::Admission;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::bind::{BindError, ListenOn, Opened, open_all};
use crate::clock::Clock;
use crate::counters::{IoCounters, LiveCounters};
use crate::dns::{DnsClient, DnsOptions};
use crate::icmp::UNREACHABLES_MAX;
use crate::inbox::Inbox;
use crate::lookups::{ANSWERS_MAX, Backends, Lookups};
use crate::network::Network;
use crate::ring::{CARRIED_MAX, Carried, Entrance, HANDED_MAX, Handed, Ring};
use crate::shard::{Inboxes, Links, Phase, Ports, Shard};
use crate::socket::Socket;
use crate::tally::{Tally, TallyWanted};
use crate::tcp::limits::TcpLimits;
use crate::tcp::table::Connections;
use crate::tcp::{self, census::Census};
use crate::tls::Tls;

/// How long a shard may take to end once it was told to; beyond it the process ends without it.
const STOP_WAIT: Duration = Duration::from_secs(1);

/// Sockets that are bound but not read yet.
#[derive(Debug)]
pub struct Bound {
    opened: Vec<Opened>,
    shards: u16,
    tcp_limits: TcpLimits,
    tls: Tls,
    admission: Admission,
    dns: DnsOptions,
    proxies: Arc<[Network]>,
}

impl Bound {
    /// Binds each address once for each shard and transport: all of them, or none. On systems other than Unix there is one shard,
    /// whatever is asked for.
    ///
    /// # Errors
    /// For the first address that can't be had.
    pub fn open(addresses: &[ListenOn], shards: u16) -> Result<Bound, BindError> {
        let shards = if cfg!(unix) { shards.max(1) } else { 1 };
        Ok(Bound {
            opened: open_all(addresses, shards)?,
            shards,
            tcp_limits: TcpLimits::default(),
            tls: Tls::default(),
            admission: Admission::default(),
            dns: DnsOptions::default(),
            proxies: Arc::default(),
        })
    }

    /// Other limits for connections than the default ones.
    #[must_use]
    pub fn tcp_limits(self, tcp_limits: TcpLimits) -> Bound {
        Bound { tcp_limits, ..self }
    }

    /// What TLS is spoken with.
    #[must_use]
    pub fn tls(self, tls: Tls) -> Bound {
        Bound { tls, ..self }
    }

    /// Whom WebSockets are opened with, where pages of the same host are not what is meant.
    #[must_use]
    pub fn admission(self, admission: Admission) -> Bound {
        Bound { admission, ..self }
    }

    /// Other name servers than the system's, and other limits for what is kept of their answers.
    #[must_use]
    pub fn dns(self, dns: DnsOptions) -> Bound {
        Bound { dns, ..self }
    }

    /// Load balancers, by their networks: each connection of theirs begins with a header of the PROXY protocol, version 2, and counts as
    /// one of whom it names. One without a header is closed, and so is one that doesn't say it in time.
    #[must_use]
    pub fn proxies(self, proxies: Vec<Network>) -> Bound {
        Bound { proxies: proxies.into(), ..self }
    }

    /// What is listened on, with the ports that the kernel chose: each address by UDP, then by its stream.
    #[must_use]
    pub fn listeners(&self) -> Vec<Listener> {
        let listeners = |opened: &Opened| {
            let address = opened.address;
            opened.transports().map(move |transport| Listener::new(transport, address)).collect::<Vec<_>>()
        };
        self.opened.iter().flat_map(listeners).collect()
    }

    /// How many shards there will be.
    #[must_use]
    pub fn shards(&self) -> u16 {
        self.shards
    }

    /// Starts a thread for each shard. Listeners and shard number of the configuration are filled in here, and the secret of nonces if
    /// it is missing; a listener of the configuration that is one of ours keeps what it says besides its address.
    ///
    /// # Errors
    /// Where the system refuses threads or randomness, or the configuration contradicts itself; then nothing runs.
    pub fn start(self, config: &Config, backends: &Backends) -> Result<Running, StartError> {
        let mut config = config.clone();
        config.listeners = self.listeners_of(&config.listeners);
        // A nonce that another shard made is out of date here, not forged: all of them must know it as one of ours.
        config.nonce_secret = match config.nonce_secret {
            Some(secret) => Some(secret),
            None => Some(random_bytes()?),
        };
        let Bound { opened, shards: count, tcp_limits, tls, admission, dns, proxies } = self;
        let (ended_sender, ended) = mpsc::unbounded_channel();
        let common = Common {
            hash: random_hash()?,
            clock: Clock::start(),
            backends,
            dns: DnsClient::start(&dns)?,
            tcp: tcp::table::Common {
                admission: admission.into(),
                proxies,
                ..tcp::table::Common::new(tcp_limits, tls)
            },
        };
        let (entrances, exits): (Vec<_>, Vec<_>) = (0..count).map(|_| entrance()).unzip();
        let mut opened: Vec<_> = opened.into_iter().map(Shared::new).collect();
        let mut ready = Vec::new();
        let mut shards = Vec::new();
        for (index, exit) in (0..count).zip(exits) {
            let runtime = runtime()?;
            config.shard = index;
            let stack = Stack::new(config.clone(), Random::from_seed(random_bytes()?))?;
            let ring = Ring { hash: common.hash, index, shards: entrances.clone() };
            let guard = runtime.enter();
            let (handle, shard) = common.join_up(stack, &mut opened, ring, exit)?;
            drop(guard);
            ready.push((runtime, shard, EndGuard { shard: index, ended: ended_sender.clone() }));
            shards.push(handle);
        }
        for ((runtime, shard, guard), handle) in ready.into_iter().zip(&mut shards) {
            let name = format!("shard-{}", guard.shard);
            handle.thread = Some(thread::Builder::new().name(name).spawn(move || run(&runtime, shard, guard))?);
        }
        Ok(Running { shards, ended, listeners: config.listeners, census: common.tcp.census })
    }

    fn listeners_of(&self, config: &[Listener]) -> Vec<Listener> {
        let same =
            |ours: &Listener, theirs: &Listener| (ours.transport, ours.address) == (theirs.transport, theirs.address);
        let known = |ours: Listener| config.iter().find(|theirs| same(&ours, theirs)).cloned().unwrap_or(ours);
        self.listeners().into_iter().map(known).collect()
    }
}

/// The sockets of one address, of which each shard takes its own.
struct Shared {
    address: SocketAddr,
    stream: Transport,
    sockets: std::vec::IntoIter<UdpSocket>,
    acceptors: std::vec::IntoIter<TcpListener>,
}

impl Shared {
    fn new(opened: Opened) -> Shared {
        let (address, stream) = (opened.address, opened.stream());
        Shared { address, stream, sockets: opened.sockets.into_iter(), acceptors: opened.acceptors.into_iter() }
    }
}

type Exit = (mpsc::Receiver<Handed>, mpsc::Receiver<Carried>);

fn entrance() -> (Entrance, Exit) {
    let ((handed, taken), (carried, sent)) = (mpsc::channel(HANDED_MAX), mpsc::channel(CARRIED_MAX));
    (Entrance { handed, carried }, (taken, sent))
}

/// What all shards are given.
struct Common<'a> {
    hash: KeyedHash,
    clock: Clock,
    backends: &'a Backends,
    dns: DnsClient,
    tcp: tcp::table::Common,
}

impl Common<'_> {
    /// Within the runtime of that shard.
    fn join_up(
        &self,
        stack: Stack,
        opened: &mut [Shared],
        ring: Ring,
        exit: Exit,
    ) -> Result<(Handle, Shard), StartError> {
        let counters = Arc::new(LiveCounters::default());
        let generation = getrandom::u32()?;
        let connections = Connections::new(ring.index, generation, self.tcp.clone(), Arc::clone(&counters));
        let mut ports = Ports { sockets: Vec::new(), connections };
        let (told, unreachables) = mpsc::channel(UNREACHABLES_MAX);
        for Shared { address, stream, sockets, acceptors } in opened {
            if let Some(socket) = sockets.next() {
                ports.sockets.push(Socket::new(socket, *address, told.clone())?);
            }
            if let Some(acceptor) = acceptors.next() {
                ports.connections.listen(acceptor, *stream, *address)?;
            }
        }
        let (phase, phases) = mpsc::channel(2);
        let (tally, tallies) = mpsc::channel(1);
        let (answer, answers) = mpsc::channel(ANSWERS_MAX);
        let (idle_sender, idle) = watch::channel(false);
        let lookups = Lookups::new(self.backends.clone(), self.dns.clone(), answer, Arc::clone(&counters), self.clock);
        let (handed, carried) = exit;
        let inboxes = Inboxes {
            handed: Inbox::new(handed),
            carried: Inbox::new(carried),
            answers: Inbox::new(answers),
            unreachables: Inbox::new(unreachables),
            phases: Inbox::new(phases),
            tallies: Inbox::new(tallies),
        };
        let links = Links { inboxes, ring, counters: Arc::clone(&counters), clock: self.clock, idle: idle_sender };
        Ok((Handle { thread: None, phase, tally, idle, counters }, Shard::new(stack, ports, lookups, links)))
    }
}

fn run(runtime: &Runtime, shard: Shard, guard: EndGuard) {
    runtime.block_on(shard.run());
    drop(guard);
}

/// Tells of the end of a shard, also when it panics.
#[derive(Debug)]
struct EndGuard {
    shard: u16,
    ended: mpsc::UnboundedSender<u16>,
}

impl Drop for EndGuard {
    fn drop(&mut self) {
        // Where nobody listens any more, nobody wants to know.
        _ = self.ended.send(self.shard);
    }
}

#[derive(Debug)]
struct Handle {
    thread: Option<JoinHandle<()>>,
    phase: mpsc::Sender<Phase>,
    tally: mpsc::Sender<TallyWanted>,
    idle: watch::Receiver<bool>,
    counters: Arc<LiveCounters>,
}

/// Shards at work. Dropping it ends them at once, without waiting for them.
#[derive(Debug)]
pub struct Running {
    shards: Vec<Handle>,
    ended: mpsc::UnboundedReceiver<u16>,
    listeners: Vec<Listener>,
    census: Arc<Census>,
}

impl Running {
    /// What is listened on.
    #[must_use]
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// What the sockets and channels of all shards counted.
    #[must_use]
    pub fn counters(&self) -> IoCounters {
        let mut sum = IoCounters::default();
        self.shards.iter().for_each(|shard| shard.counters.add_to(&mut sum));
        sum
    }

    /// What the stack of each shard counted. One that does not answer within a second is left out.
    pub async fn tallies(&self) -> Vec<Tally> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let (wanted, tally) = oneshot::channel();
            let asked = async {
                shard.tally.send(wanted).await.ok()?;
                tally.await.ok()
            };
            all.extend(timeout(STOP_WAIT, asked).await.ok().flatten());
        }
        all
    }

    /// How many TCP connections there are, opened ones and ones that are being opened.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.census.len()
    }

    /// Waits until a shard ends without having been told to, which is a defect: its calls are lost, and the process should end.
    ///
    /// Dropping the future loses nothing.
    pub async fn failed(&mut self) -> ShardEnded {
        match self.ended.recv().await {
            Some(shard) => ShardEnded { shard },
            None => ShardEnded { shard: 0 },
        }
    }

    /// Refuses what is new, waits until all shards are idle or `bound` has passed, and ends them.
    ///
    /// # Errors
    /// Where a shard ended before it was told to.
    pub async fn drain(mut self, bound: Duration) -> Result<Drained, ShardEnded> {
        self.tell(Phase::Drain);
        let mut idle: Vec<_> = self.shards.iter().map(|shard| shard.idle.clone()).collect();
        let was_idle = tokio::select! {
            biased;
            failed = self.failed() => return Err(failed),
            waited = timeout(bound, all_idle(&mut idle)) => waited.is_ok(),
        };
        let tallies = self.tallies().await;
        self.tell(Phase::Stop);
        let mut left = self.shards.len();
        while left > 0 && timeout(STOP_WAIT, self.ended.recv()).await.is_ok() {
            left -= 1;
        }
        let counters = self.counters();
        for shard in self.shards.iter_mut().filter(|_| left == 0) {
            if let Some(thread) = shard.thread.take() {
                // It has ended, and not by a panic: that would have been told above, or is in the log.
                _ = thread.join();
            }
        }
        Ok(Drained { was_idle, counters, tallies })
    }

    fn tell(&self, phase: Phase) {
        for shard in &self.shards {
            // Each phase is told once and there is room for both; a shard that is gone needs no telling.
            _ = shard.phase.try_send(phase);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tell(Phase::Stop);
    }
}

/// Waits until all are idle at the same time: while one ends its work it may still be given more.
async fn all_idle(shards: &mut [watch::Receiver<bool>]) {
    loop {
        for shard in shards.iter_mut() {
            if shard.wait_for(|idle| *idle).await.is_err() {
                return;
            }
        }
        if shards.iter().all(|shard| *shard.borrow()) {
            return;
        }
    }
}

/// How a drain ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Drained {
    /// Nothing was open any more; otherwise the bound ran out.
    pub was_idle: bool,
    /// What the sockets and channels of all shards counted.
    pub counters: IoCounters,
    /// What the stack of each shard counted.
    pub tallies: Vec<Tally>,
}

/// A shard ended though nobody told it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardEnded {
    /// Which.
    pub shard: u16,
}

impl fmt::Display for ShardEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} ended unexpectedly", self.shard)
    }
}

impl Error for ShardEnded {}

/// Why shards can't be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The system refuses a thread, a watched socket or the like.
    System(io::Error),
    /// The system has no randomness.
    Random(getrandom::Error),
    /// The settings of authentication contradict themselves: the caller's doing.
    Auth(AuthConfigError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::System(error) => write!(f, "the system refuses what a shard needs: {error}"),
            StartError::Random(error) => write!(f, "the system has no randomness: {error}"),
            StartError::Auth(error) => write!(f, "authentication: {error}"),
        }
    }
}

impl Error for StartError {}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> StartError {
        StartError::System(error)
    }
}

impl From<getrandom::Error> for StartError {
    fn from(error: getrandom::Error) -> StartError {
        StartError::Random(error)
    }
}

impl From<AuthConfigError> for StartError {
    fn from(error: AuthConfigError) -> StartError {
        StartError::Auth(error)
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().enable_time().build()
}

fn random_bytes() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn random_hash() -> Result<KeyedHash, getrandom::Error> {
    Ok(Random::from_seed(random_bytes()?).hasher())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_shard_that_panics_is_told_of() {
        let (sender, ended) = mpsc::unbounded_channel();
        let census = Arc::new(Census::new(&TcpLimits::default()));
        let mut running = Running { shards: Vec::new(), ended, listeners: Vec::new(), census };
        let guard = EndGuard { shard: 3, ended: sender.clone() };
        let thread = thread::spawn(move || {
            let _guard = guard;
            std::panic::resume_unwind(Box::new("as a defect would"));
        });
        let main = Builder::new_current_thread().enable_time().build().unwrap();
        assert_eq!(main.block_on(running.failed()), ShardEnded { shard: 3 });
        assert!(thread.join().is_err());
    }

    #[test]
    fn idle_means_all_at_the_same_time() {
        let main = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        main.block_on(async {
            let (first, second) = (watch::channel(true), watch::channel(false));
            let (first_sender, second_sender) = (first.0, second.0);
            let mut both = [first.1, second.1];
            let waiting = tokio::spawn(async move { all_idle(&mut both).await });
            tokio::time::sleep(Duration::from_secs(1)).await;
            first_sender.send_replace(false);
            second_sender.send_replace(true);
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(!waiting.is_finished());
            first_sender.send_replace(true);
            waiting.await.unwrap();
        });
    }
}
