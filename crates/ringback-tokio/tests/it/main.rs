//! Shards at work, over loopback and on ports that the kernel chooses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod agents;
mod calls;
mod connections;
mod datagrams;
mod dialling;
mod limits;
mod tls;
mod unreachable;
mod websockets;
mod world;
