//! The tables of texts under `lang/`: labels and causes, and the translation of what the registries say in English.
//!
//! | key | is |
//! |---|---|
//! | `label.KEY` | what stands before a fact |
//! | `kind.KIND` | of which registry a name is |
//! | `causes.CODE` | pairs: a likely cause of a code, and what to check |
//! | `KIND.NAME.KEY` | the text of an entry: `status.423.meaning`, `status.423.client`, `timer.'Timer B'.fires` |
//! | `phrase.'ENGLISH'` | what the registry calls a role, a class, or a condition |
//!
//! English has the first three, and they are complete; the rest comes from the registries. What another language lacks is
//! told in English.

use std::collections::BTreeMap;

use clap::ValueEnum;
use ringback_server::ExitStatus;
use toml::de::{DeTable, DeValue};

use super::entry::{Cause, Entry, Value};
use crate::failure::Failure;

/// A language that there is a table for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// English
    En,
    /// Korean
    Ko,
}

impl Lang {
    const fn source(self) -> &'static str {
        match self {
            Lang::En => include_str!("../../lang/en.toml"),
            Lang::Ko => include_str!("../../lang/ko.toml"),
        }
    }
}

/// The texts of a language, and below them the English ones.
#[derive(Debug)]
pub(crate) struct Texts {
    own: BTreeMap<String, String>,
    english: BTreeMap<String, String>,
}

impl Texts {
    /// Reads the table.
    ///
    /// # Errors
    /// Where it is no TOML: a defect, which a test would find.
    pub(crate) fn of(lang: Lang) -> Result<Texts, Failure> {
        Ok(Texts { own: read(lang)?, english: read(Lang::En)? })
    }

    /// What stands before a fact; the key itself where nobody has named it.
    pub(crate) fn label(&self, key: &str) -> &str {
        let text = self.get(&format!("label.{key}"));
        text.unwrap_or_default()
    }

    pub(crate) fn kind(&self, kind: &str) -> &str {
        self.get(&format!("kind.{kind}")).unwrap_or_default()
    }

    /// The entry in this language, with what is known of its causes.
    pub(crate) fn tell(&self, mut entry: Entry) -> Entry {
        let of_entry = format!("{}.{}", entry.kind.as_str(), entry.name);
        if let Some(text) = self.get(&format!("{of_entry}.meaning")) {
            entry.meaning = text.to_owned();
        }
        for (key, value) in &mut entry.facts {
            if let (Value::Text(old), Some(text)) = (&mut *value, self.get(&format!("{of_entry}.{key}"))) {
                *old = text.to_owned();
            }
            self.phrase_value(value);
        }
        if entry.kind == super::entry::Kind::Status {
            entry.causes = self.causes(&entry.name);
        }
        entry
    }

    fn phrase_value(&self, value: &mut Value) {
        match value {
            Value::Flag(_) => {}
            Value::Text(text) => self.phrase(text),
            Value::Texts(texts) => texts.iter_mut().for_each(|text| self.phrase(text)),
            Value::Named(named) => {
                named.iter_mut().filter_map(|named| named.when.as_mut()).for_each(|when| self.phrase(when))
            }
        }
    }

    /// A duty and its condition, such as "must: sent reliably", are looked up apart.
    fn phrase(&self, text: &mut String) {
        let own = |text: &str| self.get(&format!("phrase.{text}")).map(str::to_owned);
        let parts = || {
            let (duty, when) = text.split_once(": ")?;
            Some(format!("{}: {}", own(duty)?, own(when).unwrap_or_else(|| when.to_owned())))
        };
        if let Some(own) = own(text).or_else(parts) {
            *text = own;
        }
    }

    /// In the own language as many as it has, else all in English.
    fn causes(&self, code: &str) -> Vec<Cause> {
        let of = |table: &BTreeMap<String, String>| -> Vec<Cause> {
            let pair = |i: usize| {
                let text = |part: usize| table.get(&format!("causes.{code}.{i}.{part}")).cloned();
                Some(Cause { cause: text(0)?, check: text(1)? })
            };
            (0..).map_while(pair).collect()
        };
        let own = of(&self.own);
        if own.is_empty() { of(&self.english) } else { own }
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.own.get(key).or_else(|| self.english.get(key)).map(String::as_str)
    }
}

/// The texts by their path; of a list the places are part of it.
fn read(lang: Lang) -> Result<BTreeMap<String, String>, Failure> {
    let table = DeTable::parse(lang.source())
        .map_err(|error| Failure::new(ExitStatus::Internal, format!("the texts of {lang:?}: {error}")))?;
    let mut texts = BTreeMap::new();
    for (key, value) in table.get_ref() {
        flatten(key.get_ref().to_string(), value.get_ref(), &mut texts);
    }
    Ok(texts)
}

fn flatten(path: String, value: &DeValue<'_>, texts: &mut BTreeMap<String, String>) {
    match value {
        DeValue::String(text) => {
            texts.insert(path, text.to_string());
        }
        DeValue::Table(table) => {
            table.iter().for_each(|(key, value)| flatten(format!("{path}.{}", key.get_ref()), value.get_ref(), texts));
        }
        DeValue::Array(list) => {
            list.iter().enumerate().for_each(|(i, value)| flatten(format!("{path}.{i}"), value.get_ref(), texts));
        }
        _ => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::explain::entry::Kind;
    use crate::explain::lookup;
    use std::collections::BTreeSet;

    fn keys(lang: Lang) -> BTreeSet<String> {
        read(lang).unwrap().into_keys().collect()
    }

    /// Every key that a table may have: those of the entries, and the phrases in them.
    fn known() -> BTreeSet<String> {
        let mut known = BTreeSet::new();
        for entry in lookup::all() {
            let of_entry = format!("{}.{}", entry.kind.as_str(), entry.name);
            known.insert(format!("{of_entry}.meaning"));
            for (key, value) in &entry.facts {
                known.insert(format!("label.{key}"));
                match value {
                    Value::Flag(_) => {}
                    Value::Text(text) => {
                        known.insert(format!("{of_entry}.{key}"));
                        known.insert(format!("phrase.{text}"));
                    }
                    Value::Texts(texts) => known.extend(texts.iter().map(|text| format!("phrase.{text}"))),
                    Value::Named(named) => {
                        known.extend(named.iter().filter_map(|named| Some(format!("phrase.{}", named.when.as_ref()?))));
                    }
                }
            }
        }
        known
    }

    #[test]
    fn no_key_is_unknown() {
        let (known, english) = (known(), keys(Lang::En));
        for lang in Lang::value_variants() {
            let unknown: Vec<_> = keys(*lang)
                .into_iter()
                .filter(|key| !known.contains(key) && (*lang == Lang::En || !english.contains(key)))
                .filter(|key| {
                    !key.starts_with("kind.") && !key.starts_with("causes.") && !SHOWN.contains(&key.as_str())
                })
                .collect();
            assert!(unknown.is_empty(), "{lang:?}: {unknown:#?}");
        }
        let codes: BTreeSet<_> = lookup::all().into_iter().filter(|e| e.kind == Kind::Status).map(|e| e.name).collect();
        for key in english.iter().chain(&keys(Lang::Ko)).filter(|key| key.starts_with("causes.")) {
            assert!(codes.contains(key.split('.').nth(1).unwrap()), "{key}");
        }
    }

    /// Labels that aren't those of a fact.
    const SHOWN: [&str; 7] =
        ["label.causes", "label.check", "label.example", "label.sources", "label.yes", "label.no", "label.treat_as"];

    #[test]
    fn english_is_complete() {
        let english = keys(Lang::En);
        let labels: Vec<_> = known().into_iter().filter(|key| key.starts_with("label.")).collect();
        let missing: Vec<_> =
            labels.iter().map(String::as_str).chain(SHOWN).filter(|key| !english.contains(*key)).collect();
        assert!(missing.is_empty(), "{missing:#?}");
        let texts = Texts::of(Lang::En).unwrap();
        for entry in lookup::all() {
            assert!(!texts.kind(entry.kind.as_str()).is_empty(), "{:?}", entry.kind);
            let entry = texts.tell(entry);
            let told = entry.causes.len();
            assert!(entry.kind != Kind::Status || (1..=4).contains(&told), "{}: {told} causes", entry.name);
        }
    }

    /// Who sends a code, and under which conditions it has which header field. UAS is one everywhere.
    fn phrases_of_codes() -> BTreeSet<String> {
        let facts = lookup::all().into_iter().filter(|entry| entry.kind == Kind::Status).flat_map(|entry| entry.facts);
        let texts = facts.flat_map(|(key, value)| match value {
            Value::Texts(texts) if key == "sent_by" => texts,
            Value::Named(named) => named.into_iter().filter_map(|named| named.when).collect(),
            _ => Vec::new(),
        });
        texts.filter(|text| text != "UAS").map(|text| format!("phrase.{text}")).collect()
    }

    #[test]
    fn korean_has_every_label_and_all_of_every_code() {
        let korean = keys(Lang::Ko);
        let labels = keys(Lang::En).into_iter().filter(|key| key.starts_with("label.") || key.starts_with("kind."));
        let codes = ringback_message::status::registry().iter();
        let of_codes = codes.flat_map(|row| ["meaning", "client"].map(|key| format!("status.{}.{key}", row.code)));
        let missing: Vec<_> =
            labels.chain(of_codes).chain(phrases_of_codes()).filter(|key| !korean.contains(key)).collect();
        assert!(missing.is_empty(), "{missing:#?}");
        let causes = |keys: BTreeSet<String>| -> BTreeSet<_> {
            keys.into_iter().filter(|key| key.starts_with("causes.")).collect()
        };
        assert_eq!(causes(korean), causes(keys(Lang::En)), "each cause, as often as in English");
        let texts = Texts::of(Lang::Ko).unwrap();
        let is_korean = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
        for (key, text) in &texts.own {
            assert!(is_korean(text) || key.starts_with("phrase."), "{key}: {text}");
        }
    }
}
