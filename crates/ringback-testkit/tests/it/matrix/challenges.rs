//! What is asked for: credentials, an interval, fewer extensions.

use ringback_auth::{Account, Password};
use ringback_base::Transport;
use ringback_message::HeaderId;
use ringback_message::header::{MinSe, Require};
use ringback_ua::{Event, Failure, RegistrationConfig, RegistrationEvent, RegistrationId};

use super::{domain, failure, rows, to};
use crate::flows::town::{Town, direct};

rows! {
    401 unauthorized [WwwAuthenticate] "answers the challenge, once"
    403 forbidden [] "tells that it was refused for good, and doesn't try again"
    407 proxy_authentication [ProxyAuthenticate] "answers the challenge, once"
    420 bad_extension [Unsupported] "tells which extensions are too many; where the call can do without them, it is made without them"
    422 interval_too_small [MinSe] "asks again for the interval that is granted"
    423 interval_too_brief [MinExpires] "registers for the time that is granted"
    439 first_hop_lacks_outbound [] "registers without outbound"
}

/// Bill's phone registers this user.
pub(super) fn registers(town: &mut Town, aor: &str, expires_secs: u32) -> RegistrationId {
    let bill = town.agent("bill");
    let mut config = RegistrationConfig::new(aor, &bill.contact_uri(Transport::Udp).unwrap());
    config.expires_secs = Some(expires_secs);
    let account = Account::new("biloxi.example.com", "bill", Password::new("secret"));
    let id = bill.add_registration(&config, Some(account)).unwrap();
    town.at("bill", |bill, now| bill.register(id, now).unwrap());
    id
}

pub(super) fn registration(town: &mut Town) -> RegistrationEvent {
    town.event("bill", |event| match event {
        Event::Registration { event, .. } => Some(*event),
        _ => None,
    })
}

/// The domain's own server, and another one that is the edge proxy of it.
pub(super) fn edge_and_home() -> Town {
    let mut town = Town::new();
    town.phone("bill");
    town.phone("bob");
    town.server("ss2");
    town.server_with("ss1", |config| {
        config.open = true;
        config.edge_of = vec!["biloxi.example.com".into()];
    });
    town
}

/// A phone registers a flow through the edge proxy; tells whether outbound is done for it.
pub(super) fn registers_flow(town: &mut Town, who: &'static str) -> bool {
    let agent = town.agent(who);
    let aor = format!("sip:{who}@biloxi.example.com");
    let mut config = RegistrationConfig::new(&aor, &agent.contact_uri(Transport::Udp).unwrap());
    config.routes = vec!["sip:ss1.atlanta.example.com;lr".into()];
    config.instance = Some("urn:uuid:00000000-0000-1000-8000-000a95a0e128".into());
    config.reg_id = Some(1);
    let id = agent.add_registration(&config, None).unwrap();
    town.at(who, |agent, now| agent.register(id, now).unwrap());
    let is_outbound = town.event(who, |event| match event {
        Event::Registration { event: RegistrationEvent::Registered { is_outbound, .. }, .. } => Some(*is_outbound),
        _ => None,
    });
    town.agent(who).remove_registration(id);
    is_outbound
}

/// What the edge proxy says of itself gets lost, as if it were one that knows nothing of flows.
fn first_hop_lacks_outbound() -> Town {
    let mut town = edge_and_home();
    town.damaged.push(("REGISTER ss1", |text| text.replace(";lr;ob>", ";lr>")));
    assert!(!registers_flow(&mut town, "bill"));
    town
}

fn unauthorized() -> Town {
    let mut town = domain(|_| {});
    let id = registers(&mut town, "sip:bill@biloxi.example.com", 3_600);
    assert!(matches!(registration(&mut town), RegistrationEvent::Registered { expires_secs: 3_600, .. }));
    town.agent("bill").remove_registration(id);
    town
}

/// Bill would like to have Bob's calls.
fn forbidden() -> Town {
    let mut town = domain(|_| {});
    let id = registers(&mut town, "sip:bob@biloxi.example.com", 3_600);
    assert!(matches!(registration(&mut town), RegistrationEvent::Refused { status } if status.as_u16() == 403));
    assert_eq!(
        town.agent("bill").poll_timeout().filter(|at| *at > town.now.mono.plus(ringback_base::Micros::from_secs(60))),
        None
    );
    town.agent("bill").remove_registration(id);
    town
}

fn proxy_authentication() -> Town {
    let mut town = domain(|_| {});
    town.account("bill", "bill");
    town.calls("bill", &to("bob"));
    let bob = town.rings("bob");
    town.answers("bob", bob);
    town.answered("bill");
    town.hangs_up("bob", bob);
    town
}

fn bad_extension() -> Town {
    let mut town = super::two_phones();
    let picky = direct("alice", "bob").with(Require::new(["precondition"]));
    town.calls("alice", &picky);
    let Failure::Refused(response) = failure(&mut town, "alice") else { panic!("no response") };
    assert!(response.has_token(HeaderId::Unsupported, "precondition"));
    // Where it can do without, it does.
    town.calls("alice", &picky.optional_extension("precondition"));
    let bob = town.rings("bob");
    town.answers("bob", bob);
    town.answered("alice");
    town.hangs_up("bob", bob);
    town
}

fn interval_too_small() -> Town {
    let mut town = Town::new();
    town.phone_with("alice", |config| config.session_timers.interval_secs = Some(90));
    town.phone_with("bob", |config| config.session_timers.min_secs = 1_800);
    town.calls("alice", &direct("alice", "bob"));
    let bob = town.event("bob", |event| match event {
        Event::Incoming { session, request, .. } => {
            assert_eq!(request.get::<MinSe<&[u8]>>().unwrap().unwrap().seconds, 1_800);
            Some(*session)
        }
        _ => None,
    });
    town.answers("bob", bob);
    town.answered("alice");
    town.hangs_up("bob", bob);
    town
}

fn interval_too_brief() -> Town {
    let mut town = domain(|config| {
        config.open = true;
        config.registrar.min_expires_secs = 600;
    });
    let id = registers(&mut town, "sip:bill@biloxi.example.com", 60);
    assert!(matches!(registration(&mut town), RegistrationEvent::Registered { expires_secs: 600, .. }));
    town.agent("bill").remove_registration(id);
    town
}
