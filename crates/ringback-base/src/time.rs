//! The two clocks that a core is handed, never reads.

use core::fmt;
use core::time::Duration;

/// A point on a clock that only moves forward, in microseconds since an arbitrary start.
///
/// Timers run on it. It means nothing outside the process that produced it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub u64);

impl Micros {
    /// The end of time: a timer set here never fires.
    pub const MAX: Micros = Micros(u64::MAX);

    /// Milliseconds as microseconds, saturating.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Micros {
        Micros(ms.saturating_mul(1_000))
    }

    /// Seconds as microseconds, saturating.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Micros {
        Micros(secs.saturating_mul(1_000_000))
    }

    /// This point (or span) later by `span`, saturating.
    #[must_use]
    pub const fn plus(self, span: Micros) -> Micros {
        Micros(self.0.saturating_add(span.0))
    }

    /// The span from `earlier` to here, zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Micros) -> Micros {
        Micros(self.0.saturating_sub(earlier.0))
    }

    /// Twice this span, saturating: what every retransmission timer does.
    #[must_use]
    pub const fn doubled(self) -> Micros {
        Micros(self.0.saturating_mul(2))
    }

    /// As the standard library's span.
    #[must_use]
    pub const fn to_duration(self) -> Duration {
        Duration::from_micros(self.0)
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}s", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// A point of civil time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// What is stored or sent runs on it (the expiry of a binding, `Date`, a nonce), because it outlives the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Millis {
    /// Whole seconds as milliseconds, saturating.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Millis {
        Millis(secs.saturating_mul(1_000))
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000
    }

    /// This point later by so many seconds, saturating.
    #[must_use]
    pub const fn plus_secs(self, secs: u64) -> Millis {
        Millis(self.0.saturating_add(secs.saturating_mul(1_000)))
    }

    /// The span from `earlier` to here in milliseconds, zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Millis) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The present, on both clocks: what every `handle_*` is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Now {
    /// The clock that timers run on.
    pub mono: Micros,
    /// The clock that is stored and sent.
    pub unix: Millis,
}

impl Now {
    /// The present so much later, on both clocks: how tests let time pass.
    #[must_use]
    pub const fn after(self, span: Micros) -> Now {
        Now { mono: self.mono.plus(span), unix: Millis(self.unix.0.saturating_add(span.0 / 1_000)) }
    }
}
