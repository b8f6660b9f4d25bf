//! Offer and answer as a dialog sees them: which of both is open, and what a body that comes in is then.
//! `[RFC 3261, Section 13.2.1]` `[RFC 6337, Section 2]`

use alloc::boxed::Box;
use alloc::vec::Vec;

use ringback_message::body::Body;
use ringback_message::header::Warning;
use ringback_message::{HeaderId, Message};
use ringback_sdp::SessionDescription;
use ringback_sdp::negotiate::{
    Answer, Endpoint, Offer, OfferError, PackedSession, PendingOffer, ReceivedOffer, Refusal, Session, SessionView,
};

/// What one side would have of media, for a message that may carry an offer or an answer: it becomes what the dialog needs then.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Media {
    /// Nothing is said of media.
    #[default]
    None,
    /// What one has. It is offered, or an offer is answered with what fits.
    Endpoint(Endpoint),
    /// A description of one's own, to the letter but for its `o=` line.
    Description(SessionDescription),
    /// An offer that was drafted from the session, such as one to hold.
    Offer(Offer),
}

/// In what an offer travels, which says where its answer is expected. `[RFC 6337, Section 2.2]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Carrier {
    /// An INVITE: answered in its 2xx, or in a reliable provisional response before it.
    Invite,
    /// A 2xx to an INVITE: answered in the ACK.
    Success,
    /// A reliable provisional response: answered in its PRACK. `[RFC 3262, Section 5]`
    Provisional,
    /// A PRACK: answered in its 2xx.
    Prack,
    /// An UPDATE: answered in its 2xx. `[RFC 3311, Section 5.1]`
    Update,
}

/// Why nothing can be said of media now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaError {
    /// An offer is open, and until it is answered there is none after it. `[RFC 3264, Section 4]`
    OfferOpen,
    /// The offer has to be answered, not met by another.
    AnswerExpected,
    /// An offer is due: the INVITE had none.
    OfferExpected,
    /// There is nothing to answer.
    NothingOffered,
    /// The offer can't be made.
    Offer(OfferError),
    /// The offer of the other side can't be answered so; this is what to say to it.
    Refused(Refusal),
}

/// The exchanges of one dialog.
#[derive(Debug, Default)]
pub(crate) struct Exchange(State);

/// What is open is open for a moment; what is agreed on is kept for the whole call, and so it is packed.
#[derive(Debug)]
enum State {
    /// Nothing is open.
    Settled(PackedSession),
    /// Ours is out.
    Offered(Carrier, Box<PendingOffer>),
    /// Theirs came in.
    Asked(Carrier, Box<ReceivedOffer>),
    /// Theirs is answered, but by nothing yet that is sure to arrive.
    Answering(Carrier, Box<Answer>),
    /// Theirs can't be answered with what we have, and what carried it has not been refused yet.
    Refused(Carrier, Box<(PackedSession, Refusal)>),
}

impl Exchange {
    /// What was agreed on; `None` while an offer is open.
    pub(crate) fn session(&self) -> Option<SessionView> {
        match &self.0 {
            State::Settled(session) => Some(session.view()),
            _ => None,
        }
    }

    /// Nothing is open.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.0, State::Settled(_))
    }

    /// The offer of ours that is out.
    pub(crate) fn ours(&self) -> Option<Carrier> {
        match &self.0 {
            State::Offered(carrier, _) => Some(*carrier),
            _ => None,
        }
    }

    /// The offer of theirs that has no sure answer yet.
    pub(crate) fn theirs(&self) -> Option<Carrier> {
        match &self.0 {
            State::Asked(carrier, _) | State::Answering(carrier, _) | State::Refused(carrier, _) => Some(*carrier),
            _ => None,
        }
    }

    /// The offer of theirs that nobody has answered yet.
    pub(crate) fn unanswered(&self) -> Option<&ReceivedOffer> {
        match &self.0 {
            State::Asked(_, offer) => Some(offer),
            _ => None,
        }
    }

    /// Theirs is neither answered nor refused yet.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self.0, State::Asked(..) | State::Refused(..))
    }

    /// What was answered, to be sent again.
    pub(crate) fn answer_text(&self) -> Option<Vec<u8>> {
        match &self.0 {
            State::Answering(_, answer) => Some(answer.description().to_bytes()),
            _ => None,
        }
    }

    /// True where nothing was agreed on, and nothing is on its way.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(&self.0, State::Settled(session) if session.is_blank())
    }

    /// Makes an offer of it; the text goes into the carrier.
    pub(crate) fn offer(&mut self, carrier: Carrier, media: Media) -> Result<Vec<u8>, MediaError> {
        let State::Settled(session) = &self.0 else { return Err(MediaError::OfferOpen) };
        let offer = draft(&session.view(), media)?;
        let text = offer.description().to_bytes();
        let State::Settled(session) = core::mem::take(&mut self.0) else { return Err(MediaError::OfferOpen) };
        match session.unpack().send(offer) {
            Ok(pending) => {
                self.0 = State::Offered(carrier, Box::new(pending));
                Ok(text)
            }
            Err(unfit) => {
                self.0 = State::Settled(unfit.session.into());
                Err(MediaError::OfferOpen)
            }
        }
    }

    /// An offer came in.
    pub(crate) fn receive(&mut self, carrier: Carrier, body: &[u8]) -> Result<(), Refusal> {
        let description = SessionDescription::parse(body).map_err(Refusal::from)?;
        match core::mem::take(&mut self.0) {
            State::Settled(session) => match session.unpack().receive(description) {
                Ok(offer) => {
                    self.0 = State::Asked(carrier, Box::new(offer));
                    Ok(())
                }
                Err(refused) => {
                    self.0 = State::Settled(refused.session.into());
                    Err(refused.refusal)
                }
            },
            State::Offered(ours, pending) => {
                let refusal = pending.glare().refusal();
                self.0 = State::Offered(ours, pending);
                Err(refusal)
            }
            other => {
                self.0 = other;
                Err(Refusal::bare(500, None))
            }
        }
    }

    /// The answer to ours came in.
    ///
    /// # Errors
    /// Where it is none: the offer stays open.
    pub(crate) fn accept(&mut self, body: &[u8]) -> Result<(), Box<str>> {
        let description = SessionDescription::parse(body).map_err(|error| reason(&error))?;
        match core::mem::take(&mut self.0) {
            State::Offered(carrier, pending) => match pending.accept_packed(description) {
                Ok(session) => {
                    self.0 = State::Settled(session);
                    Ok(())
                }
                Err(unanswered) => {
                    let why = reason(&unanswered.error);
                    self.0 = State::Offered(carrier, Box::new(unanswered.offer));
                    Err(why)
                }
            },
            other => {
                self.0 = other;
                Ok(())
            }
        }
    }

    /// Answers theirs; the text goes into what answers its carrier, and [`Exchange::answered`] follows once that is sure to arrive.
    pub(crate) fn answer(&mut self, media: Media) -> Result<Vec<u8>, MediaError> {
        match core::mem::take(&mut self.0) {
            State::Asked(carrier, offer) => {
                let (state, result) = answer(carrier, *offer, media);
                self.0 = state;
                result
            }
            State::Answering(carrier, answer) => {
                let text = answer.description().to_bytes();
                self.0 = State::Answering(carrier, answer);
                Ok(text)
            }
            State::Refused(carrier, refused) => {
                let refusal = refused.1.clone();
                self.0 = State::Refused(carrier, refused);
                Err(MediaError::Refused(refusal))
            }
            other => {
                self.0 = other;
                Err(MediaError::NothingOffered)
            }
        }
    }

    /// Offers or answers, as is due: `None` where nothing is.
    pub(crate) fn say(&mut self, carrier: Carrier, media: Media) -> Result<Option<Vec<u8>>, MediaError> {
        match (&self.0, media) {
            (State::Answering(..), _) => Ok(self.answer_text()),
            (_, Media::None) => Ok(None),
            (State::Asked(..) | State::Refused(..), media) => self.answer(media).map(Some),
            (State::Settled(_), media) => self.offer(carrier, media).map(Some),
            (State::Offered(..), _) => Err(MediaError::OfferOpen),
        }
    }

    /// Our answer is with them.
    pub(crate) fn answered(&mut self) {
        self.0 = match core::mem::take(&mut self.0) {
            State::Answering(_, answer) => State::Settled(answer.sent_packed()),
            other => other,
        };
    }

    /// What carried the open offer has failed: what was agreed on before still holds. `[RFC 3261, Section 14.1]`
    pub(crate) fn settle(&mut self) {
        self.0 = State::Settled(match core::mem::take(&mut self.0) {
            State::Settled(session) => session,
            State::Offered(_, pending) => pending.withdraw().into(),
            State::Asked(_, offer) => offer.refuse().into(),
            State::Answering(_, answer) => answer.unsent().refuse().into(),
            State::Refused(_, refused) => refused.0,
        });
    }

    /// The same offer in another dialog, for a fork.
    pub(crate) fn fork(&self) -> Option<Exchange> {
        match &self.0 {
            State::Offered(carrier, pending) => Some(Exchange(State::Offered(*carrier, Box::new(pending.fork())))),
            _ => None,
        }
    }
}

impl Default for State {
    fn default() -> State {
        State::Settled(PackedSession::default())
    }
}

fn draft(session: &Session, media: Media) -> Result<Offer, MediaError> {
    let description = match media {
        Media::Offer(offer) => return Ok(offer),
        Media::Description(description) => description,
        Media::Endpoint(endpoint) => endpoint.offer().map_err(|error| MediaError::Offer(OfferError::Invalid(error)))?,
        Media::None => return session.refresh().map_err(MediaError::Offer),
    };
    session.draft(description).map_err(MediaError::Offer)
}

fn answer(carrier: Carrier, offer: ReceivedOffer, media: Media) -> (State, Result<Vec<u8>, MediaError>) {
    let answered = match media {
        Media::Endpoint(endpoint) => match offer.answer(&endpoint) {
            Ok(answer) => Ok(answer),
            Err(refused) => {
                let kept = Box::new((refused.session.into(), refused.refusal.clone()));
                return (State::Refused(carrier, kept), Err(MediaError::Refused(refused.refusal)));
            }
        },
        Media::Description(description) => offer.answer_with(description),
        Media::Offer(_) | Media::None => {
            return (State::Asked(carrier, Box::new(offer)), Err(MediaError::AnswerExpected));
        }
    };
    match answered {
        Ok(answer) => {
            let text = answer.description().to_bytes();
            (State::Answering(carrier, Box::new(answer)), Ok(text))
        }
        Err(unanswered) => {
            let refusal = Refusal::bare(500, unanswered.error.media);
            (State::Asked(carrier, Box::new(unanswered.offer)), Err(MediaError::Refused(refusal)))
        }
    }
}

fn reason(error: &dyn core::fmt::Display) -> Box<str> {
    alloc::format!("{error}").into()
}

impl core::fmt::Display for MediaError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            MediaError::OfferOpen => f.write_str("an offer is open already [RFC 3264, Section 4]"),
            MediaError::AnswerExpected => f.write_str("an answer is due, not an offer"),
            MediaError::OfferExpected => f.write_str("an offer is due [RFC 3261, Section 13.2.1]"),
            MediaError::NothingOffered => f.write_str("there is no offer to answer"),
            MediaError::Offer(error) => error.fmt(f),
            MediaError::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl core::error::Error for MediaError {}

/// What a body says of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// No body, or none that is about a session.
    Nothing,
    /// A description of the session.
    Sdp(Vec<u8>),
    /// A body that must be understood, and isn't. `[RFC 3261, Section 8.2.3]`
    Unknown,
}

/// The session description of a message: its body, or a part of that. `[RFC 5621, Section 3]`
pub(crate) fn find(message: &Message) -> Found {
    let Ok(parts) = message.parts() else { return Found::Unknown };
    match parts.iter().find(|part| is_session_description(part)) {
        Some(part) => Found::Sdp(part.bytes().to_vec()),
        None if parts.iter().all(|part| part.disposition().is_ok_and(|disposition| !disposition.is_required)) => {
            Found::Nothing
        }
        None => Found::Unknown,
    }
}

/// Whether a part of a body describes the session: in SDP that is not coded, and for that use. `[RFC 5621, Section 3]`
#[must_use]
pub fn is_session_description(part: &Body) -> bool {
    let is_plain =
        part.first(HeaderId::ContentEncoding).is_none_or(|coding| coding.value().eq_ignore_ascii_case(b"identity"));
    let is_session = part.disposition().is_ok_and(|disposition| disposition.is("session"));
    is_plain && is_session && matches!(part.content_type(), Ok(Some(kind)) if kind.is("application", "sdp"))
}

/// What the refusal of an offer says to people; `agent` is who says it, a host name or a pseudonym.
/// `[RFC 3261, Section 20.43]`
#[must_use]
pub fn refusal_warning(refusal: &Refusal, agent: &str) -> Option<Warning> {
    let code = refusal.warning?;
    let said = refusal.text().unwrap_or(code.text());
    let text = match &refusal.defect {
        Some(defect) => alloc::format!("{said}: {defect}"),
        None => said.into(),
    };
    Some(Warning::new(code.code(), agent, text))
}
