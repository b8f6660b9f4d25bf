//! What a response copies from its request. `[RFC 3261, Section 8.2.6.2]`

use alloc::format;
use alloc::vec::Vec;

use ringback_message::{CSeq, HeaderId, Message};

use crate::subject::{address, tag};
use crate::{Findings, Subject};

rules! { "What a response copies"
    "response-via-differs" Error "RFC 3261, Section 8.2.6.2"
        "The Via values of a response are not those of its request."
        "The response goes astray, or is taken for that to another request."
        bad ["OPTIONS"] > ["200", "Via: SIP/2.0/UDP a.example;branch=z9hG4bKother;rport"]
        good ["OPTIONS"] > ["200", "Via: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds;rport=5060;received=192.0.2.4"]
        => via;
    "response-from-differs" Error "RFC 3261, Section 8.2.6.2"
        "From of a response is not that of its request."
        "The client can't find the dialog that the response belongs to."
        bad ["OPTIONS"] > ["200", "From: <sip:alice@a.example>;tag=99tka9y8"]
        good ["OPTIONS"] > ["200", "From: <sip:alice@a.example>;tag=88sja8x7"]
        => from;
    "response-to-differs" Error "RFC 3261, Section 8.2.6.2"
        "To of a response is not that of its request, but for a tag that was added."
        "A response that changes the address or the tag belongs to no dialog."
        bad ["BYE"] > ["200", "To: <sip:bob@b.example>;tag=27182818"]
        good ["BYE"] > ["200", "To: <sip:bob@b.example>;tag=314159ab"]
        => to;
    "response-call-id-differs" Error "RFC 3261, Section 8.2.6.2"
        "Call-ID of a response is not that of its request."
        "The response belongs to no call of the client."
        bad ["OPTIONS"] > ["200", "Call-ID: other@a.example"]
        good ["OPTIONS"] > ["200", "Call-ID: a84b4c76e66710@a.example"]
        => call_id;
    "response-cseq-differs" Error "RFC 3261, Section 8.2.6.2"
        "CSeq of a response is not that of its request."
        "The client passes the response over."
        bad ["OPTIONS"] > ["200", "CSeq: 8 OPTIONS"]
        good ["OPTIONS"] > ["200", "CSeq: 7 OPTIONS"]
        => cseq;
    "response-to-ack-request" Error "RFC 3261, Section 17.1"
        "The request that is answered is an ACK."
        "An ACK is never answered."
        bad ["ACK"] > ["481", "CSeq: 7 BYE"]
        good ["BYE"] > ["481"]
        => ack;
}

fn via(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, _)) = subject.pair() else { return };
    let of = |message: &Message| -> Vec<_> {
        let vias = message.vias().flatten();
        vias.map(|via| {
            (
                via.transport.to_ascii_uppercase(),
                via.host.to_ascii_lowercase(),
                via.port,
                via.branch().map(<[u8]>::to_ascii_lowercase),
            )
        })
        .collect()
    };
    if of(request) != of(response)
        && let Some(header) = response.first(HeaderId::Via)
    {
        findings.header(&header, "the request has other Via values");
    }
}

fn from(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, _)) = subject.pair() else { return };
    let is_same_tag = tag(request, HeaderId::From) == tag(response, HeaderId::From);
    if !is_same_tag || !is_same_uri(request, response, HeaderId::From) {
        at(findings, response, HeaderId::From);
    }
}

fn to(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, _)) = subject.pair() else { return };
    let is_same_tag = match tag(request, HeaderId::To) {
        Some(asked @ Some(_)) => tag(response, HeaderId::To) == Some(asked),
        _ => true,
    };
    if !is_same_tag || !is_same_uri(request, response, HeaderId::To) {
        at(findings, response, HeaderId::To);
    }
}

/// What can't be read is left to other rules.
fn is_same_uri(request: &Message, response: &Message, id: HeaderId) -> bool {
    match (address(request, id), address(response, id)) {
        (Some(asked), Some(answered)) => asked.uri.equivalent(&answered.uri),
        _ => true,
    }
}

fn at(findings: &mut Findings<'_>, response: &Message, id: HeaderId) {
    if let Some(header) = response.first(id) {
        findings.header(&header, format!("this is not {id} of the request"));
    }
}

fn call_id(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, _)) = subject.pair() else { return };
    if let (Some(asked), Some(answered)) = (request.first(HeaderId::CallId), response.first(HeaderId::CallId))
        && asked.value() != answered.value()
    {
        findings.header(&answered, "this is not Call-ID of the request");
    }
}

fn cseq(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, _)) = subject.pair() else { return };
    let of = |message: &Message| {
        let cseq = message.get::<CSeq<&[u8]>>().ok().flatten()?;
        Some((cseq.number, cseq.method.to_vec()))
    };
    if let (Some(asked), Some(answered)) = (of(request), of(response))
        && asked != answered
    {
        at(findings, response, HeaderId::CSeq);
    }
}

fn ack(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, _, _)) = subject.pair() else { return };
    if request.method_text() == Some(b"ACK") {
        findings.whole("an ACK is never answered");
    }
}
