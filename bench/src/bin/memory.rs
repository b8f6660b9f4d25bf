//! What transactions, dialogs and registrations keep: `ringback-bench-memory [FOLDER]` prints a line for each, and fails beyond the
//! bounds. The messages are the reference's in this folder, or our own.
//!
//! Each kind is made [`MANY`] times in a process of its own, which has made and dropped a few before. Two figures are taken, and
//! the larger one counts: what was asked of the allocator and not given back, with what it needs for each block itself, unused
//! room of tables among it; and what the process has grown by.

use std::alloc::System;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use bytes::Bytes;
use ringback_base::{Hop, KeyedHash, Micros, Now, Random, Transport};
use ringback_bench::Fault;
use ringback_bench::call::{Calls, EXPIRES_SECS, Live, Side, Texts, media, pass_time};
use ringback_message::{HeaderId, Message, Request, Response, StatusCode};
use ringback_sdp::SessionDescription;
use ringback_sdp::negotiate::{PackedSession, Session};
use ringback_transaction::{Config, Event, Transactions};
use ringback_ua::{Local, Registration, RegistrationConfig, RegistrationState, UserAgent};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How many of each: tables have just doubled their room then, and take the most for each.
const MANY: u32 = 2_049;

/// How many are made before, for what the process takes but once: its code, and the allocator's own.
const FEW: u32 = 64;

/// What an allocator needs for a block beside what is asked for: its head, and rounding.
const BLOCK_BYTES: usize = 16;

/// The most for an INVITE server transaction, which holds its request of 1,288 bytes once.
const INVITE_SERVER_BYTES_MAX: usize = 3 * 1024;
/// The most for an INVITE client transaction with the same request.
const INVITE_CLIENT_BYTES_MAX: usize = 3 * 1024;
/// The most for a confirmed dialog, with its timers and both descriptions.
const DIALOG_BYTES_MAX: usize = 2 * 1024;
/// The most for a registration that waits for its refresh.
const REGISTRATION_BYTES_MAX: usize = 600;

/// Makes the one of this number.
type Make = fn(&Texts, u32) -> Result<Box<dyn std::any::Any>, Fault>;

/// A kind of thing that is kept.
struct Kind {
    /// On the command line.
    name: &'static str,
    /// In the table.
    title: &'static str,
    /// The most that one may take.
    bytes_max: Option<usize>,
    /// Makes so many, and returns what holds them.
    make: Make,
}

/// All kinds.
const KINDS: &[Kind] = &[
    Kind {
        name: "invite-server",
        title: "INVITE server transaction, 100 sent",
        bytes_max: Some(INVITE_SERVER_BYTES_MAX),
        make: |texts, many| servers(texts, many, Texts::invite, StatusCode::Trying),
    },
    Kind {
        name: "invite-server-ringing",
        title: "the same, 180 sent, which is kept",
        bytes_max: Some(INVITE_SERVER_BYTES_MAX),
        make: |texts, many| servers(texts, many, Texts::invite, StatusCode::Ringing),
    },
    Kind {
        name: "server",
        title: "BYE server transaction, 200 sent, which is kept",
        bytes_max: None,
        make: |texts, many| servers(texts, many, Texts::bye, StatusCode::Ok),
    },
    Kind {
        name: "invite-client",
        title: "INVITE client transaction",
        bytes_max: Some(INVITE_CLIENT_BYTES_MAX),
        make: |texts, many| clients(texts, many, Texts::invite),
    },
    Kind {
        name: "client",
        title: "BYE client transaction",
        bytes_max: None,
        make: |texts, many| clients(texts, many, Texts::bye),
    },
    Kind { name: "negotiated", title: "both descriptions, and what was negotiated", bytes_max: None, make: negotiated },
    Kind {
        name: "callee",
        title: "confirmed dialog, called, with both descriptions",
        bytes_max: Some(DIALOG_BYTES_MAX),
        make: |texts, many| dialogs(texts, many, Side::Callee),
    },
    Kind {
        name: "caller",
        title: "confirmed dialog, calling, with both descriptions",
        bytes_max: Some(DIALOG_BYTES_MAX),
        make: |texts, many| dialogs(texts, many, Side::Caller),
    },
    Kind {
        name: "registration",
        title: "registration of ours, granted",
        bytes_max: Some(REGISTRATION_BYTES_MAX),
        make: |_, many| registrations(many),
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] => all(None),
        ["--kind", name, folder @ ..] => KINDS
            .iter()
            .find(|kind| kind.name == *name)
            .ok_or_else(|| format!("no kind {name}"))
            .and_then(|kind| measure(kind, folder.first().map(Path::new)))
            .map(|(heap, blocks, grown)| println!("{heap}\t{blocks:.1}\t{grown}")),
        [folder] => all(Some(folder)),
        _ => Err("usage: ringback-bench-memory [--kind KIND] [FOLDER]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// Each kind by a process of its own: what one gave back would hide what another takes.
fn all(folder: Option<&str>) -> Result<(), Fault> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    println!("{:<52} {:>6} {:>7} {:>8} {:>6}", "bytes of one", "heap", "blocks", "process", "bound");
    let start = |kind: &Kind| {
        Command::new(&program)
            .args(["--kind", kind.name])
            .args(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    };
    let running: Vec<_> = KINDS.iter().map(start).collect();
    let mut taken = BTreeMap::new();
    for (kind, child) in KINDS.iter().zip(running) {
        let output = child.and_then(Child::wait_with_output).map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout);
        let cells: Vec<&str> = said.trim().split('\t').collect();
        let [heap, blocks, grown] = cells.as_slice() else {
            return Err(format!("{}: {}", kind.title, String::from_utf8_lossy(&output.stderr).trim()));
        };
        println!("{:<52} {heap:>6} {blocks:>7} {grown:>8} {:>6}", kind.title, bound(kind.bytes_max));
        let larger = [heap, grown].into_iter().filter_map(|bytes| bytes.parse::<usize>().ok()).max();
        taken.insert(kind.name, larger.ok_or_else(|| format!("{}: no figures", kind.title))?);
    }
    let of = |name: &str| taken.get(name).copied().unwrap_or(usize::MAX);
    let mut faults = Vec::new();
    let mut hold = |title: &str, bytes: usize, bytes_max: Option<usize>| {
        if bytes_max.is_some_and(|bytes_max| bytes > bytes_max) {
            faults.push(format!("{title}: {bytes} bytes, more than {}", bound(bytes_max)));
        }
    };
    KINDS.iter().for_each(|kind| hold(kind.title, of(kind.name), kind.bytes_max));
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn bound(bytes_max: Option<usize>) -> String {
    bytes_max.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string())
}

/// Bytes of heap, blocks, and bytes that the process has grown by, for one of this kind.
fn measure(kind: &Kind, folder: Option<&Path>) -> Result<(usize, f64, usize), Fault> {
    let texts = folder.map_or_else(|| Ok(Texts::own()), Texts::read)?;
    drop((kind.make)(&texts, FEW)?);
    let before = resident_bytes()?;
    let region = Region::new(ALLOCATOR);
    let kept = (kind.make)(&texts, MANY)?;
    let change = region.change();
    let grown = resident_bytes()?.saturating_sub(before);
    drop(kept);
    let blocks = change.allocations.saturating_sub(change.deallocations);
    let bytes = change.bytes_allocated.saturating_sub(change.bytes_deallocated);
    let many = MANY as usize;
    Ok(((bytes + blocks * BLOCK_BYTES) / many, blocks as f64 / f64::from(MANY), grown / many))
}

fn resident_bytes() -> Result<usize, Fault> {
    let text = std::fs::read_to_string("/proc/self/statm").map_err(|error| format!("/proc/self/statm: {error}"))?;
    let pages: usize = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).ok_or("/proc/self/statm")?;
    Ok(pages * rustix::param::page_size())
}

fn request(bytes: Bytes) -> Result<Request, Fault> {
    let message = Message::parse(bytes).map_err(|rejected| rejected.error.to_string())?;
    Request::check(message).map_err(|rejected| rejected.error.to_string())
}

fn hop() -> Result<Hop, Fault> {
    let address = |text: &str| text.parse().map_err(|error| format!("{text}: {error}"));
    Ok(Hop::udp(address("198.51.100.7:5060")?, address("203.0.113.9:5060")?))
}

fn transactions() -> Transactions {
    Transactions::new(Config::default(), KeyedHash::with_key(1, 2))
}

fn at(number: u32) -> Now {
    Now::default().after(Micros::from_ms(number.into()))
}

fn servers(
    texts: &Texts,
    many: u32,
    text: fn(&Texts, u32) -> Bytes,
    status: StatusCode,
) -> Result<Box<dyn std::any::Any>, Fault> {
    let (mut layer, hop) = (transactions(), hop()?);
    for number in 0..many {
        let bytes = text(texts, number);
        let place = bytes.as_ptr();
        layer.handle_request(request(bytes)?, hop, at(number));
        let Some(Event::Request { id }) = layer.poll_event() else { return Err("no transaction".to_owned()) };
        let request = layer.server_request(id).ok_or("no transaction")?;
        if request.as_bytes().as_ptr() != place {
            return Err("the request is not held as it came".to_owned());
        }
        let builder = Response::to(request, status);
        let builder = match status {
            StatusCode::Trying => builder,
            _ => builder.raw(HeaderId::Contact, "<sip:bob@198.51.100.7:5060>"),
        };
        let builder = if request.to_tag().is_none() { builder.to_tag("a6c85cf") } else { builder };
        let response = builder.build().map_err(|error| error.to_string())?;
        layer.respond(id, response, at(number)).map_err(|error| error.to_string())?;
        while layer.poll_transmit().is_some() {}
    }
    kept(layer.server_len(), many, layer)
}

fn clients(texts: &Texts, many: u32, text: fn(&Texts, u32) -> Bytes) -> Result<Box<dyn std::any::Any>, Fault> {
    let (mut layer, hop) = (transactions(), hop()?);
    for number in 0..many {
        layer.request(request(text(texts, number))?, hop, at(0)).map_err(|error| error.to_string())?;
        while layer.poll_transmit().is_some() {}
    }
    kept(layer.client_len(), many, layer)
}

/// Calls one after another, each when the transactions of the last are over, and none of them ends.
fn dialogs(texts: &Texts, many: u32, side: Side) -> Result<Box<dyn std::any::Any>, Fault> {
    let mut calls = Calls::new(side, 1)?;
    for number in 0..many {
        calls.establish(&mut Live::new(texts, number, None))?;
        calls.pass_time();
    }
    let agent = calls.endpoint.agent();
    if agent.transactions().server_len() + agent.transactions().client_len() > 0 {
        return Err("transactions are left".to_owned());
    }
    kept(agent.session_len(), many, calls)
}

/// What sessions keep of offer and answer, as that of an answered INVITE.
fn negotiated(texts: &Texts, many: u32) -> Result<Box<dyn std::any::Any>, Fault> {
    let endpoint = media("bob", "198.51.100.7");
    let mut sessions = Vec::with_capacity(many as usize);
    for number in 0..many {
        let invite = request(texts.invite(number))?;
        let offer = SessionDescription::parse(invite.body()).map_err(|error| error.to_string())?;
        let received = Session::new().receive(offer).map_err(|refused| refused.refusal.to_string())?;
        let answer = received.answer(&endpoint).map_err(|refused| refused.refusal.to_string())?;
        sessions.push(PackedSession::from(answer.sent()));
    }
    kept(sessions.len(), many, sessions)
}

/// Registrations one after another, each granted before the next begins.
fn registrations(many: u32) -> Result<Box<dyn std::any::Any>, Fault> {
    let hop = hop()?;
    let mut config = ringback_ua::Config::new("alice", vec![Local::new(Transport::Udp, hop.local)]);
    config.outbound = Some(hop);
    let mut agent = UserAgent::new(config, Random::from_seed([1; 32]));
    let (mut now, mut granted) = (Now::default(), 0);
    for number in 0..many {
        let contact = format!("sip:user{number}@198.51.100.7:5060");
        let wished = RegistrationConfig::new(&format!("sip:user{number}@atlanta.example.com"), &contact);
        let id = agent.add_registration(&wished, None).map_err(|error| error.to_string())?;
        agent.register(id, now).map_err(|error| error.to_string())?;
        let sent = agent.poll_transmit().ok_or("no REGISTER")?;
        let register = request(sent.bytes)?;
        let response = Response::to(&register, StatusCode::Ok)
            .to_tag("a6c85cf")
            .raw(HeaderId::Contact, format!("<{contact}>;expires={EXPIRES_SECS}"))
            .build()
            .map_err(|error| error.to_string())?;
        agent.handle_response(response, hop, now);
        while agent.poll_event().is_some() {}
        now = pass_time(&mut agent, now);
        let state = agent.registration(id).map(Registration::state);
        granted += usize::from(state == Some(RegistrationState::Registered));
    }
    kept(granted, many, agent)
}

fn kept(count: usize, many: u32, what: impl std::any::Any) -> Result<Box<dyn std::any::Any>, Fault> {
    if count == many as usize { Ok(Box::new(what)) } else { Err(format!("{count} are there, not {many}")) }
}
