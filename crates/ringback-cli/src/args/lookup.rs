//! Flags that commands share which go to a server: where it is found, and whom TLS trusts.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::ValueEnum;
use ringback_base::Transport;
use ringback_message::{HeaderId, ParseError, Uri};
use ringback_transport::resolve::{Family, Preferences};

/// How a URI is walked.
#[derive(Debug, clap::Args)]
pub(crate) struct LookupArgs {
    /// A name server to ask instead of the system's, repeatable: an address, and perhaps a port
    #[arg(long, visible_alias = "server", value_name = "ADDR", value_parser = name_server)]
    pub(crate) name_server: Vec<SocketAddr>,

    /// Look for IPv4 addresses alone
    #[arg(long, conflicts_with = "ipv6")]
    ipv4: bool,

    /// Look for IPv6 addresses alone
    #[arg(long)]
    ipv6: bool,
}

impl LookupArgs {
    /// Those that these flags leave, with these transports, and those that are taken only where a URI or a record names them.
    pub(crate) fn preferences(&self, transports: Vec<Transport>, on_request: Vec<Transport>) -> Preferences {
        Preferences { on_request, ..preferences(transports, self.ipv4, self.ipv6) }
    }
}

/// Whom TLS trusts, and what it shows.
#[derive(Debug, clap::Args)]
pub(crate) struct TlsArgs {
    /// Trust the roots of this PEM file, and not those of the system
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// The certificate to show to a server that asks for one: PEM, what leads to its root behind it
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,

    /// Its private key: PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TransportArg {
    Udp,
    Tcp,
    Tls,
    Ws,
    Wss,
}

/// Each once.
pub(crate) fn transports(args: &[TransportArg]) -> Vec<Transport> {
    let mut transports = Vec::new();
    for transport in args {
        let transport = match transport {
            TransportArg::Udp => Transport::Udp,
            TransportArg::Tcp => Transport::Tcp,
            TransportArg::Tls => Transport::Tls,
            TransportArg::Ws => Transport::Ws,
            TransportArg::Wss => Transport::Wss,
        };
        if !transports.contains(&transport) {
            transports.push(transport);
        }
    }
    transports
}

/// What a walk may lead to: loopback addresses too, because who types a name on a command line means it.
pub(crate) fn preferences(transports: Vec<Transport>, ipv4: bool, ipv6: bool) -> Preferences {
    let families = match (ipv4, ipv6) {
        (true, _) => vec![Family::V4],
        (_, true) => vec![Family::V6],
        _ => vec![Family::V6, Family::V4],
    };
    let mut preferences = Preferences::new(transports, families);
    preferences.loopback = true;
    preferences
}

/// The URI, or that of a domain where no scheme stands before it, with this one.
///
/// # Errors
/// What is wrong with it, by the bytes as they were typed.
pub(crate) fn sip_uri(text: &str, scheme: &str) -> Result<String, String> {
    let starts_with = |start: &str| text.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start));
    let added = if starts_with("sip:") || starts_with("sips:") { "" } else { scheme };
    let uri = format!("{added}{text}");
    match Uri::parse(uri.as_bytes(), HeaderId::Other, 0) {
        Ok(Uri::Sip(_)) => Ok(uri),
        Ok(_) => Err(NO_SIP.to_owned()),
        // Another scheme, unless a dot shows that it is a domain with a port that is none.
        Err(_) if !added.is_empty() && is_other(text) => Err(NO_SIP.to_owned()),
        Err(error) => Err(defect(&error, added)),
    }
}

fn is_other(text: &str) -> bool {
    let has_domain = text.split(':').next().is_some_and(|start| start.contains('.'));
    !has_domain && Uri::parse(text.as_bytes(), HeaderId::Other, 0).is_ok()
}

/// What is wrong with a URI that stands in no message, and before which this was added.
pub(crate) fn defect(error: &ParseError, added: &str) -> String {
    let added = u32::try_from(added.len()).unwrap_or_default();
    format!("URI, byte {}: expected {}", error.offset.saturating_sub(added), error.expected)
}

/// What a command says of other URIs.
pub(crate) const NO_SIP: &str = "only sip and sips URIs lead to a server";

/// A number within bounds.
///
/// # Errors
/// Which numbers are.
pub(super) fn number<N: TryFrom<u64>>(text: &str, least: u64, most: u64) -> Result<N, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.and_then(|number| N::try_from(number).ok()).ok_or_else(|| format!("expected a number, {least} to {most}"))
}

pub(super) fn name_server(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse().or_else(|_| text.parse().map(|ip: IpAddr| SocketAddr::new(ip, 53)));
    address.map_err(|_| "expected an address, and perhaps a port: 192.0.2.53, [2001:db8::53]:5353".to_owned())
}
