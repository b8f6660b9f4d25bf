//! The yardstick: how long the message crate takes for jobs that other libraries were measured at, beside `httparse` in the same run.
//!
//! ```text
//!   messages ──▶ Row (peer, job, message) ──batch──▶ time, instructions, allocations
//!                                         ──answer─▶ digest ──▶ reference.tsv, which another program wrote
//! ```
//!
//! | job | what is done |
//! |---|---|
//! | `frame` | the library's message value, nothing more asked of it |
//! | `fields` | frame, then start line, top Via, From, To, Call-ID, CSeq, Contact and Max-Forwards as structured values |
//! | `check` | frame, then the fields that every message must have verified, as the server does |
//! | `trip` | frame, then the message written out into a fresh buffer |
//! | `ok200` | from a request that was read beforehand: a 200, written, not checked against the registry |
//! | `forward` | from a request that was read beforehand: a Via added, Max-Forwards lowered, Request-URI replaced, written |
//!
//! What is timed and what is checked is one function ([`Job::run`]), and nothing is kept from one run to the next.

mod answer;
pub mod call;
mod growth;
mod harness;
mod job;
mod peers;
mod reference;
mod ringback;
pub mod streams;

pub use answer::Answer;
pub use growth::growth;
pub use harness::{Size, allocations, count, load, show, time};
pub use job::{Job, Row, Sink, rows};
pub use reference::{Unchecked, check};

/// Why a program of this package ends.
pub type Fault = String;
