//! IP headers, and what stands behind them.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::cursor::Cursor;

/// The most extension headers of one packet.
const EXTENSIONS_MAX: usize = 16;

pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;

/// A packet, opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet<'a> {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// The protocol of the payload.
    pub(crate) protocol: u8,
    pub(crate) payload: &'a [u8],
    /// How many bytes of the payload the frame lacks.
    pub(crate) missing: usize,
    pub(crate) fragment: Option<Fragment>,
}

/// Where a payload belongs in the datagram that it is a fragment of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    pub(crate) identification: u32,
    /// In bytes.
    pub(crate) offset: usize,
    pub(crate) is_last: bool,
}

/// Opens a packet; what stands behind its length is padding. The error is the name of the header that is wrong.
pub(crate) fn open(packet: &[u8]) -> Result<Packet<'_>, &'static str> {
    match packet.first().map(|byte| byte >> 4) {
        Some(4) => v4(packet).ok_or("IPv4 header"),
        Some(6) => v6(packet).ok_or("IPv6 header"),
        _ => Err("IP version"),
    }
}

/// Whether this is, beyond doubt, an IP packet: its length is that of its header.
pub(crate) fn looks_right(packet: &[u8]) -> bool {
    open(packet).is_ok_and(|packet| packet.missing == 0 && matches!(packet.protocol, TCP | UDP))
}

fn v4(packet: &[u8]) -> Option<Packet<'_>> {
    let mut cursor = Cursor::new(packet);
    let [first, _] = cursor.array()?;
    let header = usize::from(first & 0x0f).checked_mul(4).filter(|length| *length >= 20)?;
    let total = usize::from(cursor.u16()?);
    let identification = u32::from(cursor.u16()?);
    let place = cursor.u16()?;
    let [_, protocol, _, _] = cursor.array()?;
    let source = Ipv4Addr::from(cursor.u32()?);
    let destination = Ipv4Addr::from(cursor.u32()?);
    let rest = packet.get(header..)?;
    // Where the sender's card does the cutting, the length may be 0.
    let length = if total == 0 { rest.len() } else { total.checked_sub(header)? };
    let (offset, more) = (usize::from(place & 0x1fff).saturating_mul(8), place & 0x2000 != 0);
    let fragment = (offset > 0 || more).then_some(Fragment { identification, offset, is_last: !more });
    let (payload, missing) = cut(rest, length);
    Some(Packet { source: source.into(), destination: destination.into(), protocol, payload, missing, fragment })
}

fn v6(packet: &[u8]) -> Option<Packet<'_>> {
    let mut cursor = Cursor::new(packet);
    cursor.take(4)?;
    let length = usize::from(cursor.u16()?);
    let next = cursor.u8()?;
    cursor.take(1)?;
    let source = Ipv6Addr::from(cursor.array::<16>()?);
    let destination = Ipv6Addr::from(cursor.array::<16>()?);
    let length = if length == 0 { cursor.rest.len() } else { length };
    let (payload, missing) = cut(cursor.rest, length);
    let (protocol, payload, fragment) = extensions(next, payload)?;
    Some(Packet { source: source.into(), destination: destination.into(), protocol, payload, missing, fragment })
}

fn cut(rest: &[u8], length: usize) -> (&[u8], usize) {
    match rest.get(..length) {
        Some(payload) => (payload, 0),
        None => (rest, length.saturating_sub(rest.len())),
    }
}

/// Passes extension headers, up to a fragment's or to the payload. (RFC 8200)
pub(crate) fn extensions(mut next: u8, payload: &[u8]) -> Option<(u8, &[u8], Option<Fragment>)> {
    let mut cursor = Cursor::new(payload);
    for _ in 0..EXTENSIONS_MAX {
        match next {
            // Hop-by-hop, routing, destination, mobility, HIP and Shim6, by units of 8 bytes and one for the first.
            0 | 43 | 60 | 135 | 139 | 140 => {
                let [following, units] = cursor.array()?;
                cursor.take(usize::from(units).saturating_mul(8).saturating_add(6))?;
                next = following;
            }
            // An authentication header counts by 4 bytes, and two for the first.
            51 => {
                let [following, units] = cursor.array()?;
                cursor.take(usize::from(units).saturating_mul(4).saturating_add(6))?;
                next = following;
            }
            44 => {
                let [following, _] = cursor.array()?;
                let place = cursor.u16()?;
                let identification = cursor.u32()?;
                let (offset, more) = (usize::from(place & 0xfff8), place & 1 != 0);
                next = following;
                if offset > 0 || more {
                    let fragment = Fragment { identification, offset, is_last: !more };
                    return Some((next, cursor.rest, Some(fragment)));
                }
            }
            _ => return Some((next, cursor.rest, None)),
        }
    }
    None
}
