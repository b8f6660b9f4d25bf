//! What is said of names: `[directory]` and `[[name]]`.

use std::fmt::Write as _;
use std::str::FromStr;

use ringback_message::{HeaderId, Uri};
use ringback_stack::{Directory, Listed};

use super::reader::Reader;
use super::show::{array, line, quoted};
use crate::accounts::UserName;

/// What a name that is no user can mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Means {
    Gone,
    Moved,
    Choice,
    Ambiguous,
}

const MEANS: &[(&str, Means)] =
    &[("gone", Means::Gone), ("moved", Means::Moved), ("choice", Means::Choice), ("ambiguous", Means::Ambiguous)];

pub(super) fn read(reader: &mut Reader<'_, '_>, directory: &mut Directory) {
    if let Some(users) = reader.texts::<UserName>("refuse_anonymous") {
        directory.refuse_anonymous = users.iter().map(|user| user.as_str().into()).collect();
    }
    directory.speaks_for_all = reader.flag("speaks_for_all").unwrap_or(directory.speaks_for_all);
}

pub(super) fn read_name(reader: &mut Reader<'_, '_>, directory: &mut Directory) {
    for key in ["user", "means"] {
        if !reader.has(key) {
            reader.refuse(
                &format!("a name without `{key}`"),
                "what is it about?",
                "add user = \"erin\" and means = \"gone\"",
            );
        }
    }
    let (user, means) = (reader.text::<UserName>("user"), reader.word("means", MEANS));
    let uris: Vec<Box<str>> = reader.texts("uris").unwrap_or_default().into_iter().map(|SipUri(uri)| uri).collect();
    let (Some(user), Some(means)) = (user, means) else { return };
    let help = "`gone` needs none, `moved` one, `choice` two or more; `ambiguous` may hide them";
    let fits = match means {
        Means::Gone => uris.is_empty(),
        Means::Moved => uris.len() == 1,
        Means::Choice => uris.len() > 1,
        Means::Ambiguous => true,
    };
    if !fits {
        reader.error("uris", "doesn't fit to `means`", format!("there are {}", uris.len()), Some(help));
        return;
    }
    let listed = match (means, uris.first()) {
        (Means::Moved, Some(uri)) => Listed::Moved(uri.clone()),
        (Means::Choice, _) => Listed::Choice(uris),
        (Means::Ambiguous, _) => Listed::Ambiguous(uris),
        (Means::Gone | Means::Moved, _) => Listed::Gone,
    };
    if directory.names.insert(user.as_str().into(), listed).is_some() {
        reader.error("user", "stands here twice", "there is such a name above", None);
    }
}

/// As a section of a configuration file, and tables behind it.
pub(super) fn show(out: &mut String, directory: &Directory) {
    line(out, "refuse_anonymous", &array(directory.refuse_anonymous.iter().map(|user| &**user)));
    line(out, "speaks_for_all", &directory.speaks_for_all.to_string());
}

pub(super) fn show_names(out: &mut String, directory: &Directory) {
    for (user, listed) in &directory.names {
        _ = writeln!(out, "\n[[name]]");
        line(out, "user", &quoted(user));
        let (means, uris) = match listed {
            Listed::Moved(uri) => (Means::Moved, std::slice::from_ref(uri)),
            Listed::Choice(uris) => (Means::Choice, &uris[..]),
            Listed::Ambiguous(uris) => (Means::Ambiguous, &uris[..]),
            _ => (Means::Gone, &[][..]),
        };
        let word = MEANS.iter().find(|(_, known)| *known == means).map_or("", |(word, _)| word);
        line(out, "means", &quoted(word));
        line(out, "uris", &array(uris.iter().map(|uri| &**uri)));
    }
}

/// A SIP or SIPS URI that can stand in a Contact.
struct SipUri(Box<str>);

impl FromStr for SipUri {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<SipUri, &'static str> {
        match Uri::parse(text.as_bytes(), HeaderId::Contact, 0) {
            Ok(Uri::Sip(_)) => Ok(SipUri(text.into())),
            _ => Err("is no SIP URI"),
        }
    }
}
