//! The non-INVITE server transaction.

use bytes::Bytes;
use ringback_message::{Request, Response, StatusCode};

use crate::effects::Effects;
use crate::event::RespondError;
use crate::timers::Reason;

/// The machine of `[RFC 3261, Section 17.2.2]`, Figure 8.
///
/// ```text
///                       |Request received
///                       |pass to TU
///                       V
///                 +-----------+
///                 | Trying    |-------------+
///                 +-----------+             |200-699 from TU
///                       |                   |send response
///                       |1xx from TU        |
///                       |send response      |
///    Request            V      1xx from TU  |
///    send response+-----------+send response|
///        +--------|           |--------+    |
///        |        | Proceeding|        |    |
///        +------->|           |<-------+    |
///                 +-----------+             |
///                       |200-699 from TU    |
///    Request            |send response      |
///    send response      V                   |
///        +--------+-----------+             |
///        |        | Completed |<------------+
///        +------->|           |
///                 +-----------+
///                       |Timer J fires
///                       V -
///                 +-----------+
///                 | Terminated|
///                 +-----------+
/// ```
///
/// The figure's two transport errors, which lead to Terminated, are not in it any more:
///
/// > the server transaction SHOULD inform the TU that a failure has occurred, and MUST remain in the current state.
/// > `[RFC 6026, Section 8.8]`
///
/// Trying and Proceeding have a bound that the figure lacks. When the client's Timer F must have fired, an answer comes
/// too late:
///
/// > an element that cannot respond before the transaction expires will not send a final response at all.
/// > `[RFC 4320, Section 4.2]`
///
/// From then on the machine is in Expired, which sends nothing, and absorbs for as long as the client's last repetition
/// may take.
///
/// Nor has the figure the 100 that ends Trying where the TU is silent; before, over an unreliable transport, the TU may
/// not send one either:
///
/// > Without regard to transport, an SIP element MUST respond to a non-INVITE request with a Status-Code of 100 if it
/// > has not otherwise responded after the amount of time it takes a client transaction's Timer E to be reset to T2.
/// > `[RFC 4320, Section 4.1]`
#[derive(Clone, Debug)]
pub(crate) struct NonInviteServer {
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// Not answered.
    Trying,
    /// The last provisional response.
    Proceeding(Bytes),
    /// The final response.
    Completed(Bytes),
    /// Too late to answer. `[RFC 4320, Section 4.2]`
    Expired,
}

impl NonInviteServer {
    pub(crate) fn start(fx: &mut Effects<'_>) -> NonInviteServer {
        fx.start(Reason::Trying, fx.timers.trying());
        fx.start(Reason::Expiry, fx.timers.expiry());
        NonInviteServer { state: State::Trying }
    }

    pub(crate) fn state(&self) -> crate::State {
        match self.state {
            State::Trying => crate::State::Trying,
            State::Proceeding(_) => crate::State::Proceeding,
            State::Completed(_) => crate::State::Completed,
            State::Expired => crate::State::Expired,
        }
    }

    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.state, State::Completed(_))
    }

    /// The request came again.
    pub(crate) fn repeated(&mut self, fx: &mut Effects<'_>) {
        fx.counters().requests_repeated += 1;
        self.send_again(fx);
    }

    /// The last response goes out anew, where there is one that is ours to repeat.
    pub(crate) fn send_again(&self, fx: &mut Effects<'_>) {
        match &self.state {
            State::Proceeding(response) | State::Completed(response) => fx.send(response),
            State::Trying | State::Expired => {}
        }
    }

    pub(crate) fn respond(&mut self, response: &Response, fx: &mut Effects<'_>) -> Result<(), RespondError> {
        let bytes = response.as_bytes();
        match (&self.state, response.status()) {
            (State::Completed(_), _) => Err(RespondError::AfterFinal),
            (State::Expired, _) => Err(RespondError::TooLate),
            (State::Trying, StatusCode::Trying) if !fx.is_reliable() => Err(RespondError::TooEarly),
            (State::Trying | State::Proceeding(_), StatusCode::Trying) => {
                self.proceed(bytes, fx);
                Ok(())
            }
            (_, status) if status.is_provisional() || status == StatusCode::RequestTimeout => {
                Err(RespondError::NotToNonInvite)
            }
            (State::Trying | State::Proceeding(_), _) => {
                fx.stop(Reason::Trying);
                self.state = State::Completed(bytes.clone());
                fx.send(bytes);
                fx.end_after(Reason::TimerJ, fx.timers.timer_j(fx.hop.transport));
                Ok(())
            }
        }
    }

    fn proceed(&mut self, trying: &Bytes, fx: &mut Effects<'_>) {
        fx.stop(Reason::Trying);
        fx.send(trying);
        self.state = State::Proceeding(trying.clone());
    }

    pub(crate) fn fire(&mut self, timer: Reason, request: &Request, fx: &mut Effects<'_>) {
        match (&self.state, timer) {
            (State::Trying, Reason::Trying) => {
                if let Ok(trying) = Response::to(request, StatusCode::Trying).build() {
                    self.proceed(trying.as_bytes(), fx);
                }
            }
            (State::Trying | State::Proceeding(_), Reason::Expiry) => {
                fx.stop(Reason::Trying);
                self.state = State::Expired;
                fx.counters().expiries += 1;
                fx.tell_timeout();
                fx.end_after(Reason::TimerJ, fx.timers.expired_linger(fx.hop.transport));
            }
            (State::Completed(_) | State::Expired, Reason::TimerJ) => fx.end(),
            _ => {}
        }
    }

    pub(crate) fn transport_error(&mut self, fx: &mut Effects<'_>) {
        match self.state {
            State::Trying | State::Proceeding(_) | State::Completed(_) => fx.tell_failed(),
            State::Expired => {}
        }
    }
}
