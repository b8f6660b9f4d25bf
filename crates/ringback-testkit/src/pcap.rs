//! A capture file that other tools read, of what a run has sent and received.

use std::io::{self, Write};
use std::net::SocketAddr;

use ringback_base::Millis;
use ringback_capture::PcapWriter;

use crate::trace::{Record, What};

/// Writes what a tap at these addresses would have seen: what they sent when it left, what reached them when it came.
///
/// Moments count from `epoch`. What no datagram holds, and what goes from one address family to the other, is left out.
///
/// # Errors
/// Where the output fails.
pub fn write<'a>(
    out: &mut impl Write,
    records: impl Iterator<Item = &'a Record>,
    tap: &[SocketAddr],
    epoch: Millis,
) -> io::Result<()> {
    let mut writer = PcapWriter::new();
    for record in records {
        let (from, to, bytes) = match &record.what {
            What::Sent { from, to, bytes, .. } if tap.contains(from) => (from, to, bytes),
            What::Arrived { from, to, bytes } if tap.contains(to) => (from, to, bytes),
            _ => continue,
        };
        let time_us = record.at.0.saturating_add(epoch.0.saturating_mul(1_000));
        if writer.datagram(time_us, *from, *to, bytes).is_ok() {
            out.write_all(&writer.take())?;
        }
    }
    out.write_all(&writer.take())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::trace::Sent;
    use bytes::Bytes;
    use ringback_base::Micros;

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
