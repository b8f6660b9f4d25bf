#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use std::num::NonZeroU16;
use std::time::Duration;

use ringback_auth::{Algorithm, Ha1Set, Password};
use ringback_base::{Micros, Transport};
use ringback_location_db::Durability;
use ringback_tokio::Accounts as _;

use super::*;
use crate::settings::DEFAULT_TRANSPORTS;

fn file(text: &str) -> ConfigFile {
    ConfigFile::parse(Path::new("etc/ringback.toml"), text).unwrap_or_else(|error| panic!("{error}"))
}

fn parse(text: &str) -> Settings {
    let file = file(text);
    let data = file.data().unwrap_or(Path::new("")).to_owned();
    file.into_settings(data)
}

fn wrong(text: &str) -> String {
    match ConfigFile::parse(Path::new("ringback.toml"), text) {
        Err(error) => error.to_string(),
        Ok(file) => panic!("understood: {file:?}"),
    }
}

/// Settings are compared as they print themselves.
fn shown(settings: &Settings) -> String {
    format!("{settings:#?}")
}

const EVERYTHING: &str = r#"
data = "data"
shards = 3
drain_secs = 9

[[listener]]
address = "192.0.2.1:5070"
advertised = "sip.example.com"

[[listener]]
address = "0.0.0.0"
transports = ["TCP"]

[[domain]]
name = "Example.com"
aliases = ["example.org", "192.0.2.7"]
realm = "a \"realm\""
algorithms = ["md5", "SHA-512-256"]
redirect = true

[accounts]
source = "file"
file = "users.toml"

[log]
format = "json"
level = "debug"

[timers]
t1_ms = 250
t2_ms = 2_000
t4_ms = 2500
timer_c_secs = 200
lookup_timeout_ms = 1500

[registrar]
min_expires_secs = 30
max_expires_secs = 600
default_expires_secs = 300
bindings_per_aor_max = 4
contact_bytes_max = 512

[directory]
refuse_anonymous = ["alice", "bob"]
speaks_for_all = true
number_digits_min = 4

[[name]]
user = "dave"
means = "gone"

[[name]]
user = "erin"
means = "moved"
uris = ["sip:erin@example.net"]

[[name]]
user = "sales"
means = "choice"
uris = ["sip:alice@example.com", "sips:bob@example.com"]

[[name]]
user = "smith"
means = "ambiguous"

[location]
durability = "interval=50"
commit_window_ms = 5
batch_max = 10
queue_max = 0x20
cache_bytes = 1048576

[tcp]
connections_max = 7
idle_timeout_secs = 8
proxies = ["192.0.2.10", "2001:db8::/32"]

[limits]
server_transactions_max = 1
client_transactions_max = 2
contexts_max = 3
branches_max = 4
max_breadth = 5
lookups_max = 6
"#;

#[test]
fn what_ends_tls_in_front_is_a_balancer_of_one_listener_by_tcp() {
    let file = "[[listener]]\naddress = \"192.0.2.1\"\ntransports = [\"tcp\"]\nadvertised = \"a.example:5061\"\nbehind_tls = true\n";
    let settings = parse(file);
    assert!(settings.listeners[0].advertised.as_ref().unwrap().is_behind_tls());
    for without in ["transports = [\"tcp\"]\n", "advertised = \"a.example:5061\"\n"] {
        assert!(wrong(&file.replace(without, "")).contains("behind_tls"), "{without}");
    }
}

#[test]
fn networks_of_balancers_are_named_by_their_first_address() {
    assert!(wrong("[tcp]\nproxies = [\"10.1.0.0/8\"]\n").contains("is 10.0.0.0/8 meant?"));
}

#[test]
fn every_setting_is_read() {
    let settings = parse(EVERYTHING);
    assert_eq!(settings.proxies, ["192.0.2.10", "2001:db8::/32"].map(|network| network.parse().unwrap()));
    assert_eq!(settings.data, Path::new("etc/data"));
    assert_eq!((settings.shards, settings.drain), (NonZeroU16::new(3), Duration::from_secs(9)));
    let listeners: Vec<_> = settings
        .listeners
        .iter()
        .map(|l| (l.listen.to_string(), l.advertised.as_ref().map(ToString::to_string)))
        .collect();
    let named = Some("sip.example.com".to_owned());
    assert_eq!(listeners, [("192.0.2.1:5070".to_owned(), named), ("0.0.0.0:5060".to_owned(), None)]);
    assert_eq!(settings.listeners[0].transports, DEFAULT_TRANSPORTS);
    assert_eq!(settings.listeners[1].transports, [Transport::Tcp]);
    assert_eq!(settings.domain_name(), "example.com");
    assert_eq!(settings.aliases.iter().map(|alias| alias.as_str()).collect::<Vec<_>>(), ["example.org", "192.0.2.7"]);
    assert_eq!(settings.realm.as_deref(), Some("a \"realm\""));
    assert_eq!(settings.algorithms, [Algorithm::Md5, Algorithm::Sha512_256]);
    assert_eq!((settings.open, settings.redirect), (false, true));
    assert_eq!(settings.accounts, AccountsSource::File("etc/users.toml".into()));
    assert_eq!(settings.location.durability, Durability::Interval(Duration::from_millis(50)));
    assert_eq!(settings.transactions.timers.t1(), Micros::from_ms(250));
    assert_eq!(settings.proxy.timer_c, Micros::from_secs(200));
    assert_eq!((settings.registrar.default_expires_secs, settings.location.queue_max), (300, 32));
    assert_eq!((settings.proxy.contexts_max, settings.lookups_max), (3, 6));
    assert_eq!((settings.tcp.connections_max, settings.tcp.stream.idle_timeout), (7, Micros::from_secs(8)));
    let log = *file(EVERYTHING).log();
    assert_eq!(log, LogSettings { format: Some(LogFormat::Json), level: Some(LogLevel::Debug) });
}

#[test]
fn an_empty_file_is_the_defaults_but_for_the_algorithms() {
    let mut expected = Settings::new(PathBuf::new());
    expected.algorithms = Vec::from([Algorithm::Sha256, Algorithm::Md5]);
    assert_eq!(shown(&parse("")), shown(&expected));
    assert_eq!(shown(&parse("[[domain]]\n[limits]\n[log]\n")), shown(&expected));
}

#[test]
fn what_is_shown_means_the_same() {
    for text in ["data = \"d\"", EVERYTHING, "data = \"d\"\n[domain]\nopen = true\n[[listener]]\naddress = \"5070\"\n"]
    {
        let once = file(text);
        let log = *once.log();
        let settings = once.clone().into_settings(once.data().unwrap().to_owned());
        let text = show(&settings, &log);
        // From another folder: paths are whole by now, from where the first file was read.
        let again = ConfigFile::parse(Path::new("ringback.toml"), &text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again.warnings(), None);
        let data = again.data().unwrap().to_owned();
        assert_eq!(shown(&again.into_settings(data)), shown(&settings));
        let mut keys: Vec<_> = text.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key).collect();
        keys.sort_unstable();
        assert!(numbers::NUMBERS.iter().all(|number| keys.contains(&number.key)));
    }
}

#[test]
fn an_unknown_key_gets_a_caret_and_the_one_that_was_meant() {
    let expected = "\
error: unknown key `algorithm`
 --> ringback.toml:3:1
  |
3 | algorithm = [\"MD5\"]
  | ^^^^^^^^^ not known in [domain]
  |
  = help: did you mean `algorithms`?";
    assert_eq!(wrong("shards = 1\n[[domain]]\nalgorithm = [\"MD5\"]\n"), expected);
    let expected = "help: known here: format, level";
    assert!(wrong("[log]\nbanana = 1\n").contains(expected), "{}", wrong("[log]\nbanana = 1\n"));
    assert!(wrong("[limit]\n").contains("did you mean `limits`?"));
}

#[test]
fn all_errors_are_told_in_their_order() {
    let text = "shards = 0\n[timers]\nt1_ms = \"500\"\nt5_ms = 1\n[[domain]]\nopen = 1\n[limits]\nlookups_max = -1\n";
    let drawn = wrong(text);
    let places: Vec<_> = drawn.lines().filter_map(|line| line.trim().strip_prefix("--> ringback.toml:")).collect();
    assert_eq!(places, ["1:10", "3:9", "4:1", "6:8", "8:15"]);
    assert!(drawn.ends_with("error: ringback.toml: 5 errors"), "{drawn}");
    for expected in [
        "`shards` is out of range",
        "expected a whole number from 1 to 256",
        "`t1_ms` in [timers] has the wrong type",
        "expected a whole number from 1 to 60000, found a string",
        "expected true or false, found an integer",
    ] {
        assert!(drawn.contains(expected), "{expected}: {drawn}");
    }
}

#[test]
fn what_can_not_be_is_refused() {
    for (text, expected) in [
        ("a = ", "this is no TOML"),
        ("shards = 1\nshards = 2\n", "this is no TOML"),
        ("listener = 1", "expected tables: [[listener]], found an integer"),
        ("limits = []", "expected a table: [limits], found an array"),
        ("[[listener]]\n", "a listener without an address"),
        ("[[listener]]\naddress = \"a:b\"\n", "\"a:b\" is no address to listen on"),
        ("[[listener]]\naddress = \"5060\"\ntransports = [\"sctp\"]\n", "has a value that is not known"),
        ("[[listener]]\naddress = \"5060\"\ntransports = []\n", "`transports` in [listener] is empty"),
        ("[[listener]]\naddress = \"192.0.2.1\"\nadvertised = \"0.0.0.0\"\n", "expected the host name or address"),
        ("[[listener]]\naddress = \"5060\"\nadvertised = \"a.example:0\"\n", "expected the host name or address"),
        ("[[domain]]\nname = \"a.example:5060\"\n", "expected a host name or an address, without a port"),
        ("[[domain]]\naliases = [\"a.example\", 1]\n", "expected a string, found an integer"),
        ("[[domain]]\nrealm = \"\"\n", "expected 1 to 1024 bytes"),
        ("[[domain]]\nrealm = \"a\\nb\"\n", "without control characters"),
        ("[[domain]]\nalgorithms = [\"SHA-265\"]\n", "did you mean \"SHA-256\"?"),
        ("[[domain]]\nalgorithms = [\"MD5\", \"md5\"]\n", "stands here twice"),
        ("[[domain]]\n[[domain]]\n", "one process serves one domain"),
        ("[accounts]\nsource = \"file\"\n", "which file?"),
        ("[accounts]\nfile = \"f\"\n", "the accounts are in the database of the data folder"),
        ("[accounts]\nsource = \"file\"\nfile = \"\"\n", "is empty"),
        ("[log]\nlevel = \"verbose\"\n", "expected \"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\""),
        ("[timers]\nt1_ms = 5000\n", "T2 is shorter than T1"),
        ("[registrar]\nmin_expires_secs = 4000\n", "min_expires_secs is 4000, default_expires_secs is 3600"),
        ("[location]\ndurability = \"sometimes\"\n", "expected always, interval=MS or none"),
        ("[[name]]\nuser = \"erin\"\nmeans = \"moved\"\n", "there are 0"),
        ("[[name]]\nuser = \"erin\"\nmeans = \"away\"\n", "expected \"gone\", \"moved\", \"choice\" or \"ambiguous\""),
        ("[[name]]\nmeans = \"gone\"\n", "what is it about?"),
        ("[[name]]\nuser = \"e\"\nmeans = \"moved\"\nuris = [\"tel:1\"]\n", "is no SIP URI"),
        ("[[certificate]]\nchain = \"absent.pem\"\n", "a certificate without its key"),
        ("[[certificate]]\nchain = \"absent.pem\"\nkey = \"absent.key\"\n", "absent.pem: it can't be read"),
        ("[tls]\nca = \"absent.pem\"\n", "absent.pem: it can't be read"),
        ("[tls]\nverify_client = \"request\"\n", "by what are certificates judged?"),
        ("[limits]\nlookups_max = 1.5\n", "found a float"),
        ("[limits]\nlookups_max = 99999999999999999999999\n", "is out of range"),
    ] {
        let drawn = wrong(text);
        assert!(drawn.contains(expected) && drawn.contains('^'), "{text}: {drawn}");
    }
}

#[test]
fn places_beyond_the_text_and_within_characters_are_drawn() {
    for text in ["a = \"é", "é = 1", "a = [\n\n\n", "[domain]\nrealm = \"\"\"\ntwo\nlines\"\"\"\n", "x = \"\u{7f}\""]
    {
        assert!(wrong(text).contains("ringback.toml:"), "{}", wrong(text));
    }
}

#[test]
fn warnings_are_told_and_the_file_is_used() {
    let listener = "[[listener]]\naddress = \"5070\"\ntransports = [\"udp\"]\n";
    let file =
        file(&format!("[[domain]]\nopen = true\nalgorithms = [\"MD5\"]\n[timers]\ntimer_c_secs = 10\n{listener}"));
    let lines: Vec<_> = file.warnings().unwrap().lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[2].contains("`transports` in [listener] lacks \"tcp\""), "{}", lines[2]);
    assert!(lines[0].starts_with("etc/ringback.toml:3: `algorithms` in [domain] has no use"), "{}", lines[0]);
    assert!(lines[1].contains("[RFC 3261, Section 16.6]"), "{}", lines[1]);
    assert!(file.warnings().unwrap().draw(true).contains('\u{1b}'));
}

#[test]
fn what_serve_would_refuse_or_an_operator_regret_is_a_warning() {
    for (text, expected) in [
        ("[[listener]]\naddress = \"443\"\ntransports = [\"wss\"]\n", "has \"wss\", which needs a certificate"),
        (
            "[[listener]]\naddress = \"5060\"\ntransports = [\"tcp\", \"tls\"]\n",
            "has \"tls\", which needs a certificate",
        ),
        ("[tcp]\nproxies = [\"0.0.0.0/0\"]\n", "lists everybody"),
        ("[registrar]\nflow_timer_secs = 5\n", "`flow_timer_secs` in [registrar] is short"),
    ] {
        let file = file(text);
        let warnings: Vec<_> = file.warnings().unwrap().lines().collect();
        assert!(warnings.len() == 1 && warnings[0].contains(expected), "{warnings:?}");
    }
}

fn accounts(text: &str, config: &str) -> Result<FileAccounts, ConfigError> {
    FileAccounts::parse(Path::new("users.toml"), text, &parse(config))
}

fn hashes(name: &str) -> String {
    let of = |algorithm| {
        Ha1Set::of(name, "a.example", &Password::new("secret")).find(algorithm).unwrap().reveal().to_owned()
    };
    format!("[[user]]\nname = \"{name}\"\nMD5 = \"{}\"\nSHA-256 = \"{}\"\n", of(Algorithm::Md5), of(Algorithm::Sha256))
}

#[test]
fn accounts_of_a_file() {
    let text = format!("realm = \"a.example\"\n{}{}", hashes("bob"), hashes("alice"));
    let file = accounts(&text, "").unwrap();
    assert_eq!((&*file.realm, file.warnings), ("a.example", None));
    assert_eq!(file.accounts.names(), ["alice", "bob"].map(Box::from));
    let found = file.accounts.find("alice").unwrap().ha1s;
    let expected = Ha1Set::of("alice", "a.example", &Password::new("secret"));
    assert_eq!(found.find(Algorithm::Sha256), expected.find(Algorithm::Sha256));
    let file = accounts(&text, "[domain]\nalgorithms = [\"SHA-512-256\", \"MD5\"]\n").unwrap();
    let warning = file.warnings.unwrap().lines().next().unwrap();
    assert!(warning.contains("no hash for SHA-512-256, which the domain offers"), "{warning}");
}

#[test]
fn accounts_that_can_not_be() {
    let bob = hashes("bob");
    for (text, expected) in [
        ("".to_owned(), "no realm"),
        (format!("realm = \"b.example\"\n{bob}"), "there it is \"a.example\""),
        (format!("realm = \"a.example\"\n{bob}{bob}"), "there is such a user above"),
        (format!("realm = \"a.example\"\n{}", bob.replace("bob", "b b")), "a user name has letters"),
        ("realm = \"a.example\"\n[[user]]\n".to_owned(), "a user without a name"),
        (
            "realm = \"a.example\"\n[[user]]\nname = \"bob\"\nMD5 = \"abc\"\n".to_owned(),
            "expected 32 hexadecimal digits",
        ),
        ("realm = \"a.example\"\n[[user]]\nname = \"bob\"\npassword = \"x\"\n".to_owned(), "unknown key `password`"),
    ] {
        let drawn = accounts(&text, "[domain]\nrealm = \"a.example\"\n").unwrap_err().to_string();
        assert!(drawn.contains(expected) && drawn.contains("users.toml:"), "{text}: {drawn}");
    }
}

#[test]
fn hashes_and_passwords_are_not_shown() {
    let text =
        "realm = \"a.example\"\n[[user]]\nname = \"bob\"\npassword = \"tr\u{e9}s secret\"\nMD5 = \"0123456789\"\n";
    for text in [text.to_owned(), format!("{text}x = \"secret"), text.replace("password = ", "password=\n")] {
        let drawn = accounts(&text, "").unwrap_err().to_string();
        assert!(!drawn.contains("secret") && !drawn.contains("0123456789"), "{drawn}");
    }
    let drawn = accounts(text, "").unwrap_err().to_string();
    assert!(drawn.contains("| password = \"***** ******\"\n") && drawn.contains("| MD5 = \"**********\"\n"), "{drawn}");
}

fn document(name: &str) -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

#[test]
fn the_accounts_of_the_operators_page_are_those_that_it_makes() {
    let (_, page) = document("operating.md");
    let text = page.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    let file = accounts(text, "").unwrap();
    assert_eq!(file.warnings, None);
    let (found, password) = (file.accounts.find("alice").unwrap().ha1s, Password::new("her password"));
    let expected = Ha1Set::of("alice", "example.com", &password);
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        assert_eq!(found.find(algorithm), expected.find(algorithm));
    }
}

#[test]
fn the_example_is_the_defaults() {
    let (path, text) = document("ringback.toml");
    let file = ConfigFile::read(&path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((file.data(), file.warnings()), (None, None));
    assert_eq!(*file.log(), LogSettings { format: Some(LogFormat::Text), level: Some(LogLevel::Info) });
    let settings = file.into_settings(PathBuf::new());
    assert_eq!(shown(&settings), shown(&parse("")));
    // Every setting is in it, at the place where it is shown.
    let bare = |line: &str| !line.is_empty() && !line.starts_with("# ") && !line.starts_with("#data");
    let lines = |text: &str| {
        text.lines().filter(|line| bare(line) && !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&text), lines(&show(&settings, &LogSettings::default())));
}

#[test]
fn what_is_commented_out_in_the_example_is_right_too() {
    let (_, text) = document("ringback.toml");
    let settings: String = text
        .lines()
        .map(|line| {
            line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase())).unwrap_or(line)
        })
        .map(|line| {
            line.replace("source = \"database\"", "source = \"file\"").replace("\"5060\"", "\"192.0.2.1:5060\"") + "\n"
        })
        .collect();
    let settings = parse(&settings);
    assert_eq!((settings.domain_name(), settings.realm.as_deref()), ("example.com", Some("example.com")));
    assert_eq!(settings.accounts, AccountsSource::File("etc/users.toml".into()));
    assert!(settings.listeners[0].advertised.is_some() && settings.shards.is_some());
}
