//! What the sockets and channels of a shard count.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// How often what happened at the sockets and between the shards, since the start.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct IoCounters {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The same, counted by one shard and read by anybody.
        #[derive(Debug, Default)]
        pub(crate) struct LiveCounters {
            $(pub(crate) $name: Counter,)*
        }

        impl LiveCounters {
            pub(crate) fn add_to(&self, sum: &mut IoCounters) {
                $(sum.$name = sum.$name.saturating_add(self.$name.0.load(Ordering::Relaxed));)*
            }
        }
    };
}

counters! {
    /// Datagrams that were read.
    received,
    /// Datagrams that were sent.
    sent,
    /// Datagrams, and messages of connections, that were handed to the shard that owns them.
    handed_over,
    /// Datagrams, and news of connections that ended, that were lost because their shard had [`HANDED_MAX`](crate::HANDED_MAX) waiting.
    handed_over_dropped,
    /// Reads that failed.
    receive_errors,
    /// How often a socket was left alone for a moment, because 16 reads in a row, or 16 tries to accept a connection, failed.
    errors_max_reached,
    /// Sends that failed, told to the transactions. By TCP: messages for which there was no connection, and none could be opened.
    send_errors,
    /// Datagrams that were lost because the queues of the kernel were full.
    send_dropped,
    /// Datagrams that were lost because [`BACKLOG_MAX`](crate::BACKLOG_MAX) others waited for their socket.
    backlog_max_reached,
    /// Requests that did not arrive because there is no such host or port, as the network said: told to their transactions.
    requests_unreachable,
    /// Connections of load balancers that were closed because they didn't say whose they are: see [`Bound::proxies`](crate::Bound::proxies).
    announcements_refused,
    /// Connections of load balancers that were closed because 256 others of this shard had not said whose they are.
    announced_max_reached,
    /// Messages that were read from connections.
    messages_received,
    /// Messages that were given to connections to be written.
    messages_sent,
    /// How often a connection was not read any further for a while, because the shard of a message had [`HANDED_MAX`](crate::HANDED_MAX)
    /// waiting.
    messages_held,
    /// Messages that were handed to the shard of their connection.
    messages_carried,
    /// Messages that were lost because the shard of their connection had [`CARRIED_MAX`](crate::CARRIED_MAX) waiting.
    messages_carried_dropped,
    /// Requests for a connection that is gone.
    flows_gone,
    /// Connections that peers opened.
    connections_accepted,
    /// Connections that we opened.
    connections_opened,
    /// Connections that were not to be had because of [`TcpLimits::connections_max`](crate::TcpLimits::connections_max).
    connections_max_reached,
    /// Connections that were not to be had because of
    /// [`TcpLimits::connections_per_source_max`](crate::TcpLimits::connections_per_source_max).
    connections_per_source_max_reached,
    /// Connections that could not be opened: refused, unreachable.
    connects_failed,
    /// Connections that could not be opened within [`TcpLimits::connect_timeout`](crate::TcpLimits::connect_timeout).
    connect_timeouts,
    /// Handshakes of TLS that came to their end: both sides agree.
    handshakes,
    /// Handshakes of TLS that failed: a certificate that is not accepted, no version or cipher in common, no TLS at all.
    handshakes_failed,
    /// Handshakes of TLS that took longer than [`TcpLimits::handshake_timeout`](crate::TcpLimits::handshake_timeout).
    handshake_timeouts,
    /// Connections that were not to be had because of [`TcpLimits::handshakes_max`](crate::TcpLimits::handshakes_max).
    handshakes_max_reached,
    /// Opening handshakes of WebSocket that came to their end.
    websockets_opened,
    /// Clients that were let into no WebSocket: no handshake, or one that asks for something else; a path or an origin that isn't allowed.
    websockets_refused,
    /// Opening handshakes longer than [`HANDSHAKE_BYTES_MAX`](ringback_transport::websocket::HANDSHAKE_BYTES_MAX).
    handshake_bytes_max_reached,
    /// WebSockets closed because the peer broke a rule: a frame that may not be sent, a text that is no UTF-8, a message too long.
    websockets_broken,
    /// Connections that failed while they were open.
    connections_lost,
    /// Connections closed because nobody said anything for too long: `idle_timeout` of [`TcpLimits::stream`](crate::TcpLimits::stream),
    /// or [`TcpLimits::newcomer_timeout`](crate::TcpLimits::newcomer_timeout).
    connections_idle,
    /// Connections closed because a message took longer than `message_timeout` of [`TcpLimits::stream`](crate::TcpLimits::stream).
    connections_slow,
    /// Connections closed because the peer took nothing for [`TcpLimits::stall_timeout`](crate::TcpLimits::stall_timeout).
    connections_stalled,
    /// Connections closed, or given up while they were being opened, because of
    /// [`TcpLimits::write_queue_bytes_max`](crate::TcpLimits::write_queue_bytes_max).
    connections_overrun,
    /// Connections closed because their stream could not be followed: no Content-Length, one too large, no SIP at all.
    connections_rejected,
    /// Of those, the ones with a message longer than `message_bytes_max` of [`TcpLimits::stream`](crate::TcpLimits::stream).
    message_bytes_max_reached,
    /// Connections of half-closed peers closed because of [`TcpLimits::half_closed_timeout`](crate::TcpLimits::half_closed_timeout).
    connections_unanswered,
    /// Failures of accepting, among them those for want of files, after which nobody is accepted for a moment.
    accept_errors,
    /// Questions to name servers that were not asked because [`RESOLVES_MAX`](crate::RESOLVES_MAX) others were under way.
    resolves_refused,
    /// Answers to look-ups that were lost because the shard had [`ANSWERS_MAX`](crate::ANSWERS_MAX) waiting.
    answers_dropped,
    /// Log lines that were left out because there were more than [`LOG_LINES_PER_SEC`](crate::LOG_LINES_PER_SEC).
    log_lines_suppressed,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
