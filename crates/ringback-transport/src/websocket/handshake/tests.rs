#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::super::resource::ResourceError;
use super::*;
use alloc::vec::Vec;

/// The handshake that RFC 7118 shows. `[RFC 7118, Section 4.1]`
const REQUEST: &str = "GET / HTTP/1.1\r\nHost: sip-ws.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://www.example.com\r\nSec-WebSocket-Protocol: sip\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: sip\r\n\r\n";

fn any() -> Admission {
    Admission { path: None, origins: Origins::any() }
}

fn status(admission: &Admission, request: &str) -> u16 {
    admission.answer(request.as_bytes()).map_or_else(Refusal::status, |_| 101)
}

#[test]
fn the_handshake_that_is_published() {
    assert_eq!(any().answer(REQUEST.as_bytes()).unwrap(), ANSWER);
}

/// What browsers write: several values in a line, other cases, several subprotocols, an extension that isn't taken up.
#[test]
fn handshakes_that_are_let_in() {
    for (from, to) in [
        ("Connection: Upgrade", "Connection: keep-alive, upgrade"),
        ("Upgrade: websocket", "upgrade: WebSocket"),
        ("Sec-WebSocket-Protocol: sip", "Sec-WebSocket-Protocol: msrp, sip"),
        ("Sec-WebSocket-Protocol: sip", "Sec-WebSocket-Protocol: msrp\r\nSec-WebSocket-Protocol: sip"),
        ("GET /", "GET /ws?token=1"),
        ("Origin: http://www.example.com\r\n", ""),
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate"),
    ] {
        let request = REQUEST.replace(from, to);
        assert_ne!(request, REQUEST);
        assert_eq!(any().answer(request.as_bytes()).unwrap(), ANSWER, "{to}");
    }
}

#[test]
fn handshakes_that_are_refused() {
    for (from, to, expected) in [
        ("GET ", "POST ", 405),
        ("HTTP/1.1", "HTTP/1.0", 400),
        ("GET / ", "GET ws://a/ ", 400),
        ("GET / HTTP", "GET / / HTTP", 400),
        ("Host: sip-ws.example.com\r\n", "", 400),
        ("Host: a", "Host: a\r\nHost: b", 101),
        ("Host: sip", "Host: b\r\nHost: sip", 400),
        ("Upgrade: websocket\r\n", "", 426),
        ("Upgrade: websocket", "Upgrade: h2c", 426),
        ("Connection: Upgrade", "Connection: close", 400),
        ("Version: 13", "Version: 8", 426),
        ("Version: 13", "Version: 13, 8", 426),
        ("Sec-WebSocket-Version: 13\r\n", "", 426),
        ("dGhlIHNhbXBsZSBub25jZQ==", "", 400),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ", 400),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZ===", 400),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBs\u{e4}SBub25jZQ==", 400),
        ("Protocol: sip", "Protocol: SIP", 400),
        ("Protocol: sip", "Protocol: sips", 400),
        ("Sec-WebSocket-Protocol: sip\r\n", "", 400),
        ("Origin: http://www.example.com", "Origin: http://www.example.com\r\nOrigin: http://b", 403),
        ("Version: 13", "Version: 13\r\nContent-Length: 5", 400),
        ("Version: 13", "Version: 13\r\nTransfer-Encoding: chunked", 400),
        ("Version: 13", "Version: 13\r\n folded", 400),
    ] {
        assert_eq!(status(&any(), &REQUEST.replacen(from, to, 1)), expected, "{to}");
    }
}

#[test]
fn a_path_and_origins_are_kept_to() {
    let admission = Admission { path: Some("/ws".into()), origins: Origins::default() };
    let at = |path: &str| REQUEST.replace("GET / ", &alloc::format!("GET {path} ")).replace("www.", "sip-ws.");
    assert_eq!(status(&admission, &at("/ws")), 101);
    assert_eq!(status(&admission, &at("/ws?user=7")), 101);
    assert_eq!(status(&admission, &at("/")), 404);
    assert_eq!(status(&admission, &at("/ws/")), 404);
    assert_eq!(status(&Admission::default(), REQUEST), 403);
}

/// Whoever is refused is told how it would have been right.
#[test]
fn refusals_are_http() {
    for refusal in [
        Refusal::BadRequest("why"),
        Refusal::Origin,
        Refusal::NotFound,
        Refusal::Method,
        Refusal::NoUpgrade,
        Refusal::Version,
        Refusal::TooLarge,
    ] {
        let text = alloc::string::String::from_utf8(refusal.response().to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let read = Head::read(&text.as_bytes()[..head.len() + 4]).unwrap();
        assert_eq!(read.only("content-length"), Some(body.len().to_string().as_bytes()));
        assert!(
            head.starts_with(&alloc::format!("HTTP/1.1 {} ", refusal.status())) && read.lists("connection", "close")
        );
    }
    let fields = |refusal: Refusal, name: &str| {
        let text = refusal.response();
        let end = super::super::http::head_end(&text, 0).unwrap();
        Head::read(&text[..end]).unwrap().values(name).map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    assert_eq!(fields(Refusal::Version, "sec-websocket-version"), [b"13"]);
    assert_eq!(fields(Refusal::NoUpgrade, "upgrade"), [b"websocket"]);
    assert_eq!(fields(Refusal::Method, "allow"), [b"GET"]);
}

#[test]
fn a_client_takes_only_the_answer_to_its_own_key() {
    let resource: Resource = "/ws".parse().unwrap();
    let (request, asked) = Asked::new("sip.example.com", &resource, &mut Random::from_seed([7; 32]));
    let good = alloc::string::String::from_utf8(any().answer(&request).unwrap().to_vec()).unwrap();
    assert_eq!(asked.check(good.as_bytes()), Ok(()));
    assert_eq!(asked.check(ANSWER.as_bytes()), Err(Rejection::Accept), "the answer to another key");
    let why = |from: &str, to: &str| asked.check(good.replacen(from, to, 1).as_bytes()).map_err(|why| why.to_string());
    assert_eq!(why("101 Switching Protocols", "101"), Ok(()));
    for (from, to, expected) in [
        ("101 Switching Protocols", "403 Forbidden", "HTTP 403 Forbidden"),
        ("101 Switching Protocols", "503", "HTTP 503"),
        ("101 ", "1O1 ", "what is no HTTP"),
        ("HTTP/1.1", "SIP/2.0", "what is no HTTP"),
        ("Upgrade: ", "Upgrade : ", "what is no HTTP"),
        ("Protocol: sip", "Protocol: sip, sip", "HTTP 101 with the subprotocol \"sip, sip\" in the place of \"sip\""),
        ("Sec-WebSocket-Protocol: sip\r\n", "", "HTTP 101 without the subprotocol sip"),
        ("Upgrade: websocket\r\n", "", "HTTP 101 without an upgrade to WebSocket"),
        ("Connection: Upgrade\r\n", "", "HTTP 101 without an upgrade to WebSocket"),
        (
            "\r\n\r\n",
            "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
            "HTTP 101 with an extension that nobody asked for",
        ),
    ] {
        assert_eq!(why(from, to), Err(expected.into()), "{to}");
    }
}

#[test]
fn a_client_says_more_where_it_is_told_to_and_nothing_that_ends_a_line() {
    let resource: Resource = "/ws".parse().unwrap();
    let resource = resource.field("Origin", "https://phone.example.com").unwrap().field("Cookie", "sid=7").unwrap();
    assert!(!alloc::format!("{resource:?}").contains("sid"), "it may be a secret");
    let (request, _) = Asked::new("phone.example.com", &resource, &mut Random::from_seed([7; 32]));
    let admission = Admission { path: Some("/ws".into()), origins: Origins::default() };
    assert!(admission.answer(&request).is_ok(), "{}", request.escape_ascii());
    assert!(Head::read(&request).unwrap().only("cookie") == Some(b"sid=7"));
    for (name, value) in [
        ("Cookie", "a\r\nb"),
        ("Cookie", "a\0"),
        ("Coo kie", "a"),
        ("", "a"),
        ("A:", "a"),
        ("sec-websocket-Key", "a"),
        ("CONNECTION", "close"),
    ] {
        assert_eq!(resource.clone().field(name, value), Err(ResourceError::Field(name.into())));
    }
    assert_eq!(resource.field("Cookie", &"c".repeat(8_192)), Err(ResourceError::TooLong));
}
