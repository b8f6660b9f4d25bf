//! Bodies: multipart of every shape, what hostile ones do, and pieces of messages.

use bytes::Bytes;
use ringback_message::body::{Body, MultipartBuilder, NESTING_MAX, NewMultipart, NewPart, PARTS_MAX, Sipfrag};
use ringback_message::header::{Param, RetryAfter};
use ringback_message::{BuildError, HeaderId, Message, ParseErrorKind, Response, StatusCode};

fn message(content_type: &str, body: impl AsRef<[u8]>) -> Message {
    let mut bytes = format!("MESSAGE sip:b@b.example SIP/2.0\r\nContent-Type: {content_type}\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body.as_ref());
    Message::parse(Bytes::from(bytes)).unwrap()
}

fn texts(parts: &[Body]) -> Vec<&str> {
    parts.iter().map(|part| std::str::from_utf8(part.bytes()).unwrap()).collect()
}

#[test]
fn parts_have_header_fields_of_their_own() {
    let message = message(
        "Multipart/Mixed; boundary=\"a b\"",
        "before\r\n--a b \t\r\nc: application/sdp\r\nContent-ID: <1@b>\r\nX-Y:\r\n folded\r\n\r\nv=0\r\n--a b\r\n\r\nplain\r\n\r\n--a b--  \r\nafter\r\n--a b\r\n",
    );
    let multipart = message.content().multipart().unwrap().unwrap();
    assert_eq!((&multipart.preamble[..], &multipart.epilogue[..]), (&b"before"[..], &b"after\r\n--a b\r\n"[..]));
    assert_eq!(texts(&multipart.parts), ["v=0", "plain\r\n"]);
    let [sdp, plain] = &multipart.parts[..] else { panic!("two parts") };
    assert!(sdp.content_type().unwrap().unwrap().is("application", "SDP"));
    assert!(sdp.disposition().unwrap().is("session") && sdp.disposition().unwrap().is_required);
    assert_eq!(sdp.content_id(), Some(&b"1@b"[..]));
    assert_eq!(
        sdp.headers().map(|header| header.value()).collect::<Vec<_>>(),
        [&b"application/sdp"[..], b"<1@b>", b"folded"]
    );
    assert_eq!((plain.content_type().unwrap(), plain.headers().count()), (None, 0));
    assert!(plain.disposition().unwrap().is("render"));
    // Offsets are those of the message.
    let at = sdp.offset() as usize;
    assert_eq!(&message.as_bytes()[at..at + 3], b"v=0");
    let header = sdp.first(HeaderId::ContentType).unwrap();
    assert!(message.as_bytes()[header.offset() as usize..].starts_with(header.value()));
    // Nothing was copied.
    assert!(message.as_bytes().as_ptr_range().contains(&sdp.bytes().as_ptr()));
}

/// `[RFC 4475, Section 3.1.1.11]`
#[test]
fn the_multipart_of_the_torture_messages_is_taken_apart() {
    let message = Message::parse(Bytes::from_static(include_bytes!("../torture/rfc4475/mpart01.dat"))).unwrap();
    let parts = message.parts().unwrap();
    let [text, signature] = &parts[..] else { panic!("two parts") };
    assert!(text.content_type().unwrap().unwrap().is("text", "plain"));
    assert_eq!(text.bytes(), b"Hello");
    assert!(signature.content_type().unwrap().unwrap().is("application", "octet-stream"));
    assert!(signature.bytes().starts_with(b"\x30\x82") && std::str::from_utf8(signature.bytes()).is_err());
}

#[test]
fn a_body_that_is_no_multipart_is_its_only_part() {
    assert_eq!(texts(&message("text/plain", "--x\r\n").parts().unwrap()), ["--x\r\n"]);
    assert!(message("multipart/mixed", "").parts().unwrap().is_empty());
    let untyped = Message::parse(Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\nbody")).unwrap();
    assert_eq!((texts(&untyped.parts().unwrap()), untyped.content().content_type()), (vec!["body"], Ok(None)));
}

#[test]
fn nested_parts_come_in_order_and_a_longer_boundary_is_another() {
    let inner = "--x1\r\n\r\nb\r\n--x1\r\n\r\nc\r\n--x1--";
    let body = format!(
        "--x\r\n\r\na\r\n--x\r\nContent-Type: multipart/alternative;boundary=x1\r\n\r\n{inner}\r\n--x\r\n\r\nd\r\n--x--"
    );
    assert_eq!(texts(&message("multipart/mixed;boundary=x", body).parts().unwrap()), ["a", "b", "c", "d"]);
}

#[test]
fn the_root_of_a_related_body() {
    let body = "--x\r\nContent-ID: <a@h>\r\n\r\na\r\n--x\r\nContent-ID: <b@h>\r\n\r\nb\r\n--x--";
    let root = |params: &str| {
        let multipart = message(&format!("multipart/related;boundary=x{params}"), body).content().multipart();
        multipart.unwrap().unwrap().root().map(|part| part.bytes().to_vec())
    };
    assert_eq!(root(""), Some(b"a".to_vec()));
    assert_eq!(root(";start=\"<b@h>\""), Some(b"b".to_vec()));
    assert_eq!(root(";start=\"<c@h>\""), None);
}

/// AST-2017-003, CVE-2022-21723 (GHSA-7fw8-54cv-r7pm): no boundary, an empty one, one longer than the body, a closing delimiter alone.
#[test]
fn malformed_multiparts_are_refused_where_they_are_wrong() {
    let whole = "--x\r\n\r\na\r\n--x--";
    for (params, body, expected) in [
        ("", whole, "a boundary among the parameters"),
        (";boundary=\"\"", whole, "1 to 70 characters that a boundary may hold, the last no blank"),
        (";boundary=\"x \"", whole, "1 to 70 characters that a boundary may hold, the last no blank"),
        (";boundary=\"x\\\"\"", whole, "1 to 70 characters that a boundary may hold, the last no blank"),
        (";boundary=x", "", "the first delimiter"),
        (";boundary=x", "a", "the first delimiter"),
        (";boundary=xyzxyzxyzxyzxyzxyz", whole, "the first delimiter"),
        (";boundary=x", " --x\r\n\r\na\r\n--x--", "a delimiter before the closing one"),
        (";boundary=x", "--x--", "a delimiter before the closing one"),
        (";boundary=x", "--x", "the closing delimiter"),
        (";boundary=x", "--x\r\n", "the closing delimiter"),
        (";boundary=x", "--x\r\n\r\na\r\n--x", "the closing delimiter"),
        (";boundary=x", "--x\r\n\r\na\r\n--x-", "the closing delimiter"),
        (";boundary=x", "--x\r\n\r\na\n--x--", "the closing delimiter"),
        (";boundary=x", "--x\r\n\r\na--x--", "the closing delimiter"),
        (";boundary=x", "--x\r\n--x--", "a header field or an empty line behind the delimiter"),
        (";boundary=x", "--x\r\nno header\r\n--x--", "a header name and a colon"),
        (";boundary=x", "--x\r\n fold: x\r\n\r\na\r\n--x--", "a header name"),
        (";boundary=x", "--x\r\nA: b\nC: d\r\n\r\na\r\n--x--", "no CR, LF or NUL in a header field"),
        (";boundary=x", "--x\r\nA: b\0\r\n\r\na\r\n--x--", "no CR, LF or NUL in a header field"),
    ] {
        let message = message(&format!("multipart/mixed{params}"), body);
        let error = message.content().multipart().expect_err(body);
        assert_eq!(error.expected, expected, "{params} {body:?}");
        assert_eq!(error.kind == ParseErrorKind::Body, expected.contains("delimiter"), "{error:?}");
        assert!(error.offset as usize <= message.as_bytes().len());
    }
    let longest = "b".repeat(70);
    let body = format!("--{longest}\r\n\r\na\r\n--{longest}--");
    assert_eq!(texts(&message(&format!("multipart/mixed;boundary={longest}"), &body).parts().unwrap()), ["a"]);
    assert!(message(&format!("multipart/mixed;boundary=b{longest}"), &body).parts().is_err());
}

/// CVE-2022-21723, GHSA-7fw8-54cv-r7pm: truncation. No prefix of a good body is read as another one with all its parts.
#[test]
fn a_truncated_body_is_refused_or_is_whole() {
    let body = "pre\r\n--x\r\nContent-Type: text/plain\r\n\r\na\r\n--x\r\n\r\nb\r\n--x--\r\nepilogue";
    let whole = body.find("--x--").unwrap() + 5;
    for end in 0..=body.len() {
        let read = message("multipart/mixed;boundary=x", &body.as_bytes()[..end]).content().multipart();
        assert_eq!(read.is_ok(), end >= whole && end != whole + 1, "{end}");
    }
}

/// GHSA-x5pq-qrp4-fmrj: what is read, written and read again is the same.
#[test]
fn what_is_read_and_written_is_read_the_same() {
    let mut seed = 1_u32;
    let mut random = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) % below
    };
    const PIECES: &[&str] = &[
        "--",
        "x",
        "--x",
        "\r\n",
        "--x\r\n",
        "--x--",
        "\n",
        "a: b\r\n",
        ":",
        " ",
        "\r\n\r\n",
        "--ringback-0000000000",
        "\0",
    ];
    let mut read_count = 0;
    for _ in 0..5_000 {
        let body: String = (0..random(14)).map(|_| PIECES[random(PIECES.len() as u32) as usize]).collect();
        let body = format!("--x\r\n\r\n{body}\r\n--x--");
        let first = message("multipart/mixed;boundary=x", &body);
        let Ok(parts) = first.parts() else { continue };
        read_count += 1;
        let mut builder = MultipartBuilder::mixed();
        for part in &parts {
            builder = builder.part(NewPart::new("application/octet-stream", part.bytes()));
        }
        let NewMultipart { content_type, bytes, .. } = builder.build().unwrap();
        let again = message(std::str::from_utf8(&content_type).unwrap(), bytes);
        assert_eq!(texts(&again.parts().unwrap()), texts(&parts), "{body:?}");
    }
    assert!(read_count > 500, "{read_count}");
}

/// CVE-2026-41415 (GHSA-935m-fmf5-j4pm): Content-ID without what it should hold, and what points at it.
#[test]
fn a_content_id_that_is_none_is_never_found() {
    for id in ["<", ">", "<>", "", "<@>", "<a>", "<@b>", "<a@>", "a@b", "<a@b", "a@b>", "<<a@b>>", "<a b@c>"] {
        let body = format!("--x\r\nContent-ID: {id}\r\n\r\na\r\n--x--");
        let message = message("multipart/mixed;boundary=x", body);
        assert_eq!(message.parts().unwrap()[0].content_id(), None, "{id}");
        for url in ["cid:", "cid:<>", "cid", "", "cid:@", "cid:a@b", &format!("cid:{id}")] {
            assert_eq!(message.part_by_cid(url.as_bytes()).unwrap(), None, "{id} {url}");
        }
    }
    let message = message("multipart/mixed;boundary=x", "--x\r\nContent-ID: <a%b@c>\r\n\r\na\r\n--x--");
    assert_eq!(message.part_by_cid(b"CID:a%25b@c").unwrap().unwrap().bytes(), b"a");
    assert_eq!(message.part_by_cid(b"cid:a%25b@d").unwrap(), None);
}

/// DHI-uja2-iune-eapn-6ukv: nesting has a limit with a name, and so have parts (AST-2017-003 asks for 10000).
#[test]
fn parts_and_levels_are_limited() {
    let nested = |levels: usize| {
        let mut body = NewPart::new("text/plain", "a");
        for _ in 1..levels {
            body = MultipartBuilder::mixed().part(body).build().unwrap().into();
        }
        let NewMultipart { content_type, bytes, .. } = MultipartBuilder::mixed().part(body).build().unwrap();
        message(std::str::from_utf8(&content_type).unwrap(), bytes)
    };
    assert_eq!(texts(&nested(NESTING_MAX).parts().unwrap()), ["a"]);
    assert_eq!(nested(NESTING_MAX + 1).parts().unwrap_err().kind, ParseErrorKind::TooLarge);
    let flat =
        |count: usize| message("multipart/mixed;boundary=x", format!("{}--x--", "--x\r\n\r\n\r\n".repeat(count)));
    assert_eq!(flat(PARTS_MAX).parts().unwrap().len(), PARTS_MAX);
    for count in [PARTS_MAX + 1, 6_000] {
        assert_eq!(flat(count).content().multipart().unwrap_err().kind, ParseErrorKind::TooLarge);
    }
    // Each level is within the limit, all together are not.
    let inner =
        format!("Content-Type: multipart/mixed;boundary=y\r\n\r\n{}--y--\r\n", "--y\r\n\r\n\r\n".repeat(PARTS_MAX / 2));
    let both = message("multipart/mixed;boundary=x", format!("--x\r\n{inner}--x\r\n{inner}--x--"));
    assert_eq!(both.parts().unwrap_err().kind, ParseErrorKind::TooLarge);
}

/// A line that begins like a delimiter is looked at once. Were each looked at to the end of the body, this would take minutes.
#[test]
fn near_delimiters_are_cheap() {
    let boundary = format!("{}c", "b".repeat(69));
    let near = format!("--{}\r\n", "b".repeat(69));
    let filler = near.repeat(60_000 / near.len());
    let body = format!("--{boundary}\r\n\r\n{filler}\r\n--{boundary}--");
    let message = message(&format!("multipart/mixed;boundary={boundary}"), body);
    for _ in 0..20 {
        assert_eq!(message.parts().unwrap()[0].bytes(), filler.as_bytes());
    }
}

/// CVE-2019-12827, CVE-2026-108822, CVE-2026-45084: bodies without a type, of a wrong one, binary ones and a type without a body.
#[test]
fn bodies_are_bytes_whatever_their_type_says() {
    for body in [&b""[..], b"\0\xff\xfe", &[0x80; 60_000]] {
        for content_type in ["application/isup", "text/plain;charset=utf-8", "application/sdp"] {
            let message = message(content_type, body);
            assert_eq!(message.content().bytes(), body);
            assert_eq!(message.parts().unwrap().len(), usize::from(!body.is_empty()));
        }
    }
    for bad in ["", "text", "text/", "/plain", "text/plain;", "text plain", "text/plain x"] {
        assert!(message(bad, "a").content().content_type().is_err(), "{bad}");
        assert!(message(bad, "a").parts().is_err(), "{bad}");
    }
}

#[test]
fn the_boundary_is_in_no_part() {
    let part = |text: &str| NewPart::new("text/plain", text);
    let body = MultipartBuilder::alternative()
        .part(part("\r\n--ringback-0000000000--\r\nringback-0000000002 ringback-x"))
        .part(part("ringback-0000000001"))
        .param(Param::new("x", Some("y")))
        .build()
        .unwrap();
    assert_eq!(body.content_type, b"multipart/alternative;boundary=ringback-0000000003;x=y");
    assert!(matches!(MultipartBuilder::mixed().build(), Err(BuildError::Malformed(_))));
    let forbidden = part("a").header("X-A", "b\r\nX-C: d");
    assert!(matches!(MultipartBuilder::mixed().part(forbidden).build(), Err(BuildError::ForbiddenByte { .. })));
    let nameless = part("a").header("X A", "b");
    assert!(matches!(MultipartBuilder::mixed().part(nameless).build(), Err(BuildError::NotAToken { .. })));
    let padded = part("a").header("X-A", " b ");
    assert!(matches!(MultipartBuilder::mixed().part(padded).build(), Err(BuildError::ReadsOtherwise { .. })));
    let split = MultipartBuilder::mixed().param(Param::flag("a\r\nb")).part(part("a")).build();
    assert!(split.is_err());
}

#[test]
fn pieces_of_messages_are_read() {
    let read = |text: &'static str| Sipfrag::parse(Bytes::from_static(text.as_bytes())).unwrap();
    let busy = read("SIP/2.0 486 Busy Here\r\nRetry-After: 5\r\n\r\n");
    assert_eq!((busy.status().unwrap().as_u16(), busy.reason()), (486, &b"Busy Here"[..]));
    assert_eq!(busy.get::<RetryAfter<_>>().unwrap().unwrap().seconds, 5);
    let invite = read("INVITE sip:a@b SIP/2.0");
    assert_eq!((invite.method_text(), invite.request_uri_text()), (Some(&b"INVITE"[..]), &b"sip:a@b"[..]));
    let headers = read("From: A <sip:a@b>\r\nTo: Carol\r\n\t<sip:c@d>\r\nSubject:\r\n");
    assert_eq!((headers.status(), headers.method_text(), headers.headers().count()), (None, None, 3));
    let body = read("Content-Type: text/plain\r\nContent-Length: 11\r\n\r\nHi There!\r\n");
    assert_eq!(body.body(), b"Hi There!\r\n");
    assert_eq!((read("").headers().count(), read("\r\n").body()), (0, &b""[..]));
}

#[test]
fn pieces_that_no_message_holds_are_refused() {
    for text in [
        "INVITE",
        "INVITE sip:alice@atlanta.example SIP/1.09",
        "SIP/2.0",
        "404 Not Found",
        "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP ;branch=z9hG4bK29342a\r\n",
        "MESSAGE sip:a@b SIP/2.0\r\n\r\nHi There!\r\n",
        "MESSAGE sip:a@b SIP/2.0\r\nHi There!\r\n",
        "Content-Type: text/plain\r\nContent-Length: 12\r\n\r\nHi There!\r\n",
        "Content-Type: text/plain\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nHi T",
        " folded: x\r\n",
        "SIP/2.0 200 OK\r\nA: b\rC: d\r\n",
    ] {
        assert!(Sipfrag::parse(Bytes::from_static(text.as_bytes())).is_err(), "{text:?}");
    }
    assert_eq!(Sipfrag::parse(Bytes::from(vec![b'a'; 65_536])).unwrap_err().kind, ParseErrorKind::TooLarge);
}

#[test]
fn what_nobody_could_take_apart_is_not_built() {
    let built = |content_type: &str| {
        let invite = Message::parse(Bytes::from(format!("{}\r\n", crate::parse::INVITE))).unwrap();
        let moved = Response::to(&invite, StatusCode::MovedTemporarily).to_tag("t").contact("sip:b@b.example", None);
        moved.content_type(content_type).body("--b\r\n\r\n\r\n--b--\r\n").build()
    };
    assert!(built("multipart/mixed;boundary=b").is_ok());
    let error = built("Multipart/mixed").unwrap_err();
    assert_eq!(error.to_string(), "the Content-Type of a multipart body has a boundary [RFC 2046, Section 5.1.1]");

    let part = || NewPart::new("text/plain", "a").header(HeaderId::ContentId, "<1@a.example>");
    assert!(MultipartBuilder::mixed().part(part()).build().is_ok());
    let twice = MultipartBuilder::mixed().part(part().header("c", "text/html")).build().unwrap_err();
    assert!(twice.to_string().starts_with("Content-Type, byte 0 of the value: expected this header field only once"));
    let related =
        |start: &str| MultipartBuilder::related().param(Param::new("start", Some(start))).part(part()).build();
    assert!(related("<1@a.example>").is_ok() && MultipartBuilder::related().part(part()).build().is_ok());
    let nobody = related("<2@a.example>").unwrap_err();
    assert_eq!(nobody.to_string(), "start of a multipart/related names one of its parts [RFC 5621, Section 7.1]");
}
