//! The manual: chapters whose programs run in CI.
//!
//! | chapter | tells |
//! |---|---|
//! | [`early_media`] | the offer in an INVITE, the answer in a 200, 488, and media before the call is taken |

#[doc = include_str!("../manual/early-media.md")]
pub mod early_media {}
