//! What was agreed on before, and binds for as long as the session lasts, stream by stream. `[RFC 3264, Section 8.3.2]` A stream
//! that takes the place of one that is gone is another, and nothing binds it. `[RFC 3264, Section 8.1]`

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use crate::description::SessionDescription;
use crate::line::MediaType;
use crate::negotiate::facts::{Stream, StreamState};
use crate::negotiate::format::{Format, formats};

/// Dynamic payload types of one side: what each stands for in each stream. It is bounded by the number of streams and of
/// payload types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PayloadTypes {
    streams: BTreeMap<usize, Mapped>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Mapped {
    media: MediaType,
    encodings: BTreeMap<u8, (Box<str>, u32, u32)>,
}

impl PayloadTypes {
    /// True where the payload type stood for something else in this stream.
    pub(crate) fn contradict(&self, index: usize, media: &MediaType, format: &Format) -> bool {
        let mapped = self.streams.get(&index).filter(|mapped| mapped.media == *media);
        let known = mapped.and_then(|mapped| mapped.encodings.get(&format.payload_type));
        known.is_some_and(|known| *known != key(format))
    }

    /// True where the payload type has stood for anything in this stream.
    pub(crate) fn knows(&self, index: usize, payload_type: u8) -> bool {
        self.streams.get(&index).is_some_and(|mapped| mapped.encodings.contains_key(&payload_type))
    }

    /// The first stream and payload type of a description that contradict what was before.
    pub(crate) fn conflict(&self, description: &SessionDescription) -> Option<(usize, u8)> {
        if self.streams.is_empty() {
            return None;
        }
        let streams = description.media().iter().enumerate().filter(|(_, media)| media.port() != 0);
        let mut bad = streams.filter_map(|(index, media)| {
            let formats = formats(media);
            let format = formats.iter().find(|format| self.contradict(index, media.media(), format))?;
            Some((index, format.payload_type))
        });
        bad.next()
    }

    /// Remembers what a description says. A stream that is gone, turned down or taken away, takes its payload types with it.
    pub(crate) fn learn(&mut self, description: &SessionDescription, streams: &[Stream]) {
        for (index, media) in description.media().iter().enumerate() {
            if streams.get(index).is_none_or(|stream| stream.state == StreamState::Gone) {
                self.streams.remove(&index);
                continue;
            }
            let fresh = || Mapped { media: media.media().clone(), encodings: BTreeMap::new() };
            let mapped = self.streams.entry(index).or_insert_with(fresh);
            if mapped.media != *media.media() {
                *mapped = fresh();
            }
            for format in formats(media) {
                mapped.encodings.entry(format.payload_type).or_insert_with(|| key(&format));
            }
        }
    }
}

fn key(format: &Format) -> (Box<str>, u32, u32) {
    let codec = &format.codec;
    (codec.name.to_ascii_lowercase().into(), codec.clock_rate, codec.channels)
}
