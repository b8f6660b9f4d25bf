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

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use ringback_base::Transport;

    use super::*;
    use crate::probe::{self, Input, SERVER, Start};

    fn text(code: u16) -> Bytes {
        probe::response(code, "OPTIONS").as_bytes().clone()
    }

    fn draw(transport: Transport) -> String {
        let starts = [
            Start { machine: || NonInviteServer { state: State::Trying }, timers: &[Reason::Trying, Reason::Expiry] },
            Start { machine: || NonInviteServer { state: State::Proceeding(text(100)) }, timers: &[Reason::Expiry] },
            Start { machine: || NonInviteServer { state: State::Completed(text(200)) }, timers: &[Reason::TimerJ] },
            Start { machine: || NonInviteServer { state: State::Expired }, timers: &[Reason::TimerJ] },
        ];
        let messages = [Input::Request("OPTIONS"), Input::Response(100), Input::Response(200), Input::Response(404)];
        probe::graph(SERVER, transport, &starts, &messages, |machine, input, fx| {
            match input {
                Input::Request(_) => machine.repeated(fx),
                Input::Response(code) => {
                    let result = machine.respond(&probe::response(code, "OPTIONS"), fx);
                    return result.err().map(|error| format!("refuse: {error:?}"));
                }
                Input::Timer(timer) => machine.fire(timer, &probe::request("OPTIONS"), fx),
                Input::TransportError => machine.transport_error(fx),
                Input::Abandon => {}
            }
            None
        })
    }

    #[test]
    fn figure_8_over_udp() {
        probe::same(
            &draw(Transport::Udp),
            "Trying -- 100 -> Trying: refuse: TooEarly
            Trying -- 200 -> Completed: send 200, stop Trying, stop Expiry, start Timer J, 32000 ms
            Trying -- 404 -> Completed: send 404, stop Trying, stop Expiry, start Timer J, 32000 ms
            Trying -- Trying -> Proceeding: send 100
            Trying -- Expiry -> Expired: tell timeout, stop Trying, start Timer J, 5000 ms
            Trying -- transport error -> Trying: tell failure
            Proceeding -- OPTIONS -> Proceeding: send 100
            Proceeding -- 100 -> Proceeding: send 100
            Proceeding -- 200 -> Completed: send 200, stop Expiry, start Timer J, 32000 ms
            Proceeding -- 404 -> Completed: send 404, stop Expiry, start Timer J, 32000 ms
            Proceeding -- Expiry -> Expired: tell timeout, start Timer J, 5000 ms
            Proceeding -- transport error -> Proceeding: tell failure
            Completed -- OPTIONS -> Completed: send 200
            Completed -- 100 -> Completed: refuse: AfterFinal
            Completed -- 200 -> Completed: refuse: AfterFinal
            Completed -- 404 -> Completed: refuse: AfterFinal
            Completed -- Timer J -> Terminated
            Completed -- transport error -> Completed: tell failure
            Expired -- 100 -> Expired: refuse: TooLate
            Expired -- 200 -> Expired: refuse: TooLate
            Expired -- 404 -> Expired: refuse: TooLate
            Expired -- Timer J -> Terminated",
        );
    }

    #[test]
    fn figure_8_over_tcp() {
        probe::same(
            &draw(Transport::Tcp),
            "Trying -- 100 -> Proceeding: send 100, stop Trying
            Trying -- 200 -> Terminated: send 200, stop Trying, stop Expiry
            Trying -- 404 -> Terminated: send 404, stop Trying, stop Expiry
            Trying -- Trying -> Proceeding: send 100
            Trying -- Expiry -> Terminated: tell timeout, stop Trying
            Trying -- transport error -> Trying: tell failure
            Proceeding -- OPTIONS -> Proceeding: send 100
            Proceeding -- 100 -> Proceeding: send 100
            Proceeding -- 200 -> Terminated: send 200, stop Expiry
            Proceeding -- 404 -> Terminated: send 404, stop Expiry
            Proceeding -- Expiry -> Terminated: tell timeout
            Proceeding -- transport error -> Proceeding: tell failure
            Completed -- OPTIONS -> Completed: send 200
            Completed -- 100 -> Completed: refuse: AfterFinal
            Completed -- 200 -> Completed: refuse: AfterFinal
            Completed -- 404 -> Completed: refuse: AfterFinal
            Completed -- Timer J -> Terminated
            Completed -- transport error -> Completed: tell failure
            Expired -- 100 -> Expired: refuse: TooLate
            Expired -- 200 -> Expired: refuse: TooLate
            Expired -- 404 -> Expired: refuse: TooLate
            Expired -- Timer J -> Terminated",
        );
    }
}
