//! The server behind `ringback serve`: settings, accounts, start-up and shut-down.
//!
//! ```text
//!   Settings ─▶ serve ─┬─ addresses bound        a taken port leaves nothing behind
//!                      ├─ data folder, databases accounts.redb, location.redb
//!                      ├─ first accounts         told once, never to the log
//!                      ├─ shards                 ringback-tokio
//!                      └─ signals                drain, close
//! ```
//!
//! Settings are a plain struct: a configuration file fills it, and the command line.
//!
//! ```no_run
//! use ringback_server::{Settings, serve};
//!
//! let settings = Settings::new("/var/lib/ringback".into());
//! let ended = serve(&settings, &mut std::io::stdout())?;
//! # Ok::<(), ringback_server::ServerError>(())
//! ```

mod accounts;
mod compose;
mod config;
mod counters;
mod error;
mod files;
mod first_start;
mod folder;
mod limits;
mod listen;
mod renewal;
mod secret;
mod self_signed;
mod serve;
mod settings;
mod signals;
mod tls;
mod users;

pub use accounts::{
    AccountStore, Accounts, AccountsError, ImportError, NAME_BYTES_MAX, NameError, PASSWORD_BYTES_MAX, PasswordError,
    UserName, check_password, parse_import,
};
pub use config::{ConfigError, ConfigFile, FileUsers, LogFormat, LogLevel, LogSettings, Report, file_users, show};
pub use counters::Counters;
pub use error::{ExitStatus, ServerError};
pub use folder::{DATA_VARIABLE, FolderError, default_data_folder, make_data_folder};
pub use limits::{Counted, LIMITS, Limit, LimitValue, limits_table};
pub use listen::{Listen, ListenError, check_listeners};
pub use ringback_auth::{Algorithm, Password};
pub use ringback_base::Transport;
pub use ringback_location_db::Durability;
pub use serve::{Ended, serve};
pub use settings::{
    AccountsSource, CertificateFiles, DEFAULT_REALM, DEFAULT_TRANSPORTS, Domain, DomainError, ListenerSettings,
    PublicName, SHARDS_MAX, Settings, TRANSPORTS, TlsSettings, VerifyClient, When, WhenError,
};
pub use tls::{TlsFileError, TlsStartError};
pub use users::forget_bindings;
