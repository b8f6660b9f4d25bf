//! Reading the tables of a TOML file: what is there, of which type, and what is not known.

use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{ConfigError, Problems, Report, Severity};

type Value<'t> = Spanned<DeValue<'t>>;

/// Reads a whole file. Where it is no TOML, that is all that is said of it: what follows from a broken line misleads.
///
/// # Errors
/// With everything that is wrong.
pub(crate) fn read<T>(
    path: &Path,
    text: &str,
    act: impl FnOnce(&mut Reader<'_, '_>) -> T,
) -> Result<(T, Option<Report>), ConfigError> {
    let mut problems = Problems::default();
    let (table, broken) = DeTable::parse_recoverable(text);
    for error in &broken {
        problems.error(error.span().unwrap_or_default(), "this is no TOML", error.message());
    }
    if !broken.is_empty() {
        return Err(ConfigError::Wrong(problems.report(path, text)));
    }
    let mut reader =
        Reader { problems: &mut problems, table: table.get_ref(), place: Place::Top, span: 0..0, known: Vec::new() };
    let read = act(&mut reader);
    reader.refuse_unknown();
    let report = problems.report(path, text);
    if report.errors() > 0 { Err(ConfigError::Wrong(report)) } else { Ok((read, report.or_none())) }
}

/// One table and what was asked of it. Whatever is wrong is noted, and the reading goes on.
#[derive(Debug)]
pub(crate) struct Reader<'p, 't> {
    problems: &'p mut Problems,
    table: &'t DeTable<'t>,
    place: Place,
    /// Where the table itself stands.
    pub(crate) span: Range<usize>,
    known: Vec<&'static str>,
}

/// Which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Top,
    Table(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Top => f.write_str("at the top of the file"),
            Place::Table(name) => write!(f, "in [{name}]"),
        }
    }
}

impl<'t> Reader<'_, 't> {
    /// Text that means something to `T`.
    pub(crate) fn text<T: FromStr<Err: fmt::Display>>(&mut self, key: &'static str) -> Option<T> {
        let value = self.value(key)?;
        let text = self.as_text(key, value, "a string")?;
        match text.parse::<T>() {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.wrong_value(key, value, error.to_string());
                None
            }
        }
    }

    /// An array of texts, each of which means something to `T`.
    pub(crate) fn texts<T: FromStr<Err: fmt::Display>>(&mut self, key: &'static str) -> Option<Vec<T>> {
        let mut all = Vec::new();
        for value in self.array(key, "an array of strings")? {
            let Some(text) = self.as_text(key, value, "a string") else { continue };
            match text.parse::<T>() {
                Ok(parsed) => all.push(parsed),
                Err(error) => self.wrong_value(key, value, error.to_string()),
            }
        }
        Some(all)
    }

    /// One of the words.
    pub(crate) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> Option<T> {
        let value = self.value(key)?;
        self.as_word(key, value, words)
    }

    /// An array of the words, each at most once, and at least one.
    pub(crate) fn words<T: Copy + PartialEq>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<Vec<T>> {
        let mut all = Vec::new();
        let array = self.array(key, &format!("an array of {}", list(words)))?;
        for value in array {
            let Some(word) = self.as_word(key, value, words) else { continue };
            if all.contains(&word) {
                self.wrong_value(key, value, "stands here twice".to_owned());
            }
            all.push(word);
        }
        if array.is_empty() {
            let span = self.span_of(key);
            self.problems.error(span, self.title(key, "is empty"), format!("expected {}", list(words)));
            return None;
        }
        Some(all)
    }

    /// True or false.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(key, value, "true or false");
        }
        flag
    }

    /// A whole number within a range.
    pub(crate) fn number(&mut self, key: &'static str, range: &RangeInclusive<u64>) -> Option<u64> {
        let value = self.value(key)?;
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let DeValue::Integer(integer) = value.get_ref() else {
            self.wrong_type(key, value, &expected);
            return None;
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| range.contains(n));
        if number.is_none() {
            let title = self.title(key, "is out of range");
            self.problems.error(value.span(), title, format!("expected {expected}"));
        }
        number
    }

    /// A table of this name, if it is there.
    pub(crate) fn section<T>(&mut self, name: &'static str, act: impl FnOnce(&mut Reader<'_, 't>) -> T) -> Option<T> {
        let value = self.value(name)?;
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(name, value, &format!("a table: [{name}]"));
            return None;
        };
        Some(self.inside(name, table, value.span(), act))
    }

    /// Every table of this name: `[[name]]`, or `[name]` where there is one.
    pub(crate) fn sections<T>(&mut self, name: &'static str, mut act: impl FnMut(&mut Reader<'_, 't>) -> T) -> Vec<T> {
        let Some(value) = self.value(name) else { return Vec::new() };
        let mut all = Vec::new();
        match value.get_ref() {
            DeValue::Table(table) => all.push(self.inside(name, table, value.span(), &mut act)),
            DeValue::Array(array) => {
                for value in array.iter() {
                    match value.get_ref() {
                        DeValue::Table(table) => all.push(self.inside(name, table, value.span(), &mut act)),
                        _ => self.wrong_type(name, value, &format!("a table: [[{name}]]")),
                    }
                }
            }
            _ => self.wrong_type(name, value, &format!("tables: [[{name}]]")),
        }
        all
    }

    /// Where the value of a key stands; where there is none, the table.
    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or(self.span.clone(), Spanned::span)
    }

    /// True where the key is there, whatever it holds.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Notes that the value of a key can't be, though it is one for itself.
    pub(crate) fn error(&mut self, key: &str, what: &str, label: impl Into<String>, help: Option<&str>) {
        let (span, title) = (self.span_of(key), self.title(key, what));
        self.problems.push(Severity::Error, span, title, label, help.map(str::to_owned));
    }

    /// Notes that the value of a key is better another one.
    pub(crate) fn warning(&mut self, key: &str, what: &str, label: impl Into<String>) {
        let (span, title) = (self.span_of(key), self.title(key, what));
        self.problems.push(Severity::Warning, span, title, label, None);
    }

    /// Notes that this table can't be.
    pub(crate) fn refuse(&mut self, title: &str, label: &str, help: &str) {
        self.problems.push(Severity::Error, self.span.clone(), title, label, Some(help.to_owned()));
    }

    fn inside<T>(
        &mut self,
        name: &'static str,
        table: &'t DeTable<'t>,
        span: Range<usize>,
        act: impl FnOnce(&mut Reader<'_, 't>) -> T,
    ) -> T {
        let place = Place::Table(name);
        let mut reader = Reader { problems: self.problems, table, place, span, known: Vec::new() };
        let read = act(&mut reader);
        reader.refuse_unknown();
        read
    }

    fn value(&mut self, key: &'static str) -> Option<&'t Value<'t>> {
        self.known.push(key);
        self.table.get(key)
    }

    fn array(&mut self, key: &'static str, expected: &str) -> Option<&'t [Value<'t>]> {
        let value = self.value(key)?;
        let array = value.get_ref().as_array();
        if array.is_none() {
            self.wrong_type(key, value, expected);
        }
        array.map(|array| &**array)
    }

    fn as_text(&mut self, key: &str, value: &'t Value<'t>, expected: &str) -> Option<&'t str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(key, value, expected);
        }
        text
    }

    fn as_word<T: Copy>(&mut self, key: &str, value: &'t Value<'t>, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.as_text(key, value, &list(words))?;
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, meant)| *meant);
        if found.is_none() {
            let help = nearest(text, words.iter().map(|(word, _)| *word)).map(|word| format!("did you mean {word:?}?"));
            let title = self.title(key, "has a value that is not known");
            let label = format!("expected {}", list(words));
            self.problems.push(Severity::Error, value.span(), title, label, help);
        }
        found
    }

    fn wrong_type(&mut self, key: &str, value: &Value<'_>, expected: &str) {
        let found = value.get_ref().type_str();
        let title = self.title(key, "has the wrong type");
        self.problems.error(value.span(), title, format!("expected {expected}, found {}", article(found)));
    }

    fn wrong_value(&mut self, key: &str, value: &Value<'_>, why: String) {
        let title = self.title(key, "has a wrong value");
        self.problems.error(value.span(), title, why);
    }

    fn title(&self, key: &str, what: &str) -> String {
        match self.place {
            Place::Top => format!("`{key}` {what}"),
            place => format!("`{key}` {place} {what}"),
        }
    }

    fn refuse_unknown(&mut self) {
        for (key, _) in self.table.iter() {
            let text = key.get_ref().as_ref();
            if self.known.contains(&text) {
                continue;
            }
            let help = match nearest(text, self.known.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known here: {}", self.known.join(", ")),
            };
            let (title, label) = (format!("unknown key `{text}`"), format!("not known {}", self.place));
            self.problems.push(Severity::Error, key.span(), title, label, Some(help));
        }
    }
}

/// The words, as a sentence lists them.
fn list<T>(words: &[(&'static str, T)]) -> String {
    let quoted: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

/// The word that was meant, if one is near: a third of its letters may be wrong.
fn nearest<'w>(text: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let text = text.to_ascii_lowercase();
    words
        .map(|word| (strsim::damerau_levenshtein(&text, &word.to_ascii_lowercase()), word))
        .filter(|(distance, word)| *distance <= word.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}
