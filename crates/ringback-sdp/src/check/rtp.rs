//! Formats and what is said of them.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::At;
use crate::attribute::{Fmtp, RtcpMux, RtpMap};
use crate::description::MediaDescription;
use crate::error::BuildError;
use crate::negotiate::{Codec, formats};
use crate::profile;

/// Formats are there once, and what is said of a format is said once and of one that is there.
pub(super) fn check(media: &MediaDescription, at: At) -> Result<(), BuildError> {
    let section = media.section();
    let mut formats = BTreeSet::new();
    for format in media.formats() {
        if !formats.insert(&**format) {
            return Err(at.wrong("a format twice", format, "RFC 8866, Section 5.14"));
        }
    }
    let mut described = BTreeSet::new();
    for fmtp in section.attributes::<Fmtp<'_>>().filter_map(Result::ok) {
        if !formats.contains(fmtp.format) {
            return Err(at.wrong("fmtp for a format that is not listed", fmtp, "RFC 8866, Section 6.15"));
        }
        if !described.insert(fmtp.format) {
            return Err(at.wrong("a second fmtp for a format", fmtp, "RFC 8866, Section 6.15"));
        }
    }
    let is_bundled = section.has("bundle-only");
    if media.line().is_rtp() && (media.port() != 0 || is_bundled) { payload_types(media, at) } else { Ok(()) }
}

/// Each payload type is mapped once, or has a meaning of its own, and its parameters are some.
fn payload_types(media: &MediaDescription, at: At) -> Result<(), BuildError> {
    let listed: BTreeSet<u8> = media.line().payload_types().collect();
    let mut mapped = BTreeSet::new();
    let mut has_parameters = false;
    for map in media.section().attributes::<RtpMap<'_>>().filter_map(Result::ok) {
        if !listed.contains(&map.payload_type) {
            return Err(at.wrong("rtpmap for a payload type that is not listed", map, "RFC 8866, Section 6.6"));
        }
        has_parameters |= Codec::is_bound(map.encoding);
        if !mapped.insert(map.payload_type) {
            return Err(at.wrong("a payload type is mapped twice", map, "RFC 8866, Section 6.6"));
        }
    }
    if let Some(bare) = listed.iter().find(|listed| !mapped.contains(listed) && profile::of(**listed).is_none()) {
        return Err(at.wrong("a dynamic payload type without rtpmap", bare, "RFC 8866, Section 6.6"));
    }
    if media.section().attribute::<RtcpMux>().is_some()
        && let Some(bad) = listed.iter().copied().find(|listed| profile::is_rtcp(*listed))
    {
        return Err(at.wrong("a payload type that rtcp-mux takes for RTCP", bad, "RFC 5761, Section 4"));
    }
    for format in if has_parameters { formats(media) } else { Vec::new() } {
        if let Some((what, section)) = format.codec.defect() {
            return Err(at.wrong(what, format.codec.described(), section));
        }
        if let Some(associated) = format.codec.associated()
            && (!listed.contains(&associated) || associated == format.payload_type)
        {
            return Err(at.wrong("rtx for a payload type that is not listed", associated, "RFC 4588"));
        }
    }
    Ok(())
}
