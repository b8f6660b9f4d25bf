//! What stands in Reason: protocols, and the causes of Q.850. Sources: the "Reason Protocols" of the IANA "Session
//! Initiation Protocol (SIP) Parameters", and the mapping that gateways to the telephone network use.

use super::{Source, name_type};
use crate::status::StatusCode;

name_type! {
    /// Whose causes a value of Reason is about. Names compare without regard to case, as tokens do. `[RFC 3326, Section 2]` `[RFC 3261, Section 7.3.1]`
    ReasonProtocol, ReasonProtocolInfo, PROTOCOLS, |a, b| a.eq_ignore_ascii_case(b)
}

impl ReasonProtocol<'_> {
    /// What the registry says of it; `None` for one that it lacks.
    #[must_use]
    pub fn info(self) -> Option<&'static ReasonProtocolInfo> {
        self.row()
    }
}

/// One row of the table of protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReasonProtocolInfo {
    /// The name.
    pub name: ReasonProtocol<'static>,
    /// The document that lists its causes.
    pub source: Source,
    /// What a `cause` of it says, in a few words.
    pub cause: &'static str,
}

macro_rules! reason_protocols {
    ($($const:ident $name:literal $source:literal; $cause:literal)*) => {
        /// The registered protocols.
        #[allow(non_upper_case_globals, reason = "named like the variants of an enum, as response codes are")]
        impl ReasonProtocol<'static> {$(
            #[doc = concat!("`", $name, "`: ", $cause, " `[", $source, "]`")]
            pub const $const: ReasonProtocol<'static> = ReasonProtocol($name);
        )*}

        static PROTOCOLS: &[ReasonProtocolInfo] = &[$(ReasonProtocolInfo {
            name: ReasonProtocol::$const,
            source: Source::new($source),
            cause: $cause,
        }),*];
    };
}

reason_protocols! {
    Sip "SIP" "RFC 3261"; "A response code of SIP."
    Q850 "Q.850" "ITU-T Q.850"; "A cause of the telephone network."
    Preemption "Preemption" "RFC 4411"; "Why a call of lower priority was given up."
    Emm "EMM" "3GPP TS 24.301"; "A cause of EPS mobility management."
    Esm "ESM" "3GPP TS 24.301"; "A cause of EPS session management."
    S1apRnl "S1AP-RNL" "3GPP TS 36.413"; "A cause of the LTE radio network layer."
    S1apTl "S1AP-TL" "3GPP TS 36.413"; "A cause of the LTE transport layer."
    S1apNas "S1AP-NAS" "3GPP TS 36.413"; "A cause of the LTE non-access stratum."
    S1apMisc "S1AP-MISC" "3GPP TS 36.413"; "Another cause of LTE."
    S1apProt "S1AP-PROT" "3GPP TS 36.413"; "A protocol error of S1."
    Diameter "DIAMETER" "3GPP TS 29.274"; "A cause of access over WLAN, as Diameter tells it."
    Ikev2 "IKEV2" "3GPP TS 29.274"; "A cause of access over WLAN, as IKEv2 tells it."
    ReleaseCause "RELEASE_CAUSE" "3GPP TS 24.229"; "Why a user equipment ended the call."
    FailureCause "FAILURE_CAUSE" "3GPP TS 24.229"; "What failed in the bearer of the call."
    Stir "STIR" "RFC 8224"; "What was wrong with an Identity, as a response code of SIP."
    FiveGmm "5GMM" "3GPP TS 24.501"; "A cause of 5G mobility management."
    FiveGsm "5GSM" "3GPP TS 24.501"; "A cause of 5G session management."
    NgapRnl "NGAP-RNL" "3GPP TS 38.413"; "A cause of the 5G radio network layer."
    NgapTl "NGAP-TL" "3GPP TS 38.413"; "A cause of the 5G transport layer."
    NgapNas "NGAP-NAS" "3GPP TS 38.413"; "A cause of the 5G non-access stratum."
    NgapMisc "NGAP-MISC" "3GPP TS 38.413"; "Another cause of 5G."
    NgapProt "NGAP-PROT" "3GPP TS 38.413"; "A protocol error of NG."
}

/// A cause of the telephone network: the `cause` of `Reason: Q.850`, 0 to 127 in practice. `[RFC 3326, Section 2]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Q850Cause(pub u8);

impl Q850Cause {
    /// The causes that [RFC 3398] names, ascending.
    ///
    /// [RFC 3398]: https://www.rfc-editor.org/rfc/rfc3398
    pub const KNOWN: &'static [Q850CauseInfo] = CAUSES;

    /// The row of the table; `None` for a cause that it lacks.
    #[must_use]
    pub fn info(self) -> Option<&'static Q850CauseInfo> {
        CAUSES.iter().find(|row| row.cause == self)
    }

    /// The response that a gateway gives for a call that ended so; `None` where the cause isn't translated: 16 is the end of
    /// a call, 44 is the gateway's own matter. `[RFC 3398, Section 7.2.4.1]`
    #[must_use]
    pub fn status(self) -> Option<StatusCode> {
        self.info().map_or(Some(StatusCode::ServerInternalError), |row| row.status)
    }
}

/// One row of the table of causes. `[RFC 3398, Section 7.2.4.1]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Q850CauseInfo {
    /// The number.
    pub cause: Q850Cause,
    /// Its name.
    pub name: &'static str,
    /// The response that a gateway gives for it. Of 22 it is the one without a new number, which would make it a 301.
    pub status: Option<StatusCode>,
}

macro_rules! causes {
    ($($cause:literal $name:literal $($status:ident)?;)*) => {
        static CAUSES: &[Q850CauseInfo] = &[$(
            Q850CauseInfo { cause: Q850Cause($cause), name: $name, status: causes!(@ $($status)?) }
        ),*];
    };
    (@) => { None };
    (@ $status:ident) => { Some(StatusCode::$status) };
}

causes! {
    1 "unallocated number" NotFound;
    2 "no route to network" NotFound;
    3 "no route to destination" NotFound;
    16 "normal call clearing";
    17 "user busy" BusyHere;
    18 "no user responding" RequestTimeout;
    19 "no answer from the user" TemporarilyUnavailable;
    20 "subscriber absent" TemporarilyUnavailable;
    21 "call rejected" Forbidden;
    22 "number changed" Gone;
    23 "redirection to new destination" Gone;
    26 "non-selected user clearing" NotFound;
    27 "destination out of order" BadGateway;
    28 "address incomplete" AddressIncomplete;
    29 "facility rejected" NotImplemented;
    31 "normal, unspecified" TemporarilyUnavailable;
    34 "no circuit available" ServiceUnavailable;
    38 "network out of order" ServiceUnavailable;
    41 "temporary failure" ServiceUnavailable;
    42 "switching equipment congestion" ServiceUnavailable;
    44 "requested circuit not available";
    47 "resource unavailable" ServiceUnavailable;
    55 "incoming calls barred within closed user group" Forbidden;
    57 "bearer capability not authorized" Forbidden;
    58 "bearer capability not presently available" ServiceUnavailable;
    65 "bearer capability not implemented" NotAcceptableHere;
    70 "only restricted digital information available" NotAcceptableHere;
    79 "service or option not implemented" NotImplemented;
    87 "user not member of closed user group" Forbidden;
    88 "incompatible destination" ServiceUnavailable;
    102 "recovery on timer expiry" ServerTimeout;
    111 "protocol error" ServerInternalError;
    127 "interworking, unspecified" ServerInternalError;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_found_in_any_case() {
        assert_eq!(PROTOCOLS.len(), 22);
        for row in PROTOCOLS {
            let lower = row.name.as_str().to_ascii_lowercase();
            assert_eq!(ReasonProtocol::from_token(lower.as_bytes()).unwrap().info(), Some(row));
        }
        assert_eq!(ReasonProtocol::from_token(b"Q850").unwrap().info(), None);
    }

    #[test]
    fn causes_become_responses() {
        assert!(CAUSES.is_sorted_by(|a, b| a.cause < b.cause));
        assert_eq!(Q850Cause(17).status(), Some(StatusCode::BusyHere));
        assert_eq!(Q850Cause(16).status(), None);
        assert_eq!(Q850Cause(44).status(), None);
        assert_eq!(Q850Cause(126).status(), Some(StatusCode::ServerInternalError));
        assert_eq!(Q850Cause(126).info(), None);
        for row in CAUSES {
            // Only what asks a gateway to say it stands in the table of response codes as its doing.
            let info = row.status.map(|status| status.info().unwrap());
            assert!(info.is_none_or(|info| info.generated_by.contains(crate::status::Senders::GATEWAY)), "{row:?}");
        }
    }
}
