//! The folder that the databases are in.

use std::env;
use std::error::Error;
use std::fmt;
use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::{AppStrategy as _, AppStrategyArgs, app_strategy};

/// Names the data folder where no flag does.
pub const DATA_VARIABLE: &str = "RINGBACK_DATA";

pub(crate) const ACCOUNTS_FILE: &str = "accounts.redb";
pub(crate) const LOCATION_FILE: &str = "location.redb";

/// The folder that [`DATA_VARIABLE`] names, or the platform's: `$XDG_DATA_HOME/ringback` or `~/.local/share/ringback` on Linux.
///
/// `None` where the user has no home.
#[must_use]
pub fn default_data_folder() -> Option<PathBuf> {
    let named = env::var_os(DATA_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let names = || AppStrategyArgs { app_name: "ringback".to_owned(), ..AppStrategyArgs::default() };
    named.or_else(|| Some(app_strategy::choose_native_strategy(names()).ok()?.data_dir()))
}

/// Makes the folder, and those above it, if it is missing: for its owner's eyes alone.
///
/// # Errors
/// Where it can't be made, or something else is in its place.
pub fn make_data_folder(folder: &Path) -> Result<(), FolderError> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| FolderError { path: folder.to_owned(), source })
}

/// A data folder that can't be made.
#[derive(Debug)]
pub struct FolderError {
    path: PathBuf,
    source: io::Error,
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.source.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                write!(f, "{path}: a file is in the place of the data folder; name another one with --data DIR")
            }
            _ => write!(
                f,
                "{path}: the data folder can't be made ({}); change the permissions, or name another one with --data DIR",
                self.source
            ),
        }
    }
}

impl Error for FolderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
