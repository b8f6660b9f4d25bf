//! Session descriptions: read, built, negotiated. No SIP is known here, and nothing is sent.
//!
//! ```text
//!   body ──SessionDescription::parse─────▶ SessionDescription ──attribute::<RtpMap>() …─▶ typed attributes, read when asked for
//!        ──SessionDescription::parse_strict─▲      │   ▲
//!   SdpBuilder::new(…)…build() ─────────────┘      │   └─ to_string(), to_bytes()
//!                                                  ▼
//!   Session ──send(Offer)──▶ PendingOffer ──accept(answer)──▶ Session      see [`negotiate`]
//!           ──receive(offer)──▶ ReceivedOffer ──answer(&Endpoint)──▶ Answer ──sent()──▶ Session
//! ```
//!
//! Reading is tolerant of what phones and browsers send and tells, on request, where a text departs from its grammar, by line
//! and column; lines and attributes that nobody knows are kept to the letter. What is built or written is exact, and no value
//! can end its line.
//!
//! ```
//! use ringback_sdp::negotiate::{Codec, Endpoint, LocalMedia, Session};
//! use ringback_sdp::{Origin, SessionDescription};
//!
//! // What one side has …
//! let alice = Endpoint::new(Origin::parse("alice 1 1 IN IP4 192.0.2.1")?, "192.0.2.1")
//!     .media(LocalMedia::audio(4000).codec(Codec::opus()).codec(Codec::pcmu()));
//! let draft = Session::new().draft(alice.offer()?)?;
//! let pending = Session::new().send(draft)?;
//!
//! // … what the other has …
//! let bob = Endpoint::new(Origin::parse("bob 7 7 IN IP4 192.0.2.2")?, "192.0.2.2")
//!     .media(LocalMedia::audio(5000).codec(Codec::pcmu()));
//! let offer = SessionDescription::parse(pending.description().to_string())?;
//! let answer = Session::new().receive(offer)?.answer(&bob)?;
//!
//! // … and what both know afterwards.
//! let session = pending.accept(answer.description().clone())?;
//! assert_eq!(session.streams()[0].send[0].codec.name(), "PCMU");
//! assert_eq!(session.streams()[0].remote.as_ref().map(|target| target.port), Some(5000));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod attribute;
pub mod negotiate;

mod builder;
mod bundling;
mod check;
mod cursor;
mod description;
mod error;
mod line;
mod order;
mod parse;
mod profile;
mod section;
mod work;
mod write;

pub use attribute::{Attribute, MediaDirection};
pub use builder::{MediaBuilder, SdpBuilder};
pub use cursor::{Cursor, Place};
pub use description::{MediaDescription, SessionDescription};
pub use error::{BuildError, ParseError, ParseErrorKind};
pub use line::{
    Bandwidth, Connection, FORMATS_MAX, Line, MediaLine, MediaType, Origin, Repeat, TIMES_MAX, TimeSpan, Timing, Zone,
    ZoneAdjustment,
};
pub use parse::{DEPARTURES_MAX, LINES_MAX, MEDIA_MAX, Reading, SDP_BYTES_MAX};
pub use section::Section;
