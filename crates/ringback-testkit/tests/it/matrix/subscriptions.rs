//! Subscriptions and publications.

use ringback_base::Micros;
use ringback_message::header::{self, SipEtag};
use ringback_message::{HeaderId, Method, StatusCode};
use ringback_ua::{Event, EventState, Package, PublicationTold, SubscriberTold, SubscriptionEndReason, rule_publish};

use super::{requests_len, rows, two_phones};
use crate::flows::town::{Town, direct};

rows! {
    406 not_acceptable [] "tells that the subscription is over; the application asks for a type that is there"
    412 conditional_request_failed [] "forgets the entity tag, and publishes the whole state anew"
    489 bad_event [AllowEvents] "tells that the subscription is over, and doesn't ask for this package again"
}

const PIDF: &str = "application/pidf+xml";

/// Alice watches this of Bob, in this type; the code by which it ended.
fn refused(package: &'static str, accept: &'static str) -> (Town, u16) {
    let mut town = two_phones();
    town.agent("bob").set_packages(vec![Package::new("presence", PIDF)]).unwrap();
    let (outbound, event) = (direct("alice", "bob"), header::Event::new(package));
    let change = |config: &mut ringback_ua::SubscriberConfig| config.accept = accept.into();
    town.at("alice", |alice, now| alice.subscribe(&outbound, event, change, now).unwrap());
    let code = town.event("alice", |event| match event {
        Event::Subscriber { told: SubscriberTold::Ended { end, .. }, .. } => match end.reason {
            SubscriptionEndReason::Refused { status, .. } => Some(status.as_u16()),
            _ => None,
        },
        _ => None,
    });
    town.run(Micros::from_secs(600));
    assert_eq!(requests_len(&town, "alice"), 1);
    (town, code)
}

fn not_acceptable() -> Town {
    let (town, code) = refused("presence", "application/xpidf+xml");
    assert_eq!(code, 406);
    town
}

fn bad_event() -> Town {
    let (town, code) = refused("dialog", "");
    assert_eq!(code, 489);
    town
}

/// Bob's phone holds what Alice publishes under this tag, if it does.
fn compose(town: &mut Town, held: &str) -> Option<StatusCode> {
    let (id, request) = town.event("bob", |event| match event {
        Event::Request { id, request, .. } => Some((*id, request.clone())),
        _ => None,
    });
    match rule_publish(&request, &[Package::new("presence", PIDF)], |tag| tag == held.as_bytes()) {
        Ok(ruling) => {
            let (seconds, tag) = (ruling.expires_secs, SipEtag::new("v1"));
            town.at("bob", |bob, now| {
                bob.respond(id, StatusCode::Ok, |r| r.expires_seconds(seconds).header(tag), now).unwrap();
            });
            None
        }
        Err(refusal) => {
            town.at("bob", |bob, now| bob.respond(id, refusal.status, |r| r, now).unwrap());
            Some(refusal.status)
        }
    }
}

/// Bob's phone was restarted, and has nothing any more of what Alice has published.
fn conditional_request_failed() -> Town {
    let mut town = Town::new();
    town.phone("alice");
    town.phone_with("bob", |config| config.allow.push(Method::Publish));
    let (outbound, event) = (direct("alice", "bob"), header::Event::new("presence"));
    let state = || EventState::new(PIDF, &b"open"[..]);
    let published = town.at("alice", |alice, now| alice.publish(&outbound, event, 3_600, state(), now).unwrap());
    assert_eq!(compose(&mut town, ""), None);
    town.at("alice", |alice, now| alice.republish(published, state(), now).unwrap());
    assert_eq!(compose(&mut town, ""), Some(StatusCode::ConditionalRequestFailed));
    assert_eq!(compose(&mut town, ""), None);
    let last = town.sent.iter().rfind(|(from, _, message)| *from == "alice" && message.is_request()).unwrap();
    assert!(last.2.first(HeaderId::SipIfMatch).is_none() && last.2.body() == b"open");
    for _ in 0..2 {
        town.event("alice", |event| match event {
            Event::Publication { told: PublicationTold::Published, .. } => Some(()),
            _ => None,
        });
    }
    town.at("alice", |alice, now| alice.unpublish(published, now).unwrap());
    assert_eq!(compose(&mut town, "v1"), None);
    town
}
