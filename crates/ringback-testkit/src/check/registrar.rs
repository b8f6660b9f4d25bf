//! What was registered, what was said about it, and what is left of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ringback_base::{Millis, Now};
use ringback_location::Aor;
use ringback_message::{HeaderId, Request, Response, Uri};

use super::{Invariant, Key, Verdict, violated};
use crate::surroundings::{Locations, Rows, Write};

/// How many versions of a user's bindings are remembered.
const VERSIONS_MAX: usize = 64;

/// What a REGISTER asks for.
#[derive(Clone, Debug)]
pub(super) struct Wishes {
    aor: Aor,
    call_id: Vec<u8>,
    is_fetch: bool,
    removes_all: bool,
    /// Contacts, and whether each is to go.
    contacts: Vec<(Vec<u8>, bool)>,
    /// The version when it came.
    from_version: u64,
}

#[derive(Clone, Debug)]
struct Known {
    version: u64,
    /// Contacts and their ends.
    rows: Vec<(Vec<u8>, Millis)>,
    is_durable: bool,
}

#[derive(Debug, Default)]
struct History {
    versions: VecDeque<Known>,
    /// Bindings that a 200 told of, and until when at least.
    acknowledged: BTreeMap<Vec<u8>, Millis>,
    /// REGISTERs under way.
    open: BTreeSet<Key>,
    wishes: BTreeMap<Key, Wishes>,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    users: BTreeMap<Aor, History>,
}

impl Ledger {
    /// `None` for one that can't be about a user of ours.
    pub(super) fn wishes(&self, request: &Request, domain: &str) -> Option<Wishes> {
        let aor = Aor::of_to(request, domain).ok()?;
        let from_version = self.users.get(&aor).and_then(|history| history.versions.back()).map_or(0, |k| k.version);
        let expires = request.number(HeaderId::Expires).ok().flatten();
        let removes_all = request.all(HeaderId::Contact).any(|header| header.value() == b"*");
        let mut contacts = Vec::new();
        for address in request.addresses(HeaderId::Contact).filter_map(Result::ok) {
            let mut uri = Vec::new();
            address.uri.write(&mut uri);
            contacts.push((uri, address.expires_secs().or(expires) == Some(0)));
        }
        let is_fetch = contacts.is_empty() && !removes_all;
        Some(Wishes { aor, call_id: request.call_id().to_vec(), is_fetch, removes_all, contacts, from_version })
    }

    pub(super) fn opened(&mut self, key: Key, wishes: &Wishes) {
        let history = self.users.entry(wishes.aor.clone()).or_default();
        history.open.insert(key.clone());
        history.wishes.insert(key, wishes.clone());
    }

    pub(super) fn closed(&mut self, key: &Key) {
        if key.method != b"REGISTER" {
            return;
        }
        for history in self.users.values_mut() {
            history.open.remove(key);
            history.wishes.remove(key);
        }
    }

    /// Whatever changes was asked for by a REGISTER under way, or ran out.
    pub(super) fn stored(&mut self, aor: &Aor, rows: &Rows, now: Now) -> Verdict {
        let history = self.users.entry(aor.clone()).or_default();
        let after = contacts(rows);
        let before = history.versions.back().map(|known| known.rows.clone()).unwrap_or_default();
        let asked = |contact: &[u8]| {
            history
                .wishes
                .values()
                .any(|wishes| wishes.removes_all || wishes.contacts.iter().any(|(wish, _)| is_same(wish, contact)))
        };
        let changed = before
            .iter()
            .filter(|row| row.1 > now.unix && !after.contains(row))
            .chain(after.iter().filter(|row| !before.contains(row)));
        for (contact, _) in changed {
            if !asked(contact) {
                let detail = format!("{aor}: nobody asked for a change of {}", contact.escape_ascii());
                return violated(Invariant::BindingsKept, None, detail);
            }
        }
        history.acknowledged.retain(|contact, _| after.iter().any(|(there, _)| there == contact));
        history.versions.push_back(Known { version: rows.version, rows: after, is_durable: false });
        if history.versions.len() > VERSIONS_MAX {
            history.versions.pop_front();
        }
        Ok(())
    }

    pub(super) fn durable(&mut self, writes: &[Write]) {
        for write in writes {
            let versions = self.users.get_mut(&write.aor).map(|history| &mut history.versions);
            for known in versions.into_iter().flatten().filter(|known| known.version <= write.rows.version) {
                known.is_durable = true;
            }
        }
    }

    /// A 200 leaves: what it lists must have been there, durable if this REGISTER changed it.
    pub(super) fn acknowledged(&mut self, wishes: &Wishes, response: &Response, now: Now) -> Verdict {
        let mut listed = BTreeSet::new();
        for address in response.addresses(HeaderId::Contact).filter_map(Result::ok) {
            let mut uri = Vec::new();
            address.uri.write(&mut uri);
            listed.insert(uri);
        }
        let history = self.users.entry(wishes.aor.clone()).or_default();
        let live = |known: &Known| -> BTreeSet<Vec<u8>> {
            known.rows.iter().filter(|row| row.1 > now.unix).map(|row| row.0.clone()).collect()
        };
        let mut nothing = (wishes.from_version == 0 && listed.is_empty()).then(|| Known {
            version: 0,
            rows: Vec::new(),
            is_durable: true,
        });
        let versions = history.versions.iter().filter(|known| known.version >= wishes.from_version);
        let fits = |known: &&Known| (known.is_durable || wishes.is_fetch) && live(known) == listed;
        let Some(known) = versions.rev().find(fits).cloned().or_else(|| nothing.take()) else {
            let list: Vec<String> = listed.iter().map(|uri| uri.escape_ascii().to_string()).collect();
            let detail = format!("{}: the 200 lists {list:?}, which is nothing that is durable", wishes.aor);
            return violated(Invariant::DurableFirst, Some(&wishes.call_id), detail);
        };
        for (contact, goes) in &wishes.contacts {
            if listed.contains(contact) == *goes {
                let detail = format!("the 200 ignores the wish for {}", contact.escape_ascii());
                return violated(Invariant::DurableFirst, Some(&wishes.call_id), detail);
            }
            if !goes && let Some((_, until)) = known.rows.iter().find(|row| row.0 == *contact) {
                history.acknowledged.insert(contact.clone(), *until);
            }
        }
        if wishes.removes_all && !listed.is_empty() {
            return violated(Invariant::DurableFirst, Some(&wishes.call_id), "the 200 to a removal of all lists some");
        }
        Ok(())
    }

    /// What was acknowledged is still there.
    pub(super) fn crashed(&mut self, locations: &Locations, now: Now) -> Verdict {
        for (aor, history) in &mut self.users {
            let left = locations.durable(aor);
            let rows = contacts(&left);
            history.open.clear();
            history.wishes.clear();
            history.versions.retain(|known| known.version <= left.version);
            for (contact, until) in &history.acknowledged {
                let kept = rows.iter().any(|(there, end)| there == contact && end >= until);
                if *until > now.unix && !kept {
                    let detail = format!("{aor}: {} was acknowledged and is lost", contact.escape_ascii());
                    return violated(Invariant::BindingsKept, None, detail);
                }
            }
        }
        Ok(())
    }
}

/// By `[RFC 3261, Section 19.1.4]`.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let [one, other] = [one, other].map(|text| Uri::parse(text, HeaderId::Contact, 0));
    one.is_ok_and(|one| other.is_ok_and(|other| one.equivalent(&other)))
}

fn contacts(rows: &Rows) -> Vec<(Vec<u8>, Millis)> {
    rows.bindings.iter().map(|row| (row.contact.to_vec(), row.expires_at)).collect()
}
