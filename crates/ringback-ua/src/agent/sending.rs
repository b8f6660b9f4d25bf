//! Client requests: where they go, what they carry on the way, and how they are sent again.
//! `[RFC 3261, Section 8.1]` `[RFC 3263, Section 4]`

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

use ringback_auth::AuthSession;
use ringback_base::{Hop, Now, Transport};
use ringback_message::{BuildError, Edit, HeaderId, Host, Method, Request, RequestBuilder, Response, StatusCode, Uri};
use ringback_transaction::{ClientId, RequestError};

use super::UserAgent;
use super::usages::Task;
use crate::config::{CHALLENGES_ANSWERED_MAX, HOPS_MAX, Local};
use crate::dialog::is_sips;
use crate::event::{Event, Failure, InviteId, Lookup, RequestId, SessionId};

/// Whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The INVITE of a call of ours.
    Invite(InviteId),
    /// The ACK for a 2xx.
    Ack(SessionId),
    /// A re-INVITE or UPDATE of ours.
    Change(SessionId),
    Prack(SessionId),
    Bye(SessionId),
    /// That of a subscription, a REFER or a publication.
    Usage(Task),
    /// The application's own, in a session or outside.
    Application(Option<SessionId>),
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
    challenges: u8,
}

impl UserAgent {
    /// Sends a request, once it is known where this URI leads. It lacks Via and, where its method has one, Contact.
    pub(crate) fn send(&mut self, purpose: Purpose, builder: RequestBuilder, uri: &[u8], now: Now) -> u64 {
        self.sendings_made = self.sendings_made.wrapping_add(1);
        let id = self.sendings_made;
        let builder = Some(Box::new(builder));
        let sending = Sending { purpose, builder, request: None, client: None, hops: Vec::new(), challenges: 0 };
        self.sendings.insert(id, sending);
        match self.direct(purpose, uri) {
            Some(hop) => self.found(id, &[hop], now),
            None => self.lookups.push_back(Lookup { id, uri: uri.into() }),
        }
        id
    }

    /// The hop to a URI that needs no look-up: an address, or what the configuration says.
    fn direct(&self, purpose: Purpose, uri: &[u8]) -> Option<Hop> {
        if let (Some(hop), true) = (self.config.outbound, self.is_outside(purpose)) {
            return Some(hop);
        }
        let Ok(Uri::Sip(uri)) = Uri::parse(uri, HeaderId::Other, 0) else { return None };
        let Host::Address(address) = Host::of(uri.params.value(b"maddr").unwrap_or(uri.host))? else { return None };
        let transport = match uri.params.value(b"transport") {
            Some(name) => Transport::from_name(name)?,
            None if uri.secure => Transport::Tls,
            None => Transport::Udp,
        };
        let remote = SocketAddr::new(address, uri.port.unwrap_or(transport.default_port()));
        let local = self.local(transport, &remote)?;
        Some(Hop { transport, local: local.address, remote, flow: None })
    }

    fn is_outside(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Invite(_) | Purpose::Application(None) => true,
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
            Transport::Tcp | Transport::Tls => ";transport=tcp",
            Transport::Ws | Transport::Wss => ";transport=ws",
        };
        alloc::format!("<{scheme}:{}{at}{sent_by}{transport}>", self.config.user)
    }

    /// The hops of a request are known.
    pub(crate) fn found(&mut self, id: u64, hops: &[Hop], now: Now) {
        let Some(sending) = self.sendings.get_mut(&id) else { return };
        sending.hops = hops.iter().take(HOPS_MAX).rev().copied().collect();
        self.try_next(id, Failure::NoRoute, now);
    }

    /// Sends to the next hop; `before` is how the one before it failed.
    fn try_next(&mut self, id: u64, before: Failure, now: Now) {
        let Some(sending) = self.sendings.get_mut(&id) else { return };
        let Some(hop) = sending.hops.pop() else { return self.give_up(id, before, now) };
        let purpose = sending.purpose;
        let sent = match sending.request.take() {
            Some(request) => self.readdressed(&request, &hop),
            None => match sending.builder.take() {
                Some(builder) => self.addressed(purpose, *builder, &hop),
                None => return,
            },
        };
        match sent {
            Ok(request) => self.dispatch(id, request, hop, now),
            Err(error) => self.give_up(id, Failure::Build(error), now),
        }
    }

    fn dispatch(&mut self, id: u64, request: Request, hop: Hop, now: Now) {
        let Some(sending) = self.sendings.get_mut(&id) else { return };
        if let Purpose::Ack(session) = sending.purpose {
            self.sendings.remove(&id);
            return self.ack_addressed(session, &request, hop);
        }
        match self.transactions.request(request.clone(), hop, now) {
            Ok(client) => {
                if let Some(old) = sending.client.replace(client) {
                    self.clients.remove(&old);
                }
                sending.request = Some(request.clone());
                let purpose = sending.purpose;
                self.clients.insert(client, id);
                match purpose {
                    Purpose::Invite(invite) => self.sent_anew(invite),
                    Purpose::Usage(task) => self.usage_sent(task, &request, now),
                    _ => {}
                }
            }
            Err(RequestError::Full) => self.give_up(id, Failure::Full, now),
            Err(_) => self.give_up(id, Failure::Transport, now),
        }
    }

    /// With Via and Contact for this hop. `[RFC 3261, Section 8.1.1.7]`
    fn addressed(&mut self, purpose: Purpose, builder: RequestBuilder, hop: &Hop) -> Result<Request, BuildError> {
        let builder = match self.session_id(purpose) {
            Some(header) => builder.header(header),
            None => builder,
        };
        let via = self.via(hop);
        let needs_contact = builder.method().info().is_some_and(|info| info.refreshes_target);
        let builder = if needs_contact && !builder.has(HeaderId::Contact) {
            let is_secure = is_sips(builder.request_uri().as_bytes());
            builder.raw(HeaderId::Contact, self.contact(hop, is_secure))
        } else {
            builder
        };
        let builder = builder.raw(HeaderId::Via, via);
        // What ends or acknowledges a dialog goes out even where the other side's Contact is one that we would not write.
        let must_go = matches!(purpose, Purpose::Ack(_) | Purpose::Prack(_) | Purpose::Bye(_));
        match builder.clone().build() {
            Err(_) if must_go => checked(builder.build_unchecked()?),
            built => built,
        }
    }

    /// The Session-ID of the call that a request belongs to. `[RFC 7989, Section 6]`
    fn session_id(&self, purpose: Purpose) -> Option<ringback_message::header::SessionId> {
        let session = match purpose {
            Purpose::Invite(invite) => return self.invite_session_id(invite)?.header(),
            Purpose::Ack(session) | Purpose::Change(session) | Purpose::Prack(session) | Purpose::Bye(session) => {
                session
            }
            Purpose::Application(session) => session?,
            Purpose::Usage(task) => self.usage_session(task)?,
        };
        self.legs.get(session.0)?.session_id.header()
    }

    fn via(&mut self, hop: &Hop) -> alloc::string::String {
        let (sent_by, branch) = (self.sent_by(hop), self.random.token());
        alloc::format!("SIP/2.0/{} {sent_by};rport;branch=z9hG4bK{branch}", hop.transport)
    }

    /// The same request to another hop: a new transaction, and nothing else is new. `[RFC 3263, Section 4.3]`
    fn readdressed(&mut self, request: &Request, hop: &Hop) -> Result<Request, BuildError> {
        let via = self.via(hop);
        let Some(line) = request.first(HeaderId::Via) else { return Ok(request.clone()) };
        checked(Edit::new(request).replace_line(line.index(), via.as_bytes()).finish()?)
    }

    /// A response to a request of ours.
    pub(crate) fn response_came(&mut self, client: ClientId, response: Response, now: Now) {
        let Some(&id) = self.clients.get(&client) else { return self.stray_came(&response, now) };
        let Some(sending) = self.sendings.get_mut(&id) else { return };
        let purpose = sending.purpose;
        let status = response.status();
        if status.is_provisional() {
            return match purpose {
                Purpose::Invite(invite) => self.progress(invite, response, now),
                Purpose::Application(session) => {
                    self.events.push_back(Event::Response { request: RequestId(id), session, response });
                }
                _ => {}
            };
        }
        if matches!(status, StatusCode::Unauthorized | StatusCode::ProxyAuthenticationRequired)
            && self.answer_challenge(id, client, &response, now)
        {
            return;
        }
        // A 503 means the next hop may do better. `[RFC 3263, Section 4.3]`
        let is_hopeful = self.sendings.get(&id).is_some_and(|sending| !sending.hops.is_empty());
        if status == StatusCode::ServiceUnavailable && is_hopeful {
            return self.try_next(id, Failure::Refused(Box::new(response)), now);
        }
        self.finish(id, purpose, response, now);
    }

    fn finish(&mut self, id: u64, purpose: Purpose, response: Response, now: Now) {
        // A 2xx to an INVITE is not the last word: there may be more of them.
        if let (Purpose::Invite(invite), true) = (purpose, response.status().is_success()) {
            return self.success_came(invite, response, now);
        }
        let request = self.forget(id);
        match purpose {
            Purpose::Invite(invite) => self.refused(invite, response, now),
            Purpose::Ack(_) => {}
            Purpose::Change(session) => self.changed(session, request.as_ref(), response, now),
            Purpose::Prack(session) => self.pracked(session, &response, now),
            Purpose::Bye(session) => self.bye_done(session),
            Purpose::Usage(task) => self.usage_done(task, Some(&response), now),
            Purpose::Application(session) => {
                let failure = gone(&response);
                self.events.push_back(Event::Response { request: RequestId(id), session, response });
                self.lost(session, failure, now);
            }
        }
    }

    /// A request of ours has timed out, or can't be sent.
    pub(crate) fn no_response(&mut self, client: ClientId, failure: Failure, now: Now) {
        let Some(&id) = self.clients.get(&client) else { return };
        self.try_next(id, failure, now);
    }

    fn give_up(&mut self, id: u64, failure: Failure, now: Now) {
        let Some(purpose) = self.sendings.get(&id).map(|sending| sending.purpose) else { return };
        self.forget(id);
        match purpose {
            Purpose::Invite(invite) => self.unanswered(invite, failure),
            Purpose::Ack(session) => self.hang_up_for(session, crate::EndReason::Gone(failure), now),
            Purpose::Change(session) => self.change_failed(session, failure, now),
            Purpose::Prack(session) => self.lost(Some(session), Some(failure), now),
            Purpose::Bye(session) => self.bye_done(session),
            Purpose::Usage(task) => self.usage_done(task, None, now),
            Purpose::Application(session) => {
                self.events.push_back(Event::Failed { request: RequestId(id), session, failure: failure.clone() });
                let failure = Some(failure).filter(|failure| matches!(failure, Failure::Timeout | Failure::Transport));
                self.lost(session, failure, now);
            }
        }
    }

    /// Nobody waits for this request any more.
    pub(crate) fn forget(&mut self, id: u64) -> Option<Request> {
        let sending = self.sendings.remove(&id)?;
        if let Some(client) = sending.client {
            self.clients.remove(&client);
        }
        sending.request
    }

    /// The transaction is gone: of an INVITE, no further 2xx can come.
    pub(crate) fn client_ended(&mut self, client: ClientId) {
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

    /// Sends the request anew with credentials; false where there are none, or they were refused. `[RFC 3261, Section 22.2]`
    fn answer_challenge(&mut self, id: u64, client: ClientId, response: &Response, now: Now) -> bool {
        let Some((user, password)) = &self.account else { return false };
        let Some(sending) = self.sendings.get_mut(&id) else { return false };
        let (Some(request), Some(hop)) = (&sending.request, self.transactions.client_hop(client)) else { return false };
        if sending.challenges >= CHALLENGES_ANSWERED_MAX {
            return false;
        }
        let (asked, answer) = match response.status() {
            StatusCode::Unauthorized => (HeaderId::WwwAuthenticate, HeaderId::Authorization),
            _ => (HeaderId::ProxyAuthenticate, HeaderId::ProxyAuthorization),
        };
        let Ok(mut session) = AuthSession::pick(response, asked, None, &mut self.random) else { return false };
        let ha1 = session.ha1(user, password);
        let Ok(value) = session.answer(user, &ha1, request) else { return false };
        let cseq = alloc::format!("{} {}", request.cseq().saturating_add(1), request.method().as_str());
        let edit = Edit::new(request).set(HeaderId::CSeq, cseq.as_bytes()).append(answer, value.as_bytes());
        let Ok(Ok(again)) = edit.finish().map(checked) else { return false };
        sending.challenges = sending.challenges.saturating_add(1);
        let Ok(again) = self.readdressed(&again, &hop) else { return false };
        self.resent(id, &again);
        self.dispatch(id, again, hop, now);
        true
    }

    /// A request in a dialog takes the next number of it.
    fn resent(&mut self, id: u64, request: &Request) {
        let Some(purpose) = self.sendings.get(&id).map(|sending| sending.purpose) else { return };
        let session = match purpose {
            Purpose::Change(session) | Purpose::Prack(session) | Purpose::Bye(session) => Some(session),
            Purpose::Application(session) => session,
            Purpose::Usage(task) => self.usage_session(task),
            Purpose::Invite(_) | Purpose::Ack(_) => None,
        };
        if let Some(leg) = session.and_then(|session| self.legs.get_mut(session.0)) {
            leg.dialog.sent(request.cseq());
        }
    }

    /// What an INVITE says of us beyond its dialog.
    pub(crate) fn introduced(&self, builder: RequestBuilder, method: &Method) -> RequestBuilder {
        let builder = match method {
            Method::Invite | Method::Update | Method::Options | Method::Subscribe | Method::Refer => {
                builder.allow_methods(self.config.allow.clone()).supported_tags(self.config.supported.clone())
            }
            _ => builder,
        };
        let builder = match method {
            Method::Invite | Method::Options | Method::Subscribe | Method::Refer => builder.header(self.allow_events()),
            _ => builder,
        };
        if self.config.product.is_empty() { builder } else { builder.raw(HeaderId::UserAgent, &*self.config.product) }
    }
}

/// What a response says of its dialog: that it is none. `[RFC 3261, Section 12.2.1.2]` `[RFC 5057, Section 5.1]`
pub(crate) fn gone(response: &Response) -> Option<Failure> {
    let is_gone = matches!(response.status(), StatusCode::CallOrTransactionDoesNotExist | StatusCode::RequestTimeout);
    is_gone.then(|| Failure::Refused(Box::new(response.clone())))
}

fn checked(message: ringback_message::Message) -> Result<Request, BuildError> {
    Request::check(message).map_err(|rejected| BuildError::Malformed(rejected.error))
}
