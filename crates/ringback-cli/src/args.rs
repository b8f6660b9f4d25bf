//! The command line.

mod dns;
mod help;
mod lint;
mod lookup;
mod ping;
mod tls;

use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum, value_parser};
use clap_complete::Shell;
use ringback_message::Depth;
use ringback_server::{Domain, Listen, ListenerSettings, LogFormat, LogSettings, SHARDS_MAX, UserName, When};

use crate::config::Configured;
use crate::explain::Lang;
use crate::failure::Failure;

pub(crate) use dns::DnsArgs;
pub(crate) use lint::LintArgs;
pub(crate) use lookup::{NO_SIP, TlsArgs, defect};
pub(crate) use ping::PingArgs;
pub(crate) use tls::TlsCommandArgs;

/// A SIP registrar and proxy.
#[derive(Debug, Parser)]
#[command(name = "ringback", version, arg_required_else_help = true, after_help = help::with_statuses(help::EXAMPLES))]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server until Ctrl-C or SIGTERM
    #[command(after_help = help::with_statuses(help::SERVE_EXAMPLES))]
    Serve(ServeArgs),
    /// Print what a configuration file means, or what is wrong with it
    #[command(long_about = format!("Print what a configuration file means, or what is wrong with it.\n\n{}", help::CHECK_CONFIG_MORE))]
    #[command(after_help = help::CHECK_CONFIG_EXAMPLES)]
    CheckConfig {
        /// The file
        file: PathBuf,
    },
    /// Tell what a code, method, header field or other name of SIP stands for
    #[command(long_about = format!("Tell what a code, method, header field or other name of SIP stands for.\n\n{}", help::EXPLAIN_MORE))]
    #[command(after_help = help::EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Show the SIP messages of a file, and what is wrong with them
    #[command(long_about = format!("Show the SIP messages of a file, and what is wrong with them.\n\n{}", help::DECODE_MORE))]
    #[command(after_help = help::DECODE_EXAMPLES)]
    Decode(DecodeArgs),
    /// Judge the SIP messages of a file: what breaks a rule, what is unwise, and which section says so
    #[command(long_about = format!("Judge the SIP messages of a file: what breaks a rule, what is unwise, and which section says so.\n\n{}", lint::MORE))]
    #[command(after_help = lint::EXAMPLES)]
    Lint(LintArgs),
    /// Show where a URI leads: what the name servers are asked and say, and the addresses in the order in which they are tried
    #[command(long_about = format!("Show where a URI leads: what the name servers are asked and say, and the addresses in the order in which they are tried.\n\n{}", dns::MORE))]
    #[command(after_help = dns::EXAMPLES)]
    Dns(DnsArgs),
    /// Ask servers and phones for a sign of life by OPTIONS, again and again, by any transport
    #[command(long_about = format!("Ask servers and phones for a sign of life by OPTIONS, again and again, by any transport.\n\n{}", ping::MORE))]
    #[command(after_help = ping::EXAMPLES)]
    Ping(Box<PingArgs>),
    /// Show the certificates of the servers that a URI leads to, and what they are worth
    #[command(long_about = format!("Show the certificates of the servers that a URI leads to, and what they are worth.\n\n{}", tls::MORE))]
    #[command(after_help = tls::EXAMPLES)]
    Tls(TlsCommandArgs),
    /// Manage the accounts of a server that is not running
    #[command(after_help = help::with_statuses(help::USER_EXAMPLES))]
    User(UserArgs),
    /// Print the completions of a shell
    #[command(long_about = format!("Print the completions of a shell.\n\n{}", help::COMPLETIONS_MORE))]
    #[command(after_help = help::COMPLETIONS_EXAMPLES)]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page, or write all manual pages to a folder
    #[command(long_about = format!("Print the manual page, or write all manual pages to a folder.\n\n{}", help::MAN_MORE))]
    #[command(after_help = help::MAN_EXAMPLES)]
    Man {
        /// The folder, which is there
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    #[arg(long, value_name = "ADDR", help = help::LISTEN_HELP, long_help = format!("{}.\n\n{}", help::LISTEN_HELP, help::LISTEN_MORE))]
    listen: Vec<Listen>,

    /// The name of the domain; the addresses of the listeners are names of it, too.
    #[arg(long, value_name = "NAME")]
    domain: Option<Domain>,

    #[command(flatten)]
    data: DataArgs,

    /// Listen by TLS too, at the port behind each that is listened on, with a certificate that the server makes for itself, for trying
    /// out: self-signed.pem in the data folder, which phones have to be told to trust. Where the file has a [[certificate]], that is shown instead.
    #[arg(long)]
    tls_self_signed: bool,

    /// Write the secrets of all TLS connections to this file, for looking into captures: whoever has it reads them
    #[arg(long, value_name = "FILE")]
    tls_key_log: Option<PathBuf>,

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
        if self.tls_self_signed {
            settings.tls.self_signed = true;
            settings.listeners.iter_mut().for_each(ListenerSettings::add_tls);
        }
        settings.tls.key_log = self.tls_key_log.clone();
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
    /// What to explain; one of several words needs no quotes
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
    #[command(after_help = help::ADD_EXAMPLES)]
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
    #[command(after_help = help::IMPORT_EXAMPLES)]
    Import {
        /// The file, or - for standard input
        file: PathBuf,
        #[command(flatten)]
        realm: RealmArgs,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Print the names of all users, one a line
    #[command(after_help = help::LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        data: DataArgs,
    },
    /// Change a user's password, and forget what was registered with the old one
    #[command(after_help = help::PASSWD_EXAMPLES)]
    Passwd {
        /// Whose
        name: UserName,
        #[command(flatten)]
        password: PasswordArgs,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Have requests for a user answered with 302 and the user's contacts, or relayed again
    #[command(after_help = help::REDIRECT_EXAMPLES)]
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
    #[command(after_help = help::REMOVE_EXAMPLES)]
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

    /// What a help has as an example can be typed.
    #[test]
    fn every_command_has_examples_that_are_understood() {
        let mut whole = Args::command();
        whole.build();
        let mut waiting = vec![whole];
        while let Some(command) = waiting.pop() {
            if command.get_name() == "help" {
                continue;
            }
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let path = command.get_bin_name().unwrap_or_default().to_owned();
            let (_, examples) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("{path}: no examples"));
            let lines = examples.lines().take_while(|line| !line.is_empty()).filter(|line| line.contains("ringback "));
            let commands: Vec<&str> = lines.filter_map(|line| line.get(line.find("ringback ")?..)).collect();
            assert!(commands.iter().any(|line| line.starts_with(&path)), "{path}: none of its own");
            for line in commands {
                let parsed = Args::try_parse_from(words(line));
                let is_help = |error: &clap::Error| error.kind() == clap::error::ErrorKind::DisplayHelp;
                assert!(parsed.as_ref().err().is_none_or(is_help), "{line}: {}", parsed.unwrap_err());
            }
            waiting.extend(command.get_subcommands().cloned());
        }
    }

    /// As a shell divides them, up to what is told of the line, or to where its output goes.
    fn words(line: &str) -> Vec<String> {
        let line = line.split("  ").next().unwrap_or_default().split(['|', '>']).next().unwrap_or_default();
        let mut words = Vec::new();
        for (i, part) in line.split('\'').enumerate() {
            match i % 2 {
                1 => words.push(part.to_owned()),
                _ => words.extend(part.split_whitespace().map(str::to_owned)),
            }
        }
        words
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
