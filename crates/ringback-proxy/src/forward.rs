//! The request that goes onward. `[RFC 3261, Section 16.6]`

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::SocketAddr;

use ringback_base::{Hop, Transport};
use ringback_message::{AuthParams, BuildError, Edit, HeaderId, Host, Request, SipUri, Uri};
use ringback_transport::sent_by;

use crate::names::Names;
use crate::routes::{Routed, Routes};

/// What Max-Forwards starts from where it is missing. `[RFC 3261, Section 16.6]`
const MAX_FORWARDS: u8 = 70;

/// One place that a request is to be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The Request-URI.
    pub uri: Box<[u8]>,
    /// The preference among targets, in thousandths. `[RFC 3261, Section 16.6]`
    pub q: u16,
    /// Where it is reached, if the URI does not lead there: the source of its registration behind a NAT.
    pub hop: Option<Hop>,
}

/// Where a request goes, still by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextHop {
    /// To this address.
    Address(Transport, SocketAddr),
    /// To a host that has to be looked up.
    Name {
        /// How to send there.
        transport: Transport,
        /// The host.
        host: Box<str>,
        /// The port.
        port: u16,
    },
    /// By a transport that nobody has, or a scheme that isn't SIP's.
    Unreachable,
}

/// What the onward request needs besides the original.
#[derive(Debug)]
pub struct Onward<'a> {
    /// The original, its top Via stamped.
    pub request: &'a Request,
    /// Its routes after ours are off.
    pub routed: &'a Routed,
    /// The new Request-URI.
    pub uri: &'a [u8],
    /// Makes Record-Route, where the method can set up a dialog.
    pub routes: &'a Routes,
    /// Knows what our listeners are called.
    pub names: &'a Names,
    /// The listener that it came in by.
    pub inbound: Hop,
    /// The hop that it leaves by.
    pub outbound: Hop,
    /// The branch.
    pub branch: &'a str,
    /// The realm whose credentials end here.
    pub realm: &'a str,
    /// The share of Max-Breadth that this branch gets.
    pub max_breadth: Option<u32>,
}

impl Onward<'_> {
    /// Builds the request.
    ///
    /// # Errors
    /// Where it becomes too large.
    pub fn build(&self) -> Result<Request, BuildError> {
        let request = self.request;
        let mut edit = self.routed.apply(Edit::relaying(request), request, self.uri);
        let left = request.max_forwards().unwrap_or(MAX_FORWARDS.saturating_add(1)).saturating_sub(1);
        edit = edit.set(HeaderId::MaxForwards, left.to_string().as_bytes());
        if let Some(breadth) = self.max_breadth {
            edit = edit.set(HeaderId::MaxBreadth, breadth.to_string().as_bytes());
        }
        for line in consumed_credentials(request, self.realm) {
            edit = edit.remove_line(line);
        }
        for value in self.record_routes() {
            edit = edit.prepend(HeaderId::RecordRoute, value.as_bytes());
        }
        let via = format!("{};branch={}", sent_by(self.outbound.transport, &self.written(&self.outbound)), self.branch);
        edit = edit.prepend(HeaderId::Via, via.as_bytes());
        Request::check(edit.finish()?).map_err(|rejected| BuildError::Malformed(rejected.error))
    }

    /// One, or two where the dialog crosses from one listener to another. `[RFC 5658, Section 5]`
    fn record_routes(&self) -> Vec<String> {
        let in_dialog = self.request.to_tag().is_some();
        if in_dialog || !self.request.method().info().is_some_and(|info| info.forms_dialog) {
            return Vec::new();
        }
        let record = |hop: &Hop| self.routes.record(hop.transport, &self.written(hop), self.request);
        let mut values = Vec::from([record(&self.inbound)]);
        if (self.inbound.transport, self.inbound.local) != (self.outbound.transport, self.outbound.local) {
            values.push(record(&self.outbound));
        }
        values
    }

    fn written(&self, hop: &Hop) -> String {
        self.names.written(hop.transport, hop.local)
    }
}

/// The lines of credentials for our realm: they were for us, and nobody behind us should see them. `[RFC 3261, Section 22.3]`
fn consumed_credentials(request: &Request, realm: &str) -> Vec<usize> {
    request
        .all(HeaderId::ProxyAuthorization)
        .filter(|header| {
            AuthParams::parse(header.id(), header.value(), header.offset())
                .is_ok_and(|auth| auth.unquoted(b"realm") == Some(realm.as_bytes()))
        })
        .map(|header| header.index())
        .collect()
}

/// Where the onward request goes: the next Route if there is one, else its Request-URI. `[RFC 3261, Section 16.6]`
#[must_use]
pub fn next_hop(routed: &Routed, uri: &[u8]) -> NextHop {
    if let Some(route) = &routed.next {
        return route.uri.as_sip().map_or(NextHop::Unreachable, hop_of);
    }
    match Uri::parse(uri, HeaderId::Other, 0) {
        Ok(Uri::Sip(uri)) => hop_of(&uri),
        _ => NextHop::Unreachable,
    }
}

fn hop_of<T: AsRef<[u8]>>(uri: &SipUri<T>) -> NextHop {
    let Some(transport) = uri.params.value(b"transport").map_or(Some(Transport::Udp), Transport::from_name) else {
        return NextHop::Unreachable;
    };
    // `sips` asks for TLS on every hop. [RFC 3261, Section 26.2.2]
    if uri.secure && !matches!(transport, Transport::Tls | Transport::Wss) {
        return NextHop::Unreachable;
    }
    let port = uri.port.unwrap_or_else(|| transport.default_port());
    match uri.host() {
        Host::Address(ip) => NextHop::Address(transport, SocketAddr::new(ip, port)),
        Host::Name(name) => match core::str::from_utf8(name) {
            Ok(host) => NextHop::Name { transport, host: host.into(), port },
            Err(_) => NextHop::Unreachable,
        },
    }
}
