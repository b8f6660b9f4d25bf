//! Relaying: to a user of ours, within a dialog, and back. `[RFC 3261, Section 16]`

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::SocketAddr;

use ringback_base::{Hop, Now, Random, Transport};
use ringback_location::{Aor, Binding, Refusal};
use ringback_message::header::text::lossy;
use ringback_message::header::{Reason, Warning};
use ringback_message::{HeaderId, Method, Request, Response, StatusCode, Uri};
use ringback_proxy::authenticate::{First, Role, Second, first, second};
use ringback_proxy::{Action, Answer, Context, DialogFlows, Limit, Onward, Query, Reply, Routed, Target, next_hop};
use ringback_transaction::{RespondError, ServerId};
use ringback_transport::resolve::Located;

use crate::Stack;
use crate::branches::Wanted;
use crate::calls::CallId;
use crate::event::Event;
use crate::intake::text;
use crate::jobs::{Job, Relay, RelayStage};

/// How many of a response's Warnings and Reasons are told.
const WHY_MAX: usize = 8;

/// What a response says of its reason beside its phrase: the texts of Warning and Reason. `[RFC 3261, Section 20.43]` `[RFC 3326, Section 2]`
fn said_why(response: &Response) -> Box<str> {
    let warnings = response.values::<Warning<_>>().flatten();
    let warnings =
        warnings.map(|warning: Warning<&[u8]>| format!("Warning {}: {}", warning.code, lossy(&warning.message())));
    let reasons = response.values::<Reason<_>>().flatten();
    let reasons = reasons.map(|reason: Reason<&[u8]>| {
        let cause = reason.cause().map(|cause| format!(" {cause}")).unwrap_or_default();
        let said = reason.text().map(|text| format!(": {}", lossy(&text))).unwrap_or_default();
        format!("Reason {}{cause}{said}", lossy(reason.protocol))
    });
    warnings.chain(reasons).take(WHY_MAX).collect::<Vec<String>>().join("; ").into()
}

impl Stack {
    /// A request for a user of ours: first, who asks? `[RFC 3261, Section 22.3]`
    pub(crate) fn relay_to_user(&mut self, server: ServerId, request: Request, routed: Routed, from: Hop, now: Now) {
        if self.config.open {
            return match self.aor_of(&request) {
                Ok(aor) => self.ask_relay(
                    server,
                    from,
                    routed,
                    RelayStage::Bindings { redirect: false },
                    Query::LoadBindings { aor },
                    now,
                ),
                Err(reply) => self.answer(server, reply, now),
            };
        }
        // What we sent and what comes back, because a contact leads to us, was checked when it first came.
        if self.transactions.is_ours(&request) {
            return match self.aor_of(&request) {
                Ok(aor) => {
                    let user = aor.user().into();
                    self.ask_relay(server, from, routed, RelayStage::Callee(aor), Query::Account { user }, now);
                }
                Err(reply) => self.answer(server, reply, now),
            };
        }
        match first(&mut self.auth, Role::Proxy, &request, now) {
            First::Refuse(reply) => self.answer(server, reply, now),
            First::Ask(claim, query) => {
                self.ask_relay(server, from, routed, RelayStage::Credentials(claim), query, now)
            }
        }
    }

    fn ask_relay(&mut self, server: ServerId, from: Hop, routed: Routed, stage: RelayStage, query: Query, now: Now) {
        let relay = Box::new(Relay { from, routed, stage });
        self.jobs.ask(Job::Relay { server, relay }, query, self.deadline(now));
    }

    pub(crate) fn resume_relay(&mut self, server: ServerId, relay: Relay, answer: Answer, now: Now) {
        let Some(request) = self.transactions.server_request(server).cloned() else { return };
        let Relay { from, routed, stage } = relay;
        let next = match (stage, answer) {
            (RelayStage::Credentials(claim), Answer::Account(account)) => {
                let user: Box<str> = claim.user().into();
                match second(&mut self.auth, Role::Proxy, claim, account.as_ref(), now) {
                    Second::Verified(proof) => self.callee(&request, proof.user()),
                    Second::Refuse { reply, wrong } => {
                        if wrong {
                            self.events.push_back(Event::AuthenticationFailed { user, from });
                        }
                        Err(reply)
                    }
                }
            }
            (RelayStage::Callee(aor), Answer::Account(Some(account))) => {
                Ok((RelayStage::Bindings { redirect: account.redirect }, Query::LoadBindings { aor }))
            }
            (RelayStage::Callee(aor), Answer::Account(None)) => Err(self.config.directory.unknown(aor.user())),
            (RelayStage::Bindings { redirect }, Answer::Bindings { rows, .. }) => {
                match self.targets(&request, &rows, now) {
                    Ok(_) if redirect || self.config.redirect => Err(moved(&rows, now)),
                    Ok(targets) => return self.start_call(server, request, routed, from, targets, now),
                    Err(reply) => Err(reply),
                }
            }
            _ => Err(Reply::because(StatusCode::ServiceUnavailable, "The data base does not answer")),
        };
        match next {
            Err(reply) => self.answer(server, reply, now),
            Ok((stage, query)) => self.ask_relay(server, from, routed, stage, query, now),
        }
    }

    /// The live bindings as targets. A `sips` request goes to `sips` contacts only, and these are reached by TLS only.
    /// `[RFC 5630, Section 5.3]`
    fn targets(&self, request: &Request, rows: &[Binding], now: Now) -> Result<Vec<Target>, Reply> {
        let is_secure = |uri: &[u8]| uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"sips:"));
        let secure = is_secure(request.request_uri_text());
        let usable = |row: &&Binding| match (secure, is_secure(&row.contact)) {
            (true, contact) => contact,
            (false, contact) => !contact || self.names.has(Transport::Tls),
        };
        let live: Vec<&Binding> = rows.iter().filter(|row| row.is_live(now)).collect();
        let mut found: Vec<(&Binding, Target)> =
            live.iter().copied().filter(usable).map(|row| (row, target_of(row))).collect();
        // Of several ways to one device the one that it prefers goes first, then the one that was told of last.
        found.sort_by_key(|(row, target)| {
            let rank = (Reverse(target.q), Reverse(row.updated_at));
            target.device.is_some().then_some(rank)
        });
        let targets = Target::by_device(found.into_iter().map(|(_, target)| target));
        if !targets.is_empty() {
            return Ok(targets);
        }
        let reply = Reply::new(StatusCode::TemporarilyUnavailable);
        Err(match (live.is_empty(), secure) {
            (true, _) => reply,
            (false, true) => reply.warning(380, self.names.domain(), "SIPS Not Allowed"),
            (false, false) => reply.warning(381, self.names.domain(), "SIPS Required"),
        })
    }

    /// The caller is known: may it call under the name in From, and whom does it call?
    fn callee(&self, request: &Request, caller: &str) -> Result<(RelayStage, Query), Reply> {
        let from = request.from_header().map_err(|error| Reply::malformed(&error))?;
        if !self.may_call_as(&from.uri, caller) {
            return Err(Reply::because(StatusCode::Forbidden, "From names another user than the credentials"));
        }
        let aor = self.aor_of(request)?;
        let user = aor.user().into();
        Ok((RelayStage::Callee(aor), Query::Account { user }))
    }

    /// A caller goes by its own name in this domain, or by none: hosts under `.invalid` are how anonymous callers are written.
    /// `[RFC 3323, Section 4.1.1.3]`
    fn may_call_as(&self, from: &Uri<&[u8]>, caller: &str) -> bool {
        let Some(uri) = from.as_sip() else { return false };
        let own = self.names.is_domain(uri) && self.names.aor(uri).is_ok_and(|aor| aor.user() == caller);
        let host = uri.host.to_ascii_lowercase();
        own || host == b"invalid" || host.ends_with(b".invalid")
    }

    /// The user that is meant, where the directory has nothing to say.
    fn aor_of(&self, request: &Request) -> Result<Aor, Reply> {
        let aor = self.named(request)?;
        match self.config.directory.reply(aor.user(), request) {
            Some(reply) => Err(reply),
            None => Ok(aor),
        }
    }

    fn named(&self, request: &Request) -> Result<Aor, Reply> {
        match request.request_uri() {
            Ok(Uri::Sip(uri)) => self.names.aor(&uri).map_err(|error| {
                let not_found = Reply::new(StatusCode::NotFound);
                match Refusal::from(error).limit() {
                    Some(limit) => not_found.beyond(limit),
                    None => not_found,
                }
            }),
            _ => Err(Reply::new(StatusCode::NotFound)),
        }
    }

    /// A request of a dialog that was set up through us, or for a server whose edge proxy we are, goes where its route leads: by the flow
    /// that our own Route names, if it names one. `[RFC 3261, Section 16.12]` `[RFC 5626, Section 5.3]`
    pub(crate) fn relay_onward(&mut self, server: ServerId, request: Request, routed: Routed, from: Hop, now: Now) {
        let uri = routed.restored_uri.clone().unwrap_or_else(|| request.request_uri_text().into());
        let flow = routed.flow.filter(|flow| flow.leads_on(from));
        let mut target = Target::new(uri, 1000);
        (target.hop, target.only_hop) = (flow.map(|flow| flow.hop), flow.is_some_and(|flow| flow.only));
        self.start_call(server, request, routed, from, Vec::from([target]), now);
    }

    fn start_call(
        &mut self,
        server: ServerId,
        request: Request,
        routed: Routed,
        from: Hop,
        targets: Vec<Target>,
        now: Now,
    ) {
        if request.is(&Method::Invite) {
            self.answer(server, Reply::new(StatusCode::Trying), now);
        }
        let mut context = Context::new(&request, targets, &self.config.proxy);
        context.start(now);
        self.counters.calls += 1;
        let call = self.calls.insert(server, request, routed, from, context);
        self.run(call, now);
    }

    /// Carries out what a context wants.
    pub(crate) fn run(&mut self, id: CallId, now: Now) {
        while let Some(action) = self.calls.call(id).and_then(|call| call.context.poll_action()) {
            let Some(server) = self.calls.call(id).map(|call| call.server) else { return };
            match action {
                Action::Start { branch, target, max_breadth } => {
                    self.start_branch(id, branch, target, max_breadth, now)
                }
                Action::Cancel { branch } => self.cancel_branch(id, branch, now),
                Action::Abandon { branch } => {
                    if let Some(client) = self.client_of(id, branch) {
                        self.transactions.abandon(client, now);
                    }
                }
                Action::Respond(response) => self.pass_back(id, server, response, now),
                Action::EarlyEnded { to_tag, reply } => self.tell_early_ended(server, &to_tag, reply, now),
                Action::Reply(reply) => {
                    let words = reply.reason.clone().unwrap_or_else(|| reply.status.default_phrase().into());
                    self.tell_relayed(id, reply.status, words.into(), Box::default());
                    self.answer(server, reply, now);
                }
                // The transaction ends by itself, unanswered.
                Action::GiveUp => {}
                Action::Reached(limit) => self.counters.reached(limit),
                _ => {}
            }
        }
        self.calls.rearm(id);
    }

    /// One of several early dialogs is over. `[RFC 6228, Section 6]`
    fn tell_early_ended(&mut self, server: ServerId, to_tag: &str, reply: Reply, now: Now) {
        let Some(request) = self.transactions.server_request(server) else { return };
        if let Ok(response) = reply.to(request, to_tag) {
            // Where it can't go, the final response will.
            let _ = self.transactions.respond(server, response, now);
        }
    }

    fn pass_back(&mut self, id: CallId, server: ServerId, response: Response, now: Now) {
        let status = response.status();
        if status.is_final() {
            self.tell_relayed(id, status, text(response.reason()), said_why(&response));
        }
        let response = self.with_keep_alives(server, response);
        match self.transactions.respond(server, response, now) {
            // Damaged on its way here: no answer to what was asked, but the end of it. `[RFC 3261, Section 21.5.3]`
            Err(RespondError::Foreign) if status.is_final() => {
                self.answer(server, Reply::new(StatusCode::BadGateway), now)
            }
            // The caller's transaction has ended: nobody waits for it.
            Ok(()) | Err(_) => {}
        }
    }

    fn tell_relayed(&mut self, id: CallId, status: StatusCode, reason: Box<str>, why: Box<str>) {
        let Some(call) = self.calls.call(id).filter(|call| status.is_final() && !call.told) else { return };
        call.told = true;
        let request = &call.request;
        let event = Event::Relayed {
            method: text(request.method_text().unwrap_or_default()),
            call_id: text(request.call_id()),
            uri: text(request.request_uri_text()),
            status,
            reason,
            why,
            attempts: call.attempts.len(),
            from: call.from,
        };
        self.events.push_back(event);
    }

    /// The ACK for a 2xx goes end to end, without a transaction, by the route of its dialog. `[RFC 3261, Section 16.11]`
    pub(crate) fn relay_ack(&mut self, request: Request, from: Hop, now: Now) {
        let Ok(routed) = self.routes.preprocess(&request, &self.names) else { return };
        if !routed.trusted || request.max_forwards() == Some(0) {
            self.counters.acks_dropped += 1;
            return;
        }
        if let Some(flow) = routed.flow.filter(|flow| flow.leads_on(from)) {
            let local = self.names.outbound(flow.hop.transport, &flow.hop.remote, flow.hop.local);
            return self.send_ack(&request, &routed, from, local.map(|local| Hop { local, ..flow.hop }));
        }
        let uri = routed.restored_uri.clone().unwrap_or_else(|| request.request_uri_text().into());
        let Some(aim) = next_hop(&routed, &[], &uri, self.config.maddr) else {
            self.counters.acks_dropped += 1;
            return;
        };
        if aim.name().is_some() && self.has_no_lookup_left() {
            self.counters.reached(Limit::Lookups);
            self.counters.acks_dropped += 1;
            return;
        }
        // All repetitions of an ACK go to the same of several hosts. [RFC 3263, Section 4.4]
        let identity = self.identity_of_ack(&request).to_be_bytes();
        let mut seed = [0; 32];
        seed.iter_mut().zip(identity.iter().cycle()).for_each(|(to, from)| *to = *from);
        let wanted = Wanted::Ack { request: Box::new(request), routed: Box::new(routed), from };
        self.walk(aim, Random::from_seed(seed), wanted, now);
    }

    fn identity_of_ack(&self, request: &Request) -> u64 {
        self.stateless.of(&[request.branch().unwrap_or_default(), request.call_id(), &request.cseq().to_be_bytes()])
    }

    /// The hop to the first of these that we can reach.
    pub(crate) fn reached(&self, targets: &[Located], preferred: SocketAddr) -> Option<Hop> {
        targets.iter().find_map(|target| {
            let local = self.names.outbound(target.transport, &target.address, preferred)?;
            Some(Hop { transport: target.transport, local, remote: target.address, flow: None })
        })
    }

    pub(crate) fn send_ack(&mut self, request: &Request, routed: &Routed, from: Hop, outbound: Option<Hop>) {
        let Some(outbound) = outbound else {
            self.counters.acks_dropped += 1;
            return;
        };
        let uri = routed.restored_uri.clone().unwrap_or_else(|| request.request_uri_text().into());
        let onward = Onward {
            request,
            routed,
            uri: &uri,
            path: &[],
            flows: DialogFlows::default(),
            routes: &self.routes,
            names: &self.names,
            inbound: from,
            outbound,
            // The same for each repetition of the ACK. `[RFC 3261, Section 16.11]`
            branch: &format!("z9hG4bK{:016x}.ack", self.identity_of_ack(request)),
            realm: &self.config.realm,
            max_breadth: None,
        };
        if let Ok(ack) = onward.build() {
            self.transactions.send(ack.as_bytes().clone(), outbound);
        }
    }
}

/// A 302 with the live bindings, the most wanted first. `[RFC 3261, Section 8.3]`
fn moved(rows: &[Binding], now: Now) -> Reply {
    let mut live: Vec<&Binding> = rows.iter().filter(|row| row.is_live(now)).collect();
    live.sort_by_key(|row| Reverse(row.preference()));
    live.iter().fold(Reply::new(StatusCode::MovedTemporarily), |reply, row| {
        reply.with(HeaderId::Contact, String::from_utf8_lossy(&row.contact_value(now)).into_owned())
    })
}

/// Where a binding leads: by the proxies that it was made through, or by the flow of the phone itself. `[RFC 3327, Section 5.4]`
/// `[RFC 5626, Section 7]`
fn target_of(row: &Binding) -> Target {
    let is_direct = row.path.is_empty();
    Target {
        hop: row.received.filter(|_| is_direct),
        only_hop: is_direct && row.received.is_some() && row.is_flow(),
        path: row.path.clone(),
        device: row.instance(),
        ..Target::new(without_headers(&row.contact), row.preference().as_thousandths())
    }
}

/// A URI can't carry header fields into a request that we make. `[RFC 3261, Section 19.1.5]`
fn without_headers(uri: &[u8]) -> Box<[u8]> {
    uri.split(|&b| b == b'?').next().unwrap_or(uri).into()
}
