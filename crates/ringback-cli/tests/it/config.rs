//! `--config` and `ringback check-config`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;

use tempfile::{TempDir, tempdir};

use crate::phone::Phone;
use crate::process::{Done, Server, ringback, ringback_with};

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempdir().unwrap())
    }

    /// A file of this text, by its path.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A server by this file, on a port of 127.0.0.1 that the kernel chooses and with a folder of its own.
    fn serve(&self, text: &str) -> Server {
        let file = self.file("ringback.toml", text);
        Server::start_with(&self.path("data"), &["--listen", "127.0.0.1:0", "--config", &file])
    }

    fn check(&self, text: &str) -> Done {
        ringback(&["check-config", &self.file("ringback.toml", text)], "")
    }
}

#[test]
fn check_config_prints_a_file_that_means_the_same() {
    let folder = Folder::new();
    let done = folder.check("data = \"here\"\nshards = 2\n[[domain]]\nname = \"A.example\"\n[timers]\nt1_ms = 100\n");
    assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""));
    let data = format!("data = \"{}\"\n", folder.path("here").display());
    for line in [&data, "shards = 2\n", "name = \"a.example\"\n", "t1_ms = 100\n", "t2_ms = 4000\n"] {
        assert!(done.stdout.contains(line), "{line}: {}", done.stdout);
    }
    let again = folder.check(&done.stdout);
    assert_eq!((again.status, again.stdout), (Some(0), done.stdout));
}

#[test]
fn check_config_draws_all_that_is_wrong() {
    let folder = Folder::new();
    let done = folder.check("shards = \"two\"\n[limit]\n[[domain]]\nnane = \"a.example\"\n");
    assert_eq!((done.status, done.stdout.as_str()), (Some(5), ""));
    let file = folder.path("ringback.toml");
    for (line, column) in [(1, 10), (2, 2), (4, 1)] {
        let place = format!("--> {}:{line}:{column}\n", file.display());
        assert!(done.stderr.contains(&place), "{place}: {}", done.stderr);
    }
    assert!(done.stderr.contains("4 | nane = \"a.example\"\n  | ^^^^ not known in [domain]\n"), "{}", done.stderr);
    assert!(done.stderr.contains("did you mean `name`?") && done.stderr.contains("3 errors\n"), "{}", done.stderr);
}

#[test]
fn files_that_can_not_be_read_have_status_5() {
    let folder = Folder::new();
    for args in [
        &["check-config", "/nonexistent/ringback.toml"][..],
        &["serve", "--config", "/nonexistent/ringback.toml", "--data", "/nonexistent"],
        &["user", "list", "--config", "/nonexistent/ringback.toml", "--data", "/nonexistent"],
    ] {
        let done = ringback(args, "");
        assert_eq!((done.status, done.stdout.as_str()), (Some(5), ""), "{args:?}");
        assert!(done.stderr.starts_with("error: /nonexistent/ringback.toml: can't be read: "), "{}", done.stderr);
    }
    let file = folder.file("ringback.toml", "shards = 0\n");
    let data = folder.path("data");
    let serve = ["serve", "--config", &file, "--data", data.to_str().unwrap()];
    let done = ringback(&serve, "");
    assert_eq!(done.status, Some(5));
    assert!(done.stderr.contains("expected a whole number from 1 to 256") && !data.exists(), "{}", done.stderr);
    let done = ringback(&[&serve[..], &["--log", "json"]].concat(), "");
    let line: serde_json::Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!((done.status, line["exit_status"].as_u64()), (Some(5), Some(5)));
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let folder = Folder::new();
    let text = "data = \"of-file\"\nshards = 1\n[[listener]]\naddress = \"192.0.2.1:5060\"\n[log]\nlevel = \"off\"\nformat = \"json\"\n";
    let server = {
        let file = folder.file("ringback.toml", text);
        let flags = ["--listen", "127.0.0.1:0", "--shards", "2", "--log-level", "info", "--config", &file];
        Server::start_with(&folder.path("of-flag"), &flags)
    };
    assert_eq!((server.addresses().len(), server.ready["shards"].as_u64()), (1, Some(2)));
    assert_eq!(server.terminate().0, Some(0));
    assert!(folder.path("of-flag").exists() && !folder.path("of-file").exists());

    let file = folder.file("ringback.toml", text);
    let environment = folder.path("of-environment");
    let add = ["user", "add", "dave", "--password-stdin", "--config", &file];
    assert_eq!(ringback_with(&[("RINGBACK_DATA", environment.to_str().unwrap())], &add, "secret").status, Some(0));
    assert_eq!(ringback(&add, "secret").status, Some(0));
    assert!(environment.join("accounts.redb").exists() && folder.path("of-file/accounts.redb").exists());
}

#[test]
fn users_are_added_for_the_realm_of_the_file() {
    let folder = Folder::new();
    let file = |text: &str| folder.file("ringback.toml", text);
    let add = |file: &str, name: &str| ringback(&["user", "add", name, "--password-stdin", "--config", file], "secret");
    let named = file("data = \"d\"\n[[domain]]\nname = \"a.example\"\n");
    assert_eq!(add(&named, "alice").stdout, "user alice added, realm a.example\n");
    let other = file("data = \"d\"\n[[domain]]\nname = \"b.example\"\n");
    assert_eq!(add(&other, "bob").stdout, "user bob added, realm a.example\n");
    assert_eq!(ringback(&["user", "list", "--config", &other], "").stdout, "alice\nbob\n");
    let realm = file("data = \"d\"\n[[domain]]\nrealm = \"b.example\"\n");
    let done = add(&realm, "carol");
    assert_eq!(done.status, Some(1));
    assert!(done.stderr.contains("the realm of these accounts is a.example and stays so"), "{}", done.stderr);
    let done = ringback(&["serve", "--config", &realm, "--listen", "127.0.0.1:0"], "");
    assert_eq!(done.status, Some(5));
    assert!(done.stderr.contains("names the realm \"b.example\", but the accounts in"), "{}", done.stderr);
}

/// The hashes of `alice:a.example:secret`.
const ALICE: &str = "\
realm = \"a.example\"
[[user]]
name = \"alice\"
MD5 = \"4deb1b12e9bb4f7b8a8b56d7a0e5fd67\"
";

#[test]
fn accounts_of_a_file_are_used_and_not_changed() {
    let folder = Folder::new();
    folder.file("users.toml", &ALICE.replace("4deb1b12e9bb4f7b8a8b56d7a0e5fd67", &md5_of("alice:a.example:secret")));
    let text =
        "data = \"data\"\n[accounts]\nsource = \"file\"\nfile = \"users.toml\"\n[[domain]]\nalgorithms = [\"MD5\"]\n";
    let server = folder.serve(text);
    assert_eq!(server.ready["accounts"], 1);
    assert_eq!(Phone::new(server.address()).register("alice", "secret"), 200);
    assert!(matches!(Phone::new(server.address()).register("alice", "guess"), 401 | 403));
    let (status, stdout, _) = server.terminate();
    assert_eq!((status, stdout.as_str()), (Some(0), ""));
    assert!(!folder.path("data/accounts.redb").exists());

    let file = folder.path("ringback.toml");
    let file = file.to_str().unwrap();
    assert_eq!(ringback(&["user", "list", "--config", file], "").stdout, "alice\n");
    for args in
        [&["remove", "alice"][..], &["passwd", "alice", "--password-stdin"], &["add", "bob", "--password-stdin"]]
    {
        let done = ringback(&[&["user"], args, &["--config", file]].concat(), "x");
        assert_eq!(done.status, Some(1));
        assert!(done.stderr.contains("users.toml: change them there"), "{}", done.stderr);
    }

    folder.file("users.toml", &format!("{ALICE}[[user]]\nname = \"b b\"\n"));
    for args in [&["check-config", file][..], &["serve", "--config", file, "--listen", "127.0.0.1:0"]] {
        let done = ringback(args, "");
        assert_eq!(done.status, Some(5), "{args:?}");
        assert!(done.stderr.contains("users.toml:6:8\n") && done.stderr.starts_with("error: "), "{}", done.stderr);
    }
}

fn md5_of(text: &str) -> String {
    use ringback_auth::{Algorithm, Ha1, Password};
    let mut parts = text.splitn(3, ':');
    let mut next = || parts.next().unwrap();
    Ha1::of(Algorithm::Md5, next(), next(), &Password::new(next())).reveal().to_owned()
}

#[test]
fn with_a_file_sha_256_is_offered_first_and_in_an_open_domain_nothing() {
    let folder = Folder::new();
    let server = folder.serve("[[domain]]\nname = \"a.example\"\n");
    let challenge = Phone::new(server.address()).ask_register("alice");
    assert_eq!(challenge.status().as_u16(), 401);
    let text = String::from_utf8_lossy(challenge.as_bytes()).into_owned();
    let place = |word: &str| text.find(word).unwrap_or_else(|| panic!("{word}: {text}"));
    assert!(place("algorithm=SHA-256") < place("algorithm=MD5"));
    server.terminate();

    let folder = Folder::new();
    let server = folder.serve("[[domain]]\nopen = true\n");
    assert_eq!(
        (server.ready["accounts"].as_u64(), Phone::new(server.address()).register("anybody", "")),
        (Some(0), 200)
    );
    let (status, stdout, _) = server.terminate();
    assert_eq!((status, stdout.as_str()), (Some(0), ""));
}

#[test]
fn limits_of_the_file_hold() {
    let folder = Folder::new();
    let server = folder.serve("[[domain]]\nopen = true\n[registrar]\nmin_expires_secs = 1800\nmax_expires_secs = 2000\ndefault_expires_secs = 1900\n");
    let answer = Phone::new(server.address()).ask_register("alice");
    let text = String::from_utf8_lossy(answer.as_bytes()).into_owned();
    assert!(text.contains("expires=1900"), "{text}");
}

#[test]
fn warnings_go_to_the_log() {
    let folder = Folder::new();
    let server = folder.serve("[timers]\ntimer_c_secs = 10\n");
    let log = server.terminate().2;
    let told = |line: &serde_json::Value| line["message"].as_str().is_some_and(|text| text.contains("timer_c_secs"));
    assert!(log.iter().any(|line| line["level"] == "WARN" && told(line)), "{log:?}");
}

#[test]
fn a_redirecting_domain_answers_with_the_contacts() {
    let folder = Folder::new();
    let server = folder.serve("[[domain]]\nopen = true\nredirect = true\n");
    let bob = Phone::new(server.address());
    assert_eq!(bob.register("bob", ""), 200);
    assert_eq!(Phone::new(server.address()).invite("bob"), 302);
}

#[test]
fn an_advertised_name_goes_into_via_and_record_route() {
    let folder = Folder::new();
    let file =
        "[[listener]]\naddress = \"127.0.0.1:0\"\nadvertised = \"sip.example.com:5999\"\n[[domain]]\nopen = true\n";
    let file = folder.file("ringback.toml", file);
    let server = Server::start_with(&folder.path("data"), &["--config", &file]);
    let listeners = server.ready["listeners"].as_str().unwrap();
    assert!(listeners.starts_with("UDP 127.0.0.1:") && listeners.ends_with(" as sip.example.com:5999"), "{listeners}");
    let bob = Phone::new(server.address());
    assert_eq!((bob.register("bob", ""), Phone::new(server.address()).invite("bob")), (200, 100));
    let invite = bob.heard();
    assert!(invite.contains("\r\nVia: SIP/2.0/UDP sip.example.com:5999;"), "{invite}");
    assert!(invite.contains("\r\nRecord-Route: <sip:sip.example.com:5999;"), "{invite}");
}

#[test]
fn a_listener_by_tcp_alone_and_the_limit_of_its_connections() {
    let folder = Folder::new();
    let file = "[[listener]]\naddress = \"127.0.0.1:0\"\ntransports = [\"tcp\"]\n[tcp]\nconnections_max = 1\n";
    let file = folder.file("ringback.toml", file);
    let mut server = Server::start_with(&folder.path("data"), &["--shards", "1", "--config", &file]);
    let address = server.ready["listeners"].as_str().unwrap().strip_prefix("TCP ").unwrap().to_owned();
    let mut first = TcpStream::connect(&address).unwrap();
    first.write_all(b"\r\n\r\n").unwrap();
    let mut pong = [0; 2];
    first.read_exact(&mut pong).unwrap();
    assert_eq!(&pong, b"\r\n");
    // It is accepted by the kernel, and closed by the server.
    let mut second = TcpStream::connect(&address).unwrap();
    assert!(matches!(second.read(&mut pong), Ok(0) | Err(_)));
    server.signal("USR1");
    let line = server.wait_for("counters");
    assert_eq!(
        (line["limits_reached"].as_str(), line["connections"].as_u64()),
        (Some("tcp.connections_max=1"), Some(1))
    );
}
