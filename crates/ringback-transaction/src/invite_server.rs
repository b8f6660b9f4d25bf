//! The INVITE server transaction.

use bytes::Bytes;
use ringback_base::Micros;
use ringback_message::Response;

use crate::effects::Effects;
use crate::event::RespondError;
use crate::timers::Reason;

/// The machine of `[RFC 6026, Section 8.6]`, Figure 7. Its 100 is the TU's to send.
///
/// ```text
///                                   |INVITE
///                                   |pass INV to TU
///                INVITE             V send 100 if TU won't in 200 ms
///                send response+------------+
///                    +--------|            |--------+ 101-199 from TU
///                    |        |            |        | send response
///                    +------->|            |<-------+
///                             | Proceeding |
///                             |            |--------+ Transport Err.
///                             |            |        | Inform TU
///                             |            |<-------+
///                             +------------+
///              300-699 from TU |    |2xx from TU
///              send response   |    |send response
///               +--------------+    +------------+
///               |                                |
/// INVITE        V          Timer G fires         |
/// send response+-----------+ send response       |
///     +--------|           |--------+            |
///     |        |           |        |            |
///     +------->| Completed |<-------+    INVITE  |  Transport Err.
///              |           |             -       |  Inform TU
///     +--------|           |----+        +-----+ |  +---+
///     |        +-----------+    | ACK    |     | V  |   V
///     |          ^   |          | -      |  +------------+
///     |          |   |          |        |  |            |---+ ACK
///     +----------+   |          |        +->|  Accepted  |   | to TU
///     Transport Err. |          |           |            |<--+
///     Inform TU      |          V           +------------+
///                    |      +-----------+      |  ^     | 2xx from TU
///                    |      | Confirmed |      |  +-----+ send response
///      Timer H fires |      +-----------+      |
///      inform TU     |          | Timer I      | Timer L fires
///                    |          V fires        | -
///                    |     +------------+      |
///                    +---->| Terminated |<-----+
///                          +------------+
/// ```
///
/// Figure 7 says nothing to the TU when Timer H fires, the text does:
///
/// > the server transaction MUST transition to the "Terminated" state, and MUST indicate to the TU that a transaction
/// > failure has occurred. `[RFC 3261, Section 17.2.1]`
#[derive(Clone, Debug)]
pub(crate) struct InviteServer {
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// Not answered. The last provisional response.
    Proceeding(Option<Bytes>),
    /// A final response other than 2xx was sent.
    Completed(Final),
    /// Its ACK came.
    Confirmed(Final),
    /// A 2xx was sent. `[RFC 6026, Section 7.1]`
    Accepted,
}

#[derive(Clone, Debug)]
struct Final {
    response: Bytes,
    to_tag: Option<Bytes>,
    /// Of Timer G.
    interval: Micros,
}

/// What becomes of an ACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AckTo {
    /// It ends here.
    Machine,
    /// It acknowledges a 2xx.
    User,
}

impl InviteServer {
    pub(crate) fn new() -> InviteServer {
        InviteServer { state: State::Proceeding(None) }
    }

    pub(crate) fn state(&self) -> crate::State {
        match self.state {
            State::Proceeding(_) => crate::State::Proceeding,
            State::Completed(_) => crate::State::Completed,
            State::Confirmed(_) => crate::State::Confirmed,
            State::Accepted => crate::State::Accepted,
        }
    }

    pub(crate) fn is_answered(&self) -> bool {
        !matches!(self.state, State::Proceeding(_))
    }

    /// The To tag of the final response that an ACK is awaited for, or came for; inside, `None` where that response has
    /// no tag.
    pub(crate) fn tag_to_acknowledge(&self) -> Option<Option<&[u8]>> {
        match &self.state {
            State::Completed(sent) | State::Confirmed(sent) => Some(sent.to_tag.as_deref()),
            State::Proceeding(_) | State::Accepted => None,
        }
    }

    /// The INVITE came again.
    pub(crate) fn repeated(&mut self, fx: &mut Effects<'_>) {
        fx.counters().requests_repeated += 1;
        self.send_again(fx);
    }

    /// The last response goes out anew, where there is one that is ours to repeat.
    pub(crate) fn send_again(&self, fx: &mut Effects<'_>) {
        match &self.state {
            State::Proceeding(Some(response)) | State::Completed(Final { response, .. }) => fx.send(response),
            State::Proceeding(None) | State::Confirmed(_) | State::Accepted => {}
        }
    }

    pub(crate) fn respond(&mut self, response: &Response, fx: &mut Effects<'_>) -> Result<(), RespondError> {
        let bytes = response.as_bytes();
        match (&self.state, response.status().as_u16()) {
            (State::Proceeding(_), 100..=199) => {
                self.state = State::Proceeding(Some(bytes.clone()));
                fx.send(bytes);
            }
            (State::Proceeding(_), 200..=299) => {
                self.state = State::Accepted;
                fx.send(bytes);
                fx.start(Reason::TimerL, fx.timers.timer_l());
            }
            (State::Accepted, 200..=299) => fx.send(bytes),
            (State::Proceeding(_), _) => {
                let interval = fx.timers.timer_g();
                let to_tag = response.to_tag().map(|tag| bytes.slice_ref(tag));
                self.state = State::Completed(Final { response: bytes.clone(), to_tag, interval });
                fx.send(bytes);
                if !fx.is_reliable() {
                    fx.start(Reason::TimerG, interval);
                }
                fx.start(Reason::TimerH, fx.timers.timer_h());
            }
            _ => return Err(RespondError::AfterFinal),
        }
        Ok(())
    }

    pub(crate) fn ack(&mut self, fx: &mut Effects<'_>) -> AckTo {
        match &self.state {
            State::Completed(sent) => {
                self.state = State::Confirmed(sent.clone());
                fx.counters().acks_absorbed += 1;
                fx.stop(Reason::TimerG);
                fx.stop(Reason::TimerH);
                fx.end_after(Reason::TimerI, fx.timers.timer_i(fx.hop.transport));
                AckTo::Machine
            }
            State::Confirmed(_) => {
                fx.counters().acks_absorbed += 1;
                AckTo::Machine
            }
            State::Accepted => AckTo::User,
            State::Proceeding(_) => {
                fx.counters().acks_out_of_place += 1;
                AckTo::Machine
            }
        }
    }

    pub(crate) fn fire(&mut self, timer: Reason, fx: &mut Effects<'_>) {
        match (&mut self.state, timer) {
            (State::Completed(sent), Reason::TimerG) => {
                sent.interval = fx.timers.doubled_to_t2(sent.interval);
                fx.start(Reason::TimerG, sent.interval);
                fx.send_again(&sent.response);
            }
            (State::Completed(_), Reason::TimerH) => {
                fx.counters().ack_timeouts += 1;
                fx.tell_timeout();
                fx.end();
            }
            (State::Confirmed(_), Reason::TimerI) | (State::Accepted, Reason::TimerL) => fx.end(),
            _ => {}
        }
    }

    pub(crate) fn transport_error(&mut self, fx: &mut Effects<'_>) {
        match self.state {
            State::Proceeding(_) | State::Completed(_) | State::Accepted => fx.tell_failed(),
            State::Confirmed(_) => {}
        }
    }
}
