//! The arrows of the RFCs' figures, and why a machine has others.

use super::graph::{Machine, Row, START, TERMINATED};

/// An arrow of a figure.
pub(crate) struct Arrow {
    pub(crate) from: &'static str,
    pub(crate) input: &'static str,
    pub(crate) to: &'static str,
    /// What the figure has done on the way.
    pub(crate) acts: &'static [&'static str],
    /// The test in virtual time that goes this way.
    pub(crate) test: &'static str,
}

/// What a machine does and its figure has not, or has otherwise.
pub(crate) struct Beside {
    pub(crate) from: &'static str,
    pub(crate) input: &'static str,
    pub(crate) why: &'static str,
}

/// A figure and what stands beside it.
pub(crate) struct Figure {
    pub(crate) machine: Machine,
    pub(crate) name: &'static str,
    pub(crate) source: &'static str,
    /// The file of the tests.
    pub(crate) tests: &'static str,
    pub(crate) arrows: &'static [Arrow],
    /// Arrows of the figure that a later text has taken back: none is drawn so.
    pub(crate) withdrawn: &'static [(Arrow, &'static str)],
    pub(crate) beside: &'static [Beside],
}

impl Figure {
    /// The arrow of the figure that this row is.
    pub(crate) fn arrow(&self, row: &Row) -> Option<&Arrow> {
        self.arrows.iter().find(|arrow| arrow.is(row, arrow.to))
    }

    pub(crate) fn beside(&self, row: &Row) -> Option<&Beside> {
        self.beside.iter().find(|beside| beside.from == row.from && beside.input == row.input)
    }
}

impl Arrow {
    /// Whether this row goes from and for what the arrow goes, does what it does, and comes there.
    pub(crate) fn is(&self, row: &Row, to: &str) -> bool {
        (row.from.as_str(), row.input.as_str(), row.to.as_str()) == (self.from, self.input, to)
            && self.acts.iter().all(|act| row.effects.iter().any(|effect| effect == act))
    }
}

macro_rules! arrow {
    ($from:expr, $input:expr => $to:expr, [$($act:expr),*], $test:ident) => {
        Arrow { from: $from, input: $input, to: $to, acts: &[$($act),*], test: stringify!($test) }
    };
}

macro_rules! arrows {
    ($($from:expr, $input:expr => $to:expr, [$($act:expr),*], $test:ident;)*) => {
        &[$(arrow!($from, $input => $to, [$($act),*], $test)),*]
    };
}

macro_rules! withdrawn {
    ($($from:expr, $input:expr => $to:expr, [$($act:expr),*], $test:ident: $why:expr;)*) => {
        &[$((arrow!($from, $input => $to, [$($act),*], $test), $why)),*]
    };
}

macro_rules! beside {
    ($($from:expr, $input:expr => $why:expr;)*) => {
        &[$(Beside { from: $from, input: $input, why: $why }),*]
    };
}

const GIVEN_UP: &str = "after its CANCEL the client waits 64*T1 and no longer, RFC 3261, Section 9.1";
const REFUSED: &str = "the TU is told that its response came after the final one";
const STAYS: &str = "the machine tells and stays, RFC 6026, Section 8.8";
const ONLY_100: &str = "no provisional response but 100, RFC 4320, Section 4.1";
const NO_408: &str = "no 408, RFC 4320, Section 4.2";
const TOO_LATE: &str = "its client has given up, RFC 4320, Section 4.2";

pub(crate) const FIGURES: [Figure; 4] = [
    Figure {
        machine: Machine::InviteClient,
        name: "INVITE client transaction",
        source: "RFC 6026, Section 8.4, Figure 5",
        tests: "invite_client",
        arrows: arrows! {
            START, "request from TU" => "Calling", ["send INVITE"], calling_timer_a_resends_the_invite_until_timer_b_tells_of_a_timeout;
            "Calling", "Timer A" => "Calling", ["send INVITE", "start Timer A"], calling_timer_a_resends_the_invite_until_timer_b_tells_of_a_timeout;
            "Calling", "Timer B" => TERMINATED, ["timeout to TU"], calling_timer_a_resends_the_invite_until_timer_b_tells_of_a_timeout;
            "Calling", "Transport Err." => TERMINATED, ["failure to TU"], calling_transport_error_tells_and_terminates;
            "Calling", "1xx" => "Proceeding", ["response to TU"], calling_1xx_goes_up_and_stops_timers_a_and_b;
            "Calling", "2xx" => "Accepted", ["response to TU"], calling_2xx_goes_up_unacknowledged_into_accepted;
            "Calling", "300-699" => "Completed", ["send ACK", "response to TU"], calling_300_699_is_acknowledged_into_completed;
            "Proceeding", "1xx" => "Proceeding", ["response to TU"], proceeding_passes_every_1xx_up;
            "Proceeding", "2xx" => "Accepted", ["response to TU"], proceeding_2xx_goes_up_into_accepted;
            "Proceeding", "300-699" => "Completed", ["send ACK", "response to TU"], proceeding_300_699_is_acknowledged_into_completed;
            "Completed", "300-699" => "Completed", ["send ACK"], completed_acknowledges_every_300_699_and_passes_none_up;
            "Completed", "Transport Err." => TERMINATED, ["failure to TU"], completed_transport_error_tells_and_terminates;
            "Completed", "Timer D" => TERMINATED, [], calling_300_699_is_acknowledged_into_completed;
            "Accepted", "2xx" => "Accepted", ["response to TU"], accepted_passes_every_2xx_up_and_acknowledges_none;
            "Accepted", "Timer M" => TERMINATED, [], calling_2xx_goes_up_unacknowledged_into_accepted;
        },
        withdrawn: &[],
        beside: beside! {
            "Proceeding", "Transport Err." => "nothing is sent here, so the TU is told and the answer still awaited";
            "Proceeding", "given up by TU" => GIVEN_UP;
        },
    },
    Figure {
        machine: Machine::NonInviteClient,
        name: "Non-INVITE client transaction",
        source: "RFC 3261, Section 17.1.2.2, Figure 6",
        tests: "non_invite_client",
        arrows: arrows! {
            START, "request from TU" => "Trying", ["send OPTIONS"], trying_timer_e_resends_with_intervals_up_to_t2_until_timer_f_tells_of_a_timeout;
            "Trying", "Timer E" => "Trying", ["send OPTIONS", "start Timer E"], trying_timer_e_resends_with_intervals_up_to_t2_until_timer_f_tells_of_a_timeout;
            "Trying", "Timer F" => TERMINATED, ["timeout to TU"], trying_timer_e_resends_with_intervals_up_to_t2_until_timer_f_tells_of_a_timeout;
            "Trying", "Transport Err." => TERMINATED, ["failure to TU"], trying_transport_error_tells_and_terminates;
            "Trying", "1xx" => "Proceeding", ["response to TU"], trying_1xx_goes_up_into_proceeding_where_timer_e_is_t2;
            "Trying", "200-699" => "Completed", ["response to TU"], trying_200_699_goes_up_into_completed;
            "Proceeding", "Timer E" => "Proceeding", ["send OPTIONS", "start Timer E"], trying_1xx_goes_up_into_proceeding_where_timer_e_is_t2;
            "Proceeding", "Timer F" => TERMINATED, ["timeout to TU"], proceeding_passes_every_1xx_up_and_timer_f_still_runs;
            "Proceeding", "Transport Err." => TERMINATED, ["failure to TU"], proceeding_transport_error_tells_and_terminates;
            "Proceeding", "1xx" => "Proceeding", ["response to TU"], proceeding_passes_every_1xx_up_and_timer_f_still_runs;
            "Proceeding", "200-699" => "Completed", ["response to TU"], trying_1xx_goes_up_into_proceeding_where_timer_e_is_t2;
            "Completed", "Timer K" => TERMINATED, [], trying_200_699_goes_up_into_completed;
        },
        withdrawn: &[],
        beside: &[],
    },
    Figure {
        machine: Machine::InviteServer,
        name: "INVITE server transaction",
        source: "RFC 6026, Section 8.6, Figure 7",
        tests: "invite_server",
        arrows: arrows! {
            START, "Request" => "Proceeding", ["request to TU"], proceeding_sends_each_1xx_and_repeats_the_last;
            "Proceeding", "Request" => "Proceeding", ["send response"], proceeding_sends_each_1xx_and_repeats_the_last;
            "Proceeding", "1xx from TU" => "Proceeding", ["send response"], proceeding_sends_each_1xx_and_repeats_the_last;
            "Proceeding", "Transport Err." => "Proceeding", ["failure to TU"], proceeding_transport_error_tells_and_stays;
            "Proceeding", "2xx from TU" => "Accepted", ["send response"], proceeding_2xx_from_tu_is_sent_once_into_accepted;
            "Proceeding", "300-699 from TU" => "Completed", ["send response"], proceeding_300_699_from_tu_is_sent_until_timer_h_tells_of_a_timeout;
            "Completed", "Request" => "Completed", ["send response"], completed_repeats_the_final_response_to_a_repeated_invite;
            "Completed", "Timer G" => "Completed", ["send response", "start Timer G"], proceeding_300_699_from_tu_is_sent_until_timer_h_tells_of_a_timeout;
            "Completed", "Transport Err." => "Completed", ["failure to TU"], completed_transport_error_tells_and_stays;
            "Completed", "Timer H" => TERMINATED, ["timeout to TU"], proceeding_300_699_from_tu_is_sent_until_timer_h_tells_of_a_timeout;
            "Completed", "ACK" => "Confirmed", [], completed_ack_quenches_into_confirmed_which_absorbs_for_timer_i;
            "Confirmed", "Timer I" => TERMINATED, [], completed_ack_quenches_into_confirmed_which_absorbs_for_timer_i;
            "Accepted", "Request" => "Accepted", [], accepted_absorbs_a_repeated_invite_and_answers_nothing;
            "Accepted", "ACK" => "Accepted", ["ACK to TU"], accepted_passes_an_ack_up;
            "Accepted", "2xx from TU" => "Accepted", ["send response"], accepted_sends_further_2xx_of_the_tu_and_nothing_else;
            "Accepted", "Transport Err." => "Accepted", ["failure to TU"], accepted_transport_error_tells_and_stays;
            "Accepted", "Timer L" => TERMINATED, [], proceeding_2xx_from_tu_is_sent_once_into_accepted;
        },
        withdrawn: &[],
        beside: beside! {
            "Completed", "1xx from TU" => REFUSED;
            "Completed", "2xx from TU" => REFUSED;
            "Completed", "300-699 from TU" => REFUSED;
            "Confirmed", "1xx from TU" => REFUSED;
            "Confirmed", "2xx from TU" => REFUSED;
            "Confirmed", "300-699 from TU" => REFUSED;
            "Accepted", "1xx from TU" => REFUSED;
            "Accepted", "300-699 from TU" => REFUSED;
        },
    },
    Figure {
        machine: Machine::NonInviteServer,
        name: "Non-INVITE server transaction",
        source: "RFC 3261, Section 17.2.2, Figure 8",
        tests: "non_invite_server",
        arrows: arrows! {
            START, "Request" => "Trying", ["request to TU"], trying_discards_a_repeated_request;
            "Trying", "200-699 from TU" => "Completed", ["send response"], trying_discards_a_repeated_request;
            "Proceeding", "Request" => "Proceeding", ["send response"], trying_unanswered_it_sends_a_100_by_itself_into_proceeding_which_repeats_it;
            "Proceeding", "100 from TU" => "Proceeding", ["send response"], trying_unanswered_it_sends_a_100_by_itself_into_proceeding_which_repeats_it;
            "Proceeding", "200-699 from TU" => "Completed", ["send response"], trying_unanswered_it_sends_a_100_by_itself_into_proceeding_which_repeats_it;
            "Completed", "Request" => "Completed", ["send response"], completed_repeats_the_final_response_to_a_repeated_request;
            "Completed", "Timer J" => TERMINATED, [], trying_discards_a_repeated_request;
        },
        withdrawn: withdrawn! {
            "Trying", "100 from TU" => "Proceeding", ["send response"], trying_over_an_unreliable_transport_a_100_from_tu_is_too_early:
                "over datagrams the machine sends that 100 itself, when Timer E has come to T2, RFC 4320, Section 4.1";
            "Trying", "101-199 from TU" => "Proceeding", ["send response"], a_non_invite_gets_no_408_and_no_1xx_but_100: ONLY_100;
            "Proceeding", "101-199 from TU" => "Proceeding", ["send response"], a_non_invite_gets_no_408_and_no_1xx_but_100: ONLY_100;
            "Proceeding", "Transport Err." => TERMINATED, [], proceeding_transport_error_tells_and_stays: STAYS;
            "Completed", "Transport Err." => TERMINATED, [], completed_transport_error_tells_and_stays: STAYS;
        },
        beside: beside! {
            "Trying", "Trying" => "the 100 that is due when Timer E has come to T2, RFC 4320, Section 4.1";
            "Trying", "100 from TU" => "too early over datagrams, RFC 4320, Section 4.1";
            "Trying", "101-199 from TU" => ONLY_100;
            "Trying", "408 from TU" => NO_408;
            "Trying", "Transport Err." => STAYS;
            "Proceeding", "101-199 from TU" => ONLY_100;
            "Proceeding", "408 from TU" => NO_408;
            "Proceeding", "Transport Err." => STAYS;
            "Proceeding", "Expiry" => "Timer F of the client must have fired, RFC 4320, Section 4.2";
            "Completed", "Transport Err." => STAYS;
            "Completed", "100 from TU" => REFUSED;
            "Completed", "101-199 from TU" => REFUSED;
            "Completed", "408 from TU" => REFUSED;
            "Completed", "200-699 from TU" => REFUSED;
            "Expired", "100 from TU" => TOO_LATE;
            "Expired", "101-199 from TU" => TOO_LATE;
            "Expired", "408 from TU" => TOO_LATE;
            "Expired", "200-699 from TU" => TOO_LATE;
            "Expired", "Timer J" => "T4 has passed: what the client sent last has been absorbed";
        },
    },
];
