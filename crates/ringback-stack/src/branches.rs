//! Branches of relayed requests: where each goes, and where it goes next when that fails. `[RFC 3263, Section 4]`

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use ringback_base::{Hop, Micros, Now, Random, Transport};
use ringback_message::header::RetryAfter;
use ringback_message::{HeaderId, Host, Method, NameAddr, Request, Response, StatusCode};
use ringback_proxy::{BranchId, DialogFlows, Limit, Onward, Query, Routed, Target, next_hop};
use ringback_transaction::{ClientId, ServerId};
use ringback_transport::resolve::{Aim, Located, Unresolved};

use crate::Stack;
use crate::calls::{Attempt, Call, CallId, Heard, Tries, Try};
use crate::event::Event;
use crate::intake::text;
use crate::jobs::Job;
use crate::walks::{WalkId, Walked};

/// The largest request that goes as a datagram where TCP could carry it. `[RFC 3261, Section 18.1.1]`
const DATAGRAM_BYTES_MAX: usize = 1300;

/// The longest that a target is put last because it asked for it.
const RETRY_AFTER_SECS_MAX: u32 = 3_600;

/// What waits for the targets that a walk finds.
#[derive(Debug)]
pub(crate) enum Wanted {
    Branch { call: CallId, branch: BranchId, tries: Tries },
    Ack { request: Box<Request>, routed: Box<Routed>, from: Hop },
    Reply { server: ServerId },
}

impl Stack {
    pub(crate) fn start_branch(&mut self, id: CallId, branch: BranchId, target: Target, max_breadth: u32, now: Now) {
        let Some(call) = self.calls.call(id) else { return };
        let aim = next_hop(&call.routed, &target.path, &target.uri, self.config.maddr);
        let known = target.hop.map(|hop| Try {
            transport: hop.transport,
            remote: hop.remote,
            known: Some(hop),
            may_grow: false,
        });
        let mut tries = Tries { target, max_breadth, hops: known.into_iter().collect() };
        if tries.target.only_hop {
            // A connection of an earlier process is not kept with its binding.
            tries.hops.retain(|hop| !hop.transport.is_reliable() || hop.known.is_some_and(|hop| hop.flow.is_some()));
            return self.launch(id, branch, tries, now);
        }
        let Some(aim) = aim else {
            if !tries.hops.is_empty() {
                return self.launch(id, branch, tries, now);
            }
            self.unreachable(id, &tries.target.uri, "no listener has its transport or scheme");
            return self.branch_failed(id, branch, StatusCode::ServiceUnavailable, now);
        };
        let own = aim.name().and_then(|name| self.names.listener_of(aim.transport(), name, aim.port()));
        if let Some(remote) = own {
            tries.hops.push_back(Try { transport: aim.transport(), remote, known: None, may_grow: true });
            return self.launch(id, branch, tries, now);
        }
        if aim.name().is_some() {
            // A connection or mapping that the phone opened itself is better than its name.
            if !tries.hops.is_empty() {
                return self.launch(id, branch, tries, now);
            }
            if self.has_no_lookup_left() {
                self.counters.reached(Limit::Lookups);
                return self.branch_failed(id, branch, StatusCode::ServiceUnavailable, now);
            }
        }
        self.calls.lookup_opened(id);
        let random = Random::from_seed(self.random.seed());
        self.walk(aim, random, Wanted::Branch { call: id, branch, tries }, now);
    }

    /// Looks for the targets of a URI.
    pub(crate) fn walk(&mut self, aim: Aim, random: Random, wanted: Wanted, now: Now) {
        let wait = self.config.lookup_timeout;
        let deadline = now.mono.plus(wait).plus(wait).plus(wait);
        let walk = self.walks.begin(aim, random, wanted, deadline);
        self.walk_on(walk, now);
    }

    /// Asks what a walk wants to know; where it has ended, what waited for it goes on. Tells the call that it was for.
    pub(crate) fn walk_on(&mut self, walk: WalkId, now: Now) -> Option<CallId> {
        while let Some((question_id, question, until)) = self.walks.poll_question(walk, now) {
            let job = Job::Dns { walk, question: question_id };
            let deadline = self.deadline(now).min(until);
            self.jobs.ask(job, Query::Dns { question }, deadline);
        }
        let Walked { wanted, subject, result, limits_reached } = self.walks.take_ended(walk)?;
        self.counters.walk_limits_reached += u64::from(limits_reached);
        if let Err(Unresolved::Failed) = result {
            self.events.push_back(Event::LookupFailed { what: "the address of a target", subject });
        }
        let result = result.map(|mut targets| {
            self.failed_targets.put_last(&mut targets, now.mono);
            targets
        });
        match (wanted, result) {
            (Wanted::Branch { call, branch, tries }, result) => {
                self.located(call, branch, tries, result, now);
                Some(call)
            }
            (Wanted::Ack { request, routed, from }, Ok(targets)) => {
                let outbound = self.reached(&targets, from.local);
                self.send_ack(&request, &routed, from, outbound);
                None
            }
            (Wanted::Reply { server }, result) => {
                self.reply_located(server, result.as_deref().unwrap_or_default(), now);
                None
            }
            (Wanted::Ack { .. }, Err(_)) => {
                self.counters.acks_dropped += 1;
                None
            }
        }
    }

    fn located(
        &mut self,
        id: CallId,
        branch: BranchId,
        mut tries: Tries,
        result: Result<Vec<Located>, Unresolved>,
        now: Now,
    ) {
        self.calls.lookup_closed(id);
        // The caller has its answer: a late address starts nothing.
        if self.calls.call(id).is_none_or(|call| call.context.is_answered()) {
            return self.calls.remove_if_over(id);
        }
        match result {
            Ok(targets) => {
                let found = targets.iter().map(|target| (target.transport, target.address));
                let found = found.map(|(transport, remote)| Try { transport, remote, known: None, may_grow: true });
                tries.hops.extend(found);
                self.launch(id, branch, tries, now);
            }
            // What the phone registered from is still there.
            Err(_) if !tries.hops.is_empty() => self.launch(id, branch, tries, now),
            // "did not receive a timely response from an external server" [RFC 3261, Section 21.5.5]
            Err(Unresolved::Failed) => self.branch_failed(id, branch, StatusCode::ServerTimeout, now),
            Err(why) => {
                self.unreachable(id, &tries.target.uri, why.as_str());
                let status = match why {
                    Unresolved::Transport | Unresolved::Family => StatusCode::ServiceUnavailable,
                    _ => StatusCode::NotFound,
                };
                self.branch_failed(id, branch, status, now);
            }
        }
    }

    fn unreachable(&mut self, id: CallId, uri: &[u8], why: &'static str) {
        if let Some(call) = self.calls.call(id) {
            let call_id = text(call.request.call_id());
            self.events.push_back(Event::Unreachable { call_id, uri: text(uri), why });
        }
    }

    /// Tries one hop after another until a request is on its way. What was cancelled, or lost, while its address was looked up, or
    /// while another hop was tried, is not sent at all.
    fn launch(&mut self, id: CallId, branch: BranchId, mut tries: Tries, now: Now) {
        if self.calls.call(id).is_none_or(|call| call.context.is_closed()) {
            return self.branch_failed(id, branch, StatusCode::RequestTerminated, now);
        }
        while let Some(hop) = tries.hops.pop_front() {
            let Some((onward, outbound)) = self.onward(id, &tries, hop) else {
                self.unreachable(id, &tries.target.uri, "no listener has its transport or address family");
                continue;
            };
            if hop.may_grow && self.is_too_large(&onward, outbound) {
                tries.hops.push_front(Try { may_grow: false, ..hop });
                tries.hops.push_front(Try { transport: Transport::Tcp, may_grow: false, ..hop });
                continue;
            }
            if let Ok(client) = self.transactions.request(onward, outbound, now) {
                self.calls.add_attempt(id, Attempt { branch, client, hop, next: tries, heard: Heard::Nothing });
                return;
            }
        }
        self.branch_failed(id, branch, unreached(&tries.target), now);
    }

    /// The request as it goes by this hop; `None` where no listener of ours reaches it.
    fn onward(&mut self, id: CallId, tries: &Tries, hop: Try) -> Option<(Request, Hop)> {
        let token = self.random.token();
        let call = self.calls.call(id)?;
        let preferred = hop.known.map_or(call.from.local, |known| known.local);
        let local = self.names.outbound(hop.transport, &hop.remote, preferred)?;
        let flow = hop.known.and_then(|known| known.flow);
        let outbound = Hop { transport: hop.transport, local, remote: hop.remote, flow };
        let forks =
            call.request.first(HeaderId::MaxBreadth).is_some() || tries.max_breadth < self.config.proxy.max_breadth;
        let onward = Onward {
            request: &call.request,
            routed: &call.routed,
            uri: &tries.target.uri,
            path: &tries.target.path,
            flows: dialog_flows(call, &tries.target),
            routes: &self.routes,
            names: &self.names,
            inbound: call.from,
            outbound,
            branch: &format!("z9hG4bK{token}.{}", self.loops.of(&call.request)),
            realm: &self.config.realm,
            max_breadth: forks.then_some(tries.max_breadth),
        };
        Some((onward.build().ok()?, outbound))
    }

    /// A datagram that might not fit through the path goes by TCP, if we have it. `[RFC 3261, Section 18.1.1]`
    fn is_too_large(&self, onward: &Request, outbound: Hop) -> bool {
        outbound.transport == Transport::Udp
            && onward.as_bytes().len() > DATAGRAM_BYTES_MAX
            && self.names.outbound(Transport::Tcp, &outbound.remote, outbound.local).is_some()
    }

    fn branch_failed(&mut self, id: CallId, branch: BranchId, status: StatusCode, now: Now) {
        if let Some(call) = self.calls.call(id) {
            call.context.handle_failure(branch, status, now);
        }
        self.run(id, now);
    }

    /// The client transaction that a branch has come to.
    pub(crate) fn client_of(&mut self, id: CallId, branch: BranchId) -> Option<ClientId> {
        let attempts = &self.calls.call(id)?.attempts;
        attempts.iter().rfind(|attempt| attempt.branch == branch).map(|attempt| attempt.client)
    }

    pub(crate) fn cancel_branch(&mut self, id: CallId, branch: BranchId, now: Now) {
        let Some(client) = self.client_of(id, branch) else { return };
        let (Some(invite), Some(hop)) =
            (self.transactions.client_request(client), self.transactions.client_hop(client))
        else {
            return;
        };
        if let Ok(cancel) = invite.cancel() {
            // A full table costs the callee a ring until its own timers end it; there is no more to do.
            let _ = self.transactions.request(cancel, hop, now);
        }
    }

    pub(crate) fn on_branch_response(&mut self, client: ClientId, response: Response, now: Now) {
        let Some((id, branch)) = self.calls.of_client(client) else { return };
        if response.status() == StatusCode::ServiceUnavailable {
            let retry_after = response.get::<RetryAfter<&[u8]>>().ok().flatten().map(|after| after.seconds);
            let wait = retry_after.map(|secs| Micros::from_secs(secs.min(RETRY_AFTER_SECS_MAX).into()));
            self.note_failed(client, wait.unwrap_or(self.config.failed_target_wait), now);
            if self.leave_server(client) && self.try_next(client, now) {
                return;
            }
        }
        if let Some(attempt) = self.calls.attempt(client) {
            attempt.heard = attempt.heard.and(&response);
            let Try { transport, remote, .. } = attempt.hop;
            if response.status() != StatusCode::ServiceUnavailable {
                self.failed_targets.answered(transport, remote);
            }
        }
        if let Some(call) = self.calls.call(id)
            && call.context.handle_response(branch, response, now).is_err()
        {
            call.context.handle_failure(branch, StatusCode::BadGateway, now);
        }
        self.run(id, now);
    }

    /// Nobody answered. For other requests than INVITE there is no time left to try the next hop: whoever asked gives up now too.
    pub(crate) fn on_branch_timeout(&mut self, client: ClientId, now: Now) {
        let Some((id, branch)) = self.calls.of_client(client) else { return };
        let was_silent = self.calls.attempt(client).is_some_and(|attempt| attempt.heard == Heard::Nothing);
        let is_invite = self.calls.call(id).is_some_and(|call| call.request.is(&Method::Invite));
        if was_silent {
            self.note_failed(client, self.config.failed_target_wait, now);
        }
        if was_silent && is_invite && self.leave_server(client) && self.try_next(client, now) {
            return;
        }
        self.branch_failed(id, branch, StatusCode::RequestTimeout, now);
    }

    /// The request did not get through.
    pub(crate) fn on_branch_unsent(&mut self, client: ClientId, now: Now) {
        let Some((id, branch)) = self.calls.of_client(client) else { return };
        self.note_failed(client, self.config.failed_target_wait, now);
        let status = self.status_of_unsent(client);
        if !self.try_next(client, now) {
            self.branch_failed(id, branch, status, now);
        }
    }

    /// What it says of a target that a request can't be sent to it. A connection that a client opened and that is gone is opened by
    /// nobody else: where there may be another way, a phone that is not there is not there now.
    fn status_of_unsent(&mut self, client: ClientId) -> StatusCode {
        let Some(attempt) = self.calls.attempt(client) else { return StatusCode::ServiceUnavailable };
        match attempt.hop.known.and_then(|known| known.flow) {
            Some(_) if !attempt.next.target.only_hop => StatusCode::TemporarilyUnavailable,
            _ => unreached(&attempt.next.target),
        }
    }

    /// The server at that address won't do, by whatever transport. False where it is no server that records named, but a phone at the
    /// end of its own connection or mapping: its address leads to no other.
    fn leave_server(&mut self, client: ClientId) -> bool {
        let Some(attempt) = self.calls.attempt(client) else { return false };
        let remote = attempt.hop.remote;
        attempt.next.hops.retain(|hop| hop.remote != remote);
        attempt.hop.known.is_none()
    }

    /// Sends the request anew, with a branch of its own, to the next hop of the same target; false where there is none, or where a
    /// dialog has begun: that one must stay the only one. `[RFC 3263, Section 4.3]`
    fn try_next(&mut self, client: ClientId, now: Now) -> bool {
        let Some((id, branch)) = self.calls.of_client(client) else { return false };
        let Some(attempt) = self.calls.attempt(client).filter(|attempt| attempt.heard != Heard::Enough) else {
            return false;
        };
        if attempt.next.hops.is_empty() {
            return false;
        }
        attempt.heard = Heard::Enough;
        let hops = core::mem::take(&mut attempt.next.hops);
        let next = Tries { hops, ..attempt.next.clone() };
        if let Some(call) = self.calls.call(id) {
            call.context.handle_retry(branch);
        }
        self.launch(id, branch, next, now);
        self.run(id, now);
        true
    }

    /// The target is put last for a while. A phone's own connection or mapping has no alternative to be put behind.
    fn note_failed(&mut self, client: ClientId, wait: Micros, now: Now) {
        let Some(hop) = self.calls.attempt(client).map(|attempt| attempt.hop) else { return };
        if hop.known.is_none() {
            self.failed_targets.failed(hop.transport, hop.remote, now.mono, now.mono.plus(wait));
        }
    }
}

/// How a branch ends that nothing could be sent by: "If the flow no longer exists, the proxy SHOULD send a 430 (Flow Failed) response".
/// `[RFC 5626, Section 5.3.1]`
fn unreached(target: &Target) -> StatusCode {
    if target.only_hop { StatusCode::FlowFailed } else { StatusCode::ServiceUnavailable }
}

/// The sides of a dialog that are best reached by the flow of its first request: phones, which may have no other way to them. Where they
/// say so themselves (`ob`), or the flow was registered, it is the only one. `[RFC 5626, Section 5.3]`
fn dialog_flows(call: &Call, target: &Target) -> DialogFlows {
    let request = &call.request;
    let is_first_hop = request.vias().count() == 1;
    let via = request.top_via();
    let is_mapped = matches!((via.sent_by_host(), via.received()), (Host::Address(said), Some(seen)) if said != seen);
    let has_ob = |address: NameAddr<&[u8]>| address.uri.as_sip().is_some_and(|uri| uri.params.has(b"ob"));
    // No other way leads to a client of WebSocket. [RFC 7118, Section 5]
    let is_socket = |hop: Hop| matches!(hop.transport, Transport::Ws | Transport::Wss);
    let says_ob = || request.addresses(HeaderId::Contact).flatten().next().is_some_and(has_ob);
    DialogFlows {
        caller: (is_first_hop && (call.from.transport.is_reliable() || is_mapped || says_ob()))
            .then(|| is_socket(call.from) || says_ob()),
        callee: target.hop.map(|hop| is_socket(hop) || target.only_hop),
    }
}

impl Heard {
    /// What has been heard with this response.
    fn and(self, response: &Response) -> Heard {
        match self {
            Heard::Nothing | Heard::Trying if response.status().is_provisional() && response.to_tag().is_none() => {
                Heard::Trying
            }
            _ => Heard::Enough,
        }
    }
}
