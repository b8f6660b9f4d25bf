//! The command line.

mod lint;

use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum, value_parser};
use ringback_message::Depth;
use ringback_server::{Domain, Listen, LogFormat, LogSettings, SHARDS_MAX, UserName, When};

use crate::config::Configured;
use crate::explain::Lang;
use crate::failure::Failure;

pub(crate) use lint::LintArgs;

const EXIT_STATUSES: &str = "\
Exit status:
  0    done; for serve: ended by Ctrl-C or SIGTERM
  1    refused: no such user, a user that exists, a line that can't be imported
  2    the command line can't be understood
  3    an address can't be listened on: taken, not permitted, not this machine's
  4    the data folder or a database in it can't be used: not writable, open elsewhere, broken, too new
  5    the configuration file, or the file of accounts that it names, can't be read or has errors
  70   a defect, or a system that refuses the least
  130  a second Ctrl-C or SIGTERM ended it at once
  explain, decode and lint have their own: see their help";

const SERVE_EXAMPLES: &str = "\
Examples:
  ringback serve                                    port 5060 of 127.0.0.1 and ::1
  ringback serve --listen 5070                      another port of them
  ringback serve --listen 0.0.0.0 --domain a.example
                                                    every IPv4 address of this machine
  ringback serve --listen 192.0.2.1:5060 --data /var/lib/ringback --log json
  ringback serve --config /etc/ringback.toml        what the flags don't say is in a file

A flag wins over an environment variable (RINGBACK_DATA, RUST_LOG), that over the file, and the file over the defaults. --listen
takes the place of all listeners of the file. Without a file digest is MD5 alone; with one, SHA-256 and then MD5.";

const CHECK_CONFIG_MORE: &str = "\
Prints every setting as a file that means the same, those that the file leaves out with their defaults. Of a file that can't be used \
all that is wrong is drawn on standard error. Addresses and the data folder are not tried.";

const EXPLAIN_MORE: &str = "\
A term is a response code or its phrase, a method, a header field (also its compact form), an option tag, an event package, a parameter, \
a timer, a warning code, a cause of Reason, or a status line as it stands in a trace. Letter case doesn't matter. Where a term has \
several meanings all are told; a word before it picks one: status, method, header, option, event, warning, timer, uri, param, reason.";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  ringback explain 423                      what it means, what it carries, who sends it, what to check
  ringback explain 'SIP/2.0 603 Network Blocked'
  ringback explain RSeq 100rel INVITE       several terms
  ringback explain 'Timer B' 'Warning 370' presence
  ringback explain 'Reason: Q.850;cause=17'
  ringback explain 486 --lang ko            in Korean
  ringback explain 401 --json               an array: one object a term, its \"entries\" with names that stay

Exit status:
  0    all terms are known
  1    a term isn't; near names are told on standard error
  2    the command line can't be understood";

const DECODE_MORE: &str = "\
Reads SIP messages as they are, one after another; captures (pcap, pcapng); hexadecimal dumps; and logs with messages in them. What a file \
is, its content says. Each header field is shown with the parts of its value, and each fault with a caret under its place.";

const DECODE_EXAMPLES: &str = "\
Examples:
  ringback decode invite.sip                a message in a file
  ringback decode trace.pcapng --json       every message of a capture, as one object
  pbpaste | ringback decode -               what was copied from a log
  ringback decode a.sip --depth syntax      without a look at what is missing

Exit status:
  0    every message is fine
  1    a message has faults, or the input has messages that can't be read whole
  2    the file can't be read, or there is no SIP message in it; or the command line can't be understood";

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
    /// Print what a configuration file means, or what is wrong with it
    #[command(long_about = format!("Print what a configuration file means, or what is wrong with it.\n\n{CHECK_CONFIG_MORE}"))]
    #[command(after_help = EXIT_STATUSES)]
    CheckConfig {
        /// The file
        file: PathBuf,
    },
    /// Tell what a code, method, header field or other name of SIP stands for
    #[command(long_about = format!("Tell what a code, method, header field or other name of SIP stands for.\n\n{EXPLAIN_MORE}"))]
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Show the SIP messages of a file, and what is wrong with them
    #[command(long_about = format!("Show the SIP messages of a file, and what is wrong with them.\n\n{DECODE_MORE}"))]
    #[command(after_help = DECODE_EXAMPLES)]
    Decode(DecodeArgs),
    /// Judge the SIP messages of a file: what breaks a rule, what is unwise, and which section says so
    #[command(long_about = format!("Judge the SIP messages of a file: what breaks a rule, what is unwise, and which section says so.\n\n{}", lint::MORE))]
    #[command(after_help = lint::EXAMPLES)]
    Lint(LintArgs),
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

    /// When a registration counts as stored, and is answered: always (on the disk), interval=MS, none [default: always].
    ///
    /// With "interval" and "none" a registration is answered at once and written later: a crash may lose it, and its phone is not
    /// reached until it registers again.
    #[arg(long, value_name = "WHEN")]
    durability: Option<When>,

    /// How the log is written, on standard error [default: text]
    #[arg(long, value_name = "FORMAT", value_enum)]
    log: Option<LogForm>,

    /// What is logged: off, error, warn, info, debug, trace, or a filter as RUST_LOG has it [default: $RUST_LOG, or the file's, or info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
}

impl ServeArgs {
    /// The file's settings and what the flags change.
    ///
    /// # Errors
    /// Where the file can't be used, or no data folder is named and there is no home.
    pub(crate) fn configured(&self) -> Result<Configured, Failure> {
        let mut configured = self.data.configured()?;
        let settings = &mut configured.settings;
        if !self.listen.is_empty() {
            settings.listeners = self.listen.iter().cloned().map(Into::into).collect();
        }
        settings.domain = self.domain.clone().or(settings.domain.take());
        settings.shards = self.shards.and_then(NonZeroU16::new).or(settings.shards);
        if let Some(When(durability)) = self.durability {
            settings.location.durability = durability;
        }
        configured.log.format = self.log.map(LogForm::format).or(configured.log.format);
        Ok(configured)
    }

    /// The log as the flags alone have it: for telling that the file can't be used.
    pub(crate) fn log(&self) -> LogSettings {
        LogSettings { format: self.log.map(LogForm::format), level: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogForm {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

impl LogForm {
    fn format(self) -> LogFormat {
        match self {
            LogForm::Text => LogFormat::Text,
            LogForm::Json => LogFormat::Json,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// What to explain; one of several words needs no quotes where it stands alone
    #[arg(value_name = "TERM", required = true)]
    pub(crate) terms: Vec<String>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// The language of the texts; what it lacks is told in English
    #[arg(long, value_name = "LANG", value_enum, default_value_t = Lang::En)]
    pub(crate) lang: Lang,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DecodeArgs {
    /// The file, or - for standard input
    pub(crate) file: PathBuf,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// How far to look for faults
    #[arg(long, value_name = "DEPTH", value_enum, default_value_t = DepthArg::Semantics)]
    pub(crate) depth: DepthArg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DepthArg {
    /// Lines, names and the length of the body
    Framing,
    /// And the grammar of each header field
    Syntax,
    /// And what must be there, what may be there but once, what belongs together
    Semantics,
}

impl DepthArg {
    pub(crate) fn depth(self) -> Depth {
        match self {
            DepthArg::Framing => Depth::Framing,
            DepthArg::Syntax => Depth::Syntax,
            DepthArg::Semantics => Depth::Semantics,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct DataArgs {
    /// A configuration file; docs/ringback.toml explains each setting. Flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The folder of the databases [default: $RINGBACK_DATA, or the file's, or ringback in the platform's data folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl DataArgs {
    /// What the file says, with the data folder that is meant.
    ///
    /// # Errors
    /// Where the file can't be used, or no folder is named and there is no home.
    pub(crate) fn configured(&self) -> Result<Configured, Failure> {
        Configured::read(self.config.as_deref(), self.data.clone())
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
    /// Change a user's password, and forget what was registered with the old one
    Passwd {
        /// Whose
        name: UserName,
        #[command(flatten)]
        password: PasswordArgs,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Have requests for a user answered with 302 and the user's contacts, or relayed again
    Redirect {
        /// Whom
        name: UserName,
        /// on or off
        #[arg(action = clap::ArgAction::Set, value_parser = clap::builder::BoolishValueParser::new())]
        redirect: bool,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Remove a user, and what it has registered
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
    /// The realm of all passwords, where there are no accounts yet [default: realm or name of the file's domain, or localhost]
    #[arg(long, value_name = "NAME")]
    pub(crate) domain: Option<Domain>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use clap::CommandFactory as _;
    use ringback_server::Durability;
    use std::time::Duration;

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
        let settings = args.configured().unwrap().settings;
        let listens: Vec<_> = settings.listeners.iter().map(|listener| listener.listen.to_string()).collect();
        assert_eq!(listens, ["5070", "192.0.2.1:5060"]);
        assert_eq!(settings.shards, NonZeroU16::new(3));
        assert_eq!(settings.location.durability, Durability::Interval(Duration::from_millis(50)));
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
