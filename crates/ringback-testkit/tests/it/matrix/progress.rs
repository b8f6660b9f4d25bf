//! 1xx and 2xx.

use ringback_base::Micros;
use ringback_message::{HeaderId, Method, Response, StatusCode};
use ringback_ua::{Admission, Condition, Event, EventState, Media, Package, SessionId, SubscriberTold};

use super::{open_domain, requests_len, response, rows, to, two_phones};
use crate::flows::town::{Town, aor, direct, sound};

rows! {
    100 trying [] "waits, and doesn't repeat the INVITE"
    180 ringing [Contact] "tells the application that it rings, and keeps the early dialog"
    181 forwarded [Contact] "tells the application, and waits on"
    182 queued [Contact] "tells the application each time, and waits on"
    183 session_progress [Contact ContentType] "takes the answer: the media flow before the call is answered"
    200 ok [Contact ContentType] "acknowledges it, and the session stands"
    202 accepted [] "takes it for a 200: the message is out of its hands"
    204 no_notification [Expires] "takes the new interval, and waits for no NOTIFY"
}

fn progress(town: &mut Town, status: StatusCode) -> (Option<SessionId>, Response) {
    town.event("alice", |event| match event {
        Event::Progress { session, response, .. } if response.status() == status => Some((*session, response.clone())),
        _ => None,
    })
}

fn says(town: &mut Town, session: SessionId, status: StatusCode, media: Media) {
    town.at("bob", |bob, now| bob.ring(session, status, media, now).unwrap());
}

/// Bob doesn't pick up for a while. What he is told once, he is told once.
fn trying() -> Town {
    let mut town = open_domain();
    town.dead = vec!["bob"];
    town.calls("bill", &to("bob"));
    town.run(Micros::from_secs(20));
    let is_told = |event: &Event| matches!(event, Event::Progress { response, session: None, .. } if response.status() == StatusCode::Trying);
    town.event("bill", |event| is_told(event).then_some(()));
    assert_eq!(requests_len(&town, "bill"), 1);
    assert!(requests_len(&town, "ss2") > 5, "the server repeats it, which has no answer itself");
    town
}

fn ringing() -> Town {
    let mut town = two_phones();
    town.calls("alice", &direct("alice", "bob"));
    let bob = town.rings("bob");
    let (alice, _) = progress(&mut town, StatusCode::Ringing);
    assert!(!town.agent("alice").dialog(alice.unwrap()).unwrap().is_confirmed());
    town.answers("bob", bob);
    assert_eq!(town.answered("alice"), alice.unwrap());
    town.hangs_up("bob", bob);
    town
}

/// Bob's calls go to Carol now: his phone calls her, and answers when she does.
fn forwarded() -> Town {
    let mut town = two_phones();
    town.phone("carol");
    town.calls("alice", &direct("alice", "bob"));
    let bob = town.incoming("bob");
    says(&mut town, bob, StatusCode::CallIsBeingForwarded, Media::None);
    town.calls("bob", &direct("bob", "carol"));
    assert!(progress(&mut town, StatusCode::CallIsBeingForwarded).0.is_some());
    let carol = town.rings("carol");
    town.answers("carol", carol);
    town.answered("bob");
    town.answers("bob", bob);
    let alice = town.answered("alice");
    town.hangs_up("carol", carol);
    town.hangs_up("alice", alice);
    town
}

/// Two calls are before Alice's, then one.
fn queued() -> Town {
    let mut town = two_phones();
    town.calls("alice", &direct("alice", "bob"));
    let bob = town.incoming("bob");
    for _ in 0..2 {
        says(&mut town, bob, StatusCode::Queued, Media::None);
        town.run(Micros::from_secs(30));
        progress(&mut town, StatusCode::Queued);
    }
    says(&mut town, bob, StatusCode::Ringing, Media::None);
    town.answers("bob", bob);
    town.answered("alice");
    town.hangs_up("bob", bob);
    town
}

fn session_progress() -> Town {
    let mut town = Town::new();
    town.phone("alice");
    town.phone_with("bob", |config| config.reliable_provisionals = true);
    town.calls("alice", &direct("alice", "bob"));
    let bob = town.incoming("bob");
    says(&mut town, bob, StatusCode::SessionProgress, sound("bob"));
    let (alice, response) = progress(&mut town, StatusCode::SessionProgress);
    assert!(response.first(HeaderId::RSeq).is_some());
    assert!(town.agent("alice").media(alice.unwrap()).is_some());
    town.answers_bare("bob", bob);
    town.answered("alice");
    town.hangs_up("bob", bob);
    town
}

fn ok() -> Town {
    let mut town = two_phones();
    let (alice, bob) = town.call("alice", "bob", &direct("alice", "bob"));
    town.event("bob", |event| matches!(event, Event::Confirmed { .. }).then_some(()));
    assert!(town.agent("alice").media(alice).is_some() && town.agent("bob").media(bob).is_some());
    town.hangs_up("alice", alice);
    town
}

/// Carol is out; Bob's phone, which takes her messages, brings it to her when she is back.
fn accepted() -> Town {
    let mut town = two_phones();
    town.phone("carol");
    let to_carol =
        ringback_ua::Outbound { request_uri: direct("alice", "bob").request_uri, ..direct("alice", "carol") };
    let text = |request: ringback_message::RequestBuilder| request.content_type("text/plain").body("dinner?");
    town.at("alice", |alice, now| alice.request_outside(&to_carol, Method::Message, text, now).unwrap());
    let (id, message) = town.event("bob", |event| match event {
        Event::Request { id, request, .. } => Some((*id, request.clone())),
        _ => None,
    });
    town.at("bob", |bob, now| bob.respond(id, StatusCode::Accepted, |r| r, now).unwrap());
    assert!(response(&mut town, "alice").status().is_success());
    town.run(Micros::from_secs(600));
    let on = ringback_ua::Outbound { from: aor("alice"), ..direct("bob", "carol") };
    let body = message.body().to_vec();
    town.at("bob", |bob, now| {
        let fill = |request: ringback_message::RequestBuilder| request.content_type("text/plain").body(body);
        bob.request_outside(&on, Method::Message, fill, now).unwrap()
    });
    let id = town.event("carol", |event| match event {
        Event::Request { id, request, .. } => {
            assert_eq!(request.body(), b"dinner?");
            Some(*id)
        }
        _ => None,
    });
    town.at("carol", |carol, now| carol.respond(id, StatusCode::Ok, |r| r, now).unwrap());
    assert_eq!(response(&mut town, "bob").status(), StatusCode::Ok);
    town
}

/// Alice has the state, and asks to be told only if it is another by now.
fn no_notification() -> Town {
    let mut town = two_phones();
    town.agent("bob").set_packages(vec![Package::new("presence", "application/pidf+xml")]).unwrap();
    let presence = ringback_message::header::Event::new("presence");
    let outbound = direct("alice", "bob");
    let watcher = town.at("alice", |alice, now| alice.subscribe(&outbound, presence, |_| {}, now).unwrap());
    let id = town.event("bob", |event| match event {
        Event::SubscriptionWanted { id, .. } => Some(*id),
        _ => None,
    });
    let state = EventState::new("application/pidf+xml", &b"open"[..]).with_etag("v1");
    town.at("bob", |bob, now| bob.grant_subscription(id, Admission::Granted(state), now).unwrap());
    let notified = |town: &mut Town| {
        town.event("alice", |event| match event {
            Event::Subscriber { told: SubscriberTold::Notified { .. }, .. } => Some(()),
            _ => None,
        });
    };
    notified(&mut town);
    let fork = town.agent("alice").subscriber(watcher).unwrap().subscriptions()[0].fork();
    town.run(Micros::from_secs(100));
    let before = requests_len(&town, "bob");
    let expires_at =
        |town: &mut Town| town.agent("alice").subscriber(watcher).unwrap().subscription(fork).unwrap().expires_at();
    let granted = expires_at(&mut town);
    town.at("alice", |alice, now| {
        alice.refresh_subscription(watcher, fork, 3_600, Condition::Current, now).unwrap();
    });
    town.run(Micros::from_secs(60));
    assert_eq!(requests_len(&town, "bob"), before, "no NOTIFY follows");
    assert!(expires_at(&mut town) > granted);
    town.at("alice", |alice, now| alice.unsubscribe(watcher, now).unwrap());
    town
}
