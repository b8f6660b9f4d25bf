//! The one thread that writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ringback_location::{Aor, encode};

use crate::disk::Failure;
use crate::error::{DiskError, StoreError};
use crate::queue::{Answer, Batch, Job};
use crate::{Shared, Stats};

pub(crate) struct Writer {
    shared: Arc<Shared>,
    /// Entries of which the disk may have other rows than those that memory counts as durable.
    uncertain: BTreeSet<Aor>,
    /// When a failure was logged last.
    logged_at: Option<Instant>,
    /// Trying again makes no sense.
    is_final: bool,
}

/// How often failures are logged: under load there are hundreds a second.
const LOG_PAUSE: Duration = Duration::from_secs(10);

/// An entry as the disk is to have it; `None` where it is to go.
pub(crate) type Writes = BTreeMap<Aor, Option<Vec<u8>>>;

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>) -> Writer {
        Writer { shared, uncertain: BTreeSet::new(), logged_at: None, is_final: false }
    }

    /// Commits batch after batch until the queue is closed and empty.
    pub(crate) fn run(mut self) -> Result<(), DiskError> {
        // Should this thread panic, nobody waits for it in vain.
        let _abandon = Abandon(Arc::clone(&self.shared));
        loop {
            let batch = self.shared.queue.next_batch(!self.uncertain.is_empty() && !self.is_final);
            let is_last = batch.is_last;
            let result = self.commit(batch);
            if is_last {
                self.shared.disk.close();
                return if self.uncertain.is_empty() { Ok(()) } else { result };
            }
        }
    }

    fn commit(&mut self, batch: Batch) -> Result<(), DiskError> {
        let shared = Arc::clone(&self.shared);
        // What was built upon lost rows is lost with them.
        let (live, lost): (Vec<Job>, Vec<Job>) =
            batch.jobs.into_iter().partition(|job| shared.table.is_pending(&job.aor, job.version));
        let dirty: Vec<Aor> = batch.dirty.into_iter().collect();
        let writes = self.writes(&live, &dirty);
        let result = if writes.is_empty() { Ok(()) } else { shared.disk.write(&writes) };
        match &result {
            Ok(()) if writes.is_empty() => {}
            Ok(()) => {
                self.uncertain.clear();
                self.logged_at = None;
                shared.counters.commits.fetch_add(1, Ordering::Relaxed);
            }
            Err(failure) => self.failed(failure, &live, dirty, &writes),
        }
        answer(lost, |_| Err(StoreError::Failed));
        match result {
            Ok(()) => {
                answer(live, |job| {
                    shared.table.settle(&job.aor, job.version, job.store.take().map(|store| store.rows));
                    Ok(job.version)
                });
                Ok(())
            }
            Err(failure) => {
                answer(live, |_| Err(StoreError::Failed));
                Err(DiskError::new(shared.disk.name(), failure.error))
            }
        }
    }

    /// The last rows of each entry; a job's are newer than what is durable.
    fn writes(&self, jobs: &[Job], dirty: &[Aor]) -> Writes {
        let table = &self.shared.table;
        let durable = |aor: &Aor| (aor.clone(), table.durable(aor).map(|rows| encode(&rows)));
        let mut writes: Writes = self.uncertain.iter().chain(dirty).map(durable).collect();
        for job in jobs {
            if let Some(store) = &job.store {
                writes.insert(job.aor.clone(), store.encoded.clone());
            }
        }
        writes
    }

    fn failed(&mut self, failure: &Failure, live: &[Job], dirty: Vec<Aor>, writes: &Writes) {
        self.shared.counters.commits_failed.fetch_add(1, Ordering::Relaxed);
        live.iter().for_each(|job| self.shared.table.roll_back(&job.aor));
        self.uncertain.extend(dirty);
        if failure.is_uncertain {
            self.uncertain.extend(writes.keys().cloned());
        }
        self.is_final = failure.is_final;
        if self.logged_at.is_none_or(|at| at.elapsed() >= LOG_PAUSE) {
            self.logged_at = Some(Instant::now());
            let advice = if failure.is_final { "; stores fail until the server is started again" } else { "" };
            let (path, error) = (self.shared.disk.name(), &failure.error);
            tracing::error!(path, %error, entries = writes.len(), "bindings could not be committed{advice}");
        }
    }
}

/// Tells everybody, in order, what `outcome` says of their job.
fn answer(jobs: Vec<Job>, mut outcome: impl FnMut(&mut Job) -> Result<ringback_location::Version, StoreError>) {
    // All entries are settled before anybody is told: whoever is told may look at other entries of the batch.
    let told: Vec<(Option<Answer>, _)> = jobs
        .into_iter()
        .map(|mut job| {
            let result = outcome(&mut job);
            (job.answer.take(), result)
        })
        .collect();
    for (answer, result) in told {
        if let Some(answer) = answer {
            answer.give_safely(result);
        }
    }
}

/// Closes the queue when the writer ends, however it ends.
struct Abandon(Arc<Shared>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.queue.abandon();
    }
}

#[derive(Default)]
pub(crate) struct Counters {
    stores: AtomicU64,
    conflicts: AtomicU64,
    refused_full: AtomicU64,
    aors_max_reached: AtomicU64,
    commits: AtomicU64,
    commits_failed: AtomicU64,
}

impl Counters {
    pub(crate) fn stored(&self) {
        self.stores.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, error: StoreError) {
        match error {
            StoreError::Conflict { .. } => _ = self.conflicts.fetch_add(1, Ordering::Relaxed),
            StoreError::Full => _ = self.refused_full.fetch_add(1, Ordering::Relaxed),
            StoreError::TooManyAors => _ = self.aors_max_reached.fetch_add(1, Ordering::Relaxed),
            StoreError::Failed | StoreError::Closed => {}
        }
    }

    pub(crate) fn fill(&self, base: Stats) -> Stats {
        Stats {
            stores: self.stores.load(Ordering::Relaxed),
            conflicts: self.conflicts.load(Ordering::Relaxed),
            refused_full: self.refused_full.load(Ordering::Relaxed),
            aors_max_reached: self.aors_max_reached.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            commits_failed: self.commits_failed.load(Ordering::Relaxed),
            ..base
        }
    }
}
