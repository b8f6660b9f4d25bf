//! Geolocation-Routing and Geolocation-Error. `[RFC 6442, Section 4]`

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::{field, number_params, params_accessor, params_check};
use crate::header::{Decode, Encode, OwnedText, Param, ToOwnedText, text};

/// Whether proxies may route the request by the location in it. `[RFC 6442, Section 4.2]`
///
/// ```text
/// Geolocation-Routing = "Geolocation-Routing" HCOLON ( "yes" / "no" / generic-value )
/// generic-value       = generic-param
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct GeolocationRouting<T = OwnedText> {
    /// `yes`, `no` or another word.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub value: T,
    /// What another word is set to, as written.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::maybe"))]
    pub setting: Option<T>,
}

field!(GeolocationRouting);

impl GeolocationRouting {
    /// They may, or not.
    #[must_use]
    pub fn new(is_allowed: bool) -> GeolocationRouting {
        let value = if is_allowed { b"yes".as_slice() } else { b"no" };
        GeolocationRouting { value: value.into(), setting: None }
    }
}

impl<T: AsRef<[u8]>> GeolocationRouting<T> {
    /// Whether they may: what is unknown counts as `no`. `[RFC 6442, Section 4.2]`
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.setting.is_none() && self.value.as_ref().eq_ignore_ascii_case(b"yes")
    }
}

impl<'a> Decode<'a> for GeolocationRouting<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let value = cursor.token("yes or no")?;
        let setting = match cursor.separator(b'=') {
            true if cursor.peek() == Some(b'"') => Some(cursor.quoted_string()?),
            true => Some(cursor.token("a value")?),
            false => None,
        };
        Ok(GeolocationRouting { value, setting })
    }
}

impl<T: AsRef<[u8]>> Encode for GeolocationRouting<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.value.as_ref());
        if let Some(setting) = &self.setting {
            out.push(b'=');
            out.extend_from_slice(setting.as_ref());
        }
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for GeolocationRouting<T> {
    type Owned = GeolocationRouting;

    fn to_owned_text(&self) -> GeolocationRouting {
        GeolocationRouting { value: own(&self.value), setting: self.setting.as_ref().map(own) }
    }
}

number_params! {
    /// What was wrong with the location in the request. `[RFC 6442, Section 4.4]`
    ///
    /// ```text
    /// Geolocation-Error        = "Geolocation-Error" HCOLON locationErrorValue
    /// locationErrorValue       = location-error-code *(SEMI location-error-params)
    /// location-error-code      = 1*3DIGIT
    /// location-error-code-text = "code" EQUAL quoted-string
    /// ```
    GeolocationError {
        /// The code, registered by what the sender of the location can do about it. `[RFC 6442, Section 8.6]`
        code: u16 below 1000, "a number from 0 to 999"
    } {
        /// What the code says, to people.
        text = "code": quoted,
    };
}

impl GeolocationError {
    /// With this explanation, to people.
    #[must_use]
    pub fn with_text(self, text: impl AsRef<[u8]>) -> GeolocationError {
        self.with_param(Param::raw("code", text::quoted(text.as_ref())))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn what_is_not_yes_is_no() {
        assert_eq!(checked(&GeolocationRouting::new(true)).unwrap(), b"yes");
        assert!(GeolocationRouting::new(true).is_allowed() && !GeolocationRouting::new(false).is_allowed());
        let other = |value: &str, setting: &str| GeolocationRouting {
            value: value.as_bytes().into(),
            setting: Some(setting.as_bytes().into()),
        };
        assert_eq!(checked(&other("yes", "\"a b\"")).unwrap(), b"yes=\"a b\"");
        assert!(!other("yes", "1").is_allowed());
        for bad in [other("", "a"), other("a", ""), other("a", "b c"), other("a=b", "c"), other("a\r\nb", "c")] {
            assert!(checked(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn codes_have_three_digits() {
        let error = GeolocationError::new(300).with_text("it \"failed\"");
        assert_eq!(checked(&error).unwrap(), b"300;code=\"it \\\"failed\\\"\"");
        assert_eq!(error.text().unwrap().as_ref(), b"it \"failed\"");
        assert!(checked(&GeolocationError::new(1000)).is_err());
        assert!(checked(&GeolocationError::new(1).with_param(Param::raw("code", "bare"))).is_err());
    }
}
