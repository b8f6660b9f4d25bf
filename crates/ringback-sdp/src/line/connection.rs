//! `c=`. `[RFC 8866, Section 5.7]`

use alloc::string::ToString;
use core::fmt;
use core::net::IpAddr;

use crate::cursor::Cursor;
use crate::error::{BuildError, ParseError};
use crate::line::Line;

pub(crate) const SECTION: &str = "RFC 8866, Section 5.7";

/// Where media are sent.
///
/// ```text
/// connection-field = %s"c" "=" nettype SP addrtype SP connection-address CRLF
/// IP4-multicast    = m1 3( "." decimal-uchar ) "/" ttl [ "/" numaddr ]
/// IP6-multicast    = IP6-address [ "/" numaddr ]
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection<'a> {
    /// Such as `IN`.
    pub network: &'a str,
    /// Such as `IP4` or `IP6`.
    pub address_type: &'a str,
    /// The address or name, without what a slash divides from it.
    pub address: &'a str,
    /// How many routers a multicast packet passes at most; only with `IP4`.
    pub ttl: Option<u8>,
    /// How many addresses there are, one after the other. It is a number that a peer wrote: nothing is made of it here.
    pub count: Option<u32>,
}

impl<'a> Connection<'a> {
    /// An address of the Internet.
    #[must_use]
    pub fn internet(address: &'a str) -> Connection<'a> {
        let address_type = if address.contains(':') { "IP6" } else { "IP4" };
        Connection { network: "IN", address_type, address, ttl: None, count: None }
    }

    /// Reads the value of a `c=` line.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(text: &'a str) -> Result<Connection<'a>, ParseError> {
        Connection::read(&mut Cursor::detached(text, SECTION))
    }

    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Connection<'a>, ParseError> {
        let network = cursor.token("a network type")?;
        cursor.space("a blank and the address type")?;
        let address_type = cursor.token("an address type")?;
        cursor.space("a blank and the address")?;
        let at = cursor.clone();
        let address = cursor.word(|c| c != '/' && crate::cursor::is_visible(c), "an address")?;
        let mut connection = Connection { network, address_type, address, ttl: None, count: None };
        connection.check(&at)?;
        if cursor.eat('/') {
            if !connection.is_ip6() {
                connection.ttl = Some(cursor.number("a TTL from 0 to 255")?);
            } else {
                connection.count = Some(positive(cursor)?);
            }
        }
        if connection.ttl.is_some() && cursor.eat('/') {
            connection.count = Some(positive(cursor)?);
        }
        cursor.end()?;
        Ok(connection)
    }

    /// The line.
    ///
    /// # Errors
    /// Where the address is none, or it would not be read back as it is: a TTL of an address of IPv6 would become a number of addresses.
    pub(crate) fn to_line(self) -> Result<Line, BuildError> {
        let text = self.to_string();
        let line = Line::new('c', &text)?;
        let wrong = |what| {
            let section = SECTION;
            Err(BuildError::Contradiction { media: None, what, value: text.as_str().into(), section })
        };
        if self.ttl.is_some() && self.is_ip6() {
            return wrong("a TTL, which an address of IPv6 hasn't");
        }
        if Connection::parse(&text)? != self {
            return wrong("a connection that would not be read back as it is");
        }
        if let Some(what) = defect(self.network, self.address_type, self.address) {
            let section = "RFC 8866, Section 9";
            return Err(BuildError::Contradiction { media: None, what, value: text.into(), section });
        }
        Ok(line)
    }

    /// An address of digits must be of the type that stands before it.
    fn check(&self, at: &Cursor<'_>) -> Result<(), ParseError> {
        if self.network != "IN" {
            return Ok(());
        }
        match (self.address_type, self.ip()) {
            ("IP4", Some(IpAddr::V6(_))) => Err(at.error("an address of type IP4")),
            ("IP6", Some(IpAddr::V4(_))) => Err(at.error("an address of type IP6")),
            _ => Ok(()),
        }
    }

    fn is_ip6(&self) -> bool {
        self.address_type == "IP6"
    }

    /// The address, where it is one and no name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.parse().ok()
    }

    /// True for an address of zeros: nothing is to be sent there. `[RFC 3264, Section 8.4]`
    #[must_use]
    pub fn is_unspecified(&self) -> bool {
        self.ip().is_some_and(|ip| ip.is_unspecified())
    }

    /// True for an address of a group.
    #[must_use]
    pub fn is_multicast(&self) -> bool {
        self.ip().is_some_and(|ip| ip.is_multicast())
    }
}

fn positive(cursor: &mut Cursor<'_>) -> Result<u32, ParseError> {
    let at = cursor.clone();
    let number = cursor.number("a number of addresses")?;
    if number == 0 { Err(at.error("a number of addresses above 0")) } else { Ok(number) }
}

impl fmt::Display for Connection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.network, self.address_type, self.address)?;
        if let Some(ttl) = self.ttl {
            write!(f, "/{ttl}")?;
        }
        self.count.map_or(Ok(()), |count| write!(f, "/{count}"))
    }
}

/// Why an address is none of its family: neither its digits nor a name. Of other networks nothing is known.
pub(crate) fn defect(network: &str, address_type: &str, address: &str) -> Option<&'static str> {
    let ip = address.parse::<IpAddr>().ok();
    match (network, address_type, ip) {
        ("IN", "IP4", Some(IpAddr::V6(_))) => Some("an address of IPv6 that is said to be of type IP4"),
        ("IN", "IP6", Some(IpAddr::V4(_))) => Some("an address of IPv4 that is said to be of type IP6"),
        // Those above the groups are neither unicast nor multicast.
        ("IN", "IP4", Some(IpAddr::V4(ip))) if u32::from(ip) >= 0xf000_0000 => {
            Some("an address of IPv4 that is kept for later")
        }
        ("IN", "IP4" | "IP6", None) if !is_name(address) => Some("an address that is neither one nor a name"),
        _ => None,
    }
}

/// `FQDN`: letters, digits, hyphens and dots; what ends in a label without a letter would be an address.
fn is_name(address: &str) -> bool {
    let is_char = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    let last = address.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    address.bytes().all(is_char) && last.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_come_back() {
        for text in [
            "IN IP4 host.example",
            "IN IP4 233.252.0.1/127",
            "IN IP4 233.252.0.1/127/3",
            "IN IP6 ff00::db8:0:101/3",
            "IN IP6 2001:db8::1",
            "ATM NSAP 47.0091.8100",
        ] {
            assert_eq!(Connection::parse(text).unwrap().to_string(), text);
        }
        assert!(Connection::parse("IN IP4 0.0.0.0").unwrap().is_unspecified());
        assert!(Connection::parse("IN IP6 ::").unwrap().is_unspecified());
        assert!(Connection::parse("IN IP4 233.252.0.1/1").unwrap().is_multicast());
    }

    #[test]
    fn what_is_none_is_refused_with_its_place() {
        for (bad, column) in [
            ("IN IP4", 7),
            ("IN IP4 ", 8),
            ("IN IP4 233.252.0.1/256", 20),
            ("IN IP4 233.252.0.1/1/0", 22),
            ("IN IP4 233.252.0.1/127/99999999999", 24),
            ("IN IP4 2001:db8::1", 8),
            ("IN IP6 192.0.2.1", 8),
            ("IN IP6 ff00::1/1/1", 17),
        ] {
            assert_eq!(Connection::parse(bad).unwrap_err().column, column, "{bad:?}");
        }
    }
}
