//! Files: their lock, their permissions, their defects, and copies of them.

use std::fs;
use std::path::Path;

use ringback_location::Version;
use ringback_location_db::{LocationDb, OpenError};

use crate::*;

fn open(path: &Path) -> Result<LocationDb, OpenError> {
    LocationDb::open(path, options(), at(0))
}

/// The error, whose text is one line that starts with the path.
fn refused(path: &Path) -> OpenError {
    let error = open(path).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&format!("{}: ", path.display())) && !text.contains('\n'), "{text}");
    error
}

#[test]
fn rows_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("location.redb");
    let db = open(&path).unwrap();
    answer(&store(&db, "alice", Version(0), vec![row("sip:a@x")])).unwrap();
    drop(db);
    assert_eq!(contacts(&open(&path).unwrap(), "alice"), ["sip:a@x"]);
}

#[test]
fn a_copy_of_the_file_without_an_orderly_end_has_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("location.redb"), folder.path().join("copy.redb"));
    let db = open(&path).unwrap();
    answer(&store(&db, "alice", Version(0), vec![row("sip:a@x")])).unwrap();
    fs::copy(&path, &copy).unwrap();
    assert_eq!(contacts(&open(&copy).unwrap(), "alice"), ["sip:a@x"]);
}

#[test]
fn a_second_opener_is_refused_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("location.redb");
    let db = open(&path).unwrap();
    assert!(matches!(refused(&path), OpenError::Taken { .. }));
    answer(&store(&db, "alice", Version(0), vec![row("sip:a@x")])).unwrap();
    db.close().unwrap();
    assert_eq!(open(&path).unwrap().len(), 1);
}

/// A crash within these first milliseconds leaves nothing under the name, or all of it.
#[test]
fn a_new_database_gets_its_name_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("location.redb");
    let watched = path.clone();
    let (done, told) = std::sync::mpsc::channel::<()>();
    let watcher = std::thread::spawn(move || {
        let mut first = Vec::new();
        while matches!(told.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty)) && first.is_empty() {
            first = fs::read(&watched).unwrap_or_default();
        }
        first
    });
    let db = open(&path).unwrap();
    drop(done);
    let first = watcher.join().unwrap();
    assert!(first.is_empty() || first.starts_with(b"redb"), "it was seen when it was no database");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something half-done was left");
    answer(&store(&db, "alice", Version(0), vec![row("sip:a@x")])).unwrap();
    drop(db);
    // An empty file that somebody else made is made a database in its place.
    fs::write(&path, b"").unwrap();
    assert!(open(&path).unwrap().is_empty());
}

#[test]
fn what_is_no_database_is_called_so_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("location.redb");
    for content in [&b"hello"[..], &[0; 100_000], &[0xff; 8_192]] {
        fs::write(&path, content).unwrap();
        assert!(matches!(refused(&path), OpenError::Corrupt { .. }), "{:?}", refused(&path));
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn a_database_that_lost_its_end_is_called_broken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("location.redb");
    let db = open(&path).unwrap();
    for n in 0..50 {
        answer(&store(&db, &format!("u{n}"), Version(0), vec![row("sip:a@x")])).unwrap();
    }
    db.close().unwrap();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(refused(&path), OpenError::Corrupt { .. }), "{:?}", refused(&path));
}

#[test]
fn databases_of_others_and_of_later_versions_are_told_apart() {
    const OTHER: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("other");
    const META: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new("meta");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.redb");
    let foreign = redb::Database::create(&path).unwrap();
    let write = foreign.begin_write().unwrap();
    write.open_table(OTHER).unwrap().insert(1, 1).unwrap();
    write.commit().unwrap();
    drop(foreign);
    assert!(matches!(refused(&path), OpenError::Corrupt { .. }));

    let path = folder.path().join("later.redb");
    drop(open(&path).unwrap());
    let later = redb::Database::open(&path).unwrap();
    let write = later.begin_write().unwrap();
    write.open_table(META).unwrap().insert("schema", &2_u32.to_le_bytes()[..]).unwrap();
    write.commit().unwrap();
    drop(later);
    assert!(matches!(refused(&path), OpenError::NewerSchema { found: 2, known: 1, .. }));
}

#[test]
fn a_row_set_that_can_not_be_read_is_named() {
    const BINDINGS: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new("bindings");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("location.redb");
    for (key, value) in
        [("alice@example.com", &b"\x01\x05"[..]), ("alice@example.com", b"\x09"), ("ALICE", b"\x01\x00")]
    {
        _ = fs::remove_file(&path);
        drop(open(&path).unwrap());
        let broken = redb::Database::open(&path).unwrap();
        let write = broken.begin_write().unwrap();
        write.open_table(BINDINGS).unwrap().insert(key, value).unwrap();
        write.commit().unwrap();
        drop(broken);
        let error = refused(&path);
        assert!(matches!(error, OpenError::Corrupt { .. }) && error.to_string().contains(key), "{error}");
    }
}

#[test]
fn folders_that_are_not_there_or_are_none_are_named() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(refused(&folder.path().join("none/location.redb")), OpenError::Other { .. }));
    assert!(matches!(refused(folder.path()), OpenError::Other { .. }));
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    assert!(matches!(refused(&file.join("location.redb")), OpenError::Other { .. }));
}

#[test]
#[cfg(unix)]
fn only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("location.redb"), folder.path().join("copy.redb"));
    let db = open(&path).unwrap();
    db.backup_to(&copy).unwrap();
    for path in [path, copy] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_backup_is_a_database_of_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("location.redb"), folder.path().join("copy.redb"));
    let db = open(&path).unwrap();
    db.meta_put("secret", b"s3cret").unwrap();
    let all: Vec<_> =
        (0..500).map(|n| store(&db, &format!("u{n}"), Version(0), vec![row(&format!("sip:{n}@x"))])).collect();
    all.iter().for_each(|outcome| assert!(answer(outcome).is_ok()));
    assert_eq!(db.backup_to(&copy), Ok(500));
    let version = answer(&store(&db, "after", Version(0), vec![row("sip:a@x")])).unwrap();
    assert_ne!(version, Version(0));
    let error = db.backup_to(&copy).unwrap_err().to_string();
    assert!(error.starts_with(&copy.display().to_string()), "{error}");
    assert!(db.backup_to(&folder.path().join("none/copy.redb")).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "something half-done was left");

    let backup = open(&copy).unwrap();
    assert_eq!((backup.len(), backup.meta_get("secret")), (500, Ok(Some(b"s3cret".to_vec()))));
    assert_eq!(contacts(&backup, "u499"), ["sip:499@x"]);
}
