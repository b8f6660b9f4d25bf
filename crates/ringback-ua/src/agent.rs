//! The user agent: what comes in finds its session here, and what goes out waits here.

mod aftermath;
mod called;
mod calling;
mod flows;
mod leg;
mod modify;
mod own_accounts;
mod policy;
mod provisional;
mod publications;
mod pursuing;
mod redirects;
mod refers;
mod refusing;
mod registrations;
mod replies;
mod sending;
mod subscriptions;
mod usages;
mod within;

pub use usages::USAGES_MAX;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::hash::BuildHasher as _;
use core::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use ringback_auth::{Account, DigestClient};
use ringback_base::{Hop, KeyedHash, Micros, Now, Random, Table, TimerId, TimerQueue};
use ringback_message::body::NewPart;
use ringback_message::header::{Allow, Supported, TypedHeader, Unsupported};
use ringback_message::{BuildError, HeaderId, Method, Request, Response, ResponseBuilder, StatusCode, Uri};
use ringback_sdp::negotiate::SessionView;
use ringback_transaction::{ClientId, Detours, ServerId, Timers, Transactions, Transmit};

use crate::config::Config;
use crate::dialog::{Dialog, DialogId};
use crate::event::{CommandError, EndReason, Event, Failure, InviteId, Lookup, RegistrationId, SessionId};
use crate::pursuit::Pursuit;
use crate::session_timer::SessionTimer;
use aftermath::{Remains, SentAck};
use calling::Invite;
use flows::Flows;
use leg::{Leg, Phase, Timer};
use own_accounts::OwnAccounts;
pub use redirects::Attempt;
use registrations::Entry;
use sending::Sending;
use usages::Usages;

/// How many hops are kept that nobody answered by, until they are fetched; the oldest are forgotten.
pub const SILENT_MAX: usize = 16;

/// How many far ends are remembered that speak WebSocket over TLS.
pub const SECURE_SOCKETS_MAX: usize = 64;

/// Who sends a request to whom, outside of a dialog.
#[derive(Clone, Debug, Default)]
pub struct Outbound {
    /// Our name for people; empty for none.
    pub from_name: String,
    /// Our URI.
    pub from: String,
    /// Their name for people; empty for none.
    pub to_name: String,
    /// Their URI.
    pub to: String,
    /// The Request-URI, where it isn't their URI.
    pub request_uri: Option<String>,
    /// Proxies that the request goes through, the nearest first: URIs. `[RFC 3261, Section 8.1.2]`
    pub routes: Vec<String>,
    /// Where the INVITE or the single request is sent, whatever its URIs and the configuration say: nothing is looked up for it. What
    /// follows from a response, such as a redirection, goes by its URI again; subscriptions and REFERs don't look at it.
    pub hop: Option<Hop>,
    /// Further header fields, such as Privacy, P-Preferred-Identity, Replaces.
    pub headers: Vec<TypedHeader>,
    /// What else is in the body of an INVITE, beside the offer.
    pub parts: Vec<NewPart>,
    /// The attempt that this one follows; [`Outbound::redirected`] sets it.
    pub after: Option<Attempt>,
    /// How far a call goes on by itself after a response that lets it.
    pub pursuit: Pursuit,
    /// What challenges are answered with in this call, from its INVITE to what is sent in its dialogs, before the accounts of the agent:
    /// no other call knows them. Requests outside of a call don't look at it.
    pub accounts: Vec<Account>,
}

impl Outbound {
    /// From one URI to another.
    #[must_use]
    pub fn new(from: &str, to: &str) -> Outbound {
        Outbound { from: from.into(), to: to.into(), ..Outbound::default() }
    }

    /// The Request-URI.
    fn uri(&self) -> &str {
        self.request_uri.as_deref().unwrap_or(&self.to)
    }

    /// What is no URI leads nowhere, and nobody would know why.
    fn check(&self) -> Result<(), CommandError> {
        let read = Uri::parse_strict(self.uri().as_bytes(), HeaderId::Other, 0);
        read.map(|_| ()).map_err(|error| CommandError::Build(BuildError::RequestUri(error)))
    }

    /// With a header field more.
    #[must_use]
    pub fn with(mut self, header: impl Into<TypedHeader>) -> Outbound {
        self.headers.push(header.into());
        self
    }

    /// With an account for this call alone.
    #[must_use]
    pub fn account(mut self, account: Account) -> Outbound {
        self.accounts.push(account);
        self
    }

    /// Follows so many 3xx to the contacts that they name. `[RFC 3261, Section 8.1.3.4]`
    #[must_use]
    pub fn follow_redirects(mut self, max: u8) -> Outbound {
        self.pursuit.redirects_max = max;
        self
    }

    /// Waits for what Retry-After says, so many seconds in all, and sends the INVITE again. `[RFC 3261, Section 20.33]`
    #[must_use]
    pub fn wait_at_most(mut self, seconds: u32) -> Outbound {
        self.pursuit.wait_max_secs = seconds;
        self
    }

    /// Sends so many INVITEs at most.
    #[must_use]
    pub fn at_most_requests(mut self, max: u8) -> Outbound {
        self.pursuit.requests_max = max;
        self
    }

    /// Does without this extension, which Require or Proxy-Require asks for, where a 420 says that it is not known.
    /// `[RFC 3261, Section 8.1.3.5]`
    #[must_use]
    pub fn optional_extension(mut self, tag: &str) -> Outbound {
        self.pursuit.optional_extensions.push(tag.into());
        self
    }
}

/// What a user agent says of itself, as text; `None` where it can't be said, which building a message tells.
#[derive(Debug)]
struct Said {
    allow: Option<Vec<u8>>,
    supported: Option<Vec<u8>>,
}

impl Said {
    fn of(config: &Config) -> Said {
        let allow = Allow::new(config.allow.iter().map(Method::as_str));
        let supported = Supported::new(config.supported.clone());
        Said { allow: TypedHeader::from(allow).value().ok(), supported: TypedHeader::from(supported).value().ok() }
    }
}

/// A user agent: client and server of any number of sessions, without I/O.
///
/// Feed it with what comes in and with time, and fetch after each call what is to be sent, to be looked up, and to be told.
///
/// # Bounds
/// Sessions have the limit of [`Config`], transactions that of their layer; an INVITE makes no more than
/// [`FORKS_MAX`](crate::FORKS_MAX) early dialogs. The queues hold what came of the last call, and are the caller's to fetch.
#[derive(Debug)]
pub struct UserAgent {
    pub(crate) config: Config,
    pub(crate) random: Random,
    /// Allow and Supported, which are the same in every message.
    said: Said,
    hash: KeyedHash,
    pub(crate) transactions: Transactions,
    legs: Table<Leg>,
    invites: Table<Invite>,
    sendings: BTreeMap<u64, Sending>,
    sendings_made: u64,
    clients: BTreeMap<ClientId, u64>,
    /// INVITEs that came in and are not over.
    invited: BTreeMap<ServerId, SessionId>,
    /// Responses whose way is gone.
    detours: Detours,
    /// Whose sent-by is being looked up, by the numbers of the look-ups.
    replies_sought: BTreeMap<u64, ServerId>,
    /// What 2xx were acknowledged with, by the transactions of their INVITEs.
    acks: BTreeMap<ClientId, Vec<SentAck>>,
    /// The dialogs in which a 2xx to a re-INVITE could not be acknowledged, by the transactions of these.
    owed_acks: BTreeMap<ClientId, Box<Dialog>>,
    /// What sessions have left undone that are over.
    remains: Vec<Remains>,
    timers: TimerQueue<(SessionId, Timer)>,
    /// INVITEs that are sent again later.
    waiting: TimerQueue<u64>,
    events: VecDeque<Event>,
    lookups: VecDeque<Lookup>,
    /// Hops by which nobody answered.
    silent: VecDeque<Hop>,
    /// Far ends that speak WebSocket over TLS, the latest last.
    secure_sockets: VecDeque<SocketAddr>,
    /// Why a connection can't be had, while that is being told of.
    broken: Option<Box<str>>,
    /// What challenges are answered with.
    digest: DigestClient,
    /// The same, of calls that have their own.
    own_accounts: OwnAccounts,
    registrations: Table<Entry>,
    registration_timers: TimerQueue<RegistrationId>,
    flows: Flows,
    pub(crate) usages: Usages,
}

impl UserAgent {
    /// A user agent without sessions. The random source must be seeded with secret entropy: tags, branches and Call-IDs come
    /// from it.
    #[must_use]
    pub fn new(config: Config, mut random: Random) -> UserAgent {
        let (hash, inner) = (random.hasher(), random.hasher());
        let digest = DigestClient::new(&mut random);
        let usages = Usages::new(&mut random);
        let mut transactions = Transactions::new(config.transactions, inner);
        for (peer, timers) in &config.timers_of {
            transactions.set_timers_of(*peer, Some(*timers));
        }
        UserAgent {
            transactions,
            legs: Table::new(config.sessions_max),
            invites: Table::new(config.sessions_max),
            registrations: Table::new(config.registrations_max),
            said: Said::of(&config),
            config,
            random,
            hash,
            sendings: BTreeMap::new(),
            sendings_made: 0,
            clients: BTreeMap::new(),
            invited: BTreeMap::new(),
            detours: Detours::default(),
            replies_sought: BTreeMap::new(),
            acks: BTreeMap::new(),
            owed_acks: BTreeMap::new(),
            remains: Vec::new(),
            timers: TimerQueue::new(),
            waiting: TimerQueue::new(),
            events: VecDeque::new(),
            lookups: VecDeque::new(),
            silent: VecDeque::new(),
            secure_sockets: VecDeque::new(),
            broken: None,
            digest,
            own_accounts: OwnAccounts::default(),
            registration_timers: TimerQueue::new(),
            flows: Flows::default(),
            usages,
        }
    }

    /// Challenges for this realm, from whom the account is for, are answered with it. One of the same realm and hosts is replaced.
    pub fn add_account(&mut self, account: Account) {
        self.digest.add(account);
    }

    /// A request came in, stamped with its source; `reply` is the hop that its responses take.
    pub fn handle_request(&mut self, request: Request, reply: Hop, now: Now) {
        self.transactions.handle_request(request, reply, now);
        self.settle(now);
    }

    /// A response came in.
    pub fn handle_response(&mut self, response: Response, from: Hop, now: Now) {
        self.transactions.handle_response(response, from, now);
        self.settle(now);
    }

    /// The transport can't send on this hop, or has lost its connection.
    pub fn handle_transport_error(&mut self, hop: &Hop, now: Now) {
        self.transactions.handle_transport_error(hop, now);
        self.settle(now);
        self.hop_failed(hop, now);
        self.settle(now);
    }

    /// The same, where it is known why there is no connection: it is told with the requests that wait for it, as
    /// [`Failure::Connection`](crate::Failure::Connection).
    pub fn handle_connection_failed(&mut self, hop: &Hop, why: &str, now: Now) {
        self.broken = Some(why.into());
        self.handle_transport_error(hop, now);
        self.broken = None;
    }

    /// The network says that the request with this method and branch does not arrive; true where it is one of ours that went by
    /// this hop. `[RFC 3261, Section 18.4]`
    pub fn handle_unreachable(&mut self, method: &[u8], branch: &[u8], hop: &Hop, now: Now) -> bool {
        let is_ours = self.transactions.handle_unreachable(method, branch, hop, now);
        self.settle(now);
        is_ours
    }

    /// Sends a message that belongs to no transaction, such as the answer to a request that can't be read.
    pub fn send_stateless(&mut self, bytes: Bytes, hop: Hop) {
        self.transactions.send(bytes, hop);
    }

    /// The answer to a [`Lookup`]: the hops to try, in order; none where the URI leads nowhere.
    pub fn handle_hops(&mut self, id: u64, hops: &[Hop], now: Now) {
        if !self.reply_found(id, hops, now) {
            self.found(id, hops, now);
        }
        self.settle(now);
    }

    /// Time has passed: every timer that is due fires.
    pub fn handle_timeout(&mut self, now: Now) {
        self.transactions.handle_timeout(now);
        self.settle(now);
        while let Some((_, (session, timer))) = self.timers.pop_due(now.mono) {
            if let Some(leg) = self.legs.get_mut(session.0) {
                leg.fired(timer);
                self.fire(session, timer, now);
                self.settle(now);
            }
        }
        self.waiting_due(now);
        self.registrations_due(now);
        self.settle(now);
        self.keep_alives_due(now);
        self.settle(now);
        while let Some(usage) = self.usages.due(now) {
            self.usage_timeout(usage, now);
            self.settle(now);
        }
        self.notifier_due(now);
    }

    /// The next message to send.
    #[must_use]
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transactions.poll_transmit()
    }

    /// The next question to the outside.
    #[must_use]
    pub fn poll_lookup(&mut self) -> Option<Lookup> {
        self.lookups.pop_front()
    }

    /// The next hop by which a request of ours went that nobody has answered in time: whoever gives out hops does well to put it last for a
    /// while. Not more than [`SILENT_MAX`] wait to be fetched. `[RFC 3263, Section 4.3]`
    #[must_use]
    pub fn poll_silent(&mut self) -> Option<Hop> {
        self.silent.pop_front()
    }

    /// The next event.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`UserAgent::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        let own = self.timers.next().map(|(at, _)| at);
        let below = self.transactions.poll_timeout().map(|(at, _)| at);
        let of_registrations = self.registration_timers.next().map(|(at, _)| at);
        let of_waiting = self.waiting.next().map(|(at, _)| at);
        own.into_iter()
            .chain(of_waiting)
            .chain(of_registrations)
            .chain(self.flows.poll_timeout())
            .chain(below)
            .chain(self.usages.poll_timeout())
            .min()
    }

    /// Timers for the transactions with this peer that begin from now on; `None` gives it those of all again.
    pub fn set_timers_of(&mut self, peer: IpAddr, timers: Option<Timers>) {
        self.transactions.set_timers_of(peer, timers);
    }

    /// The transaction layer, to be looked at.
    #[must_use]
    pub fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    /// True where nothing is left to do: no session, no registration that is to last, no transaction, no timer, and nothing to fetch.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.transactions.is_idle()
            && self.legs.is_empty()
            && self.invites.is_empty()
            && self.sendings.is_empty()
            && self.clients.is_empty()
            && self.invited.is_empty()
            && self.detours.is_empty()
            && self.acks.is_empty()
            && self.owed_acks.is_empty()
            && self.own_accounts.is_empty()
            && self.remains.is_empty()
            && self.timers.is_empty()
            && self.waiting.is_empty()
            && self.registration_timers.is_empty()
            && self.flows.poll_timeout().is_none()
            && self.events.is_empty()
            && self.lookups.is_empty()
            && self.usages.is_idle()
    }

    /// How many sessions there are, early ones among them.
    #[must_use]
    pub fn session_len(&self) -> usize {
        self.legs.len()
    }

    /// All sessions, early ones among them: whoever shuts down hangs them up.
    pub fn sessions(&self) -> impl Iterator<Item = SessionId> + '_ {
        self.legs.iter().map(|(id, _)| SessionId(id))
    }

    /// The dialog of a session.
    #[must_use]
    pub fn dialog(&self, session: SessionId) -> Option<&Dialog> {
        self.legs.get(session.0).map(|leg| &leg.dialog)
    }

    /// What was agreed on in a session; `None` while an offer is open.
    #[must_use]
    pub fn media(&self, session: SessionId) -> Option<SessionView> {
        self.legs.get(session.0).and_then(|leg| leg.exchange.session())
    }

    /// The session timer that was agreed on. `[RFC 4028, Section 4]`
    #[must_use]
    pub fn session_timer(&self, session: SessionId) -> Option<SessionTimer> {
        self.legs.get(session.0).and_then(|leg| leg.timer)
    }

    /// The Call-ID of an INVITE of ours, from before it is sent.
    #[must_use]
    pub fn call_id(&self, invite: InviteId) -> Option<&str> {
        self.invites.get(invite.0).map(|invite| &*invite.call_id)
    }

    /// The offer of the other side that waits for an answer.
    #[must_use]
    pub fn offer(&self, session: SessionId) -> Option<&ringback_sdp::SessionDescription> {
        let leg = self.legs.get(session.0)?;
        leg.exchange.unanswered().map(ringback_sdp::negotiate::ReceivedOffer::description)
    }

    /// The session of the dialog that these texts name, as Replaces, Join and Target-Dialog do.
    #[must_use]
    pub fn session_of(&self, id: DialogId<'_>) -> Option<SessionId> {
        let hash = self.hash.hash_one(id);
        self.legs.find(hash, |leg| leg.dialog.id() == id).map(SessionId)
    }

    /// Answers a request that was handed to the application; `fill` adds what belongs into the response.
    ///
    /// # Errors
    /// Where the transaction is gone or answered, or the response can't be built.
    pub fn respond(
        &mut self,
        id: ServerId,
        status: StatusCode,
        fill: impl FnOnce(ResponseBuilder<'_>) -> ResponseBuilder<'_>,
        now: Now,
    ) -> Result<(), CommandError> {
        let request = self.transactions.server_request(id).ok_or(CommandError::Unknown)?.clone();
        let tag = self.random.token();
        let builder = Response::to(&request, status);
        let builder = if request.to_tag().is_none() { builder.to_tag(tag) } else { builder };
        let response = fill(builder).build()?;
        self.transactions.respond(id, response, now).map_err(|_| CommandError::Unknown)?;
        self.settle(now);
        Ok(())
    }

    /// Brings what the transaction layer has to tell to whom it concerns, until it has nothing more.
    pub(crate) fn settle(&mut self, now: Now) {
        loop {
            self.settle_below(now);
            if !self.settle_usages(now) && self.remains.is_empty() {
                return;
            }
        }
    }

    fn settle_below(&mut self, now: Now) {
        loop {
            self.clear_away(now);
            let Some(event) = self.transactions.poll_event() else { break };
            self.below(event, now);
        }
        while !self.remains.is_empty() {
            self.clear_away(now);
        }
    }

    fn below(&mut self, event: ringback_transaction::Event, now: Now) {
        use ringback_transaction::Event as Below;
        match event {
            Below::Request { id } => self.request_came(id, now),
            Below::Cancel { id, invite } => self.cancel_came(id, invite, now),
            Below::Ack { request, .. } => self.ack_came(&request, now),
            Below::Response { id, response } => self.response_came(id, response, now),
            Below::StrayResponse { response, .. } => self.stray_came(&response, now),
            Below::ClientTimeout { id } => self.no_response(id, Failure::Timeout, now),
            Below::ClientFailed { id } => {
                let why = self.broken.clone();
                self.no_response(id, |hop| why.map_or(Failure::Transport(hop), Failure::Connection), now);
            }
            Below::ClientEnded { id } => self.client_ended(id),
            Below::ServerEnded { id } => {
                self.invited.remove(&id);
                self.forget_reply(id);
            }
            Below::ServerFailed { id } => self.reply_failed(id, now),
            // The ACK that never came is missed by whoever repeats the 2xx; for a failure nobody minds.
            Below::ServerTimeout { .. } | Below::ClientHopLost { .. } => {}
            _ => {}
        }
    }

    /// What every request is looked at for, before anybody is asked. `[RFC 3261, Section 8.2]`
    fn request_came(&mut self, id: ServerId, now: Now) {
        let Some(request) = self.transactions.server_request(id).cloned() else { return };
        let method = request.method();
        if !self.config.allow.contains(&method) {
            let allow = self.config.allow.clone();
            return self.say(id, &request, StatusCode::MethodNotAllowed, |r| r.allow_methods(allow), now);
        }
        // The same request by another path: the first is served. [RFC 3261, Section 8.2.2.2]
        if self.transactions.is_merged(id) {
            return self.say(id, &request, StatusCode::LoopDetected, |r| r, now);
        }
        let required = request.tokens(HeaderId::Require).flatten();
        let unknown: Vec<&[u8]> = required.filter(|tag| !self.supports(tag)).collect();
        if !unknown.is_empty() {
            let header = Unsupported::new(unknown);
            return self.say(id, &request, StatusCode::BadExtension, |r| r.header(header), now);
        }
        if let Some((status, headers)) = self.against_policy(&request) {
            return self.say(id, &request, status, |r| headers.into_iter().fold(r, ResponseBuilder::header), now);
        }
        match DialogId::of_request(&request) {
            Some(dialog) => match self.session_of(dialog) {
                Some(session) => self.request_within(session, id, request, now),
                None => self.outside_request(id, request, now),
            },
            None if method == Method::Invite => self.call_came(id, request, now),
            None => self.outside_request(id, request, now),
        }
    }

    fn outside_request(&mut self, id: ServerId, request: Request, now: Now) {
        if self.usage_request(id, &request, now) {
            return;
        }
        // "a request with a tag in To that matches no dialog" [RFC 3261, Section 12.2.2]
        if request.to_tag().is_some() || matches!(request.method(), Method::Bye | Method::Prack | Method::Update) {
            let status = StatusCode::CallOrTransactionDoesNotExist;
            return self.say(id, &request, status, |r| r, now);
        }
        if self.config.answers_options && request.is(&Method::Options) {
            return self.options_came(id, &request, now);
        }
        self.events.push_back(Event::Request { id, session: None, request });
    }

    /// Answers by ourselves; a tag in To is added where there is none.
    fn say(
        &mut self,
        id: ServerId,
        request: &Request,
        status: StatusCode,
        fill: impl FnOnce(ResponseBuilder<'_>) -> ResponseBuilder<'_>,
        now: Now,
    ) {
        let builder = Response::to(request, status);
        let builder = if request.to_tag().is_none() { builder.to_tag(self.random.token()) } else { builder };
        // What was read can be answered; if not, the client gives up by itself.
        if let Ok(response) = fill(builder).build() {
            _ = self.transactions.respond(id, response, now);
        }
    }

    fn set(&mut self, session: SessionId, timer: Timer, after: Micros, now: Now) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        if let Some(running) = leg.fired(timer) {
            self.timers.stop(running);
        }
        let id: TimerId = self.timers.set(now.mono.plus(after), (session, timer));
        leg.set(timer, id);
    }

    fn stop(&mut self, session: SessionId, timer: Timer) {
        if let Some(running) = self.legs.get_mut(session.0).and_then(|leg| leg.fired(timer)) {
            self.timers.stop(running);
        }
    }

    fn insert(&mut self, leg: Leg) -> Option<SessionId> {
        let hash = self.hash.hash_one(leg.dialog.id());
        self.legs.insert(hash, |_| leg).map(SessionId)
    }

    /// The session is over: nothing of it stays but what its transactions still have to do.
    pub(crate) fn end(&mut self, session: SessionId, reason: EndReason) {
        let Some(leg) = self.legs.remove(session.0) else { return };
        for timer in leg.running() {
            self.timers.stop(timer);
        }
        self.usages.session_ended(session, &leg.dialog);
        self.own_accounts.release(leg.accounts);
        if let Some(invite) = leg.invite.and_then(|invite| self.invites.get_mut(invite.0)) {
            invite.legs.retain(|other| *other != session);
            invite.cseq_used = invite.cseq_used.max(leg.dialog.local_cseq());
        }
        self.leave(leg);
        self.events.push_back(Event::Ended { session, reason });
    }

    /// Sends outside of any transaction: an ACK for a 2xx.
    fn transmit(&mut self, bytes: Bytes, hop: Hop) {
        self.transactions.send(bytes, hop);
    }

    fn phase(&self, session: SessionId) -> Option<Phase> {
        self.legs.get(session.0).map(|leg| leg.phase)
    }

    /// Whether the caller can take provisional responses reliably. `[RFC 3262, Section 3]`
    fn takes_reliable(&self, request: &Request) -> bool {
        request.has_token(HeaderId::Require, "100rel")
            || (self.config.reliable_provisionals && request.has_token(HeaderId::Supported, "100rel"))
    }
}
