//! What a response must and should carry by the status registry, and whether its code fits its request.

use alloc::format;
use alloc::string::String;

use ringback_message::header::{Reason, Warning};
use ringback_message::registry::WarnCode;
use ringback_message::status::{Carry, StatusInfo, When};
use ringback_message::{HeaderId, Method, StatusCode};

use crate::tables::{Mark, Verdict, verdict};
use crate::{Findings, Subject};

rules! { "Status codes"
    "response-header-missing" Error "RFC 3261, Section 21"
        "A response lacks a header field that its code must carry."
        "Its receiver can't do what the code asks of it."
        bad ["420", "-Unsupported"]
        good ["420", "Unsupported: foo"]
        => must;
    "response-header-recommended" Warning "RFC 3261, Section 21"
        "A response lacks a header field that its code should carry."
        "The response is of less use to its receiver."
        bad ["302", "-Contact"]
        good ["302", "Contact: <sip:bob@192.0.2.9>"]
        => should;
    "provisional-to-non-invite" Error "RFC 4320, Section 4.1"
        "A provisional response other than 100 answers a request that is no INVITE."
        "It holds up the transaction, and no client waits for it."
        bad ["180 OPTIONS"]
        good ["100 OPTIONS"]
        => provisional;
    "timeout-to-non-invite" Error "RFC 4320, Section 4.2"
        "A 408 answers a request that is no INVITE."
        "The client has timed out by itself, and late 408 responses make a storm."
        bad ["408 OPTIONS"]
        good ["504 OPTIONS"]
        => timeout;
    "code-not-for-method" Warning "RFC 3261, Section 21"
        "The code is defined for other methods than that of the request."
        "The client has no procedure for it and gives up."
        bad ["423 INVITE"]
        good ["423 REGISTER"]
        => not_for_method;
    "response-to-ack" Error "RFC 3261, Section 17.1"
        "A response answers an ACK."
        "An ACK is never answered: nobody waits for this response."
        bad ["486", "CSeq: 7 ACK"]
        good ["486", "CSeq: 7 INVITE"]
        => to_ack;
    "challenge-to-cancel" Error "RFC 3261, Section 22.1"
        "A 401 or 407 answers a CANCEL."
        "A CANCEL can't be sent again with credentials; whoever sent it over the way of its INVITE may send it."
        bad ["401 CANCEL"]
        good ["200 CANCEL"]
        => to_cancel;
    "accepted-to-subscribe" Note "RFC 6665, Section 8.3.1"
        "A 202 answers a SUBSCRIBE or NOTIFY."
        "The code has no meaning of its own there any more: send 200."
        bad ["202 SUBSCRIBE"]
        good ["200 SUBSCRIBE"]
        => accepted;
    "warn-code-unknown" Note "RFC 3261, Section 20.43"
        "A Warning has a code that is not registered."
        "Its receiver can show the text and do no more."
        bad ["488", "Warning: 398 b.example \"No\""]
        good ["488", "Warning: 399 b.example \"No\""]
        => warn_code;
    "reason-cause-unknown" Note "RFC 3326, Section 2"
        "A Reason of protocol SIP has a cause that is no registered response code."
        "Its receiver can't tell why the request came."
        bad ["BYE", "Reason: SIP;cause=799"]
        good ["BYE", "Reason: SIP;cause=480"]
        => reason;
    "code-obsolete" Note "RFC 2543, Section 7.4"
        "The code was dropped from SIP in 2002."
        "It is treated as 400."
        bad ["411"]
        good ["400"]
        => obsolete;
}

/// Whether the registry says something of this header field in this response.
pub(super) fn is_known(subject: &Subject<'_>, id: HeaderId) -> bool {
    let Some(info) = subject.status().and_then(StatusCode::info) else { return false };
    [info.must, info.should, info.may]
        .into_iter()
        .flatten()
        .any(|carry| carry.header == id && !matches!(holds(subject, carry), Some(false)))
}

/// Whether the registry surely has this header field in this response.
pub(super) fn is_called_for(subject: &Subject<'_>, id: HeaderId) -> bool {
    let Some(info) = subject.status().and_then(StatusCode::info) else { return false };
    [info.must, info.should, info.may]
        .into_iter()
        .flatten()
        .any(|carry| carry.header == id && holds(subject, carry) == Some(true))
}

/// Whether a header field is called for, as far as the messages tell.
fn holds(subject: &Subject<'_>, carry: &Carry) -> Option<bool> {
    if let Some((request, response, _)) = subject.pair() {
        return carry.when.holds(request, response);
    }
    alone(&carry.when, subject)
}

/// The same without the request: what only it can tell is open.
fn alone(when: &When, subject: &Subject<'_>) -> Option<bool> {
    let response = subject.message();
    match when {
        When::Always | When::Reliable | When::ResponseRequires(_) | When::Without(..) => when.holds(response, response),
        When::Method(methods) => subject.method().map(|method| methods.contains(method)),
        When::All(parts) => parts.iter().try_fold(true, |all, part| Some(all && alone(part, subject)?)),
        _ => None,
    }
}

fn must(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    carries(subject, findings, |info| info.must, "must");
}

fn should(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    carries(subject, findings, |info| info.should, "should");
}

fn carries(
    subject: &Subject<'_>,
    findings: &mut Findings<'_>,
    of: fn(&'static StatusInfo) -> &'static [Carry],
    verb: &str,
) {
    let Some(info) = subject.status().and_then(StatusCode::info) else { return };
    for carry in of(info) {
        // RSeq and Require of 100rel have rules of their own.
        let is_reliable = carry.when == When::Reliable;
        if !is_reliable && holds(subject, carry) == Some(true) && !subject.has(carry.header) {
            let text = format!("a {} {verb} carry {} ({})", info.code, carry.header, carry.when);
            findings.whole_in(text, source(subject, info, carry.header));
        }
    }
}

/// The section that asks for a header field: where the code is one for several methods, that of the method.
fn source(subject: &Subject<'_>, info: &StatusInfo, header: HeaderId) -> String {
    let of_code = || format!("RFC {}, Section {}", info.rfc, info.section);
    let (Some(method), 200 | 202 | 489) = (subject.method(), info.code.as_u16()) else { return of_code() };
    let section = match (info.code.as_u16(), method, header) {
        (489, ..) => None,
        (_, Method::Invite, HeaderId::Allow | HeaderId::Supported) => Some("RFC 3261, Section 13.3.1.4"),
        (_, Method::Invite, HeaderId::Contact) | (_, _, HeaderId::RecordRoute) => Some("RFC 3261, Section 12.1.1"),
        (_, Method::Options, _) => Some("RFC 3261, Section 11.2"),
        (_, Method::Register, HeaderId::Date) => Some("RFC 3261, Section 10.3"),
        (_, Method::Register, HeaderId::Path) => Some("RFC 3327, Section 5.3"),
        (_, Method::Subscribe, HeaderId::Expires) => Some("RFC 6665, Section 3.1.1"),
        (_, Method::Publish, HeaderId::Expires | HeaderId::SipEtag) => Some("RFC 3903, Section 6"),
        (_, Method::Refer, HeaderId::ReferEventsAt) => Some("RFC 7614, Section 4.3"),
        _ => None,
    };
    match (section, verdict(header, method, Some(info.code))) {
        (Some(section), _) => section.into(),
        (None, Verdict::Is { mark: Mark::Mandatory | Mark::Recommended, source }) => source.into(),
        _ => of_code(),
    }
}

fn provisional(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some(method) = subject.method().filter(|method| **method != Method::Invite) else { return };
    if (101..200).contains(&subject.code()) {
        findings.whole(format!("only 100 may come before the final response to {method}"));
    }
}

fn timeout(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if subject.code() == 408 && !subject.is_of(&Method::Invite) {
        findings.whole("408 is for INVITE only");
    }
}

/// Codes that have a meaning for some methods alone.
const FOR_METHODS: &[(u16, &[Method])] = &[
    (199, &[Method::Invite]),
    (204, &[Method::Subscribe]),
    (412, &[Method::Publish]),
    (422, &[Method::Invite, Method::Update]),
    (423, &[Method::Register, Method::Subscribe, Method::Publish]),
    (439, &[Method::Register]),
    (469, &[Method::Info]),
    (489, &[Method::Subscribe, Method::Notify, Method::Publish]),
    (491, &[Method::Invite, Method::Update]),
    (555, &[Method::Register]),
    (580, &[Method::Invite, Method::Prack, Method::Update]),
];

fn not_for_method(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let (Some(method), Some(info)) = (subject.method(), subject.status().and_then(StatusCode::info)) else { return };
    if let Some((_, methods)) = FOR_METHODS.iter().find(|(code, _)| *code == info.code.as_u16())
        && !methods.contains(method)
    {
        let section = format!("RFC {}, Section {}", info.rfc, info.section);
        findings.whole_in(format!("{} is not defined for {method}", info.code), section);
    }
}

fn to_ack(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if subject.status().is_some() && subject.is_of(&Method::Ack) {
        findings.whole("an ACK is never answered");
    }
}

fn to_cancel(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if matches!(subject.code(), 401 | 407) && subject.is_of(&Method::Cancel) {
        findings.whole("a CANCEL is never challenged");
    }
}

fn accepted(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if subject.code() == 202 && (subject.is_of(&Method::Subscribe) || subject.is_of(&Method::Notify)) {
        findings.whole("200 says all that 202 does");
    }
}

fn warn_code(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for warning in subject.message().values::<Warning<&[u8]>>().flatten() {
        let is_known = WarnCode::new(warning.code).is_ok_and(|code| code.info().is_some());
        if !is_known {
            findings.at(warning.agent, format!("{} is not registered", warning.code));
        }
    }
}

fn reason(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for reason in subject.message().values::<Reason<&[u8]>>().flatten() {
        let is_sip = reason.protocol.eq_ignore_ascii_case(b"SIP");
        if let Some(cause) = reason.params.value(b"cause").filter(|_| is_sip)
            && reason.status().and_then(StatusCode::info).is_none()
        {
            findings.at(cause, "this is no registered response code");
        }
    }
}

fn obsolete(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let section = match subject.code() {
        409 => "RFC 2543, Section 7.4.10",
        411 => "RFC 2543, Section 7.4.12",
        _ => return,
    };
    findings.whole_by("the code is one of RFC 2543", Some(section));
}
