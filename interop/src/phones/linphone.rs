//! linphonec, driven by lines on its standard input.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{ROOTS, STEP_MAX, Setup, until};
use crate::leg::Transport;
use crate::process::{Guarded, command, wait};
use crate::{Fault, doing, probe, tone};

/// It takes its commands one by one, and drops what comes too fast.
const BETWEEN_COMMANDS: Duration = Duration::from_millis(300);

/// A phone that runs. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Linphone {
    name: String,
    process: Guarded,
    folder: PathBuf,
    address: SocketAddr,
    input: ChildStdin,
    printed: Arc<Mutex<String>>,
}

impl Linphone {
    /// Starts the phone in a folder below `parent`, with a file in the place of its microphone and another in that of its
    /// loudspeaker.
    ///
    /// # Errors
    /// When it doesn't start.
    pub(crate) fn start(parent: &Path, setup: &Setup<'_>) -> Result<Self, Fault> {
        let (folder, sound) = setup.prepare(parent)?;
        let name = format!("linphonec {}", setup.account.name);
        // It doesn't make this folder itself, and then complains of its database.
        let home = folder.join("home");
        let share = home.join(".local/share/linphone");
        doing(|| format!("creating {}", share.display()), fs::create_dir_all(&share))?;
        let file = folder.join("linphonerc");
        let port = probe::free_port()?;
        let text = configuration(&folder, setup, port, probe::free_ports(2)?);
        doing(|| format!("writing {}", file.display()), fs::write(&file, text))?;
        let errors = folder.join("errors");
        let errors = doing(|| format!("creating {}", errors.display()), File::create(&errors))?;
        let mut program = command("linphonec");
        program.arg("-c").arg(&file).arg("-l").arg(folder.join("log")).args(["-d", "6"]);
        program.env("HOME", &home).current_dir(&folder);
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut process = Guarded::start(&mut program)?;
        let (Some(input), Some(mut output)) = (process.child.stdin.take(), process.child.stdout.take()) else {
            return Err(format!("{name} has no standard input or output"));
        };
        let printed = Arc::new(Mutex::new(String::new()));
        let filled = Arc::clone(&printed);
        std::thread::spawn(move || {
            let mut piece = [0_u8; 4096];
            while let Ok(length @ 1..) = output.read(&mut piece) {
                let text = String::from_utf8_lossy(piece.get(..length).unwrap_or_default()).into_owned();
                filled.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
            }
        });
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut phone = Self { name, process, folder, address, input, printed };
        // In this order, and before any call. The first takes no name of a file: it would select a sound card.
        phone.command("soundcard use files")?;
        phone.command(&format!("play {}", sound.display()))?;
        phone.command(&format!("record {}", phone.recording().display()))?;
        Ok(phone)
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives it a line.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn command(&mut self, line: &str) -> Result<(), Fault> {
        let written = self.input.write_all(format!("{line}\n").as_bytes()).and_then(|()| self.input.flush());
        doing(|| format!("{}: {line}", self.name), written)?;
        std::thread::sleep(BETWEEN_COMMANDS);
        Ok(())
    }

    /// Waits until it has printed `text`.
    ///
    /// # Errors
    /// When it doesn't.
    pub(crate) fn wait_for(&mut self, text: &str) -> Result<(), Fault> {
        let found = until(STEP_MAX, || Ok(self.printed().contains(text).then_some(())))?;
        found.ok_or_else(|| {
            let said = self.printed();
            let last: Vec<&str> = said.lines().rev().take(5).collect();
            format!(
                "{} doesn't say `{text}`; its last lines, backwards: {last:?}; see {}",
                self.name,
                self.folder.display()
            )
        })
    }

    /// Demands that it finds the server's certificate not worth anything, so that it doesn't register.
    ///
    /// # Errors
    /// When it registers, or says nothing of certificates.
    pub(crate) fn refuses_the_server(&mut self) -> Result<(), Fault> {
        let refused = until(STEP_MAX, || Ok(self.log().contains("Certificate verification failed").then_some(())))?;
        if self.printed().contains("registered, identity=") {
            return Err(format!("{} registers at a server that it must not trust", self.name));
        }
        refused
            .ok_or_else(|| format!("{} says nothing of the certificate; see {}/log", self.name, self.folder.display()))
    }

    /// Waits until it is registered.
    ///
    /// # Errors
    /// When it isn't in time.
    pub(crate) fn wait_until_registered(&mut self) -> Result<(), Fault> {
        let said = until(STEP_MAX, || {
            self.command("status register")?;
            Ok(self.printed().contains("registered, identity=").then_some(()))
        })?;
        said.ok_or_else(|| format!("{} isn't registered; see {}/log", self.name, self.folder.display()))
    }

    /// For how many seconds of its only call it heard a tone of `hertz`.
    ///
    /// # Errors
    /// When there is no recording.
    pub(crate) fn heard(&self, hertz: u32) -> Result<f64, Fault> {
        tone::seconds_of(&self.recording(), hertz)
    }

    fn recording(&self) -> PathBuf {
        self.folder.join("hears.wav")
    }

    fn printed(&self) -> String {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything that it logged, SIP messages among it.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("log")).unwrap_or_default()).into_owned()
    }

    /// Has it unregister and end, which it must do with 0; its recording and its log are complete then.
    ///
    /// # Errors
    /// When it doesn't.
    pub(crate) fn quit(&mut self) -> Result<(), Fault> {
        self.command("quit")?;
        match wait(&mut self.process.child, STEP_MAX)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("{} ended with {status}", self.name)),
            None => Err(format!("{} didn't quit", self.name)),
        }
    }
}

fn configuration(folder: &Path, setup: &Setup<'_>, sip_port: u16, rtp_port: u16) -> String {
    let Setup { account, server, transport, .. } = setup;
    let parent = folder.parent().unwrap_or(folder);
    let (name, password) = (&account.name, &account.password);
    let port_of = |of: Transport| if of == *transport { sip_port } else { 0 };
    let sections: &[(&str, &[(&str, String)])] = &[
        (
            "sip",
            &[
                ("sip_port", port_of(Transport::Udp).to_string()),
                ("sip_tcp_port", port_of(Transport::Tcp).to_string()),
                ("sip_tls_port", port_of(Transport::Tls).to_string()),
                // Of one that is not there nobody's certificate is good.
                ("root_ca", parent.join(ROOTS).display().to_string()),
                ("verify_server_certs", "1".to_owned()),
                ("verify_server_cn", "1".to_owned()),
                ("bind_address", "127.0.0.1".to_owned()),
                ("contact", format!("\"{name}\" <sip:{name}@127.0.0.1>")),
                ("guess_hostname", "0".to_owned()),
                ("use_ipv6", "0".to_owned()),
                ("register_only_when_network_is_up", "0".to_owned()),
                ("default_proxy", "0".to_owned()),
            ],
        ),
        (
            "proxy_0",
            &[
                ("reg_proxy", format!("<sip:{};transport={}>", transport.host_port(*server), transport.in_uri())),
                ("reg_identity", format!("sip:{name}@{server}")),
                ("reg_expires", "600".to_owned()),
                ("reg_sendregister", "1".to_owned()),
                ("publish", "0".to_owned()),
                ("dial_escape_plus", "0".to_owned()),
            ],
        ),
        ("auth_info_0", &[("username", name.clone()), ("passwd", password.clone())]),
        (
            "rtp",
            &[
                ("audio_rtp_port", rtp_port.to_string()),
                ("bind_address", "127.0.0.1".to_owned()),
                ("audio_adaptive_jitt_comp_enabled", "0".to_owned()),
            ],
        ),
        ("net", &[("mtu", "1300".to_owned()), ("firewall_policy", "0".to_owned())]),
        ("video", &[("enabled", "0".to_owned()), ("capture", "0".to_owned()), ("display", "0".to_owned())]),
        ("sound", &[("echocancellation", "0".to_owned())]),
        ("lime", &[("enabled", "0".to_owned())]),
        ("storage", &[("backend", "sqlite3".to_owned()), ("uri", folder.join("phone.db").display().to_string())]),
    ];
    let mut text = String::new();
    for (section, entries) in sections {
        text.push_str(&format!("[{section}]\n"));
        text.extend(entries.iter().map(|(key, value)| format!("{key}={value}\n")));
    }
    text
}
