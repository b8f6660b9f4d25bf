//! A server transaction in its table: the request, where its responses go, and one of the two machines.

use alloc::sync::Arc;

use ringback_base::Hop;
use ringback_message::{Method, Request, Response};

use crate::effects::{Effects, Running};
use crate::event::RespondError;
use crate::invite_server::{AckTo, InviteServer};
use crate::key::{self, ServerKey};
use crate::non_invite_server::NonInviteServer;
use crate::state::State;
use crate::timers::{Reason, Timers};

#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) request: Request,
    pub(crate) reply: Hop,
    /// Its connection is lost, or will take nothing but responses: the failure of any other to its far end concerns it, too.
    pub(crate) is_loose: bool,
    /// Whether the request came by another path before, where somebody has asked.
    pub(crate) merged: Option<bool>,
    pub(crate) timers: Option<Arc<Timers>>,
    pub(crate) running: Running,
    pub(crate) machine: ServerMachine,
}

#[derive(Clone, Debug)]
pub(crate) enum ServerMachine {
    Invite(InviteServer),
    NonInvite(NonInviteServer),
}

impl Server {
    /// Whether this ACK, whose key would be `key`, belongs to this INVITE.
    ///
    /// > and the To tag of the ACK matches the To tag of the response sent by the server transaction.
    /// > `[RFC 3261, Section 17.2.3]`
    pub(crate) fn is_acknowledged(&self, key: &ServerKey<'_>, ack: &Request) -> bool {
        if ServerKey::of(&self.request) != *key {
            return false;
        }
        match &self.machine {
            _ if key.is_unique() => true,
            ServerMachine::Invite(machine) => {
                machine.tag_to_acknowledge().is_some_and(|tag| key::same_tag(tag, ack.to_tag()))
            }
            ServerMachine::NonInvite(_) => false,
        }
    }

    pub(crate) fn is_answered_by(&self, response: &Response) -> bool {
        let request = &self.request;
        request.cseq() == response.cseq()
            && request.cseq_method() == response.cseq_method()
            && request.call_id() == response.call_id()
            && request.branch() == response.branch()
    }
}

impl ServerMachine {
    pub(crate) fn start(request: &Request, fx: &mut Effects<'_>) -> ServerMachine {
        if request.is(&Method::Invite) {
            ServerMachine::Invite(InviteServer::new())
        } else {
            ServerMachine::NonInvite(NonInviteServer::start(fx))
        }
    }

    pub(crate) fn state(&self) -> State {
        match self {
            ServerMachine::Invite(machine) => machine.state(),
            ServerMachine::NonInvite(machine) => machine.state(),
        }
    }

    pub(crate) fn is_answered(&self) -> bool {
        match self {
            ServerMachine::Invite(machine) => machine.is_answered(),
            ServerMachine::NonInvite(machine) => machine.is_answered(),
        }
    }

    pub(crate) fn repeated(&mut self, fx: &mut Effects<'_>) {
        match self {
            ServerMachine::Invite(machine) => machine.repeated(fx),
            ServerMachine::NonInvite(machine) => machine.repeated(fx),
        }
    }

    pub(crate) fn send_again(&self, fx: &mut Effects<'_>) {
        match self {
            ServerMachine::Invite(machine) => machine.send_again(fx),
            ServerMachine::NonInvite(machine) => machine.send_again(fx),
        }
    }

    pub(crate) fn respond(&mut self, response: &Response, fx: &mut Effects<'_>) -> Result<(), RespondError> {
        match self {
            ServerMachine::Invite(machine) => machine.respond(response, fx),
            ServerMachine::NonInvite(machine) => machine.respond(response, fx),
        }
    }

    /// An ACK's key is that of an INVITE, so the second arm is never taken.
    pub(crate) fn ack(&mut self, fx: &mut Effects<'_>) -> AckTo {
        match self {
            ServerMachine::Invite(machine) => machine.ack(fx),
            ServerMachine::NonInvite(_) => AckTo::User,
        }
    }

    pub(crate) fn fire(&mut self, timer: Reason, request: &Request, fx: &mut Effects<'_>) {
        match self {
            ServerMachine::Invite(machine) => machine.fire(timer, fx),
            ServerMachine::NonInvite(machine) => machine.fire(timer, request, fx),
        }
    }

    pub(crate) fn transport_error(&mut self, fx: &mut Effects<'_>) {
        match self {
            ServerMachine::Invite(machine) => machine.transport_error(fx),
            ServerMachine::NonInvite(machine) => machine.transport_error(fx),
        }
    }
}
