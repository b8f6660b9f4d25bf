//! Whom an error is to be laid to, and the status code that it is answered with.

use crate::error::{BuildError, ParseError, Rejected};
use crate::status::StatusCode;

/// Who would have to change something for a request to succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Blame {
    /// Whoever sent the request: what it says, whom it names, or what it lacks.
    Caller,
    /// Whom it was for: the person, the device, or the program that serves it.
    Callee,
    /// The servers and the network between the two.
    Between,
    /// Nobody: it went as it should.
    Nobody,
}

impl Blame {
    /// Who it is, for people: "the caller".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Blame::Caller => "the caller",
            Blame::Callee => "the called side",
            Blame::Between => "a server or the network",
            Blame::Nobody => "nobody",
        }
    }
}

/// An error that a server can meet while it serves a request, sorted by whom it is to be laid to.
pub trait Blamed {
    /// Who would have to change something.
    fn blame(&self) -> Blame;

    /// The code that the request is answered with, where the error has one of its own; what [`status_for`] gives is never less.
    fn own_status(&self) -> Option<StatusCode> {
        None
    }
}

/// The code that a request is answered with because of this error: its own, or else 400 where the caller is to blame, 500 where we
/// are, and 503 where others are. `[RFC 3261, Section 21.4.1]` `[RFC 3261, Section 21.5.1]` `[RFC 3261, Section 21.5.4]`
///
/// ```
/// use ringback_message::{Blame, Blamed, Request, StatusCode, status_for};
///
/// let rejected = Request::parse(b"OPTIONS sip:b.example SIP/3.0\r\n\r\n").unwrap_err();
/// assert_eq!((rejected.blame(), status_for(&*rejected)), (Blame::Caller, StatusCode::VersionNotSupported));
/// ```
pub fn status_for(error: &(impl Blamed + ?Sized)) -> StatusCode {
    error.own_status().unwrap_or(match error.blame() {
        Blame::Caller => StatusCode::BadRequest,
        Blame::Callee | Blame::Nobody => StatusCode::ServerInternalError,
        Blame::Between => StatusCode::ServiceUnavailable,
    })
}

impl Blamed for ParseError {
    fn blame(&self) -> Blame {
        Blame::Caller
    }

    fn own_status(&self) -> Option<StatusCode> {
        Some(self.kind.status())
    }
}

impl Blamed for Rejected {
    fn blame(&self) -> Blame {
        self.error.blame()
    }

    fn own_status(&self) -> Option<StatusCode> {
        self.error.own_status()
    }
}

/// What we can't write is our own doing, whoever asked for it.
impl Blamed for BuildError {
    fn blame(&self) -> Blame {
        Blame::Callee
    }
}
