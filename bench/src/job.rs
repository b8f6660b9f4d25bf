//! Jobs, and what is done with their answers.

use std::fmt;
use std::hint::black_box;

use bytes::Bytes;

use crate::answer::Answer;
use crate::{peers, ringback};

/// One job on one message, ready to be done any number of times.
pub trait Job {
    /// Does it once and shows the answer; `None` where it can't be done.
    fn run(&self, sink: &mut impl Sink) -> Option<()>;
}

/// What becomes of an answer.
pub trait Sink {
    /// Called once by each run, while what the answer borrows still lives.
    fn take(&mut self, answer: &impl Answer);
}

/// A job on a message, and whose it is.
pub struct Row {
    /// The library.
    pub peer: &'static str,
    /// The job, under the name that the reference programs have for it.
    pub job: &'static str,
    /// The message's name.
    pub message: String,
    /// Which rows of the reference its answer must be in: the job, or what of it the library can know.
    pub answers: &'static str,
    runner: Box<dyn Runner>,
}

trait Runner {
    fn batch(&self, runs: u64);
    fn answer(&self) -> Option<Vec<u8>>;
}

struct Blind;

impl Sink for Blind {
    fn take(&mut self, answer: &impl Answer) {
        black_box(answer);
    }
}

struct Written(Vec<u8>);

impl Sink for Written {
    fn take(&mut self, answer: &impl Answer) {
        answer.write(&mut self.0);
    }
}

impl<J: Job> Runner for J {
    fn batch(&self, runs: u64) {
        for _ in 0..runs {
            black_box(self.run(&mut Blind));
        }
    }

    fn answer(&self) -> Option<Vec<u8>> {
        let mut written = Written(Vec::new());
        self.run(&mut written)?;
        Some(written.0)
    }
}

impl Row {
    /// Does the job as often as asked.
    pub fn batch(&self, runs: u64) {
        self.runner.batch(runs);
    }

    /// The answer in the form of the reference; `None` where the job can't be done.
    #[must_use]
    pub fn answer(&self) -> Option<Vec<u8>> {
        self.runner.answer()
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.peer, self.job, self.message)
    }
}

/// Every job that applies to this message.
#[must_use]
pub fn rows(name: &str, bytes: &Bytes) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |peer, job, answers, runner: Option<Box<dyn Runner>>| {
        rows.extend(runner.map(|runner| Row { peer, job, message: name.to_owned(), answers, runner }));
    };
    add("ref-memchr-lines", "frame", "lines", Some(Box::new(peers::LineScan(bytes.clone()))));
    add("httparse", "frame", "headers", peers::Httparse::new(bytes).map(boxed));
    add("ringback", "frame", "frame", Some(Box::new(ringback::Frame(bytes.clone()))));
    add("ringback", "fields", "fields", Some(Box::new(ringback::Fields(bytes.clone()))));
    add("ringback", "check", "check", Some(Box::new(ringback::Check(bytes.clone()))));
    add("ringback", "trip", "trip", Some(Box::new(ringback::Trip(bytes.clone()))));
    add("ringback", "ok200", "ok200", ringback::Ok200::new(bytes).map(boxed));
    add("ringback", "ok200-checked", "ok200-checked", ringback::Ok200Checked::new(bytes).map(boxed));
    add("ringback", "forward", "forward", ringback::Forward::new(bytes).map(boxed));
    rows
}

fn boxed(job: impl Job + 'static) -> Box<dyn Runner> {
    Box::new(job)
}
