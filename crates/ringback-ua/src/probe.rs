//! Messages for tests, between the elements of the examples of RFC 3903.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
extern crate std;

use ringback_base::{Micros, Now};
use ringback_message::{Request, RequestBuilder, Response};
use std::format;
use std::string::String;

/// So many seconds after the start.
pub(crate) fn at(secs: u64) -> Now {
    Now::default().after(Micros::from_secs(secs))
}

/// Who adds Via and Contact.
pub(crate) struct Side {
    host: &'static str,
    contact: &'static str,
}

impl Side {
    pub(crate) const WATCHER: Side = Side { host: "host.example.com", contact: "sip:user@host.example.com" };
    pub(crate) const AGENT: Side = Side { host: "pa.example.com", contact: "sip:pa.example.com" };

    /// The request as it goes out.
    pub(crate) fn send(&self, request: RequestBuilder) -> Request {
        request.via(self.host, "UDP", Some("z9hG4bKnashds7")).contact(self.contact, None).build().unwrap()
    }
}

pub(crate) fn parse_request(text: &str) -> Request {
    Request::parse(text.as_bytes()).unwrap()
}

/// A NOTIFY to the watcher, from the agent with this tag.
pub(crate) fn notify_text(from_tag: &str, cseq: u32, event: &str, header_fields: &str) -> String {
    format!(
        "NOTIFY sip:user@host.example.com SIP/2.0\r\nVia: SIP/2.0/UDP pa.example.com;branch=z9hG4bK8sdf{cseq}\r\n\
         To: <sip:watcher@example.com>;tag=12341234\r\nFrom: <sip:presentity@example.com>;tag={from_tag}\r\n\
         Call-ID: 12345678@host.example.com\r\nCSeq: {cseq} NOTIFY\r\nMax-Forwards: 70\r\n{event}{header_fields}\
         Contact: <sip:pa.example.com>\r\nContent-Length: 0\r\n\r\n"
    )
}

/// The response to a request: code, phrase and further lines, as they stand in a message.
pub(crate) fn respond(request: &Request, answer: &str) -> Response {
    let line = |name: ringback_message::HeaderId| {
        let value = String::from_utf8(request.first(name).unwrap().value().to_vec()).unwrap();
        format!("{}: {value}\r\n", name.as_str())
    };
    use ringback_message::HeaderId::{CSeq, CallId, From, To, Via};
    let tag = if request.to_tag().is_some() { "" } else { ";tag=abcd1234" };
    let to = line(To).replace("\r\n", &format!("{tag}\r\n"));
    let lines: String = [Via, From, CallId, CSeq].map(line).concat();
    Response::parse(format!("SIP/2.0 {answer}\r\n{lines}{to}Content-Length: 0\r\n\r\n").as_bytes()).unwrap()
}
