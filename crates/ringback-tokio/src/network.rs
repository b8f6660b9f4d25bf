//! Networks: addresses that begin alike.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// All addresses that begin alike: `192.0.2.0/24`, `2001:db8::/32`, or one address alone (CIDR, RFC 4632).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix_bits: u32,
}

/// Why a text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkError {
    /// It is no address, or what follows it is no length.
    Malformed,
    /// An address of IPv6 that holds one of IPv4.
    Mapped,
    /// The address isn't the first one of the network: this is.
    NotFirst(Network),
}

impl Network {
    /// True where every address of its family is in it.
    #[must_use]
    pub const fn is_everybody(&self) -> bool {
        self.prefix_bits == 0
    }

    /// Whether an address is in it. One of IPv4 is, too, where it comes as one of IPv6.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.first, ip.to_canonical()) {
            (IpAddr::V4(_), ip @ IpAddr::V4(_)) | (IpAddr::V6(_), ip @ IpAddr::V6(_)) => {
                begin(ip, self.prefix_bits) == self.first
            }
            _ => false,
        }
    }
}

/// The first address of those that have this beginning.
fn begin(ip: IpAddr, prefix_bits: u32) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => IpAddr::V4((ip.to_bits() & !u32::MAX.checked_shr(prefix_bits).unwrap_or(0)).into()),
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & !u128::MAX.checked_shr(prefix_bits).unwrap_or(0)).into()),
    }
}

fn bits_of(ip: IpAddr) -> u32 {
    if ip.is_ipv4() { u32::BITS } else { u128::BITS }
}

impl From<IpAddr> for Network {
    /// This address alone.
    fn from(ip: IpAddr) -> Network {
        let first = ip.to_canonical();
        Network { first, prefix_bits: bits_of(first) }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Network, NetworkError> {
        let Some((ip, length)) = text.split_once('/') else {
            return text.parse::<IpAddr>().map(Network::from).map_err(|_| NetworkError::Malformed);
        };
        let ip: IpAddr = ip.parse().map_err(|_| NetworkError::Malformed)?;
        if ip.to_canonical() != ip {
            return Err(NetworkError::Mapped);
        }
        // The standard library would take a sign.
        let is_length = (1..=3).contains(&length.len()) && length.bytes().all(|digit| digit.is_ascii_digit());
        let prefix_bits = length.parse().ok().filter(|bits| is_length && *bits <= bits_of(ip));
        let prefix_bits = prefix_bits.ok_or(NetworkError::Malformed)?;
        let network = Network { first: begin(ip, prefix_bits), prefix_bits };
        if network.first == ip { Ok(network) } else { Err(NetworkError::NotFirst(network)) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Network { first, prefix_bits } = self;
        if *prefix_bits == bits_of(*first) { write!(f, "{first}") } else { write!(f, "{first}/{prefix_bits}") }
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NetworkError::Malformed => {
                f.write_str("expected an address, or a network as 192.0.2.0/24 or 2001:db8::/32")
            }
            NetworkError::Mapped => f.write_str("an address of IPv4 within one of IPv6; write it as IPv4"),
            NetworkError::NotFirst(network) => write!(f, "not the first address of a network; is {network} meant?"),
        }
    }
}

impl Error for NetworkError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_begins_alike_is_in_it() {
        for (network, inside, outside) in [
            (
                "10.0.0.0/8",
                &["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"][..],
                &["11.0.0.0", "9.255.255.255", "::a00:1"][..],
            ),
            ("192.0.2.128/25", &["192.0.2.128", "192.0.2.255"], &["192.0.2.127"]),
            ("192.0.2.7", &["192.0.2.7", "::ffff:192.0.2.7"], &["192.0.2.6"]),
            ("0.0.0.0/0", &["0.0.0.0", "255.255.255.255"], &["::", "2001:db8::1"]),
            ("2001:db8::/32", &["2001:db8::", "2001:db8:ffff::1"], &["2001:db9::", "32.1.13.184"]),
            ("::/0", &["::1", "2001:db8::1"], &["192.0.2.1"]),
            ("::ffff:192.0.2.7", &["192.0.2.7"], &["192.0.2.8"]),
        ] {
            let read: Network = network.parse().unwrap();
            assert_eq!(read.to_string().parse::<Network>().unwrap(), read);
            assert!(inside.iter().all(|ip| read.contains(ip.parse().unwrap())), "{network}");
            assert!(!outside.iter().any(|ip| read.contains(ip.parse().unwrap())), "{network}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "x",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            "10/8",
            "::/129",
            "::/1000",
            "::1/x",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::Malformed), "{text}");
        }
        assert_eq!("::ffff:10.0.0.0/104".parse::<Network>(), Err(NetworkError::Mapped));
        let told = "10.1.0.0/8".parse::<Network>().unwrap_err().to_string();
        assert_eq!(told, "not the first address of a network; is 10.0.0.0/8 meant?");
    }
}
