//! What the stacks of the shards count. Only a shard's own thread looks at its stack, so whoever wants to know asks.

use tokio::sync::oneshot;

/// What one shard's stack counted.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Tally {
    /// The stack itself.
    pub stack: ringback_stack::Counters,
    /// Its transactions.
    pub transactions: ringback_transaction::Counters,
}

/// Where the answer goes.
pub(crate) type TallyWanted = oneshot::Sender<Tally>;
