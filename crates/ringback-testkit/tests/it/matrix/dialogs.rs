//! What user agents refuse by themselves: what doesn't fit, and what doesn't fit now.

use ringback_base::Micros;
use ringback_message::body::NewPart;
use ringback_message::header::InfoPackage;
use ringback_message::{HeaderId, Method, StatusCode};
use ringback_sdp::Origin;
use ringback_sdp::negotiate::{Codec, Endpoint, HoldForm, LocalMedia};
use ringback_ua::{CommandError, EndReason, Event, Failure, Media, MediaError, Outbound};

use super::{failure, gave_up, response, rows, two_phones};
use crate::flows::town::{Town, direct, sound};

rows! {
    415 unsupported_media_type [Accept AcceptEncoding] "gives up, and tells which types would do"
    469 bad_info_package [RecvInfo] "keeps the call, and tells which packages would do"
    481 does_not_exist [] "takes the call for over"
    487 request_terminated [] "has what it wanted"
    488 not_acceptable_here [Warning] "gives up, and tells why; the application offers something else"
    491 request_pending [] "waits for a time drawn by chance, shorter where it didn't choose the Call-ID, and offers again"
}

/// Alice calls with a text in the place of a description.
fn unsupported_media_type() -> Town {
    let mut town = two_phones();
    let parts = vec![NewPart::new("text/plain", &b"call me"[..])];
    let outbound = Outbound { parts, ..direct("alice", "bob") };
    town.at("alice", |alice, now| alice.invite(&outbound, Media::None, now).unwrap());
    gave_up(&mut town, "alice", 415);
    town
}

fn bad_info_package() -> Town {
    let mut town = Town::new();
    town.phone("alice");
    town.phone_with("bob", |config| config.info_packages = vec!["dtmf".into()]);
    let (alice, bob) = town.call("alice", "bob", &direct("alice", "bob"));
    for (package, code) in [("lamps", 469), ("dtmf", 200)] {
        let package = InfoPackage::new(package);
        town.at("alice", |agent, now| agent.request(alice, Method::Info, |r| r.header(package), now).unwrap());
        if code == 200 {
            let id = town.event("bob", |event| match event {
                Event::Request { id, .. } => Some(*id),
                _ => None,
            });
            town.at("bob", |bob, now| bob.respond(id, StatusCode::Ok, |r| r, now).unwrap());
        }
        let response = response(&mut town, "alice");
        assert_eq!(response.status().as_u16(), code);
        assert_eq!(response.has_token(HeaderId::RecvInfo, "dtmf"), code == 469);
    }
    town.hangs_up("bob", bob);
    town
}

/// Bob hangs up, Alice doesn't hear of it yet, and asks for something.
fn does_not_exist() -> Town {
    let mut town = two_phones();
    let (alice, bob) = town.call("alice", "bob", &direct("alice", "bob"));
    town.lost = vec!["BYE bob"];
    town.hangs_up("bob", bob);
    town.at("alice", |agent, now| agent.request(alice, Method::Info, |r| r, now).unwrap());
    assert_eq!(response(&mut town, "alice").status().as_u16(), 481);
    let EndReason::Gone(failure) = town.ended("alice") else { panic!("not for that") };
    assert_eq!(failure.status().as_u16(), 481);
    assert!(town.agent("alice").dialog(alice).is_none());
    town
}

fn request_terminated() -> Town {
    let mut town = two_phones();
    let invite = town.calls("alice", &direct("alice", "bob"));
    town.rings("bob");
    town.at("alice", |alice, now| alice.cancel(invite, None, now).unwrap());
    assert_eq!(town.ended("bob"), EndReason::Cancelled);
    gave_up(&mut town, "alice", 487);
    town
}

/// Bob's phone has another codec than Alice's.
fn not_acceptable_here() -> Town {
    let mut town = two_phones();
    town.calls("alice", &direct("alice", "bob"));
    let bob = town.incoming("bob");
    let origin = Origin::parse("bob 2890844527 1 IN IP4 client.biloxi.example.com").unwrap();
    let other = Endpoint::new(origin, "192.0.2.201").media(LocalMedia::audio(49_172).codec(Codec::pcma()));
    town.at("bob", |agent, now| {
        let Err(CommandError::Media(MediaError::Refused(refusal))) = agent.answer(bob, Media::Endpoint(other), now)
        else {
            panic!("it fits")
        };
        agent.refuse(bob, &refusal, now).unwrap();
    });
    let Failure::Refused(response) = failure(&mut town, "alice") else { panic!("no response") };
    assert_eq!(response.status().as_u16(), 488);
    town
}

/// Both change the call at the same time.
fn request_pending() -> Town {
    let mut town = two_phones();
    let (alice, bob) = town.call("alice", "bob", &direct("alice", "bob"));
    for (who, session) in [("alice", alice), ("bob", bob)] {
        let offer = town.agent(who).media(session).unwrap().hold(HoldForm::Direction).unwrap();
        let now = town.now;
        town.agent(who).reinvite(session, Media::Offer(offer), now).unwrap();
    }
    for who in ["alice", "bob"] {
        town.wait_for(who, |event| matches!(event, Event::Offered { .. }));
        let session = town.event(who, |event| match event {
            Event::Offered { session, .. } => Some(*session),
            _ => None,
        });
        town.at(who, |agent, now| agent.accept(session, sound(who), now).unwrap());
    }
    town.run(Micros::from_secs(1));
    town.hangs_up("alice", alice);
    town
}
