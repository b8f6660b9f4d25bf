//! The timers of SIP by name. `[RFC 3261, Table 4]`
//!
//! A row reads: name, who runs it and when, its value over unreliable transports and over reliable ones, what happens when it
//! fires, and the sections. Values are the defaults, with what they derive from; a test compares them with the timers that the
//! transaction layer runs.

use super::entry::{Entry, Kind};

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Timer {
    /// As the RFC writes it, behind "Timer " where the RFC does.
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    /// Over UDP, or whatever the transport.
    pub(crate) unreliable: &'static str,
    /// Over TCP, TLS and WebSocket.
    pub(crate) reliable: &'static str,
    pub(crate) fires: &'static str,
    pub(crate) sources: &'static [&'static str],
}

impl Timer {
    pub(crate) fn entry(&self) -> Entry {
        Entry::new(Kind::Timer, self.name, self.meaning)
            .fact("unreliable", self.unreliable)
            .fact("reliable", self.reliable)
            .fact("fires", self.fires)
            .sources(self.sources.iter().copied())
    }
}

macro_rules! timers {
    ($($name:literal $meaning:literal, $unreliable:literal, $reliable:literal, $fires:literal, [$($source:literal),+];)*) => {
        /// All of them.
        pub(crate) const TIMERS: &[Timer] = &[$(Timer {
            name: $name,
            meaning: $meaning,
            unreliable: $unreliable,
            reliable: $reliable,
            fires: $fires,
            sources: &[$($source),+],
        }),*];
    };
}

timers! {
    "T1" "The estimate of the round trip, from which most other timers derive.",
        "500 ms", "500 ms", "It is no timer by itself: raise it where the round trip is longer, such as over a satellite.",
        ["RFC 3261, Section 17.1.1.1"];
    "T2" "The longest interval between retransmissions of a non-INVITE request or of a final response to INVITE.",
        "4 s", "4 s", "It is no timer by itself: intervals that double stop growing here.",
        ["RFC 3261, Section 17.1.2.2"];
    "T4" "How long a message may stay in the network.",
        "5 s", "5 s", "It is no timer by itself: Timers I and K wait so long for late copies.",
        ["RFC 3261, Section 17.1.2.2"];
    "Timer A" "INVITE client: when the INVITE is sent once more, until any response comes.",
        "T1 = 500 ms, doubling each time", "never", "The INVITE is sent again; six times at most before Timer B fires.",
        ["RFC 3261, Section 17.1.1.2"];
    "Timer B" "INVITE client: how long it waits for the first response.",
        "64*T1 = 32 s", "64*T1 = 32 s",
        "The call fails as if 408 had come. The callee's server is down, a firewall drops the packets, or its answers go elsewhere: \
         look at Via, received and rport.",
        ["RFC 3261, Section 17.1.1.2", "RFC 3261, Section 8.1.3.1"];
    "Timer C" "Proxy: how long an INVITE that was relayed may ring; each provisional response but 100 starts it anew.",
        "more than 3 minutes", "more than 3 minutes",
        "The branch is cancelled where a provisional response came, else treated as if 408 had come.",
        ["RFC 3261, Section 16.6", "RFC 3261, Section 16.8"];
    "Timer D" "INVITE client: how long repetitions of a failure are still answered with ACK.",
        "at least 32 s", "0", "The transaction ends.",
        ["RFC 3261, Section 17.1.1.2", "RFC 6026, Section 8.4"];
    "Timer E" "Non-INVITE client: when the request is sent once more.",
        "T1 = 500 ms, doubling up to T2; T2 = 4 s after a provisional response", "never", "The request is sent again.",
        ["RFC 3261, Section 17.1.2.2"];
    "Timer F" "Non-INVITE client: how long it waits for the final response.",
        "64*T1 = 32 s", "64*T1 = 32 s",
        "The request fails as if 408 had come, which is never sent for it; the next server of the name may be tried.",
        ["RFC 3261, Section 17.1.2.2", "RFC 4320, Section 4.2"];
    "Timer G" "INVITE server: when a failure is sent once more, until ACK comes.",
        "T1 = 500 ms, doubling up to T2 = 4 s", "never", "The response is sent again.",
        ["RFC 3261, Section 17.2.1"];
    "Timer H" "INVITE server: how long it waits for the ACK of a failure.",
        "64*T1 = 32 s", "64*T1 = 32 s",
        "The transaction ends without ACK. The responses don't reach the client, or its ACK doesn't come back.",
        ["RFC 3261, Section 17.2.1"];
    "Timer I" "INVITE server: how long further copies of the ACK are absorbed.",
        "T4 = 5 s", "0", "The transaction ends.",
        ["RFC 3261, Section 17.2.1"];
    "Timer J" "Non-INVITE server: how long repetitions of the request are answered with the same response.",
        "64*T1 = 32 s", "0", "The transaction ends.",
        ["RFC 3261, Section 17.2.2"];
    "Timer K" "Non-INVITE client: how long repetitions of the final response are absorbed.",
        "T4 = 5 s", "0", "The transaction ends.",
        ["RFC 3261, Section 17.1.2.2"];
    "Timer L" "INVITE server: how long repetitions of the INVITE are absorbed after a 2xx.",
        "64*T1 = 32 s", "64*T1 = 32 s", "The transaction ends; the user agent, not the transaction, has repeated the 2xx meanwhile.",
        ["RFC 6026, Section 7.1", "RFC 6026, Section 8.7"];
    "Timer M" "INVITE client: how long further 2xx, from other branches of a fork, are passed on after the first.",
        "64*T1 = 32 s", "64*T1 = 32 s", "The transaction ends.",
        ["RFC 6026, Section 7.2", "RFC 6026, Section 8.4"];
    "Timer N" "Subscriber: how long it waits for the first NOTIFY after a SUBSCRIBE.",
        "64*T1 = 32 s", "64*T1 = 32 s",
        "The subscription failed, or at a refresh is over, even where the SUBSCRIBE was answered with 200.",
        ["RFC 6665, Section 4.1.2.2", "RFC 6665, Section 4.1.2.4"];
    "2xx retransmission" "Callee's user agent: when a 2xx to INVITE is sent once more, until ACK comes; this also over TCP.",
        "T1 = 500 ms, doubling up to T2 = 4 s, for 64*T1 = 32 s", "the same",
        "After 64*T1 without ACK the callee ends the call with BYE. ACK is lost: look at Contact of the 2xx and at Record-Route.",
        ["RFC 3261, Section 13.3.1.4"];
    "100 Trying delay" "INVITE server: within how long it answers 100 unless another response comes sooner.",
        "200 ms", "200 ms", "100 is sent, and the client stops retransmitting.",
        ["RFC 3261, Section 17.2.1"];
    "reliable provisional retransmission" "Callee's user agent: when a provisional response with RSeq is sent once more, until PRACK comes.",
        "T1 = 500 ms, doubling, for 64*T1 = 32 s", "the same", "After 64*T1 without PRACK the INVITE is refused with a 5xx.",
        ["RFC 3262, Section 3"];
    "session timer" "Both sides of a call: how long it lasts without a refresh by re-INVITE or UPDATE; Session-Expires has it, Min-SE its floor.",
        "1800 s recommended, 90 s the least", "the same",
        "The refresher sends one at half of the interval; who sees none ends the call with BYE a little before it is over.",
        ["RFC 4028, Section 4", "RFC 4028, Section 10"];
    "request pending retry" "Both sides of a call: how long to wait after 491.",
        "2.1 to 4 s for who chose the Call-ID, 0 to 2 s for the other, in steps of 10 ms", "the same",
        "The change of the session is tried again, if it is still wanted.",
        ["RFC 3261, Section 14.1"];
    "keep-alive" "Client of a flow: when it sends CR LF CR LF on a connection, or a STUN request over UDP, to keep the flow open.",
        "24 to 29 s", "95 to 120 s, or what Flow-Timer grants",
        "The flow is pinged; without an answer within 10 s (STUN: after its own retransmissions) it counts as failed, and the client \
         registers again over another.",
        ["RFC 5626, Section 4.4", "RFC 5626, Section 4.4.1", "RFC 5626, Section 4.4.2"];
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use ringback_base::{Micros, Transport};
    use ringback_transaction::Timers;

    /// What the text says, in the first time that it names.
    fn time(text: &str) -> Micros {
        let words: Vec<_> = text.split([' ', ',', ';']).collect();
        let at = words.iter().position(|word| matches!(*word, "ms" | "s")).unwrap_or_else(|| panic!("{text}"));
        let number = words[at - 1].parse().unwrap();
        if words[at] == "ms" { Micros::from_ms(number) } else { Micros::from_secs(number) }
    }

    #[test]
    fn the_texts_are_what_the_transaction_layer_runs() {
        let timers = Timers::default();
        let row = |name| TIMERS.iter().find(|row| row.name == name).unwrap();
        for (name, is) in [
            ("T1", timers.t1()),
            ("T2", timers.t2()),
            ("T4", timers.t4()),
            ("Timer A", timers.timer_a()),
            ("Timer B", timers.timer_b()),
            ("Timer E", timers.timer_e()),
            ("Timer F", timers.timer_f()),
            ("Timer G", timers.timer_g()),
            ("Timer H", timers.timer_h()),
            ("Timer L", timers.timer_l()),
            ("Timer M", timers.timer_m()),
        ] {
            assert_eq!(time(row(name).unreliable), is, "{name}");
        }
        type OfTransport = fn(&Timers, Transport) -> Micros;
        let both: [(&str, OfTransport); 4] = [
            ("Timer D", Timers::timer_d),
            ("Timer I", Timers::timer_i),
            ("Timer J", Timers::timer_j),
            ("Timer K", Timers::timer_k),
        ];
        for (name, value) in both {
            assert_eq!(time(row(name).unreliable), value(&timers, Transport::Udp), "{name}");
            assert_eq!((row(name).reliable, value(&timers, Transport::Tcp)), ("0", Micros(0)), "{name}");
        }
    }
}
