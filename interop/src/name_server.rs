//! A name server: NSD with one zone.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::probe::free_port;
use crate::process::{Guarded, POLL, command};
use crate::{Fault, doing};

/// The domain of its zone.
pub(crate) const DOMAIN: &str = "interop.test";

/// How long a start may take.
const START_MAX: Duration = Duration::from_secs(10);

const CONFIGURATION: &str = "\
server:
    ip-address: 127.0.0.1@PORT
    server-count: 1
    username: \"\"
    chroot: \"\"
    zonesdir: \".\"
    database: \"\"
    pidfile: \"\"
    xfrdfile: \"\"
    xfrdir: \".\"
    zonelistfile: \"zone.list\"
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: \"interop.test\"
    zonefile: \"zone\"
";

/// What every zone begins with.
const ZONE: &str = "\
$ORIGIN interop.test.
$TTL 60
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ IN NS ns
ns IN A 127.0.0.1
";

/// NSD at work. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    _process: Guarded,
}

impl NameServer {
    /// Starts one below `folder` with these records of [`DOMAIN`], and waits until it answers.
    pub(crate) fn start(folder: &Path, records: &str) -> Result<NameServer, Fault> {
        let folder = folder.join("nsd");
        doing(|| format!("creating {}", folder.display()), fs::create_dir_all(&folder))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            doing(|| format!("writing {}", path.display()), fs::write(&path, text))
        };
        write("nsd.conf", &CONFIGURATION.replace("PORT", &address.port().to_string()))?;
        write("zone", &[ZONE, records].concat())?;
        let log = folder.join("nsd.log");
        let log = doing(|| format!("creating {}", log.display()), fs::File::create(&log))?;
        // It is at home where administrators are.
        let program = crate::process::on_path("nsd").unwrap_or_else(|| "/usr/sbin/nsd".into());
        let mut nsd = command(program);
        nsd.args(["-d", "-c", "nsd.conf"]).current_dir(&folder);
        nsd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut process = Guarded::start(&mut nsd)?;
        let began = Instant::now();
        while !answers(address) {
            if let Some(status) = process.ended() {
                return Err(format!("nsd ended: {status}; see {}", folder.join("nsd.log").display()));
            }
            if began.elapsed() > START_MAX {
                return Err(format!("nsd does not answer at {address}; see {}", folder.join("nsd.log").display()));
            }
            std::thread::sleep(POLL);
        }
        Ok(NameServer { address, _process: process })
    }
}

/// Whether it answers the question for its SOA record.
fn answers(server: SocketAddr) -> bool {
    let mut question = vec![0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in DOMAIN.split('.') {
        question.push(u8::try_from(label.len()).unwrap_or(0));
        question.extend(label.as_bytes());
    }
    question.extend([0, 0, 6, 0, 1]);
    let asked = || {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        socket.connect(server)?;
        socket.send(&question)?;
        let mut answer = [0; 512];
        socket.recv(&mut answer)?;
        // No error, and an answer.
        Ok::<bool, std::io::Error>(answer.get(3).is_some_and(|flags| flags & 15 == 0) && answer.get(7) == Some(&1))
    };
    asked().unwrap_or(false)
}
