//! The durable side.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redb::backends::FileBackend;
use redb::{
    Database, DatabaseError, Durability, ReadableDatabase as _, ReadableTable as _, StorageBackend, StorageError,
    TableDefinition, WriteTransaction,
};
use ringback_base::Now;
use ringback_location::{Aor, Binding, decode, encode};

use crate::birth::{make_if_missing, open_private, sync_folder};
use crate::error::{DiskError, OpenError};
use crate::lock;
use crate::options::Options;
use crate::watch::{Watch, Watched};
use crate::writer::Writes;

/// The rows of each address of record, as [`encode`] writes them.
const BINDINGS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("bindings");
/// The schema, and what [`LocationDb::meta_put`](crate::LocationDb::meta_put) puts.
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

const SCHEMA_KEY: &str = "schema";
const OWN_PREFIX: &str = "db.";
const SCHEMA: u32 = 1;

/// How often a database that failed is opened anew at most.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);

/// Opens the storage once more.
type Source = Box<dyn FnMut() -> Result<Database, DatabaseError> + Send>;

pub(crate) struct Disk {
    name: String,
    watch: Arc<Watch>,
    /// `None` when it is closed, or failed and could not be opened anew.
    database: Mutex<Option<Arc<Database>>>,
    reopen: Mutex<Reopen>,
    failed: AtomicBool,
}

struct Reopen {
    source: Source,
    tried_at: Option<Instant>,
    closed: bool,
}

/// Why a batch is not durable.
pub(crate) struct Failure {
    pub(crate) error: redb::Error,
    /// The disk may have it all the same.
    pub(crate) is_uncertain: bool,
    /// It makes no sense to try again.
    pub(crate) is_final: bool,
}

impl Disk {
    pub(crate) fn file(path: &Path, options: &Options) -> Result<Disk, OpenError> {
        let name = path.display().to_string();
        make_if_missing(path, |error| OpenError::from_redb(&name, error), |_| Ok(()))?;
        let file = path.to_owned();
        // A file that went away while it was open is not made again: it would be empty.
        let open = move || {
            File::options().read(true).write(true).open(&file).map_err(DatabaseError::from).and_then(FileBackend::new)
        };
        Disk::of(name, options, open)
    }

    pub(crate) fn backend(backend: impl StorageBackend, options: &Options) -> Result<Disk, OpenError> {
        let mut backend = Some(backend);
        let spent = || DatabaseError::from(io::Error::other("this storage can be opened only once"));
        Disk::of("the given storage".to_owned(), options, move || backend.take().ok_or_else(spent))
    }

    /// A database on what `open` gives, now and after failures.
    pub(crate) fn of<B: StorageBackend>(
        name: String,
        options: &Options,
        mut open: impl FnMut() -> Result<B, DatabaseError> + Send + 'static,
    ) -> Result<Disk, OpenError> {
        let watch = Arc::new(Watch::default());
        let cache_bytes = options.cache_bytes;
        let seen = Arc::clone(&watch);
        let mut source: Source = Box::new(move || {
            let backend = Watched { inner: open()?, watch: Arc::clone(&seen) };
            Database::builder().set_cache_size(cache_bytes).create_with_backend(backend)
        });
        let database = source().map_err(|error| OpenError::from_redb(&name, error.into()))?;
        let reopen = Mutex::new(Reopen { source, tried_at: None, closed: false });
        Ok(Disk { name, watch, database: Mutex::new(Some(Arc::new(database))), reopen, failed: AtomicBool::new(false) })
    }

    /// The path, or what stands for it in messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn syncs(&self) -> u64 {
        self.watch.syncs.load(Ordering::Relaxed)
    }

    /// Checks the schema, makes what is missing, drops rows that ran out, and hands over the others.
    pub(crate) fn load(&self, now: Now, mut insert: impl FnMut(Aor, Vec<Binding>)) -> Result<(), OpenError> {
        let corrupt = |error: String| OpenError::Corrupt { path: self.name.clone(), error };
        let wrap = |error: redb::Error| OpenError::from_redb(&self.name, error);
        let transaction = self.begin().map_err(wrap)?;
        let mut changed = false;
        match self.schema(&transaction)? {
            Some(SCHEMA) => {}
            Some(found) => return Err(OpenError::NewerSchema { path: self.name.clone(), found, known: SCHEMA }),
            None => {
                let mut meta = transaction.open_table(META).map_err(|e| wrap(e.into()))?;
                meta.insert(SCHEMA_KEY, SCHEMA.to_le_bytes().as_slice()).map_err(|e| wrap(e.into()))?;
                changed = true;
            }
        }
        let mut table = transaction.open_table(BINDINGS).map_err(|e| wrap(e.into()))?;
        let mut stale = Vec::new();
        for entry in table.iter().map_err(|e| wrap(e.into()))? {
            let (key, value) = entry.map_err(|e| wrap(e.into()))?;
            let aor = Aor::from_canonical(key.value()).ok_or_else(|| corrupt(format!("the key {:?}", key.value())))?;
            let mut rows = decode(value.value()).map_err(|error| corrupt(format!("{aor}: {error}")))?;
            let count = rows.len();
            rows.retain(|row| row.is_live(now));
            if rows.len() < count || count == 0 {
                stale.push((aor.clone(), (!rows.is_empty()).then(|| encode(&rows))));
            }
            if !rows.is_empty() {
                insert(aor, rows);
            }
        }
        changed |= !stale.is_empty();
        put_all(&mut table, stale.iter().map(|(aor, value)| (aor, value))).map_err(|e| wrap(e.into()))?;
        drop(table);
        if changed {
            transaction.commit().map_err(|e| wrap(e.into()))
        } else {
            transaction.abort().map_err(|e| wrap(e.into()))
        }
    }

    /// The number of the schema; `None` in a database that holds nothing yet.
    fn schema(&self, transaction: &WriteTransaction) -> Result<Option<u32>, OpenError> {
        let wrap = |error: redb::Error| OpenError::from_redb(&self.name, error);
        let tables = transaction.list_tables().map_err(|e| wrap(e.into()))?.count();
        let multimaps = transaction.list_multimap_tables().map_err(|e| wrap(e.into()))?.count();
        if tables == 0 && multimaps == 0 {
            return Ok(None);
        }
        let foreign =
            || OpenError::Corrupt { path: self.name.clone(), error: "it is a database of another program".to_owned() };
        let meta = transaction.open_table(META).map_err(|e| wrap(e.into()))?;
        let value = meta.get(SCHEMA_KEY).map_err(|e| wrap(e.into()))?.ok_or_else(foreign)?;
        let bytes = value.value().try_into().map_err(|_| foreign())?;
        Ok(Some(u32::from_le_bytes(bytes)))
    }

    /// Commits these entries, synced.
    pub(crate) fn write(&self, writes: &Writes) -> Result<(), Failure> {
        let failure = |error: redb::Error, is_uncertain| {
            self.failed.store(true, Ordering::Release);
            let is_final = self.watch.sync_failed.load(Ordering::Acquire);
            Failure { error, is_uncertain, is_final }
        };
        self.reopen_if_failed().map_err(|error| failure(error, false))?;
        let transaction = self.fill(writes).map_err(|error| failure(error, false))?;
        transaction.commit().map_err(|error| failure(error.into(), true))
    }

    fn fill(&self, writes: &Writes) -> Result<WriteTransaction, redb::Error> {
        let transaction = self.begin()?;
        put_all(&mut transaction.open_table(BINDINGS)?, writes.iter())?;
        Ok(transaction)
    }

    fn begin(&self) -> Result<WriteTransaction, redb::Error> {
        let mut transaction = self.database()?.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        Ok(transaction)
    }

    fn database(&self) -> Result<Arc<Database>, redb::Error> {
        lock(&self.database).clone().ok_or(redb::Error::DatabaseClosed)
    }

    /// After a failure redb refuses everything until it is opened anew. That is safe only where no sync failed: the pages of a
    /// commit whose sync failed look well in the page cache and may never reach the disk.
    fn reopen_if_failed(&self) -> Result<(), redb::Error> {
        if !self.failed.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut reopen = lock(&self.reopen);
        let too_soon = reopen.tried_at.is_some_and(|at| at.elapsed() < REOPEN_PAUSE);
        if too_soon || reopen.closed || self.watch.sync_failed.load(Ordering::Acquire) {
            return Err(redb::Error::PreviousIo);
        }
        reopen.tried_at = Some(Instant::now());
        // The old one goes first: it holds the lock of the file.
        *lock(&self.database) = None;
        let database = (reopen.source)()?;
        *lock(&self.database) = Some(Arc::new(database));
        self.failed.store(false, Ordering::Release);
        tracing::warn!(path = self.name, "the location database was opened anew after a failure");
        Ok(())
    }

    pub(crate) fn meta_get(&self, key: &str) -> Result<Option<Vec<u8>>, DiskError> {
        let get = || -> Result<_, redb::Error> {
            let table = self.database()?.begin_read()?.open_table(META)?;
            Ok(table.get(key)?.map(|value| value.value().to_vec()))
        };
        get().map_err(|error| DiskError::new(&self.name, error))
    }

    pub(crate) fn meta_put(&self, key: &str, value: &[u8]) -> Result<(), DiskError> {
        if key == SCHEMA_KEY || key.starts_with(OWN_PREFIX) {
            return Err(DiskError::new(&self.name, format!("the key {key:?} is the database's own")));
        }
        let put = || -> Result<_, redb::Error> {
            let transaction = self.begin()?;
            transaction.open_table(META)?.insert(key, value)?;
            Ok(transaction.commit()?)
        };
        put().map_err(|error| DiskError::new(&self.name, error))
    }

    /// Copies the last commit to a file that does not exist yet.
    pub(crate) fn backup_to(&self, path: &Path) -> Result<u64, DiskError> {
        let name = path.display().to_string();
        let wrap = |error: redb::Error| DiskError::new(&name, error);
        let in_io = |error: io::Error| DiskError::new(&name, error);
        if path.exists() {
            return Err(DiskError::new(&name, "there is such a file already"));
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = Path::new(&partial);
        let file = open_private(partial, OpenOptions::new().read(true).write(true).create(true).truncate(true))
            .map_err(in_io)?;
        let copied = self.copy_into(file);
        if copied.is_err() {
            _ = fs::remove_file(partial);
        }
        let count = copied.map_err(wrap)?;
        fs::rename(partial, path).map_err(in_io)?;
        sync_folder(path).map_err(in_io)?;
        Ok(count)
    }

    fn copy_into(&self, file: File) -> Result<u64, redb::Error> {
        let from = self.database()?.begin_read()?;
        let copy = Database::builder().set_cache_size(16 * 1024 * 1024).create_file(file)?;
        let to = copy.begin_write()?;
        let mut count = 0_u64;
        {
            let mut meta = to.open_table(META)?;
            for entry in from.open_table(META)?.iter()? {
                let (key, value) = entry?;
                meta.insert(key.value(), value.value())?;
            }
            let mut bindings = to.open_table(BINDINGS)?;
            for entry in from.open_table(BINDINGS)?.iter()? {
                let (key, value) = entry?;
                bindings.insert(key.value(), value.value())?;
                count = count.saturating_add(1);
            }
        }
        to.commit()?;
        Ok(count)
    }

    /// Closes the file, so that another process may open it.
    pub(crate) fn close(&self) {
        lock(&self.reopen).closed = true;
        *lock(&self.database) = None;
    }
}

fn put_all<'a>(
    table: &mut redb::Table<'_, &str, &[u8]>,
    writes: impl Iterator<Item = (&'a Aor, &'a Option<Vec<u8>>)>,
) -> Result<(), StorageError> {
    for (aor, value) in writes {
        match value {
            Some(bytes) => _ = table.insert(aor.as_str(), bytes.as_slice())?,
            None => _ = table.remove(aor.as_str())?,
        }
    }
    Ok(())
}
