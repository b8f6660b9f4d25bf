//! The configuration file.
//!
//! ```text
//!   text ─▶ TOML ─▶ reader ─┬─▶ settings ─▶ show     what check-config prints is a file again
//!                           └─▶ problems ─▶ report   all of them, each with a caret
//! ```

mod accounts;
mod directory;
pub(crate) mod numbers;
mod problem;
mod reader;
mod sections;
mod show;
mod tls;
mod websocket;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::settings::{AccountsSource, Settings};

pub(crate) use accounts::FileAccounts;
pub use problem::{ConfigError, Report};
pub use sections::{LogFormat, LogLevel, LogSettings};
pub use show::show;

/// A configuration file that can be used.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    settings: Settings,
    data: Option<PathBuf>,
    log: LogSettings,
    warnings: Option<Report>,
}

impl ConfigFile {
    /// Reads a file. Relative paths in it are meant from its own folder.
    ///
    /// # Errors
    /// Where it can't be read, or with everything in it that is wrong.
    pub fn read(path: &Path) -> Result<ConfigFile, ConfigError> {
        ConfigFile::parse(path, &text_of(path)?)
    }

    /// The text of a file of this name.
    ///
    /// # Errors
    /// With everything in it that is wrong.
    pub fn parse(path: &Path, text: &str) -> Result<ConfigFile, ConfigError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let ((settings, data, log), warnings) = reader::read(path, text, |reader| sections::top(reader, folder))?;
        Ok(ConfigFile { settings, data, log, warnings })
    }

    /// The data folder, if the file names one.
    #[must_use]
    pub fn data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// How the log is to be written.
    #[must_use]
    pub fn log(&self) -> &LogSettings {
        &self.log
    }

    /// What an operator should look at, though the file can be used.
    #[must_use]
    pub fn warnings(&self) -> Option<&Report> {
        self.warnings.as_ref()
    }

    /// The settings, with this data folder.
    #[must_use]
    pub fn into_settings(self, data: PathBuf) -> Settings {
        Settings { data, ..self.settings }
    }
}

/// Reads the file of accounts, if the settings name one.
///
/// # Errors
/// As [`ConfigFile::read`], of that file.
pub fn file_users(settings: &Settings) -> Result<Option<FileUsers>, ConfigError> {
    let AccountsSource::File(path) = &settings.accounts else { return Ok(None) };
    let file = FileAccounts::read(path, settings)?;
    Ok(Some(FileUsers { path: path.clone(), names: file.accounts.names(), warnings: file.warnings }))
}

/// Who has an account by a file.
#[derive(Clone, Debug)]
pub struct FileUsers {
    /// The file.
    pub path: PathBuf,
    /// The names, in order.
    pub names: Vec<Box<str>>,
    /// What an operator should look at, though the file can be used.
    pub warnings: Option<Report>,
}

fn text_of(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source: io::Error| ConfigError::Unreadable { path: path.to_owned(), source };
    let bytes = fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| unreadable(io::Error::new(io::ErrorKind::InvalidData, error.utf8_error().to_string())))?;
    // Some editors begin files with a mark that says they are UTF-8.
    Ok(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned))
}

#[cfg(test)]
mod tests;
