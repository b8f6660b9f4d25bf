//! What a response says to people.

use alloc::boxed::Box;
use core::fmt;

use ringback_message::header::{AlertInfo, ErrorInfo, Reason, RetryAfter, Warning};
use ringback_message::{Response, StatusCode};

use super::read::shown;

/// What a response says that a person can be told.
///
/// ```
/// use ringback_message::header::{Reason, Warning};
/// use ringback_message::{Request, Response, StatusCode};
/// use ringback_ua::Said;
///
/// # let invite = Request::parse(
/// #     b"INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n\
/// #       To: <sip:bob@b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 INVITE\r\nContact: <sip:a@a.example>\r\n\
/// #       Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
/// # )?;
/// let response = Response::to(&invite, StatusCode::NotAcceptableHere)
///     .to_tag("2")
///     .header(Warning::new(305, "b.example", "No codec in common"))
///     .header(Reason::q850(65))
///     .build()?;
/// let said = Said::of(&response);
/// assert_eq!(said.to_string(), "488 Not Acceptable Here; warning 305 of b.example: No codec in common; Q.850 cause 65");
/// assert_eq!(said.warnings().next().unwrap().agent, b"b.example");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    response: &'a Response,
}

impl<'a> Said<'a> {
    /// What this response says.
    #[must_use]
    pub fn of(response: &'a Response) -> Said<'a> {
        Said { response }
    }

    /// The code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The reason phrase, without control characters; that of the registry where it is empty.
    #[must_use]
    pub fn phrase(&self) -> Box<str> {
        match shown(self.response.reason()) {
            empty if empty.trim().is_empty() => self.status().default_phrase().into(),
            phrase => phrase,
        }
    }

    /// What it warns of, who does, and a text for people. `[RFC 3261, Section 20.43]`
    pub fn warnings(&self) -> impl Iterator<Item = Warning<&'a [u8]>> {
        self.response.values().take(super::OUTCOME_ITEMS_MAX).flatten()
    }

    /// Why, in terms of this or another protocol. `[RFC 3326, Section 2]`
    pub fn reasons(&self) -> impl Iterator<Item = Reason<&'a [u8]>> {
        self.response.values().take(super::OUTCOME_ITEMS_MAX).flatten()
    }

    /// Where more is said of the error; nothing of it is fetched. `[RFC 3261, Section 20.18]`
    pub fn error_info(&self) -> impl Iterator<Item = ErrorInfo<&'a [u8]>> {
        self.response.values().take(super::OUTCOME_ITEMS_MAX).flatten()
    }

    /// What to ring with; nothing of it is fetched. `[RFC 3261, Section 20.4]`
    pub fn alert_info(&self) -> impl Iterator<Item = AlertInfo<&'a [u8]>> {
        self.response.values().take(super::OUTCOME_ITEMS_MAX).flatten()
    }

    /// When it is worth to try again. `[RFC 3261, Section 20.33]`
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter<&'a [u8]>> {
        self.response.get().ok().flatten()
    }
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status(), self.phrase())?;
        for warning in self.warnings() {
            write!(f, "; warning {:03} of {}: {}", warning.code, shown(warning.agent), shown(&warning.message()))?;
        }
        for reason in self.reasons() {
            write!(f, "; {}", shown(reason.protocol))?;
            if let Some(cause) = reason.cause() {
                write!(f, " cause {cause}")?;
            }
            if let Some(text) = reason.text() {
                write!(f, ": {}", shown(&text))?;
            }
        }
        if let Some(retry) = self.retry_after() {
            write!(f, "; again in {} s", retry.seconds)?;
            if let Some(comment) = retry.comment_text() {
                write!(f, " ({})", shown(&comment))?;
            }
        }
        Ok(())
    }
}

/// The status that a 199 stands for, from its Reason. `[RFC 6228, Section 5]`
pub(crate) fn cause(response: &Response) -> StatusCode {
    let mut reasons = response.values::<Reason<&[u8]>>().flatten();
    reasons.find_map(|reason| reason.status()).unwrap_or(StatusCode::RequestTerminated)
}
