//! SIP URIs made by hand: text is escaped where it must be.

use alloc::vec::Vec;
use core::fmt;

use crate::Cursor;
use crate::chars;
use crate::error::{BuildError, ParseError};
use crate::header::text::lossy;
use crate::header::{HeaderId, OwnedText};
use crate::params::Params;
use crate::uri::{SipUri, Uri, host_port, unescape};

impl SipUri<OwnedText> {
    /// `sip:` and this host (an IPv6 address in brackets), with `:` and a port where one is given.
    ///
    /// ```
    /// use ringback_message::SipUri;
    ///
    /// let uri = SipUri::new("example.com:5070")?.with_user("j. doe").with_param("transport", Some("tcp"));
    /// assert_eq!(uri.to_string(), "sip:j.%20doe@example.com:5070;transport=tcp");
    /// # Ok::<(), ringback_message::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// Where the text is none.
    pub fn new(host_and_port: &str) -> Result<SipUri<OwnedText>, ParseError> {
        let mut cursor = Cursor::new(HeaderId::Other, host_and_port.as_bytes(), 0);
        let (host, port) = host_port(&mut cursor)?;
        cursor.end()?;
        Ok(SipUri {
            secure: false,
            user: None,
            password: None,
            host: host.into(),
            port,
            params: Params::default(),
            headers: None,
        })
    }

    /// `sips:` in the place of `sip:`.
    #[must_use]
    pub fn secured(mut self) -> Self {
        self.secure = true;
        self
    }

    /// With this user, escaped where it must be.
    #[must_use]
    pub fn with_user(mut self, user: impl AsRef<[u8]>) -> Self {
        self.user = Some(escape(user.as_ref(), |b| chars::is(b, chars::USER) && !matches!(b, b'%' | b'#')).into());
        self
    }

    /// With one more parameter, escaped where it must be.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: Option<&str>) -> Self {
        let plain = |b| chars::is(b, chars::URI_PARAM) && b != b'%';
        let mut text = Vec::from(self.params.text());
        text.push(b';');
        text.extend_from_slice(&escape(name.as_bytes(), plain));
        if let Some(value) = value {
            text.push(b'=');
            text.extend_from_slice(&escape(value.as_bytes(), plain));
        }
        self.params = Params::default().map(|_: &[u8]| text.into());
        self
    }

    /// With one more header field for the request that is made from it, escaped where it must be. `[RFC 3261, Section 19.1.5]`
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        // hnv-unreserved, and no `&` or `=`, which part one from the next
        let plain = |b| chars::is(b, chars::URI_PARAM) && !matches!(b, b'%' | b'&');
        let mut text = match &self.headers {
            Some(headers) => [headers, &b"&"[..]].concat(),
            None => Vec::new(),
        };
        text.extend_from_slice(&escape(name.as_bytes(), plain));
        text.push(b'=');
        text.extend_from_slice(&escape(value.as_ref(), plain));
        self.headers = Some(text.into());
        self
    }
}

impl<T: AsRef<[u8]>> SipUri<T> {
    /// Each header field behind the `?`, escapes undone: untrusted, and not to be copied into a request unseen.
    /// `[RFC 3261, Section 19.1.5]`
    pub fn header_fields(&self) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + '_ {
        let text = self.headers.as_ref().map(AsRef::as_ref).unwrap_or_default();
        text.split(|&b| b == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
            let equals = pair.iter().position(|&b| b == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at_checked(equals).unwrap_or((pair, &[]));
            (unescape(name), unescape(value.get(1..).unwrap_or_default()))
        })
    }
}

/// `%HH` in the place of every byte that is not plain. `[RFC 3261, Section 19.1.2]`
#[must_use]
pub fn escape(text: &[u8], plain: impl Fn(u8) -> bool) -> Vec<u8> {
    const HEX: [u8; 16] = *b"0123456789ABCDEF";
    let digit = |n: u8| HEX.get(usize::from(n)).copied().unwrap_or(b'0');
    let mut out = Vec::with_capacity(text.len());
    for &b in text {
        if plain(b) {
            out.push(b);
        } else {
            out.extend_from_slice(&[b'%', digit(b >> 4), digit(b & 15)]);
        }
    }
    out
}

impl<T: AsRef<[u8]>> fmt::Display for SipUri<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        self.write(&mut out);
        f.write_str(&lossy(&out))
    }
}

impl<T: AsRef<[u8]>> fmt::Display for Uri<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        self.write(&mut out);
        f.write_str(&lossy(&out))
    }
}

impl core::str::FromStr for Uri<OwnedText> {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Ok(Uri::parse(text.as_bytes(), HeaderId::Other, 0)?.to_owned_text())
    }
}

impl TryFrom<&SipUri<OwnedText>> for Uri<OwnedText> {
    type Error = BuildError;

    /// Fails where a part was set to what can't stand there.
    fn try_from(uri: &SipUri<OwnedText>) -> Result<Self, BuildError> {
        let mut out = Vec::new();
        uri.write(&mut out);
        let again = Uri::parse_strict(&out, HeaderId::Other, 0).map_err(BuildError::RequestUri)?.to_owned_text();
        match again {
            Uri::Sip(ref read) if read == uri => Ok(again),
            _ => Err(BuildError::ReadsOtherwise { header: HeaderId::Other }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn what_is_set_is_what_is_read() {
        for text in ["a", "a b", "%41", "#1;x", "ü@\"<>", "a:b", "?&=+"] {
            let uri = SipUri::new("[2001:db8::1]:5061").unwrap().secured().with_user(text).with_param(text, Some(text));
            let uri = uri.with_header("Subject", text).with_header("X", "1&2=3");
            let read = Uri::try_from(&uri).unwrap();
            let read = read.as_sip().unwrap();
            assert_eq!(read.user_unescaped().unwrap(), text.as_bytes());
            let headers: Vec<_> = read.header_fields().collect();
            assert_eq!(headers, [(b"Subject".to_vec(), text.as_bytes().to_vec()), (b"X".to_vec(), b"1&2=3".to_vec())]);
            let (name, value) = read.params.iter().next().unwrap();
            assert_eq!((unescape(name), unescape(value.unwrap())), (text.into(), text.into()));
        }
        assert!(SipUri::new("a b").is_err() && SipUri::new("").is_err() && SipUri::new("a:0").is_err());
    }

    #[test]
    fn texts_become_uris_and_texts_again() {
        for text in ["sip:a@b;c?d=e", "tel:+1", "urn:service:sos"] {
            assert_eq!(text.parse::<Uri<OwnedText>>().unwrap().to_string(), text);
        }
        let mut uri = SipUri::new("b").unwrap();
        uri.user = Some(b"a@c".as_slice().into());
        assert!(Uri::try_from(&uri).is_err());
    }
}
