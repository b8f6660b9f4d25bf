#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
extern crate std;

use super::*;
use crate::notifier::Package;
use crate::probe::{at, parse_request, respond};
use std::format;
use std::string::String;
use std::vec::Vec;

const PIDF: &str = "application/pidf+xml";

fn publication() -> Publication {
    let uri = "sip:presentity@example.com";
    let origin = Origin::new(uri, uri, "81818181@pua.example.com", "1234wxyz");
    Publication::new(PublicationConfig::new(origin, Event::new("presence")))
}

/// A PUBLISH as it goes out: it has no Contact, "including one has no meaning".
fn send(publication: &mut Publication, request: RequestBuilder) -> Request {
    let request = request.via("pua.example.com", "UDP", Some("z9hG4bK652hsge")).build().unwrap();
    publication.sent(&request);
    request
}

fn pidf(body: &'static str) -> EventState {
    EventState::new(PIDF, body.as_bytes())
}

/// What the ESC of the tests has: the tags that it gave.
struct Compositor {
    tags: Vec<&'static str>,
    given: Vec<&'static str>,
    package: Package,
}

impl Compositor {
    fn new(tags: &[&'static str]) -> Compositor {
        let package = Package { longest_expires_secs: 1_800, ..Package::new("presence", PIDF) };
        Compositor { tags: tags.iter().rev().copied().collect(), given: Vec::new(), package }
    }

    fn answer(&mut self, request: &Request) -> Response {
        let holds = |etag: &[u8]| self.given.iter().any(|given| given.as_bytes() == etag);
        match rule_publish(request, core::slice::from_ref(&self.package), holds) {
            Ok(ruling) => {
                let etag = self.tags.pop().unwrap();
                self.given.clear();
                if !matches!(ruling.operation, PublishOperation::Remove(_)) {
                    self.given.push(etag);
                }
                ruling.response(request, etag).to_tag("1a2b3c4d").build().unwrap()
            }
            Err(refusal) => refusal.response(request, &["presence"]).to_tag("1a2b3c4d").build().unwrap(),
        }
    }
}

fn has(bytes: &[u8], lines: &[&str]) {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    for line in lines {
        assert!(text.lines().any(|other| other == *line), "{line} in {text}");
    }
}

fn published(publication: &mut Publication, response: &Response, now: Now) {
    let outcome = publication.handle_outcome(Some(response), now);
    assert!(matches!(outcome, PublicationOutcome::Published(None)), "{outcome:?}");
}

/// Published at time 0 for half an hour, as dx200xyz.
fn live() -> (Publication, Compositor) {
    let (mut publication, mut esc) = (publication(), Compositor::new(&["dx200xyz", "kwj449x", "qwi982ks"]));
    let request = publication.publish(pidf("[Published PIDF document]")).unwrap();
    let request = send(&mut publication, request);
    let response = esc.answer(&request);
    published(&mut publication, &response, at(0));
    (publication, esc)
}

/// M5, M6, and M9 to M12 of the example. `[RFC 3903, Section 15]`
#[test]
fn messages_of_the_example() {
    let (mut publication, mut esc) = (publication(), Compositor::new(&["dx200xyz", "kwj449x", "qwi982ks"]));
    let m5 = publication.publish(pidf("[Published PIDF document]")).unwrap();
    let m5 = send(&mut publication, m5);
    has(
        m5.as_bytes(),
        &[
            "PUBLISH sip:presentity@example.com SIP/2.0",
            "To: <sip:presentity@example.com>",
            "From: <sip:presentity@example.com>;tag=1234wxyz",
            "Call-ID: 81818181@pua.example.com",
            "CSeq: 1 PUBLISH",
            "Expires: 3600",
            "Event: presence",
            "Content-Type: application/pidf+xml",
            "[Published PIDF document]",
        ],
    );
    assert!(m5.first(HeaderId::SipIfMatch).is_none());
    let m6 = esc.answer(&m5);
    has(m6.as_bytes(), &["SIP/2.0 200 OK", "SIP-ETag: dx200xyz", "Expires: 1800"]);
    published(&mut publication, &m6, at(0));
    // Of the half hour that was granted a tenth is left.
    assert_eq!(publication.poll_timeout(), Some(Micros::from_secs(1_620)));
    assert!(publication.handle_timeout(at(1_619)).is_none());
    let m9 = publication.handle_timeout(at(1_620)).unwrap();
    let m9 = send(&mut publication, m9);
    has(m9.as_bytes(), &["SIP-If-Match: dx200xyz", "Expires: 3600", "Event: presence", "Content-Length: 0"]);
    assert!(m9.first(HeaderId::ContentType).is_none());
    let m10 = esc.answer(&m9);
    has(m10.as_bytes(), &["SIP-ETag: kwj449x", "Expires: 1800"]);
    published(&mut publication, &m10, at(1_620));
    let m11 = publication.publish(pidf("[Published PIDF Document]")).unwrap();
    let m11 = send(&mut publication, m11);
    has(m11.as_bytes(), &["SIP-If-Match: kwj449x", "Content-Type: application/pidf+xml", "[Published PIDF Document]"]);
    let m12 = esc.answer(&m11);
    has(m12.as_bytes(), &["SIP-ETag: qwi982ks"]);
    published(&mut publication, &m12, at(1_700));
    assert_eq!(publication.etag(), Some(&b"qwi982ks"[..]));
}

#[test]
fn removing_names_the_tag_and_has_no_body() {
    let (mut publication, mut esc) = live();
    let request = publication.remove().unwrap();
    let request = send(&mut publication, request);
    has(request.as_bytes(), &["SIP-If-Match: dx200xyz", "Expires: 0", "Content-Length: 0"]);
    let response = esc.answer(&request);
    assert_eq!(response.number(HeaderId::Expires), Ok(Some(0)));
    assert!(matches!(publication.handle_outcome(Some(&response), at(1)), PublicationOutcome::Removed));
    assert!(publication.is_idle() && publication.poll_timeout().is_none() && esc.given.is_empty());
    assert!(publication.remove().is_none(), "nothing is there");
}

/// "Instead, to publish event state, the EPA SHOULD perform an initial publication". `[RFC 3903, Section 5]`
#[test]
fn a_412_starts_anew() {
    let (mut publication, mut esc) = live();
    esc.given.clear();
    let refresh = publication.handle_timeout(at(1_700)).unwrap();
    let refresh = send(&mut publication, refresh);
    let response = esc.answer(&refresh);
    assert_eq!(response.status(), StatusCode::ConditionalRequestFailed);
    let PublicationOutcome::Again(initial) = publication.handle_outcome(Some(&response), at(1_700)) else {
        unreachable!()
    };
    let initial = send(&mut publication, initial);
    assert!(initial.first(HeaderId::SipIfMatch).is_none());
    assert_eq!((initial.body(), initial.cseq()), (&b"[Published PIDF document]"[..], 3));
    // One to a request without a tag is no such case, and not repeated.
    let outcome = publication.handle_outcome(Some(&respond(&initial, "412 No")), at(1_700));
    assert!(matches!(outcome, PublicationOutcome::Failed { .. }), "{outcome:?}");

    let (mut publication, mut esc) = live();
    esc.given.clear();
    let request = publication.remove().unwrap();
    let request = send(&mut publication, request);
    let outcome = publication.handle_outcome(Some(&esc.answer(&request)), at(1));
    assert!(matches!(outcome, PublicationOutcome::Removed), "what is gone need not be removed");
}

#[test]
fn a_423_asks_for_longer() {
    let mut publication = publication();
    publication.expires_secs = 30;
    let mut esc = Compositor::new(&["a"]);
    let request = publication.publish(pidf("x")).unwrap();
    let request = send(&mut publication, request);
    let PublicationOutcome::Again(request) = publication.handle_outcome(Some(&esc.answer(&request)), at(0)) else {
        unreachable!()
    };
    let request = send(&mut publication, request);
    assert_eq!(request.number(HeaderId::Expires), Ok(Some(60)));
    let outcome = publication.handle_outcome(Some(&respond(&request, "423 No\r\nMin-Expires: 60")), at(0));
    assert!(matches!(outcome, PublicationOutcome::Failed { .. }), "no use: {outcome:?}");
}

#[test]
fn one_publish_is_under_way_at_a_time() {
    let (mut publication, mut esc) = live();
    let first = publication.publish(pidf("busy")).unwrap();
    let first = send(&mut publication, first);
    assert!(publication.publish(pidf("closed")).is_none());
    assert!(publication.publish(pidf("open")).is_none());
    assert!(publication.poll_timeout().is_none());
    let PublicationOutcome::Published(Some(next)) = publication.handle_outcome(Some(&esc.answer(&first)), at(1)) else {
        unreachable!()
    };
    let next = send(&mut publication, next);
    assert_eq!((first.body(), next.body()), (&b"busy"[..], &b"open"[..]));
    has(next.as_bytes(), &["SIP-If-Match: kwj449x"]);
    assert!(publication.remove().is_none());
    let PublicationOutcome::Published(Some(last)) = publication.handle_outcome(Some(&esc.answer(&next)), at(2)) else {
        unreachable!()
    };
    has(send(&mut publication, last).as_bytes(), &["SIP-If-Match: qwi982ks", "Expires: 0"]);
}

#[test]
fn what_fails_is_tried_again_before_its_time_is_over_and_then_anew() {
    let (mut publication, _) = live();
    let request = publication.publish(pidf("busy")).unwrap();
    let request = send(&mut publication, request);
    let outcome = publication.handle_outcome(Some(&respond(&request, "503 No")), at(800));
    assert!(matches!(outcome, PublicationOutcome::Kept { status: Some(StatusCode::ServiceUnavailable) }));
    assert_eq!(publication.poll_timeout(), Some(Micros::from_secs(1_300)));
    let again = publication.handle_timeout(at(1_300)).unwrap();
    let again = send(&mut publication, again);
    assert_eq!(again.body(), b"busy", "the change is not forgotten");
    assert!(matches!(publication.handle_outcome(None, at(1_332)), PublicationOutcome::Kept { status: None }));
    // Asleep for too long: what was published is gone.
    let anew = publication.handle_timeout(at(9_000)).unwrap();
    let anew = send(&mut publication, anew);
    assert!(anew.first(HeaderId::SipIfMatch).is_none());
    let outcome = publication.handle_outcome(Some(&respond(&anew, "500 No\r\nRetry-After: 9")), at(9_000));
    assert!(matches!(outcome, PublicationOutcome::Failed { retry_after_secs: Some(9), .. }));
    assert!(publication.is_idle());
}

#[test]
fn bad_event_is_the_end() {
    let (mut publication, _) = live();
    let request = publication.handle_timeout(at(1_620)).unwrap();
    let request = send(&mut publication, request);
    let outcome = publication.handle_outcome(Some(&respond(&request, "489 Bad Event\r\nAllow-Events: reg")), at(1_620));
    assert!(matches!(outcome, PublicationOutcome::Failed { status: Some(StatusCode::BadEvent), .. }));
    assert!(publication.is_idle());
}

/// The steps of `[RFC 3903, Section 6]`.
#[test]
fn rules_of_the_compositor() {
    use PublishOperation::{Initial, Modify, Refresh, Remove};
    let packages = [Package { longest_expires_secs: 1_800, ..Package::new("presence", PIDF) }];
    let rule = |header_fields: &str, body: &str| {
        let body_fields = if body.is_empty() { "" } else { "Content-Type: application/pidf+xml\r\n" };
        let request = parse_request(&format!(
            "PUBLISH sip:presentity@example.com SIP/2.0\r\nVia: SIP/2.0/UDP pua.example.com;branch=z9hG4bK652hsge\r\n\
             To: <sip:presentity@example.com>\r\nFrom: <sip:presentity@example.com>;tag=1234wxyz\r\n\
             Call-ID: 81818181@pua.example.com\r\nCSeq: 1 PUBLISH\r\nMax-Forwards: 70\r\n{header_fields}\r\n{body_fields}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let ruling = rule_publish(&request, &packages, |etag| etag == b"1");
        ruling.map(|ruling| match ruling.operation {
            Initial => (Initial, ruling.expires_secs),
            Refresh(_) => (Refresh(b"1"), ruling.expires_secs),
            Modify(_) => (Modify(b"1"), ruling.expires_secs),
            Remove(etag) => (Remove(etag.map(|_| &b"1"[..])), ruling.expires_secs),
        })
    };
    let refused = |header_fields: &str, body: &str| rule(header_fields, body).unwrap_err().status.as_u16();
    assert_eq!(refused("Expires: 1", "x"), 489, "step 2 comes first");
    assert_eq!(refused("Event: reg", "x"), 489);
    assert_eq!(refused("Event: presence\r\nSIP-If-Match: 1\r\nSIP-If-Match: 2", ""), 400);
    assert_eq!(refused("Event: presence\r\nSIP-If-Match: a b", ""), 400);
    assert_eq!(refused("Event: presence\r\nSIP-If-Match: 2\r\nExpires: 1", ""), 412, "step 3 before step 4");
    assert_eq!(refused("Event: presence\r\nExpires: 59", ""), 423, "step 4 before step 5");
    assert_eq!(refused("Event: presence\r\nExpires: x", "x"), 400);
    assert_eq!(refused("Event: presence", ""), 400, "neither body nor tag");
    assert_eq!(rule("Event: presence", "x"), Ok((Initial, 3_600)));
    assert_eq!(rule("Event: presence\r\nExpires: 3600", "x"), Ok((Initial, 1_800)));
    assert_eq!(rule("Event: presence\r\nSIP-If-Match: 1\r\nExpires: 60", ""), Ok((Refresh(b"1"), 60)));
    assert_eq!(rule("Event: presence\r\nSIP-If-Match: 1\r\nExpires: 60", "x"), Ok((Modify(b"1"), 60)));
    assert_eq!(rule("Event: presence\r\nSIP-If-Match: 1\r\nExpires: 0", ""), Ok((Remove(Some(b"1")), 0)));
    assert_eq!(rule("Event: presence\r\nExpires: 0", "x"), Ok((Remove(None), 0)));
    // A body of another type, or of none. [RFC 3903, Section 6], and a crash of others: CVE-2026-45084
    let text = "PUBLISH sip:p@example.com SIP/2.0\r\nVia: SIP/2.0/UDP pua.example.com;branch=z9hG4bK652hsge\r\nTo: <sip:p@example.com>\r\n\
                From: <sip:p@example.com>;tag=1\r\nCall-ID: 8\r\nCSeq: 1 PUBLISH\r\nEvent: presence\r\n";
    for content_type in ["", "Content-Type: text/plain\r\n", "Content-Type: /\r\n"] {
        let request = parse_request(&format!("{text}{content_type}Content-Length: 1\r\n\r\nx"));
        assert_eq!(rule_publish(&request, &packages, |_| true).unwrap_err().status.as_u16(), 415, "{content_type}");
    }
}
