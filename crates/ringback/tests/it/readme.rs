//! What README shows to those who use the library is what runs.

use std::fs;
use std::path::Path;

use ringback::prelude::*;
use ringback_lint::{Severity, lint_pair};

#[path = "../../examples/answer_with_sdp.rs"]
#[allow(dead_code)]
mod phone;

const OFFER: &str = "v=0\r\no=- 7 1 IN IP4 192.0.2.4\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\nm=audio 4000 RTP/AVP";

/// README's program is a part of the example.
#[test]
fn readme_shows_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let example = fs::read_to_string(root.join("crates/ringback/examples/answer_with_sdp.rs")).unwrap();
    let shown = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(example.replace("pub(crate) fn", "fn").contains(shown), "README shows another program:\n{shown}");
}

#[test]
fn a_call_that_fits_is_taken() {
    let invite = request(Method::Invite, None).sdp(&offer("8 0")).build().unwrap();
    let ok = said(&invite).unwrap();
    assert_eq!(ok.status(), StatusCode::Ok);
    let answer = ok.sdp().unwrap().unwrap();
    assert_eq!(answer.media()[0].formats(), ["8".into(), "0".into()]);
    assert!(lint_pair(&invite, &ok).is_empty(), "{:?}", lint_pair(&invite, &ok));
}

#[test]
fn one_that_does_not_is_refused() {
    let invite = request(Method::Invite, None).sdp(&offer("18")).build().unwrap();
    let refusal = said(&invite).unwrap();
    assert_eq!(refusal.status(), StatusCode::NotAcceptableHere);
    assert!(refusal.get::<Warning<_>>().unwrap().is_some());
    assert!(lint_pair(&invite, &refusal).is_empty(), "{:?}", lint_pair(&invite, &refusal));
}

#[test]
fn other_requests_are_answered_without_an_error() {
    let tagged = |method: Method| request(method, Some("314159265358")).build().unwrap();
    let outside = |method: Method| request(method, None).build().unwrap();
    let cases = [(tagged(Method::Bye), 200), (outside(Method::Options), 200), (outside(Method::Message), 405)];
    for (request, code) in cases {
        let response = said(&request).unwrap();
        assert_eq!(response.status().as_u16(), code);
        let findings = lint_pair(&request, &response);
        assert!(findings.iter().all(|finding| finding.severity != Severity::Error), "{findings:?}");
    }
    assert!(said(&tagged(Method::Ack)).is_none());
}

fn said(request: &Request) -> Option<Response> {
    let phone = ringback::session::endpoint("192.0.2.201".parse().unwrap())
        .media(LocalMedia::audio(3456).codec(Codec::pcmu()).codec(Codec::pcma()));
    phone::answer(request, &phone, "sip:bob@192.0.2.201").unwrap()
}

fn offer(formats: &str) -> SessionDescription {
    format!("{OFFER} {formats}\r\n").parse().unwrap()
}

fn request(method: Method, to_tag: Option<&str>) -> RequestBuilder {
    let builder = RequestBuilder::new(method.clone(), "sip:bob@192.0.2.201")
        .via("192.0.2.4", "TCP", Some("z9hG4bK74bf9dac1"))
        .from("", "sip:alice@atlanta.example.com", Some("9fxced76sl"))
        .to("", "sip:bob@biloxi.example.com", to_tag)
        .call_id("3848276298220188511@atlanta.example.com")
        .cseq(1, method.clone());
    if method == Method::Invite { builder.contact("sip:alice@192.0.2.4", None) } else { builder }
}
