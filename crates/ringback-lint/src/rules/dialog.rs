//! Tags, Call-ID and CSeq. `[RFC 3261, Section 8.1.1]`

use alloc::format;

use ringback_message::{CSeq, HeaderId, Method};

use crate::subject::tag;
use crate::{Findings, Subject};

rules! { "Tags, Call-ID and CSeq"
    "from-tag-missing" Error "RFC 3261, Section 8.1.1.3"
        "From has no tag."
        "Without it no dialog can be told from another; only elements of RFC 2543 send it so."
        bad ["INVITE", "From: <sip:alice@a.example>"]
        good ["INVITE", "From: <sip:alice@a.example>;tag=88sja8x7"]
        => from_tag;
    "to-tag-missing-in-dialog" Error "RFC 3261, Section 12.2.1.1"
        "A request that is sent within a dialog only has no tag in To."
        "Its receiver can't find the dialog and answers 481."
        bad ["BYE", "To: <sip:bob@b.example>"]
        good ["BYE", "To: <sip:bob@b.example>;tag=314159ab"]
        => to_tag_missing;
    "to-tag-outside-dialog" Error "RFC 3261, Section 8.1.1.2"
        "A request that is never sent within a dialog has a tag in To."
        "Its receiver looks for a dialog that can't be there."
        bad ["REGISTER", "To: <sip:bob@b.example>;tag=314159ab"]
        good ["REGISTER", "To: <sip:bob@b.example>"]
        => to_tag_outside;
    "response-to-tag-missing" Error "RFC 3261, Section 8.2.6.2"
        "A response other than 100 has no tag in To."
        "Responses of several servers to one request can't be told apart."
        bad ["486", "To: <sip:bob@b.example>"]
        good ["486", "To: <sip:bob@b.example>;tag=314159ab"]
        => response_tag;
    "tag-short" Note "RFC 3261, Section 19.3"
        "A tag has too few characters for the 32 bits of randomness that it must hold."
        "Who can guess the tags of a dialog can end or change it, and two dialogs may get the same."
        bad ["INVITE", "From: <sip:alice@a.example>;tag=1"]
        good ["INVITE", "From: <sip:alice@a.example>;tag=88sja8x7"]
        => short;
    "tags-equal" Note "RFC 3261, Section 19.3"
        "From and To have the same tag."
        "Both sides draw their tags: they are equal where one was copied."
        bad ["BYE", "To: <sip:bob@b.example>;tag=88sja8x7"]
        good ["BYE", "To: <sip:bob@b.example>;tag=314159ab"]
        => equal;
    "cseq-method-mismatch" Error "RFC 3261, Section 8.1.1.5"
        "The method of CSeq is not that of the request."
        "The request is answered with 400."
        bad ["OPTIONS", "CSeq: 7 INVITE"]
        good ["OPTIONS", "CSeq: 7 OPTIONS"]
        => cseq_method;
    "cseq-too-large" Error "RFC 3261, Section 8.1.1.5"
        "The number of CSeq is 2147483648 or more."
        "Later requests of the dialog have no number left."
        bad ["OPTIONS", "CSeq: 2147483648 OPTIONS"]
        good ["OPTIONS", "CSeq: 2147483647 OPTIONS"]
        => cseq_large;
}

fn from_tag(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    untagged(subject, findings, HeaderId::From);
}

fn untagged(subject: &Subject<'_>, findings: &mut Findings<'_>, id: HeaderId) {
    let Some(header) = subject.first(id) else { return };
    let address = ringback_message::NameAddr::parse_only(id, header.value(), header.offset());
    if address.is_ok_and(|address| address.tag().is_none()) {
        findings.header(&header, format!("{id} has no tag"));
    }
}

fn to_tag_missing(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let info = subject.method().and_then(Method::info).filter(|_| subject.is_request());
    if info.is_some_and(|info| !info.outside_dialog) {
        untagged(subject, findings, HeaderId::To);
    }
}

fn to_tag_outside(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let info = subject.method().and_then(Method::info).filter(|_| subject.is_request());
    if info.is_some_and(|info| !info.inside_dialog)
        && let Some(Some(tag)) = tag(subject.message(), HeaderId::To)
    {
        findings.at(tag, "there is no dialog yet");
    }
}

fn response_tag(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if subject.code() > 100 {
        untagged(subject, findings, HeaderId::To);
    }
}

/// A token has 77 letters to choose from: six of them hold 32 bits and five don't.
const TAG_BYTES_MIN: usize = 6;

fn short(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    // A response has the From of its request, and its To as far as that had a tag. [RFC 3261, Section 8.2.6.2]
    let is_response = subject.status().is_some();
    let request = subject.pair().map(|(request, ..)| request);
    for id in [HeaderId::From, HeaderId::To] {
        let is_copied =
            is_response && (id == HeaderId::From || request.and_then(|request| tag(request, id)?).is_some());
        if let Some(Some(tag)) = tag(subject.message(), id)
            && !is_copied
            && tag.len() < TAG_BYTES_MIN
        {
            findings.at(tag, format!("its length is {}: 32 bits take {TAG_BYTES_MIN} characters at least", tag.len()));
        }
    }
}

fn equal(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let (Some(Some(from)), Some(Some(to))) =
        (tag(subject.message(), HeaderId::From), tag(subject.message(), HeaderId::To))
        && from == to
    {
        findings.at(to, "this is the tag of From too");
    }
}

fn cseq_method(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some(method) = subject.message().method_text() else { return };
    if let Some(cseq) = subject.get::<CSeq<&[u8]>>()
        && cseq.method != method
    {
        findings.at(cseq.method, format!("the method of the request is {}", method.escape_ascii()));
    }
}

fn cseq_large(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let Some(cseq) = subject.get::<CSeq<&[u8]>>()
        && cseq.number >= 1 << 31
        && let Some(header) = subject.first(HeaderId::CSeq)
    {
        findings.header(&header, "the number must be below 2147483648");
    }
}
