//! P-Charging-Function-Addresses and P-Charging-Vector: values that are parameters and nothing before them.

use alloc::vec::Vec;

use crate::chars;
use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::shapes::{field, params_accessor, text_param};
use crate::header::{Decode, Encode, OwnedText, Param, ToOwnedText};
use crate::params::Params;
use crate::uri::Host;

macro_rules! parameters_alone {
    ($($(#[$doc:meta])* $name:ident $(, $option:ident)* by $check:ident
        {$($(#[$pdoc:meta])* $param:ident = $text:literal,)*};)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = OwnedText> {
            /// The parameters, their text from the first name on.
            pub params: Params<T>,
        }

        field!($name $(, $option)*);

        impl $name {
            /// With this parameter, which stands first.
            #[must_use]
            pub fn new(first: Param) -> Self {
                $name { params: Params::default() }.with_param(first)
            }

            /// With one more parameter.
            #[must_use]
            pub fn with_param(mut self, param: Param) -> Self {
                self.params.push(&param);
                // The first one has no semicolon before it.
                let text: OwnedText = self.params.text().strip_prefix(b";").unwrap_or(self.params.text()).into();
                $name { params: self.params.map(|_| text) }
            }
        }

        impl<T: AsRef<[u8]>> $name<T> {
            $(params_accessor!($(#[$pdoc])* params, $param = $text: text);)*
        }

        impl<'a> Decode<'a> for $name<&'a [u8]> {
            fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
                cursor.lws();
                let at = cursor.clone();
                let params = parameters(cursor)?;
                $(text_param(&at, &params, $text.as_bytes())?;)*
                $check(&at, &params)?;
                Ok($name { params })
            }
        }

        impl<T: AsRef<[u8]>> Encode for $name<T> {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.params.text());
            }
        }

        impl<T: AsRef<[u8]>> ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name { params: self.params.to_owned_text() }
            }
        }
    )*};
}

parameters_alone! {
    /// Where charging records go: the first address that can be reached of one kind. `[RFC 7315, Section 5.5]`
    ///
    /// ```text
    /// charge-addr-params = charge-addr-param *(SEMI charge-addr-param)
    /// charge-addr-param  = ccf / ecf / ccf-2 / ecf-2 / generic-param
    /// ```
    PChargingFunctionAddresses, BY_COMMA by anything {
        /// The Charging Collection Function.
        ccf = "ccf",
        /// The Charging Collection Function to go to where the first is away.
        ccf_2 = "ccf-2",
        /// The Event Charging Function.
        ecf = "ecf",
        /// The Event Charging Function to go to where the first is away.
        ecf_2 = "ecf-2",
    };
    /// What ties the charging records of a call together. `[RFC 7315, Section 5.6]`
    ///
    /// ```text
    /// P-Charging-Vector = "P-Charging-Vector" HCOLON icid-value *(SEMI charge-params)
    /// icid-value        = "icid-value" EQUAL gen-value
    /// icid-gen-addr     = "icid-generated-at" EQUAL host
    /// transit-ioi-list  = DQUOTE transit-ioi-param *(COMMA transit-ioi-param) DQUOTE
    /// ```
    PChargingVector by vector {
        /// The identifier of the call for charging, as written, in quotes where it must be.
        icid_value = "icid-value",
        /// The host that made it.
        icid_generated_at = "icid-generated-at",
        /// The operator that the call comes from.
        originating_operator = "orig-ioi",
        /// The operator that the call goes to.
        terminating_operator = "term-ioi",
        /// The operators between, in quotes. See [`transit_operators`](PChargingVector::transit_operators).
        transit_ioi = "transit-ioi",
        /// The identifier of the other call that this one belongs to.
        related_icid = "related-icid",
        /// The host that made that one.
        related_icid_generated_at = "related-icid-generated-at",
    };
}

impl PChargingVector {
    /// With this identifier, which is quoted where it must be.
    #[must_use]
    pub fn with_icid(icid: impl AsRef<[u8]>) -> PChargingVector {
        PChargingVector::new(Param::new("icid-value", Some(icid)))
    }
}

impl<T: AsRef<[u8]>> PChargingVector<T> {
    /// Each operator between, with its index, or `void`, in order.
    pub fn transit_operators(&self) -> impl Iterator<Item = &[u8]> {
        let list = self.transit_ioi().unwrap_or_default();
        let list = list.strip_prefix(b"\"").and_then(|list| list.strip_suffix(b"\"")).unwrap_or_default();
        list.split(|&b| b == b',').map(chars::trim).filter(|operator| !operator.is_empty())
    }
}

/// A parameter, and those behind it.
fn parameters<'a>(cursor: &mut Cursor<'a>) -> Result<Params<&'a [u8]>, ParseError> {
    let start = cursor.rest();
    cursor.token("the name of a parameter")?;
    let mut after = cursor.clone();
    if after.separator(b'=') {
        match after.peek() {
            Some(b'"') => _ = after.quoted_string()?,
            _ if after.take_while(|b| chars::is(b, chars::PARAM_VALUE)).is_empty() => {
                return Err(after.error("the value of a parameter"));
            }
            _ => {}
        }
        *cursor = after;
    }
    Params::parse(cursor)?;
    let used = start.len().saturating_sub(cursor.rest().len());
    Ok(Params::default().map(|_: &[u8]| start.get(..used).unwrap_or_default().trim_ascii_end()))
}

fn anything(_at: &Cursor<'_>, _params: &Params<&[u8]>) -> Result<(), ParseError> {
    Ok(())
}

fn vector(at: &Cursor<'_>, params: &Params<&[u8]>) -> Result<(), ParseError> {
    if !params.iter().next().is_some_and(|(name, _)| name.eq_ignore_ascii_case(b"icid-value")) {
        return Err(at.error("icid-value"));
    }
    for name in ["icid-generated-at", "related-icid-generated-at"] {
        if let Some(host) = params.value(name.as_bytes()).filter(|host| Host::of(host).is_none()) {
            return Err(at.error_at(host, "a host name or address"));
        }
    }
    match params.value(b"transit-ioi") {
        Some(list) => transit_list(at, list),
        None => Ok(()),
    }
}

/// `transit-ioi-param = transit-ioi-name "." 1*DIGIT / "void"`, in one pair of quotes.
fn transit_list(at: &Cursor<'_>, list: &[u8]) -> Result<(), ParseError> {
    let Some(inner) = list.strip_prefix(b"\"").and_then(|list| list.strip_suffix(b"\"")) else {
        return Err(at.error_at(list, "a list of operators in quotes"));
    };
    for operator in inner.split(|&b| b == b',') {
        let operator = chars::trim(operator);
        let mut parts = operator.splitn(2, |&b| b == b'.');
        let (name, index) = (parts.next().unwrap_or_default(), parts.next());
        let is_named = name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(u8::is_ascii_alphanumeric);
        let is_indexed = index.is_some_and(|index| !index.is_empty() && index.iter().all(u8::is_ascii_digit));
        if !(is_named && is_indexed || operator.eq_ignore_ascii_case(b"void")) {
            return Err(at.error_at(operator, "an operator and its index, or void"));
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn values_are_quoted_where_they_must_be_and_nothing_slips_in() {
        let vector = PChargingVector::with_icid("a;b=\"c\"").with_param(Param::raw("transit-ioi", "\"a.1, void\""));
        assert_eq!(checked(&vector).unwrap(), b"icid-value=\"a;b=\\\"c\\\"\";transit-ioi=\"a.1, void\"");
        assert_eq!(vector.transit_operators().collect::<Vec<_>>(), [&b"a.1"[..], b"void"]);
        let addresses =
            PChargingFunctionAddresses::new(Param::raw("ccf", "[2001:db8::1]")).with_param(Param::flag("x"));
        assert_eq!(checked(&addresses).unwrap(), b"ccf=[2001:db8::1];x");
        for bad in [
            Param::raw("ccf", "1, ecf=2"),
            Param::raw("ccf", ""),
            Param::flag("ccf"),
            Param::flag("a;b"),
            Param::new("ccf", Some("a\r\nb: c")),
        ] {
            assert!(checked(&PChargingFunctionAddresses::new(bad.clone())).is_err(), "{bad:?}");
        }
        for bad in [Param::flag("x"), Param::raw("icid-value", ""), Param::new("icid-valu", Some("1"))] {
            assert!(checked(&PChargingVector::new(bad.clone())).is_err(), "{bad:?}");
        }
    }
}
