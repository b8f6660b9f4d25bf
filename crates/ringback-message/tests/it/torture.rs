//! The messages of RFC 4475 and RFC 5118, byte for byte, each with its verdict.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use ringback_message::{HeaderId, Message, ParseErrorKind, Rejected, Request, Response};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture")
}

/// Every torture message: name, verdict of the manifest, bytes.
pub(crate) fn messages() -> Vec<(String, String, Bytes)> {
    let manifest = fs::read_to_string(folder().join("MANIFEST.tsv")).unwrap();
    manifest
        .lines()
        .skip(1)
        .map(|row| {
            let cells: Vec<_> = row.split('\t').collect();
            let bytes = fs::read(folder().join(cells[0])).unwrap();
            (cells[0].to_owned(), cells[3].to_owned(), Bytes::from(bytes))
        })
        .collect()
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
        let bytes = fs::read(folder().join(format!("rfc4475/{name}.dat"))).unwrap();
        let error = read_all(Bytes::from(bytes)).expect_err(name).error;
        assert_eq!((error.header, error.kind), (header, kind), "{name}: {error}");
        assert!(!error.section.is_empty(), "{name}: {error}");
    }
}

#[test]
fn bare_line_feeds_are_read() {
    let mut read = 0;
    for entry in fs::read_dir(folder().join("rfc5118/archive")).unwrap() {
        let bytes = Bytes::from(fs::read(entry.unwrap().path()).unwrap());
        read += usize::from(Message::parse(bytes).is_ok());
    }
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
