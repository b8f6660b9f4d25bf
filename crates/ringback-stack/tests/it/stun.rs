//! Keep-alives by STUN at the ports of SIP. `[RFC 5626, Section 8]`

use ringback_transport::stun::{Stun, TransactionId, binding_request};

use crate::world::{ALICE, World};

#[test]
fn a_server_tells_where_it_sees_a_phone() {
    let mut world = World::new();
    world.send(ALICE, binding_request(TransactionId([5; 12])));
    let (to, answer) = world.wire.remove(0);
    assert_eq!(to, ALICE.parse().unwrap());
    let mapped = Stun::Mapped { id: TransactionId([5; 12]), address: ALICE.parse().unwrap() };
    assert_eq!(Stun::read(&answer), Some(mapped));
    assert_eq!(world.stack.counters().stun_requests, 1);
}

/// No two servers can be made to answer each other, and what can't be read is not answered at all.
#[test]
fn answers_and_what_is_no_stun_are_not_answered() {
    let mut world = World::new();
    world.send(ALICE, binding_request(TransactionId([5; 12])));
    let (_, answer) = world.wire.remove(0);
    world.send(ALICE, &answer);
    world.send(ALICE, &binding_request(TransactionId([5; 12]))[..19]);
    world.send(ALICE, b"\x01\x02\x03");
    assert!(world.wire.is_empty(), "{:?}", world.wire);
    let counters = world.stack.counters();
    assert_eq!((counters.stun_requests, counters.keep_alives, counters.stun_dropped, counters.malformed), (1, 1, 2, 0));
    world.ends_empty();
}
