//! Calls at one endpoint, without a network: the far side is messages.
//!
//! ```text
//!   Live: makes what the far side says of what we have sent ──▶ Tape: says the same again, with no work
//!                         │                                          │
//!                         └──────────────▶ Callee, Caller ◀──────────┘
//! ```
//!
//! An endpoint draws all chance from a seed, so another one with the same seed sends the same: what the far side said to the first
//! fits the second.

mod far;

use ringback_base::{Hop, Micros, Now, Random, Transport};
use ringback_message::StatusCode;
use ringback_sdp::Origin;
use ringback_sdp::negotiate::{Codec, LocalMedia};
use ringback_stack::Endpoint;
use ringback_ua::{Config, Event, Local, Media, Outbound, SessionId, UserAgent};

pub use far::{Far, Live, Tape, Texts, Turn};

use crate::Fault;

/// No session or registration is refreshed while this is measured, though each has its timer.
pub const EXPIRES_SECS: u32 = 100_000_000;

/// Which side of the call the endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It is called, and hung up on.
    Callee,
    /// It calls, and hangs up.
    Caller,
}

/// An endpoint that makes one call after another.
#[derive(Debug)]
pub struct Calls {
    /// The endpoint.
    pub endpoint: Endpoint,
    side: Side,
    hop: Hop,
    outbound: Outbound,
    media: Media,
    now: Now,
}

impl Calls {
    /// An endpoint on this side of calls, with this seed.
    ///
    /// # Errors
    /// Never in practice: all texts are of this file.
    pub fn new(side: Side, seed: u8) -> Result<Calls, Fault> {
        let (user, us, them) = match side {
            Side::Callee => ("bob", "198.51.100.7:5060", "203.0.113.9:5060"),
            Side::Caller => ("alice", "192.0.2.101:5060", "198.51.100.7:5060"),
        };
        let address = |text: &str| text.parse::<std::net::SocketAddr>().map_err(|error| format!("{text}: {error}"));
        let hop = Hop::udp(address(us)?, address(them)?);
        let mut config = Config::new(user, vec![Local::new(Transport::Udp, hop.local)]);
        config.session_timers.interval_secs = Some(EXPIRES_SECS);
        let media = Media::Endpoint(media(user, &hop.local.ip().to_string()));
        let outbound = Outbound::new("sip:alice@atlanta.example.com", "sip:bob@198.51.100.7");
        let endpoint = Endpoint::new(config, Random::from_seed([seed; 32]));
        Ok(Calls { endpoint, side, hop, outbound, media, now: Now::default() })
    }

    /// A whole call, until its last timer.
    ///
    /// # Errors
    /// Where it doesn't go as it should.
    pub fn call(&mut self, far: &mut impl Far) -> Result<(), Fault> {
        let session = self.establish(far)?;
        self.hang_up(session, far)?;
        self.pass_time();
        if self.endpoint.agent().is_idle() { Ok(()) } else { Err("something is left of a call".to_owned()) }
    }

    /// The same up to the ACK.
    ///
    /// # Errors
    /// Where it doesn't go as it should.
    pub fn establish(&mut self, far: &mut impl Far) -> Result<SessionId, Fault> {
        match self.side {
            Side::Callee => self.answer(far),
            Side::Caller => self.invite(far),
        }
    }

    /// Until no transaction is left.
    pub fn pass_time(&mut self) {
        self.now = pass_time(self.endpoint.agent_mut(), self.now);
    }

    fn answer(&mut self, far: &mut impl Far) -> Result<SessionId, Fault> {
        self.hear(far, Turn::Invite)?;
        let Some(Event::Incoming { session, .. }) = self.endpoint.agent_mut().poll_event() else {
            return Err("the INVITE made no session".to_owned());
        };
        let (media, now) = (self.media.clone(), self.now);
        let agent = self.endpoint.agent_mut();
        agent.ring(session, StatusCode::Ringing, Media::None, now).map_err(|error| error.to_string())?;
        agent.answer(session, media, now).map_err(|error| error.to_string())?;
        self.send(far);
        self.hear(far, Turn::Ack)?;
        self.expect(|event| matches!(event, Event::Confirmed { .. }).then_some(session))
    }

    fn invite(&mut self, far: &mut impl Far) -> Result<SessionId, Fault> {
        let agent = self.endpoint.agent_mut();
        agent.invite(&self.outbound, self.media.clone(), self.now).map_err(|error| error.to_string())?;
        self.send(far);
        self.hear(far, Turn::Ringing)?;
        self.hear(far, Turn::Answer)?;
        // The first route is a name.
        while let Some(lookup) = self.endpoint.agent_mut().poll_lookup() {
            self.endpoint.agent_mut().handle_hops(lookup.id, &[self.hop], self.now);
        }
        self.send(far);
        self.expect(|event| match event {
            Event::Answered { session, .. } => Some(session),
            _ => None,
        })
    }

    fn hang_up(&mut self, session: SessionId, far: &mut impl Far) -> Result<SessionId, Fault> {
        match self.side {
            Side::Callee => self.hear(far, Turn::Bye)?,
            Side::Caller => {
                let agent = self.endpoint.agent_mut();
                agent.hang_up(session, self.now).map_err(|error| error.to_string())?;
                while let Some(lookup) = self.endpoint.agent_mut().poll_lookup() {
                    self.endpoint.agent_mut().handle_hops(lookup.id, &[self.hop], self.now);
                }
                self.send(far);
                self.hear(far, Turn::ByeAnswer)?;
            }
        }
        self.expect(|event| matches!(event, Event::Ended { .. }).then_some(session))
    }

    /// The far side's next message comes in, and what we have to say goes out.
    fn hear(&mut self, far: &mut impl Far, turn: Turn) -> Result<(), Fault> {
        let bytes = far.next(turn)?;
        self.endpoint.handle_datagram(bytes, self.hop, self.now).map_err(|error| error.to_string())?;
        self.send(far);
        Ok(())
    }

    fn send(&mut self, far: &mut impl Far) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            far.hear(transmit.bytes);
        }
    }

    /// What all the events say that are there.
    fn expect(&mut self, mut is_it: impl FnMut(Event) -> Option<SessionId>) -> Result<SessionId, Fault> {
        let mut found = None;
        while let Some(event) = self.endpoint.agent_mut().poll_event() {
            found = is_it(event).or(found);
        }
        found.ok_or_else(|| "an event is missing".to_owned())
    }
}

/// What this user would have of media at this address: sound.
pub fn media(user: &str, ip: &str) -> ringback_sdp::negotiate::Endpoint {
    let sound = LocalMedia::audio(49_172).codec(Codec::pcmu()).codec(Codec::pcma());
    ringback_sdp::negotiate::Endpoint::new(Origin::new(user, 2_890_844_526, 1, ip), ip).media(sound)
}

/// Lets time pass for an agent until it has no transaction, and a moment more.
pub fn pass_time(agent: &mut UserAgent, mut now: Now) -> Now {
    while agent.transactions().timer_len() > 0 {
        let Some(at) = agent.poll_timeout() else { break };
        now = now.after(at.since(now.mono));
        agent.handle_timeout(now);
        while agent.poll_event().is_some() {}
    }
    now.after(Micros::from_ms(1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn calls_go_through_on_both_sides_and_again_from_the_tape() {
        for side in [Side::Callee, Side::Caller] {
            let texts = Texts::own();
            let mut tape = Tape::default();
            let mut calls = Calls::new(side, 1).unwrap();
            for number in 0..3 {
                calls.call(&mut Live::new(&texts, number, Some(&mut tape))).unwrap();
            }
            let mut again = Calls::new(side, 1).unwrap();
            for _ in 0..3 {
                again.call(&mut tape).unwrap();
            }
            assert!(again.call(&mut tape).is_err());
        }
    }
}
