//! The flags of `ringback dns`.

use std::net::SocketAddr;

use ringback_transport::resolve::Preferences;

use super::lookup::{TransportArg, name_server, preferences, transports};

pub(super) const MORE: &str = "\
Walks as RFC 3263 says: NAPTR, SRV, then addresses, and prints each question, what was answered and what was made of it; then the targets in \
the order in which a request would try them. Among SRV records of one priority chance decides by their weights, so two walks may differ.";

pub(super) const EXAMPLES: &str = "\
Examples:
  ringback dns sip:example.com              where a request for this URI goes
  ringback dns 'sips:bob@example.com;transport=tcp'
  ringback dns sip:example.com --server 192.0.2.53 --transports udp,tcp
  ringback dns sip:example.com --json       the same, with names that stay
  ringback dns --via 'SIP/2.0/UDP proxy.example.com'
                                            where a response goes that can't go back as its request came

Exit status:
  0    there is a target
  1    there is none
  2    the URI or the command line can't be understood";

#[derive(Debug, clap::Args)]
pub(crate) struct DnsArgs {
    /// A sip or sips URI
    pub(crate) uri: String,

    /// A name server to ask instead of the system's, repeatable: an address, and perhaps a port
    #[arg(long, visible_alias = "name-server", value_name = "ADDR", value_parser = name_server)]
    server: Vec<SocketAddr>,

    /// The transports that count as ours, the preferred one first
    #[arg(long, value_name = "LIST", value_enum, value_delimiter = ',', default_value = "udp,tcp,tls,ws,wss")]
    transports: Vec<TransportArg>,

    /// Look for IPv4 addresses alone
    #[arg(long, conflicts_with = "ipv6")]
    ipv4: bool,

    /// Look for IPv6 addresses alone
    #[arg(long)]
    ipv6: bool,

    /// Have maddr say where the request goes
    #[arg(long)]
    pub(crate) maddr: bool,

    /// Take URI for the top Via of a request, and walk for its response
    #[arg(long)]
    pub(crate) via: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl DnsArgs {
    pub(crate) fn servers(&self) -> Vec<SocketAddr> {
        self.server.clone()
    }

    pub(crate) fn preferences(&self) -> Preferences {
        preferences(transports(&self.transports), self.ipv4, self.ipv6)
    }
}
