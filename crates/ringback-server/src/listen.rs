//! Where to listen.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

use ringback_base::Transport;
use ringback_tokio::ListenOn;

use crate::settings::ListenerSettings;

const DEFAULT_PORT: u16 = 5060;

/// One `--listen`: a port, an address, a host name, or one of the latter two with a port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listen {
    /// This port of 127.0.0.1, and of ::1 where there is IPv6.
    Loopback {
        /// The port; 0 lets the system choose one for each address.
        port: u16,
    },
    /// This address. Of an unspecified one (0.0.0.0, ::) every address of the machine is meant, in its family.
    Address(SocketAddr),
    /// The addresses that this name has when the server starts.
    Name {
        /// The name.
        host: Box<str>,
        /// The port.
        port: u16,
    },
}

impl Default for Listen {
    fn default() -> Listen {
        Listen::Loopback { port: DEFAULT_PORT }
    }
}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Listen, ListenError> {
        Listen::parse(text, DEFAULT_PORT)
    }
}

/// The same where one transport alone is listened on that has another port where none is named.
pub(crate) struct ListenAlone<const PORT: u16>(pub(crate) Listen);

impl<const PORT: u16> FromStr for ListenAlone<PORT> {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<ListenAlone<PORT>, ListenError> {
        Listen::parse(text, PORT).map(ListenAlone)
    }
}

impl Listen {
    fn parse(text: &str, default_port: u16) -> Result<Listen, ListenError> {
        let malformed = || ListenError::Malformed(text.into());
        if let Ok(port) = text.parse() {
            return Ok(Listen::Loopback { port });
        }
        if let Ok(address) = text.parse() {
            return Ok(Listen::Address(address));
        }
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(ip) = bare.parse() {
            return Ok(Listen::Address(SocketAddr::new(ip, default_port)));
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| malformed())?),
            None => (text, default_port),
        };
        let is_name = host.bytes().any(|b| b.is_ascii_alphabetic())
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        if is_name { Ok(Listen::Name { host: host.into(), port }) } else { Err(malformed()) }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Loopback { port } => write!(f, "{port}"),
            Listen::Address(address) => write!(f, "{address}"),
            Listen::Name { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

/// Why there is nothing to listen on.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListenError {
    /// No address.
    Malformed(Box<str>),
    /// A name without an address.
    Unresolved {
        /// The name.
        host: Box<str>,
        /// The system's words.
        source: io::Error,
    },
    /// The system does not tell its interfaces.
    Interfaces(io::Error),
    /// An unspecified address of a family that no interface has an address of.
    NoInterface(IpAddr),
    /// TLS has the port behind that of the others, and there is none.
    NoPortForTls(SocketAddr),
    /// Two transports that begin with a connection are to have the same address.
    TwoStreams(SocketAddr),
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenError::Malformed(text) => {
                write!(
                    f,
                    "{text:?} is no address to listen on: expected HOST:PORT, [IPV6]:PORT, an address or a port alone"
                )
            }
            ListenError::Unresolved { host, source } => {
                write!(f, "can't listen on {host}: it has no address ({source})")
            }
            ListenError::Interfaces(source) => {
                write!(f, "the system does not tell its addresses: {source}; name them with --listen")
            }
            ListenError::NoInterface(ip) => {
                write!(f, "can't listen on {ip}: no interface has an address of that family")
            }
            ListenError::NoPortForTls(address) => {
                write!(
                    f,
                    "can't listen on {address} by TLS: it has the port behind that of the other transports, and there is none"
                )
            }
            ListenError::TwoStreams(address) => {
                write!(
                    f,
                    "can't listen on {address} by two transports that begin with a connection; give one of them another port"
                )
            }
        }
    }
}

impl Error for ListenError {}

/// Whether listeners get in each other's way, as far as that can be told here: names and interfaces may be those of another machine.
///
/// # Errors
/// Where two want the same port, or one a port that isn't there.
pub fn check_listeners(listeners: &[ListenerSettings]) -> Result<(), ListenError> {
    match addresses(listeners) {
        Err(error @ (ListenError::NoPortForTls(_) | ListenError::TwoStreams(_))) => Err(error),
        _ => Ok(()),
    }
}

/// The addresses that are meant, each once, in the order in which they were named.
///
/// Via and Record-Route name the address of a listener, so there is one listener for each address, none for an unspecified one.
///
/// # Errors
/// For the first that means none.
pub(crate) fn addresses(listeners: &[ListenerSettings]) -> Result<Vec<ListenOn>, ListenError> {
    let mut all: Vec<ListenOn> = Vec::new();
    for listener in listeners {
        for on in addresses_of(&listener.listen)? {
            for on in by_transports(listener, on)? {
                match all.iter_mut().find(|known| known.address == on.address && on.address.port() != 0) {
                    Some(known) => *known = together(*known, on)?,
                    None => all.push(on),
                }
            }
        }
    }
    Ok(all)
}

/// The listener at one of its addresses: UDP and TCP share a port; TLS has it alone, or the one behind it where they are there too.
fn by_transports(listener: &ListenerSettings, on: ListenOn) -> Result<Vec<ListenOn>, ListenError> {
    let (udp, tcp) = (listener.has(Transport::Udp), listener.has(Transport::Tcp));
    let mut all = Vec::new();
    if udp || tcp {
        all.push(ListenOn { udp, stream: tcp.then_some(Transport::Tcp), ..on });
    }
    if listener.has(Transport::Tls) {
        let mut address = on.address;
        if !all.is_empty() && address.port() != 0 {
            let next = address.port().checked_add(1).ok_or(ListenError::NoPortForTls(address))?;
            address.set_port(next);
        }
        all.push(ListenOn { address, udp: false, stream: Some(Transport::Tls), ..on });
    }
    for stream in [Transport::Ws, Transport::Wss].into_iter().filter(|stream| listener.has(*stream)) {
        if all.iter().any(|other| other.stream.is_some()) {
            return Err(ListenError::TwoStreams(on.address));
        }
        all.push(ListenOn { udp: false, stream: Some(stream), ..on });
    }
    Ok(all)
}

/// Two listeners at one address are one.
fn together(one: ListenOn, other: ListenOn) -> Result<ListenOn, ListenError> {
    let stream = match (one.stream, other.stream) {
        (Some(one), Some(other)) if one != other => None,
        (one, other) => Some(one.or(other)),
    };
    let stream = stream.ok_or(ListenError::TwoStreams(one.address))?;
    Ok(ListenOn { if_available: one.if_available && other.if_available, udp: one.udp || other.udp, stream, ..one })
}

fn addresses_of(listen: &Listen) -> Result<Vec<ListenOn>, ListenError> {
    match listen {
        Listen::Loopback { port } => Ok(Vec::from([
            ListenOn::new(SocketAddr::from((Ipv4Addr::LOCALHOST, *port))),
            ListenOn { if_available: true, ..ListenOn::new(SocketAddr::from((Ipv6Addr::LOCALHOST, *port))) },
        ])),
        Listen::Address(address) if address.ip().is_unspecified() => of_interfaces(*address),
        Listen::Address(address) => Ok(Vec::from([ListenOn::new(*address)])),
        Listen::Name { host, port } => {
            let unresolved = |source| ListenError::Unresolved { host: host.clone(), source };
            let found: Vec<_> = (&**host, *port).to_socket_addrs().map_err(unresolved)?.collect();
            if found.is_empty() {
                return Err(unresolved(io::ErrorKind::NotFound.into()));
            }
            // "localhost" is told to have ::1 where there is no IPv6.
            let both = found.iter().any(SocketAddr::is_ipv4);
            Ok(found
                .into_iter()
                .map(|address| ListenOn { if_available: both && address.is_ipv6(), ..ListenOn::new(address) })
                .collect())
        }
    }
}

/// Every address of the machine in the family of the unspecified one. Link-local ones of IPv6 are passed over: without the name of
/// an interface, which a Via can't hold, they lead nowhere.
fn of_interfaces(unspecified: SocketAddr) -> Result<Vec<ListenOn>, ListenError> {
    let mut found: Vec<IpAddr> = if_addrs::get_if_addrs()
        .map_err(ListenError::Interfaces)?
        .into_iter()
        .map(|interface| interface.ip())
        .filter(|ip| ip.is_ipv4() == unspecified.is_ipv4())
        .filter(|ip| !matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local()))
        .collect();
    found.sort_unstable();
    found.dedup();
    if found.is_empty() {
        return Err(ListenError::NoInterface(unspecified.ip()));
    }
    let on = |ip| ListenOn::new(SocketAddr::new(ip, unspecified.port()));
    Ok(found.into_iter().map(on).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::settings::TRANSPORTS;

    fn listener(text: &str) -> ListenerSettings {
        text.parse::<Listen>().unwrap().into()
    }

    fn address(text: &str) -> Listen {
        Listen::Address(text.parse().unwrap())
    }

    #[test]
    fn forms() {
        for (text, listen) in [
            ("5070", Listen::Loopback { port: 5070 }),
            ("0", Listen::Loopback { port: 0 }),
            ("192.0.2.1", address("192.0.2.1:5060")),
            ("192.0.2.1:5070", address("192.0.2.1:5070")),
            ("::1", address("[::1]:5060")),
            ("[::1]", address("[::1]:5060")),
            ("[::1]:5070", address("[::1]:5070")),
            ("0.0.0.0", address("0.0.0.0:5060")),
            ("localhost", Listen::Name { host: "localhost".into(), port: 5060 }),
            ("sip.example.com:5070", Listen::Name { host: "sip.example.com".into(), port: 5070 }),
        ] {
            assert_eq!(text.parse::<Listen>().unwrap(), listen, "{text}");
            assert_eq!(listen.to_string().parse::<Listen>().unwrap(), listen);
        }
        for text in [
            "",
            "65536",
            "192.0.2.1:65536",
            "192.0.2.256",
            "[::1",
            "::1:x",
            "a:b",
            "a b",
            "sip:a",
            "-",
            "udp:1.2.3.4:5060",
        ] {
            assert!(matches!(text.parse::<Listen>(), Err(ListenError::Malformed(_))), "{text}");
        }
    }

    #[test]
    fn each_address_once_and_none_unspecified() {
        let listen = ["127.0.0.1:5060", "5060", "0.0.0.0:5060"].map(listener);
        let all = addresses(&listen).unwrap();
        let count = |ip: &str| all.iter().filter(|on| on.address.ip() == ip.parse::<IpAddr>().unwrap()).count();
        assert_eq!((count("127.0.0.1"), count("::1"), count("0.0.0.0")), (1, 1, 0));
        assert_eq!(all[0], ListenOn::new("127.0.0.1:5060".parse().unwrap()));
        assert!(all[1].if_available);
    }

    #[test]
    fn transports_are_kept_apart_and_put_together() {
        let by =
            |text, transports: &[Transport]| ListenerSettings { transports: transports.to_vec(), ..listener(text) };
        let [udp, tcp, tls, ws, wss] = TRANSPORTS;
        let all = addresses(&[by("192.0.2.1", &[udp]), by("192.0.2.2", &[tcp]), by("192.0.2.1", &[tcp])]).unwrap();
        let told: Vec<_> = all.iter().map(|on| (on.address.ip().to_string(), on.udp, on.stream.is_some())).collect();
        assert_eq!(told, [("192.0.2.1".to_owned(), true, true), ("192.0.2.2".to_owned(), false, true)]);
        let told = |listeners: &[ListenerSettings]| {
            let all = addresses(listeners)?;
            Ok(all.iter().map(|on| format!("{} {} {:?}", on.address, on.udp, on.stream)).collect::<Vec<_>>())
        };
        let beside: Result<_, ListenError> = told(&[by("192.0.2.1", &[udp, tcp, tls])]);
        assert_eq!(beside.unwrap(), ["192.0.2.1:5060 true Some(Tcp)", "192.0.2.1:5061 false Some(Tls)"]);
        assert_eq!(
            told(&[by("192.0.2.1:0", &[tcp, tls])]).unwrap(),
            ["192.0.2.1:0 false Some(Tcp)", "192.0.2.1:0 false Some(Tls)"]
        );
        assert_eq!(told(&[by("192.0.2.1:5061", &[tls])]).unwrap(), ["192.0.2.1:5061 false Some(Tls)"]);
        assert_eq!("192.0.2.1".parse::<ListenAlone<5061>>().unwrap().0, address("192.0.2.1:5061"));
        let error = told(&[by("192.0.2.1:5061", &[tcp]), by("192.0.2.1", &[tcp, tls])]).unwrap_err();
        assert!(matches!(error, ListenError::TwoStreams(_)), "{error}");
        for (transports, address) in
            [(&[tcp, ws][..], "192.0.2.1:80"), (&[ws, wss], "192.0.2.1:80"), (&[tls, wss], "192.0.2.1:443")]
        {
            let error = told(&[by(address, transports)]).unwrap_err();
            assert!(matches!(error, ListenError::TwoStreams(_)), "{error}");
        }
        assert_eq!(told(&[by("192.0.2.1:80", &[ws])]).unwrap(), ["192.0.2.1:80 false Some(Ws)"]);
        assert_eq!("192.0.2.1".parse::<ListenAlone<443>>().unwrap().0, address("192.0.2.1:443"));
        let error = told(&[by("192.0.2.1:65535", &[udp, tls])]).unwrap_err();
        assert!(matches!(error, ListenError::NoPortForTls(_)), "{error}");
    }

    #[test]
    fn names_without_an_address() {
        // Longer than a label may be, so that no name server is asked.
        let host = "a".repeat(64);
        let error = addresses(&[listener(&host)]).unwrap_err();
        assert!(error.to_string().starts_with(&format!("can't listen on {host}: it has no address")), "{error}");
    }
}
