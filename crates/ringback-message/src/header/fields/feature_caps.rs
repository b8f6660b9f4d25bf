//! Feature-Caps, and what push notification adds to it and to URIs. `[RFC 6809, Section 6.2.1]` `[RFC 8599, Section 8]`

use crate::cursor::{Cursor, decimal};
use crate::error::ParseError;
use crate::header::fields::FeatureParam;
use crate::header::shapes::{field, star_params};
use crate::params::Params;
use crate::uri::SipUri;

star_params! {
    /// What a server or proxy on the way can do.
    ///
    /// ```text
    /// Feature-Caps = "Feature-Caps" HCOLON fc-value *(COMMA fc-value)
    /// fc-value     = "*" *(SEMI feature-cap)
    /// feature-cap  = "+" fcap-name [EQUAL LDQUOT (fcap-value-list / fcap-string-value ) RDQUOT]
    /// ```
    FeatureCaps where indicators;
}

impl<T: AsRef<[u8]>> FeatureCaps<T> {
    /// The push notification service that is supported. `[RFC 8599, Section 8.2]`
    #[must_use]
    pub fn pns(&self) -> Option<&[u8]> {
        self.params.feature("+sip.pns")?.word()
    }

    /// The key by which a subscription to push notifications is restricted to this server. `[RFC 8599, Section 8.3]`
    #[must_use]
    pub fn vapid(&self) -> Option<&[u8]> {
        self.params.feature("+sip.vapid")?.word()
    }

    /// How many seconds before it expires a binding is to be refreshed. `[RFC 8599, Section 8.4]`
    #[must_use]
    pub fn pnsreg_secs(&self) -> Option<u32> {
        decimal(self.params.feature("+sip.pnsreg")?.word()?)
    }

    /// The registration reference that the phone puts into its contacts. `[RFC 8599, Section 8.6]`
    #[must_use]
    pub fn pnspurr(&self) -> Option<&[u8]> {
        self.params.feature("+sip.pnspurr")?.word()
    }
}

/// What the contact of a phone says of push notifications, escapes untouched. `[RFC 8599, Section 8.7]`
impl<T: AsRef<[u8]>> SipUri<T> {
    /// The push notification service; `None` inside where the phone asks which there are.
    #[must_use]
    pub fn pn_provider(&self) -> Option<Option<&[u8]>> {
        self.params.find(b"pn-provider")
    }

    /// What the service needs besides the identifier.
    #[must_use]
    pub fn pn_param(&self) -> Option<&[u8]> {
        self.params.value(b"pn-param")
    }

    /// The identifier of the phone at the service.
    #[must_use]
    pub fn pn_prid(&self) -> Option<&[u8]> {
        self.params.value(b"pn-prid")
    }

    /// The registration reference that the proxy gave to the phone.
    #[must_use]
    pub fn pn_purr(&self) -> Option<&[u8]> {
        self.params.value(b"pn-purr")
    }

    /// Whether both are woken by the same push notification, as the comparison of their URIs then asks. `[RFC 8599, Section 5.3]`
    pub fn same_push<U: AsRef<[u8]>>(&self, other: &SipUri<U>) -> bool {
        [&b"pn-provider"[..], b"pn-prid", b"pn-param"].iter().all(|name| {
            match (self.params.find(name), other.params.find(name)) {
                (Some(Some(a)), Some(Some(b))) => crate::uri::unescape(a) == crate::uri::unescape(b),
                (a, b) => a == b,
            }
        })
    }
}

/// `"+" fcap-name [EQUAL LDQUOT (fcap-value-list / fcap-string-value ) RDQUOT]`, and nothing else.
fn indicators(at: &Cursor<'_>, params: &Params<&[u8]>) -> Result<(), ParseError> {
    for (name, value) in params.iter() {
        let is_named =
            matches!(name, [b'+', first, rest @ ..] if first.is_ascii_alphabetic() && rest.iter().all(|&b| is_name(b)));
        if !is_named {
            return Err(at.error_at(name, "a feature-capability indicator, which begins with +"));
        }
        if FeatureParam::read(value).is_none() {
            return Err(at.error_at(value.unwrap_or(name), "values or a string in angle brackets, in quotes"));
        }
    }
    Ok(())
}

/// `ftag-name = ALPHA *( ALPHA / DIGIT / "!" / "'" / "." / "-" / "%" )`
fn is_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'!' | b'\'' | b'.' | b'-' | b'%')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;
    use crate::header::{HeaderId, Param};
    use crate::uri::Uri;

    #[test]
    fn indicators_of_push_are_read_as_they_were_set() {
        let caps = FeatureCaps::new()
            .with_param(Param::feature("+sip.pns", ["acme"]))
            .with_param(Param::feature("+sip.pnsreg", ["121"]))
            .with_param(Param::feature("+sip.pnspurr", ["Mb4t"]));
        assert_eq!(checked(&caps).unwrap(), b"*;+sip.pns=\"acme\";+sip.pnsreg=\"121\";+sip.pnspurr=\"Mb4t\"");
        assert_eq!((caps.pns(), caps.pnsreg_secs()), (Some(&b"acme"[..]), Some(121)));
        assert_eq!((caps.pnspurr(), caps.vapid()), (Some(&b"Mb4t"[..]), None));
        for bad in [Param::flag("sip.pns"), Param::flag("+"), Param::raw("+a", "b"), Param::raw("+a", "\"b\", *")] {
            assert!(checked(&FeatureCaps::new().with_param(bad.clone())).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn push_targets_are_the_same_by_three_parameters() {
        let uri = |text: &'static str| match Uri::parse(text.as_bytes(), HeaderId::Contact, 0).unwrap() {
            Uri::Sip(uri) => uri,
            Uri::Other { .. } => unreachable!("{text}"),
        };
        let one = uri("sip:a@b;pn-provider=acme;pn-param=x;pn-prid=%41c");
        assert_eq!(one.pn_provider(), Some(Some(&b"acme"[..])));
        assert_eq!((one.pn_param(), one.pn_prid(), one.pn_purr()), (Some(&b"x"[..]), Some(&b"%41c"[..]), None));
        assert_eq!(uri("sip:a@b;pn-provider").pn_provider(), Some(None));
        assert!(one.same_push(&uri("sip:c@d;pn-prid=Ac;pn-param=x;pn-provider=acme;pn-purr=1")));
        for other in
            ["sip:a@b", "sip:a@b;pn-provider=acme;pn-param=x", "sip:a@b;pn-provider=acme;pn-param=x;pn-prid=ac"]
        {
            assert!(!one.same_push(&uri(other)), "{other}");
        }
    }
}
