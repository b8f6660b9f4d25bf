//! Route and Record-Route. `[RFC 3261, Section 16.4]` `[RFC 3261, Section 16.12]`

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use ringback_base::{Hop, KeyedHash, Transport};
use ringback_message::{Edit, HeaderId, NameAddr, ParseError, Request, SipUri, Uri};

use crate::flow::{Flow, Forged, Whose};
use crate::names::Names;

/// The URI parameter of our Record-Route that proves it is ours.
const COOKIE: &[u8] = b"rr";

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
    /// The flow that a Route of ours leads to, other than that of the sender in a dialog. `[RFC 5626, Section 5.3]`
    pub flow: Option<Flow>,
    /// A Route of ours has a flow token that we have not made: "the proxy SHOULD send a 403 (Forbidden) response".
    /// `[RFC 5626, Section 5.3.1]`
    pub is_forged: bool,
    /// The Route that the request goes to next.
    pub next: Option<NameAddr<Box<[u8]>>>,
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

    fn cookie(&self, call_id: &[u8], tag: &[u8]) -> String {
        format!("{:016x}", self.key.of(&[b"Record-Route", call_id, tag]))
    }

    /// The value of Record-Route, so that the requests of the dialog that this one sets up come to the listener at this host and port,
    /// and from there by this flow.
    #[must_use]
    pub fn record(&self, transport: Transport, host_port: &str, request: &Request, flow: Option<Flow>) -> String {
        let cookie = self.cookie(request.call_id(), request.from_tag().unwrap_or_default());
        let token = flow.map(|flow| format!("{}@", flow.token(&self.key))).unwrap_or_default();
        format!("<sip:{token}{host_port}{};lr;rr={cookie}>", transport_param(transport))
    }

    /// The value of Path, by which requests for a phone that registers from `inbound` come to the listener at this host and port, and
    /// from there by its flow. "the first node MUST include an "ob" URI parameter". `[RFC 5626, Section 5.1]`
    #[must_use]
    pub fn path(&self, transport: Transport, host_port: &str, inbound: Hop, is_first_hop: bool) -> String {
        let token = Flow { hop: inbound, whose: Whose::Registered, only: is_first_hop }.token(&self.key);
        let ob = if is_first_hop { ";ob" } else { "" };
        format!("<sip:{token}@{host_port}{};lr{ob}>", transport_param(transport))
    }

    /// Who sends a request within a dialog, where the cookie proves that it is one of ours: it was made with the tag of who began it.
    fn sender<T: AsRef<[u8]>>(&self, uri: &SipUri<T>, request: &Request) -> Option<Whose> {
        let (value, to_tag) = (uri.params.value(COOKIE)?, request.to_tag()?);
        let is_of = |tag: &[u8]| value == self.cookie(request.call_id(), tag).as_bytes();
        match () {
            () if is_of(request.from_tag().unwrap_or_default()) => Some(Whose::Caller),
            () if is_of(to_tag) => Some(Whose::Callee),
            () => None,
        }
    }

    /// Takes off what is ours. `[RFC 3261, Section 16.4]`
    ///
    /// # Errors
    /// Where a Route is malformed.
    pub fn preprocess(&self, request: &Request, names: &Names) -> Result<Routed, ParseError> {
        let mut routes: Vec<NameAddr<&[u8]>> = request.addresses(HeaderId::Route).collect::<Result<_, _>>()?;
        let mut routed =
            Routed { own_routes: 0, restored_uri: None, trusted: false, flow: None, is_forged: false, next: None };
        if let Ok(Uri::Sip(uri)) = request.request_uri()
            && names.is_listener(&uri)
            && self.sender(&uri, request).is_some()
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
            self.take_flow(&mut routed, uri, request);
        }
        routed.next = routes.get(routed.own_routes).map(NameAddr::to_owned_text);
        Ok(routed)
    }

    /// Notes what one Route of ours says. Of a dialog it is the flow of the other side that counts, whatever address the sender has by
    /// now; a stranger's dialog gives no right to one.
    fn take_flow<T: AsRef<[u8]>>(&self, routed: &mut Routed, uri: &SipUri<T>, request: &Request) {
        let sender = self.sender(uri, request);
        routed.trusted |= sender.is_some();
        let user = uri.user.as_ref().map(AsRef::as_ref).unwrap_or_default();
        match Flow::of_token(user, &self.key) {
            None => {}
            Some(Err(Forged)) => routed.is_forged = true,
            Some(Ok(flow)) if flow.whose == Whose::Registered => routed.flow = Some(flow),
            Some(Ok(flow)) if sender.is_some_and(|sender| sender != flow.whose) => routed.flow = Some(flow),
            Some(Ok(_)) => {}
        }
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

fn transport_param(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "",
        Transport::Tcp => ";transport=tcp",
        Transport::Tls => ";transport=tls",
        // There is one name for both. [RFC 7118, Section 5.2]
        Transport::Ws | Transport::Wss => ";transport=ws",
    }
}

fn is_loose(route: &NameAddr<Box<[u8]>>) -> bool {
    route.uri.as_sip().is_some_and(|uri| uri.params.has(b"lr"))
}

fn written(route: &NameAddr<&[u8]>) -> Vec<u8> {
    let mut text = Vec::new();
    route.write(&mut text);
    text
}
