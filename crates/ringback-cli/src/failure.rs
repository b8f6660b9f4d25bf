//! Why a command fails: one line for the operator, or a drawing of the place in a file, and one status for scripts.

use std::fmt;

use ringback_server::{AccountsError, ExitStatus, ServerError};

use crate::log;

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    status: ExitStatus,
    text: String,
    is_drawn: bool,
}

impl Failure {
    pub(crate) fn new(status: ExitStatus, text: impl fmt::Display) -> Failure {
        Failure { status, text: text.to_string(), is_drawn: false }
    }

    pub(crate) fn refused(text: impl fmt::Display) -> Failure {
        Failure::new(ExitStatus::Refused, text)
    }

    /// Several lines, which say by themselves that they tell of an error.
    pub(crate) fn drawn(status: ExitStatus, text: String) -> Failure {
        Failure { status, text, is_drawn: true }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn status(&self) -> ExitStatus {
        self.status
    }

    /// On standard error, as an object where the log is made of objects.
    pub(crate) fn tell(&self) {
        if log::is_json() && tracing::enabled!(tracing::Level::ERROR) {
            tracing::error!(exit_status = self.status as u8, "{}", self.text);
        } else if self.is_drawn {
            eprintln!("{}", self.text);
        } else {
            eprintln!("ringback: {}", self.text);
        }
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Failure {
        match error {
            ServerError::AccountsFile(error) if !log::is_json() => error.into(),
            error => Failure::new(error.exit_status(), error),
        }
    }
}

impl From<AccountsError> for Failure {
    fn from(error: AccountsError) -> Failure {
        ServerError::from(error).into()
    }
}
