//! What is stored of a user's secret. `[RFC 7616, Section 3.4.2]`

use alloc::boxed::Box;
use core::fmt;

use ringback_base::Random;
use subtle::ConstantTimeEq as _;

use crate::algorithm::Algorithm;
use crate::digest::{HexDigest, hash};

/// A password, which no debug form and no log shows.
///
/// It is hashed byte by byte as it is: no normalisation of Unicode takes place.
#[derive(Clone)]
pub struct Password(Box<str>);

impl Password {
    /// Wraps the text.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Password {
        Password(text.into())
    }

    /// The text: for showing it once to its owner.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Password) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// `H(user ":" realm ":" password)`: what a server stores, and for its realm as good as the password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ha1 {
    algorithm: Algorithm,
    hex: HexDigest,
}

impl Ha1 {
    /// The hash by this algorithm, or by its base where it is a session variant.
    #[must_use]
    pub fn of(algorithm: Algorithm, user: &str, realm: &str, password: &Password) -> Ha1 {
        let hex = hash(algorithm, &[user.as_bytes(), realm.as_bytes(), password.reveal().as_bytes()]);
        Ha1 { algorithm: algorithm.base(), hex }
    }

    /// A stored one, its digits in any case.
    ///
    /// # Errors
    /// Where the length is not exactly that of the algorithm, or a byte is no hexadecimal digit: nothing is cut off or filled up.
    pub fn from_hex(algorithm: Algorithm, hex: &[u8]) -> Result<Ha1, Ha1Error> {
        if hex.len() != algorithm.hex_len() {
            return Err(Ha1Error::Length { expected: algorithm.hex_len(), found: hex.len() });
        }
        let hex = HexDigest::from_hex(hex).map_err(|offset| Ha1Error::NotHexadecimal { offset })?;
        Ok(Ha1 { algorithm: algorithm.base(), hex })
    }

    /// One that no password leads to, for users that there are not.
    pub(crate) fn dummy(algorithm: Algorithm, random: &mut Random) -> Ha1 {
        Ha1 { algorithm: algorithm.base(), hex: hash(algorithm, &[&random.seed()]) }
    }

    /// A1 of a session variant: both nonces hashed into it.
    pub(crate) fn of_session(&self, nonce: &str, cnonce: &str) -> Ha1 {
        let hex = hash(self.algorithm, &[self.as_bytes(), nonce.as_bytes(), cnonce.as_bytes()]);
        Ha1 { algorithm: self.algorithm, hex }
    }

    /// The algorithm that made it, never a session variant.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digits: for storing them.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.hex.as_str()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.hex.as_bytes()
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ha1")
    }
}

/// Why stored digits are no [`Ha1`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ha1Error {
    /// Another number of digits than the algorithm has.
    Length {
        /// The algorithm's.
        expected: usize,
        /// The text's.
        found: usize,
    },
    /// A byte that is no hexadecimal digit.
    NotHexadecimal {
        /// Its place in the text.
        offset: usize,
    },
}

impl fmt::Display for Ha1Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ha1Error::Length { expected, found } => {
                write!(f, "expected {expected} hexadecimal digits, found {found} bytes")
            }
            Ha1Error::NotHexadecimal { offset } => write!(f, "byte {offset} is no hexadecimal digit"),
        }
    }
}

impl core::error::Error for Ha1Error {}

/// The hashes of one user and realm, at most one for each algorithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ha1Set([Option<Ha1>; BASES.len()]);

const BASES: [Algorithm; 3] = [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256];

impl Ha1Set {
    /// None yet.
    #[must_use]
    pub fn new() -> Ha1Set {
        Ha1Set::default()
    }

    /// All that we know, so that a domain can change its list of algorithms without asking its users.
    #[must_use]
    pub fn of(user: &str, realm: &str, password: &Password) -> Ha1Set {
        Ha1Set(BASES.map(|algorithm| Some(Ha1::of(algorithm, user, realm, password))))
    }

    /// One for each algorithm that no password leads to.
    pub(crate) fn dummy(random: &mut Random) -> Ha1Set {
        Ha1Set(BASES.map(|algorithm| Some(Ha1::dummy(algorithm, random))))
    }

    /// Adds a hash; the one that it replaces is returned.
    pub fn insert(&mut self, ha1: Ha1) -> Option<Ha1> {
        let slot = self.0.iter_mut().zip(BASES).find(|(_, base)| *base == ha1.algorithm());
        slot.and_then(|(slot, _)| slot.replace(ha1))
    }

    /// The hash that this algorithm, session variant or not, is verified with.
    #[must_use]
    pub fn find(&self, algorithm: Algorithm) -> Option<&Ha1> {
        self.iter().find(|ha1| ha1.algorithm() == algorithm.base())
    }

    /// Each hash.
    pub fn iter(&self) -> impl Iterator<Item = &Ha1> {
        self.0.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use alloc::format;
    use alloc::vec;

    #[test]
    fn stored_digits_come_back() {
        let ha1 = Ha1::of(Algorithm::Md5Sess, "Mufasa", "testrealm@host.com", &Password::new("Circle Of Life"));
        assert_eq!((ha1.algorithm(), ha1.reveal()), (Algorithm::Md5, "939e7578ed9e3c518a452acee763bce9"));
        assert_eq!(Ha1::from_hex(Algorithm::Md5, ha1.reveal().as_bytes()), Ok(ha1));
        assert_eq!(Ha1::from_hex(Algorithm::Md5, ha1.reveal().to_ascii_uppercase().as_bytes()), Ok(ha1));
    }

    /// PJSIP CVE-2022-24754: hashes of another length than the algorithm's.
    #[test]
    fn cve_2022_24754_only_the_exact_length_is_stored() {
        for algorithm in Algorithm::ALL {
            for len in [0, 1, 31, 32, 33, 63, 64, 65, 255, 256, 65_536] {
                let made = Ha1::from_hex(algorithm, &vec![b'a'; len]);
                if len == algorithm.hex_len() {
                    assert_eq!(made.unwrap().reveal().len(), len);
                } else {
                    assert_eq!(made, Err(Ha1Error::Length { expected: algorithm.hex_len(), found: len }));
                }
            }
        }
        let mut text = [b'0'; 32];
        text[31] = b'g';
        assert_eq!(Ha1::from_hex(Algorithm::Md5, &text), Err(Ha1Error::NotHexadecimal { offset: 31 }));
    }

    #[test]
    fn a_set_holds_one_of_each() {
        let password = Password::new("secret");
        let mut set = Ha1Set::of("alice", "a.example", &password);
        assert_eq!(set.iter().count(), 3);
        for algorithm in Algorithm::ALL {
            assert_eq!(set.find(algorithm), Some(&Ha1::of(algorithm, "alice", "a.example", &password)));
        }
        let other = Ha1::of(Algorithm::Sha256, "alice", "a.example", &Password::new("other"));
        assert!(set.insert(other).is_some());
        assert_eq!(set.find(Algorithm::Sha256Sess), Some(&other));
        assert_eq!(Ha1Set::new().find(Algorithm::Md5), None);
        assert_eq!(Ha1Set::new().insert(other), None);
    }

    #[test]
    fn debug_shows_nothing() {
        let password = Password::new("hunter2");
        let set = Ha1Set::of("alice", "a.example", &password);
        let shown = format!("{password:?} {set:?}");
        assert_eq!(shown, "Password Ha1Set([Some(Ha1), Some(Ha1), Some(Ha1)])");
    }
}
