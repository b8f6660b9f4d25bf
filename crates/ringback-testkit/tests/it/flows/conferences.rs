//! Three in a call. `[RFC 5359, Section 2.10]` `[RFC 5359, Section 2.11]`

use ringback_message::header::Join;

use super::Flow;
use super::hold::changes;
use super::town::{Town, direct, sound};

pub(crate) const FLOWS: &[&Flow] = &[&ADDED, &JOINS];

const MIXER: &str = "the Contact is that of the phone, whose user says by other means that it mixes: a user agent of ours has one \
     Contact for all of its calls, and none with `isfocus`.";

fn three() -> Town {
    let mut town = Town::new();
    for name in ["alice", "bob", "carol"] {
        town.phone(name);
    }
    town
}

const ADDED: Flow = Flow {
    section: "RFC 5359, Section 2.10",
    title: "3-Way Conference - Third Party Is Added",
    figure: 11,
    ladder: "
        F1  INVITE alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> alice | A alice>- cseq=1 vias=1
        F2  180 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob
        F3  200 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob sdp=bob:audio:sendrecv
        F4  ACK alice -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        F5  INVITE bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta contact=bob sdp=bob:audio:sendrecv
        100 100 INVITE alice -> bob | A bob>alice cseq=1 vias=1
        F6  200 INVITE alice -> bob | A bob>alice cseq=1 vias=1 contact=alice sdp=alice:audio:sendrecv
        F7  ACK bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta
        F8  INVITE bob -> carol | B bob.2>- cseq=1 vias=1 uri=carol@client.chicago contact=bob sdp=bob:audio:sendrecv
        100 100 INVITE carol -> bob | B bob.2>- cseq=1 vias=1
        F9  180 INVITE carol -> bob | B bob.2>carol cseq=1 vias=1 contact=carol
        F10 200 INVITE carol -> bob | B bob.2>carol cseq=1 vias=1 contact=carol sdp=carol:audio:sendrecv
        F11 ACK bob -> carol | B bob.2>carol cseq=1 vias=1 uri=carol@client.chicago
    ",
    differs: &[("F5 F8", MIXER)],
};

#[test]
fn a_third_is_added() {
    let mut town = three();
    let (alice, bob) = town.call("alice", "bob", &direct("alice", "bob"));
    changes(&mut town, "bob", bob, sound("bob"), "alice");
    let (bob_too, _) = town.call("bob", "carol", &direct("bob", "carol"));
    ADDED.is_shown(&town.take_lines());
    assert!([bob, bob_too].iter().all(|session| town.agent("bob").media(*session).is_some()));
    town.hangs_up("alice", alice);
    town.hangs_up("bob", bob_too);
    town.ends_empty();
}

const JOINS: Flow = Flow {
    section: "RFC 5359, Section 2.11",
    title: "3-Way Conference - Third Party Joins",
    figure: 11,
    ladder: "
        F1  INVITE alice -> bob | A alice>- cseq=1 vias=1 uri=bob@client.biloxi contact=alice sdp=alice:audio:sendrecv
        100 100 INVITE bob -> alice | A alice>- cseq=1 vias=1
        F2  180 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob
        F3  200 INVITE bob -> alice | A alice>bob cseq=1 vias=1 contact=bob sdp=bob:audio:sendrecv
        F4  ACK alice -> bob | A alice>bob cseq=1 vias=1 uri=bob@client.biloxi
        F5  INVITE carol -> bob | B carol>- cseq=1 vias=1 uri=bob@client.biloxi contact=carol join=A;to-tag=bob;from-tag=alice sdp=carol:audio:sendrecv
        100 100 INVITE bob -> carol | B carol>- cseq=1 vias=1
        F6  180 INVITE bob -> carol | B carol>bob.2 cseq=1 vias=1 contact=bob
        F7  INVITE bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta contact=bob sdp=bob:audio:sendrecv
        100 100 INVITE alice -> bob | A bob>alice cseq=1 vias=1
        F8  200 INVITE alice -> bob | A bob>alice cseq=1 vias=1 contact=alice sdp=alice:audio:sendrecv
        F9  ACK bob -> alice | A bob>alice cseq=1 vias=1 uri=alice@client.atlanta
        F10 200 INVITE bob -> carol | B carol>bob.2 cseq=1 vias=1 contact=bob sdp=bob:audio:sendrecv
        F11 ACK carol -> bob | B carol>bob.2 cseq=1 vias=1 uri=bob@client.biloxi
    ",
    differs: &[
        ("F5", "`join` is no tag of ours, so it isn't in Supported: what Join asks for, Bob's application does."),
        ("F6 F7 F10", MIXER),
    ],
};

#[test]
fn a_third_joins() {
    let mut town = three();
    let (alice, bob) = town.call("alice", "bob", &direct("alice", "bob"));
    let id = town.agent("bob").dialog(bob).unwrap().id();
    let join = Join::new(id.call_id, id.local_tag, id.remote_tag);
    town.calls("carol", &direct("carol", "bob").with(join));
    let carol = town.rings("bob");
    changes(&mut town, "bob", bob, sound("bob"), "alice");
    town.answers("bob", carol);
    JOINS.is_shown(&town.take_lines());
    town.hangs_up("alice", alice);
    town.hangs_up("bob", carol);
    town.ends_empty();
}
