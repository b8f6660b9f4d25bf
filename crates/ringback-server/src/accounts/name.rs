//! What a user may be called, and what a password may be.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use ringback_auth::Password;

/// How long the name of a user may be.
pub const NAME_BYTES_MAX: usize = 64;

/// How long a password may be.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// The name of a user: what stands before the `@`, and what digest credentials call `username`.
///
/// Only what a user part takes unescaped, so that both are the same text: letters, digits and `- _ . ! ~ * ' ( ) & = + $ ; ? /`,
/// and no comma, which ends a name in files that are imported. Case counts. `[RFC 3261, Section 25.1]`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserName(Box<str>);

impl UserName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<UserName, NameError> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.!~*'()&=+$;?/".contains(&b);
        if text.is_empty() || text.len() > NAME_BYTES_MAX {
            return Err(NameError::Length);
        }
        if text.bytes().all(fits) { Ok(UserName(text.into())) } else { Err(NameError::Character) }
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no name of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Empty, or longer than [`NAME_BYTES_MAX`].
    Length,
    /// A character that a user part does not take unescaped, or a comma.
    Character,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameError::Length => write!(f, "a user name has 1 to {NAME_BYTES_MAX} characters"),
            NameError::Character => f.write_str("a user name has letters, digits and -_.!~*'()&=+$;?/ only"),
        }
    }
}

impl Error for NameError {}

/// Why a text is no password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordError {
    /// There is nothing.
    Empty,
    /// It is longer than [`PASSWORD_BYTES_MAX`].
    TooLong,
    /// It has a control character, which nobody can type into a phone.
    Control,
}

/// The text as a password.
///
/// # Errors
/// Where it can't be one.
pub fn check_password(text: &str) -> Result<Password, PasswordError> {
    if text.is_empty() {
        Err(PasswordError::Empty)
    } else if text.len() > PASSWORD_BYTES_MAX {
        Err(PasswordError::TooLong)
    } else if text.chars().any(char::is_control) {
        Err(PasswordError::Control)
    } else {
        Ok(Password::new(text))
    }
}

impl fmt::Display for PasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PasswordError::Empty => f.write_str("the password is empty"),
            PasswordError::TooLong => write!(f, "a password has at most {PASSWORD_BYTES_MAX} bytes"),
            PasswordError::Control => f.write_str("the password has a control character"),
        }
    }
}

impl Error for PasswordError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn names() {
        for text in ["alice", "Alice", "+49-30-1234", "a.b_c~d", "1000", &"a".repeat(64)] {
            assert_eq!(text.parse::<UserName>().unwrap().as_str(), text);
        }
        for text in ["a,b", "a@b", "a b", "a:b", "a%62", "\"a\"", "é", "a\n", "a#"] {
            assert_eq!(text.parse::<UserName>(), Err(NameError::Character), "{text}");
        }
        for text in ["", &"a".repeat(65)] {
            assert_eq!(text.parse::<UserName>(), Err(NameError::Length));
        }
    }

    #[test]
    fn passwords() {
        for text in ["x", "with, comma", "Passwort für alle", " blank ", &"a".repeat(256)] {
            assert_eq!(check_password(text).unwrap().reveal(), text);
        }
        assert_eq!(check_password(""), Err(PasswordError::Empty));
        assert_eq!(check_password(&"a".repeat(257)), Err(PasswordError::TooLong));
        assert_eq!(check_password("a\tb"), Err(PasswordError::Control));
    }
}
