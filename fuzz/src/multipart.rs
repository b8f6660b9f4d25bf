//! A multipart body: taken apart within its limits, put together again.

use bytes::Bytes;
use ringback_message::body::{Body, MultipartBuilder, NewPart, PARTS_MAX, Sipfrag};
use ringback_message::{HeaderId, Message};

/// Up to the first line end a Content-Type, then the body.
pub(crate) fn check(data: &[u8]) {
    drop(Sipfrag::parse(Bytes::copy_from_slice(data)));
    let Some(at) = data.windows(2).position(|end| end == b"\r\n") else { return };
    let (kind, body) = (&data[..at], &data[at + 2..]);
    let head: [&[u8]; 4] = [b"MESSAGE sip:a SIP/2.0\r\nContent-Type: ", kind, b"\r\n\r\n", body];
    let Ok(message) = Message::parse(Bytes::from(head.concat())) else { return };
    let Ok(parts) = message.parts() else { return };
    assert!(parts.len() <= PARTS_MAX);
    let mut end = 0;
    for part in &parts {
        let start = part.offset() as usize;
        assert!(
            start >= end && message.as_bytes()[start..].starts_with(part.bytes()),
            "parts in order, of the message"
        );
        end = start + part.bytes().len();
        drop((part.disposition(), part.content_type()));
        if let Some(id) = part.content_id() {
            let found = message.part_by_cid(&[b"cid:", id].concat());
            assert!(found.is_ok());
        }
    }
    rebuilt(&parts);
}

fn rebuilt(parts: &[Body]) {
    let kinds: Vec<_> = parts.iter().map(|part| part.first(HeaderId::ContentType).map(|kind| kind.value())).collect();
    let new = parts.iter().zip(&kinds).map(|(part, kind)| NewPart::new(kind.unwrap_or(b"text/plain"), part.bytes()));
    let Ok(built) = new.fold(MultipartBuilder::mixed(), MultipartBuilder::part).build() else { return };
    let head: [&[u8]; 4] = [b"MESSAGE sip:a SIP/2.0\r\nContent-Type: ", &built.content_type, b"\r\n\r\n", &built.bytes];
    let Ok(message) = Message::parse(Bytes::from(head.concat())) else { return };
    let outer = message.content().multipart();
    let outer = outer.unwrap_or_else(|error| panic!("{error}")).unwrap_or_else(|| panic!("no multipart was built"));
    let bodies = |parts: &[Body]| -> Vec<Vec<u8>> { parts.iter().map(|part| part.bytes().to_vec()).collect() };
    assert_eq!(bodies(&outer.parts), bodies(parts));
}
