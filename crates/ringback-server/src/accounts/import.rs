//! Files of names and passwords.

use std::error::Error;
use std::fmt;

use ringback_auth::Password;

use super::name::{NameError, PasswordError, UserName, check_password};

/// Reads lines `name,password`. The first comma ends the name, so a password may have commas; empty lines and those that begin
/// with `#` are passed over.
///
/// # Errors
/// For the first line that is not so: then nothing of the file should be used.
pub fn parse_import(text: &str) -> Result<Vec<(UserName, Password)>, ImportError> {
    let mut users = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let error = |kind| ImportError { line: number, kind };
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, password) = line.split_once(',').ok_or_else(|| error(ImportErrorKind::NoComma))?;
        let name = name.trim().parse().map_err(|e| error(ImportErrorKind::Name(e)))?;
        let password = check_password(password).map_err(|e| error(ImportErrorKind::Password(e)))?;
        users.push((name, password));
    }
    Ok(users)
}

/// A line that can't be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportError {
    /// Its number, from 1.
    pub line: u64,
    kind: ImportErrorKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ImportErrorKind {
    NoComma,
    Name(NameError),
    Password(PasswordError),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match self.kind {
            ImportErrorKind::NoComma => f.write_str("expected NAME,PASSWORD"),
            ImportErrorKind::Name(error) => error.fmt(f),
            ImportErrorKind::Password(error) => error.fmt(f),
        }
    }
}

impl Error for ImportError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn lines() {
        let users = parse_import("# who,what\nalice,secret\r\n\n bob ,with, comma \n").unwrap();
        let shown: Vec<_> = users.iter().map(|(name, password)| (name.as_str(), password.reveal())).collect();
        assert_eq!(shown, [("alice", "secret"), ("bob", "with, comma ")]);
        assert_eq!(parse_import("").unwrap(), []);
    }

    #[test]
    fn the_first_bad_line_is_named_and_no_password_is() {
        for (text, expected) in [
            ("alice,x\nbob", "line 2: expected NAME,PASSWORD"),
            ("a b,hunter2", "line 1: a user name has letters, digits and -_.!~*'()&=+$;?/ only"),
            ("\n\nalice,", "line 3: the password is empty"),
        ] {
            assert_eq!(parse_import(text).unwrap_err().to_string(), expected);
        }
    }
}
