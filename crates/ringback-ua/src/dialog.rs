//! Dialogs: what two user agents keep of each other, and the requests that are sent in them. `[RFC 3261, Section 12]`

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;

use ringback_message::{
    BuildError, HeaderId, Message, Method, NameAddr, Params, ParseError, Request, RequestBuilder, Response, SipUri, Uri,
};

/// The most routes that a dialog keeps.
pub const ROUTES_MAX: usize = 32;

/// The most bytes of text that a dialog keeps: names, tags, routes, target.
pub const DIALOG_BYTES_MAX: usize = 8_192;

/// What a dialog keeps. It is copied out of the messages that made it, which may go then.
///
/// | part | client | server |
/// |---|---|---|
/// | local name and tag | From of the request | To of the response |
/// | remote name and tag | To of the response | From of the request |
/// | route set | Record-Route of the response, from its end | Record-Route of the request |
/// | remote target | Contact of the response | Contact of the request |
///
/// `[RFC 3261, Section 12.1]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    call_id: Box<[u8]>,
    local_tag: Box<[u8]>,
    /// Empty where the other side is of RFC 2543 and has given none.
    remote_tag: Box<[u8]>,
    /// From of what we send, without its tag.
    local: Box<[u8]>,
    /// To of what we send, without its tag.
    remote: Box<[u8]>,
    /// The URI that requests are for.
    target: Box<[u8]>,
    routes: Box<[Box<[u8]>]>,
    local_cseq: u32,
    /// `None` until the first request of the other side.
    remote_cseq: Option<u32>,
    is_secure: bool,
    is_confirmed: bool,
}

/// What names a dialog: the Call-ID and both tags. `[RFC 3261, Section 12]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DialogId<'a> {
    /// The Call-ID.
    pub call_id: &'a [u8],
    /// Our tag.
    pub local_tag: &'a [u8],
    /// Their tag; empty where they have none.
    pub remote_tag: &'a [u8],
}

impl<'a> DialogId<'a> {
    /// The dialog that a request which came in names, if it names one: it has a tag of ours.
    #[must_use]
    pub fn of_request(request: &'a Request) -> Option<DialogId<'a>> {
        let (local_tag, remote_tag) = (request.to_tag()?, request.from_tag().unwrap_or_default());
        Some(DialogId { call_id: request.call_id(), local_tag, remote_tag })
    }

    /// The dialog that a response which came in belongs to. Without a tag in To it is that of an element of RFC 2543.
    #[must_use]
    pub fn of_response(response: &'a Response) -> DialogId<'a> {
        DialogId {
            call_id: response.call_id(),
            local_tag: response.from_tag().unwrap_or_default(),
            remote_tag: response.to_tag().unwrap_or_default(),
        }
    }
}

/// Why a message makes no dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DialogError {
    /// The Contact is missing, or is not one SIP URI. `[RFC 3261, Section 8.1.1.8]`
    Contact,
    /// A header field that is needed can't be read.
    Malformed(ParseError),
    /// More than [`ROUTES_MAX`] routes, or more than [`DIALOG_BYTES_MAX`] bytes.
    TooLarge,
}

/// A request whose CSeq is not above that of the last one of its side: it is answered with 500. `[RFC 3261, Section 12.2.2]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder {
    /// The CSeq of the last one.
    pub last: u32,
}

impl Dialog {
    /// The dialog that a response to our request makes. `[RFC 3261, Section 12.1.2]`
    ///
    /// # Errors
    /// Where what a dialog needs can't be read, or is more than is kept.
    pub fn of_client(request: &Request, response: &Response) -> Result<Dialog, DialogError> {
        let mut routes = routes(response)?;
        routes.reverse();
        let id = DialogId::of_response(response);
        // Many a provisional response has no Contact, and a 2xx must be acknowledged even where it has none.
        let target = target(response).or_else(|error| request_uri(request).ok_or(error))?;
        Dialog {
            call_id: id.call_id.into(),
            local_tag: id.local_tag.into(),
            remote_tag: id.remote_tag.into(),
            local: without_tag(&request.from_header().map_err(DialogError::Malformed)?),
            remote: without_tag(&response.to_header().map_err(DialogError::Malformed)?),
            is_secure: is_sips(request.request_uri_text()),
            target,
            routes: routes.into(),
            local_cseq: request.cseq(),
            remote_cseq: None,
            is_confirmed: response.status().is_success(),
        }
        .bounded()
    }

    /// The dialog that our response to a request makes, which gives it this tag. It is early until [`Dialog::confirm`].
    /// `[RFC 3261, Section 12.1.1]`
    ///
    /// # Errors
    /// Where the request lacks what a dialog needs, or has more than is kept.
    pub fn of_server(request: &Request, local_tag: &str) -> Result<Dialog, DialogError> {
        Dialog {
            call_id: request.call_id().into(),
            local_tag: local_tag.as_bytes().into(),
            remote_tag: request.from_tag().unwrap_or_default().into(),
            local: without_tag(&request.to_header().map_err(DialogError::Malformed)?),
            remote: without_tag(&request.from_header().map_err(DialogError::Malformed)?),
            is_secure: is_sips(request.request_uri_text()),
            target: target(request)?,
            routes: routes(request)?.into(),
            local_cseq: 0,
            remote_cseq: Some(request.cseq()),
            is_confirmed: false,
        }
        .bounded()
    }

    /// The dialog that a NOTIFY makes for the subscriber whose SUBSCRIBE it answers before any response did.
    /// `[RFC 6665, Section 4.4.1]`
    ///
    /// # Errors
    /// As [`Dialog::of_server`].
    pub fn of_notify(subscribe: &Request, notify: &Request) -> Result<Dialog, DialogError> {
        let local_tag = core::str::from_utf8(subscribe.from_tag().unwrap_or_default()).unwrap_or_default();
        let mut dialog = Dialog::of_server(notify, local_tag)?;
        dialog.local = without_tag(&subscribe.from_header().map_err(DialogError::Malformed)?);
        dialog.is_secure = is_sips(subscribe.request_uri_text());
        dialog.local_cseq = subscribe.cseq();
        dialog.is_confirmed = true;
        Ok(dialog)
    }

    fn bounded(self) -> Result<Dialog, DialogError> {
        let texts = [&self.call_id, &self.local_tag, &self.remote_tag, &self.local, &self.remote, &self.target];
        let bytes = texts.into_iter().chain(&self.routes).fold(0_usize, |sum, text| sum.saturating_add(text.len()));
        if bytes > DIALOG_BYTES_MAX || self.routes.len() > ROUTES_MAX { Err(DialogError::TooLarge) } else { Ok(self) }
    }

    /// What names it.
    #[must_use]
    pub fn id(&self) -> DialogId<'_> {
        DialogId { call_id: &self.call_id, local_tag: &self.local_tag, remote_tag: &self.remote_tag }
    }

    /// True once a 2xx has confirmed it; before, it is early. `[RFC 3261, Section 12]`
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    /// True where every hop must be secure: the request that made it was for a `sips` URI and came by TLS.
    /// `[RFC 3261, Section 12.1.1]`
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The URI that our requests are for: the last Contact of the other side.
    #[must_use]
    pub fn remote_target(&self) -> &[u8] {
        &self.target
    }

    /// The proxies that want to see every request, the nearest first, as they wrote themselves.
    #[must_use]
    pub fn route_set(&self) -> &[Box<[u8]>] {
        &self.routes
    }

    /// The other side's name and URI, as From or To had it.
    #[must_use]
    pub fn remote(&self) -> &[u8] {
        &self.remote
    }

    /// Our name and URI, as From or To had it.
    #[must_use]
    pub fn local(&self) -> &[u8] {
        &self.local
    }

    /// The CSeq of our last request.
    #[must_use]
    pub fn local_cseq(&self) -> u32 {
        self.local_cseq
    }

    /// The CSeq of their last request.
    #[must_use]
    pub fn remote_cseq(&self) -> Option<u32> {
        self.remote_cseq
    }

    /// How many bytes it keeps beside itself.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let texts = [&self.call_id, &self.local_tag, &self.remote_tag, &self.local, &self.remote, &self.target];
        let text = texts.into_iter().chain(&self.routes).fold(0_usize, |sum, text| sum.saturating_add(text.len()));
        text.saturating_add(self.routes.len().saturating_mul(size_of::<Box<[u8]>>()))
    }

    /// We have answered with a 2xx.
    pub fn confirm(&mut self) {
        self.is_confirmed = true;
    }

    /// A 2xx has come: the routes are those of the 2xx, whatever a provisional response said. `[RFC 3261, Section 13.2.2.4]`
    ///
    /// # Errors
    /// Where what a dialog needs can't be read, or is more than is kept. Nothing has changed then.
    pub fn confirm_by(&mut self, response: &Response) -> Result<(), DialogError> {
        let mut routes = routes(response)?;
        routes.reverse();
        let mut confirmed = self.clone();
        confirmed.routes = routes.into();
        confirmed.target = target(response).unwrap_or(confirmed.target);
        confirmed.is_confirmed = true;
        *self = confirmed.bounded()?;
        Ok(())
    }

    /// A request of the other side: its CSeq must be above that of the last. ACK and CANCEL have that of their INVITE, and are not
    /// for this. `[RFC 3261, Section 12.2.2]`
    ///
    /// # Errors
    /// Where it isn't; the request is then refused with 500.
    pub fn receive(&mut self, request: &Request) -> Result<(), OutOfOrder> {
        match self.remote_cseq {
            Some(last) if request.cseq() <= last => Err(OutOfOrder { last }),
            _ => {
                self.remote_cseq = Some(request.cseq());
                Ok(())
            }
        }
    }

    /// A target refresh request, or a 2xx to ours: its Contact is where requests go from now on. One without a Contact that can be
    /// read changes nothing. `[RFC 3261, Section 12.2.1.2]`
    pub fn refresh_target(&mut self, message: &Message) {
        let Ok(target) = target(message) else { return };
        let before = core::mem::replace(&mut self.target, target);
        if self.heap_bytes() > DIALOG_BYTES_MAX {
            self.target = before;
        }
    }

    /// Whether the Contact of a message is where our requests go already.
    pub(crate) fn has_target_of(&self, message: &Message) -> bool {
        target(message).is_ok_and(|target| target == self.target)
    }

    /// The next request, without Via and Contact. `[RFC 3261, Section 12.2.1.1]`
    #[must_use]
    pub fn request(&mut self, method: Method) -> RequestBuilder {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.request_with(method, self.local_cseq)
    }

    /// The ACK for the 2xx to the INVITE of this CSeq, without Via. `[RFC 3261, Section 13.2.2.4]`
    #[must_use]
    pub fn ack(&self, invite_cseq: u32) -> RequestBuilder {
        self.request_with(Method::Ack, invite_cseq)
    }

    /// A request of ours that was sent again with other credentials took this CSeq.
    pub fn sent(&mut self, cseq: u32) {
        self.local_cseq = self.local_cseq.max(cseq);
    }

    fn request_with(&self, method: Method, cseq: u32) -> RequestBuilder {
        let (uri, routes) = self.way();
        let builder = RequestBuilder::new(method.clone(), &text(&uri))
            .raw(HeaderId::From, with_tag(&self.local, &self.local_tag))
            .raw(HeaderId::To, with_tag(&self.remote, &self.remote_tag))
            .raw(HeaderId::CallId, &self.call_id)
            .cseq(cseq, method);
        routes.into_iter().fold(builder, |builder, route| builder.raw(HeaderId::Route, route))
    }

    /// Request-URI and Routes. A first route without `lr` is strict: it takes the place of the Request-URI, which goes to the end of
    /// the routes. `[RFC 3261, Section 12.2.1.1]`
    fn way(&self) -> (Vec<u8>, Vec<Vec<u8>>) {
        let routes = || self.routes.iter().map(|route| route.to_vec());
        match self.routes.first().and_then(|first| strict(first)) {
            None => (self.target.to_vec(), routes().collect()),
            Some(uri) => {
                let target = [b"<", &*self.target, b">"].concat();
                (uri, routes().skip(1).chain([target]).collect())
            }
        }
    }

    /// The URI that says where the next request is sent: that of the first route, or the target. `[RFC 3261, Section 8.1.2]`
    #[must_use]
    pub fn next_uri(&self) -> Box<[u8]> {
        let first = self.routes.first().and_then(|route| {
            let address = NameAddr::parse_only(HeaderId::Route, route, 0).ok()?;
            Some(written(&address.uri))
        });
        first.unwrap_or_else(|| self.target.clone())
    }
}

impl fmt::Display for DialogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DialogError::Contact => f.write_str("expected one Contact with a SIP URI [RFC 3261, Section 8.1.1.8]"),
            DialogError::Malformed(error) => error.fmt(f),
            DialogError::TooLarge => f.write_str("a dialog with more routes or longer names than are kept"),
        }
    }
}

impl core::error::Error for DialogError {}

impl fmt::Display for OutOfOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a CSeq above {} [RFC 3261, Section 12.2.2]", self.last)
    }
}

impl core::error::Error for OutOfOrder {}

impl From<DialogError> for BuildError {
    fn from(error: DialogError) -> BuildError {
        match error {
            DialogError::Malformed(error) => BuildError::Malformed(error),
            _ => BuildError::Rule { what: "a dialog has one Contact", section: "RFC 3261, Section 8.1.1.8" },
        }
    }
}

/// The routes of the Record-Route lines in their order.
fn routes(message: &Message) -> Result<Vec<Box<[u8]>>, DialogError> {
    let mut routes = Vec::new();
    for address in message.addresses(HeaderId::RecordRoute) {
        let address = address.map_err(DialogError::Malformed)?;
        if routes.len() >= ROUTES_MAX {
            return Err(DialogError::TooLarge);
        }
        let mut route = Vec::new();
        address.write(&mut route);
        routes.push(clean(&route));
    }
    Ok(routes)
}

/// The URI of the one Contact.
fn target(message: &Message) -> Result<Box<[u8]>, DialogError> {
    let mut contacts = message.addresses(HeaderId::Contact);
    match (contacts.next(), contacts.next()) {
        (Some(Ok(contact)), None) if contact.uri.as_sip().is_some() => Ok(written(&contact.uri)),
        (Some(Err(error)), _) => Err(DialogError::Malformed(error)),
        _ => Err(DialogError::Contact),
    }
}

fn request_uri(request: &Request) -> Option<Box<[u8]>> {
    request.request_uri().ok()?.as_sip().map(|_| request.request_uri_text().into())
}

/// The name, the URI, and the parameters but the tag.
fn without_tag(address: &NameAddr<&[u8]>) -> Box<[u8]> {
    let sip = address.uri.as_sip();
    let params = sip.map(|uri| once(&uri.params, b"")).unwrap_or_default();
    let uri = match sip {
        Some(uri) => Uri::Sip(SipUri { params: uri.params.map(|_| params.as_slice()), ..uri.clone() }),
        None => address.uri.clone(),
    };
    let bare = NameAddr { uri, params: Params::default(), ..address.clone() };
    let mut value = Vec::new();
    bare.write(&mut value);
    value.extend_from_slice(&once(&address.params, b"tag"));
    clean(&value)
}

/// The parameters but that one, each of them once. What a peer repeats is read, but not written: a dialog that kept it could send
/// nothing, not even BYE.
fn once(params: &Params<&[u8]>, but: &[u8]) -> Vec<u8> {
    let mut names = BTreeSet::from([but.to_ascii_lowercase()]);
    let mut out = Vec::new();
    for (name, value) in params.iter() {
        if names.insert(name.to_ascii_lowercase()) {
            out.push(b';');
            out.extend_from_slice(name);
            if let Some(value) = value {
                out.push(b'=');
                out.extend_from_slice(value);
            }
        }
    }
    out
}

fn with_tag(value: &[u8], tag: &[u8]) -> Vec<u8> {
    if tag.is_empty() { value.to_vec() } else { [value, b";tag=", tag].concat() }
}

/// The Request-URI of a strict route: its URI without what a Request-URI may not have. `None` for a loose one.
/// `[RFC 3261, Section 19.1.1]`
fn strict(route: &[u8]) -> Option<Vec<u8>> {
    let address = NameAddr::parse_only(HeaderId::Route, route, 0).ok()?;
    let uri = address.uri.as_sip()?;
    if uri.params.has(b"lr") {
        return None;
    }
    let bare = SipUri { headers: None, params: Params::default(), ..uri.clone() };
    let mut out = Vec::new();
    bare.write(&mut out);
    out.extend_from_slice(&once(&uri.params, b"method"));
    Some(out)
}

fn written(uri: &Uri<&[u8]>) -> Box<[u8]> {
    let mut out = Vec::new();
    uri.write(&mut out);
    out.into()
}

/// On one line: what was folded may be written again.
fn clean(value: &[u8]) -> Box<[u8]> {
    ringback_message::header::text::unfolded(value).as_ref().into()
}

pub(crate) fn is_sips(uri: &[u8]) -> bool {
    uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"sips:"))
}

fn text(bytes: &[u8]) -> alloc::string::String {
    alloc::string::String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use alloc::format;
    use alloc::string::String;

    fn invite(extra: &str) -> Request {
        let text = format!(
            "INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n\
             From: \"Alice\" <sip:alice@a.example>;x=y;tag=1\r\nTo: <sip:bob@b.example>\r\nCall-ID: 7@a.example\r\n\
             CSeq: 314 INVITE\r\nContact: <sip:alice@192.0.2.1:5062>\r\n{extra}\r\n"
        );
        Request::parse(text.as_bytes()).unwrap()
    }

    fn answered(extra: &str) -> Response {
        let text = format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: \"Alice\" <sip:alice@a.example>;x=y;tag=1\r\n\
             To: <sip:bob@b.example>;tag=2\r\nCall-ID: 7@a.example\r\nCSeq: 314 INVITE\r\n{extra}\r\n"
        );
        Response::parse(text.as_bytes()).unwrap()
    }

    fn built(builder: RequestBuilder) -> Request {
        builder.via("a.example", "UDP", Some("z9hG4bK2")).build().unwrap()
    }

    fn lines(request: &Request, id: HeaderId) -> Vec<String> {
        request.all(id).map(|line| String::from_utf8(line.value().into()).unwrap()).collect()
    }

    const LOOSE: &str = "Contact: <sip:bob@192.0.2.4>\r\nRecord-Route: <sip:p2.example;lr>, <sip:p1.example;lr>\r\n";
    const STRICT: &str = "Contact: <sip:bob@192.0.2.4>\r\nRecord-Route: <sip:p2.example;lr>\r\nRecord-Route: <sip:p1.example;method=BYE?a=b>\r\n";

    #[test]
    fn the_client_takes_routes_from_the_end_of_the_response() {
        let mut dialog = Dialog::of_client(&invite(""), &answered(LOOSE)).unwrap();
        let bye = built(dialog.request(Method::Bye));
        assert_eq!(bye.request_uri_text(), b"sip:bob@192.0.2.4");
        assert_eq!(lines(&bye, HeaderId::Route), ["<sip:p1.example;lr>", "<sip:p2.example;lr>"]);
        assert_eq!(lines(&bye, HeaderId::From), ["\"Alice\" <sip:alice@a.example>;x=y;tag=1"]);
        assert_eq!((lines(&bye, HeaderId::To)[0].as_str(), bye.cseq()), ("<sip:bob@b.example>;tag=2", 315));
        assert_eq!(&*dialog.next_uri(), b"sip:p1.example;lr");
        assert!(dialog.is_confirmed());
    }

    #[test]
    fn the_server_takes_routes_as_the_request_has_them() {
        let request = invite("Record-Route: <sip:p2.example;lr>, <sip:p1.example;lr>\r\n");
        let mut dialog = Dialog::of_server(&request, "9").unwrap();
        let bye = built(dialog.request(Method::Bye));
        assert_eq!(bye.request_uri_text(), b"sip:alice@192.0.2.1:5062");
        assert_eq!(lines(&bye, HeaderId::Route), ["<sip:p2.example;lr>", "<sip:p1.example;lr>"]);
        assert_eq!(lines(&bye, HeaderId::From), ["<sip:bob@b.example>;tag=9"]);
        assert_eq!((dialog.remote_cseq(), bye.cseq(), dialog.is_confirmed()), (Some(314), 1, false));
    }

    /// `[RFC 3261, Section 19.1.1]`
    #[test]
    fn what_a_peer_repeats_keeps_no_dialog_from_sending() {
        let text = "INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n\
             From: <sip:alice@a.example;user=phone;USER=ip>;x=1;tag=1;X=2\r\nTo: <sip:bob@b.example;transport=udp;transport=udp>\r\n\
             Call-ID: 7@a.example\r\nCSeq: 314 INVITE\r\nContact: <sip:alice@192.0.2.1>\r\n\r\n";
        let mut dialog = Dialog::of_server(&Request::parse(text.as_bytes()).unwrap(), "9").unwrap();
        let bye = built(dialog.request(Method::Bye));
        assert_eq!(lines(&bye, HeaderId::From), ["<sip:bob@b.example;transport=udp>;tag=9"]);
        assert_eq!(lines(&bye, HeaderId::To), ["<sip:alice@a.example;user=phone>;x=1;tag=1"]);
    }

    /// `[RFC 3261, Section 12.2.1.1]`
    #[test]
    fn a_strict_route_takes_the_place_of_the_request_uri() {
        let mut dialog = Dialog::of_client(&invite(""), &answered(STRICT)).unwrap();
        let bye = built(dialog.request(Method::Bye));
        assert_eq!(bye.request_uri_text(), b"sip:p1.example");
        assert_eq!(lines(&bye, HeaderId::Route), ["<sip:p2.example;lr>", "<sip:bob@192.0.2.4>"]);
    }

    #[test]
    fn the_ack_has_the_number_of_its_invite() {
        let mut dialog = Dialog::of_client(&invite(""), &answered(LOOSE)).unwrap();
        built(dialog.request(Method::Info));
        assert_eq!(built(dialog.ack(314)).cseq(), 314);
        assert_eq!(built(dialog.request(Method::Bye)).cseq(), 316);
    }

    #[test]
    fn requests_of_theirs_come_in_order() {
        let mut dialog = Dialog::of_server(&invite(""), "9").unwrap();
        assert_eq!(dialog.receive(&invite("")), Err(OutOfOrder { last: 314 }));
        let later = invite("").as_bytes().to_vec();
        let later = String::from_utf8(later).unwrap().replace("314 INVITE", "999 INVITE");
        dialog.receive(&Request::parse(later.as_bytes()).unwrap()).unwrap();
        assert_eq!(dialog.remote_cseq(), Some(999));
    }

    #[test]
    fn a_target_changes_and_a_broken_one_does_not() {
        let mut dialog = Dialog::of_client(&invite(""), &answered(LOOSE)).unwrap();
        dialog.refresh_target(&answered("Contact: <sip:bob@192.0.2.9>\r\n"));
        assert_eq!(dialog.remote_target(), b"sip:bob@192.0.2.9");
        for broken in ["", "Contact: *\r\n", "Contact: <tel:+1>\r\n", "Contact: <sip:a@b>, <sip:c@d>\r\n"] {
            dialog.refresh_target(&answered(broken));
            assert_eq!(dialog.remote_target(), b"sip:bob@192.0.2.9", "{broken}");
        }
    }

    #[test]
    fn the_2xx_says_what_the_routes_are() {
        let ringing = answered(LOOSE).as_bytes().to_vec();
        let ringing = String::from_utf8(ringing).unwrap().replace("200 OK", "180 Ringing");
        let mut dialog = Dialog::of_client(&invite(""), &Response::parse(ringing.as_bytes()).unwrap()).unwrap();
        assert!(!dialog.is_confirmed());
        dialog.confirm_by(&answered("Contact: <sip:bob@192.0.2.5>\r\nRecord-Route: <sip:p3.example;lr>\r\n")).unwrap();
        assert_eq!((dialog.route_set().len(), dialog.remote_target()), (1, &b"sip:bob@192.0.2.5"[..]));
        // What has no Contact must be acknowledged all the same.
        dialog.confirm_by(&answered("")).unwrap();
        assert_eq!(built(dialog.ack(314)).request_uri_text(), b"sip:bob@192.0.2.5");
    }

    #[test]
    fn what_is_too_much_makes_no_dialog() {
        let route = "Record-Route: <sip:p.example;lr>\r\n".repeat(ROUTES_MAX + 1);
        assert_eq!(Dialog::of_server(&invite(&route), "9"), Err(DialogError::TooLarge));
        let long = format!("Record-Route: <sip:{}.example;lr>\r\n", "p".repeat(DIALOG_BYTES_MAX));
        assert_eq!(Dialog::of_server(&invite(&long), "9"), Err(DialogError::TooLarge));
        let two = "Contact: <sip:c@d>\r\n";
        assert_eq!(Dialog::of_server(&invite(two), "9"), Err(DialogError::Contact));
    }

    #[test]
    fn folded_names_are_written_on_one_line() {
        let folded = invite("").as_bytes().to_vec();
        let folded = String::from_utf8(folded).unwrap().replace("\"Alice\" <", "\"Alice\"\r\n <");
        let mut dialog = Dialog::of_server(&Request::parse(folded.as_bytes()).unwrap(), "9").unwrap();
        let bye = built(dialog.request(Method::Bye));
        assert_eq!(lines(&bye, HeaderId::To).len(), 1);
        assert!(!dialog.remote().contains(&b'\n'));
    }
}
