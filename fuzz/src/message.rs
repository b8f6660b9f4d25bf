//! A datagram: read at every depth, changed, and answered.

use bytes::Bytes;
use ringback_message::verdict::{Depth, judge};
use ringback_message::{Edit, HeaderId, Message, Request, Response, StatusCode};

pub(crate) fn check(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let (message, faults) = judge(bytes.clone(), Depth::Semantics);
    for fault in &faults {
        assert!(fault.error.offset as usize <= data.len(), "{}", fault.error);
    }
    if let Ok(message) = Message::parse(bytes) {
        lossless(data, &message);
        edited(&message);
        answered(&message);
    } else if let Some(salvage) = message {
        // A malformed request is answered from what could be read of it.
        drop(Response::to(&salvage, StatusCode::BadRequest).to_tag("t").build_unchecked());
    }
}

/// What was read is a stretch of what came, and is read again as the same.
fn lossless(data: &[u8], message: &Message) {
    let start = data.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    assert!(data[start..].starts_with(message.as_bytes()));
    same(message, &reread(message));
}

fn edited(message: &Message) {
    let via = b"SIP/2.0/UDP p.example;branch=z9hG4bKx";
    if let Ok(onward) = Edit::new(message).prepend(HeaderId::Via, via).drop_first(HeaderId::Route).finish() {
        same(&onward, &reread(&onward));
        assert_eq!(onward.first(HeaderId::Via).map(|top| top.value()), Some(&via[..]));
        assert_eq!(onward.body(), message.body());
    }
    if let Ok(without) = Edit::new(message).remove(HeaderId::Subject).body(b"b").finish() {
        same(&without, &reread(&without));
        assert!(without.first(HeaderId::Subject).is_none() && without.body() == b"b");
    }
}

fn answered(message: &Message) {
    let Ok(request) = Request::check(message.clone()) else { return };
    if let Ok(busy) = Response::to(&request, StatusCode::BusyHere).to_tag("t").build() {
        same(&busy, &reread(&busy));
        assert_eq!((busy.branch(), busy.call_id()), (request.branch(), request.call_id()));
        assert_eq!(busy.vias().count(), request.vias().count());
    }
    if let Ok(cancel) = request.cancel() {
        assert_eq!((cancel.cseq(), cancel.branch()), (request.cseq(), request.branch()));
    }
}

fn reread(message: &Message) -> Message {
    Message::parse(message.as_bytes().clone()).unwrap_or_else(|rejected| panic!("{rejected}: {message:?}"))
}

fn same(one: &Message, other: &Message) {
    assert_eq!(one, other);
    let lines = |message: &Message| -> Vec<(HeaderId, u32, usize)> {
        message.headers().map(|h| (h.id(), h.offset(), h.value().len())).collect()
    };
    assert_eq!(lines(one), lines(other), "{one:?}");
    assert_eq!((one.body(), one.status()), (other.body(), other.status()));
    assert_eq!((one.method_text(), one.request_uri_text()), (other.method_text(), other.request_uri_text()));
}
