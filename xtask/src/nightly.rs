//! The stages of a night: the same proofs as in CI, for as long as a night lasts, and each night from another seed.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::project::Project;
use crate::stages::{Stage, Verdict, cargo_with, interop_with, release};
use crate::{bench, fuzz};

/// Names the seed of what is random; without it, it is the number of the day since 1970, so that each night looks elsewhere.
const SEED_VARIABLE: &str = "RINGBACK_SEED";

/// Names the revision that the public API is held against; without it, it is the last tag.
const BASELINE_VARIABLE: &str = "RINGBACK_BASELINE";

/// The seeds of simulated worlds are numbers in a row: so many are a night's own.
const WORLDS_PER_NIGHT: u64 = 1_000_000;

/// Every stage.
pub(crate) const STAGES: &[Stage] = &[
    Stage { name: "licences", act: licences },
    Stage { name: "semver", act: semver },
    Stage { name: "simulation", act: simulation },
    Stage { name: "interleavings", act: interleavings },
    Stage { name: "crashes", act: crashes },
    Stage { name: "fuzz", act: fuzz::long },
    Stage { name: "release", act: release },
    Stage { name: "sigkill", act: sigkill },
    Stage { name: "bad-wire", act: bad_wire },
    Stage { name: "floods", act: floods },
    Stage { name: "bench", act: yardstick },
];

/// Licences, sources and duplicate crates, by the rules of `deny.toml`.
fn licences(project: &Project) -> Verdict {
    if !project.cargo().args(["deny", "--version"]).output().is_ok_and(|output| output.status.success()) {
        return Verdict::Missing("cargo-deny (cargo install cargo-deny --locked)".to_owned());
    }
    cargo_with(project, &[], &["deny", "check", "bans", "licenses", "sources"])
}

/// The crates that others build on.
const LIBRARIES: &[&str] = &[
    "ringback",
    "ringback-message",
    "ringback-sdp",
    "ringback-lint",
    "ringback-capture",
    "ringback-auth",
    "ringback-base",
];

/// What a later version takes away from who builds on an earlier one: the public API, held against that of a release.
fn semver(project: &Project) -> Verdict {
    let Some(baseline) = baseline(project) else {
        println!(
            "nothing to hold the public API against: there is no tag, and {BASELINE_VARIABLE} names no revision. Not checked."
        );
        return Verdict::Good;
    };
    if !project.cargo().args(["semver-checks", "--version"]).output().is_ok_and(|output| output.status.success()) {
        return Verdict::Missing("cargo-semver-checks (cargo install cargo-semver-checks --locked)".to_owned());
    }
    println!("the public API, against {baseline}");
    let mut arguments = vec!["semver-checks", "--baseline-rev", &baseline];
    // Named one by one: what isn't published is left out of a whole workspace.
    let known = |library: &&&str| is_at(project, &baseline, library);
    LIBRARIES.iter().filter(known).for_each(|library| arguments.extend(["-p", library]));
    cargo_with(project, &[], &arguments)
}

/// A revision that the variable names, or the last tag.
fn baseline(project: &Project) -> Option<String> {
    let named = std::env::var(BASELINE_VARIABLE).ok().filter(|name| !name.is_empty());
    named.or_else(|| git(project, &["describe", "--tags", "--abbrev=0"]))
}

/// Whether a crate was there at that revision.
fn is_at(project: &Project, revision: &str, library: &str) -> bool {
    git(project, &["cat-file", "-t", &format!("{revision}:crates/{library}/Cargo.toml")]).is_some()
}

/// What git says, where it succeeds.
fn git(project: &Project, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").current_dir(project.path(".")).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A million simulated calls of phones, another of user agents, and all runs of small calls as far as these many states.
fn simulation(project: &Project) -> Verdict {
    let Some(seed) = seed() else { return bad_seed() };
    let first_world = seed.wrapping_mul(WORLDS_PER_NIGHT).to_string();
    let variables = [
        ("RINGBACK_SIM_CALLS", "1000000"),
        ("RINGBACK_SIM_SEED", &first_world),
        ("RINGBACK_EXPLORE_STATES", "1000000"),
    ];
    cargo_with(project, &variables, &["test", "--release", "-p", "ringback-testkit", "--", "--nocapture"])
}

/// Every order of arrival, loss and doubling that a call of two transaction layers can meet.
fn interleavings(project: &Project) -> Verdict {
    let test = ["test", "--release", "-p", "ringback-transaction", "--test", "it", "explore"];
    cargo_with(project, &[], &[&test[..], &["--", "--include-ignored", "--nocapture"]].concat())
}

/// Every crash point of the registration script, with many more of the images that a crash may leave.
fn crashes(project: &Project) -> Verdict {
    let Some(seed) = seed() else { return bad_seed() };
    let variables = [("RINGBACK_CRASH_IMAGES", "200"), (SEED_VARIABLE, &seed.to_string())];
    cargo_with(project, &variables, &["test", "--release", "-p", "ringback-location-db", "--", "--nocapture"])
}

/// A thousand kills under registrations.
fn sigkill(project: &Project) -> Verdict {
    let Some(seed) = seed() else { return bad_seed() };
    let variables = [("RINGBACK_SIGKILLS", "1000"), (SEED_VARIABLE, &seed.to_string())];
    interop_with(project, &variables, &["--case".to_owned(), "sigkill".to_owned()])
}

/// Hundreds of calls through a wire that loses and swaps frames, and does so in another way each night.
fn bad_wire(project: &Project) -> Verdict {
    let Some(seed) = seed() else { return bad_seed() };
    let variables = [("RINGBACK_NET_CALLS", "150"), (SEED_VARIABLE, &seed.to_string())];
    interop_with(project, &variables, &["--case".to_owned(), "net-bad-wire".to_owned()])
}

/// Connections that mean no good, for minutes: what the server holds keeps to the same bounds as in seconds.
fn floods(project: &Project) -> Verdict {
    let cases = ["--case", "flood-drips", "--case", "flood-handshakes"].map(str::to_owned);
    interop_with(project, &[("RINGBACK_FLOOD_SECS", "180")], &cases)
}

/// The seed of this night, told so that what it finds can be found again; `None` where the variable holds no number.
fn seed() -> Option<u64> {
    let seed = seed_of(std::env::var(SEED_VARIABLE).ok().as_deref(), SystemTime::now())?;
    println!("seed {seed}: {SEED_VARIABLE}={seed} does the same again");
    Some(seed)
}

fn seed_of(given: Option<&str>, now: SystemTime) -> Option<u64> {
    match given {
        Some(text) => text.parse().ok(),
        None => Some(now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / (24 * 60 * 60))),
    }
}

fn bad_seed() -> Verdict {
    Verdict::Bad(vec![format!("{SEED_VARIABLE} is no number")])
}

/// The whole yardstick.
fn yardstick(project: &Project) -> Verdict {
    match bench::run(project, &[]) {
        Ok(true) => Verdict::Good,
        Ok(false) => Verdict::Bad(vec!["bench".to_owned()]),
        Err(complaint) => Verdict::Missing(complaint),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_night_has_a_seed_of_its_own() {
        let at = |hours: u64| UNIX_EPOCH + Duration::from_secs(hours * 3_600);
        assert_eq!(seed_of(None, at(47)), Some(1));
        assert_eq!(seed_of(None, at(48)), Some(2));
        assert_eq!(seed_of(Some("7"), at(48)), Some(7));
        assert_eq!(seed_of(Some("seven"), at(48)), None);
    }
}
