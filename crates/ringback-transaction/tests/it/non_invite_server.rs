//! RFC 3261, Figure 8: the non-INVITE server transaction, with RFC 6026, Section 8.8, and RFC 4320.

use crate::script::{tcp, udp};

#[test]
fn trying_discards_a_repeated_request() {
    udp("at 0     in  net OPTIONS
         at 0     out TU  OPTIONS
         at 500   in  net OPTIONS
         at 600   in  TU  200
         at 600   out net 200
         at 32600 Timer J
         at 32600 out TU  ended");
}

#[test]
fn trying_1xx_from_tu_over_a_reliable_transport_is_sent_into_proceeding() {
    tcp("at 0     in  net OPTIONS
         at 0     out TU  OPTIONS
         at 10    in  TU  100
         at 10    out net 100
         at 8000  in  TU  404
         at 8000  out net 404
         at 8000  out TU  ended");
}

/// `[RFC 4320, Section 4.1]`
#[test]
fn trying_unanswered_it_sends_a_100_by_itself_into_proceeding_which_repeats_it() {
    udp("at 0     in  net OPTIONS
         at 0     out TU  OPTIONS
         at 3500  Trying
         at 3500  out net 100
         at 7500  in  net OPTIONS
         at 7500  out net 100
         at 7600  in  TU  100
         at 7600  out net 100
         at 8000  in  TU  404
         at 8000  out net 404
         at 40000 Timer J
         at 40000 out TU  ended");
}

#[test]
fn trying_200_699_from_tu_over_a_reliable_transport_is_the_end() {
    for code in ["200", "302", "404", "500", "603"] {
        tcp(&format!(
            "at 0     in  net OPTIONS
             at 0     out TU  OPTIONS
             at 100   in  TU  {code}
             at 100   out net {code}
             at 100   out TU  ended
             at 200   in  TU  {code}
             at 200   out TU  refused Unknown"
        ));
    }
}

#[test]
fn proceeding_200_699_from_tu_over_a_reliable_transport_is_the_end() {
    tcp("at 0     in  net OPTIONS
         at 0     out TU  OPTIONS
         at 100   in  TU  100
         at 100   out net 100
         at 200   in  TU  200
         at 200   out net 200
         at 200   out TU  ended");
}

#[test]
fn trying_transport_error_tells_and_stays() {
    udp("at 0     in  net OPTIONS
         at 0     out TU  OPTIONS
         at 10    in  net error
         at 10    out TU  failed
         at 20    in  TU  200
         at 20    out net 200
         at 32020 Timer J
         at 32020 out TU  ended");
}

#[test]
fn proceeding_transport_error_tells_and_stays() {
    udp("at 0     in  net OPTIONS
         at 0     out TU  OPTIONS
         at 3500  Trying
         at 3500  out net 100
         at 3510  in  net error
         at 3510  out TU  failed
         at 7500  in  net OPTIONS
         at 7500  out net 100
         at 7600  in  TU  200
         at 7600  out net 200
         at 39600 Timer J
         at 39600 out TU  ended");
}

#[test]
fn completed_repeats_the_final_response_to_a_repeated_request() {
    udp("at 0     in  net OPTIONS
         at 0     out TU  OPTIONS
         at 100   in  TU  200
         at 100   out net 200
         at 500   in  net OPTIONS
         at 500   out net 200
         at 32099 in  net OPTIONS
         at 32099 out net 200
         at 32100 Timer J
         at 32100 out TU  ended");
}

#[test]
fn completed_refuses_any_further_response() {
    udp("at 0     in  net OPTIONS
         at 0     out TU  OPTIONS
         at 100   in  TU  200
         at 100   out net 200
         at 200   in  TU  404
         at 200   out TU  refused AfterFinal
         at 300   in  TU  100
         at 300   out TU  refused AfterFinal
         at 400   in  net OPTIONS
         at 400   out net 200            ; not the 404
         at 32100 Timer J
         at 32100 out TU  ended");
}

#[test]
fn completed_transport_error_tells_and_stays() {
    udp("at 0     in  net OPTIONS
         at 0     out TU  OPTIONS
         at 100   in  TU  200
         at 100   out net 200
         at 110   in  net error
         at 110   out TU  failed
         at 500   in  net OPTIONS
         at 500   out net 200
         at 32100 Timer J
         at 32100 out TU  ended");
}

#[test]
fn out_of_time_there_is_no_late_final_response() {
    udp("at 0     in  net OPTIONS
         at 0     out TU  OPTIONS
         at 3500  Trying
         at 3500  out net 100
         at 32000 Expiry
         at 32000 out TU  timeout
         at 32100 in  TU  200
         at 32100 out TU  refused TooLate
         at 32200 in  net OPTIONS        ; sent before the client gave up, and no new request
         at 32300 in  net error
         at 37000 Timer J
         at 37000 out TU  ended");
}

#[test]
fn out_of_time_over_a_reliable_transport_is_the_end() {
    tcp("at 0     in  net OPTIONS
         at 0     out TU  OPTIONS
         at 3500  Trying
         at 3500  out net 100
         at 32000 Expiry
         at 32000 out TU  timeout
         at 32000 out TU  ended
         at 32100 in  TU  200
         at 32100 out TU  refused Unknown");
}

/// `[RFC 4320, Section 4.1]`
#[test]
fn trying_over_an_unreliable_transport_a_100_from_tu_is_too_early() {
    udp("at 0     in  net OPTIONS
         at 0     out TU  OPTIONS
         at 3499  in  TU  100
         at 3499  out TU  refused TooEarly
         at 3500  Trying
         at 3500  out net 100
         at 3600  in  TU  200
         at 3600  out net 200
         at 35600 Timer J
         at 35600 out TU  ended");
}

/// `[RFC 4320, Section 4]`
#[test]
fn a_non_invite_gets_no_408_and_no_1xx_but_100() {
    for code in ["101", "180", "199", "408"] {
        tcp(&format!(
            "at 0     in  net OPTIONS
             at 0     out TU  OPTIONS
             at 10    in  TU  {code}
             at 10    out TU  refused NotToNonInvite
             at 20    in  TU  100
             at 20    out net 100
             at 30    in  TU  {code}
             at 30    out TU  refused NotToNonInvite
             at 40    in  TU  200
             at 40    out net 200
             at 40    out TU  ended"
        ));
    }
}
