//! `m=`. `[RFC 8866, Section 5.14]`

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::cursor::{Cursor, is_token_char};
use crate::error::{ParseError, ParseErrorKind};

pub(crate) const SECTION: &str = "RFC 8866, Section 5.14";

/// Formats of one media description, at most: as many as there are payload types.
pub const FORMATS_MAX: usize = 128;

/// The first line of a media description.
///
/// ```text
/// media-field = %s"m" "=" media SP port ["/" integer] SP proto 1*(SP fmt) CRLF
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaLine {
    /// What is sent.
    pub media: MediaType,
    /// Where to; 0 for a stream that is not wanted.
    pub port: u16,
    /// How many ports there are, where it is said: for RTP, pairs of ports.
    pub ports: Option<u16>,
    /// How it is carried, such as `RTP/AVP`.
    pub protocol: Box<str>,
    /// What it is made of; for RTP, payload types in order of preference.
    pub formats: Vec<Box<str>>,
}

/// What a stream carries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MediaType {
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// Text as it is typed.
    Text,
    /// Data.
    Application,
    /// Messages.
    Message,
    /// Pictures, facsimile among them.
    Image,
    /// A type that has no name here.
    Other(Box<str>),
}

impl MediaType {
    /// As it stands in the line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            MediaType::Audio => "audio",
            MediaType::Video => "video",
            MediaType::Text => "text",
            MediaType::Application => "application",
            MediaType::Message => "message",
            MediaType::Image => "image",
            MediaType::Other(name) => name,
        }
    }
}

impl From<&str> for MediaType {
    fn from(name: &str) -> MediaType {
        match name {
            "audio" => MediaType::Audio,
            "video" => MediaType::Video,
            "text" => MediaType::Text,
            "application" => MediaType::Application,
            "message" => MediaType::Message,
            "image" => MediaType::Image,
            other => MediaType::Other(other.into()),
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl MediaLine {
    /// Reads the value of an `m=` line as the grammar has it.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(text: &str) -> Result<MediaLine, ParseError> {
        let (line, departure) = MediaLine::read(&mut Cursor::detached(text, SECTION))?;
        departure.map_or(Ok(line), Err)
    }

    /// Reads one; beside it, the first departure from the grammar that can be lived with: no format at all, or a payload
    /// type that is none.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<(MediaLine, Option<ParseError>), ParseError> {
        let media = MediaType::from(cursor.token("a media type")?);
        cursor.space("a blank and the port")?;
        let port = cursor.number("a port from 0 to 65535")?;
        let at = cursor.clone();
        let ports = if cursor.eat('/') { Some(cursor.number("a number of ports, up to 65535")?) } else { None };
        if at.rest().starts_with("/0") {
            return Err(at.error("a number of ports above 0"));
        }
        cursor.space("a blank and the protocol")?;
        let at = cursor.clone();
        let protocol = cursor.word(|c| c == '/' || is_token_char(c), "a transport protocol")?;
        if protocol.split('/').any(str::is_empty) {
            return Err(at.error("a transport protocol of tokens with slashes between them"));
        }
        let mut line = MediaLine { media, port, ports, protocol: protocol.into(), formats: Vec::new() };
        let mut departure = None;
        while cursor.more() {
            let at = cursor.clone();
            let format = cursor.visible("a format")?;
            if !line.is_fit(format) {
                departure.get_or_insert_with(|| at.error("a payload type from 0 to 127, or a token"));
            }
            if line.formats.len() >= FORMATS_MAX {
                return Err(ParseError { kind: ParseErrorKind::TooLarge, ..at.error("no more than 128 formats") });
            }
            line.formats.push(format.into());
        }
        cursor.end()?;
        if line.formats.is_empty() {
            departure.get_or_insert_with(|| cursor.error("a blank and a format"));
        }
        Ok((line, departure))
    }

    /// What was read here and is not as the grammar has it, if anything is.
    pub(crate) fn defect(&self) -> Option<&'static str> {
        match () {
            () if self.formats.is_empty() => Some("an m= line without a format"),
            () if self.formats.iter().all(|format| self.is_fit(format)) => None,
            () if self.is_rtp() => Some("a format of RTP that is no payload type from 0 to 127"),
            () => Some("a format that is no token"),
        }
    }

    fn is_fit(&self, format: &str) -> bool {
        if self.is_rtp() { payload_type(format).is_some() } else { format.chars().all(is_token_char) }
    }

    /// True where formats are payload types of RTP.
    #[must_use]
    pub fn is_rtp(&self) -> bool {
        self.protocol.split('/').any(|part| part.eq_ignore_ascii_case("RTP"))
    }

    /// The payload types, in order of preference; what is none is left out.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> + '_ {
        let formats = if self.is_rtp() { self.formats.as_slice() } else { &[] };
        formats.iter().filter_map(|format| payload_type(format))
    }
}

/// A format as a payload type of RTP.
pub(crate) fn payload_type(format: &str) -> Option<u8> {
    let is_digits = !format.is_empty() && format.bytes().all(|b| b.is_ascii_digit());
    format.parse().ok().filter(|&number| is_digits && number < 128)
}

impl fmt::Display for MediaLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.media, self.port)?;
        if let Some(ports) = self.ports {
            write!(f, "/{ports}")?;
        }
        write!(f, " {}", self.protocol)?;
        self.formats.iter().try_for_each(|format| write!(f, " {format}"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn all_forms_come_back() {
        for text in [
            "audio 49170 RTP/AVP 0 8 97",
            "video 49170/2 RTP/AVP 31",
            "application 9 UDP/DTLS/SCTP webrtc-datachannel",
            "image 4000 udptl t38",
            "x-new 0 TCP/TLS *",
        ] {
            assert_eq!(MediaLine::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_none_is_refused_with_its_place() {
        for (bad, column) in [
            ("", 1),
            ("audio", 6),
            ("audio x", 7),
            ("audio 65536 RTP/AVP 0", 7),
            ("audio -1 RTP/AVP 0", 7),
            ("audio 1/4294967295 RTP/AVP 0", 9),
            ("audio 1/0 RTP/AVP 0", 8),
            ("audio 1/02 RTP/AVP 0", 8),
            ("audio 1 RTP//AVP 0", 9),
            ("audio 1 RTP/AVP", 16),
            ("audio 1 RTP/AVP -1", 17),
            ("audio 1 RTP/AVP 128", 17),
            ("audio 1 RTP/AVP 0 99999999999999999999", 19),
            ("audio 1 RTP/AVP 0\u{7f}8", 18),
        ] {
            assert_eq!(MediaLine::parse(bad).unwrap_err().column, column, "{bad:?}");
        }
    }

    #[test]
    fn only_numbers_are_payload_types() {
        let (line, departure) =
            MediaLine::read(&mut Cursor::detached("audio 1 RTP/SAVPF 0 +8 x 127", SECTION)).unwrap();
        assert_eq!(line.payload_types().collect::<Vec<_>>(), [0, 127]);
        assert_eq!(departure.unwrap().column, 21);
        assert_eq!(MediaLine::parse("application 9 udp 5").unwrap().payload_types().count(), 0);
    }
}
