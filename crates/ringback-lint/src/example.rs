//! The messages by which a rule explains itself: a base and a few changes, so that the page shows what matters.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ringback_message::{HeaderId, Message, Method, Request, Response, StatusCode};

use crate::tables::{self, Mark};

/// A message as a base and changes to it.
///
/// The first item names the base: a method, or a code with the method that it answers (`"200 BYE"`, INVITE where none is
/// named), with `+sdp` behind it for one with a session description. A base breaks no rule. Then come changes:
///
/// | change | does |
/// |---|---|
/// | `Name: value` | puts this line in the place of all of that name |
/// | `+Name: value` | adds one more line |
/// | `-Name` | takes all of that name out |
/// | `~Name: 100` | puts a line with a value of that many letters in the place of all of that name |
/// | `=line` | is the first line |
/// | `\|line` | is a line of the body; of the session description, in the place of that letter where it has one |
#[derive(Clone, Copy, Debug)]
pub struct Example {
    pub(crate) lines: &'static [&'static str],
    pub(crate) response: Option<&'static [&'static str]>,
}

impl Example {
    /// The message that is judged: for a pair, the response.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        match (self.response, self.request()) {
            (Some(response), Some(request)) => made(response, Some(&request)),
            _ => made(self.lines, None),
        }
    }

    /// The request that it answers, for a pair.
    #[must_use]
    pub fn request(&self) -> Option<Vec<u8>> {
        self.response.map(|_| made(self.lines, None))
    }

    /// What makes the example one, in a few words: its base and changes, after `→` those of the response.
    #[must_use]
    pub fn shown(&self) -> String {
        let half = |lines: &[&str]| {
            let lines: Vec<String> = lines.iter().map(|line| shown(line)).collect();
            lines.join("; ")
        };
        let response = self.response.map(half).map(|response| format!(" → {response}"));
        format!("{}{}", half(self.lines), response.unwrap_or_default())
    }
}

fn shown(line: &str) -> String {
    match line.split_at_checked(1) {
        Some(("-", name)) => format!("no {}", name.trim_start_matches('|')),
        Some(("+", line)) => format!("and {line}"),
        Some(("=" | "|", line)) => line.to_owned(),
        Some(("~", line)) => format!("{line} letters"),
        _ => line.replace("+sdp", " with SDP"),
    }
}

/// A message that is being put together.
#[derive(Default)]
struct Draft {
    start: String,
    fields: Vec<(String, String)>,
    body: Vec<String>,
}

fn made(lines: &[&str], request: Option<&[u8]>) -> Vec<u8> {
    let (base, changes) = lines.split_first().map_or(("", lines), |(base, changes)| (*base, changes));
    let (base, has_sdp) = base.strip_suffix("+sdp").map_or((base, false), |base| (base, true));
    let mut draft = base_of(base, request);
    if has_sdp {
        draft.set("Content-Type", "application/sdp");
        draft.body = SDP.map(ToOwned::to_owned).into();
    }
    let mut media = Vec::new();
    for change in changes {
        match change.split_at_checked(1) {
            Some(("=", start)) => draft.start = start.to_owned(),
            Some(("|", line)) if has_sdp => draft.set_sdp(line, &mut media),
            Some(("|", line)) => draft.body.push(line.to_owned()),
            Some(("-", line)) if line.starts_with('|') => {
                let letter = line.trim_start_matches('|');
                draft.body.retain(|line| !line.starts_with(letter));
            }
            Some(("-", name)) => draft.fields.retain(|(other, _)| !is_same(other, name)),
            Some(("+", line)) => draft.add(line),
            Some(("~", line)) => draft.replace(&long(line)),
            _ => draft.replace(change),
        }
    }
    if has_sdp && media.is_empty() {
        media.push("m=audio 4000 RTP/AVP 0".to_owned());
    }
    draft.body.extend(media);
    draft.written()
}

const SDP: [&str; 5] = ["v=0", "o=- 1 1 IN IP4 192.0.2.4", "s=-", "c=IN IP4 192.0.2.4", "t=0 0"];

fn long(line: &str) -> String {
    let (name, count) = line.split_once(": ").unwrap_or((line, ""));
    format!("{name}: {}", "x".repeat(count.parse().unwrap_or_default()))
}

fn is_same(name: &str, other: &str) -> bool {
    let (a, b) = (HeaderId::from_name(name.as_bytes()), HeaderId::from_name(other.as_bytes()));
    if a == HeaderId::Other { name.eq_ignore_ascii_case(other) } else { a == b }
}

impl Draft {
    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(other, _)| is_same(other, name))
    }

    fn set(&mut self, name: &str, value: &str) {
        let place = self.fields.iter().position(|(other, _)| is_same(other, name)).unwrap_or(self.fields.len());
        self.fields.retain(|(other, _)| !is_same(other, name));
        self.fields.insert(place.min(self.fields.len()), (name.to_owned(), value.to_owned()));
    }

    fn add(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        self.fields.push((name.to_owned(), value.trim().to_owned()));
    }

    fn replace(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        self.set(name, value.trim());
    }

    /// A line of the session level takes the place of that with its letter, before the first stream.
    fn set_sdp(&mut self, line: &str, media: &mut Vec<String>) {
        let letter = line.get(..2).unwrap_or_default();
        match self.body.iter_mut().find(|line| line.starts_with(letter)) {
            Some(known) if media.is_empty() => *known = line.to_owned(),
            _ if media.is_empty() && !line.starts_with("m=") => self.body.push(line.to_owned()),
            _ => media.push(line.to_owned()),
        }
    }

    fn written(mut self) -> Vec<u8> {
        let body: String = self.body.iter().map(|line| format!("{line}\r\n")).collect();
        if !self.has("Content-Length") {
            self.fields.push(("Content-Length".into(), body.len().to_string()));
        } else {
            // A length that is given with no value is left out.
            self.fields.retain(|(name, value)| !(is_same(name, "Content-Length") && value.is_empty()));
        }
        let fields: String = self.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{}\r\n{fields}\r\n{body}", self.start).into_bytes()
    }
}

/// A request of a method, or an answer, with all that must and should be in it.
fn base_of(base: &str, request: Option<&[u8]>) -> Draft {
    let mut words = base.split(' ');
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or("INVITE"));
    let Ok(status) = first.parse::<StatusCode>() else { return request_of(first) };
    let made = match request {
        Some(request) => Request::parse(request),
        None => Request::parse(&request_of(second).written()),
    };
    made.map_or_else(|_| Draft::default(), |request| answer_to(&request, status))
}

fn request_of(name: &str) -> Draft {
    let method = Method::from_token(name.as_bytes()).unwrap_or(Method::Options);
    let uri = if method == Method::Register { "sip:b.example" } else { "sip:bob@b.example" };
    let is_inside = method.info().is_some_and(|info| !info.outside_dialog);
    let tag = if is_inside || method == Method::Ack { ";tag=314159ab" } else { "" };
    let cseq = format!("7 {name}");
    let to = format!("<sip:bob@b.example>{tag}");
    let mut draft = Draft { start: format!("{name} {uri} SIP/2.0"), ..Draft::default() };
    let fields = [
        ("Via", "SIP/2.0/UDP a.example;branch=z9hG4bK776asdhds;rport"),
        ("Max-Forwards", "70"),
        ("From", "<sip:alice@a.example>;tag=88sja8x7"),
        ("To", &to),
        ("Call-ID", "a84b4c76e66710@a.example"),
        ("CSeq", &cseq),
    ];
    draft.fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    for carry in method.info().into_iter().flat_map(|info| info.must) {
        draft.fill(carry.header, &method, &["SIP-If-Match"]);
    }
    for (header, mark, _) in tables::wanted(&method, None) {
        if mark == Mark::Recommended {
            draft.fill(header, &method, &["Content-Length"]);
        }
    }
    match method {
        Method::Subscribe => draft.set("Expires", "600"),
        Method::Publish => draft.set("SIP-If-Match", "dx200xyz"),
        _ => {}
    }
    draft
}

impl Draft {
    fn fill(&mut self, header: HeaderId, method: &Method, but: &[&str]) {
        let name = header.as_str();
        if !self.has(name) && !but.contains(&name) {
            self.set(name, &usual(header, method));
        }
    }
}

/// A value that is always right.
fn usual(header: HeaderId, method: &Method) -> String {
    match header {
        HeaderId::Contact => "<sip:alice@192.0.2.4>",
        HeaderId::Event => "presence",
        HeaderId::SubscriptionState => "active;expires=600",
        HeaderId::ReferTo | HeaderId::ReferEventsAt => "<sip:carol@c.example>",
        HeaderId::RAck => "1 7 INVITE",
        HeaderId::InfoPackage | HeaderId::RecvInfo => "g.example",
        HeaderId::SipEtag | HeaderId::SipIfMatch => "dx200xyz",
        HeaderId::Allow => return allowed(method),
        HeaderId::Supported => "path",
        HeaderId::Accept => "application/sdp",
        HeaderId::AcceptEncoding => "identity",
        HeaderId::AcceptLanguage => "en",
        HeaderId::AllowEvents => "presence",
        HeaderId::Unsupported => "foo",
        HeaderId::WwwAuthenticate | HeaderId::ProxyAuthenticate => {
            "Digest realm=\"b.example\", nonce=\"84a4cc6f3082121f\", qop=\"auth\", algorithm=SHA-256"
        }
        HeaderId::Date => "Sat, 13 Nov 2010 23:29:00 GMT",
        HeaderId::Reason => "SIP;cause=480",
        HeaderId::Warning => "399 b.example \"It is so\"",
        HeaderId::RSeq => "1",
        HeaderId::Require => "100rel",
        HeaderId::SecurityServer => "digest;d-alg=SHA-256",
        HeaderId::GeolocationError => "100",
        HeaderId::AlertMsgError => "100",
        HeaderId::CallInfo => "<https://b.example/card>;purpose=card",
        HeaderId::PermissionMissing => "<sip:carol@c.example>",
        _ => "600",
    }
    .to_owned()
}

fn allowed(method: &Method) -> String {
    let mut names = Vec::from(["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "PRACK"]);
    if !names.contains(&method.as_str()) {
        names.push(method.as_str());
    }
    names.join(", ")
}

fn answer_to(request: &Message, status: StatusCode) -> Draft {
    let method = request.method().unwrap_or(Method::Options);
    let bare = Response::to(request, status).to_tag("314159ab").build_unchecked().ok();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let fields = bare.iter().flat_map(Message::headers).filter(|header| header.id() != HeaderId::ContentLength);
    let mut draft = Draft {
        start: format!("SIP/2.0 {status} {}", status.default_phrase()),
        fields: fields.map(|header| (text(header.name()), text(header.value()))).collect(),
        body: Vec::new(),
    };
    let carries = status.info().into_iter().flat_map(|info| info.must.iter().chain(info.should));
    for carry in carries {
        let is_called_for = bare.as_ref().is_some_and(|bare| carry.when.holds(request, bare) == Some(true));
        // Of those that do as well as one another, the first does.
        let is_there = [HeaderId::Accept, HeaderId::AcceptEncoding, HeaderId::AcceptLanguage].contains(&carry.header)
            && status == StatusCode::UnsupportedMediaType
            && draft.has("Accept");
        if is_called_for && !is_there {
            draft.fill(carry.header, &method, &["Content-Type"]);
        }
    }
    for (header, _, _) in tables::wanted(&method, Some(status)) {
        draft.fill(header, &method, &["Content-Length"]);
    }
    if status == StatusCode::MethodNotAllowed {
        let others = ["INVITE", "ACK", "CANCEL", "BYE"].into_iter().filter(|name| *name != method.as_str());
        draft.set("Allow", &others.collect::<Vec<_>>().join(", "));
    }
    draft
}
