//! A call that goes on by itself: to the next contact of a 3xx, without an extension, or after a while.
//! `[RFC 3261, Section 8.1.3.4]` `[RFC 3261, Section 8.1.3.5]`

use alloc::boxed::Box;
use alloc::vec::Vec;

use ringback_base::{Micros, Now};
use ringback_message::{BuildError, Edit, HeaderId, Method, Request};

use super::UserAgent;
use super::sending::{Purpose, checked};
use crate::event::{Event, Failure, InviteId, Lookup};
use crate::outcome::Outcome;
use crate::pursuit::{PursuitStep, Step};

impl UserAgent {
    /// An attempt of a call has failed: whether it goes on by itself, as its limits let it.
    pub(crate) fn pursue(&mut self, id: u64, invite: InviteId, failure: &Failure, now: Now) -> bool {
        let Some(sending) = self.sendings.get(&id) else { return false };
        if sending.orphaned.is_some() {
            return false;
        }
        // One that was never sent whole, as its first next hop wasn't found, has nothing that could be sent elsewhere.
        let Some(request) = sending.request.clone() else { return false };
        let outcome = Outcome::of_failure(Some(&request), failure);
        let Some(step) = self.next_step(invite, failure, &outcome) else { return false };
        let cseq = self.next_cseq(Purpose::Invite(invite), &request);
        let Ok(again) = changed(&request, cseq, &step) else { return false };
        self.set_aside(id, again);
        if matches!(step, Step::Contact(_)) {
            self.digest(Purpose::Invite(invite)).forget_call(request.call_id());
        }
        self.end_early(invite);
        let step = match step {
            Step::Contact(uri) => PursuitStep::Contact { uri },
            Step::Without(tags) => PursuitStep::Without { tags },
            Step::WaitSecs(secs) => {
                let until = now.mono.plus(Micros::from_secs(secs.into()));
                let timer = self.waiting.set(until, id);
                if let Some(sending) = self.sendings.get_mut(&id) {
                    sending.waiting = Some(timer);
                }
                PursuitStep::Wait { until }
            }
        };
        let is_waiting = matches!(step, PursuitStep::Wait { .. });
        self.tell(Event::Pursuing { invite, failure: failure.clone(), step });
        if !is_waiting {
            self.redirect(id, now);
        }
        true
    }

    /// INVITEs whose time has come.
    pub(crate) fn waiting_due(&mut self, now: Now) {
        while let Some((_, id)) = self.waiting.pop_due(now.mono) {
            if let Some(sending) = self.sendings.get_mut(&id) {
                sending.waiting = None;
                self.redirect(id, now);
                self.settle(now);
            }
        }
    }

    /// The request has no transaction and no hops any more; this one is sent next.
    fn set_aside(&mut self, id: u64, request: Request) {
        let Some(sending) = self.sendings.get_mut(&id) else { return };
        let old = sending.renew(request);
        if let Some(client) = old {
            self.clients.remove(&client);
        }
    }

    /// Sends the request where it leads by what stands in it.
    fn redirect(&mut self, id: u64, now: Now) {
        let Some(sending) = self.sendings.get(&id) else { return };
        let (purpose, Some(request)) = (sending.purpose, &sending.request) else { return };
        let uri = next_uri(request);
        match self.direct(purpose, &uri) {
            Some(hop) => self.found(id, &[hop], now),
            None => self.lookups.push_back(Lookup { id, uri }),
        }
    }
}

/// The first route, or the Request-URI. `[RFC 3261, Section 8.1.2]`
fn next_uri(request: &Request) -> Box<[u8]> {
    match request.addresses(HeaderId::Route).next() {
        Some(Ok(route)) => {
            let mut uri = Vec::new();
            route.uri.write(&mut uri);
            uri.into()
        }
        _ => request.request_uri_text().into(),
    }
}

/// The request as it is sent next: the same call, with a CSeq of its own. What proved us to others stays with them.
/// `[RFC 3261, Section 8.1.3.4]`
fn changed(request: &Request, cseq: u32, step: &Step) -> Result<Request, BuildError> {
    let cseq = alloc::format!("{cseq} {}", Method::Invite.as_str());
    let edit = Edit::new(request).set(HeaderId::CSeq, cseq.as_bytes());
    let edit = match step {
        Step::Contact(uri) => {
            edit.request_uri(uri.as_bytes()).remove(HeaderId::Authorization).remove(HeaderId::ProxyAuthorization)
        }
        Step::WaitSecs(_) => edit,
        Step::Without(tags) => {
            let headers = [HeaderId::Require, HeaderId::ProxyRequire];
            headers.into_iter().fold(edit, |edit, header| without(edit, request, header, tags))
        }
    };
    checked(edit.finish()?)
}

fn without<'a>(edit: Edit<'a>, request: &'a Request, header: HeaderId, tags: &[Box<str>]) -> Edit<'a> {
    if request.first(header).is_none() {
        return edit;
    }
    let is_dropped = |tag: &&[u8]| tags.iter().any(|dropped| dropped.as_bytes().eq_ignore_ascii_case(tag));
    let kept: Vec<&[u8]> = request.tokens(header).flatten().filter(|tag| !is_dropped(tag)).collect();
    if kept.is_empty() { edit.remove(header) } else { edit.set(header, &kept.join(&b", "[..])) }
}
