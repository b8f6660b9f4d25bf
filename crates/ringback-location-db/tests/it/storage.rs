//! Storage in memory that keeps apart what was written and what was synced.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use ringback_location_db::StorageBackend;

use crate::LONG;

/// A disk; its clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    written: Mutex<Vec<u8>>,
    synced: Mutex<Vec<u8>>,
    gate: Mutex<Gate>,
    moved: Condvar,
    syncs: AtomicU64,
    is_full: AtomicBool,
    syncs_fail: AtomicBool,
    writes_to_fail: AtomicU64,
    shrinks_to_fail: AtomicU64,
}

#[derive(Debug, Default)]
struct Gate {
    is_shut: bool,
    waiting: usize,
}

impl Disk {
    /// Syncs wait until what is returned is dropped.
    pub fn shut(&self) -> Shut {
        self.inner.gate.lock().unwrap().is_shut = true;
        Shut(self.clone())
    }

    /// Returns when a sync waits.
    pub fn wait_for_sync(&self) {
        let start = Instant::now();
        let mut gate = self.inner.gate.lock().unwrap();
        while gate.waiting == 0 {
            assert!(start.elapsed() < LONG, "no sync came");
            gate = self.inner.moved.wait_timeout(gate, LONG).unwrap().0;
        }
    }

    /// Writes beyond what there is fail, or no longer.
    pub fn set_full(&self, is_full: bool) {
        self.inner.is_full.store(is_full, Ordering::SeqCst);
    }

    /// Syncs fail, or no longer.
    pub fn set_syncs_fail(&self, fail: bool) {
        self.inner.syncs_fail.store(fail, Ordering::SeqCst);
    }

    /// So many of the next writes fail for want of space.
    pub fn fail_writes(&self, count: u64) {
        self.inner.writes_to_fail.store(count, Ordering::SeqCst);
    }

    /// So many of the next attempts to shorten it fail.
    pub fn fail_shrinks(&self, count: u64) {
        self.inner.shrinks_to_fail.store(count, Ordering::SeqCst);
    }

    pub fn syncs(&self) -> u64 {
        self.inner.syncs.load(Ordering::SeqCst)
    }

    /// The disk after a power cut: what was not synced is gone.
    pub fn after_power_cut(&self) -> Disk {
        let synced = self.inner.synced.lock().unwrap().clone();
        let disk = Disk::default();
        *disk.inner.written.lock().unwrap() = synced.clone();
        *disk.inner.synced.lock().unwrap() = synced;
        disk
    }

    fn check_space(&self) -> io::Result<()> {
        if self.inner.is_full.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

/// Takes one from a count of failures; true if there was one.
fn takes(count: &AtomicU64) -> bool {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
}

/// Keeps the gate shut. A test that fails opens it, so that the database can end.
#[must_use]
pub struct Shut(Disk);

impl Drop for Shut {
    fn drop(&mut self) {
        self.0.inner.gate.lock().unwrap().is_shut = false;
        self.0.inner.moved.notify_all();
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.inner.written.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let data = self.inner.written.lock().unwrap();
        let start = offset as usize;
        out.copy_from_slice(data.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check_space()?;
        let mut data = self.inner.written.lock().unwrap();
        if (len as usize) < data.len() && takes(&self.inner.shrinks_to_fail) {
            return Err(io::Error::other("it can't be shortened now"));
        }
        data.resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut gate = self.inner.gate.lock().unwrap();
        gate.waiting += 1;
        self.inner.moved.notify_all();
        while gate.is_shut {
            gate = self.inner.moved.wait(gate).unwrap();
        }
        gate.waiting -= 1;
        drop(gate);
        if self.inner.syncs_fail.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is broken"));
        }
        let written = self.inner.written.lock().unwrap().clone();
        *self.inner.synced.lock().unwrap() = written;
        self.inner.syncs.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.check_space()?;
        if takes(&self.inner.writes_to_fail) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let start = offset as usize;
        let mut data = self.inner.written.lock().unwrap();
        data.get_mut(start..start + bytes.len()).ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(bytes);
        Ok(())
    }
}
