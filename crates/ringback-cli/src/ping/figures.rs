//! What the answers of a series come to.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::agents::{Answer, Loss};

/// How many of the last times count for median and percentile; the rest is of all.
const TIMES_MAX: usize = 10_000;

/// The figures of one series.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    pub(crate) lost: u64,
    /// What is under way.
    pub(crate) pending: u64,
    pub(crate) sent_again: u64,
    pub(crate) codes: BTreeMap<u16, u64>,
    /// Of each kind of loss.
    pub(crate) losses: BTreeMap<&'static str, u64>,
    /// Whether the last one was accepted, and its code and time in seconds, where there was an answer.
    pub(crate) last: Option<(bool, Option<(u16, f64)>)>,
    times: VecDeque<f64>,
    answered: f64,
    mean: f64,
    /// The sum of squared distances from the mean.
    spread: f64,
    min: f64,
    max: f64,
}

/// How long answers took, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Times {
    pub(crate) min: f64,
    pub(crate) mean: f64,
    pub(crate) median: f64,
    pub(crate) p95: f64,
    pub(crate) max: f64,
    pub(crate) deviation: f64,
    pub(crate) sum: f64,
}

impl Figures {
    pub(crate) fn answered(&mut self, answer: &Answer, is_accepted: bool) {
        let (code, time) = (answer.status.as_u16(), answer.rtt.as_secs_f64());
        self.pending = self.pending.saturating_sub(1);
        count(if is_accepted { &mut self.accepted } else { &mut self.refused });
        count(self.codes.entry(code).or_default());
        self.sent_again = self.sent_again.saturating_add(answer.sent_again.into());
        self.last = Some((is_accepted, Some((code, time))));
        self.add(time);
    }

    pub(crate) fn lost(&mut self, loss: &Loss) {
        self.pending = self.pending.saturating_sub(1);
        count(&mut self.lost);
        count(self.losses.entry(loss.kind).or_default());
        self.sent_again = self.sent_again.saturating_add(loss.sent_again.into());
        self.last = Some((false, None));
    }

    pub(crate) fn asked(&mut self) {
        count(&mut self.pending);
    }

    /// What was sent, whether or not its outcome is known.
    pub(crate) fn sent(&self) -> u64 {
        self.all().saturating_add(self.pending)
    }

    /// Those whose outcome is known.
    pub(crate) fn all(&self) -> u64 {
        self.replies().saturating_add(self.lost)
    }

    pub(crate) fn replies(&self) -> u64 {
        self.accepted.saturating_add(self.refused)
    }

    /// Whether nothing was asked in vain.
    pub(crate) fn are_good(&self) -> bool {
        self.accepted > 0 && self.accepted == self.all()
    }

    pub(crate) fn lost_percent(&self) -> f64 {
        let lost_permille = self.lost.saturating_mul(1_000).checked_div(self.all()).unwrap_or_default();
        f64::from(u16::try_from(lost_permille).unwrap_or(1_000)) / 10.0
    }

    /// `None` without an answer.
    pub(crate) fn times(&self) -> Option<Times> {
        let mut sorted: Vec<f64> = self.times.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get(sorted.len().saturating_sub(1) / 2)?;
        // The nearest rank.
        let rank = sorted.len().saturating_mul(95).div_ceil(100).saturating_sub(1);
        let (median, p95) = ((lower + upper) / 2.0, *sorted.get(rank)?);
        let deviation = (self.spread / self.answered).max(0.0).sqrt();
        let (min, mean, max, sum) = (self.min, self.mean, self.max, self.mean * self.answered);
        Some(Times { min, mean, median, p95, max, deviation, sum })
    }

    fn add(&mut self, time: f64) {
        self.times.truncate(TIMES_MAX - 1);
        self.times.push_front(time);
        (self.min, self.max) = match self.answered {
            0.0 => (time, time),
            _ => (self.min.min(time), self.max.max(time)),
        };
        self.answered += 1.0;
        let before = time - self.mean;
        self.mean += before / self.answered;
        self.spread += before * (time - self.mean);
    }
}

/// In milliseconds.
pub(crate) fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

fn count(figure: &mut u64) {
    *figure = figure.saturating_add(1);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ringback_message::StatusCode;

    fn answer(ms: u64) -> Answer {
        Answer {
            status: StatusCode::Ok,
            reason: "OK".to_owned(),
            server: None,
            rtt: Duration::from_millis(ms),
            connect: None,
            sent_again: 1,
            had_credentials: false,
            from: "192.0.2.1:5060".parse().unwrap(),
        }
    }

    #[test]
    fn times_are_what_they_are_called() {
        let mut figures = Figures::default();
        assert_eq!((figures.times(), figures.are_good()), (None, false));
        for ms in [40, 10, 20, 30] {
            figures.answered(&answer(ms), true);
        }
        let times = figures.times().unwrap();
        let round = |seconds: f64| (seconds * 100_000.0).round() / 100.0;
        let all = [times.min, times.mean, times.median, times.p95, times.max, times.deviation, times.sum].map(round);
        assert_eq!(all, [10.0, 25.0, 25.0, 40.0, 40.0, 11.18, 100.0]);
        assert_eq!((figures.all(), figures.sent_again, figures.are_good()), (4, 4, true));
    }

    #[test]
    fn a_loss_and_a_code_that_is_not_accepted_are_no_good() {
        let mut figures = Figures::default();
        figures.answered(&answer(1), true);
        figures.answered(&answer(1), false);
        figures.asked();
        figures.asked();
        figures.lost(&Loss::new("timeout", "no answer"));
        assert_eq!((figures.sent(), figures.pending), (4, 1));
        assert_eq!((figures.all(), figures.replies(), figures.lost_percent()), (3, 2, 33.3));
        assert_eq!((figures.last, figures.are_good()), (Some((false, None)), false));
    }
}
