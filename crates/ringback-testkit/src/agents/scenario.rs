//! Whole runs of user agents drawn from a number.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use ringback_auth::AuthConfigError;
use ringback_base::{Micros, Random, Transport};
use ringback_stack::Listener;
use ringback_ua::ForkPolicy;

use super::app::contact_uri;
use super::{AgentAct, AgentCall, AgentLine, Ways};
use crate::check::Invariant;
use crate::failure::Failure;
use crate::net::{Chance, Quality};
use crate::phone::Span;
use crate::streams::StreamCounters;
use crate::world::{AgentId, DOMAIN, Deed, Setup, Summary, World, server_addresses};

/// When everybody has registered.
const CALLS_FROM: Micros = Micros::from_secs(4);

/// What a run of agents is drawn from, besides its seed.
#[derive(Clone, Debug)]
pub struct AgentScenario {
    /// All chance comes from it.
    pub seed: u64,
    /// How many agents there are that have no server.
    pub peers: u32,
    /// How many users the server has; some have several agents.
    pub users: u32,
    /// How many calls are placed.
    pub calls: u32,
    /// Within which time.
    pub span: Micros,
    /// The quality of the links.
    pub quality: Quality,
    /// What the applications do.
    pub ways: Ways,
    /// How often an agent dies and starts again.
    pub restarts: u32,
    /// How often two places lose their way to each other for a while.
    pub partitions: u32,
    /// Of a hundred calls, so many are given up by the caller.
    pub cancels_percent: u32,
    /// Calls are transferred to others.
    pub transfers: bool,
    /// How everybody sends.
    pub transport: Transport,
    /// Of the connections, so many break.
    pub breaks: Chance,
    /// How often the server dies and starts again.
    pub crashes: u32,
}

/// What came of some runs.
#[derive(Clone, Debug, Default)]
pub struct AgentSummary {
    /// How many runs.
    pub worlds: u64,
    /// How many calls were placed.
    pub calls: u64,
    /// How many things happened.
    pub steps: u64,
    /// How often what happened to the applications.
    pub counts: BTreeMap<&'static str, u64>,
    /// How often each invariant was judged.
    pub tally: BTreeMap<Invariant, u64>,
    /// What became of connections.
    pub streams: StreamCounters,
}

impl AgentSummary {
    /// Adds a run.
    pub fn add(&mut self, summary: &Summary) {
        self.worlds += 1;
        self.steps += summary.steps;
        self.streams.add(&summary.streams);
        for diary in summary.agents.values() {
            self.calls += diary.counts.get("places a call").copied().unwrap_or(0);
            self.calls += diary.counts.get("places a call without an offer").copied().unwrap_or(0);
            for (what, count) in &diary.counts {
                *self.counts.entry(what).or_default() += count;
            }
        }
        for (invariant, count) in &summary.tally {
            *self.tally.entry(*invariant).or_default() += count;
        }
    }
}

impl AgentScenario {
    /// A few agents that call each other on a perfect network.
    #[must_use]
    pub fn new(seed: u64) -> AgentScenario {
        AgentScenario {
            seed,
            peers: 6,
            users: 0,
            calls: 100,
            span: Micros::from_secs(300),
            quality: Quality::LAN,
            ways: Ways::plain(),
            restarts: 0,
            partitions: 0,
            cancels_percent: 0,
            transfers: true,
            transport: Transport::Udp,
            breaks: Chance::NEVER,
            crashes: 0,
        }
    }

    /// The run of this number: the quality of the network and all that goes wrong follow from it.
    #[must_use]
    pub fn of_seed(seed: u64) -> AgentScenario {
        let plain = AgentScenario::new(seed);
        let lively = AgentScenario { ways: Ways::lively(), cancels_percent: 12, ..plain.clone() };
        let rough = AgentScenario { restarts: 3, partitions: 4, ..lively.clone() };
        let relayed = AgentScenario { peers: 0, users: 4, ..lively.clone() };
        match seed % 20 {
            0 => plain,
            1 => AgentScenario { quality: Quality::INTERNET, cancels_percent: 30, ..plain },
            2 => AgentScenario { quality: Quality::CROWDED, restarts: 3, partitions: 4, cancels_percent: 30, ..plain },
            3..=4 => lively,
            5 => relayed,
            6..=9 => AgentScenario { quality: Quality::INTERNET, ..lively },
            10 => AgentScenario { quality: Quality::INTERNET, ..relayed },
            11..=14 => AgentScenario { quality: Quality::CROWDED, ..rough },
            15..=16 => AgentScenario { quality: Quality::INTERNET, ..rough },
            17 => AgentScenario { quality: Quality::CROWDED, restarts: 2, partitions: 2, ..relayed },
            _ => AgentScenario { quality: Quality::BROKEN, ..rough },
        }
    }

    /// The run of this number by connections, which break at any byte.
    #[must_use]
    pub fn by_streams(seed: u64) -> AgentScenario {
        let plain = AgentScenario { transport: Transport::Tcp, calls: 12, ..AgentScenario::new(seed) };
        let breaks = AgentScenario { breaks: Chance::percent(40), quality: Quality::INTERNET, ..plain.clone() };
        let lively = AgentScenario { ways: Ways::lively(), cancels_percent: 12, ..breaks.clone() };
        let relayed = |scenario: AgentScenario| AgentScenario { peers: 0, users: 4, ..scenario };
        match seed % 10 {
            0 => plain,
            1 => relayed(plain),
            2 => breaks,
            3 => relayed(breaks),
            4..=5 => lively,
            6..=7 => relayed(lively),
            8 => AgentScenario { breaks: Chance::percent(90), restarts: 2, partitions: 2, ..lively },
            _ => relayed(AgentScenario { breaks: Chance::percent(90), crashes: 1, partitions: 2, ..lively }),
        }
    }

    /// Plays it to its end.
    ///
    /// # Errors
    /// Where an invariant is violated.
    pub fn run(&self) -> Result<Summary, Box<Failure>> {
        match self.build() {
            Ok(mut world) => {
                world.run_until(CALLS_FROM.plus(self.span).plus(Micros::from_secs(60)))?;
                world.finish()
            }
            Err(error) => Err(Box::new(Failure::of_setup(self.seed, &error))),
        }
    }

    /// The world with all that is going to happen in it.
    ///
    /// # Errors
    /// Where the configuration contradicts itself.
    pub fn build(&self) -> Result<World, AuthConfigError> {
        let mut setup = Setup { quality: self.quality, breaks: self.breaks, ..Setup::new(self.seed) };
        if self.transport == Transport::Tcp {
            setup.config.listeners.extend(server_addresses().map(Listener::tcp));
        }
        let mut seed = [0xa6; 32];
        seed.iter_mut().zip(self.seed.to_be_bytes()).for_each(|(byte, from)| *byte = from);
        let mut draw = Draw { random: Random::from_seed(seed), scenario: self, world: World::new(setup)?, knows: None };
        let mut agents = draw.peers();
        agents.extend(draw.users());
        draw.calls(&agents);
        draw.faults(&agents);
        draw.comparisons();
        Ok(draw.world)
    }
}

struct Draw<'a> {
    random: Random,
    scenario: &'a AgentScenario,
    world: World,
    /// The URI of the last agent.
    knows: Option<String>,
}

/// An agent, how it is called, and where it is.
struct Known {
    id: AgentId,
    uri: String,
    address: SocketAddr,
}

impl Draw<'_> {
    fn chance(&mut self, percent: u32) -> bool {
        Chance::percent(percent).strikes(&mut self.random)
    }

    fn one<'k>(&mut self, agents: &'k [Known]) -> Option<&'k Known> {
        let index = self.random.below(agents.len() as u64);
        agents.get(usize::try_from(index).unwrap_or(0))
    }

    fn at(&mut self) -> Micros {
        CALLS_FROM.plus(Micros(self.random.below(self.scenario.span.0)))
    }

    fn ways(&mut self) -> Ways {
        let mut ways = self.scenario.ways.clone();
        ways.reliable = self.chance(40);
        if self.chance(20) {
            ways.forks = ForkPolicy::All;
        }
        if ways.changes_max > 0 {
            ways.is_odd = self.chance(6);
            if self.chance(8) {
                // One who talks long has to refresh.
                ways.talk = Span::ms(60_000, 200_000);
            }
            if self.chance(10) {
                ways.sessions_max = 3;
            }
        }
        ways
    }

    fn agent(&mut self, name: String, account: Option<(String, String, SocketAddr)>, uri: Option<String>) -> Known {
        let host = u8::try_from(self.world.agent_len().saturating_add(1)).unwrap_or(u8::MAX);
        let address = SocketAddr::from((Ipv4Addr::new(198, 19, 0, host), 5060));
        let uri = uri.unwrap_or_else(|| contact_uri(&name, address, self.scenario.transport));
        let ways = self.ways();
        // Those before it in line.
        let knows = self.knows.replace(uri.clone()).filter(|_| self.scenario.transfers && ways.changes_max > 0);
        let id =
            self.world.add_agent(AgentLine { name, address, transport: self.scenario.transport, account, knows, ways });
        Known { id, uri, address }
    }

    fn peers(&mut self) -> Vec<Known> {
        (0..self.scenario.peers).map(|number| self.agent(format!("peer{number}"), None, None)).collect()
    }

    fn users(&mut self) -> Vec<Known> {
        let [server, _] = server_addresses();
        let mut agents = Vec::new();
        for number in 0..self.scenario.users {
            let user = format!("user{number}");
            self.world.add_user(&user, "secret");
            for line in 0..=self.random.below(3) {
                let account = (user.clone(), "secret".to_owned(), server);
                let uri = format!("sip:{user}@{DOMAIN}");
                let agent = self.agent(format!("{user}-{line}"), Some(account), Some(uri));
                let at = Micros(self.random.below(CALLS_FROM.0 / 2));
                self.world.schedule(at, Deed::Agent(agent.id, AgentAct::Register));
                agents.push(agent);
            }
        }
        agents
    }

    fn calls(&mut self, agents: &[Known]) {
        for _ in 0..self.scenario.calls {
            let (Some(from), Some(to)) = (self.one(agents), self.one(agents)) else { return };
            let (from, to) = (from.id, to.uri.clone());
            let percent = self.scenario.cancels_percent;
            let cancel_after = self.chance(percent).then(|| Span::ms(0, 5_000).draw(&mut self.random));
            let call = AgentCall { to, is_late: self.chance(20), cancel_after };
            let at = self.at();
            self.world.schedule(at, Deed::Agent(from, AgentAct::Call(call)));
        }
    }

    fn faults(&mut self, agents: &[Known]) {
        for _ in 0..self.scenario.restarts {
            let Some(agent) = self.one(agents).map(|agent| agent.id) else { return };
            let at = self.at();
            self.world.schedule(at, Deed::Agent(agent, AgentAct::Restart));
        }
        for _ in 0..self.scenario.crashes {
            let (at, down_for) = (self.at(), Span::ms(10, 6_000).draw(&mut self.random));
            self.world.schedule(at, Deed::Crash { down_for });
        }
        let [server, _] = server_addresses();
        for _ in 0..self.scenario.partitions {
            let (Some(one), Some(other)) = (self.one(agents), self.one(agents)) else { return };
            let (one, other) = (one.address.ip(), other.address.ip());
            let other = if self.scenario.users > 0 { server.ip() } else { other };
            let (at, span) = (self.at(), Span::ms(100, 60_000).draw(&mut self.random));
            self.world.schedule(at, Deed::Cut(one, other));
            self.world.schedule(at.plus(span), Deed::Heal(one, other));
        }
    }

    fn comparisons(&mut self) {
        let end = CALLS_FROM.plus(self.scenario.span).plus(Micros::from_secs(60));
        let mut at = CALLS_FROM;
        while at < end {
            at = at.plus(Micros::from_ms(4_000));
            self.world.schedule(at, Deed::Compare);
        }
    }
}
