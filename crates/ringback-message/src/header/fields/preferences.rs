//! What a caller prefers: Accept-Contact, Reject-Contact, Request-Disposition. `[RFC 3841, Section 9]`

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::Rereads;
use crate::header::shapes::{field, join, params_accessor, params_check, star_params};
use crate::header::{Decode, Encode, Field, HeaderId, ToOwnedText};

star_params! {
    /// Features that the phone should have which gets the request. `[RFC 3841, Section 9.2]`
    ///
    /// Read its features with [`Params::feature`](crate::Params::feature).
    ///
    /// ```text
    /// Accept-Contact = ("Accept-Contact" / "a") HCOLON ac-value *(COMMA ac-value)
    /// ac-value       = "*" *(SEMI ac-params)
    /// ac-params      = feature-param / "require" / "explicit" / generic-param
    /// ```
    AcceptContact {
        /// Whether a phone that lacks a feature is not to get the request at all.
        require = "require": flag,
        /// Whether a phone that doesn't say so counts as lacking a feature.
        explicit = "explicit": flag,
    };
    /// Features of phones that shall not get the request. `[RFC 3841, Section 9.2]`
    ///
    /// Read its features with [`Params::feature`](crate::Params::feature).
    ///
    /// ```text
    /// Reject-Contact = ("Reject-Contact" / "j") HCOLON rc-value *(COMMA rc-value)
    /// rc-value       = "*" *(SEMI rc-params)
    /// rc-params      = feature-param / generic-param
    /// ```
    RejectContact;
}

/// What the caller asks the proxies to do with the request. `[RFC 3841, Section 9.1]`
///
/// ```text
/// Request-Disposition = ( "Request-Disposition" / "d" ) HCOLON directive *(COMMA directive)
/// directive           = proxy-directive / cancel-directive / fork-directive / recurse-directive
///                     / parallel-directive / queue-directive
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RequestDisposition {
    directives: Vec<Directive>,
}

macro_rules! directives {
    ($($(#[$doc:meta])* $variant:ident = $name:literal of $pair:literal;)*) => {
        /// One thing that a caller asks of proxies. `[RFC 3841, Section 9.1]`
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(into = "&'static str"))]
        pub enum Directive {
            $($(#[$doc])* $variant,)*
        }

        impl Directive {
            const ALL: &[Directive] = &[$(Directive::$variant),*];

            /// As it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Directive::$variant => $name,)*
                }
            }

            /// Which of the six kinds it is of: of each there can be only one.
            const fn kind(self) -> usize {
                match self {
                    $(Directive::$variant => $pair,)*
                }
            }
        }
    };
}

directives! {
    /// Send the request on.
    Proxy = "proxy" of 0;
    /// Answer with a redirection.
    Redirect = "redirect" of 0;
    /// Cancel the other branches when one has answered.
    Cancel = "cancel" of 1;
    /// Let them ring on.
    NoCancel = "no-cancel" of 1;
    /// Send the request to several phones.
    Fork = "fork" of 2;
    /// Send it to one.
    NoFork = "no-fork" of 2;
    /// Follow redirections.
    Recurse = "recurse" of 3;
    /// Pass them on.
    NoRecurse = "no-recurse" of 3;
    /// Try several phones at once.
    Parallel = "parallel" of 4;
    /// Try them one after the other.
    Sequential = "sequential" of 4;
    /// Wait where the callee is busy.
    Queue = "queue" of 5;
    /// Don't wait.
    NoQueue = "no-queue" of 5;
}

impl From<Directive> for &'static str {
    fn from(directive: Directive) -> &'static str {
        directive.as_str()
    }
}

impl Field for RequestDisposition {
    const ID: HeaderId = HeaderId::RequestDisposition;
}

impl RequestDisposition {
    /// With these.
    #[must_use]
    pub fn new<I: IntoIterator<Item = Directive>>(directives: I) -> RequestDisposition {
        RequestDisposition { directives: directives.into_iter().collect() }
    }

    /// Each in order.
    #[must_use]
    pub fn directives(&self) -> &[Directive] {
        &self.directives
    }

    /// Whether it is among them.
    #[must_use]
    pub fn contains(&self, directive: Directive) -> bool {
        self.directives.contains(&directive)
    }
}

impl<'a> Decode<'a> for RequestDisposition {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        const EXPECTED: &str = "a directive such as proxy or no-fork";
        let mut directives = Vec::new();
        let mut seen = [false; 6];
        cursor.lws();
        loop {
            let at = cursor.clone();
            let name = cursor.token(EXPECTED)?;
            let known = Directive::ALL.iter().copied().find(|d| name.eq_ignore_ascii_case(d.as_str().as_bytes()));
            let directive = known.ok_or_else(|| at.error(EXPECTED))?;
            // "There can only be one directive of each type per request" `[RFC 3841, Section 9.1]`
            if seen.get_mut(directive.kind()).is_none_or(|seen| core::mem::replace(seen, true)) {
                return Err(at.error("one directive of each type"));
            }
            directives.push(directive);
            if !cursor.separator(b',') {
                return Ok(RequestDisposition { directives });
            }
        }
    }
}

impl<'a> Rereads<'a> for RequestDisposition {
    fn reread(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        RequestDisposition::decode(cursor)
    }
}

impl Encode for RequestDisposition {
    fn encode(&self, out: &mut Vec<u8>) {
        join(self.directives.iter().map(|directive| directive.as_str().as_bytes()), out);
    }
}

impl ToOwnedText for RequestDisposition {
    type Owned = RequestDisposition;

    fn to_owned_text(&self) -> RequestDisposition {
        self.clone()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::Param;
    use crate::header::field::checked;

    #[test]
    fn directives_do_not_contradict_each_other() {
        for directive in Directive::ALL {
            assert_eq!(checked(&RequestDisposition::new([*directive])).unwrap(), directive.as_str().as_bytes());
        }
        let all = RequestDisposition::new([Directive::Proxy, Directive::NoFork]);
        assert_eq!(checked(&all).unwrap(), b"proxy, no-fork");
        assert!(checked(&RequestDisposition::new([Directive::Fork, Directive::NoFork])).is_err());
        assert!(checked(&RequestDisposition::new([])).is_err());
    }

    #[test]
    fn a_parameter_can_not_become_a_second_value() {
        let wanted =
            AcceptContact::new().with_param(Param::feature("audio", ["TRUE"])).with_param(Param::flag("require"));
        assert_eq!(checked(&wanted).unwrap(), b"*;audio=\"TRUE\";require");
        assert!(checked(&RejectContact::new().with_param(Param::raw("a", "b, *"))).is_err());
        assert!(checked(&RejectContact::new().with_param(Param::flag("a, *"))).is_err());
    }
}
