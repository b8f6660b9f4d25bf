//! User agents in the simulated world: the very [`UserAgent`] of the library, each with an application
//! that does what people do, and a model that looks on.
//!
//! | file | holds |
//! |---|---|
//! | `app` | the application: rings, answers, changes its mind, hangs up |
//! | `ways` | what an application draws its deeds from |
//! | `watch`, `watch/dialogs`, `watch/offers` | the model of one agent: what it may send, and what it owes |
//! | `pairs` | what must fit where both ends of a call are looked at |
//! | `scenario` | [`AgentScenario`]: whole runs drawn from a number |
//! | `explore` | all runs of one small call, not some of many |

mod app;
pub mod explore;
mod pairs;
mod scenario;
#[cfg(test)]
mod tests;
mod watch;
mod ways;

use std::net::SocketAddr;

use ringback_auth::{Account, Password};
use ringback_base::{Hop, Micros, Now, Random, TimerQueue, Transport};
use ringback_transport::{reply_hop, stamp};
use ringback_ua::{Config, Local, UserAgent};

use crate::check::Verdict;
use crate::net::{Content, Packet};
use crate::world::DOMAIN;

pub use app::{AgentCall, AgentDiary, End, Tale};
pub use scenario::{AgentScenario, AgentSummary};
pub use ways::Ways;

use app::{App, Todo};
pub(crate) use pairs::{judge_media, judge_outcomes};
pub(crate) use watch::Watch;

/// Who an agent is and where.
#[derive(Clone, Debug)]
pub struct AgentLine {
    /// What it is called in ladders, and the user part of its URIs.
    pub name: String,
    /// Its address.
    pub address: SocketAddr,
    /// How it sends, and is reached.
    pub transport: Transport,
    /// The user of the server's domain that it registers for, with password and server.
    pub account: Option<(String, String, SocketAddr)>,
    /// The URI of somebody whom it transfers calls to.
    pub knows: Option<String>,
    /// What its application does.
    pub ways: Ways,
}

/// What an agent can be told to do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AgentAct {
    /// Register its contact for an hour.
    Register,
    /// Place a call.
    Call(AgentCall),
    /// Die, and start again knowing nothing.
    Restart,
    /// Hang up whatever there is, and do nothing any more.
    FallSilent,
}

/// A user agent, its application and the model of both.
#[derive(Debug)]
pub struct Agent {
    line: AgentLine,
    ua: UserAgent,
    random: Random,
    app: App,
    todo: TimerQueue<Todo>,
    watch: Watch,
    incarnations: u32,
}

impl Agent {
    pub(crate) fn new(line: AgentLine, random: Random) -> Agent {
        let mut random = random;
        let ua = user_agent(&line, &mut random);
        let watch = Watch::new(line.address, line.ways.sessions_max);
        Agent { app: App::new(&line), line, ua, random, todo: TimerQueue::new(), watch, incarnations: 0 }
    }

    /// Who it is.
    #[must_use]
    pub fn line(&self) -> &AgentLine {
        &self.line
    }

    /// The agent itself, to be looked at.
    #[must_use]
    pub fn user_agent(&self) -> &UserAgent {
        &self.ua
    }

    /// What its application saw.
    #[must_use]
    pub fn diary(&self) -> &AgentDiary {
        &self.app.diary
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    pub(crate) fn handle_packet(&mut self, packet: &Packet, now: Now) -> Verdict {
        self.watch.received(packet, now)?;
        let hop = packet.hop_in();
        match packet.content() {
            Content::Request(request) => {
                if let Ok(request) = stamp(request.clone(), &hop) {
                    let reply = reply_hop(&request.top_via(), hop);
                    self.ua.handle_request(request, reply, now);
                }
            }
            Content::Response(response) => self.ua.handle_response(response.clone(), hop, now),
            Content::Unreadable => {}
        }
        Ok(())
    }

    pub(crate) fn handle_send_failed(&mut self, hop: &Hop, now: Now) {
        self.watch.unreachable(hop, now);
        self.ua.handle_transport_error(hop, now);
    }

    pub(crate) fn handle_timeout(&mut self, now: Now) {
        if self.ua.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.ua.handle_timeout(now);
        }
        while let Some((_, todo)) = self.todo.pop_due(now.mono) {
            self.app.does(todo, &mut self.ua, &mut self.random, now);
        }
    }

    pub(crate) fn handle_act(&mut self, act: &AgentAct, now: Now) {
        match act {
            AgentAct::Register => self.app.registers(&mut self.ua, now),
            AgentAct::Call(call) => self.app.calls(call, &mut self.ua, &mut self.todo, now),
            AgentAct::Restart => {
                self.incarnations = self.incarnations.saturating_add(1);
                self.ua = user_agent(&self.line, &mut self.random);
                self.todo = TimerQueue::new();
                self.app.restarts();
                self.watch.restarts();
            }
            AgentAct::FallSilent => self.app.falls_silent(&mut self.ua, &mut self.todo, now),
        }
    }

    /// Takes out all that there is to send and to tell; the application may do more meanwhile.
    pub(crate) fn poll(&mut self, now: Now) -> Result<Vec<Packet>, Box<crate::check::Violation>> {
        let mut packets = Vec::new();
        loop {
            while let Some(transmit) = self.ua.poll_transmit() {
                let packet = Packet::leaving(&transmit.hop, transmit.bytes);
                self.watch.sent(&packet, now)?;
                self.app.sent(&packet);
                packets.push(packet);
            }
            // A name that nobody knows.
            if let Some(lookup) = self.ua.poll_lookup() {
                self.ua.handle_hops(lookup.id, &[], now);
                continue;
            }
            let Some(event) = self.ua.poll_event() else { break };
            self.watch.event(&event, &self.ua)?;
            self.app.hears(event, &mut self.ua, &mut self.todo, &mut self.random, now);
        }
        self.watch.step_ends(&self.ua)?;
        Ok(packets)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Micros> {
        self.ua.poll_timeout().into_iter().chain(self.todo.next().map(|(at, _)| at)).min()
    }

    /// The run is over: nothing may be left, and nothing be owed.
    pub(crate) fn run_ends(&mut self) -> Verdict {
        self.watch.run_ends(&self.ua)
    }
}

fn user_agent(line: &AgentLine, random: &mut Random) -> UserAgent {
    let mut config = Config::new(&line.name, vec![Local::new(line.transport, line.address)]);
    config.reliable_provisionals = line.ways.reliable;
    config.session_timers.interval_secs = line.ways.session_interval_secs;
    config.forks = line.ways.forks;
    config.sessions_max = line.ways.sessions_max;
    if let Some((_, _, server)) = &line.account {
        config.outbound = Some(Hop { transport: line.transport, ..Hop::udp(line.address, *server) });
    }
    let mut ua = UserAgent::new(config, Random::from_seed(random.seed()));
    if let Some((user, password, _)) = &line.account {
        ua.add_account(Account::new(DOMAIN, user.as_str(), Password::new(password.as_str())));
    }
    ua
}
