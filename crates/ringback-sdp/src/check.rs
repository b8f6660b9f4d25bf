//! What is written as the grammar has it and still can't be: parts that contradict each other, or lack what they need.

mod address;
mod groups;
mod levels;
mod marks;
mod rtp;

use alloc::collections::BTreeMap;
use alloc::string::ToString;

use crate::attribute::{MaxPtime, MediaDirection, Mid, Ptime};
use crate::description::{MediaDescription, SessionDescription};
use crate::error::BuildError;
use crate::order;
use crate::parse::{LINES_MAX, MEDIA_MAX, SDP_BYTES_MAX};
use crate::section::Section;

impl SessionDescription {
    /// That every line stands where it may, no part of the description contradicts another or lacks what it needs, and no known
    /// attribute has a value that it can't have, or stands where it has no meaning. The builder asks this of all that it makes.
    /// What passes is read back by [`SessionDescription::parse_strict`] when it is written, so it is within the limits of the
    /// parser too.
    ///
    /// # Errors
    /// The first that does, media descriptions after the session.
    pub fn check(&self) -> Result<(), BuildError> {
        size(self)?;
        session(self)?;
        let has_connection = self.section().connection().is_some();
        let mut tags = BTreeMap::new();
        for (index, media) in self.media().iter().enumerate() {
            let at = At(Some(index));
            if let Some(what) = media.line().defect() {
                return Err(at.wrong(what, media.line(), "RFC 8866, Section 5.14"));
            }
            section(media.section(), at)?;
            if !has_connection && media.section().connection().is_none() {
                return Err(at.wrong("a stream without a c= line", media.line(), "RFC 8866, Section 5.7"));
            }
            address::check(media.section(), at)?;
            if let Some(Mid(tag)) = media.section().attribute()
                && tags.insert(tag, index).is_some()
            {
                return Err(at.wrong("two streams have one name", tag, "RFC 5888, Section 4"));
            }
            stream(media, at)?;
            marks::check(self, media, at)?;
        }
        groups::check(self, &tags)
    }
}

/// That the `c=` lines of a section are addresses, and go together.
pub(crate) fn addresses(section: &Section) -> Result<(), BuildError> {
    address::check(section, At(None))
}

/// The media description that is looked at.
#[derive(Clone, Copy)]
struct At(Option<usize>);

impl At {
    fn wrong(self, what: &'static str, value: impl ToString, section: &'static str) -> BuildError {
        BuildError::Contradiction { media: self.0, what, value: value.to_string().into(), section }
    }
}

/// What is written can be read back: no limit of the parser is passed.
fn size(description: &SessionDescription) -> Result<(), BuildError> {
    let lines = |section: &Section| section.lines().len();
    let begun = 2_usize.saturating_add(lines(description.section()));
    let count = description.media().iter().map(|media| lines(media.section()).saturating_add(1));
    // The first two, `v=` and `o=`, are not counted in a section.
    let total = count.fold(begun, usize::saturating_add);
    for (what, number, most) in [
        ("more bytes than are read", description.byte_len(), SDP_BYTES_MAX),
        ("more lines than are read", total, LINES_MAX),
        ("more media descriptions than are read", description.media().len(), MEDIA_MAX),
    ] {
        if number > most {
            return Err(At(None).wrong(what, number, ""));
        }
    }
    Ok(())
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
    address::origin(origin)?;
    address::check(description.section(), at)?;
    section(description.section(), at)
}

/// Lines are in their order, attributes have values that they can have and stand where they may, and there is one direction at
/// most.
fn section(section: &Section, at: At) -> Result<(), BuildError> {
    order::check(section).map_err(|error| error.in_media(at.0))?;
    levels::check(section, at)?;
    let mut direction = None;
    for line in section.with_letter('a') {
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
    if let (Some(ptime), Some(MaxPtime { time_us })) = (section.attribute::<Ptime>(), section.attribute::<MaxPtime>())
        && ptime.time_us > time_us
    {
        return Err(at.wrong("ptime above maxptime", ptime, "RFC 8866, Section 6.5"));
    }
    rtp::check(media, at)
}
