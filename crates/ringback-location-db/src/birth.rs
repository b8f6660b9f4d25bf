//! How a database comes into being: whole, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Database, DatabaseError, StorageBackend};

/// Makes a database where nothing is, and has `fill` put into it what it must never be without.
///
/// It is made beside the path under another name, and gets its own when it is whole and synced. Made in place, it would be no
/// database after a crash in these first milliseconds, and every later start would be refused. `wrap` makes of redb's errors what
/// the caller has for them.
///
/// # Errors
/// Where it can't be made. Then nothing has the name.
pub fn make_if_missing<E>(
    path: &Path,
    wrap: impl Fn(redb::Error) -> E,
    fill: impl FnOnce(&Database) -> Result<(), E>,
) -> Result<(), E> {
    if path.symlink_metadata().is_ok() {
        return Ok(());
    }
    let fresh = fresh_name(path);
    let made = make(path, &fresh, FileBackend::new, &wrap, fill);
    _ = fs::remove_file(&fresh);
    made
}

/// Not the name that another process makes its own under at the same time.
fn fresh_name(path: &Path) -> PathBuf {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(format!(".new-{}", std::process::id()));
    fresh.into()
}

fn make<B: StorageBackend, E>(
    path: &Path,
    fresh: &Path,
    backend: impl FnOnce(File) -> Result<B, DatabaseError>,
    wrap: &impl Fn(redb::Error) -> E,
    fill: impl FnOnce(&Database) -> Result<(), E>,
) -> Result<(), E> {
    let in_io = |error: io::Error| wrap(redb::Error::Io(error));
    let file = new_file(fresh).map_err(in_io)?;
    let backend = backend(file).map_err(|error| wrap(error.into()))?;
    let database = Database::builder().create_with_backend(backend).map_err(|error| wrap(error.into()))?;
    fill(&database)?;
    // Closed before it gets its name, so that the first to open it finds nothing to repair.
    drop(database);
    File::options().write(true).open(fresh).and_then(|file| file.sync_all()).map_err(in_io)?;
    match fs::hard_link(fresh, path) {
        Ok(()) => {}
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        // Some file systems have no such links.
        Err(_) => fs::rename(fresh, path).map_err(in_io)?,
    }
    sync_folder(path).map_err(in_io)
}

/// An empty file that only its owner may read.
fn new_file(path: &Path) -> io::Result<File> {
    // What a process of this number left behind. It is not emptied: after a crash right behind the link it may be one file with a
    // database that has its name.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    open_private(path, OpenOptions::new().read(true).write(true).create_new(true))
}

/// Opens a file that, where it is made, only its owner may read: it holds a secret, and where people are.
pub(crate) fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

/// Makes the name of a new file durable, where the system has that.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems have no such sync.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use std::cell::Cell;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use redb::{ReadableDatabase as _, TableDefinition};

    /// Storage of a process that is killed at its so-manieth change: half of that one is done, and none after it.
    #[derive(Debug)]
    struct Mortal {
        inner: FileBackend,
        changes_left: Arc<AtomicUsize>,
    }

    impl Mortal {
        fn change(
            &self,
            whole: impl FnOnce() -> io::Result<()>,
            half: impl FnOnce() -> io::Result<()>,
        ) -> io::Result<()> {
            let before = self.changes_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            match before {
                Ok(2..) => return whole(),
                Ok(_) => half()?,
                Err(_) => {}
            }
            Err(io::Error::other("killed"))
        }
    }

    impl StorageBackend for Mortal {
        fn len(&self) -> io::Result<u64> {
            self.inner.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.inner.read(offset, out)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.change(|| self.inner.set_len(len), || self.inner.set_len(len / 2))
        }

        fn sync_data(&self) -> io::Result<()> {
            self.change(|| self.inner.sync_data(), || Ok(()))
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.change(|| self.inner.write(offset, data), || self.inner.write(offset, &data[..data.len() / 2]))
        }
    }

    const TABLE: TableDefinition<'_, &str, u64> = TableDefinition::new("table");

    fn fill(database: &Database) -> Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        transaction.open_table(TABLE)?.insert("row", 7)?;
        Ok(transaction.commit()?)
    }

    fn row(path: &Path) -> Result<u64, redb::Error> {
        let database = Database::open(path)?;
        let row = database.begin_read()?.open_table(TABLE)?.get("row")?;
        Ok(row.map_or(0, |row| row.value()))
    }

    #[test]
    fn killed_at_any_change_of_its_making_it_is_made_anew() {
        let (filled, mut kills) = (Cell::new(0), 0);
        loop {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.redb");
            let fresh = fresh_name(&path);
            let changes_left = Arc::new(AtomicUsize::new(kills + 1));
            let mortal = |file| Ok(Mortal { inner: FileBackend::new(file)?, changes_left: Arc::clone(&changes_left) });
            let counted = |database: &Database| {
                filled.set(filled.get() + 1);
                fill(database)
            };
            let made = make(&path, &fresh, mortal, &|error| error, counted);
            if changes_left.load(Ordering::SeqCst) > 0 {
                made.unwrap();
                break;
            }
            // What is killed while it is being closed is whole by then.
            assert_eq!(path.exists(), made.is_ok(), "{kills}");
            // What is left of the first attempt has the name that the second one takes.
            assert!(fresh.exists());
            make_if_missing(&path, |error| error, fill).unwrap_or_else(|error| panic!("{kills}: {error}"));
            assert_eq!(row(&path).unwrap_or_else(|error| panic!("{kills}: {error}")), 7, "{kills}");
            kills += 1;
        }
        // It died before and while it was being filled.
        assert!(filled.get() < kills && filled.get() > 1, "{kills} kills, {} filled", filled.get());
    }

    #[test]
    fn a_database_that_kept_its_first_name_too_is_not_emptied_by_it() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("a.redb"), folder.path().join("moved"));
        make_if_missing(&path, |error| error, fill).unwrap();
        // A crash between the link and the end of the first name, and an operator who then puts the database aside.
        fs::hard_link(&path, fresh_name(&path)).unwrap();
        fs::rename(&path, &moved).unwrap();
        make_if_missing(&path, |error: redb::Error| error, |_| Ok(())).unwrap();
        assert_eq!(row(&moved).unwrap(), 7);
    }
}
