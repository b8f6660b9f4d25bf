//! What the sockets and channels of a shard count.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// How often what happened at the sockets and between the shards, since the start.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct IoCounters {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The same, counted by one shard and read by anybody.
        #[derive(Debug, Default)]
        pub(crate) struct LiveCounters {
            $(pub(crate) $name: Counter,)*
        }

        impl LiveCounters {
            pub(crate) fn add_to(&self, sum: &mut IoCounters) {
                $(sum.$name = sum.$name.saturating_add(self.$name.0.load(Ordering::Relaxed));)*
            }
        }
    };
}

counters! {
    /// Datagrams that were read.
    received,
    /// Datagrams that were sent.
    sent,
    /// Datagrams that were handed to the shard that owns them.
    handed_over,
    /// Datagrams that were lost because their shard had [`HANDED_MAX`](crate::HANDED_MAX) waiting.
    handed_over_dropped,
    /// Reads that failed.
    receive_errors,
    /// Sends that failed, told to the transactions.
    send_errors,
    /// Datagrams that were lost because the kernel or the backlog of [`BACKLOG_MAX`](crate::BACKLOG_MAX) was full.
    send_dropped,
    /// Host names that were not looked up because [`RESOLVES_MAX`](crate::RESOLVES_MAX) others were.
    resolves_refused,
    /// Answers to look-ups that were lost because the shard had [`ANSWERS_MAX`](crate::ANSWERS_MAX) waiting.
    answers_dropped,
    /// Log lines that were left out because there were more than [`LOG_LINES_PER_SEC`](crate::LOG_LINES_PER_SEC).
    log_lines_suppressed,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
