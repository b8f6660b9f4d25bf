//! Responses, and requests derived from others.

use bytes::Bytes;
use ringback_message::status::registry;
use ringback_message::{HeaderId, Message, Request, Response, StatusCode};

use crate::parse::INVITE;

fn request(more: &str) -> Request {
    Request::check(Message::parse(Bytes::from(format!("{INVITE}{more}\r\n"))).unwrap()).unwrap()
}

#[test]
fn a_response_copies_what_it_must() {
    let invite = request("v: SIP/2.0/UDP second\r\nTimestamp: 54\r\nRecord-Route: <sip:p;lr>\r\nX: y\r\n");
    let ringing = Response::to(&invite, StatusCode::Ringing).to_tag("t").build().unwrap();
    assert_eq!(ringing.all(HeaderId::Via).count(), 2);
    assert_eq!(ringing.to_tag(), Some(&b"t"[..]));
    assert!(ringing.first(HeaderId::RecordRoute).is_some() && ringing.first(HeaderId::Timestamp).is_none());
    assert!(ringing.all_named(b"x").next().is_none());
    let trying = Response::to(&invite, StatusCode::Trying).to_tag("t").build().unwrap();
    assert_eq!(trying.to_tag(), None);
    assert_eq!(trying.first(HeaderId::Timestamp).unwrap().value(), b"54");
    let busy = Response::to(&invite, StatusCode::BusyHere).to_tag("t").build().unwrap();
    assert!(busy.first(HeaderId::RecordRoute).is_none());
}

#[test]
fn a_tag_that_is_there_stays() {
    let text = format!("{INVITE}\r\n").replace("bob@b.example>", "bob@b.example>;tag=mine");
    let invite = Request::check(Message::parse(Bytes::from(text)).unwrap()).unwrap();
    let response = Response::to(&invite, StatusCode::Ok).to_tag("other").build().unwrap();
    assert_eq!(response.to_tag(), Some(&b"mine"[..]));
}

#[test]
fn no_code_is_built_without_what_it_always_carries() {
    let invite = request("");
    for info in registry() {
        let bare = Response::to(&invite, info.code).to_tag("t").build();
        let mut full = Response::to(&invite, info.code).to_tag("t");
        let always: Vec<_> = info.must.iter().filter(|c| c.when.is_empty() && c.header != "To").collect();
        assert_eq!(bare.is_err(), !always.is_empty(), "{}", info.code);
        for carry in always {
            full = full.header_named(carry.header, "x");
        }
        assert!(full.build().is_ok(), "{}", info.code);
    }
}

#[test]
fn every_header_that_the_registry_names_is_known() {
    for info in registry() {
        for carry in info.must.iter().chain(info.should).chain(info.may) {
            assert_ne!(HeaderId::from_name(carry.header.as_bytes()), HeaderId::Other, "{}", carry.header);
        }
    }
}

#[test]
fn no_value_breaks_a_line() {
    let invite = request("");
    for bad in ["a\r\nX: y", "a\nb", "a\0"] {
        assert!(Response::to(&invite, StatusCode::Ok).to_tag(bad).build().is_err());
        assert!(Response::to(&invite, StatusCode::Ok).reason(bad).build().is_err());
        assert!(Response::to(&invite, StatusCode::Ok).header(HeaderId::Server, bad).build().is_err());
        assert!(Response::to(&invite, StatusCode::Ok).header_named(bad, "x").build().is_err());
    }
}

#[test]
fn cancel_and_ack_are_those_of_the_invite() {
    let invite = request(
        "v: SIP/2.0/UDP second\r\nRoute: <sip:r1;lr>\r\nRoute: <sip:r2;lr>\r\nProxy-Authorization: Digest a=b\r\n",
    );
    let cancel = invite.cancel().unwrap();
    assert_eq!(cancel.request_uri_text(), invite.request_uri_text());
    assert_eq!((cancel.branch(), cancel.cseq(), cancel.cseq_method()), (invite.branch(), 1, &b"CANCEL"[..]));
    assert_eq!(cancel.all(HeaderId::Via).count(), 1);
    assert_eq!(cancel.all(HeaderId::Route).count(), 2);
    assert_eq!(cancel.to_tag(), None);
    let busy = Response::to(&invite, StatusCode::BusyHere).to_tag("t").build().unwrap();
    let ack = invite.ack(&busy).unwrap();
    assert_eq!((ack.branch(), ack.cseq_method(), ack.to_tag()), (invite.branch(), &b"ACK"[..], Some(&b"t"[..])));
    let read = Message::parse(ack.as_bytes().clone()).unwrap();
    assert_eq!(read.headers().count(), ack.headers().count());
}
