//! One parameter, to be put behind a value.

use alloc::vec::Vec;
use core::fmt;

use crate::chars;
use crate::cursor::Cursor;
use crate::header::text::{Escaped, token_or_quoted, unfolded};
use crate::header::{HeaderId, OwnedText};
use crate::params::Params;

/// A name, and a value if it has one: what `with_param` takes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Param {
    name: OwnedText,
    value: Option<OwnedText>,
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value().map(Escaped);
        f.debug_struct("Param").field("name", &Escaped(&self.name)).field("value", &value).finish()
    }
}

impl Param {
    /// A parameter; a value that is no token is quoted.
    #[must_use]
    pub fn new<V: AsRef<[u8]>>(name: impl AsRef<[u8]>, value: Option<V>) -> Param {
        Param { name: name.as_ref().into(), value: value.map(|value| token_or_quoted(value.as_ref()).into()) }
    }

    /// A parameter without a value.
    #[must_use]
    pub fn flag(name: impl AsRef<[u8]>) -> Param {
        Param { name: name.as_ref().into(), value: None }
    }

    /// A parameter whose value is a number.
    #[must_use]
    pub fn number(name: impl AsRef<[u8]>, value: u32) -> Param {
        Param { name: name.as_ref().into(), value: Some(itoa::Buffer::new().format(value).as_bytes().into()) }
    }

    /// A parameter whose value is written as it is given, such as a host or a URI in quotes.
    #[must_use]
    pub fn raw(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Param {
        Param { name: name.as_ref().into(), value: Some(value.as_ref().into()) }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The value as it will be written, if it has one.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }
}

impl Params<OwnedText> {
    /// Appends one. A name that is no token or is there already, or a value that would be read as more than one, is left out,
    /// so that the message can't be built: it would lack the name or value that should stand here.
    pub fn push(&mut self, param: &Param) {
        let mut text = Vec::from(self.text());
        text.push(b';');
        if chars::is_token(param.name()) && !self.has(param.name()) {
            text.extend_from_slice(param.name());
        }
        if let Some(value) = param.value() {
            text.push(b'=');
            if is_one_value(value) {
                text.extend_from_slice(value);
            }
        }
        *self = Params::default().map(|_: &[u8]| text.into());
    }
}

fn is_one_value(value: &[u8]) -> bool {
    let mut cursor = Cursor::new(HeaderId::Other, value, 0);
    chars::all(value, chars::PARAM_VALUE) || cursor.quoted_string().is_ok_and(|quoted| quoted.len() == value.len())
}

impl<T: AsRef<[u8]>> Params<T> {
    /// A copy that owns its text.
    #[must_use]
    pub fn to_owned_text(&self) -> Params<OwnedText> {
        Params::default().map(|_: &[u8]| unfolded(self.text()))
    }
}
