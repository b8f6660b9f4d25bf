//! Addresses: those of a family are written as it has them, and those of a group follow its rules.

use core::net::IpAddr;

use super::At;
use crate::error::BuildError;
use crate::line::{self, Connection, Origin};
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
        _ => match line::address_defect(connection.network, connection.address_type, connection.address) {
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
    if let Some(what) = line::address_defect(&origin.network, &origin.address_type, &origin.address) {
        return Err(at.wrong(what, origin, "RFC 8866, Section 9"));
    }
    if origin.address.parse().is_ok_and(|ip: IpAddr| ip.is_multicast()) {
        return Err(at.wrong("a multicast address for the host of the origin", origin, "RFC 8866, Section 5.2"));
    }
    Ok(())
}
