//! A WebSocket: however its bytes are cut, the same messages come out of it.

use std::sync::Arc;

use bytes::Bytes;
use ringback_base::{Now, Random};
use ringback_transport::StreamLimits;
use ringback_transport::websocket::{Admission, Origins, Resource, WebSocket, WebSocketEvent, WebSocketLimits};

/// Longer messages are refused, so that the limit is met.
const LIMIT: usize = 2_048;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// The first byte says how the rest is cut: in pieces of so many bytes, or whole. The second says which side reads it, `c` for a
/// client's; and whether that has its handshake behind it already, unless it is `h`.
pub(crate) fn check(data: &[u8]) {
    let Some((&[size, side], bytes)) = data.split_first_chunk::<2>() else { return };
    let whole = events(side, std::iter::once(bytes));
    let cut = events(side, bytes.chunks(usize::from(size).max(1)));
    assert_eq!(whole, cut);
    let ends = whole.iter().filter(|event| matches!(event, WebSocketEvent::Ended(_))).count();
    assert!(ends == 0 || (ends == 1 && matches!(whole.last(), Some(WebSocketEvent::Ended(_)))));
    for event in &whole {
        let WebSocketEvent::Message(message) = event else { continue };
        assert!(message.len() <= LIMIT);
        assert_eq!(echoed(message), *message, "what was read can be sent");
    }
}

fn limits() -> WebSocketLimits {
    let stream = StreamLimits { message_bytes_max: LIMIT, ..StreamLimits::default() };
    WebSocketLimits { stream, ..WebSocketLimits::default() }
}

fn server() -> WebSocket {
    let admission = Admission { path: None, origins: Origins::any() };
    WebSocket::server(limits(), Arc::new(admission), Now::default())
}

fn client() -> WebSocket {
    WebSocket::client(limits(), "a", &Resource::default(), Random::from_seed([7; 32]), Now::default())
}

fn said(socket: &mut WebSocket) -> Vec<u8> {
    std::iter::from_fn(|| socket.poll_transmit()).flatten().collect()
}

/// Two that have shaken hands: a client's side and a server's.
fn pair() -> (WebSocket, WebSocket) {
    let (mut client, mut server) = (client(), server());
    server.handle_data(&said(&mut client), Now::default());
    assert_eq!(server.poll_event(), Some(WebSocketEvent::Opened));
    client.handle_data(&said(&mut server), Now::default());
    assert_eq!(client.poll_event(), Some(WebSocketEvent::Opened));
    (client, server)
}

fn events<'a>(side: u8, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<WebSocketEvent> {
    let mut socket = match side {
        b'c' => pair().0,
        b'h' => server(),
        _ => {
            let mut server = server();
            server.handle_data(REQUEST, Now::default());
            assert_eq!(server.poll_event(), Some(WebSocketEvent::Opened));
            server
        }
    };
    let mut events = Vec::new();
    for piece in pieces {
        socket.handle_data(piece, Now::default());
        events.extend(std::iter::from_fn(|| socket.poll_event()));
        said(&mut socket);
    }
    events
}

/// The message as it comes to a server, sent by a client.
fn echoed(message: &Bytes) -> Bytes {
    let (mut client, mut server) = pair();
    client.send(message.clone());
    server.handle_data(&said(&mut client), Now::default());
    match server.poll_event() {
        Some(WebSocketEvent::Message(message)) => message,
        other => panic!("{other:?}"),
    }
}
