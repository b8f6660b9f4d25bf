//! User agents that call each other without a network.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod aftermath;
mod calls;
mod extensions;
mod forks;
mod large;
mod net;
mod pursuing;
mod registering;
mod registration;
mod replies;
mod rough;
mod subscriptions;
mod transfers;
mod vulnerabilities;
