//! One stack, its accounts and bindings in memory, and phones that say what a test tells them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod calls;
mod endpoints;
mod hops;
mod limits;
mod outbound;
mod refusals;
mod register;
mod streams;
mod stun;
mod websockets;
mod world;
mod zone;
