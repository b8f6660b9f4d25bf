//! What a SIP transport must do to a message, without touching a socket.
//!
//! ```text
//!   bytes ──Datagram::classify──▶ Message ──stamp──▶ request with received and rport ──▶ transactions
//!                                                  └─reply_hop──▶ where its responses go
//! ```
//!
//! ```
//! use bytes::Bytes;
//! use ringback_base::Hop;
//! use ringback_message::{Message, Request};
//! use ringback_transport::{reply_hop, stamp};
//!
//! let datagram = Bytes::from_static(
//!     b"OPTIONS sip:b.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.1.1;branch=z9hG4bK1;rport\r\nFrom: <sip:a@a.example>;tag=1\r\n\
//!       To: <sip:b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 OPTIONS\r\n\r\n",
//! );
//! let hop = Hop::udp("192.0.2.1:5060".parse()?, "198.51.100.7:40123".parse()?);
//! let request = stamp(Request::check(Message::parse(datagram)?)?, &hop)?;
//! assert_eq!(request.top_via().params.text(), b";branch=z9hG4bK1;received=198.51.100.7;rport=40123");
//! assert_eq!(reply_hop(&request.top_via(), hop).remote, hop.remote);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]

extern crate alloc;

mod datagram;
pub mod proxied;
pub mod resolve;
mod stream;
pub mod stun;
mod via;
pub mod websocket;

pub use datagram::{Datagram, peek_branch, peek_call_id};
pub use stream::{Frame, PONG, Stream, StreamLimits};
pub use via::{granted_keep, reply_hop, salvage_reply_hop, sent_by, stamp, stamp_message};

#[cfg(test)]
mod tests;
