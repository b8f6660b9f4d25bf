//! Header fields: their names, and the typed values of those that have a grammar of their own.
//!
//! A typed value is one type, generic over how it holds its text: borrowed from the message it was read from, or owned.

pub mod facts;
pub mod field;
pub mod text;

mod auth;
mod cseq;
mod date;
mod fields;
mod id;
pub(crate) mod list;
mod name_addr;
mod param;
pub(crate) mod shapes;
mod typed;
mod via;

pub use auth::{AUTH_PARAMS_MAX, AuthParams};
pub use cseq::CSeq;
pub use date::Date;
pub use field::{Decode, Encode, Field, ToOwnedText, Values};
pub use fields::*;
pub use id::HeaderId;
pub use list::{List, tokens};
pub use name_addr::{NameAddr, Qvalue};
pub use param::Param;
pub use text::OwnedText;
pub(crate) use typed::check;
pub use typed::{HeaderName, HeaderValue, TypedHeader, check_strict, check_value, is_typed};
pub use via::{MAGIC_COOKIE, Via};
