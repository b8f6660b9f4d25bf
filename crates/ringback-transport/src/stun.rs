//! STUN on the ports of SIP: Binding requests, which keep a mapping of a NAT open and tell its address. `[RFC 5626, Section 8]`
//!
//! It is the part of STUN that SIP needs: nobody is asked for credentials, and what a request brings of them is passed over.
//!
//! ```
//! use ringback_transport::stun::{Stun, TransactionId, binding_request};
//!
//! let request = binding_request(TransactionId([7; 12]));
//! let Some(Stun::Request(asked)) = Stun::read(&request) else { panic!("no request") };
//! let answer = asked.answer("192.0.2.1:32853".parse()?);
//! let mapped = Stun::Mapped { id: TransactionId([7; 12]), address: "192.0.2.1:32853".parse()? };
//! assert_eq!(Stun::read(&answer), Some(mapped));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ringback_base::Micros;

/// The longest packet that is looked at: what IPv6 carries everywhere. `[RFC 8489, Section 6.1]`
pub const STUN_BYTES_MAX: usize = 1_232;

/// How often a request is sent in all. `[RFC 8489, Section 6.2.1]`
const REQUESTS: u8 = 7;

/// The estimate of the time to the other side and back, where nothing is known of it. `[RFC 8489, Section 6.2.1]`
const RTO: Micros = Micros::from_ms(500);

const COOKIE: u32 = 0x2112_A442;
const FINGERPRINT_XOR: u32 = 0x5354_554E;

const BINDING_REQUEST: u16 = 0x0001;
const BINDING_INDICATION: u16 = 0x0011;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;

const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const FINGERPRINT: u16 = 0x8028;

/// Those of STUN itself that have to be understood. They mean nothing to us beyond that: "known-but-unexpected attributes SHOULD
/// be ignored". `[RFC 8489, Section 6.3]`
const PASSED_OVER: [u16; 9] = [0x0001, 0x0006, 0x0008, 0x000A, 0x0014, 0x0015, 0x001C, 0x001D, 0x001E];

/// Ties an answer to its request: 96 random bits. `[RFC 8489, Section 5]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransactionId(pub [u8; 12]);

/// A STUN packet of the Binding method.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stun {
    /// Wants to be answered.
    Request(BindingRequest),
    /// The sender sees us at this address.
    Mapped {
        /// Of the request.
        id: TransactionId,
        /// XOR-MAPPED-ADDRESS. `[RFC 8489, Section 14.2]`
        address: SocketAddr,
    },
    /// The request was refused.
    Refused {
        /// Of the request.
        id: TransactionId,
        /// Why. `[RFC 8489, Section 14.8]`
        code: u16,
    },
    /// Only keeps a mapping open, and wants no answer.
    Indication,
}

/// A request that is to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingRequest {
    /// To be given back.
    pub id: TransactionId,
    /// Attributes that would have to be understood and are not.
    pub unknown: Vec<u16>,
    /// It has a FINGERPRINT, and so has its answer. `[RFC 8489, Section 7]`
    pub has_fingerprint: bool,
}

impl Stun {
    /// Reads a datagram that [`Datagram::classify`](crate::Datagram::classify) takes for STUN; `None` for what is to be dropped: what
    /// is longer than [`STUN_BYTES_MAX`], malformed, of another method, or has a wrong FINGERPRINT. `[RFC 8489, Section 6.3]`
    ///
    /// A response with an attribute that would have to be understood says nothing. `[RFC 8489, Section 6.3.3]`
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Stun> {
        if bytes.len() > STUN_BYTES_MAX {
            return None;
        }
        let (&[t0, t1, l0, l1, c0, c1, c2, c3, ref id @ ..], attributes) = bytes.split_first_chunk::<20>()?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let is_whole = length == attributes.len() && length.is_multiple_of(4);
        if !is_whole || u32::from_be_bytes([c0, c1, c2, c3]) != COOKIE {
            return None;
        }
        let id = TransactionId(*id);
        let said = Said::read(attributes, bytes, id)?;
        let understood = said.unknown.is_empty();
        match u16::from_be_bytes([t0, t1]) {
            BINDING_REQUEST => {
                let Said { unknown, has_fingerprint, .. } = said;
                Some(Stun::Request(BindingRequest { id, unknown, has_fingerprint }))
            }
            BINDING_INDICATION => Some(Stun::Indication),
            BINDING_SUCCESS if understood => said.mapped.map(|address| Stun::Mapped { id, address }),
            BINDING_ERROR if understood => said.error.map(|code| Stun::Refused { id, code }),
            _ => None,
        }
    }
}

impl BindingRequest {
    /// The answer to one that came from this address: where that is, or 420 and which attributes are unknown.
    /// `[RFC 8489, Section 6.3.1]`
    ///
    /// It is never more than two and a half times as long as the request, so that nobody gains by making up the source of one.
    #[must_use]
    pub fn answer(&self, source: SocketAddr) -> Vec<u8> {
        let mut attributes = Vec::new();
        if self.unknown.is_empty() {
            put(&mut attributes, XOR_MAPPED_ADDRESS, &xored(source, self.id));
            return packet(BINDING_SUCCESS, self.id, attributes, self.has_fingerprint);
        }
        put(&mut attributes, ERROR_CODE, b"\0\0\x04\x14Unknown Attribute");
        let unknown: Vec<u8> = self.unknown.iter().flat_map(|kind| kind.to_be_bytes()).collect();
        put(&mut attributes, UNKNOWN_ATTRIBUTES, &unknown);
        packet(BINDING_ERROR, self.id, attributes, self.has_fingerprint)
    }
}

/// A Binding request without attributes: SIP needs none. `[RFC 5626, Section 8]`
#[must_use]
pub fn binding_request(id: TransactionId) -> Vec<u8> {
    packet(BINDING_REQUEST, id, Vec::new(), false)
}

/// How long the answer is waited for once a request was sent so many times: then it is sent again. `None` where it was sent often
/// enough, and the flow has failed. `[RFC 5626, Section 4.4.2]` `[RFC 8489, Section 6.2.1]`
#[must_use]
pub fn wait_after(sent: u8) -> Option<Micros> {
    match sent {
        0 => Some(Micros(0)),
        1..REQUESTS => Some(Micros(RTO.0 << sent.saturating_sub(1))),
        REQUESTS => Some(Micros(RTO.0.saturating_mul(16))),
        _ => None,
    }
}

/// What attributes say.
#[derive(Debug, Default)]
struct Said {
    unknown: Vec<u16>,
    mapped: Option<SocketAddr>,
    error: Option<u16>,
    has_fingerprint: bool,
}

impl Said {
    /// `None` where they are malformed, or the FINGERPRINT is wrong or not the last.
    fn read(attributes: &[u8], packet: &[u8], id: TransactionId) -> Option<Said> {
        let (mut said, mut rest) = (Said::default(), attributes);
        while !rest.is_empty() {
            let (&[k0, k1, l0, l1], behind) = rest.split_first_chunk::<4>()?;
            let (kind, length) = (u16::from_be_bytes([k0, k1]), usize::from(u16::from_be_bytes([l0, l1])));
            let (padded, next) = behind.split_at_checked(length.next_multiple_of(4))?;
            let value = padded.get(..length)?;
            match kind {
                FINGERPRINT => {
                    let before = packet.get(..packet.len().checked_sub(rest.len())?)?;
                    let right = fingerprint(before) == u32::from_be_bytes(value.try_into().ok()?);
                    if !right || !next.is_empty() {
                        return None;
                    }
                    said.has_fingerprint = true;
                }
                XOR_MAPPED_ADDRESS if said.mapped.is_none() => said.mapped = Some(unxored(value, id)?),
                ERROR_CODE if said.error.is_none() => said.error = Some(error_code(value)?),
                XOR_MAPPED_ADDRESS | ERROR_CODE => {}
                // "Attributes with type values between 0x0000 and 0x7FFF are comprehension-required" [RFC 8489, Section 14]
                0..0x8000 if !PASSED_OVER.contains(&kind) => said.unknown.push(kind),
                _ => {}
            }
            rest = next;
        }
        Some(said)
    }
}

/// Class and number. `[RFC 8489, Section 14.8]`
fn error_code(value: &[u8]) -> Option<u16> {
    let (&[_, _, class, number], _) = value.split_first_chunk::<4>()?;
    let (class, number) = (u16::from(class & 7), u16::from(number));
    ((3..=6).contains(&class) && number < 100).then(|| class.saturating_mul(100).saturating_add(number))
}

/// XOR-MAPPED-ADDRESS: NATs that look for addresses in packets don't find it. `[RFC 8489, Section 14.2]`
fn xored(address: SocketAddr, id: TransactionId) -> Vec<u8> {
    let [_, .., p0, p1] = (u32::from(address.port()) ^ (COOKIE >> 16)).to_be_bytes();
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => {
            let ip = (ip.to_bits() ^ COOKIE).to_be_bytes();
            [&[0, 1, p0, p1], &ip[..]].concat()
        }
        IpAddr::V6(ip) => {
            let ip = (ip.to_bits() ^ mask(id)).to_be_bytes();
            [&[0, 2, p0, p1], &ip[..]].concat()
        }
    }
}

fn unxored(value: &[u8], id: TransactionId) -> Option<SocketAddr> {
    let (&[_, family, p0, p1], ip) = value.split_first_chunk::<4>()?;
    let [c0, c1, ..] = COOKIE.to_be_bytes();
    let port = u16::from_be_bytes([p0 ^ c0, p1 ^ c1]);
    let ip = match family {
        1 => IpAddr::V4(Ipv4Addr::from_bits(u32::from_be_bytes(ip.try_into().ok()?) ^ COOKIE)),
        2 => IpAddr::V6(Ipv6Addr::from_bits(u128::from_be_bytes(ip.try_into().ok()?) ^ mask(id))),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn mask(TransactionId(id): TransactionId) -> u128 {
    id.iter().fold(u128::from(COOKIE), |mask, byte| mask << 8 | u128::from(*byte))
}

fn put(attributes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    attributes.extend_from_slice(&kind.to_be_bytes());
    attributes.extend_from_slice(&length(value.len()));
    attributes.extend_from_slice(value);
    let padded = attributes.len().next_multiple_of(4);
    attributes.resize(padded, 0);
}

fn packet(kind: u16, TransactionId(id): TransactionId, attributes: Vec<u8>, with_fingerprint: bool) -> Vec<u8> {
    let behind = if with_fingerprint { 8 } else { 0 };
    let mut packet = Vec::from(kind.to_be_bytes());
    packet.extend_from_slice(&length(attributes.len().saturating_add(behind)));
    packet.extend_from_slice(&COOKIE.to_be_bytes());
    packet.extend_from_slice(&id);
    packet.extend_from_slice(&attributes);
    if with_fingerprint {
        let fingerprint = fingerprint(&packet);
        put(&mut packet, FINGERPRINT, &fingerprint.to_be_bytes());
    }
    packet
}

/// Of what we write, nothing comes near the end of 16 bits.
fn length(bytes: usize) -> [u8; 2] {
    u16::try_from(bytes).unwrap_or(u16::MAX).to_be_bytes()
}

/// The CRC-32 of ITU V.42 over all that is before it, and tells STUN from other protocols by that. `[RFC 8489, Section 14.7]`
fn fingerprint(before: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    let crc = before.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)));
    !crc ^ FINGERPRINT_XOR
}

#[cfg(test)]
#[path = "stun_tests.rs"]
mod tests;
