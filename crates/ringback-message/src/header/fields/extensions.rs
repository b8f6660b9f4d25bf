//! Header fields of later RFCs whose grammar is one of the [shapes](crate::header::shapes).

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::shapes::{field, numbers, params_accessor, params_check, token_params, token_values, tokens};
use crate::header::{Param, text};
use crate::params::Params;
use crate::status::StatusCode;

numbers! {
    /// Which reliable provisional response of its request this is. `[RFC 3262, Section 7.1]`
    ///
    /// ```text
    /// RSeq = "RSeq" HCOLON response-num
    /// ```
    RSeq: u32, "a number from 1 to 4294967295", from 1;
}

tokens! {
    /// Event packages to whose state one can subscribe here. `[RFC 6665, Section 8.2.2]`
    ///
    /// ```text
    /// Allow-Events = ( "Allow-Events" / "u" ) HCOLON event-type *(COMMA event-type)
    /// ```
    AllowEvents: "an event package", case where event_type;
}

token_values! {
    /// Which version of a published state the server holds. `[RFC 3903, Section 11.3.1]`
    ///
    /// ```text
    /// SIP-ETag = "SIP-ETag" HCOLON entity-tag
    /// ```
    SipEtag: "an entity tag";
    /// The request is about this version of a published state. `[RFC 3903, Section 11.3.2]`
    ///
    /// ```text
    /// SIP-If-Match = "SIP-If-Match" HCOLON entity-tag
    /// ```
    SipIfMatch: "an entity tag";
    /// No notification is wanted while the state has this version, or any at all where it is a star. `[RFC 5839, Section 7.2]`
    ///
    /// ```text
    /// Suppress-If-Match = "Suppress-If-Match" HCOLON ( entity-tag / "*" )
    /// ```
    SuppressIfMatch: "an entity tag or a star";
}

impl<T: AsRef<[u8]>> SuppressIfMatch<T> {
    /// Whether it stands for every version.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.token.as_ref() == b"*"
    }
}

token_params! {
    /// Which state a subscription is to. `[RFC 6665, Section 8.2.1]`
    ///
    /// ```text
    /// Event      = ( "Event" / "o" ) HCOLON event-type *( SEMI event-param )
    /// event-type = event-package *( "." event-template )
    /// ```
    Event {
        /// The event package, and templates behind dots.
        package: "an event package"
    } where event_type_alone {
        /// Tells subscriptions of one dialog apart.
        id = "id": token,
    };
    /// How a subscription stands. `[RFC 6665, Section 8.2.3]`
    ///
    /// ```text
    /// Subscription-State = "Subscription-State" HCOLON substate-value *( SEMI subexp-params )
    /// substate-value     = "active" / "pending" / "terminated" / extension-substate
    /// subexp-params      = ("reason" EQUAL event-reason-value) / ("expires" EQUAL delta-seconds)
    ///                    / ("retry-after" EQUAL delta-seconds) / generic-param
    /// ```
    SubscriptionState {
        /// The state as written.
        state: "active, pending, terminated or another state"
    } {
        /// Why it was terminated.
        reason = "reason": token,
        /// For how many seconds it will still be there.
        expires_secs = "expires": number,
        /// After how many seconds the subscriber may try again.
        retry_after_secs = "retry-after": number,
    };
    /// Why a request was sent, or a response given, in terms of a protocol. `[RFC 3326, Section 2]`
    ///
    /// ```text
    /// Reason        = "Reason" HCOLON reason-value *(COMMA reason-value)
    /// reason-value  = protocol *(SEMI reason-params)
    /// reason-params = "cause" EQUAL cause / "text" EQUAL quoted-string / reason-extension
    /// ```
    Reason {
        /// `SIP`, `Q.850` or another, whose codes the cause is one of.
        protocol: "a protocol such as SIP or Q.850"
    }, BY_COMMA {
        /// The code.
        cause = "cause": number,
        /// What it means, to people.
        text = "text": quoted,
    };
    /// A security mechanism that the client supports. `[RFC 3329, Section 2.2]`
    ///
    /// ```text
    /// security-client = "Security-Client" HCOLON sec-mechanism *(COMMA sec-mechanism)
    /// sec-mechanism   = mechanism-name *(SEMI mech-parameters)
    /// mech-parameters = ( "q" EQUAL qvalue / "d-alg" EQUAL token / "d-qop" EQUAL token
    ///                   / "d-ver" EQUAL LDQUOT 32LHEX RDQUOT / extension )
    /// ```
    SecurityClient {
        /// `digest`, `tls`, `ipsec-ike`, `ipsec-man` or another.
        mechanism: "a security mechanism"
    }, BY_COMMA where digest_verify {
        /// How much it is preferred.
        q = "q": qvalue,
        /// The algorithm of Digest.
        digest_algorithm = "d-alg": token,
        /// The quality of protection of Digest.
        digest_qop = "d-qop": token,
        /// The hash by which Digest protects the server's list.
        digest_verify = "d-ver": quoted,
    };
    /// A security mechanism that the server supports. `[RFC 3329, Section 2.2]`
    ///
    /// ```text
    /// security-server = "Security-Server" HCOLON sec-mechanism *(COMMA sec-mechanism)
    /// ```
    SecurityServer {
        /// `digest`, `tls`, `ipsec-ike`, `ipsec-man` or another.
        mechanism: "a security mechanism"
    }, BY_COMMA where digest_verify {
        /// How much it is preferred.
        q = "q": qvalue,
        /// The algorithm of Digest.
        digest_algorithm = "d-alg": token,
        /// The quality of protection of Digest.
        digest_qop = "d-qop": token,
        /// The hash by which Digest protects the server's list.
        digest_verify = "d-ver": quoted,
    };
    /// A security mechanism of the server's list, sent back so that the server sees who changed it. `[RFC 3329, Section 2.2]`
    ///
    /// ```text
    /// security-verify = "Security-Verify" HCOLON sec-mechanism *(COMMA sec-mechanism)
    /// ```
    SecurityVerify {
        /// `digest`, `tls`, `ipsec-ike`, `ipsec-man` or another.
        mechanism: "a security mechanism"
    }, BY_COMMA where digest_verify {
        /// How much it is preferred.
        q = "q": qvalue,
        /// The algorithm of Digest.
        digest_algorithm = "d-alg": token,
        /// The quality of protection of Digest.
        digest_qop = "d-qop": token,
        /// The hash by which Digest protects the server's list.
        digest_verify = "d-ver": quoted,
    };
    /// Whether the callee is asked to answer by itself. `[RFC 5373, Section 2]`
    ///
    /// ```text
    /// Answer-Mode       = "Answer-Mode" HCOLON answer-mode-value *(SEMI answer-mode-param)
    /// answer-mode-value = "Manual" / "Auto" / token
    /// answer-mode-param = "require" / generic-param
    /// ```
    AnswerMode {
        /// `Manual`, `Auto` or another, in any case.
        mode: "Manual, Auto or another mode"
    } {
        /// Whether the request is to be refused where that can't be.
        require = "require": flag,
    };
    /// The same with priority over what the callee has set, for callers who may. `[RFC 5373, Section 2]`
    ///
    /// ```text
    /// Priv-Answer-Mode = "Priv-Answer-Mode" HCOLON answer-mode-value *(SEMI answer-mode-param)
    /// ```
    PrivAnswerMode {
        /// `Manual`, `Auto` or another, in any case.
        mode: "Manual, Auto or another mode"
    } {
        /// Whether the request is to be refused where that can't be.
        require = "require": flag,
    };
    /// What the INFO request carries. `[RFC 6086, Section 7.2]`
    ///
    /// ```text
    /// Info-Package      = "Info-Package" HCOLON Info-package-type
    /// Info-package-type = Info-package-name *( SEMI Info-package-param )
    /// ```
    InfoPackage {
        /// The Info Package.
        package: "an Info Package"
    };
    /// An Info Package that the sender is willing to receive; an empty line says that there is none. `[RFC 6086, Section 7.3]`
    ///
    /// ```text
    /// Recv-Info         = "Recv-Info" HCOLON [Info-package-list]
    /// Info-package-list = Info-package-type *( COMMA Info-package-type )
    /// ```
    RecvInfo {
        /// The Info Package.
        package: "an Info Package"
    }, BY_COMMA, MAY_BE_EMPTY;
}

/// A state of a subscription. `[RFC 6665, Section 4.1.3]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Substate {
    /// It was accepted, and notifications come.
    Active,
    /// It was received, and policy has not decided yet.
    Pending,
    /// It is over.
    Terminated,
    /// A state that RFC 6665 doesn't know: it is taken as active where it has no better meaning.
    Extension,
}

impl<T: AsRef<[u8]>> SubscriptionState<T> {
    /// The state as one of those that are known.
    #[must_use]
    pub fn substate(&self) -> Substate {
        let is = |name: &[u8]| self.state.as_ref().eq_ignore_ascii_case(name);
        match () {
            () if is(b"active") => Substate::Active,
            () if is(b"pending") => Substate::Pending,
            () if is(b"terminated") => Substate::Terminated,
            () => Substate::Extension,
        }
    }
}

impl<T: AsRef<[u8]>> Event<T> {
    /// The package, then its templates from the inside out: `presence` and `winfo` of `presence.winfo`.
    pub fn package_and_templates(&self) -> impl Iterator<Item = &[u8]> {
        self.package.as_ref().split(|&b| b == b'.')
    }
}

impl Reason {
    /// A SIP status code and its phrase.
    #[must_use]
    pub fn sip(status: StatusCode) -> Reason {
        let reason = Reason::new("SIP").with_cause(u32::from(status.as_u16()));
        match status.default_phrase() {
            "" => reason,
            phrase => reason.with_text(phrase),
        }
    }

    /// A cause value of ISDN, such as 16 for normal call clearing.
    #[must_use]
    pub fn q850(cause: u8) -> Reason {
        Reason::new("Q.850").with_cause(u32::from(cause))
    }

    /// With this code.
    #[must_use]
    pub fn with_cause(self, cause: u32) -> Reason {
        self.with_param(Param::number("cause", cause))
    }

    /// With this explanation, to people.
    #[must_use]
    pub fn with_text(self, text: impl AsRef<[u8]>) -> Reason {
        self.with_param(Param::raw("text", text::quoted(text.as_ref())))
    }
}

impl<T: AsRef<[u8]>> Reason<T> {
    /// The SIP status code that it names, if it names one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        let is_sip = self.protocol.as_ref().eq_ignore_ascii_case(b"SIP");
        let cause = self.cause().filter(|_| is_sip)?;
        StatusCode::new(u16::try_from(cause).ok()?).ok()
    }
}

/// `event-package *( "." event-template )`: no part between dots is empty.
fn event_type(start: &Cursor<'_>, package: &[u8]) -> Result<(), ParseError> {
    match package.split(|&b| b == b'.').find(|part| part.is_empty()) {
        Some(part) => Err(start.error_at(part, "an event package or template beside the dot")),
        None => Ok(()),
    }
}

fn event_type_alone(start: &Cursor<'_>, package: &[u8], _: &Params<&[u8]>) -> Result<(), ParseError> {
    event_type(start, package)
}

/// `"d-ver" EQUAL LDQUOT 32LHEX RDQUOT`
fn digest_verify(start: &Cursor<'_>, _: &[u8], params: &Params<&[u8]>) -> Result<(), ParseError> {
    let Some(value) = params.value(b"d-ver") else { return Ok(()) };
    let hash = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or_default();
    let is_legal = hash.len() == 32 && hash.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if is_legal { Ok(()) } else { Err(start.error_at(value, "32 hexadecimal digits in small letters, in quotes")) }
}
