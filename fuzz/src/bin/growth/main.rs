//! Hostile shapes in growing sizes, for `cargo xtask growth`, which counts the instructions that each takes.
//!
//! Prints a line for each measurement, in the order in which callgrind dumps them: entry, shape, bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "where the program can't run there is nothing to measure")]

mod captures;

use std::fmt::Write as _;
use std::hint::black_box;

use bytes::Bytes;
use ringback_auth::{Challenge, Credentials};
use ringback_base::Now;
use ringback_lint::{lint, lint_pair};
use ringback_message::body::Sipfrag;
use ringback_message::header::{ToOwnedText, check_value};
use ringback_message::verdict::{Depth, judge};
use ringback_message::{AuthParams, Edit, HeaderId, Message, NameAddr, Request, Response, StatusCode, Uri};
use ringback_sdp::negotiate::{Codec, Endpoint, LocalMedia, Session as RtpSession};
use ringback_sdp::{Origin, SessionDescription};
use ringback_transport::{Frame, Stream, StreamLimits};

/// Bytes of a shape: the growth from each size to the next is what counts.
const SIZES: [usize; 3] = [2_048, 4_096, 8_192];

/// What is repeated. `#` stands for the number of the repetition.
const SHAPES: &[(&str, &str)] = &[
    ("quotes", "\""),
    ("escapes in quotes", "\\\""),
    ("quoted strings", "\"a\" "),
    ("quoted commas", "\",\","),
    ("open comments", "("),
    ("comments", "(a)"),
    ("commas", ","),
    ("elements", "a,"),
    ("addresses", "<sip:a@b>,"),
    ("open brackets", "<"),
    ("square brackets", "["),
    ("parameters", ";a=b"),
    ("other parameters", ";a#=b"),
    ("quoted parameters", ";a=\"b\""),
    ("semicolons", ";"),
    ("auth parameters", "a#=\"b\","),
    ("folds", "\r\n "),
    ("folded elements", "a,\r\n "),
    ("blanks", " "),
    ("colons", ":"),
    ("at signs", "@"),
    ("percent signs", "%41"),
    ("headers of a URI", "&a#=b"),
    ("digits", "9"),
    ("lines", "\r\nX: y"),
    ("known lines", "\r\nVia: SIP/2.0/UDP a"),
    ("delimiters", "\r\n--x"),
    ("parts", "\r\n--x\r\nA: b\r\n\r\nc"),
    ("almost delimiters", "\r\n--xx--"),
    ("hyphens", "-"),
    ("attributes", "\r\na=b:c"),
    ("other formats", "\r\na=rtpmap:# b/1"),
    ("streams", "\r\nm=audio 9 RTP/AVP 0"),
];

/// Something that reads what came from outside: how its input is made of a shape, and what is counted.
struct Entry {
    name: &'static str,
    make: fn(&str) -> Vec<u8>,
    act: fn(&[u8]),
}

const ENTRIES: &[Entry] = &[
    Entry { name: "parse", make: lines, act: |input| drop(black_box(Message::parse(Bytes::copy_from_slice(input)))) },
    Entry { name: "every typed field", make: plain, act: every_field },
    Entry {
        name: "verdict",
        make: lines,
        act: |input| drop(black_box(judge(Bytes::copy_from_slice(input), Depth::Semantics))),
    },
    Entry { name: "kept and written", make: lines, act: kept },
    Entry { name: "edit and answer", make: lines, act: edited },
    Entry { name: "JSON", make: lines, act: json },
    Entry { name: "URI", make: |shape| format!("sip:a@b{shape}").into_bytes(), act: uri },
    Entry { name: "URI, user", make: |shape| format!("sip:{shape}@b").into_bytes(), act: uri },
    Entry { name: "URI, headers", make: |shape| format!("sip:a@b?{shape}").into_bytes(), act: uri },
    Entry { name: "parameters", make: |shape| format!("<sip:a@b>{shape}").into_bytes(), act: parameters },
    Entry { name: "multipart", make: multipart, act: parts },
    Entry { name: "sipfrag", make: plain, act: |input| drop(black_box(Sipfrag::parse(Bytes::copy_from_slice(input)))) },
    Entry { name: "digest", make: |shape| format!("Digest {shape}").into_bytes(), act: digest },
    Entry { name: "description", make: description, act: session },
    Entry { name: "stream, by bytes", make: lines, act: stream },
    Entry { name: "lint", make: lines, act: judged },
    Entry { name: "lint, description", make: described, act: judged },
    Entry { name: "log", make: plain, act: captures::read },
    Entry { name: "log of messages", make: |shape| logged(&lines(shape)), act: captures::read },
    Entry { name: "TCP", make: captures::segments, act: captures::read },
    Entry { name: "TCP, by bytes", make: captures::segments, act: captures::read_by_bytes },
    Entry { name: "TCP, backwards", make: captures::segments_backwards, act: captures::read },
    Entry { name: "TCP, overlapping", make: captures::segments_overlapping, act: captures::read },
    Entry { name: "fragments", make: captures::fragments, act: captures::read },
    Entry { name: "begun datagrams", make: captures::datagrams, act: captures::read },
    Entry { name: "pcapng options", make: captures::options, act: captures::read },
];

fn main() {
    for entry in ENTRIES {
        for (name, unit) in SHAPES {
            for size in SIZES {
                let input = (entry.make)(&repeated(unit, size));
                println!("{}\t{name}\t{size}", entry.name);
                measured(entry.act, &input);
            }
        }
    }
}

/// What callgrind counts, and dumps behind each call.
#[inline(never)]
fn measured(act: fn(&[u8]), input: &[u8]) {
    act(black_box(input));
}

fn repeated(unit: &str, size: usize) -> String {
    let mut text = String::new();
    let mut number = 0;
    while text.len() < size {
        match unit.split_once('#') {
            Some((before, after)) => write!(text, "{before}{number:04}{after}").expect("a String takes all"),
            None => text.push_str(unit),
        }
        number += 1;
    }
    text
}

fn plain(shape: &str) -> Vec<u8> {
    shape.as_bytes().to_vec()
}

/// A request with the shape in header fields of several grammars.
fn lines(shape: &str) -> Vec<u8> {
    format!(
        "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\n\
         CSeq: 1 OPTIONS\r\nVia: SIP/2.0/UDP a{shape}\r\nSubject: {shape}\r\nContact: <sip:a@b>{shape}\r\nSupported: a{shape}\r\n\
         Route: <sip:a@b;lr>{shape}\r\nRetry-After: 1 {shape}\r\n\r\n"
    )
    .into_bytes()
}

fn multipart(shape: &str) -> Vec<u8> {
    format!("MESSAGE sip:a SIP/2.0\r\nContent-Type: multipart/mixed;boundary=x\r\n\r\n--x\r\n\r\n{shape}\r\n--x--")
        .into_bytes()
}

fn every_field(input: &[u8]) {
    for id in HeaderId::all() {
        let _ = black_box(check_value(id, input, 0));
    }
}

fn kept(input: &[u8]) {
    let Ok(message) = Message::parse(Bytes::copy_from_slice(input)) else { return };
    for values in message.headers().filter_map(|header| header.typed().ok()) {
        let owned: Vec<_> = values.iter().map(ToOwnedText::to_owned_text).collect();
        owned.iter().for_each(|value| drop(black_box(value.value())));
    }
}

fn edited(input: &[u8]) {
    let Ok(message) = Message::parse(Bytes::copy_from_slice(input)) else { return };
    let edit = Edit::new(&message).prepend(HeaderId::Via, b"SIP/2.0/UDP p").remove(HeaderId::Subject);
    let _ = black_box(edit.drop_first(HeaderId::Route).finish());
    if let Ok(request) = Request::check(message) {
        let _ = black_box(Response::to(&request, StatusCode::Ok).to_tag("t").build());
        let _ = black_box(request.cancel());
    }
}

fn json(input: &[u8]) {
    if let Ok(message) = Message::parse(Bytes::copy_from_slice(input)) {
        let _ = black_box(serde_json::to_string(&message));
    }
}

fn description(shape: &str) -> Vec<u8> {
    let text =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=x:";
    format!("{text}{shape}\r\n").into_bytes()
}

fn session(input: &[u8]) {
    let Ok(description) = SessionDescription::parse(input) else { return };
    let _ = black_box((description.check().is_ok(), description.to_bytes()));
    let Ok(origin) = Origin::parse("b 1 1 IN IP4 192.0.2.2") else { return };
    let bob =
        Endpoint::new(origin, "192.0.2.2").media(LocalMedia::audio(5000).codec(Codec::pcmu()).codec(Codec::opus()));
    let _ = black_box(RtpSession::new().receive(description).map(|offer| offer.answer(&bob).is_ok()));
}

fn uri(input: &[u8]) {
    let Ok(uri) = Uri::parse(input, HeaderId::Contact, 0) else { return };
    let owned = uri.to_owned_text();
    let _ = black_box((uri.equivalent(&owned), owned.to_string()));
    if let Uri::Sip(sip) = &uri {
        let _ = black_box((sip.user_unescaped(), sip.header_fields().count(), sip.params.value(b"none")));
    }
}

fn parameters(input: &[u8]) {
    if let Ok(address) = NameAddr::parse_only(HeaderId::From, input, 0) {
        let _ = black_box((address.tag(), address.q(), address.params.iter().count()));
    }
}

fn parts(input: &[u8]) {
    if let Ok(message) = Message::parse(Bytes::copy_from_slice(input)) {
        let _ = black_box((message.parts(), message.part_by_cid(b"cid:a@b")));
    }
}

fn digest(input: &[u8]) {
    if let Ok(params) = AuthParams::parse(HeaderId::Authorization, input, 0) {
        let _ = black_box((Credentials::read(&params), Challenge::read(&params)));
    }
}

/// A byte a piece: what was searched is not searched again.
fn stream(input: &[u8]) {
    let mut stream = Stream::new(StreamLimits::default(), Now::default());
    for byte in input.chunks(1) {
        stream.handle_data(byte, Now::default());
        while let Ok(Some(Frame::Message(bytes))) = stream.poll_frame() {
            let _ = black_box(Message::parse_framed(bytes));
        }
    }
}

/// By every rule, alone and as its own answer.
fn judged(input: &[u8]) {
    let message = Message::parse(Bytes::copy_from_slice(input)).map_or_else(|rejected| rejected.salvage, Some);
    if let Some(message) = message {
        let _ = black_box((lint(&message), lint_pair(&message, &message)));
    }
}

/// An INVITE with the shape in its session description.
fn described(shape: &str) -> Vec<u8> {
    let body = description(shape);
    let mut message = format!(
        "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n\
         Call-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@b>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    message.extend(body);
    message
}

/// As a log has it: something before each line, and no carriage returns.
fn logged(message: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(message).replace("\r\n", "\nlog: ").into_bytes()
}
