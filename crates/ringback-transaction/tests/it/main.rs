//! The machines as scripts in virtual time, matching, limits and leaks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod explore;
mod failures;
mod invite_client;
mod invite_server;
mod limits;
mod machines;
mod matching;
mod merged;
mod non_invite_client;
mod non_invite_server;
mod peers;
mod random;
mod script;
mod vulnerabilities;
