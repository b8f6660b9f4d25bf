//! Parameters behind a value, kept as the text they came in.

use alloc::vec::Vec;

use crate::chars;
use crate::cursor::{Cursor, Strictness};
use crate::error::{ParseError, ParseErrorKind};
use crate::header::text::debug_as_written;

/// `;name=value` parameters of a URI or header value, generic over how their text is held.
///
/// The text runs from the first semicolon to the end; the parameters are found in it on demand.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Params<T> {
    text: T,
}

/// What was read, and the value of the parameter that was looked for on the way.
pub(crate) type Finding<'a, T> = (T, Option<&'a [u8]>);

impl<'a> Params<&'a [u8]> {
    /// Reads header parameters up to the end of the value or a comma. `[RFC 3261, Section 25.1]`
    ///
    /// # Errors
    /// Where a name is missing, or a quoted string doesn't end.
    #[inline]
    pub fn parse(cursor: &mut Cursor<'a>) -> Result<Params<&'a [u8]>, ParseError> {
        Params::parse_finding(cursor, |_| false).map(|(params, _)| params)
    }

    /// The same, and the value of the first parameter whose name is `wanted`, on the way: what [`Params::value`] finds.
    ///
    /// There is a copy of this for each name that is wanted, so that the name is compared as a constant.
    #[inline]
    pub(crate) fn parse_finding(
        cursor: &mut Cursor<'a>,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Finding<'a, Params<&'a [u8]>>, ParseError> {
        let start = cursor.rest();
        let mut after = cursor.clone();
        let mut found = None;
        while after.separator(b';') {
            let name = after.token("the name of a parameter")?;
            let mut of_name = None;
            if after.separator(b'=') {
                of_name = Some(match after.peek() {
                    Some(b'"') => after.quoted_string()?,
                    _ => value(&mut after)?,
                });
            }
            if found.is_none() && wanted(name) {
                found = Some(of_name);
            }
            *cursor = after.clone();
        }
        let used = start.len().saturating_sub(cursor.rest().len());
        // Blanks behind a last name were passed in search of an equals sign.
        let params = Params { text: start.get(..used).unwrap_or_default().trim_ascii_end() };
        if cursor.strictness() >= Strictness::Building {
            params.each_once(cursor, start)?;
        }
        Ok((params, found.flatten()))
    }

    /// Reads URI parameters, whose values are never quoted and hold no white space. `[RFC 3261, Section 25.1]`
    #[inline]
    pub(crate) fn parse_uri(cursor: &mut Cursor<'a>) -> Result<Params<&'a [u8]>, ParseError> {
        let start = cursor.rest();
        while cursor.eat(b';') {
            let name = cursor.run(chars::URI_PARAM);
            if name.is_empty() {
                return Err(cursor.error("the name of a URI parameter"));
            }
            if cursor.eat(b'=') {
                cursor.run(chars::URI_PARAM);
            }
        }
        let used = start.len().saturating_sub(cursor.rest().len());
        let params = Params { text: start.get(..used).unwrap_or_default() };
        if cursor.strictness() >= Strictness::Building {
            params.each_once(cursor, start)?;
        }
        Ok(params)
    }

    /// "any given parameter-name MUST NOT appear more than once". `[RFC 3261, Section 7.3.1]` `[RFC 3261, Section 19.1.1]`
    #[cold]
    fn each_once(&self, cursor: &Cursor<'a>, start: &'a [u8]) -> Result<(), ParseError> {
        let behind = u32::try_from(start.len().saturating_sub(cursor.rest().len())).unwrap_or(u32::MAX);
        let at = cursor.part(start, cursor.offset().saturating_sub(behind));
        match self.repeated() {
            Some(name) => {
                let error = at.error_at(name, "each parameter once");
                Err(ParseError { kind: ParseErrorKind::Repeated, ..error })
            }
            None => Ok(()),
        }
    }
}

#[inline]
fn value<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], ParseError> {
    let value = cursor.run(chars::PARAM_VALUE);
    if value.is_empty() { Err(cursor.error("the value of a parameter")) } else { Ok(value) }
}

debug_as_written! {
    Params: |params, out| out.extend_from_slice(params.text());
}

impl<T: AsRef<[u8]>> Params<T> {
    /// The parameters as they were written, from the first semicolon.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        self.text.as_ref()
    }

    /// True where there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// Each parameter in order, with its value (quotes included) if it has one.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let mut rest = self.text();
        core::iter::from_fn(move || {
            while !rest.is_empty() {
                let piece = next_piece(&mut rest);
                if !piece.is_empty() {
                    return Some(split_pair(piece));
                }
            }
            None
        })
    }

    /// The first parameter of that name, in any case: its value, or `None` inside if it has none.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<Option<&[u8]>> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The value of the first parameter of that name.
    #[must_use]
    pub fn value(&self, name: &[u8]) -> Option<&[u8]> {
        self.find(name).flatten()
    }

    /// The name of a parameter that stands twice, where it does so for the second time; names compare in any case.
    ///
    /// Looked for among sorted names, so that no list makes the work grow with its square.
    #[must_use]
    pub fn repeated(&self) -> Option<&[u8]> {
        let mut names: Vec<(Vec<u8>, usize, &[u8])> =
            self.iter().enumerate().map(|(place, (name, _))| (name.to_ascii_lowercase(), place, name)).collect();
        names.sort_unstable();
        let pairs = names.iter().zip(names.iter().skip(1));
        let doubles =
            pairs.filter(|((one, ..), (other, ..))| one == other).map(|(_, (_, place, name))| (*place, *name));
        doubles.min_by_key(|(place, _)| *place).map(|(_, name)| name)
    }

    /// True where there is a parameter of that name.
    #[must_use]
    pub fn has(&self, name: &[u8]) -> bool {
        self.find(name).is_some()
    }

    /// The same, its text held otherwise.
    pub fn map<U>(self, hold: impl FnOnce(T) -> U) -> Params<U> {
        Params { text: hold(self.text) }
    }
}

/// Cuts off the text up to the next semicolon that is not in quotes.
fn next_piece<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let plain = rest.iter().position(|&b| b == b';' || b == b'"').unwrap_or(rest.len());
    let end = if rest.get(plain) == Some(&b'"') { quoted_end(rest) } else { plain };
    let (piece, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
    *rest = tail.get(1..).unwrap_or_default();
    chars::trim(piece)
}

fn quoted_end(text: &[u8]) -> usize {
    let mut quoted = false;
    let mut bytes = text.iter().enumerate();
    loop {
        match bytes.next() {
            None => return text.len(),
            Some((_, b'\\')) if quoted => _ = bytes.next(),
            Some((_, b'"')) => quoted = !quoted,
            Some((i, b';')) if !quoted => return i,
            Some(_) => {}
        }
    }
}

fn split_pair(piece: &[u8]) -> (&[u8], Option<&[u8]>) {
    match piece.iter().position(|&b| b == b'=') {
        Some(i) => {
            let (name, value) = piece.split_at_checked(i).unwrap_or((piece, &[]));
            (chars::trim(name), Some(chars::trim(value.get(1..).unwrap_or_default())))
        }
        None => (piece, None),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::HeaderId;

    fn parse(text: &[u8]) -> Result<Params<&[u8]>, ParseError> {
        let mut cursor = Cursor::new(HeaderId::From, text, 0);
        let params = Params::parse(&mut cursor)?;
        cursor.end()?;
        Ok(params)
    }

    #[test]
    fn finds_names_in_any_case_and_values_in_quotes() {
        let params = parse(b";Tag=a ;\r\n lr; x = \"a;b\\\";c\" ;y=[::1]").unwrap();
        assert_eq!(params.value(b"tag"), Some(&b"a"[..]));
        assert_eq!(params.find(b"LR"), Some(None));
        assert_eq!(params.value(b"x"), Some(&b"\"a;b\\\";c\""[..]));
        assert_eq!(params.value(b"y"), Some(&b"[::1]"[..]));
        assert!(!params.has(b"b"));
        assert_eq!(params.iter().count(), 4);
    }

    #[test]
    fn refuses_empty_ones() {
        for bad in [&b";;"[..], b";", b"; ;a", b";a=", b";a=\"", b";=b", b";a=;b"] {
            assert!(parse(bad).is_err(), "{}", bad.escape_ascii());
        }
    }
}
