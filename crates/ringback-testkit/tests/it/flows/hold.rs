//! Hold. `[RFC 5359, Section 2]`

use ringback_sdp::negotiate::HoldForm;
use ringback_ua::{Event, Media, Outbound, SessionId};

use super::Flow;
use super::town::{Town, aor, contact, sound};

pub(crate) const FLOWS: &[&Flow] = &[&HOLD, &CONSULTATION];

/// One proxy for all three.
pub(crate) fn one_proxy(phones: &[&'static str]) -> Town {
    let mut town = Town::new();
    let aliases = ["biloxi.example.com", "chicago.example.com"].map(Into::into);
    town.server_with("ss1", |config| {
        config.open = true;
        config.aliases = aliases.into();
    });
    for name in phones {
        town.phone(name);
        town.binds("ss1", name, &contact(name), None);
    }
    town
}

/// From one to another through that proxy.
pub(crate) fn through_proxy(from: &str, to: &str) -> Outbound {
    Outbound { routes: vec!["sip:ss1.atlanta.example.com;lr".into()], ..Outbound::new(&aor(from), &aor(to)) }
}

/// What is heard of the other side stops; the other side agrees by itself.
pub(crate) fn holds(town: &mut Town, who: &str, session: SessionId, other: &str) {
    let offer = town.agent(who).media(session).unwrap().hold(HoldForm::Direction).unwrap();
    changes(town, who, session, Media::Offer(offer), other);
    assert!(town.agent(who).media(session).unwrap().is_held());
}

pub(crate) fn resumes(town: &mut Town, who: &str, session: SessionId, other: &str) {
    let offer = town.agent(who).media(session).unwrap().resume().unwrap();
    changes(town, who, session, Media::Offer(offer), other);
    assert!(!town.agent(who).media(session).unwrap().is_held());
}

pub(crate) fn changes(town: &mut Town, who: &str, session: SessionId, media: Media, other: &str) {
    town.at(who, |agent, now| agent.reinvite(session, media, now).unwrap());
    accepts(town, other);
}

/// What is offered within a call is answered with what there is.
pub(crate) fn accepts(town: &mut Town, who: &str) {
    let session = town.event(who, |event| match event {
        Event::Offered { session, .. } => Some(*session),
        _ => None,
    });
    let media = sound(who);
    town.at(who, |agent, now| agent.accept(session, media, now).unwrap());
}

const HOLD: Flow = Flow {
    section: "RFC 5359, Section 2.1",
    title: "Call Hold",
    figure: 25,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=ss1 contact=alice sdp=alice:audio:sendrecv
        F3  100 INVITE ss1 -> alice | A alice>- cseq=1 vias=1
        F2  INVITE ss1 -> bob | A alice>- cseq=1 vias=2 uri=bob@client.biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> ss1 | A alice>- cseq=1 vias=2
        F4  180 INVITE bob -> ss1 | A alice>bob cseq=1 vias=2 record=ss1 contact=bob
        F5  180 INVITE ss1 -> alice | A alice>bob cseq=1 vias=1 record=ss1 contact=bob
        F6  200 INVITE bob -> ss1 | A alice>bob cseq=1 vias=2 record=ss1 contact=bob sdp=bob:audio:sendrecv
        F7  200 INVITE ss1 -> alice | A alice>bob cseq=1 vias=1 record=ss1 contact=bob sdp=bob:audio:sendrecv
        F8  ACK alice -> ss1 | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi route=ss1
        F9  ACK ss1 -> bob | A alice>bob cseq=1 vias=2 uri=bob@client.biloxi
        F10 INVITE bob -> ss1 | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta route=ss1 contact=bob sdp=bob:audio:sendonly
        100 100 INVITE ss1 -> bob | A bob>alice cseq=1 vias=1
        F11 INVITE ss1 -> alice | A bob>alice cseq=1 vias=2 uri=alice@client.atlanta contact=bob sdp=bob:audio:sendonly
        100 100 INVITE alice -> ss1 | A bob>alice cseq=1 vias=2
        F12 200 INVITE alice -> ss1 | A bob>alice cseq=1 vias=2 contact=alice sdp=alice:audio:recvonly
        F13 200 INVITE ss1 -> bob | A bob>alice cseq=1 vias=1 contact=alice sdp=alice:audio:recvonly
        F14 ACK bob -> ss1 | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta route=ss1
        F15 ACK ss1 -> alice | A bob>alice cseq=1 vias=2 uri=alice@client.atlanta
        F16 INVITE bob -> ss1 | A bob>alice cseq=2 vias=1 uri=alice@client.atlanta route=ss1 contact=bob sdp=bob:audio:sendrecv
        100 100 INVITE ss1 -> bob | A bob>alice cseq=2 vias=1
        F17 INVITE ss1 -> alice | A bob>alice cseq=2 vias=2 uri=alice@client.atlanta contact=bob sdp=bob:audio:sendrecv
        100 100 INVITE alice -> ss1 | A bob>alice cseq=2 vias=2
        F18 200 INVITE alice -> ss1 | A bob>alice cseq=2 vias=2 contact=alice sdp=alice:audio:sendrecv
        F19 200 INVITE ss1 -> bob | A bob>alice cseq=2 vias=1 contact=alice sdp=alice:audio:sendrecv
        F20 ACK bob -> ss1 | A bob>alice cseq=2 vias=1 uri=alice@client.atlanta route=ss1
        F21 ACK ss1 -> alice | A bob>alice cseq=2 vias=2 uri=alice@client.atlanta
        F22 BYE alice -> ss1 | A alice>bob cseq=2 vias=1 uri=bob@client.biloxi route=ss1
        F23 BYE ss1 -> bob | A alice>bob cseq=2 vias=2 uri=bob@client.biloxi
        F24 200 BYE bob -> ss1 | A alice>bob cseq=2 vias=2
        F25 200 BYE ss1 -> alice | A alice>bob cseq=2 vias=1
    ",
    differs: &[],
};

#[test]
fn hold() {
    let mut town = one_proxy(&["alice", "bob"]);
    let (alice, bob) = town.call("alice", "bob", &through_proxy("alice", "bob"));
    holds(&mut town, "bob", bob, "alice");
    resumes(&mut town, "bob", bob, "alice");
    town.hangs_up("alice", alice);
    HOLD.is_played(&mut town);
}

const CONSULTATION: Flow = Flow {
    section: "RFC 5359, Section 2.2",
    title: "Consultation Hold",
    figure: 38,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=ss1 contact=alice sdp=alice:audio:sendrecv
        F3  100 INVITE ss1 -> alice | A alice>- cseq=1 vias=1
        F2  INVITE ss1 -> bob | A alice>- cseq=1 vias=2 uri=bob@client.biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> ss1 | A alice>- cseq=1 vias=2
        F4  180 INVITE bob -> ss1 | A alice>bob cseq=1 vias=2 record=ss1 contact=bob
        F5  180 INVITE ss1 -> alice | A alice>bob cseq=1 vias=1 record=ss1 contact=bob
        F6  200 INVITE bob -> ss1 | A alice>bob cseq=1 vias=2 record=ss1 contact=bob sdp=bob:audio:sendrecv
        F7  200 INVITE ss1 -> alice | A alice>bob cseq=1 vias=1 record=ss1 contact=bob sdp=bob:audio:sendrecv
        F8  ACK alice -> ss1 | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi route=ss1
        F9  ACK ss1 -> bob | A alice>bob cseq=1 vias=2 uri=bob@client.biloxi
        F10 INVITE bob -> ss1 | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta route=ss1 contact=bob sdp=bob:audio:sendonly
        100 100 INVITE ss1 -> bob | A bob>alice cseq=1 vias=1
        F11 INVITE ss1 -> alice | A bob>alice cseq=1 vias=2 uri=alice@client.atlanta contact=bob sdp=bob:audio:sendonly
        100 100 INVITE alice -> ss1 | A bob>alice cseq=1 vias=2
        F12 200 INVITE alice -> ss1 | A bob>alice cseq=1 vias=2 contact=alice sdp=alice:audio:recvonly
        F13 200 INVITE ss1 -> bob | A bob>alice cseq=1 vias=1 contact=alice sdp=alice:audio:recvonly
        F14 ACK bob -> ss1 | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta route=ss1
        F15 ACK ss1 -> alice | A bob>alice cseq=1 vias=2 uri=alice@client.atlanta
        F16 INVITE bob -> ss1 | B bob.2>- cseq=1 vias=1 uri=carol@chicago route=ss1 contact=bob sdp=bob:audio:sendrecv
        F18 100 INVITE ss1 -> bob | B bob.2>- cseq=1 vias=1
        F17 INVITE ss1 -> carol | B bob.2>- cseq=1 vias=2 uri=carol@client.chicago record=ss1 contact=bob sdp=bob:audio:sendrecv
        100 100 INVITE carol -> ss1 | B bob.2>- cseq=1 vias=2
        F19 180 INVITE carol -> ss1 | B bob.2>carol cseq=1 vias=2 record=ss1 contact=carol
        F20 180 INVITE ss1 -> bob | B bob.2>carol cseq=1 vias=1 record=ss1 contact=carol
        F21 200 INVITE carol -> ss1 | B bob.2>carol cseq=1 vias=2 record=ss1 contact=carol sdp=carol:audio:sendrecv
        F22 200 INVITE ss1 -> bob | B bob.2>carol cseq=1 vias=1 record=ss1 contact=carol sdp=carol:audio:sendrecv
        F23 ACK bob -> ss1 | B bob.2>carol cseq=1 vias=1 uri=carol@client.chicago route=ss1
        F24 ACK ss1 -> carol | B bob.2>carol cseq=1 vias=2 uri=carol@client.chicago
        F25 BYE bob -> ss1 | B bob.2>carol cseq=2 vias=1 uri=carol@client.chicago route=ss1
        F26 BYE ss1 -> carol | B bob.2>carol cseq=2 vias=2 uri=carol@client.chicago
        F27 200 BYE carol -> ss1 | B bob.2>carol cseq=2 vias=2
        F28 200 BYE ss1 -> bob | B bob.2>carol cseq=2 vias=1
        F29 INVITE bob -> ss1 | A bob>alice cseq=2 vias=1 uri=alice@client.atlanta route=ss1 contact=bob sdp=bob:audio:sendrecv
        100 100 INVITE ss1 -> bob | A bob>alice cseq=2 vias=1
        F30 INVITE ss1 -> alice | A bob>alice cseq=2 vias=2 uri=alice@client.atlanta contact=bob sdp=bob:audio:sendrecv
        100 100 INVITE alice -> ss1 | A bob>alice cseq=2 vias=2
        F31 200 INVITE alice -> ss1 | A bob>alice cseq=2 vias=2 contact=alice sdp=alice:audio:sendrecv
        F32 200 INVITE ss1 -> bob | A bob>alice cseq=2 vias=1 contact=alice sdp=alice:audio:sendrecv
        F33 ACK bob -> ss1 | A bob>alice cseq=2 vias=1 uri=alice@client.atlanta route=ss1
        F34 ACK ss1 -> alice | A bob>alice cseq=2 vias=2 uri=alice@client.atlanta
        F35 BYE alice -> ss1 | A alice>bob cseq=2 vias=1 uri=bob@client.biloxi route=ss1
        F36 BYE ss1 -> bob | A alice>bob cseq=2 vias=2 uri=bob@client.biloxi
        F37 200 BYE bob -> ss1 | A alice>bob cseq=2 vias=2
        F38 200 BYE ss1 -> alice | A alice>bob cseq=2 vias=1
    ",
    differs: &[],
};

#[test]
fn consultation() {
    let mut town = one_proxy(&["alice", "bob", "carol"]);
    let (alice, bob) = town.call("alice", "bob", &through_proxy("alice", "bob"));
    holds(&mut town, "bob", bob, "alice");
    let (bob_too, _) = town.call("bob", "carol", &through_proxy("bob", "carol"));
    town.hangs_up("bob", bob_too);
    resumes(&mut town, "bob", bob, "alice");
    town.hangs_up("alice", alice);
    CONSULTATION.is_played(&mut town);
}
