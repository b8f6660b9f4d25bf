//! Calls that come to nothing. `[RFC 3665, Section 3]`

use ringback_base::Micros;
use ringback_message::StatusCode;
use ringback_ua::EndReason;

use super::sessions::{through_proxies, two_proxies};
use super::{DIALED, Flow};

pub(crate) const FLOWS: &[&Flow] = &[&NO_ANSWER, &BUSY, &NO_RESPONSE, &UNAVAILABLE];

const NO_ANSWER: Flow = Flow {
    section: "RFC 3665, Section 3.8",
    title: "Unsuccessful no answer",
    figure: 20,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@atlanta route=ss1 contact=alice sdp=alice:audio:sendrecv
        F3  100 INVITE ss1 -> alice | A alice>- cseq=1 vias=1
        F2  INVITE ss1 -> ss2 | A alice>- cseq=1 vias=2 uri=bob@biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        F5  100 INVITE ss2 -> ss1 | A alice>- cseq=1 vias=2
        F4  INVITE ss2 -> bob | A alice>- cseq=1 vias=3 uri=bob@client.biloxi record=ss2,ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> ss2 | A alice>- cseq=1 vias=3
        F6  180 INVITE bob -> ss2 | A alice>bob cseq=1 vias=3 record=ss2,ss1 contact=bob
        F7  180 INVITE ss2 -> ss1 | A alice>bob cseq=1 vias=2 record=ss2,ss1 contact=bob
        F8  180 INVITE ss1 -> alice | A alice>bob cseq=1 vias=1 record=ss2,ss1 contact=bob
        F9  CANCEL alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@atlanta route=ss1
        F10 200 CANCEL ss1 -> alice | A alice>ss1 cseq=1 vias=1
        F11 CANCEL ss1 -> ss2 | A alice>- cseq=1 vias=1 uri=bob@biloxi
        F12 200 CANCEL ss2 -> ss1 | A alice>ss2 cseq=1 vias=1
        F13 CANCEL ss2 -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi
        F14 200 CANCEL bob -> ss2 | A alice>bob cseq=1 vias=1
        F15 487 INVITE bob -> ss2 | A alice>bob cseq=1 vias=3
        F16 ACK ss2 -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        F17 487 INVITE ss2 -> ss1 | A alice>bob cseq=1 vias=2
        F18 ACK ss1 -> ss2 | A alice>bob cseq=1 vias=1 uri=bob@biloxi
        F19 487 INVITE ss1 -> alice | A alice>bob cseq=1 vias=1
        F20 ACK alice -> ss1 | A alice>bob cseq=1 vias=1 uri=bob@atlanta route=ss1
    ",
    differs: &[
        ("F1 F9", DIALED),
    ],
};

#[test]
fn no_answer() {
    let mut town = two_proxies();
    let invite = town.calls("alice", &through_proxies());
    town.rings("bob");
    town.at("alice", |alice, now| alice.cancel(invite, None, now).unwrap());
    assert_eq!(town.ended("bob"), EndReason::Cancelled);
    assert_eq!(town.failed("alice"), 487);
    NO_ANSWER.is_played(&mut town);
}

const BUSY: Flow = Flow {
    section: "RFC 3665, Section 3.9",
    title: "Unsuccessful busy",
    figure: 11,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@atlanta route=ss1 contact=alice sdp=alice:audio:sendrecv
        F3  100 INVITE ss1 -> alice | A alice>- cseq=1 vias=1
        F2  INVITE ss1 -> ss2 | A alice>- cseq=1 vias=2 uri=bob@biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        F5  100 INVITE ss2 -> ss1 | A alice>- cseq=1 vias=2
        F4  INVITE ss2 -> bob | A alice>- cseq=1 vias=3 uri=bob@client.biloxi record=ss2,ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> ss2 | A alice>- cseq=1 vias=3
        F6  486 INVITE bob -> ss2 | A alice>bob cseq=1 vias=3
        F7  ACK ss2 -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        F8  486 INVITE ss2 -> ss1 | A alice>bob cseq=1 vias=2
        F9  ACK ss1 -> ss2 | A alice>bob cseq=1 vias=1 uri=bob@biloxi
        F10 486 INVITE ss1 -> alice | A alice>bob cseq=1 vias=1
        F11 ACK alice -> ss1 | A alice>bob cseq=1 vias=1 uri=bob@atlanta route=ss1
    ",
    differs: &[
        ("F1", DIALED),
    ],
};

#[test]
fn busy() {
    let mut town = two_proxies();
    town.calls("alice", &through_proxies());
    let bob = town.incoming("bob");
    town.at("bob", |agent, now| agent.reject(bob, StatusCode::BusyHere, |r| r, now).unwrap());
    assert_eq!(town.failed("alice"), 486);
    BUSY.is_played(&mut town);
}

const NO_RESPONSE: Flow = Flow {
    section: "RFC 3665, Section 3.10",
    title: "Unsuccessful no response from user agent",
    figure: 15,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@atlanta route=ss1 contact=alice sdp=alice:audio:sendrecv
        F3  100 INVITE ss1 -> alice | A alice>- cseq=1 vias=1
        F2  INVITE ss1 -> ss2 | A alice>- cseq=1 vias=2 uri=bob@biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        F5  100 INVITE ss2 -> ss1 | A alice>- cseq=1 vias=2
        F4  INVITE ss2 -> bob | A alice>- cseq=1 vias=3 uri=bob@client.biloxi record=ss2,ss1 contact=alice sdp=alice:audio:sendrecv
        F6  INVITE ss2 -> bob | A alice>- cseq=1 vias=3 uri=bob@client.biloxi record=ss2,ss1 contact=alice sdp=alice:audio:sendrecv
        F7  INVITE ss2 -> bob | A alice>- cseq=1 vias=3 uri=bob@client.biloxi record=ss2,ss1 contact=alice sdp=alice:audio:sendrecv
        F8  INVITE ss2 -> bob | A alice>- cseq=1 vias=3 uri=bob@client.biloxi record=ss2,ss1 contact=alice sdp=alice:audio:sendrecv
        F9  INVITE ss2 -> bob | A alice>- cseq=1 vias=3 uri=bob@client.biloxi record=ss2,ss1 contact=alice sdp=alice:audio:sendrecv
        F10 INVITE ss2 -> bob | A alice>- cseq=1 vias=3 uri=bob@client.biloxi record=ss2,ss1 contact=alice sdp=alice:audio:sendrecv
        F11 INVITE ss2 -> bob | A alice>- cseq=1 vias=3 uri=bob@client.biloxi record=ss2,ss1 contact=alice sdp=alice:audio:sendrecv
        F12 408 INVITE ss2 -> ss1 | A alice>ss2 cseq=1 vias=2
        F13 ACK ss1 -> ss2 | A alice>ss2 cseq=1 vias=1 uri=bob@biloxi
        F14 408 INVITE ss1 -> alice | A alice>ss2 cseq=1 vias=1
        F15 ACK alice -> ss1 | A alice>ss2 cseq=1 vias=1 uri=bob@atlanta route=ss1
    ",
    differs: &[
        ("F1", DIALED),
        ("F12 F14", "408, which is what a proxy says where no branch has answered. `[RFC 3261, Section 16.7]`"),
    ],
};

#[test]
fn no_response() {
    let mut town = two_proxies();
    town.dead = vec!["bob"];
    town.calls("alice", &through_proxies());
    town.run(Micros::from_secs(33));
    assert_eq!(town.failed("alice"), 408);
    NO_RESPONSE.is_played(&mut town);
}

const UNAVAILABLE: Flow = Flow {
    section: "RFC 3665, Section 3.11",
    title: "Unsuccessful temporarily unavailable",
    figure: 14,
    ladder: "
        F1  INVITE alice -> ss1 | A alice>- cseq=1 vias=1 uri=bob@atlanta route=ss1 contact=alice sdp=alice:audio:sendrecv
        F3  100 INVITE ss1 -> alice | A alice>- cseq=1 vias=1
        F2  INVITE ss1 -> ss2 | A alice>- cseq=1 vias=2 uri=bob@biloxi record=ss1 contact=alice sdp=alice:audio:sendrecv
        F5  100 INVITE ss2 -> ss1 | A alice>- cseq=1 vias=2
        F4  INVITE ss2 -> bob | A alice>- cseq=1 vias=3 uri=bob@client.biloxi record=ss2,ss1 contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> ss2 | A alice>- cseq=1 vias=3
        F6  180 INVITE bob -> ss2 | A alice>bob cseq=1 vias=3 record=ss2,ss1 contact=bob
        F7  180 INVITE ss2 -> ss1 | A alice>bob cseq=1 vias=2 record=ss2,ss1 contact=bob
        F8  180 INVITE ss1 -> alice | A alice>bob cseq=1 vias=1 record=ss2,ss1 contact=bob
        F9  480 INVITE bob -> ss2 | A alice>bob cseq=1 vias=3
        F10 ACK ss2 -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        F11 480 INVITE ss2 -> ss1 | A alice>bob cseq=1 vias=2
        F12 ACK ss1 -> ss2 | A alice>bob cseq=1 vias=1 uri=bob@biloxi
        F13 480 INVITE ss1 -> alice | A alice>bob cseq=1 vias=1
        F14 ACK alice -> ss1 | A alice>bob cseq=1 vias=1 uri=bob@atlanta route=ss1
    ",
    differs: &[
        ("F1", DIALED),
    ],
};

#[test]
fn temporarily_unavailable() {
    let mut town = two_proxies();
    town.calls("alice", &through_proxies());
    let bob = town.rings("bob");
    town.at("bob", |agent, now| agent.reject(bob, StatusCode::TemporarilyUnavailable, |r| r, now).unwrap());
    assert_eq!(town.failed("alice"), 480);
    UNAVAILABLE.is_played(&mut town);
}
