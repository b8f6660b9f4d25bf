//! What must hold of any bytes. Each target is a function that panics where it doesn't hold.
//!
//! ```text
//!   seeds/*.txt, corpus/*/ ──▶ tests/it (every `cargo test`)        ──▶ Target::check
//!   libFuzzer ──▶ driver/ (`cargo xtask fuzz`, outside the workspace) ──▶ Target::check
//! ```
//!
//! An input that once failed belongs into `corpus/TARGET/`, where the tests replay it.
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a check that doesn't hold panics")]

mod capture;
mod digest;
mod headers;
mod lint;
mod message;
mod multipart;
mod resolve;
mod sdp;
mod stream;
mod stun;
mod uri;
mod websocket;

/// A check of any bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What `cargo xtask fuzz` knows it by, and its folder in `corpus`.
    pub name: &'static str,
    /// Panics where what must hold doesn't.
    pub check: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "message", check: message::check },
    Target { name: "stream", check: stream::check },
    Target { name: "uri", check: uri::check },
    Target { name: "headers", check: headers::check },
    Target { name: "multipart", check: multipart::check },
    Target { name: "sdp", check: sdp::check },
    Target { name: "digest", check: digest::check },
    Target { name: "capture", check: capture::check },
    Target { name: "lint", check: lint::check },
    Target { name: "resolve", check: resolve::check },
    Target { name: "websocket", check: websocket::check },
    Target { name: "stun", check: stun::check },
];

/// The target of that name.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|target| target.name == name).copied()
}
