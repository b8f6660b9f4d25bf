//! One INVITE, several who answer. `[RFC 3261, Section 13.2.2.4]`

use ringback_base::Micros;
use ringback_message::{Method, StatusCode};
use ringback_ua::{EndReason, Event, ForkPolicy, Media, Outbound};

use crate::net::{FORK, Net, sound, uri};

fn forked(net: &mut Net) -> ringback_ua::InviteId {
    let everybody = format!("sip:all@{FORK}");
    net.agents[0].invite(&Outbound::new(&uri(0), &everybody), sound(0), net.now).unwrap()
}

fn count(net: &Net, what: &str) -> usize {
    net.ladder.iter().filter(|line| *line == what).count()
}

#[test]
fn each_ringing_phone_is_an_early_dialog() {
    let mut net = Net::new(4);
    forked(&mut net);
    net.settle();
    for agent in 1..4 {
        let session = net.incoming(agent);
        net.agents[agent].ring(session, StatusCode::Ringing, Media::None, net.now).unwrap();
    }
    net.settle();
    assert_eq!(net.agents[0].session_len(), 3);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(net.event(0, |event| match event {
            Event::Progress { session, .. } => *session,
            _ => None,
        }));
    }
    seen.dedup();
    assert_eq!(seen.len(), 3);
}

#[test]
fn the_first_200_has_the_call_and_the_second_gets_ack_and_bye() {
    let mut net = Net::new(3);
    forked(&mut net);
    net.settle();
    let sessions = [net.incoming(1), net.incoming(2)];
    for (agent, session) in (1..).zip(sessions) {
        net.agents[agent].answer(session, sound(agent), net.now).unwrap();
    }
    net.settle();
    let answered = net.answered(0);
    assert_eq!((count(&net, "a ACK b"), count(&net, "a ACK c")), (1, 1));
    assert_eq!((count(&net, "a BYE b"), count(&net, "a BYE c")), (0, 1));
    assert_eq!(net.ended(0), EndReason::Elsewhere);
    assert!(matches!(net.ended(2), EndReason::RemoteBye(_)));
    net.agents[0].hang_up(answered, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn where_all_are_wanted_each_200_is_a_session_of_its_own() {
    let mut net = Net::with(3, |_, config| config.forks = ForkPolicy::All);
    forked(&mut net);
    net.settle();
    let sessions = [net.incoming(1), net.incoming(2)];
    net.agents[1].answer(sessions[0], sound(1), net.now).unwrap();
    net.settle();
    net.agents[2].answer(sessions[1], sound(2), net.now).unwrap();
    net.run(Micros::from_secs(3));
    let answered = [net.answered(0), net.answered(0)];
    for session in answered {
        assert_eq!(net.agents[0].media(session).unwrap().streams().len(), 1);
        net.agents[0].hang_up(session, net.now).unwrap();
    }
    assert_eq!(count(&net, "a BYE b") + count(&net, "a BYE c"), 0, "not fetched yet");
    net.assert_idle();
    assert_eq!(count(&net, "a BYE b") + count(&net, "a BYE c"), 2);
}

#[test]
fn a_late_200_whose_ack_is_lost_gets_it_again() {
    let mut net = Net::new(3);
    let mut acks = 0;
    net.fate = Box::new(move |message| {
        acks += usize::from(message.method() == Some(Method::Ack));
        usize::from(message.method() != Some(Method::Ack) || acks > 3)
    });
    forked(&mut net);
    net.settle();
    let sessions = [net.incoming(1), net.incoming(2)];
    for (agent, session) in (1..).zip(sessions) {
        net.agents[agent].answer(session, sound(agent), net.now).unwrap();
    }
    net.run(Micros::from_secs(8));
    net.confirmed(1);
    // Its BYE came before the ACK that was lost.
    assert!(matches!(net.ended(2), EndReason::RemoteBye(_)));
    let answered = net.answered(0);
    net.agents[0].hang_up(answered, net.now).unwrap();
    net.assert_idle();
}

/// A fork upstream brought one INVITE by two ways: it rings once. `[RFC 3261, Section 8.2.2.2]`
#[test]
fn the_same_invite_by_another_path_is_refused() {
    let mut net = Net::new(2);
    net.invite(0, 1, sound(0));
    net.settle();
    let session = net.incoming(1);
    let first = String::from_utf8(net.sent[0].as_bytes().to_vec()).unwrap();
    let again = first.replace("branch=z9hG4bK", "branch=z9hG4bKother");
    net.send_by_hand(0, 1, &again);
    net.settle();
    assert_eq!(net.ladder.iter().filter(|line| *line == "b 482 a").count(), 1);
    assert_eq!(net.agents[1].session_len(), 1);
    net.agents[1].answer(session, sound(1), net.now).unwrap();
    net.settle();
    let answered = net.answered(0);
    net.agents[0].hang_up(answered, net.now).unwrap();
    net.assert_idle();
}

/// There is room for one: the second phone that answers is hung up, and the first, which still rings, may have the call.
#[test]
fn an_answer_without_room_leaves_the_call_to_the_one_that_rings() {
    let mut net = Net::with(3, |agent, config| {
        if agent == 0 {
            config.sessions_max = 1;
        }
    });
    forked(&mut net);
    net.settle();
    let sessions = [net.incoming(1), net.incoming(2)];
    net.agents[1].ring(sessions[0], StatusCode::Ringing, Media::None, net.now).unwrap();
    net.settle();
    net.agents[2].answer(sessions[1], sound(2), net.now).unwrap();
    net.settle();
    assert_eq!((count(&net, "a ACK c"), count(&net, "a BYE c")), (1, 1));
    net.agents[1].answer(sessions[0], sound(1), net.now).unwrap();
    net.settle();
    let answered = net.event(0, |event| match event {
        Event::Answered { session, .. } => Some(Some(*session)),
        Event::InviteFailed { .. } => Some(None),
        _ => None,
    });
    net.agents[0].hang_up(answered.unwrap(), net.now).unwrap();
    net.assert_idle();
}

/// The INVITE has been answered, though to no use: there is nothing left to cancel, and what answers next is hung up.
#[test]
fn what_is_given_up_behind_an_answer_without_room_is_hung_up() {
    let mut net = Net::with(3, |agent, config| {
        if agent == 0 {
            config.sessions_max = 1;
        }
    });
    let invite = forked(&mut net);
    net.settle();
    let sessions = [net.incoming(1), net.incoming(2)];
    net.agents[1].ring(sessions[0], StatusCode::Ringing, Media::None, net.now).unwrap();
    net.settle();
    net.agents[2].answer(sessions[1], sound(2), net.now).unwrap();
    net.settle();
    net.agents[0].cancel(invite, None, net.now).unwrap();
    net.settle();
    assert_eq!((count(&net, "a CANCEL b"), count(&net, "a CANCEL c")), (0, 0));
    net.agents[1].answer(sessions[0], sound(1), net.now).unwrap();
    net.settle();
    assert_eq!((count(&net, "a ACK b"), count(&net, "a BYE b")), (1, 1));
    net.assert_idle();
}

/// A 180 that was overtaken by the 199 of its dialog rings no more. `[RFC 6228, Section 5]`
#[test]
fn what_comes_late_of_a_dialog_that_a_199_has_ended_makes_no_other() {
    let mut net = Net::new(2);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::Ringing, Media::None, net.now).unwrap();
    net.settle();
    assert_eq!(net.agents[0].session_len(), 1);
    let ringing = net.sent.iter().find(|message| message.status() == Some(StatusCode::Ringing)).unwrap();
    let ringing = String::from_utf8(ringing.as_bytes().to_vec()).unwrap();
    let over = ringing.replace("180 Ringing\r\n", "199 Early Dialog Terminated\r\nReason: SIP ;cause=480\r\n");
    net.send_by_hand(1, 0, &over);
    net.settle();
    assert_eq!(net.agents[0].session_len(), 0);
    net.send_by_hand(1, 0, &ringing);
    net.settle();
    assert_eq!(net.agents[0].session_len(), 0);
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    let answered = net.answered(0);
    net.agents[0].hang_up(answered, net.now).unwrap();
    net.assert_idle();
}
