//! Reliable provisional responses, UPDATE, session timers, forks. RFC 3262, RFC 3311, RFC 4028, RFC 6228

use ringback_base::Micros;
use ringback_message::StatusCode;
use ringback_sdp::negotiate::HoldForm;
use ringback_ua::{EndReason, Event, Media, SessionId};

use super::hold::{accepts, one_proxy, through_proxy};
use super::sessions::through_proxies;
use super::town::{Town, contact, direct, sound};
use super::{Flow, ON_THE_WAY};

pub(crate) const FLOWS: &[&Flow] = &[&RELIABLE, &OFFERED, &UPDATE, &TIMER, &FORKED];

fn two() -> Town {
    let mut town = Town::new();
    town.phone("alice");
    town.phone_with("bob", |config| config.reliable_provisionals = true);
    town
}

fn says(town: &mut Town, who: &str, session: SessionId, status: StatusCode, media: Media) {
    town.at(who, |agent, now| agent.ring(session, status, media, now).unwrap());
}

const RELIABLE: Flow = Flow {
    section: "RFC 3262, Section 3",
    title: "A reliable 183 is repeated until its PRACK, and the 180 waits for that",
    figure: 0,
    ladder: "
        1   INVITE alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> alice | A alice>- cseq=1 vias=1
        2   183 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob rseq=n+0 require=100rel sdp=bob:audio:sendrecv
        3   183 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob rseq=n+0 require=100rel sdp=bob:audio:sendrecv
        4   PRACK alice -> bob | A alice>bob cseq=2 vias=1 uri=bob@client.biloxi rack=n+0/1/INVITE
        5   PRACK alice -> bob | A alice>bob cseq=2 vias=1 uri=bob@client.biloxi rack=n+0/1/INVITE
        6   200 PRACK bob -> alice | A alice>bob cseq=2 vias=1
        7   180 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob rseq=n+1 require=100rel
        8   PRACK alice -> bob | A alice>bob cseq=3 vias=1 uri=bob@client.biloxi rack=n+1/1/INVITE
        9   200 PRACK bob -> alice | A alice>bob cseq=3 vias=1
        10  200 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob
        11  ACK alice -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        12  BYE bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta
        13  200 BYE alice -> bob | A bob>alice cseq=1 vias=1
    ",
    differs: &[],
};

#[test]
fn reliable() {
    let mut town = two();
    town.calls("alice", &direct("alice", "bob"));
    let bob = town.incoming("bob");
    town.lost = vec!["183 INVITE bob", "PRACK alice"];
    says(&mut town, "bob", bob, StatusCode::SessionProgress, sound("bob"));
    says(&mut town, "bob", bob, StatusCode::Ringing, Media::None);
    town.run(Micros::from_secs(3));
    assert!(town.agent("bob").media(bob).is_some(), "the 183 had the answer");
    town.answers_bare("bob", bob);
    town.hangs_up("bob", bob);
    RELIABLE.is_played(&mut town);
}

const OFFERED: Flow = Flow {
    section: "RFC 3262, Section 5",
    title: "An offer in a reliable 183, its answer in the PRACK, and another offer in the next PRACK",
    figure: 0,
    ladder: "
        1   INVITE alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice
        100 100 INVITE bob -> alice | A alice>- cseq=1 vias=1
        2   183 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob rseq=n+0 require=100rel sdp=bob:audio:sendrecv
        3   PRACK alice -> bob | A alice>bob cseq=2 vias=1 uri=bob@client.biloxi rack=n+0/1/INVITE sdp=alice:audio:sendrecv
        4   200 PRACK bob -> alice | A alice>bob cseq=2 vias=1
        5   180 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob rseq=n+1 require=100rel
        6   PRACK alice -> bob | A alice>bob cseq=3 vias=1 uri=bob@client.biloxi rack=n+1/1/INVITE sdp=alice:audio:sendonly
        7   200 PRACK bob -> alice | A alice>bob cseq=3 vias=1 sdp=bob:audio:recvonly
        8   200 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob
        9   ACK alice -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        10  BYE alice -> bob | A alice>bob cseq=4 vias=1 uri=bob@client.biloxi
        11  200 BYE bob -> alice | A alice>bob cseq=4 vias=1
    ",
    differs: &[],
};

#[test]
fn offered_in_a_provisional_response() {
    let mut town = Town::new();
    town.phone_with("alice", |config| config.manual_pracks = true);
    town.phone_with("bob", |config| config.reliable_provisionals = true);
    let outbound = direct("alice", "bob");
    town.at("alice", |alice, now| alice.invite(&outbound, Media::None, now).unwrap());
    let bob = town.incoming("bob");
    says(&mut town, "bob", bob, StatusCode::SessionProgress, sound("bob"));
    accepts(&mut town, "alice");
    says(&mut town, "bob", bob, StatusCode::Ringing, Media::None);
    let alice = town.event("alice", |event| match event {
        Event::Progress { session: Some(session), .. } => Some(*session),
        _ => None,
    });
    let hold = town.agent("alice").media(alice).unwrap().hold(HoldForm::Direction).unwrap();
    town.at("alice", |agent, now| agent.prack(alice, Media::Offer(hold), now).unwrap());
    accepts(&mut town, "bob");
    town.answers_bare("bob", bob);
    assert!(town.agent("alice").media(alice).unwrap().is_held());
    town.hangs_up("alice", alice);
    OFFERED.is_shown(&town.take_lines());
    town.ends_empty();
}

const UPDATE: Flow = Flow {
    section: "RFC 3311, Section 8",
    title: "UPDATE call flow",
    figure: 10,
    ladder: "
        F1  INVITE alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> alice | A alice>- cseq=1 vias=1
        F2  180 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob rseq=n+0 require=100rel sdp=bob:audio:sendrecv
        F3  PRACK alice -> bob | A alice>bob cseq=2 vias=1 uri=bob@client.biloxi rack=n+0/1/INVITE
        F4  200 PRACK bob -> alice | A alice>bob cseq=2 vias=1
        F5  UPDATE alice -> bob | A alice>bob cseq=3 vias=1 uri=bob@client.biloxi contact=alice sdp=alice:audio:sendonly
        F6  200 UPDATE bob -> alice | A alice>bob cseq=3 vias=1 contact=bob sdp=bob:audio:recvonly
        F7  UPDATE bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta contact=bob sdp=bob:audio:sendrecv
        F8  200 UPDATE alice -> bob | A bob>alice cseq=1 vias=1 contact=alice sdp=alice:audio:sendonly
        F9  200 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob
        F10 ACK alice -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
    ",
    differs: &[],
};

#[test]
fn update() {
    let mut town = two();
    town.calls("alice", &direct("alice", "bob"));
    let bob = town.incoming("bob");
    says(&mut town, "bob", bob, StatusCode::Ringing, sound("bob"));
    let alice = town.event("alice", |event| match event {
        Event::Progress { session: Some(session), .. } => Some(*session),
        _ => None,
    });
    let hold = town.agent("alice").media(alice).unwrap().hold(HoldForm::Direction).unwrap();
    town.at("alice", |agent, now| agent.update(alice, Media::Offer(hold), now).unwrap());
    accepts(&mut town, "bob");
    let again = town.agent("bob").media(bob).unwrap().refresh().unwrap();
    town.at("bob", |agent, now| agent.update(bob, Media::Offer(again), now).unwrap());
    accepts(&mut town, "alice");
    town.answers_bare("bob", bob);
    UPDATE.is_shown(&town.take_lines());
    town.hangs_up("alice", alice);
    town.ends_empty();
}

const TIMER: Flow = Flow {
    section: "RFC 4028, Section 13",
    title: "Example session timer flow",
    figure: 24,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@atlanta route=ss1 contact=alice session-expires=90 sdp=alice:audio:sendrecv
        100 100 INVITE ss1 -> alice | A alice>- cseq=1 vias=1
        F5  INVITE ss1 -> ss2 | A alice>- cseq=1 vias=2 uri=bob@biloxi record=ss1 contact=alice session-expires=90 sdp=alice:audio:sendrecv
        100 100 INVITE ss2 -> ss1 | A alice>- cseq=1 vias=2
        a   INVITE ss2 -> bob | A alice>- cseq=1 vias=3 uri=bob@client.biloxi record=ss2,ss1 contact=alice session-expires=90 sdp=alice:audio:sendrecv
        b   422 INVITE bob -> ss2 | A alice>bob cseq=1 vias=3 min-se=4000
        c   ACK ss2 -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        F6  422 INVITE ss2 -> ss1 | A alice>bob cseq=1 vias=2 min-se=4000
        F7  ACK ss1 -> ss2 | A alice>bob cseq=1 vias=1 uri=bob@biloxi
        F8  422 INVITE ss1 -> alice | A alice>bob cseq=1 vias=1 min-se=4000
        F9  ACK alice -> ss1 | A alice>bob cseq=1 vias=1 uri=bob@atlanta route=ss1
        F10 INVITE alice -> ss1 | A alice>- cseq=2 vias=1 uri=bob@atlanta route=ss1 contact=alice session-expires=4000 min-se=4000 sdp=alice:audio:sendrecv
        100 100 INVITE ss1 -> alice | A alice>- cseq=2 vias=1
        F11 INVITE ss1 -> ss2 | A alice>- cseq=2 vias=2 uri=bob@biloxi record=ss1 contact=alice session-expires=4000 min-se=4000 sdp=alice:audio:sendrecv
        100 100 INVITE ss2 -> ss1 | A alice>- cseq=2 vias=2
        F12 INVITE ss2 -> bob | A alice>- cseq=2 vias=3 uri=bob@client.biloxi record=ss2,ss1 contact=alice session-expires=4000 min-se=4000 sdp=alice:audio:sendrecv
        100 100 INVITE bob -> ss2 | A alice>- cseq=2 vias=3
        F13 200 INVITE bob -> ss2 | A alice>bob.2 cseq=2 vias=3 record=ss2,ss1 contact=bob require=timer session-expires=4000;refresher=uac sdp=bob:audio:sendrecv
        F14 200 INVITE ss2 -> ss1 | A alice>bob.2 cseq=2 vias=2 record=ss2,ss1 contact=bob require=timer session-expires=4000;refresher=uac sdp=bob:audio:sendrecv
        F15 200 INVITE ss1 -> alice | A alice>bob.2 cseq=2 vias=1 record=ss2,ss1 contact=bob require=timer session-expires=4000;refresher=uac sdp=bob:audio:sendrecv
        F16 ACK alice -> ss1 | A alice>bob.2 cseq=2 vias=1 uri=bob@client.biloxi route=ss1,ss2
        F17 ACK ss1 -> ss2 | A alice>bob.2 cseq=2 vias=2 uri=bob@client.biloxi route=ss2
        d   ACK ss2 -> bob | A alice>bob.2 cseq=2 vias=3 uri=bob@client.biloxi
        F18 UPDATE alice -> ss1 | A alice>bob.2 cseq=3 vias=1 uri=bob@client.biloxi route=ss1,ss2 contact=alice session-expires=4000;refresher=uac
        F19 UPDATE ss1 -> ss2 | A alice>bob.2 cseq=3 vias=2 uri=bob@client.biloxi route=ss2 contact=alice session-expires=4000;refresher=uac
        e   UPDATE ss2 -> bob | A alice>bob.2 cseq=3 vias=3 uri=bob@client.biloxi contact=alice session-expires=4000;refresher=uac
        f   200 UPDATE bob -> ss2 | A alice>bob.2 cseq=3 vias=3 contact=bob require=timer session-expires=4000;refresher=uac
        F20 200 UPDATE ss2 -> ss1 | A alice>bob.2 cseq=3 vias=2 contact=bob require=timer session-expires=4000;refresher=uac
        F21 200 UPDATE ss1 -> alice | A alice>bob.2 cseq=3 vias=1 contact=bob require=timer session-expires=4000;refresher=uac
        g   BYE bob -> ss2 | A bob.2>alice cseq=1 vias=1 uri=alice@client.atlanta route=ss2,ss1 reason=SIP;cause=408;text=\"Session_timer_expired\"
        F22 BYE ss2 -> ss1 | A bob.2>alice cseq=1 vias=2 uri=alice@client.atlanta route=ss1 reason=SIP;cause=408;text=\"Session_timer_expired\"
        F23 BYE ss1 -> alice | A bob.2>alice cseq=1 vias=3 uri=alice@client.atlanta reason=SIP;cause=408;text=\"Session_timer_expired\"
    ",
    differs: &[
        ("F1 F2 F3 F4 a b c", "a server of ours wants no session timer, so there is one 422 less, and the other is Bob's, who wants 4000 s at least. Alice asks for 90 s, the least that may be asked for. `[RFC 4028, Section 5]`"),
        ("d e f g", ON_THE_WAY),
        ("F24", "no 408 to a request other than INVITE. `[RFC 4320, Section 4.2]`"),
    ],
};

#[test]
fn session_timer() {
    let mut town = Town::new();
    town.phone_with("alice", |config| config.session_timers.interval_secs = Some(90));
    town.server("ss1");
    town.server("ss2");
    town.phone_with("bob", |config| config.session_timers.min_secs = 4_000);
    town.binds("ss1", "bob", "sip:bob@biloxi.example.com", None);
    town.binds("ss2", "bob", &contact("bob"), None);
    town.calls("alice", &through_proxies());
    let bob = town.incoming("bob");
    town.answers("bob", bob);
    town.wait_to_see("UPDATE alice");
    let refreshed = town.now;
    town.rest();
    town.dead = vec!["alice"];
    town.wait_to_see("BYE bob");
    // He gives up as long before the end as is recommended. [RFC 4028, Section 10]
    assert_eq!(town.now.mono.since(refreshed.mono).0 / 1_000_000, 3_968);
    town.rest();
    TIMER.is_shown(&town.take_lines());
    town.run(Micros::from_secs(40));
    assert_eq!(town.ended("bob"), EndReason::Expired);
}

const FORKED: Flow = Flow {
    section: "RFC 6228, Section 9.2",
    title: "A forking proxy that receives 200",
    figure: 14,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE ss1 -> alice | A alice>- cseq=1 vias=1
        F2  INVITE ss1 -> bob2 | A alice>- cseq=1 vias=2 uri=bob@client2.biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        F3  INVITE ss1 -> bob3 | A alice>- cseq=1 vias=2 uri=bob@client3.biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        F4  INVITE ss1 -> bob4 | A alice>- cseq=1 vias=2 uri=bob@client4.biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob2 -> ss1 | A alice>- cseq=1 vias=2
        100 100 INVITE bob3 -> ss1 | A alice>- cseq=1 vias=2
        100 100 INVITE bob4 -> ss1 | A alice>- cseq=1 vias=2
        F5  180 INVITE bob2 -> ss1 | A alice>bob2 cseq=1 vias=2 record=ss1 contact=bob2
        F6  180 INVITE ss1 -> alice | A alice>bob2 cseq=1 vias=1 record=ss1 contact=bob2
        F7  180 INVITE bob3 -> ss1 | A alice>bob3 cseq=1 vias=2 record=ss1 contact=bob3
        F8  180 INVITE ss1 -> alice | A alice>bob3 cseq=1 vias=1 record=ss1 contact=bob3
        F9  180 INVITE bob4 -> ss1 | A alice>bob4 cseq=1 vias=2 record=ss1 contact=bob4
        F10 180 INVITE ss1 -> alice | A alice>bob4 cseq=1 vias=1 record=ss1 contact=bob4
        F11 200 INVITE bob4 -> ss1 | A alice>bob4 cseq=1 vias=2 record=ss1 contact=bob4 sdp=bob4:audio:sendrecv
        F12 200 INVITE ss1 -> alice | A alice>bob4 cseq=1 vias=1 record=ss1 contact=bob4 sdp=bob4:audio:sendrecv
        a   CANCEL ss1 -> bob2 | A alice>- cseq=1 vias=1 uri=bob@client2.biloxi
        b   CANCEL ss1 -> bob3 | A alice>- cseq=1 vias=1 uri=bob@client3.biloxi
        F13 ACK alice -> ss1 | A alice>bob4 cseq=1 vias=1 uri=bob@client4.biloxi route=ss1
        c   200 CANCEL bob2 -> ss1 | A alice>bob2 cseq=1 vias=1
        d   487 INVITE bob2 -> ss1 | A alice>bob2 cseq=1 vias=2
        e   200 CANCEL bob3 -> ss1 | A alice>bob3 cseq=1 vias=1
        f   487 INVITE bob3 -> ss1 | A alice>bob3 cseq=1 vias=2
        g   ACK ss1 -> bob2 | A alice>bob2 cseq=1 vias=1 uri=bob@client2.biloxi
        h   ACK ss1 -> bob3 | A alice>bob3 cseq=1 vias=1 uri=bob@client3.biloxi
        F14 ACK ss1 -> bob4 | A alice>bob4 cseq=1 vias=2 uri=bob@client4.biloxi
    ",
    differs: &[
        ("a b c d e f g h", "the other branches are cancelled, which the figure leaves out"),
    ],
};

#[test]
fn forked() {
    let mut town = one_proxy(&["alice"]);
    for name in ["bob2", "bob3", "bob4"] {
        town.phone(name);
        town.binds("ss1", "bob", &contact(name), None);
    }
    town.calls("alice", &through_proxy("alice", "bob"));
    let sessions = ["bob2", "bob3", "bob4"].map(|name| town.rings(name));
    assert_eq!(town.agent("alice").session_len(), 3, "each is an early dialog");
    town.answers("bob4", sessions[2]);
    FORKED.is_shown(&town.take_lines());
    let alice = town.answered("alice");
    assert_eq!(town.agent("alice").session_len(), 1);
    town.hangs_up("alice", alice);
    town.ends_empty();
}
