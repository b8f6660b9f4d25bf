//! The signals that a server obeys.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To end; the name of the signal.
    End(&'static str),
    /// To write the counters to the log.
    Counters,
    /// To read files again.
    Reload,
}

/// Ctrl-C and SIGTERM, which ask for the end, SIGUSR1, which asks for the counters, and SIGHUP, which asks for files to be read again; on systems other than Unix, Ctrl-C.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    counters: Signal,
    #[cfg(unix)]
    reload: Signal,
}

impl Signals {
    /// From here on they no longer end the process by themselves.
    pub(crate) fn watch() -> io::Result<Signals> {
        Ok(Signals {
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
            #[cfg(unix)]
            counters: signal(SignalKind::user_defined1())?,
            #[cfg(unix)]
            reload: signal(SignalKind::hangup())?,
        })
    }

    /// What the next one asks for. Dropping the future loses none.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::End("SIGINT"),
            _ = self.terminate.recv() => Asked::End("SIGTERM"),
            _ = self.counters.recv() => Asked::Counters,
            _ = self.reload.recv() => Asked::Reload,
        }
    }

    /// What the next one asks for.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) -> Asked {
        if tokio::signal::ctrl_c().await.is_err() {
            // Nothing can be waited for: the process ends as the system ends it.
            std::future::pending::<()>().await;
        }
        Asked::End("Ctrl-C")
    }

    /// The name of the next one that asks for the end; others are passed over.
    pub(crate) async fn next_end(&mut self) -> &'static str {
        loop {
            if let Asked::End(name) = self.next().await {
                return name;
            }
        }
    }
}
