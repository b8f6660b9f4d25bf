//! Errors of a user agent, sorted by whom they are to be laid to; [`status_for`](ringback_message::status_for) makes a code of them.

use ringback_message::{Blame, Blamed, StatusCode};
use ringback_sdp::negotiate::Refusal as OfferRefusal;

use crate::dialog::{DialogError, OutOfOrder};
use crate::event::{CommandError, Failure};
use crate::exchange::MediaError;
use crate::outcome::blame;

/// What a request of ours met, told on to somebody whose request led to it.
impl Blamed for Failure {
    fn blame(&self) -> Blame {
        match self {
            Failure::Refused(response) => blame(response.status()),
            Failure::Timeout(_) | Failure::Transport(_) | Failure::Connection(_) | Failure::NoRoute => Blame::Between,
            Failure::Cancelled => Blame::Nobody,
            Failure::Build(_) | Failure::Full => Blame::Caller,
        }
    }

    fn own_status(&self) -> Option<StatusCode> {
        Some(self.status())
    }
}

impl Blamed for DialogError {
    fn blame(&self) -> Blame {
        Blame::Caller
    }

    fn own_status(&self) -> Option<StatusCode> {
        match self {
            DialogError::Malformed(error) => error.own_status(),
            DialogError::Contact | DialogError::TooLarge => None,
        }
    }
}

/// It came too late to be served, and the caller need not have done anything wrong: 500. `[RFC 3261, Section 12.2.2]`
impl Blamed for OutOfOrder {
    fn blame(&self) -> Blame {
        Blame::Between
    }

    fn own_status(&self) -> Option<StatusCode> {
        Some(StatusCode::ServerInternalError)
    }
}

impl Blamed for MediaError {
    fn blame(&self) -> Blame {
        match self {
            MediaError::Refused(refusal) => Refused(refusal).blame(),
            _ => Blame::Callee,
        }
    }

    fn own_status(&self) -> Option<StatusCode> {
        match self {
            MediaError::Refused(refusal) => Refused(refusal).own_status(),
            _ => None,
        }
    }
}

/// What an application has asked for in vain, for the request that it was asked for.
impl Blamed for CommandError {
    fn blame(&self) -> Blame {
        match self {
            CommandError::Media(error) => error.blame(),
            CommandError::Dialog(error) => error.blame(),
            _ => Blame::Callee,
        }
    }

    fn own_status(&self) -> Option<StatusCode> {
        match self {
            CommandError::Media(error) => error.own_status(),
            CommandError::Dialog(error) => error.own_status(),
            CommandError::Full => Some(StatusCode::ServiceUnavailable),
            _ => None,
        }
    }
}

/// An offer that is not answered: it says itself by which code.
pub(crate) struct Refused<'a>(pub(crate) &'a OfferRefusal);

impl Blamed for Refused<'_> {
    fn blame(&self) -> Blame {
        if self.0.status >= 500 { Blame::Callee } else { Blame::Caller }
    }

    fn own_status(&self) -> Option<StatusCode> {
        Some(StatusCode::new(self.0.status).unwrap_or(StatusCode::NotAcceptableHere))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_message::status_for;

    #[test]
    fn codes_by_blame() {
        let codes: [(&dyn Blamed, Blame, u16); 7] = [
            (&DialogError::Contact, Blame::Caller, 400),
            (&OutOfOrder { last: 1 }, Blame::Between, 500),
            (&MediaError::OfferOpen, Blame::Callee, 500),
            (&CommandError::Unknown, Blame::Callee, 500),
            (&CommandError::Full, Blame::Callee, 503),
            (&CommandError::Dialog(DialogError::TooLarge), Blame::Caller, 400),
            (&Failure::Timeout(None), Blame::Between, 408),
        ];
        for (error, whom, code) in codes {
            assert_eq!((error.blame(), status_for(error).as_u16()), (whom, code));
        }
    }
}
