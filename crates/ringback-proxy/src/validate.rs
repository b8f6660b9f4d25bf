//! What a proxy looks at before it relays a request. `[RFC 3261, Section 16.3]`

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use ringback_base::KeyedHash;
use ringback_message::{HeaderId, Method, NameAddr, Request, StatusCode, Uri};

use crate::names::Names;
use crate::reply::Reply;

/// Option tags that this proxy acts on when Proxy-Require names them: none yet.
pub const PROXY_OPTION_TAGS: &[&str] = &[];

/// The checks in the RFC's order; a request that fails one is answered with the reply. Unknown methods and header fields pass.
///
/// # Errors
/// The reply to send instead of relaying.
pub fn validate(request: &Request, names: &Names, loops: &LoopHash) -> Result<(), Reply> {
    match request.request_uri() {
        Ok(Uri::Sip(_)) => {}
        Ok(_) => return Err(Reply::new(StatusCode::UnsupportedUriScheme)),
        Err(error) => return Err(Reply::malformed(&error)),
    }
    match (request.max_forwards(), request.first(HeaderId::MaxForwards)) {
        (Some(0), _) => return Err(Reply::new(StatusCode::TooManyHops)),
        (None, Some(header)) => return Err(Reply::malformed(&header.cursor().error("a number from 0 to 255"))),
        _ => {}
    }
    if loops.is_loop(request, names) {
        return Err(Reply::new(StatusCode::LoopDetected));
    }
    require(request, HeaderId::ProxyRequire, PROXY_OPTION_TAGS)
}

/// Refuses option tags that we do not act on. `[RFC 3261, Section 8.2.2.3]`
///
/// ACK and CANCEL are never refused so.
///
/// # Errors
/// A 420 that lists them, or a 400 where the list can't be read.
pub fn require(request: &Request, header: HeaderId, known: &[&str]) -> Result<(), Reply> {
    if request.is(&Method::Ack) || request.is(&Method::Cancel) {
        return Ok(());
    }
    let mut unsupported = String::new();
    for tag in request.tokens(header) {
        let tag = tag.map_err(|error| Reply::malformed(&error))?;
        if known.iter().any(|k| k.as_bytes().eq_ignore_ascii_case(tag)) {
            continue;
        }
        if !unsupported.is_empty() {
            unsupported.push_str(", ");
        }
        unsupported.extend(tag.iter().map(|&b| char::from(b)));
    }
    if unsupported.is_empty() {
        Ok(())
    } else {
        Err(Reply::new(StatusCode::BadExtension).with(HeaderId::Unsupported, unsupported))
    }
}

/// Tells a loop from a spiral by a hash over all that decides where a request goes. `[RFC 5393, Section 4.2]`
#[derive(Clone, Copy, Debug)]
pub struct LoopHash(KeyedHash);

impl LoopHash {
    /// Under a key of this process.
    #[must_use]
    pub fn new(key: KeyedHash) -> LoopHash {
        LoopHash(key)
    }

    /// The hash as it stands at the end of our branches, behind the last dot.
    #[must_use]
    pub fn of(&self, request: &Request) -> String {
        let mut route = Vec::new();
        if let Some(Ok(first)) = request.addresses(HeaderId::Route).next() {
            NameAddr::write(&first, &mut route);
        }
        let proxy_require = request.first(HeaderId::ProxyRequire).map_or(&b""[..], |h| h.value());
        let hash = self.0.of(&[
            request.request_uri_text(),
            request.from_tag().unwrap_or_default(),
            request.to_tag().unwrap_or_default(),
            request.call_id(),
            &request.cseq().to_be_bytes(),
            request.method_text().unwrap_or_default(),
            &route,
            proxy_require,
        ]);
        format!("{hash:016x}")
    }

    /// Whether the request came by here before and would go the same way again.
    fn is_loop(&self, request: &Request, names: &Names) -> bool {
        let mut ours = request
            .vias()
            .filter_map(Result::ok)
            .filter(|via| names.is_sent_by(via.sent_by_host(), via.port))
            .peekable();
        if ours.peek().is_none() {
            return false;
        }
        let hash = self.of(request);
        ours.any(|via| via.branch().and_then(|branch| branch.rsplit(|&b| b == b'.').next()) == Some(hash.as_bytes()))
    }
}
