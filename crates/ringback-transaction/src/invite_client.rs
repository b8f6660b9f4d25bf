//! The INVITE client transaction.

use ringback_base::Micros;
use ringback_message::{Request, Response};

use crate::effects::Effects;
use crate::timers::Reason;

/// The machine of `[RFC 6026, Section 8.4]`, Figure 5.
///
/// ```text
///                             |INVITE from TU
///           Timer A fires     |INVITE sent      Timer B fires
///           Reset A,          V                 or Transport Err.
///           INVITE sent +-----------+           inform TU
///             +---------|           |--------------------------+
///             |         |  Calling  |                          |
///             +-------->|           |-----------+              |
/// 300-699               +-----------+ 2xx       |              |
/// ACK sent                 |  |       2xx to TU |              |
/// resp. to TU              |  |1xx              |              |
/// +------------------------+  |1xx to TU        |              |
/// |                           |                 |              |
/// |           1xx             V                 |              |
/// |           1xx to TU +-----------+           |              |
/// |           +---------|           |           |              |
/// |           |         |Proceeding |           |              |
/// |           +-------->|           |           |              |
/// |                     +-----------+ 2xx       |              |
/// |      300-699           |    |     2xx to TU |              |
/// |      ACK sent, +-------+    +---------------+              |
/// |     resp. to TU|                            |              |
/// |                V                            V              |
/// |          +-----------+                 +----------+        |
/// +--------->|           |Transport Err.   |          |        |
///            | Completed |Inform TU        | Accepted |        |
///         +--|           |-----+           |          |-+      |
/// 300-699 |  +-----------+     |           +----------+ | 2xx  |
/// ACK sent|    ^  |Timer D     |     Timer M  |   ^     | 2xx  |
///         +----+  |fires       V     fires    V   +-----+ to TU|
///                 |          +------------------+              |
///                 +--------->|    Terminated    |<-------------+
///                            +------------------+
/// ```
///
/// Two things stand beside the figure. A transport error in Proceeding, where nothing is sent, is told and changes
/// nothing. And a transaction that its TU has given up does not stay in Proceeding for ever:
///
/// > If there is no final response for the original request in 64*T1 seconds (T1 is defined in Section 17.1.1.1), the
/// > client SHOULD then consider the original transaction cancelled and SHOULD destroy the client transaction handling
/// > the original request. `[RFC 3261, Section 9.1]`
#[derive(Clone, Debug)]
pub(crate) struct InviteClient {
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Sent, no answer. The interval of Timer A.
    Calling(Micros),
    /// A provisional response came.
    Proceeding,
    /// A final response other than 2xx came, and was acknowledged.
    Completed,
    /// A 2xx came. `[RFC 6026, Section 7.2]`
    Accepted,
}

impl InviteClient {
    /// Sends the INVITE.
    pub(crate) fn start(request: &Request, fx: &mut Effects<'_>) -> InviteClient {
        let interval = fx.timers.timer_a();
        fx.send(request.as_bytes());
        if !fx.is_reliable() {
            fx.start(Reason::TimerA, interval);
        }
        fx.start(Reason::TimerB, fx.timers.timer_b());
        InviteClient { state: State::Calling(interval) }
    }

    pub(crate) fn state(&self) -> crate::State {
        match self.state {
            State::Calling(_) => crate::State::Calling,
            State::Proceeding => crate::State::Proceeding,
            State::Completed => crate::State::Completed,
            State::Accepted => crate::State::Accepted,
        }
    }

    pub(crate) fn response(&mut self, response: Response, request: &Request, fx: &mut Effects<'_>) {
        match (self.state, response.status().as_u16()) {
            (State::Calling(_), 100..=199) => {
                fx.stop(Reason::TimerA);
                fx.stop(Reason::TimerB);
                self.state = State::Proceeding;
                if fx.abandoned {
                    self.abandon(fx);
                }
                fx.pass_up(response);
            }
            (State::Proceeding, 100..=199) => fx.pass_up(response),
            (State::Calling(_) | State::Proceeding, 200..=299) => {
                fx.stop(Reason::TimerA);
                self.state = State::Accepted;
                fx.start(Reason::TimerM, fx.timers.timer_m());
                fx.pass_up(response);
            }
            (State::Accepted, 200..=299) => fx.pass_up(response),
            (State::Calling(_) | State::Proceeding, _) => {
                fx.stop(Reason::TimerA);
                self.state = State::Completed;
                acknowledge(request, &response, fx);
                fx.pass_up(response);
                fx.end_after(Reason::TimerD, fx.timers.timer_d(fx.hop.transport));
            }
            (State::Completed, 300..=699) => {
                fx.counters().responses_repeated += 1;
                acknowledge(request, &response, fx);
            }
            _ => fx.counters().responses_out_of_place += 1,
        }
    }

    pub(crate) fn fire(&mut self, timer: Reason, request: &Request, fx: &mut Effects<'_>) {
        match (self.state, timer) {
            (State::Calling(interval), Reason::TimerA) => {
                let interval = interval.doubled();
                self.state = State::Calling(interval);
                fx.start(Reason::TimerA, interval);
                fx.send_again(request.as_bytes());
            }
            (State::Calling(_), Reason::TimerB) => {
                fx.counters().client_timeouts += 1;
                fx.tell_timeout();
                fx.end();
            }
            (State::Proceeding, Reason::Abandoned)
            | (State::Completed, Reason::TimerD)
            | (State::Accepted, Reason::TimerM) => fx.end(),
            _ => {}
        }
    }

    pub(crate) fn transport_error(&mut self, fx: &mut Effects<'_>) {
        match self.state {
            State::Calling(_) | State::Completed => {
                fx.tell_failed();
                fx.end();
            }
            State::Proceeding => fx.tell_hop_lost(),
            State::Accepted => {}
        }
    }

    /// The TU has given up: Timer B, D or M ends it, and in Proceeding a timer as long as they are.
    pub(crate) fn abandon(&mut self, fx: &mut Effects<'_>) {
        if let State::Proceeding = self.state {
            fx.start(Reason::Abandoned, fx.timers.abandoned());
        }
    }
}

/// The ACK for a final response other than 2xx, to where the INVITE went.
///
/// It is made anew each time: behind a stateless proxy two failures may carry different To tags, and
///
/// > The To header field in the ACK MUST equal the To header field in the response being acknowledged
/// > `[RFC 3261, Section 17.1.1.3]`
fn acknowledge(request: &Request, response: &Response, fx: &mut Effects<'_>) {
    if let Ok(ack) = request.ack(response) {
        fx.send(ack.as_bytes());
    }
}
