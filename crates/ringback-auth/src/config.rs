//! What a domain decides about its authentication.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::algorithm::{Algorithm, Qop};
use crate::parameter::PARAMETER_BYTES_MAX;

/// How long a nonce lives where nothing else is said, in seconds.
pub const NONCE_LIFETIME_SECS: u32 = 300;

/// How many used nonces are remembered where nothing else is said: some megabytes.
pub const NONCES_MAX: usize = 65_536;

/// The settings of one realm.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthConfig {
    /// The protection domain: globally unique, so best a domain name. `[RFC 3261, Section 22.1]`
    pub realm: String,
    /// The algorithms that are offered and accepted, the most preferred first. `[RFC 8760, Section 2.3]`
    pub algorithms: Vec<Algorithm>,
    /// The protections that are offered and accepted. A client without qop is taken in where [`Qop::Auth`] is among them.
    pub qop: Vec<Qop>,
    /// How long a nonce lives, in seconds.
    pub nonce_lifetime_secs: u32,
    /// How many used nonces are remembered; more live ones make the oldest stale.
    pub nonces_max: usize,
    /// How far the digest URI may be from the Request-URI.
    pub uri_policy: UriPolicy,
}

impl AuthConfig {
    /// SHA-256, then MD5; `auth`; the limits of this module.
    #[must_use]
    pub fn new(realm: impl Into<String>) -> AuthConfig {
        AuthConfig {
            realm: realm.into(),
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            qop: vec![Qop::Auth],
            nonce_lifetime_secs: NONCE_LIFETIME_SECS,
            nonces_max: NONCES_MAX,
            uri_policy: UriPolicy::default(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), AuthConfigError> {
        let realm_is_good = !self.realm.is_empty()
            && self.realm.len() <= PARAMETER_BYTES_MAX / 2
            && !self.realm.chars().any(char::is_control);
        if !realm_is_good {
            return Err(AuthConfigError::Realm);
        }
        if self.algorithms.is_empty() {
            return Err(AuthConfigError::NoAlgorithm);
        }
        // "each of these header fields MUST use a different digest algorithm" `[RFC 8760, Section 2.3]`
        if let Some(repeated) = repeated(&self.algorithms) {
            return Err(AuthConfigError::RepeatedAlgorithm(repeated));
        }
        if self.qop.is_empty() || repeated(&self.qop).is_some() {
            return Err(AuthConfigError::Qop);
        }
        if self.nonce_lifetime_secs == 0 || self.nonces_max == 0 {
            return Err(AuthConfigError::ZeroLimit);
        }
        Ok(())
    }
}

fn repeated<T: Copy + PartialEq>(list: &[T]) -> Option<T> {
    list.iter().enumerate().find(|(i, item)| list.iter().take(*i).any(|other| other == *item)).map(|(_, item)| *item)
}

/// How far the URI that the client hashed may be from the Request-URI that arrived.
///
/// The digest covers no other part of a request than the method and this URI (and with `auth-int` the body), so what an attacker on the
/// path can do with credentials that it withholds from us is bounded by this check: without it, a captured INVITE to
/// anyone becomes a call to a premium number. Nonce counts bound it to one use, TLS prevents it.
/// On the other side the two URIs differ for good reasons, when a proxy before us forwarded the call elsewhere
/// `[RFC 8760, Section 2.6]`, and for bad ones: some phones and testers always hash the URI of the server, with or without the right port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriPolicy {
    /// Equivalent, or the same user part, or one of the two has none: no user is called but one whom the client named,
    /// if it named one.
    #[default]
    SameUser,
    /// Equivalent by `[RFC 3261, Section 19.1.4]`, as `[RFC 7616, Section 3.4.6]` asks of HTTP.
    Require,
    /// Anything. For servers behind a proxy that changes users, and whose path to it is trusted.
    Ignore,
}

/// Why settings can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthConfigError {
    /// The realm is empty, overlong, or holds control characters.
    Realm,
    /// No algorithm.
    NoAlgorithm,
    /// An algorithm stands twice.
    RepeatedAlgorithm(Algorithm),
    /// No qop, or one twice.
    Qop,
    /// A lifetime or a table of zero.
    ZeroLimit,
}

impl fmt::Display for AuthConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuthConfigError::Realm => {
                f.write_str("the realm is empty, longer than 1024 bytes, or holds control characters")
            }
            AuthConfigError::NoAlgorithm => f.write_str("the list of algorithms is empty"),
            AuthConfigError::RepeatedAlgorithm(algorithm) => {
                write!(f, "{algorithm} stands twice in the list of algorithms [RFC 8760, Section 2.3]")
            }
            AuthConfigError::Qop => f.write_str("the list of qop is empty or holds one twice"),
            AuthConfigError::ZeroLimit => f.write_str("the lifetime of nonces and the number remembered must not be 0"),
        }
    }
}

impl core::error::Error for AuthConfigError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn settings_that_can_not_be() {
        let good = AuthConfig::new("a.example");
        assert_eq!(good.check(), Ok(()));
        let bad = |change: fn(&mut AuthConfig)| {
            let mut config = good.clone();
            change(&mut config);
            config.check().unwrap_err()
        };
        assert_eq!(bad(|c| c.realm.clear()), AuthConfigError::Realm);
        assert_eq!(bad(|c| c.realm.push_str("\r\nX: y")), AuthConfigError::Realm);
        assert_eq!(bad(|c| c.realm = "r".repeat(1025)), AuthConfigError::Realm);
        assert_eq!(bad(|c| c.algorithms.clear()), AuthConfigError::NoAlgorithm);
        assert_eq!(bad(|c| c.algorithms.push(Algorithm::Md5)), AuthConfigError::RepeatedAlgorithm(Algorithm::Md5));
        assert_eq!(bad(|c| c.qop.clear()), AuthConfigError::Qop);
        assert_eq!(bad(|c| c.qop.push(Qop::Auth)), AuthConfigError::Qop);
        assert_eq!(bad(|c| c.nonce_lifetime_secs = 0), AuthConfigError::ZeroLimit);
        assert_eq!(bad(|c| c.nonces_max = 0), AuthConfigError::ZeroLimit);
    }
}
