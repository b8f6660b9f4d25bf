//! What became of the calls of a phone, as its user saw it.

use std::collections::BTreeMap;

/// One call from the side of the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallRecord {
    /// The user that was called.
    pub to: String,
    /// The codes of provisional responses other than 100, each once.
    pub provisional: Vec<u16>,
    /// The first final response that was no challenge for us.
    pub status: Option<u16>,
    /// How many dialogs 2xx made.
    pub dialogs: u32,
    /// A CANCEL was sent.
    pub cancelled: bool,
    /// No final response came: the transaction timed out or was given up.
    pub unanswered: bool,
    /// It could not be sent.
    pub failed: bool,
    /// The answer to our BYE; none where the other side hung up.
    pub bye: Option<u16>,
    /// The other side hung up.
    pub was_ended: bool,
    /// The answer to a re-INVITE.
    pub reinvite: Option<u16>,
}

impl CallRecord {
    /// True where it ended one way or the other.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.status.is_some() || self.unanswered || self.failed
    }
}

/// All that a phone saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diary {
    /// The calls that it placed, by their numbers.
    pub calls: BTreeMap<u32, CallRecord>,
    /// The final answers to the MESSAGE and OPTIONS that it sent; 0 for none.
    pub others: BTreeMap<u32, u16>,
    /// How often REGISTER was answered with 200.
    pub registered: u32,
    /// How often it was answered otherwise, challenges aside, or not at all.
    pub not_registered: u32,
    /// Calls that came in.
    pub rung: u32,
    /// Calls that it answered.
    pub answered: u32,
    /// Answers that were acknowledged.
    pub acknowledged: u32,
    /// Answers that were not, until it gave up.
    pub unacknowledged: u32,
    /// Calls that were cancelled before it answered.
    pub cancelled: u32,
    /// BYEs that came in for a call of its own.
    pub ended: u32,
    /// Messages that came in.
    pub messages: u32,
}
