//! Contact, Record-Route and Route. `[RFC 3261, Section 8.1.1.8]`

use alloc::format;

use ringback_message::header::{Contact, Expires};
use ringback_message::uri::Uri;
use ringback_message::{HeaderId, Method, SipUri};

use crate::{Findings, Subject};

rules! { "Contact, Record-Route and Route"
    "contact-many" Error "RFC 3261, Section 8.1.1.8"
        "A request that may form a dialog has more than one Contact."
        "The other side can't tell where later requests go."
        bad ["INVITE", "Contact: <sip:alice@192.0.2.4>, <sip:alice@192.0.2.5>"]
        good ["INVITE", "Contact: <sip:alice@192.0.2.4>"]
        => many;
    "contact-not-sip" Error "RFC 3261, Section 8.1.1.8"
        "The Contact of a request that may form a dialog is no SIP or SIPS URI."
        "Later requests of the dialog can't be sent to it."
        bad ["INVITE", "Contact: <tel:+12015550123>"]
        good ["INVITE", "Contact: <sip:alice@192.0.2.4>"]
        => not_sip;
    "contact-not-sips" Error "RFC 3261, Section 8.1.1.8"
        "The Request-URI or the top Route is a SIPS URI, and Contact isn't."
        "The way back would be open to listeners."
        bad ["INVITE", "=INVITE sips:bob@b.example SIP/2.0", "Via: SIP/2.0/TLS a.example;branch=z9hG4bK776asdhds"]
        good ["INVITE", "=INVITE sips:bob@b.example SIP/2.0", "Via: SIP/2.0/TLS a.example;branch=z9hG4bK776asdhds",
            "Contact: <sips:alice@192.0.2.4>"]
        => not_sips;
    "contact-star-outside-register" Error "RFC 3261, Section 10.2.2"
        "Contact is * in a message that is no REGISTER."
        "It stands for all bindings of a user, and means nothing elsewhere."
        bad ["302", "Contact: *"]
        good ["302", "Contact: <sip:bob@192.0.2.9>"]
        => star_elsewhere;
    "contact-star-without-expires" Error "RFC 3261, Section 10.2.2"
        "Contact is *, and Expires is not 0 or another Contact stands beside it."
        "The registrar answers 400."
        bad ["REGISTER", "Contact: *"]
        good ["REGISTER", "Contact: *", "Expires: 0"]
        => star_expires;
    "contact-unspecified" Warning "RFC 3261, Section 8.1.1.8"
        "The host of Contact is an address that nothing can be sent to."
        "Later requests are lost, or come back to their sender."
        bad ["INVITE", "Contact: <sip:alice@0.0.0.0>"]
        good ["INVITE", "Contact: <sip:alice@192.0.2.4>"]
        => unspecified;
    "contact-expires-long" Note "RFC 3261, Section 10.2.1.1"
        "A binding is asked for more than a day."
        "It outlives the address of most phones; registrars cut it."
        bad ["REGISTER", "Contact: <sip:alice@192.0.2.4>;expires=604800"]
        good ["REGISTER", "Contact: <sip:alice@192.0.2.4>;expires=3600"]
        => expires_long;
    "register-uri-user" Error "RFC 3261, Section 10.2"
        "The Request-URI of a REGISTER has a user."
        "It names the domain of the registrar; the user is in To."
        bad ["REGISTER", "=REGISTER sip:bob@b.example SIP/2.0"]
        good ["REGISTER", "=REGISTER sip:b.example SIP/2.0"]
        => register_uri;
    "binding-no-expires" Error "RFC 3261, Section 10.3"
        "A Contact in a 2xx to REGISTER doesn't say how long its binding lasts."
        "The client can't tell when to refresh it."
        bad ["200 REGISTER", "Contact: <sip:alice@192.0.2.4>"]
        good ["200 REGISTER", "Contact: <sip:alice@192.0.2.4>;expires=600"]
        => binding_expires;
    "bindings-not-listed" Error "RFC 3261, Section 10.3"
        "A 2xx to a REGISTER that adds a binding lists none."
        "The client can't tell whether it is registered, and for how long."
        bad ["REGISTER", "Contact: <sip:alice@192.0.2.4>;expires=600"] > ["200"]
        good ["REGISTER", "Contact: <sip:alice@192.0.2.4>;expires=600"]
            > ["200", "Contact: <sip:alice@192.0.2.4>;expires=600"]
        => not_listed;
    "record-route-strict" Error "RFC 3261, Section 16.6"
        "A Record-Route has no lr."
        "Its proxy must add lr; without it later requests are sent the way of RFC 2543."
        bad ["INVITE", "Record-Route: <sip:p.example>"]
        good ["INVITE", "Record-Route: <sip:p.example;lr>"]
        => record_route;
    "route-strict" Note "RFC 3261, Section 16.12"
        "A Route has no lr."
        "It is a strict router of RFC 2543, which overwrites the Request-URI."
        bad ["INVITE", "Route: <sip:p.example>"]
        good ["INVITE", "Route: <sip:p.example;lr>"]
        => route;
    "route-not-sip" Error "RFC 3261, Section 20.34"
        "A Route or Record-Route is no SIP or SIPS URI."
        "No proxy can be found by it."
        bad ["INVITE", "Route: <tel:+12015550123>"]
        good ["INVITE", "Route: <sip:p.example;lr>"]
        => route_not_sip;
    "record-route-not-copied" Error "RFC 3261, Section 12.1.1"
        "A response that forms a dialog lacks Record-Route values of its request, or has them in another order."
        "Both sides then know different routes, and later requests of one of them are lost."
        bad ["INVITE", "Record-Route: <sip:p.example;lr>"] > ["200+sdp", "Record-Route: <sip:q.example;lr>"]
        good ["INVITE", "Record-Route: <sip:p.example;lr>"] > ["200+sdp", "Record-Route: <sip:q.example;lr>, <sip:p.example;lr>"]
        => not_copied;
}

fn forms_dialog(subject: &Subject<'_>) -> bool {
    subject.is_request() && subject.method().and_then(Method::info).is_some_and(|info| info.forms_dialog)
}

fn contacts<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Contact<&'a [u8]>> {
    subject.message().values::<Contact<&[u8]>>().flatten()
}

fn sip_of<'a, 'b>(contact: &'b Contact<&'a [u8]>) -> Option<&'b SipUri<&'a [u8]>> {
    contact.address().and_then(|address| address.uri.as_sip())
}

fn many(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if forms_dialog(subject)
        && contacts(subject).nth(1).is_some()
        && let Some(header) = subject.message().all(HeaderId::Contact).next_back()
    {
        findings.header(&header, "one Contact is expected");
    }
}

fn not_sip(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if !forms_dialog(subject) {
        return;
    }
    for contact in contacts(subject) {
        if let Some(address) = contact.address()
            && let Uri::Other { scheme, .. } = &address.uri
        {
            findings.at(scheme, "a SIP or SIPS URI is expected");
        }
    }
}

fn not_sips(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if !forms_dialog(subject) {
        return;
    }
    let top = subject.message().addresses(HeaderId::Route).next().and_then(Result::ok);
    let is_secure = match &top {
        Some(route) => route.uri.as_sip().is_some_and(|uri| uri.secure),
        None => subject.message().request_uri_text().get(..5).is_some_and(|s| s.eq_ignore_ascii_case(b"sips:")),
    };
    for contact in contacts(subject).filter(|_| is_secure) {
        if let Some(uri) = sip_of(&contact).filter(|uri| !uri.secure) {
            findings.at(uri.host, "a SIPS URI is expected");
        }
    }
}

fn star_elsewhere(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let is_every = contacts(subject).any(|contact| contact.address().is_none());
    if is_every
        && !subject.is_request_of(&Method::Register)
        && let Some(header) = subject.first(HeaderId::Contact)
    {
        findings.header(&header, "* is for REGISTER");
    }
}

fn star_expires(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let is_every = contacts(subject).any(|contact| contact.address().is_none());
    if !is_every || !subject.is_request_of(&Method::Register) {
        return;
    }
    let is_zero = subject.get::<Expires>().is_some_and(|Expires(seconds)| seconds == 0);
    if (!is_zero || contacts(subject).nth(1).is_some())
        && let Some(header) = subject.first(HeaderId::Contact)
    {
        findings.header(&header, "* needs Expires: 0 and stands alone");
    }
}

fn unspecified(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for contact in contacts(subject) {
        if let Some(uri) = sip_of(&contact)
            && let ringback_message::Host::Address(ip) = uri.host()
            && (ip.is_unspecified() || ip.is_multicast())
        {
            findings.at(uri.host, format!("nothing can be sent to {ip}"));
        }
    }
}

const DAY_SECS: u32 = 86_400;

fn expires_long(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if !subject.is_request_of(&Method::Register) {
        return;
    }
    for contact in contacts(subject) {
        if let Some(address) = contact.address()
            && contact.expires_secs().is_some_and(|seconds| seconds > DAY_SECS)
        {
            findings.at(address.params.text(), "more than a day");
        }
    }
    if let (Some(Expires(seconds)), Some(header)) = (subject.get(), subject.first(HeaderId::Expires))
        && seconds > DAY_SECS
    {
        findings.header(&header, "more than a day");
    }
}

/// A 200 to REGISTER.
fn is_registered(subject: &Subject<'_>) -> bool {
    subject.is_of(&Method::Register) && (200..300).contains(&subject.code())
}

fn binding_expires(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for contact in contacts(subject).filter(|_| is_registered(subject)) {
        if let Some(uri) = sip_of(&contact).filter(|_| contact.expires_secs().is_none()) {
            findings.at(uri.host, "expires is missing");
        }
    }
}

fn not_listed(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, _)) = subject.pair().filter(|_| is_registered(subject)) else { return };
    let default = request.get::<Expires>().ok().flatten().map(|Expires(seconds)| seconds);
    let adds = |contact: &Contact<&[u8]>| {
        contact.address().is_some() && contact.expires_secs().or(default).is_none_or(|seconds| seconds > 0)
    };
    let is_adding = request.values::<Contact<&[u8]>>().flatten().any(|contact| adds(&contact));
    if is_adding && response.first(HeaderId::Contact).is_none() {
        findings.whole("Contact is missing");
    }
}

fn register_uri(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let uri = subject.message().request_uri_text();
    if subject.is_request_of(&Method::Register) && uri.contains(&b'@') {
        findings.at(uri, "the Request-URI names the registrar's domain, without a user");
    }
}

fn record_route(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    strict(subject, findings, HeaderId::RecordRoute);
}

fn route(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    strict(subject, findings, HeaderId::Route);
}

fn strict(subject: &Subject<'_>, findings: &mut Findings<'_>, id: HeaderId) {
    for address in subject.message().addresses(id).flatten() {
        if let Some(uri) = address.uri.as_sip()
            && !uri.params.has(b"lr")
        {
            findings.at(uri.host, "there is no lr");
        }
    }
}

fn route_not_sip(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for id in [HeaderId::Route, HeaderId::RecordRoute] {
        for address in subject.message().addresses(id).flatten() {
            if let Uri::Other { scheme, .. } = &address.uri {
                findings.at(scheme, "a SIP or SIPS URI is expected");
            }
        }
    }
}

fn not_copied(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, status)) = subject.pair() else { return };
    let of = |message: &ringback_message::Message| -> alloc::vec::Vec<_> {
        message.addresses(HeaderId::RecordRoute).flatten().map(|address| address.uri.to_owned_text()).collect()
    };
    let is_forming = subject.method().and_then(Method::info).is_some_and(|info| info.forms_dialog);
    if !is_forming || !(101..300).contains(&status.as_u16()) || response.first(HeaderId::RecordRoute).is_none() {
        return;
    }
    let (asked, answered) = (of(request), of(response));
    // Between two proxies the request lacks the values of those behind them, which the response has in front.
    let is_copied =
        asked.len() <= answered.len() && asked.iter().rev().zip(answered.iter().rev()).all(|(a, b)| a.equivalent(b));
    if !is_copied && let Some(header) = response.first(HeaderId::RecordRoute) {
        findings.header(&header, "this does not end with what the request has");
    }
}
