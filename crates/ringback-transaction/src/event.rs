//! What comes out of the layer: messages to send, events for the transaction user, errors, counts.

use core::fmt;

use bytes::Bytes;
use ringback_base::Hop;
use ringback_message::{Request, Response};

use ringback_base::Id;

/// A server transaction. An id whose transaction is gone names nothing, ever again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub(crate) Id);

/// A client transaction. An id whose transaction is gone names nothing, ever again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub(crate) Id);

impl fmt::Debug for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server {}", self.0)
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}", self.0)
    }
}

/// A message for the transport.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transmit {
    /// Where it goes.
    pub hop: Hop,
    /// The whole message.
    pub bytes: Bytes,
}

impl Transmit {
    /// These bytes to that hop.
    #[must_use]
    pub const fn new(hop: Hop, bytes: Bytes) -> Transmit {
        Transmit { hop, bytes }
    }
}

/// What the transaction user (TU) is told.
///
/// A transaction is gone once its `ClientEnded` or `ServerEnded` is in the queue, so an event that stands before it in
/// the queue may name an id that the layer no longer knows: over a reliable transport a final response and the end come
/// together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
// A message holds its line table inline. To box it would cost each event an allocation to save the copy of a few cache
// lines.
#[allow(clippy::large_enum_variant)]
pub enum Event {
    /// A request for which there is a new server transaction: any but ACK and CANCEL.
    ///
    /// An INVITE must be answered some time: no timer of the layer ends a transaction in Proceeding.
    Request {
        /// The new transaction.
        id: ServerId,
    },
    /// A CANCEL. The TU answers it: 200 where it matches a transaction, 481 where not. `[RFC 3261, Section 9.2]`
    Cancel {
        /// The CANCEL's own transaction.
        id: ServerId,
        /// The INVITE that it names, in whatever state: see
        /// [`Transactions::is_answered`](crate::Transactions::is_answered). Requests of other methods are not looked
        /// for: nobody should cancel them. `[RFC 3261, Section 9.1]`
        invite: Option<ServerId>,
    },
    /// An ACK that no server transaction swallows: the one for a 2xx. `[RFC 6026, Section 7.1]`
    Ack {
        /// The ACK.
        request: Request,
        /// The hop that was given with it.
        from: Hop,
    },
    /// A response to a request of the TU: each provisional one, the final one, and each 2xx to INVITE.
    Response {
        /// The transaction.
        id: ClientId,
        /// The response.
        response: Response,
    },
    /// A response that matches no client transaction: everyone but a stateless proxy drops it.
    /// `[RFC 6026, Section 8.9]`
    StrayResponse {
        /// The response.
        response: Response,
        /// The hop that was given with it.
        from: Hop,
    },
    /// Timer B or F: no final response came in time. `ClientEnded` follows.
    ClientTimeout {
        /// The transaction.
        id: ClientId,
    },
    /// Timer H: the ACK never came. Or a non-INVITE stayed unanswered until its client gave up. `ServerEnded` follows,
    /// not always at once.
    ServerTimeout {
        /// The transaction.
        id: ServerId,
    },
    /// The request, or the ACK for its final response, can't be sent. `ClientEnded` follows.
    /// `[RFC 3261, Section 17.1.4]`
    ClientFailed {
        /// The transaction.
        id: ClientId,
    },
    /// The hop of an INVITE in Proceeding has failed. The transaction goes on: its response may come by another
    /// connection.
    ///
    /// The TU that doesn't believe it calls [`Transactions::abandon`](crate::Transactions::abandon).
    ClientHopLost {
        /// The transaction.
        id: ClientId,
    },
    /// The hop of the responses has failed. The transaction stays, so that a repeated request is not taken for a new
    /// one. `[RFC 6026, Section 8.8]`
    ServerFailed {
        /// The transaction.
        id: ServerId,
    },
    /// The transaction is gone. Comes exactly once for each.
    ClientEnded {
        /// The transaction.
        id: ClientId,
    },
    /// The transaction is gone. Comes exactly once for each.
    ServerEnded {
        /// The transaction.
        id: ServerId,
    },
}

/// Why a response is not sent. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RespondError {
    /// There is no such transaction, or no longer: whoever waits for the response has given up, so it is dropped.
    /// `[RFC 6026, Section 8.3]`
    Unknown,
    /// The response is not one to this request: branch, Call-ID or CSeq differ.
    Foreign,
    /// A final response went out before; only a 2xx after a 2xx to INVITE may follow.
    AfterFinal,
    /// No non-INVITE request is answered with 408, nor with a provisional response other than 100.
    /// `[RFC 4320, Section 4]`
    NotToNonInvite,
    /// A 100 to a non-INVITE request over an unreliable transport, before the client has slowed down to T2: it would only
    /// double the messages. `[RFC 4320, Section 4.1]`
    ///
    /// The layer sends that 100 by itself when it is time.
    TooEarly,
    /// The non-INVITE request has stayed unanswered for so long that its client has given up. `[RFC 4320, Section 4.2]`
    TooLate,
}

impl fmt::Display for RespondError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RespondError::Unknown => "the server transaction is gone",
            RespondError::Foreign => "the response answers another request",
            RespondError::AfterFinal => "a final response was sent before",
            RespondError::NotToNonInvite => "a non-INVITE request is never answered so",
            RespondError::TooEarly => "a non-INVITE request over datagrams has no 100 as early",
            RespondError::TooLate => "the client of this non-INVITE request has given up",
        })
    }
}

impl core::error::Error for RespondError {}

/// Why a request is not sent. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// An ACK is no transaction: it goes out by [`Transactions::send`](crate::Transactions::send).
    /// `[RFC 3261, Section 17.1]`
    Ack,
    /// The top Via has no branch that starts with the magic cookie and goes on behind it. `[RFC 3261, Section 8.1.1.7]`
    NoBranch,
    /// A client transaction of the same branch and method is under way.
    BranchInUse,
    /// [`Config::client_transactions_max`](crate::Config::client_transactions_max) is reached.
    Full,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RequestError::Ack => "an ACK is sent outside of transactions",
            RequestError::NoBranch => "the top Via has no unique branch",
            RequestError::BranchInUse => "the branch of the top Via is in use",
            RequestError::Full => "there are as many client transactions as there may be",
        })
    }
}

impl core::error::Error for RequestError {}

/// What the layer has counted since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Server transactions that were made.
    pub server_transactions: u64,
    /// Client transactions that were made.
    pub client_transactions: u64,
    /// Requests refused with 503 because `server_transactions_max` was reached.
    pub server_limit_reached: u64,
    /// Requests of the TU refused because `client_transactions_max` was reached.
    pub client_limit_reached: u64,
    /// Requests absorbed as repetitions.
    pub requests_repeated: u64,
    /// Responses absorbed as repetitions.
    pub responses_repeated: u64,
    /// ACKs absorbed: those for a final response other than 2xx.
    pub acks_absorbed: u64,
    /// ACKs dropped because nothing was there to confirm yet.
    pub acks_out_of_place: u64,
    /// Responses dropped because the state of their transaction has no use for them, such as a 180 after a final
    /// response.
    pub responses_out_of_place: u64,
    /// Responses that matched no transaction.
    pub responses_stray: u64,
    /// Messages sent again because Timer A, E or G fired.
    pub retransmissions: u64,
    /// Client transactions that ended by Timer B or F.
    pub client_timeouts: u64,
    /// Server transactions that ended by Timer H.
    pub ack_timeouts: u64,
    /// Non-INVITE server transactions that nobody answered in time.
    pub expiries: u64,
    /// Transactions that were told of a transport error.
    pub transport_errors: u64,
}
