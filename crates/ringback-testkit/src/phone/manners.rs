//! How a phone behaves, well or badly.

use ringback_base::{Micros, Random};

use crate::net::Chance;

/// What a phone does about a call that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reaction {
    /// Rings, then answers.
    Answer,
    /// Rings, then refuses with this code.
    Refuse(u16),
    /// Rings until it is cancelled.
    Ring,
    /// Says nothing at all.
    Silent,
    /// Rings, and knows no CANCEL.
    Deaf,
    /// Rings, and answers although it was cancelled.
    AnswerAnyway,
    /// Answers twice, with two tags, as a gateway does that forks behind itself.
    AnswerTwice,
    /// Answers with damaged messages.
    Garbage,
    /// Rings on and on with one provisional response after another, then answers.
    RingOften,
}

impl Reaction {
    /// Each, with codes of every class.
    pub const ALL: &[Reaction] = &[
        Reaction::Answer,
        Reaction::Ring,
        Reaction::Silent,
        Reaction::Deaf,
        Reaction::AnswerAnyway,
        Reaction::AnswerTwice,
        Reaction::Garbage,
        Reaction::RingOften,
        Reaction::Refuse(302),
        Reaction::Refuse(401),
        Reaction::Refuse(404),
        Reaction::Refuse(407),
        Reaction::Refuse(408),
        Reaction::Refuse(415),
        Reaction::Refuse(480),
        Reaction::Refuse(486),
        Reaction::Refuse(500),
        Reaction::Refuse(503),
        Reaction::Refuse(599),
        Reaction::Refuse(600),
        Reaction::Refuse(603),
    ];
}

/// A span that is drawn anew each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The shortest.
    pub least: Micros,
    /// The longest.
    pub most: Micros,
}

impl Span {
    /// From and to, in milliseconds.
    #[must_use]
    pub const fn ms(least: u64, most: u64) -> Span {
        Span { least: Micros::from_ms(least), most: Micros::from_ms(most) }
    }

    /// Always the same.
    #[must_use]
    pub const fn exactly(span: Micros) -> Span {
        Span { least: span, most: span }
    }

    pub(crate) fn draw(self, random: &mut Random) -> Micros {
        let width = self.most.since(self.least);
        if width.0 == 0 { self.least } else { self.least.plus(Micros(random.below(width.0))) }
    }
}

/// The manners of one phone.
#[derive(Clone, Debug)]
pub struct Manners {
    /// What it does about calls, each with a weight.
    pub reactions: Vec<(u32, Reaction)>,
    /// When it rings.
    pub rings_after: Span,
    /// When it answers or refuses, counted from the ring.
    pub answers_after: Span,
    /// That it hangs up first.
    pub hangs_up: Chance,
    /// When it hangs up, counted from its answer.
    pub hangs_up_after: Span,
    /// The code that it answers MESSAGE and OPTIONS with; 0 for not at all.
    pub answers_others: u16,
    /// That a first request carries the credentials that were good the last time.
    pub remembers_credentials: Chance,
    /// The address in its Via, if that is not its own.
    pub via: Option<std::net::SocketAddr>,
    /// The URI in its Contact, if that is not its own.
    pub contact: Option<String>,
}

impl Default for Manners {
    /// Rings at once, answers after some seconds, lets the caller hang up.
    fn default() -> Manners {
        Manners {
            reactions: vec![(1, Reaction::Answer)],
            rings_after: Span::ms(5, 200),
            answers_after: Span::ms(500, 6_000),
            hangs_up: Chance::NEVER,
            hangs_up_after: Span::ms(500, 20_000),
            answers_others: 200,
            remembers_credentials: Chance::percent(60),
            via: None,
            contact: None,
        }
    }
}

impl Manners {
    /// One that always does this.
    #[must_use]
    pub fn always(reaction: Reaction) -> Manners {
        Manners { reactions: vec![(1, reaction)], ..Manners::default() }
    }

    /// What people and their phones do, with some of each kind of trouble.
    #[must_use]
    pub fn mixed() -> Manners {
        let mut reactions = vec![(70, Reaction::Answer), (8, Reaction::Refuse(486)), (6, Reaction::Ring)];
        reactions.extend(Reaction::ALL.iter().map(|reaction| (1, *reaction)));
        Manners { reactions, hangs_up: Chance::percent(40), ..Manners::default() }
    }

    pub(crate) fn react(&self, random: &mut Random) -> Reaction {
        let total: u32 = self.reactions.iter().map(|(weight, _)| *weight).sum();
        let mut lot = random.below(u64::from(total));
        for (weight, reaction) in &self.reactions {
            match lot.checked_sub(u64::from(*weight)) {
                Some(rest) => lot = rest,
                None => return *reaction,
            }
        }
        Reaction::Answer
    }
}
