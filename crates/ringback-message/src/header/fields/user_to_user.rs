//! User-to-User. `[RFC 7433, Section 4.1]`

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::shapes::{field, headed, params_accessor, params_check};
use crate::header::{Param, text};
use crate::params::Params;

headed! {
    /// Data that the users of a call send to each other along with its signalling.
    ///
    /// ```text
    /// UUI       = "User-to-User" HCOLON uui-value *(COMMA uui-value)
    /// uui-value = uui-data *(SEMI uui-param)
    /// uui-data  = token / quoted-string
    /// uui-param = pkg-param / cont-param / enc-param / generic-param
    /// ```
    UserToUser {
        /// The data as written, quotes included.
        data: read_data
    }, BY_COMMA {
        /// The package that says what the data are for.
        purpose = "purpose": token,
        /// What the data are.
        content = "content": token,
        /// How the data are encoded.
        encoding = "encoding": token,
    };
}

impl UserToUser {
    /// This text, without a word on its encoding.
    #[must_use]
    pub fn new(text: impl AsRef<[u8]>) -> UserToUser {
        UserToUser { data: text::token_or_quoted(text.as_ref()).into(), params: Params::default() }
    }

    /// These octets, in hexadecimal digits. `[RFC 7433, Section 4.2]`
    #[must_use]
    pub fn hex(octets: impl AsRef<[u8]>) -> UserToUser {
        let mut digits = Vec::with_capacity(octets.as_ref().len().saturating_mul(2));
        for octet in octets.as_ref() {
            for nibble in [octet >> 4, octet & 15] {
                digits.push(char::from_digit(u32::from(nibble), 16).and_then(|c| u8::try_from(c).ok()).unwrap_or(b'0'));
            }
        }
        UserToUser::new(digits).with_param(Param::raw("encoding", "hex"))
    }

    /// For this package.
    #[must_use]
    pub fn with_purpose(self, package: impl AsRef<[u8]>) -> UserToUser {
        self.with_param(Param::raw("purpose", package))
    }
}

impl<T: AsRef<[u8]>> UserToUser<T> {
    /// The data without quotes and escapes.
    pub fn text(&self) -> Cow<'_, [u8]> {
        text::unquoted(self.data.as_ref())
    }

    /// The octets where the encoding is `hex`; `None` where it is another, or the digits are none or not in pairs.
    #[must_use]
    pub fn octets(&self) -> Option<Vec<u8>> {
        if !self.encoding()?.eq_ignore_ascii_case(b"hex") {
            return None;
        }
        let text = self.text();
        let (pairs, odd) = text.as_chunks::<2>();
        let digit = |b: u8| char::from(b).to_digit(16);
        let octet =
            |&[high, low]: &[u8; 2]| u8::try_from(digit(high)?.saturating_mul(16).saturating_add(digit(low)?)).ok();
        if odd.is_empty() { pairs.iter().map(octet).collect() } else { None }
    }
}

fn read_data<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], ParseError> {
    match cursor.peek() {
        Some(b'"') => cursor.quoted_string(),
        _ => cursor.token("a token or a quoted string"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn octets_go_in_and_come_out() {
        let data = UserToUser::hex([0x56, 0xa3, 0x90, 0x00, 0xff]).with_purpose("foo");
        assert_eq!(checked(&data).unwrap(), b"56a39000ff;encoding=hex;purpose=foo");
        assert_eq!(data.octets().unwrap(), [0x56, 0xa3, 0x90, 0x00, 0xff]);
        for odd in ["abc", "xy", ""] {
            let octets = UserToUser::new(odd).with_param(Param::raw("encoding", "HEX")).octets();
            assert_eq!(octets, if odd.is_empty() { Some(Vec::new()) } else { None }, "{odd}");
        }
    }

    #[test]
    fn text_can_not_become_a_second_value() {
        let data = UserToUser::new("a,b;c=\"d\"");
        assert_eq!(checked(&data).unwrap(), b"\"a,b;c=\\\"d\\\"\"");
        assert_eq!(data.text().as_ref(), b"a,b;c=\"d\"");
        assert_eq!(data.octets(), None);
        assert!(checked(&UserToUser::new("a\r\nb")).is_err());
        assert!(checked(&data.with_purpose("a b")).is_err());
        assert!(checked(&UserToUser { data: b"a,b"[..].into(), params: Params::default() }).is_err());
    }
}
