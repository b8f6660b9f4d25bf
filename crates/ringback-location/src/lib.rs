//! Who is reachable where: addresses of record, their bindings, and the registrar's rules. `[RFC 3261, Section 10.3]`
//!
//! ```text
//!   REGISTER ─┬─Aor::of_to────────▶ Aor ──(load)──▶ rows, Version
//!             └─Registration::read─▶ Registration      │
//!                                        └──apply(rows)┴─▶ Update::Changed(rows) ──(compare and store)──▶ 200, contact_values
//!                                                        └▶ Refusal: status, reason, header
//! ```
//!
//! The rules are a pure function over rows, so that they exist once: whoever loses a compare-and-store loads again and applies again.
//! Who keeps the rows, and when they are durable, is the back end's business; [`encode`] and [`decode`] are the form that it keeps them in.
//!
//! ```
//! use bytes::Bytes;
//! use ringback_base::{Millis, Now};
//! use ringback_location::{Aor, Policy, Registration, Update, contact_values};
//! use ringback_message::{Message, Request};
//!
//! let register = Request::check(Message::parse(Bytes::from_static(
//!     b"REGISTER sip:b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:bob@b.example>;tag=1\r\n\
//!       To: <sip:%62ob@b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 REGISTER\r\nContact: <sip:bob@192.0.2.4>;q=0.5\r\n\
//!       Expires: 600\r\n\r\n",
//! ))?)?;
//! let aor = Aor::of_to(&register, "b.example")?;
//! assert_eq!(aor.as_str(), "bob@b.example");
//! let now = Now { unix: Millis(1_000), ..Now::default() };
//! let Update::Changed(rows) = Registration::read(&register)?.apply(&[], now, None, &Policy::default())? else {
//!     return Err("a new contact changes the rows".into());
//! };
//! let values: Vec<_> = contact_values(&rows, now).collect();
//! assert_eq!(values, [b"<sip:bob@192.0.2.4>;q=0.5;expires=600"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod aor;
mod binding;
mod encoding;
mod flow;
mod policy;
mod refusal;
mod registration;
mod update;

pub use aor::{AOR_BYTES_MAX, Aor, AorError};
pub use binding::{Binding, Version, contact_values};
pub use encoding::{DecodeError, decode, encode};
pub use policy::Policy;
pub use refusal::{Limit, Refusal};
pub use registration::{
    CALL_ID_BYTES_MAX, CONTACTS_PER_REQUEST_MAX, PATH_BYTES_MAX, PATH_VALUES_MAX, Registration, USER_AGENT_BYTES_MAX,
};
pub use update::Update;
