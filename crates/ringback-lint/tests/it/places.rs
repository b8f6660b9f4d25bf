//! Header fields in messages that they are for, and in others.

use bytes::Bytes;
use ringback_lint::lint;
use ringback_lint::tables::{Mark, Verdict, verdict};
use ringback_message::header::facts::{HeaderFacts, Methods, Where};
use ringback_message::{HeaderId, Message, Method, StatusCode};

/// The rules that find the header field out of its place.
fn found(start: &str, method: &str, line: &str) -> Vec<&'static str> {
    let text = format!(
        "{start}\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds\r\nMax-Forwards: 70\r\nFrom: <sip:a@a.example>;tag=88sja8x7\r\n\
         To: <sip:b@b.example>;tag=314159ab\r\nCall-ID: 7@a.example\r\nCSeq: 1 {method}\r\nEvent: presence\r\n{line}\r\nContent-Length: 0\r\n\r\n"
    );
    let message = Message::parse(Bytes::from(text)).unwrap();
    let line_of =
        |finding: &&ringback_lint::Finding| message.as_bytes()[finding.span.start..].starts_with(line.as_bytes());
    lint(&message).iter().filter(line_of).map(|finding| finding.rule.id).collect()
}

#[test]
fn each_header_field_has_the_places_of_its_own_rfc() {
    let request = |method: &str, line: &str| found(&format!("{method} sip:b@b.example SIP/2.0"), method, line);
    let response = |code: &str, method: &str, line: &str| found(&format!("SIP/2.0 {code}"), method, line);
    // RFC 3265, Section 7.2 has a place for it in this one request.
    let warning = "Warning: 399 b.example \"no\"";
    assert_eq!(request("NOTIFY", warning), [""; 0]);
    assert_eq!(request("SUBSCRIBE", warning), ["header-misplaced"]);
    assert_eq!(request("OPTIONS", warning), ["header-misplaced"]);
    for (line, method, wanted) in [
        ("P-Charging-Vector: icid-value=1", "CANCEL", &["header-not-applicable"][..]),
        ("P-Charging-Vector: icid-value=1", "BYE", &[]),
        ("P-Called-Party-ID: <sip:b@b.example>", "NOTIFY", &["header-not-applicable"]),
        ("P-Called-Party-ID: <sip:b@b.example>", "REFER", &[]),
        ("P-Visited-Network-ID: other", "REGISTER", &[]),
        ("P-Visited-Network-ID: other", "UPDATE", &["header-not-applicable"]),
        ("P-DCS-Billing-Info: 1@a.example", "OPTIONS", &["header-misplaced"]),
        ("P-Media-Authorization: 20", "REGISTER", &["header-not-applicable"]),
        ("P-Answer-State: Confirmed", "NOTIFY", &["header-misplaced"]),
        ("RAck: 1 1 INVITE", "INVITE", &["header-misplaced"]),
        // No table has a column of this method for it.
        ("RAck: 1 1 INVITE", "MESSAGE", &["header-misplaced"]),
        ("RAck: 1 1 INVITE", "FOO", &[]),
        ("Min-Expires: 60", "REGISTER", &["header-misplaced"]),
    ] {
        let got = request(method, line);
        assert_eq!(
            got.iter()
                .filter(|id| id.starts_with("header-not") || **id == "header-misplaced")
                .copied()
                .collect::<Vec<_>>(),
            wanted,
            "{line}: {method}: {got:?}"
        );
    }
    let vector = "P-Charging-Vector: icid-value=1";
    assert_eq!(response("183 Session Progress", "INVITE", vector), [""; 0]);
    assert_eq!(response("100 Trying", "INVITE", vector), ["header-in-another-response"]);
    assert_eq!(response("200 OK", "REGISTER", "P-Associated-URI: <sip:b@b.example>"), [""; 0]);
    assert_eq!(response("200 OK", "INVITE", "P-Associated-URI: <sip:b@b.example>"), ["header-misplaced"]);
}

/// The rows of the header fields and those of the tables were read from the same documents.
#[test]
fn the_facts_and_the_tables_agree() {
    let mut bound = 0;
    for facts in HeaderFacts::REGISTERED {
        for method in Method::REGISTERED {
            let of_table = verdict(facts.id, method, None);
            let allowed = matches!(of_table, Verdict::Is { mark, .. } if mark != Mark::NotApplicable);
            assert!(!allowed || facts.may_stand(true, Some(method)), "{} in {method}: the table has it", facts.id);
            let is_named = match facts.methods {
                Methods::Only(methods) => facts.place != Where::Responses && methods.contains(method),
                Methods::Requests(methods) => methods.contains(method),
                _ => false,
            };
            let is_refused = matches!(of_table, Verdict::Is { mark: Mark::NotApplicable, .. });
            assert!(!is_named || !is_refused, "{} in {method}: the table refuses it", facts.id);
            let codes = (100..700).filter_map(|code| StatusCode::new(code).ok());
            let in_responses = codes.map(|code| verdict(facts.id, method, Some(code)));
            let answers = in_responses
                .filter(|verdict| matches!(verdict, Verdict::Is { mark, .. } if *mark != Mark::NotApplicable))
                .count();
            // RFC 6086 leaves out the R that RFC 4412 has.
            let answers = if facts.id == HeaderId::ResourcePriority { 0 } else { answers };
            assert!(answers == 0 || facts.may_stand(false, Some(method)), "{} in a response to {method}", facts.id);
            bound += usize::from(is_named);
        }
    }
    assert!(bound > 30, "{bound}");
}
