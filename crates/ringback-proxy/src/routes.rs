//! Route and Record-Route. `[RFC 3261, Section 16.4]` `[RFC 3261, Section 16.12]`

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use ringback_base::{Hop, KeyedHash, Transport};
use ringback_message::{Edit, HeaderId, NameAddr, ParseError, Request, SipUri, Uri};

use crate::flow;
use crate::names::Names;

/// The URI parameter of our Record-Route that proves it is ours.
const COOKIE: &[u8] = b"rr";

/// The URI parameter of our Record-Route that names the connection of whoever is behind it.
const FLOW: &[u8] = b"fl";

/// Makes and knows the Record-Routes of one domain.
///
/// A Route that leads through us opens the way to any address, so it must not be a stranger's to write: ours carries a keyed hash
/// of the Call-ID and of the tag of whoever set the dialog up, and a Route without it gives no more rights than none.
#[derive(Clone, Debug)]
pub struct Routes {
    key: KeyedHash,
}

/// A request after the routes that were for us are taken off.
#[derive(Clone, Debug)]
pub struct Routed {
    /// How many elements of Route, from the top, were ours.
    pub own_routes: usize,
    /// The Request-URI is in the last Route, where a strict router before us put it.
    pub restored_uri: Option<Box<[u8]>>,
    /// A Route of ours proves that the dialog was set up through us.
    pub trusted: bool,
    /// The Route that the request goes to next.
    pub next: Option<NameAddr<Box<[u8]>>>,
    /// The connection of whoever the request is for, where our last Route names it and no other follows: the Contact of a client of
    /// WebSocket leads nowhere. `[RFC 5626, Section 5.3]`
    pub flow: Option<Hop>,
}

impl Routes {
    /// Under this secret, which outlives the process so that dialogs do.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Routes {
        let word = |at: usize| secret.iter().skip(at).take(8).fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
        Routes { key: KeyedHash::with_key(word(0), word(8)) }
    }

    /// The hash under the secret, for what else must be known again after a restart.
    #[must_use]
    pub fn hash(&self) -> KeyedHash {
        self.key
    }

    fn cookie(&self, call_id: &[u8], tag: &[u8], flow: &[u8]) -> String {
        let parts = [b"Record-Route", call_id, tag, flow];
        let count = if flow.is_empty() { 3 } else { 4 };
        format!("{:016x}", self.key.of(parts.get(..count).unwrap_or_default()))
    }

    /// The value of Record-Route, so that the requests of the dialog that this one sets up come to the listener of this hop, whose host
    /// and port are written so.
    ///
    /// It names the connection too where the hop is one of a client of WebSocket, which can be reached by no other.
    /// `[RFC 7118, Section 5]`
    #[must_use]
    pub fn record(&self, hop: &Hop, host_port: &str, request: &Request) -> String {
        let flow = flow_to(hop).unwrap_or_default();
        let cookie = self.cookie(request.call_id(), request.from_tag().unwrap_or_default(), flow.as_bytes());
        let transport = match hop.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
            // There is one name for both. [RFC 7118, Section 5.2]
            Transport::Ws | Transport::Wss => ";transport=ws",
        };
        let flow = if flow.is_empty() { flow } else { format!(";fl={flow}") };
        format!("<sip:{host_port}{transport};lr{flow};rr={cookie}>")
    }

    /// The request is one within a dialog, whose one side had this tag when we wrote the cookie.
    fn is_proven<T: AsRef<[u8]>>(&self, uri: &SipUri<T>, request: &Request) -> bool {
        let (Some(value), Some(to_tag)) = (uri.params.value(COOKIE), request.to_tag()) else { return false };
        let sides = [request.from_tag().unwrap_or_default(), to_tag];
        let flow = uri.params.value(FLOW).unwrap_or_default();
        sides.iter().any(|tag| value == self.cookie(request.call_id(), tag, flow).as_bytes())
    }

    /// Takes off what is ours. `[RFC 3261, Section 16.4]`
    ///
    /// # Errors
    /// Where a Route is malformed.
    pub fn preprocess(&self, request: &Request, names: &Names) -> Result<Routed, ParseError> {
        let mut routes: Vec<NameAddr<&[u8]>> = request.addresses(HeaderId::Route).collect::<Result<_, _>>()?;
        let mut routed = Routed { own_routes: 0, restored_uri: None, trusted: false, next: None, flow: None };
        if let Ok(Uri::Sip(uri)) = request.request_uri()
            && names.is_listener(&uri)
            && self.is_proven(&uri, request)
            && let Some(last) = routes.pop()
        {
            let mut text = Vec::new();
            last.uri.write(&mut text);
            routed.restored_uri = Some(text.into());
            routed.trusted = true;
        }
        for route in &routes {
            let Some(uri) = route.uri.as_sip().filter(|uri| names.is_listener(uri)) else { break };
            routed.own_routes += 1;
            let is_proven = self.is_proven(uri, request);
            routed.trusted |= is_proven;
            routed.flow = uri.params.value(FLOW).filter(|_| is_proven).and_then(flow::read);
        }
        routed.next = routes.get(routed.own_routes).map(NameAddr::to_owned_text);
        routed.flow = routed.flow.filter(|_| routed.next.is_none());
        Ok(routed)
    }
}

impl Routed {
    /// Applies it to what goes onward to this URI: our Routes go, and the last one too where it was the Request-URI.
    ///
    /// A next Route without `lr` is a strict router's: it becomes the Request-URI, and the URI the last Route. `[RFC 3261, Section 16.6]`
    #[must_use]
    pub fn apply<'a>(&self, edit: Edit<'a>, request: &'a Request, uri: &[u8]) -> Edit<'a> {
        let strict = self.next.as_ref().filter(|next| !is_loose(next));
        if let (None, None) = (strict, &self.restored_uri) {
            return edit.drop_elements(HeaderId::Route, self.own_routes).request_uri(uri);
        }
        let all: Vec<_> = request.addresses(HeaderId::Route).filter_map(Result::ok).collect();
        let end = all.len().saturating_sub(usize::from(self.restored_uri.is_some()));
        let mut left: Vec<Vec<u8>> = all.iter().take(end).skip(self.own_routes).map(written).collect();
        let mut request_uri = uri.to_vec();
        if let Some(next) = strict {
            left.drain(..left.len().min(1));
            left.push([b"<", uri, b">"].concat());
            request_uri.clear();
            next.uri.write(&mut request_uri);
        }
        let edit = edit.request_uri(&request_uri);
        if left.is_empty() { edit.remove(HeaderId::Route) } else { edit.set(HeaderId::Route, &left.join(&b", "[..])) }
    }
}

/// What a Record-Route says of the connection, where only that one leads to who is behind it.
pub(crate) fn flow_to(hop: &Hop) -> Option<String> {
    flow::written(hop).filter(|_| matches!(hop.transport, Transport::Ws | Transport::Wss))
}

fn is_loose(route: &NameAddr<Box<[u8]>>) -> bool {
    route.uri.as_sip().is_some_and(|uri| uri.params.has(b"lr"))
}

fn written(route: &NameAddr<&[u8]>) -> Vec<u8> {
    let mut text = Vec::new();
    route.write(&mut text);
    text
}
