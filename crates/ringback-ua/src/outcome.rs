//! What a response means for whoever sent the request. `[RFC 3261, Section 8.1.3]`
//!
//! | question | answer |
//! |---|---|
//! | What is to be done? | [`Outcome::of`], [`Outcome::of_failure`] |
//! | What do I tell the person? | [`Said`], and [`Outcome`] as text |
//! | Whom is it to be laid to? | [`blame`] |
//!
//! Every registered code has its row in `outcome/rows.rs`; what the registry says of a client in one word is
//! [`Outcome::action`], and a test compares the two.

mod parts;
mod read;
mod rows;
mod said;
mod show;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::vec::Vec;

use ringback_auth::Challenge;
use ringback_message::status::ClientAction;
use ringback_message::{Blame, Blamed, Request, Response, StatusCode};

use crate::event::Failure;
pub use parts::{
    Acceptable, Correction, Described, OUTCOME_ITEMS_MAX, Progress, Question, Redirect, Redirection, Target, Wait, Why,
};
pub(crate) use parts::{GLARE_OTHER_MS, GLARE_OWNER_MS};
use read::Asked;
pub use said::Said;
pub(crate) use said::cause;

/// What the end of a client transaction, or its progress, asks of whoever sent the request.
///
/// It says what may be done; whether it is done, and how often, is decided by whoever acts on it: a user agent within the limits of
/// [`Pursuit`](crate::Pursuit), or the application.
///
/// ```
/// use ringback_message::header::RetryAfter;
/// use ringback_message::{Request, Response, StatusCode};
/// use ringback_ua::{Outcome, Wait};
///
/// let invite = Request::parse(
///     b"INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n\
///       To: <sip:bob@b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 INVITE\r\nContact: <sip:a@a.example>\r\n\
///       Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
/// )?;
/// let busy = Response::to(&invite, StatusCode::BusyHere).to_tag("2").header(RetryAfter::new(60)).build()?;
/// let outcome = Outcome::of(&invite, &busy);
/// assert_eq!(outcome, Outcome::RetryLater(Wait::secs(60)));
/// assert_eq!(outcome.to_string(), "try again in 60 s");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Wait on: the request is being worked on. `[RFC 3261, Section 21.1]`
    Progress(Progress),
    /// The INVITE is accepted: there is a session. `[RFC 3261, Section 13.2.2.4]`
    Established(Described),
    /// Another request is accepted.
    Success,
    /// Send it again with credentials for these challenges, the preferred first. `[RFC 3261, Section 22.1]`
    Authenticate(Vec<Challenge>),
    /// Send it to these. `[RFC 3261, Section 8.1.3.4]`
    Redirect(Redirect),
    /// Send it again as it is, after a while. `[RFC 3261, Section 20.33]`
    RetryLater(Wait),
    /// Send it again with an expiry of at least so many seconds. `[RFC 3261, Section 21.4.17]`
    RaiseExpires {
        /// Min-Expires.
        min_secs: u32,
    },
    /// Send it again with a session interval of at least so many seconds. `[RFC 4028, Section 7.3]`
    RaiseSessionExpires {
        /// Min-SE.
        min_secs: u32,
    },
    /// Send it again without these option tags, which it requires. `[RFC 3261, Section 8.1.3.5]`
    DropExtensions(Vec<Box<str>>),
    /// Send it again with these extensions, if we have them. `[RFC 3261, Section 21.4.16]`
    AddExtensions(Vec<Box<str>>),
    /// Send it again smaller; where the whole message is too large, not by this way. `[RFC 3261, Section 21.4.11]`
    Shrink,
    /// Send it again with a body of another kind. `[RFC 3261, Section 8.1.3.5]`
    ChangeBody(Acceptable),
    /// Send it again, and take more kinds of answers: a wider Accept. `[RFC 3261, Section 21.4.7]`
    WidenAccept,
    /// Send it again with another offer; what was agreed on before still holds. `[RFC 3261, Section 21.4.26]`
    ChangeOffer(Acceptable),
    /// Send it again with this put right.
    Correct(Correction),
    /// Send it to the next server, and leave this one alone as long as it says. `[RFC 3263, Section 4.3]`
    NextTarget(Wait),
    /// Ask the user, who alone can decide.
    Ask(Question),
    /// Both sides were changing the session: send it again after a random while. `[RFC 3261, Section 14.1]`
    RetryPending,
    /// The dialog, or the subscription, is over. `[RFC 3261, Section 12.2.1.2]`
    DialogGone,
    /// There is nothing more to be done.
    GiveUp {
        /// Why.
        why: Why,
        /// Who would have to change something.
        blame: Blame,
    },
}

impl Outcome {
    /// What this response to this request asks for.
    ///
    /// A code that is not registered counts as the x00 of its class, a provisional one as 183. `[RFC 3261, Section 8.1.3.2]`
    #[must_use]
    pub fn of(request: &Request, response: &Response) -> Outcome {
        read::outcome(&Asked::of(Some(request)), response)
    }

    /// What a response asks for, where its request isn't at hand: taken for one outside of a dialog that asks for all that the response
    /// refuses. An SDP body of a 2xx counts as an offer.
    #[must_use]
    pub fn of_response(response: &Response) -> Outcome {
        read::outcome(&Asked::of(None), response)
    }

    /// What a failure asks for; the request is `None` where none was made.
    #[must_use]
    pub fn of_failure(request: Option<&Request>, failure: &Failure) -> Outcome {
        let asked = Asked::of(request);
        let give_up = |why| Outcome::GiveUp { why, blame: failure.blame() };
        match failure {
            Failure::Refused(response) => read::outcome(&asked, response),
            // "If there is no response at all to a request within a dialog" it is over as well. `[RFC 3261, Section 12.2.1.2]`
            Failure::Timeout(_) | Failure::Transport(_) | Failure::Connection(_) if asked.is_in_dialog => {
                Outcome::DialogGone
            }
            Failure::Timeout(_) | Failure::Transport(_) | Failure::Connection(_) => {
                Outcome::NextTarget(Wait::default())
            }
            Failure::NoRoute => give_up(Why::NoRoute),
            Failure::Cancelled => give_up(Why::Cancelled),
            Failure::Build(_) => give_up(Why::Unbuildable),
            Failure::Full => Outcome::RetryLater(Wait::default()),
        }
    }

    /// In one word, as the registry and `ringback explain` have it.
    #[must_use]
    pub fn action(&self) -> ClientAction {
        match self {
            Outcome::Progress(_) => ClientAction::Progress,
            Outcome::Established(_) | Outcome::Success => ClientAction::Success,
            Outcome::Authenticate(_) => ClientAction::Challenge,
            Outcome::Redirect(_) => ClientAction::Redirect,
            Outcome::RetryLater(_) | Outcome::RetryPending | Outcome::Correct(Correction::Consent) => {
                ClientAction::RetryLater
            }
            Outcome::RaiseExpires { .. }
            | Outcome::RaiseSessionExpires { .. }
            | Outcome::DropExtensions(_)
            | Outcome::AddExtensions(_)
            | Outcome::Shrink
            | Outcome::ChangeBody(_)
            | Outcome::WidenAccept
            | Outcome::ChangeOffer(_)
            | Outcome::Correct(_) => ClientAction::RetryModified,
            Outcome::NextTarget(_) => ClientAction::NextTarget,
            Outcome::Ask(_) => ClientAction::AskUser,
            Outcome::DialogGone | Outcome::GiveUp { .. } => ClientAction::GiveUp,
        }
    }

    /// After how many seconds the same may be sent again, where that is said.
    #[must_use]
    pub fn after_secs(&self) -> Option<u32> {
        match self {
            Outcome::RetryLater(wait) | Outcome::NextTarget(wait) => wait.after_secs,
            _ => None,
        }
    }

    /// Where it may be sent instead, the preferred first; empty where that isn't said.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        match self {
            Outcome::Redirect(redirect) => &redirect.targets,
            Outcome::Ask(Question::Choose(targets) | Question::Alternative { targets, .. }) => targets,
            _ => &[],
        }
    }
}

/// Whom a response with this code is to be laid to, most likely.
///
/// ```
/// use ringback_message::{Blame, StatusCode};
///
/// assert_eq!(ringback_ua::blame(StatusCode::BadRequest), Blame::Caller);
/// assert_eq!(ringback_ua::blame(StatusCode::BusyHere), Blame::Callee);
/// assert_eq!(ringback_ua::blame(StatusCode::BadGateway), Blame::Between);
/// assert_eq!(ringback_ua::blame(StatusCode::Ok), Blame::Nobody);
/// ```
#[must_use]
pub fn blame(status: StatusCode) -> Blame {
    rows::row(status).blame
}
