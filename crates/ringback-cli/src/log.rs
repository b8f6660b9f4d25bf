//! The log: on standard error, so that standard output is for what was asked for.

use std::env;
use std::io::{self, IsTerminal as _};
use std::panic;

use ringback_server::ExitStatus;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::args::LogFormat;
use crate::failure::Failure;

const DEFAULT_LEVEL: &str = "info";

/// Starts it. The level is that of the flag, or of RUST_LOG, or `info`.
///
/// # Errors
/// Where the level can't be understood.
pub(crate) fn start(format: LogFormat, level: Option<&str>) -> Result<(), Failure> {
    let named = level
        .map(str::to_owned)
        .or_else(|| env::var(EnvFilter::DEFAULT_ENV).ok())
        .filter(|text| !text.trim().is_empty());
    let text = named.as_deref().unwrap_or(DEFAULT_LEVEL);
    let filter = EnvFilter::builder().parse(text).map_err(|error| {
        Failure::new(
            ExitStatus::Usage,
            format!("{text:?} is no log level ({error}); expected off, error, warn, info, debug or trace"),
        )
    })?;
    let colours = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours);
    match format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        let thread = std::thread::current();
        tracing::error!(thread = thread.name(), place, "panicked: {}", info.payload_as_str().unwrap_or("no words"));
    }));
    Ok(())
}
