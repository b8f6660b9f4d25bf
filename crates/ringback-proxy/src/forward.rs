//! The request that goes onward. `[RFC 3261, Section 16.6]`

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ringback_base::{Hop, Transport};
use ringback_message::{AuthParams, BuildError, Edit, HeaderId, Method, NameAddr, Request, Uri};
use ringback_transport::resolve::Aim;
use ringback_transport::sent_by;

use crate::flow::{Flow, Whose};
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
    /// Nothing but that hop leads there: where that is gone, the flow has failed. `[RFC 5626, Section 7]`
    pub only_hop: bool,
    /// The proxies that lead there, each a `name-addr`, the nearest first: they become its Routes. `[RFC 3327, Section 5.4]`
    pub path: Vec<Box<[u8]>>,
    /// The device that is there, if it has said which it is. `[RFC 5626, Section 4.1]`
    pub device: Option<Box<[u8]>>,
    /// Further ways to the same device, which are tried one after another. `[RFC 5626, Section 7]`
    pub others: Vec<Target>,
}

impl Target {
    /// A place that its URI leads to.
    #[must_use]
    pub fn new(uri: impl AsRef<[u8]>, q: u16) -> Target {
        let uri = uri.as_ref().into();
        Target { uri, q, hop: None, only_hop: false, path: Vec::new(), device: None, others: Vec::new() }
    }

    /// One target for each device: "The proxy MUST NOT populate the target set with more than one contact with the same AOR and
    /// instance-id at a time." The first of those that are given is tried first. `[RFC 5626, Section 7]`
    #[must_use]
    pub fn by_device(targets: impl IntoIterator<Item = Target>) -> Vec<Target> {
        let mut devices: Vec<Target> = Vec::new();
        for target in targets {
            let known = devices.iter_mut().find(|known| target.device.is_some() && known.device == target.device);
            match known {
                Some(known) => known.others.push(target),
                None => devices.push(target),
            }
        }
        devices
    }
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
    /// The proxies that lead there. `[RFC 3327, Section 5.4]`
    pub path: &'a [Box<[u8]>],
    /// The flows of the dialog that the request sets up.
    pub flows: DialogFlows,
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

/// Which sides of a dialog are to be reached by the flow that its first request came or goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DialogFlows {
    /// The caller's, and whether nothing else leads to them.
    pub caller: Option<bool>,
    /// The same of whom they call.
    pub callee: Option<bool>,
}

impl Onward<'_> {
    /// Builds the request.
    ///
    /// # Errors
    /// Where it becomes too large.
    pub fn build(&self) -> Result<Request, BuildError> {
        let request = self.request;
        let mut edit = self.routed.apply(Edit::relaying(request), request, self.uri);
        if !self.path.is_empty() {
            edit = edit.set(HeaderId::Route, &self.path.join(&b", "[..]));
        }
        if request.is(&Method::Register) {
            edit = edit.prepend(HeaderId::Path, self.path_value().as_bytes());
        }
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
        let sent_by = sent_by(self.outbound.transport, &self.written(&self.outbound));
        let via = format!("{sent_by}{};branch={}", self.alias(), self.branch);
        edit = edit.prepend(HeaderId::Via, via.as_bytes());
        Request::check(edit.finish()?).map_err(|rejected| BuildError::Malformed(rejected.error))
    }

    /// One, or two where the dialog crosses from one listener to another. `[RFC 5658, Section 5]`
    fn record_routes(&self) -> Vec<String> {
        let in_dialog = self.request.to_tag().is_some();
        if in_dialog || !self.request.method().info().is_some_and(|info| info.forms_dialog) {
            return Vec::new();
        }
        let flow = |whose, hop: &Hop, only: Option<bool>| only.map(|only| Flow { hop: *hop, whose, only });
        let caller = flow(Whose::Caller, &self.inbound, self.flows.caller);
        let callee = flow(Whose::Callee, &self.outbound, self.flows.callee);
        let record = |hop: &Hop, flow| self.routes.record(self.reached_by(hop), &self.written(hop), self.request, flow);
        let crosses = (self.inbound.transport, self.inbound.local) != (self.outbound.transport, self.outbound.local);
        // A URI holds one token.
        if crosses || (caller.is_some() && callee.is_some()) {
            return Vec::from([record(&self.inbound, caller), record(&self.outbound, callee)]);
        }
        Vec::from([record(&self.inbound, caller.or(callee))])
    }

    /// Requests for whom this REGISTER is come back by the listener that it leaves by. `[RFC 3327, Section 5.2]`
    fn path_value(&self) -> String {
        let is_first_hop = self.request.vias().count() == 1;
        self.routes.path(self.reached_by(&self.outbound), &self.written(&self.outbound), self.inbound, is_first_hop)
    }

    /// Whom we connect to by TLS, they may reach us by this connection: our certificate proves the name in sent-by. Of an address there is
    /// nothing to prove. `[RFC 5923, Section 8.1]`
    fn alias(&self) -> &'static str {
        let Hop { transport, local, flow, .. } = self.outbound;
        let is_reused = transport == Transport::Tls && flow.is_none() && self.names.has_name(transport, local);
        if is_reused { ";alias" } else { "" }
    }

    fn reached_by(&self, hop: &Hop) -> Transport {
        self.names.reached_by(hop.transport, hop.local)
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

/// Where the onward request goes: along the path that its target was registered with, else to the next Route if there is one, else to its
/// Request-URI. `[RFC 3261, Section 16.6]` `[RFC 3327, Section 5.4]`
///
/// `None` where that is no SIP URI, or one that leads nowhere whatever a resolver says. Of `maddr` see [`Aim::of_uri`].
#[must_use]
pub fn next_hop(routed: &Routed, path: &[Box<[u8]>], uri: &[u8], with_maddr: bool) -> Option<Aim> {
    if let Some(first) = path.first() {
        let first = NameAddr::parse_only(HeaderId::Path, first, 0).ok()?;
        return Aim::of_uri(first.uri.as_sip()?, with_maddr).ok();
    }
    if let Some(route) = &routed.next {
        return Aim::of_uri(route.uri.as_sip()?, with_maddr).ok();
    }
    match Uri::parse(uri, HeaderId::Other, 0) {
        Ok(Uri::Sip(uri)) => Aim::of_uri(&uri, with_maddr).ok(),
        _ => None,
    }
}
