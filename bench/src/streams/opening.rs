//! Connections that are opened, asked once, and closed.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::cost::Cost;
use super::dialer::{Dialer, is_as_wished};
use super::line::Line;
use super::load::Tally;
use super::text::{is_ok, options};
use crate::Fault;

/// So many are on their way at once; a client of rustls keeps twice as many tickets for a server.
const VISITORS: u32 = 4;
/// How long a connection may take from its beginning to its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// `count` connections, `rate` a second, behind `warm` that are not measured.
///
/// # Errors
/// Where the server is gone.
pub async fn open_and_close(dialer: &Dialer, count: u32, rate: u32, warm: u32, server: u32) -> Result<Tally, Fault> {
    // For a full handshake servers give two tickets, for a resumed one some give one alone: so each visitor needs a full one first, and
    // no ticket is read before all have theirs.
    let mut lines = Vec::new();
    for _ in 0..VISITORS {
        lines.push(dialer.dial(IpAddr::V4(Ipv4Addr::LOCALHOST)).await?);
    }
    for line in lines {
        let call = format!("first-{}-{}", line.local(), std::process::id());
        ask(line, dialer, &call).await?;
    }
    series(dialer, "warm", warm, rate).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (server, own) = (Cost::of(server), Cost::of(std::process::id()));
    let (server_before, own_before) = (server.cpu_ns()?, own.cpu_ns()?);
    let began = Instant::now();
    let mut tally = series(dialer, "run", count, rate).await?;
    tally.seconds = began.elapsed().as_secs_f64();
    tally.server_ns = server.cpu_ns()?.saturating_sub(server_before);
    tally.own_ns = own.cpu_ns()?.saturating_sub(own_before);
    Ok(tally)
}

/// One visitor after the other has its turns, so that no more are on their way than there are tickets of sessions to be resumed.
async fn series(dialer: &Dialer, what: &'static str, count: u32, rate: u32) -> Result<Tally, Fault> {
    let mut visitors = JoinSet::new();
    let period = Duration::from_secs(1) * VISITORS / rate;
    for visitor in 0..VISITORS {
        let dialer = dialer.clone();
        let share = count / VISITORS + u32::from(visitor < count % VISITORS);
        visitors.spawn(async move {
            let mut ticks = interval_at(Instant::now() + period * visitor / VISITORS, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut faults = Vec::new();
            for number in 0..share {
                ticks.tick().await;
                let call = format!("{what}-{visitor}-{number}-{}", std::process::id());
                let visit = timeout(PATIENCE, visit(&dialer, &call, dialer.resumes())).await;
                faults.extend(visit.unwrap_or_else(|_| Err("it took too long".to_owned())).err());
            }
            faults
        });
    }
    let mut tally = Tally { ok: count.into(), ..Tally::default() };
    while let Some(faults) = visitors.join_next().await {
        for fault in faults.map_err(|error| error.to_string())? {
            eprintln!("{what}: {fault}");
            tally.ok -= 1;
            tally.failed += 1;
        }
    }
    Ok(tally)
}

async fn visit(dialer: &Dialer, call: &str, resumes: bool) -> Result<(), Fault> {
    let line = dialer.dial(IpAddr::V4(Ipv4Addr::LOCALHOST)).await?;
    let kind = line.handshake_kind();
    if !is_as_wished(kind, resumes) {
        return Err(format!("the handshake was {kind:?}"));
    }
    ask(line, dialer, call).await
}

async fn ask(mut line: Line, dialer: &Dialer, call: &str) -> Result<(), Fault> {
    line.send(&options(&line, dialer.server(), call)).await?;
    let answer = line.receive().await?;
    if !is_ok(&answer, call) {
        return Err(format!("OPTIONS: {:?}", String::from_utf8_lossy(&answer)));
    }
    line.close().await
}
