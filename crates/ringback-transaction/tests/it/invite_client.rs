//! RFC 6026, Figure 5: the INVITE client transaction.

use crate::script::{tcp, udp, udp_with_t1};

#[test]
fn calling_timer_a_resends_the_invite_until_timer_b_tells_of_a_timeout() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 500   Timer A
         at 500   out net INVITE
         at 1500  Timer A
         at 1500  out net INVITE
         at 3500  Timer A
         at 3500  out net INVITE
         at 7500  Timer A
         at 7500  out net INVITE
         at 15500 Timer A
         at 15500 out net INVITE
         at 31500 Timer A
         at 31500 out net INVITE     ; the seventh
         at 32000 Timer B
         at 32000 out TU  timeout
         at 32000 out TU  ended");
}

#[test]
fn calling_over_a_reliable_transport_there_is_no_timer_a() {
    tcp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 32000 Timer B
         at 32000 out TU  timeout
         at 32000 out TU  ended");
}

#[test]
fn calling_transport_error_tells_and_terminates() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 10    in  net error
         at 10    out TU  failed
         at 10    out TU  ended
         at 20    in  net 200
         at 20    out TU  stray 200");
}

#[test]
fn calling_1xx_goes_up_and_stops_timers_a_and_b() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 500   Timer A
         at 500   out net INVITE
         at 700   in  net 100
         at 700   out TU  100
         at 700   left 1");
}

#[test]
fn calling_2xx_goes_up_unacknowledged_into_accepted() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 100   in  net 200
         at 100   out TU  200
         at 32100 Timer M
         at 32100 out TU  ended");
}

#[test]
fn calling_300_699_is_acknowledged_into_completed() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 100   in  net 486
         at 100   out net ACK/b
         at 100   out TU  486
         at 32100 Timer D
         at 32100 out TU  ended");
}

#[test]
fn calling_300_699_over_a_reliable_transport_is_acknowledged_and_over() {
    tcp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 100   in  net 302
         at 100   out net ACK/b
         at 100   out TU  302
         at 100   out TU  ended");
}

#[test]
fn proceeding_passes_every_1xx_up() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 10    in  net 100
         at 10    out TU  100
         at 20    in  net 180
         at 20    out TU  180
         at 30    in  net 180
         at 30    out TU  180
         at 40    in  net 183/c
         at 40    out TU  183/c
         at 40    left 1");
}

#[test]
fn proceeding_2xx_goes_up_into_accepted() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 10    in  net 180
         at 10    out TU  180
         at 9000  in  net 200
         at 9000  out TU  200
         at 41000 Timer M
         at 41000 out TU  ended");
}

#[test]
fn proceeding_300_699_is_acknowledged_into_completed() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 10    in  net 180
         at 10    out TU  180
         at 9000  in  net 603
         at 9000  out net ACK/b
         at 9000  out TU  603
         at 41000 Timer D
         at 41000 out TU  ended");
}

#[test]
fn proceeding_300_699_over_a_reliable_transport_is_acknowledged_and_over() {
    tcp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 10    in  net 180
         at 10    out TU  180
         at 9000  in  net 486
         at 9000  out net ACK/b
         at 9000  out TU  486
         at 9000  out TU  ended
         at 9001  in  net 486
         at 9001  out TU  stray 486");
}

#[test]
fn proceeding_transport_error_is_told_and_the_answer_is_still_taken() {
    tcp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 10    in  net 180
         at 10    out TU  180
         at 20    in  net error
         at 20    out TU  hop lost
         at 5000  in  net 200
         at 5000  out TU  200
         at 37000 Timer M
         at 37000 out TU  ended");
}

#[test]
fn completed_acknowledges_every_300_699_and_passes_none_up() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 100   in  net 486
         at 100   out net ACK/b
         at 100   out TU  486
         at 600   in  net 486
         at 600   out net ACK/b
         at 1600  in  net 486
         at 1600  out net ACK/b
         at 1700  in  net 404/c          ; from behind a stateless proxy that forked
         at 1700  out net ACK/c
         at 32100 Timer D
         at 32100 out TU  ended");
}

#[test]
fn completed_has_no_use_for_1xx_and_2xx() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 100   in  net 486
         at 100   out net ACK/b
         at 100   out TU  486
         at 200   in  net 180
         at 300   in  net 200
         at 32100 Timer D
         at 32100 out TU  ended");
}

#[test]
fn completed_transport_error_tells_and_terminates() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 100   in  net 486
         at 100   out net ACK/b
         at 100   out TU  486
         at 110   in  net error
         at 110   out TU  failed
         at 110   out TU  ended");
}

#[test]
fn completed_lasts_at_least_32_s_whatever_t1_is() {
    udp_with_t1(
        100,
        "at 0     in  TU  INVITE
         at 0     out net INVITE
         at 100   Timer A
         at 100   out net INVITE
         at 150   in  net 486
         at 150   out net ACK/b
         at 150   out TU  486
         at 32150 Timer D
         at 32150 out TU  ended",
    );
}

#[test]
fn accepted_passes_every_2xx_up_and_acknowledges_none() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 100   in  net 200
         at 100   out TU  200
         at 600   in  net 200            ; the UAS repeats it
         at 600   out TU  200
         at 700   in  net 200/c          ; another branch of a fork
         at 700   out TU  200/c
         at 32099 in  net 200
         at 32099 out TU  200
         at 32100 Timer M
         at 32100 out TU  ended
         at 32101 in  net 200
         at 32101 out TU  stray 200");
}

#[test]
fn accepted_over_a_reliable_transport_lasts_as_long() {
    tcp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 100   in  net 200
         at 100   out TU  200
         at 32100 Timer M
         at 32100 out TU  ended");
}

#[test]
fn accepted_has_no_use_for_anything_else() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 100   in  net 200
         at 100   out TU  200
         at 200   in  net 180
         at 300   in  net 486
         at 400   in  net error
         at 32100 Timer M
         at 32100 out TU  ended");
}

#[test]
fn abandoned_in_proceeding_it_ends_64_t1_later() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 10    in  net 180
         at 10    out TU  180
         at 5000  in  TU  abandon
         at 5100  in  net 183
         at 5200  in  net error
         at 37000 Abandoned
         at 37000 out TU  ended");
}

#[test]
fn abandoned_in_calling_it_ends_in_silence() {
    udp_with_t1(
        8000,
        "at 0      in  TU  INVITE
         at 0      out net INVITE
         at 10     in  TU  abandon
         at 8000   Timer A
         at 8000   out net INVITE
         at 9000   in  net 100            ; from here on no other timer would end it
         at 521000 Abandoned
         at 521000 out TU  ended",
    );
}

#[test]
fn abandoned_it_still_acknowledges_a_failure_and_reports_a_2xx() {
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 10    in  net 180
         at 10    out TU  180
         at 20    in  TU  abandon
         at 30    in  net 487
         at 30    out net ACK/b
         at 530   in  net 487
         at 530   out net ACK/b
         at 32030 Timer D
         at 32030 out TU  ended");
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 10    in  net 180
         at 10    out TU  180
         at 20    in  TU  abandon
         at 30    in  net 200
         at 30    out TU  200
         at 32030 Timer M
         at 32030 out TU  ended");
}

#[test]
fn the_classes_end_where_the_rfc_ends_them() {
    for code in ["300", "699"] {
        udp(&format!(
            "at 0     in  TU  INVITE
             at 0     out net INVITE
             at 5     in  net 199
             at 5     out TU  199
             at 10    in  net {code}
             at 10    out net ACK/b
             at 10    out TU  {code}
             at 20    in  net {code}
             at 20    out net ACK/b
             at 32010 Timer D
             at 32010 out TU  ended"
        ));
    }
    udp("at 0     in  TU  INVITE
         at 0     out net INVITE
         at 10    in  net 299
         at 10    out TU  299
         at 20    in  net 299
         at 20    out TU  299
         at 32010 Timer M
         at 32010 out TU  ended");
}
