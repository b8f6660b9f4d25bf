//! The corpora, replayed: every seed, every input that once failed, and each of them bent out of shape.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

use ringback_fuzz::{TARGETS, Target};

/// The torture messages are the first seeds of what reads messages.
const TORTURE: &str = "../crates/ringback-message/tests/torture";

fn here(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// Every file below a folder that may be missing, in the order of names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// What lies in a target's folder, the lines of its list, and the torture messages where it reads messages.
fn seeds(target: &Target) -> Vec<(String, Vec<u8>)> {
    let torture =
        matches!(target.name, "message" | "stream" | "lint").then(|| files(&here(TORTURE))).unwrap_or_default();
    let mut seeds: Vec<(String, Vec<u8>)> = files(&here("corpus").join(target.name))
        .into_iter()
        .chain(torture)
        .filter(|path| path.extension().is_none_or(|extension| extension != "tsv"))
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect();
    let list = fs::read_to_string(here("seeds").join(format!("{}.txt", target.name))).unwrap_or_default();
    seeds.extend(list.lines().enumerate().map(|(i, line)| (format!("line {}", i + 1), line.as_bytes().to_vec())));
    seeds
}

fn replay(name: &str, input: &[u8], target: &Target) {
    if std::panic::catch_unwind(|| (target.check)(input)).is_err() {
        panic!("{}: {name}: {}", target.name, input.escape_ascii());
    }
}

#[test]
fn every_seed_holds() {
    for target in TARGETS {
        let seeds = seeds(target);
        assert!(seeds.len() >= 10, "{}: {} seeds", target.name, seeds.len());
        seeds.iter().for_each(|(name, input)| replay(name, input, target));
    }
}

/// Without a fuzzer at hand: cut at every byte, and with bytes changed that have a meaning.
#[test]
fn every_seed_holds_bent_out_of_shape() {
    for target in TARGETS {
        for (name, input) in seeds(target) {
            // The rules take longer than reading does, and there are many seeds for them.
            let places = if target.name == "lint" { 6 } else { 60 };
            let step = 1 + input.len() / places;
            for at in (0..input.len()).step_by(step) {
                replay(&name, &input[..at], target);
                let mut changed = input.clone();
                for byte in *b"\0\r\n \",;<>:%=9\xff" {
                    changed[at] = byte;
                    replay(&name, &changed, target);
                }
                changed.remove(at);
                replay(&name, &changed, target);
            }
        }
    }
}
