//! Sessions that are established. `[RFC 3665, Section 3]`

use ringback_ua::{Event, Local, Media, Outbound};

use super::town::{Town, address, host, sound};
use super::{DIALED, Flow, ON_THE_WAY};

pub(crate) const FLOWS: &[&Flow] = &[&DIRECT, &TWO_PROXIES, &TWO_CHALLENGES, &PROXY_FAILS, &REDIRECTED, &MOVES];

/// Alice calls Bob as he is known to the first proxy: there his binding is his address of record in his own domain.
pub(crate) fn through_proxies() -> Outbound {
    let outbound = Outbound::new("sip:alice@atlanta.example.com", "sip:bob@biloxi.example.com");
    let routes = vec!["sip:ss1.atlanta.example.com;lr".to_owned()];
    Outbound { request_uri: Some("sip:bob@atlanta.example.com".into()), routes, ..outbound }
}

/// Alice, the proxies of both domains, and Bob.
pub(crate) fn two_proxies() -> Town {
    let mut town = Town::new();
    town.phone("alice");
    town.server("ss1");
    town.server("ss2");
    town.phone("bob");
    town.binds("ss1", "bob", "sip:bob@biloxi.example.com", None);
    town.binds("ss2", "bob", "sip:bob@client.biloxi.example.com", None);
    town
}

const DIRECT: Flow = Flow {
    section: "RFC 3665, Section 3.1",
    title: "Successful session establishment",
    figure: 6,
    ladder: "
        F1  INVITE alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> alice | A alice>- cseq=1 vias=1
        F2  180 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob
        F3  200 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob sdp=bob:audio:sendrecv
        F4  ACK alice -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        F5  BYE bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta
        F6  200 BYE alice -> bob | A bob>alice cseq=1 vias=1
    ",
    differs: &[],
};

#[test]
fn direct() {
    let mut town = Town::new();
    town.phone("alice");
    town.phone("bob");
    let outbound = Outbound::new("sip:alice@atlanta.example.com", "sip:bob@biloxi.example.com");
    let outbound = Outbound { request_uri: Some("sip:bob@client.biloxi.example.com".into()), ..outbound };
    let (_, bob) = town.call("alice", "bob", &outbound);
    town.hangs_up("bob", bob);
    DIRECT.is_played(&mut town);
}

const TWO_PROXIES: Flow = Flow {
    section: "RFC 3665, Section 3.2",
    title: "Session establishment through two proxies",
    figure: 23,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@atlanta route=ss1 contact=alice sdp=alice:audio:sendrecv
        F2  407 INVITE ss1 -> alice | A alice>ss1 cseq=1 vias=1 proxy-asks=atlanta
        F3  ACK alice -> ss1 | A alice>ss1 cseq=1 vias=1 uri=bob@atlanta route=ss1
        F4  INVITE alice -> ss1 | A alice>- cseq=2 vias=1 uri=bob@atlanta route=ss1 contact=alice proxy-auth=atlanta/1 sdp=alice:audio:sendrecv
        F6  100 INVITE ss1 -> alice | A alice>- cseq=2 vias=1
        F5  INVITE ss1 -> ss2 | A alice>- cseq=2 vias=2 uri=bob@biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        F8  100 INVITE ss2 -> ss1 | A alice>- cseq=2 vias=2
        F7  INVITE ss2 -> bob | A alice>- cseq=2 vias=3 uri=bob@client.biloxi record=ss2,ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> ss2 | A alice>- cseq=2 vias=3
        F9  180 INVITE bob -> ss2 | A alice>bob cseq=2 vias=3 record=ss2,ss1 contact=bob
        F10 180 INVITE ss2 -> ss1 | A alice>bob cseq=2 vias=2 record=ss2,ss1 contact=bob
        F11 180 INVITE ss1 -> alice | A alice>bob cseq=2 vias=1 record=ss2,ss1 contact=bob
        F12 200 INVITE bob -> ss2 | A alice>bob cseq=2 vias=3 record=ss2,ss1 contact=bob sdp=bob:audio:sendrecv
        F13 200 INVITE ss2 -> ss1 | A alice>bob cseq=2 vias=2 record=ss2,ss1 contact=bob sdp=bob:audio:sendrecv
        F14 200 INVITE ss1 -> alice | A alice>bob cseq=2 vias=1 record=ss2,ss1 contact=bob sdp=bob:audio:sendrecv
        F15 ACK alice -> ss1 | A alice>bob cseq=2 vias=1 uri=bob@client.biloxi route=ss1,ss2 proxy-auth=atlanta/1
        F16 ACK ss1 -> ss2 | A alice>bob cseq=2 vias=2 uri=bob@client.biloxi route=ss2
        F17 ACK ss2 -> bob | A alice>bob cseq=2 vias=3 uri=bob@client.biloxi
        F18 BYE bob -> ss2 | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta route=ss2,ss1
        F19 BYE ss2 -> ss1 | A bob>alice cseq=1 vias=2 uri=alice@client.atlanta route=ss1
        F20 BYE ss1 -> alice | A bob>alice cseq=1 vias=3 uri=alice@client.atlanta
        F21 200 BYE alice -> ss1 | A bob>alice cseq=1 vias=3
        F22 200 BYE ss1 -> ss2 | A bob>alice cseq=1 vias=2
        F23 200 BYE ss2 -> bob | A bob>alice cseq=1 vias=1
    ",
    differs: &[
        ("F1 F4", DIALED),
    ],
};

#[test]
fn through_two_proxies() {
    let mut town = Town::new();
    town.phone("alice");
    town.account("alice", "alice");
    town.server_with("ss1", |_| {});
    town.server("ss2");
    town.phone("bob");
    town.binds("ss1", "bob", "sip:bob@biloxi.example.com", None);
    town.binds("ss2", "bob", "sip:bob@client.biloxi.example.com", None);
    let (_, bob) = town.call("alice", "bob", &through_proxies());
    town.hangs_up("bob", bob);
    TWO_PROXIES.is_played(&mut town);
}

const TWO_CHALLENGES: Flow = Flow {
    section: "RFC 3665, Section 3.3",
    title: "Session with multiple proxy authentication",
    figure: 21,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@atlanta route=ss1 contact=alice sdp=alice:audio:sendrecv
        F2  407 INVITE ss1 -> alice | A alice>ss1 cseq=1 vias=1 proxy-asks=atlanta
        F3  ACK alice -> ss1 | A alice>ss1 cseq=1 vias=1 uri=bob@atlanta route=ss1
        F4  INVITE alice -> ss1 | A alice>- cseq=2 vias=1 uri=bob@atlanta route=ss1 contact=alice proxy-auth=atlanta/1 sdp=alice:audio:sendrecv
        F5  100 INVITE ss1 -> alice | A alice>- cseq=2 vias=1
        F6  INVITE ss1 -> ss2 | A alice>- cseq=2 vias=2 uri=bob@biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        F7  407 INVITE ss2 -> ss1 | A alice>ss2 cseq=2 vias=2 proxy-asks=biloxi
        F8  ACK ss1 -> ss2 | A alice>ss2 cseq=2 vias=1 uri=bob@biloxi
        F9  407 INVITE ss1 -> alice | A alice>ss2 cseq=2 vias=1 proxy-asks=biloxi
        F10 ACK alice -> ss1 | A alice>ss2 cseq=2 vias=1 uri=bob@atlanta route=ss1
        F11 INVITE alice -> ss1 | A alice>- cseq=3 vias=1 uri=bob@atlanta route=ss1 contact=alice proxy-auth=atlanta/2,biloxi/1 sdp=alice:audio:sendrecv
        F12 100 INVITE ss1 -> alice | A alice>- cseq=3 vias=1
        F13 INVITE ss1 -> ss2 | A alice>- cseq=3 vias=2 uri=bob@biloxi record=ss1 contact=alice proxy-auth=biloxi/1 sdp=alice:audio:sendrecv
        F14 100 INVITE ss2 -> ss1 | A alice>- cseq=3 vias=2
        F15 INVITE ss2 -> bob | A alice>- cseq=3 vias=3 uri=bob@client.biloxi record=ss2,ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> ss2 | A alice>- cseq=3 vias=3
        F16 200 INVITE bob -> ss2 | A alice>bob cseq=3 vias=3 record=ss2,ss1 contact=bob sdp=bob:audio:sendrecv
        F17 200 INVITE ss2 -> ss1 | A alice>bob cseq=3 vias=2 record=ss2,ss1 contact=bob sdp=bob:audio:sendrecv
        F18 200 INVITE ss1 -> alice | A alice>bob cseq=3 vias=1 record=ss2,ss1 contact=bob sdp=bob:audio:sendrecv
        F19 ACK alice -> ss1 | A alice>bob cseq=3 vias=1 uri=bob@client.biloxi route=ss1,ss2 proxy-auth=atlanta/2,biloxi/1
        F20 ACK ss1 -> ss2 | A alice>bob cseq=3 vias=2 uri=bob@client.biloxi route=ss2 proxy-auth=biloxi/1
        F21 ACK ss2 -> bob | A alice>bob cseq=3 vias=3 uri=bob@client.biloxi
    ",
    differs: &[
        ("F1 F4 F11", DIALED),
        ("F6 F13", "for the second server Alice is of its own domain too: it lets nobody call by a name that is not its own."),
    ],
};

#[test]
fn challenged_by_two_proxies() {
    let mut town = Town::new();
    town.phone("alice");
    town.account("alice", "alice");
    town.server_with("ss1", |_| {});
    // It lets nobody call by a name of another domain, and so has Alice's as its own.
    town.server_with("ss2", |config| config.aliases = vec!["atlanta.example.com".into()]);
    town.phone("bob");
    town.binds("ss1", "bob", "sip:bob@biloxi.example.com", None);
    town.binds("ss2", "bob", "sip:bob@client.biloxi.example.com", None);
    town.calls("alice", &through_proxies());
    let bob = town.incoming("bob");
    town.answers("bob", bob);
    TWO_CHALLENGES.is_shown(&town.take_lines());
    town.hangs_up("bob", bob);
    town.ends_empty();
}

const PROXY_FAILS: Flow = Flow {
    section: "RFC 3665, Section 3.4",
    title: "Successful session with proxy failure",
    figure: 23,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=@proxies contact=alice sdp=alice:audio:sendrecv
        F2  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=@proxies contact=alice sdp=alice:audio:sendrecv
        F3  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=@proxies contact=alice sdp=alice:audio:sendrecv
        F4  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=@proxies contact=alice sdp=alice:audio:sendrecv
        F5  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=@proxies contact=alice sdp=alice:audio:sendrecv
        F6  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=@proxies contact=alice sdp=alice:audio:sendrecv
        F7  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=@proxies contact=alice sdp=alice:audio:sendrecv
        F8  INVITE alice -> ss2 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=@proxies contact=alice sdp=alice:audio:sendrecv
        F9  407 INVITE ss2 -> alice | A alice>ss2 cseq=1 vias=1 proxy-asks=biloxi
        F10 ACK alice -> ss2 | A alice>ss2 cseq=1 vias=1 uri=bob@biloxi route=@proxies
        F11 INVITE alice -> ss2 | A alice>- cseq=2 vias=1 uri=bob@biloxi route=@proxies contact=alice proxy-auth=biloxi/1 sdp=alice:audio:sendrecv
        F13 100 INVITE ss2 -> alice | A alice>- cseq=2 vias=1
        F12 INVITE ss2 -> bob | A alice>- cseq=2 vias=2 uri=bob@client.biloxi record=ss2 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> ss2 | A alice>- cseq=2 vias=2
        F14 180 INVITE bob -> ss2 | A alice>bob cseq=2 vias=2 record=ss2 contact=bob
        F15 180 INVITE ss2 -> alice | A alice>bob cseq=2 vias=1 record=ss2 contact=bob
        F16 200 INVITE bob -> ss2 | A alice>bob cseq=2 vias=2 record=ss2 contact=bob sdp=bob:audio:sendrecv
        F17 200 INVITE ss2 -> alice | A alice>bob cseq=2 vias=1 record=ss2 contact=bob sdp=bob:audio:sendrecv
        F18 ACK alice -> ss2 | A alice>bob cseq=2 vias=1 uri=bob@client.biloxi route=ss2 proxy-auth=biloxi/1
        F19 ACK ss2 -> bob | A alice>bob cseq=2 vias=2 uri=bob@client.biloxi
        F20 BYE bob -> ss2 | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta route=ss2
        F21 BYE ss2 -> alice | A bob>alice cseq=1 vias=2 uri=alice@client.atlanta
        F22 200 BYE alice -> ss2 | A bob>alice cseq=1 vias=2
        F23 200 BYE ss2 -> bob | A bob>alice cseq=1 vias=1
    ",
    differs: &[
        ("F1", "the Route names both proxies by the name that they share in the DNS, so that it needn't be changed for the second. `[RFC 3263, Section 4.3]`"),
    ],
};

#[test]
fn the_first_proxy_does_not_answer() {
    let mut town = Town::new();
    town.phone("alice");
    town.account("alice", "alice");
    town.server("ss1");
    town.dead = vec!["ss1"];
    let aliases = ["atlanta.example.com", "proxies.example.com"].map(Into::into);
    town.server_with("ss2", |config| config.aliases = aliases.into());
    town.phone("bob");
    town.binds("ss2", "bob", "sip:bob@client.biloxi.example.com", None);
    let outbound = Outbound::new("sip:alice@atlanta.example.com", "sip:bob@biloxi.example.com");
    let outbound = Outbound { routes: vec!["sip:proxies.example.com;lr".into()], ..outbound };
    town.calls("alice", &outbound);
    town.run(ringback_base::Micros::from_secs(33));
    let bob = town.rings("bob");
    town.answers("bob", bob);
    town.hangs_up("bob", bob);
    PROXY_FAILS.is_played(&mut town);
}

const REDIRECTED: Flow = Flow {
    section: "RFC 3665, Section 3.6",
    title: "Session via redirect and proxy servers with SDP in ACK",
    figure: 16,
    ladder: "
        F1  INVITE alice -> ss2 | A alice>- cseq=1 vias=1 uri=bob@biloxi contact=alice
        F2  302 INVITE ss2 -> alice | A alice>ss2 cseq=1 vias=1 contact=bob@chicago;expires=86400
        F3  ACK alice -> ss2 | A alice>ss2 cseq=1 vias=1 uri=bob@biloxi
        F4  INVITE alice -> ss3 | A alice>- cseq=2 vias=1 uri=bob@chicago contact=alice
        F6  100 INVITE ss3 -> alice | A alice>- cseq=2 vias=1
        F5  INVITE ss3 -> bob | A alice>- cseq=2 vias=2 uri=bob@client.biloxi record=ss3 contact=alice
        100 100 INVITE bob -> ss3 | A alice>- cseq=2 vias=2
        F7  180 INVITE bob -> ss3 | A alice>bob cseq=2 vias=2 record=ss3 contact=bob
        F8  180 INVITE ss3 -> alice | A alice>bob cseq=2 vias=1 record=ss3 contact=bob
        F9  200 INVITE bob -> ss3 | A alice>bob cseq=2 vias=2 record=ss3 contact=bob sdp=bob:audio:sendrecv
        F10 200 INVITE ss3 -> alice | A alice>bob cseq=2 vias=1 record=ss3 contact=bob sdp=bob:audio:sendrecv
        F11 ACK alice -> ss3 | A alice>bob cseq=2 vias=1 uri=bob@client.biloxi route=ss3 sdp=alice:audio:sendrecv
        F12 ACK ss3 -> bob | A alice>bob cseq=2 vias=2 uri=bob@client.biloxi sdp=alice:audio:sendrecv
        F13 BYE bob -> ss3 | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta route=ss3
        F14 BYE ss3 -> alice | A bob>alice cseq=1 vias=2 uri=alice@client.atlanta
        F15 200 BYE alice -> ss3 | A bob>alice cseq=1 vias=2
        F16 200 BYE ss3 -> bob | A bob>alice cseq=1 vias=1
    ",
    differs: &[],
};

#[test]
fn redirected() {
    let mut town = Town::new();
    town.phone("alice");
    town.server_with("ss2", |config| (config.open, config.redirect) = (true, true));
    town.server("ss3");
    town.phone("bob");
    town.binds("ss2", "bob", "sip:bob@chicago.example.com", None);
    town.binds("ss3", "bob", "sip:bob@client.biloxi.example.com", None);
    let outbound = Outbound::new("sip:alice@atlanta.example.com", "sip:bob@biloxi.example.com").follow_redirects(1);
    town.at("alice", |alice, now| alice.invite(&outbound, Media::None, now).unwrap());
    let step = town.event("alice", |event| match event {
        Event::Pursuing { step, .. } => Some(step.clone()),
        _ => None,
    });
    assert_eq!(step, ringback_ua::PursuitStep::Contact { uri: "sip:bob@chicago.example.com".into() });
    let bob = town.rings("bob");
    town.answers("bob", bob);
    let alice = town.answered("alice");
    let media = sound("alice");
    town.at("alice", |agent, now| agent.accept(alice, media, now).unwrap());
    town.hangs_up("bob", bob);
    REDIRECTED.is_played(&mut town);
}

const MOVES: Flow = Flow {
    section: "RFC 3665, Section 3.7",
    title: "Session with re-INVITE (IP address change)",
    figure: 13,
    ladder: "
        F1  INVITE alice -> ss2 | A alice>- cseq=1 vias=1 uri=bob@biloxi contact=alice sdp=alice:audio:sendrecv
        F3  100 INVITE ss2 -> alice | A alice>- cseq=1 vias=1
        F2  INVITE ss2 -> bob | A alice>- cseq=1 vias=2 uri=bob@client.biloxi record=ss2 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> ss2 | A alice>- cseq=1 vias=2
        F4  180 INVITE bob -> ss2 | A alice>bob cseq=1 vias=2 record=ss2 contact=bob
        F5  180 INVITE ss2 -> alice | A alice>bob cseq=1 vias=1 record=ss2 contact=bob
        F6  200 INVITE bob -> ss2 | A alice>bob cseq=1 vias=2 record=ss2 contact=bob sdp=bob:audio:sendrecv
        F7  200 INVITE ss2 -> alice | A alice>bob cseq=1 vias=1 record=ss2 contact=bob sdp=bob:audio:sendrecv
        F8  ACK alice -> ss2 | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi route=ss2
        a   ACK ss2 -> bob | A alice>bob cseq=1 vias=2 uri=bob@client.biloxi
        F9  INVITE bob2 -> ss2 | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta route=ss2 contact=bob2 sdp=bob2:audio:sendrecv
        100 100 INVITE ss2 -> bob2 | A bob>alice cseq=1 vias=1
        b   INVITE ss2 -> alice | A bob>alice cseq=1 vias=2 uri=alice@client.atlanta contact=bob2 sdp=bob2:audio:sendrecv
        100 100 INVITE alice -> ss2 | A bob>alice cseq=1 vias=2
        F10 200 INVITE alice -> ss2 | A bob>alice cseq=1 vias=2 contact=alice sdp=alice:audio:sendrecv
        c   200 INVITE ss2 -> bob2 | A bob>alice cseq=1 vias=1 contact=alice sdp=alice:audio:sendrecv
        F11 ACK bob2 -> ss2 | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta route=ss2
        d   ACK ss2 -> alice | A bob>alice cseq=1 vias=2 uri=alice@client.atlanta
        F12 BYE alice -> ss2 | A alice>bob cseq=2 vias=1 uri=bob@client2.biloxi route=ss2
        e   BYE ss2 -> bob2 | A alice>bob cseq=2 vias=2 uri=bob@client2.biloxi
        F13 200 BYE bob2 -> ss2 | A alice>bob cseq=2 vias=2
        f   200 BYE ss2 -> alice | A alice>bob cseq=2 vias=1
    ",
    differs: &[
        ("F8 F9 F10 F11 F12 F13 a b c d e f", ON_THE_WAY),
    ],
};

#[test]
fn bob_moves() {
    let mut town = Town::new();
    town.phone("alice");
    town.server("ss2");
    town.phone_with("bob", |config| {
        let local = Local { sent_by: host("bob2").into(), ..Local::new(config.locals[0].transport, address("bob2")) };
        config.locals.push(local);
    });
    town.binds("ss2", "bob", "sip:bob@client.biloxi.example.com", None);
    let outbound = Outbound::new("sip:alice@atlanta.example.com", "sip:bob@biloxi.example.com");
    let (alice, bob) = town.call("alice", "bob", &outbound);
    town.moves("bob", "bob2");
    let media = sound("bob2");
    town.at("bob", |agent, now| agent.reinvite(bob, media, now).unwrap());
    let media = sound("alice");
    town.at("alice", |agent, now| agent.accept(alice, media, now).unwrap());
    town.hangs_up("alice", alice);
    MOVES.is_played(&mut town);
}
