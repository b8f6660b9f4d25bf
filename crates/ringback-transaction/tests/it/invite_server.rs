//! RFC 6026, Figure 7: the INVITE server transaction.

use crate::script::{tcp, udp};

#[test]
fn proceeding_sends_each_1xx_and_repeats_the_last() {
    udp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 500   in  net INVITE         ; nothing to repeat
         at 600   in  TU  100
         at 600   out net 100
         at 1500  in  net INVITE
         at 1500  out net 100
         at 2000  in  TU  180
         at 2000  out net 180
         at 3500  in  net INVITE
         at 3500  out net 180
         at 3500  left 1");
}

#[test]
fn proceeding_transport_error_tells_and_stays() {
    udp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 10    in  net error
         at 10    out TU  failed
         at 500   in  net INVITE         ; no new transaction
         at 600   in  TU  486
         at 600   out net 486
         at 700   in  net ACK/b
         at 5700  Timer I
         at 5700  out TU  ended");
}

#[test]
fn proceeding_has_no_use_for_an_ack() {
    udp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 10    in  net ACK/b
         at 10    left 1");
}

#[test]
fn proceeding_2xx_from_tu_is_sent_once_into_accepted() {
    udp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 100   in  TU  200
         at 100   out net 200
         at 32100 Timer L
         at 32100 out TU  ended");
}

#[test]
fn proceeding_2xx_from_tu_over_a_reliable_transport_the_same() {
    tcp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 100   in  TU  200
         at 100   out net 200
         at 32100 Timer L
         at 32100 out TU  ended");
}

#[test]
fn proceeding_300_699_from_tu_is_sent_until_timer_h_tells_of_a_timeout() {
    udp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 1000  in  TU  486
         at 1000  out net 486
         at 1500  Timer G
         at 1500  out net 486
         at 2500  Timer G
         at 2500  out net 486
         at 4500  Timer G
         at 4500  out net 486
         at 8500  Timer G
         at 8500  out net 486
         at 12500 Timer G
         at 12500 out net 486
         at 16500 Timer G
         at 16500 out net 486
         at 20500 Timer G
         at 20500 out net 486
         at 24500 Timer G
         at 24500 out net 486
         at 28500 Timer G
         at 28500 out net 486
         at 32500 Timer G
         at 32500 out net 486
         at 33000 Timer H
         at 33000 out TU  timeout
         at 33000 out TU  ended");
}

#[test]
fn completed_over_a_reliable_transport_there_is_no_timer_g() {
    tcp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 1000  in  TU  486
         at 1000  out net 486
         at 33000 Timer H
         at 33000 out TU  timeout
         at 33000 out TU  ended");
}

#[test]
fn completed_repeats_the_final_response_to_a_repeated_invite() {
    tcp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 1000  in  TU  486
         at 1000  out net 486
         at 1200  in  net INVITE
         at 1200  out net 486
         at 1300  in  net ACK/b
         at 1300  out TU  ended");
}

#[test]
fn completed_refuses_any_further_response() {
    tcp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 1000  in  TU  486
         at 1000  out net 486
         at 1100  in  TU  180
         at 1100  out TU  refused AfterFinal
         at 1200  in  TU  486
         at 1200  out TU  refused AfterFinal
         at 1300  in  TU  200
         at 1300  out TU  refused AfterFinal
         at 1400  in  net ACK/b
         at 1400  out TU  ended
         at 1500  in  TU  200
         at 1500  out TU  refused Unknown");
}

#[test]
fn completed_transport_error_tells_and_stays() {
    udp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 1000  in  TU  486
         at 1000  out net 486
         at 1010  in  net error
         at 1010  out TU  failed
         at 1500  Timer G
         at 1500  out net 486
         at 1600  in  net INVITE
         at 1600  out net 486
         at 1700  in  net ACK/b
         at 6700  Timer I
         at 6700  out TU  ended");
}

#[test]
fn completed_ack_quenches_into_confirmed_which_absorbs_for_timer_i() {
    udp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 1000  in  TU  486
         at 1000  out net 486
         at 1500  Timer G
         at 1500  out net 486
         at 1600  in  net ACK/b
         at 1700  in  net ACK/b
         at 1800  in  net INVITE
         at 1900  in  TU  486
         at 1900  out TU  refused AfterFinal
         at 2000  in  net error
         at 6600  Timer I
         at 6600  out TU  ended");
}

#[test]
fn completed_ack_over_a_reliable_transport_is_the_end() {
    tcp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 1000  in  TU  486
         at 1000  out net 486
         at 1600  in  net ACK/b
         at 1600  out TU  ended");
}

#[test]
fn accepted_absorbs_a_repeated_invite_and_answers_nothing() {
    udp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 10    in  TU  180
         at 10    out net 180
         at 100   in  TU  200
         at 100   out net 200
         at 500   in  net INVITE
         at 32099 in  net INVITE
         at 32100 Timer L
         at 32100 out TU  ended");
}

#[test]
fn accepted_sends_further_2xx_of_the_tu_and_nothing_else() {
    udp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 100   in  TU  200
         at 100   out net 200
         at 600   in  TU  200            ; repeated by the UAS
         at 600   out net 200
         at 700   in  TU  200/c          ; another branch of a fork
         at 700   out net 200/c
         at 800   in  TU  180
         at 800   out TU  refused AfterFinal
         at 900   in  TU  487
         at 900   out TU  refused AfterFinal
         at 32100 Timer L
         at 32100 out TU  ended
         at 32200 in  TU  200
         at 32200 out TU  refused Unknown");
}

#[test]
fn accepted_passes_an_ack_up() {
    udp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 100   in  TU  200
         at 100   out net 200
         at 200   in  net ACK:2/b        ; of its own branch, as it should be
         at 200   out TU  ACK/b
         at 300   in  net ACK/b          ; of the branch of the INVITE
         at 300   out TU  ACK/b
         at 32100 Timer L
         at 32100 out TU  ended");
}

#[test]
fn accepted_transport_error_tells_and_stays() {
    udp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 100   in  TU  200
         at 100   out net 200
         at 110   in  net error
         at 110   out TU  failed
         at 500   in  net INVITE
         at 600   in  TU  200
         at 600   out net 200
         at 32100 Timer L
         at 32100 out TU  ended");
}

#[test]
fn every_class_of_failure_is_completed() {
    for code in ["300", "404", "503", "699"] {
        tcp(&format!(
            "at 0     in  net INVITE
             at 0     out TU  INVITE
             at 10    in  TU  {code}
             at 10    out net {code}
             at 20    in  net ACK/b
             at 20    out TU  ended"
        ));
    }
}

#[test]
fn the_classes_end_where_the_rfc_ends_them() {
    tcp("at 0     in  net INVITE
         at 0     out TU  INVITE
         at 5     in  TU  199
         at 5     out net 199
         at 10    in  TU  299
         at 10    out net 299
         at 20    in  TU  299
         at 20    out net 299
         at 32010 Timer L
         at 32010 out TU  ended");
}
