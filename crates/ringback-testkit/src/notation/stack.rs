//! A whole server on a stage.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use ringback_base::{Hop, Micros, Now, Random};
use ringback_location::{Binding, Version};
use ringback_message::header::Qvalue;
use ringback_message::{HeaderId, Message, NameAddr, Request, Response, StatusCode};
use ringback_stack::{Answer, Config, Listener, Query, Reason, Stack};

use super::Stage;

const DOMAIN: &str = "example.com";

/// A server of an open domain, and peers that say what the script has them say.
///
/// | line | means |
/// |---|---|
/// | `bob is at bob1` , `bob is at bob2 q=0.5` | a binding of the user bob, to a peer of that name |
/// | `in alice INVITE bob` | alice sends a request to the user |
/// | `in alice OPTIONS` | alice sends a request to the server |
/// | `in alice INVITE again` | her last one of that method, once more |
/// | `in alice CANCEL` | the CANCEL for her last INVITE |
/// | `in alice ACK` | the ACK for the last final response to it |
/// | `in alice BYE` | a request within the dialog that her last 2xx made, whichever side she was |
/// | `in bob1 180`, `in bob1 200 CANCEL` | a response to the last INVITE that came to bob1, or to the last CANCEL |
/// | `in bob1 error` | the server learns that nothing reaches bob1 |
/// | `out alice 180/bob1` | a response with the To tag of bob1; INVITE is not named, any other method is |
#[derive(Debug)]
pub struct StackStage {
    stack: Stack,
    server: SocketAddr,
    peers: BTreeMap<String, Peer>,
    bindings: BTreeMap<String, Vec<Binding>>,
    output: Vec<String>,
    branches: u32,
}

#[derive(Debug)]
struct Peer {
    address: SocketAddr,
    sent: BTreeMap<String, Request>,
    came: BTreeMap<String, Request>,
    /// The last final response to an INVITE that came.
    answer: Option<Response>,
    dialog: Option<Dialog>,
}

#[derive(Clone, Debug)]
struct Dialog {
    target: String,
    routes: String,
    local: String,
    remote: String,
    call_id: String,
    cseq: u32,
}

impl StackStage {
    /// A server whose configuration is the default one for an open domain, changed by this.
    ///
    /// # Errors
    /// Where the configuration contradicts itself.
    pub fn new(change: impl FnOnce(&mut Config)) -> Result<StackStage, String> {
        let server = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 5060));
        let mut config = Config::new(DOMAIN, vec![Listener::udp(server)]);
        config.open = true;
        change(&mut config);
        let stack = Stack::new(config, Random::from_seed([17; 32])).map_err(|error| error.to_string())?;
        let (peers, bindings) = (BTreeMap::new(), BTreeMap::new());
        Ok(StackStage { stack, server, peers, bindings, output: Vec::new(), branches: 0 })
    }

    fn peer(&mut self, name: &str) -> &mut Peer {
        let host = u8::try_from(self.peers.len()).unwrap_or(u8::MAX).saturating_add(10);
        self.peers.entry(name.to_owned()).or_insert_with(|| Peer {
            address: SocketAddr::from((Ipv4Addr::new(192, 0, 2, host), 5060)),
            sent: BTreeMap::new(),
            came: BTreeMap::new(),
            answer: None,
            dialog: None,
        })
    }

    fn name_of(&self, address: SocketAddr) -> String {
        let named = self.peers.iter().find(|(_, peer)| peer.address == address);
        named.map_or_else(|| address.to_string(), |(name, _)| name.clone())
    }

    fn request_of(&mut self, name: &str, method: &str, to: Option<&str>) -> Result<Request, String> {
        let peer = self.peer(name);
        let address = peer.address;
        match (method, to) {
            (_, Some("again")) => peer.sent.get(method).cloned().ok_or_else(|| format!("{name} sent no {method}")),
            ("CANCEL", _) => {
                let invite = peer.sent.get("INVITE").ok_or("there is no INVITE to cancel")?;
                invite.cancel().map_err(|error| error.to_string())
            }
            ("ACK", _) => match &peer.answer {
                Some(answer) if !answer.status().is_success() => {
                    let invite = peer.sent.get("INVITE").ok_or("there is no INVITE")?;
                    invite.ack(answer).map_err(|error| error.to_string())
                }
                Some(answer) => {
                    let cseq = answer.cseq();
                    self.in_dialog(name, "ACK", Some(cseq))
                }
                None => Err(format!("{name} has nothing to acknowledge")),
            },
            (_, None) if peer.dialog.is_some() => self.in_dialog(name, method, None),
            (_, to) => {
                let uri = to.map_or_else(|| format!("sip:{DOMAIN}"), |user| format!("sip:{user}@{DOMAIN}"));
                let from = format!("<sip:{name}@{DOMAIN}>;tag={name}");
                let lines = format!(
                    "From: {from}\r\nTo: <{uri}>\r\nCall-ID: call-of-{name}\r\nCSeq: 1 {method}\r\n\
                     Contact: <sip:{name}@{address}>\r\n"
                );
                self.built(method, &uri, address, &lines)
            }
        }
    }

    fn in_dialog(&mut self, name: &str, method: &str, cseq: Option<u32>) -> Result<Request, String> {
        let peer = self.peer(name);
        let address = peer.address;
        let dialog = peer.dialog.as_mut().ok_or_else(|| format!("{name} has no dialog"))?;
        let number = cseq.unwrap_or_else(|| {
            dialog.cseq = dialog.cseq.saturating_add(1);
            dialog.cseq
        });
        let Dialog { target, routes, local, remote, call_id, .. } = dialog.clone();
        let lines =
            format!("From: {local}\r\nTo: {remote}\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\n{routes}");
        self.built(method, &target, address, &lines)
    }

    fn built(&mut self, method: &str, uri: &str, from: SocketAddr, lines: &str) -> Result<Request, String> {
        self.branches += 1;
        let branch = self.branches;
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n{lines}\r\n"
        );
        let message = Message::parse(Bytes::from(text)).map_err(|rejected| rejected.error.to_string())?;
        Request::check(message).map_err(|rejected| rejected.error.to_string())
    }

    fn response_of(&mut self, name: &str, code: u16, method: &str) -> Result<Message, String> {
        let peer = self.peer(name);
        let request = peer.came.get(method).cloned().ok_or_else(|| format!("no {method} came to {name}"))?;
        let status = StatusCode::new(code).map_err(|_| format!("{code} is no code"))?;
        let contact = format!("<sip:{name}@{}>", peer.address);
        let built = Response::to(&request, status).to_tag(name).raw(HeaderId::Contact, contact).build_unchecked();
        let message = built.map_err(|error| error.to_string())?;
        if status.is_success() && method == "INVITE" {
            peer.dialog = Some(Dialog {
                target: contact_of(&request),
                routes: routes_of(&request).concat(),
                local: value_of(&message, HeaderId::To),
                remote: value_of(&request, HeaderId::From),
                call_id: value_of(&request, HeaderId::CallId),
                cseq: 0,
            });
        }
        Ok(message)
    }

    fn settle(&mut self, now: Now) {
        loop {
            while let Some(transmit) = self.stack.poll_transmit() {
                let name = self.name_of(transmit.hop.remote);
                let line = self.comes_to(&name, transmit.bytes);
                self.output.push(line);
            }
            while self.stack.poll_event().is_some() {}
            let Some(lookup) = self.stack.poll_lookup() else { return };
            let answer = match lookup.query {
                Query::LoadBindings { aor } => {
                    let rows = self.bindings.get(aor.user()).cloned().unwrap_or_default();
                    Answer::Bindings { rows, version: Version(1) }
                }
                _ => Answer::Failed,
            };
            self.stack.handle_answer(lookup.token, answer, now);
        }
    }

    /// What comes to a peer, in the words of a script.
    fn comes_to(&mut self, name: &str, bytes: Bytes) -> String {
        let Ok(message) = Message::parse(bytes) else { return format!("{name} noise") };
        if message.is_request() {
            let Ok(request) = Request::check(message) else { return format!("{name} half a request") };
            let method = request.method().to_string();
            let line = format!("{name} {method}");
            self.peer(name).came.insert(method, request);
            return line;
        }
        let Ok(response) = Response::check(message) else { return format!("{name} half a response") };
        let method = String::from_utf8_lossy(response.cseq_method()).into_owned();
        let tag = String::from_utf8_lossy(response.to_tag().unwrap_or_default()).into_owned();
        let tag = if self.peers.contains_key(&tag) { format!("/{tag}") } else { String::new() };
        let line = format!("{name} {}{tag}", response.status());
        if method != "INVITE" {
            return format!("{line} {method}");
        }
        if response.status().is_final() {
            let peer = self.peer(name);
            if response.status().is_success() {
                let mut routes = routes_of(&response);
                routes.reverse();
                peer.dialog = Some(Dialog {
                    target: contact_of(&response),
                    routes: routes.concat(),
                    local: value_of(&response, HeaderId::From),
                    remote: value_of(&response, HeaderId::To),
                    call_id: value_of(&response, HeaderId::CallId),
                    cseq: response.cseq(),
                });
            }
            peer.answer = Some(response);
        }
        line
    }
}

impl Stage for StackStage {
    fn prepare(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<&str> = line.split(' ').collect();
        let [user, "is", "at", peer, more @ ..] = &words[..] else {
            return Err("say who is at which peer".to_owned());
        };
        let q = match more {
            [] => None,
            [q] => Some(q.strip_prefix("q=").and_then(|q| Qvalue::parse(q.as_bytes())).ok_or("q is from 0 to 1")?),
            _ => return Err("only q may follow".to_owned()),
        };
        let (user, peer) = (*user, *peer);
        let contact = format!("sip:{user}@{}", self.peer(peer).address);
        let binding = Binding {
            contact: contact.into_bytes().into(),
            params: Box::default(),
            q,
            call_id: (*b"1").into(),
            cseq: 1,
            expires_at: ringback_base::Millis(u64::MAX),
            updated_at: ringback_base::Millis(0),
            received: None,
            path: Vec::new(),
            user_agent: None,
        };
        self.bindings.entry(user.to_owned()).or_default().push(binding);
        Ok(())
    }

    fn input(&mut self, from: &str, what: &str, now: Now) -> Result<(), String> {
        let (first, second) = what.split_once(' ').map_or((what, None), |(first, second)| (first, Some(second)));
        let remote = self.peer(from).address;
        if first == "error" {
            self.stack.handle_send_failed(&Hop::udp(self.server, remote), now);
            self.settle(now);
            return Ok(());
        }
        let bytes = match first.parse::<u16>() {
            Ok(code) => self.response_of(from, code, second.unwrap_or("INVITE"))?.as_bytes().clone(),
            Err(_) => {
                let request = self.request_of(from, first, second)?;
                self.peer(from).sent.insert(first.to_owned(), request.clone());
                request.as_bytes().clone()
            }
        };
        self.stack.handle_datagram(bytes, Hop::udp(self.server, remote), now);
        self.settle(now);
        Ok(())
    }

    fn poll_timeout(&self) -> Option<(Micros, String)> {
        let (at, reason) = self.stack.poll_timeout()?;
        let name = match reason {
            Reason::Transaction(timer) => timer.to_string(),
            Reason::Call => "Timer of the call".to_owned(),
            Reason::Lookup => "Deadline".to_owned(),
            other => format!("{other:?}"),
        };
        Some((at, name))
    }

    fn handle_timeout(&mut self, now: Now) {
        self.stack.handle_timeout(now);
        self.settle(now);
    }

    fn take_output(&mut self) -> Vec<String> {
        std::mem::take(&mut self.output)
    }

    fn left(&self) -> Option<String> {
        let layer = self.stack.transactions();
        (!self.stack.is_idle())
            .then(|| format!("{} server {} client transactions", layer.server_len(), layer.client_len()))
    }
}

fn value_of(message: &Message, id: HeaderId) -> String {
    message.first(id).map(|header| String::from_utf8_lossy(header.value()).into_owned()).unwrap_or_default()
}

fn contact_of(message: &Message) -> String {
    let mut uri = Vec::new();
    if let Some(Ok(contact)) = message.addresses(HeaderId::Contact).next() {
        contact.uri.write(&mut uri);
    }
    String::from_utf8_lossy(&uri).into_owned()
}

/// The Record-Routes as lines of Route, the top one first.
fn routes_of(message: &Message) -> Vec<String> {
    let routes = message.addresses(HeaderId::RecordRoute).filter_map(Result::ok);
    routes
        .map(|route| {
            let mut text = Vec::new();
            NameAddr::write(&route, &mut text);
            format!("Route: {}\r\n", String::from_utf8_lossy(&text))
        })
        .collect()
}
