//! A session as it is kept: a dialog, its offer and answer, and what is under way in it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;
use ringback_base::{Hop, Micros, Random, TimerId};
use ringback_message::header::{MinSe, SessionId};
use ringback_message::{Message, Request, Response, StatusCode};
use ringback_sdp::SessionDescription;
use ringback_transaction::{ClientId, ServerId};

use super::own_accounts::OwnAccountsId;
use crate::dialog::Dialog;
use crate::event::{EndReason, InviteId};
use crate::exchange::{Carrier, Exchange};
use crate::session_timer::{Asked, SessionTimer};

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Before a 2xx.
    Early,
    /// A 2xx went out or came in.
    Confirmed,
    /// A BYE of ours is out.
    Ending,
}

/// What a session waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Time to repeat the reliable provisional response. `[RFC 3262, Section 3]`
    ProvisionalAgain,
    /// Its PRACK is not coming.
    PrackMissing,
    /// Time to repeat the 2xx. `[RFC 3261, Section 13.3.1.4]`
    SuccessAgain,
    /// Its ACK is not coming.
    AckMissing,
    /// Time to refresh. `[RFC 4028, Section 7.2]`
    Refresh,
    /// Nobody has refreshed. `[RFC 4028, Section 10]`
    Expire,
    /// Time to try again after a glare. `[RFC 3261, Section 14.1]`
    Again,
    /// The application owes an answer that a message of ours waits for.
    AnswerMissing,
    /// The caller said how long the INVITE is good for. `[RFC 3261, Section 13.3.1]`
    InviteExpires,
    /// Time to say again that it rings, so that no proxy gives up. `[RFC 3261, Section 13.3.1.1]`
    RingAgain,
}

/// A session.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) dialog: Dialog,
    /// Whether the Call-ID is ours. `[RFC 3261, Section 14.1]`
    pub(crate) is_caller: bool,
    pub(crate) phase: Phase,
    pub(crate) exchange: Exchange,
    /// The INVITE of ours that made it.
    pub(crate) invite: Option<InviteId>,
    /// The INVITE of theirs that is under way.
    pub(crate) serving: Option<Box<Serving>>,
    /// The 2xx of ours that is not acknowledged yet.
    pub(crate) success: Option<Box<Success>>,
    /// The re-INVITE or UPDATE of ours that is under way, or will be again.
    pub(crate) asking: Option<Box<Asking>>,
    /// Their UPDATE or PRACK whose offer the application has yet to answer.
    pub(crate) owed: Option<ServerId>,
    /// The ACK of ours, to be repeated for each repeated 2xx.
    pub(crate) ack: Option<Box<Ack>>,
    /// The RSeq of the last reliable provisional response that came. `[RFC 3262, Section 4]`
    pub(crate) rseq_seen: Option<u32>,
    /// RSeq and CSeq of our provisional response whose PRACK was not here when the 2xx went.
    pub(crate) late_prack: Option<(u32, u32)>,
    /// RSeq and CSeq of the response whose PRACK waits for the application's answer.
    pub(crate) prack: Option<(u32, u32)>,
    pub(crate) timer: Option<SessionTimer>,
    /// The greatest Min-SE of their requests and 422s; 0 where there was none. `[RFC 4028, Section 7.4]`
    pub(crate) min_se_secs: u32,
    pub(crate) session_id: SessionIds,
    /// The accounts of its call alone, where that has any.
    pub(crate) accounts: Option<OwnAccountsId>,
    /// Whether they take UPDATE.
    pub(crate) takes_update: bool,
    /// Why we hang up, once the ACK is here. `[RFC 3261, Section 15]`
    pub(crate) ending: Option<Box<EndReason>>,
    running: Vec<(Timer, TimerId)>,
}

/// The UUIDs of both sides; zero where there is none, or none is known. `[RFC 7989, Section 5]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SessionIds {
    pub(crate) local: u128,
    pub(crate) remote: u128,
}

impl SessionIds {
    /// With a UUID of ours, of version 4. `[RFC 7989, Section 4.1]`
    pub(crate) fn new(random: &mut Random) -> SessionIds {
        let bits = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
        let version = bits & !(0xf << 76) | 4 << 76;
        SessionIds { local: version & !(3 << 62) | 2 << 62, remote: 0 }
    }

    /// What a message of theirs says of theirs. `[RFC 7989, Section 6]`
    pub(crate) fn learn(&mut self, message: &Message) {
        let Ok(Some(said)) = message.get::<SessionId<&[u8]>>() else { return };
        let uuid = core::str::from_utf8(said.local).ok().and_then(|text| u128::from_str_radix(text, 16).ok());
        self.remote = uuid.filter(|uuid| *uuid != 0).unwrap_or(self.remote);
    }

    /// The header field; `None` where we have no UUID.
    pub(crate) fn header(self) -> Option<SessionId> {
        let SessionIds { local, remote } = self;
        (local != 0).then(|| SessionId::new(alloc::format!("{local:032x}"), alloc::format!("{remote:032x}")))
    }
}

/// An INVITE of theirs that has no final response yet.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) id: ServerId,
    pub(crate) request: Request,
    pub(crate) is_initial: bool,
    /// What the session timer will be.
    pub(crate) asked: Asked,
    /// The RSeq of the last reliable provisional response.
    pub(crate) rseq: u32,
    /// The one that waits for its PRACK.
    pub(crate) unacknowledged: Option<Provisional>,
    /// Those that wait for that one.
    pub(crate) queue: VecDeque<Provisional>,
    /// An offer or an answer has stood in it, or in a response to it: the 2xx makes no further offer. `[RFC 6337, Section 2.2]`
    pub(crate) has_exchanged: bool,
    /// The last provisional response that isn't reliable.
    pub(crate) ringing: Option<Response>,
    /// The 2xx that waits for it.
    pub(crate) success: Option<Response>,
    /// The session whose place this one takes.
    pub(crate) replaces: Option<crate::event::SessionId>,
}

/// A reliable provisional response.
#[derive(Debug)]
pub(crate) struct Provisional {
    pub(crate) rseq: u32,
    pub(crate) response: Response,
    pub(crate) interval: Micros,
}

/// A 2xx that is repeated until its ACK is here.
#[derive(Debug)]
pub(crate) struct Success {
    pub(crate) id: ServerId,
    pub(crate) response: Response,
    pub(crate) interval: Micros,
    pub(crate) is_initial: bool,
}

/// Which request changes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    Reinvite,
    Update,
}

/// A change of ours that is under way.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) means: Means,
    /// What we would have, to be offered again after a glare; `None` for a request without an offer.
    pub(crate) wanted: Option<SessionDescription>,
    /// `None` while it waits for its time.
    pub(crate) sending: Option<u64>,
    pub(crate) is_refresh: bool,
    /// It began before the session was confirmed.
    pub(crate) is_early: bool,
    pub(crate) attempts: u8,
}

/// The ACK for a 2xx.
#[derive(Debug)]
pub(crate) struct Ack {
    pub(crate) cseq: u32,
    /// The transaction of the INVITE.
    pub(crate) client: Option<ClientId>,
    /// It is on its way, or is when it is known where that leads.
    pub(crate) is_sent: bool,
    /// As it was sent.
    pub(crate) sent: Option<(Bytes, Hop)>,
    /// What proved us to the servers, as the INVITE had it. `[RFC 3261, Section 22.1]`
    pub(crate) credentials: Vec<(ringback_message::HeaderId, Box<[u8]>)>,
}

impl Ack {
    pub(crate) fn new(
        cseq: u32,
        client: Option<ClientId>,
        credentials: Vec<(ringback_message::HeaderId, Box<[u8]>)>,
    ) -> Ack {
        Ack { cseq, client, is_sent: false, sent: None, credentials }
    }
}

impl Leg {
    pub(crate) fn new(dialog: Dialog, is_caller: bool, exchange: Exchange) -> Leg {
        Leg {
            dialog,
            is_caller,
            phase: Phase::Early,
            exchange,
            invite: None,
            serving: None,
            late_prack: None,
            success: None,
            asking: None,
            owed: None,
            ack: None,
            rseq_seen: None,
            prack: None,
            timer: None,
            min_se_secs: 0,
            session_id: SessionIds::default(),
            accounts: None,
            takes_update: false,
            ending: None,
            running: Vec::new(),
        }
    }

    /// A change of ours came to nothing: so did the offer in it, or in what answered it. Another one is not touched.
    pub(crate) fn withdraw(&mut self) {
        let Some(asking) = &self.asking else { return };
        let is_of_it = match asking.means {
            Means::Update => self.exchange.ours() == Some(Carrier::Update),
            Means::Reinvite => {
                self.exchange.ours() == Some(Carrier::Invite)
                    || matches!(self.exchange.theirs(), Some(Carrier::Success | Carrier::Provisional))
            }
        };
        if is_of_it {
            self.exchange.settle();
        }
    }

    /// A reliable provisional response has their answer, even though its PRACK isn't here yet: no further response repeats it.
    /// `[RFC 6337, Section 3.1.1]`
    pub(crate) fn is_answered(&self) -> bool {
        let mut reliable = self.serving.iter().flat_map(|serving| serving.unacknowledged.iter().chain(&serving.queue));
        self.exchange.answer_text().is_some() && reliable.any(|waiting| !waiting.response.body().is_empty())
    }

    /// What a request or a 422 of theirs says of the least session interval. `[RFC 4028, Section 7.4]`
    pub(crate) fn learn_min_se(&mut self, message: &Message) {
        if let Ok(Some(min)) = message.get::<MinSe<&[u8]>>() {
            self.min_se_secs = self.min_se_secs.max(min.seconds);
        }
    }

    /// This timer no longer runs; its id, if it did.
    pub(crate) fn fired(&mut self, timer: Timer) -> Option<TimerId> {
        let at = self.running.iter().position(|(running, _)| *running == timer)?;
        Some(self.running.swap_remove(at).1)
    }

    pub(crate) fn set(&mut self, timer: Timer, id: TimerId) {
        self.running.push((timer, id));
    }

    /// None runs any more.
    pub(crate) fn stopped(&mut self) {
        self.running.clear();
    }

    pub(crate) fn running(&self) -> impl Iterator<Item = TimerId> + '_ {
        self.running.iter().map(|(_, id)| *id)
    }

    /// The status that our INVITE of theirs gets where its user lets go of it.
    pub(crate) fn released(&self) -> StatusCode {
        StatusCode::ServerInternalError
    }
}
