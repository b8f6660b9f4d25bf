//! What went wrong in others, one test an advisory; those on bodies are in `body`, those on digests and streams in the crates of these.

use std::fmt::Write as _;

use bytes::Bytes;
use ringback_message::header::text::{comment, quoted, unquoted};
use ringback_message::header::{
    Identity, MinSe, NameAddr, Qvalue, RSeq, SessionExpires, Subject, UserAgent, check_value,
};
use ringback_message::uri::{escape, unescape};
use ringback_message::verdict::{Depth, judge};
use ringback_message::{
    Cursor, Edit, HEADER_LINES_MAX, HEADER_NAME_BYTES_MAX, HeaderId, MESSAGE_BYTES_MAX, Message, Method,
    ParseErrorKind, Request, RequestBuilder, Response, StatusCode, Uri, Via,
};

/// A request but for the empty line.
const OPTIONS: &str = "OPTIONS sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
    From: \"A\" <sip:a@a.example>;tag=f1\r\nTo: <sip:bob@b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 OPTIONS\r\n";

fn datagram(text: impl Into<Vec<u8>>) -> Bytes {
    Bytes::from(text.into())
}

fn message(text: impl Into<Vec<u8>>) -> Message {
    Message::parse(datagram(text)).unwrap()
}

fn with_line(line: &str) -> Message {
    message(format!("{OPTIONS}{line}\r\n\r\n"))
}

fn refused(text: impl Into<Vec<u8>>) -> ParseErrorKind {
    Message::parse(datagram(text)).unwrap_err().error.kind
}

fn address(value: &[u8]) -> Option<NameAddr<&[u8]>> {
    NameAddr::parse_only(HeaderId::From, value, 0).ok()
}

fn via(value: &[u8]) -> Option<Via<&[u8]>> {
    let mut cursor = Cursor::new(HeaderId::Via, value, 0);
    let via = Via::parse(&mut cursor).ok()?;
    cursor.end().ok().map(|()| via)
}

fn uri(text: &str) -> Option<Uri<&[u8]>> {
    Uri::parse(text.as_bytes(), HeaderId::Contact, 0).ok()
}

/// OpenSIPS CVE-2026-45103, FreeSWITCH CVE-2026-49840, sipsorcery GHSA-j5j8-rhcm-7fp9: a length that overflows hides a message in a body.
#[test]
fn cve_2026_45103_content_length_overflow() {
    let hidden = "INVITE sip:x@b.example SIP/2.0\r\n\r\n";
    let lengths = [
        "2147483647",
        "2147483648",
        "4294967296",
        "4294967301",
        "18446744073709551616",
        "18446744073709551621",
        "111111111111111111111111111111",
        "+5",
        "-1",
        "-2147483648",
        "5 5",
        "5,5",
        "0x10",
        "1e1",
        "",
        "\"5\"",
    ];
    for length in lengths {
        let text = format!("{OPTIONS}Content-Length: {length}\r\n\r\n{hidden}");
        assert_eq!(refused(text.clone()), ParseErrorKind::Length, "{length}");
        assert_eq!(Message::parse_framed(datagram(text)).unwrap_err().error.kind, ParseErrorKind::Length, "{length}");
        // A number of 32 bits is for the stream's own limit to judge; nothing larger passes.
        let head = Message::parse_head(datagram(format!("{OPTIONS}l: {length}\r\n\r\n")));
        let passes = length.parse::<u32>().is_ok_and(|_| !length.starts_with('+'));
        assert_eq!(head.map(|(_, length)| length.to_string()).ok(), passes.then(|| length.to_owned()));
    }
    for two in ["Content-Length: 0\r\nl: 34\r\n", "l: 34\r\nl: 034 \r\nContent-Length: 35\r\n"] {
        assert_eq!(refused(format!("{OPTIONS}{two}\r\n{hidden}")), ParseErrorKind::Length, "{two}");
        assert!(Message::parse_head(datagram(format!("{OPTIONS}{two}\r\n"))).is_err(), "{two}");
    }
}

/// PJSIP d49472daa: no number wraps, whichever header field it stands in.
#[test]
fn pjproject_d49472daa_numbers_never_wrap() {
    for number in ["4294967296", "4294967297", "18446744073709551617", &"9".repeat(30), &"1".repeat(60_000)] {
        for (name, value) in [
            ("Content-Length", number.to_owned()),
            ("CSeq", format!("{number} OPTIONS")),
            ("Expires", number.to_owned()),
            ("Max-Breadth", number.to_owned()),
            ("Max-Forwards", number.to_owned()),
            ("Min-Expires", number.to_owned()),
            ("Min-SE", number.to_owned()),
            ("RAck", format!("{number} 1 INVITE")),
            ("RAck", format!("1 {number} INVITE")),
            ("Retry-After", number.to_owned()),
            ("RSeq", number.to_owned()),
            ("Session-Expires", number.to_owned()),
            ("Flow-Timer", number.to_owned()),
        ] {
            let id = HeaderId::from_name(name.as_bytes());
            assert!(check_value(id, value.as_bytes(), 0).is_err(), "{name}: {} bytes", value.len());
        }
    }
    let most = with_line("RSeq: 4294967295\r\nMin-SE: 4294967295\r\nSession-Expires: 4294967295");
    assert_eq!(most.get::<RSeq>().unwrap(), Some(RSeq(u32::MAX)));
    assert!(most.get::<MinSe<&[u8]>>().is_ok() && most.get::<SessionExpires<&[u8]>>().is_ok());
}

/// OSV-2021-1196, -1330, OSV-2022-1165, -1173: the header field is the last of the buffer.
#[test]
fn osv_2021_1196_a_message_that_ends_in_its_last_field() {
    for last in ["Content-Length", "l", "Via", "v", "From", "CSeq", "Subject", "X"] {
        for end in ["", ":", ": ", ": 5", ": 5\r", ": 5\r\n", ": 5\r\n ", ":\r\n\t", ": \"", ": <", ": a=\"\\"] {
            assert_eq!(
                refused(format!("{OPTIONS}{last}{end}")),
                match end {
                    "" => ParseErrorKind::HeaderLine,
                    ": 5\r" => ParseErrorKind::HeaderLine,
                    _ => ParseErrorKind::Incomplete,
                }
            );
        }
    }
}

/// rustisk #108, #112: a length that cuts a character.
#[test]
fn rustisk_108_a_length_that_cuts_a_character() {
    for length in 0..=8 {
        let text = format!("{OPTIONS}Content-Length: {length}\r\n\r\né漢ü!");
        assert_eq!(message(text).body(), &"é漢ü!".as_bytes()[..length]);
    }
}

/// rustisk #114: brackets in the wrong order.
#[test]
fn rustisk_114_brackets_reversed() {
    let odd = b"\"a>b<\" <sip:x@y>;tag=\">\"";
    let read = address(odd).unwrap();
    assert_eq!((read.display_name.unwrap(), read.uri.as_sip().unwrap().host), (&b"\"a>b<\""[..], &b"y"[..]));
    for bad in [
        "><",
        "<<",
        ">>",
        "<",
        ">",
        "<>",
        "\"",
        "\"\\",
        "\"a\\\" <sip:x@y>",
        "sip:x@y>",
        "> <sip:x@y",
        "<sip:x@y",
        "<sip:x@y>>",
        "a>b <sip:x@y>",
        "<<sip:x@y>>",
    ] {
        assert_eq!(address(bad.as_bytes()), None, "{bad}");
    }
}

/// FreeSWITCH DHI-uja2-iune-eapn-6ukv: what nests is read without recursion.
#[test]
fn dhi_uja2_nesting_is_no_recursion() {
    let depth = 20_000;
    let nested = format!("5 {}x{}", "(".repeat(depth), ")".repeat(depth));
    for (value, good) in
        [(nested.clone(), true), (nested.replacen('(', "", 1), false), (nested.replacen(')', "", 1), false)]
    {
        assert_eq!(check_value(HeaderId::RetryAfter, value.as_bytes(), 0).is_ok(), good);
        let agent = with_line(&format!("User-Agent: {}", value.trim_start_matches("5 ")));
        assert_eq!(agent.get::<UserAgent<&[u8]>>().unwrap().unwrap().is_by_the_grammar(), good);
    }
    let mut within = String::from("sip:a@b");
    for _ in 0..10 {
        within = format!("sip:a@b?Contact=<{within}>");
    }
    assert!(uri(&within).is_none());
    assert!(uri(&"sip:a@b?x=".repeat(6_000)).is_none());
}

/// PJSIP CVE-2017-9372, AST-2017-002: the key of an RFC 2543 transaction was built from what may be long.
#[test]
fn cve_2017_9372_long_cseq_and_no_branch() {
    let method = "M".repeat(4_096);
    for branch in ["", ";branch=", ";branch=x", ";branch=z9hG4bK"] {
        let number = u32::MAX;
        let text = OPTIONS.replace("1 OPTIONS", &format!("{number} {method}")).replacen("OPTIONS", &method, 1);
        let text = text.replace(";branch=z9hG4bK1", branch);
        let read = Message::parse(datagram(format!("{text}\r\n"))).map(Request::check);
        match branch {
            ";branch=" => assert!(read.unwrap().is_err()),
            _ => {
                let request = read.unwrap().unwrap();
                assert_eq!((request.cseq(), request.cseq_method().len()), (number, 4_096));
                assert_eq!(request.branch(), branch.strip_prefix(";branch=").map(str::as_bytes));
            }
        }
    }
    for number in ["4294967296", &"1".repeat(30), &"1".repeat(4_096), "-1", ""] {
        let text = OPTIONS.replace("CSeq: 1 ", &format!("CSeq: {number} "));
        assert!(Request::check(message(format!("{text}\r\n"))).is_err(), "{number}");
    }
}

/// Asterisk GHSA-64qc-9x89-rx5j, seen from the header field; the verifier's side is in `ringback-auth`.
#[test]
fn ghsa_64qc_9x89_rx5j_malformed_authorization() {
    for id in
        [HeaderId::Authorization, HeaderId::ProxyAuthorization, HeaderId::WwwAuthenticate, HeaderId::ProxyAuthenticate]
    {
        for bad in [
            "",
            "=",
            ",",
            "Digest =",
            "Digest a=",
            "Digest a=\"",
            "Digest a=\"\\",
            "Digest a=\"b\" c=\"d\"",
            "Digest a=b,a=c",
            "\"Digest\" a=b",
        ] {
            assert!(check_value(id, bad.as_bytes(), 0).is_err(), "{id}: {bad}");
        }
        let many: String = (0..5_000).fold("Digest ".to_owned(), |mut many, i| {
            write!(many, "a{i}=b,").unwrap();
            many
        });
        assert!(check_value(id, many.as_bytes(), 0).is_err());
    }
}

/// Asterisk GHSA-mrq5-74j5-f5cr: Identity without what should stand behind its token.
#[test]
fn ghsa_mrq5_74j5_f5cr_identity() {
    let long = format!("{};info=<https://x.example>", "A".repeat(60_000));
    assert!(check_value(HeaderId::Identity, long.as_bytes(), 0).is_ok());
    // As RFC 4474 had it, and then nothing says where the certificate is.
    for historic in ["\"a.b.c=\"", "a.b.c"] {
        assert_eq!(with_line(&format!("Identity: {historic}")).get::<Identity<&[u8]>>().unwrap().unwrap().info, None);
    }
    for bad in [
        "",
        ";",
        "\"",
        "\"\"",
        "a.b.c;",
        "a.b.c;info",
        "a.b.c;info=",
        "a.b.c;info=<",
        "a.b.c;info=<>",
        ";info=<https://x.example>",
        "a b;info=<https://x.example>",
    ] {
        assert!(check_value(HeaderId::Identity, bad.as_bytes(), 0).is_err(), "{bad}");
    }
}

/// PJSIP CVE-2022-39244: the scanner below all header fields. Each takes hostile text, and errors lie within it.
#[test]
fn cve_2022_39244_every_field_takes_hostile_text() {
    let fillers = [
        "\"", "\\", "<", ">", ",", ";", "=", "(", ")", "[", "%", "@", ":", "/", "*", "\0", "\u{80}", " ", "\r\n ",
        "a=\"", ";a=b", ", <", "0", "sip:",
    ];
    for id in HeaderId::all() {
        for filler in fillers {
            for count in [1, 2, 33, 3_000] {
                let value = filler.repeat(count);
                if let Err(error) = check_value(id, value.as_bytes(), 1_000) {
                    let end = 1_000 + u32::try_from(value.len()).unwrap();
                    assert!((1_000..=end).contains(&error.offset), "{id}: {count} of {filler:?}: {error}");
                }
            }
        }
    }
}

/// Asterisk CVE-2018-7284: many header fields of one name.
#[test]
fn cve_2018_7284_many_fields() {
    for line in ["Accept: a/b", "Via: SIP/2.0/UDP a", "Record-Route: <sip:p;lr>", "Contact: <sip:a>", "X-Other: y"] {
        assert_eq!(refused(format!("{OPTIONS}{}\r\n", format!("{line}\r\n").repeat(3_500))), ParseErrorKind::TooLarge);
        let fits = HEADER_LINES_MAX - OPTIONS.lines().count() + 1;
        let most = message(format!("{OPTIONS}{}\r\n", format!("{line}\r\n").repeat(fits)));
        assert_eq!(most.headers().count(), HEADER_LINES_MAX);
        let (name, value) = line.split_once(": ").unwrap();
        let list = format!("{OPTIONS}{name}: {}{value}\r\n\r\n", format!("{value},").repeat(3_000));
        assert!(!message(list).faults(Depth::Semantics).iter().any(|fault| fault.depth < Depth::Semantics), "{name}");
    }
    assert_eq!(refused(vec![b'A'; MESSAGE_BYTES_MAX + 1]), ParseErrorKind::TooLarge);
}

/// Asterisk GHSA-w3jr-jp8f-r2vr: a status line without a code that can be used.
#[test]
fn ghsa_w3jr_jp8f_r2vr_status_codes() {
    let rest = OPTIONS.split_once("\r\n").unwrap().1;
    for code in
        ["0", "99", "099", "700", "1000", "65836", "4294967496", "-200", "+200", "abc", "2 00", "20", "", " ", "200x"]
    {
        assert_eq!(refused(format!("SIP/2.0 {code} x\r\n{rest}\r\n")), ParseErrorKind::StartLine, "{code}");
    }
    for line in ["SIP/2.0 200", "SIP/2.0 200 ", "SIP/2.0 200 \u{7f}"] {
        assert_eq!(message(format!("{line}\r\n{rest}\r\n")).status(), Some(StatusCode::Ok), "{line:?}");
    }
}

/// Asterisk GHSA-4h4c-qgxg-p3qv: a control character before the colon, taken for white space by one of two.
#[test]
fn ghsa_4h4c_qgxg_p3qv_names_end_in_blanks_only() {
    for byte in 0..=255_u8 {
        let mut text = Vec::from(OPTIONS);
        text.extend_from_slice(b"Contact");
        text.push(byte);
        text.extend_from_slice(b": <sip:a@b>\r\n\r\n");
        match Message::parse(Bytes::from(text)) {
            Ok(message) => {
                let is_contact = message.first(HeaderId::Contact).is_some();
                assert_eq!(is_contact, matches!(byte, b' ' | b'\t' | b':'), "{byte:#x}");
                // The rest makes another name of it, and never a shorter one.
                let name = message.headers().next_back().unwrap().name();
                assert!(is_contact || name == [b"Contact", &[byte][..]].concat() || byte == b'\n', "{byte:#x}");
            }
            Err(rejected) => assert_eq!(rejected.error.kind, ParseErrorKind::HeaderLine, "{byte:#x}"),
        }
    }
}

/// Kamailio CVE-2020-28361: a header field that is removed is gone in every spelling.
#[test]
fn cve_2020_28361_removal_goes_by_the_parsed_name() {
    let spellings = ["Subject: 1", "SUBJECT : 2", "s: 3", "S\t: 4", "sUbJeCt:\r\n 5", "subject :6\r\n\t7"];
    let request = message(format!("{OPTIONS}{}\r\nX: y\r\n\r\n", spellings.join("\r\n")));
    assert_eq!(request.all(HeaderId::Subject).count(), spellings.len());
    let without = Edit::new(&request).remove(HeaderId::Subject).finish().unwrap();
    assert_eq!(without.as_bytes(), message(format!("{OPTIONS}X: y\r\nContent-Length: 0\r\n\r\n")).as_bytes());
    let one = Edit::new(&request).set(HeaderId::Subject, b"one").finish().unwrap();
    assert_eq!(one.values::<Subject<&[u8]>>().count(), 1);
}

/// Kamailio CVE-2018-8828: one byte too far, at lengths around a limit.
#[test]
fn cve_2018_8828_lengths_of_tag_and_branch() {
    for length in 1..=1_100 {
        let word = "t".repeat(length);
        let text = OPTIONS.replace("z9hG4bK1", &format!("z9hG4bK{word}")).replace("tag=f1", &format!("tag={word}"));
        let request = Request::check(message(format!("{text}\r\n"))).unwrap();
        assert_eq!((request.branch().unwrap().len(), request.from_tag().unwrap().len()), (length + 7, length));
        let response = Response::to(&request, StatusCode::Ok).to_tag(&word).build().unwrap();
        assert_eq!((response.branch(), response.to_tag()), (request.branch(), Some(word.as_bytes())));
    }
}

/// Kamailio CVE-2020-27507: a header field twice, and a long tag.
#[test]
fn cve_2020_27507_repeated_fields_and_long_tags() {
    for twice in ["From: <sip:x@y>;tag=2", "t: <sip:x@y>", "i: 8", "CSeq: 1 OPTIONS", "Max-Forwards: 3"] {
        let error = Request::check(with_line(twice)).unwrap_err().error;
        assert_eq!(error.kind, ParseErrorKind::Repeated, "{twice}");
        assert_eq!(error.kind.status(), StatusCode::BadRequest);
    }
    let tag = "t".repeat(60_000);
    let request = Request::check(message(format!("{}\r\n", OPTIONS.replace("tag=f1", &format!("tag={tag}"))))).unwrap();
    assert_eq!(request.from_tag(), Some(tag.as_bytes()));
    assert!(Response::to(&request, StatusCode::Ok).to_tag(&tag).build().is_err(), "it would not fit in a datagram");
}

/// Kamailio CVE-2016-2385: the largest datagram, through everything.
#[test]
fn cve_2016_2385_the_largest_datagram() {
    let body = "b".repeat(65_507 - OPTIONS.len() - "Content-Type: a/b\r\n\r\n".len());
    let (request, faults) = judge(datagram(format!("{OPTIONS}Content-Type: a/b\r\n\r\n{body}")), Depth::Semantics);
    let request = Request::check(request.unwrap()).unwrap();
    assert_eq!((request.as_bytes().len(), faults.len()), (65_507, 0));
    assert!(Edit::new(&request).prepend(HeaderId::Via, b"SIP/2.0/UDP p;branch=z9hG4bK2").finish().is_err());
    let shorter = Edit::new(&request).body(b"").finish().unwrap();
    assert_eq!(shorter.body(), b"");
    assert!(Response::to(&request, StatusCode::BadRequest).to_tag("t").build().unwrap().as_bytes().len() < 1_000);
}

/// Kamailio CVE-2026-106803: ports of more digits than a buffer, in every place that has one.
#[test]
fn cve_2026_106803_ports() {
    let long = "9".repeat(30_000);
    for (port, number) in [
        ("5060", Some(5060)),
        ("00005060", Some(5060)),
        ("65535", Some(65_535)),
        ("0", None),
        ("65536", None),
        ("70596", None),
        ("99999999999", None),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("5060x", None),
        (&long, None),
    ] {
        for text in [format!("sip:a@b:{port}"), format!("sip:a@[2001:db8::1]:{port}")] {
            assert_eq!(uri(&text).and_then(|uri| uri.as_sip()?.port), number, "{port}");
        }
        let sent_by = format!("SIP/2.0/UDP a:{port}");
        assert_eq!(via(sent_by.as_bytes()).and_then(|via| via.port), number, "{port}");
        // Nobody but us reads a parameter: what is no port is as if it were not answered.
        let rport = format!("SIP/2.0/UDP a;rport={port};received=192.0.2.1:{port}");
        if let Some(via) = via(rport.as_bytes()) {
            assert_eq!(via.rport().flatten(), number.filter(|&n| n > 0), "{port}");
            assert_eq!(via.received(), None, "{port}");
        }
    }
}

/// Kamailio OSV-2025-793, Belle-sip GHSA-jw78-2435-w3r6: a From that is none.
#[test]
fn osv_2025_793_malformed_from() {
    for bad in [
        "",
        ";tag=1",
        "\"a\"",
        "<>",
        "<sip:>",
        "<sip:@b>",
        "<:a>",
        "sip",
        "sip:",
        "a b c",
        "\"a\" \"b\" <sip:a@b>",
        "<sip:a@b>tag=1",
        "<sip:a@b>;",
        "<sip:a@b>;tag=",
        "<sip:a@b>;=1",
        "<sip:a@b>, <sip:c@d>",
        "<sip:a@b>;tag=\"1",
        "*",
    ] {
        let text = OPTIONS.replace("\"A\" <sip:a@a.example>;tag=f1", bad);
        let error = Request::check(message(format!("{text}\r\n"))).expect_err(bad).error;
        assert_eq!((error.header, error.kind), (Some(HeaderId::From), ParseErrorKind::HeaderValue), "{bad}");
    }
}

/// resiprocate OSV-2018-222: preferences that are none.
#[test]
fn osv_2018_222_q_values() {
    for (text, q) in [("0", 0), ("1", 1_000), ("0.", 0), ("1.", 1_000), ("0.5", 500), ("0.123", 123), ("1.000", 1_000)]
    {
        assert_eq!(Qvalue::parse(text.as_bytes()).map(Qvalue::as_thousandths), Some(q), "{text}");
    }
    for bad in [
        "",
        " ",
        ".",
        ".5",
        "1.0000000",
        "0.1234",
        "1.001",
        "2",
        "-1",
        "+1",
        "-0.5",
        "NaN",
        "inf",
        "0,5",
        "1e0",
        "\"0.5\"",
        "00",
        "0x1",
    ] {
        assert_eq!(Qvalue::parse(bad.as_bytes()), None, "{bad}");
        let contact = format!("<sip:a@b>;q={bad}");
        assert_eq!(address(contact.as_bytes()).and_then(|contact| contact.q()), None, "{bad}");
    }
}

/// OpenSIPS GHSA-wxfg-3gwh-rhvx: the parser of Via said yes and had read half.
#[test]
fn ghsa_wxfg_3gwh_rhvx_a_via_is_whole_or_none() {
    let whole = "SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1;received=192.0.2.1;rport=5061";
    for end in 0..=whole.len() {
        if let Some(via) = via(&whole.as_bytes()[..end]) {
            assert!(!via.transport.is_empty() && !via.host.is_empty(), "{end} of {whole}");
            let mut written = Vec::new();
            via.write(&mut written);
            assert_eq!(written, &whole.as_bytes()[..end]);
        }
    }
    for bad in [
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/2.0/ a",
        "SIP/2.0 a",
        "/2.0/UDP a",
        "SIP//UDP a",
        "SIP/2.0/UDP :5060",
        "SIP/2.0/UDP ;branch=z",
        "SIP/2.0/UDP a;",
        "SIP/2.0/UDP a;;",
        "SIP/2.0/UDP a b",
        "SIP/2.0/UDP a=b",
    ] {
        assert_eq!(via(bad.as_bytes()), None, "{bad}");
    }
}

/// OpenSIPS GHSA-358f-935m-7p9c: a malformed URI, read, changed and written.
#[test]
fn ghsa_358f_935m_7p9c_uris_are_changed_and_written() {
    let texts = [
        "sip:",
        "sip:@",
        "sip::",
        "sip:a@",
        "sip:a@:5060",
        "sip:[",
        "sip:[]",
        "sip:a@[::1",
        "sip:a:b:c@d",
        "sip:a@b:",
        "sip:a@b;",
        "sip:a@b;;",
        "sip:a@b?",
        "sip:%@b",
        "sip:a%4@b",
        "sip:a@b;x=%zz",
        "sip:a@b?x",
        "tel:",
        "tel:+",
        ":",
        "",
        "a",
    ];
    for text in texts {
        let Some(read) = uri(text) else { continue };
        let Uri::Sip(sip) = read.to_owned_text() else { continue };
        let changed = sip.with_user("new user").with_param("lr", None).with_header("Subject", "a b");
        if text == "sip:a@b;x=%zz" {
            // An escape without its digits is read and not sent.
            Uri::try_from(&changed).unwrap_err();
            continue;
        }
        let again = Uri::try_from(&changed).unwrap();
        assert_eq!(again.to_string().parse::<Uri<_>>().unwrap(), again, "{text}");
    }
    assert!(texts.iter().filter(|text| uri(text).is_some()).count() < 8);
}

/// OpenSIPS CVE-2026-45537: every part of a URI is long.
#[test]
fn cve_2026_45537_long_uris() {
    let part = "p".repeat(8_192);
    let text = format!("sip:{part}:{part}@{part};{part}={part}?{part}={part}");
    let request = RequestBuilder::new(Method::Options, &text)
        .via("a.example", "UDP", Some("z9hG4bK1"))
        .from("", "sip:a@a.example", Some("f1"))
        .to("", "sip:b@b.example", None)
        .call_id("7@a.example")
        .cseq(1, Method::Options);
    let read = uri(&text).unwrap();
    assert_eq!(read.to_string(), text);
    assert!(read.equivalent(&read.to_owned_text()));
    assert_eq!(request.build_unchecked().unwrap().request_uri_text(), text.as_bytes());
}

/// OpenSIPS CVE-2026-45538, sngrep CVE-2024-3119 and kin: names and values longer than somebody's buffer.
#[test]
fn cve_2026_45538_long_names_and_values() {
    for length in [1, 31, 32, 33, 255, 256, 257, 4_096, 65_000] {
        let name = "n".repeat(length);
        let read = Message::parse(datagram(format!("{OPTIONS}{name}: {name}\r\n\r\n")));
        match read {
            Ok(message) => {
                assert!(length <= HEADER_NAME_BYTES_MAX);
                assert_eq!(message.all_named(name.as_bytes()).next().unwrap().value(), name.as_bytes());
            }
            Err(rejected) => {
                assert!(length > HEADER_NAME_BYTES_MAX);
                assert_eq!(rejected.error.kind, ParseErrorKind::TooLarge);
            }
        }
    }
    for name in ["Call-ID", "X-Call-ID", "Warning", "Content-Length", "Subject", "Server"] {
        for length in [255, 256, 1_024, 60_000] {
            let value = "7".repeat(length);
            let (read, _) = judge(datagram(format!("{OPTIONS}{name}: {value}\r\n\r\n")), Depth::Semantics);
            assert_eq!(read.unwrap().headers().next_back().unwrap().value().len(), length);
        }
    }
}

/// OpenSIPS CVE-2026-45100: what is encoded is longer than what it is made from.
#[test]
fn cve_2026_45100_encoders_make_room() {
    for byte in [0x01, b'"', b'\\', b'(', b')', b'%', b'a', 0xff] {
        let text = vec![byte; 20_000];
        assert_eq!(unquoted(&quoted(&text)).as_ref(), text);
        assert_eq!(unquoted(&comment(&text)).as_ref(), text);
        let escaped = escape(&text, |_| false);
        assert_eq!((escaped.len(), unescape(&escaped)), (60_000, text));
    }
}

/// drachtio CVE-2022-45909: a long Request-URI.
#[test]
fn cve_2022_45909_long_request_uri() {
    let uri = format!("sip:{}@b.example", "u".repeat(64_000));
    let request =
        Request::check(message(format!("{}\r\n", OPTIONS.replace("sip:bob@b.example SIP", &format!("{uri} SIP")))))
            .unwrap();
    assert_eq!(request.request_uri_text(), uri.as_bytes());
    assert!(request.request_uri().is_ok());
    let long = format!("OPTIONS sip:{}@b SIP/2.0\r\n\r\n", "u".repeat(MESSAGE_BYTES_MAX));
    assert_eq!(refused(long), ParseErrorKind::TooLarge);
}

/// Sofia-SIP CVE-2022-31001, CVE-2022-31002: a method of no or one byte, and a URL that ends in a percent sign.
#[test]
fn cve_2022_31001_short_methods_and_cut_escapes() {
    let rest = OPTIONS.strip_prefix("OPTIONS").unwrap();
    assert_eq!(refused(format!("{rest}\r\n")), ParseErrorKind::StartLine);
    assert_eq!(message(format!("O{rest}\r\n")).method_text(), Some(&b"O"[..]));
    for text in ["O", "O ", " ", "\r\n", "\n", "", "O sip:a", "%", "S", "SIP", "SIP/", "SIP/2.0 2"] {
        assert!(Message::parse(datagram(text)).is_err(), "{text:?}");
    }
    for text in ["sip:%", "sip:%@b", "sip:a%@b", "sip:a%4@b", "sip:a@b;x=%", "sip:a@b?x=%4", "%"] {
        if let Some(Uri::Sip(read)) = uri(text) {
            let user = read.user_unescaped().unwrap_or_default();
            assert!(user.len() <= text.len() && read.header_fields().count() <= 1, "{text}");
        }
    }
    assert_eq!(unescape(b"a%"), b"a%");
    assert_eq!(unescape(b"%4"), b"%4");
}

/// OpenSIPS CVE-2026-45084: a body that nothing says the type of.
#[test]
fn cve_2026_45084_bodies_without_type() {
    for method in Method::REGISTERED {
        let text = OPTIONS.replace("OPTIONS", method.as_str());
        let body = Request::check(message(format!("{text}\r\nv=0\r\n"))).unwrap();
        let faults = body.faults(Depth::Semantics);
        assert!(faults.iter().any(|fault| fault.error.header == Some(HeaderId::ContentType)), "{method}");
        assert!(Response::to(&body, StatusCode::Ok).to_tag("t").body("v=0").build().is_err(), "{method}");
        let no_body = Request::check(message(format!("{text}Content-Type: application/sdp\r\n\r\n"))).unwrap();
        assert_eq!(no_body.body(), b"");
    }
}
