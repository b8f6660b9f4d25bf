//! All runs of one small call: each message that is on its way may be the next to arrive, to be lost or to arrive twice, and
//! each application may act at any moment.
//!
//! An agent is a function of its seed and of what it was given and when. So a state is what each agent was given, what is on
//! its way, and how many faults are left: two runs that have come to the same state go on alike, and one of them is enough.
//! Agents can't be copied, so each branch is played again from the start.
//!
//! Time passes only when nothing is on its way, to the next timer of anybody: a message takes less than T1.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use ringback_base::{Hop, KeyedHash, Micros, Now, Random, Transport};
use ringback_message::StatusCode;
use ringback_sdp::Origin;
use ringback_sdp::negotiate::{Codec, Endpoint, LocalMedia};
use ringback_transport::{reply_hop, stamp};
use ringback_ua::{Config, Event, InviteId, Local, Media, Outbound, SessionId, UserAgent};

use super::watch::Watch;
use crate::check::{Verdict, Violation};
use crate::net::{Content, Packet};

/// What an application has not done by then it does before anything else happens.
const ACTS_UNTIL: Micros = Micros::from_ms(600);

/// A call that is small enough to see all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Small {
    /// How many phones the INVITE reaches: 1, or more behind a fork that keeps no state.
    pub callees: u8,
    /// The caller gives up, at any moment.
    pub cancels: bool,
    /// Each callee sends a reliable 183 with its answer before the 200.
    pub pracks: bool,
    /// How many messages may be lost or arrive twice.
    pub faults: u8,
    /// Where to stop.
    pub states_max: u64,
}

/// What was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explored {
    /// Different states.
    pub states: u64,
    /// Different ends, each with nothing left.
    pub ends: u64,
    /// The most steps to an end.
    pub deepest: usize,
    /// All runs were seen that differ so often from the plain one, in which whatever was sent first arrives first, nothing is lost,
    /// and applications act at once where nothing is on its way.
    pub deviations: usize,
    /// False where [`Small::states_max`] was reached first.
    pub is_complete: bool,
}

/// A run that violates an invariant.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// Which, and how.
    pub violation: Violation,
    /// The steps that lead there.
    pub steps: Vec<String>,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.violation)?;
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

impl std::error::Error for Counterexample {}

impl Small {
    /// Sees all of it.
    ///
    /// # Errors
    /// With the first run that violates an invariant.
    pub fn explore(&self) -> Result<Explored, Box<Counterexample>> {
        let mut seen = BTreeSet::new();
        let mut explored = Explored::default();
        let mut paths = Paths::default();
        paths.add(Vec::new(), 0);
        while let Some((mut path, deviations)) = paths.next() {
            explored.deviations = deviations.saturating_sub(1);
            let mut play = Play::new(self)?;
            for choice in &path {
                let steps = play.steps();
                if let Some(step) = steps.get(usize::from(*choice)) {
                    play.takes(*step)?;
                }
            }
            while seen.insert(play.digest()) {
                if seen.len() as u64 >= self.states_max {
                    explored.states = seen.len() as u64;
                    return Ok(explored);
                }
                let steps = play.steps();
                explored.deepest = explored.deepest.max(path.len());
                let Some(first) = steps.first() else {
                    play.ends()?;
                    explored.ends += 1;
                    break;
                };
                for other in (1..=u8::MAX).take(steps.len().saturating_sub(1)) {
                    paths.add(path.iter().copied().chain([other]).collect(), deviations.saturating_add(1));
                }
                play.takes(*first)?;
                path.push(0);
            }
            explored.deviations = deviations;
        }
        explored.states = seen.len() as u64;
        explored.is_complete = true;
        Ok(explored)
    }
}

/// The choices that lead somewhere, those with the fewest deviations first: whatever bound is met, all that is simpler was seen.
#[derive(Debug, Default)]
struct Paths(Vec<Vec<Vec<u8>>>);

impl Paths {
    fn add(&mut self, path: Vec<u8>, deviations: usize) {
        if self.0.len() <= deviations {
            self.0.resize_with(deviations.saturating_add(1), Vec::new);
        }
        if let Some(paths) = self.0.get_mut(deviations) {
            paths.push(path);
        }
    }

    fn next(&mut self) -> Option<(Vec<u8>, usize)> {
        let all = self.0.iter_mut().enumerate();
        all.into_iter().find_map(|(deviations, paths)| Some((paths.pop()?, deviations)))
    }
}

/// What may happen next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Arrives(usize),
    IsLost(usize),
    ArrivesAndStays(usize),
    Acts(usize),
    TimePasses,
    HangsUp,
}

/// One of those who take part.
struct Party {
    address: SocketAddr,
    ua: UserAgent,
    watch: Watch,
    /// What its application will do, the next one last.
    script: Vec<Act>,
    invite: Option<InviteId>,
    sessions: BTreeSet<SessionId>,
    /// Depends on all that it was given.
    given: u64,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Cancel,
    Ring,
    Answer,
}

/// A run.
struct Play {
    parties: Vec<Party>,
    on_its_way: Vec<(usize, Packet)>,
    now: Now,
    faults: u8,
    told: Vec<String>,
    hash: KeyedHash,
}

type Progress = Result<(), Box<Counterexample>>;

fn address(party: u8) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(192, 0, 2, party.saturating_add(1)), 5060))
}

/// What goes there reaches every callee.
fn everybody() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(192, 0, 2, 200), 5060))
}

fn sound(address: SocketAddr) -> Media {
    let ip = address.ip();
    let origin = Origin {
        username: "-".into(),
        session_id: "1".into(),
        session_version: "1".into(),
        network: "IN".into(),
        address_type: "IP4".into(),
        address: format!("{ip}").into(),
    };
    Media::Endpoint(Endpoint::new(origin, &format!("{ip}")).media(LocalMedia::audio(4_000).codec(Codec::pcmu())))
}

impl Play {
    fn new(small: &Small) -> Result<Play, Box<Counterexample>> {
        let party = |number: u8| {
            let address = address(number);
            let mut config = Config::new("x", vec![Local::new(Transport::Udp, address)]);
            config.session_timers.interval_secs = None;
            config.reliable_provisionals = small.pracks;
            let script = match (number, small.cancels, small.pracks) {
                (0, true, _) => vec![Act::Cancel],
                (0, false, _) => Vec::new(),
                (_, _, true) => vec![Act::Answer, Act::Ring],
                (_, _, false) => vec![Act::Answer],
            };
            Party {
                address,
                ua: UserAgent::new(config, Random::from_seed([number.saturating_add(1); 32])),
                watch: Watch::new(address, usize::MAX),
                script,
                invite: None,
                sessions: BTreeSet::new(),
                given: 0,
            }
        };
        let mut play = Play {
            parties: (0..=small.callees).map(party).collect(),
            on_its_way: Vec::new(),
            now: Now::default(),
            faults: small.faults,
            told: Vec::new(),
            hash: KeyedHash::with_key(1, 2),
        };
        let to = if small.callees == 1 { address(1) } else { everybody() };
        let now = play.now;
        if let Some(caller) = play.parties.first_mut() {
            let outbound = Outbound::new(&format!("sip:a@{}", caller.address), &format!("sip:b@{to}"));
            caller.invite = caller.ua.invite(&outbound, sound(caller.address), now).ok();
        }
        play.told.push("a calls".to_owned());
        play.fetches(0)?;
        Ok(play)
    }

    /// All that may happen next.
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let may_act = |party: &Party| match party.script.last() {
            Some(Act::Cancel) => party.invite.is_some(),
            Some(_) => !party.sessions.is_empty(),
            None => false,
        };
        let acts = self.parties.iter().enumerate().filter(|(_, party)| may_act(party));
        steps.extend((0..self.on_its_way.len()).map(Step::Arrives));
        steps.extend(acts.map(|(index, _)| Step::Acts(index)));
        let next = self.parties.iter().filter_map(|party| party.ua.poll_timeout()).min();
        let is_soon = next.is_none_or(|at| at < ACTS_UNTIL);
        let must_act = !is_soon && steps.iter().any(|step| matches!(step, Step::Acts(_)));
        if self.on_its_way.is_empty() && !must_act {
            if next.is_some() {
                steps.push(Step::TimePasses);
            } else if steps.is_empty() && self.parties.iter().any(|party| party.ua.session_len() > 0) {
                steps.push(Step::HangsUp);
            }
        }
        if self.faults > 0 {
            steps.extend(
                (0..self.on_its_way.len()).flat_map(|index| [Step::IsLost(index), Step::ArrivesAndStays(index)]),
            );
        }
        steps
    }

    fn takes(&mut self, step: Step) -> Progress {
        match step {
            Step::Arrives(index) => {
                let (to, packet) = self.on_its_way.remove(index);
                self.arrives(to, &packet, "")
            }
            Step::IsLost(index) => {
                self.faults = self.faults.saturating_sub(1);
                let (to, packet) = self.on_its_way.remove(index);
                self.tells(to, &packet, " is lost");
                Ok(())
            }
            Step::ArrivesAndStays(index) => {
                self.faults = self.faults.saturating_sub(1);
                let Some((to, packet)) = self.on_its_way.get(index).cloned() else { return Ok(()) };
                self.arrives(to, &packet, ", and will again")
            }
            Step::Acts(index) => self.acts(index),
            Step::TimePasses => self.time_passes(),
            Step::HangsUp => self.hangs_up(),
        }
    }

    fn tells(&mut self, to: usize, packet: &Packet, how: &str) {
        let line = packet.bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        self.told.push(format!("{} {} > {to}: {}{how}", self.now.mono, packet.from, line.escape_ascii()));
    }

    fn arrives(&mut self, to: usize, packet: &Packet, how: &str) -> Progress {
        self.tells(to, packet, how);
        let (now, hash) = (self.now, self.hash);
        let Some(party) = self.parties.get_mut(to) else { return Ok(()) };
        // The 100s of two callees to a forked INVITE are the same to the letter.
        party.gets(hash, packet.from.to_string().as_bytes(), now);
        party.gets(hash, &packet.bytes, now);
        let verdict = party.watch.received(packet, now);
        let hop = Hop::udp(party.address, packet.from);
        match packet.content() {
            Content::Request(request) => {
                if let Ok(request) = stamp(request.clone(), &hop) {
                    let reply = reply_hop(&request.top_via(), hop);
                    party.ua.handle_request(request, reply, now);
                }
            }
            Content::Response(response) => party.ua.handle_response(response.clone(), hop, now),
            Content::Unreadable => {}
        }
        self.judged(verdict)?;
        self.fetches(to)
    }

    fn acts(&mut self, index: usize) -> Progress {
        let (now, hash) = (self.now, self.hash);
        let Some(party) = self.parties.get_mut(index) else { return Ok(()) };
        let Some(act) = party.script.pop() else { return Ok(()) };
        party.gets(hash, b"act", now);
        let media = sound(party.address);
        let session = party.sessions.first().copied();
        // What comes too late is not done.
        let done = match (act, session) {
            (Act::Cancel, _) => party.invite.is_some_and(|invite| party.ua.cancel(invite, None, now).is_ok()),
            (Act::Ring, Some(session)) => party.ua.ring(session, StatusCode::SessionProgress, media, now).is_ok(),
            (Act::Answer, Some(session)) => party.ua.answer(session, media, now).is_ok(),
            (_, None) => false,
        };
        self.told.push(format!("{} {index}: {act:?}{}", now.mono, if done { "" } else { " comes too late" }));
        self.fetches(index)
    }

    fn time_passes(&mut self) -> Progress {
        let Some(at) = self.parties.iter().filter_map(|party| party.ua.poll_timeout()).min() else { return Ok(()) };
        self.now = self.now.after(at.since(self.now.mono));
        let (now, hash) = (self.now, self.hash);
        for index in 0..self.parties.len() {
            let Some(party) = self.parties.get_mut(index) else { continue };
            if party.ua.poll_timeout().is_some_and(|at| at <= now.mono) {
                party.gets(hash, b"time", now);
                party.ua.handle_timeout(now);
                self.fetches(index)?;
            }
        }
        Ok(())
    }

    /// The call has stood long enough: the caller ends it, or whoever has it.
    fn hangs_up(&mut self) -> Progress {
        let (now, hash) = (self.now, self.hash);
        let standing = self.parties.iter().position(|party| party.ua.session_len() > 0);
        let Some((index, party)) = standing.and_then(|index| Some((index, self.parties.get_mut(index)?))) else {
            return Ok(());
        };
        party.gets(hash, b"hang up", now);
        for session in party.sessions.clone() {
            party.ua.release(session, now);
        }
        self.told.push(format!("{} {index} hangs up", now.mono));
        self.fetches(index)
    }

    /// Takes out what an agent has to send and to tell.
    fn fetches(&mut self, index: usize) -> Progress {
        let now = self.now;
        loop {
            let Some(party) = self.parties.get_mut(index) else { return Ok(()) };
            if let Some(transmit) = party.ua.poll_transmit() {
                let packet = Packet::udp(party.address, transmit.hop.remote, transmit.bytes);
                let verdict = party.watch.sent(&packet, now);
                self.judged(verdict)?;
                self.goes(packet);
                continue;
            }
            let Some(event) = party.ua.poll_event() else {
                let verdict = party.watch.step_ends(&party.ua);
                return self.judged(verdict);
            };
            let verdict = party.watch.event(&event, &party.ua);
            match event {
                Event::Incoming { session, .. } | Event::Answered { session, .. } => _ = party.sessions.insert(session),
                Event::Ended { session, .. } => _ = party.sessions.remove(&session),
                _ => {}
            }
            self.judged(verdict)?;
        }
    }

    fn goes(&mut self, packet: Packet) {
        let reaches = |(_, party): &(usize, &Party)| {
            party.address == packet.to || (packet.to == everybody() && party.address != address(0))
        };
        let to: Vec<usize> = self.parties.iter().enumerate().filter(reaches).map(|(index, _)| index).collect();
        self.on_its_way.extend(to.into_iter().map(|to| (to, packet.clone())));
        // In an order that does not depend on who was first.
        self.on_its_way.sort_by(|(to, one), (other_to, other)| {
            (to, one.from, &one.bytes).cmp(&(other_to, other.from, &other.bytes))
        });
    }

    fn ends(&mut self) -> Progress {
        for index in 0..self.parties.len() {
            let Some(party) = self.parties.get_mut(index) else { continue };
            let verdict = party.watch.run_ends(&party.ua);
            self.judged(verdict)?;
        }
        Ok(())
    }

    fn judged(&self, verdict: Verdict) -> Progress {
        verdict.map_err(|violation| Box::new(Counterexample { violation: *violation, steps: self.told.clone() }))
    }

    /// Names the state.
    fn digest(&self) -> u64 {
        let mut parts: Vec<Vec<u8>> = vec![self.now.mono.0.to_le_bytes().to_vec(), vec![self.faults]];
        parts.extend(self.parties.iter().map(|party| party.given.to_le_bytes().to_vec()));
        parts.extend(self.on_its_way.iter().map(|(to, packet)| {
            let from = packet.from.to_string();
            [&[u8::try_from(*to).unwrap_or(0)], from.as_bytes(), &packet.bytes[..]].concat()
        }));
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        self.hash.of(&parts)
    }
}

impl Party {
    fn gets(&mut self, hash: KeyedHash, what: &[u8], now: Now) {
        self.given = hash.of(&[&self.given.to_le_bytes(), &now.mono.0.to_le_bytes(), what]);
    }
}
