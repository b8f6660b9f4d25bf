//! Which connections have something to do.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Wake, Waker};

use ringback_base::FlowId;

/// Who has something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// A listening socket, by its place.
    Acceptor(usize),
    /// A connection of a load balancer that has not said yet whose it is, by its place.
    Announced(usize),
    /// A connection.
    Flow(FlowId),
}

/// Those that were woken, in order, each once; and the task that looks after them.
#[derive(Debug, Default)]
pub(crate) struct Ready(Mutex<Woken>);

#[derive(Debug, Default)]
struct Woken {
    signals: VecDeque<Arc<Signal>>,
    task: Option<Waker>,
}

/// Writes one key down when it is woken.
#[derive(Debug)]
pub(crate) struct Signal {
    key: Key,
    /// Weak, because what waits in there holds this.
    ready: Weak<Ready>,
    written_down: AtomicBool,
}

impl Ready {
    /// The waker that writes this key down.
    pub(crate) fn waker(self: &Arc<Self>, key: Key) -> Waker {
        let signal = Signal { key, ready: Arc::downgrade(self), written_down: AtomicBool::new(false) };
        Waker::from(Arc::new(signal))
    }

    /// The next that was woken.
    pub(crate) fn next(&self) -> Option<Key> {
        let signal = self.woken().signals.pop_front()?;
        // From here on it can be woken again.
        signal.written_down.store(false, Ordering::Release);
        Some(signal.key)
    }

    /// How many were woken.
    pub(crate) fn len(&self) -> usize {
        self.woken().signals.len()
    }

    /// True where there is one; wakes the task when there is.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> bool {
        let mut woken = self.woken();
        match &mut woken.task {
            Some(task) => task.clone_from(cx.waker()),
            task => *task = Some(cx.waker().clone()),
        }
        !woken.signals.is_empty()
    }

    fn woken(&self) -> MutexGuard<'_, Woken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        let Some(ready) = self.ready.upgrade() else { return };
        if self.written_down.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut woken = ready.woken();
        woken.signals.push_back(self);
        let task = woken.task.take();
        drop(woken);
        if let Some(task) = task {
            task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[derive(Default)]
    struct Task(AtomicBool);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn each_is_written_down_once_until_it_is_taken() {
        let ready = Arc::new(Ready::default());
        let task = Arc::new(Task::default());
        let waker = Waker::from(Arc::clone(&task));
        let mut cx = Context::from_waker(&waker);
        assert!(!ready.poll_ready(&mut cx));
        let (first, second) = (ready.waker(Key::Acceptor(1)), ready.waker(Key::Acceptor(2)));
        first.wake_by_ref();
        assert!(task.0.load(Ordering::Relaxed));
        second.wake_by_ref();
        first.wake_by_ref();
        assert!(ready.poll_ready(&mut cx));
        assert_eq!((ready.next(), ready.next(), ready.next()), (Some(Key::Acceptor(1)), Some(Key::Acceptor(2)), None));
        first.wake_by_ref();
        assert_eq!(ready.next(), Some(Key::Acceptor(1)));
        drop(ready);
        first.wake();
    }
}
