//! Where a message goes: from a URI to transports, addresses and ports, by what a resolver says.
//!
//! ```text
//!   URI ─▶ Aim ─▶ Walk ──poll_question()──▶ a resolver, a cache, a simulation
//!                  │   ◀──handle_answer()──
//!                  └─▶ result(): targets, best first; trace(): how it came to them
//! ```
//!
//! A [`Walk`] asks for NAPTR, SRV, A and AAAA records as `[RFC 3263, Section 4]` says, for both families of addresses
//! `[RFC 7984, Section 3.1]`. What no answer can make it do: ask without end, keep more than its limits say, or fail as long as some
//! other record leads to a server. A question that fails counts as one that finds nothing.
//!
//! ```
//! use std::sync::Arc;
//! use ringback_base::{Random, Transport};
//! use ringback_message::SipUri;
//! use ringback_transport::resolve::{Aim, DnsAnswer, Family, Preferences, Record, RecordData, RecordKind, Walk};
//!
//! let preferences = Arc::new(Preferences::new(vec![Transport::Udp], vec![Family::V4]));
//! let aim = Aim::of_uri(&SipUri::new("b.example")?, false)?;
//! let mut walk = Walk::new(aim, preferences, Random::from_seed([0; 32]));
//! while let Some((id, question)) = walk.poll_question() {
//!     walk.handle_answer(id, match question.kind {
//!         RecordKind::A => {
//!             let data = RecordData::A([192, 0, 2, 1].into());
//!             DnsAnswer::Records(vec![Record { name: question.name, ttl_secs: 60, data }])
//!         }
//!         _ => DnsAnswer::Nothing,
//!     });
//! }
//! let targets = walk.result().ok_or("it has ended")??;
//! assert_eq!(targets[0].address, "192.0.2.1:5060".parse()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aim;
mod dns;
mod failed;
mod order;
mod trace;
mod walk;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, SocketAddr};

use ringback_base::Transport;

pub use aim::{Aim, AimError};
pub use dns::{ANSWER_RECORDS_MAX, CNAMES_MAX};
pub use dns::{DnsAnswer, Naptr, Question, QuestionId, Record, RecordData, RecordKind, Srv};
pub use failed::{FAILED_TARGETS_MAX, FailedTargets};
pub use trace::{Outcome, SeenRecord, Step, StepId, Trace};
pub use walk::{ADDRESSES_MAX, HOSTS_MAX, QUESTIONS_MAX, SERVICES_MAX, TARGETS_MAX, Walk};

#[cfg(test)]
mod tests;

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// That of an address.
    #[must_use]
    pub const fn of(ip: &IpAddr) -> Family {
        match ip {
            IpAddr::V4(_) => Family::V4,
            IpAddr::V6(_) => Family::V6,
        }
    }

    const fn record_kind(self) -> RecordKind {
        match self {
            Family::V4 => RecordKind::A,
            Family::V6 => RecordKind::Aaaa,
        }
    }
}

/// What we can send by, and what we like best.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// The transports that we have, the preferred one first: decides where the other side doesn't.
    pub transports: Vec<Transport>,
    /// Those that we have beside them, and take only where a URI or a NAPTR record names them.
    pub on_request: Vec<Transport>,
    /// The families of addresses that we have, the preferred one first.
    pub families: Vec<Family>,
    /// Whether a host name may lead to a loopback address: only where we listen on one. Else a stranger's name could lead a request of
    /// ours to a service of this machine.
    pub loopback: bool,
    /// Names whose addresses are known without asking: a request for one goes there by the port and transport of its URI.
    pub hosts: Hosts,
}

impl Preferences {
    /// With these transports and families, and no hosts of our own.
    #[must_use]
    pub fn new(transports: Vec<Transport>, families: Vec<Family>) -> Preferences {
        Preferences { transports, on_request: Vec::new(), families, loopback: false, hosts: Hosts::default() }
    }

    /// Whether we have this transport.
    pub(crate) fn have(&self, transport: Transport) -> bool {
        self.transports.contains(&transport) || self.on_request.contains(&transport)
    }

    /// What sockets at these addresses can reach. Where some address is not a loopback one, those of this machine alone don't tell
    /// which families there are. WebSockets are opened by others, where nobody says otherwise by [`Preferences::on_request`].
    #[must_use]
    pub fn of_sockets(sockets: &[(Transport, IpAddr)], ipv6_first: bool) -> Preferences {
        let has = |transport: &Transport| sockets.iter().any(|(has, _)| has == transport);
        let transports = [Transport::Udp, Transport::Tcp, Transport::Tls].into_iter().filter(has).collect();
        let only_here = sockets.iter().all(|(_, ip)| ip.is_loopback());
        let counts = |ip: &IpAddr| only_here || !ip.is_loopback();
        let has = |family: &Family| sockets.iter().any(|(_, ip)| Family::of(ip) == *family && counts(ip));
        let families = if ipv6_first { [Family::V6, Family::V4] } else { [Family::V4, Family::V6] };
        let loopback = sockets.iter().any(|(_, ip)| ip.is_loopback());
        Preferences { loopback, ..Preferences::new(transports, families.into_iter().filter(has).collect()) }
    }
}

/// Host names and their addresses, as an operator sets them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(BTreeMap<Box<str>, Vec<IpAddr>>);

impl Hosts {
    /// A name has this address too. Case and a dot at the end don't matter.
    pub fn add(&mut self, name: &str, address: IpAddr) {
        self.0.entry(dns::plain(name)).or_default().push(address);
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[IpAddr])> {
        self.0.iter().map(|(name, addresses)| (&**name, addresses.as_slice()))
    }

    /// The addresses of a name, in the order in which they were added; `None` for one that isn't there.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[IpAddr]> {
        self.0.get(&dns::plain(name)).map(Vec::as_slice)
    }
}

/// One place to send to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// How.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
    /// The name that a certificate there must be for: the host of the URI, whatever the records call it. `[RFC 5922, Section 4]`
    pub identity: Box<str>,
}

/// Why a walk found no target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unresolved {
    /// There are no records that lead to an address of ours to reach.
    Nothing,
    /// The domain says that it doesn't offer the service. `[RFC 2782]`
    NotOffered,
    /// The resolver failed, or was too slow.
    Failed,
    /// We don't have the transport.
    Transport,
    /// We don't have the family of addresses.
    Family,
    /// The name is one that never has an address, as that of a WebSocket client. `[RFC 7118, Appendix B.1]`
    Invalid,
}

impl Unresolved {
    /// In words, of a target.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Unresolved::Nothing => "its name leads to no address",
            Unresolved::NotOffered => "its domain doesn't offer the service",
            Unresolved::Failed => "the resolver doesn't answer",
            Unresolved::Transport => "no listener has its transport",
            Unresolved::Family => "no listener has its address family",
            Unresolved::Invalid => "its name is none that can be looked up",
        }
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::error::Error for Unresolved {}
