//! Adding, refreshing, changing and removing bindings.

use ringback_base::Micros;
use ringback_message::HeaderId;
use ringback_message::header::Qvalue;
use ringback_ua::{
    BINDINGS_READ_MAX, CONTACTS_MAX, LEARNT_BYTES_MAX, Registration, RegistrationConfig, RegistrationContact,
    RegistrationError, RegistrationEvent, RegistrationState,
};

use super::{AOR, CONTACT, Client, value, values};

fn registered(expires_secs: u32) -> Option<RegistrationEvent> {
    Some(RegistrationEvent::Registered { expires_secs, missing: 0, is_outbound: false })
}

#[test]
fn rfc3261_section_10_2_what_a_register_carries() {
    let mut client = Client::alice();
    let first = client.register();
    assert_eq!(first.request_uri_text(), b"sip:b.example");
    assert!(value(&first, HeaderId::From).starts_with("<sip:alice@b.example>;tag="));
    assert_eq!(value(&first, HeaderId::To), "<sip:alice@b.example>");
    assert_eq!(value(&first, HeaderId::Contact), "<sip:alice@192.0.2.1:5060>;expires=3600");
    assert_eq!(value(&first, HeaderId::Supported), "path");
    client.ok(&["Contact: <sip:alice@192.0.2.1:5060>;expires=3600"]);
    client.wait_secs(3_600);
    let second = client.out.clone().unwrap();
    // The same Call-ID, and CSeq one higher.
    assert_eq!(first.call_id(), second.call_id());
    assert_eq!((first.cseq(), second.cseq()), (1, 2));
    assert_eq!(first.from_tag(), second.from_tag());
}

#[test]
fn rfc3261_section_10_2_4_the_expiry_is_that_of_our_own_contact() {
    let mut client = Client::alice();
    client.register();
    client.ok(&[
        "Contact: <sip:alice@192.0.2.99>;expires=10, <sip:ALICE@192.0.2.1:5060>;expires=20",
        // Escapes and the host's case make no difference, nor do other parameters of the URI.
        "Contact: \"Alice\" <sip:%61lice@192.0.2.1:5060;x=y>;q=0.5;expires=1800",
        "Expires: 30",
    ]);
    assert_eq!(client.event(), registered(1_800));
    // Without a parameter it is that of the Expires header field, and without that what was asked for.
    client.register();
    client.ok(&["Contact: <sip:alice@192.0.2.1:5060>", "Expires: 900"]);
    assert_eq!(client.event(), registered(900));
    client.register();
    client.ok(&["Contact: <sip:alice@192.0.2.1:5060>"]);
    assert_eq!(client.event(), registered(3_600));
}

/// A try that nobody answers, the wait behind it and another try must fit in before the end.
#[test]
fn the_refresh_comes_in_time_and_not_for_all_at_once() {
    for (granted, earliest, latest) in
        [(3_600, 3_412.0, 3_472.0), (600, 412.0, 472.0), (60, 24.0, 30.0), (10, 4.0, 5.0)]
    {
        let mut dues = Vec::new();
        for seed in 0..32 {
            let mut client = Client::seeded(&RegistrationConfig::new(AOR, CONTACT), seed);
            client.register();
            client.ok(&[&format!("Contact: <{CONTACT}>;expires={granted}")]);
            let due = client.due_secs();
            assert!((earliest..=latest).contains(&due), "{granted}: {due}");
            dues.push(due);
        }
        dues.sort_by(f64::total_cmp);
        dues.dedup();
        assert!(dues.len() > 28, "{granted}: {dues:?}");
    }
    // A registrar that grants next to nothing is not asked all the time.
    let client = Client::registered(&RegistrationConfig::new(AOR, CONTACT), 1);
    assert!(client.due_secs() >= 1.0);
}

#[test]
fn it_is_refreshed_for_days() {
    let mut client = Client::registered(&RegistrationConfig::new(AOR, CONTACT), 600);
    for _ in 0..1_000 {
        client.wait_secs(599);
        assert!(client.registration.is_bound());
        client.ok(&[&format!("Contact: <{CONTACT}>;expires=600")]);
        assert_eq!(client.event(), registered(600));
    }
    assert_eq!((client.sent, client.registration.state()), (1_001, RegistrationState::Registered));
}

#[test]
fn rfc3261_section_10_2_1_several_contacts_with_their_own_lifetimes() {
    let mut config = RegistrationConfig::new(AOR, CONTACT);
    let mut mail = RegistrationContact::new("mailto:alice@b.example");
    (mail.q, mail.expires_secs) = (Qvalue::from_thousandths(100), Some(7_200));
    config.contacts.push(mail);
    let mut client = Client::new(&config);
    let request = client.register();
    assert_eq!(
        values(&request, HeaderId::Contact),
        ["<sip:alice@192.0.2.1:5060>;expires=3600", "<mailto:alice@b.example>;q=0.1;expires=7200"]
    );
    client.ok(&["Contact: <mailto:alice@b.example>;expires=7200, <sip:alice@192.0.2.1:5060>;expires=300"]);
    assert_eq!(client.event(), registered(300));
    // One that the registrar left out is told, and the rest is kept alive.
    client.wait_secs(300);
    client.ok(&["Contact: <sip:alice@192.0.2.1:5060>;expires=300"]);
    let one_missing = RegistrationEvent::Registered { expires_secs: 300, missing: 1, is_outbound: false };
    assert_eq!(client.event(), Some(one_missing));
}

#[test]
fn a_200_that_lacks_our_contact_is_told_and_tried_again() {
    for lines in
        [&[][..], &["Contact: <sip:alice@192.0.2.2>;expires=60"], &["Contact: <sip:alice@192.0.2.1:5060>;expires=0"]]
    {
        let mut client = Client::registered(&RegistrationConfig::new(AOR, CONTACT), 3_600);
        client.register();
        client.ok(lines);
        let Some(RegistrationEvent::NotBound { again_at }) = client.event() else { panic!() };
        assert_eq!(client.registration.state(), RegistrationState::Waiting);
        assert_eq!(client.registration.poll_timeout(), Some(again_at));
        client.wait_secs(60);
        assert_eq!(client.registration.state(), RegistrationState::Registering);
    }
}

#[test]
fn rfc3261_section_10_2_2_our_contacts_are_removed() {
    let mut client = Client::registered(&RegistrationConfig::new(AOR, CONTACT), 3_600);
    client.unregister();
    assert_eq!(value(client.out.as_ref().unwrap(), HeaderId::Contact), "<sip:alice@192.0.2.1:5060>;expires=0");
    assert_eq!(client.registration.state(), RegistrationState::Removing);
    client.ok(&["Contact: <sip:alice@192.0.2.2>;expires=60"]);
    assert_eq!(client.event(), Some(RegistrationEvent::Unregistered));
    assert_eq!((client.registration.state(), client.registration.poll_timeout()), (RegistrationState::Idle, None));
    // Once more does nothing.
    client.unregister();
    assert!(client.out.is_none());
}

#[test]
fn rfc3261_section_10_2_2_all_are_removed() {
    let mut config = RegistrationConfig::new(AOR, CONTACT);
    (config.instance, config.reg_id) = (Some("urn:uuid:00000000-0000-1000-8000-000A95A0E128".into()), Some(1));
    let mut client = Client::new(&config);
    let step = client.registration.unregister_all();
    client.take(step);
    let request = client.out.clone().unwrap();
    // Neither instance nor reg-id. [RFC 5626, Section 4.2.3]
    assert_eq!(values(&request, HeaderId::Contact), ["*"]);
    assert_eq!(value(&request, HeaderId::Expires), "0");
    client.ok(&[]);
    assert_eq!(client.event(), Some(RegistrationEvent::Unregistered));
}

#[test]
fn who_leaves_while_a_register_is_out_is_removed_afterwards() {
    let mut client = Client::alice();
    client.register();
    client.unregister();
    assert_eq!(client.sent, 1);
    client.ok(&[&format!("Contact: <{CONTACT}>;expires=60")]);
    assert_eq!(client.registration.state(), RegistrationState::Removing);
    client.ok(&[]);
    assert_eq!((client.event(), client.event()), (registered(60), Some(RegistrationEvent::Unregistered)));
    assert_eq!(client.registration.state(), RegistrationState::Idle);
}

#[test]
fn rfc3261_section_10_2_3_the_list_is_fetched_and_nothing_changes() {
    let mut client = Client::registered(&RegistrationConfig::new(AOR, CONTACT), 3_600);
    let due = client.registration.poll_timeout();
    let step = client.registration.fetch();
    client.take(step);
    assert!(values(client.out.as_ref().unwrap(), HeaderId::Contact).is_empty());
    assert_eq!(client.registration.state(), RegistrationState::Registered);
    client.ok(&["Contact: <sip:alice@192.0.2.2>;expires=60"]);
    assert_eq!(client.event(), Some(RegistrationEvent::Fetched));
    assert_eq!(client.registration.poll_timeout(), due);
    let step = client.registration.fetch();
    client.take(step);
    client.answer(500, &[]);
    assert!(matches!(client.event(), Some(RegistrationEvent::NotFetched { .. })));
    assert_eq!((client.registration.state(), client.registration.poll_timeout()), (RegistrationState::Registered, due));
}

#[test]
fn other_contacts_replace_those_that_were_bound() {
    let mut client = Client::registered(&RegistrationConfig::new(AOR, CONTACT), 3_600);
    let step = client.registration.set_contacts(&[RegistrationContact::new("sip:alice@198.51.100.7")]).unwrap();
    client.take(step);
    let wanted = ["<sip:alice@198.51.100.7>;expires=3600", "<sip:alice@192.0.2.1:5060>;expires=0"];
    assert_eq!(values(client.out.as_ref().unwrap(), HeaderId::Contact), wanted);
    // What failed is asked for again.
    client.answer(503, &["Retry-After: 0"]);
    client.wait_secs(1);
    assert_eq!(values(client.out.as_ref().unwrap(), HeaderId::Contact), wanted);
    client.ok(&["Contact: <sip:alice@198.51.100.7>;expires=3600"]);
    client.wait_secs(3_500);
    assert_eq!(values(client.out.as_ref().unwrap(), HeaderId::Contact), wanted[..1]);
    // Down to none.
    client.ok(&["Contact: <sip:alice@198.51.100.7>;expires=3600"]);
    let step = client.registration.set_contacts(&[]).unwrap();
    client.take(step);
    client.ok(&[]);
    assert_eq!(client.registration.state(), RegistrationState::Idle);
}

#[test]
fn rfc3608_section_6_1_the_service_route_is_that_of_the_latest_200() {
    let mut client = Client::alice();
    client.register();
    let contact = format!("Contact: <{CONTACT}>;expires=600");
    client.ok(&[
        &contact,
        "Service-Route: <sip:P2.HOME.EXAMPLE.COM;lr>, <sip:HSP.HOME.EXAMPLE.COM;lr>",
        "Service-Route: <sip:x.example;lr>",
        // [RFC 3327, Section 5.1]
        "Path: <sip:p1.example;lr>,<sip:p2.example;lr>",
    ]);
    let list = |list: &[Box<[u8]>]| -> Vec<String> {
        list.iter().map(|value| String::from_utf8(value.to_vec()).unwrap()).collect()
    };
    assert_eq!(
        list(client.registration.service_route()),
        ["<sip:P2.HOME.EXAMPLE.COM;lr>", "<sip:HSP.HOME.EXAMPLE.COM;lr>", "<sip:x.example;lr>"]
    );
    assert_eq!(list(client.registration.path()), ["<sip:p1.example;lr>", "<sip:p2.example;lr>"]);
    client.register();
    client.ok(&[&contact]);
    assert!(client.registration.service_route().is_empty() && client.registration.path().is_empty());
    // One that is refused takes it away, too; so does the end of the lifetime.
    client.register();
    client.ok(&[&contact, "Service-Route: <sip:x.example;lr>"]);
    client.register();
    client.answer(403, &[]);
    assert!(client.registration.service_route().is_empty());
    // More than is kept is not kept in part.
    client.register();
    let long = format!("Service-Route: <sip:{}@x.example;lr>, <sip:y.example;lr>", "r".repeat(LEARNT_BYTES_MAX));
    client.ok(&[&contact, &long]);
    assert!(client.registration.service_route().is_empty());
}

#[test]
fn rfc5627_section_4_2_gruus_are_kept_as_long_as_the_registration() {
    let mut config = RegistrationConfig::new(AOR, CONTACT);
    config.instance = Some("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6".into());
    let mut client = Client::new(&config);
    let request = client.register();
    assert_eq!(value(&request, HeaderId::Supported), "path, gruu");
    assert!(
        value(&request, HeaderId::Contact)
            .ends_with(";+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\"")
    );
    let contact = |temporary: &str| {
        format!(
            "Contact: <{CONTACT}>;pub-gruu=\"sip:alice@b.example;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"\
             ;temp-gruu=\"{temporary}\";+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\";expires=3600"
        )
    };
    client.ok(&[&contact("sip:tgruu.7hs==jd7vnzga5w7fajsc7-ajd6fabz0f8g5@b.example;gr")]);
    let gruu = client.registration.gruu(0).unwrap();
    assert_eq!(gruu.public.as_deref(), Some("sip:alice@b.example;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
    assert!(gruu.temporary.as_deref().unwrap().starts_with("sip:tgruu.7hs"));
    client.register();
    client.ok(&[&contact("sip:second@b.example;gr")]);
    assert_eq!(client.registration.gruu(0).unwrap().temporary.as_deref(), Some("sip:second@b.example;gr"));
    // "A non-2xx response to the REGISTER request has no impact on any existing GRUUs"
    client.register();
    client.answer(500, &[]);
    assert!(client.registration.gruu(0).is_some());
    client.wait_secs(3_600);
    assert!(client.registration.gruu(0).is_none());
}

#[test]
fn what_makes_no_sense_is_not_registered() {
    let error = |change: fn(&mut RegistrationConfig)| {
        let mut config = RegistrationConfig::new(AOR, CONTACT);
        change(&mut config);
        Registration::new(&config, &mut ringback_base::Random::from_seed([0; 32])).unwrap_err()
    };
    assert_eq!(error(|c| c.aor = "tel:+1".into()), RegistrationError::Aor);
    assert_eq!(error(|c| c.from = Some("x".into())), RegistrationError::Aor);
    assert_eq!(error(|c| c.registrar = Some("sip:bob@b.example".into())), RegistrationError::Registrar);
    assert_eq!(error(|c| c.contacts[0].uri = "sip:a b".into()), RegistrationError::Contact);
    assert_eq!(error(|c| c.contacts[0].uri = "sip:%61lice@B.example".into()), RegistrationError::Contact);
    assert_eq!(error(|c| c.routes.push("tel:+1".into())), RegistrationError::Route);
    assert_eq!(error(|c| c.reg_id = Some(1)), RegistrationError::RegId);
    let many = |c: &mut RegistrationConfig| {
        c.contacts = (0..=CONTACTS_MAX).map(|i| RegistrationContact::new(&format!("sip:{i}@c.example"))).collect();
    };
    assert_eq!(error(many), RegistrationError::TooManyContacts);
    let mut ipv6 = RegistrationConfig::new("sips:alice@[2001:db8::1]:5071", CONTACT);
    ipv6.routes = vec!["sip:edge.example;lr".into()];
    let mut client = Client::new(&ipv6);
    let request = client.register();
    assert_eq!(request.request_uri_text(), b"sips:[2001:db8::1]:5071");
    assert_eq!(value(&request, HeaderId::Route), "<sip:edge.example;lr>");
    assert_eq!(client.registration.next_uri(), "sip:edge.example;lr");
}

/// A registrar that lists more than is read.
#[test]
fn only_so_many_bindings_are_looked_at() {
    let mut client = Client::alice();
    client.register();
    let others: Vec<String> = (0..BINDINGS_READ_MAX).map(|i| format!("<sip:{i}@c.example>;expires=60")).collect();
    client.ok(&[&format!("Contact: {}, <{CONTACT}>;expires=60", others.join(","))]);
    assert!(matches!(client.event(), Some(RegistrationEvent::NotBound { .. })));
    client.register();
    client.ok(&[&format!("Contact: {}, <{CONTACT}>;expires=60", others[1..].join(","))]);
    assert_eq!(client.event(), registered(60));
}

/// Issue's budget: an idle registration takes at most 600 bytes, all that it keeps included.
#[test]
fn an_idle_registration_is_small() {
    let mut config =
        RegistrationConfig::new("sip:alice.liddell@wonderland.example.com", "sip:alice@192.0.2.1:5060;transport=tcp");
    config.instance = Some("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6".into());
    let mut client = Client::new(&config);
    client.register();
    client.ok(&[
        "Contact: <sip:alice@192.0.2.1:5060;transport=tcp>;expires=600",
        "Service-Route: <sip:orig@edge1.wonderland.example.com;lr>",
    ]);
    client.event();
    let (own, heap) = (size_of::<Registration>(), client.registration.heap_bytes());
    println!("idle registration: {own} bytes and {heap} on the heap");
    assert!(own + heap <= 600, "{own} + {heap}");
    assert_eq!(client.registration.state(), RegistrationState::Registered);
    assert!(client.registration.poll_timeout().is_some_and(|at| at > Micros(0)));
}
