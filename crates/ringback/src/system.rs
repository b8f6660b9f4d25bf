//! What cores are given, from the machine that they run on: random numbers and the time.
//!
//! ```
//! use ringback::stack::Endpoint;
//! use ringback::system::{self, Clock};
//! use ringback::ua::{Config, Local};
//!
//! let local = Local::new(ringback::base::Transport::Udp, "192.0.2.1:5060".parse()?);
//! let mut phone = Endpoint::new(Config::new("bob", vec![local]), system::random()?);
//! let clock = Clock::start();
//! phone.handle_timeout(clock.now());
//! assert!(phone.agent().is_idle());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ringback_base::{Micros, Millis, Now, Random};

/// Random numbers that nobody can guess: seeded by the operating system.
///
/// # Errors
/// Where the operating system gives none.
pub fn random() -> io::Result<Random> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(Random::from_seed(seed))
}

/// Both clocks of the machine; the one that never goes back counts from the start of this object.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Begins to count.
    #[must_use]
    pub fn start() -> Clock {
        Clock(Instant::now())
    }

    /// The time, in microseconds since the start, and in milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> Now {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            mono: Micros(self.0.elapsed().as_micros().try_into().unwrap_or(u64::MAX)),
            unix: Millis(since_1970.as_millis().try_into().unwrap_or(u64::MAX)),
        }
    }
}
