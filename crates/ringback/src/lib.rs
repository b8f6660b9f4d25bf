//! SIP for Rust: messages that can't be built wrong, and the protocol cores behind them.
//!
//! ```
//! use ringback::prelude::*;
//!
//! let datagram = b"INVITE sip:bob@biloxi.example.com SIP/2.0\r\n\
//!     Via: SIP/2.0/UDP pc33.atlanta.example.com;branch=z9hG4bK776asdhds\r\n\
//!     From: Alice <sip:alice@atlanta.example.com>;tag=1928301774\r\n\
//!     To: Bob <sip:bob@biloxi.example.com>\r\n\
//!     Call-ID: a84b4c76e66710\r\n\
//!     CSeq: 314159 INVITE\r\n\r\n";
//! let invite = Request::parse(datagram)?;
//! let busy = Response::to(&invite, StatusCode::BusyHere).header(RetryAfter::new(60)).build()?;
//! assert!(busy.as_bytes().starts_with(b"SIP/2.0 486 Busy Here\r\n"));
//! assert_eq!(busy.to_tag().map(<[u8]>::len), Some(32));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`agent`] | a user agent at work: calls as futures, handlers by method |
//! | [`server`] | a registrar, redirect server or forking proxy in this process |
//! | [`prelude`] | what most programs need, by one `use` |
//! | [`message`] | parse, edit, build; URIs; the registries |
//! | [`header`] | a type for every header field |
//! | [`sdp`] | session descriptions, and offer and answer |
//! | [`session`] | session descriptions in messages |
//! | [`auth`] | digest, as server and as client |
//! | [`transport`] | `received` and `rport`, the way of a response, messages out of streams |
//! | [`transaction`] | the four transaction machines |
//! | [`ua`] | user agents without I/O: calls, subscriptions, registrations |
//! | [`stack`] | a user agent on the wire, or a whole server, without I/O: bytes in, bytes out |
//! | [`base`] | what cores are given: time, random numbers, addresses |
//! | [`system`] | random numbers and time, from this machine |
//! | [`manual`] | chapters to learn from |
//!
//! The crates behind it do no I/O: bytes, time and random numbers come in as arguments, and messages go out. So one object runs in a
//! test, in a simulation and in production.

#[cfg(feature = "tokio")]
pub mod agent;
pub mod manual;
#[cfg(feature = "tokio")]
pub mod server;
pub mod session;
pub mod system;

pub use ringback_auth as auth;
pub use ringback_base as base;
pub use ringback_message as message;
pub use ringback_message::{body, header, params, registry, status, uri, verdict};
pub use ringback_sdp as sdp;
pub use ringback_stack as stack;
#[cfg(feature = "tokio")]
pub use ringback_tokio::tls;
pub use ringback_transaction as transaction;
pub use ringback_transport as transport;
pub use ringback_ua as ua;

/// What most programs need.
///
/// Types whose names are Rust's own, such as [`header::From`](crate::header), are not in it.
pub mod prelude {
    pub use crate::session::{MessageSdp, SdpBody};
    pub use bytes::Bytes;
    pub use ringback_message::body::{MultipartBuilder, NewPart};
    pub use ringback_message::header::{
        Accept, AcceptEncoding, AcceptLanguage, AllowEvents, Contact, HeaderName, HeaderValue, MinExpires, OwnedText,
        Param, ProxyAuthenticate, Qvalue, RAck, RSeq, Refresher, Require, RetryAfter, Supported, TypedHeader,
        Unsupported, Warning, WwwAuthenticate,
    };
    pub use ringback_message::{
        BuildError, Edit, Header, HeaderId, Host, Message, Method, NameAddr, ParseError, ParseErrorKind, Rejected,
        Request, RequestBuilder, Response, ResponseBuilder, SipUri, StatusCode, TelUri, Uri, Via,
    };
    pub use ringback_sdp::negotiate::{Codec, Endpoint, LocalMedia, Session};
    pub use ringback_sdp::{MediaBuilder, MediaDirection, Origin, SdpBuilder, SessionDescription};
}
