//! What the kernel says that a process takes.

use std::fs;

use crate::Fault;

/// A process, and those that it had started when it was looked at.
#[derive(Debug)]
pub struct Cost {
    processes: Vec<u32>,
}

impl Cost {
    /// That of `process` and its descendants.
    #[must_use]
    pub fn of(process: u32) -> Cost {
        let mut processes = vec![process];
        let mut next = 0;
        while let Some(&parent) = processes.get(next) {
            // Each thread has those that it started itself.
            for task in fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten() {
                let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
                processes.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
            }
            next += 1;
        }
        Cost { processes }
    }

    /// The run time of all their threads, user and system, in nanoseconds.
    ///
    /// # Errors
    /// Where one of them is gone.
    pub fn cpu_ns(&self) -> Result<u64, Fault> {
        let mut sum: u64 = 0;
        for process in &self.processes {
            let folder = format!("/proc/{process}/task");
            for task in fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?.flatten() {
                let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
                let run_ns: Option<u64> = text.split_whitespace().next().and_then(|word| word.parse().ok());
                sum = sum.saturating_add(run_ns.unwrap_or(0));
            }
        }
        Ok(sum)
    }

    /// Their memory; what they share is counted once.
    ///
    /// # Errors
    /// Where one of them is gone.
    pub fn pss_bytes(&self) -> Result<u64, Fault> {
        self.processes.iter().map(|process| pss_bytes(*process)).sum()
    }
}

/// The proportional set size of one process.
///
/// # Errors
/// Where it is gone, or the kernel doesn't tell.
pub fn pss_bytes(process: u32) -> Result<u64, Fault> {
    let path = format!("/proc/{process}/smaps_rollup");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let kib = text.lines().find_map(|line| line.strip_prefix("Pss:")?.split_whitespace().next()?.parse::<u64>().ok());
    kib.map(|kib| kib.saturating_mul(1024)).ok_or_else(|| format!("{path} has no line `Pss`"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn children_count() {
        let mut child = Command::new("sleep").arg("30").stdout(Stdio::null()).spawn().unwrap();
        let parent = Cost::of(std::process::id());
        assert!(parent.processes.contains(&child.id()));
        assert!(parent.cpu_ns().unwrap() > 0);
        assert!(parent.pss_bytes().unwrap() > pss_bytes(child.id()).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(Cost::of(child.id()).cpu_ns().is_err());
    }
}
