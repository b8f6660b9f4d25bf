//! Changes to a message.

use bytes::Bytes;
use ringback_message::{Edit, HeaderId, Message};

use crate::parse::INVITE;

fn message(more: &str) -> Message {
    Message::parse(Bytes::from(format!("{INVITE}{more}\r\nbody"))).unwrap()
}

fn text(message: &Message) -> String {
    String::from_utf8(message.as_bytes().to_vec()).unwrap()
}

#[test]
fn an_edited_message_reads_back_as_it_is() {
    let edited = Edit::new(&message("X-Odd :  a\r\n  b\r\nContact: <sip:a@b>\r\n"))
        .request_uri(b"sip:bob@192.0.2.9:5062")
        .prepend(HeaderId::Via, b"SIP/2.0/UDP p;branch=z9hG4bK2")
        .set(HeaderId::MaxForwards, b"69")
        .append(HeaderId::Subject, b" hello ")
        .body(b"other body")
        .finish()
        .unwrap();
    let read = Message::parse(edited.as_bytes().clone()).unwrap();
    assert_eq!(text(&read), text(&edited));
    for (a, b) in edited.headers().zip(read.headers()) {
        assert_eq!((a.id(), a.name(), a.value(), a.offset()), (b.id(), b.name(), b.value(), b.offset()));
    }
    assert_eq!(edited.headers().count(), read.headers().count());
    assert_eq!(edited.body(), b"other body");
    assert_eq!(edited.all_named(b"x-odd").next().unwrap().value(), b"a\r\n  b");
    assert_eq!(edited.vias().next().unwrap().unwrap().branch(), Some(&b"z9hG4bK2"[..]));
}

#[test]
fn elements_are_dropped_wherever_they_stand() {
    for more in [
        "Route: <sip:1@a;lr>, <sip:2@b;lr>\r\nRoute: <sip:3@c;lr>\r\n",
        "Route: <sip:1@a;lr>\r\nRoute: <sip:2@b;lr>\r\nRoute: <sip:3@c;lr>\r\n",
        "Route: <sip:1@a;lr>,<sip:2@b;lr>,<sip:3@c;lr>\r\n",
    ] {
        let original = message(more);
        for count in 0..=3 {
            let edited = Edit::new(&original).drop_elements(HeaderId::Route, count).finish().unwrap();
            let left: Vec<_> = edited
                .addresses(HeaderId::Route)
                .map(|a| a.unwrap().uri.as_sip().unwrap().user.unwrap().to_vec())
                .collect();
            let all = [b"1".to_vec(), b"2".to_vec(), b"3".to_vec()];
            assert_eq!(left, all[count..]);
        }
    }
}

#[test]
fn prepended_lines_stand_in_reverse_order_of_asking() {
    let edited = Edit::new(&message(""))
        .prepend(HeaderId::RecordRoute, b"<sip:1@a>")
        .prepend(HeaderId::RecordRoute, b"<sip:2@a>")
        .finish()
        .unwrap();
    let users: Vec<_> = edited
        .addresses(HeaderId::RecordRoute)
        .map(|a| a.unwrap().uri.as_sip().unwrap().user.unwrap().to_vec())
        .collect();
    assert_eq!(users, [b"2".to_vec(), b"1".to_vec()]);
}

#[test]
fn line_breaks_are_refused_in_every_value() {
    let original = message("");
    for bad in [&b"a\r\nX: y"[..], b"a\nb", b"a\rb", b"a\0b"] {
        assert!(Edit::new(&original).append(HeaderId::Subject, bad).finish().is_err());
        assert!(Edit::new(&original).set(HeaderId::To, bad).finish().is_err());
        assert!(Edit::new(&original).request_uri(bad).finish().is_err());
    }
}

/// What one element reads as a fold and the next as a line would smuggle a header field past the first.
#[test]
fn bare_line_feeds_are_not_passed_on() {
    let original = Message::parse(Bytes::from(INVITE.replace("\r\n", "\n") + "Subject: a\n b\n\n")).unwrap();
    let edited = Edit::new(&original).set(HeaderId::MaxForwards, b"69").finish().unwrap();
    let text = text(&edited);
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert_eq!(edited.first(HeaderId::Subject).unwrap().value(), b"a b");
}
