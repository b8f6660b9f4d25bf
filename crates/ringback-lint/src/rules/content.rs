//! Bodies and the header fields that describe them. `[RFC 3261, Section 20.11]`

use alloc::format;

use ringback_message::body::Body;
use ringback_message::header::MimeVersion;
use ringback_message::{HeaderId, Method, Via};

use crate::{Findings, Subject};

rules! { "Bodies"
    "content-type-missing" Error "RFC 3261, Section 20.15"
        "A message has a body and no Content-Type."
        "Its receiver can't tell what the body is and answers 415."
        bad ["MESSAGE", "|Hello"]
        good ["MESSAGE", "Content-Type: text/plain", "|Hello"]
        => type_missing;
    "content-type-without-body" Note "RFC 3261, Section 20.15"
        "Content-Type describes a body that isn't there."
        "It may be that the body was lost on the way."
        bad ["MESSAGE", "Content-Type: text/plain"]
        good ["MESSAGE", "Content-Type: text/plain", "|Hello"]
        => without_body;
    "content-length-missing" Warning "RFC 3261, Section 20.14"
        "There is no Content-Length."
        "A receiver can't see that a datagram was cut; over a stream, the message has no end."
        bad ["OPTIONS", "Content-Length:"]
        good ["OPTIONS", "Content-Length: 0"]
        => length_missing;
    "content-length-missing-on-stream" Error "RFC 3261, Section 20.14"
        "The top Via names a stream, and there is no Content-Length."
        "The receiver can't tell where the message ends and closes the connection."
        bad ["OPTIONS", "Via: SIP/2.0/TCP a.example;branch=z9hG4bK776asdhds", "Content-Length:"]
        good ["OPTIONS", "Via: SIP/2.0/TCP a.example;branch=z9hG4bK776asdhds", "Content-Length: 0"]
        => length_missing_on_stream;
    "multipart-malformed" Error "RFC 2046, Section 5.1.1"
        "A multipart body can't be taken apart."
        "Its receiver answers 400 or sees none of the parts."
        bad ["MESSAGE", "Content-Type: multipart/mixed;boundary=b", "|--b", "|Content-Type: text/plain", "|", "|Hello"]
        good ["MESSAGE", "Content-Type: multipart/mixed;boundary=b", "|--b", "|Content-Type: text/plain", "|", "|Hello",
            "|--b--"]
        => multipart;
    "content-disposition-unknown" Note "RFC 3261, Section 20.11"
        "The disposition of a body is not registered."
        "Its receiver answers 415, unless handling is optional."
        bad ["MESSAGE", "Content-Type: text/plain", "Content-Disposition: inline-text", "|Hello"]
        good ["MESSAGE", "Content-Type: text/plain", "Content-Disposition: render", "|Hello"]
        => disposition;
    "mime-version-odd" Warning "RFC 2045, Section 4"
        "MIME-Version is not 1.0."
        "There is no other."
        bad ["MESSAGE", "MIME-Version: 2.0", "Content-Type: text/plain", "|Hello"]
        good ["MESSAGE", "MIME-Version: 1.0", "Content-Type: text/plain", "|Hello"]
        => mime;
    "content-id-unresolved" Error "RFC 5621, Section 9.2"
        "A header field refers to a part of the body that isn't there."
        "What it refers to was lost."
        bad ["INVITE", "Geolocation: <cid:place@a.example>"]
        good ["INVITE", "Geolocation: <cid:place@a.example>", "Content-Type: application/pidf+xml",
            "Content-ID: <place@a.example>", "|<presence/>"]
        => unresolved;
    "cancel-with-body" Warning "RFC 3261, Section 20"
        "A CANCEL has a body."
        "It has no meaning, and CANCEL goes hop by hop."
        bad ["CANCEL", "|x"]
        good ["CANCEL"]
        => cancel;
    "message-too-large-for-datagram" Note "RFC 3261, Section 18.1.1"
        "A request over UDP has more than 1300 bytes."
        "It is broken up on the way and often lost: a congestion-controlled transport takes it."
        bad ["INVITE", "~Subject: 1300"]
        good ["INVITE", "~Subject: 13"]
        => large;
}

fn type_missing(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if !subject.message().body().is_empty() && !subject.has(HeaderId::ContentType) {
        findings.whole("Content-Type is missing");
    }
}

fn without_body(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let Some(header) = subject.first(HeaderId::ContentType).filter(|_| subject.message().body().is_empty()) {
        findings.header(&header, "there is no body");
    }
}

fn is_on_stream(subject: &Subject<'_>) -> bool {
    let via = subject.get::<Via<&[u8]>>();
    via.is_some_and(|via| [&b"TCP"[..], b"TLS"].iter().any(|known| via.transport.eq_ignore_ascii_case(known)))
}

fn length_missing(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if !subject.has(HeaderId::ContentLength) && !is_on_stream(subject) {
        findings.whole("Content-Length is missing");
    }
}

fn length_missing_on_stream(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if !subject.has(HeaderId::ContentLength) && is_on_stream(subject) {
        findings.whole("Content-Length is missing");
    }
}

fn multipart(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let Err(error) = subject.message().parts() {
        findings.error(&error);
    }
}

/// The registered dispositions.
const DISPOSITIONS: [&str; 16] = [
    "session",
    "render",
    "icon",
    "alert",
    "attachment",
    "inline",
    "form-data",
    "signal",
    "early-session",
    "aib",
    "by-reference",
    "info-package",
    "recipient-list",
    "recipient-list-history",
    "recording-session",
    "notification",
];

fn disposition(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for part in subject.message().parts().unwrap_or_default() {
        let Ok(disposition) = part.disposition() else { continue };
        if !DISPOSITIONS.iter().any(|known| disposition.is(known)) {
            findings.at(disposition.kind, format!("{} is not registered", disposition.kind.escape_ascii()));
        }
    }
}

fn mime(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let (Some(version), Some(header)) = (subject.get::<MimeVersion>(), subject.first(HeaderId::MimeVersion))
        && (version.major, version.minor) != (1, 0)
    {
        findings.header(&header, "1.0 is expected");
    }
}

fn unresolved(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let parts = subject.message().parts().unwrap_or_default();
    let has = |id: &[u8]| parts.iter().filter_map(Body::content_id).any(|other| other == id);
    for id in [HeaderId::Geolocation, HeaderId::CallInfo, HeaderId::AlertInfo, HeaderId::ReferTo, HeaderId::ReferredBy]
    {
        for header in subject.message().all(id) {
            for piece in header.value().split(|b| matches!(b, b'<' | b'>')) {
                let Some((scheme, id)) = piece.split_at_checked(4) else { continue };
                if scheme.eq_ignore_ascii_case(b"cid:") && !has(&ringback_message::uri::unescape(id)) {
                    findings.at(piece, "no part of the body has this Content-ID");
                }
            }
        }
    }
}

fn cancel(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if subject.is_request_of(&Method::Cancel) && !subject.message().body().is_empty() {
        findings.at(subject.message().body(), "a CANCEL has no body");
    }
}

/// "within 200 bytes of the path MTU, or if it is larger than 1300 bytes and the path MTU is unknown" `[RFC 3261, Section 18.1.1]`
const DATAGRAM_BYTES: usize = 1_300;

fn large(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let via = subject.get::<Via<&[u8]>>();
    if subject.is_request()
        && via.is_some_and(|via| via.transport.eq_ignore_ascii_case(b"UDP"))
        && subject.message().as_bytes().len() > DATAGRAM_BYTES
    {
        findings.whole(format!("{} bytes", subject.message().as_bytes().len()));
    }
}
