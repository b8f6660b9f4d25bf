//! What is owed when a session is over, or never came to be.

use ringback_base::{Hop, Micros, Transport};
use ringback_message::{HeaderId, Method, Request, Response, StatusCode};
use ringback_sdp::negotiate::HoldForm;
use ringback_ua::{EndReason, Event, Failure, Local, Media, Outbound, SessionId};

use crate::net::{FORK, Net, address, sound, uri};

fn count(net: &Net, what: &str) -> usize {
    net.ladder.iter().filter(|line| *line == what).count()
}

fn hold(net: &Net, agent: usize, session: ringback_ua::SessionId) -> Media {
    Media::Offer(net.agents[agent].media(session).unwrap().hold(HoldForm::Direction).unwrap())
}

#[test]
fn whoever_hangs_up_answers_what_is_open() {
    let mut net = Net::new(2);
    let (caller, callee) = net.call(0, 1);
    let offer = hold(&net, 0, caller);
    net.agents[0].reinvite(caller, offer, net.now).unwrap();
    net.settle();
    net.agents[1].hang_up(callee, net.now).unwrap();
    net.settle();
    assert_eq!(
        (count(&net, "b 487 a"), count(&net, "b BYE a"), count(&net, "a ACK b")),
        (1, 1, 1),
        "{:#?}",
        net.ladder
    );
    net.assert_idle();
}

#[test]
fn a_reinvite_that_is_answered_after_the_bye_is_acknowledged_each_time() {
    let mut net = Net::new(2);
    let (caller, callee) = net.call(0, 1);
    let offer = hold(&net, 0, caller);
    net.agents[0].reinvite(caller, offer, net.now).unwrap();
    net.settle();
    // They cross: the answer is on its way when the BYE is.
    net.agents[1].accept(callee, sound(1), net.now).unwrap();
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.fate = Box::new(|message| if message.status() == Some(StatusCode::Ok) { 2 } else { 1 });
    net.settle();
    assert_eq!((count(&net, "b 200 a"), count(&net, "a ACK b")), (2, 2), "{:#?}", net.ladder);
    net.assert_idle();
}

/// A 2xx that comes again when its session is over gets its ACK again, and makes no session.
#[test]
fn a_200_that_comes_again_after_the_end_is_acknowledged_again() {
    let mut net = Net::new(2);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    // No ACK arrives until the caller has hung up.
    net.fate = Box::new(|message| usize::from(message.method() != Some(Method::Ack)));
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    let caller = net.answered(0);
    net.fate = Box::new(|message| usize::from(message.method().is_none() || message.method() == Some(Method::Cancel)));
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.run(Micros::from_secs(3));
    let (answers, acks) = (count(&net, "b 200 a"), count(&net, "a ACK b"));
    assert!(answers > 2 && answers == acks, "{:#?}", net.ladder);
    assert_eq!(net.agents[0].session_len(), 1);
}

#[test]
fn what_there_is_no_room_for_is_acknowledged_and_ended() {
    let mut net = Net::with(2, |agent, config| config.sessions_max = [1, 9][agent]);
    net.call(1, 0);
    // There is room for an INVITE, and none for its dialog.
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    assert_eq!((count(&net, "a ACK b"), count(&net, "a BYE b")), (1, 1), "{:#?}", net.ladder);
    let failure = net.event(0, |event| match event {
        Event::InviteFailed { failure, .. } => Some(failure.clone()),
        _ => None,
    });
    assert_eq!(failure, Failure::Full);
    assert!(matches!(net.ended(1), EndReason::RemoteBye(_)));
}

/// The CSeq of a dialog goes on where it was, though another phone had the call meanwhile.
#[test]
fn the_loser_of_a_fork_gets_a_bye_above_its_prack() {
    let mut net = Net::with(3, |_, config| config.reliable_provisionals = true);
    net.agents[0].invite(&Outbound::new(&uri(0), &format!("sip:all@{FORK}")), sound(0), net.now).unwrap();
    net.settle();
    let sessions = [net.incoming(1), net.incoming(2)];
    for (agent, session) in (1..).zip(sessions) {
        net.agents[agent].ring(session, StatusCode::Ringing, Media::None, net.now).unwrap();
    }
    net.settle();
    for (agent, session) in (1..).zip(sessions) {
        net.agents[agent].answer(session, sound(agent), net.now).unwrap();
    }
    net.settle();
    let bye = net.sent.iter().find(|message| message.method() == Some(Method::Bye)).unwrap();
    assert_eq!(bye.first(ringback_message::HeaderId::CSeq).unwrap().value(), b"3 BYE");
    assert_eq!((count(&net, "b 200 a") + count(&net, "c 200 a"), count(&net, "c 500 a")), (5, 0), "{:#?}", net.ladder);
}

/// An offer that waits behind another reliable response isn't what the PRACK of that one has to answer.
#[test]
fn a_prack_without_an_answer_for_a_response_without_an_offer() {
    let mut net = Net::with(2, |_, config| config.reliable_provisionals = true);
    net.invite(0, 1, Media::None);
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::Ringing, Media::None, net.now).unwrap();
    net.agents[1].ring(callee, StatusCode::SessionProgress, sound(1), net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder[2..], ["b 180 a", "a PRACK b", "b 200 a", "b 183 a"]);
}

#[test]
fn a_call_given_up_before_anything_came_is_told_so_though_it_is_answered() {
    let mut net = Net::new(2);
    let invite = net.invite(0, 1, sound(0));
    net.fate = Box::new(|message| usize::from(message.status() != Some(StatusCode::Trying)));
    net.run(Micros::from_ms(15));
    net.agents[0].cancel(invite, None, net.now).unwrap();
    let callee = net.incoming(1);
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    assert_eq!((count(&net, "a ACK b"), count(&net, "a BYE b"), count(&net, "a CANCEL b")), (1, 1, 0));
    let failure = net.event(0, |event| match event {
        Event::InviteFailed { failure, .. } => Some(failure.clone()),
        _ => None,
    });
    assert_eq!(failure, Failure::Cancelled);
    net.assert_idle();
}

/// A call by connections, with reliable provisional responses.
fn by_connections() -> (Net, SessionId) {
    let mut net = Net::with(2, |agent, config| {
        config.reliable_provisionals = true;
        config.locals = vec![Local::new(Transport::Tcp, address(agent))];
    });
    net.transport = Transport::Tcp;
    let outbound = Outbound::new(&uri(0), &format!("{};transport=tcp", uri(1)));
    net.agents[0].invite(&outbound, sound(0), net.now).unwrap();
    net.settle();
    let callee = net.incoming(1);
    (net, callee)
}

fn connection(agent: usize) -> Hop {
    Hop { transport: Transport::Tcp, ..Hop::udp(address(agent), address(1 - agent)) }
}

/// A connection that breaks takes a PRACK along, and later a BYE: they go by another, once.
#[test]
fn what_a_broken_connection_has_swallowed_goes_again_where_it_acknowledges_or_ends() {
    let (mut net, callee) = by_connections();
    for method in ["PRACK", "BYE"] {
        net.ladder.clear();
        net.fate = Box::new(move |message| usize::from(message.method_text() != Some(method.as_bytes())));
        match method {
            "PRACK" => net.agents[1].ring(callee, StatusCode::SessionProgress, sound(1), net.now).unwrap(),
            _ => {
                let caller = net.any_session(0).unwrap();
                net.agents[0].hang_up(caller, net.now).unwrap();
            }
        }
        net.settle();
        net.fate = Box::new(|_| 1);
        net.agents[0].handle_transport_error(&connection(0), net.now);
        net.settle();
        let went = net.ladder.iter().filter(|line| **line == format!("a {method} b")).count();
        assert_eq!(went, 2, "{:?}", net.ladder);
        if method == "PRACK" {
            net.agents[1].answer(callee, sound(1), net.now).unwrap();
            net.settle();
            net.answered(0);
        }
    }
    assert!(matches!(net.ended(1), EndReason::RemoteBye(_)));
    net.assert_idle();
}

/// An UPDATE before the answer fails with its connection: the call is answered all the same, with what was agreed on.
#[test]
fn an_early_session_outlives_its_connection() {
    let (mut net, callee) = by_connections();
    net.agents[1].ring(callee, StatusCode::SessionProgress, sound(1), net.now).unwrap();
    net.settle();
    let early = net.any_session(0).unwrap();
    net.fate = Box::new(|message| usize::from(message.method_text() != Some(b"UPDATE")));
    let hold = net.agents[0].media(early).unwrap().hold(HoldForm::Direction).unwrap();
    net.agents[0].update(early, Media::Offer(hold), net.now).unwrap();
    net.settle();
    net.agents[0].handle_transport_error(&connection(0), net.now);
    net.event(0, |event| matches!(event, Event::OfferFailed { .. }).then_some(()));
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    assert_eq!(net.answered(0), early);
    assert!(!net.agents[0].media(early).unwrap().is_held());
    net.agents[0].hang_up(early, net.now).unwrap();
    net.assert_idle();
}

/// The 200 to an UPDATE comes behind that to the INVITE, which was sent later: what the latter says of the session timer holds, and the
/// caller refreshes.
#[test]
fn a_session_timer_is_that_of_the_invite_though_an_earlier_update_is_answered_later() {
    let mut net = Net::with(2, |_, config| {
        config.reliable_provisionals = true;
        config.session_timers.interval_secs = Some(90);
    });
    let (early, callee) = net.early(0, 1);
    let mut is_lost = false;
    net.fate = Box::new(move |message| {
        let is_answer = message.status() == Some(StatusCode::Ok)
            && message.first(HeaderId::CSeq).is_some_and(|cseq| cseq.value().ends_with(b"UPDATE"));
        usize::from(!is_answer || core::mem::replace(&mut is_lost, true))
    });
    net.agents[0].update(early, Media::None, net.now).unwrap();
    net.run(Micros::from_ms(50));
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.run(Micros::from_secs(80));
    assert_eq!((count(&net, "b 200 a"), count(&net, "b BYE a")), (5, 0), "PRACK, UPDATE twice, INVITE, refresh");
    net.agents[0].hang_up(early, net.now).unwrap();
    net.assert_idle();
}

/// The 200 repeats the answer of an early dialog in which an UPDATE without an offer is under way: it is no offer.
#[test]
fn an_answer_that_is_repeated_beside_an_update_is_no_offer() {
    let mut net = Net::new(2);
    let (early, callee) = net.early(0, 1);
    net.fate = Box::new(|message| usize::from(message.method_text() != Some(b"UPDATE")));
    net.agents[0].update(early, Media::None, net.now).unwrap();
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.run(Micros::from_ms(50));
    assert_eq!(net.answered(0), early);
    let ack =
        net.sent.iter().find(|message| message.method_text() == Some(b"ACK")).expect("it is acknowledged at once");
    assert!(ack.body().is_empty());
    net.fate = Box::new(|_| 1);
    net.agents[0].hang_up(early, net.now).unwrap();
    net.assert_idle();
}

/// A request in an early dialog is answered with 481: that dialog is over for us, and its 200 is acknowledged and ended.
#[test]
fn a_200_of_an_early_dialog_that_is_lost_is_acknowledged_and_ended() {
    let mut net = Net::new(2);
    let (early, callee) = net.early(0, 1);
    net.fate = Box::new(|message| usize::from(message.method_text() != Some(b"UPDATE")));
    net.agents[0].update(early, Media::None, net.now).unwrap();
    net.run(Micros::from_ms(50));
    let update = net.sent.iter().find(|message| message.method_text() == Some(b"UPDATE")).unwrap().clone();
    let update = Request::check(update).unwrap();
    let gone = Response::to(&update, StatusCode::CallOrTransactionDoesNotExist).build().unwrap();
    net.send_by_hand(1, 0, &String::from_utf8_lossy(gone.as_bytes()));
    net.run(Micros::from_ms(50));
    assert!(matches!(net.ended(0), EndReason::Gone(_)));
    net.fate = Box::new(|_| 1);
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    assert_eq!((count(&net, "a ACK b"), count(&net, "a BYE b")), (1, 1), "{:?}", net.ladder);
    net.event(0, |event| matches!(event, Event::InviteFailed { failure: Failure::Timeout(_), .. }).then_some(()));
    assert!(matches!(net.ended(1), EndReason::RemoteBye(_)));
    net.assert_idle();
}

/// An offer that nobody answers is refused shortly before the session expires: the refresh that waited for it goes at once.
#[test]
fn a_refresh_that_waits_for_a_change_goes_before_the_session_expires() {
    let mut net = Net::with(2, |_, config| config.session_timers.interval_secs = Some(90));
    let (caller, _) = net.call(0, 1);
    net.run(Micros::from_ms(28_200));
    let hold = hold(&net, 0, caller);
    net.agents[0].update(caller, hold, net.now).unwrap();
    net.run(Micros::from_secs(60));
    assert_eq!((count(&net, "b 500 a"), count(&net, "b BYE a")), (1, 0), "{:?}", net.ladder);
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.assert_idle();
}
