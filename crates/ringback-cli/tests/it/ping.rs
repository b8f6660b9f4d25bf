//! `ringback ping`.

use std::fs;
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::tempdir;

use crate::dns::name_server;
use crate::process::{Done, Server, background, ringback, ringback_with};

fn ping(args: &[&str]) -> Done {
    ringback(&[&["ping"], args].concat(), "")
}

/// Somebody at a UDP port of 127.0.0.1 who says for each request, counted from 1, what the answer begins with: none where that is empty.
fn peer(says: impl Fn(usize, &str) -> &'static str + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 65_536];
        let mut number = 0;
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
            number += 1;
            let start = says(number, &request);
            let copied =
                request.lines().filter(|line| ["Via", "From", "Call-ID", "CSeq"].iter().any(|n| line.starts_with(n)));
            let lines: String = copied.map(|line| format!("{line}\r\n")).collect();
            let to = request.lines().find(|line| line.starts_with("To")).unwrap();
            if !start.is_empty() {
                let answer = format!("{start}\r\n{lines}{to};tag=7\r\nContent-Length: 0\r\n\r\n");
                socket.send_to(answer.as_bytes(), from).unwrap();
            }
        }
    });
    address
}

fn events(done: &Done) -> Vec<Value> {
    done.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[test]
fn what_is_sent_again_is_counted_and_timed_from_its_first_sending() {
    let drops_the_first = peer(|number, _| if number == 1 { "" } else { "SIP/2.0 404 Not Found" });
    let uri = format!("sip:bob@{drops_the_first}");
    let done = ping(&[&uri, "-c", "2", "-i", "0.7", "--json"]);
    let events = events(&done);
    let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(
        (done.status, kinds.as_slice()),
        (Some(0), &["targets", "answer", "answer", "statistics"][..]),
        "{}",
        done.stderr
    );
    let (first, second, statistics) = (&events[1], &events[2], &events[3]);
    assert_eq!((&first["code"], &first["reason"], &first["sent_again"]), (&404.into(), &"Not Found".into(), &1.into()));
    assert!(first["rtt_ms"].as_f64().unwrap() >= 500.0, "{first}");
    assert_eq!(
        (&second["sent_again"], &second["transport"], &second["from"]),
        (&0.into(), &"UDP".into(), &drops_the_first.to_string().into())
    );
    assert_eq!(
        (&statistics["sent"], &statistics["sent_again"], &statistics["codes"]["404"]),
        (&2.into(), &1.into(), &2.into())
    );
}

#[test]
fn what_is_not_accepted_or_lost_is_told_by_the_status() {
    let refuses = format!("sip:{}", peer(|_, _| "SIP/2.0 503 Service Unavailable"));
    assert_eq!(ping(&[&refuses, "-c", "1", "--accept", "2xx,503"]).status, Some(0));
    let done = ping(&[&refuses, "-c", "1", "--accept", "200"]);
    assert_eq!(
        (done.status, done.stdout.contains("503 Service Unavailable"), done.stdout.contains("(not accepted)")),
        (Some(1), true, true)
    );
    let silent = format!("sip:{}", peer(|_, _| ""));
    let done = ping(&[&silent, "-c", "1", "-W", "0.7"]);
    assert_eq!(done.status, Some(1));
    assert!(done.stdout.contains("lost: no answer within 0.7 s sent again=1"), "{}", done.stdout);
    let nobody = "sip:127.0.0.1:1;transport=tcp";
    let done = ping(&[nobody, "sip:nobody.invalid", "-c", "1", "--json"]);
    let lost = |uri: &str| {
        let of_it = |event: &Value| event["event"] == "lost" && event["uri"] == uri;
        events(&done).into_iter().find(of_it).unwrap()["kind"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (done.status, lost(nobody), lost("sip:nobody.invalid")),
        (Some(1), "refused".to_owned(), "name".to_owned())
    );
}

/// A name with two addresses, at one of which nobody is.
#[test]
fn one_dead_target_of_two_is_passed_over_and_seen_where_each_is_asked() {
    let names = name_server(&[[127, 0, 0, 2], [127, 0, 0, 1]]);
    let port = peer(|_, _| "SIP/2.0 200 OK").port();
    let uri = format!("sip:b.example:{port}");
    let flags = ["-c", "2", "-i", "0.1", "--json", "--ipv4", "--name-server", &names];
    let done = ping(&[&[uri.as_str()], &flags[..]].concat());
    let told = events(&done);
    let answers: Vec<&Value> = told.iter().filter(|event| event["event"] == "answer").collect();
    assert_eq!((done.status, answers.len()), (Some(0), 2), "{}", done.stdout);
    assert!(answers.iter().all(|answer| answer["address"] == "127.0.0.1" && answer["host"] == "b.example"));
    // Chance says which comes first.
    assert!(told.iter().filter(|event| event["event"] == "passed_over").all(|event| event["address"] == "127.0.0.2"));

    let done = ping(&[&[uri.as_str(), "--each"], &flags[..]].concat());
    let told = events(&done);
    let statistics = |address: &str| {
        let of_it = |event: &&Value| event["event"] == "statistics" && event["address"] == address;
        told.iter().find(of_it).unwrap_or_else(|| panic!("{}", done.stdout))
    };
    let (alive, dead) = (statistics("127.0.0.1"), statistics("127.0.0.2"));
    assert_eq!((done.status, &alive["accepted"], &dead["losses"]["refused"]), (Some(1), &2.into(), &2.into()));
}

#[test]
fn the_request_says_what_it_is_told_to() {
    let wanted = [
        "OPTIONS sip:b.example:5070;user=phone;transport=udp SIP/2.0",
        "Max-Forwards: 0",
        "From: <sip:me@a.example>",
        "To: <sip:b.example;user=phone>",
        "Accept: application/sdp",
    ];
    let reads = peer(move |_, request| {
        let is_so = wanted.iter().all(|wanted| request.lines().any(|line| line.starts_with(wanted)));
        if is_so { "SIP/2.0 483 Too Many Hops" } else { "SIP/2.0 400 Otherwise" }
    });
    let at = format!("sip:{reads}");
    let done = ping(&[
        "sip:b.example:5070;user=phone;transport=udp",
        "--at",
        &at,
        "-c",
        "1",
        "--max-forwards",
        "0",
        "--from",
        "sip:me@a.example",
        "--accept",
        "483",
    ]);
    assert_eq!(done.status, Some(0), "{}", done.stdout);
}

#[test]
fn over_tls_it_says_what_is_wrong_with_the_certificate() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--listen", "127.0.0.1:0", "--tls-self-signed"]);
    let uri = format!("sips:localhost:{}", server.tls_address().port());
    let root = data.path().join("self-signed.pem");
    let flags = ["-c", "1", "--ipv4"];
    let done = ping(&[&[uri.as_str()], &flags[..]].concat());
    assert_eq!(done.status, Some(1));
    assert!(done.stdout.contains("no root that is trusted leads to it"), "{}", done.stdout);
    for more in [&["--ca", root.to_str().unwrap()][..], &["--insecure"]] {
        let done = ping(&[&[uri.as_str()], &flags[..], more].concat());
        assert_eq!((done.status, done.stdout.contains("200 OK")), (Some(0), true), "{}", done.stdout);
    }
}

#[test]
fn a_challenge_is_answered() {
    let challenges = peer(|_, request| {
        if request.contains("Authorization: Digest") && request.contains("username=\"bob\"") {
            "SIP/2.0 200 OK"
        } else {
            "SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"7\", algorithm=MD5"
        }
    });
    let uri = format!("sip:bob@{challenges}");
    assert!(ping(&[&uri, "-c", "1"]).stdout.contains("401 Unauthorized"));
    let args = ["ping", &uri, "-c", "1", "--user", "bob", "--accept", "200"];
    assert_eq!(ringback_with(&[("RINGBACK_PASSWORD", "secret")], &args, "").status, Some(0));
    let folder = tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "secret\n").unwrap();
    assert_eq!(ping(&[&args[1..], &["--password-file", file.to_str().unwrap()]].concat()).status, Some(0));
}

/// By default who asks is the user, whom a registrar knows by its domain.
#[test]
fn credentials_that_are_refused_are_no_good_answer() {
    let refuses = peer(|_, request| {
        if request.contains("From: <sip:j.%20doe@127.0.0.1>") {
            "SIP/2.0 407 Proxy Authentication Required\r\nProxy-Authenticate: Digest realm=\"a\", nonce=\"7\""
        } else {
            "SIP/2.0 403 Forbidden"
        }
    });
    let run = |more: &[&str]| {
        let uri = format!("sip:{refuses}");
        let args = [&["ping", &uri, "-c", "1", "--user", "j. doe"], more].concat();
        ringback_with(&[("RINGBACK_PASSWORD", "wrong")], &args, "")
    };
    let done = run(&[]);
    assert_eq!(done.status, Some(1));
    for part in ["407 Proxy", "(the credentials are refused)", "1 answered, 0 accepted"] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    assert_eq!(run(&["--accept", "407"]).status, Some(0));
    let unknown =
        peer(|_, _| "SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"7\", algorithm=X");
    let args = ["ping", &format!("sip:{unknown}"), "-c", "1", "--user", "bob"];
    let done = ringback_with(&[("RINGBACK_PASSWORD", "secret")], &args, "");
    assert_eq!(
        (done.status, done.stdout.contains("(its challenge can't be answered)")),
        (Some(1), true),
        "{}",
        done.stdout
    );
    let done = run(&["--from", "sip:me@a.example"]);
    assert_eq!((done.status, done.stdout.contains("403 Forbidden")), (Some(0), true), "{}", done.stdout);
}

/// One that reads a request and closes, by TCP.
#[test]
fn a_connection_that_is_closed_without_an_answer_is_lost() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            _ = socket.read(&mut [0; 65_536]);
        }
    });
    let uri = format!("sip:{address};transport=tcp");
    let done = ping(&[&uri, "-c", "1"]);
    let wanted = format!("{uri} seq=1 lost: the connection was closed without an answer by TCP {address}\n");
    assert!(done.stdout.contains(&wanted), "{}", done.stdout);
    let told = events(&ping(&[&uri, "-c", "1", "--json"]));
    assert!(told.iter().any(|event| event["event"] == "lost" && event["kind"] == "lost"), "{told:?}");
}

#[test]
fn a_domain_is_a_uri_and_what_is_wrong_with_one_is_said_in_plain_words() {
    let uri = peer(|_, _| "SIP/2.0 200 OK").to_string();
    let done = ping(&[&uri, "-c", "1"]);
    assert_eq!((done.status, done.stdout.starts_with(&format!("sip:{uri} leads to UDP "))), (Some(0), true));
    for (args, wanted) in [
        (&["b.example:x"][..], "URI, byte 10: expected"),
        (&["b.example", "--at", "sip:b.example:x"], "URI, byte 14: expected"),
        (&["wss:x"], "only sip and sips URIs lead to a server"),
        (&["b.example", "-c", "-1"], "expected a number, 1 to 1000000000"),
        (&["b.example", "--max-forwards", "256"], "expected a number, 0 to 255"),
    ] {
        let done = ping(args);
        assert!(done.stderr.contains(wanted), "{args:?}: {}", done.stderr);
    }
    let done = ping(&["127.0.0.1", "--ipv6", "-c", "1"]);
    assert!(done.stdout.contains("leads nowhere: its address is of the family that --ipv4 or"), "{}", done.stdout);
}

#[cfg(unix)]
#[test]
fn an_interrupt_before_any_answer_ends_it_with_the_statistics_too() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let silent = peer(move |number, _| {
        counted.store(number, Ordering::Relaxed);
        ""
    });
    let uri = format!("sip:{silent}");
    let interrupted = |more: &[&str]| {
        asked.store(0, Ordering::Relaxed);
        let running = background(&[&["ping", &uri, "-W", "60", "-i", "60"], more].concat());
        while asked.load(Ordering::Relaxed) == 0 {
            thread::sleep(Duration::from_millis(10));
        }
        running.interrupt()
    };
    let done = interrupted(&[]);
    let wanted = "1 sent, 0 answered, 0 accepted, 0 lost (0.0 %), 0 sent again, 0 late, 1 pending";
    assert_eq!((done.status, done.stdout.contains(wanted)), (Some(1), true), "{}", done.stdout);
    let told = events(&interrupted(&["--json", "--each"]));
    let last = told.last().unwrap();
    assert_eq!((&last["event"], &last["sent"], &last["pending"]), (&"statistics".into(), &1.into(), &1.into()));
    assert_eq!(last["port"], silent.port(), "{last}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_with_the_statistics() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("ringback.prom");
    let uri = format!("sip:{}", peer(|_, _| "SIP/2.0 200 OK"));
    let running = background(&["ping", &uri, "-i", "0.05", "-q", "--textfile", file.to_str().unwrap()]);
    let sample = format!("ringback_ping_up{{uri=\"{uri}\"}} 1\n");
    while !fs::read_to_string(&file).unwrap_or_default().contains(&sample) {
        thread::sleep(Duration::from_millis(10));
    }
    let done = running.interrupt();
    assert_eq!(
        (done.status, done.stdout.contains("0 lost (0.0 %)"), done.stdout.contains("seq=")),
        (Some(0), true, false),
        "{}",
        done.stdout
    );
}

#[test]
fn what_can_not_be_understood() {
    for args in [
        &[][..],
        &["bob@"],
        &["tel:+1"],
        &["wss:b.example"],
        &["sip:b.example", "-c", "-1"],
        &["sip:b.example", "--insecure", "--ca", "roots.pem"],
        &["sip:b.example", "-c", "0"],
        &["sip:b.example", "-i", "0"],
        &["sip:b.example", "--accept", "100"],
        &["sip:b.example", "--at", "tel:+1"],
        &["sip:b.example", "--ca", "/nowhere/roots.pem"],
        &["sip:b.example", "--user", "bob"],
    ] {
        let done = ping(args);
        assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(!done.stderr.is_empty());
    }
}
