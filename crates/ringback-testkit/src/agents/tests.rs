//! Each invariant of agents, violated once: a check that can't fail proves nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::net::SocketAddr;

use bytes::Bytes;
use ringback_base::{Micros, Now, Random};
use ringback_transaction::Timers;
use ringback_ua::{Config, Event, InviteId, Local, SessionId, UserAgent};

use super::pairs::{agree_on, possible};
use super::watch::Watch;
use super::{End, Tale};
use crate::check::{Invariant, Verdict};
use crate::net::Packet;

const ALICE: &str = "198.19.0.1:5060";
const BOB: &str = "198.19.0.2:5060";

/// The model of Alice, and what she and Bob send.
struct Model {
    watch: Watch,
    now: Now,
    ua: UserAgent,
}

impl Model {
    fn new() -> Model {
        let alice: SocketAddr = ALICE.parse().unwrap();
        let config = Config::new("alice", vec![Local::new(ringback_base::Transport::Udp, alice)]);
        let ua = UserAgent::new(config, Random::from_seed([1; 32]));
        Model { watch: Watch::new(alice, 9), now: Now::default(), ua }
    }

    fn tries(&mut self, text: &str) -> Verdict {
        let packet = Packet::udp(ALICE.parse().unwrap(), BOB.parse().unwrap(), Bytes::from(text.to_owned()));
        self.watch.sent(&packet, self.now)
    }

    fn sends(&mut self, text: &str) {
        self.tries(text).unwrap();
    }

    fn gets(&mut self, text: &str) {
        let packet = Packet::udp(BOB.parse().unwrap(), ALICE.parse().unwrap(), Bytes::from(text.to_owned()));
        self.watch.received(&packet, self.now).unwrap();
    }

    fn gets_damaged(&mut self, text: &str) {
        let packet = Packet::udp(BOB.parse().unwrap(), ALICE.parse().unwrap(), Bytes::from(text.to_owned()));
        self.watch.received(&packet.damaged(), self.now).unwrap();
    }

    fn waits(&mut self, span: Micros) {
        self.now = self.now.after(span);
    }

    /// A call of Alice that Bob has answered.
    fn answered(&mut self, with: &str) {
        self.sends(&alices("INVITE", 1, "", ""));
        self.gets(&response(&alices("INVITE", 1, "", ""), "200 OK", "b", with));
    }

    /// A call that stands.
    fn stands(&mut self) {
        self.answered("");
        self.sends(&alices("ACK", 1, "b", ""));
    }

    /// A call of Bob that Alice has answered.
    fn has_answered(&mut self) {
        self.gets(&bobs("INVITE", 1, "", ""));
        self.sends(&response(&bobs("INVITE", 1, "", ""), "200 OK", "a", ""));
    }
}

fn request(method: &str, cseq: u32, [from, to]: [&str; 2], [from_tag, to_tag]: [&str; 2], more: &str) -> String {
    let to_tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    let of = if method == "CANCEL" { "INVITE" } else { method };
    let (lines, body) = more.split_once('|').unwrap_or((more, ""));
    let length = body.len();
    format!(
        "{method} sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{from_tag}{of}{cseq}\r\nMax-Forwards: 70\r\n\
         From: <sip:{from}>;tag={from_tag}\r\nTo: <sip:{to}>{to_tag}\r\nCall-ID: call\r\nCSeq: {cseq} {method}\r\n\
         Contact: <sip:{from}>\r\n{lines}Content-Length: {length}\r\n\r\n{body}"
    )
}

fn alices(method: &str, cseq: u32, to_tag: &str, more: &str) -> String {
    request(method, cseq, [ALICE, BOB], ["a", to_tag], more)
}

fn bobs(method: &str, cseq: u32, to_tag: &str, more: &str) -> String {
    request(method, cseq, [BOB, ALICE], ["b", to_tag], more)
}

fn response(request: &str, status: &str, tag: &str, more: &str) -> String {
    let line = |name: &str| request.lines().find(|line| line.starts_with(name)).unwrap();
    let to = line("To:");
    let to = if to.contains("tag=") { to.to_owned() } else { format!("{to};tag={tag}") };
    let (lines, body) = more.split_once('|').unwrap_or((more, ""));
    let [via, from, call_id, cseq] = ["Via:", "From:", "Call-ID:", "CSeq:"].map(line);
    let length = body.len();
    format!(
        "SIP/2.0 {status}\r\n{via}\r\n{from}\r\n{to}\r\n{call_id}\r\n{cseq}\r\nContact: <sip:x@{BOB}>\r\n{lines}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// A description of this version and address.
fn sdp(version: u32, host: u32) -> String {
    format!(
        "Content-Type: application/sdp\r\n|v=0\r\no=- 1 {version} IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.{host}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
    )
}

fn breaks(verdict: Verdict, invariant: Invariant) {
    match verdict {
        Err(violation) => assert_eq!(violation.invariant, invariant, "{violation}"),
        Ok(()) => panic!("{invariant} holds"),
    }
}

#[test]
fn one_final() {
    let mut model = Model::new();
    let invite = bobs("INVITE", 1, "", "");
    model.gets(&invite);
    model.sends(&response(&invite, "180 Ringing", "a", ""));
    model.sends(&response(&invite, "486 Busy Here", "a", ""));
    model.sends(&response(&invite, "486 Busy Here", "a", ""));
    breaks(model.tries(&response(&invite, "180 Ringing", "a", "")), Invariant::NoProvisionalAfterFinal);
    breaks(model.tries(&response(&invite, "200 OK", "a", "")), Invariant::OneFinal);
}

#[test]
fn answered() {
    let mut model = Model::new();
    model.gets(&bobs("INVITE", 1, "", ""));
    breaks(model.watch.run_ends(&model.ua), Invariant::Answered);
}

#[test]
fn success_acknowledged() {
    let mut model = Model::new();
    model.answered("");
    model.watch.step_ends(&model.ua).unwrap();
    model.sends(&alices("ACK", 1, "b", ""));
    // It comes again.
    model.gets(&response(&alices("INVITE", 1, "", ""), "200 OK", "b", ""));
    breaks(model.watch.step_ends(&model.ua), Invariant::SuccessAcknowledged);

    let mut model = Model::new();
    model.answered("");
    model.sends(&alices("BYE", 2, "b", ""));
    breaks(model.watch.run_ends(&model.ua), Invariant::SuccessAcknowledged);
}

#[test]
fn losers_ended() {
    let mut model = Model::new();
    model.stands();
    breaks(model.watch.run_ends(&model.ua), Invariant::LosersEnded);
    model.sends(&alices("BYE", 2, "b", ""));
    model.watch.run_ends(&model.ua).unwrap();
}

fn a_session(model: &mut Model) -> (SessionId, InviteId) {
    let media = ringback_ua::Media::None;
    let outbound = ringback_ua::Outbound::new(&format!("sip:{ALICE}"), &format!("sip:{BOB}"));
    let invite = model.ua.invite(&outbound, media, model.now).unwrap();
    let sent = model.ua.poll_transmit().unwrap();
    let text = String::from_utf8(sent.bytes.to_vec()).unwrap();
    let ringing = response(&text, "180 Ringing", "b", "");
    let hop = ringback_base::Hop::udp(ALICE.parse().unwrap(), BOB.parse().unwrap());
    model.ua.handle_response(ringback_message::Response::parse(ringing.as_bytes()).unwrap(), hop, model.now);
    match model.ua.poll_event().unwrap() {
        Event::Progress { session: Some(session), .. } => (session, invite),
        other => panic!("{other:?}"),
    }
}

#[test]
fn ended_once() {
    let mut model = Model::new();
    let (session, invite) = a_session(&mut model);
    model.watch.event(&Event::Agreed { session }, &model.ua).unwrap();
    breaks(model.watch.run_ends(&model.ua), Invariant::EndedOnce);
    let ended = Event::Ended { session, reason: ringback_ua::EndReason::LocalBye };
    model.watch.event(&ended, &model.ua).unwrap();
    breaks(model.watch.event(&Event::Agreed { session }, &model.ua), Invariant::EndedOnce);
    breaks(model.watch.event(&ended, &model.ua), Invariant::EndedOnce);
    let over = Event::InviteEnded { invite };
    model.watch.event(&over, &model.ua).unwrap();
    breaks(model.watch.event(&over, &model.ua), Invariant::EndedOnce);
}

#[test]
fn tables_empty_and_memory_bounded() {
    let mut model = Model::new();
    a_session(&mut model);
    breaks(model.watch.run_ends(&model.ua), Invariant::TablesEmpty);
    let mut none = Watch::new(ALICE.parse().unwrap(), 0);
    breaks(none.step_ends(&model.ua), Invariant::MemoryBounded);
}

#[test]
fn cseq_rises() {
    let mut model = Model::new();
    model.stands();
    breaks(model.tries(&alices("INFO", 1, "b", "")), Invariant::CSeqRises);
    model.sends(&alices("INFO", 3, "b", ""));
    breaks(model.tries(&alices("BYE", 2, "b", "")), Invariant::CSeqRises);
}

#[test]
fn versions_rise() {
    for (version, host, holds) in
        [(1, 1, true), (2, 1, true), (2, 2, true), (1, 2, false), (3, 2, false), (0, 1, false)]
    {
        let mut model = Model::new();
        model.sends(&alices("INVITE", 1, "", &sdp(1, 1)));
        model.gets(&response(&alices("INVITE", 1, "", ""), "200 OK", "b", &sdp(1, 1)));
        model.sends(&alices("ACK", 1, "b", ""));
        let verdict = model.tries(&alices("UPDATE", 2, "b", &sdp(version, host)));
        if holds { verdict.unwrap() } else { breaks(verdict, Invariant::VersionsRise) }
    }
}

/// What has come damaged excuses none but the first description of a dialog.
#[test]
fn versions_rise_in_calls_of_damaged_messages_too() {
    let mut model = Model::new();
    model.stands();
    model.gets_damaged(&bobs("INFO", 1, "a", ""));
    model.sends(&alices("UPDATE", 2, "b", &sdp(2, 2)));
    model.gets(&response(&alices("UPDATE", 2, "b", ""), "488 Not Acceptable Here", "b", ""));
    breaks(model.tries(&alices("UPDATE", 3, "b", &sdp(2, 3))), Invariant::VersionsRise);

    // Of a response to a branch that is damaged, the description counts all the same.
    let mut model = Model::new();
    model.sends(&alices("INVITE", 1, "", &sdp(1, 1)));
    model.gets(&response(&alices("INVITE", 1, "", ""), "200 OK", "b", &sdp(1, 1)));
    model.sends(&alices("ACK", 1, "b", &sdp(1, 1)));
    let damaged = bobs("INVITE", 1, "a", &sdp(2, 2)).replacen("branch=z9hG4bK", "branch=z9hG4b", 1);
    model.gets_damaged(&damaged);
    let answer = response(&damaged, "200 OK", "a", &sdp(2, 2));
    model.sends(&answer);
    model.sends(&alices("UPDATE", 3, "b", &sdp(3, 2)));
    model.sends(&answer);
    breaks(model.tries(&response(&damaged, "200 OK", "a", &sdp(3, 3))), Invariant::VersionsRise);
}

#[test]
fn one_offer() {
    let mut model = Model::new();
    model.stands();
    model.sends(&alices("UPDATE", 2, "b", &sdp(1, 1)));
    let second = alices("UPDATE", 3, "b", &sdp(2, 2));
    breaks(model.tries(&second), Invariant::OneOffer);
    // Theirs crosses ours, and can't be taken.
    let update = bobs("UPDATE", 1, "a", &sdp(1, 1));
    model.gets(&update);
    breaks(model.tries(&response(&update, "200 OK", "a", &sdp(1, 1))), Invariant::OneOffer);
}

#[test]
fn one_offer_of_theirs() {
    let mut model = Model::new();
    model.stands();
    model.gets(&bobs("UPDATE", 1, "a", &sdp(1, 1)));
    breaks(model.tries(&alices("UPDATE", 2, "b", &sdp(1, 1))), Invariant::OneOffer);
    let mut model = Model::new();
    // The 2xx offers, and only the ACK can answer.
    model.answered(&sdp(1, 1));
    breaks(model.tries(&alices("UPDATE", 2, "b", &sdp(1, 1))), Invariant::OneOffer);
}

#[test]
fn provisional_order() {
    let reliable = |rseq: u32| format!("Require: 100rel\r\nRSeq: {rseq}\r\n");
    let mut model = Model::new();
    let invite = bobs("INVITE", 1, "", "");
    model.gets(&invite);
    model.sends(&response(&invite, "180 Ringing", "a", &reliable(7)));
    breaks(model.tries(&response(&invite, "183 Progress", "a", &reliable(8))), Invariant::ProvisionalOrder);
    let mut model = Model::new();
    model.gets(&invite);
    model.sends(&response(&invite, "180 Ringing", "a", &reliable(7)));
    model.gets(&bobs("PRACK", 2, "a", "RAck: 7 1 INVITE\r\n"));
    breaks(model.tries(&response(&invite, "183 Progress", "a", &reliable(9))), Invariant::ProvisionalOrder);

    let mut model = Model::new();
    let invite = alices("INVITE", 1, "", "");
    model.sends(&invite);
    model.gets(&response(&invite, "180 Ringing", "b", &reliable(7)));
    model.gets(&response(&invite, "183 Progress", "b", &reliable(9)));
    breaks(model.tries(&alices("PRACK", 2, "b", "RAck: 6 1 INVITE\r\n")), Invariant::ProvisionalOrder);
    model.sends(&alices("PRACK", 2, "b", "RAck: 7 1 INVITE\r\n"));
    breaks(model.tries(&alices("PRACK", 3, "b", "RAck: 9 1 INVITE\r\n")), Invariant::ProvisionalOrder);
}

#[test]
fn one_invite() {
    let mut model = Model::new();
    model.stands();
    model.gets(&bobs("INVITE", 1, "a", ""));
    breaks(model.tries(&alices("INVITE", 2, "b", "")), Invariant::OneInvite);
    let mut model = Model::new();
    model.stands();
    model.sends(&alices("INVITE", 2, "b", ""));
    breaks(model.tries(&alices("INVITE", 3, "b", "")), Invariant::OneInvite);
}

#[test]
fn cancel_in_turn() {
    let invite = alices("INVITE", 1, "", "");
    let cancel = alices("CANCEL", 1, "", "");
    let mut model = Model::new();
    model.sends(&invite);
    breaks(model.tries(&cancel), Invariant::CancelInTurn);
    model.gets(&response(&invite, "180 Ringing", "b", ""));
    let elsewhere = cancel.replacen(&format!("sip:{BOB}"), "sip:carol@192.0.2.9", 1);
    breaks(model.tries(&elsewhere), Invariant::CancelInTurn);
    model.sends(&cancel);
    let mut model = Model::new();
    model.sends(&invite);
    model.gets(&response(&invite, "180 Ringing", "b", ""));
    model.gets(&response(&invite, "200 OK", "b", ""));
    breaks(model.tries(&cancel), Invariant::CancelInTurn);
}

#[test]
fn bye_after_ack() {
    let mut model = Model::new();
    model.has_answered();
    model.waits(Micros::from_secs(31));
    breaks(model.tries(&alices("BYE", 1, "b", "")), Invariant::ByeAfterAck);
    let mut model = Model::new();
    model.has_answered();
    model.waits(Timers::default().t1_64());
    model.sends(&alices("BYE", 1, "b", ""));
    let mut model = Model::new();
    model.has_answered();
    model.gets(&bobs("ACK", 1, "a", ""));
    model.sends(&alices("BYE", 1, "b", ""));
}

#[test]
fn outcome() {
    let (a, b) = (b"a".to_vec(), b"b".to_vec());
    let answered = [Tale::Placed, Tale::Answered(b.clone()), Tale::Ended(a.clone(), b.clone(), End::LocalBye)];
    let confirmed = |end| [Tale::Called(b.clone()), Tale::Confirmed(b.clone()), Tale::Ended(b.clone(), a.clone(), end)];
    possible(&[&answered, &confirmed(End::RemoteBye)], true).unwrap();
    possible(&[&answered, &confirmed(End::Rejected(486))], true).unwrap_err();
    possible(&[&answered, &[Tale::Called(b.clone())]], true).unwrap_err();
    // Who has hung up waits for the ACK, where no BYE comes before it.
    let never_confirmed = |end| [Tale::Called(b.clone()), Tale::Ended(b.clone(), a.clone(), end)];
    possible(&[&answered, &never_confirmed(End::LocalBye)], true).unwrap();
    let hung_up_on = [Tale::Placed, Tale::Answered(b.clone()), Tale::Ended(a.clone(), b.clone(), End::RemoteBye)];
    possible(&[&hung_up_on, &confirmed(End::LocalBye)], true).unwrap();
    possible(&[&hung_up_on, &never_confirmed(End::LocalBye)], true).unwrap_err();
    possible(&[&[Tale::Placed], &[Tale::Called(b.clone())]], false).unwrap_err();
    possible(&[&[Tale::Placed, Tale::Failed(486), Tale::Answered(b.clone())]], false).unwrap_err();
    possible(&[&[Tale::Placed, Tale::Failed(504)], &[Tale::Called(b.clone())]], true).unwrap_err();
    // Where the network loses messages, the ends need not agree.
    possible(&[&answered, &confirmed(End::Fault("no ACK"))], false).unwrap();
}

#[test]
fn media_agrees() {
    let offer = |direction: &str| {
        let text = sdp(1, 1).split_once('|').unwrap().1.to_owned() + direction;
        ringback_sdp::SessionDescription::parse(text.as_bytes()).unwrap()
    };
    let session = |direction: &str, answer: &str| {
        let empty = ringback_sdp::negotiate::Session::new();
        let drafted = empty.draft(offer(direction)).unwrap();
        empty.send(drafted).unwrap().accept(offer(answer)).unwrap()
    };
    let both = session("", "");
    agree_on(&both, &session("", "")).unwrap();
    let held = session("a=sendonly\r\n", "a=recvonly\r\n");
    agree_on(&both, &held).unwrap_err();
    agree_on(&held, &held).unwrap_err();
    agree_on(&both, &ringback_sdp::negotiate::Session::new()).unwrap_err();
}
