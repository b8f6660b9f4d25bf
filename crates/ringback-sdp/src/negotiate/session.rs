//! The session, from which offers go out and to which they come.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::attribute::MediaDirection;
use crate::bundling::Bundle;
use crate::description::{MediaDescription, SessionDescription};
use crate::line::{Connection, Line, Origin};
use crate::negotiate::bundle;
use crate::negotiate::facts::{Exchange, Stream, StreamState};
use crate::negotiate::history::PayloadTypes;
use crate::negotiate::local::LocalMedia;
use crate::negotiate::pending::{Offer, PendingOffer, Unfit};
use crate::negotiate::received::{ReceivedOffer, Refused};
use crate::negotiate::refusal::{OfferError, Refusal};

/// A version of a first description is below this, so that it can grow. `[RFC 3264, Section 5]`
const VERSION_MAX: u64 = (1 << 62) - 1;

/// What both sides have agreed on, and all that binds what comes next. Whoever has it may offer; it can't be had twice.
#[derive(Debug, Default)]
pub struct Session {
    /// Counts what has happened: a drafted offer fits for as long as it doesn't change.
    pub(super) turn: u64,
    /// The description that one has sent last, where it isn't the one that was agreed on.
    pub(super) unagreed: Option<SessionDescription>,
    pub(super) local: Option<SessionDescription>,
    pub(super) remote: Option<SessionDescription>,
    pub(super) streams: Vec<Stream>,
    /// Which ways one would have each stream go, whatever came of it. `[RFC 6337, Section 5.3]`
    pub(super) wanted: Vec<MediaDirection>,
    /// The `c=` lines of each stream from before one's own hold.
    pub(super) unheld: Option<Vec<Vec<Line>>>,
    pub(super) own_types: PayloadTypes,
    pub(super) their_types: PayloadTypes,
    /// Whether one has made the offer of the last exchange.
    pub(super) is_offerer: bool,
    /// There was one exchange.
    pub(super) is_first: bool,
}

/// How one says that one won't listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HoldForm {
    /// By direction: `sendonly` or `inactive`. `[RFC 3264, Section 8.4]`
    Direction,
    /// By an address of zeros, the old way.
    ZeroAddress,
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
    /// one version on where anything else differs. `[RFC 3264, Section 8]` So are the addresses of streams that share one: all
    /// have that of the stream whose name is the first of the bundle. `[RFC 8843, Section 7.5]`
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
        bundle::share_address(&mut description, &self.streams);
        match self.sent() {
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

    /// One's own description as the next offer begins: what is gone has port 0 and is in no group any more, and what
    /// shares an address is at that address, which it keeps when the stream that had it first goes.
    fn base(&self) -> Result<SessionDescription, OfferError> {
        let mut description = self.local.clone().ok_or(OfferError::NoSession)?;
        for (index, stream) in self.streams.iter().enumerate() {
            let is_there = description.media().get(index).filter(|media| media.port() != 0);
            if let Some(media) = is_there.filter(|_| stream.state == StreamState::Gone) {
                let removed = media.removed();
                description.replace_media(index, removed);
            }
        }
        bundle::drop_from_groups(&mut description, &self.streams)?;
        bundle::share_address(&mut description, &self.streams);
        Ok(description)
    }

    /// The offer to put the other side on hold: each stream that it would be heard on goes one way, or none.
    ///
    /// # Errors
    /// Where there was no exchange yet.
    pub fn hold(&self, form: HoldForm) -> Result<Offer, OfferError> {
        let mut description = self.base()?;
        let unheld = self.unheld.clone().unwrap_or_else(|| description.media().iter().map(connections).collect());
        for (index, wanted) in self.wanted.iter().enumerate() {
            let Some(media) = description.media_mut(index).filter(|media| bundle::is_wanted(media)) else { continue };
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
        let mut description = self.base()?;
        for (index, wanted) in self.wanted.iter().enumerate() {
            let Some(media) = description.media_mut(index).filter(|media| bundle::is_wanted(media)) else { continue };
            media.section_mut().set_direction(*wanted);
            if let Some(lines) = self.unheld.as_ref().and_then(|unheld| unheld.get(index)) {
                media.section_mut().remove_letter('c');
                lines.iter().cloned().for_each(|line| media.section_mut().put(line));
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
            return self.offered(self.base()?, self.wanted.clone(), self.unheld.clone());
        }
        let mut description = self.base()?;
        for (index, wanted) in self.wanted.iter().enumerate() {
            let is_other =
                description.media().get(index).is_some_and(|media| description.direction_of(media) != *wanted);
            if let Some(media) = description.media_mut(index).filter(|media| is_other && bundle::is_wanted(media)) {
                media.section_mut().set_direction(*wanted);
            }
        }
        self.offered(description, self.wanted.clone(), None)
    }

    /// The offer of one more stream: in the place of one that is gone, be it turned down or taken away, or behind the others.
    /// `[RFC 3264, Section 8.1]` What the payload types of the one that is gone stood for doesn't bind it. Where streams share one
    /// address and it can too, as it has a `mid` and [`LocalMedia::rtcp_mux`] says so, it joins them.
    /// `[RFC 8843, Section 7.5.1]`
    ///
    /// # Errors
    /// Where there was no exchange yet, or the stream is not valid.
    pub fn add(&self, media: &LocalMedia) -> Result<Offer, OfferError> {
        let mut description = self.base()?;
        let mut wanted = self.wanted.clone();
        let bundle = bundle::members(&description, &self.streams).filter(|_| media.is_bundled());
        let added = media.to_offer(bundle.as_ref().unwrap_or(&Bundle::default()))?;
        if let Some(tag) = media.mid().filter(|_| bundle.is_some()) {
            bundle::join(&mut description, tag)?;
        }
        match self.streams.iter().position(|stream| stream.state == StreamState::Gone) {
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
        let mut description = self.base()?;
        let removed = description.media().get(index).ok_or(OfferError::NoStream(index))?.removed();
        description.replace_media(index, removed);
        bundle::drop_from_groups(&mut description, &self.streams)?;
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
        self.unagreed = Some(offer.description.clone());
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
            let refusal = Refusal::because("the offer has fewer streams than the session", None);
            return Err(Box::new(Refused::new(self, refusal)));
        }
        // Another session of another origin: a server in between has put one call in the place of another.
        let is_same = |before: &SessionDescription| before.origin().is_same_session(offer.origin());
        let their_types = match &self.remote {
            Some(before) if is_same(before) => self.their_types.clone(),
            _ => PayloadTypes::default(),
        };
        Ok(ReceivedOffer { session: self, offer, their_types })
    }

    /// The description that one has sent last, be it agreed on or not: the next follows it in version.
    pub(super) fn sent(&self) -> Option<&SessionDescription> {
        self.unagreed.as_ref().or(self.local.as_ref())
    }

    pub(super) fn agreed(&mut self, local: SessionDescription, remote: SessionDescription, is_offerer: bool) {
        self.streams = Exchange { local: &local, remote: &remote, is_offerer }.streams();
        self.own_types.learn(&local, &self.streams);
        self.their_types.learn(&remote, &self.streams);
        self.unagreed = self.unagreed.take().filter(|sent| *sent != local);
        (self.is_offerer, self.is_first) = (is_offerer, self.local.is_none());
        self.local = Some(local);
        self.remote = Some(remote);
        self.turn = self.turn.wrapping_add(1);
    }
}

impl Session {
    /// For forks and to look at: two of them would otherwise be two rights to offer.
    pub(super) fn copy(&self) -> Session {
        Session {
            turn: self.turn,
            unagreed: self.unagreed.clone(),
            local: self.local.clone(),
            remote: self.remote.clone(),
            streams: self.streams.clone(),
            wanted: self.wanted.clone(),
            unheld: self.unheld.clone(),
            own_types: self.own_types.clone(),
            their_types: self.their_types.clone(),
            is_offerer: self.is_offerer,
            is_first: self.is_first,
        }
    }
}

/// The origin of the last one sent; one version on, where anything else differs. `[RFC 3264, Section 8]`
pub(super) fn continue_origin(sent: &SessionDescription, description: &mut SessionDescription) {
    description.set_origin(sent.origin().clone());
    if description != sent {
        description.set_origin(sent.origin().next_version());
    }
}

fn is_first_version(origin: &Origin) -> bool {
    origin.session_version.parse::<u64>().is_ok_and(|version| version < VERSION_MAX)
}

pub(super) fn connections(media: &MediaDescription) -> Vec<Line> {
    media.section().with_letter('c').cloned().collect()
}
