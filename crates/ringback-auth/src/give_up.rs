//! Why a challenge ends a request.

use alloc::string::String;
use core::fmt;

use crate::algorithm::Algorithm;
use crate::challenge::ChallengeError;

/// Why a request is not sent again: the response that challenged it is final.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GiveUp {
    /// There is no challenge in the response, or none of the digest scheme.
    NoChallenge,
    /// None that can be answered; why the first can't be.
    Challenge(ChallengeError),
    /// There is no account for the realm: ask the user, and show it.
    NoAccount {
        /// The realm.
        realm: String,
    },
    /// There is an account, and it is not for the host that was asked.
    Stranger {
        /// The realm.
        realm: String,
    },
    /// The account has no hash by an algorithm that is offered, or none that it may use.
    NoHash {
        /// The realm.
        realm: String,
        /// The first algorithm that was offered.
        algorithm: Algorithm,
    },
    /// The account's name is empty, longer than 1024 bytes, or holds control characters.
    User,
    /// The name or the secret is wrong: the server has seen them and asks again.
    Rejected {
        /// The realm.
        realm: String,
    },
    /// The request was challenged [`ROUNDS_MAX`](crate::ROUNDS_MAX) times.
    TooOften,
    /// ACK and CANCEL can't be sent again. `[RFC 3261, Section 22.1]`
    NeverChallenged,
}

impl GiveUp {
    /// The reason that tells more: the first of its rank.
    pub(crate) fn or(self, other: GiveUp) -> GiveUp {
        if other.rank() > self.rank() { other } else { self }
    }

    fn rank(&self) -> u8 {
        match self {
            GiveUp::NoChallenge => 0,
            GiveUp::Challenge(_) => 1,
            GiveUp::NoAccount { .. } => 2,
            GiveUp::NoHash { .. } | GiveUp::User => 3,
            GiveUp::Stranger { .. } => 4,
            GiveUp::Rejected { .. } | GiveUp::TooOften | GiveUp::NeverChallenged => 5,
        }
    }
}

impl fmt::Display for GiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GiveUp::NoChallenge => f.write_str("the response holds no digest challenge"),
            GiveUp::Challenge(error) => error.fmt(f),
            GiveUp::NoAccount { realm } => write!(f, "no account for the realm {realm:?}"),
            GiveUp::Stranger { realm } => write!(f, "the account for the realm {realm:?} is not for this host"),
            GiveUp::NoHash { realm, algorithm } => {
                write!(f, "the account for the realm {realm:?} has no hash by {algorithm} that may be used")
            }
            GiveUp::User => f.write_str("the user's name is empty, too long, or holds control characters"),
            GiveUp::Rejected { realm } => {
                write!(f, "the realm {realm:?} has refused the name or the secret [RFC 3261, Section 22.1]")
            }
            GiveUp::TooOften => f.write_str("challenged too often"),
            GiveUp::NeverChallenged => f.write_str("ACK and CANCEL are never challenged [RFC 3261, Section 22.1]"),
        }
    }
}

impl core::error::Error for GiveUp {}
