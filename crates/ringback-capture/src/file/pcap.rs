//! The classic format of libpcap: one header, then records.

use crate::cursor::{Cursor, Order, size};
use crate::error::{ReadError, ReadErrorKind};
use crate::file::{Input, RECORD_BYTES_MAX, Step, Tap};
use crate::packet::Origin;

const FILE_HEADER_BYTES: usize = 24;
const RECORD_HEADER_BYTES: usize = 16;

/// A file whose header has been read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pcap {
    order: Order,
    /// How many units of the fraction a microsecond has.
    units: u32,
    link_type: u16,
}

/// The order of bytes, and units a microsecond, by the first four bytes.
pub(crate) fn magic(first: [u8; 4]) -> Option<(Order, u32)> {
    match u32::from_be_bytes(first) {
        0xa1b2_c3d4 => Some((Order::Big, 1)),
        0xd4c3_b2a1 => Some((Order::Little, 1)),
        0xa1b2_3c4d => Some((Order::Big, 1_000)),
        0x4d3c_b2a1 => Some((Order::Little, 1_000)),
        _ => None,
    }
}

impl Pcap {
    /// Reads the header, or `None` where it isn't whole.
    pub(crate) fn open(order: Order, units: u32, input: &mut Input) -> Result<Option<Pcap>, ReadError> {
        let mut cursor = Cursor::new(input.rest());
        let Some(mut header) = cursor.take(FILE_HEADER_BYTES).map(Cursor::new) else { return Ok(None) };
        let fields = (|| {
            header.take(4)?;
            let major = order.u16(&mut header)?;
            header.take(14)?;
            Some((major, order.u32(&mut header)?))
        })();
        let Some((2, network)) = fields else { return Err(input.error(4, ReadErrorKind::Version)) };
        // Above the link type are bits that tell the length of a checksum behind each frame.
        let link_type = u16::try_from(network & 0xffff).unwrap_or(u16::MAX);
        input.consume(FILE_HEADER_BYTES);
        Ok(Some(Pcap { order, units, link_type }))
    }

    pub(crate) fn step(&mut self, input: &mut Input, tap: &mut Tap) -> Result<Step, ReadError> {
        let mut cursor = Cursor::new(input.rest());
        let Some([seconds, fraction, captured, _]) = self.record_header(&mut cursor) else {
            return Ok(Step::Wanting);
        };
        let length = size(captured);
        if length > RECORD_BYTES_MAX {
            return Err(input.error(8, ReadErrorKind::RecordTooLong));
        }
        let Some(frame) = cursor.take(length) else { return Ok(Step::Wanting) };
        let fraction = u64::from(fraction / self.units.max(1));
        let time_us = u64::from(seconds).saturating_mul(1_000_000).saturating_add(fraction);
        let origin = Origin::new(tap.count(), Some(time_us));
        tap.layers.frame(self.link_type, frame, origin, &mut tap.sink);
        input.consume(RECORD_HEADER_BYTES.saturating_add(length));
        Ok(Step::Read)
    }

    fn record_header(&self, cursor: &mut Cursor<'_>) -> Option<[u32; 4]> {
        let mut field = || self.order.u32(cursor);
        Some([field()?, field()?, field()?, field()?])
    }
}
