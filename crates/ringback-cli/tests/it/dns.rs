//! `ringback dns`.

use std::net::UdpSocket;
use std::thread;

use serde_json::Value;

use crate::process::{Done, ringback};

fn dns(args: &[&str]) -> Done {
    ringback(&[&["dns"], args].concat(), "")
}

/// A name server for which each name has these IPv4 addresses and nothing else, and its address.
pub(crate) fn name_server(addresses: &'static [[u8; 4]]) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut buffer = [0; 1_500];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            let question = &buffer[12..length];
            let end = question.iter().position(|byte| *byte == 0).unwrap() + 5;
            let answers = if question[end - 4..end] == [0, 1, 0, 1] { addresses } else { &[] };
            let mut answer = buffer[..2].to_vec();
            answer.extend([0x81, 0x80, 0, 1, 0, u8::try_from(answers.len()).unwrap(), 0, 0, 0, 0]);
            answer.extend(&question[..end]);
            for address in answers {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                answer.extend(address);
            }
            socket.send_to(&answer, peer).unwrap();
        }
    });
    address
}

#[test]
fn a_walk_is_drawn_and_ends_in_targets() {
    let server = name_server(&[[192, 0, 2, 7]]);
    let done = dns(&["sip:bob@example.com", "--server", &server, "--transports", "tcp,udp", "--ipv4"]);
    let tree = "\
sip:bob@example.com
example.com (no NAPTR of use: each of our transports is asked for; no SRV: addresses of the name, by UDP, port 5060)
├─ NAPTR example.com: nothing
├─ SRV _sip._tcp.example.com: nothing (by TCP)
├─ SRV _sip._udp.example.com: nothing (by UDP)
└─ A example.com
       A 192.0.2.7  ttl 60

1. UDP 192.0.2.7:5060
";
    assert_eq!((done.status, done.stdout.as_str(), done.stderr.as_str()), (Some(0), tree, ""));
}

#[test]
fn the_same_as_json() {
    let server = name_server(&[[192, 0, 2, 7]]);
    let done = dns(&["sips:example.com", "--server", &server, "--json"]);
    let walk: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.status, &walk["failure"]), (Some(0), &Value::Null));
    let target = &walk["targets"][0];
    assert_eq!(
        (&target["transport"], &target["address"], &target["port"]),
        (&"TLS".into(), &"192.0.2.7".into(), &5061.into())
    );
    assert_eq!(target["identity"], "example.com");
    let asked: Vec<String> = walk["steps"].as_array().unwrap()[1..]
        .iter()
        .map(|step| {
            format!(
                "{} {} {}",
                step["kind"].as_str().unwrap(),
                step["name"].as_str().unwrap(),
                step["outcome"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(asked[..2], ["NAPTR example.com nothing", "SRV _sips._tcp.example.com nothing"]);
    assert!(asked.contains(&"A example.com records".to_owned()), "{asked:?}");
}

#[test]
fn what_needs_no_name_server() {
    let done = dns(&["sip:[2001:db8::1]:5070;transport=tcp"]);
    assert_eq!((done.status, done.stdout.contains("1. TCP [2001:db8::1]:5070\n")), (Some(0), true), "{}", done.stdout);
    let via = dns(&["--via", "SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1"]);
    assert!(via.stdout.contains("1. TCP 192.0.2.1:5060\n"), "{}", via.stdout);
    let maddr = "sip:b.example;maddr=192.0.2.9";
    assert!(dns(&[maddr, "--maddr"]).stdout.contains("1. UDP 192.0.2.9:5060\n"));
}

#[test]
fn what_leads_nowhere() {
    let done = dns(&["sip:phone.invalid"]);
    assert_eq!(done.status, Some(1));
    assert!(done.stdout.contains("leads nowhere: its name is none that can be looked up\n"), "{}", done.stdout);
    // A name server that is bound and says nothing.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = silent.local_addr().unwrap().to_string();
    let done = dns(&["sip:b.example:5060", "--server", &server, "--ipv4"]);
    assert_eq!(done.status, Some(1));
    assert!(done.stdout.contains("leads nowhere: the resolver doesn't answer\n"), "{}", done.stdout);
}

#[test]
fn what_can_not_be_understood() {
    for args in [
        &["bob"][..],
        &["tel:+1"],
        &["sip:b.example;transport=sctp"],
        &["sips:b.example;transport=udp"],
        &["--via", "SIP/2.0/SCTP b.example"],
        &["sip:b.example", "--server", "example.com"],
        &["sip:b.example", "--ipv4", "--ipv6"],
    ] {
        let done = dns(args);
        assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(!done.stderr.is_empty());
    }
}
