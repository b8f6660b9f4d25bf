//! Targets by name, with a name server that others wrote.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Fault;
use crate::name_server::{DOMAIN, NameServer};
use crate::peer::references;
use crate::place::{Place, accounts, count, finish, named};
use crate::probe::free_port;
use crate::process::{Guarded, POLL, command, output};
use crate::scenario::{CALL, CALLEE, CALLEE_BUSY, REGISTER};
use crate::sipp::{Figures, Script};

/// Calls of each kind.
const CALLS: usize = 50;

/// How long a walk may take: each of its steps two tries.
const WALK_MAX: Duration = Duration::from_secs(30);

/// NAPTR leads to two hosts. The first is dead, then it says 503; the calls go to the second.
pub(super) fn failover(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let (first, second) = (free_port()?, place.callee_port);
    let records = format!(
        "@ IN NAPTR 10 10 \"s\" \"SIP+D2U\" \"\" _sip._udp\n_sip._udp IN SRV 10 0 {first} one\n\
         _sip._udp IN SRV 20 0 {second} two\none IN A 127.0.0.1\ntwo IN A 127.0.0.1\n"
    );
    let names = NameServer::start(&place.folder, &records)?;
    // Nothing is put last for longer than a moment, so that each call begins with the first host.
    place.site.configuration = Some(format!(
        "[domain]\nalgorithms = [\"MD5\"]\n[dns]\nservers = [\"{}\"]\nfailed_target_secs = 0\n",
        names.address
    ));
    let [callee] = named(["callee"]);
    let callers = accounts(CALLS);
    let calls = count(&callers);
    place.site.import(&[&callers[..], std::slice::from_ref(&callee)].concat())?;
    let server = place.site.start()?;
    let register = place.script("register", REGISTER, std::slice::from_ref(&callee))?;
    let register = register.digest_uri(&place.site.address.to_string()).key("contact_parameters", "");
    let register = register.with("[local_ip]:[contact_port];transport=[transport]", DOMAIN).with("OWN_HOST", DOMAIN);
    figures.beside(register.with(":[0-9]+[^&gt;]*&gt;", "&gt;").run(&place.folder)?);
    let walk = walk(place, names.address, &format!("sip:{DOMAIN}"))?;
    let targets: Vec<String> = targets(&walk);
    if targets != [format!("UDP 127.0.0.1:{first}"), format!("UDP 127.0.0.1:{second}")] {
        return Err(format!("ringback dns found {targets:?}"));
    }

    for (how, answers) in [("a dead host", false), ("a host that says 503", true)] {
        let refusing =
            Script::new("refuses", CALLEE_BUSY, first, calls).with("486 Busy Here", "503 Service Unavailable");
        let refusing = if answers { Some(place.answering(refusing)?) } else { None };
        let began = Instant::now();
        place.call(figures, CALLEE, calls, |figures| {
            let script = place.script("call", CALL, &callers)?;
            let calling = script.callee(&place.address_of(&callee.name)).run(&place.folder)?;
            let (rings, oks) = (calling.received("180 INVITE"), calling.received("200 INVITE"));
            figures.then(calling);
            let wanted = u64::from(calls);
            if (rings, oks) == (wanted, wanted) {
                Ok(())
            } else {
                Err(format!("{calls} calls rang {rings} times and were answered {oks} times"))
            }
        })?;
        let seconds = began.elapsed().as_secs_f64();
        if let Some(refusing) = refusing {
            let refused = finish(refusing)?;
            let invites = refused.received("INVITE");
            figures.beside(refused);
            if invites != u64::from(calls) {
                return Err(format!("{invites} of {calls} INVITEs came to the first host"));
            }
        }
        place.note(format!("{calls} calls past {how} in {seconds:.1} s"));
    }
    server.stop()
}

/// What fails in each way that a name server can fail: the walk ends, in time, with what there is.
pub(super) fn faults(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let records = "host IN A 127.0.0.9\nmany IN A 127.0.0.1\n_sip._udp.dot IN SRV 0 0 0 .\nloop IN CNAME loop2\nloop2 IN CNAME loop\n\
                   alias IN CNAME host\n";
    let many: String = (2..=60).map(|n| format!("many IN A 127.0.0.{n}\n")).collect();
    let names = NameServer::start(&place.folder, &[records, &many].concat())?;
    let faulty = Faulty::start(place, names.address)?;
    let host = ["UDP 127.0.0.9:5060"];
    for (name, wanted) in [
        ("host", &host[..]),
        ("alias", &host),
        ("flaky1.host", &host),
        ("delay300.host", &host),
        ("trunc.host", &host),
        ("nxdomain.host", &[]),
        ("servfail.host", &[]),
        ("refused.host", &[]),
        ("formerr.host", &[]),
        ("drop.host", &[]),
        ("wrongid.host", &[]),
        ("loop", &[]),
        ("dot", &[]),
        ("nobody", &[]),
    ] {
        let began = Instant::now();
        let found = walk(place, faulty.address, &format!("sip:{name}.{DOMAIN}"))?;
        let (targets, seconds) = (targets(&found), began.elapsed().as_secs_f64());
        if targets != wanted {
            return Err(format!("{name}: {targets:?} after {seconds:.1} s, not {wanted:?}: {found}"));
        }
        place.note(format!("{name}: {} target(s) in {seconds:.1} s", targets.len()));
        figures.one_call(seconds);
    }
    let many = targets(&walk(place, faulty.address, &format!("sip:many.{DOMAIN}:5060"))?);
    if many.len() != 8 {
        return Err(format!("60 addresses: {} are tried", many.len()));
    }
    Ok(())
}

/// What `ringback dns` finds with this name server.
fn walk(place: &Place, server: SocketAddr, uri: &str) -> Result<Value, Fault> {
    let mut dns = Command::new(place.site.program());
    dns.args(["dns", uri, "--json", "--ipv4", "--transports", "udp,tcp", "--server", &server.to_string()]);
    let said = output(&mut dns, WALK_MAX)?;
    serde_json::from_slice(&said.stdout).map_err(|error| {
        format!("ringback dns {uri}: {}, {error}: {}", said.status, String::from_utf8_lossy(&said.stderr).trim())
    })
}

fn targets(walk: &Value) -> Vec<String> {
    let text = |target: &Value, key: &str| target.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let port = |target: &Value| target.get("port").and_then(Value::as_u64).unwrap_or_default();
    let all = walk.get("targets").and_then(Value::as_array).cloned().unwrap_or_default();
    all.iter().map(|t| format!("{} {}:{}", text(t, "transport"), text(t, "address"), port(t))).collect()
}

/// A forwarder that fails as the first label of a name says, of the reference material.
struct Faulty {
    address: SocketAddr,
    _process: Guarded,
}

impl Faulty {
    fn start(place: &Place, names: SocketAddr) -> Result<Faulty, Fault> {
        let program: PathBuf = references()?.join("peers/testbed/dns/faultdns.py");
        let address = SocketAddr::new(names.ip(), free_port()?);
        let mut python = command("python3");
        python.arg(program).args([address.port().to_string(), names.port().to_string()]);
        python.current_dir(&place.folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Guarded::start(&mut python)?;
        let began = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            if process.ended().is_some() || began.elapsed() > WALK_MAX {
                return Err("faultdns.py does not start".to_owned());
            }
            std::thread::sleep(POLL);
        }
        Ok(Faulty { address, _process: process })
    }
}
