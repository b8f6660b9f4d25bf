//! The `ringback` command.

mod args;
mod failure;
mod log;
mod users;

use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use ringback_server::{Ended, ExitStatus, serve};

use crate::args::{Args, Command, LogFormat, ServeArgs};
use crate::failure::Failure;

fn main() -> ExitCode {
    let args = Args::parse();
    let as_json = matches!(&args.command, Command::Serve(serve) if serve.log == LogFormat::Json);
    let done = match args.command {
        Command::Serve(args) => run_server(args),
        Command::User(args) => users::run(args).map(|()| ExitStatus::Ok),
    };
    let status = done.unwrap_or_else(|failure| {
        failure.tell(as_json);
        failure.status()
    });
    ExitCode::from(status as u8)
}

fn run_server(args: ServeArgs) -> Result<ExitStatus, Failure> {
    log::start(args.log, args.log_level.as_deref())?;
    let settings = args.settings()?;
    match serve(&settings, &mut io::stdout())? {
        Ended::Interrupted => Ok(ExitStatus::Interrupted),
        _ => Ok(ExitStatus::Ok),
    }
}
