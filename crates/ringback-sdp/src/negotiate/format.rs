//! The encodings of a media description, read in one pass.

use alloc::vec::Vec;

use crate::attribute::{Fmtp, RtpMap};
use crate::description::MediaDescription;
use crate::line::payload_type;
use crate::negotiate::codec::Codec;
use crate::profile;

/// An encoding under its payload type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Format {
    /// The payload type.
    pub payload_type: u8,
    /// What it stands for.
    pub codec: Codec,
}

/// How many payload types there are. `[RFC 3550, Section 5.1]`
const PAYLOAD_TYPES: usize = 128;

/// The formats of an RTP stream in their order; payload types that are twice there, or that nothing gives a meaning, are left out.
///
/// Each attribute is looked at once: what a peer repeats costs no more than reading it.
pub(crate) fn formats(media: &MediaDescription) -> Vec<Format> {
    // Where each payload type stands in the list, counted from 1.
    let mut places = [0_u8; PAYLOAD_TYPES];
    let mut formats: Vec<(u8, Option<Codec>)> = Vec::new();
    for payload_type in media.line().payload_types() {
        if let Some(place @ 0) = places.get_mut(usize::from(payload_type)) {
            formats.push((payload_type, None));
            *place = u8::try_from(formats.len()).unwrap_or(0);
        }
    }
    let place = |payload_type: u8| usize::from(*places.get(usize::from(payload_type))?).checked_sub(1);
    for map in media.section().attributes::<RtpMap<'_>>().filter_map(Result::ok) {
        if let Some((_, codec)) = place(map.payload_type).and_then(|place| formats.get_mut(place)) {
            codec.get_or_insert_with(|| Codec::of_map(&map));
        }
    }
    for (payload_type, codec) in formats.iter_mut().filter(|(_, codec)| codec.is_none()) {
        let known = profile::of(*payload_type);
        *codec = known.map(|(name, clock_rate, channels)| Codec::new(name, clock_rate, channels));
    }
    for fmtp in media.section().attributes::<Fmtp<'_>>().filter_map(Result::ok) {
        let format = payload_type(fmtp.format).and_then(place).and_then(|place| formats.get_mut(place));
        if let Some((_, Some(codec))) = format
            && codec.parameters.is_empty()
        {
            codec.parameters = fmtp.parameters.into();
        }
    }
    let known = |(payload_type, codec): (u8, Option<Codec>)| Some(Format { payload_type, codec: codec? });
    formats.into_iter().filter_map(known).collect()
}
