//! What SIPp counted.

use std::collections::BTreeMap;

use crate::Fault;

/// What SIPp counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Calls begun, or received.
    pub calls: u64,
    /// Calls that went as the scenario says.
    pub succeeded: u64,
    /// Calls that didn't.
    pub failed: u64,
    /// Messages that the scenario had no place for, that belonged to no call, or that came after a call's end where
    /// nothing had been sent twice.
    pub unexpected: u64,
    /// Messages sent or received again.
    pub retransmissions: u64,
    /// How often each message was sent, by its method, or by its code and the method of its CSeq (`200 INVITE`).
    pub sent: BTreeMap<String, u64>,
    /// How often each message was received, as above.
    pub received: BTreeMap<String, u64>,
    /// From start to end, by our clock.
    pub seconds: f64,
    /// Why this isn't good; empty where it is.
    pub faults: Vec<String>,
}

impl Figures {
    /// Reads the last line of a `-trace_stat` file.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let mut lines = text.lines();
        let heads = lines.next().ok_or("no statistics")?;
        let last = lines.last().ok_or("statistics without a line")?;
        let column = |name: &str| -> Result<u64, Fault> {
            let mut pairs = heads.split(';').zip(last.split(';'));
            let (_, value) = pairs.find(|(head, _)| *head == name).ok_or_else(|| format!("no column {name}"))?;
            value.parse().map_err(|_| format!("{name} is {value}"))
        };
        let retransmissions = column("Retransmissions(C)")?;
        // A message for a call that has ended is what a retransmission leaves behind, and nothing else.
        let late = column("DeadCallMsgs(C)")?.saturating_sub(retransmissions);
        Ok(Self {
            calls: column("TotalCallCreated")?,
            succeeded: column("SuccessfulCall(C)")?,
            failed: column("FailedCall(C)")?,
            unexpected: column("FailedUnexpectedMessage(C)")? + column("OutOfCallMsgs(C)")? + late,
            retransmissions,
            ..Self::default()
        })
    }

    /// Reads a `-trace_shortmsg` file. Its columns: date and time, seconds, S or R, Call-ID, CSeq, start line.
    pub(super) fn count_messages(&mut self, text: &str) {
        for line in text.lines() {
            let mut columns = line.split('\t').skip_while(|column| !matches!(*column, "S" | "R"));
            let counts = match columns.next() {
                Some("S") => &mut self.sent,
                Some("R") => &mut self.received,
                _ => continue,
            };
            let (Some(cseq), Some(start)) = (columns.nth(1), columns.next()) else { continue };
            let name = match (start.strip_prefix("SIP/2.0 "), cseq.split_whitespace().next_back()) {
                (Some(status), Some(method)) => format!("{} {method}", status.split(' ').next().unwrap_or_default()),
                _ => start.split(' ').next().unwrap_or_default().to_owned(),
            };
            *counts.entry(name).or_default() += 1;
        }
    }

    /// How often a message of this name was sent; see [`Figures::sent`].
    #[must_use]
    pub fn sent(&self, name: &str) -> u64 {
        self.sent.get(name).copied().unwrap_or_default()
    }

    /// How often a message of this name was received; see [`Figures::received`].
    #[must_use]
    pub fn received(&self, name: &str) -> u64 {
        self.received.get(name).copied().unwrap_or_default()
    }

    /// Counts a call that no SIPp made, begun `seconds` ago.
    pub fn one_call(&mut self, seconds: f64) {
        self.then(Self { calls: 1, succeeded: 1, seconds, ..Self::default() });
    }

    /// Adds a run that came after this one.
    pub fn then(&mut self, next: Self) {
        self.calls += next.calls;
        self.succeeded += next.succeeded;
        self.seconds += next.seconds;
        self.beside(next);
    }

    /// Adds the other side of the same calls, which ran at the same time: its calls are no further ones.
    pub fn beside(&mut self, other: Self) {
        self.failed += other.failed;
        self.unexpected += other.unexpected;
        self.retransmissions += other.retransmissions;
        for (name, count) in other.sent {
            *self.sent.entry(name).or_default() += count;
        }
        for (name, count) in other.received {
            *self.received.entry(name).or_default() += count;
        }
        self.faults.extend(other.faults);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HEADS: &str = "CallRate(C);TotalCallCreated;SuccessfulCall(C);FailedCall(C);FailedUnexpectedMessage(C);\
                         OutOfCallMsgs(C);DeadCallMsgs(C);Retransmissions(C);";

    #[test]
    fn the_last_line_counts() {
        let text = format!("{HEADS}\n0;0;0;0;0;0;0;0;\n9.5;100;97;3;2;1;9;5;\n");
        let figures = Figures::read(&text).unwrap();
        assert_eq!(
            figures,
            Figures {
                calls: 100,
                succeeded: 97,
                failed: 3,
                unexpected: 2 + 1 + 4,
                retransmissions: 5,
                ..Figures::default()
            }
        );
    }

    #[test]
    fn statistics_that_lack_something_are_a_fault() {
        assert!(Figures::read("").is_err());
        assert!(Figures::read(HEADS).is_err());
        let fault = Figures::read("TotalCallCreated;\n1;\n").unwrap_err();
        assert_eq!(fault, "no column Retransmissions(C)");
    }

    #[test]
    fn messages_are_counted_by_what_they_are() {
        let text = "2026-01-02\t00:00:00.1\t1.1\tS\tc\tCSeq:1 INVITE\tINVITE sip:a SIP/2.0\n\
                    2026-01-02\t00:00:00.2\t1.2\tR\tc\tCSeq:1 INVITE\tSIP/2.0 200 OK\n\
                    2026-01-02\t00:00:00.3\t1.3\tR\tc\tCSeq:1 INVITE\tSIP/2.0 200 OK\n\
                    2026-01-02\t00:00:00.4\t1.4\tR\tc\tCSeq:2 BYE\tBYE sip:b SIP/2.0\n";
        let mut figures = Figures::default();
        figures.count_messages(text);
        assert_eq!((figures.received("200 INVITE"), figures.received("BYE"), figures.received("INVITE")), (2, 1, 0));
        assert_eq!((figures.sent("INVITE"), figures.sent("BYE")), (1, 0));
    }

    #[test]
    fn sides_and_batches_add_up() {
        let one = Figures { calls: 10, succeeded: 10, failed: 1, seconds: 1.5, ..Figures::default() };
        let mut sum = one.clone();
        sum.then(one.clone());
        sum.beside(one);
        assert_eq!((sum.calls, sum.succeeded, sum.failed), (20, 20, 3));
        assert!((sum.seconds - 3.0).abs() < 1e-9);
    }
}
