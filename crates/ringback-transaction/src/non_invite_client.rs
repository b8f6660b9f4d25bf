//! The non-INVITE client transaction.

use ringback_base::Micros;
use ringback_message::{Request, Response};

use crate::effects::Effects;
use crate::timers::Reason;

/// The machine of `[RFC 3261, Section 17.1.2.2]`, Figure 6.
///
/// ```text
///                       |Request from TU
///                       |send request
///   Timer E             V
///   send request  +-----------+
///       +---------|           |-------------------+
///       |         |  Trying   |  Timer F          |
///       +-------->|           |  or Transport Err.|
///                 +-----------+  inform TU        |
///    200-699         |  |                         |
///    resp. to TU     |  |1xx                      |
///    +---------------+  |resp. to TU              |
///    |                  |                         |
///    |   Timer E        V       Timer F           |
///    |   send req +-----------+ or Transport Err. |
///    |  +---------|           | inform TU         |
///    |  |         |Proceeding |------------------>|
///    |  +-------->|           |-----+             |
///    |            +-----------+     |1xx          |
///    |              |      ^        |resp to TU   |
///    | 200-699      |      +--------+             |
///    | resp. to TU  V                             |
///    |            +-----------+                   |
///    +----------->| Completed |                   |
///                 +-----------+                   |
///                       | Timer K                 |
///                       V                         |
///                 +-----------+                   |
///                 | Terminated|<------------------+
///                 +-----------+
/// ```
#[derive(Clone, Debug)]
pub(crate) struct NonInviteClient {
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Sent, no answer. The interval of Timer E.
    Trying(Micros),
    /// A provisional response came: the request is still repeated, to fetch the final one.
    Proceeding,
    /// The final response came.
    Completed,
}

impl NonInviteClient {
    /// Sends the request.
    pub(crate) fn start(request: &Request, fx: &mut Effects<'_>) -> NonInviteClient {
        let interval = fx.timers.timer_e();
        fx.send(request.as_bytes());
        if !fx.is_reliable() {
            fx.start(Reason::TimerE, interval);
        }
        fx.start(Reason::TimerF, fx.timers.timer_f());
        NonInviteClient { state: State::Trying(interval) }
    }

    pub(crate) fn state(&self) -> crate::State {
        match self.state {
            State::Trying(_) => crate::State::Trying,
            State::Proceeding => crate::State::Proceeding,
            State::Completed => crate::State::Completed,
        }
    }

    pub(crate) fn response(&mut self, response: Response, fx: &mut Effects<'_>) {
        match (self.state, response.status().is_provisional()) {
            (State::Trying(_) | State::Proceeding, true) => {
                self.state = State::Proceeding;
                fx.pass_up(response);
            }
            (State::Trying(_) | State::Proceeding, false) => {
                fx.stop(Reason::TimerE);
                self.state = State::Completed;
                fx.pass_up(response);
                fx.end_after(Reason::TimerK, fx.timers.timer_k(fx.hop.transport));
            }
            (State::Completed, false) => fx.counters().responses_repeated += 1,
            (State::Completed, true) => fx.counters().responses_out_of_place += 1,
        }
    }

    pub(crate) fn fire(&mut self, timer: Reason, request: &Request, fx: &mut Effects<'_>) {
        match (self.state, timer) {
            (State::Trying(interval), Reason::TimerE) => {
                let interval = fx.timers.doubled_to_t2(interval);
                self.state = State::Trying(interval);
                fx.start(Reason::TimerE, interval);
                fx.send_again(request.as_bytes());
            }
            (State::Proceeding, Reason::TimerE) => {
                fx.start(Reason::TimerE, fx.timers.t2());
                fx.send_again(request.as_bytes());
            }
            (State::Trying(_) | State::Proceeding, Reason::TimerF) => {
                fx.counters().client_timeouts += 1;
                fx.tell_timeout();
                fx.end();
            }
            (State::Completed, Reason::TimerK) => fx.end(),
            _ => {}
        }
    }

    pub(crate) fn transport_error(&mut self, fx: &mut Effects<'_>) {
        match self.state {
            State::Trying(_) | State::Proceeding => {
                fx.tell_failed();
                fx.end();
            }
            State::Completed => {}
        }
    }
}
