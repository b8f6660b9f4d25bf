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

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use ringback_base::Transport;

    use super::*;
    use crate::probe::{self, CLIENT, Input, Start};

    fn draw(transport: Transport, waiting: &'static [Reason]) -> String {
        let starts = [
            Start { machine: || NonInviteClient { state: State::Trying(Micros::from_ms(500)) }, timers: waiting },
            Start { machine: || NonInviteClient { state: State::Proceeding }, timers: waiting },
            Start { machine: || NonInviteClient { state: State::Completed }, timers: &[Reason::TimerK] },
        ];
        let messages = [Input::Response(100), Input::Response(200), Input::Response(404)];
        let options = probe::request("OPTIONS");
        probe::graph(CLIENT, transport, &starts, &messages, |machine, input, fx| {
            match input {
                Input::Response(code) => machine.response(probe::response(code, "OPTIONS"), fx),
                Input::Timer(timer) => machine.fire(timer, &options, fx),
                Input::TransportError => machine.transport_error(fx),
                Input::Abandon | Input::Request(_) => {}
            }
            None
        })
    }

    #[test]
    fn figure_6_over_udp() {
        probe::same(
            &draw(Transport::Udp, &[Reason::TimerE, Reason::TimerF]),
            "Trying -- 100 -> Proceeding: tell 100
            Trying -- 200 -> Completed: tell 200, stop Timer E, stop Timer F, start Timer K, 5000 ms
            Trying -- 404 -> Completed: tell 404, stop Timer E, stop Timer F, start Timer K, 5000 ms
            Trying -- Timer E -> Trying: send OPTIONS, start Timer E, 1000 ms
            Trying -- Timer F -> Terminated: tell timeout, stop Timer E
            Trying -- transport error -> Terminated: tell failure, stop Timer E, stop Timer F
            Proceeding -- 100 -> Proceeding: tell 100
            Proceeding -- 200 -> Completed: tell 200, stop Timer E, stop Timer F, start Timer K, 5000 ms
            Proceeding -- 404 -> Completed: tell 404, stop Timer E, stop Timer F, start Timer K, 5000 ms
            Proceeding -- Timer E -> Proceeding: send OPTIONS, start Timer E, 4000 ms
            Proceeding -- Timer F -> Terminated: tell timeout, stop Timer E
            Proceeding -- transport error -> Terminated: tell failure, stop Timer E, stop Timer F
            Completed -- Timer K -> Terminated",
        );
    }

    #[test]
    fn figure_6_over_tcp() {
        probe::same(
            &draw(Transport::Tcp, &[Reason::TimerF]),
            "Trying -- 100 -> Proceeding: tell 100
            Trying -- 200 -> Terminated: tell 200, stop Timer F
            Trying -- 404 -> Terminated: tell 404, stop Timer F
            Trying -- Timer F -> Terminated: tell timeout
            Trying -- transport error -> Terminated: tell failure, stop Timer F
            Proceeding -- 100 -> Proceeding: tell 100
            Proceeding -- 200 -> Terminated: tell 200, stop Timer F
            Proceeding -- 404 -> Terminated: tell 404, stop Timer F
            Proceeding -- Timer F -> Terminated: tell timeout
            Proceeding -- transport error -> Terminated: tell failure, stop Timer F
            Completed -- Timer K -> Terminated",
        );
    }
}
