//! `ringback lint`.

use std::fs;

use ringback_capture::PcapWriter;
use serde_json::Value;
use tempfile::tempdir;

use crate::process::{Done, ringback};

/// No rule finds anything in it.
const OPTIONS: &str = "OPTIONS sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds;rport\r\n\
    Max-Forwards: 70\r\nFrom: <sip:alice@a.example>;tag=88sja8x7\r\nTo: <sip:bob@b.example>\r\nCall-ID: a84b4c76e66710@a.example\r\n\
    CSeq: 7 OPTIONS\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n";
/// In it, too, as long as its request is not known.
const NOT_FOUND: &str = "SIP/2.0 404 Not Found\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds;rport=5060;received=192.0.2.4\r\n\
    From: <sip:alice@a.example>;tag=99tka9y8\r\nTo: <sip:bob@b.example>;tag=314159ab\r\nCall-ID: a84b4c76e66710@a.example\r\n\
    CSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n";

fn lint(stdin: &str, flags: &[&str]) -> Done {
    ringback(&[&["lint", "-"], flags].concat(), stdin)
}

fn ids(json: &str) -> Vec<String> {
    let whole: Value = serde_json::from_str(json).unwrap();
    whole.as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_finding_has_its_rule_its_section_and_carets_under_its_bytes() {
    let done = lint(&OPTIONS.replace("z9hG4bK776asdhds", "776asdhds"), &[]);
    assert_eq!((done.status, done.stderr.as_str()), (Some(1), ""));
    let drawn = "error[via-branch-no-cookie]: The branch of the top Via doesn't begin with z9hG4bK\n --> standard input, message 1:2:35\n  |\n\
        2 | Via: SIP/2.0/UDP a.example;branch=776asdhds;rport\n  |                                   ^^^^^^^^^ the branch";
    assert!(done.stdout.contains(drawn), "{}", done.stdout);
    assert!(done.stdout.contains("= note: RFC 3261, Section 8.1.1.7\n"), "{}", done.stdout);
    assert!(
        done.stdout.starts_with("message 1, line 1, ") && done.stdout.contains("\nOPTIONS sip:bob@b.example SIP/2.0\n")
    );
    assert!(done.stdout.ends_with("\n1 message: 1 error, 0 warnings, 0 notes\n"), "{}", done.stdout);
}

#[test]
fn a_response_is_judged_with_its_request() {
    for alone in [OPTIONS, NOT_FOUND] {
        let done = lint(alone, &[]);
        let wanted = (Some(0), "1 message: 0 errors, 0 warnings, 0 notes\n");
        assert_eq!((done.status, done.stdout.as_str()), wanted, "{}", done.stdout);
    }
    let pair = format!("{OPTIONS}{NOT_FOUND}");
    let done = lint(&pair, &[]);
    assert_eq!(done.status, Some(1));
    assert!(done.stdout.contains("error[response-from-differs]: "), "{}", done.stdout);
    assert!(done.stdout.ends_with("\n2 messages: 1 error, 0 warnings, 0 notes\n"), "{}", done.stdout);
    // It answers neither another branch nor another CSeq nor another call.
    for (part, other) in
        [("=z9hG4bK776asdhds;rport\r", "=z9hG4bK0;rport\r"), ("CSeq: 7", "CSeq: 8"), ("a84b4c", "b84b4c")]
    {
        let apart = format!("{}{NOT_FOUND}", OPTIONS.replace(part, other));
        assert_eq!(lint(&apart, &[]).status, Some(0), "{other}");
    }
}

/// Captures of several cards have messages in another order than they were sent.
#[test]
fn a_request_may_stand_behind_its_response() {
    let other = |number: u32| OPTIONS.replace("a84b4c", "b84b4c").replace("CSeq: 7", &format!("CSeq: {number}"));
    for between in [0, 1, 62] {
        let others: String = (1..=between).map(other).collect();
        let done = lint(&format!("{NOT_FOUND}{others}{}", OPTIONS.replace("70", "7x0")), &["--json"]);
        assert_eq!(ids(&done.stdout), ["response-from-differs", "header-value-malformed"], "{between}");
        let whole: Value = serde_json::from_str(&done.stdout).unwrap();
        let numbers = [&whole[0]["message"], &whole[1]["message"]].map(Value::as_u64);
        assert_eq!(numbers, [Some(1), Some(between as u64 + 2)]);
    }
    // Not for ever: what is held back has a bound.
    let others: String = (1..=64).map(other).collect();
    assert_eq!(lint(&format!("{NOT_FOUND}{others}{OPTIONS}"), &[]).status, Some(0));
    // What stands behind a response that waits in vain is told in its turn.
    let done = lint(&format!("{NOT_FOUND}{}", other(1).replace("70", "7x0")), &[]);
    assert_eq!(done.status, Some(1));
    assert!(done.stdout.starts_with("message 2, line 9, "), "{}", done.stdout);
    assert!(done.stdout.ends_with("\n2 messages: 1 error, 0 warnings, 0 notes\n"), "{}", done.stdout);
}

#[test]
fn findings_that_are_left_out_are_counted() {
    let much =
        OPTIONS.replace("Accept:", &format!("{}Max-Forwards: 7x0\r\nAccept:", "Supported: nonsense\r\n".repeat(400)));
    let done = lint(&much, &[]);
    assert_eq!(done.status, Some(1));
    let told = "[left-out]: There is more to find in this message than is told\n";
    assert!(done.stdout.contains(told) && done.stdout.contains("error[header-value-malformed]"), "{}", done.stdout);
    let (_, summary) = done.stdout.trim_end().rsplit_once('\n').unwrap();
    let done = lint(&much, &["--json"]);
    let whole: Value = serde_json::from_str(&done.stdout).unwrap();
    let (last, findings) = whole.as_array().unwrap().split_last().unwrap();
    assert_eq!((last["rule"].as_str(), last["message"].as_u64()), (Some("left-out"), Some(1)));
    let counted = |severity: &str| {
        let told = findings.iter().filter(|finding| finding["severity"] == severity).count() as u64;
        told + last["left_out"][format!("{severity}s")].as_u64().unwrap()
    };
    let [errors, warnings, notes] = ["error", "warning", "note"].map(counted);
    let plural = |count: u64, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let wanted = [plural(errors, "error"), plural(warnings, "warning"), plural(notes, "note")].join(", ");
    assert_eq!(summary, format!("1 message: {wanted}"));
    assert!(findings.len() == 256 && errors + warnings + notes > 400);
    // What isn't wanted isn't missed.
    assert!(!lint(&much, &["--only", "error"]).stdout.contains("left-out"));
}

#[test]
fn json_is_an_array_of_findings() {
    let text = format!("{}{NOT_FOUND}", OPTIONS.replace("Max-Forwards: 70", "Max-Forwards: 7x0"));
    let done = lint(&text, &["--json"]);
    assert_eq!((done.status, done.stderr.as_str()), (Some(1), ""));
    assert_eq!(ids(&done.stdout), ["header-value-malformed", "response-from-differs"]);
    let whole: Value = serde_json::from_str(&done.stdout).unwrap();
    let (first, second) = (&whole[0], &whole[1]);
    let byte = usize::try_from(first["byte"].as_u64().unwrap()).unwrap();
    assert_eq!((text.get(byte..byte + 2), first["length"].as_u64()), (Some("x0"), Some(1)));
    assert_eq!(
        (first["severity"].as_str(), first["section"].as_str()),
        (Some("error"), Some("RFC 3261, Section 20.22"))
    );
    assert_eq!((second["message"].as_u64(), second["origin"]["line"].as_u64()), (Some(2), Some(11)));
    for name in ["what", "text", "why"] {
        assert!(second[name].as_str().is_some_and(|text| !text.is_empty()), "{name}");
    }
    assert_eq!(lint(OPTIONS, &["--json"]).stdout, "[]\n");
}

#[test]
fn rules_are_off_or_have_another_severity() {
    // A note and a warning.
    let odd = OPTIONS.replace(";rport", "").replace("Accept: application/sdp\r\n", "");
    let ids_with = |flags: &[&str]| {
        let done = lint(&odd, &[&["--json"], flags].concat());
        (done.status, ids(&done.stdout))
    };
    let [warning, note] = ["table-header-recommended", "via-rport-missing"].map(str::to_owned);
    assert_eq!(ids_with(&[]), (Some(0), vec![warning.clone(), note.clone()]));
    assert_eq!(ids_with(&["--strict"]), (Some(1), vec![warning.clone(), note.clone()]));
    assert_eq!(ids_with(&["--only", "warning"]), (Some(0), vec![warning.clone()]));
    assert_eq!(ids_with(&["--only", "error", "--strict"]), (Some(0), vec![]));
    assert_eq!(ids_with(&["--off", &warning, "--strict"]), (Some(0), vec![note.clone()]));
    assert_eq!(ids_with(&["--off", &warning, "--off", &note]), (Some(0), vec![]));
    assert_eq!(ids_with(&["--severity", "via-rport-missing=error", "--only", "error"]), (Some(1), vec![note]));
    let unknown = lint(&odd, &["--off", "via-rport-mising"]);
    assert_eq!(unknown.status, Some(2));
    assert!(unknown.stderr.contains("the nearest is via-rport-missing"), "{}", unknown.stderr);
    for severity in ["via-rport-missing", "via-rport-missing=fatal", "none=error"] {
        assert_eq!(lint(&odd, &["--severity", severity]).status, Some(2), "{severity}");
    }
}

#[test]
fn rules_are_listed_as_the_flags_have_them() {
    let rules = |flags: &[&str]| -> Vec<Value> {
        let done = ringback(&[&["lint", "--rules", "--json"], flags].concat(), "");
        assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""));
        serde_json::from_str(&done.stdout).unwrap()
    };
    let all = rules(&[]);
    let errors = rules(&["--only", "error", "--off", "max-forwards-missing", "--severity", "tag-short=error"]);
    let count = |severity| all.iter().filter(|rule| rule["severity"] == severity).count();
    assert!(count("note") > 0 && count("warning") > 0);
    // One is off, and a note has become an error.
    assert_eq!(errors.len(), count("error"));
    let has = |id| errors.iter().any(|rule| rule["rule"] == id);
    assert_eq!((has("tag-short"), has("max-forwards-missing"), has("via-branch-no-cookie")), (true, false, true));
    let text = ringback(&["lint", "--rules"], "").stdout;
    assert!(text.contains(
        "\n  error    max-forwards-missing  RFC 3261, Section 8.1.1.6\n           A request has no Max-Forwards.\n"
    ));
    assert!(text.ends_with(&format!("\n{} rules\n", all.len())));
}

#[test]
fn what_can_not_be_read_is_told_without_guesses_about_the_rest() {
    let broken = OPTIONS.replace("Max-Forwards: 70", "Max-Forwards 70");
    assert_eq!(ids(&lint(&broken, &["--json"]).stdout), ["framing"]);
    // The length of the body doesn't keep the rules from the lines, and is told once.
    let wrong = OPTIONS.replace("Content-Length: 0", "Content-Length: 7x").replace("Max-Forwards: 70\r\n", "");
    let done = lint(&wrong, &["--json"]);
    assert_eq!(
        (done.status, ids(&done.stdout)),
        (Some(1), vec!["framing".to_owned(), "max-forwards-missing".to_owned()])
    );
    assert!(
        lint(&wrong, &[]).stdout.contains("| Content-Length: 7x\n  |                 ^ expected a number of bytes\n")
    );
}

#[test]
fn a_message_that_was_cut_is_not_judged() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("trace.pcap");
    let (a, b) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
    let written = |texts: &[&str]| {
        let mut writer = PcapWriter::new();
        texts.iter().for_each(|text| writer.datagram(0, a, b, text.as_bytes()).unwrap());
        writer.take()
    };
    // The first frame as a capture of short frames has it: the file lacks some of its bytes and says how many there were.
    let cut = |texts: &[&str]| {
        let (mut bytes, first) = (written(texts), written(&texts[..1]).len());
        let kept = u32::from_le_bytes(bytes[32..36].try_into().unwrap()) - 100;
        bytes[32..36].copy_from_slice(&kept.to_le_bytes());
        bytes.drain(first - 100..first);
        bytes
    };
    fs::write(&file, cut(&[OPTIONS, NOT_FOUND])).unwrap();
    let done = ringback(&["lint", file.to_str().unwrap()], "");
    let wanted = "2 messages (1 not judged: a part is missing): 0 errors, 1 warning, 0 notes\n";
    assert!(done.status == Some(1) && done.stdout.ends_with(wanted), "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("warning[cut]: A part of the message is missing\n"), "{}", done.stdout);
    let done = ringback(&["lint", file.to_str().unwrap(), "--json"], "");
    assert_eq!((done.status, ids(&done.stdout)), (Some(1), vec!["cut".to_owned()]));
    fs::write(&file, cut(&[OPTIONS])).unwrap();
    let done = ringback(&["lint", file.to_str().unwrap()], "");
    assert_eq!(done.status, Some(2), "{}", done.stdout);
    assert!(done.stderr.contains("of each message in it a part is missing"), "{}", done.stderr);
    // Whole, the two are judged together.
    fs::write(&file, written(&[OPTIONS, NOT_FOUND])).unwrap();
    let done = ringback(&["lint", file.to_str().unwrap(), "--json"], "");
    assert_eq!((done.status, ids(&done.stdout)), (Some(1), vec!["response-from-differs".to_owned()]));
    assert!(done.stdout.contains("\"origin\":{\"frame\":2,") && done.stdout.contains("\"source\":\"192.0.2.1:5060\""));
}

#[test]
fn what_is_no_sip_or_can_not_be_read_has_status_2() {
    for (stdin, args, text) in [
        ("hello\n", &["lint", "-"][..], "ringback: standard input: no SIP message is in it\n"),
        ("", &["lint", "-", "--json"], "ringback: standard input: no SIP message is in it\n"),
        ("", &["lint", "/nonexistent"], "ringback: /nonexistent: can't be read: "),
        ("", &["lint"], "required"),
    ] {
        let done = ringback(args, stdin);
        assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(done.stderr.contains(text), "{}", done.stderr);
    }
}
