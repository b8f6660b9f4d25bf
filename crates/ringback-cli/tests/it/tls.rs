//! `ringback tls`.

use std::net::TcpListener;
use std::thread;

use serde_json::Value;
use tempfile::tempdir;

use crate::process::{Done, Server, ringback};

fn tls(args: &[&str]) -> Done {
    ringback(&[&["tls"], args].concat(), "")
}

fn json(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", done.stdout, done.stderr))
}

#[test]
fn a_server_is_judged_by_its_name_its_root_and_its_days() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--listen", "127.0.0.1:0", "--tls-self-signed"]);
    let root = data.path().join("self-signed.pem");
    let (address, root) = (server.tls_address(), root.to_str().unwrap());
    let by_name = format!("localhost:{}", address.port());
    let done = tls(&[&by_name, "--ipv4", "--ca", root]);
    assert_eq!(done.status, Some(0), "{}", done.stdout);
    for line in [
        "  Protocol     TLS 1.3, ",
        "  Identity     yes: it is for DNS localhost",
        "  Trust        yes: ",
        "  Verdict      fine",
    ] {
        assert!(done.stdout.lines().any(|found| found.starts_with(line)), "{line}: {}", done.stdout);
    }

    let done = tls(&[&format!("sips:{address}"), "--ca", root, "--json"]);
    let shown = tls(&[&format!("sips:{address}"), "--ca", root]).stdout;
    assert!(shown.contains("  Asked for    no name is sent for an address\n"), "{shown}");
    let seen = &json(&done)["servers"][0];
    assert_eq!((done.status, &seen["sni"], &seen["identity_name"]), (Some(0), &Value::Null, &"IP 127.0.0.1".into()));
    assert_eq!((&seen["offers_resumption"], &seen["asks_for_certificate"]), (&true.into(), &false.into()));
    let days = seen["chain"][0]["days_left"].as_u64().unwrap();

    for (flags, problem) in [
        (&[][..], "no root that is trusted leads to it".to_owned()),
        (&["--ca", root, "--server-name", "b.example"], "it is for localhost, and not for b.example".to_owned()),
        (&["--ca", root, "--warn-days", &(days + 1).to_string()], format!("certificate 1 expires in {days} days")),
    ] {
        let done = tls(&[&[by_name.as_str(), "--ipv4", "--json"], flags].concat());
        assert_eq!((done.status, &json(&done)["servers"][0]["problems"]), (Some(1), &Value::from(vec![problem])));
    }
}

#[test]
fn who_speaks_no_tls_is_told_from_who_is_not_there() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            _ = std::io::Write::write_all(&mut socket, b"SIP/2.0 400 Bad Request\r\n\r\n");
        }
    });
    let done = tls(&[&address.to_string()]);
    assert_eq!((done.status, done.stdout.contains("does not speak TLS")), (Some(1), true), "{}", done.stdout);
    let done = tls(&["127.0.0.1:1"]);
    assert_eq!((done.status, done.stdout.contains("Connection refused")), (Some(1), true), "{}", done.stdout);
    let done = tls(&["nobody.invalid", "--json"]);
    assert_eq!((done.status, json(&done)["failure"].is_string()), (Some(1), true));
}

#[test]
fn what_is_wrong_is_said_in_plain_words() {
    for (args, wanted) in [
        (&["wss:x"][..], "only sip and sips URIs lead to a server"),
        (&["b.example:x"], "URI, byte 10: expected"),
        (&["b.example", "--warn-days", "-1"], "expected a number, 0 to"),
    ] {
        let done = tls(args);
        assert!(done.stderr.contains(wanted), "{args:?}: {}", done.stderr);
    }
    let done = tls(&["127.0.0.1", "--ipv6"]);
    assert!(done.stdout.contains("leads nowhere: its address is of the family that --ipv4 or"), "{}", done.stdout);
}

#[test]
fn what_can_not_be_understood() {
    for args in [
        &[][..],
        &["tel:+1"],
        &["sip:b.example;transport=udp"],
        &["b.example", "--ca", "/nowhere/roots.pem"],
        &["b.example", "--cert", "/nowhere/own.pem"],
        &["b.example", "--warn-days", "-1"],
    ] {
        let done = tls(args);
        assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(!done.stderr.is_empty());
    }
}
