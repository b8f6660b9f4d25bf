//! Phones that a case drives: programs for people, run without a person, a display or a sound card.

pub(crate) mod baresip;
pub(crate) mod linphone;
pub(crate) mod ours;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::leg::Transport;
use crate::server::Account;
use crate::{Fault, doing, tone};

/// How long a phone may take for a step that needs no person: to start, to register, to notice a hang-up.
pub(crate) const STEP_MAX: Duration = Duration::from_secs(10);
/// How long what is asked for again and again rests in between.
const PAUSE: Duration = Duration::from_millis(50);
/// Longer than any call here.
const TONE_SECONDS: u32 = 60;

/// In the folder above the phone's, where TLS is spoken: whom it trusts, and what it shows (a certificate and its key).
pub(crate) const ROOTS: &str = "roots.pem";
pub(crate) const PHONE: &str = "phone.pem";

/// What a phone is told before it starts.
#[derive(Debug)]
pub(crate) struct Setup<'a> {
    pub(crate) account: &'a Account,
    pub(crate) server: SocketAddr,
    pub(crate) transport: Transport,
    /// The tone that it sends, in Hz.
    pub(crate) hertz: u32,
    /// Whether it answers calls by itself.
    pub(crate) answers: bool,
}

impl Setup<'_> {
    /// An empty folder of the phone's own below `parent`, and the tone in it.
    fn prepare(&self, parent: &Path) -> Result<(PathBuf, PathBuf), Fault> {
        let folder = parent.join(&self.account.name);
        doing(|| format!("creating {}", folder.display()), fs::create_dir_all(&folder))?;
        let sound = folder.join("sends.wav");
        tone::write(&sound, self.hertz, TONE_SECONDS)?;
        Ok((folder, sound))
    }
}

/// Asks `what` again and again until it gives something, at most for `limit`.
pub(crate) fn until<T>(
    limit: Duration,
    mut what: impl FnMut() -> Result<Option<T>, Fault>,
) -> Result<Option<T>, Fault> {
    let began = Instant::now();
    loop {
        if let Some(found) = what()? {
            return Ok(Some(found));
        }
        if began.elapsed() >= limit {
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}
