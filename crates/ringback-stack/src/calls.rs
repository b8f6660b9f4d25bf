//! Requests that are being relayed, each with its response context.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::SocketAddr;

use hashbrown::HashMap;
use ringback_base::{Hop, KeyedHash, Micros, TimerId, TimerQueue, Transport};
use ringback_message::Request;
use ringback_proxy::{BranchId, Context, Routed, Target};
use ringback_transaction::{ClientId, ServerId};
use slab::Slab;

/// The place of a relayed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CallId(usize);

/// One try to reach the target of a branch.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) branch: BranchId,
    pub(crate) client: ClientId,
    /// Where it went.
    pub(crate) hop: Try,
    /// What is tried next, should this not get through.
    pub(crate) next: Tries,
    pub(crate) heard: Heard,
}

/// What has come back of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Nothing,
    /// Provisional responses that set up no dialog.
    Trying,
    /// A response with which a dialog begins, or the end of the attempt: no other hop is tried any more.
    Enough,
}

/// A target and the hops that may lead there, best first.
#[derive(Clone, Debug)]
pub(crate) struct Tries {
    pub(crate) target: Target,
    pub(crate) max_breadth: u32,
    pub(crate) hops: VecDeque<Try>,
}

/// One hop to be tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Try {
    pub(crate) transport: Transport,
    pub(crate) remote: SocketAddr,
    /// The hop of a registration, whose listener and connection are to be used.
    pub(crate) known: Option<Hop>,
    /// A request that is too large for a datagram goes by TCP first. `[RFC 3261, Section 18.1.1]`
    pub(crate) may_grow: bool,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) server: ServerId,
    pub(crate) request: Request,
    pub(crate) routed: Routed,
    pub(crate) from: Hop,
    pub(crate) context: Context,
    /// The client transactions of its branches; the last one of a branch is the one that counts.
    pub(crate) attempts: Vec<Attempt>,
    /// The log has it.
    pub(crate) told: bool,
    server_open: bool,
    clients_open: usize,
    lookups_open: usize,
    timer: Option<TimerId>,
}

/// All of them; one goes when its server transaction and the last of its client transactions have gone.
#[derive(Debug)]
pub(crate) struct Calls {
    calls: Slab<Call>,
    by_server: HashMap<ServerId, CallId, KeyedHash>,
    by_client: HashMap<ClientId, (CallId, BranchId), KeyedHash>,
    timers: TimerQueue<CallId>,
}

impl Calls {
    pub(crate) fn new(hash: KeyedHash) -> Calls {
        Calls {
            calls: Slab::new(),
            by_server: HashMap::with_hasher(hash),
            by_client: HashMap::with_hasher(hash),
            timers: TimerQueue::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(crate) fn all_answered(&self) -> bool {
        self.calls.iter().all(|(_, call)| call.context.is_answered())
    }

    pub(crate) fn insert(
        &mut self,
        server: ServerId,
        request: Request,
        routed: Routed,
        from: Hop,
        context: Context,
    ) -> CallId {
        let id = CallId(self.calls.insert(Call {
            server,
            request,
            routed,
            from,
            context,
            attempts: Vec::new(),
            told: false,
            server_open: true,
            clients_open: 0,
            lookups_open: 0,
            timer: None,
        }));
        self.by_server.insert(server, id);
        id
    }

    pub(crate) fn call(&mut self, id: CallId) -> Option<&mut Call> {
        self.calls.get_mut(id.0)
    }

    pub(crate) fn of_server(&self, server: ServerId) -> Option<CallId> {
        self.by_server.get(&server).copied()
    }

    pub(crate) fn of_client(&self, client: ClientId) -> Option<(CallId, BranchId)> {
        self.by_client.get(&client).copied()
    }

    pub(crate) fn add_attempt(&mut self, id: CallId, attempt: Attempt) {
        let Some(call) = self.calls.get_mut(id.0) else { return };
        let (branch, client) = (attempt.branch, attempt.client);
        call.attempts.push(attempt);
        call.clients_open = call.clients_open.saturating_add(1);
        self.by_client.insert(client, (id, branch));
    }

    /// The attempt that this client transaction makes.
    pub(crate) fn attempt(&mut self, client: ClientId) -> Option<&mut Attempt> {
        let (id, _) = self.by_client.get(&client)?;
        self.calls.get_mut(id.0)?.attempts.iter_mut().rfind(|attempt| attempt.client == client)
    }

    /// A branch waits for the address of its target; until it has it, the call stays.
    pub(crate) fn lookup_opened(&mut self, id: CallId) {
        if let Some(call) = self.calls.get_mut(id.0) {
            call.lookups_open = call.lookups_open.saturating_add(1);
        }
    }

    pub(crate) fn lookup_closed(&mut self, id: CallId) {
        if let Some(call) = self.calls.get_mut(id.0) {
            call.lookups_open = call.lookups_open.saturating_sub(1);
        }
    }

    pub(crate) fn server_ended(&mut self, server: ServerId) {
        if let Some(id) = self.by_server.remove(&server) {
            if let Some(call) = self.calls.get_mut(id.0) {
                call.server_open = false;
            }
            self.remove_if_over(id);
        }
    }

    pub(crate) fn client_ended(&mut self, client: ClientId) {
        if let Some((id, _)) = self.by_client.remove(&client) {
            if let Some(call) = self.calls.get_mut(id.0) {
                call.clients_open = call.clients_open.saturating_sub(1);
            }
            self.remove_if_over(id);
        }
    }

    pub(crate) fn remove_if_over(&mut self, id: CallId) {
        let over = self
            .calls
            .get(id.0)
            .is_some_and(|call| !call.server_open && call.clients_open == 0 && call.lookups_open == 0);
        if over && let Some(call) = self.calls.try_remove(id.0) {
            call.timer.and_then(|timer| self.timers.stop(timer));
        }
    }

    /// Sets the timer anew to what the context waits for.
    pub(crate) fn rearm(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id.0) else { return };
        let wanted = call.context.poll_timeout();
        if call.timer.map(|timer| timer.at()) == wanted {
            return;
        }
        call.timer.take().and_then(|timer| self.timers.stop(timer));
        call.timer = wanted.map(|at| self.timers.set(at, id));
    }

    pub(crate) fn take_due(&mut self, now: Micros) -> Option<CallId> {
        let (_, id) = self.timers.pop_due(now)?;
        if let Some(call) = self.calls.get_mut(id.0) {
            call.timer = None;
        }
        Some(id)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Micros> {
        self.timers.next().map(|(at, _)| at)
    }
}
