//! Each invariant, violated once: a check that can't fail proves nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::world::Setup;
use bytes::Bytes;
use ringback_base::{Hop, Millis, Random};
use ringback_location::{Binding, Version};

const SERVER: &str = "192.0.2.1:5060";
const ALICE: &str = "198.18.0.10:5060";
const BOB: &str = "198.18.0.20:5060";
const CAROL: &str = "198.18.0.30:5060";

struct Model {
    checker: Checker,
    now: Now,
}

impl Model {
    fn new() -> Model {
        let rules = Rules::of(&Setup::new(1).config, 4_000);
        Model { checker: Checker::new(rules), now: Now { mono: Micros(0), unix: Millis::from_secs(1_000) } }
    }

    fn gets(&mut self, from: &str, text: &str) {
        let packet = Packet::udp(from.parse().unwrap(), SERVER.parse().unwrap(), Bytes::from(text.to_owned()));
        self.checker.received(&packet, self.now).unwrap();
    }

    fn tries_to_send(&mut self, to: &str, text: &str) -> Verdict {
        let packet = Packet::udp(SERVER.parse().unwrap(), to.parse().unwrap(), Bytes::from(text.to_owned()));
        self.checker.sent(&packet, self.now)
    }

    fn sends(&mut self, to: &str, text: &str) {
        self.tries_to_send(to, text).unwrap();
    }

    fn ends_step(&mut self) -> Verdict {
        self.checker.debts_are_paid(true, self.now.mono)
    }

    fn waits(&mut self, secs: u64) {
        self.now = self.now.after(Micros::from_secs(secs));
        self.checker.begin(self.now);
    }

    /// An INVITE came, and goes on to these, of whom the first are wanted most.
    fn relays(&mut self, to: &[(&str, &str)]) {
        self.gets(ALICE, &invite());
        self.sends(ALICE, &answer(&invite(), 100, ""));
        let target = |(at, _): &(&str, &str)| Target { uri: uri(at), q: 1_000, is_name: false };
        self.checker.step.bindings = to.iter().map(target).collect();
        for (at, branch) in to {
            self.sends(at, &onward(&invite(), at, branch));
        }
        self.ends_step().unwrap();
    }
}

fn uri(at: &str) -> Vec<u8> {
    format!("sip:bob@{at}").into_bytes()
}

fn request(method: &str, branch: &str, more: &str) -> String {
    format!(
        "{method} sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP {ALICE};branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
         From: <sip:alice@example.com>;tag=a\r\nTo: <sip:bob@example.com>\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\n{more}\r\n"
    )
}

fn invite() -> String {
    request("INVITE", "a", "")
}

/// What the server makes of a request.
fn onward(request: &str, to: &str, branch: &str) -> String {
    request
        .replacen("sip:bob@example.com", &format!("sip:bob@{to}"), 1)
        .replace("Max-Forwards: 70", "Max-Forwards: 69")
        .replacen("Via:", &format!("Via: SIP/2.0/UDP {SERVER};branch=z9hG4bK{branch}\r\nVia:"), 1)
}

fn answer(request: &str, code: u16, tag: &str) -> String {
    let head = request.split("\r\n\r\n").next().unwrap();
    let (_, rest) = head.split_once("\r\n").unwrap();
    let tag = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    let rest = rest.replace("To: <sip:bob@example.com>", &format!("To: <sip:bob@example.com>{tag}"));
    format!("SIP/2.0 {code} Whatever\r\n{rest}\r\n\r\n")
}

/// The answer of a branch, and as it goes back.
fn of_branch(to: &str, branch: &str, code: u16, tag: &str) -> (String, String) {
    (answer(&onward(&invite(), to, branch), code, tag), answer(&invite(), code, tag))
}

fn ack(to: &str, branch: &str) -> String {
    format!(
        "ACK sip:bob@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {SERVER};branch=z9hG4bK{branch}\r\nFrom: <sip:alice@example.com>;tag=a\r\n\
         To: <sip:bob@example.com>;tag=x\r\nCall-ID: 1\r\nCSeq: 1 ACK\r\n\r\n"
    )
}

#[track_caller]
fn violates(verdict: Verdict, invariant: Invariant) {
    let violation = verdict.expect_err("the model saw nothing wrong");
    assert_eq!(violation.invariant, invariant, "{violation}");
}

#[test]
fn a_second_final_and_a_late_provisional() {
    let mut model = Model::new();
    model.gets(ALICE, &invite());
    model.sends(ALICE, &answer(&invite(), 480, "x"));
    model.sends(ALICE, &answer(&invite(), 480, "x"));
    violates(model.tries_to_send(ALICE, &answer(&invite(), 486, "x")), Invariant::OneFinal);
    violates(model.tries_to_send(ALICE, &answer(&invite(), 180, "x")), Invariant::NoProvisionalAfterFinal);
}

#[test]
fn a_non_invite_that_is_answered_too_late_or_with_408() {
    let mut model = Model::new();
    let message = request("MESSAGE", "a", "");
    model.gets(ALICE, &message);
    violates(model.tries_to_send(ALICE, &answer(&message, 408, "x")), Invariant::NothingAfterTime);
    model.waits(32);
    violates(model.tries_to_send(ALICE, &answer(&message, 200, "x")), Invariant::NothingAfterTime);
}

#[test]
fn a_cancel_that_nobody_answers() {
    let mut model = Model::new();
    model.gets(ALICE, &invite());
    model.gets(ALICE, &request("CANCEL", "a", ""));
    violates(model.ends_step(), Invariant::Answered);
}

#[test]
fn what_is_over_and_not_told() {
    let mut model = Model::new();
    model.relays(&[(BOB, "b")]);
    model.gets(BOB, &of_branch(BOB, "b", 486, "x").0);
    model.sends(BOB, &ack(BOB, "b"));
    violates(model.ends_step(), Invariant::Answered);
}

#[test]
fn not_the_best_response() {
    let mut model = Model::new();
    model.relays(&[(BOB, "b"), (CAROL, "c")]);
    model.gets(BOB, &of_branch(BOB, "b", 486, "x").0);
    model.sends(BOB, &ack(BOB, "b"));
    violates(model.tries_to_send(ALICE, &of_branch(BOB, "b", 486, "x").1), Invariant::BestResponse);
    model.ends_step().unwrap();
    model.gets(CAROL, &of_branch(CAROL, "c", 603, "y").0);
    violates(model.tries_to_send(ALICE, &of_branch(BOB, "b", 486, "x").1), Invariant::BestResponse);
    model.sends(ALICE, &of_branch(CAROL, "c", 603, "y").1);
}

#[test]
fn a_challenge_that_is_lost() {
    let mut model = Model::new();
    model.relays(&[(BOB, "b"), (CAROL, "c")]);
    let challenged = |text: &str, realm: &str| {
        text.replace("\r\n\r\n", &format!("\r\nProxy-Authenticate: Digest realm=\"{realm}\", nonce=\"1\"\r\n\r\n"))
    };
    for (at, branch, realm) in [(BOB, "b", "one"), (CAROL, "c", "two")] {
        model.gets(at, &challenged(&of_branch(at, branch, 407, "x").0, realm));
        model.sends(at, &ack(at, branch));
    }
    let one = challenged(&of_branch(BOB, "b", 407, "x").1, "one");
    violates(model.tries_to_send(ALICE, &one), Invariant::BestResponse);
    model.sends(ALICE, &challenged(&one, "two"));
}

#[test]
fn a_success_that_stays_or_never_came() {
    let mut model = Model::new();
    model.relays(&[(BOB, "b")]);
    model.gets(BOB, &of_branch(BOB, "b", 200, "x").0);
    violates(model.ends_step(), Invariant::NoSuccessDropped);
    let mut model = Model::new();
    model.relays(&[(BOB, "b")]);
    violates(model.tries_to_send(ALICE, &of_branch(BOB, "b", 200, "x").1), Invariant::NoSuccessDropped);
    // Another tag than the one that came is a dialog that nobody has.
    model.gets(BOB, &of_branch(BOB, "b", 200, "x").0);
    violates(model.tries_to_send(ALICE, &of_branch(BOB, "b", 200, "y").1), Invariant::NoSuccessDropped);
}

#[test]
fn a_second_success_that_stays() {
    let mut model = Model::new();
    model.relays(&[(BOB, "b"), (CAROL, "c")]);
    for (at, branch, tag, passed) in [(BOB, "b", "x", true), (CAROL, "c", "y", false)] {
        let (came, goes) = of_branch(at, branch, 200, tag);
        model.gets(at, &came);
        if passed {
            model.sends(ALICE, &goes);
            model.ends_step().unwrap();
        }
    }
    violates(model.ends_step(), Invariant::NoSuccessDropped);
}

#[test]
fn a_ring_that_stays() {
    let mut model = Model::new();
    model.relays(&[(BOB, "b")]);
    model.gets(BOB, &of_branch(BOB, "b", 180, "x").0);
    violates(model.ends_step(), Invariant::ProvisionalPassed);
}

#[test]
fn acks_that_are_not_sent() {
    let mut model = Model::new();
    model.relays(&[(BOB, "b")]);
    model.gets(BOB, &of_branch(BOB, "b", 486, "x").0);
    model.sends(ALICE, &of_branch(BOB, "b", 486, "x").1);
    violates(model.ends_step(), Invariant::AckSent);

    let mut model = Model::new();
    let route = format!("<sip:{SERVER};lr;rr=1>");
    let with_route = |text: String| text.replacen("\r\nFrom", &format!("\r\nRecord-Route: {route}\r\nFrom"), 1);
    model.gets(ALICE, &invite());
    model.sends(BOB, &with_route(onward(&invite(), BOB, "b")));
    model.ends_step().unwrap();
    let by_route =
        request("ACK", "other", &format!("Route: {route}\r\n")).replacen("bob@example.com", &format!("bob@{BOB}"), 1);
    model.gets(ALICE, &by_route);
    violates(model.ends_step(), Invariant::AckSent);
}

#[test]
fn a_challenged_cancel() {
    let mut model = Model::new();
    let cancel = request("CANCEL", "a", "");
    model.gets(ALICE, &cancel);
    violates(model.tries_to_send(ALICE, &answer(&cancel, 407, "x")), Invariant::NeverChallenged);
}

#[test]
fn losers_that_ring_on_and_winners_that_are_cancelled() {
    let mut model = Model::new();
    model.relays(&[(BOB, "b"), (CAROL, "c")]);
    let cancel = |branch| ack(CAROL, branch).replace("ACK", "CANCEL");
    violates(model.tries_to_send(CAROL, &cancel("c")), Invariant::LosersCancelled);
    let (rings, goes) = of_branch(CAROL, "c", 180, "y");
    model.gets(CAROL, &rings);
    model.sends(ALICE, &goes);
    model.ends_step().unwrap();
    violates(model.tries_to_send(CAROL, &cancel("c")), Invariant::LosersCancelled);
    let mut model = Model::new();
    model.relays(&[(BOB, "b"), (CAROL, "c")]);
    model.gets(CAROL, &rings);
    model.sends(ALICE, &goes);
    model.ends_step().unwrap();
    let (answers, goes) = of_branch(BOB, "b", 200, "x");
    model.gets(BOB, &answers);
    model.sends(ALICE, &goes);
    violates(model.ends_step(), Invariant::LosersCancelled);
}

#[test]
fn timer_c_that_does_nothing() {
    let mut model = Model::new();
    model.relays(&[(BOB, "b")]);
    model.gets(BOB, &of_branch(BOB, "b", 180, "x").0);
    model.sends(ALICE, &of_branch(BOB, "b", 180, "x").1);
    model.ends_step().unwrap();
    model.waits(185);
    violates(model.ends_step(), Invariant::LosersCancelled);
}

#[test]
fn bindings_that_are_not_tried_or_are_none() {
    let mut model = Model::new();
    model.gets(ALICE, &invite());
    let target = |at, q| Target { uri: uri(at), q, is_name: false };
    model.checker.step.bindings = vec![target(BOB, 500), target(CAROL, 900)];
    violates(model.tries_to_send(ALICE, &onward(&invite(), ALICE, "x")), Invariant::TargetsTried);
    violates(model.tries_to_send(BOB, &onward(&invite(), BOB, "b")), Invariant::TargetsTried);
    let mut model = Model::new();
    model.gets(ALICE, &invite());
    model.checker.step.bindings = vec![target(BOB, 900), target(CAROL, 900)];
    model.sends(BOB, &onward(&invite(), BOB, "b"));
    violates(model.ends_step(), Invariant::TargetsTried);
}

#[test]
fn what_goes_to_who_never_asked() {
    let mut model = Model::new();
    model.gets(ALICE, &invite());
    violates(model.tries_to_send(BOB, &answer(&invite(), 480, "x")), Invariant::OnlyWhoAsked);
    let other = request("INVITE", "other", "");
    violates(model.tries_to_send(ALICE, &answer(&other, 480, "x")), Invariant::OnlyWhoAsked);
    violates(model.tries_to_send(BOB, &onward(&other, BOB, "b")), Invariant::OnlyWhoAsked);
    violates(model.tries_to_send(BOB, &ack(BOB, "b")), Invariant::OnlyWhoAsked);
}

#[test]
fn relayed_for_strangers_and_with_our_credentials() {
    let mut model = Model::new();
    model.checker.add_stranger(ALICE.parse::<SocketAddr>().unwrap().ip());
    model.gets(ALICE, &invite());
    violates(model.tries_to_send(BOB, &onward(&invite(), BOB, "b")), Invariant::NoOpenRelay);
    let mut model = Model::new();
    model.gets(ALICE, &invite());
    let leaks = onward(&invite(), BOB, "b").replace(
        "\r\n\r\n",
        "\r\nProxy-Authorization: Digest username=\"alice\", realm=\"example.com\", response=\"1\"\r\n\r\n",
    );
    violates(model.tries_to_send(BOB, &leaks), Invariant::CredentialsEndHere);
}

#[test]
fn too_much_for_a_stranger() {
    let mut model = Model::new();
    model.checker.add_stranger(ALICE.parse::<SocketAddr>().unwrap().ip());
    model.gets(ALICE, &invite());
    let response =
        answer(&invite(), 407, "x").replace("\r\n\r\n", &format!("\r\nX-Padding: {}\r\n\r\n", "x".repeat(9_000)));
    violates(model.tries_to_send(ALICE, &response), Invariant::Amplification);
}

fn binding(at: &str) -> Binding {
    Binding {
        contact: uri(at).into(),
        params: Box::default(),
        q: None,
        call_id: (*b"1").into(),
        cseq: 1,
        expires_at: Millis::from_secs(5_000),
        updated_at: Millis(0),
        received: None,
        path: Vec::new(),
        user_agent: None,
    }
}

fn store(model: &mut Model, locations: &mut Locations, rows: &[&str]) -> Verdict {
    let aor = Aor::new(b"bob", "example.com").unwrap();
    let version = locations.read(&aor).version;
    locations.compare_and_store(&aor, Version(version), rows.iter().map(|at| binding(at)).collect()).unwrap();
    model.checker.stored(&aor, locations, model.now)
}

#[test]
fn bindings_that_are_acknowledged_too_early_changed_unasked_or_lost() {
    let register = request("REGISTER", "r", &format!("Contact: <sip:bob@{BOB}>\r\n"));
    let ok =
        answer(&register, 200, "x").replace("\r\n\r\n", &format!("\r\nContact: <sip:bob@{BOB}>;expires=9\r\n\r\n"));
    let mut locations = Locations::default();
    let mut model = Model::new();
    model.gets(ALICE, &register);
    violates(model.tries_to_send(ALICE, &ok), Invariant::DurableFirst);
    store(&mut model, &mut locations, &[BOB]).unwrap();
    violates(model.tries_to_send(ALICE, &ok), Invariant::DurableFirst);
    let synced = locations.sync(0);
    model.checker.durable(&synced);
    let other = ok.replace(BOB, CAROL);
    violates(model.tries_to_send(ALICE, &other), Invariant::DurableFirst);
    model.sends(ALICE, &ok);
    violates(store(&mut model, &mut locations, &[CAROL]), Invariant::BindingsKept);
    // Another disk than the one that was written.
    violates(model.checker.crashed(&Locations::default(), model.now), Invariant::BindingsKept);
}

#[test]
fn tables_that_are_full_or_not_empty() {
    let setup = Setup::new(1);
    let mut stack = Stack::new(setup.config, Random::from_seed([1; 32])).unwrap();
    let mut model = Model::new();
    let options = request("OPTIONS", "a", "").replace("sip:bob@", "sip:");
    let hop = Hop::udp(SERVER.parse().unwrap(), ALICE.parse().unwrap());
    model.checker.step_ends(&stack, 0, model.now).unwrap();
    stack.handle_datagram(options.into(), hop, model.now);
    violates(model.checker.run_ends(&stack, model.now), Invariant::TablesEmpty);
    model.checker.rules.server_transactions_max = 0;
    violates(model.checker.step_ends(&stack, 0, model.now), Invariant::MemoryBounded);
}

#[test]
fn an_invite_that_is_never_answered() {
    let stack = Stack::new(Setup::new(1).config, Random::from_seed([1; 32])).unwrap();
    let mut model = Model::new();
    model.gets(ALICE, &invite());
    violates(model.checker.run_ends(&stack, model.now), Invariant::Answered);
}
