//! Whom a request is sent to, as far as the request itself says it.

use ringback_message::{HeaderId, Host, Message, Uri};

/// Who answers a request with a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextHop {
    /// A proxy: the first Route, or the Request-URI. `[RFC 3261, Section 8.1.2]`
    Proxy,
    /// The one that the Request-URI names.
    Server,
}

impl NextHop {
    /// Its host.
    pub(crate) fn host(self, request: &Message) -> Option<&[u8]> {
        let route = match self {
            NextHop::Proxy => request.addresses(HeaderId::Route).next(),
            NextHop::Server => None,
        };
        let uri = match route {
            Some(route) => route.ok()?.uri,
            None => Uri::parse(request.request_uri_text(), HeaderId::Other, 0).ok()?,
        };
        match uri {
            Uri::Sip(uri) => Some(uri.host),
            _ => None,
        }
    }
}

/// Whether two hosts are one: names in any case, addresses however they are written.
pub(crate) fn same_host(a: &[u8], b: &[u8]) -> bool {
    let address = |text: &[u8]| match Host::of(text) {
        Some(Host::Address(address)) => Some(address),
        _ => core::str::from_utf8(text).ok()?.parse().ok(),
    };
    a.eq_ignore_ascii_case(b) || matches!((address(a), address(b)), (Some(x), Some(y)) if x == y)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use bytes::Bytes;

    #[test]
    fn the_first_route_is_before_the_request_uri() {
        let read = |text: &'static str| Message::parse(Bytes::from_static(text.as_bytes())).unwrap();
        let direct = read("BYE sip:bob@B.example:5070 SIP/2.0\r\n\r\n");
        assert_eq!(NextHop::Proxy.host(&direct), Some(&b"B.example"[..]));
        let routed = read("BYE sip:bob@b.example SIP/2.0\r\nRoute: <sip:p.example;lr>, <sip:q.example;lr>\r\n\r\n");
        assert_eq!(NextHop::Proxy.host(&routed), Some(&b"p.example"[..]));
        assert_eq!(NextHop::Server.host(&routed), Some(&b"b.example"[..]));
        assert_eq!(NextHop::Server.host(&read("INVITE tel:+1 SIP/2.0\r\n\r\n")), None);
    }

    #[test]
    fn hosts_in_other_words() {
        assert!(same_host(b"b.example", b"B.EXAMPLE") && same_host(b"[2001:db8::1]", b"2001:DB8:0::1"));
        assert!(!same_host(b"b.example", b"b.example.net") && !same_host(b"192.0.2.1", b"192.0.2.10"));
    }
}
