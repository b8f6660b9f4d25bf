//! 3xx.

use ringback_base::Micros;
use ringback_message::{HeaderId, StatusCode};
use ringback_ua::Failure;

use super::{domain, failure, rows, to, two_phones};
use crate::flows::town::{Town, contact, direct};

rows! {
    302 moved_temporarily [Contact] "goes to the contact that is preferred, with the next CSeq"
    380 alternative_service [ContentType Contact] "asks nobody else by itself: what is said, and where, is for the application, which asks its user"
}

fn moved_temporarily() -> Town {
    let mut town = domain(|config| {
        config.open = true;
        config.redirect = true;
    });
    town.calls("bill", &to("bob").follow_redirects(1));
    let bob = town.rings("bob");
    town.answers("bob", bob);
    town.answered("bill");
    town.hangs_up("bob", bob);
    town
}

/// Bob can't talk, but his mailbox takes messages.
fn alternative_service() -> Town {
    let mut town = two_phones();
    town.phone("park");
    town.calls("alice", &direct("alice", "bob"));
    let bob = town.incoming("bob");
    let mailbox = format!("<{}>", contact("park"));
    town.at("bob", |agent, now| {
        let says = "Leave a message in my mailbox.";
        agent
            .reject(
                bob,
                StatusCode::AlternativeService,
                |r| r.raw(HeaderId::Contact, mailbox).content_type("text/plain").body(says),
                now,
            )
            .unwrap();
    });
    let Failure::Refused(response) = failure(&mut town, "alice") else { panic!("no response") };
    assert_eq!(response.body(), b"Leave a message in my mailbox.");
    // Alice agrees.
    let next = direct("alice", "bob").redirected(&response).unwrap();
    town.calls("alice", &next);
    let park = town.incoming("park");
    town.answers("park", park);
    town.answered("alice");
    town.run(Micros::from_secs(3));
    town.hangs_up("park", park);
    town
}
