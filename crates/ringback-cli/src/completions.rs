//! `ringback completions`.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::args::Args;
use crate::failure::Failure;
use crate::output;

/// Prints the script of a shell.
///
/// # Errors
/// Where it can't be written.
pub(crate) fn print(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(shell, &mut Args::command(), "ringback", &mut script);
    output::print_raw(&script)
}
