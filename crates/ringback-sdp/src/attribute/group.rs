//! How streams belong together, and what names them.

use alloc::vec::Vec;
use core::fmt;

use crate::cursor::{Cursor, is_token_char};
use crate::error::ParseError;

const ANY: core::ops::RangeFrom<usize> = 1..;

text! {
    /// The name of a stream within its description. `[RFC 5888, Section 4]`
    Mid, "mid", "RFC 5888, Section 4", "an identification tag", ANY, is_token_char
}
text! {
    /// A name that the application gives a stream. `[RFC 4574, Section 4]`
    Label, "label", "RFC 4574, Section 4", "a label", ANY, is_token_char
}
property! {
    /// The stream is wanted in its BUNDLE group or not at all, though its port is 0. `[RFC 8843, Section 6]`
    BundleOnly, "bundle-only", "RFC 8843, Section 6"
}
number! {
    /// The port of SCTP within its tunnel. `[RFC 8841, Section 5]`
    SctpPort(u16), "sctp-port", "RFC 8841, Section 5", "a port from 0 to 65535"
}
number! {
    /// How many bytes a message may have; 0 for any number. `[RFC 8841, Section 6]`
    MaxMessageSize(u64), "max-message-size", "RFC 8841, Section 6", "a number of bytes"
}

/// Streams that belong together. `[RFC 5888, Section 5]`
///
/// ```text
/// group-attribute = "a=group:" semantics *(SP identification-tag)
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    /// What binds them, such as `BUNDLE` or `LS`.
    pub semantics: &'a str,
    /// Their names; for BUNDLE, that of the stream whose address all share is the first.
    pub tags: Vec<&'a str>,
}

impl<'a> Group<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<Group<'a>, ParseError> {
        let semantics = cursor.token("what binds the streams")?;
        let mut tags = Vec::new();
        while cursor.more() {
            tags.push(cursor.token("an identification tag")?);
        }
        Ok(Group { semantics, tags })
    }

    /// True for streams that share one address. `[RFC 8843, Section 5]`
    #[must_use]
    pub fn is_bundle(&self) -> bool {
        self.semantics == "BUNDLE"
    }
}

impl fmt::Display for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.semantics)?;
        self.tags.iter().try_for_each(|tag| write!(f, " {tag}"))
    }
}

attribute!(Group<'a>, "group", "RFC 5888, Section 5");

/// The stream of WebRTC that a stream belongs to. `[RFC 8830, Section 2]`
///
/// ```text
/// msid-value = msid-id [ SP msid-appdata ]
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Msid<'a> {
    /// Which; `-` for none.
    pub id: &'a str,
    /// Which track of it.
    pub track: Option<&'a str>,
}

impl<'a> Msid<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<Msid<'a>, ParseError> {
        let id = short_token(cursor, "an identifier of up to 64 letters")?;
        let track = if cursor.more() { Some(short_token(cursor, "a track of up to 64 letters")?) } else { None };
        Ok(Msid { id, track })
    }
}

fn short_token<'a>(cursor: &mut Cursor<'a>, expected: &'static str) -> Result<&'a str, ParseError> {
    let at = cursor.clone();
    let token = cursor.token(expected)?;
    if token.len() <= 64 { Ok(token) } else { Err(at.error(expected)) }
}

impl fmt::Display for Msid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)?;
        self.track.map_or(Ok(()), |track| write!(f, " {track}"))
    }
}

attribute!(Msid<'a>, "msid", "RFC 8830, Section 2");
