//! Addresses: those of a family are written as it has them, and those of a group follow its rules.

use core::net::IpAddr;

use super::At;
use crate::error::BuildError;
use crate::line::{Connection, Origin};
use crate::section::{Kind, Section};

/// All `c=` lines of a section.
pub(super) fn check(section: &Section, at: At) -> Result<(), BuildError> {
    let is_one_of_many = section.connections().nth(1).is_some();
    for connection in section.connections() {
        let wrong = |what| Err(at.wrong(what, connection, "RFC 8866, Section 5.7"));
        one(&connection, at)?;
        if is_one_of_many && connection.ip().is_some_and(|ip| !ip.is_multicast()) {
            return wrong("a unicast address beside another c= line");
        }
        if section.kind() == Kind::Session && connection.count.is_some_and(|count| count > 1) {
            return wrong("several addresses at the session level");
        }
    }
    Ok(())
}

/// An address of a group needs a TTL with IPv4, and no other has one.
fn one(connection: &Connection<'_>, at: At) -> Result<(), BuildError> {
    let is_group = connection.is_multicast();
    let is_ip4 = connection.ip().is_some_and(|ip| ip.is_ipv4());
    let wrong = |what| Err(at.wrong(what, connection, "RFC 8866, Section 5.7"));
    match (connection.ttl, connection.count) {
        (None, _) if is_group && is_ip4 => wrong("a multicast address without its TTL"),
        (Some(_), _) if connection.ip().is_some() && !is_group => wrong("a TTL behind a unicast address"),
        (_, Some(_)) if connection.ip().is_some() && !is_group => {
            wrong("a number of addresses behind a unicast address")
        }
        (_, Some(count)) if !is_within(connection.ip(), count) => wrong("more addresses than there are groups"),
        _ => match defect(connection.network, connection.address_type, connection.address) {
            Some(what) => Err(at.wrong(what, connection, "RFC 8866, Section 9")),
            None => Ok(()),
        },
    }
}

/// True where the last of so many addresses is one of a group too.
fn is_within(first: Option<IpAddr>, count: u32) -> bool {
    let more = count.saturating_sub(1);
    match first {
        Some(IpAddr::V4(first)) => {
            u32::from(first).checked_add(more).is_some_and(|last| IpAddr::V4(last.into()).is_multicast())
        }
        Some(IpAddr::V6(first)) => u128::from(first).checked_add(u128::from(more)).is_some(),
        None => true,
    }
}

/// The host of an `o=` line is one, and no group.
pub(super) fn origin(origin: &Origin) -> Result<(), BuildError> {
    let at = At(None);
    if let Some(what) = defect(&origin.network, &origin.address_type, &origin.address) {
        return Err(at.wrong(what, origin, "RFC 8866, Section 9"));
    }
    if origin.address.parse().is_ok_and(|ip: IpAddr| ip.is_multicast()) {
        return Err(at.wrong("a multicast address for the host of the origin", origin, "RFC 8866, Section 5.2"));
    }
    Ok(())
}

/// Why an address is none of its family: neither its digits nor a name. Of other networks nothing is known.
fn defect(network: &str, address_type: &str, address: &str) -> Option<&'static str> {
    let ip = address.parse::<IpAddr>().ok();
    match (network, address_type, ip) {
        ("IN", "IP4", Some(IpAddr::V6(_))) => Some("an address of IPv6 that is said to be of type IP4"),
        ("IN", "IP6", Some(IpAddr::V4(_))) => Some("an address of IPv4 that is said to be of type IP6"),
        // Those above the groups are neither unicast nor multicast.
        ("IN", "IP4", Some(IpAddr::V4(ip))) if u32::from(ip) >= 0xf000_0000 => {
            Some("an address of IPv4 that is kept for later")
        }
        ("IN", "IP4" | "IP6", None) if !is_name(address) => Some("an address that is neither one nor a name"),
        _ => None,
    }
}

/// `FQDN`: letters, digits, hyphens and dots; what ends in a label without a letter would be an address.
fn is_name(address: &str) -> bool {
    let is_char = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    let last = address.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    address.bytes().all(is_char) && last.bytes().any(|b| b.is_ascii_alphabetic())
}
