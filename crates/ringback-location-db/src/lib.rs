//! The embedded back end of the location table: bindings in memory, redb as their durable side.
//!
//! ```text
//!   load ───────────────▶ Table (memory, sharded) ◀──rows, version──┐
//!   compare_and_store ──▶ version checked, rows staged               │ settled, or rolled back
//!                              └──▶ Queue ──batch──▶ writer thread ──▶ one redb commit ──▶ done(Ok | Failed)
//! ```
//!
//! # What a store promises
//! Under [`Durability::Always`]:
//! * [`LocationDb::compare_and_store`] checks the version, reserves the next one and stages the rows, all under one lock. From then
//!   on [`LocationDb::load`] shows the new rows and their version, so that the next writer builds upon them instead of losing
//!   them. A proxy may use such rows; one that acts upon rows that a crash could take away rings a phone that asked for it.
//! * `done` is called with `Ok` only after the commit that holds the rows was synced. Stores of one address of record are
//!   committed in the order of their versions, in one batch or in several.
//! * Where the commit fails, memory goes back to the rows that were last durable, under a new version, and `done` is called with
//!   [`StoreError::Failed`]; so are all stores that were built upon the lost rows. The client must hear that its request failed.
//! * Whoever only *reads* rows in order to tell a client about them (a REGISTER that fetches) calls [`LocationDb::confirm`] first:
//!   it answers once the rows of that version are durable, at once if they are.
//! * After a failed commit the disk may hold the old or the new rows. The old ones are written again with the next commit that works.
//!
//! Under [`Durability::Interval`] and [`Durability::None`] stores are acknowledged from memory; see there what a crash can take.
//!
//! # Which sync
//! A commit is made with redb's `Durability::Immediate`, in one phase: redb writes the pages and the commit slot, with checksums,
//! and calls `StorageBackend::sync_data` once. For a file that is `File::sync_data`: `fdatasync` on Linux, `F_FULLFSYNC` on macOS,
//! `FlushFileBuffers` on Windows. A commit that a crash cut short fails its checksums, and the one before it counts. The folder is
//! synced once, after the file was made.
//!
//! A full disk is survived: the database is opened anew, at most once a second, until a commit works. A *failed sync* is not: what the
//! system did with the data is then unknown, so all stores fail until the server is started again on a disk that was looked at.
//!
//! # Example
//! ```
//! use std::sync::mpsc;
//! use ringback_base::Now;
//! use ringback_location::{Aor, Version};
//! use ringback_location_db::{LocationDb, Options};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("location.redb");
//! let db = LocationDb::open(&path, Options::default(), Now::default())?;
//! let alice = Aor::new(b"alice", "example.com")?;
//! let (rows, version) = db.load(&alice);
//! assert!(rows.is_empty() && version == Version(0));
//! let (done, stored) = mpsc::channel();
//! db.compare_and_store(alice, version, Vec::new(), Box::new(move |result| _ = done.send(result)));
//! assert!(stored.recv()?.is_ok());
//! db.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod birth;
mod disk;
mod error;
mod options;
mod queue;
mod table;
mod watch;
mod writer;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

pub use crate::birth::make_if_missing;
pub use redb::StorageBackend;
use ringback_base::Now;
use ringback_location::{Aor, Binding, Version, encode};

use crate::disk::Disk;
pub use crate::error::{DiskError, OpenError, StoreError};
pub use crate::options::{Durability, NONE_INTERVAL, Options};
use crate::queue::{Answer, Job, Queue, Store};
use crate::table::{Rows, Table};
use crate::writer::{Counters, Writer};

/// What is called, once, with the outcome of a store: on the writer's thread, or on the caller's own where the outcome is known at once.
///
/// It must not block: the next commit waits for it.
pub type Done = Box<dyn FnOnce(Result<Version, StoreError>) + Send>;

/// How many row sets one call of [`LocationDb::purge_expired`] changes at most.
pub const PURGE_MAX: usize = 1_024;

/// A handle to the database. Clones share it; the last one to go commits what is queued and closes it.
#[derive(Clone)]
pub struct LocationDb {
    handle: Arc<Handle>,
}

/// What the handles and the writer share.
struct Shared {
    table: Table,
    queue: Queue,
    disk: Disk,
    counters: Counters,
    options: Options,
}

struct Handle {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<Result<(), DiskError>>>>,
}

/// Figures since the database was opened, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Addresses of record that have rows now.
    pub aors: usize,
    /// Stores that wait for a commit now; the limit is [`Options::queue_max`].
    pub queued: usize,
    /// Stores that were accepted.
    pub stores: u64,
    /// Stores that were refused because somebody else was faster.
    pub conflicts: u64,
    /// Stores that were refused because the queue was full.
    pub refused_full: u64,
    /// Stores that were refused because there were [`Options::aors_max`] other addresses of record.
    pub aors_max_reached: u64,
    /// Commits that worked.
    pub commits: u64,
    /// Commits that failed.
    pub commits_failed: u64,
    /// Syncs that the storage was asked for.
    pub syncs: u64,
}

impl LocationDb {
    /// Opens the database in that file, or makes it, readable for its owner alone. Rows that ran out before `now` are dropped.
    ///
    /// The file is locked: a second process can't open it. After a crash redb checks every page first, which takes a moment
    /// where there are very many.
    ///
    /// # Errors
    /// Names the file and what to do.
    pub fn open(path: &Path, options: Options, now: Now) -> Result<LocationDb, OpenError> {
        LocationDb::start(Disk::file(path, &options), options, now)
    }

    /// A database in memory, which is gone with the process.
    ///
    /// # Errors
    /// Where a thread can't be had.
    pub fn in_memory(options: Options, now: Now) -> Result<LocationDb, OpenError> {
        LocationDb::open_backend(redb::backends::InMemoryBackend::new(), options, now)
    }

    /// Opens the database in storage of the caller's own, or makes it there if that is empty. It is not opened anew after a failure.
    ///
    /// # Errors
    /// As [`LocationDb::open`].
    pub fn open_backend(backend: impl StorageBackend, options: Options, now: Now) -> Result<LocationDb, OpenError> {
        LocationDb::start(Disk::backend(backend, &options), options, now)
    }

    /// Opens the database in storage of the caller's own that can be opened anew after a failure; the former is closed by then.
    ///
    /// # Errors
    /// As [`LocationDb::open`].
    pub fn open_with<B: StorageBackend>(
        mut open: impl FnMut() -> io::Result<B> + Send + 'static,
        options: Options,
        now: Now,
    ) -> Result<LocationDb, OpenError> {
        let open = move || open().map_err(redb::DatabaseError::from);
        LocationDb::start(Disk::of("the given storage".to_owned(), &options, open), options, now)
    }

    fn start(disk: Result<Disk, OpenError>, options: Options, now: Now) -> Result<LocationDb, OpenError> {
        let disk = disk?;
        let table = Table::new(options.aors_max);
        disk.load(now, |aor, rows| table.insert(aor, rows))?;
        let queue = Queue::new(&options);
        let shared = Arc::new(Shared { table, queue, disk, counters: Counters::default(), options });
        let writer = Writer::new(Arc::clone(&shared));
        let thread = thread::Builder::new().name("location-db".into()).spawn(move || writer.run());
        let thread =
            thread.map_err(|error| OpenError::Other { path: shared.disk.name().into(), error: error.to_string() })?;
        Ok(LocationDb { handle: Arc::new(Handle { shared, writer: Mutex::new(Some(thread)) }) })
    }

    /// The rows of an address of record, perhaps with some that ran out, and their version: from memory, the newest ones.
    #[must_use]
    pub fn load(&self, aor: &Aor) -> (Arc<[Binding]>, Version) {
        self.shared().table.load(aor)
    }

    /// Stores these rows, all that there are to be, if their version is still that one; no rows remove the entry.
    ///
    /// `done` is called exactly once: at once with [`StoreError::Conflict`], [`StoreError::Full`],
    /// [`StoreError::TooManyAors`] or [`StoreError::Closed`], otherwise
    /// when the rows are durable as the [`Durability`] defines it, or can't be. A version is only good for the next store: an entry
    /// that was removed is back at version 0.
    pub fn compare_and_store(&self, aor: Aor, version: Version, rows: Vec<Binding>, done: Done) {
        let shared = self.shared();
        let rows: Rows = rows.into();
        let answered = if shared.options.durability == Durability::Always {
            let encoded = (!rows.is_empty()).then(|| encode(&rows));
            let mut answer = Some(Answer::new(done));
            let staged = shared.table.stage(&aor, version, &rows, |reserved| {
                let store = Store { rows: Arc::clone(&rows), encoded };
                shared.queue.push(|| Job {
                    aor: aor.clone(),
                    version: reserved,
                    store: Some(store),
                    answer: answer.take(),
                })
            });
            staged.err().map(|error| (answer, Err(error)))
        } else {
            let replaced = shared.table.replace(&aor, version, &rows, || shared.queue.mark(&aor));
            Some((Some(Answer::new(done)), replaced))
        };
        match answered {
            None | Some((_, Ok(_))) => shared.counters.stored(),
            Some((_, Err(error))) => shared.counters.refused(error),
        }
        if let Some((Some(answer), result)) = answered {
            answer.give(result);
        }
    }

    /// Answers once the rows of that version are durable as the [`Durability`] defines it: what a reader asks for before it tells
    /// a client of rows that it did not store itself.
    ///
    /// `done` is called exactly once, as [`LocationDb::compare_and_store`] does: with [`StoreError::Conflict`] where there are newer rows.
    pub fn confirm(&self, aor: &Aor, version: Version, done: Done) {
        let shared = self.shared();
        let mut answer = Some(Answer::new(done));
        let result = shared.table.confirm(aor, version, || {
            shared.queue.push(|| Job { aor: aor.clone(), version, store: None, answer: answer.take() })
        });
        if let Some(answer) = answer {
            answer.give(result);
        }
    }

    /// Removes rows that ran out, of at most [`PURGE_MAX`] addresses of record, and tells of how many. It looks at every entry: call it
    /// every minute or so, and again at once while it returns the maximum.
    pub fn purge_expired(&self, now: Now) -> usize {
        let stale = self.shared().table.stale(now, PURGE_MAX);
        let count = stale.len();
        for (aor, version, rows) in stale {
            // Whoever was faster has dropped them as well; where it fails, the next call tries again.
            self.compare_and_store(aor, version, rows, Box::new(|_| ()));
        }
        count
    }

    /// Removes all bindings of a user, whatever the domain they were made under, and tells of how many addresses of record. It looks at
    /// every entry and blocks until the removal is durable: for the day that an account goes.
    ///
    /// # Errors
    /// Where a removal can't be stored; those before it are.
    pub fn remove_user(&self, user: &str) -> Result<usize, StoreError> {
        let mut removed = 0;
        for (aor, mut version) in self.shared().table.of_user(user) {
            loop {
                let (done, outcome) = std::sync::mpsc::channel();
                let done = Box::new(move |result| {
                    // The receiver waits below.
                    _ = done.send(result);
                });
                self.compare_and_store(aor.clone(), version, Vec::new(), done);
                match outcome.recv().unwrap_or(Err(StoreError::Closed)) {
                    Ok(_) => break,
                    Err(StoreError::Conflict { current }) => version = current,
                    Err(error) => return Err(error),
                }
            }
            removed += 1;
        }
        Ok(removed)
    }

    /// The bytes that were put under that key.
    ///
    /// # Errors
    /// Where they can't be read.
    pub fn meta_get(&self, key: &str) -> Result<Option<Vec<u8>>, DiskError> {
        self.shared().disk.meta_get(key)
    }

    /// Puts bytes under a key of a small table of its own, durably whatever the [`Durability`]; it blocks for the commit.
    ///
    /// The keys `schema` and those that start with `db.` are the database's own.
    ///
    /// # Errors
    /// Where they can't be written, or the key is the database's own.
    pub fn meta_put(&self, key: &str, value: &[u8]) -> Result<(), DiskError> {
        self.shared().disk.meta_put(key, value)
    }

    /// Copies what is durable to a new file while everything goes on, and tells how many addresses of record it holds. It blocks for the copy.
    ///
    /// The copy is of one moment, is a database like this one, and holds what [`LocationDb::meta_put`] put, secrets included. It is
    /// written under another name and gets its own when it is whole and synced.
    ///
    /// # Errors
    /// Where the file exists, or can't be written, or the database can't be read.
    pub fn backup_to(&self, path: &Path) -> Result<u64, DiskError> {
        self.shared().disk.backup_to(path)
    }

    /// How many addresses of record have rows, those that ran out included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared().table.len()
    }

    /// True where none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Figures for metrics.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let shared = self.shared();
        let base = Stats {
            aors: shared.table.len(),
            queued: shared.queue.len(),
            syncs: shared.disk.syncs(),
            ..Stats::default()
        };
        shared.counters.fill(base)
    }

    /// Commits what is queued and closes the file. Other handles still read, and get [`StoreError::Closed`] for stores.
    ///
    /// # Errors
    /// Where the last commit failed, so that the disk may not have what memory counts as durable.
    pub fn close(self) -> Result<(), DiskError> {
        self.handle.close()
    }

    fn shared(&self) -> &Shared {
        &self.handle.shared
    }
}

impl Handle {
    fn close(&self) -> Result<(), DiskError> {
        self.shared.queue.close();
        let Some(writer) = lock(&self.writer).take() else { return Ok(()) };
        // The last handle can go inside a `done`, on the writer's own thread, which can't wait for itself.
        if writer.thread().id() == thread::current().id() {
            return Ok(());
        }
        writer.join().unwrap_or_else(|_| Err(DiskError::new(self.shared.disk.name(), "the writer's thread panicked")))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the location database was closed with rows that are not durable");
        }
    }
}

impl fmt::Debug for LocationDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocationDb").field("path", &self.shared().disk.name()).field("stats", &self.stats()).finish()
    }
}

/// A lock whose former holder may have panicked: what it guards is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
