//! Every limit that a message can reach, reached: what the sender is answered, and that its counter, and no other, says so.

use ringback_base::Micros;
use ringback_message::HeaderId;
use ringback_stack::Config;

use crate::world::{ALICE, BOB, World, answer, routes};

const CAROL: &str = "127.0.0.1:5073";

/// The limits that were reached, and how often.
fn reached(world: &World) -> Vec<(String, u64)> {
    let counters = format!("{:?}", world.stack.counters());
    let fields = counters.trim_end_matches(" }").split(['{', ',']).filter_map(|field| field.trim().split_once(": "));
    let limits = fields.filter(|(name, _)| name.ends_with("_reached"));
    limits.map(|(name, count)| (name.to_owned(), count.parse().unwrap())).filter(|(_, count)| *count > 0).collect()
}

fn only(limit: &str) -> Vec<(String, u64)> {
    vec![(limit.to_owned(), 1)]
}

fn open(config: &mut Config) {
    config.open = true;
}

/// A REGISTER of Alice's, or whatever becomes of it.
fn register(world: &mut World, more: &str) -> String {
    world.text(ALICE, "REGISTER", "sip:example.com", "alice", "sip:alice@example.com", more)
}

/// An INVITE to Bob.
fn invite(world: &mut World, from: &str) -> String {
    world.text(from, "INVITE", "sip:bob@example.com", "alice", "sip:bob@example.com", "")
}

/// Bob, at these places.
fn bob_is_at(world: &mut World, contacts: &str) {
    let more = format!("Contact: {contacts}\r\n");
    let text = world.text(BOB, "REGISTER", "sip:example.com", "bob", "sip:bob@example.com", &more);
    world.send(BOB, text);
    assert_eq!(world.codes(BOB), [200]);
}

/// One message is too much.
#[test]
fn messages_beyond_a_limit() {
    let a = |count: usize| "a".repeat(count);
    let list = |header: &str, count: usize| format!("{header}: {}\r\n", vec!["<sip:a@b>;expires=0"; count].join(","));
    let params: String = (0..33).map(|n| format!("{}p{n}=x", if n > 0 { "," } else { "" })).collect();
    let lines = "Accept: a/b\r\n".repeat(512);
    for (limit, code, more) in [
        ("header_lines_max_reached", Some(513), lines.clone()),
        ("header_name_bytes_max_reached", Some(513), format!("{}: x\r\n", a(257))),
        // What is too long stands first, and what is too much comes after it.
        ("header_name_bytes_max_reached", Some(513), format!("{}: x\r\n{lines}", a(257))),
        ("header_lines_max_reached", Some(513), format!("{lines}{}: x\r\n", a(257))),
        ("message_bytes_max_reached", None, format!("Content-Length: 65000\r\n\r\n{}", a(65_536))),
        ("auth_params_max_reached", Some(400), format!("Authorization: Digest {params}\r\n")),
        ("parameter_bytes_max_reached", Some(400), format!("Authorization: Digest realm=\"{}\"\r\n", a(2_048))),
        ("credentials_max_reached", Some(401), "Authorization: Digest realm=elsewhere\r\n".repeat(17)),
    ] {
        let mut world = World::new();
        let text = register(&mut world, &more);
        world.send(ALICE, text);
        assert_eq!((world.codes(ALICE), reached(&world)), (Vec::from_iter(code), only(limit)));
        world.ends_empty();
    }
    for (limit, more) in [
        ("contacts_per_request_max_reached", list("Contact", 65)),
        ("path_values_max_reached", list("Path", 17)),
        ("path_bytes_max_reached", format!("Path: <sip:{}@b;lr>\r\n", a(2_048))),
        ("bindings_per_aor_max_reached", "Contact: <sip:a@b>, <sip:b@b>, <sip:c@b>\r\n".into()),
        ("contact_bytes_max_reached", format!("Contact: <sip:{}@b>\r\n", a(1_024))),
        ("call_id_bytes_max_reached", "Contact: <sip:a@b>\r\n".into()),
    ] {
        let mut world = World::with(|config| {
            open(config);
            config.registrar.bindings_per_aor_max = 2;
        });
        let call_id = if limit == "call_id_bytes_max_reached" { a(513) } else { a(512) };
        let text = register(&mut world, &more).replace("call-5071", &call_id);
        world.send(ALICE, text);
        assert_eq!((world.codes(ALICE), reached(&world)), (vec![403], only(limit)));
        assert!(world.bindings.is_empty());
        world.ends_empty();
    }
}

#[test]
fn users_whose_names_are_too_long() {
    let user = format!("sip:{}@example.com", "a".repeat(512));
    for (is_open, method, uri, to) in [
        (false, "REGISTER", "sip:example.com", &*user),
        (true, "REGISTER", "sip:example.com", &user),
        (true, "MESSAGE", &user, "sip:x@example.com"),
        (false, "MESSAGE", &user, "sip:x@example.com"),
    ] {
        let mut world = World::with(|config| config.open = is_open);
        if is_open || method == "REGISTER" {
            let text = world.text(ALICE, method, uri, "alice", to, "");
            world.send(ALICE, text);
        } else {
            world.send_authenticated(ALICE, method, uri, "alice", to, "");
        }
        assert_eq!(
            (world.codes(ALICE), reached(&world)),
            (vec![404], only("aor_bytes_max_reached")),
            "{is_open} {method}"
        );
        world.ends_empty();
    }
}

#[test]
fn nonces() {
    let mut world = World::with(|config| config.nonces_max = 1);
    world.register(ALICE, "alice");
    assert!(reached(&world).is_empty());
    world.register(ALICE, "alice");
    assert_eq!(reached(&world), only("nonces_max_reached"));
}

#[test]
fn conflicts() {
    for (conflicts, code, limits) in [(8, 200, vec![]), (9, 500, only("conflicts_max_reached"))] {
        let mut world = World::with(open);
        world.conflicts = conflicts;
        let text = register(&mut world, "Contact: <sip:a@b>\r\n");
        world.send(ALICE, text);
        assert_eq!((world.codes(ALICE), reached(&world)), (vec![code], limits));
    }
}

/// The table itself counts this one.
#[test]
fn users() {
    let mut world = World::with(open);
    world.full = true;
    let text = register(&mut world, "Contact: <sip:a@b>\r\n");
    world.send(ALICE, text);
    let refused = world.response(ALICE);
    assert_eq!(refused.status().as_u16(), 500);
    assert!(refused.first(HeaderId::RetryAfter).is_some());
    assert_eq!(world.stack.counters().lookups_failed, 0, "it was answered");
    world.ends_empty();
}

#[test]
fn requests_that_are_being_relayed() {
    let mut world = World::with(|config| {
        open(config);
        config.proxy.contexts_max = 1;
    });
    bob_is_at(&mut world, &format!("<sip:bob@{BOB}>"));
    for (from, codes, limits) in [(ALICE, vec![100], vec![]), (CAROL, vec![503], only("contexts_max_reached"))] {
        let text = invite(&mut world, from);
        world.send(from, text);
        assert_eq!((world.codes(from), reached(&world)), (codes, limits));
    }
    world.ends_empty();
}

#[test]
fn targets() {
    for (limit, tried) in [("branches_max_reached", 1), ("max_breadth_reached", 2)] {
        let mut world = World::with(|config| {
            open(config);
            match limit {
                "branches_max_reached" => config.proxy.branches_max = 1,
                _ => config.proxy.max_breadth = 1,
            }
        });
        bob_is_at(&mut world, &format!("<sip:bob@{BOB}>, <sip:bob@{CAROL}>"));
        let text = invite(&mut world, ALICE);
        world.send(ALICE, text);
        assert_eq!(reached(&world), only(limit));
        let first = world.request(BOB);
        world.send(BOB, answer(&first, 486, "b", ""));
        assert_eq!((1 + world.received(CAROL).len(), reached(&world)), (tried, only(limit)));
        world.ends_empty();
    }
}

#[test]
fn addresses_of_a_target() {
    let mut world = World::with(open);
    bob_is_at(&mut world, "<sip:bob@many.example>");
    let text = invite(&mut world, ALICE);
    world.send(ALICE, text);
    assert_eq!(reached(&world), only("walk_limits_reached"));
    world.ends_empty();
}

fn one_lookup() -> World {
    World::with(|config| {
        open(config);
        config.lookups_max = 1;
    })
}

/// Somebody else's look-up is under way.
fn busy(world: &mut World) {
    world.mute = true;
    let text = world.text(CAROL, "REGISTER", "sip:example.com", "carol", "sip:carol@example.com", "");
    world.send(CAROL, text);
    assert!(reached(world).is_empty());
}

#[test]
fn look_ups_for_requests() {
    for method in ["REGISTER", "MESSAGE"] {
        let mut world = one_lookup();
        busy(&mut world);
        let uri = if method == "REGISTER" { "sip:example.com" } else { "sip:bob@example.com" };
        let text = world.text(ALICE, method, uri, "alice", "sip:bob@example.com", "");
        world.send(ALICE, text);
        assert_eq!((world.codes(ALICE), reached(&world)), (vec![503], only("lookups_max_reached")));
        world.ends_empty();
    }
}

#[test]
fn look_ups_for_targets() {
    let mut world = one_lookup();
    bob_is_at(&mut world, "<sip:bob@phone.example>, <sip:bob@many.example>");
    let text = invite(&mut world, ALICE);
    world.send(ALICE, text);
    assert_eq!(reached(&world), only("lookups_max_reached"));
    assert_eq!(world.received("127.0.0.1:5060").len(), 1, "the other one is tried");
    world.wait(Micros::from_secs(400));
}

#[test]
fn look_ups_for_acks() {
    let mut world = one_lookup();
    bob_is_at(&mut world, &format!("<sip:bob@{BOB}>"));
    let text = invite(&mut world, ALICE);
    world.send(ALICE, text);
    let at_bob = world.request(BOB);
    world.send(BOB, answer(&at_bob, 200, "b", "Contact: <sip:bob@phone.example>\r\n"));
    let route = routes(&world.response(ALICE));
    busy(&mut world);
    let ack = world
        .text(ALICE, "ACK", "sip:bob@phone.example", "alice", "sip:bob@example.com>;tag=b;x=<", &route)
        .replace(";x=<>", "");
    world.send(ALICE, ack);
    assert_eq!((reached(&world), world.stack.counters().acks_dropped), (only("lookups_max_reached"), 1));
    world.ends_empty();
}
