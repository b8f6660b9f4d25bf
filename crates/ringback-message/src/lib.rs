//! SIP messages: bytes in, bytes out, and what stands between them.
//!
//! ```text
//!   datagram ──Message::parse──▶ Message ──Request::check──▶ Request   (mandatory fields read)
//!                                   │     ──Response::check─▶ Response
//!                                   ├─ headers(), all(id), addresses(id) …  typed values, read when asked for
//!                                   └─ Edit::new(&message)…finish()         a new message, the rest to the letter
//!   Response::to(&request, code)…build()                                    checked against the status registry
//! ```
//!
//! A [`Message`] is the bytes it came as and a table of its lines. Reading it copies nothing; what is not asked for is not looked at.
//! Built and read messages are of one type, and a value never holds CR, LF or NUL.
//!
//! ```
//! use bytes::Bytes;
//! use ringback_message::{Message, Request, Response, StatusCode};
//!
//! let datagram = Bytes::from_static(
//!     b"INVITE sip:bob@b.example SIP/2.0\r\nv: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nf: <sip:a@a.example>;tag=1\r\n\
//!       t: <sip:bob@b.example>\r\ni: 7@a.example\r\nCSeq: 1 INVITE\r\nl: 0\r\n\r\n",
//! );
//! let invite = Request::check(Message::parse(datagram)?)?;
//! assert_eq!(invite.from_tag(), Some(&b"1"[..]));
//! let busy = Response::to(&invite, StatusCode::BusyHere).to_tag("2").build()?;
//! assert!(busy.as_bytes().starts_with(b"SIP/2.0 486 Busy Here\r\nv: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "tags"))]
extern crate std;

pub mod body;
pub mod header;
pub mod params;
pub mod registry;
pub mod status;
pub mod uri;
pub mod verdict;

mod blame;
mod build;
mod chars;
mod cursor;
mod edit;
mod error;
mod essentials;
#[cfg(feature = "serde")]
mod json;
mod message;
mod method;
mod parse;
mod writer;

pub use blame::{Blame, Blamed, status_for};
pub use build::{RequestBuilder, ResponseBuilder};
pub use cursor::Cursor;
pub use edit::Edit;
pub use error::{BuildError, ParseError, ParseErrorKind, Rejected};
pub use header::{AuthParams, CSeq, Date, HeaderId, NameAddr, Via};
pub use message::{Header, INLINE_LINES, Message, Request, Response};
pub use method::{Method, MethodInfo, OtherMethod, RequestCarry};
pub use params::Params;
pub use parse::{HEADER_LINES_MAX, HEADER_NAME_BYTES_MAX, MESSAGE_BYTES_MAX};
pub use status::StatusCode;
pub use uri::{Host, SipUri, TelUri, Uri};
pub use verdict::{Depth, Fault};
