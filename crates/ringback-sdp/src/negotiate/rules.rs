//! Whether an answer fits its offer. `[RFC 3264, Section 6]`

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::attribute::{BundleOnly, Crypto, Group, RtcpMux, Setup};
use crate::description::{MediaDescription, SessionDescription};
use crate::line::{Connection, Line};
use crate::negotiate::agreement;
use crate::negotiate::bundle::{self, Names};
use crate::negotiate::refusal::{AnswerError, AnswerErrorKind};

/// Whose answer it is: one's own is held to every rule, that of the other side to those without which it has no meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Own,
    Theirs,
}

/// The first rule that the answer breaks.
pub(crate) fn check(offer: &SessionDescription, answer: &SessionDescription, whose: Whose) -> Result<(), AnswerError> {
    let wrong = |media, kind| Err(AnswerError { media, kind });
    let (offered, answered) = (offer.media().len(), answer.media().len());
    if offered != answered {
        return wrong(None, AnswerErrorKind::MediaCount { offered, answered });
    }
    if whose == Whose::Own {
        answer.check().map_err(|error| AnswerError { media: None, kind: AnswerErrorKind::Invalid(error.into()) })?;
        // "The "t=" line in the answer MUST equal that of the offer." [RFC 3264, Section 6]
        if !times(offer).eq(times(answer)) {
            return wrong(None, AnswerErrorKind::Timing);
        }
    }
    // "the offerer MUST check that any bundled "m=" section in the answer was indicated as bundled" [RFC 8843, Section 7.4]
    if !is_bundle_offered(offer, answer) {
        return wrong(None, AnswerErrorKind::Bundle);
    }
    if let Some(index) = without_mux(answer) {
        return wrong(Some(index), AnswerErrorKind::BundleWithoutMux);
    }
    for (index, (theirs, ours)) in offer.media().iter().zip(answer.media()).enumerate() {
        let is_gone = ours.port() == 0 && ours.section().attribute::<BundleOnly>().is_none();
        if let Err(kind) = if is_gone { Ok(()) } else { stream((offer, theirs), (answer, ours), whose) } {
            return wrong(Some(index), kind);
        }
    }
    Ok(())
}

fn times(description: &SessionDescription) -> impl Iterator<Item = &[u8]> {
    description.section().with_letter('t').map(Line::value)
}

/// The bundle of an answer holds streams of one bundle of the offer, each where it was offered.
fn is_bundle_offered(offer: &SessionDescription, answer: &SessionDescription) -> bool {
    let offered: Vec<BTreeSet<&str>> = bundles(offer).map(|group| group.tags.into_iter().collect()).collect();
    let mut answered = bundles(answer).peekable();
    if answered.peek().is_none() {
        return true;
    }
    let (theirs, ours) = (Names::of(offer), Names::of(answer));
    let is_in_place = |tag: &&str| {
        let place = ours.places.get(tag);
        place.is_none() || place == theirs.places.get(tag)
    };
    answered.all(|group| {
        group.tags.iter().all(is_in_place)
            && offered.iter().any(|other| group.tags.iter().all(|tag| other.contains(tag)))
    })
}

/// The first stream of a bundle whose RTCP would have a port of its own: neither it nor the one whose address it has is
/// multiplexed.
fn without_mux(answer: &SessionDescription) -> Option<usize> {
    let names = bundles(answer).next().map(|_| Names::of(answer))?;
    let is_muxed = |media: &MediaDescription| media.section().attribute::<RtcpMux>().is_some();
    let mut bad = bundles(answer).filter_map(|group| {
        let places = group.tags.iter().filter_map(|tag| names.places.get(tag).copied());
        let members = || places.clone().filter_map(|index| Some((index, answer.media().get(index)?)));
        let carrier = members().find(|(_, media)| media.port() != 0);
        if carrier.is_some_and(|(_, media)| is_muxed(media)) {
            return None;
        }
        let mut wanted = members().filter(|(_, media)| bundle::is_wanted(media) && media.line().is_rtp());
        wanted.find(|(_, media)| !is_muxed(media)).map(|(index, _)| index)
    });
    bad.next()
}

pub(crate) fn bundles(description: &SessionDescription) -> impl Iterator<Item = Group<'_>> {
    description.section().attributes::<Group<'_>>().filter_map(Result::ok).filter(Group::is_bundle)
}

type Side<'a> = (&'a SessionDescription, &'a MediaDescription);

fn stream((offer, theirs): Side<'_>, (answer, ours): Side<'_>, whose: Whose) -> Result<(), AnswerErrorKind> {
    // "A stream that is offered with a port of zero MUST be marked with port zero in the answer." [RFC 3264, Section 8.2]
    if theirs.port() == 0 && theirs.section().attribute::<BundleOnly>().is_none() {
        return Err(AnswerErrorKind::NotOffered);
    }
    if theirs.media() != ours.media() {
        return Err(AnswerErrorKind::MediaType);
    }
    if !theirs.protocol().eq_ignore_ascii_case(ours.protocol()) {
        return Err(AnswerErrorKind::Protocol);
    }
    if !agreement::is_common(theirs, ours) {
        return Err(AnswerErrorKind::Format);
    }
    let group = |description: &SessionDescription, media: &MediaDescription| {
        let connection = description.connection_of(media);
        connection.filter(Connection::is_multicast).map(|connection| alloc::string::String::from(connection.address))
    };
    let multicast = group(offer, theirs);
    if multicast != group(answer, ours) {
        return Err(AnswerErrorKind::Multicast);
    }
    if let Some(offered) = setup(offer, theirs)
        && let Some(answered) = setup(answer, ours)
        && !answered.answers(offered)
    {
        return Err(AnswerErrorKind::Setup);
    }
    crypto(theirs, (answer, ours))?;
    if whose == Whose::Theirs {
        return Ok(());
    }
    let (offered, answered) = (offer.direction_of(theirs), answer.direction_of(ours));
    let is_allowed = if multicast.is_some() { offered == answered } else { answered.answers(offered) };
    if !is_allowed {
        return Err(AnswerErrorKind::Direction);
    }
    // Of a stream that is offered in a bundle only, the one whose address it has speaks. [RFC 8843, Section 7.1.3]
    let speaks = theirs.section().attribute::<BundleOnly>().is_none();
    if speaks && ours.section().attribute::<RtcpMux>().is_some() && theirs.section().attribute::<RtcpMux>().is_none() {
        return Err(AnswerErrorKind::RtcpMux);
    }
    Ok(())
}

/// The role of a stream: its own, or that of the session.
pub(crate) fn setup(description: &SessionDescription, media: &MediaDescription) -> Option<Setup> {
    media.section().attribute().or_else(|| description.section().attribute())
}

/// A key answers an offered one by its tag, and is of the same suite.
fn crypto(theirs: &MediaDescription, (answer, ours): Side<'_>) -> Result<(), AnswerErrorKind> {
    let offered: Vec<Crypto<'_>> = theirs.section().attributes().filter_map(Result::ok).collect();
    let mut answered = ours.section().attributes::<Crypto<'_>>().filter_map(Result::ok).peekable();
    let has_certificate = ours.section().has("fingerprint") || answer.section().has("fingerprint");
    let is_needed = !offered.is_empty() && !has_certificate;
    if is_needed && answered.peek().is_none() && is_keyed(theirs.protocol()) {
        return Err(AnswerErrorKind::Crypto);
    }
    let is_offered = |own: &Crypto<'_>| offered.iter().any(|other| other.tag == own.tag && other.suite == own.suite);
    if answered.all(|own| is_offered(&own)) { Ok(()) } else { Err(AnswerErrorKind::Crypto) }
}

/// True for SRTP whose keys are written in the description.
pub(crate) fn is_keyed(protocol: &str) -> bool {
    protocol.eq_ignore_ascii_case("RTP/SAVP") || protocol.eq_ignore_ascii_case("RTP/SAVPF")
}
