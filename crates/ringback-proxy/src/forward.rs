//! The request that goes onward. `[RFC 3261, Section 16.6]`

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ringback_base::Hop;
use ringback_message::{AuthParams, BuildError, Edit, HeaderId, Request, Uri};
use ringback_transport::resolve::Aim;
use ringback_transport::sent_by;

use crate::names::Names;
use crate::routes::{Routed, Routes, flow_to};

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

    /// One, or two where the dialog crosses from one listener to another, or where one of its sides must be reached by its own
    /// connection. `[RFC 5658, Section 5]` `[RFC 5626, Section 5.1]`
    fn record_routes(&self) -> Vec<String> {
        let in_dialog = self.request.to_tag().is_some();
        if in_dialog || !self.request.method().info().is_some_and(|info| info.forms_dialog) {
            return Vec::new();
        }
        let record = |hop: &Hop| self.routes.record(hop, &self.written(hop), self.request);
        let mut values = Vec::from([record(&self.inbound)]);
        let crosses = (self.inbound.transport, self.inbound.local) != (self.outbound.transport, self.outbound.local);
        if crosses || flow_to(&self.inbound).is_some() || flow_to(&self.outbound).is_some() {
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

/// Where the onward request goes: to the next Route if there is one, else to its Request-URI. `[RFC 3261, Section 16.6]`
///
/// `None` where that is no SIP URI, or one that leads nowhere whatever a resolver says. Of `maddr` see [`Aim::of_uri`].
#[must_use]
pub fn next_hop(routed: &Routed, uri: &[u8], with_maddr: bool) -> Option<Aim> {
    if let Some(route) = &routed.next {
        return Aim::of_uri(route.uri.as_sip()?, with_maddr).ok();
    }
    match Uri::parse(uri, HeaderId::Other, 0) {
        Ok(Uri::Sip(uri)) => Aim::of_uri(&uri, with_maddr).ok(),
        _ => None,
    }
}
