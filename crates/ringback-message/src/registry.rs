//! The small registries of SIP, one table each: option tags, event packages, warn-codes, reasons and parameters.
//!
//! | registry | value | table |
//! |---|---|---|
//! | Option Tags | [`OptionTag`] | [`OptionTag::REGISTERED`] |
//! | Event packages and template-packages | [`EventType`] | [`EventType::REGISTERED`] |
//! | Warning Codes | [`WarnCode`] | [`WarnCode::REGISTERED`] |
//! | Reason Protocols | [`ReasonProtocol`] | [`ReasonProtocol::REGISTERED`] |
//! | causes of the telephone network | [`Q850Cause`] | [`Q850Cause::KNOWN`] |
//! | SIP/SIPS URI Parameters | a name | [`UriParameter::REGISTERED`] |
//! | Header Field Parameters | a header field and a name | [`HeaderParameter::REGISTERED`] |
//!
//! Their big sisters have places of their own: response codes are in [`status`](crate::status), methods in
//! [`Method`](crate::Method), header fields in [`HeaderId`](crate::HeaderId) and [`facts`](crate::header::facts).
//!
//! What a table lacks is as good a value as what it has: it is kept as it came, and has no row.
//! The tables hold what the IANA registries "Session Initiation Protocol (SIP) Parameters" and "Session Initiation
//! Protocol (SIP) Event Types Namespace" held in July 2026, by stored copies of them.
//!
//! ```
//! use ringback_message::registry::{EventType, OptionTag, Places, WarnCode};
//!
//! let tag = OptionTag::from_token(b"TIMER").unwrap();
//! assert_eq!(tag, OptionTag::Timer);
//! assert_eq!(tag.info().unwrap().source.to_string(), "[RFC 4028, Section 12.3]");
//! assert!(OptionTag::Histinfo.info().unwrap().places == Places::SUPPORTED);
//!
//! let event = EventType::from_token(b"presence.winfo").unwrap();
//! assert_eq!((event.package(), event.body_types()), ("presence", &["application/watcherinfo+xml"][..]));
//!
//! assert_eq!(WarnCode::InsufficientBandwidth.default_text(), "Insufficient bandwidth");
//! ```

use core::fmt;

mod event;
mod header_parameter;
mod option_tag;
mod reason;
mod uri_parameter;
mod warn_code;

pub use event::{EventKind, EventType, EventTypeInfo};
pub use header_parameter::HeaderParameter;
pub use option_tag::{OptionTag, OptionTagInfo, Places};
pub use reason::{Q850Cause, Q850CauseInfo, ReasonProtocol, ReasonProtocolInfo};
pub use uri_parameter::UriParameter;
pub use warn_code::{InvalidWarnCode, WarnCode, WarnCodeInfo};

/// Where something is defined: an RFC, most often with the section, or a document of another body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    text: &'static str,
    /// 0 where it is no RFC.
    rfc: u16,
    section: &'static str,
}

impl Source {
    /// Reads `RFC n`, `RFC n, Section s`, or the name of another document. Written out in the tables, so that CI finds
    /// the citation and looks the section up.
    pub(crate) const fn new(text: &'static str) -> Source {
        let [b'R', b'F', b'C', b' ', digits @ ..] = text.as_bytes() else {
            return Source { text, rfc: 0, section: "" };
        };
        let (rfc, rest) = number(digits);
        let section = match rest {
            [b',', b' ', b'S', b'e', b'c', b't', b'i', b'o', b'n', b' ', section @ ..] => {
                text.split_at(text.len() - section.len()).1
            }
            _ => "",
        };
        Source { text, rfc, section }
    }

    /// The number of the RFC.
    #[must_use]
    pub const fn rfc(self) -> Option<u16> {
        match self.rfc {
            0 => None,
            rfc => Some(rfc),
        }
    }

    /// The section of that RFC, such as `"21.4.6"`.
    #[must_use]
    pub const fn section(self) -> Option<&'static str> {
        match self.section.len() {
            0 => None,
            _ => Some(self.section),
        }
    }

    /// The citation without brackets: `RFC 3261, Section 20.43`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.text
    }

    /// For tables that keep the number by itself: 0 where it is no RFC.
    pub(crate) const fn rfc_number(self) -> u16 {
        self.rfc
    }

    /// For tables that keep the section by itself: empty where none is named.
    pub(crate) const fn section_text(self) -> &'static str {
        self.section
    }
}

impl fmt::Display for Source {
    /// In brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.text)
    }
}

/// The number that the bytes begin with, and what follows.
const fn number(mut bytes: &[u8]) -> (u16, &[u8]) {
    let mut number = 0;
    while let [digit @ b'0'..=b'9', rest @ ..] = bytes {
        number = number * 10 + (*digit - b'0') as u16;
        bytes = rest;
    }
    (number, bytes)
}

/// A name of a registry: a token, registered or not. `$same` is the registry's rule for equality.
macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $info:ident, $rows:expr, $same:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a>(&'a str);

        impl $name<'static> {
            /// The rows of the table.
            pub const REGISTERED: &'static [$info] = $rows;
        }

        impl<'a> $name<'a> {
            /// The one of that name, registered or not; `None` where the bytes are no token.
            #[must_use]
            pub fn from_token(token: &'a [u8]) -> Option<$name<'a>> {
                let text = core::str::from_utf8(token).ok()?;
                $crate::chars::is_token(token).then_some($name(text))
            }

            /// The name as it was written.
            #[must_use]
            pub const fn as_str(self) -> &'a str {
                self.0
            }

            /// The row of exactly this name.
            fn row(self) -> Option<&'static $info> {
                $name::REGISTERED.iter().find(|row| row.name == self)
            }
        }

        impl PartialEq<$name<'_>> for $name<'_> {
            fn eq(&self, other: &$name<'_>) -> bool {
                let same: fn(&str, &str) -> bool = $same;
                same(self.0, other.0)
            }
        }

        impl Eq for $name<'_> {}

        impl core::fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.0)
            }
        }
    };
}
use name_type;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read() {
        let source = Source::new("RFC 3261, Section 21.4.6");
        assert_eq!((source.rfc(), source.section()), (Some(3261), Some("21.4.6")));
        let source = Source::new("RFC 8840");
        assert_eq!((source.rfc(), source.section(), source.as_str()), (Some(8840), None, "RFC 8840"));
        let source = Source::new("3GPP TS 24.229");
        assert_eq!((source.rfc(), source.section()), (None, None));
    }
}
