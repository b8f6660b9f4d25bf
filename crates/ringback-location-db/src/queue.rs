//! What waits for the writer.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringback_location::{Aor, Version};

use crate::error::StoreError;
use crate::options::Options;
use crate::table::Rows;
use crate::{Done, lock};

/// How long the writer waits after a failure before it tries again on its own.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A store, or a question whether one is durable, under [`Durability::Always`](crate::Durability::Always).
pub(crate) struct Job {
    pub(crate) aor: Aor,
    pub(crate) version: Version,
    /// `None` for a question.
    pub(crate) store: Option<Store>,
    pub(crate) answer: Option<Answer>,
}

/// Rows and the bytes that the disk gets, or `None` where the entry is to go.
pub(crate) struct Store {
    pub(crate) rows: Rows,
    pub(crate) encoded: Option<Vec<u8>>,
}

/// Calls `done` exactly once, whatever happens to the one who holds it.
pub(crate) struct Answer(Option<Done>);

impl Answer {
    pub(crate) fn new(done: Done) -> Answer {
        Answer(Some(done))
    }

    pub(crate) fn give(mut self, result: Result<Version, StoreError>) {
        if let Some(done) = self.0.take() {
            done(result);
        }
    }

    /// As `give`, on a thread that must go on.
    pub(crate) fn give_safely(mut self, result: Result<Version, StoreError>) {
        self.call(result);
    }

    fn call(&mut self, result: Result<Version, StoreError>) {
        let Some(done) = self.0.take() else { return };
        if catch_unwind(AssertUnwindSafe(|| done(result))).is_err() {
            tracing::error!("whoever waited for a store panicked when it was told of the outcome");
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.call(Err(StoreError::Closed));
    }
}

pub(crate) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    window: Duration,
    batch_max: usize,
    queue_max: usize,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Entries whose rows in memory were acknowledged and are not on the disk, under the other durabilities.
    dirty: BTreeSet<Aor>,
    closed: bool,
}

/// What one commit is to hold.
pub(crate) struct Batch {
    pub(crate) jobs: Vec<Job>,
    pub(crate) dirty: BTreeSet<Aor>,
    /// Nothing follows.
    pub(crate) is_last: bool,
}

impl Queue {
    pub(crate) fn new(options: &Options) -> Queue {
        Queue {
            state: Mutex::default(),
            wake: Condvar::new(),
            window: options.window(),
            batch_max: options.batch_max.max(1),
            queue_max: options.queue_max.max(1),
        }
    }

    /// Takes the job that `make` makes, if there is room for it: otherwise its answer stays with the caller.
    pub(crate) fn push(&self, make: impl FnOnce() -> Job) -> Result<(), StoreError> {
        let mut state = lock(&self.state);
        self.check_room(&state, state.jobs.len())?;
        state.jobs.push_back(make());
        // The writer sleeps until there is something, and then until there is enough.
        if state.jobs.len() == 1 || state.jobs.len() == self.batch_max {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Remembers an entry for the next commit.
    pub(crate) fn mark(&self, aor: &Aor) -> Result<(), StoreError> {
        let mut state = lock(&self.state);
        if state.dirty.contains(aor) && !state.closed {
            return Ok(());
        }
        self.check_room(&state, state.dirty.len())?;
        state.dirty.insert(aor.clone());
        if state.dirty.len() == 1 || state.dirty.len() == self.dirty_enough() {
            self.wake.notify_one();
        }
        Ok(())
    }

    fn check_room(&self, state: &State, len: usize) -> Result<(), StoreError> {
        match (state.closed, len >= self.queue_max) {
            (true, _) => Err(StoreError::Closed),
            (false, true) => Err(StoreError::Full),
            (false, false) => Ok(()),
        }
    }

    /// So many entries are committed before their interval is over, so that there is room for more meanwhile.
    fn dirty_enough(&self) -> usize {
        (self.queue_max / 2).max(1)
    }

    /// No more is taken; the writer ends when it has done what is here.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.wake.notify_one();
    }

    /// Closes it and drops what is here, which answers it: what is left to do when the writer is gone.
    pub(crate) fn abandon(&self) {
        let jobs = {
            let mut state = lock(&self.state);
            state.closed = true;
            std::mem::take(&mut state.jobs)
        };
        drop(jobs);
    }

    pub(crate) fn len(&self) -> usize {
        let state = lock(&self.state);
        state.jobs.len().max(state.dirty.len())
    }

    /// Waits for something to do, then as long as the window for more of it. With `retry` an empty batch comes after a pause.
    pub(crate) fn next_batch(&self, retry: bool) -> Batch {
        let idle = |state: &mut State| state.jobs.is_empty() && state.dirty.is_empty() && !state.closed;
        let state = lock(&self.state);
        let state = if retry {
            self.wait(state, RETRY_PAUSE, idle)
        } else {
            self.wake.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner)
        };
        let few = |state: &mut State| {
            state.jobs.len() < self.batch_max && state.dirty.len() < self.dirty_enough() && !state.closed
        };
        let mut state = if idle_now(&state) { state } else { self.wait(state, self.window, few) };
        let count = state.jobs.len().min(self.batch_max);
        let jobs = state.jobs.drain(..count).collect();
        let dirty = std::mem::take(&mut state.dirty);
        Batch { jobs, dirty, is_last: state.closed && state.jobs.is_empty() }
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        span: Duration,
        condition: impl FnMut(&mut State) -> bool,
    ) -> MutexGuard<'a, State> {
        self.wake.wait_timeout_while(state, span, condition).unwrap_or_else(PoisonError::into_inner).0
    }
}

fn idle_now(state: &State) -> bool {
    state.jobs.is_empty() && state.dirty.is_empty()
}
