#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
extern crate std;

use super::*;
use crate::probe::{Side, at, notify_text, parse_request, respond};
use std::format;
use std::string::String;
use std::vec::Vec;

const MINUTE: u64 = 60;

/// The watcher of RFC 3903's example, by default at one place.
fn watcher(change: impl FnOnce(&mut SubscriberConfig)) -> Subscriber {
    let origin =
        Origin::new("sip:watcher@example.com", "sip:presentity@example.com", "12345678@host.example.com", "12341234");
    let mut config = SubscriberConfig::new(origin, Event::new("presence"));
    change(&mut config);
    Subscriber::new(config)
}

/// Sends a request that the machine has made: with Via and Contact.
fn send(subscriber: &mut Subscriber, request: RequestBuilder, now: Now) -> Request {
    let request = Side::WATCHER.send(request);
    if request.to_tag().is_none() {
        subscriber.sent(&request, now);
    }
    request
}

fn subscribed(change: impl FnOnce(&mut SubscriberConfig)) -> (Subscriber, Request) {
    let mut subscriber = watcher(change);
    let request = subscriber.subscribe(at(0));
    let request = send(&mut subscriber, request, at(0));
    (subscriber, request)
}

/// A NOTIFY of the presence agent with this tag.
fn notify(from_tag: &str, cseq: u32, state: &str) -> Request {
    parse_request(&notify_text(from_tag, cseq, "Event: presence\r\n", &format!("Subscription-State: {state}\r\n")))
}

fn accept(subscriber: &mut Subscriber, notify: &Request, now: Now) -> Notified {
    match subscriber.handle_notify(notify, now) {
        NotifyVerdict::Accepted(notified) => notified,
        other => unreachable!("{other:?}"),
    }
}

fn refused(subscriber: &mut Subscriber, text: &str) -> u16 {
    match subscriber.handle_notify(&parse_request(text), at(0)) {
        NotifyVerdict::Refused(refusal) => refusal.status.as_u16(),
        NotifyVerdict::Foreign => 481,
        NotifyVerdict::Accepted(notified) => unreachable!("{notified:?}"),
    }
}

fn outcome(
    subscriber: &mut Subscriber,
    fork: Option<Fork>,
    request: &Request,
    answer: &str,
    now: Now,
) -> SubscribeOutcome {
    subscriber.handle_outcome(fork, Some(&respond(request, answer)), now)
}

fn is_wait(outcome: &SubscribeOutcome) -> bool {
    matches!(outcome, SubscribeOutcome::Wait)
}

/// Active for an hour, from time 0 on.
fn active(change: impl FnOnce(&mut SubscriberConfig)) -> (Subscriber, Fork) {
    let (mut subscriber, request) = subscribed(change);
    assert!(is_wait(&outcome(&mut subscriber, None, &request, "200 OK\r\nExpires: 3600", at(0))));
    let fork = accept(&mut subscriber, &notify("abcd1234", 1, "active;expires=3600"), at(0)).fork;
    assert_eq!(subscriber.state(), SubscriberState::Active);
    (subscriber, fork)
}

/// Lets time pass until something is due, and does it.
fn next(subscriber: &mut Subscriber) -> (u64, SubscriberDue) {
    loop {
        let mono = subscriber.poll_timeout().unwrap();
        // Timer N of what was confirmed fires in silence.
        if let Some(due) = subscriber.handle_timeout(Now { mono, ..Now::default() }) {
            return (mono.0 / 1_000_000, due);
        }
    }
}

fn ended(due: SubscriberDue) -> (Option<Fork>, SubscriptionEndReason) {
    match due {
        SubscriberDue::Ended { fork, end } => (fork, end.reason),
        other => unreachable!("{other:?}"),
    }
}

/// The refresh that is due at that second.
fn refresh(subscriber: &mut Subscriber, secs: u64) -> Request {
    match next(subscriber) {
        (at, SubscriberDue::Refresh { request, .. }) if at == secs => Side::WATCHER.send(request),
        other => unreachable!("{other:?}"),
    }
}

mod figure {
    //! Each transition of the figure. [RFC 6665, Section 4.1.2]
    use super::*;

    #[test]
    fn init_to_notify_wait() {
        let mut subscriber = watcher(|_| {});
        assert_eq!(subscriber.state(), SubscriberState::Init);
        let _ = subscriber.subscribe(at(0));
        assert_eq!(subscriber.state(), SubscriberState::NotifyWait);
        assert_eq!(subscriber.poll_timeout(), Some(Micros::from_secs(32)));
    }

    #[test]
    fn notify_wait_to_active_by_notify() {
        let (mut subscriber, _) = subscribed(|_| {});
        let notified = accept(&mut subscriber, &notify("abcd1234", 1, "active;expires=3599"), at(0));
        assert_eq!((notified.state, notified.is_new, notified.end), (SubscriberState::Active, true, None));
        assert_eq!(subscriber.subscriptions()[0].expires_at(), Micros::from_secs(3_599));
    }

    #[test]
    fn notify_wait_to_pending_by_notify_and_on_to_active() {
        let (mut subscriber, _) = subscribed(|_| {});
        assert_eq!(
            accept(&mut subscriber, &notify("a", 1, "pending;expires=60"), at(0)).state,
            SubscriberState::Pending
        );
        let notified = accept(&mut subscriber, &notify("a", 2, "active;expires=60"), at(1));
        assert_eq!((notified.state, notified.is_new), (SubscriberState::Active, false));
    }

    #[test]
    fn notify_wait_to_terminated_by_timer_n() {
        let (mut subscriber, request) = subscribed(|config| config.renews = false);
        assert!(is_wait(&outcome(&mut subscriber, None, &request, "200 OK\r\nExpires: 3600", at(1))));
        let (secs, due) = next(&mut subscriber);
        assert_eq!((secs, ended(due)), (32, (None, SubscriptionEndReason::NoNotify)));
        assert!(subscriber.is_over() && subscriber.state() == SubscriberState::Terminated);
        assert_eq!(
            refused(&mut subscriber, &notify_text("a", 1, "Event: presence\r\n", "Subscription-State: active\r\n")),
            481
        );
    }

    #[test]
    fn notify_wait_to_terminated_by_failure() {
        let (mut subscriber, request) = subscribed(|_| {});
        let outcome = outcome(&mut subscriber, None, &request, "403 Forbidden", at(1));
        assert!(matches!(outcome, SubscribeOutcome::Ended(SubscriptionEnd { again: Again::Never, .. })), "{outcome:?}");
        assert!(subscriber.is_over());
    }

    #[test]
    fn notify_wait_to_terminated_by_notify() {
        let (mut subscriber, _) = subscribed(|_| {});
        let notified = accept(&mut subscriber, &notify("a", 1, "terminated;reason=rejected"), at(0));
        assert_eq!(
            notified.end,
            Some(SubscriptionEnd { reason: SubscriptionEndReason::Rejected, again: Again::Never })
        );
        assert!(subscriber.is_over() && subscriber.subscriptions().is_empty());
    }

    #[test]
    fn pending_and_active_to_terminated_by_notify() {
        for state in ["pending;expires=60", "active;expires=60"] {
            let (mut subscriber, _) = subscribed(|_| {});
            accept(&mut subscriber, &notify("a", 1, state), at(0));
            let notified = accept(&mut subscriber, &notify("a", 2, "terminated;reason=noresource"), at(0));
            assert_eq!(
                (notified.state, notified.end.unwrap().reason),
                (SubscriberState::Terminated, SubscriptionEndReason::NoResource)
            );
            assert!(subscriber.is_over());
        }
    }

    #[test]
    fn pending_and_active_to_terminated_by_481_to_a_refresh() {
        for state in ["pending;expires=600", "active;expires=600"] {
            let (mut subscriber, _) = subscribed(|config| config.renews = false);
            let fork = accept(&mut subscriber, &notify("a", 1, state), at(0)).fork;
            let request = refresh(&mut subscriber, 536);
            let outcome = outcome(&mut subscriber, Some(fork), &request, "481 Gone", at(537));
            let status = StatusCode::CallOrTransactionDoesNotExist;
            assert!(
                matches!(outcome, SubscribeOutcome::Ended(SubscriptionEnd { reason: SubscriptionEndReason::Gone { status: s }, .. }) if s == status)
            );
            assert!(subscriber.is_over());
        }
    }

    #[test]
    fn pending_and_active_to_terminated_by_a_refresh_that_no_notify_follows() {
        for state in ["pending;expires=600", "active;expires=600"] {
            let (mut subscriber, _) = subscribed(|config| config.renews = false);
            let fork = accept(&mut subscriber, &notify("a", 1, state), at(0)).fork;
            let request = refresh(&mut subscriber, 536);
            assert!(is_wait(&outcome(&mut subscriber, Some(fork), &request, "200 OK\r\nExpires: 600", at(537))));
            let (secs, due) = next(&mut subscriber);
            assert_eq!((secs, ended(due)), (536 + 32, (Some(fork), SubscriptionEndReason::NoNotify)));
            assert!(subscriber.is_over());
        }
    }

    #[test]
    fn terminated_to_init_when_retry_after_expires() {
        let (mut subscriber, _) = subscribed(|_| {});
        let notified = accept(&mut subscriber, &notify("a", 1, "terminated;reason=probation;retry-after=90"), at(0));
        assert_eq!(notified.end.unwrap().again, Again::Should { after_secs: 90 });
        assert!(!subscriber.is_over());
        assert!(matches!(next(&mut subscriber), (90, SubscriberDue::Anew)));
        let request = subscriber.subscribe_anew("other@host.example.com", "5678", at(90));
        let request = send(&mut subscriber, request, at(90));
        assert_eq!(
            (request.call_id(), request.from_tag(), request.cseq()),
            (&b"other@host.example.com"[..], Some(&b"5678"[..]), 1)
        );
        assert_eq!(subscriber.state(), SubscriberState::NotifyWait);
    }
}

mod section_4_1 {
    //! [RFC 6665, Section 4.1]
    use super::*;

    #[test]
    fn a_notify_before_the_2xx_makes_the_subscription() {
        let (mut subscriber, request) = subscribed(|_| {});
        let fork = accept(&mut subscriber, &notify("abcd1234", 1, "active"), at(0)).fork;
        assert_eq!(subscriber.subscription(fork).unwrap().expires_at(), Micros::from_secs(3_600), "as was asked for");
        assert!(is_wait(&outcome(&mut subscriber, None, &request, "200 OK\r\nExpires: 1800", at(0))));
        // "Prepared to receive NOTIFY requests before the SUBSCRIBE transaction has completed": even where it fails then.
        let (mut subscriber, request) = subscribed(|_| {});
        accept(&mut subscriber, &notify("abcd1234", 1, "active;expires=60"), at(0));
        assert!(is_wait(&outcome(&mut subscriber, None, &request, "408 Request Timeout", at(1))));
        assert_eq!(subscriber.state(), SubscriberState::Active);
    }

    #[test]
    fn each_fork_has_a_dialog_and_timers_of_its_own() {
        let (mut subscriber, _) = subscribed(|config| config.forks = 2);
        let one = accept(&mut subscriber, &notify("one", 7, "active;expires=600"), at(0)).fork;
        let two = accept(&mut subscriber, &notify("two", 1, "pending;expires=1200"), at(1)).fork;
        assert_ne!(one, two);
        assert_eq!(
            refused(&mut subscriber, &notify_text("three", 1, "Event: presence\r\n", "Subscription-State: active\r\n")),
            481
        );
        let request = refresh(&mut subscriber, 536);
        assert_eq!((request.to_tag(), request.cseq()), (Some(&b"one"[..]), 2));
        let notified = accept(&mut subscriber, &notify("two", 2, "terminated;reason=giveup"), at(540));
        assert_eq!((notified.fork, notified.end.unwrap().again), (two, Again::May { after_secs: 0 }));
        assert_eq!(subscriber.subscriptions().len(), 1);
        assert!(!subscriber.is_over() && subscriber.again_at.is_none(), "one is left");
    }

    #[test]
    fn forks_after_timer_n_are_refused() {
        let (mut subscriber, _) = subscribed(|config| config.forks = 4);
        accept(&mut subscriber, &notify("one", 1, "active;expires=3600"), at(0));
        assert!(subscriber.handle_timeout(at(32)).is_none(), "the first one lives");
        assert_eq!(
            refused(&mut subscriber, &notify_text("two", 1, "Event: presence\r\n", "Subscription-State: active\r\n")),
            481
        );
    }

    #[test]
    fn refusals_of_a_notify() {
        let (mut subscriber, _) = active(|_| {});
        let state = "Subscription-State: active\r\n";
        let mut refusal = |from_tag: &str, cseq, event: &str, state: &str| {
            refused(&mut subscriber, &notify_text(from_tag, cseq, event, state))
        };
        assert_eq!(refusal("abcd1234", 2, "Event: presence\r\n", ""), 400, "no Subscription-State");
        assert_eq!(refusal("abcd1234", 3, "Event: presence\r\n", "Subscription-State: ;\r\n"), 400);
        assert_eq!(refusal("abcd1234", 4, "", state), 489, "no Event");
        assert_eq!(refusal("abcd1234", 5, "Event: ,\r\n", state), 400);
        assert_eq!(refusal("abcd1234", 6, "Event: dialog\r\n", state), 489, "another package");
        assert_eq!(refusal("abcd1234", 7, "Event: presence;id=1\r\n", state), 481, "another subscription");
        assert_eq!(refusal("abcd1234", 1, "Event: presence\r\n", state), 500, "an old CSeq");
        assert_eq!(refusal("other", 1, "Event: presence\r\n", state), 481, "another dialog");
        let text = notify_text("abcd1234", 9, "Event: presence\r\n", state);
        assert_eq!(refused(&mut subscriber, &text.replace("tag=12341234", "tag=1")), 481, "another tag of ours");
        assert_eq!(refused(&mut subscriber, &text.replace("12345678@", "8@")), 481, "another Call-ID");
        // None of them has changed anything.
        assert_eq!(
            accept(&mut subscriber, &notify("abcd1234", 8, "active;expires=60"), at(1)).state,
            SubscriberState::Active
        );
    }

    #[test]
    fn a_first_notify_that_makes_no_dialog_is_refused() {
        let (mut subscriber, _) = subscribed(|_| {});
        let text = notify_text("a", 1, "Event: presence\r\n", "Subscription-State: active\r\n");
        assert_eq!(refused(&mut subscriber, &text.replace("Contact: <sip:pa.example.com>\r\n", "")), 400);
        assert!(subscriber.subscriptions().is_empty());
    }

    #[test]
    fn a_refresh_goes_to_the_dialog_of_the_notify_and_extends_the_subscription() {
        let (mut subscriber, fork) = active(|_| {});
        let request = refresh(&mut subscriber, 3_240);
        assert_eq!(request.request_uri_text(), b"sip:pa.example.com");
        assert_eq!(request.number(HeaderId::Expires), Ok(Some(3_600)));
        assert_eq!(request.first(HeaderId::Event).unwrap().value(), b"presence");
        assert!(is_wait(&outcome(&mut subscriber, Some(fork), &request, "200 OK\r\nExpires: 9999", at(3_241))));
        accept(&mut subscriber, &notify("abcd1234", 2, "active"), at(3_241));
        assert_eq!(
            subscriber.subscriptions()[0].expires_at(),
            Micros::from_secs(3_241 + 3_600),
            "never longer than asked for"
        );
        refresh(&mut subscriber, 3_241 + 3_240);
    }

    /// The codes that end it, and some that don't. `[RFC 6665, Section 4.1.2.2]`
    #[test]
    fn failures_of_a_refresh() {
        let ending: Vec<u16> = [404, 405, 408, 410, 416].into_iter().chain(480..=485).chain([489, 501, 604]).collect();
        for code in ending.iter().copied().chain([400, 403, 406, 486, 491, 500, 503, 603]) {
            let (mut subscriber, fork) = active(|config| config.renews = false);
            let request = refresh(&mut subscriber, 3_240);
            let outcome = outcome(&mut subscriber, Some(fork), &request, &format!("{code} No"), at(3_240));
            assert_eq!(!is_wait(&outcome), ending.contains(&code), "{code}");
            if !subscriber.is_over() {
                // It is tried again half-way to its end, and ends there.
                refresh(&mut subscriber, 3_240 + 180);
                assert!(is_wait(&self::outcome(&mut subscriber, Some(fork), &request, "503 No", at(3_599))));
                let (secs, due) = next(&mut subscriber);
                assert_eq!((secs, ended(due)), (3_600, (Some(fork), SubscriptionEndReason::Expired)));
            }
        }
        let (mut subscriber, fork) = active(|config| config.renews = false);
        refresh(&mut subscriber, 3_240);
        let outcome = subscriber.handle_outcome(Some(fork), None, at(3_272));
        assert!(matches!(
            outcome,
            SubscribeOutcome::Ended(SubscriptionEnd { reason: SubscriptionEndReason::NoAnswer, .. })
        ));
    }

    #[test]
    fn too_brief_an_interval_is_made_longer() {
        let (mut subscriber, request) = subscribed(|config| config.expires_secs = 60);
        let again = outcome(&mut subscriber, None, &request, "423 Interval Too Brief\r\nMin-Expires: 300", at(0));
        let SubscribeOutcome::Again(request) = again else { unreachable!("{again:?}") };
        let request = send(&mut subscriber, request, at(0));
        assert_eq!((request.number(HeaderId::Expires), request.cseq()), (Ok(Some(300)), 2));
        // One that asks for no more than we asked for gets no third attempt.
        let again = outcome(&mut subscriber, None, &request, "423 Interval Too Brief\r\nMin-Expires: 300", at(0));
        assert!(matches!(again, SubscribeOutcome::Ended(_)));

        let (mut subscriber, fork) = active(|_| {});
        let request = refresh(&mut subscriber, 3_240);
        let again =
            outcome(&mut subscriber, Some(fork), &request, "423 Interval Too Brief\r\nMin-Expires: 7200", at(3_240));
        let SubscribeOutcome::Again(request) = again else { unreachable!("{again:?}") };
        assert_eq!(Side::WATCHER.send(request).number(HeaderId::Expires), Ok(Some(7_200)));
    }

    #[test]
    fn bad_event_is_the_end() {
        let (mut subscriber, request) = subscribed(|_| {});
        let outcome = outcome(&mut subscriber, None, &request, "489 Bad Event\r\nAllow-Events: reg", at(0));
        assert!(matches!(outcome, SubscribeOutcome::Ended(SubscriptionEnd { again: Again::Never, .. })));
        assert!(subscriber.is_over());
    }

    #[test]
    fn unsubscribing_ends_with_the_final_notify() {
        let (mut subscriber, fork) = active(|_| {});
        let request = Side::WATCHER.send(subscriber.unsubscribe(fork, at(10)).unwrap());
        assert_eq!(request.number(HeaderId::Expires), Ok(Some(0)));
        // One that was under way before doesn't confirm it.
        accept(&mut subscriber, &notify("abcd1234", 2, "active;expires=3000"), at(10));
        assert!(is_wait(&outcome(&mut subscriber, Some(fork), &request, "200 OK\r\nExpires: 0", at(10))));
        let notified = accept(&mut subscriber, &notify("abcd1234", 3, "terminated;reason=timeout"), at(11));
        assert_eq!(
            notified.end,
            Some(SubscriptionEnd { reason: SubscriptionEndReason::Unsubscribed, again: Again::Never })
        );
        assert!(subscriber.is_over());
    }

    #[test]
    fn unsubscribing_ends_without_a_notify_too() {
        for answer in [Some("200 OK"), Some("503 Service Unavailable"), None] {
            let (mut subscriber, fork) = active(|_| {});
            let request = Side::WATCHER.send(subscriber.unsubscribe(fork, at(10)).unwrap());
            let response = answer.map(|answer| respond(&request, answer));
            if is_wait(&subscriber.handle_outcome(Some(fork), response.as_ref(), at(11))) {
                let (secs, due) = next(&mut subscriber);
                assert_eq!((secs, ended(due)), (42, (Some(fork), SubscriptionEndReason::Unsubscribed)));
            }
            assert!(subscriber.is_over(), "{answer:?}");
        }
    }

    /// `[RFC 6665, Section 4.4.3]`
    #[test]
    fn a_fetch_is_one_notify_of_each_place() {
        let (mut subscriber, request) = subscribed(|config| (config.expires_secs, config.forks) = (0, 2));
        assert_eq!(request.number(HeaderId::Expires), Ok(Some(0)));
        for from_tag in ["one", "two"] {
            let notified = accept(&mut subscriber, &notify(from_tag, 1, "terminated;reason=timeout"), at(1));
            assert_eq!(
                notified.end,
                Some(SubscriptionEnd { reason: SubscriptionEndReason::Fetched, again: Again::Never })
            );
        }
        assert!(subscriber.handle_timeout(at(32)).is_none());
        assert!(subscriber.is_over());
    }

    /// The reasons of `[RFC 6665, Section 4.1.3]`, and when it is asked for again.
    #[test]
    fn reasons_of_an_end() {
        for (state, reason, again_after) in [
            ("deactivated;retry-after=9", SubscriptionEndReason::Deactivated, Some(0)),
            ("probation", SubscriptionEndReason::Probation { retry_after_secs: None }, Some(0)),
            ("probation;retry-after=9", SubscriptionEndReason::Probation { retry_after_secs: Some(9) }, Some(9)),
            ("rejected;retry-after=9", SubscriptionEndReason::Rejected, None),
            ("timeout;retry-after=9", SubscriptionEndReason::Timeout, Some(0)),
            ("giveup;retry-after=9", SubscriptionEndReason::GiveUp { retry_after_secs: Some(9) }, Some(9)),
            ("noresource;retry-after=9", SubscriptionEndReason::NoResource, None),
            ("invariant;retry-after=31536000", SubscriptionEndReason::Invariant, None),
            ("later;retry-after=9;expires=5", SubscriptionEndReason::Other { retry_after_secs: Some(9) }, Some(9)),
        ] {
            let (mut subscriber, _) = active(|_| {});
            let state = format!("terminated;reason={state}");
            let end = accept(&mut subscriber, &notify("abcd1234", 2, &state), at(100)).end.unwrap();
            assert_eq!(end.reason, reason);
            let again = subscriber.poll_timeout().map(|due| due.0 / 1_000_000 - 100);
            assert_eq!(again, again_after, "{state}");
            assert_eq!(subscriber.is_over(), again_after.is_none());
        }
    }

    #[test]
    fn ends_that_come_soon_are_waited_out() {
        let (mut subscriber, _) = subscribed(|_| {});
        let mut waits = Vec::new();
        let mut now = at(0);
        for _ in 0..9 {
            let origin = &subscriber.config().origin;
            let text =
                notify_text("a", 1, "Event: presence\r\n", "Subscription-State: terminated;reason=deactivated\r\n");
            let text = text.replace("12345678@host.example.com", &origin.call_id);
            accept(&mut subscriber, &parse_request(&text), now);
            let due = subscriber.poll_timeout().unwrap();
            waits.push(due.since(now.mono).0 / 1_000_000);
            now = Now { mono: due, ..now };
            assert!(matches!(subscriber.handle_timeout(now), Some(SubscriberDue::Anew)));
            let call_id = format!("{}", waits.len());
            let request = subscriber.subscribe_anew(&call_id, "12341234", now);
            send(&mut subscriber, request, now);
        }
        assert_eq!(waits, [0, 30, 60, 120, 240, 480, 960, 1_800, 1_800]);
    }
}

mod conditional {
    //! [RFC 5839]
    use super::*;

    fn tagged(cseq: u32, state: &str, etag: &str) -> Request {
        let header_fields = format!("Subscription-State: {state}\r\nSIP-ETag: {etag}\r\n");
        parse_request(&notify_text("abcd1234", cseq, "Event: presence\r\n", &header_fields))
    }

    fn condition(request: &Request) -> Option<String> {
        let value = request.get::<SuppressIfMatch<&[u8]>>().unwrap()?;
        Some(String::from_utf8(value.token.to_vec()).unwrap())
    }

    /// Figure 1: example message flow.
    #[test]
    fn refresh_and_end_are_answered_with_204() {
        let (mut subscriber, request) = subscribed(|config| config.conditional = true);
        assert_eq!(condition(&request), None, "(1)");
        assert!(is_wait(&outcome(&mut subscriber, None, &request, "200 OK\r\nExpires: 3600", at(0))));
        let fork = accept(&mut subscriber, &tagged(1, "active;expires=3600", "ffee2"), at(0)).fork;
        let request = refresh(&mut subscriber, 3_240);
        assert_eq!(condition(&request).as_deref(), Some("ffee2"), "(5)");
        assert!(is_wait(&outcome(
            &mut subscriber,
            Some(fork),
            &request,
            "204 No Notification\r\nExpires: 3600",
            at(3_240)
        )));
        // "the subscriber MUST consider the event state and the subscription state unchanged", and Timer N is cancelled.
        assert_eq!(subscriber.state(), SubscriberState::Active);
        assert_eq!(subscriber.poll_timeout(), Some(Micros::from_secs(3_240 + 3_240)));
        accept(&mut subscriber, &tagged(2, "active;expires=3000", "ca89a"), at(3_840));
        let request = Side::WATCHER.send(subscriber.unsubscribe(fork, at(4_000)).unwrap());
        assert_eq!(
            (condition(&request).as_deref(), request.number(HeaderId::Expires)),
            (Some("ca89a"), Ok(Some(0))),
            "(9)"
        );
        let outcome = outcome(&mut subscriber, Some(fork), &request, "204 No Notification", at(4_000));
        assert!(
            matches!(
                outcome,
                SubscribeOutcome::Ended(SubscriptionEnd { reason: SubscriptionEndReason::Unsubscribed, .. })
            ),
            "(10)"
        );
        assert!(subscriber.is_over());
    }

    /// Figure 3: polling.
    #[test]
    fn a_second_fetch_names_the_state_of_the_first() {
        let (mut subscriber, request) = subscribed(|config| {
            (config.expires_secs, config.etag, config.conditional) = (0, Some((*b"f2e45").into()), true);
        });
        assert_eq!(condition(&request).as_deref(), Some("f2e45"), "(5)");
        let notified = accept(&mut subscriber, &tagged(1, "terminated;reason=timeout", "f2e45"), at(0));
        assert_eq!(notified.end.unwrap().reason, SubscriptionEndReason::Fetched, "(7)");
    }

    /// Figure 4: resuming. What was known when a subscription ended is named when it is asked for again.
    #[test]
    fn a_new_subscription_resumes_the_old_one() {
        let (mut subscriber, fork) = active(|config| config.conditional = true);
        accept(&mut subscriber, &tagged(2, "active;expires=3600", "ega23"), at(5 * MINUTE));
        assert_eq!(subscriber.subscription(fork).unwrap().etag(), Some(&b"ega23"[..]));
        accept(&mut subscriber, &notify("abcd1234", 3, "terminated;reason=deactivated"), at(5 * MINUTE));
        assert!(matches!(next(&mut subscriber), (300, SubscriberDue::Anew)));
        let request = subscriber.subscribe_anew("new", "9", at(300));
        assert_eq!(condition(&send(&mut subscriber, request, at(300))).as_deref(), Some("ega23"));
    }

    /// `[RFC 5839, Section 5.2]`: the wildcard.
    #[test]
    fn a_star_makes_it_dormant() {
        let (mut subscriber, fork) = active(|config| config.conditional = true);
        let request = subscriber.refresh(fork, 3_600, Condition::Any, at(10)).unwrap();
        assert_eq!(condition(&Side::WATCHER.send(request)).as_deref(), Some("*"));
    }
}
