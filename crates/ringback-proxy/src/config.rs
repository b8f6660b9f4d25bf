//! Timers and limits of the proxy.

use ringback_base::Micros;

/// The settings of a proxy.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long an INVITE may ring without any sign of life: above three minutes. `[RFC 3261, Section 16.6]`
    pub timer_c: Micros,
    /// How long a cancelled branch may take to end: 64 × T1. `[RFC 3261, Section 9.1]`
    pub cancel_wait: Micros,
    /// How many branches one request may have in all.
    pub branches_max: usize,
    /// How many of them at once, where the request does not say. `[RFC 5393, Section 5.3.3]`
    pub max_breadth: u32,
    /// The longest Request-URI that is read; a request with a longer one gets 414.
    pub uri_bytes_max: usize,
    /// How many requests may be open at once; those beyond it get 503.
    pub contexts_max: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            timer_c: Micros::from_secs(185),
            cancel_wait: Micros::from_secs(32),
            branches_max: 32,
            max_breadth: 60,
            uri_bytes_max: 2_048,
            contexts_max: 100_000,
        }
    }
}
