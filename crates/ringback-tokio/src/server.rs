//! Starting the shards, watching them, ending them.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ringback_base::{KeyedHash, Random};
use ringback_stack::{AuthConfigError, Config, Listener, Stack};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::bind::{BindError, ListenOn, Opened, open_all};
use crate::clock::Clock;
use crate::counters::{IoCounters, LiveCounters};
use crate::inbox::Inbox;
use crate::lookups::{ANSWERS_MAX, Backends, Lookups, RESOLVES_MAX};
use crate::shard::{HANDED_MAX, Handed, Inboxes, Links, Phase, Ring, Shard};
use crate::socket::Socket;

/// How long a shard may take to end once it was told to; beyond it the process ends without it.
const STOP_WAIT: Duration = Duration::from_secs(1);

/// Sockets that are bound but not read yet.
#[derive(Debug)]
pub struct Bound {
    opened: Vec<Opened>,
    shards: u16,
}

impl Bound {
    /// Binds each address once for each shard: all of them, or none. On systems other than Unix there is one shard, whatever is asked for.
    ///
    /// # Errors
    /// For the first address that can't be had.
    pub fn open(addresses: &[ListenOn], shards: u16) -> Result<Bound, BindError> {
        let shards = if cfg!(unix) { shards.max(1) } else { 1 };
        Ok(Bound { opened: open_all(addresses, shards)?, shards })
    }

    /// What is listened on, with the ports that the kernel chose.
    #[must_use]
    pub fn listeners(&self) -> Vec<Listener> {
        self.opened.iter().map(|opened| Listener::udp(opened.address)).collect()
    }

    /// How many shards there will be.
    #[must_use]
    pub fn shards(&self) -> u16 {
        self.shards
    }

    /// Starts a thread for each shard. Listeners and shard number of the configuration are filled in here, and the secret of nonces if
    /// it is missing.
    ///
    /// # Errors
    /// Where the system refuses threads or randomness, or the configuration contradicts itself; then nothing runs.
    pub fn start(self, config: &Config, backends: &Backends) -> Result<Running, StartError> {
        let listeners = self.listeners();
        let hash = random_hash()?;
        // A nonce that another shard made is out of date here, not forged: all of them must know it as one of ours.
        let nonce_secret = match config.nonce_secret {
            Some(secret) => secret,
            None => random_bytes()?,
        };
        let clock = Clock::start();
        let (ended_sender, ended) = mpsc::unbounded_channel();
        let (handed_senders, handed_receivers): (Vec<_>, Vec<_>) =
            (0..self.shards).map(|_| mpsc::channel(HANDED_MAX)).unzip();
        let mut sockets: Vec<_> = self.opened.into_iter().map(|o| (o.address, o.sockets.into_iter())).collect();
        let mut ready = Vec::new();
        let mut shards = Vec::new();
        for (index, handed) in (0..self.shards).zip(handed_receivers) {
            let runtime = runtime()?;
            let guard = runtime.enter();
            let own = sockets.iter_mut().filter_map(|(address, of_all)| Some((*address, of_all.next()?)));
            let own = own.map(|(address, socket)| Socket::new(socket, address)).collect::<io::Result<Vec<_>>>()?;
            drop(guard);
            let mut config = config.clone();
            config.listeners.clone_from(&listeners);
            config.shard = index;
            config.nonce_secret = Some(nonce_secret);
            let stack = Stack::new(config, Random::from_seed(random_bytes()?))?;
            let ring = Ring { hash, index, shards: handed_senders.clone() };
            let (handle, shard) = join_up(stack, own, backends, ring, handed, clock);
            ready.push((runtime, shard, EndGuard { shard: index, ended: ended_sender.clone() }));
            shards.push(handle);
        }
        for ((runtime, shard, guard), handle) in ready.into_iter().zip(&mut shards) {
            let name = format!("shard-{}", guard.shard);
            handle.thread = Some(thread::Builder::new().name(name).spawn(move || run(runtime, shard, guard))?);
        }
        Ok(Running { shards, ended, listeners })
    }
}

fn join_up(
    stack: Stack,
    sockets: Vec<Socket>,
    backends: &Backends,
    ring: Ring,
    handed: mpsc::Receiver<Handed>,
    clock: Clock,
) -> (Handle, Shard) {
    let counters = Arc::new(LiveCounters::default());
    let (phase, phases) = mpsc::channel(2);
    let (answer, answers) = mpsc::channel(ANSWERS_MAX);
    let (idle_sender, idle) = watch::channel(false);
    let lookups = Lookups::new(backends.clone(), answer, Arc::clone(&counters), clock);
    let inboxes = Inboxes { handed: Inbox::new(handed), answers: Inbox::new(answers), phases: Inbox::new(phases) };
    let links = Links { inboxes, ring, counters: Arc::clone(&counters), clock, idle: idle_sender };
    (Handle { thread: None, phase, idle, counters }, Shard::new(stack, sockets, lookups, links))
}

fn run(runtime: Runtime, shard: Shard, guard: EndGuard) {
    runtime.block_on(shard.run());
    // A name that is still being looked up must not hold up the end.
    runtime.shutdown_background();
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
    idle: watch::Receiver<bool>,
    counters: Arc<LiveCounters>,
}

/// Shards at work. Dropping it ends them at once, without waiting for them.
#[derive(Debug)]
pub struct Running {
    shards: Vec<Handle>,
    ended: mpsc::UnboundedReceiver<u16>,
    listeners: Vec<Listener>,
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
        Ok(Drained { was_idle, counters })
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
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Drained {
    /// Nothing was open any more; otherwise the bound ran out.
    pub was_idle: bool,
    /// What was counted.
    pub counters: IoCounters,
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
    Builder::new_current_thread().enable_io().enable_time().max_blocking_threads(RESOLVES_MAX).build()
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
        let mut running = Running { shards: Vec::new(), ended, listeners: Vec::new() };
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
