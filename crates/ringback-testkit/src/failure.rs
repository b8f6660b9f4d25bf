//! A run that went wrong, told so that it can be seen and run again.

use std::fmt;
use std::path::PathBuf;

use ringback_base::Micros;

use crate::check::{Invariant, Violation};

/// Names the folder that captures of failed runs are written to; the system's folder for temporary files where it is not set.
pub const OUT_VARIABLE: &str = "RINGBACK_SIM_OUT";

/// What is told of a run that went wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed of the run.
    pub seed: u64,
    /// How many things had happened.
    pub step: u64,
    /// When.
    pub at: Micros,
    /// What went wrong.
    pub violation: Violation,
    /// The messages of the call that shows it.
    pub ladder: String,
    /// The capture that was written, or why none was.
    pub capture: Result<PathBuf, String>,
}

impl Failure {
    /// A run that never began.
    pub(crate) fn of_setup(seed: u64, error: &ringback_stack::AuthConfigError) -> Failure {
        let detail = error.to_string();
        let violation = Violation { invariant: Invariant::NoPanic, call_id: None, detail };
        Failure {
            seed,
            step: 0,
            at: Micros(0),
            violation,
            ladder: String::new(),
            capture: Err("nothing happened".into()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.violation)?;
        writeln!(f, "seed {}, step {}, {} after the start", self.seed, self.step, self.at)?;
        match &self.capture {
            Ok(path) => writeln!(f, "capture: {}", path.display())?,
            Err(error) => writeln!(f, "no capture: {error}")?,
        }
        if let Some(call_id) = &self.violation.call_id {
            writeln!(f, "Call-ID {}", call_id.escape_ascii())?;
        }
        f.write_str(&self.ladder)
    }
}

impl std::error::Error for Failure {}
