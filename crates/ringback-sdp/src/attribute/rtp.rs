//! What RTP needs: payload types, their parameters, RTCP, header extensions.

use core::fmt;

use crate::attribute::MediaDirection;
use crate::cursor::{Cursor, is_blank, is_token_char, is_visible};
use crate::error::ParseError;
use crate::line::Connection;

/// What a payload type stands for. `[RFC 8866, Section 6.6]`
///
/// ```text
/// rtpmap-value = payload-type SP encoding-name "/" clock-rate [ "/" encoding-params ]
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpMap<'a> {
    /// From 0 to 127.
    pub payload_type: u8,
    /// The name of the encoding, in whatever case.
    pub encoding: &'a str,
    /// Ticks of the RTP timestamp per second.
    pub clock_rate: u32,
    /// Channels of sound; one, where it isn't said.
    pub channels: Option<u32>,
}

impl<'a> RtpMap<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<RtpMap<'a>, ParseError> {
        let payload_type = payload_type(cursor)?;
        cursor.space("a blank and the name of the encoding")?;
        let encoding = cursor.token("the name of an encoding")?;
        cursor.expect('/', "a slash and the clock rate")?;
        let clock_rate = positive(cursor, "a clock rate above 0")?;
        let channels = if cursor.eat('/') { Some(positive(cursor, "a number of channels above 0")?) } else { None };
        Ok(RtpMap { payload_type, encoding, clock_rate, channels })
    }
}

impl fmt::Display for RtpMap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.payload_type, self.encoding, self.clock_rate)?;
        self.channels.map_or(Ok(()), |channels| write!(f, "/{channels}"))
    }
}

attribute!(RtpMap<'a>, "rtpmap", "RFC 8866, Section 6.6");

fn payload_type(cursor: &mut Cursor<'_>) -> Result<u8, ParseError> {
    let at = cursor.clone();
    let number: u8 = cursor.number("a payload type from 0 to 127")?;
    if number < 128 { Ok(number) } else { Err(at.error("a payload type from 0 to 127")) }
}

/// An `integer`: above 0. Zeros before it are a departure.
fn positive(cursor: &mut Cursor<'_>, expected: &'static str) -> Result<u32, ParseError> {
    let at = cursor.clone();
    if at.peek() == Some('0') {
        cursor.depart(&at, expected);
    }
    match cursor.number(expected)? {
        0 => Err(at.error(expected)),
        number => Ok(number),
    }
}

/// Parameters of a format. `[RFC 8866, Section 6.15]`
///
/// ```text
/// fmtp-value = fmt SP format-specific-params
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fmtp<'a> {
    /// The format, a payload type for RTP.
    pub format: &'a str,
    /// As they are written, whatever their shape.
    pub parameters: &'a str,
}

impl<'a> Fmtp<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<Fmtp<'a>, ParseError> {
        let format = cursor.token("a format")?;
        cursor.space("a blank and the parameters")?;
        let parameters = cursor.word(|_| true, "parameters")?;
        Ok(Fmtp { format, parameters: parameters.trim_end_matches(is_blank) })
    }

    /// The parameters of the usual shape, `name=value` with semicolons between them; a name alone has an empty value.
    pub fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        pairs(self.parameters)
    }
}

/// The parameters of the usual shape.
pub(crate) fn pairs(parameters: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = parameters.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').map_or((part, ""), |(name, value)| (name.trim(), value.trim())))
}

impl fmt::Display for Fmtp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.format, self.parameters)
    }
}

attribute!(Fmtp<'a>, "fmtp", "RFC 8866, Section 6.15");

/// Thousandths of a number that may have decimals. `[RFC 8866, Section 9]`
fn thousandths(cursor: &mut Cursor<'_>, expected: &'static str) -> Result<u64, ParseError> {
    let at = cursor.clone();
    let whole: u32 = cursor.number(expected)?;
    let decimals = if cursor.eat('.') { cursor.digits("decimals")? } else { "" };
    let whole_digits = at.rest().bytes().take_while(u8::is_ascii_digit).count();
    if decimals.ends_with('0') || (whole_digits > 1 && at.peek() == Some('0')) {
        cursor.depart(&at, expected);
    }
    let shown = decimals.get(..3).unwrap_or(decimals);
    let missing = 3_usize.saturating_sub(shown.len());
    let part = core::iter::repeat_n(10, missing).fold(shown.parse().unwrap_or(0_u64), u64::saturating_mul);
    match u64::from(whole).saturating_mul(1000).saturating_add(part) {
        0 => Err(at.error(expected)),
        number => Ok(number),
    }
}

fn write_thousandths(number: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (whole, part) = (number / 1000, number % 1000);
    match part {
        0 => write!(f, "{whole}"),
        _ if part.is_multiple_of(100) => write!(f, "{whole}.{}", part / 100),
        _ if part.is_multiple_of(10) => write!(f, "{whole}.{:02}", part / 10),
        _ => write!(f, "{whole}.{part:03}"),
    }
}

macro_rules! decimal {
    ($(#[$docs:meta])* $type:ident { $(#[$field_docs:meta])* $field:ident }, $name:literal, $section:literal, $expected:literal) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $type {
            $(#[$field_docs])*
            pub $field: u64,
        }

        impl $type {
            fn read_value(cursor: &mut Cursor<'_>) -> Result<$type, ParseError> {
                Ok($type { $field: thousandths(cursor, $expected)? })
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_thousandths(self.$field, f)
            }
        }

        attribute!($type, $name, $section);
    };
}

decimal! {
    /// How much time one packet is wanted to hold. `[RFC 8866, Section 6.4]`
    Ptime {
        /// Microseconds: what is written is milliseconds, with decimals if need be.
        time_us
    }, "ptime", "RFC 8866, Section 6.4", "milliseconds above 0"
}
decimal! {
    /// How much time one packet may hold. `[RFC 8866, Section 6.5]`
    MaxPtime {
        /// Microseconds: what is written is milliseconds, with decimals if need be.
        time_us
    }, "maxptime", "RFC 8866, Section 6.5", "milliseconds above 0"
}
decimal! {
    /// How many pictures per second there are at most. `[RFC 8866, Section 6.13]`
    FrameRate {
        /// Thousandths of pictures per second.
        per_thousand_seconds
    }, "framerate", "RFC 8866, Section 6.13", "a rate above 0"
}

/// Where RTCP is received. `[RFC 3605, Section 2.1]`
///
/// ```text
/// rtcp-attribute = "a=rtcp:" port [nettype space addrtype space connection-address] CRLF
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rtcp<'a> {
    /// The port.
    pub port: u16,
    /// The address, where it is another than that of the media.
    pub address: Option<Connection<'a>>,
}

impl<'a> Rtcp<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<Rtcp<'a>, ParseError> {
        let port = cursor.number("a port from 0 to 65535")?;
        let address = if cursor.more() { Some(Connection::read(cursor)?) } else { None };
        Ok(Rtcp { port, address })
    }
}

impl fmt::Display for Rtcp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.port)?;
        self.address.map_or(Ok(()), |address| write!(f, " {address}"))
    }
}

attribute!(Rtcp<'a>, "rtcp", "RFC 3605, Section 2.1");

property! {
    /// RTP and RTCP on one port. `[RFC 5761, Section 5.1.1]`
    RtcpMux, "rtcp-mux", "RFC 5761, Section 5.1.1"
}
property! {
    /// RTP and RTCP on one port, and in no other way; only in an offer. `[RFC 8858, Section 3]`
    RtcpMuxOnly, "rtcp-mux-only", "RFC 8858, Section 3"
}
property! {
    /// RTCP packets that aren't compound. `[RFC 5506, Section 5]`
    RtcpRsize, "rtcp-rsize", "RFC 5506, Section 5"
}
property! {
    /// Header extensions of one byte and of two in one stream. `[RFC 8285, Section 6]`
    ExtMapAllowMixed, "extmap-allow-mixed", "RFC 8285, Section 6"
}

/// Feedback that a receiver sends. It comes from RFC 4585, and RFC 5104 adds to it. `[RFC 5104, Section 7.1]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtcpFeedback<'a> {
    /// The payload type; `None` for `*`, all of them.
    pub payload_type: Option<u8>,
    /// Such as `nack`, `ccm fir` or `trr-int 100`.
    pub value: &'a str,
}

impl<'a> RtcpFeedback<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<RtcpFeedback<'a>, ParseError> {
        let payload_type = if cursor.eat('*') { None } else { Some(payload_type(cursor)?) };
        cursor.space("a blank and the kind of feedback")?;
        let value = cursor.word(|_| true, "a kind of feedback")?.trim_end_matches(is_blank);
        Ok(RtcpFeedback { payload_type, value })
    }
}

impl fmt::Display for RtcpFeedback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.payload_type {
            Some(payload_type) => write!(f, "{payload_type} {}", self.value),
            None => write!(f, "* {}", self.value),
        }
    }
}

attribute!(RtcpFeedback<'a>, "rtcp-fb", "RFC 5104, Section 7.1");

/// A number for an extension of the RTP header. `[RFC 8285, Section 8]`
///
/// ```text
/// extmap-value = mapentry SP extensionname [SP extensionattributes]
/// mapentry     = "extmap:" 1*5DIGIT ["/" direction]
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtMap<'a> {
    /// The number.
    pub id: u16,
    /// Which way it is used; as the stream goes, where it isn't said.
    pub direction: Option<MediaDirection>,
    /// What it is.
    pub uri: &'a str,
    /// What that kind of extension needs.
    pub attributes: Option<&'a str>,
}

impl<'a> ExtMap<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<ExtMap<'a>, ParseError> {
        let id = cursor.number("a number of an extension")?;
        let direction = if cursor.eat('/') {
            let at = cursor.clone();
            let name = cursor.word(is_token_char, "a direction")?;
            Some(MediaDirection::from_name(name.as_bytes()).ok_or_else(|| at.error("a direction"))?)
        } else {
            None
        };
        cursor.space("a blank and a URI")?;
        let uri = cursor.word(is_visible, "a URI")?;
        let attributes = cursor.more().then(|| cursor.take_all());
        Ok(ExtMap { id, direction, uri, attributes })
    }
}

impl fmt::Display for ExtMap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        if let Some(direction) = self.direction {
            write!(f, "/{direction}")?;
        }
        write!(f, " {}", self.uri)?;
        self.attributes.map_or(Ok(()), |attributes| write!(f, " {attributes}"))
    }
}

attribute!(ExtMap<'a>, "extmap", "RFC 8285, Section 8");
