//! CSeq. `[RFC 3261, Section 20.16]`

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::HeaderId;

/// The place of a request in its dialog.
///
/// ```text
/// CSeq = "CSeq" HCOLON 1*DIGIT LWS Method
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct CSeq<T> {
    /// The number, below 2³¹ where the sender follows the RFC. `[RFC 3261, Section 8.1.1.5]`
    pub number: u32,
    /// The method.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub method: T,
}

impl<'a> CSeq<&'a [u8]> {
    /// Reads the value.
    ///
    /// # Errors
    /// Where it is none, or the number does not fit in 32 bits.
    pub fn parse(value: &'a [u8], offset: u32) -> Result<CSeq<&'a [u8]>, ParseError> {
        let mut cursor = Cursor::new(HeaderId::CSeq, value, offset);
        cursor.lws();
        let number = cursor.number("a number below 4294967296")?;
        if !cursor.blanks() {
            return Err(cursor.error("a blank before the method"));
        }
        let method = cursor.token("a method")?;
        cursor.end()?;
        Ok(CSeq { number, method })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_refuses() {
        let cseq = CSeq::parse(b"0009\r\n  INVITE", 0).unwrap();
        assert_eq!((cseq.number, cseq.method), (9, &b"INVITE"[..]));
        for bad in [
            &b"4294967296 INVITE"[..],
            b"1INVITE",
            b"1",
            b"1 ",
            b"x INVITE",
            b"-1 INVITE",
            b"1 INVITE x",
            b"1 IN(VITE",
            b"",
        ] {
            assert!(CSeq::parse(bad, 0).is_err(), "{}", bad.escape_ascii());
        }
    }
}
