//! Small tools and libraries as peers: JAIN SIP and sipsak.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::leg::Transport;
use crate::peer::JAIN_SIP;
use crate::place::{Place, named};
use crate::probe::free_port;
use crate::process::{command, output};
use crate::server::Account;
use crate::sipp::Figures;
use crate::{Fault, doing};

/// The program that is compiled against JAIN SIP.
const REGISTER: &str = include_str!("../../peers/Register.java");
/// How long the compiler may take.
const COMPILE_MAX: Duration = Duration::from_secs(60);
/// How long one run of a tool may take.
const RUN_MAX: Duration = Duration::from_secs(30);

pub(super) fn jain(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    jain_by(Transport::Udp, place, figures)
}

pub(super) fn jain_tcp(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    jain_by(Transport::Tcp, place, figures)
}

fn jain_by(transport: Transport, place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let [alice, mallory] = named(["alice", "mallory"]);
    place.site.import(std::slice::from_ref(&alice))?;
    let server = place.site.start()?;
    let class = jain_sip(place)?;
    let began = Instant::now();
    let contact = format!("sip:alice@127.0.0.1:9;transport={}", transport.in_uri());
    let said = register_by_jain_sip(place, &class, &alice, transport, &contact)?;
    place.note(format!("REGISTER: {said}"));
    figures.one_call(began.elapsed().as_secs_f64());
    let guess = Account { name: alice.name, password: mallory.password };
    match register_by_jain_sip(place, &class, &guess, transport, &contact) {
        Ok(said) => return Err(format!("a wrong password registers: {said}")),
        Err(said) if said.matches("401 Unauthorized").count() == 2 => place.note("a wrong password: 401 twice"),
        Err(said) => return Err(said),
    }
    figures.one_call(0.0);
    server.stop()
}

/// Compiles the program and gives the folder of its classes.
fn jain_sip(place: &Place) -> Result<PathBuf, Fault> {
    let folder = place.folder.join("java");
    let source = folder.join("Register.java");
    doing(|| format!("creating {}", folder.display()), fs::create_dir_all(&folder))?;
    doing(|| format!("writing {}", source.display()), fs::write(&source, REGISTER))?;
    let mut compiler = command("javac");
    compiler.args(["-cp", JAIN_SIP, "-d"]).arg(&folder).arg(&source);
    let said = output(&mut compiler, COMPILE_MAX)?;
    if said.status.success() { Ok(folder) } else { Err(format!("javac: {}", last_of(&said.stderr))) }
}

/// Registers `account` at `contact`, and gives the responses that came.
fn register_by_jain_sip(
    place: &Place,
    class: &Path,
    account: &Account,
    transport: Transport,
    contact: &str,
) -> Result<String, Fault> {
    let mut java = command("java");
    java.arg("-cp").arg(format!("{}:{JAIN_SIP}", class.display())).arg("Register");
    java.args(["127.0.0.1", &place.site.address.port().to_string(), transport.in_uri()]);
    java.args([&account.name, &account.password, &free_port()?.to_string(), contact]).current_dir(class);
    let said = output(&mut java, RUN_MAX)?;
    let lines = String::from_utf8_lossy(&said.stdout).lines().collect::<Vec<_>>().join("; ");
    if said.status.success() {
        Ok(lines)
    } else {
        Err(format!("JAIN SIP: {}: {lines} {}", said.status, last_of(&said.stderr)))
    }
}

pub(super) fn sipsak(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    sipsak_by(Transport::Udp, place, figures)
}

pub(super) fn sipsak_tcp(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    sipsak_by(Transport::Tcp, place, figures)
}

fn sipsak_by(transport: Transport, place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let [alice, mallory] = named(["alice", "mallory"]);
    place.site.import(std::slice::from_ref(&alice))?;
    let server = place.site.start()?;
    let port = place.site.address.port().to_string();
    let ours = ["-E", transport.in_uri(), "-r", &port];
    // With a port in the URI it would take the last letter off.
    let register = |password| ["-U", "-u", "alice", "-a", password, "-C", "sip:alice@127.0.0.1:9", "-x", "60"];
    let alice_uri = ["-s", "sip:alice@127.0.0.1"];
    for (what, arguments, status) in [
        ("OPTIONS to the server", [&["-s", "sip:127.0.0.1"][..], &ours].concat(), 0),
        ("OPTIONS to a user, without credentials", [&alice_uri[..], &ours].concat(), 2),
        ("REGISTER", [&register(&alice.password)[..], &alice_uri, &ours].concat(), 0),
        ("REGISTER with a wrong password", [&register(&mallory.password)[..], &alice_uri, &ours].concat(), 2),
    ] {
        let began = Instant::now();
        let mut sipsak: Command = command("sipsak");
        let said = output(sipsak.arg("-vvv").args(arguments).current_dir(&place.folder), RUN_MAX)?;
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let mut responses: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("SIP/2.0 ")).collect();
        // It prints each when it comes, and the last once more at the end.
        responses.dedup();
        place.note(format!("{what}: {}; {}", responses.join(", "), said.status));
        if said.status.code() != Some(status) {
            let errors = last_of(&said.stderr);
            return Err(format!("{what}: {} and not {status}: {} {errors}", said.status, last_of(&said.stdout)));
        }
        figures.one_call(began.elapsed().as_secs_f64());
    }
    server.stop()
}

fn last_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().lines().last().unwrap_or_default().to_owned()
}
