//! Which formats of an offer and its answer are one.

use alloc::vec::Vec;

use crate::description::MediaDescription;
use crate::negotiate::format::{Format, formats};
use crate::work;

/// A format as it was offered and as it was answered: payload types may differ. `[RFC 3264, Section 6.1]`
pub(crate) struct Pair {
    pub(crate) offered: Format,
    pub(crate) answered: Format,
}

/// The pairs, in the order of the answer.
///
/// A format of the answer goes with the offered one of the same payload type, if it is the same encoding, and else with the
/// first that it agrees with. Both lists are bounded by the number of payload types.
pub(crate) fn pairs(offer: &MediaDescription, answer: &MediaDescription) -> Vec<Pair> {
    let mut offered: Vec<Option<Format>> = formats(offer).into_iter().map(Some).collect();
    let mut answered: Vec<(Format, Option<Format>)> =
        formats(answer).into_iter().map(|format| (format, None)).collect();
    for (format, found) in &mut answered {
        *found = take(&mut offered, |other| {
            other.payload_type == format.payload_type && other.codec.is_same_encoding(&format.codec)
        });
    }
    for (format, found) in answered.iter_mut().filter(|(_, found)| found.is_none()) {
        *found = take(&mut offered, |other| other.codec.agree(&format.codec).is_some());
    }
    let pairs = answered.into_iter().filter_map(|(answered, offered)| Some(Pair { offered: offered?, answered }));
    pairs.collect()
}

fn take(formats: &mut [Option<Format>], is_it: impl Fn(&Format) -> bool) -> Option<Format> {
    let mut slots = formats.iter_mut().inspect(|_| work::step(1));
    slots.find(|slot| slot.as_ref().is_some_and(&is_it)).and_then(Option::take)
}

/// True where an offered stream and its answer have a format in common.
pub(crate) fn is_common(offer: &MediaDescription, answer: &MediaDescription) -> bool {
    if offer.line().is_rtp() {
        return !pairs(offer, answer).is_empty();
    }
    let is_offered = |format: &str| offer.formats().iter().any(|offered| offered.eq_ignore_ascii_case(format));
    answer.formats().iter().any(|format| is_offered(format))
}
