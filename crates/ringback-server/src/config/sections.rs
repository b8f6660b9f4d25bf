//! The sections of a configuration file.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ringback_auth::Algorithm;
use ringback_base::Transport;
use ringback_tokio::Network;

use super::reader::Reader;
use super::{directory, numbers, tls, websocket};
use crate::listen::{Listen, ListenAlone};
use crate::settings::{
    AccountsSource, DEFAULT_TRANSPORTS, Domain, DomainError, ListenerSettings, PublicName, SHARDS_MAX, Settings,
    TRANSPORTS, When,
};

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What went wrong.
    Error,
    /// And what an operator should look at.
    Warn,
    /// And what happens once in a while.
    #[default]
    Info,
    /// And each request that is refused.
    Debug,
    /// Everything.
    Trace,
}

/// How the log is to be written, as far as a file says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogSettings {
    /// In which form.
    pub format: Option<LogFormat>,
    /// How much of it.
    pub level: Option<LogLevel>,
}

pub(super) const LOG_FORMATS: &[(&str, LogFormat)] = &[("text", LogFormat::Text), ("json", LogFormat::Json)];

pub(super) const LOG_LEVELS: &[(&str, LogLevel)] = &[
    ("off", LogLevel::Off),
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
];

/// Session variants are left out: SIP has no use for them, and no phone asks for them.
pub(super) const ALGORITHMS: &[(&str, Algorithm)] =
    &[("SHA-256", Algorithm::Sha256), ("SHA-512-256", Algorithm::Sha512_256), ("MD5", Algorithm::Md5)];

/// What is offered where a file says nothing else: what a phone should use, then what the others know. `[RFC 8760, Section 2.3]`
const FILE_ALGORITHMS: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Md5];

/// An INVITE may ring for three minutes at least. `[RFC 3261, Section 16.6]`
const TIMER_C_SECS_MIN: u64 = 180;

impl LogLevel {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        LOG_LEVELS.iter().find(|(_, level)| *level == self).map_or("", |(word, _)| word)
    }
}

/// The whole file. Relative paths are meant from `folder`.
pub(super) fn top(reader: &mut Reader<'_, '_>, folder: &Path) -> (Settings, Option<PathBuf>, LogSettings) {
    let mut settings = Settings::new(PathBuf::new());
    settings.algorithms = FILE_ALGORITHMS.to_vec();

    let data = reader.text("data").map(|NotEmpty(path)| folder.join(path));
    let shards = reader.number("shards", &(1..=u64::from(SHARDS_MAX)));
    settings.shards = shards.and_then(|n| u16::try_from(n).ok()).and_then(NonZeroU16::new);
    read_numbers(reader, "", &mut settings);

    let has_certificate = reader.has("certificate");
    let listeners = reader.sections("listener", |reader| listener(reader, has_certificate));
    let listeners: Vec<_> = listeners.into_iter().flatten().collect();
    if !listeners.is_empty() {
        settings.listeners = listeners;
    }
    let mut domains = 0;
    reader.sections("domain", |reader| {
        domains += 1;
        if domains > 1 {
            reader.refuse(
                "there is a second domain",
                "one process serves one domain",
                "list further names of the same users under `aliases`, or run another process for it",
            );
        }
        domain(reader, &mut settings);
    });
    reader.section("edge", |reader| {
        if let Some(domains) = reader.texts("domains") {
            settings.edge_of = domains;
        }
    });
    reader.section("accounts", |reader| settings.accounts = accounts(reader, folder));
    let log = reader.section("log", log).unwrap_or_default();
    for section in numbers::SECTIONS {
        reader.section(section, |reader| {
            read_numbers(reader, section, &mut settings);
            match section {
                "timers" => check_timers(reader, &settings),
                "directory" => directory::read(reader, &mut settings.directory),
                "registrar" => check_registrar(reader, &settings),
                "location" => {
                    if let Some(When(durability)) = reader.text("durability") {
                        settings.location.durability = durability;
                    }
                }
                "dns" => dns(reader, &mut settings),
                "tcp" => {
                    if let Some(proxies) = reader.texts("proxies") {
                        settings.proxies = proxies;
                    }
                    if settings.proxies.iter().any(Network::is_everybody) {
                        let label = "whoever connects may write any address into the header, and is believed";
                        reader.warning("proxies", "lists everybody", label);
                    }
                }
                "tls" => tls::read(reader, folder, &mut settings.tls),
                "websocket" => websocket::read(reader, &mut settings.admission),
                _ => {}
            }
        });
    }
    let certificates = reader.sections("certificate", |reader| tls::read_certificate(reader, folder));
    settings.tls.certificates = certificates.into_iter().flatten().collect();
    reader.sections("name", |reader| directory::read_name(reader, &mut settings.directory));
    (settings, data, log)
}

fn read_numbers(reader: &mut Reader<'_, '_>, section: &str, settings: &mut Settings) {
    for number in numbers::of_section(section) {
        if let Some(value) = reader.number(number.key, &number.range) {
            (number.set)(settings, value);
        }
    }
}

fn listener(reader: &mut Reader<'_, '_>, has_certificate: bool) -> Option<ListenerSettings> {
    let names = TRANSPORTS.map(|transport| (transport_name(transport), transport));
    let transports = reader.words("transports", &names).unwrap_or(DEFAULT_TRANSPORTS.to_vec());
    if transports.contains(&Transport::Udp) && !transports.contains(&Transport::Tcp) {
        let label = "a message that is too large for a datagram has no way in [RFC 3261, Section 18.2.1]";
        reader.warning("transports", "lacks \"tcp\"", label);
    }
    let secure = transports.iter().find(|transport| matches!(transport, Transport::Tls | Transport::Wss));
    if let Some(secure) = secure.filter(|_| !has_certificate) {
        let label = "serve doesn't start without a [[certificate]], unless it is told --tls-self-signed";
        reader.warning("transports", &format!("has {:?}, which needs a certificate", transport_name(*secure)), label);
    }
    if transports.len() > 1 && transports.iter().any(|transport| matches!(transport, Transport::Ws | Transport::Wss)) {
        let help = "write a [[listener]] of its own for it, at another port";
        reader.error("transports", "has a WebSocket beside others", "one port can't tell them apart", Some(help));
    }
    let mut advertised: Option<PublicName> = reader.text("advertised");
    if reader.flag("behind_tls") == Some(true) {
        advertised = advertised.map(PublicName::behind_tls);
        if transports != [Transport::Tcp] {
            let label = "TLS ends before it, so it is for a listener by TCP alone";
            reader.error("behind_tls", "has no meaning here", label, Some("add transports = [\"tcp\"]"));
        } else if advertised.is_none() {
            let label = "under which address do others reach it by TLS?";
            let help = "add advertised = \"sip.example.com:5061\"";
            reader.error("behind_tls", "needs an advertised address", label, Some(help));
        }
    }
    if !reader.has("address") {
        reader.refuse("a listener without an address", "where is it to listen?", "add address = \"192.0.2.1:5060\"");
    }
    let listen: Listen = match transports[..] {
        [Transport::Tls] => reader.text("address").map(|ListenAlone::<5061>(listen)| listen),
        [Transport::Ws] => reader.text("address").map(|ListenAlone::<80>(listen)| listen),
        [Transport::Wss] => reader.text("address").map(|ListenAlone::<443>(listen)| listen),
        _ => reader.text("address"),
    }?;
    Some(ListenerSettings { listen, transports, advertised })
}

/// As files write it.
pub(super) fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
        Transport::Ws => "ws",
        Transport::Wss => "wss",
    }
}

fn domain(reader: &mut Reader<'_, '_>, settings: &mut Settings) {
    if let Some(name) = reader.text::<Domain>("name") {
        settings.domain = Some(name);
    }
    if let Some(aliases) = reader.texts("aliases") {
        settings.aliases = aliases;
    }
    if let Some(Realm(realm)) = reader.text("realm") {
        settings.realm = Some(realm);
    }
    if let Some(algorithms) = reader.words("algorithms", ALGORITHMS) {
        settings.algorithms = algorithms;
    }
    settings.open = reader.flag("open").unwrap_or(settings.open);
    settings.any_aor = reader.flag("any_aor").unwrap_or(settings.any_aor);
    settings.redirect = reader.flag("redirect").unwrap_or(settings.redirect);
    if settings.open && reader.has("algorithms") {
        reader.warning("algorithms", "has no use", "nobody is asked for credentials in an open domain");
    }
}

fn dns(reader: &mut Reader<'_, '_>, settings: &mut Settings) {
    if let Some(servers) = reader.texts::<NameServer>("servers") {
        settings.dns.servers = servers.into_iter().map(|NameServer(address)| address).collect();
    }
    for KnownHost(name, addresses) in reader.texts("hosts").unwrap_or_default() {
        addresses.into_iter().for_each(|address| settings.hosts.add(name.as_str(), address));
    }
    settings.ipv6_first = reader.flag("ipv6_first").unwrap_or(settings.ipv6_first);
    settings.maddr = reader.flag("maddr").unwrap_or(settings.maddr);
}

/// A name and its addresses.
struct KnownHost(Domain, Vec<IpAddr>);

impl FromStr for KnownHost {
    type Err = String;

    fn from_str(text: &str) -> Result<KnownHost, String> {
        let mut words = text.split_whitespace();
        let name: Domain = words.next().unwrap_or_default().parse().map_err(|error: DomainError| error.to_string())?;
        let addresses = words.map(str::parse).collect::<Result<Vec<IpAddr>, _>>();
        match addresses {
            Ok(addresses) if !addresses.is_empty() => Ok(KnownHost(name, addresses)),
            _ => Err("expected a name and its addresses: gw.example.com 192.0.2.10 2001:db8::10".to_owned()),
        }
    }
}

/// An address, and a port where it is another than 53.
struct NameServer(SocketAddr);

impl FromStr for NameServer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<NameServer, &'static str> {
        let address = text.parse().or_else(|_| text.parse().map(|ip: IpAddr| SocketAddr::new(ip, 53)));
        address.map(NameServer).map_err(|_| "expected an address, and perhaps a port: 192.0.2.53, [2001:db8::53]:5353")
    }
}

fn accounts(reader: &mut Reader<'_, '_>, folder: &Path) -> AccountsSource {
    let source = reader.word("source", &[("database", false), ("file", true)]);
    let file = reader.text("file").map(|NotEmpty(path)| folder.join(path));
    match (source, file) {
        (Some(true), Some(file)) => AccountsSource::File(file),
        (Some(true), None) => {
            if !reader.has("file") {
                reader.error("source", "needs a file", "which file?", Some("add file = \"users.toml\""));
            }
            AccountsSource::Database
        }
        (None | Some(false), Some(_)) => {
            let help = "write source = \"file\", or remove this line";
            reader.error("file", "has no use", "the accounts are in the database of the data folder", Some(help));
            AccountsSource::Database
        }
        (None | Some(false), None) => AccountsSource::Database,
    }
}

fn log(reader: &mut Reader<'_, '_>) -> LogSettings {
    LogSettings { format: reader.word("format", LOG_FORMATS), level: reader.word("level", LOG_LEVELS) }
}

fn check_timers(reader: &mut Reader<'_, '_>, settings: &Settings) {
    let timers = settings.transactions.timers;
    if timers.t2() < timers.t1() {
        let key = if reader.has("t2_ms") { "t2_ms" } else { "t1_ms" };
        let help = "T2 bounds the intervals that begin with T1 and double [RFC 3261, Section 17.1.2.1]";
        reader.error(key, "contradicts another timer", "T2 is shorter than T1", Some(help));
    }
    if settings.proxy.timer_c.to_duration().as_secs() <= TIMER_C_SECS_MIN {
        let label = "a phone may ring for more than 3 minutes [RFC 3261, Section 16.6]";
        reader.warning("timer_c_secs", "is short", label);
    }
}

/// Phones send keep-alives as rarely as they may: a timer that is shorter than theirs closes the connections of phones that are well.
const FLOW_TIMER_SECS_MIN: u32 = 20;

fn check_registrar(reader: &mut Reader<'_, '_>, settings: &Settings) {
    if (1..FLOW_TIMER_SECS_MIN).contains(&settings.flow_timer_secs) {
        let label = "connections of phones that keep no such time are closed; with less than 20 those of some that do";
        reader.warning("flow_timer_secs", "is short", label);
    }
    let policy = &settings.registrar;
    let ordered = [
        ("min_expires_secs", policy.min_expires_secs),
        ("default_expires_secs", policy.default_expires_secs),
        ("max_expires_secs", policy.max_expires_secs),
    ];
    for ((low_key, low), (high_key, high)) in ordered.iter().zip(ordered.iter().skip(1)) {
        if low > high {
            let key = if reader.has(high_key) { high_key } else { low_key };
            let label = format!("{low_key} is {low}, {high_key} is {high}");
            let help = "it must hold that min_expires_secs <= default_expires_secs <= max_expires_secs";
            reader.error(key, "contradicts another interval", label, Some(help));
        }
    }
}

/// A path, or anything else that can't be nothing.
pub(super) struct NotEmpty(pub(super) String);

impl FromStr for NotEmpty {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<NotEmpty, &'static str> {
        if text.is_empty() { Err("is empty") } else { Ok(NotEmpty(text.to_owned())) }
    }
}

/// The most bytes of a realm: what fits into a challenge with every character escaped.
const REALM_BYTES_MAX: usize = 1_024;

/// What a challenge can name.
pub(super) struct Realm(pub(super) Box<str>);

impl FromStr for Realm {
    type Err = String;

    fn from_str(text: &str) -> Result<Realm, String> {
        let fits = (1..=REALM_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
        if fits {
            Ok(Realm(text.into()))
        } else {
            Err(format!("expected 1 to {REALM_BYTES_MAX} bytes without control characters"))
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(LOG_FORMATS.iter().find(|(_, format)| format == self).map_or("", |(word, _)| word))
    }
}
