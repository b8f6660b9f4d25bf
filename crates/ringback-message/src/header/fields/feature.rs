//! Values of feature parameters, as Contact, Accept-Contact, Reject-Contact and Feature-Caps hold them. `[RFC 3840, Section 9]`

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use crate::chars;
use crate::header::Param;
use crate::header::text::Escaped;
use crate::params::Params;

/// What a feature parameter says.
///
/// ```text
/// feature-param  = enc-feature-tag [EQUAL LDQUOT (tag-value-list / string-value ) RDQUOT]
/// tag-value-list = tag-value *("," tag-value)
/// tag-value      = ["!"] (token-nobang / boolean / numeric)
/// string-value   = "<" *(qdtext-no-abkt / quoted-pair ) ">"
/// ```
///
/// ```
/// use bytes::Bytes;
/// use ringback_message::{Message, header::{AcceptContact, FeatureValue}};
///
/// let invite = Message::parse(Bytes::from_static(
///     b"INVITE sip:a@b.example SIP/2.0\r\nAccept-Contact: *;audio;methods=\"INVITE,!BYE\";require\r\n\r\n",
/// ))?;
/// let wanted = invite.get::<AcceptContact<_>>()?.ok_or("no Accept-Contact")?;
/// let methods = wanted.params.feature("methods").ok_or("no methods")?;
/// let terms: Vec<_> = methods.terms().map(|term| (term.negated, term.value)).collect();
/// assert_eq!(terms, [(false, FeatureValue::Token(b"INVITE")), (true, FeatureValue::Token(b"BYE"))]);
/// assert!(wanted.params.feature("audio").is_some_and(|audio| audio.is_true()) && wanted.require());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FeatureParam<'a> {
    /// What stands between the quotes; `None` where there is no value.
    text: Option<&'a [u8]>,
}

impl fmt::Debug for FeatureParam<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FeatureParam").field(&self.text.map(Escaped)).finish()
    }
}

/// One of the values of a feature parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeatureTerm<'a> {
    /// Whether it stands behind an exclamation mark: all but this.
    pub negated: bool,
    /// The value.
    pub value: FeatureValue<'a>,
}

/// A value of a feature parameter, by its kind.
#[derive(Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum FeatureValue<'a> {
    /// A word, to be compared in any case.
    Token(&'a [u8]),
    /// `TRUE` or `FALSE`.
    Boolean(bool),
    /// All numbers from one to another, both included.
    Range {
        /// The least, negative infinity where there is none.
        from: f64,
        /// The greatest, infinity where there is none.
        to: f64,
    },
}

impl fmt::Debug for FeatureValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FeatureValue::Token(token) => f.debug_tuple("Token").field(&Escaped(token)).finish(),
            FeatureValue::Boolean(value) => f.debug_tuple("Boolean").field(value).finish(),
            FeatureValue::Range { from, to } => f.debug_struct("Range").field("from", from).field("to", to).finish(),
        }
    }
}

impl<T: AsRef<[u8]>> Params<T> {
    /// The feature parameter of that tag, such as `audio` or `+sip.instance`, if it is there and well-formed.
    #[must_use]
    pub fn feature(&self, tag: impl AsRef<[u8]>) -> Option<FeatureParam<'_>> {
        self.find(tag.as_ref()).and_then(FeatureParam::read)
    }
}

impl<'a> FeatureParam<'a> {
    /// Reads the value of a parameter, quotes included; `None` where it is none of a feature parameter.
    pub(crate) fn read(value: Option<&'a [u8]>) -> Option<FeatureParam<'a>> {
        let Some(quoted) = value else { return Some(FeatureParam { text: None }) };
        let text = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        let is_legal =
            string_of(text).is_some() || text.split(|&b| b == b',').all(|term| FeatureTerm::read(term).is_some());
        is_legal.then_some(FeatureParam { text: Some(text) })
    }

    /// The text of a string value, without its angle brackets and escapes. It compares with regard to case.
    #[must_use]
    pub fn string(&self) -> Option<Cow<'a, [u8]>> {
        self.text.and_then(string_of)
    }

    /// The values, one of which it takes; one `TRUE` where none is written, and nothing for a string value.
    pub fn terms(&self) -> impl Iterator<Item = FeatureTerm<'a>> {
        let list = self.text.unwrap_or(b"TRUE");
        list.split(|&b| b == b',').filter_map(FeatureTerm::read)
    }

    /// Whether `TRUE` is among the values, written or not.
    #[must_use]
    pub fn is_true(&self) -> bool {
        self.terms().any(|term| term.value == FeatureValue::Boolean(!term.negated))
    }

    /// Whether the values have this word among them, in any case.
    #[must_use]
    pub fn contains(&self, word: impl AsRef<[u8]>) -> bool {
        let word = word.as_ref();
        self.terms().any(|term| match term.value {
            FeatureValue::Token(token) => !term.negated && token.eq_ignore_ascii_case(word),
            _ => false,
        })
    }

    /// The only value where it is one word: what a parameter says that holds a key or a name.
    #[must_use]
    pub fn word(&self) -> Option<&'a [u8]> {
        let mut terms = self.terms();
        match (terms.next(), terms.next()) {
            (Some(FeatureTerm { negated: false, value: FeatureValue::Token(token) }), None) => Some(token),
            _ => None,
        }
    }
}

impl<'a> FeatureTerm<'a> {
    /// `["!"] (token-nobang / boolean / numeric)`
    fn read(text: &'a [u8]) -> Option<FeatureTerm<'a>> {
        let (negated, text) = match text {
            [b'!', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let value = match text {
            [b'#', relation @ ..] => range(relation)?,
            _ if text.eq_ignore_ascii_case(b"TRUE") => FeatureValue::Boolean(true),
            _ if text.eq_ignore_ascii_case(b"FALSE") => FeatureValue::Boolean(false),
            _ if chars::is_token(text) && !text.contains(&b'!') => FeatureValue::Token(text),
            _ => return None,
        };
        Some(FeatureTerm { negated, value })
    }
}

/// `">=" / "<=" / "=" / (number ":")`, and the number behind it.
fn range(relation: &[u8]) -> Option<FeatureValue<'_>> {
    let (from, to) = match relation {
        [b'>', b'=', least @ ..] => (number(least)?, f64::INFINITY),
        [b'<', b'=', most @ ..] => (f64::NEG_INFINITY, number(most)?),
        [b'=', exactly @ ..] => (number(exactly)?, number(exactly)?),
        _ => {
            let mut ends = relation.splitn(2, |&b| b == b':');
            (number(ends.next()?)?, number(ends.next()?)?)
        }
    };
    Some(FeatureValue::Range { from, to })
}

/// `[ "+" / "-" ] 1*DIGIT ["." 0*DIGIT]`
fn number(text: &[u8]) -> Option<f64> {
    let unsigned = match text {
        [b'+' | b'-', rest @ ..] => rest,
        _ => text,
    };
    let mut parts = unsigned.splitn(2, |&b| b == b'.');
    let whole = parts.next().filter(|whole| !whole.is_empty())?;
    let is_number = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    if !is_number(whole) || !parts.next().is_none_or(is_number) {
        return None;
    }
    core::str::from_utf8(text).ok()?.parse().ok()
}

fn string_of(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let inner = text.strip_prefix(b"<")?.strip_suffix(b">")?;
    let mut bytes = inner.iter();
    while let Some(&b) = bytes.next() {
        match b {
            // A backslash before the closing bracket makes it part of the text.
            b'\\' => _ = bytes.next()?,
            b'<' | b'>' | b'"' => return None,
            _ => {}
        }
    }
    Some(unescaped(inner))
}

fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\\') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&b) = bytes.next() {
        match b {
            b'\\' => out.extend(bytes.next()),
            _ => out.push(b),
        }
    }
    Cow::Owned(out)
}

impl Param {
    /// A feature parameter with these values, such as `INVITE`, `!BYE`, `TRUE` or `#>=5`; without any it is a flag.
    ///
    /// What is no such value keeps the message from being built.
    #[must_use]
    pub fn feature<I: IntoIterator<Item: AsRef<[u8]>>>(tag: impl AsRef<[u8]>, values: I) -> Param {
        let mut list = Vec::new();
        for (i, value) in values.into_iter().enumerate() {
            let value = value.as_ref();
            if FeatureTerm::read(value).is_none() {
                return Param::raw(tag, "");
            }
            list.extend_from_slice(if i > 0 { b"," } else { b"\"" });
            list.extend_from_slice(value);
        }
        if list.is_empty() {
            return Param::flag(tag);
        }
        list.push(b'"');
        Param::raw(tag, list)
    }

    /// A feature parameter whose value is text, such as a name or the URN of an instance.
    #[must_use]
    pub fn feature_string(tag: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Param {
        let mut value = Vec::from(&b"\"<"[..]);
        for &b in text.as_ref() {
            if matches!(b, b'"' | b'\\' | b'<' | b'>') {
                value.push(b'\\');
            }
            value.push(b);
        }
        value.extend_from_slice(b">\"");
        Param::raw(tag, value)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;
    use crate::header::{AcceptContact, Contact};

    fn read(value: &str) -> Option<FeatureParam<'_>> {
        FeatureParam::read(Some(value.as_bytes()))
    }

    #[test]
    fn terms_are_read_by_their_kind() {
        let feature = read("\"INVITE,!BYE,TRUE,!false,#>=5,#<=-2.5,#=1.,#-1:+3\"").unwrap();
        let range = |from, to| FeatureValue::Range { from, to };
        let expected = [
            (false, FeatureValue::Token(b"INVITE")),
            (true, FeatureValue::Token(b"BYE")),
            (false, FeatureValue::Boolean(true)),
            (true, FeatureValue::Boolean(false)),
            (false, range(5.0, f64::INFINITY)),
            (false, range(f64::NEG_INFINITY, -2.5)),
            (false, range(1.0, 1.0)),
            (false, range(-1.0, 3.0)),
        ];
        assert!(feature.terms().map(|term| (term.negated, term.value)).eq(expected));
        assert!(feature.contains("invite") && !feature.contains("BYE") && feature.word().is_none());
        let flag = FeatureParam::read(None).unwrap();
        assert!(flag.is_true() && flag.string().is_none());
        assert!(!read("\"FALSE\"").unwrap().is_true() && read("\"!FALSE\"").unwrap().is_true());
    }

    #[test]
    fn strings_are_read_and_written_with_their_escapes() {
        for text in ["<urn:uuid:1>", "a \"b\" \\ >", "", "x,y"] {
            let wanted = AcceptContact::new().with_param(Param::feature_string("+sip.instance", text));
            checked(&wanted).unwrap();
            let feature = wanted.params.feature("+SIP.instance").unwrap();
            assert_eq!(feature.string().unwrap().as_ref(), text.as_bytes());
            assert_eq!(feature.terms().count(), 0, "{text}");
        }
    }

    #[test]
    fn contacts_say_the_same() {
        let contact = Contact::new("sip:a@b").unwrap().with_param(Param::feature("priority", ["#>=1"]));
        let params = &contact.address().unwrap().params;
        let read = params.feature("priority").unwrap();
        assert_eq!(read.terms().next().unwrap().value, FeatureValue::Range { from: 1.0, to: f64::INFINITY });
        let bare = Contact::new("sip:a@b").unwrap().with_param(Param::raw("priority", "1"));
        assert_eq!(bare.address().unwrap().params.feature("priority"), None);
    }

    #[test]
    fn other_text_is_no_feature() {
        for bad in [
            "a",
            "\"\"",
            "\"a,\"",
            "\"a b\"",
            "\"!!a\"",
            "\"#5\"",
            "\"#>=x\"",
            "\"#=1e5\"",
            "\"#=.5\"",
            "\"#=inf\"",
            "\"<a\"",
            "\"<a>b>\"",
            "\"<a\\>\"",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_value_can_not_become_two() {
        let good = AcceptContact::new()
            .with_param(Param::feature("methods", ["INVITE", "!BYE"]))
            .with_param(Param::feature::<[&str; 0]>("video", []));
        assert_eq!(checked(&good).unwrap(), b"*;methods=\"INVITE,!BYE\";video");
        for bad in ["INVITE,BYE", "a\"b", "", "a b"] {
            assert!(checked(&AcceptContact::new().with_param(Param::feature("methods", [bad]))).is_err(), "{bad}");
        }
    }
}
