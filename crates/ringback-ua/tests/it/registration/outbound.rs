//! Client-initiated connections. `[RFC 5626, Section 4]`

use std::sync::Arc;

use ringback_message::{HeaderId, StatusCode};
use ringback_ua::{RegistrationConfig, RegistrationEvent, RegistrationPolicy, RegistrationState};

use super::{AOR, CONTACT, Client, value};

const INSTANCE: &str = "urn:uuid:00000000-0000-1000-8000-000A95A0E128";

fn config() -> RegistrationConfig {
    let mut config = RegistrationConfig::new(AOR, CONTACT);
    (config.instance, config.reg_id) = (Some(INSTANCE.into()), Some(1));
    config
}

fn contact() -> String {
    format!("Contact: <{CONTACT}>;+sip.instance=\"<{INSTANCE}>\";reg-id=1;expires=3600")
}

#[test]
fn rfc5626_section_4_2_1_what_a_register_carries() {
    let mut client = Client::new(&config());
    let request = client.register();
    assert_eq!(value(&request, HeaderId::Supported), "path, outbound, gruu");
    let wanted = format!("<{CONTACT}>;expires=3600;+sip.instance=\"<{INSTANCE}>\";reg-id=1");
    assert_eq!(value(&request, HeaderId::Contact), wanted);
    client.ok(&[&contact(), "Require: outbound", "Flow-Timer: 120"]);
    let event = RegistrationEvent::Registered { expires_secs: 3_600, missing: 0, is_outbound: true };
    assert_eq!(client.event(), Some(event));
    assert_eq!(client.registration.flow_timer_secs(), Some(120));
    // Refreshing and removing carry the same. [RFC 5626, Section 4.2.2]
    assert_eq!(value(&client.register(), HeaderId::Contact), wanted);
    client.ok(&[&contact(), "Require: outbound"]);
    client.unregister();
    let removed = wanted.replace("=3600", "=0");
    assert_eq!(value(client.out.as_ref().unwrap(), HeaderId::Contact), removed);
}

/// Behind a NAT a registrar may write another URI; the flow is known by instance and reg-id.
#[test]
fn the_binding_of_a_flow_is_found_by_instance_and_reg_id() {
    let mut client = Client::new(&config());
    client.register();
    client.ok(&[&contact().replace("192.0.2.1", "203.0.113.9"), "Require: outbound"]);
    assert!(matches!(client.event(), Some(RegistrationEvent::Registered { .. })));
    for (from, to) in [("reg-id=1", "reg-id=2"), ("A95A0E128", "A95A0E129")] {
        client.register();
        client.ok(&[&contact().replace("192.0.2.1", "203.0.113.9").replace(from, to)]);
        assert!(matches!(client.event(), Some(RegistrationEvent::NotBound { .. })), "{to}");
    }
}

#[test]
fn a_registrar_without_outbound_is_told() {
    let mut client = Client::new(&config());
    client.register();
    client.ok(&[&contact()]);
    let event = RegistrationEvent::Registered { expires_secs: 3_600, missing: 0, is_outbound: false };
    assert_eq!(client.event(), Some(event));
}

#[test]
fn rfc5626_section_11_6_a_439_falls_back_to_plain() {
    let mut client = Client::new(&config());
    client.register();
    client.answer(439, &[]);
    let again = client.out.clone().unwrap();
    assert_eq!(value(&again, HeaderId::Supported), "path, gruu");
    assert!(!value(&again, HeaderId::Contact).contains("reg-id"));
    assert_eq!(again.cseq(), 2);
    client.ok(&[&format!("Contact: <{CONTACT}>;expires=60")]);
    assert!(matches!(client.event(), Some(RegistrationEvent::Registered { is_outbound: false, .. })));
    // A registrar that says it of a plain one, or an application that doesn't want that.
    client.register();
    client.answer(439, &[]);
    let refused = RegistrationEvent::Refused { status: StatusCode::FirstHopLacksOutboundSupport };
    assert_eq!(client.event(), Some(refused));
    let mut config = config();
    let mut policy = RegistrationPolicy::default();
    policy.falls_back_to_plain = false;
    config.policy = Arc::new(policy);
    let mut client = Client::new(&config);
    client.register();
    client.answer(439, &[]);
    assert_eq!(client.event(), Some(refused));
}

#[test]
fn rfc5626_section_4_5_a_flow_that_worked_is_replaced_at_once() {
    let mut client = Client::new(&config());
    client.register();
    client.ok(&[&contact(), "Require: outbound"]);
    client.event();
    let step = client.registration.flow_failed(client.now, &mut client.random);
    client.take(step);
    assert!(value(client.out.as_ref().unwrap(), HeaderId::Contact).contains("reg-id=1"));
    // The new one fails, too: that is waited out.
    client.fail(StatusCode::ServiceUnavailable);
    assert!((30.0..=60.0).contains(&client.due_secs()));
    // While a REGISTER is out or nothing is bound, there is no flow to lose.
    client.wait_secs(60);
    let sent = client.sent;
    let step = client.registration.flow_failed(client.now, &mut client.random);
    client.take(step);
    assert_eq!((client.sent, client.registration.state()), (sent, RegistrationState::Registering));
}

/// "a flow is considered successful if outbound registration succeeded, and if keep-alives are in use on this flow, at least one
/// subsequent keep-alive response was received"
#[test]
fn rfc5626_section_4_5_a_flow_that_never_answered_a_keep_alive_counts_as_failed() {
    let mut config = config();
    let mut policy = RegistrationPolicy::default();
    policy.keeps_alive = true;
    config.policy = Arc::new(policy);
    let mut client = Client::new(&config);
    client.register();
    for failures in 1..4_i32 {
        client.ok(&[&contact(), "Require: outbound"]);
        let step = client.registration.flow_failed(client.now, &mut client.random);
        client.take(step);
        assert!(client.out.is_none());
        let upper = 30.0 * 2_f64.powi(failures);
        assert!((upper / 2.0..=upper).contains(&client.due_secs()), "{failures}");
        client.wait_secs(1_000);
    }
    client.ok(&[&contact(), "Require: outbound"]);
    client.registration.keep_alive_answered();
    let step = client.registration.flow_failed(client.now, &mut client.random);
    client.take(step);
    assert!(client.out.is_some());
}

#[test]
fn third_parties_have_no_instance() {
    let mut config = config();
    config.from = Some("sip:assistant@b.example".into());
    let mut client = Client::new(&config);
    let request = client.register();
    assert!(value(&request, HeaderId::From).starts_with("<sip:assistant@b.example>"));
    assert_eq!(value(&request, HeaderId::Contact), format!("<{CONTACT}>;expires=3600"));
}
