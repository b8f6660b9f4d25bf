//! Warning codes. Source: the "Warning Codes (warn-codes)" of the IANA "Session Initiation Protocol (SIP) Parameters".

use core::fmt;

use super::Source;

/// The number of a Warning: three digits. `[RFC 3261, Section 20.43]`
///
/// The named constants can't be used up: a number that the registry lacks is as much a value of this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WarnCode(u16);

impl WarnCode {
    /// The rows of the table, ascending.
    pub const REGISTERED: &'static [WarnCodeInfo] = ROWS;

    /// Any number of three digits.
    ///
    /// # Errors
    /// [`InvalidWarnCode`] above 999.
    pub const fn new(code: u16) -> Result<WarnCode, InvalidWarnCode> {
        match code {
            0..=999 => Ok(WarnCode(code)),
            _ => Err(InvalidWarnCode),
        }
    }

    /// The number.
    #[must_use]
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// What the registry says of it; `None` for a number that it lacks.
    #[must_use]
    pub fn info(self) -> Option<&'static WarnCodeInfo> {
        ROWS.iter().find(|row| row.code == self)
    }

    /// The warn-text to send when there is nothing better to say.
    ///
    /// A number that the registry lacks gets the text of 399.
    #[must_use]
    pub fn default_text(self) -> &'static str {
        self.info().map_or(MISCELLANEOUS, |row| row.text)
    }
}

impl fmt::Display for WarnCode {
    /// The three digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

/// A number that has more than three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InvalidWarnCode;

impl fmt::Display for InvalidWarnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a warn-code is three digits")
    }
}

impl core::error::Error for InvalidWarnCode {}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WarnCodeInfo {
    /// The number.
    pub code: WarnCode,
    /// The recommended text in English.
    pub text: &'static str,
    /// The section that defines it.
    pub source: Source,
    /// What it says, in one sentence.
    pub meaning: &'static str,
}

/// The text of 399.
const MISCELLANEOUS: &str = "Miscellaneous warning";

macro_rules! warn_codes {
    ($($code:literal $const:ident $text:literal $source:literal; $meaning:literal)*) => {
        /// The registered codes. 300 to 329 are about words of the session description, 330 to 339 about the network,
        /// 370 to 379 about quality of service, 390 to 399 about the rest.
        #[allow(non_upper_case_globals, reason = "named like the variants of an enum, as response codes are")]
        impl WarnCode {$(
            #[doc = concat!("**", $code, " ", $text, "**: ", $meaning, " `[", $source, "]`")]
            pub const $const: WarnCode = WarnCode($code);
        )*}

        static ROWS: &[WarnCodeInfo] = &[$(WarnCodeInfo {
            code: WarnCode::$const,
            text: $text,
            source: Source::new($source),
            meaning: $meaning,
        }),*];
    };
}

warn_codes! {
    300 IncompatibleNetworkProtocol "Incompatible network protocol" "RFC 3261, Section 20.43";
        "A network protocol of the session description can't be used here."
    301 IncompatibleNetworkAddressFormats "Incompatible network address formats" "RFC 3261, Section 20.43";
        "An address of the session description has a form that can't be used here."
    302 IncompatibleTransportProtocol "Incompatible transport protocol" "RFC 3261, Section 20.43";
        "A transport protocol of the session description can't be used here."
    303 IncompatibleBandwidthUnits "Incompatible bandwidth units" "RFC 3261, Section 20.43";
        "A unit of bandwidth was not understood."
    304 MediaTypeNotAvailable "Media type not available" "RFC 3261, Section 20.43";
        "A kind of media, such as video, can't be had here."
    305 IncompatibleMediaFormat "Incompatible media format" "RFC 3261, Section 20.43";
        "A format of media, such as a codec, can't be had here."
    306 AttributeNotUnderstood "Attribute not understood" "RFC 3261, Section 20.43";
        "An attribute of the media is not supported."
    307 SessionDescriptionParameterNotUnderstood "Session description parameter not understood"
        "RFC 3261, Section 20.43";
        "Something else in the session description was not understood."
    308 IncompatibleLanguageSpecification "Incompatible language specification" "RFC 8373, Section 6.2";
        "None of the human languages asked for can be had here."
    330 MulticastNotAvailable "Multicast not available" "RFC 3261, Section 20.43";
        "The network at the user's place has no multicast."
    331 UnicastNotAvailable "Unicast not available" "RFC 3261, Section 20.43";
        "The network at the user's place has no unicast, most often because of a firewall."
    370 InsufficientBandwidth "Insufficient bandwidth" "RFC 3261, Section 20.43";
        "The session needs more bandwidth than there is."
    380 SipsNotAllowed "SIPS Not Allowed" "RFC 5630, Section 9";
        "The request can't be served with the sips scheme, for instance because no contact is registered with it."
    381 SipsRequired "SIPS Required" "RFC 5630, Section 9";
        "The request can be served with the sips scheme only."
    399 Miscellaneous "Miscellaneous warning" "RFC 3261, Section 20.43";
        "Anything else, for people to read; no program may act on it."
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn every_number_round_trips() {
        assert!(ROWS.is_sorted_by(|a, b| a.code < b.code));
        for number in 0..=1000 {
            let code = WarnCode::new(number);
            assert_eq!(code.is_ok(), number < 1000);
            if let Ok(code) = code {
                assert_eq!((code.as_u16(), code.to_string().parse()), (number, Ok(number)));
                assert_eq!(code.to_string().len(), 3);
                assert_eq!(code.info().is_some(), ROWS.iter().any(|row| row.code.as_u16() == number));
            }
        }
    }

    #[test]
    fn texts() {
        assert_eq!(WarnCode::SipsRequired.default_text(), "SIPS Required");
        assert_eq!(WarnCode::Miscellaneous.default_text(), MISCELLANEOUS);
        assert_eq!(WarnCode::new(390).unwrap().default_text(), MISCELLANEOUS);
    }
}
