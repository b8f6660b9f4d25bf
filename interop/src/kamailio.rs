//! Kamailio between agents of ours: as a forking proxy, and by WebSocket.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::probe::{free_port, free_ports, wait_for_options};
use crate::process::{Guarded, command, on_path};
use crate::{Fault, doing};

/// How long a start may take.
const START_MAX: Duration = Duration::from_secs(10);
const FORKING: &str = include_str!("../peers/kamailio-fork.cfg");
const WEBSOCKET: &str = include_str!("../peers/kamailio-websocket.cfg");

/// Kamailio at work, by UDP and perhaps by more. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Kamailio {
    pub(crate) address: SocketAddr,
    process: Guarded,
}

impl Kamailio {
    /// Starts one below `folder`, and waits until it answers.
    ///
    /// # Errors
    /// When it ends or doesn't answer.
    pub(crate) fn start(folder: &Path) -> Result<Self, Fault> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        Kamailio::start_with(folder, address, &[], &[("kamailio.cfg", FORKING)])
    }

    /// The same by WebSocket at the port behind that of UDP, and with TLS behind that, for which it shows this certificate.
    ///
    /// # Errors
    /// When it ends or doesn't answer.
    pub(crate) fn by_websocket(folder: &Path, certificate: &str, key: &str) -> Result<Self, Fault> {
        let first = free_ports(4)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, first));
        let files = [("kamailio.cfg", WEBSOCKET), ("certificate.pem", certificate), ("key.pem", key)];
        let listeners = [format!("tcp:127.0.0.1:{}", first + 1), format!("tls:127.0.0.1:{}", first + 2)];
        Kamailio::start_with(folder, address, &listeners, &files)
    }

    fn start_with(folder: &Path, address: SocketAddr, more: &[String], files: &[(&str, &str)]) -> Result<Self, Fault> {
        let folder = folder.join("kamailio");
        doing(|| format!("creating {}", folder.display()), fs::create_dir_all(&folder))?;
        for (name, text) in files {
            let file = folder.join(name);
            doing(|| format!("writing {}", file.display()), fs::write(&file, text))?;
        }
        let file = folder.join("kamailio.cfg");
        let log = folder.join("log");
        let errors = doing(|| format!("creating {}", log.display()), fs::File::create(&log))?;
        // It is at home where administrators are.
        let program = on_path("kamailio").unwrap_or_else(|| "/usr/sbin/kamailio".into());
        let mut kamailio = command(program);
        kamailio.arg("-f").arg(&file).args(["-DD", "-E", "-m", "64", "-M", "8", "-l", &format!("udp:{address}")]);
        more.iter().for_each(|listener| _ = kamailio.args(["-l", listener]));
        kamailio.arg("-Y").arg(&folder).arg("-P").arg(folder.join("pid")).current_dir(&folder);
        kamailio.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let mut process = Guarded::start(&mut kamailio)?;
        wait_for_options(address, START_MAX, || {
            process.ended().map(|how| format!("kamailio ended: {how}; see {}", log.display()))
        })?;
        Ok(Self { address, process })
    }

    /// It is still there.
    ///
    /// # Errors
    /// When it isn't.
    pub(crate) fn still_there(mut self) -> Result<(), Fault> {
        self.process.ended().map_or(Ok(()), |how| Err(format!("kamailio ended: {how}")))
    }
}
