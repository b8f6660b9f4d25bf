//! User agents that call each other without a network.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod calls;
mod extensions;
mod forks;
mod net;
mod rough;
mod subscriptions;
mod transfers;
