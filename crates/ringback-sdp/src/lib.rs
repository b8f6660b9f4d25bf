//! Session descriptions.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod attribute;
pub mod negotiate;

mod builder;
mod check;
mod cursor;
mod description;
mod error;
mod line;
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
