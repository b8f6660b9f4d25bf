//! Flow tokens: what a URI of ours says of the flow that leads to a phone. `[RFC 5626, Section 5.2]`
//!
//! A token holds the flow itself, so that nothing is to be remembered of it, and a keyed hash, so that nobody else can write one.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use ringback_base::{FlowId, Hop, KeyedHash, Transport};

/// What the user part of a URI begins with that holds a token.
const PREFIX: &[u8] = b"flow-";

/// The flow that a token names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The way to the phone, and on which of our addresses.
    pub hop: Hop,
    /// Whose end of it the phone is.
    pub whose: Whose,
    /// Nothing but this flow leads there: it is not tried by another way.
    pub only: bool,
}

/// What a flow leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A phone that has registered by it: the token stands in Path. `[RFC 5626, Section 5.1]`
    Registered,
    /// Who began the dialog that the token stands in a Record-Route of. `[RFC 5626, Section 5.3.2]`
    Caller,
    /// Whom they called. `[RFC 5626, Section 5.3.1]`
    Callee,
}

/// A token that is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forged;

impl Flow {
    /// True for what comes from there.
    fn is_source(&self, from: Hop) -> bool {
        let (ours, theirs) = (self.hop, from);
        match (ours.flow, theirs.flow) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => (ours.transport, ours.local, ours.remote) == (theirs.transport, theirs.local, theirs.remote),
        }
    }

    /// Whether a request from there is to go by it. In a dialog it is always the flow of the other side; that of a registration is one's own
    /// where it is the source. `[RFC 5626, Section 5.3]`
    #[must_use]
    pub fn leads_on(&self, from: Hop) -> bool {
        self.whose != Whose::Registered || !self.is_source(from)
    }

    /// The user part of a URI.
    pub(crate) fn token(&self, key: &KeyedHash) -> String {
        let mut bytes = Vec::new();
        bytes.push(match (self.whose, self.only) {
            (Whose::Registered, false) => 0,
            (Whose::Registered, true) => 1,
            (Whose::Caller, false) => 2,
            (Whose::Caller, true) => 3,
            (Whose::Callee, false) => 4,
            (Whose::Callee, true) => 5,
        });
        let place = TRANSPORTS.iter().position(|transport| *transport == self.hop.transport);
        bytes.push(place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX));
        put_address(&mut bytes, &self.hop.local);
        put_address(&mut bytes, &self.hop.remote);
        if let Some(FlowId { shard, slot, generation }) = self.hop.flow {
            bytes.extend_from_slice(&shard.to_be_bytes());
            bytes.extend_from_slice(&slot.to_be_bytes());
            bytes.extend_from_slice(&generation.to_be_bytes());
        }
        let mac = mac(key, &bytes).to_be_bytes();
        let hex: String = mac.iter().chain(&bytes).map(|byte| format!("{byte:02x}")).collect();
        format!("flow-{hex}")
    }

    /// The flow of a user part; `None` where there is no token in it.
    pub(crate) fn of_token(user: &[u8], key: &KeyedHash) -> Option<Result<Flow, Forged>> {
        let hex = user.strip_prefix(PREFIX)?;
        Some(unhex(hex).and_then(|bytes| Flow::read(&bytes, key)).ok_or(Forged))
    }

    fn read(bytes: &[u8], key: &KeyedHash) -> Option<Flow> {
        let (said, bytes) = bytes.split_first_chunk::<8>()?;
        if u64::from_be_bytes(*said) != mac(key, bytes) {
            return None;
        }
        let (&[kind, transport], rest) = bytes.split_first_chunk::<2>()?;
        let (whose, only) = match kind {
            0 | 1 => (Whose::Registered, kind == 1),
            2 | 3 => (Whose::Caller, kind == 3),
            4 | 5 => (Whose::Callee, kind == 5),
            _ => return None,
        };
        let transport = *TRANSPORTS.get(usize::from(transport))?;
        let (local, rest) = address(rest)?;
        let (remote, rest) = address(rest)?;
        let flow = match rest {
            [] => None,
            &[h0, h1, s0, s1, s2, s3, g0, g1, g2, g3] => Some(FlowId {
                shard: u16::from_be_bytes([h0, h1]),
                slot: u32::from_be_bytes([s0, s1, s2, s3]),
                generation: u32::from_be_bytes([g0, g1, g2, g3]),
            }),
            _ => return None,
        };
        Some(Flow { hop: Hop { transport, local, remote, flow }, whose, only })
    }
}

const TRANSPORTS: [Transport; 5] = [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];

fn mac(key: &KeyedHash, bytes: &[u8]) -> u64 {
    key.of(&[b"flow", bytes])
}

fn put_address(bytes: &mut Vec<u8>, address: &SocketAddr) {
    match address {
        SocketAddr::V4(v4) => {
            bytes.push(4);
            bytes.extend_from_slice(&v4.ip().octets());
        }
        SocketAddr::V6(v6) => {
            bytes.push(6);
            bytes.extend_from_slice(&v6.ip().octets());
            bytes.extend_from_slice(&v6.scope_id().to_be_bytes());
        }
    }
    bytes.extend_from_slice(&address.port().to_be_bytes());
}

fn address(bytes: &[u8]) -> Option<(SocketAddr, &[u8])> {
    let (&family, rest) = bytes.split_first()?;
    match family {
        4 => {
            let (ip, rest) = rest.split_first_chunk::<4>()?;
            let (port, rest) = rest.split_first_chunk::<2>()?;
            Some((SocketAddr::from((Ipv4Addr::from(*ip), u16::from_be_bytes(*port))), rest))
        }
        6 => {
            let (ip, rest) = rest.split_first_chunk::<16>()?;
            let (scope, rest) = rest.split_first_chunk::<4>()?;
            let (port, rest) = rest.split_first_chunk::<2>()?;
            let (port, scope) = (u16::from_be_bytes(*port), u32::from_be_bytes(*scope));
            Some((SocketAddrV6::new(Ipv6Addr::from(*ip), port, 0, scope).into(), rest))
        }
        _ => None,
    }
}

fn unhex(hex: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = hex.as_chunks::<2>();
    let byte = |&[high, low]: &[u8; 2]| Some(digit(high)? << 4 | digit(low)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const KEY: KeyedHash = KeyedHash::with_key(1, 2);

    fn flows() -> Vec<Flow> {
        let id = FlowId { shard: 3, slot: 70_000, generation: u32::MAX };
        let addresses = [("192.0.2.1:5060", "198.51.100.7:40000"), ("[2001:db8::1]:5061", "[fe80::1%7]:1024")];
        let mut flows = Vec::new();
        for ((local, remote), transport) in addresses.iter().flat_map(|pair| TRANSPORTS.map(|t| (pair, t))) {
            let flow = transport.is_reliable().then_some(id);
            let hop = Hop { transport, local: local.parse().unwrap(), remote: remote.parse().unwrap(), flow };
            for whose in [Whose::Registered, Whose::Caller, Whose::Callee] {
                flows.extend([true, false].map(|only| Flow { hop, whose, only }));
            }
        }
        flows
    }

    #[test]
    fn a_token_holds_its_flow() {
        for flow in flows() {
            let token = flow.token(&KEY);
            assert_eq!(Flow::of_token(token.as_bytes(), &KEY), Some(Ok(flow)), "{token}");
            assert_eq!(Flow::of_token(token.as_bytes(), &KeyedHash::with_key(1, 3)), Some(Err(Forged)));
        }
        assert_eq!(Flow::of_token(b"bob", &KEY), None);
    }

    #[test]
    fn no_token_can_be_changed() {
        let token = flows()[6].token(&KEY);
        for at in PREFIX.len()..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(Flow::of_token(&changed, &KEY), Some(Err(Forged)), "at {at}");
            assert_eq!(Flow::of_token(&token.as_bytes()[..at], &KEY), Some(Err(Forged)), "cut at {at}");
        }
    }
}
