//! When an example is to end.

use std::time::Duration;

/// How long calls that are open have to end.
pub(crate) const LAST_CALLS: Duration = Duration::from_secs(1);

/// Interrupted, or told to terminate.
pub(crate) async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        if let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
    }
    #[cfg(not(unix))]
    {
        // Without it there is nothing to wait for.
        _ = tokio::signal::ctrl_c().await;
    }
}
