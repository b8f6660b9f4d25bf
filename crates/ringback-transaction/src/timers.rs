//! What the timers are set to, and which of them is due. `[RFC 3261, Table 4]` `[RFC 6026, Section 8.11]`

use core::fmt;

use ringback_base::{Micros, Transport};

/// The three values that every timer of the layer derives from.
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
}

/// The least that T1 and T2 can be: a retransmission timer of zero would never let go of the caller.
const INTERVAL_MIN: Micros = Micros::from_ms(1);

/// The least that Timer D is on unreliable transports. `[RFC 6026, Section 8.4]`
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
        Timers { t1: t1.max(INTERVAL_MIN), t2: t2.max(INTERVAL_MIN), t4 }
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
        self.t1
    }

    /// Timer B.
    #[must_use]
    pub const fn timer_b(&self) -> Micros {
        self.t1_64()
    }

    /// Timer D.
    #[must_use]
    pub fn timer_d(&self, transport: Transport) -> Micros {
        if transport.is_reliable() { Micros(0) } else { self.t1_64().max(TIMER_D_MIN) }
    }

    /// Timer E, the first interval; [`Timers::doubled_to_t2`] gives the next ones.
    #[must_use]
    pub const fn timer_e(&self) -> Micros {
        self.t1
    }

    /// Timer F.
    #[must_use]
    pub const fn timer_f(&self) -> Micros {
        self.t1_64()
    }

    /// Timer G, the first interval; [`Timers::doubled_to_t2`] gives the next ones.
    #[must_use]
    pub const fn timer_g(&self) -> Micros {
        self.t1
    }

    /// Timer H.
    #[must_use]
    pub const fn timer_h(&self) -> Micros {
        self.t1_64()
    }

    /// Timer I.
    #[must_use]
    pub const fn timer_i(&self, transport: Transport) -> Micros {
        self.t4_if_unreliable(transport)
    }

    /// Timer J.
    #[must_use]
    pub const fn timer_j(&self, transport: Transport) -> Micros {
        if transport.is_reliable() { Micros(0) } else { self.t1_64() }
    }

    /// Timer K.
    #[must_use]
    pub const fn timer_k(&self, transport: Transport) -> Micros {
        self.t4_if_unreliable(transport)
    }

    /// Timer L.
    #[must_use]
    pub const fn timer_l(&self) -> Micros {
        self.t1_64()
    }

    /// Timer M.
    #[must_use]
    pub const fn timer_m(&self) -> Micros {
        self.t1_64()
    }

    /// How long a non-INVITE may stay unanswered: as long as its client waits, whose Timer F this is.
    /// `[RFC 4320, Section 4.2]`
    #[must_use]
    pub const fn expiry(&self) -> Micros {
        self.t1_64()
    }

    /// How long an expired non-INVITE still absorbs what its client sent before it gave up.
    pub(crate) const fn expired_linger(&self, transport: Transport) -> Micros {
        self.t4_if_unreliable(transport)
    }

    /// The interval after this one, for Timers E and G.
    #[must_use]
    pub fn doubled_to_t2(&self, interval: Micros) -> Micros {
        interval.doubled().min(self.t2)
    }

    const fn t4_if_unreliable(&self, transport: Transport) -> Micros {
        if transport.is_reliable() { Micros(0) } else { self.t4 }
    }
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
            Reason::Expiry => "Expiry",
            Reason::Abandoned => "Abandoned",
        })
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn timer_d_is_never_below_32_s() {
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
