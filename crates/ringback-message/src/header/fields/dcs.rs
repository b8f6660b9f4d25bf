//! Header fields of the Distributed Call Signaling of cable networks that have a grammar of their own. `[RFC 5503]`

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::{field, number_param, params_accessor, params_check, text_param};
use crate::header::{Decode, Encode, HeaderId, OwnedText, Param, ToOwnedText, text};
use crate::params::Params;
use crate::uri::{Uri, host_port};

/// What ties the billing records of a call together, and who pays. `[RFC 5503, Section 7.1]`
///
/// ```text
/// P-DCS-Billing-Info     = "P-DCS-Billing-Info" HCOLON
///                          Billing-Correlation-ID "/" FEID *(SEMI Billing-Info-param)
/// Billing-Correlation-ID = 1*48(HEXDIG)
/// FEID                   = 1*16(HEXDIG) "@" host
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct PDcsBillingInfo<T = OwnedText> {
    /// The identifier of the call for billing, in hexadecimal digits.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub correlation_id: T,
    /// Which element of the operator gave it, in hexadecimal digits.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub element_id: T,
    /// The domain of the operator.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub element_host: T,
    /// The parameters behind it.
    pub params: Params<T>,
}

field!(PDcsBillingInfo);

impl PDcsBillingInfo {
    /// This call, by this element.
    #[must_use]
    pub fn new(
        correlation_id: impl AsRef<[u8]>,
        element_id: impl AsRef<[u8]>,
        element_host: impl AsRef<[u8]>,
    ) -> PDcsBillingInfo {
        PDcsBillingInfo {
            correlation_id: own(&correlation_id),
            element_id: own(&element_id),
            element_host: own(&element_host),
            params: Params::default(),
        }
    }

    /// With one more parameter. Those that hold a URI need it in quotes: [`Param::raw`] with [`text::quoted`](crate::header::text::quoted).
    #[must_use]
    pub fn with_param(mut self, param: Param) -> PDcsBillingInfo {
        self.params.push(&param);
        self
    }
}

impl<T: AsRef<[u8]>> PDcsBillingInfo<T> {
    params_accessor!(
        /// The group of record keeping servers.
        params, rks_group = "rksgroup": text
    );
    params_accessor!(
        /// Who pays, as a URI in quotes.
        params, charge = "charge": text
    );
    params_accessor!(
        /// Who calls, as a URI in quotes.
        params, calling = "calling": text
    );
    params_accessor!(
        /// Who was called, as a URI in quotes.
        params, called = "called": text
    );
    params_accessor!(
        /// Where the call was routed to, as a URI in quotes.
        params, routing = "routing": text
    );
    params_accessor!(
        /// Where the call was routed to for the sake of its place, as a URI in quotes.
        params, location_routing = "locroute": text
    );
    params_accessor!(
        /// The point of the network where the call begins, in quotes.
        params, jip = "jip": text
    );
}

impl<'a> Decode<'a> for PDcsBillingInfo<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let correlation_id = hex(cursor, 48, "1 to 48 hexadecimal digits")?;
        if !cursor.separator(b'/') {
            return Err(cursor.error("/ behind the identifier"));
        }
        let element_id = hex(cursor, 16, "1 to 16 hexadecimal digits")?;
        if !cursor.eat(b'@') {
            return Err(cursor.error("@ behind the identifier of the element"));
        }
        let at = cursor.clone();
        let (element_host, port) = host_port(cursor)?;
        if port.is_some() {
            return Err(at.error("a host without a port"));
        }
        let at = cursor.clone();
        let params = Params::parse(cursor)?;
        params_check!(at, params, "rksgroup": text);
        for name in ["charge", "calling", "called", "routing", "locroute"] {
            quoted_uri_param(&at, &params, name)?;
        }
        jip(&at, &params)?;
        Ok(PDcsBillingInfo { correlation_id, element_id, element_host, params })
    }
}

impl<T: AsRef<[u8]>> Encode for PDcsBillingInfo<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.correlation_id.as_ref());
        out.push(b'/');
        out.extend_from_slice(self.element_id.as_ref());
        out.push(b'@');
        out.extend_from_slice(self.element_host.as_ref());
        out.extend_from_slice(self.params.text());
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for PDcsBillingInfo<T> {
    type Owned = PDcsBillingInfo;

    fn to_owned_text(&self) -> PDcsBillingInfo {
        let info = PDcsBillingInfo::new(&self.correlation_id, &self.element_id, &self.element_host);
        PDcsBillingInfo { params: self.params.to_owned_text(), ..info }
    }
}

/// Where lawful interception wants the signalling of a call to go. `[RFC 5503, Section 8.1]`
///
/// ```text
/// P-DCS-LAES   = "P-DCS-LAES" HCOLON Laes-sig *(SEMI Laes-param)
/// Laes-sig     = hostport
/// Laes-content = "content" EQUAL hostport
/// Laes-bcid    = "bcid" EQUAL 1*48(HEXDIG)
/// Laes-cccid   = "cccid" EQUAL 1*8(HEXDIG)
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct PDcsLaes<T = OwnedText> {
    /// The host that takes the signalling.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub host: T,
    /// Its port, if it is given.
    pub port: Option<u16>,
    /// The parameters behind it.
    pub params: Params<T>,
}

field!(PDcsLaes);

impl PDcsLaes {
    /// To this host.
    #[must_use]
    pub fn new(host: impl AsRef<[u8]>, port: Option<u16>) -> PDcsLaes {
        PDcsLaes { host: own(&host), port, params: Params::default() }
    }

    /// With one more parameter.
    #[must_use]
    pub fn with_param(mut self, param: Param) -> PDcsLaes {
        self.params.push(&param);
        self
    }
}

impl<T: AsRef<[u8]>> PDcsLaes<T> {
    params_accessor!(
        /// The host, and port if it is given, that takes the media.
        params, content = "content": text
    );
    params_accessor!(
        /// The identifier of the call for billing, in hexadecimal digits.
        params, billing_correlation_id = "bcid": text
    );
    params_accessor!(
        /// The identifier of the media stream, in hexadecimal digits.
        params, content_connection_id = "cccid": text
    );
}

impl<'a> Decode<'a> for PDcsLaes<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let (host, port) = host_port(cursor)?;
        let at = cursor.clone();
        let params = Params::parse(cursor)?;
        params_check!(at, params, "content": text);
        if let Some(content) = params.value(b"content") {
            let mut inner = Cursor::new(at.header(), content, at.error_at(content, "").offset);
            host_port(&mut inner)?;
            inner.end()?;
        }
        hex_param(&at, &params, "bcid", 48, "1 to 48 hexadecimal digits")?;
        hex_param(&at, &params, "cccid", 8, "1 to 8 hexadecimal digits")?;
        Ok(PDcsLaes { host, port, params })
    }
}

impl<T: AsRef<[u8]>> Encode for PDcsLaes<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.host.as_ref());
        if let Some(port) = self.port {
            out.push(b':');
            out.extend_from_slice(itoa::Buffer::new().format(port).as_bytes());
        }
        out.extend_from_slice(self.params.text());
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for PDcsLaes<T> {
    type Owned = PDcsLaes;

    fn to_owned_text(&self) -> PDcsLaes {
        PDcsLaes { params: self.params.to_owned_text(), ..PDcsLaes::new(&self.host, self.port) }
    }
}

/// Who was called and who redirected, of a call under lawful interception. `[RFC 5503, Section 8.1]`
///
/// ```text
/// P-DCS-Redirect    = "P-DCS-Redirect" HCOLON Called-ID *(SEMI redir-params)
/// Called-ID         = LDQUOT addr-spec RDQUOT
/// redir-uri-param   = "redirector-uri" EQUAL Redirector
/// redir-count-param = "count" EQUAL Redir-count
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct PDcsRedirect<T = OwnedText> {
    /// Who was called, as a URI in quotes.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub called: T,
    /// The parameters behind it.
    pub params: Params<T>,
}

field!(PDcsRedirect);

impl PDcsRedirect {
    /// Of a call to this URI.
    #[must_use]
    pub fn new(called: impl AsRef<[u8]>) -> PDcsRedirect {
        PDcsRedirect { called: text::quoted(called.as_ref()).into(), params: Params::default() }
    }

    /// Redirected by this URI.
    #[must_use]
    pub fn with_redirector(self, uri: impl AsRef<[u8]>) -> PDcsRedirect {
        self.with_param(Param::raw("redirector-uri", text::quoted(uri.as_ref())))
    }

    /// With one more parameter.
    #[must_use]
    pub fn with_param(mut self, param: Param) -> PDcsRedirect {
        self.params.push(&param);
        self
    }
}

impl<T: AsRef<[u8]>> PDcsRedirect<T> {
    /// The URI that was called, without its quotes.
    pub fn called_uri(&self) -> Cow<'_, [u8]> {
        text::unquoted(self.called.as_ref())
    }

    params_accessor!(
        /// Who redirected, as a URI in quotes.
        params, redirector = "redirector-uri": text
    );
    params_accessor!(
        /// How often the call was redirected.
        params, count = "count": number
    );
}

impl<'a> Decode<'a> for PDcsRedirect<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let at = cursor.clone();
        let called = cursor.quoted_string()?;
        quoted_uri(&at, called)?;
        let at = cursor.clone();
        let params = Params::parse(cursor)?;
        number_param(&at, &params, b"count")?;
        quoted_uri_param(&at, &params, "redirector-uri")?;
        Ok(PDcsRedirect { called, params })
    }
}

impl<T: AsRef<[u8]>> Encode for PDcsRedirect<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.called.as_ref());
        out.extend_from_slice(self.params.text());
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for PDcsRedirect<T> {
    type Owned = PDcsRedirect;

    fn to_owned_text(&self) -> PDcsRedirect {
        PDcsRedirect { called: own(&self.called), params: self.params.to_owned_text() }
    }
}

fn hex<'a>(cursor: &mut Cursor<'a>, digits_max: usize, expected: &'static str) -> Result<&'a [u8], ParseError> {
    let at = cursor.clone();
    let digits = cursor.take_while(|b| b.is_ascii_hexdigit());
    if digits.is_empty() || digits.len() > digits_max { Err(at.error(expected)) } else { Ok(digits) }
}

fn hex_param(
    at: &Cursor<'_>,
    params: &Params<&[u8]>,
    name: &str,
    digits_max: usize,
    expected: &'static str,
) -> Result<(), ParseError> {
    text_param(at, params, name.as_bytes())?;
    let Some(value) = params.value(name.as_bytes()) else { return Ok(()) };
    let mut inner = Cursor::new(at.header(), value, at.error_at(value, "").offset);
    hex(&mut inner, digits_max, expected)?;
    inner.end()
}

fn quoted_uri_param(at: &Cursor<'_>, params: &Params<&[u8]>, name: &str) -> Result<(), ParseError> {
    text_param(at, params, name.as_bytes())?;
    params.value(name.as_bytes()).map_or(Ok(()), |value| quoted_uri(at, value))
}

/// `LDQUOT addr-spec RDQUOT`: a URI holds neither quotes nor backslashes, so none are escaped.
fn quoted_uri(at: &Cursor<'_>, value: &[u8]) -> Result<(), ParseError> {
    let Some(uri) = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")) else {
        return Err(at.error_at(value, "a URI in quotes"));
    };
    Uri::read(at.part(uri, at.error_at(uri, "").offset)).map(drop)
}

/// `jip = LDQUOT 1*phonedigit-hex ";jip-context=" "+" 1*3(phonedigit) *phonedigit-hex RDQUOT`
fn jip(at: &Cursor<'_>, params: &Params<&[u8]>) -> Result<(), ParseError> {
    text_param(at, params, b"jip")?;
    let Some(value) = params.value(b"jip") else { return Ok(()) };
    let bad = || at.error_at(value, "digits, ;jip-context= and a number with +, in quotes");
    let inner = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).ok_or_else(bad)?;
    let digit = |b: u8| b.is_ascii_hexdigit() || matches!(b, b'*' | b'#' | b'-' | b'.' | b'(' | b')');
    let mut inner = Cursor::new(HeaderId::PDcsBillingInfo, inner, 0);
    let number = inner.take_while(digit);
    let is_context = inner.take(b";jip-context=".len()).eq_ignore_ascii_case(b";jip-context=") && inner.eat(b'+');
    let context = inner.take_while(digit);
    if number.is_empty() || !is_context || context.is_empty() || !inner.is_done() { Err(bad()) } else { Ok(()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn billing_info_keeps_its_parts_apart() {
        let info = PDcsBillingInfo::new("51EF", "a1", "rks.example").with_param(Param::raw("charge", "\"tel:+1\""));
        assert_eq!(checked(&info).unwrap(), b"51EF/a1@rks.example;charge=\"tel:+1\"");
        for (id, element, host) in [
            ("", "1", "h"),
            ("g", "1", "h"),
            ("1/2", "1", "h"),
            ("1", "1@x", "h"),
            ("1", "11111111111111111", "h"),
            ("1", "1", "h:1"),
            ("1", "1", "h;x"),
            ("1", "1", "h\r\nA: b"),
        ] {
            assert!(checked(&PDcsBillingInfo::new(id, element, host)).is_err(), "{id}/{element}@{host}");
        }
        let info = PDcsBillingInfo::new("1", "1", "h");
        assert!(checked(&info.clone().with_param(Param::new("charge", Some("tel:+1")))).is_ok());
        assert!(checked(&info.with_param(Param::new("charge", Some("nobody")))).is_err());
    }

    #[test]
    fn interception_goes_to_hosts_and_uris_only() {
        let laes = PDcsLaes::new("[::1]", Some(5060)).with_param(Param::raw("content", "h:1"));
        assert_eq!(checked(&laes).unwrap(), b"[::1]:5060;content=h:1");
        for host in ["", "a b", "a:1", "a;b", "a, b", "a\r\nA: b"] {
            assert!(checked(&PDcsLaes::new(host, Some(1))).is_err(), "{host}");
        }
        let redirect = PDcsRedirect::new("sip:a@b").with_redirector("tel:+1").with_param(Param::number("count", 2));
        assert_eq!(checked(&redirect).unwrap(), b"\"sip:a@b\";redirector-uri=\"tel:+1\";count=2");
        assert_eq!((redirect.called_uri().as_ref(), redirect.count()), (&b"sip:a@b"[..], Some(2)));
        for uri in ["", "sip:", "sip:a\"b", "sip:a\r\nA: b"] {
            assert!(checked(&PDcsRedirect::new(uri)).is_err(), "{uri}");
        }
        assert!(checked(&PDcsRedirect::new("sip:a").with_param(Param::flag("count"))).is_err());
    }
}
