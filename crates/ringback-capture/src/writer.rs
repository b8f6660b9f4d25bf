//! A capture that other tools read: classic pcap, raw IP, UDP with right checksums.

use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, SocketAddr};

use crate::file::RECORD_BYTES_MAX;
use crate::{ip, link};

const IPV4_HEADER_BYTES: u16 = 20;
const UDP_HEADER_BYTES: u16 = 8;
const HOP_LIMIT: u8 = 64;

/// Writes datagrams as a capture, in memory: take what is there as often as you like, and append it to a file.
///
/// ```
/// let mut writer = ringback_capture::PcapWriter::new();
/// writer.datagram(0, "[2001:db8::1]:5060".parse()?, "[2001:db8::2]:5060".parse()?, b"hello")?;
/// assert_eq!(writer.take().len(), 24 + 16 + 40 + 8 + 5);
/// assert!(writer.take().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PcapWriter {
    out: Vec<u8>,
    identification: u16,
}

/// Why a datagram can't be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// No datagram is that long.
    TooLong,
    /// One address is of IPv4 and the other of IPv6.
    Families,
    /// The format has no such time: from 1970 to 2106.
    Time,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WriteError::TooLong => "longer than a datagram can be",
            WriteError::Families => "from IPv4 to IPv6, or back",
            WriteError::Time => "a time that a capture can't hold",
        })
    }
}

impl core::error::Error for WriteError {}

impl Default for PcapWriter {
    fn default() -> PcapWriter {
        PcapWriter::new()
    }
}

impl PcapWriter {
    /// A capture with nothing in it but its header.
    #[must_use]
    pub fn new() -> PcapWriter {
        let mut out = Vec::new();
        for field in [0xa1b2_c3d4_u32, 2 | 4 << 16, 0, 0] {
            out.extend_from_slice(&field.to_le_bytes());
        }
        let snap_bytes = u32::try_from(RECORD_BYTES_MAX).unwrap_or(u32::MAX);
        out.extend_from_slice(&snap_bytes.to_le_bytes());
        out.extend_from_slice(&u32::from(link::RAW).to_le_bytes());
        PcapWriter { out, identification: 0 }
    }

    /// Adds a UDP datagram that was sent at a time in microseconds since 1970.
    ///
    /// # Errors
    /// Where there can be no such datagram; nothing is written then.
    pub fn datagram(
        &mut self,
        time_us: u64,
        source: SocketAddr,
        destination: SocketAddr,
        payload: &[u8],
    ) -> Result<(), WriteError> {
        let seconds = u32::try_from(time_us / 1_000_000).map_err(|_| WriteError::Time)?;
        let fraction = u32::try_from(time_us % 1_000_000).map_err(|_| WriteError::Time)?;
        let packet = self.ip_packet(source, destination, payload)?;
        let length = u32::try_from(packet.len()).map_err(|_| WriteError::TooLong)?;
        for field in [seconds, fraction, length, length] {
            self.out.extend_from_slice(&field.to_le_bytes());
        }
        self.out.extend_from_slice(&packet);
        self.identification = self.identification.wrapping_add(1);
        Ok(())
    }

    /// What was written since this was last called; at first with the header of the file.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.out)
    }

    fn ip_packet(&self, source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Result<Vec<u8>, WriteError> {
        let length = u16::try_from(payload.len()).ok().and_then(|length| length.checked_add(UDP_HEADER_BYTES));
        let length = length.ok_or(WriteError::TooLong)?;
        let mut sum = Sum::default();
        let mut packet = Vec::with_capacity(payload.len().saturating_add(48));
        match (source.ip(), destination.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let total = length.checked_add(IPV4_HEADER_BYTES).ok_or(WriteError::TooLong)?;
                packet.extend_from_slice(&[0x45, 0]);
                packet.extend_from_slice(&total.to_be_bytes());
                packet.extend_from_slice(&self.identification.to_be_bytes());
                packet.extend_from_slice(&[0x40, 0, HOP_LIMIT, ip::UDP]);
                let mut of_header = Sum::default();
                of_header.add(&packet).add(&from.octets()).add(&to.octets());
                packet.extend_from_slice(&of_header.folded().to_be_bytes());
                packet.extend_from_slice(&from.octets());
                packet.extend_from_slice(&to.octets());
                sum.add(&from.octets()).add(&to.octets());
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                packet.extend_from_slice(&[0x60, 0, 0, 0]);
                packet.extend_from_slice(&length.to_be_bytes());
                packet.extend_from_slice(&[ip::UDP, HOP_LIMIT]);
                packet.extend_from_slice(&from.octets());
                packet.extend_from_slice(&to.octets());
                sum.add(&from.octets()).add(&to.octets());
            }
            _ => return Err(WriteError::Families),
        }
        let ports = [source.port().to_be_bytes(), destination.port().to_be_bytes(), length.to_be_bytes()];
        let ports = ports.as_flattened();
        sum.add(&[0, ip::UDP]).add(&length.to_be_bytes()).add(ports).add(payload);
        // 0 would say that there is no checksum.
        let checksum = match sum.folded() {
            0 => u16::MAX,
            sum => sum,
        };
        packet.extend_from_slice(ports);
        packet.extend_from_slice(&checksum.to_be_bytes());
        packet.extend_from_slice(payload);
        Ok(packet)
    }
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
            sum = (sum & 0xffff).wrapping_add(sum >> 16);
        }
        !u16::try_from(sum).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// The sum over a part that holds its own checksum is zero.
    fn sum_of(parts: &[&[u8]]) -> u16 {
        let mut sum = Sum::default();
        parts.iter().for_each(|part| _ = sum.add(part));
        sum.folded()
    }

    #[test]
    fn checksums_hold_for_both_families_and_odd_lengths() {
        let writer = PcapWriter::new();
        for payload in [&b""[..], b"a", b"ab", b"abc"] {
            let v4 = writer.ip_packet("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:6000".parse().unwrap(), payload);
            let v4 = v4.unwrap();
            assert_eq!(sum_of(&[&v4[..20]]), 0);
            let length = [v4[24], v4[25]];
            assert_eq!(sum_of(&[&v4[12..20], &[0, ip::UDP], &length, &v4[20..]]), 0);
            let v6 =
                writer.ip_packet("[2001:db8::1]:5060".parse().unwrap(), "[2001:db8::2]:9".parse().unwrap(), payload);
            let v6 = v6.unwrap();
            let length = [v6[44], v6[45]];
            assert_eq!(sum_of(&[&v6[8..40], &[0, ip::UDP], &length, &v6[40..]]), 0);
        }
    }

    #[test]
    fn a_known_checksum() {
        // The example of RFC 1071: the words 0001 f203 f4f5 f6f7 add up to ddf2.
        assert_eq!(!sum_of(&[&[0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7]]), 0xddf2);
    }

    #[test]
    fn what_no_datagram_is_isnt_written() {
        let (v4, v6) = ("192.0.2.1:5060".parse().unwrap(), "[2001:db8::1]:5060".parse().unwrap());
        let mut writer = PcapWriter::new();
        let _ = writer.take();
        assert_eq!(writer.datagram(0, v4, v6, b""), Err(WriteError::Families));
        assert_eq!(writer.datagram(0, v4, v4, &[0; 65_508]), Err(WriteError::TooLong));
        assert_eq!(writer.datagram(0, v6, v6, &[0; 65_528]), Err(WriteError::TooLong));
        assert_eq!(writer.datagram(u64::MAX, v4, v4, b""), Err(WriteError::Time));
        assert!(writer.take().is_empty());
        assert_eq!(writer.datagram(0, v4, v4, &[0; 65_507]), Ok(()));
    }
}
