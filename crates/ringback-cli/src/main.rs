//! The `ringback` command.

mod args;
mod completions;
mod config;
mod decode;
mod dns;
mod explain;
mod failure;
mod lint;
mod log;
mod man;
mod output;
mod ping;
mod progress;
mod tls;
mod trust;
mod users;
mod walks;

use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use ringback_server::{Ended, ExitStatus, serve};

use crate::args::{Args, Command, ServeArgs};
use crate::failure::Failure;

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Serve(args) => run_server(&args),
        Command::CheckConfig { file } => config::check(&file).map(|()| ExitStatus::Ok),
        Command::Explain(args) => explain::run(&args).map(|()| ExitStatus::Ok),
        Command::Decode(args) => decode::run(&args),
        Command::Lint(args) => lint::run(&args),
        Command::Dns(args) => dns::run(&args),
        Command::Ping(args) => ping::run(&args),
        Command::Tls(args) => tls::run(&args),
        Command::Completions { shell } => completions::print(shell).map(|()| ExitStatus::Ok),
        Command::Man { folder } => man::run(folder.as_deref()).map(|()| ExitStatus::Ok),
        Command::User(args) => users::run(args).map(|()| ExitStatus::Ok),
    };
    let status = done.unwrap_or_else(|failure| {
        failure.tell();
        failure.status()
    });
    ExitCode::from(status as u8)
}

fn run_server(args: &ServeArgs) -> Result<ExitStatus, Failure> {
    let level = args.log_level.as_deref();
    let configured = match args.configured() {
        Ok(configured) => configured,
        Err(failure) => {
            // Who asked for a log of objects gets this as one, too.
            log::start(args.log(), level)?;
            return Err(failure);
        }
    };
    log::start(configured.log, level)?;
    configured.warnings.iter().flat_map(|report| report.lines()).for_each(|warning| tracing::warn!("{warning}"));
    match serve(&configured.settings, &mut io::stdout())? {
        Ended::Interrupted => Ok(ExitStatus::Interrupted),
        _ => Ok(ExitStatus::Ok),
    }
}
