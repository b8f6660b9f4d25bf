//! Rules are off, or worse than they were, by their ids.

use ringback_lint::{Config, FINDINGS_MAX, Finding, RULES, Report, Rule, Severity, Subject, lint, lint_with, report};
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
fn findings_are_bounded_and_what_is_left_out_is_counted() {
    let request = request(&"Supported: nonsense\r\n".repeat(400));
    let report = report(&Subject::new(&request), &Config::default());
    assert_eq!(report.findings.len(), FINDINGS_MAX);
    assert!(report.findings.is_sorted_by_key(|finding| finding.span.start));
    let left_out = |report: &Report| -> usize {
        [Severity::Note, Severity::Warning, Severity::Error].map(|severity| report.left_out(severity)).iter().sum()
    };
    let alone = Rule::all().map(|rule| rule.report(&Subject::new(&request)));
    let found: usize = alone.map(|report| report.findings.len() + left_out(&report)).sum();
    assert_eq!(left_out(&report), found - FINDINGS_MAX);
    assert!(found > 400);
}

/// What matters most is found however much else there is.
#[test]
fn the_least_severe_is_left_out() {
    let lines = format!("{}Date: yesterday\r\n", "Supported: nonsense\r\n".repeat(400));
    let request = request(&lines);
    let subject = Subject::new(&request);
    let report = report(&subject, &Config::default());
    assert_eq!(report.left_out(Severity::Error), 0);
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let alone = Rule::all().flat_map(|rule| rule.report(&subject).findings);
    assert_eq!(errors, alone.filter(|finding| finding.severity == Severity::Error).count());
    assert!(errors > 0);
}

#[test]
fn rules_one_by_one_find_what_they_find_together() {
    let request = request("Supported: nonsense\r\nDate: yesterday\r\nVia: SIP/2.0/UDP b.example;branch=1\r\n");
    let subject = Subject::new(&request);
    let mut alone: Vec<_> = Rule::all().flat_map(|rule| rule.report(&subject).findings).collect();
    alone.sort_by_key(|finding| finding.span.start);
    let shown = |findings: &[Finding]| {
        let mut lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
        lines.sort();
        lines
    };
    assert_eq!(shown(&alone), shown(&lint(&request)));
    assert!(alone.len() >= 3, "{alone:?}");
}

/// What is left is what the filtered report has, whatever the severities are by themselves.
#[test]
fn less_severe_rules_are_left_out() {
    let request = request("Supported: nonsense\r\nMin-Expires: 60\r\nWarning: 398 b.example \"x\"\r\n");
    let subject = Subject::new(&request);
    let config = Config::default().severity("via-rport-missing", Severity::Error).unwrap().off("tag-short").unwrap();
    for least in [Severity::Note, Severity::Warning, Severity::Error] {
        let told = |findings: Vec<Finding>| findings.iter().map(|f| (f.rule.id, f.severity)).collect::<Vec<_>>();
        let mut filtered = lint_with(&subject, &config);
        filtered.retain(|finding| finding.severity >= least);
        assert_eq!(told(lint_with(&subject, &config.clone().at_least(least))), told(filtered));
    }
    assert!(lint_with(&subject, &config.at_least(Severity::Error)).len() >= 2);
}
