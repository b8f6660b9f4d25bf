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
    /// What ended the case early, if anything did.
    pub fault: Option<Fault>,
}

impl Outcome {
    /// Whether the case proves what it should.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.fault.is_none() && self.figures.faults.is_empty() && self.figures.failed == 0
    }

    /// The case's line of the table, and below it what went wrong.
    #[must_use]
    pub fn lines(&self) -> String {
        let Figures { calls, failed, unexpected, retransmissions, seconds, faults, .. } = &self.figures;
        let verdict = if self.is_good() { "ok" } else { "FAILED" };
        let name = self.name;
        let mut text = format!(
            "{name:<16} {calls:>6} {failed:>8} {unexpected:>10} {retransmissions:>15} {seconds:>8.1}  {verdict}"
        );
        for line in faults.iter().chain(&self.fault) {
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
    format!("{case:<16} {calls:>6} {failures:>8} {unexpected:>10} {retransmissions:>15} {seconds:>8}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_their_heads() {
        let good = Outcome {
            name: "calls",
            figures: Figures { calls: 1000, seconds: 12.34, ..Figures::default() },
            fault: None,
        };
        let line = good.lines();
        assert!(line.ends_with("  ok"), "{line}");
        assert_eq!(line.find("1000").map(|at| at + 4), heads().find("calls").map(|at| at + 5));
        assert_eq!(line.find("12.3").map(|at| at + 4), Some(heads().len()));
    }

    #[test]
    fn a_fault_fails_the_case_and_is_told() {
        let bad = Outcome { name: "calls", figures: Figures::default(), fault: Some("the server ended".to_owned()) };
        assert!(!bad.is_good());
        assert!(bad.lines().ends_with("FAILED\n    the server ended"));
    }
}
