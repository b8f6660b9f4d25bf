#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
extern crate std;

use super::*;
use crate::probe::{Side, at, parse_request, respond};
use ringback_message::header::SubscriptionState;
use std::format;
use std::string::{String, ToString};

const PIDF: &str = "application/pidf+xml";

fn notifier() -> Notifier {
    let refer = Package::new("refer", "message/sipfrag");
    Notifier::new(NotifierConfig::new([Package::new("presence", PIDF), refer].into()), KeyedHash::with_key(1, 2))
}

fn pidf(body: &'static str) -> EventState {
    EventState::new(PIDF, body.as_bytes())
}

/// M1 of RFC 3903, with other header fields.
fn subscribe(header_fields: &str) -> Request {
    parse_request(&subscribe_text(1, "", header_fields))
}

fn subscribe_text(cseq: u32, to_tag: &str, header_fields: &str) -> String {
    format!(
        "SUBSCRIBE sip:presentity@example.com SIP/2.0\r\nVia: SIP/2.0/UDP host.example.com;branch=z9hG4bKnashds{cseq}\r\n\
         To: <sip:presentity@example.com>{to_tag}\r\nFrom: <sip:watcher@example.com>;tag=12341234\r\n\
         Call-ID: 12345678@host.example.com\r\nCSeq: {cseq} SUBSCRIBE\r\nMax-Forwards: 70\r\n{header_fields}\
         Contact: sip:user@host.example.com\r\nContent-Length: 0\r\n\r\n"
    )
}

/// A SUBSCRIBE in the dialog.
fn again(cseq: u32, header_fields: &str) -> Request {
    parse_request(&subscribe_text(cseq, ";tag=abcd1234", header_fields))
}

fn refused(notifier: &mut Notifier, request: &Request) -> Refusal {
    match notifier.handle_subscribe(request, at(0)) {
        SubscribeVerdict::Refused(refusal) => refusal,
        other => unreachable!("{other:?}"),
    }
}

type Granted = (SubscriptionId, SubscribeAnswer, Option<Request>);

fn grant(notifier: &mut Notifier, request: &Request, admission: Admission) -> Granted {
    let SubscribeVerdict::New(new) = notifier.handle_subscribe(request, at(0)) else { unreachable!() };
    let (id, answer, notify) = notifier.accept(request, new, "abcd1234", admission, at(0)).unwrap();
    (id, answer, notify.map(|notify| Side::AGENT.send(notify)))
}

fn renewed(notifier: &mut Notifier, request: &Request, now: Now) -> (u16, u32, Option<Request>, bool) {
    match notifier.handle_subscribe(request, now) {
        SubscribeVerdict::Renewed { answer, notify, is_over, .. } => {
            let response = answer.response(request).contact("sip:pa.example.com", None).build().unwrap();
            assert_eq!(response.number(HeaderId::Expires), Ok(Some(answer.expires_secs)));
            let notify = notify.map(|notify| Side::AGENT.send(notify));
            (answer.status.as_u16(), answer.expires_secs, notify, is_over)
        }
        other => unreachable!("{other:?}"),
    }
}

fn answer(
    notifier: &mut Notifier,
    id: SubscriptionId,
    notify: &Request,
    code: &str,
    now: Now,
) -> (bool, Option<Request>) {
    let outcome = notifier.handle_outcome(id, Some(&respond(notify, code)), now);
    (outcome.is_over, outcome.notify.map(|notify| Side::AGENT.send(notify)))
}

/// Granted an hour ago less an hour: its first NOTIFY is answered.
fn active(notifier: &mut Notifier, header_fields: &str, state: EventState) -> SubscriptionId {
    let header_fields = format!("Event: presence\r\n{header_fields}");
    let (id, _, notify) = grant(notifier, &subscribe(&header_fields), Admission::Granted(state));
    assert!(!answer(notifier, id, &notify.unwrap(), "200 OK", at(0)).0);
    id
}

fn substate(notify: &Request) -> String {
    String::from_utf8(notify.first(HeaderId::SubscriptionState).unwrap().value().to_vec()).unwrap()
}

fn etag(notify: &Request) -> Option<&[u8]> {
    notify.first(HeaderId::SipEtag).map(|etag| etag.value())
}

mod figure {
    //! Each transition of the figure. [RFC 6665, Section 4.2.2]
    use super::*;

    fn undecided(notifier: &mut Notifier) -> (SubscriptionId, Request) {
        let admission = Admission::Undecided { state: pidf("open"), neutral: EventState::default() };
        let (id, answer, notify) = grant(notifier, &subscribe("Event: presence\r\nExpires: 600\r\n"), admission);
        assert_eq!(answer, SubscribeAnswer { status: StatusCode::Ok, expires_secs: 600 }, "never a 202");
        (id, notify.unwrap())
    }

    #[test]
    fn resp_wait_to_active_where_policy_grants_permission() {
        let mut notifier = notifier();
        let (id, _, notify) = grant(&mut notifier, &subscribe("Event: presence\r\n"), Admission::Granted(pidf("open")));
        let notify = notify.unwrap();
        assert_eq!((substate(&notify).as_str(), notify.body()), ("active;expires=3600", &b"open"[..]));
        assert_eq!(notifier.subscription(id).unwrap().state(), NotifierState::Active);
    }

    #[test]
    fn resp_wait_to_pending_where_policy_is_needed() {
        let mut notifier = notifier();
        let (id, notify) = undecided(&mut notifier);
        assert_eq!((substate(&notify).as_str(), notify.body()), ("pending;expires=600", &b""[..]), "nothing is told");
        answer(&mut notifier, id, &notify, "200 OK", at(0));
        assert!(notifier.change(id, pidf("closed"), at(1)).is_none(), "nor later");
    }

    #[test]
    fn pending_to_active_where_policy_changes() {
        let mut notifier = notifier();
        let (id, notify) = undecided(&mut notifier);
        answer(&mut notifier, id, &notify, "200 OK", at(0));
        let notify = Side::AGENT.send(notifier.grant(id, at(100)).unwrap());
        assert_eq!((substate(&notify).as_str(), notify.body()), ("active;expires=500", &b"open"[..]));
    }

    #[test]
    fn resp_wait_to_terminated_where_it_expires_at_once() {
        let mut notifier = notifier();
        let request = subscribe("Event: presence\r\nExpires: 0\r\n");
        let (id, answer, notify) = grant(&mut notifier, &request, Admission::Granted(pidf("open")));
        let notify = notify.unwrap();
        assert_eq!(answer.expires_secs, 0);
        assert_eq!((substate(&notify).as_str(), notify.body()), ("terminated;reason=timeout", &b"open"[..]));
        assert!(super::answer(&mut notifier, id, &notify, "200 OK", at(0)).0 && notifier.is_empty());
        assert_eq!(notifier.poll_timeout(), None);
    }

    #[test]
    fn each_state_to_terminated_by_failure_of_notify() {
        let ending: std::vec::Vec<u16> =
            [404, 405, 408, 410, 416].into_iter().chain(480..=485).chain([489, 501, 604]).collect();
        for code in ending.iter().copied().chain([400, 403, 500, 503, 603]) {
            for is_granted in [true, false] {
                let mut notifier = notifier();
                let (id, notify) = undecided(&mut notifier);
                let notify = if is_granted {
                    answer(&mut notifier, id, &notify, "200 OK", at(0));
                    Side::AGENT.send(notifier.grant(id, at(1)).unwrap())
                } else {
                    notify
                };
                let (is_over, next) = answer(&mut notifier, id, &notify, &format!("{code} No"), at(1));
                assert_eq!((is_over, next), (ending.contains(&code), None), "{code}");
                assert_eq!((notifier.is_empty(), notifier.poll_timeout().is_none()), (is_over, is_over));
            }
        }
        let mut notifier = notifier();
        let (id, _) = undecided(&mut notifier);
        assert!(notifier.handle_outcome(id, None, at(32)).is_over && notifier.is_empty(), "Timer F");
    }

    #[test]
    fn pending_and_active_to_terminated_where_they_expire() {
        for is_granted in [true, false] {
            let mut notifier = notifier();
            let (id, notify) = undecided(&mut notifier);
            answer(&mut notifier, id, &notify, "200 OK", at(0));
            if is_granted {
                let notify = Side::AGENT.send(notifier.grant(id, at(1)).unwrap());
                answer(&mut notifier, id, &notify, "200 OK", at(1));
            }
            assert_eq!(notifier.poll_timeout(), Some(Micros::from_secs(600)));
            assert!(notifier.handle_timeout(at(599)).is_none());
            let (expired, notify) = notifier.handle_timeout(at(600)).unwrap();
            let notify = Side::AGENT.send(notify.unwrap());
            assert_eq!((expired, substate(&notify).as_str()), (id, "terminated;reason=timeout"));
            assert_eq!(notify.body().is_empty(), !is_granted);
            assert!(answer(&mut notifier, id, &notify, "200 OK", at(600)).0 && notifier.is_empty());
        }
    }

    #[test]
    fn pending_and_active_to_terminated_by_policy() {
        let mut notifier = notifier();
        let (id, notify) = undecided(&mut notifier);
        answer(&mut notifier, id, &notify, "200 OK", at(0));
        let notify = notifier.terminate(id, TerminationReason::Rejected, None, true, at(1)).unwrap();
        let notify = Side::AGENT.send(notify);
        assert_eq!((substate(&notify).as_str(), notify.body()), ("terminated;reason=rejected", &b""[..]));
        let id = {
            let mut other = super::notifier();
            core::mem::swap(&mut notifier, &mut other);
            active(&mut notifier, "", pidf("open"))
        };
        let notify = notifier.terminate(id, TerminationReason::Probation, Some(90), false, at(1)).unwrap();
        assert_eq!(substate(&Side::AGENT.send(notify)), "terminated;reason=probation;retry-after=90");
        assert!(notifier.grant(id, at(2)).is_none() && notifier.change(id, pidf("x"), at(2)).is_none());
    }
}

mod section_4_2 {
    //! [RFC 6665, Section 4.2]
    use super::*;

    #[test]
    fn refusals() {
        let mut notifier = notifier();
        active(&mut notifier, "", pidf("open"));
        let mut refused = |request: Request| super::refused(&mut notifier, &request).status.as_u16();
        assert_eq!(refused(subscribe("")), 489, "no Event");
        assert_eq!(refused(subscribe("Event: ;\r\n")), 400);
        assert_eq!(refused(subscribe("Event: dialog\r\n")), 489);
        assert_eq!(refused(subscribe("Event: presence.winfo\r\n")), 489, "a template is a package of its own");
        assert_eq!(refused(subscribe("Event: presence\r\nExpires: soon\r\n")), 400);
        assert_eq!(refused(subscribe("Event: presence\r\nExpires: 59\r\n")), 423);
        assert_eq!(refused(subscribe("Event: presence\r\nAccept: text/plain, application/xml\r\n")), 406);
        assert_eq!(refused(subscribe("Event: presence\r\nAccept: /\r\n")), 400);
        assert_eq!(refused(subscribe("Event: presence\r\nSuppress-If-Match: a b\r\n")), 400);
        assert_eq!(refused(parse_request(&subscribe_text(2, ";tag=other", "Event: presence\r\n"))), 481);
        assert_eq!(refused(again(2, "Event: refer\r\n")), 403, "no dialog sharing");
        assert_eq!(refused(again(2, "Event: presence;id=1\r\n")), 403);
        assert_eq!(refused(again(2, "Event: presence\r\nExpires: 59\r\n")), 423);
        assert_eq!(refused(again(2, "Event: presence\r\n")), 500, "the CSeq of the one before");
        assert_eq!(refused(again(1, "Event: presence\r\n")), 500);
        assert_eq!(notifier.len(), 1);
    }

    #[test]
    fn the_refusals_say_what_would_do() {
        let mut notifier = notifier();
        let request = subscribe("Event: presence\r\nExpires: 5\r\n");
        let refusal = refused(&mut notifier, &request);
        let response = refusal.response(&request, &notifier.allow_events()).to_tag("t").build().unwrap();
        assert_eq!(response.number(HeaderId::MinExpires), Ok(Some(60)));
        let request = subscribe("Event: dialog\r\n");
        let refusal = refused(&mut notifier, &request);
        let response = refusal.response(&request, &notifier.allow_events()).to_tag("t").build().unwrap();
        assert_eq!(response.first(HeaderId::AllowEvents).unwrap().value(), b"presence, refer");
    }

    #[test]
    fn intervals_are_shortened_and_never_made_longer() {
        let package =
            Package { longest_expires_secs: 7_200, min_expires_secs: 4_000, ..Package::new("presence", PIDF) };
        for (asked, granted) in [
            (None, Ok(3_600)),
            (Some(0), Ok(0)),
            (Some(1), Err(4_000)),
            (Some(3_600), Ok(3_600)),
            (Some(9_000), Ok(7_200)),
        ] {
            assert_eq!(package.grant_secs(asked), granted, "{asked:?}");
        }
    }

    #[test]
    fn a_request_that_makes_no_dialog_is_refused() {
        let mut notifier = notifier();
        let text = subscribe_text(1, "", "Event: presence\r\n").replace("Contact: sip:user@host.example.com\r\n", "");
        let request = parse_request(&text);
        let SubscribeVerdict::New(new) = notifier.handle_subscribe(&request, at(0)) else { unreachable!() };
        let admission = Admission::Granted(EventState::default());
        let refusal = notifier.accept(&request, new, "t", admission, at(0)).unwrap_err();
        assert_eq!(refusal.status, StatusCode::BadRequest);
        assert!(notifier.is_empty() && notifier.poll_timeout().is_none());
    }

    #[test]
    fn one_more_than_there_may_be_gets_503() {
        let config = NotifierConfig { subscriptions: 1, ..notifier().config };
        let mut notifier = Notifier::new(config, KeyedHash::with_key(1, 2));
        let id = active(&mut notifier, "", pidf("open"));
        let refusal = refused(&mut notifier, &subscribe("Event: presence\r\n"));
        assert_eq!((refusal.status, refusal.retry_after_secs), (StatusCode::ServiceUnavailable, None));
        assert!(notifier.subscription(id).is_some(), "who is there stays");
        assert_eq!(renewed(&mut notifier, &again(2, "Event: presence\r\n"), at(1)).0, 200);
    }

    #[test]
    fn a_refresh_is_confirmed_by_a_notify_and_moves_the_end() {
        let mut notifier = notifier();
        let id = active(&mut notifier, "Expires: 600\r\n", pidf("open"));
        let text = subscribe_text(2, ";tag=abcd1234", "Event: presence\r\nExpires: 900\r\n");
        let request = parse_request(&text.replace("sip:user@host", "sip:user@elsewhere"));
        let (code, granted_secs, notify, is_over) = renewed(&mut notifier, &request, at(500));
        let notify = notify.unwrap();
        assert_eq!((code, granted_secs, is_over), (200, 900, false));
        assert_eq!(notify.request_uri_text(), b"sip:user@elsewhere.example.com", "the target is refreshed");
        assert_eq!((substate(&notify).as_str(), notify.body(), notify.cseq()), ("active;expires=900", &b"open"[..], 2));
        answer(&mut notifier, id, &notify, "200 OK", at(500));
        assert_eq!(notifier.poll_timeout(), Some(Micros::from_secs(1_400)));
    }

    #[test]
    fn unsubscribing_ends_with_a_notify() {
        let mut notifier = notifier();
        let id = active(&mut notifier, "", pidf("open"));
        let (code, granted_secs, notify, is_over) =
            renewed(&mut notifier, &again(2, "Event: presence\r\nExpires: 0\r\n"), at(9));
        assert_eq!((code, granted_secs, is_over), (200, 0, false));
        let notify = notify.unwrap();
        assert_eq!(substate(&notify), "terminated;reason=timeout");
        assert_eq!(refused(&mut notifier, &again(3, "Event: presence\r\n")).status.as_u16(), 481);
        assert!(answer(&mut notifier, id, &notify, "200 OK", at(9)).0 && notifier.is_empty());
    }

    #[test]
    fn no_notify_overtakes_another() {
        let mut notifier = notifier();
        let id = active(&mut notifier, "", pidf("open"));
        let first = Side::AGENT.send(notifier.change(id, pidf("busy"), at(1)).unwrap());
        assert!(notifier.change(id, pidf("closed"), at(1)).is_none());
        assert!(notifier.change(id, pidf("open"), at(1)).is_none());
        let (is_over, second) = answer(&mut notifier, id, &first, "200 OK", at(2));
        let second = second.unwrap();
        assert_eq!((is_over, first.body(), second.body()), (false, &b"busy"[..], &b"open"[..]));
        assert_eq!((first.cseq(), second.cseq()), (2, 3));
        assert!(notifier.change(id, pidf("open"), at(2)).is_none());
        // It ends while one is under way, and while none is.
        assert!(notifier.terminate(id, TerminationReason::NoResource, None, false, at(2)).is_none());
        let (is_over, last) = answer(&mut notifier, id, &second, "200 OK", at(3));
        assert_eq!((is_over, substate(&last.unwrap()).as_str()), (false, "terminated;reason=noresource"));
    }
}

mod conditional {
    //! [RFC 5839]
    use super::*;

    /// Figure 1: example message flow.
    #[test]
    fn what_is_known_is_not_told_again() {
        let mut notifier = notifier();
        let (id, answered, notify) = grant(
            &mut notifier,
            &subscribe("Event: presence\r\n"),
            Admission::Granted(pidf("open").with_etag("ffee2")),
        );
        let notify = notify.unwrap();
        assert_eq!((answered.status, etag(&notify)), (StatusCode::Ok, Some(&b"ffee2"[..])), "(2), (3)");
        answer(&mut notifier, id, &notify, "200 OK", at(0));
        let request = again(2, "Event: presence\r\nSuppress-If-Match: ffee2\r\nExpires: 3600\r\n");
        assert_eq!(renewed(&mut notifier, &request, at(3_000)), (204, 3_600, None, false), "(6)");
        assert_eq!(notifier.poll_timeout(), Some(Micros::from_secs(6_600)), "it MUST extend the subscription");
        assert!(notifier.change(id, EventState::new(PIDF, "same").with_etag("ffee2"), at(3_100)).is_none());
        let changed = EventState::new(PIDF, "busy").with_etag("ca89a");
        let notify = Side::AGENT.send(notifier.change(id, changed, at(3_200)).unwrap());
        assert_eq!((etag(&notify), notify.body()), (Some(&b"ca89a"[..]), &b"busy"[..]), "(7)");
        answer(&mut notifier, id, &notify, "200 OK", at(3_200));
        let request = again(3, "Event: presence\r\nSuppress-If-Match: ca89a\r\nExpires: 0\r\n");
        assert_eq!(renewed(&mut notifier, &request, at(3_300)), (204, 0, None, true), "(10)");
        assert!(notifier.is_empty() && notifier.poll_timeout().is_none());
    }

    /// Figure 3: polling, and figure 4: resuming. Outside of a dialog only the body is left out.
    #[test]
    fn a_first_notify_without_a_body() {
        for (expires, state) in [("0", "terminated;reason=timeout"), ("3600", "active;expires=3600")] {
            let mut notifier = notifier();
            let header_fields = format!("Event: presence\r\nExpires: {expires}\r\nSuppress-If-Match: f2e45\r\n");
            let admission = Admission::Granted(pidf("open").with_etag("f2e45"));
            let (_, answer, notify) = grant(&mut notifier, &subscribe(&header_fields), admission);
            let notify = notify.unwrap();
            assert_eq!(answer.status, StatusCode::Ok, "204 is only for a dialog that there is");
            assert_eq!((substate(&notify).as_str(), etag(&notify)), (state, Some(&b"f2e45"[..])));
            assert!(notify.body().is_empty() && notify.first(HeaderId::ContentType).is_none());
        }
    }

    #[test]
    fn a_condition_that_is_false_changes_nothing() {
        let mut notifier = notifier();
        let id = active(&mut notifier, "Suppress-If-Match: old\r\n", pidf("open").with_etag("1"));
        let request = again(2, "Event: presence\r\nSuppress-If-Match: 2\r\n");
        let (code, _, notify, _) = renewed(&mut notifier, &request, at(1));
        let notify = notify.unwrap();
        assert_eq!((code, notify.body(), etag(&notify)), (200, &b"open"[..], Some(&b"1"[..])));
        answer(&mut notifier, id, &notify, "200 OK", at(1));
        // It was false once: a state of that tag is told.
        assert!(notifier.change(id, pidf("closed").with_etag("2"), at(2)).is_some());
    }

    /// "Such a wildcard condition effectively quenches a subscription". `[RFC 5839, Section 5.2]`
    #[test]
    fn a_star_quenches_all_but_changes_of_the_subscription() {
        let mut notifier = notifier();
        let id = active(&mut notifier, "", pidf("open"));
        let request = again(2, "Event: presence\r\nSuppress-If-Match: *\r\n");
        assert_eq!(renewed(&mut notifier, &request, at(1)).0, 204);
        assert!(notifier.change(id, pidf("busy"), at(2)).is_none());
        let notify = notifier.terminate(id, TerminationReason::Deactivated, None, true, at(3)).unwrap();
        let notify = Side::AGENT.send(notify);
        assert_eq!((substate(&notify).as_str(), notify.body()), ("terminated;reason=deactivated", &b""[..]));
    }
}

/// M1 to M4, M7 and M8 of the example, as far as the watcher and the agent make them. `[RFC 3903, Section 15]`
#[test]
fn messages_of_the_example_of_rfc_3903() {
    let mut notifier = notifier();
    let request = subscribe("Expires: 3600\r\nEvent: presence\r\n");
    let SubscribeVerdict::New(new) = notifier.handle_subscribe(&request, at(0)) else { unreachable!() };
    let admission = Admission::Granted(pidf("[PIDF document]"));
    let (id, answer, notify) = notifier.accept(&request, new, "abcd1234", admission, at(0)).unwrap();
    let m2 = answer.response(&request).to_tag("abcd1234").contact("sip:pa.example.com", None).build().unwrap();
    let m2 = String::from_utf8(m2.as_bytes().to_vec()).unwrap();
    for line in [
        "SIP/2.0 200 OK",
        "To: <sip:presentity@example.com>;tag=abcd1234",
        "From: <sip:watcher@example.com>;tag=12341234",
        "Call-ID: 12345678@host.example.com",
        "CSeq: 1 SUBSCRIBE",
        "Contact: <sip:pa.example.com>",
        "Expires: 3600",
    ] {
        assert!(m2.lines().any(|other| other == line), "{line} in {m2}");
    }
    let m3 = Side::AGENT.send(notify.unwrap());
    let m7 = {
        let text = m3.as_bytes().clone();
        super::tests::answer(&mut notifier, id, &m3, "200 OK", at(1));
        let m7 = notifier.change(id, pidf("[New PIDF document]"), at(200)).unwrap();
        (String::from_utf8(text.to_vec()).unwrap(), Side::AGENT.send(m7).as_bytes().clone())
    };
    let (m3, m7) = (m7.0, String::from_utf8(m7.1.to_vec()).unwrap());
    for (message, cseq, expires, body) in [(&m3, 1, 3_600, "[PIDF document]"), (&m7, 2, 3_400, "[New PIDF document]")] {
        for line in [
            "NOTIFY sip:user@host.example.com SIP/2.0".to_string(),
            "To: <sip:watcher@example.com>;tag=12341234".to_string(),
            "From: <sip:presentity@example.com>;tag=abcd1234".to_string(),
            "Call-ID: 12345678@host.example.com".to_string(),
            format!("CSeq: {cseq} NOTIFY"),
            "Event: presence".to_string(),
            format!("Subscription-State: active;expires={expires}"),
            "Contact: <sip:pa.example.com>".to_string(),
            "Content-Type: application/pidf+xml".to_string(),
            body.to_string(),
        ] {
            assert!(message.lines().any(|other| other == line), "{line} in {message}");
        }
        assert!(parse_request(message).get::<SubscriptionState<&[u8]>>().is_ok());
    }
}
