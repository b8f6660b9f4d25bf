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
fn trying_1xx_from_tu_is_sent_into_proceeding_which_repeats_it() {
    udp("at 0     in  net OPTIONS
         at 0     out TU  OPTIONS
         at 3600  in  TU  100
         at 3600  out net 100
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
         at 5     in  TU  100
         at 5     out net 100
         at 10    in  net error
         at 10    out TU  failed
         at 20    in  net OPTIONS
         at 20    out net 100
         at 30    in  TU  200
         at 30    out net 200
         at 32030 Timer J
         at 32030 out TU  ended");
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
         at 5000  in  TU  100
         at 5000  out net 100
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
         at 32000 Expiry
         at 32000 out TU  timeout
         at 32000 out TU  ended
         at 32100 in  TU  200
         at 32100 out TU  refused Unknown");
}
