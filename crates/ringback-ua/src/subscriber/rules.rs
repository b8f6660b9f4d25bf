//! Why a subscription ends, and whether it is asked for again.

use ringback_message::header::{RetryAfter, SubscriptionState};
use ringback_message::{Response, StatusCode};

/// The end of a subscription, or of the attempt to get one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionEnd {
    /// Why it is over.
    pub reason: SubscriptionEndReason,
    /// Whether it makes sense to ask again.
    pub again: Again,
}

/// Why a subscription is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscriptionEndReason {
    /// Another notifier shall take it over.
    Deactivated,
    /// Later the notifier may have it again.
    Probation {
        /// Not before so many seconds.
        retry_after_secs: Option<u32>,
    },
    /// Policy does no longer allow it.
    Rejected,
    /// It was not refreshed in time.
    Timeout,
    /// Nobody could be asked whether it is allowed.
    GiveUp {
        /// Not before so many seconds.
        retry_after_secs: Option<u32>,
    },
    /// The state is there no longer.
    NoResource,
    /// The state won't change.
    Invariant,
    /// The notifier gave no reason, or one that is not known.
    Other {
        /// Not before so many seconds.
        retry_after_secs: Option<u32>,
    },
    /// The one notification that was asked for has come.
    Fetched,
    /// We ended it.
    Unsubscribed,
    /// The request for it was refused.
    Refused {
        /// The code.
        status: StatusCode,
        /// Not before so many seconds.
        retry_after_secs: Option<u32>,
    },
    /// A refresh was answered with a code that ends it.
    Gone {
        /// The code.
        status: StatusCode,
    },
    /// No final response came.
    NoAnswer,
    /// Timer N has fired before a NOTIFY came.
    NoNotify,
    /// Its time is over, and no refresh has succeeded.
    Expired,
}

/// Whether it makes sense to ask again, and not before how many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// "Clients SHOULD NOT attempt to re-subscribe."
    Never,
    /// It is hoped for.
    Should {
        /// How many seconds to wait at least.
        after_secs: u32,
    },
    /// It is allowed.
    May {
        /// How many seconds to wait at least.
        after_secs: u32,
    },
}

impl SubscriptionEndReason {
    /// What a NOTIFY that terminates says. `[RFC 6665, Section 4.1.3]`
    pub(crate) fn of_notify(state: &SubscriptionState<&[u8]>) -> SubscriptionEndReason {
        let retry_after_secs = state.retry_after_secs();
        let is = |name: &[u8]| state.reason().is_some_and(|reason| reason.eq_ignore_ascii_case(name));
        match () {
            () if is(b"deactivated") => SubscriptionEndReason::Deactivated,
            () if is(b"probation") => SubscriptionEndReason::Probation { retry_after_secs },
            () if is(b"rejected") => SubscriptionEndReason::Rejected,
            () if is(b"timeout") => SubscriptionEndReason::Timeout,
            () if is(b"giveup") => SubscriptionEndReason::GiveUp { retry_after_secs },
            () if is(b"noresource") => SubscriptionEndReason::NoResource,
            () if is(b"invariant") => SubscriptionEndReason::Invariant,
            () => SubscriptionEndReason::Other { retry_after_secs },
        }
    }

    /// Whether it makes sense to ask again. `[RFC 6665, Section 4.1.3]`
    #[must_use]
    pub fn again(self) -> Again {
        match self {
            SubscriptionEndReason::Deactivated => Again::Should { after_secs: 0 },
            SubscriptionEndReason::Probation { retry_after_secs } => {
                Again::Should { after_secs: retry_after_secs.unwrap_or(0) }
            }
            SubscriptionEndReason::GiveUp { retry_after_secs } | SubscriptionEndReason::Other { retry_after_secs } => {
                Again::May { after_secs: retry_after_secs.unwrap_or(0) }
            }
            SubscriptionEndReason::Rejected
            | SubscriptionEndReason::NoResource
            | SubscriptionEndReason::Invariant
            | SubscriptionEndReason::Fetched
            | SubscriptionEndReason::Unsubscribed => Again::Never,
            SubscriptionEndReason::Refused { status, retry_after_secs } => refused(status, retry_after_secs),
            // "If the subscriber wishes to re-subscribe to the state, he does so by composing an unrelated initial SUBSCRIBE"
            // [RFC 6665, Section 4.1.2.2]
            SubscriptionEndReason::Gone { .. }
            | SubscriptionEndReason::Timeout
            | SubscriptionEndReason::NoAnswer
            | SubscriptionEndReason::NoNotify
            | SubscriptionEndReason::Expired => Again::May { after_secs: 0 },
        }
    }
}

/// A request that was refused is repeated only where the refusal may pass by itself.
fn refused(status: StatusCode, retry_after_secs: Option<u32>) -> Again {
    let may_pass = matches!(
        status,
        StatusCode::NotFound
            | StatusCode::RequestTimeout
            | StatusCode::TemporarilyUnavailable
            | StatusCode::BusyHere
            | StatusCode::ServerInternalError
            | StatusCode::BadGateway
            | StatusCode::ServiceUnavailable
            | StatusCode::ServerTimeout
            | StatusCode::BusyEverywhere
    );
    match retry_after_secs {
        Some(after_secs) => Again::May { after_secs },
        None if may_pass => Again::May { after_secs: 0 },
        None => Again::Never,
    }
}

/// How long to wait before the next attempt where this was the `n`th that ended soon: not at all after the first, then half a
/// minute and twice as long each time, up to half an hour.
pub(crate) fn wait_secs(n: u32) -> u32 {
    match n {
        0 => 0,
        n => 30_u32.saturating_mul(1 << n.saturating_sub(1).min(6)).min(1_800),
    }
}

pub(crate) fn retry_after_secs(response: &Response) -> Option<u32> {
    response.get::<RetryAfter<&[u8]>>().ok().flatten().map(|retry| retry.seconds)
}

/// "If a SUBSCRIBE request to refresh a subscription receives a 404, 405, 410, 416, 480-485, 489, 501, or 604 response, the
/// subscriber MUST consider the subscription terminated." `[RFC 6665, Section 4.1.2.2]`
///
/// The same codes end it for a notifier whose NOTIFY gets them. `[RFC 6665, Section 4.2.2]` A 408 stands for no answer at all, which
/// ends a dialog. `[RFC 3261, Section 12.2.1.2]`
pub(crate) fn ends_subscription(status: StatusCode) -> bool {
    matches!(status.as_u16(), 404 | 405 | 408 | 410 | 416 | 480..=485 | 489 | 501 | 604)
}
