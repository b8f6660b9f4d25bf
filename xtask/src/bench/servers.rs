//! Server CPU: the reference's load against a loop that does nothing, Kamailio, and ours, which take turns.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::table::table;
use super::{Report, Wish, build, machine, median, output};
use crate::project::Project;

/// A kind of server and load.
#[derive(Debug)]
struct Kind {
    /// Under which `--kind` and `serve.sh` know it.
    name: &'static str,
    /// The kind that the reference's load and servers have for it.
    load: &'static str,
    /// What a call is.
    call: &'static str,
    /// The reference's `floor.c` can stand in; else ours does.
    floor: bool,
}

const KINDS: &[Kind] = &[
    Kind { name: "options", load: "options", call: "OPTIONS, 200", floor: true },
    Kind { name: "register", load: "register", call: "REGISTER, 200; binding in memory", floor: true },
    Kind { name: "register-durable", load: "register", call: "the same, ours on the disk first", floor: true },
    Kind {
        name: "register-auth",
        load: "register-auth",
        call: "REGISTER, 401, REGISTER with digest, 200",
        floor: false,
    },
    Kind { name: "redirect", load: "redirect", call: "INVITE, 302, ACK", floor: false },
    Kind { name: "proxy", load: "proxy", call: "call through it: 13 messages", floor: false },
];

const SERVERS: &[&str] = &["bare", "kamailio", "ringback"];

/// In how many calls of a hundred one may fail or be sent again before a figure means nothing.
const TROUBLE_PERCENT_MAX: f64 = 1.0;

const LEGEND: &str = "\
Microseconds of CPU, user and system, that the server process takes for a call, at the same rate for all; median (lowest–highest).
bare      receives and sends the same datagrams and does nothing in between: for OPTIONS and REGISTER the reference's floor.c
kamailio  one worker, memory manager tlsf, all in memory
ringback  one shard
The servers take turns within each round, on a core of their own. Each call comes from a port of its own. Redirected users are looked up
by ringback among 1000 bindings; kamailio's answer is fixed. Compare within one table only: CPU a call falls as the rate rises.
";

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

pub(super) fn knows(name: &str) -> bool {
    names().any(|known| known == name)
}

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    pub(super) us_per_call: f64,
    pub(super) ok: f64,
    pub(super) failed: f64,
    pub(super) sent_again: f64,
}

struct Bench<'a> {
    project: &'a Project,
    reference: &'a Path,
    quick: bool,
    scratch: PathBuf,
    sipp: PathBuf,
}

pub(super) fn measure(project: &Project, reference: &Path, wish: &Wish) -> Result<Report, String> {
    let mut report = Report::default();
    for (program, package) in [("sipp", "sip-tester"), ("python3", "python3"), ("taskset", "util-linux")] {
        if machine::find(program).is_none() {
            report.missing.push(format!("{program} (Debian: {package}): no server is measured"));
        }
    }
    let Some(sipp) = machine::find("sipp").filter(|_| report.missing.is_empty()) else { return Ok(report) };
    build(project, &["ringback-bench", "ringback-cli"], &[])?;
    let scratch = project.target().join("bench/servers");
    let bench = Bench { project, reference, quick: wish.quick, scratch, sipp };
    let servers = bench.servers(&mut report)?;
    let kinds: Vec<&Kind> =
        KINDS.iter().filter(|kind| wish.kinds.is_empty() || wish.kinds.iter().any(|name| name == kind.name)).collect();
    let mut samples: BTreeMap<(&str, &str), Vec<Sample>> = BTreeMap::new();
    for round in 0..wish.rounds {
        for kind in &kinds {
            // Back and forth, so that none has always the same one before it.
            let turns: Vec<&str> =
                if round % 2 == 0 { servers.clone() } else { servers.iter().rev().copied().collect() };
            for server in turns {
                eprintln!("server: round {} of {}, {}, {server}", round + 1, wish.rounds, kind.name);
                match bench.sample(kind, server) {
                    Ok(sample) => samples.entry((kind.name, server)).or_default().push(sample),
                    Err(fault) => report.faults.push(format!("{} {server}: {fault}", kind.name)),
                }
            }
        }
    }
    _ = fs::remove_dir_all(bench.scratch.join("tmp"));
    report.text = text(&kinds, &samples, &mut report.faults);
    report.faults.sort();
    report.faults.dedup();
    Ok(report)
}

impl Bench<'_> {
    /// Those that can run here; the bare loop is compiled.
    fn servers(&self, report: &mut Report) -> Result<Vec<&'static str>, String> {
        let tmp = self.scratch.join("tmp");
        fs::create_dir_all(&tmp).map_err(|error| format!("{}: {error}", tmp.display()))?;
        let mut servers = SERVERS.to_vec();
        if machine::find("kamailio").is_none() {
            report.missing.push("kamailio (Debian: kamailio kamailio-extra-modules): left out".to_owned());
            servers.retain(|server| *server != "kamailio");
        }
        let mut cc = Command::new("cc");
        cc.args(["-O2", "-o"]).arg(self.scratch.join("floor")).arg(self.reference.join("servers/floor.c"));
        if let Err(fault) = output(cc) {
            report.missing.push(format!("a C compiler (Debian: gcc libc6-dev): the bare loop is left out\n{fault}"));
            servers.retain(|server| *server != "bare");
        }
        Ok(servers)
    }

    /// What starts the server.
    fn start(&self, kind: &Kind, server: &str) -> String {
        let path = |path: PathBuf| format!("'{}'", path.display());
        match server {
            "bare" if kind.floor => path(self.scratch.join("floor")),
            "bare" => format!("{} {}", path(self.project.target().join("release/ringback-bench-bare")), kind.load),
            "kamailio" => format!("{} {}", path(self.reference.join("servers/kamailio.sh")), kind.load),
            _ => format!("{} {}", path(self.project.path("bench/serve.sh")), kind.name),
        }
    }

    /// Starts the server, loads it, and ends it.
    fn sample(&self, kind: &Kind, server: &str) -> Result<Sample, String> {
        let out = self.scratch.join("sample.json");
        _ = fs::remove_file(&out);
        let mut command = Command::new(self.reference.join("server.sh"));
        command
            .args([kind.load, &self.start(kind, server), "--name", server, "--rounds", "1", "--what", "cpu", "--out"])
            .arg(&out);
        if self.quick {
            command.args(["--calls", "500", "--rate", "500"]);
        }
        let own = self.project.path("bench/many-ports");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(own).chain(std::env::split_paths(&path)).chain([PathBuf::from("/usr/sbin")]);
        let path = std::env::join_paths(folders).map_err(|error| format!("PATH: {error}"))?;
        command.env("PATH", path).env("SIPP", &self.sipp).env("TMPDIR", self.scratch.join("tmp"));
        command.env("RINGBACK", self.project.target().join("release/ringback"));
        command.env("WORKERS", "1").env("ALLOC", "tlsf");
        if let Some(references) = self.reference.parent() {
            command.env("RINGBACK_REFERENCES", references);
        }
        output(command)?;
        let text = fs::read_to_string(&out).map_err(|error| format!("{}: {error}", out.display()))?;
        Sample::read(&text).ok_or_else(|| format!("no figures in {text}"))
    }
}

impl Sample {
    pub(super) fn read(json: &str) -> Option<Sample> {
        let number = |name: &str| figure(json, name);
        Some(Sample {
            us_per_call: number("us_per_call")?,
            ok: number("ok")?,
            failed: number("failed")?,
            sent_again: number("retrans")?,
        })
    }

    /// Too many calls went wrong.
    pub(super) fn is_void(&self) -> bool {
        (self.failed + self.sent_again) * 100.0 > (self.ok + self.failed) * TROUBLE_PERCENT_MAX
    }
}

/// A number of a line of JSON.
pub(super) fn figure(json: &str, name: &str) -> Option<f64> {
    let (_, rest) = json.split_once(&format!("\"{name}\": "))?;
    rest.split([',', '}']).next()?.trim().parse().ok()
}

fn text(kinds: &[&Kind], samples: &BTreeMap<(&str, &str), Vec<Sample>>, faults: &mut Vec<String>) -> String {
    let mut rows = Vec::new();
    for kind in kinds {
        let mut row = vec![kind.name.to_owned(), kind.call.to_owned()];
        let mut medians = Vec::new();
        for server in SERVERS {
            let all = samples.get(&(kind.name, *server)).map(Vec::as_slice).unwrap_or_default();
            let good: Vec<f64> =
                all.iter().filter(|sample| !sample.is_void()).map(|sample| sample.us_per_call).collect();
            for sample in all.iter().filter(|sample| sample.failed + sample.sent_again > 0.0) {
                let Sample { ok, failed, sent_again, .. } = sample;
                faults.push(format!(
                    "{} {server}: {failed} of {} calls failed, {sent_again} messages were sent again",
                    kind.name,
                    ok + failed
                ));
            }
            medians.push(median(&good));
            row.push(spread(&good));
        }
        let [bare, kamailio, ours] = medians.as_slice() else { continue };
        row.push(above(*bare, *kamailio, *ours));
        rows.push(row);
    }
    let head =
        ["kind", "call", "bare", "kamailio", "ringback", "(ringback − bare) / (kamailio − bare)"].map(str::to_owned);
    format!("# Server CPU\n\n{}\n{LEGEND}", table(&head, &rows))
}

pub(super) fn spread(values: &[f64]) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    median(values).map_or_else(|| "–".to_owned(), |median| format!("{median:.1} ({low:.1}–{high:.1})"))
}

/// What is spent above the bare loop, ours to Kamailio's.
fn above(bare: Option<f64>, kamailio: Option<f64>, ours: Option<f64>) -> String {
    match (bare, kamailio, ours) {
        (Some(bare), Some(kamailio), Some(ours)) if kamailio > bare => {
            format!("{:.2}", (ours - bare) / (kamailio - bare))
        }
        _ => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LINE: &str = "{\"kind\": \"options\", \"name\": \"x\", \"ok\": 990, \"failed\": 10, \"retrans\": 0, \"us_per_call\": 18.37, \"mem_after\": 7}\n";

    #[test]
    fn a_sample_is_read_and_too_many_failures_void_it() {
        let sample = Sample::read(LINE).unwrap();
        assert_eq!(sample, Sample { us_per_call: 18.37, ok: 990.0, failed: 10.0, sent_again: 0.0 });
        assert!(!sample.is_void());
        assert!(Sample { failed: 11.0, ..sample }.is_void());
        assert!(Sample::read("{}").is_none());
    }

    #[test]
    fn ratios_are_above_the_floor() {
        assert_eq!(above(Some(4.0), Some(6.0), Some(7.0)), "1.50");
        assert_eq!(above(Some(4.0), Some(4.0), Some(7.0)), "–");
        assert_eq!(above(None, Some(4.0), Some(7.0)), "–");
    }

    #[test]
    fn failures_are_told_and_void_figures_left_out() {
        let mut faults = Vec::new();
        let sample = Sample::read(LINE).unwrap();
        let void = Sample { failed: 900.0, ..sample };
        let kinds: Vec<&Kind> = KINDS.iter().take(1).collect();
        let samples = BTreeMap::from([(("options", "kamailio"), vec![sample]), (("options", "ringback"), vec![void])]);
        let text = text(&kinds, &samples, &mut faults);
        let row = text.lines().find(|line| line.starts_with("| options")).unwrap();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells.get(3..7).unwrap(), ["–", "18.4 (18.4–18.4)", "–", "–"]);
        assert_eq!(faults.len(), 2);
    }
}
