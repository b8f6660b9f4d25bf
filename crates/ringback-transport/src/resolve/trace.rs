//! What a walk asked and heard, as a tree.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use super::dns::{Question, Record};

/// Names a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepId(usize);

/// The steps of a walk. Its text is a tree.
#[derive(Clone, Debug)]
pub struct Trace {
    steps: Vec<Step>,
}

/// One step of a walk: a question and what came of it; the first is the walk itself.
#[derive(Clone, Debug)]
pub struct Step {
    /// The step that made it necessary; `None` for the first.
    pub parent: Option<usize>,
    /// What was asked; `None` for the first.
    pub question: Option<Question>,
    /// What was heard; `None` while there is no answer.
    pub outcome: Option<Outcome>,
    /// The records that answer the question.
    pub records: Vec<SeenRecord>,
    /// What was made of it, and why.
    pub notes: Vec<String>,
    subject: Box<str>,
}

/// How a question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With records.
    Records,
    /// There are none.
    Nothing,
    /// The servers refuse, or can't say.
    Failed,
    /// Not in time.
    TimedOut,
}

impl Outcome {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Records => "records",
            Outcome::Nothing => "nothing",
            Outcome::Failed => "failed",
            Outcome::TimedOut => "timed out",
        }
    }
}

/// A record, as zone files write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRecord {
    /// Kind and data.
    pub text: String,
    /// How long it may be kept, in seconds.
    pub ttl_secs: u32,
    /// Why it counts for nothing, where it does.
    pub ignored: Option<&'static str>,
}

impl Trace {
    pub(super) const ROOT: StepId = StepId(0);

    pub(super) fn new(subject: Box<str>) -> Trace {
        let (records, notes) = (Vec::new(), Vec::new());
        Trace { steps: Vec::from([Step { parent: None, question: None, outcome: None, records, notes, subject }]) }
    }

    /// All steps; a step comes behind its parent.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn asked(&mut self, parent: StepId, question: &Question) -> StepId {
        let id = StepId(self.steps.len());
        let subject = alloc::format!("{} {}", question.kind, question.name).into();
        let (records, notes) = (Vec::new(), Vec::new());
        let (parent, question) = (Some(parent.0), Some(question.clone()));
        self.steps.push(Step { parent, question, outcome: None, records, notes, subject });
        id
    }

    pub(super) fn answered(&mut self, step: StepId, outcome: Outcome) {
        if let Some(step) = self.steps.get_mut(step.0) {
            step.outcome = Some(outcome);
        }
    }

    pub(super) fn saw(&mut self, step: StepId, record: &Record, ignored: Option<&'static str>) {
        if let Some(step) = self.steps.get_mut(step.0) {
            step.records.push(SeenRecord { text: record.data.to_string(), ttl_secs: record.ttl_secs, ignored });
        }
    }

    pub(super) fn note(&mut self, step: StepId, text: String) {
        if let Some(step) = self.steps.get_mut(step.0) {
            step.notes.push(text);
        }
    }

    /// The lines under a step and all that came of it, each behind the lines that tie it to its parent.
    fn draw(&self, f: &mut fmt::Formatter<'_>, id: usize, indent: &str) -> fmt::Result {
        let Some(step) = self.steps.get(id) else { return Ok(()) };
        let children: Vec<usize> =
            self.steps.iter().enumerate().filter(|(_, step)| step.parent == Some(id)).map(|(id, _)| id).collect();
        let bar = if children.is_empty() { "  " } else { "│ " };
        for record in &step.records {
            let ignored = record.ignored.map(|why| alloc::format!("  (ignored: {why})")).unwrap_or_default();
            writeln!(f, "{indent}{bar}  {}  ttl {}{ignored}", record.text, record.ttl_secs)?;
        }
        for (at, child) in children.iter().enumerate() {
            let is_last = at.saturating_add(1) == children.len();
            let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            if let Some(step) = self.steps.get(*child) {
                writeln!(f, "{indent}{branch}{step}")?;
            }
            self.draw(f, *child, &alloc::format!("{indent}{below}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(root) = self.steps.first() {
            writeln!(f, "{root}")?;
        }
        self.draw(f, 0, "")
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject)?;
        if let Some(outcome) = self.outcome.filter(|outcome| *outcome != Outcome::Records) {
            write!(f, ": {}", outcome.as_str())?;
        }
        if !self.notes.is_empty() {
            write!(f, " ({})", self.notes.join("; "))?;
        }
        Ok(())
    }
}
