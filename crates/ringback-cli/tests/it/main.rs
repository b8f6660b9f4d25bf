//! The binary as an operator meets it: folders of its own, ports that the kernel chooses, no peer.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod config;
mod decode;
mod dns;
mod explain;
mod lint;
mod phone;
mod ping;
mod process;
mod serve;
mod shell;
mod terminal;
mod tls;
mod users;
