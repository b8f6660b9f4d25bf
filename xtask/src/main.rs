//! The project's own checks.
//!
//! ```text
//! cargo xtask ci [--skip STAGE]... [--only STAGE]...     every stage, then a table of minutes
//! cargo xtask nightly [--skip STAGE]... [--only STAGE]... the proofs that take hours
//! cargo xtask interop [ARGUMENT]...                      the black-box cases alone; see the crate `interop`
//! cargo xtask fuzz [TARGET]... [--seconds N | --runs N]  libFuzzer on the targets of `ringback-fuzz`
//! cargo xtask bench [parse|call|capture|server] [--quick] [--rounds N] [--kind KIND]...      the yardstick; see `bench/README.md`
//! cargo xtask matrix                                     the response matrix, played and printed
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`stages`] | the stages in their order, and the table |
//! | [`nightly`] | the stages that take hours |
//! | [`bans`] | that the crates without I/O are under the bans of `clippy.toml`, and that these fire |
//! | [`citations`] | that a cited section exists in the RFC's text |
//! | [`words`] | that no file tells where it was written |
//! | [`fuzz`] | the fuzz targets, in CI and at night |
//! | [`growth`] | that reading grows with its input and no faster |
//! | [`memory`] | that transactions and dialogs keep no more than their bounds |
//! | [`mod@bench`] | the yardstick: parsing beside `httparse`, calls beside their parsing, captures beside tshark, server CPU beside Kamailio |

mod bans;
mod bench;
mod citations;
mod fuzz;
mod growth;
mod memory;
mod nightly;
mod project;
mod stages;
mod tutorial;
mod words;

use std::process::ExitCode;

use project::Project;
use stages::{STAGES, Selection};

const USAGE: &str = "\
usage: cargo xtask ci [--skip STAGE]... [--only STAGE]...
       cargo xtask nightly [--skip STAGE]... [--only STAGE]...
       cargo xtask interop [ARGUMENT]...
       cargo xtask fuzz [TARGET]... [--seconds N | --runs N]
       cargo xtask bench [parse|call|capture|server] [--quick] [--rounds N] [--kind KIND]...
       cargo xtask matrix

exit status: 0 all good, 1 a stage failed, 2 wrong usage
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("", &[][..]),
    };
    let outcome = Project::find().and_then(|project| match command {
        "ci" => Selection::read(STAGES, rest).map(|selection| stages::run(&project, STAGES, &selection)),
        "nightly" => {
            Selection::read(nightly::STAGES, rest).map(|selection| stages::run(&project, nightly::STAGES, &selection))
        }
        "interop" => Ok(stages::interop_alone(&project, rest)),
        "fuzz" => fuzz::run(&project, rest),
        "bench" => bench::run(&project, rest),
        "matrix" if rest.is_empty() => Ok(stages::matrix(&project)),
        other => Err(format!("no command {other:?}")),
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(complaint) => {
            eprint!("xtask: {complaint}\n{USAGE}\nstages:");
            for stage in STAGES {
                eprint!(" {}", stage.name);
            }
            eprint!("\nnightly stages:");
            for stage in nightly::STAGES {
                eprint!(" {}", stage.name);
            }
            eprintln!();
            ExitCode::from(2)
        }
    }
}
