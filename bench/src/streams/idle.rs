//! Many connections that say nothing.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::cost::Cost;
use super::dialer::Dialer;
use super::line::Line;
use super::text::{is_ok, options};
use crate::Fault;

/// So many are opened at once.
const SIDE_BY_SIDE: u32 = 50;
/// So many have one address, so that neither ports nor a server's limit for each source end.
const PER_SOURCE: u32 = 500;
/// How long memory is left to settle before it is looked at.
const SETTLE: Duration = Duration::from_secs(3);
/// So many are asked at once: Kamailio with one worker loses connections where ten thousand wake at one moment.
const ASKED_AT_ONCE: usize = 100;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What holding them took.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    /// How many were held.
    pub connections: u32,
    /// How many answered OPTIONS after the silence.
    pub answered: u32,
    /// By how much the server's memory has grown for each.
    pub bytes_each: f64,
    /// The same after they had been asked once more.
    pub bytes_each_after: f64,
    /// What is left of it when all are closed.
    pub bytes_each_closed: f64,
}

/// Opens `count` connections, asks each once, lets them be silent, and asks each again.
///
/// # Errors
/// Where one can't be opened, or the server is gone.
pub async fn hold(dialer: &Dialer, count: u32, silence: Duration, server: u32) -> Result<Idle, Fault> {
    let cost = Cost::of(server);
    // What the first ones make the server set up is no connection's own.
    drop(open(dialer, 0..SIDE_BY_SIDE).await?);
    tokio::time::sleep(SETTLE).await;
    let before = cost.pss_bytes()?;
    let mut lines = Vec::new();
    for first in (0..count).step_by(usize::try_from(SIDE_BY_SIDE).unwrap_or(1)) {
        lines.extend(open(dialer, first..count.min(first + SIDE_BY_SIDE)).await?);
    }
    tokio::time::sleep(SETTLE.max(silence)).await;
    let each = |bytes: u64| (to_f64(bytes) - to_f64(before)) / f64::from(count);
    let bytes_each = each(cost.pss_bytes()?);
    let mut good = Vec::new();
    while !lines.is_empty() {
        let some = lines.split_off(lines.len().saturating_sub(ASKED_AT_ONCE));
        good.extend(ask_all(some, dialer, "again").await?);
    }
    let lines = good;
    let answered = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    tokio::time::sleep(SETTLE).await;
    let bytes_each_after = each(cost.pss_bytes()?);
    drop(lines);
    tokio::time::sleep(SETTLE).await;
    Ok(Idle { connections: count, answered, bytes_each, bytes_each_after, bytes_each_closed: each(cost.pss_bytes()?) })
}

fn to_f64(bytes: u64) -> f64 {
    u32::try_from(bytes / 1024).map_or(f64::INFINITY, |kib| f64::from(kib) * 1024.0)
}

/// The address of this machine that the connection of this number comes from.
fn source(number: u32) -> IpAddr {
    let block = number / PER_SOURCE;
    IpAddr::V4(Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 1, 1).to_bits() + block))
}

async fn open(dialer: &Dialer, numbers: std::ops::Range<u32>) -> Result<Vec<Line>, Fault> {
    let mut opening = JoinSet::new();
    for number in numbers {
        let dialer = dialer.clone();
        opening.spawn(async move { dialer.dial(source(number)).await });
    }
    let mut lines = Vec::new();
    while let Some(line) = opening.join_next().await {
        lines.push(line.map_err(|error| error.to_string())??);
    }
    let all = lines.len();
    let lines = ask_all(lines, dialer, "first").await?;
    if lines.len() == all { Ok(lines) } else { Err(format!("{} of {all} connections answer", lines.len())) }
}

/// Asks all at once; gives those that answered as they should.
async fn ask_all(lines: Vec<Line>, dialer: &Dialer, what: &str) -> Result<Vec<Line>, Fault> {
    let mut asking = JoinSet::new();
    for mut line in lines {
        let call = format!("{what}-{}-{}", line.local(), std::process::id());
        let request = options(&line, dialer.server(), &call);
        asking.spawn(async move {
            line.send(&request).await.ok()?;
            let answer = timeout(PATIENCE, line.receive()).await.ok()?.ok()?;
            is_ok(&answer, &call).then_some(line)
        });
    }
    let mut good = Vec::new();
    while let Some(line) = asking.join_next().await {
        good.extend(line.map_err(|error| error.to_string())?);
    }
    Ok(good)
}
