//! Names of streams, and streams that share an address. `[RFC 8843, Section 7]`

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::attribute::{Attribute, BundleOnly, Group, Mid};
use crate::bundling::Bundle;
use crate::description::{MediaDescription, SessionDescription};
use crate::error::BuildError;
use crate::line::Line;
use crate::negotiate::endpoint::Endpoint;
use crate::negotiate::facts::Stream;
use crate::negotiate::make::{self, Known};
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

/// The stream that the first bundle of an offer has its transport of: the first of its names with an address.
pub(crate) fn carrier<'a>(offer: &'a SessionDescription, names: &Names<'_>) -> Option<&'a MediaDescription> {
    let group = bundles(offer).next()?;
    let mut members = group.tags.iter().filter_map(|tag| offer.media().get(*names.places.get(tag)?));
    members.find(|media| media.port() != 0)
}

/// The bundle of the answer: streams of the offered one that were accepted and can share an address, all at that of the first.
/// What could only be had in a bundle and isn't in it is turned down. `[RFC 8843, Section 7.3]`
///
/// All of them have the port of the first, and none is marked `bundle-only`: so do browsers. `[RFC 8843, Section 1.4]`
pub(crate) fn bundle(
    endpoint: &Endpoint,
    offer: &SessionDescription,
    answer: &mut SessionDescription,
    taken: &mut [Option<usize>],
    names: &Names<'_>,
    known: &Known<'_>,
) -> Result<(), BuildError> {
    let group = bundles(offer).next().filter(|_| endpoint.bundles);
    let mut members: Vec<(usize, &str)> = Vec::new();
    let mut places = names.places.clone();
    for tag in group.iter().flat_map(|group| &group.tags) {
        // A name counts once, however often it is there.
        let index = places.remove(tag);
        members.extend(index.filter(|&index| taken.get(index).is_some_and(Option::is_some)).map(|index| (index, *tag)));
    }
    let kept = fitting(offer, answer, &members);
    let is_kept = |index| kept.iter().any(|(member, _)| *member == index);
    for (index, theirs) in offer.media().iter().enumerate() {
        // "once a BUNDLE group has been negotiated, a bundled "m=" section cannot be moved out" [RFC 8843, Section 7.3.2]
        let was_bundled = known.streams.get(index).is_some_and(|stream| stream.bundled_with.is_some());
        let is_moved = was_bundled && members.iter().any(|(member, _)| *member == index);
        if (theirs.port() == 0 || is_moved) && !is_kept(index) {
            answer.replace_media(index, make::rejected(index, theirs, names));
            taken.iter_mut().skip(index).take(1).for_each(|slot| *slot = None);
        }
    }
    let Some((first, _)) = kept.first() else { return Ok(()) };
    let Some(tagged) = answer.media().get(*first).cloned() else { return Ok(()) };
    for (index, _) in kept.iter().skip(1) {
        take_address(answer, *index, &tagged);
    }
    let tags = kept.iter().map(|(_, tag)| *tag).collect();
    answer.section_mut().push(&Group { semantics: "BUNDLE", tags })
}

/// Those that can share an address, in what was offered and in what answers it; the first is the first that has one.
/// `[RFC 8843, Section 7.3.1]`
fn fitting<'a>(
    offer: &SessionDescription,
    answer: &SessionDescription,
    members: &[(usize, &'a str)],
) -> Vec<(usize, &'a str)> {
    let pair = |index: usize| Some((offer.media().get(index)?, answer.media().get(index)?));
    let (mut offered, mut answered) = (Bundle::default(), Bundle::default());
    let mut admit = |index: usize| {
        pair(index).is_some_and(|(theirs, ours)| offered.admit(theirs).is_ok() && answered.admit(ours).is_ok())
    };
    let has_address = |index: usize| pair(index).is_some_and(|(theirs, _)| theirs.port() != 0);
    let first = members.iter().position(|(index, _)| has_address(*index) && admit(*index));
    let Some(first) = first else { return Vec::new() };
    let others = members.iter().cycle().skip(first.saturating_add(1)).take(members.len().saturating_sub(1));
    let mut kept: Vec<(usize, &str)> = members.get(first).copied().into_iter().collect();
    kept.extend(others.filter(|(index, _)| admit(*index)).copied());
    kept
}

/// True for a stream that is offered to be used, be it in a bundle only.
pub(crate) fn is_wanted(media: &MediaDescription) -> bool {
    media.port() != 0 || media.section().attribute::<BundleOnly>().is_some()
}

/// Puts a stream where another is received.
fn take_address(description: &mut SessionDescription, index: usize, tagged: &MediaDescription) {
    let Some(media) = description.media_mut(index) else { return };
    media.set_port(tagged.port());
    media.section_mut().remove(BundleOnly::NAME);
    if !media.section().with_letter('c').eq(tagged.section().with_letter('c')) {
        media.section_mut().remove_letter('c');
        tagged.section().with_letter('c').cloned().for_each(|line| media.section_mut().put(line));
    }
}

/// The places of the streams of a bundle, if it is one of before.
fn settled(description: &SessionDescription, group: &Group<'_>, streams: &[Stream]) -> Option<Vec<usize>> {
    let mut places = Names::of(description).places;
    let members: Vec<usize> = group.tags.iter().filter_map(|tag| places.remove(tag)).collect();
    let was_bundled = |index: &usize| streams.get(*index).is_some_and(|stream| stream.bundled_with.is_some());
    members.iter().any(was_bundled).then_some(members)
}

/// Where a bundle has been agreed on, its streams are offered at one address: that of the first. `[RFC 8843, Section 7.5]`
pub(crate) fn share_address(description: &mut SessionDescription, streams: &[Stream]) {
    let all: Vec<Vec<usize>> = bundles(description).filter_map(|group| settled(description, &group, streams)).collect();
    for members in all {
        let mut own = members.iter().filter_map(|index| description.media().get(*index));
        let Some(tagged) = own.find(|media| media.port() != 0).cloned() else { continue };
        // One that is not wanted any more stays so, and has no business in the group: the check tells.
        let is_there = |index: &usize| description.media().get(*index).is_some_and(is_wanted);
        let there: Vec<usize> = members.into_iter().filter(is_there).collect();
        for index in there {
            take_address(description, index, &tagged);
        }
    }
}

/// What the streams of the bundle that was agreed on leave to one more; nothing where there is none.
pub(crate) fn members(description: &SessionDescription, streams: &[Stream]) -> Option<Bundle> {
    let members = bundles(description).find_map(|group| settled(description, &group, streams))?;
    let mut bundle = Bundle::default();
    for media in members.iter().filter_map(|index| description.media().get(*index)) {
        bundle.admit(media).ok()?;
    }
    Some(bundle)
}

/// Puts a name behind those of the first bundle.
pub(crate) fn join(description: &mut SessionDescription, tag: &str) -> Result<(), BuildError> {
    let copy = description.clone();
    let mut groups: Vec<Group<'_>> = groups(&copy);
    if let Some(group) = groups.iter_mut().find(|group| group.is_bundle()) {
        group.tags.push(tag);
    }
    set_groups(description, &groups)
}

/// Takes streams that are gone out of the groups, and out of a bundle those that the other side has moved out of it.
/// `[RFC 8843, Section 7.5.3]`
pub(crate) fn drop_from_groups(description: &mut SessionDescription, streams: &[Stream]) -> Result<(), BuildError> {
    let copy = description.clone();
    let places = Names::of(&copy).places;
    let is_bundled = |tag: &&str| {
        let stream = places.get(tag).and_then(|index| streams.get(*index));
        stream.is_some_and(|stream| stream.bundled_with.is_some())
    };
    let mut changed = groups(&copy);
    for group in &mut changed {
        let is_settled = group.is_bundle() && group.tags.iter().any(is_bundled);
        group.tags.retain(|tag| places.contains_key(tag) && (!is_settled || is_bundled(tag)));
    }
    // Where none changes, none is touched: the description is what was sent.
    if changed == groups(&copy) { Ok(()) } else { set_groups(description, &changed) }
}

fn groups(description: &SessionDescription) -> Vec<Group<'_>> {
    description.section().attributes::<Group<'_>>().filter_map(Result::ok).collect()
}

/// Groups that are left without a name are taken away.
fn set_groups(description: &mut SessionDescription, groups: &[Group<'_>]) -> Result<(), BuildError> {
    description.section_mut().remove(Group::NAME);
    groups.iter().filter(|group| !group.tags.is_empty()).try_for_each(|group| description.section_mut().push(group))
}
