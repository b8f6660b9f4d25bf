//! What can go wrong with accounts.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::name::UserName;

/// What went wrong, in one line that names the thing and says what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum AccountsError {
    /// There is such a user already: nothing was changed.
    Exists(UserName),
    /// There is no such user: nothing was changed.
    NoSuchUser(UserName),
    /// There is no database yet.
    Missing(PathBuf),
    /// Another process has the database open.
    Taken(PathBuf),
    /// It is no database, not one of ours, or a broken one.
    Corrupt(PathBuf, String),
    /// A later version of this program wrote it.
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The schema it has.
        found: u32,
        /// The newest schema that is known here.
        known: u32,
    },
    /// The file may not be read and written, the disk is full, and the like.
    Storage(PathBuf, String),
}

impl AccountsError {
    pub(super) fn storage(path: &Path, error: impl Into<redb::Error>) -> AccountsError {
        let error = error.into();
        let text = error.to_string();
        let path = path.to_owned();
        match error {
            redb::Error::DatabaseAlreadyOpen => AccountsError::Taken(path),
            redb::Error::Corrupted(_)
            | redb::Error::RepairAborted
            | redb::Error::UpgradeRequired(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TypeDefinitionChanged { .. } => AccountsError::Corrupt(path, text),
            redb::Error::Io(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
                AccountsError::Corrupt(path, error.to_string())
            }
            redb::Error::Io(error) => AccountsError::Storage(path, error.to_string()),
            _ => AccountsError::Storage(path, text),
        }
    }

    /// True where the storage did what it should and the answer is no.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, AccountsError::Exists(_) | AccountsError::NoSuchUser(_))
    }
}

impl fmt::Display for AccountsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountsError::Exists(name) => {
                write!(f, "there is a user {name} already; ringback user passwd {name} changes the password")
            }
            AccountsError::NoSuchUser(name) => {
                write!(f, "there is no user {name}; ringback user list shows who there is")
            }
            AccountsError::Missing(path) => {
                write!(f, "{}: no accounts here yet; ringback serve or ringback user add makes them", path.display())
            }
            AccountsError::Taken(path) => {
                write!(
                    f,
                    "{}: another process has it open; end the server that runs on this folder first, or use another --data DIR",
                    path.display()
                )
            }
            AccountsError::Corrupt(path, error) => {
                write!(
                    f,
                    "{}: no sound database of accounts ({error}); put a backup in its place, or move it away to start empty",
                    path.display()
                )
            }
            AccountsError::NewerSchema { path, found, known } => {
                write!(
                    f,
                    "{}: written by a later version (schema {found}, known here: {known}); use that version, or another --data DIR",
                    path.display()
                )
            }
            AccountsError::Storage(path, error) => {
                write!(
                    f,
                    "{}: can't be read and written ({error}); mend that, or use another --data DIR",
                    path.display()
                )
            }
        }
    }
}

impl Error for AccountsError {}
