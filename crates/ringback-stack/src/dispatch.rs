//! What a request is for: the registrar, the server itself, a user of ours, or a dialog that runs through us.

use ringback_base::{Hop, Now, Transport};
use ringback_message::{Method, Request, SipUri, StatusCode, Uri};
use ringback_proxy::registrar::{self, Step, Surroundings};
use ringback_proxy::{Answer, Limit, Reply, Routed, uas, validate};
use ringback_transaction::{Event as TransactionEvent, ServerId};
use ringback_transport::resolve::DnsAnswer;

use crate::Stack;
use crate::event::Event;
use crate::jobs::Job;

impl Stack {
    /// Carries out all that the transactions have to tell.
    pub(crate) fn pump(&mut self, from: Option<Hop>, now: Now) {
        while let Some(event) = self.transactions.poll_event() {
            self.on_transaction_event(event, from, now);
        }
    }

    fn on_transaction_event(&mut self, event: TransactionEvent, from: Option<Hop>, now: Now) {
        match event {
            TransactionEvent::Request { id } => {
                let from = from.or_else(|| self.transactions.server_reply_hop(id));
                if let (Some(request), Some(from)) = (self.transactions.server_request(id).cloned(), from) {
                    self.dispatch(id, request, from, now);
                }
            }
            TransactionEvent::Cancel { id, invite } => self.on_cancel(id, invite, now),
            TransactionEvent::Ack { request, from } => self.relay_ack(request, from, now),
            TransactionEvent::Response { id, response } => self.on_branch_response(id, response, now),
            TransactionEvent::StrayResponse { .. } => self.counters.stray_responses += 1,
            TransactionEvent::ClientTimeout { id } => self.on_branch_timeout(id, now),
            TransactionEvent::ClientFailed { id } => self.on_branch_unsent(id, now),
            TransactionEvent::ClientEnded { id } => self.calls.client_ended(id),
            TransactionEvent::ServerEnded { id } => self.on_server_ended(id),
            // The caller is gone: what it asked for goes on until its own timers end it.
            TransactionEvent::ServerTimeout { .. } => {}
            TransactionEvent::ServerFailed { id } => self.on_reply_failed(id, now),
            // An answer may still come by another way.
            TransactionEvent::ClientHopLost { .. } => {}
            _ => {}
        }
    }

    fn on_server_ended(&mut self, id: ServerId) {
        self.jobs.take_of_server(id);
        self.detours.forget(id);
        self.calls.server_ended(id);
    }

    fn dispatch(&mut self, server: ServerId, request: Request, from: Hop, now: Now) {
        if request.request_uri_text().len() > self.config.proxy.uri_bytes_max {
            return self.answer(server, Reply::new(StatusCode::RequestUriTooLong).beyond(Limit::UriBytes), now);
        }
        let routed = match self.routes.preprocess(&request, &self.names) {
            Ok(routed) => routed,
            Err(error) => return self.answer(server, Reply::malformed(&error), now),
        };
        if routed.is_forged {
            let reply = Reply::because(StatusCode::Forbidden, "The flow token is not ours");
            return self.answer(server, reply, now);
        }
        if self.draining && !routed.trusted {
            return self.answer(server, Reply::new(StatusCode::ServiceUnavailable), now);
        }
        match self.addressee(&request, &routed, from) {
            Ok(Addressee::Dialog | Addressee::Upstream) => match self.may_relay(&request) {
                Ok(()) => self.relay_onward(server, request, routed, from, now),
                Err(reply) => self.answer(server, reply, now),
            },
            Ok(Addressee::User) => match self.may_relay(&request) {
                Ok(()) => self.relay_to_user(server, request, routed, from, now),
                Err(reply) => self.answer(server, reply, now),
            },
            Ok(addressee) => self.serve(server, &request, addressee, from, now),
            Err(reply) => self.answer(server, reply, now),
        }
    }

    fn addressee(&self, request: &Request, routed: &Routed, from: Hop) -> Result<Addressee, Reply> {
        if routed.trusted || routed.flow.is_some_and(|flow| flow.leads_on(from)) {
            return Ok(Addressee::Dialog);
        }
        let next = routed.next.as_ref().and_then(|next| next.uri.as_sip());
        if next.is_some_and(|next| self.is_upstream(next)) {
            return Ok(Addressee::Upstream);
        }
        let uri = match request.request_uri() {
            Ok(Uri::Sip(uri)) => uri,
            Ok(_) => return Err(Reply::new(StatusCode::UnsupportedUriScheme)),
            Err(error) => return Err(Reply::malformed(&error)),
        };
        if routed.next.is_none() && self.is_upstream(&uri) {
            return Ok(Addressee::Upstream);
        }
        if !self.names.is_domain(&uri) || routed.next.is_some() {
            return Err(Reply::because(StatusCode::Forbidden, "This server relays for its own domain only"));
        }
        match uri.user {
            Some(_) if !request.is(&Method::Register) => Ok(Addressee::User),
            _ if uri.secure && ![Transport::Tls, Transport::Wss].into_iter().any(|by| self.names.has(by)) => {
                Err(Reply::because(StatusCode::UnsupportedUriScheme, "No sips here: the server has no TLS"))
            }
            _ if request.is(&Method::Register) => Ok(Addressee::Registrar),
            _ => Ok(Addressee::Server),
        }
    }

    /// Whether a URI is of a domain whose edge proxy we are, and not of ours.
    fn is_upstream<T: AsRef<[u8]>>(&self, uri: &SipUri<T>) -> bool {
        let host = uri.host.as_ref();
        self.config.edge_of.iter().any(|domain| domain.as_bytes().eq_ignore_ascii_case(host))
            && !self.names.is_domain(uri)
    }

    fn may_relay(&self, request: &Request) -> Result<(), Reply> {
        validate(request, &self.names, &self.loops)?;
        let unavailable = Reply::new(StatusCode::ServiceUnavailable);
        if self.calls.len() >= self.config.proxy.contexts_max {
            return Err(unavailable.beyond(Limit::Contexts));
        }
        if self.has_no_lookup_left() {
            return Err(unavailable.beyond(Limit::Lookups));
        }
        Ok(())
    }

    pub(crate) fn has_no_lookup_left(&self) -> bool {
        self.jobs.len() >= self.config.lookups_max
    }

    /// What is addressed to us is handled as a user agent server does. `[RFC 3261, Section 8.2]`
    ///
    /// Only here a request that came by another path before is refused: a proxy forwards it.
    fn serve(&mut self, server: ServerId, request: &Request, addressee: Addressee, from: Hop, now: Now) {
        if self.transactions.is_merged(server) {
            return self.answer(server, Reply::new(StatusCode::LoopDetected), now);
        }
        if let Addressee::Server = addressee {
            return self.answer(server, uas::answer(request), now);
        }
        if self.has_no_lookup_left() {
            return self.answer(server, Reply::new(StatusCode::ServiceUnavailable).beyond(Limit::Lookups), now);
        }
        let step = registrar::begin(request, from, &mut self.surroundings(now));
        self.on_register_step(server, step, from, now);
    }

    fn surroundings(&mut self, now: Now) -> Surroundings<'_> {
        Surroundings {
            auth: &mut self.auth,
            names: &self.names,
            policy: &self.config.registrar,
            open: self.config.open,
            any_aor: self.config.any_aor,
            now,
        }
    }

    fn on_register_step(&mut self, server: ServerId, step: Step, from: Hop, now: Now) {
        match step {
            Step::Ask(step, query) => self.jobs.ask(Job::Register { server, step }, query, self.deadline(now)),
            Step::Done { reply, wrong_user, changed } => {
                if let Some(user) = wrong_user {
                    self.events.push_back(Event::AuthenticationFailed { user, from });
                }
                if let Some((aor, bindings)) = changed {
                    self.events.push_back(Event::Registered { aor, bindings });
                }
                self.answer(server, reply, now);
            }
        }
    }

    /// An answer for a job, or its failure.
    pub(crate) fn resume(&mut self, job: Job, subject: &str, answer: Answer, now: Now) {
        if let Answer::Failed | Answer::Dns(DnsAnswer::Failed | DnsAnswer::TimedOut) = answer {
            self.counters.lookups_failed += 1;
        }
        if let (Answer::Failed, Job::Register { .. } | Job::Relay { .. }) = (&answer, &job) {
            self.events.push_back(Event::LookupFailed { what: job.what(), subject: subject.into() });
        }
        match job {
            Job::Register { server, step } => {
                let Some(request) = self.transactions.server_request(server).cloned() else { return };
                let from = self.transactions.server_reply_hop(server).unwrap_or(self.nowhere());
                let step = step.answer(&request, answer, &mut self.surroundings(now));
                self.on_register_step(server, step, from, now);
            }
            Job::Relay { server, relay } => self.resume_relay(server, *relay, answer, now),
            Job::Dns { walk, question } => {
                let answer = match answer {
                    Answer::Dns(answer) => answer,
                    _ => DnsAnswer::TimedOut,
                };
                self.walks.handle_answer(walk, question, answer);
                if let Some(call) = self.walk_on(walk, now) {
                    self.run(call, now);
                }
            }
        }
        self.pump(None, now);
    }

    /// CANCEL is answered hop by hop, and ends what waits. `[RFC 3261, Section 9.2]` `[RFC 3261, Section 16.10]`
    fn on_cancel(&mut self, id: ServerId, invite: Option<ServerId>, now: Now) {
        let Some(invite) = invite else {
            return self.answer(id, Reply::new(StatusCode::CallOrTransactionDoesNotExist), now);
        };
        self.answer(id, Reply::new(StatusCode::Ok), now);
        if let Some(call) = self.calls.of_server(invite) {
            if let Some(call) = self.calls.call(call) {
                call.context.handle_cancel(now);
            }
            self.run(call, now);
        } else if self.jobs.take_of_server(invite).is_some() {
            self.answer(invite, Reply::new(StatusCode::RequestTerminated), now);
        }
    }
}

impl Job {
    fn what(&self) -> &'static str {
        match self {
            Job::Register { .. } => "accounts or bindings for a REGISTER",
            Job::Relay { .. } => "accounts or bindings for a request to a user",
            Job::Dns { .. } => "the address of a target",
        }
    }
}

/// Who a request is for.
#[derive(Clone, Copy, Debug)]
enum Addressee {
    /// Whoever the route of the dialog, or a flow of ours, leads to.
    Dialog,
    /// A server of a domain whose edge proxy we are.
    Upstream,
    Registrar,
    Server,
    User,
}
