//! Counts the allocations of the parsing jobs: `ringback-bench-allocations FOLDER` prints peer, job, message, allocations.

use std::alloc::System;
use std::io::stdout;
use std::path::Path;
use std::process::ExitCode;

use ringback_bench::{Fault, allocations, load};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let folder = std::env::args().nth(1).ok_or_else(|| "usage: ringback-bench-allocations FOLDER".to_owned());
    match folder.and_then(|folder| run(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &str) -> Result<(), Fault> {
    let mut out = stdout().lock();
    load(Path::new(folder))?.iter().try_for_each(|rows| allocations(rows, counted, &mut out))
}

/// Calls to the allocator for new or larger memory.
fn counted(batch: &dyn Fn()) -> usize {
    let region = Region::new(ALLOCATOR);
    batch();
    let change = region.change();
    change.allocations + change.reallocations
}
