//! Why a server does not run, and with which status its process ends.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use ringback_location_db::{DiskError, OpenError};
use ringback_tokio::{BindError, BindErrorKind, ShardEnded, StartError};

use crate::accounts::AccountsError;
use crate::config::ConfigError;
use crate::folder::FolderError;
use crate::listen::ListenError;
use crate::tls::TlsStartError;

/// The statuses that the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// All went well.
    Ok = 0,
    /// What was asked for can't be done: no such user, a name that is taken, a line that can't be imported.
    Refused = 1,
    /// The command line can't be understood.
    Usage = 2,
    /// An address can't be listened on.
    Address = 3,
    /// The data folder or a database in it can't be used.
    Data = 4,
    /// A configuration file, or a file that it names (accounts, certificates), can't be read or has errors.
    Config = 5,
    /// A defect of the program, or a system that refuses the least.
    Internal = 70,
    /// A second signal came while the first was being obeyed.
    Interrupted = 130,
}

/// Why a server does not run, in one line that names the thing and says what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerError {
    /// There is nothing to listen on.
    Listen(ListenError),
    /// An address can't be had.
    Bind(BindError),
    /// The data folder can't be made.
    Folder(FolderError),
    /// The accounts can't be read or written.
    Accounts(AccountsError),
    /// The file of accounts has errors.
    AccountsFile(ConfigError),
    /// The stored accounts are of another realm than the one that is configured.
    Realm {
        /// What is configured.
        wanted: Box<str>,
        /// What the stored hashes hold.
        stored: Box<str>,
        /// Where they are.
        path: PathBuf,
    },
    /// The location table can't be opened.
    Location(OpenError),
    /// The location table can't be read or written.
    LocationDisk(DiskError),
    /// The location table can't be written.
    LocationWrite(PathBuf),
    /// The location table holds what is none of ours.
    LocationCorrupt(PathBuf),
    /// TLS can't be spoken.
    Tls(TlsStartError),
    /// The shards can't be started.
    Start(StartError),
    /// A shard ended while the server ran.
    Shard(ShardEnded),
    /// The system refuses something else that is needed.
    System(std::io::Error),
}

impl ServerError {
    /// The status for it.
    #[must_use]
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            ServerError::Listen(_) | ServerError::Bind(_) => ExitStatus::Address,
            ServerError::Accounts(error) if error.is_refusal() => ExitStatus::Refused,
            ServerError::AccountsFile(_) | ServerError::Realm { .. } | ServerError::Tls(_) => ExitStatus::Config,
            ServerError::Folder(_)
            | ServerError::Accounts(_)
            | ServerError::Location(_)
            | ServerError::LocationDisk(_)
            | ServerError::LocationWrite(_)
            | ServerError::LocationCorrupt(_) => ExitStatus::Data,
            ServerError::Start(_) | ServerError::Shard(_) | ServerError::System(_) => ExitStatus::Internal,
        }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServerError::Listen(error) => error.fmt(f),
            ServerError::Bind(error) => write!(f, "{error}{}", advice(error.kind)),
            ServerError::Folder(error) => error.fmt(f),
            ServerError::Accounts(error) => error.fmt(f),
            ServerError::AccountsFile(error) => error.fmt(f),
            ServerError::Realm { wanted, stored, path } => write!(
                f,
                "the configuration names the realm {wanted:?}, but the accounts in {} are of {stored:?}, which their hashes hold; \
                 name that one, or start with new accounts in another data folder",
                path.display()
            ),
            ServerError::Location(error) => error.fmt(f),
            ServerError::LocationDisk(error) => error.fmt(f),
            ServerError::LocationWrite(path) => write!(f, "{}: it can't be written", path.display()),
            ServerError::LocationCorrupt(path) => {
                write!(
                    f,
                    "{}: the secret in it is not one; put a backup in its place, or move it away to start empty",
                    path.display()
                )
            }
            ServerError::Tls(error) => error.fmt(f),
            ServerError::Start(error) => error.fmt(f),
            ServerError::Shard(error) => write!(f, "{error}: a defect; the log says more"),
            ServerError::System(error) => write!(f, "the system refuses what a server needs: {error}"),
        }
    }
}

fn advice(kind: BindErrorKind) -> &'static str {
    match kind {
        BindErrorKind::Taken => "; end that one, or choose another port with --listen ADDRESS:PORT",
        BindErrorKind::Forbidden => {
            "; choose a port from 1024 up with --listen ADDRESS:PORT, or give the program the permission"
        }
        BindErrorKind::NotOurs => "; name one of its own with --listen ADDRESS:PORT, or 0.0.0.0 for all of them",
        _ => "; choose another one with --listen ADDRESS:PORT",
    }
}

impl Error for ServerError {}

macro_rules! from {
    ($($source:ty => $variant:ident,)*) => {
        $(impl From<$source> for ServerError {
            fn from(error: $source) -> ServerError {
                ServerError::$variant(error)
            }
        })*
    };
}

from! {
    ListenError => Listen,
    BindError => Bind,
    FolderError => Folder,
    AccountsError => Accounts,
    ConfigError => AccountsFile,
    OpenError => Location,
    DiskError => LocationDisk,
    TlsStartError => Tls,
    StartError => Start,
    ShardEnded => Shard,
    std::io::Error => System,
}

impl From<getrandom::Error> for ServerError {
    fn from(error: getrandom::Error) -> ServerError {
        ServerError::Start(StartError::Random(error))
    }
}
