//! Tests of the crate from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod built;
mod config;
mod examples;
mod mutations;
mod places;
mod sections;
