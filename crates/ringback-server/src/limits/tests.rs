#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::counters;

/// Named like limits, and none: what names them is the reason.
const NO_LIMITS: &[(&str, &str)] = &[
    ("COLUMNS_MAX", "the size of an array that the compiler fills"),
    ("PLACES_MAX", "the size of an array that the compiler fills"),
    ("BOUNDARY_BYTES_MAX", "what a boundary may be by its grammar"),
    ("HEX_MAX", "the size of an array that hashes are written into"),
    ("MAX_FORWARDS", "what we write where a request has no Max-Forwards"),
    ("PURGED_PER_USE", "how much is tidied up at a time"),
    ("RETRY_AFTER_SECS_MAX", "how long a target is put last at most"),
    ("SUBTAG_BYTES_MAX", "what a part of a language tag may be by its grammar"),
    ("TRANSACTIONS_MAX", "the default of two settings"),
    ("VERSION_MAX", "the largest version of a session description"),
    ("incoming_max", "what INCOMING_MAX is the default of; the server has no agents"),
    ("redirects_max", "how many 3xx an application wants followed; none by default"),
    ("requests_max", "what CALL_REQUESTS_MAX is the default of; the server makes no calls"),
    ("sessions_max", "what SESSIONS_MAX is the default of; the server makes no calls"),
    ("body_bytes_max", "what BODY_BYTES_MAX is the default of; the server reads no bodies"),
    ("registrations_max", "what REGISTRATIONS_MAX is the default of; the server doesn't register"),
    ("incoming_max", "what INCOMING_MAX is the default of; the server has no agent"),
    ("redirects_max", "what a call of an application may do; the server makes no calls"),
    ("requests_max", "what CALL_REQUESTS_MAX is the default of; the server makes no calls"),
    ("nonces_max", "what NONCES_MAX is the default of; the server sets it to no other value"),
];

/// The checkout that the crate was built in.
fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn each_setting_and_counter_that_is_named_is_there() {
    let counters = counters::tests::none();
    for limit in LIMITS {
        if let Setting(path) = limit.value {
            assert!(NUMBERS.iter().any(|number| number.path() == path), "{path}");
        }
        if let Some(counter) = limit.counter() {
            assert!(counters.get(counter).is_some(), "{counter}");
        }
    }
}

/// Whoever makes a limit reaches it in a test, and looks there at its counter.
#[test]
fn every_counter_of_a_limit_is_looked_at_by_a_test() {
    let mut tests = String::new();
    for krate in fs::read_dir(checkout().join("crates")).unwrap().map(|krate| krate.unwrap().path()) {
        if krate.ends_with("ringback-server") {
            continue;
        }
        for file in sources(&krate) {
            let text = fs::read_to_string(&file).unwrap();
            let (path, file) = (file.to_str().unwrap(), file.file_stem().unwrap().to_str().unwrap());
            let all_of_it = path.contains("/tests/") || file == "tests" || file.ends_with("_tests");
            let of_it = if all_of_it { Some(&*text) } else { text.split_once("#[cfg(test)]").map(|(_, tests)| tests) };
            tests.push_str(of_it.unwrap_or_default());
        }
    }
    let words: BTreeSet<&str> = tests.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    for counter in LIMITS.iter().filter_map(Limit::counter) {
        let name = counter.split_once('.').unwrap().1;
        assert!(words.contains(name), "{counter}");
    }
}

#[test]
fn every_setting_that_bounds_something_is_a_limit() {
    for number in NUMBERS.iter().filter(|number| number.key.ends_with("_max") || number.key == "max_breadth") {
        let is_it = |limit: &Limit| matches!(limit.value, Setting(path) if path == number.path());
        assert!(LIMITS.iter().any(is_it), "{}", number.path());
    }
}

#[test]
fn every_limit_of_the_sources_is_listed_with_its_value() {
    let (mut found, mut none) = (BTreeSet::new(), Vec::new());
    for krate in fs::read_dir(checkout().join("crates")).unwrap() {
        let krate = krate.unwrap();
        let name = krate.file_name().into_string().unwrap();
        // The one is for tests, the other for people at a terminal.
        if name == "ringback-testkit" || name == "ringback-cli" {
            continue;
        }
        for file in sources(&krate.path().join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            for (limit, value) in text.lines().filter_map(limit_of) {
                // The settings pass on what others have.
                if name == "ringback-server" && value.is_none() {
                    continue;
                }
                let is_listed = LIMITS.iter().any(|known| known.krate == name && known.name == limit);
                if !is_listed && NO_LIMITS.iter().any(|(name, _)| *name == limit) {
                    none.push(limit.to_owned());
                    continue;
                }
                let listed = LIMITS
                    .iter()
                    .find(|known| known.krate == name && known.name.rsplit("::").next() == Some(limit))
                    .unwrap_or_else(|| panic!("{}: {limit} is not in LIMITS", file.display()));
                match (listed.value, value) {
                    (Fixed(known), Some(value)) => assert_eq!(known, value, "{name} {limit}"),
                    (Fixed(_), None) => panic!("{name} {limit} has a value that this test can't read"),
                    (Setting(_), _) => {}
                }
                found.insert((listed.krate, listed.name));
            }
        }
    }
    let absent: Vec<_> = LIMITS.iter().map(|it| (it.krate, it.name)).filter(|it| !found.contains(it)).collect();
    assert!(absent.is_empty(), "LIMITS lists what is not there: {absent:?}");
    assert_eq!(found.len(), LIMITS.len(), "LIMITS lists something twice");
    assert!(NO_LIMITS.iter().all(|(name, _)| none.iter().any(|found| found == name)), "found of them: {none:?}");
}

/// A line that declares a limit: a constant or a field of such a name, and the constant's value.
fn limit_of(line: &str) -> Option<(&str, Option<u64>)> {
    let line = line.trim();
    let (words, rest) = line.split_once(':')?;
    let (visibility, name) = words.rsplit_once(' ')?;
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if visibility.ends_with("const") {
        let is_limit =
            ends(&["_MAX", "_BACKLOG", "_PER_TURN", "_PER_SOCKET", "_PER_SEC", "_PER_USE"]) || name == "MAX_FORWARDS";
        let value = rest.split_once('=')?.1.trim().trim_end_matches(';').replace('_', "");
        return is_limit.then(|| (name, value.parse().ok()));
    }
    let is_field = visibility == "pub" && (ends(&["_max"]) || name == "max_breadth") && line.ends_with(',');
    is_field.then_some((name, None))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
    all
}

/// The page says what this table says. Set RINGBACK_WRITE_DOCS to write it anew.
#[test]
fn the_page_of_limits_is_up_to_date() {
    let path = checkout().join("docs/limits.md");
    let page = fs::read_to_string(&path).unwrap_or_default();
    let head = page.split_once("| limit |").map_or(page.as_str(), |(head, _)| head);
    let wanted = format!("{head}{}", limits_table(&Settings::new("data".into())));
    if std::env::var_os("RINGBACK_WRITE_DOCS").is_some() {
        return fs::write(&path, &wanted).unwrap();
    }
    let differ = page.lines().zip(wanted.lines()).find(|(page, wanted)| page != wanted);
    assert_eq!(differ, None, "docs/limits.md: run this test with RINGBACK_WRITE_DOCS=1");
    assert_eq!(page.len(), wanted.len(), "docs/limits.md: run this test with RINGBACK_WRITE_DOCS=1");
}
