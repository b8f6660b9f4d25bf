//! From a frame to the IP packet that it holds.

use crate::cursor::Cursor;

/// The most tags and labels in front of a packet: VLAN, MPLS.
const TAGS_MAX: usize = 8;

/// Raw IP, version 4 or 6 by its first half byte: what [`PcapWriter`](crate::PcapWriter) writes.
pub(crate) const RAW: u16 = 101;
pub(crate) const ETHERNET: u16 = 1;
pub(crate) const LINUX_COOKED: u16 = 113;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inside<'a> {
    /// An IP packet, and perhaps padding behind it.
    Ip(&'a [u8]),
    /// Something that carries no SIP, such as ARP.
    Other,
    /// Less than its header, or more tags than one can believe.
    Malformed,
    /// The link type isn't known.
    Unsupported,
}

/// Opens a frame of a link type by the tcpdump registry.
pub(crate) fn open(link_type: u16, frame: &[u8]) -> Inside<'_> {
    let mut cursor = Cursor::new(frame);
    let found = match link_type {
        // Loopback of the BSDs: a protocol family, in the order of the machine that wrote the file, or of networks.
        0 | 108 => cursor.array().map(|family| of_family(family, cursor.rest)),
        ETHERNET => cursor.take(12).and_then(|_| cursor.u16()).and_then(|kind| of_type(kind, cursor)),
        12 | 14 | RAW | 228 | 229 => Some(Inside::Ip(frame)),
        LINUX_COOKED => cursor.take(14).and_then(|_| cursor.u16()).and_then(|kind| of_type(kind, cursor)),
        // Linux cooked, version 2.
        276 => cursor.u16().and_then(|kind| cursor.take(18).and_then(|_| of_type(kind, cursor))),
        _ => Some(Inside::Unsupported),
    };
    found.unwrap_or(Inside::Malformed)
}

fn of_family(family: [u8; 4], packet: &[u8]) -> Inside<'_> {
    match [u32::from_le_bytes(family), u32::from_be_bytes(family)].into_iter().min() {
        // AF_INET, and AF_INET6 of Linux, NetBSD, FreeBSD and macOS.
        Some(2 | 10 | 24 | 28 | 30) => Inside::Ip(packet),
        _ => Inside::Other,
    }
}

/// By EtherType, through tags and labels. `None` where the frame ends too soon.
fn of_type(mut kind: u16, mut cursor: Cursor<'_>) -> Option<Inside<'_>> {
    for _ in 0..TAGS_MAX {
        match kind {
            IPV4 | IPV6 => return Some(Inside::Ip(cursor.rest)),
            // VLAN tags, outer and inner.
            0x8100 | 0x88a8 | 0x9100 => {
                cursor.take(2)?;
                kind = cursor.u16()?;
            }
            // MPLS: the bottom of the stack has a bit set, and what is below it says itself what it is.
            0x8847 | 0x8848 => {
                let [.., label, _] = cursor.array::<4>()?;
                if label & 1 == 1 {
                    let version = cursor.rest.first().map(|byte| byte >> 4);
                    let is_ip = matches!(version, Some(4 | 6));
                    return Some(if is_ip { Inside::Ip(cursor.rest) } else { Inside::Other });
                }
            }
            // A PPPoE session: its header, then the number of a protocol of PPP.
            0x8864 => {
                cursor.take(6)?;
                kind = match cursor.u16()? {
                    0x0021 => IPV4,
                    0x0057 => IPV6,
                    _ => return Some(Inside::Other),
                };
            }
            _ => return Some(Inside::Other),
        }
    }
    None
}

/// The link type of a frame that came without one, as hexadecimal digits do.
pub(crate) fn guess(frame: &[u8]) -> Option<u16> {
    let holds_ip = |link_type| match open(link_type, frame) {
        Inside::Ip(packet) => crate::ip::looks_right(packet),
        _ => false,
    };
    [RAW, ETHERNET, LINUX_COOKED, 276, 0].into_iter().find(|link_type| holds_ip(*link_type))
}
