//! What a client does when the registrar says no, or nothing.

use std::sync::Arc;

use ringback_base::Micros;
use ringback_message::HeaderId;
use ringback_message::StatusCode;
use ringback_ua::{RegistrationConfig, RegistrationEvent, RegistrationPolicy, RegistrationState, TOO_BRIEF_MAX};

use super::{AOR, CONTACT, Client, value};

fn failed_status(event: Option<RegistrationEvent>) -> u16 {
    match event {
        Some(RegistrationEvent::Failed { status, .. }) => status.as_u16(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rfc3261_section_10_2_8_a_423_is_answered_with_a_longer_time() {
    let mut client = Client::alice();
    client.register();
    client.answer(423, &["Min-Expires: 7200"]);
    let again = client.out.clone().unwrap();
    assert_eq!((again.cseq(), value(&again, HeaderId::Contact)), (2, format!("<{CONTACT}>;expires=7200")));
    client.ok(&[&format!("Contact: <{CONTACT}>;expires=7200")]);
    // It is remembered.
    client.wait_secs(7_200);
    assert!(value(client.out.as_ref().unwrap(), HeaderId::Contact).ends_with(";expires=7200"));
}

#[test]
fn a_423_that_makes_no_sense_is_not_obeyed() {
    // One that asks for what we asked for.
    let mut client = Client::alice();
    client.register();
    client.answer(423, &["Min-Expires: 3600"]);
    client.answer(423, &["Min-Expires: 3600"]);
    assert_eq!(failed_status(client.event()), 423);
    // A little more each time.
    let mut client = Client::alice();
    client.register();
    for more in 0..TOO_BRIEF_MAX {
        client.answer(423, &[&format!("Min-Expires: {}", 7_200 + u32::from(more))]);
        assert!(client.out.is_some());
    }
    client.answer(423, &["Min-Expires: 9000"]);
    assert_eq!(failed_status(client.event()), 423);
    // A year, or nothing at all.
    for lines in [&["Min-Expires: 31536000"][..], &[]] {
        let mut client = Client::alice();
        client.register();
        client.answer(423, lines);
        assert_eq!(client.event(), Some(RegistrationEvent::Refused { status: StatusCode::IntervalTooBrief }));
    }
}

/// "To be explicitly clear on the boundary conditions": 30 to 60 s behind the first failure, 15 to 30 minutes in the end.
#[test]
fn rfc5626_section_4_5_the_wait_doubles_up_to_half_an_hour() {
    for (works, base) in [(false, 30.0_f64), (true, 90.0)] {
        let mut client = Client::alice();
        client.registration.set_other_flow_works(works);
        client.register();
        for failures in 1..300_i32 {
            client.fail(StatusCode::RequestTimeout);
            assert_eq!(failed_status(client.event()), 408);
            let upper = (base * 2_f64.powi(failures)).min(1_800.0);
            let wait = client.due_secs();
            assert!((upper / 2.0..=upper).contains(&wait), "{failures}: {wait}");
            assert_eq!(client.registration.state(), RegistrationState::Waiting);
            client.wait_secs(1_800);
            assert_eq!(client.registration.state(), RegistrationState::Registering);
        }
        // A success starts the count anew.
        client.ok(&[&format!("Contact: <{CONTACT}>;expires=600")]);
        client.register();
        client.fail(StatusCode::ServiceUnavailable);
        assert!(client.due_secs() <= base * 2.0);
    }
}

#[test]
fn rfc5626_section_4_2_1_retry_after_is_obeyed_within_its_cap() {
    for (told, earliest, latest) in [("0", 0.0, 0.0), ("300", 300.0, 330.0), ("86400 (down)", 3_600.0, 3_960.0)] {
        for code in [500, 503, 480, 404] {
            let mut client = Client::alice();
            client.register();
            client.answer(code, &[&format!("Retry-After: {told}")]);
            assert_eq!(failed_status(client.event()), code);
            let wait = client.due_secs();
            assert!((earliest..=latest).contains(&wait), "{told}: {wait}");
        }
    }
    // A server that always says "at once" gets the usual wait from the second time on.
    let mut client = Client::alice();
    client.register();
    client.answer(503, &["Retry-After: 0"]);
    client.wait_secs(0);
    client.answer(503, &["Retry-After: 0"]);
    assert!(client.due_secs() >= 60.0);
}

#[test]
fn a_failed_refresh_leaves_what_is_bound_until_its_time() {
    let mut client = Client::registered(&RegistrationConfig::new(AOR, CONTACT), 600);
    client.wait_secs(480);
    client.fail(StatusCode::RequestTimeout);
    assert_eq!(failed_status(client.event()), 408);
    assert_eq!(client.registration.state(), RegistrationState::Registered);
    // The next try comes before the end.
    client.wait_secs(60);
    assert!(client.out.is_some() && client.registration.is_bound());
    client.fail(StatusCode::RequestTimeout);
    client.event();
    // Nothing came through.
    client.wait_secs(60);
    assert_eq!(client.event(), Some(RegistrationEvent::Expired));
    assert!(!client.registration.is_bound());
    // It expires but once, and is tried on.
    client.wait_secs(600);
    assert_eq!(client.event(), None);
    client.ok(&[&format!("Contact: <{CONTACT}>;expires=600")]);
    assert!(client.registration.is_bound());
}

#[test]
fn it_expires_also_while_a_register_is_out() {
    let mut client = Client::registered(&RegistrationConfig::new(AOR, CONTACT), 10);
    client.wait_secs(20);
    assert_eq!(client.event(), Some(RegistrationEvent::Expired));
    assert_eq!(client.registration.state(), RegistrationState::Registering);
    assert_eq!(client.registration.poll_timeout(), None);
}

#[test]
fn refusals_end_it() {
    for code in [400, 401, 403, 404, 407, 416, 420, 501, 505, 603] {
        let mut client = Client::registered(&RegistrationConfig::new(AOR, CONTACT), 600);
        client.register();
        client.answer(code, &[]);
        assert_eq!(client.event(), Some(RegistrationEvent::Refused { status: StatusCode::new(code).unwrap() }));
        assert_eq!(
            (client.registration.state(), client.registration.poll_timeout()),
            (RegistrationState::Refused, None)
        );
        // Until the application asks again.
        client.wait_secs(1_000_000);
        client.register();
        assert_eq!(client.registration.state(), RegistrationState::Registering);
    }
    for code in [408, 430, 480, 491, 500, 502, 503, 504] {
        let mut client = Client::alice();
        client.register();
        client.answer(code, &[]);
        assert_eq!(failed_status(client.event()), code);
        assert!(client.registration.poll_timeout().is_some());
    }
}

#[test]
fn redirections_are_told() {
    for code in [301, 302, 305] {
        let mut client = Client::alice();
        client.register();
        client.answer(code, &["Contact: <sip:other.example>"]);
        assert_eq!(client.event(), Some(RegistrationEvent::Redirected { status: StatusCode::new(code).unwrap() }));
        assert_eq!(client.registration.state(), RegistrationState::Refused);
        assert!(client.registration.set_registrar("sip:bob@other.example").is_err());
        client.registration.set_registrar("sip:other.example").unwrap();
        assert_eq!(client.register().request_uri_text(), b"sip:other.example");
    }
}

#[test]
fn a_removal_that_fails_is_told_and_over() {
    let mut client = Client::registered(&RegistrationConfig::new(AOR, CONTACT), 600);
    client.unregister();
    client.fail(StatusCode::RequestTimeout);
    assert_eq!(client.event(), Some(RegistrationEvent::NotRemoved { status: StatusCode::RequestTimeout }));
    assert_eq!((client.registration.state(), client.registration.poll_timeout()), (RegistrationState::Idle, None));
}

#[test]
fn the_times_are_the_application_s() {
    let mut config = RegistrationConfig::new(AOR, CONTACT);
    let mut policy = RegistrationPolicy::default();
    (policy.base_all_failed_secs, policy.wait_max_secs, policy.retry_after_max_secs) = (1, 4, 2);
    config.policy = Arc::new(policy);
    let mut client = Client::new(&config);
    client.register();
    for _ in 0..20 {
        client.fail(StatusCode::ServiceUnavailable);
        assert!(client.due_secs() <= 4.0);
        client.wait_secs(4);
    }
    client.answer(503, &["Retry-After: 1000"]);
    assert!(client.due_secs() <= 4.0);
}

/// What comes when nothing is waited for changes nothing.
#[test]
fn stray_responses_change_nothing() {
    let mut client = Client::registered(&RegistrationConfig::new(AOR, CONTACT), 600);
    let due = client.registration.poll_timeout();
    let request = super::response(
        &client.registration.fetch().send.unwrap().via("a", "UDP", Some("z9hG4bK9")).build().unwrap(),
        200,
        &[],
    );
    for _ in 0..2 {
        let step = client.registration.handle_response(&request, client.now, &mut client.random);
        client.take(step);
    }
    assert_eq!((client.event(), client.event()), (Some(RegistrationEvent::Fetched), None));
    client.fail(StatusCode::RequestTimeout);
    assert_eq!(client.event(), None);
    assert_eq!(client.registration.poll_timeout(), due);
    let step = client.registration.handle_timeout(client.now.after(Micros(1)));
    client.take(step);
    assert!(client.out.is_none());
}
