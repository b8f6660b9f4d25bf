//! Responses, and requests derived from others.

use bytes::Bytes;
use ringback_message::body::{MultipartBuilder, NewPart};
use ringback_message::header::{
    AcceptContact, Contact, Event, HeaderName, HeaderValue, Param, RSeq, Reason, Require, RetryAfter, TypedHeader,
    UserAgent, WwwAuthenticate,
};
use ringback_message::status::registry;
use ringback_message::{
    BuildError, Depth, Edit, HeaderId, Message, Method, ParseErrorKind, Request, RequestBuilder, Response, StatusCode,
    Uri,
};

use crate::parse::INVITE;

fn request(more: &str) -> Request {
    Request::check(Message::parse(Bytes::from(format!("{INVITE}{more}\r\n"))).unwrap()).unwrap()
}

#[test]
fn a_response_copies_what_it_must() {
    let invite = request("v: SIP/2.0/UDP second\r\nTimestamp: 54\r\nRecord-Route: <sip:p;lr>\r\nX: y\r\n");
    let ringing =
        Response::to(&invite, StatusCode::Ringing).to_tag("t").contact("sip:b@b.example", None).build().unwrap();
    assert_eq!(ringing.all(HeaderId::Via).count(), 2);
    assert_eq!(ringing.to_tag(), Some(&b"t"[..]));
    assert!(ringing.first(HeaderId::RecordRoute).is_some() && ringing.first(HeaderId::Timestamp).is_none());
    assert!(ringing.all_named(b"x").next().is_none());
    let trying = Response::to(&invite, StatusCode::Trying).to_tag("t").build().unwrap();
    assert_eq!(trying.to_tag(), None);
    assert_eq!(trying.first(HeaderId::Timestamp).unwrap().value(), b"54");
    let busy = Response::to(&invite, StatusCode::BusyHere).to_tag("t").build().unwrap();
    assert!(busy.first(HeaderId::RecordRoute).is_none());
}

#[test]
fn a_tag_that_is_there_stays() {
    let text = format!("{INVITE}\r\n").replace("bob@b.example>", "bob@b.example>;tag=mine");
    let invite = Request::check(Message::parse(Bytes::from(text)).unwrap()).unwrap();
    let response =
        Response::to(&invite, StatusCode::Ok).to_tag("other").contact("sip:b@b.example", None).build().unwrap();
    assert_eq!(response.to_tag(), Some(&b"mine"[..]));
}

/// A value of a header field that some answer must carry.
fn sample(id: HeaderId) -> &'static str {
    match id {
        HeaderId::Accept => "application/sdp",
        HeaderId::AcceptEncoding => "identity",
        HeaderId::AcceptLanguage => "en",
        HeaderId::Allow => "INVITE, ACK",
        HeaderId::AllowEvents => "presence",
        HeaderId::Contact => "<sip:b@b.example>",
        HeaderId::MinExpires | HeaderId::MinSe => "90",
        HeaderId::PermissionMissing => "userC@example.com",
        HeaderId::ProxyAuthenticate | HeaderId::WwwAuthenticate => "Digest realm=\"b\", nonce=\"n\"",
        HeaderId::Reason => "SIP;cause=404",
        HeaderId::RecvInfo => "foo",
        HeaderId::Require | HeaderId::Unsupported => "100rel",
        HeaderId::SecurityServer => "digest",
        HeaderId::GeolocationError => "100 ;code=\"Cannot Process Location\"",
        HeaderId::AlertMsgError => "100 ;code=\"Cannot Process the Alert Payload\"",
        HeaderId::Expires | HeaderId::RSeq => "1",
        HeaderId::SipEtag => "x",
        other => unreachable!("no value for {other}"),
    }
}

#[test]
fn no_code_is_built_without_what_it_must_carry() {
    let options = format!("{INVITE}\r\n").replace("INVITE", "OPTIONS");
    let options = Request::check(Message::parse(Bytes::from(options)).unwrap()).unwrap();
    let invite = request("");
    for info in registry() {
        // What no other request than an INVITE is answered with.
        let to_invite_only = (101..200).contains(&info.code.as_u16()) || info.code == StatusCode::RequestTimeout;
        for to in [&options, &invite].into_iter().skip(usize::from(to_invite_only)) {
            let mut builder = Response::to(to, info.code).to_tag("t");
            let mut given = Vec::new();
            // As long as something is missing, it is named, and giving it helps.
            while let Err(error) = builder.clone().build() {
                let BuildError::Missing { header, status, .. } = error else { panic!("{}: {error}", info.code) };
                let id = HeaderId::from_name(header.as_bytes());
                assert!(status == info.code && !given.contains(&id), "{error}");
                builder = builder.raw(id, sample(id));
                given.push(id);
            }
            let always: Vec<_> = info.must.iter().filter(|carry| carry.is_unconditional()).map(|c| c.header).collect();
            assert!(always.iter().all(|id| given.contains(id)), "{}: {given:?}", info.code);
        }
    }
}

#[test]
fn what_an_answer_needs_depends_on_its_request() {
    let (invite, bare) = (request(""), |code| Response::to(&request(""), code).to_tag("t").build());
    for code in [StatusCode::Ringing, StatusCode::Ok] {
        let error = bare(code).unwrap_err();
        assert!(matches!(error, BuildError::Missing { header: "Contact", .. }), "{code}: {error}");
    }
    assert!(Response::to(&invite, StatusCode::Ringing).to_tag("t").contact("sip:b@b.example", None).build().is_ok());
    assert!(bare(StatusCode::BusyHere).is_ok() && bare(StatusCode::Trying).is_ok());
}

#[test]
fn a_reliable_provisional_response_is_whole_or_none() {
    let invite = request("Supported: 100rel\r\n");
    let ringing = || Response::to(&invite, StatusCode::Ringing).to_tag("t").contact("sip:b@b.example", None);
    let other = |name: &str| TypedHeader::Other(HeaderName::Other(name.into()), HeaderValue::Raw(b"1".to_vec()));
    let refused = |builder: ringback_message::ResponseBuilder<'_>| builder.build().unwrap_err().to_string();
    assert_eq!(refused(ringing().header(Require::with_tag("100REL"))), "a 180 must carry RSeq [RFC 3262, Section 3]");
    assert_eq!(refused(ringing().header(RSeq(1))), "a 180 must carry Require [RFC 3262, Section 3]");
    // By whatever name it is given.
    assert_eq!(refused(ringing().header(other("rseq"))), "a 180 must carry Require [RFC 3262, Section 3]");
    assert!(ringing().header(Require::with_tag("100rel")).header(other("RSEQ")).build().is_ok());
}

#[test]
fn a_response_is_sent_reliably_only_where_it_may_be() {
    let (plain, supports) = (request(""), request("Require: 100REL\r\n"));
    let reliable = |invite, code| {
        let response = Response::to(invite, code).to_tag("t").contact("sip:b@b.example", None);
        response.header(Require::with_tag("100rel")).header(RSeq(1)).build()
    };
    assert!(reliable(&supports, StatusCode::SessionProgress).is_ok());
    for refused in [
        reliable(&plain, StatusCode::SessionProgress),
        reliable(&supports, StatusCode::Trying),
        reliable(&supports, StatusCode::Ok),
    ] {
        assert!(matches!(refused, Err(BuildError::Rule { section: "RFC 3262, Section 3", .. })), "{refused:?}");
    }
}

#[test]
fn a_response_from_nothing_has_a_tag_in_to() {
    let response = |code, tag| {
        ringback_message::ResponseBuilder::new(code, None)
            .via("a.example", "UDP", Some("z9hG4bK1"))
            .from("", "sip:a@a.example", Some("1"))
            .to("", "sip:b@b.example", tag)
            .call_id("7@a.example")
            .cseq(1, Method::Invite)
            .header(Reason::sip(StatusCode::NotFound))
            .build()
    };
    for code in [StatusCode::EarlyDialogTerminated, StatusCode::NotFound] {
        assert_eq!(response(code, None), Err(BuildError::NoToTag));
        assert!(response(code, Some("t")).is_ok());
    }
    assert!(response(StatusCode::Trying, None).is_ok());
}

#[test]
fn a_response_has_the_vias_of_its_request() {
    let invite = request("Record-Route: <sip:p;lr>\r\n");
    let busy = || Response::to(&invite, StatusCode::BusyHere).to_tag("t");
    assert!(busy().via("evil.example", "UDP", Some("z9hG4bKx")).build().is_err());
    assert!(busy().raw_named("v", "SIP/2.0/UDP evil.example").build().is_err());
    assert!(busy().raw(HeaderId::RecordRoute, "<sip:evil.example;lr>").build().is_err());
    assert!(busy().raw(HeaderId::To, "<sip:evil.example>").build().is_err());
    assert!(busy().raw(HeaderId::MaxForwards, "70").build().is_err());
    assert!(busy().reason("a\x07b").build().is_err());
}

#[test]
fn a_body_has_a_type_and_its_length() {
    let invite = request("");
    let busy = || Response::to(&invite, StatusCode::BusyHere).to_tag("t").body("later");
    assert_eq!(busy().build().unwrap_err(), BuildError::BodyWithoutType);
    let built = busy().content_type("text/plain").build().unwrap();
    assert_eq!((built.body(), built.number(HeaderId::ContentLength)), (&b"later"[..], Ok(Some(5))));
    assert!(busy().content_type("text/plain").raw(HeaderId::ContentLength, "4").build().is_err());
    assert!(busy().content_type("text").build().is_err());
}

#[test]
fn no_setter_takes_what_would_be_read_as_something_else() {
    let build = |change: fn(RequestBuilder) -> RequestBuilder| {
        let options = RequestBuilder::new(Method::Options, "sip:b@b.example")
            .from("", "sip:a@a.example", Some("1"))
            .to("", "sip:b@b.example", None)
            .call_id("7@a.example")
            .cseq(1, Method::Options)
            .via("a.example", "UDP", Some("z9hG4bK1"));
        change(options).build()
    };
    assert!(build(|b| b).is_ok());
    let bad: &[fn(RequestBuilder) -> RequestBuilder] = &[
        |b| b.contact("sip:a@a.example\r\nEvil: 1", None),
        |b| b.contact("sip:a@a.example>;x=<", None),
        |b| b.contact("not a uri", None),
        |b| b.contact("sip:a@a.example", Some("a\r\nb")),
        |b| b.route("sip:a@a.example>,<sip:evil.example"),
        |b| b.via("a.example;branch=evil", "UDP", None),
        |b| b.via("a.example, SIP/2.0/UDP evil.example", "UDP", None),
        |b| b.via("a.example", "UDP evil.example;x", None),
        |b| b.via("a.example", "UDP", Some("z9 evil")),
        |b| b.raw(HeaderId::Subject, "a\r\n\r\nevil"),
        |b| b.raw(HeaderId::Subject, "a\0b"),
        |b| b.raw(HeaderId::Other, "a"),
        |b| b.raw_named("Su bject", "a"),
        |b| b.raw_named("", "a"),
        |b| b.raw_named("expires", "never"),
        |b| b.header(Require::with_tag("a, b")),
        |b| b.header(Require::with_tag("")),
        |b| b.header(RetryAfter::new(1).with_param(Param::raw("a", "b;c=d"))),
        |b| b.accept("application/sdp, text/plain", None),
        |b| b.accept("sdp", None),
        |b| b.content_type("text/plain\r\nEvil: 1"),
        |b| b.supported_tags(vec!["a b".into()]),
        |b| b.cseq(2, Method::Options),
        |b| b.call_id("a b"),
        |b| b.max_forwards(1).max_forwards(2),
        |b| b.header(RetryAfter::new(1)),
        |b| b.header(RetryAfter::new(1).with_duration(1).with_duration(2)),
        |b| b.raw(HeaderId::Contact, "*"),
        |b| b.raw(HeaderId::Organization, "a\x01b"),
        |b| b.raw_named("X".repeat(257), "1"),
        |b| (0..513).fold(b, |b, i| b.raw_named(format!("X-{i}"), "1")),
        |b| b.raw(HeaderId::Replaces, "7@a.example;to-tag=1;from-tag=2"),
        |b| b.header(TypedHeader::Other(HeaderName::Other("A: b\r\nC".into()), HeaderValue::Text("d".into()))),
        |b| b.header(TypedHeader::Other(HeaderName::Other("A".into()), HeaderValue::Text("d\ne".into()))),
    ];
    for (i, change) in bad.iter().enumerate() {
        assert!(build(*change).is_err(), "{i} was built: {:?}", build(*change));
    }
    let uri = |uri| RequestBuilder::new(Method::Options, uri).from("", "sip:a@a.example", Some("1")).build();
    for bad in ["", "a b", "sip:a@b c", "sip:a@b\r\nX: y", "<sip:a@b>", "sip:"] {
        assert!(matches!(uri(bad), Err(BuildError::RequestUri(_))), "{bad}");
    }
    let other = |uri: &str, method: Method, from: Option<&str>, branch: Option<&str>, cseq| {
        let request = RequestBuilder::new(method.clone(), uri).from("", "sip:a@a.example", from);
        let request = request.to("", "sip:b@b.example", None).call_id("7@a.example").cseq(cseq, method);
        request.via("a.example", "UDP", branch).build()
    };
    let (tag, branch) = (Some("1"), Some("z9hG4bK1"));
    assert!(other("tel:+1-2", Method::Options, tag, branch, 1).is_ok());
    for refused in [
        other("sip:b@b.example", Method::Options, None, branch, 1),
        other("sip:b@b.example", Method::Options, tag, None, 1),
        other("sip:b@b.example", Method::Options, tag, Some("z9hG4bK"), 1),
        other("sip:b@b.example", Method::Options, tag, Some("abc"), 1),
        other("sip:b@b.example", Method::Options, tag, branch, 1 << 31),
        other("sip:b@b.example?X=y", Method::Options, tag, branch, 1),
        other("sip:b@b.example;method=INVITE", Method::Options, tag, branch, 1),
        other("tel:12", Method::Options, tag, branch, 1),
        other("sip:b@b.example", Method::Register, tag, branch, 1),
        other("sip:b@b.example", Method::Bye, tag, branch, 1),
    ] {
        assert!(matches!(refused, Err(BuildError::Rule { .. } | BuildError::RequestUri(_))), "{refused:?}");
    }
    // Names for people hold what they like.
    let named = build(|b| b.contact("sip:a@a.example", Some("a\"b\\c, <sip:evil>;x"))).unwrap();
    assert_eq!(named.addresses(HeaderId::Contact).count(), 1);
}

#[test]
fn requests_carry_what_their_method_needs() {
    let subscribe = RequestBuilder::new(Method::Subscribe, "sip:b@b.example")
        .from("", "sip:a@a.example", Some("1"))
        .to("", "sip:b@b.example", None)
        .call_id("7@a.example")
        .cseq(1, Method::Subscribe)
        .via("a.example", "UDP", Some("z9hG4bK1"));
    let error = subscribe.clone().build().unwrap_err().to_string();
    assert_eq!(error, "a SUBSCRIBE must carry Event [RFC 6665, Section 3.1]");
    let whole = subscribe.header(Event::new("presence")).contact("sip:a@a.example", None).build().unwrap();
    assert_eq!((whole.max_forwards(), whole.first(HeaderId::Event).unwrap().value()), (Some(70), &b"presence"[..]));
    let twice = RequestBuilder::new(Method::Options, "sip:b@b.example").from("", "sip:a@a.example", None);
    assert!(matches!(twice.build(), Err(BuildError::Malformed(error)) if error.kind == ParseErrorKind::Missing));
}

#[test]
fn every_header_that_the_registry_names_is_known() {
    for info in registry() {
        for carry in info.must.iter().chain(info.should).chain(info.may) {
            assert_ne!(carry.header, HeaderId::Other, "{}", info.code);
        }
    }
}

#[test]
fn no_value_breaks_a_line() {
    let invite = request("");
    for bad in ["a\r\nX: y", "a\nb", "a\0"] {
        assert!(Response::to(&invite, StatusCode::Ok).to_tag(bad).build().is_err());
        assert!(Response::to(&invite, StatusCode::Ok).reason(bad).build().is_err());
        assert!(Response::to(&invite, StatusCode::Ok).raw(HeaderId::Server, bad).build().is_err());
        assert!(Response::to(&invite, StatusCode::Ok).raw_named(bad, "x").build().is_err());
    }
}

#[test]
fn cancel_and_ack_are_those_of_the_invite() {
    let invite = request(
        "v: SIP/2.0/UDP second\r\nRoute: <sip:r1;lr>\r\nRoute: <sip:r2;lr>\r\nProxy-Authorization: Digest a=b\r\n",
    );
    let cancel = invite.cancel().unwrap();
    assert_eq!(cancel.request_uri_text(), invite.request_uri_text());
    assert_eq!((cancel.branch(), cancel.cseq(), cancel.cseq_method()), (invite.branch(), 1, &b"CANCEL"[..]));
    assert_eq!(cancel.all(HeaderId::Via).count(), 1);
    assert_eq!(cancel.all(HeaderId::Route).count(), 2);
    assert_eq!(cancel.to_tag(), None);
    let busy = Response::to(&invite, StatusCode::BusyHere).to_tag("t").build().unwrap();
    let ack = invite.ack(&busy).unwrap();
    assert_eq!((ack.branch(), ack.cseq_method(), ack.to_tag()), (invite.branch(), &b"ACK"[..], Some(&b"t"[..])));
    let read = Message::parse(ack.as_bytes().clone()).unwrap();
    assert_eq!(read.headers().count(), ack.headers().count());
}

/// Nobody waits for it: a client over UDP has given up by then, and no provisional response stops its timers.
#[test]
fn no_response_is_built_that_the_method_may_not_have() {
    let other = |method: &str| {
        let text = format!("{INVITE}\r\n").replace("INVITE", method);
        Request::check(Message::parse(Bytes::from(text)).unwrap()).unwrap()
    };
    let refused = |to: &Request, code: StatusCode| {
        let error = Response::to(to, code).to_tag("t").contact("sip:b@b.example", None).build().unwrap_err();
        let BuildError::Rule { section, .. } = error else { panic!("{code}: {error}") };
        section
    };
    for method in ["OPTIONS", "BYE", "UPDATE", "ODD"] {
        let to = other(method);
        assert_eq!(refused(&to, StatusCode::Ringing), "RFC 4320, Section 4.1");
        assert_eq!(refused(&to, StatusCode::SessionProgress), "RFC 4320, Section 4.1");
        assert_eq!(refused(&to, StatusCode::RequestTimeout), "RFC 4320, Section 4.2");
        assert!(Response::to(&to, StatusCode::Trying).build().is_ok());
        assert!(Response::to(&to, StatusCode::Ringing).build_unchecked().is_ok());
    }
    for code in [StatusCode::Trying, StatusCode::Ok, StatusCode::CallOrTransactionDoesNotExist] {
        assert_eq!(refused(&other("ACK"), code), "RFC 3261, Section 17");
    }
    assert!(Response::to(&request(""), StatusCode::RequestTimeout).to_tag("t").build().is_ok());
}

/// Who acknowledged it would send its To, with a stranger's tag, in its own call.
#[test]
fn the_response_to_another_call_is_not_acknowledged() {
    let invite = request("");
    let busy = Response::to(&invite, StatusCode::BusyHere).to_tag("t").build().unwrap();
    let busy = std::str::from_utf8(busy.as_bytes()).unwrap();
    let ack = |busy: &str| invite.ack(&Response::parse(busy.as_bytes()).unwrap());
    assert!(ack(busy).is_ok());
    let from_tag = std::str::from_utf8(invite.from_tag().unwrap()).unwrap();
    let call_id = std::str::from_utf8(invite.call_id()).unwrap();
    let cseq = invite.cseq();
    for (ours, theirs) in [
        (format!("Call-ID: {call_id}"), "Call-ID: another@a.example".to_owned()),
        (format!("CSeq: {cseq} INVITE"), format!("CSeq: {} INVITE", cseq + 1)),
        (format!("CSeq: {cseq} INVITE"), format!("CSeq: {cseq} BYE")),
        (format!(";tag={from_tag}"), ";tag=another".to_owned()),
        (format!(";tag={from_tag}"), String::new()),
    ] {
        let of_another = busy.replace(&ours, &theirs);
        assert_ne!(of_another, busy);
        let error = ack(&of_another).unwrap_err();
        assert!(error.to_string().ends_with("[RFC 3261, Section 17.1.1.3]"), "{theirs}: {error}");
    }
}

/// A request of this method with all that it must carry but its Contact.
fn started(method: Method, to_tag: Option<&str>) -> RequestBuilder {
    let builder = RequestBuilder::new(method.clone(), "sip:b.example")
        .via("a.example", "UDP", Some("z9hG4bK1"))
        .from("", "sip:a@a.example", Some("f1"))
        .to("", "sip:b@b.example", to_tag)
        .call_id("7@a.example")
        .cseq(1, method.clone());
    match method {
        Method::Subscribe => builder.raw(HeaderId::Event, "presence"),
        Method::Refer => builder.raw(HeaderId::ReferTo, "<sip:c@c.example?Subject=a>"),
        _ => builder,
    }
}

fn section(error: BuildError) -> &'static str {
    let BuildError::Rule { section, .. } = error else { panic!("{error}") };
    section
}

/// One table says which messages a header field is for, and of which methods.
#[test]
fn a_header_field_stands_in_messages_that_it_is_for() {
    let misplaced = |error: Option<BuildError>, header: HeaderId| match error {
        None => false,
        Some(BuildError::Value(error)) if error.kind == ParseErrorKind::Misplaced => error.header == Some(header),
        Some(other) => panic!("{other}"),
    };
    for (id, value, of, not_of) in [
        (HeaderId::InReplyTo, "8@a.example", Some(Method::Message), &[Method::Options, Method::Bye][..]),
        (HeaderId::RAck, "1 1 INVITE", Some(Method::Prack), &[Method::Options, Method::Message]),
        (HeaderId::Path, "<sip:p.example;lr>", Some(Method::Register), &[Method::Options, Method::Publish]),
        (HeaderId::MinSe, "90", Some(Method::Update), &[Method::Options, Method::Bye]),
        (HeaderId::Replaces, "9@a;to-tag=1;from-tag=2", None, &[Method::Options, Method::Bye]),
        (HeaderId::MinExpires, "60", None, &[Method::Register, Method::Publish]),
        (HeaderId::Warning, "399 a \"b\"", None, &[Method::Options, Method::Bye]),
    ] {
        let build = |method: &Method| {
            let uri = started(method.clone(), Some("t1")).raw(id, value);
            let uri = if *method == Method::Update { uri.contact("sip:a@a.example", None) } else { uri };
            uri.build().err()
        };
        of.iter().for_each(|method| assert!(build(method).is_none(), "{id} in {method}: {:?}", build(method)));
        not_of.iter().for_each(|method| assert!(misplaced(build(method), id), "{id} in {method}"));
        // What an unknown method carries, nobody here knows.
        let is_for_requests = id.facts().unwrap().may_stand(true, None);
        assert_eq!(build(&Method::from_token(b"FOO").unwrap()).is_none(), is_for_requests, "{id}");
    }
    let to = |method: &str| Message::parse(Bytes::from(format!("{INVITE}\r\n").replace("INVITE", method))).unwrap();
    let service_route = |method: &str| {
        let request = &to(method);
        Response::to(request, StatusCode::Ok)
            .to_tag("t")
            .raw(HeaderId::ServiceRoute, "<sip:p.example;lr>")
            .raw(HeaderId::Contact, "<sip:b@b.example>")
            .build()
            .err()
    };
    assert!(service_route("REGISTER").is_none());
    assert!(misplaced(service_route("INVITE"), HeaderId::ServiceRoute));
    let edited = Edit::new(&to("REGISTER")).append(HeaderId::SubscriptionState, b"active").finish();
    assert!(misplaced(edited.err(), HeaderId::SubscriptionState));
}

/// Where the requests of a dialog go: to one address, which a request can be sent to as it is.
#[test]
fn the_contact_of_a_dialog_is_one_sip_uri() {
    const BAD: [(&str, &str); 5] = [
        ("*", "RFC 3261, Section 10.2.2"),
        ("<tel:+1234>", "RFC 3261, Section 8.1.1.8"),
        ("<sip:a@a.example>, <sip:b@a.example>", "RFC 3261, Section 8.1.1.8"),
        ("<sip:a@a.example?Subject=a>", "RFC 3261, Section 19.1.1"),
        ("<sips:a@a.example;method=BYE>", "RFC 3261, Section 19.1.1"),
    ];
    for method in [Method::Invite, Method::Subscribe, Method::Refer, Method::Update] {
        let to_tag = method.info().filter(|info| !info.outside_dialog).map(|_| "t");
        let with = |contact: &str| started(method.clone(), to_tag).raw(HeaderId::Contact, contact);
        assert!(with("\"A\" <sips:a@a.example;transport=tcp>;q=0.5").build().is_ok(), "{method}");
        for (contact, expected) in BAD {
            let update = method == Method::Update && expected == "RFC 3261, Section 8.1.1.8";
            let expected = if update { "RFC 3261, Section 12.1.1" } else { expected };
            assert_eq!(section(with(contact).build().unwrap_err()), expected, "{method} {contact}");
            assert!(with(contact).build_unchecked().is_ok());
        }
    }
    let invite = request("");
    for code in [StatusCode::Ringing, StatusCode::Ok] {
        for (contact, _) in BAD {
            let answer = Response::to(&invite, code).to_tag("t").raw(HeaderId::Contact, contact);
            assert!(section(answer.build().unwrap_err()).starts_with("RFC 3261, Section 1"), "{code} {contact}");
        }
    }
    // Where a dialog is not what it is for, all of them have their place.
    let moved = Response::to(&invite, StatusCode::MovedTemporarily).to_tag("t");
    assert!(moved.raw(HeaderId::Contact, "<tel:+1234>, <sip:a@a.example;method=INVITE?Subject=a>").build().is_ok());
    let register = started(Method::Register, None).raw(HeaderId::Contact, "<mailto:a@a.example>, <sip:a@192.0.2.1>");
    assert!(register.build().is_ok());
}

#[test]
fn addresses_have_neither_header_fields_nor_a_method() {
    for bad in ["sip:b@b.example?Subject=a", "sip:b@b.example;method=INVITE"] {
        let options = || started(Method::Options, None);
        let without = |id| {
            let builder = RequestBuilder::new(Method::Options, "sip:b.example")
                .via("a.example", "UDP", Some("z9hG4bK1"))
                .call_id("7@a.example")
                .cseq(1, Method::Options);
            match id {
                HeaderId::From => builder.from("", bad, Some("f1")).to("", "sip:b@b.example", None),
                _ => builder.from("", "sip:a@a.example", Some("f1")).to("", bad, None),
            }
        };
        for builder in [options().route(bad), without(HeaderId::From), without(HeaderId::To)] {
            assert_eq!(section(builder.build().unwrap_err()), "RFC 3261, Section 19.1.1");
        }
        // Inside a dialog they are the other side's.
        assert!(started(Method::Bye, Some("t")).route(bad).build().is_ok());
    }
}

#[test]
fn the_parameters_of_a_via_are_what_their_names_say() {
    let with = |params: &str| {
        let builder = RequestBuilder::new(Method::Options, "sip:b.example")
            .raw(HeaderId::Via, format!("SIP/2.0/UDP a.example;branch=z9hG4bK1{params}"))
            .from("", "sip:a@a.example", Some("f1"))
            .to("", "sip:b@b.example", None)
            .call_id("7@a.example")
            .cseq(1, Method::Options);
        builder.build()
    };
    for good in [";ttl=0", ";ttl=255", ";rport", ";rport=65535;received=192.0.2.1", ";received=2001:db8::1;TTL=016"] {
        assert!(with(good).is_ok(), "{good}");
    }
    for bad in [";ttl=256", ";ttl=0001", ";ttl=x", ";ttl", ";received=a.example", ";received", ";received=1.2.3"] {
        assert_eq!(section(with(bad).unwrap_err()), "RFC 3261, Section 25.1", "{bad}");
    }
    for bad in [";rport=65536", ";rport=0", ";rport=x"] {
        assert_eq!(section(with(bad).unwrap_err()), "RFC 3581, Section 3", "{bad}");
    }
}

#[test]
fn a_session_interval_is_neither_too_short_nor_below_the_least() {
    let invite = |lines: &[(HeaderId, &str)]| {
        let invite = started(Method::Invite, None).contact("sip:a@a.example", None);
        lines.iter().fold(invite, |builder, (id, value)| builder.raw(*id, value)).build()
    };
    let (interval, least) = (HeaderId::SessionExpires, HeaderId::MinSe);
    for good in [&[(interval, "90")][..], &[(least, "90")], &[(interval, "120"), (least, "120")]] {
        assert!(invite(good).is_ok(), "{good:?}");
    }
    for (bad, expected) in [
        (&[(interval, "89")][..], "RFC 4028, Section 4"),
        (&[(least, "89")], "RFC 4028, Section 5"),
        (&[(interval, "120"), (least, "121")], "RFC 4028, Section 7.1"),
    ] {
        assert_eq!(section(invite(bad).unwrap_err()), expected);
    }
    let to = request("");
    let small =
        |least: &str| Response::to(&to, StatusCode::SessionIntervalTooSmall).to_tag("t").raw(HeaderId::MinSe, least);
    assert!(small("1800").build().is_ok());
    assert_eq!(section(small("60").build().unwrap_err()), "RFC 4028, Section 5");
}

/// Reading lets it pass, and says what is wrong with it when asked how well the message is formed.
#[test]
fn what_is_read_and_not_sent_is_refused() {
    let options = |uri: &str| {
        RequestBuilder::new(Method::Options, uri)
            .via("a.example", "UDP", Some("z9hG4bK1"))
            .from("", "sip:a@a.example", Some("f1"))
            .to("", "sip:b@b.example", None)
            .call_id("7@a.example")
            .cseq(1, Method::Options)
            .max_forwards(70)
    };
    assert!(options("sip:a%20b@b.example;x=%4A").build().is_ok());
    for bad in ["sip:a%zz@b", "sip:a%2@b", "sip:%@b", "sip:a@b;x=%4g", "sip:a@b?x=%", "tel:+1;x=%z1", "sip:a@b;lr;LR"] {
        let address = format!("<{bad}>");
        for refused in [
            options(bad),
            options("sip:b").contact(bad, None),
            options("sip:b").route(bad),
            options("sip:b").raw(HeaderId::Contact, &address),
            options("sip:b").raw(HeaderId::CallInfo, &address),
            options("sip:b").raw_named("m", &address),
            options("sip:b").header(TypedHeader::Other(
                HeaderName::Known(HeaderId::RecordRoute),
                HeaderValue::Text(address.clone()),
            )),
        ] {
            let error = refused.clone().build().unwrap_err();
            assert!(
                matches!(error, BuildError::Value(_) | BuildError::RequestUri(_) | BuildError::Malformed(_)),
                "{error}"
            );
            // It is read as it came: in the depth of its fault.
            let Ok(message) = refused.build_unchecked() else { continue };
            assert_eq!(message.faults(Depth::Framing), []);
            let depth = if bad.contains('%') { Depth::Syntax } else { Depth::Semantics };
            let faults = message.faults(Depth::Semantics);
            assert_eq!(faults.iter().map(|fault| fault.depth).collect::<Vec<_>>(), [depth], "{bad}: {faults:?}");
            let at = &message.as_bytes()[faults[0].error.offset as usize..];
            assert!(
                if depth == Depth::Syntax { at.starts_with(b"%") } else { at.starts_with(b"LR") },
                "{}",
                at.escape_ascii()
            );
        }
        assert!(Contact::new(bad).is_err() && bad.parse::<Uri<_>>().is_ok());
    }
    for (id, bad) in [
        (HeaderId::Contact, "<sip:a@b>;q=1;expires=2;Q=0.5"),
        (HeaderId::Accept, "text/plain;q=1, a/b;c=d;c=e"),
        (HeaderId::Reason, "SIP;cause=200;text=\"a;b\";cause=200"),
        (HeaderId::ContentDisposition, "session;handling=optional;handling=optional"),
        (HeaderId::UserToUser, "56a390f3;encoding=hex;encoding=hex"),
        (HeaderId::Via, "SIP/2.0/UDP b;branch=z9hG4bK2;rport;rport"),
    ] {
        let draft = options("sip:b").raw(id, bad);
        let error = draft.clone().build().unwrap_err().to_string();
        assert!(error.contains("each parameter once"), "{error}");
        let faults = draft.build_unchecked().unwrap().faults(Depth::Semantics);
        let told: Vec<_> = faults.iter().map(|fault| (fault.depth, fault.error.kind, fault.error.header)).collect();
        assert_eq!(told, [(Depth::Semantics, ParseErrorKind::Repeated, Some(id))]);
    }
}

/// A client can't answer it. `[RFC 7616, Section 3.3]`
#[test]
fn a_digest_challenge_has_what_its_answer_needs() {
    let invite = request("");
    let unauthorized = || Response::to(&invite, StatusCode::Unauthorized).to_tag("t");
    let digest = || WwwAuthenticate::digest("r", "n");
    assert!(unauthorized().header(digest().with_qop(["auth", "auth-int"])).build().is_ok());
    for (challenge, expected) in [
        (WwwAuthenticate::digest("r", ""), "a nonce that is not empty"),
        (WwwAuthenticate::new("Digest").with_param("realm", "r"), "a nonce among the parameters"),
        (WwwAuthenticate::new("digest").with_param("nonce", "n"), "a realm among the parameters"),
        (digest().with_qop([""]), "tokens with commas between"),
        (digest().with_qop(["auth", ""]), "tokens with commas between"),
        (digest().with_qop::<[&str; 0]>([]), "tokens with commas between"),
    ] {
        let error = unauthorized().header(challenge).build().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let positional =
        |nonce, qop| unauthorized().www_authenticate_digest("r", nonce, qop, None, None, None, None).build();
    assert!(positional("n", Some("auth")).is_ok() && positional("n", None).is_ok());
    assert!(positional("", None).is_err() && positional("n", Some("")).is_err());
    let raw = unauthorized().raw(HeaderId::WwwAuthenticate, "Digest realm=\"r\"");
    assert!(raw.clone().build().is_err());
    // Read it is, and told.
    let faults = raw.build_unchecked().unwrap().faults(Depth::Semantics);
    assert_eq!(faults.iter().map(|fault| fault.depth).collect::<Vec<_>>(), [Depth::Semantics]);
    assert!(unauthorized().raw(HeaderId::WwwAuthenticate, "Basic realm=\"r\"").build().is_ok());
}

/// People see text where bytes are held.
#[test]
fn what_holds_bytes_shows_text() {
    let uri: Uri<_> = "sip:bob@b.example;x=1".parse().unwrap();
    let host = uri.as_sip().unwrap().host();
    assert_eq!(format!("{uri:?} {host:?}"), r#"Uri("sip:bob@b.example;x=1") Name("b.example")"#);
    let tel: Uri<_> = "tel:+1;ext=2".parse().unwrap();
    assert_eq!(format!("{:?}", tel.as_tel().unwrap().unwrap()), r#"TelUri("+1;ext=2")"#);
    let param = Param::new("a", Some("b \u{1}"));
    assert_eq!(format!("{param:?}"), r#"Param { name: "a", value: Some("\"b \x01\"") }"#);
    let other = TypedHeader::<Box<[u8]>>::Other(HeaderName::from("X-A"), HeaderValue::Raw(b"b".into()));
    assert_eq!(format!("{other:?}"), r#"Other(Other("X-A"), Raw("b"))"#);
    let invite =
        request("Accept-Contact: *;audio=\"#>=2,tall\"\r\nUser-Agent: p/1 (c)\r\nContent-Type: text/plain\r\n");
    let draft = Response::to(&invite, StatusCode::Ok).contact("sip:c@d", None).body("text");
    let edit = Edit::new(&invite).set(HeaderId::MaxForwards, b"69");
    let all = [
        format!("{draft:?}"),
        format!("{edit:?}"),
        format!("{:?}", invite.first(HeaderId::From).unwrap().cursor()),
        format!("{:?}", invite.content().disposition().unwrap()),
        format!("{:?}", invite.get::<AcceptContact<_>>().unwrap().unwrap().params.feature("audio").unwrap()),
        format!("{:?}", invite.get::<UserAgent<_>>().unwrap().unwrap().values().collect::<Vec<_>>()),
        format!("{:?}", MultipartBuilder::mixed().part(NewPart::new("text/plain", "text")).build().unwrap()),
    ];
    for shown in all {
        let list = shown.split(['[', ',', ']']).filter(|word| word.trim().parse::<u8>().is_ok()).count();
        assert!(list < 3, "{shown}");
    }
}

/// "200-class responses to SUBSCRIBE requests also MUST contain an "Expires" header field". `[RFC 6665, Section 3.1.1]`
/// A 202 is deprecated there, which the lint tells; RFC 3265 demanded Allow-Events of a 489, RFC 6665 allows it anywhere.
/// `[RFC 6665, Section 8.3.1]` `[RFC 6665, Section 8.2.2]`
#[test]
fn answers_to_subscribe_say_how_long() {
    let text = format!("{INVITE}Event: presence\r\n\r\n").replace("INVITE", "SUBSCRIBE");
    let subscribe = Request::check(Message::parse(Bytes::from(text)).unwrap()).unwrap();
    for code in [StatusCode::Ok, StatusCode::Accepted] {
        let answer = Response::to(&subscribe, code).to_tag("t").contact("sip:b@b.example", None);
        let error = answer.clone().build().unwrap_err();
        assert!(matches!(error, BuildError::Missing { header: "Expires", .. }), "{code}: {error}");
        assert!(answer.expires_seconds(60).build().is_ok(), "{code}");
    }
    assert!(Response::to(&subscribe, StatusCode::BadEvent).to_tag("t").build().is_ok());
}
