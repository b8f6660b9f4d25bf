//! The stages of a night: the same proofs as in CI, for as long as a night lasts.

use crate::bench;
use crate::project::Project;
use crate::stages::{Stage, Verdict, cargo_with, interop_with, release};

/// Every stage.
pub(crate) const STAGES: &[Stage] = &[
    Stage { name: "licences", act: licences },
    Stage { name: "simulation", act: simulation },
    Stage { name: "crashes", act: crashes },
    Stage { name: "release", act: release },
    Stage { name: "sigkill", act: sigkill },
    Stage { name: "bench", act: yardstick },
];

/// Licences, sources and duplicate crates, by the rules of `deny.toml`.
fn licences(project: &Project) -> Verdict {
    if !project.cargo().args(["deny", "--version"]).output().is_ok_and(|output| output.status.success()) {
        return Verdict::Missing("cargo-deny (cargo install cargo-deny --locked)".to_owned());
    }
    cargo_with(project, &[], &["deny", "check", "bans", "licenses", "sources"])
}

/// A million simulated calls.
fn simulation(project: &Project) -> Verdict {
    let variables = [("RINGBACK_SIM_CALLS", "1000000")];
    cargo_with(project, &variables, &["test", "--release", "-p", "ringback-testkit", "--", "--nocapture"])
}

/// Every crash point of the registration script, with many more of the images that a crash may leave.
fn crashes(project: &Project) -> Verdict {
    let variables = [("RINGBACK_CRASH_IMAGES", "200")];
    cargo_with(project, &variables, &["test", "--release", "-p", "ringback-location-db", "--", "--nocapture"])
}

/// A thousand kills under registrations.
fn sigkill(project: &Project) -> Verdict {
    interop_with(project, &[("RINGBACK_SIGKILLS", "1000")], &["--case".to_owned(), "sigkill".to_owned()])
}

/// The whole yardstick.
fn yardstick(project: &Project) -> Verdict {
    match bench::run(project, &[]) {
        Ok(true) => Verdict::Good,
        Ok(false) => Verdict::Bad(vec!["bench".to_owned()]),
        Err(complaint) => Verdict::Missing(complaint),
    }
}
