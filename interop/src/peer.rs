//! Who the peers are, and which versions of them are here.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::browser::libraries;
use crate::network::Space;
use crate::process::{on_path, output};

/// How long a peer may take to tell its version.
const VERSION_MAX: Duration = Duration::from_secs(10);

/// The library that the Java peer is compiled against: alone it is enough.
pub const JAIN_SIP: &str = "/usr/share/java/nist-sip-aosp.jar";

/// Where the headers of the library are that the judge is compiled against.
pub const SOFIA_SIP: &str = "/usr/include/sofia-sip-1.12";

/// Something that a case needs and that this project doesn't make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peer {
    /// The scripted user agents.
    Sipp,
    /// A phone.
    Baresip,
    /// A phone with SHA-256.
    Linphone,
    /// A browser, and libraries that make phones of its pages.
    Browser,
    /// NIST's stack in Java, and a compiler.
    JainSip,
    /// A small tool for OPTIONS and REGISTER.
    Sipsak,
    /// A proxy.
    Kamailio,
    /// Its modules for flows of phones.
    KamailioOutbound,
    /// What lets it speak TLS.
    KamailioTls,
    /// A library of TLS, as a program.
    OpenSsl,
    /// A load balancer.
    Haproxy,
    /// The same, and what makes it speak WebSocket and TLS.
    KamailioWebSocket,
    /// Networks of our own: the right to make them, and the tools.
    Namespaces,
    /// A name server.
    Nsd,
    /// What reads captures.
    Tshark,
    /// A stack in C whose parser is strict, and a compiler.
    SofiaSip,
    /// The torture messages and captures: `torture` and `captures` below `$RINGBACK_REFERENCES`.
    References,
}

impl Peer {
    /// Every peer.
    pub const ALL: [Self; 17] = [
        Self::Sipp,
        Self::Baresip,
        Self::Linphone,
        Self::Browser,
        Self::JainSip,
        Self::Sipsak,
        Self::Kamailio,
        Self::KamailioOutbound,
        Self::KamailioTls,
        Self::OpenSsl,
        Self::Haproxy,
        Self::KamailioWebSocket,
        Self::Namespaces,
        Self::Nsd,
        Self::Tshark,
        Self::SofiaSip,
        Self::References,
    ];

    /// What a table calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sipp => "SIPp",
            Self::Baresip => "baresip",
            Self::Linphone => "linphonec",
            Self::Browser => "JsSIP and SIP.js in Chromium",
            Self::JainSip => "JAIN SIP",
            Self::Sipsak => "sipsak",
            Self::Kamailio => "Kamailio",
            Self::KamailioOutbound => "Kamailio's outbound",
            Self::KamailioTls => "Kamailio's TLS",
            Self::OpenSsl => "OpenSSL",
            Self::Haproxy => "HAProxy",
            Self::KamailioWebSocket => "Kamailio's WebSocket",
            Self::Namespaces => "namespaces",
            Self::Nsd => "NSD",
            Self::Tshark => "tshark",
            Self::SofiaSip => "Sofia-SIP",
            Self::References => "references",
        }
    }

    /// Its version.
    ///
    /// # Errors
    /// What is missing, and which of Debian's packages has it.
    pub fn version(self) -> Result<String, String> {
        match self {
            Self::Sipp => program("sipp", "sip-tester", "-v"),
            Self::Baresip => program("baresip", "baresip-core", "-h"),
            Self::Linphone => program("linphonec", "linphone-cli", "--version"),
            Self::Sipsak => program("sipsak", "sipsak", "-V"),
            Self::Kamailio => administrators_program("kamailio", "-v"),
            Self::KamailioOutbound => kamailio_outbound(),
            Self::KamailioTls => kamailio_tls(),
            Self::OpenSsl => program("openssl", "openssl", "version"),
            Self::Haproxy => administrators_program("haproxy", "-v"),
            Self::KamailioWebSocket => kamailio_websocket(),
            Self::Nsd => program("nsd", "nsd", "-v"),
            Self::Tshark => program("tshark", "tshark", "--version"),
            Self::SofiaSip => sofia_sip(),
            Self::Browser => browser(),
            Self::JainSip => jain_sip(),
            Self::Namespaces => namespaces(),
            Self::References => references().map(|folder| folder.display().to_string()),
        }
    }
}

/// The folder of the reference material.
///
/// # Errors
/// When it isn't where `$RINGBACK_REFERENCES` says, or beside the checkout.
pub fn references() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let named = std::env::var_os("RINGBACK_REFERENCES").unwrap_or_else(|| "../shared".into());
    let folder = root.join(named);
    match ["torture", "captures"].iter().find(|name| !folder.join(name).is_dir()) {
        None => Ok(folder.canonicalize().unwrap_or(folder)),
        Some(name) => Err(format!("no folder `{name}` in {} (set RINGBACK_REFERENCES)", folder.display())),
    }
}

/// A program on the path: the version of its package or, where that isn't known, what it says itself.
fn program(program: &str, package: &str, argument: &str) -> Result<String, String> {
    on_path(program).ok_or_else(|| missing(&format!("`{program}` on the path"), package))?;
    if let Some(version) = of_package(package) {
        return Ok(version);
    }
    let said = output(Command::new(program).arg(argument), VERSION_MAX)?;
    let text = [said.stdout, said.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find(|line| line.contains(|c: char| c.is_ascii_digit()));
    Ok(line.map_or_else(|| "of a version that it doesn't tell".to_owned(), |line| line.trim().to_owned()))
}

/// One of an administrator's programs, whose folder isn't on everybody's path.
fn administrators_program(name: &str, argument: &str) -> Result<String, String> {
    let at_home = format!("/usr/sbin/{name}");
    program(if on_path(name).is_none() && Path::new(&at_home).is_file() { &at_home } else { name }, name, argument)
}

fn kamailio_outbound() -> Result<String, String> {
    const PACKAGE: &str = "kamailio-outbound-modules";
    of_package(PACKAGE).ok_or_else(|| missing("module `outbound` of Kamailio", PACKAGE))
}

fn kamailio_tls() -> Result<String, String> {
    const PACKAGE: &str = "kamailio-tls-modules";
    of_package(PACKAGE).ok_or_else(|| missing("module `tls` of Kamailio", PACKAGE))
}

/// Both modules, which have packages of their own.
fn kamailio_websocket() -> Result<String, String> {
    let version = administrators_program("kamailio", "-v")?;
    for package in ["kamailio-websocket-modules", "kamailio-tls-modules"] {
        of_package(package).ok_or_else(|| missing("a module of kamailio", package))?;
    }
    Ok(version)
}

/// The browser and the libraries; the tool that puts a page together lies beside these.
fn browser() -> Result<String, String> {
    let chromium = program("chromium", "chromium", "--version")?;
    let mut versions = String::new();
    for (name, library) in [("JsSIP", "jssip"), ("SIP.js", "sip.js"), ("esbuild", "esbuild")] {
        let file = libraries().join(library).join("package.json");
        let text = std::fs::read(&file).map_err(|_| format!("no {library} (npm ci --prefix interop/web)"))?;
        let package: serde_json::Value =
            serde_json::from_slice(&text).map_err(|error| format!("{library}: {error}"))?;
        versions += &format!("{name} {}, ", package.get("version").and_then(|it| it.as_str()).unwrap_or_default());
    }
    Ok(format!("{versions}Chromium {chromium}"))
}

fn jain_sip() -> Result<String, String> {
    if !Path::new(JAIN_SIP).is_file() {
        return Err(missing(JAIN_SIP, "libnist-sip-aosp-java"));
    }
    for tool in ["javac", "java"] {
        on_path(tool).ok_or_else(|| missing(&format!("`{tool}` on the path"), "default-jdk-headless"))?;
    }
    let java = output(Command::new("javac").arg("-version"), VERSION_MAX)?;
    let java = String::from_utf8_lossy(&[java.stdout, java.stderr].concat()).trim().to_owned();
    let library = of_package("libnist-sip-aosp-java").unwrap_or_else(|| JAIN_SIP.to_owned());
    Ok(format!("{library}, {java}"))
}

fn namespaces() -> Result<String, String> {
    Space::new()?;
    let (ip, nft) = (program("ip", "iproute2", "-V")?, program("nft", "nftables", "-v")?);
    let ethtool = program("ethtool", "ethtool", "--version")?;
    Ok(format!("of the kernel, iproute2 {ip}, nftables {nft}, ethtool {ethtool}"))
}

fn sofia_sip() -> Result<String, String> {
    const PACKAGE: &str = "libsofia-sip-ua-dev";
    if !Path::new(SOFIA_SIP).is_dir() {
        return Err(missing(SOFIA_SIP, PACKAGE));
    }
    on_path("cc").ok_or_else(|| missing("`cc` on the path", "gcc"))?;
    Ok(of_package(PACKAGE).unwrap_or_else(|| SOFIA_SIP.to_owned()))
}

fn of_package(package: &str) -> Option<String> {
    on_path("dpkg-query")?;
    let mut query = Command::new("dpkg-query");
    query.args(["-W", "-f", "${Version}", package]);
    let said = output(&mut query, VERSION_MAX).ok().filter(|said| said.status.success())?;
    Some(String::from_utf8_lossy(&said.stdout).trim().to_owned()).filter(|version| !version.is_empty())
}

fn missing(what: &str, package: &str) -> String {
    format!("no {what} (Debian: apt-get install {package})")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_program_that_is_here_tells_something_and_another_names_its_package() {
        assert!(!program("sh", "no-such-package", "--version").unwrap().is_empty());
        let fault = program("no-such-program", "no-such-package", "-v").unwrap_err();
        assert!(fault.contains("apt-get install no-such-package"), "{fault}");
    }
}
