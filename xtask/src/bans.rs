//! That the crates without I/O are under the bans of `clippy.toml`, that these fire, and that no `for` goes round them.
//!
//! Clippy reads the `clippy.toml` nearest to a crate's manifest. The workspace's own holds the bans, so a new crate is under
//! them until it gets a file of its own; which crates have one is checked against the list in [`project`](crate::project).

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::project::{Project, SANS_IO, WITH_IO};
use crate::stages::Verdict;

const FIXTURE: &str = "xtask/fixtures/bans.rs";
const MARK: &str = "// BANNED";
/// Fewer marks than this, and somebody has emptied the fixture.
const MARKS_MIN: usize = 20;

/// The stage.
pub(crate) fn check(project: &Project) -> Verdict {
    let mut complaints = placement(project);
    complaints.extend(fixture(project).unwrap_or_else(|fault| vec![fault]));
    complaints.extend(sources(project).unwrap_or_else(|fault| vec![fault]));
    Verdict::of(complaints)
}

/// Each crate is in one of the lists, and has its own `clippy.toml` if it is in the second.
fn placement(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    let has_file = |folder: &str| {
        [".clippy.toml", "clippy.toml"].iter().any(|name| project.path(&format!("{folder}/{name}")).exists())
    };
    let listed: BTreeSet<&str> = SANS_IO.iter().chain(WITH_IO).copied().collect();
    let folders = fs::read_dir(project.path("crates")).map(|entries| {
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.filter(|name| project.path(&format!("crates/{name}/Cargo.toml")).is_file()).collect::<BTreeSet<String>>()
    });
    match folders {
        Err(error) => complaints.push(format!("crates: {error}")),
        Ok(folders) => {
            for name in folders.iter().filter(|name| !listed.contains(name.as_str())) {
                complaints.push(format!("crates/{name} is in neither list of xtask/src/project.rs"));
            }
            for name in listed.iter().filter(|name| !folders.contains(**name)) {
                complaints.push(format!("crates/{name} is listed in xtask/src/project.rs and isn't there"));
            }
        }
    }
    if !has_file(".") {
        complaints.push("the workspace has no clippy.toml".to_owned());
    }
    for name in SANS_IO.iter().filter(|name| has_file(&format!("crates/{name}"))) {
        complaints.push(format!("crates/{name} does no I/O and must have no clippy.toml of its own"));
    }
    for name in WITH_IO.iter().filter(|name| !has_file(&format!("crates/{name}"))) {
        complaints.push(format!("crates/{name} does I/O and lacks its clippy.toml"));
    }
    if has_file("crates") {
        complaints.push("crates/clippy.toml would stand in the place of the workspace's".to_owned());
    }
    complaints
}

/// Hands the fixture to clippy: exactly the marked lines must be reported, and no ban may name what doesn't exist.
fn fixture(project: &Project) -> Result<Vec<String>, String> {
    let source = project.text(FIXTURE)?;
    let expected: BTreeSet<usize> =
        source.lines().enumerate().filter(|(_, line)| line.contains(MARK)).map(|(index, _)| index + 1).collect();
    if expected.len() < MARKS_MIN {
        return Err(format!("{FIXTURE} has {} marked lines, and fewer than {MARKS_MIN} prove little", expected.len()));
    }
    let mut command = clippy_on_fixture(project)?;
    let output = command.output().map_err(|error| format!("cargo clippy: {error}"))?;
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(format!("clippy can't read {FIXTURE}:\n{report}"));
    }
    let fired = reported(&report);
    let mut complaints = Vec::new();
    for line in expected.difference(&fired) {
        complaints.push(format!("{FIXTURE}:{line}: no ban of clippy.toml fires"));
    }
    for line in fired.difference(&expected) {
        complaints.push(format!("{FIXTURE}:{line}: a ban fires on a line that isn't marked"));
    }
    complaints.extend(report.lines().filter(|line| line.contains("does not refer to")).map(str::to_owned));
    println!("{} of {} marked lines reported", expected.intersection(&fired).count(), expected.len());
    Ok(complaints)
}

/// A package around the fixture: outside the workspace, with the hashbrown that the workspace has.
fn clippy_on_fixture(project: &Project) -> Result<Command, String> {
    let folder = project.target().join("xtask-bans");
    let write = |name: &str, text: String| {
        fs::write(folder.join(name), text).map_err(|error| format!("{}/{name}: {error}", folder.display()))
    };
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let manifest = project.text("Cargo.toml")?;
    let hashbrown = manifest.lines().find(|line| line.starts_with("hashbrown ")).ok_or("Cargo.toml: no hashbrown")?;
    write(
        "Cargo.toml",
        format!(
            "[package]\nname = \"xtask-bans\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[lib]\npath = {:?}\n\n\
             [dependencies]\n{hashbrown}\n\n[workspace]\n",
            project.path(FIXTURE)
        ),
    )?;
    write("Cargo.lock", project.text("Cargo.lock")?)?;
    let mut command = project.cargo();
    command.args(["clippy", "--quiet", "--message-format", "short", "--manifest-path"]).arg(folder.join("Cargo.toml"));
    command.env("CARGO_TARGET_DIR", project.target()).env("CLIPPY_CONF_DIR", project.path("."));
    Ok(command)
}

/// The lines of the fixture that a report in the short format complains of for a ban.
fn reported(report: &str) -> BTreeSet<usize> {
    let bans = report.lines().filter(|line| line.contains("use of a disallowed"));
    bans.filter_map(|line| line.split_once("bans.rs:")?.1.split(':').next()?.parse().ok()).collect()
}

/// What clippy doesn't see in the crates without I/O.
fn sources(project: &Project) -> Result<Vec<String>, String> {
    let mut complaints = Vec::new();
    for file in project.files()? {
        let in_crate = |name: &&&str| file.starts_with(&format!("crates/{name}/"));
        if !file.ends_with(".rs") || SANS_IO.iter().find(in_crate).is_none() {
            continue;
        }
        let text = project.text(&file)?;
        for (line, name) in hash_loops(&text) {
            complaints.push(format!("{file}:{line}: iterates over the hash map `{name}`"));
        }
        let lifted = text.lines().enumerate().filter(|(_, line)| line.contains("clippy::disallowed_"));
        complaints.extend(lifted.map(|(index, _)| format!("{file}:{}: lifts a ban", index + 1)));
    }
    Ok(complaints)
}

const HASH_TYPES: [&str; 3] = ["HashMap", "HashSet", "HashTable"];

/// Where a file goes through something that it declares as a hash map, by `for` or `into_iter`: the line and the name.
/// Clippy can ban a method, but the one behind a `for` is `IntoIterator`'s, which everything has.
fn hash_loops(source: &str) -> Vec<(usize, String)> {
    let code = || source.lines().map(|line| line.split("//").next().unwrap_or_default());
    let mut types: Vec<String> = HASH_TYPES.map(str::to_owned).to_vec();
    types.extend(code().filter_map(|line| {
        let (name, of) = line.trim().trim_start_matches("pub ").strip_prefix("type ")?.split_once('=')?;
        HASH_TYPES.iter().any(|hash| of.contains(hash)).then(|| word_at_start(name).to_owned())
    }));
    let names: BTreeSet<&str> = code().flat_map(|line| types.iter().filter_map(|hash| declared(line, hash))).collect();
    let mut found = Vec::new();
    for (index, line) in code().enumerate() {
        let over = looped_over(line).into_iter().chain(consumed(line));
        found.extend(over.filter(|name| names.contains(name)).map(|name| (index + 1, name.to_owned())));
    }
    found
}

/// The name that a line declares with the type `hash`, as in `name: path::Hash<…>` or `let mut name = Hash::new()`.
fn declared<'a>(line: &'a str, hash: &str) -> Option<&'a str> {
    let (at, _) = line.match_indices(hash).find(|(at, _)| {
        let before = line.split_at_checked(*at).and_then(|(before, _)| before.chars().next_back());
        let after = line.split_at_checked(at + hash.len()).and_then(|(_, after)| after.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })?;
    let (before, _) = line.split_at_checked(at)?;
    if let Some((_, binding)) = before.split_once("let ") {
        return Some(word_at_start(binding.trim_start_matches("mut "))).filter(|name| !name.is_empty());
    }
    // The last single colon: what stands before is the name, what stands behind is a path.
    let bytes = before.as_bytes();
    let is_single = |at: usize| bytes.get(at + 1) != Some(&b':') && (at == 0 || bytes.get(at - 1) != Some(&b':'));
    let (colon, _) = before.rmatch_indices(':').find(|(at, _)| is_single(*at))?;
    Some(word_at_end(before.split_at_checked(colon)?.0)).filter(|name| !name.is_empty())
}

/// The last name of the place that a `for` goes through, where it calls nothing.
fn looped_over(line: &str) -> Option<&str> {
    let (_, place) = line.trim_start().strip_prefix("for ")?.split_once(" in ")?;
    let place = place.split('{').next()?.trim();
    (!place.contains('(')).then(|| word_at_end(place))
}

/// The name that `into_iter` is called on.
fn consumed(line: &str) -> Option<&str> {
    line.split_once(".into_iter()").map(|(before, _)| word_at_end(before.trim_end_matches(')')))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word_at_start(text: &str) -> &str {
    text.trim_start().split(|c| !is_word(c)).next().unwrap_or_default()
}

fn word_at_end(text: &str) -> &str {
    text.trim_end().rsplit(|c| !is_word(c)).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read() {
        let report = "x/bans.rs:15:21: warning: use of a disallowed method `std::time::Instant::now`\n\
                      x/bans.rs:15:9: warning: use of a disallowed type `std::time::Instant`\n\
                      x/bans.rs:17:9: warning: unused variable\n";
        assert_eq!(reported(report), BTreeSet::from([15]));
    }

    #[test]
    fn loops_over_hash_maps_are_found() {
        let source = "
            type Rows = hashbrown::HashMap<Key, Row, KeyedHash>;
            struct Table { rows: Rows, order: Vec<Key>, by_key: hashbrown::HashTable<usize> }
            fn f(&mut self, set: &HashSet<u8>) {
                let mut seen = HashMap::with_hasher(hash);
                for key in &self.order {}
                for (key, row) in &mut self.rows {}
                for x in set {}
                for x in seen.get(&key) {}
                let all: Vec<_> = (&seen).into_iter().collect();
                let all: Vec<_> = self.by_key.into_iter().collect(); // for x in set
                // for x in set {}
                for n in 0..self.rows.len() {}
            }";
        let found = hash_loops(source);
        let found: Vec<(usize, &str)> = found.iter().map(|(line, name)| (*line, name.as_str())).collect();
        assert_eq!(found, [(7, "rows"), (8, "set"), (10, "seen"), (11, "by_key")]);
    }
}
