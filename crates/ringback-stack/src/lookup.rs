//! Questions that a stack asks of its surroundings, with the token that an answer finds back by.

use ringback_base::Micros;
pub use ringback_proxy::{Account, Answer, Query};

/// Names a question, so that its answer finds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub(crate) u64);

/// One question.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// To be given back with the answer.
    pub token: Token,
    /// After this the answer is no longer waited for.
    pub deadline: Micros,
    /// What is asked.
    pub query: Query,
}
