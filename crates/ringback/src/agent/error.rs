//! What can go wrong, by blame.

use std::error::Error;
use std::fmt;
use std::io;

use ringback_message::{Response, StatusCode};
use ringback_tokio::BindError;
use ringback_ua::{CommandError, Failure, Outcome, Said};

/// An agent can't be had, or can't do what it is told.
#[derive(Debug)]
#[non_exhaustive]
pub enum AgentError {
    /// The address can't be listened on.
    Bind(BindError),
    /// The system refuses something else.
    System(io::Error),
    /// It makes no sense in this state, or can't be built.
    Command(CommandError),
}

/// A call was not answered.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallFailed {
    /// They refuse, or point elsewhere.
    Refused {
        /// The last final response.
        response: Box<Response>,
        /// What could be done about it.
        outcome: Box<Outcome>,
    },
    /// No final response: nobody answers, nothing leads there.
    Failed {
        /// Why.
        failure: Failure,
        /// What could be done about it.
        outcome: Box<Outcome>,
    },
    /// Nobody answered as long as we wanted to wait.
    NoAnswer,
    /// It can't be built, or the agent has ended.
    Command(CommandError),
}

impl CallFailed {
    pub(super) fn of(failure: Failure, outcome: Box<Outcome>) -> CallFailed {
        match failure {
            Failure::Refused(response) => CallFailed::Refused { response, outcome },
            failure => CallFailed::Failed { failure, outcome },
        }
    }

    /// The status that it stands for: that of the response, or 408 or 503 where none came. `[RFC 3261, Section 8.1.3.1]`
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            CallFailed::Refused { response, .. } => Some(response.status()),
            CallFailed::Failed { failure, .. } => Some(failure.status()),
            CallFailed::NoAnswer => Some(StatusCode::RequestTimeout),
            CallFailed::Command(_) => None,
        }
    }

    /// What could be done about it: retry later, choose one of these, ask the user, give up.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            CallFailed::Refused { outcome, .. } | CallFailed::Failed { outcome, .. } => Some(outcome),
            _ => None,
        }
    }

    /// The response, if one came.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        match self {
            CallFailed::Refused { response, .. } => Some(response),
            _ => None,
        }
    }

    /// What the response says to people, if one came: the reason phrase, warnings, reasons.
    #[must_use]
    pub fn said(&self) -> Option<Said<'_>> {
        self.response().map(Said::of)
    }
}

/// A registration is not there.
#[derive(Debug)]
#[non_exhaustive]
pub enum RegisterFailed {
    /// The registrar refuses, or points elsewhere.
    Refused(Box<Response>),
    /// It did not answer: 408 or 503 in its place.
    Failed(StatusCode),
    /// There is no connection to it, and this is why.
    Unreached(Failure),
    /// Its 200 lacks our contact.
    NotBound,
    /// It can't be built, or the agent has ended.
    Command(CommandError),
}

/// A request has no final response.
#[derive(Debug)]
#[non_exhaustive]
pub enum RequestFailed {
    /// Why.
    Failed(Failure),
    /// It can't be built, or the agent has ended.
    Command(CommandError),
}

impl From<CommandError> for AgentError {
    fn from(error: CommandError) -> AgentError {
        AgentError::Command(error)
    }
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AgentError::Bind(error) => error.fmt(f),
            AgentError::System(error) => error.fmt(f),
            AgentError::Command(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for CallFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallFailed::Refused { response, .. } => Said::of(response).fmt(f),
            CallFailed::Failed { failure, .. } => failure.fmt(f),
            CallFailed::NoAnswer => f.write_str("nobody answered as long as was to be waited"),
            CallFailed::Command(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for RegisterFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegisterFailed::Refused(response) => {
                write!(f, "{} {}", response.status().as_u16(), response.reason().escape_ascii())
            }
            RegisterFailed::Failed(status) => write!(f, "no answer, which counts as {}", status.as_u16()),
            RegisterFailed::Unreached(failure) => failure.fmt(f),
            RegisterFailed::NotBound => f.write_str("the registrar's 200 lacks our contact"),
            RegisterFailed::Command(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for RequestFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestFailed::Failed(failure) => failure.fmt(f),
            RequestFailed::Command(error) => error.fmt(f),
        }
    }
}

impl Error for AgentError {}
impl Error for CallFailed {}
impl Error for RegisterFailed {}
impl Error for RequestFailed {}
