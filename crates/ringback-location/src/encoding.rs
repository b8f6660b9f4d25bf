//! The form in which a back end keeps a row set.
//!
//! One byte of schema, the number of rows, then row by row its fields in the order of [`Binding`]. Numbers are
//! LEB128, byte strings follow their length. Schema 1 is the only one so far; a reader refuses others by name.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use ringback_base::{Hop, Millis, Transport};
use ringback_message::header::Qvalue;

use crate::binding::Binding;

const SCHEMA: u8 = 1;

/// Bytes that are no row set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// Written by a later program, by the number of its schema.
    Schema(u8),
    /// The bytes end too early.
    Truncated,
    /// A value that no row can have.
    Malformed(&'static str),
    /// Bytes are left over.
    Trailing,
}

/// The bytes of a row set. The flow of [`Binding::received`] is left out: it means nothing to another process.
#[must_use]
pub fn encode(rows: &[Binding]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len().saturating_mul(192).saturating_add(2));
    out.push(SCHEMA);
    put_len(&mut out, rows.len());
    for row in rows {
        put_bytes(&mut out, &row.contact);
        put_bytes(&mut out, &row.params);
        put_number(&mut out, row.q.map_or(0, |q| u64::from(q.as_thousandths()).saturating_add(1)));
        put_bytes(&mut out, &row.call_id);
        put_number(&mut out, u64::from(row.cseq));
        put_number(&mut out, row.expires_at.0);
        put_number(&mut out, row.updated_at.0);
        put_hop(&mut out, row.received.as_ref());
        put_len(&mut out, row.path.len());
        row.path.iter().for_each(|value| put_bytes(&mut out, value));
        match &row.user_agent {
            None => out.push(0),
            Some(text) => {
                out.push(1);
                put_bytes(&mut out, text);
            }
        }
    }
    out
}

/// The row set of such bytes; no length in them is trusted further than the bytes reach.
///
/// # Errors
/// Where they are none.
pub fn decode(bytes: &[u8]) -> Result<Vec<Binding>, DecodeError> {
    let mut reader = Reader { rest: bytes };
    match reader.byte()? {
        SCHEMA => {}
        other => return Err(DecodeError::Schema(other)),
    }
    let count = reader.number()?;
    let mut rows = Vec::new();
    for _ in 0..count {
        rows.push(reader.row()?);
    }
    if reader.rest.is_empty() { Ok(rows) } else { Err(DecodeError::Trailing) }
}

fn put_number(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    put_number(out, u64::try_from(len).unwrap_or(u64::MAX));
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_len(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// The number of each transport, from 1; it never changes.
const TRANSPORTS: [Transport; 5] = [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];

fn put_hop(out: &mut Vec<u8>, hop: Option<&Hop>) {
    let Some(hop) = hop else { return out.push(0) };
    let number = match hop.transport {
        Transport::Udp => 1,
        Transport::Tcp => 2,
        Transport::Tls => 3,
        Transport::Ws => 4,
        Transport::Wss => 5,
    };
    out.push(number);
    put_address(out, &hop.local);
    put_address(out, &hop.remote);
}

fn put_address(out: &mut Vec<u8>, address: &SocketAddr) {
    match address {
        SocketAddr::V4(v4) => {
            out.push(4);
            out.extend_from_slice(&v4.ip().octets());
        }
        SocketAddr::V6(v6) => {
            out.push(6);
            out.extend_from_slice(&v6.ip().octets());
            put_number(out, u64::from(v6.flowinfo()));
            put_number(out, u64::from(v6.scope_id()));
        }
    }
    put_number(out, u64::from(address.port()));
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.rest.split_at_checked(count).ok_or(DecodeError::Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        self.take(N)?.try_into().map_err(|_| DecodeError::Truncated)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u64, DecodeError> {
        let mut n = 0_u64;
        let mut shift = 0_u32;
        loop {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift > 63 || (shift == 63 && bits > 1) {
                return Err(DecodeError::Malformed("a number of more than 64 bits"));
            }
            n |= bits << shift;
            if byte < 0x80 {
                return Ok(n);
            }
            shift = shift.saturating_add(7);
        }
    }

    fn small<T: TryFrom<u64>>(&mut self, what: &'static str) -> Result<T, DecodeError> {
        T::try_from(self.number()?).map_err(|_| DecodeError::Malformed(what))
    }

    fn bytes(&mut self) -> Result<Box<[u8]>, DecodeError> {
        let len = self.number()?;
        self.take(usize::try_from(len).map_err(|_| DecodeError::Truncated)?).map(Into::into)
    }

    fn row(&mut self) -> Result<Binding, DecodeError> {
        Ok(Binding {
            contact: self.bytes()?,
            params: self.bytes()?,
            q: self.q()?,
            call_id: self.bytes()?,
            cseq: self.small("CSeq")?,
            expires_at: Millis(self.number()?),
            updated_at: Millis(self.number()?),
            received: self.hop()?,
            path: self.path()?,
            user_agent: match self.byte()? {
                0 => None,
                1 => Some(self.bytes()?),
                _ => return Err(DecodeError::Malformed("User-Agent")),
            },
        })
    }

    fn q(&mut self) -> Result<Option<Qvalue>, DecodeError> {
        let Some(thousandths) = self.small::<u16>("q")?.checked_sub(1) else { return Ok(None) };
        Qvalue::from_thousandths(thousandths).map(Some).ok_or(DecodeError::Malformed("q"))
    }

    fn path(&mut self) -> Result<Vec<Box<[u8]>>, DecodeError> {
        let count = self.number()?;
        let mut path = Vec::new();
        for _ in 0..count {
            path.push(self.bytes()?);
        }
        Ok(path)
    }

    fn hop(&mut self) -> Result<Option<Hop>, DecodeError> {
        let Some(index) = self.byte()?.checked_sub(1) else { return Ok(None) };
        let transport = *TRANSPORTS.get(usize::from(index)).ok_or(DecodeError::Malformed("transport"))?;
        Ok(Some(Hop { transport, local: self.address()?, remote: self.address()?, flow: None }))
    }

    fn address(&mut self) -> Result<SocketAddr, DecodeError> {
        match self.byte()? {
            4 => {
                let ip = IpAddr::V4(Ipv4Addr::from(self.array::<4>()?));
                Ok(SocketAddr::new(ip, self.small("port")?))
            }
            6 => {
                let ip = Ipv6Addr::from(self.array::<16>()?);
                let (flowinfo, scope_id) = (self.small("flow label")?, self.small("zone")?);
                Ok(SocketAddr::V6(SocketAddrV6::new(ip, self.small("port")?, flowinfo, scope_id)))
            }
            _ => Err(DecodeError::Malformed("address family")),
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Schema(number) => write!(f, "bindings of schema {number}, and this program knows {SCHEMA}"),
            DecodeError::Truncated => f.write_str("bindings that end too early"),
            DecodeError::Malformed(what) => write!(f, "bindings with an impossible value: {what}"),
            DecodeError::Trailing => f.write_str("bindings with bytes left over"),
        }
    }
}

impl core::error::Error for DecodeError {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_their_limits() {
        for n in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut out = Vec::new();
            put_number(&mut out, n);
            let mut reader = Reader { rest: &out };
            assert_eq!(reader.number(), Ok(n));
            assert!(reader.rest.is_empty());
        }
        let eleven = [0xff_u8; 11];
        assert!(matches!(Reader { rest: &eleven }.number(), Err(DecodeError::Malformed(_))));
    }

    #[test]
    fn what_is_no_row_set_is_refused() {
        assert_eq!(decode(b""), Err(DecodeError::Truncated));
        assert_eq!(decode(b"\x02\x00"), Err(DecodeError::Schema(2)));
        assert_eq!(decode(b"\x01\x00"), Ok(Vec::new()));
        assert_eq!(decode(b"\x01\x00\x00"), Err(DecodeError::Trailing));
        // Four thousand million rows, or a contact of as many bytes, in six bytes.
        assert_eq!(decode(b"\x01\xff\xff\xff\xff\x0f"), Err(DecodeError::Truncated));
        assert_eq!(decode(b"\x01\x01\xff\xff\xff\xff\x0f"), Err(DecodeError::Truncated));
    }

    #[test]
    fn transports_keep_their_numbers() {
        for (index, transport) in TRANSPORTS.into_iter().enumerate() {
            let address = "192.0.2.1:5060".parse().unwrap();
            let mut out = Vec::new();
            put_hop(&mut out, Some(&Hop { transport, local: address, remote: address, flow: None }));
            assert_eq!(usize::from(out.first().copied().unwrap()), index + 1);
        }
    }
}
