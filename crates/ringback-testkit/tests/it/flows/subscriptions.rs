//! Subscriptions, REFER outside of a call, publications. RFC 6665, RFC 3515, RFC 3903

use ringback_base::Micros;
use ringback_message::header::{self, SipEtag};
use ringback_message::{Method, StatusCode};
use ringback_ua::{
    Admission, Event, EventState, Package, PublicationTold, ReferSubscription, SubscriberTold, rule_publish,
};

use super::town::{Town, aor, contact, direct, sound};
use super::{ACCEPTED, Flow};

pub(crate) const FLOWS: &[&Flow] = &[&SUBSCRIBED, &REFERRED, &PUBLISHED];

const PIDF: &str = "application/pidf+xml";

fn presence() -> header::Event {
    header::Event::new("presence")
}

/// Alice watches Bob, whose phone tells of presence itself.
fn town(phones: &[&'static str]) -> Town {
    let mut town = Town::new();
    for name in phones {
        town.phone_with(name, |config| config.allow.push(Method::Publish));
    }
    town
}

fn state(text: &'static str) -> EventState {
    EventState::new(PIDF, text.as_bytes())
}

/// What the next NOTIFY says.
fn notified(town: &mut Town, who: &str) -> String {
    town.event(who, |event| match event {
        Event::Subscriber { told: SubscriberTold::Notified { request, .. }, .. } => {
            Some(String::from_utf8(request.body().to_vec()).unwrap())
        }
        _ => None,
    })
}

const SUBSCRIBED: Flow = Flow {
    section: "RFC 6665, Section 1.1",
    title: "A subscription and its notifications",
    figure: 6,
    ladder: "
        F1  SUBSCRIBE alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice expires=3600 event=presence
        F2  200 SUBSCRIBE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob expires=3600
        F3  NOTIFY bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta contact=bob event=presence state=active;expires=3600 body=application/pidf+xml
        F4  200 NOTIFY alice -> bob | A bob>alice cseq=1 vias=1
        F5  NOTIFY bob -> alice | A bob>alice cseq=2 vias=1 uri=alice@client.atlanta contact=bob event=presence state=active;expires=3589 body=application/pidf+xml
        F6  200 NOTIFY alice -> bob | A bob>alice cseq=2 vias=1
    ",
    differs: &[],
};

#[test]
fn subscribed() {
    let mut town = town(&["alice", "bob"]);
    town.agent("bob").set_packages(vec![Package::new("presence", PIDF)]).unwrap();
    let outbound = direct("alice", "bob");
    let watcher = town.at("alice", |alice, now| alice.subscribe(&outbound, presence(), |_| {}, now).unwrap());
    let id = town.event("bob", |event| match event {
        Event::SubscriptionWanted { id, .. } => Some(*id),
        _ => None,
    });
    let admission = Admission::Granted(state("open"));
    let subscription = town.at("bob", |bob, now| bob.grant_subscription(id, admission, now).unwrap());
    assert_eq!(notified(&mut town, "alice"), "open");
    town.run(Micros::from_secs(10));
    town.at("bob", |bob, now| bob.change_state(subscription, state("closed"), now));
    assert_eq!(notified(&mut town, "alice"), "closed");
    SUBSCRIBED.is_shown(&town.take_lines());
    town.at("alice", |alice, now| alice.unsubscribe(watcher, now).unwrap());
    town.ends_empty();
}

const REFERRED: Flow = Flow {
    section: "RFC 3515, Section 4.1",
    title: "Prototypical REFER callflow",
    figure: 6,
    ladder: "
        F1  REFER alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice refer-to=carol@client.chicago referred-by=alice@atlanta
        F2  200 REFER bob -> alice | A alice>bob cseq=1 vias=1 contact=bob
        F3  NOTIFY bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta contact=bob event=refer state=active;expires=300 frag=\"SIP/2.0 100 Trying\"
        a   INVITE bob -> carol | B bob.2>- cseq=1 vias=1 uri=carol@client.chicago contact=bob referred-by=alice@atlanta sdp=bob:audio:sendrecv
        F4  200 NOTIFY alice -> bob | A bob>alice cseq=1 vias=1
        100 100 INVITE carol -> bob | B bob.2>- cseq=1 vias=1
        b   200 INVITE carol -> bob | B bob.2>carol cseq=1 vias=1 contact=carol sdp=carol:audio:sendrecv
        c   ACK bob -> carol | B bob.2>carol cseq=1 vias=1 uri=carol@client.chicago
        F5  NOTIFY bob -> alice | A bob>alice cseq=2 vias=1 uri=alice@client.atlanta contact=bob event=refer state=terminated;reason=noresource frag=\"SIP/2.0 200 OK\"
        F6  200 NOTIFY alice -> bob | A bob>alice cseq=2 vias=1
    ",
    differs: &[
        ("F2", ACCEPTED),
        ("a b c", "a call, for what the figure leaves open"),
    ],
};

#[test]
fn referred() {
    let mut town = town(&["alice", "bob", "carol"]);
    let outbound = direct("alice", "bob");
    let refer_to = format!("<{}>", contact("carol"));
    town.at("alice", |alice, now| {
        alice.refer_outside(&outbound, &refer_to, None, ReferSubscription::Implicit, now).unwrap();
    });
    let id = town.event("bob", |event| match event {
        Event::ReferWanted { id, .. } => Some(*id),
        _ => None,
    });
    town.at("bob", |bob, now| bob.follow(id, &aor("bob"), sound("bob"), now).unwrap());
    let carol = town.incoming("carol");
    town.answers("carol", carol);
    town.run(Micros::from_secs(2));
    REFERRED.is_shown(&town.take_lines());
    town.hangs_up("carol", carol);
    town.ends_empty();
}

const PUBLISHED: Flow = Flow {
    section: "RFC 3903, Section 15",
    title: "Publishing presence to an agent that somebody watches",
    figure: 14,
    ladder: "
        F1  SUBSCRIBE alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice expires=3600 event=presence
        F2  200 SUBSCRIBE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob expires=3600
        F3  NOTIFY bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta contact=bob event=presence state=active;expires=3600 body=application/pidf+xml
        F4  200 NOTIFY alice -> bob | A bob>alice cseq=1 vias=1
        F5  PUBLISH pc -> bob | B pc>- cseq=1 vias=1 uri=bob@client.biloxi expires=3600 event=presence body=application/pidf+xml
        F6  200 PUBLISH bob -> pc | B pc>bob.2 cseq=1 vias=1 expires=1800 etag=v1
        F7  NOTIFY bob -> alice | A bob>alice cseq=2 vias=1 uri=alice@client.atlanta contact=bob event=presence state=active;expires=3599 body=application/pidf+xml
        F8  200 NOTIFY alice -> bob | A bob>alice cseq=2 vias=1
        F9  PUBLISH pc -> bob | B pc>- cseq=2 vias=1 uri=bob@client.biloxi expires=3600 event=presence if-match=v1
        F10 200 PUBLISH bob -> pc | B pc>bob.3 cseq=2 vias=1 expires=1800 etag=v2
        F11 PUBLISH pc -> bob | B pc>- cseq=3 vias=1 uri=bob@client.biloxi expires=3600 event=presence if-match=v2 body=application/pidf+xml
        F12 200 PUBLISH bob -> pc | B pc>bob.4 cseq=3 vias=1 expires=1800 etag=v3
        F13 NOTIFY bob -> alice | A bob>alice cseq=3 vias=1 uri=alice@client.atlanta contact=bob event=presence state=active;expires=1978 body=application/pidf+xml
        F14 200 NOTIFY alice -> bob | A bob>alice cseq=3 vias=1
    ",
    differs: &[
        ("F9 F11", "a publication of ours keeps its Call-ID, and its CSeq goes up"),
        ("F12", "for 1800 s again"),
    ],
};

/// The agent takes in what was published: it keeps it, and gives it a new tag each time.
fn compose(town: &mut Town, held: &mut String) {
    let (id, request) = town.event("bob", |event| match event {
        Event::Request { id, request, .. } => Some((*id, request.clone())),
        _ => None,
    });
    let ruling = rule_publish(&request, &[Package::new("presence", PIDF)], |tag| tag == held.as_bytes()).unwrap();
    let count: u32 = held.trim_start_matches('v').parse().unwrap_or(0);
    *held = format!("v{}", count + 1);
    let (seconds, tag) = (ruling.expires_secs.min(1_800), SipEtag::new(&*held));
    town.at("bob", |bob, now| {
        bob.respond(id, StatusCode::Ok, |r| r.expires_seconds(seconds).header(tag), now).unwrap()
    });
    let told = town.event("pc", |event| match event {
        Event::Publication { told, .. } => Some(*told),
        _ => None,
    });
    assert_eq!(told, PublicationTold::Published);
}

#[test]
fn published() {
    let mut town = town(&["pc", "bob", "alice"]);
    town.agent("bob").set_packages(vec![Package::new("presence", PIDF)]).unwrap();
    let outbound = direct("alice", "bob");
    let watcher = town.at("alice", |alice, now| alice.subscribe(&outbound, presence(), |_| {}, now).unwrap());
    let id = town.event("bob", |event| match event {
        Event::SubscriptionWanted { id, .. } => Some(*id),
        _ => None,
    });
    let admission = Admission::Granted(state("closed"));
    let subscription = town.at("bob", |bob, now| bob.grant_subscription(id, admission, now).unwrap());
    let (mut held, outbound) = (String::new(), direct("pc", "bob"));
    let publication = town.at("pc", |pc, now| pc.publish(&outbound, presence(), 3_600, state("open"), now).unwrap());
    compose(&mut town, &mut held);
    town.at("bob", |bob, now| bob.change_state(subscription, state("open"), now));
    town.wait_for("bob", |event| matches!(event, Event::Request { .. }));
    compose(&mut town, &mut held);
    town.at("pc", |pc, now| pc.republish(publication, state("closed"), now).unwrap());
    compose(&mut town, &mut held);
    town.at("bob", |bob, now| bob.change_state(subscription, state("closed"), now));
    PUBLISHED.is_shown(&town.take_lines());
    assert_eq!([(); 3].map(|()| notified(&mut town, "alice")), ["closed", "open", "closed"]);
    town.at("pc", |pc, now| pc.unpublish(publication, now).unwrap());
    town.at("alice", |alice, now| alice.unsubscribe(watcher, now).unwrap());
    town.run(Micros::from_secs(60));
}
