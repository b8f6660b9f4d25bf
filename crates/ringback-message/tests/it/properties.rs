//! What holds of every message: drawn ones, and those of the corpora bent out of shape.

use bytes::Bytes;
use proptest::prelude::*;
use ringback_message::header::{
    Organization, Reason, Subject, Supported, ToOwnedText, UserAgent, check_value, is_typed,
};
use ringback_message::status::registry;
use ringback_message::verdict::{Depth, judge};
use ringback_message::{
    Edit, HeaderId, Message, Method, ParseErrorKind, Request, RequestBuilder, Response, StatusCode,
};

use crate::torture;

/// Text as it is drawn: mostly harmless, now and then with what has a meaning, or must not stand in a message at all.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-zA-Z0-9 ._-]{0,24}",
        3 => "[ -~\u{a0}-\u{2ff}]{0,24}",
        1 => "[ -~\r\n\t\0]{0,24}",
    ]
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof![9 => "[a-zA-Z0-9.!%*_+`'~-]{1,24}", 1 => text()]
}

fn uri() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => ("(sip|sips)", "[a-z0-9._-]{1,12}", "[a-z][a-z0-9]{0,8}(\\.[a-z]{2,5})?|192\\.0\\.2\\.7|\\[2001:db8::7\\]", "(:[1-9][0-9]{1,3})?(;lr)?(;x=y)?")
            .prop_map(|(scheme, user, host, rest)| format!("{scheme}:{user}@{host}{rest}")),
        1 => Just("tel:+1-201-555-0123".to_owned()),
        1 => text(),
    ]
}

/// A setter of both builders with what it is given.
#[derive(Clone, Debug)]
enum Set {
    Contact(String, String),
    Raw(HeaderId, String),
    Named(String, String),
    Subject(String),
    Agent(String, String),
    Organization(String),
    Supported(Vec<String>),
    Reason(String, String),
    Body(Vec<u8>),
}

fn set() -> impl Strategy<Value = Set> {
    let ids: Vec<HeaderId> = HeaderId::all().filter(|id| *id != HeaderId::ContentLength).collect();
    prop_oneof![
        (uri(), text()).prop_map(|(uri, name)| Set::Contact(uri, name)),
        (proptest::sample::select(ids), text()).prop_map(|(id, value)| Set::Raw(id, value)),
        // Unchecked, Content-Length is written as it is given, for testers.
        (token().prop_filter("length", |name| HeaderId::from_name(name.as_bytes()) != HeaderId::ContentLength), text())
            .prop_map(|(name, value)| Set::Named(name, value)),
        text().prop_map(Set::Subject),
        (token(), text()).prop_map(|(product, comment)| Set::Agent(product, comment)),
        text().prop_map(Set::Organization),
        proptest::collection::vec(token(), 0..4).prop_map(Set::Supported),
        (token(), text()).prop_map(|(protocol, text)| Set::Reason(protocol, text)),
        proptest::collection::vec(any::<u8>(), 0..200).prop_map(Set::Body),
    ]
}

/// The same for both builders, which share their setters but no trait.
macro_rules! apply {
    ($builder:expr, $sets:expr) => {
        $sets.iter().fold($builder, |builder, set| match set {
            Set::Contact(uri, name) => builder.contact(uri, Some(name)),
            Set::Raw(id, value) => builder.raw(*id, value),
            Set::Named(name, value) => builder.raw_named(name, value),
            Set::Subject(text) => builder.header(Subject::new(text)),
            Set::Agent(product, comment) => {
                builder.header(UserAgent::new(product).and_product(product, Some("1")).and_comment(comment))
            }
            Set::Organization(text) => builder.header(Organization::new(text)),
            Set::Supported(tags) => builder.header(Supported::new(tags)),
            Set::Reason(protocol, text) => builder.header(Reason::new(protocol).with_text(text)),
            Set::Body(body) => builder.content_type("application/octet-stream").body(body.clone()),
        })
    };
}

/// Start line, lines and body one by one, not as bytes that are compared whole.
fn assert_same(built: &Message, read: &Message) {
    assert_eq!(read.as_bytes(), built.as_bytes());
    assert_eq!((read.method_text(), read.request_uri_text()), (built.method_text(), built.request_uri_text()));
    assert_eq!((read.status(), read.reason()), (built.status(), built.reason()));
    let parts = |message: &Message| -> Vec<(HeaderId, Vec<u8>, Vec<u8>, u32)> {
        message.headers().map(|h| (h.id(), h.name().to_vec(), h.value().to_vec(), h.offset())).collect()
    };
    assert_eq!(parts(read), parts(built));
    assert_eq!(read.body(), built.body());
}

fn parse(bytes: &Bytes) -> Message {
    Message::parse(bytes.clone()).unwrap_or_else(|rejected| panic!("{rejected}: {}", bytes.escape_ascii()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// `parse(build(x)) == build(x)`, checked or not; and no setter makes a line that was not asked for.
    #[test]
    fn what_is_built_is_what_is_read_of_requests(
        (method, target, name, tag) in (proptest::sample::select(Method::REGISTERED), uri(), text(), token()),
        sets in proptest::collection::vec(set(), 0..6),
    ) {
        let builder = RequestBuilder::new(method.clone(), &target)
            .via("a.example", "UDP", Some("z9hG4bK1"))
            .from(&name, "sip:a@a.example", Some(&tag))
            .to(&name, &target, None)
            .call_id("7@a.example")
            .cseq(1, method);
        let builder = apply!(builder, sets);
        if let Ok(request) = builder.clone().build() {
            let read = Request::check(parse(request.as_bytes())).unwrap();
            assert_same(&request, &read);
            prop_assert_eq!(&read, &request);
            // A line for each setter, Content-Type for a body; and Via, From, To, Call-ID, CSeq, Max-Forwards, Content-Length.
            let has_max_forwards = sets.iter().any(|set| matches!(set, Set::Raw(HeaderId::MaxForwards, _)));
            prop_assert_eq!(read.headers().count(), sets.len() + 7 - usize::from(has_max_forwards));
            prop_assert_eq!(read.faults(Depth::Syntax), Vec::new());
        }
        if let Ok(message) = builder.build_unchecked() {
            match Message::parse(message.as_bytes().clone()) {
                Ok(read) => assert_same(&message, &read),
                // Only a Request-URI is written as it was given.
                Err(rejected) => prop_assert_eq!(rejected.error.kind, ParseErrorKind::StartLine),
            }
        }
    }

    #[test]
    fn what_is_built_is_what_is_read_of_responses(
        (status, reason, tag) in (100_u16..700, text(), token()),
        sets in proptest::collection::vec(set(), 0..6),
    ) {
        let invite = torture_invite();
        let builder = Response::to(&invite, StatusCode::new(status).unwrap()).reason(&reason).to_tag(tag);
        let builder = apply!(builder, sets);
        if let Ok(response) = builder.clone().build() {
            let read = Response::check(parse(response.as_bytes())).unwrap();
            assert_same(&response, &read);
            prop_assert_eq!(&read, &response);
        }
        if let Ok(message) = builder.build_unchecked() {
            assert_same(&message, &parse(message.as_bytes()));
        }
    }

    /// Whatever comes is read or refused; what is read is whole, and is read again as the same.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        examine(&Bytes::from(bytes));
    }

    #[test]
    fn any_lines_are_read_or_refused(lines in proptest::collection::vec((token(), text()), 0..12)) {
        let lines: String = lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        examine(&Bytes::from(format!("OPTIONS sip:a@b SIP/2.0\r\n{lines}\r\n")));
    }
}

fn torture_invite() -> Request {
    let (.., bytes) = torture::messages().into_iter().find(|(name, ..)| name == "rfc4475/wsinv.dat").unwrap();
    Request::check(Message::parse(bytes).unwrap()).unwrap()
}

/// All that reading may be asked for, and what must hold of it.
fn examine(bytes: &Bytes) {
    let (message, faults) = judge(bytes.clone(), Depth::Semantics);
    for fault in &faults {
        assert!(fault.error.offset as usize <= bytes.len(), "{} in {}", fault.error, bytes.escape_ascii());
    }
    let Some(message) = message else { return };
    for header in message.headers() {
        assert_eq!(header.typed().err(), check_value(header.id(), header.value(), header.offset()).err());
    }
    let is_framed = faults.iter().all(|fault| fault.depth > Depth::Framing);
    if is_framed {
        assert_lossless(bytes, &message);
    }
}

/// What was read is a stretch of what came, the pieces of it are all of it, and what no edit names stays to the letter.
fn assert_lossless(bytes: &Bytes, message: &Message) {
    let start = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    assert!(bytes[start..].starts_with(message.as_bytes()));
    assert_same(message, &parse(message.as_bytes()));
    let mut rest = &message.as_bytes()[..message.as_bytes().len() - message.body().len()];
    for header in message.headers().rev() {
        let at = header.offset() as usize;
        assert!(rest[at + header.value().len()..].iter().all(|b| b" \t\r\n".contains(b)), "{}", rest.escape_ascii());
        let before = &rest[..at];
        let blanks = before.trim_ascii_end().strip_suffix(b":").unwrap().trim_ascii_end();
        rest = blanks.strip_suffix(header.name()).unwrap();
    }
    let copy = Edit::new(message).finish();
    let Ok(copy) = copy else { return };
    let lines = |message: &Message| -> Vec<(Vec<u8>, Vec<u8>)> {
        let lines = message.headers().filter(|header| header.id() != HeaderId::ContentLength);
        lines.map(|header| (header.name().to_vec(), unfolded(header.value()))).collect()
    };
    assert_eq!(lines(&copy), lines(message));
    assert_eq!(copy.body(), message.body());
}

/// A fold counts as a blank, as does a line end of its own kind. `[RFC 3261, Section 7.3.1]`
fn unfolded(value: &[u8]) -> Vec<u8> {
    let pieces = value.split(|b| matches!(b, b'\r' | b'\n' | 0)).map(blanks_off).filter(|piece| !piece.is_empty());
    pieces.collect::<Vec<_>>().join(&b' ')
}

fn blanks_off(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// What the torture messages hold of typed values, kept and written, is read again as the same.
#[test]
fn every_typed_value_is_written_and_read_again() {
    let mut counted = 0;
    for message in torture::messages().into_iter().filter_map(|(.., bytes)| judge(bytes, Depth::Framing).0) {
        for header in message.headers().filter(|header| is_typed(header.id())) {
            let Ok(values) = header.typed() else { continue };
            for owned in values.iter().map(ToOwnedText::to_owned_text) {
                let Ok(text) = owned.value() else {
                    assert!(header.value().iter().any(|b| b"\r\n\0".contains(b)), "{header:?} can't be written");
                    continue;
                };
                let line = [header.id().as_str().as_bytes(), b": ", &text].concat();
                let again = [b"OPTIONS sip:a SIP/2.0\r\n", &line[..], b"\r\n\r\n"].concat();
                let again = judge(Bytes::from(again), Depth::Framing).0.unwrap();
                let values = again.first(header.id()).unwrap().typed().unwrap();
                assert_eq!(values.iter().map(ToOwnedText::to_owned_text).collect::<Vec<_>>(), [owned]);
                counted += 1;
            }
        }
    }
    assert!(counted > 500, "{counted}");
}

/// Every torture message cut at every byte.
#[test]
fn every_prefix_is_read_or_refused() {
    for (_, _, bytes) in torture::messages() {
        for end in 0..=bytes.len() {
            examine(&bytes.slice(..end));
        }
    }
}

/// Every torture message with every byte changed: into each that has a meaning somewhere, and into one that changes from place to place.
/// Built with `RINGBACK_MUTATIONS=all`, as at night, into all 255 others.
#[test]
fn every_mutation_of_one_byte_is_read_or_refused() {
    let all = option_env!("RINGBACK_MUTATIONS") == Some("all");
    for (_, _, bytes) in torture::messages() {
        let mut mutated = bytes.to_vec();
        for at in 0..mutated.len() {
            let (was, moving) = (mutated[at], (at * 37 % 256) as u8);
            let some = [0, b'\n', b' ', b'"', b'<', b',', b';', b'9', moving];
            let bytes: Vec<u8> = if all { (0..=255).collect() } else { some.to_vec() };
            for byte in bytes.into_iter().filter(|&byte| byte != was) {
                mutated[at] = byte;
                examine(&Bytes::copy_from_slice(&mutated));
            }
            mutated[at] = was;
        }
    }
}

/// A code of the registry with nothing added is built or names what it lacks; with what it lacks it is built.
#[test]
fn every_registered_code_is_built_or_says_what_it_lacks() {
    let invite = torture_invite();
    let built = registry().iter().filter(|info| match Response::to(&invite, info.code).to_tag("t").build() {
        Ok(response) => {
            assert_same(&response, &parse(response.as_bytes()));
            true
        }
        Err(error) => {
            assert!(error.to_string().starts_with(&format!("a {} must carry ", info.code)), "{error}");
            false
        }
    });
    assert!(built.count() > registry().len() / 2);
}
