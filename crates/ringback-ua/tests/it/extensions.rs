//! PRACK with offers, INFO packages, OPTIONS, Session-ID, Expires, 199, and what a session refuses.

use ringback_base::Micros;
use ringback_message::header::{Expires, InfoPackage, SessionId};
use ringback_message::{HeaderId, Method, StatusCode};
use ringback_sdp::negotiate::{Codec, HoldForm, LocalMedia, Refusal};
use ringback_ua::{Carrier, CommandError, EndReason, Event, Media, Outbound};

use crate::net::{Net, sound, uri};

#[test]
fn an_offer_in_a_reliable_183_is_answered_in_the_prack() {
    let mut net = Net::new(2);
    net.invite(0, 1, Media::None);
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::SessionProgress, sound(1), net.now).unwrap();
    net.settle();
    let early = net.event(0, |event| match event {
        Event::Offered { session, carrier: Carrier::Provisional } => Some(*session),
        _ => None,
    });
    net.agents[1].answer(callee, Media::None, net.now).unwrap();
    net.settle();
    assert!(!net.ladder.contains(&"b 200 a".into()), "it waits for the answer");
    net.agents[0].accept(early, sound(0), net.now).unwrap();
    net.settle();
    assert_eq!(net.answered(0), early);
    assert_eq!(net.agents[0].media(early).unwrap().streams().len(), 1);
    assert_eq!(net.agents[1].media(callee).unwrap().streams().len(), 1);
    net.agents[0].hang_up(early, net.now).unwrap();
    net.assert_idle();
}

/// "it MUST be prepared to process PRACK requests for those outstanding responses" `[RFC 3262, Section 3]`
#[test]
fn a_prack_that_a_200_has_overtaken_is_answered_with_200() {
    let mut net = Net::with(2, |_, config| config.reliable_provisionals = true);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::Ringing, Media::None, net.now).unwrap();
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    assert!(net.ladder.contains(&"a PRACK b".into()), "{:?}", net.ladder);
    assert!(!net.ladder.contains(&"b 481 a".into()), "{:?}", net.ladder);
    let caller = net.answered(0);
    net.agents[1].hang_up(callee, net.now).unwrap();
    net.settle();
    assert!(net.ladder.contains(&"b BYE a".into()) && net.agents[0].media(caller).is_none());
    net.assert_idle();
}

#[test]
fn an_offer_in_a_prack_is_answered_in_its_200() {
    let mut net = Net::with(2, |_, config| {
        config.manual_pracks = true;
        config.reliable_provisionals = true;
    });
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::SessionProgress, sound(1), net.now).unwrap();
    net.settle();
    let early = net.event(0, |event| match event {
        Event::Progress { session, .. } => *session,
        _ => None,
    });
    let hold = net.agents[0].media(early).unwrap().hold(HoldForm::Direction).unwrap();
    net.agents[0].prack(early, Media::Offer(hold), net.now).unwrap();
    net.settle();
    net.event(1, |event| matches!(event, Event::Offered { carrier: Carrier::Prack, .. }).then_some(()));
    net.agents[1].accept(callee, sound(1), net.now).unwrap();
    net.settle();
    assert!(net.agents[0].media(early).unwrap().is_held());
    net.agents[1].answer(callee, Media::None, net.now).unwrap();
    net.settle();
    net.agents[1].hang_up(callee, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn an_update_in_an_early_dialog() {
    let mut net = Net::with(2, |_, config| config.reliable_provisionals = true);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::SessionProgress, sound(1), net.now).unwrap();
    net.settle();
    let early = net.event(0, |event| match event {
        Event::Agreed { session } => Some(*session),
        _ => None,
    });
    let more = LocalMedia::audio(41_000).codec(Codec::pcma());
    let offer = net.agents[0].media(early).unwrap().add(&more).unwrap();
    net.agents[0].update(early, Media::Offer(offer), net.now).unwrap();
    net.settle();
    net.event(1, |event| matches!(event, Event::Offered { carrier: Carrier::Update, .. }).then_some(()));
    net.agents[1].accept(callee, sound(1), net.now).unwrap();
    net.settle();
    assert_eq!(net.agents[0].media(early).unwrap().streams().len(), 2);
    net.agents[1].answer(callee, Media::None, net.now).unwrap();
    net.settle();
    assert_eq!(net.answered(0), early);
    net.agents[0].hang_up(early, net.now).unwrap();
    net.assert_idle();
}

/// Its 200 waits, and is not what answers the UPDATE. `[RFC 3311, Section 5.2]`
#[test]
fn a_call_is_taken_while_an_update_waits_for_its_answer() {
    let mut net = Net::with(2, |_, config| config.reliable_provisionals = true);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::SessionProgress, sound(1), net.now).unwrap();
    net.settle();
    let early = net.event(0, |event| match event {
        Event::Agreed { session } => Some(*session),
        _ => None,
    });
    let hold = net.agents[0].media(early).unwrap().hold(HoldForm::Direction).unwrap();
    net.agents[0].update(early, Media::Offer(hold), net.now).unwrap();
    net.settle();
    net.event(1, |event| matches!(event, Event::Offered { carrier: Carrier::Update, .. }).then_some(()));
    net.ladder.clear();
    net.sent.clear();
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    assert!(!net.ladder.contains(&"b 200 a".to_owned()), "{:?}", net.ladder);
    net.agents[1].accept(callee, sound(1), net.now).unwrap();
    net.settle();
    let oks = net.sent.iter().filter(|message| message.status() == Some(StatusCode::Ok));
    let described = oks.map(|message| {
        let is_to_update = message.first(HeaderId::CSeq).unwrap().value().ends_with(b"UPDATE");
        (is_to_update, !message.body().is_empty())
    });
    assert_eq!(described.collect::<Vec<_>>(), [(true, true), (false, false)]);
    assert_eq!(net.answered(0), early);
    assert!(net.agents[0].media(early).unwrap().is_held());
    net.agents[0].hang_up(early, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn a_refused_offer_leaves_the_session_as_it_was() {
    let mut net = Net::new(2);
    let (caller, callee) = net.call(0, 1);
    let hold = net.agents[0].media(caller).unwrap().hold(HoldForm::Direction).unwrap();
    net.agents[0].reinvite(caller, Media::Offer(hold), net.now).unwrap();
    net.settle();
    net.event(1, |event| matches!(event, Event::Offered { .. }).then_some(()));
    let refusal = Refusal::bare(488, None);
    net.agents[1].refuse(callee, &refusal, net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder, ["a INVITE b", "b 100 a", "b 488 a", "a ACK b"]);
    net.event(0, |event| matches!(event, Event::OfferFailed { .. }).then_some(()));
    assert!(!net.agents[0].media(caller).unwrap().is_held());
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn a_second_invite_before_the_first_is_answered_gets_500() {
    let mut net = Net::new(2);
    let (caller, callee) = net.call(0, 1);
    net.agents[0].reinvite(caller, Media::None, net.now).unwrap();
    net.settle();
    net.event(1, |event| matches!(event, Event::OfferWanted { .. }).then_some(()));
    assert!(matches!(net.agents[0].reinvite(caller, Media::None, net.now), Err(CommandError::State(_))));
    // Theirs is open, so ours has to wait, whoever asks.
    assert!(matches!(net.agents[1].reinvite(callee, sound(1), net.now), Err(CommandError::State(_))));
    // Asked for an offer, it says again what it had.
    net.agents[1].accept(callee, Media::None, net.now).unwrap();
    net.settle();
    net.event(0, |event| matches!(event, Event::Offered { carrier: Carrier::Success, .. }).then_some(()));
    net.agents[0].accept(caller, sound(0), net.now).unwrap();
    net.settle();
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.assert_idle();
}

/// `[RFC 3262, Section 5]` `[RFC 6337, Section 2.2]`
#[test]
fn after_an_exchange_in_a_provisional_response_the_200_says_nothing_of_media() {
    let mut net = Net::new(2);
    net.invite(0, 1, Media::None);
    net.settle();
    let callee = net.incoming(1);
    assert!(matches!(net.agents[1].answer(callee, Media::None, net.now), Err(CommandError::Media(_))));
    net.agents[1].ring(callee, StatusCode::SessionProgress, sound(1), net.now).unwrap();
    net.settle();
    let early = net.event(0, |event| match event {
        Event::Offered { session, .. } => Some(*session),
        _ => None,
    });
    net.agents[0].accept(early, sound(0), net.now).unwrap();
    net.settle();
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    let ok = net.sent.iter().rev().find(|message| message.status() == Some(StatusCode::Ok)).unwrap();
    assert!(ok.body().is_empty());
    net.agents[0].hang_up(early, net.now).unwrap();
    net.assert_idle();
}

/// `[RFC 3262, Section 3]`
#[test]
fn a_reliable_provisional_response_to_a_reinvite_is_acknowledged() {
    let mut net = Net::with(2, |_, config| config.reliable_provisionals = true);
    let (caller, callee) = net.call(0, 1);
    let hold = net.agents[0].media(caller).unwrap().hold(HoldForm::Direction).unwrap();
    net.agents[0].reinvite(caller, Media::Offer(hold), net.now).unwrap();
    net.settle();
    net.agents[1].ring(callee, StatusCode::SessionProgress, Media::None, net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder[2..], ["b 183 a", "a PRACK b", "b 200 a"]);
    net.agents[1].accept(callee, sound(1), net.now).unwrap();
    net.settle();
    assert!(net.agents[0].media(caller).unwrap().is_held());
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn packages_of_info() {
    let mut net = Net::with(2, |agent, config| {
        if agent == 1 {
            config.info_packages = vec!["dtmf".into()];
        }
    });
    let (caller, _) = net.call(0, 1);
    let send = |net: &mut Net, package: &str| {
        let header = InfoPackage::new(package);
        net.agents[0].request(caller, Method::Info, |r| r.header(header), net.now).unwrap();
        net.settle();
    };
    send(&mut net, "foo");
    assert_eq!(net.ladder, ["a INFO b", "b 469 a"]);
    let refused = net.sent.last().unwrap();
    assert_eq!(refused.first(HeaderId::RecvInfo).unwrap().value(), b"dtmf");
    send(&mut net, "dtmf");
    let id = net.event(1, |event| match event {
        Event::Request { id, .. } => Some(*id),
        _ => None,
    });
    net.agents[1].respond(id, StatusCode::Ok, |r| r, net.now).unwrap();
    net.settle();
    let status = net.event(0, |event| match event {
        Event::Response { response, .. } if response.status().is_success() => Some(response.status()),
        _ => None,
    });
    assert_eq!(status, StatusCode::Ok);
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn options_in_and_out_of_a_dialog() {
    let mut net = Net::new(2);
    let (caller, _) = net.call(0, 1);
    net.agents[0].request(caller, Method::Options, |r| r, net.now).unwrap();
    net.agents[0].request_outside(&Outbound::new(&uri(0), &uri(1)), Method::Options, |r| r, net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder, ["a OPTIONS b", "a OPTIONS b", "b 200 a", "b 200 a"]);
    assert!(net.sent.last().unwrap().first(HeaderId::Allow).is_some());
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn unknown_methods_extensions_and_dialogs() {
    let mut net = Net::new(2);
    let send = |net: &mut Net, method: Method, required: Option<&str>| {
        let outbound = Outbound::new(&uri(0), &uri(1));
        let fill = |r: ringback_message::RequestBuilder| match required {
            Some(tag) => r.header(ringback_message::header::Require::new([tag])),
            None => r,
        };
        net.agents[0].request_outside(&outbound, method, fill, net.now).unwrap();
        net.settle();
        net.sent.last().unwrap().status().unwrap().as_u16()
    };
    assert_eq!(send(&mut net, Method::from_token(b"PING").unwrap(), None), 405);
    assert_eq!(send(&mut net, Method::Message, Some("foo")), 420);
    assert_eq!(net.sent.last().unwrap().first(HeaderId::Unsupported).unwrap().value(), b"foo");
    net.assert_idle();
}

#[test]
fn both_uuids_stand_in_every_message_of_a_call() {
    let mut net = Net::new(2);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    let caller = net.answered(0);
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.settle();
    let ids: Vec<_> = net.sent.iter().filter_map(|message| message.get::<SessionId<&[u8]>>().unwrap()).collect();
    let [invite, ok, ack, bye] = &ids[..] else { panic!("{ids:?}") };
    assert!(invite.is_remote_nil() && !invite.is_local_nil());
    assert_eq!((ok.remote(), Some(ok.local)), (Some(invite.local), ack.remote()));
    assert_eq!((bye.local, bye.remote()), (invite.local, Some(ok.local)));
    net.assert_idle();
}

#[test]
fn an_invite_is_good_for_as_long_as_it_says() {
    let mut net = Net::new(2);
    let outbound = Outbound::new(&uri(0), &uri(1)).with(Expires(5));
    net.agents[0].invite(&outbound, sound(0), net.now).unwrap();
    net.run(Micros::from_secs(6));
    assert_eq!(net.ended(1), EndReason::Cancelled);
    assert_eq!(net.ladder[2..], ["b 487 a", "a ACK b"]);
    net.assert_idle();
}

#[test]
fn it_rings_again_each_minute() {
    let mut net = Net::new(2);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::Ringing, Media::None, net.now).unwrap();
    net.run(Micros::from_secs(150));
    assert_eq!(net.ladder.iter().filter(|line| *line == "b 180 a").count(), 3);
    net.agents[1].hang_up(callee, net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder[5..], ["b 603 a", "a ACK b"]);
    net.assert_idle();
}

/// `[RFC 6337, Section 3.1.1]`
#[test]
fn what_a_reliable_response_has_answered_no_later_one_answers_again() {
    let mut net = Net::with(2, |_, config| config.reliable_provisionals = true);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    // All three are said at once: only the first is on its way until its PRACK is here.
    net.agents[1].ring(callee, StatusCode::SessionProgress, sound(1), net.now).unwrap();
    net.agents[1].ring(callee, StatusCode::Ringing, Media::None, net.now).unwrap();
    net.agents[1].answer(callee, Media::None, net.now).unwrap();
    net.settle();
    let of_bodies = |code: u16| {
        let is_it = |message: &&ringback_message::Message| message.status().is_some_and(|s| s.as_u16() == code);
        let invites = net.sent.iter().filter(is_it).filter(|m| m.first(HeaderId::CSeq).unwrap().value() == b"1 INVITE");
        invites.map(|message| !message.body().is_empty()).collect::<Vec<_>>()
    };
    assert_eq!([183, 180, 200].map(of_bodies), [[true], [false], [false]]);
    let caller = net.answered(0);
    assert_eq!(net.agents[1].media(callee).unwrap().streams().len(), 1);
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.assert_idle();
}

/// `[RFC 4028, Section 7.3]`
#[test]
fn an_invite_whose_session_interval_is_too_small_goes_again_with_a_longer_one() {
    let mut net = Net::with(2, |agent, config| {
        config.session_timers.interval_secs = Some(if agent == 0 { 90 } else { 4_000 });
        config.session_timers.min_secs = if agent == 0 { 90 } else { 4_000 };
    });
    net.invite(0, 1, sound(0));
    net.settle();
    assert_eq!(net.ladder, ["a INVITE b", "b 422 a", "a ACK b", "a INVITE b", "b 100 a"]);
    let again = &net.sent[3];
    assert_eq!(again.first(HeaderId::CSeq).unwrap().value(), b"2 INVITE");
    assert_eq!(again.first(HeaderId::CallId).unwrap().value(), net.sent[0].first(HeaderId::CallId).unwrap().value());
    assert_eq!(again.first(HeaderId::SessionExpires).unwrap().value(), b"4000");
    assert_eq!(again.first(HeaderId::MinSe).unwrap().value(), b"4000");
    let callee = net.incoming(1);
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    let caller = net.answered(0);
    net.sent.clear();
    // Who has heard of a Min-SE in the dialog goes on to say it, and the 422 came before there was one. [RFC 4028, Section 7.4]
    net.agents[0].update(caller, Media::None, net.now).unwrap();
    net.settle();
    net.agents[1].update(callee, Media::None, net.now).unwrap();
    net.settle();
    let is_update = |message: &&ringback_message::Message| message.method() == Some(Method::Update);
    let said = net.sent.iter().filter(is_update).map(|update| {
        let text = |id| update.first(id).map(|line| String::from_utf8_lossy(line.value()).into_owned());
        (text(HeaderId::SessionExpires).unwrap(), text(HeaderId::MinSe))
    });
    let said: Vec<_> = said.collect();
    assert_eq!(said, [("4000;refresher=uac".into(), None), ("4000;refresher=uas".into(), Some("4000".into()))]);
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.assert_idle();
}

/// `[RFC 3261, Section 20]`
#[test]
fn a_180_says_what_is_allowed_and_the_200_what_is_supported() {
    let mut net = Net::new(2);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::Ringing, Media::None, net.now).unwrap();
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    let said = |code: u16| {
        let of = |m: &&ringback_message::Message| m.status().is_some_and(|status| status.as_u16() == code);
        let response = net.sent.iter().find(of).unwrap();
        [HeaderId::Allow, HeaderId::Supported].map(|id| response.first(id).is_some())
    };
    assert_eq!([180, 200].map(said), [[true, false], [true, true]]);
    let caller = net.answered(0);
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.assert_idle();
}
