//! `ringback dns`: the way from a URI to the addresses behind it, as the server and the library walk it.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ringback_base::{Random, Transport};
use ringback_message::{Cursor, HeaderId, ParseError, Uri, Via};
use ringback_server::ExitStatus;
use ringback_tokio::{DnsClient, DnsOptions};
use ringback_transport::resolve::{Aim, DnsAnswer, Family, Located, Preferences, Step, Trace, Walk};
use serde_json::{Value, json};

use crate::args::DnsArgs;
use crate::failure::Failure;
use crate::output::{bold, harmless, print};

/// How long the whole walk may take: a silent server costs two tries for each of its steps.
const PATIENCE: Duration = Duration::from_secs(15);

/// Prints the walk, and where it ends.
///
/// # Errors
/// Where the URI can't be read, or the system refuses a thread or randomness.
pub(crate) fn run(args: &DnsArgs) -> Result<ExitStatus, Failure> {
    let walk = walked(args)?;
    let (Some(result), Some(trace)) = (walk.result(), walk.trace()) else {
        return Err(Failure::new(ExitStatus::Internal, "the walk has no end"));
    };
    let (targets, failure) = match result {
        Ok(targets) => (targets, None),
        Err(why) => (&[][..], Some(why.as_str())),
    };
    print(&if args.json { as_json(args, trace, targets, failure) } else { as_text(args, trace, targets, failure) })?;
    Ok(if failure.is_none() { ExitStatus::Ok } else { ExitStatus::Refused })
}

fn walked(args: &DnsArgs) -> Result<Walk, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::new(ExitStatus::Internal, error))?;
    let mut walk = Walk::traced(aim(args)?, Arc::new(preferences(args)), Random::from_seed(seed));
    if walk.result().is_some() {
        return Ok(walk);
    }
    let options = DnsOptions { servers: args.servers(), ..DnsOptions::default() };
    let client = DnsClient::start(&options).map_err(|error| Failure::new(ExitStatus::Internal, error))?;
    let (told, answers) = mpsc::channel();
    let end = Instant::now().checked_add(PATIENCE).unwrap_or_else(Instant::now);
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

fn aim(args: &DnsArgs) -> Result<Aim, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::new(ExitStatus::Usage, format!("{}: {error}", harmless(args.uri.as_bytes())))
    };
    let parsed = |error: ParseError| unreadable(&error);
    if args.via {
        let mut cursor = Cursor::new(HeaderId::Via, args.uri.as_bytes(), 0);
        let via = Via::parse(&mut cursor).map_err(parsed)?;
        return Aim::of_via(&via).map_err(|error| unreadable(&error));
    }
    match Uri::parse(args.uri.as_bytes(), HeaderId::Other, 0).map_err(parsed)? {
        Uri::Sip(uri) => Aim::of_uri(&uri, args.maddr).map_err(|error| unreadable(&error)),
        _ => Err(unreadable(&"only sip and sips URIs lead to a server")),
    }
}

fn preferences(args: &DnsArgs) -> Preferences {
    let families = match (args.ipv4, args.ipv6) {
        (true, _) => vec![Family::V4],
        (_, true) => vec![Family::V6],
        _ => vec![Family::V6, Family::V4],
    };
    let mut preferences = Preferences::new(args.transports(), families);
    preferences.loopback = true;
    preferences
}

fn as_text(args: &DnsArgs, trace: &Trace, targets: &[Located], failure: Option<&str>) -> String {
    let mut out = bold(&harmless(args.uri.as_bytes()));
    out.push('\n');
    for line in trace.to_string().lines() {
        out.push_str(&harmless(line.as_bytes()));
        out.push('\n');
    }
    out.push('\n');
    for (number, target) in (1_u32..).zip(targets) {
        let Located { transport, address, identity, .. } = target;
        let certificate = match transport {
            Transport::Tls | Transport::Wss => format!(", certificate for {}", harmless(identity.as_bytes())),
            _ => String::new(),
        };
        out.push_str(&bold(&format!("{number}. {transport} {address}")));
        out.push_str(&certificate);
        out.push('\n');
    }
    if let Some(failure) = failure {
        out.push_str(&format!("leads nowhere: {failure}\n"));
    }
    out
}

fn as_json(args: &DnsArgs, trace: &Trace, targets: &[Located], failure: Option<&str>) -> String {
    let steps = trace.steps().iter().enumerate();
    let steps: Vec<Value> = steps.map(|(number, step)| step_as_json(number, step)).collect();
    let targets: Vec<Value> = targets
        .iter()
        .map(|target| {
            let (ip, port) = (target.address.ip().to_string(), target.address.port());
            json!({"transport": target.transport.as_str(), "address": ip, "port": port, "identity": &*target.identity})
        })
        .collect();
    let walk = json!({"uri": args.uri, "steps": steps, "targets": targets, "failure": failure});
    format!("{walk:#}\n")
}

fn step_as_json(number: usize, step: &Step) -> Value {
    let records: Vec<Value> = step
        .records
        .iter()
        .map(|record| json!({"text": record.text, "ttl_secs": record.ttl_secs, "ignored": record.ignored}))
        .collect();
    json!({
        "step": number,
        "parent": step.parent,
        "name": step.question.as_ref().map(|question| &*question.name),
        "kind": step.question.as_ref().map(|question| question.kind.as_str()),
        "outcome": step.outcome.map(|outcome| outcome.as_str()),
        "records": records,
        "notes": step.notes,
    })
}
