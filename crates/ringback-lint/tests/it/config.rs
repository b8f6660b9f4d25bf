//! Rules are off, or worse than they were, by their ids.

use ringback_lint::{Config, FINDINGS_MAX, RULES, Severity, Subject, lint, lint_with};
use ringback_message::Request;

fn request(lines: &str) -> Request {
    let text = format!(
        "OPTIONS sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds\r\nMax-Forwards: 70\r\n\
         From: <sip:alice@a.example>;tag=88sja8x7\r\nTo: <sip:bob@b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 OPTIONS\r\n\
         Accept: application/sdp\r\n{lines}Content-Length: 0\r\n\r\n"
    );
    Request::parse(text.as_bytes()).unwrap()
}

#[test]
fn a_rule_is_off_or_has_another_severity() {
    let request = request("");
    let subject = Subject::new(&request);
    assert_eq!(
        lint(&request).iter().map(|f| (f.rule.id, f.severity)).collect::<Vec<_>>(),
        [("via-rport-missing", Severity::Note)]
    );
    let config = Config::default().severity("via-rport-missing", Severity::Error).unwrap();
    assert_eq!(lint_with(&subject, &config)[0].severity, Severity::Error);
    assert!(lint_with(&subject, &config.off("via-rport-missing").unwrap()).is_empty());
    assert_eq!(Config::default().off("nonsense").unwrap_err().to_string(), "there is no rule \"nonsense\"");
}

#[test]
fn all_rules_can_be_off() {
    let request = request("Supported: nonsense\r\n");
    let ids = RULES.iter().flat_map(|family| family.rules).map(|rule| rule.id);
    let config = ids.fold(Config::default(), |config, id| config.off(id).unwrap());
    assert!(lint_with(&Subject::new(&request), &config).is_empty());
}

#[test]
fn findings_are_bounded() {
    let request = request(&"Supported: nonsense\r\n".repeat(400));
    let findings = lint(&request);
    assert_eq!(findings.len(), FINDINGS_MAX);
    assert!(findings.is_sorted_by_key(|finding| finding.span.start));
}
