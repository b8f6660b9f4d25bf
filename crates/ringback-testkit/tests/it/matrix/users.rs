//! What people say.

use ringback_base::Micros;
use ringback_message::header::{RetryAfter, Warning};
use ringback_message::{ResponseBuilder, StatusCode};
use ringback_ua::Failure;

use super::{domain, failure, gave_up, rows, to, two_phones};
use crate::flows::town::{Town, contact, direct};

rows! {
    486 busy_here [RetryAfter] "tells the application, and when to try again; a call that is ready to wait so long waits, and tries again"
    600 busy_everywhere [RetryAfter] "tells the application; the proxy has asked none of the other phones"
    603 decline [] "tells the application; the proxy has asked none of the other phones"
    606 not_acceptable_anywhere [Warning] "tells the application what doesn't suit; it may offer something else"
    607 unwanted [] "tells the application, and never calls again by itself"
}

/// Bob says so on his phone; what Alice's is told.
fn refuses(
    status: StatusCode,
    fill: fn(ResponseBuilder<'_>) -> ResponseBuilder<'_>,
) -> (Town, ringback_message::Response) {
    let mut town = two_phones();
    town.calls("alice", &direct("alice", "bob"));
    let bob = town.rings("bob");
    town.at("bob", |agent, now| agent.reject(bob, status, fill, now).unwrap());
    let Failure::Refused(response) = failure(&mut town, "alice") else { panic!("no response") };
    assert_eq!(response.status(), status);
    let sent = town.sent.len();
    town.run(Micros::from_secs(300));
    assert_eq!(town.sent.len(), sent, "nobody tries anything");
    (town, *response)
}

/// Bob has a second phone, which the proxy would try next. His first one says this.
fn refuses_for_all(status: StatusCode, fill: fn(ResponseBuilder<'_>) -> ResponseBuilder<'_>) -> Town {
    let mut town = domain(|config| config.open = true);
    town.phone("bob2");
    town.binds("ss2", "bob", &contact("bob2"), Some("0.1"));
    town.calls("bill", &to("bob"));
    let bob = town.rings("bob");
    town.at("bob", |agent, now| agent.reject(bob, status, fill, now).unwrap());
    assert_eq!(failure(&mut town, "bill").status(), status);
    assert!(!town.sent.iter().any(|(_, to, _)| *to == "bob2"), "no other target is tried");
    town
}

fn after_half_an_hour(response: ResponseBuilder<'_>) -> ResponseBuilder<'_> {
    response.header(RetryAfter::new(1_800))
}

fn busy_here() -> Town {
    let (mut town, response) = refuses(StatusCode::BusyHere, after_half_an_hour);
    assert_eq!(response.get::<RetryAfter<&[u8]>>().unwrap().unwrap().seconds, 1_800);
    // Whoever is ready to wait is called back to it.
    town.calls("alice", &direct("alice", "bob").wait_at_most(3_600));
    let bob = town.rings("bob");
    town.at("bob", |agent, now| agent.reject(bob, StatusCode::BusyHere, after_half_an_hour, now).unwrap());
    town.wait_for("bob", |event| matches!(event, ringback_ua::Event::Incoming { .. }));
    let bob = town.rings("bob");
    town.answers("bob", bob);
    town.answered("alice");
    town.hangs_up("bob", bob);
    town
}

fn busy_everywhere() -> Town {
    refuses_for_all(StatusCode::BusyEverywhere, after_half_an_hour)
}

fn decline() -> Town {
    refuses_for_all(StatusCode::Decline, |response| response)
}

fn not_acceptable_anywhere() -> Town {
    refuses(StatusCode::NotAcceptableAnywhere, |response| {
        response.header(Warning::new(304, "client.biloxi.example.com", "Only video calls please"))
    })
    .0
}

fn unwanted() -> Town {
    refuses(StatusCode::Unwanted, |response| response).0
}

/// What nobody of ours sends: an element that isn't ours has said it, in the place of what Bob's phone said.
#[test]
fn what_only_others_send_is_taken_for_a_failure_of_its_class() {
    let said: [(u16, crate::flows::town::Damage); 3] = [
        (402, |text| text.replace("486 Busy Here", "402 Payment Required")),
        (409, |text| text.replace("486 Busy Here", "409 Conflict")),
        (411, |text| text.replace("486 Busy Here", "411 Length Required")),
    ];
    for (code, damage) in said {
        let mut town = two_phones();
        town.calls("alice", &direct("alice", "bob"));
        let bob = town.rings("bob");
        town.damaged.push(("486 INVITE bob", damage));
        town.at("bob", |agent, now| agent.reject(bob, StatusCode::BusyHere, |r| r, now).unwrap());
        gave_up(&mut town, "alice", code);
        town.ends_empty();
    }
}
