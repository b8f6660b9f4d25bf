//! The encodings of a media description, read in one pass.

use alloc::vec::Vec;

use crate::attribute::{Fmtp, RtpMap};
use crate::description::MediaDescription;
use crate::line::{FORMATS_MAX, payload_type};
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

/// The formats of an RTP stream in their order; payload types that are twice there, or that nothing gives a meaning, are left out.
///
/// Each attribute is looked at once: what a peer repeats costs no more than reading it.
pub(crate) fn formats(media: &MediaDescription) -> Vec<Format> {
    let mut codecs: Vec<Option<Codec>> = Vec::new();
    codecs.resize_with(FORMATS_MAX, || None);
    for map in media.section().attributes::<RtpMap<'_>>().filter_map(Result::ok) {
        if let Some(slot) = codecs.get_mut(usize::from(map.payload_type)) {
            slot.get_or_insert_with(|| Codec::of_map(&map));
        }
    }
    for (payload_type, slot) in (0_u8..).zip(codecs.iter_mut()) {
        if slot.is_none()
            && let Some((name, clock_rate, channels)) = profile::of(payload_type)
        {
            *slot = Some(Codec::new(name, clock_rate, channels));
        }
    }
    for fmtp in media.section().attributes::<Fmtp<'_>>().filter_map(Result::ok) {
        let place = payload_type(fmtp.format).map(usize::from);
        if let Some(Some(codec)) = place.and_then(|place| codecs.get_mut(place))
            && codec.parameters.is_empty()
        {
            codec.parameters = fmtp.parameters.into();
        }
    }
    let mut formats = Vec::new();
    for payload_type in media.line().payload_types() {
        let codec = codecs.get_mut(usize::from(payload_type)).and_then(Option::take);
        formats.extend(codec.map(|codec| Format { payload_type, codec }));
    }
    formats
}
