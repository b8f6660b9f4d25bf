//! A call from its INVITE to its BYE.

use ringback_base::{Hop, Micros};
use ringback_message::{HeaderId, Method, StatusCode};
use ringback_sdp::Origin;
use ringback_sdp::negotiate::{Codec, Endpoint, HoldForm, LocalMedia, Refusal};
use ringback_transaction::Timers;
use ringback_ua::{Carrier, CommandError, EndReason, Event, Failure, Media, MediaError, Outbound};

use crate::net::{Net, address, sound, uri};

#[test]
fn ringing_answered_and_hung_up() {
    let mut net = Net::new(2);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::Ringing, Media::None, net.now).unwrap();
    net.settle();
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    let caller = net.answered(0);
    net.confirmed(1);
    assert_eq!(net.agents[0].media(caller).unwrap().streams().len(), 1);
    assert_eq!(net.agents[1].media(callee).unwrap().streams().len(), 1);
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder, ["a INVITE b", "b 100 a", "b 180 a", "b 200 a", "a ACK b", "a BYE b", "b 200 a"]);
    assert!(matches!(net.ended(1), EndReason::RemoteBye(_)));
    assert_eq!(net.ended(0), EndReason::LocalBye);
    net.assert_idle();
}

#[test]
fn a_lost_ack_is_sent_again_for_each_repeated_200() {
    let mut net = Net::new(2);
    let mut acks = 0;
    net.fate = Box::new(move |message| {
        acks += usize::from(message.method() == Some(Method::Ack));
        usize::from(message.method() != Some(Method::Ack) || acks > 2)
    });
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.run(Micros::from_secs(4));
    net.confirmed(1);
    assert_eq!(net.ladder[2..], ["b 200 a", "a ACK b", "b 200 a", "a ACK b", "b 200 a", "a ACK b"]);
    net.agents[1].hang_up(callee, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn without_an_ack_the_session_is_ended() {
    let mut net = Net::new(2);
    net.fate = Box::new(|message| usize::from(message.method() != Some(Method::Ack)));
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.run(Micros::from_secs(40));
    assert_eq!(net.ended(1), EndReason::AckMissing);
    assert!(matches!(net.ended(0), EndReason::RemoteBye(_)));
    net.assert_idle();
}

#[test]
fn cancelled_while_it_rings() {
    let mut net = Net::new(2);
    let invite = net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::Ringing, Media::None, net.now).unwrap();
    net.settle();
    net.agents[0].cancel(invite, None, net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder[3..], ["a CANCEL b", "b 200 a", "b 487 a", "a ACK b"]);
    assert_eq!(net.ended(1), EndReason::Cancelled);
    net.assert_idle();
}

#[test]
fn a_cancel_waits_for_a_provisional_response() {
    let mut net = Net::new(2);
    let invite = net.invite(0, 1, sound(0));
    net.agents[0].cancel(invite, None, net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder, ["a INVITE b", "b 100 a", "a CANCEL b", "b 200 a", "b 487 a", "a ACK b"]);
    net.assert_idle();
}

#[test]
fn a_cancel_that_crosses_a_200_ends_in_a_bye() {
    let mut net = Net::new(2);
    let invite = net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.agents[0].cancel(invite, None, net.now).unwrap();
    net.settle();
    let mut ladder = net.ladder[2..].to_vec();
    ladder.sort();
    assert_eq!(ladder, ["a ACK b", "a BYE b", "a CANCEL b", "b 200 a", "b 200 a", "b 200 a"]);
    net.assert_idle();
}

#[test]
fn refused() {
    let mut net = Net::new(2);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].reject(callee, StatusCode::BusyHere, |r| r, net.now).unwrap();
    net.settle();
    let failure = net.event(0, |event| match event {
        Event::InviteFailed { failure, .. } => Some(failure.clone()),
        _ => None,
    });
    assert!(matches!(failure, Failure::Refused(response) if response.status() == StatusCode::BusyHere));
    net.assert_idle();
}

#[test]
fn let_go_of_without_a_word() {
    let mut net = Net::new(2);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].release(callee, net.now);
    net.settle();
    assert_eq!(net.ladder[2..], ["b 500 a", "a ACK b"]);
    net.assert_idle();
}

#[test]
fn held_and_resumed_by_reinvite() {
    let mut net = Net::new(2);
    let (caller, callee) = net.call(0, 1);
    let hold = net.agents[0].media(caller).unwrap().hold(HoldForm::Direction).unwrap();
    net.agents[0].reinvite(caller, Media::Offer(hold), net.now).unwrap();
    net.settle();
    net.event(1, |event| matches!(event, Event::Offered { carrier: Carrier::Invite, .. }).then_some(()));
    net.agents[1].accept(callee, sound(1), net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder, ["a INVITE b", "b 100 a", "b 200 a", "a ACK b"]);
    assert!(net.agents[0].media(caller).unwrap().is_held());
    let resume = net.agents[0].media(caller).unwrap().resume().unwrap();
    net.agents[0].update(caller, Media::Offer(resume), net.now).unwrap();
    net.settle();
    net.event(1, |event| matches!(event, Event::Offered { carrier: Carrier::Update, .. }).then_some(()));
    net.agents[1].accept(callee, sound(1), net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder[4..], ["a UPDATE b", "b 200 a"]);
    assert!(!net.agents[0].media(caller).unwrap().is_held());
    net.agents[1].hang_up(callee, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn a_glare_is_tried_again_later_by_who_made_the_call_id() {
    let mut net = Net::new(2);
    let (caller, callee) = net.call(0, 1);
    for (agent, session) in [(0, caller), (1, callee)] {
        let hold = net.agents[agent].media(session).unwrap().hold(HoldForm::Direction).unwrap();
        net.agents[agent].reinvite(session, Media::Offer(hold), net.now).unwrap();
    }
    net.settle();
    assert_eq!(net.ladder.iter().filter(|line| line.contains("491")).count(), 2);
    // The callee within 2 s, the caller from 2.1 s on.
    net.run(Micros::from_ms(1_650));
    net.event(0, |event| matches!(event, Event::Offered { .. }).then_some(()));
    net.agents[0].accept(caller, sound(0), net.now).unwrap();
    net.run(Micros::from_secs(10));
    net.event(1, |event| matches!(event, Event::Offered { .. }).then_some(()));
    net.agents[1].accept(callee, sound(1), net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder.iter().filter(|line| line.contains("INVITE")).count(), 4, "{:#?}", net.ladder);
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn an_offer_in_the_200_is_answered_in_the_ack() {
    let mut net = Net::new(2);
    net.invite(0, 1, Media::None);
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    let caller = net.answered(0);
    net.event(0, |event| matches!(event, Event::Offered { carrier: Carrier::Success, .. }).then_some(()));
    net.agents[0].accept(caller, sound(0), net.now).unwrap();
    net.settle();
    net.confirmed(1);
    assert_eq!(net.agents[1].media(callee).unwrap().streams().len(), 1);
    net.agents[1].hang_up(callee, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn reliable_provisional_responses_one_after_another() {
    let mut net = Net::with(2, |_, config| config.reliable_provisionals = true);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::SessionProgress, sound(1), net.now).unwrap();
    net.agents[1].ring(callee, StatusCode::Ringing, Media::None, net.now).unwrap();
    net.agents[1].answer(callee, Media::None, net.now).unwrap();
    net.settle();
    assert_eq!(
        net.ladder[2..],
        ["b 183 a", "a PRACK b", "b 200 a", "b 180 a", "a PRACK b", "b 200 a", "b 200 a", "a ACK b"]
    );
    net.answered(0);
    net.agents[1].hang_up(callee, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn without_a_prack_the_call_is_refused() {
    let mut net = Net::with(2, |_, config| config.reliable_provisionals = true);
    net.fate = Box::new(|message| usize::from(message.method() != Some(Method::Prack)));
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::Ringing, Media::None, net.now).unwrap();
    net.run(Micros::from_secs(40));
    assert_eq!(net.ended(1), EndReason::PrackMissing);
    net.assert_idle();
}

#[test]
fn refreshed_in_time() {
    let mut net = Net::with(2, |_, config| config.session_timers.interval_secs = Some(90));
    let (caller, _) = net.call(0, 1);
    net.run(Micros::from_secs(200));
    let refreshes = net.ladder.iter().filter(|line| line.contains("UPDATE")).count();
    assert_eq!(refreshes, 4, "{:#?}", net.ladder);
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.assert_idle();
}

/// `[RFC 4028, Section 7.4]`
#[test]
fn refreshed_before_its_time() {
    for takes_update in [true, false] {
        let mut net = Net::with(2, |_, config| {
            config.session_timers.interval_secs = Some(90);
            if !takes_update {
                config.allow.retain(|method| *method != Method::Update);
            }
        });
        let (caller, callee) = net.call(0, 1);
        for (agent, session) in [(0, caller), (1, callee)] {
            net.agents[agent].refresh(session, net.now).unwrap();
            assert!(matches!(net.agents[agent].refresh(session, net.now), Err(CommandError::State(_))));
            net.settle();
            if let Some(session) = net.any_session(1 - agent).filter(|_| !takes_update) {
                // Without UPDATE it is an offer of what there is.
                net.agents[1 - agent].answer(session, sound(1 - agent), net.now).unwrap();
                net.settle();
            }
            net.event(agent, |event| matches!(event, Event::Refreshed { is_ours: true, .. }).then_some(()));
            assert_eq!(net.agents[agent].session_timer(session).unwrap().interval_secs, 90);
        }
        let by = if takes_update { "UPDATE" } else { "INVITE" };
        assert_eq!(net.ladder.iter().filter(|line| line.contains(by)).count(), 2, "{:#?}", net.ladder);
        net.agents[0].hang_up(caller, net.now).unwrap();
        net.assert_idle();
    }
}

#[test]
fn given_up_where_nobody_refreshes() {
    let mut net = Net::with(2, |_, config| config.session_timers.interval_secs = Some(90));
    net.call(0, 1);
    net.fate = Box::new(|message| usize::from(message.method() == Some(Method::Bye)));
    net.run(Micros::from_secs(130));
    assert_eq!((net.ended(0), net.ended(1)), (EndReason::Expired, EndReason::Expired));
    net.assert_idle();
}

/// A Contact that no builder writes is one that a 2xx may have, and its ACK must go there all the same.
#[test]
fn a_200_with_a_strange_contact_is_acknowledged_and_ended() {
    let mut net = Net::new(2);
    net.rewrite = Some((b"<sip:b@192.0.2.2:5060>".to_vec(), b"<sip:b%zz@192.0.2.2:5060;a=1;a=2>".to_vec()));
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    let caller = net.answered(0);
    net.confirmed(1);
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.settle();
    assert!(net.sent.iter().any(|message| message.request_uri_text() == b"sip:b%zz@192.0.2.2:5060;a=1;a=2"));
    assert!(matches!(net.ended(1), EndReason::RemoteBye(_)));
    net.assert_idle();
}

/// `[RFC 3261, Section 8.1.3.4]`
#[test]
fn a_call_goes_where_a_302_points_and_is_the_same_call() {
    let mut net = Net::new(3);
    let first = Outbound::new(&uri(0), &uri(1));
    net.agents[0].invite(&first, sound(0), net.now).unwrap();
    net.settle();
    let callee = net.incoming(1);
    let contacts =
        format!("<sip:c@192.0.2.9>;q=0.1, <mailto:c@c.example>, <{}?Subject=x>;q=0.5, <sip:d@192.0.2.9>;q=0.5", uri(2));
    net.agents[1]
        .reject(callee, StatusCode::MovedTemporarily, |r| r.raw(HeaderId::Contact, contacts), net.now)
        .unwrap();
    net.settle();
    let moved = net.event(0, |event| match event {
        Event::InviteFailed { failure: Failure::Refused(response), .. } => Some(response.clone()),
        _ => None,
    });
    let there = Hop::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.9:5060".parse().unwrap());
    let again = Outbound { hop: Some(there), ..first.clone() }.redirected(&moved).unwrap();
    assert_eq!(again.hop, None, "what it leads to is elsewhere");
    net.agents[0].invite(&again, sound(0), net.now).unwrap();
    net.settle();
    let invites = net.sent.iter().filter(|m| m.method() == Some(Method::Invite));
    let [one, two] = invites.collect::<Vec<_>>()[..] else { panic!() };
    for id in [HeaderId::CallId, HeaderId::From, HeaderId::To] {
        assert_eq!(one.first(id).unwrap().value(), two.first(id).unwrap().value());
    }
    assert_eq!(two.first(HeaderId::CSeq).unwrap().value(), b"2 INVITE");
    assert_eq!(two.request_uri_text(), uri(2).as_bytes());
    let moved_callee = net.incoming(2);
    net.agents[2].answer(moved_callee, sound(2), net.now).unwrap();
    net.settle();
    let caller = net.answered(0);
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.assert_idle();
}

/// Behind a satellite nothing is sent again before an answer can be there, and others are not waited for longer.
#[test]
fn a_peer_far_away_has_timers_of_its_own() {
    let slow = Timers::new(Micros::from_secs(2), Micros::from_secs(8), Micros::from_secs(9));
    let mut net = Net::with(3, |_, config| config.timers_of = vec![(address(1).ip(), slow)]);
    net.fate = Box::new(|_| 0);
    net.invite(0, 1, sound(0));
    net.invite(0, 2, sound(0));
    net.run(Micros::from_ms(1_900));
    let count = |net: &Net, what: &str| net.ladder.iter().filter(|line| *line == what).count();
    assert_eq!((count(&net, "a INVITE b"), count(&net, "a INVITE c")), (1, 3));
    net.agents[0].set_timers_of(address(1).ip(), None);
    net.ladder.clear();
    net.invite(0, 1, sound(0));
    net.run(Micros::from_ms(1_900));
    assert_eq!(count(&net, "a INVITE b"), 3 + 1, "the new one has the timers of all, the old one goes on with its own");
}

/// The 200 offers what the caller doesn't have: that is known only when the caller tries to answer it, and the callee waits for its
/// ACK all the same. `[RFC 3261, Section 13.2.2.4]`
#[test]
fn an_offer_in_a_200_that_does_not_fit_is_acknowledged_and_hung_up() {
    for refuses in [true, false] {
        let mut net = Net::new(2);
        net.invite(0, 1, Media::None);
        net.settle();
        let callee = net.incoming(1);
        net.agents[1].answer(callee, sound(1), net.now).unwrap();
        net.settle();
        let caller = net.answered(0);
        let origin = Origin::parse("- 100 1 IN IP4 192.0.2.1").unwrap();
        let other = Endpoint::new(origin, "192.0.2.1").media(LocalMedia::audio(40_000).codec(Codec::pcma()));
        let other = Media::Endpoint(other);
        let error = net.agents[0].accept(caller, other, net.now).unwrap_err();
        let CommandError::Media(MediaError::Refused(refusal)) = error else { panic!("{error:?}") };
        if refuses {
            net.agents[0].refuse(caller, &refusal, net.now).unwrap();
        }
        // Who forgets to, has the agent do it in its own time.
        net.run(Micros::from_secs(31));
        assert_eq!(net.ladder.iter().filter(|line| *line == "a ACK b").count(), 1);
        // An ACK without an answer: it hangs up as well.
        assert!(matches!(net.ended(1), EndReason::BadAnswer(_) | EndReason::RemoteBye(_)));
        net.assert_idle();
    }
}

/// An INVITE whose offer doesn't fit is refused, and whatever is tried before that: nobody meets an offer with one of his own.
/// `[RFC 3264, Section 4]`
#[test]
fn an_offer_that_can_not_be_answered_is_not_met_by_another() {
    for within in [false, true] {
        let mut net = Net::new(2);
        let standing = within.then(|| net.call(0, 1));
        let callee = match standing {
            Some((caller, callee)) => {
                net.agents[0].reinvite(caller, sound(0), net.now).unwrap();
                net.settle();
                callee
            }
            None => {
                net.invite(0, 1, sound(0));
                net.settle();
                net.incoming(1)
            }
        };
        let origin = Origin::parse("- 100 1 IN IP4 192.0.2.2").unwrap();
        let other = Endpoint::new(origin, "192.0.2.2").media(LocalMedia::audio(40_000).codec(Codec::pcma()));
        for media in [Media::Endpoint(other), sound(1)] {
            let error = net.agents[1].answer(callee, media, net.now).unwrap_err();
            assert!(matches!(error, CommandError::Media(MediaError::Refused(_))), "{error:?}");
        }
        let error = net.agents[1].answer(callee, Media::None, net.now).unwrap_err();
        assert!(matches!(error, CommandError::Media(MediaError::AnswerExpected)), "{error:?}");
        net.agents[1].refuse(callee, &Refusal::bare(488, None), net.now).unwrap();
        net.settle();
        assert_eq!(net.ladder[net.ladder.len() - 2..], ["b 488 a", "a ACK b"]);
        if let Some((caller, _)) = standing {
            assert!(net.agents[1].media(callee).is_some(), "what was agreed on before still holds");
            net.agents[0].hang_up(caller, net.now).unwrap();
        }
        net.assert_idle();
    }
}
