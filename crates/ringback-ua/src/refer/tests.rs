#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
extern crate std;

use super::*;
use crate::dialog::Dialog;
use crate::notifier::SubscribeAnswer;
use crate::origin::Origin;
use crate::probe::{at, parse_request, respond};
use crate::subscriber::{NotifyVerdict, SubscriberDue, SubscriberState, SubscriptionEndReason};
use ringback_base::{Micros, Now};
use ringback_message::body::MultipartBuilder;
use ringback_message::{HeaderId, Method, Request, RequestBuilder, StatusCode};
use std::format;
use std::string::String;
use std::vec::Vec;

/// A request of agent A, or of agent B, as it goes out.
fn send(agent: &str, request: RequestBuilder) -> Request {
    let contact = format!("sip:{agent}@atlanta.example.com");
    let host = format!("agent{agent}.atlanta.example.com");
    request.via(&host, "UDP", Some("z9hG4bK2293940223")).contact(&contact, None).build().unwrap()
}

fn config(refer_to: &str) -> ReferConfig {
    let uris = ("sip:a@atlanta.example.com", "sip:b@atlanta.example.com");
    let origin = Origin::new(uris.0, uris.1, "898234234@agenta.atlanta.example.com", "193402342");
    ReferConfig::new(origin, refer_to)
}

/// F1: a REFER outside of a dialog.
fn referred(change: impl FnOnce(&mut ReferConfig)) -> (Referrer, Request) {
    let mut config = config("<sip:carol@chicago.example.com>");
    change(&mut config);
    let mut referrer = Referrer::new(config);
    let refer = referrer.refer();
    let refer = send("a", refer);
    referrer.sent(&refer, at(0));
    (referrer, refer)
}

fn accept(refer: &Request, is_first: bool, config: RefereeConfig) -> Referee {
    let referral = Referral::of(refer).unwrap();
    Referee::accept(
        refer,
        &referral,
        "4992881234",
        "sip:vPT3izGmo8NTxaPADRZvEAY22BKx@example.com;gr",
        is_first,
        config,
        at(0),
    )
    .unwrap()
}

/// The NOTIFY that the referee sends now, in its own dialog.
fn notify(referee: &mut Referee, now: Now) -> Option<Request> {
    let notification = referee.next(now)?;
    Some(send("b", referee.request(notification, None).unwrap()))
}

fn has(message: &Request, lines: &[&str]) {
    let text = String::from_utf8(message.as_bytes().to_vec()).unwrap();
    for line in lines {
        assert!(text.lines().any(|other| other == *line), "{line} in {text}");
    }
}

fn told(referrer: &mut Referrer, notify: &Request, now: Now) -> (Option<u16>, Option<SubscriptionEndReason>) {
    match referrer.handle_notify(notify, now) {
        (NotifyVerdict::Accepted(_), Some(progress)) => (progress.status.map(StatusCode::as_u16), progress.end),
        other => unreachable!("{other:?}"),
    }
}

/// F1 to F6. `[RFC 3515, Section 4.1]`
#[test]
fn the_prototypical_call_flow() {
    let (mut referrer, f1) = referred(|_| {});
    has(
        &f1,
        &[
            "REFER sip:b@atlanta.example.com SIP/2.0",
            "To: <sip:b@atlanta.example.com>",
            "From: <sip:a@atlanta.example.com>;tag=193402342",
            "Call-ID: 898234234@agenta.atlanta.example.com",
            "Refer-To: <sip:carol@chicago.example.com>",
            "Contact: <sip:a@atlanta.example.com>",
        ],
    );
    let mut referee = accept(&f1, true, RefereeConfig::default());
    let f2 = referee.response(&f1).to_tag("4992881234").contact("sip:b@atlanta.example.com", None).build().unwrap();
    assert_eq!(f2.status(), StatusCode::Ok, "never a 202 [RFC 7647, Section 5]");
    let f3 = notify(&mut referee, at(0)).unwrap();
    has(
        &f3,
        &[
            "NOTIFY sip:a@atlanta.example.com SIP/2.0",
            "To: <sip:a@atlanta.example.com>;tag=193402342",
            "From: <sip:b@atlanta.example.com>;tag=4992881234",
            "Call-ID: 898234234@agenta.atlanta.example.com",
            "Event: refer",
            "Subscription-State: active;expires=300",
            "Contact: <sip:b@atlanta.example.com>",
            "Content-Type: message/sipfrag;version=2.0",
            "Content-Length: 20",
            "SIP/2.0 100 Trying",
        ],
    );
    // Before the answer to the REFER.
    assert_eq!(told(&mut referrer, &f3, at(0)), (Some(100), None));
    assert_eq!(referrer.handle_outcome(Some(&f2)), ReferOutcome::Followed);
    referee.handle_outcome(Some(&respond(&f3, "200 OK")));
    referee.progress(StatusCode::Ok, None, at(3));
    let f5 = notify(&mut referee, at(3)).unwrap();
    has(
        &f5,
        &[
            "Event: refer",
            "Subscription-State: terminated;reason=noresource",
            "Content-Type: message/sipfrag;version=2.0",
            "Content-Length: 16",
            "SIP/2.0 200 OK",
        ],
    );
    assert_eq!(f5.cseq(), f3.cseq() + 1);
    assert_eq!(told(&mut referrer, &f5, at(3)), (Some(200), Some(SubscriptionEndReason::NoResource)));
    referee.handle_outcome(Some(&respond(&f5, "200 OK")));
    assert!(referee.is_over() && referee.poll_timeout().is_none());
    assert_eq!(referrer.outcome(), Some(StatusCode::Ok));
    assert!(referrer.handle_timeout(at(32)).is_none() && referrer.is_over());
}

/// F7 to F12: a second REFER in the dialog of the first. `[RFC 3515, Section 4.2]`
#[test]
fn multiple_refers_in_a_dialog() {
    let (_, f1) = referred(|_| {});
    let mut referee = accept(&f1, true, RefereeConfig::default());
    let f2 = respond(&f1, "200 OK\r\nContact: <sip:b@atlanta.example.com>");
    let mut dialog_a = Dialog::of_client(&f1, &f2).unwrap();
    let mut dialog_b = Dialog::of_server(&f1, "abcd1234").unwrap();
    let mut second = Referrer::new(config("<sip:dave@denver.example.org>"));
    let f7 = send("a", second.refer_in(&mut dialog_a));
    second.sent(&f7, at(1));
    assert_eq!((f7.cseq(), f7.to_tag()), (f1.cseq() + 1, Some(&b"abcd1234"[..])));
    let mut other = accept(&f7, false, RefereeConfig::default());
    assert!(other.dialog().is_none(), "its NOTIFYs go in the dialog that there is");
    for (status, substate, end) in [
        (StatusCode::Trying, "Subscription-State: active;expires=300", None),
        (StatusCode::Ok, "Subscription-State: terminated;reason=noresource", Some(SubscriptionEndReason::NoResource)),
    ] {
        other.progress(status, None, at(9));
        let notification = other.next(at(if end.is_some() { 9 } else { 0 })).unwrap();
        let notify = send("b", other.request(notification, Some(&mut dialog_b)).unwrap());
        has(&notify, &[&format!("Event: refer;id={}", f7.cseq()), substate]);
        assert_eq!(told(&mut second, &notify, at(9)), (Some(status.as_u16()), end));
        other.handle_outcome(Some(&respond(&notify, "200 OK")));
    }
    // That of the first has none, and is none of the second.
    let first = notify(&mut referee, at(0)).unwrap();
    assert_eq!(first.first(HeaderId::Event).unwrap().value(), b"refer");
    assert!(other.is_over());
}

#[test]
fn only_the_last_of_what_happens_in_a_second_is_told() {
    let (_, refer) = referred(|_| {});
    let mut referee = accept(&refer, true, RefereeConfig::default());
    let first = notify(&mut referee, at(0)).unwrap();
    referee.handle_outcome(Some(&respond(&first, "200 OK")));
    referee.progress(StatusCode::Ringing, None, at(0));
    referee.progress(StatusCode::BusyHere, Some("Away\r\nX: y"), at(0));
    assert!(notify(&mut referee, at(0)).is_none());
    assert_eq!(referee.poll_timeout(), Some(Micros::from_secs(1)));
    referee.handle_timeout(at(1));
    let last = notify(&mut referee, at(1)).unwrap();
    assert_eq!(last.body(), b"SIP/2.0 486 AwayX: y\r\n");
    referee.progress(StatusCode::Ok, None, at(2));
    assert_eq!(referee.status(), StatusCode::BusyHere, "the outcome is final");
}

#[test]
fn what_takes_too_long_ends_by_timeout() {
    let (mut referrer, refer) = referred(|_| {});
    let mut referee = accept(&refer, true, RefereeConfig { expires_secs: 60, ..RefereeConfig::default() });
    let first = notify(&mut referee, at(0)).unwrap();
    referee.handle_outcome(Some(&respond(&first, "200 OK")));
    told(&mut referrer, &first, at(0));
    assert_eq!(referee.poll_timeout(), Some(Micros::from_secs(60)));
    referee.handle_timeout(at(60));
    let last = notify(&mut referee, at(60)).unwrap();
    assert_eq!(told(&mut referrer, &last, at(60)), (Some(100), Some(SubscriptionEndReason::Timeout)));
    assert_eq!(referrer.outcome(), None);
}

#[test]
fn a_user_who_declines_after_all() {
    let (mut referrer, refer) = referred(|_| {});
    let mut referee = accept(&refer, true, RefereeConfig::default());
    referee.deny(at(0));
    let only = notify(&mut referee, at(0)).unwrap();
    has(&only, &["Subscription-State: terminated;reason=rejected", "SIP/2.0 603 Decline"]);
    assert_eq!(told(&mut referrer, &only, at(0)), (Some(603), Some(SubscriptionEndReason::Rejected)));
    referee.handle_outcome(Some(&respond(&only, "200 OK")));
    assert!(referee.is_over());
}

/// The end of the subscription is not the end of what was asked for. `[RFC 3515, Section 2.4.4]`
#[test]
fn a_notify_that_is_refused_ends_the_subscription_only() {
    let (_, refer) = referred(|_| {});
    let mut referee = accept(&refer, true, RefereeConfig::default());
    let first = notify(&mut referee, at(0)).unwrap();
    referee.handle_outcome(Some(&respond(&first, "481 No")));
    referee.progress(StatusCode::Ringing, None, at(5));
    assert!(notify(&mut referee, at(5)).is_none() && referee.is_over());
    assert_eq!(referee.status(), StatusCode::Ringing);
}

#[test]
fn the_referrer_extends_and_ends_its_subscription() {
    let (mut referrer, refer) = referred(|_| {});
    let mut referee = accept(&refer, true, RefereeConfig::default());
    let first = notify(&mut referee, at(0)).unwrap();
    referee.handle_outcome(Some(&respond(&first, "200 OK")));
    told(&mut referrer, &first, at(0));
    assert!(referrer.handle_timeout(at(32)).is_none());
    assert_eq!(referrer.poll_timeout(), Some(Micros::from_secs(300 - 64)));
    let Some(SubscriberDue::Refresh { fork, request }) = referrer.handle_timeout(at(236)) else { unreachable!() };
    let refresh = send("a", request);
    let answer = referee.handle_subscribe(&refresh, at(236)).unwrap().unwrap();
    assert_eq!(answer, SubscribeAnswer { status: StatusCode::Ok, expires_secs: 300 });
    let second = notify(&mut referee, at(236)).unwrap();
    referee.handle_outcome(Some(&respond(&second, "200 OK")));
    referrer.handle_subscribe_outcome(fork, Some(&respond(&refresh, "200 OK\r\nExpires: 300")), at(236));
    told(&mut referrer, &second, at(236));
    assert_eq!(referrer.subscriptions().state(), SubscriberState::Active);
    let end = send("a", referrer.unsubscribe(fork, at(240)).unwrap());
    assert_eq!(referee.handle_subscribe(&end, at(240)).unwrap().unwrap().expires_secs, 0);
    let last = notify(&mut referee, at(240)).unwrap();
    assert_eq!(told(&mut referrer, &last, at(240)).1, Some(SubscriptionEndReason::Unsubscribed));
    assert!(referrer.is_over() || referrer.handle_outcome(None) == ReferOutcome::NoAnswer);
    let again =
        parse_request(&String::from_utf8(end.as_bytes().to_vec()).unwrap().replace("Event: refer", "Event: dialog"));
    assert!(referee.handle_subscribe(&again, at(241)).is_none());
}

mod without_subscription {
    //! [RFC 4488] [RFC 7614]
    use super::*;

    fn answer(referrer: &mut Referrer, refer: &Request, grants_none: bool) -> (Referee, ReferOutcome) {
        let referee = accept(refer, true, RefereeConfig { grants_none, ..RefereeConfig::default() });
        let response = referee.response(refer).to_tag("4992881234").contact("sip:b@atlanta.example.com", None);
        let outcome = referrer.handle_outcome(Some(&response.build().unwrap()));
        (referee, outcome)
    }

    /// The example of `[RFC 4488, Section 6]`, and a referee that doesn't grant it.
    #[test]
    fn refer_sub_false_is_granted_or_not() {
        for grants_none in [true, false] {
            let (mut referrer, refer) = referred(|config| config.subscription = ReferSubscription::Unwanted);
            has(&refer, &["Refer-Sub: false"]);
            let (mut referee, outcome) = answer(&mut referrer, &refer, grants_none);
            assert_eq!(notify(&mut referee, at(0)).is_none(), grants_none);
            let expected = if grants_none { ReferOutcome::FollowedInSilence } else { ReferOutcome::Followed };
            assert_eq!((outcome, referrer.is_over()), (expected, grants_none));
            referee.progress(StatusCode::Ok, None, at(1));
            assert_eq!(referee.is_over(), grants_none);
        }
    }

    #[test]
    fn nosub_makes_none() {
        let (mut referrer, refer) = referred(|config| config.subscription = ReferSubscription::None);
        has(&refer, &["Require: nosub"]);
        let (mut referee, outcome) = answer(&mut referrer, &refer, false);
        assert_eq!(outcome, ReferOutcome::FollowedInSilence);
        assert!(notify(&mut referee, at(0)).is_none() && referrer.is_over());
    }

    #[test]
    fn explicitsub_names_a_place_and_the_outcome_is_kept_there() {
        let (mut referrer, refer) = referred(|config| config.subscription = ReferSubscription::Explicit);
        has(&refer, &["Require: explicitsub"]);
        let (mut referee, outcome) = answer(&mut referrer, &refer, false);
        assert_eq!(outcome, ReferOutcome::FollowedAt("sip:vPT3izGmo8NTxaPADRZvEAY22BKx@example.com;gr".into()));
        assert!(notify(&mut referee, at(0)).is_none());
        referee.progress(StatusCode::BusyHere, None, at(10));
        assert_eq!(referee.state().body, "SIP/2.0 486 Busy Here\r\n");
        assert_eq!(referee.poll_timeout(), Some(Micros::from_secs(10 + 64)));
        assert!(!referee.is_over());
        referee.handle_timeout(at(74));
        assert!(referee.is_over());
    }

    #[test]
    fn an_answer_that_refuses_is_the_end() {
        for (code, expected) in
            [("420 Bad Extension", 420), ("603 Decline", 603), ("429 Provide Referrer Identity", 429)]
        {
            let (mut referrer, refer) = referred(|_| {});
            let outcome = referrer.handle_outcome(Some(&respond(&refer, code)));
            assert_eq!(outcome, ReferOutcome::Refused(StatusCode::new(expected).unwrap()));
            assert!(referrer.is_over() && referrer.poll_timeout().is_none());
        }
        let (mut referrer, refer) = referred(|_| {});
        let accepted = respond(&refer, "202 Accepted\r\nContact: <sip:b@atlanta.example.com>");
        assert_eq!(referrer.handle_outcome(Some(&accepted)), ReferOutcome::Followed, "as a 200");
        assert!(matches!(referrer.handle_timeout(at(32)), Some(SubscriberDue::Ended { .. })), "Timer N");
        assert!(referrer.is_over());
    }
}

mod what_is_asked_for {
    use super::*;

    fn refer(lines: &str) -> Request {
        parse_request(&format!(
            "REFER sip:b@atlanta.example.com SIP/2.0\r\nVia: SIP/2.0/UDP agenta.atlanta.example.com;branch=z9hG4bK2293940223\r\n\
             To: <sip:b@atlanta.example.com>\r\nFrom: <sip:a@atlanta.example.com>;tag=193402342\r\n\
             Call-ID: 898234234@agenta.atlanta.example.com\r\nCSeq: 93809823 REFER\r\nMax-Forwards: 70\r\n\
             Contact: sip:a@atlanta.example.com\r\n{lines}\r\n"
        ))
    }

    fn refused(lines: &str) -> u16 {
        Referral::of(&refer(lines)).unwrap_err().status.as_u16()
    }

    /// The triggered request with the offer alone.
    fn triggered(referral: &Referral) -> Request {
        let request = RequestBuilder::new(referral.method.clone(), &referral.uri)
            .from("", "sip:b@atlanta.example.com", Some("1"))
            .to("", &referral.uri, None)
            .call_id("9")
            .cseq(1, referral.method.clone());
        send("b", referral.onto(request))
    }

    /// The examples of `[RFC 3515, Section 2.1]`.
    #[test]
    fn uris_of_the_rfc() {
        let referral = Referral::of(&refer("Refer-To: sip:alice@atlanta.example.com\r\n")).unwrap();
        assert_eq!((referral.method, &*referral.uri), (Method::Invite, "sip:alice@atlanta.example.com"));
        // Call-ID is one of those that nobody else may write.
        let referral = Referral::of(&refer(
            "Refer-To: <sip:bob@biloxi.example.net?Accept-Contact=%2a%3Baudio&Call-ID=55432%40alicepc.atlanta.example.com>\r\n",
        ))
        .unwrap();
        let invite = triggered(&referral);
        assert_eq!(invite.request_uri_text(), b"sip:bob@biloxi.example.net");
        assert_eq!(invite.call_id(), b"9");
        assert_eq!(invite.first(HeaderId::AcceptContact).unwrap().value(), b"*;audio");
        let referral = Referral::of(&refer(
            "r: <sip:dave@denver.example.org?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994>\r\n",
        ))
        .unwrap();
        let replaces = referral.replaces.clone().unwrap();
        assert_eq!(&*replaces.call_id, b"12345@192.168.118.3");
        assert_eq!((replaces.to_tag(), replaces.from_tag()), (Some(&b"12345"[..]), Some(&b"5FFE-3994"[..])));
        has(&triggered(&referral), &["Replaces: 12345@192.168.118.3;to-tag=12345;from-tag=5FFE-3994"]);
        let referral =
            Referral::of(&refer("Refer-To: <sip:carol@cleveland.example.org;method=SUBSCRIBE;lr>\r\n")).unwrap();
        assert_eq!((referral.method, &*referral.uri), (Method::Subscribe, "sip:carol@cleveland.example.org;lr"));
        assert_eq!(refused("Refer-To: http://www.ietf.org\r\n"), 416);
    }

    #[test]
    fn what_is_refused() {
        for lines in [
            "",
            "Refer-To: <sip:a@b.example>\r\nRefer-To: <sip:c@d.example>\r\n",
            "Refer-To: <sip:a@b.example\r\n",
            "Refer-To: <sip:a@b.example;method=a/b>\r\n",
            "Refer-To: <sip:a@b.example?Replaces=1%3Bto-tag%3D1>\r\n",
            "Refer-To: <sip:a@b.example?Subject=a%0d%0aVia:x>\r\n",
            "Refer-To: <sip:a@b.example?Subject=a&Subject=b>\r\n",
            "Refer-To: <sip:a@b.example;method=BYE?Replaces=1%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n",
            "Refer-To: <sip:a@b.example>\r\nReferred-By: <sip:a\r\n",
            "Refer-To: <sip:a@b.example>\r\nRefer-Sub: maybe\r\n",
            "Refer-To: <sip:a@b.example>\r\nRequire: nosub, explicitsub\r\n",
            "Refer-To: <sip:a@b.example>\r\nTarget-Dialog: ;x\r\n",
        ] {
            assert_eq!(refused(lines), 400, "{lines}");
        }
        let many: Vec<String> = (0..=REFERRAL_FIELDS_MAX).map(|n| format!("X{n}=1")).collect();
        assert_eq!(refused(&format!("Refer-To: <sip:a@b.example?{}>\r\n", many.join("&"))), 400);
        assert!(Referral::of(&refer(&format!("Refer-To: <sip:a@b.example?{}>\r\n", many[1..].join("&")))).is_ok());
    }

    /// `[RFC 3261, Section 19.1.5]`
    #[test]
    fn what_strangers_may_not_write_is_left_out() {
        let uri = "sip:a@b.example?From=%3Csip:x%40y%3E&Via=x&Route=%3Csip:evil.example%3E&Contact=x&Record-Route=x&CSeq=1%20BYE\
                   &body=x&Require=replaces%2C100rel&Subject=hi&Organization=us&User-Agent=me";
        let referral = Referral::of(&refer(&format!("Refer-To: <{uri}>\r\n"))).unwrap();
        let invite = triggered(&referral);
        has(&invite, &["Require: replaces", "Subject: hi"]);
        for id in [HeaderId::Route, HeaderId::RecordRoute, HeaderId::Organization, HeaderId::UserAgent] {
            assert!(invite.first(id).is_none());
        }
        assert_eq!((invite.all(HeaderId::Via).count(), invite.body()), (1, &b""[..]));
    }

    /// `[RFC 3892, Section 2.2]`: header field and token are copied.
    #[test]
    fn referred_by_and_its_token_are_passed_on() {
        let token = "Content-Type: application/x-token\r\nContent-ID: <2UWQFN309shb3@ref.example>\r\n\r\nproof";
        let body = format!("--x\r\n{token}\r\n--x--\r\n");
        let referral = Referral::of(&refer(&format!(
            "Refer-To: <sip:a@b.example>\r\nReferred-By: <sip:r@ref.example>;cid=\"2UWQFN309shb3@ref.example\"\r\n\
             Content-Type: multipart/mixed;boundary=x\r\n\r\n{body}"
        )))
        .unwrap();
        has(&triggered(&referral), &["Referred-By: <sip:r@ref.example>;cid=\"2UWQFN309shb3@ref.example\""]);
        let multipart = MultipartBuilder::mixed().part(referral.token().unwrap()).build().unwrap();
        let bytes = String::from_utf8(multipart.bytes.to_vec()).unwrap();
        for line in ["Content-ID: <2UWQFN309shb3@ref.example>", "Content-Type: application/x-token", "proof"] {
            assert!(bytes.lines().any(|other| other == line), "{line} in {bytes}");
        }
    }

    /// What the referrer writes for an attended transfer is what the referee reads. `[RFC 3891, Section 3]`
    #[test]
    fn a_dialog_to_be_replaced_comes_through() {
        let (_, request) = referred(|_| {});
        let response = respond(&request, "200 OK\r\nContact: <sip:b@192.0.2.1;transport=tcp>");
        let dialog = Dialog::of_client(&request, &response).unwrap();
        let value = refer_to_replacing(&dialog).unwrap();
        let referral = Referral::of(&refer(&format!("Refer-To: {value}\r\n"))).unwrap();
        assert_eq!(&*referral.uri, "sip:b@192.0.2.1;transport=tcp");
        let invite = triggered(&referral);
        has(
            &invite,
            &["Require: replaces", "Replaces: 898234234@agenta.atlanta.example.com;to-tag=abcd1234;from-tag=193402342"],
        );
    }
}
