//! Reliable provisional responses. `[RFC 3262]`

use alloc::format;

use ringback_message::header::RAck;
use ringback_message::registry::OptionTag;
use ringback_message::{HeaderId, Method};

use crate::subject::lists;
use crate::{Findings, Subject};

rules! { "Reliable provisional responses"
    "rseq-without-require" Error "RFC 3262, Section 3"
        "A provisional response has RSeq and doesn't require 100rel."
        "The client sends no PRACK, and the response is repeated until the call fails."
        bad ["180", "RSeq: 1"]
        good ["180", "RSeq: 1", "Require: 100rel"]
        => rseq_alone;
    "require-without-rseq" Error "RFC 3262, Section 3"
        "A provisional response requires 100rel and has no RSeq."
        "The client can't say in its PRACK which response it confirms."
        bad ["180", "Require: 100rel"]
        good ["180", "Require: 100rel", "RSeq: 1"]
        => require_alone;
    "reliable-trying" Error "RFC 3262, Section 3"
        "A 100 is sent reliably."
        "It goes one hop only: nobody could confirm it."
        bad ["100", "RSeq: 1", "Require: 100rel"]
        good ["100"]
        => trying;
    "reliable-final" Warning "RFC 3262, Section 3"
        "A final response has RSeq or requires 100rel."
        "Final responses to INVITE have their ACK."
        bad ["200", "Require: 100rel"]
        good ["200", "Supported: 100rel"]
        => final_response;
    "reliable-outside-invite" Error "RFC 3262, Section 4"
        "A request other than INVITE requires 100rel."
        "It has no provisional responses but 100, and a server that takes the tag by its word answers 420."
        bad ["OPTIONS", "Require: 100rel"]
        good ["OPTIONS", "Supported: 100rel"]
        => outside_invite;
    "rack-not-invite" Warning "RFC 3262, Section 7.2"
        "RAck names a method other than INVITE."
        "Only INVITE has reliable provisional responses."
        bad ["PRACK", "RAck: 1 7 OPTIONS"]
        good ["PRACK", "RAck: 1 7 INVITE"]
        => rack_method;
    "allow-lacks-prack" Warning "RFC 3262, Section 4"
        "100rel is supported, and Allow doesn't list PRACK."
        "A peer that reads Allow thinks that reliable responses can't be had."
        bad ["INVITE", "Supported: 100rel", "Allow: INVITE, ACK, CANCEL, BYE"]
        good ["INVITE", "Supported: 100rel", "Allow: INVITE, ACK, CANCEL, BYE, PRACK"]
        => allow_prack;
    "reliable-unsupported" Error "RFC 3262, Section 3"
        "A provisional response is sent reliably, and the request doesn't name 100rel."
        "The client knows no PRACK."
        bad ["INVITE"] > ["180", "RSeq: 1", "Require: 100rel"]
        good ["INVITE", "Supported: 100rel"] > ["180", "RSeq: 1", "Require: 100rel"]
        => unsupported;
    "reliable-required" Error "RFC 3262, Section 3"
        "The request requires 100rel, and a provisional response is not sent reliably."
        "The server must send all but 100 reliably, or refuse with 420."
        bad ["INVITE", "Require: 100rel"] > ["180"]
        good ["INVITE", "Require: 100rel"] > ["180", "RSeq: 1", "Require: 100rel"]
        => required;
}

fn requires(subject: &Subject<'_>) -> bool {
    lists(subject.message(), HeaderId::Require, OptionTag::Rel100)
}

fn is_provisional(subject: &Subject<'_>) -> bool {
    (101..200).contains(&subject.code())
}

fn rseq_alone(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let Some(header) = subject.first(HeaderId::RSeq).filter(|_| is_provisional(subject) && !requires(subject)) {
        findings.header(&header, "Require: 100rel goes with it");
    }
}

fn require_alone(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if is_provisional(subject)
        && requires(subject)
        && !subject.has(HeaderId::RSeq)
        && let Some(header) = subject.first(HeaderId::Require)
    {
        findings.header(&header, "RSeq goes with it");
    }
}

fn trying(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if subject.code() == 100 && (subject.has(HeaderId::RSeq) || requires(subject)) {
        findings.whole("a 100 is never reliable");
    }
}

fn final_response(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    // A 421 names what the request must support.
    if subject.code() >= 200 && subject.code() != 421 && (subject.has(HeaderId::RSeq) || requires(subject)) {
        findings.whole("only provisional responses are made reliable this way");
    }
}

fn outside_invite(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if subject.is_request()
        && !subject.is_of(&Method::Invite)
        && requires(subject)
        && let Some(header) = subject.first(HeaderId::Require)
    {
        findings.header(&header, "100rel is for INVITE");
    }
}

fn rack_method(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let Some(rack) = subject.get::<RAck<&[u8]>>()
        && rack.method != Method::Invite.as_str().as_bytes()
    {
        findings.at(rack.method, "INVITE is expected");
    }
}

fn allow_prack(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let message = subject.message();
    let lists_prack = message.tokens(HeaderId::Allow).flatten().any(|token| token == b"PRACK");
    if lists(message, HeaderId::Supported, OptionTag::Rel100)
        && !lists_prack
        && subject.code() != 405
        && let Some(header) = subject.first(HeaderId::Allow)
    {
        findings.header(&header, "PRACK is not among the methods");
    }
}

fn unsupported(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, _, status)) = subject.pair() else { return };
    let is_named = [HeaderId::Supported, HeaderId::Require].into_iter().any(|id| lists(request, id, OptionTag::Rel100));
    if is_provisional(subject) && subject.has(HeaderId::RSeq) && !is_named {
        findings.whole(format!("the request doesn't name 100rel, and this {status} is reliable"));
    }
}

fn required(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, _, status)) = subject.pair() else { return };
    let is_required = lists(request, HeaderId::Require, OptionTag::Rel100);
    if is_provisional(subject) && is_required && !subject.has(HeaderId::RSeq) {
        findings.whole(format!("the request requires 100rel, and this {status} is not reliable"));
    }
}
