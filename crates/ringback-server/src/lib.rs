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
//! Settings are a plain struct: the command line fills it, and a configuration file can.
//!
//! ```no_run
//! use ringback_server::{Settings, serve};
//!
//! let settings = Settings::new("/var/lib/ringback".into());
//! let ended = serve(&settings, &mut std::io::stdout())?;
//! # Ok::<(), ringback_server::ServerError>(())
//! ```

mod accounts;
mod error;
mod first_start;
mod folder;
mod listen;
mod secret;
mod serve;
mod settings;
mod signals;

pub use accounts::{
    AccountStore, Accounts, AccountsError, ImportError, NAME_BYTES_MAX, NameError, PASSWORD_BYTES_MAX, PasswordError,
    UserName, check_password, parse_import,
};
pub use error::{ExitStatus, ServerError};
pub use folder::{DATA_VARIABLE, FolderError, default_data_folder, make_data_folder};
pub use listen::{Listen, ListenError};
pub use ringback_auth::{Algorithm, Password};
pub use ringback_location_db::Durability;
pub use serve::{Ended, serve};
pub use settings::{DEFAULT_REALM, Domain, DomainError, SHARDS_MAX, Settings};
