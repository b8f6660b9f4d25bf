//! Draws the graph of each machine: every input in every state that the layer reaches, played on the layer itself.

use std::collections::BTreeSet;

use ringback_base::{Hop, KeyedHash, Micros, Now, Transport};
use ringback_message::{Message, Request, Response};
use ringback_transaction::{ClientId, Config, Event, Reason, ServerId, Transactions};

/// One of the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    InviteClient,
    NonInviteClient,
    InviteServer,
    NonInviteServer,
}

impl Machine {
    fn is_client(self) -> bool {
        matches!(self, Machine::InviteClient | Machine::NonInviteClient)
    }

    fn method(self) -> &'static str {
        match self {
            Machine::InviteClient | Machine::InviteServer => "INVITE",
            Machine::NonInviteClient | Machine::NonInviteServer => "OPTIONS",
        }
    }

    /// What may come in beside timers, under the name that the figures have for it, and codes from its ends and middle.
    fn inputs(self) -> Vec<(&'static str, Input)> {
        let responses: &[(&str, &[u16])] = match self {
            Machine::InviteClient => {
                &[("1xx", &[100, 180, 199]), ("2xx", &[200, 299]), ("300-699", &[300, 408, 486, 699])]
            }
            Machine::NonInviteClient => &[("1xx", &[100, 180, 199]), ("200-699", &[200, 299, 300, 408, 503, 699])],
            Machine::InviteServer => &[
                ("1xx from TU", &[100, 180, 199]),
                ("2xx from TU", &[200, 299]),
                ("300-699 from TU", &[300, 408, 486, 699]),
            ],
            Machine::NonInviteServer => &[
                ("100 from TU", &[100]),
                ("101-199 from TU", &[101, 180, 199]),
                ("408 from TU", &[408]),
                ("200-699 from TU", &[200, 299, 300, 407, 409, 699]),
            ],
        };
        let mut inputs: Vec<(&str, Input)> = responses
            .iter()
            .flat_map(|(name, codes)| codes.iter().map(|code| (*name, Input::Response(*code))))
            .collect();
        if !self.is_client() {
            inputs.push(("Request", Input::Request));
        }
        match self {
            Machine::InviteServer => inputs.push(("ACK", Input::Ack)),
            Machine::NonInviteServer => {}
            _ => inputs.push(("given up by TU", Input::Abandon)),
        }
        inputs.push(("Transport Err.", Input::TransportError));
        inputs
    }
}

/// What is done to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Request,
    Ack,
    Response(u16),
    TransportError,
    Abandon,
}

/// An arrow as it was seen, or an input that did nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) from: String,
    pub(crate) input: String,
    pub(crate) to: String,
    /// What was sent, told and refused, and which timers were started.
    pub(crate) effects: Vec<String>,
    /// The TU of this client transaction had given up.
    pub(crate) abandoned: bool,
}

impl Row {
    pub(crate) fn is_idle(&self) -> bool {
        self.from == self.to && self.effects.is_empty()
    }
}

/// The state before a machine is there, and after.
pub(crate) const START: &str = "(start)";
pub(crate) const TERMINATED: &str = "Terminated";

/// Every row, in the order in which breadth-first search finds them.
pub(crate) fn rows(machine: Machine, transport: Transport) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let (first, row) = Situation::start(machine, transport);
    rows.push(row);
    let (mut seen, mut queue, mut next) = (BTreeSet::from([first.key()]), vec![first], 0);
    while let Some(situation) = queue.get(next).cloned() {
        next += 1;
        let mut after: Vec<(Situation, Row)> =
            machine.inputs().into_iter().map(|(name, input)| situation.after(name, input)).collect();
        after.extend(situation.after_timer());
        for (situation, row) in after {
            if !rows.contains(&row) {
                rows.push(row);
            }
            if !situation.timers_and_state().1.is_empty() && seen.insert(situation.key()) {
                queue.push(situation);
            }
        }
    }
    rows
}

#[derive(Clone, Copy, Debug)]
enum Id {
    Client(ClientId),
    Server(ServerId),
}

/// A layer with one transaction, and the time.
#[derive(Clone, Debug)]
struct Situation {
    machine: Machine,
    hop: Hop,
    layer: Transactions,
    id: Id,
    now: Now,
    /// What else decides what comes next: whether the TU has given up, and whether there is something to repeat.
    abandoned: bool,
    has_sent: bool,
}

type Key = (String, Vec<(Reason, Micros)>, bool, bool);

impl Situation {
    fn start(machine: Machine, transport: Transport) -> (Situation, Row) {
        let mut layer = Transactions::new(Config::default(), KeyedHash::with_key(1, 2));
        let hop = Hop { transport, ..Hop::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap()) };
        let (now, request) = (Now::default(), request(machine.method(), ""));
        let id = if machine.is_client() {
            Id::Client(layer.request(request, hop, now).unwrap())
        } else {
            layer.handle_request(request, hop, now);
            match layer.poll_event() {
                Some(Event::Request { id }) => Id::Server(id),
                other => panic!("{other:?}"),
            }
        };
        let mut first = Situation { machine, hop, layer, id, now, abandoned: false, has_sent: false };
        let mut effects = first.drain();
        if !machine.is_client() {
            effects.push("request to TU".into());
        }
        effects.extend(first.started(&[], ""));
        let input = if machine.is_client() { "request from TU" } else { "Request" };
        let to = first.timers_and_state().1;
        let row = Row { from: START.into(), input: input.into(), to, effects, abandoned: false };
        (first, row)
    }

    fn timers_and_state(&self) -> (Vec<(Reason, Micros)>, String) {
        let (timers, state): (Vec<_>, _) = match self.id {
            Id::Client(id) => (self.layer.client_timers(id).collect(), self.layer.client_state(id)),
            Id::Server(id) => (self.layer.server_timers(id).collect(), self.layer.server_state(id)),
        };
        let timers = timers.into_iter().map(|(at, reason)| (reason, at.since(self.now.mono))).collect();
        (timers, state.map(|state| state.to_string()).unwrap_or_default())
    }

    fn key(&self) -> Key {
        let (timers, state) = self.timers_and_state();
        (state, timers, self.abandoned, self.has_sent)
    }

    fn after(&self, name: &str, input: Input) -> (Situation, Row) {
        let mut after = self.clone();
        let (layer, hop, now) = (&mut after.layer, self.hop, self.now);
        let mut refused = None;
        match (input, self.id) {
            (Input::Request, _) => layer.handle_request(request(self.machine.method(), ""), hop, now),
            (Input::Ack, _) => layer.handle_request(request("ACK", ";tag=b"), hop, now),
            (Input::TransportError, _) => layer.handle_transport_error(&hop, now),
            (Input::Response(code), Id::Server(id)) => {
                refused = layer.respond(id, response(code, self.machine.method()), now).err();
            }
            (Input::Response(code), Id::Client(_)) => {
                layer.handle_response(response(code, self.machine.method()), hop, now);
            }
            (Input::Abandon, Id::Client(id)) => {
                layer.abandon(id, now);
                after.abandoned = true;
            }
            (Input::Abandon, Id::Server(_)) => {}
        }
        let refused = refused.map(|error| format!("refused: {error}"));
        let row = after.row(self, name, refused);
        (after, row)
    }

    fn after_timer(&self) -> Option<(Situation, Row)> {
        let (at, reason) = self.layer.poll_timeout()?;
        let mut after = self.clone();
        after.now = self.now.after(at.since(self.now.mono));
        after.layer.handle_timeout(after.now);
        let row = after.row(self, &reason.to_string(), None);
        Some((after, row))
    }

    fn row(&mut self, before: &Situation, input: &str, refused: Option<String>) -> Row {
        let mut effects = self.drain();
        effects.extend(refused);
        let (timers, from) = before.timers_and_state();
        effects.extend(self.started(&timers, input));
        let to = match self.timers_and_state().1 {
            state if state.is_empty() => TERMINATED.into(),
            state => state,
        };
        Row { from, input: input.into(), to, effects, abandoned: before.abandoned }
    }

    /// The timers that run and did not before: another one, or the one that fired.
    fn started(&self, before: &[(Reason, Micros)], input: &str) -> Vec<String> {
        let ran = |timer: Reason| before.iter().any(|(other, _)| *other == timer);
        let is_new = |(timer, _): &(Reason, Micros)| !ran(*timer) || timer.to_string() == input;
        let timers = self.timers_and_state().0;
        timers.into_iter().filter(is_new).map(|(reason, left)| started(reason, left)).collect()
    }

    fn drain(&mut self) -> Vec<String> {
        let mut effects = Vec::new();
        while let Some(transmit) = self.layer.poll_transmit() {
            let message = Message::parse(transmit.bytes).unwrap();
            let what = message.method().map_or_else(|| "response".to_owned(), |method| method.to_string());
            effects.push(format!("send {what}"));
            self.has_sent = true;
        }
        while let Some(event) = self.layer.poll_event() {
            let what = match event {
                Event::Response { .. } => "response to TU",
                Event::Ack { .. } => "ACK to TU",
                Event::ClientTimeout { .. } | Event::ServerTimeout { .. } => "timeout to TU",
                Event::ClientFailed { .. } | Event::ServerFailed { .. } => "failure to TU",
                Event::ClientHopLost { .. } => "loss of the hop to TU",
                Event::ClientEnded { .. } | Event::ServerEnded { .. } => continue,
                other => panic!("{other:?}"),
            };
            effects.push(what.into());
        }
        effects
    }
}

/// What repeats a message has another interval each time.
fn started(reason: Reason, left: Micros) -> String {
    match reason {
        Reason::TimerA | Reason::TimerE | Reason::TimerG => format!("start {reason}"),
        _ => format!("start {reason}, {} ms", left.0 / 1_000),
    }
}

fn text(first: &str, tag: &str, method: &str) -> Vec<u8> {
    format!(
        "{first}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@192.0.2.1>;tag=a\r\n\
         To: <sip:b@192.0.2.2>{tag}\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\n\r\n"
    )
    .into_bytes()
}

fn request(method: &str, tag: &str) -> Request {
    let first = format!("{method} sip:b@192.0.2.2 SIP/2.0");
    Request::check(Message::parse(text(&first, tag, method).into()).unwrap()).unwrap()
}

fn response(code: u16, method: &str) -> Response {
    let first = format!("SIP/2.0 {code} Whatever");
    Response::check(Message::parse(text(&first, ";tag=b", method).into()).unwrap()).unwrap()
}
