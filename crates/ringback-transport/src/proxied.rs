//! The PROXY protocol, version 2: what a load balancer puts before the first byte of a connection, to say whose it is.
//!
//! It is believed of those alone that are named in the settings: anybody can write it. Version 1, which is a line of text, is refused.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// How long a header may be, with all that a balancer adds: certificates of clients, say.
pub const PROXY_HEADER_BYTES_MAX: usize = 4_096;

/// How long the part is that every header has.
pub const PROXY_PREFACE_BYTES: usize = 16;

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The first part of a header, which says how long the rest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyPreface {
    is_local: bool,
    family: u8,
    /// How many bytes follow.
    pub rest_bytes: usize,
}

/// Why a connection of a balancer can't be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyError {
    /// It doesn't begin with a header of version 2.
    NoHeader,
    /// The header says something that version 2 doesn't have.
    Malformed,
    /// The header is longer than [`PROXY_HEADER_BYTES_MAX`].
    TooLong,
    /// What was connected is no stream of the internet.
    Family,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProxyError::NoHeader => "no header of the PROXY protocol, version 2",
            ProxyError::Malformed => "a malformed header of the PROXY protocol",
            ProxyError::TooLong => "a header of the PROXY protocol that is too long",
            ProxyError::Family => "a header of the PROXY protocol for what is no TCP",
        })
    }
}

impl core::error::Error for ProxyError {}

impl ProxyPreface {
    /// Reads the first part.
    ///
    /// # Errors
    /// Where it is none, or announces more than is read.
    pub fn read(preface: &[u8; PROXY_PREFACE_BYTES]) -> Result<ProxyPreface, ProxyError> {
        let (signature, &[command, family, l0, l1]) = preface.split_last_chunk::<4>().ok_or(ProxyError::NoHeader)?;
        if signature != SIGNATURE {
            return Err(ProxyError::NoHeader);
        }
        let is_local = match command {
            0x20 => true,
            0x21 => false,
            _ => return Err(ProxyError::Malformed),
        };
        let rest_bytes = usize::from(u16::from_be_bytes([l0, l1]));
        if rest_bytes > PROXY_HEADER_BYTES_MAX.saturating_sub(PROXY_PREFACE_BYTES) {
            return Err(ProxyError::TooLong);
        }
        Ok(ProxyPreface { is_local, family, rest_bytes })
    }

    /// Who is at the other end; `None` where it is the balancer itself, which looks after us. What else is in the rest is passed over.
    ///
    /// # Errors
    /// Where the rest is too short, or names no TCP connection.
    pub fn source(&self, rest: &[u8]) -> Result<Option<SocketAddr>, ProxyError> {
        match self.family {
            _ if self.is_local => Ok(None),
            0x00 => Ok(None),
            0x11 => ipv4(rest).map(Some).ok_or(ProxyError::Malformed),
            0x21 => ipv6(rest).map(Some).ok_or(ProxyError::Malformed),
            _ => Err(ProxyError::Family),
        }
    }
}

/// Source, destination, port of the source, port of the destination.
fn ipv4(rest: &[u8]) -> Option<SocketAddr> {
    let (source, rest) = rest.split_first_chunk::<4>()?;
    let (_, rest) = rest.split_first_chunk::<4>()?;
    let (&[p0, p1, _, _], _) = rest.split_first_chunk::<4>()?;
    Some(SocketAddr::from((Ipv4Addr::from(*source), u16::from_be_bytes([p0, p1]))))
}

fn ipv6(rest: &[u8]) -> Option<SocketAddr> {
    let (source, rest) = rest.split_first_chunk::<16>()?;
    let (_, rest) = rest.split_first_chunk::<16>()?;
    let (&[p0, p1, _, _], _) = rest.split_first_chunk::<4>()?;
    Some(SocketAddr::from((Ipv6Addr::from(*source), u16::from_be_bytes([p0, p1]))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    fn read(bytes: &[u8]) -> Result<Option<SocketAddr>, ProxyError> {
        let (preface, rest) = bytes.split_first_chunk::<PROXY_PREFACE_BYTES>().ok_or(ProxyError::NoHeader)?;
        let preface = ProxyPreface::read(preface)?;
        preface.source(rest.get(..preface.rest_bytes).ok_or(ProxyError::Malformed)?)
    }

    #[test]
    fn addresses_of_both_families_with_more_behind_them() {
        let v4 = [192, 0, 2, 1, 198, 51, 100, 7, 0x9c, 0x41, 0x13, 0xc4];
        assert_eq!(read(&header(0x21, 0x11, &v4)), Ok(Some("192.0.2.1:40001".parse().unwrap())));
        let more = [&v4[..], &[3, 0, 4, 1, 2, 3, 4]].concat();
        assert_eq!(read(&header(0x21, 0x11, &more)), Ok(Some("192.0.2.1:40001".parse().unwrap())));
        let mut v6 = [0; 36];
        (v6[0], v6[1], v6[15], v6[32], v6[33]) = (0x20, 0x01, 9, 0x9c, 0x41);
        assert_eq!(read(&header(0x21, 0x21, &v6)), Ok(Some("[2001::9]:40001".parse().unwrap())));
        for cut in 0..v4.len() {
            assert_eq!(read(&header(0x21, 0x11, &v4[..cut])), Err(ProxyError::Malformed));
        }
    }

    #[test]
    fn balancers_look_after_us_themselves() {
        assert_eq!(read(&header(0x20, 0x00, &[])), Ok(None));
        assert_eq!(read(&header(0x20, 0x11, &[1, 2, 3])), Ok(None));
        assert_eq!(read(&header(0x21, 0x00, &[])), Ok(None));
    }

    #[test]
    fn what_is_no_header_of_version_2_is_refused() {
        assert_eq!(read(b"PROXY TCP4 192.0.2.1 198.51.100.7 40001 5060\r\n"), Err(ProxyError::NoHeader));
        assert_eq!(read(b"OPTIONS sip:a SIP/2.0\r\n\r\n"), Err(ProxyError::NoHeader));
        assert_eq!(read(&header(0x11, 0x11, &[0; 12])), Err(ProxyError::Malformed));
        assert_eq!(read(&header(0x21, 0x12, &[0; 12])), Err(ProxyError::Family));
        assert_eq!(read(&header(0x21, 0x31, &[0; 216])), Err(ProxyError::Family));
        assert_eq!(read(&header(0x21, 0x11, &[0; 5_000])), Err(ProxyError::TooLong));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80), command in 0x1f..0x23_u8, family in 0..0x34_u8) {
            let _ = read(&bytes);
            let _ = read(&header(command, family, &bytes));
        }
    }
}
