//! Sources of RTP by their number. `[RFC 5576]`

use alloc::vec::Vec;
use core::fmt;

use crate::cursor::{Cursor, is_token_char};
use crate::error::ParseError;

/// An attribute of one source. `[RFC 5576, Section 4.1]`
///
/// ```text
/// ssrc-attr = "ssrc:" ssrc-id SP attribute
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ssrc<'a> {
    /// The source.
    pub ssrc: u32,
    /// The name of its attribute.
    pub attribute: &'a str,
    /// What stands behind the colon.
    pub value: Option<&'a str>,
}

impl<'a> Ssrc<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<Ssrc<'a>, ParseError> {
        let ssrc = cursor.number("a source below 2 to the 32nd")?;
        cursor.space("a blank and an attribute")?;
        let attribute = cursor.word(is_token_char, "the name of an attribute")?;
        let value = cursor.eat(':').then(|| cursor.take_all());
        Ok(Ssrc { ssrc, attribute, value })
    }
}

impl fmt::Display for Ssrc<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.ssrc, self.attribute)?;
        self.value.map_or(Ok(()), |value| write!(f, ":{value}"))
    }
}

attribute!(Ssrc<'a>, "ssrc", "RFC 5576, Section 4.1");

/// Sources that belong together. `[RFC 5576, Section 4.2]`
///
/// ```text
/// ssrc-group-attr = "ssrc-group:" semantics *(SP ssrc-id)
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsrcGroup<'a> {
    /// What binds them, such as `FID`.
    pub semantics: &'a str,
    /// The sources.
    pub sources: Vec<u32>,
}

impl<'a> SsrcGroup<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<SsrcGroup<'a>, ParseError> {
        let semantics = cursor.token("what binds the sources")?;
        let mut sources = Vec::new();
        while cursor.more() {
            sources.push(cursor.number("a source below 2 to the 32nd")?);
        }
        Ok(SsrcGroup { semantics, sources })
    }
}

impl fmt::Display for SsrcGroup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.semantics)?;
        self.sources.iter().try_for_each(|source| write!(f, " {source}"))
    }
}

attribute!(SsrcGroup<'a>, "ssrc-group", "RFC 5576, Section 4.2");
