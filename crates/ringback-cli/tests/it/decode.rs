//! `ringback decode`.

use std::fs;

use ringback_capture::PcapWriter;
use serde_json::Value;
use tempfile::tempdir;

use crate::process::{Done, ringback};

const INVITE: &str = "INVITE sip:bob@b.example SIP/2.0\r\nv: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nMax-Forwards: 7x0\r\n\
    From: \"A\" <sip:a@a.example>;tag=1\r\nTo: <sip:bob@b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 INVITE\r\n\
    X-Odd: a\x1b[2Jb\r\nContact: <sip:a@a.example>\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";
const BUSY: &str = "SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n\
    To: <sip:bob@b.example>;tag=2\r\nCall-ID: 7@a.example\r\nCSeq: 1 INVITE\r\nRetry-After: 60 (in a call)\r\n\
    Content-Length: 0\r\n\r\n";

fn decode(stdin: &str, flags: &[&str]) -> Done {
    ringback(&[&["decode", "-"], flags].concat(), stdin)
}

#[test]
fn messages_are_shown_with_the_parts_of_their_fields() {
    let done = decode(BUSY, &[]);
    assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""));
    for text in [
        "message 1, line 1, ",
        "\nSIP/2.0 486 Busy Here\n",
        "transport UDP, host a.example, branch z9hG4bK1\n",
        "uri sip:bob@b.example, tag 2\n",
        "seconds 60, comment (in a call)\n",
    ] {
        assert!(done.stdout.contains(text), "{text}: {}", done.stdout);
    }
    assert!(!done.stdout.contains("error"));
}

#[test]
fn faults_have_a_caret_under_their_place() {
    let done = decode(&format!("{INVITE}{BUSY}"), &[]);
    assert_eq!((done.status, done.stderr.as_str()), (Some(1), ""));
    let drawn = "error: Max-Forwards is wrong\n --> standard input, message 1:3:16\n  |\n3 | Max-Forwards: 7x0\n  |                ^ expected";
    assert!(done.stdout.contains(drawn), "{}", done.stdout);
    assert!(done.stdout.contains("= note: RFC 3261, Section 20.22\n"), "{}", done.stdout);
    assert!(done.stdout.contains("\nmessage 2, line 14, "), "{}", done.stdout);
    // A terminal must not obey what a peer has sent.
    assert!(!done.stdout.contains('\x1b') && done.stdout.contains("a\u{241b}[2Jb"), "{}", done.stdout);
}

#[test]
fn what_is_missing_is_a_matter_of_depth() {
    let text = BUSY.replace("486 Busy Here", "423 Interval Too Brief");
    let done = decode(&text, &[]);
    assert_eq!(done.status, Some(1));
    assert!(done.stdout.contains("error: Min-Expires is missing\n"), "{}", done.stdout);
    assert!(done.stdout.contains("which a 423 carries"), "{}", done.stdout);
    assert_eq!(decode(&text, &["--depth", "syntax"]).status, Some(0));
    assert_eq!(decode(INVITE, &["--depth", "syntax"]).status, Some(1));
    assert_eq!(decode(INVITE, &["--depth", "framing"]).status, Some(0));
}

#[test]
fn json_has_the_message_its_origin_and_its_faults() {
    let done = decode(&format!("{INVITE}{BUSY}"), &["--json"]);
    assert_eq!(done.status, Some(1));
    let whole: Value = serde_json::from_str(&done.stdout).unwrap();
    let messages = whole["messages"].as_array().unwrap();
    assert_eq!((messages.len(), messages[0]["message"]["method"].as_str()), (2, Some("INVITE")));
    assert_eq!(messages[0]["message"]["headers"][0]["typed"][0]["host"], "a.example");
    let fault = &messages[0]["faults"][0];
    assert_eq!((fault["depth"].as_str(), fault["header"].as_str()), (Some("syntax"), Some("Max-Forwards")));
    let byte = usize::try_from(fault["byte"].as_u64().unwrap()).unwrap();
    assert_eq!((INVITE.get(byte..byte + 2), fault["section"].as_str()), (Some("x0"), Some("RFC 3261, Section 20.22")));
    assert_eq!(
        (messages[1]["origin"]["line"].as_u64(), messages[1]["faults"].as_array().unwrap().len()),
        (Some(14), 0)
    );
    assert_eq!(whole["notes"], Value::Array(Vec::new()));
}

/// Every name that a command puts around a message stands in docs/json.md.
#[test]
fn names_of_json_are_documented() {
    let page = include_str!("../../../../docs/json.md");
    let assert_keys = |value: &Value| {
        for key in value.as_object().unwrap().keys() {
            assert!(page.contains(&format!("`{key}`")), "{key}");
        }
    };
    let folder = tempdir().unwrap();
    let file = folder.path().join("trace.pcap");
    let (a, b) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
    let mut writer = PcapWriter::new();
    writer.datagram(1, a, b, INVITE.as_bytes()).unwrap();
    fs::write(&file, writer.take()).unwrap();
    let printed = |command: &str, what: &str| -> Value {
        serde_json::from_str(&ringback(&[command, what, "--json"], "").stdout).unwrap()
    };
    let path = file.to_str().unwrap();
    let whole = printed("decode", path);
    let found = &whole["messages"][0];
    [&whole, found, &found["origin"], &found["faults"][0]].into_iter().for_each(assert_keys);
    let findings = printed("lint", path);
    findings.as_array().unwrap().iter().for_each(|finding| {
        assert_keys(finding);
        assert_keys(&finding["origin"]);
    });
    let terms = printed("explain", "Timer B");
    [&terms[0], &terms[0]["causes"][0]].into_iter().filter(|value| value.is_object()).for_each(assert_keys);
    let code = printed("explain", "486");
    assert_keys(&code[0]["entries"][0]["causes"][0]);
}

#[test]
fn captures_are_read() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("trace.pcap");
    let (a, b) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
    let mut writer = PcapWriter::new();
    writer.datagram(1_700_000_000_000_000, a, b, INVITE.replace("7x0", "70").as_bytes()).unwrap();
    writer.datagram(1_700_000_000_500_000, b, a, BUSY.as_bytes()).unwrap();
    fs::write(&file, writer.take()).unwrap();
    let done = ringback(&["decode", file.to_str().unwrap()], "");
    assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""), "{}", done.stdout);
    let place = "message 2, frame 2, 192.0.2.2:5060 > 192.0.2.1:5060 by UDP, at 1700000000.500000, ";
    assert!(done.stdout.contains(place), "{}", done.stdout);
}

/// What is missing may stand in the part that the capture lacks.
#[test]
fn of_a_message_that_was_cut_only_what_is_there_is_judged() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("trace.pcap");
    let (a, b) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
    let mut writer = PcapWriter::new();
    writer.datagram(0, a, b, INVITE.as_bytes()).unwrap();
    let whole = writer.take();
    let faults = |lost: usize| {
        let mut bytes = whole[..whole.len() - lost].to_vec();
        let kept = u32::from_le_bytes(bytes[32..36].try_into().unwrap()) - u32::try_from(lost).unwrap();
        bytes[32..36].copy_from_slice(&kept.to_le_bytes());
        fs::write(&file, bytes).unwrap();
        let done = ringback(&["decode", file.to_str().unwrap(), "--json"], "");
        assert_eq!(done.status, Some(1), "{}", done.stderr);
        let all: Value = serde_json::from_str(&done.stdout).unwrap();
        let message = &all["messages"][0];
        let faults = message["faults"].as_array().unwrap().iter();
        (message["cut"].as_bool(), faults.map(|fault| fault["header"].as_str().unwrap().to_owned()).collect::<Vec<_>>())
    };
    let max_forwards = vec!["Max-Forwards".to_owned()];
    assert_eq!(faults(0), (Some(false), max_forwards.clone()));
    // In the body, behind the number of CSeq, and in the Call-ID.
    let to_call_id = INVITE.len() - INVITE.find("CSeq").unwrap() + 4;
    for lost in [3, INVITE.len() - INVITE.find(" INVITE\r").unwrap(), to_call_id] {
        assert_eq!(faults(lost), (Some(true), max_forwards.clone()), "{lost}");
    }
}

/// What keeps a binding alive may stand before a message in its datagram.
#[test]
fn a_caret_is_in_its_place_behind_empty_lines() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("trace.pcap");
    let (a, b) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
    let mut writer = PcapWriter::new();
    writer.datagram(0, a, b, format!("\r\n\r\n{INVITE}").as_bytes()).unwrap();
    fs::write(&file, writer.take()).unwrap();
    let done = ringback(&["decode", file.to_str().unwrap()], "");
    let drawn = "3 | Max-Forwards: 7x0\n  |                ^ expected";
    assert!(done.stdout.contains(drawn), "{}", done.stdout);
}

#[test]
fn what_stands_before_a_damaged_place_is_told() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("trace.pcap");
    let (a, b) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
    let mut writer = PcapWriter::new();
    writer.datagram(0, a, b, BUSY.as_bytes()).unwrap();
    let mut bytes = writer.take();
    bytes.extend_from_slice(&[0xff; 64]);
    fs::write(&file, bytes).unwrap();
    let done = ringback(&["decode", file.to_str().unwrap(), "--json"], "");
    assert_eq!(done.status, Some(2));
    assert!(done.stderr.starts_with("ringback: ") && done.stderr.contains("trace.pcap: byte "), "{}", done.stderr);
    let whole: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(whole["messages"][0]["message"]["status"], 486);
}

/// What `explain` prints can be pasted into `decode`.
#[test]
fn text_that_an_editor_has_saved_is_read() {
    let explained = ringback(&["explain", "401"], "").stdout;
    let (_, example) = explained.split_once("  Example\n").unwrap();
    let done = decode(example, &[]);
    assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""), "{}", done.stdout);
    assert!(done.stdout.contains("WWW-Authenticate") && done.stdout.contains("algorithm"), "{}", done.stdout);
}

#[test]
fn what_is_broken_from_its_first_line_on_is_still_told() {
    let done = decode("INVITE sip:bob@b.example\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n\r\n", &[]);
    assert_eq!(done.status, Some(1));
    let drawn = "1 | INVITE sip:bob@b.example\n  |                         ^ expected";
    assert!(done.stdout.contains(drawn) && done.stdout.contains("error: Call-ID is missing"), "{}", done.stdout);
}

#[test]
fn what_is_no_sip_or_can_not_be_read_has_status_2() {
    for (stdin, args, text) in [
        ("hello\n", &["decode", "-"][..], "ringback: standard input: no SIP message is in it\n"),
        ("", &["decode", "-", "--json"], "ringback: standard input: no SIP message is in it\n"),
        (&"\0".repeat(20), &["decode", "-"], "ringback: standard input: no SIP message is in it\n"),
        (&"\x01\x7f\u{7ff}\0 ".repeat(20_000), &["decode", "-"], "ringback: standard input: no SIP message is in it\n"),
        ("", &["decode", "/nonexistent"], "ringback: /nonexistent: can't be read: "),
        ("\x1f\u{8b}", &["decode", "-"], "ringback: "),
    ] {
        let done = ringback(args, stdin);
        assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(done.stderr.contains(text), "{}", done.stderr);
    }
}
