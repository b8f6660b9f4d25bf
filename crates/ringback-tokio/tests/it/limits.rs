//! Limits of connections and of users, reached, and the server at work beside it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use ringback_base::Micros;
use ringback_message::HeaderId;
use ringback_tokio::{StreamLimits, TcpLimits};
use socket2::{Domain, Socket, Type};

use crate::world::{Line, Phone, Server, answer, to_alice};

fn limits(change: impl FnOnce(&mut TcpLimits)) -> TcpLimits {
    let mut limits = TcpLimits::default();
    change(&mut limits);
    limits
}

fn stream_limits(change: impl FnOnce(&mut StreamLimits)) -> TcpLimits {
    limits(|limits| change(&mut limits.stream))
}

/// Registers Alice at an address that she does not speak from.
fn register_at(server: &Server, address: SocketAddr) -> Phone {
    let phone = Phone::new(server.address);
    phone.send(phone.request("REGISTER", "r", 1, &format!("Contact: <sip:alice@{address};transport=tcp>\r\n")));
    assert_eq!(phone.final_code(), 200);
    phone
}

#[test]
fn a_message_that_takes_too_long() {
    let server = Server::limited(2, stream_limits(|limits| limits.message_timeout = Micros::from_ms(300)));
    let mut other = Line::new(server.address);
    let mut line = Line::new(server.address);
    assert!(line.is_served("quick"));
    let begun = Instant::now();
    let request = line.options("slow");
    let mut sent = 0;
    for byte in request.bytes() {
        if line.socket.write_all(&[byte]).is_err() {
            break;
        }
        sent += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(sent < 100, "{sent}");
    line.ends();
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert!(other.is_served("beside"));
    assert_eq!((server.counters().connections_slow, server.running.connections()), (1, 1));
}

#[test]
fn silence() {
    let server = Server::limited(
        1,
        limits(|limits| {
            limits.newcomer_timeout = Micros::from_ms(300);
            limits.stream.idle_timeout = Micros::from_ms(1_500);
        }),
    );
    let begun = Instant::now();
    let mut mute = Line::new(server.address);
    let mut talker = Line::new(server.address);
    assert!(talker.is_served("a"));
    mute.ends();
    assert!((300..1_500).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    // A keep-alive keeps it.
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(200));
        talker.send("\r\n\r\n");
    }
    assert!(talker.is_served("b"));
    talker.ends();
    server.becomes("both were idle", |counters, connections| counters.connections_idle == 2 && connections == 0);
}

#[test]
fn connections_of_one_source_and_of_all() {
    for per_source in [true, false] {
        let limits = limits(|limits| match per_source {
            true => limits.connections_per_source_max = 3,
            false => limits.connections_max = 3,
        });
        let server = Server::limited(2, limits);
        let mut lines: Vec<Line> = (0..3).map(|_| Line::new(server.address)).collect();
        for (n, line) in lines.iter_mut().enumerate() {
            assert!(line.is_served(&format!("within-{n}")));
        }
        for _ in 0..5 {
            Line::new(server.address).ends();
        }
        let counters = server.counters();
        let reached = (counters.connections_per_source_max_reached, counters.connections_max_reached);
        assert_eq!(reached, if per_source { (5, 0) } else { (0, 5) });
        // Neither is a connection opened above it.
        let callee = TcpListener::bind("127.0.0.1:0").unwrap();
        let phone = register_at(&server, callee.local_addr().unwrap());
        phone.send(phone.invite("c", ""));
        assert!(phone.final_code() >= 400);
        assert_eq!(server.counters().connections_opened, 0);
        drop(lines.pop());
        server.becomes("one left", |_, connections| connections == 2);
        assert!(Line::new(server.address).is_served("again"));
    }
}

#[test]
fn the_table_is_empty_after_two_thousand_connections() {
    let server = Server::limited(3, stream_limits(|limits| limits.message_timeout = Micros::from_ms(500)));
    for n in 0..2_000 {
        let mut line = Line::new(server.address);
        match n % 5 {
            0 => assert!(line.is_served(&format!("churn-{n}"))),
            1 => line.send(line.options(&format!("left-{n}"))),
            2 => line.send("\r\n\r\nOPTIONS sip:localhost SIP/2.0\r\nVia: SIP/2.0/T"),
            3 => line.send("no SIP at all\r\n\r\n"),
            _ => {}
        }
    }
    server.becomes("all are gone", |counters, connections| counters.connections_accepted == 2_000 && connections == 0);
    assert!(Line::new(server.address).is_served("after"));
}

#[test]
fn a_peer_that_does_not_read_is_not_read_and_then_closed() {
    let limits = limits(|limits| {
        limits.write_queue_bytes_max = 262_144;
        limits.stall_timeout = Micros::from_ms(500);
    });
    let server = Server::limited(1, limits);
    let mut other = Line::new(server.address);
    let mut line = Line::new(server.address);
    line.socket.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    // Its answers fill both kernel buffers, then the queue up to the mark; its requests after that fill them the other way.
    let many: String = (0..200).map(|n| line.options(&format!("ignored-{n}"))).collect();
    let begun = Instant::now();
    while line.socket.write_all(many.as_bytes()).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
    assert!(other.is_served("beside"));
    server.becomes("closed", |counters, connections| counters.connections_stalled == 1 && connections == 1);
    let counters = server.counters();
    assert_eq!((counters.connections_overrun, counters.connects_failed, counters.connections_opened), (0, 0, 0));
}

#[test]
fn a_peer_that_reads_more_slowly_than_others_write_is_closed() {
    let server = Server::limited(2, limits(|limits| limits.write_queue_bytes_max = 100_000));
    let callee = Line::registered(server.address);
    let mut caller = Line::new(server.address);
    let body = "x".repeat(30_000);
    let begun = Instant::now();
    for n in 0.. {
        let more = format!("Content-Type: text/plain\r\nContent-Length: {}\r\n", body.len());
        let message = to_alice(&caller.request("MESSAGE", &format!("m{n}"), 1, &more));
        caller.send(message + &body);
        if server.counters().connections_overrun > 0 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
    // What was on its way fails, and who sent it is told at once.
    assert!(caller.final_code() >= 400);
    server.becomes("the callee's is closed", |_, connections| connections == 1);
    drop(callee);
    let mut other = Line::new(server.address);
    assert!(other.is_served("beside"));
}

#[test]
fn nobody_listens_where_a_connection_is_wanted() {
    let server = Server::open(2);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let phone = register_at(&server, nobody);
    let begun = Instant::now();
    phone.send(phone.invite("c", ""));
    assert!(phone.final_code() >= 400);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!((server.counters().connects_failed, server.running.connections()), (1, 0));
}

/// Linux leaves those without an answer who come when the backlog is full.
#[cfg(target_os = "linux")]
#[test]
fn opening_a_connection_takes_too_long() {
    let deaf = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    deaf.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    deaf.listen(0).unwrap();
    let address = deaf.local_addr().unwrap().as_socket().unwrap();
    let _backlog = TcpStream::connect(address).unwrap();
    let server = Server::limited(2, limits(|limits| limits.connect_timeout = Micros::from_ms(300)));
    let phone = register_at(&server, address);
    let begun = Instant::now();
    phone.send(phone.invite("c", ""));
    assert!(phone.final_code() >= 400);
    assert!((300..5_000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    assert_eq!((server.counters().connect_timeouts, server.running.connections()), (1, 0));
}

#[test]
fn a_half_closed_peer_does_not_wait_for_ever() {
    let server = Server::limited(2, limits(|limits| limits.half_closed_timeout = Micros::from_ms(300)));
    let mut callee = Line::registered(server.address);
    let mut caller = Line::new(server.address);
    caller.send(caller.invite("c", ""));
    caller.socket.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(caller.receive().status().as_u16(), 100);
    let invite = callee.hear().request();
    caller.ends();
    server.becomes("it is closed", |counters, connections| counters.connections_unanswered == 1 && connections == 1);
    // Its answer is too late, and leads nowhere: nobody listens at the port of its Via.
    callee.send(answer(&invite, 486, ""));
    assert_eq!(callee.hear().request().method_text(), Some(&b"ACK"[..]));
    assert!(callee.is_served("still"));
}

/// A peer that we hang up on, and which does not hang up itself.
#[test]
fn hanging_up_does_not_wait_for_ever() {
    let server = Server::limited(1, limits(|limits| limits.linger_timeout = Micros::from_ms(300)));
    let mut line = Line::new(server.address);
    let bad = line.options("bad").replacen("Content-Length: 0\r\n", "", 1);
    line.send(bad);
    assert_eq!(line.receive().status().as_u16(), 400);
    line.ends();
    let mut byte = [0];
    assert_eq!(line.socket.read(&mut byte).unwrap(), 0);
    server.becomes("it is forgotten", |_, connections| connections == 0);
}

/// In an open domain whoever comes may be anybody, but not everybody.
#[test]
fn more_users_than_there_is_room_for() {
    let server = Server::with_room_for(2);
    let phone = Phone::new(server.address);
    for (n, (user, code)) in [("a", 200), ("b", 200), ("c", 500), ("a", 200), ("d", 500)].into_iter().enumerate() {
        let register = phone.request("REGISTER", &format!("r{n}"), 1, &phone.contact());
        phone.send(register.replace("To: <sip:alice@", &format!("To: <sip:{user}@")));
        let response = phone.receive();
        assert_eq!(response.status().as_u16(), code, "{user}");
        assert_eq!(response.first(HeaderId::RetryAfter).is_some(), code == 500, "{user}");
    }
    let stats = server.location.stats();
    assert_eq!((stats.aors, stats.aors_max_reached), (2, 2));
}
