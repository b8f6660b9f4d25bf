//! Groups, and bundles above all.

use alloc::collections::{BTreeMap, BTreeSet};

use super::At;
use crate::attribute::{BundleOnly, Group};
use crate::bundling::{Bundle, Misfit};
use crate::description::SessionDescription;
use crate::error::BuildError;

/// Groups name streams that are there, no stream is in two bundles, and those in one can share its address.
pub(super) fn check(description: &SessionDescription, tags: &BTreeMap<&str, usize>) -> Result<(), BuildError> {
    let at = At(None);
    let mut bundled = BTreeSet::new();
    for group in description.section().attributes::<Group<'_>>().filter_map(Result::ok) {
        let mut bundle = Bundle::default();
        for tag in &group.tags {
            let Some(index) = tags.get(tag) else {
                return Err(at.wrong("a group names a stream that is not there", tag, "RFC 5888, Section 6"));
            };
            if !group.is_bundle() {
                continue;
            }
            if !bundled.insert(*index) {
                return Err(at.wrong("a stream is in two bundles", tag, "RFC 8843, Section 5"));
            }
            member(description, *index, &mut bundle)?;
        }
    }
    for (index, media) in description.media().iter().enumerate() {
        let at = At(Some(index));
        if media.section().attribute::<BundleOnly>().is_none() {
            continue;
        }
        if media.port() != 0 {
            return Err(at.wrong("bundle-only with a port that is not 0", media.port(), "RFC 8843, Section 6"));
        }
        if !bundled.contains(&index) {
            return Err(at.wrong("bundle-only in no bundle", media.line(), "RFC 8843, Section 6"));
        }
    }
    Ok(())
}

fn member(description: &SessionDescription, index: usize, bundle: &mut Bundle) -> Result<(), BuildError> {
    let at = At(Some(index));
    let Some(media) = description.media().get(index) else { return Ok(()) };
    if media.port() == 0 && media.section().attribute::<BundleOnly>().is_none() {
        return Err(at.wrong("a stream that is not wanted is in a bundle", media.line(), "RFC 8843, Section 7.5.3"));
    }
    match bundle.admit(media) {
        Ok(()) => Ok(()),
        Err(Misfit::NoMux) => {
            Err(at.wrong("a stream of a bundle without rtcp-mux", media.line(), "RFC 8843, Section 9.3"))
        }
        Err(Misfit::PayloadType(number)) => {
            let what = "a payload type that stands for something else in another stream of the bundle";
            Err(at.wrong(what, number, "RFC 8843, Section 9.1.1"))
        }
    }
}
