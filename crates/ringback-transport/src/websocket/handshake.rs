//! The opening handshake: a request of HTTP/1.1, and the answer to it. `[RFC 7118, Section 4.1]` (RFC 6455)

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use ringback_base::Random;
use sha1::{Digest as _, Sha1};

use super::http::Head;
use super::origins::Origins;
use super::rejection::Rejection;
use super::resource::Resource;

/// The longest head of a handshake, in bytes. Cookies of the site come with it.
pub const HANDSHAKE_BYTES_MAX: usize = 16_384;

/// The subprotocol. `[RFC 7118, Section 4.1]`
const SUBPROTOCOL: &str = "sip";

/// How much of what a server says is kept for people, in bytes.
const SHOWN_BYTES: usize = 128;

/// The only version there is.
const VERSION: &[u8] = b"13";

/// What RFC 6455 has appended to a key, so that nothing but a WebSocket server answers as one.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Whom a server lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// The path of the resource, such as `/ws`; `None` for any.
    pub path: Option<Box<str>>,
    /// The sites whose pages may connect.
    pub origins: Origins,
}

/// Why a server lets somebody not in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No handshake of WebSocket: this is what is wrong with it. 400.
    BadRequest(&'static str),
    /// Pages of that origin are not allowed. 403.
    Origin,
    /// There is nothing at that path. 404.
    NotFound,
    /// Another method than GET. 405.
    Method,
    /// HTTP that asks for no WebSocket: somebody's browser, perhaps. 426.
    NoUpgrade,
    /// Another version than 13. 426.
    Version,
    /// The head is longer than [`HANDSHAKE_BYTES_MAX`]. 431.
    TooLarge,
}

impl Refusal {
    /// The status code of HTTP.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().0
    }

    /// Status code, its phrase, what a human is told, and the header fields that it wants.
    const fn row(self) -> (u16, &'static str, &'static str, &'static str) {
        match self {
            Refusal::BadRequest(why) => (400, "Bad Request", why, ""),
            Refusal::Origin => {
                (403, "Forbidden", "Pages of this origin may not connect here: the setting is websocket.origins", "")
            }
            Refusal::NotFound => (404, "Not Found", "There is nothing at this path", ""),
            Refusal::Method => (405, "Method Not Allowed", "A WebSocket is opened by GET", "Allow: GET\r\n"),
            Refusal::NoUpgrade => {
                (426, "Upgrade Required", "This is SIP over WebSocket", "Upgrade: websocket\r\nConnection: Upgrade\r\n")
            }
            Refusal::Version => {
                (426, "Upgrade Required", "This server has version 13 of WebSocket", "Sec-WebSocket-Version: 13\r\n")
            }
            Refusal::TooLarge => (431, "Request Header Fields Too Large", "The head of the request is too large", ""),
        }
    }

    /// The response.
    pub(super) fn response(self) -> Bytes {
        let (status, phrase, why, fields) = self.row();
        let length = why.len().saturating_add(1);
        Bytes::from(format!(
            "HTTP/1.1 {status} {phrase}\r\n{fields}Connection: close\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{why}\n"
        ))
    }
}

impl Admission {
    /// The answer to a request whose head this is.
    pub(super) fn answer(&self, head: &[u8]) -> Result<Bytes, Refusal> {
        let head = Head::read(head).ok_or(Refusal::BadRequest("No head of HTTP/1.1"))?;
        let path = path_of(head.start)?;
        if !head.lists("upgrade", "websocket") {
            return Err(Refusal::NoUpgrade);
        }
        let host = head.only("host").ok_or(Refusal::BadRequest("Host must stand once"))?;
        if self.path.as_ref().is_some_and(|own| own.as_bytes() != path) {
            return Err(Refusal::NotFound);
        }
        let origins = head.values("origin").count();
        let origin = head.only("origin");
        if origins > 0 && !origin.is_some_and(|origin| self.origins.allow(origin, host)) {
            return Err(Refusal::Origin);
        }
        if !head.lists("connection", "upgrade") {
            return Err(Refusal::BadRequest("Connection does not say upgrade"));
        }
        if head.only("sec-websocket-version") != Some(VERSION) {
            return Err(Refusal::Version);
        }
        if has_body(&head) {
            return Err(Refusal::BadRequest("A handshake has no body"));
        }
        let key = head.only("sec-websocket-key").filter(|key| is_key(key));
        let key = key.ok_or(Refusal::BadRequest("Sec-WebSocket-Key: expected 16 bytes in base64, once"))?;
        if !head.elements("sec-websocket-protocol").any(|protocol| protocol == SUBPROTOCOL.as_bytes()) {
            return Err(Refusal::BadRequest("Sec-WebSocket-Protocol does not name sip"));
        }
        Ok(Bytes::from(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\
             Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n",
            accept(key)
        )))
    }
}

/// The path that a request line asks for.
fn path_of(line: &[u8]) -> Result<&[u8], Refusal> {
    let mut words = line.split(|&byte| byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Refusal::BadRequest("No request of HTTP/1.1"));
    };
    if version != b"HTTP/1.1" {
        return Err(Refusal::BadRequest("Expected HTTP/1.1"));
    }
    if method != b"GET" {
        return Err(Refusal::Method);
    }
    if target.first() != Some(&b'/') {
        return Err(Refusal::BadRequest("Expected a path"));
    }
    Ok(target.split(|&byte| byte == b'?').next().unwrap_or_default())
}

fn has_body(head: &Head<'_>) -> bool {
    head.values("transfer-encoding").next().is_some() || head.values("content-length").any(|length| length != b"0")
}

/// 16 bytes in base64: 22 digits and the padding.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'+' || *byte == b'/';
    key.strip_suffix(b"==").is_some_and(|digits| digits.len() == 22 && digits.iter().all(is_digit))
}

/// What a server proves with that it has read the key as a WebSocket server.
fn accept(key: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// A client's handshake: what it has sent, and so what it waits for.
#[derive(Debug)]
pub(super) struct Asked {
    accept: Box<str>,
}

impl Asked {
    /// The request for a resource, and what is to be expected of its answer.
    pub(super) fn new(host: &str, resource: &Resource, random: &mut Random) -> (Bytes, Asked) {
        let mut nonce = [0; 16];
        random.fill(&mut nonce);
        let key = BASE64_STANDARD.encode(nonce);
        let request = format!(
            "GET {resource} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n\
             Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\nSec-WebSocket-Version: 13\r\n{}\r\n",
            resource.lines()
        );
        (Bytes::from(request), Asked { accept: accept(key.as_bytes()).into() })
    }

    /// Whether the server has opened a WebSocket for SIP. (RFC 6455) `[RFC 7118, Section 4.1]`
    ///
    /// # Errors
    /// With what is wrong about its answer.
    pub(super) fn check(&self, head: &[u8]) -> Result<(), Rejection> {
        let head = Head::read(head).ok_or(Rejection::NoHttp)?;
        let (code, phrase) = status_of(head.start).ok_or(Rejection::NoHttp)?;
        if code != 101 {
            return Err(Rejection::Status { code, phrase: phrase.into() });
        }
        if !head.lists("upgrade", "websocket") || !head.lists("connection", "upgrade") {
            return Err(Rejection::NoUpgrade);
        }
        if head.only("sec-websocket-accept") != Some(self.accept.as_bytes()) {
            return Err(Rejection::Accept);
        }
        if head.only("sec-websocket-protocol") != Some(SUBPROTOCOL.as_bytes()) {
            let named: Vec<&[u8]> = head.values("sec-websocket-protocol").collect();
            return Err(Rejection::Subprotocol(shown(&named.join(&b", "[..])).into()));
        }
        if head.values("sec-websocket-extensions").next().is_some() {
            return Err(Rejection::Extension);
        }
        Ok(())
    }
}

/// Code and phrase of a status line.
fn status_of(line: &[u8]) -> Option<(u16, String)> {
    let mut words = line.splitn(3, |&byte| byte == b' ');
    words.next().filter(|version| version.starts_with(b"HTTP/1."))?;
    let code = words.next().filter(|code| code.len() == 3)?;
    let code = core::str::from_utf8(code).ok()?.parse().ok()?;
    Some((code, shown(words.next().unwrap_or_default())))
}

/// What a stranger says, to be read by people: its beginning, and nothing in it but text.
fn shown(bytes: &[u8]) -> String {
    bytes.get(..SHOWN_BYTES).unwrap_or(bytes).escape_ascii().to_string()
}

#[cfg(test)]
mod tests;
