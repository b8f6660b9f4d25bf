//! `ringback serve`.

use std::fs;
use std::net::UdpSocket;

use tempfile::tempdir;

use crate::phone::Phone;
use crate::process::{Server, ringback};

/// User and password of each line `user NAME password WORD`.
fn told_passwords(stdout: &str) -> Vec<(String, String)> {
    let words = stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let told = words.filter_map(|words| match words.as_slice() {
        ["user", name, "password", password] => Some(((*name).to_owned(), (*password).to_owned())),
        _ => None,
    });
    told.collect()
}

#[test]
fn options_is_answered_and_sigterm_ends_it_with_0() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    assert_eq!(Phone::new(server.address()).options(), 200);
    let (status, _, log) = server.terminate();
    assert_eq!(status, Some(0));
    assert!(log.iter().all(|line| line["level"] == "INFO"), "{log:?}");
}

#[test]
fn a_log_that_nobody_reads_ends_nothing() {
    let data = tempdir().unwrap();
    let mut server = Server::start(data.path());
    server.leave_its_log_unread();
    // The first line closes the pipe, the others find it closed.
    for _ in 0..3 {
        server.signal("USR1");
        std::thread::sleep(std::time::Duration::from_millis(150));
    }
    assert_eq!(Phone::new(server.address()).options(), 200);
    let (status, ..) = server.terminate();
    assert_eq!(status, Some(0));
}

#[test]
fn ctrl_c_ends_an_idle_server_at_once() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    server.signal("INT");
    let (status, _, log) = server.end();
    assert_eq!((status, log.last().unwrap()["was_idle"].as_bool()), (Some(0), Some(true)));
}

#[test]
fn a_second_signal_ends_it_while_something_is_open() {
    let data = tempdir().unwrap();
    let file = data.path().join("ringback.toml");
    fs::write(&file, "[[domain]]\nopen = true\n").unwrap();
    let flags = ["--listen", "127.0.0.1:0", "--config", file.to_str().unwrap()];
    let mut server = Server::start_with(&data.path().join("data"), &flags);
    // A call to a phone that says nothing is open for as long as Timer C.
    let silent = Phone::new(server.address());
    assert_eq!((silent.register("bob", ""), Phone::new(server.address()).invite("bob")), (200, 100));
    server.signal("TERM");
    server.wait_for("ending");
    server.signal("TERM");
    assert_eq!(server.end().0, Some(130));
}

#[test]
fn the_first_start_tells_passwords_once_and_they_hold() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let address = server.address();
    let (_, stdout, log) = server.terminate();
    let passwords = told_passwords(&stdout);
    assert_eq!(passwords.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["alice", "bob"]);
    assert!(stdout.contains(&address.to_string()) && stdout.contains("UDP"), "{stdout}");
    let log = format!("{log:?}");
    assert!(passwords.iter().all(|(_, password)| password.len() >= 16 && !log.contains(password)));

    let server = Server::start(data.path());
    assert_eq!(server.ready["accounts"], 2);
    let phone = Phone::new(server.address());
    assert_eq!(phone.register(&passwords[0].0, &passwords[0].1), 200);
    let guess = Phone::new(server.address());
    assert!(matches!(guess.register(&passwords[1].0, &passwords[0].1), 401 | 403));
    assert_eq!(server.terminate().1, "");
}

#[test]
fn what_was_answered_survives_sigkill() {
    let data = tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    assert_eq!(ringback(&["user", "add", "carol", "--password-stdin", "--data", folder], "secret\n").status, Some(0));
    let server = Server::start(data.path());
    assert_eq!((server.ready["accounts"].as_u64(), server.ready["bindings"].as_u64()), (Some(1), Some(0)));
    assert_eq!(Phone::new(server.address()).register("carol", "secret"), 200);
    server.kill();
    let server = Server::start(data.path());
    assert_eq!(server.ready["bindings"], 1);
    assert_eq!(server.terminate().0, Some(0));
}

#[test]
fn by_default_both_loopback_addresses_are_listened_on() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--listen", "0", "--shards", "2"]);
    assert_eq!(server.ready["shards"], 2);
    let addresses = server.addresses();
    assert!(addresses[0].is_ipv4());
    assert_eq!(addresses.len(), if UdpSocket::bind("[::1]:0").is_ok() { 2 } else { 1 });
    for address in addresses {
        assert_eq!(Phone::new(address).options(), 200);
    }
}

#[test]
fn every_address_of_the_machine_and_a_warning() {
    let data = tempdir().unwrap();
    let mut server = Server::start_with(data.path(), &["--listen", "0.0.0.0:0", "--domain", "a.example"]);
    let addresses = server.addresses();
    assert!(addresses.iter().any(|address| address.ip().is_loopback()), "{addresses:?}");
    assert!(addresses.iter().all(|address| !address.ip().is_unspecified()));
    let beyond = addresses.iter().any(|address| !address.ip().is_loopback());
    server.signal("TERM");
    server.wait_for("ended");
    let (status, stdout, _) = server.end();
    assert_eq!(status, Some(0));
    assert!(stdout.contains("domain       a.example"), "{stdout}");
    // Where the machine has nothing but loopback there is nothing to warn of.
    let again = Server::start_with(data.path(), &["--listen", "0.0.0.0:0"]).terminate().2;
    assert_eq!(again.iter().any(|line| line["level"] == "WARN"), beyond, "{again:?}");
}

#[test]
fn a_taken_port_is_named_and_leaves_nothing_behind() {
    let data = tempdir().unwrap();
    let folder = data.path().join("new");
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for shards in ["1", "2"] {
        let done =
            ringback(&["serve", "--listen", &address, "--shards", shards, "--data", folder.to_str().unwrap()], "");
        assert_eq!((done.status, done.stdout.as_str()), (Some(3), ""));
        let expected = format!(
            "ringback: UDP {address} is taken by another process; end that one, or choose another port with --listen ADDRESS:PORT\n"
        );
        assert_eq!(done.stderr, expected);
    }
    assert!(!folder.exists());
}

#[test]
fn an_address_of_another_machine_is_named() {
    let data = tempdir().unwrap();
    let done = ringback(&["serve", "--listen", "192.0.2.1:0", "--data", data.path().to_str().unwrap()], "");
    assert_eq!(done.status, Some(3));
    assert!(
        done.stderr.starts_with("ringback: 192.0.2.1 is no address of this machine; ")
            && done.stderr.lines().count() == 1
    );
}

#[test]
fn a_folder_that_can_not_be_one_is_named() {
    let data = tempdir().unwrap();
    let file = data.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let done = ringback(&["serve", "--listen", "127.0.0.1:0", "--data", path.to_str().unwrap()], "");
        assert_eq!((done.status, done.stdout.as_str()), (Some(4), ""));
        let expected = format!(
            "ringback: {}: a file is in the place of the data folder; name another one with --data DIR\n",
            path.display()
        );
        assert_eq!(done.stderr, expected);
    }
}

#[test]
fn broken_databases_and_those_in_use_are_named() {
    let data = tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let server = Server::start(data.path());
    for args in [&["serve", "--listen", "127.0.0.1:0", "--data", folder][..], &["user", "list", "--data", folder]] {
        let done = ringback(args, "");
        assert_eq!(done.status, Some(4), "{args:?}");
        assert!(
            done.stderr.contains("accounts.redb: another process has it open; ") && done.stderr.lines().count() == 1
        );
    }
    server.terminate();
    for file in ["location.redb", "accounts.redb"] {
        fs::write(data.path().join(file), "no database ".repeat(1_000)).unwrap();
        let done = ringback(&["serve", "--listen", "127.0.0.1:0", "--data", folder], "");
        assert_eq!((done.status, done.stdout.as_str()), (Some(4), ""), "{}", done.stderr);
        assert!(done.stderr.starts_with(&format!("ringback: {folder}/{file}: ")), "{}", done.stderr);
    }
}

#[test]
fn what_is_not_understood_has_status_2() {
    for args in
        [&["serve", "--listen", "a:b:c"][..], &["serve", "--log-level", "=="], &["dance"], &[], &["user", "add", "a b"]]
    {
        let done = ringback(args, "");
        assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(!done.stderr.is_empty());
    }
}

#[test]
fn help_tells_the_statuses_and_failures_are_objects_where_the_log_is() {
    let help = ringback(&["serve", "--help"], "");
    assert_eq!(help.status, Some(0));
    assert!(["Exit status:", "130", "--listen", "Examples:"].iter().all(|text| help.stdout.contains(text)));
    let data = tempdir().unwrap();
    let done =
        ringback(&["serve", "--log", "json", "--listen", "192.0.2.1:0", "--data", data.path().to_str().unwrap()], "");
    let line: serde_json::Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!((line["level"].as_str(), line["exit_status"].as_u64()), (Some("ERROR"), Some(3)));
}

/// The counts of a line of the log, by name.
fn counts(line: &serde_json::Value, field: &str) -> Vec<(String, u64)> {
    let text = line[field].as_str().unwrap_or_else(|| panic!("{field}: {line}"));
    let pairs = text.split_whitespace().map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, count)| (name.to_owned(), count.parse().unwrap())).collect()
}

#[test]
fn counters_are_told_at_a_signal_and_at_the_end() {
    let data = tempdir().unwrap();
    let file = data.path().join("ringback.toml");
    fs::write(&file, "[limits]\nserver_transactions_max = 1\n").unwrap();
    let flags = ["--listen", "127.0.0.1:0", "--shards", "1", "--config", file.to_str().unwrap()];
    let mut server = Server::start_with(&data.path().join("data"), &flags);
    server.signal("USR1");
    let line = server.wait_for("counters");
    // Nobody has come yet; but there is a database.
    let others = |all: &[(String, u64)]| all.iter().filter(|(name, _)| !name.starts_with("location.")).count();
    assert_eq!((line["limits_reached"].as_str(), others(&counts(&line, "counters"))), (Some(""), 0));

    // The transaction of the first is open when the others come.
    let statuses: Vec<_> = (0..3).map(|_| Phone::new(server.address()).options()).collect();
    assert_eq!(statuses, [200, 503, 503]);
    server.signal("USR1");
    let line = server.wait_for("counters");
    assert_eq!(counts(&line, "limits_reached"), [("limits.server_transactions_max".to_owned(), 2)]);
    let all = counts(&line, "counters");
    for expected in [("stack.requests", 3), ("transactions.server_transactions", 1), ("io.received", 3), ("io.sent", 3)]
    {
        assert!(all.iter().any(|(name, count)| (name.as_str(), *count) == expected), "{expected:?}: {all:?}");
    }
    let (status, _, log) = server.terminate();
    let ended = log.last().unwrap();
    assert_eq!((status, ended["message"].as_str()), (Some(0), Some("ended")));
    assert_eq!(counts(ended, "limits_reached"), [("limits.server_transactions_max".to_owned(), 2)]);
    assert!(counts(ended, "counters").contains(&("stack.requests".to_owned(), 3)));
}
