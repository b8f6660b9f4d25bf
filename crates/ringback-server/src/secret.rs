//! Secrets that this process draws.

use getrandom::Error;
use ringback_auth::Password;
use ringback_base::Random;

/// How long a password is that nobody chose: 79 bits in this alphabet.
const PASSWORD_CHARACTERS: usize = 16;

/// Without what looks alike in some typeface, and in one case, because it is typed on phones.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// 32 bytes of the system's randomness.
pub(crate) fn draw() -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A password that nobody can guess and everybody can type.
pub(crate) fn password(random: &mut Random) -> Password {
    let bound = u64::try_from(ALPHABET.len()).unwrap_or(0);
    let character = |_| {
        let index = usize::try_from(random.below(bound)).unwrap_or(0);
        ALPHABET.get(index).copied().map_or('a', char::from)
    };
    Password::new((0..PASSWORD_CHARACTERS).map(character).collect::<String>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn passwords_are_long_typeable_and_new() {
        let mut random = Random::from_seed(draw().unwrap());
        let (a, b) = (password(&mut random), password(&mut random));
        assert_ne!(a, b);
        assert_eq!(a.reveal().len(), 16);
        assert!(a.reveal().bytes().all(|byte| ALPHABET.contains(&byte)));
        assert!(!ALPHABET.iter().any(|byte| b"0o1li".contains(byte)));
        // Each character comes up: the bound is not off by one.
        let mut text: Vec<u8> = (0..200).flat_map(|_| password(&mut random).reveal().as_bytes().to_vec()).collect();
        text.sort_unstable();
        text.dedup();
        assert_eq!(text.len(), ALPHABET.len());
    }
}
