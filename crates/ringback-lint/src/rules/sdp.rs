//! Session descriptions, by the rules of `ringback-sdp`. `[RFC 8866]` `[RFC 3264]`

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use ringback_message::body::Body;
use ringback_message::registry::OptionTag;
use ringback_message::{HeaderId, Message, Method};
use ringback_sdp::attribute::{DesiredStatus, Strength};
use ringback_sdp::negotiate::Session;
use ringback_sdp::{BuildError, ParseError, SessionDescription};

use crate::subject::lists;
use crate::{Findings, Subject};

rules! { "Session descriptions"
    "sdp-malformed" Error "RFC 8866, Section 5"
        "A session description can't be read."
        "Its receiver answers 400 or 488."
        bad ["INVITE+sdp", "|o=- 1 IN IP4 192.0.2.4"]
        good ["INVITE+sdp", "|o=- 1 1 IN IP4 192.0.2.4"]
        => malformed;
    "sdp-departure" Warning "RFC 8866, Section 5"
        "A session description departs from the grammar, and its meaning is still plain."
        "Strict receivers refuse it."
        bad ["INVITE+sdp", "-|s="]
        good ["INVITE+sdp", "|s=-"]
        => departure;
    "sdp-attribute-malformed" Error "RFC 8866, Section 5.13"
        "A known attribute has a value that its grammar doesn't allow."
        "Receivers pass the attribute over, and with it what it says."
        bad ["INVITE+sdp", "|m=audio 4000 RTP/AVP 96", "|a=rtpmap:96 opus"]
        good ["INVITE+sdp", "|m=audio 4000 RTP/AVP 96", "|a=rtpmap:96 opus/48000/2"]
        => attribute;
    "sdp-contradiction" Error "RFC 8866, Section 5"
        "Parts of a session description contradict each other, or one lacks what it needs."
        "Its receivers read it differently."
        bad ["INVITE+sdp", "|m=audio 4000 RTP/AVP 96"]
        good ["INVITE+sdp", "|m=audio 4000 RTP/AVP 96", "|a=rtpmap:96 opus/48000/2"]
        => contradiction;
    "sdp-hold-by-address" Note "RFC 3264, Section 8.4"
        "A stream is put on hold by an address of zeros."
        "It is the way of RFC 2543, and ends RTCP and keep-alives too: a=sendonly or a=inactive says it."
        bad ["INVITE+sdp", "|c=IN IP4 0.0.0.0"]
        good ["INVITE+sdp", "|m=audio 4000 RTP/AVP 0", "|a=sendonly"]
        => hold;
    "sdp-loopback" Warning "RFC 8866, Section 5.7"
        "Media are to be sent to a loopback address."
        "They reach nobody but their own sender."
        bad ["INVITE+sdp", "|c=IN IP4 127.0.0.1"]
        good ["INVITE+sdp", "|c=IN IP4 192.0.2.4"]
        => loopback;
    "sdp-preconditions-not-named" Error "RFC 3312, Section 11"
        "An offer has preconditions, and the request doesn't name them: in Require where one is mandatory, else there or in Supported."
        "A server that doesn't know preconditions rings at once."
        bad ["INVITE+sdp", "|m=audio 4000 RTP/AVP 0", "|a=curr:qos e2e none", "|a=des:qos mandatory e2e sendrecv"]
        good ["INVITE+sdp", "Require: precondition", "|m=audio 4000 RTP/AVP 0", "|a=curr:qos e2e none",
            "|a=des:qos mandatory e2e sendrecv"]
        => preconditions;
    "sdp-offer-missing" Error "RFC 3261, Section 13.2.1"
        "An INVITE without an offer is answered by a 2xx without one."
        "No session comes about."
        bad ["INVITE"] > ["200"]
        good ["INVITE"] > ["200+sdp"]
        => offer_missing;
    "sdp-answer-missing" Error "RFC 3261, Section 13.2.1"
        "An INVITE with an offer is answered by a 2xx without an answer."
        "The client doesn't know where to send media and ends the call."
        bad ["INVITE+sdp"] > ["200"]
        good ["INVITE+sdp"] > ["200+sdp"]
        => answer_missing;
    "sdp-answer-unfit" Error "RFC 3264, Section 6"
        "The answer in a 2xx doesn't fit the offer of its INVITE."
        "The client ends the call."
        bad ["INVITE+sdp"] > ["200+sdp", "|m=video 4000 RTP/AVP 31"]
        good ["INVITE+sdp"] > ["200+sdp", "|m=audio 4000 RTP/AVP 0"]
        => unfit;
}

/// The session descriptions of a message, as they stand in it.
fn texts(message: &Message) -> Vec<Body> {
    let mut parts = message.parts().unwrap_or_default();
    parts.retain(|part| part.content_type().ok().flatten().is_some_and(|kind| kind.is("application", "sdp")));
    parts
}

fn readable(message: &Message) -> impl Iterator<Item = (Body, SessionDescription)> {
    texts(message).into_iter().filter_map(|part| {
        let description = SessionDescription::parse(part.bytes()).ok()?;
        Some((part, description))
    })
}

/// The bytes of a line of a description, counted from 1, from a column on, counted from 1.
fn line(part: &Body, number: u32, column: u32) -> &[u8] {
    let wanted = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
    let line = part.bytes().split(|&b| b == b'\n').nth(wanted).unwrap_or(part.bytes());
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let from = usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1);
    let rest = line.get(from..).filter(|rest| !rest.is_empty()).unwrap_or(line);
    // Behind the last line, where one is missing.
    if rest.is_empty() { stream(part, None) } else { rest }
}

fn at(findings: &mut Findings<'_>, part: &Body, error: &ParseError) {
    let section = Some(error.section).filter(|section| !section.is_empty());
    findings.at_by(line(part, error.line, error.column), format!("expected {}", error.expected), section);
}

fn malformed(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for part in texts(subject.message()) {
        if let Err(error) = SessionDescription::parse(part.bytes()) {
            at(findings, &part, &error);
        }
    }
}

fn departure(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for part in texts(subject.message()) {
        for error in SessionDescription::read(part.bytes()).map(|reading| reading.departures).unwrap_or_default() {
            at(findings, &part, &error);
        }
    }
}

fn attribute(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (part, description) in readable(subject.message()) {
        if let Err(BuildError::Malformed(error)) = description.check() {
            at(findings, &part, &error);
        }
    }
}

fn contradiction(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (part, description) in readable(subject.message()) {
        match description.check() {
            Ok(()) | Err(BuildError::Malformed(_)) => {}
            Err(BuildError::Contradiction { media, what, value, section }) => {
                let text = format!("{what}: {value}");
                findings.at_by(stream(&part, media), text, Some(section).filter(|section| !section.is_empty()));
            }
            Err(error) => findings.at(part.bytes(), error.to_string()),
        }
    }
}

/// The first line of a media description, or of the whole.
fn stream(part: &Body, index: Option<usize>) -> &[u8] {
    let mut lines = part.bytes().split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    match index {
        Some(index) => lines.filter(|line| line.starts_with(b"m=")).nth(index).unwrap_or(part.bytes()),
        None => lines.next().unwrap_or(part.bytes()),
    }
}

/// The `c=` lines of a description that say something of this kind.
fn connections(subject: &Subject<'_>, findings: &mut Findings<'_>, is_odd: fn(core::net::IpAddr) -> bool, text: &str) {
    for part in texts(subject.message()) {
        for line in part.bytes().split(|&b| b == b'\n').filter(|line| line.starts_with(b"c=")) {
            let address = line.split(|b| matches!(b, b' ' | b'/' | b'\r')).nth(2).unwrap_or_default();
            let ip = core::str::from_utf8(address).ok().and_then(|text| text.parse().ok());
            if ip.is_some_and(is_odd) {
                findings.at(address, text);
            }
        }
    }
}

fn hold(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    connections(subject, findings, |ip| ip.is_unspecified(), "nothing is sent to this address");
}

fn loopback(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    connections(subject, findings, |ip| ip.is_loopback(), "this address is that of its own host");
}

/// Mandatory ones are named in Require, and all others in Supported or Require.
fn preconditions(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let message = subject.message();
    let is_required = lists(message, HeaderId::Require, OptionTag::Precondition);
    let is_supported = lists(message, HeaderId::Supported, OptionTag::Precondition);
    if !subject.is_request() || is_required {
        return;
    }
    for (part, description) in readable(message) {
        for (index, media) in description.media().iter().enumerate() {
            let desired: Vec<_> = media.section().attributes::<DesiredStatus<'_>>().flatten().collect();
            let at = stream(&part, Some(index));
            if desired.iter().any(|row| row.strength == Strength::Mandatory) {
                findings.at(at, "Require: precondition goes with it");
            } else if !desired.is_empty() && !is_supported {
                findings.at(at, "Supported: precondition goes with it");
            }
        }
    }
}

fn offer_missing(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if is_without_body(subject) && subject.request().is_some_and(|request| request.body().is_empty()) {
        findings.whole("neither the INVITE nor this response has an offer");
    }
}

fn answer_missing(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if is_without_body(subject) && subject.request().is_some_and(|request| readable(request).next().is_some()) {
        findings.whole("the INVITE has an offer, and this response has no answer");
    }
}

/// A 2xx to INVITE without a body, where no reliable provisional response can have had the session description.
fn is_without_body(subject: &Subject<'_>) -> bool {
    let Some((request, response, status)) = subject.pair() else { return false };
    let may_be_earlier =
        [HeaderId::Supported, HeaderId::Require].into_iter().any(|id| lists(request, id, OptionTag::Rel100));
    subject.is_of(&Method::Invite) && status.is_success() && !may_be_earlier && response.body().is_empty()
}

fn unfit(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, status)) = subject.pair() else { return };
    if !subject.is_of(&Method::Invite) || !status.is_success() {
        return;
    }
    let (Some((_, offer)), Some((part, answer))) = (readable(request).next(), readable(response).next()) else {
        return;
    };
    let Ok(draft) = Session::new().draft(offer) else { return };
    let Ok(pending) = Session::new().send(draft) else { return };
    if let Err(refused) = pending.accept(answer) {
        findings.at(stream(&part, None), format!("{}", refused.error));
    }
}
