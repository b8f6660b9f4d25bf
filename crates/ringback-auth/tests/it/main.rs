//! The server's side against our own client, message by message, in virtual time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod client;
mod flow;
mod limits;
mod replay;
mod selection;
mod uri;
mod vulnerabilities;
mod world;
