//! Keys, certificates, and who opens the connection.

use core::fmt;

use crate::cursor::{Cursor, is_blank, is_token_char, is_visible};
use crate::error::ParseError;

/// A key for SRTP. `[RFC 4568, Section 9.1]`
///
/// ```text
/// crypto-attribute = "a=crypto:" tag 1*WSP crypto-suite 1*WSP key-params *(1*WSP session-param)
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Crypto<'a> {
    /// Which of the offered ones it is.
    pub tag: u32,
    /// Such as `AES_CM_128_HMAC_SHA1_80`.
    pub suite: &'a str,
    /// The key, as it is written. It is a secret: `Debug` doesn't show it.
    pub key_params: &'a str,
    /// Parameters, with blanks between them.
    pub session_params: Option<&'a str>,
}

impl<'a> Crypto<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<Crypto<'a>, ParseError> {
        let at = cursor.clone();
        let digits = cursor.digits("a tag of up to 9 digits")?;
        let tag = digits.parse().ok().filter(|_| digits.len() <= 9);
        let tag = tag.ok_or_else(|| at.error("a tag of up to 9 digits"))?;
        cursor.blanks("a blank and the suite")?;
        let suite = cursor.word(|c| c.is_ascii_alphanumeric() || c == '_', "a suite")?;
        cursor.blanks("a blank and the key")?;
        let at = cursor.clone();
        let key_params = cursor.word(is_visible, "a method and a key")?;
        if !key_params.split(';').all(|key| key.split_once(':').is_some_and(|(method, _)| !method.is_empty())) {
            return Err(at.error("a method, a colon and a key"));
        }
        cursor.take_while(is_blank);
        let session_params = Some(cursor.take_all()).filter(|params| !params.is_empty());
        Ok(Crypto { tag, suite, key_params, session_params })
    }
}

/// Base64 digits of a master key and its salt: 30 octets, so there is no padding.
const KEY_AND_SALT_DIGITS: usize = 40;

impl Crypto<'_> {
    /// Who says that a key has another length than its suite asks for, if one has. Of suites that came later, and of other
    /// methods, nothing is known. `[RFC 4568, Section 6.1]`
    pub(crate) fn misfit(&self) -> Option<&'static str> {
        let section = match self.suite {
            "AES_CM_128_HMAC_SHA1_80" => "RFC 4568, Section 6.2.1",
            "AES_CM_128_HMAC_SHA1_32" => "RFC 4568, Section 6.2.2",
            "F8_128_HMAC_SHA1_80" => "RFC 4568, Section 6.2.3",
            _ => return None,
        };
        let is_digit = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
        let is_fit = |key: &str| key.len() == KEY_AND_SALT_DIGITS && key.bytes().all(is_digit);
        let methods = self.key_params.split(';').filter_map(|one| one.split_once(':'));
        let mut keys = methods.filter(|(method, _)| method.eq_ignore_ascii_case("inline"));
        let is_misfit = keys.any(|(_, info)| !info.split('|').next().is_some_and(is_fit));
        is_misfit.then_some(section)
    }
}

impl fmt::Debug for Crypto<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Crypto");
        shown.field("tag", &self.tag).field("suite", &self.suite).field("session_params", &self.session_params);
        shown.finish_non_exhaustive()
    }
}

impl fmt::Display for Crypto<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.tag, self.suite, self.key_params)?;
        self.session_params.map_or(Ok(()), |params| write!(f, " {params}"))
    }
}

attribute!(Crypto<'a>, "crypto", "RFC 4568, Section 9.1");

/// The digest of a certificate. `[RFC 8122, Section 5]`
///
/// ```text
/// fingerprint-attribute = "fingerprint" ":" hash-func SP fingerprint
/// fingerprint           = 2UHEX *(":" 2UHEX)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint<'a> {
    /// Such as `sha-256`.
    pub hash: &'a str,
    /// Pairs of hexadecimal digits with colons between them.
    pub fingerprint: &'a str,
}

impl<'a> Fingerprint<'a> {
    fn read_value(cursor: &mut Cursor<'a>) -> Result<Fingerprint<'a>, ParseError> {
        let at = cursor.clone();
        let hash = cursor.token("the name of a hash")?;
        cursor.space("a blank and the digest")?;
        let digest = cursor.clone();
        let fingerprint = cursor.word(|c| c == ':' || c.is_ascii_hexdigit(), "pairs of hexadecimal digits")?;
        if !fingerprint.split(':').all(|pair| pair.len() == 2) {
            return Err(digest.error("pairs of hexadecimal digits with colons between them"));
        }
        let wanted = match () {
            () if hash.eq_ignore_ascii_case("sha-1") => Some(20),
            () if hash.eq_ignore_ascii_case("sha-224") => Some(28),
            () if hash.eq_ignore_ascii_case("sha-256") => Some(32),
            () if hash.eq_ignore_ascii_case("sha-384") => Some(48),
            () if hash.eq_ignore_ascii_case("sha-512") => Some(64),
            () => None,
        };
        let bytes = fingerprint.split(':').count();
        if wanted.is_some_and(|wanted: usize| wanted != bytes) {
            return Err(at.error("a digest as long as its hash makes it"));
        }
        Ok(Fingerprint { hash, fingerprint })
    }
}

impl fmt::Display for Fingerprint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.hash, self.fingerprint)
    }
}

attribute!(Fingerprint<'a>, "fingerprint", "RFC 8122, Section 5");

words! {
    /// Who opens the connection. `[RFC 4145, Section 4]`
    Setup {
        /// The one who says it.
        Active = "active",
        /// The other.
        Passive = "passive",
        /// Whichever the other chooses; only in an offer.
        ActPass = "actpass",
        /// Nobody, for now.
        HoldConn = "holdconn",
    }
}

impl Setup {
    /// What answers it, for one who would rather be active. `[RFC 4145, Section 4.1]`
    #[must_use]
    pub const fn answered(self) -> Setup {
        match self {
            Setup::Active => Setup::Passive,
            Setup::Passive | Setup::ActPass => Setup::Active,
            Setup::HoldConn => Setup::HoldConn,
        }
    }

    /// True where an answer may say this to an offer that says `offered`. `[RFC 4145, Section 4.1]`
    #[must_use]
    pub const fn answers(self, offered: Setup) -> bool {
        match offered {
            Setup::Active => matches!(self, Setup::Passive | Setup::HoldConn),
            Setup::Passive => matches!(self, Setup::Active | Setup::HoldConn),
            Setup::ActPass => !matches!(self, Setup::ActPass),
            Setup::HoldConn => matches!(self, Setup::HoldConn),
        }
    }

    fn read_value(cursor: &mut Cursor<'_>) -> Result<Setup, ParseError> {
        let at = cursor.clone();
        let word = cursor.word(is_token_char, "a role")?;
        Setup::from_word(word).ok_or_else(|| at.error("active, passive, actpass or holdconn"))
    }
}

attribute!(Setup, "setup", "RFC 4145, Section 4");

words! {
    /// Whether a connection that is there goes on. `[RFC 4145, Section 5]`
    ConnectionUse {
        /// A new one is opened.
        New = "new",
        /// The old one goes on.
        Existing = "existing",
    }
}

impl ConnectionUse {
    fn read_value(cursor: &mut Cursor<'_>) -> Result<ConnectionUse, ParseError> {
        let at = cursor.clone();
        let word = cursor.word(is_token_char, "new or existing")?;
        ConnectionUse::from_word(word).ok_or_else(|| at.error("new or existing"))
    }
}

attribute!(ConnectionUse, "connection", "RFC 4145, Section 5");
