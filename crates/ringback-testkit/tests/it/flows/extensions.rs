//! Reliable provisional responses, UPDATE, session timers. RFC 3262, RFC 3311, RFC 4028

use super::Flow;

pub(crate) const FLOWS: &[&Flow] = &[];
