//! What the manual and README promise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[cfg(feature = "tokio")]
mod agents;
mod pages;
mod proofs;
mod readme;
#[cfg(feature = "tokio")]
mod transfers;
