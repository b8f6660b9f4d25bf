//! What an application draws its deeds from.

use ringback_base::Micros;
use ringback_ua::ForkPolicy;

use crate::phone::Span;

/// The ways of an agent: how it is set up, and how likely its application does what.
#[derive(Clone, Debug)]
pub struct Ways {
    /// Provisional responses go reliably where the caller can take them.
    pub reliable: bool,
    /// The session interval that it asks for.
    pub session_interval_secs: Option<u32>,
    /// What it does with several answers.
    pub forks: ForkPolicy,
    /// The most sessions at a time.
    pub sessions_max: usize,
    /// From the INVITE to ringing, and from there to what follows.
    pub pause: Span,
    /// How long it takes with an answer to an offer.
    pub thinks: Span,
    /// For how long it talks.
    pub talk: Span,
    /// Of a hundred calls, so many are refused.
    pub refuses_percent: u32,
    /// Of a hundred calls, so many are never answered.
    pub ignores_percent: u32,
    /// Of a hundred calls, so many are let go of without a word.
    pub releases_percent: u32,
    /// Of a hundred calls, so many have media before the answer.
    pub early_media_percent: u32,
    /// Of a hundred offers within a session, so many are refused.
    pub refuses_offers_percent: u32,
    /// Of a hundred offers, so many are never answered by the application.
    pub forgets_offers_percent: u32,
    /// How many changes it makes within a session at the most.
    pub changes_max: u32,
    /// It has a codec that nobody else has, and no other.
    pub is_odd: bool,
    /// It thinks about requests within a session before it answers them.
    pub holds_requests: bool,
}

impl Ways {
    /// Answers all calls, and talks a while.
    #[must_use]
    pub fn plain() -> Ways {
        Ways {
            reliable: false,
            session_interval_secs: None,
            forks: ForkPolicy::First,
            sessions_max: 1_000,
            pause: Span::ms(0, 2_000),
            thinks: Span::ms(0, 300),
            talk: Span::ms(100, 20_000),
            refuses_percent: 0,
            ignores_percent: 0,
            releases_percent: 0,
            early_media_percent: 0,
            refuses_offers_percent: 0,
            forgets_offers_percent: 0,
            changes_max: 0,
            is_odd: false,
            holds_requests: false,
        }
    }

    /// Does all that can be done.
    #[must_use]
    pub fn lively() -> Ways {
        Ways {
            session_interval_secs: Some(90),
            refuses_percent: 12,
            ignores_percent: 6,
            releases_percent: 3,
            early_media_percent: 40,
            refuses_offers_percent: 6,
            forgets_offers_percent: 2,
            changes_max: 2,
            ..Ways::plain()
        }
    }

    /// How long a call rings at its application that nobody answers.
    pub(crate) const RINGS: Micros = Micros::from_secs(50);
}
