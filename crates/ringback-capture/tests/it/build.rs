//! Frames, packets, segments and files, byte by byte.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) const PHONE: [u8; 4] = [192, 0, 2, 1];
pub(crate) const SERVER: [u8; 4] = [192, 0, 2, 2];
pub(crate) const RAW: u32 = 101;

pub(crate) fn options(body: &str) -> Vec<u8> {
    message("OPTIONS", body)
}

pub(crate) fn message(method: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} sip:b.example SIP/2.0\r\nVia: SIP/2.0/TCP a.example;branch=z9hG4bK1\r\nCall-ID: {method}1\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(crate) fn udp(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap();
    [&5060_u16.to_be_bytes()[..], &5070_u16.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload].concat()
}

pub(crate) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_piece(protocol, payload, 1, 0)
}

/// `place` is the field of flags and offset.
pub(crate) fn ipv4_piece(protocol: u8, payload: &[u8], identification: u16, place: u16) -> Vec<u8> {
    ipv4_between(PHONE, SERVER, protocol, payload, identification, place)
}

pub(crate) fn ipv4_between(
    from: [u8; 4],
    to: [u8; 4],
    protocol: u8,
    payload: &[u8],
    identification: u16,
    place: u16,
) -> Vec<u8> {
    let total = u16::try_from(payload.len() + 20).unwrap();
    let mut packet = vec![0x45, 0];
    for field in [total, identification, place] {
        packet.extend(field.to_be_bytes());
    }
    packet.extend([64, protocol, 0, 0]);
    packet.extend(from);
    packet.extend(to);
    packet.extend(payload);
    packet
}

pub(crate) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
    packet.extend([next, 64]);
    packet.extend("2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
    packet.extend("2001:db8::2".parse::<Ipv6Addr>().unwrap().octets());
    packet.extend(payload);
    packet
}

pub(crate) fn ethernet(kind: u16, payload: &[u8]) -> Vec<u8> {
    [&[2; 12][..], &kind.to_be_bytes(), payload].concat()
}

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

/// A segment from the phone to the server.
pub(crate) fn forth(sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    tcp(true, sequence, 0, flags, payload)
}

pub(crate) fn tcp(is_forth: bool, sequence: u32, acknowledged: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let ports = if is_forth { [40_000_u16, 5060] } else { [5060, 40_000] };
    let mut segment = ports.map(u16::to_be_bytes).concat();
    segment.extend(sequence.to_be_bytes());
    segment.extend(acknowledged.to_be_bytes());
    segment.extend([0x50, flags, 0, 0, 0, 0, 0, 0]);
    segment.extend(payload);
    let (from, to) = if is_forth { (PHONE, SERVER) } else { (SERVER, PHONE) };
    ipv4_between(from, to, 6, &segment, 1, 0x4000)
}

/// A capture in the classic format; one frame a second.
pub(crate) fn pcap(link_type: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, link_type].map(u32::to_le_bytes).concat();
    for (frame, second) in frames.iter().zip(1_u32..) {
        let length = u32::try_from(frame.len()).unwrap();
        file.extend([second, 500, length, length].map(u32::to_le_bytes).concat());
        file.extend(frame);
    }
    file
}

pub(crate) fn address(ip: [u8; 4], port: u16) -> Option<std::net::SocketAddr> {
    Some((IpAddr::V4(Ipv4Addr::from(ip)), port).into())
}
