//! Tests of the crate from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod body;
mod build;
mod edit;
mod headers;
mod headers_core;
mod headers_extensions;
mod headers_networks;
#[cfg(feature = "serde")]
mod json;
mod parse;
mod properties;
mod registry;
mod torture;
mod vulnerabilities;
