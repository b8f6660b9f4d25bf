//! What a transaction and a dialog keep in memory, held against their bounds.
//!
//! `ringback-bench-memory` of the crate `ringback-bench` makes thousands of each, prints a table, and knows the bounds. Neither
//! figure depends on how the code was optimised, so the build of the tests will do.

use std::process::Command;

use crate::bench::reference;
use crate::project::Project;
use crate::stages::{Verdict, cargo_with};

/// The stage.
pub(crate) fn check(project: &Project) -> Verdict {
    let Ok(reference) = reference(project) else {
        return Verdict::Missing(
            "no messages: RINGBACK_REFERENCES names no folder with `bench/messages` in it".to_owned(),
        );
    };
    match cargo_with(project, &[], &["build", "-p", "ringback-bench", "--bin", "ringback-bench-memory"]) {
        Verdict::Good => {}
        other => return other,
    }
    let mut command = Command::new(project.target().join("debug/ringback-bench-memory"));
    match command.arg(reference.join("messages")).output() {
        Ok(output) => {
            print!("{}", String::from_utf8_lossy(&output.stdout));
            let said = String::from_utf8_lossy(&output.stderr);
            let complaints = said.lines().map(|line| format!("memory: {line}")).collect();
            if output.status.success() { Verdict::Good } else { Verdict::Bad(complaints) }
        }
        Err(error) => Verdict::Bad(vec![format!("ringback-bench-memory: {error}")]),
    }
}
