//! Connections of browsers.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ringback_base::{Micros, Now, Random};
use ringback_message::{HeaderId, Message, Request};
use ringback_tokio::TcpLimits;
use ringback_transport::websocket::{Admission, CloseCode, Ended, WebSocket, WebSocketEvent, WebSocketLimits};

use crate::connections::header;
use crate::tls::Authority;
use crate::world::{Heard, Phone, Server, WAIT, answer, request, to_alice};

/// A page of a browser; its own address it doesn't know.
struct Browser {
    stream: TcpStream,
    socket: WebSocket,
}

impl Browser {
    fn open(address: SocketAddr) -> Browser {
        Browser::on(TcpStream::connect(address).unwrap(), address)
    }

    fn on(stream: TcpStream, address: SocketAddr) -> Browser {
        stream.set_read_timeout(Some(WAIT)).unwrap();
        let random = Random::from_seed([7; 32]);
        let (host, resource) = (address.to_string(), "/ws".parse().unwrap());
        let socket = WebSocket::client(WebSocketLimits::default(), &host, &resource, random, Now::default());
        let mut browser = Browser { stream, socket };
        assert_eq!(browser.next(), WebSocketEvent::Opened);
        browser
    }

    /// Behind a load balancer, which says this first.
    fn announced(address: SocketAddr, header: &[u8]) -> Browser {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(header).unwrap();
        Browser::on(stream, address)
    }

    fn flush(&mut self) {
        while let Some(bytes) = self.socket.poll_transmit() {
            self.stream.write_all(&bytes).unwrap();
        }
    }

    fn send(&mut self, text: impl Into<String>) {
        self.socket.send(Bytes::from(text.into()));
        self.flush();
    }

    /// The next that comes, Pings answered.
    fn next(&mut self) -> WebSocketEvent {
        self.flush();
        loop {
            if let Some(event) = self.socket.poll_event() {
                self.flush();
                return event;
            }
            let mut bytes = [0; 4_096];
            let count = self.stream.read(&mut bytes).unwrap();
            assert!(count > 0, "the server hung up");
            self.socket.handle_data(&bytes[..count], Now::default());
        }
    }

    fn receive(&mut self) -> Heard {
        loop {
            match self.next() {
                WebSocketEvent::Message(bytes) => return Heard::of(Message::parse(bytes).unwrap()),
                WebSocketEvent::KeepAlive => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn request(method: &str, call_id: &str, more: &str) -> String {
        request("WS x7.invalid", method, call_id, 1, more).replace("Content-Length: 0\r\n", "")
    }

    fn register(&mut self) {
        self.send(Browser::request("REGISTER", "r1", "Contact: <sip:x1@x7.invalid;transport=ws>\r\n"));
        assert_eq!(self.receive().response().status().as_u16(), 200);
    }
}

/// The Record-Routes of a response as the caller's Route.
fn routes(response: &Message) -> String {
    let mut lines: Vec<String> = response
        .all(HeaderId::RecordRoute)
        .map(|line| format!("Route: {}\r\n", String::from_utf8_lossy(line.value())))
        .collect();
    lines.reverse();
    lines.concat()
}

fn call_browser(shards: u16) {
    let server = Server::for_browsers(shards, TcpLimits::default(), Admission::default());
    let mut browser = Browser::open(server.websocket_address());
    browser.register();
    let caller = Phone::new(server.address);
    caller.send(caller.invite("c1", ""));
    assert_eq!(caller.receive().status().as_u16(), 100);
    let invite: Request = browser.receive().request();
    assert_eq!(invite.top_via().transport, b"WS");
    browser.send(answer(&invite, 200, "Contact: <sip:x1@x7.invalid;transport=ws>\r\n"));
    let ok = caller.receive();
    assert_eq!(ok.status().as_u16(), 200);
    let bye =
        caller.request("BYE", "c1", 2, &routes(&ok)).replacen(" sip:localhost ", " sip:x1@x7.invalid;transport=ws ", 1);
    caller.send(bye.replacen("To: <sip:alice@localhost>", "To: <sip:alice@localhost>;tag=9", 1));
    let bye = browser.receive().request();
    assert_eq!(bye.method_text(), Some(&b"BYE"[..]));
    browser.send(answer(&bye, 200, ""));
    assert_eq!(caller.receive().status().as_u16(), 200);
    assert_eq!(server.counters().websockets_opened, 1);
}

#[test]
fn a_browser_registers_and_is_called_and_found_again_within_the_dialog() {
    call_browser(1);
}

/// Whichever of them has the connection, and the call.
#[test]
fn so_it_is_where_shards_share_the_work() {
    call_browser(3);
}

#[test]
fn a_browser_that_has_gone_is_not_there() {
    let server = Server::for_browsers(2, TcpLimits::default(), Admission::default());
    let mut browser = Browser::open(server.websocket_address());
    browser.register();
    browser.socket.close(CloseCode::GOING_AWAY);
    browser.flush();
    let mut rest = Vec::new();
    browser.stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"\x88\x02\x03\xe9", "its Close is answered with its code, and the connection is closed");
    drop(browser);
    server.becomes("closed", |_, connections| connections == 0);
    let caller = Phone::new(server.address);
    caller.send(to_alice(&caller.invite("c1", "")));
    assert_eq!(caller.receive().status().as_u16(), 100);
    assert_eq!(caller.receive().status().as_u16(), 480);
}

/// What the server says to these bytes before it hangs up.
fn said_to(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(WAIT)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn who_is_not_let_in_is_told_so_and_hung_up_on() {
    let admission = Admission { path: Some("/ws".into()), ..Admission::default() };
    let server = Server::for_browsers(1, TcpLimits::default(), admission);
    let address = server.websocket_address();
    let handshake = |path: &str, more: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
        )
    };
    for (bytes, status) in [
        (handshake("/ws", "Origin: https://evil.example\r\n"), "403"),
        (handshake("/", ""), "404"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "426"),
        ("OPTIONS sip:localhost SIP/2.0\r\n\r\n".to_owned(), "400"),
        (handshake("/ws", &format!("Cookie: {}\r\n", "c".repeat(20_000))), "431"),
    ] {
        assert!(said_to(address, bytes.as_bytes()).starts_with(&format!("HTTP/1.1 {status} ")), "{status}");
    }
    server.becomes("hung up", |_, connections| connections == 0);
    let counters = server.counters();
    assert_eq!((counters.websockets_refused, counters.handshake_bytes_max_reached), (4, 1));
    assert_eq!((counters.websockets_opened, counters.messages_received), (0, 0));
}

#[test]
fn what_breaks_a_rule_ends_the_connection_and_no_other() {
    let server = Server::for_browsers(1, TcpLimits::default(), Admission::default());
    let mut other = Browser::open(server.websocket_address());
    let mut browser = Browser::open(server.websocket_address());
    browser.stream.write_all(b"\x81\x05hello").unwrap();
    let ended = browser.next();
    assert_eq!(ended, WebSocketEvent::Ended(Ended::Closed(Some(CloseCode::PROTOCOL_ERROR))));
    assert_eq!(server.counters().websockets_broken, 1);
    other.register();
}

/// Browsers answer Pings by themselves, whatever their page does.
#[test]
fn who_answers_stays_and_who_does_not_is_hung_up_on() {
    let limits = TcpLimits {
        ping_after: Micros::from_ms(50),
        pong_timeout: Micros::from_ms(400),
        newcomer_timeout: Micros::from_ms(300),
        ..TcpLimits::default()
    };
    let server = Server::for_browsers(1, limits, Admission::default());
    let mut lively = Browser::open(server.websocket_address());
    let _silent = Browser::open(server.websocket_address());
    let begun = Instant::now();
    let mut pings = 0;
    while begun.elapsed() < Duration::from_millis(900) {
        assert_eq!(lively.next(), WebSocketEvent::KeepAlive);
        pings += 1;
    }
    assert!(pings >= 2, "{pings}");
    assert_eq!(server.running.connections(), 1);
    assert_eq!(server.counters().connections_idle, 1);
    lively.register();
}

#[test]
fn a_load_balancer_says_whose_a_websocket_is() {
    let server = Server::behind_by_all([127, 0, 0, 1].into(), Authority::new().tls());
    let mut browser = Browser::announced(server.websocket_address(), &header([198, 51, 100, 7], 40_123));
    browser.send(Browser::request("OPTIONS", "c1", ""));
    let response = browser.receive().response();
    assert_eq!(response.status().as_u16(), 200);
    let params = String::from_utf8_lossy(response.top_via().params.text()).into_owned();
    assert!(params.contains("received=198.51.100.7"), "{params}");
    // Who says nothing of it is hung up on, whatever else is said.
    let mut silent = TcpStream::connect(server.websocket_address()).unwrap();
    silent.write_all(b"GET /ws HTTP/1.1\r\n\r\n").unwrap();
    server.becomes("refused", |counters, connections| (counters.announcements_refused, connections) == (1, 1));
    assert_eq!(server.counters().websockets_opened, 1);
}

/// Whoever has a call goes on with it; all others are told at once, and none for longer than the bound.
#[test]
fn a_server_that_ends_says_so() {
    let server = Server::for_browsers(2, TcpLimits::default(), Admission::default());
    let mut browsers = [(); 5].map(|()| Browser::open(server.websocket_address()));
    browsers[0].register();
    let begun = Instant::now();
    let drained = std::thread::spawn(move || server.drain(Duration::from_secs(5)));
    for browser in &mut browsers {
        assert_eq!(browser.next(), WebSocketEvent::Ended(Ended::Closed(Some(CloseCode::GOING_AWAY))));
    }
    // One that doesn't hang up is not waited for.
    assert!(drained.join().unwrap().was_idle);
    assert!(begun.elapsed() < Duration::from_secs(2));
}
