//! Addresses in the line above a message.

use core::net::{Ipv4Addr, SocketAddr};

use crate::packet::Carrier;

/// What a log says of where a message came from and went to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PastedEnds {
    pub(super) source: Option<SocketAddr>,
    pub(super) destination: Option<SocketAddr>,
    pub(super) carrier: Option<Carrier>,
}

/// Reads `from ADDRESS`, `to ADDRESS` and `ADDRESS -> ADDRESS`, where an address may name its transport; and
/// `ADDRESS.PORT > ADDRESS.PORT:`, as `tcpdump` has it.
pub(super) fn of_line(line: &[u8]) -> PastedEnds {
    let mut ends = PastedEnds::default();
    let Ok(line) = core::str::from_utf8(line) else { return ends };
    if let Some(ends) = of_packet_line(line) {
        return ends;
    }
    let mut before = ["", ""];
    let mut last_address = None;
    for word in line.split_ascii_whitespace() {
        if let Some((address, carrier)) = address(word) {
            ends.carrier = ends.carrier.or(carrier);
            let [two_before, one_before] = before;
            if one_before.eq_ignore_ascii_case("from") {
                ends.source = Some(address);
            } else if one_before.eq_ignore_ascii_case("to") {
                ends.destination = Some(address);
            } else if one_before.ends_with("->") && parse(two_before).is_some() {
                ends.source = last_address;
                ends.destination = Some(address);
            }
            last_address = Some(address);
        } else if ends.carrier.is_none() {
            ends.carrier = carrier_of(word.rsplit([':', '[']).next().unwrap_or_default());
        }
        before = [before[1], word];
    }
    ends
}

/// `IP 192.0.2.1.5060 > 192.0.2.2.sip: SIP: …`, where TCP has flags.
fn of_packet_line(line: &str) -> Option<PastedEnds> {
    let (before, behind) = line.split_once(" > ")?;
    let (to, rest) = behind.split_once(": ")?;
    let source = dotted(before.rsplit(' ').next()?);
    let destination = dotted(to);
    let mut words = line.split_ascii_whitespace().map(|word| word.trim_end_matches([':', ',']));
    let carrier = if rest.contains("Flags [") {
        Some(Carrier::Tcp)
    } else {
        words.any(|word| matches!(word, "SIP" | "UDP")).then_some(Carrier::Udp)
    };
    (source.is_some() || destination.is_some()).then_some(PastedEnds { source, destination, carrier })
}

/// A port, or the service that has it, behind a dot; names of hosts are none of ours to look up.
fn dotted(word: &str) -> Option<SocketAddr> {
    let (ip, port) = word.rsplit_once('.')?;
    let port = match port {
        "sip" => 5060,
        "sip-tls" | "sips" => 5061,
        port => port.parse().ok()?,
    };
    Some(SocketAddr::new(ip.parse().ok()?, port))
}

fn address(word: &str) -> Option<(SocketAddr, Option<Carrier>)> {
    let word = word.trim_matches(|c| "<>,;()\"'".contains(c)).trim_end_matches(':');
    if let Some(address) = parse(word) {
        return Some((address, None));
    }
    let (transport, rest) = word.split_once([':', '/'])?;
    Some((parse(rest)?, carrier_of(transport)))
}

/// Some write brackets around IPv4 as well.
fn parse(word: &str) -> Option<SocketAddr> {
    word.parse().ok().or_else(|| {
        let (ip, port) = word.strip_prefix('[')?.split_once("]:")?;
        Some(SocketAddr::new(ip.parse::<Ipv4Addr>().ok()?.into(), port.parse().ok()?))
    })
}

fn carrier_of(word: &str) -> Option<Carrier> {
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    if is("udp") {
        Some(Carrier::Udp)
    } else if is("tcp") {
        Some(Carrier::Tcp)
    } else if is("ws") || is("wss") {
        Some(Carrier::WebSocket)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(line: &str) -> (Option<SocketAddr>, Option<SocketAddr>, Option<Carrier>) {
        let ends = of_line(line.as_bytes());
        (ends.source, ends.destination, ends.carrier)
    }

    #[test]
    fn what_servers_write_above_a_message() {
        let a = "192.0.2.1:5060".parse().ok();
        let b = "192.0.2.2:5062".parse().ok();
        assert_eq!(ends("<--- SIP read from UDP:192.0.2.1:5060 --->"), (a, None, Some(Carrier::Udp)));
        assert_eq!(
            ends("<--- Transmitting SIP response (42 bytes) to TCP:192.0.2.2:5062 --->"),
            (None, b, Some(Carrier::Tcp))
        );
        assert_eq!(ends("recv 42 bytes from udp/[192.0.2.1]:5060 at 12:00:00.000001:"), (a, None, Some(Carrier::Udp)));
        assert_eq!(ends("send 42 bytes to tcp/[2001:db8::1]:5060 at 12:00:00:").1, "[2001:db8::1]:5060".parse().ok());
        assert_eq!(ends("UDP 192.0.2.1:5060 -> 192.0.2.2:5062"), (a, b, Some(Carrier::Udp)));
        assert_eq!(ends("2026-01-01 12:00:00.5 192.0.2.1:5060 ---> 192.0.2.2:5062"), (a, b, None));
        assert_eq!(ends("nothing: to see from here"), (None, None, None));
        assert_eq!(ends("1 > 2: a 192.0.2.1 > b: c"), (None, None, None));
        let packet = "12:00:00.000000 IP 192.0.2.1.sip > 192.0.2.2.5062: Flags [P.], length 9";
        assert_eq!(ends(packet), (a, b, Some(Carrier::Tcp)));
        assert_eq!(ends("    localhost.sip > 192.0.2.2.5062: SIP, length: 9"), (None, b, Some(Carrier::Udp)));
    }
}
