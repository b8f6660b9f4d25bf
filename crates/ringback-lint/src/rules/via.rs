//! Via and Max-Forwards. `[RFC 3261, Section 8.1.1.7]`

use alloc::collections::BTreeSet;
use alloc::format;

use ringback_message::header::{MAGIC_COOKIE, MaxForwards};
use ringback_message::{HeaderId, Method, Via};

use crate::{Findings, Subject};

rules! { "Via and Max-Forwards"
    "via-branch-missing" Error "RFC 3261, Section 8.1.1.7"
        "The top Via has no branch."
        "Its sender follows RFC 2543, and the transaction has to be matched by other fields."
        bad ["OPTIONS", "Via: SIP/2.0/UDP a.example;rport"]
        good ["OPTIONS", "Via: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds;rport"]
        => branch_missing;
    "via-branch-no-cookie" Error "RFC 3261, Section 8.1.1.7"
        "The branch of the top Via doesn't begin with z9hG4bK."
        "Its receiver takes the sender for one of RFC 2543 and doesn't trust the branch."
        bad ["OPTIONS", "Via: SIP/2.0/UDP a.example;branch=776asdhds;rport"]
        good ["OPTIONS", "Via: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds;rport"]
        => no_cookie;
    "via-branch-only-cookie" Error "RFC 3261, Section 8.1.1.7"
        "The branch of the top Via is z9hG4bK and nothing more."
        "All transactions of that sender look like one."
        bad ["OPTIONS", "Via: SIP/2.0/UDP a.example;branch=z9hG4bK;rport"]
        good ["OPTIONS", "Via: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds;rport"]
        => only_cookie;
    "via-branch-repeated" Warning "RFC 3261, Section 8.1.1.7"
        "Two Via values have the same sender and branch."
        "The message went in a circle, or an element doesn't draw its branches."
        bad ["OPTIONS", "+Via: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds"]
        good ["OPTIONS", "+Via: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhdt"]
        => branch_repeated;
    "via-transport-unknown" Note "RFC 3261, Section 20.42"
        "The top Via names a transport that is not registered."
        "A server that doesn't know it can't send the response."
        bad ["OPTIONS", "Via: SIP/2.0/UPD a.example;branch=z9hG4bK776asdhds;rport"]
        good ["OPTIONS", "Via: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds;rport"]
        => transport;
    "via-rport-missing" Note "RFC 3581, Section 3"
        "The top Via of a request over UDP has no rport."
        "Behind a NAT the response goes to the wrong port."
        bad ["OPTIONS", "Via: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds"]
        good ["OPTIONS", "Via: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds;rport"]
        => rport;
    "via-received-not-address" Warning "RFC 3261, Section 18.2.1"
        "The parameter received is no address."
        "The response can't be sent there."
        bad ["OPTIONS", "Via: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds;rport=5060;received=nat.example"]
        good ["OPTIONS", "Via: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds;rport=5060;received=192.0.2.7"]
        => received;
    "cancel-many-via" Error "RFC 3261, Section 9.1"
        "A CANCEL has more than one Via value."
        "Each hop makes its own CANCEL, with the top Via of the request that it cancels."
        bad ["CANCEL", "+Via: SIP/2.0/UDP b.example;branch=z9hG4bK87asdks7"]
        good ["CANCEL"]
        => cancel_many;
    "max-forwards-zero" Note "RFC 3261, Section 16.3"
        "Max-Forwards is 0."
        "The next proxy answers 483; only an OPTIONS may be answered there."
        bad ["INVITE", "Max-Forwards: 0"]
        good ["INVITE", "Max-Forwards: 70"]
        => zero;
    "max-forwards-large" Note "RFC 3261, Section 8.1.1.6"
        "Max-Forwards is above 70."
        "70 reaches everything, and more lets a loop run longer."
        bad ["INVITE", "Max-Forwards: 255"]
        good ["INVITE", "Max-Forwards: 70"]
        => large;
}

fn top<'a>(subject: &Subject<'a>) -> Option<Via<&'a [u8]>> {
    subject.get()
}

fn branch_missing(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let (Some(via), Some(header)) = (top(subject), subject.first(HeaderId::Via))
        && via.branch().is_none()
    {
        findings.header(&header, "there is no branch");
    }
}

fn branch_at(subject: &Subject<'_>, findings: &mut Findings<'_>, is_wrong: impl Fn(&[u8]) -> bool, text: &str) {
    if let Some(via) = top(subject)
        && let Some(branch) = via.branch().filter(|branch| is_wrong(branch))
    {
        findings.at(branch, text);
    }
}

fn cookie_len(branch: &[u8]) -> Option<usize> {
    let start = branch.get(..MAGIC_COOKIE.len())?;
    start.eq_ignore_ascii_case(MAGIC_COOKIE).then_some(MAGIC_COOKIE.len())
}

fn no_cookie(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    branch_at(subject, findings, |branch| cookie_len(branch).is_none(), "the branch must begin with z9hG4bK");
}

fn only_cookie(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let is_bare = |branch: &[u8]| cookie_len(branch) == Some(branch.len());
    branch_at(subject, findings, is_bare, "behind z9hG4bK must stand what makes the branch unique");
}

fn branch_repeated(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    for via in subject.message().vias().flatten() {
        let Some(branch) = via.branch() else { continue };
        if !seen.insert((via.host, via.port, branch.to_ascii_lowercase())) {
            findings.at(via.host, format!("branch {} of this sender is there already", branch.escape_ascii()));
        }
    }
}

/// Those of RFC 3261, SCTP, and WebSocket. `[RFC 4168, Section 4]` `[RFC 7118, Section 5.1]`
const TRANSPORTS: [&str; 7] = ["UDP", "TCP", "TLS", "SCTP", "TLS-SCTP", "WS", "WSS"];

fn transport(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let Some(via) = top(subject)
        && !TRANSPORTS.iter().any(|known| via.transport.eq_ignore_ascii_case(known.as_bytes()))
    {
        findings.at(via.transport, format!("{} is no registered transport", via.transport.escape_ascii()));
    }
}

fn rport(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let (Some(via), Some(header), true) = (top(subject), subject.first(HeaderId::Via), subject.is_request())
        && via.transport.eq_ignore_ascii_case(b"UDP")
        && via.rport().is_none()
    {
        findings.header(&header, "there is no rport");
    }
}

fn received(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for via in subject.message().vias().flatten() {
        if let Some(received) = via.params.value(b"received")
            && via.received().is_none()
        {
            findings.at(received, "an IP address is expected");
        }
    }
}

fn cancel_many(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let Some(via) = subject.message().vias().flatten().nth(1).filter(|_| subject.is_request_of(&Method::Cancel)) {
        findings.at(via.host, "a CANCEL has one Via");
    }
}

fn zero(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    hops(subject, findings, |hops| hops == 0, "no proxy passes this on");
}

fn large(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    hops(subject, findings, |hops| hops > 70, "70 is enough");
}

fn hops(subject: &Subject<'_>, findings: &mut Findings<'_>, is_odd: impl Fn(u8) -> bool, text: &str) {
    if let (Some(MaxForwards(hops)), Some(header)) = (subject.get(), subject.first(HeaderId::MaxForwards))
        && is_odd(hops)
    {
        findings.header(&header, text);
    }
}
