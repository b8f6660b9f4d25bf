//! From addresses to a running agent.

use std::io;
use std::sync::Arc;

use ringback_base::{Random, Transport};
use ringback_stack::Endpoint;
use ringback_transport::resolve::Preferences;
use ringback_transport::websocket::Resource;
use ringback_ua::{Config, Local};
use tokio::sync::mpsc;

use super::desk::Desk;
use super::handle::{Agent, Incoming};
use super::lease::Dropped;
use super::names::Names;
use super::task::{Inboxes, Task};
use super::watch::{Seen, Watcher};
use crate::bind::{BindError, ListenOn, Opened, open_all};
use crate::clock::Clock;
use crate::counters::LiveCounters;
use crate::dns::{DnsClient, RESOLVES_MAX};
use crate::icmp::UNREACHABLES_MAX;
use crate::inbox::Inbox;
use crate::socket::Socket;
use crate::tcp::limits::TcpLimits;
use crate::tcp::table::{Common, Connections};
use crate::tls::Tls;

/// How many commands may wait for the task; who has another waits for room.
pub const COMMANDS_MAX: usize = 1_024;

/// How many calls and requests may wait to be fetched where nobody says otherwise.
pub const INCOMING_MAX: usize = 1_024;

/// How many handlers of what comes in run at once where nobody says otherwise; the next one waits for its place.
pub const HANDLERS_MAX: usize = 1_024;

/// What an agent is set up with beside the [`Config`] of its core.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AgentOptions {
    /// How many calls and requests may wait to be fetched; more are answered with 503.
    pub incoming_max: usize,
    /// What TCP peers may take.
    pub tcp_limits: TcpLimits,
}

impl Default for AgentOptions {
    fn default() -> AgentOptions {
        AgentOptions { incoming_max: INCOMING_MAX, tcp_limits: TcpLimits::default() }
    }
}

/// Sockets of an agent that are bound but not read yet.
#[derive(Debug)]
pub struct AgentBound {
    opened: Vec<Opened>,
    tls: Tls,
    names: Option<DnsClient>,
    watcher: Watcher,
    resource: Arc<Resource>,
    /// What we are called where nobody can connect to us. `[RFC 7118, Appendix B.1]`
    nowhere: Box<str>,
}

impl AgentBound {
    /// Binds all of these addresses, or none.
    ///
    /// # Errors
    /// For the first address that can't be had.
    pub fn open(addresses: &[ListenOn]) -> Result<AgentBound, BindError> {
        let opened = open_all(addresses, 1)?;
        // Not a secret; without randomness nothing starts anyway.
        let nowhere = format!("{:016x}.invalid", getrandom::u64().unwrap_or_default()).into();
        Ok(AgentBound {
            opened,
            tls: Tls::default(),
            names: None,
            watcher: Watcher::default(),
            resource: Arc::default(),
            nowhere,
        })
    }

    /// Who looks host names up; several agents can share one. Without it an agent starts one of its own, which asks the name servers of
    /// the system.
    #[must_use]
    pub fn names(self, names: DnsClient) -> AgentBound {
        AgentBound { names: Some(names), ..self }
    }

    /// Shows what its sockets send and receive to `see`, which must not block: the agent does nothing else meanwhile.
    #[must_use]
    pub fn watched(self, see: impl FnMut(Seen<'_>) + Send + 'static) -> AgentBound {
        AgentBound { watcher: Watcher::new(see), ..self }
    }

    /// What TLS is spoken with.
    #[must_use]
    pub fn tls(self, tls: Tls) -> AgentBound {
        AgentBound { tls, ..self }
    }

    /// What servers of WebSocket are asked for: `/` where nothing is said.
    #[must_use]
    pub fn websocket_resource(self, resource: Resource) -> AgentBound {
        AgentBound { resource: Arc::new(resource), ..self }
    }

    /// Where the agent will be, with the ports that the kernel chose: each address by UDP, then by its stream. Where it speaks TLS with
    /// others and listens nowhere by it, it is at the first address by TLS all the same: nobody can connect to it there.
    ///
    /// By WebSocket it is at a name under `.invalid`: it opens them, and is reached by those that it has opened.
    /// `[RFC 7118, Appendix B.1]`
    #[must_use]
    pub fn locals(&self) -> Vec<Local> {
        let locals = |opened: &Opened| {
            let address = opened.address;
            opened.transports().map(move |transport| Local::new(transport, address)).collect::<Vec<_>>()
        };
        let mut all: Vec<Local> = self.opened.iter().flat_map(locals).collect();
        let has_tls = all.iter().any(|local| local.transport == Transport::Tls);
        if let (Some(_), false, Some(first)) = (&self.tls.client, has_tls, self.opened.first()) {
            all.push(Local::new(Transport::Tls, first.address));
        }
        let by_socket: &[Transport] = match self.tls.client {
            Some(_) => &[Transport::Wss, Transport::Ws],
            None => &[Transport::Ws],
        };
        for is_ipv4 in [true, false] {
            let first = self.opened.iter().find(|opened| opened.address.is_ipv4() == is_ipv4);
            let local = |(transport, address)| Local { transport, address, sent_by: self.nowhere.clone() };
            let first = first.map(|opened| opened.address).into_iter();
            all.extend(first.flat_map(|address| by_socket.iter().map(move |by| (*by, address))).map(local));
        }
        all
    }

    /// Starts the task, on the runtime that this is called in. It ends when all handles are dropped and nothing is left to be sent.
    ///
    /// `config.locals` are these addresses where it names none.
    ///
    /// # Errors
    /// Where the system refuses randomness, or to watch a socket.
    pub fn start(self, mut config: Config, options: AgentOptions) -> io::Result<(Agent, mpsc::Receiver<Incoming>)> {
        if config.locals.is_empty() {
            config.locals = self.locals();
        }
        if !self.opened.iter().any(|opened| opened.stream() == Transport::Tls) {
            config.by_flow.push(Transport::Tls);
        }
        let locals: Arc<[Local]> = config.locals.as_slice().into();
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(no_randomness)?;
        let (counters, dropped) = (Arc::new(LiveCounters::default()), Arc::new(Dropped::default()));
        let (told, unreachables) = mpsc::channel(UNREACHABLES_MAX);
        let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
        let (found, names) = mpsc::channel(RESOLVES_MAX);
        let (incoming, fetched) = mpsc::channel(options.incoming_max.max(1));
        let common = Common { resource: Some(self.resource), ..Common::new(options.tcp_limits, self.tls) };
        let generation = getrandom::u32().map_err(no_randomness)?;
        let mut connections = Connections::new(0, generation, common, Arc::clone(&counters));
        let mut sockets = Vec::new();
        for opened in self.opened {
            let stream = opened.stream();
            for socket in opened.sockets {
                sockets.push(Socket::new(socket, opened.address, told.clone())?);
            }
            for acceptor in opened.acceptors {
                connections.listen(acceptor, stream, opened.address)?;
            }
        }
        let clock = Clock::start();
        let agent = Agent::new(commands, Arc::clone(&dropped), locals, Arc::clone(&counters));
        let reached: Vec<_> = config.locals.iter().map(|local| (local.transport, local.address.ip())).collect();
        let by_socket = |transport: &Transport| config.locals.iter().any(|local| local.transport == *transport);
        let on_request = [Transport::Wss, Transport::Ws].into_iter().filter(by_socket).collect();
        let preferences = Preferences { on_request, ..Preferences::of_sockets(&reached, true) };
        let endpoint = Endpoint::looks_names_up(config, preferences, Random::from_seed(seed));
        let desk = Desk::new(endpoint, incoming, agent.downgrade());
        let inboxes =
            Inboxes { commands: inbox, dropped, names: Inbox::new(names), unreachables: Inbox::new(unreachables) };
        let names = Names::new(self.names, found);
        tokio::spawn(Task::new(desk, sockets, connections, inboxes, (names, self.watcher), counters, clock).run());
        Ok((agent, fetched))
    }
}

fn no_randomness(error: getrandom::Error) -> io::Error {
    io::Error::other(error.to_string())
}
