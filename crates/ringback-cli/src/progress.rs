//! How far a file is read: a bar on standard error, for people who wait.
//!
//! There is none where standard error is no terminal, nor where standard output goes into a pipe: whoever reads that, such as a pager,
//! may draw on the same terminal. Nor is there one where what is printed scrolls over the terminal by itself.

use std::env;
use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes no longer needs no bar.
const DELAY: Duration = Duration::from_millis(300);

/// The one that is drawn: what is printed meanwhile takes its place.
static SHOWN: OnceLock<ProgressBar> = OnceLock::new();

/// How much of a file is read.
#[derive(Debug)]
pub(crate) struct Progress {
    begun: Instant,
    bytes: u64,
    /// `None` where that can't be known.
    bytes_max: Option<u64>,
    is_wanted: bool,
}

/// What a command prints while it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Printing {
    /// Something of all that it reads.
    Everything,
    /// Little.
    Findings,
}

impl Progress {
    pub(crate) fn new(bytes_max: Option<u64>, printing: Printing) -> Progress {
        let scrolls = printing == Printing::Everything && io::stdout().is_terminal();
        let is_dumb = env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let is_wanted = io::stderr().is_terminal() && !is_dumb && !scrolls && !is_pipe();
        Progress { begun: Instant::now(), bytes: 0, bytes_max, is_wanted }
    }

    /// So many more are read.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.is_wanted && self.begun.elapsed() >= DELAY {
            SHOWN.get_or_init(|| bar(self.bytes_max)).set_position(self.bytes);
        }
    }

    /// Nothing of it stays on the terminal.
    pub(crate) fn end(&mut self) {
        if let Some(bar) = SHOWN.get() {
            bar.finish_and_clear();
        }
    }
}

/// Does it with no bar in the way, where it prints on the same terminal.
pub(crate) fn aside<T>(act: impl FnOnce() -> T) -> T {
    match SHOWN.get() {
        Some(bar) if !bar.is_finished() && io::stdout().is_terminal() => bar.suspend(act),
        _ => act(),
    }
}

/// Without colours, which say nothing here.
fn bar(bytes_max: Option<u64>) -> ProgressBar {
    let template = match bytes_max {
        Some(_) => "{bar:40} {percent:>3} %, {bytes} of {total_bytes}, {eta} left",
        None => "{spinner} {bytes} read",
    };
    let bar = ProgressBar::with_draw_target(bytes_max, ProgressDrawTarget::stderr());
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("##-")),
        Err(_) => bar,
    }
}

#[cfg(unix)]
fn is_pipe() -> bool {
    use std::fs::File;
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::FileTypeExt as _;

    let file = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    file.and_then(|file| file.metadata()).is_ok_and(|metadata| {
        let kind = metadata.file_type();
        kind.is_fifo() || kind.is_socket()
    })
}

/// Where pipes can't be told from files, nothing but a terminal will do.
#[cfg(not(unix))]
fn is_pipe() -> bool {
    !io::stdout().is_terminal()
}
