//! From a URI to targets, by the name servers.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use ringback_base::Random;
use ringback_message::{HeaderId, Uri};
use ringback_server::ExitStatus;
use ringback_tokio::{DnsClient, DnsOptions};
use ringback_transport::resolve::{Aim, DnsAnswer, Located, Preferences, RecordKind, Trace, Unresolved, Walk};

use crate::args::{NO_SIP, defect};
use crate::failure::Failure;
use crate::output::harmless;

/// What a request for this SIP URI begins with.
///
/// # Errors
/// Where it is none, or can't lead anywhere.
pub(crate) fn aim(text: &str, takes_maddr: bool) -> Result<Aim, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::new(ExitStatus::Usage, format!("{}: {error}", harmless(text.as_bytes())))
    };
    match Uri::parse(text.as_bytes(), HeaderId::Other, 0).map_err(|error| unreadable(&defect(&error, "")))? {
        Uri::Sip(uri) => Aim::of_uri(&uri, takes_maddr).map_err(|error| unreadable(&error)),
        _ => Err(unreadable(&NO_SIP)),
    }
}

/// A resolver that asks these name servers, or those of the system where there are none.
///
/// # Errors
/// Where the system refuses a thread.
pub(crate) fn resolver(servers: Vec<SocketAddr>) -> Result<DnsClient, Failure> {
    let options = DnsOptions { servers, ..DnsOptions::default() };
    DnsClient::start(&options).map_err(|error| Failure::new(ExitStatus::Internal, error))
}

/// A walk, to its end or for so long; whom it asks is made when there is something to ask.
///
/// # Errors
/// Where there is no resolver, or no randomness.
pub(crate) fn walked(
    aim: Aim,
    preferences: Arc<Preferences>,
    resolver: impl FnOnce() -> Result<DnsClient, Failure>,
    patience: Duration,
) -> Result<Walk, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::new(ExitStatus::Internal, error))?;
    let mut walk = Walk::traced(aim, preferences, Random::from_seed(seed));
    if walk.result().is_some() {
        return Ok(walk);
    }
    let client = resolver()?;
    let (told, answers) = mpsc::channel();
    let end = Instant::now().checked_add(patience).unwrap_or_else(Instant::now);
    while walk.result().is_none() {
        while let Some((id, question)) = walk.poll_question() {
            let told = told.clone();
            // Nobody listens any more once the walk has ended.
            if !client.ask(question, end, move |answer| _ = told.send((id, answer))) {
                walk.handle_answer(id, DnsAnswer::Failed);
            }
        }
        match answers.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok((id, answer)) => walk.handle_answer(id, answer),
            Err(_) => walk.hurry(),
        }
    }
    Ok(walk)
}

/// Why a walk leads nowhere, in the words of who only asks and listens nowhere.
pub(crate) fn nowhere(why: Unresolved) -> &'static str {
    match why {
        Unresolved::Family => "its address is of the family that --ipv4 or --ipv6 leaves out",
        Unresolved::Transport => "its transport is none of those that may be used",
        why => why.as_str(),
    }
}

/// Those of the targets that the system knows a way to, such as those of a family of addresses that it has; all where it knows none.
pub(crate) fn within_reach(targets: &[Located]) -> Vec<Located> {
    let is_within = |target: &&Located| our_address_towards(target.address).is_ok();
    let within: Vec<Located> = targets.iter().filter(is_within).cloned().collect();
    if within.is_empty() { targets.to_vec() } else { within }
}

/// Where we would send from, as the routing of the system says; nothing is sent for that.
///
/// # Errors
/// Where it knows no way.
pub(crate) fn our_address_towards(remote: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = if remote.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(remote)?;
    Ok(socket.local_addr()?.ip())
}

/// The name of the host whose address a target has: `None` where no name server was asked for it.
pub(crate) fn host_of(trace: &Trace, target: &Located) -> Option<String> {
    let ip = target.address.ip().to_string();
    trace.steps().iter().find_map(|step| {
        let question = step.question.as_ref()?;
        let is_host = matches!(question.kind, RecordKind::A | RecordKind::Aaaa);
        let has_it = step.records.iter().any(|record| record.text.rsplit(' ').next() == Some(ip.as_str()));
        (is_host && has_it).then(|| question.name.to_string())
    })
}
