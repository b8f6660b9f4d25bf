//! Kamailio: as a forking proxy, as an edge proxy before our registrar, as the registrar behind our edge proxies, and by WebSocket.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::probe::{free_port, free_ports, wait_for_options};
use crate::process::{Guarded, command, on_path};
use crate::{Fault, doing};

/// How long a start may take.
const START_MAX: Duration = Duration::from_secs(10);
const FORK: &str = include_str!("../peers/kamailio-fork.cfg");
const EDGE: &str = include_str!("../peers/kamailio-edge.cfg");
const ANSWERS: &str = include_str!("../peers/kamailio-answers.cfg");
const HOME: &str = include_str!("../peers/kamailio-home.cfg");
const WEBSOCKET: &str = include_str!("../peers/kamailio-websocket.cfg");

/// Kamailio at work. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Kamailio {
    pub(crate) address: SocketAddr,
    process: Guarded,
    log: PathBuf,
}

impl Kamailio {
    /// Starts a forking proxy below `folder`, by UDP, and waits until it answers.
    ///
    /// # Errors
    /// When it ends or doesn't answer.
    pub(crate) fn start(folder: &Path) -> Result<Self, Fault> {
        Self::start_as(folder, "kamailio", FORK, &["udp"])
    }

    /// The same of an edge proxy, by UDP and by TCP, before this registrar.
    ///
    /// # Errors
    /// As [`Kamailio::start`].
    pub(crate) fn edge(folder: &Path, name: &str, registrar: SocketAddr) -> Result<Self, Fault> {
        Self::start_as(folder, name, &EDGE.replace("{registrar}", &registrar.to_string()), &["udp", "tcp"])
    }

    /// The same of a registrar that knows flows, by UDP.
    ///
    /// # Errors
    /// As [`Kamailio::start`].
    pub(crate) fn home(folder: &Path) -> Result<Self, Fault> {
        Self::start_as(folder, "kamailio", HOME, &["udp"])
    }

    /// The same of one that only answers, by UDP and TCP, and by TLS at the address that is given beside, where it shows this certificate.
    ///
    /// # Errors
    /// As [`Kamailio::start`].
    pub(crate) fn answering(folder: &Path, certificate: &str, key: &str) -> Result<(Self, SocketAddr), Fault> {
        let tls = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        certify(folder, certificate, key)?;
        let configuration = ANSWERS.replace("{tls}", &tls.to_string());
        Ok((Self::start_as(folder, "kamailio", &configuration, &["udp", "tcp"])?, tls))
    }

    /// The same of a registrar by WebSocket at the port behind that of UDP, and with TLS behind that, where it shows this certificate.
    ///
    /// # Errors
    /// As [`Kamailio::start`].
    pub(crate) fn by_websocket(folder: &Path, certificate: &str, key: &str) -> Result<Self, Fault> {
        certify(folder, certificate, key)?;
        let first = free_ports(4)?;
        let at = |transport: &str, port: u16| format!("{transport}:127.0.0.1:{port}");
        let listeners = [at("udp", first), at("tcp", first + 1), at("tls", first + 2)];
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, first));
        Self::start_at(folder, "kamailio", WEBSOCKET, address, &listeners)
    }

    fn start_as(folder: &Path, name: &str, configuration: &str, transports: &[&str]) -> Result<Self, Fault> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let listeners: Vec<String> = transports.iter().map(|transport| format!("{transport}:{address}")).collect();
        Self::start_at(folder, name, configuration, address, &listeners)
    }

    fn start_at(
        folder: &Path,
        name: &str,
        configuration: &str,
        address: SocketAddr,
        listeners: &[String],
    ) -> Result<Self, Fault> {
        let folder = folder.join(name);
        doing(|| format!("creating {}", folder.display()), fs::create_dir_all(&folder))?;
        let file = folder.join("kamailio.cfg");
        doing(|| format!("writing {}", file.display()), fs::write(&file, configuration))?;
        let log = folder.join("log");
        let errors = doing(|| format!("creating {}", log.display()), fs::File::create(&log))?;
        // It is at home where administrators are.
        let program = on_path("kamailio").unwrap_or_else(|| "/usr/sbin/kamailio".into());
        let mut kamailio = command(program);
        kamailio.arg("-f").arg(&file).args(["-DD", "-E", "-m", "64", "-M", "8"]);
        for listener in listeners {
            kamailio.args(["-l", listener]);
        }
        kamailio.arg("-Y").arg(&folder).arg("-P").arg(folder.join("pid")).current_dir(&folder);
        kamailio.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let mut process = Guarded::start(&mut kamailio)?;
        wait_for_options(address, START_MAX, || {
            process.ended().map(|how| format!("kamailio ended: {how}; see {}", log.display()))
        })?;
        Ok(Self { address, process, log })
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// It is still there.
    ///
    /// # Errors
    /// When it isn't.
    pub(crate) fn still_there(mut self) -> Result<(), Fault> {
        self.process.ended().map_or(Ok(()), |how| Err(format!("kamailio ended: {how}")))
    }
}

/// Puts a certificate and its key where the configuration names them.
fn certify(folder: &Path, certificate: &str, key: &str) -> Result<(), Fault> {
    let home = folder.join("kamailio");
    doing(|| format!("creating {}", home.display()), fs::create_dir_all(&home))?;
    for (name, text) in [("server.pem", certificate), ("server.key", key)] {
        doing(|| format!("writing {name}"), fs::write(home.join(name), text))?;
    }
    Ok(())
}
