//! The request line and the response line. `[RFC 3261, Section 7]`

use alloc::format;

use ringback_message::status::registry;
use ringback_message::{Method, StatusCode};

use crate::{Findings, Subject};

rules! { "Request line and response line"
    "method-case" Error "RFC 3261, Section 7.1"
        "The method is a registered one in another case."
        "Methods are case-sensitive: receivers answer 501."
        bad ["OPTIONS", "=options sip:bob@b.example SIP/2.0", "CSeq: 7 options"]
        good ["OPTIONS", "=OPTIONS sip:bob@b.example SIP/2.0", "CSeq: 7 OPTIONS"]
        => method_case;
    "method-unknown" Note "RFC 3261, Section 27.4"
        "The method is not registered."
        "Most receivers answer 501."
        bad ["MESSAGE", "=CHAT sip:bob@b.example SIP/2.0", "CSeq: 7 CHAT"]
        good ["MESSAGE", "=MESSAGE sip:bob@b.example SIP/2.0", "CSeq: 7 MESSAGE"]
        => method_unknown;
    "code-unregistered" Note "RFC 3261, Section 8.1.3.2"
        "The response code is not registered."
        "Its receiver treats it as the x00 of its class, or as 183."
        bad ["486", "=SIP/2.0 497 Busy Here"]
        good ["486", "=SIP/2.0 486 Busy Here"]
        => code_unregistered;
    "reason-phrase-of-another-code" Warning "RFC 3261, Section 7.2"
        "The reason phrase is that of another code."
        "Programs read the code and people the phrase: they are told different things."
        bad ["486", "=SIP/2.0 486 Not Found"]
        good ["486", "=SIP/2.0 486 Busy Here"]
        => reason_of_another;
    "reason-phrase-empty" Note "RFC 3261, Section 7.2"
        "The response has no reason phrase."
        "It is legal, and of no help to whoever reads a trace."
        bad ["486", "=SIP/2.0 486 "]
        good ["486", "=SIP/2.0 486 In a call"]
        => reason_empty;
}

fn method_case(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some(method) = subject.message().method_text() else { return };
    let upper = method.to_ascii_uppercase();
    if upper != method
        && let Some(known) = Method::registered(&upper)
    {
        findings.at(method, format!("the method is written {known}"));
    }
}

fn method_unknown(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some(method) = subject.message().method_text() else { return };
    if Method::registered(&method.to_ascii_uppercase()).is_none() {
        findings.at(method, format!("{} is no registered method", method.escape_ascii()));
    }
}

fn code_unregistered(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some(status) = subject.status() else { return };
    if status.info().is_none_or(|info| !info.registered) {
        findings.whole(format!("{status} is not registered; it is treated as {}", status.treat_as()));
    }
}

fn reason_of_another(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some(status) = subject.status() else { return };
    let reason = subject.message().reason();
    let is_phrase = |code: StatusCode| reason.eq_ignore_ascii_case(code.default_phrase().as_bytes());
    if status.info().is_none() || is_phrase(status) {
        return;
    }
    if let Some(other) = registry().iter().find(|info| is_phrase(info.code)) {
        findings.at(reason, format!("this is the phrase of {}, and the code is {status}", other.code));
    }
}

fn reason_empty(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if subject.status().is_some() && subject.message().reason().is_empty() {
        findings.whole("there is no reason phrase");
    }
}
