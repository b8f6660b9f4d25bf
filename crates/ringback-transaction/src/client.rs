//! A client transaction in its table: the request, where it went, and one of the two machines.

use alloc::sync::Arc;

use ringback_base::Hop;
use ringback_message::{Method, Request, Response};

use crate::effects::{Effects, Running};
use crate::invite_client::InviteClient;
use crate::non_invite_client::NonInviteClient;
use crate::state::State;
use crate::timers::{Reason, Timers};

#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) request: Request,
    pub(crate) hop: Hop,
    pub(crate) timers: Option<Arc<Timers>>,
    pub(crate) running: Running,
    pub(crate) abandoned: bool,
    pub(crate) machine: ClientMachine,
}

#[derive(Clone, Debug)]
pub(crate) enum ClientMachine {
    Invite(InviteClient),
    NonInvite(NonInviteClient),
}

impl ClientMachine {
    pub(crate) fn start(request: &Request, fx: &mut Effects<'_>) -> ClientMachine {
        if request.is(&Method::Invite) {
            ClientMachine::Invite(InviteClient::start(request, fx))
        } else {
            ClientMachine::NonInvite(NonInviteClient::start(request, fx))
        }
    }

    pub(crate) fn state(&self) -> State {
        match self {
            ClientMachine::Invite(machine) => machine.state(),
            ClientMachine::NonInvite(machine) => machine.state(),
        }
    }

    pub(crate) fn response(&mut self, response: Response, request: &Request, fx: &mut Effects<'_>) {
        match self {
            ClientMachine::Invite(machine) => machine.response(response, request, fx),
            ClientMachine::NonInvite(machine) => machine.response(response, fx),
        }
    }

    pub(crate) fn fire(&mut self, timer: Reason, request: &Request, fx: &mut Effects<'_>) {
        match self {
            ClientMachine::Invite(machine) => machine.fire(timer, request, fx),
            ClientMachine::NonInvite(machine) => machine.fire(timer, request, fx),
        }
    }

    pub(crate) fn transport_error(&mut self, fx: &mut Effects<'_>) {
        match self {
            ClientMachine::Invite(machine) => machine.transport_error(fx),
            ClientMachine::NonInvite(machine) => machine.transport_error(fx),
        }
    }

    /// Timer F bounds a non-INVITE anyway.
    pub(crate) fn abandon(&mut self, fx: &mut Effects<'_>) {
        if let ClientMachine::Invite(machine) = self {
            machine.abandon(fx);
        }
    }
}
