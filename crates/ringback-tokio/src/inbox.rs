//! A channel that can be waited for without taking anything out.

use std::task::{Context, Poll};

use tokio::sync::mpsc::Receiver;

/// The receiving end, and the one message that came with the waiting.
#[derive(Debug)]
pub(crate) struct Inbox<T> {
    receiver: Receiver<T>,
    first: Option<T>,
}

impl<T> Inbox<T> {
    pub(crate) fn new(receiver: Receiver<T>) -> Inbox<T> {
        Inbox { receiver, first: None }
    }

    /// The next message, if there is one now.
    pub(crate) fn next(&mut self) -> Option<T> {
        self.first.take().or_else(|| self.receiver.try_recv().ok())
    }

    /// True where there is one; wakes the task when there is.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> bool {
        if self.first.is_none()
            && let Poll::Ready(message) = self.receiver.poll_recv(cx)
        {
            self.first = message;
        }
        self.first.is_some()
    }
}
