//! Framing and mandatory header fields.

use bytes::Bytes;
use ringback_message::{HEADER_LINES_MAX, HeaderId, MESSAGE_BYTES_MAX, Message, ParseErrorKind, Request, Response};

pub(crate) const INVITE: &str = "INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
    From: \"A\" <sip:a@a.example>;tag=f1\r\nTo: <sip:bob@b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 INVITE\r\n";

fn parse(text: &str) -> Message {
    Message::parse(Bytes::from(text.to_owned())).unwrap()
}

fn kind(text: &str) -> ParseErrorKind {
    Message::parse(Bytes::from(text.to_owned())).unwrap_err().error.kind
}

#[test]
fn content_length_on_a_datagram() {
    for (length, body) in [
        ("", "0123456789"),
        ("Content-Length: 4\r\n", "0123"),
        ("l: 10\r\n", "0123456789"),
        ("l:0\r\nContent-Length: 0\r\n", ""),
    ] {
        let message = parse(&format!("{INVITE}{length}\r\n0123456789"));
        assert_eq!(message.body(), body.as_bytes(), "{length}");
    }
}

/// OpenSIPS CVE-2026-45103, FreeSWITCH CVE-2026-49840, PJSIP d49472daa.
#[test]
fn content_length_that_is_no_length() {
    let values = [
        "2147483647",
        "2147483648",
        "4294967296",
        "4294967306",
        "18446744073709551616",
        "111111111111111111111111111111",
        "+5",
        "-1",
        "5 5",
        "0x10",
        "",
        "11",
        "5;a=b",
        "٥",
    ];
    for value in values {
        assert_eq!(
            kind(&format!("{INVITE}Content-Length: {value}\r\n\r\n0123456789")),
            ParseErrorKind::Length,
            "{value}"
        );
    }
    assert_eq!(kind(&format!("{INVITE}Content-Length: 5\r\nl: 6\r\n\r\n0123456789")), ParseErrorKind::Length);
}

/// rustisk #108: a length that cuts a character.
#[test]
fn a_body_is_bytes() {
    let message = parse(&format!("{INVITE}Content-Length: 1\r\n\r\né"));
    assert_eq!(message.body(), &[0xc3]);
}

#[test]
fn a_stream_needs_its_length() {
    let framed = |text: String| Message::parse_framed(Bytes::from(text));
    assert_eq!(framed(format!("{INVITE}\r\nabc")).unwrap_err().error.kind, ParseErrorKind::Missing);
    assert_eq!(framed(format!("{INVITE}l: 2\r\n\r\nabc")).unwrap_err().error.kind, ParseErrorKind::Length);
    assert_eq!(framed(format!("{INVITE}l: 3\r\n\r\nabc")).unwrap().body(), b"abc");
}

#[test]
fn folds_and_blanks() {
    let message = parse(&format!("{INVITE}Subject :\t first\r\n \tsecond \r\nEmpty:\r\nX: \r\n late\r\n\r\n"));
    assert_eq!(message.first(HeaderId::Subject).unwrap().value(), b"first\r\n \tsecond");
    assert_eq!(message.all_named(b"empty").next().unwrap().value(), b"");
    assert_eq!(message.all_named(b"x").next().unwrap().value(), b"late");
}

/// Asterisk GHSA-4h4c-qgxg-p3qv, Kamailio CVE-2020-28361: what stands before the colon.
#[test]
fn only_blanks_may_stand_between_name_and_colon() {
    assert!(parse(&format!("{INVITE}Contact \t: <sip:a@b>\r\n\r\n")).first(HeaderId::Contact).is_some());
    for name in ["Contact\u{1}", "Con tact", "Contact\u{b}", "(Contact)", ""] {
        assert_eq!(kind(&format!("{INVITE}{name}: <sip:a@b>\r\n\r\n")), ParseErrorKind::HeaderLine, "{name:?}");
    }
}

/// A parser that stops at NUL would read another length than one that doesn't: two messages for one text.
#[test]
fn a_name_with_nul_behind_it_is_none_wherever_it_stands() {
    for name in ["Content-Length", "Via", "l", "To"] {
        for nuls in ["\0", "\0\0\0\0"] {
            for behind in ["", "Subject: so long that the comparison of whole words is taken\r\n"] {
                let text = format!("OPTIONS sip:b@b.example SIP/2.0\r\n{name}{nuls}: 0\r\n{behind}\r\n");
                let rejected = Message::parse(Bytes::from(text)).unwrap_err();
                assert_eq!(rejected.error.kind, ParseErrorKind::HeaderLine, "{name}");
            }
        }
    }
}

#[test]
fn nul_and_bare_cr_are_refused() {
    assert_eq!(kind(&format!("{INVITE}Subject: a\0b\r\n\r\n")), ParseErrorKind::HeaderLine);
    assert_eq!(kind(&format!("{INVITE}Subject: a\rX: b\r\n\r\n")), ParseErrorKind::HeaderLine);
    assert_eq!(kind(&format!("{INVITE}Subject: a\r\r\n\r\n")), ParseErrorKind::HeaderLine);
    assert_eq!(parse(&format!("{INVITE}\r\na\0\rb")).body(), b"a\0\rb");
}

/// Asterisk GHSA-w3jr-jp8f-r2vr.
#[test]
fn status_lines() {
    for line in [
        "SIP/2.0 99 x",
        "SIP/2.0 0 x",
        "SIP/2.0 700 x",
        "SIP/2.0 1000 x",
        "SIP/2.0 abc x",
        "SIP/2.0  200 OK",
        "SIP/2.0 200OK",
        "SIP/2.0",
        "SIP/2.0 ",
        "SIP/",
        "SIP/2.0 \u{e9}",
    ] {
        assert_eq!(kind(&format!("{line}\r\n\r\n")), ParseErrorKind::StartLine, "{line}");
    }
    assert_eq!(kind("SIP/3.0 200 OK\r\n\r\n"), ParseErrorKind::Version);
    for (line, reason) in
        [("SIP/2.0 200 OK", "OK"), ("SIP/2.0 200 ", ""), ("SIP/2.0 200", ""), ("sip/2.0 486 Déjà vu", "Déjà vu")]
    {
        assert_eq!(parse(&format!("{line}\r\n\r\n")).reason(), reason.as_bytes(), "{line}");
    }
}

#[test]
fn request_lines() {
    for line in [
        "INVITE",
        "INVITE ",
        "INVITE sip:a@b",
        " INVITE sip:a@b SIP/2.0",
        "INVITE  sip:a@b SIP/2.0",
        "INVITE sip:a@b  SIP/2.0",
        "IN(VITE sip:a@b SIP/2.0",
        "INVITE sip:a@b SIP/2.0 ",
        "INVITE sip:a@b HTTP/1.1",
        "INVITE <sip:a@b> SIP/2.0",
    ] {
        assert_eq!(kind(&format!("{line}\r\n\r\n")), ParseErrorKind::StartLine, "{line}");
    }
    assert_eq!(kind("INVITE sip:a@b SIP/7.0\r\n\r\n"), ParseErrorKind::Version);
    assert_eq!(parse("\r\n\r\nINVITE sip:a@b SIP/2.0\r\n\r\n").request_uri_text(), b"sip:a@b");
}

/// Asterisk CVE-2018-7284, resiprocate CVE-2018-12584.
#[test]
fn limits() {
    let many = "Accept: a/b\r\n".repeat(HEADER_LINES_MAX);
    assert_eq!(kind(&format!("{INVITE}{many}\r\n")), ParseErrorKind::TooLarge);
    let long = "x".repeat(MESSAGE_BYTES_MAX);
    assert_eq!(kind(&format!("{INVITE}Subject: {long}\r\n\r\n")), ParseErrorKind::TooLarge);
    assert_eq!(kind(&format!("{INVITE}{}: 1\r\n\r\n", "n".repeat(257))), ParseErrorKind::TooLarge);
    let largest = "x".repeat(MESSAGE_BYTES_MAX - INVITE.len() - 14);
    assert!(Message::parse(Bytes::from(format!("{INVITE}Subject: {largest}\r\n\r\n"))).is_ok());
}

#[test]
fn mandatory_fields() {
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        let without: String = format!("{INVITE}\r\n")
            .split_inclusive("\r\n")
            .filter(|line| !line.starts_with(&format!("{name}:")))
            .collect();
        let error = Request::check(parse(&without)).unwrap_err().error;
        assert_eq!((error.kind, error.header.unwrap().as_str()), (ParseErrorKind::Missing, name));
    }
    // Kamailio CVE-2020-27507
    for twice in ["From: <sip:x@y>;tag=2", "To: <sip:x@y>", "i: 8", "CSeq: 1 INVITE", "Max-Forwards: 3"] {
        let error = Request::check(parse(&format!("{INVITE}{twice}\r\n\r\n"))).unwrap_err().error;
        assert_eq!(error.kind, ParseErrorKind::Repeated, "{twice}");
    }
}

#[test]
fn essentials_of_request_and_response() {
    let request = Request::check(parse(&format!("{INVITE}\r\n"))).unwrap();
    assert_eq!((request.branch(), request.call_id(), request.cseq()), (Some(&b"z9hG4bK1"[..]), &b"7@a.example"[..], 1));
    assert_eq!((request.from_tag(), request.to_tag(), request.max_forwards()), (Some(&b"f1"[..]), None, Some(70)));
    assert_eq!(request.top_via().host, b"a.example");
    let response = format!("{INVITE}\r\n")
        .replacen("INVITE sip:bob@b.example SIP/2.0", "SIP/2.0 180 Ringing", 1)
        .replace("bob@b.example>", "bob@b.example>;tag=t1");
    let response = Response::check(parse(&response)).unwrap();
    assert_eq!(
        (response.status().as_u16(), response.to_tag(), response.cseq_method()),
        (180, Some(&b"t1"[..]), &b"INVITE"[..])
    );
    assert!(Response::check(request.into_message()).is_err());
}

#[test]
fn several_vias_in_one_line() {
    let text =
        format!("{INVITE}\r\n").replace("Via: ", "Via: SIP/2.0/TCP [::1]:5070;branch=z9hG4bK0;received=192.0.2.1 , ");
    let request = Request::check(parse(&text)).unwrap();
    assert_eq!(request.branch(), Some(&b"z9hG4bK0"[..]));
    assert_eq!(request.vias().map(Result::unwrap).count(), 2);
    assert_eq!(request.top_via().params.text(), b";branch=z9hG4bK0;received=192.0.2.1");
}

/// What is read is written to the same bytes, however odd; empty lines before it and bytes behind its body are no part of it.
#[test]
fn bytes_stay_as_they_came() {
    for more in ["Subject :\t a\r\n b \r\n", "s: \u{fc}\r\nX-Odd:\"\\\"\\\0\"\r\n", "l:0\r\n"] {
        let text = format!("{INVITE}{more}\r\n");
        assert_eq!(parse(&text).as_bytes(), text.as_bytes());
        let bare = text.replace("\r\n", "\n");
        assert_eq!(parse(&bare).as_bytes(), bare.as_bytes());
        assert_eq!(parse(&format!("\r\n\n{text}")).as_bytes(), text.as_bytes());
    }
    assert_eq!(parse(&format!("{INVITE}l: 2\r\n\r\nabcd")).as_bytes(), format!("{INVITE}l: 2\r\n\r\nab").as_bytes());
}

#[test]
fn names_are_read_in_any_case_and_form() {
    for (long, compact) in
        [("Via", "v"), ("From", "f"), ("To", "t"), ("Call-ID", "i"), ("Max-Forwards", "max-FORWARDS"), ("CSeq", "cSeQ")]
    {
        let text = format!("{INVITE}\r\n").replace(&format!("\n{long}:"), &format!("\n{compact} \t:"));
        let request = Request::check(parse(&text)).unwrap();
        let of_long = Request::check(parse(&format!("{INVITE}\r\n"))).unwrap();
        assert_eq!((request.branch(), request.from_tag(), request.cseq()), (of_long.branch(), of_long.from_tag(), 1));
        assert_eq!((request.call_id(), request.max_forwards()), (of_long.call_id(), Some(70)));
    }
}

/// Names are looked for within a window of the head: the last lines of a short message have less behind them than it is wide.
#[test]
fn short_messages_are_read_to_their_end() {
    for name in ["l", "Content-Length", "P-Charging-Function-Addresses", "P-Private-Network-Indication"] {
        let message = parse(&format!("OPTIONS sip:b SIP/2.0\r\n{name}: 0\r\n\r\n"));
        let header = message.headers().next().unwrap();
        assert_eq!(
            (header.id(), header.name(), header.value()),
            (HeaderId::from_name(name.as_bytes()), name.as_bytes(), &b"0"[..])
        );
        assert_ne!(header.id(), HeaderId::Other);
    }
    let cut = kind("OPTIONS sip:b SIP/2.0\r\nl: 0");
    assert_eq!(cut, ParseErrorKind::Incomplete);
}

#[test]
fn a_head_is_no_longer_than_a_message() {
    let long = format!("{INVITE}Subject: {}\r\n\r\n", "x".repeat(MESSAGE_BYTES_MAX));
    assert_eq!(Message::parse_head(Bytes::from(long)).unwrap_err().error.kind, ParseErrorKind::TooLarge);
}

#[test]
fn tokens_are_found_on_any_line_in_any_case() {
    let text = format!("{INVITE}Require: 100rel, foo\r\nSupported: a b, timer\r\nk: TIMER\r\n\r\n");
    let invite = Message::parse(Bytes::from(text)).unwrap();
    assert!(invite.has_token(HeaderId::Require, "FOO") && invite.has_token(HeaderId::Supported, "timer"));
    assert!(!invite.has_token(HeaderId::Require, "fo") && !invite.has_token(HeaderId::Supported, "b"));
    assert!(!invite.has_token(HeaderId::Allow, "foo") && !invite.has_token(HeaderId::Require, ""));
}
