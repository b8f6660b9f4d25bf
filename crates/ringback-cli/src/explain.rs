//! `ringback explain`: what a code, method, header field or other name of SIP stands for.
//!
//! What is told comes from the registries of `ringback-message`, the timers of [`timers`] and the texts of `lang/`.

mod entry;
mod example;
mod lookup;
mod registry;
mod show;
mod texts;
mod timers;

use serde::Serialize;

use ringback_server::ExitStatus;

use crate::args::ExplainArgs;
use crate::failure::Failure;
use crate::output::print;
use entry::Entry;
use texts::Texts;

pub(crate) use texts::Lang;

/// Prints all that each term may mean.
///
/// # Errors
/// Where nothing is known by a term; what is known of the others is printed all the same.
pub(crate) fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let texts = Texts::of(args.lang)?;
    let (found, unknown) = find(&args.terms);
    let found: Vec<Found> = found
        .into_iter()
        .map(|(term, entries)| Found { term, entries: entries.into_iter().map(|entry| texts.tell(entry)).collect() })
        .collect();
    if args.json {
        let json = serde_json::to_string_pretty(&found).map_err(|error| Failure::new(ExitStatus::Internal, error))?;
        print(&format!("{json}\n"))?;
    } else {
        let entries: Vec<_> = found.iter().flat_map(|found| &found.entries).collect();
        print(&show::all(&entries, &texts))?;
    }
    match unknown.as_slice() {
        [] => Ok(()),
        unknown => {
            Err(Failure::refused(unknown.iter().map(|term| not_known(term)).collect::<Vec<_>>().join("\n          ")))
        }
    }
}

/// What one term may mean.
#[derive(Debug, Serialize)]
struct Found {
    term: String,
    entries: Vec<Entry>,
}

/// What is known, and the terms that nothing is known by. Several words may be one term that wasn't put in quotes.
fn find(terms: &[String]) -> (Vec<(String, Vec<Entry>)>, Vec<&str>) {
    if let Some(line) = lookup::find_line(terms) {
        return (vec![(terms.join(" "), line)], Vec::new());
    }
    let mut known = Vec::new();
    let mut unknown = Vec::new();
    let mut rest = terms;
    while let [term, behind @ ..] = rest {
        if let Some((count, entries)) = lookup::find_words(rest) {
            let (words, behind) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            known.push((words.join(" "), entries));
            rest = behind;
            continue;
        }
        match lookup::find(term) {
            entries if entries.is_empty() => unknown.push(term.as_str()),
            entries => known.push((term.clone(), entries)),
        }
        rest = behind;
    }
    (known, unknown)
}

fn not_known(term: &str) -> String {
    let near = lookup::near(term);
    if near.is_empty() {
        return format!("nothing is known as {term:?}");
    }
    let near: Vec<_> = near.iter().map(|name| format!("{name:?}")).collect();
    format!("nothing is known as {term:?}; did you mean {}?", near.join(" or "))
}
