//! A queue of deadlines.

use alloc::collections::BTreeMap;

use crate::time::Micros;

/// Names a timer that was set, to stop it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId {
    at: Micros,
    order: u64,
}

impl TimerId {
    /// When it fires.
    #[must_use]
    pub const fn at(self) -> Micros {
        self.at
    }
}

/// Deadlines in order; those for the same moment fire in the order in which they were set.
///
/// A stopped timer is gone at once, so the queue never holds more than what is pending.
#[derive(Clone, Debug)]
pub struct TimerQueue<T> {
    due: BTreeMap<TimerId, T>,
    next_order: u64,
}

impl<T> Default for TimerQueue<T> {
    fn default() -> Self {
        TimerQueue { due: BTreeMap::new(), next_order: 0 }
    }
}

impl<T> TimerQueue<T> {
    /// An empty queue.
    #[must_use]
    pub fn new() -> TimerQueue<T> {
        TimerQueue::default()
    }

    /// Sets a timer that yields `what` at `at`.
    pub fn set(&mut self, at: Micros, what: T) -> TimerId {
        let id = TimerId { at, order: self.next_order };
        self.next_order = self.next_order.wrapping_add(1);
        self.due.insert(id, what);
        id
    }

    /// Stops a timer; `None` if it has fired or was stopped before.
    pub fn stop(&mut self, id: TimerId) -> Option<T> {
        self.due.remove(&id)
    }

    /// The next deadline and what it is for.
    #[must_use]
    pub fn next(&self) -> Option<(Micros, &T)> {
        self.due.first_key_value().map(|(id, what)| (id.at, what))
    }

    /// Takes out one timer that is due.
    pub fn pop_due(&mut self, now: Micros) -> Option<(TimerId, T)> {
        let first = self.due.first_entry()?;
        if first.key().at <= now { Some(first.remove_entry()) } else { None }
    }

    /// How many are pending.
    #[must_use]
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// True where none is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_in_order_of_time_then_of_setting() {
        let mut queue = TimerQueue::new();
        queue.set(Micros(20), 'c');
        queue.set(Micros(10), 'a');
        queue.set(Micros(10), 'b');
        let stopped = queue.set(Micros(5), 'x');
        assert_eq!(queue.stop(stopped), Some('x'));
        assert_eq!(queue.stop(stopped), None);
        assert_eq!(queue.next(), Some((Micros(10), &'a')));
        assert_eq!(queue.pop_due(Micros(9)).map(|t| t.1), None);
        assert_eq!(queue.pop_due(Micros(20)).map(|t| t.1), Some('a'));
        assert_eq!(queue.pop_due(Micros(20)).map(|t| t.1), Some('b'));
        assert_eq!(queue.pop_due(Micros(20)).map(|t| t.1), Some('c'));
        assert!(queue.is_empty());
    }
}
