//! Making an answer. `[RFC 3264, Section 6]`

use alloc::vec::Vec;

use crate::attribute::{Attribute, DesiredStatus, RtpMap, StatusType, Strength};
use crate::cursor::is_token;
use crate::description::{MediaDescription, SessionDescription};
use crate::error::BuildError;
use crate::line::{MediaLine, Origin, payload_type};
use crate::negotiate::bundle::{self, Names};
use crate::negotiate::endpoint::Endpoint;
use crate::negotiate::facts::Stream;
use crate::negotiate::fitting::One;
use crate::negotiate::history::PayloadTypes;
use crate::negotiate::local::LocalMedia;
use crate::negotiate::refusal::Refusal;
use crate::section::Section;

/// Why there is no answer.
pub(crate) enum NoAnswer {
    /// What was offered can't be had.
    Refused(Refusal),
    /// What one has is wrong in itself.
    Invalid(BuildError),
}

impl From<BuildError> for NoAnswer {
    fn from(error: BuildError) -> NoAnswer {
        NoAnswer::Invalid(error)
    }
}

/// What was before: one's own description, payload types of both sides and what they have stood for, and whether one holds the
/// other side.
pub(crate) struct Known<'a> {
    pub(crate) is_held: bool,
    pub(crate) local: Option<&'a SessionDescription>,
    pub(crate) streams: &'a [Stream],
    pub(crate) own: &'a PayloadTypes,
    pub(crate) theirs: &'a PayloadTypes,
}

/// The answer, and for each stream which of one's own it got.
pub(crate) fn answer(
    endpoint: &Endpoint,
    origin: Origin,
    offer: &SessionDescription,
    known: &Known<'_>,
) -> Result<(SessionDescription, Vec<Option<usize>>), NoAnswer> {
    let mut answer = endpoint.empty(origin)?;
    copy_times(offer, &mut answer);
    let names = Names::of(offer);
    let usual = usual(endpoint, offer, known);
    let carrier = bundle::carrier(offer, &names);
    let mut taken: Vec<Option<usize>> = Vec::new();
    let mut first_refusal = None;
    for (index, theirs) in offer.media().iter().enumerate() {
        let one = One { endpoint, offer, theirs, index, known, names: &names, usual: &usual, carrier };
        match one.fitting(&taken) {
            Ok((own, media)) => {
                answer.push_media(media);
                taken.push(Some(own));
            }
            Err(NoAnswer::Invalid(error)) => return Err(NoAnswer::Invalid(error)),
            Err(NoAnswer::Refused(refusal)) => {
                // A stream that is offered with port 0 is not wanted, and its absence is no ground to refuse.
                if one.is_wanted() {
                    first_refusal.get_or_insert(refusal);
                }
                answer.push_media(rejected(index, theirs, &names));
                taken.push(None);
            }
        }
    }
    bundle::bundle(endpoint, offer, &mut answer, &mut taken, &names, known)?;
    let is_empty = taken.iter().all(Option::is_none);
    match first_refusal {
        Some(refusal) if is_empty || refusal.status != 488 => Err(NoAnswer::Refused(refusal)),
        _ => Ok((answer, taken)),
    }
}

/// The description that goes with a 580: all streams with port 0, and the conditions that are not known, as one sees them
/// oneself. `[RFC 3312, Section 9]`
pub(crate) fn failure(
    endpoint: &Endpoint,
    origin: Origin,
    offer: &SessionDescription,
    failed: usize,
) -> Result<SessionDescription, BuildError> {
    let mut description = endpoint.empty(origin)?;
    copy_times(offer, &mut description);
    let names = Names::of(offer);
    for (index, theirs) in offer.media().iter().enumerate() {
        let mut media = rejected(index, theirs, &names);
        let desired = theirs.section().attributes::<DesiredStatus<'_>>().filter_map(Result::ok);
        for desired in desired.filter(|desired| index == failed && is_unknown(desired)) {
            let (status, direction) = (desired.status.reversed(), desired.direction.reversed());
            media.section_mut().push(&DesiredStatus { strength: Strength::Unknown, status, direction, ..desired })?;
        }
        description.push_media(media);
    }
    Ok(description)
}

/// True for a condition that one would have to help with and doesn't know. `[RFC 3312, Section 9]`
pub(crate) fn is_unknown(desired: &DesiredStatus<'_>) -> bool {
    desired.precondition != "qos" && desired.strength == Strength::Mandatory && desired.status != StatusType::Local
}

/// Which of one's own streams each stream had before, by type and port: it keeps it where it can.
fn usual(endpoint: &Endpoint, offer: &SessionDescription, known: &Known<'_>) -> Vec<Option<usize>> {
    let mut usual: Vec<Option<usize>> = Vec::new();
    for (index, theirs) in offer.media().iter().enumerate().filter(|_| known.local.is_some()) {
        let before = known.local.and_then(|local| local.media().get(index));
        let before =
            before.filter(|before| before.port() != 0 && theirs.port() != 0 && before.media() == theirs.media());
        let own = before.and_then(|before| {
            let mut streams = endpoint.media.iter().enumerate();
            let is_it = |local: &LocalMedia| local.media == *before.media() && local.port == before.port();
            streams.find(|(own, local)| is_it(local) && !usual.contains(&Some(*own))).map(|(own, _)| own)
        });
        usual.push(own);
    }
    usual
}

/// The time of a session is not negotiated. `[RFC 3264, Section 6]`
fn copy_times(offer: &SessionDescription, answer: &mut SessionDescription) {
    let section = answer.section_mut();
    section.remove_letter('t');
    let times = offer.section().lines().iter().filter(|line| matches!(line.letter(), 't' | 'r' | 'z'));
    times.cloned().for_each(|line| section.put(line));
}

/// A stream that is turned down: port 0, one of the offered formats, and its name. `[RFC 3264, Section 6]`
pub(crate) fn rejected(index: usize, theirs: &MediaDescription, names: &Names<'_>) -> MediaDescription {
    // An offer without a format that can be named is turned down with any.
    let is_rtp = theirs.line().is_rtp();
    let is_fit = |format: &str| if is_rtp { payload_type(format).is_some() } else { is_token(format) };
    let format = theirs.formats().iter().find(|format| is_fit(format)).cloned().unwrap_or_else(|| "0".into());
    let mut maps = theirs.section().attributes::<RtpMap<'_>>().filter_map(Result::ok);
    let map = maps.find(|map| is_rtp && Some(map.payload_type) == payload_type(&format));
    let line = MediaLine { port: 0, ports: None, formats: alloc::vec![format], ..theirs.line().clone() };
    let mut section = Section::default();
    map.and_then(|map| map.to_line().ok()).into_iter().for_each(|line| section.put(line));
    names.line_of(index, theirs).into_iter().for_each(|line| section.put(line));
    MediaDescription::from_parts(line, section)
}
