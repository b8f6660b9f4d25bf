//! Draws the graph of a machine: every state against every input, and a line for each pair where something happens.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Debug;

use bytes::Bytes;
use ringback_base::{Hop, Micros, Now, Transport};
use ringback_message::{Message, Request, Response};

use crate::effects::{Effects, Output, Running};
use crate::event::{ClientId, Event, ServerId};
use crate::hops::Key;
use crate::table::Id;
use crate::timers::{Reason, Timers};

/// Every timer.
pub(crate) const TIMERS: [Reason; 15] = [
    Reason::TimerA,
    Reason::TimerB,
    Reason::TimerD,
    Reason::TimerE,
    Reason::TimerF,
    Reason::TimerG,
    Reason::TimerH,
    Reason::TimerI,
    Reason::TimerJ,
    Reason::TimerK,
    Reason::TimerL,
    Reason::TimerM,
    Reason::Trying,
    Reason::Expiry,
    Reason::Abandoned,
];

/// The transaction that the machine under test is.
pub(crate) const CLIENT: Key = Key::Client(ClientId(Id::MIN));
pub(crate) const SERVER: Key = Key::Server(ServerId(Id::MIN));

/// A machine in one state: how to make it, its name, and the timers that run there.
pub(crate) struct Start<M> {
    pub(crate) machine: fn() -> M,
    pub(crate) timers: &'static [Reason],
}

/// What a machine can be told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input {
    /// A request, for a server machine; an ACK for one too.
    Request(&'static str),
    /// A response: from the net for a client machine, from the TU for a server machine.
    Response(u16),
    Timer(Reason),
    TransportError,
    Abandon,
}

/// Over UDP, or over TCP where the timers of the states are given as they are there.
pub(crate) fn graph<M: Debug>(
    key: Key,
    transport: Transport,
    starts: &[Start<M>],
    messages: &[Input],
    act: impl Fn(&mut M, Input, &mut Effects<'_>) -> Option<String>,
) -> String {
    // What repeats a message is never started where the transport does it.
    let runs = |timer: &Reason| {
        !(transport.is_reliable() && matches!(timer, Reason::TimerA | Reason::TimerE | Reason::TimerG))
    };
    let timers: Vec<Input> = TIMERS.into_iter().filter(runs).map(Input::Timer).collect();
    let rest = [Input::TransportError, Input::Abandon];
    let mut lines = Vec::new();
    for start in starts {
        for input in messages.iter().chain(&timers).chain(&rest) {
            lines.extend(line(key, transport, start, *input, &act));
        }
    }
    lines.join("\n")
}

fn line<M: Debug>(
    key: Key,
    transport: Transport,
    start: &Start<M>,
    input: Input,
    act: impl Fn(&mut M, Input, &mut Effects<'_>) -> Option<String>,
) -> Option<String> {
    let (mut machine, mut running, mut out, timers) =
        ((start.machine)(), Running::default(), Output::default(), Timers::default());
    let before = state(&machine);
    let address = "192.0.2.1:5060".parse().unwrap();
    let hop = Hop { transport, ..Hop::udp(address, address) };
    let now = Now::default();
    let mut fx = Effects {
        key,
        hop,
        now,
        timers: &timers,
        running: &mut running,
        out: &mut out,
        abandoned: false,
        ended: false,
    };
    for timer in start.timers {
        fx.start(*timer, Micros(1));
    }
    if let Input::Timer(fired) = input
        && start.timers.contains(&fired)
    {
        // A timer that fires is taken out of the queue before its machine is told.
        fx.stop(fired);
    }
    let result = act(&mut machine, input, &mut fx);
    let ended = fx.ended;
    let mut done: Vec<String> = result.into_iter().collect();
    done.extend(out.transmits.iter().map(|transmit| format!("send {}", name(&transmit.bytes))));
    done.extend(out.events.iter().map(told));
    let mut stopped = start.timers.to_vec();
    stopped.retain(|timer| !matches!(input, Input::Timer(fired) if fired == *timer));
    let mut started = Vec::new();
    while let Some((id, (_, reason))) = out.timers.pop_due(Micros::MAX) {
        stopped.retain(|timer| *timer != reason);
        if id.at() > Micros(1) {
            started.push(format!("start {reason}, {} ms", id.at().0 / 1_000));
        }
    }
    done.extend(stopped.iter().map(|timer| format!("stop {timer}")));
    done.append(&mut started);
    let after = if ended { "Terminated".into() } else { state(&machine) };
    let input = match input {
        Input::Request(method) => method.into(),
        Input::Response(code) => code.to_string(),
        Input::Timer(reason) => reason.to_string(),
        Input::TransportError => "transport error".into(),
        Input::Abandon => "abandon".into(),
    };
    (after != before || !done.is_empty())
        .then(|| format!("{before} -- {input} -> {after}: {}", done.join(", ")).trim_end_matches([':', ' ']).into())
}

/// The name of the variant in `Machine { state: Variant … }`.
fn state<M: Debug>(machine: &M) -> String {
    let text = format!("{machine:?}");
    let (_, state) = text.split_once("state: ").unwrap();
    state.chars().take_while(char::is_ascii_alphabetic).collect()
}

fn name(bytes: &Bytes) -> String {
    let message = Message::parse(bytes.clone()).unwrap();
    message.status().map_or_else(|| message.method().unwrap().to_string(), |status| status.to_string())
}

fn told(event: &Event) -> String {
    match event {
        Event::Response { response, .. } => format!("tell {}", response.status()),
        Event::ClientTimeout { .. } | Event::ServerTimeout { .. } => "tell timeout".into(),
        Event::ClientFailed { .. } | Event::ServerFailed { .. } => "tell failure".into(),
        Event::ClientHopLost { .. } => "tell loss of hop".into(),
        other => panic!("{other:?}"),
    }
}

fn text(first: &str, method: &str) -> Bytes {
    Bytes::from(format!(
        "{first}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@192.0.2.1>;tag=a\r\n\
         To: <sip:b@192.0.2.2>;tag=b\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\n\r\n"
    ))
}

pub(crate) fn request(method: &str) -> Request {
    let first = format!("{method} sip:b@192.0.2.2 SIP/2.0");
    Request::check(Message::parse(text(&first, method)).unwrap()).unwrap()
}

pub(crate) fn response(code: u16, method: &str) -> Response {
    let first = format!("SIP/2.0 {code} Whatever");
    Response::check(Message::parse(text(&first, method)).unwrap()).unwrap()
}

/// Compares drawings without regard to indentation.
#[track_caller]
pub(crate) fn same(drawn: &str, wanted: &str) {
    let wanted: Vec<&str> = wanted.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert!(drawn.lines().eq(wanted.iter().copied()), "drawn:\n{drawn}\n\nwanted:\n{}", wanted.join("\n"));
}
