//! One bounded run of SIPp, and its figures.

mod figures;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

pub use figures::Figures;

use crate::leg::{Leg, Transport};
use crate::process::{Guarded, command, wait};
use crate::server::Account;
use crate::{Fault, doing, probe};

/// SIPp waits this long for a message before it gives the call up: longer than any retransmission of its own.
const RECV_TIMEOUT: Duration = Duration::from_secs(12);
/// How long SIPp may take to open its socket.
const BIND_MAX: Duration = Duration::from_secs(10);
/// What SIPp gets on top of its own limit before it is killed: it doesn't always keep that one.
const OUTER_LIMIT: Duration = Duration::from_secs(15);
/// As many lines of SIPp's error log as a report shows.
const ERROR_LINES_MAX: usize = 12;
/// The socket's buffer: with a smaller one a SIPp that is kept waiting for its processor loses datagrams.
const BUFFER_BYTES: &str = "4000000";

/// Words that stand in scenarios where SIPp takes no keyword, and what becomes of them where a script says nothing else.
const WORDS: &[(&str, &str)] = &[
    // The server's address as this peer sees it, as a regular expression.
    ("SERVER_HOST", "127[.]0[.]0[.]1"),
    // The address of this peer itself.
    ("OWN_HOST", "127[.]0[.]0[.]1"),
    // The same as it stands in a Via's `received`, without brackets.
    ("RECEIVED", "127[.]0[.]0[.]1"),
    // The transport of whoever is on the server's other side.
    ("OTHER_TRANSPORT", "UDP"),
    // Whether there is a second Record-Route: `check_it`, or `check_it_inverse` where there must be none.
    ("SECOND_ROUTE", "check_it_inverse"),
];

/// What to run.
#[derive(Debug, Clone)]
pub struct Script {
    name: &'static str,
    scenario: &'static str,
    calls: u32,
    rate: u32,
    leg: Leg,
    local_port: u16,
    limit: Duration,
    recv_timeout: Duration,
    arguments: Vec<OsString>,
    words: BTreeMap<&'static str, String>,
    users: Vec<Account>,
}

impl Script {
    /// `calls` calls of the scenario `scenario` (an XML text), from or to `local_port`, by UDP on 127.0.0.1 unless
    /// [`Script::by`] says else. The run's files take `name`.
    #[must_use]
    pub fn new(name: &'static str, scenario: &'static str, local_port: u16, calls: u32) -> Self {
        Self {
            name,
            scenario,
            calls,
            rate: 100,
            leg: Leg::UDP,
            local_port,
            limit: Duration::from_secs(60),
            recv_timeout: RECV_TIMEOUT,
            arguments: Vec::new(),
            words: WORDS.iter().map(|(word, text)| (*word, (*text).to_owned())).collect(),
            users: Vec::new(),
        }
    }

    /// The caller's side: requests go to `server`.
    #[must_use]
    pub fn to(mut self, server: SocketAddr) -> Self {
        self.arguments.push(server.to_string().into());
        self
    }

    /// How this SIPp is tied to the server.
    #[must_use]
    pub fn by(mut self, leg: Leg) -> Self {
        self.leg = leg;
        let host = leg.host_pattern();
        self.with("SERVER_HOST", host).with("OWN_HOST", host).with("RECEIVED", leg.ip.to_string())
    }

    /// How the other side of its calls is: where its protocol or family is another one, or both have connections, the server stands
    /// in Record-Route once for each side.
    #[must_use]
    pub fn facing(mut self, other: Leg) -> Self {
        let crosses = self.leg.transport != other.transport || self.leg.ip != other.ip;
        // Each side's connection stands in a Record-Route of its own.
        let by_connections = [self.leg.transport, other.transport] == [Transport::Tcp; 2];
        if crosses || by_connections {
            self = self.with("SECOND_ROUTE", "check_it");
        }
        self.with("OTHER_TRANSPORT", other.transport.in_via())
    }

    /// New calls a second.
    #[must_use]
    pub fn rate(mut self, calls_per_second: u32) -> Self {
        self.rate = calls_per_second;
        self
    }

    /// So many calls at once: the next one waits for the end of another, and a slow machine makes fewer a second.
    #[must_use]
    pub fn at_once(mut self, calls: u32) -> Self {
        self.arguments.extend(["-l".into(), calls.to_string().into()]);
        self
    }

    /// The whole run takes no longer than this.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// How long it waits for a message.
    #[must_use]
    pub fn patience(mut self, recv_timeout: Duration) -> Self {
        self.recv_timeout = recv_timeout;
        self
    }

    /// How long a `<pause/>` of the scenario is.
    #[must_use]
    pub fn pause(mut self, pause: Duration) -> Self {
        self.arguments.extend(["-d".into(), pause.as_millis().to_string().into()]);
        self
    }

    /// What stands for `[keyword]` in the scenario.
    #[must_use]
    pub fn key(mut self, keyword: &str, value: impl Into<String>) -> Self {
        self.arguments.extend(["-key".into(), keyword.into(), value.into().into()]);
        self
    }

    /// The digest's uri, without its scheme. Left to itself, SIPp writes one without a user, and an IPv6 address without its
    /// brackets, so that it isn't the Request-URI.
    #[must_use]
    pub fn digest_uri(mut self, uri: &str) -> Self {
        self.arguments.extend(["-auth_uri".into(), uri.into()]);
        self
    }

    /// Whom the calls are for, as user@host:port: `[callee]`, and the digest's uri.
    #[must_use]
    pub fn callee(self, callee: &str) -> Self {
        self.digest_uri(callee).key("callee", callee)
    }

    /// Puts `text` in the place of `word` in the scenario, where SIPp takes no keyword.
    #[must_use]
    pub fn with(mut self, word: &'static str, text: impl Into<String>) -> Self {
        self.words.insert(word, text.into());
        self
    }

    /// The accounts that the calls use, in turn.
    #[must_use]
    pub fn users(mut self, users: &[Account]) -> Self {
        self.users = users.to_vec();
        self
    }

    /// Starts SIPp below `folder`.
    ///
    /// # Errors
    /// When a file can't be written or SIPp can't be started.
    pub fn start(self, folder: &Path) -> Result<Run, Fault> {
        let folder = unused_folder(folder, self.name);
        doing(|| format!("creating {}", folder.display()), fs::create_dir_all(&folder))?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            doing(|| format!("writing {}", path.display()), fs::write(&path, text))
        };
        write("scenario.xml", &self.text())?;
        if !self.users.is_empty() {
            write("users.csv", &users_file(&self.users))?;
        }
        let output =
            doing(|| format!("creating a file in {}", folder.display()), File::create(folder.join("screen.txt")))?;
        let mut command = command("sipp");
        command.current_dir(&folder).args(&self.arguments).args(self.options());
        command.stdin(Stdio::null()).stdout(output).stderr(Stdio::null());
        Ok(Run { process: Guarded::start(&mut command)?, began: Instant::now(), script: self, folder })
    }

    /// Runs SIPp to its end.
    ///
    /// # Errors
    /// As [`Script::start`] and [`Run::finish`].
    pub fn run(self, folder: &Path) -> Result<Figures, Fault> {
        self.start(folder)?.finish()
    }

    fn text(&self) -> String {
        self.words.iter().fold(self.scenario.to_owned(), |text, (word, becomes)| text.replace(word, becomes))
    }

    fn options(&self) -> Vec<String> {
        let mut options = Vec::new();
        let mut add = |words: &[&str]| options.extend(words.iter().map(|&word| word.to_owned()));
        add(&["-sf", "scenario.xml", "-t", self.leg.in_sipp(), "-i", &self.leg.ip.to_string(), "-bind_local"]);
        add(&["-p", &self.local_port.to_string(), "-nostdin", "-buff_size", BUFFER_BYTES]);
        if !self.users.is_empty() {
            add(&["-inf", "users.csv"]);
        }
        add(&["-m", &self.calls.to_string(), "-r", &self.rate.to_string()]);
        add(&["-timeout", &self.limit.as_secs().to_string(), "-timeout_error"]);
        add(&["-recv_timeout", &self.recv_timeout.as_millis().to_string()]);
        // Whatever the scenario doesn't expect fails the call, a ping too.
        add(&["-default_behaviors", "all,-pingreply"]);
        add(&["-trace_stat", "-stf", "statistics.csv", "-fd", "1", "-trace_err", "-error_file", "errors.log"]);
        add(&["-trace_shortmsg", "-shortmessage_file", "messages.tsv"]);
        options
    }
}

/// `NAME-1` below `parent`, or the first number that isn't taken: no run hides what an earlier one left.
fn unused_folder(parent: &Path, name: &str) -> PathBuf {
    let mut number = 1;
    loop {
        let folder = parent.join(format!("{name}-{number}"));
        if !folder.exists() {
            return folder;
        }
        number += 1;
    }
}

fn users_file(users: &[Account]) -> String {
    let mut text = String::from("SEQUENTIAL\n");
    for Account { name, password } in users {
        text.push_str(&format!("{name};[authentication username={name} password={password}]\n"));
    }
    text
}

/// A SIPp that runs. Dropped, it is killed.
#[derive(Debug)]
pub struct Run {
    process: Guarded,
    began: Instant,
    script: Script,
    folder: PathBuf,
}

impl Run {
    /// Waits until SIPp has bound its port.
    ///
    /// # Errors
    /// When it ended or didn't do so.
    pub fn wait_until_bound(&mut self) -> Result<(), Fault> {
        let Self { process, script, .. } = self;
        probe::wait_for_port(script.leg.transport, script.local_port, BIND_MAX, || {
            process.ended().map(|how| format!("{}: SIPp ended at once: {how}", script.name))
        })
    }

    /// Waits for the end, within the script's limit, and judges it.
    ///
    /// # Errors
    /// When SIPp had to be killed, or left no statistics.
    pub fn finish(self) -> Result<Figures, Fault> {
        let limit = self.script.limit + OUTER_LIMIT;
        self.finish_within(limit)
    }

    /// As [`Run::finish`], where there is a reason why the end must be near.
    ///
    /// # Errors
    /// As [`Run::finish`].
    pub fn finish_within(mut self, limit: Duration) -> Result<Figures, Fault> {
        let ended = wait(&mut self.process.child, limit)?;
        let seconds = self.began.elapsed().as_secs_f64();
        let Some(status) = ended else {
            return Err(format!("{}: SIPp didn't end and was killed", self.script.name));
        };
        let mut figures = Figures::read(&self.left("statistics.csv")?)
            .map_err(|fault| format!("{}: {fault}", self.folder.display()))?;
        figures.count_messages(&self.left("messages.tsv").unwrap_or_default());
        figures.seconds = seconds;
        if status.code() != Some(0) {
            figures.faults.push(format!("{}: SIPp: {status}", self.script.name));
        }
        if figures.succeeded != u64::from(self.script.calls) {
            figures
                .faults
                .push(format!("{}: {} of {} calls succeeded", self.script.name, figures.succeeded, self.script.calls));
        }
        if figures.unexpected > 0 {
            figures.faults.push(format!("{}: {} unexpected messages", self.script.name, figures.unexpected));
        }
        if !figures.faults.is_empty() {
            figures.faults.extend(self.error_log());
        }
        Ok(figures)
    }

    fn left(&self, name: &str) -> Result<String, Fault> {
        let path = self.folder.join(name);
        let bytes = doing(|| format!("reading {}", path.display()), fs::read(&path))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn error_log(&self) -> Vec<String> {
        let text = self.left("errors.log").unwrap_or_default();
        let mut lines: Vec<String> = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .take(ERROR_LINES_MAX)
            .map(|line| format!("  | {line}"))
            .collect();
        lines.push(format!("  see {}", self.folder.display()));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_file_is_what_sipp_reads() {
        let user = Account { name: "ann".to_owned(), password: "pw".to_owned() };
        assert_eq!(users_file(&[user]), "SEQUENTIAL\nann;[authentication username=ann password=pw]\n");
    }

    #[test]
    fn words_of_a_scenario_are_replaced() {
        let script = Script::new("x", "SERVER_HOST OTHER_TRANSPORT SECOND_ROUTE STATUS", 1, 1).with("STATUS", "486");
        assert_eq!(script.text(), "127[.]0[.]0[.]1 UDP check_it_inverse 486");
        let script = script.by(Leg::UDP6).facing(Leg::TCP);
        assert_eq!(script.text(), "[[]::1[]] TCP check_it 486");
    }
}
