//! Tests of the crate from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::disallowed_methods, reason = "the torture messages are files")]

mod build;
mod edit;
mod parse;
mod torture;
