//! Subscriptions. `[RFC 6665, Section 1.1]`

use super::Flow;

pub(crate) const FLOWS: &[&Flow] = &[];
