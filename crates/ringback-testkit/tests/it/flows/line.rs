//! A message as a line: who sends what to whom, and what the RFCs' examples show of it that matters.

use std::fmt::Write as _;

use ringback_message::header::Expires;
use ringback_message::{HeaderId, Message, NameAddr, SipUri};
use ringback_sdp::SessionDescription;

use super::judge::Judge;
use super::town::PLACES;

/// Writes messages down. Call-IDs, tags and RSeqs are drawn by chance: each gets a name by who sent it first.
#[derive(Default)]
pub(crate) struct Scribe {
    lines: Vec<String>,
    judge: Judge,
    calls: Vec<Vec<u8>>,
    tags: Vec<(Vec<u8>, String)>,
    /// Of which dialog the RSeq is counted from which number.
    rseqs: Vec<(Vec<u8>, u32)>,
}

impl Scribe {
    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    pub(crate) fn has(&self, beginning: &str) -> bool {
        self.lines.iter().any(|line| line.starts_with(beginning))
    }

    pub(crate) fn write(&mut self, from: &str, to: &str, message: &Message) -> &str {
        self.judge.judge(message);
        let text = |id| message.first(id).map(|line| String::from_utf8_lossy(line.value()).into_owned());
        let cseq = text(HeaderId::CSeq).unwrap();
        let (number, method) = cseq.split_once(' ').unwrap();
        let mut line = match message.status() {
            Some(status) => format!("{} {method}", status.as_u16()),
            None => method.to_owned(),
        };
        let _ = write!(line, " {from} -> {to} |");
        let call = self.call(&text(HeaderId::CallId).unwrap());
        let (caller, callee) = (self.tag(from, message, HeaderId::From), self.tag(from, message, HeaderId::To));
        let _ = write!(line, " {call} {caller}>{callee} cseq={number} vias={}", message.vias().count());
        if message.is_request() {
            let _ = write!(line, " uri={}", self.named(&String::from_utf8_lossy(message.request_uri_text())));
        }
        for (word, id) in [
            ("record", HeaderId::RecordRoute),
            ("route", HeaderId::Route),
            ("path", HeaderId::Path),
            ("contact", HeaderId::Contact),
        ] {
            let is_star = text(id).is_some_and(|value| value == "*");
            let addresses = message.addresses(id).filter(|_| !is_star);
            let all: Vec<String> = addresses.map(|address| self.place(&address.unwrap())).collect();
            let all = if is_star { vec!["*".to_owned()] } else { all };
            if !all.is_empty() {
                let _ = write!(line, " {word}={}", all.join(","));
            }
        }
        for (word, id) in [("auth", HeaderId::Authorization), ("proxy-auth", HeaderId::ProxyAuthorization)] {
            proofs(&mut line, word, message.all(id).map(|line| line.value()));
        }
        for (word, id) in [("asks", HeaderId::WwwAuthenticate), ("proxy-asks", HeaderId::ProxyAuthenticate)] {
            proofs(&mut line, word, message.all(id).map(|line| line.value()));
        }
        self.extensions(&mut line, message);
        body(&mut line, message);
        self.lines.push(line);
        self.lines.last().unwrap()
    }

    fn extensions(&mut self, line: &mut String, message: &Message) {
        let text = |id| message.first(id).map(|line| String::from_utf8_lossy(line.value()).into_owned());
        if let Ok(Some(Expires(seconds))) = message.get::<Expires>() {
            let _ = write!(line, " expires={seconds}");
        }
        if let Some(rseq) = text(HeaderId::RSeq) {
            let dialog = text(HeaderId::To).unwrap().into_bytes();
            let rseq: u32 = rseq.parse().unwrap();
            if !self.rseqs.iter().any(|(known, _)| *known == dialog) {
                self.rseqs.push((dialog.clone(), rseq));
            }
            let _ = write!(line, " rseq={}", self.counted(&dialog, rseq));
        }
        if let Some(rack) = text(HeaderId::RAck) {
            let dialog = text(HeaderId::To).unwrap().into_bytes();
            let (rseq, rest) = rack.split_once(' ').unwrap();
            let _ = write!(line, " rack={}/{}", self.counted(&dialog, rseq.parse().unwrap()), rest.replace(' ', "/"));
        }
        for (word, id) in [
            ("require", HeaderId::Require),
            ("event", HeaderId::Event),
            ("state", HeaderId::SubscriptionState),
            ("refer-to", HeaderId::ReferTo),
            ("referred-by", HeaderId::ReferredBy),
            ("replaces", HeaderId::Replaces),
            ("join", HeaderId::Join),
            ("refer-sub", HeaderId::ReferSub),
            ("session-expires", HeaderId::SessionExpires),
            ("min-se", HeaderId::MinSe),
            ("min-expires", HeaderId::MinExpires),
            ("reason", HeaderId::Reason),
            ("etag", HeaderId::SipEtag),
            ("if-match", HeaderId::SipIfMatch),
        ] {
            if let Some(value) = text(id) {
                let _ = write!(line, " {word}={}", self.named(&value).replace(' ', "_"));
            }
        }
    }

    fn counted(&self, dialog: &[u8], rseq: u32) -> String {
        let (_, first) = self.rseqs.iter().find(|(known, _)| known == dialog).expect("an RSeq of this dialog");
        format!("n+{}", rseq - first)
    }

    fn call(&mut self, id: &str) -> char {
        let id = id.as_bytes();
        let at = self.calls.iter().position(|known| known == id).unwrap_or_else(|| {
            self.calls.push(id.to_vec());
            self.calls.len() - 1
        });
        char::from(b'A' + u8::try_from(at).unwrap())
    }

    fn tag(&mut self, sender: &str, message: &Message, id: HeaderId) -> String {
        let address = message.addresses(id).next().unwrap().unwrap();
        let Some(tag) = address.params.value(b"tag") else { return "-".to_owned() };
        if let Some((_, name)) = self.tags.iter().find(|(known, _)| known == tag) {
            return name.clone();
        }
        let others = self.tags.iter().filter(|(_, name)| name.split('.').next() == Some(sender)).count();
        let name = if others == 0 { sender.to_owned() } else { format!("{sender}.{}", others + 1) };
        self.tags.push((tag.to_vec(), name.clone()));
        name
    }

    /// Who is meant: the element, before it the user where it has another name, and what a registration says of it.
    fn place(&self, address: &NameAddr<&[u8]>) -> String {
        let mut said = match address.uri.as_sip() {
            Some(uri) => self.element(uri),
            None => {
                let mut uri = Vec::new();
                address.uri.write(&mut uri);
                self.named(&String::from_utf8_lossy(&uri))
            }
        };
        for word in ["expires", "q"] {
            if let Some(value) = address.params.value(word.as_bytes()) {
                let _ = write!(said, ";{word}={}", String::from_utf8_lossy(value));
            }
        }
        said
    }

    fn element(&self, uri: &SipUri<&[u8]>) -> String {
        let host = String::from_utf8_lossy(uri.host).into_owned();
        let element = PLACES.iter().find(|(_, place, _)| *place == host).map(|(name, _, _)| *name);
        let user = uri.user.map(|user| String::from_utf8_lossy(user).into_owned());
        match (element, user) {
            (Some(element), Some(user)) if element.trim_end_matches(char::is_numeric) != user => {
                format!("{user}@{element}")
            }
            (Some(element), _) => element.to_owned(),
            (None, user) => format!("{}@{}", user.unwrap_or_default(), self.named(&host)),
        }
    }

    /// With names in the place of what is drawn by chance, and of what every name has.
    fn named(&self, text: &str) -> String {
        let mut text = text.replace("%3B", ";").replace("%3b", ";").replace("%3D", "=").replace("%3d", "=");
        for (at, call) in self.calls.iter().enumerate() {
            let name = char::from(b'A' + u8::try_from(at).unwrap()).to_string();
            text = text.replace(&*String::from_utf8_lossy(call), &name);
        }
        for (tag, name) in &self.tags {
            text = text.replace(&*String::from_utf8_lossy(tag), name);
        }
        text.replace(".example.com", "").replace("sip:", "").replace(['<', '>'], "")
    }
}

/// The realms of challenges or credentials, and how often their nonce is used.
fn proofs<'a>(line: &mut String, word: &str, values: impl Iterator<Item = &'a [u8]>) {
    let param = |value: &str, name: &str| {
        let (_, rest) = value.split_once(&format!("{name}="))?;
        Some(rest.trim_start_matches('"').split(['"', ',']).next()?.to_owned())
    };
    let said: Vec<String> = values
        .map(|value| {
            let value = String::from_utf8_lossy(value);
            let realm = param(&value, "realm").unwrap_or_default().replace(".example.com", "");
            let count = param(&value, "nc").map(|count| format!("/{}", count.trim_start_matches('0')));
            let stale = if value.contains("stale=true") { "/stale" } else { "" };
            format!("{realm}{}{stale}", count.unwrap_or_default())
        })
        .collect();
    if !said.is_empty() {
        let _ = write!(line, " {word}={}", said.join(","));
    }
}

/// Of a description the media, whose address they have, and their direction; of a fragment its first line.
fn body(line: &mut String, message: &Message) {
    let kind = message.first(HeaderId::ContentType).map(|line| String::from_utf8_lossy(line.value()).into_owned());
    match kind.as_deref() {
        Some("application/sdp") => {
            let description = SessionDescription::parse(message.body()).unwrap();
            let media = description.media().iter().map(|media| {
                let at = description.connection_of(media).map(|connection| connection.address.to_owned());
                let at = at.unwrap_or_default();
                let place = PLACES.iter().find(|(_, _, ip)| *ip == at).map_or(&*at, |(name, _, _)| *name);
                let what = if media.port() == 0 { "off".into() } else { description.direction_of(media).to_string() };
                format!("{place}:{}:{what}", media.media().as_str())
            });
            let _ = write!(line, " sdp={}", media.collect::<Vec<_>>().join(","));
        }
        Some(fragment) if fragment.starts_with("message/sipfrag") => {
            let text = String::from_utf8_lossy(message.body()).into_owned();
            let _ = write!(line, " frag={:?}", text.lines().next().unwrap_or_default());
        }
        Some(other) => _ = write!(line, " body={other}"),
        None => {}
    }
}
