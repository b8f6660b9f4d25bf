//! The call flows of the RFCs, message by message, between our own phones and servers.

mod judge;
mod line;
pub(crate) mod town;

mod conferences;
mod extensions;
mod failures;
mod forwards;
mod hold;
mod page;
mod registration;
mod sessions;
mod subscriptions;
mod transfers;

use std::fmt::Write as _;

use town::Town;

/// Differences of many flows, which the page explains in the beginning.
pub(crate) const DIALED: &str = "*dialed*";
pub(crate) const ACCEPTED: &str = "*accepted*";
pub(crate) const CROSSING: &str = "*crossing*";
pub(crate) const FORWARDED: &str = "*forwarded*";
pub(crate) const ON_THE_WAY: &str = "*on the way*";

/// A flow of an RFC.
///
/// A line of its ladder is a message: a label, what it is, who sends it to whom, and what it says. The label is the number that the
/// figure has for it, `100` for a 100 that it leaves out, or a letter where it has no such message. The lines stand in the order in
/// which the messages were sent. Whatever isn't as in the figure is named among the differences.
pub(crate) struct Flow {
    /// Where the figure is: `RFC 3665, Section 3.1`.
    pub(crate) section: &'static str,
    pub(crate) title: &'static str,
    /// How many messages the figure has; 0 where there is none, but a text.
    pub(crate) figure: u32,
    pub(crate) ladder: &'static str,
    /// Labels, and why these messages are missing, added, in another place, or of other content.
    pub(crate) differs: &'static [(&'static str, &'static str)],
}

impl Flow {
    /// What was sent in the town is this ladder, and nothing is left of it in the end.
    pub(crate) fn is_played(&self, town: &mut Town) {
        let played = town.take_lines();
        self.is_shown(&played);
        town.ends_empty();
        let more = town.take_lines();
        assert!(more.is_empty(), "{}: after it\n{}", self.section, more.join("\n"));
    }

    pub(crate) fn message_len(&self) -> usize {
        self.ladder.lines().filter(|line| line.contains('|')).count()
    }

    /// What was sent is this ladder.
    pub(crate) fn is_shown(&self, played: &[String]) {
        assert!(page::all().any(|flow| flow.section == self.section), "{} is not on the page", self.section);
        let split = |line: &'static str| line.split_once(' ').map(|(label, rest)| (label, rest.trim_start()));
        let wanted: Vec<_> = self.ladder.lines().filter_map(|line| split(line.trim())).collect();
        let mut shown = String::new();
        let mut is_same = wanted.len() == played.len();
        for at in 0..played.len().max(wanted.len()) {
            let (label, line) = wanted.get(at).copied().unwrap_or(("?", ""));
            let played = played.get(at).map_or("", |line| line);
            let _ = match line == played {
                true => writeln!(shown, "  {label:<3} {played}"),
                false => writeln!(shown, "> {label:<3} {played}\n= {label:<3} {line}"),
            };
            is_same &= line == played;
        }
        assert!(is_same, "{} {}\n{shown}", self.section, self.title);
        self.names_its_differences(&wanted);
    }

    /// Each message of the figure that was not sent or not in its place, and each that the figure has not, is told why.
    fn names_its_differences(&self, lines: &[(&str, &str)]) {
        if self.figure == 0 {
            return;
        }
        let labels: Vec<&str> = lines.iter().map(|(label, _)| *label).collect();
        let told: Vec<&str> = self.differs.iter().flat_map(|(labels, _)| labels.split(' ')).collect();
        let number = |label: &str| label.strip_prefix('F').and_then(|number| number.parse::<u32>().ok());
        let mut untold = Vec::new();
        for missing in (1..=self.figure).filter(|n| !labels.iter().any(|label| number(label) == Some(*n))) {
            untold.push(format!("F{missing}"));
        }
        let mut last = 0;
        for (label, line) in lines {
            match number(label) {
                // A 100 goes out before anything else is done, whatever the order of the figure.
                _ if line.starts_with("100 ") && (*label == "100" || number(label).is_some()) => {}
                Some(this) if this > last => last = this,
                _ => untold.push((*label).to_owned()),
            }
        }
        untold.retain(|label| !told.contains(&&**label));
        assert!(untold.is_empty(), "{}: nobody says why: {untold:?}", self.section);
        let known = |label: &&str| labels.contains(label) || number(label).is_some_and(|n| n <= self.figure);
        let unknown: Vec<_> = told.iter().filter(|label| !known(label)).collect();
        assert!(unknown.is_empty(), "{}: there is no {unknown:?}", self.section);
    }
}
