//! REFER: asking somebody to contact a third party, and hearing what became of it. RFC 3515, with the subscriptions of RFC 4488 and
//! RFC 7614, as RFC 7647 puts them right.
//!
//! ```text
//!   Referrer                          Referee                            target
//!      │── REFER, Refer-To: target ─────▶│
//!      │◀───────────── 200 (never 202) ──│
//!      │◀─ NOTIFY 100 ───────────────────│── INVITE, Referred-By, Replaces ──▶│
//!      │◀─ NOTIFY 180 ───────────────────│◀──────────────────────────── 180 ──│
//!      │◀─ NOTIFY 200, terminated ───────│◀──────────────────────────── 200 ──│
//! ```

mod referee;
mod referral;
mod referrer;
#[cfg(test)]
mod tests;

pub use referee::{Referee, RefereeConfig};
pub(crate) use referral::request_uri;
pub use referral::{REFERRAL_FIELDS_MAX, Referral, refer_to_replacing};
pub use referrer::{ReferConfig, ReferOutcome, ReferProgress, Referrer};

/// How the referrer hears what becomes of a REFER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReferSubscription {
    /// By a subscription that the REFER makes. `[RFC 3515, Section 2.4.4]`
    Implicit,
    /// It would rather have none; the referee decides. `[RFC 4488, Section 4]`
    Unwanted,
    /// By a SUBSCRIBE to the URI in Refer-Events-At. `[RFC 7614, Section 4]`
    Explicit,
    /// Not at all. `[RFC 7614, Section 5]`
    None,
}

/// The event package. `[RFC 3515, Section 3.1]`
pub(crate) const PACKAGE: &str = "refer";

/// The type of its notifications. `[RFC 3515, Section 2.4.5]`
pub(crate) const SIPFRAG: &str = "message/sipfrag;version=2.0";
