//! Why a command fails: one line for the operator, one status for scripts.

use std::fmt;

use ringback_server::{AccountsError, ExitStatus, ServerError};

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    status: ExitStatus,
    text: String,
}

impl Failure {
    pub(crate) fn new(status: ExitStatus, text: impl fmt::Display) -> Failure {
        Failure { status, text: text.to_string() }
    }

    pub(crate) fn refused(text: impl fmt::Display) -> Failure {
        Failure::new(ExitStatus::Refused, text)
    }

    pub(crate) fn status(&self) -> ExitStatus {
        self.status
    }

    /// One line on standard error, an object where the log is made of objects.
    pub(crate) fn tell(&self, as_json: bool) {
        if as_json && tracing::enabled!(tracing::Level::ERROR) {
            tracing::error!(exit_status = self.status as u8, "{}", self.text);
        } else {
            eprintln!("ringback: {}", self.text);
        }
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Failure {
        Failure::new(error.exit_status(), error)
    }
}

impl From<AccountsError> for Failure {
    fn from(error: AccountsError) -> Failure {
        ServerError::from(error).into()
    }
}
