#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use alloc::string::ToString;
use alloc::vec::Vec;

use ringback_message::header::{Require, SessionExpires};
use ringback_message::status::{Carry, ClientAction, StatusInfo, When, registry};
use ringback_message::{HeaderId, Method, RequestBuilder};

use super::rows::ROWS;
use super::*;

const CODES: usize = 75;

fn invite(fill: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Request {
    request(Method::Invite, fill)
}

fn request(method: Method, fill: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Request {
    let builder = RequestBuilder::new(method.clone(), "sip:bob@b.example")
        .via("a.example", "UDP", Some("z9hG4bK1"))
        .from("", "sip:alice@a.example", Some("1"))
        .to("", "sip:bob@b.example", None)
        .call_id("7@a.example")
        .cseq(1, method)
        .contact("sip:alice@a.example", None);
    fill(builder).build().unwrap()
}

fn status(code: u16) -> StatusCode {
    StatusCode::new(code).unwrap()
}

/// A value for each header field that the registry has for some code.
fn sample(header: HeaderId) -> &'static str {
    match header {
        HeaderId::Contact => "<sip:bob@c.example>;q=0.5",
        HeaderId::WwwAuthenticate | HeaderId::ProxyAuthenticate => r#"Digest realm="b.example", nonce="x""#,
        HeaderId::Unsupported | HeaderId::Require | HeaderId::Supported => "100rel",
        HeaderId::MinSe | HeaderId::MinExpires | HeaderId::Expires => "1800",
        HeaderId::Reason => "SIP;cause=486",
        HeaderId::Allow => "OPTIONS",
        HeaderId::Accept => "application/sdp",
        HeaderId::AlertMsgError => "100",
        HeaderId::GeolocationError => "100",
        HeaderId::SecurityServer => "digest",
        HeaderId::RecvInfo => "foo",
        HeaderId::AllowEvents => "presence",
        HeaderId::PermissionMissing => "<sip:c@c.example>",
        HeaderId::RetryAfter => "60",
        HeaderId::RecordRoute => "<sip:p.example;lr>",
        other => panic!("no sample of {other}"),
    }
}

/// Made by the builder, with what the registry has for the code and this kind of request.
fn response(request: &Request, info: &StatusInfo, lists: &[&[Carry]]) -> Response {
    let plain = Response::to(request, info.code).to_tag("2");
    let draft = plain.clone().build_unchecked().unwrap();
    let mut missing: Vec<HeaderId> = Vec::new();
    for carry in lists.iter().copied().flatten() {
        let is_called_for = carry.when.holds(request, &draft) == Some(true) && carry.when != When::Reliable;
        if is_called_for && !missing.contains(&carry.header) && draft.first(carry.header).is_none() {
            missing.push(carry.header);
        }
    }
    // Any one of the three says what would be taken.
    if info.code == StatusCode::UnsupportedMediaType {
        missing = Vec::from([HeaderId::Accept]);
    }
    missing.into_iter().fold(plain, |response, header| response.raw(header, sample(header))).build().unwrap()
}

#[test]
fn every_registered_code_has_its_row() {
    let rows: Vec<_> = ROWS.iter().map(|row| row.code).collect();
    let registered: Vec<_> = registry().iter().filter(|info| info.registered).map(|info| info.code).collect();
    assert_eq!(rows, registered);
    assert_eq!(rows.len(), CODES);
}

/// What `ringback explain` says of a client is the registry's word, and no other than what is done here.
#[test]
fn agrees_with_the_registry() {
    let asked = invite(|request| request.header(Require::new(["100rel"])));
    for info in registry().iter().filter(|info| info.registered) {
        let outcome = Outcome::of(&asked, &response(&asked, info, &[info.must, info.should]));
        assert_eq!(outcome.action(), info.client, "{}: {outcome:?}", info.code);
        let is_unusable = matches!(outcome, Outcome::GiveUp { why: Why::Unusable(_) | Why::NowhereToGo, .. });
        assert!(!is_unusable, "{}: {outcome:?}", info.code);
        assert!(!outcome.to_string().is_empty() && !outcome.to_string().ends_with(' '));
        let is_failure = info.code.as_u16() >= 400 && !matches!(info.code.as_u16(), 487 | 491);
        assert_eq!(blame(info.code) != Blame::Nobody, is_failure || info.code.as_u16() == 380, "{}", info.code);
        if let Outcome::GiveUp { blame: whom, .. } = outcome {
            assert_eq!(whom, blame(info.code), "{}", info.code);
        }
    }
}

/// `[RFC 3261, Section 20.33]` names the codes, and the registry has the same; besides those it is heeded where it would be tried later
/// anyhow.
#[test]
fn retry_after_counts_where_the_registry_has_it() {
    let asked = invite(|request| request);
    let mut waiting = Vec::new();
    for info in registry().iter().filter(|info| info.registered && info.code.is_final() && !info.code.is_success()) {
        let response =
            Response::to(&asked, info.code).to_tag("2").raw(HeaderId::RetryAfter, "60 (In a meeting);duration=300");
        let response = Response::check(response.build_unchecked().unwrap()).unwrap();
        let outcome = Outcome::of(&asked, &response);
        if outcome.after_secs() == Some(60) {
            waiting.push(info.code.as_u16());
            assert!(matches!(outcome.action(), ClientAction::RetryLater | ClientAction::NextTarget));
        }
        if info.code == StatusCode::BusyHere {
            let wait = Wait { after_secs: Some(60), duration_secs: Some(300), comment: "In a meeting".into() };
            assert_eq!(outcome, Outcome::RetryLater(wait));
            assert_eq!(outcome.to_string(), "try again in 60 s, within 300 s from then (In a meeting)");
        }
    }
    assert_eq!(waiting, [404, 408, 413, 430, 480, 486, 500, 502, 503, 504, 600, 603]);
}

/// `[RFC 3261, Section 8.1.3.2]`
#[test]
fn unknown_codes_count_as_the_x00_of_their_class() {
    let asked = invite(|request| request);
    let of = |code: u16| {
        let response = Response::to(&asked, status(code)).to_tag("2").raw(HeaderId::Contact, sample(HeaderId::Contact));
        Outcome::of(&asked, &Response::check(response.build_unchecked().unwrap()).unwrap())
    };
    for (code, base) in [(107, 183), (277, 200), (333, 300), (409, 400), (411, 400), (499, 400), (577, 500), (699, 600)]
    {
        assert_eq!(of(code), of(base), "{code}");
    }
}

#[test]
fn without_what_its_code_demands_a_response_is_no_use() {
    let asked = invite(|request| request.header(Require::new(["100rel"])));
    for (code, header) in [
        (401, HeaderId::WwwAuthenticate),
        (407, HeaderId::ProxyAuthenticate),
        (420, HeaderId::Unsupported),
        (421, HeaderId::Require),
        (422, HeaderId::MinSe),
        (423, HeaderId::MinExpires),
    ] {
        let response = Response::to(&asked, status(code)).to_tag("2").build_unchecked().unwrap();
        let outcome = Outcome::of(&asked, &Response::check(response).unwrap());
        assert_eq!(outcome, Outcome::GiveUp { why: Why::Unusable(header), blame: Blame::Between });
    }
    let bare = Response::to(&asked, StatusCode::MovedTemporarily).to_tag("2").build().unwrap();
    assert!(matches!(Outcome::of(&asked, &bare), Outcome::GiveUp { why: Why::NowhereToGo, .. }));
}

#[test]
fn what_we_did_not_ask_for_is_nothing_to_change() {
    let asked = invite(|request| request.header(SessionExpires::new(1_800)));
    let unsupported = Response::to(&asked, StatusCode::BadExtension).to_tag("2").raw(HeaderId::Unsupported, "100rel");
    let outcome = Outcome::of(&asked, &unsupported.build().unwrap());
    assert!(matches!(outcome, Outcome::GiveUp { why: Why::Unusable(HeaderId::Unsupported), .. }));
    let small =
        |secs: &str| Response::to(&asked, StatusCode::SessionIntervalTooSmall).to_tag("2").raw(HeaderId::MinSe, secs);
    let outcome = Outcome::of(&asked, &small("1800").build().unwrap());
    assert!(matches!(outcome, Outcome::GiveUp { why: Why::Unusable(HeaderId::MinSe), .. }));
    let outcome = Outcome::of(&asked, &small("1801").build().unwrap());
    assert_eq!(outcome, Outcome::RaiseSessionExpires { min_secs: 1_801 });
}

#[test]
fn targets_by_falling_preference() {
    let asked = invite(|request| request);
    let contacts = "Desk <sip:c@c.example>;q=0.2;expires=60, <tel:+15551234>, <sip:d@d.example?Subject=x>;q=0.7, \
                    <sip:d@D.EXAMPLE?Subject=x>, <sip:e@e.example;method=BYE>;q=0.7, <sip:>";
    let moved = Response::to(&asked, StatusCode::MovedTemporarily).to_tag("2").raw(HeaderId::Contact, contacts);
    let outcome = Outcome::of(&asked, &Response::check(moved.build_unchecked().unwrap()).unwrap());
    let said: Vec<_> = outcome.targets().iter().map(|target| (target.to_string(), target.q_thousandths)).collect();
    let said: Vec<_> = said.iter().map(|(uri, q)| (uri.as_str(), *q)).collect();
    assert_eq!(
        said,
        [
            ("tel:+15551234", 1_000),
            ("sip:d@d.example?Subject=x", 700),
            ("sip:e@e.example;method=BYE", 700),
            ("sip:c@c.example", 200)
        ]
    );
    let uris: Vec<_> = outcome.targets().iter().map(Target::request_uri).collect();
    let uris: Vec<_> = uris.iter().map(|uri| uri.as_deref()).collect();
    assert_eq!(uris, [None, Some("sip:d@d.example"), Some("sip:e@e.example"), Some("sip:c@c.example")]);
    let last = outcome.targets().last().unwrap();
    assert_eq!((&*last.name, last.expires_secs), ("Desk", Some(60)));
}

#[test]
fn within_a_dialog_other_things_end_it() {
    let outside = invite(|request| request);
    let within =
        ringback_message::Edit::new(&outside).set(HeaderId::To, b"<sip:bob@b.example>;tag=2").finish().unwrap();
    let within = Request::check(within).unwrap();
    let of = |request: &Request, code: u16| {
        let response = Response::to(request, status(code));
        let response = if request.to_tag().is_none() { response.to_tag("2") } else { response };
        Outcome::of(request, &response.build().unwrap())
    };
    for code in [408, 481] {
        assert_eq!(of(&within, code), Outcome::DialogGone);
        assert_ne!(of(&outside, code), Outcome::DialogGone);
    }
    for failure in [Failure::Timeout(None), Failure::Transport(None)] {
        assert_eq!(Outcome::of_failure(Some(&within), &failure), Outcome::DialogGone);
        assert_eq!(Outcome::of_failure(Some(&outside), &failure), Outcome::NextTarget(Wait::default()));
    }
}

#[test]
fn text_of_others_has_no_control_characters() {
    let asked = invite(|request| request);
    let busy = Response::to(&asked, StatusCode::BusyHere).to_tag("2").reason("Besch\u{e4}ftigt \u{1b}[31m");
    let busy = Response::check(busy.build_unchecked().unwrap()).unwrap();
    assert_eq!(Said::of(&busy).to_string(), "486 Besch\u{e4}ftigt [31m");
}
