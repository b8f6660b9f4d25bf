//! What comes by TCP: framing, keep-alives, ends.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use ringback_base::Random;
use ringback_message::HeaderId;
use socket2::SockRef;

use crate::world::{Line, Phone, Server, WAIT, answer};

#[test]
fn a_message_however_it_is_cut() {
    let server = Server::open(2);
    let mut line = Line::new(server.address);
    assert!(line.is_served("whole"));
    for byte in line.options("in-pieces").bytes() {
        line.send([byte]);
    }
    let response = line.receive();
    assert_eq!((response.status().as_u16(), response.call_id()), (200, &b"in-pieces"[..]));
    let halves = line.options("halves");
    let (first, second) = halves.split_at(halves.len() / 2);
    line.send(first);
    std::thread::sleep(Duration::from_millis(20));
    line.send(second);
    assert_eq!(line.receive().call_id(), b"halves");
    let counters = server.counters();
    assert_eq!((counters.messages_received, counters.messages_sent, counters.received), (3, 3, 0));
}

#[test]
fn pipelined_messages_are_all_answered() {
    let server = Server::open(3);
    let mut line = Line::new(server.address);
    let call_ids: BTreeSet<String> = (0..500).map(|n| format!("call-{n}")).collect();
    line.send(call_ids.iter().map(|call_id| line.options(call_id)).collect::<String>());
    // Shards don't wait for each other, so the order is theirs.
    let answered: BTreeSet<String> = call_ids
        .iter()
        .map(|_| line.receive())
        .inspect(|response| assert_eq!(response.status().as_u16(), 200))
        .map(|response| String::from_utf8(response.call_id().to_vec()).unwrap())
        .collect();
    assert_eq!(answered, call_ids);
    let counters = server.counters();
    assert!(counters.handed_over > 200 && counters.messages_carried == counters.handed_over, "{counters:?}");
}

#[test]
fn keep_alives_are_answered_between_messages() {
    let server = Server::open(1);
    let mut line = Line::new(server.address);
    let mut pong = [0; 2];
    for cut in 0..4 {
        let (first, second) = b"\r\n\r\n".split_at(cut);
        line.send(first);
        line.send(second);
        line.socket.read_exact(&mut pong).unwrap();
        assert_eq!(pong, *b"\r\n");
    }
    let between = format!("{}\r\n\r\n{}", line.options("before"), line.options("after"));
    line.send(between);
    let mut all = Vec::new();
    while all.windows(4).filter(|four| *four == b"\r\n\r\n").count() < 2 {
        let mut buffer = [0; 4_096];
        let length = line.socket.read(&mut buffer).unwrap();
        assert_ne!(length, 0);
        all.extend_from_slice(&buffer[..length]);
    }
    let text = String::from_utf8(all).unwrap();
    let all_lines: Vec<&str> = text.split("\r\n").collect();
    let empty = all_lines.iter().filter(|line| line.is_empty()).count();
    // Two ends of heads, the pong, and what `split` leaves behind the last line end.
    assert_eq!((text.matches("SIP/2.0 200").count(), empty), (2, 4), "{text:?}");
    assert!(line.is_served("still"));
}

/// Two phones were told to speak every second, and one of them does: the connection of the other is closed after T4 and a quarter more.
#[test]
fn a_connection_without_the_keep_alives_that_it_was_told_of_is_closed() {
    let server = Server::with_flow_timer(1);
    let flow =
        "Supported: outbound\r\nContact: <sip:alice@phone.invalid;ob>;reg-id=1;+sip.instance=\"<urn:uuid:a>\"\r\n";
    let [mut silent, mut speaks] = [(); 2].map(|()| {
        let mut line = Line::new(server.address);
        let register = line.request("REGISTER", &format!("flow{}", line.local().port()), 1, flow);
        line.send(register);
        let ok = line.receive();
        assert_eq!(ok.first(HeaderId::FlowTimer).map(|header| header.value()), Some(&b"1"[..]));
        line
    });
    let began = Instant::now();
    while server.counters().connections_idle == 0 {
        assert!(began.elapsed() < WAIT, "{:?}", server.counters());
        speaks.send(b"\r\n\r\n");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(began.elapsed() > Duration::from_secs(5));
    silent.ends();
    server.becomes("the other is there", |counters, connections| counters.connections_idle == 1 && connections == 1);
}

#[test]
fn content_length_is_missing_or_absurd() {
    let server = Server::open(2);
    for (bad, code) in [
        ("", 400),
        ("Content-Length: -1\r\n", 400),
        ("Content-Length: 99999999999999999999\r\n", 400),
        ("Content-Length: 1\r\nContent-Length: 2\r\n", 400),
        ("Content-Length: 60000000\r\n", 513),
    ] {
        let mut line = Line::new(server.address);
        let good = line.options(&format!("good{}", bad.len()));
        let request = line.options(&format!("bad{}", bad.len())).replacen("Content-Length: 0\r\n", bad, 1);
        let never = line.options("never");
        line.send(good + &request + &never);
        let mut answers: Vec<(u16, u8)> =
            (0..2).map(|_| line.receive()).map(|r| (r.status().as_u16(), r.call_id()[0])).collect();
        answers.sort_unstable();
        assert_eq!(answers, [(200, b'g'), (code, b'b')], "{bad:?}");
        line.ends();
    }
    server.becomes("all are closed", |counters, connections| connections == 0 && counters.connections_rejected == 5);
    assert_eq!(server.counters().message_bytes_max_reached, 1, "the one with 513");
}

#[test]
fn garbage_ends_its_own_connection_alone() {
    let server = Server::open(2);
    let mut other = Line::new(server.address);
    assert!(other.is_served("before"));
    let mut random = Random::from_seed([3; 32]);
    for n in 0..30 {
        let mut noise = vec![0; 1 + usize::try_from(random.below(100_000)).unwrap()];
        random.fill(&mut noise);
        match n % 3 {
            // No line ends: too long.
            0 => noise.iter_mut().for_each(|byte| *byte |= 0x20),
            1 => noise.extend_from_slice(b"\r\n\r\n"),
            _ => {}
        }
        let mut line = Line::new(server.address);
        // It may be closed before all of it is written.
        _ = line.socket.write_all(&noise);
        _ = line.socket.shutdown(Shutdown::Write);
        let mut rest = Vec::new();
        _ = line.socket.read_to_end(&mut rest);
        assert!(other.is_served(&format!("beside-{n}")));
    }
    server.becomes("noise is gone", |_, connections| connections == 1);
}

#[test]
fn half_closed_peers_get_what_they_are_owed() {
    let server = Server::open(2);
    let mut asker = Line::new(server.address);
    asker.send(asker.options("a"));
    asker.socket.shutdown(Shutdown::Write).unwrap();
    assert_eq!(asker.final_code(), 200);
    asker.ends();

    let mut callee = Line::registered(server.address);
    let mut caller = Line::new(server.address);
    caller.send(caller.invite("c", ""));
    caller.socket.shutdown(Shutdown::Write).unwrap();
    assert_eq!(caller.receive().status().as_u16(), 100);
    let invite = callee.hear().request();
    callee.send(answer(&invite, 180, ""));
    assert_eq!(caller.receive().status().as_u16(), 180);
    std::thread::sleep(Duration::from_millis(50));
    callee.send(answer(&invite, 486, ""));
    assert_eq!(caller.receive().status().as_u16(), 486);
    caller.ends();

    let mut silent = Line::new(server.address);
    silent.socket.shutdown(Shutdown::Write).unwrap();
    silent.ends();
    server.becomes("the callee is left", |_, connections| connections == 1);
}

#[test]
fn an_answer_whose_connection_is_gone_goes_to_the_port_of_its_via() {
    let server = Server::open(3);
    let mut callee = Line::registered(server.address);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for n in 0..6 {
        let mut caller = Line::new(server.address);
        let invite = caller.invite(&format!("c{n}"), "");
        let here = listener.local_addr().unwrap().to_string();
        caller.send(invite.replacen(&caller.local().to_string(), &here, 1));
        assert_eq!(caller.receive().status().as_u16(), 100);
        let invite = callee.hear().request();
        let before = server.running.connections();
        // With a reset: an end alone could be half a one.
        SockRef::from(&caller.socket).set_linger(Some(Duration::ZERO)).unwrap();
        drop(caller);
        server.becomes("the caller is gone", |_, connections| connections < before);
        callee.send(answer(&invite, 486, ""));
        assert_eq!(callee.hear().request().method_text(), Some(&b"ACK"[..]));
        let mut again = Line::on(listener.accept().unwrap().0);
        let response = again.receive();
        assert_eq!((response.status().as_u16(), response.call_id()), (486, format!("c{n}").as_bytes()));
    }
}

#[test]
fn connections_are_found_by_their_far_end() {
    let server = Server::open(1);
    let caller = Phone::new(server.address);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let contact = format!("Contact: <sip:alice@{};transport=tcp>\r\n", listener.local_addr().unwrap());
    caller.send(caller.request("REGISTER", "r", 1, &contact));
    assert_eq!(caller.final_code(), 200);
    caller.send(caller.invite("first", ""));
    let mut callee = Line::on(listener.accept().unwrap().0);
    for call_id in ["first", "second", "third"] {
        let invite = callee.hear().request();
        assert_eq!(invite.call_id(), call_id.as_bytes());
        let via = String::from_utf8_lossy(invite.first(HeaderId::Via).unwrap().value()).into_owned();
        assert!(via.starts_with(&format!("SIP/2.0/TCP {}", server.address)), "{via}");
        callee.send(answer(&invite, 486, ""));
        assert_eq!(callee.hear().request().method_text(), Some(&b"ACK"[..]));
        assert_eq!(caller.final_code(), 486);
        let next = if call_id == "first" { "second" } else { "third" };
        if call_id != "third" {
            caller.send(caller.invite(next, ""));
        }
    }
    let counters = server.counters();
    assert_eq!((counters.connections_opened, server.running.connections()), (1, 1));
    // The peer sends requests by the connection that we opened.
    assert!(callee.is_served("by-yours"));
}

#[test]
fn draining_serves_what_is_open_and_accepts_no_more() {
    let server = Server::open(2);
    let address = server.address;
    let mut callee = Line::registered(address);
    let mut caller = Line::new(address);
    caller.send(caller.invite("c", ""));
    assert_eq!(caller.receive().status().as_u16(), 100);
    let invite = callee.hear().request();
    let draining = std::thread::spawn(move || server.drain(WAIT));
    let begun = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(begun.elapsed() < WAIT);
        std::thread::sleep(Duration::from_millis(5));
    }
    caller.send(caller.options("new"));
    assert_eq!(caller.receive().status().as_u16(), 503);
    callee.send(answer(&invite, 486, ""));
    assert_eq!(caller.receive().status().as_u16(), 486);
    let drained = draining.join().unwrap();
    assert!(drained.was_idle && begun.elapsed() < WAIT, "{drained:?}");
    caller.ends();
}

/// What a load balancer says of who is behind it: TCP over IPv4, from here.
pub(crate) fn header(source: [u8; 4], port: u16) -> Vec<u8> {
    let port = port.to_be_bytes();
    let addresses = [&source[..], &[127, 0, 0, 1], &port, &[0x13, 0xc4]].concat();
    [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..], &addresses].concat()
}

/// The header comes in pieces, and the first request with its last byte.
#[test]
fn a_connection_of_a_load_balancer_is_that_of_whom_it_names() {
    let server = Server::behind([127, 0, 0, 1].into());
    let mut line = Line::new(server.address);
    let options = line.options("c1").replace(";branch", ";rport;branch");
    let mut bytes = header([198, 51, 100, 7], 40_123);
    let rest = bytes.split_off(20);
    line.send(bytes);
    std::thread::sleep(Duration::from_millis(20));
    line.send([&rest, options.as_bytes()].concat());
    let response = line.receive();
    let params = String::from_utf8(response.top_via().params.text().to_vec()).unwrap();
    assert!(params.contains("received=198.51.100.7") && params.contains("rport=40123"), "{params}");
    // And again, by the same connection.
    line.send(line.options("c2"));
    assert_eq!(line.receive().status().as_u16(), 200);
    assert_eq!(server.counters().announcements_refused, 0);
}

/// Who is behind it can't be known, so nobody is served.
#[test]
fn a_load_balancer_that_does_not_say_whose_a_connection_is_is_hung_up_on() {
    let server = Server::behind([127, 0, 0, 1].into());
    for beginning in [&b"OPTIONS sip:localhost SIP/2.0\r\n"[..], b"PROXY TCP4 198.51.100.7 127.0.0.1 40123 5060\r\n"] {
        let mut line = Line::new(server.address);
        line.send(beginning);
        line.ends();
    }
    server.becomes("refused", |counters, connections| (counters.announcements_refused, connections) == (2, 0));
}

/// A stranger's word counts for nothing: what looks like a header is noise.
#[test]
fn nobody_else_says_who_he_is() {
    let server = Server::behind([192, 0, 2, 1].into());
    let mut line = Line::new(server.address);
    line.send(line.options("c1").replace(";branch", ";rport;branch"));
    let response = line.receive();
    let own = format!("rport={}", line.local().port());
    assert!(String::from_utf8_lossy(response.top_via().params.text()).contains(&own));
    let mut liar = Line::new(server.address);
    liar.send([&header([198, 51, 100, 7], 40_123), liar.options("c2").as_bytes()].concat());
    server.becomes("not believed", |counters, _| counters.connections_accepted == 2);
    assert_eq!(server.counters().announcements_refused, 0);
}

#[test]
fn load_balancers_that_say_nothing_are_bounded() {
    let server = Server::behind([127, 0, 0, 1].into());
    let _silent: Vec<TcpStream> = (0..256).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    Line::new(server.address).ends();
    let counters = server.counters();
    assert_eq!((counters.announced_max_reached, counters.announcements_refused), (1, 0));
    assert_eq!((counters.connections_accepted, server.running.connections()), (0, 0));
}
