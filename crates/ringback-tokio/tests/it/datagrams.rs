//! What comes by UDP.

use std::time::{Duration, Instant};

use ringback_base::{Now, Random};
use ringback_location::Aor;
use ringback_location_db::{LocationDb, Options};
use ringback_transport::stun::{Stun, TransactionId, binding_request};

use crate::world::{Phone, Server, WAIT};

#[test]
fn each_call_id_is_served_whichever_shard_reads_it() {
    let server = Server::start(4);
    // One socket, so that the kernel gives all of them to one shard; 100 Call-IDs, so that they belong to all.
    let phone = Phone::new(server.address);
    for n in 0..100 {
        phone.send(phone.request("OPTIONS", &format!("call-{n}"), 1, ""));
        let response = phone.receive();
        assert_eq!((response.status().as_u16(), response.call_id()), (200, format!("call-{n}").as_bytes()));
    }
    let counters = server.drain(Duration::ZERO).counters;
    assert_eq!((counters.received, counters.sent), (100, 100));
    assert!((50..100).contains(&counters.handed_over), "{counters:?}");
    assert_eq!((counters.handed_over_dropped, counters.receive_errors, counters.send_errors), (0, 0, 0));
}

#[test]
fn a_registration_is_durable_when_it_is_answered() {
    let server = Server::start(2);
    let phone = Phone::new(server.address);
    let contact = phone.contact();
    phone.send(phone.request("REGISTER", "c1", 1, &contact));
    let challenge = phone.receive();
    assert_eq!(challenge.status().as_u16(), 401);
    let again = phone.request("REGISTER", "c1", 2, &contact);
    phone.send(phone.authorize(&again, &challenge, "wonderland"));
    assert_eq!(phone.receive().status().as_u16(), 200);
    // Taken before anything is closed or flushed.
    let copy = server.folder.path().join("copy.redb");
    assert_eq!(server.location.backup_to(&copy).unwrap(), 1);
    let copy = LocationDb::open(&copy, Options::default(), Now::default()).unwrap();
    assert_eq!(copy.load(&Aor::new(b"alice", "localhost").unwrap()).0.len(), 1);

    let wrong = phone.request("REGISTER", "c1", 3, &contact);
    phone.send(phone.authorize(&wrong, &challenge, "guessed"));
    assert!(matches!(phone.receive().status().as_u16(), 401 | 403));
    server.drain(Duration::ZERO);
}

#[test]
fn noise_ends_nothing() {
    let server = Server::start(2);
    let phone = Phone::new(server.address);
    let mut random = Random::from_seed([2; 32]);
    let mut noise = vec![0; 60_000];
    for _ in 0..200 {
        random.fill(&mut noise);
        let length = usize::try_from(random.below(60_000)).unwrap();
        phone.send(&noise[..length]);
        phone.send(b"");
        phone.send(b"\r\n\r\n");
    }
    phone.0.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let answered = (0..20).any(|n| {
        phone.send(phone.request("OPTIONS", &format!("after-{n}"), 1, ""));
        let mut buffer = [0; 2_000];
        phone.0.recv(&mut buffer).is_ok_and(|length| buffer[..length].starts_with(b"SIP/2.0 200"))
    });
    assert!(answered);
    server.drain(Duration::ZERO);
}

/// By the shard that reads it, whichever that is.
#[test]
fn a_keep_alive_by_stun_is_answered_from_the_port_that_it_came_to() {
    let server = Server::start(4);
    for n in 0..8 {
        let phone = Phone::new(server.address);
        let id = TransactionId([n; 12]);
        phone.send(binding_request(id));
        let mut buffer = [0; 100];
        let length = phone.0.recv(&mut buffer).unwrap();
        let mapped = Stun::Mapped { id, address: phone.0.local_addr().unwrap() };
        assert_eq!(Stun::read(&buffer[..length]), Some(mapped));
    }
    assert_eq!(server.drain(Duration::ZERO).counters.handed_over, 0);
}

#[test]
fn an_idle_server_drains_at_once_and_a_busy_one_within_the_bound() {
    let begun = Instant::now();
    assert!(Server::start(2).drain(WAIT).was_idle);
    assert!(begun.elapsed() < WAIT);

    let (server, _caller, _callee) = Server::ringing(2);
    let begun = Instant::now();
    let drained = server.drain(Duration::from_millis(300));
    assert!(!drained.was_idle && begun.elapsed() >= Duration::from_millis(300));
}

#[test]
fn while_draining_new_requests_are_refused() {
    let (server, caller, _callee) = Server::ringing(1);
    let phone = Phone::new(server.address);
    let draining = std::thread::spawn(move || server.drain(Duration::from_secs(3)));
    let refused = (0..100).any(|n| {
        std::thread::sleep(Duration::from_millis(20));
        phone.send(phone.request("OPTIONS", &format!("new-{n}"), 1, ""));
        phone.receive().status().as_u16() == 503
    });
    assert!(refused);
    // Of what is open, retransmissions are answered as ever.
    caller.send(caller.invite("c1", ""));
    assert_eq!(caller.receive().status().as_u16(), 100);
    assert!(!draining.join().unwrap().was_idle);
}
