//! Refer-Sub. `[RFC 4488, Section 4]`

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::shapes::field;
use crate::header::{Decode, Encode, OwnedText, Param, ToOwnedText};
use crate::params::Params;

/// Whether a REFER makes a subscription to what becomes of it.
///
/// ```text
/// Refer-Sub       = "Refer-Sub" HCOLON refer-sub-value *(SEMI exten)
/// refer-sub-value = "true" / "false"
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct ReferSub<T = OwnedText> {
    /// Whether there is one.
    pub subscribes: bool,
    /// The parameters behind it.
    pub params: Params<T>,
}

field!(ReferSub);

impl ReferSub {
    /// Without parameters.
    #[must_use]
    pub fn new(subscribes: bool) -> ReferSub {
        ReferSub { subscribes, params: Params::default() }
    }

    /// With one more parameter.
    #[must_use]
    pub fn with_param(mut self, param: Param) -> ReferSub {
        self.params.push(&param);
        self
    }
}

impl<'a> Decode<'a> for ReferSub<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let at = cursor.clone();
        let subscribes = match cursor.token("true or false")? {
            value if value.eq_ignore_ascii_case(b"true") => true,
            value if value.eq_ignore_ascii_case(b"false") => false,
            _ => return Err(at.error("true or false")),
        };
        Ok(ReferSub { subscribes, params: Params::parse(cursor)? })
    }
}

impl<T: AsRef<[u8]>> Encode for ReferSub<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.subscribes { b"true" } else { b"false" });
        out.extend_from_slice(self.params.text());
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for ReferSub<T> {
    type Owned = ReferSub;

    fn to_owned_text(&self) -> ReferSub {
        ReferSub { subscribes: self.subscribes, params: self.params.to_owned_text() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn is_written_as_a_word() {
        assert_eq!(checked(&ReferSub::new(true)).unwrap(), b"true");
        assert_eq!(checked(&ReferSub::new(false).with_param(Param::flag("x"))).unwrap(), b"false;x");
        assert!(checked(&ReferSub::new(false).with_param(Param::raw("x", "\r\nA: b"))).is_err());
    }
}
