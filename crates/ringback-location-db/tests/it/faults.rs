//! Disks that are full or broken.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use ringback_location::Version;
use ringback_location_db::{Durability, LocationDb, Options, StoreError};

use crate::storage::Disk;
use crate::*;

/// Opens a disk that can be opened anew.
fn open(disk: &Disk, options: Options) -> LocationDb {
    let storage = disk.clone();
    LocationDb::open_with(move || Ok(storage.clone()), options, at(0)).unwrap()
}

fn settle_with(db: &LocationDb, user: &str, contact: &str) {
    let version = db.load(&aor(user)).1;
    answer(&store(db, user, version, vec![row(contact)])).unwrap();
}

/// Tries until it works, as a phone does.
fn store_at_last(db: &LocationDb, user: &str, contact: &str) {
    let start = Instant::now();
    loop {
        let version = db.load(&aor(user)).1;
        match answer(&store(db, user, version, vec![row(contact)])) {
            Ok(_) => return,
            Err(StoreError::Failed) => assert!(start.elapsed() < LONG, "it never worked again"),
            Err(other) => panic!("{other}"),
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_failed_sync_is_told_and_memory_goes_back() {
    let disk = Disk::default();
    let db = open(&disk, options());
    settle_with(&db, "alice", "sip:old@x");
    let durable = db.load(&aor("alice")).1;
    disk.set_syncs_fail(true);
    let changed = store(&db, "alice", durable, vec![row("sip:new@x")]);
    let added = store(&db, "bob", Version(0), vec![row("sip:b@x")]);
    assert_eq!((answer(&changed), answer(&added)), (Err(StoreError::Failed), Err(StoreError::Failed)));
    assert_eq!((contacts(&db, "alice"), contacts(&db, "bob").len()), (vec!["sip:old@x".to_owned()], 0));
    let rolled_back = db.load(&aor("alice")).1;
    assert!(rolled_back > durable);
    assert_eq!(answer(&store(&db, "alice", durable, vec![])), Err(StoreError::Conflict { current: rolled_back }));
    assert!(db.stats().commits_failed >= 1);
    // Even where later syncs work, nobody knows what became of the first.
    disk.set_syncs_fail(false);
    thread::sleep(Duration::from_millis(1_200));
    assert_eq!(answer(&store(&db, "alice", rolled_back, vec![])), Err(StoreError::Failed));
    assert_eq!(contacts(&db, "alice"), ["sip:old@x"]);
    let after = LocationDb::open_backend(disk.after_power_cut(), options(), at(0)).unwrap();
    assert_eq!(contacts(&after, "alice"), ["sip:old@x"]);
}

#[test]
fn what_was_built_upon_lost_rows_is_lost_with_them() {
    let disk = Disk::default();
    let db = open(&disk, options());
    settle_with(&db, "alice", "sip:old@x");
    let shut = disk.shut();
    let first = store(&db, "alice", db.load(&aor("alice")).1, vec![row("sip:1@x")]);
    disk.wait_for_sync();
    let second = store(&db, "alice", db.load(&aor("alice")).1, vec![row("sip:1@x"), row("sip:2@x")]);
    let staged = db.load(&aor("alice")).1;
    let fetched = confirm(&db, "alice", staged);
    let third = store(&db, "bob", Version(0), vec![row("sip:b@x")]);
    disk.set_syncs_fail(true);
    drop(shut);
    for outcome in [first, second, fetched, third] {
        assert_eq!(answer(&outcome), Err(StoreError::Failed));
    }
    assert_eq!((contacts(&db, "alice"), db.len()), (vec!["sip:old@x".to_owned()], 1));
    // Nor can anybody build upon what was seen while it was staged.
    let outcome = answer(&store(&db, "alice", staged, vec![]));
    assert!(matches!(outcome, Err(StoreError::Conflict { current }) if current > staged), "{outcome:?}");
}

#[test]
fn what_was_built_upon_lost_rows_is_lost_even_where_the_disk_recovers_in_between() {
    let disk = Disk::default();
    let db = open(&disk, Options { batch_max: 1, ..options() });
    settle_with(&db, "alice", "sip:old@x");
    let shut = disk.shut();
    let held = store(&db, "carol", Version(0), vec![row("sip:c@x")]);
    disk.wait_for_sync();
    let first = store(&db, "alice", db.load(&aor("alice")).1, vec![row("sip:1@x")]);
    let second = store(&db, "alice", db.load(&aor("alice")).1, vec![row("sip:1@x"), row("sip:2@x")]);
    let third = store(&db, "bob", Version(0), vec![row("sip:b@x")]);
    disk.fail_writes(1);
    drop(shut);
    assert!(answer(&held).is_ok());
    assert_eq!((answer(&first), answer(&second)), (Err(StoreError::Failed), Err(StoreError::Failed)));
    assert!(answer(&third).is_ok(), "the disk had recovered");
    db.close().unwrap();
    let after = LocationDb::open_backend(disk.after_power_cut(), options(), at(0)).unwrap();
    assert_eq!((contacts(&after, "alice"), after.len()), (vec!["sip:old@x".to_owned()], 3));
}

#[test]
fn rows_that_reached_the_disk_in_a_commit_that_failed_are_taken_back() {
    const COUNT: usize = 600;
    let disk = Disk::default();
    // One store a commit, so that the file has the same pages in every run.
    let db = open(&disk, Options { batch_max: 1, ..options() });
    let all: Vec<_> = (0..COUNT).map(|n| store(&db, &format!("u{n}"), Version(0), vec![row("sip:a@x")])).collect();
    all.iter().for_each(|outcome| assert!(answer(outcome).is_ok()));
    // redb shortens the file after the sync: a commit that fails there is on the disk, and is told to have failed.
    disk.fail_shrinks(1);
    let remove = |n: &usize| {
        let user = format!("u{n}");
        answer(&store(&db, &user, db.load(&aor(&user)).1, vec![])).is_err()
    };
    let lost = (0..COUNT).find(remove).expect("a commit that fails after its sync");
    let power_cut = disk.after_power_cut();
    assert_eq!((db.stats().commits_failed, db.len()), (1, COUNT - lost));
    assert_eq!(contacts(&db, &format!("u{lost}")), ["sip:a@x"]);
    let after = LocationDb::open_backend(power_cut, options(), at(0)).unwrap();
    assert_eq!(after.len(), COUNT - lost - 1, "it was on the disk");
    // Its rows are written again after a while, or at the end.
    db.clone().close().unwrap();
    let after = LocationDb::open_backend(disk.after_power_cut(), options(), at(0)).unwrap();
    assert_eq!(after.len(), db.len());
    for n in 0..COUNT {
        let user = format!("u{n}");
        assert_eq!(contacts(&after, &user), contacts(&db, &user));
    }
}

#[test]
fn a_full_disk_is_survived() {
    let disk = Disk::default();
    let db = open(&disk, options());
    settle_with(&db, "alice", "sip:old@x");
    disk.set_full(true);
    for _ in 0..3 {
        let version = db.load(&aor("alice")).1;
        assert_eq!(answer(&store(&db, "alice", version, vec![row("sip:new@x")])), Err(StoreError::Failed));
        assert_eq!(contacts(&db, "alice"), ["sip:old@x"]);
    }
    disk.set_full(false);
    store_at_last(&db, "bob", "sip:b@x");
    let after = LocationDb::open_backend(disk.after_power_cut(), options(), at(0)).unwrap();
    assert_eq!((contacts(&after, "alice"), contacts(&after, "bob")), (contacts(&db, "alice"), contacts(&db, "bob")));
    assert_eq!(contacts(&after, "alice"), ["sip:old@x"]);
}

#[test]
fn storage_that_opens_once_stays_failed_and_its_rows_are_still_read() {
    let disk = Disk::default();
    let db = LocationDb::open_backend(disk.clone(), options(), at(0)).unwrap();
    settle_with(&db, "alice", "sip:old@x");
    disk.set_full(true);
    for _ in 0..2 {
        assert_eq!(answer(&store(&db, "bob", Version(0), vec![row("sip:b@x")])), Err(StoreError::Failed));
    }
    disk.set_full(false);
    assert_eq!(answer(&store(&db, "bob", Version(0), vec![row("sip:b@x")])), Err(StoreError::Failed));
    assert_eq!((contacts(&db, "alice"), db.len()), (vec!["sip:old@x".to_owned()], 1));
}

#[test]
fn under_an_interval_a_full_disk_only_delays() {
    let disk = Disk::default();
    let db = open(&disk, Options { durability: Durability::Interval(Duration::from_millis(10)), ..options() });
    disk.set_full(true);
    settle_with(&db, "alice", "sip:1@x");
    while db.stats().commits_failed == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    settle_with(&db, "bob", "sip:b@x");
    while db.stats().commits_failed == 1 {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(contacts(&db, "alice"), ["sip:1@x"]);
    disk.set_full(false);
    let start = Instant::now();
    while db.stats().commits == 0 {
        assert!(start.elapsed() < LONG, "nothing was committed");
        thread::sleep(Duration::from_millis(20));
    }
    db.close().unwrap();
    let after = LocationDb::open_backend(disk.after_power_cut(), options(), at(0)).unwrap();
    assert_eq!(
        (contacts(&after, "alice"), contacts(&after, "bob")),
        (vec!["sip:1@x".to_owned()], vec!["sip:b@x".to_owned()])
    );
}

#[test]
fn closing_on_a_broken_disk_says_so() {
    let disk = Disk::default();
    let db = open(&disk, Options { durability: Durability::None, ..options() });
    settle_with(&db, "alice", "sip:1@x");
    disk.set_syncs_fail(true);
    let error = db.close().unwrap_err().to_string();
    assert!(error.starts_with("the given storage: ") && error.contains("the disk is broken"), "{error}");
}

#[test]
fn storage_that_can_not_be_opened_is_named() {
    let open = || -> io::Result<Disk> { Err(io::ErrorKind::PermissionDenied.into()) };
    let error = LocationDb::open_with(open, options(), at(0)).unwrap_err();
    assert!(matches!(error, ringback_location_db::OpenError::NotPermitted { .. }), "{error:?}");
}
