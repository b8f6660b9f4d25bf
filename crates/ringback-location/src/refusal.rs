//! Why a REGISTER changes nothing.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;

use ringback_message::{Blame, Blamed, HeaderId, ParseError, StatusCode};

use crate::aor::AorError;

/// Why a REGISTER is refused as a whole; the rows stay as they are.
///
/// `Display` is the text for the log, [`Refusal::reason`] the one for the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A header field that we need is malformed: 400.
    Malformed(ParseError),
    /// To is neither a SIP nor a SIPS URI: 400. `[RFC 4475, Section 3.3.4]`
    ToScheme,
    /// To names no user, or one that can't be: 404. `[RFC 3261, Section 10.3]`
    NotAnAor,
    /// To names a user that is too long for an address of record: 404, because nobody has such a name.
    AorTooLong,
    /// `Contact: *` beside other contacts: 400. `[RFC 3261, Section 10.3]`
    WildcardNotAlone,
    /// `Contact: *` without `Expires: 0`: 400. `[RFC 3261, Section 10.2.2]`
    WildcardWithoutZero,
    /// A contact that is no SIP, SIPS or tel URI, which we could neither relay to nor translate: 400.
    ///
    /// RFC 3261 lets clients try any scheme; it does not make a registrar take it. `[RFC 3261, Section 10.2.1]`
    ContactScheme,
    /// A client wants outbound, and the first proxy that it came by doesn't do it: 439. `[RFC 5626, Section 6]`
    FirstHopLacksOutbound,
    /// A flow beside other contacts that are to be bound: 400. `[RFC 5626, Section 6]`
    SeveralFlows,
    /// A contact asks for less than the minimum: 423 with Min-Expires. `[RFC 3261, Section 21.4.17]`
    TooBrief {
        /// The shortest interval that would be granted, in seconds.
        min_expires_secs: u32,
    },
    /// The CSeq number is not above that of a binding with the same Call-ID: 500. `[RFC 3261, Section 10.3]`
    CSeqOutOfOrder {
        /// The CSeq number of the binding.
        stored: u32,
    },
    /// More contacts in one request than [`CONTACTS_PER_REQUEST_MAX`](crate::CONTACTS_PER_REQUEST_MAX): 403.
    TooManyContacts {
        /// The limit.
        max: usize,
    },
    /// More bindings than the policy allows for an address of record: 403.
    ///
    /// Not 503: that would tell the client that the whole server is out, and make it try another. `[RFC 3261, Section 21.5.4]`
    TooManyBindings {
        /// The limit.
        max: usize,
    },
    /// More Path values than [`PATH_VALUES_MAX`](crate::PATH_VALUES_MAX): 403.
    TooManyPaths {
        /// The limit.
        max: usize,
    },
    /// A value that we would have to store is longer than its limit: 403.
    TooLong {
        /// The header field.
        header: HeaderId,
        /// The limit in bytes.
        max: usize,
    },
}

/// A limit of what a registrar keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// [`AOR_BYTES_MAX`](crate::AOR_BYTES_MAX).
    AorBytes,
    /// [`CONTACTS_PER_REQUEST_MAX`](crate::CONTACTS_PER_REQUEST_MAX).
    ContactsPerRequest,
    /// [`CALL_ID_BYTES_MAX`](crate::CALL_ID_BYTES_MAX).
    CallIdBytes,
    /// [`PATH_VALUES_MAX`](crate::PATH_VALUES_MAX).
    PathValues,
    /// [`PATH_BYTES_MAX`](crate::PATH_BYTES_MAX).
    PathBytes,
    /// [`Policy::bindings_per_aor_max`](crate::Policy::bindings_per_aor_max).
    BindingsPerAor,
    /// [`Policy::contact_bytes_max`](crate::Policy::contact_bytes_max).
    ContactBytes,
}

impl Blamed for Refusal {
    fn blame(&self) -> Blame {
        Blame::Caller
    }

    fn own_status(&self) -> Option<StatusCode> {
        Some(self.status())
    }
}

impl Refusal {
    /// The code of the answer, never of the 6xx class. `[RFC 3261, Section 10.3]`
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Refusal::Malformed(error) => error.kind.status(),
            Refusal::ToScheme
            | Refusal::WildcardNotAlone
            | Refusal::WildcardWithoutZero
            | Refusal::ContactScheme
            | Refusal::SeveralFlows => StatusCode::BadRequest,
            Refusal::FirstHopLacksOutbound => StatusCode::FirstHopLacksOutboundSupport,
            Refusal::NotAnAor | Refusal::AorTooLong => StatusCode::NotFound,
            Refusal::TooBrief { .. } => StatusCode::IntervalTooBrief,
            // "the request MUST fail with a 500 (Server Error) response and all tentative binding updates MUST be
            // removed" [RFC 3261, Section 10.3]
            Refusal::CSeqOutOfOrder { .. } => StatusCode::ServerInternalError,
            Refusal::TooManyContacts { .. }
            | Refusal::TooManyBindings { .. }
            | Refusal::TooManyPaths { .. }
            | Refusal::TooLong { .. } => StatusCode::Forbidden,
        }
    }

    /// The reason phrase of the answer, which names the header field at fault.
    #[must_use]
    pub fn reason(&self) -> Cow<'static, str> {
        match self {
            Refusal::Malformed(ParseError { header: Some(id), .. }) => Cow::Owned(format!("Malformed {id}")),
            Refusal::Malformed(_) => Cow::Borrowed("Malformed Request"),
            Refusal::ToScheme => Cow::Borrowed("To Is Not A SIP URI"),
            Refusal::WildcardNotAlone => Cow::Borrowed("Contact * Not Alone"),
            Refusal::WildcardWithoutZero => Cow::Borrowed("Contact * Without Expires 0"),
            Refusal::ContactScheme => Cow::Borrowed("Unsupported Contact Scheme"),
            Refusal::SeveralFlows => Cow::Borrowed("A Flow Beside Other Contacts"),
            Refusal::CSeqOutOfOrder { .. } => Cow::Borrowed("CSeq Out Of Order"),
            Refusal::TooManyContacts { .. } | Refusal::TooManyBindings { .. } => Cow::Borrowed("Too Many Contacts"),
            Refusal::TooManyPaths { .. } => Cow::Borrowed("Too Many Path Values"),
            Refusal::TooLong { header, .. } => Cow::Owned(format!("{header} Too Long")),
            Refusal::NotAnAor | Refusal::AorTooLong | Refusal::TooBrief { .. } | Refusal::FirstHopLacksOutbound => {
                Cow::Borrowed(self.status().default_phrase())
            }
        }
    }

    /// The limit that the request reached, if that is why it is refused.
    #[must_use]
    pub const fn limit(&self) -> Option<Limit> {
        match self {
            Refusal::AorTooLong => Some(Limit::AorBytes),
            Refusal::TooManyContacts { .. } => Some(Limit::ContactsPerRequest),
            Refusal::TooManyBindings { .. } => Some(Limit::BindingsPerAor),
            Refusal::TooManyPaths { .. } => Some(Limit::PathValues),
            Refusal::TooLong { header: HeaderId::CallId, .. } => Some(Limit::CallIdBytes),
            Refusal::TooLong { header: HeaderId::Path, .. } => Some(Limit::PathBytes),
            Refusal::TooLong { header: HeaderId::Contact, .. } => Some(Limit::ContactBytes),
            _ => None,
        }
    }

    /// The header field that the answer must carry beside the usual ones.
    #[must_use]
    pub fn header(&self) -> Option<(HeaderId, String)> {
        match self {
            Refusal::TooBrief { min_expires_secs } => Some((HeaderId::MinExpires, min_expires_secs.to_string())),
            _ => None,
        }
    }
}

impl From<AorError> for Refusal {
    fn from(error: AorError) -> Refusal {
        match error {
            AorError::TooLong => Refusal::AorTooLong,
            AorError::NoUser | AorError::Domain => Refusal::NotAnAor,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Malformed(error) => error.fmt(f),
            Refusal::ToScheme => f.write_str("To is neither a SIP nor a SIPS URI [RFC 4475, Section 3.3.4]"),
            Refusal::NotAnAor => f.write_str("To names no user of the domain [RFC 3261, Section 10.3]"),
            Refusal::WildcardNotAlone => f.write_str("Contact: * beside other contacts [RFC 3261, Section 10.3]"),
            Refusal::WildcardWithoutZero => f.write_str("Contact: * without Expires: 0 [RFC 3261, Section 10.2.2]"),
            Refusal::ContactScheme => f.write_str("a contact of a scheme other than sip, sips and tel"),
            Refusal::FirstHopLacksOutbound => {
                f.write_str("outbound is asked for, and no first proxy with ob is in Path [RFC 5626, Section 6]")
            }
            Refusal::SeveralFlows => f.write_str("a contact with reg-id beside others [RFC 5626, Section 6]"),
            Refusal::TooBrief { min_expires_secs } => {
                write!(f, "a contact asks for less than {min_expires_secs} s [RFC 3261, Section 10.3]")
            }
            Refusal::CSeqOutOfOrder { stored } => {
                write!(
                    f,
                    "same Call-ID as a binding, and a CSeq number not above its {stored} [RFC 3261, Section 10.3]"
                )
            }
            Refusal::TooManyContacts { max } => write!(f, "more than {max} contacts in one request"),
            Refusal::TooManyBindings { max } => write!(f, "more than {max} bindings for one address of record"),
            Refusal::AorTooLong => AorError::TooLong.fmt(f),
            Refusal::TooManyPaths { max } => write!(f, "more than {max} Path values in one request"),
            Refusal::TooLong { header, max } => write!(f, "{header} has more than {max} bytes to store"),
        }
    }
}

impl core::error::Error for Refusal {}
