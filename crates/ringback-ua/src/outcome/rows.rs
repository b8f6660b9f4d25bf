//! One row for each registered code: what it asks of a client, and whom it is to be laid to.
//!
//! To add a code, add a row; tests compare this table with the registry.

use ringback_message::{Blame, StatusCode};

use super::parts::{Progress, Redirection};

/// How an outcome is read from a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Progress(Progress),
    /// 199.
    DialogEnded,
    Success,
    Redirect(Redirection),
    Challenge,
    /// Retry-After, or after some time.
    Later,
    /// The next server, and not this one before Retry-After.
    Next,
    Timeout,
    Pending,
    NoDialog,
    RaiseExpires,
    RaiseSessionExpires,
    DropExtensions,
    AddExtensions,
    Shrink,
    ChangeBody,
    WidenAccept,
    ChangeOffer,
    Alternative,
    Digits,
    Choose,
    Reveal,
    Correct(Fix),
    /// There is nothing to do, unless Retry-After says otherwise.
    End(Ending),
}

/// Corrections without what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fix {
    WholeState,
    SipUri,
    ResourcePriority,
    Location,
    Alert,
    Identity,
    ReferrerIdentity,
    PlainRegistration,
    InfoPackage,
    Consent,
    Encryption,
    SecurityAgreement,
    PushService,
    Preconditions,
}

/// Reasons to give up without what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Malformed,
    PaymentRequired,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Gone,
    UriTooLong,
    Routing,
    Cancelled,
    BadEvent,
    NotImplemented,
    Version,
    Busy,
    Declined,
    Unwanted,
    Blocked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) code: StatusCode,
    pub(super) rule: Rule,
    pub(super) blame: Blame,
}

/// The row of a code, or that of the code which it counts as. `[RFC 3261, Section 8.1.3.2]`
pub(super) fn row(status: StatusCode) -> &'static Row {
    let code = status.treat_as();
    ROWS.binary_search_by_key(&code, |row| row.code).ok().and_then(|at| ROWS.get(at)).unwrap_or(&MALFORMED)
}

/// For what a table that a test proves to be whole could lack.
static MALFORMED: Row = Row { code: StatusCode::BadRequest, rule: Rule::End(Ending::Malformed), blame: Blame::Caller };

macro_rules! rows {
    ($($name:ident => $rule:expr, $blame:ident;)+) => {
        pub(super) static ROWS: &[Row] = {
            use self::Ending::*;
            use self::Rule::*;
            &[$(Row { code: StatusCode::$name, rule: $rule, blame: Blame::$blame }),+]
        };
    };
}

rows! {
    // 1xx, 2xx: nothing is wrong.
    Trying => Progress(self::Progress::Trying), Nobody;
    Ringing => Progress(self::Progress::Ringing), Nobody;
    CallIsBeingForwarded => Progress(self::Progress::Forwarded), Nobody;
    Queued => Progress(self::Progress::Queued), Nobody;
    SessionProgress => Progress(self::Progress::Advancing), Nobody;
    EarlyDialogTerminated => DialogEnded, Nobody;
    Ok => Success, Nobody;
    Accepted => Success, Nobody;
    NoNotification => Success, Nobody;

    // 3xx.
    MultipleChoices => Redirect(Redirection::Choice), Nobody;
    MovedPermanently => Redirect(Redirection::Permanent), Nobody;
    MovedTemporarily => Redirect(Redirection::Temporary), Nobody;
    UseProxy => Redirect(Redirection::ThroughProxy), Nobody;
    AlternativeService => Alternative, Callee;

    // 4xx.
    BadRequest => End(Malformed), Caller;
    Unauthorized => Challenge, Caller;
    PaymentRequired => End(Ending::PaymentRequired), Caller;
    Forbidden => End(Ending::Forbidden), Between;
    NotFound => End(Ending::NotFound), Caller;
    MethodNotAllowed => End(Ending::MethodNotAllowed), Caller;
    NotAcceptable => WidenAccept, Caller;
    ProxyAuthenticationRequired => Challenge, Caller;
    RequestTimeout => Timeout, Between;
    Gone => End(Ending::Gone), Callee;
    ConditionalRequestFailed => Correct(Fix::WholeState), Caller;
    RequestEntityTooLarge => Shrink, Caller;
    RequestUriTooLong => End(UriTooLong), Caller;
    UnsupportedMediaType => ChangeBody, Caller;
    UnsupportedUriScheme => Correct(Fix::SipUri), Caller;
    UnknownResourcePriority => Correct(Fix::ResourcePriority), Caller;
    BadExtension => DropExtensions, Caller;
    ExtensionRequired => AddExtensions, Caller;
    SessionIntervalTooSmall => RaiseSessionExpires, Caller;
    IntervalTooBrief => RaiseExpires, Caller;
    BadLocationInformation => Correct(Fix::Location), Caller;
    BadAlertMessage => Correct(Fix::Alert), Caller;
    UseIdentityHeader => Correct(Fix::Identity), Caller;
    ProvideReferrerIdentity => Correct(Fix::ReferrerIdentity), Caller;
    FlowFailed => Next, Between;
    AnonymityDisallowed => Reveal, Caller;
    BadIdentityInfo => Correct(Fix::Identity), Caller;
    UnsupportedCredential => Correct(Fix::Identity), Caller;
    InvalidIdentityHeader => Correct(Fix::Identity), Caller;
    FirstHopLacksOutboundSupport => Correct(Fix::PlainRegistration), Between;
    MaxBreadthExceeded => End(Routing), Between;
    BadInfoPackage => Correct(Fix::InfoPackage), Caller;
    ConsentNeeded => Correct(Fix::Consent), Callee;
    TemporarilyUnavailable => Later, Callee;
    CallOrTransactionDoesNotExist => NoDialog, Caller;
    LoopDetected => End(Routing), Between;
    TooManyHops => End(Routing), Between;
    AddressIncomplete => Digits, Caller;
    Ambiguous => Choose, Caller;
    BusyHere => Later, Callee;
    RequestTerminated => End(Cancelled), Nobody;
    NotAcceptableHere => ChangeOffer, Callee;
    BadEvent => End(Ending::BadEvent), Caller;
    RequestPending => Pending, Nobody;
    Undecipherable => Correct(Fix::Encryption), Caller;
    SecurityAgreementRequired => Correct(Fix::SecurityAgreement), Caller;

    // 5xx.
    ServerInternalError => Later, Between;
    NotImplemented => End(Ending::NotImplemented), Between;
    BadGateway => Next, Between;
    ServiceUnavailable => Next, Between;
    ServerTimeout => Later, Between;
    VersionNotSupported => End(Version), Between;
    MessageTooLarge => Shrink, Caller;
    PushNotificationServiceNotSupported => Correct(Fix::PushService), Between;
    PreconditionFailure => Correct(Fix::Preconditions), Callee;

    // 6xx: nobody else is tried.
    BusyEverywhere => End(Busy), Callee;
    Decline => End(Declined), Callee;
    DoesNotExistAnywhere => End(Ending::NotFound), Caller;
    NotAcceptableAnywhere => ChangeOffer, Callee;
    Unwanted => End(Ending::Unwanted), Callee;
    Rejected => End(Blocked), Between;
}
