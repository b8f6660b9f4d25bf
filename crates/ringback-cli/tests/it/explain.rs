//! `ringback explain`.

use serde_json::Value;

use crate::process::{Done, ringback, ringback_with};

fn explain(args: &[&str]) -> Done {
    ringback(&[&["explain"], args].concat(), "")
}

/// The entries of each term.
fn entries(args: &[&str]) -> Vec<Value> {
    let done = explain(&[args, &["--json"]].concat());
    assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""), "{args:?}");
    let found: Value = serde_json::from_str(&done.stdout).unwrap();
    found.as_array().unwrap().iter().flat_map(|term| term["entries"].as_array().unwrap().clone()).collect()
}

fn kinds_and_names(term: &str) -> Vec<String> {
    let name = |entry: &Value| format!("{} {}", entry["kind"].as_str().unwrap(), entry["name"].as_str().unwrap());
    entries(&[term]).iter().map(name).collect()
}

#[test]
fn a_code_is_told_in_full_and_without_colours() {
    let done = explain(&["423"]);
    assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""));
    for text in [
        "423 Interval Too Brief  response code\n",
        "\n  Must carry  Min-Expires\n",
        "\n  Sent by     registrar, proxy, notifier, event state compositor\n",
        "\n  Client      Send it again with an expiry of at least Min-Expires.\n",
        "RFC 3261, Section 21.4.17; RFC 3261, Section 10.3;",
        "\n  Likely causes\n  - ",
        "\n    SIP/2.0 423 Interval Too Brief\n",
        "\n    Min-Expires: 3600\n",
    ] {
        assert!(done.stdout.contains(text), "{text}: {}", done.stdout);
    }
    assert!(!done.stdout.contains(['\r', '\x1b']) && done.stdout.lines().all(|line| line.len() <= 100));
}

/// As on a terminal; what is read must not bring colours of its own.
#[test]
fn colours_come_where_they_are_shown() {
    let forced = [("CLICOLOR_FORCE", "1")];
    assert!(ringback_with(&forced, &["explain", "423"], "").stdout.starts_with("\x1b[1m423 Interval Too Brief\x1b[0m"));
    let odd = "OPTIONS sip:b.example SIP/2.0\r\nX-Odd: a\x1b[31mb\r\n\r\n";
    let shown = ringback_with(&forced, &["decode", "-"], odd).stdout;
    assert!(shown.contains("\x1b[1mOPTIONS") && !shown.contains("a\x1b["), "{shown}");
}

#[test]
fn conditions_are_phrases() {
    let done = explain(&["183"]);
    assert!(done.stdout.contains("RSeq (sent reliably)\n"), "{}", done.stdout);
    let ok = &entries(&["200"])[0];
    let contact = ok["must"].as_array().unwrap().iter().find(|named| named["name"] == "Contact").unwrap();
    assert_eq!(contact["when"], "to INVITE, UPDATE, SUBSCRIBE or REFER");
}

#[test]
fn names_of_json_stay() {
    let entry = &entries(&["423"])[0];
    let keys: Vec<_> = entry.as_object().unwrap().keys().map(String::as_str).collect();
    let mut wanted = [
        "kind",
        "name",
        "title",
        "meaning",
        "class",
        "final",
        "registered",
        "sent_by",
        "must",
        "client",
        "action",
        "causes",
        "example",
        "sources",
    ];
    wanted.sort_unstable();
    assert_eq!(keys, wanted);
    assert_eq!((entry["must"][0]["name"].as_str(), entry["must"][0]["when"].as_str()), (Some("Min-Expires"), None));
    assert!(entry["example"].as_str().unwrap().ends_with("\r\n\r\n") && entry["causes"][0]["check"].is_string());
}

#[test]
fn terms_are_found_as_they_stand_in_messages() {
    for (term, wanted) in [
        ("RSeq", &["header RSeq"][..]),
        ("100REL", &["option_tag 100rel"]),
        ("invite", &["method INVITE"]),
        ("Timer B", &["timer Timer B"]),
        ("Warning 370", &["warning 370"]),
        ("Warning: 370 a.example \"Insufficient bandwidth\"", &["warning 370"]),
        ("presence", &["event presence"]),
        ("presence.winfo", &["event presence.winfo"]),
        ("Reason Q.850 17", &["q850_cause 17"]),
        ("Reason: Q.850;cause=17;text=\"busy\"", &["q850_cause 17"]),
        ("Q.850;cause=99", &["q850_cause 99"]),
        ("Reason: SIP;cause=487", &["status 487"]),
        ("Q.850", &["reason_protocol Q.850"]),
        ("Via;rport", &["header_parameter rport"]),
        ("Not Acceptable", &["status 406", "status 606"]),
        ("SIP/2.0 603 Network Blocked", &["status 603"]),
        ("603+", &["status 603"]),
        ("380", &["status 380", "warning 380"]),
        ("refer", &["method REFER", "event refer"]),
        ("event refer", &["event refer"]),
        ("17", &["q850_cause 17"]),
        ("b", &["header Referred-By", "timer Timer B"]),
        ("lr", &["uri_parameter lr"]),
    ] {
        assert_eq!(kinds_and_names(term), wanted, "{term}");
    }
    assert_eq!(entries(&["Timer", "B"])[0]["name"], "Timer B");
    assert_eq!(entries(&["Reason", "Q.850", "17"])[0]["kind"], "q850_cause");
    assert_eq!(entries(&["Contact", "Expires"])[1]["kind"], "header");
    assert_eq!(entries(&["486", "RSeq"]).len(), 2);
    assert_eq!(entries(&["i"])[0]["value"], "a Call-ID");
    assert_eq!(entries(&["Replaces"])[0]["value"], "a Call-ID, and parameters");
}

/// Words are put together where the shell divided them, and no term is lost in another.
#[test]
fn each_term_is_told() {
    for (terms, wanted) in [
        (&["Timer B", "Warning 370", "presence"][..], &["Timer B", "370", "presence"][..]),
        (&["Timer", "B", "Warning", "370", "presence"], &["Timer B", "370", "presence"]),
        (&["Q.850", "17", "presence"], &["17", "presence"]),
        (&["RSeq", "Not", "Acceptable"], &["RSeq", "406", "606"]),
        (&["SIP/2.0", "603", "Network", "Blocked"], &["603"]),
        (&["Warning:", "370", "a.example", "Insufficient bandwidth"], &["370"]),
    ] {
        let entries = entries(terms);
        let names: Vec<_> = entries.iter().map(|entry| entry["name"].as_str().unwrap()).collect();
        assert_eq!(names, wanted, "{terms:?}");
    }
    for terms in [["Timer B", "xyzzyxyzzy"], ["Warning 370", "xyzzyxyzzy"], ["Q.850;cause=17", "xyzzyxyzzy"]] {
        let done = explain(&terms);
        assert_eq!(done.status, Some(1), "{terms:?}");
        assert!(!done.stdout.is_empty() && done.stderr.contains("\"xyzzyxyzzy\""), "{}", done.stderr);
    }
    assert_eq!(explain(&["Timer", "B", "xyzzyxyzzy"]).status, Some(1));
}

#[test]
fn a_code_that_is_not_registered_is_treated_as_another() {
    let entry = &entries(&["499"])[0];
    assert_eq!((entry["treat_as"].as_str(), entry["registered"].as_bool()), (Some("400 Bad Request"), Some(false)));
    assert_eq!(entries(&["409"])[0]["title"], "Conflict");
}

#[test]
fn an_unknown_term_gets_near_names_and_status_1() {
    let done = explain(&["INVTE", "486"]);
    assert_eq!(done.status, Some(1));
    assert!(done.stdout.starts_with("486 Busy Here"), "{}", done.stdout);
    assert_eq!(done.stderr, "ringback: nothing is known as \"INVTE\"; did you mean \"INVITE\"?\n");
    assert_eq!(explain(&["Q.850;cause=128"]).status, Some(1));
    let done = explain(&["xyzzyxyzzy"]);
    assert_eq!((done.status, done.stdout.as_str()), (Some(1), ""));
    assert_eq!(done.stderr, "ringback: nothing is known as \"xyzzyxyzzy\"\n");
}

#[test]
fn korean_is_told_and_falls_back() {
    let done = explain(&["486", "RSeq", "--lang", "ko"]);
    assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""));
    for text in [
        "486 Busy Here  응답 코드\n",
        "통화 중 신호음",
        "흔한 원인",
        "필수: 신뢰성 있게 보낼 때",
        "defined in RFC 3262",
    ] {
        // What is translated, and the meaning of a header field, which isn't.
        assert!(done.stdout.contains(text), "{text}: {}", done.stdout);
    }
    let json = explain(&["486", "--lang", "ko", "--json"]).stdout;
    assert!(json.contains("\"client\": \"통화 중 신호음"), "{json}");
}

#[test]
fn help_has_examples() {
    for command in ["explain", "decode"] {
        let done = ringback(&[command, "--help"], "");
        assert!(done.status == Some(0) && done.stdout.contains("Examples:\n  ringback "), "{}", done.stdout);
        assert!(done.stdout.contains("Exit status:\n  0"), "{}", done.stdout);
    }
    assert_eq!(explain(&[]).status, Some(2));
}
