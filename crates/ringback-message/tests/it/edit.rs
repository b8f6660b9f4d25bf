//! Changes to a message.

use bytes::Bytes;
use ringback_message::header::facts::Repeats;
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

/// Each line written in a way that is allowed and odd; with a Content-Length, so that nothing need be added.
const ODD_LINES: &[&str] = &[
    "v:SIP / 2.0 / UDP [2001:db8::9:1]:5060;branch=z9hG4bK1;received=2001:db8::9:255\r\n",
    "mAX-fORWARDS \t:  70  \r\n",
    "f: \"A \\\"quoted\\\" \\\\ name, with; signs\" <sip:a%20b@a.example>;tag=f1\r\n",
    "TO:\r\n <sip:bob@b.example>\r\n",
    "i : 7@a.example\r\n",
    "cseq: 0001\r\n\t INVITE\r\n",
    "m: <sip:a@[::1]:5070>;q=0.5 ,\r\n \"b, c\" <sip:c@d;x=1>\r\n",
    "User-Agent: Phone (a comment (in a comment) \\) ) v1\r\n",
    "Subject: Grüße, 你好\r\n \r\n",
    "X-Nul: \"\\\0\"\r\n",
    "Empty:\r\n",
    "x-Empty: \r\n \r\n",
    "k: a ,b,\tc\r\n",
    "l: 4\r\n",
];

fn odd() -> Message {
    let text = format!("INVITE sip:bob@b.example;x=%41 sip/2.0\r\n{}\r\nbody", ODD_LINES.concat());
    Message::parse(Bytes::from(text)).unwrap()
}

#[test]
fn without_a_change_not_a_byte_changes() {
    let original = odd();
    assert_eq!(original.headers().count(), ODD_LINES.len());
    assert_eq!(Edit::new(&original).finish().unwrap().as_bytes(), original.as_bytes());
    for line in ["SIP/2.0 200", "SIP/2.0 200 ", "sip/2.0 486 Déjà vu"] {
        let answer = Message::parse(Bytes::from(format!("{line}\r\n{}\r\nbody", ODD_LINES.concat()))).unwrap();
        assert_eq!(Edit::new(&answer).finish().unwrap().as_bytes(), answer.as_bytes());
        let edited = Edit::new(&answer).remove(HeaderId::UserAgent).finish().unwrap();
        assert_eq!(text(&edited), text(&answer).replace(ODD_LINES[7], ""));
    }
}

/// Every line in turn is taken out, replaced, and has one put before it: the others stay to the letter, and all is read back as it stands in the table.
#[test]
fn what_no_change_names_stays_to_the_letter() {
    let original = odd();
    let whole = text(&original);
    let mut count_removed = 0;
    for (index, line) in ODD_LINES.iter().enumerate() {
        let header = original.headers().nth(index).unwrap();
        if header.id() == HeaderId::ContentLength {
            continue;
        }
        if let Ok(removed) = Edit::new(&original).remove_line(index).finish() {
            assert_eq!(text(&removed), whole.replace(line, ""), "{line:?}");
            reads_back(&removed);
            count_removed += 1;
        }
        let is_single = header.id().facts().is_none_or(|facts| facts.repeats == Repeats::Once);
        let (id, value) = if is_single { (HeaderId::Route, "<sip:n>") } else { (header.id(), another(header.id())) };
        let inserted = Edit::new(&original).prepend(id, format!(" {value} ").as_bytes()).finish().unwrap();
        let first = original.first(id).map_or(0, |first| first.index());
        let before = ODD_LINES[first];
        let name = id.as_str();
        assert_eq!(text(&inserted), whole.replace(before, &format!("{name}: {value}\r\n{before}")), "{line:?}");
        let replaced = Edit::new(&original).replace_line(index, another(header.id()).as_bytes()).finish().unwrap();
        assert_eq!(replaced.headers().nth(index).unwrap().name(), header.name());
        assert_eq!(text(&replaced).len(), whole.len() + written_len(&replaced, index) - line.len(), "{line:?}");
        for edited in [inserted, replaced] {
            reads_back(&edited);
        }
    }
    // All but the six that every request carries, and Content-Length.
    assert_eq!(count_removed, ODD_LINES.len() - 8);
    let lowered = Edit::new(&original).set(HeaderId::MaxForwards, b"69").request_uri(b"sip:x@y").finish().unwrap();
    let expected = whole.replace("70  \r\n", "69\r\n").replace("sip:bob@b.example;x=%41", "sip:x@y");
    assert_eq!(text(&lowered), expected);
}

/// Another value for a header field.
fn another(id: HeaderId) -> &'static str {
    match id {
        HeaderId::Via => "SIP/2.0/UDP n;branch=z9hG4bKn",
        HeaderId::MaxForwards => "7",
        HeaderId::From | HeaderId::To | HeaderId::Contact => "<sip:n@n>;tag=n",
        HeaderId::CSeq => "2 INVITE",
        _ => "new",
    }
}

/// What can't be read back, or would be read as a message that lacks something or holds it twice.
#[test]
fn what_would_break_the_message_is_refused() {
    let original = message("Content-Type: text/plain\r\nContent-Length: 4\r\n");
    let edit = || Edit::new(&original);
    for (edit, error) in [
        (edit().request_uri(b"sip:a b"), "Request-URI, byte 5: expected the end of the URI [RFC 3261, Section 19.1]"),
        (edit().request_uri(b""), "Request-URI, byte 0: expected a URI scheme and a colon [RFC 3261, Section 19.1]"),
        (
            edit().set(HeaderId::ContentLength, b"3"),
            "what was built is malformed: Content-Length, byte 237: expected the length of the body [RFC 3261, Section 20.14]",
        ),
        (
            edit().append(HeaderId::CallId, b"2"),
            "what was built is malformed: Call-ID, byte 249: expected this header field only once [RFC 3261, Section 20.8]",
        ),
        (
            edit().remove(HeaderId::From),
            "what was built is malformed: From, byte 206: expected this header field, which every message carries [RFC 3261, Section 8.1.1]",
        ),
        (
            edit().set(HeaderId::To, b"nobody"),
            "To, byte 6 of the value: expected a URI scheme and a colon [RFC 3261, Section 20.39]",
        ),
        (
            edit().set(HeaderId::CSeq, b"1 BYE"),
            "what was built is malformed: CSeq, byte 187: expected the method of the request line [RFC 3261, Section 20.16]",
        ),
        (
            edit().append(HeaderId::RetryAfter, b"1"),
            "Retry-After, byte 0 of the value: expected no such header field in a request [RFC 3261, Section 20.33]",
        ),
        (
            edit().remove(HeaderId::ContentType),
            "a message with a body must carry Content-Type [RFC 3261, Section 20.15]",
        ),
        (edit().replace_line(99, b"x"), "the message has no line at place 99"),
        (edit().remove_line(70_000), "the message has no line at place 70000"),
    ] {
        assert_eq!(edit.finish().unwrap_err().to_string(), error);
    }
    for needed in [HeaderId::Via, HeaderId::To, HeaderId::CallId, HeaderId::CSeq, HeaderId::MaxForwards] {
        assert!(edit().remove(needed).finish().is_err(), "{needed}");
        let again = another(needed).as_bytes();
        assert!(edit().remove(needed).append(needed, again).finish().is_ok(), "{needed}");
    }
}

/// An edit writes no more than a builder does, unless it is said that the text is another's.
#[test]
fn what_no_builder_writes_is_refused() {
    type Change = fn(Edit<'_>) -> Edit<'_>;
    let original = message("Contact: <sip:a@a.example>\r\n");
    let of_others: [Change; 8] = [
        |edit| edit.request_uri(b"sip:%zz@x"),
        |edit| edit.request_uri(b"sip:bob@x?a=b"),
        |edit| edit.request_uri(b"sip:bob@x;method=BYE"),
        |edit| edit.set(HeaderId::Contact, b"<sip:%zz@a>"),
        |edit| edit.set(HeaderId::From, b"<sip:a@a.example>;tag=1;tag=2"),
        |edit| edit.prepend(HeaderId::Via, b"SIP/2.0/UDP p;branch=z9hG4bK2;branch=z9hG4bK3"),
        |edit| edit.append(HeaderId::Route, b"<sip:p;lr;lr>"),
        |edit| edit.replace_line(0, b"SIP/2.0/UDP p;branch=z9hG4bK2;branch=z9hG4bK3"),
    ];
    for change in of_others {
        let edit = change(Edit::new(&original));
        assert!(edit.clone().finish().is_err(), "{edit:?}");
        reads_back(&change(Edit::relaying(&original)).finish().unwrap());
    }
    let doubled = message("Contact: <sip:a@a.example;x=1;x=2>\r\n");
    assert!(Edit::new(&doubled).set(HeaderId::Contact, b"<sip:a@a.example;x=1;x=2>;q=1").finish().is_ok());
    assert!(Edit::new(&doubled).set(HeaderId::Contact, b"<<").finish().is_err());
    for (edit, error) in [
        (
            Edit::new(&original).set(HeaderId::CSeq, b"4294967295 INVITE"),
            "the number of CSeq is below 2147483648 [RFC 3261, Section 8.1.1.5]",
        ),
        (Edit::new(&original).remove(HeaderId::Contact), "an INVITE must carry Contact [RFC 3261, Section 13]"),
    ] {
        assert_eq!(edit.finish().unwrap_err().to_string(), error);
    }
    assert!(Edit::new(&original).set(HeaderId::CSeq, b"2147483647 INVITE").finish().is_ok());
    let large = Edit::new(&message("")).set(HeaderId::CSeq, b"1 INVITE").finish().unwrap();
    let large = Message::parse(Bytes::from(text(&large).replace("CSeq: 1 ", "CSeq: 4294967294 "))).unwrap();
    assert!(Edit::new(&large).set(HeaderId::CSeq, b"4294967295 INVITE").finish().is_ok());
}

/// What came malformed can be passed on: only nothing may get worse.
#[test]
fn what_was_as_bad_before_is_no_error() {
    let text = "INVITE sip:\u{fc}@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1, garbage\r\nCall-ID: 1\r\nCall-ID: 2\r\n\
                CSeq: 1 BYE\r\nTo: ?\r\n\r\nbody";
    let original = Message::parse(Bytes::from(text)).unwrap();
    let edit = || Edit::new(&original);
    for fine in [
        edit().request_uri("sip:\u{fc}@b".as_bytes()),
        edit().replace_line(0, b"SIP/2.0/UDP a;branch=z9hG4bK1;received=192.0.2.1, garbage"),
        edit().remove(HeaderId::From).remove(HeaderId::MaxForwards),
        edit().set(HeaderId::CSeq, b"2 BYE"),
        edit().set(HeaderId::To, b"??"),
        edit().remove_line(1).append(HeaderId::CallId, b"3"),
        edit().body(b"other"),
        edit().drop_first(HeaderId::Via),
    ] {
        let edited = fine.clone().finish();
        reads_back(&edited.unwrap_or_else(|error| panic!("{error}: {fine:?}")));
    }
    assert!(edit().append(HeaderId::CallId, b"3").finish().is_err());
    assert!(edit().prepend(HeaderId::Via, b"garbage").finish().is_err());
}

#[test]
fn a_header_field_without_a_name_is_refused() {
    let original = message("");
    assert!(Edit::new(&original).append(HeaderId::Other, b"x").finish().is_err());
    assert!(Edit::new(&original).set(HeaderId::Other, b"x").finish().is_err());
}

/// How long the line at this place is, up to where the next one starts.
fn written_len(message: &Message, index: usize) -> usize {
    let start = |name: &[u8]| name.as_ptr().addr() - message.as_bytes().as_ptr().addr();
    let mut lines = message.headers().skip(index).map(|header| start(header.name()));
    let (this, next) = (lines.next().unwrap(), lines.next());
    next.unwrap_or_else(|| message.as_bytes().len() - message.body().len() - 2) - this
}

fn reads_back(edited: &Message) {
    let read = Message::parse(edited.as_bytes().clone()).unwrap();
    assert_eq!(edited.headers().count(), read.headers().count());
    for (a, b) in edited.headers().zip(read.headers()) {
        assert_eq!((a.id(), a.name(), a.value(), a.offset()), (b.id(), b.name(), b.value(), b.offset()));
    }
    assert_eq!((edited.method_text(), edited.request_uri_text()), (read.method_text(), read.request_uri_text()));
    assert_eq!(edited.body(), read.body());
}

/// The way on may be a stream.
#[test]
fn a_changed_message_says_how_long_its_body_is() {
    let edited = Edit::new(&message("")).set(HeaderId::MaxForwards, b"69").finish().unwrap();
    assert_eq!(edited.number(HeaderId::ContentLength), Ok(Some(4)));
    reads_back(&edited);
}

/// A message that was refused is still answered, and what made it refused must not be passed on.
#[test]
fn what_is_salvaged_has_its_stray_bytes_taken_out() {
    for stray in ["a\rVia: x", "a\0b", "a\r\n\rb", "\r", "a\\\0\rb"] {
        let text = format!("{INVITE}Subject: {stray}\r\nno header field\r\nOrganization: o\r\n\r\n");
        let salvaged = Message::parse(Bytes::from(text)).unwrap_err().salvage.unwrap();
        for edited in [Edit::new(&salvaged), Edit::new(&salvaged).set(HeaderId::MaxForwards, b"69")] {
            let edited = edited.finish().unwrap();
            assert_eq!(edited.first(HeaderId::Organization).unwrap().value(), b"o");
            assert!(!edited.first(HeaderId::Subject).unwrap().value().iter().any(|b| matches!(b, b'\r' | b'\n' | 0)));
            reads_back(&edited);
        }
    }
}
