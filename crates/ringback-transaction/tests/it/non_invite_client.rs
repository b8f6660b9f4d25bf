//! RFC 3261, Figure 6: the non-INVITE client transaction.

use crate::script::{tcp, udp};

#[test]
fn trying_timer_e_resends_with_intervals_up_to_t2_until_timer_f_tells_of_a_timeout() {
    udp("at 0     in  TU  OPTIONS
         at 0     out net OPTIONS
         at 500   Timer E
         at 500   out net OPTIONS
         at 1500  Timer E
         at 1500  out net OPTIONS
         at 3500  Timer E
         at 3500  out net OPTIONS
         at 7500  Timer E
         at 7500  out net OPTIONS
         at 11500 Timer E
         at 11500 out net OPTIONS
         at 15500 Timer E
         at 15500 out net OPTIONS
         at 19500 Timer E
         at 19500 out net OPTIONS
         at 23500 Timer E
         at 23500 out net OPTIONS
         at 27500 Timer E
         at 27500 out net OPTIONS
         at 31500 Timer E
         at 31500 out net OPTIONS
         at 32000 Timer F
         at 32000 out TU  timeout
         at 32000 out TU  ended");
}

#[test]
fn trying_over_a_reliable_transport_there_is_no_timer_e() {
    tcp("at 0     in  TU  BYE
         at 0     out net BYE
         at 32000 Timer F
         at 32000 out TU  timeout
         at 32000 out TU  ended");
}

#[test]
fn trying_transport_error_tells_and_terminates() {
    udp("at 0     in  TU  OPTIONS
         at 0     out net OPTIONS
         at 10    in  net error
         at 10    out TU  failed
         at 10    out TU  ended");
}

#[test]
fn trying_1xx_goes_up_into_proceeding_where_timer_e_is_t2() {
    udp("at 0     in  TU  REGISTER
         at 0     out net REGISTER
         at 500   Timer E
         at 500   out net REGISTER
         at 700   in  net 100
         at 700   out TU  100
         at 1500  Timer E                ; was running
         at 1500  out net REGISTER
         at 5500  Timer E
         at 5500  out net REGISTER
         at 6000  in  net 200
         at 6000  out TU  200
         at 11000 Timer K
         at 11000 out TU  ended");
}

#[test]
fn trying_200_699_goes_up_into_completed() {
    for code in ["200", "302", "404", "500", "603"] {
        udp(&format!(
            "at 0     in  TU  OPTIONS
             at 0     out net OPTIONS
             at 100   in  net {code}
             at 100   out TU  {code}
             at 5100  Timer K
             at 5100  out TU  ended"
        ));
    }
}

#[test]
fn trying_200_699_over_a_reliable_transport_is_the_end() {
    tcp("at 0     in  TU  OPTIONS
         at 0     out net OPTIONS
         at 100   in  net 200
         at 100   out TU  200
         at 100   out TU  ended");
}

#[test]
fn proceeding_passes_every_1xx_up_and_timer_f_still_runs() {
    tcp("at 0     in  TU  OPTIONS
         at 0     out net OPTIONS
         at 10    in  net 100
         at 10    out TU  100
         at 4000  in  net 100
         at 4000  out TU  100
         at 32000 Timer F
         at 32000 out TU  timeout
         at 32000 out TU  ended");
}

#[test]
fn proceeding_transport_error_tells_and_terminates() {
    tcp("at 0     in  TU  OPTIONS
         at 0     out net OPTIONS
         at 10    in  net 100
         at 10    out TU  100
         at 20    in  net error
         at 20    out TU  failed
         at 20    out TU  ended");
}

#[test]
fn proceeding_200_699_over_a_reliable_transport_is_the_end() {
    tcp("at 0     in  TU  OPTIONS
         at 0     out net OPTIONS
         at 10    in  net 100
         at 10    out TU  100
         at 20    in  net 404
         at 20    out TU  404
         at 20    out TU  ended");
}

#[test]
fn completed_absorbs_what_still_comes() {
    udp("at 0     in  TU  OPTIONS
         at 0     out net OPTIONS
         at 100   in  net 200
         at 100   out TU  200
         at 600   in  net 200
         at 700   in  net 404/c          ; as from several receivers of a multicast
         at 800   in  net 100
         at 900   in  net error
         at 5100  Timer K
         at 5100  out TU  ended
         at 5101  in  net 200
         at 5101  out TU  stray 200");
}

#[test]
fn abandoned_it_goes_on_in_silence() {
    udp("at 0     in  TU  CANCEL
         at 0     out net CANCEL
         at 10    in  TU  abandon
         at 500   Timer E
         at 500   out net CANCEL
         at 1500  Timer E
         at 1500  out net CANCEL
         at 3500  Timer E
         at 3500  out net CANCEL
         at 7500  Timer E
         at 7500  out net CANCEL
         at 11500 Timer E
         at 11500 out net CANCEL
         at 15500 Timer E
         at 15500 out net CANCEL
         at 19500 Timer E
         at 19500 out net CANCEL
         at 23500 Timer E
         at 23500 out net CANCEL
         at 27500 Timer E
         at 27500 out net CANCEL
         at 31500 Timer E
         at 31500 out net CANCEL
         at 32000 Timer F
         at 32000 out TU  ended");
    tcp("at 0     in  TU  OPTIONS
         at 0     out net OPTIONS
         at 10    in  TU  abandon
         at 20    in  net 100
         at 30    in  net 200
         at 30    out TU  ended");
}
