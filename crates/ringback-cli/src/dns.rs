//! `ringback dns`: the way from a URI to the addresses behind it, as the server and the library walk it.

use std::sync::Arc;
use std::time::Duration;

use ringback_base::Transport;
use ringback_message::{Cursor, HeaderId, Via};
use ringback_server::ExitStatus;
use ringback_transport::resolve::{Aim, Located, Step, Trace};
use serde_json::{Value, json};

use crate::args::DnsArgs;
use crate::failure::Failure;
use crate::output::{bold, harmless, print};
use crate::walks;

/// How long the whole walk may take: a silent server costs two tries for each of its steps.
const PATIENCE: Duration = Duration::from_secs(15);

/// Prints the walk, and where it ends.
///
/// # Errors
/// Where the URI can't be read, or the system refuses a thread or randomness.
pub(crate) fn run(args: &DnsArgs) -> Result<ExitStatus, Failure> {
    let resolver = || walks::resolver(args.servers());
    let walk = walks::walked(aim(args)?, Arc::new(args.preferences()), resolver, PATIENCE)?;
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

fn aim(args: &DnsArgs) -> Result<Aim, Failure> {
    if !args.via {
        return walks::aim(&args.uri, args.maddr);
    }
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::new(ExitStatus::Usage, format!("{}: {error}", harmless(args.uri.as_bytes())))
    };
    let mut cursor = Cursor::new(HeaderId::Via, args.uri.as_bytes(), 0);
    let via = Via::parse(&mut cursor).map_err(|error| unreadable(&error))?;
    Aim::of_via(&via).map_err(|error| unreadable(&error))
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
