//! Client requests: where they go, what they carry on the way, and how they are sent again.
//! `[RFC 3261, Section 8.1]` `[RFC 3263, Section 4]`

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

use ringback_auth::{AuthAttempts, DigestClient, ServerProof};
use ringback_base::{Hop, Now, Random, TimerId, Transport};
use ringback_message::{BuildError, Edit, HeaderId, Method, Request, RequestBuilder, Response, Uri};
use ringback_transaction::{ClientId, RequestError};
use ringback_transport::resolve::Aim;

use super::modify::CHANGE_ATTEMPTS_MAX;
use super::usages::Task;
use super::{SECURE_SOCKETS_MAX, SILENT_MAX, UserAgent};
use crate::config::{HOPS_MAX, Local};
use crate::dialog::{Dialog, is_sips};
use crate::event::{Event, Failure, InviteId, Lookup, RegistrationId, RequestId, SessionId};
use crate::outcome::Outcome;

/// The largest request that goes as a datagram where TCP may carry it. `[RFC 3261, Section 18.1.1]`
const DATAGRAM_BYTES_MAX: usize = 1_300;

/// Whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The INVITE of a call of ours.
    Invite(InviteId),
    /// The ACK for a 2xx to the INVITE of this transaction.
    Ack(SessionId, Option<ClientId>),
    /// The same, of a session that is over or never was.
    StrayAck(Option<ClientId>),
    /// The BYE in a dialog that no session has, or has any more; where an INVITE has made it that is still waited for, that.
    StrayBye(Option<InviteId>),
    /// A re-INVITE or UPDATE of ours.
    Change(SessionId),
    Prack(SessionId),
    Bye(SessionId),
    /// That of a subscription, a REFER or a publication.
    Usage(Task),
    /// The application's own, in a session or outside.
    Application(Option<SessionId>),
    Register(RegistrationId),
}

/// A request that is on its way.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) purpose: Purpose,
    builder: Option<Box<RequestBuilder>>,
    /// As it was sent last.
    pub(crate) request: Option<Request>,
    pub(crate) client: Option<ClientId>,
    /// Those not tried yet, the next one last.
    hops: Vec<Hop>,
    /// The one that it was sent to last.
    pub(crate) hop: Option<Hop>,
    /// Where it was too large for a datagram, and went by TCP.
    grown_at: Option<SocketAddr>,
    attempts: AuthAttempts,
    /// How often a 422 has raised its session interval.
    raises: u8,
    /// Whether its Contact is ours, and not the application's.
    has_own_contact: bool,
    /// Its last hop was tried once more, by another connection.
    is_reopened: bool,
    /// Until when it isn't sent.
    pub(crate) waiting: Option<TimerId>,
    /// The dialog of a re-INVITE whose session has ended, and of an ACK that no session sends.
    pub(crate) orphaned: Option<Box<Dialog>>,
}

impl Sending {
    /// This request is sent next, by a way of its own; whoever challenges it is another. Gives the transaction of the one before.
    pub(crate) fn renew(&mut self, request: Request) -> Option<ClientId> {
        self.request = Some(request);
        self.hops.clear();
        self.grown_at = None;
        self.attempts = AuthAttempts::default();
        self.client.take()
    }
}

impl UserAgent {
    /// Sends a request, once it is known where this URI leads. It lacks Via and, where its method has one, Contact.
    pub(crate) fn send(&mut self, purpose: Purpose, builder: RequestBuilder, uri: &[u8], now: Now) -> u64 {
        self.send_by(None, purpose, builder, uri, now)
    }

    /// The same by a hop that is known, if it is.
    pub(crate) fn send_by(
        &mut self,
        hop: Option<Hop>,
        purpose: Purpose,
        builder: RequestBuilder,
        uri: &[u8],
        now: Now,
    ) -> u64 {
        let id = self.next_sending();
        let builder = Some(Box::new(builder));
        let sending = Sending {
            purpose,
            builder,
            request: None,
            client: None,
            hops: Vec::new(),
            hop: None,
            grown_at: None,
            attempts: AuthAttempts::default(),
            raises: 0,
            has_own_contact: false,
            is_reopened: false,
            waiting: None,
            orphaned: None,
        };
        self.sendings.insert(id, sending);
        self.share_cseq(purpose);
        match hop.or_else(|| self.direct(purpose, uri)) {
            Some(hop) => self.found(id, &[hop], now),
            None => self.lookups.push_back(Lookup { id, uri: uri.into() }),
        }
        id
    }

    /// A number that names one sending, or one look-up.
    pub(crate) fn next_sending(&mut self) -> u64 {
        self.sendings_made = self.sendings_made.wrapping_add(1);
        self.sendings_made
    }

    /// The hop to a URI that needs no look-up: an address, or what the configuration says.
    pub(crate) fn direct(&self, purpose: Purpose, uri: &[u8]) -> Option<Hop> {
        if let (Some(hop), true) = (self.config.outbound, self.is_outside(purpose)) {
            return Some(hop);
        }
        self.direct_to(uri)
    }

    /// The hop to a URI that is an address.
    pub(crate) fn direct_to(&self, uri: &[u8]) -> Option<Hop> {
        let Ok(Uri::Sip(uri)) = Uri::parse(uri, HeaderId::Other, 0) else { return None };
        let aim = Aim::of_uri(&uri, true).ok()?;
        let (address, transport) = (aim.address()?, aim.transport());
        let remote = SocketAddr::new(address, aim.port());
        let local = self.local(transport, &remote)?;
        Some(Hop { transport, local: local.address, remote, flow: None })
    }

    fn is_outside(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Invite(_) | Purpose::Application(None) | Purpose::Register(_) => true,
            Purpose::Usage(task) => match task {
                Task::Subscribe(_, None) | Task::Publish(_) => true,
                Task::Refer(_) => self.usage_session(task).is_none(),
                Task::Subscribe(_, Some(_)) | Task::Notify(_) | Task::ReferSubscribe(..) | Task::ReferNotify(_) => {
                    false
                }
            },
            _ => false,
        }
    }

    /// Our address for this transport and the other side's family of addresses.
    fn local(&self, transport: Transport, remote: &SocketAddr) -> Option<&Local> {
        let fits = |local: &&Local| local.transport == transport && local.address.is_ipv4() == remote.is_ipv4();
        self.config.locals.iter().find(fits)
    }

    fn sent_by(&self, hop: &Hop) -> Box<str> {
        let is_it = |local: &&Local| local.transport == hop.transport && local.address == hop.local;
        match self.config.locals.iter().find(is_it).or_else(|| self.local(hop.transport, &hop.remote)) {
            Some(local) => local.sent_by.clone(),
            None => alloc::format!("{}", hop.local).into(),
        }
    }

    /// Our Contact for messages that take this hop. `[RFC 3261, Section 8.1.1.8]`
    pub(crate) fn contact(&self, hop: &Hop, is_secure: bool) -> alloc::string::String {
        let scheme = if is_secure { "sips" } else { "sip" };
        let sent_by = self.sent_by(hop);
        let at = if self.config.user.is_empty() { "" } else { "@" };
        let transport = match hop.transport {
            Transport::Udp => "",
            Transport::Tls if is_secure => "",
            Transport::Tcp => ";transport=tcp",
            // Deprecated, and yet the only word for it in a SIP URI. [RFC 3261, Section 26.2.2]
            Transport::Tls => ";transport=tls",
            Transport::Ws | Transport::Wss => ";transport=ws",
        };
        alloc::format!("<{scheme}:{}{at}{sent_by}{transport}>", self.config.user)
    }

    /// The same in a request of ours. `[RFC 5626, Section 4.3]`
    fn contact_asking(&self, hop: &Hop, is_secure: bool) -> alloc::string::String {
        let mut contact = self.contact(hop, is_secure);
        if self.config.by_flow.contains(&hop.transport) && contact.pop().is_some() {
            contact.push_str(";ob>");
        }
        contact
    }

    /// The hops of a request are known.
    pub(crate) fn found(&mut self, id: u64, hops: &[Hop], now: Now) {
        let hops = hops.iter().take(HOPS_MAX).rev().map(|hop| self.as_known(*hop)).collect();
        let Some(sending) = self.sendings.get_mut(&id) else { return };
        sending.hops = hops;
        self.try_next(id, Failure::NoRoute, now);
    }

    /// `transport=ws` is the one name for WebSocket with TLS and without: the Record-Route of a server that we speak to over TLS says no
    /// more, and means the connection that there is. `[RFC 7118, Section 5.2]`
    fn as_known(&self, hop: Hop) -> Hop {
        let is_secure = hop.transport == Transport::Ws && self.secure_sockets.contains(&hop.remote);
        match self.local(Transport::Wss, &hop.remote).filter(|_| is_secure) {
            Some(local) => Hop { transport: Transport::Wss, local: local.address, ..hop },
            None => hop,
        }
    }

    fn know(&mut self, hop: &Hop) {
        if hop.transport == Transport::Wss && !self.secure_sockets.contains(&hop.remote) {
            self.secure_sockets.push_back(hop.remote);
            let beyond = self.secure_sockets.len().saturating_sub(SECURE_SOCKETS_MAX);
            self.secure_sockets.drain(..beyond);
        }
    }

    /// Sends to the next hop; `before` is how the one before it failed.
    fn try_next(&mut self, id: u64, before: Failure, now: Now) {
        let Some(sending) = self.sendings.get_mut(&id) else { return };
        let purpose = sending.purpose;
        let Some(hop) = sending.hops.pop().filter(|_| self.may_send_for(purpose)) else {
            return self.give_up(id, before, now);
        };
        let Some(sending) = self.sendings.get_mut(&id) else { return };
        let sent = match (sending.request.clone(), sending.builder.take()) {
            (Some(request), _) if sending.has_own_contact => self.introduced_at(&request, &hop),
            (Some(request), _) => self.readdressed(&request, &hop),
            (None, Some(builder)) => {
                sending.has_own_contact = !builder.has(HeaderId::Contact);
                self.addressed(purpose, *builder, &hop)
            }
            (None, None) => return,
        };
        match sent.and_then(|request| self.signed(purpose, request)).and_then(|request| self.fitted(id, request, hop)) {
            Ok((request, hop)) => self.dispatch(id, request, hop, now),
            Err(error) => self.give_up(id, Failure::Build(error), now),
        }
    }

    /// What is too large for a datagram goes to the same place by TCP first, if we have it: "If the failure … is received …, the element
    /// SHOULD retry the request, using UDP." An ACK doesn't, as nobody would tell of the failure. `[RFC 3261, Section 18.1.1]`
    fn fitted(&mut self, id: u64, request: Request, hop: Hop) -> Result<(Request, Hop), BuildError> {
        let is_large = hop.transport == Transport::Udp && request.as_bytes().len() > DATAGRAM_BYTES_MAX;
        let local = self.local(Transport::Tcp, &hop.remote).map(|local| local.address);
        let (true, Some(local)) = (is_large && !request.is(&Method::Ack), local) else { return Ok((request, hop)) };
        let Some(sending) = self.sendings.get_mut(&id).filter(|it| it.grown_at != Some(hop.remote)) else {
            return Ok((request, hop));
        };
        sending.grown_at = Some(hop.remote);
        sending.hops.push(hop);
        let has_own_contact = sending.has_own_contact;
        let grown = Hop { transport: Transport::Tcp, local, remote: hop.remote, flow: None };
        let request =
            if has_own_contact { self.introduced_at(&request, &grown)? } else { self.readdressed(&request, &grown)? };
        Ok((request, grown))
    }

    /// Whoever was reached by TCP is not asked again by datagrams.
    fn leave_grown(&mut self, id: u64) {
        let Some(sending) = self.sendings.get_mut(&id) else { return };
        let Some(hop) = sending.hop.filter(|hop| hop.transport == Transport::Tcp) else { return };
        if sending.grown_at == Some(hop.remote) {
            sending.hops.pop_if(|next| next.transport == Transport::Udp && next.remote == hop.remote);
        }
    }

    fn dispatch(&mut self, id: u64, request: Request, hop: Hop, now: Now) {
        self.know(&hop);
        let Some(sending) = self.sendings.get_mut(&id) else { return };
        let ack = match sending.purpose {
            Purpose::Ack(session, client) => Some((Some(session), client)),
            Purpose::StrayAck(client) => Some((None, client)),
            _ => None,
        };
        if let Some((session, client)) = ack {
            self.sendings.remove(&id);
            return self.ack_addressed(session, client, &request, hop);
        }
        match self.transactions.request(request.clone(), hop, now) {
            Ok(client) => {
                if let Some(old) = sending.client.replace(client) {
                    self.clients.remove(&old);
                }
                (sending.request, sending.hop) = (Some(request.clone()), Some(hop));
                let purpose = sending.purpose;
                self.clients.insert(client, id);
                match purpose {
                    Purpose::Invite(invite) => self.sent_anew(invite),
                    Purpose::Usage(task) => self.usage_sent(task, &request, now),
                    _ => {}
                }
            }
            Err(RequestError::Full) => self.give_up(id, Failure::Full, now),
            Err(_) => self.give_up(id, Failure::Transport(Some(hop)), now),
        }
    }

    /// With Via and Contact for this hop. `[RFC 3261, Section 8.1.1.7]`
    fn addressed(&mut self, purpose: Purpose, builder: RequestBuilder, hop: &Hop) -> Result<Request, BuildError> {
        let builder = match self.session_id(purpose) {
            Some(header) => builder.header(header),
            None => builder,
        };
        let keeps =
            matches!(purpose, Purpose::Register(id) if self.registration(id).is_some_and(|it| it.wants_keep_alives()));
        let via = self.via(hop, keeps);
        let needs_contact = builder.method().info().is_some_and(|info| info.refreshes_target);
        let has_ours = needs_contact && !builder.has(HeaderId::Contact);
        let is_secure = is_sips(builder.request_uri().as_bytes());
        let builder =
            if has_ours { builder.raw(HeaderId::Contact, self.contact_asking(hop, is_secure)) } else { builder };
        let builder = builder.raw(HeaderId::Via, via);
        // What ends or acknowledges a dialog goes out even where the other side's Contact is one that we would not write.
        let must_go = matches!(purpose, Purpose::Ack(..) | Purpose::Prack(_) | Purpose::Bye(_));
        match builder.clone().build() {
            Err(_) if must_go => checked(builder.build_unchecked()?),
            Ok(request) if has_ours => self.with_gruu(request, is_secure),
            built => built,
        }
    }

    /// The Session-ID of the call that a request belongs to. `[RFC 7989, Section 6]`
    fn session_id(&self, purpose: Purpose) -> Option<ringback_message::header::SessionId> {
        let session = match purpose {
            Purpose::Invite(invite) => return self.invite_session_id(invite)?.header(),
            Purpose::Ack(session, _) => session,
            _ => self.session_of_purpose(purpose)?,
        };
        self.legs.get(session.0)?.session_id.header()
    }

    /// A new Via; `keep` offers to send keep-alives. `[RFC 6223, Section 4.3]`
    fn via(&mut self, hop: &Hop, keeps_alive: bool) -> alloc::string::String {
        let (sent_by, branch) = (self.sent_by(hop), self.random.token());
        let keep = if keeps_alive { ";keep" } else { "" };
        alloc::format!("SIP/2.0/{} {sent_by};rport{keep};branch=z9hG4bK{branch}", hop.transport)
    }

    /// The same request to another hop: a new transaction, and nothing else is new. `[RFC 3263, Section 4.3]`
    fn readdressed(&mut self, request: &Request, hop: &Hop) -> Result<Request, BuildError> {
        let via = self.via(hop, request.top_via().params.has(b"keep"));
        let Some(line) = request.first(HeaderId::Via) else { return Ok(request.clone()) };
        checked(Edit::new(request).replace_line(line.index(), via.as_bytes()).finish()?)
    }

    /// The same, where our Contact may be another there. `[RFC 3261, Section 8.1.1.8]`
    fn introduced_at(&mut self, request: &Request, hop: &Hop) -> Result<Request, BuildError> {
        let again = self.readdressed(request, hop)?;
        if again.first(HeaderId::Contact).is_none() {
            return Ok(again);
        }
        let contact = self.contact_asking(hop, is_sips(again.request_uri_text()));
        checked(Edit::new(&again).set(HeaderId::Contact, contact.as_bytes()).finish()?)
    }

    fn may_send_for(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Invite(invite) => self.may_send(invite),
            _ => true,
        }
    }

    /// A response to a request of ours.
    pub(crate) fn response_came(&mut self, client: ClientId, response: Response, now: Now) {
        if response.status().is_success() && self.is_repeated(client, &response, now) {
            return;
        }
        let Some(&id) = self.clients.get(&client) else { return self.stray_came(&response, now) };
        let Some(sending) = self.sendings.get_mut(&id) else { return };
        let purpose = sending.purpose;
        let status = response.status();
        // Damaged on its way, or made up: a dialog by it would be nobody's. What is repeated comes again, and may come whole.
        if let Purpose::Invite(invite) = purpose
            && (status.is_provisional() || status.is_success())
            && !sending.request.as_ref().is_some_and(|request| is_to(&response, request))
        {
            if status.is_provisional() {
                // It came by our branch, and the transaction waits on without a timer: nothing but a CANCEL ends it.
                _ = self.heard(invite, now);
            }
            return;
        }
        if status.is_provisional() {
            return match purpose {
                Purpose::Invite(invite) => self.progress(invite, response, now),
                Purpose::Application(session) => {
                    let request = sending.request.clone();
                    self.tell_response(id, session, request.as_ref(), response);
                }
                Purpose::Change(session) if response.has_token(HeaderId::Require, "100rel") => {
                    self.reliable_came(None, session, response, now);
                }
                _ => {}
            };
        }
        if !status.is_success() && self.may_send_for(purpose) && self.act_on(id, purpose, &response, now) {
            return;
        }
        self.prove_server(id, &response);
        self.finish(id, purpose, response, now);
    }

    /// Sends the request again where the response lets it, whatever it is for; false where it is left to whom it concerns.
    fn act_on(&mut self, id: u64, purpose: Purpose, response: &Response, now: Now) -> bool {
        self.leave_grown(id);
        let Some(sending) = self.sendings.get(&id) else { return false };
        let has_hops = !sending.hops.is_empty();
        let Some(request) = &sending.request else { return false };
        match Outcome::of(request, response) {
            Outcome::Authenticate(_) => self.answer_challenge(id, response, now),
            Outcome::RaiseSessionExpires { min_secs } if matches!(purpose, Purpose::Invite(_)) => {
                self.raise_interval(id, min_secs, now)
            }
            Outcome::NextTarget(_) if has_hops => {
                self.try_next(id, Failure::Refused(Box::new(response.clone())), now);
                true
            }
            _ => false,
        }
    }

    fn finish(&mut self, id: u64, purpose: Purpose, response: Response, now: Now) {
        // A 2xx to an INVITE is not the last word: there may be more of them.
        if let (Purpose::Invite(invite), true) = (purpose, response.status().is_success()) {
            return self.success_came(invite, response, now);
        }
        if let Purpose::Invite(invite) = purpose {
            return self.failed(id, invite, Failure::Refused(Box::new(response)), now);
        }
        let Some(sending) = self.forget(id) else { return };
        if let (Some(dialog), Some(request)) = (sending.orphaned, &sending.request) {
            return self.answered_too_late(*dialog, request, &response, sending.client, now);
        }
        let (request, client, hop) = (sending.request, sending.client, sending.hop);
        match purpose {
            Purpose::Register(registration) => self.register_answered(registration, response, hop, now),
            Purpose::Invite(_) | Purpose::Ack(..) | Purpose::StrayAck(_) | Purpose::StrayBye(_) => {}
            Purpose::Change(session) => self.changed(session, request.as_ref(), client, response, now),
            Purpose::Prack(session) => self.pracked(session, request.as_ref(), &response, now),
            Purpose::Bye(session) => self.bye_done(session),
            Purpose::Usage(task) => self.usage_done(task, Some(&response), now),
            Purpose::Application(session) => {
                let failure = gone(request.as_ref(), &response);
                self.tell_response(id, session, request.as_ref(), response);
                self.lost(session, failure, now);
            }
        }
    }

    fn tell_response(&mut self, id: u64, session: Option<SessionId>, request: Option<&Request>, response: Response) {
        let failure = Failure::Refused(Box::new(response.clone()));
        let outcome = Outcome::of_failure(request, &failure);
        self.events.push_back(Event::Response { request: RequestId(id), session, response, outcome });
    }

    /// An attempt of a call has failed, and with it the call, if it may not go on by itself.
    fn failed(&mut self, id: u64, invite: InviteId, failure: Failure, now: Now) {
        if self.pursue(id, invite, &failure, now) {
            return;
        }
        let request = self.forget(id).and_then(|sending| sending.request);
        self.unanswered(invite, failure, request.as_ref());
    }

    /// A request of ours has timed out, or can't be sent.
    pub(crate) fn no_response(&mut self, client: ClientId, failure: impl FnOnce(Option<Hop>) -> Failure, now: Now) {
        let Some(&id) = self.clients.get(&client) else { return };
        let hop = self.sendings.get(&id).and_then(|sending| sending.hop);
        let failure = failure(hop);
        if matches!(failure, Failure::Timeout(_)) {
            self.leave_grown(id);
            self.silent.extend(hop);
            let beyond = self.silent.len().saturating_sub(SILENT_MAX);
            self.silent.drain(..beyond);
        }
        if failure.is_of_transport() {
            self.reopen(id);
        }
        self.try_next(id, failure, now);
    }

    /// The connection took a request away, or only the answer: what acknowledges or ends is sent once more by another, which does no
    /// harm where it came. Anything else could be done twice.
    fn reopen(&mut self, id: u64) {
        let Some(sending) = self.sendings.get_mut(&id) else { return };
        let is_safe = matches!(sending.purpose, Purpose::Prack(_) | Purpose::Bye(_));
        let hop = sending.hop.filter(|hop| hop.transport.is_reliable() && sending.hops.is_empty() && is_safe);
        if let Some(hop) = hop.filter(|_| !core::mem::replace(&mut sending.is_reopened, true)) {
            sending.hops.push(Hop { flow: None, ..hop });
        }
    }

    fn give_up(&mut self, id: u64, failure: Failure, now: Now) {
        let Some(purpose) = self.sendings.get(&id).map(|sending| sending.purpose) else { return };
        if let Purpose::Invite(invite) = purpose {
            return self.failed(id, invite, failure, now);
        }
        let Some(Sending { request, orphaned, .. }) = self.forget(id) else { return };
        match purpose {
            Purpose::Invite(_) | Purpose::StrayBye(_) => {}
            Purpose::StrayAck(client) => self.ack_failed(None, client, orphaned),
            Purpose::Ack(session, client) => {
                self.ack_failed(Some(session), client, orphaned);
                self.hang_up_for(session, crate::EndReason::Gone(failure), now);
            }
            Purpose::Change(session) => self.change_failed(session, request.as_ref(), failure, now),
            Purpose::Prack(session) => self.lost(Some(session), Some(failure), now),
            Purpose::Bye(session) => self.bye_done(session),
            Purpose::Register(registration) => self.register_failed(registration, failure, now),
            Purpose::Usage(task) => self.usage_done(task, None, now),
            Purpose::Application(session) => {
                let outcome = Outcome::of_failure(request.as_ref(), &failure);
                let failed = Event::Failed { request: RequestId(id), session, failure: failure.clone(), outcome };
                self.events.push_back(failed);
                let failure =
                    Some(failure).filter(|failure| matches!(failure, Failure::Timeout(_)) || failure.is_of_transport());
                self.lost(session, failure, now);
            }
        }
    }

    /// Nobody waits for this request any more.
    pub(crate) fn forget(&mut self, id: u64) -> Option<Sending> {
        let sending = self.sendings.remove(&id)?;
        if let Some(client) = sending.client {
            self.clients.remove(&client);
        }
        if let Some(timer) = sending.waiting {
            self.waiting.stop(timer);
        }
        Some(sending)
    }

    /// The transaction is gone: of an INVITE, no further 2xx can come.
    pub(crate) fn client_ended(&mut self, client: ClientId) {
        self.forget_acks(client);
        let Some(id) = self.clients.remove(&client) else { return };
        let Some(sending) = self.sendings.get(&id) else { return };
        match sending.purpose {
            Purpose::Invite(invite) => {
                self.sendings.remove(&id);
                self.invite_over(invite);
            }
            // It ended without a word, as one that was given up does.
            _ => _ = self.sendings.remove(&id),
        }
    }

    /// Whose accounts a request is signed with: those of its registration or call, where that has its own.
    pub(crate) fn digest(&mut self, purpose: Purpose) -> &mut DigestClient {
        let accounts = match purpose {
            Purpose::Invite(id) | Purpose::StrayBye(Some(id)) => {
                self.invites.get(id.0).and_then(|invite| invite.accounts)
            }
            _ => self.session_of_purpose(purpose).and_then(|session| self.legs.get(session.0)?.accounts),
        };
        let own = match purpose {
            Purpose::Register(id) => self.registrations.get_mut(id.0).and_then(|entry| entry.digest.as_deref_mut()),
            _ => accounts.and_then(|id| self.own_accounts.digest(id)),
        };
        own.unwrap_or(&mut self.digest)
    }

    /// With credentials for whom we know already. `[RFC 3261, Section 22.3]`
    fn signed(&mut self, purpose: Purpose, request: Request) -> Result<Request, BuildError> {
        if self.digest(purpose).sessions() == 0 {
            return Ok(request);
        }
        checked(self.digest(purpose).signed(&request)?)
    }

    /// Sends the request anew with credentials; false where there are none, or they were refused. `[RFC 3261, Section 22.2]`
    fn answer_challenge(&mut self, id: u64, response: &Response, now: Now) -> bool {
        let Some(sending) = self.sendings.get_mut(&id) else { return false };
        if sending.orphaned.is_some() {
            return false;
        }
        let (Some(request), Some(hop), purpose) = (sending.request.clone(), sending.hop, sending.purpose) else {
            return false;
        };
        let mut attempts = core::mem::take(&mut sending.attempts);
        let mut random = Random::from_seed(self.random.seed());
        let retry = self.digest(purpose).challenged(&mut attempts, &request, response, &mut random);
        if let Some(sending) = self.sendings.get_mut(&id) {
            sending.attempts = attempts;
        }
        if retry.is_err() {
            return false;
        }
        let cseq = alloc::format!("{} {}", self.next_cseq(purpose, &request), request.method().as_str());
        let edit = Edit::new(&request).set(HeaderId::CSeq, cseq.as_bytes());
        let Ok(Ok(again)) = edit.finish().map(checked) else { return false };
        let again = self.readdressed(&again, &hop).and_then(|again| self.signed(purpose, again));
        let Ok((again, hop)) = again.and_then(|again| self.fitted(id, again, hop)) else { return false };
        self.resent(id, &again);
        self.dispatch(id, again, hop, now);
        true
    }

    /// Sends an INVITE of ours anew with the session interval that a 422 asks for; false where that was done too often. Of those in a
    /// session their change takes care. `[RFC 4028, Section 7.3]`
    fn raise_interval(&mut self, id: u64, min_secs: u32, now: Now) -> bool {
        let Some(sending) = self.sendings.get_mut(&id) else { return false };
        let (Some(request), Some(hop), purpose) = (sending.request.clone(), sending.hop, sending.purpose) else {
            return false;
        };
        if sending.raises >= CHANGE_ATTEMPTS_MAX {
            return false;
        }
        sending.raises = sending.raises.saturating_add(1);
        let seconds = alloc::format!("{min_secs}");
        let cseq = alloc::format!("{} INVITE", self.next_cseq(purpose, &request));
        let edit = Edit::new(&request).set(HeaderId::CSeq, cseq.as_bytes());
        let edit = edit.set(HeaderId::SessionExpires, seconds.as_bytes()).set(HeaderId::MinSe, seconds.as_bytes());
        let Ok(Ok(again)) = edit.finish().map(checked) else { return false };
        let again = self.readdressed(&again, &hop).and_then(|again| self.signed(purpose, again));
        let Ok((again, hop)) = again.and_then(|again| self.fitted(id, again, hop)) else { return false };
        self.dispatch(id, again, hop, now);
        true
    }

    /// What the server says of itself in return. `[RFC 3261, Section 20.6]`
    fn prove_server(&mut self, id: u64, response: &Response) {
        if response.first(HeaderId::AuthenticationInfo).is_none() {
            return;
        }
        let Some(sending) = self.sendings.get(&id) else { return };
        let (Some(request), purpose) = (sending.request.clone(), sending.purpose) else { return };
        if self.digest(purpose).succeeded(&request, response) == ServerProof::Wrong {
            self.events.push_back(Event::ServerProofWrong { response: response.clone() });
        }
    }

    /// The session that a request is sent in.
    fn session_of_purpose(&self, purpose: Purpose) -> Option<SessionId> {
        match purpose {
            Purpose::Change(session) | Purpose::Prack(session) | Purpose::Bye(session) => Some(session),
            Purpose::Application(session) => session,
            Purpose::Usage(task) => self.usage_session(task),
            Purpose::Invite(_)
            | Purpose::Ack(..)
            | Purpose::StrayAck(_)
            | Purpose::StrayBye(_)
            | Purpose::Register(_) => None,
        }
    }

    /// The CSeq of a request that is sent again: above that of all before it in its dialog.
    pub(crate) fn next_cseq(&self, purpose: Purpose, request: &Request) -> u32 {
        let leg = self.session_of_purpose(purpose).and_then(|session| self.legs.get(session.0));
        leg.map_or(0, |leg| leg.dialog.local_cseq()).max(request.cseq()).saturating_add(1)
    }

    /// It has taken the next number of its dialog or registration.
    fn resent(&mut self, id: u64, request: &Request) {
        let Some(purpose) = self.sendings.get(&id).map(|sending| sending.purpose) else { return };
        let registration = match purpose {
            Purpose::Register(id) => self.registrations.get_mut(id.0),
            _ => None,
        };
        if let Some(entry) = registration {
            entry.registration.sent(request.cseq());
        }
        if let Some(leg) = self.session_of_purpose(purpose).and_then(|session| self.legs.get_mut(session.0)) {
            leg.dialog.sent(request.cseq());
        }
        self.share_cseq(purpose);
    }

    /// A call has taken a number of its dialog, which outlived an earlier call for what else is in it: that goes on behind it.
    /// `[RFC 5057, Section 4.2]`
    fn share_cseq(&mut self, purpose: Purpose) {
        let session = self.session_of_purpose(purpose);
        if let Some(leg) = session.and_then(|session| self.legs.get(session.0)) {
            self.usages.taken(leg.dialog.id(), leg.dialog.local_cseq());
        }
    }

    /// What an INVITE says of us beyond its dialog.
    pub(crate) fn introduced(&self, builder: RequestBuilder, method: &Method) -> RequestBuilder {
        let builder = match method {
            Method::Invite | Method::Update | Method::Options | Method::Subscribe | Method::Refer => {
                let builder = match &self.said.allow {
                    Some(allow) => builder.raw(HeaderId::Allow, allow),
                    None => builder.allow_methods(self.config.allow.clone()),
                };
                match &self.said.supported {
                    Some(supported) => builder.raw(HeaderId::Supported, supported),
                    None => builder.supported_tags(self.config.supported.clone()),
                }
            }
            _ => builder,
        };
        let builder = match method {
            Method::Invite | Method::Options | Method::Subscribe | Method::Refer => {
                self.allow_events().into_iter().fold(builder, RequestBuilder::header)
            }
            _ => builder,
        };
        if self.config.product.is_empty() { builder } else { builder.raw(HeaderId::UserAgent, &*self.config.product) }
    }
}

/// What a response says of its dialog: that it is none. `[RFC 3261, Section 12.2.1.2]` `[RFC 5057, Section 5.1]`
pub(crate) fn gone(request: Option<&Request>, response: &Response) -> Option<Failure> {
    let is_gone = request.is_some_and(|request| Outcome::of(request, response) == Outcome::DialogGone);
    is_gone.then(|| Failure::Refused(Box::new(response.clone())))
}

/// Whether a response says to be one to this request; the branch that it came by says nothing of its dialog. `[RFC 3261, Section 8.2.6.2]`
fn is_to(response: &Response, request: &Request) -> bool {
    response.call_id() == request.call_id()
        && response.cseq() == request.cseq()
        && response.from_tag() == request.from_tag()
}

pub(crate) fn checked(message: ringback_message::Message) -> Result<Request, BuildError> {
    Request::check(message).map_err(|rejected| BuildError::Malformed(rejected.error))
}
