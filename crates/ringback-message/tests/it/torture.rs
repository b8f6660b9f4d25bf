//! The messages of RFC 4475 and RFC 5118, byte for byte, each with its verdict and the depth at which it falls.

use bytes::Bytes;
use ringback_message::verdict::{Depth, Fault, judge};
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

/// Where the first fault of a message shows; what is not in the table has none.
const FAULTY: &[(&str, Depth)] = &[
    ("rfc4475/clerr.dat", Depth::Framing),
    ("rfc4475/ncl.dat", Depth::Framing),
    ("rfc4475/ltgtruri.dat", Depth::Framing),
    ("rfc4475/lwsruri.dat", Depth::Framing),
    ("rfc4475/lwsstart.dat", Depth::Framing),
    ("rfc4475/trws.dat", Depth::Framing),
    // Its last line is cut off in the archive.
    ("rfc4475/baddn.dat", Depth::Framing),
    ("rfc4475/badvers.dat", Depth::Framing),
    ("rfc4475/bigcode.dat", Depth::Framing),
    ("rfc4475/mcl01.dat", Depth::Framing),
    ("rfc4475/extra/test.dat", Depth::Framing),
    ("rfc4475/badinv01.dat", Depth::Syntax),
    ("rfc4475/scalar02.dat", Depth::Syntax),
    ("rfc4475/scalarlg.dat", Depth::Syntax),
    ("rfc4475/quotbal.dat", Depth::Syntax),
    ("rfc4475/baddate.dat", Depth::Syntax),
    ("rfc4475/regbadct.dat", Depth::Syntax),
    ("rfc4475/badaspec.dat", Depth::Syntax),
    ("rfc5118/ipv6-bad.dat", Depth::Syntax),
    ("rfc4475/mismatch01.dat", Depth::Semantics),
    ("rfc4475/mismatch02.dat", Depth::Semantics),
    ("rfc4475/insuf.dat", Depth::Semantics),
    ("rfc4475/multi01.dat", Depth::Semantics),
    // Well-formed, but what it lacks was not asked for before RFC 3261.
    ("rfc4475/inv2543.dat", Depth::Semantics),
];

/// FNV-1a over all files in the order of the manifest: no tool has touched a line end.
/// The figure is that of the files as they are decoded from Appendix A of RFC 4475, and of RFC 5118's with CRLF.
#[test]
fn the_files_are_those_of_the_archives() {
    let all: Vec<u8> = messages().iter().flat_map(|(_, _, bytes)| bytes.to_vec()).collect();
    let sum =
        all.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    assert_eq!((all.len(), sum), (29_530, 0x81be_f925_9251_1eb7));
    let of = |folder: &str| messages().iter().filter(|(name, ..)| name.starts_with(folder)).count();
    assert_eq!((of("rfc4475/"), of("rfc4475/extra/"), of("rfc5118/")), (49 + 1, 1, 12));
}

#[test]
fn every_verdict_is_that_of_the_manifest() {
    let mut wrong = Vec::new();
    for (name, verdict, bytes) in messages() {
        let (message, faults) = judge(bytes.clone(), Depth::Semantics);
        let first = faults.iter().map(|fault| fault.depth).min();
        let expected = FAULTY.iter().find(|(other, _)| *other == name).map(|(_, depth)| *depth);
        let manifest_agrees = match verdict.as_str() {
            "accept" => {
                first.is_none_or(|depth| depth == Depth::Semantics) && read_as_an_element(bytes.clone()).is_ok()
            }
            "reject" => first.is_some(),
            _ => true,
        };
        if first != expected || !manifest_agrees {
            let faults: Vec<String> = faults.iter().map(|fault| fault.error.to_string()).collect();
            wrong.push(format!("{name}: {verdict}, first fault at {expected:?}; found at {first:?}: {faults:?}"));
        }
        assert!(message.is_some(), "{name}: nothing is salvaged");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// No depth finds less than the one above it, and each finds nothing that belongs below it.
#[test]
fn depths_hold_one_another() {
    let depths = [Depth::Framing, Depth::Syntax, Depth::Semantics];
    for (name, _, bytes) in messages() {
        let all = judge(bytes.clone(), Depth::Semantics).1;
        for depth in depths {
            let found = judge(bytes.clone(), depth).1;
            let expected: Vec<Fault> = all.iter().filter(|fault| fault.depth <= depth).cloned().collect();
            assert_eq!(found, expected, "{name} {depth:?}");
        }
    }
}

/// Reads a datagram as an element does that needs its essentials, before it looks at anything else.
fn read_as_an_element(datagram: Bytes) -> Result<(), Box<Rejected>> {
    let message = Message::parse(datagram)?;
    if message.is_request() {
        let request = Request::check(message)?;
        request.request_uri().map(drop).map_err(|error| Box::new(Rejected::new(error, None)))
    } else {
        Response::check(message).map(drop)
    }
}

#[test]
fn what_is_read_is_written_to_the_same_bytes() {
    for (name, verdict, bytes) in messages() {
        let Ok(message) = Message::parse(bytes.clone()) else {
            assert_ne!(verdict, "accept", "{name}");
            continue;
        };
        if name == "rfc4475/dblreq.dat" {
            assert!(bytes.starts_with(message.as_bytes()), "{name}");
        } else {
            assert_eq!(message.as_bytes(), &bytes, "{name}");
        }
    }
}

#[test]
fn octets_behind_content_length_are_left_out() {
    let bytes = bytes_of("rfc4475/dblreq.dat");
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
        let error = read_as_an_element(bytes_of(&format!("rfc4475/{name}.dat"))).expect_err(name).error;
        assert_eq!((error.header, error.kind), (header, kind), "{name}: {error}");
        assert!(!error.section.is_empty(), "{name}: {error}");
    }
}

#[test]
fn bare_line_feeds_are_read() {
    // Two lack the final empty line; two have a Content-Length that is longer than their body with bare line feeds.
    let unread = |(_, bytes): &&(&str, &'static [u8])| Message::parse(Bytes::from_static(bytes)).is_err();
    let unread: Vec<&str> = ARCHIVE.iter().filter(unread).map(|(name, _)| *name).collect();
    let names = ["ipv6-bug-abnf-3-colons", "ipv6-correct-abnf-2-colons", "ipv6-in-sdp", "mult-ip-in-sdp"];
    assert_eq!(unread, names.map(|name| format!("rfc5118/archive/{name}")));
}
