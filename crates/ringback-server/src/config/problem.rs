//! What is wrong with a file, and where: drawn with a caret under the place.

use std::error::Error;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// Whether a file can be used all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Warning,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) severity: Severity,
    /// The bytes that are meant; a place beyond the end is the end.
    pub(crate) span: Range<usize>,
    /// What is wrong, in one line.
    pub(crate) title: String,
    /// What stands under the caret.
    pub(crate) label: String,
    /// What to do.
    pub(crate) help: Option<String>,
}

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn error(&mut self, span: Range<usize>, title: impl Into<String>, label: impl Into<String>) {
        self.push(Severity::Error, span, title, label, None);
    }

    pub(crate) fn push(
        &mut self,
        severity: Severity,
        span: Range<usize>,
        title: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        self.0.push(Problem { severity, span, title: title.into(), label: label.into(), help });
    }

    /// Everything, in the order of the file.
    pub(crate) fn report(mut self, path: &Path, text: &str) -> Report {
        self.0.sort_by_key(|problem| (problem.span.start, problem.span.end));
        // A parser that goes on after a defect may meet it again.
        self.0.dedup();
        Report { path: path.to_owned(), text: text.to_owned(), problems: self.0 }
    }
}

/// All that is wrong with one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    path: PathBuf,
    text: String,
    problems: Vec<Problem>,
}

impl Report {
    /// The problems, each with its line and a caret under the place; with colours for a terminal, or without.
    #[must_use]
    pub fn draw(&self, colours: bool) -> String {
        let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
        let mut drawn: Vec<_> = self.problems.iter().map(|problem| renderer.render(&[self.group(problem)])).collect();
        let errors = self.errors();
        if errors > 1 {
            let title = Level::ERROR.primary_title(format!("{}: {errors} errors", self.path.display()));
            drawn.push(renderer.render(&[Group::with_title(title)]));
        }
        drawn.join("\n\n")
    }

    /// How many of the problems make the file useless; the others are warnings.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// What is wrong, one line each and without the drawing: for a log.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.problems.iter().map(|problem| {
            let before = self.text.get(..problem.span.start).unwrap_or(&self.text);
            let line = before.matches('\n').count().saturating_add(1);
            format!("{}:{line}: {}: {}", self.path.display(), problem.title, problem.label)
        })
    }

    /// The same, with the values of all lines hidden but of those that may be shown.
    pub(crate) fn hide(mut self, may_be_shown: fn(&str) -> bool) -> Report {
        let lines = self.text.split_inclusive('\n');
        self.text = lines.map(|line| if may_be_shown(line) { line.to_owned() } else { hidden(line) }).collect();
        self
    }

    /// `None` where nothing is wrong.
    pub(crate) fn or_none(self) -> Option<Report> {
        (!self.problems.is_empty()).then_some(self)
    }

    fn group<'a>(&'a self, problem: &'a Problem) -> Group<'a> {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let annotation = AnnotationKind::Primary.span(self.drawable(&problem.span)).label(&problem.label);
        let snippet =
            Snippet::source(&self.text).path(self.path.display().to_string()).fold(true).annotation(annotation);
        let mut group = level.primary_title(&problem.title).element(snippet);
        if let Some(help) = &problem.help {
            group = group.element(Level::HELP.message(help));
        }
        group
    }

    /// The span within the text, on its first line, and between characters.
    fn drawable(&self, span: &Range<usize>) -> Range<usize> {
        let inside = |at: usize| {
            let at = at.min(self.text.len());
            (0..=at).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
        };
        let (start, end) = (inside(span.start), inside(span.end));
        let meant = self.text.get(start..end).unwrap_or_default();
        let first_line = meant.lines().next().map_or(0, |line| line.trim_end().len());
        start..start.saturating_add(first_line).min(end).max(start)
    }
}

/// The line with everything behind its key, or all of it, as stars; every byte stays in its place.
fn hidden(line: &str) -> String {
    let (key, value) = line.split_once('=').unwrap_or(("", line));
    let star = |c: char| match c {
        '\n' | '\r' | ' ' | '"' | '\'' => c.to_string(),
        c => "*".repeat(c.len_utf8()),
    };
    let sign = if key.is_empty() { "" } else { "=" };
    format!("{key}{sign}{}", value.chars().map(star).collect::<String>())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.draw(false))
    }
}

/// Why a file can't be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// It can't be read, or is no text.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no TOML, or says what is not understood.
    Wrong(Report),
}

impl ConfigError {
    /// As [`Report::draw`].
    #[must_use]
    pub fn draw(&self, colours: bool) -> String {
        match self {
            ConfigError::Unreadable { path, source } => {
                let title = format!("{}: can't be read: {source}", path.display());
                let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
                renderer.render(&[Group::with_title(Level::ERROR.primary_title(title))])
            }
            ConfigError::Wrong(report) => report.draw(colours),
        }
    }
}

impl ConfigError {
    /// As [`Report::hide`].
    pub(crate) fn hide(self, may_be_shown: fn(&str) -> bool) -> ConfigError {
        match self {
            ConfigError::Wrong(report) => ConfigError::Wrong(report.hide(may_be_shown)),
            other => other,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.draw(false))
    }
}

impl Error for ConfigError {}
