//! What is written as the grammar has it and still can't be: parts that contradict each other, or lack what they need.

use alloc::collections::BTreeSet;
use alloc::string::ToString;

use crate::attribute::{self, BundleOnly, Fmtp, Group, MaxPtime, MediaDirection, Mid, Ptime, RtpMap};
use crate::description::{MediaDescription, SessionDescription};
use crate::error::BuildError;
use crate::line::Connection;
use crate::profile;
use crate::section::Section;

impl SessionDescription {
    /// That no part of the description contradicts another, lacks what it needs, or is a known attribute with a value that it
    /// can't have. The builder asks this of all that it makes.
    ///
    /// # Errors
    /// The first that does, media descriptions after the session.
    pub fn check(&self) -> Result<(), BuildError> {
        session(self)?;
        let mut tags = BTreeSet::new();
        for (index, media) in self.media().iter().enumerate() {
            let at = At(Some(index));
            section(media.section(), at)?;
            for connection in media.section().connections() {
                address(&connection, at)?;
            }
            if let Some(Mid(tag)) = media.section().attribute()
                && !tags.insert(tag)
            {
                return Err(at.wrong("two streams have one name", tag, "RFC 5888, Section 4"));
            }
            stream(media, at)?;
        }
        groups(self, &tags)
    }
}

/// The media description that is looked at.
#[derive(Clone, Copy)]
struct At(Option<usize>);

impl At {
    fn wrong(self, what: &'static str, value: impl ToString, section: &'static str) -> BuildError {
        BuildError::Contradiction { media: self.0, what, value: value.to_string().into(), section }
    }
}

fn session(description: &SessionDescription) -> Result<(), BuildError> {
    let at = At(None);
    let origin = description.origin();
    if !origin.is_of_64_bits() {
        return Err(at.wrong("session id or version beyond 64 bits", origin, "RFC 3264, Section 5"));
    }
    for timing in description.timings() {
        if timing.stop != 0 && timing.stop < timing.start {
            return Err(at.wrong("the session stops before it starts", timing, "RFC 8866, Section 5.9"));
        }
    }
    if let Some(connection) = description.section().connection() {
        address(&connection, at)?;
    }
    section(description.section(), at)
}

/// An address of a group needs a TTL with IPv4, and no other has one.
fn address(connection: &Connection<'_>, at: At) -> Result<(), BuildError> {
    let is_group = connection.is_multicast();
    let is_ip4 = connection.ip().is_some_and(|ip| ip.is_ipv4());
    let wrong = |what| Err(at.wrong(what, connection, "RFC 8866, Section 5.7"));
    match (connection.ttl, connection.count) {
        (None, _) if is_group && is_ip4 => wrong("a multicast address without its TTL"),
        (Some(_), _) if connection.ip().is_some() && !is_group => wrong("a TTL behind a unicast address"),
        (_, Some(_)) if connection.ip().is_some() && !is_group => {
            wrong("a number of addresses behind a unicast address")
        }
        _ => Ok(()),
    }
}

/// Known attributes have values that they can have, and there is one direction at most.
fn section(section: &Section, at: At) -> Result<(), BuildError> {
    let mut direction = None;
    for line in section.with_letter('a') {
        attribute::check(line)?;
        let named = line.as_attribute().and_then(|(name, _)| MediaDirection::from_name(name));
        if let Some(named) = named
            && let Some(first) = direction.replace(named)
        {
            return Err(at.wrong("two directions", alloc::format!("{first} {named}"), "RFC 8866, Section 6.7"));
        }
    }
    Ok(())
}

fn stream(media: &MediaDescription, at: At) -> Result<(), BuildError> {
    let section = media.section();
    let is_bundled = section.attribute::<BundleOnly>().is_some();
    if is_bundled && media.port() != 0 {
        return Err(at.wrong("bundle-only with a port that is not 0", media.port(), "RFC 8843, Section 6"));
    }
    let mut formats = BTreeSet::new();
    for format in media.formats() {
        if !formats.insert(&**format) {
            return Err(at.wrong("a format twice", format, "RFC 8866, Section 5.14"));
        }
    }
    for fmtp in section.attributes::<Fmtp<'_>>().filter_map(Result::ok) {
        if !formats.contains(fmtp.format) {
            return Err(at.wrong("fmtp for a format that is not listed", fmtp, "RFC 8866, Section 6.15"));
        }
    }
    if let (Some(ptime), Some(MaxPtime { time_us })) = (section.attribute::<Ptime>(), section.attribute::<MaxPtime>())
        && ptime.time_us > time_us
    {
        return Err(at.wrong("ptime above maxptime", ptime, "RFC 8866, Section 6.5"));
    }
    if media.line().is_rtp() && (media.port() != 0 || is_bundled) { payload_types(media, at) } else { Ok(()) }
}

/// Each payload type is mapped once, or has a meaning of its own.
fn payload_types(media: &MediaDescription, at: At) -> Result<(), BuildError> {
    let listed: BTreeSet<u8> = media.line().payload_types().collect();
    let mut mapped = BTreeSet::new();
    for map in media.section().attributes::<RtpMap<'_>>().filter_map(Result::ok) {
        if !listed.contains(&map.payload_type) {
            return Err(at.wrong("rtpmap for a payload type that is not listed", map, "RFC 8866, Section 6.6"));
        }
        if !mapped.insert(map.payload_type) {
            return Err(at.wrong("a payload type is mapped twice", map, "RFC 8866, Section 6.6"));
        }
    }
    match listed.iter().find(|listed| !mapped.contains(listed) && profile::of(**listed).is_none()) {
        Some(bare) => Err(at.wrong("a dynamic payload type without rtpmap", bare, "RFC 8866, Section 6.6")),
        None => Ok(()),
    }
}

/// Groups name streams that are there, and no stream is in two bundles.
fn groups(description: &SessionDescription, tags: &BTreeSet<&str>) -> Result<(), BuildError> {
    let at = At(None);
    let mut bundled = BTreeSet::new();
    for group in description.section().attributes::<Group<'_>>().filter_map(Result::ok) {
        for tag in &group.tags {
            if !tags.contains(tag) {
                return Err(at.wrong("a group names a stream that is not there", tag, "RFC 5888, Section 6"));
            }
            if group.is_bundle() && !bundled.insert(*tag) {
                return Err(at.wrong("a stream is in two bundles", tag, "RFC 8843, Section 5"));
            }
        }
    }
    Ok(())
}
