//! The states of the RFCs' figures.

use core::fmt;

/// Where a transaction stands, by the names of the figures; Terminated is no state of a transaction that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum State {
    /// INVITE client: sent, no answer.
    Calling,
    /// Non-INVITE: sent, or received, and no answer.
    Trying,
    /// A provisional response came or went; an INVITE server transaction begins here.
    Proceeding,
    /// A final response came or went, for an INVITE other than 2xx.
    Completed,
    /// INVITE server: the ACK for the final response came.
    Confirmed,
    /// INVITE: a 2xx came or went. `[RFC 6026, Section 7]`
    Accepted,
    /// Non-INVITE server: too late to answer. `[RFC 4320, Section 4.2]`
    Expired,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Calling => "Calling",
            State::Trying => "Trying",
            State::Proceeding => "Proceeding",
            State::Completed => "Completed",
            State::Confirmed => "Confirmed",
            State::Accepted => "Accepted",
            State::Expired => "Expired",
        })
    }
}
