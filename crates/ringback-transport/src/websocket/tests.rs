#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

const MASK: Option<[u8; 4]> = Some([1, 2, 3, 4]);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n";

fn server_with(message_bytes_max: usize) -> WebSocket {
    let limits = WebSocketLimits::default();
    let stream = StreamLimits { message_bytes_max, ..limits.stream };
    WebSocket::server(WebSocketLimits { stream, ..limits }, Arc::default(), Now::default())
}

/// A server's side that is open.
fn opened() -> WebSocket {
    let mut server = server_with(2_000);
    server.handle_data(REQUEST, Now::default());
    assert_eq!(events(&mut server), [WebSocketEvent::Opened]);
    assert!(said(&mut server).starts_with(b"HTTP/1.1 101 "));
    server
}

fn events(socket: &mut WebSocket) -> Vec<WebSocketEvent> {
    core::iter::from_fn(|| socket.poll_event()).collect()
}

fn said(socket: &mut WebSocket) -> Vec<u8> {
    core::iter::from_fn(|| socket.poll_transmit()).flatten().collect()
}

/// All that comes out of bytes in pieces of this size, and all that is answered.
fn fed(socket: &mut WebSocket, bytes: &[u8], piece: usize) -> (Vec<WebSocketEvent>, Vec<u8>) {
    let (mut all, mut answers) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        socket.handle_data(piece, Now::default());
        all.extend(events(socket));
        answers.extend(said(socket));
    }
    (all, answers)
}

fn masked(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    frame::frame(opcode, payload, MASK)
}

/// A frame that isn't the last of its message.
fn begun(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut frame = masked(opcode, payload);
    frame[0] &= 0x7f;
    frame
}

fn message(text: &[u8]) -> WebSocketEvent {
    WebSocketEvent::Message(Bytes::copy_from_slice(text))
}

#[test]
fn a_ping_in_the_middle_of_a_message_in_pieces() {
    let bytes = [
        begun(Opcode::Text, b"OPTIONS "),
        masked(Opcode::Ping, b"there?"),
        begun(Opcode::Continuation, b""),
        masked(Opcode::Continuation, b"sip:a SIP/2.0\r\n\r\n"),
        masked(Opcode::Pong, b"unasked"),
    ]
    .concat();
    for piece in 1..=bytes.len() {
        let expected =
            [WebSocketEvent::KeepAlive, message(b"OPTIONS sip:a SIP/2.0\r\n\r\n"), WebSocketEvent::KeepAlive];
        let (all, answers) = fed(&mut opened(), &bytes, piece);
        assert_eq!(all, expected);
        assert_eq!(answers, b"\x8a\x06there?");
    }
}

#[test]
fn of_pings_that_come_together_the_last_is_answered() {
    let bytes: Vec<u8> = (0..1_000_u16).flat_map(|n| masked(Opcode::Ping, &n.to_be_bytes())).collect();
    let (all, answers) = fed(&mut opened(), &bytes, bytes.len());
    assert_eq!(all.len(), 1_000);
    assert_eq!(answers, [&b"\x8a\x02"[..], &999_u16.to_be_bytes()].concat());
}

#[test]
fn keep_alives_of_line_ends_are_messages_of_their_own() {
    let (all, answers) = fed(&mut opened(), &masked(Opcode::Text, b"\r\n\r\n"), 3);
    assert_eq!((&all[..], &answers[..]), (&[WebSocketEvent::KeepAlive][..], &b"\x81\x02\r\n"[..]));
    let (all, answers) = fed(&mut opened(), &masked(Opcode::Binary, b"\r\n"), 3);
    assert_eq!((&all[..], &answers[..]), (&[WebSocketEvent::KeepAlive][..], &b""[..]));
}

#[test]
fn what_breaks_a_rule_ends_it_with_the_code_for_it() {
    let two = [begun(Opcode::Text, b"a"), masked(Opcode::Text, b"b")].concat();
    let split = [begun(Opcode::Text, b"\xc3"), masked(Opcode::Continuation, b"\xa4 ok")].concat();
    assert_eq!(fed(&mut opened(), &split, 1).0, [message("ä ok".as_bytes())]);
    for (bytes, code) in [
        (masked(Opcode::Text, b"\xff"), CloseCode::INVALID_DATA),
        (masked(Opcode::Continuation, b"a"), CloseCode::PROTOCOL_ERROR),
        (two, CloseCode::PROTOCOL_ERROR),
        (frame::frame(Opcode::Text, b"not masked", None), CloseCode::PROTOCOL_ERROR),
        (masked(Opcode::Close, b"\x03"), CloseCode::PROTOCOL_ERROR),
        (masked(Opcode::Binary, &[0; 2_001]), CloseCode::TOO_LARGE),
        (
            [begun(Opcode::Text, &[b'a'; 1_500]), masked(Opcode::Continuation, &[b'a'; 501])].concat(),
            CloseCode::TOO_LARGE,
        ),
    ] {
        for piece in [1, 7, bytes.len()] {
            let mut server = opened();
            let (all, answers) = fed(&mut server, &[&bytes[..], &masked(Opcode::Text, b"more")].concat(), piece);
            assert_eq!(all, [WebSocketEvent::Ended(Ended::Broken(code))]);
            assert_eq!(answers, [&b"\x88\x02"[..], &code.as_u16().to_be_bytes()].concat());
            assert!(server.is_ended() && !server.is_mid_message());
        }
    }
    assert_eq!(fed(&mut opened(), &masked(Opcode::Binary, b"\xff"), 1).0, [message(b"\xff")]);
}

/// The length that a head announces costs nothing.
#[test]
fn what_is_too_large_is_refused_before_it_comes() {
    for length in [70_000_u64, 1 << 40, u64::MAX >> 1] {
        let mut server = opened();
        let head = [&b"\x82\xff"[..], &length.to_be_bytes(), &[0; 4]].concat();
        let (all, _) = fed(&mut server, &head, 1);
        assert_eq!(all, [WebSocketEvent::Ended(Ended::Broken(CloseCode::TOO_LARGE))]);
    }
    let mut server = opened();
    let head = [&b"\x82\xfe"[..], &2_000_u16.to_be_bytes(), &[0; 4]].concat();
    assert_eq!(fed(&mut server, &head, 1).0, []);
    assert!(server.buf.capacity() < 100, "{}", server.buf.capacity());
}

#[test]
fn a_close_is_answered_with_its_code_and_is_the_end() {
    for (payload, code) in [(&b"\x03\xe9left the page"[..], Some(CloseCode::GOING_AWAY)), (b"", None)] {
        let mut server = opened();
        let bytes = [masked(Opcode::Close, payload), masked(Opcode::Text, b"OPTIONS")].concat();
        let (all, answers) = fed(&mut server, &bytes, 5);
        assert_eq!(all, [WebSocketEvent::Ended(Ended::Closed(code))]);
        let said = &payload[..payload.len().min(2)];
        assert_eq!(answers, [&[0x88, u8::try_from(said.len()).unwrap()], said].concat());
        server.send(Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n"));
        assert_eq!(said_len(&mut server), 0);
    }
}

fn said_len(socket: &mut WebSocket) -> usize {
    said(socket).len()
}

#[test]
fn who_is_no_client_of_ours_gets_http_and_nothing_else() {
    let long = [&REQUEST[..REQUEST.len() - 2], b"Cookie: ", &[b'c'; HANDSHAKE_BYTES_MAX], b"\r\n\r\n"].concat();
    for (bytes, status) in [
        (&b"\x16\x03\x01\x02\x00\x01"[..], 400),
        (b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 426),
        (&long, 431),
        (&[b'A'; HANDSHAKE_BYTES_MAX + 1], 431),
    ] {
        for piece in [1, 1_000, bytes.len()] {
            let mut server = server_with(2_000);
            let (all, answer) = fed(&mut server, bytes, piece);
            let [WebSocketEvent::Ended(Ended::Refused(refusal))] = all[..] else { panic!("{all:?}") };
            assert_eq!(refusal.status(), status);
            assert_eq!(answer, refusal.response());
        }
    }
}

#[test]
fn an_idle_one_holds_no_memory() {
    let mut server = opened();
    for n in [10, 1_900] {
        fed(&mut server, &masked(Opcode::Text, &alloc::vec![b'x'; n]), 100);
        server.send(Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n"));
        said(&mut server);
        assert_eq!((server.buf.capacity(), server.out.capacity()), (0, 0));
    }
    assert!(size_of::<WebSocket>() < 320, "{}", size_of::<WebSocket>());
}

#[test]
fn silence_is_asked_about_and_ends_it() {
    let limits = WebSocketLimits::default();
    let start = Now::default();
    let mut server = opened();
    assert_eq!(server.poll_ping(), Some(limits.ping_after));
    server.handle_timeout(start);
    assert_eq!(said_len(&mut server), 0);
    let asked = start.after(limits.ping_after);
    server.handle_timeout(asked);
    assert_eq!(said(&mut server), b"\x89\x00");
    assert_eq!(server.poll_ping(), None);
    let end = asked.after(limits.pong_timeout);
    assert_eq!(server.poll_timeout(), end.mono);
    assert!(server.is_overdue(end) && !server.is_mid_message());
    server.handle_data(&masked(Opcode::Pong, b""), asked.after(Micros::from_secs(1)));
    assert_eq!(events(&mut server), [WebSocketEvent::KeepAlive]);
    assert!(!server.is_overdue(end));
    assert_eq!(server.poll_ping(), Some(asked.after(Micros::from_secs(1)).mono.plus(limits.ping_after)));
}

/// Neither bytes now and then nor Pings in between buy a message more time, nor an opening handshake.
#[test]
fn slow_peers() {
    let limits = WebSocketLimits::default();
    let slow = |mut server: WebSocket, bytes: &[&[u8]]| {
        let mut now = Now::default();
        for piece in bytes {
            server.handle_data(piece, now);
            events(&mut server);
            now = now.after(Micros::from_secs(1));
        }
        assert!(server.is_mid_message());
        assert_eq!(server.poll_timeout(), limits.stream.message_timeout);
    };
    slow(server_with(2_000), &[b"G", b"E", b"T", b" /"]);
    let ping = masked(Opcode::Ping, b"");
    slow(opened(), &[&begun(Opcode::Text, b"OPT"), &ping, &ping, &begun(Opcode::Continuation, b"IONS"), &ping]);
}

#[test]
fn a_client_that_is_not_let_in() {
    let limits = WebSocketLimits::default();
    for (answer, why) in [
        (&b"HTTP/1.1 403 Forbidden\r\n\r\n"[..], Rejection::Status { code: 403, phrase: "Forbidden".into() }),
        (b"\x15\x03\x01", Rejection::NoHttp),
        (b"SIP/2.0 400 No\r\n\r\n", Rejection::NoHttp),
    ] {
        let mut client =
            WebSocket::client(limits, "a", &Resource::default(), Random::from_seed([1; 32]), Now::default());
        client.send(Bytes::from_static(b"OPTIONS sip:a SIP/2.0\r\n\r\n"));
        assert_eq!(client.waiting_bytes(), 25);
        assert!(said(&mut client).ends_with(b"\r\n\r\n"));
        assert_eq!(fed(&mut client, answer, 4), (alloc::vec![WebSocketEvent::Ended(Ended::Rejected(why))], Vec::new()));
    }
}

#[test]
fn a_ping_of_ours_is_answered_once() {
    let (mut server, now) = (server_with(2_000), Now::default());
    let mut client = WebSocket::client(server.limits, "a", &Resource::default(), Random::from_seed([1; 32]), now);
    client.ping(now);
    assert!(client.is_opening(), "nobody is asked before the handshake is done");
    talk(&mut client, &mut server, 9);
    assert!(!client.is_opening() && !client.take_pong());
    client.ping(now);
    let (at_client, at_server) = talk(&mut client, &mut server, 9);
    assert_eq!(
        (at_client, at_server),
        (Vec::from([WebSocketEvent::KeepAlive]), Vec::from([WebSocketEvent::KeepAlive]))
    );
    assert!(client.take_pong() && !client.take_pong());
}

/// Moves all that each side says to the other, in pieces, until neither says anything.
fn talk(client: &mut WebSocket, server: &mut WebSocket, piece: usize) -> (Vec<WebSocketEvent>, Vec<WebSocketEvent>) {
    let (mut at_client, mut at_server) = (Vec::new(), Vec::new());
    loop {
        let (up, down) = (said(client), said(server));
        if up.is_empty() && down.is_empty() {
            return (at_client, at_server);
        }
        up.chunks(piece).for_each(|bytes| {
            server.handle_data(bytes, Now::default());
            at_server.extend(events(server));
        });
        down.chunks(piece).for_each(|bytes| {
            client.handle_data(bytes, Now::default());
            at_client.extend(events(client));
        });
    }
}

/// A message that is no keep-alive.
fn messages() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let text = proptest::collection::vec(any::<u8>(), 0..400).prop_map(|bytes| [&b"M"[..], &bytes].concat());
    let ascii = "[ -~\r\n]{1,300}".prop_map(|text| [b"A", text.as_bytes()].concat());
    proptest::collection::vec(prop_oneof![text, ascii], 0..8)
}

proptest! {
    /// What one side sends is what the other gets, both ways, however the bytes are cut.
    #[test]
    fn what_is_sent_arrives(up in messages(), down in messages(), piece in 1_usize..500) {
        let mut server = server_with(2_000);
        let mut client = WebSocket::client(server.limits, "a", &Resource::default(), Random::from_seed([3; 32]), Now::default());
        up.iter().for_each(|bytes| client.send(Bytes::copy_from_slice(bytes)));
        down.iter().for_each(|bytes| server.send(Bytes::copy_from_slice(bytes)));
        let (at_client, at_server) = talk(&mut client, &mut server, piece);
        let expected = |sent: &[Vec<u8>]| -> Vec<_> {
            core::iter::once(WebSocketEvent::Opened).chain(sent.iter().map(|bytes| message(bytes))).collect()
        };
        prop_assert_eq!(at_client, expected(&down));
        prop_assert_eq!(at_server, expected(&up));
        client.close(CloseCode::NORMAL);
        let (_, at_server) = talk(&mut client, &mut server, piece);
        prop_assert_eq!(at_server, [WebSocketEvent::Ended(Ended::Closed(Some(CloseCode::NORMAL)))]);
    }

    /// Into however many frames a message is cut, with Pings in between, the same message comes out.
    #[test]
    fn fragments_are_one_message(text in proptest::collection::vec(any::<u8>(), 1..600), size in 1_usize..200, piece in 1_usize..300) {
        let text = [&b"M"[..], &text].concat();
        let mut bytes = Vec::new();
        let count = text.chunks(size).count();
        for (at, part) in text.chunks(size).enumerate() {
            let opcode = if at == 0 { Opcode::Binary } else { Opcode::Continuation };
            bytes.extend(if at + 1 == count { masked(opcode, part) } else { begun(opcode, part) });
            if at % 3 == 1 {
                bytes.extend(masked(Opcode::Ping, b"p"));
            }
        }
        let (all, _) = fed(&mut opened(), &bytes, piece);
        let got: Vec<_> = all.into_iter().filter(|event| *event != WebSocketEvent::KeepAlive).collect();
        prop_assert_eq!(got, [message(&text)]);
    }
}
