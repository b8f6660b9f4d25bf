//! What our own builder makes breaks no MUST.

use ringback_lint::tables::{Mark, wanted};
use ringback_lint::{Severity, lint, lint_pair};
use ringback_message::status::registry;
use ringback_message::{HeaderId, Message, Method, Request, RequestBuilder, Response, StatusCode};

/// A value for each header field that a method or code must carry.
fn value(id: HeaderId) -> &'static str {
    match id {
        HeaderId::Contact => "<sip:alice@192.0.2.4>",
        HeaderId::Event => "presence",
        HeaderId::SubscriptionState => "active;expires=600",
        HeaderId::ReferTo | HeaderId::ReferEventsAt => "<sip:carol@c.example>",
        HeaderId::PermissionMissing => "<sip:carol@c.example>",
        HeaderId::RAck => "1 7 INVITE",
        HeaderId::InfoPackage | HeaderId::RecvInfo => "g.example",
        HeaderId::SipEtag | HeaderId::SipIfMatch => "dx200xyz",
        HeaderId::Allow => "ACK",
        HeaderId::Unsupported => "foo",
        HeaderId::Accept => "text/plain",
        HeaderId::AllowEvents => "dialog",
        HeaderId::Require => "timer",
        HeaderId::Reason => "SIP;cause=480",
        HeaderId::SecurityServer => "digest",
        HeaderId::CallInfo => "<https://b.example/card>;purpose=jwscard",
        HeaderId::WwwAuthenticate | HeaderId::ProxyAuthenticate => "Digest realm=\"b\", nonce=\"1\", qop=\"auth\"",
        _ => "600",
    }
}

fn request(method: &Method) -> Request {
    let info = method.info().unwrap();
    let uri = if *method == Method::Register { "sip:b.example" } else { "sip:bob@b.example" };
    let tag = Some("314159").filter(|_| !info.outside_dialog);
    let mut builder = RequestBuilder::new(method.clone(), uri)
        .via("a.example", "UDP", Some("z9hG4bK776asdhds"))
        .from("Alice", "sip:alice@a.example", Some("88sja8x7"))
        .to("Bob", "sip:bob@b.example", tag)
        .call_id("7@a.example")
        .cseq(7, method.clone());
    for carry in info.must {
        builder = builder.raw(carry.header, value(carry.header));
    }
    builder.build().unwrap()
}

fn errors(message: &Message) -> Vec<String> {
    lint(message).iter().filter(|f| f.severity == Severity::Error).map(ToString::to_string).collect()
}

#[test]
fn a_request_of_each_method() {
    for method in Method::REGISTERED {
        assert_eq!(errors(&request(method)), [""; 0], "{method}");
    }
}

/// With what the builder asks for, and what the tables of header fields call mandatory beyond it.
fn answer(request: &Request, status: StatusCode) -> Option<Response> {
    let method = request.method();
    let mut wanted: Vec<HeaderId> = wanted(&method, Some(status))
        .filter(|(id, mark, _)| {
            *mark == Mark::Mandatory && !matches!(id, HeaderId::Via | HeaderId::From | HeaderId::To)
        })
        .map(|(id, ..)| id)
        .filter(|id| !matches!(id, HeaderId::CallId | HeaderId::CSeq))
        .collect();
    for carry in status.info()?.must {
        let bare = Response::to(request, status).to_tag("314159").build_unchecked().unwrap();
        // RSeq and Require go with a reliable response, which this is not.
        if carry.when.holds(request, &bare) == Some(true) && !wanted.contains(&carry.header) {
            wanted.push(carry.header);
        }
    }
    let builder = Response::to(request, status).to_tag("314159");
    let refused = status == StatusCode::UnsupportedMediaType;
    let wanted =
        wanted.into_iter().filter(|id| !(refused && matches!(id, HeaderId::AcceptEncoding | HeaderId::AcceptLanguage)));
    let builder = wanted.fold(builder, |builder, id| builder.raw(id, value(id)));
    let is_never_sent = (101..200).contains(&status.as_u16()) || status == StatusCode::RequestTimeout;
    if is_never_sent && method != Method::Invite {
        assert!(builder.clone().build().is_err(), "{status} to {method}");
        return Some(Response::check(builder.build_unchecked().unwrap()).unwrap());
    }
    Some(builder.build().unwrap())
}

/// Rules that say that the very code is wrong for the method.
const OF_THE_CODE: [&str; 3] = ["provisional-to-non-invite", "timeout-to-non-invite", "challenge-to-cancel"];

#[test]
fn a_response_of_each_code_to_each_method() {
    let mut count = 0;
    // An ACK is never answered.
    for method in Method::REGISTERED.iter().filter(|method| **method != Method::Ack) {
        let request = request(method);
        for status in registry().iter().map(|info| info.code) {
            let Some(response) = answer(&request, status) else { continue };
            let findings = lint_pair(&request, &response);
            let errors = findings.iter().filter(|f| f.severity == Severity::Error);
            let errors: Vec<String> = errors
                .filter(|f| !OF_THE_CODE.contains(&f.rule.id))
                // The client never asked for what these codes demand by their very nature.
                .filter(|f| !(f.rule.id == "unsupported-not-required" && status == StatusCode::BadExtension))
                .filter(|f| f.rule.id != "sdp-offer-missing")
                .map(ToString::to_string)
                .collect();
            assert_eq!(errors, [""; 0], "{status} to {method}: {response:?}");
            count += 1;
        }
    }
    assert!(count > 900, "{count}");
}
