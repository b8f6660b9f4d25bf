//! The JSON view: how messages and typed values are serialised, under names that stay.
//!
//! Text becomes a string; what is no UTF-8 in it becomes U+FFFD, so the bytes themselves are not in this view.
//! A typed header field becomes an object with the names of its fields; parameters an object of strings, or `null` where one has no value.

use alloc::string::String;
use alloc::vec::Vec;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::header::text::lossy;
use crate::params::Params;
use crate::uri::Uri;

/// One text, for `#[serde(serialize_with)]`.
pub(crate) fn text<T: AsRef<[u8]>, S: Serializer>(text: &T, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&lossy(text.as_ref()))
}

/// A text that may be missing.
pub(crate) fn maybe<T: AsRef<[u8]>, S: Serializer>(text: &Option<T>, out: S) -> Result<S::Ok, S::Error> {
    match text {
        Some(text) => out.serialize_str(&lossy(text.as_ref())),
        None => out.serialize_none(),
    }
}

/// Several texts.
pub(crate) fn texts<T: AsRef<[u8]>, S: Serializer>(texts: &[T], out: S) -> Result<S::Ok, S::Error> {
    let mut list = out.serialize_seq(Some(texts.len()))?;
    for text in texts {
        list.serialize_element(&lossy(text.as_ref()))?;
    }
    list.end()
}

impl<T: AsRef<[u8]>> Serialize for Params<T> {
    /// Names in small letters, so that they can be asked for; of two of one name the first counts.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        for (i, (name, value)) in self.iter().enumerate() {
            if self.iter().take(i).any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                continue;
            }
            let key: String = lossy(name).to_ascii_lowercase();
            map.serialize_entry(&key, &value.map(|value| lossy(&crate::header::text::unquoted(value)).into_owned()))?;
        }
        map.end()
    }
}

impl<T: AsRef<[u8]>> Serialize for Uri<T> {
    /// `text` is the whole; a SIP URI also has its parts.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut whole = Vec::new();
        self.write(&mut whole);
        let mut map = out.serialize_map(None)?;
        map.serialize_entry("text", &lossy(&whole))?;
        match self {
            Uri::Sip(uri) => {
                map.serialize_entry("scheme", if uri.secure { "sips" } else { "sip" })?;
                map.serialize_entry("user", &uri.user.as_ref().map(|user| lossy(user.as_ref())))?;
                map.serialize_entry("host", &lossy(uri.host.as_ref()))?;
                map.serialize_entry("port", &uri.port)?;
                map.serialize_entry("params", &uri.params)?;
                map.serialize_entry("headers", &uri.headers.as_ref().map(|headers| lossy(headers.as_ref())))?;
            }
            Uri::Other { scheme, .. } => map.serialize_entry("scheme", &lossy(scheme.as_ref()).to_ascii_lowercase())?,
        }
        map.end()
    }
}
