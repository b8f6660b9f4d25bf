//! What comes out of a user agent: events, look-ups, errors.

use alloc::boxed::Box;
use core::fmt;

use ringback_base::{Hop, Id};
use ringback_message::{BuildError, Request, Response, StatusCode};
use ringback_transaction::ServerId;

use crate::dialog::DialogError;
use crate::exchange::{Carrier, MediaError};
use crate::notifier::{NewSubscription, SubscriptionId};
use crate::outcome::{Outcome, Said};
use crate::pursuit::PursuitStep;
use crate::refer::{ReferOutcome, ReferProgress, Referral};
use crate::registration::{RegistrationError, RegistrationEvent};
use crate::subscriber::{Fork, Notified, SubscriptionEnd};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $word:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(pub(crate) Id);

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, concat!($word, " {}"), self.0)
                }
            }
        )*
    };
}

ids! {
    /// A dialog with a session, be it early. An id whose session is gone names nothing, ever again.
    SessionId "session";
    /// An INVITE of ours outside of a dialog, with all the dialogs that it makes.
    InviteId "invite";
    /// A registration, from [`add_registration`](crate::UserAgent::add_registration) to
    /// [`remove_registration`](crate::UserAgent::remove_registration).
    RegistrationId "registration";
    /// What we want to be told of, with all the subscriptions that it makes.
    SubscriberId "subscriber";
    /// State that we publish.
    PublicationId "publication";
    /// A REFER of ours.
    ReferId "refer";
    /// A REFER of theirs that was accepted.
    RefereeId "referee";
}

/// Another request of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// A question to the outside: where a URI leads. `[RFC 3263]`
///
/// It is answered by [`UserAgent::handle_hops`](crate::UserAgent::handle_hops).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// To be given with the answer.
    pub id: u64,
    /// The URI: that of the first route, or the Request-URI.
    pub uri: Box<[u8]>,
}

/// How a request of ours ended without a final response that could be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// A final response other than 2xx.
    Refused(Box<Response>),
    /// Nobody answered in time, last at this hop: taken for a 408. `[RFC 3261, Section 8.1.3.1]`
    Timeout(Option<Hop>),
    /// It can't be sent, last to this hop: taken for a 503. `[RFC 3261, Section 8.1.3.1]`
    Transport(Option<Hop>),
    /// It can't be sent, because the connection for it can't be had, and this is why: taken for a 503. `[RFC 7118, Section 4.1]`
    Connection(Box<str>),
    /// No address is found for the URI, or none by a transport that we have.
    NoRoute,
    /// We gave it up ourselves before it was sent.
    Cancelled,
    /// It can't be built.
    Build(BuildError),
    /// There is no room for a transaction more.
    Full,
}

impl Failure {
    /// The status that it stands for.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Failure::Refused(response) => response.status(),
            Failure::Timeout(_) => StatusCode::RequestTimeout,
            Failure::Cancelled => StatusCode::RequestTerminated,
            Failure::Transport(_) | Failure::Connection(_) | Failure::NoRoute | Failure::Build(_) | Failure::Full => {
                StatusCode::ServiceUnavailable
            }
        }
    }

    /// Whether it can't be sent, and nobody but the network or the next hop can change that.
    pub(crate) fn is_of_transport(&self) -> bool {
        matches!(self, Failure::Transport(_) | Failure::Connection(_))
    }

    /// What the response says to people, if there is one.
    #[must_use]
    pub fn said(&self) -> Option<Said<'_>> {
        match self {
            Failure::Refused(response) => Some(Said::of(response)),
            _ => None,
        }
    }
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// The other side sent BYE.
    RemoteBye(Box<Request>),
    /// We hung up, and the BYE was answered or given up.
    LocalBye,
    /// The caller cancelled. `[RFC 3261, Section 9.2]`
    Cancelled,
    /// We refused the call.
    Rejected(StatusCode),
    /// The INVITE that made the early dialog ended otherwise, or in another dialog.
    Elsewhere,
    /// A 199 said that the early dialog is over. `[RFC 6228, Section 5]`
    EarlyTerminated(StatusCode),
    /// Our 2xx was never acknowledged; BYE was sent. `[RFC 3261, Section 13.3.1.4]`
    AckMissing,
    /// Our reliable provisional response was never acknowledged. `[RFC 3262, Section 3]`
    PrackMissing,
    /// Nobody refreshed the session; BYE was sent. `[RFC 4028, Section 10]`
    Expired,
    /// A request in the dialog was answered as if there were none: 408, 481, or not at all. `[RFC 3261, Section 12.2.1.2]`
    Gone(Failure),
    /// The application was late with an answer to their offer.
    AnswerMissing,
    /// Their answer to our offer is none; BYE was sent.
    BadAnswer(Box<str>),
}

/// What the application is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)]
pub enum Event {
    /// A provisional response to an INVITE of ours: 100, or one that has made an early dialog.
    Progress {
        /// The INVITE.
        invite: InviteId,
        /// The early dialog.
        session: Option<SessionId>,
        /// The response.
        response: Response,
    },
    /// A 2xx to an INVITE of ours has confirmed the dialog. The ACK is sent, unless the 2xx holds an offer: then
    /// [`Event::Offered`] follows, and the ACK goes with its answer.
    Answered {
        /// The INVITE.
        invite: InviteId,
        /// The session.
        session: SessionId,
        /// The response.
        response: Response,
    },
    /// An INVITE of ours has failed. Its early dialogs are gone. Where it was redirected,
    /// [`Outbound::redirected`](crate::Outbound::redirected) leads on.
    InviteFailed {
        /// The INVITE.
        invite: InviteId,
        /// Why.
        failure: Failure,
        /// What could be done about it.
        outcome: Outcome,
    },
    /// An attempt of an INVITE of ours has failed, and the call goes on by itself, as its
    /// [`Pursuit`](crate::Pursuit) lets it. The early dialogs of the attempt are gone.
    Pursuing {
        /// The INVITE.
        invite: InviteId,
        /// How the attempt failed.
        failure: Failure,
        /// What is done.
        step: PursuitStep,
    },
    /// No further 2xx can come to an INVITE of ours: its id names nothing any more.
    InviteEnded {
        /// The INVITE.
        invite: InviteId,
    },
    /// A call came in. It wants [`ring`](crate::UserAgent::ring), [`answer`](crate::UserAgent::answer) or
    /// [`reject`](crate::UserAgent::reject).
    Incoming {
        /// The early dialog.
        session: SessionId,
        /// The INVITE.
        request: Request,
        /// The session that it shall take the place of. `[RFC 3891, Section 3]`
        replaces: Option<SessionId>,
    },
    /// Our 2xx is acknowledged: the session stands.
    Confirmed {
        /// The session.
        session: SessionId,
    },
    /// The other side offers. Answer it with [`accept`](crate::UserAgent::accept) or refuse it with
    /// [`refuse`](crate::UserAgent::refuse); the offer of an INVITE that made the session is answered with it.
    Offered {
        /// The session.
        session: SessionId,
        /// In what.
        carrier: Carrier,
    },
    /// The other side asks for an offer, by an INVITE without one; [`accept`](crate::UserAgent::accept) makes it.
    OfferWanted {
        /// The session.
        session: SessionId,
    },
    /// What is agreed on has changed: [`UserAgent::media`](crate::UserAgent::media) has it.
    Agreed {
        /// The session.
        session: SessionId,
    },
    /// An offer of ours within the session was not taken: what was agreed on before still holds. `[RFC 3261, Section 14.1]`
    OfferFailed {
        /// The session.
        session: SessionId,
        /// Why.
        failure: Failure,
        /// What could be done about it.
        outcome: Outcome,
    },
    /// The session was refreshed. `[RFC 4028, Section 7.2]`
    Refreshed {
        /// The session.
        session: SessionId,
        /// Whether we have refreshed it, and not they.
        is_ours: bool,
    },
    /// The session is over. Comes exactly once for each session.
    Ended {
        /// The session.
        session: SessionId,
        /// Why.
        reason: EndReason,
    },
    /// A request for the application: within a session, or outside of one. [`respond`](crate::UserAgent::respond) answers it.
    Request {
        /// Its transaction.
        id: ServerId,
        /// The session.
        session: Option<SessionId>,
        /// The request.
        request: Request,
    },
    /// A response to a request that the application sent: each provisional one, and the final one, whatever it is.
    Response {
        /// The request.
        request: RequestId,
        /// The session.
        session: Option<SessionId>,
        /// The response.
        response: Response,
        /// What it asks for.
        outcome: Outcome,
    },
    /// A registration has something to tell.
    Registration {
        /// The registration.
        registration: RegistrationId,
        /// What.
        event: RegistrationEvent,
        /// The response that it comes from, if it comes from one: its Contacts are the bindings, or other registrars.
        response: Option<Box<Response>>,
        /// Why there is none, where a REGISTER has failed without.
        failure: Option<Box<Failure>>,
    },
    /// The server proves in Authentication-Info to be one that doesn't know our secret. What the response says is done all the same.
    /// `[RFC 7616, Section 3.5]`
    ServerProofWrong {
        /// The response.
        response: Response,
    },
    /// A notification has come, or a subscription of ours is over.
    Subscriber {
        /// Which one.
        subscriber: SubscriberId,
        /// What is told.
        told: SubscriberTold,
    },
    /// Somebody wants to be told of a state. It wants [`grant_subscription`](crate::UserAgent::grant_subscription), or a refusal by
    /// [`respond`](crate::UserAgent::respond), at once: nobody may be asked first. `[RFC 6665, Section 4.2.1.1]`
    SubscriptionWanted {
        /// Its transaction.
        id: ServerId,
        /// The SUBSCRIBE.
        request: Request,
        /// What would be granted.
        new: NewSubscription,
    },
    /// A subscription of theirs is over.
    SubscriptionOver {
        /// Which one.
        subscription: SubscriptionId,
    },
    /// What became of a publication of ours.
    Publication {
        /// Which one.
        publication: PublicationId,
        /// What is told.
        told: PublicationTold,
    },
    /// What became of a REFER of ours.
    Refer {
        /// Which one.
        refer: ReferId,
        /// What is told.
        told: ReferTold,
    },
    /// Somebody asks us to contact somebody else. It wants [`follow`](crate::UserAgent::follow),
    /// [`accept_refer`](crate::UserAgent::accept_refer), or a refusal by [`respond`](crate::UserAgent::respond).
    ReferWanted {
        /// Its transaction.
        id: ServerId,
        /// The call that it came in, or is about.
        session: Option<SessionId>,
        /// The REFER.
        request: Request,
        /// What it asks for.
        referral: Box<Referral>,
    },
    /// A request that the application sent has failed without a response.
    Failed {
        /// The request.
        request: RequestId,
        /// The session.
        session: Option<SessionId>,
        /// Why.
        failure: Failure,
        /// What could be done about it.
        outcome: Outcome,
    },
}

/// What is told of a subscription of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "as with Event, of which it is part")]
pub enum SubscriberTold {
    /// A NOTIFY has come, and was answered with 200.
    Notified {
        /// What it says of its subscription.
        notified: Notified,
        /// The NOTIFY, whose body is the state.
        request: Request,
    },
    /// It is over, by what no NOTIFY told.
    Ended {
        /// Which one; `None` where nobody has ever notified.
        fork: Option<Fork>,
        /// Why, and whether it is asked for again.
        end: SubscriptionEnd,
    },
}

/// What is told of a publication of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicationTold {
    /// It is published, or its time was extended.
    Published,
    /// It is removed, and its id names nothing any more.
    Removed,
    /// A refresh or a change has failed, and is tried again while what was published holds.
    Kept {
        /// The code; `None` where no answer came.
        status: Option<StatusCode>,
    },
    /// Nothing of it is there, and its id names nothing any more.
    Failed {
        /// The code; `None` where no answer came.
        status: Option<StatusCode>,
        /// After how many seconds it may be tried again, where the server says so.
        retry_after_secs: Option<u32>,
    },
}

/// What is told of a REFER of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferTold {
    /// Its final response.
    Answered(ReferOutcome),
    /// What became of the request that it asked for, so far.
    Progress(ReferProgress),
    /// Nothing more will be told.
    Over(SubscriptionEnd),
}

/// Why nothing is done. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// There is no such thing, or no longer.
    Unknown,
    /// It can't be done in this state; what would have to be, is said.
    State(&'static str),
    /// Nothing can be said of media so.
    Media(MediaError),
    /// The message can't be built.
    Build(BuildError),
    /// The dialog can't be made.
    Dialog(DialogError),
    /// There can't be such a registration.
    Registration(RegistrationError),
    /// There is no room for more.
    Full,
}

impl From<BuildError> for CommandError {
    fn from(error: BuildError) -> CommandError {
        CommandError::Build(error)
    }
}

impl From<RegistrationError> for CommandError {
    fn from(error: RegistrationError) -> CommandError {
        CommandError::Registration(error)
    }
}

impl From<MediaError> for CommandError {
    fn from(error: MediaError) -> CommandError {
        CommandError::Media(error)
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::Unknown => f.write_str("there is no such session or request, or no longer"),
            CommandError::State(expected) => f.write_str(expected),
            CommandError::Media(error) => error.fmt(f),
            CommandError::Build(error) => error.fmt(f),
            CommandError::Dialog(error) => error.fmt(f),
            CommandError::Registration(error) => error.fmt(f),
            CommandError::Full => f.write_str("no room for more"),
        }
    }
}

impl core::error::Error for CommandError {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(response) => Said::of(response).fmt(f),
            Failure::Timeout(None) => f.write_str("nobody answered in time"),
            Failure::Timeout(Some(hop)) => write!(f, "nobody answered in time at {} {}", hop.transport, hop.remote),
            Failure::Transport(None) => f.write_str("the request can't be sent"),
            Failure::Transport(Some(hop)) => write!(f, "the request can't be sent to {} {}", hop.transport, hop.remote),
            Failure::Connection(why) => write!(f, "no connection: {why}"),
            Failure::NoRoute => f.write_str("no address is found for the URI, or none by a transport that we have"),
            Failure::Cancelled => f.write_str("given up before it was sent"),
            Failure::Build(error) => error.fmt(f),
            Failure::Full => f.write_str("no room for more"),
        }
    }
}

impl core::error::Error for Failure {}
