//! What streams must have in common to share one address. `[RFC 8843, Section 9]`

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use crate::attribute::{BundleOnly, RtcpMux};
use crate::description::MediaDescription;
use crate::line::MediaType;
use crate::negotiate::Codec;
use crate::negotiate::formats;

/// The streams of one bundle so far: what their payload types stand for, and the stream whose address counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bundle {
    types: BTreeMap<u8, Meaning>,
    tagged: Option<Tagged>,
}

/// All that must be one where a payload type is one. `[RFC 8843, Section 9.1.1]`
#[derive(Clone, Debug, PartialEq, Eq)]
struct Meaning {
    media: MediaType,
    encoding: Box<str>,
    clock_rate: u32,
    channels: u32,
    parameters: Box<str>,
}

#[derive(Clone, Copy, Debug)]
struct Tagged {
    port: u16,
    is_muxed: bool,
}

/// Why a stream can't be in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// The payload type has another meaning in a stream before it.
    PayloadType(u8),
    /// RTCP would have a port of its own.
    NoMux,
}

impl Bundle {
    /// Takes a stream in; the first is the one whose address counts.
    pub(crate) fn admit(&mut self, media: &MediaDescription) -> Result<(), Misfit> {
        let is_muxed = media.section().attribute::<RtcpMux>().is_some();
        // What the tagged stream says of the transport holds for those that share its address. [RFC 8843, Section 7.1.3]
        let shares = |tagged: Tagged| {
            let is_only = media.port() == 0 && media.section().attribute::<BundleOnly>().is_some();
            tagged.is_muxed && (is_only || tagged.port == media.port())
        };
        if media.line().is_rtp() && !is_muxed && !self.tagged.is_some_and(shares) {
            return Err(Misfit::NoMux);
        }
        let formats = formats(media);
        if let Some(bad) = formats.iter().find(|format| !self.allows(format.payload_type, media.media(), &format.codec))
        {
            return Err(Misfit::PayloadType(bad.payload_type));
        }
        self.tagged.get_or_insert(Tagged { port: media.port(), is_muxed });
        self.types
            .extend(formats.iter().map(|format| (format.payload_type, Meaning::of(media.media(), &format.codec))));
        Ok(())
    }

    /// True where the payload type is free, or stands for the same.
    pub(crate) fn allows(&self, payload_type: u8, media: &MediaType, codec: &Codec) -> bool {
        self.types.get(&payload_type).is_none_or(|known| *known == Meaning::of(media, codec))
    }
}

impl Meaning {
    fn of(media: &MediaType, codec: &Codec) -> Meaning {
        Meaning {
            media: media.clone(),
            encoding: codec.name().to_ascii_lowercase().into(),
            clock_rate: codec.clock_rate(),
            channels: codec.channels(),
            parameters: codec.fmtp().into(),
        }
    }
}
