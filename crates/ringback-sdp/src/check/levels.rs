//! Where attributes may stand, and which may be there once.

use alloc::collections::BTreeSet;

use super::At;
use crate::error::BuildError;
use crate::section::{Kind, Section};

/// Where an attribute may stand: at the session level, in media descriptions, or in both.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Session,
    Media,
    Both,
}

/// Name, level, whether it may be there once only, and who says so; in the order of names.
const ROWS: &[(&str, Level, bool, &str)] = &[
    ("bundle-only", Level::Media, true, "RFC 8843, Section 6"),
    ("candidate", Level::Media, false, "RFC 8839, Section 5.1"),
    ("cat", Level::Session, true, "RFC 8866, Section 6.1"),
    ("charset", Level::Session, true, "RFC 8866, Section 6.10"),
    ("conf", Level::Media, false, "RFC 3312, Section 4"),
    ("connection", Level::Both, true, "RFC 4145, Section 5"),
    ("crypto", Level::Media, false, "RFC 4568, Section 4"),
    ("curr", Level::Media, false, "RFC 3312, Section 4"),
    ("des", Level::Media, false, "RFC 3312, Section 4"),
    ("extmap-allow-mixed", Level::Both, true, "RFC 8285, Section 6"),
    ("fmtp", Level::Media, false, "RFC 8866, Section 6.15"),
    ("framerate", Level::Media, true, "RFC 8866, Section 6.13"),
    ("group", Level::Session, false, "RFC 5888, Section 5"),
    ("ice-lite", Level::Session, true, "RFC 8839, Section 5.3"),
    ("ice-mismatch", Level::Media, true, "RFC 8839, Section 5.3"),
    ("ice-pacing", Level::Session, true, "RFC 8839, Section 5.5"),
    ("ice-pwd", Level::Both, true, "RFC 8839, Section 5.4"),
    ("ice-ufrag", Level::Both, true, "RFC 8839, Section 5.4"),
    ("keywds", Level::Session, true, "RFC 8866, Section 6.2"),
    ("label", Level::Media, false, "RFC 4574, Section 4"),
    ("max-message-size", Level::Media, true, "RFC 8841, Section 6"),
    ("maxptime", Level::Media, true, "RFC 8866, Section 6.5"),
    ("mid", Level::Media, true, "RFC 5888, Section 4"),
    ("orient", Level::Media, true, "RFC 8866, Section 6.8"),
    ("ptime", Level::Media, true, "RFC 8866, Section 6.4"),
    ("quality", Level::Media, true, "RFC 8866, Section 6.14"),
    ("remote-candidates", Level::Media, true, "RFC 8839, Section 5.2"),
    ("rid", Level::Media, false, "RFC 8851, Section 4"),
    ("rtcp", Level::Media, true, "RFC 3605, Section 2.1"),
    ("rtcp-fb", Level::Media, false, "RFC 5104, Section 7.1"),
    ("rtcp-mux", Level::Media, true, "RFC 5761, Section 5.1.1"),
    ("rtcp-mux-only", Level::Media, false, "RFC 8858, Section 3"),
    ("rtcp-rsize", Level::Media, true, "RFC 5506, Section 5"),
    ("rtpmap", Level::Media, false, "RFC 8866, Section 6.6"),
    ("sctp-port", Level::Media, true, "RFC 8841, Section 5"),
    ("setup", Level::Both, true, "RFC 4145, Section 4"),
    ("simulcast", Level::Media, true, "RFC 8853, Section 5.1"),
    ("ssrc", Level::Media, false, "RFC 5576, Section 4.1"),
    ("ssrc-group", Level::Media, false, "RFC 5576, Section 4.2"),
    ("tool", Level::Session, true, "RFC 8866, Section 6.3"),
    ("type", Level::Session, true, "RFC 8866, Section 6.9"),
];

/// That each known attribute stands where it may, and no more often.
pub(super) fn check(section: &Section, at: At) -> Result<(), BuildError> {
    let mut seen = BTreeSet::new();
    for line in section.with_letter('a') {
        let name = line.as_attribute().map(|(name, _)| name).unwrap_or_default();
        let row = ROWS.binary_search_by(|row| row.0.as_bytes().cmp(name)).ok().and_then(|row| ROWS.get(row));
        let Some((name, level, is_single, source)) = row else { continue };
        match (level, section.kind()) {
            (Level::Media, Kind::Session) => {
                return Err(at.wrong("an attribute of streams at the session level", name, source));
            }
            (Level::Session, Kind::Media) => {
                return Err(at.wrong("an attribute of the session in a media description", name, source));
            }
            _ => {}
        }
        if *is_single && !seen.insert(*name) {
            return Err(at.wrong("a second attribute of a kind that may be there once", name, source));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::ROWS;

    #[test]
    fn rows_are_in_order() {
        assert!(ROWS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
