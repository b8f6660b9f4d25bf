//! HAProxy in front of the server, by connections and over TLS.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::leg::Transport;
use crate::probe::{free_port, free_ports, wait_for_port};
use crate::process::{Guarded, command, on_path};
use crate::{Fault, doing};

/// How long a start may take.
const START_MAX: Duration = Duration::from_secs(10);
const CONFIGURATION: &str = include_str!("../peers/haproxy.cfg");

/// From where it connects to a server that knows it, and to one that doesn't.
const KNOWN: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
const UNKNOWN: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 20);
/// What a server that knows it has in its settings: neither the phones nor the stranger are in it.
pub(crate) const NETWORK_OF_KNOWN: &str = "127.0.0.8/30";

/// Where its fronts are. By TLS it is at the port behind that of TCP.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fronts {
    pub(crate) tcp: SocketAddr,
    /// Where TLS ends at the balancer: the port behind this one.
    pub(crate) ended_tls: SocketAddr,
    /// From there comes what the server doesn't believe.
    pub(crate) stranger: SocketAddr,
}

/// HAProxy at work. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Haproxy {
    process: Guarded,
}

impl Fronts {
    /// Free ports for all of them.
    ///
    /// # Errors
    /// When there are none.
    pub(crate) fn new() -> Result<Self, Fault> {
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self { tcp: at(free_ports(2)?), ended_tls: at(free_ports(2)?), stranger: at(free_port()?) })
    }
}

impl Haproxy {
    /// Starts one below `folder`, before a server that listens by TCP and by TLS, and where it expects what came here by TLS; with this
    /// certificate and its key in one file.
    ///
    /// # Errors
    /// When it ends or doesn't listen.
    pub(crate) fn start(
        folder: &Path,
        fronts: &Fronts,
        server: SocketAddr,
        server_behind_tls: SocketAddr,
        certificate: &Path,
    ) -> Result<Self, Fault> {
        let folder = folder.join("haproxy");
        doing(|| format!("creating {}", folder.display()), fs::create_dir_all(&folder))?;
        let by_tls = |address| Transport::Tls.port(address).to_string();
        let words = [
            ("{tcp}", fronts.tcp.port().to_string()),
            ("{tls}", by_tls(fronts.tcp)),
            ("{ended_tls}", by_tls(fronts.ended_tls)),
            ("{stranger}", fronts.stranger.port().to_string()),
            ("{server}", server.to_string()),
            ("{server_tls}", SocketAddr::new(server.ip(), Transport::Tls.port(server)).to_string()),
            ("{server_behind_tls}", server_behind_tls.to_string()),
            ("{known}", KNOWN.to_string()),
            ("{unknown}", UNKNOWN.to_string()),
            ("{certificate}", certificate.display().to_string()),
        ];
        let text = words.iter().fold(CONFIGURATION.to_owned(), |text, (word, becomes)| text.replace(word, becomes));
        let file = folder.join("haproxy.cfg");
        doing(|| format!("writing {}", file.display()), fs::write(&file, text))?;
        let log = folder.join("log");
        let errors = doing(|| format!("creating {}", log.display()), fs::File::create(&log))?;
        // It is at home where administrators are.
        let program = on_path("haproxy").unwrap_or_else(|| "/usr/sbin/haproxy".into());
        let mut haproxy = command(program);
        haproxy.arg("-db").arg("-f").arg(&file).current_dir(&folder);
        haproxy.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let mut process = Guarded::start(&mut haproxy)?;
        wait_for_port(Transport::Tcp, fronts.stranger.port(), START_MAX, || {
            process.ended().map(|how| format!("haproxy ended: {how}; see {}", log.display()))
        })?;
        Ok(Self { process })
    }

    /// It is still there.
    ///
    /// # Errors
    /// When it isn't.
    pub(crate) fn still_there(mut self) -> Result<(), Fault> {
        self.process.ended().map_or(Ok(()), |how| Err(format!("haproxy ended: {how}")))
    }
}
