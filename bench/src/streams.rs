//! Clients of TCP, TLS and WebSocket that know nothing of our own stack: what a server is loaded with over connections, and held against
//! what it should answer.
//!
//! | module | holds |
//! |---|---|
//! | `dialer` | opens a connection, from any address of this machine |
//! | `line` | a connection: whole SIP messages in and out |
//! | `frame` | WebSocket as a client has it (RFC 6455) |
//! | `text` | requests and answers as text |
//! | `load` | OPTIONS and calls at a fixed rate over a fixed number of connections |
//! | `idle` | many connections that say nothing |
//! | `opening` | connections that are opened, asked once, and closed |
//! | `cost` | CPU and memory of a process and its children |

mod cost;
mod dialer;
mod frame;
mod idle;
mod line;
mod load;
mod opening;
mod text;

pub use cost::{Cost, pss_bytes};
pub use dialer::{Authority, Dialer, Transport};
pub use idle::{Idle, hold};
pub use line::Line;
pub use load::{Kind, Plan, Tally, run};
pub use opening::open_and_close;
pub use text::{is_ok, options};
