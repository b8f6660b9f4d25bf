//! Questions that the elements ask of their surroundings, and their answers.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ringback_auth::Ha1Set;
use ringback_location::{Aor, Binding, Version};
use ringback_transport::resolve::{DnsAnswer, Question};

/// What can be asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Query {
    /// The bindings of an address of record: answered by [`Answer::Bindings`].
    LoadBindings {
        /// Whose.
        aor: Aor,
    },
    /// Keep these bindings if nobody changed them since: answered, once they are durable, by [`Answer::Stored`], or by [`Answer::Conflict`] or [`Answer::Full`].
    StoreBindings {
        /// Whose.
        aor: Aor,
        /// The version that they were read at.
        version: Version,
        /// All that are to be kept.
        rows: Vec<Binding>,
    },
    /// Tell when what was read at this version is durable: answered by [`Answer::Stored`].
    ConfirmBindings {
        /// Whose.
        aor: Aor,
        /// The version that they were read at.
        version: Version,
    },
    /// The account of a user: answered by [`Answer::Account`].
    Account {
        /// The user part of the address of record, which is also the digest user name.
        user: Box<str>,
    },
    /// Records of a name: answered by [`Answer::Dns`].
    Dns {
        /// Which.
        question: Question,
    },
}

impl Query {
    /// Of whom is asked: a user, an address of record, a host.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            Query::LoadBindings { aor } | Query::StoreBindings { aor, .. } | Query::ConfirmBindings { aor, .. } => {
                aor.as_str()
            }
            Query::Account { user } => user,
            Query::Dns { question } => &question.name,
        }
    }
}

/// What can be answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// The bindings and the version to give when they are stored.
    Bindings {
        /// All that are kept, expired ones perhaps among them.
        rows: Vec<Binding>,
        /// Their version.
        version: Version,
    },
    /// Stored and durable.
    Stored,
    /// Somebody else stored since they were read: read them again.
    Conflict,
    /// There is no room for another address of record.
    Full,
    /// The account, or that there is none.
    Account(Option<Account>),
    /// What the resolver says.
    Dns(DnsAnswer),
    /// The question can't be answered now.
    Failed,
}

/// What is known of a user.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// H(A1) for each algorithm that the account was stored with.
    pub ha1s: Ha1Set,
    /// Requests for this user are answered with 302 and the user's contacts, not relayed. `[RFC 3261, Section 8.3]`
    pub redirect: bool,
}
