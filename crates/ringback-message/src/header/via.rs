//! Via. `[RFC 3261, Section 20.42]`

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::cursor::{Cursor, decimal};
use crate::error::ParseError;
use crate::params::{Finding, Params};
use crate::uri::{Host, host_port};

/// The start of every branch that is unique over space and time. `[RFC 3261, Section 8.1.1.7]`
pub const MAGIC_COOKIE: &[u8] = b"z9hG4bK";

/// One element that a request has passed.
///
/// ```text
/// via-parm = sent-protocol LWS sent-by *( SEMI via-params )
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct Via<T> {
    /// The name of the transport, such as `UDP`.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub transport: T,
    /// The host of sent-by.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub host: T,
    /// The port of sent-by.
    pub port: Option<u16>,
    /// branch, received, rport and the rest.
    pub params: Params<T>,
}

impl<'a> Via<&'a [u8]> {
    /// Reads one up to the end of the value or a comma.
    ///
    /// # Errors
    /// Where the value is none, or its protocol is not SIP/2.0.
    #[inline]
    pub fn parse(cursor: &mut Cursor<'a>) -> Result<Via<&'a [u8]>, ParseError> {
        Via::parse_with_branch(cursor).map(|(via, _)| via)
    }

    /// The same, and its branch, which need not be looked for again.
    #[inline]
    pub(crate) fn parse_with_branch(cursor: &mut Cursor<'a>) -> Result<Finding<'a, Via<&'a [u8]>>, ParseError> {
        cursor.lws();
        // What nearly all of them start with.
        if cursor.rest().starts_with(b"SIP/2.0/") {
            cursor.take(b"SIP/2.0/".len());
            cursor.lws();
        } else {
            protocol(cursor)?;
        }
        let transport = cursor.token("a transport")?;
        if !cursor.blanks() {
            return Err(cursor.error("a blank before the host"));
        }
        let (host, port) = sent_by(cursor)?;
        let (params, branch) = Params::parse_finding(cursor, |name| name.eq_ignore_ascii_case(b"branch"))?;
        Ok((Via { transport, host, port, params }, branch.filter(|branch| !branch.is_empty())))
    }
}

/// `protocol-name SLASH protocol-version SLASH`, where white space may stand around the slashes.
#[inline(always)]
fn protocol(cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
    let at = cursor.clone();
    let name = cursor.token("SIP/2.0")?;
    let slash = cursor.separator(b'/');
    let version = cursor.token("SIP/2.0")?;
    if !name.eq_ignore_ascii_case(b"SIP") || !slash || version != b"2.0" {
        return Err(at.error("SIP/2.0"));
    }
    if !cursor.separator(b'/') {
        return Err(cursor.error("/ and a transport"));
    }
    Ok(())
}

/// `host [ COLON port ]`, where white space may stand around the colon.
#[inline]
fn sent_by<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a [u8], Option<u16>), ParseError> {
    let (host, port) = host_port(cursor)?;
    if port.is_some() {
        return Ok((host, port));
    }
    let mut ahead = cursor.clone();
    if !ahead.separator(b':') {
        return Ok((host, None));
    }
    let at = ahead.clone();
    let port = ahead.number("a port from 1 to 65535")?;
    let port = u16::try_from(port).ok().filter(|&p| p > 0).ok_or_else(|| at.error("a port from 1 to 65535"))?;
    *cursor = ahead;
    Ok((host, Some(port)))
}

impl<T: AsRef<[u8]>> Via<T> {
    /// The branch, if it is given and not empty.
    #[must_use]
    pub fn branch(&self) -> Option<&[u8]> {
        self.params.value(b"branch").filter(|branch| !branch.is_empty())
    }

    /// The address that the receiver saw, brackets around an IPv6 one allowed. `[RFC 5118, Section 4.5]`
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.value(b"received")?;
        let text = text.strip_prefix(b"[").and_then(|t| t.strip_suffix(b"]")).unwrap_or(text);
        core::str::from_utf8(text).ok()?.parse().ok()
    }

    /// The rport parameter: `Some(None)` where it asks, `Some(Some(port))` where it is answered. `[RFC 3581, Section 3]`
    #[must_use]
    pub fn rport(&self) -> Option<Option<u16>> {
        let value = self.params.find(b"rport")?;
        Some(value.and_then(|digits| u16::try_from(decimal(digits)?).ok()).filter(|&port| port > 0))
    }

    /// The host of sent-by as address or name.
    #[must_use]
    pub fn sent_by_host(&self) -> Host<'_> {
        Host::of(self.host.as_ref()).unwrap_or(Host::Name(self.host.as_ref()))
    }

    /// Writes it out.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"SIP/2.0/");
        out.extend_from_slice(self.transport.as_ref());
        out.push(b' ');
        out.extend_from_slice(self.host.as_ref());
        if let Some(port) = self.port {
            out.push(b':');
            out.extend_from_slice(itoa::Buffer::new().format(port).as_bytes());
        }
        out.extend_from_slice(self.params.text());
    }

    /// A copy that owns its text.
    #[must_use]
    pub fn to_owned_text(&self) -> Via<Box<[u8]>> {
        Via {
            transport: self.transport.as_ref().into(),
            host: self.host.as_ref().into(),
            port: self.port,
            params: self.params.to_owned_text(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::HeaderId;

    fn parse(text: &str) -> Result<Via<&[u8]>, ParseError> {
        Via::parse(&mut Cursor::new(HeaderId::Via, text.as_bytes(), 0))
    }

    #[test]
    fn parts() {
        let via =
            parse("SIP / 2.0 / UDP  first.example.com : 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1")
                .unwrap();
        assert_eq!((via.transport, via.host, via.port), (&b"UDP"[..], &b"first.example.com"[..], Some(4000)));
        assert_eq!(via.branch(), Some(&b"z9hG4bKa7c6a8dlze.1"[..]));
        assert_eq!(via.rport(), None);
    }

    #[test]
    fn received_in_both_forms() {
        for text in [
            "SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];rport=7",
            "SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;rport=7",
        ] {
            let via = parse(text).unwrap();
            assert_eq!(via.received(), Some("2001:db8::9:255".parse().unwrap()));
            assert_eq!(via.rport(), Some(Some(7)));
        }
        assert_eq!(parse("SIP/2.0/UDP a;rport").unwrap().rport(), Some(None));
        assert_eq!(parse("SIP/2.0/UDP a;rport=99999").unwrap().rport(), Some(None));
    }

    #[test]
    fn malformed() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/2.0 UDP a",
            "SIP/3.0/UDP a",
            "SIP/2.0/UDPa",
            "SIP/2.0/UDP a:",
            "SIP/2.0/UDP a:0",
            "SIP/2.0/UDP a:65536",
            "SIP/2.0/UDP a;;b",
            "SIP/2.0/UDP 192.0.2.15;;,;,,",
            "SIP/2.0/UDP :5060",
        ] {
            let mut cursor = Cursor::new(HeaderId::Via, text.as_bytes(), 0);
            let all = Via::parse(&mut cursor).and_then(|_| cursor.end());
            assert!(all.is_err(), "{text} was read");
        }
    }
}
