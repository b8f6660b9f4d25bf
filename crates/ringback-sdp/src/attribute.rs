//! Attributes that have a meaning here: read when asked for, written by their [`Display`](core::fmt::Display).
//!
//! ```
//! use ringback_sdp::attribute::{Attribute, RtpMap};
//!
//! let opus = RtpMap::parse("96 opus/48000/2")?;
//! assert_eq!((opus.encoding, opus.clock_rate, opus.channels), ("opus", 48_000, Some(2)));
//! assert_eq!(opus.to_string(), "96 opus/48000/2");
//! # Ok::<(), ringback_sdp::ParseError>(())
//! ```

#[macro_use]
mod shapes;

mod direction;
mod events;
mod group;
mod ice;
mod precondition;
mod rtp;
mod security;
mod simulcast;
mod source;
mod t38;
mod text;

use alloc::string::{String, ToString};
use core::fmt;

use crate::cursor::{Cursor, count, is_token};
use crate::error::{BuildError, ParseError, ParseErrorKind};
use crate::line::Line;

pub use direction::MediaDirection;
pub use events::{EVENT_RANGES_MAX, Events};
pub use group::{BundleOnly, Group, Label, MaxMessageSize, Mid, Msid, SctpPort};
pub use ice::{
    Candidate, EndOfCandidates, IceLite, IceMismatch, IceOptions, IcePacing, IcePwd, IceUfrag, RemoteCandidate,
    RemoteCandidates,
};
pub use precondition::{ConfirmStatus, CurrentStatus, DesiredStatus, ResourceDirection, StatusType, Strength};
pub(crate) use rtp::pairs;
pub use rtp::{
    ExtMap, ExtMapAllowMixed, Fmtp, FrameRate, MaxPtime, Ptime, Rtcp, RtcpFeedback, RtcpMux, RtcpMuxOnly, RtcpRsize,
    RtpMap,
};
pub use security::{ConnectionUse, Crypto, Fingerprint, Setup};
pub use simulcast::{Rid, RidDirection, Simulcast};
pub use source::{Ssrc, SsrcGroup};
pub use t38::{RateManagement, T38, T38VendorInfo, UdpErrorCorrection};
pub use text::{Category, Charset, Keywords, Lang, Orient, Quality, SdpLang, SessionType, Tool};

/// An attribute with a name and a grammar. What it writes is what stands behind the colon; nothing, for a property.
pub trait Attribute<'a>: Sized + fmt::Display {
    /// The name before the colon.
    const NAME: &'static str;
    /// Where its grammar stands.
    const SECTION: &'static str;

    /// Reads the value.
    ///
    /// # Errors
    /// Where the grammar doesn't allow it.
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, ParseError>;

    /// That a value is as the grammar has it, to the last blank: what is built is held to this, and what comes in is read
    /// without.
    ///
    /// # Errors
    /// Where it isn't.
    fn check(value: &str) -> Result<(), ParseError>;

    /// Reads a value that belongs to no description.
    ///
    /// # Errors
    /// Where the grammar doesn't allow it.
    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::detached(value, Self::SECTION);
        let attribute = Self::read(&mut cursor)?;
        cursor.end()?;
        Ok(attribute)
    }

    /// The line.
    ///
    /// # Errors
    /// Where what was put in it would not be read back, or holds CR, LF or NUL.
    fn to_line(&self) -> Result<Line, BuildError> {
        let value: String = self.to_string();
        let line = Line::attribute(Self::NAME, Some(value.as_str()).filter(|value| !value.is_empty()))?;
        Self::check(&value).map_err(|error| BuildError::Attribute { media: None, name: Self::NAME, error })?;
        Ok(line)
    }
}

/// Reads a value as the grammar has it, with nothing passed over.
pub(crate) fn strict<'a, A: Attribute<'a>>(value: &'a str) -> Result<(), ParseError> {
    let mut cursor = Cursor::detached(value, A::SECTION);
    A::read(&mut cursor)?;
    cursor.end()?;
    cursor.lenient().map_or(Ok(()), Err)
}

/// That a name is one, and the value of a known attribute too; what is unknown may say anything.
pub(crate) fn check(line: &Line) -> Result<(), ParseError> {
    let Some((name, value)) = line.as_attribute() else { return Ok(()) };
    let at = |column: usize, expected| ParseError {
        kind: ParseErrorKind::Value,
        line: line.number(),
        column: count(column),
        expected,
        section: "RFC 8866, Section 5.13",
    };
    if !core::str::from_utf8(name).is_ok_and(is_token) {
        return Err(at(3, "a name that is a token"));
    }
    if value.is_some_and(<[u8]>::is_empty) {
        return Err(at(name.len().saturating_add(4), "a value behind the colon"));
    }
    if value.is_some() && MediaDirection::from_name(name).is_some() {
        return Err(at(name.len().saturating_add(3), "no value: a direction is its name alone"));
    }
    let Some((_, section, check)) = KNOWN.iter().find(|(known, ..)| known.as_bytes() == name) else { return Ok(()) };
    let cursor = line.attribute_cursor(section)?;
    check(cursor.rest()).map_err(|error| {
        let start = cursor.error("").column;
        ParseError { line: line.number(), column: start.saturating_add(error.column).saturating_sub(1), ..error }
    })
}

type Row = (&'static str, &'static str, fn(&str) -> Result<(), ParseError>);

macro_rules! rows {
    ($($type:ty),+ $(,)?) => {
        &[$((<$type as Attribute<'_>>::NAME, <$type as Attribute<'_>>::SECTION, <$type as Attribute<'_>>::check)),+]
    };
}

/// All attributes that have a type here.
const KNOWN: &[Row] = rows![
    BundleOnly,
    Candidate<'_>,
    Category<'_>,
    Charset<'_>,
    ConfirmStatus<'_>,
    ConnectionUse,
    Crypto<'_>,
    CurrentStatus<'_>,
    DesiredStatus<'_>,
    EndOfCandidates,
    ExtMap<'_>,
    ExtMapAllowMixed,
    Fingerprint<'_>,
    Fmtp<'_>,
    FrameRate,
    Group<'_>,
    IceLite,
    IceMismatch,
    IceOptions<'_>,
    IcePacing,
    IcePwd<'_>,
    IceUfrag<'_>,
    Keywords<'_>,
    Label<'_>,
    Lang<'_>,
    MaxMessageSize,
    MaxPtime,
    Mid<'_>,
    Msid<'_>,
    Orient<'_>,
    Ptime,
    Quality,
    RemoteCandidates<'_>,
    Rid<'_>,
    Rtcp<'_>,
    RtcpFeedback<'_>,
    RtcpMux,
    RtcpMuxOnly,
    RtcpRsize,
    RtpMap<'_>,
    SctpPort,
    SdpLang<'_>,
    SessionType<'_>,
    Setup,
    Simulcast<'_>,
    Ssrc<'_>,
    SsrcGroup<'_>,
    T38VendorInfo,
    Tool<'_>,
];
