//! A server, phones and a network between them, on a clock that jumps from one event to the next.

mod events;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use bytes::Bytes;
use ringback_auth::Algorithm;
use ringback_base::{Hop, Micros, Millis, Now, Random, TimerId, TimerQueue};
use ringback_stack::{Answer, AuthConfigError, Config, Listener, Query, Stack, Token};

use crate::agents::{Agent, AgentAct, AgentDiary, AgentLine, judge_outcomes};
use crate::check::{Checker, Invariant, Rules, Verdict, Violation, violated};
use crate::failure::{Failure, OUT_VARIABLE};
use crate::ladder::{ladder, list};
use crate::net::{Chance, Network, Packet, Quality};
use crate::pcap;
use crate::phone::{Act, CallRecord, Diary, Line, Manners, Phone};
use crate::streams::{Pulse, StreamCounters, Streams};
use crate::surroundings::{Faults, Surroundings};
use crate::trace::{RECORDS_MAX, Trace};

/// The domain of every simulated server, which is its realm too.
pub const DOMAIN: &str = "example.com";

/// How much larger than what it sent all that a stranger gets may be, in hundredths.
///
/// The worst that was measured is an INVITE with the shortest header fields that the parser takes, never acknowledged: its 407
/// goes out eleven times until Timer H.
pub const AMPLIFICATION_MAX_PERCENT: u64 = 4_500;

/// An agent that may have so many sessions never lacks room.
const ROOM_FOR_ALL: usize = 100;

/// The longest that a run may take to come to rest after its last act.
const REST_MAX: Micros = Micros::from_secs(6 * 3_600);

/// The most things that may happen in one run.
const STEPS_MAX: u64 = 50_000_000;

/// What a world is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// All chance comes from it.
    pub seed: u64,
    /// The quality of every link that has none of its own.
    pub quality: Quality,
    /// Of the connections, so many break, each after whatever byte.
    pub breaks: Chance,
    /// What goes wrong between the server and its data.
    pub faults: Faults,
    /// The server's configuration.
    pub config: Config,
    /// Who sends to where nobody is is told so.
    pub unreachable_is_told: bool,
    /// See [`AMPLIFICATION_MAX_PERCENT`].
    pub amplification_max_percent: u64,
    /// How many records the trace keeps.
    pub records_max: usize,
}

impl Setup {
    /// A perfect network, a server with the default configuration on one address of each family.
    #[must_use]
    pub fn new(seed: u64) -> Setup {
        let mut config = Config::new(DOMAIN, server_addresses().map(Listener::udp).to_vec());
        config.algorithms = vec![Algorithm::Sha256, Algorithm::Md5];
        config.route_secret = [9; 32];
        Setup {
            seed,
            quality: Quality::PERFECT,
            breaks: Chance::NEVER,
            faults: Faults::NONE,
            config,
            unreachable_is_told: true,
            amplification_max_percent: AMPLIFICATION_MAX_PERCENT,
            records_max: RECORDS_MAX,
        }
    }
}

/// Where the server listens: one address of each family.
#[must_use]
pub fn server_addresses() -> [SocketAddr; 2] {
    [
        SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 5060)),
        SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 5060)),
    ]
}

/// Names a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PhoneId(usize);

/// Names a user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgentId(usize);

/// What is done to a world.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Deed {
    /// A phone is told to do something.
    Phone(PhoneId, Act),
    /// A user agent is told to do something.
    Agent(AgentId, AgentAct),
    /// What both ends of each call hold is compared.
    Compare,
    /// The server dies, and starts again after a while with what was durable.
    Crash {
        /// After how long.
        down_for: Micros,
    },
    /// The server takes no new requests any more.
    Drain,
    /// Nothing passes between two addresses.
    Cut(IpAddr, IpAddr),
    /// It does again.
    Heal(IpAddr, IpAddr),
    /// The links of an address are of this quality from now on.
    SetQuality(IpAddr, Quality),
    /// A datagram that no phone sent.
    Inject {
        /// Where it seems to come from.
        from: SocketAddr,
        /// Where it goes.
        to: SocketAddr,
        /// The datagram.
        bytes: Bytes,
    },
}

#[derive(Clone, Debug)]
enum Due {
    Deed(Deed),
    Arrival(Packet),
    Stream(Pulse),
    /// Who sends by this hop is told that it leads nowhere.
    Unreachable(Hop),
    WakeServer,
    WakePhone(PhoneId),
    WakeAgent(AgentId),
    Start,
    Sync {
        incarnation: u32,
        write: u64,
        token: Token,
        answer: Answer,
        answer_after: Micros,
    },
    Answer {
        incarnation: u32,
        token: Token,
        answer: Answer,
    },
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Server,
    Phone(PhoneId),
    Agent(AgentId),
    Stranger,
}

#[derive(Debug)]
struct Server {
    config: Config,
    /// None while it is down.
    stack: Option<Stack>,
    around: Surroundings,
    incarnation: u32,
    random: Random,
    /// What is not answered yet, and until when the answer is waited for.
    questions: BTreeMap<Token, (Query, Micros)>,
    wake: Option<TimerId>,
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many things happened.
    pub steps: u64,
    /// How long it took on its own clock.
    pub took: Micros,
    /// Depends on every byte and moment of the run.
    pub hash: u64,
    /// Every call, by number, as its caller saw it.
    pub calls: BTreeMap<u32, CallRecord>,
    /// What each phone saw, by its name.
    pub diaries: BTreeMap<String, Diary>,
    /// What each user agent saw, by its name.
    pub agents: BTreeMap<String, AgentDiary>,
    /// How often each invariant was judged.
    pub tally: BTreeMap<Invariant, u64>,
    /// What the worst of the strangers got for each 100 bytes that it sent.
    pub amplification_percent: u64,
    /// 2xx that came when their INVITE had been refused already.
    pub successes_too_late: u64,
    /// What became of connections.
    pub streams: StreamCounters,
}

/// All of it.
#[derive(Debug)]
pub struct World {
    seed: u64,
    now: Now,
    queue: TimerQueue<Due>,
    network: Network,
    streams: Streams,
    server: Server,
    phones: Vec<(Phone, Option<TimerId>)>,
    agents: Vec<(Agent, Option<TimerId>)>,
    /// Nothing is lost or changed, and nobody dies: both ends of a call must tell the same.
    is_faithful: bool,
    /// How often media and outcomes were compared.
    compared: BTreeMap<Invariant, u64>,
    places: BTreeMap<SocketAddr, Place>,
    names: BTreeMap<SocketAddr, String>,
    trace: Trace,
    checker: Checker,
    random: Random,
    unreachable_is_told: bool,
    step: u64,
    /// The call that is being handled, for the report of a panic.
    current: Option<Vec<u8>>,
}

type Progress = Result<(), Box<Failure>>;

impl World {
    /// A server and nobody else.
    ///
    /// # Errors
    /// Where the configuration contradicts itself.
    pub fn new(setup: Setup) -> Result<World, AuthConfigError> {
        let mut seed = [0; 32];
        seed.iter_mut().zip(setup.seed.to_le_bytes()).for_each(|(byte, from)| *byte = from);
        let mut random = Random::from_seed(seed);
        let network = Network::new(&mut random, setup.quality);
        let around = Surroundings::new(setup.faults, Random::from_seed(random.seed()));
        let mut of_server = Random::from_seed(random.seed());
        let stack = Stack::new(setup.config.clone(), Random::from_seed(of_server.seed()))?;
        let addresses: Vec<SocketAddr> = setup.config.listeners.iter().map(|listener| listener.address).collect();
        let rules = Rules::of(&setup.config, setup.amplification_max_percent);
        Ok(World {
            seed: setup.seed,
            now: Now { mono: Micros(0), unix: Millis::from_secs(1_700_000_000) },
            queue: TimerQueue::new(),
            network,
            streams: Streams::new(setup.seed, setup.breaks),
            server: Server {
                config: setup.config,
                stack: Some(stack),
                around,
                incarnation: 0,
                random: of_server,
                questions: BTreeMap::new(),
                wake: None,
            },
            phones: Vec::new(),
            agents: Vec::new(),
            is_faithful: setup.quality.is_faithful() && setup.breaks == Chance::NEVER,
            compared: BTreeMap::new(),
            places: addresses.iter().map(|address| (*address, Place::Server)).collect(),
            names: addresses.iter().map(|address| (*address, "server".to_owned())).collect(),
            trace: Trace::new(setup.records_max),
            checker: Checker::new(rules),
            random,
            unreachable_is_told: setup.unreachable_is_told,
            step: 0,
            current: None,
        })
    }

    /// A user with a password.
    pub fn add_user(&mut self, user: &str, password: &str) {
        self.server.around.add_account(user, &self.server.config.realm, password);
    }

    /// A phone at an address.
    pub fn add_phone(&mut self, line: Line, manners: Manners) -> PhoneId {
        let id = PhoneId(self.phones.len());
        self.places.insert(line.address, Place::Phone(id));
        self.names.insert(line.address, line.name.clone());
        let timers = self.server.config.transactions.timers;
        let random = Random::from_seed(self.random.seed());
        self.phones.push((Phone::new(line, manners, timers, random), None));
        id
    }

    /// A user agent at an address.
    pub fn add_agent(&mut self, line: AgentLine) -> AgentId {
        let id = AgentId(self.agents.len());
        // Who has no room can't do what others expect.
        self.is_faithful &= line.ways.sessions_max >= ROOM_FOR_ALL;
        self.places.insert(line.address, Place::Agent(id));
        self.names.insert(line.address, line.name.clone());
        let random = Random::from_seed(self.random.seed());
        self.agents.push((Agent::new(line, random), None));
        id
    }

    /// How many user agents there are.
    #[must_use]
    pub fn agent_len(&self) -> usize {
        self.agents.len()
    }

    /// A user agent.
    #[must_use]
    pub fn agent(&self, id: AgentId) -> Option<&Agent> {
        self.agents.get(id.0).map(|(agent, _)| agent)
    }

    /// An address that never authenticates and does nothing but send what is [injected](Deed::Inject).
    pub fn add_stranger(&mut self, name: &str, address: SocketAddr) {
        self.places.insert(address, Place::Stranger);
        self.names.insert(address, name.to_owned());
        self.checker.add_stranger(address.ip());
    }

    /// What the server asks.
    pub fn surroundings(&mut self) -> &mut Surroundings {
        &mut self.server.around
    }

    /// The server's stack; none while it is down.
    #[must_use]
    pub fn stack(&self) -> Option<&Stack> {
        self.server.stack.as_ref()
    }

    /// A phone.
    #[must_use]
    pub fn phone(&self, id: PhoneId) -> Option<&Phone> {
        self.phones.get(id.0).map(|(phone, _)| phone)
    }

    /// The model.
    #[must_use]
    pub fn checker(&self) -> &Checker {
        &self.checker
    }

    /// What happened so far.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// The ladder of a call.
    #[must_use]
    pub fn ladder(&self, call_id: &[u8]) -> String {
        ladder(self.trace.of_call(call_id), &self.names)
    }

    /// Has something done, so long after the start of the run, or now if that is over.
    pub fn schedule(&mut self, at: Micros, deed: Deed) {
        self.queue.set(at.max(self.now.mono), Due::Deed(deed));
    }

    /// Lets time pass up to this moment.
    ///
    /// # Errors
    /// Where an invariant is violated.
    pub fn run_until(&mut self, end: Micros) -> Progress {
        while self.step_until(end)? {}
        self.now = self.now.after(end.since(self.now.mono));
        Ok(())
    }

    /// Lets the next thing happen, whenever that is; false where nothing is to come.
    ///
    /// # Errors
    /// Where an invariant is violated.
    pub fn step(&mut self) -> Result<bool, Box<Failure>> {
        self.step_until(Micros::MAX)
    }

    fn step_until(&mut self, end: Micros) -> Result<bool, Box<Failure>> {
        let Some((at, due)) = self.queue.pop_due(end) else { return Ok(false) };
        self.now = self.now.after(at.at().since(self.now.mono));
        self.step = self.step.saturating_add(1);
        let done = catch_unwind(AssertUnwindSafe(|| self.happens(due)));
        match done {
            Ok(Ok(())) => {}
            Ok(Err(violation)) => return Err(self.failure(*violation)),
            Err(panic) => {
                let detail = panic.downcast_ref::<String>().cloned();
                let text = detail.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                let call_id = self.current.clone();
                let detail = text.unwrap_or_else(|| "a panic".to_owned());
                return Err(self.failure(Violation { invariant: Invariant::NoPanic, call_id, detail }));
            }
        }
        if self.step >= STEPS_MAX {
            let detail = format!("{STEPS_MAX} steps and no end");
            let violation = Violation { invariant: Invariant::TablesEmpty, call_id: None, detail };
            return Err(self.failure(violation));
        }
        Ok(true)
    }

    /// Lets so much time pass.
    ///
    /// # Errors
    /// Where an invariant is violated.
    pub fn run_for(&mut self, span: Micros) -> Progress {
        self.run_until(self.now.mono.plus(span))
    }

    /// Lets the phones fall silent and time pass until nothing happens any more, and looks whether anything is left.
    ///
    /// # Errors
    /// Where an invariant is violated.
    pub fn finish(&mut self) -> Result<Summary, Box<Failure>> {
        for id in 0..self.phones.len() {
            self.schedule(self.now.mono, Deed::Phone(PhoneId(id), Act::FallSilent));
        }
        for id in 0..self.agents.len() {
            self.schedule(self.now.mono, Deed::Agent(AgentId(id), AgentAct::FallSilent));
        }
        let started = self.now.mono;
        while let Some(at) = self.queue.next().map(|(at, _)| at).filter(|at| at.since(started) < REST_MAX) {
            self.run_until(at)?;
        }
        let ended = match &self.server.stack {
            Some(stack) => self.checker.run_ends(stack, self.now),
            None => violated(Invariant::TablesEmpty, None, "the server is down"),
        };
        ended.and_then(|()| self.agents_end()).map_err(|violation| self.failure(*violation))?;
        Ok(self.summary())
    }

    fn agents_end(&mut self) -> Verdict {
        for (agent, _) in &mut self.agents {
            agent.run_ends()?;
        }
        let judged = judge_outcomes(self.agents.iter().map(|(agent, _)| agent), self.is_faithful)?;
        *self.compared.entry(Invariant::Outcome).or_default() += judged;
        Ok(())
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary {
            steps: self.step,
            took: self.now.mono,
            hash: self.trace.hash(),
            tally: self.checker.tally().clone(),
            successes_too_late: self.checker.successes_too_late(),
            streams: self.streams.counters(),
            ..Summary::default()
        };
        for (phone, _) in &self.phones {
            summary.calls.extend(phone.diary().calls.clone());
            summary.diaries.insert(phone.line().name.clone(), phone.diary().clone());
        }
        for (agent, _) in &self.agents {
            for (invariant, count) in agent.watch().tally() {
                *summary.tally.entry(*invariant).or_default() += count;
            }
            summary.agents.insert(agent.line().name.clone(), agent.diary().clone());
        }
        for (invariant, count) in &self.compared {
            *summary.tally.entry(*invariant).or_default() += count;
        }
        let ratios = self.checker.strangers().values().map(|t| t.sent.saturating_mul(100) / t.received.max(1));
        summary.amplification_percent = ratios.max().unwrap_or(0);
        summary
    }

    fn failure(&self, violation: Violation) -> Box<Failure> {
        let ladder = match &violation.call_id {
            Some(call_id) => self.ladder(call_id),
            None => list(self.trace.records(), &self.names),
        };
        let (seed, step, at) = (self.seed, self.step, self.now.mono);
        Box::new(Failure { seed, step, at, violation, ladder, capture: self.write_capture() })
    }

    /// The capture, in the folder that [`OUT_VARIABLE`] names.
    fn write_capture(&self) -> Result<PathBuf, String> {
        let folder = std::env::var_os(OUT_VARIABLE).map_or_else(std::env::temp_dir, PathBuf::from);
        let path = folder.join(format!("ringback-sim-{}-{}.pcap", self.seed, self.step));
        let told = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut file = BufWriter::new(File::create(&path).map_err(told)?);
        let listeners = self.server.config.listeners.iter().map(|listener| listener.address);
        let tap: Vec<SocketAddr> = listeners.chain(self.agents.iter().map(|(agent, _)| agent.line().address)).collect();
        let epoch = Millis(self.now.unix.0.saturating_sub(self.now.mono.0 / 1_000));
        pcap::write(&mut file, self.trace.records(), &tap, epoch).map_err(told)?;
        Ok(path)
    }
}
