//! What strangers send: probes, noise, and messages that pretend to be somebody else's.

use std::net::SocketAddr;

use bytes::Bytes;
use ringback_base::Random;

use crate::net::damage;
use crate::world::DOMAIN;

/// Whom a stranger knows of.
#[derive(Clone, Debug)]
pub struct Victims<'a> {
    /// The server's address.
    pub server: SocketAddr,
    /// Users of the server.
    pub users: &'a [String],
    /// Phones of theirs.
    pub phones: &'a [SocketAddr],
}

/// The shortest INVITE that the server answers, of which each byte is answered with many.
#[must_use]
pub fn shortest_invite(random: &mut Random) -> Bytes {
    let tag = random.token();
    let tag = tag.get(..8).unwrap_or_default();
    let (a, b) = tag.split_at_checked(4).unwrap_or_default();
    format!(
        "INVITE sip:a@{DOMAIN} SIP/2.0\r\nv:SIP/2.0/UDP a;rport;branch=z9hG4bK{a}\r\nf:sip:a;tag=1\r\nt:sip:a\r\ni:{a}{b}\r\nCSeq:1 INVITE\r\n\r\n"
    )
    .into()
}

/// One datagram of a stranger at this address.
#[must_use]
pub fn datagram(from: SocketAddr, victims: &Victims<'_>, random: &mut Random) -> Bytes {
    let one_of = |all: usize, random: &mut Random| usize::try_from(random.below(all as u64)).unwrap_or(0);
    let user = victims.users.get(one_of(victims.users.len(), random)).map_or("nobody", String::as_str);
    let phone = victims.phones.get(one_of(victims.phones.len(), random)).copied().unwrap_or(from);
    let method = ["INVITE", "REGISTER", "OPTIONS", "MESSAGE", "BYE", "SUBSCRIBE", "CANCEL", "ACK", "NEWFANGLED"];
    let method = method.get(one_of(9, random)).copied().unwrap_or("INVITE");
    let token = random.token();
    let whole = |via: &str, uri: &str, more: &str| {
        format!(
            "{method} {uri} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: <sip:{user}@{DOMAIN}>;tag={token}\r\n\
             To: <sip:{user}@{DOMAIN}>\r\nCall-ID: x-{token}\r\nCSeq: 1 {method}\r\n{more}Content-Length: 0\r\n\r\n"
        )
    };
    let own = format!("SIP/2.0/UDP {from};branch=z9hG4bK{token};rport");
    let uri = format!("sip:{user}@{DOMAIN}");
    let server = victims.server;
    match random.below(13) {
        0 => shortest_invite(random),
        1 => whole(&own, &uri, "").into(),
        // A response would go to the phone, if it went where Via says.
        2 => whole(&format!("SIP/2.0/UDP {phone};branch=z9hG4bK{token}"), &uri, "").into(),
        3 => whole(&format!("SIP/2.0/UDP {phone};branch=z9hG4bK{token};received=192.0.2.77;maddr=192.0.2.78"), &uri, "").into(),
        // Through the server to wherever.
        4 => whole(&own, &format!("sip:victim@{phone}"), &format!("Route: <sip:{server};lr>\r\n")).into(),
        5 => whole(&own, &format!("sip:victim@{phone}"), &format!("Route: <sip:{server};lr;rr=0123456789abcdef>\r\n")).into(),
        // Credentials that nobody gave out.
        6 => {
            let made_up = format!(
                "Digest username=\"{user}\", realm=\"{DOMAIN}\", nonce=\"{token}\", uri=\"{uri}\", response=\"{token}{token}\""
            );
            whole(&own, &uri, &format!("Authorization: {made_up}\r\nProxy-Authorization: {made_up}\r\n")).into()
        }
        7 => format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP {server};branch=z9hG4bK{token}.0123456789abcdef\r\n\
             Via: SIP/2.0/UDP {phone};branch=z9hG4bK{token}\r\nFrom: <sip:{user}@{DOMAIN}>;tag=1\r\nTo: <sip:{user}@{DOMAIN}>;tag=2\r\n\
             Call-ID: x-{token}\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
        )
        .into(),
        // Loops and hops.
        8 => {
            let vias = format!("{own}\r\nVia: SIP/2.0/UDP {server};branch=z9hG4bK{token}.0123456789abcdef");
            whole(&vias, &uri, "").replace("Max-Forwards: 70", "Max-Forwards: 0").into()
        }
        9 => noise(random),
        10 => format!("{method} {uri} SIP/2.0\r\n{}\r\n", "Via: SIP/2.0/UDP a\r\n".repeat(300)).into(),
        _ => damage(whole(&own, &uri, "").as_bytes(), random),
    }
}

fn noise(random: &mut Random) -> Bytes {
    let mut bytes = vec![0; usize::try_from(random.below(2_000)).unwrap_or(0)];
    random.fill(&mut bytes);
    match random.below(4) {
        0 => Bytes::from_static(b"\r\n\r\n"),
        1 => Bytes::from_static(b"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl"),
        _ => bytes.into(),
    }
}
