//! Entries for people.

use super::entry::{Entry, Named, Value};
use super::texts::Texts;
use crate::output::{WIDTH, bold, columns, dim, padded, wrapped};

/// One after another, with a line between them.
pub(crate) fn all(entries: &[&Entry], texts: &Texts) -> String {
    entries.iter().map(|entry| one(entry, texts)).collect::<Vec<_>>().join("\n")
}

/// Facts that say nothing to people beside the others.
fn is_shown(key: &str, value: &Value) -> bool {
    !matches!((key, value), ("action" | "typed", _) | ("registered", Value::Flag(true)))
}

fn one(entry: &Entry, texts: &Texts) -> String {
    let title = entry.title.as_ref().map(|title| format!(" {title}")).unwrap_or_default();
    let mut out = format!("{}  {}\n", bold(&format!("{}{title}", entry.name)), dim(texts.kind(entry.kind.as_str())));
    out.push_str(&format!("  {}\n", wrapped(&entry.meaning, 2)));
    let shown: Vec<_> = entry.facts.iter().filter(|(key, value)| is_shown(key, value)).collect();
    let labels = shown.iter().map(|(key, _)| texts.label(key)).chain([texts.label("sources")]);
    let width = labels.map(columns).max().unwrap_or_default();
    let indent = width.saturating_add(4);
    let mut fact = |label: &str, text: &str| {
        out.push_str(&format!("  {}  {}\n", dim(&padded(label, width)), wrapped(text, indent)));
    };
    for (key, value) in shown {
        for (i, text) in lines(value, texts).iter().enumerate() {
            fact(if i == 0 { texts.label(key) } else { "" }, text);
        }
    }
    out.push_str(&format!("  {}  {}\n", dim(&padded(texts.label("sources"), width)), items(&entry.sources, indent)));
    if !entry.causes.is_empty() {
        out.push_str(&format!("\n  {}\n", dim(texts.label("causes"))));
        for cause in &entry.causes {
            let check = format!("{} {}", texts.label("check"), cause.check);
            out.push_str(&format!("  - {}\n    {}\n", wrapped(&cause.cause, 4), wrapped(&check, 4)));
        }
    }
    if let Some(example) = &entry.example {
        out.push_str(&format!("\n  {}\n", dim(texts.label("example"))));
        for line in example.trim_end().lines() {
            out.push_str(format!("    {line}").trim_end());
            out.push('\n');
        }
    }
    out
}

/// Sources in lines that break between them only.
fn items(list: &[String], indent: usize) -> String {
    let mut out = String::new();
    let mut column = indent;
    for (i, item) in list.iter().enumerate() {
        let width = columns(item).saturating_add(2);
        if i > 0 && column.saturating_add(width) > WIDTH {
            out.push_str(&format!(";\n{}", " ".repeat(indent)));
            column = indent;
        } else if i > 0 {
            out.push_str("; ");
        }
        out.push_str(item);
        column = column.saturating_add(width);
    }
    out
}

/// A value in one line, or header fields in one each where one has a condition.
fn lines(value: &Value, texts: &Texts) -> Vec<String> {
    match value {
        Value::Flag(flag) => vec![texts.label(if *flag { "yes" } else { "no" }).to_owned()],
        Value::Text(text) => vec![text.clone()],
        Value::Texts(list) => vec![list.join(", ")],
        Value::Named(list) if list.iter().all(|named| named.when.is_none()) => {
            vec![list.iter().map(|named| named.name.as_str()).collect::<Vec<_>>().join(", ")]
        }
        Value::Named(list) => list.iter().map(with_condition).collect(),
    }
}

fn with_condition(named: &Named) -> String {
    match &named.when {
        Some(when) => format!("{} ({when})", named.name),
        None => named.name.clone(),
    }
}
