//! The values that are passed from hand to hand.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use crate::attribute::MediaDirection;
use crate::description::{MediaDescription, SessionDescription};
use crate::error::BuildError;
use crate::line::{Connection, Line, Origin};
use crate::negotiate::bundle;
use crate::negotiate::endpoint::Endpoint;
use crate::negotiate::facts::{Exchange, Stream};
use crate::negotiate::history::PayloadTypes;
use crate::negotiate::local::LocalMedia;
use crate::negotiate::make::{self, Known, NoAnswer};
use crate::negotiate::refusal::{AnswerError, AnswerErrorKind, OfferError, Refusal, WarningCode};
use crate::negotiate::rules::{self, Whose};

/// A version of a first description is below this, so that it can grow. `[RFC 3264, Section 5]`
const VERSION_MAX: u64 = (1 << 62) - 1;

/// What both sides have agreed on, and all that binds what comes next. Whoever has it may offer; it can't be had twice.
#[derive(Debug, Default)]
pub struct Session {
    /// Counts what has happened: a drafted offer fits for as long as it doesn't change.
    turn: u64,
    /// The description that one has sent last, be it agreed on or not: the next follows it in version.
    sent: Option<SessionDescription>,
    local: Option<SessionDescription>,
    remote: Option<SessionDescription>,
    streams: Vec<Stream>,
    /// Which ways one would have each stream go, whatever came of it. `[RFC 6337, Section 5.3]`
    wanted: Vec<MediaDirection>,
    /// The `c=` lines of each stream from before one's own hold.
    unheld: Option<Vec<Vec<Line>>>,
    own_types: PayloadTypes,
    their_types: PayloadTypes,
}

/// How one says that one won't listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldForm {
    /// By direction: `sendonly` or `inactive`. `[RFC 3264, Section 8.4]`
    Direction,
    /// By an address of zeros, the old way.
    ZeroAddress,
}

/// A description that could be offered. It fits the session that it was drafted from for as long as that doesn't go on.
#[derive(Clone, Debug)]
#[must_use]
pub struct Offer {
    turn: u64,
    description: SessionDescription,
    wanted: Vec<MediaDirection>,
    unheld: Option<Vec<Vec<Line>>>,
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
    session: Session,
    offer: Offer,
}

/// An offer of the other side. It is answered, or refused.
#[derive(Debug)]
#[must_use]
pub struct ReceivedOffer {
    session: Session,
    offer: SessionDescription,
    /// What the payload types of the one who offers have stood for, if it is who it was.
    their_types: PayloadTypes,
}

/// An answer of one's own, to be sent.
#[derive(Debug)]
#[must_use]
pub struct Answer {
    before: ReceivedOffer,
    description: SessionDescription,
    wanted: Vec<MediaDirection>,
    unheld: Option<Vec<Vec<Line>>>,
}

/// An offer that no longer fits, and the session as it is now.
#[derive(Debug)]
pub struct Unfit {
    /// The session.
    pub session: Session,
    /// The offer.
    pub offer: Offer,
}

/// An offer that was refused, and the session as it was before.
#[derive(Debug)]
pub struct Refused {
    /// The session.
    pub session: Session,
    /// What to say.
    pub refusal: Refusal,
    /// What is wrong with what one has, where that is why: the other side has done nothing wrong.
    pub mistake: Option<BuildError>,
}

/// An offer that still has no answer, because what came was none, or one's own answer is not valid.
#[derive(Debug)]
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

impl Session {
    /// Before the first exchange.
    #[must_use]
    pub fn new() -> Session {
        Session::default()
    }

    /// One's own description, if there was an exchange.
    #[must_use]
    pub fn local(&self) -> Option<&SessionDescription> {
        self.local.as_ref()
    }

    /// That of the other side.
    #[must_use]
    pub fn remote(&self) -> Option<&SessionDescription> {
        self.remote.as_ref()
    }

    /// What was settled, stream by stream.
    #[must_use]
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// True while one keeps the other side on hold.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.unheld.is_some()
    }

    /// An offer of a description of one's own. After the first, its `o=` line is put right: it is that of the last one sent, and
    /// one version on where anything else differs. `[RFC 3264, Section 8]`
    ///
    /// # Errors
    /// Where it is not valid, or not what may follow the last.
    pub fn draft(&self, description: SessionDescription) -> Result<Offer, OfferError> {
        let wanted = description.media().iter().map(|media| description.direction_of(media)).collect();
        self.offered(description, wanted, None)
    }

    fn offered(
        &self,
        mut description: SessionDescription,
        wanted: Vec<MediaDirection>,
        unheld: Option<Vec<Vec<Line>>>,
    ) -> Result<Offer, OfferError> {
        match &self.sent {
            Some(sent) => continue_origin(sent, &mut description),
            None if !is_first_version(description.origin()) => return Err(OfferError::VersionTooHigh),
            None => {}
        }
        description.check()?;
        let before = self.streams.len();
        let now = description.media().len();
        if now < before {
            return Err(OfferError::StreamMissing { before, now });
        }
        if let Some((media, payload_type)) = self.own_types.conflict(&description) {
            return Err(OfferError::PayloadTypeReused { media, payload_type });
        }
        Ok(Offer { turn: self.turn, description, wanted, unheld })
    }

    /// The offer to put the other side on hold: each stream that it would be heard on goes one way, or none.
    ///
    /// # Errors
    /// Where there was no exchange yet.
    pub fn hold(&self, form: HoldForm) -> Result<Offer, OfferError> {
        let mut description = self.local.clone().ok_or(OfferError::NoSession)?;
        let unheld = self.unheld.clone().unwrap_or_else(|| description.media().iter().map(connections).collect());
        for (index, wanted) in self.wanted.iter().enumerate() {
            let Some(media) = description.media_mut(index).filter(|media| media.port() != 0) else { continue };
            match form {
                HoldForm::Direction => media.section_mut().set_direction(wanted.held()),
                HoldForm::ZeroAddress => media.section_mut().set_connection(&Connection::internet("0.0.0.0"))?,
            }
        }
        self.offered(description, self.wanted.clone(), Some(unheld))
    }

    /// The offer to end one's own hold: each stream goes as it was wanted before.
    ///
    /// # Errors
    /// Where there was no exchange yet.
    pub fn resume(&self) -> Result<Offer, OfferError> {
        let mut description = self.local.clone().ok_or(OfferError::NoSession)?;
        for (index, wanted) in self.wanted.iter().enumerate() {
            let Some(media) = description.media_mut(index).filter(|media| media.port() != 0) else { continue };
            media.section_mut().set_direction(*wanted);
            if let Some(lines) = self.unheld.as_ref().and_then(|unheld| unheld.get(index)) {
                media.section_mut().remove_letter('c');
                lines.iter().cloned().for_each(|line| media.section_mut().insert(line));
            }
        }
        self.offered(description, self.wanted.clone(), None)
    }

    /// The offer that changes nothing of what one wants: for a refresh, or where the other side asks for an offer. What the
    /// other side's hold has made of one's direction is not repeated. `[RFC 6337, Section 5.3]`
    ///
    /// # Errors
    /// Where there was no exchange yet.
    pub fn refresh(&self) -> Result<Offer, OfferError> {
        if self.is_held() {
            return self.offered(
                self.local.clone().ok_or(OfferError::NoSession)?,
                self.wanted.clone(),
                self.unheld.clone(),
            );
        }
        let mut description = self.local.clone().ok_or(OfferError::NoSession)?;
        for (index, wanted) in self.wanted.iter().enumerate() {
            let is_other =
                description.media().get(index).is_some_and(|media| description.direction_of(media) != *wanted);
            if let Some(media) = description.media_mut(index).filter(|media| is_other && media.port() != 0) {
                media.section_mut().set_direction(*wanted);
            }
        }
        self.offered(description, self.wanted.clone(), None)
    }

    /// The offer of one more stream: in the place of one that is gone, or behind the others. `[RFC 3264, Section 8.1]`
    ///
    /// # Errors
    /// Where there was no exchange yet, or the stream is not valid.
    pub fn add(&self, media: &LocalMedia) -> Result<Offer, OfferError> {
        let mut description = self.local.clone().ok_or(OfferError::NoSession)?;
        let mut wanted = self.wanted.clone();
        let added = media.to_offer()?;
        match description.media().iter().position(|media| media.port() == 0) {
            Some(index) => {
                description.replace_media(index, added);
                wanted.iter_mut().skip(index).take(1).for_each(|slot| *slot = media.direction);
            }
            None => {
                description.push_media(added);
                wanted.push(media.direction);
            }
        }
        self.offered(description, wanted, self.unheld.clone())
    }

    /// The offer to take a stream away. `[RFC 3264, Section 8.2]`
    ///
    /// # Errors
    /// Where there was no exchange yet, or there is no such stream.
    pub fn remove(&self, index: usize) -> Result<Offer, OfferError> {
        let mut description = self.local.clone().ok_or(OfferError::NoSession)?;
        let removed = description.media().get(index).ok_or(OfferError::NoStream(index))?.removed();
        description.replace_media(index, removed);
        drop_from_groups(&mut description)?;
        self.offered(description, self.wanted.clone(), self.unheld.clone())
    }

    /// The offer goes out.
    ///
    /// # Errors
    /// Where the session has gone on since it was drafted.
    pub fn send(mut self, offer: Offer) -> Result<PendingOffer, Box<Unfit>> {
        if offer.turn != self.turn {
            return Err(Box::new(Unfit { session: self, offer }));
        }
        self.turn = self.turn.wrapping_add(1);
        self.sent = Some(offer.description.clone());
        Ok(PendingOffer { session: self, offer })
    }

    /// An offer comes in.
    ///
    /// # Errors
    /// Where it can't follow the one before.
    pub fn receive(mut self, offer: SessionDescription) -> Result<ReceivedOffer, Box<Refused>> {
        self.turn = self.turn.wrapping_add(1);
        // "the number of "m=" lines in a stream never decreases" [RFC 3264, Section 8]
        if offer.media().len() < self.streams.len() {
            let refusal = Refusal::warn(WarningCode::Miscellaneous, None);
            return Err(Box::new(Refused { session: self, refusal, mistake: None }));
        }
        // Another session of another origin: a server in between has put one call in the place of another.
        let is_same = |before: &SessionDescription| before.origin().is_same_session(offer.origin());
        let their_types = match &self.remote {
            Some(before) if is_same(before) => self.their_types.clone(),
            _ => PayloadTypes::default(),
        };
        Ok(ReceivedOffer { session: self, offer, their_types })
    }

    fn agreed(&mut self, local: SessionDescription, remote: SessionDescription, is_offerer: bool) {
        self.streams = Exchange { local: &local, remote: &remote, is_offerer }.streams();
        self.own_types.learn(&local);
        self.their_types.learn(&remote);
        self.local = Some(local);
        self.remote = Some(remote);
        self.turn = self.turn.wrapping_add(1);
    }
}

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
        let PendingOffer { mut session, offer } = self;
        match rules::check(&offer.description, &answer, Whose::Theirs) {
            Err(error) => Err(Box::new(Unanswered { offer: PendingOffer { session, offer }, error })),
            Ok(()) => {
                session.wanted = offer.wanted;
                session.unheld = offer.unheld;
                session.agreed(offer.description, answer, true);
                Ok(session)
            }
        }
    }

    /// The offer was refused, or the transaction that carried it failed: what was agreed on before still holds.
    /// `[RFC 3264, Section 8]`
    #[must_use]
    pub fn withdraw(mut self) -> Session {
        self.session.turn = self.session.turn.wrapping_add(1);
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
        let origin = self.session.sent.as_ref().map_or_else(|| endpoint.origin.clone(), |sent| sent.origin().clone());
        let session = &self.session;
        let (is_held, local) = (session.is_held(), session.local());
        let known = Known { is_held, local, own: &session.own_types, theirs: &self.their_types };
        match make::answer(endpoint, origin, &self.offer, &known) {
            Ok((mut description, taken)) => {
                if let Some(sent) = &self.session.sent {
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
                Err(Box::new(Refused { session: self.refuse(), refusal, mistake: None }))
            }
            Err(NoAnswer::Invalid(mistake)) => {
                let refusal = Refusal::bare(500, None);
                Err(Box::new(Refused { session: self.refuse(), refusal, mistake: Some(mistake) }))
            }
        }
    }

    /// Answers with a description of one's own. Its `o=` line is put right as in [`Session::draft`].
    ///
    /// # Errors
    /// Where it doesn't fit the offer; the offer is still open.
    pub fn answer_with(self, mut description: SessionDescription) -> Result<Answer, Box<Unanswered<ReceivedOffer>>> {
        if let Some(sent) = &self.session.sent {
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
        let Answer { before, description, wanted, unheld } = self;
        let ReceivedOffer { mut session, offer, their_types } = before;
        session.their_types = their_types;
        session.sent = Some(description.clone());
        session.wanted = wanted;
        session.unheld = unheld;
        session.agreed(description, offer, false);
        session
    }

    /// It was not sent after all: the offer is open again.
    pub fn unsent(self) -> ReceivedOffer {
        self.before
    }
}

impl Session {
    /// For forks only: two of them would otherwise be two rights to offer.
    fn copy(&self) -> Session {
        Session {
            turn: self.turn,
            sent: self.sent.clone(),
            local: self.local.clone(),
            remote: self.remote.clone(),
            streams: self.streams.clone(),
            wanted: self.wanted.clone(),
            unheld: self.unheld.clone(),
            own_types: self.own_types.clone(),
            their_types: self.their_types.clone(),
        }
    }
}

/// The origin of the last one sent; one version on, where anything else differs. `[RFC 3264, Section 8]`
fn continue_origin(sent: &SessionDescription, description: &mut SessionDescription) {
    description.set_origin(sent.origin().clone());
    if description != sent {
        description.set_origin(sent.origin().next_version());
    }
}

fn is_first_version(origin: &Origin) -> bool {
    origin.session_version.parse::<u64>().is_ok_and(|version| version < VERSION_MAX)
}

fn connections(media: &MediaDescription) -> Vec<Line> {
    media.section().with_letter('c').cloned().collect()
}

/// Takes streams that are gone out of the groups. `[RFC 8843, Section 7.5.3]`
fn drop_from_groups(description: &mut SessionDescription) -> Result<(), OfferError> {
    use crate::attribute::{Attribute, Group};
    let copy = description.clone();
    let tags: Vec<&str> = copy.media().iter().filter_map(bundle::mid).collect();
    let groups: Vec<Group<'_>> = copy.section().attributes::<Group<'_>>().filter_map(Result::ok).collect();
    description.section_mut().remove(Group::NAME);
    for mut group in groups {
        group.tags.retain(|tag| tags.contains(tag));
        if !group.tags.is_empty() {
            description.section_mut().push(&group)?;
        }
    }
    Ok(())
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the session has gone on since the offer was drafted")
    }
}

impl core::error::Error for Unfit {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)
    }
}

impl core::error::Error for Refused {}

impl<T> fmt::Display for Unanswered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T: fmt::Debug> core::error::Error for Unanswered<T> {}
