//! `o=`. `[RFC 8866, Section 5.2]`

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::cmp::Ordering;
use core::fmt;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::line::Connection;

pub(crate) const SECTION: &str = "RFC 8866, Section 5.2";

/// Who made a description, and which version of which session it is.
///
/// ```text
/// origin-field = %s"o" "=" username SP sess-id SP sess-version SP nettype SP addrtype SP unicast-address CRLF
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The user's login, or `-`.
    pub username: Box<str>,
    /// Digits: one session of this user and host.
    pub session_id: Box<str>,
    /// Digits: grows with each change of the description.
    pub session_version: Box<str>,
    /// Such as `IN`.
    pub network: Box<str>,
    /// Such as `IP4` or `IP6`.
    pub address_type: Box<str>,
    /// The host where the description was made.
    pub address: Box<str>,
}

impl Origin {
    /// A session of this user (or `-`) at an address or name of the Internet. The version grows with each change of the description.
    ///
    /// For an offer both numbers must fit a signed number of 64 bits, and the first version must be below 2^62 - 1, so that it can
    /// grow. `[RFC 3264, Section 5]` Whether user and address can stand here is checked when a description is
    /// [made](crate::SessionDescription::new) of it.
    ///
    /// ```
    /// let origin = ringback_sdp::Origin::new("alice", 2_890_844_526, 1, "192.0.2.101");
    /// assert_eq!(origin.to_string(), "alice 2890844526 1 IN IP4 192.0.2.101");
    /// ```
    #[must_use]
    pub fn new(username: &str, session_id: u64, session_version: u64, address: &str) -> Origin {
        let Connection { network, address_type, address, .. } = Connection::internet(address);
        Origin {
            username: username.into(),
            session_id: format!("{session_id}").into(),
            session_version: format!("{session_version}").into(),
            network: network.into(),
            address_type: address_type.into(),
            address: address.into(),
        }
    }

    /// Reads the value of an `o=` line.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(text: &str) -> Result<Origin, ParseError> {
        Origin::read(&mut Cursor::detached(text, SECTION))
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Origin, ParseError> {
        let username = cursor.visible("a username, or -")?.into();
        cursor.space("a blank and the session id")?;
        let session_id = cursor.digits("a session id of digits")?.into();
        cursor.space("a blank and the session version")?;
        let session_version = cursor.digits("a session version of digits")?.into();
        cursor.space("a blank and the network type")?;
        let network = cursor.token("a network type")?.into();
        cursor.space("a blank and the address type")?;
        let address_type = cursor.token("an address type")?.into();
        cursor.space("a blank and the address")?;
        let address = cursor.visible("an address")?.into();
        cursor.end()?;
        Ok(Origin { username, session_id, session_version, network, address_type, address })
    }

    /// True where both name one session, of whatever version. `[RFC 8866, Section 5.2]`
    #[must_use]
    pub fn is_same_session(&self, other: &Origin) -> bool {
        self.username == other.username
            && compare(&self.session_id, &other.session_id) == Ordering::Equal
            && self.network == other.network
            && self.address_type == other.address_type
            && self.address == other.address
    }

    /// How the version stands to that of another description of the session.
    #[must_use]
    pub fn compare_version(&self, other: &Origin) -> Ordering {
        compare(&self.session_version, &other.session_version)
    }

    /// The same session, one version on.
    #[must_use]
    pub fn next_version(&self) -> Origin {
        Origin { session_version: successor(&self.session_version), ..self.clone() }
    }

    /// True where session id and version fit a signed number of 64 bits. `[RFC 3264, Section 5]`
    #[must_use]
    pub fn is_of_64_bits(&self) -> bool {
        self.session_id.parse::<i64>().is_ok() && self.session_version.parse::<i64>().is_ok()
    }
}

/// Digits as numbers of any length.
fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// One more, for digits of any length.
fn successor(digits: &str) -> Box<str> {
    let stem = digits.trim_end_matches('9');
    let nines = digits.len().saturating_sub(stem.len());
    let mut next = String::with_capacity(digits.len().saturating_add(1));
    let mut head = stem.chars();
    let last = head.next_back().and_then(|c| c.to_digit(10)).unwrap_or(0);
    next.push_str(head.as_str());
    next.extend(char::from_digit(last.saturating_add(1), 10));
    next.extend(core::iter::repeat_n('0', nines));
    next.into()
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { username, session_id, session_version, network, address_type, address } = self;
        write!(f, "{username} {session_id} {session_version} {network} {address_type} {address}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_any_length_grow_by_one() {
        for (version, next) in
            [("0", "1"), ("9", "10"), ("199", "200"), ("18446744073709551615", "18446744073709551616")]
        {
            let origin = Origin::parse(&alloc::format!("- 1 {version} IN IP4 192.0.2.1")).unwrap();
            let later = origin.next_version();
            assert_eq!(&*later.session_version, next);
            assert_eq!(later.compare_version(&origin), Ordering::Greater);
            assert!(later.is_same_session(&origin));
        }
        assert_eq!(compare("007", "7"), Ordering::Equal);
        assert_eq!(compare("0", "000"), Ordering::Equal);
    }

    #[test]
    fn an_origin_that_was_made_is_read_back_or_refused() {
        for (address, text) in
            [("2001:db8::1", "- 7 8 IN IP6 2001:db8::1"), ("host.example", "- 7 8 IN IP4 host.example")]
        {
            let origin = Origin::new("-", 7, 8, address);
            assert_eq!(alloc::string::ToString::to_string(&origin), text);
            assert_eq!(Origin::parse(text), Ok(origin));
        }
        for (user, address) in [("a b", "192.0.2.1"), ("", "192.0.2.1"), ("-", ""), ("-", "h\r\na=x")] {
            assert!(crate::SessionDescription::new(Origin::new(user, 1, 1, address)).is_err(), "{user:?} {address:?}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for (bad, column) in [
            ("", 1),
            ("a", 2),
            ("a b", 3),
            ("a 1 -1 IN IP4 h", 5),
            ("a 1 1 IN IP4", 13),
            ("a 1 1 IN IP4 ", 14),
            ("a 1 1 IN IP4 h h", 16),
        ] {
            assert_eq!(Origin::parse(bad).unwrap_err().column, column, "{bad:?}");
        }
        assert!(!Origin::parse("- 9223372036854775808 1 IN IP4 h").unwrap().is_of_64_bits());
    }
}
