//! The only place of the server that reads clocks for the protocol.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ringback_base::{Micros, Millis, Now};

/// Makes [`Now`]; all shards of a process share one start, so that their times compare.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts at zero, now.
    #[must_use]
    pub fn start() -> Clock {
        Clock { start: Instant::now() }
    }

    /// The present. A civil clock before 1970 counts as 1970.
    #[must_use]
    pub fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Now { mono: self.mono(Instant::now()), unix: Millis(u64::try_from(unix).unwrap_or(u64::MAX)) }
    }

    /// A moment of the runtime on the clock that timers run on.
    pub(crate) fn mono(&self, instant: Instant) -> Micros {
        let since = instant.saturating_duration_since(self.start).as_micros();
        Micros(u64::try_from(since).unwrap_or(u64::MAX))
    }

    /// When that will be for the runtime; `None` for what is too far off to wait for.
    pub(crate) fn instant(&self, at: Micros) -> Option<Instant> {
        self.start.checked_add(Duration::from_micros(at.0)).filter(|_| at != Micros::MAX)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn there_and_back() {
        let clock = Clock::start();
        let at = Micros::from_secs(5);
        assert_eq!(clock.mono(clock.instant(at).unwrap()), at);
        assert_eq!(clock.mono(clock.start - Duration::from_secs(1)), Micros(0));
        assert_eq!(clock.instant(Micros::MAX), None);
        // 2020 to 2100: a clock in seconds, or in microseconds, would be outside.
        assert!((1_577_836_800_000..4_102_444_800_000).contains(&clock.now().unix.0));
    }
}
