//! Files that others renew while the server runs: certificates, by whoever gets them.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::settings::TlsSettings;

/// What is seen of a file without reading it; `None` where it isn't there. A link is followed: some are turned to another file.
type Seen = Option<(SystemTime, u64, u64)>;

/// Looks at files from time to time.
#[derive(Debug)]
pub(crate) struct Renewal {
    files: Vec<PathBuf>,
    /// Never, where nobody is to look.
    ticks: Option<Interval>,
    /// As they were when they were last read.
    read: Vec<Seen>,
    /// As they were at the last look.
    last: Vec<Seen>,
}

impl Renewal {
    /// Watches the files of TLS, as they are now; none, where TLS isn't spoken.
    pub(crate) fn of(settings: Option<&TlsSettings>) -> Renewal {
        let Some(settings) = settings else { return Renewal::watch(Vec::new(), Duration::ZERO) };
        let certificates = settings.certificates.iter().flat_map(|files| [&files.chain, &files.key]);
        let files = certificates.chain(&settings.client_ca).chain(&settings.ca).cloned().collect();
        Renewal::watch(files, settings.renewal_check)
    }

    fn watch(files: Vec<PathBuf>, every: Duration) -> Renewal {
        let ticks = (!every.is_zero() && !files.is_empty()).then(|| {
            let mut ticks = interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        });
        let read = seen(&files);
        Renewal { files, ticks, last: read.clone(), read }
    }

    /// Waits until some of them are others than those that were read, and have stayed so from one look to the next: a certificate and its
    /// key are not written at once. What was told is taken for read, whether it can be used or not. Dropping the future loses nothing.
    pub(crate) async fn renewed(&mut self) {
        let Some(ticks) = &mut self.ticks else { return std::future::pending().await };
        loop {
            ticks.tick().await;
            let now = seen(&self.files);
            let is_settled = now == self.last;
            self.last = now;
            if is_settled && self.last != self.read {
                return self.read.clone_from(&self.last);
            }
        }
    }

    /// They are read as they are now.
    pub(crate) fn note_read(&mut self) {
        self.read = seen(&self.files);
    }
}

fn seen(files: &[PathBuf]) -> Vec<Seen> {
    let of_file = |path: &PathBuf| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len(), inode(&metadata)))
    };
    files.iter().map(of_file).collect()
}

/// Which file it is: one that is put in the place of another may be as long and as old.
#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use tokio::time::timeout;

    const EVERY: Duration = Duration::from_millis(5);
    const WHILE: Duration = Duration::from_millis(60);

    async fn is_renewed(renewal: &mut Renewal) -> bool {
        timeout(WHILE, renewal.renewed()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn files_that_change_or_are_exchanged_are_told_of_once() {
        let folder = tempfile::tempdir().unwrap();
        let [chain, key, next] = ["chain", "key", "next"].map(|name| folder.path().join(name));
        fs::write(&chain, "one").unwrap();
        let mut renewal = Renewal::watch(vec![chain.clone(), key.clone()], EVERY);
        assert!(!is_renewed(&mut renewal).await);
        fs::write(&chain, "longer").unwrap();
        assert!(is_renewed(&mut renewal).await && !is_renewed(&mut renewal).await);
        fs::write(&key, "it wasn't there").unwrap();
        assert!(is_renewed(&mut renewal).await);
        // As old and as long as the one before.
        fs::write(&next, "higher").unwrap();
        let modified = fs::metadata(&chain).unwrap().modified().unwrap();
        fs::File::options().write(true).open(&next).unwrap().set_modified(modified).unwrap();
        fs::rename(&next, &chain).unwrap();
        assert_eq!(is_renewed(&mut renewal).await, cfg!(unix));
        fs::write(&chain, "read by a signal").unwrap();
        renewal.note_read();
        assert!(!is_renewed(&mut renewal).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_being_written_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let chain = folder.path().join("chain");
        let mut renewal = Renewal::watch(vec![chain.clone()], Duration::from_millis(40));
        let mut text = String::new();
        for _ in 0..4 {
            text.push_str("a line");
            fs::write(&chain, &text).unwrap();
            assert!(timeout(Duration::from_millis(20), renewal.renewed()).await.is_err(), "at {}", text.len());
        }
        assert!(timeout(Duration::from_secs(5), renewal.renewed()).await.is_ok());
        assert!(!is_renewed(&mut Renewal::watch(vec![chain], Duration::ZERO)).await);
    }
}
