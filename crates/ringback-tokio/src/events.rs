//! What a stack tells, as lines of the log.

use std::sync::Arc;

use ringback_base::{Micros, Now};
use ringback_stack::Event;

use crate::counters::LiveCounters;

/// How many lines a second one shard writes about what strangers can cause; the others are counted.
pub const LOG_LINES_PER_SEC: u32 = 50;

/// Writes events to the log. Values that peers chose are passed as text, so that the log's format escapes them.
#[derive(Debug)]
pub(crate) struct EventLog {
    shard: u16,
    counters: Arc<LiveCounters>,
    second: Micros,
    lines: u32,
}

impl EventLog {
    pub(crate) fn new(shard: u16, counters: Arc<LiveCounters>) -> EventLog {
        EventLog { shard, counters, second: Micros(0), lines: 0 }
    }

    pub(crate) fn write(&mut self, event: Event, now: Now) {
        let shard = self.shard;
        match event {
            Event::Registered { aor, bindings } => {
                if tracing::enabled!(tracing::Level::INFO) && self.is_within_rate(now) {
                    tracing::info!(shard, aor = aor.as_str(), bindings, "registered");
                }
            }
            Event::AuthenticationFailed { user, from } => {
                if self.is_within_rate(now) {
                    let from = from.remote.to_string();
                    tracing::warn!(shard, user = &*user, from, "authentication failed");
                }
            }
            Event::Refused { method, call_id, status, reason, from } => {
                if tracing::enabled!(tracing::Level::DEBUG) {
                    let (status, from) = (status.as_u16(), from.remote.to_string());
                    tracing::debug!(shard, call_id = &*call_id, method = &*method, status, reason, from, "refused");
                }
            }
            Event::Malformed { error, from, answered } => {
                if tracing::enabled!(tracing::Level::DEBUG) {
                    let (error, from) = (error.to_string(), from.remote.to_string());
                    tracing::debug!(shard, error, from, answered, "malformed");
                }
            }
            Event::Relayed { method, call_id, uri, status, reason, why, attempts, from } => {
                if tracing::enabled!(tracing::Level::INFO) && self.is_within_rate(now) {
                    let (status, from) = (status.as_u16(), from.remote.to_string());
                    let (call_id, method, uri) = (&*call_id, &*method, &*uri);
                    let (reason, why) = (&*reason, (!why.is_empty()).then_some(&*why));
                    tracing::info!(shard, call_id, method, uri, status, reason, why, attempts, from, "relayed");
                }
            }
            Event::Unreachable { call_id, uri, why } => {
                if self.is_within_rate(now) {
                    tracing::warn!(shard, call_id = &*call_id, uri = &*uri, why, "a contact can't be reached");
                }
            }
            Event::LookupFailed { what, subject } => {
                if self.is_within_rate(now) {
                    tracing::warn!(shard, what, subject = &*subject, "a look-up failed or took too long");
                }
            }
            other => tracing::debug!(shard, event = ?other, "event"),
        }
    }

    fn is_within_rate(&mut self, now: Now) -> bool {
        if now.mono.since(self.second) >= Micros::from_secs(1) {
            self.second = now.mono;
            self.lines = 0;
        }
        self.lines = self.lines.saturating_add(1);
        let within = self.lines <= LOG_LINES_PER_SEC;
        if !within {
            self.counters.log_lines_suppressed.count();
        }
        within
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::counters::IoCounters;

    #[test]
    fn a_flood_writes_so_many_lines_a_second() {
        let counters = Arc::new(LiveCounters::default());
        let mut log = EventLog::new(0, Arc::clone(&counters));
        let mut now = Now::default().after(Micros::from_secs(10));
        let written = |log: &mut EventLog, now| (0..100).filter(|_| log.is_within_rate(now)).count();
        assert_eq!(written(&mut log, now), 50);
        now = now.after(Micros::from_ms(999));
        assert_eq!(written(&mut log, now), 0);
        now = now.after(Micros::from_ms(1));
        assert_eq!(written(&mut log, now), 50);
        let mut sum = IoCounters::default();
        counters.add_to(&mut sum);
        assert_eq!(sum.log_lines_suppressed, 200);
    }
}
