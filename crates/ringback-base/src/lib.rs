//! The lowest floor: what every protocol core is handed instead of reading it for itself.
//!
//! | module | holds |
//! |---|---|
//! | [`time`] | [`Now`], with the clock that timers run on ([`Micros`]) and the one that is stored and sent ([`Millis`]) |
//! | [`net`] | [`Transport`], [`Hop`], [`FlowId`] |
//! | [`random`] | [`Random`], seeded from outside, and [`KeyedHash`] for tables whose keys a stranger picks |
//! | [`table`] | [`Table`]: values by id and by the keyed hash of what a message says of them |
//! | [`timers`] | [`TimerQueue`] |
//!
//! ```
//! use ringback_base::{Micros, Now, TimerQueue};
//!
//! let now = Now::default();
//! let mut timers = TimerQueue::new();
//! timers.set(now.mono.plus(Micros::from_ms(500)), "Timer A");
//! let later = now.after(Micros::from_ms(500));
//! assert_eq!(timers.pop_due(later.mono).map(|(_, what)| what), Some("Timer A"));
//! ```
#![no_std]

extern crate alloc;

pub mod net;
pub mod random;
pub mod table;
pub mod time;
pub mod timers;

pub use net::{FlowId, Hop, Transport};
pub use random::{KeyedHash, Random};
pub use table::{Id, Table};
pub use time::{Micros, Millis, Now};
pub use timers::{TimerId, TimerQueue};
