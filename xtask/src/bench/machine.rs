//! What the figures were taken on.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::output;
use crate::project::Project;

/// Date, machine, and the versions of whatever has a part in the figures.
pub(super) fn describe(project: &Project) -> String {
    let lock = project.text("Cargo.lock").unwrap_or_default();
    let commit = said(project, "git", &["describe", "--always", "--dirty"]);
    let mut text = format!("Taken {} UTC on {}.\n", said(project, "date", &["-u", "+%F %R"]), hardware());
    text.push_str(&format!("ringback {commit}, {}, release build as shipped", said(project, "rustc", &["--version"])));
    text.push_str(&format!("; httparse {}", locked(&lock, "httparse").unwrap_or("?")));
    for (program, arguments) in [("valgrind", ["--version"]), ("kamailio", ["-v"]), ("sipp", ["-v"])] {
        if find(program).is_some() {
            text.push_str(&format!("; {}", version(&said_with_any_status(program, &arguments))));
        }
    }
    text.push_str(".\n");
    text
}

/// The program's path, where it is installed.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Where Debian puts servers, and not everybody's PATH has it.
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn hardware() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = cpus
        .lines()
        .filter(|line| line.starts_with("model name"))
        .filter_map(|line| line.split_once(": "))
        .map(|pair| pair.1)
        .collect();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = models.first().copied().unwrap_or("a machine that doesn't name itself");
    format!("{model}, {} cores, {} {}", models.len(), std::env::consts::OS, kernel.trim())
}

fn said(project: &Project, program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.current_dir(project.path(".")).args(arguments);
    output(command).map_or_else(|_| format!("{program} unknown"), |text| text.trim().to_owned())
}

fn said_with_any_status(program: &str, arguments: &[&str]) -> String {
    let output = find(program).and_then(|program| Command::new(program).args(arguments).output().ok());
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// The first line that is about a version, without what was built in.
fn version(text: &str) -> String {
    let line = text.lines().find(|line| line.chars().any(|c| c.is_ascii_digit())).unwrap_or("?");
    line.split(" (").next().unwrap_or(line).trim().trim_start_matches("version: ").trim_end_matches('.').to_owned()
}

fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found() {
        assert_eq!(version("version: kamailio 5.6.3 (x86_64/linux) \nflags: X"), "kamailio 5.6.3");
        assert_eq!(version("\n SIPp v3.6.1-SCTP.\n\n"), "SIPp v3.6.1-SCTP");
        assert_eq!(locked("[[package]]\nname = \"a\"\nversion = \"1.2\"\n", "a"), Some("1.2"));
        assert_eq!(locked("name = \"ab\"\nversion = \"1.2\"\n", "a"), None);
    }
}
