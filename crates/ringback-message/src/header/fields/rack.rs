//! RAck. `[RFC 3262, Section 7.2]`

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::field;
use crate::header::{Decode, Encode, OwnedText, ToOwnedText};

/// Which reliable provisional response a PRACK acknowledges.
///
/// ```text
/// RAck = "RAck" HCOLON response-num LWS CSeq-num LWS Method
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct RAck<T = OwnedText> {
    /// The number of its RSeq.
    pub response_number: u32,
    /// The number of its CSeq.
    pub cseq_number: u32,
    /// The method of its CSeq.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub method: T,
}

field!(RAck);

impl RAck {
    /// For the response with this RSeq to the request with this CSeq.
    #[must_use]
    pub fn new(response_number: u32, cseq_number: u32, method: impl AsRef<[u8]>) -> RAck {
        RAck { response_number, cseq_number, method: method.as_ref().into() }
    }
}

impl<'a> Decode<'a> for RAck<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let at = cursor.clone();
        let response_number = cursor.number("a number from 1 to 4294967295")?;
        if response_number == 0 {
            return Err(at.error("a number from 1 to 4294967295"));
        }
        blank(cursor, "a blank before the number of the CSeq")?;
        let cseq_number = cursor.number("a number below 4294967296")?;
        blank(cursor, "a blank before the method")?;
        let method = cursor.token("a method")?;
        Ok(RAck { response_number, cseq_number, method })
    }
}

fn blank(cursor: &mut Cursor<'_>, expected: &'static str) -> Result<(), ParseError> {
    let before = cursor.offset();
    cursor.lws();
    if cursor.offset() == before { Err(cursor.error(expected)) } else { Ok(()) }
}

impl<T: AsRef<[u8]>> Encode for RAck<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        for number in [self.response_number, self.cseq_number] {
            out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            out.push(b' ');
        }
        out.extend_from_slice(self.method.as_ref());
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for RAck<T> {
    type Owned = RAck;

    fn to_owned_text(&self) -> RAck {
        RAck { response_number: self.response_number, cseq_number: self.cseq_number, method: own(&self.method) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn only_a_method_and_a_number_above_zero_can_be_written() {
        assert_eq!(checked(&RAck::new(776_656, 1, "INVITE")).unwrap(), b"776656 1 INVITE");
        for bad in
            [RAck::new(0, 1, "INVITE"), RAck::new(1, 1, ""), RAck::new(1, 1, "A B"), RAck::new(1, 1, "A\r\nB: c")]
        {
            assert!(checked(&bad).is_err(), "{bad:?}");
        }
    }
}
