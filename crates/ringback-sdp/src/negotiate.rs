//! Offer and answer as values that can be used once. `[RFC 3264]` `[RFC 6337]`
//!
//! ```text
//!   Session ──draft, hold, resume, add, remove──▶ Offer          what is to be offered; the session is still here
//!   Session ──send(Offer)──▶ PendingOffer ──accept(answer)──▶ Session
//!                                        ──withdraw()──────▶ Session   as it was before
//!   Session ──receive(offer)──▶ ReceivedOffer ──answer(…)──▶ Answer ──sent()──▶ Session
//!                                             ──refuse()─────────────────────▶ Session   as it was before
//! ```
//!
//! There is one [`Session`], and whoever offers holds it: while an offer is out, there is nothing to receive another with, and
//! [`PendingOffer::glare`] is what can be said to it. An [`Offer`] that was drafted before the session went on no longer fits,
//! and [`Session::send`] gives it back.

mod agreement;
mod bundle;
mod codec;
mod endpoint;
mod facts;
mod fitting;
mod fmtp;
mod format;
mod h264;
mod history;
mod local;
mod make;
mod packed;
mod pending;
mod precondition;
mod received;
mod refusal;
mod rules;
mod session;

pub use codec::Codec;
pub use endpoint::Endpoint;
pub use facts::{Stream, StreamState, Target};
pub use format::Format;
pub(crate) use format::formats;
pub use local::LocalMedia;
pub use packed::{PackedSession, SessionView};
pub use pending::{Glare, Offer, PendingOffer, Unanswered, Unfit};
pub use precondition::Precondition;
pub use received::{Answer, ReceivedOffer, Refused};
pub use refusal::{AnswerError, AnswerErrorKind, OfferError, Refusal, WarningCode};
pub use session::{HoldForm, Session};
