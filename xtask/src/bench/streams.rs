//! Server CPU and memory over TCP, TLS and WebSocket: a load of our own against Kamailio and ours, which take turns.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::servers::{Sample, figure, spread};
use super::table::{ratio, table, whole};
use super::{Report, Wish, machine, median, output};
use crate::project::Project;

/// A kind of load.
#[derive(Debug)]
struct Kind {
    /// Under which `--kind` knows it.
    name: &'static str,
    what: What,
    transport: &'static str,
    /// What a call is.
    call: &'static str,
}

/// What `ringback-bench-streams` is to do, or SIPp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Options {
        connections: u32,
    },
    Call,
    /// SIPp's OPTIONS over one connection, to be held against ours over one.
    Sipp,
    Full,
    Resumed,
    Idle,
}

const ONE: What = What::Options { connections: 1 };
const MANY: What = What::Options { connections: 100 };

const KINDS: &[Kind] = &[
    Kind { name: "options-tcp", what: MANY, transport: "tcp", call: "OPTIONS, 200; 100 connections" },
    Kind { name: "options-tls", what: MANY, transport: "tls", call: "the same" },
    Kind { name: "options-ws", what: MANY, transport: "ws", call: "the same" },
    Kind { name: "options-wss", what: MANY, transport: "wss", call: "the same" },
    Kind { name: "options-tcp-one", what: ONE, transport: "tcp", call: "OPTIONS, 200; one connection" },
    Kind { name: "options-tcp-sipp", what: What::Sipp, transport: "tcp", call: "the same, loaded by SIPp" },
    Kind { name: "call-tcp", what: What::Call, transport: "tcp", call: "call through it: 13 messages; 100 pairs" },
    Kind { name: "call-tls", what: What::Call, transport: "tls", call: "the same" },
    Kind { name: "call-ws", what: What::Call, transport: "ws", call: "the same" },
    Kind { name: "call-wss", what: What::Call, transport: "wss", call: "the same" },
    Kind { name: "open-tcp", what: What::Full, transport: "tcp", call: "connection, OPTIONS, 200, closed" },
    Kind { name: "open-tls", what: What::Full, transport: "tls", call: "the same, full handshake" },
    Kind { name: "open-tls-resumed", what: What::Resumed, transport: "tls", call: "the same, resumed" },
    Kind { name: "idle-tcp", what: What::Idle, transport: "tcp", call: "silent connection" },
    Kind { name: "idle-tls", what: What::Idle, transport: "tls", call: "the same" },
    Kind { name: "idle-ws", what: What::Idle, transport: "ws", call: "the same" },
];

const SERVERS: &[&str] = &["kamailio", "ringback"];

/// Where the servers listen: UDP and TCP here, TLS, WebSocket and secure WebSocket at the ports behind.
const PORT: u16 = 15_060;
/// How long a server may take to start, and to end.
const START_MAX: Duration = Duration::from_secs(15);
/// How many silent connections are held.
const IDLE_CONNECTIONS: u32 = 10_000;
/// How much of its rate a load must keep, or its figure means nothing.
const KEPT_MIN: f64 = 0.9;

const CPU_LEGEND: &str = "\
Microseconds of CPU, user and system, that the server and its children take for a call, at the same rate for all; median (lowest–highest).
kamailio  one worker for UDP and one for TCP, beside the processes that it always has; memory manager tlsf, all in memory
ringback  one shard, all in memory
TLS 1.3 with AES-128-GCM, X25519 and ECDSA P-256 for both; the load leaves no choice. The servers take turns within each round, on a core
of their own. Compare within one table only: CPU a call falls as the rate rises.
";

const IDLE_LEGEND: &str = "\
Bytes by which the server and its children have grown for each of the connections, which come from many addresses and have each asked
OPTIONS once (proportional set size; pages that processes share count once): after a silence of 10 s, after all have been asked once
more, and after all were closed. Buffers of the kernel are not in it.
";

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

pub(super) fn knows(name: &str) -> bool {
    names().any(|known| known == name)
}

/// What the load has printed, once.
#[derive(Debug, Clone, Copy)]
enum Figure {
    Cpu(Sample),
    Idle { connections: f64, answered: f64, bytes: [f64; 3] },
}

type Figures = BTreeMap<(&'static str, &'static str), Vec<Figure>>;

pub(super) fn measure(project: &Project, wish: &Wish) -> Result<Report, String> {
    let mut report = Report::default();
    if machine::find("taskset").is_none() {
        report.missing.push("taskset (Debian: util-linux): no server is measured over connections".to_owned());
        return Ok(report);
    }
    // The same packages as for the other tables, so that nothing is compiled twice; but no more of them than is needed.
    let mut programs = project.cargo();
    programs.args(["build", "--release", "-p", "ringback-bench", "-p", "ringback-cli"]);
    programs.args(["--bin", "ringback", "--bin", "ringback-bench-streams"]);
    output(programs)?;
    let bench = Bench::new(project, wish.quick)?;
    let mut servers = SERVERS.to_vec();
    let is_there = |module: &&str| MODULES.iter().any(|folder| Path::new(folder).join(module).is_file());
    if machine::find("kamailio").is_none() || !["tls.so", "websocket.so"].iter().all(is_there) {
        let packages = "kamailio kamailio-extra-modules kamailio-tls-modules kamailio-websocket-modules";
        report.missing.push(format!("kamailio, or its modules (Debian: {packages}): left out over connections"));
        servers.retain(|server| *server != "kamailio");
    }
    let has_sipp = machine::find("sipp").is_some() && super::reference(project).is_ok();
    let is_wished = |kind: &&Kind| wish.kinds.is_empty() || wish.kinds.iter().any(|name| name == kind.name);
    let kinds: Vec<&Kind> = KINDS.iter().filter(is_wished).filter(|kind| kind.what != What::Sipp || has_sipp).collect();
    let mut figures = Figures::new();
    for round in 0..wish.rounds {
        for kind in &kinds {
            let turns: Vec<&'static str> =
                if round % 2 == 0 { servers.clone() } else { servers.iter().rev().copied().collect() };
            for server in turns {
                eprintln!("streams: round {} of {}, {}, {server}", round + 1, wish.rounds, kind.name);
                match bench.figure(kind, server) {
                    Ok(figure) => figures.entry((kind.name, server)).or_default().push(figure),
                    Err(fault) => report.faults.push(format!("{} {server}: {fault}", kind.name)),
                }
            }
        }
    }
    report.text = text(&kinds, &figures, &mut report.faults);
    report.faults.sort();
    report.faults.dedup();
    Ok(report)
}

/// Where Debian puts Kamailio's modules.
const MODULES: &[&str] = &["/usr/lib/x86_64-linux-gnu/kamailio/modules", "/usr/lib/aarch64-linux-gnu/kamailio/modules"];

struct Bench<'a> {
    project: &'a Project,
    quick: bool,
    scratch: PathBuf,
}

/// A server that runs; dropped, it is ended.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It ends by itself at SIGTERM, and takes its children along.
        _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let began = Instant::now();
        while began.elapsed() < START_MAX && matches!(self.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

impl Bench<'_> {
    fn new(project: &Project, quick: bool) -> Result<Bench<'_>, String> {
        let scratch = project.target().join("bench/streams");
        _ = fs::remove_dir_all(&scratch);
        fs::create_dir_all(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
        let bench = Bench { project, quick, scratch };
        let mut certificates = bench.load();
        certificates.arg("certificates").arg(&bench.scratch);
        output(certificates)?;
        for name in ["streams.toml", "streams.cfg"] {
            let mut text = project.text(&format!("bench/serve/{name}"))?;
            for (word, port) in
                [("@PORT@", PORT), ("@TLS_PORT@", PORT + 1), ("@WS_PORT@", PORT + 2), ("@WSS_PORT@", PORT + 3)]
            {
                text = text.replace(word, &port.to_string());
            }
            let text = text.replace("@FOLDER@", &bench.scratch.display().to_string());
            fs::write(bench.scratch.join(name), text).map_err(|error| format!("{name}: {error}"))?;
        }
        Ok(bench)
    }

    fn load(&self) -> Command {
        Command::new(self.project.target().join("release/ringback-bench-streams"))
    }

    fn start(&self, server: &str) -> Result<Server, String> {
        for port in PORT..PORT + 4 {
            // What another run has left there would be measured instead.
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| format!("port {port}: {error}"))?;
        }
        let data = self.scratch.join("data");
        _ = fs::remove_dir_all(&data);
        let log = self.scratch.join(format!("{server}.log"));
        let log = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let errors = log.try_clone().map_err(|error| error.to_string())?;
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]);
        if server == "kamailio" {
            let run = self.scratch.join("run");
            fs::create_dir_all(&run).map_err(|error| format!("{}: {error}", run.display()))?;
            let program = machine::find("kamailio").ok_or("no kamailio")?;
            command.arg(program).args(["-x", "tlsf", "-X", "tlsf", "-DD", "-E", "-m", "2048", "-M", "16", "-f"]);
            command.arg(self.scratch.join("streams.cfg")).arg("-Y").arg(&run).arg("-P").arg(run.join("pid"));
        } else {
            command.arg(self.project.target().join("release/ringback")).args(["serve", "--shards", "1"]);
            command.args(["--durability", "none", "--log-level", "error", "--config"]);
            command.arg(self.scratch.join("streams.toml")).arg("--data").arg(data);
        }
        let started = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        let mut server = Server(started.map_err(|error| format!("{server}: {error}"))?);
        let began = Instant::now();
        for port in PORT..PORT + 4 {
            while TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).is_err() {
                if began.elapsed() > START_MAX || !matches!(server.0.try_wait(), Ok(None)) {
                    return Err(format!("it doesn't listen at port {port}; see {}", self.scratch.display()));
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        std::thread::sleep(Duration::from_millis(500));
        Ok(server)
    }

    /// Starts the server, loads it, and ends it.
    fn figure(&self, kind: &Kind, server: &str) -> Result<Figure, String> {
        let running = self.start(server)?;
        let port = PORT
            + ["tcp", "tls", "ws", "wss"]
                .iter()
                .zip(0..)
                .find(|(name, _)| **name == kind.transport)
                .map_or(0, |(_, at)| at);
        let (what, figures) = self.wanted(kind.what);
        let mut load = Command::new("taskset");
        load.args(["-c", "1"]).arg(self.load().get_program()).args([what, kind.transport]);
        load.arg(format!("127.0.0.1:{port}")).arg(self.scratch.join("root.pem")).arg(running.0.id().to_string());
        load.args(figures.iter().map(u32::to_string));
        if kind.what == What::Sipp {
            let reference = super::reference(self.project)?;
            load.arg(reference.join("scenarios/options.xml")).current_dir(&self.scratch);
        }
        let said = output(load)?;
        let line = said.lines().last().unwrap_or_default();
        if kind.what == What::Idle { idle(line) } else { cpu(line) }.ok_or_else(|| format!("no figures in {line:?}"))
    }

    /// What the load is told.
    fn wanted(&self, what: What) -> (&'static str, Vec<u32>) {
        let short = |count: u32| if self.quick { count / 40 } else { count };
        match what {
            What::Options { connections } => ("options", vec![connections, 4_000, short(40_000), short(4_000)]),
            What::Sipp => ("sipp", vec![4_000, short(40_000), short(4_000)]),
            What::Call => ("call", vec![100, 1_000, short(10_000), short(1_000)]),
            What::Full => ("full", vec![200, short(2_000), short(200)]),
            What::Resumed => ("resumed", vec![200, short(2_000), short(200)]),
            What::Idle => ("idle", vec![short(IDLE_CONNECTIONS), if self.quick { 1 } else { 10 }]),
        }
    }
}

fn cpu(line: &str) -> Option<Figure> {
    let sample = Sample::read(line)?;
    // A load that can't keep up is one that failed.
    let kept = figure(line, "kept")?;
    Some(Figure::Cpu(if kept < KEPT_MIN { Sample { failed: sample.ok, ok: 0.0, ..sample } } else { sample }))
}

fn idle(line: &str) -> Option<Figure> {
    let number = |name: &str| figure(line, name);
    let (answered, failed) = (number("ok")?, number("failed")?);
    let bytes = [number("bytes_each")?, number("bytes_each_after")?, number("bytes_each_closed")?];
    Some(Figure::Idle { connections: answered + failed, answered, bytes })
}

fn text(kinds: &[&Kind], figures: &Figures, faults: &mut Vec<String>) -> String {
    let mut text = String::new();
    let (idle, cpu): (Vec<&Kind>, Vec<&Kind>) = kinds.iter().partition(|kind| kind.what == What::Idle);
    if !cpu.is_empty() {
        let head = ["kind", "call", "kamailio", "ringback", "ringback / kamailio"].map(str::to_owned);
        let rows: Vec<Vec<String>> = cpu.iter().map(|kind| cpu_row(kind, figures, faults)).collect();
        text.push_str(&format!("# Server CPU over connections\n\n{}\n{CPU_LEGEND}\n", table(&head, &rows)));
    }
    if !idle.is_empty() {
        let head = ["kind", "server", "held", "answered", "bytes each", "asked again", "closed"].map(str::to_owned);
        let rows: Vec<Vec<String>> = idle.iter().flat_map(|kind| idle_rows(kind, figures, faults)).collect();
        text.push_str(&format!("# Silent connections\n\n{}\n{IDLE_LEGEND}", table(&head, &rows)));
    }
    text
}

fn cpu_row(kind: &Kind, figures: &Figures, faults: &mut Vec<String>) -> Vec<String> {
    let mut row = vec![kind.name.to_owned(), kind.call.to_owned()];
    let mut medians = Vec::new();
    for server in SERVERS {
        let all = figures.get(&(kind.name, *server)).map(Vec::as_slice).unwrap_or_default();
        let mut good = Vec::new();
        for figure in all {
            let Figure::Cpu(sample) = figure else { continue };
            if !sample.is_void() {
                good.push(sample.us_per_call);
            }
            if sample.failed > 0.0 {
                let all = sample.ok + sample.failed;
                faults
                    .push(format!("{} {server}: {} of {all} calls failed, or came too late", kind.name, sample.failed));
            }
        }
        medians.push(median(&good));
        row.push(spread(&good));
    }
    row.push(ratio(medians.get(1).copied().flatten(), medians.first().copied().flatten()));
    row
}

fn idle_rows(kind: &Kind, figures: &Figures, faults: &mut Vec<String>) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for server in SERVERS {
        // One round is as good as the next; the last one is shown.
        let last = figures.get(&(kind.name, *server)).and_then(|figures| figures.last());
        let Some(Figure::Idle { connections, answered, bytes }) = last else { continue };
        if answered < connections {
            faults.push(format!("{} {server}: {answered} of {connections} connections answered", kind.name));
        }
        let mut row =
            vec![kind.name.to_owned(), (*server).to_owned(), whole(Some(*connections)), whole(Some(*answered))];
        row.extend(bytes.iter().map(|bytes| whole(Some(*bytes))));
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LINE: &str = "{\"ok\": 990, \"failed\": 10, \"retrans\": 0, \"kept\": 0.990, \"us_per_call\": 18.37, \"load_us_per_call\": 9.00}";

    #[test]
    fn a_load_that_falls_behind_gives_no_figure() {
        let mut faults = Vec::new();
        let late = cpu(&LINE.replace("0.990", "0.8")).unwrap();
        let kinds: Vec<&Kind> = KINDS.iter().take(1).collect();
        let figures = Figures::from([
            (("options-tcp", "kamailio"), vec![cpu(LINE).unwrap()]),
            (("options-tcp", "ringback"), vec![late]),
        ]);
        let text = text(&kinds, &figures, &mut faults);
        let row = text.lines().find(|line| line.starts_with("| options-tcp")).unwrap();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells.get(3..6).unwrap(), ["18.4 (18.4–18.4)", "–", "–"]);
        assert_eq!(faults.len(), 2);
    }

    #[test]
    fn silent_connections_that_do_not_answer_are_told() {
        let line =
            "{\"ok\": 9, \"failed\": 1, \"bytes_each\": 5000, \"bytes_each_after\": 5100, \"bytes_each_closed\": 7}";
        let kinds: Vec<&Kind> = KINDS.iter().filter(|kind| kind.name == "idle-tcp").collect();
        let figures = Figures::from([(("idle-tcp", "ringback"), vec![idle(line).unwrap()])]);
        let mut faults = Vec::new();
        let text = text(&kinds, &figures, &mut faults);
        assert!(text.contains("|   10 |        9 |"), "{text}");
        assert_eq!(faults, ["idle-tcp ringback: 9 of 10 connections answered"]);
    }
}
