//! The layer: what comes in finds its machine here, and what comes out waits here.

use core::hash::BuildHasher as _;

use alloc::string::String;
use bytes::Bytes;
use core::net::IpAddr;
use ringback_base::{Hop, KeyedHash, Micros, Now};
use ringback_message::{Method, Request, Response, StatusCode};

use crate::client::{Client, ClientMachine};
use crate::effects::{Effects, Output, Running};
use crate::event::{ClientId, Counters, Event, RequestError, RespondError, ServerId, Transmit};
use crate::hops::{Hops, Key, concerns};
use crate::invite_server::AckTo;
use crate::key::{self, ClientKey, ServerKey};
use crate::merges::Merges;
use crate::peers::Peers;
use crate::server::{Server, ServerMachine};
use crate::state::State;
use crate::timers::{Reason, Timers};
use ringback_base::Table;

/// How many client and how many server transactions there may be, where nobody says otherwise.
pub const TRANSACTIONS_MAX: usize = 65_536;

/// What the layer is set up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The timers of all peers for whom [`Transactions::set_timers_of`] sets no others.
    pub timers: Timers,
    /// The most server transactions. A new request above it is answered with 503 and leaves no state.
    pub server_transactions_max: usize,
    /// The most client transactions. A new one above it is an error for the TU.
    pub client_transactions_max: usize,
}

impl Default for Config {
    /// The RFC's timers and [`TRANSACTIONS_MAX`] on each side.
    fn default() -> Config {
        Config {
            timers: Timers::default(),
            server_transactions_max: TRANSACTIONS_MAX,
            client_transactions_max: TRANSACTIONS_MAX,
        }
    }
}

/// All transactions of one shard.
///
/// # Bounds
/// The tables have the limits of [`Config`]; a transaction runs at most two timers. What waits in the queues is the
/// caller's to fetch after each call: one message that came in leaves at most one message and two events,
/// [`Transactions::handle_timeout`] at most one message and two events for each timer that was due, and
/// [`Transactions::handle_transport_error`] at most two events for each transaction.
#[derive(Clone, Debug)]
pub struct Transactions {
    peers: Peers,
    hash: KeyedHash,
    servers: Table<Server>,
    clients: Table<Client>,
    hops: Hops,
    merges: Merges,
    out: Output,
}

impl Transactions {
    /// An empty layer. The hash must have a secret key.
    #[must_use]
    pub fn new(config: Config, hash: KeyedHash) -> Transactions {
        Transactions {
            peers: Peers::new(config.timers),
            hash,
            servers: Table::new(config.server_transactions_max),
            clients: Table::new(config.client_transactions_max),
            hops: Hops::new(hash),
            merges: Merges::new(hash),
            out: Output::default(),
        }
    }

    /// Sets the timers for transactions with this peer, whatever its port and transport; `None` gives it those of
    /// [`Config::timers`] again.
    ///
    /// Transactions that are under way keep what they began with. The table is the caller's: it has a row for each peer
    /// that was named here, and strangers add none.
    pub fn set_timers_of(&mut self, peer: IpAddr, timers: Option<Timers>) {
        self.peers.set(peer, timers);
    }

    /// A request came in. `reply` is the hop that its responses take, by `[RFC 3261, Section 18.2.2]`.
    pub fn handle_request(&mut self, request: Request, reply: Hop, now: Now) {
        if request.is(&Method::Ack) {
            return self.handle_ack(request, reply, now);
        }
        let key = ServerKey::of(&request);
        let hash = self.hash.hash_one(&key);
        match self.servers.find(hash, |server| ServerKey::of(&server.request) == key) {
            Some(id) => {
                self.with_server(ServerId(id), now, |machine, _, fx| machine.repeated(fx));
            }
            None if self.servers.is_full() => self.refuse(&request, reply),
            None => self.accept(hash, request, reply, now),
        }
    }

    /// A response came in, from this hop.
    pub fn handle_response(&mut self, response: Response, from: Hop, now: Now) {
        let id = ClientKey::of_response(&response).and_then(|key| {
            let hash = self.hash.hash_one(&key);
            self.clients.find(hash, |client| ClientKey::of_request(&client.request).as_ref() == Some(&key))
        });
        match id {
            Some(id) => {
                self.with_client(ClientId(id), now, |machine, request, fx| machine.response(response, request, fx))
            }
            None => {
                self.out.counters.responses_stray += 1;
                self.out.events.push_back(Event::StrayResponse { response, from });
            }
        }
    }

    /// Time has passed: every timer that is due fires. Called late, a timer still fires once, and the next one counts
    /// from now.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some((_, (key, timer))) = self.out.timers.pop_due(now.mono) {
            match key {
                Key::Server(id) => {
                    self.with_server(id, now, |machine, request, fx| {
                        fx.fired(timer);
                        machine.fire(timer, request, fx);
                    });
                }
                Key::Client(id) => self.with_client(id, now, |machine, request, fx| {
                    fx.fired(timer);
                    machine.fire(timer, request, fx);
                }),
            }
        }
    }

    /// The transport can't send on this hop, or has lost its connection.
    ///
    /// With a flow: the transactions on it are told, and those that named none to the same far end. Without one: the
    /// latter only.
    pub fn handle_transport_error(&mut self, hop: &Hop, now: Now) {
        for key in self.hops.failed_by(hop) {
            let (taken, is_loose) = match key {
                Key::Server(id) => (self.server_reply_hop(id), self.servers.get(id.0).is_some_and(|it| it.is_loose)),
                Key::Client(id) => (self.client_hop(id), false),
            };
            let concerned =
                |taken: Hop| concerns(hop, &taken) || is_loose && concerns(hop, &Hop { flow: None, ..taken });
            if !taken.is_some_and(concerned) {
                continue;
            }
            self.out.counters.transport_errors += 1;
            match key {
                Key::Server(id) => _ = self.with_server(id, now, |machine, _, fx| machine.transport_error(fx)),
                Key::Client(id) => self.with_client(id, now, |machine, _, fx| machine.transport_error(fx)),
            }
        }
    }

    /// The network says that the request with this method and branch does not arrive; true where it is one of ours that went by
    /// this hop. `[RFC 3261, Section 18.4]`
    ///
    /// Only its own transaction is told: who did not see the request can't name its branch, and could else end the transactions
    /// of others with forged news.
    pub fn handle_unreachable(&mut self, method: &[u8], branch: &[u8], hop: &Hop, now: Now) -> bool {
        let Some(key) = ClientKey::of_parts(method, branch) else { return false };
        let went_by = |client: &Client| (client.hop.transport, client.hop.local, client.hop.remote);
        let is_it = |client: &Client| {
            ClientKey::of_request(&client.request).as_ref() == Some(&key)
                && went_by(client) == (hop.transport, hop.local, hop.remote)
        };
        let Some(id) = self.clients.find(self.hash.hash_one(&key), is_it) else { return false };
        self.out.counters.transport_errors += 1;
        self.with_client(ClientId(id), now, |machine, _, fx| machine.transport_error(fx));
        true
    }

    /// Sends a response of the TU.
    ///
    /// # Errors
    /// Where the transaction is gone, is past this response, or never asked for it.
    pub fn respond(&mut self, id: ServerId, response: Response, now: Now) -> Result<(), RespondError> {
        let server = self.servers.get(id.0).ok_or(RespondError::Unknown)?;
        if !server.is_answered_by(&response) {
            return Err(RespondError::Foreign);
        }
        self.with_server(id, now, |machine, _, fx| machine.respond(&response, fx)).unwrap_or(Err(RespondError::Unknown))
    }

    /// Starts a client transaction with a request whose top Via has its branch, and sends it to that hop.
    ///
    /// # Errors
    /// For an ACK, for want of a branch or of room, and where the branch is in use for this method.
    pub fn request(&mut self, request: Request, to: Hop, now: Now) -> Result<ClientId, RequestError> {
        if request.is(&Method::Ack) {
            return Err(RequestError::Ack);
        }
        let key = ClientKey::of_request(&request).ok_or(RequestError::NoBranch)?;
        let hash = self.hash.hash_one(&key);
        if self.clients.find(hash, |client| ClientKey::of_request(&client.request).as_ref() == Some(&key)).is_some() {
            return Err(RequestError::BranchInUse);
        }
        let own = self.peers.own(&to);
        let (out, timers) = (&mut self.out, self.peers.of(own.as_ref()));
        let id = self.clients.insert(hash, |id| {
            let mut running = Running::default();
            let key = Key::Client(ClientId(id));
            let mut fx =
                Effects { key, hop: to, now, timers, running: &mut running, out, abandoned: false, ended: false };
            let machine = ClientMachine::start(&request, &mut fx);
            Client { request, hop: to, timers: own.clone(), running, abandoned: false, machine }
        });
        let Some(id) = id.map(ClientId) else {
            self.out.counters.client_limit_reached += 1;
            return Err(RequestError::Full);
        };
        self.out.counters.client_transactions += 1;
        self.hops.insert(&to, Key::Client(id));
        Ok(id)
    }

    /// Sends a message outside of any transaction: the ACK for a 2xx, a stateless forward or response.
    pub fn send(&mut self, bytes: Bytes, hop: Hop) {
        self.out.transmits.push_back(Transmit { hop, bytes });
    }

    /// The To tag for a response that the TU [sends](Transactions::send) without a transaction: its ACK is then
    /// absorbed here. `[RFC 3261, Section 8.2.7]`
    #[must_use]
    pub fn stateless_tag(&self, request: &Request) -> String {
        key::stateless_tag(&self.hash, request)
    }

    /// The TU has no more use for a client transaction, as 64*T1 after a CANCEL. `[RFC 3261, Section 9.1]`
    ///
    /// It goes on absorbing and acknowledging what comes. An INVITE without a final response ends 64*T1 after this
    /// call, or after its first provisional response where that comes later. Of its events only `ClientEnded` comes
    /// still, and each 2xx to an INVITE, because that made a session which somebody has to end.
    pub fn abandon(&mut self, id: ClientId, now: Now) {
        match self.clients.get_mut(id.0) {
            Some(client) if !client.abandoned => client.abandoned = true,
            _ => return,
        }
        self.with_client(id, now, |machine, _, fx| machine.abandon(fx));
    }

    /// The request that made a server transaction.
    #[must_use]
    pub fn server_request(&self, id: ServerId) -> Option<&Request> {
        self.servers.get(id.0).map(|server| &server.request)
    }

    /// The hop that the responses of a server transaction take.
    #[must_use]
    pub fn server_reply_hop(&self, id: ServerId) -> Option<Hop> {
        self.servers.get(id.0).map(|server| server.reply)
    }

    /// The connection of a server transaction is lost: its responses go by another to the same far end, and the failure of that one is told
    /// too. False where that was said before. `[RFC 3261, Section 18.2.2]`
    pub fn loosen(&mut self, id: ServerId) -> bool {
        let Some(server) = self.servers.get_mut(id.0).filter(|server| !server.is_loose) else { return false };
        server.is_loose = true;
        self.hops.insert(&Hop { flow: None, ..server.reply }, Key::Server(id));
        true
    }

    /// From now on the responses of a server transaction take this hop, because the one before has failed; a final one that was sent
    /// goes again. `[RFC 3261, Section 18.2.2]` `[RFC 3263, Section 5]`
    pub fn redirect(&mut self, id: ServerId, hop: Hop, now: Now) {
        let Some(server) = self.servers.get_mut(id.0) else { return };
        let before = core::mem::replace(&mut server.reply, hop);
        self.hops.remove(&before, Key::Server(id));
        self.hops.remove(&Hop { flow: None, ..before }, Key::Server(id));
        self.hops.insert(&hop, Key::Server(id));
        if self.is_answered(id) {
            self.with_server(id, now, |machine, _, fx| machine.send_again(fx));
        }
    }

    /// True once a server transaction has sent a final response: a CANCEL has no effect on it any more.
    /// `[RFC 3261, Section 9.2]`
    #[must_use]
    pub fn is_answered(&self, id: ServerId) -> bool {
        self.servers.get(id.0).is_some_and(|server| server.machine.is_answered())
    }

    /// True where the request of this server transaction came before by another path, and that one has not ended: a UA
    /// answers it with 482, a proxy forwards it. `[RFC 3261, Section 8.2.2.2]`
    ///
    /// Asked once for each transaction, when its `Event::Request` comes: only transactions that were asked about are
    /// compared with each other, so an element that is a proxy for some requests and a UA for others asks for the latter
    /// alone, and who never asks pays nothing. Asked again, the answer is the same. A request with a To tag is never
    /// merged, nor is a CANCEL, which ends one branch and not the others.
    pub fn is_merged(&mut self, id: ServerId) -> bool {
        let Some(server) = self.servers.get_mut(id.0) else { return false };
        let request = &server.request;
        if request.to_tag().is_some() || request.is(&Method::Cancel) {
            return false;
        }
        *server.merged.get_or_insert_with(|| self.merges.insert(request))
    }

    /// The state of a server transaction.
    #[must_use]
    pub fn server_state(&self, id: ServerId) -> Option<State> {
        self.servers.get(id.0).map(|server| server.machine.state())
    }

    /// The state of a client transaction.
    #[must_use]
    pub fn client_state(&self, id: ClientId) -> Option<State> {
        self.clients.get(id.0).map(|client| client.machine.state())
    }

    /// The timers that run for a server transaction, two at the most, and when they fire.
    pub fn server_timers(&self, id: ServerId) -> impl Iterator<Item = (Micros, Reason)> + use<> {
        let running = self.servers.get(id.0).map(|server| server.running.all());
        running.into_iter().flatten().map(|(reason, id)| (id.at(), reason))
    }

    /// The timers that run for a client transaction, two at the most, and when they fire.
    pub fn client_timers(&self, id: ClientId) -> impl Iterator<Item = (Micros, Reason)> + use<> {
        let running = self.clients.get(id.0).map(|client| client.running.all());
        running.into_iter().flatten().map(|(reason, id)| (id.at(), reason))
    }

    /// True where a request is one that we sent ourselves and that came back: its top Via is that of a client transaction.
    #[must_use]
    pub fn is_ours(&self, request: &Request) -> bool {
        ClientKey::of_request(request).is_some_and(|key| {
            let hash = self.hash.hash_one(&key);
            self.clients.find(hash, |client| ClientKey::of_request(&client.request).as_ref() == Some(&key)).is_some()
        })
    }

    /// The request of a client transaction.
    #[must_use]
    pub fn client_request(&self, id: ClientId) -> Option<&Request> {
        self.clients.get(id.0).map(|client| &client.request)
    }

    /// The hop that the request of a client transaction took: its CANCEL takes the same. `[RFC 3261, Section 9.1]`
    #[must_use]
    pub fn client_hop(&self, id: ClientId) -> Option<Hop> {
        self.clients.get(id.0).map(|client| client.hop)
    }

    /// How many server transactions there are.
    #[must_use]
    pub fn server_len(&self) -> usize {
        self.servers.len()
    }

    /// How many client transactions there are.
    #[must_use]
    pub fn client_len(&self) -> usize {
        self.clients.len()
    }

    /// How many timers run.
    #[must_use]
    pub fn timer_len(&self) -> usize {
        self.out.timers.len()
    }

    /// True where nothing is left: no transaction, no timer, and nothing to fetch.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.server_len() == 0
            && self.client_len() == 0
            && self.timer_len() == 0
            && self.hops.is_empty()
            && self.merges.is_empty()
            && self.out.transmits.is_empty()
            && self.out.events.is_empty()
    }

    /// What was counted since the start.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.out.counters
    }

    /// The next message to send.
    #[must_use]
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.out.transmits.pop_front()
    }

    /// The next event for the TU.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.out.events.pop_front()
    }

    /// When [`Transactions::handle_timeout`] wants to be called next, and by which timer.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Micros, Reason)> {
        self.out.timers.next().map(|(at, (_, reason))| (at, *reason))
    }

    /// A request that repeats none: it gets a transaction, and the TU gets it.
    fn accept(&mut self, hash: u64, request: Request, reply: Hop, now: Now) {
        let cancelled = request.is(&Method::Cancel).then(|| self.cancelled_by(&request));
        let own = self.peers.own(&reply);
        let (out, timers) = (&mut self.out, self.peers.of(own.as_ref()));
        let id = self.servers.insert(hash, |id| {
            let mut running = Running::default();
            let key = Key::Server(ServerId(id));
            let mut fx =
                Effects { key, hop: reply, now, timers, running: &mut running, out, abandoned: false, ended: false };
            let machine = ServerMachine::start(&request, &mut fx);
            Server { request, reply, is_loose: false, merged: None, timers: own.clone(), running, machine }
        });
        let Some(id) = id.map(ServerId) else { return };
        self.out.counters.server_transactions += 1;
        self.hops.insert(&reply, Key::Server(id));
        self.out.events.push_back(match cancelled {
            Some(invite) => Event::Cancel { id, invite },
            None => Event::Request { id },
        });
    }

    fn cancelled_by(&self, cancel: &Request) -> Option<ServerId> {
        let key = ServerKey::of_cancelled(cancel);
        let hash = self.hash.hash_one(&key);
        self.servers.find(hash, |server| ServerKey::of(&server.request) == key).map(ServerId)
    }

    /// The table is full: what is live stays, what is new is turned away with no Retry-After, which would close this
    /// server to its sender for every call. `[RFC 7339, Section 5.10.2]`
    fn refuse(&mut self, request: &Request, reply: Hop) {
        self.out.counters.server_limit_reached += 1;
        let tag = self.stateless_tag(request);
        if let Ok(response) = Response::to(request, StatusCode::ServiceUnavailable).to_tag(tag).build() {
            self.send(response.as_bytes().clone(), reply);
        }
    }

    fn handle_ack(&mut self, ack: Request, from: Hop, now: Now) {
        let id = ServerKey::of_acknowledged(&ack).into_iter().find_map(|key| {
            let hash = self.hash.hash_one(&key);
            self.servers.find(hash, |server| server.is_acknowledged(&key, &ack))
        });
        let to = match id {
            Some(id) => self.with_server(ServerId(id), now, |machine, _, fx| machine.ack(fx)),
            None => None,
        };
        let stateless = to.is_none() && ack.to_tag().is_some_and(|tag| tag == self.stateless_tag(&ack).as_bytes());
        if stateless {
            self.out.counters.acks_absorbed += 1;
        } else if to != Some(AckTo::Machine) {
            self.out.events.push_back(Event::Ack { request: ack, from });
        }
    }

    fn with_server<R>(
        &mut self,
        id: ServerId,
        now: Now,
        act: impl FnOnce(&mut ServerMachine, &Request, &mut Effects<'_>) -> R,
    ) -> Option<R> {
        let Server { request, reply, timers, running, machine, .. } = self.servers.get_mut(id.0)?;
        let (key, hop) = (Key::Server(id), *reply);
        let (out, timers) = (&mut self.out, self.peers.of(timers.as_ref()));
        let mut fx = Effects { key, hop, now, timers, running, out, abandoned: false, ended: false };
        let result = act(machine, request, &mut fx);
        if fx.ended {
            if let Some(server) = self.servers.remove(id.0).filter(|server| server.merged.is_some()) {
                self.merges.remove(&server.request);
            }
            self.hops.remove(&hop, key);
            if hop.flow.is_some() {
                self.hops.remove(&Hop { flow: None, ..hop }, key);
            }
            self.out.events.push_back(Event::ServerEnded { id });
        }
        Some(result)
    }

    fn with_client(
        &mut self,
        id: ClientId,
        now: Now,
        act: impl FnOnce(&mut ClientMachine, &Request, &mut Effects<'_>),
    ) {
        let Some(client) = self.clients.get_mut(id.0) else { return };
        let Client { request, hop, timers, running, machine, abandoned } = client;
        let (key, hop, abandoned) = (Key::Client(id), *hop, *abandoned);
        let (out, timers) = (&mut self.out, self.peers.of(timers.as_ref()));
        let mut fx = Effects { key, hop, now, timers, running, out, abandoned, ended: false };
        act(machine, request, &mut fx);
        if fx.ended {
            self.clients.remove(id.0);
            self.hops.remove(&hop, key);
            self.out.events.push_back(Event::ClientEnded { id });
        }
    }
}
