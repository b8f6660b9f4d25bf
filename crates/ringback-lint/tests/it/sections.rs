//! Sections that a finding names, by what the message is.

use bytes::Bytes;
use ringback_lint::{Config, Finding, Subject, lint, report};
use ringback_message::Message;

/// The findings of one rule, as their text and section.
fn found(start: &str, method: &str, lines: &str, rule: &str) -> Vec<(String, String)> {
    let text = format!(
        "{start}\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds\r\nMax-Forwards: 70\r\nFrom: <sip:a@a.example>;tag=88sja8x7\r\n\
         To: <sip:b@b.example>;tag=314159ab\r\nCall-ID: 7@a.example\r\nCSeq: 1 {method}\r\n{lines}Content-Length: 0\r\n\r\n"
    );
    let message = Message::parse(Bytes::from(text)).unwrap();
    let told = |finding: Finding| (finding.text, finding.section.into_owned());
    lint(&message).into_iter().filter(|finding| finding.rule.id == rule).map(told).collect()
}

#[test]
fn what_a_response_carries_is_asked_for_by_the_rfc_of_its_method() {
    for (start, method, rule, header, section) in [
        ("200 OK", "OPTIONS", "response-header-recommended", "Accept ", "RFC 3261, Section 11.2"),
        ("200 OK", "INVITE", "response-header-recommended", "Allow ", "RFC 3261, Section 13.3.1.4"),
        ("200 OK", "INVITE", "response-header-missing", "Contact ", "RFC 3261, Section 12.1.1"),
        ("200 OK", "REGISTER", "response-header-recommended", "Date ", "RFC 3261, Section 10.3"),
        ("200 OK", "UPDATE", "response-header-missing", "Contact ", "RFC 3311, Section 7"),
        ("202 Accepted", "REFER", "response-header-missing", "Contact ", "RFC 3515, Section 2.2"),
        ("200 OK", "SUBSCRIBE", "response-header-missing", "Expires ", "RFC 6665, Section 3.1.1"),
        ("200 OK", "PUBLISH", "response-header-missing", "SIP-ETag ", "RFC 3903, Section 6"),
        ("489 Bad Event", "PUBLISH", "response-header-missing", "Allow-Events ", "RFC 3903, Section 11.1"),
        ("405 Method Not Allowed", "BYE", "response-header-missing", "Allow ", "RFC 3261, Section 21.4.6"),
    ] {
        let found = found(&format!("SIP/2.0 {start}"), method, "", rule);
        let of_header = found.iter().find(|(text, _)| text.contains(&format!("carry {header}")));
        assert_eq!(of_header.map(|(_, section)| section.as_str()), Some(section), "{start} {method}: {found:?}");
    }
}

#[test]
fn what_was_dropped_is_described_in_the_old_rfc() {
    for (line, section) in [
        ("Hide: hop\r\n", "RFC 2543, Section 6.22"),
        ("Encryption: PGP version=2.6.2\r\n", "RFC 2543, Section 6.19"),
        ("Response-Key: pgp version=\"2.6.2\"\r\n", "RFC 2543, Section 6.31"),
    ] {
        let found = found("OPTIONS sip:b@b.example SIP/2.0", "OPTIONS", line, "header-deprecated");
        assert_eq!(found.iter().map(|(_, section)| section.as_str()).collect::<Vec<_>>(), [section]);
    }
    for (start, section) in
        [("409 Conflict", "RFC 2543, Section 7.4.10"), ("411 Length Required", "RFC 2543, Section 7.4.12")]
    {
        let found = found(&format!("SIP/2.0 {start}"), "REGISTER", "", "code-obsolete");
        assert_eq!(found.iter().map(|(_, section)| section.as_str()).collect::<Vec<_>>(), [section]);
    }
}

/// With a reason that isn't known a subscriber waits as long as retry-after says.
#[test]
fn retry_after_means_nothing_with_four_reasons() {
    let odd = |state: &str| {
        let line = format!("Event: presence\r\nSubscription-State: {state};retry-after=5\r\n");
        !found("NOTIFY sip:b@b.example SIP/2.0", "NOTIFY", &line, "subscription-retry-after-misplaced").is_empty()
    };
    for reason in ["probation", "giveup", "invariant", "shutdown"] {
        assert!(!odd(&format!("terminated;reason={reason}")), "{reason}");
    }
    assert!(!odd("terminated"));
    for reason in ["deactivated", "rejected", "timeout", "NoResource"] {
        assert!(odd(&format!("terminated;reason={reason}")), "{reason}");
    }
    assert!(odd("pending") && odd("active;expires=5"));
}

/// Who answers may not mend what it copies.
#[test]
fn a_response_is_not_blamed_for_the_from_and_to_of_its_request() {
    let read = |start: &str, from: &str, to: &str| {
        let text = format!(
            "{start}\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds\r\nMax-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\n\
             Call-ID: 7@a.example\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
        );
        Message::parse(Bytes::from(text)).unwrap()
    };
    let odd = |findings: Vec<Finding>| {
        let ids = findings.into_iter().map(|finding| finding.rule.id);
        ids.filter(|id| ["tag-short", "uri-component-not-allowed"].contains(id)).collect::<Vec<_>>()
    };
    let (from, to) = ("<sip:a@a.example;transport=udp>;tag=1", "<sip:b@b.example:5060>;tag=2");
    let request = read("BYE sip:b@b.example SIP/2.0", from, to);
    assert_eq!(odd(lint(&request)).len(), 4);
    let response = read("SIP/2.0 200 OK", from, to);
    assert_eq!(odd(report(&Subject::answering(&request, &response), &Config::default()).findings), [""; 0]);
    // Its own tag is judged, and so is one of which nobody can say whose it is.
    assert_eq!(odd(lint(&response)), ["tag-short"]);
    let first = read("BYE sip:b@b.example SIP/2.0", from, "<sip:b@b.example:5060>");
    assert_eq!(odd(report(&Subject::answering(&first, &response), &Config::default()).findings), ["tag-short"]);
}
