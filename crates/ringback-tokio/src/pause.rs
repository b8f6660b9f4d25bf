//! Leaving a socket alone that gives nothing but errors, so that it can't keep a core busy.

use ringback_base::Micros;

use crate::counters::LiveCounters;

/// After so many failures in a row a socket is left alone for [`PAUSE`].
const ERRORS_MAX: u32 = 16;

const PAUSE: Micros = Micros::from_ms(100);

/// Whether a socket is being left alone.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    errors_in_a_row: u32,
    until: Option<Micros>,
}

impl Pause {
    /// True while the socket is to be left alone.
    pub(crate) fn is_on(&mut self, now: Micros) -> bool {
        self.until = self.until.filter(|until| now < *until);
        self.until.is_some()
    }

    /// When it ends, if it has begun.
    pub(crate) fn until(&self) -> Option<Micros> {
        self.until
    }

    /// Notes how a use of the socket went, and counts where that was one failure too many.
    pub(crate) fn learn(&mut self, ok: bool, now: Micros, counters: &LiveCounters) {
        self.errors_in_a_row = if ok { 0 } else { self.errors_in_a_row.saturating_add(1) };
        if self.errors_in_a_row >= ERRORS_MAX {
            counters.errors_max_reached.count();
            self.begin(now);
        }
    }

    /// Begins now: the next use would fail too.
    pub(crate) fn begin(&mut self, now: Micros) {
        self.errors_in_a_row = 0;
        self.until = Some(now.plus(PAUSE));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::counters::IoCounters;

    #[test]
    fn a_socket_of_errors_is_left_alone_for_a_while() {
        let (mut pause, counters) = (Pause::default(), LiveCounters::default());
        let at = Micros::from_ms;
        for n in 0..15 {
            pause.learn(false, at(n), &counters);
        }
        pause.learn(true, at(15), &counters);
        for n in 16..31 {
            pause.learn(false, at(n), &counters);
            assert!(!pause.is_on(at(n)));
        }
        pause.learn(false, at(31), &counters);
        let mut sum = IoCounters::default();
        counters.add_to(&mut sum);
        assert_eq!(sum.errors_max_reached, 1);
        assert_eq!(pause.until(), Some(at(131)));
        assert!(pause.is_on(at(130)) && !pause.is_on(at(131)));
        assert_eq!(pause.until(), None);
    }
}
