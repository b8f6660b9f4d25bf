//! baresip, driven by its module `ctrl_tcp`: commands and events as JSON in netstrings over TCP.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{PHONE, STEP_MAX, Setup, until};
use crate::leg::Transport;
use crate::process::{Guarded, command, wait};
use crate::{Fault, doing, probe, tone};

/// The largest netstring that is read; a list of calls is far smaller.
const ANSWER_MAX_BYTES: u64 = 1 << 20;
/// Where Debian puts them.
const MODULES: &str = "/usr/lib/baresip/modules";
/// Ports for RTP and RTCP.
const RTP_PORTS: u16 = 20;

/// A phone that runs. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Baresip {
    name: String,
    process: Guarded,
    folder: PathBuf,
    address: SocketAddr,
    control: TcpStream,
    inbox: Arc<Inbox>,
}

/// By which proxies a phone reaches its domain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Through<'a> {
    pub(crate) domain: &'a str,
    /// By TLS, the port behind.
    pub(crate) proxies: &'a [SocketAddr],
    /// Whether it registers a flow through each of them. `[RFC 5626, Section 4.2]`
    pub(crate) is_outbound: bool,
}

/// What came from the phone and wasn't taken yet.
#[derive(Debug, Default)]
struct Inbox {
    messages: Mutex<Vec<Value>>,
    changed: Condvar,
}

impl Baresip {
    /// Starts the phone in a folder below `parent`.
    ///
    /// # Errors
    /// When it doesn't start, or can't be controlled.
    pub(crate) fn start(parent: &Path, setup: &Setup<'_>) -> Result<Self, Fault> {
        Self::start_at(Ipv4Addr::LOCALHOST, parent, setup)
    }

    /// The same at another address of this machine.
    ///
    /// # Errors
    /// As [`Baresip::start`].
    pub(crate) fn start_at(ip: Ipv4Addr, parent: &Path, setup: &Setup<'_>) -> Result<Self, Fault> {
        Self::start_as(ip, parent, setup, &account(setup))
    }

    /// The same for a domain that is reached through proxies.
    ///
    /// # Errors
    /// As [`Baresip::start`].
    pub(crate) fn start_through(parent: &Path, setup: &Setup<'_>, through: &Through<'_>) -> Result<Self, Fault> {
        Self::start_through_at(Ipv4Addr::LOCALHOST, parent, setup, through)
    }

    /// The same at another address of this machine.
    ///
    /// # Errors
    /// As [`Baresip::start`].
    pub(crate) fn start_through_at(
        ip: Ipv4Addr,
        parent: &Path,
        setup: &Setup<'_>,
        through: &Through<'_>,
    ) -> Result<Self, Fault> {
        Self::start_as(ip, parent, setup, &account_through(setup, through))
    }

    fn start_as(ip: Ipv4Addr, parent: &Path, setup: &Setup<'_>, account: &str) -> Result<Self, Fault> {
        let (folder, sound) = setup.prepare(parent)?;
        let name = format!("baresip {}", setup.account.name);
        // With the port of SIP comes the next one, for TLS.
        let sip_port = probe::free_ports(4 + RTP_PORTS)?;
        let address = SocketAddr::from((ip, sip_port));
        let control = SocketAddr::from((Ipv4Addr::LOCALHOST, sip_port + 2));
        let recordings = folder.join("hears");
        doing(|| format!("creating {}", recordings.display()), fs::create_dir_all(&recordings))?;
        for (file, text) in [
            ("config", configuration(&folder, &sound, &recordings, address, control)),
            ("accounts", account.to_owned()),
            ("contacts", String::new()),
        ] {
            let path = folder.join(file);
            doing(|| format!("writing {}", path.display()), fs::write(&path, text))?;
        }
        let log = folder.join("log");
        let output = doing(|| format!("creating {}", log.display()), File::create(&log))?;
        let errors = doing(|| format!("creating {}", log.display()), output.try_clone())?;
        let mut program = command("baresip");
        // -s puts every SIP message into the log.
        program.args(["-4", "-v", "-s", "-f"]).arg(&folder);
        program.stdin(Stdio::null()).stdout(output).stderr(errors);
        let mut process = Guarded::start(&mut program)?;
        let connected = until(STEP_MAX, || match process.ended() {
            Some(how) => Err(format!("{name} ended at once: {how}; see {}", log.display())),
            None => Ok(TcpStream::connect(control).ok()),
        })?;
        let control = connected.ok_or_else(|| format!("{name} can't be controlled; see {}", log.display()))?;
        let reading = doing(|| format!("{name}'s control"), control.try_clone())?;
        let inbox = Arc::new(Inbox::default());
        let filled = Arc::clone(&inbox);
        std::thread::spawn(move || fill(&filled, BufReader::new(reading)));
        Ok(Self { name, process, folder, address, control, inbox })
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has it carry out a command and gives what it says.
    ///
    /// # Errors
    /// When it refuses or doesn't answer.
    pub(crate) fn command(&mut self, command: &str, parameters: &str) -> Result<String, Fault> {
        let request = json!({"command": command, "params": parameters, "token": command}).to_string();
        let netstring = format!("{}:{request},", request.len());
        doing(|| format!("{}: {command}", self.name), self.control.write_all(netstring.as_bytes()))?;
        let answer = self.take(STEP_MAX, |message| message.get("token").is_some_and(|token| token == command));
        let answer = answer.ok_or_else(|| format!("{} doesn't answer to `{command}`", self.name))?;
        let data = answer.get("data").and_then(Value::as_str).unwrap_or_default().to_owned();
        match answer.get("ok") {
            Some(Value::Bool(true)) => Ok(data),
            _ => Err(format!("{} refuses `{command} {parameters}`: {data}", self.name)),
        }
    }

    /// Waits for an event and gives its parameter.
    ///
    /// # Errors
    /// When it doesn't happen.
    pub(crate) fn event(&self, kind: &str) -> Result<String, Fault> {
        let event = self.take(STEP_MAX, |message| message.get("type").is_some_and(|found| found == kind));
        let event = event.ok_or_else(|| format!("{}: no {kind}; see {}/log", self.name, self.folder.display()))?;
        Ok(event.get("param").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// Forgets what it has told so far.
    pub(crate) fn forget(&self) {
        self.inbox.messages.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Waits until its log has so many lines that are this one.
    ///
    /// # Errors
    /// When they don't come.
    pub(crate) fn logs(&self, line: &str, count: usize) -> Result<(), Fault> {
        let found = until(STEP_MAX, || {
            let found = self.log().lines().filter(|found| found.trim_end() == line).count();
            Ok((found >= count).then_some(()))
        })?;
        let file = self.folder.join("log");
        found.ok_or_else(|| format!("{} has not {count} lines `{line}` in {}", self.name, file.display()))
    }

    /// Waits until it is registered.
    ///
    /// # Errors
    /// When it isn't in time.
    pub(crate) fn wait_until_registered(&mut self) -> Result<(), Fault> {
        let said = until(STEP_MAX, || {
            let said = plain(&self.command("reginfo", "")?);
            Ok(said.split_whitespace().any(|word| word == "OK").then_some(()))
        })?;
        said.ok_or_else(|| format!("{} isn't registered; see {}/log", self.name, self.folder.display()))
    }

    /// For how many seconds of each of its calls it heard a tone of `hertz`.
    ///
    /// # Errors
    /// When a recording can't be read.
    pub(crate) fn heard(&self, hertz: u32) -> Result<Vec<f64>, Fault> {
        let folder = self.folder.join("hears");
        let files = doing(|| format!("reading {}", folder.display()), fs::read_dir(&folder))?;
        // What was decoded is what was heard; what was encoded lies beside it.
        let paths = files.filter_map(|file| Some(file.ok()?.path()));
        let heard = paths.filter(|path| path.to_string_lossy().ends_with("-dec.wav"));
        heard.map(|path| tone::seconds_of(&path, hertz)).collect()
    }

    /// Everything that it printed, SIP messages among it.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("log")).unwrap_or_default()).into_owned()
    }

    /// Has it unregister and end, which it must do with 0.
    ///
    /// # Errors
    /// When it doesn't.
    pub(crate) fn quit(mut self) -> Result<(), Fault> {
        // It may end before it has answered.
        let _ = self.command("quit", "");
        match wait(&mut self.process.child, STEP_MAX)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("{} ended with {status}", self.name)),
            None => Err(format!("{} didn't quit", self.name)),
        }
    }

    /// Takes the first message that `is_wanted`, waiting for it.
    fn take(&self, limit: Duration, is_wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        let began = Instant::now();
        let mut messages = self.inbox.messages.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(at) = messages.iter().position(&is_wanted) {
                return Some(messages.remove(at));
            }
            let left = limit.checked_sub(began.elapsed()).filter(|left| !left.is_zero())?;
            let waited = self.inbox.changed.wait_timeout(messages, left).unwrap_or_else(PoisonError::into_inner);
            messages = waited.0;
        }
    }
}

/// Reads netstrings until the connection ends or makes no sense.
fn fill(inbox: &Inbox, mut control: BufReader<TcpStream>) {
    while let Some(message) = netstring(&mut control) {
        inbox.messages.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        inbox.changed.notify_all();
    }
}

fn netstring(control: &mut impl std::io::BufRead) -> Option<Value> {
    let mut length = Vec::new();
    control.take(20).read_until(b':', &mut length).ok()?;
    let length: u64 = std::str::from_utf8(length.strip_suffix(b":")?).ok()?.parse().ok()?;
    let mut bytes = Vec::new();
    control.take(length.min(ANSWER_MAX_BYTES) + 1).read_to_end(&mut bytes).ok()?;
    let text = bytes.strip_suffix(b",").filter(|text| u64::try_from(text.len()).is_ok_and(|found| found == length))?;
    serde_json::from_slice(text).ok()
}

/// A text without the colours of a terminal.
fn plain(text: &str) -> String {
    let mut pieces = text.split('\u{1b}');
    let first = pieces.next().unwrap_or_default();
    let rest = pieces.map(|piece| piece.split_once('m').map_or("", |(_, rest)| rest));
    std::iter::once(first).chain(rest).collect()
}

/// Sound comes from one file and goes to others, and everything stays on the phone's address: without `net_interface` the
/// machine's outer one would stand in SDP.
fn configuration(folder: &Path, sound: &Path, recordings: &Path, address: SocketAddr, control: SocketAddr) -> String {
    let rtp = address.port() + 4;
    let user = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut text = String::new();
    for (key, value) in [
        ("sip_listen", address.to_string()),
        ("net_interface", address.ip().to_string()),
        ("rtp_ports", format!("{rtp}-{}", rtp + RTP_PORTS - 1)),
        ("call_local_timeout", "30".to_owned()),
        ("call_max_calls", "4".to_owned()),
        ("audio_source", format!("aufile,{}", sound.display())),
        ("audio_player", format!("aubridge,{user}-hears")),
        ("audio_alert", format!("aubridge,{user}-rings")),
        ("ausrc_srate", "8000".to_owned()),
        ("snd_path", recordings.display().to_string()),
        ("ctrl_tcp_listen", control.to_string()),
        ("module_path", MODULES.to_owned()),
    ] {
        text.push_str(&format!("{key} {value}\n"));
    }
    // Where TLS is spoken it must have one; where it names one that isn't there, it doesn't start.
    let certificate = folder.parent().unwrap_or(folder).join(PHONE);
    if certificate.exists() {
        text.push_str(&format!("sip_certificate {}\n", certificate.display()));
    }
    for key in ["ausrc_format", "auplay_format", "auenc_format", "audec_format"] {
        text.push_str(&format!("{key} s16\n"));
    }
    for (kind, names) in [
        ("module", &["g711", "aufile", "aubridge", "sndfile", "srtp"][..]),
        ("module_tmp", &["uuid", "account"]),
        ("module_app", &["menu", "ctrl_tcp"]),
    ] {
        text.extend(names.iter().map(|name| format!("{kind} {name}.so\n")));
    }
    text
}

fn account(setup: &Setup<'_>) -> String {
    let Setup { account, server, transport, answers, .. } = setup;
    format!(
        "<sip:{name}@{at};transport={transport}>;auth_user={name};auth_pass={password};answermode={mode};\
         audio_codecs=pcmu/8000/1,pcma/8000/1;regint=600;call_transfer=yes{secure}\n",
        name = account.name,
        at = SocketAddr::new(server.ip(), transport.port(*server)),
        secure = if *transport == Transport::Tls { ";mediaenc=srtp-mand" } else { "" },
        password = account.password,
        transport = transport.in_uri(),
        mode = if *answers { "auto" } else { "manual" },
    )
}

fn account_through(setup: &Setup<'_>, through: &Through<'_>) -> String {
    let Setup { account, transport, answers, .. } = setup;
    let mut text = format!(
        "<sip:{name}@{domain}>;auth_user={name};auth_pass={password};answermode={mode};\
         audio_codecs=pcmu/8000/1,pcma/8000/1;regint=600",
        name = account.name,
        domain = through.domain,
        password = account.password,
        mode = if *answers { "auto" } else { "manual" },
    );
    for (proxy, number) in through.proxies.iter().zip(["", "2"]) {
        let at = SocketAddr::new(proxy.ip(), transport.port(*proxy));
        text += &format!(";outbound{number}=\"sip:{at};transport={}\"", transport.in_uri());
    }
    if through.is_outbound {
        text += ";sipnat=outbound";
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn netstrings_are_read_one_after_another() {
        let mut good = &b"12:{\"type\":\"A\"},2:{},"[..];
        assert_eq!(netstring(&mut good).unwrap().get("type").unwrap(), "A");
        assert_eq!(netstring(&mut good).unwrap(), json!({}));
        for mut bad in [&b""[..], b"x", b"2:{}", b"2:{};", b"9:{},", b"-1:{},"] {
            assert!(netstring(&mut bad).is_none());
        }
    }

    #[test]
    fn colours_are_taken_off() {
        assert_eq!(plain("a \u{1b}[32mOK\u{1b}[;m m"), "a OK m");
        assert_eq!(plain("OK"), "OK");
    }
}
