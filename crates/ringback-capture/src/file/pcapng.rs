//! pcapng: sections of blocks, with interfaces that each have a link type and a clock of their own.

use alloc::vec::Vec;

use crate::cursor::{Cursor, Order, size};
use crate::error::{ReadError, ReadErrorKind};
use crate::file::{Input, RECORD_BYTES_MAX, Step, Tap};
use crate::packet::{Origin, What};

/// The most interfaces of a section.
pub const INTERFACES_MAX: usize = 1_024;
/// The longest block that is read; blocks of unknown types are passed over and may be of any length.
const BLOCK_BYTES_MAX: usize = 1_048_576;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// The first four bytes of a file, in whatever order.
pub(crate) const MAGIC: [u8; 4] = SECTION.to_be_bytes();

/// A file, in one of its sections.
#[derive(Debug)]
pub(crate) struct PcapNg {
    order: Order,
    interfaces: Vec<Interface>,
    /// Bytes of a block that are passed over, and the length that must stand behind them.
    skip: u64,
    skipped: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link_type: u16,
    /// The most bytes of a frame that are kept; 0 for all.
    snap_bytes: u32,
    units_per_second: u128,
    offset_seconds: i64,
}

/// A frame in a block.
struct Framed<'a> {
    interface: u32,
    units: Option<u64>,
    bytes: &'a [u8],
}

impl PcapNg {
    pub(crate) fn new() -> PcapNg {
        PcapNg { order: Order::Little, interfaces: Vec::new(), skip: 0, skipped: None }
    }

    /// Whether the end of a block that is passed over is still to come.
    pub(crate) fn is_inside(&self) -> bool {
        self.skipped.is_some()
    }

    pub(crate) fn step(&mut self, input: &mut Input, tap: &mut Tap) -> Result<Step, ReadError> {
        if self.skip > 0 {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(input.rest().len());
            input.consume(skipped);
            self.skip = self.skip.saturating_sub(u64::try_from(skipped).unwrap_or(u64::MAX));
            return Ok(if skipped > 0 { Step::Read } else { Step::Wanting });
        }
        let mut cursor = Cursor::new(input.rest());
        if let Some(length) = self.skipped {
            let Some(again) = self.order.u32(&mut cursor) else { return Ok(Step::Wanting) };
            if again != length {
                return Err(input.error(0, ReadErrorKind::BlockLength));
            }
            self.skipped = None;
            input.consume(4);
            return Ok(Step::Read);
        }
        let Some([kind, length]) = self.block_header(&mut cursor, input)? else { return Ok(Step::Wanting) };
        // Type, length, and the length once more; all of it in units of 4 bytes.
        let Some(body_length) = length.checked_sub(12).filter(|_| length.is_multiple_of(4)) else {
            return Err(input.error(4, ReadErrorKind::BlockLength));
        };
        if !matches!(kind, SECTION | INTERFACE | OLD_PACKET | SIMPLE_PACKET | ENHANCED_PACKET) {
            (self.skip, self.skipped) = (u64::from(body_length), Some(length));
            input.consume(8);
            return Ok(Step::Read);
        }
        if size(length) > BLOCK_BYTES_MAX {
            return Err(input.error(4, ReadErrorKind::BlockLength));
        }
        let Some(body) = cursor.take(size(body_length)) else { return Ok(Step::Wanting) };
        let Some(again) = self.order.u32(&mut cursor) else { return Ok(Step::Wanting) };
        if again != length {
            return Err(input.error(u64::from(body_length).saturating_add(8), ReadErrorKind::BlockLength));
        }
        self.block(kind, body, tap).map_err(|kind| input.error(8, kind))?;
        input.consume(size(length));
        Ok(Step::Read)
    }

    /// Type and length; a section says first in which order its bytes are.
    fn block_header(&mut self, cursor: &mut Cursor<'_>, input: &Input) -> Result<Option<[u32; 2]>, ReadError> {
        if cursor.rest.starts_with(&MAGIC) {
            let Some(order) = cursor.rest.get(8..).and_then(|rest| rest.first_chunk()) else { return Ok(None) };
            self.order = match u32::from_be_bytes(*order) {
                0x1a2b_3c4d => Order::Big,
                0x4d3c_2b1a => Order::Little,
                _ => return Err(input.error(8, ReadErrorKind::ByteOrder)),
            };
        }
        Ok(self.order.u32(cursor).zip(self.order.u32(cursor)).map(|(kind, length)| [kind, length]))
    }

    fn block(&mut self, kind: u32, body: &[u8], tap: &mut Tap) -> Result<(), ReadErrorKind> {
        let mut body = Cursor::new(body);
        match kind {
            SECTION => {
                body.take(4).ok_or(ReadErrorKind::BlockTooShort)?;
                let major = self.order.u16(&mut body).ok_or(ReadErrorKind::BlockTooShort)?;
                self.interfaces.clear();
                return if major == 1 { Ok(()) } else { Err(ReadErrorKind::Version) };
            }
            INTERFACE => {
                if self.interfaces.len() >= INTERFACES_MAX {
                    return Err(ReadErrorKind::TooManyInterfaces);
                }
                self.interfaces.push(self.interface(body).ok_or(ReadErrorKind::BlockTooShort)?);
                return Ok(());
            }
            _ => {}
        }
        let framed = match kind {
            SIMPLE_PACKET => self.simple(body),
            _ => self.enhanced(kind, body),
        };
        let framed = framed.ok_or(ReadErrorKind::BlockTooShort)?;
        if framed.bytes.len() > RECORD_BYTES_MAX {
            return Err(ReadErrorKind::RecordTooLong);
        }
        let number = tap.count();
        let Some(interface) = self.interfaces.get(size(framed.interface)) else {
            tap.sink.note(number, What::InterfaceUnknown(framed.interface));
            return Ok(());
        };
        let origin = Origin::new(number, framed.units.and_then(|units| interface.time_us(units)));
        tap.layers.frame(interface.link_type, framed.bytes, origin, &mut tap.sink);
        Ok(())
    }

    fn interface(&self, mut body: Cursor<'_>) -> Option<Interface> {
        let link_type = self.order.u16(&mut body)?;
        body.take(2)?;
        let snap_bytes = self.order.u32(&mut body)?;
        let mut interface = Interface { link_type, snap_bytes, units_per_second: 1_000_000, offset_seconds: 0 };
        // A list of options that breaks off is one that ends.
        while let (Some(code), Some(length)) = (self.order.u16(&mut body), self.order.u16(&mut body)) {
            let length = usize::from(length);
            let Some(value) = body.take(length) else { break };
            body.take(length.next_multiple_of(4).saturating_sub(length));
            match (code, value) {
                (0, _) => break,
                (9, [resolution]) => interface.units_per_second = units_per_second(*resolution),
                (14, value) => {
                    let Ok(seconds) = <[u8; 8]>::try_from(value) else { continue };
                    interface.offset_seconds = match self.order {
                        Order::Little => i64::from_le_bytes(seconds),
                        Order::Big => i64::from_be_bytes(seconds),
                    };
                }
                _ => {}
            }
        }
        Some(interface)
    }

    fn enhanced<'a>(&self, kind: u32, mut body: Cursor<'a>) -> Option<Framed<'a>> {
        let interface = if kind == OLD_PACKET {
            // Behind a short number of the interface, how many frames were lost.
            let number = self.order.u16(&mut body)?;
            body.take(2)?;
            u32::from(number)
        } else {
            self.order.u32(&mut body)?
        };
        let high = self.order.u32(&mut body)?;
        let low = self.order.u32(&mut body)?;
        let captured = self.order.u32(&mut body)?;
        body.take(4)?;
        let units = u64::from(high) << 32 | u64::from(low);
        Some(Framed { interface, units: Some(units), bytes: body.take(size(captured))? })
    }

    /// Of the first interface, without a time.
    fn simple<'a>(&self, mut body: Cursor<'a>) -> Option<Framed<'a>> {
        let original = self.order.u32(&mut body)?;
        let snap_bytes = self.interfaces.first().map_or(0, |interface| interface.snap_bytes);
        let captured = if snap_bytes == 0 { original } else { original.min(snap_bytes) };
        Some(Framed { interface: 0, units: None, bytes: body.take(size(captured).min(body.rest.len()))? })
    }
}

impl Interface {
    /// Microseconds since 1970, or `None` where the clock says what can't be.
    fn time_us(&self, units: u64) -> Option<u64> {
        let us = u128::from(units).checked_mul(1_000_000)?.checked_div(self.units_per_second)?;
        let offset_us = i128::from(self.offset_seconds).checked_mul(1_000_000)?;
        u64::try_from(i128::try_from(us).ok()?.checked_add(offset_us)?).ok()
    }
}

/// A negative power of 10 or, with the highest bit, of 2; 0 for one that can't be.
fn units_per_second(resolution: u8) -> u128 {
    let power = u32::from(resolution & 0x7f);
    let base: u128 = if resolution & 0x80 == 0 { 10 } else { 2 };
    base.checked_pow(power).unwrap_or(0)
}
