//! Transfers and what else REFER and Replaces do. `[RFC 5359, Section 2]`

use ringback_base::Micros;
use ringback_message::header::{self, Replaces, Require};
use ringback_message::{Method, StatusCode};
use ringback_sdp::negotiate::{Codec, Endpoint, LocalMedia};
use ringback_sdp::{MediaDirection, Origin};
use ringback_transaction::ServerId;
use ringback_ua::{
    Admission, Event, EventState, InviteId, Media, Outbound, Package, ReferSubscription, RefereeId, SessionId,
    SubscriberId, SubscriberTold,
};

use super::hold::holds;
use super::town::{Town, address, aor, contact, direct, host, sound};
use super::{ACCEPTED, CROSSING, Flow};

pub(crate) const FLOWS: &[&Flow] = &[&MUSIC, &UNATTENDED, &ATTENDED, &BY_MESSAGE, &PARK, &PICKUP, &REDIAL, &CLICK];

fn town(phones: &[&'static str]) -> Town {
    let mut town = Town::new();
    for name in phones {
        town.phone(name);
    }
    town
}

/// The REFER that came in, which nobody has answered yet.
fn referred(town: &mut Town, who: &str) -> ServerId {
    town.event(who, |event| match event {
        Event::ReferWanted { id, .. } => Some(*id),
        _ => None,
    })
}

/// Does what a REFER asks for.
fn follows(town: &mut Town, who: &str) -> (RefereeId, InviteId) {
    let id = referred(town, who);
    let media = sound(who);
    town.at(who, |agent, now| agent.follow(id, &aor(who), media, now).unwrap())
}

/// What a server has that plays something, and hears nothing.
fn plays(name: &str) -> Media {
    let origin = Origin::parse(&format!("{name} 2890844576 1 IN IP4 {}", host(name))).unwrap();
    let media = LocalMedia::audio(49_170).codec(Codec::pcmu()).direction(MediaDirection::SendOnly);
    Media::Endpoint(Endpoint::new(origin, &address(name).ip().to_string()).media(media))
}

/// Where a call is picked up from: a Refer-To that names it, as the side that this phone talks to knows it.
fn replacing(town: &mut Town, who: &str, session: SessionId, target: &str) -> String {
    let id = town.agent(who).dialog(session).unwrap().id();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    format!(
        "<{}?Replaces={}%3Bfrom-tag%3D{}%3Bto-tag%3D{}&Require=replaces>",
        contact(target),
        text(id.call_id),
        text(id.local_tag),
        text(id.remote_tag)
    )
}

const MUSIC: Flow = Flow {
    section: "RFC 5359, Section 2.3",
    title: "Music on Hold",
    figure: 23,
    ladder: "
        F1  INVITE alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> alice | A alice>- cseq=1 vias=1
        F2  180 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob
        F3  200 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob sdp=bob:audio:sendrecv
        F4  ACK alice -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        F5  INVITE bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta contact=bob sdp=bob:audio:sendonly
        100 100 INVITE alice -> bob | A bob>alice cseq=1 vias=1
        F6  200 INVITE alice -> bob | A bob>alice cseq=1 vias=1 contact=alice sdp=alice:audio:recvonly
        F7  ACK bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta
        F8  REFER bob -> music | B bob.2>- cseq=1 vias=1 uri=music@music contact=bob refer-to=alice@client.atlanta?Replaces=A;from-tag=bob;to-tag=alice&Require=replaces referred-by=bob@biloxi
        F9  200 REFER music -> bob | B bob.2>music cseq=1 vias=1 contact=music
        F10 NOTIFY music -> bob | B music>bob.2 cseq=1 vias=1 uri=bob@client.biloxi contact=music event=refer state=active;expires=300 frag=\"SIP/2.0 100 Trying\"
        F12 INVITE music -> alice | C music.2>- cseq=1 vias=1 uri=alice@client.atlanta contact=music require=replaces referred-by=bob@biloxi replaces=A;from-tag=bob;to-tag=alice sdp=music:audio:sendonly
        100 100 INVITE alice -> music | C music.2>- cseq=1 vias=1
        F11 200 NOTIFY bob -> music | B music>bob.2 cseq=1 vias=1
        F13 200 INVITE alice -> music | C music.2>alice.2 cseq=1 vias=1 contact=alice sdp=alice:audio:recvonly
        F15 BYE alice -> bob | A alice>bob cseq=2 vias=1 uri=bob@client.biloxi reason=SIP;cause=200;text=\"Call_completed_elsewhere\"
        F16 200 BYE bob -> alice | A alice>bob cseq=2 vias=1
        F14 ACK music -> alice | C music.2>alice.2 cseq=1 vias=1 uri=alice@client.atlanta
        F17 NOTIFY music -> bob | B music>bob.2 cseq=2 vias=1 uri=bob@client.biloxi contact=music event=refer state=terminated;reason=noresource frag=\"SIP/2.0 200 OK\"
        F18 200 NOTIFY bob -> music | B music>bob.2 cseq=2 vias=1
        F19 INVITE bob -> alice | D bob.3>- cseq=1 vias=1 uri=alice@client.atlanta contact=bob replaces=C;to-tag=alice.2;from-tag=music.2 sdp=bob:audio:sendrecv
        100 100 INVITE alice -> bob | D bob.3>- cseq=1 vias=1
        F20 200 INVITE alice -> bob | D bob.3>alice.3 cseq=1 vias=1 contact=alice sdp=alice:audio:sendrecv
        F22 BYE alice -> music | C alice.2>music.2 cseq=1 vias=1 uri=music@music reason=SIP;cause=200;text=\"Call_completed_elsewhere\"
        F21 ACK bob -> alice | D bob.3>alice.3 cseq=1 vias=1 uri=alice@client.atlanta
        F23 200 BYE music -> alice | C alice.2>music.2 cseq=1 vias=1
    ",
    differs: &[
        ("F9", ACCEPTED),
        ("F11 F14 F21", CROSSING),
        ("F10", "the subscription to how the call goes lasts for 300 s"),
    ],
};

#[test]
fn music_on_hold() {
    let mut town = town(&["alice", "bob", "music"]);
    let (_, bob) = town.call("alice", "bob", &direct("alice", "bob"));
    holds(&mut town, "bob", bob, "alice");
    let refer_to = replacing(&mut town, "bob", bob, "alice");
    let outbound = direct("bob", "music");
    town.at("bob", |bob, now| {
        bob.refer_outside(&outbound, &refer_to, None, ReferSubscription::Implicit, now).unwrap();
    });
    let id = referred(&mut town, "music");
    town.at("music", |music, now| music.follow(id, &aor("music"), plays("music"), now).unwrap());
    let with_music = town.incoming("alice");
    town.answers("alice", with_music);
    town.run(Micros::from_secs(2));
    let replaces = {
        let id = town.agent("alice").dialog(with_music).unwrap().id();
        Replaces::new(id.call_id, id.local_tag, id.remote_tag)
    };
    town.calls("bob", &direct("bob", "alice").with(replaces));
    let alice = town.incoming("alice");
    town.answers("alice", alice);
    MUSIC.is_shown(&town.take_lines());
    town.hangs_up("alice", alice);
    town.ends_empty();
}

const UNATTENDED: Flow = Flow {
    section: "RFC 5359, Section 2.4",
    title: "Transfer - Unattended",
    figure: 16,
    ladder: "
        F1  INVITE bob -> alice | A bob>- cseq=1 vias=1 uri=alice@client.atlanta contact=bob sdp=bob:audio:sendrecv
        100 100 INVITE alice -> bob | A bob>- cseq=1 vias=1
        F2  180 INVITE alice -> bob | A bob>alice cseq=1 vias=1 contact=alice
        F3  200 INVITE alice -> bob | A bob>alice cseq=1 vias=1 contact=alice sdp=alice:audio:sendrecv
        F4  ACK bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta
        F5  REFER alice -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi contact=alice refer-to=carol@client.chicago referred-by=alice@atlanta
        F6  200 REFER bob -> alice | A alice>bob cseq=1 vias=1 contact=bob
        F7  NOTIFY bob -> alice | A bob>alice cseq=2 vias=1 uri=alice@client.atlanta contact=bob event=refer state=active;expires=300 frag=\"SIP/2.0 100 Trying\"
        F8  200 NOTIFY alice -> bob | A bob>alice cseq=2 vias=1
        F9  BYE alice -> bob | A alice>bob cseq=2 vias=1 uri=bob@client.biloxi
        F10 200 BYE bob -> alice | A alice>bob cseq=2 vias=1
        F11 INVITE bob -> carol | B bob.2>- cseq=1 vias=1 uri=carol@client.chicago contact=bob referred-by=alice@atlanta sdp=bob:audio:sendrecv
        100 100 INVITE carol -> bob | B bob.2>- cseq=1 vias=1
        F12 180 INVITE carol -> bob | B bob.2>carol cseq=1 vias=1 contact=carol
        F13 200 INVITE carol -> bob | B bob.2>carol cseq=1 vias=1 contact=carol sdp=carol:audio:sendrecv
        F14 ACK bob -> carol | B bob.2>carol cseq=1 vias=1 uri=carol@client.chicago
        F15 NOTIFY bob -> alice | A bob>alice cseq=3 vias=1 uri=alice@client.atlanta contact=bob event=refer state=terminated;reason=noresource frag=\"SIP/2.0 200 OK\"
        F16 200 NOTIFY alice -> bob | A bob>alice cseq=3 vias=1
    ",
    differs: &[
        ("F6", ACCEPTED),
    ],
};

#[test]
fn unattended() {
    let mut town = town(&["alice", "bob", "carol"]);
    let (_, alice) = town.call("bob", "alice", &direct("bob", "alice"));
    let refer_to = format!("<{}>", contact("carol"));
    town.at("alice", |agent, now| agent.refer(alice, &refer_to, ReferSubscription::Implicit, now).unwrap());
    let (id, headers) = town.event("bob", |event| match event {
        Event::ReferWanted { id, referral, .. } => Some((*id, referral.headers())),
        _ => None,
    });
    let referee = town.at("bob", |bob, now| bob.accept_refer(id, now).unwrap());
    town.hangs_up("alice", alice);
    let (_, carol) = town.call("bob", "carol", &Outbound { headers, ..direct("bob", "carol") });
    town.at("bob", |bob, now| bob.refer_progress(referee, StatusCode::Ok, now));
    UNATTENDED.is_shown(&town.take_lines());
    town.hangs_up("carol", carol);
    town.ends_empty();
}

const ATTENDED: Flow = Flow {
    section: "RFC 5359, Section 2.5",
    title: "Transfer - Attended",
    figure: 27,
    ladder: "
        F1  INVITE alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> alice | A alice>- cseq=1 vias=1
        F2  180 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob
        F3  200 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob sdp=bob:audio:sendrecv
        F4  ACK alice -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        F5  INVITE bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta contact=bob sdp=bob:audio:sendonly
        100 100 INVITE alice -> bob | A bob>alice cseq=1 vias=1
        F6  200 INVITE alice -> bob | A bob>alice cseq=1 vias=1 contact=alice sdp=alice:audio:recvonly
        F7  ACK bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta
        F8  INVITE bob -> carol | B bob.2>- cseq=1 vias=1 uri=carol@client.chicago contact=bob sdp=bob:audio:sendrecv
        100 100 INVITE carol -> bob | B bob.2>- cseq=1 vias=1
        F9  180 INVITE carol -> bob | B bob.2>carol cseq=1 vias=1 contact=carol
        F10 200 INVITE carol -> bob | B bob.2>carol cseq=1 vias=1 contact=carol sdp=carol:audio:sendrecv
        F11 ACK bob -> carol | B bob.2>carol cseq=1 vias=1 uri=carol@client.chicago
        F12 INVITE bob -> carol | B bob.2>carol cseq=2 vias=1 uri=carol@client.chicago contact=bob sdp=bob:audio:sendonly
        100 100 INVITE carol -> bob | B bob.2>carol cseq=2 vias=1
        F13 200 INVITE carol -> bob | B bob.2>carol cseq=2 vias=1 contact=carol sdp=carol:audio:recvonly
        F14 ACK bob -> carol | B bob.2>carol cseq=2 vias=1 uri=carol@client.chicago
        F15 REFER bob -> alice | A bob>alice cseq=2 vias=1 uri=alice@client.atlanta contact=bob refer-to=carol@client.chicago?Replaces=B;to-tag=carol;from-tag=bob.2&Require=replaces referred-by=bob@biloxi
        F16 200 REFER alice -> bob | A bob>alice cseq=2 vias=1 contact=alice
        F17 NOTIFY alice -> bob | A alice>bob cseq=2 vias=1 uri=bob@client.biloxi contact=alice event=refer state=active;expires=300 frag=\"SIP/2.0 100 Trying\"
        F19 INVITE alice -> carol | C alice.2>- cseq=1 vias=1 uri=carol@client.chicago contact=alice require=replaces referred-by=bob@biloxi replaces=B;to-tag=carol;from-tag=bob.2 sdp=alice:audio:sendrecv
        F18 200 NOTIFY bob -> alice | A alice>bob cseq=2 vias=1
        100 100 INVITE carol -> alice | C alice.2>- cseq=1 vias=1
        F20 200 INVITE carol -> alice | C alice.2>carol.2 cseq=1 vias=1 contact=carol sdp=carol:audio:sendrecv
        F22 BYE carol -> bob | B carol>bob.2 cseq=1 vias=1 uri=bob@client.biloxi reason=SIP;cause=200;text=\"Call_completed_elsewhere\"
        F21 ACK alice -> carol | C alice.2>carol.2 cseq=1 vias=1 uri=carol@client.chicago
        F23 200 BYE bob -> carol | B carol>bob.2 cseq=1 vias=1
        F24 NOTIFY alice -> bob | A alice>bob cseq=3 vias=1 uri=bob@client.biloxi contact=alice event=refer state=terminated;reason=noresource frag=\"SIP/2.0 200 OK\"
        F25 200 NOTIFY bob -> alice | A alice>bob cseq=3 vias=1
        F26 BYE bob -> alice | A bob>alice cseq=3 vias=1 uri=alice@client.atlanta
        F27 200 BYE alice -> bob | A bob>alice cseq=3 vias=1
    ",
    differs: &[
        ("F16", ACCEPTED),
        ("F18 F21", CROSSING),
    ],
};

#[test]
fn attended() {
    let mut town = town(&["alice", "bob", "carol"]);
    let (_, bob) = town.call("alice", "bob", &direct("alice", "bob"));
    holds(&mut town, "bob", bob, "alice");
    let (bob_too, _) = town.call("bob", "carol", &direct("bob", "carol"));
    holds(&mut town, "bob", bob_too, "carol");
    town.at("bob", |agent, now| agent.transfer(bob, bob_too, now).unwrap());
    follows(&mut town, "alice");
    let carol = town.incoming("carol");
    town.answers("carol", carol);
    town.run(Micros::from_secs(2));
    town.hangs_up("bob", bob);
    ATTENDED.is_shown(&town.take_lines());
    town.hangs_up("carol", carol);
    town.ends_empty();
}

const BY_MESSAGE: Flow = Flow {
    section: "RFC 5359, Section 2.6",
    title: "Transfer - Instant Messaging",
    figure: 11,
    ladder: "
        F1  INVITE alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> alice | A alice>- cseq=1 vias=1
        F2  180 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob
        F3  200 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob sdp=bob:audio:sendrecv
        F4  ACK alice -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        F5  MESSAGE bob -> carol | B bob.2>- cseq=1 vias=1 uri=carol@client.chicago body=text/html
        F6  200 MESSAGE carol -> bob | B bob.2>carol cseq=1 vias=1
        F7  INVITE carol -> alice | C carol.2>- cseq=1 vias=1 uri=alice@client.atlanta contact=carol require=replaces replaces=A;to-tag=alice;from-tag=bob sdp=carol:audio:sendrecv
        100 100 INVITE alice -> carol | C carol.2>- cseq=1 vias=1
        F8  200 INVITE alice -> carol | C carol.2>alice.2 cseq=1 vias=1 contact=alice sdp=alice:audio:sendrecv
        F10 BYE alice -> bob | A alice>bob cseq=2 vias=1 uri=bob@client.biloxi reason=SIP;cause=200;text=\"Call_completed_elsewhere\"
        F11 200 BYE bob -> alice | A alice>bob cseq=2 vias=1
        F9  ACK carol -> alice | C carol.2>alice.2 cseq=1 vias=1 uri=alice@client.atlanta
    ",
    differs: &[
        ("F9", CROSSING),
    ],
};

#[test]
fn by_message() {
    let mut town = town(&["alice", "bob", "carol"]);
    let (_, bob) = town.call("alice", "bob", &direct("alice", "bob"));
    let link = replacing(&mut town, "bob", bob, "alice");
    let outbound = direct("bob", "carol");
    town.at("bob", |bob, now| {
        let fill = |r: ringback_message::RequestBuilder| r.content_type("text/html").body(link.clone().into_bytes());
        bob.request_outside(&outbound, Method::Message, fill, now).unwrap()
    });
    let (id, body) = town.event("carol", |event| match event {
        Event::Request { id, request, .. } => Some((*id, request.body().to_vec())),
        _ => None,
    });
    town.at("carol", |carol, now| carol.respond(id, StatusCode::Ok, |r| r, now).unwrap());
    let link = String::from_utf8(body).unwrap();
    let replaces = link.split_once("Replaces=").unwrap().1.split_once('&').unwrap().0.replace("%3B", ";");
    let replaces = replaces.replace("%3D", "=");
    let part = |name: &str| replaces.split(';').find_map(|part| part.strip_prefix(name)).unwrap().to_owned();
    let replaces = Replaces::new(replaces.split(';').next().unwrap(), part("to-tag="), part("from-tag="));
    let outbound = direct("carol", "alice").with(replaces);
    let outbound = outbound.with(Require::new(["replaces"]));
    town.calls("carol", &outbound);
    let alice = town.incoming("alice");
    town.answers("alice", alice);
    BY_MESSAGE.is_shown(&town.take_lines());
    town.hangs_up("alice", alice);
    town.ends_empty();
}

const PARK: Flow = Flow {
    section: "RFC 5359, Section 2.15",
    title: "Call Park",
    figure: 24,
    ladder: "
        F1  INVITE alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> alice | A alice>- cseq=1 vias=1
        F2  180 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob
        F3  200 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob sdp=bob:audio:sendrecv
        F4  ACK alice -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        F5  REFER bob -> park | B bob.2>- cseq=1 vias=1 uri=park@park contact=bob refer-to=alice@client.atlanta?Replaces=A;from-tag=bob;to-tag=alice&Require=replaces referred-by=bob@biloxi
        F6  200 REFER park -> bob | B bob.2>park cseq=1 vias=1 contact=park
        F7  NOTIFY park -> bob | B park>bob.2 cseq=1 vias=1 uri=bob@client.biloxi contact=park event=refer state=active;expires=300 frag=\"SIP/2.0 100 Trying\"
        F9  INVITE park -> alice | C park.2>- cseq=1 vias=1 uri=alice@client.atlanta contact=park require=replaces referred-by=bob@biloxi replaces=A;from-tag=bob;to-tag=alice sdp=park:audio:sendonly
        100 100 INVITE alice -> park | C park.2>- cseq=1 vias=1
        F8  200 NOTIFY bob -> park | B park>bob.2 cseq=1 vias=1
        F10 200 INVITE alice -> park | C park.2>alice.2 cseq=1 vias=1 contact=alice sdp=alice:audio:recvonly
        F12 BYE alice -> bob | A alice>bob cseq=2 vias=1 uri=bob@client.biloxi reason=SIP;cause=200;text=\"Call_completed_elsewhere\"
        F13 200 BYE bob -> alice | A alice>bob cseq=2 vias=1
        F11 ACK park -> alice | C park.2>alice.2 cseq=1 vias=1 uri=alice@client.atlanta
        F14 NOTIFY park -> bob | B park>bob.2 cseq=2 vias=1 uri=bob@client.biloxi contact=park event=refer state=terminated;reason=noresource frag=\"SIP/2.0 200 OK\"
        F15 200 NOTIFY bob -> park | B park>bob.2 cseq=2 vias=1
        F16 SUBSCRIBE carol -> park | D carol>- cseq=1 vias=1 uri=park@park contact=carol expires=0 event=dialog
        F17 200 SUBSCRIBE park -> carol | D carol>park.3 cseq=1 vias=1 contact=park expires=0
        F18 NOTIFY park -> carol | D park.3>carol cseq=1 vias=1 uri=carol@client.chicago contact=park event=dialog state=terminated;reason=timeout body=application/dialog-info+xml
        F19 200 NOTIFY carol -> park | D park.3>carol cseq=1 vias=1
        F20 INVITE carol -> alice | E carol.2>- cseq=1 vias=1 uri=alice@client.atlanta contact=carol require=replaces replaces=C;to-tag=alice.2;from-tag=park.2 sdp=carol:audio:sendrecv
        100 100 INVITE alice -> carol | E carol.2>- cseq=1 vias=1
        F21 200 INVITE alice -> carol | E carol.2>alice.3 cseq=1 vias=1 contact=alice sdp=alice:audio:sendrecv
        F23 BYE alice -> park | C alice.2>park.2 cseq=1 vias=1 uri=park@park reason=SIP;cause=200;text=\"Call_completed_elsewhere\"
        F22 ACK carol -> alice | E carol.2>alice.3 cseq=1 vias=1 uri=alice@client.atlanta
        F24 200 BYE park -> alice | C alice.2>park.2 cseq=1 vias=1
    ",
    differs: &[
        ("F6", ACCEPTED),
        ("F8 F11 F22", CROSSING),
    ],
};

#[test]
fn park() {
    let mut town = town(&["alice", "bob", "carol", "park"]);
    tells_of_dialogs(&mut town, "park");
    let (_, bob) = town.call("alice", "bob", &direct("alice", "bob"));
    let refer_to = replacing(&mut town, "bob", bob, "alice");
    let outbound = direct("bob", "park");
    town.at("bob", |bob, now| {
        bob.refer_outside(&outbound, &refer_to, None, ReferSubscription::Implicit, now).unwrap();
    });
    let id = referred(&mut town, "park");
    town.at("park", |park, now| park.follow(id, &aor("park"), plays("park"), now).unwrap());
    let parked = town.incoming("alice");
    town.answers("alice", parked);
    town.run(Micros::from_secs(2));
    let at_park = town.answered("park");
    let replaces = asks_for_the_dialog(&mut town, "carol", "park", at_park, "confirmed");
    town.calls("carol", &direct("carol", "alice").with(replaces).with(Require::new(["replaces"])));
    let alice = town.incoming("alice");
    town.answers("alice", alice);
    PARK.is_shown(&town.take_lines());
    town.hangs_up("alice", alice);
    town.ends_empty();
}

const PICKUP: Flow = Flow {
    section: "RFC 5359, Section 2.16",
    title: "Call Pickup",
    figure: 15,
    ladder: "
        F1  INVITE alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> alice | A alice>- cseq=1 vias=1
        F2  180 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob
        F3  SUBSCRIBE bill -> bob | B bill>- cseq=1 vias=1 uri=bob@client.biloxi contact=bill expires=0 event=dialog
        F4  200 SUBSCRIBE bob -> bill | B bill>bob.2 cseq=1 vias=1 contact=bob expires=0
        F5  NOTIFY bob -> bill | B bob.2>bill cseq=1 vias=1 uri=bill@bill.biloxi contact=bob event=dialog state=terminated;reason=timeout body=application/dialog-info+xml
        F6  200 NOTIFY bill -> bob | B bob.2>bill cseq=1 vias=1
        F7  INVITE bill -> alice | C bill.2>- cseq=1 vias=1 uri=alice@client.atlanta contact=bill require=replaces replaces=A;to-tag=alice;from-tag=bob;early-only sdp=bill:audio:sendrecv
        100 100 INVITE alice -> bill | C bill.2>- cseq=1 vias=1
        F8  200 INVITE alice -> bill | C bill.2>alice.2 cseq=1 vias=1 contact=alice sdp=alice:audio:sendrecv
        F9  CANCEL alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi
        F10 200 CANCEL bob -> alice | A alice>bob cseq=1 vias=1
        F11 487 INVITE bob -> alice | A alice>bob cseq=1 vias=1
        F13 ACK bill -> alice | C bill.2>alice.2 cseq=1 vias=1 uri=alice@client.atlanta
        F12 ACK alice -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        F14 BYE alice -> bill | C alice.2>bill.2 cseq=1 vias=1 uri=bill@bill.biloxi
        F15 200 BYE bill -> alice | C alice.2>bill.2 cseq=1 vias=1
    ",
    differs: &[
        ("F12", CROSSING),
    ],
};

#[test]
fn pickup() {
    let mut town = town(&["alice", "bob", "bill"]);
    tells_of_dialogs(&mut town, "bob");
    town.calls("alice", &direct("alice", "bob"));
    let bob = town.rings("bob");
    let replaces = asks_for_the_dialog(&mut town, "bill", "bob", bob, "early");
    town.calls("bill", &direct("bill", "alice").with(replaces.with_early_only()).with(Require::new(["replaces"])));
    let alice = town.incoming("alice");
    town.answers("alice", alice);
    town.hangs_up("alice", alice);
    PICKUP.is_played(&mut town);
}

const REDIAL: Flow = Flow {
    section: "RFC 5359, Section 2.17",
    title: "Automatic Redial",
    figure: 19,
    ladder: "
        F1  INVITE alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> alice | A alice>- cseq=1 vias=1
        F2  486 INVITE bob -> alice | A alice>bob cseq=1 vias=1
        F3  ACK alice -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        F4  SUBSCRIBE alice -> bob | B alice.2>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice expires=60 event=dialog
        F5  200 SUBSCRIBE bob -> alice | B alice.2>bob.2 cseq=1 vias=1 contact=bob expires=60
        F6  NOTIFY bob -> alice | B bob.2>alice.2 cseq=1 vias=1 uri=alice@client.atlanta contact=bob event=dialog state=active;expires=60 body=application/dialog-info+xml
        F7  200 NOTIFY alice -> bob | B bob.2>alice.2 cseq=1 vias=1
        F8  NOTIFY bob -> alice | B bob.2>alice.2 cseq=2 vias=1 uri=alice@client.atlanta contact=bob event=dialog state=active;expires=54 body=application/dialog-info+xml
        F9  200 NOTIFY alice -> bob | B bob.2>alice.2 cseq=2 vias=1
        F10 INVITE alice -> bob | C alice.3>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> alice | C alice.3>- cseq=1 vias=1
        F11 180 INVITE bob -> alice | C alice.3>bob.3 cseq=1 vias=1 contact=bob
        F12 200 INVITE bob -> alice | C alice.3>bob.3 cseq=1 vias=1 contact=bob sdp=bob:audio:sendrecv
        F13 ACK alice -> bob | C alice.3>bob.3 cseq=1 vias=1 uri=bob@client.biloxi
        F14 NOTIFY bob -> alice | B bob.2>alice.2 cseq=3 vias=1 uri=alice@client.atlanta contact=bob event=dialog state=active;expires=48 body=application/dialog-info+xml
        F15 200 NOTIFY alice -> bob | B bob.2>alice.2 cseq=3 vias=1
        F16 SUBSCRIBE alice -> bob | B alice.2>bob.2 cseq=2 vias=1 uri=bob@client.biloxi contact=alice expires=0 event=dialog
        F17 200 SUBSCRIBE bob -> alice | B alice.2>bob.2 cseq=2 vias=1 contact=bob expires=0
        F18 NOTIFY bob -> alice | B bob.2>alice.2 cseq=4 vias=1 uri=alice@client.atlanta contact=bob event=dialog state=terminated;reason=timeout body=application/dialog-info+xml
        F19 200 NOTIFY alice -> bob | B bob.2>alice.2 cseq=4 vias=1
    ",
    differs: &[],
};

#[test]
fn redial() {
    let mut town = town(&["alice", "bob"]);
    tells_of_dialogs(&mut town, "bob");
    town.calls("alice", &direct("alice", "bob"));
    let bob = town.incoming("bob");
    town.at("bob", |agent, now| agent.reject(bob, StatusCode::BusyHere, |r| r, now).unwrap());
    let subscriber = subscribes(&mut town, "alice", "bob", 60);
    let state = |what: &str| EventState::new(DIALOG_INFO, format!("<dialog-info><state>{what}</state></dialog-info>"));
    let id = wanted(&mut town, "bob");
    let admission = Admission::Granted(state("confirmed"));
    let subscription = town.at("bob", |bob, now| bob.grant_subscription(id, admission, now).unwrap());
    town.run(Micros::from_secs(5));
    town.at("bob", |bob, now| bob.change_state(subscription, state("terminated"), now));
    let (alice, _) = town.call("alice", "bob", &direct("alice", "bob"));
    town.run(Micros::from_secs(5));
    town.at("bob", |bob, now| bob.change_state(subscription, state("confirmed"), now));
    town.at("alice", |alice, now| alice.unsubscribe(subscriber, now).unwrap());
    REDIAL.is_shown(&town.take_lines());
    town.hangs_up("alice", alice);
    town.ends_empty();
}

const DIALOG_INFO: &str = "application/dialog-info+xml";

fn tells_of_dialogs(town: &mut Town, who: &str) {
    town.agent(who).set_packages(vec![Package::new("dialog", DIALOG_INFO)]).unwrap();
}

fn subscribes(town: &mut Town, who: &str, whom: &str, seconds: u32) -> SubscriberId {
    let outbound = direct(who, whom);
    town.at(who, |agent, now| {
        let event = header::Event::new("dialog");
        agent.subscribe(&outbound, event, |config| config.expires_secs = seconds, now).unwrap()
    })
}

fn wanted(town: &mut Town, who: &str) -> ServerId {
    town.event(who, |event| match event {
        Event::SubscriptionWanted { id, .. } => Some(*id),
        _ => None,
    })
}

/// One asks another which call it has, and is told in a NOTIFY; it then knows how to take its place. `[RFC 4235, Section 4.1]`
fn asks_for_the_dialog(town: &mut Town, who: &str, whom: &str, session: SessionId, state: &str) -> Replaces {
    subscribes(town, who, whom, 0);
    let id = wanted(town, whom);
    let dialog = town.agent(whom).dialog(session).unwrap().id();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let told = format!(
        "<dialog-info><dialog call-id=\"{}\" local-tag=\"{}\" remote-tag=\"{}\"><state>{state}</state></dialog></dialog-info>",
        text(dialog.call_id),
        text(dialog.local_tag),
        text(dialog.remote_tag)
    );
    let admission = Admission::Granted(EventState::new(DIALOG_INFO, told));
    town.at(whom, |agent, now| agent.grant_subscription(id, admission, now).unwrap());
    let told = town.event(who, |event| match event {
        Event::Subscriber { told: SubscriberTold::Notified { request, .. }, .. } => {
            Some(String::from_utf8(request.body().to_vec()).unwrap())
        }
        _ => None,
    });
    let said = |name: &str| told.split_once(&format!("{name}=\"")).unwrap().1.split('"').next().unwrap();
    // What is local there is remote to whom it talks to, and their own tag is the one in To of what they get.
    Replaces::new(said("call-id"), said("remote-tag"), said("local-tag"))
}

const CLICK: Flow = Flow {
    section: "RFC 5359, Section 2.18",
    title: "Click to Dial",
    figure: 6,
    ladder: "
        F1  REFER pc -> bob | A pc>- cseq=1 vias=1 uri=bob@client.biloxi contact=pc refer-to=carol@client.chicago referred-by=pc.biloxi refer-sub=false
        F2  200 REFER bob -> pc | A pc>bob cseq=1 vias=1 contact=bob refer-sub=false
        F3  INVITE bob -> carol | B bob.2>- cseq=1 vias=1 uri=carol@client.chicago contact=bob referred-by=pc.biloxi sdp=bob:audio:sendrecv
        100 100 INVITE carol -> bob | B bob.2>- cseq=1 vias=1
        F4  180 INVITE carol -> bob | B bob.2>carol cseq=1 vias=1 contact=carol
        F5  200 INVITE carol -> bob | B bob.2>carol cseq=1 vias=1 contact=carol sdp=carol:audio:sendrecv
        F6  ACK bob -> carol | B bob.2>carol cseq=1 vias=1 uri=carol@client.chicago
    ",
    differs: &[
        ("F2", ACCEPTED),
    ],
};

#[test]
fn click_to_dial() {
    let mut town = town(&["pc", "bob", "carol"]);
    let refer_to = format!("<{}>", contact("carol"));
    let outbound = Outbound { from: "sip:pc.biloxi.example.com".into(), ..direct("pc", "bob") };
    town.at("pc", |pc, now| {
        pc.refer_outside(&outbound, &refer_to, None, ReferSubscription::Unwanted, now).unwrap();
    });
    follows(&mut town, "bob");
    let carol = town.rings("carol");
    town.answers("carol", carol);
    CLICK.is_shown(&town.take_lines());
    town.hangs_up("carol", carol);
    town.ends_empty();
}
