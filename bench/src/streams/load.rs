//! OPTIONS and calls at a fixed rate over a fixed number of connections.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval_at, timeout};

use super::cost::Cost;
use super::dialer::Dialer;
use super::line::Line;
use super::text::{User, status, value};
use crate::Fault;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the server is left alone between warming up and being measured.
const PAUSE: Duration = Duration::from_secs(1);

/// What is asked of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// OPTIONS, 200.
    Options,
    /// INVITE, 100, 180, 200, ACK, BYE, 200, both phones behind connections of their own: 13 messages at the server.
    Call,
}

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What.
    pub kind: Kind,
    /// Over how many connections; calls have as many again for those who are called.
    pub connections: u32,
    /// How many a second, over all connections.
    pub rate: u32,
    /// How many.
    pub count: u32,
    /// How many before anything is measured.
    pub warm: u32,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Done as they should be.
    pub ok: u64,
    /// Not so.
    pub failed: u64,
    /// How long all took.
    pub seconds: f64,
    /// CPU of the server meanwhile.
    pub server_ns: u64,
    /// CPU of this process.
    pub own_ns: u64,
}

/// One side of a connection, with its user and what it has counted.
struct Phone {
    line: Line,
    user: User,
    ok: u64,
    failed: u64,
}

/// Opens the connections, warms the server up, and measures it.
///
/// # Errors
/// Where a connection can't be opened or breaks, or the server is gone.
pub async fn run(dialer: &Dialer, plan: Plan, server: u32) -> Result<Tally, Fault> {
    let mut phones = Vec::new();
    for number in 0..plan.connections {
        phones.push(Phone::dial(dialer, format!("a{number}"), plan.kind == Kind::Call).await?);
    }
    let mut called = Vec::new();
    for number in (0..plan.connections).filter(|_| plan.kind == Kind::Call) {
        called.push(Phone::dial(dialer, format!("b{number}"), true).await?);
    }
    let mut tally = Tally::default();
    // The measured part comes second, and what was counted for the first is overwritten.
    for (part, count) in [("warm", plan.warm), ("run", plan.count)] {
        for phone in phones.iter_mut().chain(&mut called) {
            (phone.ok, phone.failed) = (0, 0);
        }
        let (server, own) = (Cost::of(server), Cost::of(std::process::id()));
        let (server_before, own_before) = (server.cpu_ns()?, own.cpu_ns()?);
        let began = Instant::now();
        (phones, called) = phase(phones, called, Plan { count, ..plan }, part).await?;
        tally.seconds = began.elapsed().as_secs_f64();
        tally.server_ns = server.cpu_ns()?.saturating_sub(server_before);
        tally.own_ns = own.cpu_ns()?.saturating_sub(own_before);
        let callers_failed: u64 = phones.iter().map(|phone| phone.failed).sum();
        let called_failed: u64 = called.iter().map(|phone| phone.failed).sum();
        tally.failed = callers_failed.max(called_failed);
        tally.ok = u64::from(count).saturating_sub(tally.failed);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(tally)
}

/// All connections at once, each with its part of `plan.count`, spread evenly over time.
async fn phase(
    phones: Vec<Phone>,
    called: Vec<Phone>,
    plan: Plan,
    part: &str,
) -> Result<(Vec<Phone>, Vec<Phone>), Fault> {
    let period = Duration::from_secs(1) * plan.connections / plan.rate;
    let begin = tokio::time::Instant::now() + Duration::from_millis(50);
    let share = |number: u32| plan.count / plan.connections + u32::from(number < plan.count % plan.connections);
    let (mut callers, mut callees) = (JoinSet::new(), JoinSet::new());
    for (number, phone) in (0..plan.connections).zip(phones) {
        let mut ticks = interval_at(begin + period * number / plan.connections, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let beat = Beat { ticks, count: share(number), prefix: format!("{part}-{number}-{}", std::process::id()) };
        match plan.kind {
            Kind::Options => _ = callers.spawn(phone.asks(beat)),
            Kind::Call => _ = callers.spawn(phone.calls(beat, format!("b{number}"))),
        }
    }
    for (number, phone) in (0..plan.connections).zip(called) {
        callees.spawn(phone.takes_calls(share(number)));
    }
    Ok((all(callers).await?, all(callees).await?))
}

async fn all(mut set: JoinSet<Result<Phone, Fault>>) -> Result<Vec<Phone>, Fault> {
    let mut phones = Vec::new();
    while let Some(ended) = set.join_next().await {
        phones.push(ended.map_err(|error| error.to_string())??);
    }
    // Each goes on with those who were with it before.
    phones.sort_by_key(|phone| phone.user.name.get(1..).and_then(|digits| digits.parse::<u32>().ok()));
    Ok(phones)
}

/// When a connection has its turns, and what its calls are named.
struct Beat {
    ticks: Interval,
    count: u32,
    prefix: String,
}

impl Phone {
    async fn dial(dialer: &Dialer, name: String, registers: bool) -> Result<Phone, Fault> {
        let mut line = dialer.dial(IpAddr::V4(Ipv4Addr::LOCALHOST)).await?;
        let user = User::new(name, &line, dialer.server());
        if registers {
            let call = format!("register-{}-{}", user.name, std::process::id());
            line.send(&user.register(&call)).await?;
            let answer = timeout(PATIENCE, line.receive()).await.map_err(|_| "no answer to REGISTER".to_owned())??;
            if !super::text::is_ok(&answer, &call) {
                return Err(format!("REGISTER: {:?}", String::from_utf8_lossy(&answer)));
            }
        }
        Ok(Phone { line, user, ok: 0, failed: 0 })
    }

    /// The next message, as text; `None` where nothing comes.
    async fn hears(&mut self) -> Result<Option<String>, Fault> {
        match timeout(PATIENCE, self.line.receive()).await {
            Err(_) => Ok(None),
            Ok(message) => String::from_utf8(message?.to_vec()).map(Some).map_err(|error| error.to_string()),
        }
    }

    async fn asks(mut self, mut beat: Beat) -> Result<Phone, Fault> {
        let mut open = HashSet::new();
        let mut sent = 0;
        while sent < beat.count || !open.is_empty() {
            tokio::select! {
                _ = beat.ticks.tick(), if sent < beat.count => {
                    let call = format!("{}-{sent}", beat.prefix);
                    sent += 1;
                    self.line.send(&self.user.options(&call)).await?;
                    open.insert(call);
                }
                heard = self.hears() => {
                    let Some(message) = heard? else { break };
                    let is_known = value(&message, "Call-ID").is_some_and(|call| open.remove(call));
                    let is_good = is_known && status(&message) == Some(200);
                    if is_good { self.ok += 1 } else { self.failed += 1 }
                }
            }
        }
        self.failed += u64::try_from(open.len()).unwrap_or(u64::MAX);
        Ok(self)
    }

    async fn calls(mut self, mut beat: Beat, callee: String) -> Result<Phone, Fault> {
        let mut open = HashSet::new();
        let mut sent = 0;
        while sent < beat.count || !open.is_empty() {
            tokio::select! {
                _ = beat.ticks.tick(), if sent < beat.count => {
                    let call = format!("{}-{sent}", beat.prefix);
                    sent += 1;
                    self.line.send(&self.user.invite(&callee, &call)).await?;
                    open.insert(call);
                }
                heard = self.hears() => {
                    let Some(message) = heard? else { break };
                    self.answered(&message, &mut open).await?;
                }
            }
        }
        self.failed += u64::try_from(open.len()).unwrap_or(u64::MAX);
        Ok(self)
    }

    async fn answered(&mut self, message: &str, open: &mut HashSet<String>) -> Result<(), Fault> {
        let call = value(message, "Call-ID").unwrap_or_default();
        match (status(message), value(message, "CSeq")) {
            (Some(100..=199), Some("1 INVITE")) if open.contains(call) => {}
            (Some(200), Some("1 INVITE")) if open.contains(call) => {
                let [ack, bye] = self.user.ack_and_bye(message, call)?;
                self.line.send(&ack).await?;
                self.line.send(&bye).await?;
            }
            (Some(200), Some("2 BYE")) if open.remove(call) => self.ok += 1,
            _ => {
                open.remove(call);
                self.failed += 1;
            }
        }
        Ok(())
    }

    /// Answers `count` calls; one is good where its ACK and its BYE come.
    async fn takes_calls(mut self, count: u32) -> Result<Phone, Fault> {
        let (mut acks, mut byes) = (0_u32, 0_u32);
        while acks < count || byes < count {
            let Some(message) = self.hears().await? else { break };
            match message.split(' ').next() {
                Some("INVITE") => {
                    self.line.send(&self.user.answer(&message, "180 Ringing")).await?;
                    self.line.send(&self.user.answer(&message, "200 OK")).await?;
                }
                Some("ACK") => acks += 1,
                Some("BYE") => {
                    byes += 1;
                    self.line.send(&self.user.answer(&message, "200 OK")).await?;
                }
                _ => self.failed += 1,
            }
        }
        self.failed += u64::from(count.saturating_sub(acks.min(byes)));
        Ok(self)
    }
}
