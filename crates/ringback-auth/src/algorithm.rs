//! The hash algorithms of the digest scheme. `[RFC 8760, Section 2.1]`

use core::fmt;
use core::str::FromStr;

/// A hash algorithm of the registry, or its session variant. `[RFC 7616, Section 3.3]`
///
/// ```text
/// algorithm = "algorithm" EQUAL ( "MD5" / "MD5-sess" / "SHA-256" / "SHA-256-sess" / "SHA-512-256" / "SHA-512-256-sess" / token )
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// `MD5`: broken as a hash, and all that many phones know.
    Md5,
    /// `MD5-sess`.
    Md5Sess,
    /// `SHA-256`.
    Sha256,
    /// `SHA-256-sess`.
    Sha256Sess,
    /// `SHA-512-256`: SHA-512/256, which is not SHA-512 cut off.
    Sha512_256,
    /// `SHA-512-256-sess`.
    Sha512_256Sess,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 6] = [
        Algorithm::Md5,
        Algorithm::Md5Sess,
        Algorithm::Sha256,
        Algorithm::Sha256Sess,
        Algorithm::Sha512_256,
        Algorithm::Sha512_256Sess,
    ];

    /// The name as messages write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Md5Sess => "MD5-sess",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha256Sess => "SHA-256-sess",
            Algorithm::Sha512_256 => "SHA-512-256",
            Algorithm::Sha512_256Sess => "SHA-512-256-sess",
        }
    }

    /// The algorithm of that name, in any case; `None` for one we do not have.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.as_str().as_bytes().eq_ignore_ascii_case(name))
    }

    /// True for the variants that hash nonces into A1. `[RFC 7616, Section 3.4.2]`
    #[must_use]
    pub const fn is_session(self) -> bool {
        matches!(self, Algorithm::Md5Sess | Algorithm::Sha256Sess | Algorithm::Sha512_256Sess)
    }

    /// The algorithm without `-sess`: the one that an [`Ha1`](crate::Ha1) is made with.
    #[must_use]
    pub const fn base(self) -> Algorithm {
        match self {
            Algorithm::Md5 | Algorithm::Md5Sess => Algorithm::Md5,
            Algorithm::Sha256 | Algorithm::Sha256Sess => Algorithm::Sha256,
            Algorithm::Sha512_256 | Algorithm::Sha512_256Sess => Algorithm::Sha512_256,
        }
    }

    /// The length of a hash in hexadecimal digits: 32 or 64. `[RFC 7616, Section 3.2]`
    #[must_use]
    pub const fn hex_len(self) -> usize {
        match self.base() {
            Algorithm::Md5 => 32,
            _ => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no [`Algorithm`] of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAlgorithm;

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected one of")?;
        Algorithm::ALL.iter().try_for_each(|algorithm| write!(f, " {algorithm}"))
    }
}

impl core::error::Error for UnknownAlgorithm {}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Algorithm, UnknownAlgorithm> {
        Algorithm::from_name(name.as_bytes()).ok_or(UnknownAlgorithm)
    }
}

/// What is protected: "quality of protection". `[RFC 7616, Section 3.3]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qop {
    /// `auth`: the method and the URI.
    Auth,
    /// `auth-int`: the body, too.
    AuthInt,
}

impl Qop {
    /// The name as messages write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Qop::Auth => "auth",
            Qop::AuthInt => "auth-int",
        }
    }

    /// The protection of that name, in any case; `None` for one we do not have.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Qop> {
        [Qop::Auth, Qop::AuthInt].into_iter().find(|qop| qop.as_str().as_bytes().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Qop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn names_in_any_case() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.as_str().to_ascii_lowercase().parse(), Ok(algorithm));
            assert_eq!(algorithm.as_str().to_ascii_uppercase().parse(), Ok(algorithm));
            assert_eq!(algorithm.is_session(), algorithm.as_str().ends_with("-sess"));
            assert!(algorithm.as_str().starts_with(algorithm.base().as_str()) && !algorithm.base().is_session());
        }
        for name in ["", "SHA-1", "SHA-512", "SHA256", "MD5-", "AKAv1-MD5"] {
            assert_eq!(name.parse::<Algorithm>(), Err(UnknownAlgorithm));
        }
        assert!(UnknownAlgorithm.to_string().ends_with("SHA-512-256-sess"));
    }
}
