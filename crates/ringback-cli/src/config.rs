//! The configuration file, and what overrides it.

use std::env;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ringback_server::{
    ConfigError, ConfigFile, DATA_VARIABLE, ExitStatus, LogSettings, Report, Settings, check_listeners,
    default_data_folder, file_users, show,
};

use crate::failure::Failure;
use crate::log::has_colours;

/// What a file says; without one, the defaults.
#[derive(Debug)]
pub(crate) struct Configured {
    pub(crate) settings: Settings,
    pub(crate) log: LogSettings,
    pub(crate) warnings: Option<Report>,
}

impl Configured {
    /// Reads the file, if one is named, and finds the data folder: the flag's, or the environment's, or the file's, or the platform's.
    ///
    /// # Errors
    /// Where the file can't be used, or nothing names a data folder and there is no home.
    pub(crate) fn read(file: Option<&Path>, data: Option<PathBuf>) -> Result<Configured, Failure> {
        let (mut configured, data) = Configured::without_folder(file, data)?;
        let none =
            || Failure::new(ExitStatus::Data, "this user has no home for a data folder; name one with --data DIR");
        configured.settings.data = data.ok_or_else(none)?;
        Ok(configured)
    }

    fn without_folder(file: Option<&Path>, data: Option<PathBuf>) -> Result<(Configured, Option<PathBuf>), Failure> {
        let of_environment = || env::var_os(DATA_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        let data = data.or_else(of_environment);
        let Some(file) = file else {
            let settings = Settings::new(PathBuf::new());
            let configured = Configured { settings, log: LogSettings::default(), warnings: None };
            return Ok((configured, data.or_else(default_data_folder)));
        };
        let file = ConfigFile::read(file)?;
        let data = data.or_else(|| file.data().map(Path::to_owned)).or_else(default_data_folder);
        let (log, warnings) = (*file.log(), file.warnings().cloned());
        Ok((Configured { settings: file.into_settings(PathBuf::new()), log, warnings }, data))
    }
}

/// `ringback check-config`: prints what the file means, or what is wrong with it.
///
/// # Errors
/// Where it, or the file of accounts that it names, can't be used.
pub(crate) fn check(file: &Path) -> Result<(), Failure> {
    let (mut configured, data) = Configured::without_folder(Some(file), None)?;
    configured.settings.data = data.unwrap_or_default();
    check_listeners(&configured.settings.listeners)
        .map_err(|error| Failure::new(ExitStatus::Config, format!("{}: {error}", file.display())))?;
    let users = file_users(&configured.settings)?;
    let warnings = users.and_then(|users| users.warnings);
    for report in [&configured.warnings, &warnings].into_iter().flatten() {
        eprintln!("{}\n", report.draw(has_colours()));
    }
    match io::stdout().write_all(show(&configured.settings, &configured.log).as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(ExitStatus::Internal, format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::drawn(ExitStatus::Config, error.draw(has_colours()))
    }
}
