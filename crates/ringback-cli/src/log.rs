//! The log: on standard error, so that standard output is for what was asked for.

use std::env;
use std::io::{self, IsTerminal as _};
use std::panic;
use std::sync::OnceLock;

use ringback_server::{ExitStatus, LogFormat, LogSettings};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::failure::Failure;

static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Starts it. The level is that of the flag, or of RUST_LOG, or of the file, or `info`.
///
/// # Errors
/// Where the level can't be understood.
pub(crate) fn start(settings: LogSettings, flag: Option<&str>) -> Result<(), Failure> {
    let named = flag
        .map(str::to_owned)
        .or_else(|| env::var(EnvFilter::DEFAULT_ENV).ok())
        .filter(|text| !text.trim().is_empty());
    let text = named.as_deref().unwrap_or(settings.level.unwrap_or_default().as_str());
    let filter = EnvFilter::builder().parse(text).map_err(|error| {
        Failure::new(
            ExitStatus::Usage,
            format!("{text:?} is no log level ({error}); expected off, error, warn, info, debug or trace"),
        )
    })?;
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(has_colours());
    // Where nobody reads the log any more, it would complain to the same closed pipe, and that panics.
    let builder = builder.log_internal_errors(false);
    let format = settings.format.unwrap_or_default();
    match format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    FORMAT.get_or_init(|| format);
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        let thread = std::thread::current();
        tracing::error!(thread = thread.name(), place, "panicked: {}", info.payload_as_str().unwrap_or("no words"));
    }));
    Ok(())
}

/// True once a log of objects was started.
pub(crate) fn is_json() -> bool {
    FORMAT.get() == Some(&LogFormat::Json)
}

/// Whether standard error shows colours: not where it is a file or a pipe, nor where the user wants none.
pub(crate) fn has_colours() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
