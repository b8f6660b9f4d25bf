//! An offer of the other side, and one's answer.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use crate::attribute::MediaDirection;
use crate::description::SessionDescription;
use crate::error::BuildError;
use crate::line::Line;
use crate::negotiate::endpoint::Endpoint;
use crate::negotiate::history::PayloadTypes;
use crate::negotiate::make::{self, Known, NoAnswer};
use crate::negotiate::packed::PackedSession;
use crate::negotiate::pending::Unanswered;
use crate::negotiate::refusal::{AnswerError, AnswerErrorKind, Refusal};
use crate::negotiate::rules::{self, Whose};
use crate::negotiate::session::{Session, connections, continue_origin};

/// An offer of the other side. It is answered, or refused.
#[derive(Debug)]
#[must_use]
pub struct ReceivedOffer {
    pub(super) session: Session,
    pub(super) offer: SessionDescription,
    /// What the payload types of the one who offers have stood for, if it is who it was.
    pub(super) their_types: PayloadTypes,
}

/// An answer of one's own, to be sent.
#[derive(Debug)]
#[must_use]
pub struct Answer {
    pub(super) before: ReceivedOffer,
    pub(super) description: SessionDescription,
    pub(super) wanted: Vec<MediaDirection>,
    pub(super) unheld: Option<Vec<Vec<Line>>>,
}

/// An offer that was refused, and the session as it was before.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refused {
    /// The session.
    pub session: Session,
    /// What to say.
    pub refusal: Refusal,
    /// What is wrong with what one has, where that is why: the other side has done nothing wrong.
    pub mistake: Option<BuildError>,
    /// What is to be sent with a 580: neither an offer nor an answer, it says which condition failed. `[RFC 3312, Section 8]`
    pub description: Option<SessionDescription>,
}

impl Refused {
    pub(crate) fn new(session: Session, refusal: Refusal) -> Refused {
        Refused { session, refusal, mistake: None, description: None }
    }
}

impl ReceivedOffer {
    /// What was offered.
    #[must_use]
    pub fn description(&self) -> &SessionDescription {
        &self.offer
    }

    /// True where the other side says that nothing has changed: its description is the one of before.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.session.remote.as_ref() == Some(&self.offer)
    }

    /// True where the other side has changed its description and its version doesn't say so. `[RFC 3264, Section 8]`
    #[must_use]
    pub fn is_version_stale(&self) -> bool {
        self.session.remote.as_ref().is_some_and(|before| {
            let (old, new) = (before.origin(), self.offer.origin());
            old.is_same_session(new) && new.compare_version(old) != Ordering::Greater && *before != self.offer
        })
    }

    /// Answers with what one has. While one keeps the other side on hold, the answer does too: what one has needn't say so.
    ///
    /// # Errors
    /// Where nothing of what is offered can be had, or what one has is not valid: that is refused with 500.
    pub fn answer(self, endpoint: &Endpoint) -> Result<Answer, Box<Refused>> {
        let origin = self.session.sent().map_or_else(|| endpoint.origin.clone(), |sent| sent.origin().clone());
        let session = &self.session;
        let (is_held, local) = (session.is_held(), session.local());
        let known =
            Known { is_held, local, streams: &session.streams, own: &session.own_types, theirs: &self.their_types };
        match make::answer(endpoint, origin, &self.offer, &known) {
            Ok((mut description, taken)) => {
                if let Some(sent) = self.session.sent() {
                    continue_origin(sent, &mut description);
                }
                let wanted = taken.iter().map(|own| {
                    let local = own.and_then(|own| endpoint.media.get(own));
                    local.map_or(MediaDirection::Inactive, |local| local.direction)
                });
                let wanted = wanted.collect();
                let is_held = self.session.is_held();
                let unheld = is_held.then(|| description.media().iter().map(connections).collect());
                Ok(Answer { before: self, description, wanted, unheld })
            }
            Err(NoAnswer::Refused(refusal)) => {
                let failure = refusal.media.filter(|_| refusal.status == 580);
                let description = failure.and_then(|media| self.failure(endpoint, media));
                Err(Box::new(Refused { description, ..Refused::new(self.refuse(), refusal) }))
            }
            Err(NoAnswer::Invalid(mistake)) => {
                let refusal = Refusal::bare(500, None);
                Err(Box::new(Refused { mistake: Some(mistake), ..Refused::new(self.refuse(), refusal) }))
            }
        }
    }

    /// What tells that a stream has conditions that one doesn't know.
    fn failure(&self, endpoint: &Endpoint, media: usize) -> Option<SessionDescription> {
        let mut origin = self.session.sent().map_or(&endpoint.origin, |sent| sent.origin()).clone();
        if self.session.sent().is_some() {
            origin = origin.next_version();
        }
        make::failure(endpoint, origin, &self.offer, media).ok()
    }

    /// Answers with a description of one's own. Its `o=` line is put right as in [`Session::draft`].
    ///
    /// # Errors
    /// Where it doesn't fit the offer; the offer is still open.
    pub fn answer_with(self, mut description: SessionDescription) -> Result<Answer, Box<Unanswered<ReceivedOffer>>> {
        if let Some(sent) = self.session.sent() {
            continue_origin(sent, &mut description);
        }
        let reused = self.session.own_types.conflict(&description);
        let checked = match reused {
            Some((media, _)) => Err(AnswerError { media: Some(media), kind: AnswerErrorKind::Format }),
            None => rules::check(&self.offer, &description, Whose::Own),
        };
        if let Err(error) = checked {
            return Err(Box::new(Unanswered { offer: self, error }));
        }
        let pairs = self.offer.media().iter().zip(description.media()).enumerate();
        let wanted = pairs.map(|(index, (theirs, ours))| {
            let offered = self.offer.direction_of(theirs);
            let answered = description.direction_of(ours);
            // What was left out may have been left out because it wasn't offered.
            let open =
                MediaDirection::of(answered.sends() || !offered.receives(), answered.receives() || !offered.sends());
            if self.session.is_held() { self.session.wanted.get(index).copied().unwrap_or(open) } else { open }
        });
        let wanted = wanted.collect();
        let unheld = self.session.unheld.clone();
        Ok(Answer { before: self, description, wanted, unheld })
    }

    /// The offer is refused: what was agreed on before still holds.
    #[must_use]
    pub fn refuse(self) -> Session {
        self.session
    }
}

impl Answer {
    /// What is to be sent. It may be sent more than once, in provisional responses and in the final one, and is the same each
    /// time. `[RFC 6337, Section 3.1.1]`
    #[must_use]
    pub fn description(&self) -> &SessionDescription {
        &self.description
    }

    /// It was sent.
    #[must_use]
    pub fn sent(self) -> Session {
        let (mut session, description, offer) = self.concluded();
        session.agreed(description, offer, false);
        session
    }

    /// The same, packed.
    #[must_use]
    pub fn sent_packed(self) -> PackedSession {
        let (session, description, offer) = self.concluded();
        session.agreed_packed(description, offer, false)
    }

    fn concluded(self) -> (Session, SessionDescription, SessionDescription) {
        let Answer { before, description, wanted, unheld } = self;
        let ReceivedOffer { mut session, offer, their_types } = before;
        session.their_types = their_types;
        session.unagreed = None;
        session.wanted = wanted;
        session.unheld = unheld;
        (session, description, offer)
    }

    /// It was not sent after all: the offer is open again.
    pub fn unsent(self) -> ReceivedOffer {
        self.before
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)
    }
}

impl core::error::Error for Refused {}
