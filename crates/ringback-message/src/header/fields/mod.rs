//! The typed header fields, by what they are for.

mod basics;
mod core3261;
mod extensions;
mod retry_after;

pub use core3261::*;
pub use extensions::*;
pub use retry_after::RetryAfter;
