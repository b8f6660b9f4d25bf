//! The sum of all typed header fields, for those who collect them or choose among them at run time.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::chars;
use crate::cursor::{Cursor, Strictness};
use crate::error::{BuildError, ParseError};
use crate::header::field::{self, ToOwnedText, Values};
use crate::header::fields::*;
use crate::header::text::Escaped;
use crate::header::{CSeq, Date, HeaderId, OwnedText, Via};
use crate::message::Header;

macro_rules! typed_headers {
    ($($name:ident $(<$t:ident>)?,)*) => {
        /// A header field by its type, or as text where it has none.
        ///
        /// One variant for each type of [`header`](crate::header). Read from a message it borrows its text; made by hand it owns it.
        #[derive(Clone, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged, bound = "T: AsRef<[u8]>"))]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "each is the header field of its name")]
        pub enum TypedHeader<T = OwnedText> {
            $($name($name $(<$t>)?),)*
            /// A header field that has no type of its own, or whose value was not read.
            #[cfg_attr(feature = "serde", serde(skip))]
            Other(HeaderName, HeaderValue),
        }

        impl TypedHeader {
            /// Which header field it is.
            #[must_use]
            pub fn id(&self) -> HeaderId {
                match self {
                    $(TypedHeader::$name(_) => HeaderId::$name,)*
                    TypedHeader::Other(name, _) => name.id(),
                }
            }

            /// Its value as a message holds it, if it would be read back as the same.
            ///
            /// # Errors
            /// Where it would not.
            pub fn value(&self) -> Result<Vec<u8>, BuildError> {
                match self {
                    $(TypedHeader::$name(value) => field::checked(value),)*
                    TypedHeader::Other(name, value) => {
                        check_strict(name.id(), value.as_bytes(), 0)?;
                        Ok(value.as_bytes().into())
                    }
                }
            }
        }

        /// Reads every value of a line, and says nothing of them but whether they can be read. Lines without a type pass.
        ///
        /// # Errors
        /// The first defect.
        pub fn check_value(id: HeaderId, value: &[u8], offset: u32) -> Result<(), ParseError> {
            check(Cursor::new(id, value, offset))
        }

        pub(crate) fn check(cursor: Cursor<'_>) -> Result<(), ParseError> {
            match cursor.header() {
                $(HeaderId::$name => Values::<typed_headers!(@borrowed $name $(<$t>)?)>::new(cursor).try_for_each(|value| value.map(drop)),)*
                _ => Ok(()),
            }
        }

        /// The same for a value that is to be sent: also refuses what reading lets pass, an escape of a URI without its two digits and a
        /// parameter that stands twice. `[RFC 3261, Section 7.3.1]` `[RFC 3261, Section 19.1.1]`
        ///
        /// # Errors
        /// The first defect.
        pub fn check_strict(id: HeaderId, value: &[u8], offset: u32) -> Result<(), ParseError> {
            check(Cursor::new(id, value, offset).with_strictness(Strictness::Building))
        }

        /// Whether values of this header field have a type.
        #[must_use]
        pub const fn is_typed(id: HeaderId) -> bool {
            matches!(id, $(HeaderId::$name)|*)
        }

        impl<'a> Header<'a> {
            /// The values of this line, by the type of its header field: several where commas separate them.
            ///
            /// # Errors
            /// Where one is malformed; use [`Header::value`] for the text as it came.
            pub fn typed(&self) -> Result<Vec<TypedHeader<&'a [u8]>>, ParseError> {
                match self.id() {
                    $(HeaderId::$name => self.values::<typed_headers!(@borrowed $name $(<$t>)?)>().map(|v| v.map(TypedHeader::$name)).collect(),)*
                    _ => Ok(Vec::from([TypedHeader::Other(HeaderName::of(self), HeaderValue::Raw(self.value().into()))])),
                }
            }
        }

        impl<T: AsRef<[u8]>> fmt::Debug for TypedHeader<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(TypedHeader::$name(value) => value.fmt(f),)*
                    TypedHeader::Other(name, value) => f.debug_tuple("Other").field(name).field(value).finish(),
                }
            }
        }

        impl<T: AsRef<[u8]>> ToOwnedText for TypedHeader<T> {
            type Owned = TypedHeader;

            fn to_owned_text(&self) -> TypedHeader {
                match self {
                    $(TypedHeader::$name(value) => TypedHeader::$name(ToOwnedText::to_owned_text(value)),)*
                    TypedHeader::Other(name, value) => TypedHeader::Other(name.clone(), value.clone()),
                }
            }
        }

        $(typed_headers!(@from $name $(<$t>)?);)*
    };
    (@borrowed $name:ident <T>) => { $name<&[u8]> };
    (@borrowed $name:ident) => { $name };
    (@from $name:ident <T>) => {
        impl<T> core::convert::From<$name<T>> for TypedHeader<T> {
            fn from(value: $name<T>) -> TypedHeader<T> {
                TypedHeader::$name(value)
            }
        }
    };
    (@from $name:ident) => {
        impl<T> core::convert::From<$name> for TypedHeader<T> {
            fn from(value: $name) -> TypedHeader<T> {
                TypedHeader::$name(value)
            }
        }
    };
}

// A type stands here once; `<T>` where it holds text.
typed_headers! {
    // 3261
    Accept<T>,
    AcceptEncoding<T>,
    AcceptLanguage<T>,
    AlertInfo<T>,
    Allow<T>,
    AuthenticationInfo<T>,
    Authorization<T>,
    CallId<T>,
    CallInfo<T>,
    Contact<T>,
    ContentDisposition<T>,
    ContentEncoding<T>,
    ContentLanguage<T>,
    ContentLength,
    ContentType<T>,
    CSeq<T>,
    Date,
    ErrorInfo<T>,
    Expires,
    FlowTimer,
    From<T>,
    InReplyTo<T>,
    MaxBreadth,
    MaxForwards,
    MimeVersion,
    MinExpires,
    Organization<T>,
    Priority<T>,
    ProxyAuthenticate<T>,
    ProxyAuthorization<T>,
    ProxyRequire<T>,
    RecordRoute<T>,
    ReplyTo<T>,
    Require<T>,
    RetryAfter<T>,
    Route<T>,
    Server<T>,
    Subject<T>,
    Supported<T>,
    Timestamp<T>,
    To<T>,
    Unsupported<T>,
    UserAgent<T>,
    Via<T>,
    Warning<T>,
    WwwAuthenticate<T>,
    // Signalling extensions
    AcceptContact<T>,
    AllowEvents<T>,
    AnswerMode<T>,
    ContentId<T>,
    Event<T>,
    FeatureCaps<T>,
    Geolocation<T>,
    GeolocationError<T>,
    GeolocationRouting<T>,
    Identity<T>,
    IdentityInfo<T>,
    InfoPackage<T>,
    Join<T>,
    MinSe<T>,
    Path<T>,
    PermissionMissing<T>,
    PrivAnswerMode<T>,
    Privacy<T>,
    RAck<T>,
    RSeq,
    Reason<T>,
    RecvInfo<T>,
    ReferEventsAt<T>,
    ReferSub<T>,
    ReferTo<T>,
    ReferredBy<T>,
    RejectContact<T>,
    Replaces<T>,
    RequestDisposition,
    SecurityClient<T>,
    SecurityServer<T>,
    SecurityVerify<T>,
    ServiceRoute<T>,
    SessionExpires<T>,
    SessionId<T>,
    SipEtag<T>,
    SipIfMatch<T>,
    SubscriptionState<T>,
    SuppressIfMatch<T>,
    TargetDialog<T>,
    TriggerConsent<T>,
    UserToUser<T>,
    // Networks and operators
    AcceptResourcePriority<T>,
    AlertMsgError<T>,
    HistoryInfo<T>,
    PAccessNetworkInfo<T>,
    PAnswerState<T>,
    PAssertedIdentity<T>,
    PAssertedService<T>,
    PAssociatedUri<T>,
    PCalledPartyId<T>,
    PChargeInfo<T>,
    PChargingFunctionAddresses<T>,
    PChargingVector<T>,
    PDcsBillingInfo<T>,
    PDcsLaes<T>,
    PDcsOsps<T>,
    PDcsRedirect<T>,
    PDcsTracePartyId<T>,
    PEarlyMedia<T>,
    PMediaAuthorization<T>,
    PPreferredIdentity<T>,
    PPreferredService<T>,
    PPrivateNetworkIndication<T>,
    PProfileKey<T>,
    PRefusedUriList<T>,
    PServedUser<T>,
    PUserDatabase<T>,
    PVisitedNetworkId<T>,
    PolicyContact<T>,
    PolicyId<T>,
    ResourcePriority<T>,
}

/// The name of a header field: one that the registry knows, or another as text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderName {
    /// One of the table.
    Known(HeaderId),
    /// Any token. One that the table has counts as that header field all the same.
    Other(String),
}

impl HeaderName {
    fn of(header: &Header<'_>) -> HeaderName {
        match header.id() {
            HeaderId::Other => HeaderName::Other(String::from_utf8_lossy(header.name()).into_owned()),
            id => HeaderName::Known(id),
        }
    }

    /// Which header field it is.
    #[must_use]
    pub fn id(&self) -> HeaderId {
        match self {
            HeaderName::Known(id) => *id,
            HeaderName::Other(name) => HeaderId::from_name(name.as_bytes()),
        }
    }

    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            HeaderName::Known(id) => id.as_str(),
            HeaderName::Other(name) => name,
        }
    }

    /// Whether a message could hold it: a token. `[RFC 3261, Section 25.1]`
    #[must_use]
    pub fn is_valid(&self) -> bool {
        chars::is_token(self.as_str().as_bytes())
    }
}

impl core::convert::From<HeaderId> for HeaderName {
    fn from(id: HeaderId) -> HeaderName {
        HeaderName::Known(id)
    }
}

impl core::convert::From<&str> for HeaderName {
    fn from(name: &str) -> HeaderName {
        match HeaderId::from_name(name.as_bytes()) {
            HeaderId::Other => HeaderName::Other(name.into()),
            id => HeaderName::Known(id),
        }
    }
}

/// The value of a header field that is given as it shall be written.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderValue {
    /// Bytes.
    Raw(Vec<u8>),
    /// Text.
    Text(String),
}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeaderValue::Raw(bytes) => f.debug_tuple("Raw").field(&Escaped(bytes)).finish(),
            HeaderValue::Text(text) => f.debug_tuple("Text").field(text).finish(),
        }
    }
}

impl HeaderValue {
    /// What will be written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            HeaderValue::Raw(bytes) => bytes,
            HeaderValue::Text(text) => text.as_bytes(),
        }
    }
}
