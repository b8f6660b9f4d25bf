//! Scripts in virtual time: what comes in at which millisecond, what must come out, which timer fires in between.
//!
//! ```text
//! at 0    in  TU   INVITE      ; what is done to the layer
//! at 0    out net  INVITE      ; what it does
//! at 500  Timer A              ; what it did that for
//! at 500  out net  INVITE
//! ```
//!
//! A script is complete: whatever happens and is not in it fails it, from the first line until the last timer has
//! fired. Each line says `at MILLISECONDS`, then one of
//!
//! | line | means |
//! |---|---|
//! | `in net INVITE`, `in net 486` | a request or response arrives |
//! | `in net error` | the transport reports that the hop has failed |
//! | `in TU INVITE` | the TU starts a client transaction |
//! | `in TU 486` | the TU responds |
//! | `in TU abandon` | the TU gives up its client transaction |
//! | `out net …` | a message goes out |
//! | `out TU …` | an event: a message, `timeout`, `failed`, `hop lost`, `stray 486`, `refused …`, `ended` |
//! | `Timer X` | a timer fires |
//! | `left 1` | a transaction remains when no timer is left |
//!
//! A message may name its To tag, as `486/x`. Without one a request has none, and a response has `b`. Two requests that
//! differ in what stands behind a colon, as `INVITE:2`, differ in their branch.

use bytes::Bytes;
use ringback_base::{Hop, KeyedHash, Micros, Now, Transport};
use ringback_message::{Message, Request, Response};
use ringback_transaction::{ClientId, Config, Event, ServerId, Timers, Transactions};

/// Plays a script over UDP.
#[track_caller]
pub(crate) fn udp(script: &str) {
    play(Transport::Udp, Config::default(), script);
}

/// Plays a script over TCP.
#[track_caller]
pub(crate) fn tcp(script: &str) {
    play(Transport::Tcp, Config::default(), script);
}

/// Plays a script with another T1.
#[track_caller]
pub(crate) fn udp_with_t1(t1_ms: u64, script: &str) {
    let timers = Timers::new(Micros::from_ms(t1_ms), Micros::from_secs(4), Micros::from_secs(5));
    play(Transport::Udp, Config { timers, ..Config::default() }, script);
}

#[track_caller]
fn play(transport: Transport, config: Config, script: &str) {
    let lines = script.lines().map(|line| line.split(';').next().unwrap());
    let wanted: Vec<String> = lines.map(words).filter(|line| !line.is_empty()).collect();
    let mut stage = Stage::new(transport, config);
    for line in wanted.iter().filter(|line| line.contains(" in ")) {
        stage.input(line);
    }
    stage.advance(Micros::MAX);
    let left = stage.layer.server_len() + stage.layer.client_len();
    if left > 0 {
        stage.note(&format!("left {left}"));
    } else {
        assert!(stage.layer.is_idle(), "the tables are empty, and something is left");
    }
    assert!(stage.played == wanted, "wanted:\n{}\n\nplayed:\n{}\n", wanted.join("\n"), stage.played.join("\n"));
}

fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The hop between the layer and the other side.
pub(crate) fn hop(transport: Transport) -> Hop {
    Hop { transport, ..Hop::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap()) }
}

pub(crate) fn layer(config: Config) -> Transactions {
    Transactions::new(config, KeyedHash::with_key(11, 13))
}

/// A message from its text.
pub(crate) fn request(text: &[u8]) -> Request {
    Request::check(Message::parse(Bytes::copy_from_slice(text)).unwrap()).unwrap()
}

/// A message from its text.
pub(crate) fn response(text: &[u8]) -> Response {
    Response::check(Message::parse(Bytes::copy_from_slice(text)).unwrap()).unwrap()
}

struct Stage {
    transport: Transport,
    layer: Transactions,
    now: Now,
    method: String,
    client: Option<ClientId>,
    server: Option<ServerId>,
    played: Vec<String>,
}

impl Stage {
    fn new(transport: Transport, config: Config) -> Stage {
        let (now, method) = (Now::default(), String::new());
        Stage { transport, layer: layer(config), now, method, client: None, server: None, played: Vec::new() }
    }

    fn note(&mut self, what: &str) {
        self.played.push(format!("at {} {what}", self.now.mono.0 / 1_000));
    }

    /// Fires what is due up to that moment, each at its own.
    fn advance(&mut self, to: Micros) {
        while let Some((at, reason)) = self.layer.poll_timeout().filter(|(at, _)| *at <= to) {
            assert!(at >= self.now.mono, "{reason} was due before");
            self.now = self.now.after(at.since(self.now.mono));
            self.note(&reason.to_string());
            self.layer.handle_timeout(self.now);
            self.drain();
        }
        if to != Micros::MAX {
            self.now = self.now.after(to.since(self.now.mono));
        }
    }

    fn input(&mut self, line: &str) {
        let [_, at, _, from, what] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        self.advance(Micros::from_ms(at.parse().unwrap()));
        self.played.push(line.into());
        let (hop, now) = (hop(self.transport), self.now);
        let is_code = what.starts_with(|c: char| c.is_ascii_digit());
        match (from, what) {
            ("net", "error") => self.layer.handle_transport_error(&hop, now),
            ("TU", "abandon") => self.layer.abandon(self.client.unwrap(), now),
            ("net", _) if is_code => self.layer.handle_response(self.response(what), hop, now),
            ("net", _) => {
                let request = self.request(what);
                self.layer.handle_request(request, hop, now);
            }
            ("TU", _) if is_code => {
                let response = self.response(what);
                if let Err(error) = self.layer.respond(self.server.unwrap(), response, now) {
                    self.note(&format!("out TU refused {error:?}"));
                }
            }
            ("TU", _) => {
                let request = self.request(what);
                match self.layer.request(request, hop, now) {
                    Ok(id) => self.client = Some(id),
                    Err(error) => self.note(&format!("out TU refused {error:?}")),
                }
            }
            _ => panic!("{line}"),
        }
        self.drain();
    }

    fn request(&mut self, what: &str) -> Request {
        let (what, tag) = what.split_once('/').unwrap_or((what, ""));
        let (method, branch) = what.split_once(':').unwrap_or((what, "1"));
        if !matches!(method, "ACK" | "CANCEL") {
            self.method = method.into();
        }
        request(self.text(&format!("{method} sip:bob@192.0.2.2 SIP/2.0"), branch, method, tag).as_bytes())
    }

    fn response(&self, what: &str) -> Response {
        let (code, tag) = what.split_once('/').unwrap_or((what, if what == "100" { "" } else { "b" }));
        response(self.text(&format!("SIP/2.0 {code} Whatever"), "1", &self.method, tag).as_bytes())
    }

    fn text(&self, first: &str, branch: &str, method: &str, tag: &str) -> String {
        let transport = self.transport;
        let tag = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
        format!(
            "{first}\r\nVia: SIP/2.0/{transport} 192.0.2.1;branch=z9hG4bK{branch}\r\nFrom: <sip:alice@192.0.2.1>;tag=a\r\n\
             To: <sip:bob@192.0.2.2>{tag}\r\nCall-ID: 1@192.0.2.1\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
        )
    }

    fn drain(&mut self) {
        while let Some(transmit) = self.layer.poll_transmit() {
            assert_eq!(transmit.hop, hop(self.transport));
            let message = Message::parse(transmit.bytes).unwrap();
            let what = if message.is_request() {
                request_name(&Request::check(message).unwrap())
            } else {
                response_name(&Response::check(message).unwrap())
            };
            self.note(&format!("out net {what}"));
        }
        while let Some(event) = self.layer.poll_event() {
            let what = self.event(event);
            self.note(&format!("out TU {what}"));
        }
    }

    fn event(&mut self, event: Event) -> String {
        let (client, server) = (self.client, self.server);
        match event {
            Event::Request { id } => {
                self.server = Some(id);
                request_name(self.layer.server_request(id).unwrap())
            }
            Event::Ack { request, .. } => request_name(&request),
            Event::Response { id, response } => {
                assert_eq!(Some(id), client);
                response_name(&response)
            }
            Event::StrayResponse { response, .. } => format!("stray {}", response_name(&response)),
            Event::ClientTimeout { id } => named("timeout", Some(id), client),
            Event::ClientFailed { id } => named("failed", Some(id), client),
            Event::ClientHopLost { id } => named("hop lost", Some(id), client),
            Event::ClientEnded { id } => named("ended", Some(id), client),
            Event::ServerTimeout { id } => named("timeout", Some(id), server),
            Event::ServerFailed { id } => named("failed", Some(id), server),
            Event::ServerEnded { id } => named("ended", Some(id), server),
            other => panic!("{other:?}"),
        }
    }
}

fn named<T: PartialEq + std::fmt::Debug>(what: &str, id: Option<T>, expected: Option<T>) -> String {
    assert_eq!(id, expected, "{what}");
    what.into()
}

fn request_name(request: &Request) -> String {
    request
        .to_tag()
        .map_or_else(|| request.method().to_string(), |tag| format!("{}/{}", request.method(), tag.escape_ascii()))
}

fn response_name(response: &Response) -> String {
    match response.to_tag() {
        None | Some(b"b") => response.status().to_string(),
        Some(tag) => format!("{}/{}", response.status(), tag.escape_ascii()),
    }
}
