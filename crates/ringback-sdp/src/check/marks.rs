//! What attributes of a stream name, by a tag or a number: keys, header extensions, encodings of one source, and what ICE
//! knows a stream by.

use alloc::collections::{BTreeMap, BTreeSet};

use super::At;
use crate::attribute::{Crypto, ExtMap, IcePwd, IceUfrag, Rid, RidDirection, Simulcast};
use crate::description::{MediaDescription, SessionDescription};
use crate::error::BuildError;
use crate::section::Section;

/// Numbers of header extensions from here on stand for no more than an offer of one. `[RFC 8285, Section 7]`
const EXTENSION_OFFERED_MIN: u16 = 4096;

pub(super) fn check(description: &SessionDescription, media: &MediaDescription, at: At) -> Result<(), BuildError> {
    let section = media.section();
    keys(section, at)?;
    extensions(description.section(), section, at)?;
    encodings(media, at)?;
    // A stream that is not wanted needs nothing.
    if media.port() == 0 { Ok(()) } else { ice(description.section(), section, at) }
}

/// Each key has a tag of its own and the length of its suite. What is told of it is not the key: that is a secret.
fn keys(section: &Section, at: At) -> Result<(), BuildError> {
    let mut tags = BTreeSet::new();
    for crypto in section.attributes::<Crypto<'_>>().filter_map(Result::ok) {
        if let Some(source) = crypto.misfit() {
            return Err(at.wrong("a key that is not as long as its suite asks for", crypto.suite, source));
        }
        if !tags.insert(crypto.tag) {
            return Err(at.wrong("two keys have one tag", crypto.tag, "RFC 4568, Section 4.1"));
        }
    }
    Ok(())
}

/// A number stands for one extension, be it the session's or the stream's, and 0 for none.
fn extensions(session: &Section, section: &Section, at: At) -> Result<(), BuildError> {
    let mut numbers = BTreeSet::new();
    let both = session.attributes::<ExtMap<'_>>().chain(section.attributes());
    for extension in both.filter_map(Result::ok) {
        if extension.id == 0 {
            return Err(at.wrong(
                "a header extension with the number of padding",
                extension,
                "RFC 8285, Section 4.1.2",
            ));
        }
        if extension.id < EXTENSION_OFFERED_MIN && !numbers.insert(extension.id) {
            return Err(at.wrong("two header extensions have one number", extension, "RFC 8285, Section 7"));
        }
    }
    Ok(())
}

/// Encodings of one source have names of their own and listed formats; what is sent or received at once is among them.
fn encodings(media: &MediaDescription, at: At) -> Result<(), BuildError> {
    let formats: BTreeSet<&str> = media.formats().iter().map(|format| &**format).collect();
    let mut directions = BTreeMap::new();
    for rid in media.section().attributes::<Rid<'_>>().filter_map(Result::ok) {
        if !rid.formats.iter().all(|format| formats.contains(format)) {
            return Err(at.wrong("rid with a format that is not listed", rid, "RFC 8851, Section 6.1"));
        }
        if directions.insert(rid.id, rid.direction).is_some() {
            return Err(at.wrong("two rids have one name", rid, "RFC 8851, Section 6.1"));
        }
    }
    let Some(simulcast) = media.section().attribute::<Simulcast<'_>>() else { return Ok(()) };
    let mut named = BTreeSet::new();
    for (direction, streams) in [(RidDirection::Send, &simulcast.send), (RidDirection::Recv, &simulcast.recv)] {
        for name in streams.iter().flatten().map(|name| name.strip_prefix('~').unwrap_or(name)) {
            if directions.get(name) != Some(&direction) {
                let what = "simulcast of an encoding without a rid in its direction";
                return Err(at.wrong(what, name, "RFC 8853, Section 5.2"));
            }
            if !named.insert(name) {
                return Err(at.wrong("simulcast names an encoding twice", name, "RFC 8853, Section 5.2"));
            }
        }
    }
    Ok(())
}

/// A user fragment and a password go together, each the stream's own or the session's.
fn ice(session: &Section, section: &Section, at: At) -> Result<(), BuildError> {
    let levels = || [section, session].into_iter();
    let ufrag = levels().find_map(|level| level.attribute::<IceUfrag<'_>>());
    let pwd = levels().any(|level| level.attribute::<IcePwd<'_>>().is_some());
    match ufrag {
        Some(ufrag) if !pwd => Err(at.wrong("ice-ufrag without ice-pwd", ufrag, "RFC 8839, Section 5.4")),
        // The password is a secret, and is not told.
        None if pwd => Err(at.wrong("ice-pwd without ice-ufrag", "", "RFC 8839, Section 5.4")),
        _ => Ok(()),
    }
}
