//! Allow, Accept and their kin: what they say, and whether responses keep to it. `[RFC 3261, Section 20]`

use alloc::format;

use ringback_message::header::{Accept, ContentType};
use ringback_message::{HeaderId, Message, Method};

use crate::{Findings, Subject};

rules! { "Allow and Accept"
    "allow-lacks-own-method" Warning "RFC 3261, Section 20.5"
        "Allow of a request doesn't list a method that belongs to the request."
        "Who sends INVITE must take ACK, CANCEL and BYE."
        bad ["INVITE", "Allow: INVITE, ACK, BYE"]
        good ["INVITE", "Allow: INVITE, ACK, CANCEL, BYE"]
        => own;
    "allow-lists-refused" Error "RFC 3261, Section 21.4.6"
        "A 405 lists the very method of the request in Allow."
        "The client can't tell what it may send."
        bad ["MESSAGE"] > ["405", "Allow: INVITE, MESSAGE"]
        good ["MESSAGE"] > ["405", "Allow: INVITE, ACK, CANCEL, BYE"]
        => refused;
    "allow-unknown-method" Note "RFC 3261, Section 27.4"
        "Allow lists a method that is not registered."
        "It is most often a misspelt one; the case of letters counts."
        bad ["OPTIONS", "Allow: Invite"]
        good ["OPTIONS", "Allow: OPTIONS, INVITE"]
        => unknown;
    "accept-lists-refused" Warning "RFC 3261, Section 21.4.13"
        "A 415 lists the very type of the request's body in Accept."
        "The client can't tell what to send instead."
        bad ["INVITE+sdp"] > ["415", "Accept: application/sdp"]
        good ["INVITE+sdp"] > ["415", "Accept: multipart/mixed"]
        => type_refused;
    "accept-ignored" Error "RFC 3261, Section 21.4.7"
        "The body of a 2xx is of a type that the request's Accept doesn't have."
        "The client can't read it; 406 is the answer where there is no other."
        bad ["OPTIONS", "Accept: application/sdp"] > ["200", "Content-Type: text/plain", "|fine"]
        good ["OPTIONS", "Accept: text/*"] > ["200", "Content-Type: text/plain", "|fine"]
        => ignored;
    "allow-events-unsupported" Warning "RFC 6665, Section 4.4.4"
        "Allow-Events is there, and Allow doesn't list SUBSCRIBE."
        "It says that events can be subscribed to, and that they can't."
        bad ["OPTIONS", "Allow: OPTIONS, INVITE", "Allow-Events: presence"]
        good ["OPTIONS", "Allow: OPTIONS, SUBSCRIBE", "Allow-Events: presence"]
        => events;
}

fn lists(message: &Message, method: &str) -> bool {
    message.tokens(HeaderId::Allow).flatten().any(|token| token == method.as_bytes())
}

fn own(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some(header) = subject.first(HeaderId::Allow).filter(|_| subject.is_request_of(&Method::Invite)) else {
        return;
    };
    for name in ["INVITE", "ACK", "CANCEL", "BYE"].into_iter().filter(|name| !lists(subject.message(), name)) {
        findings.header(&header, format!("{name} is not among the methods"));
    }
}

fn refused(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let (Some(method), 405) = (subject.method(), subject.code()) else { return };
    let named = subject.message().tokens(HeaderId::Allow).flatten();
    for token in named.filter(|token| *token == method.as_str().as_bytes()) {
        findings.at(token, "this is the method that is refused");
    }
}

fn unknown(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for token in subject.message().tokens(HeaderId::Allow).flatten() {
        if Method::registered(token).is_none() {
            findings.at(token, format!("{} is not registered", token.escape_ascii()));
        }
    }
}

fn body_type(message: &Message) -> Option<ContentType<&[u8]>> {
    message.get::<ContentType<&[u8]>>().ok().flatten().filter(|_| !message.body().is_empty())
}

fn type_refused(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, status)) = subject.pair() else { return };
    let Some(sent) = body_type(request).filter(|_| status.as_u16() == 415) else { return };
    // The encoding or the language may be what is refused.
    if request.first(HeaderId::ContentEncoding).is_some() || request.first(HeaderId::ContentLanguage).is_some() {
        return;
    }
    for range in response.values::<Accept<&[u8]>>().flatten().filter(|range| range.matches(&sent)) {
        findings.at(range.m_type, "this is the type that is refused");
    }
}

fn ignored(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, status)) = subject.pair() else { return };
    let Some(sent) = body_type(response).filter(|_| status.is_success()) else { return };
    let mut ranges = request.values::<Accept<&[u8]>>().flatten().peekable();
    if ranges.peek().is_some() && !ranges.any(|range| range.matches(&sent)) {
        findings.at(sent.m_type, "the request's Accept doesn't have this type");
    }
}

fn events(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let message = subject.message();
    if subject.has(HeaderId::Allow)
        && !lists(message, "SUBSCRIBE")
        && message.tokens(HeaderId::AllowEvents).flatten().next().is_some()
        && let Some(header) = subject.first(HeaderId::AllowEvents)
    {
        findings.header(&header, "SUBSCRIBE is not among the methods of Allow");
    }
}
