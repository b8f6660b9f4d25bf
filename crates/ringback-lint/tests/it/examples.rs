//! Every rule finds its bad message wrong and its good one right.

use std::collections::BTreeSet;

use bytes::Bytes;
use ringback_lint::{Example, Finding, RULES, Rule, lint, lint_pair};
use ringback_message::Message;

fn rules() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().flat_map(|family| family.rules)
}

fn read(bytes: Vec<u8>) -> Message {
    Message::parse(Bytes::from(bytes.clone()))
        .unwrap_or_else(|error| panic!("{error}:\n{}", String::from_utf8_lossy(&bytes)))
}

fn findings(example: &Example) -> (Message, Vec<Finding>) {
    let message = read(example.message());
    let findings = match example.request() {
        Some(request) => lint_pair(&read(request), &message),
        None => lint(&message),
    };
    (message, findings)
}

#[test]
fn a_bad_message_is_found() {
    for rule in rules() {
        let (message, findings) = findings(&rule.bad);
        let found = findings.iter().find(|finding| finding.rule.id == rule.id);
        let found = found.unwrap_or_else(|| panic!("{}: not found in\n{message:?}\nbut {findings:#?}", rule.id));
        assert_eq!(found.severity, rule.severity);
        assert!(message.as_bytes().get(found.span.clone()).is_some_and(|part| !part.is_empty()), "{}", rule.id);
        assert!(!found.text.is_empty() && !found.text.ends_with('.'), "{}: {}", rule.id, found.text);
    }
}

#[test]
fn nothing_is_wrong_with_a_good_message() {
    let mut wrong = Vec::new();
    for rule in rules() {
        let (message, findings) = findings(&rule.good);
        let found: Vec<String> = findings.iter().map(ToString::to_string).collect();
        if !found.is_empty() {
            wrong.push(format!("{}: {found:?}\n{}", rule.id, String::from_utf8_lossy(message.as_bytes())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A request of an example is right too, so that the response alone is what is wrong.
#[test]
fn nothing_is_wrong_with_the_request_of_a_pair() {
    for rule in rules() {
        for request in [rule.bad.request(), rule.good.request()].into_iter().flatten() {
            let found: Vec<String> = lint(&read(request)).iter().map(ToString::to_string).collect();
            assert!(found.is_empty(), "{}: {found:?}", rule.id);
        }
    }
}

#[test]
fn ids_are_words_with_hyphens_and_each_is_there_once() {
    let mut seen = BTreeSet::new();
    for rule in rules() {
        assert!(seen.insert(rule.id), "{} is there twice", rule.id);
        assert!(rule.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{}", rule.id);
        assert!(rule.section.starts_with("RFC ") && rule.section.contains(", Section "), "{}", rule.id);
        assert!(rule.what.ends_with('.') && rule.why.ends_with('.'), "{}", rule.id);
        assert!(std::ptr::eq(Rule::find(rule.id).unwrap(), rule));
    }
    assert!(seen.len() > 120, "{} rules", seen.len());
}

/// A caret under what is wrong, not somewhere near it.
#[test]
fn findings_point_at_the_bytes() {
    for (id, part) in [
        ("cseq-method-mismatch", "INVITE"),
        ("via-branch-no-cookie", "776asdhds"),
        ("uri-escape-broken", "%"),
        ("header-not-applicable", "Contact: <sip:alice@192.0.2.4>"),
        ("option-tag-unknown", "100re1"),
        ("tag-short", "1"),
        ("digest-quotes-wrong", "\"SHA-256\""),
        ("sdp-loopback", "127.0.0.1"),
        ("sdp-contradiction", "m=audio 4000 RTP/AVP 96"),
        ("sdp-malformed", "IN IP4 192.0.2.4"),
        ("uri-malformed", "99999"),
        ("max-forwards-missing", "INVITE sip:bob@b.example SIP/2.0"),
        ("reason-phrase-of-another-code", "Not Found"),
    ] {
        let (message, findings) = findings(&Rule::find(id).unwrap().bad);
        let found = findings.iter().find(|finding| finding.rule.id == id).unwrap();
        let text = String::from_utf8_lossy(&message.as_bytes()[found.span.clone()]).into_owned();
        assert!(text.starts_with(part), "{id}: {text:?}");
    }
}
