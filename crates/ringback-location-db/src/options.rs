//! Settings.

use std::time::Duration;

/// When a store counts as durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// After the commit that holds it was synced. What was acknowledged survives a power cut.
    #[default]
    Always,
    /// At once, from memory; rows are committed and synced this often. A crash or SIGKILL takes what was acknowledged since the last commit.
    Interval(Duration),
    /// At once, from memory; rows are committed when the database is closed, and every [`NONE_INTERVAL`]. For tables that phones fill again anyway.
    None,
}

/// How often rows are committed under [`Durability::None`], so that a crash does not find the file of the day before.
pub const NONE_INTERVAL: Duration = Duration::from_secs(60);

/// Settings of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// When a store counts as durable. Default [`Durability::Always`].
    pub durability: Durability,
    /// How long the first store of a batch waits for others before they are committed together. Default 2 ms; at 0, those
    /// that came during the last commit still go together.
    pub commit_window: Duration,
    /// How many stores one commit holds at most. Default 1024.
    pub batch_max: usize,
    /// How many stores may wait for a commit; beyond it they are refused with [`StoreError::Full`](crate::StoreError::Full). Default 16384.
    pub queue_max: usize,
    /// How many addresses of record may have rows; stores that would make one more are refused with
    /// [`StoreError::TooManyAors`](crate::StoreError::TooManyAors). Those that a file has beyond it stay. Default 1000000.
    pub aors_max: usize,
    /// How many bytes of pages redb keeps in memory, beside the table itself. Default 32 MiB.
    pub cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            durability: Durability::Always,
            commit_window: Duration::from_millis(2),
            batch_max: 1_024,
            queue_max: 16_384,
            aors_max: 1_000_000,
            cache_bytes: 32 * 1024 * 1024,
        }
    }
}

impl Options {
    /// How long the writer waits for company.
    pub(crate) fn window(&self) -> Duration {
        match self.durability {
            Durability::Always => self.commit_window,
            Durability::Interval(every) => every,
            Durability::None => NONE_INTERVAL,
        }
    }
}
