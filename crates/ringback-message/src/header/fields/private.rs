//! Header fields of networks and operators whose grammar is one of the [shapes](crate::header::shapes), or nearly.
//!
//! These names have no grammar in an RFC and stay text: Additional-Identity, Cellular-Network-Info, Origination-Id,
//! Priority-Share, Priority-Verstat, Relayed-Charge, Resource-Share, Response-Source and Service-Interact-Info. 3GPP defines them.
//!
//! Three RFCs of operators define no header field: a 607 has none of its own `[RFC 8197]`, a 608 may carry a Call-Info whose
//! purpose is `jwscard` `[RFC 8688, Section 3.1]`, and `orig-cdiv` is a parameter of [`PServedUser`] `[RFC 8498, Section 6.2]`.

use alloc::borrow::Cow;

use crate::cursor::{Cursor, decimal};
use crate::error::ParseError;
use crate::header::shapes::{
    addresses, field, in_brackets, nameless, params_accessor, params_check, token_params, tokens,
};
use crate::header::{NameAddr, text};
use crate::params::Params;
use crate::uri::{Host, Uri};

addresses! {
    /// Who sends the message, as a trusted element has found out: at most a SIP or SIPS URI and a tel URI. `[RFC 3325, Section 9.1]`
    ///
    /// ```text
    /// PAssertedID-value = name-addr / addr-spec
    /// ```
    PAssertedIdentity, BY_COMMA where identity;
    /// Which of its identities a user agent wants asserted. `[RFC 3325, Section 9.2]`
    ///
    /// ```text
    /// PPreferredID-value = name-addr / addr-spec
    /// ```
    PPreferredIdentity, BY_COMMA where identity;
    /// An address of record that the registrar holds for the same user. `[RFC 7315, Section 5.1]`
    ///
    /// ```text
    /// p-aso-uri-spec = name-addr *(SEMI ai-param)
    /// ```
    PAssociatedUri, BY_COMMA, MAY_BE_EMPTY where in_brackets;
    /// The Request-URI that the proxy of the callee has replaced by a contact. `[RFC 7315, Section 5.2]`
    ///
    /// ```text
    /// called-pty-id-spec = name-addr *(SEMI cpid-param)
    /// ```
    PCalledPartyId where in_brackets;
    /// The user whom an application server serves, and in which part of the call. `[RFC 5502, Section 6]` `[RFC 8498, Section 6.2]`
    ///
    /// ```text
    /// P-Served-User            = "P-Served-User" HCOLON PServedUser-value *(SEMI served-user-param)
    /// sessioncase-param        = "sescase" EQUAL ("orig"/"term")/ orig-cdiv
    /// registration-state-param = "regstate" EQUAL ("unreg" / "reg")
    /// ```
    PServedUser where served_user {
        /// `orig` where the user is the caller, `term` where it is the callee.
        session_case = "sescase": text,
        /// `reg` where the user is registered, `unreg` where it is not.
        registration_state = "regstate": text,
        /// The call goes on after this user, its callee, has diverted it.
        is_diverted = "orig-cdiv": flag,
    };
    /// Whose call it is that a customer wants traced. `[RFC 5503, Section 5.1]`
    ///
    /// ```text
    /// P-DCS-Trace-Party-ID = "P-DCS-Trace-Party-ID" HCOLON name-addr
    ///                         *1(SEMI timestamp-param) *(SEMI trace-param)
    /// timestamp-param      = "timestamp=" 1*DIGIT ["." 1*DIGIT]
    /// ```
    PDcsTracePartyId where traced {
        /// When the call came, in seconds of the Network Time Protocol, with decimals.
        timestamp = "timestamp": text,
    };
    /// Which profile the home network holds for a wildcarded public service identity. `[RFC 5002, Section 5]`
    ///
    /// ```text
    /// P-Profile-Key = "P-Profile-Key" HCOLON (name-addr / addr-spec) *( SEMI generic-param )
    /// ```
    PProfileKey;
    /// Which database holds the data of the user, by the URI of its Diameter server. `[RFC 4457]`
    ///
    /// ```text
    /// P-User-Database = "P-User-Database" HCOLON database *( SEMI generic-param )
    /// database        = LAQUOT DiameterURI RAQUOT
    /// ```
    PUserDatabase where database;
    /// A URI of a list that the server has refused. `[RFC 5318, Section 5]`
    ///
    /// ```text
    /// uri-list-entry = ( name-addr / addr-spec ) *( SEMI refused-param )
    /// members-param  = "members" EQUAL LDQUOT *( qdtext / quoted-pair ) RDQUOT
    /// ```
    ///
    /// The examples of the RFC have angle brackets in the place of the quotes; those its grammar doesn't allow.
    PRefusedUriList, BY_COMMA where refused {
        /// The members of a list that is refused, as a `cid` URL in quotes. See [`members_content_id`](PRefusedUriList::members_content_id).
        members = "members": text,
    };
    /// Who pays for the call. `[RFC 8496, Section 6]`
    ///
    /// ```text
    /// P-Charge-Info = "P-Charge-Info" HCOLON (name-addr / addr-spec)
    /// ```
    PChargeInfo where alone;
    /// A policy server that the user agent shall ask. `[RFC 6794, Section 4.4.5.2]`
    ///
    /// ```text
    /// policyContact-info    = LAQUOT policyContact-uri RAQUOT *( SEMI policyContact-param )
    /// policyContact-alt-uri = "alt-uri" EQUAL hostname
    /// ```
    PolicyContact, BY_COMMA where policy_contact {
        /// The user agent shall forget the URI after this session.
        is_non_cacheable = "non-cacheable": flag,
        /// A host that answers for the server over another protocol.
        alternative_host = "alt-uri": text,
    };
}

impl<T: AsRef<[u8]>> PRefusedUriList<T> {
    /// The Content-ID of the body part that lists the members, without angle brackets, if the parameter is a `cid` URL. `[RFC 5318, Section 5]`
    #[must_use]
    pub fn members_content_id(&self) -> Option<Cow<'_, [u8]>> {
        let url = text::unquoted(self.members()?);
        if !url.get(..4)?.eq_ignore_ascii_case(b"cid:") {
            return None;
        }
        Some(match url {
            Cow::Borrowed(url) => Cow::Borrowed(url.get(4..).unwrap_or_default()),
            Cow::Owned(url) => Cow::Owned(url.get(4..).unwrap_or_default().into()),
        })
    }
}

tokens! {
    /// Whether and in which direction early media is wanted, sent or let through; an empty one is possible. `[RFC 5009, Section 9]`
    ///
    /// ```text
    /// P-Early-Media = "P-Early-Media" HCOLON [ em-param *(COMMA em-param) ]
    /// em-param      = "sendrecv" / "sendonly" / "recvonly" / "inactive" / "gated" / "supported" / token
    /// ```
    PEarlyMedia: "a direction of early media", any_case, MAY_BE_EMPTY;
}

token_params! {
    /// The access network that the sender is in. `[RFC 7315, Section 5.4]`
    ///
    /// ```text
    /// access-net-spec = (access-type / access-class) *(SEMI access-info)
    /// ```
    ///
    /// Of `extension-access-info` a token is read, with a value or without, and no quoted string alone.
    PAccessNetworkInfo {
        /// The technology, such as `3GPP-E-UTRAN-FDD`, or its class.
        access: "an access type or access class"
    }, BY_COMMA where access_info {
        /// The Cell Global Identity of GERAN.
        cgi_3gpp = "cgi-3gpp": text,
        /// The cell of UTRAN or E-UTRAN.
        utran_cell_id_3gpp = "utran-cell-id-3gpp": text,
        /// The service area of UTRAN.
        utran_sai_3gpp = "utran-sai-3gpp": text,
        /// The access point of a wireless LAN.
        i_wlan_node_id = "i-wlan-node-id": text,
        /// Where a line of DSL ends.
        dsl_location = "dsl-location": text,
        /// Where a line of Ethernet ends.
        eth_location = "eth-location": text,
        /// Where a line of fibre ends.
        fiber_location = "fiber-location": text,
        /// The cell of 3GPP2.
        ci_3gpp2 = "ci-3gpp2": text,
        /// The femtocell of 3GPP2.
        ci_3gpp2_femto = "ci-3gpp2-femto": text,
        /// Where a line of the telephone network ends.
        gstn_location = "gstn-location": text,
        /// The node of the satellite network, in quotes.
        dvb_rcs2_node_id = "dvb-rcs2-node-id": text,
        /// The time of day there, in quotes.
        local_time_zone = "local-time-zone": text,
        /// Geographic information of the operator's own making.
        operator_specific_gi = "operator-specific-GI": text,
        /// The network has written this, not the user agent.
        is_network_provided = "network-provided": flag,
    };
    /// The private network that the message is traffic of. `[RFC 7316]`
    ///
    /// ```text
    /// P-Private-Network-Indication = "P-Private-Network-Indication" HCOLON PNI-value *(SEMI PNI-param)
    /// PNI-value                    = hostname
    /// ```
    PPrivateNetworkIndication {
        /// The name of that network.
        network: "the host name of a private network"
    } where private_network;
    /// Whether the answer is the callee's or the network's guess before it. `[RFC 4964, Section 7.1]`
    ///
    /// ```text
    /// P-Answer-State = "P-Answer-State" HCOLON answer-type *(SEMI generic-param)
    /// answer-type    = "Confirmed" / "Unconfirmed" / token
    /// ```
    PAnswerState {
        /// `Confirmed`, `Unconfirmed` or another.
        answer_type: "an answer type"
    };
    /// What is wrong with the alert of the request. `[RFC 8876, Section 5.2]`
    ///
    /// ```text
    /// ErrorValue      = error-code *(SEMI error-params)
    /// error-code      = 3DIGIT
    /// error-code-text = "message" EQUAL quoted-string
    /// ```
    AlertMsgError {
        /// The code as text. See [`number`](AlertMsgError::number).
        code: "an error code of three digits"
    } where alert_error {
        /// The error for people, in quotes.
        message = "message": text,
    };
}

impl<T: AsRef<[u8]>> AlertMsgError<T> {
    /// The code as a number, from 0 to 999; `None` where it is none.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        decimal(self.code.as_ref()).and_then(|code| u16::try_from(code).ok()).filter(|code| *code <= 999)
    }
}

type Address<'a> = NameAddr<&'a [u8]>;

/// An address without parameters: the grammar knows none.
fn alone(at: &Cursor<'_>, address: &Address<'_>) -> Result<(), ParseError> {
    match address.params.is_empty() {
        true => Ok(()),
        false => Err(at.error_at(address.params.text(), "no parameter behind the URI")),
    }
}

/// "If there is one value, it MUST be a sip, sips, or tel URI." `[RFC 3325, Section 9.1]`
fn identity(at: &Cursor<'_>, address: &Address<'_>) -> Result<(), ParseError> {
    alone(at, address)?;
    match &address.uri {
        Uri::Sip(_) => Ok(()),
        Uri::Other { scheme, .. } if scheme.eq_ignore_ascii_case(b"tel") => Ok(()),
        Uri::Other { scheme, .. } => Err(at.error_at(scheme, "a sip, sips or tel URI")),
    }
}

fn served_user(at: &Cursor<'_>, address: &Address<'_>) -> Result<(), ParseError> {
    one_of(at, &address.params, "sescase", &["orig", "term"], "orig or term")?;
    one_of(at, &address.params, "regstate", &["unreg", "reg"], "unreg or reg")
}

fn one_of(
    at: &Cursor<'_>,
    params: &Params<&[u8]>,
    name: &str,
    words: &[&str],
    expected: &'static str,
) -> Result<(), ParseError> {
    match params.value(name.as_bytes()) {
        Some(value) if !words.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes())) => {
            Err(at.error_at(value, expected))
        }
        _ => Ok(()),
    }
}

fn traced(at: &Cursor<'_>, address: &Address<'_>) -> Result<(), ParseError> {
    in_brackets(at, address)?;
    let Some(timestamp) = address.params.value(b"timestamp") else { return Ok(()) };
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let mut parts = timestamp.splitn(2, |&b| b == b'.');
    match parts.all(digits) {
        true => Ok(()),
        false => Err(at.error_at(timestamp, "a number of seconds, with or without decimals")),
    }
}

fn database(at: &Cursor<'_>, address: &Address<'_>) -> Result<(), ParseError> {
    nameless(at, address)?;
    match &address.uri {
        Uri::Other { scheme, .. } if scheme.eq_ignore_ascii_case(b"aaa") || scheme.eq_ignore_ascii_case(b"aaas") => {
            Ok(())
        }
        _ => Err(at.error("an aaa or aaas URI in angle brackets")),
    }
}

fn refused(at: &Cursor<'_>, address: &Address<'_>) -> Result<(), ParseError> {
    in_quotes(at, &address.params, "members")
}

fn policy_contact(at: &Cursor<'_>, address: &Address<'_>) -> Result<(), ParseError> {
    nameless(at, address)?;
    match address.params.value(b"alt-uri") {
        Some(host) if !matches!(Host::of(host), Some(Host::Name(_))) => Err(at.error_at(host, "a host name")),
        _ => Ok(()),
    }
}

fn access_info(at: &Cursor<'_>, _access: &[u8], params: &Params<&[u8]>) -> Result<(), ParseError> {
    in_quotes(at, params, "dvb-rcs2-node-id")?;
    in_quotes(at, params, "local-time-zone")
}

fn private_network(at: &Cursor<'_>, network: &[u8], _params: &Params<&[u8]>) -> Result<(), ParseError> {
    match Host::of(network) {
        Some(Host::Name(_)) => Ok(()),
        _ => Err(at.error("the host name of a private network")),
    }
}

fn alert_error(at: &Cursor<'_>, code: &[u8], params: &Params<&[u8]>) -> Result<(), ParseError> {
    if code.len() != 3 || !code.iter().all(u8::is_ascii_digit) {
        return Err(at.error("an error code of three digits"));
    }
    in_quotes(at, params, "message")
}

/// Refuses a parameter that is there and no quoted string.
fn in_quotes(at: &Cursor<'_>, params: &Params<&[u8]>, name: &str) -> Result<(), ParseError> {
    match params.value(name.as_bytes()) {
        Some(value) if !value.starts_with(b"\"") => Err(at.error_at(value, "a quoted string")),
        _ => Ok(()),
    }
}
