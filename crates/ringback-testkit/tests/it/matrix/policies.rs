//! What a user agent is set up to refuse.

use ringback_base::Micros;
use ringback_message::body::NewPart;
use ringback_message::header::{AcceptResourcePriority, HeaderValue, Require, ResourcePriority, TypedHeader};
use ringback_message::{HeaderId, StatusCode};
use ringback_sdp::Origin;
use ringback_sdp::attribute::ResourceDirection;
use ringback_sdp::negotiate::{Codec, Endpoint, LocalMedia};
use ringback_ua::{CommandError, Config, Failure, Media, MediaError, Outbound};

use super::{failure, gave_up, rows};
use crate::flows::town::{Town, aor, contact, direct};

rows! {
    305 use_proxy [Contact] "calls again through the proxy that is named, to the same URI"
    413 request_entity_too_large [] "gives up; the application calls with less"
    417 unknown_resource_priority [AcceptResourcePriority] "tells which priorities are known; the application calls with one of them, or with none"
    421 extension_required [Require] "gives up, and tells which extension it lacks"
    429 provide_referrer_identity [] "tells who referred it that a proof is wanted"
    493 undecipherable [] "gives up; the application calls in clear, or with a key that is there"
    580 precondition_failure [] "gives up; the application calls without that condition"
}

/// Alice and Bob, whose phone is set up like this.
fn town(change: impl FnOnce(&mut Config)) -> Town {
    let mut town = Town::new();
    town.phone("alice");
    town.phone_with("bob", change);
    town
}

/// This call gets through.
fn gets_through(town: &mut Town, outbound: &Outbound) {
    let (alice, _) = town.call("alice", "bob", outbound);
    town.hangs_up("alice", alice);
}

/// Bob takes calls through the proxy of his domain only.
fn use_proxy() -> Town {
    let mut town = town(|config| config.use_proxy = Some("sip:ss2.biloxi.example.com".into()));
    town.server("ss2");
    town.binds("ss2", "bob", &contact("bob"), None);
    let outbound = Outbound::new(&aor("alice"), &aor("bob"));
    let outbound = Outbound { routes: vec![format!("{};lr", contact("bob"))], ..outbound };
    town.calls("alice", &outbound);
    let Failure::Refused(response) = failure(&mut town, "alice") else { panic!("no response") };
    let proxy = response.addresses(HeaderId::Contact).next().unwrap().unwrap();
    let mut route = Vec::new();
    proxy.uri.write(&mut route);
    let route = format!("{};lr", String::from_utf8(route).unwrap());
    let through = Outbound { routes: vec![route], ..outbound };
    gets_through(&mut town, &through);
    town
}

/// Alice sends a picture with her call.
fn request_entity_too_large() -> Town {
    let mut town = town(|config| config.body_bytes_max = 4_096);
    let picture = NewPart::new("image/png", vec![b'p'; 8_000]).header(HeaderId::ContentDisposition, "icon");
    town.calls("alice", &Outbound { parts: vec![picture], ..direct("alice", "bob") });
    gave_up(&mut town, "alice", 413);
    gets_through(&mut town, &direct("alice", "bob"));
    town
}

fn unknown_resource_priority() -> Town {
    let mut town = town(|config| config.resource_priorities = vec!["ets.0".into(), "ets.1".into()]);
    let urgent = |namespace: &str, priority: &str| {
        let priority = ResourcePriority::new(namespace, priority);
        direct("alice", "bob").with(Require::new(["resource-priority"])).with(priority)
    };
    town.calls("alice", &urgent("dsn", "flash"));
    let Failure::Refused(response) = failure(&mut town, "alice") else { panic!("no response") };
    let known: Vec<_> = response.values::<AcceptResourcePriority<&[u8]>>().flatten().collect();
    assert_eq!(known.len(), 2);
    assert!(known[0].is("ets", "0"));
    gets_through(&mut town, &urgent("ets", "1"));
    town
}

/// Bob's company wants to know who really calls.
fn extension_required() -> Town {
    let mut town = town(|config| config.required = vec!["100rel".into(), "eventlist".into()]);
    town.calls("alice", &direct("alice", "bob"));
    let Failure::Refused(response) = failure(&mut town, "alice") else { panic!("no response") };
    assert!(response.has_token(HeaderId::Require, "eventlist") && !response.has_token(HeaderId::Require, "100rel"));
    town.run(Micros::from_secs(60));
    town
}

/// Carol says that Alice was referred by her; there is nothing to prove it by.
fn provide_referrer_identity() -> Town {
    let mut town = town(|config| config.wants_referrer_proof = true);
    let referred = |proof: &str| {
        let by = format!("<{}>{proof}", aor("carol"));
        direct("alice", "bob").with(TypedHeader::Other(HeaderId::ReferredBy.into(), HeaderValue::Text(by)))
    };
    town.calls("alice", &referred(""));
    gave_up(&mut town, "alice", 429);
    let token = NewPart::new("message/sipfrag", &b"Date: Sat, 21 Nov 2026 12:00:00 GMT\r\n"[..])
        .header(HeaderId::ContentId, "<token@chicago.example.com>")
        .header(HeaderId::ContentDisposition, "aib;handling=optional");
    let proven = referred(";cid=\"token@chicago.example.com\"");
    gets_through(&mut town, &Outbound { parts: vec![token], ..proven });
    town
}

fn undecipherable() -> Town {
    let mut town = town(|_| {});
    let secret = NewPart::new("application/pkcs7-mime;smime-type=enveloped-data", &b"\x30\x80"[..]);
    let outbound = Outbound { parts: vec![secret], ..direct("alice", "bob") };
    town.at("alice", |alice, now| alice.invite(&outbound, Media::None, now).unwrap());
    gave_up(&mut town, "alice", 493);
    gets_through(&mut town, &direct("alice", "bob"));
    town
}

/// Alice wants the media to be secured before it rings, in a way that Bob's phone doesn't know.
fn precondition_failure() -> Town {
    let mut town = town(|config| config.supported.push("precondition".into()));
    let media = |name: &str, ip: &str| {
        let origin = Origin::parse(&format!("{name} 2890844527 1 IN IP4 {ip}")).unwrap();
        let audio = LocalMedia::audio(49_172).codec(Codec::pcmu()).resources(ResourceDirection::SendRecv);
        (Endpoint::new(origin, ip), audio)
    };
    let (alice, audio) = media("alice", "192.0.2.101");
    let audio = audio.attribute("curr", Some("sec e2e none")).attribute("des", Some("sec mandatory e2e sendrecv"));
    let outbound = direct("alice", "bob").with(Require::new(["precondition"]));
    town.at("alice", |agent, now| agent.invite(&outbound, Media::Endpoint(alice.media(audio)), now).unwrap());
    let session = town.incoming("bob");
    let (bob, audio) = media("bob", "192.0.2.201");
    town.at("bob", |agent, now| {
        let Err(CommandError::Media(MediaError::Refused(refusal))) =
            agent.ring(session, StatusCode::SessionProgress, Media::Endpoint(bob.media(audio)), now)
        else {
            panic!("it can be met")
        };
        agent.refuse(session, &refusal, now).unwrap();
    });
    gave_up(&mut town, "alice", 580);
    gets_through(&mut town, &direct("alice", "bob"));
    town
}
