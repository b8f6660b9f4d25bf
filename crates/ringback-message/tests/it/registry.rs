//! The registries, from outside: that each table agrees with the others, and what a condition says of real messages.

use bytes::Bytes;
use ringback_message::header::facts::{HeaderFacts, Repeats, Standing, Where};
use ringback_message::registry::{EventType, HeaderParameter, OptionTag, Places, Source, UriParameter, WarnCode};
use ringback_message::status::{When, registry};
use ringback_message::{Depth, HeaderId, Message, Method, StatusCode};

use crate::parse::INVITE;

fn request(more: &str) -> Message {
    Message::parse(Bytes::from(format!("{INVITE}{more}\r\n"))).unwrap()
}

fn to_method(method: &str, more: &str) -> Message {
    Message::parse(Bytes::from(format!("{INVITE}{more}\r\n").replace("INVITE", method))).unwrap()
}

/// An answer written out, so that the builder has no say in it.
fn response(code: u16, to_tag: &str, more: &str) -> Message {
    let text = format!(
        "SIP/2.0 {code} x\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n\
         To: <sip:bob@b.example>{to_tag}\r\nCall-ID: 7@a.example\r\nCSeq: 1 INVITE\r\n{more}\r\n"
    );
    Message::parse(Bytes::from(text)).unwrap()
}

#[test]
fn each_header_field_has_its_facts() {
    let ids: Vec<_> = HeaderId::all().collect();
    assert_eq!(HeaderFacts::REGISTERED.len(), ids.len());
    for id in ids {
        assert_eq!(id.facts().unwrap().id, id);
        assert_eq!(HeaderFacts::REGISTERED.iter().filter(|row| row.id == id).count(), 1, "{id}");
    }
    assert_eq!(HeaderId::Other.facts(), None);
}

#[test]
fn what_rows_say_of_header_fields_agrees_with_the_facts() {
    let is_in = |id: HeaderId, wrong: Where| {
        let facts = id.facts().unwrap();
        assert!(facts.place != wrong && facts.standing == Standing::Current, "{id}");
    };
    for row in registry() {
        [row.must, row.should, row.may].concat().iter().for_each(|carry| is_in(carry.header, Where::Requests));
    }
    for method in Method::REGISTERED {
        method.info().unwrap().must.iter().for_each(|carry| is_in(carry.header, Where::Responses));
    }
    for row in OptionTag::REGISTERED {
        for id in row.places.headers() {
            assert_eq!(id.facts().unwrap().repeats, Repeats::List, "{id}");
        }
    }
    for row in HeaderParameter::REGISTERED {
        assert!(row.header.facts().is_some(), "{row:?}");
    }
}

/// Each names an RFC; CI looks up the sections, which stand in the tables as citations.
#[test]
fn every_row_has_its_source() {
    let rfc = |source: Source| {
        assert!(source.rfc().is_some_and(|rfc| rfc >= 2543), "{source}");
        assert_eq!(source.as_str().contains("Section"), source.section().is_some(), "{source}");
    };
    OptionTag::REGISTERED.iter().for_each(|row| rfc(row.source));
    WarnCode::REGISTERED.iter().for_each(|row| rfc(row.source));
    let packages = EventType::REGISTERED.iter().filter(|row| row.name != EventType::SiemensRtpStats);
    packages.for_each(|row| rfc(row.source));
    let of_rfcs = HeaderFacts::REGISTERED.iter().filter(|row| row.source.as_str() != "3GPP TS 24.229");
    of_rfcs.for_each(|row| rfc(row.source));
    for info in Method::REGISTERED.iter().map(|method| method.info().unwrap()) {
        rfc(info.source);
        info.also.iter().for_each(|source| rfc(*source));
    }
    registry().iter().flat_map(|row| row.also).for_each(|source| rfc(*source));
}

/// As many as the IANA registries had in July 2026; `method` is there twice, for two documents.
#[test]
fn tables_are_complete() {
    assert_eq!(OptionTag::REGISTERED.len(), 36);
    assert_eq!(EventType::REGISTERED.len(), 22);
    assert_eq!(WarnCode::REGISTERED.len(), 15);
    assert_eq!(UriParameter::REGISTERED.len() + 1, 35);
    assert_eq!(HeaderParameter::REGISTERED.len(), 201);
    assert_eq!(Method::REGISTERED.len(), 14);
}

#[test]
fn methods_know_their_place() {
    let info = |method: Method| method.info().unwrap();
    let of = |wanted: fn(&ringback_message::MethodInfo) -> bool| {
        Method::REGISTERED
            .iter()
            .filter(|method| wanted(info((*method).clone())))
            .map(Method::as_str)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(|row| row.forms_dialog), ["INVITE", "REFER", "SUBSCRIBE", "NOTIFY"]);
    assert_eq!(of(|row| row.refreshes_target), ["INVITE", "UPDATE", "REFER", "SUBSCRIBE", "NOTIFY"]);
    assert_eq!(of(|row| !row.outside_dialog), ["BYE", "INFO", "PRACK", "UPDATE", "NOTIFY"]);
    assert_eq!(of(|row| !row.inside_dialog), ["REGISTER"]);
    let must = |method| info(method).must.iter().map(|carry| (carry.header, carry.when.is_none())).collect::<Vec<_>>();
    assert_eq!(must(Method::Prack), [(HeaderId::RAck, true)]);
    assert_eq!(must(Method::Info), [(HeaderId::InfoPackage, false)]);
    assert_eq!(must(Method::Refer), [(HeaderId::ReferTo, true), (HeaderId::Contact, true)]);
    assert_eq!(must(Method::Notify).len(), 3);
    assert!(must(Method::Message).is_empty() && must(Method::Register).is_empty());
    for method in Method::REGISTERED {
        let row = info(method.clone());
        assert!(row.method == *method && row.meaning.ends_with('.'));
        // What refreshes the target or opens a dialog says where its sender can be reached.
        let says_where = row.must.iter().any(|carry| carry.header == HeaderId::Contact);
        assert_eq!(row.forms_dialog || row.refreshes_target, says_where, "{method}");
    }
    assert_eq!(Method::from_token(b"FOO").unwrap().info(), None);
}

#[test]
fn a_dialog_is_opened_by_some_answers_to_some_requests() {
    let opens = |request: &Message, code, tag| When::FormsDialog.holds(request, &response(code, tag, ""));
    let invite = request("");
    for (code, tag, expected) in [
        (100, ";tag=t", false),
        (180, ";tag=t", true),
        (180, "", false),
        (200, ";tag=t", true),
        (302, ";tag=t", false),
        (486, ";tag=t", false),
    ] {
        assert_eq!(opens(&invite, code, tag), Some(expected), "{code} {tag}");
    }
    let within = format!("{INVITE}\r\n").replace("bob@b.example>", "bob@b.example>;tag=mine");
    assert_eq!(opens(&Message::parse(Bytes::from(within)).unwrap(), 200, ";tag=mine"), Some(false));
    assert_eq!(opens(&to_method("SUBSCRIBE", ""), 200, ";tag=t"), Some(true));
    assert_eq!(opens(&to_method("SUBSCRIBE", ""), 183, ";tag=t"), Some(false));
    assert_eq!(opens(&to_method("OPTIONS", ""), 200, ";tag=t"), Some(false));
    assert_eq!(opens(&to_method("FOO", ""), 200, ";tag=t"), Some(false));
}

#[test]
fn conditions_are_read_off_the_messages() {
    let invite = request("Timestamp: 4\r\nRequire: 100rel\r\nRequire: foo, SEC-AGREE\r\n");
    let plain = request("");
    let ringing = response(180, ";tag=t", "");
    let reliable = response(180, ";tag=t", "Require: 100REL\r\n");
    let numbered = response(180, ";tag=t", "RSeq: 1\r\n");
    assert_eq!(When::Reliable.holds(&invite, &ringing), Some(false));
    assert_eq!(When::Reliable.holds(&plain, &reliable), Some(true));
    assert_eq!(When::Reliable.holds(&plain, &numbered), Some(true));
    let has = When::RequestHas(HeaderId::Timestamp);
    assert_eq!((has.holds(&invite, &ringing), has.holds(&plain, &ringing)), (Some(true), Some(false)));
    let unasked = When::RequestRequiresNot(OptionTag::SecAgree);
    assert_eq!((unasked.holds(&invite, &ringing), unasked.holds(&plain, &ringing)), (Some(false), Some(true)));
    let asked_of_proxies = request("Proxy-Require: sec-agree\r\n");
    assert_eq!(unasked.holds(&asked_of_proxies, &ringing), Some(false));
    let required = When::RequestRequires(OptionTag::SecAgree);
    assert_eq!((required.holds(&invite, &ringing), required.holds(&plain, &ringing)), (Some(true), Some(false)));
    assert_eq!(required.holds(&asked_of_proxies, &ringing), Some(false));
    let agree = response(421, ";tag=t", "Require: sec-agree\r\n");
    let other = response(421, ";tag=t", "Require: path\r\n");
    let required = When::ResponseRequires(OptionTag::SecAgree);
    assert_eq!((required.holds(&plain, &agree), required.holds(&plain, &other)), (Some(true), Some(false)));
    assert_eq!(When::Text("x").holds(&plain, &ringing), None);
    assert_eq!(When::All(&[When::Text("x"), When::Reliable]).holds(&plain, &ringing), Some(false));
    assert_eq!(When::All(&[When::Text("x"), When::Always]).holds(&plain, &ringing), None);
}

#[test]
fn a_refer_that_requires_explicitsub_is_told_where_to_subscribe() {
    let must = StatusCode::Ok.info().unwrap().must;
    let carry = must.iter().find(|carry| carry.header == HeaderId::ReferEventsAt).unwrap();
    let called_for = |request: &Message| carry.when.holds(request, &response(200, ";tag=t", ""));
    assert_eq!(called_for(&to_method("REFER", "Require: explicitsub\r\n")), Some(true));
    assert_eq!(called_for(&to_method("REFER", "")), Some(false));
    assert_eq!(called_for(&request("Require: explicitsub\r\n")), Some(false));
}

#[test]
fn a_415_needs_one_of_three() {
    let needs = |more: &str| {
        let answer = response(415, ";tag=t", more);
        let must = StatusCode::UnsupportedMediaType.info().unwrap().must;
        let missing = |carry: &&ringback_message::status::Carry| {
            carry.when.holds(&request(""), &answer) == Some(true) && answer.first(carry.header).is_none()
        };
        must.iter().filter(missing).count()
    };
    assert_eq!(needs(""), 3);
    for line in ["Accept: application/sdp\r\n", "Accept:\r\n", "Accept-Encoding: gzip\r\n", "Accept-Language: de\r\n"] {
        assert_eq!(needs(line), 0, "{line}");
    }
}

#[test]
fn conditions_are_phrases_for_people() {
    let phrases = |code: StatusCode| {
        let info = code.info().unwrap();
        info.must.iter().map(|carry| format!("{} {}", carry.header, carry.when)).collect::<Vec<_>>()
    };
    assert_eq!(phrases(StatusCode::Trying), ["Timestamp the request has Timestamp"]);
    let ok = phrases(StatusCode::Ok);
    assert!(ok.contains(&"Contact to INVITE, UPDATE, SUBSCRIBE or REFER".to_owned()), "{ok:?}");
    assert!(ok.contains(&"Record-Route opens a dialog, and the request has Record-Route".to_owned()), "{ok:?}");
    assert_eq!(phrases(StatusCode::MethodNotAllowed), ["Allow always"]);
    assert!(phrases(StatusCode::UnsupportedMediaType)[0].ends_with("the type is refused"));
}

#[test]
fn places_are_those_of_the_documents() {
    let everywhere = Places::SUPPORTED | Places::REQUIRE | Places::PROXY_REQUIRE;
    let places = |tag: OptionTag<'static>| tag.info().unwrap().places;
    assert_eq!(places(OptionTag::SecAgree), everywhere);
    assert_eq!(places(OptionTag::Privacy), Places::PROXY_REQUIRE);
    assert_eq!(places(OptionTag::Rel100), Places::SUPPORTED | Places::REQUIRE);
    assert_eq!(OptionTag::Timer.info().unwrap().not_recommended, Places::PROXY_REQUIRE);
}

/// 134 names, of which one is reserved. [RFC 3261] dropped what [RFC 2543] had for hiding and PGP.
#[test]
fn the_registry_has_no_other_header_fields() {
    assert_eq!(HeaderId::all().count(), 134);
    let of = |standing| HeaderId::all().filter(move |id| id.facts().unwrap().standing == standing).collect::<Vec<_>>();
    assert_eq!(of(Standing::Reserved), [HeaderId::ReasonPhrase]);
    let deprecated = [HeaderId::Encryption, HeaderId::Hide, HeaderId::IdentityInfo, HeaderId::ResponseKey];
    assert_eq!(of(Standing::Deprecated), deprecated);
    for (name, id) in [
        ("attestation-info", HeaderId::AttestationInfo),
        ("DC-Info", HeaderId::DcInfo),
        ("Restoration-Info", HeaderId::RestorationInfo),
    ] {
        assert_eq!(HeaderId::from_name(name.as_bytes()), id);
    }
}

/// "additional information about the status of a response", and about what a NOTIFY was sent for. [RFC 3265, Section 7.1]
#[test]
fn a_warning_may_stand_in_a_notify() {
    let notify =
        to_method("NOTIFY", "Event: a\r\nSubscription-State: active\r\nContact: <sip:a@b>\r\nWarning: 399 a \"b\"\r\n");
    assert_eq!(notify.faults(Depth::Semantics), []);
}
