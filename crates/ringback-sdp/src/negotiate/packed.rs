//! A session at rest, as text.

use alloc::boxed::Box;
use core::fmt;
use core::ops::Deref;

use crate::attribute::MediaDirection;
use crate::description::SessionDescription;
use crate::negotiate::facts::{Exchange, Stream};
use crate::negotiate::history::PayloadTypes;
use crate::negotiate::session::Session;
use crate::parse::SDP_BYTES_MAX;

/// A session while nothing is negotiated, in a fifth of the room: its descriptions as text, out of which the rest is found again.
///
/// What has more to tell than its descriptions do, as a session that one holds or whose payload types have changed, is kept as it is.
///
/// ```
/// use ringback_sdp::negotiate::{PackedSession, Session};
///
/// let packed = PackedSession::from(Session::new());
/// assert!(packed.is_blank());
/// assert!(packed.view().streams().is_empty());
/// let session: Session = packed.unpack();
/// # assert!(session.local().is_none());
/// ```
pub struct PackedSession(Form);

enum Form {
    /// There was no exchange.
    Blank {
        turn: u64,
    },
    Text(Texts),
    /// A session that isn't told by its descriptions.
    Whole(Box<Session>),
}

/// What a session is found again in.
struct Texts {
    turn: u64,
    /// One's own description, that of the other side, and a digit for the wanted direction of each stream.
    all: Box<[u8]>,
    local_len: u32,
    remote_len: u32,
    is_offerer: bool,
}

/// A packed session, to be looked at; it can't be offered from, though an offer can be drafted.
#[derive(Debug)]
pub struct SessionView(Session);

impl Deref for SessionView {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl PackedSession {
    /// True where there was no exchange.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match &self.0 {
            Form::Blank { .. } => true,
            Form::Text(_) => false,
            Form::Whole(session) => session.local().is_none(),
        }
    }

    /// The session, to be looked at.
    #[must_use]
    pub fn view(&self) -> SessionView {
        SessionView(match &self.0 {
            Form::Blank { turn } => Session { turn: *turn, ..Session::default() },
            Form::Text(texts) => texts.read(),
            Form::Whole(session) => session.copy(),
        })
    }

    /// The session, to go on with.
    #[must_use]
    pub fn unpack(self) -> Session {
        match self.0 {
            Form::Whole(session) => *session,
            _ => self.view().0,
        }
    }
}

impl Session {
    /// As [`Session::agreed`], packed: what the first exchange teaches is not found before somebody asks.
    pub(super) fn agreed_packed(
        mut self,
        local: SessionDescription,
        remote: SessionDescription,
        is_offerer: bool,
    ) -> PackedSession {
        let is_plain = self.unheld.is_none() && self.unagreed.as_ref().is_none_or(|sent| *sent == local);
        if is_plain && self.local.is_none() {
            let next = Session { turn: self.turn.wrapping_add(1), is_first: true, is_offerer, ..Session::default() };
            let next = Session { wanted: core::mem::take(&mut self.wanted), ..next };
            if let Some(texts) = Texts::of(&next, &local, &remote) {
                return PackedSession(Form::Text(texts));
            }
            self.wanted = next.wanted;
        }
        self.agreed(local, remote, is_offerer);
        PackedSession::from(self)
    }
}

impl From<Session> for PackedSession {
    fn from(session: Session) -> PackedSession {
        let turn = session.turn;
        let is_plain = session.unagreed.is_none() && session.unheld.is_none();
        PackedSession(match (&session.local, &session.remote) {
            (None, None) if is_plain => Form::Blank { turn },
            (Some(local), Some(remote)) if is_plain => match Texts::of(&session, local, remote) {
                Some(texts) => Form::Text(texts),
                None => Form::Whole(Box::new(session)),
            },
            _ => Form::Whole(Box::new(session)),
        })
    }
}

impl Default for PackedSession {
    fn default() -> PackedSession {
        PackedSession::from(Session::new())
    }
}

impl fmt::Debug for PackedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PackedSession").field(&self.view().0).finish()
    }
}

impl Texts {
    /// `None` where a session can't be found again in its descriptions.
    fn of(session: &Session, local: &SessionDescription, remote: &SessionDescription) -> Option<Texts> {
        // One exchange teaches what its descriptions say; what came before may have taught more.
        let is_told = session.is_first
            || histories(local, remote, &session.streams) == (session.own_types.clone(), session.their_types.clone());
        if !is_told {
            return None;
        }
        // What was read may have been shorter than what is written: some end their lines with LF alone.
        let length = |text: &[u8]| u32::try_from(text.len()).ok().filter(|_| text.len() <= SDP_BYTES_MAX);
        let (mut all, remote) = (local.to_bytes(), remote.to_bytes());
        let (local_len, remote_len) = (length(&all)?, length(&remote)?);
        all.reserve_exact(remote.len().saturating_add(session.wanted.len()));
        all.extend(remote);
        all.extend(session.wanted.iter().map(|wanted| digit(*wanted)));
        Some(Texts { turn: session.turn, all: all.into(), local_len, remote_len, is_offerer: session.is_offerer })
    }

    fn read(&self) -> Session {
        let length = |length: u32| usize::try_from(length).unwrap_or(usize::MAX);
        let (local, others) = self.all.split_at_checked(length(self.local_len)).unwrap_or_default();
        let (remote, wanted) = others.split_at_checked(length(self.remote_len)).unwrap_or_default();
        let mut session = Session { turn: self.turn, ..Session::default() };
        // What was checked or read before it was written is read again.
        let (Ok(local), Ok(remote)) = (SessionDescription::parse(local), SessionDescription::parse(remote)) else {
            return session;
        };
        let is_offerer = self.is_offerer;
        session.streams = Exchange { local: &local, remote: &remote, is_offerer }.streams();
        (session.own_types, session.their_types) = histories(&local, &remote, &session.streams);
        session.wanted = wanted.iter().map(|digit| direction(*digit)).collect();
        Session { local: Some(local), remote: Some(remote), is_offerer, ..session }
    }
}

/// What payload types stand for where these two are the only descriptions that there have been.
fn histories(
    local: &SessionDescription,
    remote: &SessionDescription,
    streams: &[Stream],
) -> (PayloadTypes, PayloadTypes) {
    let (mut own, mut theirs) = (PayloadTypes::default(), PayloadTypes::default());
    own.learn(local, streams);
    theirs.learn(remote, streams);
    (own, theirs)
}

fn digit(direction: MediaDirection) -> u8 {
    u8::from(direction.sends()) << 1 | u8::from(direction.receives())
}

fn direction(digit: u8) -> MediaDirection {
    MediaDirection::of(digit & 2 != 0, digit & 1 != 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::Origin;
    use crate::negotiate::{Codec, Endpoint, HoldForm, LocalMedia};

    fn endpoint(name: &str, codecs: &[Codec]) -> Endpoint {
        let sound = codecs.iter().fold(LocalMedia::audio(4_000), |sound, codec| sound.codec(codec.clone()));
        Endpoint::new(Origin::new(name, 1, 1, "192.0.2.1"), "192.0.2.1").media(sound)
    }

    /// Offers from one session to the other, which are packed before and after.
    fn exchange(
        ours: Session,
        theirs: Session,
        offer: crate::negotiate::Offer,
        answerer: &Endpoint,
    ) -> (Session, Session) {
        let pending = again(ours).send(offer).unwrap();
        let received = again(theirs).receive(pending.description().clone()).unwrap();
        let answer = received.answer(answerer).unwrap();
        let ours = pending.fork().accept(answer.description().clone()).unwrap();
        let packed = pending.accept_packed(answer.description().clone()).unwrap();
        assert_eq!(unnumbered(&packed.unpack()), unnumbered(&ours));
        (again(ours), again(answer.sent_packed().unpack()))
    }

    /// The same, out of its packet, which has lost nothing.
    fn again(session: Session) -> Session {
        let before = unnumbered(&session);
        let unpacked = PackedSession::from(session).unpack();
        assert_eq!(unnumbered(&unpacked), before);
        unpacked
    }

    /// A session as text; whether its exchange was the first need not be remembered.
    fn unnumbered(session: &Session) -> alloc::string::String {
        alloc::format!("{session:?}").replace("is_first: true", "").replace("is_first: false", "")
    }

    fn is_text(session: &Session) -> bool {
        matches!(PackedSession::from(session.copy()).0, Form::Text(_))
    }

    #[test]
    fn a_session_is_found_again_through_hold_and_other_codecs() {
        let (alice, bob) =
            (endpoint("alice", &[Codec::opus(), Codec::pcmu()]), endpoint("bob", &[Codec::opus(), Codec::pcmu()]));
        let first = Session::new().draft(alice.offer().unwrap()).unwrap();
        let (ours, theirs) = exchange(Session::new(), Session::new(), first, &bob);
        assert!(is_text(&ours) && is_text(&theirs));
        let hold = PackedSession::from(ours.copy()).view().hold(HoldForm::Direction).unwrap();
        let (ours, theirs) = exchange(ours, theirs, hold, &bob);
        assert!(!is_text(&ours), "what it was before the hold is kept");
        assert!(is_text(&theirs), "that it would send, too, is a digit");
        let resume = ours.resume().unwrap();
        let (ours, theirs) = exchange(ours, theirs, resume, &bob);
        assert!(is_text(&ours) && is_text(&theirs));
        let fewer = ours.draft(endpoint("alice", &[Codec::pcmu()]).offer().unwrap()).unwrap();
        let (ours, theirs) = exchange(ours, theirs, fewer, &bob);
        assert!(!is_text(&ours) && !is_text(&theirs), "a payload type that is not in them any more stays taken");
    }

    #[test]
    fn an_offer_that_came_to_nothing_is_remembered_by_its_version() {
        let alice = endpoint("alice", &[Codec::pcmu()]);
        let offer = Session::new().draft(alice.offer().unwrap()).unwrap();
        let session = again(again(Session::new()).send(offer).unwrap().withdraw());
        let next = session.draft(endpoint("alice", &[Codec::pcma()]).offer().unwrap()).unwrap();
        assert_eq!(next.description().origin().session_version.as_ref(), "2");
    }
}
