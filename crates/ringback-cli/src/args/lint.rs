//! The flags of `ringback lint`.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command, ValueEnum};
use ringback_lint::{Config, RULES, Rule, Severity, UnknownRule};

pub(super) const MORE: &str = "\
Reads what decode reads. A response is judged together with its request where the request stands \
before it or not far behind it. An error breaks a MUST, a \
warning is against a SHOULD or what some peers cope with, a note is deprecated or unwise. docs/lint.md has all rules with examples. What \
can't be read at all is an error of the name framing or syntax, which is no rule; of such a message nothing else is judged, nor is a \
message that the capture has but a part of, which is told as a warning of the name cut. Of a message with very many findings the most severe are told, and how many are left out.";

pub(super) const EXAMPLES: &str = "\
Examples:
  ringback lint trace.pcapng                every message of a capture
  pbpaste | ringback lint -                 what was copied from a log
  ringback lint a.sip --only error          without warnings and notes
  ringback lint a.sip --off via-rport-missing --severity tag-short=error
  ringback lint trace.pcap --json           an array: one object a finding, with names that stay
  ringback lint --rules                     what is looked at

Exit status:
  0    no error, and with --strict no warning; what --only leaves out doesn't count
  1    an error, or with --strict a warning; or a message that a part of is missing
  2    the file can't be read, or there is no SIP message in it that can be judged; or the command line can't be understood";

#[derive(Debug, clap::Args)]
pub(crate) struct LintArgs {
    /// The file, or - for standard input
    #[arg(required_unless_present = "rules")]
    pub(crate) file: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Leave a rule out; repeatable
    #[arg(long, value_name = "RULE", value_parser = RuleParser, hide_possible_values = true)]
    off: Vec<&'static Rule>,

    /// Give a rule another severity: error, warning, note; repeatable
    #[arg(long, value_name = "RULE=SEVERITY", value_parser = RuleAndSeverityParser, hide_possible_values = true)]
    severity: Vec<(&'static Rule, Severity)>,

    /// Leave out what is less severe
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = SeverityArg::Note)]
    only: SeverityArg,

    /// Have warnings count as errors for the exit status
    #[arg(long)]
    pub(crate) strict: bool,

    /// List the rules that the other flags leave, and read nothing
    #[arg(long)]
    pub(crate) rules: bool,
}

impl LintArgs {
    /// The rules as the flags have them; what is off stays off.
    ///
    /// # Errors
    /// Never: the flags name rules that are known.
    pub(crate) fn config(&self) -> Result<Config, UnknownRule> {
        let mut severities = self.severity.iter();
        let config =
            severities.try_fold(Config::default(), |config, (rule, severity)| config.severity(rule.id, *severity))?;
        self.off.iter().try_fold(config, |config, rule| config.off(rule.id))
    }

    /// The least severity that is told.
    pub(crate) fn least(&self) -> Severity {
        self.only.severity()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SeverityArg {
    Error,
    Warning,
    Note,
}

impl SeverityArg {
    fn severity(self) -> Severity {
        match self {
            SeverityArg::Error => Severity::Error,
            SeverityArg::Warning => Severity::Warning,
            SeverityArg::Note => Severity::Note,
        }
    }
}

/// Reads the name of a rule. Completions get all of them from here, and a wrong one is told the nearest instead of all.
#[derive(Clone)]
struct RuleParser;

impl TypedValueParser for RuleParser {
    type Value = &'static Rule;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<&'static Rule, clap::Error> {
        rule.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(rules().map(|rule| PossibleValue::new(rule.id).help(rule.what))))
    }
}

/// Reads the same with `=` and a severity.
#[derive(Clone)]
struct RuleAndSeverityParser;

impl TypedValueParser for RuleAndSeverityParser {
    type Value = (&'static Rule, Severity);

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Self::Value, clap::Error> {
        rule_and_severity.parse_ref(command, arg, value)
    }

    /// Without the severity that the rule has anyway.
    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let severities = [Severity::Error, Severity::Warning, Severity::Note];
        Some(Box::new(rules().flat_map(move |rule| {
            let others = severities.into_iter().filter(|severity| *severity != rule.severity);
            others.map(|severity| PossibleValue::new(format!("{}={severity}", rule.id)))
        })))
    }
}

fn rules() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().flat_map(|family| family.rules)
}

fn rule(id: &str) -> Result<&'static Rule, String> {
    Rule::find(id).ok_or_else(|| {
        let near = rules().map(|rule| rule.id).min_by_key(|other| strsim::damerau_levenshtein(id, other));
        format!("there is no such rule; the nearest is {}", near.unwrap_or_default())
    })
}

fn rule_and_severity(text: &str) -> Result<(&'static Rule, Severity), String> {
    let (id, severity) = text.split_once('=').ok_or("expected RULE=SEVERITY")?;
    let severity = SeverityArg::from_str(severity, false).map_err(|_| "the severities are error, warning, note")?;
    Ok((rule(id)?, severity.severity()))
}
