//! The invariants by name.

use std::fmt;

/// What must always hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Invariant {
    /// A server transaction gets exactly one final response other than 2xx, or for INVITE one or more 2xx.
    OneFinal,
    /// A final response ends the provisional ones.
    NoProvisionalAfterFinal,
    /// A non-INVITE that runs out of time gets no response, and none ever gets 408. `[RFC 4320, Section 4.2]`
    NothingAfterTime,
    /// What must be answered is, as soon as it can be.
    Answered,
    /// The best response goes back, with the challenges of all. `[RFC 3261, Section 16.7]`
    BestResponse,
    /// No 2xx to INVITE that reached the server is dropped, and none is made up.
    NoSuccessDropped,
    /// Provisional responses other than 100 go back while there is no final one. `[RFC 3261, Section 16.7]`
    ProvisionalPassed,
    /// A failure that reached a client transaction is acknowledged each time, and the ACK for a 2xx is passed on.
    AckSent,
    /// ACK and CANCEL are never challenged, and ACK never answered.
    NeverChallenged,
    /// What can't win any more is cancelled, once a provisional response allows it; nothing else is.
    LosersCancelled,
    /// Every live binding is tried, the most wanted first, and nothing else. `[RFC 3261, Section 16.6]`
    TargetsTried,
    /// A response goes to where its request came from, and nothing goes to who never asked.
    OnlyWhoAsked,
    /// Nobody without credentials has anything relayed.
    NoOpenRelay,
    /// Credentials for our realm end here.
    CredentialsEndHere,
    /// An unauthenticated source gets no more than a stated multiple of what it sent.
    Amplification,
    /// A 200 to REGISTER leaves only after its bindings are durable, and lists them.
    DurableFirst,
    /// An acknowledged binding is there until it runs out or its owner changes it, restarts or not.
    BindingsKept,
    /// No table outgrows its limit.
    MemoryBounded,
    /// After the last timer nothing is left.
    TablesEmpty,
    /// Nothing panics.
    NoPanic,
    /// Every 2xx to INVITE that reached an agent gets an ACK, and each repetition of it another.
    SuccessAcknowledged,
    /// Every dialog that a 2xx has made is the application's, or is ended with BYE.
    LosersEnded,
    /// Each session ends once, and nothing is told of it afterwards.
    EndedOnce,
    /// What both ends hold as agreed on fits, when both are at rest.
    MediaAgrees,
    /// A description that differs from the one before it has the next version, and one of the same version does not differ.
    VersionsRise,
    /// The CSeq of each new request of a side in a dialog is above all before it.
    CSeqRises,
    /// Reliable provisional responses, and what acknowledges them, go in the order of RSeq, one at a time.
    ProvisionalOrder,
    /// No offer leaves while another is open, and one that comes meanwhile is refused.
    OneOffer,
    /// No INVITE leaves within a dialog while another is under way in it.
    OneInvite,
    /// CANCEL leaves after a provisional response and before a final one, with the branch of its INVITE, to the same place.
    CancelInTurn,
    /// Whoever answered an INVITE sends no BYE before its ACK came or was given up.
    ByeAfterAck,
    /// What comes out of a connection is what went in, message by message, up to where it broke.
    StreamsFramed,
    /// What both ends of a call tell of it is one of the outcomes that the network allowed.
    Outcome,
}

impl Invariant {
    /// Those that are judged of user agents.
    pub const AGENTS: &[Invariant] = &[
        Invariant::OneFinal,
        Invariant::NoProvisionalAfterFinal,
        Invariant::Answered,
        Invariant::SuccessAcknowledged,
        Invariant::LosersEnded,
        Invariant::EndedOnce,
        Invariant::MediaAgrees,
        Invariant::VersionsRise,
        Invariant::CSeqRises,
        Invariant::ProvisionalOrder,
        Invariant::OneOffer,
        Invariant::OneInvite,
        Invariant::CancelInTurn,
        Invariant::ByeAfterAck,
        Invariant::Outcome,
        Invariant::MemoryBounded,
        Invariant::TablesEmpty,
    ];

    /// Those that are judged of a server within a run.
    pub const ALL: &[Invariant] = &[
        Invariant::OneFinal,
        Invariant::NoProvisionalAfterFinal,
        Invariant::NothingAfterTime,
        Invariant::Answered,
        Invariant::BestResponse,
        Invariant::NoSuccessDropped,
        Invariant::ProvisionalPassed,
        Invariant::AckSent,
        Invariant::NeverChallenged,
        Invariant::LosersCancelled,
        Invariant::TargetsTried,
        Invariant::OnlyWhoAsked,
        Invariant::NoOpenRelay,
        Invariant::CredentialsEndHere,
        Invariant::Amplification,
        Invariant::DurableFirst,
        Invariant::BindingsKept,
        Invariant::MemoryBounded,
        Invariant::TablesEmpty,
        Invariant::NoPanic,
    ];
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Something that must hold does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What.
    pub invariant: Invariant,
    /// The call that shows it.
    pub call_id: Option<Vec<u8>>,
    /// How.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.detail)
    }
}

impl std::error::Error for Violation {}
