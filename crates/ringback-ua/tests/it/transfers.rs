//! REFER between user agents: transfers, and how they are told of. RFC 3515, RFC 3891, RFC 4488, RFC 7614

use ringback_base::Micros;
use ringback_message::{HeaderId, Method, StatusCode};
use ringback_ua::{
    EndReason, Event, InviteId, Media, Outbound, ReferOutcome, ReferProgress, ReferSubscription, ReferTold, RefereeId,
    SessionId, SubscriberState, SubscriberTold, SubscriptionEndReason,
};

use crate::net::{Net, sound, uri};

fn to_c() -> String {
    format!("<{}>", uri(2))
}

/// The first agent asks the second to call the third; the second is asked.
fn refer(net: &mut Net, caller: SessionId, subscription: ReferSubscription) {
    net.agents[0].refer(caller, &to_c(), subscription, net.now).unwrap();
    net.settle();
}

fn follow(net: &mut Net) -> (RefereeId, InviteId) {
    let id = net.event(1, |event| match event {
        Event::ReferWanted { id, .. } => Some(*id),
        _ => None,
    });
    let followed = net.agents[1].follow(id, &uri(1), sound(1), net.now).unwrap();
    net.settle();
    followed
}

fn outcome(net: &mut Net) -> ReferOutcome {
    net.event(0, |event| match event {
        Event::Refer { told: ReferTold::Answered(outcome), .. } => Some(outcome.clone()),
        _ => None,
    })
}

fn progress(net: &mut Net) -> (u16, Option<SubscriptionEndReason>) {
    net.event(0, |event| match event {
        Event::Refer { told: ReferTold::Progress(ReferProgress { status: Some(status), end, .. }), .. } => {
            Some((status.as_u16(), *end))
        }
        _ => None,
    })
}

const DONE: Option<SubscriptionEndReason> = Some(SubscriptionEndReason::NoResource);

/// `[RFC 5589, Section 6.1]`
#[test]
fn a_blind_transfer() {
    let mut net = Net::new(3);
    let (a_with_b, _) = net.call(0, 1);
    refer(&mut net, a_with_b, ReferSubscription::Implicit);
    follow(&mut net);
    assert_eq!(net.ladder, ["a REFER b", "b 200 a", "b NOTIFY a", "b INVITE c", "a 200 b", "c 100 b",]);
    assert_eq!(outcome(&mut net), ReferOutcome::Followed);
    assert_eq!(progress(&mut net), (100, None));
    let invite = net.sent.iter().find(|message| message.method() == Some(Method::Invite)).unwrap();
    assert_eq!(invite.first(HeaderId::ReferredBy).unwrap().value(), format!("<{}>", uri(0)).as_bytes());
    net.ladder.clear();
    let c_with_b = net.incoming(2);
    net.agents[2].ring(c_with_b, StatusCode::Ringing, Media::None, net.now).unwrap();
    net.run(Micros::from_secs(2));
    assert_eq!(progress(&mut net), (180, None));
    net.agents[2].answer(c_with_b, sound(2), net.now).unwrap();
    net.run(Micros::from_secs(2));
    assert_eq!(progress(&mut net), (200, DONE));
    assert_eq!(net.ladder, ["c 180 b", "b NOTIFY a", "a 200 b", "c 200 b", "b ACK c", "b NOTIFY a", "a 200 b"]);
    net.agents[0].hang_up(a_with_b, net.now).unwrap();
    net.settle();
    assert_eq!(net.agents[1].session_len(), 1, "b has c");
    net.agents[2].hang_up(c_with_b, net.now).unwrap();
    net.assert_idle();
}

/// `[RFC 5589, Section 7.1]`
#[test]
fn an_attended_transfer() {
    let mut net = Net::new(3);
    let (a_with_b, b_with_a) = net.call(0, 1);
    let (a_with_c, c_with_a) = net.call(0, 2);
    net.agents[0].transfer(a_with_b, a_with_c, net.now).unwrap();
    net.settle();
    follow(&mut net);
    let (c_with_b, replaced) = net.event(2, |event| match event {
        Event::Incoming { session, replaces, .. } => Some((*session, *replaces)),
        _ => None,
    });
    assert_eq!(replaced, Some(c_with_a));
    net.agents[2].answer(c_with_b, sound(2), net.now).unwrap();
    net.run(Micros::from_secs(2));
    assert!(net.ladder.contains(&"c BYE a".into()), "{:#?}", net.ladder);
    assert_eq!(progress(&mut net).0, 100);
    assert_eq!(progress(&mut net), (200, DONE));
    assert!(net.agents[0].dialog(a_with_c).is_none() && net.agents[2].dialog(c_with_a).is_none());
    net.agents[0].hang_up(a_with_b, net.now).unwrap();
    net.settle();
    assert!(net.agents[1].dialog(b_with_a).is_none());
    net.agents[2].hang_up(c_with_b, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn a_transfer_that_fails_leaves_the_call_as_it_was() {
    let mut net = Net::new(3);
    let (a_with_b, b_with_a) = net.call(0, 1);
    refer(&mut net, a_with_b, ReferSubscription::Implicit);
    follow(&mut net);
    let c_with_b = net.incoming(2);
    net.agents[2].reject(c_with_b, StatusCode::BusyHere, |r| r, net.now).unwrap();
    net.run(Micros::from_secs(2));
    assert_eq!(progress(&mut net).0, 100);
    assert_eq!(progress(&mut net), (486, DONE));
    assert!(net.agents[0].dialog(a_with_b).is_some() && net.agents[1].dialog(b_with_a).is_some());
    net.agents[0].hang_up(a_with_b, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn a_target_that_is_not_there_is_told_as_a_408() {
    let mut net = Net::new(3);
    let (a_with_b, _) = net.call(0, 1);
    refer(&mut net, a_with_b, ReferSubscription::Implicit);
    net.fate = Box::new(|message| usize::from(message.method() != Some(Method::Invite)));
    follow(&mut net);
    net.run(Micros::from_secs(40));
    assert_eq!(progress(&mut net).0, 100);
    assert_eq!(progress(&mut net), (408, DONE));
    net.agents[0].hang_up(a_with_b, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn a_transfer_that_nobody_wants() {
    let mut net = Net::new(3);
    let (a_with_b, _) = net.call(0, 1);
    refer(&mut net, a_with_b, ReferSubscription::Implicit);
    let id = net.event(1, |event| match event {
        Event::ReferWanted { id, .. } => Some(*id),
        _ => None,
    });
    net.agents[1].respond(id, StatusCode::Decline, |r| r, net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder, ["a REFER b", "b 603 a"]);
    assert_eq!(outcome(&mut net), ReferOutcome::Refused(StatusCode::Decline));
    net.agents[0].hang_up(a_with_b, net.now).unwrap();
    net.assert_idle();
}

/// "a dialog created with an INVITE does not necessarily terminate upon receipt of a BYE". `[RFC 6665, Section 4.5.2]`
#[test]
fn whoever_hangs_up_at_once_still_hears_how_it_went() {
    let mut net = Net::new(3);
    let (a_with_b, _) = net.call(0, 1);
    refer(&mut net, a_with_b, ReferSubscription::Implicit);
    follow(&mut net);
    net.agents[0].hang_up(a_with_b, net.now).unwrap();
    net.settle();
    let c_with_b = net.incoming(2);
    net.agents[2].answer(c_with_b, sound(2), net.now).unwrap();
    net.run(Micros::from_secs(2));
    assert_eq!(progress(&mut net).0, 100);
    assert_eq!(progress(&mut net), (200, DONE), "{:#?}", net.ladder);
    net.agents[2].hang_up(c_with_b, net.now).unwrap();
    net.assert_idle();
}

/// `[RFC 3515, Section 2.4.6]`
#[test]
fn a_second_refer_in_a_call_has_an_id() {
    let mut net = Net::new(3);
    let (a_with_b, _) = net.call(0, 1);
    for round in 0..2 {
        refer(&mut net, a_with_b, ReferSubscription::Implicit);
        follow(&mut net);
        let cseq = net.sent.iter().rfind(|message| message.method() == Some(Method::Refer)).unwrap();
        let cseq = cseq.first(HeaderId::CSeq).unwrap().value().split(|b| *b == b' ').next().unwrap();
        let notify = net.sent.iter().rfind(|message| message.method() == Some(Method::Notify)).unwrap();
        let event = [b"refer;id=", cseq].concat();
        assert_eq!(notify.first(HeaderId::Event).unwrap().value(), if round == 0 { b"refer" } else { &event[..] });
        let c_with_b = net.incoming(2);
        net.agents[2].reject(c_with_b, StatusCode::BusyHere, |r| r, net.now).unwrap();
        net.run(Micros::from_secs(2));
        assert_eq!((progress(&mut net).0, progress(&mut net)), (100, (486, DONE)));
    }
    net.agents[0].hang_up(a_with_b, net.now).unwrap();
    net.assert_idle();
}

/// `[RFC 4488, Section 4]` `[RFC 7614, Section 5]`
#[test]
fn without_a_subscription() {
    for subscription in [ReferSubscription::Unwanted, ReferSubscription::None] {
        let mut net = Net::new(3);
        let (a_with_b, _) = net.call(0, 1);
        refer(&mut net, a_with_b, subscription);
        follow(&mut net);
        assert_eq!(net.ladder, ["a REFER b", "b 200 a", "b INVITE c", "c 100 b"]);
        assert_eq!(outcome(&mut net), ReferOutcome::FollowedInSilence);
        let c_with_b = net.incoming(2);
        net.agents[2].reject(c_with_b, StatusCode::BusyHere, |r| r, net.now).unwrap();
        net.agents[0].hang_up(a_with_b, net.now).unwrap();
        net.assert_idle();
    }
}

/// `[RFC 7614, Section 4]`: while it is under way, and after.
#[test]
fn by_a_subscription_of_its_own() {
    for is_late in [false, true] {
        let mut net = Net::new(3);
        let (a_with_b, _) = net.call(0, 1);
        refer(&mut net, a_with_b, ReferSubscription::Explicit);
        follow(&mut net);
        let ReferOutcome::FollowedAt(at) = outcome(&mut net) else { panic!() };
        let subscribe = |net: &mut Net| {
            let outbound = Outbound::new(&uri(0), &at);
            let event = ringback_message::header::Event::new("refer");
            net.agents[0].subscribe(&outbound, event, |config| config.renews = false, net.now).unwrap();
            net.settle();
        };
        let told = |net: &mut Net| {
            net.event(0, |event| match event {
                Event::Subscriber { told: SubscriberTold::Notified { notified, request }, .. } => {
                    Some((notified.state, String::from_utf8_lossy(request.body()).into_owned()))
                }
                _ => None,
            })
        };
        if !is_late {
            subscribe(&mut net);
            assert_eq!(told(&mut net), (SubscriberState::Active, "SIP/2.0 100 Trying\r\n".into()));
        }
        let c_with_b = net.incoming(2);
        net.agents[2].reject(c_with_b, StatusCode::BusyHere, |r| r, net.now).unwrap();
        net.settle();
        if is_late {
            subscribe(&mut net);
        }
        assert_eq!(told(&mut net), (SubscriberState::Terminated, "SIP/2.0 486 Busy Here\r\n".into()));
        net.agents[0].hang_up(a_with_b, net.now).unwrap();
        // Nobody can guess the place.
        net.ladder.clear();
        let outbound = Outbound::new(&uri(0), &uri(1));
        let event = ringback_message::header::Event::new("refer");
        net.agents[0].subscribe(&outbound, event, |config| config.renews = false, net.now).unwrap();
        net.settle();
        assert!(net.ladder.contains(&"b 403 a".into()));
        net.assert_idle();
    }
}

/// `[RFC 7647, Section 4]`
#[test]
fn outside_of_the_dialog_that_it_is_about() {
    let mut net = Net::new(3);
    let (a_with_b, b_with_a) = net.call(0, 1);
    let outbound = Outbound::new(&uri(0), &uri(1));
    net.agents[0].refer_outside(&outbound, &to_c(), Some(a_with_b), ReferSubscription::Implicit, net.now).unwrap();
    net.settle();
    let (id, session) = net.event(1, |event| match event {
        Event::ReferWanted { id, session, .. } => Some((*id, *session)),
        _ => None,
    });
    assert_eq!(session, Some(b_with_a));
    let referee = net.agents[1].accept_refer(id, net.now).unwrap();
    net.settle();
    assert_eq!(progress(&mut net), (100, None));
    net.agents[1].deny_refer(referee, net.now);
    net.run(Micros::from_secs(2));
    assert_eq!(progress(&mut net), (603, Some(SubscriptionEndReason::Rejected)));
    net.agents[0].hang_up(a_with_b, net.now).unwrap();
    net.settle();
    assert!(matches!(net.ended(1), EndReason::RemoteBye(_)));
    net.assert_idle();
}

#[test]
fn a_refer_that_is_none_is_refused() {
    let mut net = Net::new(2);
    let (a_with_b, _) = net.call(0, 1);
    for (fields, code) in [("", 400), ("<http://www.example.com>", 416)] {
        net.ladder.clear();
        net.agents[0].request(a_with_b, Method::Refer, |r| r.raw(HeaderId::ReferTo, fields), net.now).ok();
        net.agents[0].refer(a_with_b, fields, ReferSubscription::Implicit, net.now).ok();
        net.settle();
        assert!(fields.is_empty() || net.ladder.contains(&format!("b {code} a")), "{:#?}", net.ladder);
    }
    net.agents[0].hang_up(a_with_b, net.now).unwrap();
    net.assert_idle();
}
