//! `name-addr` and `addr-spec` with parameters: From, To, Contact, Route, Record-Route, Path and their kin.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::chars;
use crate::cursor::{Cursor, decimal};
use crate::error::ParseError;
use crate::header::HeaderId;
use crate::header::text::debug_as_written;
use crate::params::{Finding, Params};
use crate::uri::Uri;

/// A URI with an optional name before it and parameters behind it.
///
/// ```text
/// name-addr      = [ display-name ] LAQUOT addr-spec RAQUOT
/// contact-param  = (name-addr / addr-spec) *(SEMI contact-params)
/// ```
///
/// Where the URI stands without angle brackets, all parameters belong to the header field, not to the URI. `[RFC 3261, Section 20]`
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct NameAddr<T> {
    /// The name as written, quotes included.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::maybe"))]
    pub display_name: Option<T>,
    /// The URI.
    pub uri: Uri<T>,
    /// The parameters behind it.
    pub params: Params<T>,
}

/// A preference from 0 to 1000 thousandths. `[RFC 3261, Section 20.10]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Qvalue(u16);

impl<'a> NameAddr<&'a [u8]> {
    /// Reads one up to the end of the value or a comma.
    ///
    /// # Errors
    /// Where the value is none.
    pub fn parse(cursor: &mut Cursor<'a>) -> Result<NameAddr<&'a [u8]>, ParseError> {
        NameAddr::parse_finding(cursor, |_| false).map(|(address, _)| address)
    }

    /// Reads a value that holds exactly one, as From and To do.
    ///
    /// # Errors
    /// Where the value is none, or more follows.
    #[inline]
    pub fn parse_only(header: HeaderId, value: &'a [u8], offset: u32) -> Result<NameAddr<&'a [u8]>, ParseError> {
        NameAddr::parse_with_tag(header, value, offset).map(|(address, _)| address)
    }

    /// The same, and its tag, which need not be looked for again.
    pub(crate) fn parse_with_tag(
        header: HeaderId,
        value: &'a [u8],
        offset: u32,
    ) -> Result<Finding<'a, NameAddr<&'a [u8]>>, ParseError> {
        let mut cursor = Cursor::new(header, value, offset);
        let (address, tag) = NameAddr::parse_finding(&mut cursor, |name| name.eq_ignore_ascii_case(b"tag"))?;
        cursor.end()?;
        Ok((address, tag.filter(|tag| !tag.is_empty())))
    }

    /// A copy for each name that is wanted, inlined so that the cursor stays in registers.
    #[inline(always)]
    fn parse_finding(
        cursor: &mut Cursor<'a>,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Finding<'a, NameAddr<&'a [u8]>>, ParseError> {
        cursor.lws();
        let display_name = display_name(cursor)?;
        let in_brackets = cursor.eat(b'<');
        let at = cursor.clone();
        let text = if in_brackets { bracketed(cursor) } else { bare(cursor)? };
        let uri = Uri::read(at.part(text, at.offset()))?;
        if in_brackets && !cursor.eat(b'>') {
            return Err(cursor.error("> behind the URI"));
        }
        let (params, found) = Params::parse_finding(cursor, wanted)?;
        Ok((NameAddr { display_name, uri, params }, found))
    }
}

/// A quoted string, or tokens with white space between, and in any case a `<` behind them.
#[inline(always)]
fn display_name<'a>(cursor: &mut Cursor<'a>) -> Result<Option<&'a [u8]>, ParseError> {
    if cursor.peek() == Some(b'<') {
        return Ok(None);
    }
    if cursor.peek() == Some(b'"') {
        let name = cursor.quoted_string()?;
        cursor.lws();
        return if cursor.peek() == Some(b'<') {
            Ok(Some(name))
        } else {
            Err(cursor.error("< behind the display name"))
        };
    }
    let mut ahead = cursor.clone();
    let name =
        ahead.take_while(|b| chars::is(b, chars::TOKEN) || matches!(b, b' ' | b'\t' | b'\r' | b'\n') || b >= 0x80);
    if ahead.peek() != Some(b'<') {
        return Ok(None);
    }
    *cursor = ahead;
    let name = chars::trim(name);
    Ok((!name.is_empty()).then_some(name))
}

#[inline]
fn bracketed<'a>(cursor: &mut Cursor<'a>) -> &'a [u8] {
    cursor.take(memchr::memchr2(b'>', b'<', cursor.rest()).unwrap_or(usize::MAX))
}

/// Without brackets a URI ends at a semicolon, comma or white space and may hold neither of them nor a question mark. `[RFC 3261, Section 20]`
#[inline]
fn bare<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], ParseError> {
    let text = cursor.take_while(|b| chars::is(b, chars::URI) && !matches!(b, b';' | b',' | b'?'));
    if cursor.peek() == Some(b'?') { Err(cursor.error("< and > around a URI with a question mark")) } else { Ok(text) }
}

debug_as_written! {
    NameAddr: NameAddr::write;
}

impl<T: AsRef<[u8]>> NameAddr<T> {
    /// The `tag` parameter.
    #[must_use]
    pub fn tag(&self) -> Option<&[u8]> {
        self.params.value(b"tag").filter(|tag| !tag.is_empty())
    }

    /// The `expires` parameter in seconds: one too large to hold counts as the largest, one that is no number as none. `[RFC 3261, Section 10.2.1.1]`
    #[must_use]
    pub fn expires_secs(&self) -> Option<u32> {
        let digits = self.params.value(b"expires")?;
        let numeric = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        numeric.then(|| decimal(digits).unwrap_or(u32::MAX))
    }

    /// The `q` parameter; `None` also where it is malformed.
    #[must_use]
    pub fn q(&self) -> Option<Qvalue> {
        self.params.value(b"q").and_then(Qvalue::parse)
    }

    /// Writes it out, with angle brackets always.
    pub fn write(&self, out: &mut Vec<u8>) {
        if let Some(name) = &self.display_name {
            out.extend_from_slice(name.as_ref());
            out.push(b' ');
        }
        out.push(b'<');
        self.uri.write(out);
        out.push(b'>');
        out.extend_from_slice(self.params.text());
    }

    /// A copy that owns its text.
    #[must_use]
    pub fn to_owned_text(&self) -> NameAddr<Box<[u8]>> {
        NameAddr {
            display_name: self.display_name.as_ref().map(crate::header::field::own),
            uri: self.uri.to_owned_text(),
            params: self.params.to_owned_text(),
        }
    }
}

impl Qvalue {
    /// The highest preference, which is also the default.
    pub const ONE: Qvalue = Qvalue(1000);

    /// So many thousandths; `None` above 1000.
    #[must_use]
    pub const fn from_thousandths(q: u16) -> Option<Qvalue> {
        if q <= 1000 { Some(Qvalue(q)) } else { None }
    }

    /// As thousandths.
    #[must_use]
    pub const fn as_thousandths(self) -> u16 {
        self.0
    }

    /// Reads `0`, `1`, `0.` and up to three digits, `1.` and up to three zeros.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Qvalue> {
        let (whole, fraction) = match text {
            [whole @ (b'0' | b'1')] => (whole, &[][..]),
            [whole @ (b'0' | b'1'), b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
            _ => return None,
        };
        let mut q = u16::from(whole.saturating_sub(b'0')).saturating_mul(1000);
        let mut weight = 100_u16;
        for digit in fraction {
            q = q.saturating_add(u16::try_from(char::from(*digit).to_digit(10)?).ok()?.saturating_mul(weight));
            weight /= 10;
        }
        Qvalue::from_thousandths(q)
    }
}

impl core::fmt::Display for Qvalue {
    /// `1`, `0`, or `0.` and up to three digits.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            1000.. => f.write_str("1"),
            0 => f.write_str("0"),
            q if q % 100 == 0 => write!(f, "0.{}", q / 100),
            q if q % 10 == 0 => write!(f, "0.{:02}", q / 10),
            q => write!(f, "0.{q:03}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<NameAddr<&[u8]>, ParseError> {
        NameAddr::parse_only(HeaderId::Contact, text.as_bytes(), 0)
    }

    #[test]
    fn names_and_brackets() {
        for (text, name) in [
            ("\"a>b\" <sip:x@y>;tag=1", Some("\"a>b\"")),
            ("Alice B <sip:x@y>;tag=1", Some("Alice B")),
            ("caller<sip:x@y> ; tag=1", Some("caller")),
            ("sip:x@y;tag=1", None),
            ("<sip:x@y>;tag=1", None),
            (" \r\n \"\\\"\" \r\n <sip:x@y>;tag=1", Some("\"\\\"\"")),
        ] {
            let parsed = parse(text).unwrap();
            assert_eq!(parsed.display_name, name.map(str::as_bytes), "{text}");
            assert_eq!(parsed.tag(), Some(&b"1"[..]), "{text}");
        }
    }

    #[test]
    fn parameters_of_a_bare_uri_belong_to_the_header() {
        let bare = parse("sip:a@b;unknownparam").unwrap();
        assert!(bare.params.has(b"unknownparam") && bare.uri.as_sip().unwrap().params.is_empty());
        let inside = parse("<sip:a@b;unknownparam>").unwrap();
        assert!(inside.params.is_empty() && inside.uri.as_sip().unwrap().params.has(b"unknownparam"));
    }

    #[test]
    fn malformed() {
        for text in [
            "",
            "<",
            "><",
            "<<",
            "<>",
            "<sip:a@b",
            "\"a <sip:a@b>",
            "\"a\\\" <sip:a@b>",
            "\"a\" sip:a@b",
            "a, b <sip:a@b>",
            "<sip:a@b>x",
            "sip:a@b?x=y",
            "< sip:a@b>",
            "<sip:a@b >",
            "<sip:a@b>;;",
            "Bell, Alexander <sip:a@b>;tag=43",
        ] {
            assert!(parse(text).is_err(), "{text} was read");
        }
    }

    #[test]
    fn q_values() {
        assert_eq!(Qvalue::parse(b"0.7").unwrap().as_thousandths(), 700);
        assert_eq!(Qvalue::parse(b"1.000"), Some(Qvalue::ONE));
        assert_eq!(Qvalue::parse(b"0."), Qvalue::from_thousandths(0));
        for bad in [&b""[..], b".", b"1.0000000", b"-1", b"NaN", b"1.1", b"2", b".5", b"0.1234"] {
            assert_eq!(Qvalue::parse(bad), None);
        }
    }

    #[test]
    fn expires_saturates() {
        assert_eq!(parse("<sip:a@b>;expires=4294967296").unwrap().expires_secs(), Some(u32::MAX));
        assert_eq!(parse("<sip:a@b>;expires=-1").unwrap().expires_secs(), None);
        assert_eq!(parse("<sip:a@b>;expires=0").unwrap().expires_secs(), Some(0));
    }
}
