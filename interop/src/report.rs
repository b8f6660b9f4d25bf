//! The table, and what went wrong.

use crate::Fault;
use crate::sipp::Figures;

/// What one case came to.
#[derive(Debug)]
pub struct Outcome {
    /// The case's name.
    pub name: &'static str,
    /// What the peers counted, all of the case's runs together.
    pub figures: Figures,
    /// What the peers said.
    pub notes: Vec<String>,
    /// What ended the case early, if anything did.
    pub fault: Option<Fault>,
}

impl Outcome {
    /// Whether the case proves what it should.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.fault.is_none() && self.figures.faults.is_empty() && self.figures.failed == 0
    }

    /// The case's line of the table, which ends with the peers that it ran with; below it what they said, and what went wrong.
    #[must_use]
    pub fn lines(&self, peers: &str) -> String {
        let Figures { calls, failed, unexpected, retransmissions, seconds, faults, .. } = &self.figures;
        let verdict = if self.is_good() { "ok" } else { "FAILED" };
        let name = self.name;
        let mut text = format!(
            "{name:<16} {calls:>6} {failed:>8} {unexpected:>10} {retransmissions:>15} {seconds:>8.1}  {verdict:<6}  {peers}"
        );
        for line in self.notes.iter().chain(faults).chain(&self.fault) {
            text.push_str("\n    ");
            text.push_str(line);
        }
        text
    }
}

/// The heads of the table's columns.
#[must_use]
pub fn heads() -> String {
    let [case, calls, failures, unexpected, retransmissions, seconds] =
        ["case", "calls", "failures", "unexpected", "retransmissions", "seconds"];
    format!("{case:<16} {calls:>6} {failures:>8} {unexpected:>10} {retransmissions:>15} {seconds:>8}  result  peers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_their_heads() {
        let good = Outcome {
            name: "calls",
            figures: Figures { calls: 1000, seconds: 12.34, ..Figures::default() },
            notes: Vec::new(),
            fault: None,
        };
        let line = good.lines("SIPp 3");
        assert!(line.ends_with("  ok      SIPp 3"), "{line}");
        assert_eq!(line.find("1000").map(|at| at + 4), heads().find("calls").map(|at| at + 5));
        assert_eq!(line.find("12.3").map(|at| at + 4), heads().find("seconds").map(|at| at + 7));
        assert_eq!(line.find("ok"), heads().find("result"));
        assert_eq!(line.find("SIPp"), heads().find("peers"));
    }

    #[test]
    fn a_fault_fails_the_case_and_is_told() {
        let bad = Outcome {
            name: "calls",
            figures: Figures::default(),
            notes: vec!["rang".to_owned()],
            fault: Some("the server ended".to_owned()),
        };
        assert!(!bad.is_good());
        assert!(bad.lines("SIPp 3").ends_with("FAILED  SIPp 3\n    rang\n    the server ended"));
    }
}
