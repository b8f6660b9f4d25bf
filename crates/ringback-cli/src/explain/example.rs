//! A legal message for each code and method, made by the builders that refuse what is not legal.

use ringback_message::status::Carry;
use ringback_message::{
    BuildError, HeaderId, Message, Method, Request, RequestBuilder, Response, ResponseBuilder, StatusCode,
};

/// A response of this code, with what the registry says that it must and should carry.
///
/// # Errors
/// Where the builder refuses it: a defect of this file, which a test would find.
pub(crate) fn response(code: StatusCode) -> Result<String, BuildError> {
    let request = request_for(code)?;
    let mut headers = wanted(code).to_vec();
    // One header field may make another one due.
    for _ in 0..HEADERS_MAX {
        let draft = compose(&request, code, &headers).build_unchecked()?;
        match due(code, &request, &draft) {
            Some(header) => headers.push(header),
            None => break,
        }
    }
    Ok(text(compose(&request, code, &headers).build()?.as_bytes()))
}

/// A request of this method.
///
/// # Errors
/// As [`response`].
pub(crate) fn request(method: &Method) -> Result<String, BuildError> {
    Ok(text(built_request(method)?.as_bytes()))
}

const HEADERS_MAX: usize = 16;

fn text(message: &[u8]) -> String {
    String::from_utf8_lossy(message).into_owned()
}

fn due(code: StatusCode, request: &Message, draft: &Message) -> Option<HeaderId> {
    let info = code.info()?;
    let is_due = |carry: &&Carry| carry.when.holds(request, draft) == Some(true) && draft.first(carry.header).is_none();
    info.must.iter().chain(info.should).find(is_due).map(|carry| carry.header)
}

fn request_for(code: StatusCode) -> Result<Request, BuildError> {
    built_request(&method_of(code))
}

/// The method whose answer shows the code best.
fn method_of(code: StatusCode) -> Method {
    match code.as_u16() {
        204 | 489 => Method::Subscribe,
        202 | 429 => Method::Refer,
        401 | 409 | 421 | 423 | 439 | 494 | 555 => Method::Register,
        412 => Method::Publish,
        415 | 470 => Method::Message,
        469 => Method::Info,
        481 => Method::Bye,
        501 => Method::Publish,
        _ => Method::Invite,
    }
}

/// What a good answer has beyond what can be told from the messages.
fn wanted(code: StatusCode) -> &'static [HeaderId] {
    match code.as_u16() {
        413 | 480 | 486 | 500 | 503 | 600 => &[HeaderId::RetryAfter],
        488 | 606 => &[HeaderId::Warning],
        485 => &[HeaderId::Contact],
        608 => &[HeaderId::CallInfo],
        417 => &[HeaderId::AcceptResourcePriority],
        489 => &[HeaderId::AllowEvents],
        _ => &[],
    }
}

fn compose<'a>(request: &'a Request, code: StatusCode, headers: &[HeaderId]) -> ResponseBuilder<'a> {
    let builder = Response::to(request, code).to_tag("b42");
    headers.iter().fold(builder, |builder, id| builder.raw(*id, value(*id, code, request)))
}

/// A value for the header field in an answer of this code.
fn value(id: HeaderId, code: StatusCode, request: &Request) -> &'static str {
    match id {
        HeaderId::Contact => match (code.as_u16(), request.method()) {
            (305, _) => "<sip:proxy.b.example;lr>",
            (300..=399 | 485, _) => "<sip:bob@home.example>;q=0.7",
            (_, Method::Register) => "<sip:bob@192.0.2.4>;expires=3600",
            _ => "<sip:bob@192.0.2.4>",
        },
        HeaderId::WwwAuthenticate | HeaderId::ProxyAuthenticate => {
            "Digest realm=\"b.example\", nonce=\"u2k7d0w9q4\", qop=\"auth\", algorithm=SHA-256"
        }
        HeaderId::Require => match code.as_u16() {
            421 => "path",
            494 => "sec-agree",
            _ => "100rel",
        },
        HeaderId::Reason => "SIP;cause=486;text=\"Busy Here\"",
        HeaderId::RetryAfter => "120",
        HeaderId::Warning => "305 b.example \"Incompatible media format\"",
        HeaderId::Allow => "INVITE, ACK, CANCEL, BYE, OPTIONS",
        HeaderId::Supported => "100rel, timer",
        HeaderId::Unsupported => "gruu",
        HeaderId::Accept => "application/sdp",
        HeaderId::MinExpires | HeaderId::Expires => "3600",
        HeaderId::MinSe => "1800",
        HeaderId::GeolocationError => "100;code=\"Cannot Process Location\"",
        HeaderId::AlertMsgError => "100;code=\"Cannot process the alert payload\"",
        HeaderId::RecvInfo => "conference",
        HeaderId::PermissionMissing => "<sip:carol@c.example>",
        HeaderId::AllowEvents => "presence, dialog",
        HeaderId::SecurityServer => "tls;q=0.2, ipsec-ike;q=0.1",
        HeaderId::CallInfo => "<https://block.example/contact.jws>;purpose=jwscard",
        HeaderId::AcceptResourcePriority => "ets.0, ets.1",
        HeaderId::Date => "Thu, 30 Jul 2026 12:00:00 GMT",
        _ => "",
    }
}

fn built_request(method: &Method) -> Result<Request, BuildError> {
    let in_dialog = method.info().is_some_and(|info| !info.outside_dialog) || *method == Method::Ack;
    let uri = match method {
        Method::Register => "sip:b.example",
        _ => "sip:bob@b.example",
    };
    // Who registers for oneself has one address in both.
    let (name, from) = match method {
        Method::Register => ("Bob", "sip:bob@b.example"),
        _ => ("Alice", "sip:alice@a.example"),
    };
    let builder = RequestBuilder::new(method.clone(), uri)
        .via("pc.a.example", "UDP", Some("z9hG4bKx1y2"))
        .from(name, from, Some("a17"))
        .to("Bob", "sip:bob@b.example", in_dialog.then_some("b42"))
        .call_id("c7f2e1@a.example")
        .cseq(if in_dialog { 2 } else { 1 }, method.clone());
    let carried = method.info().map_or(&[][..], |info| info.must);
    let builder = carried
        .iter()
        .filter(|carry| carry.when.is_none() || *method == Method::Info)
        .fold(builder, |builder, carry| builder.raw(carry.header, request_value(carry.header)));
    let builder = match method {
        Method::Register => builder.contact("sip:bob@192.0.2.4", None).expires_seconds(3600),
        Method::Subscribe | Method::Publish => builder.expires_seconds(3600),
        Method::Options => builder.accept("application/sdp", None),
        Method::Message => builder.content_type("text/plain").body("Lunch at noon?"),
        Method::Notify => builder.content_type("application/pidf+xml").body(PRESENCE),
        _ => builder,
    };
    builder.build()
}

const PRESENCE: &str = "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"pres:alice@a.example\">\
    <tuple id=\"t1\"><status><basic>open</basic></status></tuple></presence>\r\n";

fn request_value(id: HeaderId) -> &'static str {
    match id {
        HeaderId::Contact => "<sip:alice@192.0.2.1>",
        HeaderId::Event => "presence",
        HeaderId::SubscriptionState => "active;expires=3600",
        HeaderId::ReferTo => "<sip:carol@c.example>",
        HeaderId::RAck => "1 1 INVITE",
        HeaderId::InfoPackage => "conference",
        HeaderId::SipIfMatch => "e7",
        _ => "",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use ringback_message::status::registry;
    use ringback_message::verdict::{Depth, judge};

    fn is_faultless(text: &str) {
        let (message, faults) = judge(Bytes::from(text.to_owned()), Depth::Semantics);
        assert!(message.is_some() && faults.is_empty(), "{faults:?}\n{text}");
    }

    #[test]
    fn every_code_has_a_legal_example() {
        for row in registry() {
            let text = response(row.code).unwrap_or_else(|error| panic!("{}: {error}", row.code));
            assert!(text.starts_with(&format!("SIP/2.0 {} {}\r\n", row.code, row.phrase)), "{text}");
            is_faultless(&text);
            for carry in row.must.iter().filter(|carry| carry.is_unconditional()) {
                assert!(text.contains(&format!("\r\n{}: ", carry.header)), "{} {text}", carry.header);
            }
        }
    }

    #[test]
    fn every_method_has_a_legal_example() {
        for method in Method::REGISTERED {
            let text = request(method).unwrap_or_else(|error| panic!("{method}: {error}"));
            assert!(text.starts_with(&format!("{method} sip:")), "{text}");
            is_faultless(&text);
        }
    }
}
