//! What tools print of packets: `tcpdump -A` their bytes as text, `tshark -V` what their fields mean.

use crate::sip;

/// The bytes of headers in front of a message: of IP, and of UDP or TCP behind it.
const IPV4_BYTES: usize = 20;
const IPV6_BYTES: usize = 40;
const UDP_BYTES: usize = 8;
const TCP_BYTES: usize = 20;
/// The most options of TCP, in words of four bytes.
const TCP_OPTION_WORDS: usize = 10;

/// Whether a line tells who sent a packet to whom: `12:00:00.000000 IP 192.0.2.1.5060 > 192.0.2.2.5060: SIP`.
pub(super) fn is_packet_line(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).peekable();
    let mut before = None;
    while let Some(word) = words.next() {
        if word == b">"
            && before.is_some_and(is_address)
            && words.peek().and_then(|next| next.strip_suffix(b":")).is_some_and(is_address)
        {
            return true;
        }
        before = Some(word);
    }
    false
}

/// A host, a dot, and a port or the name of a service.
fn is_address(word: &[u8]) -> bool {
    let is_of_host = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'-' | b'_' | b'%');
    word.contains(&b'.') && word.iter().all(is_of_host)
}

/// Where the start line begins in a packet, every byte of which is printed as one.
pub(super) fn start_in_packet(packet: &[u8]) -> Option<usize> {
    let ip = match packet.first()? {
        b'E' => IPV4_BYTES,
        b'`' => IPV6_BYTES,
        _ => return None,
    };
    let tcp = (0..=TCP_OPTION_WORDS).map(|words| words.saturating_mul(4).saturating_add(TCP_BYTES));
    let mut places = core::iter::once(UDP_BYTES).chain(tcp).map(|transport| ip.saturating_add(transport));
    places.find(|place| packet.get(*place..).is_some_and(begins_message))
}

/// A method has no dots here: they stand for bytes of the headers.
fn begins_message(text: &[u8]) -> bool {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let word = line.split(|&byte| byte == b' ').next().unwrap_or_default();
    sip::start_in(line) == Some(0) && (word == b"SIP/2.0" || word.iter().all(u8::is_ascii_alphabetic))
}

/// Whether a text tells what the fields of packets mean, and has their bytes nowhere.
pub(in crate::text) fn is_dissection(text: &[u8]) -> bool {
    let lines = || text.split(|&byte| byte == b'\n');
    let is_start_line = |line: &[u8]| {
        let line = line.strip_prefix(b"    ").unwrap_or_default();
        line.starts_with(b"Request-Line: ") || line.starts_with(b"Status-Line: ")
    };
    lines()
        .zip(lines().skip(1))
        .any(|(line, next)| line.starts_with(b"Session Initiation Protocol (") && is_start_line(next))
}
