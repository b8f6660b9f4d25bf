//! One's own offer, on its way.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::attribute::MediaDirection;
use crate::description::SessionDescription;
use crate::line::Line;
use crate::negotiate::packed::PackedSession;
use crate::negotiate::refusal::{AnswerError, Refusal};
use crate::negotiate::rules::{self, Whose};
use crate::negotiate::session::Session;

/// A description that could be offered. It fits the session that it was drafted from for as long as that doesn't go on.
#[derive(Clone, Debug)]
#[must_use]
pub struct Offer {
    pub(super) turn: u64,
    pub(super) description: SessionDescription,
    pub(super) wanted: Vec<MediaDirection>,
    pub(super) unheld: Option<Vec<Vec<Line>>>,
}

impl Offer {
    /// What would be sent.
    #[must_use]
    pub fn description(&self) -> &SessionDescription {
        &self.description
    }
}

/// An offer that is out. It is answered, or withdrawn.
#[derive(Debug)]
#[must_use]
pub struct PendingOffer {
    pub(super) session: Session,
    pub(super) offer: Offer,
}

/// An offer that no longer fits, and the session as it is now.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unfit {
    /// The session.
    pub session: Session,
    /// The offer.
    pub offer: Offer,
}

/// An offer that still has no answer, because what came was none, or one's own answer is not valid.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unanswered<T> {
    /// The offer, still open.
    pub offer: T,
    /// What doesn't fit.
    pub error: AnswerError,
}

/// Two offers that met. `[RFC 3261, Section 14.1]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glare;

impl Glare {
    /// What to say.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        Refusal::bare(491, None)
    }
}

/// A session that both descriptions are to be added to.
type Accepted = (Session, SessionDescription, SessionDescription);

impl PendingOffer {
    /// What is to be sent.
    #[must_use]
    pub fn description(&self) -> &SessionDescription {
        &self.offer.description
    }

    /// The answer comes in. Of an answer that bends a rule without which it still has a meaning, the meaning is taken: a stream
    /// goes the ways that both sides allow.
    ///
    /// # Errors
    /// Where it has none; the offer is still out.
    pub fn accept(self, answer: SessionDescription) -> Result<Session, Box<Unanswered<PendingOffer>>> {
        let (mut session, offer, answer) = self.accepted(answer)?;
        session.agreed(offer, answer, true);
        Ok(session)
    }

    /// The same, packed.
    ///
    /// # Errors
    /// As [`PendingOffer::accept`].
    pub fn accept_packed(self, answer: SessionDescription) -> Result<PackedSession, Box<Unanswered<PendingOffer>>> {
        let (session, offer, answer) = self.accepted(answer)?;
        Ok(session.agreed_packed(offer, answer, true))
    }

    fn accepted(self, mut answer: SessionDescription) -> Result<Accepted, Box<Unanswered<PendingOffer>>> {
        let PendingOffer { mut session, offer } = self;
        // Some leave out what was offered with port 0 and is the last: streams go by their order, so nothing is in doubt.
        let left_out = offer.description.media().iter().skip(answer.media().len());
        if left_out.clone().all(|media| media.port() == 0) {
            left_out.for_each(|media| answer.push_media(media.removed()));
        }
        match rules::check(&offer.description, &answer, Whose::Theirs) {
            Err(error) => Err(Box::new(Unanswered { offer: PendingOffer { session, offer }, error })),
            Ok(()) => {
                session.wanted = offer.wanted;
                session.unheld = offer.unheld;
                Ok((session, offer.description, answer))
            }
        }
    }

    /// The offer was refused, or the transaction that carried it failed: what was agreed on before still holds.
    /// `[RFC 3264, Section 8]`
    #[must_use]
    pub fn withdraw(self) -> Session {
        self.session
    }

    /// The same offer towards another of several who may answer it: a forked request makes a dialog with each.
    pub fn fork(&self) -> PendingOffer {
        PendingOffer { session: self.session.copy(), offer: self.offer.clone() }
    }

    /// What is said to an offer that comes in while this one is out.
    #[must_use]
    pub fn glare(&self) -> Glare {
        Glare
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the session has gone on since the offer was drafted")
    }
}

impl core::error::Error for Unfit {}

impl<T> fmt::Display for Unanswered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T: fmt::Debug> core::error::Error for Unanswered<T> {}
