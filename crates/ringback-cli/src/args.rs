//! The command line.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum, value_parser};
use ringback_server::{Domain, Durability, ExitStatus, Listen, SHARDS_MAX, Settings, UserName, default_data_folder};

use crate::failure::Failure;

const EXIT_STATUSES: &str = "\
Exit status:
  0    done; for serve: ended by Ctrl-C or SIGTERM
  1    refused: no such user, a user that exists, a line that can't be imported
  2    the command line can't be understood
  3    an address can't be listened on: taken, not permitted, not this machine's
  4    the data folder or a database in it can't be used: not writable, open elsewhere, broken, too new
  70   a defect, or a system that refuses the least
  130  a second Ctrl-C or SIGTERM ended it at once";

const SERVE_EXAMPLES: &str = "\
Examples:
  ringback serve                                    port 5060 of 127.0.0.1 and ::1
  ringback serve --listen 5070                      another port of them
  ringback serve --listen 0.0.0.0 --domain a.example
                                                    every IPv4 address of this machine
  ringback serve --listen 192.0.2.1:5060 --data /var/lib/ringback --log json";

const LISTEN_HELP: &str =
    "Where to listen, repeatable: HOST:PORT, [IPV6]:PORT, an address, or a port of the loopback addresses";

const LISTEN_MORE: &str = "\
0.0.0.0 and [::] mean every address that the machine has when the server starts. Without this flag it is port 5060 of 127.0.0.1, and of \
::1 where there is IPv6. Port 0 lets the system choose one; the line \"ready\" of the log tells which.";

/// A SIP registrar and proxy.
#[derive(Debug, Parser)]
#[command(name = "ringback", version, arg_required_else_help = true, after_help = EXIT_STATUSES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server until Ctrl-C or SIGTERM
    #[command(after_help = format!("{SERVE_EXAMPLES}\n\n{EXIT_STATUSES}"))]
    Serve(ServeArgs),
    /// Manage the accounts of a server that is not running
    #[command(after_help = EXIT_STATUSES)]
    User(UserArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    #[arg(long, value_name = "ADDR", help = LISTEN_HELP, long_help = format!("{LISTEN_HELP}.\n\n{LISTEN_MORE}"))]
    listen: Vec<Listen>,

    /// The name of the domain; the addresses of the listeners are names of it, too.
    #[arg(long, value_name = "NAME")]
    domain: Option<Domain>,

    #[command(flatten)]
    data: DataArgs,

    /// How many threads do the work [default: one for each core]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=i64::from(SHARDS_MAX)))]
    shards: Option<u16>,

    /// When a registration counts as stored, and is answered: always (on the disk), interval=MS, none.
    ///
    /// With "interval" and "none" a registration is answered at once and written later: a crash may lose it, and its phone is not
    /// reached until it registers again.
    #[arg(long, value_name = "WHEN", default_value = "always", value_parser = durability)]
    durability: Durability,

    /// How the log is written, on standard error
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log: LogFormat,

    /// What is logged: off, error, warn, info, debug, trace, or a filter as RUST_LOG has it [default: $RUST_LOG, or info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
}

impl ServeArgs {
    /// The settings that the flags amount to.
    ///
    /// # Errors
    /// Where no data folder is named and there is no home.
    pub(crate) fn settings(self) -> Result<Settings, Failure> {
        let mut settings = Settings::new(self.data.folder()?);
        if !self.listen.is_empty() {
            settings.listen = self.listen;
        }
        settings.domain = self.domain;
        settings.shards = self.shards.and_then(NonZeroU16::new);
        settings.durability = self.durability;
        Ok(settings)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DataArgs {
    /// The folder of the databases [default: $RINGBACK_DATA, or ringback in the platform's data folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl DataArgs {
    /// The folder that is meant.
    ///
    /// # Errors
    /// Where none is named and there is no home.
    pub(crate) fn folder(self) -> Result<PathBuf, Failure> {
        let none =
            || Failure::new(ExitStatus::Data, "this user has no home for a data folder; name one with --data DIR");
        self.data.or_else(default_data_folder).ok_or_else(none)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    pub(crate) command: UserCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user
    Add {
        /// The name, as it stands before the @
        name: UserName,
        #[command(flatten)]
        password: PasswordArgs,
        #[command(flatten)]
        realm: RealmArgs,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Add users from a file of lines NAME,PASSWORD: all of them, or none
    Import {
        /// The file, or - for standard input
        file: PathBuf,
        #[command(flatten)]
        realm: RealmArgs,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Print the names of all users, one a line
    List {
        #[command(flatten)]
        data: DataArgs,
    },
    /// Change a user's password
    Passwd {
        /// Whose
        name: UserName,
        #[command(flatten)]
        password: PasswordArgs,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Remove a user
    Remove {
        /// Whom
        name: UserName,
        #[command(flatten)]
        data: DataArgs,
    },
}

#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct PasswordArgs {
    /// Read the password from the first line of standard input instead of asking for it
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RealmArgs {
    /// The domain, where no server was started on the folder yet: it becomes the realm of all passwords [default: localhost]
    #[arg(long, value_name = "NAME")]
    pub(crate) domain: Option<Domain>,
}

fn durability(text: &str) -> Result<Durability, String> {
    match text.split_once('=') {
        None if text == "always" => Ok(Durability::Always),
        None if text == "none" => Ok(Durability::None),
        Some(("interval", ms)) => match ms.parse() {
            Ok(ms @ 1..=3_600_000) => Ok(Durability::Interval(Duration::from_millis(ms))),
            _ => Err("the interval is 1 to 3600000 milliseconds".to_owned()),
        },
        _ => Err("expected always, interval=MS or none".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn flags_become_settings() {
        let args = [
            "ringback",
            "serve",
            "--data",
            "d",
            "--listen",
            "5070",
            "--listen",
            "192.0.2.1",
            "--shards",
            "3",
            "--durability",
            "interval=50",
        ];
        let Command::Serve(args) = Args::try_parse_from(args).unwrap().command else { panic!("not serve") };
        let settings = args.settings().unwrap();
        assert_eq!(settings.listen, ["5070", "192.0.2.1"].map(|text| text.parse().unwrap()));
        assert_eq!(settings.shards, NonZeroU16::new(3));
        assert_eq!(settings.durability, Durability::Interval(Duration::from_millis(50)));
        assert_eq!(settings.data, PathBuf::from("d"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for flags in [
            ["--listen", "nowhere:"],
            ["--shards", "0"],
            ["--shards", "257"],
            ["--durability", "sometimes"],
            ["--durability", "interval=0"],
            ["--domain", "a.example:5060"],
            ["--log", "xml"],
        ] {
            assert!(Args::try_parse_from(["ringback", "serve"].into_iter().chain(flags)).is_err(), "{flags:?}");
        }
    }
}
