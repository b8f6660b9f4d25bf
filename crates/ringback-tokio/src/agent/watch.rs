//! Looking at what an agent says and hears, as it does.

use std::fmt;

use bytes::Bytes;
use ringback_base::Hop;

use crate::trouble::Trouble;

/// Something that happened at the sockets of an agent.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Seen<'a> {
    /// A message was handed to its socket or connection; one that is sent again is seen again. Where its connection is still to be opened,
    /// it waits for that.
    Sent {
        /// The message.
        bytes: &'a Bytes,
        /// Where it goes.
        hop: Hop,
    },
    /// A message or datagram came, whatever it is.
    Received {
        /// The message.
        bytes: &'a Bytes,
        /// Where from.
        hop: Hop,
    },
    /// A connection stands, and TLS and WebSocket over it where they belong to it.
    Opened {
        /// Which.
        hop: Hop,
    },
    /// Nothing can be sent there, or no longer: a connection could not be opened, or is gone, or a datagram was refused.
    Failed {
        /// By which way. Its far end is the unspecified address where another connection leads to the same.
        hop: Hop,
        /// What kind of trouble it is.
        trouble: Trouble,
        /// Why, in words.
        why: &'a dyn fmt::Display,
    },
}

impl fmt::Debug for Seen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seen::Sent { bytes, hop } => write!(f, "Sent {} bytes by {hop}", bytes.len()),
            Seen::Received { bytes, hop } => write!(f, "Received {} bytes by {hop}", bytes.len()),
            Seen::Opened { hop } => write!(f, "Opened {hop}"),
            Seen::Failed { hop, why, .. } => write!(f, "Failed {hop}: {why}"),
        }
    }
}

type See = dyn FnMut(Seen<'_>) + Send;

/// Who looks, if anybody does.
#[derive(Default)]
pub(crate) struct Watcher(Option<Box<See>>);

impl Watcher {
    pub(crate) fn new(see: impl FnMut(Seen<'_>) + Send + 'static) -> Watcher {
        Watcher(Some(Box::new(see)))
    }

    pub(crate) fn see(&mut self, seen: Seen<'_>) {
        if let Some(see) = &mut self.0 {
            see(seen);
        }
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watcher").field(&self.0.is_some()).finish()
    }
}
