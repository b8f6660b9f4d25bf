//! What the timers are set to, and which of them is due. `[RFC 3261, Table 4]` `[RFC 6026, Section 8.11]`

use core::fmt;

use ringback_base::{Micros, Transport};

/// How long each timer runs: derived from T1, T2 and T4, and each of them may be set by itself.
///
/// | timer | unreliable transport | reliable transport | source |
/// |---|---|---|---|
/// | A | T1, doubling | never | `[RFC 3261, Section 17.1.1.2]` |
/// | B | 64*T1 | 64*T1 | `[RFC 3261, Section 17.1.1.2]` |
/// | D | 64*T1, at least 32 s | 0 | `[RFC 6026, Section 8.4]` |
/// | E | T1, doubling up to T2; T2 in Proceeding | never | `[RFC 3261, Section 17.1.2.2]` |
/// | F | 64*T1 | 64*T1 | `[RFC 3261, Section 17.1.2.2]` |
/// | G | T1, doubling up to T2 | never | `[RFC 3261, Section 17.2.1]` |
/// | H | 64*T1 | 64*T1 | `[RFC 3261, Section 17.2.1]` |
/// | I | T4 | 0 | `[RFC 3261, Section 17.2.1]` |
/// | J | 64*T1 | 0 | `[RFC 3261, Section 17.2.2]` |
/// | K | T4 | 0 | `[RFC 3261, Section 17.1.2.2]` |
/// | L | 64*T1 | 64*T1 | `[RFC 6026, Section 8.7]` |
/// | M | 64*T1 | 64*T1 | `[RFC 6026, Section 8.4]` |
///
/// Timer C belongs to the proxy. `[RFC 3261, Section 16.6]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    t1: Micros,
    t2: Micros,
    t4: Micros,
    a: Micros,
    b: Micros,
    d: Micros,
    e: Micros,
    f: Micros,
    g: Micros,
    h: Micros,
    i: Micros,
    j: Micros,
    k: Micros,
    l: Micros,
    m: Micros,
    trying: Micros,
    expiry: Micros,
    abandoned: Micros,
}

/// The least that T1, T2 and what repeats a message can be: a retransmission timer of zero would never let go of the
/// caller.
const INTERVAL_MIN: Micros = Micros::from_ms(1);

/// The least that Timer D is on unreliable transports, unless it is set by itself. `[RFC 6026, Section 8.4]`
const TIMER_D_MIN: Micros = Micros::from_secs(32);

impl Default for Timers {
    /// T1 500 ms, T2 4 s, T4 5 s. `[RFC 3261, Table 4]`
    fn default() -> Timers {
        Timers::new(Micros::from_ms(500), Micros::from_secs(4), Micros::from_secs(5))
    }
}

impl Timers {
    /// Timers from T1 (the estimate of the round trip), T2 (the longest interval between retransmissions) and T4 (how
    /// long a message stays in the network). T1 and T2 are at least one millisecond, whatever is asked for.
    #[must_use]
    pub fn new(t1: Micros, t2: Micros, t4: Micros) -> Timers {
        let (t1, t2) = (t1.max(INTERVAL_MIN), t2.max(INTERVAL_MIN));
        let t1_64 = Micros(t1.0.saturating_mul(64));
        Timers {
            t1,
            t2,
            t4,
            a: t1,
            b: t1_64,
            d: t1_64.max(TIMER_D_MIN),
            e: t1,
            f: t1_64,
            g: t1,
            h: t1_64,
            i: t4,
            j: t1_64,
            k: t4,
            l: t1_64,
            m: t1_64,
            trying: until_t2(t1, t2),
            expiry: t1_64,
            abandoned: t1_64,
        }
    }

    /// The same with one timer of that length, whatever T1, T2 and T4 are; for Timers A, E and G it is the first
    /// interval, at least one millisecond.
    ///
    /// What a reliable transport makes zero or never starts stays so. A shorter Timer B or F gives up earlier, which is
    /// how a proxy reaches the next target soon; a shorter D, I, J, K, L or M forgets a transaction that may still be
    /// repeated, and what comes then is taken for new.
    ///
    /// ```
    /// use ringback_base::Micros;
    /// use ringback_transaction::{Reason, Timers};
    ///
    /// let impatient = Timers::default().with(Reason::TimerB, Micros::from_secs(4));
    /// assert_eq!((impatient.timer_b(), impatient.timer_f()), (Micros::from_secs(4), Micros::from_secs(32)));
    /// ```
    #[must_use]
    pub fn with(mut self, timer: Reason, span: Micros) -> Timers {
        match timer {
            Reason::TimerA => self.a = span.max(INTERVAL_MIN),
            Reason::TimerB => self.b = span,
            Reason::TimerD => self.d = span,
            Reason::TimerE => self.e = span.max(INTERVAL_MIN),
            Reason::TimerF => self.f = span,
            Reason::TimerG => self.g = span.max(INTERVAL_MIN),
            Reason::TimerH => self.h = span,
            Reason::TimerI => self.i = span,
            Reason::TimerJ => self.j = span,
            Reason::TimerK => self.k = span,
            Reason::TimerL => self.l = span,
            Reason::TimerM => self.m = span,
            Reason::Trying => self.trying = span,
            Reason::Expiry => self.expiry = span,
            Reason::Abandoned => self.abandoned = span,
        }
        self
    }

    /// T1.
    #[must_use]
    pub const fn t1(&self) -> Micros {
        self.t1
    }

    /// T2.
    #[must_use]
    pub const fn t2(&self) -> Micros {
        self.t2
    }

    /// T4.
    #[must_use]
    pub const fn t4(&self) -> Micros {
        self.t4
    }

    /// 64*T1, the patience of every machine and of a UA that waits for an ACK to its 2xx.
    #[must_use]
    pub const fn t1_64(&self) -> Micros {
        Micros(self.t1.0.saturating_mul(64))
    }

    /// Timer A, the first interval; it doubles with each retransmission, without end.
    #[must_use]
    pub const fn timer_a(&self) -> Micros {
        self.a
    }

    /// Timer B.
    #[must_use]
    pub const fn timer_b(&self) -> Micros {
        self.b
    }

    /// Timer D.
    #[must_use]
    pub const fn timer_d(&self, transport: Transport) -> Micros {
        if_unreliable(self.d, transport)
    }

    /// Timer E, the first interval; [`Timers::doubled_to_t2`] gives the next ones.
    #[must_use]
    pub const fn timer_e(&self) -> Micros {
        self.e
    }

    /// Timer F.
    #[must_use]
    pub const fn timer_f(&self) -> Micros {
        self.f
    }

    /// Timer G, the first interval; [`Timers::doubled_to_t2`] gives the next ones.
    #[must_use]
    pub const fn timer_g(&self) -> Micros {
        self.g
    }

    /// Timer H.
    #[must_use]
    pub const fn timer_h(&self) -> Micros {
        self.h
    }

    /// Timer I.
    #[must_use]
    pub const fn timer_i(&self, transport: Transport) -> Micros {
        if_unreliable(self.i, transport)
    }

    /// Timer J.
    #[must_use]
    pub const fn timer_j(&self, transport: Transport) -> Micros {
        if_unreliable(self.j, transport)
    }

    /// Timer K.
    #[must_use]
    pub const fn timer_k(&self, transport: Transport) -> Micros {
        if_unreliable(self.k, transport)
    }

    /// Timer L.
    #[must_use]
    pub const fn timer_l(&self) -> Micros {
        self.l
    }

    /// Timer M.
    #[must_use]
    pub const fn timer_m(&self) -> Micros {
        self.m
    }

    /// When a non-INVITE that nobody answered gets its 100, and the first moment at which it may have one over an
    /// unreliable transport: the time that Timer E takes to be reset to T2. `[RFC 4320, Section 4.1]`
    #[must_use]
    pub const fn trying(&self) -> Micros {
        self.trying
    }

    /// How long a non-INVITE may stay unanswered: as long as its client waits, whose Timer F this is.
    /// `[RFC 4320, Section 4.2]`
    #[must_use]
    pub const fn expiry(&self) -> Micros {
        self.expiry
    }

    /// How long an INVITE that its TU has given up waits for a final response. `[RFC 3261, Section 9.1]`
    #[must_use]
    pub const fn abandoned(&self) -> Micros {
        self.abandoned
    }

    /// How long an expired non-INVITE still absorbs what its client sent before it gave up.
    pub(crate) const fn expired_linger(&self, transport: Transport) -> Micros {
        if_unreliable(self.t4, transport)
    }

    /// The interval after this one, for Timers E and G.
    #[must_use]
    pub fn doubled_to_t2(&self, interval: Micros) -> Micros {
        interval.doubled().min(self.t2)
    }
}

const fn if_unreliable(span: Micros, transport: Transport) -> Micros {
    if transport.is_reliable() { Micros(0) } else { span }
}

/// The sum of the intervals T1, 2*T1 … that are below T2. At 64 doublings it is past every clock.
fn until_t2(t1: Micros, t2: Micros) -> Micros {
    let (mut interval, mut sum) = (t1, t1);
    for _ in 0..64 {
        interval = interval.doubled();
        if interval >= t2 {
            break;
        }
        sum = sum.plus(interval);
    }
    sum
}

/// Which timer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// INVITE client, Calling: send the INVITE once more.
    TimerA,
    /// INVITE client, Calling: nobody answers.
    TimerB,
    /// INVITE client, Completed: no more repetitions of the final response are expected.
    TimerD,
    /// Non-INVITE client: send the request once more.
    TimerE,
    /// Non-INVITE client: nobody answers.
    TimerF,
    /// INVITE server, Completed: send the final response once more.
    TimerG,
    /// INVITE server, Completed: the ACK never came.
    TimerH,
    /// INVITE server, Confirmed: no more repetitions of the ACK are expected.
    TimerI,
    /// Non-INVITE server, Completed: no more repetitions of the request are expected.
    TimerJ,
    /// Non-INVITE client, Completed: no more repetitions of the response are expected.
    TimerK,
    /// INVITE server, Accepted: no more repetitions of the INVITE, nor a 2xx of ours, are expected.
    TimerL,
    /// INVITE client, Accepted: no more 2xx are expected.
    TimerM,
    /// Non-INVITE server, Trying: unanswered for so long that a 100 is due. `[RFC 4320, Section 4.1]`
    Trying,
    /// Non-INVITE server: unanswered for so long that its client has given up. `[RFC 4320, Section 4.2]`
    Expiry,
    /// INVITE client, given up by its user, still without a final response. `[RFC 3261, Section 9.1]`
    Abandoned,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::TimerA => "Timer A",
            Reason::TimerB => "Timer B",
            Reason::TimerD => "Timer D",
            Reason::TimerE => "Timer E",
            Reason::TimerF => "Timer F",
            Reason::TimerG => "Timer G",
            Reason::TimerH => "Timer H",
            Reason::TimerI => "Timer I",
            Reason::TimerJ => "Timer J",
            Reason::TimerK => "Timer K",
            Reason::TimerL => "Timer L",
            Reason::TimerM => "Timer M",
            Reason::Trying => "Trying",
            Reason::Expiry => "Expiry",
            Reason::Abandoned => "Abandoned",
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    const SECS_32: Micros = Micros::from_secs(32);
    const ZERO: Micros = Micros(0);

    #[test]
    fn the_values_of_table_4() {
        let timers = Timers::default();
        assert_eq!(
            (timers.timer_a(), timers.timer_e(), timers.timer_g()),
            (Micros(500_000), Micros(500_000), Micros(500_000))
        );
        for fixed in
            [timers.timer_b(), timers.timer_f(), timers.timer_h(), timers.timer_l(), timers.timer_m(), timers.expiry()]
        {
            assert_eq!(fixed, SECS_32);
        }
        for (transport, d, i, j, k) in [
            (Transport::Udp, SECS_32, Micros::from_secs(5), SECS_32, Micros::from_secs(5)),
            (Transport::Tcp, ZERO, ZERO, ZERO, ZERO),
            (Transport::Tls, ZERO, ZERO, ZERO, ZERO),
            (Transport::Ws, ZERO, ZERO, ZERO, ZERO),
            (Transport::Wss, ZERO, ZERO, ZERO, ZERO),
        ] {
            let seen = (
                timers.timer_d(transport),
                timers.timer_i(transport),
                timers.timer_j(transport),
                timers.timer_k(transport),
            );
            assert_eq!(seen, (d, i, j, k), "{transport}");
        }
    }

    /// Timer E fires at 500 ms, 1.5 s and 3.5 s, and is T2 from then on.
    #[test]
    fn a_100_is_due_when_timer_e_is_reset_to_t2() {
        assert_eq!(Timers::default().trying(), Micros::from_ms(3_500));
        for (t1_ms, t2_ms, trying_ms) in [(500, 500, 500), (500, 100, 500), (500, 1_000, 500), (500, 1_001, 1_500)] {
            let timers = Timers::new(Micros::from_ms(t1_ms), Micros::from_ms(t2_ms), ZERO);
            assert_eq!(timers.trying(), Micros::from_ms(trying_ms), "{t1_ms} {t2_ms}");
        }
        assert!(Timers::new(ZERO, Micros::MAX, ZERO).trying() > Micros::from_secs(1_000_000));
    }

    #[test]
    fn each_timer_can_be_set_by_itself() {
        const SECS_7: Micros = Micros::from_secs(7);
        const ALL: [Reason; 15] = [
            Reason::TimerA,
            Reason::TimerB,
            Reason::TimerD,
            Reason::TimerE,
            Reason::TimerF,
            Reason::TimerG,
            Reason::TimerH,
            Reason::TimerI,
            Reason::TimerJ,
            Reason::TimerK,
            Reason::TimerL,
            Reason::TimerM,
            Reason::Trying,
            Reason::Expiry,
            Reason::Abandoned,
        ];
        let all = |timers: Timers, by: Transport| {
            [
                timers.timer_a(),
                timers.timer_b(),
                timers.timer_d(by),
                timers.timer_e(),
                timers.timer_f(),
                timers.timer_g(),
                timers.timer_h(),
                timers.timer_i(by),
                timers.timer_j(by),
                timers.timer_k(by),
                timers.timer_l(),
                timers.timer_m(),
                timers.trying(),
                timers.expiry(),
                timers.abandoned(),
            ]
        };
        for (place, timer) in ALL.into_iter().enumerate() {
            let changed = Timers::default().with(timer, SECS_7);
            for by in [Transport::Udp, Transport::Tcp] {
                let mut wanted = all(Timers::default(), by);
                wanted[place] = if wanted[place] == ZERO { ZERO } else { SECS_7 };
                assert_eq!(all(changed, by), wanted, "{timer} {by}");
            }
        }
        let zero = Timers::default().with(Reason::TimerA, ZERO).with(Reason::TimerE, ZERO).with(Reason::TimerG, ZERO);
        assert_eq!(all(zero, Transport::Udp).into_iter().min(), Some(Micros::from_ms(1)));
    }

    #[test]
    fn timer_d_is_not_derived_below_32_s() {
        let quick = Timers::new(Micros::from_ms(10), Micros::from_secs(4), Micros::from_secs(5));
        assert_eq!((quick.timer_d(Transport::Udp), quick.timer_j(Transport::Udp)), (SECS_32, Micros::from_ms(640)));
        let slow = Timers::new(Micros::from_secs(1), Micros::from_secs(4), Micros::from_secs(5));
        assert_eq!(slow.timer_d(Transport::Udp), Micros::from_secs(64));
    }

    #[test]
    fn intervals_double_up_to_t2_and_are_never_zero() {
        let timers = Timers::default();
        let mut interval = timers.timer_e();
        let seen = [(); 5].map(|()| {
            interval = timers.doubled_to_t2(interval);
            interval.0 / 1_000
        });
        assert_eq!(seen, [1_000, 2_000, 4_000, 4_000, 4_000]);
        let zero = Timers::new(ZERO, ZERO, ZERO);
        assert_eq!((zero.t1(), zero.t2(), zero.t4()), (Micros(1_000), Micros(1_000), ZERO));
    }
}
