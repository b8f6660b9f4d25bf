//! Contact. `[RFC 3261, Section 20.10]`

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::chars;
use crate::cursor::{Cursor, decimal};
use crate::error::ParseError;
use crate::header::shapes::{self, field, params_check};
use crate::header::{Decode, Encode, HeaderId, NameAddr, OwnedText, Param, Qvalue, ToOwnedText, text};
use crate::params::Params;

/// Where somebody can be reached, one of the line.
///
/// ```text
/// Contact        = ("Contact" / "m" ) HCOLON ( STAR / (contact-param *(COMMA contact-param)))
/// contact-param  = (name-addr / addr-spec) *(SEMI contact-params)
/// contact-params = c-p-q / c-p-expires / contact-extension
/// contact-params =/ c-p-reg / c-p-instance
/// ```
///
/// ```
/// use bytes::Bytes;
/// use ringback_message::{Message, header::Contact};
///
/// let ok = Message::parse(Bytes::from_static(
///     b"SIP/2.0 200 OK\r\nm: <sip:a@192.0.2.1>;expires=60;reg-id=1;+sip.instance=\"<urn:uuid:0>\", sip:a@b\r\n\r\n",
/// ))?;
/// let contacts: Vec<Contact<_>> = ok.values().collect::<Result<_, _>>()?;
/// assert_eq!((contacts[0].expires_secs(), contacts[0].reg_id(), contacts[1].reg_id()), (Some(60), Some(1), None));
/// assert_eq!(contacts[0].instance().as_deref(), Some(&b"urn:uuid:0"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged, bound = "T: AsRef<[u8]>"))]
pub enum Contact<T = OwnedText> {
    /// `*`: every binding of the address of record. It must be the only value of a REGISTER. `[RFC 3261, Section 10.2.2]`
    #[cfg_attr(feature = "serde", serde(serialize_with = "star"))]
    Every,
    /// One address.
    Address(NameAddr<T>),
}

field!(Contact, BY_COMMA);

impl Contact {
    /// With this URI, and no name or parameter.
    ///
    /// # Errors
    /// Where the text is no URI.
    pub fn new(uri: impl AsRef<[u8]>) -> Result<Contact, ParseError> {
        shapes::address(HeaderId::Contact, uri.as_ref()).map(Contact::Address)
    }

    /// With this name, which is quoted where it must be; `*` has none.
    #[must_use]
    pub fn with_name(mut self, name: impl AsRef<[u8]>) -> Contact {
        if let Contact::Address(address) = &mut self {
            address.display_name = Some(text::quoted(name.as_ref()).into());
        }
        self
    }

    /// With one more parameter; `*` has none.
    #[must_use]
    pub fn with_param(mut self, param: Param) -> Contact {
        if let Contact::Address(address) = &mut self {
            address.params.push(&param);
        }
        self
    }

    /// With this preference. `[RFC 3261, Section 20.10]`
    #[must_use]
    pub fn with_q(self, q: Qvalue) -> Contact {
        self.with_param(Param::raw("q", q.to_string()))
    }

    /// With this lifetime.
    #[must_use]
    pub fn with_expires(self, seconds: u32) -> Contact {
        self.with_param(Param::number("expires", seconds))
    }

    /// With the URN of the device. `[RFC 5626, Section 4.1]`
    #[must_use]
    pub fn with_instance(self, urn: impl AsRef<[u8]>) -> Contact {
        let value = [b"<", urn.as_ref(), b">"].concat();
        self.with_param(Param::raw("+sip.instance", text::quoted(&value)))
    }
}

impl<T: AsRef<[u8]>> Contact<T> {
    /// The address; `None` for `*`.
    #[must_use]
    pub fn address(&self) -> Option<&NameAddr<T>> {
        match self {
            Contact::Every => None,
            Contact::Address(address) => Some(address),
        }
    }

    fn params(&self) -> Option<&Params<T>> {
        self.address().map(|address| &address.params)
    }

    /// How much it is preferred.
    #[must_use]
    pub fn q(&self) -> Option<Qvalue> {
        self.address()?.q()
    }

    /// For how many seconds it holds: one too large counts as the largest, a malformed one as missing. `[RFC 3261, Section 10.2.1.1]`
    #[must_use]
    pub fn expires_secs(&self) -> Option<u32> {
        self.address()?.expires_secs()
    }

    /// Which flow of the device it is, from 1 up. `[RFC 5626, Section 4.2]`
    #[must_use]
    pub fn reg_id(&self) -> Option<u32> {
        self.params()?.value(b"reg-id").and_then(decimal)
    }

    /// The URN of the device, without quotes and angle brackets. `[RFC 5626, Section 4.1]`
    #[must_use]
    pub fn instance(&self) -> Option<Cow<'_, [u8]>> {
        instance(self.params()?.value(b"+sip.instance")?)
    }

    /// What the device can do: each feature tag in order, and its value as written, which is in quotes. One without a value is true.
    /// `[RFC 3840, Section 9]`
    pub fn features(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let all = self.params().into_iter().flat_map(Params::iter);
        all.filter(|(tag, _)| is_feature_tag(tag))
    }
}

/// The base tags of RFC 3840; all others start with a plus sign.
const BASE_TAGS: [&str; 20] = [
    "actor",
    "application",
    "audio",
    "automata",
    "class",
    "control",
    "data",
    "description",
    "duplex",
    "events",
    "extensions",
    "isfocus",
    "language",
    "methods",
    "mobility",
    "priority",
    "schemes",
    "text",
    "type",
    "video",
];

fn is_feature_tag(name: &[u8]) -> bool {
    name.starts_with(b"+") || BASE_TAGS.iter().any(|tag| name.eq_ignore_ascii_case(tag.as_bytes()))
}

/// `DQUOTE "<" instance-val ">" DQUOTE`
fn instance(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let cut = |text: &[u8]| text.starts_with(b"<") && text.ends_with(b">") && text.len() > 2;
    match text::unquoted(value) {
        _ if !value.starts_with(b"\"") => None,
        Cow::Borrowed(text) if cut(text) => text.get(1..text.len().saturating_sub(1)).map(Cow::Borrowed),
        Cow::Owned(text) if cut(&text) => text.get(1..text.len().saturating_sub(1)).map(|urn| Cow::Owned(urn.into())),
        _ => None,
    }
}

impl<'a> Decode<'a> for Contact<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let at = cursor.clone();
        if is_star(cursor.rest()) {
            cursor.take(1);
            cursor.end()?;
            return Ok(Contact::Every);
        }
        let address = NameAddr::parse(cursor)?;
        check(&at, &address.params)?;
        Ok(Contact::Address(address))
    }
}

/// `*` may also start a display name, and then something follows that is no comma.
fn is_star(rest: &[u8]) -> bool {
    matches!(rest.split_first(), Some((b'*', tail)) if matches!(chars::trim(tail).first(), None | Some(b',' | b';')))
}

/// A malformed `expires` passes: it counts as an hour. `[RFC 3261, Section 10.2.1.1]`
fn check(at: &Cursor<'_>, params: &Params<&[u8]>) -> Result<(), ParseError> {
    params_check!(at, params, "q": qvalue);
    let is_reg_id = |value: &[u8]| decimal(value).is_some_and(|id| (1..1 << 31).contains(&id));
    shapes::param_of(at, params, b"reg-id", is_reg_id, "a number from 1 to 2147483647")?;
    let is_instance = |value: &[u8]| instance(value).is_some();
    shapes::param_of(at, params, b"+sip.instance", is_instance, "a URN in angle brackets in quotes")
}

impl<T: AsRef<[u8]>> Encode for Contact<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Contact::Every => out.push(b'*'),
            Contact::Address(address) => address.write(out),
        }
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for Contact<T> {
    type Owned = Contact;

    fn to_owned_text(&self) -> Contact {
        match self {
            Contact::Every => Contact::Every,
            Contact::Address(address) => Contact::Address(address.to_owned_text()),
        }
    }
}

#[cfg(feature = "serde")]
fn star<S: serde::Serializer>(out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str("*")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    fn read(text: &'static str) -> Contact<&'static [u8]> {
        Contact::decode(&mut Cursor::new(HeaderId::Contact, text.as_bytes(), 0)).unwrap()
    }

    #[test]
    fn capabilities() {
        let contact = read(
            "<sip:a@b>;audio;methods=\"INVITE,BYE\";class=\"!business\";+x.text=\"<a, \\\"b\\\">\";isfocus;\
             reg-id=2;+sip.instance=\"<urn:uuid:0>\";q=0.25;expires=abc;unknown",
        );
        let tags: Vec<_> = contact.features().map(|(tag, _)| tag).collect();
        assert_eq!(tags, [&b"audio"[..], b"methods", b"class", b"+x.text", b"isfocus", b"+sip.instance"]);
        assert_eq!(contact.features().nth(1), Some((&b"methods"[..], Some(&b"\"INVITE,BYE\""[..]))));
        assert_eq!(Contact::<&[u8]>::Every.features().count(), 0);
        assert_eq!(contact.instance().unwrap().as_ref(), b"urn:uuid:0");
        assert_eq!((contact.reg_id(), contact.expires_secs()), (Some(2), None));
        assert_eq!(contact.q(), Qvalue::from_thousandths(250));
    }

    #[test]
    fn nothing_is_smuggled_in() {
        let contact = || Contact::new("sip:a@b").unwrap();
        let full = contact().with_name("A \"B\", C").with_expires(60).with_instance("urn:uuid:0");
        assert_eq!(checked(&full).unwrap(), b"\"A \\\"B\\\", C\" <sip:a@b>;expires=60;+sip.instance=\"<urn:uuid:0>\"");
        assert_eq!(checked(&Contact::Every.with_name("a")).unwrap(), b"*");
        assert_eq!(read("* <sip:a@b>").address().unwrap().display_name, Some(&b"*"[..]));
        assert!(checked(&contact().with_name("a\r\nX: y")).is_err());
        assert!(checked(&contact().with_param(Param::raw("x", "1,<sip:c@d>"))).is_err());
        assert!(checked(&contact().with_param(Param::new("q", Some("7")))).is_err());
        assert!(checked(&contact().with_param(Param::number("reg-id", 0))).is_err());
        assert!(checked(&contact().with_instance("")).is_err());
    }
}
