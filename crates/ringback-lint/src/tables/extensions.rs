//! The rows that later header fields added to Tables 2 and 3 of RFC 3261.
//!
//! What a footnote makes depend on something else stands here as `c`.

use super::Section;

sections! { EXTENSIONS
    "RFC 3265, Section 7.2" [Ack Bye Cancel Invite Options Register Prack Subscribe Notify] {
        AllowEvents "R" "o o - o o o o o o";
        AllowEvents "2xx" "- o - o o o o o o";
        AllowEvents "489" "- - - - - - - m m";
        Event "R" "- - - - - - - m m";
        SubscriptionState "R" "- - - - - - - - m";
    }
    "RFC 6086, Section 7.1" [Ack Bye Cancel Invite Options Register Prack Info Message Update] {
        InfoPackage "R" "- - - - - - - c - -";
        RecvInfo "R" "- - - c - o o - - o";
        RecvInfo "2xx" "- - - c - - c - - c";
        RecvInfo "r" "- - - o - - o - - o";
        RecvInfo "1xx" "- - - c - - - - - -";
        RecvInfo "469" "- - - - - - - c - -";
    }
    "RFC 4028, Section 4" [Ack Bye Cancel Invite Options Register Prack Update Subscribe Notify] {
        SessionExpires "R" "- - - o - - - o - -";
        SessionExpires "2xx" "- - - o - - - o - -";
        MinSe "R" "- - - o - - - o - -";
        MinSe "422" "- - - m - - - m - -";
    }
    "RFC 3903, Section 11.3" [Ack Bye Cancel Info Invite] {
        SipEtag "2xx" "- - - - -";
        SipIfMatch "R" "- - - - -";
    }
    "RFC 3903, Section 11.3" [Notify Options Prack Register Subscribe] {
        SipEtag "2xx" "- - - - -";
        SipIfMatch "R" "- - - - -";
    }
    "RFC 3903, Section 11.3" [Update Message Refer Publish] {
        SipEtag "2xx" "- - - m";
        SipIfMatch "R" "- - - o";
    }
    "RFC 5839, Section 6.1" [Notify] {
        SipEtag "R" "o";
    }
    "RFC 3892, Section 3" [Ack Bye Cancel Invite Options Register] {
        ReferredBy "R" "- o - o o o";
    }
    "RFC 4538, Section 7" [Ack Bye Cancel Invite Options Register Publish] {
        TargetDialog "R" "- - - o - - -";
    }
    "RFC 4538, Section 7" [Prack Update Subscribe Notify Info Message Refer] {
        TargetDialog "R" "- - o - - - o";
    }
    "RFC 3841, Section 9" [Ack Bye Cancel Invite Options Register] {
        AcceptContact "R" "o o o o o -";
        RejectContact "R" "o o o o o -";
        RequestDisposition "R" "o o o o o o";
    }
    "RFC 3841, Section 9" [Prack Update Subscribe Notify Info Message Refer] {
        AcceptContact "R" "o o o o o o o";
        RejectContact "R" "o o o o o o o";
        RequestDisposition "R" "o o o o o o o";
    }
    "RFC 3327, Section 4" [Ack Bye Cancel Invite Options Register] {
        Path "R" "- - - - - o";
        Path "2xx" "- - - - - o";
    }
    "RFC 3608, Section 5" [Ack Bye Cancel Invite Options Register Prack] {
        ServiceRoute "2xx" "- - - - - o -";
    }
    "RFC 3323, Section 4.2" [Ack Bye Cancel Invite Options Register] {
        Privacy "" "o o o o o o";
    }
    "RFC 3323, Section 4.2" [Subscribe Notify Prack Info Update Message] {
        Privacy "" "o o o o o o";
    }
    "RFC 3329, Section 2.6" [Ack Bye Cancel Invite Options Register] {
        SecurityClient "R" "- o - o o o";
        SecurityServer "421,494" "- o - o o o";
        SecurityVerify "R" "- o - o o o";
    }
    "RFC 3329, Section 2.6" [Subscribe Notify Prack Info Update Message] {
        SecurityClient "R" "o o - o o o";
        SecurityServer "421,494" "o o - o o o";
        SecurityVerify "R" "o o - o o o";
    }
    "RFC 4412, Section 3.2" [Invite Ack Cancel Bye Register Options Prack] {
        ResourcePriority "R" "o o o o o o o";
        AcceptResourcePriority "200" "o - o o o o o";
        AcceptResourcePriority "417" "o - o o o o o";
    }
    "RFC 4412, Section 3.2" [Subscribe Notify Update Message Refer Info Publish] {
        ResourcePriority "R" "o o o o o o o";
        AcceptResourcePriority "200" "o o o o o o o";
        AcceptResourcePriority "417" "o o o o o o o";
    }
    "RFC 6050, Section 4.1" [Ack Bye Cancel Invite Options Register Subscribe] {
        PAssertedService "R" "- - - o o - o";
    }
    "RFC 6050, Section 4.2" [Ack Bye Cancel Invite Options Register Subscribe] {
        PPreferredService "R" "- - - o o - o";
    }
    "RFC 6050, Section 4.1" [Notify Prack Info Update Message Refer Publish] {
        PAssertedService "R" "- - - - o o o";
    }
    "RFC 6050, Section 4.2" [Notify Prack Info Update Message Refer Publish] {
        PPreferredService "R" "- - - - o o o";
    }
    "RFC 7976, Section 3" [Ack Bye Cancel Invite Options Register Subscribe Notify Prack Info Update Message Refer Publish] {
        PAssociatedUri "2xx" "- - - - - o - - - - - - - -";
        PCalledPartyId "R" "- - - o o - o - - - - o o o";
        PVisitedNetworkId "R" "- - - o o o o - - - - o o o";
        PAccessNetworkInfo "R" "c o - o o o o o o o o o o o";
        PAccessNetworkInfo "101-699" "- o - o o o o o o o o o o o";
        PChargingVector "R" "c o - o o o o o o o o o o o";
        PChargingVector "101-699" "- o - o o o o o o o o o o o";
        PChargingFunctionAddresses "R" "- o - o o o o o o o o o o o";
        PChargingFunctionAddresses "101-699" "- o - o o o o o o o o o o o";
    }
    "RFC 3313, Section 5.1" [Ack Bye Cancel Invite Options Register] {
        PMediaAuthorization "R" "o - - o - -";
        PMediaAuthorization "2xx" "- - - o - -";
        PMediaAuthorization "101-199" "- - - o - -";
    }
    "RFC 3313, Section 5.1" [Info Prack Update Subscribe Notify] {
        PMediaAuthorization "R" "- o o - -";
        PMediaAuthorization "2xx" "- o o - -";
    }
    "RFC 4964, Section 7.2" [Ack Bye Cancel Invite Options Register Subscribe] {
        PAnswerState "18x,2xx" "- - - o - - -";
    }
    "RFC 4964, Section 7.2" [Notify Prack Info Update Message Refer Publish] {
        PAnswerState "R" "- - - - - - -";
    }
    "RFC 5503, Section 5.1" [Ack Bye Cancel Invite Options Register Publish Subscribe Notify Refer Info Update Prack Message] {
        PDcsTracePartyId "R" "- - - o - - - - - - - - - -";
    }
    "RFC 5503, Section 6.1" [Ack Bye Cancel Invite Options Register Publish Subscribe Notify Refer Info Update Prack Message] {
        PDcsOsps "R" "- - - o - - - - - - - o - -";
    }
    "RFC 5503, Section 7.1" [Ack Bye Cancel Invite Options Register Publish Subscribe Notify Refer Info Update Prack Message] {
        PDcsBillingInfo "" "- - - o - - - - - - - - - -";
    }
    "RFC 5503, Section 8.1" [Ack Bye Cancel Invite Options Register Publish Subscribe Notify Refer Info Update Prack Message] {
        PDcsLaes "" "- - - o - - - - - - - - - -";
        PDcsRedirect "" "- - - o - - - - - - - - - -";
    }
    "RFC 5009, Section 8" [Ack Bye Cancel Invite Options Register Prack Update] {
        PEarlyMedia "R" "- - - o - - o o";
        PEarlyMedia "18x" "- - - o - - - -";
        PEarlyMedia "2xx" "- - - - - - o o";
    }
    "RFC 6794, Section 4.4.5" [Ack Bye Cancel Invite Options Register Update] {
        PolicyId "R" "- - - c - - c";
        PolicyContact "R" "- - - c - - c";
        PolicyContact "488" "- - - c - - c";
    }
    "RFC 6794, Section 4.4.5" [Prack Publish Subscribe Notify Info Message Refer] {
        PolicyId "R" "c - - - - - -";
        PolicyContact "R" "c - - - - - -";
        PolicyContact "488" "c - - - - - -";
    }
    "RFC 3891, Section 6.1" [Ack Bye Cancel Invite Options Register Message Subscribe Notify Refer Info Update Prack Publish] {
        Replaces "R" "- - - o - - - - - - - - - -";
    }
    "RFC 3911, Section 7.1" [Ack Bye Cancel Invite Options Register Message Subscribe Notify Refer Info Update Prack Publish] {
        Join "R" "- - - o - - - - - - - - - -";
    }
    "RFC 4488, Section 4" [Ack Bye Cancel Invite Options Register Message Subscribe Notify Refer Info Update Prack Publish] {
        ReferSub "R,2xx" "- - - - - - - - - o - - - -";
    }
    "RFC 3325, Section 9" [Ack Bye Cancel Invite Options Register Subscribe Notify Refer Info Update Prack] {
        PAssertedIdentity "" "- o - o o - o o o - - -";
        PPreferredIdentity "" "- o - o o - o o o - - -";
    }
    "RFC 3515, Section 2.2" [Ack Bye Cancel Invite Options Register] {
        ReferTo "R" "- - - - - -";
    }
}
