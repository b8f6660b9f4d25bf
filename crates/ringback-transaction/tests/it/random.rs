//! Any inputs in any order: what must hold whatever a peer and a TU do.

use std::collections::BTreeSet;

use ringback_base::{Hop, Micros, Now, Random, Transport};
use ringback_transaction::{ClientId, Config, Event, ServerId, Transactions};

use crate::script::{hop, layer, request, response};

const SEEDS: u8 = 40;
const ACTS: usize = 2_000;
const TABLE_MAX: usize = 12;

/// A few of each, so that most messages find a transaction.
const METHODS: [&str; 5] = ["INVITE", "ACK", "CANCEL", "OPTIONS", "REGISTER"];
const CODES: [u16; 7] = [100, 180, 200, 202, 302, 486, 603];
const BRANCHES: [&str; 6] =
    [";branch=z9hG4bK1", ";branch=z9hG4bK2", ";branch=z9hG4bK3", ";branch=z9hG4bK4", ";branch=old", ""];

struct Run {
    random: Random,
    layer: Transactions,
    now: Now,
    servers: Vec<ServerId>,
    clients: Vec<ClientId>,
    ended: BTreeSet<String>,
    /// Everything that came out.
    seen: Vec<String>,
}

fn pick<T: Copy>(random: &mut Random, from: &[T]) -> T {
    from[usize::try_from(random.below(from.len() as u64)).unwrap()]
}

impl Run {
    fn new(seed: u8) -> Run {
        let config =
            Config { server_transactions_max: TABLE_MAX, client_transactions_max: TABLE_MAX, ..Config::default() };
        Run {
            random: Random::from_seed([seed; 32]),
            layer: layer(config),
            now: Now::default(),
            servers: Vec::new(),
            clients: Vec::new(),
            ended: BTreeSet::new(),
            seen: Vec::new(),
        }
    }

    fn text(&mut self, first: &str, method: &str, to_tag: &str) -> String {
        let branch = pick(&mut self.random, &BRANCHES);
        format!(
            "{first}\r\nVia: SIP/2.0/UDP 192.0.2.1{branch}\r\nFrom: <sip:alice@192.0.2.1>;tag=a\r\n\
             To: <sip:bob@192.0.2.2>{to_tag}\r\nCall-ID: 1@192.0.2.1\r\nCSeq: 1 {method}\r\n\r\n"
        )
    }

    fn request_text(&mut self) -> String {
        let method = pick(&mut self.random, &METHODS);
        let to_tag = pick(&mut self.random, &["", ";tag=b"]);
        self.text(&format!("{method} sip:bob@192.0.2.2 SIP/2.0"), method, to_tag)
    }

    fn response_text(&mut self, method: &str) -> String {
        let code = pick(&mut self.random, &CODES);
        self.text(&format!("SIP/2.0 {code} Whatever"), method, ";tag=b")
    }

    fn act(&mut self) {
        let transport = pick(&mut self.random, &[Transport::Udp, Transport::Tcp]);
        let hop: Hop = hop(transport);
        let now = self.now;
        match self.random.below(20) {
            0..6 => {
                let text = self.request_text();
                self.layer.handle_request(request(text.as_bytes()), hop, now);
            }
            6..11 => {
                let method = pick(&mut self.random, &METHODS);
                let text = self.response_text(method);
                self.layer.handle_response(response(text.as_bytes()), hop, now);
            }
            11..14 => {
                let text = self.request_text();
                let result = self.layer.request(request(text.as_bytes()), hop, now);
                self.seen.push(format!("{result:?}"));
                self.clients.extend(result);
            }
            14..18 => self.respond(),
            18 if self.random.below(20) == 0 => self.layer.handle_transport_error(&hop, now),
            18 => {
                if !self.clients.is_empty() {
                    let id = pick(&mut self.random, &self.clients);
                    self.layer.abandon(id, now);
                }
            }
            _ => self.pass(),
        }
        self.drain();
    }

    /// Responds to a transaction that may be gone, mostly with a response that fits.
    fn respond(&mut self) {
        if self.servers.is_empty() {
            return;
        }
        let id = pick(&mut self.random, &self.servers);
        let code = pick(&mut self.random, &CODES);
        let text = match self.layer.server_request(id) {
            Some(to) => {
                let via = to.top_via();
                let branch = String::from_utf8(via.params.text().to_vec()).unwrap();
                format!(
                    "SIP/2.0 {code} Whatever\r\nVia: SIP/2.0/UDP 192.0.2.1{branch}\r\nFrom: <sip:alice@192.0.2.1>;tag=a\r\n\
                     To: <sip:bob@192.0.2.2>;tag=b\r\nCall-ID: 1@192.0.2.1\r\nCSeq: 1 {}\r\n\r\n",
                    to.method()
                )
            }
            None => self.response_text("INVITE"),
        };
        let was_answered = self.layer.is_answered(id);
        let result = self.layer.respond(id, response(text.as_bytes()), self.now);
        assert!(!(was_answered && result.is_ok() && !(200..300).contains(&code)), "a second final response went out");
        self.seen.push(format!("{result:?}"));
    }

    /// Time passes: to the next timer, or a little beyond.
    fn pass(&mut self) {
        let span = match self.layer.poll_timeout() {
            Some((at, _)) => at.since(self.now.mono).plus(Micros(self.random.below(3) * 400_000)),
            None => Micros::from_secs(1),
        };
        self.now = self.now.after(span);
        self.layer.handle_timeout(self.now);
        assert!(self.layer.poll_timeout().is_none_or(|(at, _)| at > self.now.mono), "what was due has fired");
    }

    fn drain(&mut self) {
        while let Some(transmit) = self.layer.poll_transmit() {
            self.seen.push(format!("{} {}", transmit.hop, transmit.bytes.escape_ascii()));
        }
        while let Some(event) = self.layer.poll_event() {
            match &event {
                Event::Request { id } | Event::Cancel { id, .. } => self.servers.push(*id),
                Event::ClientEnded { id } => assert!(self.ended.insert(format!("{id:?}")), "{id:?} ended twice"),
                Event::ServerEnded { id } => assert!(self.ended.insert(format!("{id:?}")), "{id:?} ended twice"),
                _ => {}
            }
            self.seen.push(format!("{event:?}"));
        }
        let (servers, clients) = (self.layer.server_len(), self.layer.client_len());
        assert!(servers <= TABLE_MAX && clients <= TABLE_MAX);
        assert!(self.layer.timer_len() <= 2 * (servers + clients));
        assert_eq!(self.servers.len() + self.clients.len(), self.ended.len() + servers + clients);
    }

    /// The TU does what it owes: it answers every INVITE, and gives up what it started.
    fn finish(&mut self) {
        for id in self.clients.clone() {
            self.layer.abandon(id, self.now);
        }
        for id in self.servers.clone() {
            if let Some(to) = self.layer.server_request(id) {
                let code = ringback_message::StatusCode::ServerInternalError;
                let response = ringback_message::Response::to(to, code)
                    .to_tag("b")
                    .contact("sip:b@b.example", None)
                    .build()
                    .unwrap();
                let _ = self.layer.respond(id, response, self.now);
            }
        }
        self.drain();
        while self.layer.poll_timeout().is_some() {
            self.pass();
            self.drain();
        }
        assert!(self.layer.is_idle());
        assert_eq!(self.ended.len(), self.servers.len() + self.clients.len());
    }
}

fn run(seed: u8) -> Run {
    let mut run = Run::new(seed);
    for _ in 0..ACTS {
        run.act();
    }
    run.finish();
    run
}

#[test]
fn every_transaction_ends_once_and_nothing_is_left() {
    let mut limits_reached = 0;
    for seed in 0..SEEDS {
        let counters = run(seed).layer.counters().clone();
        limits_reached += counters.server_limit_reached.min(1) + counters.client_limit_reached.min(1);
        assert!(counters.server_transactions > 20 && counters.client_transactions > 20, "seed {seed}: {counters:?}");
    }
    assert!(limits_reached > 0, "no table was ever full");
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    assert_eq!(run(7).seen, run(7).seen);
}
