//! The response context: one request, its branches, and the one answer that goes back. `[RFC 3261, Section 16.7]`

mod best;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::vec::Vec;

use ringback_base::{Micros, Now};
use ringback_message::{BuildError, Edit, HeaderId, Method, Request, Response, StatusCode};

use crate::config::Config;
use crate::forward::Target;
use crate::limit::Limit;
use crate::reply::Reply;

pub use best::Final;

/// How many early dialogs of one branch are kept in mind, to tell of their end.
const EARLY_MAX: usize = 16;

/// Names a branch of a context, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchId(usize);

/// What a context wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "a response goes through the queue once; to box it would cost more than the move"
)]
pub enum Action {
    /// Send the request to this target, and tell of what becomes of it under this name.
    Start {
        /// The new branch.
        branch: BranchId,
        /// Where to.
        target: Target,
        /// Its share of Max-Breadth.
        max_breadth: u32,
    },
    /// Send CANCEL on this branch, which had a provisional response.
    Cancel {
        /// Which.
        branch: BranchId,
    },
    /// Wait no longer for the end of this branch, whose CANCEL brought none. `[RFC 3261, Section 9.1]`
    Abandon {
        /// Which.
        branch: BranchId,
    },
    /// Pass this response, its top Via already off, back to where the request came from.
    Respond(Response),
    /// Answer with a response of our own.
    Reply(Reply),
    /// Tell the caller that one of its early dialogs is over while the request goes on: a 199 with this tag in To. `[RFC 6228, Section 6]`
    EarlyEnded {
        /// The tag of the dialog.
        to_tag: Box<str>,
        /// The 199.
        reply: Reply,
    },
    /// There is no answer to give: a non-INVITE request timed out. `[RFC 4320, Section 4.2]`
    GiveUp,
    /// Count that this limit was reached: targets were left out, or wait for others. There is nothing else to do.
    Reached(Limit),
}

#[derive(Debug)]
enum State {
    /// The request is out, nothing has come back.
    Calling,
    /// A provisional response came.
    Proceeding,
    /// CANCEL was sent.
    Cancelled,
    Ended(Final),
}

#[derive(Debug)]
struct Branch {
    state: State,
    /// It is to be cancelled as soon as a provisional response allows it. `[RFC 3261, Section 9.1]`
    cancel_wanted: bool,
    /// Timer C, or the wait for the end of what was cancelled.
    deadline: Option<Micros>,
    /// The tags of its early dialogs, where the caller wants to be told of their end.
    early: Vec<Box<str>>,
    /// Further ways to the same device, the next one last.
    others: Vec<Target>,
    is_device: bool,
    max_breadth: u32,
    /// Another way to the same device is tried instead: what this one came to is no answer of its own.
    is_replaced: bool,
}

impl Branch {
    /// To this target; what else leads to the device is kept for later.
    fn to(target: &mut Target, max_breadth: u32, deadline: Option<Micros>) -> Branch {
        let mut others = core::mem::take(&mut target.others);
        others.reverse();
        Branch {
            state: State::Calling,
            cancel_wanted: false,
            deadline,
            early: Vec::new(),
            others,
            is_device: target.device.is_some(),
            max_breadth,
            is_replaced: false,
        }
    }

    /// The next way to a device of which one way has failed: "If the proxy receives a final response from a branch other than a 408
    /// (Request Timeout) or a 430 (Flow Failed) response, the proxy MUST NOT forward the same request to another target representing the
    /// same AOR and instance-id." `[RFC 5626, Section 7]`
    fn next_flow(&mut self, outcome: &Final) -> Option<Target> {
        let has_failed = match outcome {
            Final::Received(response) => {
                matches!(response.status(), StatusCode::RequestTimeout | StatusCode::FlowFailed)
            }
            Final::Local(status) => !matches!(*status, StatusCode::BadGateway | StatusCode::RequestTerminated),
        };
        let mut next = self.others.pop_if(|_| has_failed)?;
        next.others = core::mem::take(&mut self.others);
        next.others.reverse();
        Some(next)
    }
}

/// One request that is being relayed: parallel among targets of one preference, serial from one preference to the next.
#[derive(Debug)]
pub struct Context {
    is_invite: bool,
    /// The caller wants to be told which early dialogs have ended.
    tells_ended: bool,
    /// Targets that wait for those before them, best last.
    waiting: Vec<Target>,
    branches: Vec<Branch>,
    actions: VecDeque<Action>,
    /// A final response went back.
    answered: bool,
    /// No new branch may start: a 2xx or 6xx came, or the caller gave up.
    closed: bool,
    /// It was the caller who gave up.
    caller_cancelled: bool,
    breadth: u32,
    /// It is the configuration, and not the request, that bounds the breadth.
    breadth_is_ours: bool,
    timer_c: Micros,
    cancel_wait: Micros,
}

impl Context {
    /// For a request and its targets, of which at most `config.branches_max` are kept; [`Context::start`] sets it going.
    #[must_use]
    pub fn new(request: &Request, mut targets: Vec<Target>, config: &Config) -> Context {
        let left_out = targets.len() > config.branches_max;
        targets.truncate(config.branches_max);
        // Stable, so that of equals the one given first goes first: taken from the end.
        targets.reverse();
        targets.sort_by_key(|target| target.q);
        let breadth =
            request.number(HeaderId::MaxBreadth).ok().flatten().unwrap_or(config.max_breadth).min(config.max_breadth);
        Context {
            is_invite: request.is(&Method::Invite),
            tells_ended: tells_ended(request),
            waiting: targets,
            branches: Vec::new(),
            actions: left_out.then_some(Action::Reached(Limit::Branches)).into_iter().collect(),
            answered: false,
            closed: false,
            caller_cancelled: false,
            breadth,
            breadth_is_ours: breadth == config.max_breadth,
            timer_c: config.timer_c,
            cancel_wait: config.cancel_wait,
        }
    }

    /// Starts the first branches.
    pub fn start(&mut self, now: Now) {
        if self.breadth == 0 && !self.waiting.is_empty() {
            self.waiting.clear();
            self.answer_with(Reply::new(StatusCode::MaxBreadthExceeded));
            return;
        }
        self.advance(now);
    }

    /// A response came on a branch, its top Via still on.
    ///
    /// # Errors
    /// Never in practice: what goes back comes from a message that was read.
    pub fn handle_response(&mut self, id: BranchId, response: Response, now: Now) -> Result<(), BuildError> {
        let status = response.status();
        if status == StatusCode::Trying {
            self.provisional(id, now);
            return Ok(());
        }
        let Some(response) = without_top_via(&response)? else {
            // A final response that leads nowhere has ended the branch all the same.
            if status.is_final() {
                self.end(id, Final::Local(StatusCode::BadGateway), now);
            }
            return Ok(());
        };
        if status.is_provisional() {
            self.provisional(id, now);
            self.keep_early(id, &response);
            if !self.answered {
                self.actions.push_back(Action::Respond(response));
            }
        } else if status.is_success() {
            self.success(id, response, now);
        } else {
            self.tell_ended(id, &response);
            self.end(id, Final::Received(Box::new(response)), now);
        }
        Ok(())
    }

    /// A branch ended without a response: it timed out (408) or could not be sent (503). `[RFC 3261, Section 16.8]` `[RFC 3261, Section 16.9]`
    pub fn handle_failure(&mut self, id: BranchId, status: StatusCode, now: Now) {
        self.end(id, Final::Local(status), now);
    }

    /// The caller sent CANCEL. `[RFC 3261, Section 16.10]`
    pub fn handle_cancel(&mut self, now: Now) {
        self.caller_cancelled = true;
        self.close(now);
        self.advance(now);
    }

    /// Fires what is due.
    pub fn handle_timeout(&mut self, now: Now) {
        for index in 0..self.branches.len() {
            let id = BranchId(index);
            let Some(branch) = self.branches.get_mut(index).filter(|b| b.deadline.is_some_and(|at| at <= now.mono))
            else {
                continue;
            };
            branch.deadline = None;
            match branch.state {
                State::Proceeding => self.cancel(id, now),
                State::Calling | State::Cancelled => {
                    self.actions.push_back(Action::Abandon { branch: id });
                    self.end(id, Final::Local(StatusCode::RequestTimeout), now);
                }
                State::Ended(_) => {}
            }
        }
    }

    /// When [`Context::handle_timeout`] is next wanted.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        self.branches.iter().filter_map(|branch| branch.deadline).min()
    }

    /// What is wanted next.
    #[must_use]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// True once a final response went back, or none will.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.answered
    }

    /// True once no branch can win any more that has not begun: a branch that waits for an address need not be sent.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// The request of a branch goes out anew, by another hop, of which nothing has come back yet: a CANCEL has to wait again.
    /// `[RFC 3261, Section 9.1]` `[RFC 3263, Section 4.3]`
    pub fn handle_retry(&mut self, id: BranchId) {
        if let Some(branch) = self.branches.get_mut(id.0)
            && let State::Proceeding = branch.state
        {
            branch.state = State::Calling;
        }
    }

    fn provisional(&mut self, id: BranchId, now: Now) {
        let (is_invite, timer_c) = (self.is_invite, self.timer_c);
        let Some(branch) = self.branches.get_mut(id.0) else { return };
        if let State::Calling | State::Proceeding = branch.state {
            branch.state = State::Proceeding;
            if is_invite {
                branch.deadline = Some(now.mono.plus(timer_c));
            }
            if branch.cancel_wanted {
                self.cancel(id, now);
            }
        }
    }

    /// Takes down which early dialog a response makes, or that it says itself that one is over.
    fn keep_early(&mut self, id: BranchId, response: &Response) {
        let tag = response.to_tag().and_then(|tag| core::str::from_utf8(tag).ok());
        let (Some(tag), Some(branch)) = (tag.filter(|_| self.tells_ended), self.branches.get_mut(id.0)) else { return };
        let known = branch.early.iter().position(|early| **early == *tag);
        match (response.status(), known) {
            (StatusCode::EarlyDialogTerminated, Some(at)) => _ = branch.early.swap_remove(at),
            (StatusCode::EarlyDialogTerminated, None) | (_, Some(_)) => {}
            (_, None) if branch.early.len() < EARLY_MAX => branch.early.push(tag.into()),
            (_, None) => {}
        }
    }

    /// The early dialogs of a branch are over, and the caller will hear of its final response later, or not at all.
    fn tell_ended(&mut self, id: BranchId, response: &Response) {
        let is_open = |(at, branch): (usize, &Branch)| at != id.0 && !matches!(branch.state, State::Ended(_));
        let goes_on = self.branches.iter().enumerate().any(is_open) || (!self.closed && !self.waiting.is_empty());
        let Some(branch) = self.branches.get_mut(id.0) else { return };
        if self.answered || !goes_on || matches!(branch.state, State::Ended(_)) {
            return;
        }
        let status = response.status();
        let reason = format!("SIP;cause={status};text=\"{}\"", status.default_phrase());
        for to_tag in core::mem::take(&mut branch.early) {
            let reply = Reply::new(StatusCode::EarlyDialogTerminated).with(HeaderId::Reason, reason.clone());
            self.actions.push_back(Action::EarlyEnded { to_tag, reply });
        }
    }

    /// A 2xx goes back at once, every one that comes. `[RFC 3261, Section 16.7]`
    fn success(&mut self, id: BranchId, response: Response, now: Now) {
        let first = !core::mem::replace(&mut self.answered, true);
        if let Some(branch) = self.branches.get_mut(id.0) {
            branch.state = State::Ended(Final::Local(response.status()));
            branch.deadline = None;
        }
        if first || self.is_invite {
            self.actions.push_back(Action::Respond(response));
        }
        self.close(now);
    }

    fn end(&mut self, id: BranchId, outcome: Final, now: Now) {
        let Some(branch) = self.branches.get_mut(id.0) else { return };
        if let State::Ended(_) = branch.state {
            return;
        }
        let global = outcome.status().as_u16() >= 600;
        let next = if self.closed { None } else { branch.next_flow(&outcome) };
        // "Endpoints should never receive a 430 response": to whom asks, the device is away. [RFC 5626, Section 11.5]
        let is_away = branch.is_device && outcome.status() == StatusCode::FlowFailed;
        let outcome = if is_away { Final::Local(StatusCode::TemporarilyUnavailable) } else { outcome };
        branch.state = State::Ended(outcome);
        branch.deadline = None;
        if let Some(target) = next {
            branch.is_replaced = true;
            let max_breadth = branch.max_breadth;
            return self.begin(target, max_breadth, now);
        }
        if global {
            self.close(now);
        }
        self.advance(now);
    }

    /// No new branches, and an end to those that are.
    fn close(&mut self, now: Now) {
        self.cancel_all();
        for index in 0..self.branches.len() {
            self.start_cancel_wait(BranchId(index), now);
        }
    }

    fn cancel_all(&mut self) {
        self.closed = true;
        self.waiting.clear();
        if !self.is_invite {
            return;
        }
        for (index, branch) in self.branches.iter_mut().enumerate() {
            match branch.state {
                State::Proceeding => {
                    branch.state = State::Cancelled;
                    self.actions.push_back(Action::Cancel { branch: BranchId(index) });
                }
                State::Calling => branch.cancel_wanted = true,
                State::Cancelled | State::Ended(_) => {}
            }
        }
    }

    fn start_cancel_wait(&mut self, id: BranchId, now: Now) {
        let wait = self.cancel_wait;
        if let Some(branch) = self.branches.get_mut(id.0)
            && let State::Cancelled = branch.state
        {
            branch.deadline = Some(now.mono.plus(wait));
        }
    }

    fn cancel(&mut self, id: BranchId, now: Now) {
        if let Some(branch) = self.branches.get_mut(id.0)
            && let State::Proceeding = branch.state
        {
            branch.state = State::Cancelled;
            self.actions.push_back(Action::Cancel { branch: id });
        }
        self.start_cancel_wait(id, now);
    }

    /// Starts what may start; where nothing is open and nothing waits, the best response goes back.
    fn advance(&mut self, now: Now) {
        if self.branches.iter().any(|branch| !matches!(branch.state, State::Ended(_))) {
            return;
        }
        if self.closed || self.waiting.is_empty() {
            return self.conclude();
        }
        let Some(q) = self.waiting.last().map(|target| target.q) else { return };
        let mut group = Vec::new();
        while group.len() < self.breadth as usize
            && let Some(target) = self.waiting.pop_if(|target| target.q == q)
        {
            group.push(target);
        }
        if self.breadth_is_ours && self.waiting.last().is_some_and(|target| target.q == q) {
            self.actions.push_back(Action::Reached(Limit::Breadth));
        }
        let share = self.breadth / u32::try_from(group.len()).unwrap_or(u32::MAX).max(1);
        for target in group {
            self.begin(target, share.max(1), now);
        }
    }

    fn begin(&mut self, mut target: Target, max_breadth: u32, now: Now) {
        let branch = BranchId(self.branches.len());
        let deadline = self.is_invite.then(|| now.mono.plus(self.timer_c));
        self.branches.push(Branch::to(&mut target, max_breadth, deadline));
        self.actions.push_back(Action::Start { branch, target, max_breadth });
    }

    fn conclude(&mut self) {
        if self.answered {
            return;
        }
        let finals: Vec<&Final> = self
            .branches
            .iter()
            .filter_map(|branch| match &branch.state {
                State::Ended(outcome) if !branch.is_replaced => Some(outcome),
                _ => None,
            })
            .collect();
        let action = match best::choose(&finals, self.is_invite) {
            // What the caller gave up is not called a time-out. `[RFC 3261, Section 16.10]`
            Action::Reply(_) if self.caller_cancelled => Action::Reply(Reply::new(StatusCode::RequestTerminated)),
            action => action,
        };
        self.answered = true;
        self.actions.push_back(action);
    }

    fn answer_with(&mut self, reply: Reply) {
        self.answered = true;
        self.closed = true;
        self.actions.push_back(Action::Reply(reply));
    }
}

/// Whether a forking proxy tells the caller of early dialogs that have ended: where it knows 199, and doesn't demand that provisional
/// responses be reliable, as ours can't be. `[RFC 6228, Section 6]`
fn tells_ended(request: &Request) -> bool {
    request.is(&Method::Invite)
        && request.to_tag().is_none()
        && request.has_token(HeaderId::Supported, "199")
        && !request.has_token(HeaderId::Require, "100rel")
        && !request.has_token(HeaderId::ProxyRequire, "100rel")
}

/// `None` where there is no other Via, or none that can be read: the response goes nowhere.
fn without_top_via(response: &Response) -> Result<Option<Response>, BuildError> {
    if response.vias().take(2).filter(Result::is_ok).count() < 2 {
        return Ok(None);
    }
    let edited = Edit::new(response).drop_first(HeaderId::Via).finish()?;
    Response::check(edited).map(Some).map_err(|rejected| BuildError::Malformed(rejected.error))
}

#[cfg(test)]
mod tests;
