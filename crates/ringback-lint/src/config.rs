//! Which rules are asked, and how bad what they find is.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::rule::{Rule, Severity};

/// Rules that are off or have another severity; all others are as they are.
///
/// ```
/// use ringback_lint::{Config, Severity};
///
/// let config = Config::default().off("via-rport-missing")?.severity("max-forwards-zero", Severity::Error)?;
/// assert!(Config::default().off("no-such-rule").is_err());
/// # Ok::<(), ringback_lint::UnknownRule>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    changed: BTreeMap<&'static str, Option<Severity>>,
    /// That of each rule, in their order, so that no message looks it up; empty where nothing is changed.
    severities: Vec<Option<Severity>>,
}

impl Config {
    /// Without that rule.
    ///
    /// # Errors
    /// Where there is no such rule.
    pub fn off(self, id: &str) -> Result<Config, UnknownRule> {
        self.with(id, None)
    }

    /// With this severity for what that rule finds.
    ///
    /// # Errors
    /// Where there is no such rule.
    pub fn severity(self, id: &str, severity: Severity) -> Result<Config, UnknownRule> {
        self.with(id, Some(severity))
    }

    /// Without the rules that are less severe than this.
    #[must_use]
    pub fn at_least(self, least: Severity) -> Config {
        let is_less = |rule: &&Rule| self.severity_of(rule).is_some_and(|severity| severity < least);
        let less: Vec<_> = Rule::all().filter(is_less).collect();
        less.into_iter().fold(self, |config, rule| config.with_rule(rule, None))
    }

    /// The severity of a rule; `None` where it is off.
    #[must_use]
    pub fn severity_of(&self, rule: &Rule) -> Option<Severity> {
        self.changed.get(rule.id).copied().unwrap_or(Some(rule.severity))
    }

    fn with(self, id: &str, severity: Option<Severity>) -> Result<Config, UnknownRule> {
        let rule = Rule::find(id).ok_or_else(|| UnknownRule { id: id.into() })?;
        Ok(self.with_rule(rule, severity))
    }

    fn with_rule(mut self, rule: &Rule, severity: Option<Severity>) -> Config {
        self.changed.insert(rule.id, severity);
        self.severities = Rule::all().map(|rule| self.severity_of(rule)).collect();
        self
    }

    /// The rules that are on, each with its severity.
    pub(crate) fn rules(&self) -> impl Iterator<Item = (&'static Rule, Severity)> {
        Rule::all().enumerate().filter_map(|(i, rule)| match self.severities.get(i) {
            Some(severity) => Some((rule, (*severity)?)),
            None => Some((rule, rule.severity)),
        })
    }
}

/// An id that no rule has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownRule {
    /// The id.
    pub id: String,
}

impl fmt::Display for UnknownRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no rule {:?}", self.id)
    }
}

impl core::error::Error for UnknownRule {}
