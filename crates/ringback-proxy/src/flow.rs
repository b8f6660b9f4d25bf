//! A connection, written so that a URI parameter can hold it.

use alloc::string::String;
use core::fmt::Write as _;
use core::net::{IpAddr, SocketAddr};

use ringback_base::{FlowId, Hop, Transport};

/// The number of each transport.
const TRANSPORTS: [Transport; 5] = [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];

/// The hop as hexadecimal digits; `None` where it names no connection. It proves nothing: whoever reads it must know who wrote it.
pub(crate) fn written(hop: &Hop) -> Option<String> {
    let FlowId { shard, slot, generation } = hop.flow?;
    let transport = TRANSPORTS.iter().position(|transport| *transport == hop.transport)?;
    let mut text = String::new();
    // Writing to a String can't fail.
    let _ = write!(text, "{transport:x}{shard:04x}{slot:08x}{generation:08x}");
    for address in [hop.local, hop.remote] {
        let _ = match address.ip() {
            IpAddr::V4(v4) => write!(text, "4{:08x}", v4.to_bits()),
            IpAddr::V6(v6) => write!(text, "6{:032x}", v6.to_bits()),
        };
        let _ = write!(text, "{:04x}", address.port());
    }
    Some(text)
}

/// The hop that is written so.
pub(crate) fn read(text: &[u8]) -> Option<Hop> {
    let mut digits = Digits(text);
    let transport = *TRANSPORTS.get(usize::try_from(digits.take(1)?).ok()?)?;
    let shard = u16::try_from(digits.take(4)?).ok()?;
    let slot = u32::try_from(digits.take(8)?).ok()?;
    let generation = u32::try_from(digits.take(8)?).ok()?;
    let (local, remote) = (digits.address()?, digits.address()?);
    let flow = Some(FlowId { shard, slot, generation });
    digits.0.is_empty().then_some(Hop { transport, local, remote, flow })
}

struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    fn take(&mut self, count: usize) -> Option<u128> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, digit| Some(number << 4 | u128::from(char::from(*digit).to_digit(16)?)))
    }

    fn address(&mut self) -> Option<SocketAddr> {
        let ip = match self.take(1)? {
            4 => IpAddr::from(u32::try_from(self.take(8)?).ok()?.to_be_bytes()),
            6 => IpAddr::from(self.take(32)?.to_be_bytes()),
            _ => return None,
        };
        Some(SocketAddr::new(ip, u16::try_from(self.take(4)?).ok()?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_is() {
        for (transport, local, remote) in [
            (Transport::Ws, "192.0.2.1:80", "198.51.100.7:40123"),
            (Transport::Wss, "[2001:db8::1]:443", "[2001:db8::7]:65535"),
        ] {
            let flow = Some(FlowId { shard: 3, slot: 70_000, generation: u32::MAX });
            let hop = Hop { transport, local: local.parse().unwrap(), remote: remote.parse().unwrap(), flow };
            let text = written(&hop).unwrap();
            assert_eq!(read(text.as_bytes()), Some(hop));
            for cut in 0..text.len() {
                assert_eq!(read(&text.as_bytes()[..cut]), None);
            }
            assert_eq!(read(alloc::format!("{text}0").as_bytes()), None);
            assert_eq!(written(&Hop { flow: None, ..hop }), None);
        }
        assert_eq!(read(&[b'f'; 60]), None);
    }
}
