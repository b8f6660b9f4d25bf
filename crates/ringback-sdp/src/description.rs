//! A session description.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::attribute::MediaDirection;
use crate::error::{BuildError, ParseError};
use crate::line::{Connection, Line, MediaLine, MediaType, Origin, Repeat, Timing, Zone};
use crate::parse::{self, Reading};
use crate::section::{Kind, Section};

/// What a session is, and what media it has. `[RFC 8866, Section 5]`
///
/// Unknown lines and attributes are kept to the letter; lines are in the order of the grammar, and `s=` and `t=` are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDescription {
    origin: Origin,
    section: Section,
    media: Vec<MediaDescription>,
}

/// One stream of media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaDescription {
    line: MediaLine,
    section: Section,
}

impl SessionDescription {
    /// Reads a description as tolerantly as is safe: see [`Reading::departures`] for what is passed over.
    ///
    /// # Errors
    /// At the first defect that leaves the meaning open.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<SessionDescription, ParseError> {
        parse::read(text.as_ref()).map(|reading| reading.description)
    }

    /// Reads a description that is as the grammar has it.
    ///
    /// # Errors
    /// At the first departure from the grammar.
    pub fn parse_strict(text: impl AsRef<[u8]>) -> Result<SessionDescription, ParseError> {
        let reading = parse::read(text.as_ref())?;
        reading.departures.first().map_or(Ok(reading.description), |departure| Err(*departure))
    }

    /// Reads a description tolerantly and says what was passed over.
    ///
    /// # Errors
    /// At the first defect that leaves the meaning open.
    pub fn read(text: impl AsRef<[u8]>) -> Result<Reading, ParseError> {
        parse::read(text.as_ref())
    }

    /// One without media, with `s=-` and `t=0 0`, as offers and answers begin. `[RFC 3264, Section 5]`
    ///
    /// # Errors
    /// Where the origin would not be read back.
    pub fn new(origin: Origin) -> Result<SessionDescription, BuildError> {
        let text = alloc::string::ToString::to_string(&origin);
        Line::new('o', &text)?;
        if Origin::parse(&text)? != origin {
            return Err(BuildError::Contradiction {
                media: None,
                what: "a part of the origin holds a blank",
                value: text.into(),
                section: "RFC 8866, Section 5.2",
            });
        }
        let lines = [Line::own(b's', "-"), Line::own(b't', "0 0")];
        Ok(SessionDescription { origin, section: Section::from_lines(Kind::Session, lines.into()), media: Vec::new() })
    }

    pub(crate) fn from_parts(origin: Origin, section: Section, media: Vec<MediaDescription>) -> SessionDescription {
        SessionDescription { origin, section, media }
    }

    /// Who made it, and which version it is.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    /// The name of the session; bytes that aren't UTF-8 are replaced.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        self.section.with_letter('s').next().map_or(Cow::Borrowed("-"), Line::text)
    }

    /// The times that it is active.
    pub fn timings(&self) -> impl Iterator<Item = Timing> + '_ {
        let lines = self.section.with_letter('t');
        lines.filter_map(|line| Timing::read(&mut line.cursor(crate::line::TIMING).ok()?).ok())
    }

    /// The schedules of all times, one after the other.
    pub fn repeats(&self) -> impl Iterator<Item = Repeat> + '_ {
        let lines = self.section.with_letter('r');
        lines.filter_map(|line| Repeat::read(&mut line.cursor(crate::line::REPEAT).ok()?).ok())
    }

    /// The changes of local time of all schedules, one after the other.
    pub fn zones(&self) -> impl Iterator<Item = Zone> + '_ {
        let lines = self.section.with_letter('z');
        lines.filter_map(|line| Zone::read(&mut line.cursor(crate::line::ZONE).ok()?).ok())
    }

    /// The lines of the session level, without `v=` and `o=`.
    #[must_use]
    pub fn section(&self) -> &Section {
        &self.section
    }

    /// The same, to be changed.
    pub fn section_mut(&mut self) -> &mut Section {
        &mut self.section
    }

    /// The streams, in order.
    #[must_use]
    pub fn media(&self) -> &[MediaDescription] {
        &self.media
    }

    /// One stream, to be changed.
    pub fn media_mut(&mut self, index: usize) -> Option<&mut MediaDescription> {
        self.media.get_mut(index)
    }

    /// Puts a stream behind the others.
    pub fn push_media(&mut self, media: MediaDescription) {
        self.media.push(media);
    }

    pub(crate) fn replace_media(&mut self, index: usize, media: MediaDescription) {
        if let Some(slot) = self.media.get_mut(index) {
            *slot = media;
        }
    }

    /// Where a stream is received: its own `c=` line, or that of the session. `[RFC 8866, Section 5.7]`
    #[must_use]
    pub fn connection_of<'a>(&'a self, media: &'a MediaDescription) -> Option<Connection<'a>> {
        media.section.connection().or_else(|| self.section.connection())
    }

    /// The direction of a stream: its own, or that of the session, or both ways. `[RFC 8866, Section 6.7]`
    #[must_use]
    pub fn direction_of(&self, media: &MediaDescription) -> MediaDirection {
        media.section.direction().or_else(|| self.section.direction()).unwrap_or_default()
    }

    /// The text, with CR LF at the end of each line.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::write::to_bytes(self)
    }

    /// How long the text is, in bytes.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        crate::write::byte_len(self)
    }
}

impl MediaDescription {
    /// One without attributes.
    ///
    /// # Errors
    /// Where the line would not be read back.
    pub fn new(line: MediaLine) -> Result<MediaDescription, BuildError> {
        let text = alloc::string::ToString::to_string(&line);
        Line::new('m', &text)?;
        if MediaLine::parse(&text)? != line {
            return Err(BuildError::Contradiction {
                media: None,
                what: "a part of the media line holds a blank",
                value: text.into(),
                section: "RFC 8866, Section 5.14",
            });
        }
        Ok(MediaDescription { line, section: Section::default() })
    }

    pub(crate) fn from_parts(line: MediaLine, section: Section) -> MediaDescription {
        MediaDescription { line, section }
    }

    /// Its first line.
    #[must_use]
    pub fn line(&self) -> &MediaLine {
        &self.line
    }

    /// What it carries.
    #[must_use]
    pub fn media(&self) -> &MediaType {
        &self.line.media
    }

    /// Where it is received; 0 where it isn't wanted.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.line.port
    }

    /// How it is carried.
    #[must_use]
    pub fn protocol(&self) -> &str {
        &self.line.protocol
    }

    /// What it is made of, the most wanted first.
    #[must_use]
    pub fn formats(&self) -> &[Box<str>] {
        &self.line.formats
    }

    /// The lines below the first.
    #[must_use]
    pub fn section(&self) -> &Section {
        &self.section
    }

    /// The same, to be changed.
    pub fn section_mut(&mut self) -> &mut Section {
        &mut self.section
    }

    /// Another port.
    pub fn set_port(&mut self, port: u16) {
        self.line.port = port;
    }

    /// What takes the slot of a stream that is gone: the line with port 0, and nothing below it. `[RFC 3264, Section 8.2]`
    #[must_use]
    pub fn removed(&self) -> MediaDescription {
        let line = MediaLine { port: 0, ports: None, ..self.line.clone() };
        MediaDescription { line, section: Section::default() }
    }
}

impl FromStr for SessionDescription {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<SessionDescription, ParseError> {
        SessionDescription::parse(text)
    }
}

impl TryFrom<&[u8]> for SessionDescription {
    type Error = ParseError;

    fn try_from(text: &[u8]) -> Result<SessionDescription, ParseError> {
        SessionDescription::parse(text)
    }
}

/// The text, with CR LF at the end of each line; bytes that aren't UTF-8 are replaced, which [`SessionDescription::to_bytes`]
/// does not do.
impl fmt::Display for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::write::display(self, f)
    }
}
