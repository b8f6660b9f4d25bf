//! Calls that find their way to another phone. `[RFC 5359, Section 2]`

use ringback_message::StatusCode;
use ringback_ua::Outbound;

use super::hold::{one_proxy, through_proxy};
use super::town::{Town, contact};
use super::{FORWARDED, Flow};

pub(crate) const FLOWS: &[&Flow] = &[&UNCONDITIONAL, &BUSY, &NO_ANSWER, &FIND_ME];

const ENDED: &str = "the proxy tells Alice, who knows 199, that Bob's early dialog is over. `[RFC 6228, Section 6]`";

const NO_TIMER: &str = "the phone gives up by itself after a while, with 480: a server of ours has no timer for ringing but Timer C, \
     which each 180 starts anew, and our phones send one each minute. `[RFC 3261, Section 16.7]`";

/// Bob's phones are tried one after the other.
fn in_turn(count: usize) -> Town {
    let mut town = one_proxy(&["alice"]);
    for (name, q) in ["bob", "bob2", "bob3", "bob4"].into_iter().zip(["1.0", "0.9", "0.8", "0.7"]).take(count) {
        town.phone(name);
        town.binds("ss1", "bob", &contact(name), Some(q));
    }
    town
}

fn calls(town: &mut Town) {
    town.calls("alice", &through_proxy("alice", "bob"));
}

fn refuses(town: &mut Town, name: &str, status: StatusCode) {
    let session = town.incoming(name);
    town.at(name, |agent, now| agent.reject(session, status, |r| r, now).unwrap());
}

const UNCONDITIONAL: Flow = Flow {
    section: "RFC 5359, Section 2.7",
    title: "Call Forwarding Unconditional",
    figure: 14,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=ss1 contact=alice sdp=alice:audio:sendrecv
        F2  100 INVITE ss1 -> alice | A alice>- cseq=1 vias=1
        F4  INVITE ss1 -> gateway | A alice>- cseq=1 vias=2 uri=+19727293660@gw1;user=phone record=ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE gateway -> ss1 | A alice>- cseq=1 vias=2
        F5  180 INVITE gateway -> ss1 | A alice>gateway cseq=1 vias=2 record=ss1 contact=+19727293660@gateway
        F6  180 INVITE ss1 -> alice | A alice>gateway cseq=1 vias=1 record=ss1 contact=+19727293660@gateway
        F7  200 INVITE gateway -> ss1 | A alice>gateway cseq=1 vias=2 record=ss1 contact=+19727293660@gateway sdp=gateway:audio:sendrecv
        F8  200 INVITE ss1 -> alice | A alice>gateway cseq=1 vias=1 record=ss1 contact=+19727293660@gateway sdp=gateway:audio:sendrecv
        F9  ACK alice -> ss1 | A alice>gateway cseq=1 vias=1 uri=+19727293660@gw1 route=ss1
        F10 ACK ss1 -> gateway | A alice>gateway cseq=1 vias=2 uri=+19727293660@gw1
        F11 BYE alice -> ss1 | A alice>gateway cseq=2 vias=1 uri=+19727293660@gw1 route=ss1
        F12 BYE ss1 -> gateway | A alice>gateway cseq=2 vias=2 uri=+19727293660@gw1
        F13 200 BYE gateway -> ss1 | A alice>gateway cseq=2 vias=2
        F14 200 BYE ss1 -> alice | A alice>gateway cseq=2 vias=1
    ",
    differs: &[
        ("F3", FORWARDED),
    ],
};

#[test]
fn unconditional() {
    let mut town = one_proxy(&["alice"]);
    town.phone_with("gateway", |config| config.user = "+19727293660".into());
    town.binds("ss1", "bob", "sip:+19727293660@gw1.example.com;user=phone", None);
    let outbound: Outbound = through_proxy("alice", "bob");
    let (alice, _) = town.call("alice", "gateway", &outbound);
    town.hangs_up("alice", alice);
    UNCONDITIONAL.is_played(&mut town);
}

const BUSY: Flow = Flow {
    section: "RFC 5359, Section 2.8",
    title: "Call Forwarding - Busy",
    figure: 17,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=ss1 contact=alice sdp=alice:audio:sendrecv
        F3  100 INVITE ss1 -> alice | A alice>- cseq=1 vias=1
        F2  INVITE ss1 -> bob | A alice>- cseq=1 vias=2 uri=bob@client.biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> ss1 | A alice>- cseq=1 vias=2
        F4  486 INVITE bob -> ss1 | A alice>bob cseq=1 vias=2
        F5  ACK ss1 -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        F7  INVITE ss1 -> bob2 | A alice>- cseq=1 vias=2 uri=bob@client2.biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob2 -> ss1 | A alice>- cseq=1 vias=2
        F8  180 INVITE bob2 -> ss1 | A alice>bob2 cseq=1 vias=2 record=ss1 contact=bob2
        F9  180 INVITE ss1 -> alice | A alice>bob2 cseq=1 vias=1 record=ss1 contact=bob2
        F10 200 INVITE bob2 -> ss1 | A alice>bob2 cseq=1 vias=2 record=ss1 contact=bob2 sdp=bob2:audio:sendrecv
        F11 200 INVITE ss1 -> alice | A alice>bob2 cseq=1 vias=1 record=ss1 contact=bob2 sdp=bob2:audio:sendrecv
        F12 ACK alice -> ss1 | A alice>bob2 cseq=1 vias=1 uri=bob@client2.biloxi route=ss1
        F13 ACK ss1 -> bob2 | A alice>bob2 cseq=1 vias=2 uri=bob@client2.biloxi
        F14 BYE alice -> ss1 | A alice>bob2 cseq=2 vias=1 uri=bob@client2.biloxi route=ss1
        F15 BYE ss1 -> bob2 | A alice>bob2 cseq=2 vias=2 uri=bob@client2.biloxi
        F16 200 BYE bob2 -> ss1 | A alice>bob2 cseq=2 vias=2
        F17 200 BYE ss1 -> alice | A alice>bob2 cseq=2 vias=1
    ",
    differs: &[
        ("F6", FORWARDED),
    ],
};

#[test]
fn busy() {
    let mut town = in_turn(2);
    calls(&mut town);
    refuses(&mut town, "bob", StatusCode::BusyHere);
    let second = town.rings("bob2");
    town.answers("bob2", second);
    let alice = town.answered("alice");
    town.hangs_up("alice", alice);
    BUSY.is_played(&mut town);
}

const NO_ANSWER: Flow = Flow {
    section: "RFC 5359, Section 2.9",
    title: "Call Forwarding - No Answer",
    figure: 21,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=ss1 contact=alice sdp=alice:audio:sendrecv
        F3  100 INVITE ss1 -> alice | A alice>- cseq=1 vias=1
        F2  INVITE ss1 -> bob | A alice>- cseq=1 vias=2 uri=bob@client.biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> ss1 | A alice>- cseq=1 vias=2
        F4  180 INVITE bob -> ss1 | A alice>bob cseq=1 vias=2 record=ss1 contact=bob
        F5  180 INVITE ss1 -> alice | A alice>bob cseq=1 vias=1 record=ss1 contact=bob
        F8  480 INVITE bob -> ss1 | A alice>bob cseq=1 vias=2
        F9  ACK ss1 -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        a   199 INVITE ss1 -> alice | A alice>bob cseq=1 vias=1 reason=SIP;cause=480;text=\"Temporarily_Unavailable\"
        F11 INVITE ss1 -> bob2 | A alice>- cseq=1 vias=2 uri=bob@client2.biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob2 -> ss1 | A alice>- cseq=1 vias=2
        F12 180 INVITE bob2 -> ss1 | A alice>bob2 cseq=1 vias=2 record=ss1 contact=bob2
        F13 180 INVITE ss1 -> alice | A alice>bob2 cseq=1 vias=1 record=ss1 contact=bob2
        F14 200 INVITE bob2 -> ss1 | A alice>bob2 cseq=1 vias=2 record=ss1 contact=bob2 sdp=bob2:audio:sendrecv
        F15 200 INVITE ss1 -> alice | A alice>bob2 cseq=1 vias=1 record=ss1 contact=bob2 sdp=bob2:audio:sendrecv
        F16 ACK alice -> ss1 | A alice>bob2 cseq=1 vias=1 uri=bob@client2.biloxi route=ss1
        F17 ACK ss1 -> bob2 | A alice>bob2 cseq=1 vias=2 uri=bob@client2.biloxi
        F18 BYE alice -> ss1 | A alice>bob2 cseq=2 vias=1 uri=bob@client2.biloxi route=ss1
        F19 BYE ss1 -> bob2 | A alice>bob2 cseq=2 vias=2 uri=bob@client2.biloxi
        F20 200 BYE bob2 -> ss1 | A alice>bob2 cseq=2 vias=2
        F21 200 BYE ss1 -> alice | A alice>bob2 cseq=2 vias=1
    ",
    differs: &[
        ("F6 F7 F8", NO_TIMER),
        ("a", ENDED),
        ("F10", FORWARDED),
    ],
};

#[test]
fn no_answer() {
    let mut town = in_turn(2);
    calls(&mut town);
    let first = town.rings("bob");
    town.at("bob", |bob, now| bob.reject(first, StatusCode::TemporarilyUnavailable, |r| r, now).unwrap());
    let second = town.rings("bob2");
    town.answers("bob2", second);
    let alice = town.answered("alice");
    town.hangs_up("alice", alice);
    NO_ANSWER.is_played(&mut town);
}

const FIND_ME: Flow = Flow {
    section: "RFC 5359, Section 2.12",
    title: "Find-Me",
    figure: 26,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@biloxi route=ss1 contact=alice sdp=alice:audio:sendrecv
        F3  100 INVITE ss1 -> alice | A alice>- cseq=1 vias=1
        F2  INVITE ss1 -> bob | A alice>- cseq=1 vias=2 uri=bob@client.biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> ss1 | A alice>- cseq=1 vias=2
        F4  180 INVITE bob -> ss1 | A alice>bob cseq=1 vias=2 record=ss1 contact=bob
        F5  180 INVITE ss1 -> alice | A alice>bob cseq=1 vias=1 record=ss1 contact=bob
        F8  480 INVITE bob -> ss1 | A alice>bob cseq=1 vias=2
        F9  ACK ss1 -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        a   199 INVITE ss1 -> alice | A alice>bob cseq=1 vias=1 reason=SIP;cause=480;text=\"Temporarily_Unavailable\"
        F10 INVITE ss1 -> bob2 | A alice>- cseq=1 vias=2 uri=bob@client2.biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob2 -> ss1 | A alice>- cseq=1 vias=2
        F11 480 INVITE bob2 -> ss1 | A alice>bob2 cseq=1 vias=2
        F12 ACK ss1 -> bob2 | A alice>bob2 cseq=1 vias=1 uri=bob@client2.biloxi
        F13 INVITE ss1 -> bob3 | A alice>- cseq=1 vias=2 uri=bob@client3.biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob3 -> ss1 | A alice>- cseq=1 vias=2
        F14 486 INVITE bob3 -> ss1 | A alice>bob3 cseq=1 vias=2
        F15 ACK ss1 -> bob3 | A alice>bob3 cseq=1 vias=1 uri=bob@client3.biloxi
        F16 INVITE ss1 -> bob4 | A alice>- cseq=1 vias=2 uri=bob@client4.biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob4 -> ss1 | A alice>- cseq=1 vias=2
        F17 180 INVITE bob4 -> ss1 | A alice>bob4 cseq=1 vias=2 record=ss1 contact=bob4
        F18 180 INVITE ss1 -> alice | A alice>bob4 cseq=1 vias=1 record=ss1 contact=bob4
        F19 200 INVITE bob4 -> ss1 | A alice>bob4 cseq=1 vias=2 record=ss1 contact=bob4 sdp=bob4:audio:sendrecv
        F20 200 INVITE ss1 -> alice | A alice>bob4 cseq=1 vias=1 record=ss1 contact=bob4 sdp=bob4:audio:sendrecv
        F21 ACK alice -> ss1 | A alice>bob4 cseq=1 vias=1 uri=bob@client4.biloxi route=ss1
        F22 ACK ss1 -> bob4 | A alice>bob4 cseq=1 vias=2 uri=bob@client4.biloxi
        F23 BYE bob4 -> ss1 | A bob4>alice cseq=1 vias=1 uri=alice@client.atlanta route=ss1
        F24 BYE ss1 -> alice | A bob4>alice cseq=1 vias=2 uri=alice@client.atlanta
        F25 200 BYE alice -> ss1 | A bob4>alice cseq=1 vias=2
        F26 200 BYE ss1 -> bob4 | A bob4>alice cseq=1 vias=1
    ",
    differs: &[
        ("F6 F7 F8", NO_TIMER),
        ("a", ENDED),
    ],
};

#[test]
fn find_me() {
    let mut town = in_turn(4);
    calls(&mut town);
    let first = town.rings("bob");
    town.at("bob", |bob, now| bob.reject(first, StatusCode::TemporarilyUnavailable, |r| r, now).unwrap());
    refuses(&mut town, "bob2", StatusCode::TemporarilyUnavailable);
    refuses(&mut town, "bob3", StatusCode::BusyHere);
    let fourth = town.rings("bob4");
    town.answers("bob4", fourth);
    town.hangs_up("bob4", fourth);
    FIND_ME.is_played(&mut town);
}
