//! Names of streams, and streams that share an address. `[RFC 8843, Section 7]`

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::attribute::{Attribute, Group, Mid};
use crate::description::{MediaDescription, SessionDescription};
use crate::error::BuildError;
use crate::line::Line;
use crate::negotiate::endpoint::Endpoint;
use crate::negotiate::make;
use crate::negotiate::rules::bundles;

/// The name of a stream.
pub(crate) fn mid(media: &MediaDescription) -> Option<&str> {
    media.section().attribute::<Mid<'_>>().map(|Mid(tag)| tag)
}

/// Where the stream of each name stands; a name that is there twice is that of the first.
pub(crate) struct Names<'a> {
    pub(crate) places: BTreeMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    pub(crate) fn of(description: &'a SessionDescription) -> Names<'a> {
        let mut places = BTreeMap::new();
        for (index, media) in description.media().iter().enumerate() {
            if let Some(tag) = mid(media) {
                places.entry(tag).or_insert(index);
            }
        }
        Names { places }
    }

    /// The `mid` that answers that of a stream. `[RFC 5888, Section 9.1]`
    pub(crate) fn line_of(&self, index: usize, media: &MediaDescription) -> Option<Line> {
        let tag = mid(media).filter(|tag| self.places.get(tag) == Some(&index))?;
        Mid(tag).to_line().ok()
    }
}

/// The bundle of the answer: streams of the offered one that were accepted, all at the address of the first. What could only be
/// had in a bundle and isn't in it is turned down. `[RFC 8843, Section 7.3]`
///
/// All of them have the port of the first, and none is marked `bundle-only`: so do browsers. `[RFC 8843, Section 1.4]`
pub(crate) fn bundle(
    endpoint: &Endpoint,
    offer: &SessionDescription,
    answer: &mut SessionDescription,
    taken: &mut [Option<usize>],
    names: &Names<'_>,
) -> Result<(), BuildError> {
    let group = bundles(offer).next().filter(|_| endpoint.bundles);
    let mut members: Vec<(usize, &str)> = Vec::new();
    let mut places = names.places.clone();
    for tag in group.iter().flat_map(|group| &group.tags) {
        // A name counts once, however often it is there.
        let index = places.remove(tag);
        members.extend(index.filter(|&index| taken.get(index).is_some_and(Option::is_some)).map(|index| (index, *tag)));
    }
    // The first whose address is known: one with port 0 has none. [RFC 8843, Section 7.3.1]
    let has_address = |index: usize| offer.media().get(index).is_some_and(|media| media.port() != 0);
    match members.iter().position(|(index, _)| has_address(*index)) {
        Some(first) => members.rotate_left(first),
        None => members.clear(),
    }
    for (index, theirs) in offer.media().iter().enumerate() {
        if theirs.port() == 0 && !members.iter().any(|(member, _)| *member == index) {
            answer.replace_media(index, make::rejected(index, theirs, names));
            taken.iter_mut().skip(index).take(1).for_each(|slot| *slot = None);
        }
    }
    let Some((first, _)) = members.first() else { return Ok(()) };
    let Some(tagged) = answer.media().get(*first).cloned() else { return Ok(()) };
    for (index, _) in members.iter().skip(1) {
        if let Some(media) = answer.media_mut(*index) {
            media.set_port(tagged.port());
            media.section_mut().remove_letter('c');
            tagged.section().with_letter('c').cloned().for_each(|line| media.section_mut().insert(line));
        }
    }
    let tags = members.iter().map(|(_, tag)| *tag).collect();
    answer.section_mut().push(&Group { semantics: "BUNDLE", tags })
}
