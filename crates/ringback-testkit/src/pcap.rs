//! A capture file that other tools read: classic pcap, raw IP, UDP with right checksums.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use ringback_base::Millis;

use crate::trace::{Record, What};

/// Raw IP, version 4 or 6 by its first half byte.
const LINKTYPE_RAW: u32 = 101;
const SNAPLEN: u32 = 262_144;
const UDP: u8 = 17;
const UDP_HEADER: u16 = 8;
const IPV4_HEADER: u16 = 20;
const HOP_LIMIT: u8 = 64;

/// Writes what a tap at these addresses would have seen: what they sent when it left, what reached them when it came.
///
/// Moments count from `epoch`.
///
/// # Errors
/// Where the output fails.
pub fn write<'a>(
    out: &mut impl Write,
    records: impl Iterator<Item = &'a Record>,
    tap: &[SocketAddr],
    epoch: Millis,
) -> io::Result<()> {
    out.write_all(&0xa1b2_c3d4_u32.to_le_bytes())?;
    out.write_all(&2_u16.to_le_bytes())?;
    out.write_all(&4_u16.to_le_bytes())?;
    out.write_all(&[0; 8])?;
    out.write_all(&SNAPLEN.to_le_bytes())?;
    out.write_all(&LINKTYPE_RAW.to_le_bytes())?;
    let mut number = 0_u16;
    for record in records {
        let (from, to, bytes) = match &record.what {
            What::Sent { from, to, bytes, .. } if tap.contains(from) => (from, to, bytes),
            What::Arrived { from, to, bytes } if tap.contains(to) => (from, to, bytes),
            _ => continue,
        };
        let Some(packet) = ip_packet(*from, *to, bytes, number) else { continue };
        number = number.wrapping_add(1);
        let micros = record.at.0.saturating_add(epoch.0.saturating_mul(1_000));
        let length = u32::try_from(packet.len()).unwrap_or(SNAPLEN);
        for field in [
            u32::try_from(micros / 1_000_000).unwrap_or(u32::MAX),
            u32::try_from(micros % 1_000_000).unwrap_or(0),
            length,
            length,
        ] {
            out.write_all(&field.to_le_bytes())?;
        }
        out.write_all(&packet)?;
    }
    out.flush()
}

/// `None` for what no datagram holds, or between address families.
fn ip_packet(from: SocketAddr, to: SocketAddr, payload: &[u8], number: u16) -> Option<Vec<u8>> {
    let udp_length = u16::try_from(payload.len()).ok()?.checked_add(UDP_HEADER)?;
    let mut udp = Vec::with_capacity(usize::from(udp_length));
    udp.extend_from_slice(&from.port().to_be_bytes());
    udp.extend_from_slice(&to.port().to_be_bytes());
    udp.extend_from_slice(&udp_length.to_be_bytes());
    let mut sum = Sum::default();
    let mut packet = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            sum.add(&from.octets()).add(&to.octets());
            let total = udp_length.checked_add(IPV4_HEADER)?;
            let mut header = vec![0x45, 0];
            header.extend_from_slice(&total.to_be_bytes());
            header.extend_from_slice(&number.to_be_bytes());
            header.extend_from_slice(&[0x40, 0, HOP_LIMIT, UDP]);
            let mut of_header = Sum::default();
            of_header.add(&header).add(&from.octets()).add(&to.octets());
            header.extend_from_slice(&of_header.folded().to_be_bytes());
            header.extend_from_slice(&from.octets());
            header.extend_from_slice(&to.octets());
            header
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            sum.add(&from.octets()).add(&to.octets());
            let mut header = vec![0x60, 0, 0, 0];
            header.extend_from_slice(&udp_length.to_be_bytes());
            header.extend_from_slice(&[UDP, HOP_LIMIT]);
            header.extend_from_slice(&from.octets());
            header.extend_from_slice(&to.octets());
            header
        }
        _ => return None,
    };
    sum.add(&[0, UDP]).add(&udp_length.to_be_bytes()).add(&udp).add(payload);
    // 0 would say that there is no checksum.
    let checksum = match sum.folded() {
        0 => u16::MAX,
        sum => sum,
    };
    udp.extend_from_slice(&checksum.to_be_bytes());
    packet.extend_from_slice(&udp);
    packet.extend_from_slice(payload);
    Some(packet)
}

/// The Internet checksum: the complement of the sum of 16-bit words, carries added back.
#[derive(Default)]
struct Sum(u64);

impl Sum {
    /// A part with an even number of bytes, or the last one.
    fn add(&mut self, bytes: &[u8]) -> &mut Sum {
        for pair in bytes.chunks(2) {
            let word = match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                [high] => u16::from_be_bytes([*high, 0]),
                _ => 0,
            };
            self.0 = self.0.wrapping_add(u64::from(word));
        }
        self
    }

    fn folded(&self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !u16::try_from(sum).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::trace::Sent;
    use bytes::Bytes;
    use ringback_base::Micros;

    /// The sum over a part that holds its own checksum is zero.
    fn sum_of(parts: &[&[u8]]) -> u16 {
        let mut sum = Sum::default();
        parts.iter().for_each(|part| _ = sum.add(part));
        sum.folded()
    }

    #[test]
    fn checksums_hold_for_both_families_and_odd_lengths() {
        for payload in [&b""[..], b"a", b"ab", b"abc"] {
            let v4 = ip_packet("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:6000".parse().unwrap(), payload, 7);
            let v4 = v4.unwrap();
            assert_eq!(sum_of(&[&v4[..20]]), 0);
            let length = [v4[24], v4[25]];
            assert_eq!(sum_of(&[&v4[12..20], &[0, UDP], &length, &v4[20..]]), 0);
            let v6 = ip_packet("[2001:db8::1]:5060".parse().unwrap(), "[2001:db8::2]:9".parse().unwrap(), payload, 7);
            let v6 = v6.unwrap();
            let length = [v6[44], v6[45]];
            assert_eq!(sum_of(&[&v6[8..40], &[0, UDP], &length, &v6[40..]]), 0);
        }
    }

    #[test]
    fn a_known_checksum() {
        // The example of RFC 1071: the words 0001 f203 f4f5 f6f7 add up to ddf2.
        assert_eq!(!sum_of(&[&[0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7]]), 0xddf2);
    }

    #[test]
    fn a_file_of_one_packet() {
        let (from, to) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
        let bytes = Bytes::from_static(b"hello");
        let sent = What::Sent { from, to, bytes: bytes.clone(), fate: Sent::default() };
        let records = [
            Record { at: Micros(1_500_000), what: sent },
            Record { at: Micros(1_500_000), what: What::Arrived { from, to, bytes } },
            Record { at: Micros(1_500_000), what: What::Note("nothing to see".into()) },
        ];
        let mut file = Vec::new();
        write(&mut file, records.iter(), &[from], Millis(2_000)).unwrap();
        assert_eq!(file.len(), 24 + 16 + 20 + 8 + 5);
        assert_eq!(file[20..24], 101_u32.to_le_bytes());
        assert_eq!((&file[24..28], &file[28..32]), (&3_u32.to_le_bytes()[..], &500_000_u32.to_le_bytes()[..]));
        assert!(file.ends_with(b"hello"));
    }
}
