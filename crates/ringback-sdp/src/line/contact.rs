//! `u=`, `e=` and `p=`: where more is to be found, and whom to ask. Nobody needs them to be understood, so what comes in is kept
//! whatever it is; here is said what is wrong with it. `[RFC 8866, Section 9]`

use crate::cursor::count;
use crate::error::{ParseError, ParseErrorKind};
use crate::line::Line;

/// What is wrong with the value of such a line, if anything is.
pub(crate) fn defect(line: &Line) -> Option<ParseError> {
    let value = line.value();
    let (is_fit, expected, section) = match line.byte() {
        b'u' => (is_uri(value), "a reference to a URI", "RFC 8866, Section 5.5"),
        b'e' => (is_email(value), "an address of mail, with a name or without", "RFC 8866, Section 5.6"),
        b'p' => (is_phone(value), "a number to call, with a name or without", "RFC 8866, Section 5.6"),
        _ => return None,
    };
    let error = ParseError { kind: ParseErrorKind::Value, line: line.number(), column: count(3), expected, section };
    (!is_fit).then_some(error)
}

/// `URI-reference`, by its characters, its escapes and its scheme.
fn is_uri(value: &[u8]) -> bool {
    let is_char = |b: &u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(b);
    let mut escapes = value.split(|&b| b == b'%').skip(1);
    let is_escape = |rest: &[u8]| rest.iter().take(2).filter(|b| b.is_ascii_hexdigit()).count() == 2;
    let first = value.split(|b| b"/?#".contains(b)).next().unwrap_or_default();
    let is_scheme = |scheme: &[u8]| {
        scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.iter().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b))
    };
    let has_scheme = match first.iter().position(|&b| b == b':') {
        Some(colon) => first.get(..colon).is_some_and(is_scheme),
        None => true,
    };
    !value.is_empty() && value.iter().all(is_char) && escapes.all(is_escape) && has_scheme
}

fn is_email(value: &[u8]) -> bool {
    with_name(value, is_addr_spec, true)
}

fn is_phone(value: &[u8]) -> bool {
    with_name(value, is_number, false)
}

/// `it (name)`, `name <it>`, or it alone.
fn with_name(value: &[u8], is_it: impl Fn(&[u8]) -> bool, needs_blank: bool) -> bool {
    let safe = |text: &[u8]| !text.is_empty() && !text.iter().any(|b| b"()<>".contains(b));
    let parts = |open: u8, close: u8| {
        let inner = value.strip_suffix(&[close])?;
        let at = inner.iter().position(|&b| b == open)?;
        Some((inner.get(..at)?, inner.get(at.saturating_add(1)..)?))
    };
    if let Some((before, name)) = parts(b'(', b')') {
        let it = before.trim_ascii_end();
        return safe(name) && is_it(it) && (!needs_blank || it.len() < before.len());
    }
    if let Some((name, it)) = parts(b'<', b'>') {
        return safe(name) && is_it(it) && (!needs_blank || name.ends_with(b" "));
    }
    is_it(value)
}

/// `["+"] DIGIT 1*(SP / "-" / DIGIT)`
fn is_number(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"+").unwrap_or(value);
    let [first, rest @ ..] = digits else { return false };
    first.is_ascii_digit() && !rest.is_empty() && rest.iter().all(|b| b.is_ascii_digit() || b" -".contains(b))
}

/// A local part and a domain, neither with a character that has another meaning.
fn is_addr_spec(value: &[u8]) -> bool {
    let Some(at) = value.iter().rposition(|&b| b == b'@') else { return false };
    let (local, domain) = (value.get(..at).unwrap_or_default(), value.get(at.saturating_add(1)..).unwrap_or_default());
    let atom = |text: &[u8]| {
        !text.is_empty()
            && text.iter().all(|b| !b.is_ascii() || (b.is_ascii_graphic() && !b"()<>[]:;@\\,\"".contains(b)))
    };
    let enclosed = |text: &[u8], open: &[u8], close: &[u8]| {
        text.len() > 2 && text.starts_with(open) && text.ends_with(close) && text.iter().all(|&b| b >= b' ')
    };
    (atom(local) || enclosed(local, b"\"", b"\"")) && (atom(domain) || enclosed(domain, b"[", b"]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_are_what_the_grammar_allows() {
        for (letter, good, bad) in [
            (
                b'u',
                &["http://a.example/x?y#z", "x:", "a/b:c", "http://a.example/%C3%A9", "//h"][..],
                &["not a uri", "http://a b", "1x:y", ":x", "a%2", "a%zz", "<x>"][..],
            ),
            (
                b'e',
                &["jo@a.example", "jo@a.example (Jo Doe)", "Jo Doe <jo@a.example>", "\"j o\"@[192.0.2.1]"][..],
                &["jo", "jo@", "@a", "jo@a(Jo)", "Jo<jo@a>", "jo@a ()", "call me", "a@b c"][..],
            ),
            (
                b'p',
                &["+1 617 555-6011", "+1 617 555-6011 (Jo)", "Jo <+1 617>", "12", "+1-2(x)"][..],
                &["call me", "+", "1", "+1a", "Jo +12", "12 (a<b)", "(12)"][..],
            ),
        ] {
            for value in good {
                assert_eq!(defect(&Line::own(letter, value)), None, "{value:?}");
            }
            for value in bad {
                assert!(defect(&Line::own(letter, value)).is_some(), "{value:?}");
            }
        }
    }
}
