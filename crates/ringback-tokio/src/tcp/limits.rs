//! What TCP peers may take, and those by what runs over it.

use ringback_base::Micros;
use ringback_transport::StreamLimits;

/// The limits of connections. [`IoCounters`](crate::IoCounters) says how often each was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpLimits {
    /// How many connections the process may have; above it one is closed as soon as it is accepted, and none is opened. Default 16,384.
    pub connections_max: usize,
    /// How many connections there may be with one address (IPv6: one /64 network), whoever opened them. Default 1,024.
    pub connections_per_source_max: usize,
    /// How many connections of the process may agree on TLS at the same time; above it one is closed as soon as it is accepted, and none is
    /// opened. It is more than one address may have connections, so that no single one keeps the others out. Default 2,048.
    pub handshakes_max: usize,
    /// How many bytes may wait for a peer that does not read; above it the connection is closed. Default 1 MiB.
    ///
    /// From a quarter of it on, the peer's own requests are not read any more: the rest is for what others send to it.
    pub write_queue_bytes_max: usize,
    /// How long opening a connection may take. Default 4 s.
    pub connect_timeout: Micros,
    /// How long agreeing on TLS may take. Default 10 s.
    pub handshake_timeout: Micros,
    /// How long a connection that was accepted may go without a whole message or keep-alive. Default 60 s.
    pub newcomer_timeout: Micros,
    /// How long a peer may take nothing of what waits for it. Default 30 s.
    pub stall_timeout: Micros,
    /// How long a peer that has ended its own side may wait for the answers to its requests. Default 32 s, which is 64*T1.
    pub half_closed_timeout: Micros,
    /// How long a peer that we hang up on has to take our last answer. Default 1 s.
    pub linger_timeout: Micros,
    /// After how long a silence the kernel asks whether the peer is still there. Default 120 s.
    pub probe_after: Micros,
    /// After how long a silence of a client of WebSocket it is sent a Ping, which browsers answer by themselves. Default 30 s: proxies of
    /// HTTP close what is silent for a minute.
    pub ping_after: Micros,
    /// How long it then has to say something. Default 30 s.
    pub pong_timeout: Micros,
    /// The limits of what a peer sends. Its silence may last 7,500 s by default: as long as a registration, and somewhat more, so that
    /// a phone behind a NAT is reached until it registers again.
    pub stream: StreamLimits,
}

impl Default for TcpLimits {
    fn default() -> TcpLimits {
        TcpLimits {
            connections_max: 16_384,
            connections_per_source_max: 1_024,
            handshakes_max: 2_048,
            write_queue_bytes_max: 1 << 20,
            connect_timeout: Micros::from_secs(4),
            handshake_timeout: Micros::from_secs(10),
            newcomer_timeout: Micros::from_secs(60),
            stall_timeout: Micros::from_secs(30),
            half_closed_timeout: Micros::from_secs(32),
            linger_timeout: Micros::from_secs(1),
            probe_after: Micros::from_secs(120),
            ping_after: Micros::from_secs(30),
            pong_timeout: Micros::from_secs(30),
            stream: StreamLimits { idle_timeout: Micros::from_secs(7_500), ..StreamLimits::default() },
        }
    }
}

impl TcpLimits {
    /// From so many bytes on that wait for it, a peer is not read.
    pub(crate) fn pause_reading_bytes(&self) -> usize {
        self.write_queue_bytes_max / 4
    }
}
