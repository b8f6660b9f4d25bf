//! Header fields: their names, and the typed values of those that have a grammar of their own.
//!
//! A typed value is one type, generic over how it holds its text: borrowed from the message it was read from, or owned.

mod auth;
mod cseq;
mod date;
mod id;
pub(crate) mod list;
mod name_addr;
mod via;

pub use auth::{AUTH_PARAMS_MAX, AuthParams};
pub use cseq::CSeq;
pub use date::Date;
pub use id::HeaderId;
pub use list::{List, tokens};
pub use name_addr::{NameAddr, Qvalue};
pub use via::{MAGIC_COOKIE, Via};
