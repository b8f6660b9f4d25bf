//! Registrations. `[RFC 3665, Section 2]`

use ringback_auth::{Account, Password};
use ringback_base::Transport;
use ringback_ua::{Event, RegistrationConfig, RegistrationContact, RegistrationEvent, RegistrationId};

use super::Flow;
use super::town::Town;

pub(crate) const FLOWS: &[&Flow] = &[&NEW, &UPDATE, &FETCH, &CANCELLATION, &REFUSED];

/// The server of Bob's domain, and his phone, whose user has this password.
fn town(password: &str) -> (Town, RegistrationId) {
    let mut town = Town::new();
    town.phone("bob");
    town.server_with("ss2", |_| {});
    let bob = town.agent("bob");
    let config = RegistrationConfig::new("sip:bob@biloxi.example.com", &bob.contact_uri(Transport::Udp).unwrap());
    let account = Account::new("biloxi.example.com", "bob", Password::new(password));
    let id = bob.add_registration(&config, Some(account)).unwrap();
    (town, id)
}

/// Bob is registered already, and the flow begins after that.
fn registered() -> (Town, RegistrationId) {
    let (mut town, id) = town("secret");
    town.at("bob", |bob, now| bob.register(id, now).unwrap());
    assert!(matches!(told(&mut town), RegistrationEvent::Registered { .. }));
    town.forget();
    (town, id)
}

fn told(town: &mut Town) -> RegistrationEvent {
    town.event("bob", |event| match event {
        Event::Registration { event, .. } => Some(*event),
        _ => None,
    })
}

/// The flow is at its end; its phone goes on refreshing until the town does.
fn is_played(flow: &Flow, town: &mut Town, id: RegistrationId) {
    flow.is_shown(&town.take_lines());
    town.agent("bob").remove_registration(id);
    town.ends_empty();
}

const NEW: Flow = Flow {
    section: "RFC 3665, Section 2.1",
    title: "Successful new registration",
    figure: 4,
    ladder: "
        F1  REGISTER bob -> ss2 | A bob>- cseq=1 vias=1 uri=biloxi contact=bob;expires=3600
        F2  401 REGISTER ss2 -> bob | A bob>ss2 cseq=1 vias=1 asks=biloxi
        F3  REGISTER bob -> ss2 | A bob>- cseq=2 vias=1 uri=biloxi contact=bob;expires=3600 auth=biloxi/1
        F4  200 REGISTER ss2 -> bob | A bob>ss2.2 cseq=2 vias=1 contact=bob;expires=3600
    ",
    differs: &[],
};

#[test]
fn new() {
    let (mut town, id) = town("secret");
    town.at("bob", |bob, now| bob.register(id, now).unwrap());
    assert!(matches!(told(&mut town), RegistrationEvent::Registered { missing: 0, .. }));
    is_played(&NEW, &mut town, id);
}

const UPDATE: Flow = Flow {
    section: "RFC 3665, Section 2.2",
    title: "Update of contact list",
    figure: 2,
    ladder: "
        F1  REGISTER bob -> ss2 | A bob>- cseq=3 vias=1 uri=biloxi contact=bob;expires=3600,tel:+1-972-555-2222;expires=3600 auth=biloxi/2
        F2  200 REGISTER ss2 -> bob | A bob>ss2.3 cseq=3 vias=1 contact=bob;expires=3600,tel:+1-972-555-2222;expires=3600
    ",
    differs: &[
        ("F1", "a registration of ours says all of its contacts, and the other is a `tel` URI: our registrar takes none that nothing can be sent to. `[RFC 3261, Section 10.2.1]`"),
    ],
};

#[test]
fn another_contact() {
    let (mut town, id) = registered();
    let contacts = ["sip:bob@client.biloxi.example.com", "tel:+1-972-555-2222"];
    let contacts = contacts.map(RegistrationContact::new);
    town.at("bob", |bob, now| bob.set_registration_contacts(id, &contacts, now).unwrap());
    let told = told(&mut town);
    assert!(matches!(told, RegistrationEvent::Registered { missing: 0, .. }), "{told:?}");
    is_played(&UPDATE, &mut town, id);
}

const FETCH: Flow = Flow {
    section: "RFC 3665, Section 2.3",
    title: "Request for current contact list",
    figure: 2,
    ladder: "
        F1  REGISTER bob -> ss2 | A bob>- cseq=3 vias=1 uri=biloxi auth=biloxi/2
        F2  200 REGISTER ss2 -> bob | A bob>ss2.3 cseq=3 vias=1 contact=bob;expires=3600
    ",
    differs: &[],
};

#[test]
fn which_contacts() {
    let (mut town, id) = registered();
    town.at("bob", |bob, now| bob.fetch_bindings(id, now).unwrap());
    is_played(&FETCH, &mut town, id);
}

const CANCELLATION: Flow = Flow {
    section: "RFC 3665, Section 2.4",
    title: "Cancellation of registration",
    figure: 2,
    ladder: "
        F1  REGISTER bob -> ss2 | A bob>- cseq=3 vias=1 uri=biloxi contact=* auth=biloxi/2 expires=0
        F2  200 REGISTER ss2 -> bob | A bob>ss2.3 cseq=3 vias=1
    ",
    differs: &[],
};

#[test]
fn cancelled() {
    let (mut town, id) = registered();
    town.at("bob", |bob, now| bob.unregister_all(id, now).unwrap());
    is_played(&CANCELLATION, &mut town, id);
}

const REFUSED: Flow = Flow {
    section: "RFC 3665, Section 2.5",
    title: "Unsuccessful registration",
    figure: 4,
    ladder: "
        F1  REGISTER bob -> ss2 | A bob>- cseq=1 vias=1 uri=biloxi contact=bob;expires=3600
        F2  401 REGISTER ss2 -> bob | A bob>ss2 cseq=1 vias=1 asks=biloxi
        F3  REGISTER bob -> ss2 | A bob>- cseq=2 vias=1 uri=biloxi contact=bob;expires=3600 auth=biloxi/1
        F4  401 REGISTER ss2 -> bob | A bob>ss2.2 cseq=2 vias=1 asks=biloxi
    ",
    differs: &[],
};

#[test]
fn refused() {
    let (mut town, id) = town("wrong");
    town.at("bob", |bob, now| bob.register(id, now).unwrap());
    assert!(matches!(told(&mut town), RegistrationEvent::Refused { .. }));
    is_played(&REFUSED, &mut town, id);
}
