//! Why a server doesn't let us in. (RFC 6455)

use alloc::boxed::Box;
use core::fmt;

/// What is wrong about a server's answer to our opening handshake. `[RFC 7118, Section 4.1]`
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// Another status than 101.
    Status {
        /// The status code of HTTP.
        code: u16,
        /// Its reason phrase; empty where there is none.
        phrase: Box<str>,
    },
    /// What came is no HTTP.
    NoHttp,
    /// Its head is longer than [`HANDSHAKE_BYTES_MAX`](super::HANDSHAKE_BYTES_MAX).
    TooLarge,
    /// A 101 that doesn't say that it goes on with WebSocket.
    NoUpgrade,
    /// Its Sec-WebSocket-Accept doesn't belong to our key: it has answered somebody else, or without reading.
    Accept,
    /// Another subprotocol than `sip`, which is this one; empty where it named none.
    Subprotocol(Box<str>),
    /// An extension that we didn't ask for.
    Extension,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rejection::Status { code, phrase } if phrase.is_empty() => write!(f, "HTTP {code}"),
            Rejection::Status { code, phrase } => write!(f, "HTTP {code} {phrase}"),
            Rejection::NoHttp => f.write_str("what is no HTTP"),
            Rejection::TooLarge => f.write_str("a head of HTTP that is too large"),
            Rejection::NoUpgrade => f.write_str("HTTP 101 without an upgrade to WebSocket"),
            Rejection::Accept => f.write_str("HTTP 101 with a Sec-WebSocket-Accept that is not for our key"),
            Rejection::Subprotocol(named) if named.is_empty() => f.write_str("HTTP 101 without the subprotocol sip"),
            Rejection::Subprotocol(named) => {
                write!(f, "HTTP 101 with the subprotocol {named:?} in the place of \"sip\"")
            }
            Rejection::Extension => f.write_str("HTTP 101 with an extension that nobody asked for"),
        }
    }
}

impl core::error::Error for Rejection {}
