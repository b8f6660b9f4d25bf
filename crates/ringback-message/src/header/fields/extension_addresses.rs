//! Header fields of later RFCs that hold an address.

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::NameAddr;
use crate::header::fields::content_id::is_message_id;
use crate::header::shapes::{addresses, field, in_brackets, nameless, params_accessor, params_check};
use crate::uri::Uri;

addresses! {
    /// Whom the receiver shall contact. `[RFC 3515, Section 2.1]`
    ///
    /// ```text
    /// Refer-To = ("Refer-To" / "r") HCOLON ( name-addr / addr-spec ) * (SEMI generic-param)
    /// ```
    ReferTo;
    /// A proxy between the registrar and the phone, through which requests to it go. `[RFC 3327, Section 4]`
    ///
    /// ```text
    /// Path       = "Path" HCOLON path-value *( COMMA path-value )
    /// path-value = name-addr *( SEMI rr-param )
    /// ```
    Path, BY_COMMA where in_brackets;
    /// A proxy through which the registered phone sends its requests. `[RFC 3608, Section 5]`
    ///
    /// ```text
    /// Service-Route = "Service-Route" HCOLON sr-value *( COMMA sr-value)
    /// sr-value      = name-addr *( SEMI rr-param )
    /// ```
    ServiceRoute, BY_COMMA where in_brackets;
    /// Who asked for this request by a REFER. `[RFC 3892, Section 3]`
    ///
    /// ```text
    /// Referred-By         = ("Referred-By" / "b") HCOLON referrer-uri *( SEMI (referredby-id-param / generic-param) )
    /// referredby-id-param = "cid" EQUAL sip-clean-msg-id
    /// sip-clean-msg-id    = LDQUOT dot-atom "@" (dot-atom / host) RDQUOT
    /// ```
    ReferredBy where content_id {
        /// The Content-ID of the body part that proves it, without angle brackets.
        content_id = "cid": quoted,
    };
    /// A recipient who has not agreed to get what a relay would send. `[RFC 5360, Section 5.9.3]`
    ///
    /// ```text
    /// Permission-Missing = "Permission-Missing" HCOLON per-miss-spec *( COMMA per-miss-spec )
    /// per-miss-spec      = ( name-addr / addr-spec ) *( SEMI generic-param )
    /// ```
    PermissionMissing, BY_COMMA;
    /// Where the location of the target is found. `[RFC 6442, Section 4.1]`
    ///
    /// ```text
    /// Geolocation-header = "Geolocation" HCOLON locationValue *( COMMA locationValue )
    /// locationValue      = LAQUOT locationURI RAQUOT *(SEMI geoloc-param)
    /// ```
    Geolocation, BY_COMMA where nameless;
    /// Where to subscribe to what becomes of a REFER. `[RFC 7614, Section 4.8]`
    ///
    /// ```text
    /// Refer-Events-At = "Refer-Events-At" HCOLON LAQUOT ( SIP-URI / SIPS-URI ) RAQUOT *( SEMI generic-param )
    /// ```
    ReferEventsAt where nameless_sip;
    /// Where the certificate is found by which Identity was signed; historic, since Identity itself says it now. `[RFC 4474, Section 9]`
    ///
    /// ```text
    /// Identity-Info = "Identity-Info" HCOLON LAQUOT absoluteURI RAQUOT *( SEMI ident-info-params )
    /// ```
    IdentityInfo where nameless {
        /// The algorithm of the signature.
        alg = "alg": token,
    };
}

/// `"cid" EQUAL LDQUOT dot-atom "@" (dot-atom / host) RDQUOT`
fn content_id(start: &Cursor<'_>, address: &NameAddr<&[u8]>) -> Result<(), ParseError> {
    let Some(value) = address.params.value(b"cid") else { return Ok(()) };
    let id = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or_default();
    if is_message_id(id) { Ok(()) } else { Err(start.error_at(value, "a Content-ID in quotes")) }
}

/// `LAQUOT ( SIP-URI / SIPS-URI ) RAQUOT`
fn nameless_sip(start: &Cursor<'_>, address: &NameAddr<&[u8]>) -> Result<(), ParseError> {
    nameless(start, address)?;
    match &address.uri {
        Uri::Sip(_) => Ok(()),
        Uri::Other { scheme, .. } => Err(start.error_at(scheme, "a sip or sips URI")),
    }
}
