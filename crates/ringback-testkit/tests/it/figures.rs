//! A server in the notation of the figures: what it does about an INVITE and what it is that it did it for.

use ringback_base::Micros;
use ringback_stack::Config;
use ringback_testkit::notation::{StackStage, play};

fn figure(script: &str) {
    figure_with(|_| {}, script);
}

fn figure_with(change: impl FnOnce(&mut Config), script: &str) {
    let mut stage = StackStage::new(change).unwrap();
    if let Err(difference) = play(&mut stage, script) {
        panic!("\n{difference}");
    }
}

#[test]
fn a_call_from_invite_to_bye() {
    figure(
        "bob is at bob1
         at 0      in  alice INVITE bob
         at 0      out alice 100
         at 0      out bob1  INVITE
         at 20     in  bob1  180
         at 20     out alice 180/bob1
         at 3000   in  bob1  200
         at 3000   out alice 200/bob1
         at 3010   in  alice ACK
         at 3010   out bob1  ACK
         at 9000   in  alice BYE
         at 9000   out bob1  BYE
         at 9020   in  bob1  200 BYE
         at 9020   out alice 200/bob1 BYE
         at 14020  Timer K
         at 35000  Timer M
         at 41020  Timer J",
    );
}

#[test]
fn nobody_answers() {
    figure(
        "bob is at bob1
         at 0      in  alice INVITE bob
         at 0      out alice 100
         at 0      out bob1  INVITE
         at 500    Timer A
         at 500    out bob1  INVITE
         at 600    in  alice INVITE again
         at 600    out alice 100
         at 1500   Timer A
         at 1500   out bob1  INVITE
         at 3500   Timer A
         at 3500   out bob1  INVITE
         at 7500   Timer A
         at 7500   out bob1  INVITE
         at 15500  Timer A
         at 15500  out bob1  INVITE
         at 31500  Timer A
         at 31500  out bob1  INVITE
         at 32000  Timer B
         at 32000  out alice 408
         at 32010  in  alice ACK
         at 37010  Timer I",
    );
}

#[test]
fn busy_is_acknowledged_on_each_side() {
    figure(
        "bob is at bob1
         at 0      in  alice INVITE bob
         at 0      out alice 100
         at 0      out bob1  INVITE
         at 50     in  bob1  486
         at 50     out bob1  ACK
         at 50     out alice 486/bob1
         at 550    Timer G
         at 550    out alice 486/bob1
         at 560    in  alice ACK
         at 700    in  bob1  486
         at 700    out bob1  ACK
         at 5560   Timer I
         at 32050  Timer D",
    );
}

/// `[RFC 3261, Section 9.1]`: the CANCEL waits for the first sign of life.
#[test]
fn cancelled_before_it_rings() {
    figure(
        "bob is at bob1
         at 0      in  alice INVITE bob
         at 0      out alice 100
         at 0      out bob1  INVITE
         at 100    in  alice CANCEL
         at 100    out alice 200 CANCEL
         at 200    in  bob1  180
         at 200    out bob1  CANCEL
         at 200    out alice 180/bob1
         at 210    in  bob1  200 CANCEL
         at 220    in  bob1  487
         at 220    out bob1  ACK
         at 220    out alice 487/bob1
         at 230    in  alice ACK
         at 5210   Timer K
         at 5230   Timer I
         at 32100  Timer J
         at 32220  Timer D",
    );
}

/// The CANCEL and the 200 pass each other: the session stands, and the caller gets its 200.
#[test]
fn a_cancel_that_crosses_the_answer() {
    figure(
        "bob is at bob1
         at 0      in  alice INVITE bob
         at 0      out alice 100
         at 0      out bob1  INVITE
         at 10     in  bob1  180
         at 10     out alice 180/bob1
         at 1000   in  alice CANCEL
         at 1000   out alice 200 CANCEL
         at 1000   out bob1  CANCEL
         at 1001   in  bob1  200
         at 1001   out alice 200/bob1
         at 1020   in  bob1  200 CANCEL
         at 1030   in  alice ACK
         at 1030   out bob1  ACK
         at 6020   Timer K
         at 33000  Timer J
         at 33001  Timer M",
    );
}

/// `[RFC 3261, Section 16.7]`: the first 2xx cancels the others, and a second 2xx goes back all the same.
#[test]
fn two_phones_ring_and_both_answer() {
    figure(
        "bob is at bob1
         bob is at bob2
         at 0      in  alice INVITE bob
         at 0      out alice 100
         at 0      out bob1  INVITE
         at 0      out bob2  INVITE
         at 10     in  bob1  180
         at 10     out alice 180/bob1
         at 20     in  bob2  180
         at 20     out alice 180/bob2
         at 1000   in  bob1  200
         at 1000   out alice 200/bob1
         at 1000   out bob2  CANCEL
         at 1005   in  bob2  200
         at 1005   out alice 200/bob2
         at 1030   in  bob2  200 CANCEL
         at 6030   Timer K
         at 33000  Timer M
         at 33005  Timer M",
    );
}

/// `[RFC 3261, Section 16.6]`: those who are wanted less are tried when those who are wanted more have refused.
#[test]
fn one_after_the_other_by_preference() {
    figure(
        "bob is at bob1 q=0.5
         bob is at bob2 q=0.9
         at 0      in  alice INVITE bob
         at 0      out alice 100
         at 0      out bob2  INVITE
         at 40     in  bob2  404
         at 40     out bob2  ACK
         at 40     out bob1  INVITE
         at 90     in  bob1  486
         at 90     out bob1  ACK
         at 90     out alice 404/bob2
         at 100    in  alice ACK
         at 5100   Timer I
         at 32040  Timer D
         at 32090  Timer D",
    );
}

/// A 6xx ends it for all, but not before all have ended. `[RFC 3261, Section 16.7]`
#[test]
fn one_who_speaks_for_all() {
    figure(
        "bob is at bob1
         bob is at bob2
         at 0      in  alice INVITE bob
         at 0      out alice 100
         at 0      out bob1  INVITE
         at 0      out bob2  INVITE
         at 10     in  bob1  180
         at 10     out alice 180/bob1
         at 20     in  bob2  603
         at 20     out bob2  ACK
         at 20     out bob1  CANCEL
         at 40     in  bob1  200 CANCEL
         at 50     in  bob1  487
         at 50     out bob1  ACK
         at 50     out alice 603/bob2
         at 60     in  alice ACK
         at 5040   Timer K
         at 5060   Timer I
         at 32020  Timer D
         at 32050  Timer D",
    );
}

#[test]
fn one_phone_is_gone_and_the_other_answers() {
    figure(
        "bob is at bob1
         bob is at bob2
         at 0      in  alice INVITE bob
         at 0      out alice 100
         at 0      out bob1  INVITE
         at 0      out bob2  INVITE
         at 5      in  bob1  error
         at 10     in  bob2  200
         at 10     out alice 200/bob2
         at 20     in  alice ACK
         at 20     out bob2  ACK
         at 32010  Timer M",
    );
}

/// A phone that rings and hears nothing any more: Timer C cancels it, and what does not end then is given up.
#[test]
fn a_phone_that_rings_for_ever() {
    figure_with(
        |config| config.proxy.timer_c = Micros::from_secs(200),
        "bob is at bob1
         at 0      in  alice INVITE bob
         at 0      out alice 100
         at 0      out bob1  INVITE
         at 10     in  bob1  180
         at 10     out alice 180/bob1
         at 200010 Timer of the call
         at 200010 out bob1  CANCEL
         at 200020 in  bob1  200 CANCEL
         at 205020 Timer K
         at 232010 Timer of the call
         at 232010 out alice 408
         at 232020 in  alice ACK
         at 237020 Timer I
         at 264010 Abandoned",
    );
}

/// `[RFC 4320, Section 4.2]`
#[test]
fn a_message_that_nobody_answers_is_not_answered() {
    figure(
        "bob is at bob1
         at 0      in  alice MESSAGE bob
         at 0      out bob1  MESSAGE
         at 100    in  bob1  408 MESSAGE
         at 3500   Trying
         at 3500   out alice 100 MESSAGE
         at 5100   Timer K
         at 32000  Expiry
         at 37000  Timer J",
    );
}
