//! Runs of whole towns, promises one by one, and the notation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod agents;
mod explored;
mod figures;
mod flows;
mod machines;
mod matrix;
mod promises;
mod races;
mod reports;
mod streams;
mod towns;
mod worlds;
