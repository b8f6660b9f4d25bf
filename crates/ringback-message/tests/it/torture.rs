//! The messages of RFC 4475 and RFC 5118, byte for byte, each with its verdict.

use bytes::Bytes;
use ringback_message::{HeaderId, Message, ParseErrorKind, Rejected, Request, Response};

const MANIFEST: &str = include_str!("../torture/MANIFEST.tsv");

macro_rules! files {
    ($($name:literal,)*) => { &[$(($name, include_bytes!(concat!("../torture/", $name)).as_slice()),)*] };
}

const MESSAGES: &[(&str, &[u8])] = files![
    "rfc4475/wsinv.dat",
    "rfc4475/intmeth.dat",
    "rfc4475/esc01.dat",
    "rfc4475/escnull.dat",
    "rfc4475/esc02.dat",
    "rfc4475/lwsdisp.dat",
    "rfc4475/longreq.dat",
    "rfc4475/dblreq.dat",
    "rfc4475/semiuri.dat",
    "rfc4475/transports.dat",
    "rfc4475/mpart01.dat",
    "rfc4475/unreason.dat",
    "rfc4475/noreason.dat",
    "rfc4475/badinv01.dat",
    "rfc4475/clerr.dat",
    "rfc4475/ncl.dat",
    "rfc4475/scalar02.dat",
    "rfc4475/scalarlg.dat",
    "rfc4475/quotbal.dat",
    "rfc4475/ltgtruri.dat",
    "rfc4475/lwsruri.dat",
    "rfc4475/lwsstart.dat",
    "rfc4475/trws.dat",
    "rfc4475/escruri.dat",
    "rfc4475/baddate.dat",
    "rfc4475/regbadct.dat",
    "rfc4475/badaspec.dat",
    "rfc4475/baddn.dat",
    "rfc4475/badvers.dat",
    "rfc4475/mismatch01.dat",
    "rfc4475/mismatch02.dat",
    "rfc4475/bigcode.dat",
    "rfc4475/badbranch.dat",
    "rfc4475/insuf.dat",
    "rfc4475/unkscm.dat",
    "rfc4475/novelsc.dat",
    "rfc4475/unksm2.dat",
    "rfc4475/bext01.dat",
    "rfc4475/invut.dat",
    "rfc4475/regaut01.dat",
    "rfc4475/multi01.dat",
    "rfc4475/mcl01.dat",
    "rfc4475/bcast.dat",
    "rfc4475/zeromf.dat",
    "rfc4475/cparam01.dat",
    "rfc4475/cparam02.dat",
    "rfc4475/regescrt.dat",
    "rfc4475/sdp01.dat",
    "rfc4475/inv2543.dat",
    "rfc4475/extra/test.dat",
    "rfc5118/ipv6-good.dat",
    "rfc5118/ipv6-bad.dat",
    "rfc5118/port-ambiguous.dat",
    "rfc5118/port-unambiguous.dat",
    "rfc5118/via-received-param-with-delim.dat",
    "rfc5118/via-received-param-no-delim.dat",
    "rfc5118/ipv6-in-sdp.dat",
    "rfc5118/mult-ip-in-header.dat",
    "rfc5118/mult-ip-in-sdp.dat",
    "rfc5118/ipv4-mapped-ipv6.dat",
    "rfc5118/ipv6-bug-abnf-3-colons.dat",
    "rfc5118/ipv6-correct-abnf-2-colons.dat",
];

/// With bare line feeds, as the archive of RFC 5118 has them.
const ARCHIVE: &[(&str, &[u8])] = files![
    "rfc5118/archive/ipv4-mapped-ipv6",
    "rfc5118/archive/ipv6-bad",
    "rfc5118/archive/ipv6-bug-abnf-3-colons",
    "rfc5118/archive/ipv6-correct-abnf-2-colons",
    "rfc5118/archive/ipv6-good",
    "rfc5118/archive/ipv6-in-sdp",
    "rfc5118/archive/mult-ip-in-header",
    "rfc5118/archive/mult-ip-in-sdp",
    "rfc5118/archive/port-ambiguous",
    "rfc5118/archive/port-unambiguous",
    "rfc5118/archive/via-received-param-no-delim",
    "rfc5118/archive/via-received-param-with-delim",
];

fn bytes_of(name: &str) -> Bytes {
    let (_, bytes) = MESSAGES.iter().find(|(other, _)| *other == name).unwrap();
    Bytes::from_static(bytes)
}

/// Every torture message: name, verdict of the manifest, bytes.
pub(crate) fn messages() -> Vec<(String, String, Bytes)> {
    let rows = MANIFEST.lines().skip(1).map(|row| row.split('\t').collect::<Vec<_>>());
    rows.map(|cells| (cells[0].to_owned(), cells[3].to_owned(), bytes_of(cells[0]))).collect()
}

/// Reads a datagram as far as an element does that needs every header field it knows.
fn read_all(datagram: Bytes) -> Result<(), Box<Rejected>> {
    let message = Message::parse(datagram)?;
    let fail = |error| Box::new(Rejected { error, salvage: None });
    if message.is_request() {
        let request = Request::check(message)?;
        request.request_uri().map_err(fail)?;
        deep(&request).map_err(fail)
    } else {
        let response = Response::check(message)?;
        deep(&response).map_err(fail)
    }
}

fn deep(message: &Message) -> Result<(), ringback_message::ParseError> {
    message.vias().try_for_each(|via| via.map(drop))?;
    for id in [HeaderId::Route, HeaderId::RecordRoute] {
        message.addresses(id).try_for_each(|address| address.map(drop))?;
    }
    if message.first(HeaderId::Contact).is_some_and(|c| c.value() != b"*") {
        message.addresses(HeaderId::Contact).try_for_each(|address| address.map(drop))?;
    }
    for id in [HeaderId::Require, HeaderId::ProxyRequire, HeaderId::Supported, HeaderId::Allow] {
        message.tokens(id).try_for_each(|token| token.map(drop))?;
    }
    Ok(())
}

#[test]
fn every_verdict_is_that_of_the_manifest() {
    let mut wrong = Vec::new();
    let mut counted = 0;
    for (name, verdict, bytes) in messages() {
        let read = read_all(bytes);
        let right = match verdict.as_str() {
            "accept" => read.is_ok(),
            "reject" => read.is_err(),
            _ => true,
        };
        counted += 1;
        if !right {
            wrong.push(format!("{name}: should {verdict}, {read:?}"));
        }
    }
    assert_eq!(counted, 49 + 1 + 12);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_read_is_written_to_the_same_bytes() {
    for (name, verdict, bytes) in messages() {
        let Ok(message) = Message::parse(bytes.clone()) else {
            assert_ne!(verdict, "accept", "{name}");
            continue;
        };
        assert!(bytes.ends_with(message.as_bytes()) || bytes.starts_with(message.as_bytes()), "{name}");
        if name != "rfc4475/dblreq.dat" {
            assert_eq!(message.as_bytes(), &bytes, "{name}");
        }
    }
}

#[test]
fn octets_behind_content_length_are_left_out() {
    let (_, _, bytes) = messages().into_iter().find(|m| m.0 == "rfc4475/dblreq.dat").unwrap();
    let message = Message::parse(bytes.clone()).unwrap();
    assert!(message.as_bytes().len() < bytes.len());
    assert_eq!(message.body(), b"");
    assert_eq!(message.method_text(), Some(&b"REGISTER"[..]));
}

#[test]
fn rejections_name_the_place() {
    for (name, header, kind) in [
        ("badinv01", Some(HeaderId::Via), ParseErrorKind::HeaderValue),
        ("clerr", Some(HeaderId::ContentLength), ParseErrorKind::Length),
        ("ncl", Some(HeaderId::ContentLength), ParseErrorKind::Length),
        ("mcl01", Some(HeaderId::ContentLength), ParseErrorKind::Length),
        ("scalar02", Some(HeaderId::CSeq), ParseErrorKind::HeaderValue),
        ("quotbal", Some(HeaderId::To), ParseErrorKind::HeaderValue),
        ("badvers", None, ParseErrorKind::Version),
        ("mismatch01", Some(HeaderId::CSeq), ParseErrorKind::HeaderValue),
        ("bigcode", None, ParseErrorKind::StartLine),
        ("insuf", Some(HeaderId::From), ParseErrorKind::Missing),
        ("multi01", Some(HeaderId::CSeq), ParseErrorKind::Repeated),
        ("ltgtruri", None, ParseErrorKind::StartLine),
        ("lwsruri", None, ParseErrorKind::StartLine),
        ("lwsstart", None, ParseErrorKind::StartLine),
        ("trws", None, ParseErrorKind::StartLine),
    ] {
        let error = read_all(bytes_of(&format!("rfc4475/{name}.dat"))).expect_err(name).error;
        assert_eq!((error.header, error.kind), (header, kind), "{name}: {error}");
        assert!(!error.section.is_empty(), "{name}: {error}");
    }
}

#[test]
fn bare_line_feeds_are_read() {
    let read = ARCHIVE.iter().filter(|(_, bytes)| Message::parse(Bytes::from_static(bytes)).is_ok()).count();
    // Two lack the final empty line; three have a Content-Length that is longer than their body.
    assert!(read >= 7, "{read}");
}

/// Truncated at every byte, and with every byte replaced: reading ends, and never by a panic.
#[test]
fn no_prefix_and_no_mutation_is_too_much() {
    for (_, _, bytes) in messages() {
        for end in 0..bytes.len() {
            let _ = read_all(bytes.slice(..end));
        }
        for at in 0..bytes.len() {
            for replacement in [b'\0', b'"', b'<', b'\n', b','] {
                let mut mutated = bytes.to_vec();
                mutated[at] = replacement;
                let _ = read_all(Bytes::from(mutated));
            }
        }
    }
}
