//! What an RFC demands of a message beyond the grammar of its header fields, and beyond the registries.

use crate::build::draft::Draft;
use crate::cursor::decimal;
use crate::error::BuildError;
use crate::header::{Contact, ContentType, HeaderId, MinSe, SessionExpires};
use crate::message::{Message, Request};
use crate::method::Method;
use crate::status::StatusCode;
use crate::uri::Uri;

/// The first number that CSeq can't have.
pub(crate) const CSEQ_END: u32 = 1 << 31;
pub(crate) const CSEQ_RULE: &str = "the number of CSeq is below 2147483648";

/// The error where it doesn't hold.
fn must(holds: bool, what: &'static str, section: &'static str) -> Result<(), BuildError> {
    if holds { Ok(()) } else { Err(BuildError::Rule { what, section }) }
}

/// The rules of requests.
pub(crate) fn request(request: &Request) -> Result<(), BuildError> {
    must(request.from_tag().is_some(), "a request has a tag in From", "RFC 3261, Section 8.1.1.3")?;
    let branch = request.branch().and_then(|branch| branch.strip_prefix(crate::header::MAGIC_COOKIE));
    let unique = branch.is_some_and(|rest| !rest.is_empty());
    must(unique, "the branch of a request begins with z9hG4bK and goes on", "RFC 3261, Section 8.1.1.7")?;
    must(request.cseq() < CSEQ_END, CSEQ_RULE, "RFC 3261, Section 8.1.1.5")?;
    vias(request)?;
    let uri = request.request_uri().map_err(BuildError::RequestUri)?;
    request_uri(&uri)?;
    let names_user = uri.as_sip().is_some_and(|sip| sip.user.is_some());
    let to_server = !request.is(&Method::Register) || !names_user;
    must(to_server, "the Request-URI of a REGISTER names a domain and no user", "RFC 3261, Section 10.2")?;
    contacts(request)?;
    addresses(request)?;
    session_timer(request)?;
    multipart(request)?;
    dialogs(request)
}

/// What the parameters of Via can say: the grammar of unknown ones lets all of it pass.
fn vias(request: &Request) -> Result<(), BuildError> {
    for via in request.vias() {
        let via = via.map_err(BuildError::Malformed)?;
        let value = |name: &[u8]| via.params.find(name).map(Option::unwrap_or_default);
        let lives = value(b"ttl").is_none_or(|ttl| ttl.len() <= 3 && decimal(ttl).is_some_and(|ttl| ttl <= 255));
        must(lives, "ttl of a Via is a number from 0 to 255", "RFC 3261, Section 25.1")?;
        let received = value(b"received").is_none() || via.received().is_some();
        must(received, "received of a Via is an address", "RFC 3261, Section 25.1")?;
        let answered = value(b"rport").is_none_or(<[u8]>::is_empty) || via.rport().flatten().is_some();
        must(answered, "rport of a Via is a port from 1 to 65535, or has no value", "RFC 3581, Section 3")?;
    }
    Ok(())
}

/// What no Request-URI holds, where it was read as strictly as one that is written.
pub(crate) fn request_uri(uri: &Uri<&[u8]>) -> Result<(), BuildError> {
    if let Some(Err(error)) = uri.as_tel() {
        return Err(BuildError::RequestUri(error));
    }
    let Uri::Sip(sip) = uri else { return Ok(()) };
    let plain = sip.headers.is_none() && !sip.params.has(b"method");
    must(plain, "a Request-URI has no header fields and no method", "RFC 3261, Section 19.1.1")
}

fn contacts(request: &Request) -> Result<(), BuildError> {
    let (mut count, mut every) = (0_usize, false);
    for contact in request.values::<Contact<_>>() {
        count = count.saturating_add(1);
        every |= matches!(contact, Ok(Contact::<&[u8]>::Every));
    }
    let removes = request.is(&Method::Register) && count == 1 && request.number(HeaderId::Expires) == Ok(Some(0));
    must(!every || removes, "a Contact of * stands alone, in a REGISTER with Expires: 0", "RFC 3261, Section 10.2.2")?;
    if request.method().info().is_some_and(|info| info.forms_dialog) {
        let what = "a request that can make a dialog has one Contact, which is a SIP or SIPS URI";
        must(count == 1 && is_target(request), what, "RFC 3261, Section 8.1.1.8")?;
        return dialog_contact(request);
    }
    if request.is(&Method::Update) { dialog_contact(request) } else { Ok(()) }
}

/// Whether each Contact is one that requests can be sent to.
fn is_target(message: &Message) -> bool {
    message.values::<Contact<&[u8]>>().all(|contact| match contact {
        Ok(Contact::Address(address)) => address.uri.as_sip().is_some(),
        _ => false,
    })
}

/// The Contact of a message that makes a dialog or changes its target.
pub(crate) fn dialog_contact(message: &Message) -> Result<(), BuildError> {
    let what = "the Contact of a dialog is one SIP or SIPS URI";
    must(is_target(message) && message.values::<Contact<&[u8]>>().count() <= 1, what, "RFC 3261, Section 12.1.1")?;
    plain_addresses(message, HeaderId::Contact)
}

/// Header fields and a method have no place in such a URI.
fn plain_addresses(message: &Message, id: HeaderId) -> Result<(), BuildError> {
    let is_plain = |uri: &Uri<&[u8]>| match uri {
        Uri::Sip(sip) => sip.headers.is_none() && !sip.params.has(b"method"),
        _ => true,
    };
    let all = message.addresses(id).flatten().all(|address| is_plain(&address.uri));
    must(
        all,
        "a URI in From, To, Route or the Contact of a dialog has no header fields and no method",
        "RFC 3261, Section 19.1.1",
    )
}

/// From, To and Route of a request; inside a dialog they are what the other side gave, as it came.
fn addresses(request: &Request) -> Result<(), BuildError> {
    if request.to_tag().is_some() {
        return Ok(());
    }
    [HeaderId::From, HeaderId::To, HeaderId::Route].into_iter().try_for_each(|id| plain_addresses(request, id))
}

/// What stands between the parts of a body is named.
pub(crate) fn multipart(message: &Message) -> Result<(), BuildError> {
    let content_type = message.get::<ContentType<&[u8]>>()?;
    let bounded = content_type.is_none_or(|content_type| {
        !content_type.m_type.eq_ignore_ascii_case(b"multipart") || content_type.boundary().is_some()
    });
    must(bounded, "the Content-Type of a multipart body has a boundary", "RFC 2046, Section 5.1.1")
}

/// "The absolute minimum for the Session-Expires header field is 90 seconds", and Min-SE never raises it above the interval that is asked for.
pub(crate) fn session_timer(message: &Message) -> Result<(), BuildError> {
    let interval = message.get::<SessionExpires<&[u8]>>()?.map(|timer| timer.seconds);
    let least = message.get::<MinSe<&[u8]>>()?.map(|min| min.seconds);
    let long = interval.is_none_or(|seconds| seconds >= SESSION_SECS_MIN);
    must(long, "Session-Expires is 90 seconds at least", "RFC 4028, Section 4")?;
    must(
        least.is_none_or(|seconds| seconds >= SESSION_SECS_MIN),
        "Min-SE is 90 seconds at least",
        "RFC 4028, Section 5",
    )?;
    let fits = !message.is_request() || interval.zip(least).is_none_or(|(interval, least)| interval >= least);
    must(fits, "Session-Expires is not below Min-SE", "RFC 4028, Section 7.1")
}

const SESSION_SECS_MIN: u32 = 90;

fn dialogs(request: &Request) -> Result<(), BuildError> {
    let has = |id| request.first(id).is_some();
    let inside = request.is(&Method::Notify) || request.method().info().is_none_or(|info| info.outside_dialog);
    must(
        inside || request.to_tag().is_some(),
        "a request inside a dialog has a tag in To",
        "RFC 3261, Section 12.2.1.1",
    )?;
    let demands = request.is(&Method::Cancel) && (has(HeaderId::Require) || has(HeaderId::ProxyRequire));
    must(!demands, "a CANCEL has neither Require nor Proxy-Require", "RFC 3261, Section 9.1")?;
    must(
        !(has(HeaderId::Replaces) && has(HeaderId::Join)),
        "Replaces and Join don't stand together",
        "RFC 3911, Section 4",
    )
}

/// The rules of responses, as far as their header fields were given and not repeated.
pub(crate) fn response(status: StatusCode, request: Option<&Message>, draft: &Draft) -> Result<(), BuildError> {
    if let Some(method) = request.and_then(Message::method_text) {
        answered(status, method)?;
    }
    let repeats = request.is_some();
    must(
        !(repeats && draft.has(HeaderId::Via)),
        "a response has the Vias of its request",
        "RFC 3261, Section 8.2.6.2",
    )?;
    let routes = repeats && draft.has(HeaderId::RecordRoute);
    must(!routes, "a response has the Record-Route of its request", "RFC 3261, Section 12.1.1")?;
    let provisional = (101..200).contains(&status.as_u16());
    must(
        provisional || !draft.has(HeaderId::RSeq),
        "only a provisional response other than 100 is sent reliably",
        "RFC 3262, Section 3",
    )?;
    if !provisional || !draft.has_token(HeaderId::Require, "100rel") {
        return Ok(());
    }
    let supported = request.is_none_or(|request| {
        [HeaderId::Supported, HeaderId::Require].into_iter().any(|id| request.has_token(id, "100rel"))
    });
    must(supported, "a response is sent reliably only where the request supports 100rel", "RFC 3262, Section 3")
}

/// Which methods have such a response at all.
fn answered(status: StatusCode, method: &[u8]) -> Result<(), BuildError> {
    must(method != b"ACK", "an ACK has no response", "RFC 3261, Section 17")?;
    if method == b"INVITE" {
        return Ok(());
    }
    let provisional = (101..200).contains(&status.as_u16());
    must(
        !provisional,
        "100 is the only provisional response to another request than an INVITE",
        "RFC 4320, Section 4.1",
    )?;
    must(status != StatusCode::RequestTimeout, "a 408 answers nothing but an INVITE", "RFC 4320, Section 4.2")
}
