//! What was asked for, what was acknowledged, and what must therefore be there.

use std::collections::BTreeMap;
use std::fmt;

/// The number that a registration carries in a parameter of its contact, so that it is known from those before it.
pub(super) type Stamp = u32;

/// What a REGISTER asks for: each contact with its new stamp, or without one where it is to go.
pub(super) type Changes = Vec<(String, Option<Stamp>)>;

/// So many examples of what went wrong are kept.
const EXAMPLES_MAX: usize = 10;

/// Of each user and contact, what may be there.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    users: BTreeMap<String, BTreeMap<String, MayBe>>,
    /// Requests that were sent and not answered.
    in_doubt: BTreeMap<String, Changes>,
    tally: Tally,
}

/// What was acknowledged last, and what was asked for since; `None` for no binding. Never empty.
#[derive(Debug, Clone)]
struct MayBe(Vec<Option<Stamp>>);

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Requests that were answered with 200.
    pub(super) acknowledged: u64,
    /// Contacts among them that were removed.
    pub(super) removals: u64,
    /// Contacts, present or removed, of which it was certain what a start must find, and that were looked at.
    pub(super) checked: u64,
    /// Contacts whose last request had got no answer: either outcome is right.
    pub(super) open: u64,
    /// Acknowledged and not there, or there as they were before.
    pub(super) lost: u64,
    /// Removed and there, or never asked for.
    pub(super) revived: u64,
    /// Requests of which a part is there.
    pub(super) torn: u64,
    /// Some of these, in words.
    pub(super) examples: Vec<String>,
}

impl Ledger {
    /// A request is about to be sent.
    pub(super) fn asked(&mut self, user: &str, changes: &Changes) {
        let contacts = self.users.entry(user.to_owned()).or_default();
        for (contact, stamp) in changes {
            let may_be = contacts.entry(contact.clone()).or_insert_with(|| MayBe(vec![None]));
            may_be.0.push(*stamp);
        }
        self.in_doubt.insert(user.to_owned(), changes.clone());
    }

    /// It was answered with 200.
    pub(super) fn acknowledged(&mut self, user: &str, changes: &Changes) {
        let contacts = self.users.entry(user.to_owned()).or_default();
        for (contact, stamp) in changes {
            contacts.insert(contact.clone(), MayBe(vec![*stamp]));
        }
        self.in_doubt.remove(user);
        self.tally.acknowledged += 1;
        self.tally.removals += changes.iter().filter(|(_, stamp)| stamp.is_none()).map(|_| 1).sum::<u64>();
    }

    /// What a 200 lists as this user's bindings. From now on that is what must be there.
    pub(super) fn found(&mut self, user: &str, found: &BTreeMap<String, Stamp>, is_after_start: bool) {
        let contacts = self.users.entry(user.to_owned()).or_default();
        let changes = self.in_doubt.remove(user).unwrap_or_default();
        let (mut new, mut old) = (0, 0);
        for (contact, stamp) in &changes {
            let is_telling = contacts.get(contact).is_some_and(|may_be| may_be.0.iter().any(|other| other != stamp));
            match found.get(contact).copied() == *stamp {
                true if is_telling => new += 1,
                false => old += 1,
                true => {}
            }
        }
        let strangers = found.iter().filter(|(contact, _)| !contacts.contains_key(*contact));
        let mut wrong: Vec<String> = strangers.map(|(contact, stamp)| format!("{contact}#{stamp} revived")).collect();
        self.tally.revived += wrong.iter().map(|_| 1).sum::<u64>();
        if new > 0 && old > 0 {
            self.tally.torn += 1;
            wrong.push(format!("torn: of {changes:?} there is {found:?}"));
        }
        for (contact, may_be) in contacts {
            let stamp = found.get(contact).copied();
            if !may_be.0.contains(&stamp) {
                let is_revived = may_be.0 == [None];
                *if is_revived { &mut self.tally.revived } else { &mut self.tally.lost } += 1;
                let word = if is_revived { "revived" } else { "lost" };
                wrong.push(format!("{contact} {word}: found {stamp:?}, not one of {:?}", may_be.0));
            }
            if is_after_start {
                let is_certain = may_be.0.windows(2).all(|pair| matches!(pair, [a, b] if a == b));
                *if is_certain { &mut self.tally.checked } else { &mut self.tally.open } += 1;
            }
            may_be.0 = vec![stamp];
        }
        let room = EXAMPLES_MAX.saturating_sub(self.tally.examples.len());
        self.tally.examples.extend(wrong.into_iter().take(room).map(|what| format!("{user}: {what}")));
    }

    /// Whether that contact is there for certain.
    pub(super) fn has(&self, user: &str, contact: &str) -> bool {
        let may_be = self.users.get(user).and_then(|contacts| contacts.get(contact));
        may_be.is_some_and(|may_be| may_be.0.iter().all(Option::is_some))
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl Tally {
    pub(super) fn is_good(&self) -> bool {
        self.lost == 0 && self.revived == 0 && self.torn == 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { acknowledged, removals, checked, open, lost, revived, torn, .. } = self;
        write!(
            f,
            "{acknowledged} acknowledged, with {removals} removals; {checked} contacts checked after the starts, "
        )?;
        write!(f, "{open} more in doubt; lost {lost}, revived {revived}, torn {torn}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(changes: &[(&str, Option<Stamp>)]) -> Changes {
        changes.iter().map(|(contact, stamp)| ((*contact).to_owned(), *stamp)).collect()
    }

    fn found(ledger: &mut Ledger, contacts: &[(&str, Stamp)]) -> (u64, u64, u64) {
        let contacts = contacts.iter().map(|(contact, stamp)| ((*contact).to_owned(), *stamp)).collect();
        ledger.found("ann", &contacts, true);
        (ledger.tally.lost, ledger.tally.revived, ledger.tally.torn)
    }

    /// A is set to 1, and C was removed; then B and C are asked for together, with no answer.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        for acknowledged in [&[("a", Some(1))][..], &[("c", Some(2))], &[("c", None)]] {
            ledger.asked("ann", &changes(acknowledged));
            ledger.acknowledged("ann", &changes(acknowledged));
        }
        ledger.asked("ann", &changes(&[("b", Some(3)), ("c", Some(4))]));
        ledger
    }

    #[test]
    fn what_had_no_answer_may_have_happened_or_not() {
        assert_eq!(found(&mut ledger(), &[("a", 1)]), (0, 0, 0));
        let mut happened = ledger();
        assert_eq!(found(&mut happened, &[("a", 1), ("b", 3), ("c", 4)]), (0, 0, 0));
        assert_eq!((happened.tally.checked, happened.tally.open), (1, 2));
        // What was found stays.
        assert_eq!(found(&mut happened, &[("a", 1), ("b", 3)]), (1, 0, 0));
    }

    #[test]
    fn losses_and_revivals_are_told_apart() {
        assert_eq!(found(&mut ledger(), &[]), (1, 0, 0));
        assert_eq!(found(&mut ledger(), &[("a", 9)]), (1, 0, 0));
        assert_eq!(found(&mut ledger(), &[("a", 1), ("b", 3), ("c", 2)]), (1, 0, 1));
        assert_eq!(found(&mut ledger(), &[("a", 1), ("d", 1)]), (0, 1, 0));
        let mut ledger = ledger();
        ledger.acknowledged("ann", &changes(&[("b", None), ("c", None)]));
        assert_eq!(found(&mut ledger, &[("a", 1), ("c", 4)]), (0, 1, 0));
        assert!(!ledger.tally.is_good());
        assert_eq!(ledger.tally.examples, ["ann: c revived: found Some(4), not one of [None]"]);
        assert_eq!((ledger.tally.acknowledged, ledger.tally.removals), (4, 3));
    }

    #[test]
    fn half_a_request_is_torn() {
        assert_eq!(found(&mut ledger(), &[("a", 1), ("b", 3)]), (0, 0, 1));
        assert_eq!(found(&mut ledger(), &[("a", 1), ("c", 4)]), (0, 0, 1));
        let mut refreshed = ledger();
        refreshed.found("ann", &BTreeMap::from([("a".to_owned(), 1)]), true);
        // The removal of what is not there tells nothing.
        refreshed.asked("ann", &changes(&[("b", None), ("a", Some(5))]));
        assert_eq!(found(&mut refreshed, &[("a", 1)]), (0, 0, 0));
        assert!(refreshed.has("ann", "a") && !refreshed.has("ann", "b") && !refreshed.has("bob", "a"));
    }
}
