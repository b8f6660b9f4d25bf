//! Black-box tests: the server as a process, and other people's SIP software as its peers, over 127.0.0.1 alone.
//!
//! `cargo xtask interop` builds the server and runs every case; `cargo run -p interop -- --case calls` runs one.
//! A case gets a server of its own on an empty data folder. Everything that a run leaves behind, the server's log and each
//! peer's statistics and errors, lies in `target/interop/CASE/` until the next run.
//!
//! | module | holds |
//! |---|---|
//! | [`cases`] | what is proven, one function a case |
//! | `browser` | Chromium without a window, and a page of ours in it |
//! | [`peer`] | who the peers are, and which versions of them are here |
//! | [`server`] | the process under test: start, kill, stop |
//! | [`sipp`] | one bounded run of SIPp, and its figures |
//! | [`leg`] | by which protocol and address family a peer talks to the server |
//! | [`tone`] | tones: made for phones, and found again in what they recorded |
//! | [`probe`] | free ports, and an OPTIONS of our own to see that the server answers |
//! | [`report`] | the table, and what went wrong |

mod browser;
pub mod cases;
mod corpus;
mod flood;
mod haproxy;
mod kamailio;
pub mod leg;
mod name_server;
mod network;
pub mod peer;
mod phones;
mod place;
pub mod probe;
mod process;
pub mod report;
mod scenario;
pub mod server;
mod sigkill;
pub mod sipp;
pub mod tone;
mod wire;

/// What stopped a case: one sentence that names the thing and where to look.
pub type Fault = String;

/// Turns an I/O error into a [`Fault`] that names what was being done.
pub(crate) fn doing<T>(what: impl FnOnce() -> String, result: std::io::Result<T>) -> Result<T, Fault> {
    result.map_err(|error| format!("{}: {error}", what()))
}
