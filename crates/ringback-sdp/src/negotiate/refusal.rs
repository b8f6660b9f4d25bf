//! Why there is no agreement.

use alloc::boxed::Box;
use core::fmt;

use crate::error::{BuildError, ParseError};

/// What is said to an offer that is not answered: numbers, because no SIP is known here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The response code: 488 as a rule, 491 for a glare, 580 for preconditions that can't be met, 500 where the fault is one's
    /// own.
    pub status: u16,
    /// The code of the Warning header field.
    pub warning: Option<WarningCode>,
    /// The stream it is about, counted from 0.
    pub media: Option<usize>,
    /// Its place in the text, where the offer couldn't be read.
    pub defect: Option<ParseError>,
    /// What a warning of the code 399 would leave open.
    pub reason: Option<&'static str>,
}

impl Refusal {
    /// One with 488 and a warning: for what is known to the program alone, such as
    /// [`WarningCode::InsufficientBandwidth`].
    #[must_use]
    pub fn warn(warning: WarningCode, media: Option<usize>) -> Refusal {
        Refusal { status: 488, warning: Some(warning), media, defect: None, reason: None }
    }

    /// One with 488, a warning of the code 399, and the words for people that go with it.
    #[must_use]
    pub fn because(reason: &'static str, media: Option<usize>) -> Refusal {
        Refusal { reason: Some(reason), ..Refusal::warn(WarningCode::Miscellaneous, media) }
    }

    /// The text of the Warning header field: the reason, or what the code usually says.
    #[must_use]
    pub fn text(&self) -> Option<&'static str> {
        self.reason.or_else(|| self.warning.map(WarningCode::text))
    }

    /// One with this status and no warning.
    #[must_use]
    pub fn bare(status: u16, media: Option<usize>) -> Refusal {
        Refusal { status, warning: None, media, defect: None, reason: None }
    }
}

/// What can't be read is refused as something that was not understood.
impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Refusal {
        Refusal { defect: Some(error), ..Refusal::warn(WarningCode::ParameterNotUnderstood, None) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(warning) = self.warning {
            write!(f, ", warning {} {:?}", warning.code(), self.text().unwrap_or_default())?;
        }
        if let Some(media) = self.media {
            write!(f, ", media description {media}")?;
        }
        self.defect.map_or(Ok(()), |defect| write!(f, ", {defect}"))
    }
}

impl core::error::Error for Refusal {}

/// The codes of the Warning header field that are about sessions. `[RFC 3261, Section 20.43]`
///
/// Three of them are never chosen here. An unknown unit of bandwidth is passed over, so 303 has no cause; whether a site has no
/// unicast (331), or too little bandwidth (370), only the program knows: it refuses with [`Refusal::warn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum WarningCode {
    /// 300.
    IncompatibleNetworkProtocol,
    /// 301.
    IncompatibleAddressFormat,
    /// 302.
    IncompatibleTransport,
    /// 303.
    IncompatibleBandwidthUnits,
    /// 304.
    MediaTypeNotAvailable,
    /// 305.
    IncompatibleMediaFormat,
    /// 306.
    AttributeNotUnderstood,
    /// 307.
    ParameterNotUnderstood,
    /// 330.
    MulticastNotAvailable,
    /// 331.
    UnicastNotAvailable,
    /// 370.
    InsufficientBandwidth,
    /// 399.
    Miscellaneous,
}

impl WarningCode {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.row().0
    }

    /// The usual text.
    #[must_use]
    pub const fn text(self) -> &'static str {
        self.row().1
    }

    const fn row(self) -> (u16, &'static str) {
        match self {
            WarningCode::IncompatibleNetworkProtocol => (300, "Incompatible network protocol"),
            WarningCode::IncompatibleAddressFormat => (301, "Incompatible network address formats"),
            WarningCode::IncompatibleTransport => (302, "Incompatible transport protocol"),
            WarningCode::IncompatibleBandwidthUnits => (303, "Incompatible bandwidth units"),
            WarningCode::MediaTypeNotAvailable => (304, "Media type not available"),
            WarningCode::IncompatibleMediaFormat => (305, "Incompatible media format"),
            WarningCode::AttributeNotUnderstood => (306, "Attribute not understood"),
            WarningCode::ParameterNotUnderstood => (307, "Session description parameter not understood"),
            WarningCode::MulticastNotAvailable => (330, "Multicast not available"),
            WarningCode::UnicastNotAvailable => (331, "Unicast not available"),
            WarningCode::InsufficientBandwidth => (370, "Insufficient bandwidth"),
            WarningCode::Miscellaneous => (399, "Miscellaneous warning"),
        }
    }
}

/// Why an offer of one's own can't be made: the caller's doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OfferError {
    /// It isn't valid by itself.
    Invalid(BuildError),
    /// There was no exchange yet, so there is nothing to change.
    NoSession,
    /// There is no such stream.
    NoStream(usize),
    /// A stream of before is missing: streams are removed by their port, and never taken out. `[RFC 3264, Section 8]`
    StreamMissing {
        /// How many there were.
        before: usize,
        /// How many there are now.
        now: usize,
    },
    /// A payload type stood for another codec in this stream. `[RFC 3264, Section 8.3.2]`
    PayloadTypeReused {
        /// The stream.
        media: usize,
        /// The payload type.
        payload_type: u8,
    },
    /// The version of a first offer leaves no room for those to come. `[RFC 3264, Section 5]`
    VersionTooHigh,
}

impl From<BuildError> for OfferError {
    fn from(error: BuildError) -> OfferError {
        OfferError::Invalid(error)
    }
}

impl fmt::Display for OfferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OfferError::Invalid(error) => error.fmt(f),
            OfferError::NoSession => f.write_str("there is no session to change"),
            OfferError::NoStream(media) => write!(f, "there is no media description {media}"),
            OfferError::StreamMissing { before, now } => {
                write!(f, "{now} media descriptions where there were {before} [RFC 3264, Section 8]")
            }
            OfferError::PayloadTypeReused { media, payload_type } => {
                write!(f, "media description {media}: payload type {payload_type} stood for another codec")?;
                f.write_str(" [RFC 3264, Section 8.3.2]")
            }
            OfferError::VersionTooHigh => f.write_str("the version leaves no room for others [RFC 3264, Section 5]"),
        }
    }
}

impl core::error::Error for OfferError {}

/// Why an answer doesn't fit its offer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnswerError {
    /// The stream, counted from 0.
    pub media: Option<usize>,
    /// What doesn't fit.
    pub kind: AnswerErrorKind,
}

/// What doesn't fit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerErrorKind {
    /// It isn't valid by itself. (Of an answer that comes in, this isn't asked.)
    Invalid(Box<BuildError>),
    /// The numbers of streams differ. `[RFC 3264, Section 6]`
    MediaCount {
        /// How many were offered.
        offered: usize,
        /// How many were answered.
        answered: usize,
    },
    /// The time of the session differs. `[RFC 3264, Section 6]`
    Timing,
    /// The types of the stream differ. `[RFC 3264, Section 6.1]`
    MediaType,
    /// The protocols of the stream differ.
    Protocol,
    /// A stream with port 0 is accepted. `[RFC 3264, Section 8.2]`
    NotOffered,
    /// The direction is none that answers the offered one. `[RFC 3264, Section 6.1]`
    Direction,
    /// No offered format is in the answer. `[RFC 3264, Section 6.1]`
    Format,
    /// Unicast answers multicast, or the other way round, or the group differs. `[RFC 3264, Section 6.2]`
    Multicast,
    /// The role can't answer the offered one. `[RFC 4145, Section 4.1]`
    Setup,
    /// No offered key has this tag and suite. `[RFC 4568, Section 5.1.2]`
    Crypto,
    /// RTCP is on the port of RTP though that wasn't offered. `[RFC 5761, Section 5.1.1]`
    RtcpMux,
    /// A group, or a stream in it, was not offered. `[RFC 8843, Section 7.3]`
    Bundle,
    /// RTCP of a stream in a bundle would have a port of its own. `[RFC 8843, Section 9.3.1.3]`
    BundleWithoutMux,
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(media) = self.media {
            write!(f, "media description {media}: ")?;
        }
        f.write_str(match &self.kind {
            AnswerErrorKind::Invalid(error) => return error.fmt(f),
            AnswerErrorKind::MediaCount { offered, answered } => {
                return write!(f, "{answered} media descriptions answer {offered} [RFC 3264, Section 6]");
            }
            AnswerErrorKind::Timing => "another time than was offered [RFC 3264, Section 6]",
            AnswerErrorKind::MediaType => "another media type than was offered [RFC 3264, Section 6.1]",
            AnswerErrorKind::Protocol => "another protocol than was offered [RFC 3264, Section 6]",
            AnswerErrorKind::NotOffered => "a stream that was offered with port 0 [RFC 3264, Section 8.2]",
            AnswerErrorKind::Direction => "a direction that does not answer the offered one [RFC 3264, Section 6.1]",
            AnswerErrorKind::Format => "no format that was offered [RFC 3264, Section 6.1]",
            AnswerErrorKind::Multicast => "another kind of address than was offered [RFC 3264, Section 6.2]",
            AnswerErrorKind::Setup => "a role that does not answer the offered one [RFC 4145, Section 4.1]",
            AnswerErrorKind::Crypto => "a key for a tag that was not offered [RFC 4568, Section 5.1.2]",
            AnswerErrorKind::RtcpMux => "rtcp-mux that was not offered [RFC 5761, Section 5.1.1]",
            AnswerErrorKind::Bundle => "a bundle that was not offered [RFC 8843, Section 7.3]",
            AnswerErrorKind::BundleWithoutMux => "a bundle without rtcp-mux [RFC 8843, Section 9.3.1.3]",
        })
    }
}

impl core::error::Error for AnswerError {}
