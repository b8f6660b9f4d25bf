//! Pages of the documentation that are made from tables of the code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod headers_page;
mod lint_page;
mod machines_page;
