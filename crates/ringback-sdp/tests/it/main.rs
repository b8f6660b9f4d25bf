//! Tests of the crate from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod attributes;
mod browser;
mod build;
mod bundle;
mod negotiate;
mod parse;
mod property;
mod rfc4317;
mod samples;
mod strict;
mod vulnerabilities;
