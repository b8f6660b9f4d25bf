//! Where things lie, and how commands are run.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crates that do no I/O: `no_std`, and under the bans of the workspace's `clippy.toml`.
pub(crate) const SANS_IO: &[&str] = &[
    "ringback-base",
    "ringback-message",
    "ringback-sdp",
    "ringback-lint",
    "ringback-auth",
    "ringback-transaction",
    "ringback-transport",
    "ringback-location",
    "ringback-capture",
    "ringback-proxy",
    "ringback-ua",
    "ringback-stack",
];

/// The crates that do: each has a `clippy.toml` of its own, which lifts the bans.
pub(crate) const WITH_IO: &[&str] =
    &["ringback", "ringback-location-db", "ringback-tokio", "ringback-testkit", "ringback-server", "ringback-cli"];

/// A checkout.
#[derive(Debug)]
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The checkout that this program was built from.
    pub(crate) fn find() -> Result<Self, String> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = manifest.as_deref().and_then(Path::parent).ok_or("start it as `cargo xtask`")?;
        Ok(Self { root: root.to_owned() })
    }

    /// A file of the checkout.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> PathBuf {
        // Every cargo that is started here runs in the root, so a relative path counts from there.
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.path("target"), |folder| self.root.join(folder))
    }

    /// Cargo, in the root, as it would be started by hand: build scripts that look at what the cargo which runs us says of our own package
    /// (ring's does) would else run anew, and all that stands on them be built once more.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        command.current_dir(&self.root);
        for (name, _) in std::env::vars_os() {
            let is_of_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
            if name.to_str().is_some_and(is_of_package) {
                command.env_remove(name);
            }
        }
        command
    }

    /// The folder of the RFC texts, or `None` where the reference material isn't there.
    pub(crate) fn rfc_texts(&self) -> Option<PathBuf> {
        self.references().map(|folder| folder.join("rfc")).filter(|folder| folder.is_dir())
    }

    /// The reference material, or `None` where it isn't there.
    pub(crate) fn references(&self) -> Option<PathBuf> {
        let references = std::env::var_os("RINGBACK_REFERENCES").unwrap_or_else(|| OsString::from("../shared"));
        Some(self.root.join(references)).filter(|folder| folder.is_dir())
    }

    /// The files that are committed or would be, by their path in the checkout.
    pub(crate) fn files(&self) -> Result<Vec<String>, String> {
        let mut command = Command::new("git");
        command.current_dir(&self.root);
        command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let output = command.output().map_err(|error| format!("git ls-files: {error}"))?;
        if !output.status.success() {
            return Err(format!("git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        let names = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut files: Vec<String> = names.split_terminator('\0').map(str::to_owned).collect();
        // What is deleted and not yet committed is still listed.
        files.retain(|name| self.path(name).is_file());
        if files.is_empty() { Err("git ls-files names no file".to_owned()) } else { Ok(files) }
    }

    /// A file's text; bytes that aren't UTF-8 are replaced.
    pub(crate) fn text(&self, relative: &str) -> Result<String, String> {
        let bytes = fs::read(self.path(relative)).map_err(|error| format!("{relative}: {error}"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Whether what is missing is a failure and not merely a gap.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}
