//! What can go wrong, by whose doing.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;

use ringback_location::Version;

/// Why a store did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody stored since the rows were loaded: load them again.
    Conflict {
        /// The version that there is now.
        current: Version,
    },
    /// Too many stores wait for a commit.
    Full,
    /// There are as many addresses of record as there may be, and this one is none of them.
    TooManyAors,
    /// The rows, or those that they were built upon, could not be made durable; memory has the former ones.
    Failed,
    /// The database is closed.
    Closed,
}

/// Why a database can't be opened: one line that names it and says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open.
    Taken {
        /// The file.
        path: String,
    },
    /// The file or its folder may not be read and written.
    NotPermitted {
        /// The file.
        path: String,
        /// The system's words.
        error: String,
    },
    /// It is no database, not one of ours, or a broken one.
    Corrupt {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: String,
    },
    /// A later version of this program wrote it.
    NewerSchema {
        /// The file.
        path: String,
        /// The schema it has.
        found: u32,
        /// The newest schema that is known here.
        known: u32,
    },
    /// Anything else, such as a folder that does not exist or a full disk.
    Other {
        /// The file.
        path: String,
        /// The system's words.
        error: String,
    },
}

/// The storage failed or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskError {
    path: String,
    error: String,
}

impl DiskError {
    pub(crate) fn new(path: &str, error: impl fmt::Display) -> DiskError {
        DiskError { path: path.into(), error: error.to_string() }
    }
}

impl OpenError {
    pub(crate) fn from_redb(path: &str, error: redb::Error) -> OpenError {
        let path = path.to_owned();
        let text = error.to_string();
        match error {
            redb::Error::DatabaseAlreadyOpen => OpenError::Taken { path },
            redb::Error::Io(error) => match error.kind() {
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    OpenError::NotPermitted { path, error: error.to_string() }
                }
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                    OpenError::Corrupt { path, error: error.to_string() }
                }
                _ => OpenError::Other { path, error: error.to_string() },
            },
            redb::Error::Corrupted(_)
            | redb::Error::RepairAborted
            | redb::Error::UpgradeRequired(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TypeDefinitionChanged { .. } => OpenError::Corrupt { path, error: text },
            _ => OpenError::Other { path, error: text },
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Conflict { .. } => f.write_str("the bindings were changed by somebody else"),
            StoreError::Full => f.write_str("too many stores wait for the disk"),
            StoreError::TooManyAors => f.write_str("there is no room for another address of record"),
            StoreError::Failed => f.write_str("the disk failed"),
            StoreError::Closed => f.write_str("the location database is closed"),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Taken { path } => {
                write!(f, "{path}: another process has it open; end that one, or use another data folder")
            }
            OpenError::NotPermitted { path, error } => {
                write!(
                    f,
                    "{path}: can't be read and written ({error}); change the permissions, or use another data folder"
                )
            }
            OpenError::Corrupt { path, error } => {
                write!(
                    f,
                    "{path}: no sound location database ({error}); put a backup in its place, or move it away to start empty"
                )
            }
            OpenError::NewerSchema { path, found, known } => {
                write!(
                    f,
                    "{path}: written by a later version (schema {found}, known here: {known}); use that version, or another data folder"
                )
            }
            OpenError::Other { path, error } => write!(f, "{path}: can't be opened ({error})"),
        }
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.error)
    }
}

impl Error for StoreError {}
impl Error for OpenError {}
impl Error for DiskError {}
