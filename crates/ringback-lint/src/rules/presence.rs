//! Which header fields are there, how often, and where.

use alloc::collections::BTreeSet;
use alloc::format;

use ringback_message::header::check_value;
use ringback_message::header::facts::{Repeats, Standing};
use ringback_message::{HeaderId, Method};

use crate::tables::{Mark, Verdict, verdict, wanted};
use crate::{Findings, Subject};

rules! { "Presence and count of header fields"
    "mandatory-header-missing" Error "RFC 3261, Section 8.1.1"
        "Via, From, To, Call-ID or CSeq is missing."
        "No message can be matched with its transaction and dialog without them."
        bad ["OPTIONS", "-Call-ID"]
        good ["OPTIONS", "Call-ID: a84b4c76e66710@a.example"]
        => mandatory;
    "max-forwards-missing" Error "RFC 3261, Section 8.1.1.6"
        "A request has no Max-Forwards."
        "Nothing else ends a loop of proxies for sure; 70 is the usual value."
        bad ["INVITE", "-Max-Forwards"]
        good ["INVITE", "Max-Forwards: 70"]
        => max_forwards;
    "method-header-missing" Error "RFC 3261, Section 20"
        "A request lacks a header field that its method must carry."
        "The receiver can't carry out the request and answers 400."
        bad ["SUBSCRIBE", "-Event"]
        good ["SUBSCRIBE", "Event: presence"]
        => method_headers;
    "table-header-missing" Error "RFC 3261, Section 20"
        "A header field is missing that the tables of header fields call mandatory for this method or code."
        "What the tables mark with an m must be there, and its receiver counts on it."
        bad ["202 INVITE", "-Contact"]
        good ["202 INVITE", "Contact: <sip:bob@192.0.2.9>"]
        => table_mandatory;
    "table-header-recommended" Warning "RFC 3261, Section 20"
        "A header field is missing that the tables of header fields recommend for this method or code."
        "Its receiver must cope without it, and knows less than it could."
        bad ["INVITE", "-Supported"]
        good ["INVITE", "Supported: path"]
        => table_recommended;
    "header-not-applicable" Error "RFC 3261, Section 20"
        "A header field stands in a message for which the tables mark it as not applicable."
        "It must not be sent there, and its receiver must ignore it."
        bad ["BYE", "Contact: <sip:alice@192.0.2.4>"]
        good ["BYE", "-Contact"]
        => not_applicable;
    "header-in-another-response" Note "RFC 3261, Section 20"
        "A header field stands in a message of a kind for which the tables have no place for it."
        "It has no meaning there, and hints at a code or a header field that was mistaken for another."
        bad ["200 BYE", "Retry-After: 5"]
        good ["503 BYE", "Retry-After: 5"]
        => elsewhere;
    "header-misplaced" Error "RFC 3261, Section 20"
        "A header field for requests stands in a response, or the other way round; or one of certain methods in another."
        "Its receiver has no use for it, and some reject the message."
        bad ["200 OPTIONS", "+Max-Forwards: 70"]
        good ["200 OPTIONS", "-Max-Forwards"]
        => misplaced;
    "header-repeated" Error "RFC 3261, Section 7.3.1"
        "A header field that may stand once is there again."
        "Elements differ in which they believe, which is a way around checks."
        bad ["OPTIONS", "+Call-ID: other@a.example"]
        good ["OPTIONS", "Call-ID: a84b4c76e66710@a.example"]
        => repeated;
    "header-value-malformed" Error "RFC 3261, Section 25.1"
        "The value of a header field is not what its grammar allows."
        "Its receiver answers 400 or passes over the header field."
        bad ["OPTIONS", "Date: yesterday"]
        good ["OPTIONS", "Date: Sat, 13 Nov 2010 23:29:00 GMT"]
        => malformed;
    "header-deprecated" Note "RFC 2543, Section 6.22"
        "A header field is deprecated or was dropped."
        "New elements ignore it."
        bad ["INVITE", "Hide: hop"]
        good ["INVITE", "Privacy: id"]
        => deprecated;
}

const MANDATORY: [HeaderId; 5] = [HeaderId::Via, HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq];

fn mandatory(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let section = if subject.is_request() { None } else { Some("RFC 3261, Section 8.2.6.2") };
    for id in MANDATORY.into_iter().filter(|id| !subject.has(*id)) {
        findings.whole_by(format!("{id} is missing"), section);
    }
}

fn max_forwards(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if subject.is_request() && !subject.has(HeaderId::MaxForwards) {
        findings.whole("Max-Forwards is missing");
    }
}

fn method_headers(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some(info) = subject.method().filter(|_| subject.is_request()).and_then(Method::info) else { return };
    for carry in info.must.iter().filter(|carry| carry.when.is_none() && !subject.has(carry.header)) {
        findings.whole_by(format!("{} must carry {}", info.method, carry.header), Some(info.source.as_str()));
    }
}

fn table_mandatory(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    by_table(subject, findings, Mark::Mandatory);
}

fn table_recommended(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    by_table(subject, findings, Mark::Recommended);
}

/// What rules of their own look at is left to them.
fn by_table(subject: &Subject<'_>, findings: &mut Findings<'_>, wanted_mark: Mark) {
    let Some(method) = subject.method() else { return };
    for (id, mark, section) in wanted(method, subject.status()) {
        let is_elsewhere = MANDATORY.contains(&id)
            || matches!(id, HeaderId::MaxForwards | HeaderId::ContentLength)
            || subject.is_request()
                && method.info().is_some_and(|info| info.must.iter().any(|carry| carry.header == id))
            || super::status::is_known(subject, id);
        if mark == wanted_mark && !is_elsewhere && !subject.has(id) && !replaced(subject, id) {
            findings.whole_by(format!("{id} is missing"), Some(section));
        }
    }
}

/// One of the three is enough in a 415. `[RFC 3261, Section 21.4.13]`
fn replaced(subject: &Subject<'_>, id: HeaderId) -> bool {
    let any = [HeaderId::Accept, HeaderId::AcceptEncoding, HeaderId::AcceptLanguage];
    subject.code() == 415 && any.contains(&id) && any.into_iter().any(|other| subject.has(other))
}

fn not_applicable(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some(method) = subject.method() else { return };
    // A code that came after the tables may carry what they have no place for.
    let is_ours = |id| !super::status::is_called_for(subject, id) && !is_misplaced(subject, id);
    for header in subject.message().headers().filter(|header| is_ours(header.id())) {
        if let Verdict::Is { mark: Mark::NotApplicable, source } = verdict(header.id(), method, subject.status()) {
            let kind = if subject.is_request() { "" } else { "a response to " };
            findings.header_by(&header, format!("{} must not stand in {kind}{method}", header.id()), Some(source));
        }
    }
}

fn elsewhere(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let (Some(method), Some(status)) = (subject.method(), subject.status()) else { return };
    let is_ours = |id| !super::status::is_known(subject, id) && !is_misplaced(subject, id);
    for header in subject.message().headers().filter(|header| is_ours(header.id())) {
        if let Verdict::Elsewhere(source) = verdict(header.id(), method, Some(status)) {
            findings.header_by(
                &header,
                format!("{} has no place in a {status} to {method}", header.id()),
                Some(source),
            );
        }
    }
}

/// What its own document defines for other messages. The builder refuses it by the same rows.
fn misplaced(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for header in subject.message().headers().filter(|header| is_misplaced(subject, header.id())) {
        let id = header.id();
        let Some(facts) = id.facts() else { continue };
        let text =
            match (subject.is_request(), subject.method().filter(|_| facts.may_stand(subject.is_request(), None))) {
                (true, Some(method)) => format!("{id} is not for {method}"),
                (false, Some(method)) => format!("{id} is not for responses to {method}"),
                (true, None) => format!("{id} is not for requests"),
                (false, None) => format!("{id} is not for responses"),
            };
        findings.header_by(&header, text, Some(facts.source.as_str()));
    }
}

fn is_misplaced(subject: &Subject<'_>, id: HeaderId) -> bool {
    id.facts().is_some_and(|facts| !facts.may_stand(subject.is_request(), subject.method()))
}

fn repeated(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    for header in subject.message().headers() {
        let is_once = header.id().facts().is_some_and(|facts| facts.repeats == Repeats::Once);
        if is_once && !seen.insert(header.id()) {
            findings.header(&header, format!("{} may stand once", header.id()));
        }
    }
}

fn malformed(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for header in subject.message().headers() {
        if let Err(error) = check_value(header.id(), header.value(), header.offset()) {
            findings.error(&error);
        }
    }
}

/// What drafts had beside RFC 2543; what the registry has as deprecated is in its table.
const DROPPED: [&[u8]; 1] = [b"Also"];

fn deprecated(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for header in subject.message().headers() {
        match header.id().facts() {
            Some(facts) if facts.standing == Standing::Deprecated => {
                findings.header_by(&header, format!("{} is deprecated", header.id()), Some(facts.source.as_str()));
            }
            None if DROPPED.iter().any(|name| header.name().eq_ignore_ascii_case(name)) => {
                findings.header(&header, "this header field was dropped from SIP in 2002");
            }
            _ => {}
        }
    }
}
