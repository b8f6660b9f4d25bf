//! URIs: what may stand in them, and where. `[RFC 3261, Section 19.1]`

use alloc::format;
use alloc::vec::Vec;

use ringback_message::registry::UriParameter;
use ringback_message::uri::{TelUri, Uri};
use ringback_message::{HeaderId, Method, SipUri};

use crate::{Findings, Subject};

rules! { "URIs"
    "uri-malformed" Error "RFC 3261, Section 19.1.1"
        "The Request-URI can't be read."
        "The request is answered with 400 or 416."
        bad ["OPTIONS", "=OPTIONS sip:bob@b.example:99999 SIP/2.0"]
        good ["OPTIONS", "=OPTIONS sip:bob@b.example:5070 SIP/2.0"]
        => malformed;
    "request-uri-component-not-allowed" Error "RFC 3261, Section 19.1.1"
        "The Request-URI has a method or header fields."
        "They say how to make a request from a URI, and must be gone from the request that was made."
        bad ["OPTIONS", "=OPTIONS sip:bob@b.example;method=INVITE SIP/2.0"]
        good ["OPTIONS", "=OPTIONS sip:bob@b.example SIP/2.0"]
        => request_uri;
    "uri-component-not-allowed" Warning "RFC 3261, Section 19.1.1"
        "A URI of a header field has a component that it can't have in this place."
        "Most receivers pass it over; who compares or copies the URI is led astray."
        bad ["OPTIONS", "From: <sip:alice@a.example;transport=udp>;tag=88sja8x7"]
        good ["OPTIONS", "From: <sip:alice@a.example>;tag=88sja8x7"]
        => components;
    "uri-escape-broken" Error "RFC 3261, Section 19.1.2"
        "A % in a URI is not followed by two hexadecimal digits."
        "Elements read it differently."
        bad ["OPTIONS", "From: <sip:al%ice@a.example>;tag=88sja8x7"]
        good ["OPTIONS", "From: <sip:al%69ce@a.example>;tag=88sja8x7"]
        => escapes;
    "uri-password" Warning "RFC 3261, Section 19.1.1"
        "A URI has a password."
        "It is sent in the clear and written to logs."
        bad ["OPTIONS", "From: <sip:alice:secret@a.example>;tag=88sja8x7"]
        good ["OPTIONS", "From: <sip:alice@a.example>;tag=88sja8x7"]
        => password;
    "uri-transport-tls" Note "RFC 3261, Section 26.2.2"
        "A URI says transport=tls."
        "The value is deprecated: a SIPS URI, or transport=tcp over TLS, says it."
        bad ["OPTIONS", "=OPTIONS sip:bob@b.example;transport=tls SIP/2.0"]
        good ["OPTIONS", "=OPTIONS sips:bob@b.example SIP/2.0", "Via: SIP/2.0/TLS a.example;branch=z9hG4bK776asdhds"]
        => transport_tls;
    "uri-parameter-repeated" Error "RFC 3261, Section 19.1.1"
        "A URI has a parameter twice."
        "A parameter may stand once, and elements differ in which they take."
        bad ["OPTIONS", "=OPTIONS sip:bob@b.example;transport=udp;transport=tcp SIP/2.0"]
        good ["OPTIONS", "=OPTIONS sip:bob@b.example;transport=tcp SIP/2.0"]
        => repeated;
    "uri-parameter-unknown" Note "RFC 3969, Section 4.1"
        "A URI has a parameter that is not registered."
        "Most elements pass it over."
        bad ["OPTIONS", "=OPTIONS sip:bob@b.example;transprot=tcp SIP/2.0"]
        good ["OPTIONS", "=OPTIONS sip:bob@b.example;transport=tcp SIP/2.0"]
        => unknown;
    "uri-user-not-phone" Warning "RFC 3261, Section 19.1.1"
        "A URI says user=phone, and its user is no telephone number."
        "A gateway can't dial it."
        bad ["OPTIONS", "=OPTIONS sip:bob@b.example;user=phone SIP/2.0"]
        good ["OPTIONS", "=OPTIONS sip:+12015550123@b.example;user=phone SIP/2.0"]
        => phone;
    "tel-malformed" Error "RFC 3966, Section 3"
        "A tel URI can't be read."
        "A local number needs a phone-context, and a global one begins with +."
        bad ["OPTIONS", "=OPTIONS tel:5550123 SIP/2.0"]
        good ["OPTIONS", "=OPTIONS tel:5550123;phone-context=+1201 SIP/2.0"]
        => tel;
    "sips-over-open-transport" Error "RFC 3261, Section 26.2.2"
        "The Request-URI is a SIPS URI, and the top Via says that the request came over UDP."
        "A SIPS request goes over TLS on every hop."
        bad ["OPTIONS", "=OPTIONS sips:bob@b.example SIP/2.0"]
        good ["OPTIONS", "=OPTIONS sips:bob@b.example SIP/2.0", "Via: SIP/2.0/TLS a.example;branch=z9hG4bK776asdhds"]
        => sips_open;
}

/// Where a URI stands: a column of the table. `[RFC 3261, Section 19.1.1]`
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Request,
    To,
    From,
    /// Of REGISTER, and of a redirection.
    Registered,
    /// Contact within a dialog, Record-Route and Route.
    Dialog,
}

fn uris<'a>(subject: &Subject<'a>) -> Vec<(Place, Uri<&'a [u8]>)> {
    let message = subject.message();
    let text = message.request_uri_text();
    let mut all: Vec<_> =
        Uri::parse(text, HeaderId::Other, 0).ok().map(|uri| (Place::Request, uri)).into_iter().collect();
    let is_registered = subject.is_of(&Method::Register) || matches!(subject.code(), 300..=399 | 485);
    let contact = if is_registered { Place::Registered } else { Place::Dialog };
    let places = [
        (HeaderId::To, Place::To),
        (HeaderId::From, Place::From),
        (HeaderId::Contact, contact),
        (HeaderId::Route, Place::Dialog),
        (HeaderId::RecordRoute, Place::Dialog),
    ];
    for (id, place) in places {
        all.extend(message.addresses(id).flatten().map(|address| (place, address.uri)));
    }
    all
}

fn sip_uris<'a>(subject: &Subject<'a>) -> impl Iterator<Item = (Place, SipUri<&'a [u8]>)> {
    uris(subject).into_iter().filter_map(|(place, uri)| match uri {
        Uri::Sip(uri) => Some((place, uri)),
        _ => None,
    })
}

fn malformed(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let text = subject.message().request_uri_text();
    if !subject.is_request() {
        return;
    }
    if let Err(error) = Uri::parse(text, HeaderId::Other, 0) {
        let rest = text.get(error.offset as usize..).filter(|rest| !rest.is_empty()).unwrap_or(text);
        findings.at(rest, format!("expected {}", error.expected));
    }
}

fn request_uri(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    components_of(subject, findings, |place| place == Place::Request);
}

fn components(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    // A response has the From and To of its request. [RFC 3261, Section 8.2.6.2]
    match subject.status() {
        Some(_) => components_of(subject, findings, |place| !matches!(place, Place::Request | Place::From | Place::To)),
        None => components_of(subject, findings, |place| place != Place::Request),
    }
}

fn components_of(subject: &Subject<'_>, findings: &mut Findings<'_>, is_wanted: fn(Place) -> bool) {
    for (place, uri) in sip_uris(subject).filter(|(place, _)| is_wanted(*place)) {
        let is_name = matches!(place, Place::To | Place::From);
        let found = [
            ("a port", is_name && uri.port.is_some()),
            ("method", place != Place::Registered && uri.params.has(b"method")),
            ("maddr", is_name && uri.params.has(b"maddr")),
            ("ttl", (is_name || place == Place::Dialog) && uri.params.has(b"ttl")),
            ("transport", is_name && uri.params.has(b"transport")),
            ("lr", (is_name || place == Place::Registered) && uri.params.has(b"lr")),
            ("header fields", place != Place::Registered && uri.headers.is_some()),
        ];
        for (what, _) in found.into_iter().filter(|(_, is_there)| *is_there) {
            findings.at(uri.host, format!("{what} can't stand in this URI"));
        }
    }
}

fn escapes(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (_, uri) in sip_uris(subject) {
        let parts = [uri.user, uri.password, Some(uri.params.text()), uri.headers];
        for part in parts.into_iter().flatten() {
            if let Some(at) = broken_escape(part) {
                findings.at(at, "two hexadecimal digits are expected behind %");
            }
        }
    }
}

fn broken_escape(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    loop {
        let at = rest.iter().position(|&b| b == b'%')?;
        let (_, from) = rest.split_at_checked(at)?;
        match from {
            [_, high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => rest = tail,
            _ => return from.get(..1),
        }
    }
}

fn password(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (_, uri) in sip_uris(subject) {
        if let Some(password) = uri.password {
            findings.at(password, "a password in a URI");
        }
    }
}

fn transport_tls(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (_, uri) in sip_uris(subject) {
        if let Some(value) = uri.params.value(b"transport").filter(|value| value.eq_ignore_ascii_case(b"tls")) {
            findings.at(value, "transport=tls is deprecated");
        }
    }
}

fn repeated(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (_, uri) in sip_uris(subject) {
        let mut seen = alloc::collections::BTreeSet::new();
        for (name, _) in uri.params.iter() {
            if !seen.insert(name.to_ascii_lowercase()) {
                findings.at(name, format!("{} is there already", name.escape_ascii()));
            }
        }
    }
}

fn unknown(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (_, uri) in sip_uris(subject) {
        for (name, _) in uri.params.iter().filter(|(name, _)| UriParameter::find(name).is_none()) {
            findings.at(name, format!("{} is not registered", name.escape_ascii()));
        }
    }
}

fn phone(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (_, uri) in sip_uris(subject) {
        let is_phone = uri.params.value(b"user").is_some_and(|value| value.eq_ignore_ascii_case(b"phone"));
        if let Some(user) = uri.user.filter(|_| is_phone) {
            let number = user.split(|&b| b == b';').next().unwrap_or_default();
            let is_digit = |b: &u8| b.is_ascii_hexdigit() || b"+-.()*#%".contains(b);
            if number.is_empty() || !number.iter().all(is_digit) || !number.iter().any(u8::is_ascii_digit) {
                findings.at(user, "this is no telephone number");
            }
        }
    }
}

fn tel(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (_, uri) in uris(subject) {
        let Uri::Other { scheme, rest } = uri else { continue };
        if scheme.eq_ignore_ascii_case(b"tel") && TelUri::parse(rest, HeaderId::Other, 0).is_err() {
            findings.at(rest, "this is no telephone number as a tel URI has it");
        }
    }
}

fn sips_open(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let text = subject.message().request_uri_text();
    let is_secure = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"sips:"));
    let via = subject.get::<ringback_message::Via<&[u8]>>();
    if let Some(via) = via.filter(|via| is_secure && via.transport.eq_ignore_ascii_case(b"UDP")) {
        findings.at(via.transport, "a SIPS request can't come over UDP");
    }
}
