//! Requests and answers as text: no more of SIP than the load needs, and none of our own parser.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};

use super::line::Line;
use crate::Fault;

const BODY: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n\
                    a=rtpmap:0 PCMU/8000\r\n";

/// Where the head ends, its empty line included.
pub(super) fn head_end(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4)
}

/// The first whole message of a stream.
pub(super) fn split_message(bytes: &mut BytesMut) -> Result<Option<Bytes>, Fault> {
    let Some(head) = head_end(bytes) else { return Ok(None) };
    let text = std::str::from_utf8(bytes.get(..head).unwrap_or_default()).map_err(|error| error.to_string())?;
    let length = value(text, "Content-Length").or_else(|| value(text, "l"));
    let body: usize =
        length.and_then(|length| length.parse().ok()).ok_or_else(|| format!("no Content-Length: {text:?}"))?;
    Ok((bytes.len() >= head + body).then(|| bytes.split_to(head + body).freeze()))
}

/// The values of the header fields of this name, line by line.
pub(super) fn values<'a>(message: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let head = message.split_once("\r\n\r\n").map_or(message, |(head, _)| head);
    head.split("\r\n").skip(1).filter_map(move |line| {
        let (found, value) = line.split_once(':')?;
        found.trim_end().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The first of them.
pub(super) fn value<'a>(message: &'a str, name: &'a str) -> Option<&'a str> {
    values(message, name).next()
}

/// The code of a response.
pub(super) fn status(message: &str) -> Option<u16> {
    message.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
}

/// A user at the end of a connection.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: String,
    server: SocketAddr,
    via: &'static str,
    /// What stands as sent-by: a browser has no address. `[RFC 7118, Section 5]`
    host: String,
    uri_transport: &'static str,
}

impl User {
    pub(super) fn new(name: String, line: &Line, server: SocketAddr) -> User {
        let transport = line.transport();
        let host = if transport.has_websocket() { format!("{name}.invalid") } else { line.local().to_string() };
        User { name, server, via: transport.in_via(), host, uri_transport: transport.in_uri() }
    }

    fn contact(&self) -> String {
        format!("<sip:{}@{};transport={}>", self.name, self.host, self.uri_transport)
    }

    /// A request outside of a dialog or within one: `to` is the whole value of To, `more` are whole lines.
    fn request(&self, start: &str, to: &str, call: &str, cseq: &str, more: &str, body: &str) -> String {
        let Self { name, server, via, host, .. } = self;
        let method = cseq.split(' ').nth(1).unwrap_or_default();
        format!(
            "{method} {start} SIP/2.0\r\nVia: SIP/2.0/{via} {host};branch=z9hG4bK{method}{call};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{name}@{server}>;tag={name}x{call}\r\nTo: {to}\r\nCall-ID: {call}\r\nCSeq: {cseq}\r\n{more}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    pub(super) fn options(&self, call: &str) -> String {
        let uri = format!("sip:{}", self.server);
        self.request(&uri, &format!("<{uri}>"), call, "1 OPTIONS", "Accept: application/sdp\r\n", "")
    }

    pub(super) fn register(&self, call: &str) -> String {
        let (uri, more) = (format!("sip:{}", self.server), format!("Contact: {};expires=3600\r\n", self.contact()));
        self.request(&uri, &format!("<sip:{}@{}>", self.name, self.server), call, "1 REGISTER", &more, "")
    }

    pub(super) fn invite(&self, callee: &str, call: &str) -> String {
        let uri = format!("sip:{callee}@{}", self.server);
        let more = format!("Contact: {}\r\nContent-Type: application/sdp\r\n", self.contact());
        self.request(&uri, &format!("<{uri}>"), call, "1 INVITE", &more, BODY)
    }

    /// ACK and BYE of a call whose 200 this is.
    pub(super) fn ack_and_bye(&self, answer: &str, call: &str) -> Result<[String; 2], Fault> {
        let contact = value(answer, "Contact").and_then(|contact| contact.split_once('<')?.1.split_once('>'));
        let (target, _) = contact.ok_or_else(|| format!("a 200 without Contact: {answer:?}"))?;
        let to = value(answer, "To").unwrap_or_default();
        // The caller goes the way back. [RFC 3261, Section 12.1.2]
        let routes = values(answer, "Record-Route").flat_map(|line| line.split(',')).map(str::trim);
        let routes: Vec<String> = routes.map(|route| format!("Route: {route}\r\n")).collect();
        let routes: String = routes.into_iter().rev().collect();
        Ok(["1 ACK", "2 BYE"].map(|cseq| self.request(target, to, call, cseq, &routes, "")))
    }

    /// An answer to a request that came in.
    pub(super) fn answer(&self, request: &str, status: &str) -> String {
        let mut text = format!("SIP/2.0 {status}\r\n");
        for name in ["Via", "Record-Route", "From", "Call-ID", "CSeq"] {
            values(request, name).for_each(|value| text.push_str(&format!("{name}: {value}\r\n")));
        }
        let to = value(request, "To").unwrap_or_default();
        let tag = if to.contains(";tag=") { String::new() } else { format!(";tag={}", self.name) };
        text.push_str(&format!("To: {to}{tag}\r\n"));
        let is_of_invite = request.starts_with("INVITE ");
        if is_of_invite {
            text.push_str(&format!("Contact: {}\r\n", self.contact()));
        }
        let body = if is_of_invite && status.starts_with("200") { BODY } else { "" };
        if !body.is_empty() {
            text.push_str("Content-Type: application/sdp\r\n");
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        text
    }
}

/// An OPTIONS to the server, to be sent by this line.
#[must_use]
pub fn options(line: &Line, server: SocketAddr, call: &str) -> String {
    User::new("probe".to_owned(), line, server).options(call)
}

/// Whether this is the 200 of that call.
#[must_use]
pub fn is_ok(message: &[u8], call: &str) -> bool {
    let message = String::from_utf8_lossy(message);
    status(&message) == Some(200) && value(&message, "Call-ID") == Some(call)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn messages_are_split_by_their_length() {
        let two = "SIP/2.0 200 OK\r\nl: 2\r\n\r\nabSIP/2.0 180 R\r\nContent-Length : 0\r\n\r\n";
        let mut buffer = BytesMut::from(two);
        let first = split_message(&mut buffer).unwrap().unwrap();
        assert!(first.ends_with(b"\r\n\r\nab"));
        let second = split_message(&mut buffer).unwrap().unwrap();
        assert_eq!(status(std::str::from_utf8(&second).unwrap()), Some(180));
        assert_eq!(split_message(&mut buffer).unwrap(), None);
        assert!(split_message(&mut BytesMut::from("SIP/2.0 200 OK\r\n\r\n")).is_err());
    }

    #[test]
    fn only_the_200_of_the_call_will_do() {
        let ok = "SIP/2.0 200 OK\r\nCall-ID: a\r\n\r\n";
        assert!(is_ok(ok.as_bytes(), "a"));
        assert!(!is_ok(ok.as_bytes(), "b"));
        assert!(!is_ok(ok.replace("200", "503").as_bytes(), "a"));
    }

    #[test]
    fn the_way_back_is_reversed() {
        let user = User {
            name: "a".into(),
            server: "127.0.0.1:5060".parse().unwrap(),
            via: "TCP",
            host: "h".into(),
            uri_transport: "tcp",
        };
        let answer = "SIP/2.0 200 OK\r\nRecord-Route: <sip:2;lr>, <sip:1;lr>\r\nRecord-Route: <sip:0;lr>\r\nTo: <sip:b>;tag=t\r\n\
                      Contact: \"B\" <sip:b@x>\r\n\r\n";
        let [ack, bye] = user.ack_and_bye(answer, "c").unwrap();
        assert!(ack.starts_with("ACK sip:b@x SIP/2.0\r\n") && bye.starts_with("BYE sip:b@x SIP/2.0\r\n"));
        assert_eq!(values(&bye, "Route").collect::<Vec<_>>(), ["<sip:0;lr>", "<sip:1;lr>", "<sip:2;lr>"]);
    }
}
