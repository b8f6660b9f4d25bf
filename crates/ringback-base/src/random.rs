//! Randomness that comes in as a seed.

use alloc::string::String;
use core::fmt;
use core::hash::{BuildHasher, Hasher as _};

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use siphasher::sip::SipHasher24;

/// A source of unguessable values that is a pure function of its seed.
///
/// A server seeds it from the operating system, a simulation from the number of the run.
pub struct Random(ChaCha12Rng);

impl Random {
    /// A source from 32 bytes of entropy.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Random {
        Random(ChaCha12Rng::from_seed(seed))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, or 0 where `bound` is 0. The bias is below one part in 2³² for bounds below 2³².
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()).wrapping_mul(u128::from(bound));
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// Fills the buffer.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    /// A seed for a child source.
    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.fill(&mut seed);
        seed
    }

    /// Sixteen characters of 80 random bits, for tags, branches and Call-IDs.
    ///
    /// A tag must hold at least 32 random bits. `[RFC 3261, Section 19.3]`
    pub fn token(&mut self) -> String {
        const ALPHABET: [u8; 32] = *b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut bits = u128::from(self.next_u64()) << 64 | u128::from(self.next_u64());
        let mut token = String::with_capacity(16);
        for _ in 0..16 {
            let index = usize::try_from(bits & 31).unwrap_or(0);
            token.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'0')));
            bits >>= 5;
        }
        token
    }

    /// A hasher for tables whose keys a stranger picks.
    pub fn hasher(&mut self) -> KeyedHash {
        KeyedHash(self.next_u64(), self.next_u64())
    }
}

impl fmt::Debug for Random {
    /// Says nothing of the state, which is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

/// SipHash-2-4 under a secret key: strangers can't aim their keys at one bucket, nor guess a hash.
#[derive(Clone, Copy)]
pub struct KeyedHash(u64, u64);

impl KeyedHash {
    /// The hash under the given key.
    #[must_use]
    pub const fn with_key(k0: u64, k1: u64) -> KeyedHash {
        KeyedHash(k0, k1)
    }

    /// The hash of several byte strings, each bounded so that no two lists run together.
    #[must_use]
    pub fn of(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = self.build_hasher();
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish()
    }
}

impl BuildHasher for KeyedHash {
    type Hasher = SipHasher24;

    fn build_hasher(&self) -> SipHasher24 {
        SipHasher24::new_with_keys(self.0, self.1)
    }
}

impl fmt::Debug for KeyedHash {
    /// Says nothing of the key, which is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHash")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_values() {
        let (mut a, mut b) = (Random::from_seed([7; 32]), Random::from_seed([7; 32]));
        assert_eq!(a.token(), b.token());
        assert_ne!(a.token(), a.token());
        assert_eq!(b.token().len(), 16);
    }

    #[test]
    fn below_stays_below() {
        let mut random = Random::from_seed([1; 32]);
        assert!((0..1000).all(|_| random.below(10) < 10));
        assert_eq!(random.below(0), 0);
        assert_eq!(random.below(1), 0);
    }

    #[test]
    fn parts_do_not_run_together() {
        let hash = KeyedHash::with_key(1, 2);
        assert_ne!(hash.of(&[b"ab", b"c"]), hash.of(&[b"a", b"bc"]));
        assert_eq!(hash.of(&[b"ab", b"c"]), hash.of(&[b"ab", b"c"]));
    }
}
